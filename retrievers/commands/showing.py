"""The commands that draw: one place, or all that an ingest made."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from retrievers.commands.opened import open_library, settings_of
from retrievers.commands.options import library_option, password_option


@click.command()
@click.argument("wanted", metavar="ID")
@library_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The PNG to write.")
@password_option
def show(wanted: str, library: Path | None, output: Path, password: str | None) -> None:
    """Draw where a chunk, element or citation stands, with its words marked.

    \b
    pincite show 3f2a...-0-58 -o crop.png
    """
    from retrievers.show import show as draw

    settings = settings_of(library, password=password)
    with open_library(settings) as opened:
        output.write_bytes(draw(opened, wanted, password=settings.password))
    click.echo(str(output))


@click.command()
@library_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default="report.html", show_default=True
)
@click.option("--embed", is_flag=True, help="One file with all pictures in it, instead of a folder beside it.")
@click.option("--pages", type=click.IntRange(min=0), metavar="N", help="Show this many pages of each source, at most.")
@click.option("--doc", metavar="GLOB", help="Only sources whose name or path matches.")
@password_option
def report(
    library: Path | None, output: Path, embed: bool, pages: int | None, doc: str | None, password: str | None
) -> None:
    """Write what an ingest made as a page to look through: each page with its boxes, tables, pictures and warnings.

    \b
    pincite report                         report.html, with report_files beside it
    pincite report -o a.html --embed --doc 'a*.pdf' --pages 20
    """
    from retrievers.report import ReportOptions, write_report

    settings = settings_of(library, password=password)
    options = ReportOptions(
        doc=doc, pages=pages, is_embedded=embed, jobs=settings.worker_count, password=settings.password
    )
    with open_library(settings) as opened, click.progressbar(length=0, label="pages", file=sys.stderr) as bar:

        def on_page(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        write_report(opened, output, options, on_page)
    click.echo(str(output))
