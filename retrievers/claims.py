"""A model's reply taken apart into claims, each held against the passages that it cites."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.types import Hit
from retrievers.check import Part, bearing, check_sentence
from retrievers.language import Span, content_terms, sentences, stem, stems, tokens

_NUMBERS = r"\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*"
_OPEN, _CLOSE = r"[\[\u3010]", r"(?:\u2020[^\]\u3011]*)?[\]\u3011]"
_MARKS = re.compile(rf"(?<!\s)\s*{_OPEN}({_NUMBERS}){_CLOSE}")
_MARKS_AFTER_STOP = re.compile(rf"([.!?])((?:\s*{_OPEN}{_NUMBERS}{_CLOSE})+)")
_RANGE = re.compile(r"(\d+)(?:\s*[\u2013-]\s*(\d+))?")
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,60}\b(?:instructions?|prompts?|rules|directions)\b", re.IGNORECASE
)
"""A sentence that gives orders to its reader, a model, bears nothing out."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s)\]>\"']+[^\s)\]>\"'.,;:!?]")
_TAG = re.compile(r"<[^>]+>")
_ROUND_MARKS = re.compile(r"(?<!\s)\s*\((\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\)(?=[.!?]|\s*$)", re.MULTILINE)
"""Numbers in round brackets at the end of a sentence: marks, where a reply has no others."""
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal or turns the direction of a text; no claim needs it."""


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
    """The sentences of a reply, each once, with the marks that stand in them or right after their full stop."""
    yield from dict.fromkeys(_read_claims(reply))


def _read_claims(reply: str) -> Iterator[Claim]:
    seen = _UNSEEN.sub("", reply)
    marked = seen if _MARKS.search(seen) else _ROUND_MARKS.sub(r" [\1]", seen)
    moved = _MARKS_AFTER_STOP.sub(lambda m: f"{m[2]}{m[1]}", marked)
    for sentence in sentences(moved):
        numbers = [n for mark in _MARKS.finditer(sentence.text) for n in _numbers_of(mark[1])]
        text = " ".join(_MARKS.sub("", sentence.text).split()).lstrip("-*\u2022 ")
        if any(ch.isalnum() for ch in text):
            yield Claim(text=text, numbers=tuple(dict.fromkeys(numbers)))


def _numbers_of(mark: str) -> Iterator[int]:
    for first, last in _RANGE.findall(mark):
        yield from range(int(first), int(last or first) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The quotes that bear a claim, in the order of the passages; or none, and the reasons in plain words."""

    quotes: tuple[Quote, ...]
    reasons: tuple[str, ...] = ()


def check_claim(claim: Claim, given: Sequence[Hit]) -> Checked:
    """Check a claim against the passages that it cites, together; those that bear nothing of it are not quoted."""
    invented = next((n for n in claim.numbers if not 1 <= n <= len(given)), None)
    if invented is not None:
        # Who names a source that was not given did not write from those that were: the claim goes with it.
        return Checked(quotes=(), reasons=(f"it cites [{invented}], which is none of the passages",))
    hits = [given[n - 1] for n in claim.numbers]
    if not hits:
        return Checked(quotes=(), reasons=("it cites none of the passages",))
    passages = [_passage(hit) for hit in hits]
    unknown = next((url for url in _LINK.findall(claim.text) if not any(url in p for p in passages)), None)
    if unknown is not None:
        return Checked(quotes=(), reasons=(f"the link {unknown} is not in the passages",))
    found = check_sentence(claim.text, passages)
    if not found.supported:
        return Checked(quotes=(), reasons=found.reasons)
    quotes = (_quote(claim, hits[part.passage], passages[part.passage], part) for part in bearing(claim.text, passages))
    return Checked(quotes=tuple(dict.fromkeys(quote for quote in quotes if quote is not None)))


def support(claim: Claim, given: Sequence[Hit]) -> list[Quote]:
    """The quotes that bear a claim; empty when it cites nothing given or is not borne out."""
    return list(check_claim(claim, given).quotes)


def _passage(hit: Hit) -> str:
    """What a hit may bear a claim with: a table with its grid and titles, a text less the orders in it."""
    if hit.chunk.kind == "table" and hit.chunk.text_as_html:
        return "\n".join((*hit.chunk.title_path, hit.chunk.text_as_html))
    text = hit.chunk.text
    for piece in _pieces(hit):
        if _ORDER.search(piece.text):
            text = text[: piece.start] + " " * len(piece.text) + text[piece.end :]
    return text


def _quote(claim: Claim, hit: Hit, passage: str, part: Part) -> Quote | None:
    """The quote of a hit that a part of its passage stands for."""
    if len(passage) == len(hit.chunk.text) and hit.chunk.text[part.start : part.end] == passage[part.start : part.end]:
        return Quote(hit=hit, start=part.start, end=part.end)
    row = " ".join(html.unescape(_TAG.sub(" ", passage[part.start : part.end])).split())
    start = hit.chunk.text.find(row)
    return Quote(hit=hit, start=start, end=start + len(row)) if row and start >= 0 else best_quote(claim.text, hit)


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
