"""Answers without a model: the best sentences and table rows for a question, verbatim."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.library import Library
from ingest.tables import Outline, is_number, outline
from ingest.types import Cell, CellRef, Element, Hit
from retrievers.answerable import THRESHOLD, Asked, read_asked, support
from retrievers.citations import fold, locate, row_texts
from retrievers.language import (
    Span,
    codes,
    content_terms,
    has_number,
    is_year,
    match_query,
    names,
    sentences,
    stem,
    stems,
    tokens,
    without_form,
    years_and_numbers,
)

MAX_QUOTES = 3
MIN_COVERAGE = 0.45
"""Share of the question's weight that a sentence with its headings must cover to count as support."""
APART = 0.2
"""Coverage that does not count when all words that stand together in the question stand apart in the piece."""
MIN_OWN = 0.4
"""Share that a piece must cover itself, of the question or of what its headings leave open: else these match alone."""
NEAR_BEST = 0.9
"""Further quotes must score at least this share of the best."""
MIN_WORDS = 3
LONG_WORDS = 40
MOST_WORDS = 120
"""A longer piece is no quote: a reader would have to look for the answer in it."""
MOST_ITEMS = 12
"""List items quoted with the sentence that announces them."""
FLOOR = 0.8
"""Support below which even a piece that has the question's names and most of its words is no answer."""
FIRST_HIT = 0.4
"""What being in the first hit is worth beside support; in the second, half of it, and so on."""
CHECKED = 12
"""Pieces that are looked for on their pages before giving up."""
BROKEN = 0.7
"""What the score of a sentence that breaks off or begins amid is multiplied by."""
LABEL_WEIGHT = 0.4
"""How much a table row loses when its label names something else beside what is asked for."""
PHRASE_WEIGHT = 0.2
"""How much a piece loses when words that stand together in the question stand apart in it."""
PHRASE_REACH = 3
"""Words from one term of the question to the next within which they stand together."""
SMALL_WORD = 0.01
"""Weight of a word such as "no" where it heads a column."""
CAUSE_SENTENCES = 2
"""Sentences quoted after the one that names an event when the question asks why: the cause follows it."""
OPENING = 600
"""Characters of a document's first chunk in which it may date itself."""
UNDATED = 0.8
"""What a piece is worth that has the asked year only from its headings or its document: another one may name it."""
_COUNTED = re.compile(
    r"how (?:many|much) ((?:[\w'-]+ )*?[\w'-]+)"
    r"(?: (did|do|does|is|are|was|were|has|have|had|can|could|may|must|will|would|should|in|on|at|per|from|to|with)\b"
    r"|\?|$)"
)
_ASKS_NUMBER = re.compile(
    r"\b(how (many|much|long|old|far|often|tall|deep|high)"
    r"|(what|which) (\w+ )?(percent|percentage|number|amount|price))\b"
)
_ASKS_DATE = re.compile(r"\b(when|(what|which) (\w+ )?(date|year|day|month))\b")
_NUMBER_KINDS = frozenset({"percent", "percentage", "number", "amount"})
_DATE_KINDS = frozenset({"date", "year", "day", "month"})
"""What is asked for need not be said: "31 August" is a date without the word."""
_URL = re.compile(r"\S+://\S+")
_ASKS_URL = re.compile(r"\b(url|link|web|website|homepage|address|where)\b", re.IGNORECASE)
_FIGURES = re.compile(r"(\D+?)[\s$\u20ac\u00a3]+[\d(][\d.,%()\s$\u20ac\u00a3\u2013-]*")
_GENERIC = frozenset("people persons times things items percent percentage money years many much".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verbatim piece of a hit that may answer: ``hit.chunk.text[start:end]``.

    ``said`` is how an answer words it, ``own`` the words that it says itself (of a table row also its caption and
    the asked cell's headers), ``context`` those that it stands under (headings, neighbours), ``label`` what names a
    table row, ``opening`` how its document begins, ``whole`` whether it is no broken part of a sentence.
    """

    hit: Hit
    start: int
    end: int
    said: str
    own: str
    context: str
    opening: str = ""
    label: str = ""
    whole: bool = True
    score: float = 0.0
    cell: CellRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question's terms and their weights (inverse document frequency), and the terms that must be there.

    ``pairs`` are the terms that follow each other in the question, ``codes`` the terms of its names with digits, such
    as P-10, that must follow each other in an answer.
    """

    text: str
    asked: Asked
    weights: Mapping[str, float]
    required: frozenset[str]
    pairs: tuple[tuple[str, str], ...] = ()
    codes: tuple[tuple[str, ...], ...] = ()
    asks_cause: bool = False
    asks_number: bool = False
    asks_date: bool = False


def read_question(question: str, library: Library) -> Question:
    """Weigh a question's terms by how rare they are in the library; names and numbers are required."""
    question = without_form(question)
    asks_number, asks_date = (bool(found.search(question.lower())) for found in (_ASKS_NUMBER, _ASKS_DATE))
    kinds = (_NUMBER_KINDS if asks_number else frozenset()) | (_DATE_KINDS if asks_date else frozenset())
    terms = [t for t in content_terms(question) if t not in kinds] or content_terms(question)
    total = max(1, library.counts()["chunks"])
    frequency = library.document_frequency([match_query([t]) for t in terms])
    weights = {stem(t): math.log(1 + total / (0.5 + frequency[match_query([t])])) for t in terms}
    required = {stem(n) for n in names(question)} | set(years_and_numbers(question)) | counted_things(question)
    return Question(
        text=question,
        asked=read_asked(question, terms, counted_things(question), library),
        weights=weights,
        required=frozenset(required & set(weights)),
        pairs=tuple(pairwise(weights)),
        codes=tuple(tuple(map(stem, code)) for code in codes(question)),
        asks_cause=re.match(r"\s*(why|for what reason|what (was|is) the (cause|reason))\b", question.lower())
        is not None,
        asks_number=asks_number,
        asks_date=asks_date,
    )


def counted_things(question: str) -> set[str]:
    """What a "how many" or "how much" question counts: the noun before its verb, as a stem."""
    found = _COUNTED.search(question.lower())
    nouns = tokens(found[1]) if found else []
    if found is None or not nouns or nouns[-1] in _GENERIC:
        return set()
    # With no verb known to follow, the last of several words may be the verb.
    return {stem(nouns[-1])} if len(nouns) == 1 or found[2] else set()


def find_evidence(question: Question, hits: Sequence[Hit], library: Library) -> list[Evidence]:
    """The pieces that support an answer, best first, at most ``MAX_QUOTES``; empty when nothing does.

    Each was found word for word on its page: what cannot be shown there is no evidence.
    """
    pieces = [(rank, piece) for rank, hit in enumerate(hits) for piece in _pieces(hit, question, library)]
    supports = [_support(question, piece) for _, piece in pieces]
    if question.asked.weights and max(supports, default=0.0) < FLOOR:
        return []
    scored = [replace(piece, score=_score(question, piece, rank)) for rank, piece in pieces]
    supported = sorted((piece for piece in scored if piece.score > 0), key=lambda piece: -piece.score)
    return _chosen(supported, library) or _closest(question, pieces, supports, library)


def _chosen(supported: Sequence[Evidence], library: Library) -> list[Evidence]:
    chosen: list[Evidence] = []
    for piece in supported[:CHECKED]:
        if chosen and (piece.score < chosen[0].score * NEAR_BEST or len(chosen) == MAX_QUOTES):
            break
        if all(_says_more(piece, other) for other in chosen) and _is_verified(piece, library):
            chosen.append(piece)
    return chosen


def _closest(
    question: Question, pieces: Sequence[tuple[int, Evidence]], supports: Sequence[float], library: Library
) -> list[Evidence]:
    """The one piece that comes closest where none says all of a question, by its support and its hit's rank."""
    ranked = sorted(zip(supports, pieces, strict=True), key=lambda pair: -pair[0] - FIRST_HIT / (1 + pair[1][0]))
    enough = [(value, piece) for value, (_, piece) in ranked if value >= THRESHOLD]
    closest = (replace(piece, score=value) for value, piece in enough[:CHECKED])
    return next(([piece] for piece in closest if _may_stand(question, piece) and _is_verified(piece, library)), [])


def best_support(question: Question, hits: Sequence[Hit], library: Library) -> float:
    """The support that the best piece of the hits gives an answer: below ``THRESHOLD`` a question is refused."""
    pieces = (piece for hit in hits for piece in _pieces(hit, question, library))
    return max((_support(question, piece) for piece in pieces), default=0.0)


def _support(question: Question, piece: Evidence) -> float:
    return support(question.asked, piece.own, piece.context, piece.opening, has_form=_can_answer(question, piece))


def _may_stand(question: Question, piece: Evidence) -> bool:
    """Whether a piece may be shown though it lacks words of the question: never what is counted, nor a code."""
    said, beside = stems(piece.own), stems(piece.context)
    counted = counted_things(question.text) <= {*said, *beside}
    coded = all(_has_run(code, said) or _has_run(code, beside) for code in question.codes)
    return counted and coded and _can_answer(question, piece)


def _is_verified(piece: Evidence, library: Library) -> bool:
    chunk = piece.hit.chunk
    quote = chunk.text[piece.start : piece.end]
    place = locate(library, chunk, library.elements(chunk.element_ids), quote, piece.start)
    return place.verified and not place.in_cells


def _says_more(piece: Evidence, other: Evidence) -> bool:
    return fold(piece.said).lower() not in fold(other.said).lower()


def _score(question: Question, piece: Evidence, rank: int) -> float:
    """0 when a required term is missing or too little of the question is covered; own words count twice."""
    said, beside = stems(piece.own), stems(piece.context)
    own_terms = set(said)
    near_terms = set(beside) | (question.required & set(stems(piece.opening)))
    if not question.required <= own_terms | near_terms or not _can_answer(question, piece):
        return 0.0
    if any(not _has_run(code, said) and not _has_run(code, beside) for code in question.codes):
        return 0.0
    total: float = sum(question.weights.values()) or 1.0
    own = sum(w for t, w in question.weights.items() if t in own_terms) / total
    near = sum(w for t, w in question.weights.items() if t in near_terms - own_terms) / total
    together = _share_together(question.pairs, said)
    if own + near - APART * (1 - together) < MIN_COVERAGE or not _says_enough(question, own_terms, near_terms, total):
        return 0.0
    length = max(1.0, len(piece.own.split()) / LONG_WORDS)
    phrase = 1 - PHRASE_WEIGHT * (1 - together)
    label = 1 - LABEL_WEIGHT * (1 - _share_asked(question, piece.label))
    broken = 1.0 if piece.whole else BROKEN
    dated = 1.0 if all(t in own_terms for t in question.required if is_year(t)) else UNDATED
    return float((own + 0.5 * near) * phrase * label * broken * dated / length**0.25 * (1 - 0.02 * rank))


def _says_enough(question: Question, own: AbstractSet[str], near: AbstractSet[str], total: float) -> bool:
    """Whether a piece itself covers much of the question, or much of what its headings leave open.

    On a product's page "Rating 2.9" need not name the product.
    """
    said = sum(w for t, w in question.weights.items() if t in own)
    left_open = sum(w for t, w in question.weights.items() if t not in near)
    added = sum(w for t, w in question.weights.items() if t in own - near)
    return said >= MIN_OWN * total or (left_open > 0 and added >= MIN_OWN * left_open)


def _has_run(run: Sequence[str], terms: Sequence[str]) -> bool:
    return any(tuple(terms[i : i + len(run)]) == run for i, term in enumerate(terms) if term == run[0])


def _can_answer(question: Question, piece: Evidence) -> bool:
    """Whether a piece has the form of an answer: no question, and with a number or date where one is asked for."""
    quote = piece.hit.chunk.text[piece.start : piece.end].rstrip()
    if quote.endswith("?") or len(quote.split()) > MOST_WORDS:
        return False
    if len(_URL.sub("", quote).split()) < MIN_WORDS and _URL.search(quote) and not _ASKS_URL.search(question.text):
        return False
    if question.asks_date:
        return has_number(quote)
    known = set(question.weights) | {t for t in tokens(quote) if is_year(t)}
    return not question.asks_number or has_number(quote, known)


def _share_together(pairs: Sequence[tuple[str, str]], said: Sequence[str]) -> float:
    """Share of the question's neighbouring terms that stand together, in this order, in a text."""
    places: dict[str, list[int]] = {}
    for place, term in enumerate(said):
        places.setdefault(term, []).append(place)
    together = sum(
        any(0 < b - a <= PHRASE_REACH for a in places.get(first, ()) for b in places.get(second, ()))
        for first, second in pairs
    )
    return together / len(pairs) if pairs else 1.0


def _share_asked(question: Question, label: str) -> float:
    """Share of a row label's words that the question has; all of them when it names the row by its code."""
    terms = content_terms(label) if label else []
    if any(not t.isalpha() and stem(t) in question.weights for t in terms):
        return 1.0
    words = [t for t in terms if t.isalpha()]
    return sum(stem(t) in question.weights for t in words) / len(words) if words else 1.0


# --- pieces -------------------------------------------------------------------------------------


def _pieces(hit: Hit, question: Question, library: Library) -> Iterator[Evidence]:
    """The sentences of a text or caption, the rows of a table."""
    opening = _opening(hit, library)
    titles = " ".join((hit.doc, *hit.chunk.title_path, *filter(is_year, tokens(opening))))
    elements = library.elements(hit.chunk.element_ids)
    read = _rows if hit.chunk.kind == "table" else _sentences
    yield from (replace(piece, opening=opening) for piece in read(hit, question, elements, titles))


def _sentences(hit: Hit, question: Question, elements: Sequence[Element], titles: str) -> Iterator[Evidence]:
    """Each sentence under its headings and after the one before; a heading only where nothing stands under it."""
    text = hit.chunk.text
    spans = [(span, _category(span, elements)) for span in sentences(text)]
    headed = any(category != "Title" for _, category in spans)
    for i, (span, category) in enumerate(spans):
        too_short = len(span.text.split()) < MIN_WORDS and span.text[-1:] not in ".!?"
        if too_short or (category == "Title" and headed):
            continue
        before = spans[i - 1][0].text if i else ""
        after = spans[i + 1][0].text if i + 1 < len(spans) else ""
        end = _end(spans, i, question)
        said = text[span.start : end]
        yield Evidence(
            hit=hit,
            start=span.start,
            end=end,
            said=said,
            own=said if span.text.endswith(":") else span.text,
            context=f"{titles} {before}",
            label=_label_of_line(span.text),
            whole=category == "ListItem" or not (_is_broken(before, span.text) or _is_broken(span.text, after)),
        )


def _category(span: Span, elements: Sequence[Element]) -> str:
    """The category of the element that a sentence of a chunk stands in; empty when it holds but a part of it."""
    return next((e.category for e in elements if span.text in " ".join(e.text.split())), "")


def _is_broken(before: str, after: str) -> bool:
    """Whether two pieces are one sentence that a column, a page or a picture parts."""
    return bool(before) and before[-1] not in ".!?:;\u2026" and after[:1].islower()


def _label_of_line(line: str) -> str:
    """The words of a line that ends in numbers, like a table row's; empty for other lines."""
    found = _FIGURES.fullmatch(line)
    return found[1] if found else ""


def _end(spans: Sequence[tuple[Span, str]], first: int, question: Question) -> int:
    """Where a piece ends: with its sentence, with the list that it announces, or past the cause that follows."""
    last = first
    if spans[first][0].text.endswith(":"):
        while last + 1 < len(spans) and last - first < MOST_ITEMS and spans[last + 1][1] == "ListItem":
            last += 1
    elif question.asks_cause:
        last = min(first + CAUSE_SENTENCES, len(spans) - 1)
    while last > first and sum(len(span.text.split()) for span, _ in spans[first : last + 1]) > MOST_WORDS:
        last -= 1
    return spans[last][0].end


def _opening(hit: Hit, library: Library) -> str:
    """How a document begins: names and years that stand there hold for all that it says."""
    first = next(iter(library.chunks_of(hit.chunk.source_id, limit=1)), None)
    return first.text[:OPENING] if first else ""


def _rows(hit: Hit, question: Question, elements: Sequence[Element], titles: str) -> Iterator[Evidence]:
    """Each line of a table's text, with the cell that is asked for when the question's words single one out."""
    captions = " ".join(e.text for e in elements if e.category == "FigureCaption")
    cells = next((e.cells for e in elements if e.cells), ())
    table = outline(cells)
    heads = " ".join(c.text for c in cells if c.header and c.row < table.head)
    shared = _shared(table, question)
    numbers = {text: row for row, text in reversed(row_texts(cells).items())}
    start = 0
    for line in hit.chunk.text.split("\n"):
        row, end = numbers.get(line), start + len(line)
        if row is not None and row >= table.head:
            yield _row_piece(hit, start, end, table, row, shared, captions, f"{titles} {heads}")
        elif line.strip() and row is None:
            yield Evidence(hit=hit, start=start, end=end, said=line, own=line, context=titles)
        start = end + 1


def _row_piece(  # noqa: PLR0913, PLR0917 (what a row stands in, spelled out)
    hit: Hit,
    start: int,
    end: int,
    table: Outline,
    row: int,
    shared: Sequence[Mapping[str, float]],
    caption: str,
    context: str,
) -> Evidence:
    line = hit.chunk.text[start:end]
    labels = _label_cells(table, row)
    label = " ".join(" ".join(c.text.split()) for c in labels)
    piece = Evidence(
        hit=hit, start=start, end=end, said=line, own=f"{line} {label} {caption}", context=context, label=label
    )
    cell = _asked_cell([c for c in table.rows.get(row, ()) if c not in labels], shared, label)
    if cell is None:
        return piece
    headers = table.headers[cell.column]
    return replace(
        piece,
        said=_cell_sentence(label, headers, cell.text),
        own=f"{piece.own} {' '.join(headers)}",
        cell=CellRef(row=cell.row, column=cell.column, header=headers),
    )


def _label_cells(table: Outline, row: int) -> list[Cell]:
    """What names a row: the cells that reach into it from above, and its own first one unless that is a number."""
    labels = list(table.reaching.get(row, ()))
    begun = [c for c in table.rows.get(row, ()) if c.text.strip()]
    # The only cell of its row is what the row says, not its name.
    if len(begun) > 1 and not is_number(begun[0].text):
        labels.append(begun[0])
    return sorted(labels, key=lambda c: c.column)


def _shared(table: Outline, question: Question) -> list[Mapping[str, float]]:
    """The words that the headers of each column share with the question, and what each of them weighs."""
    asked = set(stems(question.text))
    return [
        {t: question.weights.get(t, SMALL_WORD) for t in asked & set(stems(" ".join(headers)))}
        for headers in table.headers
    ]


def _asked_cell(row: Sequence[Cell], shared: Sequence[Mapping[str, float]], label: str) -> Cell | None:
    """The cell of a row under the one column whose headers share most with the question, less the row's own name."""
    named = set(stems(label))
    weighed = [
        (sum(weight for t, weight in shared[cell.column].items() if t not in named), cell)
        for cell in row
        if cell.text.strip()
    ]
    weighed.sort(key=lambda pair: -pair[0])
    if not weighed or weighed[0][0] == 0 or (len(weighed) > 1 and weighed[1][0] == weighed[0][0]):
        return None
    return weighed[0][1]


def _cell_sentence(label: str, headers: Sequence[str], value: str) -> str:
    return ", ".join(part for part in (label, " \u203a ".join(headers)) if part) + f": {value}"
