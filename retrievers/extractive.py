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
from retrievers.answerable import MODEL_THRESHOLD, Asked, read_asked, support
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
SHORT_BY = 0.4
"""Support that a quote may lack of the threshold where another piece reaches it: on the page that the search placed
first a sentence need not say as much."""
BEFORE = 0.5
"""What is taken off a piece's support for each page that the search placed before its own: the search reads whole
pages, and knows better than one sentence which of them is about the question."""
POINTED_BEFORE = 5.0
"""The same where a question points at a page or a figure: no sentence need say what is shown there."""
NOT_WHOLE = 0.2
"""The same of a sentence that breaks off or begins amid."""
MOST_ABSENT = 0.25
"""Share of a question's names that may stand nowhere in a document that answers: long names are often cut short."""
FROM_PICTURE = 0.5
"""The same of words that were read inside a picture: they come without order, and letters may be misread."""
FULL, FULL_WORTH = 0.7, 0.6
"""A piece of at least this score says nearly all that is asked itself, and is worth so much more on any page."""
TIE = 0.05
"""What a piece's score counts beside its support: it chooses between pieces that support an answer alike."""
MOST_BEFORE = 3
"""Pages before its own that count; further down the search knows little."""
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
_BROAD = re.compile(
    r"\b(?:summar\w*|overview|outline|gist|about|explain|compare|translate|discuss|describe|tell|main|key|difference)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|what|which|how|who|whom|whose|when|where|why|is|are|does|do|did|of)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"how (?:many|much) ((?:[\w'-]+ )*?[\w'-]+)"
    r"(?: (did|do|does|is|are|was|were|has|have|had|can|could|may|must|will|would|should|in|on|at|per|from|to|with)\b"
    r"|\?|$)"
)
_ASKS_NUMBER = re.compile(
    r"\b(how (many|much|long|old|far|often|tall|deep|high|large|big|wide|heavy|fast)"
    r"|(what|which) (\w+ )?(percent|percentage|number|amount|price))\b"
)
_ASKS_DATE = re.compile(
    r"\b(when|(what|which) (\w+ )?(date|year|day|month)|the date (mentioned|shown|given|stated|printed|written))\b"
)
_NUMBER_KINDS = frozenset({"percent", "percentage", "number", "amount"})
_DATE_KINDS = frozenset({"date", "year", "day", "month"})
"""What is asked for need not be said: "31 August" is a date without the word."""
_WORD = re.compile(r"[^\W\d_]{2}")
_URL = re.compile(r"\S+://\S+")
_ASKS_URL = re.compile(r"\b(url|link|web|website|homepage|address|where)\b", re.IGNORECASE)
_TABLE_NUMBER = re.compile(r"^\s*(?:table|figure|fig\.|chart|exhibit)\s+\d+[.:]?", re.IGNORECASE)
"""The number of a table or figure counts nothing."""
_FIGURES = re.compile(r"(\D+?)[\s$\u20ac\u00a3]+[\d(][\d.,%()\s$\u20ac\u00a3\u2013-]*")
_GENERIC = frozenset("people persons times things items percent percentage money years many much".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verbatim piece of a hit that may answer: ``hit.chunk.text[start:end]``.

    ``said`` is how an answer words it, ``own`` the words that it says itself (of a table row also its caption and
    the asked cell's headers), ``context`` those that it stands under (headings, neighbours), ``label`` what names a
    table row, ``opening`` how its document begins, ``whole`` whether it is no broken part of a sentence, ``page`` where
    it begins. ``score`` is 0 where it lacks a name, a number or much of the question; ``support`` is what the gate
    goes by.
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
    page: int | None = None
    is_pictured: bool = False
    score: float = 0.0
    support: float = 0.0
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
    known = _in_documents(question, hits, library)
    pieces = [
        replace(piece, score=_score(question, piece, rank), support=_support(question, piece, known))
        for rank, hit in enumerate(hits)
        for piece in _pieces(hit, question, library)
    ]
    threshold = question.asked.threshold
    able = [piece for piece in pieces if piece.support >= threshold - SHORT_BY and _may_stand(question, piece)]
    enough = sorted((piece for piece in able if piece.support >= threshold), key=lambda piece: -piece.support)
    places = _page_ranks(hits)
    chosen = _chosen(sorted(able, key=lambda piece: -_worth(question, piece, places)), library) if enough else []
    if chosen and chosen[0].support < threshold and not any(_is_verified(p, library) for p in enough[:CHECKED]):
        return []
    return chosen


_Place = tuple[str, int | None]
"""A page of a source; all of one that has no pages."""


def _page_ranks(hits: Sequence[Hit]) -> Mapping[_Place, int]:
    """The rank of each page among those of the hits; of the pages of one hit that comes first which others hold too."""
    held: dict[_Place, float] = {}
    for rank, hit in enumerate(hits):
        for place in _places(hit):
            held[place] = held.get(place, 0.0) + 1 / (1 + rank)
    ordered = (place for hit in hits for place in sorted(_places(hit), key=lambda place: -held[place]))
    return {place: rank for rank, place in enumerate(dict.fromkeys(ordered))}


def _places(hit: Hit) -> list[_Place]:
    return [(hit.chunk.source_id, page) for page in hit.chunk.page_numbers or (None,)]


def _place_of(piece: Evidence) -> _Place:
    return piece.hit.chunk.source_id, piece.page


def _worth(question: Question, piece: Evidence, places: Mapping[_Place, int]) -> float:
    """What a piece is worth as a quote: its support, less the more pages the search placed before its own."""
    before = min(MOST_BEFORE, places.get(_place_of(piece), MOST_BEFORE))
    apart, full = (POINTED_BEFORE, 0.0) if question.asked.is_pointed else (BEFORE, FULL_WORTH)
    told = TIE * piece.score + (full if piece.score >= FULL else 0.0)
    return piece.support + told - apart * before - _flaws(piece)


def _flaws(piece: Evidence) -> float:
    return (0.0 if piece.whole else NOT_WHOLE) + (FROM_PICTURE if piece.is_pictured else 0.0)


def _chosen(able: Sequence[Evidence], library: Library) -> list[Evidence]:
    """The best piece, and of its page others that support an answer nearly as well and say more."""
    chosen: list[Evidence] = []
    for piece in able[:CHECKED]:
        if len(chosen) == MAX_QUOTES:
            break
        if (not chosen or _belongs(piece, chosen)) and _is_verified(piece, library):
            chosen.append(piece)
    return chosen


def _belongs(piece: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether a piece says more beside those chosen, on the same page, and nearly as well as the best of them."""
    best = chosen[0]
    near = best.score > 0 and piece.score >= NEAR_BEST * best.score and _place_of(piece) == _place_of(best)
    return near and all(_says_more(piece, other) for other in chosen)


def best_support(question: Question, hits: Sequence[Hit], library: Library, *, quotable: bool = True) -> float:
    """The support that the best piece of the hits gives an answer, of those that may be quoted or of all.

    Below ``question.asked.threshold`` no quote answers the question.
    """
    known = _in_documents(question, hits, library)
    pieces = (piece for hit in hits for piece in _pieces(hit, question, library))
    able = (piece for piece in pieces if not quotable or _may_stand(question, piece))
    return max((_support(question, piece, known) for piece in able), default=0.0)


def is_hopeless(question: str, hits: Sequence[Hit], library: Library) -> bool:
    """Whether nothing that was found has to do with a question, so that no model need be asked.

    Never of a request that names nothing to look for (a summary), and never of one in another language than English,
    whose words need not stand in documents that answer it.
    """
    if _BROAD.search(question) or not _ENGLISH.search(question):
        return False
    with library.snapshot():
        asked = read_question(question, library)
        return not asked.asked.is_pointed and best_support(asked, hits, library, quotable=False) < MODEL_THRESHOLD


def _in_documents(question: Question, hits: Sequence[Hit], library: Library) -> Mapping[str, frozenset[str]]:
    """The names of a question that stand anywhere in the document of each hit, by source."""
    return {
        source: frozenset(
            name for name, query in question.asked.named.items() if library.keyword_search(query, 1, [source])
        )
        for source in dict.fromkeys(hit.chunk.source_id for hit in hits)
    }


def _support(question: Question, piece: Evidence, known: Mapping[str, frozenset[str]]) -> float:
    """0 where the names of the question stand nowhere in the piece's document."""
    if question.asked.is_pointed and not question.asked.weights:
        # Of "the date on page 3" nothing but the page and the date can be looked for.
        return question.asked.threshold if question.asks_date and _can_answer(question, piece) else 0.0
    absent = question.asked.named.keys() - known[piece.hit.chunk.source_id]
    if len(absent) > MOST_ABSENT * len(question.asked.named):
        return 0.0
    return support(question.asked, piece.own, piece.context, piece.opening, has_form=_can_answer(question, piece))


def _may_stand(question: Question, piece: Evidence) -> bool:
    """Whether a piece may be quoted: it is no question, and has the codes and a number where one is asked for.

    Where a question points at a page or a figure its words need not stand there.
    """
    if question.asked.is_pointed:
        return _is_quotable(question, piece)
    said, beside = stems(piece.own), stems(piece.context)
    coded = all(_has_run(code, said) or _has_run(code, beside) for code in question.codes)
    # A figure of a table counts what its headers say; a sentence may have another word for it.
    counted = piece.hit.chunk.kind != "table" or counted_things(question.text) <= {*said, *beside}
    return coded and counted and _can_answer(question, piece)


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
    if not _is_quotable(question, piece):
        return False
    quote = _TABLE_NUMBER.sub("", piece.hit.chunk.text[piece.start : piece.end].rstrip())
    if question.asks_date:
        return has_number(quote)
    known = set(question.weights) | {t for t in tokens(quote) if is_year(t)}
    return not question.asks_number or has_number(quote, known)


def _is_quotable(question: Question, piece: Evidence) -> bool:
    """Whether a piece may be quoted at all: no question, not too long, with a word, no bare address unasked."""
    quote = piece.hit.chunk.text[piece.start : piece.end].rstrip()
    if quote.endswith("?") or len(quote.split()) > MOST_WORDS:
        return False
    if piece.hit.chunk.kind != "table" and not _WORD.search(quote):
        return False
    is_address = len(_URL.sub("", quote).split()) < MIN_WORDS and _URL.search(quote) is not None
    return not is_address or _ASKS_URL.search(question.text) is not None


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
    first = next(iter(hit.chunk.page_numbers), None)
    for piece in read(hit, question, elements, titles):
        yield replace(piece, opening=opening, page=piece.page or first)


def _sentences(hit: Hit, question: Question, elements: Sequence[Element], titles: str) -> Iterator[Evidence]:
    """Each sentence under its headings and after the one before; a heading only where nothing stands under it."""
    text = hit.chunk.text
    holding = [(span, _element(span, elements)) for span in sentences(text)]
    spans = [(span, element.category if element else "") for span, element in holding]
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
            page=element.page_number if (element := holding[i][1]) else None,
            is_pictured=category == "Image",
            whole=category == "ListItem" or not (_is_broken(before, span.text) or _is_broken(span.text, after)),
        )


def _element(span: Span, elements: Sequence[Element]) -> Element | None:
    """The element that a sentence of a chunk stands in; none when each holds but a part of it."""
    return next((e for e in elements if span.text in " ".join(e.text.split())), None)


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
