"""Headings that are told by their looks alone: short bold or larger lines over text, as many authors write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.images import caption_kind

MAX_CHARS = 120
MAX_WORDS = 14
"""A longer line in bold is a sentence that matters, no heading."""
MAX_RUN = 3
"""More bold lines in a row are an address, a title page or a form."""
LARGER = 1.2
"""Times the size of most text from which on a line counts as larger."""
MAX_DEPTH = 8

_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,5})\.?\s+\D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A block of a document as its looks tell it: ``depth`` is that of a heading that is known, ``size`` in points.

    ``is_text`` is false for what can stand under a heading but can be none: a table or picture.
    """

    text: str
    depth: int | None = None
    is_text: bool = True
    is_item: bool = False
    bold: bool = False
    size: float | None = None


def inferred_depths(lines: Sequence[Line]) -> dict[int, int]:
    """The depth of each line that is a heading by its looks, by its position.

    It is short, ends like no sentence, and has text below it. A heading below a known one is one level deeper; among
    themselves, the number that they begin with orders them, or else their size.
    """
    usual, bold_tells = _usual_size(lines), not _is_mostly_bold(lines)
    looks = [_looks_like_heading(line, usual, bold_tells=bold_tells) for line in lines]
    chosen = {i for run in _runs(looks) if _stands_over_text(run, lines) for i in run}
    sizes = sorted({lines[i].size or 0.0 for i in chosen}, reverse=True)
    depths: dict[int, int] = {}
    known = -1
    for i, line in enumerate(lines):
        if line.depth is not None:
            known = line.depth
        elif i in chosen:
            number = _NUMBER.match(line.text)
            rank = number[1].count(".") if number else sizes.index(line.size or 0.0)
            depths[i] = min(known + 1 + rank, MAX_DEPTH)
    return depths


def _usual_size(lines: Sequence[Line]) -> float | None:
    sizes: Counter[float] = Counter()
    for line in lines:
        if line.is_text and line.size and not line.bold:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else None


def _is_mostly_bold(lines: Sequence[Line]) -> bool:
    texts = [line for line in lines if line.is_text and line.depth is None]
    return 2 * sum(len(line.text) for line in texts if line.bold) > sum(len(line.text) for line in texts)


def _looks_like_heading(line: Line, usual: float | None, *, bold_tells: bool) -> bool:
    if line.depth is not None or not line.is_text or not _reads_like_heading(line.text):
        return False
    is_larger = line.size is not None and usual is not None and line.size >= LARGER * usual
    return (line.bold and bold_tells) or (is_larger and not line.is_item)


def _reads_like_heading(text: str) -> bool:
    text = text.strip()
    return (
        1 < len(text) <= MAX_CHARS
        and len(text.split()) <= MAX_WORDS
        and not text.endswith((".", ",", ";"))
        and any(map(str.isalpha, text))
        and caption_kind(text) is None
    )


def _runs(looks: Sequence[bool]) -> Iterator[list[int]]:
    """The positions of lines that look like headings, those in a row together."""
    run: list[int] = []
    for i, look in enumerate(looks):
        if look:
            run.append(i)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _stands_over_text(run: Sequence[int], lines: Sequence[Line]) -> bool:
    """Whether what follows belongs under the lines; list items that are bold must not be followed by more items."""
    after = lines[run[-1] + 1] if run[-1] + 1 < len(lines) else None
    if after is None or after.depth is not None or len(run) > MAX_RUN:
        return False
    return not (lines[run[-1]].is_item and after.is_item)
