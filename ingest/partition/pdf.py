"""PDF: LiteParse's blocks on every page, made into elements whose texts are verbatim and whose boxes are known."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.images import caption_kind
from ingest.partition import PartitionOptions
from ingest.partition.pdf_attachments import attached_files
from ingest.partition.pdf_bare import count
from ingest.partition.pdf_boxes import gap_between
from ingest.partition.pdf_figures import CAPTION_REACH, decorations, raster_figures
from ingest.partition.pdf_headings import page_headings, running_text
from ingest.partition.pdf_joins import join_tables
from ingest.partition.pdf_layer import open_layer
from ingest.partition.pdf_levels import headings_over_document, read_outline
from ingest.partition.pdf_loss import loss_warnings, lost_words
from ingest.partition.pdf_page import page_record, whole_text, with_crops
from ingest.partition.pdf_parse import BATCH_PAGES, parse_first, parse_pages
from ingest.partition.pdf_second_look import NO_LAYER, PICTURES, look_again, reasons_to_look
from ingest.partition.pdf_text import page_elements
from ingest.types import BoundingBox, Element, Page, Partition, Source, Word, stable_id

if TYPE_CHECKING:
    from liteparse.types import ParseResult

LEVEL_STEP = 1.2
"""A recognised heading is of a lower level when it is smaller by this factor."""
CAREFUL_PAGES = 40
"""Pages of a batch that have a second look at their tables unasked: each takes a second."""


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a PDF's first pages; those that need a second look, and those after the first batch, are left ``unread``.

    Raises:
        EncryptedError: the file needs a password.
        BrokenError: the file is damaged or is no PDF.
    """
    if options.pages is not None:
        found = _read_batch(source, parse_pages(source, options.pages, options.password), options)
        return found if found.unread else _whole(source, found)
    result, total = parse_first(source, options.password)
    found = _read_batch(source, result, options)
    later = [tuple(range(n, min(n + BATCH_PAGES, total + 1))) for n in range(BATCH_PAGES + 1, total + 1, BATCH_PAGES)]
    found = replace(
        found,
        unread=(*later, *found.unread),
        outline=read_outline(source.path, total, options.password),
        members=attached_files(source.path, options.password),
    )
    return found if found.unread else _whole(source, found)


def read_pages(source: Source, pages: Sequence[int], draft: Partition, options: PartitionOptions) -> Partition:
    """Read pages that were left unread: a second look at those of the ``draft``, a first one at all others.

    Raises:
        BrokenError: a page cannot be drawn.
    """
    result = parse_pages(source, pages, options.password)
    if not draft.pages:
        return _read_batch(source, result, options)
    with open_layer(source.path, options.password) as layer:
        parts = [
            look_again(source, whole_text(layer, parsed), draft.on((parsed.page_num,)), options)
            for parsed in result.pages
        ]
    return Partition(
        elements=tuple(e for part in parts for e in part.elements),
        pages=tuple(p for part in parts for p in part.pages),
        images={name: data for part in parts for name, data in part.images.items()},
        warnings=tuple(w for part in parts for w in part.warnings),
        left_out=sum((Counter(part.left_out) for part in parts), Counter[str]()),
    )


def count_pages(source: Source, options: PartitionOptions) -> int:
    """How many pages the file has, told by reading the first where its own list does not tell.

    Raises:
        SourceError: the file is encrypted or damaged.
    """
    return count(source.path, options.password) or parse_pages(source, (1,), options.password).total_pages


