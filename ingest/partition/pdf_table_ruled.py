"""Tables whose cells are drawn with lines: each cell from the lines around it, and the words inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.partition.pdf_boxes import holds, overlaps
from ingest.partition.pdf_table_grids import FilledGrid, Grid, filled_grid, with_table
from ingest.partition.pdf_table_rulings import page_rules, ruled_boxes, ruled_grid
from ingest.partition.pdf_tables import count_header_rows
from ingest.partition.pdf_words import LABEL_GAP, PageText, lines, squeezed
from ingest.tables import header_rows, is_number
from ingest.types import BoundingBox, Cell, Element

FULL = 0.6
"""Share of cells with text in lines that are a table, where LiteParse saw none."""
LEAST_ROWS = 3
"""Rows of such a table, at least."""
HELD = 0.95
"""Share of a box's words that its cells must hold."""
SLACK = 3.0
"""Points by which a header's text may reach over the line below it."""


def with_ruled_tables(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with each table that is drawn as a grid of lines as that grid."""
    out = list(elements)
    for box, drawn in _grids(work):
        lefts = [min((cell[0] for row in drawn if (cell := row[c])), default=box[2]) for c in range(len(drawn[0]))]
        rows = [_parted(work, row, lefts) for row in drawn]
        tables = [e for e in out if e.category == "Table" and overlaps(e.boxes[0].box, box)]
        pictured = any(e.category == "Image" and holds(e.boxes[0].box, box) for e in out)
        filled = filled_grid(work, Grid(box=box, rows=tuple(rows), heads=_count_heads(rows, tables)))
        if not pictured and _is_table(work, filled, tables):
            out = with_table(work, out, _with_heads(filled))
    return out


def _grids(work: PageText) -> list[tuple[BoundingBox, tuple[tuple[BoundingBox | None, ...], ...]]]:
    rules = page_rules(work)
    found = [(box, ruled_grid(rules, box)) for box in ruled_boxes(rules)]
    return [(box, tuple(map(tuple, rows))) for box, rows in found if rows]


def _parted(
    work: PageText, row: Sequence[BoundingBox | None], lefts: Sequence[float]
) -> tuple[BoundingBox | None, ...]:
    """A row whose wide cells are parted at edges of the columns below, where their words stand apart there."""
    out = list(row)
    for at, box in enumerate(row):
        end = next((c for c in range(at + 1, len(row)) if row[c] is not None), len(row))
        cuts = [c for c in range(at + 1, end) if box and box[2] > lefts[c] and _stand_apart(work, box, lefts[c])]
        starts = [at, *cuts] if cuts else []
        if box is None:
            continue
        for start, stop in zip(starts, [*cuts, None], strict=True) if cuts else ():
            right = lefts[stop] if stop is not None else box[2]
            out[start] = (box[0] if start == at else lefts[start], box[1], right, box[3])
    return tuple(out)


def _stand_apart(work: PageText, box: BoundingBox, at: float) -> bool:
    """Whether the words of a cell stand on both sides of an edge, with a wide gap between them in each line."""
    own = work.at(work.words_in(box, slack=0.0))
    left, right = [w for w in own if w.box[2] <= at], [w for w in own if w.box[0] >= at]
    if not left or not right or len(left) + len(right) < len(own):
        return False
    return min(w.box[0] for w in right) - max(w.box[2] for w in left) > LABEL_GAP * (left[0].box[3] - left[0].box[1])


def _count_heads(rows: Sequence[Sequence[BoundingBox | None]], tables: Sequence[Element]) -> int:
    """The leading rows in which the fast table has its header."""
    ends = [
        cell.box[3] - SLACK
        for table in tables[:1]
        for cell in table.cells
        if cell.box is not None and cell.row + cell.rowspan <= header_rows(table.cells)
    ]
    bottom = max(ends, default=0.0)
    return sum(any(box is not None and box[1] < bottom for box in row) for row in rows)


def _is_table(work: PageText, filled: FilledGrid, tables: Sequence[Element]) -> bool:
    """Whether lines are a table's: they hold all words between them, and those of the fast tables, each row apart."""
    rows, columns = max(c.row + c.rowspan for c in filled.cells), max(c.column + c.colspan for c in filled.cells)
    with_text = sum(map(bool, filled.held))
    if min(rows, columns) < 2 or not filled.words:
        return False
    if not tables and (rows < LEAST_ROWS or with_text < FULL * len(filled.held)):
        return False
    for box in (filled.box, *(table.boxes[0].box for table in tables)):
        under = [i for i in work.words_in(box, slack=0.0) if not work.words[i].angle]
        if len(filled.words.intersection(under)) < HELD * len(under):
            return False
    if len(tables) == 1 and _is_same(filled.cells, tables[0].cells):
        return False
    return not any(_stacks_numbers(work, words) for words in filled.held)


def _is_same(cells: Sequence[Cell], fast: Sequence[Cell]) -> bool:
    """Whether a grid has the places of the fast table, and no letter more."""
    places = {(c.row, c.column, c.rowspan, c.colspan) for c in cells}
    letters = [sum(len(squeezed(c.text)) for c in own) for own in (cells, fast)]
    return places == {(c.row, c.column, c.rowspan, c.colspan) for c in fast} and letters[0] <= letters[1]


def _stacks_numbers(work: PageText, words: Sequence[int]) -> bool:
    """Whether a cell has a number in each of its lines, which are rows without lines between them then."""
    texts = ["".join(word.text for word in line) for line in lines(work.at(words))]
    return len(texts) > 1 and all(is_number(text) for text in texts)


def _with_heads(filled: FilledGrid) -> FilledGrid:
    """A grid with all rows of its header marked: where its first row spans columns, those that name them as well."""
    cells = filled.cells
    first = [c for c in cells if c.row == 0]
    heads = max((c.row + c.rowspan for c in cells if c.header), default=0)
    if not heads:
        rows = [[c for c in cells if c.row == row] for row in range(max(c.row for c in cells) + 1)]
        heads = count_header_rows([row for row in rows if row], given=False) if first else 0
    if heads and any(c.colspan > 1 for c in first):
        heads = max(heads, *(c.rowspan for c in first))
    return replace(filled, cells=tuple(replace(c, header=c.header or c.row < heads) for c in cells))
