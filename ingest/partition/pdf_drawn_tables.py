"""Tables in pictures: from recognised lines and the rules between them, or from how the lines stand in columns.

All boxes are in points of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ingest.partition.pdf_boxes import holds, merged, middle_y, overlaps
from ingest.partition.pdf_tables import count_header_rows
from ingest.tables import is_number
from ingest.types import BoundingBox, Cell, union_box

if TYPE_CHECKING:
    from ingest.ocr import OcrLine

TOUCH = 3.0
"""Points between two rules that meet in the drawing, at most."""
DRAWN_SHARE = 0.5
"""Share of a cell's side that a rule covers where there is a border."""
LEAST_BAND = 5.0
"""Points between two rules; closer ones are one rule drawn double."""
LETTER_EDGE = 0.1
"""Share of a line's height at its top and bottom, where a rule may touch it."""
HELD = 0.6
"""Share of a lattice's cells' rows that hold text, at least; a chart's are empty."""
FILLED = 0.35
"""Share of a ruled table's cells with text, at least."""
STACK = 4
"""Lines one above the other in a ruled band that make it rows without rules, at least."""
ALIGNED_ROWS, ALIGNED_COLUMNS = 3, 3
"""Rows and columns, at least, of a table that has no rules; a legend beside a chart has fewer."""
ALIGNED_FILL = 0.75
"""Share of the cells of such a table with text, at least."""
ALIGNED_NUMBERS = 0.4
"""Share of its cells that are numbers, at least: words alone stand in columns in many a drawing."""
TITLE_ROWS = 2
"""Lines of a title above such a table, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTable:
    """A table's box and cells, and the recognised lines (by index) that stand in it."""

    box: BoundingBox
    cells: tuple[Cell, ...]
    lines: frozenset[int]


def find_tables(page: int, lines: Sequence[OcrLine], rules: Sequence[BoundingBox]) -> list[DrawnTable]:
    """The tables that recognised lines stand in: ruled ones, and one without rules if all lines are in its columns."""
    drawn = [rule for rule in rules if not _is_of_letters(rule, lines)]
    found = [table for lattice in _lattices(drawn) if (table := _ruled_table(page, lines, lattice))]
    if found:
        return found
    aligned = _aligned_table(page, lines)
    return [aligned] if aligned else []


def _is_of_letters(rule: BoundingBox, lines: Sequence[OcrLine]) -> bool:
    """Whether a rule runs through the middle of a line of text: it is made of letters' strokes."""
    middle, wide = middle_y(rule), rule[2] - rule[0]
    return any(
        y0 + LETTER_EDGE * (y1 - y0) < middle < y1 - LETTER_EDGE * (y1 - y0)
        and min(x1, rule[2]) - max(x0, rule[0]) > wide / 2
        for x0, y0, x1, y1 in (line.box for line in lines)
    )


# --- rules --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lattice:
    """Rules that touch: where they run across and down, and their boxes."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    rules: tuple[BoundingBox, ...]

    def wall(self, column: int, row: int) -> bool:
        """Whether a rule runs down at the right side of a cell."""
        return self._covered(self.xs[column + 1], self.ys[row], self.ys[row + 1], down=True)

    def floor(self, column: int, row: int) -> bool:
        """Whether a rule runs along the bottom of a cell."""
        return self._covered(self.ys[row + 1], self.xs[column], self.xs[column + 1], down=False)

    def _covered(self, at: float, low: float, high: float, *, down: bool) -> bool:
        covered = 0.0
        for x0, y0, x1, y1 in self.rules:
            middle, start, end = ((x0 + x1) / 2, y0, y1) if down else ((y0 + y1) / 2, x0, x1)
            if _runs_down((x0, y0, x1, y1)) is down and abs(middle - at) <= TOUCH:
                covered += max(0.0, min(end, high) - max(start, low))
        return covered >= DRAWN_SHARE * (high - low)


def _runs_down(rule: BoundingBox) -> bool:
    return rule[3] - rule[1] > rule[2] - rule[0]


def _lattices(rules: Sequence[BoundingBox]) -> list[_Lattice]:
    """Groups of rules that touch and run both ways, at least two each way."""
    found = []
    for box in merged(rules, TOUCH):
        own = [rule for rule in rules if holds(box, rule, 0.5)]
        xs = _places([(r[0] + r[2]) / 2 for r in own if _runs_down(r)])
        ys = _places([(r[1] + r[3]) / 2 for r in own if not _runs_down(r)])
        if len(xs) >= 2 and len(ys) >= 2:
            found.append(_Lattice(xs=xs, ys=ys, rules=tuple(own)))
    return found


def _places(values: Iterable[float]) -> tuple[float, ...]:
    """Where rules run: the means of values that stand close together."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] < LEAST_BAND:
            groups[-1].append(value)
        else:
            groups.append([value])
    return tuple(sum(group) / len(group) for group in groups)


