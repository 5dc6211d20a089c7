"""How commands print what became of sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from retrievers.commands.output import emit, plain, write_line

if TYPE_CHECKING:
    from ingest.types import SourceResult


def print_results(
    found: Iterator[SourceResult], *, as_json: bool, say: Callable[[str], None], is_news: bool = False
) -> list[SourceResult]:
    """Print results as they come, and their sum; of news nothing where there are none."""
    started = time.perf_counter()
    results: list[SourceResult] = []
    for result in found:
        results.append(result)
        print_result(result, as_json=as_json, say=say)
    if results or not is_news:
        _print_summary(results, time.perf_counter() - started, as_json=as_json, say=say)
    return results


def print_result(
    result: SourceResult, *, as_json: bool, say: Callable[[str], None] = write_line, in_full: bool = False
) -> None:
    """Print one result; ``in_full`` also what was left out of it as decoration."""
    from ingest.images import LEFT_OUT
    from retrievers.shapes import result_json

    if as_json:
        emit(result_json(result))
        return
    detail = plain(result.reason or _counts(result))
    colour = {"failed": "red", "partial": "yellow", "skipped": "yellow", "ingested": "green"}.get(result.state)
    say(f"{click.style(f'{result.state:9}', fg=colour)} {plain(result.path)}" + (f"  {detail}" if detail else ""))
    for warning in result.warnings if result.state in ("ingested", "partial") else ():
        if in_full or LEFT_OUT not in warning:
            say(f"          {click.style('warning', fg='yellow')}: {plain(warning)}")


def _counts(result: SourceResult) -> str:
    if result.state == "removed":
        return ""
    tables, images = result.elements.get("Table", 0), result.elements.get("Image", 0)
    found = ((result.pages, "page"), (result.chunks, "chunk"), (tables, "table"), (images, "picture"))
    return ", ".join(f"{n} {name}{'s' * (n != 1)}" for n, name in found if n)


def _print_summary(results: list[SourceResult], seconds: float, *, as_json: bool, say: Callable[[str], None]) -> None:
    from retrievers.shapes import summary_json

    summary = summary_json(results, seconds)
    if as_json:
        emit(summary)
        return
    counts = summary["summary"]
    states = ("ingested", "unchanged", "partial", "skipped", "failed", "removed")
    said = ", ".join(f"{counts[s]} {s}" for s in states if counts[s]) or "nothing to do"
    say(f"{said}; {counts['pages']} pages in {seconds:.1f} s")
