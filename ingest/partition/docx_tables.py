"""Tables of Word documents: their cells with spans and header rows, and the tables that stand in their cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.partition.docx_markup import W, is_on
from ingest.partition.flow import Placed, place_between_edges
from ingest.partition.header_rows import first_row_heads, with_header_rows
from ingest.types import Cell

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]


def tables_in(table: _Element) -> Iterator[tuple[Cell, ...]]:
    """The cells of a parsed ``w:tbl``, then those of each table in it, outer ones first; empty tables are left out.

    A cell has the text of its own paragraphs, a line each; what stands in a nested table is said there alone.
    """
    cells = with_header(table_cells(table), table)
    if any(cell.text for cell in cells):
        yield cells
    for row in _rows(table):
        for node in row.iterchildren(f"{W}tc"):
            for nested in node.iterchildren(f"{W}tbl"):
                yield from tables_in(nested)


def table_cells(table: _Element) -> tuple[Cell, ...]:
    """The cells of a parsed ``w:tbl`` with their spans; columns in which no cell begins or ends do not count."""
    return place_between_edges([list(_placed(row, r)) for r, row in enumerate(_rows(table))])


def _placed(row: _Element, number: int) -> Iterator[tuple[Placed, bool]]:
    """The cells of a row between the columns of the grid as written, and whether each continues the one above."""
    at = _count(row.find(f"{W}trPr/{W}gridBefore"), least=0)
    for node in row.iterchildren(f"{W}tc"):
        end = at + _count(node.find(f"{W}tcPr/{W}gridSpan"))
        yield Placed(row=number, start=at, end=end, text=_text(node)), _continues(node)
        at = end


def _rows(table: _Element) -> list[_Element]:
    return [row for row in table.iterchildren(f"{W}tr") if row.find(f"{W}tc") is not None]


def _count(mark: _Element | None, least: int = 1) -> int:
    value = "" if mark is None else str(mark.get(f"{W}val", ""))
    return max(int(value), least) if value.isdecimal() else least


def _continues(cell: _Element) -> bool:
    mark = cell.find(f"{W}tcPr/{W}vMerge")
    return mark is not None and mark.get(f"{W}val", "continue") == "continue"


def _text(cell: _Element) -> str:
    lines = (" ".join(p.text.split()) for p in cell.iterchildren(f"{W}p"))
    return "\n".join(line for line in lines if line)


# Header rows.


def with_header(cells: Sequence[Cell], table: _Element) -> tuple[Cell, ...]:
    """The cells, those of header rows marked: the rows that repeat on each page, else a first row that looks it."""
    is_styled = _has_first_row_look(table) or _is_bold_over_plain(table)
    return with_header_rows(cells, _repeated_rows(table) or int(first_row_heads(cells, is_styled=is_styled)))


def _repeated_rows(table: _Element) -> int:
    marks = [is_on(row.find(f"{W}trPr/{W}tblHeader")) for row in _rows(table)]
    return marks.index(False) if False in marks else len(marks)


def _has_first_row_look(table: _Element) -> bool:
    look = table.find(f"{W}tblPr/{W}tblLook")
    if look is None:
        return False
    flag, bits = look.get(f"{W}firstRow"), look.get(f"{W}val", "0")
    return flag in ("1", "true", "on") if flag else bool(int(bits, 16) & 0x20)


def _is_bold_over_plain(table: _Element) -> bool:
    first, *others = [_runs_bold(row) for row in _rows(table)] or [[]]
    return bool(first) and all(first) and any(not all(row) for row in others)


def _runs_bold(row: _Element) -> list[bool]:
    """Of each run with text in a row, whether it is set in bold."""
    runs = (run for run in row.iter(f"{W}r") if run.text.strip())
    return [is_on(run.find(f"{W}rPr/{W}b")) for run in runs]
