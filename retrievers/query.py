"""What a question asks of the search: words, pages, documents, figures; and which documents may answer at all."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from ingest.errors import UsageError
from ingest.library_names import forms_in
from ingest.library_words import word_hash
from ingest.types import Kind
from retrievers.figures import lines_of
from retrievers.language import content_terms, names, stem, tokens, without_form

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_MANNER = re.compile(
    r"(?:if\b.*\b(?:state|say|explain|answer|write|reply)\b|approach\b|please\b|round\b|answer\b|write\b|give\b|list\b"
    r"|return\b|format\b|express\b|enumerate\b|for example\b|e\.g|here\b)",
    re.IGNORECASE,
)
"""How a sentence begins that says how to answer, not what."""
_POLITE = re.compile(r"\banswer the following question\b|\bto the best of your abilit\w+", re.IGNORECASE)
_NUMBERS = {
    word: number
    for number, word in enumerate(
        """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty""".split(),
        1,
    )
}
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(),
        1,
    )
}
_PAGE = re.compile(
    r"\b(?:pages?|slides?|p\.)\s+(?:no\.?\s*|number\s+)?(\d{1,5}|[a-z]+)\b(?:\s*(?:and|,|-|\u2013|to)\s*(?:page\s+)?(\d{1,5})\b)?"
)
_ORDINAL_PAGE = re.compile(r"\b(\w+)(?: cover)? (?:page|slide)\b")
_LAST_PAGE = re.compile(
    r"\b(second|third)?[ -]?(?:to )?(?:the )?last (?:page|slide)\b|\bpage at the (second|third)? ?last\b"
)
_NAME_PART = re.compile(r"\d+[kq]\b|q\d\b|[^\W\d_]+|\d+")
"""Of a file's name: the kind of a filing (10K), a quarter, a word, a number."""
_ENDING = 5
"""Letters of a file's ending at most."""
_TURNS = 3
"""Parts of a piece of a name such as 2024Q2; a piece of more is no word but a key."""
_SMALL = 2
"""Digits of a number that is no year or key."""
_JOINED = 6
"""Letters that two words must have together to be looked for as one, as in "North Quay" and NORTHQUAY."""
SURE = 0.5
"""How surely a word names a document that a question sets beside another."""
_PREFIX = 3
"""Letters of a name that may begin a longer word of a file's name, as "Tide" does TIDEMARK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question as the search reads it.

    ``asked`` is its text without what it says of the answer's form; ``terms`` are its words, ``lines`` the lines
    that a figure it asks for is computed from. ``pages`` are the numbers of
    pages that it names, ``from_end`` those counted from the last (1 is the last). ``marks`` are the words by which
    it may name a document.
    """

    asked: str
    terms: tuple[str, ...]
    lines: tuple[str, ...]
    pages: tuple[int, ...]
    from_end: tuple[int, ...]
    marks: frozenset[str]
    proper: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which documents and chunks may be found; what is ``None`` excludes nothing.

    ``doc`` is a glob over names and paths, ``path`` one over paths alone. ``title`` is part of a heading that a chunk
    stands under, in any case. ``date`` is when the file was last changed: a year, month or day (``2024``, ``2024-05``,
    ``2024-05-31``), or two of them with ``..`` between, of which one may be left out.
    """

    doc: str | None = None
    path: str | None = None
    kind: Kind | None = None
    title: str | None = None
    date: str | None = None

    @property
    def by_document(self) -> bool:
        """Whether documents must be looked through."""
        return self.doc is not None or self.path is not None or self.date is not None


def read_query(question: str) -> Query:
    """Read a question for the search."""
    asked = asked_part(without_form(question))
    terms = content_terms(asked)
    said = tokens(asked)
    joined = {a + b for a, b in pairwise(said) if len(a + b) >= _JOINED}
    return Query(
        asked=asked,
        terms=tuple(terms),
        lines=tuple(lines_of(asked)),
        pages=_pages(question.lower()),
        from_end=_from_end(question.lower()),
        marks=frozenset({*map(stem, terms), *joined, *forms_in(asked)}),
        proper=frozenset(name for name in names(asked) if len(name) >= _PREFIX),
    )


def asked_part(question: str) -> str:
    """A question without the sentences that only say how to answer it."""
    parts = _SENTENCE.split(question)
    kept = [part for part in parts if "?" in part or not _MANNER.match(part)]
    return _POLITE.sub(" ", " ".join(kept)).strip() or question


def _pages(question: str) -> tuple[int, ...]:
    found: list[int] = []
    for first, second in _PAGE.findall(question):
        number = int(first) if first.isdigit() else _NUMBERS.get(first)
        found += [n for n in (number, int(second) if second and number else None) if n]
    found += [_ORDINALS[word] for word in _ORDINAL_PAGE.findall(question) if word in _ORDINALS]
    return tuple(dict.fromkeys(found))


def _from_end(question: str) -> tuple[int, ...]:
    return tuple(_ORDINALS[a or b or "first"] for a, b in _LAST_PAGE.findall(question))


def name_parts(name: str) -> frozenset[str]:
    """The words of a document's name: of ``NORTHQUAY_2024Q2_10Q.pdf`` northquay, 2024, q2 and 10q.

    A name that a machine gave, of letters and digits in turn, is one word; days and other small numbers are none.
    """
    stripped, dot, ending = name.rpartition(".")
    bare = stripped if dot and len(ending) <= _ENDING else name
    parts: list[str] = []
    for piece in re.findall(r"[^\W_]+", bare.lower()):
        found = _NAME_PART.findall(piece)
        parts += found if len(found) <= _TURNS else [piece]
    return frozenset(stem(part) for part in parts if not part.isdigit() or len(part) > _SMALL)


def said_names(
    query: Query, names: Mapping[str, Collection[str]], own: Iterable[tuple[int, str, float]]
) -> dict[str, dict[str, float]]:
    """The words of a question that name each document, and how surely (0 to 1); documents without any are left out.

    ``names`` has the documents whose files' names have a word, ``own`` the hashes of words by which documents name
    themselves, with the document and how surely.
    """
    said: dict[str, dict[str, float]] = {}
    beginnings = tuple(query.proper)
    for word, documents in names.items():
        if word in query.marks or word.startswith(beginnings):
            for document in documents:
                said.setdefault(document, {})[word] = 1.0
    words = {word_hash(mark): mark for mark in query.marks}
    for key, document, weight in own:
        known = said.setdefault(document, {})
        known[words[key]] = max(known.get(words[key], 0.0), weight)
    return said


def naming(said: Mapping[str, Mapping[str, float]], total: int) -> dict[str, float]:
    """How well a question names each document (0 to 1) of ``total``, by the words that name it.

    A word that few have counts more, as one that all have tells nothing. 1 is the best of the documents, or what a
    word would give that only one of them has, if that is more.
    """
    spread: dict[str, float] = {}
    for words in said.values():
        for word, weight in words.items():
            spread[word] = spread.get(word, 0.0) + weight
    rarity = {word: math.log(1 + total / max(1.0, count)) for word, count in spread.items()}
    scores = {document: sum(rarity[w] * weight for w, weight in words.items()) for document, words in said.items()}
    best = max([math.log(1 + total), *scores.values()])
    return {document: score / best for document, score in scores.items() if score > 0}


def selects(pattern: str, candidates: Collection[str]) -> bool:
    """Whether a glob is, or matches, one of these names."""
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in candidates)


def read_dates(text: str) -> tuple[float, float]:
    """From and until when (seconds since the epoch, the second excluded) a date or a span of dates lasts.

    Raises:
        UsageError: it is no date.
    """
    first, dots, last = text.partition("..")
    try:
        start = _period(first)[0] if first else -math.inf
        end = _period(last if dots else first)[1] if (last or not dots) else math.inf
    except ValueError:
        raise UsageError(
            f"{text!r} is no date: give 2024, 2024-05, 2024-05-31, or two of them with .. between"
        ) from None
    return start, end


def _period(text: str) -> tuple[float, float]:
    parts = [int(part) for part in text.strip().split("-")]
    if not 1 <= len(parts) <= 3:
        raise ValueError(text)
    year, month, day = [*parts, 1, 1][:3]
    start = datetime(year, month, day, tzinfo=UTC)
    return start.timestamp(), _next(start, len(parts)).timestamp()


def _next(start: datetime, precision: int) -> datetime:
    """The beginning of the next year, month or day."""
    if precision == 1:
        return start.replace(year=start.year + 1)
    if precision == 2:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return datetime.fromtimestamp(start.timestamp() + 86_400, UTC)
