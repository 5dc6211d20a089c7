"""Word documents, through unstructured, with their pictures, captions and header rows.

Before unstructured reads a document, what python-docx passes over is laid open: content controls, insertions,
text boxes. Two things that unstructured knows and does not tell are learnt through its seat for pictures, which
it calls for every paragraph: the pictures, and the style of headings and captions.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import BrokenError, EncryptedError
from ingest.images import caption_kind
from ingest.partition import PartitionOptions
from ingest.partition.bridge import offline_unstructured, picture_png, to_elements, vendor_errors
from ingest.tables import cells_to_html, html_to_cells, is_number
from ingest.types import Cell, Partition, Source

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as DocxTable
    from docx.text.paragraph import Paragraph
    from lxml.etree import _Element  # type: ignore[import-untyped]
    from unstructured.documents.elements import Element as UnstructuredElement

MAX_UNPACKED = 500_000_000
"""Bytes that all members of an archive may hold together, unpacked."""
MAX_RATIO = 200
"""Times that a member of more than ``RATIO_FLOOR`` bytes may be larger unpacked than packed."""
RATIO_FLOOR = 1_000_000
MAX_GRIDSPAN = 1000

_OLE = b"\xd0\xcf\x11\xe0"
_OLD_WORD = "WordDocument".encode("utf-16-le")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_PICTURES = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}blip",
    "{urn:schemas-microsoft-com:vml}imagedata",
)
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_PICTURE = "pincite:picture:"
_CAPTION = "pincite:caption"
_TITLE = "pincite:title"
_YEAR = re.compile(r"(19|20)\d\d")
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a Word document.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, damaged, no Word document, or unpacks to more than it should.
    """
    check_archive(source.path)
    with vendor_errors("docx"):
        document = _opened(source.path)
        found = _classify(document)
        pictures = _Pictures(document) if options.images != "off" else None
        elements = to_elements(_bind_captions(_finished(found, document, pictures)), source.id)
    if pictures is None:
        return Partition(elements=elements)
    return Partition(elements=elements, images=pictures.images, warnings=tuple(dict.fromkeys(pictures.warnings)))


# The file.


