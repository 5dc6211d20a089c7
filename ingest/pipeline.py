"""The stages joined: roots to sources, sources through the workers, results into the library, one result a path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ingest.discover import identify, roots_of
from ingest.embed import Embedder, load_embedder, text_hash
from ingest.errors import SourceError, UsageError
from ingest.indexing import drop_index, update_index
from ingest.library import EmbedderRecord, Library, SourceRecord
from ingest.library_index import server_of
from ingest.library_schema import DATABASE
from ingest.partition import PartitionOptions
from ingest.pipeline_embedding import chosen_embedder, in_batches, submit_embedding, wanted_embedder
from ingest.pipeline_jobs import Progress, Setup, Tally, lost_pages, result_of_record
from ingest.pipeline_options import IngestOptions, check_versions, with_cloud
from ingest.pipeline_run import Run
from ingest.reading import read_many
from ingest.remote import is_address, normal_address
from ingest.rows import shown_path
from ingest.settings import Settings, find_library, read_settings
from ingest.types import Partition, Source, SourceResult, State
from ingest.urls import unsigned
from ingest.workers import Engine, WorkerPool, result_of

__all__ = ["IngestOptions", "Progress", "ingest", "library_status", "partition_many", "reindex", "remove"]


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
    addresses = _addresses_of(given_roots)
    roots: list[Path | str] = [*roots_of(p for p in given_roots if not is_address(p)), *addresses]
    if not roots:
        raise UsageError("nothing to ingest: name a file or a folder")
    options = options or IngestOptions()
    options = replace(options, partition=with_cloud(options.partition, settings, folder))
    if not (folder / DATABASE).is_file() and not any(isinstance(root, str) or root.exists() for root in roots):
        shown = (shown_path(os.path.relpath(root, folder.parent)) for root in roots)
        yield from (SourceResult(path=path, state="failed", reason="no such file or folder") for path in shown)
        return
    with (
        Library(folder, create=True) as opened,
        opened.writing(wait=-1 if options.wait else 0),
        closing(_engine(settings, opened)) as pool,
    ):
        setup = Setup(
            library=opened,
            options=options,
            settings=settings,
            pool=pool,
            tally=Tally(on_progress or (lambda _: None)),
            embedder=embedder,
            embedder_name=chosen_embedder(opened, settings, embedder),
            addresses=addresses,
        )
        check_versions(opened)
        yield from Run(setup).sync(roots)


def _addresses_of(paths: Iterable[str | Path]) -> dict[str, str]:
    """The addresses among arguments, each once in one spelling, and each as it was given: with its signature."""
    given = [normal_address(str(path)) for path in paths if is_address(path)]
    return {unsigned(address): address for address in given}


def _engine(settings: Settings, library: Library) -> Engine:
    """What runs the heavy tasks.

    Raises:
        UsageError: there is no engine of the name, or the cluster cannot be used.
    """
    if settings.engine == "ray":
        from ingest.ray_engine import RayEngine

        return RayEngine(settings.ray_address, jobs=settings.jobs, requests=settings.request_count)
    return WorkerPool(settings.worker_count, scratch=library.scratch, requests=settings.request_count)


def reindex(library: Library, settings: Settings, name: str | None = None) -> EmbedderRecord:
    """Rebuild all vectors, with another embedder when named, and Chroma's copy of them.

    Raises:
        LibraryError: the library is locked.
        ModelError: the embedder cannot be loaded.
    """
    with library.writing(), WorkerPool(settings.worker_count, scratch=library.scratch) as pool:
        wanted = wanted_embedder(library.embedder, name or settings.embedder)
        texts = list(library.vector_texts())
        renamed: dict[str, tuple[str, bytes]] = {}
        batches = in_batches(texts)
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
    if is_address(given):
        url = unsigned(normal_address(str(given)))
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
        yield _standing(shown, "partial" if lost_pages(part.warnings) else "ingested", part)
        yield from _parts_standing(shown, part, parts)


def _standing(path: str, state: State, record: SourceRecord | None, reason: str | None = None) -> SourceResult:
    if record is None:
        return SourceResult(path=path, state=state, reason=reason)
    return result_of_record(path, state, record, reason=reason)


def partition_many(
    paths: Sequence[Path], settings: Settings, options: PartitionOptions
) -> Iterator[tuple[Path, Partition | SourceError]]:
    """Partition files in the workers, in the order given; a file that cannot be read yields its error."""
    folder = find_library(settings.library)
    options = with_cloud(options, settings, folder if (folder / DATABASE).is_file() else None)
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
