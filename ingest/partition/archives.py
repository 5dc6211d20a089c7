"""Archives of office documents and books: what may be unpacked, and XML that expands nothing.

A document that is a ZIP archive is judged by its directory before a byte is unpacked. Members are read into memory
and never written to disk, so that a member's name cannot lead anywhere.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.errors import BrokenError, EncryptedError

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_UNPACKED = 500_000_000
"""Bytes that all members of an archive may hold together, unpacked."""
MAX_RATIO = 200
"""Times that a member of more than ``RATIO_FLOOR`` bytes may be larger unpacked than packed."""
RATIO_FLOOR = 50_000_000
"""Bytes unpacked that no ratio makes a bomb: a long table of like rows packs as well as one."""
MAX_MEMBERS = 50_000
"""Members of an archive; a book of a thousand pictures and chapters stays far below."""
ENCRYPTED = "encrypted: needs a password; save a copy without one"

_OLE = b"\xd0\xcf\x11\xe0"
_OLD_FORMATS = (("WordDocument", "Word", "docx"), ("PowerPoint Document", "PowerPoint", "pptx"))
_TYPES = "[Content_Types].xml"
_MAIN_TYPES = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
_OTHER_MAIN_TYPES = {
    "application/vnd.ms-word.document.macroEnabled.main+xml": "word/",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml": "word/",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml": "word/",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": "ppt/",
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": "ppt/",
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml": "ppt/",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml": "ppt/",
    "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml": "ppt/",
}
"""Content types of documents with macros, templates and shows, which are built like plain documents."""
_STRICT = (
    (b"http://purl.oclc.org/ooxml/officeDocument/", b"http://schemas.openxmlformats.org/officeDocument/2006/"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/", b"http://schemas.openxmlformats.org/wordprocessingml/2006/"),
    (b"http://purl.oclc.org/ooxml/presentationml/", b"http://schemas.openxmlformats.org/presentationml/2006/"),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
)
"""Namespaces of strict Office files (ISO 29500 part 1) and those of transitional ones, which libraries know."""


def check_archive(path: Path, what: str = "docx") -> None:
    """Refuse what is no archive of a sane size, from its directory alone, before anything is unpacked.

    ``what`` names the format in the reason.

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
    if any(not 0 <= member.header_offset < path.stat().st_size for member in members):
        raise BrokenError(f"broken {what}: the archive's list of files leads out of it")
    if any(member.flag_bits & 1 for member in members):
        raise EncryptedError(ENCRYPTED)
    if len(members) > MAX_MEMBERS:
        raise BrokenError(f"broken {what}: {len(members)} files in the archive, far more than a document has")
    size = sum(member.file_size for member in members)
    if size > MAX_UNPACKED or any(_is_bomb(member) for member in members):
        raise BrokenError(f"broken {what}: {size // 1_000_000} MB when unpacked, far more than a document holds")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > RATIO_FLOOR and member.file_size > MAX_RATIO * member.compress_size


def _ole_error(path: Path) -> BrokenError | EncryptedError:
    names = ole_names(path.read_bytes())
    for name, program, better in _OLD_FORMATS:
        if name in names:
            return BrokenError(f"an old {program} file by another name; save it as .{better}")
    return EncryptedError(ENCRYPTED)


def ole_names(content: bytes) -> frozenset[str]:
    """Which of the streams that tell a type an OLE file (MS-CFB) has, by the UTF-16 names of its directory.

    A file with an ``EncryptedPackage`` has that alone: whatever else is found in it is chance.
    """
    known = ("EncryptedPackage", "WordDocument", "PowerPoint Document", "Workbook", "\0Book\0")
    found = frozenset(name.strip("\0") for name in known if name.encode("utf-16-le") in content)
    return frozenset({"EncryptedPackage"}) if "EncryptedPackage" in found else found


def office_package(path: Path) -> io.BytesIO | str:
    """An office file that python-docx and python-pptx open: the path itself, or a copy in memory in plain form.

    Documents with macros, templates and shows get the type of plain ones, strict files the namespaces of
    transitional ones; macros are never in the copy, nor what names parts that the archive has not.
    """
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        types = archive.read(_TYPES) if _TYPES in names else b""
        main = next((n for n in ("word/document.xml", "ppt/presentation.xml") if n in names), None)
        strict = main is not None and b"purl.oclc.org/ooxml/" in archive.read(main)[:8192]
        other = [name for name in _OTHER_MAIN_TYPES if name.encode() in types]
        sound = _sound_relations(archive, names)
        if not (strict or other or sound):
            return str(path)
        return _copied(archive, {_TYPES: _plain_types(types, other), **sound}, strict=strict)


def _sound_relations(archive: zipfile.ZipFile, names: set[str]) -> dict[str, bytes]:
    """The lists of relations that name missing parts, without these: libraries refuse a whole document for one."""
    from lxml import etree  # type: ignore[import-untyped]

    found: dict[str, bytes] = {}
    for name in (n for n in names if n.endswith(".rels")):
        try:
            root = safe_xml(archive.read(name))
        except etree.XMLSyntaxError:
            continue
        base = name.replace("_rels/", "").removesuffix(".rels")
        missing = [
            each
            for each in root
            if each.get("TargetMode") != "External" and member_name(base, unquote(each.get("Target", ""))) not in names
        ]
        for each in missing:
            root.remove(each)
        if missing:
            found[name] = etree.tostring(root)
    return found


def _plain_types(types: bytes, other: list[str]) -> bytes:
    for name in other:
        types = types.replace(name.encode(), _MAIN_TYPES[_OTHER_MAIN_TYPES[name]].encode())
    return types


def _copied(archive: zipfile.ZipFile, changed: Mapping[str, bytes], *, strict: bool) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for name in dict.fromkeys(archive.namelist()):
            content = b"" if name.endswith("vbaProject.bin") else changed.get(name) or archive.read(name)
            if strict and name != _TYPES and name.endswith((".xml", ".rels")):
                for old, new in _STRICT:
                    content = content.replace(old, new)
            copy.writestr(name, content)
    out.seek(0)
    return out


# Members.


class Members(Mapping[str, bytes]):
    """The members of an archive that was checked, by name, each unpacked when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = dict.fromkeys(archive.namelist())

    def __getitem__(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            KeyError: there is no such member.
            zipfile.BadZipFile: it is damaged.
        """
        return self._archive.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


@contextmanager
def opened(path: Path, what: str) -> Iterator[Members]:
    """The members of an archive within its limits.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, no archive, or a bomb.
    """
    check_archive(path, what)
    with zipfile.ZipFile(path) as archive:
        yield Members(archive)


def member_name(base: str, address: str) -> str | None:
    """The member that an address beside the member ``base`` names; ``None`` if it leads out of the archive."""
    if "://" in address or address.startswith(("data:", "mailto:", "//")):
        return None
    parts: list[str] = [] if address.startswith("/") else list(PurePosixPath(base).parent.parts)
    for part in PurePosixPath(address.split("#", maxsplit=1)[0].lstrip("/")).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def safe_xml(content: bytes) -> _Element:
    """Parsed XML: no entity is expanded, no declaration of a document type is loaded, nothing is fetched.

    Raises:
        lxml.etree.XMLSyntaxError: it is damaged, or nested or long beyond measure.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(content, parser)
