"""PDF: LiteParse's blocks on every page, made into elements whose texts are verbatim and whose boxes are known."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.images import caption_kind, is_blank, is_plain, stored_png
from ingest.partition import PartitionOptions
from ingest.partition.headings import nest_under_headings, with_numbered_levels
from ingest.partition.pdf_boxes import gap_between
from ingest.partition.pdf_careful import read_tables, torn, with_grids
from ingest.partition.pdf_figures import CAPTION_REACH, raster_figures
from ingest.partition.pdf_joins import join_tables
from ingest.partition.pdf_layer import RAGGED, blocks_of_sheet, missed_words, set_anew
from ingest.partition.pdf_loss import loss_warnings, lost_words
from ingest.partition.pdf_text import page_elements
from ingest.partition.pdf_words import PageText, PageWord, page_element, page_words, plain_words, squeezed
from ingest.render import crop, draw_pages
from ingest.types import Element, Page, Partition, Source, Word, stable_id

if TYPE_CHECKING:
    from liteparse import LiteParse
    from liteparse.types import ParsedPage, ParseResult

    from ingest.ocr import OcrLine

BATCH_PAGES = 100
"""Pages that LiteParse holds at a time; repeated headers and heading levels are judged within them."""
LEVEL_STEP = 1.2
"""A recognised heading is of a lower level when it is smaller by this factor."""
FEW_CHARACTERS = 20
"""A scanned page with less text than this is a picture as well."""
STAMP_CHARACTERS = 100
"""A text layer shorter than this over a picture of the whole page may be a stamp on a scan: OCR looks at it."""
OCR_GAIN = 2.0
"""OCR's reading replaces such a layer when it is longer by this factor."""
CAREFUL_PAGES = 100
"""Pages of one file that the careful tier reads unasked: each takes it a second."""


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a PDF's pages.

    Raises:
        EncryptedError: the file needs a password.
        BrokenError: the file is damaged or is no PDF.
    """
    elements: list[Element] = []
    pages: list[Page] = []
    images: dict[str, bytes] = {}
    warnings: list[str] = []
    unread: list[int] = []
    careful = 0
    for result in _parse(source, options.pages):
        warnings += [f"page {error.page_num}: could not be read ({error.message})" for error in result.page_errors]
        figures = raster_figures(result)
        for parsed in result.pages:
            started = time.perf_counter()
            work = _whole_text(source.path, parsed)
            if _needs_ocr(work):
                unread.append(parsed.page_num)
                continue
            found = page_elements(work, figures.get(parsed.page_num, []))
            found, look = _second_look(source.path, work, found, options, left=CAREFUL_PAGES - careful)
            careful += look.tier == "careful"
            warnings += look.warnings
            if options.images != "off":
                found, crops = _with_crops(source.path, parsed, found)
                images |= crops
            elements += found
            made = _page(work, found, (time.perf_counter() - started) * 1000)
            warnings += loss_warnings(parsed.page_num, lost_words(work.words, found))
            pages.append(replace(made, tier=look.tier, reasons=(*made.reasons, *look.reasons)))
    return Partition(
        elements=_finished(source.id, join_tables(elements, pages)),
        pages=tuple(pages),
        images=images,
        warnings=tuple(warnings),
        unread=tuple(unread),
    )


def _whole_text(path: Path, parsed: ParsedPage) -> PageText:
    """A page's text with the words that LiteParse left out; its blocks found anew where those are too many."""
    words = page_words(parsed)
    layer = missed_words(path, parsed, words)
    if layer.kept >= RAGGED:
        return PageText(parsed, [*words, *layer.missed])
    sheet = next(iter(_parser(None).parse(set_anew(parsed, layer.words)).pages))
    return PageText(replace(parsed, blocks=blocks_of_sheet(sheet)), list(layer.words))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Which tier read a page in the end, and why the careful one was asked."""

    tier: str = "fast"
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _second_look(
    path: Path, work: PageText, elements: list[Element], options: PartitionOptions, *, left: int
) -> tuple[list[Element], _Look]:
    """The elements with tables from the careful tier where that is asked for, or can gain and has pages ``left``."""
    reasons = () if options.parser == "fast" else torn(work, elements)
    if options.parser != "careful" and not (reasons and left > 0):
        spent = f"page {work.number}: no second look at its tables ({CAREFUL_PAGES} pages had one)"
        return elements, _Look(reasons=reasons, warnings=(spent,) if reasons else ())
    try:
        grids = read_tables(path, work.number)
    except BrokenError as exc:
        said = f"page {work.number}: no second look at its tables ({exc})"
        return elements, _Look(reasons=reasons, warnings=(said,))
    return with_grids(work, elements, grids), _Look(tier="careful", reasons=reasons)


def _needs_ocr(work: PageText) -> bool:
    """Whether a page has no text layer, or hardly any over a picture of the whole page."""
    if not work.words:
        return True
    signals = work.parsed.complexity
    return signals is not None and signals.full_page_image and _count_letters(work.words) < STAMP_CHARACTERS


def _count_letters(words: Sequence[PageWord | Word]) -> int:
    return sum(len(squeezed(word.text)) for word in words)


def read_pages(source: Source, pages: Sequence[int], options: PartitionOptions) -> Partition:
    """Read pages that have no text layer by OCR; a page on which nothing is recognised becomes a picture.

    Raises:
        BrokenError: a page cannot be drawn.
    """
    parts = [_read_scanned(source, page, options) for page in pages]
    return Partition(
        elements=tuple(e for part in parts for e in part.elements),
        pages=tuple(p for part in parts for p in part.pages),
        images={name: data for part in parts for name, data in part.images.items()},
        warnings=tuple(w for part in parts for w in part.warnings),
    )


def _read_scanned(source: Source, page: int, options: PartitionOptions) -> Partition:
    from ingest.ocr import page_scale, read_lines

    started = time.perf_counter()
    parsed = next(result.pages[0] for result in _parse(source, (page,)))
    layer = PageText(parsed, page_words(parsed))
    scale = page_scale(parsed.width, parsed.height)
    picture = draw_pages(source.path, [page], scale=scale)[page]
    lines = [] if is_blank(picture) else read_lines(picture, scale=scale)
    work, elements, said = _best_reading(layer, lines)
    images: dict[str, bytes] = {}
    if _count_letters(work.words) < STAMP_CHARACTERS and options.images != "off" and not is_plain(picture):
        key, data = stored_png(picture)
        images[key] = data
        whole = page_element(page, "Image", "", (0.0, 0.0, parsed.width, parsed.height))
        elements.append(replace(whole, image_path=key, confidence=_confidence(lines)))
    own_ms = (time.perf_counter() - started) * 1000
    made = replace(_page(work, elements, own_ms), tier="ocr", reasons=("no text layer",))
    return Partition(elements=tuple(elements), pages=(made,), images=images, warnings=said)


def _best_reading(layer: PageText, lines: Sequence[OcrLine]) -> tuple[PageText, list[Element], tuple[str, ...]]:
    """A page's text and elements, from what OCR recognised or from its layer, and what to say of it."""
    from ingest.ocr import typeset

    number, size = layer.number, (layer.parsed.width, layer.parsed.height)
    words = [PageWord(text=word.text, box=word.box) for line in lines for word in line.words]
    if layer.words and _count_letters(words) < OCR_GAIN * _count_letters(layer.words):
        return layer, page_elements(layer, []), ()
    if not lines:
        return layer, [], (f"page {number}: no text layer, and OCR found no text",)
    sheet = next(iter(_parser(None).parse(typeset(lines, *size)).pages))
    sheet.page_num = number
    work = PageText(sheet, words)
    elements = [replace(e, confidence=_confidence(lines)) for e in page_elements(work, [])]
    return work, elements, (f"page {number}: no text layer, OCR used",)


