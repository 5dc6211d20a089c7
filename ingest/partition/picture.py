"""Picture files: an Image element a frame, with the text that OCR finds in it. Boxes are in pixels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.images import is_plain, stored_png
from ingest.partition import PartitionOptions
from ingest.types import Element, Page, PageBox, Partition, Source, stable_id

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 120_000_000
"""Pixels of a frame at most: a larger one is a bomb, or needs another tool."""
MAX_FRAMES = 2000


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read every frame of a picture file; a frame is a page.

    Raises:
        BrokenError: no picture that Pillow reads, or one of too many pixels.
    """
    from ingest.ocr import read_lines

    elements: list[Element] = []
    pages: list[Page] = []
    images: dict[str, bytes] = {}
    warnings: list[str] = []
    for number, frame in _frames(source, options.pages):
        started = time.perf_counter()
        lines = read_lines(frame)
        key, data = stored_png(frame)
        kept = options.images != "off" and not is_plain(frame)
        images |= {key: data} if kept else {}
        box = PageBox(page=number, box=(0.0, 0.0, float(frame.width), float(frame.height)))
        text = "\n".join(line.text for line in lines)
        elements.append(
            Element(
                element_id=stable_id(source.id, number, "Image", text),
                category="Image",
                text=text,
                page_number=number,
                boxes=(box,),
                image_path=key if kept else None,
                confidence=round(sum(line.confidence for line in lines) / len(lines), 3) if lines else None,
            )
        )
        ms = round((time.perf_counter() - started) * 1000, 1)
        words = tuple(word for line in lines for word in line.words)
        pages.append(
            Page(page=number, width=frame.width, height=frame.height, tier="ocr", words=words, ms=ms, text_kept=None)
        )
        if not lines:
            warnings.append(f"page {number}: OCR found no text")
    return Partition(elements=tuple(elements), pages=tuple(pages), images=images, warnings=tuple(warnings))


def _frames(source: Source, wanted: tuple[int, ...] | None) -> Iterator[tuple[int, Image]]:
    """Frames (from 1) as RGB, turned as their EXIF orientation says; Pillow's errors become ours here."""
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    try:
        with Image.open(source.path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise BrokenError(f"too large a picture ({picture.width} \u00d7 {picture.height} pixels)")
            for number, frame in enumerate(ImageSequence.Iterator(picture), 1):
                if number > MAX_FRAMES:
                    raise BrokenError(f"more than {MAX_FRAMES} frames")
                if wanted is None or number in wanted:
                    yield number, _flat(ImageOps.exif_transpose(frame))
                if picture.format == "GIF":
                    return
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        raise BrokenError(f"broken picture: {exc}") from exc


def _flat(frame: Image) -> Image:
    """A frame on white where it is transparent."""
    from PIL import Image

    if "A" not in frame.getbands() and "transparency" not in frame.info:
        return frame.convert("RGB")
    clear = frame.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
