"""How commands write: JSON, and lines that no document can use to steer the terminal."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retrievers.printed import Look

FAILED, NOT_FOUND, INTERRUPTED = 1, 3, 130
"""Exit codes besides 0, and 2 for wrong use."""


def emit(value: object) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def write_line(text: str) -> None:
    """Print a text; lone surrogates, which broken files hold, are escaped."""
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def plain(text: str) -> str:
    """A text of one line that cannot steer the terminal: file names and documents may hold any character."""
    from retrievers.printed import plain

    return plain(text)


def look_of_stdout() -> Look:
    """How to print on what stdout is now."""
    from ingest.settings import read_terminal
    from retrievers.printed import Look

    if not sys.stdout.isatty():
        return Look()
    names = read_terminal()
    colour = not names.get("NO_COLOR") and names.get("TERM") != "dumb"
    return Look(width=shutil.get_terminal_size().columns, colour=colour, raised=writes_unicode())


def writes_unicode() -> bool:
    """Whether stdout takes any character."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def stream(token: str) -> None:
    """Show a model's reply as it comes; the checked answer follows on stdout."""
    shown = "".join(c if c == "\n" else plain(c) for c in token)
    click.echo(click.style(shown, dim=True), err=True, nl=False)
