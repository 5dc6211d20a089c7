"""Which column a table question means: the measured one, those of its conditions, and what a "which" asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from retrievers.table_frames import Column, Frame, amounts
from retrievers.table_questions import Condition, Relation, TableQuestion
from retrievers.table_selection import Doubt, Reading
from retrievers.table_values import month_in, power_of
from retrievers.table_words import is_period, label_words, words_of

_DERIVED = frozenset(
    words_of("growth change rate ratio share margin average index variance difference target forecast")
)
RANKED = ("max", "min", "top", "bottom")
"""Operations that ask which is first or last."""
_PER = re.compile(r"\bper\b|/ ?(?:unit|head|capita|employee)\b", re.IGNORECASE)


def group_column(frame: Frame, group: Sequence[str]) -> int | None:
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


def extra(column: Column, question: TableQuestion) -> frozenset[str]:
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
    exact = [n for n in best if not extra(frame.columns[n], question)]
    soft = [n for n in exact if frame.columns[n].words & question.soft]
    return (soft if len(soft) == 1 else exact) or best


def _is_other(column: Column, question: TableQuestion) -> bool:
    """Whether a column holds something that is derived from what its other words name."""
    derived = extra(column, question) & _DERIVED
    return bool(derived) or (_PER.search(column.name) is not None and "per" not in question.text.lower())


def _names(frame: Frame, places: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.columns[n].name for n in places))


def bounded(reading: Reading, condition: Condition) -> int | Doubt | None:
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


def within(frame: Frame, column: int, rows: Sequence[int], condition: Condition) -> list[int]:
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


def counts_rows(reading: Reading, group: int | None) -> bool:
    """Whether a "how many" counts rows: what it counts heads a column of texts, or it says rows."""
    question = reading.question
    if question.operation != "count":
        return False
    asked = set(question.group)
    measured = any(asked & c.words and not extra(c, question) for c in reading.frame.columns if c.kind == "number")
    return says_rows(question) or (group is not None and not measured)


def measure(reading: Reading, bounds: Sequence[int]) -> int | Doubt:
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
