"""What a page's own words and lines mend in its tables, before a model is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ingest.partition.pdf_boxes import gap_between
from ingest.partition.pdf_loss import lost_words
from ingest.partition.pdf_table_heads import with_heads
from ingest.partition.pdf_table_numbers import with_number_tables
from ingest.partition.pdf_table_ruled import with_ruled_tables
from ingest.partition.pdf_table_sideways import with_sideways_tables
from ingest.partition.pdf_words import PageText, page_element
from ingest.types import BoundingBox, Cell, Element, union_box

LEADERS = 0.5
"""Share of a table's rows with dots between a text and a page number, from which on it is a table of contents."""
SLIGHT = 0.005
"""Share of a page's letters that a new reading may drop: the marks and leaders of a table."""
LABEL_REACH = 12.0
"""Points between a chart and a row of its labels, at most."""

_ENTRY = re.compile(
    r".*?(?:(?:\.\s?){4,}|(?:…\s?){2,}|(?:·\s?){4,})\s*(\d{1,4}|[ivxlc]{1,7})", re.IGNORECASE | re.DOTALL
)


def mended(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements of a page with tables made whole from what is drawn and written on it."""
    found = [part for element in elements for part in _without_contents(element)]
    found = [_as_labels(element, found) for element in found]
    for mend in (with_ruled_tables, with_number_tables, with_heads, with_sideways_tables):
        found = unless_lost(work, found, mend(work, found))
    return found


def unless_lost(work: PageText, before: list[Element], after: list[Element]) -> list[Element]:
    """A new reading of a page's tables, unless words are in no element any more that were in one before."""
    if after == before:
        return before
    held, left = (lost_words(work.words, found).share for found in (before, after))
    return after if held is None or left is None or left >= held - SLIGHT else before


def _without_contents(element: Element) -> Iterator[Element]:
    """A table, or its rows as list items if it is a table of contents: dots lead to page numbers that do not fall."""
    rows = _rows(element.cells) if element.category == "Table" else []
    texts = [" ".join(cell.text for cell in row if cell.text.strip()) for row in rows]
    entries = [found[1] for text in texts if (found := _ENTRY.fullmatch(text))]
    pages = [int(entry) for entry in entries if entry.isdecimal()]
    falls = any(b < a for a, b in pairwise(pages))
    if len(entries) < 2 or len(entries) < LEADERS * len(rows) or falls:
        yield element
        return
    for row, text in zip(rows, texts, strict=True):
        page = element.page_number or 0
        yield page_element(page, "ListItem", text, _row_box(row) or element.boxes[0].box, 0)


def _as_labels(element: Element, elements: Sequence[Element]) -> Element:
    """A table, or its text alone if it is one row close to a picture: the labels of a chart's axis or its legend."""
    if element.category != "Table" or len(_rows(element.cells)) > 1:
        return element
    box = element.boxes[0].box
    if not any(e.category == "Image" and gap_between(e.boxes[0].box, box) <= LABEL_REACH for e in elements):
        return element
    return page_element(element.page_number or 0, "UncategorizedText", element.text, box)


def _rows(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells of each row that has text, by column."""
    rows: dict[int, list[Cell]] = {}
    for cell in sorted(cells, key=lambda c: (c.row, c.column)):
        rows.setdefault(cell.row, []).append(cell)
    return [row for row in rows.values() if any(cell.text.strip() for cell in row)]


def _row_box(row: Sequence[Cell]) -> BoundingBox | None:
    boxes = [cell.box for cell in row if cell.box is not None]
    return union_box(boxes) if boxes else None
