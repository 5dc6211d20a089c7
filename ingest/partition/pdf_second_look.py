"""The second look at a PDF page: what the fast tier cannot read, or seems to have read badly.

``reasons_to_look`` decides from the fast tier's result alone, for every page. ``look_again`` then takes seconds: OCR of
a page without a text layer, table models on a page whose tables came out torn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ingest.errors import BrokenError
from ingest.images import is_blank, is_plain, stored_png
from ingest.ocr import OcrLine, mean_confidence, page_scale, read_lines
from ingest.partition import PartitionOptions
from ingest.partition.pdf_bare import read_bare
from ingest.partition.pdf_careful import read_tables, torn, with_grids
from ingest.partition.pdf_drawn_tables import find_tables
from ingest.partition.pdf_headings import page_headings, with_left_titles
from ingest.partition.pdf_loss import loss_warnings, lost_words
from ingest.partition.pdf_page import page_record, with_crops
from ingest.partition.pdf_pictures import is_garbled, line_elements, read_regions, read_scale, unread_regions
from ingest.partition.pdf_table_repairs import unless_lost
from ingest.partition.pdf_table_rulings import page_rules, ruled_boxes
from ingest.partition.pdf_text import page_elements
from ingest.partition.pdf_words import PageText, PageWord, page_element, plain_words, squeezed
from ingest.render import draw_pages
from ingest.strokes import ruled_lines
from ingest.types import BoundingBox, Element, Partition, Source, Word

NO_LAYER = "no text layer"
ASKED = "asked for"
LINED = "ruled lines on a page set anew"
PICTURES = "picture without words"
GARBLED_CONFIDENCE = 0.7
"""Mean confidence with which OCR must read a page to replace a layer that says nothing."""
FEW_CHARACTERS = 20
"""A scanned page with less text than this is a picture as well."""
STAMP_CHARACTERS = 100
"""A text layer shorter than this over a picture of the whole page may be a stamp on a scan: OCR looks at it."""
OCR_GAIN = 2.0
"""OCR's reading replaces such a layer when it is longer by this factor."""


def reasons_to_look(work: PageText, elements: Sequence[Element], options: PartitionOptions) -> tuple[str, ...]:
    """Why a page may gain by a second look, in a few words each; nothing when it looks whole.

    A page without a text layer has to be looked at whatever the options say.
    """
    if _needs_ocr(work):
        return (NO_LAYER,)
    if options.parser == "fast":
        return ()
    lined = (LINED,) if _may_lack_table(work, elements) else ()
    pictures = (PICTURES,) if unread_regions(work, elements) else ()
    return (*torn(work, elements), *lined, *pictures) or ((ASKED,) if options.parser == "careful" else ())


def look_again(source: Source, work: PageText, draft: Partition, options: PartitionOptions) -> Partition:
    """The page read the slow way; ``draft`` is what the fast tier made of it.

    Raises:
        BrokenError: the page cannot be drawn.
    """
    started = time.perf_counter()
    first = draft.pages[0]
    found = (
        _read_scanned(source, work, options) if NO_LAYER in first.reasons else _read_again(source, work, draft, options)
    )
    elements, images, left_out = list(found.elements), dict(found.images), Counter[str]()
    if options.images != "off" and not images:
        elements, images, left_out = with_crops(source.path, work.parsed, elements, options.password)
    took = round(first.ms + (time.perf_counter() - started) * 1000, 1)
    page = replace(found.pages[0], reasons=first.reasons, ms=took)
    # A page that OCR read has no layer to hold it against.
    losses = loss_warnings(work.number, lost_words(work.words, elements)) if page.tier != "ocr" else ()
    warnings = (*found.warnings, *losses)
    return Partition(elements=tuple(elements), pages=(page,), images=images, warnings=warnings, left_out=dict(left_out))


def _read_again(source: Source, work: PageText, draft: Partition, options: PartitionOptions) -> Partition:
    """The page with what each look that it may gain by found."""
    found = draft
    if options.parser == "careful" or torn(work, draft.elements) or _may_lack_table(work, draft.elements):
        found = _read_tables(source, work, draft, options)
    regions = unread_regions(work, found.elements)
    return _read_pictures(source, work, found, regions, options) if regions else found


def _read_pictures(
    source: Source, work: PageText, draft: Partition, regions: Sequence[BoundingBox], options: PartitionOptions
) -> Partition:
    """The page with the text of pictures and outlines."""
    scale = read_scale(work.parsed.width, work.parsed.height)
    picture = draw_pages(source.path, [work.number], scale=scale, password=options.password)[work.number]
    read = read_regions(work, draft.elements, regions, picture, scale)
    words = plain_words([*work.words, *read.words])
    page = replace(draft.pages[0], words=words, tier="careful")
    return replace(draft, elements=read.elements, pages=(page,))


