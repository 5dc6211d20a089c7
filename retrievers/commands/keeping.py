"""The commands that say what a library holds and how it stands, take out of it, and rebuild it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrievers.commands.opened import open_history, open_library, settings_of
from retrievers.commands.options import json_option, library_option
from retrievers.commands.output import FAILED, emit, plain
from retrievers.commands.results import print_result

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.settings import Settings


@click.command()
@library_option
@json_option
def status(library: Path | None, as_json: bool) -> None:
    """What the library holds: each source's state, reason, warnings, pages and elements; totals.

    \b
    pincite status
    pincite status --json
    """
    from ingest.pipeline import library_status
    from retrievers.shapes import result_json

    with open_library(settings_of(library)) as opened:
        results = library_status(opened)
        counts, embedder = opened.counts(), opened.embedder
    if as_json:
        totals = {
            **counts,
            "pages": sum(r.pages or 0 for r in results),
            "embedder": embedder.name if embedder else None,
        }
        emit({"library": str(opened.folder), "sources": [result_json(r) for r in results], "totals": totals})
        return
    for result in results:
        print_result(result, as_json=False, in_full=True)
    said = ", ".join(f"{n} {name}" for name, n in counts.items())
    click.echo(f"{said}; embedder {embedder.name if embedder else 'not chosen yet'}; {opened.folder}")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@library_option
@click.option(
    "--purge-history/--keep-history",
    default=None,
    help="Delete the turns of sessions that quote what was removed [asked for in a terminal, else kept].",
)
@json_option
def remove(paths: tuple[str, ...], library: Path | None, purge_history: bool | None, as_json: bool) -> None:
    """Take files, or all files under folders, out of the library. The files themselves stay.

    \b
    pincite remove docs/report.pdf
    pincite remove docs/report.pdf --purge-history
    """
    from ingest.pipeline import remove as run

    settings = settings_of(library)
    with open_library(settings) as opened:
        results = run(opened, paths, keep_summaries=settings.keep_summaries)
        for result in results:
            print_result(result, as_json=as_json)
        _purge(opened, settings, purge_history)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


def _purge(library: Library, settings: Settings, wanted: bool | None) -> None:
    """Delete the turns that quote what has left the library, if that is wanted, and say how many there are."""
    from retrievers.history import gone_sources

    history = open_history(settings, library.folder)
    gone = gone_sources(history, library)
    count = history.count_citing(gone) if gone else 0
    turns = "1 turn of a session quotes" if count == 1 else f"{count} turns of sessions quote"
    if count and wanted is None and sys.stdin.isatty() and sys.stderr.isatty():
        wanted = click.confirm(f"{turns} what has left the library: delete them too?", err=True)
    if wanted:
        said = f"{history.purge(gone)} deleted from sessions"
    elif count:
        said = f"{turns} what has left the library; to delete: pincite history --purge"
    else:
        return
    click.echo(said, err=True)


@click.command()
@library_option
@click.option("--delete", "deleted", metavar="ID", help="Delete this session.")
@click.option("--purge", is_flag=True, help="Delete the turns that quote what has left the library.")
@json_option
def history(library: Path | None, deleted: str | None, purge: bool, as_json: bool) -> None:
    """List the sessions with their last questions; delete what should not be kept.

    \b
    pincite history
    pincite history --delete board
    """
    settings = settings_of(library)
    with open_library(settings) as opened:
        found = open_history(settings, opened.folder)
        if deleted is not None and not found.delete(deleted):
            raise click.UsageError(f"there is no session {deleted}")
        if purge:
            _purge(opened, settings, wanted=True)
    for session in found.sessions():
        turns = found.turns(session.session_id)
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.started))
        last = turns[-1].question if turns else ""
        if as_json:
            emit({"session": session.session_id, "user_id": session.user_id, "begun": begun, "turns": len(turns)})
        else:
            click.echo(f"{click.style(session.session_id, fg='cyan')}  {begun}  {len(turns)} turns  {plain(last)}")


@click.command()
@library_option
@click.option("--embedder", help="The embedder to change to.", metavar="NAME")
def reindex(library: Path | None, embedder: str | None) -> None:
    """Rebuild the vectors from the stored texts, with another embedder when named.

    \b
    pincite reindex
    pincite reindex --embedder minilm
    """
    from ingest.pipeline import reindex as run

    settings = settings_of(library)
    with open_library(settings) as opened:
        record = run(opened, settings, embedder)
    click.echo(f"vectors rebuilt with {record.name} ({record.dimension} numbers)")


@click.command()
@library_option
@json_option
def doctor(library: Path | None, as_json: bool) -> None:
    """What is installed and reachable, which host is sent what, and what to do about what is not.

    \b
    pincite doctor
    OLLAMA_HOST=gpu-box:11434 pincite doctor --json
    """
    from dataclasses import asdict

    from retrievers.doctor import examine

    checks = list(examine(settings_of(library)))
    if as_json:
        emit({"checks": [asdict(check) for check in checks]})
    for check in checks if not as_json else ():
        mark, colour = {"ok": ("ok", "green"), "note": ("note", "yellow"), "problem": ("PROBLEM", "red")}[check.level]
        click.echo(f"{click.style(f'{mark:8}', fg=colour)}{check.name:20} {plain(check.found)}")
        if check.fix:
            click.echo(f"{'':28} {click.style('do: ' + plain(check.fix), fg='cyan')}")
    if any(check.level == "problem" for check in checks):
        sys.exit(FAILED)
