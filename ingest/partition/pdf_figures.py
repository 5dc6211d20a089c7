"""Figures of a PDF page: raster pictures, drawings that a caption points at, and the labels drawn around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ingest.images import REPEATED, SMALL, caption_kind, is_too_small
from ingest.partition.pdf_boxes import (
    area,
    box_of,
    clipped,
    gap_between,
    holds,
    merged,
    overlaps,
    shares_column,
    touching_groups,
)
from ingest.partition.pdf_drawings import AXIS_REACH, charts, has_axis
from ingest.partition.pdf_words import (
    PageText,
    PageWord,
    join_words,
    label_lines,
    labels_of,
    lines,
    page_element,
    squeezed,
)
from ingest.types import BoundingBox, Element, union_box

if TYPE_CHECKING:
    from liteparse.types import ParseResult, VectorGraphics

CAPTION_REACH = 90.0
"""Points between a caption and the table or picture that it belongs to, at most."""
FULL_PAGE = 0.85
"""Share of the page from which on a picture is what the page is printed on."""
FULL_WIDTH = 0.95
STROKE_REACH = 24.0
"""Points between the strokes of one drawing, at most."""
LABEL_REACH = 14.0
"""Points between a drawing and a label of it, or between two labels, at most."""
LABEL_GAP = 4.0
"""Points between two lines of one label, at most."""
PIECE_WORDS = 4
"""Words of a label, on average, at most."""
LABEL_WORDS = 12
"""A label has no more words than this, or its words stand far apart, as those along an axis do."""
LABEL_FILL = 0.6
"""Share of its lines that the words of running text cover at least."""
LABELS = frozenset({"NarrativeText", "ListItem", "UncategorizedText", "Title"})
KEPT_APART = frozenset({"Image", "FigureCaption", "Table"})
MANY_PAGES = 3
"""A picture on so many pages, and on half of a batch, is a logo."""


class LeftOut(NamedTuple):
    """A raster picture that is decoration: its page, its box and the reason."""

    page: int
    box: BoundingBox
    reason: str


def raster_figures(result: ParseResult) -> dict[int, list[BoundingBox]]:
    """Boxes of raster pictures by page; small ones and those repeated on many pages (logos) left out.

    Some programs store a picture as strips: what touches is one picture, and only then large or small.
    """
    return {page: [box for box in merged(boxes) if not is_too_small(box)] for page, boxes in _rasters(result).items()}


def decorations(result: ParseResult) -> list[LeftOut]:
    """The raster pictures that ``raster_figures`` leaves out; a logo once, at its first place."""
    sizes = {page.page_num: (page.width, page.height) for page in result.pages}
    often = _often(result)
    logos = {hash(image.bytes): image for image in reversed(result.images) if hash(image.bytes) in often}
    found = [LeftOut(i.page, clipped(box_of(i.bbox), sizes[i.page]), REPEATED) for i in reversed(logos.values())]
    small = [
        LeftOut(page, box, SMALL)
        for page, boxes in _rasters(result).items()
        for box in merged(boxes)
        if is_too_small(box)
    ]
    return found + small


def _rasters(result: ParseResult) -> dict[int, list[BoundingBox]]:
    """The boxes of all raster pictures but logos, by page."""
    often = _often(result)
    sizes = {page.page_num: (page.width, page.height) for page in result.pages}
    found: dict[int, list[BoundingBox]] = {}
    for image in result.images:
        if hash(image.bytes) not in often:
            found.setdefault(image.page, []).append(clipped(box_of(image.bbox), sizes[image.page]))
    return found


def _often(result: ParseResult) -> set[int]:
    """The hashes of the pictures that stand so often that they are logos."""
    pages: dict[int, set[int]] = {}
    for image in result.images:
        pages.setdefault(hash(image.bytes), set()).add(image.page)
    many = max(MANY_PAGES, len(result.pages) // 2)
    return {digest for digest, own in pages.items() if len(own) >= many}


def place_figures(work: PageText, elements: Sequence[Element], rasters: Sequence[BoundingBox]) -> list[Element]:
    """The elements with an Image for each figure, before the first element that starts below its top.

    Text drawn inside a figure (labels, legends) becomes the Image's text. A picture with headings or running text
    on it is a background: that text stays where it is.
    """
    captions = [e.boxes[0].box for e in elements if e.category == "FigureCaption"]
    drawn = charts(work, elements)
    regions = [*rasters, *_drawings(work, elements), *drawn]
    elements = [part for e in elements for part in _labels_apart(work, e, regions)]
    pictures = [_with_axes(work, box, elements) for box in rasters]
    drawings = merged([_with_labels(work, box, elements) for box in _drawings(work, elements)])
    others = [box for box in drawn if not any(overlaps(box, known) for known in drawings + pictures)]
    drawings += [_with_labels(work, box, elements, reach=AXIS_REACH) for box in others]
    out = list(elements)
    for whole in sorted([*pictures, *drawings], key=lambda box: box[1]):
        if area(whole) >= work.parsed.width * work.parsed.height * FULL_PAGE:
            continue
        out = _with_figure(work, out, _beside_captions(whole, captions), is_drawn=whole in drawings)
    return out


def _with_figure(work: PageText, elements: Sequence[Element], figure: BoundingBox, *, is_drawn: bool) -> list[Element]:
    """The elements with an Image for a figure, and without the labels that are in it."""
    inside = [e for e in elements if e.category not in KEPT_APART and _lies_in(e, figure)]
    crossing = [e for e in elements if e.category not in KEPT_APART and e not in inside and _crosses(work, e, figure)]
    if not is_drawn and any(not _is_label(work, e) for e in inside):
        words = []
        out = list(elements)
    else:
        taken = {i for e in [*inside, *crossing] for i in _words_of(work, e, figure)}
        words = sorted(taken | {i for i in work.words_in(figure) if i not in work.taken})
        parted = [(e, _without(work, e, figure) if e in crossing else [e]) for e in elements if e not in inside]
        out = [part for _, parts in parted for part in parts]
    work.taken.update(words)
    out.insert(place_of(figure, out), page_element(work.number, "Image", label_lines(work.at(words)), figure))
    return out


def _words_of(work: PageText, element: Element, figure: BoundingBox) -> list[int]:
    return [i for i in work.words_of(element) if holds(figure, work.words[i].box)]


def _crosses(work: PageText, element: Element, figure: BoundingBox) -> bool:
    """Whether an element is of labels of which some lie in the figure: LiteParse reads them across several."""
    box = element.boxes[0].box
    return overlaps(box, figure) and _is_scattered(work, element) and bool(_words_of(work, element, figure))


def _without(work: PageText, element: Element, figure: BoundingBox) -> list[Element]:
    """What an element is without its words in a figure."""
    rest = [work.words[i] for i in work.words_of(element) if not holds(figure, work.words[i].box)]
    if not rest:
        return []
    left = page_element(work.number, element.category, join_words(rest), union_box([w.box for w in rest]))
    return [replace(left, category_depth=element.category_depth)]


def place_of(box: BoundingBox, elements: Sequence[Element]) -> int:
    """Where in reading order a box belongs: before what starts below its top in its column, else after the column."""
    same = [i for i, e in enumerate(elements) if shares_column(e.boxes[0].box, box)]
    below = [i for i in same if elements[i].boxes[0].box[1] >= box[1]]
    return below[0] if below else max(same, default=len(elements) - 1) + 1


def _lies_in(element: Element, figure: BoundingBox) -> bool:
    return all(holds(figure, b.box) for b in element.boxes)


def _is_label(work: PageText, element: Element) -> bool:
    """Whether an element reads as a label of a drawing: short, or with its words far apart, and no heading."""
    if element.category == "Title" and not _is_of_numbers(element.text):
        return False
    words = work.at(work.words_in(element.boxes[0].box))
    if len(words) <= LABEL_WORDS:
        return not element.text.endswith(".")
    x0, y0, x1, y1 = element.boxes[0].box
    height = sorted(w.box[3] - w.box[1] for w in words)[len(words) // 2]
    drawn = sum((w.box[2] - w.box[0]) for w in words)
    return drawn < LABEL_FILL * (x1 - x0) * max(1.0, (y1 - y0) / height)


def _is_of_numbers(text: str) -> bool:
    return sum(ch.isdigit() for ch in text) > sum(ch.isalpha() for ch in text)


# --- drawings -----------------------------------------------------------------------------------


def _drawings(work: PageText, elements: Sequence[Element]) -> list[BoundingBox]:
    """Clusters of strokes and fills that a figure caption points at."""
    graphics = work.parsed.vector_graphics
    captions = [e.boxes[0].box for e in elements if e.category == "FigureCaption" and caption_kind(e.text) == "figure"]
    if graphics is None or not captions:
        return []
    tables = [e.boxes[0].box for e in elements if e.category == "Table"]
    strokes = [
        box
        for box in _strokes(graphics)
        if not any(overlaps(box, table) for table in tables) and box[2] - box[0] < work.parsed.width * FULL_WIDTH
    ]
    found = [box for box in _beside(strokes, captions) if not is_too_small(box)]
    of_tables = [e.boxes[0].box for e in elements if e.category == "FigureCaption" and caption_kind(e.text) == "table"]
    return [box for box in found if _gap(box, captions) <= min(CAPTION_REACH, _gap(box, of_tables))]


def _gap(box: BoundingBox, captions: Sequence[BoundingBox]) -> float:
    """Points from a box to the nearest caption."""
    return min((gap_between(box, caption) for caption in captions), default=float("inf"))


def _beside(strokes: Sequence[BoundingBox], captions: Sequence[BoundingBox]) -> Iterator[BoundingBox]:
    """Strokes that touch as one drawing; a frame around a drawing and its caption, or a column, is no part of it."""
    for group in touching_groups(strokes, gap=STROKE_REACH):
        own = [strokes[i] for i in group]
        box = union_box(own)
        inside = [c for c in captions if holds(box, c, slack=0.0)]
        if not inside:
            yield box
        elif rest := [s for s in own if not any(_spans(s, caption) for caption in inside)]:
            yield from (_beside(rest, inside) if len(rest) < len(own) else ())


def _spans(stroke: BoundingBox, caption: BoundingBox) -> bool:
    """Whether a stroke is beside or around a caption: it starts above and ends below."""
    return stroke[1] < caption[1] and stroke[3] > caption[3]


def _strokes(graphics: VectorGraphics) -> list[BoundingBox]:
    shapes = [shape.bbox for shape in graphics.shapes]
    boxes = [(x, y, x + width, y + height) for x, y, width, height in shapes]
    lines = [(min(s.x1, s.x2), min(s.y1, s.y2), max(s.x1, s.x2), max(s.y1, s.y2)) for s in graphics.lines]
    return boxes + lines


def _with_axes(work: PageText, picture: BoundingBox, elements: Sequence[Element]) -> BoundingBox:
    """A raster picture's box, grown over the labels of an axis that is drawn beside it, or over those on its edge."""
    return _with_labels(work, picture, elements, reach=AXIS_REACH if has_axis(work, picture) else 0.0)


