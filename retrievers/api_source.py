"""The source code of the running server: who uses a program under the AGPL over a network is entitled to it."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from pathlib import Path

PARTS = ("cli.py", "ingest", "retrievers", "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md")
"""What it is made of. The last ones stand beside it in a checkout alone."""


@cache
def source_archive() -> bytes:
    """A ``tar.gz`` of the very files that run, without names of users or times."""
    root = Path(__file__).resolve().parents[1]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for part in PARTS:
            for path in _files(root / part):
                archive.add(path, f"pincite/{path.relative_to(root)}", recursive=False, filter=_anonymous)
    return out.getvalue()


def _files(part: Path) -> list[Path]:
    found = part.rglob("*") if part.is_dir() else [part]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
