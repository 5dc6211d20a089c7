"""Which column a table question means: the measured one, those of its conditions, and what a "which" asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from retrievers.table_frames import Column, Frame, amounts
from retrievers.table_questions import MONEY, Condition, Relation, TableQuestion
from retrievers.table_selection import Doubt, Reading
from retrievers.table_values import month_in, power_of, years_in
from retrievers.table_words import is_period, label_words, words_of

_DERIVED = frozenset(
    words_of("growth change rate ratio share margin average index variance difference target forecast")
)
MANY_RECORDS = 30
"""Rows from which a table lists records, so that a word of their names may choose several."""
RANKED = ("max", "min", "top", "bottom")
"""Operations that ask which is first or last."""
NAMING = frozenset(words_of("amount total number best entries value record"))
"""Words of an operation that head a column where no other word names one."""
_PER = re.compile(r"\bper\b|/ ?(?:unit|head|capita|employee)\b", re.IGNORECASE)


def group_column(frame: Frame, group: Sequence[str], counted: Sequence[str] = ()) -> int | None:
    """The column whose texts a "which" asks for, or whose header is a word of what is counted."""
    found = _grouped_by(frame, group)
    if found is not None or not counted:
        return found
    named = (n for n, c in enumerate(frame.columns) if c.kind != "number" and c.words & set(counted))
    return next(named, None)


def _grouped_by(frame: Frame, group: Sequence[str]) -> int | None:
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
        return next((n for n in named if all(month_in(text) for text in _items(frame, n))), None)
    if group[0] in ("quarter", "half"):
        return next((n for n in named if all(_is_part(text) for text in _items(frame, n))), None)
    return None


def _items(frame: Frame, column: int) -> set[str]:
    """The texts of a column, less those of totals."""
    return {text for text, total in zip(frame.labels(column), frame.totals, strict=True) if text and not total}


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
    left = (soft if len(soft) == 1 else exact) or best
    spelled = [n for n in left if _is_spelled(frame.columns[n], question)]
    return spelled if len(spelled) == 1 else left


def _is_spelled(column: Column, question: TableQuestion) -> bool:
    """Whether a question has the whole name of a column, small words such as those of "Goals for" with it."""
    name = " ".join(re.sub(r"[\(\[][^()\[\]]*[\)\]]", " ", column.path[-1]).lower().split())
    return bool(name) and re.search(rf"\b{re.escape(name)}(?!\w)", question.text.lower()) is not None


def _is_other(column: Column, question: TableQuestion) -> bool:
    """Whether a column holds something that is derived from what its other words name."""
    derived = _extra(column, question) & _DERIVED
    return bool(derived) or (_PER.search(column.name) is not None and "per" not in question.text.lower())


def _names(frame: Frame, places: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.columns[n].name for n in places))


def bounded(reading: Reading, condition: Condition) -> int | Doubt | None:
    """The column that a condition bounds: by the words after it, else by those before it."""
    frame, question = reading.frame, reading.question
    if condition.year:
        return _dating(reading, condition)
    candidates = [n for n in _numbers(frame) if not condition.percent or _is_percent(frame, n)]
    candidates = _in_currency(frame, candidates, condition.sign)
    periods = question.periods
    for near in (condition.after, _priced(condition, frame, candidates)):
        wanted = {w for w in near if any(w in frame.columns[n].words for n in candidates) and w not in periods}
        best = _best(frame, candidates, question, [*wanted, *periods]) if wanted else []
        if len(best) > 1 and near[:1] == _PRICE:
            best = [n for n in best if frame.columns[n].words == set(_PRICE)] or best
        if len(best) > 1:
            return Doubt(reason="several columns fit", candidates=_names(frame, best), named=len(wanted))
        if best:
            reading.take((frame.columns[best[0]].words | (set(near) & _COST)) & set(question.words))
            if near is not condition.after:
                reading.assumable.update(condition.after[:1])
            return best[0]
    by_period = _best(frame, candidates, question, periods) if periods else []
    if len(by_period) == 1 and set(condition.after[:1]) & reading.context.words:
        reading.take(frame.columns[by_period[0]].words & set(question.words))
        return by_period[0]
    return candidates[0] if len(candidates) == 1 else None


def _dating(reading: Reading, condition: Condition) -> int | None:
    """The column of years or dates that a year bounds: the one that is named, or the only one."""
    frame = reading.frame
    dated = [n for n, c in enumerate(frame.columns) if c.kind in ("year", "date")]
    near = set(condition.before) | set(condition.after)
    named = [n for n in dated if frame.columns[n].words & near]
    if len(named) == 1:
        reading.take(frame.columns[named[0]].words & near)
    best = named or dated
    return best[0] if len(best) == 1 else None


_COST = frozenset(words_of("cost"))
_PRICE = words_of("price")


def _priced(condition: Condition, frame: Frame, candidates: Sequence[int]) -> tuple[str, ...]:
    """The words before a bound; "cost less than" bounds a price where no column has costs."""
    near = condition.before
    if near[:1] and near[0] in _COST and not any(_COST & frame.columns[n].words for n in candidates):
        return (*_PRICE, *near)
    return near


def _in_currency(frame: Frame, candidates: Sequence[int], sign: str) -> list[int]:
    """The columns in a bound's currency, where any states it; else those that state no other one."""
    if not sign:
        return list(candidates)
    units = {n: frame.unit_at(0, n) for n in candidates}
    return [n for n in candidates if sign in units[n]] or [
        n for n in candidates if not set("$\u20ac\u00a3\u00a5") & set(units[n])
    ]


