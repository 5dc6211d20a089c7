"""OpenDocument texts and presentations (ODF 1.3, part 3), read from the XML in their archive.

The markup says what unstructured would have to guess: heading levels, lists, spans, notes, captions. Its own reader
needs pandoc, which loses spans and pictures.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.archives import ENCRYPTED, member_name, opened, safe_xml
from ingest.partition.bridge import picture_png, vendor_errors
from ingest.partition.equations import mathml_text
from ingest.partition.flow import Block, Slot, flow_elements, place_slots
from ingest.partition.header_rows import first_row_heads, with_header_rows
from ingest.partition.opendocument_markup import (
    CHART,
    DRAW,
    MATH,
    OFFICE,
    PRESENTATION,
    SILENT,
    STYLE,
    TABLE,
    TEXT,
    XLINK,
    alternative_text,
    anchored_in,
    count_of,
    is_anchored_first,
    is_drawn,
    paragraph_text,
)
from ingest.partition.opendocument_styles import Styles, page_size
from ingest.tables import MAX_COLUMNS, MAX_ROWSPAN
from ingest.types import Cell, Page, Partition, Source

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_REPEATS = 1000
"""Times that a filled cell or row is repeated at most; empty ones fill the rest of a sheet."""
MAX_NESTING = 60
"""Levels of blocks inside of blocks that are followed."""

_CAPTIONS = frozenset({"caption", "illustration", "figure", "drawing"})


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read an OpenDocument text or presentation.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, damaged, no such document, or unpacks to more than it should.
    """
    with vendor_errors("OpenDocument file"), _members(source.path) as members:
        if b"encryption-data" in members.get("META-INF/manifest.xml", b""):
            raise EncryptedError(ENCRYPTED)
        if "content.xml" not in members:
            raise BrokenError("broken OpenDocument file: it has no content")
        content = safe_xml(members["content.xml"])
        styles = safe_xml(members["styles.xml"]) if "styles.xml" in members else content
        reading = _Reading(members=members, styles=Styles([styles, content]), pictures=options.images != "off")
        body = next(content.iter(f"{OFFICE}body"))
        slides = list(body.iterfind(f"{OFFICE}presentation/{DRAW}page"))
        blocks = list(_deck(slides, reading, options)) if slides else _text(body, styles, reading)
    width, height = page_size(styles)
    return Partition(
        elements=flow_elements(blocks, source.id),
        pages=tuple(Page(page=n, width=width, height=height) for n in _numbers(slides, options)),
        images=reading.images,
        warnings=tuple(dict.fromkeys(reading.warnings)),
    )


@contextmanager
def _members(path: Path) -> Iterator[Mapping[str, bytes]]:
    """The members of an archive; of a flat file (.fodt, .fodp), which is one XML document, that as the content."""
    with path.open("rb") as file:
        is_archive = file.read(4) in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    if is_archive:
        with opened(path, "OpenDocument file") as members:
            yield members
    else:
        yield {"content.xml": path.read_bytes()}


# Blocks.


@dataclass(slots=True, kw_only=True)
class _Reading:
    """A document that is being read, and the pictures found in it."""

    members: Mapping[str, bytes]
    styles: Styles
    pictures: bool
    images: dict[str, bytes] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def labels(self, node: _Element, depth: int) -> Callable[[_Element], str]:
        """What gives the number of each item of a list; of one with bullets, nothing."""
        form = self.styles.numbering(_list_style(node), depth)
        if form is None:
            return lambda _: ""
        follows = node.get(f"{TEXT}continue-numbering") == "true" or node.get(f"{TEXT}continue-list")
        key = f"{_list_style(node)};{depth}"
        start = _digits(form.get(f"{TEXT}start-value"), 1)
        self.counted[key] = self.counted.get(key, start - 1) if follows else start - 1

        def label(item: _Element) -> str:
            self.counted[key] = _digits(item.get(f"{TEXT}start-value"), self.counted[key] + 1)
            around = form.get(f"{STYLE}num-prefix", ""), form.get(f"{STYLE}num-suffix", "")
            return f"{around[0]}{self.counted[key]}{around[1]}"

        return label


