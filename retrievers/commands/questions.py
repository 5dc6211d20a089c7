"""Questions on the command line, and files of them: a line of JSON each."""

from __future__ import annotations

import glob
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from retrievers.commands.output import emit


def required(text: str | None) -> str:
    """The question, which must be there."""
    if not text or not text.strip():
        raise click.UsageError("a question is missing: give it in quotes, or a file of them with --questions")
    return text


def answer_each(file: Path, k: int, *, as_json: bool, reply: Callable[[str, int, str | None], dict[str, Any]]) -> None:
    """Answer each line of a questions file with a JSON line."""
    if not as_json:
        raise click.UsageError("--questions needs --json")
    for line in list(question_lines(file)):
        started = time.perf_counter()
        found = reply(line["question"], line.get("k") or k, _literal_doc(line.get("doc")))
        emit({"id": line["id"], **found, "seconds": round(time.perf_counter() - started, 4)})


def _literal_doc(doc: str | None) -> str | None:
    """A glob that the named file matches, whatever its name."""
    return glob.escape(doc) if doc else None


def question_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The questions of a file, each with ``id`` and ``question``, and ``k`` and ``doc`` where they stand in it.

    Raises:
        click.UsageError: the file, or a line of it, cannot be understood.
    """
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise click.UsageError(f"{file} is not UTF-8") from exc
    for number, text in enumerate(lines, 1):
        if text.strip():
            yield _question_line(text, f"{file}, line {number}")


def _question_line(text: str, where: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as exc:
        raise click.UsageError(f"{where}: not JSON ({exc.msg})") from exc
    if not isinstance(line, dict) or not isinstance(line.get("question"), str) or "id" not in line:
        raise click.UsageError(f'{where}: needs {{"id", "question"}}')
    if not isinstance(line.get("doc"), str | None):
        raise click.UsageError(f'{where}: "doc" must be the name of a file')
    k = line.get("k")
    if k is not None and (not isinstance(k, int) or isinstance(k, bool) or k < 1):
        raise click.UsageError(f'{where}: "k" must be a number above 0')
    return line
