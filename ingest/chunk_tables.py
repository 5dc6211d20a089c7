"""Tables as chunks: the text of a table, its parts when it is long, and a self-contained line for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.chunk_text import pages_of, split_text, squeeze
from ingest.tables import cells_to_html, column_headers, header_rows, html_to_cells, is_number, table_text
from ingest.types import BoundingBox, Cell, Element, PageBox, union_box

LONG_CELL = 100
"""Characters from which a cell holds a text rather than a value."""
KEY_CHARACTERS = 200
"""Longest text that names a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart:
    """A table, or some whole rows of it under its repeated header.

    ``header`` is the text of the header rows. ``rows`` has a line for each body row that can be understood
    alone: ``column header: value; ...``. ``title`` is what names the row, where a part is one row of long texts.
    ``many`` marks a part of a table of thousands of rows.
    """

    text: str
    text_as_html: str | None
    title: str = ""
    many: bool = False
    header: str = ""
    rows: tuple[str, ...] = ()
    page_numbers: tuple[int, ...] = ()
    boxes: tuple[PageBox, ...] = ()


def table_parts(element: Element, caption: str, limit: int) -> list[TablePart]:
    """A table as one part, or cut between rows into parts of up to ``limit`` characters of text.

    Each part begins with the caption and the header rows, unless these fill more than half of it. A cut falls
    where no cell spans over it; only rows that are tied together for more than ``limit`` are cut apart, and then
    each part repeats the spanning cell. A single row is never cut. A table without boxes whose rows hold long texts
    (questions and answers, products) has a part for each row.
    """
    cells = element.cells or (html_to_cells(element.text_as_html) if element.text_as_html else ())
    if not any(cell.text.strip() for cell in cells):
        return _parts_without_cells(element, caption, limit)
    many = _skips_rows(cells)
    table = _read(cells, many=many)
    if _holds_texts(element, table):
        return _entries(table, caption)
    text = _join(caption, table_text(cells))
    if len(text) > limit:
        return _row_parts(element, _read(_without_gaps(cells)) if many else table, caption, limit)
    return [
        TablePart(
            text=text,
            text_as_html=element.text_as_html or cells_to_html(cells),
            many=many,
            header=table.header,
            rows=_row_lines(table, 0, len(table.rows)),
            page_numbers=pages_of([replace(element, cells=tuple(cells))]),
            boxes=element.boxes or _cell_boxes(cells, element.page_number),
        )
    ]


def _parts_without_cells(element: Element, caption: str, limit: int) -> list[TablePart]:
    lines = "\n".join(line for line in map(squeeze, element.text.splitlines()) if line)
    pieces = split_text(lines, limit) or [""]
    html = element.text_as_html if len(pieces) == 1 else None
    parts = [
        TablePart(
            text=_join("" if n else caption, piece),
            text_as_html=html,
            rows=tuple(piece.splitlines()),
            page_numbers=pages_of([element]),
            boxes=element.boxes,
        )
        for n, piece in enumerate(pieces)
    ]
    return [part for part in parts if part.text]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table by its rows: ``rows[r]`` holds the cells that reach into row ``r``, from left to right.

    ``head`` counts the header rows; it is 0 if there is no body below them.
    """

    rows: tuple[tuple[Cell, ...], ...]
    head: int

    @property
    def header(self) -> str:
        return table_text(self.cut(0, self.head))

    def cut(self, start: int, end: int, offset: int = 0) -> tuple[Cell, ...]:
        """The cells that reach into rows ``start`` to ``end``, clipped to them and placed at row ``offset``."""
        reaching = {(cell.row, cell.column): cell for row in self.rows[start:end] for cell in row}
        return tuple(
            replace(cell, row=top - start + offset, rowspan=min(cell.row + cell.rowspan, end) - top)
            for cell in reaching.values()
            for top in [max(cell.row, start)]
        )


def _read(cells: Sequence[Cell], *, many: bool = False) -> _Table:
    """A table's rows. Of ``many``, those that are missing are left out, and cells keep the numbers of theirs."""
    numbers = sorted({cell.row for cell in cells}) if many else range(max(cell.row + cell.rowspan for cell in cells))
    by_number: dict[int, list[Cell]] = {number: [] for number in numbers}
    for cell in sorted(cells, key=lambda cell: cell.column):
        for number in range(cell.row, cell.row + cell.rowspan):
            by_number[number].append(cell)
    rows = list(by_number.values())
    head = header_rows(cells)
    return _Table(rows=tuple(map(tuple, rows)), head=0 if head == len(rows) else head)


def _skips_rows(cells: Sequence[Cell]) -> bool:
    """Whether rows are missing, as in a later group of the rows of a long table."""
    rows = {cell.row for cell in cells}
    return max(rows) >= len(rows) and all(cell.rowspan == 1 for cell in cells)


def _without_gaps(cells: Sequence[Cell]) -> list[Cell]:
    """The cells in rows that follow each other."""
    places = {row: place for place, row in enumerate(sorted({cell.row for cell in cells}))}
    return [replace(cell, row=places[cell.row]) for cell in cells]


def _holds_texts(element: Element, table: _Table) -> bool:
    """Whether most rows hold a long text beside what names it, under a header. On a page a table is read as a whole."""
    body = [row for row in table.rows[table.head :] if row]
    if element.boxes or not table.head or len(body) < 2:
        return False
    if any(cell.rowspan > 1 or cell.page is not None for row in body for cell in row):
        return False
    long = [row for row in body if len(row) > 1 and max(len(cell.text) for cell in row) >= LONG_CELL]
    return 2 * len(long) > len(body)


