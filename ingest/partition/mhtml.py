"""Saved web pages in one file (MHTML): the page, with the pictures that were saved with it at their places.

The standard library takes the file apart; the page goes the way of any web page. What was not saved in the file is
never fetched.
"""

from __future__ import annotations

import base64
import email
import email.policy
import html
import re
from email.message import Message
from urllib.parse import urljoin

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.bridge import vendor_errors
from ingest.partition.encoding import declared_charset, decode, known_charset
from ingest.partition.web import partition_markup
from ingest.types import Partition, Source

MAX_PARTS = 5_000
PICTURE_BYTES = 5_000_000
"""Largest picture that is set into the page; the parser reads no text above 10 MB."""
ALL_PICTURES_BYTES = 100_000_000

_SHOWN = re.compile(r"""(<img\b[^>]*?\ssrc\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a saved web page.

    Raises:
        BrokenError: the file is empty, or holds no page.
    """
    content = source.path.read_bytes()
    if not content.strip():
        raise BrokenError("empty file")
    with vendor_errors("MHTML"):
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        parts = [part for part, _ in zip(message.walk(), range(MAX_PARTS), strict=False) if not part.is_multipart()]
        page = _page(message, parts)
        markup = _with_pictures(_text(page), str(page.get("Content-Location", "")), parts)
    return partition_markup(markup, source, options, is_page=True)


def _page(message: Message, parts: list[Message]) -> Message:
    """The part that is the page: the one that the file names as its start, else the first in HTML."""
    start = str(message.get_param("start", "") or "").strip("<>")
    pages = [part for part in parts if part.get_content_type() in ("text/html", "application/xhtml+xml")]
    named = [part for part in pages if start and _cid(part) == start]
    if not pages:
        raise BrokenError("broken MHTML: no page in it")
    return (named or pages)[0]


def _cid(part: Message) -> str:
    return str(part.get("Content-ID", "")).strip().strip("<>")


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(page: Message) -> str:
    content = _bytes(page)
    return decode(content, known_charset(page.get_content_charset() or "") or declared_charset(content))


def _with_pictures(markup: str, base: str, parts: list[Message]) -> str:
    """HTML with the saved pictures that it shows, by address or by Content-ID, set in."""
    saved: dict[str, Message] = {}
    for part in parts:
        if part.get_content_maintype() == "image":
            saved.setdefault(f"cid:{_cid(part)}", part)
            saved.setdefault(urljoin(base, str(part.get("Content-Location", "")).strip()), part)
    room = ALL_PICTURES_BYTES

    def shown(found: re.Match[str]) -> str:
        nonlocal room
        address = html.unescape(found[2].strip("\"'")).strip()
        part = saved.get(address) or saved.get(urljoin(base, address))
        content = _bytes(part) if part is not None else b""
        if part is None or not 0 < len(content) <= min(PICTURE_BYTES, room):
            return found[0]
        room -= len(content)
        return f'{found[1]}"data:{part.get_content_type()};base64,{base64.b64encode(content).decode()}"'

    return _SHOWN.sub(shown, markup) if saved else markup
