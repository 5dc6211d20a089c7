"""Citations: where a quote stands (page, box a line, table cell), and whether it is verbatim there."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from ingest.library import Library
from ingest.types import (
    BoundingBox,
    Cell,
    CellRef,
    Chunk,
    Citation,
    Element,
    Hit,
    PageBox,
    Word,
    union_box,
)
from retrievers.check import Support, check_sentence
from retrievers.links import text_fragment

__all__ = [
    "Place",
    "Support",
    "check_sentence",
    "cite",
    "find_words",
    "fold",
    "line_boxes",
    "locate",
    "parse_citation_id",
    "row_text",
    "row_texts",
]

_EVENED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff\ufffe\u0002", ""),
    }
)
"""What may differ between a quote and its page. U+0002 and U+FFFE: what readers of PDF leave for a soft hyphen."""
_LOOSE_HYPHEN = re.compile(r"-(?!\d)")
"""Line ends add and drop hyphens; one before a digit may be a minus sign or part of a name, and counts."""
SLACK = 2.0
"""Points by which a word's centre may lie outside its element's box."""
GUTTER = 6.0
"""Points of white between two columns of text, at least."""
WIDE_GUTTER = 9.0
"""Points of white that part words of one line for sure: wider than the spaces of justified text."""

_PageWords = list[tuple[int, Word]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a quote stands: its page, a box a line, and whether it was found there word for word.

    Of a quote that crosses a page break, ``page`` is the page that holds most of it; ``boxes`` are those of both.
    ``in_cells``: each cell of a table row was found in its own box, but the row is no run of the page's words.
    """

    page: int | None
    boxes: tuple[PageBox, ...]
    verified: bool
    in_cells: bool = False


def fold(text: str) -> str:
    """Text with spaces dropped and ligatures, Unicode forms, quotation marks and hyphens evened out."""
    return _LOOSE_HYPHEN.sub("", _even(text))


def _even(text: str) -> str:
    # Twice, as normalising makes two primes of a double one, and a space and an accent of an accent alone.
    return "".join(unicodedata.normalize("NFKC", text.translate(_EVENED)).translate(_EVENED).split())


def cite(library: Library, hit: Hit, start: int, end: int, number: int, *, cell: CellRef | None = None) -> Citation:
    """The citation of ``hit.chunk.text[start:end]``."""
    quote = hit.chunk.text[start:end]
    elements = library.elements(hit.chunk.element_ids)
    place = locate(library, hit.chunk, elements, quote, start)
    on_page = [b.box for b in place.boxes if b.page == place.page]
    return Citation(
        number=number,
        citation_id=f"{hit.chunk.chunk_id}-{start}-{end}",
        chunk_id=hit.chunk.chunk_id,
        doc=hit.doc,
        path=hit.path,
        page=place.page,
        box=union_box(on_page) if on_page else None,
        boxes=place.boxes,
        kind=hit.chunk.kind,
        title_path=hit.chunk.title_path,
        quote=quote,
        verified=place.verified,
        cell=cell,
        image=hit.chunk.image_path,
        url=text_fragment(
            hit.path, hit.chunk.text, start, end, [" ".join(c.text.split()) for c in _row_cells(elements, quote)]
        ),
    )


def locate(library: Library, chunk: Chunk, elements: Sequence[Element], quote: str, start: int = 0) -> Place:
    """Find a quote of a chunk on its pages; where these have no words, in its elements' texts.

    ``start`` is where the quote stands in the chunk's text: it tells equal quotes apart.
    """
    wanted = fold(quote)
    layers = _layers(library, chunk)
    before = _count_before(chunk.text, start, wanted)
    for words, whole in _readings(layers, chunk):
        matches = _matches([word.text for _, word in words], wanted)
        if matches:
            first, last = matches[0 if whole else min(before, len(matches) - 1)]
            if chunk.kind == "table" or not _mixes_columns([word for _, word in words[first:last]]):
                return _word_place(words[first:last])
    row = _row_cells(elements, quote)
    if row:
        areas = tuple(dict.fromkeys([*chunk.boxes, *(box for element in elements for box in element.boxes)]))
        return _row_place(_layers(library, chunk, areas), chunk, row, areas)
    return _without_words(chunk, elements, wanted, has_words=bool(layers))


def _layers(library: Library, chunk: Chunk, areas: Sequence[PageBox] = ()) -> dict[int, Sequence[Word]]:
    """The words of a chunk's pages and those of other areas, by page; pages without a word layer left out."""
    numbers = dict.fromkeys([*chunk.page_numbers, *(area.page for area in areas)])
    pages = (library.page(chunk.source_id, number) for number in numbers)
    return {page.page: page.words for page in pages if page is not None and page.words}


