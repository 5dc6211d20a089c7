"""The error tree. Each error says what happened, to which file or page, and what to do.

PinciteError
├── UsageError               wrong use: option, setting, path (exit code 2)
├── SourceError              one source cannot be read; the run goes on
│   ├── EncryptedError
│   ├── BrokenError
│   ├── UnavailableError     a service could not be asked now: the next ingest tries again
│   ├── UnsupportedError     not a type we read: the source is skipped
│   ├── GoneError            a web page that is no longer there
│   ├── UnreachableError     a web server that could not be asked, or not now
│   ├── RefusedAddressError  an address of a private network, which nobody allowed
│   └── LimitError           a worker was lost to a crash or a limit
│       └── TimeLimitError   it took too long
├── LibraryError             the library folder
│   ├── LibraryMissingError
│   ├── NewerSchemaError
│   ├── EmbedderMismatchError
│   └── LibraryLockedError
├── HistoryError             what was asked and answered before
├── ModelError               an embedding, chat or vision model
│   ├── WeightsError
│   ├── ModelUnreachableError
│   ├── ModelMissingError
│   ├── ModelTimeoutError
│   └── TruncatedStreamError
└── MissingExtraError        an optional package; carries the install line
"""

from __future__ import annotations


class PinciteError(Exception):
    """Root of all errors that pincite raises on purpose."""


class UsageError(PinciteError):
    """Wrong use: an option, a setting or a path that cannot mean anything."""


class SourceError(PinciteError):
    """One source cannot be read. ``reason`` is the one line that ``status`` shows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EncryptedError(SourceError):
    """The file needs a password."""


class BrokenError(SourceError):
    """The file is damaged or is not what it claims to be."""


class UnavailableError(SourceError):
    """A service that reads the file could not be asked, or not now; nothing is wrong with the file."""


class UnsupportedError(SourceError):
    """The file is of a type that is not read; its source is skipped."""


class GoneError(SourceError):
    """The server says that there is no such page (404 or 410)."""


class UnreachableError(SourceError):
    """The server could not be asked, or could not answer now; what it gave before still stands.

    ``wait`` are the seconds after which it asks to be asked again, if it says so. ``is_busy``: it has too much to do.
    """

    def __init__(self, reason: str, wait: float = 0.0, *, is_busy: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.is_busy = wait, is_busy


class RefusedAddressError(SourceError):
    """The address belongs to a private network or to this machine, which nobody allowed."""


class LimitError(SourceError):
    """The worker that read the file was lost: crash, time-out or memory."""


class TimeLimitError(LimitError):
    """Reading the file took too long."""


class LibraryError(PinciteError):
    """The library folder cannot be used."""


class LibraryMissingError(LibraryError):
    """There is no library where one was named."""


class NewerSchemaError(LibraryError):
    """The library was written by a newer pincite."""


class EmbedderMismatchError(LibraryError):
    """The library's vectors were made by another embedder."""


class LibraryLockedError(LibraryError):
    """Another process is writing to the library."""


class HistoryError(PinciteError):
    """The store of what was asked and answered before cannot be used."""


class ModelError(PinciteError):
    """An embedding, chat or vision model failed."""


class WeightsError(ModelError):
    """Packaged weights are missing or are not the ones that were pinned."""


class ModelUnreachableError(ModelError):
    """The model server does not answer."""


class ModelMissingError(ModelError):
    """The model server does not have the model."""


class ModelTimeoutError(ModelError):
    """The model server took too long."""


class TruncatedStreamError(ModelError):
    """A model's reply ended before it was complete."""


class MissingExtraError(PinciteError):
    """An optional package is not installed; the message carries the install line."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an optional package: run `pip install '.[{extra}]'` in pincite's folder")
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Errors cross from a worker by pickling, which calls the class with ``args``."""
        return type(self), (self.extra, self.purpose)