def _ruled_table(page: int, lines: Sequence[OcrLine], lattice: _Lattice) -> DrawnTable | None:
    """The table in a lattice; ``None`` where it is a chart's grid, a frame, or a form without text."""
    box = lattice.xs[0], lattice.ys[0], lattice.xs[-1], lattice.ys[-1]
    own = frozenset(i for i, line in enumerate(lines) if _centre_in(box, line.box))
    lattice = _with_stacked_rows(lattice, [lines[i] for i in sorted(own)])
    cells = _filled(page, _tiles(lattice), [lines[i] for i in sorted(own)])
    rows, columns = 1 + max(c.row for c in cells), 1 + max(c.column for c in cells)
    with_text = [cell for cell in cells if cell.text]
    if rows < 2 or columns < 2 or len(with_text) < max(3, FILLED * len(cells)):
        return None
    if len({cell.row for cell in with_text}) < HELD * rows:
        return None
    return DrawnTable(box=box, cells=_with_header(cells), lines=own)


def _centre_in(box: BoundingBox, inner: BoundingBox) -> bool:
    x, y = (inner[0] + inner[2]) / 2, middle_y(inner)
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _with_stacked_rows(lattice: _Lattice, lines: Sequence[OcrLine]) -> _Lattice:
    """The lattice of a table that is ruled around its head and its body alone, with its rows parted as well."""
    if len(lattice.ys) > 3:
        return lattice
    ys = list(lattice.ys)
    rules = list(lattice.rules)
    for top, bottom in pairwise(lattice.ys):
        rows = text_rows([line for line in lines if top <= middle_y(line.box) <= bottom])
        if len(rows) < STACK or sum(len(row) > 1 for row in rows) < len(rows) / 2:
            continue
        for above, below in pairwise(rows):
            y = (max(line.box[3] for line in above) + min(line.box[1] for line in below)) / 2
            ys.append(y)
            rules.append((lattice.xs[0], y, lattice.xs[-1], y))
    return replace(lattice, ys=tuple(sorted(ys)), rules=tuple(rules))


def text_rows(lines: Iterable[OcrLine]) -> list[list[OcrLine]]:
    """Lines side by side, from top to bottom, each row from left to right."""
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=lambda found: middle_y(found.box)):
        if rows and rows[-1][0].box[1] <= middle_y(line.box) <= rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda found: found.box[0]) for row in rows]


def _tiles(lattice: _Lattice) -> list[tuple[Cell, BoundingBox]]:
    """Cells that tile the lattice: those without a rule between them are one."""
    taken: set[tuple[int, int]] = set()
    found = []
    across, down = len(lattice.xs) - 1, len(lattice.ys) - 1
    for row in range(down):
        for column in range(across):
            if (row, column) in taken:
                continue
            wide = _reach(column, across, lambda c, r=row: not lattice.wall(c, r) and (r, c + 1) not in taken)  # type: ignore[misc]
            columns = range(column, column + wide)
            high = _reach(row, down, lambda r, cs=columns: _is_open_below(lattice, cs, r))  # type: ignore[misc]
            taken.update((r, c) for r in range(row, row + high) for c in columns)
            box = lattice.xs[column], lattice.ys[row], lattice.xs[column + wide], lattice.ys[row + high]
            found.append((Cell(row=row, column=column, text="", rowspan=high, colspan=wide), box))
    return found


