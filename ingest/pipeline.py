"""The stages joined: roots to sources, sources through the workers, results into the library, one result a path."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.chunk import ChunkOptions, chunk
from ingest.discover import Listing, identify, list_files
from ingest.embed import Embedder, load_embedder, text_hash
from ingest.errors import LibraryError, SourceError, UnsupportedError
from ingest.library import EmbedderRecord, Library, PathRecord, SourceRecord
from ingest.partition import PartitionOptions, count_by_category, partition
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library, read_settings
from ingest.types import Chunk, Partition, Source, SourceResult, State, stable_id
from ingest.workers import WorkerPool, result_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTITION_VERSION = "1"
"""Counts changes of what partitioning gives; sources of another version are read again."""
CHUNK_VERSION = "1"
"""Counts changes of what chunking gives; sources of another version are chunked again from their stored elements."""
EMBED_BATCH = 256
"""Texts in one embedding task."""
TASK_SECONDS = 600.0
"""Seconds that one task may take."""
INDEX_EVERY = 20_000
"""Vectors after which Chroma is brought up to date during a long ingest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What an ingest does beyond its roots."""

    partition: PartitionOptions = field(default_factory=PartitionOptions)
    chunk: ChunkOptions = field(default_factory=ChunkOptions)
    prune: bool = False
    retry_failed: bool = False
    wait: bool = True

    @property
    def partition_key(self) -> str:
        """Changes when partitioning would give something else."""
        return stable_id(PARTITION_VERSION, json.dumps(asdict(self.partition), sort_keys=True))

    @property
    def chunk_key(self) -> str:
        """Changes when chunking would give something else."""
        return stable_id(CHUNK_VERSION, json.dumps(asdict(self.chunk), sort_keys=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an ingest stands: files and pages done, files in all, the stage and path last worked on."""

    stage: str
    path: str = ""
    done: int = 0
    total: int = 0
    pages: int = 0


