"""Tables that stand sideways on a page: read as if the page were turned, with boxes where their words are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.partition.pdf_figures import place_of
from ingest.partition.pdf_table_lines import read_lines
from ingest.partition.pdf_table_numbers import filled_lines
from ingest.partition.pdf_words import UPRIGHT, PageText, page_element, squeezed
from ingest.tables import cells_to_html, table_text
from ingest.types import BoundingBox, Cell, Element, union_box

LEAST_WORDS = 6
"""Words of a table, at least."""


def with_sideways_tables(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with tables of numbers that stand sideways, and without what says their words again."""
    if not any(word.angle in (90, 270) for word in work.words):
        return list(elements)
    out = [e for e in elements if not _repeats_a_table(work, e, elements)]
    for angle in (90, 270):
        tables = [i for e in out if e.category == "Table" for i in work.words_in(e.boxes[0].box)]
        own = [i for i, word in enumerate(work.words) if word.angle == angle and i not in tables]
        if len(own) >= LEAST_WORDS:
            out = _with_turned(work, out, own, angle)
    return out


def _repeats_a_table(work: PageText, element: Element, elements: Sequence[Element]) -> bool:
    """Whether a text is words of a sideways table, which LiteParse read, a second time."""
    if element.category != "UncategorizedText":
        return False
    own = work.words_in(element.boxes[0].box)
    said = [
        squeezed(table.text)
        for table in elements
        if table.category == "Table" and set(own) <= set(work.words_in(table.boxes[0].box))
    ]
    words = work.at(own)
    return bool(words) and any(all(w.angle and squeezed(w.text) in text for w in words) for text in said)


def _with_turned(work: PageText, elements: list[Element], own: Sequence[int], angle: int) -> list[Element]:
    """The elements with the tables that words of one angle make when they are turned upright."""
    turned = [replace(work.words[i], box=UPRIGHT[angle](work.words[i].box), angle=0) for i in own]
    sheet = PageText(work.parsed, turned)
    out = elements
    for read in read_lines(sheet, union_box([word.box for word in turned])):
        filled = filled_lines(sheet, read, ())
        held = {own[i] for i in filled.words}
        cells = tuple(replace(cell, box=_back(cell, angle)) for cell in filled.cells)
        out = _with_cells(work, out, cells, held)
    return out


def _back(cell: Cell, angle: int) -> BoundingBox | None:
    return UPRIGHT[360 - angle](cell.box) if cell.box is not None else None


def _with_cells(work: PageText, elements: Sequence[Element], cells: tuple[Cell, ...], held: set[int]) -> list[Element]:
    """The elements with a table in place of the texts that are words of it."""
    kept = [
        e
        for e in elements
        if e.category == "Image" or not (inside := set(work.words_in(e.boxes[0].box))) & held or not inside <= held
    ]
    box = union_box([word.box for word in work.at(sorted(held))])
    table = page_element(work.number, "Table", table_text(cells), box)
    kept.insert(place_of(box, kept), replace(table, cells=cells, text_as_html=cells_to_html(cells)))
    return kept
