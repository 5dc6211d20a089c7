"""What is kept of a PDF page beside its elements: the crops of its pictures, and how much of its text they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.images import is_plain, is_plain_beside, stored_png
from ingest.partition.pdf_boxes import overlaps
from ingest.partition.pdf_layer import RAGGED, blocks_of_sheet, missed_words, set_anew
from ingest.partition.pdf_loss import Loss
from ingest.partition.pdf_parse import parse_sheet
from ingest.partition.pdf_words import PageText, page_words, plain_words
from ingest.render import crop, draw_pages
from ingest.types import Element, Page

if TYPE_CHECKING:
    from liteparse.types import ParsedPage
    from PIL.Image import Image
    from pypdfium2 import PdfDocument

SHADOW = 0.25
"""Heights of a word that its shadow reaches beyond it, at most."""


def page_record(work: PageText, loss: Loss, own_ms: float) -> Page:
    """A page as it was read by the fast tier, in ``own_ms`` milliseconds; ``loss`` is what its elements lack."""
    parsed = work.parsed
    signals = parsed.complexity
    return Page(
        page=parsed.page_num,
        width=parsed.width,
        height=parsed.height,
        reasons=tuple(signals.reasons) if signals else (),
        ms=round(own_ms, 1),
        text_kept=loss.share,
        words=plain_words(work.words),
    )


def whole_text(layer: PdfDocument | None, parsed: ParsedPage) -> PageText:
    """A page's text with the words that LiteParse left out; its blocks found anew where those are too many."""
    words = page_words(parsed)
    found = missed_words(layer, parsed, words)
    if found.kept >= RAGGED:
        return PageText(parsed, [*words, *found.missed])
    sheet = parse_sheet(set_anew(parsed, found.words))
    return PageText(replace(parsed, blocks=blocks_of_sheet(sheet)), list(found.words))


def with_crops(
    path: Path, parsed: ParsedPage, elements: list[Element], password: str | None = None
) -> tuple[list[Element], dict[str, bytes]]:
    """The elements with each Image's crop named, and the crops.

    Pictures that show nothing are left out, and those that show nothing but words of the page: the shadow of a title.
    """
    if not any(e.category == "Image" for e in elements):
        return elements, {}
    page = draw_pages(path, [parsed.page_num], password=password)[parsed.page_num]
    kept: list[Element] = []
    crops: dict[str, bytes] = {}
    for element in elements:
        if element.category != "Image":
            kept.append(element)
            continue
        picture = crop(page, element.boxes[0].box)
        if is_plain(picture) or (not element.text and _shows_words_alone(parsed, element, picture)):
            continue
        key, data = stored_png(picture)
        crops[key] = data
        kept.append(replace(element, image_path=key))
    return kept, crops


def _shows_words_alone(parsed: ParsedPage, element: Element, picture: Image) -> bool:
    x0, y0, x1, y1 = element.boxes[0].box
    across, down = picture.width / max(x1 - x0, 1.0), picture.height / max(y1 - y0, 1.0)
    inside = [word.box for word in page_words(parsed) if overlaps(word.box, element.boxes[0].box)]
    grown = [(a, b, c, d, SHADOW * (d - b)) for a, b, c, d in inside]
    return bool(inside) and is_plain_beside(
        picture,
        [
            ((a - more - x0) * across, (b - more - y0) * down, (c + more - x0) * across, (d + more - y0) * down)
            for a, b, c, d, more in grown
        ],
    )
