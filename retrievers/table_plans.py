"""A plan for a table question over one frame: which rows and column, and what to compute; or why there is none.

A plan stands only where every word of the question is accounted for: by the column that is measured, by the rows that
it names, by its conditions, by the table's headers, or by the caption, headings and name of its document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from retrievers.table_frames import Column, Frame, amounts
from retrievers.table_questions import Condition, Relation, TableQuestion
from retrievers.table_values import month_in, power_of, years_in
from retrievers.table_words import MONTHS, is_period, label_words, words_of

MANY_RECORDS = 30
"""Rows from which a table lists records, so that a word of their names may choose several."""
_DERIVED = frozenset(
    words_of("growth change rate ratio share margin average index variance difference target forecast")
)
RANKED = ("max", "min", "top", "bottom")
"""Operations that ask which is first or last."""
_PER = re.compile(r"\bper\b|/ ?(?:unit|head|capita|employee)\b", re.IGNORECASE)
_CALENDAR = frozenset(words_of("year month quarter half"))
_JUDGED_WELL = frozenset(words_of("result profit income sales revenue score rating balance margin performance return"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What stands around a table: the words of its caption, headings and document, and those that follow each other.

    ``lead`` are words that only paragraphs before it have.
    """

    words: frozenset[str]
    lead: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], leads: Iterable[str] = ()) -> Context:
        """The context that some texts and the paragraphs before a table make."""
        runs, before = [words_of(text) for text in texts], [words_of(text) for text in leads]
        words = frozenset(w for run in runs for w in run)
        return cls(
            words=words,
            lead=frozenset(w for run in before for w in run) - words,
            pairs=frozenset(p for run in (*runs, *before) for p in pairwise(run)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a question chooses of a frame: rows and measured column; ``named`` are the words that labels account for.

    ``chosen`` says in words which rows, ``bounds`` are the columns of conditions. ``everything`` says that no row was
    left out but totals, ``by_period`` that rows were chosen by years or quarters alone.
    """

    frame: Frame
    rows: tuple[int, ...]
    column: int | None
    named: frozenset[str]
    chosen: tuple[str, ...] = ()
    by_period: bool = False
    bounds: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()
    ends: tuple[int, int] | None = None
    group: int | None = None

    @property
    def everything(self) -> bool:
        """Whether no row was left out."""
        return not (self.chosen or self.bounds or self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a frame does not settle a question: words that it lacks, or names between which it cannot choose."""

    reason: str
    candidates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    named: int = 0


@dataclass(slots=True)
class _Reading:
    """A question being matched to a frame."""

    frame: Frame
    question: TableQuestion
    context: Context
    left: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    chosen: list[str] = field(default_factory=list)
    filters: list[int] = field(default_factory=list)

    def take(self, words: Collection[str]) -> None:
        """Account for some words by a label."""
        self.named.update(words)
        self.left.difference_update(words)


def select(frame: Frame, question: TableQuestion, context: Context) -> Selection | Doubt:
    """The rows and the column that a question asks for, or the doubt that remains."""
    reading = _Reading(frame=frame, question=question, context=context, left=set(question.words))
    if frame.torn:
        known = len(_own_words(frame) & set(question.words))
        return Doubt(
            reason="a column of its numbers has no header", named=known if 2 * known >= len(question.words) else 0
        )
    group = _group_column(frame, question.group)
    if question.group and question.group[0] in _CALENDAR and group is None and question.operation not in _SPANNED:
        return Doubt(reason=f"no {question.group[0]} names its rows", missing=question.group)
    kept = _bound(reading)
    if isinstance(kept, Doubt):
        return kept
    rows, bounds = kept
    names_rows = question.operation == "list" or _counts_rows(reading, group)
    column = None if names_rows else _measure(reading, bounds)
    if isinstance(column, Doubt):
        return _or_lacking(reading, column, rows, group)
    ends = None
    if question.span is not None:
        ends = _ends(reading, rows)
        if ends is None:
            return _lacking(reading, "its rows do not have both ends")
    rows = _filtered(reading, rows)
    if ends is not None and question.operation not in _SPANNED:
        rows = [row for row in rows if min(ends) <= row <= max(ends)]
    if group is not None:
        reading.take(set(question.group))
    _take_around(reading)
    if reading.left:
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
        ends=ends,
        group=group,
    )


def _bound(reading: _Reading) -> tuple[list[int], list[int]] | Doubt:
    """The rows, less totals, that keep all conditions, and the columns of these."""
    frame = reading.frame
    rows = [row for row, total in enumerate(frame.totals) if not total]
    bounds: list[int] = []
    for condition in reading.question.conditions:
        column = _bounded(reading, condition)
        if column is None:
            return Doubt(reason=f"no column is meant by \u201c{condition.said}\u201d", named=len(reading.named))
        if isinstance(column, Doubt):
            return column
        bounds.append(column)
        rows = _within(frame, column, rows, condition)
        reading.chosen.append(f"{frame.columns[column].name} {condition.relation} {condition.number:,g}")
    return rows, bounds


_SPANNED = ("difference", "growth", "ratio")


def _lacking(reading: _Reading, reason: str = "") -> Doubt:
    missing = tuple(w for w in reading.question.words if w in reading.left)
    return Doubt(reason=reason or "words that it does not have", missing=missing, named=len(reading.named))


def _or_lacking(reading: _Reading, doubt: Doubt, rows: Sequence[int], group: int | None) -> Doubt:
    """A doubt between columns, or the words that the table lacks whichever of them is meant."""
    named = {w for c in reading.frame.columns if c.name in doubt.candidates for w in c.words}
    reading.take((named & set(reading.question.words)) | (set() if group is None else set(reading.question.group)))
    _filtered(reading, rows)
    # A paragraph may speak of more than its table holds: what is asked back must be what the table has.
    told = reading.left & reading.context.lead if doubt.candidates else set()
    _take_around(reading)
    reading.left |= told - reading.named
    return _lacking(reading) if reading.left else replace(doubt, named=len(reading.named))


def judged_well(question: TableQuestion) -> bool:
    """Whether more is better of what a question asks the best or worst of."""
    return bool(_JUDGED_WELL & set(question.words))


# --- columns ---------------------------------------------------------------------------------------


def _group_column(frame: Frame, group: Sequence[str]) -> int | None:
    """The column whose texts a "which" asks for."""
    if not group:
        return None
    named = [n for n, c in enumerate(frame.columns) if c.kind != "number"]
    if group[0] == "year":
        named = [n for n in named if frame.columns[n].kind == "year" or "year" in frame.columns[n].words]
        return named[0] if named else None
    by_header = [n for n in named if group[0] in frame.columns[n].words]
    if by_header:
        return by_header[0]
    if group[0] == "month":
        return next((n for n in named if all(month_in(text) for text in set(frame.labels(n)) if text)), None)
    if group[0] in ("quarter", "half"):
        return next((n for n in named if all(_is_part(text) for text in set(frame.labels(n)))), None)
    return None


def _is_part(text: str) -> bool:
    return any(is_period(word) and not word.isdigit() for word in label_words(text))


def _numbers(frame: Frame) -> list[int]:
    return [n for n, c in enumerate(frame.columns) if c.kind == "number" and c.path]


def _extra(column: Column, question: TableQuestion) -> frozenset[str]:
    """Words of a column's name that the question does not have."""
    return column.words - frozenset(question.words) - question.soft - {"total"}


def _best(frame: Frame, candidates: Sequence[int], question: TableQuestion, wanted: Collection[str]) -> list[int]:
    """The columns that name most of the wanted words: one where it is clear which is meant, none where none does."""
    wanted = frozenset(wanted)
    # Where a period alone is named, all of its columns are meant alike.
    periods_only = all(is_period(w) for n in candidates for w in frame.columns[n].words & wanted)
    scored = [
        (len(frame.columns[n].words & wanted), n)
        for n in candidates
        if periods_only or not _is_other(frame.columns[n], question)
    ]
    most = max((count for count, _ in scored), default=0)
    best = [n for count, n in scored if count == most]
    if not most:
        return []
    if periods_only:
        return best
    exact = [n for n in best if not _extra(frame.columns[n], question)]
    soft = [n for n in exact if frame.columns[n].words & question.soft]
    return (soft if len(soft) == 1 else exact) or best


def _is_other(column: Column, question: TableQuestion) -> bool:
    """Whether a column holds something that is derived from what its other words name."""
    derived = _extra(column, question) & _DERIVED
    return bool(derived) or (_PER.search(column.name) is not None and "per" not in question.text.lower())


def _names(frame: Frame, places: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.columns[n].name for n in places))


