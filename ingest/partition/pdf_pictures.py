"""Text that a PDF page shows but does not store: in pictures, in outlines, behind a layer of broken letters.

``unread_regions`` and ``is_garbled`` decide from the parse alone, for every page. ``read_regions`` looks at the drawn
page: shapes like letters first, which photographs and icons lack, then OCR of what has them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from ingest.images import is_too_small
from ingest.ocr import OcrLine, mean_confidence, moved, read_lines, typeset
from ingest.partition.pdf_boxes import holds
from ingest.partition.pdf_drawn_tables import DrawnTable, find_tables, text_rows
from ingest.partition.pdf_figures import place_of
from ingest.partition.pdf_headings import page_headings
from ingest.partition.pdf_parse import parse_sheet
from ingest.partition.pdf_text import page_elements
from ingest.partition.pdf_words import PageText, PageWord, join_texts, label_lines, lines, page_element, squeezed
from ingest.render import crop
from ingest.strokes import letter_rows, ruled_lines
from ingest.tables import cells_to_html, table_text
from ingest.types import BoundingBox, Element, union_box

if TYPE_CHECKING:
    from liteparse.types import VectorGraphics
    from PIL.Image import Image

READ_SCALE = 3.0
"""Pixels a point of the page picture in which regions are read: letters of 5 points are 15 pixels high."""
READ_SIDE = 4000
"""Pixels of the longer side of that picture, at most: posters are read at a smaller scale."""
FEW_CHARACTERS = 20
"""A picture over which the text layer has less than this may carry text of its own."""
SPARSE_LAYER = 0.1
"""Share of the page that text covers, below which a picture of the whole page may carry more of it."""
LEAST_LETTERS = 6
"""Shapes in rows as letters stand, at least, in a picture that is worth the OCR."""
OUTLINE_LETTERS = 12
"""Filled shapes in rows as letters stand, at least, of a drawing that is text in outlines."""
OUTLINE_ROW = 4
"""Such shapes in one row, at least: bars and markers of charts stand apart."""
OUTLINE_HEIGHTS = (2.5, 150.0)
"""Points of the height of a letter in outlines; posters have large ones."""
RUNNING_WORDS = 5
"""Words, at least, in a line of running text; labels have fewer."""
RUNNING_LINES = 4
"""Lines of running text, at least, in a picture that is a page's text."""
RUNNING_SHARE = 0.7
"""Share of a picture's letters that stand in such lines, at least."""
LABEL_LEADING = 0.35
"""Heights of a line between two lines of one label, at most."""
TABLE_SHARE = 0.6
"""Share of a picture's lines that stand in a table, at least, when the picture is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReading:
    """A page's elements with what was read in their places, and the recognised words that its layer lacks."""

    elements: tuple[Element, ...]
    words: tuple[PageWord, ...]


# --- what to look at ----------------------------------------------------------------------------


def unread_regions(work: PageText, elements: Sequence[Element]) -> list[BoundingBox]:
    """Where pictures or outlines may carry text that the page's layer lacks, in points.

    Told from the parse alone, in well under a millisecond for most pages.
    """
    pictures = [
        element.boxes[0].box
        for element in elements
        if element.category == "Image" and _count_letters(work, element.boxes[0].box) < FEW_CHARACTERS
    ]
    whole = 0.0, 0.0, work.parsed.width, work.parsed.height
    if _has_sparse_background(work):
        return [*pictures, whole]
    rows = [row for row in _outlined_rows(work) if not any(holds(box, row[0]) for box in pictures)]
    outlined = union_box([box for box, _ in rows]) if sum(n for _, n in rows) >= OUTLINE_LETTERS else None
    if outlined is None or is_too_small(_grown(outlined, OUTLINE_HEIGHTS[1])):
        return pictures
    return [*pictures, outlined]


def _count_letters(work: PageText, box: BoundingBox) -> int:
    return sum(len(squeezed(word.text)) for word in work.at(work.words_in(box)))


def _has_sparse_background(work: PageText) -> bool:
    """Whether the page is drawn on a picture and has little text over it that is not the picture's own."""
    signals = work.parsed.complexity
    if signals is None or not signals.full_page_image or "invisible-text-layer" in signals.reasons:
        return False
    return signals.text_coverage < SPARSE_LAYER


