"""What is drawn in a picture, told from its pixels: rows of letters, and ruled lines. Boxes are in points.

Both cost about 10 ms a megapixel: cheap enough to decide whether OCR, which costs seconds, has anything to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.types import BoundingBox, union_box

if TYPE_CHECKING:
    from PIL.Image import Image

LOOK_SCALE = 2.0
"""Pixels a point at which letters are looked for at most: those of 5 points are then as high as 5 pixels."""
STROKE = 7.5
"""Points; a stroke of a letter is thinner, and stands out of what surrounds it."""
CONTRAST = 48
"""Grey levels (of 255) by which a letter's strokes stand out."""
LETTER_HEIGHTS = (2.5, 30.0)
"""Points of a letter's height."""
ROW_LETTERS = 3
"""Letters in a row, at least: fewer are a chance of texture."""
RULE_LENGTHS = (24.0, 14.0)
"""Points of a ruled line, at least, across and down: a table's row may be as low as a line of text."""
RULE_GAP = 3.0
"""Points of a gap in a ruled line, at most: where another one crosses it, neither stands out."""
RULE_WIDTH = 3.0
"""Points of a ruled line's width, at most."""
RULE_CONTRAST = 20
"""Grey levels by which a ruled line stands out; tables have fainter ones than letters."""


@dataclass(frozen=True, slots=True)
class _Blob:
    """A connected patch of strokes, in pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def height(self) -> int:
        return self.y1 - self.y0


def letter_rows(image: Image, scale: float, known: Sequence[BoundingBox] = ()) -> list[tuple[BoundingBox, int]]:
    """Rows of shapes like letters in a picture of ``scale`` pixels a point: a box and a count of letters each.

    Shapes whose centre lies in a ``known`` box (in points of the picture), such as a word of the text layer, are not
    counted. Photographs have next to none; the few words of a logo make a row or two.
    """
    import numpy as np

    grey = image.convert("L")
    if scale > LOOK_SCALE:
        grey = grey.resize(
            (max(1, int(grey.width * LOOK_SCALE / scale)), max(1, int(grey.height * LOOK_SCALE / scale)))
        )
        scale = LOOK_SCALE
    pixels = np.asarray(grey)
    rows = [row for dark in (True, False) for row in _rows(_unknown(_letters(pixels, scale, dark=dark), scale, known))]
    boxes = [union_box([(b.x0 / scale, b.y0 / scale, b.x1 / scale, b.y1 / scale) for b in row]) for row in rows]
    return [(box, len(row)) for box, row in zip(boxes, rows, strict=True)]


def _letters(pixels: Any, scale: float, *, dark: bool) -> list[_Blob]:  # noqa: ANN401 (an array of grey levels)
    """Patches of strokes, dark on light or light on dark, of a letter's size and fill, by their left sides."""
    import cv2
    import numpy as np

    side = max(5, int(STROKE * scale) | 1)
    way = cv2.MORPH_BLACKHAT if dark else cv2.MORPH_TOPHAT
    strokes = cv2.morphologyEx(pixels, way, np.ones((side, side), np.uint8))
    found = cv2.connectedComponentsWithStats((strokes > CONTRAST).astype(np.uint8), connectivity=8)[2][1:]
    _, _, width, height, filled = found.T
    least, most = LETTER_HEIGHTS
    fits = (height >= least * scale) & (height <= most * scale) & (width >= scale) & (width <= 1.6 * height + 4)
    fits &= (filled >= 0.15 * width * height) & (filled <= 0.95 * width * height + 2)
    kept = found[fits]
    return sorted((_Blob(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in kept), key=lambda b: (b.x0, b.y0))


def _unknown(blobs: Iterable[_Blob], scale: float, known: Sequence[BoundingBox]) -> list[_Blob]:
    """The blobs that lie in none of the boxes."""
    cells: dict[tuple[int, int], list[BoundingBox]] = {}
    for box in known:
        for cell in _cells_of(box):
            cells.setdefault(cell, []).append(box)
    return [b for b in blobs if not _is_known((b.x0 + b.x1) / 2 / scale, (b.y0 + b.y1) / 2 / scale, cells)]


_CELL = 32.0
"""Points of the side of a cell in which known boxes are looked up."""


def _cells_of(box: BoundingBox) -> Iterator[tuple[int, int]]:
    for column in range(int(box[0] // _CELL), int(box[2] // _CELL) + 1):
        for row in range(int(box[1] // _CELL), int(box[3] // _CELL) + 1):
            yield column, row


def _is_known(x: float, y: float, cells: dict[tuple[int, int], list[BoundingBox]]) -> bool:
    near = cells.get((int(x // _CELL), int(y // _CELL)), ())
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in near)


def _rows(blobs: Sequence[_Blob]) -> list[list[_Blob]]:
    """Blobs in rows as letters stand: close together on one base line, and of nearly one size."""
    ends: dict[int, list[list[_Blob]]] = {}
    rows: list[list[_Blob]] = []
    for blob in blobs:
        band = blob.y1 // 4
        row = next(
            (r for near in (band, band - 1, band + 1) for r in ends.get(near, ()) if _stands_next(r[-1], blob)), None
        )
        if row is None:
            row = []
            rows.append(row)
        else:
            ends[row[-1].y1 // 4].remove(row)
        row.append(blob)
        ends.setdefault(band, []).append(row)
    return [row for row in rows if len(row) >= ROW_LETTERS]


def _stands_next(left: _Blob, right: _Blob) -> bool:
    high, low = max(left.height, right.height), min(left.height, right.height)
    gap = right.x0 - left.x1
    return -0.2 * high < gap < 0.7 * high and abs(right.y1 - left.y1) < 0.12 * high + 0.6 and low > 0.5 * high


def ruled_lines(image: Image, scale: float) -> list[BoundingBox]:
    """Thin straight lines across and down, dark on light or light on dark, in a picture of ``scale`` pixels a point."""
    import numpy as np

    pixels = np.asarray(image.convert("L"))
    return [box for across in (True, False) for box in _lines(pixels, scale, across=across)]


def _lines(pixels: Any, scale: float, *, across: bool) -> Iterator[BoundingBox]:  # noqa: ANN401
    import cv2
    import numpy as np

    thick, long = max(3, int(RULE_WIDTH * scale) + 2), max(5, int(RULE_LENGTHS[not across] * scale))
    gap = max(3, int(RULE_GAP * scale) | 1)
    through, along, over = ((thick, 1), (1, long), (1, gap)) if across else ((1, thick), (long, 1), (gap, 1))
    for way in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT):
        thin = (cv2.morphologyEx(pixels, way, np.ones(through, np.uint8)) > RULE_CONTRAST).astype(np.uint8)
        whole = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones(over, np.uint8))
        drawn = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones(along, np.uint8))
        for x, y, width, height, _ in cv2.connectedComponentsWithStats(drawn, connectivity=8)[2][1:]:
            yield float(x / scale), float(y / scale), float((x + width) / scale), float((y + height) / scale)
