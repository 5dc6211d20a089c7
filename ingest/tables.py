"""Tables: a table's cells to HTML and back, as text, and as the grid that its spans tile.

Cells are the truth of a table; HTML and text are made from them. HTML is read by the table model of the WHATWG
standard, with spans clipped to what the table really has, so that a colspan of 200 million costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from ingest.types import Cell

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_COLUMNS = 1000
MAX_ROWSPAN = 10_000
LEADING = 20
"""Rows within which headers end, but for rare tables."""

_BREAKS = frozenset(
    {"address", "article", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption", "figure", "footer"}
    | {"form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tr", "ul"}
)
_SILENT = frozenset({"script", "style", "template", "noscript", "head"})
_TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td", "br"}
_OWN_HTML = re.compile(
    r"(?:[^<>]++|</?(?:table|thead|tbody|tr)>|</t[hd]>|<br>"
    r"|<t[hd](?: scope=\"[a-z]+\")?(?: (?:row|col)span=\"\d+\")*>)*+"
)
"""What ``cells_to_html`` writes."""
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"[-+−–(~±<>]*\s*[$€£¥]?\s*[-+−–]?[.,]?\d[\d.,'’\s]*(%|‰|[$€£¥])?[)*]*")


@dataclass(frozen=True, slots=True)
class _Slot:
    """One cell as written in the markup, before it has a place in the grid. ``rowspan`` 0 reaches the group's end."""

    text: str
    rowspan: int
    colspan: int
    header: bool


# Cells to HTML.


def cells_to_html(cells: Sequence[Cell]) -> str:
    """The cells as a well-formed ``<table>`` on one line: spans, header cells with their scope, escaped text.

    The leading rows that hold header cells alone form the ``<thead>``. A hole left of a cell becomes an empty
    ``<td>``, so that each cell keeps its column.
    """
    leading = header_rows(cells)
    head = _head_rows(cells, leading)
    rows = list(_written_rows(cells, leading))
    thead = f"<thead>{''.join(rows[:head])}</thead>" if head else ""
    tbody = f"<tbody>{''.join(rows[head:])}</tbody>" if rows[head:] else ""
    return f"<table>{thead}{tbody}</table>"


def safe_html(html: str) -> str:
    """HTML of a table with what ``cells_to_html`` writes and nothing else: no script, style, address or handler."""
    if _OWN_HTML.fullmatch(html):
        return html
    import nh3

    spans = {"rowspan", "colspan"}
    return nh3.clean(html, tags=_TABLE_TAGS, attributes={"th": {*spans, "scope"}, "td": spans}, link_rel=None)


def _head_rows(cells: Sequence[Cell], leading: int) -> int:
    """How many leading rows can be a ``<thead>``: header cells alone, and no span that leaves them."""
    head = min([leading, *(c.row for c in cells if not c.header)])
    while crossing := [c.row for c in cells if c.row < head < c.row + c.rowspan]:
        head = min(crossing)
    return head


def _written_rows(cells: Sequence[Cell], leading: int) -> Iterator[str]:
    by_row = _by_row(cells)
    busy: list[int] = []
    for row in range(_row_count(cells)):
        tags: list[str] = []
        column = 0
        for cell in by_row.get(row, []):
            tags.extend("<td></td>" for at in range(column, cell.column) if at >= len(busy) or busy[at] <= row)
            tags.append(_written_cell(cell, leading))
            column = cell.column + cell.colspan
            _occupy(busy, cell.column, column, row + cell.rowspan)
        yield f"<tr>{''.join(tags)}</tr>"


def _written_cell(cell: Cell, leading: int) -> str:
    tag = "th" if cell.header else "td"
    scope = f' scope="{_scope(cell, leading)}"' if cell.header else ""
    rowspan = f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
    colspan = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
    text = escape(_UNWRITABLE.sub("", cell.text), quote=False).replace("\n", "<br>")
    return f"<{tag}{scope}{rowspan}{colspan}>{text}</{tag}>"


def _scope(cell: Cell, leading: int) -> str:
    """What a header cell names: a column or a row, or all of those that it spans."""
    if cell.row < leading:
        return "colgroup" if cell.colspan > 1 else "col"
    return "rowgroup" if cell.rowspan > 1 else "row"


# HTML to cells.


def html_to_cells(html: str) -> tuple[Cell, ...]:
    """The cells of the first table in ``html``, by row and column; none if there is no table.

    Spaces are collapsed, line breaks and blocks inside a cell become newlines, and a nested table is flattened
    into the cell that holds it, a line a row. ``<th>`` cells and all cells of a ``<thead>`` are header cells.
    """
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    content = _UNWRITABLE.sub("", html).encode()
    root = etree.fromstring(content, parser) if content.strip() else None
    table = None if root is None else next(root.iter("table"), None)
    return () if table is None else element_to_cells(table)


