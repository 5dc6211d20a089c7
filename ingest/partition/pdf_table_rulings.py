"""What is drawn on a page as lines: strokes, thin bars, and the edges of filled boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.partition.pdf_boxes import overlaps
from ingest.partition.pdf_words import PageText
from ingest.types import BoundingBox, union_box

THIN = 2.5
"""Points that a filled box is thick, at most, to be a line."""
SHORT = 4.0
"""Points that a line is long, at least."""
NEAR = 1.5
"""Points between two strokes that are one line."""

JOINT = 3.0
"""Points between the ends of lines that meet, at most."""
DRAWN = 0.7
"""Share of a cell's side that a line covers, at least."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A line that runs along one axis: its place on the other axis, its start and its end, in points."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The lines of a page: ``across`` run from left to right, ``down`` from top to bottom; both sorted by place."""

    across: tuple[Rule, ...]
    down: tuple[Rule, ...]


def page_rules(work: PageText) -> Rules:
    """The strokes and thin bars of a page, pieces of one line made one."""
    boxes = _bars(work)
    across = [Rule((y0 + y1) / 2, x0, x1) for x0, y0, x1, y1 in boxes if y1 - y0 <= THIN and x1 - x0 >= SHORT]
    down = [Rule((x0 + x1) / 2, y0, y1) for x0, y0, x1, y1 in boxes if x1 - x0 <= THIN and y1 - y0 >= SHORT]
    return Rules(across=tuple(whole(across)), down=tuple(whole(down)))


def _bars(work: PageText) -> list[BoundingBox]:
    graphics = work.parsed.vector_graphics
    if graphics is None:
        return []
    out = [
        (min(s.x1, s.x2), min(s.y1, s.y2), max(s.x1, s.x2), max(s.y1, s.y2))
        for s in graphics.lines
        if s.stroke and not _is_white(s.stroke_color)
    ]
    for shape in graphics.shapes:
        x, y, width, height = shape.bbox
        thin = min(width, height) <= THIN
        if thin and ((shape.fill and not _is_white(shape.fill_color)) or shape.stroke):
            out.append((x, y, x + width, y + height))
        elif shape.stroke and not shape.has_curve and not _is_white(shape.stroke_color):
            out += _edges((x, y, x + width, y + height))
    return out


def _is_white(color: str | None) -> bool:
    return color is not None and color[-6:].lower() == "ffffff"


def _edges(box: BoundingBox) -> list[BoundingBox]:
    x0, y0, x1, y1 = box
    return [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)]


def whole(rules: Sequence[Rule]) -> list[Rule]:
    """Lines with pieces that lie in one line, and touch or nearly do, made one."""
    out: list[Rule] = []
    for rule in sorted(rules):
        near = [r for r in out if rule.at - r.at <= NEAR and rule.start <= r.end + NEAR and r.start <= rule.end + NEAR]
        ends = [rule, *near]
        out = [r for r in out if r not in near]
        out.append(Rule(ends[-1].at, min(r.start for r in ends), max(r.end for r in ends)))
    return sorted(out)


def ruled_boxes(rules: Rules) -> list[BoundingBox]:
    """The outlines of what lines that cross each other enclose, from the top: ruled tables, and frames."""
    out: list[BoundingBox] = []
    for down in rules.down:
        ends = [a for a in rules.across if _cross(a, down)]
        if len(ends) >= 2:
            box = (min(a.start for a in ends), ends[0].at, max(a.end for a in ends), ends[-1].at)
            touching = [o for o in out if overlaps(o, box)]
            out = [o for o in out if o not in touching] + [union_box([box, *touching])]
    return sorted(out, key=lambda b: b[1])


def _cross(across: Rule, down: Rule) -> bool:
    return across.start - JOINT <= down.at <= across.end + JOINT and down.start - JOINT <= across.at <= down.end + JOINT


def ruled_grid(rules: Rules, box: BoundingBox) -> list[list[BoundingBox | None]] | None:
    """The grid that the lines in a box draw: a box for each cell of each row.

    A place that a wider or higher cell covers is ``None``. Nothing where the lines are no grid of rectangles.
    """
    across = [r for r in rules.across if _touches(r, box, down=False)]
    down = [r for r in rules.down if _touches(r, box, down=True)]
    xs = _places(down)
    # What starts or ends between two columns underlines a text.
    across = [r for r in across if _is_near(r.start, xs) and _is_near(r.end, xs)]
    ys = _places(across)
    if len(ys) < 3 or len(xs) < 3:
        return None
    owner: dict[tuple[int, int], BoundingBox] = {}
    rows: list[list[BoundingBox | None]] = [[None] * (len(xs) - 1) for _ in ys[1:]]
    for r in range(len(ys) - 1):
        for c in range(len(xs) - 1):
            if (r, c) in owner:
                continue
            right = c + 1
            while right < len(xs) - 1 and not _is_drawn(down, xs[right], ys[r], ys[r + 1]):
                right += 1
            low = r + 1
            while low < len(ys) - 1 and not _is_drawn(across, ys[low], xs[c], xs[right]):
                low += 1
            places = [(i, j) for i in range(r, low) for j in range(c, right)]
            if any(place in owner for place in places):
                return None
            rows[r][c] = cell = (xs[c], ys[r], xs[right], ys[low])
            owner.update(dict.fromkeys(places, cell))
    return rows


def _touches(rule: Rule, box: BoundingBox, *, down: bool) -> bool:
    x0, y0, x1, y1 = box
    low, high, start, end = (x0, x1, y0, y1) if down else (y0, y1, x0, x1)
    return low - JOINT <= rule.at <= high + JOINT and start - JOINT <= rule.start and rule.end <= end + JOINT


def _places(rules: Sequence[Rule]) -> list[float]:
    """Where lines run, those that nearly lie in one as one."""
    out: list[float] = []
    for rule in rules:
        if not out or rule.at - out[-1] > JOINT:
            out.append(rule.at)
    return out


def _is_near(at: float, places: Sequence[float]) -> bool:
    return any(abs(at - place) <= 2 * JOINT for place in places)


def _is_drawn(rules: Sequence[Rule], at: float, start: float, end: float) -> bool:
    """Whether lines at a place cover most of a stretch."""
    covered = sum(max(0.0, min(rule.end, end) - max(rule.start, start)) for rule in rules if abs(rule.at - at) <= JOINT)
    return covered >= DRAWN * (end - start)
