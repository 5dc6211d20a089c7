"""Names of columns that stand right above a table, and were left outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.images import caption_kind
from ingest.partition.pdf_table_grids import FilledGrid, with_table
from ingest.partition.pdf_table_lines import Line, Unit, drawn_text, page_lines
from ingest.partition.pdf_words import PageText
from ingest.tables import header_rows
from ingest.types import Cell, Element, union_box

REACH = 1.5
"""Heights of a line between a table and the names above it, at most."""
STACKED = 0.7
"""Heights of a line between two lines of names, at most."""
NAMES_REACH = 150.0
"""Points to the left of a table in which names of its rows may stand."""
MOST_LINES = 3
MOST_WORDS = 6
"""Words of one line of a name, at most."""

_Band = tuple[float, float]


def with_heads(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with each table that has no header joined to the line of names above it, where there is one."""
    out = list(elements)
    for table in [e for e in elements if e.category == "Table" and not header_rows(e.cells)]:
        bands = _bands(table)
        if len(bands) < 2 or _lacks_names(work, table):
            continue
        names = _names_above(work, table, bands, _standing(work, elements))
        if len(names) >= 2 and 2 * len(names) >= len(bands):
            out = with_table(work, out, _named(work, table, names))
    return out


def _bands(table: Element) -> dict[int, _Band]:
    """What each column takes of the page's width: from its leftmost text to that of the next column."""
    edges: dict[int, _Band] = {}
    for cell in table.cells:
        if cell.box is not None and cell.text.strip() and cell.colspan == 1:
            low, high = edges.get(cell.column, (cell.box[0], cell.box[2]))
            edges[cell.column] = min(low, cell.box[0]), max(high, cell.box[2])
    return edges


def _lacks_names(work: PageText, table: Element) -> bool:
    """Whether text stands to the left of most rows: then columns are missing, or others are next to the table."""
    x0, y0, _, y1 = table.boxes[0].box
    beside = [i for i in work.words_in((x0 - NAMES_REACH, y0, x0, y1), slack=-1.0) if not work.words[i].angle]
    rows = max(c.row for c in table.cells) + 1
    return 2 * len({round(work.words[i].box[1] / 4) for i in beside}) >= rows


def _standing(work: PageText, elements: Sequence[Element]) -> set[int]:
    """Words that tables and pictures hold."""
    return {i for e in elements if e.category in ("Table", "Image") for i in work.words_in(e.boxes[0].box)}


def _names_above(work: PageText, table: Element, bands: dict[int, _Band], other: set[int]) -> dict[int, list[Unit]]:
    """The units of the lines above a table, by column; none where one of them stands over no column, or over two."""
    x0, top, x1, bottom = table.boxes[0].box
    above = [line for line in page_lines(work, (x0, top, x1, bottom)) if line.bottom <= top + line.height / 2]
    names: dict[int, list[Unit]] = {}
    for count, line in enumerate(reversed(above[-MOST_LINES:])):
        reach = STACKED if count else REACH
        placed = _placed(line, bands) if top - line.bottom <= reach * line.height else None
        if placed is None or any(i in other for unit in line.units for i in unit.words):
            break
        if not count and len(placed) < 2:
            return {}
        if count and not all(_is_same_font(work, unit, names.get(column, [])) for column, unit in placed.items()):
            break
        for column, unit in placed.items():
            names.setdefault(column, []).insert(0, unit)
        top = line.top
    return names


def _is_same_font(work: PageText, unit: Unit, below: Sequence[Unit]) -> bool:
    """Whether a unit is the upper line of a name: right above it, and set as it is."""
    return bool(below) and work.words[unit.words[0]].font == work.words[below[0].words[0]].font


def _placed(line: Line, bands: dict[int, _Band]) -> dict[int, Unit] | None:
    """The units of a line by the column that each of them stands over."""
    if caption_kind(" ".join(unit.text for unit in line.units)) is not None:
        return None
    placed: dict[int, Unit] = {}
    for unit in line.units:
        over = [c for c, (low, high) in bands.items() if unit.box[0] < high and low < unit.box[2]]
        if len(over) != 1 or over[0] in placed or unit.is_value or len(unit.words) > MOST_WORDS:
            return None
        placed[over[0]] = unit
    return placed


def _named(work: PageText, table: Element, names: dict[int, list[Unit]]) -> FilledGrid:
    """A table with a row of names on top."""
    width = max(c.column + c.colspan for c in table.cells)
    words = {column: [i for unit in units for i in unit.words] for column, units in names.items()}
    heads = [_head(work, column, words.get(column, [])) for column in range(width)]
    cells = (*heads, *(replace(cell, row=cell.row + 1) for cell in table.cells))
    held = (*map(tuple, words.values()), tuple(work.words_in(table.boxes[0].box)))
    box = union_box([table.boxes[0].box, *(work.words[i].box for own in words.values() for i in own)])
    return FilledGrid(box=box, cells=cells, held=held)


def _head(work: PageText, column: int, words: Sequence[int]) -> Cell:
    box = union_box([w.box for w in work.at(words)]) if words else None
    return Cell(row=0, column=column, text=drawn_text(work, words), header=True, page=work.number, box=box)
