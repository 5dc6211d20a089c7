"""Boxes on a page: what holds, touches or stands above what. All in points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingest.types import BoundingBox, union_box


class Rectangle(Protocol):
    """What LiteParse gives as a box."""

    x: float
    y: float
    width: float
    height: float


def box_of(rect: Rectangle) -> BoundingBox:
    """LiteParse's rectangle as a box."""
    return rect.x, rect.y, rect.x + rect.width, rect.y + rect.height


def clipped(box: BoundingBox, size: tuple[float, float]) -> BoundingBox:
    """The part of a box that lies on a page of this size."""
    return max(0.0, box[0]), max(0.0, box[1]), min(size[0], box[2]), min(size[1], box[3])


def area(box: BoundingBox) -> float:
    """Square points; 0 for a box turned inside out."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlaps(a: BoundingBox, b: BoundingBox, gap: float = 0.0) -> bool:
    """Whether two boxes touch, or come within ``gap`` of each other."""
    return a[0] <= b[2] + gap and b[0] <= a[2] + gap and a[1] <= b[3] + gap and b[1] <= a[3] + gap


def holds(outer: BoundingBox, inner: BoundingBox, slack: float = 6.0) -> bool:
    """Whether a box lies in another, but for ``slack``."""
    x0, y0, x1, y1 = outer
    return x0 - slack <= inner[0] and y0 - slack <= inner[1] and inner[2] <= x1 + slack and inner[3] <= y1 + slack


def shares_column(a: BoundingBox, b: BoundingBox) -> bool:
    """Whether one box stands above the other, at least with a part of its width."""
    return a[0] <= b[2] and b[0] <= a[2]


def gap_between(a: BoundingBox, b: BoundingBox) -> float:
    """Vertical distance of two boxes; infinite when they share no column, 0 when they overlap."""
    return max(0.0, b[1] - a[3], a[1] - b[3]) if shares_column(a, b) else float("inf")


def middle_y(box: BoundingBox) -> float:
    """The height at which a box has its middle."""
    return (box[1] + box[3]) / 2


def merged(boxes: Sequence[BoundingBox], gap: float = 0.0) -> list[BoundingBox]:
    """Boxes with all that touch (within ``gap`` points) made one."""
    groups: list[BoundingBox] = []
    for box in sorted(boxes, key=lambda b: b[1]):
        grown = box
        while touching := [g for g in groups if overlaps(g, grown, gap)]:
            groups = [g for g in groups if g not in touching]
            grown = union_box([*touching, grown])
        groups.append(grown)
    return groups
