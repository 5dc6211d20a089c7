"""Answers without a model: the best sentences and table rows for a question, verbatim."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.library import Library
from ingest.tables import column_headers, header_rows, row_label
from ingest.types import Cell, CellRef, Hit
from retrievers.citations import fold, row_text
from retrievers.language import content_terms, match_query, names, sentences, stem, stems, tokens, years_and_numbers

MAX_QUOTES = 3
MIN_COVERAGE = 0.6
"""Share of the question's weight that a sentence with its headings must cover to count as support."""
NEAR_BEST = 0.85
"""Further quotes must score at least this share of the best."""
MIN_WORDS = 3
LONG_WORDS = 40
CAUSE_SENTENCES = 2
"""Sentences quoted after the one that names an event when the question asks why: the cause follows it."""
OPENING = 600
"""Characters of a document's first chunk in which it may date itself."""
_COUNTED = re.compile(
    r"how (?:many|much) ((?:[\w'-]+ )*?[\w'-]+)"
    r"(?= (?:did|do|does|is|are|was|were|has|have|had|can|could|may|must|will|would|should)\b"
    r"| (?:in|on|at|per|from|to|with)\b|\?|$)"
)
_GENERIC = frozenset("people persons times things items percent percentage money years many much".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verbatim piece of a hit that may answer: ``hit.chunk.text[start:end]``.

    ``said`` is how an answer words it, ``own`` the words that it says itself (of a table row also its caption and
    the asked cell's headers), ``context`` those that it stands under (headings, neighbours).
    """

    hit: Hit
    start: int
    end: int
    said: str
    own: str
    context: str
    score: float = 0.0
    cell: CellRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question's terms and their weights (inverse document frequency), and the terms that must be there."""

    text: str
    weights: Mapping[str, float]
    required: frozenset[str]
    asks_cause: bool = False


def read_question(question: str, library: Library) -> Question:
    """Weigh a question's terms by how rare they are in the library; names and numbers are required."""
    terms = content_terms(question)
    total = max(1, library.counts()["chunks"])
    frequency = library.document_frequency([match_query([t]) for t in terms])
    weights = {stem(t): math.log(1 + total / (0.5 + frequency[match_query([t])])) for t in terms}
    required = {stem(n) for n in names(question)} | set(years_and_numbers(question)) | counted_things(question)
    return Question(
        text=question,
        weights=weights,
        required=frozenset(required & set(weights)),
        asks_cause=re.match(r"\s*(why|for what reason|what (was|is) the (cause|reason))\b", question.lower())
        is not None,
    )


def counted_things(question: str) -> set[str]:
    """What a "how many" or "how much" question counts: the noun before its verb, as a stem."""
    found = _COUNTED.search(question.lower())
    nouns = tokens(found[1]) if found else []
    return {stem(nouns[-1])} if nouns and nouns[-1] not in _GENERIC else set()


def find_evidence(question: Question, hits: Sequence[Hit], library: Library) -> list[Evidence]:
    """The pieces that support an answer, best first, at most ``MAX_QUOTES``; empty when nothing does."""
    found = (
        replace(piece, score=_score(question, piece, rank))
        for rank, hit in enumerate(hits)
        for piece in _pieces(hit, question, library)
    )
    supported = sorted((piece for piece in found if piece.score > 0), key=lambda piece: -piece.score)
    chosen: list[Evidence] = []
    for piece in supported:
        if piece.score < supported[0].score * NEAR_BEST or len(chosen) == MAX_QUOTES:
            break
        if all(_says_more(piece, other) for other in chosen):
            chosen.append(piece)
    return chosen


def _says_more(piece: Evidence, other: Evidence) -> bool:
    return fold(piece.said).lower() not in fold(other.said).lower()


def _score(question: Question, piece: Evidence, rank: int) -> float:
    """0 when a required term is missing or too little of the question is covered; own words count twice."""
    own_terms, near_terms = set(stems(piece.own)), set(stems(piece.context))
    if not question.required <= own_terms | near_terms:
        return 0.0
    total: float = sum(question.weights.values()) or 1.0
    own = sum(w for t, w in question.weights.items() if t in own_terms) / total
    near = sum(w for t, w in question.weights.items() if t in near_terms - own_terms) / total
    if own + near < MIN_COVERAGE or own == 0.0:
        return 0.0
    length = max(1.0, len(piece.own.split()) / LONG_WORDS)
    return float((own + 0.5 * near) / length**0.25 * (1 - 0.02 * rank))


# --- pieces -------------------------------------------------------------------------------------


def _pieces(hit: Hit, question: Question, library: Library) -> Iterator[Evidence]:
    """The sentences of a text or caption, the rows of a table."""
    titles = " ".join((hit.doc, *hit.chunk.title_path, _years_of_opening(hit, library)))
    if hit.chunk.kind == "table":
        yield from _rows(hit, question, library, titles)
        return
    spans = [s for s in sentences(hit.chunk.text) if len(s.text.split()) >= MIN_WORDS or s.text[-1:] in ".!?"]
    for i, span in enumerate(spans):
        before = spans[i - 1].text if i else ""
        last = spans[min(i + CAUSE_SENTENCES, len(spans) - 1)] if question.asks_cause else span
        said = hit.chunk.text[span.start : last.end]
        yield Evidence(hit=hit, start=span.start, end=last.end, said=said, own=span.text, context=f"{titles} {before}")


def _years_of_opening(hit: Hit, library: Library) -> str:
    """The years that a document names at its top: what it says without a year is said of those."""
    first = next(iter(library.chunks_of(hit.chunk.source_id, limit=1)), None)
    return " ".join(re.findall(r"\b(?:19|20)\d\d\b", first.text[:OPENING])) if first else ""


def _rows(hit: Hit, question: Question, library: Library, titles: str) -> Iterator[Evidence]:
    """Each line of a table's text, with the cell that is asked for when the question's words single one out."""
    elements = library.elements(hit.chunk.element_ids)
    captions = " ".join(e.text for e in elements if e.category == "FigureCaption")
    cells = next((e.cells for e in elements if e.cells), ())
    spanning = {
        row: " ".join(c.text for c in cells if c.row < row < c.row + c.rowspan) for row in {c.row for c in cells}
    }
    heads = " ".join(c.text for c in cells if c.header)
    numbers = {row_text(cells, row): row for row in sorted({c.row for c in cells}, reverse=True)}
    start = 0
    for line in hit.chunk.text.split("\n"):
        row, end = numbers.get(line), start + len(line)
        if row is not None and row >= header_rows(cells):
            label = f"{spanning[row]} {row_label(cells, row)}".strip()
            yield _row_piece(hit, start, end, cells, row, label, question, captions, f"{titles} {heads}")
        elif line.strip() and row is None:
            yield Evidence(hit=hit, start=start, end=end, said=line, own=line, context=titles)
        start = end + 1


def _row_piece(  # noqa: PLR0913, PLR0917 (what a row stands in, spelled out)
    hit: Hit,
    start: int,
    end: int,
    cells: Sequence[Cell],
    row: int,
    label: str,
    question: Question,
    caption: str,
    context: str,
) -> Evidence:
    line = hit.chunk.text[start:end]
    own = f"{line} {label} {caption}"
    cell = _asked_cell(cells, row, label, question)
    if cell is None:
        return Evidence(hit=hit, start=start, end=end, said=line, own=own, context=context)
    headers = column_headers(cells, cell.column)
    return Evidence(
        hit=hit,
        start=start,
        end=end,
        said=_cell_sentence(label, headers, cell.text),
        own=f"{own} {' '.join(headers)}",
        context=context,
        cell=CellRef(row=cell.row, column=cell.column, header=headers),
    )


def _asked_cell(cells: Sequence[Cell], row: int, label: str, question: Question) -> Cell | None:
    """The cell of a row under the one column whose headers share most with the question."""
    asked = set(question.weights) - set(stems(label))
    shared: list[tuple[float, Cell]] = []
    for cell in (c for c in cells if c.row == row and c.text and c.column > 0):
        head = set(stems(" ".join(column_headers(cells, cell.column))))
        shared.append((sum(question.weights[t] for t in asked & head), cell))
    shared.sort(key=lambda pair: -pair[0])
    if not shared or shared[0][0] == 0 or (len(shared) > 1 and shared[1][0] == shared[0][0]):
        return None
    return shared[0][1]


def _cell_sentence(label: str, headers: Sequence[str], value: str) -> str:
    return ", ".join(part for part in (label, " \u203a ".join(headers)) if part) + f": {value}"
