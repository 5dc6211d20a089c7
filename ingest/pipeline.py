"""The stages joined: roots to sources, sources through the workers, results into the library, one result a path."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.bundles import Bundles, Task
from ingest.chunk import ChunkOptions, chunk
from ingest.crawl import CrawlOptions, SiteListing, sync_site
from ingest.discover import (
    BEING_WRITTEN,
    READINGS,
    FileStamp,
    Listing,
    identify,
    list_files,
    read_stamp,
    roots_of,
    sniff_bytes,
)
from ingest.embed import Embedder, asks_server, embedder_name, load_embedder, text_hash
from ingest.enrich import Enriched, Enriching, Models
from ingest.errors import (
    BrokenError,
    NewerSchemaError,
    SourceError,
    UnavailableError,
    UnsupportedError,
    UsageError,
)
from ingest.fetch import GoneError, is_url, normal_url
from ingest.images import left_out_warning
from ingest.indexing import drop_index, update_index
from ingest.library import EmbedderRecord, Library, PathRecord, SourceRecord
from ingest.library_index import server_of
from ingest.library_pages import KnownPages
from ingest.library_schema import DATABASE
from ingest.ocr import OcrLine, read_picture
from ingest.partition import CloudAccess, PartitionOptions, count_by_category
from ingest.reading import Reading, ReadTask, outcome_of, read_many, submit_read
from ingest.rows import shown_path
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library, read_settings
from ingest.summarize import (
    TableMode,
    choose_summarizer,
    choose_table_summarizer,
    dump_reading,
    load_reading,
    reading_key,
    unread_pictures,
    with_readings,
)
from ingest.types import Chunk, Partition, Source, SourceResult, State, stable_id
from ingest.workers import Engine, WorkerPool, at_border, result_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

PARTITION_VERSION = "4"
"""Counts changes of what partitioning gives; sources of another version are read again."""
CHUNK_VERSION = "2"
"""Counts changes of what chunking gives; sources of another version are chunked again from their stored elements."""
EMBED_BATCH = 256
"""Texts in one embedding task."""
FEW_TEXTS = 8
"""Texts that are embedded together with those of other sources."""
TASK_SECONDS = 600.0
"""Seconds that one task may take."""
IN_FLIGHT = 2
"""Sources a worker that are begun before the first of them is done."""
_UNMOUNTED = "nothing is mounted here any more; its sources were kept (--prune removes them)"
INDEX_EVERY = 20_000
"""Vectors after which Chroma is brought up to date during a long ingest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What an ingest does beyond its roots. Files touched in the last ``still`` seconds are left as they are known.

    ``tables="summarized"`` has the chat model say what each table is about. That is left to the asking: the words of a
    table are found as they are, those of a picture are not, and a library of reports has thousands of tables.
    """

    partition: PartitionOptions = field(default_factory=PartitionOptions)
    chunk: ChunkOptions = field(default_factory=ChunkOptions)
    crawl: CrawlOptions = field(default_factory=CrawlOptions)
    tables: TableMode = "plain"
    prune: bool = False
    retry_failed: bool = False
    follow_symlinks: bool = False
    still: float = 0.0
    wait: bool = True

    @property
    def partition_key(self) -> str:
        """Changes when partitioning would give something else."""
        return f"{PARTITION_VERSION}-{stable_id(json.dumps(self.partition.key, sort_keys=True))}"

    @property
    def chunk_key(self) -> str:
        """Changes when chunking would give something else."""
        return f"{CHUNK_VERSION}-{stable_id(json.dumps(asdict(self.chunk), sort_keys=True))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an ingest stands: what is done and what there is in all, in ``unit``, the stage and path last worked on."""

    stage: str
    path: str = ""
    done: int = 0
    total: int = 0
    pages: int = 0
    unit: str = "files"


@dataclass(slots=True, kw_only=True)
class _Job:
    """One path on its way: the roots it lies under, its source, and what the stages have given so far."""

    path: str
    roots: Sequence[str]
    source: Source
    mtime_ns: int
    stamp: FileStamp | None = None
    tries: int = 1
    started: float = field(default_factory=time.perf_counter)
    stored: SourceRecord | None = None
    partition: Partition | None = None
    reading: Reading | None = None
    failed: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    embeddings: dict[str, bytes] = field(default_factory=dict)
    readings: dict[str, list[OcrLine]] = field(default_factory=dict)
    waiting: int = 0
    is_enriched: bool = False


