"""PowerPoint slides: each slide is a page, and what stands on it has the box of its shape.

unstructured's reader of slides passes over charts, diagrams and pictures, forgets merged cells and positions, and
takes bullets that a layout gives for headings. So the shapes are walked here with python-pptx; unstructured's rule
for titles judges the slides that have no title of their own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.images import MARKED, PLAIN, SMALL, is_plain_png, is_too_small
from ingest.partition import PartitionOptions
from ingest.partition.archives import check_archive, office_package
from ingest.partition.bridge import offline_unstructured, picture_png, vendor_errors
from ingest.partition.captions import opens_like_caption, wanted_by
from ingest.partition.drawingml import chart_cells, chart_title, diagram_items, line, table_cells
from ingest.partition.headings import nest_under_headings
from ingest.partition.slide_places import Frame, clipped, described, points, walk
from ingest.tables import cells_to_html, table_text
from ingest.types import BoundingBox, Cell, Element, Page, PageBox, Partition, Source, stable_id

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]
    from pptx.opc.package import Part
    from pptx.shapes.base import BaseShape
    from pptx.slide import Slide

TITLE_BAND = 1 / 3
"""Share of a slide's height, from its top, in which a slide without a title placeholder has its title."""
CAPTION_GAP = 1 / 10
"""Share of a slide's height that may lie between a caption and what it names."""
MAX_LEVEL = 8

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DECORATIVE = "{http://schemas.microsoft.com/office/drawing/2017/decorative}decorative"
_FURNITURE = {"ftr": "Footer", "dt": "Footer", "sldNum": "PageNumber", "hdr": "Header"}
_GUESSED_ALT = re.compile(
    r"\s*(?:Description automatically generated|AI-generated content may be incorrect\.?).*", re.S
)
_FILE_NAME = re.compile(r"[^\n]{1,200}\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf|webp)", re.IGNORECASE)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a presentation's slides.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, damaged, no presentation, or unpacks to more than it should.
    """
    check_archive(source.path, "pptx")
    with vendor_errors("pptx"), _pptx_errors():
        from pptx import Presentation

        deck = Presentation(office_package(source.path))
        size = (points(deck.slide_width), points(deck.slide_height))
        reading = _Reading(size=size, pictures=options.images != "off")
        read = [(n, s) for n, s in enumerate(deck.slides, 1) if options.pages is None or n in options.pages]
    found = [element for number, slide in read for element in _read_slide(slide, number, reading)]
    if read and len(reading.unread) == len(read):
        raise reading.unread[0]
    return Partition(
        elements=tuple(_identified(source.id, found)),
        pages=tuple(Page(page=number, width=size[0], height=size[1]) for number, _ in read),
        images=reading.images,
        warnings=tuple(dict.fromkeys(reading.warnings)),
        left_out=dict(reading.left_out),
    )


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What holds for all slides of a deck (sizes in points), and the pictures found on them.

    ``stored`` has the key of each picture in ``images`` by its name in the archive: ``None`` if it cannot be read,
    empty if it shows nothing. ``unread`` has the errors of the slides that could not be read.
    """

    size: tuple[float, float]
    pictures: bool
    images: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, str | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    unread: list[BrokenError] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def _identified(source_id: str, found: Sequence[Element]) -> Iterator[Element]:
    """The elements with their ids and parents; a caption belongs to the table or picture before it."""
    ids = [stable_id(source_id, i, e.category, e.text) for i, e in enumerate(found)]
    owner: str | None = None
    made: list[Element] = []
    for element_id, element in zip(ids, found, strict=True):
        is_caption = element.category == "FigureCaption"
        owner = owner if is_caption else element_id
        made.append(replace(element, element_id=element_id, parent_id=owner if is_caption else None))
    yield from nest_under_headings(made)


# The file.


@contextmanager
def _pptx_errors() -> Iterator[None]:
    from pptx.exc import PythonPptxError

    try:
        yield
    except PythonPptxError as exc:
        raise BrokenError(f"broken pptx: {exc}") from exc


# A slide.


