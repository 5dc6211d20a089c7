"""Tables of numbers with the headers that stand above them: a read table's lines as cells with their spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ingest.partition.pdf_boxes import overlaps
from ingest.partition.pdf_table_grids import FilledGrid, with_table
from ingest.partition.pdf_table_lines import Column, LinedTable, Row, Unit, drawn_text, is_numeric, read_lines
from ingest.partition.pdf_table_rulings import Rule, Rules, page_rules
from ingest.partition.pdf_words import PageText
from ingest.types import BoundingBox, Cell, Element, union_box

RULE_REACH = 5.0
"""Points between a name and the line drawn under it, at most."""
OVER = 2.0
"""Points by which a line under a name may end before its last column does."""
INSIDE = 6.0
"""Points between a table's side and a line inside it, at least."""
BESIDE = 12.0
"""Points by which names of rows may reach above or below their table, at most."""
RULED = 0.3
"""Share of a table's height that a line between two of its columns takes, at least."""
ALIGNED = 3.0
"""Points by which a name over one column may stand off that column's edge or middle."""


@dataclass(slots=True)
class _Name:
    """A name of columns: its words, and the first and last column that it stands over."""

    first: int
    last: int
    words: list[int]

    @property
    def is_wide(self) -> bool:
        """Whether it names more than one column."""
        return self.last > self.first


@dataclass(slots=True)
class _Heads:
    """A header: rows of names that span columns, from the top, and below them a name for each column."""

    spans: list[list[_Name]] = field(default_factory=list)
    names: dict[int, list[int]] = field(default_factory=dict)
    label: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows it takes."""
        return len(self.spans) + bool(self.names)


def with_number_tables(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with each table of numbers as its lines tell it, where these say more than the fast table does."""
    out = list(elements)
    rules: Rules | None = None
    for table in [e for e in elements if e.category == "Table" and is_numeric(e)]:
        if table not in out:
            continue
        rules = rules or page_rules(work)
        read = [] if _is_ruled(table, rules) else read_lines(work, _with_names_beside(work, table, out))
        found = [_filled(work, own, rules.across) for own in read]
        covered = [e for e in out if e.category == "Table" and any(overlaps(e.boxes[0].box, f.box) for f in found)]
        if _says_more(found, covered):
            for filled in found:
                out = with_table(work, out, filled)
    return out


def _with_names_beside(work: PageText, table: Element, elements: Sequence[Element]) -> BoundingBox:
    """A table's box, grown over the names of its rows where they were left outside, to its left."""
    x0, y0, x1, y1 = table.boxes[0].box
    near = [
        e.boxes[0].box
        for e in elements
        if e is not table and e.category in ("Table", "NarrativeText", "UncategorizedText", "Title")
        if e.boxes[0].box[0] < x0 - INSIDE and y0 - BESIDE <= e.boxes[0].box[1] and e.boxes[0].box[3] <= y1 + BESIDE
    ]
    left = min((box[0] for box in near), default=x0)
    inside = [i for i in work.words_in((left, y0, x0, y1)) if not work.words[i].angle]
    lines_beside = len({round(work.words[i].box[1] / 4) for i in inside})
    rows = max((c.row for c in table.cells), default=0)
    return (left, y0, x1, y1) if lines_beside >= max(2, rows / 2) else (x0, y0, x1, y1)


def _is_ruled(table: Element, rules: Rules) -> bool:
    """Whether lines between a table's columns are drawn: they tell its cells better."""
    x0, y0, x1, y1 = table.boxes[0].box
    return any(
        x0 + INSIDE < rule.at < x1 - INSIDE and min(rule.end, y1) - max(rule.start, y0) >= RULED * (y1 - y0)
        for rule in rules.down
    )


def _says_more(found: Sequence[FilledGrid], tables: Sequence[Element]) -> bool:
    """Whether tables keep the numbers of those in their place, and have a header, rows or parts that these lack."""
    ours, fast = [_shape(f.cells) for f in found], [_shape(table.cells) for table in tables]
    if sum(_digits(t.cells) for t in tables) > sum(_digits(f.cells) for f in found):
        return False
    names, rows = sum(n for n, _ in ours), sum(r for _, r in ours)
    narrower = sum(map(_width, (t.cells for t in tables))) > sum(_width(f.cells) for f in found)
    return narrower or names > sum(n for n, _ in fast) or len(tables) != len(found) or rows > sum(r for _, r in fast)


def _width(cells: Sequence[Cell]) -> int:
    return max((c.column + c.colspan for c in cells), default=0)


def _digits(cells: Sequence[Cell]) -> int:
    return sum(ch.isdigit() for cell in cells for ch in cell.text)


def _shape(cells: Sequence[Cell]) -> tuple[int, int]:
    """How many columns a table names, and how many rows with numbers it has below these names."""
    heads = max((c.row + c.rowspan for c in cells if c.header), default=0)
    names = sum(bool(c.text.strip()) for c in cells if c.header and c.column > 0)
    return names, len({c.row for c in cells if c.row >= heads and c.column > 0 and c.text.strip()})


# --- cells --------------------------------------------------------------------------------------


def _filled(work: PageText, table: LinedTable, rules: Sequence[Rule]) -> FilledGrid:
    heads = _heads(table, rules)
    held = [*_head_cells(work, heads, len(table.columns)), *_body_cells(work, table, heads.rows)]
    box = union_box([work.words[i].box for _, words in held for i in words])
    return FilledGrid(box=box, cells=tuple(c for c, _ in held), held=tuple(tuple(words) for _, words in held))