def _outlined_rows(work: PageText) -> list[tuple[BoundingBox, int]]:
    """Rows of letters that are drawn as filled shapes with no words of the layer over them, and how many letters."""
    graphics = work.parsed.vector_graphics
    if graphics is None or len(graphics.shapes) < OUTLINE_LETTERS:
        return []
    rows = [(union_box(row), len(row)) for row in _runs(_letter_shapes(graphics)) if len(row) >= OUTLINE_ROW]
    return [(box, count) for box, count in rows if not work.words_in(box)]


def _letter_shapes(graphics: VectorGraphics) -> Iterator[BoundingBox]:
    least, most = OUTLINE_HEIGHTS
    for shape in graphics.shapes:
        x, y, width, height = shape.bbox
        if shape.fill and least <= height <= most and 0.05 * height <= width <= 1.8 * height:
            yield x, y, x + width, y + height


def _runs(shapes: Iterable[BoundingBox]) -> Iterator[list[BoundingBox]]:
    """Shapes that are drawn one after the other and stand so, to the right and on one line, but not all alike.

    Markers of a chart, ticks of an axis and squares of a pattern are of one size; letters are not.
    """
    run: list[BoundingBox] = []
    for box in shapes:
        if run and not _stands_next(run[-1], box):
            yield from _unlike(run)
            run = []
        run.append(box)
    yield from _unlike(run)


def _unlike(run: list[BoundingBox]) -> Iterator[list[BoundingBox]]:
    if len({(round(x1 - x0, 1), round(y1 - y0, 1)) for x0, y0, x1, y1 in run}) >= min(3, OUTLINE_ROW):
        yield run


def _stands_next(left: BoundingBox, right: BoundingBox) -> bool:
    high = max(left[3] - left[1], right[3] - right[1])
    shared = min(left[3], right[3]) - max(left[1], right[1])
    return -0.5 * high <= right[0] - left[2] <= high and shared >= 0.4 * min(left[3] - left[1], right[3] - right[1])


def _grown(box: BoundingBox, margin: float) -> BoundingBox:
    return box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin


# --- broken letters -----------------------------------------------------------------------------


_NO_LETTER = re.compile(r"\(cid:\d+\)|[\ufffd\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f\U000f0000-\U0010ffff]")
_MARK = re.compile(r"[!-/:-@\[-`{-~]")
_ACCENTED = re.compile(r"[\u00c0-\u00ff]")
_LONG_WORD = re.compile(r"[a-z\u00df-\u024f]{5,}")
_CONSONANT = re.compile(r"[b-df-hj-np-tv-xz]")
JUDGED = 40
"""Characters (or long words) without which nothing is said of a layer."""
LOST_SHARE = 0.3
"""Share of characters that stand for nothing, from which on a layer is broken."""
MARKS_SHARE, MARKS_KINDS, MARKS_MOST = 0.5, 15, 0.3
"""Share of ASCII marks, how many kinds, and the share of the commonest: dot leaders are one kind, code has fewer."""
ACCENTED_SHARE = 0.6
"""Share of accented letters, from which on they are another alphabet's; Vietnamese has a third."""
VOWEL_SHARE = 0.2
"""Share of vowels in long Latin words, below which the letters are mapped wrongly; languages have a third and more."""


def is_garbled(words: Sequence[PageWord]) -> bool:
    """Whether a text layer says nothing: private glyphs, ``(cid:7)``, letters mapped to others or to marks."""
    text = " ".join(word.text for word in words)
    size = len(text) - text.count(" ")
    if size < JUDGED:
        return False
    lost = sum(map(len, _NO_LETTER.findall(text)))
    return lost >= LOST_SHARE * size or _is_of_marks(text, size) or _is_of_accents(text, size) or _is_mute(text)


def _is_of_marks(text: str, size: int) -> bool:
    found = _MARK.findall(text)
    if len(found) < MARKS_SHARE * size:
        return False
    kinds = Counter(found)
    return len(kinds) >= MARKS_KINDS and max(kinds.values()) <= MARKS_MOST * len(found)


def _is_of_accents(text: str, size: int) -> bool:
    accented = len(_ACCENTED.findall(text))
    # Only where accents abound are the letters worth the counting.
    if accented < JUDGED or 4 * accented < size:
        return False
    return accented >= ACCENTED_SHARE * sum(ch.isalpha() for ch in text)


