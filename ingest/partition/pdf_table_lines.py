"""Tables of numbers, read line by line from a page's words.

Such tables (accounts, statistics) are set without vertical lines: what tells their columns is that numbers stand
beneath each other. LiteParse finds them, but often leaves their header outside, parts them at each row without
numbers, and takes two close rows for one. Here the numbers of a table give its columns, and lines above and below it
that fit these columns belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ingest.images import caption_kind
from ingest.partition.pdf_boxes import middle_y
from ingest.partition.pdf_words import PageText, PageWord, join_texts
from ingest.types import BoundingBox, Element, union_box

UNIT_GAP = 0.75
"""Heights of a letter between two words of one cell, at most."""
LINE_REACH = 2.2
"""Heights of a line between two rows, at most: an empty row may be between them."""
HEAD_REACH = 1.6
"""Heights of a line between two lines of a header, at most."""
NEARER = 2.0
"""Points by which a line stands closer to one of its neighbours, at least, to belong to it."""
TOUCHING = 0.1
"""Heights of a letter between two pieces of one word, at most."""
SIDE = 10.0
"""Points that names may reach out of a table of numbers on its left and right, at most."""
CENTRED = 6.0
"""Points by which a title's middle may be off the table's."""
MOST_HEAD_LINES = 6
TWO_NAMES = 0.2
"""Share of rows whose names may be in two parts: more of them are two columns of words."""
NUMERIC = 0.6
"""Share of a table's cells, beside the first column, that are numbers in a table of numbers."""

_VALUE = re.compile(
    r"[-+\u2212\u2013\u2014(~<>\u00b1]*[$\u20ac\u00a3\u00a5]?[-+\u2212\u2013(]?(?:\d[\d.,]*|[.]\d+)"
    r"(?:%|\u2030|bps?|pts?|x)?[)%]*(?:\([a-z\d]\)|\*)*"
    r"|[$\u20ac\u00a3\u00a5]?[-\u2212\u2013\u2014]{1,2}%?|\*|n/?[am]",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"[(]?(?:[A-Z]{1,3})?[$\u20ac\u00a3\u00a5]")
_YEAR = re.compile(r"(?:FY)?(?:19|20)\d\d(?:\([\da-z]\)|[*\u2020])?", re.IGNORECASE)
_YEARS = re.compile(r"(?:19|20)\d\d(?:[-/\u2013](?:(?:19|20)?\d\d))?")
_SUFFIX = re.compile(r"[)%]+")
_RUNS_ON = re.compile(r"[-\u2010,;&/]$|\b(?:and|of|or|the|in|to|for|from|with|by|on|at)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Words of a line that stand together: a name, or a number with its currency and sign."""

    words: tuple[int, ...]
    text: str
    box: BoundingBox
    core: BoundingBox
    """The box without a currency sign, which may stand far to the left of its number."""

    @property
    def is_value(self) -> bool:
        """Whether it is a number (or the dash that stands for none), and no year."""
        bare = "".join(self.text.split())
        return _VALUE.fullmatch(bare) is not None and _YEAR.fullmatch(bare) is None

    @property
    def is_year(self) -> bool:
        """Whether it is a year."""
        return _YEAR.fullmatch("".join(self.text.split())) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table's part of the page."""

    units: tuple[Unit, ...]
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """The line's height, in points."""
        return self.bottom - self.top


@dataclass(slots=True)
class Row:
    """A line (or a few) against a table's columns: the words of its name, and of each column."""

    name: list[Unit] = field(default_factory=list)
    values: dict[int, list[Unit]] = field(default_factory=dict)
    top: float = 0.0
    bottom: float = 0.0

    @property
    def is_data(self) -> bool:
        """Whether it holds a number that is no year."""
        return any(unit.is_value for units in self.values.values() for unit in units)


@dataclass(slots=True)
class Column:
    """A column of numbers: where they stand, and from where on with their currency signs."""

    left: float
    right: float
    full: float

    @property
    def middle(self) -> float:
        """The middle of the numbers, in points."""
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LinedTable:
    """A table of numbers as rows against columns; ``heads`` are the lines of its header, from the top."""

    columns: tuple[Column, ...]
    heads: tuple[Row, ...]
    rows: tuple[Row, ...]


def is_numeric(table: Element) -> bool:
    """Whether most cells of a table, beside its first column, are numbers."""
    texts = ["".join(c.text.split()) for c in table.cells if c.column > 0 and c.text.strip() and not c.header]
    parts = [text for text in texts if text not in ("$", "%", ")")]
    numbers = sum(all(_VALUE.fullmatch(p) for p in _numbers_of(text)) for text in parts)
    return len(parts) >= 2 and numbers >= NUMERIC * len(parts)


def _numbers_of(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[\d)%\u2014-])\$|\s", text) if part] or [text]


