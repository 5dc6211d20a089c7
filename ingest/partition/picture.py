"""Picture files: an Image element a frame, with the text that OCR finds in it. Boxes are in pixels."""

from __future__ import annotations

import struct
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.images import is_blank, is_plain, stored_png
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
    problems: list[str] = []
    for number, frame in _frames(source, options.pages):
        started = time.perf_counter()
        lines = [] if is_blank(frame) else read_lines(frame)
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
                confidence=round(sum(line.confidence for line in lines) / len(lines), 3) if lines else 0.0,
            )
        )
        ms = round((time.perf_counter() - started) * 1000, 1)
        words = tuple(word for line in lines for word in line.words)
        pages.append(
            Page(page=number, width=frame.width, height=frame.height, tier="ocr", words=words, ms=ms, text_kept=None)
        )
        if not lines:
            problems.append(f"page {number}: OCR found no text")
    return Partition(elements=tuple(elements), pages=tuple(pages), images=images, warnings=tuple(problems))


def _frames(source: Source, wanted: tuple[int, ...] | None) -> Iterator[tuple[int, Image]]:
    """Frames (from 1) as RGB, turned as their EXIF orientation says; Pillow's errors become ours here.

    The frames of a TIFF are pages; those of other formats move, or are smaller copies: the first shows all.
    """
    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        with _open(source.path) as picture:
            for number, frame in enumerate(ImageSequence.Iterator(picture), 1):
                if number > (MAX_FRAMES if picture.format == "TIFF" else 1):
                    return
                if wanted is None or number in wanted:
                    yield number, _flat(frame)
    except Image.DecompressionBombError as exc:
        raise BrokenError(f"too large a picture: {exc}") from exc
    except (UnidentifiedImageError, OSError, EOFError, SyntaxError, ValueError, TypeError, struct.error) as exc:
        raise BrokenError(f"broken picture: {exc}") from exc


def _open(path: Path) -> Image:
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns of large pictures before it refuses larger ones; the limit here is MAX_PIXELS.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _flat(frame: Image) -> Image:
    """A frame as RGB, upright, on white where it is transparent; its size is checked before its pixels are read."""
    from PIL import Image, ImageOps

    if frame.width * frame.height > MAX_PIXELS:
        raise BrokenError(f"too large a picture ({frame.width} \u00d7 {frame.height} pixels)")
    frame = ImageOps.exif_transpose(frame)
    if frame.mode.startswith("I;16"):
        # A plain conversion would make all but the darkest 255 of 65,536 greys white.
        frame = frame.convert("I").point(lambda level: level / 256).convert("L")
    if "A" not in frame.getbands() and "transparency" not in frame.info:
        return frame.convert("RGB")
    clear = frame.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
