"""The command that brings the library into sync with files, folders, web pages and buckets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrievers.commands.opened import open_library, settings_of
from retrievers.commands.options import json_option, library_option, parser_option, password_option
from retrievers.commands.output import FAILED, plain, write_line
from retrievers.commands.partitioning import tell_of_cloud
from retrievers.commands.results import print_results

if TYPE_CHECKING:
    from ingest.pipeline import Progress
    from ingest.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH_OR_URL...")
@library_option
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@parser_option
@click.option(
    "--images",
    type=click.Choice(["auto", "llava", "ocr", "off"]),
    default="auto",
    show_default=True,
    help="How pictures are read: auto takes LLaVA where Ollama has it, and OCR.",
)
@click.option(
    "--tables",
    type=click.Choice(["plain", "summarized"]),
    default="plain",
    show_default=True,
    help="summarized: the chat model says what each table is about, as one more way to find it; slow.",
)
@click.option(
    "--chunking",
    type=click.Choice(["by_title", "by_page", "similarity"]),
    default="by_title",
    show_default=True,
    help="Where chunks begin.",
)
@click.option("--depth", type=click.IntRange(min=0), help="Links to follow from a web page [as last time, else 0].")
@click.option("--max-pages", type=click.IntRange(min=1), help="Pages of a site to take [as last time, else 100].")
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="Seconds between requests to a site; what its robots.txt asks for counts if it is more.",
)
@click.option("--allow-private", is_flag=True, help="Fetch also from this machine and private networks.")
@click.option("--watch", is_flag=True, help="Go on after that: follow the folders until Ctrl-C.")
@click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links in folders, wherever they lead.")
@click.option("--prune", is_flag=True, help="Remove the sources of a root that is gone or suddenly empty.")
@click.option(
    "--retry-failed", is_flag=True, help="Read files again that failed before, or lost a page, and have not changed."
)
@click.option("--no-wait", is_flag=True, help="Exit when another process is writing to the library.")
@click.option("--engine", type=click.Choice(["local", "ray"]), help="Where documents are read and embedded [local].")
@click.option("--ray-address", metavar="HOST:PORT", help="Head of a Ray cluster [one is started on this machine].")
@password_option
@json_option
def ingest(
    paths: tuple[str, ...],
    library: Path | None,
    jobs: int | None,
    parser: str,
    images: str,
    tables: str,
    chunking: str,
    depth: int | None,
    max_pages: int | None,
    delay: float,
    allow_private: bool,
    watch: bool,
    follow_symlinks: bool,
    prune: bool,
    retry_failed: bool,
    no_wait: bool,
    engine: str | None,
    ray_address: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Bring the library into exact sync with files, folders, web pages and buckets.

    New and changed files are read, unchanged ones cost nothing, files that are gone are removed.

    \b
    pincite ingest docs reports/2024.pdf
    pincite ingest docs --jobs 1 --json
    pincite ingest https://example.org/handbook/ --depth 2
    pincite ingest s3://bucket/reports
    pincite ingest docs --watch
    pincite ingest /shared/docs --engine ray --ray-address 10.0.0.5:6379
    """
    from ingest.chunk import ChunkOptions
    from ingest.crawl import CrawlOptions
    from ingest.partition import PartitionOptions
    from ingest.pipeline import IngestOptions
    from ingest.pipeline import ingest as run
    from ingest.watch import follow

    settings = settings_of(library, jobs=jobs, password=password, engine=engine, ray_address=ray_address)
    options = IngestOptions(
        partition=PartitionOptions(parser=parser, images=images, password=settings.password),  # type: ignore[arg-type]
        chunk=ChunkOptions(chunking=chunking),  # type: ignore[arg-type]
        crawl=CrawlOptions(depth=depth, max_pages=max_pages, delay=delay, allow_private=allow_private),
        tables=tables,  # type: ignore[arg-type]
        prune=prune,
        follow_symlinks=follow_symlinks,
        retry_failed=retry_failed,
        wait=not no_wait,
    )
    tell_of_cloud(parser)
    with _screen(as_json=as_json) as (update, say):
        if watch:
            for turn in follow(paths, options=options, settings=settings, on_progress=update):
                print_results(turn, as_json=as_json, say=say, is_news=True)
        results = print_results(
            run(paths, options=options, settings=settings, on_progress=update), as_json=as_json, say=say
        )
    if images == "auto" and not as_json:
        _tell_of_pictures(settings)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


def _tell_of_pictures(settings: Settings) -> None:
    """Say how many pictures a vision model would still describe, and how."""
    from ingest.errors import LibraryError
    from retrievers.doctor import undescribed_pictures

    try:
        with open_library(settings) as opened:
            found = undescribed_pictures(opened, settings)
    except LibraryError:
        return
    if found is not None:
        click.echo(plain(found.found))
        click.echo(click.style(f"to have it made: {plain(found.fix)}", fg="cyan"))


@contextmanager
def _screen(*, as_json: bool) -> Iterator[tuple[Callable[[Progress], None] | None, Callable[[str], None]]]:
    """What shows progress, a bar on stderr if that is a terminal, and what prints a line without breaking the bar."""
    if not sys.stderr.isatty() or (as_json and sys.stdout.isatty()):
        yield None, write_line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column
    from rich.text import Text

    columns = (
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[pages]} pages"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[stage]} {task.fields[name]}", markup=False, table_column=Column(no_wrap=True)),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("ingest", total=None, pages=0, unit="files", stage="", name="")

        def update(now: Progress) -> None:
            name = plain(Path(now.path).name)
            total = now.total or None
            if bar.tasks[0].fields["unit"] != now.unit:
                bar.reset(task)  # the time left is that of another kind of work
            bar.update(
                task, total=total, completed=now.done, pages=now.pages, unit=now.unit, stage=now.stage, name=name
            )

        def say(line: str) -> None:
            bar.console.print(Text.from_ansi(line), soft_wrap=True)

        yield update, say if sys.stdout.isatty() else write_line