def _read_tables(source: Source, work: PageText, draft: Partition, options: PartitionOptions) -> Partition:
    """The page with tables from the careful tier where they are better."""
    try:
        grids = read_tables(source.path, work.number, password=options.password)
    except BrokenError as exc:
        return replace(draft, warnings=(f"page {work.number}: no second look at its tables ({exc})",))
    first = list(draft.elements)
    elements = unless_lost(work, first, with_left_titles(work, with_grids(work, first, grids)))
    page = page_record(work, lost_words(work.words, elements), 0.0)
    return Partition(elements=tuple(elements), pages=(replace(page, tier="careful"),))


def _may_lack_table(work: PageText, elements: Sequence[Element]) -> bool:
    """Whether a page whose blocks were found from its words alone has lines as a table has, and no table."""
    if any(e.category == "Table" for e in elements) or not all(word.restored for word in work.words):
        return False
    return bool(ruled_boxes(page_rules(work)))


# --- pages without a text layer -----------------------------------------------------------------


def _needs_ocr(work: PageText) -> bool:
    """Whether a page has no text layer or one that says nothing, or hardly any over a picture of the whole page."""
    if not work.words or is_garbled(work.words):
        return True
    signals = work.parsed.complexity
    return signals is not None and signals.full_page_image and _count_letters(work.words) < STAMP_CHARACTERS


def _count_letters(words: Sequence[PageWord | Word]) -> int:
    return sum(len(squeezed(word.text)) for word in words)


def _read_scanned(source: Source, layer: PageText, options: PartitionOptions) -> Partition:
    """The page as OCR reads it; one on which nothing is recognised becomes a picture."""
    parsed = layer.parsed
    scale = page_scale(parsed.width, parsed.height)
    picture = draw_pages(source.path, [layer.number], scale=scale, password=options.password)[layer.number]
    lines = [] if is_blank(picture) else read_lines(picture, scale=scale)
    rules = ruled_lines(picture, scale) if lines else []
    work, elements, said = _best_reading(layer, lines, rules)
    if not layer.words and not lines and (outside := _outside(source, layer.number, options)):
        elements, said = outside, (f"page {layer.number}: its only text lies outside of the page",)
    images: dict[str, bytes] = {}
    if _count_letters(work.words) < STAMP_CHARACTERS and options.images != "off" and not is_plain(picture):
        key, data = stored_png(picture)
        images[key] = data
        whole = page_element(layer.number, "Image", "", (0.0, 0.0, parsed.width, parsed.height))
        elements.append(replace(whole, image_path=key, confidence=mean_confidence(lines)))
    page = replace(page_record(work, lost_words(work.words, elements), 0.0), tier="ocr")
    return Partition(elements=tuple(elements), pages=(page,), images=images, warnings=said)


def _outside(source: Source, number: int, options: PartitionOptions) -> list[Element]:
    """The text of a page that lies beside what is shown of it; it has the whole page for a place."""
    try:
        found = read_bare(source.path, number, options.password).elements
    except BrokenError:
        return []
    return [element for element in found if any(character.isalnum() for character in element.text)]


def _best_reading(
    layer: PageText, lines: Sequence[OcrLine], rules: Sequence[BoundingBox]
) -> tuple[PageText, list[Element], tuple[str, ...]]:
    """A page's text and elements, from what OCR recognised or from its layer, and what to say of it."""
    words = [PageWord(text=word.text, box=word.box) for line in lines for word in line.words]
    if layer.words and not _replaces(layer, words, lines):
        return layer, page_headings(layer, page_elements(layer, [])), ()
    if not lines:
        return layer, [], (f"page {layer.number}: no text layer, and OCR found no text",)
    elements = line_elements(layer, lines, find_tables(layer.number, lines, rules))
    return replace(layer, words=words), elements, (f"page {layer.number}: no text layer, OCR used",)


def _replaces(layer: PageText, words: Sequence[PageWord], lines: Sequence[OcrLine]) -> bool:
    """Whether what OCR read is better than the layer: much more, or clear where the layer says nothing."""
    if is_garbled(layer.words):
        return mean_confidence(lines) >= GARBLED_CONFIDENCE
    return _count_letters(words) >= OCR_GAIN * _count_letters(layer.words)
