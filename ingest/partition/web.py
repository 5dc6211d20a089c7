"""HTML, through unstructured: the main content alone, with whole tables, pictures and captions.

Tables and pictures are taken out before unstructured reads the page and put back at their places after, because
it flattens spans and drops figures. Nothing that a page refers to is ever fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.images import SMALL, WORDLESS
from ingest.partition import PartitionOptions
from ingest.partition.bridge import offline_unstructured, picture_png, to_elements, vendor_errors
from ingest.partition.encoding import declared_charset, decode
from ingest.partition.svg import drawing_lines, svg_lines
from ingest.partition.web_main import HEADINGS, drop_nodes, holds_prose, main_content
from ingest.tables import block_text, element_to_cells
from ingest.types import Cell, Partition, Source

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]
    from unstructured.documents.elements import Element as UnstructuredElement

COLUMN_BLOCKS = 4
"""Paragraphs, headings, lists and tables in one cell that tell a column of a page from a cell of a table."""
BLANK_BYTES = 72
"""Bytes that a picture of one pixel, as pages use it for a blank, needs at most."""

_SEAT = "pincite:"
_NEVER = (
    *("script", "style", "noscript", "template", "iframe", "object", "embed", "canvas", "audio", "video"),
    *("head", "del", "select", "textarea", "datalist"),
)
_BRACKETED = re.compile(r"\[[^\[\]]{1,30}\]")
_CONTROLS = ("button", "input")
_AS_DIV = ("main", "form", "figure", "figcaption", "details", "dialog", "fieldset", "summary", "legend")
"""Tags that unstructured drops with all they hold, or takes for the main part: they become plain blocks."""
_INLINE = frozenset(
    {"a", "abbr", "b", "cite", "code", "em", "font", "i", "mark", "picture", "s", "small", "span", "strong", "sub"}
    | {"sup", "u", "p", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DATA_DRAWING = re.compile(r"\s*data:image/svg\+xml", re.IGNORECASE)
_DATA_PICTURE = re.compile(r"\s*data:image/[\w.+-]+((?:;[\w=.+-]+)*),", re.IGNORECASE)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read an HTML file.

    Raises:
        BrokenError: the file is empty or holds binary data.
    """
    content = source.path.read_bytes()
    return partition_markup(decode(content, declared_charset(content)), source, options, is_page=True)


def partition_markup(markup: str, source: Source, options: PartitionOptions, *, is_page: bool = False) -> Partition:
    """The elements of HTML text; Markdown and mail come here too. Of a web page (``is_page``) the main part alone."""
    # Before any import of unstructured, which would report home.
    offline_unstructured()
    with vendor_errors("HTML"):
        seats = _Seats(pictures=options.images != "off")
        body = _parse(markup, seats)
        if body is None:
            return Partition(elements=(), warnings=tuple(seats.warnings))
        _flatten_layout(body)
        main = main_content(body) if is_page else body
        drop_nodes(list(_marks(main)))
        _show_openers(main)
        drop_nodes(node for tag in _CONTROLS for node in list(main.iter(tag)))
        _take_out(main, seats)
        found = [e for part in _classify(main) for e in seats.put_back(part)]
    elements = to_elements(found, source.id, seats.cells)
    return Partition(
        elements=elements, images=seats.images, warnings=tuple(dict.fromkeys(seats.warnings)), left_out=seats.left_out
    )


# The page.


def _parse(markup: str, seats: _Seats) -> HtmlElement | None:
    """The body of a page, without comments and what is never shown; ``None`` if there is none."""
    from lxml import etree, html  # type: ignore[import-untyped]

    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        seats.warnings.append("a part of the page was not read: elements nested too deeply, or one text too long")
    body = None if root is None else root.find("body")
    if body is None:
        return None
    drop_nodes(node for tag in _NEVER for node in list(body.iter(tag)))
    drop_nodes([node for node in body.iterdescendants() if _is_hidden(node)])
    _name_drawings(body, seats)
    return body


def _marks(main: HtmlElement) -> Iterator[HtmlElement]:
    """Signs to click on that say nothing: a link to a place of the page such as "¶" or "^", "[edit]" in a heading."""
    for link in main.iter("a"):
        said = "".join(link.itertext()).strip()
        if said and link.get("href", "").startswith("#") and not any(c.isalnum() for c in said):
            yield link
    for heading in main.iter(*HEADINGS):
        spans = (span for span in heading.iter("span") if span.find(".//a") is not None)
        yield from (span for span in spans if _BRACKETED.fullmatch("".join(span.itertext()).strip()))


