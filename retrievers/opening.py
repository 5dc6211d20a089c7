"""Opening a picture or an address with the program that the desktop has for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ingest.urls import is_url

OPENERS = {"darwin": ("open",), "linux": ("xdg-open", "gio open", "wslview")}
"""By platform: the commands that open a file, the usual one first."""


def opener(platform: str = sys.platform) -> list[str] | None:
    """The command that opens a file here; ``None`` where there is none."""
    for command in OPENERS.get("darwin" if platform == "darwin" else "linux", ()):
        program, *arguments = command.split()
        found = shutil.which(program)
        if found:
            return [found, *arguments]
    return None


def open_with_desktop(target: str | Path) -> str | None:
    """Open a file or a web address, and go on at once; what to do instead where that cannot be done."""
    if isinstance(target, str) and not is_url(target):
        return f"{target} is no address that can be opened"
    startfile = getattr(os, "startfile", None)
    command = opener()
    if startfile is None and command is None:
        return f"no program to open it with was found (xdg-open): open {target} yourself"
    try:
        if startfile is not None:
            startfile(str(target))
        elif command is not None:
            # A path of ours or a checked address, as an argument: no shell reads it. It must outlive this command.
            subprocess.Popen(  # noqa: S603
                [*command, str(target)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
    except OSError as exc:
        return f"it could not be opened ({exc.strerror}): open {target} yourself"
    return None


def kept_crop(png: bytes, citation_id: str) -> Path:
    """A file for a crop, in a folder that only this user can read, for a viewer to take it from."""
    path = Path(tempfile.mkdtemp(prefix="pincite-")) / f"{citation_id}.png"
    path.write_bytes(png)
    return path
