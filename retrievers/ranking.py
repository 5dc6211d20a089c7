"""The first ranking: what each side found of a chunk, added up on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.library_search import Outline, PlaceHit

KEYWORDS, PLACES, LINES, NAMED = 1.0, 1.0, 1.0, 1.0
"""Each side counts the same: words found in a chunk, words found on its page, lines of the figure that is asked for
on its page, its document named. Measured apart, none deserved more."""
PAGES = 1.5
"""A page that the question names by its number: it outweighs words that stand on another, but not all of them, as
every document has a page 5."""
DENSE = 0.05
"""Static vectors rank worse than words wherever a question shares a word with its answer: at 0.2 every measure was
lower. They choose between equals, and find what shares no word with a question."""
PHYSICAL = 0.9
"""What the number of a page counts by its place in the file, beside 1 for the number that is printed on it."""


class Ranked(NamedTuple):
    """A chunk's key, its score from 0 to 1, and what matched: the name of its nearest vector, or ``keywords``."""

    key: int
    source_id: str
    kind: str
    score: float
    matched: str


@dataclass(slots=True, kw_only=True)
class Findings:
    """What was found for a question. ``keywords`` and ``dense`` are by chunk key, higher is better.

    ``named`` says how well the question names each source (0 to 1), ``asked_pages`` which pages of which source it
    names and how surely.
    """

    keywords: Mapping[int, float] = field(default_factory=dict)
    dense: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    places: Sequence[PlaceHit] = ()
    lines: Sequence[PlaceHit] = ()
    named: Mapping[str, float] = field(default_factory=dict)
    asked_pages: Mapping[tuple[str, int], float] = field(default_factory=dict)


def rank(found: Findings, chunks: Iterable[Outline]) -> list[Ranked]:
    """The chunks by falling score; equal ones in the order of their keys."""
    places, lines = _shares(found.places), _shares(found.lines)
    best_keyword = max(found.keywords.values(), default=0.0)
    best_dense = max((similarity for _, similarity in found.dense.values()), default=0.0)
    most = (
        KEYWORDS * bool(found.keywords) + PLACES * bool(places) + LINES * bool(lines) + NAMED * bool(found.named)
        + PAGES * bool(found.asked_pages) + DENSE * (best_dense > 0)
    )  # fmt: skip
    ranked = []
    for chunk in chunks:
        pages = chunk.pages
        score = (
            KEYWORDS * _share(found.keywords.get(chunk.key, 0.0), best_keyword)
            + PLACES * places.of(chunk, pages)
            + LINES * lines.of(chunk, pages)
            + NAMED * found.named.get(chunk.source_id, 0.0)
        )
        if found.asked_pages:
            score += PAGES * max((found.asked_pages.get((chunk.source_id, page), 0.0) for page in pages), default=0.0)
        name = "keywords"
        if chunk.key in found.dense:
            name, similarity = found.dense[chunk.key]
            score += DENSE * _share(similarity, best_dense)
        ranked.append((-score, chunk.key, chunk, name))
    ranked.sort()
    return [
        Ranked(chunk.key, chunk.source_id, chunk.kind, -score / (most or 1), name) for score, _, chunk, name in ranked
    ]


@dataclass(slots=True)
class _Shares:
    """The scores of places as shares of the best: of pages by number, of the others by source."""

    pages: dict[tuple[str, int], float] = field(default_factory=dict)
    runs: dict[str, list[tuple[PlaceHit, float]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pages or self.runs)

    def of(self, chunk: Outline, pages: tuple[int, ...]) -> float:
        """The best share of a place that the chunk stands in."""
        if len(pages) == 1:
            return self.pages.get((chunk.source_id, pages[0]), 0.0)
        if pages:
            return max(self.pages.get((chunk.source_id, page), 0.0) for page in pages)
        return max((share for place, share in self.runs.get(chunk.source_id, ()) if place.holds(chunk)), default=0.0)


def _shares(hits: Sequence[PlaceHit]) -> _Shares:
    best, found = max((hit.score for hit in hits), default=0.0), _Shares()
    for hit in hits:
        if hit.page is None:
            found.runs.setdefault(hit.source_id, []).append((hit, _share(hit.score, best)))
        else:
            found.pages[hit.source_id, hit.page] = _share(hit.score, best)
    return found


def _share(value: float, best: float) -> float:
    return max(0.0, value / best) if best > 0 else 0.0