def _read_slide(slide: Slide, number: int, reading: _Reading) -> list[Element]:
    """A slide's elements; none if it is damaged, which the others need not suffer for."""
    try:
        with vendor_errors("pptx"), _pptx_errors():
            return _slide_elements(slide, number, reading)
    except BrokenError as exc:
        reading.unread.append(exc)
        reading.warnings.append(f"slide {number}: could not be read")
        return []


def _slide_elements(slide: Slide, number: int, reading: _Reading) -> list[Element]:
    """A slide's title, then the rest in the order in which screen readers read it, then the notes."""
    _choose_alternatives(slide.element)
    title = slide.shapes.title
    placed = [(shape, box) for shape, box in walk(slide.shapes, Frame()) if shape != title]
    if title is not None:
        placed.insert(0, (title, Frame().box(title)))
    found: list[Element] = []
    for shape, whole in placed:
        box = clipped(whole, reading.size)
        boxes = (PageBox(page=number, box=box),) if box else ()
        found += [replace(e, page_number=number, boxes=boxes) for e in _shape_elements(shape, box, number, reading)]
    found = _with_captions(_joined_title(found), reading.size[1] * CAPTION_GAP)
    return [*_with_title(found, number, reading.size[1]), *_notes(slide, number)]


def _choose_alternatives(root: _Element) -> None:
    """Put what a current program shows in the place of each choice that the file offers to older ones."""
    for node in list(root.iter(f"{_MC}AlternateContent")):
        choice, fallback = node.find(f"{_MC}Choice"), node.find(f"{_MC}Fallback")
        # Embedded objects have their picture in the fallback to VML.
        is_vml = choice is not None and choice.get("Requires") == "v" and fallback is not None
        kept = fallback if is_vml or choice is None else choice
        for child in list(kept) if kept is not None else ():
            node.addprevious(child)
        node.getparent().remove(node)


def _joined_title(found: Sequence[Element]) -> list[Element]:
    """The elements with a title of several lines as one."""
    lines = [e for e in found if e.category == "Title"]
    others = [e for e in found if e.category != "Title"]
    return [replace(lines[0], text=" ".join(e.text for e in lines)), *others] if lines else others


def _with_captions(found: Sequence[Element], gap: float) -> list[Element]:
    """The elements with each line that is a caption by its words after the table or picture that it stands by."""
    owners = {id(e): owner for e in found if (owner := _caption_owner(e, found, gap)) is not None}
    out: list[Element] = []
    for element in found:
        if id(element) in owners:
            continue
        captions = [e for e in found if owners.get(id(e)) is element]
        out += [element, *(replace(e, category="FigureCaption", category_depth=None) for e in captions)]
    return out


def _caption_owner(line: Element, found: Iterable[Element], gap: float) -> Element | None:
    if line.category != "NarrativeText" or not line.boxes or not opens_like_caption(line.text):
        return None
    box = line.boxes[0].box
    near = [
        (abs(_distance(e.boxes[0].box, box)), i, e)
        for i, e in enumerate(found)
        if e.category in wanted_by(line.text) and e.boxes and _distance(e.boxes[0].box, box) <= gap
    ]
    return min(near, key=lambda entry: entry[:2])[2] if near else None


def _distance(first: BoundingBox, second: BoundingBox) -> float:
    """Points between two boxes one above the other; without end if neither is."""
    if first[2] <= second[0] or second[2] <= first[0]:
        return math.inf
    return max(second[1] - first[3], first[1] - second[3], 0.0)


def _with_title(found: list[Element], number: int, height: float) -> list[Element]:
    """The elements under a title: the slide's own, a line at its top that looks it, or else the slide's number.

    What stands on a slide must not be taken for a part of the slide before it.
    """
    content = [e for e in found if e.category not in _FURNITURE.values()]
    if not content or content[0].category == "Title":
        return found
    guess = _title_guess(content, height)
    if guess is None:
        return [_element("Title", f"Slide {number}", page_number=number), *found]
    return [replace(guess, category="Title", category_depth=0), *(e for e in found if e is not guess)]


