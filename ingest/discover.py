"""Paths to sources: what lies under a root, and what each file is, by its content and not by its name."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.errors import BrokenError, SourceError, UnavailableError, UnsupportedError
from ingest.partition import FORMATS, format_of_extension, format_of_text, lacking, missing_program
from ingest.types import Source

ARCHIVE_DIRECTORY_BYTES = 2**24
"""Bytes of an archive's list of its members up to which it is read to tell the type: no document has so many parts."""
BLOCK_BYTES = 2**20
FUTURE_NS = 3600 * 10**9
"""Nanoseconds by which a file's time may lie ahead and still be true."""
READINGS = 3
"""Times that a file is read which changes while it is read."""
HEAD_BYTES = 2**16
"""Bytes that tell a type; a saved page names its address below styles and scripts."""
BEING_WRITTEN = "is being written; the next ingest reads it"
LIBRARY_MARKS = {"library.sqlite", "images"}
"""A folder that holds all of these is a library."""
TEXT_FORMATS = ("md", "rst", "txt", "csv", "html", "mhtml")
_MAGIC = (
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"{\\rtf", "rtf"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks after which zero bytes belong to the text."""
_PDF_MARK = re.compile(rb"%PDF-\d")
_MAIL_FIELDS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:From [^\n]*\n)?[!-9;-~]+[ \t]*:")
_MAIL_START = re.compile(
    rb"(?:(?:From|To|Received|Return-Path|Date|MIME-Version|Message-ID|Subject|Delivered-To|X-[\w-]+)"
    rb":[^\n]*\n(?:[ \t][^\n]*\n)*){3}",
    re.IGNORECASE,
)
"""A text without a known extension is mail when it begins with three of the fields that messages begin with."""
_OLE_MARKS = (("WordDocument", "doc"), ("PowerPoint Document", "ppt"), ("Workbook", "xls"), ("\0Book\0", "xls"))
_OFFICE = ("docx", "pptx", "xlsx", "doc", "ppt", "xls")
_ODF_TYPES = (("opendocument.text", "odt"), ("opendocument.presentation", "odt"), ("opendocument.spreadsheet", "ods"))
_FLAT_ODF = re.compile(rb"<office:document\b[^>]*\boffice:mimetype=[\"']([^\"']+)")
_OCTAL = re.compile(rb"\\([0-7]{3})")
"""How a space or line break in a mount point's name is told."""
_SVG_START = re.compile(
    rb"(?:<\?xml[^>]*\?>|<!--.*?-->|<!doctype svg[^>\[]*(?:\[.*?\])?\s*>|\s)+<(?:\w+:)?svg\b", re.DOTALL
)
_SAVED_PAGE = re.compile(rb"(?im)^(?:Snapshot-Content-Location:|From: *<?Saved by )")
_MSG_MARK = "__properties_version1.0".encode("utf-16-le")
"""The stream that the root folder of an Outlook message holds."""
_ZIP_MARKS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a root holds: files in a fixed order, the folders that could not be read, and those that are mounted."""

    files: tuple[str, ...]
    unreadable: tuple[str, ...]
    mounts: tuple[str, ...] = ()
    unmounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """What changes when a file is written to, or another takes its place; equal stamps alone do not prove equal bytes.

    Times are in nanoseconds. ``changed_ns`` cannot be set back, as ``mtime_ns`` can.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    changed_ns: int

    def is_fresh(self, now_ns: int, seconds: float) -> bool:
        """Whether the file was touched in the last seconds, or since. A clock that was set back does not count."""
        return now_ns - seconds * 1e9 < self.changed_ns < now_ns + FUTURE_NS


def stamp_of(found: os.stat_result) -> FileStamp:
    """The stamp of a file."""
    return FileStamp(
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
    )


def list_files(root: Path, *, library: Path | None = None, follow: bool = False) -> Listing:
    """Every regular file under a root, or the root itself when it is a file.

    Hidden files and folders, symbolic links, pipes, sockets, devices and library folders, ``library`` among them, are
    left out of folders. ``follow``: links are followed wherever they lead, each folder once.

    Raises:
        FileNotFoundError: there is no such path.
    """
    if not stat.S_ISDIR(root.stat().st_mode):
        return Listing(files=(str(root),), unreadable=())
    own = _identity(library.stat()) if library is not None and library.exists() else None
    files: list[str] = []
    unreadable: list[str] = []
    mounted = mount_points()
    met: list[str] = []
    # The shallower folder first, so that of two ways to one the shorter counts.
    folders, seen = deque([str(root)]), {own}
    while folders:
        folder = folders.popleft()
        try:
            inside = list(_visible(folder, follow=follow))
            if {e.name for e in inside} >= LIBRARY_MARKS or not _is_new(folder, seen):
                continue
            met.append(folder)
            files += (e.path for e in inside if e.is_file(follow_symlinks=follow))
            folders.extend(sorted(e.path for e in inside if e.is_dir(follow_symlinks=follow)))
        except OSError:
            unreadable.append(folder)
    return Listing(
        files=tuple(sorted(files, key=os.fsencode)),
        unreadable=tuple(sorted(unreadable, key=os.fsencode)),
        mounts=tuple(sorted(mounted.intersection(met) - {str(root)}, key=os.fsencode)),
    )


def mount_points() -> frozenset[str]:
    """The folders on which something is mounted, where the system tells (Linux's proc_pid_mountinfo(5))."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:  # noqa: PTH123 (bytes, as in the names of this module)
            places = [line.split()[4] for line in file]
    except OSError:
        return frozenset()
    return frozenset(os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), place)) for place in places)


def _visible(folder: str, *, follow: bool) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        visible = (entry for entry in entries if not entry.name.startswith("."))
        yield from (e for e in visible if not e.is_symlink() or (follow and Path(e.path).exists()))


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_new(folder: str, seen: set[tuple[int, int] | None]) -> bool:
    """Whether a folder was not met before; now it was."""
    own = _identity(os.stat(folder))  # noqa: PTH116 (names need not be valid for pathlib)
    known = own in seen
    seen.add(own)
    return not known


def identify(path: str, *, max_bytes: int, follow: bool = True) -> Source:
    """The source that a file is: its sha256, size and format. ``follow``: the path may be a symbolic link.

    Raises:
        UnsupportedError: not a regular file, too large, or not a type that is read.
        UnavailableError: the file was written to each time that it was read.
        SourceError: the file cannot be read.
        BrokenError: the file is empty or is not what its name says.
    """
    try:
        for _ in range(READINGS):
            with _open_regular(path, follow=follow) as file:
                before = stamp_of(os.fstat(file.fileno()))
                found = _source_of(file, path, max_bytes)
                if stamp_of(os.fstat(file.fileno())) == before:
                    return found
    except PermissionError as exc:
        raise SourceError("cannot be read: permission denied") from exc
    except OSError as exc:
        raise SourceError(f"cannot be read: {exc.strerror}") from exc
    raise UnavailableError(BEING_WRITTEN)


def _source_of(file: BinaryIO, path: str, max_bytes: int) -> Source:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    size, digest = _digest(file, max_bytes)
    return Source(id=digest, path=Path(path), format=sniff(head, Path(path).suffix, file), size=size)


def _digest(file: BinaryIO, max_bytes: int) -> tuple[int, str]:
    """The size and sha256 of what can be read: what has no size of its own, as in /proc, or grows, has an end here."""
    if os.fstat(file.fileno()).st_size <= max_bytes:
        size, digest = 0, hashlib.sha256()
        while size <= max_bytes and (block := file.read(BLOCK_BYTES)):
            size += len(block)
            digest.update(block)
        if size <= max_bytes:
            return size, digest.hexdigest()
    raise UnsupportedError(f"larger than {max_bytes // 2**20} MB (set PINCITE_MAX_FILE_MB to read it)")


def _open_regular(path: str, *, follow: bool) -> BinaryIO:
    """A regular file. Nothing else is opened: opening alone lets a pipe's writer go on, and can set off a device."""
    if not stat.S_ISREG(os.stat(path, follow_symlinks=follow).st_mode):  # noqa: PTH116 (as above)
        raise UnsupportedError("not a regular file")
    # What took its place since is not followed, and not waited for.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsupportedError("not a regular file")
    return os.fdopen(handle, "rb")


def read_stamp(path: str, *, follow: bool) -> FileStamp | None:
    """The stamp of what stands at a path; ``None`` when nothing does."""
    try:
        return stamp_of(os.stat(path, follow_symlinks=follow))  # noqa: PTH116 (as above)
    except OSError:
        return None


def sniff(head: bytes, suffix: str, file: BinaryIO | None = None) -> str:
    """The format of a file from its first bytes; the extension decides only among texts.

    Raises:
        UnsupportedError: a type that is not read.
        BrokenError: empty, or not what its extension says.
    """
    named = format_of_extension(suffix)
    if not head:
        if named is None:
            raise UnsupportedError(_unread(suffix))
        raise BrokenError("empty file (0 bytes)")
    found = _binary_format(head, named, file)
    if found == "ole" and file is not None and _is_outlook(head, file):
        return "msg"
    if found == "ole":
        found = _ole_format(head, named, file)
    if found is None and (b"\x00" not in head or head.startswith(_UTF16_MARKS)):
        found = _text_format(head, named)
    if found in FORMATS:
        if problem := lacking(found):
            # Found out before the file counts as read, so that the next ingest looks again.
            raise UnsupportedError(str(problem))
        return found
    if named is not None and found is None:
        raise BrokenError(f"not a {named.upper()} file despite its name")
    raise UnsupportedError(_unread(suffix, found))


def sniff_bytes(data: bytes, name: str) -> str:
    """The format of a container's part.

    Raises:
        SourceError: as ``sniff``.
    """
    return sniff(data[:HEAD_BYTES], Path(name).suffix, io.BytesIO(data))


def _unread(suffix: str, found: str | None = None) -> str:
    kind = found if found not in (None, "ole", "zip") else suffix.lstrip(".").lower()
    return f"not a type that is read ({kind})" if kind else "not a type that is read"


def _binary_format(head: bytes, named: str | None, file: BinaryIO | None) -> str | None:
    mark = _PDF_MARK.search(head[:1024])
    # Readers allow bytes before the mark, but a text may speak of it.
    if mark is not None and (mark.start() == 0 or named not in TEXT_FORMATS or b"\x00" in head):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zip_format(file) if file is not None else "zip"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def _is_outlook(head: bytes, file: BinaryIO) -> bool:
    """Whether the folder of an OLE file, whose place its header tells, is that of an Outlook message."""
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 12)
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
    return _MSG_MARK in file.read(max(sector, 4096))


