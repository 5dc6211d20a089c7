"""Tables of a PDF page: LiteParse's rows as cells with header rows and spans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ingest.images import caption_kind
from ingest.partition.pdf_boxes import box_of
from ingest.partition.pdf_words import page_element
from ingest.tables import cells_to_html, table_text
from ingest.types import BoundingBox, Cell, Element, union_box

if TYPE_CHECKING:
    from liteparse.types import LayoutBlock, LayoutCell


def table_elements(page: int, block: LayoutBlock, box: BoundingBox) -> Iterator[Element]:
    """A table, after its caption where LiteParse took that for the first row; nothing if all of it is empty."""
    rows = [list(block.header or []), *(block.rows or [])] if block.header else list(block.rows or [])
    if rows and _is_caption_row(rows[0]):
        caption = _row_box(rows[0]) or box
        text = " ".join(" ".join(cell.text.split()) for cell in rows[0] if cell.text.strip())
        yield page_element(page, "FigureCaption", text, caption)
        rows = rows[1:]
        box = (box[0], min(caption[3], box[3]), box[2], box[3])
    heads = count_header_rows(rows, given=bool(block.header)) if rows else 0
    cells = [_cell(page, r, c, cell, header=r < heads) for r, row in enumerate(rows) for c, cell in enumerate(row)]
    cells = with_header_spans(cells, heads)
    text = table_text(cells)
    if text.strip():
        element = page_element(page, "Table", text, box)
        yield replace(element, cells=tuple(cells), text_as_html=cells_to_html(cells))


def _is_caption_row(row: Sequence[LayoutCell]) -> bool:
    """Whether a first row is the caption that was drawn close above the table."""
    texts = [cell.text.strip() for cell in row if cell.text.strip()]
    return bool(texts) and len(texts) < max(3, len(row)) and caption_kind(texts[0]) == "table"


def _row_box(row: Sequence[LayoutCell]) -> BoundingBox | None:
    boxes = [box_of(cell.bbox) for cell in row if cell.bbox is not None and cell.text.strip()]
    return union_box(boxes) if boxes else None


class Written(Protocol):
    """What a header is told by: LiteParse's cells have it, and ours."""

    @property
    def text(self) -> str:
        """The cell's text."""
        ...


def count_header_rows(rows: Sequence[Sequence[Written]], *, given: bool) -> int:
    """How many leading rows name columns.

    The first is the one that LiteParse saw, or one of words above numbers; a second one stands under gaps in the
    first and holds names or years alone.
    """
    count = int(given or _reads_as_header(rows))
    if count == 0 or len(rows) < 3:
        return count
    first, second = rows[0], rows[1]
    gaps = any(not cell.text.strip() for cell in first[1:])
    names = [cell.text.strip() for cell in second if cell.text.strip()]
    under = not second[0].text.strip() or not first[0].text.strip()
    if (gaps or not first[0].text.strip()) and names and under and all(_names_column(name) for name in names):
        return 2
    return count


def _names_column(text: str) -> bool:
    return not text[:1].isdigit() or re.fullmatch(r"(?:FY)?\s?(?:19|20)\d\d\D{0,4}", text) is not None


def with_header_spans(cells: list[Cell], heads: int) -> list[Cell]:
    """Cells with those of an upper header row widened over the columns whose middle they stand nearest to."""
    out = list(cells)
    for row in range(heads - 1):
        named = [c for c in out if c.row == row and c.box is not None]
        if len(named) < 2:
            continue
        owner = {
            column: min(named, key=lambda c: (abs(_middle(c.box) - middle), c.column))
            for column, middle in _column_middles(cells).items()
            if column != named[0].column or column > 0
        }
        for cell in named:
            columns = sorted(column for column, own in owner.items() if own is cell and column > 0) or [cell.column]
            first = 0 if cell.column == 0 and cell is named[0] else columns[0]
            run = [c for i, c in enumerate(columns) if c == columns[0] + i]
            wide = 1 if first == 0 else len(run)
            out = [
                c for c in out if c.row != row or c is cell or not first <= c.column < first + wide or c.box is not None
            ]
            out = [replace(c, column=first, colspan=wide) if c is cell else c for c in out]
    return sorted(out, key=lambda c: (c.row, c.column))


def _column_middles(cells: Sequence[Cell]) -> dict[int, float]:
    """The middle of each column, from the boxes of its cells, in points."""
    middles: dict[int, list[float]] = {}
    for cell in cells:
        if cell.box is not None and not cell.header:
            middles.setdefault(cell.column, []).append(_middle(cell.box))
    return {column: sorted(values)[len(values) // 2] for column, values in middles.items()}


def _middle(box: BoundingBox | None) -> float:
    return (box[0] + box[2]) / 2 if box else 0.0


def _cell(page: int, row: int, column: int, cell: LayoutCell, *, header: bool) -> Cell:
    text = " ".join(cell.text.split())
    box = box_of(cell.bbox) if cell.bbox is not None and text else None
    return Cell(row=row, column=column, text=text, header=header, page=page, box=box)


def _reads_as_header(rows: Sequence[Sequence[Written]]) -> bool:
    """Whether the first row names columns: words (or years) above rows that hold numbers."""
    first, rest = rows[0], rows[1:]
    body = [cell.text for row in rest for cell in row[1:] if cell.text.strip()]
    numeric = sum(any(ch.isdigit() for ch in text) for text in body)
    named = [cell.text.strip() for cell in first[1:] if cell.text.strip()]
    if not named or not body or numeric < len(body) / 2:
        return False
    return all(_names_column(text) for text in named)
