"""What is drawn on a page as lines: strokes, thin bars, and the edges of filled boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.partition.pdf_words import PageText
from ingest.types import BoundingBox

THIN = 2.5
"""Points that a filled box is thick, at most, to be a line."""
SHORT = 4.0
"""Points that a line is long, at least."""
NEAR = 1.5
"""Points between two strokes that are one line."""


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
