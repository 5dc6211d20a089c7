"""What a document says about a picture: the paragraphs beside it and the sentences that name its figure number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ingest.types import Element

NEARBY_CHARACTERS = 300
"""How much of the paragraph before, of the one after and of each sentence elsewhere is taken."""
MAX_MENTIONS = 3

_FIGURE_NUMBER = re.compile(r"\bfig(?:ure|ures|s)?\b\.?\s*(\d+(?:[.\-]\d+)*[a-z]?)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\d\s])")
_NOT_PROSE = frozenset({"Table", "Image", "FigureCaption", "Title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The paragraphs before and after each place in a sequence of elements, and the sentences on each figure."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    mentions: Mapping[str, Sequence[str]]


def read_surroundings(elements: Sequence[Element]) -> Surroundings:
    """Look through the elements once; paragraphs beyond a heading do not count as beside a picture."""
    mentions: dict[str, dict[str, None]] = {}
    for element in elements:
        if element.category not in _NOT_PROSE and "fig" in element.text.lower():
            for sentence in _SENTENCE_END.split(" ".join(element.text.split())):
                for number in dict.fromkeys(_FIGURE_NUMBER.findall(sentence)):
                    mentions.setdefault(number.lower(), {})[sentence] = None
    return Surroundings(
        before=tuple(_last_paragraphs(elements)),
        after=tuple(reversed(_last_paragraphs(elements[::-1]))),
        mentions={number: tuple(sentences) for number, sentences in mentions.items()},
    )


def _last_paragraphs(elements: Sequence[Element]) -> list[str]:
    found: list[str] = []
    last = ""
    for element in elements:
        found.append(last)
        if element.category == "Title":
            last = ""
        elif element.category not in _NOT_PROSE:
            last = " ".join(element.text.split()) or last
    return found


def nearby_text(surroundings: Surroundings, place: int, caption: str) -> str:
    """What stands beside the picture at ``place`` and what is said elsewhere of the figure that its caption numbers."""
    before, after = surroundings.before[place], surroundings.after[place]
    number = _FIGURE_NUMBER.search(caption)
    mentions = surroundings.mentions.get(number[1].lower(), ()) if number else ()
    elsewhere = (sentence for sentence in mentions if sentence not in before and sentence not in after)
    near = [_last_words(before), _first_words(after), *map(_first_words, islice(elsewhere, MAX_MENTIONS))]
    return "\n".join(text for text in near if text)


def _first_words(text: str) -> str:
    if len(text) <= NEARBY_CHARACTERS:
        return text
    return text[: max(text.rfind(" ", 0, NEARBY_CHARACTERS + 1), 0) or NEARBY_CHARACTERS]


def _last_words(text: str) -> str:
    if len(text) <= NEARBY_CHARACTERS:
        return text
    space = text.find(" ", len(text) - NEARBY_CHARACTERS - 1)
    return text[space + 1 :] if space >= 0 else text[-NEARBY_CHARACTERS:]