def _zip_format(file: BinaryIO) -> str | None:
    if _directory_bytes(file) > ARCHIVE_DIRECTORY_BYTES:
        return "zip"
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            kind = _stated_type(archive) if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return None
    if kind.startswith("application/epub") or ("META-INF/container.xml" in names and "content.xml" not in names):
        return "epub"
    if ("content.xml" in names or "encrypted-package" in names) and (kind or "META-INF/manifest.xml" in names):
        return next((form for mark, form in _ODF_TYPES if mark in kind), "zip" if kind else "odt")
    return next((kind for mark, kind in _ZIP_MARKS if any(n.startswith(mark) for n in names)), "zip")


def _directory_bytes(file: BinaryIO) -> int:
    """The size of an archive's list of its members, as its last records state it (PKWARE's APPNOTE, 4.3.14 and 16)."""
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - 2**16 - 100))
    tail = file.read()
    small, large = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    stated = int.from_bytes(tail[small + 12 : small + 16], "little") if small >= 0 else 0
    return max(stated, int.from_bytes(tail[large + 40 : large + 48], "little") if large >= 0 else 0)


def _stated_type(archive: zipfile.ZipFile) -> str:
    """The type that an archive of an open format states of itself."""
    with archive.open("mimetype") as member:
        return member.read(200).decode("ascii", "replace").strip()


