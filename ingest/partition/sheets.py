"""Spreadsheets: each block of cells of each sheet a table, under the sheet's name and the title above the block.

A table's rows and columns count from its first cell, which in most sheets is A1. A long table comes in groups of
rows, each with the header again and the rows under their own numbers, so that none of them is too large to be shown;
the groups after each other are the whole table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.delimited import read_delimited
from ingest.partition.headings import nest_under_headings
from ingest.partition.sheet_blocks import TITLE_CHARACTERS, Block, find_blocks
from ingest.partition.sheet_grid import Grid, Line, Merge, Value
from ingest.partition.workbook import read_workbook
from ingest.tables import cells_to_html, header_rows, table_text
from ingest.types import Cell, Element, Page, Partition, Source, stable_id

WHOLE_CELLS = 5_000
"""Cells up to which a table stays in one piece."""
GROUP_CHARACTERS = 3_500
"""Characters of a group of rows of a longer one: with its header it is a chunk."""
MAX_TIED = 500
"""Rows that merged cells may hold together in a group."""
HIDDEN = "hidden sheet"


def partition(source: Source, options: PartitionOptions) -> Partition:  # noqa: ARG001 (the seat's signature)
    """Read a workbook or a file of records.

    Raises:
        EncryptedError: it needs a password.
        UnsupportedError: a binary workbook, or one that needs a package that is not installed.
        BrokenError: it is empty or damaged.
    """
    grids, warnings = _grids(source)
    pages = {id(grid): number for number, grid in enumerate(grids, 1) if grid.name is not None}
    made = [replace(e, page_number=pages.get(id(grid))) for grid in grids for e in _sheet(grid)]
    if not made:
        raise BrokenError("nothing in it: no sheet has a cell with a value")
    numbered = (replace(e, element_id=stable_id(source.id, i, e.category, e.text)) for i, e in enumerate(made))
    return Partition(
        elements=tuple(nest_under_headings(numbered)),
        pages=tuple(Page(page=number, width=0.0, height=0.0) for number in pages.values()),
        warnings=tuple(warnings),
    )


def _grids(source: Source) -> tuple[list[Grid], list[str]]:
    if source.format == "xlsx":
        return read_workbook(source.path)
    if source.format == "ods":
        from ingest.partition.opendocument_sheets import read_ods

        return read_ods(source.path)
    if source.format == "parquet":
        from ingest.partition.parquet import read_parquet

        return read_parquet(source.path)
    return read_delimited(source.path)


def _sheet(grid: Grid) -> Iterator[Element]:
    blocks = find_blocks(grid)
    if not blocks:
        return
    if grid.name is not None:
        yield _element("Title", f"{grid.name} ({HIDDEN})" if grid.hidden else grid.name, 0)
    for block in blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[Element]:
    for number, title in enumerate(block.titles):
        is_title = not number and len(title) <= TITLE_CHARACTERS
        yield _element("Title", title, 1) if is_title else _element("NarrativeText", title)
    if block.is_table:
        yield from map(_table, _groups(block))
    else:
        yield from (_element("NarrativeText", v.text) for _, values in block.lines for v in values)
    yield from (_element("NarrativeText", note) for note in block.notes)


def _element(category: str, text: str, depth: int | None = None) -> Element:
    return Element(element_id="", category=category, text=text, category_depth=depth)


def _table(cells: Sequence[Cell]) -> Element:
    cells = tuple(cells)
    return replace(_element("Table", table_text(cells)), text_as_html=_html(cells), cells=cells)


def _html(cells: Sequence[Cell]) -> str:
    """The table without its empty rows; rows without spans are many and are written as they are."""
    head = header_rows(cells)
    if any(c.row >= head and (c.rowspan > 1 or c.colspan > 1 or c.header) for c in cells):
        return cells_to_html(_without_gaps(cells))
    above = cells_to_html([c for c in cells if c.row < head]) if head else "<table></table>"
    rows: dict[int, list[str]] = {}
    for cell in cells:
        if cell.row >= head:
            row = rows.setdefault(cell.row, [])
            row.extend(["<td></td>"] * (cell.column - len(row)))
            row.append(f"<td>{escape(cell.text, quote=False).replace(chr(10), '<br>')}</td>")
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows.values())
    return f"{above.removesuffix('</table>')}<tbody>{body}</tbody></table>"


def _without_gaps(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with their rows numbered one after the other."""
    rows = {row: place for place, row in enumerate(sorted({c.row for c in cells}))}
    return [
        replace(
            c, row=rows[c.row], rowspan=sum(r in rows for r in range(c.row, c.row + c.rowspan)) if c.rowspan > 1 else 1
        )
        for c in cells
    ]


