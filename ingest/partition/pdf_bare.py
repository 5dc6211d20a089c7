"""The bare text of a PDF's page by PDFium, for a page that its readers cannot take: words without layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.partition.pdf_words import page_element
from ingest.types import Page, Partition

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = 20_000.0
"""Points beyond which the box of such a text is cut off: no page is so large, and what draws it need not try."""


def read_bare(path: Path, number: int, password: str | None) -> Partition:
    """The text of a page (from 1), a paragraph for each of its blocks of lines, with the page as its box.

    Raises:
        BrokenError: it has none, or cannot be opened.
    """
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path, password=password) as pdf:
            page = pdf[number - 1]
            size = page.get_size()
            text = page.get_textpage().get_text_range()
    except (pypdfium2.PdfiumError, IndexError) as exc:
        raise BrokenError(f"broken PDF: page {number} cannot be opened ({exc})") from exc
    width, height = (min(side, WHOLE) for side in size)
    blocks = [" ".join(block.split()) for block in text.replace("\r\n", "\n").split("\n\n")]
    elements = [page_element(number, "NarrativeText", block, (0.0, 0.0, width, height)) for block in blocks if block]
    if not elements:
        raise BrokenError(f"page {number}: no text in it")
    return Partition(elements=tuple(elements), pages=(Page(page=number, width=width, height=height, tier="bare"),))


def count(path: Path, password: str | None) -> int | None:
    """How many pages a PDF has; ``None`` where PDFium does not open it."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path, password=password) as pdf:
            return len(pdf) or None
    except pypdfium2.PdfiumError:
        return None
