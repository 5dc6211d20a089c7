"""The pincite command line: joins settings, library and output; the work is done in ingest and retrievers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.pipeline import IngestOptions, Progress
    from ingest.settings import Settings
    from ingest.types import Answer, Hit, Partition, SourceResult

FAILED, NOT_FOUND, INTERRUPTED = 1, 3, 130
SHOWN_CHARACTERS = 240


class _Group(click.Group):
    """Turns our errors into one clear line and the right exit code, and keeps commands in reading order."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own signature)
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own signature)
        from ingest.errors import PinciteError, UsageError

        try:
            return super().invoke(ctx)
        except UsageError as exc:
            raise click.UsageError(str(exc), ctx) from exc
        except PinciteError as exc:
            click.echo(f"Error: {exc}", err=True)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            click.echo("Interrupted; what was finished is kept, run the same command to go on.", err=True)
            ctx.exit(INTERRUPTED)


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


def _settings(library: Path | None = None, **flags: object) -> Settings:
    from ingest.settings import read_settings

    return read_settings({"library": library, **flags})


def _open(settings: Settings) -> Library:
    from ingest.library import Library
    from ingest.settings import find_library

    return Library(find_library(settings.library))


def _emit(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pincite")
def main() -> None:
    """Ask your documents, and see exactly where each answer stands.

    \b
    pincite ingest docs                       read a folder into a local library
    pincite ask "What was revenue in 2024?"   a cited answer
    pincite search "ferry timetable" -k 5     the passages alone
    """


# --- ingest -------------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@library_option
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@click.option(
    "--parser",
    type=click.Choice(["auto", "fast"]),
    default="auto",
    show_default=True,
    help="How pages of PDF are read.",
)
@click.option(
    "--images", type=click.Choice(["auto", "off"]), default="auto", show_default=True, help="Whether pictures are kept."
)
@click.option(
    "--chunking",
    type=click.Choice(["by_title", "by_page", "similarity"]),
    default="by_title",
    show_default=True,
    help="Where chunks begin.",
)
@click.option("--prune", is_flag=True, help="Remove the sources of a root that is gone or suddenly empty.")
@click.option("--retry-failed", is_flag=True, help="Read files again that failed before and have not changed.")
@click.option("--no-wait", is_flag=True, help="Exit when another process is writing to the library.")
@json_option
def ingest(
    paths: tuple[str, ...],
    library: Path | None,
    jobs: int | None,
    parser: str,
    images: str,
    chunking: str,
    prune: bool,
    retry_failed: bool,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Bring the library into exact sync with files and folders.

    New and changed files are read, unchanged ones cost nothing, files that are gone are removed.

    \b
    pincite ingest docs reports/2024.pdf
    pincite ingest docs --jobs 1 --json
    """
    from ingest.chunk import ChunkOptions
    from ingest.partition import PartitionOptions
    from ingest.pipeline import IngestOptions

    options = IngestOptions(
        partition=PartitionOptions(parser=parser, images=images),  # type: ignore[arg-type]
        chunk=ChunkOptions(chunking=chunking),  # type: ignore[arg-type]
        prune=prune,
        retry_failed=retry_failed,
        wait=not no_wait,
    )
    started = time.perf_counter()
    results: list[SourceResult] = []
    for result in _with_progress(paths, _settings(library, jobs=jobs), options, quiet=as_json):
        results.append(result)
        _print_result(result, as_json=as_json)
    _print_summary(results, time.perf_counter() - started, as_json=as_json)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


def _with_progress(
    paths: tuple[str, ...], settings: Settings, options: IngestOptions, *, quiet: bool
) -> Iterator[SourceResult]:
    """The results of an ingest, with a progress bar on stderr when that is a terminal."""
    from ingest.pipeline import ingest as run

    if not sys.stderr.isatty():
        yield from run(paths, options=options, settings=settings)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("files  {task.fields[pages]} pages"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[stage]} {task.fields[name]}"),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, redirect_stdout=not quiet) as bar:
        task = bar.add_task("ingest", total=None, pages=0, stage="", name="")

        def update(progress: Progress) -> None:
            name = Path(progress.path).name[-40:]
            bar.update(
                task,
                total=progress.total or None,
                completed=progress.done,
                pages=progress.pages,
                stage=progress.stage,
                name=name,
            )

        yield from run(paths, options=options, settings=settings, on_progress=update)


def _print_result(result: SourceResult, *, as_json: bool) -> None:
    from retrievers.shapes import result_json

    if as_json:
        _emit(result_json(result))
        return
    detail = result.reason or _counts(result)
    colour = {"failed": "red", "partial": "yellow", "skipped": "yellow", "ingested": "green"}.get(result.state)
    click.echo(f"{click.style(f'{result.state:9}', fg=colour)} {result.path}" + (f"  {detail}" if detail else ""))
    for warning in result.warnings if result.state in ("ingested", "partial") else ():
        click.echo(f"          {click.style('warning', fg='yellow')}: {warning}")


def _counts(result: SourceResult) -> str:
    pages = f"{result.pages} pages, " if result.pages else ""
    tables, images = result.elements.get("Table", 0), result.elements.get("Image", 0)
    extra = "".join(f", {n} {name}{'s' * (n != 1)}" for n, name in ((tables, "table"), (images, "picture")) if n)
    return f"{pages}{result.chunks} chunks{extra}" if result.state != "removed" else ""


def _print_summary(results: list[SourceResult], seconds: float, *, as_json: bool) -> None:
    from retrievers.shapes import summary_json

    summary = summary_json(results, seconds)
    if as_json:
        _emit(summary)
        return
    counts = summary["summary"]
    states = ("ingested", "unchanged", "partial", "skipped", "failed", "removed")
    said = ", ".join(f"{counts[s]} {s}" for s in states if counts[s]) or "nothing to do"
    click.echo(f"{said}; {counts['pages']} pages in {seconds:.1f} s")


# --- ask and search -----------------------------------------------------------------------------


@main.command()
@click.argument("question", required=False)
@library_option
@click.option("--model", default=None, help="extractive: verbatim quotes, no model.", metavar="NAME")
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Passages to read.")
@click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many questions, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@json_option
def ask(
    question: str | None,
    library: Path | None,
    model: str | None,
    k: int,
    doc: str | None,
    questions: Path | None,
    as_json: bool,
) -> None:
    """Answer a question from the library, with citations.

    \b
    pincite ask "Who chairs the board?"
    pincite ask "What did the pier cost?" --doc "report*.pdf" --json
    """
    from retrievers import MultiVectorRetriever
    from retrievers.answer import answer
    from retrievers.shapes import answer_json

    retriever = MultiVectorRetriever(_open(_settings(library)), settings=_settings(library))

    def one(text: str, depth: int, pattern: str | None) -> Answer:
        return answer(text, retriever=retriever, model=model, k=depth, doc=pattern)

    if questions is not None:
        _many(questions, k, as_json=as_json, reply=lambda q, n, d: answer_json(one(q, n, d)))
        return
    found = one(_required(question), k, doc)
    if as_json:
        _emit(answer_json(found))
        return
    _print_answer(found)
    if not found.found:
        sys.exit(NOT_FOUND)


@main.command()
@click.argument("query", required=False)
@library_option
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Hits to show.")
@click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")
@click.option("--kind", type=click.Choice(["text", "table", "image"]), help="Only this kind of chunk.")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many queries, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@json_option
def search(
    query: str | None,
    library: Path | None,
    k: int,
    doc: str | None,
    kind: str | None,
    questions: Path | None,
    as_json: bool,
) -> None:
    """Find passages, tables and pictures, without an answer.

    \b
    pincite search "passengers by route" --kind table
    pincite search --questions questions.jsonl --json
    """
    from retrievers import MultiVectorRetriever
    from retrievers.shapes import hit_json

    retriever = MultiVectorRetriever(_open(_settings(library)), settings=_settings(library))

    def one(text: str, depth: int, pattern: str | None) -> list[Hit]:
        return retriever.retrieve(text, depth, doc=pattern, kind=kind)  # type: ignore[arg-type]

    if questions is not None:
        _many(questions, k, as_json=as_json, reply=lambda q, n, d: {"results": [hit_json(h) for h in one(q, n, d)]})
        return
    hits = one(_required(query), k, doc)
    if as_json:
        _emit({"query": query, "results": [hit_json(h) for h in hits]})
        return
    for rank, hit in enumerate(hits, 1):
        _print_hit(rank, hit)
    if not hits:
        click.echo("nothing found")


def _required(text: str | None) -> str:
    if not text or not text.strip():
        raise click.UsageError("a question is missing: give it in quotes, or a file of them with --questions")
    return text


def _many(file: Path, k: int, *, as_json: bool, reply: Callable[[str, int, str | None], dict[str, Any]]) -> None:
    """Answer each line of a questions file with a JSON line."""
    if not as_json:
        raise click.UsageError("--questions needs --json")
    for line in _question_lines(file):
        started = time.perf_counter()
        found = reply(line["question"], int(line.get("k") or k), line.get("doc"))
        _emit({"id": line["id"], **found, "seconds": round(time.perf_counter() - started, 4)})
        sys.stdout.flush()


def _question_lines(file: Path) -> Iterable[dict[str, Any]]:
    for number, text in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as exc:
            raise click.UsageError(f"{file}, line {number}: not JSON ({exc.msg})") from exc
        if not isinstance(line, dict) or not isinstance(line.get("question"), str) or "id" not in line:
            raise click.UsageError(f'{file}, line {number}: needs {{"id", "question"}}')
        yield line


def _print_answer(found: Answer) -> None:
    click.echo(click.style(found.text, bold=found.found))
    for note in found.notes:
        click.echo(click.style(f"note: {note}", fg="yellow"), err=True)
    if found.citations:
        click.echo()
    for citation in found.citations:
        where = f"{citation.doc} p. {citation.page}" if citation.page else citation.doc
        titles = " \u203a ".join(citation.title_path)
        mark = "" if citation.verified else click.style(" (not verified)", fg="yellow")
        quote = " ".join(citation.quote.split())
        number = click.style(f"[{citation.number}]", fg="cyan")
        click.echo(f"{number} {where}" + (f", {titles}" if titles else "") + f': "{quote}"{mark}')
        click.echo(click.style(f"    pincite show {citation.citation_id} -o crop.png", dim=True), err=True)
    if found.found:
        click.echo(click.style(f"answered by: {found.model}", dim=True), err=True)
    elif found.hits:
        click.echo("nearest passages:")
        for rank, hit in enumerate(found.hits[:3], 1):
            _print_hit(rank, hit)


def _print_hit(number: int, hit: Hit) -> None:
    page = f" p. {hit.chunk.page_numbers[0]}" if hit.chunk.page_numbers else ""
    titles = " \u203a ".join(hit.chunk.title_path)
    where = f"{hit.doc}{page}" + (f", {titles}" if titles else "")
    click.echo(
        f"{click.style(f'{number:2}.', fg='cyan')} {click.style(where, bold=True)}  {hit.score:.2f} {hit.chunk.kind}"
    )
    text = " ".join(hit.chunk.text.split())
    click.echo("    " + (text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "\u2026"))


# --- partition ----------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True, help="Output."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file for one PATH, a folder for many.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@click.option("--parser", type=click.Choice(["auto", "fast"]), default="auto", show_default=True)
def partition(paths: tuple[Path, ...], form: str, output: Path | None, jobs: int | None, parser: str) -> None:
    """Partition files without a library: their text, tables and structure.

    \b
    pincite partition report.pdf
    pincite partition docs/*.pdf --format json -o parts
    """
    from ingest.partition import PartitionOptions
    from ingest.pipeline import partition_many

    files = _files_under(paths)
    if len(files) > 1 and output is None:
        raise click.UsageError("many files need a folder to write to: -o OUT")
    # Only JSON names pictures, and drawing them costs more than all else.
    options = PartitionOptions(parser=parser, images="auto" if form == "json" else "off")  # type: ignore[arg-type]
    to_folder = len(files) > 1 or (output is not None and output.is_dir())
    failed = False
    for source, found in partition_many(files, _settings(jobs=jobs), options):
        if isinstance(found, Exception):
            click.echo(f"Error: {source}: {found}", err=True)
            failed = True
        elif output is None:
            click.echo(_written(source, found, form))
        else:
            target = output / _file_name(source, files, form) if to_folder else output
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_written(source, found, form) + "\n", "utf-8", "backslashreplace")
    if failed:
        sys.exit(FAILED)


def _written(path: Path, found: Partition, form: str) -> str:
    from retrievers.markdown import to_html, to_markdown
    from retrievers.shapes import partition_json

    if form == "json":
        return json.dumps(partition_json(str(path), found), ensure_ascii=False)
    return to_html(found) if form == "html" else to_markdown(found)


def _files_under(paths: tuple[Path, ...]) -> list[Path]:
    """The files given, and those under folders given."""
    from ingest.discover import list_files

    files: list[Path] = []
    for path in paths:
        files += map(Path, list_files(path, library=path / ".pincite").files) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def _file_name(path: Path, paths: Sequence[Path], form: str) -> str:
    """STEM.md, or NAME.EXT.md where another file has the same stem."""
    equal = sum(p.stem == path.stem for p in paths) > 1
    return f"{path.name if equal else path.stem}.{form}"


# --- the library --------------------------------------------------------------------------------


@main.command()
@library_option
@json_option
def status(library: Path | None, as_json: bool) -> None:
    """What the library holds: each source's state, reason, warnings, pages and elements; totals."""
    from ingest.pipeline import library_status
    from retrievers.shapes import result_json

    with _open(_settings(library)) as opened:
        results = library_status(opened)
        counts, embedder = opened.counts(), opened.embedder
    if as_json:
        totals = {
            **counts,
            "pages": sum(r.pages or 0 for r in results),
            "embedder": embedder.name if embedder else None,
        }
        _emit({"library": str(opened.folder), "sources": [result_json(r) for r in results], "totals": totals})
        return
    for result in results:
        _print_result(result, as_json=False)
    said = ", ".join(f"{n} {name}" for name, n in counts.items())
    click.echo(f"{said}; embedder {embedder.name if embedder else 'not chosen yet'}; {opened.folder}")


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@library_option
@json_option
def remove(paths: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Take files, or all files under folders, out of the library. The files themselves stay."""
    from ingest.pipeline import remove as run

    with _open(_settings(library)) as opened:
        results = run(opened, paths)
    for result in results:
        _print_result(result, as_json=as_json)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


@main.command()
@library_option
@click.option("--embedder", help="The embedder to change to.", metavar="NAME")
def reindex(library: Path | None, embedder: str | None) -> None:
    """Rebuild the vectors from the stored texts, with another embedder when named."""
    from ingest.pipeline import reindex as run

    settings = _settings(library)
    with _open(settings) as opened:
        record = run(opened, settings, embedder)
    click.echo(f"vectors rebuilt with {record.name} ({record.dimension} numbers)")


@main.command()
@click.argument("wanted", metavar="ID")
@library_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The PNG to write.")
def show(wanted: str, library: Path | None, output: Path) -> None:
    """Draw where a chunk, element or citation stands, with its words marked.

    \b
    pincite show 3f2a...-0-58 -o crop.png
    """
    from retrievers.show import show as draw

    with _open(_settings(library)) as opened:
        output.write_bytes(draw(opened, wanted))
    click.echo(str(output))


if __name__ == "__main__":
    main()