def _is_mute(text: str) -> bool:
    """Whether many long words, each counted once, hardly have a vowel; a letter with an accent is taken for one."""
    letters = "".join(found := set(_LONG_WORD.findall(text.lower())))
    return len(found) >= JUDGED and len(letters) - len(_CONSONANT.findall(letters)) < VOWEL_SHARE * len(letters)


# --- the look -----------------------------------------------------------------------------------


def read_scale(width: float, height: float) -> float:
    """Pixels a point at which a page of this size (points) is drawn for ``read_regions``."""
    return min(READ_SCALE, READ_SIDE / max(width, height, 1.0))


def read_regions(
    work: PageText, elements: Sequence[Element], regions: Sequence[BoundingBox], picture: Image, scale: float
) -> RegionReading:
    """The page's elements with the text that its picture, of ``scale`` pixels a point, shows in these regions.

    A table becomes a Table (with the crop of its Image), running text paragraphs and headings, and all else an Image
    with a line a label. Nothing is read twice: not what the layer has, and not a picture that stands there again.
    """
    out = list(elements)
    words: list[PageWord] = []
    seen: dict[str, list[OcrLine]] = {}
    for region in regions:
        known = [word.box for word in (*work.words, *words)]
        found = _region_lines(picture, scale, region, known, seen)
        image = next((e for e in out if e.category == "Image" and e.boxes[0].box == region), None)
        if image is None and sum(len(squeezed(line.text)) for line in found) < OUTLINE_LETTERS:
            continue
        words += [PageWord(text=word.text, box=word.box) for line in found for word in line.words]
        out = _with_region(work, out, region, image, found, _rules(picture, scale, region) if found else [])
    return RegionReading(elements=tuple(out), words=tuple(words))


def _region_lines(
    picture: Image, scale: float, region: BoundingBox, known: Sequence[BoundingBox], seen: dict[str, list[OcrLine]]
) -> list[OcrLine]:
    """The lines in a region, in points of the page; none where nothing looks like letters."""
    shown = crop(picture, region, scale=scale)
    inside = [(x0 - region[0], y0 - region[1], x1 - region[0], y1 - region[1]) for x0, y0, x1, y1 in known]
    if sum(count for _, count in letter_rows(shown, scale, inside)) < LEAST_LETTERS:
        return []
    hidden = _hidden(shown, scale, inside)
    key = sha256(hidden.tobytes()).hexdigest()
    if key not in seen:
        seen[key] = read_lines(hidden, scale=scale)
    return [moved(line, region[0], region[1]) for line in seen[key]]


def _hidden(shown: Image, scale: float, known: Sequence[BoundingBox]) -> Image:
    """The picture with the words that are known painted over in the colour beside them."""
    from PIL import ImageDraw

    out = shown.convert("RGB")
    out = out.copy() if out is shown else out
    pen = ImageDraw.Draw(out)
    for box in known:
        x0, y0, x1, y1 = (round(value * scale) for value in box)
        if x1 > 0 and y1 > 0 and x0 < out.width and y0 < out.height:
            pen.rectangle((x0, y0, x1, y1), fill=out.getpixel((max(0, x0), max(0, y0))))
    return out


def _rules(picture: Image, scale: float, region: BoundingBox) -> list[BoundingBox]:
    found = ruled_lines(crop(picture, region, scale=scale), scale)
    return [(x0 + region[0], y0 + region[1], x1 + region[0], y1 + region[1]) for x0, y0, x1, y1 in found]


def _with_region(
    work: PageText,
    elements: list[Element],
    region: BoundingBox,
    image: Element | None,
    found: Sequence[OcrLine],
    rules: Sequence[BoundingBox],
) -> list[Element]:
    """The elements with a region's lines as what they are, in the place of its ``image`` if it is one."""
    if not found:
        return [_looked_at(e) if e is image else e for e in elements]
    tables = find_tables(work.number, found, rules)
    held = {i for table in tables for i in table.lines}
    if len(held) >= TABLE_SHARE * len(found):
        made = [_with_crop_of(image, e) for e in line_elements(work, found, tables)]
    elif tables:
        labels = [line for i, line in enumerate(found) if i not in held]
        made = [_labelled(work, image, region, labels), *(table_element(work.number, t, found) for t in tables)]
    elif _is_running_text(found):
        # What shows text alone is text, as a scanned page is.
        made = line_elements(work, found, [])
    else:
        made = [_labelled(work, image, region, found)]
    place = elements.index(image) if image else place_of(union_box([line.box for line in found]), elements)
    rest = [e for e in elements if e is not image]
    return [*rest[:place], *made, *rest[place:]]


