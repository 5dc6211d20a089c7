"""What comes of a selection: the value computed from its cells, how, and the cells that it rests on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrievers.table_frames import Frame, amounts
from retrievers.table_plans import judged_well
from retrievers.table_questions import TableQuestion
from retrievers.table_selection import Doubt, Selection
from retrievers.table_values import read_amount, without_marks

SHOWN = 8
"""Operands that an expression spells out, and cells that are cited."""
MOST_LISTED = 60
"""Rows that a list names at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A computed answer. ``cells`` are (row, column) of the frame, those that the answer names first.

    ``operands`` are the printed values of the expression in the order of ``cells``. ``missing`` counts rows without a
    value. ``formula`` has ``{}`` where the operands stand.
    """

    operation: str
    value: float | None
    shown: str
    unit: str
    items: tuple[str, ...]
    cells: tuple[tuple[int, int], ...]
    expression: str
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The values of a selection's rows in its column, with what they are printed as."""

    frame: Frame
    column: int
    values: Mapping[int, float]
    places: int
    unit: str
    missing: int

    def text(self, row: int) -> str:
        """The value of a row as an expression writes it."""
        return spelled(self.values[row], self.places)


def spelled(value: float, places: int) -> str:
    """A number with its decimals, thousands parted by commas."""
    return f"{round(value, places) + 0.0:,.{places}f}"


def compute(selection: Selection, question: TableQuestion) -> Result | Doubt:
    """Carry a question's operation out on what it selects."""
    if selection.column is None:
        return _listed(selection, question)
    measured = _measured(selection, selection.rows)
    if isinstance(measured, Doubt):
        return measured
    return _OPERATIONS[question.operation](selection, question, measured)


def _measured(selection: Selection, rows: Sequence[int]) -> _Measured | Doubt:
    frame, column = selection.frame, selection.column
    assert column is not None
    values = amounts(frame, column, rows)
    if not values:
        return _doubt(selection, "no value stands there")
    units = _units(frame, column, list(values))
    if len(units) > 1:
        return _doubt(selection, f"units differ: {', '.join(sorted(unit or 'none' for unit in units))}")
    texts = frame.texts.iloc[list(values), column].unique()
    read = (read_amount(str(text), comma=frame.comma) for text in texts)
    places = max(amount.places for amount in read if amount is not None)
    return _Measured(
        frame=frame,
        column=column,
        values=values,
        places=places,
        unit=next(iter(units)),
        missing=len(rows) - len(values),
    )


def _units(frame: Frame, column: int, rows: Sequence[int]) -> set[str]:
    if frame.row_units:
        return {frame.unit_at(row, column) for row in rows}
    texts = frame.texts.iloc[list(rows), column]
    first = dict(zip(reversed(texts.tolist()), reversed(rows), strict=True))
    return {frame.unit_at(row, column) for row in first.values()}


def _doubt(selection: Selection, reason: str, candidates: tuple[str, ...] = ()) -> Doubt:
    return Doubt(reason=reason, candidates=candidates, named=len(selection.named))


# --- without a measure -----------------------------------------------------------------------------


def _listed(selection: Selection, question: TableQuestion) -> Result | Doubt:
    """The rows that a question chooses: how many they are, or their names."""
    frame, rows = selection.frame, selection.rows
    if not (selection.bounds or selection.filters) and "list" not in question.text.lower():
        return _doubt(selection, "nothing says which rows")
    column = (selection.bounds or selection.filters or (frame.label_column or 0,))[0]
    total = sum(not t for t in frame.totals)
    said = " and ".join(selection.chosen) or "all"
    names = tuple(_names(selection, rows))
    group = selection.group
    if question.operation == "count":
        if group is not None and group != frame.label_column and frame.columns[group].kind == "text":
            names = tuple(dict.fromkeys(frame.text(row, group) for row in rows))
        return Result(
            operation="count",
            value=float(len(names) if len(names) != len(rows) and group != frame.label_column else len(rows)),
            shown=f"{len(rows):,}",
            unit="",
            items=names[:SHOWN],
            cells=tuple((row, column) for row in rows),
            expression=f"rows with {said}: {len(rows):,} of {total:,}",
        )
    if not rows or not selection.bounds:
        return _doubt(selection, "no row is so")
    if len(set(names)) > MOST_LISTED:
        return _doubt(selection, f"{len(rows):,} rows are so, too many to name")
    return Result(
        operation="list",
        value=None,
        shown="",
        unit="",
        items=tuple(dict.fromkeys(names)),
        cells=tuple((row, column) for row in rows),
        expression=f"rows with {said}: {len(rows):,} of {total:,}",
    )


def _names(selection: Selection, rows: Sequence[int]) -> list[str]:
    """What names each row in an answer: the asked column, or all levels of its name."""
    frame = selection.frame
    if selection.group is not None and not _repeats(selection, rows):
        return [without_marks(frame.text(row, selection.group)) for row in rows]
    return [without_marks(_short(frame, row, selection)) for row in rows]