def _confidence(lines: Sequence[OcrLine]) -> float:
    """The mean confidence of recognised lines, 0 where there are none."""
    return round(sum(line.confidence for line in lines) / len(lines), 3) if lines else 0.0


def join(source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
    """A partition with the pages that were read later in their places."""
    every = [first, *parts]
    elements = sorted((e for part in every for e in part.elements), key=lambda e: e.page_number or 0)
    images = {name: data for part in every for name, data in part.images.items()}
    pages = sorted((p for part in every for p in part.pages), key=lambda p: p.page)
    elements = _with_recognised_levels([replace(e, parent_id=None) for e in elements], pages)
    return Partition(
        elements=_finished(source.id, join_tables(elements, pages)),
        pages=tuple(pages),
        images=images,
        warnings=tuple(sorted((w for part in every for w in part.warnings), key=_page_of_warning)),
    )


def _with_recognised_levels(elements: Sequence[Element], pages: Sequence[Page]) -> list[Element]:
    """Recognised headings with levels by their size over the whole document; each page alone cannot know them."""
    words = {page.page: page.words for page in pages}
    sizes = {id(e): _size(e, words.get(e.page_number or 0, ())) for e in elements if _is_read_title(e)}
    levels: dict[float, int] = {}
    top, level = 0.0, -1
    for size in sorted(set(sizes.values()), reverse=True):
        if size * LEVEL_STEP < top or level < 0:
            top, level = size, level + 1
        levels[size] = level
    return [replace(e, category_depth=levels[sizes[id(e)]]) if id(e) in sizes else e for e in elements]


def _is_read_title(element: Element) -> bool:
    return element.category == "Title" and element.confidence is not None


def _size(element: Element, words: Sequence[Word]) -> float:
    """The height of an element's words, in points; of the whole where the page has none."""
    x0, y0, x1, y1 = element.boxes[0].box
    heights = sorted(d - b for _, (a, b, c, d) in words if x0 <= (a + c) / 2 <= x1 and y0 <= (b + d) / 2 <= y1)
    return heights[len(heights) // 2] if heights else y1 - y0


def _page_of_warning(warning: str) -> int:
    found = re.match(r"page (\d+)", warning)
    return int(found[1]) if found else 0


def _finished(source_id: str, elements: Sequence[Element]) -> tuple[Element, ...]:
    """Elements with ids, parents and captions: what needs the whole document."""
    return tuple(_bind_captions(nest_under_headings(with_numbered_levels(_identify(source_id, elements)))))


def _parse(source: Source, pages: tuple[int, ...] | None) -> Iterator[ParseResult]:
    """LiteParse's results, in batches that bound memory; its errors become ours here."""
    from liteparse import ParseError

    parser = _parser(pages)
    try:
        if pages:
            yield parser.parse(source.path)
            return
        for batch in parser.parse_batches(source.path, BATCH_PAGES):
            yield batch.result
    except FileNotFoundError as exc:
        raise BrokenError("the file vanished while it was read") from exc
    except ParseError as exc:
        raise _mapped(source, exc) from exc


def _parser(pages: tuple[int, ...] | None) -> LiteParse:
    from liteparse import LiteParse

    return LiteParse(
        ocr_enabled=False,
        quiet=True,
        output_format="markdown",
        extract_blocks=True,
        emit_word_boxes=True,
        include_complexity=True,
        extract_images=True,
        extract_vector_graphics=True,
        extract_links=False,
        continue_on_page_error=True,
        target_pages=",".join(map(str, pages)) if pages else None,
    )


def _mapped(source: Source, exc: Exception) -> BrokenError | EncryptedError:
    if "password" in str(exc).lower():
        return EncryptedError("encrypted: save a copy without a password and ingest that")
    if source.size == 0:
        return BrokenError("empty file (0 bytes)")
    return BrokenError(f"broken PDF: {exc}")


def _with_crops(path: Path, parsed: ParsedPage, elements: list[Element]) -> tuple[list[Element], dict[str, bytes]]:
    """The elements with each Image's crop named, and the crops; single-colour pictures are left out."""
    if not any(e.category == "Image" for e in elements):
        return elements, {}
    page = draw_pages(path, [parsed.page_num])[parsed.page_num]
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


# --- the whole document -------------------------------------------------------------------------


def _identify(source_id: str, elements: Sequence[Element]) -> list[Element]:
    return [replace(e, element_id=stable_id(source_id, index, e.category, e.text)) for index, e in enumerate(elements)]


def _bind_captions(elements: Sequence[Element]) -> Iterator[Element]:
    """Captions with ``parent_id`` set to the nearest table or picture of their kind on the page."""
    for element in elements:
        if element.category != "FigureCaption":
            yield element
            continue
        wanted = "Table" if caption_kind(element.text) == "table" else "Image"
        box = element.boxes[0].box
        near = [
            (gap_between(own.box, box), other.element_id)
            for other in elements
            for own in other.boxes
            if other.category == wanted and own.page == element.page_number
        ]
        distance, owner = min(near, default=(CAPTION_REACH + 1, ""))
        yield replace(element, parent_id=owner) if distance <= CAPTION_REACH else element


def _page(work: PageText, elements: Sequence[Element], own_ms: float) -> Page:
    parsed = work.parsed
    signals = parsed.complexity
    return Page(
        page=parsed.page_num,
        width=parsed.width,
        height=parsed.height,
        reasons=tuple(signals.reasons) if signals else (),
        ms=round(own_ms, 1),
        text_kept=lost_words(work.words, elements).share,
        words=plain_words(work.words),
    )
