"""Boxes on a page: what holds, touches or stands above what. All in points."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import itemgetter
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
    return [union_box([boxes[i] for i in group]) for group in touching_groups(boxes, gap)]


def touching_groups(boxes: Sequence[BoundingBox], gap: float = 0.0) -> list[list[int]]:
    """Indices of the boxes that are made one where all that touch (within ``gap`` points) are merged.

    The group whose last box starts lowest comes last.
    """
    # Lower edge (with the gap), turn of the last box, box and members; what ends above a box cannot touch it.
    groups: list[tuple[float, int, BoundingBox, list[int]]] = []
    for turn, index in enumerate(sorted(range(len(boxes)), key=lambda i: boxes[i][1])):
        grown, members = boxes[index], [index]
        while True:
            start = bisect_left(groups, (grown[1],))
            touching = [g for g in groups[start:] if overlaps(g[2], grown, gap)]
            if not touching:
                insort(groups, (grown[3] + gap, turn, grown, members))
                break
            groups[start:] = [g for g in groups[start:] if g not in touching]
            (_, _, _, first), *others = touching
            for _, _, _, more in others:
                first.extend(more)
            first.extend(members)
            grown, members = union_box([grown, *(box for _, _, box, _ in touching)]), first
    return [sorted(members) for _, _, _, members in sorted(groups, key=itemgetter(1))]