def _title_guess(content: Iterable[Element], height: float) -> Element | None:
    texts = [e for e in content if e.category == "NarrativeText" and e.boxes]
    top = min(texts, key=lambda e: e.boxes[0].box[1], default=None)
    if top is None or top.boxes[0].box[1] > height * TITLE_BAND or sum(e.boxes == top.boxes for e in texts) > 1:
        return None
    offline_unstructured()
    from unstructured.partition.text_type import is_possible_title

    is_sentence = top.text.endswith((".", ";", ",", ":"))
    return top if not is_sentence and is_possible_title(top.text, languages=[""]) else None


def _notes(slide: Slide, number: int) -> list[Element]:
    """The speaker's notes, which have no place on the slide."""
    frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    lines = [] if frame is None else [line(p) for p in frame._txBody.iter(f"{_A}p")]  # noqa: SLF001
    return [_element("NarrativeText", text, page_number=number) for text in lines if text]


def _element(category: str, text: str, *, depth: int | None = None, page_number: int | None = None) -> Element:
    depth = 0 if category == "Title" else depth
    return Element(element_id="", category=category, text=text, category_depth=depth, page_number=page_number)


# What shapes hold.


def _shape_elements(shape: BaseShape, box: BoundingBox | None, number: int, reading: _Reading) -> Iterator[Element]:
    from pptx.shapes.graphfrm import GraphicFrame

    if not isinstance(shape, GraphicFrame):
        yield from _text_elements(shape)
    elif shape.has_table:
        yield from _table_elements(shape, box, number)
        return
    elif shape.has_chart:
        yield from _chart_elements(shape)
        return
    else:
        yield from _diagram_elements(shape)
        if "chartex" in shape.element.graphicData_uri:
            reading.warnings.append(f"slide {number}: a chart of a type that is not read")
    if reading.pictures:
        yield from _picture_elements(shape, box, number, reading)


def _text_elements(shape: BaseShape) -> Iterator[Element]:
    """An element for each paragraph of a shape with text."""
    body = shape.element.find(f"{_P}txBody")
    kind = _placeholder_kind(shape)
    styles = _list_styles(shape) if body is not None else []
    for paragraph in body.iterchildren(f"{_A}p") if body is not None else ():
        text, level = line(paragraph), _level(paragraph)
        if not text:
            continue
        if kind in ("title", "ctrTitle"):
            yield _element("Title", text)
        elif kind in _FURNITURE:
            yield _element(_FURNITURE[kind], text)
        elif _has_bullet(paragraph, level, styles):
            yield _element("ListItem", text, depth=level)
        else:
            yield _element("NarrativeText", text)


def _placeholder_kind(shape: BaseShape) -> str:
    """The type of placeholder that a shape is: ``title``, ``body``, ``ftr``...; empty for none."""
    node = next(shape.element.iter(f"{_P}ph"), None)
    return "" if node is None else str(node.get("type", "obj"))


def _level(paragraph: _Element) -> int:
    form = paragraph.find(f"{_A}pPr")
    return min(int("0" if form is None else form.get("lvl", "0")), MAX_LEVEL)


def _list_styles(shape: BaseShape) -> list[_Element]:
    """The nodes that style the paragraphs of a shape by level: its own, its placeholder's, the master's."""
    owners = [shape]
    while len(owners) < 4 and (base := getattr(owners[-1], "_base_placeholder", None)) is not None:
        owners.append(base)
    found = [owner.element.find(f"{_P}txBody/{_A}lstStyle") for owner in owners]
    if shape.is_placeholder:
        master = shape.part.slide_layout.slide_master  # type: ignore[attr-defined]
        found.append(master.element.find(f"{_P}txStyles/{_P}bodyStyle"))
    return [style for style in found if style is not None]


def _has_bullet(paragraph: _Element, level: int, styles: Iterable[_Element]) -> bool:
    """Whether a paragraph has a bullet or number, by itself or else by the nearest style that says so."""
    inherited = (style.find(f"{_A}lvl{level + 1}pPr") for style in styles)
    for form in chain([paragraph.find(f"{_A}pPr")], inherited):
        marks = [] if form is None else [child.tag for child in form.iterchildren(*_NO_BULLET, *_BULLETS)]
        if marks:
            return marks[0] in _BULLETS
    return False