def _count_before(text: str, start: int, wanted: str) -> int:
    """How many times the folded quote stands in a text before ``start``."""
    return len(_matches(text[:start].split(), wanted)) if start else 0


def _readings(layers: Mapping[int, Sequence[Word]], chunk: Chunk) -> Iterator[tuple[_PageWords, bool]]:
    """Words in the orders that a text may follow, and whether they are those of whole pages.

    First the words inside the chunk's boxes: in content order, box by box, in columns, and those of a table in lines;
    then whole pages.
    """
    inside = {
        n: [w for w in words if any(b.page == n and _is_inside(w.box, b.box) for b in chunk.boxes)]
        for n, words in layers.items()
    }
    yield [(n, word) for n, words in inside.items() for word in words], False
    yield [(b.page, word) for b in chunk.boxes for word in inside.get(b.page, ()) if _is_inside(word.box, b.box)], False
    yield [(n, word) for n, words in inside.items() for column in _columns(words) for word in _in_lines(column)], False
    if chunk.kind == "table":
        # Of a text, lines across columns would confirm what no one has written.
        yield [(n, word) for n, words in inside.items() for word in _in_lines(words)], False
    yield [(n, word) for n, words in layers.items() for word in words], True


def _is_inside(box: BoundingBox, area: BoundingBox) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return area[0] - SLACK <= x <= area[2] + SLACK and area[1] - SLACK <= y <= area[3] + SLACK


def _in_lines(words: Sequence[Word]) -> list[Word]:
    """Words line by line from top to bottom, each line from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w.box[1] + w.box[3], w.box[0])):
        middle = (word.box[1] + word.box[3]) / 2
        if lines and lines[-1][0].box[1] <= middle <= lines[-1][0].box[3]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [word for line in lines for word in sorted(line, key=lambda w: w.box[0])]


def _mixes_columns(words: Sequence[Word]) -> bool:
    """Whether words go to and fro between two columns, as no text does; the marks of a list are no column."""
    columns = _columns(words, WIDE_GUTTER)
    if len(columns) < 2:
        return False
    owner = {word: place for place, column in enumerate(columns) for word in column}
    visits = [(place, len(list(run))) for place, run in groupby(owner[word] for word in words)]
    left = [length for place, length in visits if place == 0]
    return len(visits) > len(columns) and len(left) > 1 and max(left) > 1


def _columns(words: Sequence[Word], gutter: float = GUTTER) -> list[list[Word]]:
    """Words parted where a white gap runs down between them, from left to right."""
    columns: list[list[Word]] = []
    right = float("-inf")
    for word in sorted(words, key=lambda w: w.box[0]):
        if word.box[0] > right + gutter:
            columns.append([])
        columns[-1].append(word)
        right = max(right, word.box[2])
    return columns


def find_words(words: Sequence[Word], wanted: str) -> list[Word]:
    """The first run of words whose folded texts hold the folded quote; empty when there is none."""
    found = _matches([word.text for word in words], wanted)
    return list(words[slice(*found[0])]) if found else []


def _matches(texts: Sequence[str], wanted: str) -> list[tuple[int, int]]:
    """The runs of texts (first, end) that hold the folded quote: those of whole words, else of parts of words."""
    if not wanted:
        return []
    evened = [_even(text) for text in texts]
    joined = "".join(evened)
    dropped = [m.start() for m in _LOOSE_HYPHEN.finditer(joined)]
    starts = [at - bisect_left(dropped, at) for at in accumulate(map(len, evened), initial=0)]
    folded = _LOOSE_HYPHEN.sub("", joined)
    whole: list[tuple[int, int]] = []
    parts: list[tuple[int, int]] = []
    at = folded.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        run = bisect_right(starts, at, hi=len(texts)) - 1, bisect_left(starts, end, hi=len(texts))
        if starts[run[0]] == at and starts[run[1]] == end:
            whole.append(run)
        elif not (_cuts(folded, at, starts) or _cuts(folded, end, starts)):
            parts.append(run)
        at = folded.find(wanted, at + 1)
    return whole or parts


def _cuts(folded: str, at: int, starts: Sequence[int]) -> bool:
    """Whether a border in the text falls inside a number, or inside a word of a script that parts its words."""
    place = bisect_left(starts, at)
    if place == len(starts) or starts[place] == at:
        return False
    before, after = folded[at - 1], folded[at]
    if after.isdigit() and (before.isdigit() or re.search(r"\d[.,]$", folded[max(0, at - 2) : at])):
        return True
    if before.isdigit() and re.match(r"[.,]\d", folded[at : at + 2]):
        return True
    glued = before.islower() and after.isupper()
    return before.isalpha() and after.isalpha() and (after.islower() or after.isupper()) and not glued


def _word_place(found: _PageWords) -> Place:
    lengths: dict[int, int] = {}
    for page, word in found:
        lengths[page] = lengths.get(page, 0) + len(word.text)
    boxes = tuple(box for page in lengths for box in line_boxes([w for n, w in found if n == page], page))
    return Place(page=max(lengths, key=lambda page: lengths[page]), boxes=boxes, verified=True)


def line_boxes(words: Sequence[Word], page: int) -> tuple[PageBox, ...]:
    """A box a line around words in reading order."""
    lines: list[list[BoundingBox]] = []
    for word in words:
        middle = (word.box[1] + word.box[3]) / 2
        last = lines[-1][-1] if lines else None
        if last is not None and last[1] <= middle <= last[3] and word.box[0] >= lines[-1][0][0] - SLACK:
            lines[-1].append(word.box)
        else:
            lines.append([word.box])
    return tuple(PageBox(page=page, box=union_box(line)) for line in lines)


# --- tables and pages without words -------------------------------------------------------------


def row_text(cells: Sequence[Cell], row: int) -> str:
    """A table row as its chunk's text writes it: cells in column order, joined by one space."""
    inside = sorted((c for c in cells if c.row == row and c.text), key=lambda c: c.column)
    return " ".join(" ".join(c.text.split()) for c in inside)


