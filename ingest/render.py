"""Draws pages and crops. The only place that does: LiteParse (PDFium), and PyMuPDF only where that fails."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ingest.errors import BrokenError, EncryptedError, SourceError
from ingest.types import BoundingBox

if TYPE_CHECKING:
    from liteparse.types import ScreenshotResult
    from PIL.Image import Image
    from pymupdf import Document
    from pymupdf import Page as PdfPage

T = TypeVar("T")
POINTS_PER_INCH = 72.0
SCALE = 2.0
"""Pixels a point of page pictures and crops: 144 dpi."""
MAX_PIXELS = 20_000_000
"""Pixels of a drawn page at most: a sheet of A1 at ``SCALE``. Larger pages are drawn at a smaller scale."""
LOCKED = "encrypted: give its password with --password, or in PINCITE_PASSWORD"
WRONG_PASSWORD = "encrypted: the password that was given does not open it"  # noqa: S105 (says so, is none)
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


def draw_pages(
    path: Path, pages: Sequence[int], *, scale: float = SCALE, password: str | None = None
) -> dict[int, Image]:
    """Pictures of PDF pages, ``scale`` pixels a point, as displayed.

    A page that would have more than ``MAX_PIXELS`` is drawn smaller; its picture knows its scale (``scale_of``).

    Raises:
        EncryptedError: the file needs a password, or another one.
        BrokenError: neither engine can draw a page.
    """
    from liteparse import ParseError

    drawn: dict[int, Image] = {}
    try:
        for own, group in _by_scale(path, pages, scale, password).items():
            drawn |= {shot.page_num: _opened(shot, own) for shot in _shots(path, group, own, password)}
    except ParseError:
        pass  # what the first engine cannot draw, the second one may
    return {page: drawn.get(page) or _draw_with_pymupdf(path, page, scale, password) for page in pages}


def scale_of(image: Image) -> float:
    """Pixels a point of a drawn page; ``SCALE`` unless the page was too large for that."""
    return float(image.info.get("scale", SCALE))


def bounded_scale(width: float, height: float, scale: float = SCALE) -> float:
    """Pixels a point, ``scale`` at most, at which a page of this size (points) has at most ``MAX_PIXELS``."""
    return min(scale, math.sqrt(MAX_PIXELS / max(width * height, 1.0)))


def unlocked(read: Callable[[str | None], T], password: str | None) -> T:
    """What ``read`` gives of a PDF without a password, or with it where LiteParse says that one is needed.

    So one password can be given for a folder in which not all files have it.

    Raises:
        EncryptedError: the file needs a password, or another one.
        liteparse.ParseError: ``read`` raised it for another reason.
    """
    from liteparse import ParseError

    for given in (None, password) if password else (None,):
        try:
            return read(given)
        except ParseError as exc:
            if "password" not in str(exc).lower():
                raise
    raise EncryptedError(WRONG_PASSWORD if password else LOCKED)


def _by_scale(path: Path, pages: Sequence[int], scale: float, password: str | None) -> dict[float, list[int]]:
    """The pages by the scale at which they can be drawn."""
    from liteparse import LiteParse

    wanted = ",".join(map(str, pages))
    sizes = unlocked(
        lambda given: LiteParse(ocr_enabled=False, quiet=True, target_pages=wanted, password=given).parse(path),
        password,
    )
    groups: dict[float, list[int]] = {}
    for page in sizes.pages:
        groups.setdefault(bounded_scale(page.width, page.height, scale), []).append(page.page_num)
    return groups


def _shots(path: Path, pages: list[int], scale: float, password: str | None) -> list[ScreenshotResult]:
    from liteparse import LiteParse

    dpi = POINTS_PER_INCH * scale
    return unlocked(
        lambda given: LiteParse(ocr_enabled=False, quiet=True, dpi=dpi, password=given).screenshot(
            path, page_numbers=pages
        ),
        password,
    )


def _opened(shot: ScreenshotResult, scale: float) -> Image:
    from PIL import Image

    return _scaled(Image.open(io.BytesIO(shot.image_bytes)).convert("RGB"), scale)


def _scaled(image: Image, scale: float) -> Image:
    image.info["scale"] = scale
    return image


def _draw_with_pymupdf(path: Path, page: int, scale: float, password: str | None) -> Image:
    import pymupdf
    from PIL import Image

    try:
        with _open_pdf(path, password) as pdf:
            shown = pdf[page - 1]
            own = bounded_scale(shown.rect.width, shown.rect.height, scale)
            pixels = shown.get_pixmap(matrix=pymupdf.Matrix(own, own), alpha=False)
            return _scaled(Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples), own)
    except (RuntimeError, ValueError, IndexError, pymupdf.mupdf.FzErrorBase) as exc:
        raise BrokenError(f"{path.name}, page {page}: cannot be drawn ({exc})") from exc


@contextmanager
def _open_pdf(path: Path, password: str | None) -> Iterator[Document]:
    import pymupdf

    with pymupdf.open(path) as pdf:
        if pdf.needs_pass and not pdf.authenticate(password or ""):
            raise EncryptedError(WRONG_PASSWORD if password else LOCKED)
        yield pdf


@contextmanager
def open_page(path: Path, page: int, *, password: str | None = None) -> Iterator[PdfPage]:
    """A PDF's page (from 1) as PyMuPDF reads it, its coordinates those of the page as displayed.

    PyMuPDF reads turned pages in the coordinates before /Rotate, and its table finder loses the CropBox of
    such a page; so what is displayed is laid on a new page of that size.

    Raises:
        EncryptedError: the file needs a password, or another one.
    """
    import pymupdf

    with _open_pdf(path, password) as pdf, pymupdf.open() as copy:
        shown = pdf[page - 1]
        turn, size = shown.rotation, (shown.rect.width, shown.rect.height)
        if not turn:
            yield shown
            return
        pdf.xref_set_key(shown.xref, "UserUnit", "null")
        shown.set_rotation(0)
        sheet = copy.new_page(width=size[0], height=size[1])
        sheet.show_pdf_page(sheet.rect, pdf, page - 1, rotate=-turn)
        yield sheet


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


def crop(image: Image, box: BoundingBox, *, scale: float | None = None, margin: float = 0.0) -> Image:
    """The part of a page picture inside a box in points, with a margin in points, kept on the page.

    ``scale`` is that of the picture unless given.
    """
    scale = scale or scale_of(image)
    x0, y0, x1, y1 = box
    corners = ((x0 - margin) * scale, (y0 - margin) * scale, (x1 + margin) * scale, (y1 + margin) * scale)
    left, top = max(0, int(corners[0])), max(0, int(corners[1]))
    right, bottom = min(image.width, round(corners[2]) + 1), min(image.height, round(corners[3]) + 1)
    if right <= left or bottom <= top:
        return image
    return _scaled(image.crop((left, top, right, bottom)), scale)


def mark(image: Image, boxes: Sequence[BoundingBox], *, scale: float | None = None) -> Image:
    """The picture with boxes (in points) laid over like a marker pen; ``scale`` is that of the picture unless given."""
    from PIL import Image as Images
    from PIL import ImageDraw

    scale = scale or scale_of(image)
    layer = Images.new("RGBA", image.size)
    pen = ImageDraw.Draw(layer)
    for x0, y0, x1, y1 in boxes:
        pen.rectangle(
            (x0 * scale - 1, y0 * scale - 1, x1 * scale + 1, y1 * scale + 1), fill=MARK_COLOUR, outline=MARK_EDGE
        )
    return _scaled(Images.alpha_composite(image.convert("RGBA"), layer).convert("RGB"), scale)


def png_bytes(image: Image) -> bytes:
    """The picture as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