def _looked_at(image: Element) -> Element:
    """A picture without text of its own: what it has is the layer's, and certain."""
    return replace(image, confidence=1.0 if image.text else 0.0)


def _with_crop_of(image: Element | None, element: Element) -> Element:
    return replace(element, image_path=image.image_path) if image and element.category == "Table" else element


def _is_running_text(found: Sequence[OcrLine]) -> bool:
    running = [line for line in found if len(line.text.split()) >= RUNNING_WORDS]
    letters = sum(len(squeezed(line.text)) for line in found)
    return (
        len(running) >= RUNNING_LINES and sum(len(squeezed(line.text)) for line in running) >= RUNNING_SHARE * letters
    )


def _labelled(work: PageText, image: Element | None, region: BoundingBox, found: Sequence[OcrLine]) -> Element:
    """An Image with a line a label: what was recognised, and what the layer has in it, as they stand."""
    own = image or page_element(work.number, "Image", "", region)
    stored = work.at(work.words_in(region)) if own.text else []
    labels = list(_labels([*map(_as_line, lines(stored)), *found]))
    text = "\n".join(label.text for row in text_rows(labels) for label in row)
    return replace(own, text=text, confidence=mean_confidence(found))


def _labels(found: Sequence[OcrLine]) -> Iterator[OcrLine]:
    """Lines as labels: a line that goes on in small letters, close below in one size and alignment, is part of one.

    A label has the box of its first line, by which it takes its place among those beside it.
    """
    open_labels: list[list[OcrLine]] = []
    for line in sorted(found, key=lambda one: one.box[1]):
        above = next((label for label in open_labels if _runs_on(label[-1], line)), None)
        if above:
            above.append(line)
        else:
            open_labels.append([line])
    for label in open_labels:
        text = ""
        for line in label:
            text = join_texts(text, line.text)
        yield replace(label[0], text=text)


def _runs_on(above: OcrLine, below: OcrLine) -> bool:
    a, b = above.box, below.box
    high, low = max(a[3] - a[1], b[3] - b[1]), min(a[3] - a[1], b[3] - b[1])
    apart = min(abs(a[0] - b[0]), abs(a[2] - b[2]), abs(a[0] + a[2] - b[0] - b[2]) / 2)
    goes_on = below.text[:1].islower() or below.text[:1] == "("
    return goes_on and -low / 2 < b[1] - a[3] <= LABEL_LEADING * low and high < 1.5 * low and apart <= low / 2


def _as_line(words: Sequence[PageWord]) -> OcrLine:
    return OcrLine(text=label_lines(words), box=union_box([word.box for word in words]), confidence=1.0, words=())


# --- lines as elements --------------------------------------------------------------------------


def line_elements(work: PageText, found: Sequence[OcrLine], tables: Sequence[DrawnTable]) -> list[Element]:
    """Recognised lines as elements in reading order: the tables among them, the rest in the blocks that it makes.

    The lines are typeset where they stand on a page of the same size, so that they go through the same block finding
    as all other pages.
    """
    held = {i for table in tables for i in table.lines}
    rest = [line for i, line in enumerate(found) if i not in held]
    sheet = parse_sheet(typeset(rest, work.parsed.width, work.parsed.height))
    sheet.page_num = work.number
    words = [PageWord(text=word.text, box=word.box) for line in rest for word in line.words]
    page = PageText(sheet, words)
    made = [_body(e) for e in page_headings(page, page_elements(page, []))] if rest else []
    out = [replace(e, confidence=mean_confidence(rest)) for e in made]
    for table in tables:
        out.insert(place_of(table.box, out), table_element(work.number, table, found))
    return out


def table_element(page: int, table: DrawnTable, found: Sequence[OcrLine]) -> Element:
    """A recognised table as an element; ``found`` are the lines of its region."""
    made = page_element(page, "Table", table_text(table.cells), table.box)
    sure = mean_confidence([found[i] for i in table.lines])
    return replace(made, cells=table.cells, text_as_html=cells_to_html(table.cells), confidence=sure)


def _body(element: Element) -> Element:
    """An element that is in no page's margin: what stands at the edge of a region is part of it."""
    return replace(element, category="NarrativeText") if element.category in ("Header", "Footer") else element
