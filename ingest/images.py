"""Pictures: which are worth keeping, and their content-addressed PNG."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.types import BoundingBox

if TYPE_CHECKING:
    from PIL.Image import Image

PNG_HEAD = 24
"""Bytes of a PNG that tell its size."""
LONG_SIDE = 2000
"""Pixels of the longer side of a stored picture, at most."""
MIN_SIDE = 36.0
"""Points; a picture with a shorter side is a rule, icon or bullet."""
MIN_COLOURS = 3
SENT_SIDE = 1344
"""Pixels of the longer side of what a vision model is sent: it looks at no more, in tiles of 336 or less."""

CAPTION = re.compile(
    r"^\s*(?:(?P<table>table|tabelle|tableau|tabla)|(?P<figure>figure|fig\.?|chart|abbildung|abb\.?|figura|image|photo))"
    r"\s*\.?\s*(?P<number>[A-Z]?\.?\d+(?:[.\-]\d+)*|[IVXL]+\b)",
    re.IGNORECASE,
)
"""A caption's opening, such as "Table 2" or "Fig. 3.1"."""


def caption_kind(text: str) -> str | None:
    """``"table"`` or ``"figure"`` when a text opens like a caption, else ``None``."""
    found = CAPTION.match(text)
    if found is None:
        return None
    return "table" if found["table"] else "figure"


def is_too_small(box: BoundingBox) -> bool:
    """Whether a picture of this box (points) is decoration by its size alone."""
    return min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE


def is_plain(image: Image) -> bool:
    """Whether a picture is of one colour, or nearly: it shows nothing."""
    small = image.convert("RGB").resize((32, 32)).quantize(16)
    counts = sorted((count for count, _ in small.getcolors() or []), reverse=True)
    return len(counts) < MIN_COLOURS and sum(counts[1:]) < 32 * 32 * 0.01


def is_blank(image: Image) -> bool:
    """Whether every pixel of a picture is the same."""
    return all(low == high for low, high in image.convert("RGB").getextrema())  # type: ignore[misc]


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header that every PNG opens with."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def sent_png(png: bytes) -> bytes:
    """A stored picture as a vision model is sent it: itself, or a smaller copy.

    Raises:
        BrokenError: the bytes are no picture.
    """
    if len(png) > PNG_HEAD and max(png_size(png)) <= SENT_SIDE:
        return png
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as picture:
            picture.thumbnail((SENT_SIDE, SENT_SIDE))
            out = io.BytesIO()
            picture.save(out, "PNG")
    except (UnidentifiedImageError, OSError, SyntaxError) as exc:
        raise BrokenError(f"not a readable picture ({exc})") from exc
    return out.getvalue()


def stored_png(image: Image) -> tuple[str, bytes]:
    """A picture's key ``images/<sha256>.png`` and its PNG bytes, long side capped."""
    picture = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGB")
    if max(picture.size) > LONG_SIDE:
        picture = picture.copy()
        picture.thumbnail((LONG_SIDE, LONG_SIDE))
    out = io.BytesIO()
    picture.save(out, "PNG")
    data = out.getvalue()
    return f"images/{hashlib.sha256(data).hexdigest()}.png", data
