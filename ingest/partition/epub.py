"""EPUB books: a ZIP of web pages, read in the order of the book's spine; a chapter is a heading."""

from __future__ import annotations

import base64
import posixpath
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.entities import html5
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.archives import Members, member_name, opened, safe_xml
from ingest.partition.bridge import picture_png, vendor_errors
from ingest.partition.encoding import declared_charset, decode
from ingest.partition.headings import nest_under_headings
from ingest.partition.web import partition_markup
from ingest.types import Element, Partition, Source, stable_id

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_INLINE = 5_000_000
"""Bytes of a picture that may stand in a page itself; the page's parser refuses much longer attributes."""

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_ENTITY = re.compile(r"&(\w{2,31};)")
_XML_ENTITIES = ("lt;", "gt;", "amp;", "quot;", "apos;")
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a book.

    Raises:
        EncryptedError: its text is protected.
        BrokenError: it is empty, damaged, no such book, or unpacks to more than it should.
    """
    with vendor_errors("epub"), opened(source.path, "epub") as members:
        book = _book(members)
        if set(book.spine) & set(_locked(members)):
            raise EncryptedError("encrypted: its publisher protects it; get a copy without protection")
        read = list(_chapters(book, members, source, options))
    if book.spine and not read:
        raise BrokenError("broken epub: none of its chapters can be read")
    found = [element for part in read for element in part.elements]
    images = {key: png for part in read for key, png in part.images.items()}
    warnings = [f"{name}: could not be read" for name in book.lost]
    warnings += [warning for part in read for warning in part.warnings]
    left_out = sum((Counter(part.left_out) for part in read), Counter[str]())
    said = tuple(dict.fromkeys(warnings))
    return Partition(elements=tuple(_renested(found)), images=images, warnings=said, left_out=left_out)


@dataclass(slots=True, kw_only=True)
class _Book:
    """The members of a book in reading order, the names of its chapters by member, and the chapters that are lost."""

    spine: list[str]
    names: dict[str, str]
    lost: list[str]


def _book(members: Members) -> _Book:
    if _CONTAINER not in members:
        raise BrokenError("broken epub: it does not name its contents")
    root = _find(safe_xml(members[_CONTAINER]), "rootfile")
    package = "" if root is None else root.get("full-path", "")
    if package not in members:
        raise BrokenError("broken epub: its list of contents is missing")
    listed = safe_xml(members[package])
    items = {n.get("id", ""): n for n in listed.iter("{*}item")}
    chosen = [items[i] for n in listed.iter("{*}itemref") if (i := n.get("idref", "")) in items]
    pages = [n for n in chosen if n.get("media-type") in _PAGES and "nav" not in n.get("properties", "").split()]
    spine = [name for n in pages if (name := _address(package, n.get("href", "")))]
    return _Book(spine=list(dict.fromkeys(spine)), names=_names(list(items.values()), package, members), lost=[])


def _find(root: _Element, tag: str) -> _Element | None:
    return next(root.iter(f"{{*}}{tag}"), None)


def _address(base: str, address: str) -> str | None:
    return member_name(base, urllib.parse.unquote(address))


def _locked(members: Members) -> Iterator[str]:
    """The members that are encrypted; fonts often are, to no harm."""
    if _ENCRYPTION in members:
        for node in safe_xml(members[_ENCRYPTION]).iter("{*}CipherReference"):
            yield urllib.parse.unquote(node.get("URI", "")).lstrip("/")


def _names(items: list[_Element], package: str, members: Members) -> dict[str, str]:
    """The first name of each member in the table of contents, of version 3 or else of version 2."""
    names: dict[str, str] = {}
    for node in items:
        name = _address(package, node.get("href", "")) or ""
        is_nav = "nav" in node.get("properties", "").split()
        if name in members and (is_nav or node.get("media-type") == "application/x-dtbncx+xml"):
            root = _page(members[name])
            for target, label in _links(root) if is_nav else _points(root):
                names.setdefault(_address(name, target) or "", " ".join(label.split()))
    return names


def _links(root: _Element) -> Iterator[tuple[str, str]]:
    for link in root.iterfind(".//nav//a"):
        yield link.get("href", ""), "".join(link.itertext())


def _points(root: _Element) -> Iterator[tuple[str, str]]:
    for point in root.iter("navPoint"):
        content, label = point.find("content"), point.find("navLabel/text")
        if content is not None and label is not None:
            yield content.get("src", ""), label.text or ""


# Chapters.


def _chapters(book: _Book, members: Members, source: Source, options: PartitionOptions) -> Iterator[Partition]:
    """The partition of each page of the spine; one that is damaged is named as lost, the others are read."""
    for name in book.spine:
        try:
            with vendor_errors("epub"):
                if name not in members:
                    raise BrokenError("missing")  # noqa: TRY301 (as damage is told)
                part = _chapter(members[name], name, members, source, options)
        except BrokenError:
            book.lost.append(posixpath.basename(name))
            continue
        yield _titled(part, book.names.get(name, ""), f"{source.id}!{name}")


def _chapter(content: bytes, name: str, members: Members, source: Source, options: PartitionOptions) -> Partition:
    from lxml import etree  # type: ignore[import-untyped]

    root = _page(content)
    body = root.find("body")
    if body is None:
        return Partition(elements=())
    for node in list(body.iter("aside")):
        # Notes of a book stand in asides, which on the web are what is not the text.
        node.tag = "div"
    for picture in list(body.iter("img", "image")):
        _embed(picture, name, members)
    markup = etree.tostring(body, method="html", encoding="unicode")
    return partition_markup(markup, replace(source, id=f"{source.id}!{name}"), options)


def _page(content: bytes) -> _Element:
    """A parsed page without namespaces. It is XML by the standard, but for entities that HTML names, and for damage."""
    from lxml import etree

    text = _DOCTYPE.sub("", decode(content, declared_charset(content)), count=1)
    text = _ENTITY.sub(lambda m: m[0] if m[1] in _XML_ENTITIES else html5.get(m[1], m[0]), text)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True, remove_comments=True
    )
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    if root is None:
        raise BrokenError("broken epub: a page that is none")
    for node in root.iter(etree.Element):
        node.tag = etree.QName(node).localname
    return root


def _embed(picture: _Element, page: str, members: Members) -> None:
    """Set a picture of the archive into its page; one that only an address names stays without, unfetched."""
    address = picture.get("src") or picture.get("{http://www.w3.org/1999/xlink}href") or ""
    if address.startswith("data:"):
        return
    picture.tag = "img"
    name = _address(page, address)
    content = members.get(name) if name else None
    picture.attrib.pop("src", None)
    around = next(picture.iterancestors("svg"), None)
    if around is not None:
        # A page would be dropped with the drawing that frames its picture.
        around.tag = "div"
    if content and len(content) > MAX_INLINE:
        stored = picture_png(content)
        content = stored[1] if stored and len(stored[1]) <= MAX_INLINE else None
    if content:
        kind = "svg+xml" if (name or "").lower().endswith(".svg") else "png"
        picture.set("src", f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}")


def _titled(part: Partition, name: str, source_id: str) -> Partition:
    """A chapter under its name of the table of contents, where it has no heading of its own."""
    if not name or not part.elements or any(e.category == "Title" for e in part.elements):
        return part
    title = Element(element_id=stable_id(source_id, "title", name), category="Title", text=name, category_depth=0)
    return replace(part, elements=(title, *part.elements))


def _renested(found: list[Element]) -> list[Element]:
    """The elements of all chapters in one tree of headings; captions keep their owners."""
    return nest_under_headings(e if e.category == "FigureCaption" else replace(e, parent_id=None) for e in found)