def read_lines(work: PageText, box: BoundingBox) -> list[LinedTable]:
    """The table of numbers in a box as its lines tell it, grown over the lines that fit; none where lines do not fit.

    They are two where a second header stands among the rows.
    """
    page = page_lines(work, box)
    x0, y0, x1, y1 = box
    inside = [i for i, line in enumerate(page) if y0 - 1 <= (line.top + line.bottom) / 2 <= y1 + 1]
    found: list[LinedTable] = []
    start = 0
    while inside and (read := _read_from(page, inside, start, (x0 + x1) / 2)):
        found += [read[0]]
        start = read[1]
        inside = [i for i in inside if i >= start]
    return found


def _read_from(page: Sequence[Line], inside: Sequence[int], start: int, middle: float) -> tuple[LinedTable, int] | None:
    """The first table of numbers among lines, and the line behind its last one; its header is at ``start`` or below."""
    columns = _columns([page[i] for i in inside])
    fitted = {i: _row(page[i], columns) for i in inside} if columns else {}
    first = next((i for i, row in fitted.items() if row is not None and row.is_data), None)
    if first is None:
        return None
    below = _grown_down(page, first, columns)
    heads, named = _grown_up(page[start:first], page[first], columns, middle)
    rows = _with_whole_names([*named, *below])
    data = [row for row in rows if row.is_data]
    if len(data) < 2 or sum(len(row.name) > 1 for row in data) > TWO_NAMES * len(data):
        return None
    return LinedTable(columns=tuple(columns), heads=tuple(heads), rows=tuple(rows)), first + len(below)


# --- lines and what stands together in them ------------------------------------------------------


def page_lines(work: PageText, box: BoundingBox) -> list[Line]:
    """The lines of upright words of a page between the left and right edge of a box, from the top."""
    x0, x1 = box[0] - SIDE, box[2] + SIDE
    own = [
        i for i, w in enumerate(work.words) if not w.angle and x0 <= (w.box[0] + w.box[2]) / 2 <= x1 and w.text.strip()
    ]
    groups: list[list[int]] = []
    for i in sorted(own, key=lambda i: (middle_y(work.words[i].box), work.words[i].box[0])):
        if groups and _is_in_line(work.words[groups[-1][0]].box, work.words[i].box):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [_line(work, group) for group in groups]


def _is_in_line(first: BoundingBox, box: BoundingBox) -> bool:
    """Whether a word stands in the line of another one above its middle; a raised mark is in the line that it marks."""
    return first[1] <= middle_y(box) <= first[3] or box[1] <= middle_y(first) <= box[3]


def _line(work: PageText, group: Sequence[int]) -> Line:
    ordered = sorted(group, key=lambda i: work.words[i].box[0])
    box = union_box([work.words[i].box for i in ordered])
    return Line(tuple(_unit(work, part) for part in _parted(work, ordered)), box[1], box[3])


def _parted(work: PageText, ordered: Sequence[int]) -> Iterator[list[int]]:
    """The words of a line, parted at gaps and before currency signs; a sign stays with its number."""
    held: list[int] = []
    for i in ordered:
        word = work.words[i]
        if held and not _belongs(work.words[held[-1]], word):
            yield held
            held = []
        held.append(i)
    if held:
        yield held


