"""Chroma's copy of the vectors is brought up to date, or made anew from the library when it is lost or damaged.

Chroma writes in a process of its own that ends when it has written: an open that hangs or crashes costs that process
alone, and nothing of it writes on after the folder was thrown away. Its files have room for more vectors, filled with
what lies in the memory of the process that wrote them: it must be one that never held a document that left.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.errors import LibraryError, SourceError
from ingest.library import Library
from ingest.library_index import SERVER, ChromaServer, Seal, damage_of, seal_of, seal_of_server
from ingest.workers import WorkerPool, at_border, result_of

log = logging.getLogger(__name__)

REBUILD_LIMIT = 5_000
"""Vectors up to which the copy is made anew when some are replaced: it takes seconds, and what was replaced is gone."""
AT_ONCE = 5_000
"""Vectors that are handed to Chroma at a time, about: it writes its whole graph to disk each time."""
OPEN_SECONDS = 60.0
"""Seconds that Chroma may take to open and close its files."""
VECTORS_A_SECOND = 50
"""Vectors that the slowest machine indexes in a second."""
NUMBERS = 4
"""Times that a vector may lie in memory while it is written."""


def update_index(library: Library, server: ChromaServer | None = None) -> None:
    """Bring Chroma's copy up to date: add the vectors of new sources, take out those that are gone.

    A copy that was lost, changed by others or never finished is made anew. So is one that documents left, as its
    files would keep their vectors, and a small one that vectors were replaced in.

    Raises:
        LibraryError: it cannot be written. All documents are found without it.
    """
    if library.purging_index or _is_lost(library, server) or _is_small_and_stale(library):
        drop_index(library, server)
    try:
        _write(library, server)
    except LibraryError as exc:
        log.warning("%s; it is made anew", exc)
        drop_index(library, server)
        _write(library, server)


def drop_index(library: Library, server: ChromaServer | None = None) -> None:
    """Throw Chroma's copy away; the next update makes it anew.

    Raises:
        LibraryError: its folder cannot be removed, or its server does not answer.
    """
    from ingest.vectors import drop

    library.mark_all_dirty()
    drop(library.chroma_folder)
    if server is not None:
        drop(server)


def _is_lost(library: Library, server: ChromaServer | None) -> bool:
    """Whether there is no sound copy to add to."""
    seal = library.index_seal()
    if not seal:
        return library.chroma_folder.is_dir() or library.vector_count() > 0
    damage = damage_of(library.chroma_folder, seal) if server is None else _damage_on(library, server, seal)
    if damage is not None:
        log.warning("the search index in %s is damaged (%s); it is made anew", server or library.chroma_folder, damage)
    return damage is not None


def _damage_on(library: Library, server: ChromaServer, seal: Seal) -> str | None:
    """What is wrong with the index on a server; ``None`` when it is as it was left.

    Raises:
        LibraryError: the server does not answer: what it holds is not thrown away for that.
    """
    from ingest.vectors import ChromaIndex

    if SERVER not in seal or library.embedder is None:
        return "it was elsewhere before"
    try:
        index = ChromaIndex(server, library.embedder.dimension, create=False)
    except LibraryError as exc:
        if "does not exist" in str(exc):
            return "it is gone"
        raise
    found = index.stamp()
    index.close()
    return None if found == (seal[SERVER].digest, seal[SERVER].size) else "it is not what was written"


def _is_small_and_stale(library: Library) -> bool:
    return bool(library.index_work()[1]) and library.vector_count() <= REBUILD_LIMIT


def _write(library: Library, server: ChromaServer | None) -> None:
    """Have a process of its own write what Chroma's copy lacks, and seal the files that it leaves.

    To a server it is written from here: its client has time limits, and what it runs is not ours.
    """
    sources, deleted = library.index_work()
    if library.embedder is None or not (sources or deleted):
        return
    library.unseal_index()
    count, place = library.vector_count(), server or library.chroma_folder
    stamp = secrets.token_hex(16)
    try:
        extra = NUMBERS * 4 * count * library.embedder.dimension
        with WorkerPool(1, extra=extra, scratch=library.scratch) as pool:
            seconds = OPEN_SECONDS + count / VECTORS_A_SECOND
            task = at_border, write_index, library.folder, sources, deleted, place, stamp
            result_of(pool.submit(*task, timeout=seconds, network=server is not None))
    except SourceError as exc:
        raise LibraryError(f"the search index in {place} could not be written ({exc})") from exc
    sealed = seal_of(library.chroma_folder) if server is None else {SERVER: seal_of_server(stamp, count)}
    library.mark_indexed(sources, deleted, sealed)


def write_index(
    folder: Path, sources: Sequence[str], deleted: Sequence[int], place: Path | ChromaServer, stamp: str
) -> None:
    """Take vectors out of the index of a library's folder and add those of sources; the task of a worker.

    Raises:
        LibraryError: Chroma cannot write them, or does not hold what it was given.
    """
    from ingest.vectors import ChromaIndex

    with Library(folder) as library:
        stored = library.embedder
        assert stored is not None
        index = ChromaIndex(place, stored.dimension)
        try:
            index.delete(deleted)
            for group in _groups(library, sources):
                index.upsert(*library.matrix(source_ids=group))
            held, wanted = index.count(), library.vector_count()
            if not isinstance(place, Path):
                index.put_stamp(stamp)
        finally:
            index.close()
        if held == wanted and isinstance(place, Path):
            held = _count_afresh(place, stored.dimension)
    if held != wanted:
        raise LibraryError(f"it holds {held} of {wanted} vectors")


def _count_afresh(folder: Path, dimension: int) -> int:
    """The vectors that an index holds when it is opened as readers do; one is looked for, which loads the graph.

    Done here, in a process that may hang or crash: readers open only files that were opened so, and are unchanged.
    """
    import numpy as np

    from ingest.vectors import ChromaIndex

    index = ChromaIndex(folder, dimension, create=False)
    try:
        index.search(np.full(dimension, dimension**-0.5, dtype=np.float32), 1)
        return index.count()
    finally:
        index.close()


def _groups(library: Library, sources: Sequence[str]) -> Iterator[list[str]]:
    """Sources in groups of about ``AT_ONCE`` vectors."""
    counts = library.vector_counts(sources)
    group: list[str] = []
    vectors = 0
    for source in sources:
        if group and vectors + counts.get(source, 0) > AT_ONCE:
            yield group
            group, vectors = [], 0
        group.append(source)
        vectors += counts.get(source, 0)
    if group:
        yield group