def element_to_cells(table: _Element) -> tuple[Cell, ...]:
    """The cells of a parsed ``<table>``, as ``html_to_cells`` gives them."""
    placed: list[Cell] = []
    row = 0
    for group, header in _groups(table):
        busy: list[int] = []
        slots = [[_slot(node, in_head=header) for node in _own(tr, ("td", "th"))] for tr in group]
        first, reach = len(placed), 0
        # A row with no cell of its own is a row only where a span reaches into it.
        for offset, line in enumerate(slots):
            if line or reach > row:
                cells = list(_place(line, row, len(slots) - offset, busy))
                reach = max([reach, *(c.row + c.rowspan for c in cells)])
                placed.extend(cells)
                row += 1
        placed[first:] = [_clip_rows(cell, row) for cell in placed[first:]]
    return _clip_columns(placed)


def _groups(table: _Element) -> list[tuple[list[_Element], bool]]:
    """The rows of each row group in the order they are shown, and whether the group is a head."""
    groups: dict[object, list[_Element]] = {}
    for tr in _own(table, ("tr",)):
        groups.setdefault(tr.getparent(), []).append(tr)
    rank = {"thead": 0, "tfoot": 2}
    ordered = sorted(groups.items(), key=lambda group: rank.get(getattr(group[0], "tag", ""), 1))
    return [(rows, getattr(parent, "tag", "") == "thead") for parent, rows in ordered]


def _own(node: _Element, tags: tuple[str, ...]) -> Iterator[_Element]:
    """Descendants with one of ``tags`` that are not inside another one or inside a nested table."""
    for child in node:
        if child.tag in tags:
            yield child
        elif child.tag != "table":
            yield from _own(child, tags)


def _slot(node: _Element, *, in_head: bool) -> _Slot:
    return _Slot(
        text=block_text(node),
        rowspan=min(_span(node.get("rowspan"), least=0), MAX_ROWSPAN),
        colspan=min(_span(node.get("colspan"), least=1), MAX_COLUMNS),
        header=in_head or node.tag == "th",
    )


def _span(value: str | None, least: int) -> int:
    digits = re.match(r"\s*\+?(\d{1,9})", value or "")
    number = int(digits[1]) if digits else 1
    return number if number >= least else 1


def _place(line: Iterable[_Slot], row: int, rows_left: int, busy: list[int]) -> Iterator[Cell]:
    """Cells in the free columns of a row. ``busy`` holds for each column the first row that is free again."""
    column = 0
    for slot in line:
        while column < len(busy) and busy[column] > row:
            column += 1
        wanted = max(1, min(slot.colspan, MAX_COLUMNS - column))
        colspan = next((n for n, end in enumerate(busy[column : column + wanted]) if end > row), wanted)
        rowspan = min(slot.rowspan or rows_left, rows_left) if column < MAX_COLUMNS else 1
        _occupy(busy, column, column + colspan, row + rowspan)
        yield Cell(row=row, column=column, text=slot.text, rowspan=rowspan, colspan=colspan, header=slot.header)
        column += colspan


def _occupy(busy: list[int], start: int, end: int, until: int) -> None:
    busy.extend([0] * (end - len(busy)))
    busy[start:end] = [until] * (end - start)


def _clip_rows(cell: Cell, rows: int) -> Cell:
    return cell if cell.row + cell.rowspan <= rows else replace(cell, rowspan=rows - cell.row)