def _groups(block: Block) -> Iterator[list[Cell]]:
    """The cells of a block: all of them, or of as many rows as make a chunk, with the header in each."""
    spans = {(m.row, m.column): m for m in block.merges}
    head_lines, body = block.lines[: block.header], block.lines[block.header :]
    labels = not head_lines and _has_labels(body)
    head = _header_cells(block, head_lines, spans)
    if sum(len(values) for _, values in body) <= WHOLE_CELLS:
        yield [*head, *_cells(block, body, spans, labels=labels)]
        return
    group: list[Line] = []
    size = reach = 0
    for line in body:
        length = sum(len(v.text) + 1 for v in line[1])
        if group and size + length > GROUP_CHARACTERS and (line[0] >= reach or len(group) > MAX_TIED):
            yield [*head, *_cells(block, group, spans, labels=labels)]
            group, size = [], 0
        group.append(line)
        size += length
        ends = [spans[line[0], v.column] for v in line[1] if (line[0], v.column) in spans] if spans else []
        reach = max([reach, *(m.row + m.rowspan for m in ends)])
    yield [*head, *_cells(block, group, spans, labels=labels)]


def _has_labels(lines: Sequence[Line]) -> bool:
    """Whether rows of two cells have names on the left, as a form has."""
    if len(lines) < 2 or any(len(values) != 2 for _, values in lines):
        return False
    names = [values[0].text for _, values in lines]
    return len(set(names)) == len(names) and all(values[0].kind == "text" for _, values in lines)


def _cells(block: Block, lines: Sequence[Line], spans: dict[tuple[int, int], Merge], *, labels: bool) -> list[Cell]:
    top, left = block.row, block.column
    last_row = lines[-1][0] if lines else top
    right = left + block.width if spans else 0
    cells: list[Cell] = []
    for row, values in lines:
        for number, value in enumerate(values):
            merge = spans.get((row, value.column)) if spans else None
            cells.append(
                Cell(
                    row=row - top,
                    column=value.column - left,
                    text=value.text,
                    rowspan=min(merge.rowspan, last_row - row + 1) if merge else 1,
                    colspan=min(merge.colspan, right - value.column) if merge else 1,
                    header=labels and number == 0,
                )
            )
    return cells


def _header_cells(block: Block, lines: Sequence[Line], spans: dict[tuple[int, int], Merge]) -> list[Cell]:
    """The header: a group's name reaches over the columns below it, a column's name down to the last header row."""
    if not lines:
        return []
    top, left, bottom = block.row, block.column, lines[-1][0] + 1
    cells: list[Cell] = []
    for number, (row, values) in enumerate(lines):
        below = lines[number + 1 :]
        for place, value in enumerate(values):
            end = values[place + 1].column if place + 1 < len(values) else left + block.width
            merge = spans.get((row, value.column))
            columns, rows = (merge.colspan, merge.rowspan) if merge else _reach(row, value, end, below)
            cells.append(
                Cell(
                    row=row - top,
                    column=value.column - left,
                    text=value.text,
                    rowspan=min(rows, bottom - row),
                    colspan=min(columns, left + block.width - value.column),
                    header=True,
                )
            )
    return cells


def _reach(row: int, value: Value, end: int, below: Sequence[Line]) -> tuple[int, int]:
    """Columns and rows that a header cell stands for where cells are left empty instead of merged."""
    under = [v.column for _, values in below for v in values if value.column <= v.column < end]
    if not under:
        return 1, below[-1][0] - row + 1 if below else 1
    return (max(under) - value.column + 1, 1) if value.column in under else (1, 1)