_NO_BULLET = (f"{_A}buNone",)
_BULLETS = (f"{_A}buChar", f"{_A}buAutoNum", f"{_A}buBlip")


def _table_elements(shape: BaseShape, box: BoundingBox | None, number: int) -> Iterator[Element]:
    cells = table_cells(next(shape.element.iter(f"{_A}tbl")), number, box)
    if any(cell.text for cell in cells):
        yield _table(cells)
        yield from _captions(shape)


def _chart_elements(shape: BaseShape) -> Iterator[Element]:
    space = shape.chart.element  # type: ignore[attr-defined]
    cells, title = chart_cells(space), chart_title(space)
    if cells:
        yield _table(cells)
        yield from _captions(shape, title)
    elif title:
        yield _element("NarrativeText", title)


def _table(cells: tuple[Cell, ...]) -> Element:
    return replace(_element("Table", table_text(cells)), text_as_html=cells_to_html(cells), cells=cells)


def _captions(shape: BaseShape, title: str = "") -> Iterator[Element]:
    for text in dict.fromkeys((title, _alternative_text(shape))):
        if text:
            yield _element("FigureCaption", text)


def _diagram_elements(shape: BaseShape) -> Iterator[Element]:
    """The texts of a diagram (SmartArt) as a list, nested as in its text pane."""
    link = next(shape.element.iter(f"{_DGM}relIds"), None)
    part = link is not None and shape.part.rels.get(link.get(f"{_R}dm", ""))
    if part and not part.is_external:
        from pptx.oxml import parse_xml

        for depth, text in diagram_items(parse_xml(part.target_part.blob)):
            yield _element("ListItem", text, depth=min(depth, MAX_LEVEL))


# Pictures.


def _picture_elements(shape: BaseShape, box: BoundingBox | None, number: int, reading: _Reading) -> Iterator[Element]:
    """An element for each picture that a shape is or is filled with, but for decoration."""
    parts = list(_picture_parts(shape))
    if (box and is_too_small(box)) or _is_decorative(shape):
        reading.left_out.update([MARKED if _is_decorative(shape) else SMALL] * len(parts))
        return
    alt = _alternative_text(shape)
    for part in parts:
        key = _stored(part, reading)
        if key is None:
            reading.warnings.append(f"slide {number}: a picture of a type that is not read, or too large")
        if key or (key is None and alt):
            yield replace(_element("Image", alt), image_path=key)
        elif key == "":
            reading.left_out[PLAIN] += 1


def _picture_parts(shape: BaseShape) -> Iterator[Part]:
    """The stored pictures that a shape is or is filled with; bullets may be pictures too, and are none of them."""
    for picture in shape.element.iter(f"{_A}blip"):
        rel = shape.part.rels.get(picture.get(f"{_R}embed", ""))
        if rel is not None and not rel.is_external and picture.getparent().tag.endswith("}blipFill"):
            yield rel.target_part


def _stored(part: Part, reading: _Reading) -> str | None:
    """The key of a picture, kept at its first use: decks show one picture on many slides."""
    name = str(part.partname)
    if name not in reading.stored:
        made = picture_png(part.blob)
        key = None if made is None else "" if is_plain_png(made[1]) else made[0]
        reading.stored[name] = key
        if made and key:
            reading.images[key] = made[1]
    return reading.stored[name]


def _is_decorative(shape: BaseShape) -> bool:
    return any(mark.get("val") in ("1", "true") for mark in described(shape).iter(_DECORATIVE))


def _alternative_text(shape: BaseShape) -> str:
    """What the author says that a shape shows; a file name and the note of a guessing program say nothing."""
    node = described(shape)
    text = " ".join(_GUESSED_ALT.sub("", node.get("descr") or node.get("title") or "").split())
    return "" if _FILE_NAME.fullmatch(text) else text
