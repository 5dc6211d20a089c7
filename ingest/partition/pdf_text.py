"""Text blocks of a PDF page as elements: texts verbatim, boxes around all their words, nothing left behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.images import caption_kind
from ingest.partition.pdf_boxes import box_of, overlaps
from ingest.partition.pdf_figures import place_figures, place_of
from ingest.partition.pdf_headings import (
    LONG_HEADING,
    follows,
    height_of,
    parted_heading,
    rows_of,
    run_on,
    setting_of,
)
from ingest.partition.pdf_loss import is_said
from ingest.partition.pdf_order import in_reading_order
from ingest.partition.pdf_table_repairs import mended
from ingest.partition.pdf_tables import table_elements
from ingest.partition.pdf_words import (
    PageText,
    PageWord,
    as_typed,
    clusters,
    join_words,
    lines,
    page_element,
    runs_left,
    squeezed,
)
from ingest.types import BoundingBox, Element, union_box

if TYPE_CHECKING:
    from liteparse.types import LayoutBlock

MARGIN_BAND = 0.1
"""Share of the page height at its top and bottom where running headers and footers stand."""
LINE_REACH = 2.5
"""Lines (heights) between a block and a line of it that LiteParse left out of its box."""
_EMPHASIS = re.compile(r"(?<!\\)(\*\*\*|\*\*|\*|~~|`)(?=\S)(.+?)(?<![\s\\])\1", re.DOTALL)
_ESCAPE = re.compile(r"\\([\\*_`~#$])")
_BAD_SPACE = re.compile(r"\w\s[.,;:!?)]|[^\W\d_],[^\W\d_]")
_FORMULA = re.compile(r"(\$[^$]+\$)")


def page_elements(work: PageText, rasters: Sequence[BoundingBox]) -> list[Element]:
    """The elements of a page in reading order, without ids."""
    blocks = [b for b in work.parsed.blocks or [] if b.kind not in ("rule", "figure") and b.bbox is not None]
    elements = [element for block in blocks for element in _block_elements(work, block)]
    elements = _with_missed_lines(work, elements)
    elements = _with_whole_captions(work, [part for e in elements for part in parted_heading(work, e)])
    elements = mended(work, _with_left_over(work, place_figures(work, elements, rasters)))
    return in_reading_order(work, elements)


def _block_elements(work: PageText, block: LayoutBlock) -> Iterator[Element]:
    assert block.bbox is not None
    box = box_of(block.bbox)
    inside = [i for i in work.words_in(box) if i not in work.taken and work.words[i].angle == 0]
    if block.kind == "table":
        found = list(table_elements(work.number, block, box))
    elif not inside and any(work.words[i].restored for i in work.words_in(box)):
        # Blocks of a page that was set anew may overlap: its words are said already.
        return
    else:
        text = _verbatim(block, work.at(inside))
        category, depth = _category(block, text)
        found = [page_element(work.number, category, text, box, depth)] if text else []
    said = squeezed("".join(element.text for element in found))
    is_in = _is_in_cells if block.kind == "table" else is_said
    work.taken.update(i for line in _lines_of(work, inside) if is_in(work.at(line), said) for i in line)
    yield from found


def _is_in_cells(line: Sequence[PageWord], said: str) -> bool:
    """Whether a table has most of a line's letters; its cells need not come in the line's order."""
    letters = [squeezed(word.text) for word in line]
    return 2 * sum(len(word) for word in letters if word in said) >= len("".join(letters))


def _category(block: LayoutBlock, text: str) -> tuple[str, int | None]:
    if caption_kind(text) and block.kind in ("paragraph", "heading"):
        return "FigureCaption", None
    if block.kind == "heading" and not (text.endswith(".") and len(text.split()) >= LONG_HEADING):
        return "Title", max(0, (block.level or 1) - 1)
    if block.kind == "list_item":
        return "ListItem", block.level or 0
    if block.kind == "code" and len(block.lines or []) > 1:
        return "CodeSnippet", None
    return "NarrativeText", None


def _verbatim(block: LayoutBlock, words: Sequence[PageWord]) -> str:
    """The block's text as it is drawn: without Markdown's marks, the number of a list item before it."""
    if block.kind == "code":
        given = "\n".join(block.lines or []).strip("\n")
        drawn = as_typed(words)
        return drawn if squeezed(drawn) == squeezed(given) else given
    text = " ".join((block.text or "").split())
    if any(word.restored for word in words) or (words and runs_left(text)):
        return join_words(words)
    if block.kind == "heading":
        return join_words(words) if _is_badly_spaced(text, words) else text
    drawn = "".join(word.text for word in words)
    if words and text.count("$") != drawn.count("$"):
        # LiteParse wrote a formula where the words have none.
        return join_words(words)
    for _ in range(3):
        text = _EMPHASIS.sub(lambda m: m[2] if drawn.count(m[1]) < 2 else m[0], text)
    parts = _FORMULA.split(text) if "\\" in drawn else [text]
    text = "".join(part if i % 2 else _ESCAPE.sub(r"\1", part) for i, part in enumerate(parts))
    text = f"{block.marker} {text}" if block.ordered and block.marker and text else text
    return join_words(words) if _is_out_of_order(text, words) or _is_badly_spaced(text, words) else text


def _is_badly_spaced(text: str, words: Sequence[PageWord]) -> bool:
    """Whether a text is its words but for spaces, and has one before a mark or none behind a comma."""
    if not _BAD_SPACE.search(text):
        return False
    return "".join(text.split()) == "".join(join_words(words).split())


def _is_out_of_order(text: str, words: Sequence[PageWord]) -> bool:
    """Whether a text has the letters of its words, but in an order in which nobody reads them."""
    wanted, drawn = squeezed(text), squeezed("".join(word.text for word in words))
    return wanted not in (drawn, squeezed(join_words(words))) and Counter(wanted) == Counter(drawn)


# --- what LiteParse's blocks lack ----------------------------------------------------------------


def _with_missed_lines(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with boxes grown over lines that their texts have but their boxes lack."""
    out = list(elements)
    free = [i for i in work.free() if work.words[i].angle == 0]
    for line in _lines_of(work, free):
        text = squeezed("".join(work.words[i].text for i in line))
        box = union_box([work.words[i].box for i in line])
        owner = next((n for n, e in enumerate(out) if text and _lacks(work, e, text, box)), None)
        if owner is not None:
            work.taken.update(line)
            grown = union_box([out[owner].boxes[0].box, box])
            out[owner] = replace(out[owner], boxes=(replace(out[owner].boxes[0], box=grown),))
    return out


