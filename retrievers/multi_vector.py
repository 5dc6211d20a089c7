"""The multi-vector retriever: dense and keyword candidates, fused by reciprocal rank, parents returned once."""

from __future__ import annotations

import fnmatch
import logging
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.embed import Embedder, load_embedder
from ingest.errors import LibraryError
from ingest.fetch import is_url
from ingest.library import EmbedderRecord, Library
from ingest.library_index import Seal, damage_of, stamp_of
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library, read_settings
from ingest.types import Chunk, Hit, Kind
from retrievers.language import content_terms, match_query, without_form

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingest.vectors import ChromaIndex, ExactIndex, Found

log = logging.getLogger(__name__)

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""
DENSE_WEIGHT = 0.5
"""Weight of the dense ranking beside the keyword ranking's 1: with static vectors more of it made every measured
ranking worse, and with less the best chunk that shares no word with a question would never come up."""
CANDIDATES = 75
"""Chunks that each side proposes."""
EXACT_LIMIT = 50_000
"""Up to so many vectors a scan of all of them is as fast as starting Chroma, and exact."""


class Retriever(Protocol):
    """The seat of a retriever."""

    def retrieve(self, question: str, k: int = 8, *, doc: str | None = None, kind: Kind | None = None) -> list[Hit]:
        """The ``k`` best hits, best first."""
        ...


class MultiVectorRetriever:
    """Finds chunks by their vectors and by their words. Safe for many threads; notices a changed library."""

    def __init__(
        self,
        library: Library | str | Path | None = None,
        *,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        exact_limit: int = EXACT_LIMIT,
    ) -> None:
        """``library`` is an open library or its folder; else it is found as the command line does.

        Up to ``exact_limit`` vectors are all compared; above that Chroma's index finds the nearest.

        Raises:
            LibraryMissingError: there is no library.
            EmbedderMismatchError: ``embedder`` is not the one that made the library's vectors.
        """
        self.settings = settings or read_settings()
        if not isinstance(library, Library):
            library = Library(find_library(Path(library) if library else self.settings.library))
        self.library = library
        self.exact_limit = exact_limit
        self._given = embedder
        self._loaded: tuple[str, Embedder] | None = None
        self._loading = threading.Lock()
        self._vectors = _Vectors(library, exact_limit)
        if embedder is not None:
            self._check(embedder)

    @property
    def embedder(self) -> Embedder:
        """The embedder that made the library's vectors, loaded at first use and when the library has changed to it.

        Raises:
            EmbedderMismatchError: the one that was given, or is set, did not make the library's vectors.
        """
        with self._loading:
            stored = self.library.embedder
            name = self.settings.embedder or (stored.name if stored else DEFAULT_EMBEDDER)
            if self._given is None and (self._loaded is None or self._loaded[0] != name):
                self._loaded = name, load_embedder(name, self.settings)
            found = self._given or (self._loaded and self._loaded[1])
            assert found is not None
            self._check(found)
            return found

    def _check(self, embedder: Embedder) -> None:
        if self.library.embedder is not None:
            self.library.claim_embedder(embedder.name, embedder.dimension)

    def close(self) -> None:
        """Release Chroma's index; the library stays open. The next retrieval opens it again."""
        self._vectors.close()

    def retrieve(self, question: str, k: int = 8, *, doc: str | None = None, kind: Kind | None = None) -> list[Hit]:
        """The ``k`` best hits, best first; ``doc`` is a glob over file names and paths."""
        question = without_form(question)
        with self.library.snapshot():
            sources = self._matching_sources(doc) if doc else None
            if sources == []:
                return []
            stored = self.library.embedder
            query = self.embedder.embed([question])[0] if stored else None
            total, depth = self.library.vector_count(), max(CANDIDATES, k * 3)
            while True:
                hits = self._hits(self._ranked(question, query, depth, sources, kind))[:k]
                # Of a kind that few chunks have, the best may stand far down.
                if kind is None or len(hits) == k or depth >= total:
                    return hits
                depth *= 8

    def _ranked(
        self,
        question: str,
        query: NDArray[np.float32] | None,
        depth: int,
        sources: list[str] | None,
        kind: Kind | None,
    ) -> list[tuple[Chunk, float, str]]:
        dense = self._dense(query, depth, sources) if query is not None else []
        fused = _fuse(dense, self._keyword(question, depth, sources))
        chunks = self.library.chunks([key for key, _, _ in fused])
        return [(chunks[key], s, m) for key, s, m in fused if key in chunks and kind in (None, chunks[key].kind)]

    def _hits(self, ranked: Sequence[tuple[Chunk, float, str]]) -> list[Hit]:
        paths = self.library.paths_of(chunk.source_id for chunk, _, _ in ranked)
        return [
            Hit(
                chunk=chunk,
                doc=doc_name(paths[chunk.source_id]),
                path=self.library.shown(paths[chunk.source_id]),
                score=round(score, 4),
                matched=matched,
            )
            for chunk, score, matched in ranked
            if chunk.source_id in paths
        ]

    def _matching_sources(self, pattern: str) -> list[str]:
        found = (
            source_id
            for source_id, path in self.library.documents()
            if any(
                name == pattern or fnmatch.fnmatchcase(name, pattern)
                for name in (doc_name(path), Path(path).name, self.library.shown(path))
            )
        )
        return list(dict.fromkeys(found))

    def _dense(self, query: NDArray[np.float32], depth: int, sources: list[str] | None) -> list[tuple[int, str]]:
        """(chunk key, vector name) by falling similarity, each chunk once with its best vector."""
        allowed = None
        if sources is not None:
            allowed = self.library.vector_ids(sources)
        found = self._vectors.search(query, depth * 2, allowed)
        owners = self.library.vector_owners([vector for vector, _ in found])
        best: dict[int, str] = {}
        for vector, _ in found:
            if vector in owners:
                key, name = owners[vector]
                best.setdefault(key, name)
        return list(best.items())[:depth]

    def _keyword(self, question: str, depth: int, sources: list[str] | None) -> list[tuple[int, str]]:
        match = match_query(content_terms(question))
        if not match:
            return []
        return [(key, "keywords") for key, _ in self.library.keyword_search(match, depth, sources)]


