"""The roots of an ingest: what lies under each of them now, and what was there before and is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ingest.crawl import SiteListing, sync_site
from ingest.discover import Listing, list_files
from ingest.errors import GoneError, SourceError
from ingest.library_pages import KnownPages
from ingest.pipeline_jobs import Setup
from ingest.remote import is_remote
from ingest.remote_sources import RemoteSources
from ingest.types import Source, SourceResult

_UNMOUNTED = "nothing is mounted here any more; its sources were kept (--prune removes them)"


class Roots:
    """The folders, files, sites and buckets that are brought into sync."""

    def __init__(self, setup: Setup, remote: RemoteSources) -> None:
        self._library, self._options, self._settings = setup.library, setup.options, setup.settings
        self._tally, self._addresses, self._remote = setup.tally, setup.addresses, remote
        self._sites: dict[str, SiteListing] = {}

    def look(self, root: Path | str) -> Listing:
        """What a root holds; that of a web address is fetched into the library.

        Raises:
            SourceError: it cannot be listed, or is suddenly empty; nothing of it may be removed.
        """
        if is_remote(root):
            self._tally.report("listing", str(root))
            return self._remote.look(str(root), prune=self._options.prune)
        return self._site(root) if isinstance(root, str) else self._folder(root)

    def problem(self, folder: str, reason: str) -> SourceResult:
        """The result of a folder that could not be looked at."""
        return SourceResult(path=self._library.shown(folder), state="failed", reason=reason)

    def problems(self, listing: Listing) -> Iterator[SourceResult]:
        """The results of the folders in a root that could not be looked at."""
        for folder in listing.unreadable:
            yield self.problem(folder, "the folder cannot be read; its sources were kept")
        for folder in listing.unmounted:
            yield self.problem(folder, _UNMOUNTED)

    def page(self, url: str, roots: Sequence[str]) -> Source:
        """A page that was fetched for one of these roots.

        Raises:
            SourceError: it could not be fetched.
        """
        sites = [self._sites[root] for root in roots]
        for site in sites:
            if url in site.problems:
                raise site.problems[url]
        return next(site.sources[url] for site in sites if url in site.sources)

    def _folder(self, root: Path) -> Listing:
        """What a root holds.

        Raises:
            SourceError: it cannot be listed, or is suddenly empty; nothing of it may be removed.
        """
        if root.is_relative_to(self._library.folder):
            raise SourceError("lies in the library's own folder, which is never ingested")
        known = self._library.paths(str(root))
        kept = f"; its sources were kept: {len(known)} (--prune removes them)" if known else ""
        try:
            listing = list_files(root, library=self._library.folder, follow=self._options.follow_symlinks)
        except (FileNotFoundError, NotADirectoryError) as exc:
            if known and self._options.prune:
                return Listing(files=(), unreadable=())
            raise SourceError(f"no such file or folder{kept}") from exc
        except OSError as exc:
            raise SourceError(f"cannot be read: {exc.strerror}") from exc
        if str(root) in listing.unreadable:
            raise SourceError("the folder cannot be read; its sources were kept")
        if known and not listing.files and not listing.unreadable and not self._options.prune:
            raise SourceError(f"the folder is empty{kept}")
        return self._with_unmounted(str(root), listing, known)

    def _with_unmounted(self, root: str, listing: Listing, known: Iterable[str]) -> Listing:
        """The listing with the folders on which nothing is mounted any more, though sources of what was are known."""
        away = {
            mount
            for mount in self._library.mounts(root)
            if mount not in listing.mounts and any(Path(path).is_relative_to(mount) for path in known)
        }
        unmounted = () if self._options.prune else tuple(sorted(away))
        self._library.put_mounts(root, sorted({*listing.mounts, *unmounted}))
        return replace(listing, unmounted=unmounted)

    def _site(self, root: str) -> Listing:
        """What an address leads to, fetched into the library.

        Raises:
            SourceError: the address itself cannot be had; nothing of it may be removed.
        """
        known = self._library.paths(root)
        with KnownPages(self._library) as pages:
            pages.forget_unheld([root])
            try:
                site = self._sites[root] = sync_site(
                    root,
                    pages,
                    self._library.put_member,
                    self._options.crawl,
                    max_bytes=self._settings.max_file_mb * 2**20,
                    on_page=lambda url: self._tally.report("fetching", url),
                    signed=self._addresses.get(root),
                )
            except SourceError as exc:
                if isinstance(exc, GoneError) and known and self._options.prune:
                    return Listing(files=(), unreadable=())
                kept = f"; its sources were kept: {len(known)}" if known else ""
                insist = " (--prune removes them)" if known and isinstance(exc, GoneError) else ""
                raise SourceError(f"{exc.reason}{kept}{insist}") from exc
        return Listing(files=(*site.sources, *(url for url in site.problems if url not in site.sources)), unreadable=())

    def remove_gone(self, root: Path | str, listing: Listing) -> Iterator[SourceResult]:
        """Take out of the library what was found under a root before and is there no more."""
        kept, absent = set(listing.files), (*listing.unreadable, *listing.unmounted)
        gone = [
            path
            for path in self._library.paths(str(root))
            if path not in kept and not any(Path(path).is_relative_to(folder) for folder in absent)
        ]
        site = self._sites.get(str(root))
        for path in self._library.drop_paths(gone, str(root)):
            reason = "the file is gone" if site is None else site.gone.get(path, "no longer part of the site")
            yield SourceResult(path=self._library.shown(path), state="removed", reason=reason)
