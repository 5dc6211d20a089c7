"""WordprocessingML (ECMA-376 part 1, section 17), laid open: all text where python-docx looks for it.

What a reader of the page sees stays: insertions, content controls, text boxes, fields' results, equations, notes.
What is not to be seen goes: deletions, hidden runs, tables of contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.partition.archives import office_package
from ingest.partition.equations import equation_text

if TYPE_CHECKING:
    from docx.document import Document
    from lxml.etree import _Element  # type: ignore[import-untyped]

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NOTE = "{urn:pincite}note"
"""An attribute of a paragraph: that it is the text of a footnote or endnote, set below the text that refers to it."""

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GONE = (_FALLBACK, f"{W}moveFrom", f"{W}del", f"{W}rt")
_WRAPPERS = tuple(f"{W}{n}" for n in ("ins", "moveTo", "smartTag", "sdt", "fldSimple", "customXml", "bdo", "dir"))
_REFERENCES = (f"{W}footnoteReference", f"{W}endnoteReference")
_CONTENTS = re.compile(r"toc \d|table of figures", re.IGNORECASE)
_OFF = ("0", "false", "off", "none")


def opened(path: Path) -> Document:
    """A Word document, also a template or one with macros, with its markup laid open."""
    import docx

    document = docx.Document(office_package(path))
    _type_parts(document)
    _thin_out(document.element.body)
    for root in _roots(document):
        lay_open(root)
    body = document.element.body
    _remove(_contents_lines(document, body))
    _insert_notes(document, body)
    for box in reversed(list(body.iter(f"{W}txbxContent"))):
        _lift(box)
    _unframe(body)
    return document


def _thin_out(body: _Element) -> None:
    """Leave one of each row of empty paragraphs: they say no more, and a million of them take minutes to read."""
    before = False
    for node in list(body):
        empty = node.tag == f"{W}p" and not len(node)
        if empty and before:
            body.remove(node)
        before = empty


def is_on(mark: _Element | None) -> bool:
    """Whether a property that is written as a node of its own holds."""
    return mark is not None and mark.get(f"{W}val", "1") not in _OFF


def _roots(document: Document) -> Iterator[_Element]:
    """The body, and each header and footer."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    yield document.element.body
    for rel in document.part.rels.values():
        if rel.reltype in (RELATIONSHIP_TYPE.HEADER, RELATIONSHIP_TYPE.FOOTER) and not rel.is_external:
            root = getattr(rel.target_part, "element", None)
            if root is not None:
                yield root


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


def lay_open(root: _Element) -> None:
    """Take out what is deleted or hidden, and unwrap what stands in controls, revisions, fields and equations."""
    _remove(row for row in list(root.iter(f"{W}tr")) if row.find(f"{W}trPr/{W}del") is not None)
    _remove(n for tag in _GONE for n in list(root.iter(tag)))
    _remove(n for n in list(root.iter(f"{W}sdt")) if _is_contents(n))
    _remove(r for r in list(root.iter(f"{W}r")) if is_on(r.find(f"{W}rPr/{W}vanish")))
    for node in list(root.iter(*_WRAPPERS)):
        _unwrap(node)
    for base in list(root.iter(f"{W}rubyBase")):
        _unruby(base)
    for node in list(root.iter(f"{_M}oMath")):
        _write_out(node)
    for span in root.iter(f"{W}gridSpan"):
        value = span.get(f"{W}val", "1")
        span.set(f"{W}val", str(int(value)) if value.isdecimal() and len(value) < 12 else "1")


def _remove(nodes: Iterable[_Element]) -> None:
    for node in nodes:
        if node.getparent() is not None:
            node.getparent().remove(node)


def _is_contents(control: _Element) -> bool:
    """Whether a content control is a table of contents, which repeats the headings."""
    gallery = control.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return gallery is not None and gallery.get(f"{W}val") == "Table of Contents"


