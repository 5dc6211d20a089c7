"""Where the shapes of a slide stand, those in groups too, as they are turned and scaled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.types import BoundingBox

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]
    from pptx.shapes.base import BaseShape

EMU = 12_700
"""English Metric Units, in which shapes are placed, to a point."""
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


def points(emu: int | None) -> float:
    """A length in points; 0 where there is none."""
    return (emu or 0) / EMU


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """From the coordinates inside a group to those of the slide, in EMU."""

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    def box(self, shape: BaseShape) -> BoundingBox | None:
        """The box around a shape as it is turned, in points of the slide, if its place is known."""
        sides = (shape.left, shape.top, shape.width, shape.height)
        if any(side is None for side in sides):
            return None
        left, top, width, height = sides
        x, y = (left + width / 2) * self.scale[0] + self.shift[0], (top + height / 2) * self.scale[1] + self.shift[1]
        turn = math.radians(getattr(shape, "rotation", 0.0))
        across, along = abs(width * self.scale[0]) / 2, abs(height * self.scale[1]) / 2
        half_width = across * abs(math.cos(turn)) + along * abs(math.sin(turn))
        half_height = across * abs(math.sin(turn)) + along * abs(math.cos(turn))
        box = (x - half_width, y - half_height, x + half_width, y + half_height)
        return box[0] / EMU, box[1] / EMU, box[2] / EMU, box[3] / EMU

    def inside(self, group: _Element) -> Frame:
        """The frame of what a group holds."""
        form = group.find(f"{_P}grpSpPr/{_A}xfrm")
        if form is None:
            return self
        at, size = _pair(form, "off", ("x", "y")), _pair(form, "ext", ("cx", "cy"))
        child_at, child_size = _pair(form, "chOff", ("x", "y")), _pair(form, "chExt", ("cx", "cy"))
        own = [s / c if c else 1.0 for s, c in zip(size, child_size, strict=True)]
        shift = [(at[i] - child_at[i] * own[i]) * self.scale[i] + self.shift[i] for i in (0, 1)]
        return Frame(scale=(self.scale[0] * own[0], self.scale[1] * own[1]), shift=(shift[0], shift[1]))


def _pair(form: _Element, tag: str, names: tuple[str, str]) -> tuple[int, int]:
    node = form.find(f"{_A}{tag}")
    return (0, 0) if node is None else (int(node.get(names[0], "0")), int(node.get(names[1], "0")))


def clipped(box: BoundingBox | None, size: tuple[float, float]) -> BoundingBox | None:
    """The part of a box that lies on the slide, if any does."""
    if box is None:
        return None
    x0, y0, x1, y1 = max(box[0], 0.0), max(box[1], 0.0), min(box[2], size[0]), min(box[3], size[1])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def walk(shapes: Iterable[BaseShape], frame: Frame) -> Iterator[tuple[BaseShape, BoundingBox | None]]:
    """Each shape that is shown, those in groups too, with its box on the slide."""
    from pptx.shapes.group import GroupShape

    for shape in shapes:
        if described(shape).get("hidden") in ("1", "true"):
            continue
        if isinstance(shape, GroupShape):
            yield from walk(shape.shapes, frame.inside(shape.element))
        else:
            yield shape, frame.box(shape)


def described(shape: BaseShape) -> _Element:
    """The node that has a shape's name, description and visibility."""
    return next(shape.element.iter(f"{_P}cNvPr"))