def _clip_columns(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Cells whose colspans end with the table: where its last cell starts, or where its shortest row ends."""
    if not cells:
        return ()
    ends = [0] * _row_count(cells)
    for cell in cells:
        for row in range(cell.row, cell.row + cell.rowspan):
            ends[row] = max(ends[row], cell.column + cell.colspan)
    width = max(min(ends), 1 + max(c.column for c in cells))
    return tuple(c if c.column + c.colspan <= width else replace(c, colspan=width - c.column) for c in cells)


def block_text(node: _Element) -> str:
    """The text of a parsed element with spaces collapsed and a newline between its blocks; no blank lines.

    A picture counts with its ``alt`` text, the cells of a nested table are parted by a space.
    """
    lines = (" ".join(line.split()) for line in "".join(_pieces(node)).split("\0"))
    return "\n".join(line for line in lines if line)


def _pieces(node: _Element) -> Iterator[str]:
    if not isinstance(node.tag, str) or node.tag in _SILENT:
        return
    edge = "\0" if node.tag in _BREAKS else " " if node.tag in {"td", "th"} else ""
    yield edge
    yield node.get("alt", "") if node.tag == "img" else ""
    yield node.text or ""
    for child in node:
        yield from _pieces(child)
        yield child.tail or ""
    yield edge


# What a table says.


def table_text(cells: Sequence[Cell]) -> str:
    """A line a row, its cells joined by one space, each cell once, in the row where it begins.

    Rows and cells without text leave nothing behind, so lines need not be as many as rows.
    """
    rows = sorted(_by_row(cells).items())
    lines = (" ".join(" ".join(cell.text.split()) for cell in row if cell.text.strip()) for _, row in rows)
    return "\n".join(line for line in lines if line)


def grid(cells: Sequence[Cell]) -> list[list[Cell | None]]:
    """The dense grid: a spanning cell stands at each place that it covers, ``None`` where no cell is."""
    columns = max((c.column + c.colspan for c in cells), default=0)
    dense: list[list[Cell | None]] = [[None] * columns for _ in range(_row_count(cells))]
    for cell in cells:
        for row in dense[cell.row : cell.row + cell.rowspan]:
            row[cell.column : cell.column + cell.colspan] = [cell] * cell.colspan
    return dense


def header_rows(cells: Sequence[Cell]) -> int:
    """How many leading rows are column headers: most of the cells with text are header cells, also the last one."""
    # A long table's body need not be sorted to see where its header ends.
    leading = [c for c in cells if c.row <= LEADING]
    found = _leading_headers(leading)
    return found if found <= LEADING or len(leading) == len(cells) else _leading_headers(cells)


def _leading_headers(cells: Sequence[Cell]) -> int:
    by_row, active = _by_row(cells), list[Cell]()
    rows = _row_count(cells)
    for row in range(rows):
        before, active = active, [c for c in active if c.row + c.rowspan > row] + by_row.get(row, [])
        if not _is_header_row([c for c in active if c.text.strip()]) or _heads_section(active, before):
            return row
    return rows


def _heads_section(row: Sequence[Cell], above: Sequence[Cell]) -> bool:
    """Whether a row is one cell over all columns that each have a header: it names the rows below, as no unit does."""
    if len(row) != 1 or len(above) < 2 or any(c.colspan > 1 for c in above):
        return False
    text = row[0].text.strip()
    return row[0].colspan >= len(above) and not text.startswith("(") and not text.lower().startswith("in ")


def _is_header_row(row: Sequence[Cell]) -> bool:
    if not row:
        return False
    last = max(row, key=lambda cell: cell.column)
    return last.header and 2 * sum(cell.header for cell in row) > len(row)


def column_headers(cells: Sequence[Cell], column: int) -> tuple[str, ...]:
    """The header texts above a column, top to bottom, each once; newlines become spaces."""
    leading = header_rows(cells)
    return _texts_above([c for c in cells if c.row < leading], column)


def _texts_above(header: Sequence[Cell], column: int) -> tuple[str, ...]:
    above = [c for c in header if c.column <= column < c.column + c.colspan]
    texts = (" ".join(c.text.split()) for c in sorted(above, key=lambda c: c.row))
    return tuple(dict.fromkeys(text for text in texts if text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A table read once for all of its rows.

    ``head`` is ``header_rows``, ``headers`` are the ``column_headers`` of each column. ``rows`` has the cells that
    begin in a row by column, ``reaching`` those with text that reach into a row from above; rows without any are left
    out.
    """

    head: int
    headers: tuple[tuple[str, ...], ...]
    rows: Mapping[int, Sequence[Cell]]
    reaching: Mapping[int, Sequence[Cell]]


def outline(cells: Sequence[Cell]) -> Outline:
    """Read a table's header, and its cells by row: for those who ask it of every row."""
    head = header_rows(cells)
    above = [c for c in cells if c.row < head]
    reaching: dict[int, list[Cell]] = {}
    for cell in (c for c in cells if c.rowspan > 1 and c.text.strip()):
        for row in range(cell.row + 1, cell.row + cell.rowspan):
            reaching.setdefault(row, []).append(cell)
    width = max((c.column + c.colspan for c in cells), default=0)
    return Outline(
        head=head,
        headers=tuple(_texts_above(above, column) for column in range(width)),
        rows=_by_row(cells),
        reaching=reaching,
    )


def is_number(text: str) -> bool:
    """Whether a cell's text is a number, with or without sign, currency, percent and grouping."""
    return _NUMBER.fullmatch(text.strip()) is not None


def _row_count(cells: Sequence[Cell]) -> int:
    return max((c.row + c.rowspan for c in cells), default=0)


def _by_row(cells: Sequence[Cell]) -> dict[int, list[Cell]]:
    """The cells that begin in each row, by column."""
    rows: dict[int, list[Cell]] = {}
    for cell in sorted(cells, key=lambda c: (c.row, c.column)):
        rows.setdefault(cell.row, []).append(cell)
    return rows