def _with_labels(
    work: PageText, drawing: BoundingBox, elements: Sequence[Element], *, reach: float = float("inf")
) -> BoundingBox:
    """A drawing's box grown over the labels around it: axis numbers, legends, the title above."""
    labels = [
        box
        for e in elements
        if e.category in LABELS and _is_label(work, e)
        for box in _pieces(work.at(work.words_of(e)))
    ]
    labels += [work.words[i].box for i in work.free()]
    labels = [box for box in labels if overlaps(box, drawing, reach)]
    grown = drawing
    while near := [box for box in labels if overlaps(box, grown, LABEL_REACH)]:
        labels = [box for box in labels if box not in near]
        grown = union_box([grown, *near])
    return grown


def _labels_apart(work: PageText, element: Element, regions: Sequence[BoundingBox]) -> list[Element]:
    """An element of labels that was read straight across figures, as an element for each place."""
    box = element.boxes[0].box
    near = [region for region in regions if overlaps(box, region, AXIS_REACH) and not holds(region, box)]
    if not near or element.category not in LABELS or not _is_scattered(work, element):
        return [element]
    words = work.at(work.words_of(element))
    places = merged(_pieces(words), gap=LABEL_GAP)
    is_whole = Counter(squeezed(element.text)) == Counter(squeezed("".join(w.text for w in words)))
    if len(places) < 2 or not is_whole:
        return [element]
    groups = [[w for w in words if overlaps(w.box, place)] for place in places]
    return [page_element(work.number, "NarrativeText", join_words(g), union_box([w.box for w in g])) for g in groups]


def _is_scattered(work: PageText, element: Element) -> bool:
    """Whether an element is of labels of a few words each, not a paragraph with holes."""
    words = work.at(work.words_of(element))
    return _is_label(work, element) and len(words) <= PIECE_WORDS * len(_pieces(words))


def _pieces(words: Sequence[PageWord]) -> list[BoundingBox]:
    """The boxes of labels."""
    return [union_box([w.box for w in label]) for line in lines(words) for label in labels_of(line)]


def _beside_captions(figure: BoundingBox, captions: Sequence[BoundingBox]) -> BoundingBox:
    """A figure's box without the captions that reach into its top or bottom."""
    x0, y0, x1, y1 = figure
    for caption in (c for c in captions if overlaps(c, figure)):
        if caption[1] < y0 + (y1 - y0) / 3 and caption[3] < (y0 + y1) / 2:
            y0 = max(y0, caption[3] + 1)
        elif caption[1] > (y0 + y1) / 2:
            y1 = min(y1, caption[1] - 1)
    return x0, y0, x1, y1
