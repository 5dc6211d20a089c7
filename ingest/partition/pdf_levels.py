"""Headings over a whole PDF: running heads told from headings, and every heading's level and parent."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.partition.headings import nest_under_headings, with_numbered_levels
from ingest.partition.pdf_words import squeezed
from ingest.types import Element, OutlineEntry, Page

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MARGIN_BAND = 0.1
"""Share of the page height at its top and bottom where running headers and footers stand."""
SAME_PLACE = 0.01
"""Share of the page height by which the place of a running header wavers, at most."""
MANY_PAGES = 3
"""Pages on which the same text at the same place is part of the layout."""
DISPLAY = 1.5
"""A line larger than the document's words by this factor is a title, even if many pages have it (slides)."""
OUTLINE_PAGES = 5
"""A PDF of fewer pages is read without its outline: opening it again takes longer than all else."""
OUTLINE_ENTRIES = 10_000
OUTLINE_SHARE = 0.5
"""Share of an outline's entries that must be found on their pages; below it, the outline is of something else."""
_PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–—|\s]*(?:\d{1,4}|[ivxl]{1,7})[-–—|\s]*(?:of\s*\d{1,4})?", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"^\W*(?:[A-Z]?\d+(?:\.\d+)*|[IVXL]+)[.):]?\s+")


def read_outline(path: Path, pages: int, password: str | None = None) -> tuple[OutlineEntry, ...]:
    """A PDF's outline, empty where it has none, cannot be read, or the file has too few ``pages`` to need one."""
    if pages < OUTLINE_PAGES:
        return ()
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path, password=password) as pdf:
            return tuple(_entries(pdf))
    except pypdfium2.PdfiumError:
        return ()


def _entries(pdf: PdfDocument) -> Iterator[OutlineEntry]:
    for bookmark in islice(pdf.get_toc(), OUTLINE_ENTRIES):
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            yield OutlineEntry(level=bookmark.level + 1, title=bookmark.get_title(), page=page + 1)


def headings_over_document(
    elements: Sequence[Element], pages: Sequence[Page], outline: Sequence[OutlineEntry] = ()
) -> list[Element]:
    """The elements of a document, with ids, their headings in levels from 0 without gaps, and parents set.

    A line that many pages have at one place becomes a Header or Footer, in the middle of the page
    UncategorizedText. The outline tells the level of the headings that it names, the number of the others that
    have one, and the size and style of their letters that of the rest.
    """
    out = _with_running_lines(elements, {page.page: page for page in pages})
    out = with_numbered_levels(_without_gaps(out))
    return nest_under_headings(_with_outline(out, outline))


# --- running headers and footers -----------------------------------------------------------------


def _with_running_lines(elements: Sequence[Element], pages: Mapping[int, Page]) -> list[Element]:
    seen: dict[tuple[str, int], set[int]] = defaultdict(set)
    for element in elements:
        for key in _places(element, pages):
            seen[key].add(element.page_number or 0)
    normal = _word_height(pages)
    return [
        replace(e, category=_band(e, pages) or "UncategorizedText", category_depth=None)
        if _is_page_number(e, pages)
        or (any(len(seen[key]) >= MANY_PAGES for key in _places(e, pages)) and not _is_display(e, normal))
        else e
        for e in elements
    ]


def _is_page_number(element: Element, pages: Mapping[int, Page]) -> bool:
    text = element.category in ("NarrativeText", "UncategorizedText", "ListItem")
    return text and _band(element, pages) != "" and _PAGE_NUMBER.fullmatch(element.text) is not None


def _places(element: Element, pages: Mapping[int, Page]) -> list[tuple[str, int]]:
    """What a line says (its digits apart) and where it stands, twice: places are counted in steps, and may waver."""
    page = pages.get(element.page_number or 0)
    movable = element.category in ("Title", "NarrativeText", "UncategorizedText", "ListItem")
    in_band = page is not None and _band(element, pages)
    if page is None or not movable or not (in_band or element.category == "Title") or not element.boxes:
        return []
    text = re.sub(r"\d+", "#", element.text.casefold())
    step = page.height * SAME_PLACE * 2
    x0, y0, *_ = element.boxes[0].box
    side = "" if in_band else f"@{round(x0 / step)}"
    return [(text + side, int(y0 / step)), (text + side, -int(y0 / step + 0.5) - 1)]


def _band(element: Element, pages: Mapping[int, Page]) -> str:
    page = pages.get(element.page_number or 0)
    if page is None or not element.boxes:
        return ""
    _, top, _, foot = element.boxes[0].box
    if foot <= page.height * MARGIN_BAND:
        return "Header"
    return "Footer" if top >= page.height * (1 - MARGIN_BAND) else ""


def _word_height(pages: Mapping[int, Page]) -> float:
    """The median height of a document's words, in points; 0 where it has none."""
    heights = sorted(box[3] - box[1] for page in pages.values() for _, box in page.words)
    return heights[len(heights) // 2] if heights else 0.0


def _is_display(element: Element, normal: float) -> bool:
    _, top, _, foot = element.boxes[0].box
    return element.category == "Title" and 0 < DISPLAY * normal <= foot - top


# --- levels ---------------------------------------------------------------------------------------


def _without_gaps(elements: Sequence[Element]) -> list[Element]:
    """The elements with the levels of headings counted from 0, none left out."""
    depths = sorted({e.category_depth or 0 for e in elements if e.category == "Title"})
    place = {depth: level for level, depth in enumerate(depths)}
    return [replace(e, category_depth=place[e.category_depth or 0]) if e.category == "Title" else e for e in elements]


def _with_outline(elements: Sequence[Element], outline: Sequence[OutlineEntry]) -> list[Element]:
    """The elements with the outline's entries as headings of its levels, and other headings below the entry above."""
    named = _named(elements, outline)
    if not outline or len(named) < OUTLINE_SHARE * len(outline):
        return list(elements)
    out, above = list(elements), -1
    for index, element in enumerate(elements):
        if index in named:
            above = named[index] - 1
            out[index] = replace(element, category="Title", category_depth=above)
        elif element.category == "Title":
            out[index] = replace(element, category_depth=max(element.category_depth or 0, above + 1))
    return out


def _named(elements: Sequence[Element], outline: Sequence[OutlineEntry]) -> dict[int, int]:
    """The level of each element (by its index) that an entry of the outline names, the first on its page."""
    lines: dict[tuple[int, str], int] = {}
    for index, element in enumerate(elements):
        if element.category in ("Title", "NarrativeText", "UncategorizedText", "ListItem"):
            for name in _names(element.text):
                lines.setdefault((element.page_number or 0, name), index)
    found: dict[int, int] = {}
    for entry in outline:
        for place in [lines[entry.page, name] for name in _names(entry.title) if (entry.page, name) in lines][:1]:
            found.setdefault(place, entry.level)
    return found


def _names(title: str) -> list[str]:
    """A heading's text to compare: whole, and without its number."""
    return [name for text in (title, _LEADING_NUMBER.sub("", title)) if (name := squeezed(text).casefold())]
