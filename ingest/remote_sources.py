"""The objects of buckets as sources: which are new, which are known in the version that they have, and their bytes.

The library keeps no copy of an object. It remembers the mark of the version that it read; an object that still has it
is not fetched. The bytes of others lie in the library's scratch folder while they are read.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ingest.discover import Listing, identify
from ingest.errors import BrokenError, GoneError, SourceError, UnreachableError, UnsupportedError
from ingest.library import Library
from ingest.library_pages import KnownPage, KnownPages
from ingest.remote import RemoteObject, check_size, fetch_object, list_objects
from ingest.types import Source
from ingest.workers import Requests, at_border

FETCHES = 8
"""Objects that are fetched at a time."""
STORE_EVERY = 100
"""Objects after which their versions are written; a run that is killed forgets no more of them."""


@dataclass(slots=True, kw_only=True)
class RemoteSources:
    """The objects of one ingest, by address.

    ``reads`` is the key of what is read and how: what could not be read under another key is tried again.
    """

    library: Library
    max_bytes: int
    reads: str
    retry_failed: bool = False
    objects: dict[str, RemoteObject] = field(default_factory=dict)
    _known: dict[str, KnownPage] = field(default_factory=dict)
    _fresh: list[tuple[str, KnownPage]] = field(default_factory=list)
    _held: set[str] = field(default_factory=set)
    _requests: Requests = field(default_factory=lambda: Requests(FETCHES))

    def look(self, root: str, *, prune: bool) -> Listing:
        """The objects of a root. ``prune``: that there are none any more is believed.

        Raises:
            SourceError: it cannot be listed to its end, or is suddenly empty; nothing of it may be removed.
            MissingExtraError: what reads it is not installed.
        """
        count = len(self.library.paths(root))
        kept = f"; its sources were kept: {count}" if count else ""
        try:
            found = list_objects(root)
        except UnreachableError as exc:
            raise SourceError(f"{exc.reason}{kept}") from exc
        except GoneError as exc:
            found, reason = [], exc.reason
        else:
            reason = "nothing lies under this address"
        if not found and not (count and prune):
            raise SourceError(f"{reason}{kept}{' (--prune removes them)' if count else ''}")
        with KnownPages(self.library) as pages:
            pages.forget_unheld([root])
            self._known |= pages.of_root(root)
        self.objects |= {each.address: each for each in found}
        return Listing(files=tuple(each.address for each in found), unreadable=())

    def known(self, address: str) -> Source | None:
        """The source that an object was when it was read in the version that it has; its bytes are not here.

        Raises:
            SourceError: as it was then; or it is too large.
        """
        check_size(self.objects[address].size, self.max_bytes)
        page = self._known.get(address)
        if page is None or page.etag != self.objects[address].version:
            return None
        if page.source_id:
            return Source(id=page.source_id, path=Path(address), format=page.format, size=page.size)
        if page.modified == self.reads and not self.retry_failed:
            kind = UnsupportedError if page.format == "unsupported" else BrokenError
            raise kind(page.canonical)
        return None

    def submit(self, address: str) -> Future[Source]:
        """Have an object's bytes fetched as a source; its file stays until ``release``."""
        self._held.add(address)
        return self._requests.submit(partial(at_border, self._fetch, address))

    def _fetch(self, address: str) -> Source:
        folder = self._folder(address)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = fetch_object(self.objects[address], folder, self.max_bytes)
        return identify(str(path), max_bytes=self.max_bytes, follow=False)

    def unread(self, address: str) -> Source:
        """What stands for an object whose bytes are not known yet."""
        return Source(id=f"unread {address}", path=Path(address), format="", size=self.objects[address].size)

    def remember(self, address: str, roots: Iterable[str], outcome: Source | SourceError) -> None:
        """Note the version that was read, for ``store``. What could not be had at all is not known by it."""
        if isinstance(outcome, Source):
            page = self._marked(address, outcome.format, source_id=outcome.id, size=outcome.size)
        elif isinstance(outcome, (UnsupportedError, BrokenError)):
            kind = "unsupported" if isinstance(outcome, UnsupportedError) else "broken"
            page = self._marked(address, kind, reason=outcome.reason)
        else:
            return
        self._fresh += [(root, page) for root in roots]

    def store(self) -> None:
        """Write what was noted. Not inside a transaction of the library: this is one of its own."""
        if not self._fresh:
            return
        fresh, self._fresh = self._fresh, []
        with KnownPages(self.library) as pages:
            for root, page in fresh:
                pages.put(root, page)

    def store_when_due(self) -> None:
        """Write what was noted if it is much."""
        if len(self._fresh) >= STORE_EVERY:
            self.store()

    def release(self, address: str) -> None:
        """Let go of an object's file, if there is one."""
        if address in self._held:
            self._held.discard(address)
            shutil.rmtree(self._folder(address), ignore_errors=True)

    def _marked(self, address: str, form: str, *, source_id: str = "", size: int = 0, reason: str = "") -> KnownPage:
        return KnownPage(
            asked=address,
            url=address,
            depth=0,
            etag=self.objects[address].version,
            modified=self.reads,
            source_id=source_id,
            format=form,
            size=size,
            canonical=reason,
            links=(),
        )

    def _folder(self, address: str) -> Path:
        return self.library.scratch / "remote" / hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()