def row_texts(cells: Sequence[Cell]) -> dict[int, str]:
    """The ``row_text`` of each row in which cells begin, in order: for a table whose every row is looked at."""
    rows: dict[int, list[Cell]] = {}
    for cell in sorted(cells, key=lambda c: c.row):
        rows.setdefault(cell.row, []).append(cell)
    return {row: row_text(inside, row) for row, inside in rows.items()}


def _row_cells(elements: Sequence[Element], quote: str) -> list[Cell]:
    """The cells of the table row that a quote is the text of."""
    wanted = fold(quote)
    for element in elements:
        for row, text in row_texts(element.cells).items():
            if fold(text) == wanted:
                return [c for c in element.cells if c.row == row and c.text]
    return []


def _row_place(
    layers: Mapping[int, Sequence[Word]], chunk: Chunk, row: Sequence[Cell], areas: Sequence[PageBox]
) -> Place:
    """Where a table row stands; verified when each of its cells is found, word for word, in its own box.

    Of a row that a page break cuts, the rest may stand in the table's area (``areas``) on the next page.
    """
    boxed = [(c.text, c.page, c.box) for c in row if c.page is not None and c.box is not None]
    if not boxed:
        page = next((c.page for c in row if c.page is not None), next(iter(chunk.page_numbers), None))
        boxes = tuple(b for b in chunk.boxes if b.page == page)
        return Place(page=page, boxes=boxes, verified=not layers)
    page = boxed[0][1]
    verified = not layers or len(boxed) == len(row)
    over: list[Word] = []
    for text, number, box in boxed if layers else ():
        inside = [w for w in layers.get(number, ()) if _is_inside(w.box, box)]
        below = [area.box for area in areas if area.page == page + 1]
        after = [w for w in layers.get(page + 1, ()) if any(_is_inside(w.box, area) for area in below)]
        rest = [] if find_words(inside, fold(text)) else _rest_of_cell(inside, after, fold(text))
        verified = verified and bool(rest or find_words(inside, fold(text)))
        over += rest
    box = union_box([box for _, number, box in boxed if number == page])
    more = (PageBox(page=page + 1, box=union_box([word.box for word in over])),) if over else ()
    return Place(page=page, boxes=(PageBox(page=page, box=box), *more), verified=verified, in_cells=bool(layers))


def _rest_of_cell(inside: Sequence[Word], after: Sequence[Word], wanted: str) -> list[Word]:
    """The words on the next page that end a cell's text; empty when they and those of the cell are not the text."""
    begun = fold(" ".join(word.text for word in _in_lines(inside)))
    return find_words(after, wanted[len(begun) :]) if begun and wanted.startswith(begun) else []


def _without_words(chunk: Chunk, elements: Sequence[Element], wanted: str, *, has_words: bool) -> Place:
    """A place in a document without a word layer: the elements whose texts, one after the other, hold the quote."""
    owners = [(element, text) for element in elements for text in element.text.split()]
    found = _matches([text for _, text in owners], wanted)
    run = [element for element, _ in owners[slice(*found[0])]] if found else []
    page = next((e.page_number for e in run), next(iter(chunk.page_numbers), None))
    boxes = [box for element in run for box in element.boxes] or [b for b in chunk.boxes if b.page == page]
    return Place(page=page, boxes=tuple(dict.fromkeys(boxes)), verified=bool(run) and not has_words)


def parse_citation_id(citation_id: str) -> tuple[str, int, int] | None:
    """(chunk id, start, end) of a citation id, or ``None`` when it is not one."""
    parts = citation_id.rsplit("-", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return parts[0], int(parts[1]), int(parts[2])
