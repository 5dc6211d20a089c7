"""The words of a PDF page: from LiteParse's items, in reading order, also where text runs sideways."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from ingest.partition.pdf_boxes import box_of, middle_y, touching_groups
from ingest.types import BoundingBox, Element, PageBox, Word, union_box

if TYPE_CHECKING:
    from liteparse.types import ParsedPage, TextItem

UPRIGHT: dict[int, Callable[[BoundingBox], BoundingBox]] = {
    0: lambda b: b,
    90: lambda b: (b[1], -b[2], b[3], -b[0]),
    180: lambda b: (-b[2], -b[3], -b[0], -b[1]),
    270: lambda b: (-b[3], b[0], -b[1], b[2]),
}
"""Where a box would stand if its text were turned upright, by the text's angle in degrees, clockwise."""
WORD_GAP = 0.15
"""Share of a letter's height: pieces of sideways text that stand closer are of one word."""
TOUCH = 0.08
"""Share of a letter's height between a word and the mark that closes it, at most."""
CLOSING = re.compile(r"[.,;:!?)\]%]")
LABEL_GAP = 1.5
"""Heights of a letter between two labels, at least."""
LEFTWARDS, RIGHTWARDS = "left", "right"
FIRST_RIGHT_TO_LEFT = "\u0590"
"""No letter before this one (Hebrew's block) runs from right to left."""
LEFT_TO_RIGHT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.,:/%+-]*[A-Za-z0-9])?")
"""What keeps its direction inside of a word that runs from right to left."""
_MARKS = re.compile(r"[\W_]+")
LINE_END_HYPHEN = re.compile(r"[-\u00ad\u2010]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWord:
    """A word of a page, its font (without its subset's prefix) and the angle of its line, in degrees clockwise.

    ``size`` (in points), ``weight`` (400 is regular) and ``colour`` (ARGB) are its letters'; words that differ in
    these alone are the same. ``restored`` marks a word that LiteParse left out of its items.
    """

    text: str
    box: BoundingBox
    font: str = ""
    angle: int = 0
    size: float = field(default=0.0, compare=False)
    weight: int = field(default=400, compare=False)
    colour: str = field(default="", compare=False)
    restored: bool = False


@dataclass(slots=True)
class PageText:
    """One page while its elements are made: the parsed page, its words, and which of them elements have taken.

    The words stay as they are; they are also held by the heights of their centres, to be looked up by place.
    """

    parsed: ParsedPage
    words: list[PageWord]
    taken: set[int] = field(default_factory=set)
    _by_height: list[tuple[float, float, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        centres = ((middle_y(w.box), (w.box[0] + w.box[2]) / 2, i) for i, w in enumerate(self.words))
        self._by_height = sorted(centres)

    @property
    def number(self) -> int:
        """The page's number, from 1."""
        return self.parsed.page_num

    def words_in(self, box: BoundingBox, *, slack: float = 1.0) -> list[int]:
        """Indices of the words whose centre lies in the box."""
        x0, y0, x1, y1 = box[0] - slack, box[1] - slack, box[2] + slack, box[3] + slack
        first = bisect_left(self._by_height, (y0,))
        last = bisect_right(self._by_height, (y1, math.inf), first)
        return sorted(i for _, x, i in self._by_height[first:last] if x0 <= x <= x1)

    def words_of(self, element: Element) -> list[int]:
        """Indices of the words in a one-page element's box that are in its text: boxes may overlap."""
        left = Counter(squeezed(token) for token in element.text.split())
        found = []
        for i in self.words_in(element.boxes[0].box):
            key = squeezed(self.words[i].text)
            if left[key] > 0:
                left[key] -= 1
                found.append(i)
            elif any(key in token for token, count in left.items() if count > 0):
                found.append(i)
        return found

    def free(self) -> list[int]:
        """Indices of the words that no element has taken."""
        return [i for i in range(len(self.words)) if i not in self.taken]

    def at(self, indices: Sequence[int]) -> list[PageWord]:
        """The words with these indices."""
        return [self.words[i] for i in indices]


def page_element(page: int, category: str, text: str, box: BoundingBox, depth: int | None = None) -> Element:
    """An element of one page, still without its id."""
    return Element(
        element_id="",
        category=category,
        text=text,
        page_number=page,
        boxes=(PageBox(page=page, box=box),),
        category_depth=depth,
    )


def page_words(parsed: ParsedPage) -> list[PageWord]:
    """The page's words in content order, text that is drawn twice (shadows) once; sideways text comes last."""
    words = list(dict.fromkeys(word for item in parsed.text_items for word in _item_words(item)))
    sideways = [word for word in words if word.angle]
    ordered = [
        w for angle in UPRIGHT if angle for line in lines([w for w in sideways if w.angle == angle]) for w in line
    ]
    return [word for word in words if not word.angle] + ordered


def plain_words(words: Sequence[PageWord]) -> tuple[Word, ...]:
    """Words as a page stores them."""
    return tuple(Word(word.text, word.box) for word in words)


def _item_words(item: TextItem) -> Iterator[PageWord]:
    angle = round(item.rotation / 90) * 90 % 360
    font = (item.font_name or "").rpartition("+")[2]
    size, weight, colour = item.font_height or 0.0, item.font_weight or 400, item.fill_color or ""
    found = [
        PageWord(text=w.text, box=box_of(w), font=font, angle=angle, size=size, weight=weight, colour=colour)
        for w in item.words
        if w.text.strip()
    ]
    if _is_formula(item, found):
        yield PageWord(text=item.text.strip(), box=box_of(item), font=font, angle=angle)
    elif angle:
        yield from _rejoined(found)
    elif any(runs_left(word.text) for word in found):
        yield from in_reading_order(list(_read_leftwards(found)))
    else:
        yield from found


def _is_formula(item: TextItem, words: Sequence[PageWord]) -> bool:
    """Whether LiteParse wrote LaTeX for what is drawn: the words then lack it, and the item stands for them."""
    drawn = "".join(word.text for word in words)
    return item.text.strip() != "" and item.text.count("$") > drawn.count("$")


def _rejoined(pieces: Sequence[PageWord]) -> Iterator[PageWord]:
    """Sideways text comes as letters or groups of them, in any order: whole words in reading order."""
    held: list[PageWord] = []
    for piece in sorted(pieces, key=lambda w: UPRIGHT[w.angle](w.box)[0]):
        box = UPRIGHT[piece.angle](piece.box)
        if held and box[0] - UPRIGHT[piece.angle](held[-1].box)[2] > WORD_GAP * (box[3] - box[1]):
            yield _joined(held)
            held = []
        held.append(piece)
    if held:
        yield _joined(held)


def _joined(pieces: Sequence[PageWord]) -> PageWord:
    text = "".join(piece.text for piece in pieces)
    box = union_box([piece.box for piece in pieces])
    return PageWord(text=text, box=box, font=pieces[0].font, angle=pieces[0].angle)


def runs_left(text: str) -> bool:
    """Whether a word has letters of a script that is written from right to left."""
    return not text.isascii() and any(
        ch >= FIRST_RIGHT_TO_LEFT and unicodedata.bidirectional(ch) in ("R", "AL") for ch in text
    )


def in_reading_order(line: Sequence[PageWord]) -> list[PageWord]:
    """The words of a line, given from left to right, as they are read: from right to left where the script is.

    A line takes the direction of most of its words; those of the other direction keep theirs among themselves.
    """
    if not any(runs_left(word.text) for word in line):
        return list(line)
    own = [_direction(word.text) for word in line]
    main = LEFTWARDS if own.count(LEFTWARDS) >= own.count(RIGHTWARDS) else RIGHTWARDS
    placed = zip(_resolved(own, main), line, strict=True)
    runs = [(direction, [word for _, word in run]) for direction, run in groupby(placed, lambda pair: pair[0])]
    ordered = [words[::-1] if direction == LEFTWARDS else words for direction, words in runs]
    return [word for words in (ordered[::-1] if main == LEFTWARDS else ordered) for word in words]


def _direction(text: str) -> str:
    """The direction of a word's letters; empty for numbers and signs, which have none of their own."""
    if runs_left(text):
        return LEFTWARDS
    return RIGHTWARDS if any(ch.isalpha() for ch in text) else ""


def _resolved(own: Sequence[str], main: str) -> list[str]:
    """The directions with that of the line where a word has none, unless it stands between two of the other one."""
    out: list[str] = []
    for n, direction in enumerate(own):
        before = next((d for d in reversed(own[:n]) if d), main)
        after = next((d for d in own[n:] if d), main)
        out.append(direction or (before if before == after else main))
    return out


def _read_leftwards(pieces: Sequence[PageWord]) -> Iterator[PageWord]:
    """Words of such scripts come in pieces, their letters from left to right: whole words as they are read."""
    held: list[PageWord] = []
    for piece in sorted(pieces, key=lambda w: w.box[0]):
        left = runs_left(piece.text)
        if held and not (left and piece.box[0] - held[-1].box[2] <= WORD_GAP * (piece.box[3] - piece.box[1])):
            yield _turned(held)
            held = []
        if left:
            held.append(piece)
        else:
            yield piece
    if held:
        yield _turned(held)


def _turned(pieces: Sequence[PageWord]) -> PageWord:
    """Pieces of a word as one, its letters from the last to the first; marks stay with their letters."""
    whole = _joined(pieces)
    letters: list[str] = []
    for ch in whole.text:
        if letters and unicodedata.combining(ch):
            letters[-1] += ch
        else:
            letters.append(ch)
    text = LEFT_TO_RIGHT.sub(lambda found: found[0][::-1], "".join(reversed(letters)))
    return replace(whole, text=text)


def lines(words: Sequence[PageWord]) -> list[list[PageWord]]:
    """Words grouped into lines by overlap of their heights, each line in reading order, as if turned upright."""
    found: list[list[tuple[float, PageWord]]] = []
    top = foot = 0.0
    upright = ((UPRIGHT[word.angle](word.box), i, word) for i, word in enumerate(words))
    for middle, left, _, box, word in sorted((middle_y(box), box[0], i, box, word) for box, i, word in upright):
        if found and top <= middle <= foot:
            found[-1].append((left, word))
        else:
            found.append([(left, word)])
            _, top, _, foot = box
    return [in_reading_order([word for _, word in sorted(line, key=itemgetter(0))]) for line in found]


def join_words(words: Sequence[PageWord]) -> str:
    """Words in lines from top to bottom as one text; a word broken at a line end is rejoined."""
    text = ""
    for line in lines(words):
        text = join_texts(text, _spaced(line))
    return text


def _spaced(line: Sequence[PageWord]) -> str:
    """The words of a line; LiteParse parts ``2.4`` and ``end.`` at some dots, which are put together again."""
    text = line[0].text
    for before, word in pairwise(line):
        a, b = UPRIGHT[before.angle](before.box), UPRIGHT[word.angle](word.box)
        is_close = abs(b[0] - a[2]) <= TOUCH * (b[3] - b[1]) and CLOSING.match(word.text)
        text += word.text if is_close else f" {word.text}"
    return text


def label_lines(words: Sequence[PageWord]) -> str:
    """Labels as a text of a line each: they are no running text, and those of one height are parted by wide gaps."""
    return "\n".join(_spaced(label) for line in lines(words) for label in labels_of(line))


def labels_of(line: Sequence[PageWord]) -> Iterator[list[PageWord]]:
    """The labels of a line: its words, parted at wide gaps."""
    held: list[PageWord] = []
    for word in line:
        box = UPRIGHT[word.angle](word.box)
        if held and box[0] - UPRIGHT[word.angle](held[-1].box)[2] > LABEL_GAP * (box[3] - box[1]):
            yield held
            held = []
        held.append(word)
    yield held


def as_typed(words: Sequence[PageWord]) -> str:
    """Words in a typewriter's font as lines in which each letter keeps its column: code with its indents."""
    rows = lines(words)
    if not rows:
        return ""
    left = min(word.box[0] for word in words)
    widths = sorted((word.box[2] - word.box[0]) / len(word.text) for word in words)
    return "\n".join(_typed_line(row, left, max(widths[len(widths) // 2], 1.0)) for row in rows)


def _typed_line(row: Sequence[PageWord], left: float, width: float) -> str:
    line = ""
    for word in row:
        column = round((word.box[0] - left) / width)
        line += " " * max(column - len(line), 1 if line else 0) + word.text
    return line


def join_texts(first: str, second: str) -> str:
    """Two texts as one, a word that is broken between them rejoined."""
    if LINE_END_HYPHEN.search(first) and second[:1].islower():
        return first[:-1] + second
    return f"{first} {second}".strip()


def squeezed(text: str) -> str:
    """The letters and digits of a text: what is left when hyphens, spaces and marks do not count."""
    return text if text.isalnum() else _MARKS.sub("", text)


def clusters(work: PageText, indices: Sequence[int]) -> list[list[int]]:
    """Words that stand close together, those of one angle, from top to bottom."""
    out: list[list[int]] = []
    for angle in UPRIGHT:
        own = [i for i in indices if work.words[i].angle == angle]
        touching = touching_groups([_with_margin(work.words[i].box) for i in own])
        groups = [[own[i] for i in group] for group in touching]
        out += sorted(groups, key=lambda group: union_box([work.words[i].box for i in group])[1])
    return out


def _with_margin(box: BoundingBox) -> BoundingBox:
    margin = min(box[3] - box[1], box[2] - box[0]) * 0.5
    return box[0] - margin, box[1] - margin * 0.6, box[2] + margin, box[3] + margin * 0.6
