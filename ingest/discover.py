"""Paths to sources: what lies under a root, and what each file is, by its content and not by its name."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.errors import BrokenError, SourceError, UnsupportedError
from ingest.partition import FORMATS, format_of_extension
from ingest.types import Source

HEAD_BYTES = 4096
TEXT_FORMATS = ("md", "txt", "html")
_MAGIC = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"{\\rtf", "rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)
_ZIP_MARKS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a root holds: files in a fixed order, and the folders that could not be read."""

    files: tuple[str, ...]
    unreadable: tuple[str, ...]


def list_files(root: Path, *, library: Path) -> Listing:
    """Every regular file under a root, or the root itself when it is a file.

    Hidden files and folders, symbolic links and library folders are left out of folders.

    Raises:
        FileNotFoundError: there is no such path.
    """
    mode = root.stat().st_mode
    if not stat.S_ISDIR(mode):
        return Listing(files=(str(root),), unreadable=())
    files: list[str] = []
    unreadable: list[str] = []
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda e: os.fsencode(e.name), reverse=True)
        except OSError:
            unreadable.append(folder)
            continue
        for entry in inside:
            if entry.name.startswith(".") or entry.is_symlink() or Path(entry.path) == library:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                files.append(entry.path)
    return Listing(files=tuple(sorted(files, key=os.fsencode)), unreadable=tuple(unreadable))


def identify(path: str, *, max_bytes: int) -> Source:
    """The source that a file is: its sha256, size and format.

    Raises:
        UnsupportedError: not a regular file, too large, or not a type that is read.
        SourceError: the file cannot be read.
        BrokenError: the file is empty or is not what its name says.
    """
    try:
        with _open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise UnsupportedError(f"larger than {max_bytes // 2**20} MB (set PINCITE_MAX_FILE_MB to read it)")
            head = file.read(HEAD_BYTES)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            found = sniff(head, Path(path).suffix, file)
    except PermissionError as exc:
        raise SourceError("cannot be read: permission denied") from exc
    except OSError as exc:
        raise SourceError(f"cannot be read: {exc.strerror}") from exc
    return Source(id=digest, path=Path(path), format=found, size=size)


def _open_regular(path: str) -> BinaryIO:
    """The file, opened without following a link and without waiting on a pipe."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsupportedError("not a regular file")
    return os.fdopen(handle, "rb")


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
    found = _binary_format(head, file)
    if found == "ole" and named in ("docx", "pptx", "xlsx"):
        return named
    if found is None and b"\x00" not in head:
        found = _text_format(head, named)
    if found in FORMATS:
        return found
    if named is not None and found is None:
        raise BrokenError(f"not a {named.upper()} file despite its name")
    raise UnsupportedError(_unread(suffix, found))


def _unread(suffix: str, found: str | None = None) -> str:
    kind = found if found not in (None, "ole", "zip") else suffix.lstrip(".").lower()
    return f"not a type that is read ({kind})" if kind else "not a type that is read"


def _binary_format(head: bytes, file: BinaryIO | None) -> str | None:
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zip_format(file) if file is not None else "zip"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def _zip_format(file: BinaryIO) -> str | None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if "mimetype" in names and "[Content_Types].xml" not in names:
        return "epub" if "META-INF/container.xml" in names else "odt"
    return next((kind for mark, kind in _ZIP_MARKS if any(n.startswith(mark) for n in names)), "zip")


def _text_format(head: bytes, named: str | None) -> str | None:
    if named in TEXT_FORMATS:
        return named
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    looks_html = start.startswith((b"<!doctype html", b"<html")) or (
        start.startswith((b"<?xml", b"<!--")) and b"<html" in start
    )
    return "html" if looks_html else None


def roots_of(paths: Iterator[str]) -> list[Path]:
    """Arguments as absolute paths without links in their folders, each once."""
    return list(dict.fromkeys(Path(p).expanduser().absolute() for p in paths))
