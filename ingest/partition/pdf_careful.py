"""The careful tier: a second look, by PyMuPDF's table models, at pages whose tables came out torn.

A page costs it about a CPU second, a hundred times the fast tier. So ``torn`` asks first, from the fast tier's result
alone, whether a page can gain. The two are then merged table by table: the grid is PyMuPDF's, the words
in its cells are LiteParse's, and a grid that holds the words no better than the fast table did is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.errors import BrokenError
from ingest.partition.pdf_boxes import gap_between
from ingest.partition.pdf_table_grids import Grid, count_gaps, with_grids
from ingest.partition.pdf_words import PageText, PageWord, lines
from ingest.render import open_page
from ingest.types import BoundingBox, Element

if TYPE_CHECKING:
    from pymupdf import Page as PdfPage

RAGGED = 0.3
"""Share of empty cells from which on a ruled table looks like one whose lines were taken for rows."""
ROW_REACH = 2.0
"""Lines (heights) between a table and a row of it that was left outside, at most."""
ROW_GAPS = 2
"""Wide gaps in a line beside a table that make it a row of at least three cells."""

__all__ = ["Grid", "read_tables", "torn", "with_grids"]


# --- whether to look ----------------------------------------------------------------------------


def torn(work: PageText, elements: Sequence[Element]) -> tuple[str, ...]:
    """Why the careful tier may read the page's tables better, in a few words each; nothing when they look whole."""
    tables = [e for e in elements if e.category == "Table"]
    signals = work.parsed.complexity.layout if work.parsed.complexity else None
    ruled = signals.ruled_table_count if signals else 0
    runs = signals.text_table_run_count if signals else 0
    found = {
        "ragged table": ruled and any(_is_ragged(table) for table in tables),
        "two-level header": any(_has_loose_heads(table) for table in tables),
        "row beside a table": any(_has_row_beside(work, table, elements) for table in tables),
        "table in pieces": any(_is_next_piece(work, a, b) for a in tables for b in tables if a is not b),
        "ruled lines without a table": ruled and not tables,
        "borderless table run": runs and not tables,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _is_ragged(table: Element) -> bool:
    return sum(not cell.text for cell in table.cells) >= RAGGED * len(table.cells)


def _has_loose_heads(table: Element) -> bool:
    """Whether a table has two header rows, and the upper one spans nothing: its lines may be those of one row."""
    heads = [cell for cell in table.cells if cell.header]
    return any(cell.row == 1 for cell in heads) and not any(cell.colspan > 1 for cell in heads)


def _has_row_beside(work: PageText, table: Element, elements: Sequence[Element]) -> bool:
    """Whether a line right above or below a table, no wider than it, is set in columns as its rows are."""
    if max(cell.column + cell.colspan for cell in table.cells) <= ROW_GAPS:
        return False
    x0, y0, x1, y1 = table.boxes[0].box
    height = _line_height(work.at(work.words_in(table.boxes[0].box)))
    reach, side = ROW_REACH * height, (x1 - x0) / 2
    near = work.words_in((x0 - side, y0 - reach, x1 + side, y1 + reach))
    other = {i for e in elements if e.category in ("Table", "Image") for i in work.words_in(e.boxes[0].box)}
    free = work.at([i for i in near if i not in other and not work.words[i].angle])
    return any(count_gaps(line) >= ROW_GAPS for line in lines(free))


def _is_next_piece(work: PageText, above: Element, below: Element) -> bool:
    """Whether a table starts so close below another one that a row between them may have been left out."""
    a, b = above.boxes[0].box, below.boxes[0].box
    height = _line_height(work.at(work.words_in(a)))
    return a[1] < b[1] and gap_between(a, b) <= 2 * ROW_REACH * height


def _line_height(words: Sequence[PageWord]) -> float:
    """The median height of words, in points; 0 of none."""
    heights = sorted(word.box[3] - word.box[1] for word in words)
    return heights[len(heights) // 2] if heights else 0.0


# --- the look -----------------------------------------------------------------------------------


def read_tables(path: Path, page: int, *, password: str | None = None) -> list[Grid]:
    """The tables that PyMuPDF's models see on a page (from 1).

    Raises:
        EncryptedError: the file needs a password, or another one.
        BrokenError: PyMuPDF cannot read the page.
    """
    import pymupdf

    # What follows the page's content stream and the models' output is Python, and meets what it did not expect.
    unexpected = (RuntimeError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
    try:
        with open_page(path, page, password=password) as shown:
            return list(_grids(shown))
    except (*unexpected, pymupdf.mupdf.FzErrorBase) as exc:
        raise BrokenError(f"PyMuPDF cannot read page {page}: {exc}") from exc


class _Row(Protocol):
    cells: Sequence[Sequence[float] | None]


class _Table(Protocol):
    bbox: Sequence[float]
    rows: Sequence[_Row]
    header_rows: int | None


def _grids(page: PdfPage) -> Iterator[Grid]:
    tables: Sequence[_Table] = page.find_tables(union=True, refine=True).tables
    for table in tables:
        rows = tuple(tuple(_box(cell) if cell else None for cell in row.cells) for row in table.rows)
        if len({len(row) for row in rows}) == 1 and any(cell for row in rows for cell in row):
            yield Grid(box=_box(table.bbox), rows=rows, heads=table.header_rows or 0)


def _box(values: Sequence[float]) -> BoundingBox:
    x0, y0, x1, y1 = values
    return x0, y0, x1, y1
