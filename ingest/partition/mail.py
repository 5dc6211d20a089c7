"""Mail messages: the subject as title, a line of header fields, the text; what is attached comes back as members.

The standard library takes a message apart and decodes it; its text is partitioned as unstructured does it, or as a
web page where there is HTML alone. Nothing that a message refers to is fetched.
"""

from __future__ import annotations

import base64
import email
import email.policy
import mimetypes
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.errors import CloseBoundaryNotFoundDefect, InvalidBase64CharactersDefect, InvalidBase64LengthDefect
from email.message import Message
from pathlib import PurePosixPath

from ingest.errors import BrokenError, EncryptedError
from ingest.images import PLAIN, SMALL, is_plain_png, is_too_small, png_size
from ingest.partition import PartitionOptions
from ingest.partition.bridge import offline_unstructured, picture_png, to_elements, vendor_errors
from ingest.partition.encoding import decode
from ingest.partition.headings import nest_under_headings
from ingest.partition.web import partition_markup
from ingest.types import Element, Partition, Source, stable_id

MAX_PARTS = 1000
MAX_BYTES = 200_000_000
"""Bytes that all parts of a message may hold together, decoded."""
MAX_DEPTH = 50
"""Multiparts inside each other; more of them were made to break readers."""
SHOWN_FIELDS = ("From", "To", "Cc", "Date")
STUB_CHARACTERS = 400
"""A plain text up to this length may only say that the message is in HTML."""
STUB_SHARE = 0.3
"""Such a text has less than this share of the characters of the HTML."""
MAX_NAME_BYTES = 200
INLINE_BYTES = 5_000_000
"""Largest picture that is set into HTML at its place; the parser reads no text above 10 MB."""

_PARSER_ERRORS = (ValueError, LookupError, AttributeError, TypeError)
"""What the standard library's parser of header fields raises at damaged ones: whatever goes wrong first."""
_POLICY = email.policy.default.clone(refold_source="none")
_WIDER = {
    "iso-8859-1": "cp1252",
    "us-ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
}
"""Charsets that mail programs name when they write in one that holds more."""
_CID = re.compile(r"""(?P<before>\bsrc\s*=\s*["']?)cid:(?P<id>[^"'\s>]+)""", re.IGNORECASE)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that turn or hide a part of a name: ``fdp.exe`` must not read ``exe.pdf``."""


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a message. ``members`` has the files attached, under safe names, each once.

    Raises:
        EncryptedError: the message is encrypted.
        BrokenError: the file is empty or no message.
    """
    content = source.path.read_bytes()
    if not content.strip():
        raise BrokenError("empty file")
    with vendor_errors("eml"):
        message = email.message_from_bytes(content, policy=_POLICY)
        if not any(_header(message, name) for name in ("From", "To", "Date", "Subject", "Received", "Message-ID")):
            raise BrokenError("broken eml: no header fields of a message")
        return partition_message(message, [], source, options)


def partition_message(
    message: Message, warnings: Sequence[str], source: Source, options: PartitionOptions
) -> Partition:
    """The elements and members of a message that was read, with warnings of the reading.

    Raises:
        EncryptedError: the message is encrypted.
    """
    _refuse_encrypted(message)
    parts = _Parts(warnings=list(warnings))
    _sort(message, parts, 0)
    return _assembled(message, parts, source, options)


def _refuse_encrypted(message: Message) -> None:
    kind = message.get_content_type()
    is_sealed = kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and "signed" not in str(
        message.get_param("smime-type", "enveloped-data")
    )
    if kind == "multipart/encrypted" or is_sealed:
        raise EncryptedError("encrypted: save a decrypted copy of the message")


