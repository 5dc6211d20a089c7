"""Word documents, through unstructured, with their pictures, charts, captions, headings and tables.

Before unstructured reads a document, its markup is laid open and the looks of its paragraphs are noted on them. What
unstructured does not tell is learnt through its seat for pictures, which it calls for every paragraph: the looks,
the pictures, the charts and diagrams.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.partition import PartitionOptions
from ingest.partition.archives import check_archive
from ingest.partition.bridge import offline_unstructured, picture_png, to_elements, vendor_errors
from ingest.partition.captions import caption_owners, unmarked_captions
from ingest.partition.docx_looks import LOOK, Look, mark_looks, read_look
from ingest.partition.docx_markup import opened
from ingest.partition.docx_tables import tables_in
from ingest.partition.drawingml import chart_cells, chart_title, diagram_items
from ingest.partition.emphasis import Line, inferred_depths
from ingest.types import Cell, Partition, Source

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph
    from lxml.etree import _Element  # type: ignore[import-untyped]
    from unstructured.documents.elements import Element as UnstructuredElement

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_PICTURES = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}blip",
    "{urn:schemas-microsoft-com:vml}imagedata",
)
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_SEAT = "pincite:"


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a Word document.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, damaged, no Word document, or unpacks to more than it should.
    """
    check_archive(source.path)
    with vendor_errors("docx"):
        document = opened(source.path)
        mark_looks(document)
        reading = _Reading(document=document, pictures=options.images != "off")
        found = _with_headings(list(_finished(_classify(document), reading)), reading)
        elements = to_elements(_bind_captions(found), source.id, reading.cells)
    return Partition(elements=elements, images=reading.images, warnings=tuple(dict.fromkeys(reading.warnings)))


# Unstructured's part.


def _classify(document: Document) -> list[UnstructuredElement]:
    offline_unstructured()
    from unstructured.partition.docx import partition_docx, register_picture_partitioner

    file = io.BytesIO()
    document.save(file)
    register_picture_partitioner(_ParagraphSeat)
    # Its HTML of tables would repeat what is read from the markup, and more slowly.
    return partition_docx(file=file, include_page_breaks=False, infer_table_structure=False, languages=[""])


class _ParagraphSeat:
    """Unstructured's seat for pictures, which is called after each paragraph.

    Besides the pictures, it gives the look of the paragraph, as a picture that is none: its text is the
    paragraph's, so that the look cannot be taken for that of another.
    """

    @classmethod
    def iter_elements(cls, paragraph: Paragraph, opts: Any) -> Iterator[Any]:  # noqa: ANN401, ARG003 (its signature)
        from unstructured.documents.elements import ElementMetadata, Image

        node = paragraph._p  # noqa: SLF001 (python-docx has no other way to the XML)
        look = node.get(LOOK)
        if look and paragraph.text.strip():
            yield Image(paragraph.text, metadata=ElementMetadata(image_url=f"{_SEAT}look:{look}"))
        for kind, rel, alt in _drawings_in(node):
            yield Image(alt, metadata=ElementMetadata(image_url=f"{_SEAT}{kind}:{rel}"))


def _drawings_in(node: _Element) -> Iterator[tuple[str, str, str]]:
    """The kind, the relation and the alternative text of each picture, chart and diagram under a node."""
    for drawing in node.iter(*_PICTURES, _CHART, _DIAGRAM):
        kind = "chart" if drawing.tag == _CHART else "diagram" if drawing.tag == _DIAGRAM else "picture"
        names = ("embed", "id", "link", "dm")
        rel = next((value for name in names if (value := drawing.get(f"{_R}{name}"))), None)
        if rel:
            yield kind, rel, _alternative_text(drawing)


def _alternative_text(drawing: _Element) -> str:
    around = next(drawing.iterancestors(f"{_WP}inline", f"{_WP}anchor"), None)
    if around is None:
        return " ".join((drawing.getparent().get("alt") or "").split())
    texts = (node.get("descr") or node.get("title") or "" for node in around.iter(f"{_WP}docPr"))
    return " ".join(next(texts, "").split())


# What unstructured leaves out.


@dataclass(slots=True, kw_only=True)
class _Reading:
    """A document that is being read: its pictures as PNG, the cells of its tables and the looks of its paragraphs."""

    document: Document
    pictures: bool
    images: dict[str, bytes] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    cells: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    looks: dict[str, Look] = field(default_factory=dict)

    def drawing(self, kind: str, rel: str, alt: str) -> Iterator[UnstructuredElement]:
        """The elements of a picture, chart or diagram. What the file only refers to is not fetched."""
        if kind == "picture":
            if self.pictures:
                yield from self._picture(rel, alt)
            return
        part = self.document.part.related_parts.get(rel)
        if part is None:
            return
        from docx.oxml import parse_xml

        root = parse_xml(part.blob)
        yield from self._chart(root, alt) if kind == "chart" else _diagram(root)

    def _picture(self, rel: str, alt: str) -> Iterator[UnstructuredElement]:
        """An element for a picture; one that cannot be read, or that the file has not, has no ``image_path``."""
        from unstructured.documents.elements import ElementMetadata, Image

        part = self.document.part.related_parts.get(rel)
        stored = picture_png(part.blob) if part is not None else None
        if stored is not None:
            self.images[stored[0]] = stored[1]
        elif part is not None:
            self.warnings.append(f"picture {part.partname.filename}: of a type that is not read, or too large")
        if part is not None or alt:
            yield Image(alt, metadata=ElementMetadata(image_path=stored[0] if stored else None))

    def _chart(self, space: _Element, alt: str) -> Iterator[UnstructuredElement]:
        from unstructured.documents.elements import ElementMetadata, FigureCaption

        table = None
        if cells := chart_cells(space):
            table = self.table(cells)
            yield table
        for text in dict.fromkeys(filter(None, (chart_title(space), alt))):
            yield FigureCaption(text, metadata=ElementMetadata(parent_id=None if table is None else table.id))

    def table(self, cells: tuple[Cell, ...]) -> UnstructuredElement:
        """A table of these cells."""
        from unstructured.documents.elements import ElementMetadata, Table

        made = Table("", metadata=ElementMetadata())
        self.cells[made.id] = cells
        return made