def _bounded(reading: _Reading, condition: Condition) -> int | Doubt | None:
    """The column that a condition bounds: by the words after it, else by those before it."""
    frame, question = reading.frame, reading.question
    candidates = [n for n in _numbers(frame) if not condition.percent or _is_percent(frame, n)]
    periods = question.periods
    for near in (condition.after, condition.before):
        wanted = {w for w in near if any(w in frame.columns[n].words for n in candidates) and w not in periods}
        best = _best(frame, candidates, question, [*wanted, *periods]) if wanted else []
        if len(best) > 1:
            return Doubt(reason="several columns fit", candidates=_names(frame, best), named=len(wanted))
        if best:
            reading.take(frame.columns[best[0]].words & set(question.words))
            return best[0]
    return candidates[0] if len(candidates) == 1 else None


def _is_percent(frame: Frame, column: int) -> bool:
    return any(frame.unit_at(row, column) == "%" for row in range(min(3, len(frame.row_places))))


def _within(frame: Frame, column: int, rows: Sequence[int], condition: Condition) -> list[int]:
    """The rows whose value keeps a bound; one in money is brought to the table's scale."""
    scale = 0
    if condition.scaled and rows:
        scale = power_of(frame.unit_at(rows[0], column))
    bound = condition.number / 10**scale
    values = amounts(frame, column, rows)
    return [row for row, value in values.items() if _keeps(value, condition.relation, bound)]


