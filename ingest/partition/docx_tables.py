"""Tables of Word documents: their cells with spans and header rows, and the tables that stand in their cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.partition.docx_markup import W, is_on
from ingest.tables import is_number
from ingest.types import Cell

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_YEAR = re.compile(r"(19|20)\d\d")


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


@dataclass(slots=True)
class _Placed:
    """A cell between the edges of the table's grid as it is written, which may count millions of columns."""

    row: int
    start: int
    end: int
    text: str
    rowspan: int = 1


def table_cells(table: _Element) -> tuple[Cell, ...]:
    """The cells of a parsed ``w:tbl`` with their spans; columns in which no cell begins or ends do not count."""
    placed: list[_Placed] = []
    above: dict[int, _Placed] = {}
    for r, row in enumerate(_rows(table)):
        at = _count(row.find(f"{W}trPr/{W}gridBefore"), least=0)
        current: dict[int, _Placed] = {}
        for node in row.iterchildren(f"{W}tc"):
            end = at + _count(node.find(f"{W}tcPr/{W}gridSpan"))
            start = above.get(at)
            if _continues(node) and start is not None and start.end == end:
                start.rowspan += 1
            else:
                start = _Placed(row=r, start=at, end=end, text=_text(node))
                placed.append(start)
            current[at] = start
            at = end
        above = current
    columns = {edge: i for i, edge in enumerate(sorted({c.start for c in placed} | {c.end for c in placed} | {0}))}
    return tuple(
        Cell(
            row=c.row,
            column=columns[c.start],
            text=c.text,
            rowspan=c.rowspan,
            colspan=columns[c.end] - columns[c.start],
        )
        for c in placed
    )


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
    count = _repeated_rows(table) or int(_first_row_is_header(cells, table))
    first = [c for c in cells if c.row == 0]
    if count == 1 and any(c.colspan > 1 for c in first):
        count = max(c.rowspan for c in first)
    return tuple(replace(c, header=c.row < count) for c in cells)


def _repeated_rows(table: _Element) -> int:
    marks = [is_on(row.find(f"{W}trPr/{W}tblHeader")) for row in _rows(table)]
    return marks.index(False) if False in marks else len(marks)


def _first_row_is_header(cells: Sequence[Cell], table: _Element) -> bool:
    """Words or years over other rows: in a table with a first row style, with numbers below, or bold alone."""
    first = [c.text for c in cells if c.row == 0 and c.text]
    below = [c.text for c in cells if c.row > 0]
    if len(first) < 2 or not below or any(is_number(t) and not _YEAR.fullmatch(t) for t in first):
        return False
    return _has_first_row_look(table) or any(is_number(t) for t in below) or _is_bold_over_plain(table)


def _has_first_row_look(table: _Element) -> bool:
    look = table.find(f"{W}tblPr/{W}tblLook")
    if look is None:
        return False
    flag, bits = look.get(f"{W}firstRow"), look.get(f"{W}val", "0")
    return flag in ("1", "true", "on") if flag else bool(int(bits, 16) & 0x20)


def _is_bold_over_plain(table: _Element) -> bool:
    first, *others = (_runs_bold(row) for row in _rows(table))
    return bool(first) and all(first) and any(not all(row) for row in others)


def _runs_bold(row: _Element) -> list[bool]:
    """Of each run with text in a row, whether it is set in bold."""
    runs = (run for run in row.iter(f"{W}r") if run.text.strip())  # type: ignore[attr-defined]
    return [is_on(run.find(f"{W}rPr/{W}b")) for run in runs]