def _ole_format(head: bytes, named: str | None, file: BinaryIO | None) -> str | None:
    """The format of an OLE file by the streams in its directory; an encrypted one is left to its reader to tell.

    A file may hold files of other formats: among several, its name decides.

    Raises:
        UnsupportedError: what reads it is not installed; told here, so that the next ingest looks again.
    """
    content = head if file is None else (file.seek(0), file.read())[1]
    if "EncryptedPackage".encode("utf-16-le") in content:
        return named if named in _OFFICE else "docx"
    kinds = [kind for name, kind in _OLE_MARKS if name.encode("utf-16-le") in content]
    found = named if named in kinds else next(iter(kinds), None)
    if found is not None and (problem := missing_program(found)):
        raise UnsupportedError(problem)
    return found or (named if named in _OFFICE else "ole")


def _text_format(head: bytes, named: str | None) -> str | None:
    if named in ("md", "rst", "txt", "csv"):
        return named
    if _MAIL_FIELDS.match(head) and (named == "mhtml" or (named in (None, "eml") and _SAVED_PAGE.search(head[:4096]))):
        return "mhtml"
    if _MAIL_FIELDS.match(head) if named == "eml" else named is None and _MAIL_START.match(head):
        return "eml"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if named in (None, "svg") and (start.startswith(b"<svg") or _SVG_START.match(start)):
        return "svg"
    if b"office:document" in start and (flat := _FLAT_ODF.search(start)):
        return next((form for mark, form in _ODF_TYPES if mark.encode() in flat[1]), None)
    looks_html = start.startswith((b"<!doctype html", b"<html")) or (
        start.startswith((b"<?xml", b"<!--")) and b"<html" in start
    )
    is_html = looks_html or named == "html"
    special = format_of_text(head) if is_html or start.startswith((b"{", b"[")) else None
    return special or ("html" if is_html else None)


def roots_of(paths: Iterable[str | Path]) -> list[Path]:
    """Arguments as absolute paths, each once. Links in their folders are resolved, a root may itself be a link."""
    return list(dict.fromkeys(map(_absolute, paths)))


def _absolute(path: str | Path) -> Path:
    given = Path(path).expanduser().absolute()
    return given.resolve() if given.name in ("", "..") else given.parent.resolve() / given.name
