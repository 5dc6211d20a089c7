"""Folders followed: each time that something in them was changed and came to rest, the library is brought into sync."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.discover import list_files, read_stamp, roots_of
from ingest.errors import SourceError, UsageError
from ingest.pipeline import IngestOptions, Progress, ingest
from ingest.remote import is_address
from ingest.settings import Settings, find_library, read_settings
from ingest.types import SourceResult

STILL_SECONDS = 2.0
"""A file that was not touched for so long is taken for complete."""
BUSY_SECONDS = 10.0
"""While something is written to all the time, what came to rest is read so often."""
LOOK_MS = 250
"""Milliseconds between two looks at what the system has told."""


@dataclass(slots=True, kw_only=True)
class _Rest:
    """Since when something is to be done, and when something last happened; seconds of a clock that never goes back."""

    since: float | None = None
    last: float = 0.0

    def happened(self, now: float) -> None:
        self.since, self.last = now if self.since is None else self.since, now

    def is_due(self, now: float) -> bool:
        return self.since is not None and (now - self.last >= STILL_SECONDS or now - self.since >= BUSY_SECONDS)


def follow(
    paths: Iterable[str | Path],
    *,
    options: IngestOptions | None = None,
    settings: Settings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Iterator[SourceResult]]:
    """Ingest paths now and after each change in them, without end: one iterator of results a time.

    Files that were touched in the last seconds are left for the next time. After the first time, only what differs
    from what was told before is told.

    Raises:
        UsageError: a web page or a bucket is among the paths, or no path was given.
        SourceError: the system cannot tell of changes.
        LibraryError: as ``ingest`` does.
    """
    given = list(paths)
    if any(is_address(path) for path in given):
        raise UsageError("web pages and buckets cannot be watched: leave out --watch, or name files and folders alone")
    settings = settings or read_settings()
    options = replace(options or IngestOptions(), still=STILL_SECONDS)
    library, told = find_library(settings.library), dict[str, SourceResult]()
    for _ in _times(roots_of(given), library, follow_symlinks=options.follow_symlinks):
        yield _news(ingest(given, library, options=options, settings=settings, on_progress=on_progress), told)


def _news(results: Iterator[SourceResult], told: dict[str, SourceResult]) -> Iterator[SourceResult]:
    """The results that say something new."""
    first = not told
    for result in results:
        before = told.get(result.path)
        told[result.path] = result
        same = before is not None and (before.state, before.reason) == (result.state, result.reason)
        if first or not (result.state == "unchanged" or (same and result.state in ("failed", "skipped"))):
            yield result


def _times(roots: list[Path], library: Path, *, follow_symlinks: bool) -> Iterator[None]:
    """At once, and then each time that the library is to be brought into sync."""
    rest = _Rest(since=0.0)
    while True:
        places = _places(roots)
        # What is watched is gone, or another took its place: the system would tell no more of it.
        changes = _changes(roots, library)
        next(changes)
        while _places(roots) == places:
            if rest.is_due(time.monotonic()):
                rest.since, began = None, time.time_ns()
                yield
                if _has_fresh(roots, library, began, follow_symlinks=follow_symlinks):
                    rest.happened(time.monotonic())
            if next(changes):
                rest.happened(time.monotonic())
        rest.happened(time.monotonic())


def _places(roots: list[Path]) -> list[tuple[int, int] | None]:
    """What stands at each root."""
    stamps = (read_stamp(str(root), follow=True) for root in roots)
    return [(stamp.device, stamp.inode) if stamp else None for stamp in stamps]


def _has_fresh(roots: list[Path], library: Path, began_ns: int, *, follow_symlinks: bool) -> bool:
    """Whether files were left that were touched shortly before a sync began, or since."""
    for root in roots:
        try:
            files = list_files(root, library=library, follow=follow_symlinks).files
        except OSError:
            continue
        stamps = (read_stamp(path, follow=True) for path in files)
        if any(stamp and stamp.is_fresh(began_ns, STILL_SECONDS) for stamp in stamps):
            return True
    return False


def _changes(roots: list[Path], library: Path) -> Iterator[set[Any]]:
    """What the system tells of, again and again, also when that is nothing.

    Raises:
        SourceError: it cannot tell.
    """
    from watchfiles import watch

    there = [root for root in roots if root.exists()]
    if not there:
        while True:
            time.sleep(LOOK_MS / 1000)
            yield set()
    inside = f"{library}{os.sep}"

    def counts(_: object, path: str) -> bool:
        return not f"{path}{os.sep}".startswith(inside)

    try:
        yield from watch(
            *there,
            watch_filter=counts,
            debounce=LOOK_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
            recursive=True,
        )
    except (OSError, RuntimeError) as exc:
        raise SourceError(f"the folders cannot be watched ({exc})") from exc