def _contents_lines(document: Document, body: _Element) -> list[_Element]:
    """The lines of a table of contents that stands in no content control, by their styles."""
    named = ((s.style_id, s.name or "") for s in document.styles)
    styles = {style_id for style_id, name in named if _CONTENTS.fullmatch(name)}
    marks = body.iter(f"{W}pStyle") if styles else ()
    return [mark.getparent().getparent() for mark in marks if mark.get(f"{W}val") in styles]


def _unwrap(node: _Element) -> None:
    content = node.find(f"{W}sdtContent") if node.tag == f"{W}sdt" else node
    for child in list(content) if content is not None else ():
        node.addprevious(child)
    node.getparent().remove(node)


def _unruby(base: _Element) -> None:
    """Set the runs under reading marks before the run that holds both."""
    around = next((n for n in base.iterancestors(f"{W}r")), None)
    if around is not None:
        for run in list(base):
            around.addprevious(run)


def _write_out(equation: _Element) -> None:
    """Put an equation as a run of text in its place; one that stands alone leaves its frame."""
    from docx.oxml import OxmlElement

    frame = equation.getparent()
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = " ".join(equation_text(equation).split())
    text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    run.append(text)
    (frame if frame.tag == f"{_M}oMathPara" else equation).addprevious(run)
    frame.remove(equation)


def _lift(box: _Element) -> None:
    """Set the paragraphs of a text box after the paragraph that it is anchored in."""
    anchor = next(box.iterancestors(f"{W}p"), None)
    if anchor is not None:
        for child in reversed(list(box)):
            anchor.addnext(child)


def _unframe(body: _Element) -> None:
    """Set the content of tables of one cell, which only frame it, in their places."""
    waiting = list(body.iterchildren(f"{W}tbl"))
    while waiting:
        table = waiting.pop()
        cells = table.findall(f"{W}tr/{W}tc")
        if len(cells) == 1:
            content = [n for n in cells[0] if n.tag in (f"{W}p", f"{W}tbl")]
            for node in content:
                table.addprevious(node)
            waiting += (n for n in content if n.tag == f"{W}tbl")
            body.remove(table)


# Notes.


def _insert_notes(document: Document, body: _Element) -> None:
    """Set the text of each footnote and endnote below the paragraph, or the table, that refers to it first."""
    notes = {**_notes(document, "footnote"), **_notes(document, "endnote")}
    last: dict[_Element, _Element] = {}
    for reference in list(body.iter(*_REFERENCES)) if notes else ():
        kind = "footnote" if reference.tag == _REFERENCES[0] else "endnote"
        text = notes.pop((kind, reference.get(f"{W}id", "")), "")
        block = next((n for n in (reference, *reference.iterancestors()) if n.getparent() is body), None)
        if text and block is not None:
            made = _note(text)
            last.get(block, block).addnext(made)
            last[block] = made


def _notes(document: Document, kind: str) -> dict[tuple[str, str], str]:
    """The text of each note by its kind and id; separators between text and notes are none."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml

    wanted = RELATIONSHIP_TYPE.FOOTNOTES if kind == "footnote" else RELATIONSHIP_TYPE.ENDNOTES
    parts = [r.target_part for r in document.part.rels.values() if r.reltype == wanted and not r.is_external]
    found: dict[tuple[str, str], str] = {}
    for part in parts:
        root = parse_xml(part.blob)
        lay_open(root)
        for note in root.iter(f"{W}{kind}"):
            if note.get(f"{W}type", "normal") == "normal":
                text = " ".join(p.text for p in note.iter(f"{W}p"))
                found[kind, note.get(f"{W}id", "")] = " ".join(text.split())
    return found


def _note(text: str) -> _Element:
    from docx.oxml import OxmlElement

    paragraph, run, content = OxmlElement("w:p"), OxmlElement("w:r"), OxmlElement("w:t")
    content.text = text
    run.append(content)
    paragraph.append(run)
    paragraph.set(NOTE, "1")
    return paragraph
