"""The multi-vector retriever: candidates by words, pages, names and vectors, ranked together, each chunk once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.embed import Embedder, load_embedder, question_vector
from ingest.errors import LibraryError
from ingest.library import EmbedderRecord, Library
from ingest.library_index import SERVER, ChromaServer, Seal, damage_of, server_of, stamp_of
from ingest.library_languages import in_english, may_be_in, stems_of
from ingest.library_search import PlaceHit, rarest
from ingest.library_words import word_hash
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library, read_settings
from ingest.types import Hit, Kind
from ingest.urls import is_url
from retrievers.comparison import ABREAST, compared, in_turn, sides_of, with_sides
from retrievers.language import kin, match_query
from retrievers.query import Filters, Query, name_parts, naming, read_dates, read_query, said_names, selects
from retrievers.ranking import PHYSICAL, Findings, Ranked, rank
from retrievers.rerank import RERANKED, Reranker, load_reranker, reorder
from retrievers.wording import rarities, word_scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingest.vectors import ChromaIndex, ExactIndex, Found

log = logging.getLogger(__name__)

CANDIDATES = 75
"""Chunks that the dense side proposes."""
KEYWORD_DEPTH = 200
"""Chunks that the keyword side proposes."""
KEYWORD_CHUNKS = 2_000
"""Chunks that have the words by which it does so, about."""
PLACES_DEPTH = 100
"""Pages whose chunks are looked at; twice as many changed no place among the first ten."""
LINES_DEPTH = 60
"""Pages that are looked at for the lines that a figure is computed from."""
NAMED_SOURCES = 6
"""Documents named by a question that are searched by themselves, so that a large library does not crowd them out."""
PAGED_SOURCES = 50
"""Documents in which a page that the question names by its number is looked up."""
COUNTED = 10_000
"""Words whose frequencies are kept: common ones, which take longest to count, stand in many questions."""
EXACT_LIMIT = 50_000
"""Up to so many vectors a scan of all of them is as fast as starting Chroma, and exact."""
OPEN_SECONDS = 10.0
"""Seconds that Chroma may take to open its index, and another one for each ``EXACT_LIMIT`` vectors."""


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
        reranker: Reranker | None = None,
        rerank: bool = False,
    ) -> None:
        """``library`` is an open library or its folder; else it is found as the command line does.

        Up to ``exact_limit`` vectors are all compared; above that Chroma's index finds the nearest. With ``rerank``
        the best hits are read again, by ``reranker`` or the packaged one, unless a retrieval says otherwise.

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
        self.rerank = rerank
        self._reranker = reranker
        self._packaged: Reranker | None = None
        self._names: tuple[int, Mapping[str, Collection[str]], int] | None = None
        self._counted: tuple[int, dict[str, int]] = (-1, {})
        self._spoken: tuple[int, list[str]] = (-1, [])
        self._vectors = _Vectors(library, exact_limit, server_of(self.settings, library.identity))
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

    def retrieve(
        self,
        question: str,
        k: int = 8,
        *,
        doc: str | None = None,
        kind: Kind | None = None,
        filters: Filters | None = None,
        rerank: bool | None = None,
    ) -> list[Hit]:
        """The ``k`` best hits, best first; ``doc`` is a glob over file names and paths.

        ``filters`` has more conditions, to which ``doc`` and ``kind`` are added. ``rerank`` reads the best hits again
        with the reranker (``None``: as the retriever was made); then ``score`` is how likely a hit answers, else a
        share of what a hit that every side of the search finds best would have.

        Raises:
            UsageError: the filters' date is none.
        """
        query, filters = read_query(question), filters or Filters()
        filters = replace(filters, doc=doc or filters.doc, kind=kind or filters.kind)
        reranker = self._reranker_for(query) if (self.rerank if rerank is None else rerank) else None
        with self.library.snapshot():
            sources = self._matching_sources(filters) if filters.by_document else None
            if sources == []:
                return []
            wanted = max(k, RERANKED if reranker else 0)
            ranked, apart = self._ranked(query, wanted, sources, filters)
            best = [[row for row in ranked if row.source_id == source][:ABREAST] for source in apart]
            rows = dict.fromkeys([*ranked[:wanted], *(row for rows in best for row in rows)])
            hits = in_turn(self._hits(list(rows)), apart)[:wanted]
            sides = [] if apart else self._sides(query, sources, filters)
        if reranker is not None:
            hits = in_turn(reorder(reranker, query.asked, hits), apart)
        return with_sides(hits, sides)[:k]

    def _sides(self, query: Query, sources: list[str] | None, filters: Filters) -> list[Hit]:
        """The best hit for each side of a comparison."""
        each = [self._ranked(read_query(side), 1, sources, filters)[0][:1] for side in sides_of(query.asked)]
        return self._hits([row for rows in each for row in rows])

    def _reranker_for(self, query: Query) -> Reranker | None:
        """The reranker; none where there is only the packaged one, which reads English alone, for other questions."""
        with self._loading:
            if self._reranker is None:
                if not in_english(query.asked):
                    return None
                self._packaged = self._packaged or load_reranker()
            return self._reranker or self._packaged

    def _ranked(
        self, query: Query, k: int, sources: list[str] | None, filters: Filters
    ) -> tuple[list[Ranked], list[str]]:
        """The ranked chunks that the filters let pass, and the sources that the question compares.

        Of a kind that few have, the best may stand far down.
        """
        vector = question_vector(self.embedder, query.asked) if self.library.embedder else None
        depth, all_pass = max(CANDIDATES, k * 3), filters.kind is None and filters.title is None
        while True:
            found, apart = self._found(query, vector, depth, sources)
            ranked = self._passing(found, filters)
            # The vectors are counted last: that takes as long as there are many.
            if len(ranked) >= k or all_pass or depth >= self.library.vector_count():
                return ranked, apart
            depth *= 8

    def _passing(self, ranked: list[Ranked], filters: Filters) -> list[Ranked]:
        ranked = [row for row in ranked if filters.kind in (None, row.kind)]
        if filters.title is None:
            return ranked
        wanted, chunks = filters.title.casefold(), self.library.chunks([row.key for row in ranked])
        return [row for row in ranked if any(wanted in title.casefold() for title in chunks[row.key].title_path)]

    def _found(
        self, query: Query, vector: NDArray[np.float32] | None, depth: int, sources: list[str] | None
    ) -> tuple[list[Ranked], list[str]]:
        said = self._said_names(query, sources)
        named = naming(said, self._file_names()[1] if sources is None else len(sources))
        apart = sorted(named, key=lambda source: (-named[source], source))[:NAMED_SOURCES]
        places = self.library.places
        frequencies = self._frequencies(query)
        found_places = places.search(frequencies, max(PLACES_DEPTH, depth), sources)
        if apart:
            both = [*found_places, *places.search(frequencies, PLACES_DEPTH, apart)]
            found_places = list({place.key: place for place in both}.values())
        asked = self._asked_pages(query, sources or apart or _first_sources(found_places))
        lines = places.search(places.frequencies(query.lines), LINES_DEPTH, sources or apart or None)
        dense = self._dense(vector, depth, sources) if vector is not None else {}
        proposed = self._proposed(frequencies, max(KEYWORD_DEPTH, depth), sources, apart)
        keys = {*dense, *proposed, *places.keys_in([*found_places, *lines, *places.of_pages(asked)])}
        outlines = places.outlines(keys)
        words = word_scores(rarities(frequencies, places.chunk_count()), outlines) if places.exist() else proposed
        found = Findings(keywords=words, dense=dense, places=found_places, lines=lines, named=named, asked_pages=asked)
        return rank(found, outlines), compared(query, said)

    def _proposed(
        self, frequencies: Mapping[str, int], depth: int, sources: list[str] | None, apart: Sequence[str]
    ) -> dict[int, float]:
        """Chunks with the rarer words, which may stand in places too large to be read whole, and their scores."""
        match = match_query(rarest(frequencies, KEYWORD_CHUNKS)[0])
        if not match:
            return {}
        found = dict(self.library.keyword_search(match, depth, sources))
        return found | (dict(self.library.keyword_search(match, depth, apart)) if apart else {})

    def _frequencies(self, query: Query) -> dict[str, int]:
        """In how many chunks each word of a question stands; counted once while the library does not change."""
        generation = self.library.generation
        if self._counted[0] != generation or len(self._counted[1]) > COUNTED:
            self._counted = (generation, {})
        known, places = self._counted[1], self.library.places
        languages = may_be_in(query.asked, self._languages())
        foreign = [form for term in query.terms for form in stems_of(term, languages)]
        terms = list(dict.fromkeys((*query.terms, *kin(query.terms), *foreign)))
        new = [term for term in terms if term not in known]
        known |= (counted := places.chunk_frequencies(new))
        # Stems in other languages and words without spaces stand in places alone.
        known |= places.frequencies(term for term in new if term not in counted)
        return {term: known[term] for term in terms if known.get(term)}

    def _languages(self) -> list[str]:
        """The languages other than English in the library, read anew when it has changed."""
        if self._spoken[0] != self.library.generation:
            self._spoken = (self.library.generation, self.library.places.languages())
        return self._spoken[1]

    def _said_names(self, query: Query, sources: list[str] | None) -> dict[str, dict[str, float]]:
        """The words of a question that name each source; none where only one may answer."""
        names, total = self._file_names()
        if (total if sources is None else len(sources)) < 2:
            return {}
        own = self.library.places.named([word_hash(mark) for mark in query.marks])
        said = said_names(query, names, own)
        return said if sources is None else {source: said[source] for source in sources if source in said}

    def _file_names(self) -> tuple[Mapping[str, Collection[str]], int]:
        """The sources by the words of their files' names, and their number; read anew when the library has changed."""
        generation = self.library.generation
        known = self._names
        if known is None or known[0] != generation:
            names: dict[str, set[str]] = {}
            documents = self.library.documents()
            for source_id, path in documents:
                for word in name_parts(doc_name(path)):
                    names.setdefault(word, set()).add(source_id)
            self._names = known = (generation, names, len({source for source, _ in documents}))
        return known[1], known[2]

    def _asked_pages(self, query: Query, sources: Sequence[str]) -> dict[tuple[str, int], float]:
        """The pages that the question names by number, in these sources: as printed, or as counted."""
        if not (query.pages or query.from_end) or not sources:
            return {}
        last = self.library.places.last_pages(sources)
        wanted = {(s, page): PHYSICAL for s in last for page in query.pages if page <= last[s]}
        wanted |= {(s, last[s] + 1 - back): 1.0 for s in last for back in query.from_end if back <= last[s]}
        return wanted | dict.fromkeys(self.library.places.labelled(query.pages, sources), 1.0)

    def _hits(self, ranked: Sequence[Ranked]) -> list[Hit]:
        paths = self.library.paths_of(row.source_id for row in ranked)
        chunks = self.library.chunks([row.key for row in ranked])
        return [
            Hit(
                chunk=chunks[row.key],
                doc=doc_name(paths[row.source_id]),
                path=self.library.shown(paths[row.source_id]),
                score=round(row.score, 4),
                matched=row.matched,
            )
            for row in ranked
            if row.source_id in paths and row.key in chunks
        ]

    def _matching_sources(self, filters: Filters) -> list[str]:
        """The sources that a path of theirs lets pass."""
        changed = read_dates(filters.date) if filters.date is not None else None
        times = {r.path: r.mtime_ns for r in self.library.paths().values()} if changed else {}
        found: dict[str, None] = {}
        for source_id, path in self.library.documents():
            shown = self.library.shown(path)
            if filters.doc is not None and not selects(filters.doc, (doc_name(path), Path(path).name, shown)):
                continue
            if filters.path is not None and not selects(filters.path, (shown, path)):
                continue
            if changed is not None:
                time = (times.get(path.partition("!/")[0]) or 0) / 1e9
                if not changed[0] <= time < changed[1]:
                    continue
            found[source_id] = None
        return list(found)

    def _dense(self, query: NDArray[np.float32], depth: int, sources: list[str] | None) -> dict[int, tuple[str, float]]:
        """(vector name, similarity) of the nearest chunks, each with its best vector."""
        found = self._vectors.search(query, depth * 2, sources)
        owners = self.library.vector_owners([vector for vector, _ in found])
        best: dict[int, tuple[str, float]] = {}
        for vector, similarity in found:
            if vector in owners:
                key, name = owners[vector]
                best.setdefault(key, (name, similarity))
        return dict(list(best.items())[:depth])