def _show_openers(main: HtmlElement) -> None:
    """Make text of the buttons that open the text below them: they say what it is about, as a question its answer."""
    for button in list(main.iter("button")):
        if button.get("aria-expanded") is None and button.get("aria-controls") is None:
            continue
        below = next((n for n in (button, button.getparent()) if n.getnext() is not None), button).getnext()
        if below is not None and below.tag != "button" and holds_prose(below):
            is_heading = button.getparent().tag in HEADINGS
            button.tag = "span" if is_heading else "div"


def _is_hidden(node: HtmlElement) -> bool:
    return node.get("hidden") is not None or _HIDDEN.search(node.get("style", "")) is not None


def _name_drawings(body: HtmlElement, seats: _Seats) -> None:
    """Put a picture in the place of each drawing, with its words as what it shows; one without words is an icon."""
    for drawing in [node for node in body.iter("svg") if next(node.iterancestors("svg"), None) is None]:
        words = "\n".join(drawing_lines(drawing)) if _is_drawing(drawing) else ""
        seats.left_out.update([WORDLESS] if not words else [])
        if words and drawing.getparent() is not None:
            drawing.addprevious(drawing.makeelement("img", {"alt": words}))
        drawing.drop_tree()


def _is_drawing(root: HtmlElement) -> bool:
    """Whether a drawing has words in it, or a description; icons have a title at most."""
    return root.get("aria-hidden") != "true" and next(root.iter("text", "desc", "foreignobject"), None) is not None


# Tables and pictures.


@dataclass(slots=True)
class _Seats:
    """What was taken out of a page; the page keeps a numbered picture at each place."""

    pictures: bool
    images: dict[str, bytes] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    cells: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    taken: list[list[UnstructuredElement]] = field(default_factory=list)

    def take(self, node: HtmlElement, elements: list[UnstructuredElement]) -> None:
        """Replace a node by a seat for these elements; one inside a line of text gets its seat after the line."""
        anchor = node
        while (parent := anchor.getparent()) is not None and parent.tag in _INLINE:
            anchor = parent
        if parent is not None and elements:
            seat = node.makeelement("img", {"src": f"{_SEAT}{len(self.taken)}"})
            self.taken.append(elements)
            seat.tail, anchor.tail = anchor.tail, None
            parent.insert(parent.index(anchor) + 1, seat)
        node.drop_tree()

    def put_back(self, found: UnstructuredElement) -> list[UnstructuredElement]:
        """The elements whose seat was found, or what else was found."""
        url = found.metadata.image_url or ""
        if found.category == "Image" and url.startswith(_SEAT):
            return self.taken[int(url.removeprefix(_SEAT))]
        if found.category == "ListItem" and found.metadata.category_depth:
            # It counts the lists around an item from 1.
            found.metadata.category_depth -= 1
        return [found]


def _take_out(main: HtmlElement, seats: _Seats) -> None:
    captions = _captions(main, seats)
    # Backwards, so that the seats of two pictures in one line keep their order.
    for table in reversed(_data_tables(main)):
        seats.take(table, _table_elements(table, captions.get(table, []), seats))
    for picture in reversed(list(main.iter("img"))):
        if not picture.get("src", "").startswith(_SEAT):
            seats.take(picture, _picture_elements(picture, captions.get(picture, []), seats))
    for node in list(main.iter(*_AS_DIV, "label")):
        node.tag = "span" if node.tag == "label" else "div"


def _captions(main: HtmlElement, seats: _Seats) -> dict[HtmlElement, list[str]]:
    """The texts of figure captions by the table or picture that they belong to; those of neither get a seat."""
    captions: dict[HtmlElement, list[str]] = {}
    for caption in reversed(list(main.iter("figcaption"))):
        figure = next(caption.iterancestors("figure"), None)
        shown = [] if figure is None else list(figure.iter("img", "table"))
        owner = next((node for node in shown if node not in captions), shown[0] if shown else None)
        text = block_text(caption).replace("\n", " ")
        if owner is None:
            seats.take(caption, [_caption(text, None)] if text else [])
        else:
            captions.setdefault(owner, []).append(text)
            caption.drop_tree()
    return captions


def _data_tables(main: HtmlElement) -> list[HtmlElement]:
    """The outermost tables, all of which hold data once the others were flattened."""
    return [table for table in main.iter("table") if next(table.iterancestors("table"), None) is None]


def _flatten_layout(body: HtmlElement) -> None:
    """Make plain blocks of the tables that only lay out the page."""
    for table in list(body.iter("table")):
        if _is_layout(table):
            for node in [table, *_parts(table)]:
                node.tag = "div"