def _belongs(left: PageWord, right: PageWord) -> bool:
    gap, height = right.box[0] - left.box[2], max(1.0, right.box[3] - right.box[1])
    if _CURRENCY.fullmatch(left.text):
        return _VALUE.fullmatch(right.text) is not None or gap <= UNIT_GAP * height
    if _CURRENCY.fullmatch(right.text) or (_YEARS.fullmatch(left.text) and _YEARS.fullmatch(right.text)):
        return False
    if _SUFFIX.fullmatch(right.text) and _VALUE.fullmatch(left.text):
        return gap <= 2 * UNIT_GAP * height
    return gap <= UNIT_GAP * height


def _unit(work: PageText, words: Sequence[int]) -> Unit:
    boxes = [work.words[i].box for i in words]
    core = boxes[1:] if len(boxes) > 1 and _CURRENCY.fullmatch(work.words[words[0]].text) else boxes
    return Unit(words=tuple(words), text=drawn_text(work, words), box=union_box(boxes), core=union_box(core))


def drawn_text(work: PageText, words: Sequence[int]) -> str:
    """Words in the order given, parted by a space where there is one on the page: numbers come in pieces."""
    text = ""
    for left, right in pairwise([None, *work.at(words)]):
        assert right is not None
        touches = left is not None and abs(right.box[0] - left.box[2]) <= TOUCHING * (right.box[3] - right.box[1])
        text = text + right.text if touches or left is None else join_texts(text, right.text)
    return text


# --- columns ------------------------------------------------------------------------------------


def _columns(lines: Sequence[Line]) -> list[Column]:
    """The columns that numbers beneath each other make; none where two numbers of a line would share one."""
    found: list[Column] = []
    for unit in [u for line in lines for u in _values(line)]:
        near = [c for c in found if unit.core[0] <= c.right and c.left <= unit.core[2]]
        new = Column(
            min([unit.core[0], *(c.left for c in near)]),
            max([unit.core[2], *(c.right for c in near)]),
            min([unit.box[0], *(c.full for c in near)]),
        )
        found = [c for c in found if c not in near] + [new]
    found.sort(key=lambda c: c.left)
    shared = any(len({_at(found, u) for u in _values(line)}) < len(_values(line)) for line in lines)
    return [] if shared else found


def _at(columns: Sequence[Column], unit: Unit) -> int:
    return next(i for i, c in enumerate(columns) if c.left <= unit.core[0] and unit.core[2] <= c.right)


def _values(line: Line) -> list[Unit]:
    """The numbers at the end of a line; a number in a name is followed by words."""
    if not any(unit.is_value for unit in line.units):
        return []
    names = [i for i, unit in enumerate(line.units) if not (unit.is_value or unit.is_year)]
    start = names[0] + 1 if names else 0
    return [unit for unit in line.units[start:] if unit.is_value]


def _row(line: Line, columns: Sequence[Column]) -> Row | None:
    """A line against the columns; nothing if a part of it stands in none, or in two."""
    row = Row(top=line.top, bottom=line.bottom)
    edge = columns[0].full
    for unit in line.units:
        if unit.box[0] < edge - 1 and unit.core[2] <= columns[0].middle and not row.values:
            row.name.append(unit)
            continue
        over = [i for i, c in enumerate(columns) if unit.core[0] < c.right and c.left < unit.core[2]]
        if len(over) != 1 or over[0] in row.values or unit.box[0] < edge - 2 * line.height:
            return None
        row.values[over[0]] = [unit]
    return row


# --- growing ------------------------------------------------------------------------------------