def _cell(work: PageText, row: int, column: int, words: Sequence[int]) -> Cell:
    box = union_box([w.box for w in work.at(words)]) if words else None
    return Cell(row=row, column=column, text=drawn_text(work, words), page=work.number, box=box)


def _body_cells(work: PageText, table: LinedTable, start: int) -> Iterator[tuple[Cell, list[int]]]:
    for r, row in enumerate(table.rows, start):
        for c in range(len(table.columns) + 1):
            words = _words(row.name if c == 0 else row.values.get(c - 1, []))
            yield _cell(work, r, c, words), words


def _words(units: Sequence[Unit]) -> list[int]:
    return [i for unit in units for i in unit.words]


def _head_cells(work: PageText, heads: _Heads, columns: int) -> Iterator[tuple[Cell, list[int]]]:
    if not heads.rows:
        return
    label = _cell(work, 0, 0, heads.label)
    yield replace(label, header=True, rowspan=heads.rows), heads.label
    for r, names in enumerate(heads.spans):
        for name in names:
            cell = _cell(work, r, name.first + 1, name.words)
            yield replace(cell, header=True, colspan=name.last - name.first + 1), name.words
    for c in range(columns):
        above = [r for r, names in enumerate(heads.spans) if any(n.first <= c <= n.last for n in names)]
        top = max(above) + 1 if above else 0
        if top < heads.rows:
            words = heads.names.get(c, [])
            yield replace(_cell(work, top, c + 1, words), header=True, rowspan=heads.rows - top), words


# --- the header ---------------------------------------------------------------------------------


def _heads(table: LinedTable, rules: Sequence[Rule]) -> _Heads:
    """The lines of a header as names: those of one column stacked, those of several in rows of their own."""
    heads = _Heads(label=[i for row in table.heads for i in _words(row.name)])
    above_wide = False
    for row in reversed(table.heads):
        names = _names(row, table.columns, rules)
        if heads.names and not any(n.is_wide for n in names):
            names = _spread(names, row, table.columns)
        wide = [name for name in names if name.is_wide]
        for name in names:
            if not name.is_wide:
                heads.names[name.first] = name.words + heads.names.get(name.first, [])
        _add_wide(heads, wide, joins=above_wide)
        above_wide = bool(wide)
    return heads


def _add_wide(heads: _Heads, wide: list[_Name], *, joins: bool) -> None:
    """A row of wide names set on the header; where it ``joins``, a name's upper line joins its lower one."""
    if not wide:
        return
    lower = {(name.first, name.last): name for name in heads.spans[0]} if joins else {}
    if all((name.first, name.last) in lower for name in wide):
        for name in wide:
            lower[name.first, name.last].words[:0] = name.words
        return
    heads.spans.insert(0, wide)


def _names(row: Row, columns: Sequence[Column], rules: Sequence[Rule]) -> list[_Name]:
    """The names in a line of a header, each over the columns that its line or its own width covers."""
    units = sorted((u for units in row.values.values() for u in units), key=lambda u: u.box[0])
    places = [_over(unit, columns, rules) for unit in units]
    if any(a[1] >= b[0] for a, b in pairwise(places)):
        places = [_nearest(unit, columns) for unit in units]
    held: list[_Name] = []
    for unit, (first, last) in zip(units, places, strict=True):
        if held and first <= held[-1].last:
            held[-1].words += unit.words
        else:
            held.append(_Name(first, last, list(unit.words)))
    return held


def _over(unit: Unit, columns: Sequence[Column], rules: Sequence[Rule]) -> tuple[int, int]:
    x0, _, x1, y1 = unit.box
    drawn = [
        rule
        for rule in rules
        if -2.0 <= rule.at - y1 <= RULE_REACH and rule.start <= x0 + OVER and x1 - OVER <= rule.end
        if rule.start >= columns[0].full - 4 * OVER - (y1 - unit.box[1])
    ]
    for rule in drawn:
        under = [i for i, c in enumerate(columns) if rule.start - OVER <= c.middle <= rule.end + OVER]
        if under:
            return under[0], under[-1]
    over = [i for i, c in enumerate(columns) if unit.box[0] < c.right and c.left < unit.box[2]]
    return (over[0], over[-1]) if over else _nearest(unit, columns)


def _nearest(unit: Unit, columns: Sequence[Column]) -> tuple[int, int]:
    """The column with its middle or its right edge nearest to a name's."""
    x0, _, x1, _ = unit.box
    off = [min(abs(c.middle - (x0 + x1) / 2), abs(c.right - x1)) for c in columns]
    return off.index(min(off)), off.index(min(off))


def _spread(names: Sequence[_Name], row: Row, columns: Sequence[Column]) -> list[_Name]:
    """A lone name set in the middle of all columns, which are three or more, names them all."""
    units = [u for own in row.values.values() for u in own]
    if len(units) != 1 or len(columns) < 3:
        return list(names)
    middle = (units[0].box[0] + units[0].box[2]) / 2
    centre = (columns[0].full + columns[-1].right) / 2
    if abs(middle - centre) <= 2 * ALIGNED:
        return [replace(names[0], first=0, last=len(columns) - 1)]
    return list(names)
