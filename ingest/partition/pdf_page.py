"""What is kept of a PDF page beside its elements: the crops of its pictures, and how much of its text they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.images import is_plain, stored_png
from ingest.partition.pdf_layer import RAGGED, blocks_of_sheet, missed_words, set_anew
from ingest.partition.pdf_loss import Loss
from ingest.partition.pdf_parse import parse_sheet
from ingest.partition.pdf_words import PageText, page_words, plain_words
from ingest.render import crop, draw_pages
from ingest.types import Element, Page

if TYPE_CHECKING:
    from liteparse.types import ParsedPage
    from pypdfium2 import PdfDocument


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
    """The elements with each Image's crop named, and the crops; single-colour pictures are left out."""
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
        if is_plain(picture):
            continue
        key, data = stored_png(picture)
        crops[key] = data
        kept.append(replace(element, image_path=key))
    return kept, crops
