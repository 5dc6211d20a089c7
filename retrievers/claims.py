"""A model's reply taken apart into claims, each held against the passages that it cites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.types import Hit
from retrievers.language import Span, content_terms, sentences, stem, stems, tokens

_NUMBERS = r"\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*"
_OPEN, _CLOSE = r"[\[\u3010]", r"(?:\u2020[^\]\u3011]*)?[\]\u3011]"
_MARKS = re.compile(rf"\s*{_OPEN}({_NUMBERS}){_CLOSE}")
_MARKS_AFTER_STOP = re.compile(rf"([.!?])((?:\s*{_OPEN}{_NUMBERS}{_CLOSE})+)")
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot)\b|n['\u2019]t\b", re.IGNORECASE
)
_RANGE = re.compile(r"(\d+)(?:\s*[\u2013-]\s*(\d+))?")
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,60}\b(?:instructions?|prompts?|rules|directions)\b", re.IGNORECASE
)
"""A sentence that gives orders to its reader, a model, bears nothing out."""
MIN_SHARED = 0.7
"""Share of a claim's content words that the passages it cites must have."""
MIN_SHARED_TABLE = 0.5
"""The same where tables alone are cited: their rows have no verbs, and their units stand elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence without its marks, and the passage numbers that it cites, as the model wrote them."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The part of a hit's text that bears a claim: ``hit.chunk.text[start:end]``."""

    hit: Hit
    start: int
    end: int


def read_claims(reply: str) -> Iterator[Claim]:
    """The sentences of a reply with the marks that stand in them or right after their full stop."""
    moved = _MARKS_AFTER_STOP.sub(lambda m: f"{m[2]}{m[1]}", reply)
    for sentence in sentences(moved):
        numbers = [n for mark in _MARKS.finditer(sentence.text) for n in _numbers_of(mark[1])]
        text = " ".join(_MARKS.sub("", sentence.text).split()).lstrip("-*\u2022 ")
        if any(ch.isalnum() for ch in text):
            yield Claim(text=text, numbers=tuple(dict.fromkeys(numbers)))


def _numbers_of(mark: str) -> Iterator[int]:
    for first, last in _RANGE.findall(mark):
        yield from range(int(first), int(last or first) + 1)


def support(claim: Claim, given: Sequence[Hit]) -> list[Quote]:
    """The quotes that bear a claim, one a cited passage; empty when it cites nothing given or is not borne out.

    Borne out means here: every number of the claim stands in a cited passage, so do most of its other words, and a
    claim that denies something has a quote that does.
    """
    hits = [given[n - 1] for n in claim.numbers if 1 <= n <= len(given)]
    said = [set(stems(_searched(hit))) for hit in hits]
    together = set().union(*said) if said else set()
    terms = [stem(t) for t in content_terms(claim.text)]
    figures = {t for t in terms if t[:1].isdigit()}
    if not hits or not figures <= together:
        return []
    words = [t for t in terms if t not in figures]
    least = MIN_SHARED_TABLE if all(hit.chunk.kind == "table" for hit in hits) else MIN_SHARED
    if words and sum(t in together for t in words) < least * len(words):
        return []
    quotes = [quote for quote in (best_quote(claim.text, hit) for hit in hits) if quote is not None]
    if _NEGATION.search(claim.text) and not any(_NEGATION.search(_quoted(quote)) for quote in quotes):
        return []
    return quotes


def _quoted(quote: Quote) -> str:
    return quote.hit.chunk.text[quote.start : quote.end]


def _searched(hit: Hit) -> str:
    return "\n".join((hit.doc, *hit.chunk.title_path, *(unit.text for unit in _units(hit))))


def best_quote(text: str, hit: Hit) -> Quote | None:
    """The sentence or table row of a hit that shares most with a text, numbers counting threefold."""
    wanted = [stem(t) for t in content_terms(text)]
    spans = list(_units(hit))
    if not spans or not wanted:
        return None

    def shared(span: Span) -> float:
        own = set(stems(span.text))
        found = sum(3 if t[:1].isdigit() else 1 for t in wanted if t in own)
        return found / (1 + len(tokens(span.text)) / 50)

    best = max(spans, key=shared)
    return Quote(hit=hit, start=best.start, end=best.end) if shared(best) > 0 else None


def _units(hit: Hit) -> Iterator[Span]:
    """The sentences or rows of a hit that may bear a claim."""
    return (unit for unit in _pieces(hit) if not _ORDER.search(unit.text))


def _pieces(hit: Hit) -> Iterator[Span]:
    if hit.chunk.kind != "table":
        yield from sentences(hit.chunk.text)
        return
    start = 0
    for line in hit.chunk.text.split("\n"):
        if line.strip():
            yield Span(line, start, start + len(line))
        start += len(line) + 1