class _Vectors:
    """The nearest vectors of a library's present state: compared with all, or by Chroma where they are too many.

    What Chroma lacks (sources not yet indexed) is compared exactly; what it has too much is counted, so that as
    many more are asked for: the caller drops those that no chunk owns.
    """

    def __init__(self, library: Library, exact_limit: int) -> None:
        self._library, self._exact_limit = library, exact_limit
        self._lock = threading.Lock()
        self._generation = -1
        self._exact: ExactIndex | None = None
        self._chroma: ChromaIndex | None = None
        self._seal: Seal = {}
        self._stamp: tuple[int, ...] = ()
        self._surplus = 0
        self._told = False

    def search(self, query: NDArray[np.float32], k: int, allowed: Collection[int] | None) -> Found:
        """The ``k`` nearest vectors, of those ``allowed``; some that no chunk owns any more may be among them."""
        with self._lock:
            exact = self._current()
            if self._chroma is not None:
                # Under the lock: no other thread may close an index that is being searched.
                try:
                    return self._joined(exact, self._chroma, query, k, allowed)
                except LibraryError as exc:
                    exact = self._all(exc)
        return exact.search(query, k, allowed)

    def _joined(
        self,
        fresh: ExactIndex,
        chroma: ChromaIndex,
        query: NDArray[np.float32],
        k: int,
        allowed: Collection[int] | None,
    ) -> Found:
        from ingest.vectors import TIE_DIGITS

        wanted = k + self._surplus
        found = dict(chroma.search(query, wanted, allowed)) | dict(fresh.search(query, k, allowed))
        return sorted(found.items(), key=lambda row: (-round(row[1], TIE_DIGITS), row[0]))[:wanted]

    def _current(self) -> ExactIndex:
        """The exact index: over all vectors, or with Chroma open over those that it lacks."""
        state = self._library.generation, self._library.index_seal()
        touched = self._chroma is not None and self._stamp != self._files_stamp()
        if self._exact is None or touched or state != (self._generation, self._seal):
            stored = self._library.embedder
            many = stored is not None and self._library.vector_count() > self._exact_limit
            self._exact = self._beside_chroma(stored, state[1]) if many and stored else self._without_chroma()
            self._generation, self._seal = state
        return self._exact

    def _beside_chroma(self, stored: EmbedderRecord, seal: Seal) -> ExactIndex:
        """With Chroma's index open: the exact index over the vectors that it lacks."""
        # Before Chroma is opened: what is indexed in between is then found twice, not lost.
        fresh = self._exact_over(dirty_only=True)
        try:
            self._check_files(seal)
            if self._chroma is None or seal != self._seal:
                self._open_chroma(stored)
        except LibraryError as exc:
            return self._all(exc)
        self._stamp, self._told = stamp_of(self._library.chroma_folder, seal), False
        self._surplus = len(self._library.index_work()[1])
        return fresh

    def _check_files(self, seal: Seal) -> None:
        """Make sure that Chroma's files are as the library left them: what else it would make of them is unknown.

        Raises:
            LibraryError: they are not, or are being written.
        """
        folder = self._library.chroma_folder
        damage = damage_of(folder, seal) if seal else "is being made, or making it was not finished"
        if damage is not None:
            raise LibraryError(f"the search index in {folder}: {damage}; the next `pincite ingest` makes it anew")

    def _open_chroma(self, stored: EmbedderRecord) -> None:
        from ingest.vectors import ChromaIndex

        self._release()
        self._chroma = ChromaIndex(self._library.chroma_folder, stored.dimension, create=False)

    def _files_stamp(self) -> tuple[int, ...]:
        return stamp_of(self._library.chroma_folder, self._seal)

    def _all(self, problem: LibraryError) -> ExactIndex:
        """Without Chroma: the exact index over all vectors. Says so once, until Chroma could be opened again."""
        if not self._told:
            log.warning("%s; until then all vectors are compared, which is slower", problem)
        self._told = True
        self._exact = self._without_chroma()
        return self._exact

    def _without_chroma(self) -> ExactIndex:
        self._release()
        return self._exact_over(dirty_only=False)

    def _exact_over(self, *, dirty_only: bool) -> ExactIndex:
        from ingest.vectors import ExactIndex

        return ExactIndex(*self._library.matrix(dirty_only=dirty_only))

    def _release(self) -> None:
        chroma, self._chroma, self._exact = self._chroma, None, None
        if chroma is not None:
            chroma.close()

    def close(self) -> None:
        """Close Chroma's index and forget what is held."""
        with self._lock:
            self._release()


def _fuse(dense: Sequence[tuple[int, str]], keyword: Sequence[tuple[int, str]]) -> list[tuple[int, float, str]]:
    """(chunk key, score from 0 to 1, what matched) of both rankings by weighted reciprocal rank."""
    scores: dict[int, float] = {}
    matched: dict[int, str] = {}
    for weight, ranking in ((DENSE_WEIGHT, dense), (1.0, keyword)):
        for rank, (key, name) in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + weight / (RRF_K + rank)
            matched.setdefault(key, name)
    best = (DENSE_WEIGHT + 1.0) / (RRF_K + 1)
    return sorted(((key, s / best, matched[key]) for key, s in scores.items()), key=lambda row: (-row[1], row[0]))


def doc_name(path: str) -> str:
    """The name that users know a document by: its file name, for a part of a container with the container's.

    A web page is known by its address, less the scheme.
    """
    if is_url(path):
        return path.partition("://")[2].rstrip("/")
    container, mark, member = path.partition("!/")
    return Path(container).name + mark + member