def _reach(start: int, end: int, goes_on: Callable[[int], bool]) -> int:
    """How many places from ``start`` belong together."""
    last = start
    while last + 1 < end and goes_on(last):
        last += 1
    return last - start + 1


def _is_open_below(lattice: _Lattice, columns: range, row: int) -> bool:
    """Whether the cells below a run of cells belong to it: nothing is drawn between them."""
    inner = list(columns)[:-1]
    return not any(lattice.floor(c, row) for c in columns) and not any(lattice.wall(c, row + 1) for c in inner)


def _filled(page: int, tiles: Sequence[tuple[Cell, BoundingBox]], lines: Sequence[OcrLine]) -> list[Cell]:
    """The cells with the text that stands in them; a line that was read over a rule is parted at it."""
    return [replace(cell, text=_text_in(box, lines), page=page, box=box) for cell, box in tiles]


def _text_in(box: BoundingBox, lines: Sequence[OcrLine]) -> str:
    rows = text_rows(line for line in lines if overlaps(box, line.box))
    return " ".join(text for row in rows for line in row if (text := _part_in(box, line)))


def _part_in(box: BoundingBox, line: OcrLine) -> str:
    inside = [word for word in line.words if _centre_in(box, word.box)]
    return line.text if len(inside) == len(line.words) else " ".join(word.text for word in inside)


def _with_header(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    rows = [[c for c in cells if c.row == row] for row in range(1 + max(c.row for c in cells))]
    rows = [row for row in rows if row]
    heads = count_header_rows(rows, given=_has_spanning_head(cells))
    return tuple(replace(cell, header=cell.row < heads) for cell in cells)


def _has_spanning_head(cells: Sequence[Cell]) -> bool:
    """Whether the first row groups columns, which only names of columns do."""
    first = [cell for cell in cells if cell.row == 0]
    return len(first) > 1 and any(cell.colspan > 1 for cell in first)


# --- columns ------------------------------------------------------------------------------------


def _aligned_table(page: int, lines: Sequence[OcrLine]) -> DrawnTable | None:
    """The table that all lines but a title's make, if they stand in rows and columns and many are numbers."""
    rows = text_rows(lines)
    for skipped in range(TITLE_ROWS + 1):
        body = rows[skipped:]
        columns = _columns([line for row in body for line in row])
        if len(body) < ALIGNED_ROWS or len(columns) < ALIGNED_COLUMNS:
            continue
        cells = [
            _aligned_cell(
                page, r, c, [line for line in row if column[0] <= (line.box[0] + line.box[2]) / 2 <= column[1]]
            )
            for r, row in enumerate(body)
            for c, column in enumerate(columns)
        ]
        texts = [cell.text for cell in cells if cell.text]
        if len(texts) >= ALIGNED_FILL * len(cells) and sum(map(is_number, texts)) >= ALIGNED_NUMBERS * len(texts):
            own = frozenset(i for i, line in enumerate(lines) if any(line is other for row in body for other in row))
            box = union_box([lines[i].box for i in own])
            return DrawnTable(box=box, cells=_with_header(cells), lines=own)
    return None


def _columns(lines: Sequence[OcrLine]) -> list[tuple[float, float]]:
    """Where columns begin and end: stretches that lines cover, with clear gaps between them."""
    found: list[tuple[float, float]] = []
    for line in sorted(lines, key=lambda one: one.box[0]):
        left, _, right, _ = line.box
        if found and left <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def _aligned_cell(page: int, row: int, column: int, lines: Sequence[OcrLine]) -> Cell:
    box = union_box([line.box for line in lines]) if lines else None
    return Cell(row=row, column=column, text=" ".join(line.text for line in lines), page=page, box=box)
