"""Draws pages and crops. The only place that does: LiteParse (PDFium), and PyMuPDF only where that fails."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, SourceError
from ingest.types import BoundingBox

if TYPE_CHECKING:
    from PIL.Image import Image

POINTS_PER_INCH = 72.0
SCALE = 2.0
"""Pixels a point of page pictures and crops: 144 dpi."""
MARK_COLOUR = (255, 214, 0, 96)
MARK_EDGE = (230, 120, 0, 255)


def check_original(path: Path, sha256: str) -> None:
    """Make sure that the file is still the one that was ingested.

    Raises:
        SourceError: the file is gone or has changed.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise SourceError(f"{path.name}: the original is gone; its stored text is still citable") from exc
    if found != sha256:
        raise SourceError(f"{path.name}: the original has changed since it was ingested; run `pincite ingest` again")


def draw_pages(path: Path, pages: Sequence[int], *, scale: float = SCALE) -> dict[int, Image]:
    """Pictures of PDF pages, ``scale`` pixels a point, as displayed.

    Raises:
        BrokenError: neither engine can draw a page.
    """
    from PIL import Image

    try:
        from liteparse import LiteParse, ParseError

        shots = LiteParse(ocr_enabled=False, quiet=True, dpi=POINTS_PER_INCH * scale).screenshot(
            path, page_numbers=list(pages)
        )
    except ParseError:
        return {page: _draw_with_pymupdf(path, page, scale) for page in pages}
    drawn = {shot.page_num: Image.open(io.BytesIO(shot.image_bytes)).convert("RGB") for shot in shots}
    return {page: drawn.get(page) or _draw_with_pymupdf(path, page, scale) for page in pages}


def _draw_with_pymupdf(path: Path, page: int, scale: float) -> Image:
    import pymupdf
    from PIL import Image

    try:
        with pymupdf.open(path) as pdf:
            pixels = pdf[page - 1].get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
            return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    except (RuntimeError, ValueError, IndexError) as exc:
        raise BrokenError(f"{path.name}, page {page}: cannot be drawn ({exc})") from exc


def open_picture(path: Path, frame: int = 1) -> Image:
    """A picture file's frame (from 1) as RGB, turned as its EXIF orientation says.

    Raises:
        BrokenError: the file is no picture that Pillow reads.
    """
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            found = next(f for i, f in enumerate(ImageSequence.Iterator(picture), 1) if i == frame)
            return ImageOps.exif_transpose(found).convert("RGB")
    except (UnidentifiedImageError, OSError, StopIteration, Image.DecompressionBombError) as exc:
        raise BrokenError(f"{path.name}: not a readable picture ({exc})") from exc


def crop(image: Image, box: BoundingBox, *, scale: float = SCALE, margin: float = 0.0) -> Image:
    """The part of a page picture inside a box in points, with a margin in points, kept on the page."""
    x0, y0, x1, y1 = box
    corners = ((x0 - margin) * scale, (y0 - margin) * scale, (x1 + margin) * scale, (y1 + margin) * scale)
    left, top = max(0, int(corners[0])), max(0, int(corners[1]))
    right, bottom = min(image.width, round(corners[2]) + 1), min(image.height, round(corners[3]) + 1)
    if right <= left or bottom <= top:
        return image
    return image.crop((left, top, right, bottom))


def mark(image: Image, boxes: Sequence[BoundingBox], *, scale: float = SCALE) -> Image:
    """The picture with boxes (in points) laid over like a marker pen."""
    from PIL import Image as Images
    from PIL import ImageDraw

    layer = Images.new("RGBA", image.size)
    pen = ImageDraw.Draw(layer)
    for x0, y0, x1, y1 in boxes:
        pen.rectangle(
            (x0 * scale - 1, y0 * scale - 1, x1 * scale + 1, y1 * scale + 1), fill=MARK_COLOUR, outline=MARK_EDGE
        )
    return Images.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def png_bytes(image: Image) -> bytes:
    """The picture as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