def _repeats(selection: Selection, rows: Sequence[int]) -> bool:
    group = selection.group
    if group is None:
        return False
    texts = [selection.frame.text(row, group) for row in rows]
    return len(set(texts)) < len(texts)


def _short(frame: Frame, row: int, selection: Selection) -> str:
    """A row's label, with its levels where these were not chosen by the question."""
    place = frame.label_column
    if frame.turned and place is not None:
        open_ = [n for n, c in enumerate(frame.columns) if c.kind != "number" and n not in selection.filters]
        return " ".join(dict.fromkeys(frame.text(row, n) for n in open_)) or frame.row_name(row)
    return frame.text(row, place) if place is not None else frame.row_name(row)


# --- with a measure --------------------------------------------------------------------------------


def _look_up(selection: Selection, _: TableQuestion, measured: _Measured) -> Result | Doubt:
    if len(selection.rows) != 1 or selection.everything or len(measured.values) != 1:
        return _doubt(selection, "several rows fit", tuple(_names(selection, selection.rows[:6])))
    return _single(measured, selection.rows[0], "look-up")


def _single(measured: _Measured, row: int, operation: str) -> Result:
    text = measured.text(row)
    return Result(
        operation=operation,
        value=measured.values[row],
        shown=text,
        unit=measured.unit,
        items=(measured.frame.row_name(row),),
        cells=((row, measured.column),),
        expression=text,
    )


def _extreme(selection: Selection, question: TableQuestion, measured: _Measured) -> Result | Doubt:
    """The highest or lowest rows, as many as are asked for; of groups of rows their totals or averages."""
    if question.judged and not judged_well(question):
        return _doubt(selection, "it is not said whether best is high or low")
    if _repeats(selection, list(measured.values)):
        return _grouped(selection, question, measured)
    if len(measured.values) == 1 and selection.filters and "best" in measured.frame.columns[measured.column].words:
        return _single(measured, next(iter(measured.values)), "look-up")
    if len(measured.values) < max(2, question.many):
        return _doubt(selection, "too few rows have a value")
    sign = -1 if question.operation in ("max", "top") else 1
    ranked = sorted(measured.values, key=lambda row: sign * measured.values[row])
    last = measured.values[ranked[question.many - 1]]
    kept = [row for row in ranked if sign * measured.values[row] <= sign * last]
    names = _names(selection, kept)
    word = "highest" if sign < 0 else "lowest"
    shown = ", ".join(f"{name}: {measured.text(row)}" for name, row in zip(names, kept[:SHOWN], strict=False))
    many = f"{question.many} {word}" if question.many > 1 else word
    return Result(
        operation=question.operation,
        value=measured.values[kept[0]],
        shown=measured.text(kept[0]),
        unit=measured.unit,
        items=tuple(names),
        cells=tuple((row, measured.column) for row in ranked),
        expression=f"{many} of {len(ranked):,} values = {shown}",
        missing=measured.missing,
    )


def _grouped(selection: Selection, question: TableQuestion, measured: _Measured) -> Result | Doubt:
    group = selection.group
    assert group is not None
    if question.averaged == question.summed or (question.summed and measured.unit == "%"):
        return _doubt(selection, "it is not said whether the rows of a group are added or averaged")
    rows: dict[str, list[int]] = {}
    for row in measured.values:
        rows.setdefault(measured.frame.text(row, group), []).append(row)
    fold: Callable[[list[float]], float] = statistics.fmean if question.averaged else math.fsum
    values = {name: fold([measured.values[row] for row in own]) for name, own in rows.items() if name}
    if len(values) < max(2, question.many):
        return _doubt(selection, "too few groups")
    sign = -1 if question.operation in ("max", "top") else 1
    kept = sorted(values, key=lambda name: sign * values[name])[: question.many]
    places = measured.places + (2 if question.averaged else 0)
    how = "average" if question.averaged else "sum"
    return Result(
        operation=question.operation,
        value=values[kept[0]],
        shown=spelled(values[kept[0]], places),
        unit=measured.unit,
        items=tuple(kept),
        cells=tuple((row, measured.column) for name in kept for row in rows[name]),
        expression=f"{'highest' if sign < 0 else 'lowest'} {how} of {len(values):,} groups = "
        + ", ".join(f"{name}: {spelled(values[name], places)} ({len(rows[name])} rows)" for name in kept),
        missing=measured.missing,
    )


def _sum(selection: Selection, question: TableQuestion, measured: _Measured) -> Result | Doubt:
    stated = _stated_total(selection)
    if stated is not None:
        return stated
    rows = list(measured.values)
    if len(rows) == 1 and not selection.everything:
        return _single(measured, rows[0], "look-up")
    if measured.unit == "%":
        return _doubt(selection, "shares in percent are not added")
    if question.operation == "count" and not (question.summed or selection.everything):
        return _doubt(selection, "several rows fit", tuple(_names(selection, rows[:6])))
    if question.operation == "count" and not question.summed:
        return _doubt(selection, "nothing says that the rows are to be added")
    value = math.fsum(measured.values.values())
    return _folded("sum", " + ", measured, value, measured.places)


