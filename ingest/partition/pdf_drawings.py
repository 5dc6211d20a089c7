"""Charts and pictures that are drawn with strokes and fills, told from tables, boxes behind text and decoration."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ingest.partition.pdf_boxes import area, holds, middle_y, overlaps, touching_groups
from ingest.partition.pdf_words import PageText, PageWord
from ingest.types import BoundingBox, Element, union_box

if TYPE_CHECKING:
    from liteparse.types import VectorGraphics

REACH = 12.0
"""Points between the marks of one drawing that no caption points at, at most."""
LEAST_SIDE = 50.0
"""Points that a chart is wide and high, at least."""
MUCH_OF_PAGE = 0.6
"""Share of the page from which on a mark is a background."""
AXIS_REACH = 40.0
"""Points between a drawing and the numbers along its axis, at most."""
TICKS = 4
"""Numbers along an axis, at least."""
EVEN = 0.12
"""Share by which the steps along an axis may differ, in value and in place."""
BARS = 3
"""Bars on one base line, at least."""
CURVES = 6
"""Curved marks of a picture, at least."""
PICTURE_SIDE = 90.0
"""Points that a drawing without axes or bars is wide and high, at least, or it is an icon."""
FEW_WORDS = 3
"""Words that may stand in one bar or slice."""
TEXT_SHARE = 0.12
"""Share of a picture's area that words may cover."""
PROSE = 15
"""Words from which on a paragraph is running text and no label."""
_VALUE = re.compile(r"[-+\u2212(]?[$\u20ac\u00a3]?(\d[\d,]*(?:\.\d+)?)[%kKmMbB]?\)?")
_WHITE = re.compile(r"(?:ff)?ffffff", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """One stroke or fill: its box, and whether it is filled, curved or a slanted line."""

    box: BoundingBox
    filled: bool = False
    curved: bool = False
    slanted: bool = False


def charts(work: PageText, elements: Sequence[Element]) -> list[BoundingBox]:
    """Boxes of the drawings that read as a chart or picture without any caption."""
    graphics = work.parsed.vector_graphics
    if graphics is None:
        return []
    tables = [e.boxes[0].box for e in elements if e.category == "Table"]
    prose = [e.boxes[0].box for e in elements if len(e.text.split()) >= PROSE and e.category != "Table"]
    marks = [m for m in marks_of(graphics) if _may_belong(work, m, tables)]
    found = []
    for group in touching_groups([m.box for m in marks], gap=REACH):
        own = [marks[i] for i in group]
        box = union_box([m.box for m in own])
        if min(box[2] - box[0], box[3] - box[1]) >= LEAST_SIDE and not _is_behind_text(box, prose):
            found += [box] if _is_chart(work, box, own) else []
    return found


def marks_of(graphics: VectorGraphics) -> list[Mark]:
    """All strokes and fills that can be seen on white."""
    edges = {(round(min(s.x1, s.x2)), round(s.y1)) for s in graphics.lines if s.y1 == s.y2}
    shapes = [
        Mark(
            (x, y, x + width, y + height),
            filled=shape.fill,
            curved=shape.has_curve,
            # A frame's upper edge is among the lines, that of a curve of values is not.
            slanted=min(width, height) > 1.0 and (round(x), round(y)) not in edges,
        )
        for shape in graphics.shapes
        for x, y, width, height in [shape.bbox]
        if shape.stroke or not _WHITE.fullmatch(shape.fill_color or "")
    ]
    return shapes + [
        Mark(box, slanted=min(_sides(box)) > 1.0)
        for s in graphics.lines
        for box in [(min(s.x1, s.x2), min(s.y1, s.y2), max(s.x1, s.x2), max(s.y1, s.y2))]
    ]


def _may_belong(work: PageText, mark: Mark, tables: Sequence[BoundingBox]) -> bool:
    """Whether a mark may be of a drawing: none of a table's, no background, no rule across the page."""
    parsed = work.parsed
    x0, _, x1, _ = mark.box
    is_large = area(mark.box) >= parsed.width * parsed.height * MUCH_OF_PAGE or x1 - x0 >= parsed.width * 0.9
    return not is_large and not any(overlaps(mark.box, table) for table in tables)


def _is_behind_text(box: BoundingBox, prose: Sequence[BoundingBox]) -> bool:
    return any(overlaps(box, text) and holds(box, text, slack=20) for text in prose)


def _is_chart(work: PageText, box: BoundingBox, marks: Sequence[Mark]) -> bool:
    if len(marks) < BARS or not any(m.filled or m.curved or m.slanted for m in marks):
        # Level and upright lines alone are a table's, or a form's.
        return False
    return has_axis(work, box) or _has_bars(work, marks) or _is_picture(work, box, marks)


# --- axes ----------------------------------------------------------------------------------------


def has_axis(work: PageText, box: BoundingBox) -> bool:
    """Whether evenly stepped numbers stand at even distances along a side of a box."""
    near = [w for w in work.words if w.angle == 0 and overlaps(w.box, box, AXIS_REACH) and _VALUE.fullmatch(w.text)]
    down = _aligned(near, lambda w: w.box[2]) + _aligned(near, lambda w: w.box[0])
    across = _aligned(near, lambda w: middle_y(w.box))
    return any(
        _is_scale(sorted(g, key=lambda w: w.box[1]), lambda w: middle_y(w.box)) and not _is_column(work, box, g)
        for g in down
    ) or any(_is_scale(sorted(g, key=lambda w: w.box[0]), lambda w: (w.box[0] + w.box[2]) / 2) for g in across)


def _is_column(work: PageText, box: BoundingBox, numbers: Sequence[PageWord]) -> bool:
    """Whether each of some numbers has words on its line in the box: they are a column of a table."""
    inside = [w for w in work.at(work.words_in(box)) if w not in numbers]
    return all(any(abs(middle_y(w.box) - middle_y(n.box)) <= 3.0 for w in inside) for n in numbers)


def _aligned(words: Sequence[PageWord], place: Callable[[PageWord], float]) -> list[list[PageWord]]:
    """Groups of words that share a place, within points."""
    return [[w for w in words if abs(place(w) - place(own)) <= 2.0] for own in words]


def _is_scale(words: Sequence[PageWord], place: Callable[[PageWord], float]) -> bool:
    """Whether words, in order, hold numbers in even steps, not of one as rows and years are counted."""
    values = [_value(w.text) for w in words]
    if len(words) < (TICKS if not values or values[0] else TICKS - 1):
        return False
    steps = [b - a for a, b in pairwise(values)]
    gaps = [place(b) - place(a) for a, b in pairwise(words)]
    return _are_even(steps) and _are_even(gaps) and abs(abs(steps[0]) - 1.0) > EVEN


def _value(text: str) -> float:
    found = _VALUE.fullmatch(text)
    value = float(found[1].replace(",", "")) if found else 0.0
    return -value if text[:1] in "-(\u2212" else value


def _are_even(steps: Sequence[float]) -> bool:
    mean = sum(steps) / len(steps)
    return mean != 0 and all(abs(step - mean) <= EVEN * abs(mean) for step in steps)


# --- bars and pictures ---------------------------------------------------------------------------


def _has_bars(work: PageText, marks: Sequence[Mark]) -> bool:
    """Whether filled boxes of different lengths stand on one base line, side by side, with hardly a word in them."""
    filled = [m.box for m in marks if m.filled and not m.curved and min(_sides(m.box)) >= 3.0]
    bars = [box for box in filled if len(work.words_in(box)) <= FEW_WORDS]
    upright = [_on_base(bars, own, base=3, thick=(0, 2), end=1) for own in bars]
    level = [_on_base(bars, own, base=0, thick=(1, 3), end=2) for own in bars]
    return any(upright) or any(level)


def _on_base(bars: Sequence[BoundingBox], own: BoundingBox, *, base: int, thick: tuple[int, int], end: int) -> bool:
    """Whether enough bars as thick as one stand on its base line, no two at one place and most of other lengths."""
    same = [b for b in bars if abs(b[base] - own[base]) <= 1.5 and abs(_span(b, thick) - _span(own, thick)) <= 2.0]
    places = {round(b[thick[0]] / 3) for b in same}
    lengths = {round(b[end] / 2) for b in same}
    return len(places) >= BARS and len(lengths) >= BARS


def _span(box: BoundingBox, sides: tuple[int, int]) -> float:
    return box[sides[1]] - box[sides[0]]


def _sides(box: BoundingBox) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _is_picture(work: PageText, box: BoundingBox, marks: Sequence[Mark]) -> bool:
    """Whether many curves make a drawing large enough to be looked at, with little text on it."""
    if min(_sides(box)) < PICTURE_SIDE or sum(m.curved for m in marks) < CURVES:
        return False
    covered = sum(area(w.box) for w in work.at(work.words_in(box)))
    return covered <= TEXT_SHARE * area(box)