def _keeps(value: float, relation: Relation, bound: float) -> bool:
    if value == bound:
        return "=" in relation
    return relation.startswith(">") if value > bound else relation.startswith("<")


def says_rows(question: TableQuestion) -> bool:
    """Whether a question asks by that name for a number of rows."""
    return re.search(r"\bhow many (?:rows|entries|records|lines)\b", question.text.lower()) is not None


def _counts_rows(reading: _Reading, group: int | None) -> bool:
    """Whether a "how many" counts rows: what it counts heads a column of texts, or it says rows."""
    question = reading.question
    if question.operation != "count":
        return False
    asked = set(question.group)
    measured = any(asked & c.words and not _extra(c, question) for c in reading.frame.columns if c.kind == "number")
    return says_rows(question) or (group is not None and not measured)


def _measure(reading: _Reading, bounds: Sequence[int]) -> int | Doubt:
    """The column that is measured: the one that names most of what is asked, or the only one there is."""
    frame, question = reading.frame, reading.question
    candidates = [n for n in _numbers(frame) if not (frame.turned and _is_all_ranked(frame.columns[n], question))]
    best = _best(frame, candidates, question, reading.left) or _best(frame, candidates, question, question.words)
    if not best:
        others = [n for n in candidates if n not in bounds]
        if len(others) != 1:
            return Doubt(reason="no column is named", named=len(reading.named), candidates=_names(frame, candidates),
                         missing=tuple(reading.left))  # fmt: skip
        best = others
    if len(best) > 1:
        wanted = frame.columns[best[0]].words & set(question.words)
        return Doubt(reason="several columns fit", candidates=_names(frame, best), named=len(reading.named | wanted))
    reading.take(frame.columns[best[0]].words & set(question.words))
    return best[0]


def _is_all_ranked(column: Column, question: TableQuestion) -> bool:
    """Whether a column is the total of the very things that are ranked: "All routes" where a route is asked for."""
    if question.operation not in RANKED or re.search(r"\ball\b", question.text.lower()):
        return False
    return re.match(r"all\b", column.name, re.IGNORECASE) is not None and question.group[:1] != ("year",)


# --- rows ------------------------------------------------------------------------------------------


def _texts(frame: Frame) -> list[int]:
    return [n for n, c in enumerate(frame.columns) if c.kind != "number"]


