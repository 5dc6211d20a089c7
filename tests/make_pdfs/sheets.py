"""A document drawn page by page. All lengths are PDF points, origin top left."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal, Self

import pymupdf
from PIL import Image, ImageDraw

LEFT, TOP, RIGHT = 72.0, 90.0, 523.0
LEADING = 1.3
Rules = Literal["all", "some", "none"]
COVERED_LEFT, COVERED_ABOVE = "<", "^"
"""In a row of texts: the place is covered by the cell to the left, or by the one above."""

PROSE = (
    "The cooperative runs four ferry routes between the port and the islands of the sound. It was founded in 1931 "
    "by islanders who bought a steamer, and it still belongs to those who use it every day of the year."
)

Rows = Sequence[Sequence[str]]


class Sheets:
    """A document and the page that is drawn on now; each method draws on it and gives the sheets back."""

    def __init__(self, width: float = 595.0, height: float = 842.0) -> None:
        self.document = pymupdf.open()
        self.page: pymupdf.Page
        self.turn(width, height)

    def turn(self, width: float = 595.0, height: float = 842.0) -> Self:
        """Begin a new page."""
        self.page = self.document.new_page(width=width, height=height)
        return self

    def say(self, x: float, y: float, text: str, size: float = 10, font: str = "helv", *, turned: int = 0) -> Self:
        """A line of text from a point on its base line; ``turned`` by degrees against the clock."""
        self.page.insert_text((x, y), text, fontsize=size, fontname=font, rotate=turned)
        return self

    def head(self, y: float, text: str, size: float = 16, x: float = LEFT) -> Self:
        """A bold line."""
        return self.say(x, y, text, size, "hebo")

    def prose(
        self, top: float, text: str = PROSE, *, left: float = LEFT, width: float = RIGHT - LEFT, size: float = 10
    ) -> float:
        """A paragraph, broken into lines; the y of its lower edge."""
        y = top + size
        for line in _broken(text, width, size):
            self.say(left, y, line, size)
            y += LEADING * size
        return y - size

    def grid(
        self,
        rows: Rows,
        widths: Sequence[float],
        *,
        top: float = 160.0,
        left: float = LEFT,
        high: float = 20.0,
        rules: Rules = "all",
        heads: int = 1,
    ) -> Self:
        """A table; ``heads`` rows are bold. Some rules are those of a book: above, under the head and below."""
        lefts = [left + sum(widths[:n]) for n in range(len(widths) + 1)]
        for r, row in enumerate(rows):
            for c, text in enumerate(row):
                if text in (COVERED_LEFT, COVERED_ABOVE):
                    continue
                right = lefts[c + _run(row[c + 1 :], COVERED_LEFT) + 1]
                below = top + high * (r + _run([other[c] for other in rows[r + 1 :]], COVERED_ABOVE) + 1)
                box = pymupdf.Rect(lefts[c], top + high * r, right, below)
                if rules == "all":
                    self.page.draw_rect(box, width=0.7)
                self._fill(box, text, bold=r < heads)
        if rules == "some":
            for y in (top, top + high * heads, top + high * len(rows)):
                self.page.draw_line((left, y), (lefts[-1], y), width=0.8)
        return self

    def _fill(self, box: pymupdf.Rect, text: str, *, bold: bool) -> None:
        for n, line in enumerate(text.split("\n")):
            self.say(box.x0 + 4, box.y0 + 14 + 11 * n, line, 9, "hebo" if bold else "helv")

    def picture(self, box: tuple[float, float, float, float], png: bytes) -> Self:
        """A raster picture."""
        self.page.insert_image(box, stream=png, keep_proportion=False)
        return self

    def finish(self, **options: object) -> bytes:
        """The document's bytes, which depend on what was drawn alone."""
        return self.document.tobytes(garbage=3, deflate=True, no_new_id=True, **options)


def _run(texts: Sequence[str], sign: str) -> int:
    """How many of the texts, from the first on, are the sign."""
    return next((n for n, text in enumerate(texts) if text != sign), len(texts))


def _broken(text: str, width: float, size: float) -> list[str]:
    """The lines into which a paragraph is broken; a newline in it ends a line."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and pymupdf.get_text_length(longer, fontsize=size) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def photo(size: tuple[int, int] = (400, 300), seed: int = 0) -> bytes:
    """A picture without text: a landscape of hills under a disc; ``seed`` moves them."""
    image = Image.new("RGB", size, (150, 190, 230))
    pen = ImageDraw.Draw(image)
    wide, high = size
    pen.ellipse((wide * 0.6, high * 0.1 + seed, wide * 0.8, high * 0.4 + seed), fill=(240, 200, 60))
    pen.polygon([(0, high), (wide * 0.3, high * 0.4), (wide * 0.7, high)], fill=(40, 110, 60))
    pen.polygon([(wide * 0.4, high), (wide * 0.8, high * 0.5 + seed), (wide, high)], fill=(30, 80, 90))
    return png(image)


def png(image: Image.Image) -> bytes:
    """A picture as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def scanned(document: pymupdf.Document, dpi: int = 150) -> bytes:
    """The first page of a document as a grey picture."""
    return document[0].get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY).tobytes("png")
