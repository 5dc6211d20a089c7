"""The options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def library_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names the library."""
    return click.option(
        "-l",
        "--library",
        type=click.Path(path_type=Path, file_okay=False),
        help="Library folder [PINCITE_LIBRARY; else the nearest .pincite upwards].",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout and nothing else.")(command)


def password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for the password of encrypted PDFs."""
    return click.option(
        "--password",
        metavar="TEXT",
        help="Opens encrypted PDFs; kept nowhere. PINCITE_PASSWORD does the same, and other users cannot see it.",
    )(command)


def doc_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names the documents to look in."""
    return click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")(command)


def passages_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for the number of passages that an answer is made from."""
    return click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Passages to read.")(
        command
    )


def parser_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for how PDFs are read."""
    return click.option(
        "--parser",
        type=click.Choice(["auto", "fast", "careful", "llamaparse"]),
        default="auto",
        show_default=True,
        help="How pages of PDF are read; llamaparse sends documents to the cloud, for money.",
    )(command)


def rerank_option(*, default: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option to have the best hits read again, or not."""
    return click.option(
        "--rerank/--no-rerank",
        default=default,
        show_default=True,
        help="Read the best hits again with a cross-encoder: slower, and the first hit is right more often.",
    )