def _stated_total(selection: Selection) -> Result | None:
    """The table's own total, where all rows are asked for and it has one."""
    frame = selection.frame
    whole = [row for row, is_whole in enumerate(frame.wholes) if is_whole]
    if not selection.everything or len(whole) != 1:
        return None
    measured = _measured(selection, whole)
    return None if isinstance(measured, Doubt) else _single(measured, whole[0], "total")


def _folded(operation: str, sign: str, measured: _Measured, value: float, places: int) -> Result:
    rows = list(measured.values)
    shown = sign.join(_operand(measured.text(row)) for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        shown += f"{sign}\u2026 ({len(rows):,} cells)"
    expression = f"({shown}) / {len(rows):,}" if operation == "average" else shown
    return Result(
        operation=operation,
        value=value,
        shown=spelled(value, places),
        unit=measured.unit,
        items=(),
        cells=tuple((row, measured.column) for row in rows),
        expression=f"{expression} = {spelled(value, places)}",
        missing=measured.missing,
    )


def _operand(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _average(selection: Selection, question: TableQuestion, measured: _Measured) -> Result | Doubt:
    if len(measured.values) < 2:
        return _doubt(selection, "too few rows have a value")
    values = list(measured.values.values())
    if question.operation == "median":
        result = _folded("median", "; ", measured, statistics.median(values), measured.places + 1)
        return replace(result, expression=f"median of {len(values):,} values = {result.shown}")
    return _folded("average", " + ", measured, statistics.fmean(values), measured.places + 2)


def _compared(selection: Selection, question: TableQuestion, _: _Measured) -> Result | Doubt:
    """The difference, growth or ratio of the two ends of a span."""
    if selection.ends is None:
        return _doubt(selection, "two things to compare are not named")
    both = _measured(selection, selection.ends)
    if isinstance(both, Doubt) or len(both.values) != 2:
        return both if isinstance(both, Doubt) else _doubt(selection, "a value is missing")
    first, last = (both.values[row] for row in selection.ends)
    a, b = (_operand(both.text(row)) for row in selection.ends)
    if question.operation == "growth":
        if first == 0 or both.unit == "%":
            return _doubt(selection, "no percentage can be told of these values")
        value, unit, places, how = (last - first) / abs(first) * 100, "%", 1, f"({b} - {a}) / {a}"
    elif question.operation == "ratio":
        if last == 0:
            return _doubt(selection, "the second value is 0")
        value, unit, places, how = first / last, "", 2, f"{a} / {b}"
    else:
        value, how = (last - first, f"{b} - {a}") if question.forward else (first - last, f"{a} - {b}")
        unit, places = ("percentage points" if both.unit == "%" else both.unit), both.places
    shown = spelled(value, places)
    return Result(
        operation=question.operation,
        value=value,
        shown=shown,
        unit=unit,
        items=tuple(_short(selection.frame, row, selection) for row in selection.ends),
        cells=tuple((row, both.column) for row in selection.ends),
        expression=f"{how} = {shown}{'%' if unit == '%' else ''}",
    )


def _share(selection: Selection, question: TableQuestion, measured: _Measured) -> Result | Doubt:
    """A row's part of the table's total; where the table states percentages, the one that is asked for."""
    if measured.unit == "%":
        return _look_up(selection, question, measured)
    frame = selection.frame
    if selection.bounds or selection.by_period or len(selection.filters) != 1:
        return _doubt(selection, "it is not said of what a share is asked")
    whole = [row for row, is_whole in enumerate(frame.wholes) if is_whole]
    items = whole if len(whole) == 1 else [row for row, total in enumerate(frame.totals) if not total]
    total = _measured(selection, items)
    if isinstance(total, Doubt) or total.missing or total.unit != measured.unit or measured.missing:
        return total if isinstance(total, Doubt) else _doubt(selection, "the total is not known")
    part, base = math.fsum(measured.values.values()), math.fsum(total.values.values())
    if base <= 0 or (len(items) < 2 and len(whole) != 1):
        return _doubt(selection, "the total is not known")
    value = part / base * 100
    top = " + ".join(measured.text(row) for row in list(measured.values)[:SHOWN])
    top = f"({top})" if len(measured.values) > 1 else top
    return Result(
        operation="share",
        value=value,
        shown=spelled(value, 1),
        unit="%",
        items=tuple(_names(selection, list(measured.values)[:SHOWN])),
        cells=tuple((row, measured.column) for row in dict.fromkeys([*measured.values, *items])),
        expression=f"{top} / {spelled(base, measured.places)} = {spelled(value, 1)}%",
    )


_OPERATIONS: Mapping[str, Callable[[Selection, TableQuestion, _Measured], Result | Doubt]] = {
    "look-up": _look_up,
    "max": _extreme,
    "min": _extreme,
    "top": _extreme,
    "bottom": _extreme,
    "sum": _sum,
    "count": _sum,
    "average": _average,
    "median": _average,
    "difference": _compared,
    "growth": _compared,
    "ratio": _compared,
    "share": _share,
}
