"""Objects in buckets (``s3://``, ``gs://``): what lies under an address, in which version, and their bytes.

The only home of fsspec and of the clients below it. Who may read a bucket is found where those clients look for it
(variables, profiles, the machine's role); nothing of it is read, kept or told here, so no error repeats their words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from ingest.errors import (
    GoneError,
    MissingExtraError,
    PinciteError,
    UnavailableError,
    UnreachableError,
    UnsupportedError,
    UsageError,
)
from ingest.urls import is_url, normal_url

EXTRAS = {"s3": "remote", "gs": "gs"}
"""By scheme: the extra with what reads it."""
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}},
}
"""By scheme: how long its server is waited for, in seconds."""
_VERSIONS = ("generation", "ETag", "etag", "VersionId")
"""What servers call the mark of an object's version, the one that changes with every write first."""
_TIMES = ("LastModified", "updated", "mtime", "created")
NAME_BYTES = 200
"""Bytes of an object's name that its temporary file keeps; a file system takes 255."""


class _FileSystem(Protocol):
    """What is used of fsspec's seat."""

    def find(self, path: str, *, detail: bool) -> dict[str, dict[str, Any]]: ...
    def info(self, path: str) -> dict[str, Any]: ...
    def get_file(self, rpath: str, lpath: str, *, callback: object) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteObject:
    """An object as it was listed: its address, the mark of its version, and its bytes."""

    address: str
    version: str
    size: int


def is_remote(text: object) -> bool:
    """Whether an argument or path is the address of objects in a bucket."""
    return isinstance(text, str) and text.partition("://")[0].lower() in EXTRAS and "://" in text


def is_address(text: object) -> bool:
    """Whether an argument or path is an address, of the web or of a bucket, and no path of a file."""
    return is_url(text) or is_remote(text)


def undrawn(address: str) -> str:
    """Why no page of an object is drawn."""
    return f"{address}: lies in a bucket, from which no page is drawn; its stored text is still citable"


def normal_address(text: str) -> str:
    """An address in one spelling, that of a bucket without a slash at its end.

    Raises:
        UsageError: it is none, names no bucket, or holds a user name or password.
    """
    if is_url(text):
        return normal_url(text)
    scheme, _, place = text.strip().partition("://")
    bucket, _, key = place.partition("/")
    if not bucket:
        raise UsageError("no bucket is named: write s3://BUCKET/PREFIX")
    if "@" in bucket or ":" in bucket:
        raise UsageError("an address of a bucket with a key or password in it is not taken")
    return f"{scheme.lower()}://{bucket}/{key.strip('/')}".rstrip("/")


def list_objects(root: str) -> list[RemoteObject]:
    """The objects under an address, or the one that it names, by address; hidden ones are left out as hidden files are.

    Raises:
        GoneError: there is no such bucket.
        UnreachableError: it cannot be listed to its end.
        MissingExtraError: what reads such an address is not installed.
    """
    system = _system(root)
    with _vendor_errors(root):
        found = system.find(_inner(root), detail=True)
    objects = (_object(root, info) for info in found.values() if info.get("type") == "file")
    return sorted((o for o in objects if _is_shown(root, o.address)), key=lambda o: o.address)


def fetch_object(wanted: RemoteObject, folder: Path, max_bytes: int) -> Path:
    """Download an object into a folder, under its own name, which some formats' titles are taken from.

    Raises:
        GoneError: it is no longer there.
        UnavailableError: it is another version by now; the next ingest reads that.
        UnreachableError: it cannot be had.
        UnsupportedError: it is larger than ``max_bytes``.
    """
    check_size(wanted.size, max_bytes)
    system, path = _system(wanted.address), folder / _file_name(wanted.address)
    with _vendor_errors(wanted.address):
        system.get_file(_inner(wanted.address), str(path), callback=_cap(max_bytes))
        now = _object(wanted.address, system.info(_inner(wanted.address)))
    if now.version != wanted.version or path.stat().st_size != wanted.size:
        raise UnavailableError("was written while it was fetched; the next ingest reads it")
    return path