def _entries(table: _Table, caption: str) -> list[TablePart]:
    """A part for each row, named by its key: the first column that tells all rows apart by short texts."""
    head = table.cut(0, table.head)
    body = [(number, row) for number, row in enumerate(table.rows) if number >= table.head and row]
    key = _key_column([row for _, row in body])
    parts: list[TablePart] = []
    for number, row in body:
        cells = (*head, *(replace(cell, row=table.head) for cell in row))
        parts.append(
            TablePart(
                text=_join(caption, table_text(cells)),
                text_as_html=cells_to_html(cells),
                title=next((squeeze(c.text) for c in row if c.column == key), ""),
                rows=_row_lines(table, number, number + 1),
            )
        )
    return parts


def _key_column(rows: Sequence[Sequence[Cell]]) -> int:
    """The first column with a short text in each row, another one in most; else the first one."""
    for column in sorted({cell.column for row in rows for cell in row}):
        texts = [squeeze(cell.text) for row in rows for cell in row if cell.column == column and cell.text.strip()]
        short = all(len(text) <= KEY_CHARACTERS and not is_number(text) for text in texts)
        if short and len(texts) == len(rows) and len(set(texts)) * 10 >= 9 * len(texts):
            return column
    return min(cell.column for row in rows for cell in row)


def _row_parts(element: Element, table: _Table, caption: str, limit: int) -> list[TablePart]:
    lead = _join(caption, table.header)
    head = table.head if len(lead) <= limit // 2 else 0  # a head that cannot be repeated is split like other rows
    lead = lead if head else caption if len(caption) <= limit // 2 else ""
    whole_pages = pages_of([element])
    parts: list[TablePart] = []
    for start, end in _row_ranges(table, head, limit - len(lead) - 1):
        shown = table.cut(start, end, head) if parts else table.cut(0, end)
        if not any(cell.text.strip() for cell in shown):
            continue
        cells = (*table.cut(0, head), *shown) if parts else shown
        boxes = _cell_boxes(shown, element.page_number) or element.boxes
        pages = {box.page for box in boxes} | {cell.page for cell in shown if cell.page is not None}
        parts.append(
            TablePart(
                text=_join(caption if lead or not parts else "", table_text(cells)),
                text_as_html=cells_to_html(cells),
                header=table.header,
                rows=_row_lines(table, start, end),
                page_numbers=tuple(sorted(pages)) or whole_pages,
                boxes=boxes,
            )
        )
    return parts


def _row_ranges(table: _Table, head: int, room: int) -> list[tuple[int, int]]:
    """The rows below ``head``, start and end, of each part: as many as have room, tied rows together."""
    sizes = [sum(len(cell.text) + 1 for cell in row if cell.row == n) for n, row in enumerate(table.rows)]
    ranges: list[tuple[int, int]] = []
    filled = 0
    for start, end in _tied_rows(table, head, sizes, room):
        filled += sum(sizes[start:end])
        if ranges and filled <= room + 1:  # the last line has no line break after it
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
            filled = sum(sizes[start:end])
    return ranges


def _tied_rows(table: _Table, head: int, sizes: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Runs of rows that no cell ties to the next; one that is longer than a part falls apart into its rows."""
    free = [n for n, row in enumerate(table.rows) if n > head and all(cell.row == n for cell in row)]
    for start, end in pairwise([head, *free, len(table.rows)]):
        if sum(sizes[start:end]) <= room + 1:
            yield start, end
        else:
            yield from ((row, row + 1) for row in range(start, end))


def _row_lines(table: _Table, start: int, end: int) -> tuple[str, ...]:
    """Each body row from ``start`` to ``end`` with its column headers, also with the cells that span into it."""
    above = table.cut(0, table.head)
    names: dict[int, tuple[str, ...]] = {}
    headers: dict[tuple[int, int], str] = {}
    lines: list[str] = []
    for row in table.rows[max(start, table.head) : end]:
        filled = [cell for cell in row if cell.text.strip()]
        for cell in filled:
            if (cell.column, cell.colspan) not in headers:
                headers[cell.column, cell.colspan] = _header_of(cell, above, names)
        lines.append("; ".join(f"{headers[c.column, c.colspan]}{squeeze(c.text)}" for c in filled))
    return tuple(line for line in lines if line)


def _header_of(cell: Cell, above: Sequence[Cell], names: dict[int, tuple[str, ...]]) -> str:
    """What stands before a cell's text: the names of its columns and a colon, or nothing."""
    for column in _columns(cell):
        if column not in names:
            names[column] = column_headers(above, column)
    header = " ".join(dict.fromkeys(name for column in _columns(cell) for name in names[column]))
    return f"{header}: " if header else ""


def _columns(cell: Cell) -> range:
    return range(cell.column, cell.column + cell.colspan)


def _cell_boxes(cells: Sequence[Cell], page_number: int | None) -> tuple[PageBox, ...]:
    """The box around the cells of each page; cells that do not know their page stand on ``page_number``."""
    by_page: dict[int, list[BoundingBox]] = {}
    for cell in cells:
        page = cell.page if cell.page is not None else page_number
        if cell.box is not None and page is not None:
            by_page.setdefault(page, []).append(cell.box)
    return tuple(PageBox(page=page, box=union_box(boxes)) for page, boxes in sorted(by_page.items()))


def _join(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
