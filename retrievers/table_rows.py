"""Which rows a table question means: by the texts of columns, by years and months of dates, by a span's ends."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from retrievers.table_frames import Frame
from retrievers.table_selection import SPANNED, Reading, text_columns
from retrievers.table_values import month_in, years_in
from retrievers.table_words import MONTHS, is_period, label_words, words_of


def values_in(frame: Frame, column: int, words: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The texts of a column that begin a word as one of the words does, each with its words."""
    texts = frame.texts.iloc[:, column]
    if len(texts) > 1000:
        stems = "|".join(re.escape(word[:3]) for word in words)
        texts = texts[texts.str.contains(stems, case=False, regex=True)] if stems else texts[:0]
    return {str(text): label_words(str(text)) for text in texts.unique() if text}


def _matched(frame: Frame, column: int, words: Collection[str], left: Collection[str]) -> dict[str, frozenset[str]]:
    """The texts of a column that the words name in full, those within longer ones left out."""
    own, open_ = frozenset(words), frozenset(left)
    values = values_in(frame, column, own)
    found = {text: said for text, said in values.items() if said and said <= own and said & open_}
    return {t: said for t, said in found.items() if not any(said < other for other in found.values())}


LEVELS = frozenset(words_of("amount number"))
"""Words of an operation that are levels of a header, such as number and amount of grants by year."""


def filtered(reading: Reading, rows: Sequence[int]) -> list[int]:
    """The rows that the question's words choose by the texts of columns, or by the years and months of dates."""
    frame, question = reading.frame, reading.question
    kept = list(rows)
    span = {w for end in question.span or () for w in end} if question.operation in SPANNED or question.span else set()
    for column in text_columns(frame):
        if frame.columns[column].kind == "date":
            kept = _dated(reading, column, kept)
            continue
        kinds = question.soft & LEVELS if frame.turned else frozenset[str]()
        found = _matched(frame, column, (set(question.words) - span) | kinds, reading.left | kinds)
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
    reading: Reading, column: int, found: Mapping[str, frozenset[str]], kept: Sequence[int]
) -> tuple[dict[str, frozenset[str]], Sequence[int]]:
    """The matched texts that name other rows than totals, and these rows; else a total that the question spells out.

    A total's label says of what it is the total ("All routes"), and is not meant by the mere name of these.
    """
    frame, text = reading.frame, reading.question.text
    if not found:
        return {}, kept
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


def _is_phrase(said: frozenset[str], reading: Reading) -> bool:
    """Whether a word of a value is meant as part of a phrase that stands around the table."""
    if len(said) != 1:
        return False
    word = next(iter(said))
    pairs = [pair for pair in pairwise(reading.question.runs) if word in pair]
    return any(pair in reading.context.pairs for pair in pairs)


def _dated(reading: Reading, column: int, rows: list[int]) -> list[int]:
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


def ends(reading: Reading, rows: Sequence[int]) -> tuple[int, int] | None:
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
    for column in text_columns(frame):
        found = _matched(frame, column, words | beside, words | beside)
        own = {text: said for text, said in found.items() if said & words} or found
        if own:
            texts = frame.texts.iloc[:, column]
            kept = [row for row in kept if texts.iat[row] in own]
            taken |= set().union(*own.values())
    return (kept[0], taken) if len(kept) == 1 and taken & words else None