# The parts of a message.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inline:
    """A picture that the text shows: its Content-ID without brackets, and its bytes."""

    cid: str
    kind: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class _Parts:
    """What a message consists of; ``texts`` are the parts of its body in order, plain (``plain``) or HTML."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    inline: list[_Inline] = field(default_factory=list)
    members: list[tuple[str, bytes]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    count: int = 0
    size: int = 0

    def admit(self, size: int) -> bool:
        """Whether one more part of this size is within the limits; one warning tells of all that are not."""
        self.count += 1
        self.size += size
        is_within = self.count <= MAX_PARTS and self.size <= MAX_BYTES
        if not is_within:
            self.warn(f"only the first {MAX_PARTS} parts and {MAX_BYTES // 1_000_000} MB of the message were read")
        return is_within

    def warn(self, warning: str) -> None:
        """Note a warning once."""
        if warning not in self.warnings:
            self.warnings.append(warning)


def _sort(part: Message, parts: _Parts, depth: int) -> None:
    """Put a part, with all parts in it, where it belongs."""
    children = _enclosed(part)
    if part.get_content_maintype() != "multipart" or children is None:
        _sort_leaf(part, parts)
    elif depth >= MAX_DEPTH:
        parts.warn("parts that are nested too deeply were not read")
    elif part.get_content_subtype() == "alternative":
        _sort_alternative(children, parts, depth + 1)
    else:
        for child in children:
            _sort(child, parts, depth + 1)
    # Some defects are found when a part is decoded.
    if any(isinstance(defect, _DAMAGE) for defect in part.defects):
        parts.warn("the message is cut off or damaged")


_DAMAGE = (CloseBoundaryNotFoundDefect, InvalidBase64CharactersDefect, InvalidBase64LengthDefect)


def _enclosed(part: Message) -> list[Message] | None:
    """The parts or the message in a part; ``None`` where it holds bytes."""
    payload = part.get_payload()
    return [p for p in payload if isinstance(p, Message)] if isinstance(payload, list) else None


def _sort_alternative(children: Sequence[Message], parts: _Parts, depth: int) -> None:
    """Keep one of the texts that say the same: plain text, or the richest HTML if plain text only stands in for it.

    Files and pictures of every alternative are kept.
    """
    before = parts.texts
    found: list[list[tuple[str, str]]] = []
    for child in children:
        parts.texts = []
        _sort(child, parts, depth)
        found.append(parts.texts)
    parts.texts = before
    plain = next((texts for texts in found if texts and all(kind == "plain" for kind, _ in texts)), [])
    rich = next((texts for texts in reversed(found) if any(kind == "html" for kind, _ in texts)), [])
    parts.texts += rich if rich and _is_stub(plain, rich) else plain or rich


def _is_stub(plain: Sequence[tuple[str, str]], rich: Sequence[tuple[str, str]]) -> bool:
    from lxml import etree  # type: ignore[import-untyped]

    said = sum(len(" ".join(text.split())) for _, text in plain)
    if said == 0:
        return True
    if said > STUB_CHARACTERS:
        return False
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    page = etree.fromstring("\n".join(text for _, text in rich).encode("utf-8", "replace"), parser)
    shown = [] if page is None else page.xpath("//body//text()[not(ancestor::style or ancestor::script)]")
    return said < STUB_SHARE * len(" ".join("".join(shown).split()))


def _sort_leaf(part: Message, parts: _Parts) -> None:
    kind, subtype = part.get_content_maintype(), part.get_content_subtype()
    content = _content(part, parts)
    if not parts.admit(len(content)):
        return
    is_attached = part.get_content_disposition() == "attachment"
    cid = str(part.get("Content-ID", "")).strip().strip("<>")
    if kind == "text" and subtype in ("plain", "html") and not is_attached and not part.get_filename():
        text = _text(content, part)
        if text.strip():
            parts.texts.append((subtype, text))
    elif kind == "image" and not is_attached and (cid or part.get_content_disposition() == "inline"):
        parts.inline.append(_Inline(cid=cid, kind=f"{kind}/{subtype}", content=content))
    elif content:
        taken = {name for name, _ in parts.members}
        parts.members.append((_unused(_safe_name(part, parts.count), taken), content))


def _content(part: Message, parts: _Parts) -> bytes:
    """The decoded bytes of a part; of an enclosed message its source."""
    messages = _enclosed(part)
    if messages is not None:
        try:
            return b"\n".join(message.as_bytes() for message in messages)
        except _PARSER_ERRORS:
            parts.warn("an enclosed message could not be read")
            return b""
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _text(content: bytes, part: Message) -> str:
    """The text of a part of the body, in the charset that the header field names if that fits."""
    declared = str(part.get_content_charset() or "utf-8").lower()
    if not declared.startswith(("utf-16", "utf-32")):
        content = content.replace(b"\0", b"")
    if not content.strip():
        return ""
    try:
        text = content.decode(_WIDER.get(declared, declared))
    except (UnicodeError, LookupError):
        text = decode(content.replace(b"\0", b""))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if str(part.get_param("format", "")).lower() != "flowed":
        return text
    # RFC 3676: a line that ends with a space goes on in the next, save the line above a signature.
    glue = "" if str(part.get_param("delsp", "")).lower() == "yes" else " "
    return re.sub(r"(?m)(?<!^--) \n(?!>)", glue, text)


# Names.


def _safe_name(part: Message, number: int) -> str:
    """The file name of an attachment without folders and without characters that a file system may refuse."""
    given = unicodedata.normalize("NFC", (part.get_filename() or "").encode("utf-8", "replace").decode())
    base = PurePosixPath(given.replace("\\", "/")).name
    name = _UNSAFE.sub("_", " ".join(_UNSEEN.sub("", base).split())).lstrip(". ")
    if not name:
        name = f"part-{number}{_suffix_of(part)}"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, suffix = name, ""
    room = MAX_NAME_BYTES - len((dot + suffix).encode() if suffix else b"")
    stem = stem.encode()[:room].decode("utf-8", "ignore")
    return f"{stem}.{suffix}" if suffix else stem


def _suffix_of(part: Message) -> str:
    kind = part.get_content_type()
    return ".eml" if kind == "message/rfc822" else mimetypes.guess_extension(kind) or ".bin"


def _unused(name: str, taken: set[str]) -> str:
    """The name, numbered if it is taken: ``a.pdf``, ``a (2).pdf``."""
    path = PurePosixPath(name)
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{path.stem} ({number}){path.suffix}"
    return unused


# Elements.


def _assembled(message: Message, parts: _Parts, source: Source, options: PartitionOptions) -> Partition:
    subject = _header(message, "Subject")
    found = [Element(element_id="subject", category="Title", text=subject, category_depth=0)] if subject else []
    shown = [(name, _header(message, name)) for name in SHOWN_FIELDS]
    shown.append(("Attachments", ", ".join(name for name, _ in parts.members)))
    fields = "; ".join(f"{name}: {value}" for name, value in shown if value)
    found += [Element(element_id="fields", category="NarrativeText", text=fields)] if fields else []
    images: dict[str, bytes] = {}
    placed: set[str] = set()
    for number, (kind, text) in enumerate(parts.texts):
        if kind == "html":
            body = partition_markup(_with_pictures(text, parts.inline, placed), source, options)
            images |= body.images
            parts.warnings += [w for w in body.warnings if w not in parts.warnings]
            parts.left_out.update(body.left_out)
            found += [_prefixed(e, number, is_below=bool(subject)) for e in body.elements]
        else:
            found += [_prefixed(e, number) for e in _plain_elements(text, source)]
    if options.images != "off":
        pictures = dict(_stored(parts, placed))
        images |= pictures
        found += [Element(element_id=key, category="Image", text="", image_path=key) for key in pictures]
    return Partition(
        elements=tuple(_identified(found, source.id)),
        images=images,
        warnings=tuple(parts.warnings),
        members=tuple(parts.members),
        left_out=dict(parts.left_out),
    )


def _header(message: Message, name: str) -> str:
    """A header field as it is read, on one line; empty if there is none."""
    try:
        value = str(message.get(name, ""))
    except _PARSER_ERRORS:
        value = next((str(raw) for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())


def _plain_elements(text: str, source: Source) -> tuple[Element, ...]:
    """The paragraphs and list items of plain text. Short lines in a letter are greetings and names, not headings."""
    offline_unstructured()
    from unstructured.partition.text import partition_text

    found = to_elements(partition_text(text=_unquoted(text), languages=[""]), source.id)
    return tuple(
        replace(e, category="NarrativeText", category_depth=None) if e.category == "Title" else e for e in found
    )


def _unquoted(text: str) -> str:
    """The text without the marks of quotation at the start of its lines; what is quoted begins a paragraph."""
    lines: list[str] = []
    before = 0
    for line in text.splitlines():
        marks = re.match(r"(?:> ?)*", line)
        depth = marks[0].count(">") if marks else 0
        lines += ["", line] if depth != before else [line]
        before = depth
    return re.sub(r"(?m)^(?:> ?)+", "", "\n".join(lines))


def _with_pictures(markup: str, inline: Sequence[_Inline], placed: set[str]) -> str:
    """HTML with the pictures that it shows by Content-ID set in; their ids are added to ``placed``."""
    by_id = {picture.cid: picture for picture in inline if picture.cid and len(picture.content) <= INLINE_BYTES}

    def address(found: re.Match[str]) -> str:
        picture = by_id.get(found["id"])
        if picture is None:
            return found[0]
        placed.add(picture.cid)
        return f"{found['before']}data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}"

    return _CID.sub(address, markup)


def _stored(parts: _Parts, placed: set[str]) -> Iterator[tuple[str, bytes]]:
    """The pictures that no HTML has placed, as PNG by their key."""
    for picture in parts.inline:
        if picture.cid and picture.cid in placed:
            continue
        made = picture_png(picture.content)
        if made is None:
            parts.warn("a picture in the message could not be read")
        elif is_too_small((0, 0, *png_size(made[1]))):
            parts.left_out[SMALL] += 1
        elif is_plain_png(made[1]):
            parts.left_out[PLAIN] += 1
        else:
            yield made


def _prefixed(element: Element, number: int, *, is_below: bool = False) -> Element:
    """An element of one of several texts, with ids of its own and, if it is a heading, below the subject."""
    depth = element.category_depth
    if is_below and element.category == "Title":
        depth = (depth or 0) + 1
    is_bound = element.category == "FigureCaption" and element.parent_id
    return replace(
        element,
        element_id=f"{number}:{element.element_id}",
        parent_id=f"{number}:{element.parent_id}" if is_bound else None,
        category_depth=depth,
    )


def _identified(found: Sequence[Element], source_id: str) -> list[Element]:
    """The elements with ids by their place; captions keep their owner, all others stand under the heading above."""
    ids = {e.element_id: stable_id(source_id, i, e.category, e.text) for i, e in enumerate(found)}
    return nest_under_headings(
        replace(e, element_id=ids[e.element_id], parent_id=ids.get(e.parent_id or "")) for e in found
    )