def _diagram(model: _Element) -> Iterator[UnstructuredElement]:
    from unstructured.documents.elements import ElementMetadata, ListItem

    for depth, text in diagram_items(model):
        yield ListItem(text, metadata=ElementMetadata(category_depth=depth))


def _finished(found: Iterable[UnstructuredElement], reading: _Reading) -> Iterator[UnstructuredElement]:
    """The elements with drawings in their places and tables with their cells, restyled by the looks; no pages."""
    tables = iter(reading.document.tables)
    waiting: UnstructuredElement | None = None
    furniture: set[tuple[str, str]] = set()
    for element in found:
        element.metadata.page_number = None
        url = element.metadata.image_url or ""
        if url.startswith(f"{_SEAT}look:"):
            if waiting is not None and waiting.text.strip().endswith(element.text.strip()):
                waiting = _restyled(waiting, read_look(url.removeprefix(f"{_SEAT}look:")), reading)
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if url.startswith(_SEAT):
            kind, _, rel = url.removeprefix(_SEAT).partition(":")
            yield from reading.drawing(kind, rel, element.text)
        elif element.category == "Table":
            yield from _table_elements(next(tables)._tbl, reading)  # noqa: SLF001
        elif element.category in ("Header", "Footer"):
            # Sections repeat what stands at the edges of their pages.
            if (element.category, element.text) not in furniture:
                furniture.add((element.category, element.text))
                yield element
        else:
            waiting = element
    if waiting is not None:
        yield waiting


def _table_elements(table: _Element, reading: _Reading) -> Iterator[UnstructuredElement]:
    for cells in tables_in(table):
        yield reading.table(cells)
    for kind, rel, alt in _drawings_in(table):
        yield from reading.drawing(kind, rel, alt)


def _restyled(element: UnstructuredElement, look: Look, reading: _Reading) -> UnstructuredElement:
    """An element as what its paragraph looks: unstructured goes by the names of few styles."""
    from unstructured.documents.elements import FigureCaption, NarrativeText, Title

    classes = {"caption": FigureCaption, "note": NarrativeText, "title": Title}
    made = classes.get(look.kind)
    if made is not None and not (look.kind == "title" and look.depth is None):
        element.metadata.category_depth = look.depth
        element.metadata.parent_id = None
        element = made(element.text, metadata=element.metadata)
    reading.looks[element.id] = look
    return element


def _with_headings(elements: Sequence[UnstructuredElement], reading: _Reading) -> Sequence[UnstructuredElement]:
    """The elements with lines that are headings by their bold or large letters, or captions by words, as such."""
    from unstructured.documents.elements import FigureCaption, Title

    shown = [e for e in elements if e.category not in ("Header", "Footer", "FigureCaption", "PageBreak")]
    depths = inferred_depths([_line(e, reading) for e in shown])
    titles = {shown[i].id: depth for i, depth in depths.items()}
    out: list[UnstructuredElement] = []
    captions = unmarked_captions([(e.category, e.text) for e in elements])
    for i, element in enumerate(elements):
        if i in captions:
            out.append(FigureCaption(element.text, metadata=element.metadata))
        elif element.id in titles:
            element.metadata.category_depth = titles[element.id]
            element.metadata.parent_id = None
            out.append(Title(element.text, metadata=element.metadata))
        else:
            out.append(element)
    return out


def _line(element: UnstructuredElement, reading: _Reading) -> Line:
    look = reading.looks.get(element.id, Look())
    is_title = element.category == "Title"
    return Line(
        text=element.text,
        depth=(element.metadata.category_depth or 0) if is_title else None,
        is_text=element.category not in ("Table", "Image") and look.kind == "text",
        is_item=element.category == "ListItem",
        bold=look.bold,
        size=look.size,
    )


# Captions.


def _bind_captions(elements: Sequence[UnstructuredElement]) -> Sequence[UnstructuredElement]:
    """Give each caption its table or picture as parent."""
    owners = caption_owners([(e.category, e.text) for e in elements])
    for caption, owner in owners.items():
        if elements[caption].metadata.parent_id is None:
            elements[caption].metadata.parent_id = elements[owner].id
    return elements
