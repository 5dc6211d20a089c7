"""The typed frame of a table: its body as a pandas frame of texts, and what each column holds.

A frame can be turned, so that what stands above columns names its rows: a question then finds years in rows whichever
way the table was printed. Rows of totals are marked, and what stands in a row alone names the rows below it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ingest.tables import is_number
from ingest.types import Cell
from retrievers.table_heads import Grid, carried, header_count, is_year_text, texts_of
from retrievers.table_values import (
    Amount,
    has_decimal_comma,
    is_bound,
    is_date,
    is_missing,
    is_unit,
    month_in,
    read_amount,
    read_unit,
)
from retrievers.table_words import is_period, label_words

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 400
"""Cells of a column from which it is told what it holds."""
MOST = 0.7
"""Share of the cells with a value that must be of one sort."""
TURNED_ROWS, TURNED_COLUMNS = 120, 60
"""Size up to which a table is also read turned."""
SUMMED_ROWS, SUMMED_COLUMNS = 3, 2
"""Rows above a last one, and columns of it that add up, from which this is no chance."""
_TOTAL = re.compile(
    r"\W*(?:(?:grand |sub-? ?|overall )?totals?\b(?! of\b).*|sub-?totals?\b.*|sum|all|overall|altogether|together"
    r"|.*\btotals?|all [\w -]+|insgesamt|gesamt|summe|total g\u00e9n\u00e9ral)\W*",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\W*(?:grand |overall )?(?:totals?|all|overall|altogether|together|sum)\b(?: [\w-]+)?\W*", re.IGNORECASE
)
_SUMMARY = re.compile(
    r"\W*(?:averages?|mean|median|change|growth|difference|variance|% change|cagr)\b.*", re.IGNORECASE
)

_SAID_TWICE = re.compile(r"\b([A-Z][a-z]{2,})\b(?:\s+[a-z]+)*\s+\1\b")
"""A header such as "Goals for Goals", whose end belongs to the next column."""
_YEAR_NAME = re.compile(r"(?:full |whole |financial )?year|annual|12 months|fy", re.IGNORECASE)

ColumnKind = Literal["number", "year", "date", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a frame: the texts above it, the words of these, what it holds, and the unit that it states."""

    path: tuple[str, ...]
    words: frozenset[str]
    kind: ColumnKind
    unit: str

    @property
    def name(self) -> str:
        """The header path as one text."""
        return " \u203a ".join(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A table's body. ``texts`` has a row an item, a column for each of ``columns``; ``""`` where there is nothing.

    ``row_places`` and ``column_places`` are the rows and columns of the grid; -1 of a column that is no column of the
    table, such as the headings of sections. Of a turned frame they are swapped. ``row_units`` are units that rows
    state (none where the table is long), ``unit`` that of the whole table. ``torn`` says that a column of numbers has
    no header, so that those of others may have slipped.
    """

    columns: tuple[Column, ...]
    texts: pd.DataFrame
    row_places: tuple[int, ...]
    column_places: tuple[int, ...]
    totals: tuple[bool, ...]
    wholes: tuple[bool, ...]
    row_units: tuple[str, ...]
    unit: str
    comma: bool
    turned: bool = False
    torn: bool = False

    def place(self, row: int, column: int) -> tuple[int, int]:
        """The row and column of the grid where a cell of the frame stands."""
        a, b = self.row_places[row], self.column_places[column]
        return (b, a) if self.turned else (a, b)

    def text(self, row: int, column: int) -> str:
        """The text of a cell of the frame."""
        return str(self.texts.iat[row, column])

    def amount(self, row: int, column: int) -> Amount | None:
        """The amount of a cell of the frame."""
        return read_amount(self.text(row, column), comma=self.comma)

    def unit_at(self, row: int, column: int) -> str:
        """The unit of a cell: its own, or its column's, its row's or the table's."""
        amount = self.amount(row, column)
        own = amount.unit if amount else ""
        named = self.columns[column].unit or (self.row_units[row] if self.row_units else "")
        if own == "%" or not (named or self.unit):
            return own
        if named == _NO_UNIT:
            return own
        return named or self.unit

    def labels(self, column: int | None = None) -> Sequence[str]:
        """What names each row: the texts of a column, or of the one that names rows best."""
        place = self.label_column if column is None else column
        return [] if place is None else [str(text) for text in self.texts.iloc[:, place]]

    @property
    def label_column(self) -> int | None:
        """The first column of texts, years or dates that tells rows apart, or the first one of a table's own."""
        named = [n for n, c in enumerate(self.columns) if c.kind != "number"]
        own = [n for n in named if self.column_places[n] >= 0] or named
        if self.turned:
            return own[-1] if own else None
        return next((n for n in own if self.texts.iloc[:, n].is_unique), own[0] if own else None)

    def row_name(self, row: int) -> str:
        """All that names a row, from the section that it stands in to its own label."""
        place = self.label_column
        before = [n for n in range(len(self.columns)) if self.turned or self.column_places[n] < 0]
        parts = [self.text(row, n) for n in before if self.columns[n].kind != "number" and n != place]
        own = self.text(row, place) if place is not None else ""
        return " ".join(dict.fromkeys(part for part in (*parts, own) if part))


_NO_UNIT = "number"


def read_frames(cells: Sequence[Cell], caption: str) -> list[Frame]:
    """The frame of a table, and where it is small the turned one; none of a table without numbers or header."""
    grid = texts_of(cells)
    head = header_count(cells, grid)
    if head == 0 or len(grid) <= head or len(grid[0]) < 2:
        return []
    grid[:head] = carried(grid[:head])
    frame = _frame(grid, head, sorted({c.row for c in cells}), caption)
    if frame is None:
        return []
    rows, columns = len(frame.row_places), len(frame.columns)
    turned = (
        None
        if frame.torn
        else _turned(frame, grid, head)
        if rows <= TURNED_ROWS and columns <= TURNED_COLUMNS
        else None
    )
    return [frame, turned] if turned is not None else [frame]


def _frame(grid: Grid, head: int, numbers: Sequence[int], caption: str) -> Frame | None:
    import pandas as pd

    header = grid[:head]
    body = [(n, row) for n, row in zip(numbers[head:], grid[head:], strict=True) if any(row) and row not in header]
    sections = list(_sections([row for _, row in body]))
    kept = [(n, row, section) for (n, row), section in zip(body, sections, strict=True) if section is not None]
    if not kept:
        return None
    texts = pd.DataFrame([row for _, row, _ in kept], dtype=object)
    with_sections = any(section for _, _, section in kept)
    if with_sections:
        texts.insert(0, "section", [section for _, _, section in kept])
    texts.columns = pd.RangeIndex(len(texts.columns))
    comma = has_decimal_comma(text for _, row, _ in kept[:SAMPLE] for text in row)
    columns = [_column(("",) * head if at < 0 else tuple(row[at] for row in header), texts[n], comma=comma)
               for n, at in enumerate(range(-1 if with_sections else 0, len(header[0])))]  # fmt: skip
    if not any(c.kind == "number" for c in columns):
        return None
    labels = _labels(texts, columns)
    frame = Frame(
        columns=tuple(columns),
        texts=texts,
        row_places=tuple(n for n, _, _ in kept),
        column_places=tuple(range(-1 if with_sections else 0, len(header[0]))),
        totals=tuple(_is_total(label) for label in labels),
        wholes=tuple(_WHOLE.fullmatch(label) is not None for label in labels),
        row_units=tuple(_own_unit(label) for label in labels) if len(labels) <= SAMPLE else (),
        unit=read_unit(caption),
        comma=comma,
        torn=any(c.kind == "number" and not c.path for c in columns[1:])
        or any(_SAID_TWICE.search(text) for row in header for text in row),
    )
    return _with_sum(frame)


def _with_sum(frame: Frame) -> Frame:
    """The frame with its last row marked as its total, where it is what the rows above add up to."""
    last = len(frame.totals) - 1
    if any(frame.totals) or not SUMMED_ROWS <= last <= SAMPLE or not _adds_up(frame, last):
        return frame
    return replace(frame, totals=(*frame.totals[:-1], True), wholes=(*frame.wholes[:-1], True))


def _adds_up(frame: Frame, last: int) -> bool:
    """Whether each column of amounts adds up to its last one; percentages may, as they may be averages."""
    sums = 0
    for column in (n for n, c in enumerate(frame.columns) if c.kind == "number"):
        whole = frame.amount(last, column)
        if whole is None or frame.unit_at(last, column) == "%":
            continue
        parts = list(amounts(frame, column, range(last)).values())
        # A loss among its parts makes a result, which is a row of its own and no total.
        if len(parts) < 2 or min(parts) < 0 or abs(math.fsum(parts) - whole.value) > 0.5 * 10**-whole.places:
            return False
        sums += whole.value > 0
    return sums >= SUMMED_COLUMNS


def _is_total(label: str) -> bool:
    return _TOTAL.fullmatch(label) is not None or _SUMMARY.fullmatch(label) is not None


def _labels(texts: pd.DataFrame, columns: Sequence[Column]) -> list[str]:
    """The first text of a row that is no section's, by which a total is known."""
    named = [n for n, c in enumerate(columns) if c.kind != "number" and (n or any(c.path))] or [0]
    return [str(text) for text in texts.iloc[:, named[0]]]


def _sections(rows: Sequence[Sequence[str]]) -> Iterator[str | None]:
    """For each row the heading of the section it stands in; ``None`` for the row that is the heading."""
    alone = [len(set(filter(None, row))) == 1 and bool(row[0]) and not is_number(row[0]) for row in rows]
    last = len(rows) - 1
    heads = [a and n < last and len(rows[n]) > 2 and not _is_total(rows[n][0]) for n, a in enumerate(alone)]
    name = ""
    for head, row in zip(heads, rows, strict=True):
        name = row[0] if head else "" if _WHOLE.fullmatch(row[0]) else name
        yield None if head else name


def _column(path: Sequence[str], texts: pd.Series, *, comma: bool) -> Column:
    names = tuple(dict.fromkeys(name for name in path if name))
    stated = names[-1] if len(names) > 1 and is_unit(names[-1]) else ""
    return Column(
        path=names,
        words=frozenset(word for name in names if name != stated for word in label_words(name)),
        kind=_kind([str(t) for t in texts.iloc[:SAMPLE]], names, comma=comma),
        unit=read_unit(f"({stated.strip('()[] ')})") if stated else _own_unit(" ".join(names)),
    )


def _own_unit(text: str) -> str:
    """The unit that a header or label states; ``number`` where it says that there is none."""
    if re.search(r"\((?:number|count|no\.)\)", text, re.IGNORECASE):
        return _NO_UNIT
    return read_unit(text) if re.search(r"[(\[%$\u20ac\u00a3\u00a5]|\bin\b", text) else ""


def _kind(texts: Sequence[str], names: Sequence[str], *, comma: bool) -> ColumnKind:
    filled = [text for text in texts if not is_missing(text)]
    if not filled:
        return "text"
    least = MOST * len(filled)
    if sum(is_year_text(text) for text in filled) >= least and not any("(" in name for name in names):
        return "year"
    if sum(is_date(text) for text in filled) >= least:
        return "date"
    amounts_ = sum(read_amount(text, comma=comma) is not None for text in filled)
    limits = sum(map(is_bound, filled))
    return "number" if amounts_ and amounts_ + limits >= least else "text"


def _turned(frame: Frame, grid: Grid, head: int) -> Frame | None:
    """A frame with a row for each column that holds numbers, named by the levels of its header."""
    import pandas as pd

    items = [n for n, c in enumerate(frame.columns) if c.kind == "number" and c.path]
    namers = [n for n, c in enumerate(frame.columns) if c.kind != "number"]
    if not items or not namers or frame.label_column is None:
        return None
    levels = [[grid[level][frame.column_places[n]] for n in items] for level in range(head)]
    levels = [level for level in levels if any(level)]
    values = [[frame.text(row, n) for n in items] for row in range(len(frame.row_places))]
    paths = [("",) for _ in levels] + [_row_path(frame, row) for row in range(len(values))]
    texts = pd.DataFrame(dict(enumerate([*levels, *values])), dtype=object)
    units = ["" for _ in levels] + list(frame.row_units)
    lasts = [frame.columns[n].path[-1] for n in items]
    years = _whole_years(lasts)
    columns = tuple(
        _named(path, list(texts[n]), label=n < len(levels), unit=unit)
        for n, (path, unit) in enumerate(zip(paths, units, strict=True))
    )
    return Frame(
        columns=columns,
        texts=texts,
        row_places=tuple(frame.column_places[n] for n in items),
        column_places=(*(-1 for _ in levels), *frame.row_places),
        totals=tuple(_is_total(last) or whole for last, whole in zip(lasts, years, strict=True)),
        wholes=tuple(_WHOLE.fullmatch(last) is not None or whole for last, whole in zip(lasts, years, strict=True)),
        row_units=tuple(frame.columns[n].unit for n in items),
        unit=frame.unit,
        comma=frame.comma,
        turned=True,
    )


def _whole_years(names: Sequence[str]) -> list[bool]:
    """Which of some names stand for the whole year among its months, quarters or halves."""
    named = [_YEAR_NAME.fullmatch(name) is not None for name in names]
    parts = [bool(month_in(name)) or any(is_period(w) and not w.isdigit() for w in label_words(name)) for name in names]
    return named if sum(parts) > 1 and sum(parts) + sum(named) == len(names) else [False] * len(names)


def _row_path(frame: Frame, row: int) -> tuple[str, ...]:
    """What names a row: its section, and its texts up to the one that tells rows apart."""
    label = frame.label_column
    named = (n for n, c in enumerate(frame.columns) if c.kind != "number" and label is not None and n <= label)
    return tuple(dict.fromkeys(text for n in named if (text := frame.text(row, n))))


def _named(path: Sequence[str], texts: list[str], *, label: bool, unit: str) -> Column:
    kind: ColumnKind = "number"
    if label:
        kind = "year" if all(map(is_year_text, filter(None, texts))) and any(texts) else "text"
    names = tuple(name for name in path if name)
    words = frozenset(word for name in names for word in label_words(name))
    return Column(path=names, words=words, kind=kind, unit=unit)


def amounts(frame: Frame, column: int, rows: Sequence[int]) -> Mapping[int, float]:
    """The values of a column in some rows; rows without one are left out."""
    texts = frame.texts.iloc[list(rows), column]
    read = {text: read_amount(str(text), comma=frame.comma) for text in texts.unique()}
    return {row: amount.value for row, text in zip(rows, texts, strict=True) if (amount := read[text]) is not None}