class _Vectors:
    """The nearest vectors of a library's present state: compared with all, or by Chroma where they are too many.

    What Chroma lacks (sources not yet indexed) is compared exactly; what it has too much is counted, so that as
    many more are asked for: the caller drops those that no chunk owns.
    """

    def __init__(self, library: Library, exact_limit: int, server: ChromaServer | None) -> None:
        self._library, self._exact_limit, self._server = library, exact_limit, server
        self._lock = threading.Lock()
        self._generation = -1
        self._exact: ExactIndex | None = None
        self._chroma: ChromaIndex | None = None
        self._seal: Seal = {}
        self._stamp: tuple[int, ...] = ()
        self._surplus = 0
        self._told = False

    def search(self, query: NDArray[np.float32], k: int, sources: Sequence[str] | None) -> Found:
        """The ``k`` nearest vectors, of these sources alone if any are named; some may be of no chunk any more."""
        with self._lock:
            exact = self._current()
            if self._chroma is not None:
                if sources is not None:
                    return self._within(query, k, sources)
                # Under the lock: no other thread may close an index that is being searched.
                try:
                    return self._joined(exact, self._chroma, query, k)
                except LibraryError as exc:
                    exact = self._all(exc)
        return exact.search(query, k, None if sources is None else self._library.vector_ids(sources))

    def _within(self, query: NDArray[np.float32], k: int, sources: Sequence[str]) -> Found:
        """The nearest vectors of some sources, which are read: Chroma would be asked for each vector by its name."""
        from ingest.vectors import ExactIndex

        return ExactIndex(*self._library.matrix(source_ids=sources)).search(query, k)

    def _joined(self, fresh: ExactIndex, chroma: ChromaIndex, query: NDArray[np.float32], k: int) -> Found:
        from ingest.vectors import TIE_DIGITS

        wanted = k + self._surplus
        found = dict(chroma.search(query, wanted)) | dict(fresh.search(query, k))
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
                self._open_chroma(stored, seal)
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
        place = self._server or self._library.chroma_folder
        if not seal:
            damage: str | None = "is being made, or making it was not finished"
        elif self._server is not None:
            damage = None if SERVER in seal else "was elsewhere before"
        else:
            damage = damage_of(self._library.chroma_folder, seal)
        if damage is not None:
            raise LibraryError(f"the search index in {place}: {damage}; the next `pincite ingest` makes it anew")

    def _open_chroma(self, stored: EmbedderRecord, seal: Seal) -> None:
        from ingest.vectors import open_within

        self._release()
        seconds = OPEN_SECONDS + self._library.vector_count() / EXACT_LIMIT
        self._chroma = open_within(seconds, self._server or self._library.chroma_folder, stored.dimension)
        if self._server is not None and self._chroma.stamp() != (seal[SERVER].digest, seal[SERVER].size):
            raise LibraryError(f"the search index in {self._server} is not what was written there")

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


def _first_sources(places: Sequence[PlaceHit]) -> list[str]:
    return list(dict.fromkeys(place.source_id for place in places))[:PAGED_SOURCES]


def doc_name(path: str) -> str:
    """The name that users know a document by: its file name, for a part of a container with the container's.

    A web page is known by its address, less the scheme.
    """
    if is_url(path):
        return path.partition("://")[2].rstrip("/")
    container, mark, member = path.partition("!/")
    return Path(container).name + mark + member
