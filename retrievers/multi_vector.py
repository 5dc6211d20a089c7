"""The multi-vector retriever: dense and keyword candidates, fused by reciprocal rank, parents returned once."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.embed import Embedder, load_embedder
from ingest.library import Library
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library, read_settings
from ingest.types import Chunk, Hit, Kind
from retrievers.language import content_terms, match_query

if TYPE_CHECKING:
    from ingest.vectors import VectorIndex

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""
CANDIDATES = 60
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
    ) -> None:
        """``library`` is an open library or its folder; else it is found as the command line does.

        Raises:
            LibraryMissingError: there is no library.
            EmbedderMismatchError: ``embedder`` is not the one that made the library's vectors.
        """
        self.settings = settings or read_settings()
        if not isinstance(library, Library):
            library = Library(find_library(Path(library) if library else self.settings.library))
        self.library = library
        self._embedder = embedder
        self._lock = threading.Lock()
        self._index: VectorIndex | None = None
        self._generation = -1
        if embedder is not None:
            self._check(embedder)

    @property
    def embedder(self) -> Embedder:
        """The embedder that made the library's vectors, loaded at first use."""
        with self._lock:
            if self._embedder is None:
                stored = self.library.embedder
                name = self.settings.embedder or (stored.name if stored else DEFAULT_EMBEDDER)
                embedder = load_embedder(name, self.settings)
                self._check(embedder)
                self._embedder = embedder
            return self._embedder

    def _check(self, embedder: Embedder) -> None:
        stored = self.library.embedder
        if stored is not None and stored.name != embedder.name:
            self.library.claim_embedder(embedder.name, embedder.dimension)

    def retrieve(self, question: str, k: int = 8, *, doc: str | None = None, kind: Kind | None = None) -> list[Hit]:
        """The ``k`` best hits, best first; ``doc`` is a glob over file names and paths."""
        sources = self._matching_sources(doc) if doc else None
        if sources == []:
            return []
        depth = max(CANDIDATES, k * 3) * (4 if kind else 1)
        with self.library.snapshot():
            dense = self._dense(question, depth, sources)
            keyword = self._keyword(question, depth, sources)
            fused = _fuse(dense, keyword)
            chunks = self.library.chunks([key for key, _, _ in fused])
            ranked = [(chunks[key], s, m) for key, s, m in fused if key in chunks and kind in (None, chunks[key].kind)]
            return self._hits(ranked[:k])

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
        paths = self.library.paths_of(source.id for source in self.library.sources())
        return [
            source_id
            for source_id, path in paths.items()
            if any(
                fnmatch.fnmatchcase(name, pattern)
                for name in (doc_name(path), Path(path).name, self.library.shown(path))
            )
        ]

    def _dense(self, question: str, depth: int, sources: list[str] | None) -> list[tuple[int, str]]:
        """(chunk key, vector name) by falling similarity, each chunk once with its best vector."""
        if self.library.embedder is None:
            return []
        query = self.embedder.embed([question])[0]
        allowed = None
        if sources is not None:
            allowed = {int(i) for i in self.library.matrix(source_ids=sources)[0]}
        found = self._current_index().search(query, depth * 2, allowed)
        owners = self.library.vector_owners([vector for vector, _ in found])
        best: dict[int, str] = {}
        for vector, _ in found:
            if vector in owners:
                key, name = owners[vector]
                best.setdefault(key, name)
        return list(best.items())[:depth]

    def _current_index(self) -> VectorIndex:
        """The index over the library's present state, rebuilt when its generation has changed."""
        from ingest.vectors import ExactIndex

        generation = self.library.generation
        with self._lock:
            if self._index is None or generation != self._generation:
                self._index = ExactIndex(*self.library.matrix())
                self._generation = generation
            return self._index

    def _keyword(self, question: str, depth: int, sources: list[str] | None) -> list[tuple[int, str]]:
        match = match_query(content_terms(question))
        if not match:
            return []
        return [(key, "keywords") for key, _ in self.library.keyword_search(match, depth, sources)]


def _fuse(dense: Sequence[tuple[int, str]], keyword: Sequence[tuple[int, str]]) -> list[tuple[int, float, str]]:
    """(chunk key, score from 0 to 1, what matched) of both rankings by reciprocal rank."""
    scores: dict[int, float] = {}
    matched: dict[int, str] = {}
    for ranking in (dense, keyword):
        for rank, (key, name) in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (RRF_K + rank)
            matched.setdefault(key, name)
    best = 2 / (RRF_K + 1)
    return sorted(((key, s / best, matched[key]) for key, s in scores.items()), key=lambda row: (-row[1], row[0]))


def doc_name(path: str) -> str:
    """The name that users know a document by: its file name, for a part of a container with the container's."""
    container, mark, member = path.partition("!/")
    return Path(container).name + mark + member