def _digits(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else default


def _list_style(node: _Element) -> str:
    """The style of a list, which inner lists inherit."""
    around = (node, *node.iterancestors(f"{TEXT}list"))
    return next((name for n in around if (name := n.get(f"{TEXT}style-name"))), "")


def _text(body: _Element, styles: _Element, reading: _Reading) -> list[Block]:
    root = next(iter(body), None)
    blocks = [] if root is None else list(_blocks(root, reading, 0, 0))
    edges = [(kind, [*_edge(styles, kind)]) for kind in ("header", "footer")]
    header, footer = ([Block(category=kind.title(), text=t) for t in dict.fromkeys(texts)] for kind, texts in edges)
    return [*header, *blocks, *footer]


def _edge(styles: _Element, kind: str) -> Iterator[str]:
    """The text of each header or footer of the pages."""
    for node in styles.iter(f"{STYLE}{kind}", f"{STYLE}{kind}-first", f"{STYLE}{kind}-left"):
        text = " ".join(filter(None, (paragraph_text(p) for p in node.iter(f"{TEXT}p", f"{TEXT}h"))))
        if text:
            yield text


def _blocks(root: _Element, reading: _Reading, depth: int, level: int) -> Iterator[Block]:
    """The blocks under a node; ``depth`` is that of the lists around, ``level`` that of the nodes."""
    if level > MAX_NESTING:
        reading.warnings.append("blocks nested beyond measure are left out")
        return
    for node in root:
        if node.tag in SILENT:
            continue
        if node.tag in (f"{TEXT}p", f"{TEXT}h"):
            yield from _paragraph(node, reading, level)
        elif node.tag == f"{TEXT}list":
            yield from _items(node, reading, depth, level)
        elif node.tag == f"{TABLE}table":
            yield from _table(node, reading, level)
        elif node.tag == f"{DRAW}frame":
            yield from _frame(node, reading, level)
        else:
            yield from _blocks(node, reading, depth, level + 1)


def _items(node: _Element, reading: _Reading, depth: int, level: int) -> Iterator[Block]:
    """The items of a list: the first paragraph of each, with its number if it has one, and what else stands in it."""
    labels = reading.labels(node, depth)
    for item in node.iterchildren(f"{TEXT}list-item", f"{TEXT}list-header"):
        is_first = item.tag == f"{TEXT}list-item"
        label = labels(item) if is_first else ""
        for child in item if level < MAX_NESTING else ():
            if child.tag == f"{TEXT}list":
                yield from _items(child, reading, depth + 1, level + 1)
                continue
            for block in _blocks_of(child, reading, level):
                if is_first and block.category == "NarrativeText":
                    text = f"{label} {block.text}".strip()
                    yield replace(block, category="ListItem", text=text, depth=depth)
                    is_first = False
                else:
                    yield block


def _blocks_of(node: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    if node.tag in (f"{TEXT}p", f"{TEXT}h"):
        yield from _paragraph(node, reading, level)
    else:
        yield from _blocks(node, reading, 0, level + 1)


def _paragraph(node: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    """A paragraph or heading, the pictures and boxes that are anchored in it, and its notes."""
    anchored = [b for frame in anchored_in(node) for b in _drawn(frame, reading, level)]
    first = is_anchored_first(node)
    if first:
        yield from anchored
    text = paragraph_text(node)
    if text:
        yield _styled(node, text, reading.styles)
    if not first:
        yield from anchored
    for note in node.iter(f"{TEXT}note-body"):
        if next(note.iterancestors(f"{TEXT}p", f"{TEXT}h")) is node:
            said = " ".join(filter(None, (paragraph_text(p) for p in note.iter(f"{TEXT}p"))))
            yield Block(category="NarrativeText", text=said, is_plain=False)


def _styled(node: _Element, text: str, styles: Styles) -> Block:
    """A paragraph's block as its style and its letters say."""
    name = node.get(f"{TEXT}style-name", "")
    names = styles.names(name)
    level = node.get(f"{TEXT}outline-level", "1") if node.tag == f"{TEXT}h" else ""
    depth = int(level) - 1 if level.isdecimal() else styles.outline(name)
    if depth is None and names and any(n in ("title", "subtitle") for n in names):
        depth = 0 if "title" in names else 1
    if depth is not None:
        return Block(category="Title", text=text, depth=max(depth, 0))
    if _CAPTIONS & set(names):
        return Block(category="FigureCaption", text=text)
    bold, size = _letters(node, name, styles)
    return Block(category="NarrativeText", text=text, bold=bold, size=size)


def _letters(node: _Element, name: str, styles: Styles) -> tuple[bool, float | None]:
    """Whether all letters of a paragraph are bold, and the size of the largest in points."""
    own = styles.letters("paragraph", name)
    looks = [own] if _has_own_text(node) else []
    for span in node.iter(f"{TEXT}span"):
        if _has_own_text(span):
            bold, size = styles.letters("text", span.get(f"{TEXT}style-name", ""))
            looks.append((own[0] if bold is None else bold, size or own[1]))
    sizes = [size for _, size in looks if size]
    return bool(looks) and all(bold for bold, _ in looks), max(sizes, default=None)


def _has_own_text(node: _Element) -> bool:
    texts = [node.text, *(child.tail for child in node)]
    return any(text and text.strip() for text in texts)


# Drawings.


def _drawn(node: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    if node.tag == f"{DRAW}frame":
        yield from _frame(node, reading, level)
    else:
        yield from _blocks(node, reading, 0, level + 1)


def _frame(node: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    """What a frame shows: the best of its variants."""
    alt = alternative_text(node)
    shown = [child for child in node if child.tag not in SILENT]
    box = next((c for c in shown if c.tag in (f"{DRAW}text-box", f"{TABLE}table")), None)
    chart = [b for c in shown if c.tag == f"{DRAW}object" for b in _object(c, reading, level)]
    if box is not None:
        yield from _table(box, reading, level) if box.tag == f"{TABLE}table" else _blocks(box, reading, 0, level + 1)
    elif chart:
        yield from chart
    elif reading.pictures:
        yield from _picture([c for c in shown if c.tag == f"{DRAW}image"], alt, reading)


def _picture(variants: Sequence[_Element], alt: str, reading: _Reading) -> Iterator[Block]:
    """The first variant of a picture that can be read; what is not in the archive is not fetched."""
    found = False
    for node in variants:
        name = member_name("content.xml", node.get(XLINK, ""))
        content = reading.members.get(name or "") or _held(node)
        if not content:
            continue
        found = True
        stored = picture_png(content)
        if stored:
            reading.images[stored[0]] = stored[1]
            yield Block(category="Image", text=alt, image_path=stored[0])
            return
        reading.warnings.append(f"picture {name}: of a type that is not read, or too large")
    if alt and (found or variants):
        yield Block(category="Image", text=alt)


def _held(node: _Element) -> bytes:
    """A picture that stands in the text itself, as in flat files."""
    try:
        return base64.b64decode(node.findtext(f"{OFFICE}binary-data") or "")
    except ValueError:
        return b""


def _object(node: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    """A chart as its table and title, a formula as its text; other objects have their picture alone."""
    name = member_name("content.xml", node.get(XLINK, "").rstrip("/"))
    content = reading.members.get(f"{name}/content.xml") if name else None
    root = next(iter(node), None) if content is None else safe_xml(content)
    if root is None:
        return
    if root.tag == MATH or (math := root.find(f".//{MATH}")) is not None:
        yield Block(category="NarrativeText", text=mathml_text(root if root.tag == MATH else math), is_plain=False)
    for chart in root.iter(f"{CHART}chart"):
        yield from (replace(b, cells=_with_names(b.cells)) for b in _charts_tables(chart, reading, level))
        title = chart.find(f"{CHART}title")
        said = "" if title is None else " ".join(filter(None, (paragraph_text(p) for p in title.iter(f"{TEXT}p"))))
        yield Block(category="FigureCaption", text=said)


def _charts_tables(chart: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    for table in chart.iterchildren(f"{TABLE}table"):
        yield from _table(table, reading, level)


def _with_names(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells of a chart: the series' names in the first row and the categories in the first column are headers."""
    return tuple(replace(c, header=c.row == 0 or c.column == 0) for c in cells)


# Tables.


def _table(table: _Element, reading: _Reading, level: int) -> Iterator[Block]:
    """A table, then what else stands in its cells: pictures and tables. One of a single cell only frames its blocks."""
    rows = list(_rows(table))
    nodes = [c for row in rows for c in row.iterchildren(f"{TABLE}table-cell")]
    if len(rows) == 1 and len(nodes) == 1:
        yield from _blocks(nodes[0], reading, 0, level + 1)
        return
    inside: dict[_Element, list[Block]] = {c: list(_blocks(c, reading, 0, level + 1)) for c in nodes}
    cells = place_slots([slots for row in rows for slots in _slots(row, inside)])
    head = sum(1 for row in rows if _is_header(row))
    is_styled = _is_bold_over_plain([[inside[c] for c in row.iterchildren(f"{TABLE}table-cell")] for row in rows])
    cells = with_header_rows(cells, head or int(first_row_heads(cells, is_styled=is_styled)))
    if any(c.text for c in cells):
        yield Block(category="Table", text="", cells=cells)
    for blocks in inside.values():
        yield from (b for b in blocks if b.cells or b.category == "Image")


def _rows(table: _Element) -> Iterator[_Element]:
    """The rows of a table, in whatever groups they stand."""
    groups = ("table-header-rows", "table-rows", "table-row-group")
    for node in table:
        if node.tag == f"{TABLE}table-row":
            yield node
        elif node.tag in [f"{TABLE}{g}" for g in groups]:
            yield from _rows(node)


def _is_header(row: _Element) -> bool:
    return bool(row.getparent().tag == f"{TABLE}table-header-rows")


def _slots(row: _Element, inside: dict[_Element, list[Block]]) -> Iterator[list[Slot]]:
    """A row's slots, as often as the row is repeated."""
    slots: list[Slot] = []
    for node in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
        covered = node.tag == f"{TABLE}covered-table-cell"
        lines = (" ".join(b.text.split()) for b in inside.get(node, ()) if not b.cells and b.category != "Image")
        slot = Slot(
            text="\n".join(line for line in lines if line),
            colspan=count_of(node, "number-columns-spanned", MAX_COLUMNS),
            rowspan=count_of(node, "number-rows-spanned", MAX_ROWSPAN),
            covered=covered,
        )
        slots += [slot] * min(count_of(node, "number-columns-repeated", MAX_REPEATS), MAX_COLUMNS - len(slots))
    filled = any(slot.text for slot in slots)
    yield from [slots] * (count_of(row, "number-rows-repeated", MAX_REPEATS) if filled else 1)


def _is_bold_over_plain(rows: Sequence[Sequence[Sequence[Block]]]) -> bool:
    first, *others = [[b.bold for blocks in row for b in blocks if b.text] for row in rows] or [[]]
    return bool(first) and all(first) and any(not all(row) for row in others)


# Slides.


def _numbers(slides: Sequence[_Element], options: PartitionOptions) -> list[int]:
    return [n for n in range(1, len(slides) + 1) if options.pages is None or n in options.pages]


def _deck(slides: Sequence[_Element], reading: _Reading, options: PartitionOptions) -> Iterator[Block]:
    """The blocks of each slide: its title, or its number as one, what it shows, and its notes."""
    for number in _numbers(slides, options):
        titles: list[Block] = []
        others: list[Block] = []
        for shape in slides[number - 1]:
            if shape.tag == f"{PRESENTATION}notes":
                continue
            blocks = list(_drawn(shape, reading, 0)) if is_drawn(shape) else []
            (titles if shape.get(f"{PRESENTATION}class") == "title" else others).extend(blocks)
        title = " ".join(b.text for b in titles if b.text) or f"Slide {number}"
        notes = [b for node in slides[number - 1].iterchildren(f"{PRESENTATION}notes") for b in _notes(node, reading)]
        shown = [Block(category="Title", text=title, depth=0), *others, *notes] if titles or others or notes else []
        yield from (replace(b, page=number, is_plain=False) for b in shown)


def _notes(node: _Element, reading: _Reading) -> Iterator[Block]:
    for shape in node.iterchildren(f"{DRAW}frame"):
        if shape.get(f"{PRESENTATION}class", "notes") != "notes":
            continue
        yield from (b for b in _frame(shape, reading, 0) if b.category != "Image")
