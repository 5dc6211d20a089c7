"""What a page or a sitemap says to a crawler: where it leads, what its own address is, and what it asks of us."""

from __future__ import annotations

import gzip
import io
import mimetypes
import re
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ingest.errors import BrokenError, UsageError
from ingest.fetch import AGENT, Fetched
from ingest.partition.encoding import declared_charset, decode, known_charset
from ingest.urls import normal_url

SITEMAP_BYTES = 50_000_000
MAX_LINKS = 5_000
"""Links of one page that are followed at most."""
_DATED_WISHES = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
"""Wishes that have a value behind a colon, and are no names of crawlers."""
_NEVER_LINKED = ("image/", "audio/", "video/", "font/", "text/css", "text/javascript", "application/javascript")


def read_links(content: bytes, url: str) -> tuple[tuple[str, ...], str | None]:
    """The addresses that a page links to, in order and each once, and its canonical one if it names one."""
    from lxml import etree  # type: ignore[import-untyped]

    try:
        markup = decode(content, declared_charset(content)).encode("utf-8", "replace")
    except BrokenError:
        return (), None
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, recover=True)
    page = etree.fromstring(markup, parser)
    if page is None:
        return (), None
    base = _address(next(iter(page.xpath("//head/base/@href")), ""), url) or url
    canonical = next(iter(page.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href")), None)
    return tuple(_links(page, base)), _address(canonical, base) if canonical else None


def _links(page: object, base: str) -> Iterator[str]:
    if _wishes_in(page) & {"nofollow", "none"}:
        return
    met: dict[str, None] = {}
    for node in page.iter("a", "area"):  # type: ignore[attr-defined]
        if "nofollow" in node.get("rel", "").lower():
            continue
        address = _address(node.get("href"), base)
        if address and address not in met and not _is_no_document(address):
            met[address] = None
            if len(met) > MAX_LINKS:
                return
            yield address


def wishes_of(content: bytes, field: str) -> set[str]:
    """What a page asks of crawlers, all or us, in its markup and in the field X-Robots-Tag.

    A page that the user named is read whatever it wishes of crawlers; one that a link led to is not.
    """
    from lxml import etree

    said = [_wish_for_us(part) for part in re.split(r",\s*(?=[\w-]+\s*:)", field.lower())]
    parser = etree.HTMLParser(no_network=True, huge_tree=False, recover=True)
    page = etree.fromstring(content, parser) if content.strip() else None
    return _words(said) | (set() if page is None else _wishes_in(page))


def _wishes_in(page: object) -> set[str]:
    metas = page.iter("meta")  # type: ignore[attr-defined]
    return _words(m.get("content", "").lower() for m in metas if m.get("name", "").strip().lower() in ("robots", AGENT))


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.split(r"[,\s]+", text) if word}


def _wish_for_us(part: str) -> str:
    """The wishes of one part of the field, unless they are said to another crawler by its name."""
    name, mark, wishes = part.partition(":")
    if not mark or name.strip() in _DATED_WISHES:
        return part
    return wishes if name.strip() in (AGENT, "*") else ""


def _address(given: str | None, base: str) -> str | None:
    """A link's absolute address; ``None`` for what is none on the web (``mailto:`` and the like)."""
    if not given or given.strip().startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
        return None
    try:
        return normal_url(given, base)
    except UsageError:
        return None


def _is_no_document(address: str) -> bool:
    kind = mimetypes.guess_type(urlsplit(address).path)[0] or ""
    return kind.startswith(_NEVER_LINKED)


def read_sitemap(content: bytes, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pages and the further sitemaps that a sitemap names.

    It is XML, gzipped or not, or plain text with an address a line. One that is damaged names what could be read.
    """
    from lxml import etree

    text = _unpacked(content)
    if not text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = text.decode("utf-8", "replace").splitlines()
        return tuple(filter(None, (_address(line, url) for line in lines if line.startswith("http")))), ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True, load_dtd=False)
    root = etree.fromstring(text, parser)
    if root is None:
        return (), ()
    found = [(node.getparent(), (node.text or "").strip()) for node in root.iter("{*}loc")]
    named = [(etree.QName(parent).localname, _address(text, url)) for parent, text in found if parent is not None]
    pages = dict.fromkeys(address for tag, address in named if tag == "url" and address)
    more = dict.fromkeys(address for tag, address in named if tag == "sitemap" and address)
    return tuple(pages), tuple(more)


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content[:SITEMAP_BYTES]
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return file.read(SITEMAP_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def in_utf8(content: bytes, found: Fetched) -> bytes:
    """The bytes of a text as they are kept: in UTF-8 with a mark, where only the server's header tells the charset."""
    charset = known_charset(found.charset or "")
    if charset in (None, "utf-8", "ascii") or not found.content_type.startswith(("text/", "application/xhtml")):
        return content
    if declared_charset(content) is not None or content.isascii():
        return content
    try:
        return b"\xef\xbb\xbf" + decode(content, charset).removeprefix("\ufeff").encode("utf-8", "replace")
    except BrokenError:
        return content
