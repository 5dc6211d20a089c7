"""What is kept of a PDF page beside its elements: the crops of its pictures, and how much of its text they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingest.images import ICON_POINTS, LOGO, PLAIN, SMALL, caption_kind, is_logo, is_plain, is_plain_beside, stored_png
from ingest.partition.pdf_boxes import gap_between, overlaps
from ingest.partition.pdf_layer import RAGGED, blocks_of_sheet, missed_words, set_anew
from ingest.partition.pdf_loss import Loss
from ingest.partition.pdf_parse import parse_sheet
from ingest.partition.pdf_words import PageText, page_words, plain_words
from ingest.render import crop, draw_pages
from ingest.types import BoundingBox, Element, Page

if TYPE_CHECKING:
    from liteparse.types import ParsedPage
    from PIL.Image import Image
    from pypdfium2 import PdfDocument

SHADOW = 0.25
"""Heights of a word that its shadow reaches beyond it, at most."""
CAPTION_NEAR = 30.0
"""Points between a small picture and its caption, at most: what stands farther off is of another."""
EDGE = 4
"""Pixels along the edges of a crop that are not looked at for what a picture shows."""


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


class Crops(NamedTuple):
    """A page's elements with the crops of its pictures named, the crops, and how many were left out by reason."""

    elements: list[Element]
    images: dict[str, bytes]
    left_out: Counter[str]


def with_crops(path: Path, parsed: ParsedPage, elements: list[Element], password: str | None = None) -> Crops:
    """The elements with each Image's crop named, and the crops.

    Pictures that show nothing are left out, those that show nothing but words of the page (the shadow of a title), and
    logos. What was read in such a picture stays, without it.
    """
    out = Crops([], {}, Counter())
    if not any(e.category == "Image" for e in elements):
        return out._replace(elements=elements)
    page = draw_pages(path, [parsed.page_num], password=password)[parsed.page_num]
    captions = [e.boxes[0].box for e in elements if e.category == "FigureCaption" and caption_kind(e.text) != "table"]
    for element in elements:
        if element.category != "Image":
            out.elements.append(element)
            continue
        picture = crop(page, element.boxes[0].box)
        has_caption = any(gap_between(element.boxes[0].box, caption) <= CAPTION_NEAR for caption in captions)
        reason = _decorative(parsed, element, picture, has_caption=has_caption)
        if reason:
            out.left_out[reason] += 1
            out.elements.extend([element] if element.text else [])
            continue
        key, data = stored_png(picture)
        out.images[key] = data
        out.elements.append(replace(element, image_path=key))
    return out


def _decorative(parsed: ParsedPage, element: Element, picture: Image, *, has_caption: bool) -> str:
    """Why a picture is decoration, or an empty text."""
    x0, y0, x1, y1 = element.boxes[0].box
    over = [w.box for w in page_words(parsed) if overlaps(_grown(w.box), element.boxes[0].box)]
    if is_plain(picture) or (over and not element.text and _shows_words_alone(element, picture, over)):
        return PLAIN
    inside = [(a, b, c, d) for a, b, c, d in over if x0 <= (a + c) / 2 <= x1 and y0 <= (b + d) / 2 <= y1]
    if inside or has_caption:
        return ""
    if max(x1 - x0, y1 - y0) < ICON_POINTS:
        return SMALL
    return LOGO if is_logo(picture, (x1 - x0, y1 - y0)) else ""


def _shows_words_alone(element: Element, picture: Image, words: Sequence[BoundingBox]) -> bool:
    x0, y0, x1, y1 = element.boxes[0].box
    across, down = picture.width / max(x1 - x0, 1.0), picture.height / max(y1 - y0, 1.0)
    hidden = [
        ((a - x0) * across - EDGE, (b - y0) * down - EDGE, (c - x0) * across - EDGE, (d - y0) * down - EDGE)
        for a, b, c, d in map(_grown, words)
    ]
    if min(picture.size) <= 4 * EDGE:
        return False
    # A line along its edge is a neighbour's.
    return is_plain_beside(picture.crop((EDGE, EDGE, picture.width - EDGE, picture.height - EDGE)), hidden)


def _grown(word: BoundingBox) -> BoundingBox:
    more = SHADOW * (word[3] - word[1])
    return word[0] - more, word[1] - more, word[2] + more, word[3] + more