def join(source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
    """A partition with the pages that were read later in their places; of two readings of a page the later counts."""
    read: dict[int, tuple[Page, tuple[Element, ...]]] = {}
    for part in (first, *parts):
        own: dict[int, list[Element]] = {page.page: [] for page in part.pages}
        for element in part.elements:
            own[element.page_number or 0].append(element)
        read |= {page.page: (page, tuple(own[page.page])) for page in part.pages}
    found = [read[number] for number in sorted(read)]
    every = (first, *parts)
    return _whole(
        source,
        Partition(
            elements=tuple(e for _, elements in found for e in elements),
            pages=tuple(page for page, _ in found),
            images={name: data for part in every for name, data in part.images.items()},
            left_out=dict(sum((Counter(part.left_out) for part in every), Counter[str]())),
            warnings=tuple(sorted((w for part in every for w in part.warnings), key=_page_of_warning)),
            outline=first.outline,
            members=first.members,
        ),
    )


def _read_batch(source: Source, result: ParseResult, options: PartitionOptions) -> Partition:
    """Pages that were parsed together, as the fast tier reads them; ``unread`` has those that need a second look."""
    elements: list[Element] = []
    pages: list[Page] = []
    images: dict[str, bytes] = {}
    warnings = [f"page {error.page_num}: could not be read ({error.message})" for error in result.page_errors]
    unread: list[int] = []
    figures, running = raster_figures(result), running_text(result.pages)
    left_out = Counter(each.reason for each in decorations(result))
    left = CAREFUL_PAGES
    with open_layer(source.path, options.password) as layer:
        for parsed in result.pages:
            started = time.perf_counter()
            work = whole_text(layer, parsed)
            found = page_headings(work, page_elements(work, figures.get(parsed.page_num, [])), running)
            reasons = reasons_to_look(work, found, options)
            if options.parser != "careful" and not set(reasons) <= {NO_LAYER, PICTURES}:
                left -= 1
                if left < 0:
                    warnings.append(f"page {work.number}: no second look at its tables ({CAREFUL_PAGES} pages had one)")
                    reasons = tuple(reason for reason in reasons if reason == PICTURES)
            if reasons:
                unread.append(work.number)
            elif options.images != "off":
                found, crops, dropped = with_crops(source.path, parsed, found, options.password)
                left_out += dropped
                images |= crops
            loss = lost_words(work.words, found)
            if not reasons:
                warnings += loss_warnings(work.number, loss)
            elements += found
            made = page_record(work, loss, (time.perf_counter() - started) * 1000)
            pages.append(replace(made, reasons=(*made.reasons, *reasons)))
    return Partition(
        elements=tuple(elements),
        pages=tuple(pages),
        images=images,
        warnings=tuple(warnings),
        unread=tuple((page,) for page in unread),
        left_out={} if options.images == "off" else dict(+left_out),
    )


def _whole(source: Source, found: Partition) -> Partition:
    """A partition all of whose pages are read, with what needs the whole document: joins, levels, ids, captions."""
    elements = _with_recognised_levels(found.elements, found.pages)
    identified = _identify(source.id, join_tables(elements, found.pages))
    nested = headings_over_document(identified, found.pages, found.outline)
    return replace(found, elements=tuple(_bind_captions(nested)), unread=())


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


# --- the whole document -------------------------------------------------------------------------


def _identify(source_id: str, elements: Sequence[Element]) -> list[Element]:
    return [replace(e, element_id=stable_id(source_id, index, e.category, e.text)) for index, e in enumerate(elements)]


def _bind_captions(elements: Sequence[Element]) -> Iterator[Element]:
    """Captions with ``parent_id`` set to the nearest table or picture of their kind on the page."""
    shown: dict[tuple[str, int], list[tuple[BoundingBox, str]]] = {}
    for element in elements:
        for own in element.boxes if element.category in {"Table", "Image"} else ():
            shown.setdefault((element.category, own.page), []).append((own.box, element.element_id))
    for element in elements:
        if element.category != "FigureCaption":
            yield element
            continue
        wanted = "Table" if caption_kind(element.text) == "table" else "Image"
        box = element.boxes[0].box
        near = [(gap_between(own, box), owner) for own, owner in shown.get((wanted, element.page_number or 0), ())]
        distance, owner = min(near, default=(CAPTION_REACH + 1, ""))
        yield replace(element, parent_id=owner) if distance <= CAPTION_REACH else element
