"""A plan for a table question over one frame: which rows and column, and what to compute; or why there is none.

A plan stands only where every word of the question is accounted for: by the column that is measured, by the rows that
it names, by its conditions, by the table's headers, or by the caption, headings and name of its document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retrievers.table_columns import MANY_RECORDS, bounded, counts_rows, group_column, measure, within
from retrievers.table_frames import Frame
from retrievers.table_questions import TableQuestion
from retrievers.table_rows import ends, filtered, values_in
from retrievers.table_selection import SPANNED, Context, Doubt, Reading, Selection, own_words, text_columns
from retrievers.table_words import is_period, label_words, words_of

_CALENDAR = frozenset(words_of("year month quarter half"))
_SHARE = frozenset(words_of("share rate"))
"""Words that a column in percent need not have in its header."""
_JUDGED_WELL = frozenset(words_of("result profit income sales revenue score rating balance margin performance return"))


def select(frame: Frame, question: TableQuestion, context: Context) -> Selection | Doubt:
    """The rows and the column that a question asks for, or the doubt that remains."""
    reading = Reading(frame=frame, question=question, context=context, left=set(question.words))
    if frame.torn:
        known = len(own_words(frame) & set(question.words))
        return Doubt(
            reason="a column of its numbers has no header", named=known if 2 * known >= len(question.words) else 0
        )
    group = group_column(frame, question.group, question.counted)
    if question.group and question.group[0] in _CALENDAR and group is None and question.operation not in SPANNED:
        return Doubt(reason=f"no {question.group[0]} names its rows", missing=question.group)
    kept = _bound(reading)
    if isinstance(kept, Doubt):
        return kept
    rows, bounds = kept
    names_rows = question.operation == "list" or counts_rows(reading, group)
    column = None if names_rows else measure(reading, bounds)
    if isinstance(column, Doubt):
        return _or_lacking(reading, column, rows, group)
    both = None
    if question.span is not None:
        both = ends(reading, rows)
        if both is None:
            return _lacking(reading, "its rows do not have both ends")
    rows = filtered(reading, rows)
    if both is not None and question.operation not in SPANNED:
        rows = [row for row in rows if min(both) <= row <= max(both)]
    _take_asked(reading, column, group)
    _take_around(reading)
    assumed = tuple(sorted(reading.left))
    if assumed and not _may_be_assumed(reading, column):
        return _lacking(reading)
    return Selection(
        frame=frame,
        rows=tuple(rows),
        column=column,
        named=frozenset(reading.named),
        chosen=tuple(reading.chosen),
        by_period=bool(reading.chosen) and all(is_period(w) for text in reading.chosen for w in label_words(text)),
        bounds=tuple(bounds),
        filters=tuple(reading.filters),
        ends=both,
        group=group,
        assumed=assumed,
    )


def _take_asked(reading: Reading, column: int | None, group: int | None) -> None:
    """Account for what a "which" asks for, and for the "share" of a column in percent."""
    frame, question = reading.frame, reading.question
    if group is not None:
        reading.take({*question.group, *(frame.columns[group].words & set(question.counted))})
    if column is not None and frame.unit_at(0, column) == "%":
        reading.take(reading.left & _SHARE)


def _may_be_assumed(reading: Reading, column: int | None) -> bool:
    """Whether what is left is but a verb before "the most", or what a bound counts, of a column that is named."""
    question = reading.question
    named = column is not None and bool(reading.frame.columns[column].words & reading.named)
    return reading.left <= reading.assumable | ({question.verb} if named else set())


def _bound(reading: Reading) -> tuple[list[int], list[int]] | Doubt:
    """The rows, less totals, that keep all conditions, and the columns of these."""
    frame = reading.frame
    rows = [row for row, total in enumerate(frame.totals) if not total]
    bounds: list[int] = []
    for condition in reading.question.conditions:
        column = bounded(reading, condition)
        if column is None:
            return Doubt(reason=f"no column is meant by \u201c{condition.said}\u201d", named=len(reading.named))
        if isinstance(column, Doubt):
            return column
        bounds.append(column)
        rows = within(frame, column, rows, condition)
        reading.chosen.append(f"{frame.columns[column].name} {condition.relation} {condition.number:,g}")
    return rows, bounds


def _lacking(reading: Reading, reason: str = "") -> Doubt:
    missing = tuple(w for w in reading.question.words if w in reading.left)
    return Doubt(reason=reason or "words that it does not have", missing=missing, named=len(reading.named))


def _or_lacking(reading: Reading, doubt: Doubt, rows: Sequence[int], group: int | None) -> Doubt:
    """A doubt between columns, or the words that the table lacks whichever of them is meant."""
    named = {w for c in reading.frame.columns if c.name in doubt.candidates for w in c.words}
    reading.take((named & set(reading.question.words)) | (set() if group is None else set(reading.question.group)))
    filtered(reading, rows)
    # A paragraph may speak of more than its table holds: what is asked back must be what the table has.
    told = reading.left & reading.context.lead if doubt.candidates else set()
    _take_around(reading)
    reading.left |= told - reading.named
    return _lacking(reading) if reading.left else replace(doubt, named=len(reading.named))


def judged_well(question: TableQuestion) -> bool:
    """Whether more is better of what a question asks the best or worst of."""
    return bool(_JUDGED_WELL & set(question.words))


def _take_around(reading: Reading) -> None:
    """Account for words by the headers of text columns, by units, and by what stands around the table."""
    frame = reading.frame
    headers = {w for n in text_columns(frame) for w in frame.columns[n].words}
    reading.take(reading.left & headers)
    units = {w for text in (frame.unit, *(c.unit for c in frame.columns), *frame.row_units) for w in words_of(text)}
    around = reading.context.words | reading.context.lead | units
    has_periods = any(is_period(w) for w in own_words(frame))
    reading.left = {w for w in reading.left if w not in around or (has_periods and is_period(w))}
    if reading.question.group and reading.question.group[0] in _CALENDAR:
        reading.left -= set(reading.question.group)


def _is_code(text: str) -> bool:
    """Whether what looks like a quarter or half begins a name ("H2 Northgate") and tells no period ("H2 2024")."""
    first, *rest = words_of(text) or ("",)
    return bool(rest) and is_period(first) and not any(map(is_period, rest))


def with_partial(frame: Frame, question: TableQuestion, doubt: Doubt) -> TableQuestion | Doubt:
    """The question with words of a row's name made whole, where the words that are missing name one row in part.

    Of a table of records they may name several. The question is then asked with the whole names.
    """
    column = frame.label_column
    if column is None or not doubt.missing or any(w.isdigit() and is_period(w) for w in doubt.missing):
        return doubt
    missing = frozenset(doubt.missing)
    values = {t: said for t, said in values_in(frame, column, missing).items() if missing <= said}
    values = {t: said for t, said in values.items() if _is_code(t) or not any(map(is_period, missing))}
    if not values:
        return doubt
    many = len(frame.row_places) >= MANY_RECORDS and question.operation in (
        "count",
        "sum",
        "average",
        "list",
        "max",
        "min",
    )
    if len(values) > 1 and not many:
        return replace(doubt, reason="several rows fit", candidates=tuple(values)[:6], missing=())
    words = (*question.words, *(w for said in values.values() for w in sorted(said)))
    return replace(question, words=tuple(dict.fromkeys(words)))