def _values_in(frame: Frame, column: int, words: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The texts of a column that begin a word as one of the words does, each with its words."""
    texts = frame.texts.iloc[:, column]
    if len(texts) > 1000:
        stems = "|".join(re.escape(word[:3]) for word in words)
        texts = texts[texts.str.contains(stems, case=False, regex=True)] if stems else texts[:0]
    return {str(text): label_words(str(text)) for text in texts.unique() if text}


def _matched(frame: Frame, column: int, words: Collection[str], left: Collection[str]) -> dict[str, frozenset[str]]:
    """The texts of a column that the words name in full, those within longer ones left out."""
    own, open_ = frozenset(words), frozenset(left)
    values = _values_in(frame, column, own)
    found = {text: said for text, said in values.items() if said and said <= own and said & open_}
    return {t: said for t, said in found.items() if not any(said < other for other in found.values())}


def _filtered(reading: _Reading, rows: Sequence[int]) -> list[int]:
    """The rows that the question's words choose by the texts of columns, or by the years and months of dates."""
    frame, question = reading.frame, reading.question
    kept = list(rows)
    span = {w for end in question.span or () for w in end} if question.operation in _SPANNED or question.span else set()
    for column in _texts(frame):
        if frame.columns[column].kind == "date":
            kept = _dated(reading, column, kept)
            continue
        found = _matched(frame, column, set(question.words) - span, reading.left)
        found = {text: said for text, said in found.items() if not _is_phrase(said, reading)}
        found, among = _of_items(reading, column, found, kept)
        if found:
            texts = frame.texts.iloc[:, column]
            kept = [row for row in among if texts.iat[row] in found]
            reading.take(frozenset().union(*found.values()))
            reading.filters.append(column)
            reading.chosen.append(", ".join(found))
    return kept


def _of_items(
    reading: _Reading, column: int, found: Mapping[str, frozenset[str]], kept: Sequence[int]
) -> tuple[dict[str, frozenset[str]], Sequence[int]]:
    """The matched texts that name other rows than totals, and these rows; else a total that the question spells out.

    A total's label says of what it is the total ("All routes"), and is not meant by the mere name of these.
    """
    frame, text = reading.frame, reading.question.text
    texts = frame.texts.iloc[:, column]
    totals = [row for row, total in enumerate(frame.totals) if total]
    spelled = [row for row in totals if str(texts.iat[row]) in found and is_said(str(texts.iat[row]), text)]
    if spelled and reading.question.operation in _OF_TOTALS:
        named = {str(texts.iat[row]) for row in spelled}
        return {t: said for t, said in found.items() if t in named}, spelled
    total_only = {str(texts.iat[row]) for row in totals} - {
        str(texts.iat[row]) for row, total in enumerate(frame.totals) if not total
    }
    return {t: said for t, said in found.items() if t not in total_only}, kept


_OF_TOTALS = ("look-up", "count", "sum")


def is_said(label: str, text: str) -> bool:
    """Whether a question spells a label out."""
    return re.search(rf"\b{re.escape(label.lower())}(?!\w)", text.lower()) is not None


def _is_phrase(said: frozenset[str], reading: _Reading) -> bool:
    """Whether a word of a value is meant as part of a phrase that stands around the table."""
    if len(said) != 1:
        return False
    word = next(iter(said))
    pairs = [pair for pair in pairwise(reading.question.runs) if word in pair]
    return any(pair in reading.context.pairs for pair in pairs)


def _dated(reading: _Reading, column: int, rows: list[int]) -> list[int]:
    """The rows whose date lies in the asked years and months."""
    years = [w for w in reading.left if w.isdigit() and is_period(w)]
    months = [w for w in reading.left if w in MONTHS]
    if not years and not months:
        return rows
    texts = reading.frame.labels(column)
    kept = [row for row in rows if (not years or set(years_in(texts[row])) & set(years))
            and (not months or month_in(texts[row]) in months)]  # fmt: skip
    if kept:
        reading.take({*years, *months})
        reading.filters.append(column)
        reading.chosen.append(" ".join([reading.frame.columns[column].name, *months, *years]))
    return kept


def _ends(reading: _Reading, rows: Sequence[int]) -> tuple[int, int] | None:
    """The two rows that a span names."""
    frame, question = reading.frame, reading.question
    first, last = question.span or ((), ())
    beside = set(question.words) - set(first) - set(last)
    found: list[int] = []
    for words in (first, last):
        other = set(last if words is first else first)
        row = _end(frame, rows, set(words), beside) or _end(frame, rows, set(words), beside | other)
        if row is None:
            return None
        found.append(row[0])
        reading.take(row[1])
    return (found[0], found[1]) if found[0] != found[1] else None


def _end(frame: Frame, rows: Sequence[int], words: set[str], beside: set[str]) -> tuple[int, set[str]] | None:
    """The one row that words name, and the words that name it; words beside help where they are not enough."""
    kept, taken = list(rows), set[str]()
    for column in _texts(frame):
        found = _matched(frame, column, words | beside, words | beside)
        own = {text: said for text, said in found.items() if said & words} or found
        if own:
            texts = frame.texts.iloc[:, column]
            kept = [row for row in kept if texts.iat[row] in own]
            taken |= set().union(*own.values())
    return (kept[0], taken) if len(kept) == 1 and taken & words else None


def _take_around(reading: _Reading) -> None:
    """Account for words by the headers of text columns, by units, and by what stands around the table."""
    frame = reading.frame
    headers = {w for n in _texts(frame) for w in frame.columns[n].words}
    reading.take(reading.left & headers)
    units = {w for text in (frame.unit, *(c.unit for c in frame.columns), *frame.row_units) for w in words_of(text)}
    around = reading.context.words | reading.context.lead | units
    has_periods = any(is_period(w) for w in _own_words(frame))
    reading.left = {w for w in reading.left if w not in around or (has_periods and is_period(w))}
    if reading.question.group and reading.question.group[0] in _CALENDAR:
        reading.left -= set(reading.question.group)


def _own_words(frame: Frame) -> set[str]:
    """The words of all headers and of the labels of a small frame."""
    words = {w for c in frame.columns for w in c.words}
    for n in _texts(frame):
        words |= {w for text in frame.texts.iloc[:400, n] for w in label_words(str(text))}
        if frame.columns[n].kind == "date":
            words |= {year for text in frame.texts.iloc[:400, n] for year in years_in(str(text))}
    return words


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
    values = {t: said for t, said in _values_in(frame, column, missing).items() if missing <= said}
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
