"""The files that a PDF carries: they are sources of their own, as those that are attached to a message."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

from ingest.partition.pdf_layer import open_layer

MOST = 200
"""Attached files that are read; a PDF that carries more is an archive."""


def attached_files(path: Path, password: str | None = None) -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of each attached file, the names without folders and each once; none where PDFium cannot tell."""
    found: dict[str, bytes] = {}
    with open_layer(path, password) as document:
        count = document.count_attachments() if document is not None else 0
        for number in range(min(count, MOST)):
            try:
                attachment = document.get_attachment(number)  # type: ignore[union-attr]
                name, data = attachment.get_name(), bytes(attachment.get_data())
            except RuntimeError:  # of which PDFium's errors are
                continue
            found[_unused(_safe(name) or f"part-{number + 1}", found)] = data
    return tuple(found.items())


def _safe(name: str) -> str:
    """A file name without folders, control characters and lone surrogates."""
    shown = "".join(ch for ch in name if unicodedata.category(ch) not in ("Cc", "Cs"))
    return PurePosixPath(shown.replace("\\", "/")).name.lstrip(". ")[:120]


def _unused(name: str, taken: dict[str, bytes]) -> str:
    """The name, numbered if it is taken: ``a.pdf``, ``a (2).pdf``."""
    path, number, unused = PurePosixPath(name), 1, name
    while unused in taken:
        number += 1
        unused = f"{path.stem} ({number}){path.suffix}"
    return unused