@dataclass(slots=True, kw_only=True)
class _Job:
    """One path on its way: its source, and what the stages have given so far."""

    path: str
    root: str
    source: Source
    mtime_ns: int
    started: float = field(default_factory=time.perf_counter)
    stored: SourceRecord | None = None
    partition: Partition | None = None
    chunks: list[Chunk] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    embeddings: dict[str, bytes] = field(default_factory=dict)
    waiting: int = 0


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
    roots = list(dict.fromkeys(Path(p).expanduser().absolute() for p in paths))
    options = options or IngestOptions()
    report = on_progress or (lambda _: None)
    with (
        Library(folder, create=True) as opened,
        opened.writing(wait=-1 if options.wait else 0),
        _Run(opened, options, settings, embedder, report) as run,
    ):
        yield from run.sync(roots)


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
        self.pool = WorkerPool(settings.worker_count)
        self.given_embedder = embedder
        self.on_progress = on_progress
        self.futures: dict[Future[Any], tuple[_Job, list[str]]] = {}
        self.results: deque[SourceResult] = deque()
        self.unindexed = 0
        self.files = self.done = self.pages = 0
        self.embedder_name = _embedder_name(library, settings, embedder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    # --- roots ----------------------------------------------------------------------------------

    def sync(self, roots: Sequence[Path]) -> Iterator[SourceResult]:
        """Every result of this run."""
        started = time.time()
        listings: dict[Path, Listing] = {}
        for root in roots:
            problem = self._list(root, listings)
            if problem is not None:
                yield problem
        self.files = sum(len(listing.files) for listing in listings.values())
        states: list[State] = []
        for result in self._work(listings):
            states.append(result.state)
            yield result
        for root, listing in listings.items():
            for result in self._remove_gone(root, listing):
                states.append(result.state)
                yield result
        self.library.sweep()
        self._update_index()
        self.library.put_run(started, {state: states.count(state) for state in set(states)})

    def _list(self, root: Path, listings: dict[Path, Listing]) -> SourceResult | None:
        """List a root; a result when it cannot be, or is suddenly empty, so that nothing of it is removed."""
        known = self.library.paths(str(root))
        try:
            listing = list_files(root, library=self.library.folder)
        except OSError as exc:
            if self.options.prune and isinstance(exc, FileNotFoundError) and known:
                listings[root] = Listing(files=(), unreadable=())
                return None
            return self._root_problem(
                root, "no such file or folder" if isinstance(exc, FileNotFoundError) else str(exc)
            )
        if str(root) in listing.unreadable:
            return self._root_problem(root, "the folder cannot be read; its sources were kept")
        if not listing.files and known and not self.options.prune:
            return self._root_problem(
                root, f"empty, but held {len(known)} sources; nothing was removed (--prune removes them)"
            )
        listings[root] = listing
        return None

    def _root_problem(self, root: Path, reason: str) -> SourceResult:
        return SourceResult(path=self.library.shown(str(root)), state="failed", reason=reason)

    def _remove_gone(self, root: Path, listing: Listing) -> Iterator[SourceResult]:
        kept = set(listing.files)
        gone = [
            path
            for path in self.library.paths(str(root))
            if path not in kept and not any(Path(path).is_relative_to(folder) for folder in listing.unreadable)
        ]
        for path in self.library.drop_paths(gone, str(root)):
            yield SourceResult(path=self.library.shown(path), state="removed", reason="the file is gone")

    # --- files ----------------------------------------------------------------------------------

    def _work(self, listings: dict[Path, Listing]) -> Iterator[SourceResult]:
        todo = ((path, str(root)) for root, listing in listings.items() for path in listing.files)
        in_flight = self.settings.worker_count * 2
        exhausted = False
        while not exhausted or self.futures:
            while not exhausted and len(self.futures) < in_flight:
                item = next(todo, None)
                exhausted = item is None
                if item is not None:
                    self._begin(*item)
                yield from self._finished()
            if self.futures:
                ready, _ = wait(self.futures, return_when=FIRST_COMPLETED)
                for future in ready:
                    self._advance(future)
                yield from self._finished()

    def _finished(self) -> Iterator[SourceResult]:
        while self.results:
            result = self.results.popleft()
            self.done += 1
            self.pages += result.pages or 0
            self._report("done", result.path)
            yield result

    def _report(self, stage: str, path: str) -> None:
        self.on_progress(Progress(stage=stage, path=path, done=self.done, total=self.files, pages=self.pages))

    def _begin(self, path: str, root: str) -> None:
        """Identify a file, and start what its source lacks."""
        self._report("reading", self.library.shown(path))
        try:
            mtime_ns = Path(path).stat().st_mtime_ns
            source = identify(path, max_bytes=self.settings.max_file_mb * 2**20)
        except (SourceError, OSError) as exc:
            self._put_problem(
                path, root, exc if isinstance(exc, SourceError) else SourceError(f"cannot be read: {exc}")
            )
            return
        job = _Job(path=path, root=root, source=source, mtime_ns=mtime_ns)
        if any(other.source.id == source.id for other, _ in self.futures.values()):
            self._drain()
        job.stored = self.library.source(source.id)
        if job.stored and job.stored.partition_key == self.options.partition_key:
            if job.stored.chunk_key == self.options.chunk_key:
                self._attach(job)
                return
            job.partition = self.library.partition(source.id)
            self._chunk(job)
            return
        known = self.library.path(path)
        if known and known.failed_key == self._failed_key(source) and not self.options.retry_failed:
            self._put_problem(path, root, SourceError(f"{known.reason}"), source)
            return
        future = self.pool.submit(partition, source, self.options.partition, timeout=TASK_SECONDS)
        self.futures[future] = (job, [])

    def _failed_key(self, source: Source) -> str:
        return stable_id(source.id, self.options.partition_key)

    def _drain(self) -> None:
        """Finish what is in flight: the same bytes are among it, under another path."""
        while self.futures:
            ready, _ = wait(self.futures, return_when=FIRST_COMPLETED)
            for future in ready:
                self._advance(future)

    def _advance(self, future: Future[Any]) -> None:
        job, texts = self.futures.pop(future)
        try:
            result = result_of(future)
        except SourceError as exc:
            self._put_problem(job.path, job.root, exc, job.source)
            return
        if isinstance(result, Partition):
            job.partition = result
            self._chunk(job)
        else:
            self._take_vectors(job, texts, result)

    # --- stages ---------------------------------------------------------------------------------

    def _chunk(self, job: _Job) -> None:
        """Chunk a partition and start embedding the texts that are new."""
        assert job.partition is not None
        self._report("chunking", self.library.shown(job.path))
        doc = Path(job.path).name
        job.chunks = chunk(job.partition, job.source.id, self.options.chunk, similarity=self._embed_now, doc=doc)
        if not job.chunks and not job.partition.elements:
            reason = "; ".join(job.partition.warnings[:3]) or "no text in it"
            self._put_problem(job.path, job.root, SourceError(f"nothing could be read: {reason}"), job.source)
            return
        texts = list(dict.fromkeys(v.text for c in job.chunks for v in c.vectors))
        job.hashes = {text: text_hash(text, self.embedder_name) for text in texts}
        known = self.library.known_hashes(list(job.hashes.values()))
        missing = [text for text in texts if job.hashes[text] not in known]
        if self.given_embedder is not None:
            self._take_vectors(job, missing, self._embed_now(missing) if missing else None)
            return
        batches = [missing[i : i + EMBED_BATCH] for i in range(0, len(missing), EMBED_BATCH)]
        job.waiting = len(batches)
        for batch in batches:
            future = self.pool.submit(embed_texts, self.embedder_name, self.settings, batch, timeout=TASK_SECONDS)
            self.futures[future] = (job, batch)
        if not batches:
            self._commit(job)

    def _embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.given_embedder is not None:
            return self.given_embedder.embed(texts)
        future = self.pool.submit(embed_texts, self.embedder_name, self.settings, list(texts), timeout=TASK_SECONDS)
        return result_of(future)

    def _take_vectors(self, job: _Job, texts: Sequence[str], matrix: NDArray[np.float32] | None) -> None:
        for text, row in zip(texts, matrix if matrix is not None else (), strict=True):
            job.embeddings[job.hashes[text]] = row.astype("<f4").tobytes()
        job.waiting -= 1
        if job.waiting <= 0:
            self._commit(job)

    def _commit(self, job: _Job) -> None:
        """Write a finished source and tell how it went."""
        assert job.partition is not None
        self._claim_embedder(job)
        stored = job.stored
        record = SourceRecord(
            id=job.source.id,
            format=job.source.format,
            size=job.source.size,
            partition_key=self.options.partition_key,
            chunk_key=self.options.chunk_key,
            pages=len(job.partition.pages) or None,
            elements=count_by_category(job.partition),
            warnings=stored.warnings if stored and not job.partition.warnings else job.partition.warnings,
            seconds=round(time.perf_counter() - job.started, 3),
            parent_id=job.source.parent_id,
            member=job.source.member,
        )
        self.library.put_source(record, job.partition, job.chunks, job.hashes, job.embeddings)
        self.unindexed += sum(len(c.vectors) for c in job.chunks)
        if self.unindexed >= INDEX_EVERY:
            self._update_index()
        self._attach(job, replace(record, chunks=len(job.chunks)))

    def _claim_embedder(self, job: _Job) -> None:
        if self.library.embedder is None and (job.embeddings or job.hashes):
            width = len(next(iter(job.embeddings.values()))) // 4 if job.embeddings else 0
            self.library.claim_embedder(self.embedder_name, width)

    def _attach(self, job: _Job, fresh: SourceRecord | None = None) -> None:
        """Bind a path to its stored source and report it."""
        record = fresh or job.stored
        assert record is not None
        before = self.library.path(job.path)
        state: State = "partial" if _lost_pages(record.warnings) else "ingested"
        self.library.put_path(
            PathRecord(
                path=job.path,
                source_id=record.id,
                state=state,
                reason=None,
                size=job.source.size,
                mtime_ns=job.mtime_ns,
            ),
            job.root,
        )
        unchanged = fresh is None and before is not None and before.source_id == record.id
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

    def _put_problem(self, path: str, root: str, error: SourceError, source: Source | None = None) -> None:
        """Record a path that gave no source; what it held before is given up."""
        state: State = "skipped" if isinstance(error, UnsupportedError) else "failed"
        record = PathRecord(
            path=path,
            source_id=None,
            state=state,
            reason=error.reason,
            size=source.size if source else None,
            mtime_ns=None,
            failed_key=self._failed_key(source) if source else None,
        )
        self.library.put_path(record, root)
        self.results.append(SourceResult(path=self.library.shown(path), state=state, reason=error.reason))

    def _update_index(self) -> None:
        self._report("indexing", "")
        update_index(self.library)
        self.unindexed = 0


def _lost_pages(warnings: Sequence[str]) -> bool:
    """Whether warnings say that pages were lost or came out empty."""
    return any("could not be read" in w or w.endswith("no text layer") for w in warnings)


def _embedder_name(library: Library, settings: Settings, given: Embedder | None) -> str:
    """The embedder to use: the given object, the setting, the library's own, or the default.

    Raises:
        EmbedderMismatchError: the library holds another embedder's vectors.
    """
    stored = library.embedder
    name = given.name if given else settings.embedder or (stored.name if stored else DEFAULT_EMBEDDER)
    if stored is not None and stored.name != name:
        library.claim_embedder(name, given.dimension if given else load_embedder(name, settings).dimension)
    return name


@lru_cache(maxsize=2)
def _loaded(name: str, settings: Settings) -> Embedder:
    return load_embedder(name, settings)


def embed_texts(name: str, settings: Settings, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts in a worker, with the embedder loaded once a process."""
    return _loaded(name, settings).embed(texts)


def update_index(library: Library) -> None:
    """Bring Chroma's copy up to date: upsert new sources' vectors, delete those that are gone."""
    sources, deleted = library.index_work()
    stored = library.embedder
    if not (sources or deleted) or stored is None:
        return
    from ingest.vectors import ChromaIndex

    index = ChromaIndex(library.chroma_folder, stored.dimension)
    try:
        if deleted:
            index.delete(deleted)
        for source_id in sources:
            ids, matrix = library.matrix(source_ids=[source_id])
            if len(ids):
                index.upsert(ids, matrix)
    finally:
        index.close()
    library.mark_indexed(sources, deleted)


def reindex(library: Library, settings: Settings, name: str | None = None) -> EmbedderRecord:
    """Rebuild all vectors, with another embedder when named, and Chroma's copy of them.

    Raises:
        LibraryError: the library is locked.
        ModelError: the embedder cannot be loaded.
    """
    with library.writing(), WorkerPool(settings.worker_count) as pool:
        stored = library.embedder
        wanted = name or settings.embedder or (stored.name if stored else DEFAULT_EMBEDDER)
        texts = list(library.vector_texts())
        renamed: dict[str, tuple[str, bytes]] = {}
        batches = [texts[i : i + EMBED_BATCH] for i in range(0, len(texts), EMBED_BATCH)]
        futures = [
            pool.submit(embed_texts, wanted, settings, [text for _, text in batch], timeout=TASK_SECONDS)
            for batch in batches
        ]
        width = 0
        for batch, future in zip(batches, futures, strict=True):
            matrix = result_of(future)
            width = matrix.shape[1]
            for (old, text), row in zip(batch, matrix, strict=True):
                renamed[old] = (text_hash(text, wanted), row.astype("<f4").tobytes())
        record = EmbedderRecord(name=wanted, dimension=width or load_embedder(wanted, settings).dimension)
        library.replace_embeddings(record, renamed)
        _drop_folder(library.chroma_folder)
        library.mark_all_dirty()
        update_index(library)
    return record


def _drop_folder(folder: Path) -> None:
    import shutil

    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise LibraryError(f"{folder} cannot be removed: {exc.strerror}") from exc


def remove(library: Library, paths: Iterable[str | Path]) -> list[SourceResult]:
    """Take paths, or all paths under folders, out of the library; nothing of them stays in its folder."""
    results: list[SourceResult] = []
    with library.writing():
        known = list(library.paths())
        for given in paths:
            wanted = Path(given).expanduser().absolute()
            under = [p for p in known if Path(p) == wanted or Path(p).is_relative_to(wanted)]
            if not under:
                results.append(
                    SourceResult(path=library.shown(str(wanted)), state="failed", reason="not in this library")
                )
            results += [
                SourceResult(path=library.shown(path), state="removed", reason="removed on request")
                for path in library.drop_paths(under)
            ]
        library.sweep()
        update_index(library)
    return results


def library_status(library: Library) -> list[SourceResult]:
    """How each known path stands now."""
    sources = {record.id: record for record in library.sources()}
    results = []
    for known in library.paths().values():
        record = sources.get(known.source_id or "")
        results.append(
            SourceResult(
                path=library.shown(known.path),
                state=known.state,
                reason=known.reason,
                pages=record.pages if record else None,
                elements=record.elements if record else {},
                chunks=record.chunks if record else 0,
                warnings=record.warnings if record else (),
                seconds=record.seconds if record else 0.0,
            )
        )
    return results


def partition_many(
    paths: Sequence[Path], settings: Settings, options: PartitionOptions
) -> Iterator[tuple[Path, Partition | SourceError]]:
    """Partition files in the workers, in the order given; a file that cannot be read yields its error."""
    with WorkerPool(settings.worker_count) as pool:
        started: list[tuple[Path, Future[Partition] | SourceError]] = []
        for path in paths:
            try:
                source = identify(str(path.expanduser()), max_bytes=settings.max_file_mb * 2**20)
                started.append((path, pool.submit(partition, source, options, timeout=TASK_SECONDS)))
            except SourceError as exc:
                started.append((path, exc))
        for path, found in started:
            if isinstance(found, SourceError):
                yield path, found
                continue
            try:
                yield path, result_of(found)
            except SourceError as exc:
                yield path, exc