def _grown_down(page: Sequence[Line], first: int, columns: Sequence[Column]) -> list[Row]:
    """The rows from the first one of numbers on: all that fit, up to the last one of numbers."""
    rows: list[Row] = []
    last = page[first]
    for line in page[first:]:
        row = _row(line, columns)
        if row is None or line.top - last.bottom > LINE_REACH * last.height or _is_caption(line):
            break
        if row.values and not row.is_data:
            break
        rows.append(row)
        last = line
    while rows and not rows[-1].is_data and not (len(rows) > 1 and _goes_on(rows[-2], rows[-1])):
        rows.pop()
    return rows


def _is_caption(line: Line) -> bool:
    return caption_kind(" ".join(unit.text for unit in line.units)) is not None


def _grown_up(
    page: Sequence[Line], below: Line, columns: Sequence[Column], middle: float
) -> tuple[list[Row], list[Row]]:
    """The lines of a header above the first row of numbers, and the rows without numbers between them."""
    taken: list[Row] = []
    for line in reversed(page[-MOST_HEAD_LINES:]):
        row = _head_row(line, columns, middle)
        if row is None or below.top - line.bottom > HEAD_REACH * line.height or _is_caption(line):
            break
        taken.insert(0, row)
        below = line
    while taken and not taken[0].values:
        taken.pop(0)
    last = max((i for i, row in enumerate(taken) if row.values), default=-1)
    return taken[: last + 1], taken[last + 1 :]


def _head_row(line: Line, columns: Sequence[Column], middle: float) -> Row | None:
    """A line of a header: what does not name rows stands over columns, and nothing of it is a number."""
    row = Row(top=line.top, bottom=line.bottom)
    edge, right = columns[0].full, columns[-1].right
    for unit in line.units:
        if unit.core[2] <= columns[0].left and not row.values and unit.box[0] < edge - 2 * line.height:
            row.name.append(unit)
            continue
        over = [i for i, c in enumerate(columns) if unit.core[0] < c.right and c.full < unit.core[2]]
        over = over or [min(range(len(columns)), key=lambda i: abs(_middle(unit) - columns[i].middle))]
        if unit.is_value or unit.box[0] < edge - 4 * line.height or unit.box[2] > right + 4 * line.height:
            return None
        row.values.setdefault(over[0], []).append(unit)
    return None if _is_title(row, columns, middle) else row


def _is_title(row: Row, columns: Sequence[Column], middle: float) -> bool:
    """Whether a lone text is set in the middle of the whole table, not of its columns."""
    if len(row.values) != 1 or row.name:
        return False
    own = union_box([unit.core for units in row.values.values() for unit in units])
    apart = abs(middle - (columns[0].full + columns[-1].right) / 2)
    return abs((own[0] + own[2]) / 2 - middle) <= CENTRED < apart


def _middle(unit: Unit) -> float:
    return (unit.core[0] + unit.core[2]) / 2


def _with_whole_names(rows: Sequence[Row]) -> list[Row]:
    """The rows with names of several lines, of which one has the numbers, made whole."""
    out: list[Row] = []
    for at, row in enumerate(rows):
        after = rows[at + 1] if at + 1 < len(rows) else None
        if out and (_goes_on(out[-1], row) or (after is not None and _hangs_on(out[-1], row, after))):
            values = {**out[-1].values, **row.values}
            out[-1] = Row(name=[*out[-1].name, *row.name], values=values, top=out[-1].top, bottom=row.bottom)
        else:
            out.append(replace(row))
    return out


def _goes_on(above: Row, below: Row) -> bool:
    """Whether the second of two rows is the next line of the first one's name: close to it, and not both of numbers."""
    if (above.values and below.values) or not above.name:
        return False
    height = above.name[0].box[3] - above.name[0].box[1]
    if below.top - above.bottom > 0.5 * height:
        return False
    if not below.name:
        return below.top < above.bottom
    text, more = above.name[-1].text, below.name[0].text
    return bool(_RUNS_ON.search(text)) or more[:1].islower()


def _hangs_on(above: Row, row: Row, below: Row) -> bool:
    """Whether a line without numbers stands closer under the row above than over the one below."""
    return bool(above.values) and not row.values and row.top - above.bottom + NEARER < below.top - row.bottom
