"""OCR: the text of pictures, with the weights that rapidocr's package carries.

Recognised lines are typeset into a PDF page of the same size, so that scanned pages go through the same block
finding (columns, headings, tables) as all others.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ingest.errors import BrokenError
from ingest.images import opaque
from ingest.types import BoundingBox, Word

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 2000
"""Pixels of the longer side that the models read at most; larger pictures are scaled down by them."""
DETECTION_SIDE = 1280
"""Pixels of the longer side on which lines are looked for; they are then read at full size."""
MAX_SCALE = 4.0
"""Pixels a point at most: beyond 288 dpi nothing is gained."""
MIN_CONFIDENCE = 0.5
CERTAIN = 0.9
"""Confidence of a single character, at least: pictograms and stains are read as one."""
TALL = 1.5
"""Widths of a line's box in its height, from which on its text runs sideways."""
SIZE_STEP = 1.15
"""Lines whose sizes differ by less than this factor are of one font size."""
MIN_FONT_SIZE = 2.0
ASCENT = 0.76
"""Share of a line's box above its base line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrLine:
    """A recognised line: its text, box in points, confidence from 0 to 1, and words with boxes."""

    text: str
    box: BoundingBox
    confidence: float
    words: tuple[Word, ...]


def page_scale(width: float, height: float) -> float:
    """Pixels a point at which a page of this size (points) is drawn for OCR."""
    return min(MAX_SCALE, LONG_SIDE / max(width, height, 1.0))


def read_lines(image: Image, *, scale: float = 1.0) -> list[OcrLine]:
    """The lines of a picture of ``scale`` pixels a point, from top to bottom."""
    import numpy as np

    pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    found = _engine()(pixels, use_det=True, return_word_box=True)
    if found.boxes is None:
        return []
    words = found.word_results or ()
    lines = [
        _line(text, box, float(score), words[i] if i < len(words) else (), scale)
        for i, (text, box, score) in enumerate(zip(found.txts, found.boxes, found.scores, strict=True))
    ]
    lines = [_upright(pixels, line, scale) if is_sideways(line) else line for line in lines]
    return [line for line in lines if line.confidence >= (MIN_CONFIDENCE if len(line.text) > 1 else CERTAIN)]


def is_sideways(line: OcrLine) -> bool:
    """Whether a line runs up or down."""
    x0, y0, x1, y1 = line.box
    return len(line.text) > 1 and y1 - y0 >= TALL * (x1 - x0)


def _upright(pixels: Any, line: OcrLine, scale: float) -> OcrLine:  # noqa: ANN401 (an array)
    """A line that runs sideways, read again as one that runs upwards, as the names of axes do, if that reads better.

    The models turn tall boxes as if their text ran downwards.
    """
    import numpy as np

    x0, y0, x1, y1 = (round(value * scale) for value in line.box)
    turned = np.ascontiguousarray(np.rot90(pixels[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1], 3))
    again = _engine()(turned, use_det=False, return_word_box=False)
    text, score = (" ".join(again.txts[0].split()), float(again.scores[0])) if again.txts else ("", 0.0)
    better = text and score > line.confidence
    return replace(line, text=text, confidence=score, words=(Word(text, line.box),)) if better else line


def moved(line: OcrLine, x: float, y: float) -> OcrLine:
    """A line of a crop as one of the page on which the crop's corner is at this point."""
    words = tuple(Word(word.text, _moved_box(word.box, x, y)) for word in line.words)
    return replace(line, box=_moved_box(line.box, x, y), words=words)


def _moved_box(box: BoundingBox, x: float, y: float) -> BoundingBox:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def mean_confidence(lines: Sequence[OcrLine]) -> float:
    """The mean confidence of recognised lines, 0 where there are none."""
    return round(sum(line.confidence for line in lines) / len(lines), 3) if lines else 0.0


def read_picture(png: bytes) -> list[OcrLine]:
    """The lines of a stored picture; boxes in its pixels.

    Raises:
        BrokenError: the bytes are no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as picture:
            return read_lines(opaque(picture))
    except (UnidentifiedImageError, OSError) as exc:
        raise BrokenError(f"not a readable picture ({exc})") from exc


@lru_cache(maxsize=1)
def _engine() -> Any:  # noqa: ANN401 (rapidocr is untyped)
    """The models, loaded once a process, on one thread: the worker pool is what runs in parallel."""
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _line(text: str, corners: Any, score: float, words: Sequence[Any], scale: float) -> OcrLine:  # noqa: ANN401
    box = _box(corners, scale)
    found = tuple(Word(str(word), _box(quad, scale)) for word, _, quad in words if str(word).strip())
    clean = " ".join(text.split())
    return OcrLine(text=clean, box=box, confidence=score, words=found or (Word(clean, box),))


def _box(corners: Any, scale: float) -> BoundingBox:  # noqa: ANN401 (a list or an array of four points)
    xs, ys = [float(x) / scale for x, _ in corners], [float(y) / scale for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def typeset(lines: Sequence[OcrLine], width: float, height: float) -> bytes:
    """A one-page PDF, in points, with each line's text where it was recognised."""
    import pymupdf

    with pymupdf.open() as pdf:
        page = pdf.new_page(width=width, height=height)
        fonts = [pymupdf.Font("helv" if _is_latin(line.text) else "cjk") for line in lines]
        widths = [
            (line.box[2] - line.box[0]) / max(font.text_length(line.text, 1), 0.1)
            for line, font in zip(lines, fonts, strict=True)
        ]
        for line, font, size in zip(lines, fonts, _font_sizes(widths), strict=True):
            writer = pymupdf.TextWriter(page.rect)
            base = line.box[1] + (line.box[3] - line.box[1]) * ASCENT
            writer.append((line.box[0], base), line.text, font=font, fontsize=size)
            writer.write_text(page)
        return bytes(pdf.tobytes())


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _font_sizes(fitting: Sequence[float]) -> list[float]:
    """A font size a line, from the sizes that fit their widths; those that are nearly equal become one.

    The height of a recognised box depends on its letters, its width hardly does.
    """
    sizes: dict[float, float] = {}
    group: list[float] = []
    for value in [*sorted(fitting), float("inf")]:
        if group and value > group[0] * SIZE_STEP:
            sizes.update(dict.fromkeys(group, max(MIN_FONT_SIZE, round(sum(group) / len(group), 1))))
            group = []
        group.append(value)
    return [sizes[value] for value in fitting]