def ingest(
    paths: Iterable[str | Path],
    library: str | Path | None = None,
    *,
    options: IngestOptions | None = None,
    settings: Settings | None = None,
    embedder: Embedder | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[SourceResult]:
    """Bring the library into exact sync with the given roots; yields one result a path as it is done.

    ``library`` is the library folder (else found as the command line does). ``embedder`` is any object of the
    seat; by default the library's own, or the packaged one.

    Raises:
        LibraryError: the library cannot be opened, is locked, or holds another embedder's vectors.
        UsageError: no path was given, or an option is wrong.
    """
    settings = settings or read_settings()
    given = Path(library) if library is not None else settings.library
    folder = find_library(given)
    given_roots = list(paths)
    roots: list[Path | str] = [*roots_of(p for p in given_roots if not is_url(p)), *_urls_of(given_roots)]
    if not roots:
        raise UsageError("nothing to ingest: name a file or a folder")
    options = options or IngestOptions()
    options = replace(options, partition=_with_cloud(options.partition, settings, folder))
    report = on_progress or (lambda _: None)
    if not (folder / DATABASE).is_file() and not any(isinstance(root, str) or root.exists() for root in roots):
        shown = (shown_path(os.path.relpath(root, folder.parent)) for root in roots)
        yield from (SourceResult(path=path, state="failed", reason="no such file or folder") for path in shown)
        return
    with (
        Library(folder, create=True) as opened,
        opened.writing(wait=-1 if options.wait else 0),
        _Run(opened, options, settings, embedder, report) as run,
    ):
        check_versions(opened)
        yield from run.sync(roots)


def check_versions(library: Library) -> None:
    """Say so when stored sources were partitioned or chunked by an earlier version, which are then redone.

    Raises:
        NewerSchemaError: some were by a later one.
    """
    own = int(PARTITION_VERSION), int(CHUNK_VERSION)
    older = 0
    for partition_key, chunk_key, count in library.derivations():
        found = _version_of(partition_key), _version_of(chunk_key)
        if found[0] > own[0] or found[1] > own[1]:
            raise NewerSchemaError(
                f"{library.folder} holds documents that a newer pincite read: upgrade pincite, or name another library"
                " with --library"
            )
        older += count if found != own else 0
    if older:
        log.warning("%s: what an earlier pincite read is brought up to date now: %d documents", library.folder, older)


def _version_of(key: str) -> int:
    """The version in a key of ``IngestOptions``; 0 of a key from before there was one in it."""
    version, mark, _ = key.partition("-")
    return int(version) if mark and version.isdigit() else 0


def _with_cloud(options: PartitionOptions, settings: Settings, folder: Path | None) -> PartitionOptions:
    """The options with the way to LlamaParse, where that was asked for.

    Raises:
        UsageError: there is no key.
        MissingExtraError: its client is not installed.
    """
    if options.parser != "llamaparse" or options.cloud is not None:
        return options
    from ingest.partition.llamaparse import check_access

    access = CloudAccess(
        url=settings.llama_cloud_url, key=settings.llama_cloud_api_key, tier=settings.llama_cloud_tier, folder=folder
    )
    check_access(access)
    return replace(options, cloud=access)


def _urls_of(paths: Iterable[str | Path]) -> list[str]:
    """The web addresses among arguments, each once in one spelling."""
    return list(dict.fromkeys(normal_url(str(path)) for path in paths if is_url(path)))


class _Run:
    """One ingest: keeps the workers busy with a bounded number of sources in flight."""

    def __init__(
        self,
        library: Library,
        options: IngestOptions,
        settings: Settings,
        embedder: Embedder | None,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.library, self.options, self.settings = library, options, settings
        self.partition_key, self.chunk_key = options.partition_key, options.chunk_key
        self.pool = _engine(settings, library)
        self.bundles = Bundles(self.pool)
        self.given_embedder = embedder
        self.on_progress = on_progress
        self.futures: dict[Future[Any], tuple[_Job, Callable[[_Job, Future[Any]], None]]] = {}
        self.results: deque[SourceResult] = deque()
        self.unindexed = 0
        self.files = self.done = self.pages = 0
        self.sites: dict[str, SiteListing] = {}
        self.embedder_name = _embedder_name(library, settings, embedder)
        self.lacking: dict[str, str] = {}
        self.readers: dict[str, list[_Job]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    @cached_property
    def models(self) -> Models:
        """The models that describe pictures and tables, looked for when the first source is stored.

        Raises:
            ModelError: one was asked for and is not to be had.
        """
        return Models(
            pictures=choose_summarizer(self.settings, self.options.partition.images),
            tables=choose_table_summarizer(self.settings, self.options.tables),
        )

    # --- roots ----------------------------------------------------------------------------------

    def sync(self, roots: Sequence[Path | str]) -> Iterator[SourceResult]:
        """Every result of this run."""
        started = time.time()
        states: Counter[str] = Counter()
        if self.library.purging:
            self.library.sweep(keep_summaries=self.settings.keep_summaries)
        if self.options.partition.images == "llava" or self.options.tables == "summarized":
            _ = self.models  # what was asked for by name is missed before the work, not after it
        for result in self._results(roots):
            states[result.state] += 1
            yield result
        self.library.sweep(keep_summaries=self.settings.keep_summaries or bool(self.lacking))
        if self.lacking:
            self._enrich()
            self.library.sweep(keep_summaries=self.settings.keep_summaries)
        # Once, at the end: what is not indexed yet is searched exactly meanwhile.
        self._update_index()
        self.library.put_run(started, states)

    def _results(self, roots: Sequence[Path | str]) -> Iterator[SourceResult]:
        listings: dict[Path | str, Listing] = {}
        for root in roots:
            try:
                listings[root] = self._look_at_site(root) if isinstance(root, str) else self._look(root)
            except SourceError as exc:
                yield self._folder_problem(str(root), exc.reason)
        holders: dict[str, list[str]] = {}
        for root, listing in listings.items():
            for path in listing.files:
                holders.setdefault(path, []).append(str(root))
            for folder in listing.unreadable:
                yield self._folder_problem(folder, "the folder cannot be read; its sources were kept")
            for folder in listing.unmounted:
                yield self._folder_problem(folder, _UNMOUNTED)
        self.files = len(holders)
        yield from self._work(holders)
        for root, listing in listings.items():
            yield from self._remove_gone(root, listing)

    def _look(self, root: Path) -> Listing:
        """What a root holds.

        Raises:
            SourceError: it cannot be listed, or is suddenly empty; nothing of it may be removed.
        """
        if root.is_relative_to(self.library.folder):
            raise SourceError("lies in the library's own folder, which is never ingested")
        known = self.library.paths(str(root))
        kept = f"; its sources were kept: {len(known)} (--prune removes them)" if known else ""
        try:
            listing = list_files(root, library=self.library.folder, follow=self.options.follow_symlinks)
        except (FileNotFoundError, NotADirectoryError) as exc:
            if known and self.options.prune:
                return Listing(files=(), unreadable=())
            raise SourceError(f"no such file or folder{kept}") from exc
        except OSError as exc:
            raise SourceError(f"cannot be read: {exc.strerror}") from exc
        if str(root) in listing.unreadable:
            raise SourceError("the folder cannot be read; its sources were kept")
        if known and not listing.files and not listing.unreadable and not self.options.prune:
            raise SourceError(f"the folder is empty{kept}")
        return self._with_unmounted(str(root), listing, known)

    def _with_unmounted(self, root: str, listing: Listing, known: Iterable[str]) -> Listing:
        """The listing with the folders on which nothing is mounted any more, though sources of what was are known."""
        away = {
            mount
            for mount in self.library.mounts(root)
            if mount not in listing.mounts and any(Path(path).is_relative_to(mount) for path in known)
        }
        unmounted = () if self.options.prune else tuple(sorted(away))
        self.library.put_mounts(root, sorted({*listing.mounts, *unmounted}))
        return replace(listing, unmounted=unmounted)

    def _look_at_site(self, root: str) -> Listing:
        """What an address leads to, fetched into the library.

        Raises:
            SourceError: the address itself cannot be had; nothing of it may be removed.
        """
        known = self.library.paths(root)
        with KnownPages(self.library) as pages:
            pages.forget_unheld([root])
            try:
                site = self.sites[root] = sync_site(
                    root,
                    pages,
                    self.library.put_member,
                    self.options.crawl,
                    max_bytes=self.settings.max_file_mb * 2**20,
                    on_page=lambda url: self._report("fetching", url),
                )
            except SourceError as exc:
                if isinstance(exc, GoneError) and known and self.options.prune:
                    return Listing(files=(), unreadable=())
                kept = f"; its sources were kept: {len(known)}" if known else ""
                insist = " (--prune removes them)" if known and isinstance(exc, GoneError) else ""
                raise SourceError(f"{exc.reason}{kept}{insist}") from exc
        return Listing(files=(*site.sources, *(url for url in site.problems if url not in site.sources)), unreadable=())

    def _folder_problem(self, folder: str, reason: str) -> SourceResult:
        return SourceResult(path=self.library.shown(folder), state="failed", reason=reason)

    def _remove_gone(self, root: Path | str, listing: Listing) -> Iterator[SourceResult]:
        kept, absent = set(listing.files), (*listing.unreadable, *listing.unmounted)
        gone = [
            path
            for path in self.library.paths(str(root))
            if path not in kept and not any(Path(path).is_relative_to(folder) for folder in absent)
        ]
        site = self.sites.get(str(root))
        for path in self.library.drop_paths(gone, str(root)):
            reason = "the file is gone" if site is None else site.gone.get(path, "no longer part of the site")
            yield SourceResult(path=self.library.shown(path), state="removed", reason=reason)

    # --- files ----------------------------------------------------------------------------------

    def _work(self, holders: Mapping[str, Sequence[str]]) -> Iterator[SourceResult]:
        """Results of files, each with the roots that it lies under."""
        todo = iter(holders.items())
        exhausted = False
        while not exhausted or self.futures:
            while not exhausted and len(self.futures) - self.bundles.spared() < self.pool.count * IN_FLIGHT:
                item = next(todo, None)
                exhausted = item is None
                if item is not None:
                    self._begin(*item)
                yield from self._finished()
            if self.futures:
                self._advance_some()
                yield from self._finished()

    def _finished(self) -> Iterator[SourceResult]:
        while self.results:
            result = self.results.popleft()
            self.done += 1
            self.pages += result.pages or 0
            oldest = next(iter(self.futures.values()), None)
            self._report("reading" if oldest else "done", self.library.shown(oldest[0].path) if oldest else result.path)
            yield result

    def _report(self, stage: str, path: str) -> None:
        self.on_progress(Progress(stage=stage, path=path, done=self.done, total=self.files, pages=self.pages))

    def _begin(self, path: str, roots: Sequence[str]) -> None:
        """Identify a file, and start what its source lacks."""
        self._report("reading", self.library.shown(path))
        if is_url(path):
            self._begin_page(path, roots)
            return
        self._begin_file(path, roots, tries=1)

    def _begin_file(self, path: str, roots: Sequence[str], *, tries: int) -> None:
        stamp = self._stamp(path, roots)
        if stamp and self.options.still and stamp.is_fresh(time.time_ns(), self.options.still):
            return
        try:
            source = identify(path, max_bytes=self.settings.max_file_mb * 2**20, follow=self._may_follow(path, roots))
        except SourceError as exc:
            self._put_unidentified(path, roots, exc)
            return
        mtime_ns = stamp.mtime_ns if stamp else 0
        self._admit(_Job(path=path, roots=roots, source=source, mtime_ns=mtime_ns, stamp=stamp, tries=tries))

    def _may_follow(self, path: str, roots: Sequence[str]) -> bool:
        """Whether a path may be a symbolic link: one that was named, or all where that was asked for."""
        return self.options.follow_symlinks or path in roots

    def _stamp(self, path: str, roots: Sequence[str]) -> FileStamp | None:
        return read_stamp(path, follow=self._may_follow(path, roots))

    def _begin_again(self, job: _Job) -> bool:
        """Whether a file was written to, or replaced, since it was identified; if so it is begun again, a few times."""
        if job.stamp is None or job.stamp == self._stamp(job.path, job.roots):
            return False
        job.failed = True
        if job.tries < READINGS:
            self._begin_file(job.path, job.roots, tries=job.tries + 1)
        else:
            self._put_unidentified(job.path, job.roots, UnavailableError(BEING_WRITTEN))
        return True

    def _begin_page(self, url: str, roots: Sequence[str]) -> None:
        """Start what a fetched page lacks, or record why it could not be fetched."""
        sites = [self.sites[root] for root in roots]
        problem = next((site.problems[url] for site in sites if url in site.problems), None)
        if problem is not None:
            self._put_unidentified(url, roots, problem)
            return
        source = next(site.sources[url] for site in sites if url in site.sources)
        self._admit(_Job(path=url, roots=roots, source=source, mtime_ns=0))

    def _admit(self, job: _Job) -> None:
        """Start what an identified source lacks."""
        source = job.source
        if any(other.source.id == source.id for other, _ in self.futures.values()):
            self._drain()
        job.stored = self.library.source(source.id)
        if job.stored and job.stored.partition_key == self.partition_key:
            self._reuse(job, job.stored)
            return
        known = self.library.failure(self._failed_key(source))
        if known and not self._may_open(known):
            self._put_problem(job, known.state, known.reason)
            return
        self._read(job)

    def _reuse(self, job: _Job, stored: SourceRecord) -> None:
        """Take what is stored of a source; what depends on a changed option, or on a model that is new, is redone."""
        if stored.members and set(stored.members) - {each.member for each in self.library.members(stored.id)}:
            # The run that stored the container stopped before its parts, or a part failed.
            self._read(job)
            return
        if stored.chunk_key == self.chunk_key:
            self._attach(job)
            self._resume_members(job)
            return
        job.partition = replace(self.library.partition(stored.id), warnings=stored.warnings)
        with self._recording(job):
            self._chunk(job)

    def _resume_members(self, job: _Job) -> None:
        """Go on with the parts of a container that is stored itself."""
        for record in self.library.members(job.source.id):
            source = Source(
                id=record.id,
                path=self.library.member_path(record.id, record.format),
                format=record.format,
                size=record.size,
                parent_id=record.parent_id,
                member=record.member,
            )
            self._admit(_member_job(job, source))

    def _start(
        self, job: _Job, then: Callable[[_Job, Future[Any]], None], task: Callable[..., object], *args: object
    ) -> None:
        """Run a task for a job in a worker; ``then`` takes its finished future."""
        self.futures[self.pool.submit(task, *args, timeout=TASK_SECONDS)] = (job, then)

    def _may_open(self, known: PathRecord) -> bool:
        """Whether a file that failed before is to be read again: on request, or for a password that may open it."""
        locked = (known.reason or "").startswith("encrypted")
        return self.options.retry_failed or (locked and self.options.partition.password is not None)

    def _failed_key(self, source: Source) -> str:
        return stable_id(source.id, self.partition_key)

    def _drain(self) -> None:
        """Finish what is in flight: the same bytes are among it, under another path."""
        while self.futures:
            self._advance_some()

    def _advance_some(self) -> None:
        """Go on with what is done, after waiting for it; what comes of it is written at once."""
        self.bundles.flush()
        ready, _ = wait(self.futures, return_when=FIRST_COMPLETED)
        with self.library.together():
            for future in ready:
                self._advance(future)
        if self.unindexed >= INDEX_EVERY:
            self._update_index()

    def _advance(self, future: Future[Any]) -> None:
        job, then = self.futures.pop(future)
        taken = self.bundles.take(future)
        if taken is not future:
            self.futures[taken] = (job, then)
        elif not job.failed:
            with self._recording(job):
                then(job, future)

    @contextmanager
    def _recording(self, job: _Job) -> Iterator[None]:
        """An error of the source inside ends its job, not the run."""
        try:
            yield
        except SourceError as exc:
            job.failed = True
            self._put_problem(job, _state_of(exc), exc.reason, is_final=not isinstance(exc, UnavailableError))

    # --- stages ---------------------------------------------------------------------------------

    def _read(self, job: _Job) -> None:
        """Read a source, by as many tasks as it takes."""
        job.reading = Reading(job.source, self.options.partition)
        self._start_reads(job, job.reading.begin())

    def _start_reads(self, job: _Job, tasks: Sequence[ReadTask]) -> None:
        for task in tasks:
            self.futures[submit_read(self.pool, task, self.bundles)] = (job, partial(self._was_read, task))

    def _was_read(self, task: ReadTask, job: _Job, future: Future[Any]) -> None:
        assert job.reading is not None
        try:
            self._start_reads(job, job.reading.take(task, outcome_of(future)))
            found = at_border(job.reading.whole) if job.reading.done else None
        except SourceError:
            if self._begin_again(job):
                return
            raise
        self._report("reading", self.library.shown(job.path))
        if found is not None and not self._begin_again(job):
            job.partition = replace(found, warnings=(*found.warnings, *left_out_warning(found.left_out)))
            self._read_pictures(job)

    def _read_pictures(self, job: _Job) -> None:
        """Read the text in pictures that have none in the text layer; what was read once is known."""
        assert job.partition is not None
        unread = unread_pictures(job.partition) if self.options.partition.images != "off" else []
        images = {p.image_path: job.partition.images.get(p.image_path) for p in unread}
        for image_path, png in images.items():
            known = self.library.summary(reading_key(image_path))
            if known is not None:
                job.readings[image_path] = load_reading(known)
            elif png is not None:
                job.waiting += 1
                self._read_picture(job, image_path, png)
        if not job.waiting:
            self._take_readings(job)

    def _read_picture(self, job: _Job, image_path: str, png: bytes) -> None:
        readers = self.readers.setdefault(image_path, [])
        readers.append(job)
        if len(readers) == 1:
            self._start(job, partial(self._picture_read, image_path), at_border, read_picture, png)

    def _picture_read(self, image_path: str, job: _Job, future: Future[list[OcrLine]]) -> None:
        """Hand what was read to every source that waits for it."""
        lines: list[OcrLine] = []
        try:
            lines = result_of(future)
            self.library.put_summary(reading_key(image_path), image_path, dump_reading(lines))
        except SourceError as exc:
            log.warning("%s: a picture could not be read: %s", job.path, exc.reason)
        self._report("OCR", self.library.shown(job.path))
        for reader in self.readers.pop(image_path):
            reader.readings[image_path] = lines
            reader.waiting -= 1
            if not reader.waiting and not reader.failed:
                with self._recording(reader):
                    self._take_readings(reader)

    def _take_readings(self, job: _Job) -> None:
        assert job.partition is not None
        job.partition = with_readings(job.partition, job.readings)
        self._chunk(job)

    def _enrich(self) -> None:
        """Have what models can describe described; the library can be asked meanwhile."""
        records = [record for record in map(self.library.source, self.lacking) if record is not None]
        enriching = Enriching(
            self.library, self.pool, self.models, self._report_enriching, at_a_time=self.settings.request_count
        )
        for found in enriching.run(records):
            if found.is_changed:
                self._store_enriched(found)
            else:
                self.library.put_warnings(found.record.id, found.record.warnings)
        if enriching.given_up:
            log.warning("descriptions stopped: %s", enriching.given_up)

    def _report_enriching(self, source_id: str, done: int, total: int) -> None:
        path = self.library.shown(self.lacking[source_id])
        self.on_progress(
            Progress(stage="describing", path=path, done=done, total=total, pages=self.pages, unit="descriptions")
        )

    def _store_enriched(self, found: Enriched) -> None:
        record, path = found.record, self.lacking[found.record.id]
        source = Source(
            id=record.id,
            path=Path(path),
            format=record.format,
            size=record.size,
            parent_id=record.parent_id,
            member=record.member,
        )
        job = _Job(path=path, roots=(), source=source, mtime_ns=0, stored=record, partition=found.partition)
        job.is_enriched = True
        with self._recording(job):
            self._chunk(job)
        self._drain()

    def _chunk(self, job: _Job) -> None:
        """Chunk a partition and start embedding the texts that are new."""
        assert job.partition is not None
        if not job.is_enriched:
            self._report("chunking", self.library.shown(job.path))
        job.chunks = at_border(self._chunks_of, job.partition, job)
        if not job.chunks and not job.partition.elements:
            raise SourceError("nothing could be read: " + ("; ".join(job.partition.warnings[:3]) or "no text in it"))
        texts = list(dict.fromkeys(v.text for c in job.chunks for v in c.vectors))
        job.hashes = {text: text_hash(text, self.embedder_name) for text in texts}
        known = self.library.known_hashes(list(job.hashes.values()))
        missing = [text for text in texts if job.hashes[text] not in known]
        if not missing:
            self._commit(job)
            return
        if self.given_embedder is not None:
            self._take_vectors(job, missing, self.given_embedder.embed(missing))
            return
        batches = [missing[i : i + EMBED_BATCH] for i in range(0, len(missing), EMBED_BATCH)]
        job.waiting = len(batches)
        for batch in batches:
            self.futures[self._start_embedding(batch)] = (job, partial(self._embedded, batch))

    def _start_embedding(self, texts: Sequence[str]) -> Future[NDArray[np.float32]]:
        if len(texts) > FEW_TEXTS or asks_server(self.embedder_name):
            return submit_embedding(self.pool, self.embedder_name, self.settings, texts)
        args = (self.embedder_name, self.settings, texts)
        return self.bundles.submit(Task(function=embed_texts, args=args, seconds=TASK_SECONDS))

    def _chunks_of(self, found: Partition, job: _Job) -> list[Chunk]:
        doc = Path(job.path).name
        return chunk(found, job.source.id, self.options.chunk, similarity=self._embed_now, doc=doc)

    def _embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.given_embedder is not None:
            return self.given_embedder.embed(texts)
        return result_of(submit_embedding(self.pool, self.embedder_name, self.settings, list(texts)))

    def _embedded(self, texts: Sequence[str], job: _Job, future: Future[NDArray[np.float32]]) -> None:
        try:
            matrix = result_of(future)
        except SourceError as exc:
            raise SourceError(f"could not be embedded: {exc.reason}") from exc
        self._take_vectors(job, texts, matrix)

    def _take_vectors(self, job: _Job, texts: Sequence[str], matrix: NDArray[np.float32]) -> None:
        for text, row in zip(texts, matrix, strict=True):
            job.embeddings[job.hashes[text]] = row.astype("<f4").tobytes()
        job.waiting -= 1
        if job.waiting <= 0:
            self._commit(job)

    def _commit(self, job: _Job) -> None:
        """Write a finished source and tell how it went."""
        assert job.partition is not None
        if job.is_enriched and job.stored is not None:
            self._put(job.stored, job)
            return
        record = SourceRecord(
            id=job.source.id,
            format=job.source.format,
            size=job.source.size,
            partition_key=self.partition_key,
            chunk_key=self.chunk_key,
            pages=len(job.partition.pages) or None,
            elements=count_by_category(job.partition),
            warnings=job.partition.warnings,
            seconds=round(time.perf_counter() - job.started, 3),
            parent_id=job.source.parent_id,
            member=job.source.member,
            enrich_key="" if job.reading is not None or job.stored is None else job.stored.enrich_key,
        )
        members, unread = self._members_of(job)
        record = replace(
            record, warnings=(*record.warnings, *unread), members=self._member_names(job, [m.member for m in members])
        )
        self._put(record, job)
        self._attach(job, replace(record, chunks=len(job.chunks)))
        if job.partition.members:
            self.library.keep_members(job.source.id, [member.id for member in members])
            for member in members:
                self.files += 1
                self._admit(_member_job(job, member))
        else:
            self._resume_members(job)

    def _put(self, record: SourceRecord, job: _Job) -> None:
        assert job.partition is not None
        if job.embeddings:
            width = len(next(iter(job.embeddings.values()))) // 4
            self.library.claim_embedder(self.embedder_name, width)
        self.library.put_source(record, job.partition, job.chunks, job.hashes, job.embeddings)
        self.unindexed += sum(len(c.vectors) for c in job.chunks)
        if self.unindexed >= INDEX_EVERY:
            self._update_index()

    def _member_names(self, job: _Job, found: Sequence[str | None]) -> tuple[str, ...]:
        """The parts that a container must have; one that is chunked again from its elements keeps its own."""
        assert job.partition is not None
        if job.stored is not None and not job.partition.members:
            return job.stored.members
        return tuple(name for name in found if name)

    def _members_of(self, job: _Job) -> tuple[list[Source], list[str]]:
        """The parts of a container as sources of their own, and warnings for those that are not read."""
        assert job.partition is not None
        found: list[Source] = []
        warnings: list[str] = []
        for name, data in job.partition.members:
            try:
                kind = sniff_bytes(data, name)
            except SourceError as exc:
                warnings.append(f"{name}: {_state_of(exc)}, {exc.reason}")
                continue
            identity = hashlib.sha256("\x1f".join((job.source.id, name)).encode() + data).hexdigest()
            path = self.library.put_member(identity, kind, data)
            found.append(
                Source(id=identity, path=path, format=kind, size=len(data), parent_id=job.source.id, member=name)
            )
        return found, warnings

    def _attach(self, job: _Job, fresh: SourceRecord | None = None) -> None:
        """Bind a path to its stored source and report it."""
        record = fresh or job.stored
        assert record is not None
        if self._may_lack(record) and self.models.count_lacking(record):
            self.lacking[record.id] = job.path
        before = self.library.path(job.path)
        state: State = "partial" if _lost_pages(record.warnings) else "ingested"
        self._put_path(
            PathRecord(
                path=job.path,
                source_id=record.id,
                state=state,
                reason=None,
                size=job.source.size,
                mtime_ns=job.mtime_ns,
            ),
            job.roots,
        )
        known = job.source.parent_id is not None or (before is not None and before.source_id == record.id)
        unchanged = fresh is None and known
        self.results.append(
            SourceResult(
                path=self.library.shown(job.path),
                state="unchanged" if unchanged else state,
                pages=record.pages,
                elements=record.elements,
                chunks=record.chunks,
                warnings=record.warnings,
                seconds=round(time.perf_counter() - job.started, 3),
            )
        )

    def _may_lack(self, record: SourceRecord) -> bool:
        """Whether a source has anything that a model might describe; only then is one looked for."""
        has_pictures = self.options.partition.images in ("auto", "llava") and record.elements.get("Image")
        return bool(has_pictures or (self.options.tables == "summarized" and record.elements.get("Table")))

    def _put_path(self, record: PathRecord, roots: Sequence[str]) -> None:
        for root in roots:
            self.library.put_path(record, root)

    def _put_problem(self, job: _Job, state: State, reason: str | None, *, is_final: bool = True) -> None:
        """Record a path whose bytes gave no source. What other bytes gave before is given up, what these gave stays."""
        kept = job.stored is not None
        reason = f"{reason}; its earlier content was kept" if kept else reason
        record = PathRecord(
            path=job.path,
            source_id=job.source.id if kept else None,
            state=state,
            reason=reason,
            size=job.source.size,
            mtime_ns=None,
            failed_key=self._failed_key(job.source) if is_final and not kept else None,
        )
        self._put_path(record, job.roots)
        if job.source.parent_id is not None:
            self.library.add_warning(job.source.parent_id, f"{job.source.member}: {state}, {reason}")
        self.results.append(SourceResult(path=self.library.shown(job.path), state=state, reason=reason))

    def _put_unidentified(self, path: str, roots: Sequence[str], error: SourceError) -> None:
        """Record a path whose bytes are unknown or not to be read; a file that cannot be opened keeps its source."""
        before = self.library.path(path)
        keeps = before is not None and not isinstance(error, (BrokenError, UnsupportedError))
        source_id = before.source_id if before and keeps else None
        reason = error.reason + ("; its earlier content was kept" if source_id else "")
        record = PathRecord(
            path=path, source_id=source_id, state=_state_of(error), reason=reason, size=None, mtime_ns=None
        )
        self._put_path(record, roots)
        self.results.append(SourceResult(path=self.library.shown(path), state=record.state, reason=reason))

    def _update_index(self) -> None:
        self._report("indexing", "")
        update_index(self.library, server_of(self.settings, self.library.identify()))
        self.unindexed = 0


def _engine(settings: Settings, library: Library) -> Engine:
    """What runs the heavy tasks.

    Raises:
        UsageError: there is no engine of the name, or the cluster cannot be used.
    """
    if settings.engine == "ray":
        from ingest.ray_engine import RayEngine

        return RayEngine(settings.ray_address, jobs=settings.jobs, requests=settings.request_count)
    return WorkerPool(settings.worker_count, scratch=library.scratch, requests=settings.request_count)


def _state_of(error: SourceError) -> State:
    return "skipped" if isinstance(error, UnsupportedError) else "failed"


def _member_job(parent: _Job, source: Source) -> _Job:
    """The job of a container's part; it comes and goes with the container's path."""
    return _Job(path=f"{parent.path}!/{source.member}", roots=(), source=source, mtime_ns=parent.mtime_ns)


def _lost_pages(warnings: Sequence[str]) -> bool:
    """Whether warnings say that pages were lost or came out empty."""
    return any("could not be read" in w or w.endswith("found no text") for w in warnings)


def _embedder_name(library: Library, settings: Settings, given: Embedder | None) -> str:
    """The embedder to use: the given object, the setting, the library's own, or the default.

    Raises:
        EmbedderMismatchError: the library holds another embedder's vectors.
    """
    stored = library.embedder
    name = given.name if given else _wanted_embedder(stored, settings.embedder)
    if stored is not None and stored.name != name:
        library.claim_embedder(name, given.dimension if given else load_embedder(name, settings).dimension)
    return name


def _wanted_embedder(stored: EmbedderRecord | None, named: str | None) -> str:
    """The name of the embedder that was asked for, the library's own, or the default.

    Raises:
        UsageError: there is none of the name that was asked for.
    """
    return embedder_name(named) if named else stored.name if stored else DEFAULT_EMBEDDER


@lru_cache(maxsize=2)
def _loaded(name: str, settings: Settings) -> Embedder:
    return load_embedder(name, settings)


def embed_texts(name: str, settings: Settings, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts in a worker, with the embedder loaded once a process."""
    return _loaded(name, settings).embed(texts)


def submit_embedding(pool: Engine, name: str, settings: Settings, texts: Sequence[str]) -> Future[NDArray[np.float32]]:
    """Have texts embedded; the future has a matrix of (texts, dimension)."""
    network = asks_server(name)
    return pool.submit(embed_texts, name, settings, texts, timeout=TASK_SECONDS, network=network)


def reindex(library: Library, settings: Settings, name: str | None = None) -> EmbedderRecord:
    """Rebuild all vectors, with another embedder when named, and Chroma's copy of them.

    Raises:
        LibraryError: the library is locked.
        ModelError: the embedder cannot be loaded.
    """
    with library.writing(), WorkerPool(settings.worker_count, scratch=library.scratch) as pool:
        wanted = _wanted_embedder(library.embedder, name or settings.embedder)
        texts = list(library.vector_texts())
        renamed: dict[str, tuple[str, bytes]] = {}
        batches = [texts[i : i + EMBED_BATCH] for i in range(0, len(texts), EMBED_BATCH)]
        futures = [submit_embedding(pool, wanted, settings, [text for _, text in batch]) for batch in batches]
        width = 0
        for batch, future in zip(batches, futures, strict=True):
            matrix = result_of(future)
            width = matrix.shape[1]
            for (old, text), row in zip(batch, matrix, strict=True):
                renamed[old] = (text_hash(text, wanted), row.astype("<f4").tobytes())
        record = EmbedderRecord(name=wanted, dimension=width or load_embedder(wanted, settings).dimension)
        library.replace_embeddings(record, renamed)
        server = server_of(settings, library.identify())
        drop_index(library, server)
        update_index(library, server)
    return record


def remove(
    library: Library,
    paths: Iterable[str | Path],
    *,
    keep_summaries: bool = False,
    settings: Settings | None = None,
) -> list[SourceResult]:
    """Take paths, or all paths under folders, out of the library; nothing of them stays in its folder.

    With ``keep_summaries`` what was said of pictures and tables, and read in them, stays for re-use.
    """
    results: list[SourceResult] = []
    with library.writing():
        for given in paths:
            gone = library.drop_paths(_known_under(library, given))
            results += [
                SourceResult(path=library.shown(path), state="removed", reason="removed on request") for path in gone
            ]
            if not gone:
                whole = str(given).partition("!/")[0]
                reason = "not in this library" if whole == str(given) else f"a part of {whole}: remove that"
                results.append(SourceResult(path=str(given), state="failed", reason=reason))
        library.sweep(keep_summaries=keep_summaries)
        update_index(library, server_of(settings or read_settings(), library.identify()))
    return results


def _known_under(library: Library, given: str | Path) -> list[str]:
    """The known paths that are meant by a path, or by one as ``status`` shows it."""
    if is_url(given):
        url = normal_url(str(given))
        below = url.rstrip("/") + "/"
        return [p for p in library.paths() if p == url or p.startswith(below)] or list(library.paths(url))
    wanted = roots_of([given])[0]
    return [p for p in library.paths() if Path(p).is_relative_to(wanted) or library.shown(p) == str(given)]


def library_status(library: Library) -> list[SourceResult]:
    """How each known path stands now, and under a container's each of its parts."""
    sources = {record.id: record for record in library.sources()}
    parts: dict[str | None, list[SourceRecord]] = {}
    for part in sources.values():
        parts.setdefault(part.parent_id, []).append(part)
    results: list[SourceResult] = []
    for known in library.paths().values():
        record = sources.get(known.source_id or "")
        shown = library.shown(known.path)
        results.append(_standing(shown, known.state, record, known.reason))
        results += _parts_standing(shown, record, parts) if record else []
    return results


def _parts_standing(
    path: str, record: SourceRecord, parts: Mapping[str | None, list[SourceRecord]]
) -> Iterator[SourceResult]:
    for part in parts.get(record.id, ()):
        shown = f"{path}!/{part.member}"
        yield _standing(shown, "partial" if _lost_pages(part.warnings) else "ingested", part)
        yield from _parts_standing(shown, part, parts)


def _standing(path: str, state: State, record: SourceRecord | None, reason: str | None = None) -> SourceResult:
    if record is None:
        return SourceResult(path=path, state=state, reason=reason)
    return SourceResult(
        path=path,
        state=state,
        reason=reason,
        pages=record.pages,
        elements=record.elements,
        chunks=record.chunks,
        warnings=record.warnings,
        seconds=record.seconds,
    )


def partition_many(
    paths: Sequence[Path], settings: Settings, options: PartitionOptions
) -> Iterator[tuple[Path, Partition | SourceError]]:
    """Partition files in the workers, in the order given; a file that cannot be read yields its error."""
    folder = find_library(settings.library)
    options = _with_cloud(options, settings, folder if (folder / DATABASE).is_file() else None)
    sources: list[Source | SourceError] = []
    for path in paths:
        try:
            sources.append(identify(str(path.expanduser()), max_bytes=settings.max_file_mb * 2**20))
        except SourceError as exc:
            sources.append(exc)
    with WorkerPool(settings.worker_count) as pool:
        read = read_many(pool, (s for s in sources if isinstance(s, Source)), options)
        for path, source in zip(paths, sources, strict=True):
            yield path, source if isinstance(source, SourceError) else next(read)
