"""Citations: where a quote stands (page, box a line, table cell), and whether it is verbatim there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

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

_FOLDED = {
    **dict.fromkeys("\u2018\u2019\u201a\u2032\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u00ad-", ""),
    **dict.fromkeys("\u200b\u200c\u200d\ufeff\ufffe\u0002", ""),
}
"""What may differ between a quote and its page: quotation marks, and hyphens, which line ends add and drop."""
SLACK = 2.0
"""Points by which a word's centre may lie outside its element's box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a quote stands: its page, a box a line, and whether it was found there word for word."""

    page: int | None
    boxes: tuple[PageBox, ...]
    verified: bool


def fold(text: str) -> str:
    """Text with spaces dropped and ligatures, Unicode forms, quotation marks and hyphens evened out."""
    return "".join(_fold_character(ch) for ch in text)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    evened = _FOLDED.get(character)
    if evened is not None:
        return evened
    normal = unicodedata.normalize("NFKC", character)
    return "".join(_FOLDED.get(ch, ch) for ch in normal if not ch.isspace())


def cite(library: Library, hit: Hit, start: int, end: int, number: int, *, cell: CellRef | None = None) -> Citation:
    """The citation of ``hit.chunk.text[start:end]``."""
    quote = hit.chunk.text[start:end]
    elements = library.elements(hit.chunk.element_ids)
    place = locate(library, hit.chunk, elements, quote)
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
    )


def locate(library: Library, chunk: Chunk, elements: Sequence[Element], quote: str) -> Place:
    """Find a quote of a chunk on its pages; in a document without pages, in its elements' texts."""
    wanted = fold(quote)
    for page_number in chunk.page_numbers:
        page = library.page(chunk.source_id, page_number)
        areas = [b.box for b in chunk.boxes if b.page == page_number]
        if page is None or not page.words:
            continue
        for words in _readings(page.words, areas):
            found = find_words(words, wanted)
            if found:
                return Place(page=page_number, boxes=line_boxes(found, page_number), verified=True)
    row = _row_cells(elements, quote)
    if row:
        return _row_place(library, chunk, row)
    return _without_words(chunk, elements, wanted)


def _readings(words: Sequence[Word], areas: Sequence[BoundingBox]) -> Iterator[list[Word]]:
    """The words inside the areas: in content order, area by area, in lines, and at last the whole page."""
    inside = [word for word in words if any(_is_inside(word.box, area) for area in areas)]
    yield inside
    yield [word for area in areas for word in words if _is_inside(word.box, area)]
    yield sorted(inside, key=lambda w: (round((w.box[1] + w.box[3]) / 2 / 4), w.box[0]))
    yield list(words)


def _is_inside(box: BoundingBox, area: BoundingBox) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return area[0] - SLACK <= x <= area[2] + SLACK and area[1] - SLACK <= y <= area[3] + SLACK


def find_words(words: Sequence[Word], wanted: str) -> list[Word]:
    """The run of words whose folded texts hold the folded quote; empty when there is none."""
    folded = [fold(word.text) for word in words]
    at = "".join(folded).find(wanted) if wanted else -1
    if at < 0:
        return []
    found: list[Word] = []
    position = 0
    for word, text in zip(words, folded, strict=True):
        if position < at + len(wanted) and position + len(text) > at:
            found.append(word)
        position += len(text)
    return found


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


# --- tables and documents without pages ---------------------------------------------------------


def row_text(cells: Sequence[Cell], row: int) -> str:
    """A table row as its chunk's text writes it: cells in column order, joined by one space."""
    inside = sorted((c for c in cells if c.row == row and c.text), key=lambda c: c.column)
    return " ".join(" ".join(c.text.split()) for c in inside)


def _row_cells(elements: Sequence[Element], quote: str) -> list[Cell]:
    """The cells of the table row that a quote is the text of."""
    wanted = fold(quote)
    for element in elements:
        for row in sorted({c.row for c in element.cells}):
            if fold(row_text(element.cells, row)) == wanted:
                return [c for c in element.cells if c.row == row and c.text]
    return []


def _row_place(library: Library, chunk: Chunk, row: Sequence[Cell]) -> Place:
    """Where a table row stands; verified when each of its cells is found, word for word, in its own box."""
    boxed = [(c, c.page, c.box) for c in row if c.page is not None and c.box is not None]
    if not boxed:
        return Place(page=chunk.page_numbers[0] if chunk.page_numbers else None, boxes=(), verified=not chunk.boxes)
    page_number = boxed[0][1]
    page = library.page(chunk.source_id, page_number)
    words = page.words if page else ()
    verified = len(boxed) == len(row) and all(
        find_words([w for w in words if _is_inside(w.box, box)], fold(cell.text)) for cell, _, box in boxed
    )
    box = union_box([box for _, number, box in boxed if number == page_number])
    return Place(page=page_number, boxes=(PageBox(page=page_number, box=box),), verified=verified)


def _without_words(chunk: Chunk, elements: Sequence[Element], wanted: str) -> Place:
    """A place in a document without a word layer: the element whose text holds the quote."""
    for element in elements:
        if wanted and wanted in fold(element.text):
            return Place(page=element.page_number, boxes=element.boxes, verified=not chunk.page_numbers)
    page = chunk.page_numbers[0] if chunk.page_numbers else None
    return Place(page=page, boxes=tuple(b for b in chunk.boxes if b.page == page), verified=False)


def parse_citation_id(citation_id: str) -> tuple[str, int, int] | None:
    """(chunk id, start, end) of a citation id, or ``None`` when it is not one."""
    parts = citation_id.rsplit("-", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return parts[0], int(parts[1]), int(parts[2])