def _is_layout(table: HtmlElement) -> bool:
    if table.get("role") in ("presentation", "none"):
        return True
    parts = _parts(table)
    cells = [node for node in parts if node.tag in ("td", "th")]
    if len(cells) < 2:
        return True
    if any(node.tag in ("th", "caption", "thead") for node in parts):
        return False
    return any(_is_column(cell) for cell in cells)


def _is_column(cell: HtmlElement) -> bool:
    """Whether a cell holds what stands in a column of a page and not in a row of a table."""
    if cell.find(".//h1") is not None or cell.find(".//h2") is not None:
        return True
    return sum(1 for _ in cell.iter("p", "h3", "h4", "ul", "table")) >= COLUMN_BLOCKS


def _parts(table: HtmlElement) -> list[HtmlElement]:
    """The rows, cells and the like of a table, without those of tables in it."""
    tags = ("caption", "colgroup", "thead", "tbody", "tfoot", "tr", "td", "th")
    return [node for node in table.iter(*tags) if next(node.iterancestors("table")) is table]


def _table_elements(table: HtmlElement, captions: Sequence[str], seats: _Seats) -> list[UnstructuredElement]:
    from unstructured.documents.elements import ElementMetadata, Table

    cells = element_to_cells(table)
    made = Table("", metadata=ElementMetadata())
    seats.cells[made.id] = cells
    own = [block_text(node).replace("\n", " ") for node in table.findall("caption")]
    above = [_caption(text, made) for text in (*own, *captions) if text]
    shown = [made] if any(cell.text for cell in cells) else []
    pictures = [
        p
        for node in table.iter("img")
        if _DATA_PICTURE.match(node.get("src", ""))
        for p in _picture_elements(node, (), seats)
    ]
    return [*above, *shown, *pictures]


def _picture_elements(node: HtmlElement, captions: Sequence[str], seats: _Seats) -> list[UnstructuredElement]:
    from unstructured.documents.elements import ElementMetadata, Image

    if not seats.pictures:
        return [_caption(text, None) for text in captions if text]
    address = node.get("src", "")
    is_drawn = _DATA_DRAWING.match(address) is not None
    key = None if is_drawn else _stored(address, seats)
    alt = " ".join(node.get("alt", "").split())
    if is_drawn:
        alt = " ".join(dict.fromkeys([*filter(None, [alt]), *_drawing_words(address, seats)]))
    if not (key or alt or any(captions)):
        return []
    made = Image(alt, metadata=ElementMetadata(image_path=key))
    return [made, *(_caption(text, made) for text in captions if text)]


def _stored(address: str, seats: _Seats) -> str | None:
    """The key of a picture that stands in the page itself; addresses of others are not followed."""
    content = _data(address)
    if content is None:
        return None
    if len(content) <= BLANK_BYTES:
        seats.left_out[SMALL] += 1
        return None
    stored = picture_png(content)
    if stored is None:
        seats.warnings.append("a picture in the page could not be read")
        return None
    seats.images[stored[0]] = stored[1]
    return stored[0]


def _data(address: str) -> bytes | None:
    """The bytes of a picture that an address holds; ``None`` for an address of another place."""
    found = _DATA_PICTURE.match(address)
    if found is None:
        return None
    raw = urllib.parse.unquote_to_bytes(address[found.end() :])
    try:
        return base64.b64decode(raw) if ";base64" in found[1].lower() else raw
    except binascii.Error:
        return b""


def _drawing_words(address: str, seats: _Seats) -> list[str]:
    """The words of a drawing that an address holds; it is not drawn, and nothing in it is run or fetched."""
    lines = svg_lines(_data(address) or b"")
    if lines is None:
        seats.warnings.append("a picture in the page could not be read")
    elif not lines:
        seats.left_out[WORDLESS] += 1
    return lines or []


def _caption(text: str, owner: UnstructuredElement | None) -> UnstructuredElement:
    from unstructured.documents.elements import ElementMetadata, FigureCaption

    return FigureCaption(text, metadata=ElementMetadata(parent_id=None if owner is None else owner.id))


def _classify(main: HtmlElement) -> Iterator[UnstructuredElement]:
    """The elements that unstructured finds in what is left."""
    from lxml import etree
    from unstructured.partition.html import partition_html

    main.tag, main.tail = "body", None
    text = etree.tostring(main, method="html", encoding="unicode")
    yield from partition_html(text=text, languages=[""])