def _is_percent(frame: Frame, column: int) -> bool:
    return any(frame.unit_at(row, column) == "%" for row in range(min(3, len(frame.row_places))))


def within(frame: Frame, column: int, rows: Sequence[int], condition: Condition) -> list[int]:
    """The rows whose value keeps a bound; one in money is brought to the table's scale."""
    if condition.year:
        texts = frame.texts.iloc[:, column]
        years = {row: years_in(str(texts.iat[row])) for row in rows}
        return [
            r for r, found in years.items() if found and _keeps(float(found[0]), condition.relation, condition.number)
        ]
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


def counts_rows(reading: Reading, group: int | None) -> bool:
    """Whether a "how many" counts rows: what it counts heads a column of texts, or it says rows."""
    question = reading.question
    if question.operation != "count":
        return False
    asked = set(question.group) | set(question.counted)
    measured = any(asked & c.words and not _extra(c, question) for c in reading.frame.columns if c.kind == "number")
    return says_rows(question) or (not measured and (group is not None or _lists(reading, asked)))


def _lists(reading: Reading, asked: set[str]) -> bool:
    """Whether a table is a list of what is counted, by its title or caption, and the question names no other column."""
    frame, said = reading.frame, set(reading.question.words) - set(asked)
    named = any(said & column.words for column in frame.columns if column.kind == "number")
    return len(frame.row_places) >= MANY_RECORDS and bool(asked & reading.context.words) and not named


def measure(reading: Reading, bounds: Sequence[int]) -> int | Doubt:
    """The column that is measured: the one that names most of what is asked, or the only one there is."""
    frame, question = reading.frame, reading.question
    candidates = [n for n in _numbers(frame) if not (frame.turned and _is_all_ranked(frame.columns[n], question))]
    best = _best(frame, candidates, question, reading.left) or _best(frame, candidates, question, question.words)
    if not best and not question.hints:
        best = _best(frame, candidates, question, question.soft & NAMING)
    if not best and question.hints:
        best = _hinted(frame, candidates, question)
        if not best:
            return Doubt(reason="no column is named", named=len(reading.named), missing=tuple(reading.left))
    if not best:
        others = [n for n in candidates if n not in bounds]
        if len(others) != 1:
            return Doubt(reason="no column is named", named=len(reading.named), candidates=_names(frame, candidates),
                         missing=tuple(reading.left))  # fmt: skip
        best = others
    if len(best) > 1 and question.counted:
        # Of "how many flats are vacant" the flats are those that are counted, not what is told of them.
        best = [n for n in best if not frame.columns[n].words & set(question.counted)] or best
    if len(best) > 1:
        wanted = frame.columns[best[0]].words & set(question.words)
        return Doubt(reason="several columns fit", candidates=_names(frame, best), named=len(reading.named | wanted))
    reading.take(frame.columns[best[0]].words & set(question.words))
    return best[0]


def _hinted(frame: Frame, candidates: Sequence[int], question: TableQuestion) -> list[int]:
    """The columns that have what a superlative or a verb measures: by their headers, else by their units."""
    by_name = [n for n in candidates if frame.columns[n].words & question.hints]
    by_unit = [n for n in candidates if set(frame.columns[n].unit.split()) & question.hints]
    if question.hints.issuperset(MONEY):
        by_unit = [n for n in candidates if set("$\u20ac\u00a3\u00a5") & set(frame.columns[n].unit)]
    return by_name or by_unit


def _is_all_ranked(column: Column, question: TableQuestion) -> bool:
    """Whether a column is the total of the very things that are ranked: "All routes" where a route is asked for."""
    if question.operation not in (*RANKED, "count", "list") or re.search(r"\ball\b", question.text.lower()):
        return False
    return re.match(r"all\b", column.name, re.IGNORECASE) is not None and question.group[:1] != ("year",)
