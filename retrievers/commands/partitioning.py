"""The command that partitions files without a library."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrievers.commands.opened import settings_of
from retrievers.commands.options import parser_option, password_option
from retrievers.commands.output import FAILED, plain, write_line

if TYPE_CHECKING:
    from ingest.types import Partition


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True, help="Output."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file for one PATH, a folder for many.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@parser_option
@password_option
def partition(
    paths: tuple[Path, ...], form: str, output: Path | None, jobs: int | None, parser: str, password: str | None
) -> None:
    """Partition files without a library: their text, tables and structure.

    \b
    pincite partition report.pdf
    pincite partition docs/*.pdf --format json -o parts
    """
    from ingest.errors import UnsupportedError
    from ingest.partition import PartitionOptions
    from ingest.pipeline import partition_many
    from ingest.rows import shown_path

    files = _files_under(paths)
    if len(files) > 1 and output is None:
        raise click.UsageError("many files need a folder to write to: -o OUT")
    # Only JSON names pictures, and drawing them costs more than all else.
    tell_of_cloud(parser)
    images = "auto" if form == "json" else "off"
    settings = settings_of(jobs=jobs, password=password)
    options = PartitionOptions(parser=parser, images=images, password=settings.password)  # type: ignore[arg-type]
    to_folder = len(files) > 1 or (output is not None and output.is_dir())
    names = _file_names(files, form)
    failed = not files
    for source, found in partition_many(files, settings, options):
        if isinstance(found, Exception):
            named = source in paths or not isinstance(found, UnsupportedError)
            click.echo(f"{'Error' if named else 'Skipped'}: {plain(shown_path(str(source)))}: {found}", err=True)
            failed = failed or named
            continue
        for warning in found.warnings:
            click.echo(f"Warning: {plain(shown_path(str(source)))}: {plain(warning)}", err=True)
        if output is None:
            write_line(_written(source, found, form))
        else:
            target = output / names[source] if to_folder else output
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_written(source, found, form) + "\n", "utf-8", "backslashreplace")
    if not files:
        click.echo("Error: no files there", err=True)
    if failed:
        sys.exit(FAILED)


def tell_of_cloud(parser: str) -> None:
    """Say before anything leaves the machine what is sent where."""
    if parser == "llamaparse":
        url = settings_of().llama_cloud_url
        click.echo(f"LlamaParse: PDFs, office files and pictures are sent whole to {plain(url)}, each once", err=True)


def _written(path: Path, found: Partition, form: str) -> str:
    from ingest.rows import shown_path
    from retrievers.markdown import to_html, to_markdown
    from retrievers.shapes import partition_json

    if form == "json":
        return json.dumps(partition_json(shown_path(str(path)), found), ensure_ascii=False)
    return to_html(found) if form == "html" else to_markdown(found)


def _files_under(paths: tuple[Path, ...]) -> list[Path]:
    """The files given, and those under folders given."""
    from ingest.discover import list_files

    files: list[Path] = []
    for path in paths:
        files += map(Path, list_files(path).files) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def _file_names(paths: Sequence[Path], form: str) -> dict[Path, str]:
    """STEM.md, or NAME.EXT.md where another file has the same stem; equal names are numbered."""
    stems = Counter(path.stem for path in paths)
    names: dict[Path, str] = {}
    for path in paths:
        wanted = path.name if stems[path.stem] > 1 else path.stem
        name, number = f"{wanted}.{form}", 1
        while name in names.values():
            number += 1
            name = f"{wanted}-{number}.{form}"
        names[path] = name
    return names