def check_size(size: int, max_bytes: int) -> None:
    """Let an object of this size through.

    Raises:
        UnsupportedError: it is larger than ``max_bytes``.
    """
    if size > max_bytes:
        raise UnsupportedError(f"larger than {max_bytes // 2**20} MB (PINCITE_MAX_FILE_MB)")


def _object(root: str, info: Mapping[str, Any]) -> RemoteObject:
    size = int(info.get("size") or 0)
    mark = next((str(info[name]).strip('"') for name in _VERSIONS if info.get(name)), None)
    when = next((_moment(info[name]) for name in _TIMES if info.get(name)), "")
    scheme = root.partition("://")[0]
    return RemoteObject(
        address=f"{scheme}://{str(info['name']).lstrip('/')}", version=f"{mark or when} {size}", size=size
    )


def _moment(when: object) -> str:
    """A time as text; listings and single answers give it as different types."""
    return str(when.timestamp()) if isinstance(when, datetime) else str(when)


def _is_shown(root: str, address: str) -> bool:
    """Whether an object is no placeholder of a folder, and no part of its key below the root begins with a dot."""
    below = address.removeprefix(root)
    return not below.endswith("/") and not any(part.startswith(".") for part in below.split("/"))


def _inner(address: str) -> str:
    """An address as its file system has it."""
    return address.partition("://")[2]


def _file_name(address: str) -> str:
    name = address.rpartition("/")[2].replace("\0", "")
    suffix = Path(name).suffix[:20]
    short = name.removesuffix(suffix).encode("utf-8", "surrogateescape")[:NAME_BYTES].decode("utf-8", "ignore")
    return f"{short}{suffix}" if len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES else name


def _system(address: str) -> _FileSystem:
    """The file system of an address, which remembers no listing: what is asked for is what is there now.

    Raises:
        MissingExtraError: what reads it is not installed.
    """
    scheme = address.partition("://")[0]
    try:
        import fsspec

        options = {"use_listings_cache": False, **OPTIONS.get(scheme, {})}
        return cast("_FileSystem", fsspec.filesystem(scheme, **options))
    except ImportError as exc:
        raise MissingExtraError(EXTRAS[scheme], f"{scheme}://") from exc


def _cap(limit: int) -> object:
    """Ends a download that gets larger than what was listed may be."""
    from fsspec.callbacks import Callback

    class Cap(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            super().relative_update(inc)
            check_size(self.value, limit)

    return Cap()


@contextmanager
def _vendor_errors(address: str) -> Iterator[None]:
    """Errors of the clients as ours. Their own words may repeat a signed address, so only their kind is told."""
    bucket = _inner(address).partition("/")[0]
    try:
        yield
    except PinciteError:
        raise
    except FileNotFoundError as exc:
        raise GoneError("no such bucket or object") from exc
    except PermissionError as exc:
        raise UnreachableError(f"the bucket {bucket} refuses it: check the credentials") from exc
    except _errors_of(address) as exc:
        raise UnreachableError(f"the bucket {bucket} cannot be read ({type(exc).__name__})") from exc


def _errors_of(address: str) -> tuple[type[Exception], ...]:
    """What the client of an address raises beside ``OSError``."""
    found: tuple[type[Exception], ...] = (OSError, TimeoutError)
    return (*found, *_CLIENT_ERRORS.get(address.partition("://")[0], lambda: ())())


def _s3_errors() -> tuple[type[Exception], ...]:
    from aiohttp import ClientError
    from botocore.exceptions import BotoCoreError, HTTPClientError

    return BotoCoreError, HTTPClientError, ClientError


def _gs_errors() -> tuple[type[Exception], ...]:
    from aiohttp import ClientError
    from gcsfs.retry import HttpError
    from google.auth.exceptions import GoogleAuthError

    return HttpError, GoogleAuthError, ClientError


_CLIENT_ERRORS: Mapping[str, Callable[[], tuple[type[Exception], ...]]] = {"s3": _s3_errors, "gs": _gs_errors}