def check_archive(path: Path, what: str = "docx") -> None:
    """Refuse what is no archive of a sane size, from its directory alone, before anything is unpacked.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, no archive, or a bomb.
    """
    if path.stat().st_size == 0:
        raise BrokenError("empty file")
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            raise _ole_error(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
        raise BrokenError(f"broken {what}: the archive cannot be opened") from exc
    if any(member.flag_bits & 1 for member in members):
        raise EncryptedError("encrypted: needs a password; save a copy without one")
    size = sum(member.file_size for member in members)
    if size > MAX_UNPACKED or any(_is_bomb(member) for member in members):
        raise BrokenError(f"broken {what}: {size // 1_000_000} MB when unpacked, far more than a document holds")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > RATIO_FLOOR and member.file_size > MAX_RATIO * member.compress_size


def _ole_error(path: Path) -> BrokenError | EncryptedError:
    content = path.read_bytes()
    if _OLD_WORD in content and _ENCRYPTED not in content:
        return BrokenError("an old Word document (.doc) by another name; save it as .docx")
    return EncryptedError("encrypted: needs a password; save a copy without one")


def _opened(path: Path) -> Document:
    """The document with all its text where python-docx looks for it."""
    import docx

    document = docx.Document(str(path))
    _type_parts(document)
    body = document.element.body
    _remove(n for tag in (_FALLBACK, f"{_W}del", f"{_W}moveFrom") for n in list(body.iter(tag)))
    _remove(n for n in list(body.iter(f"{_W}sdt")) if _is_contents(n))
    for node in list(body.iter(f"{_W}ins", f"{_W}moveTo", f"{_W}smartTag", f"{_W}sdt")):
        _unwrap(node)
    for box in reversed(list(body.iter(f"{_W}txbxContent"))):
        _lift(box)
    for span in body.iter(f"{_W}gridSpan"):
        value = span.get(f"{_W}val", "1")
        span.set(f"{_W}val", str(min(int(value), MAX_GRIDSPAN)) if value.isdecimal() else "1")
    return document


def _type_parts(document: Document) -> None:
    """Give the parts their types by their relation, where the archive's list of types misses them, as Word does."""
    from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
    from docx.opc.part import Part, PartFactory

    types = {
        RELATIONSHIP_TYPE.STYLES: CONTENT_TYPE.WML_STYLES,
        RELATIONSHIP_TYPE.NUMBERING: CONTENT_TYPE.WML_NUMBERING,
        RELATIONSHIP_TYPE.SETTINGS: CONTENT_TYPE.WML_SETTINGS,
    }
    for rel in document.part.rels.values():
        if rel.reltype in types and not rel.is_external and type(rel.target_part) is Part:
            part = rel.target_part
            typed = PartFactory(part.partname, types[rel.reltype], rel.reltype, part.blob, part.package)
            rel._target = typed  # noqa: SLF001 (python-docx has no setter)


def _remove(nodes: Iterable[_Element]) -> None:
    for node in nodes:
        node.getparent().remove(node)


def _is_contents(control: _Element) -> bool:
    """Whether a content control is a table of contents, which repeats the headings."""
    gallery = control.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
    return gallery is not None and gallery.get(f"{_W}val") == "Table of Contents"


def _unwrap(node: _Element) -> None:
    content = node.find(f"{_W}sdtContent") if node.tag == f"{_W}sdt" else node
    for child in list(content) if content is not None else ():
        node.addprevious(child)
    node.getparent().remove(node)


def _lift(box: _Element) -> None:
    """Set the paragraphs of a text box after the paragraph that it is anchored in."""
    anchor = next(box.iterancestors(f"{_W}p"), None)
    if anchor is not None:
        for child in reversed(list(box)):
            anchor.addnext(child)


# Unstructured's part.


def _classify(document: Document) -> list[UnstructuredElement]:
    offline_unstructured()
    from unstructured.partition.docx import partition_docx, register_picture_partitioner

    file = io.BytesIO()
    document.save(file)
    register_picture_partitioner(_ParagraphSeat)
    return partition_docx(file=file, include_page_breaks=False, languages=[""])


class _ParagraphSeat:
    """Unstructured's seat for pictures, which is called after each paragraph.

    Besides the pictures, it gives a note on the style of the paragraph, as a picture that is none: its text is the
    paragraph's, so that the note cannot be taken for one on another.
    """

    @classmethod
    def iter_elements(cls, paragraph: Paragraph, opts: Any) -> Iterator[Any]:  # noqa: ANN401, ARG003 (its signature)
        from unstructured.documents.elements import ElementMetadata, Image

        note, depth = _style_note(paragraph)
        if note:
            yield Image(paragraph.text, metadata=ElementMetadata(image_url=note, category_depth=depth))
        for rel, alt in _pictures_in(paragraph._p):  # noqa: SLF001 (python-docx has no other way to the XML)
            yield Image(alt, metadata=ElementMetadata(image_url=f"{_PICTURE}{rel}"))


def _style_note(paragraph: Paragraph) -> tuple[str, int | None]:
    style = paragraph.style
    if style is None or not paragraph.text.strip():
        return "", None
    names = [s.name or "" for s in _bases(style)]
    if any(name.lower() == "caption" for name in names):
        return _CAPTION, None
    if _HEADING.fullmatch(names[0]) or names[0] in ("Title", "Subtitle"):
        return "", None
    found = next((m for name in names if (m := _HEADING.fullmatch(name))), None)
    level = int(found[1]) - 1 if found else _outline_level(paragraph)
    return ("", None) if level is None else (_TITLE, level)


def _bases(style: Any) -> Iterator[Any]:  # noqa: ANN401 (python-docx names several classes)
    for _ in range(20):
        if style is None:
            return
        yield style
        style = getattr(style, "base_style", None)


def _outline_level(paragraph: Paragraph) -> int | None:
    """The outline level of a paragraph or of its style, from 0; level 9 is body text."""
    own = [paragraph._p, *(s.element for s in _bases(paragraph.style))]  # noqa: SLF001
    level = next((v for node in own for v in node.xpath("./w:pPr/w:outlineLvl/@w:val")), "9")
    return int(level) if level in tuple("012345678") else None


def _pictures_in(node: _Element) -> Iterator[tuple[str, str]]:
    """The relation and the alternative text of each picture under a node."""
    for picture in node.iter(*_PICTURES):
        rel = picture.get(f"{_R}embed") or picture.get(f"{_R}id")
        around = next(picture.iterancestors(f"{_WP}inline", f"{_WP}anchor"), None)
        alt = "" if around is None else next((d.get("descr", "") for d in around.iter(f"{_WP}docPr")), "")
        if rel:
            yield rel, " ".join(alt.split())


# What unstructured leaves out.


class _Pictures:
    """The pictures of a document as PNG, by their relation."""

    def __init__(self, document: Document) -> None:
        self.images: dict[str, bytes] = {}
        self.warnings: list[str] = []
        self._parts = document.part.related_parts

    def elements(self, pictures: Iterable[tuple[str, str]]) -> Iterator[UnstructuredElement]:
        """An element for each picture that the file holds; one that cannot be read has no ``image_path``."""
        from unstructured.documents.elements import ElementMetadata, Image

        for rel, alt in pictures:
            part = self._parts.get(rel)
            if part is None:
                continue
            stored = picture_png(part.blob)
            if stored is None:
                self.warnings.append(f"picture {part.partname.filename}: of a type that is not read, or too large")
            else:
                self.images[stored[0]] = stored[1]
            yield Image(alt, metadata=ElementMetadata(image_path=stored[0] if stored else None))


def _finished(
    found: Iterable[UnstructuredElement], document: Document, pictures: _Pictures | None
) -> list[UnstructuredElement]:
    """The elements with pictures in their places, restyled by the notes, tables with header cells; no page numbers."""
    tables = iter(document.tables)
    out: list[UnstructuredElement] = []
    for element in found:
        element.metadata.page_number = None
        url = element.metadata.image_url or ""
        if url.startswith(_PICTURE):
            out.extend(pictures.elements([(url.removeprefix(_PICTURE), element.text)]) if pictures else ())
        elif url in (_CAPTION, _TITLE):
            if out and out[-1].text.strip().endswith(element.text.strip()):
                out[-1] = _restyled(out[-1], element)
        elif element.category == "Table":
            out.extend(_table_elements(element, next(tables), pictures))
        else:
            out.append(element)
    return out


def _restyled(element: UnstructuredElement, note: UnstructuredElement) -> UnstructuredElement:
    from unstructured.documents.elements import FigureCaption, Title

    element.metadata.category_depth = note.metadata.category_depth
    element.metadata.parent_id = None
    made = Title if note.metadata.image_url == _TITLE else FigureCaption
    return made(element.text, metadata=element.metadata)


def _table_elements(
    element: UnstructuredElement, table: DocxTable, pictures: _Pictures | None
) -> Iterator[UnstructuredElement]:
    cells = html_to_cells(element.metadata.text_as_html or "")
    if cells:
        element.metadata.text_as_html = cells_to_html(with_header(cells, table))
    if element.text.strip():
        yield element
    if pictures:
        yield from pictures.elements(_pictures_in(table._tbl))  # noqa: SLF001


def with_header(cells: Sequence[Cell], table: DocxTable) -> tuple[Cell, ...]:
    """The cells, those of header rows marked: the rows that repeat on each page, else a first row that looks it."""
    count = _repeated_rows(table) or int(_first_row_is_header(cells, table))
    first = [c for c in cells if c.row == 0]
    if count == 1 and any(c.colspan > 1 for c in first):
        count = max(c.rowspan for c in first)
    return tuple(replace(c, header=c.row < count) for c in cells)


def _repeated_rows(table: DocxTable) -> int:
    rows = [row.find(f"{_W}trPr/{_W}tblHeader") for row in table._tbl.tr_lst]  # noqa: SLF001
    return next((i for i, mark in enumerate(rows) if mark is None or _is_off(mark)), len(rows))


def _is_off(mark: _Element) -> bool:
    return mark.get(f"{_W}val") in ("0", "false", "off")


def _first_row_is_header(cells: Sequence[Cell], table: DocxTable) -> bool:
    """Words or years over other rows, in a table with a first row style or with numbers below."""
    first = [c.text for c in cells if c.row == 0 and c.text]
    below = [c.text for c in cells if c.row > 0]
    if len(first) < 2 or not below or any(is_number(t) and not _YEAR.fullmatch(t) for t in first):
        return False
    return _has_first_row_look(table) or any(is_number(t) for t in below)


def _has_first_row_look(table: DocxTable) -> bool:
    look = table._tbl.tblPr.find(f"{_W}tblLook")  # noqa: SLF001
    if look is None:
        return False
    flag, bits = look.get(f"{_W}firstRow"), look.get(f"{_W}val", "0")
    return flag in ("1", "true", "on") if flag else bool(int(bits, 16) & 0x20)


# Captions.


def _bind_captions(elements: Sequence[UnstructuredElement]) -> Sequence[UnstructuredElement]:
    """Give each caption its table or picture as parent: the neighbour of the kind that it names.

    Where both neighbours would do, the side decides on which more captions of that kind have one.
    """
    captions = {i: _wanted(e) for i, e in enumerate(elements) if e.category == "FigureCaption"}
    taken: set[int] = set()
    for wanted in (("Table",), ("Image",), ("Image", "Table")):
        of_kind = [i for i, kinds in captions.items() if kinds == wanted]
        sides = [{i: _neighbour(elements, i, step, wanted) for i in of_kind} for step in (1, -1)]
        below, above = (sum(owner is not None for owner in side.values()) for side in sides)
        if above > below or (above == below and wanted != ("Table",)):
            sides.reverse()
        for i in of_kind:
            owner = next((o for side in sides if (o := side[i]) is not None and o not in taken), None)
            if owner is not None:
                taken.add(owner)
                elements[i].metadata.parent_id = elements[owner].id
    return elements


def _wanted(caption: UnstructuredElement) -> tuple[str, ...]:
    kinds = {"table": ("Table",), "figure": ("Image",)}
    return kinds.get(caption_kind(caption.text) or "", ("Image", "Table"))


def _neighbour(elements: Sequence[UnstructuredElement], index: int, step: int, wanted: tuple[str, ...]) -> int | None:
    """The position of the next element on one side that is no caption, if it is of a wanted category."""
    at = index + step
    while 0 <= at < len(elements) and elements[at].category == "FigureCaption":
        at += step
    return at if 0 <= at < len(elements) and elements[at].category in wanted else None
