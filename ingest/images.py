"""Pictures: which are worth keeping, and their content-addressed PNG.

Partitioners leave out what they know to be decoration, such as a logo on every page of a PDF; ``without_decoration``
looks at the pixels of what they give, whatever the format.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.types import BoundingBox, Element, Partition

if TYPE_CHECKING:
    from PIL.Image import Image

PNG_HEAD = 26
"""Bytes of a PNG that tell its size and colours."""
COLOUR_TYPE, WITH_ALPHA = 25, 6
"""Where a PNG tells its colours, and what it says where they are RGB with transparency (its specification, 11.2.2)."""
LIGHT = 200
"""Mean grey level (of 255) from which on a drawing is meant for a dark ground."""
LONG_SIDE = 2000
"""Pixels of the longer side of a stored picture, at most."""
MIN_SIDE = 36.0
"""Points; a picture with a shorter side is a rule, icon or bullet."""
MIN_COLOURS = 3
SAMPLE = 96
"""Pixels of the sides of what the colours of a picture are told by."""
SENT_SIDE = 1344
"""Pixels of the longer side of what a vision model is sent: it looks at no more, in tiles of 336 or less."""

ICON_SIDES = (36, 144)
"""Pixels; a picture whose sides are both shorter is an icon, bullet or badge. A line of a formula is longer."""
RULE_SIDE = 8
"""Pixels; a picture with a shorter side is a rule."""
RULE_RATIO = 20
"""Sides of a rule or divider, long to short, at least."""
OFTEN = 3
"""A picture that stands so often in a document, and on half of its pages, is a logo."""
LOGO_POINTS = (72.0, 160.0)
"""Points of a logo or icon on a page: its shorter side is less than the first, or both are less than the second."""
ICON_POINTS = 60.0
"""Points; a picture on a page without a caption or words, both of whose sides are shorter, is an icon or a badge."""
FLAT_COLOURS, FLAT_SHARE = 8, 0.88
"""Colours (of 4,096) that cover this share of flat artwork; photographs, shades and maps have many more."""
HUES = 4
"""Hues of a logo or icon at most; the series of a chart and the areas of a map have more."""
HUE_SHARE = 0.01
"""Share of a picture that a hue covers, at least, to count; what has none is ink, such as a formula or a stamp."""
LOGO_SIDE = 160
"""Pixels of the shorter side of a picture that is a logo or icon by being repeated alone, where there are no pages."""
SMALL, RULE, PLAIN, REPEATED = "small", "rules", "empty", "repeated"
MARKED, WORDLESS, LOGO = "marked as such", "drawings without words", "logos"
LEFT_OUT = "left out as decoration"

CAPTION = re.compile(
    r"^\s*(?:(?P<table>table|tabelle|tableau|tabla)|(?P<figure>figure|fig\.?|chart|abbildung|abb\.?|figura|image|photo))"
    r"\s*\.?\s*(?P<number>[A-Z]?\.?\d+(?:[.\-]\d+)*|[IVXL]+\b)",
    re.IGNORECASE,
)
"""A caption's opening, such as "Table 2" or "Fig. 3.1"."""


_Uses = Counter[tuple[str | None, int | None]]
"""How often a picture, by its key, stands on a page."""


def caption_kind(text: str) -> str | None:
    """``"table"`` or ``"figure"`` when a text opens like a caption, else ``None``."""
    found = CAPTION.match(text)
    if found is None:
        return None
    return "table" if found["table"] else "figure"


def is_too_small(box: BoundingBox) -> bool:
    """Whether a picture of this box (points) is decoration by its size alone."""
    return min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE


def opaque(image: Image) -> Image:
    """A picture as RGB, on white where it is transparent; on black, if what is drawn on it is nearly white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    from PIL import Image as Pillow
    from PIL import ImageStat

    clear = image.convert("RGBA")
    shape = clear.getchannel("A")
    is_light = shape.getbbox() is not None and ImageStat.Stat(clear.convert("L"), shape).mean[0] > LIGHT
    return Pillow.alpha_composite(Pillow.new("RGBA", clear.size, "black" if is_light else "white"), clear).convert(
        "RGB"
    )


def is_plain(image: Image) -> bool:
    """Whether a picture is of one colour, or nearly: it shows nothing."""
    small = opaque(image).resize((32, 32)).quantize(16)
    counts = sorted((count for count, _ in small.getcolors() or []), reverse=True)
    return len(counts) < MIN_COLOURS and sum(counts[1:]) < 32 * 32 * 0.01


def is_plain_beside(image: Image, boxes: Iterable[BoundingBox]) -> bool:
    """Whether a picture shows nothing but what is in these boxes (pixels), such as the words that it lies behind."""
    from PIL import ImageDraw

    ground = opaque(image)
    few = ground.resize((32, 32)).quantize(16)
    most = max(few.getcolors() or [(0, 0)])[1]
    red, green, blue = (few.getpalette() or [])[3 * int(most) : 3 * int(most) + 3]  # type: ignore[call-overload]
    pen = ImageDraw.Draw(ground)
    for box in boxes:
        pen.rectangle(box, fill=(red, green, blue))
    return is_plain(ground)


def is_logo(image: Image, size: tuple[float, float]) -> bool:
    """Whether a picture without words around it, of this size on the page (points), looks like a logo or an icon.

    It is small, flat and has a colour or a few.
    """
    short, long = sorted(size)
    return (short < LOGO_POINTS[0] or long < LOGO_POINTS[1]) and _is_flat(image) and 0 < _count_hues(image) <= HUES


def _is_flat(image: Image) -> bool:
    from PIL import ImageOps

    small = ImageOps.posterize(_sample(image), 4)
    counts = sorted((count for count, _ in small.getcolors(SAMPLE * SAMPLE) or []), reverse=True)
    return sum(counts[:FLAT_COLOURS]) >= FLAT_SHARE * sum(counts)


def _count_hues(image: Image) -> int:
    """How many of twelve hues have a share of the picture that can be seen."""
    seen = Counter(
        hue * 12 // 256 % 12 for hue, saturation, value in _pixels(_sample(image)) if saturation > 96 and value > 64
    )
    return sum(count >= HUE_SHARE * SAMPLE * SAMPLE for count in seen.values())


def _sample(image: Image) -> Image:
    from PIL.Image import Resampling

    return opaque(image).resize((SAMPLE, SAMPLE), Resampling.NEAREST)


def _pixels(image: Image) -> Iterator[tuple[int, int, int]]:
    data = image.convert("HSV").tobytes()
    return zip(data[::3], data[1::3], data[2::3], strict=True)


def is_blank(image: Image) -> bool:
    """Whether every pixel of a picture is the same."""
    return all(low == high for low, high in opaque(image).getextrema())  # type: ignore[misc]


def without_decoration(found: Partition) -> Partition:
    """A partition without pictures that show nothing, counted by reason; one with a caption is always kept.

    What is said of such a picture stays, without it.
    """
    captioned = {e.parent_id for e in found.elements if e.category == "FigureCaption"}
    uses: Counter[tuple[str | None, int | None]] = Counter(
        (e.image_path, e.page_number) for e in found.elements if e.image_path
    )
    why = {path: reason for path, png in found.images.items() if (reason := _decorative(png, path, uses, found))}
    dropped = [e for e in found.elements if _is_dropped(e, why) and e.element_id not in captioned]
    if not dropped:
        return found
    counts = Counter(found.left_out)
    counts.update(why[e.image_path or ""] for e in dropped)
    gone = {id(e) for e in dropped}
    kept = [replace(e, image_path=None) if id(e) in gone else e for e in found.elements if id(e) not in gone or e.text]
    used = {e.image_path for e in kept}
    images = {path: png for path, png in found.images.items() if path in used}
    return replace(found, elements=tuple(kept), images=images, left_out=dict(counts))


def _is_dropped(element: Element, why: Mapping[str, str]) -> bool:
    return element.category == "Image" and (element.image_path or "") in why


def _decorative(png: bytes, path: str, uses: _Uses, found: Partition) -> str:
    """Why a picture shows nothing, or an empty text."""
    sides = sorted(png_size(png))
    if sides[0] < RULE_SIDE or sides[1] >= RULE_RATIO * sides[0]:
        return RULE
    if sides[0] < ICON_SIDES[0] and sides[1] < ICON_SIDES[1]:
        return SMALL
    pages = {page for used, page in uses if used == path}
    times = sum(count for (used, _), count in uses.items() if used == path)
    if found.pages and len(pages) >= max(OFTEN, len(found.pages) / 2):
        return REPEATED
    if not found.pages and times >= OFTEN and sides[0] < LOGO_SIDE:
        return REPEATED
    return PLAIN if is_plain_png(png) else ""


def is_plain_png(png: bytes) -> bool:
    """Whether a stored picture shows nothing, as ``is_plain`` tells."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return is_plain(picture)


def left_out_warning(counts: Mapping[str, int]) -> tuple[str, ...]:
    """What is told of pictures that are not kept; nothing where all are."""
    if not counts:
        return ()
    total = sum(counts.values())
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1]))
    return (f"{total} picture{'s' * (total > 1)} {LEFT_OUT}: {said}",)


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header that every PNG opens with."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def sent_png(png: bytes) -> bytes:
    """A stored picture as a vision model is sent it: itself, or a smaller copy.

    Raises:
        BrokenError: the bytes are no picture.
    """
    if len(png) > PNG_HEAD and max(png_size(png)) <= SENT_SIDE and png[COLOUR_TYPE] != WITH_ALPHA:
        return png
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as picture:
            shown = opaque(picture)
            shown.thumbnail((SENT_SIDE, SENT_SIDE))
            out = io.BytesIO()
            shown.save(out, "PNG")
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