def _lines_of(work: PageText, indices: Sequence[int]) -> list[list[int]]:
    place = {id(work.words[i]): i for i in indices}
    groups = [line for group in clusters(work, indices) for line in lines(work.at(group))]
    return [[place[id(word)] for word in line] for line in groups]


def _lacks(work: PageText, element: Element, text: str, box: BoundingBox) -> bool:
    """Whether an element has a text more often than the words in its box do, and stands near ``box``."""
    own = element.boxes[0].box
    if element.category == "Table" or not overlaps(own, box, (box[3] - box[1]) * LINE_REACH):
        return False
    drawn = squeezed(join_words(work.at([i for i in work.words_in(own) if i in work.taken])))
    return squeezed(element.text).count(text) > drawn.count(text)


def _with_whole_captions(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with captions whose next line, in the same font, was taken for a heading, made whole."""
    out: list[Element] = []
    for element in elements:
        last = out[-1] if out else None
        if last is not None and last.category == "FigureCaption" and element.category == "Title":
            above, below = rows_of(work, last), rows_of(work, element)
            if (
                above
                and below
                and setting_of(above[-1]).font == setting_of(below[0]).font
                and follows(last, element, height_of(below[0]))
            ):
                out[-1] = run_on(last, element)
                continue
        out.append(element)
    return out


def _with_left_over(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with the words that none has: running headers first, footers last, the rest in its place."""
    out = list(elements)
    margins: dict[str, list[int]] = {"Header": [], "Footer": []}
    free = work.free()
    for i in free:
        margins.get(_margin(work, work.words[i]), []).append(i)
    for group in clusters(work, [i for i in free if not _margin(work, work.words[i])]):
        words = work.at(group)
        if squeezed("".join(w.text for w in words)):
            found = page_element(work.number, "UncategorizedText", join_words(words), union_box([w.box for w in words]))
            out.insert(place_of(found.boxes[0].box, out), found)
    head, foot = (
        [page_element(work.number, name, join_words(work.at(own)), union_box([w.box for w in work.at(own)]))]
        if own
        else []
        for name, own in margins.items()
    )
    return [*head, *out, *foot]


def _margin(work: PageText, word: PageWord) -> str:
    height = work.parsed.height
    if word.angle == 0 and word.box[3] <= height * MARGIN_BAND:
        return "Header"
    if word.angle == 0 and word.box[1] >= height * (1 - MARGIN_BAND):
        return "Footer"
    return ""
