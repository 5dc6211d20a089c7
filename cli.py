"""The pincite command line: joins settings, library and output; the work is done in ingest and retrievers."""

from __future__ import annotations

import errno
import glob
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.pipeline import Progress
    from ingest.settings import Settings
    from ingest.types import Answer, Hit, Partition, SourceResult
    from retrievers.conversation import Conversation
    from retrievers.history import History
    from retrievers.multi_vector import MultiVectorRetriever
    from retrievers.printed import Look

FAILED, NOT_FOUND, INTERRUPTED = 1, 3, 130
SHOWN_HITS = 3


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
        except OSError as exc:
            if exc.errno == errno.EPIPE:  # the reader of our output has gone, which click ends quietly
                raise
            click.echo(f"Error: {exc.filename or 'output'}: {exc.strerror}", err=True)
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


def password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for the password of encrypted PDFs."""
    return click.option(
        "--password",
        metavar="TEXT",
        help="Opens encrypted PDFs; kept nowhere. PINCITE_PASSWORD does the same, and other users cannot see it.",
    )(command)


def rerank_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option to have the best hits read again."""
    return click.option(
        "--rerank/--no-rerank",
        default=False,
        show_default=True,
        help="Read the best hits again with a cross-encoder: slower, and the first hit is right more often.",
    )(command)


def _settings(library: Path | None = None, **flags: object) -> Settings:
    from ingest.settings import read_settings

    return read_settings({"library": library, **flags})


def _open(settings: Settings, *, create: bool = False) -> Library:
    from ingest.library import Library
    from ingest.settings import find_library

    return Library(find_library(settings.library), create=create)


def _retriever(settings: Settings, *, rerank: bool = False, create: bool = False) -> MultiVectorRetriever:
    """A retriever over the library, which is closed when the command ends."""
    from retrievers.multi_vector import MultiVectorRetriever

    context = click.get_current_context()
    opened = context.with_resource(_open(settings, create=create))
    retriever = MultiVectorRetriever(opened, settings=settings, rerank=rerank)
    context.call_on_close(retriever.close)
    return retriever


def _emit(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _say(text: str) -> None:
    """Print a text; lone surrogates, which broken files hold, are escaped."""
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def _plain(text: str) -> str:
    """A text of one line that cannot steer the terminal: file names and documents may hold any character."""
    from retrievers.printed import plain

    return plain(text)


def _look() -> Look:
    """How to print on what stdout is now."""
    from ingest.settings import read_terminal
    from retrievers.printed import Look

    if not sys.stdout.isatty():
        return Look()
    names = read_terminal()
    colour = not names.get("NO_COLOR") and names.get("TERM") != "dumb"
    return Look(width=shutil.get_terminal_size().columns, colour=colour, raised=_writes_unicode())


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pincite")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask your documents, and see exactly where each answer stands.

    \b
    pincite ingest docs                       read a folder into a local library
    pincite ask "What was revenue in 2024?"   a cited answer
    pincite search "ferry timetable" -k 5     the passages alone
    """
    from ingest.settings import read_terminal

    if read_terminal().get("NO_COLOR"):  # no-color.org; click does not look for it
        ctx.color = False


# --- ingest -------------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH_OR_URL...")
@library_option
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@click.option(
    "--parser",
    type=click.Choice(["auto", "fast", "careful", "llamaparse"]),
    default="auto",
    show_default=True,
    help="How pages of PDF are read; llamaparse sends documents to the cloud, for money.",
)
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
@click.option("--retry-failed", is_flag=True, help="Read files again that failed before and have not changed.")
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
    """Bring the library into exact sync with files, folders and web pages.

    New and changed files are read, unchanged ones cost nothing, files that are gone are removed.

    \b
    pincite ingest docs reports/2024.pdf
    pincite ingest docs --jobs 1 --json
    pincite ingest https://example.org/handbook/ --depth 2
    pincite ingest docs --watch
    pincite ingest /shared/docs --engine ray --ray-address 10.0.0.5:6379
    """
    from ingest.chunk import ChunkOptions
    from ingest.crawl import CrawlOptions
    from ingest.partition import PartitionOptions
    from ingest.pipeline import IngestOptions
    from ingest.pipeline import ingest as run
    from ingest.watch import follow

    settings = _settings(library, jobs=jobs, password=password, engine=engine, ray_address=ray_address)
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
    _tell_of_cloud(parser)
    with _screen(as_json=as_json) as (update, say):
        if watch:
            for turn in follow(paths, options=options, settings=settings, on_progress=update):
                _print_results(turn, as_json=as_json, say=say, is_news=True)
        results = _print_results(
            run(paths, options=options, settings=settings, on_progress=update), as_json=as_json, say=say
        )
    if images == "auto" and not as_json:
        _tell_of_pictures(settings)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


def _print_results(
    found: Iterator[SourceResult], *, as_json: bool, say: Callable[[str], None], is_news: bool = False
) -> list[SourceResult]:
    """Print results as they come, and their sum; of news nothing where there are none."""
    started = time.perf_counter()
    results: list[SourceResult] = []
    for result in found:
        results.append(result)
        _print_result(result, as_json=as_json, say=say)
    if results or not is_news:
        _print_summary(results, time.perf_counter() - started, as_json=as_json, say=say)
    return results


def _tell_of_pictures(settings: Settings) -> None:
    """Say how many pictures a vision model would still describe, and how."""
    from ingest.errors import LibraryError
    from retrievers.doctor import undescribed_pictures

    try:
        with _open(settings) as opened:
            found = undescribed_pictures(opened, settings)
    except LibraryError:
        return
    if found is not None:
        click.echo(_plain(found.found))
        click.echo(click.style(f"to have it made: {_plain(found.fix)}", fg="cyan"))


def _tell_of_cloud(parser: str) -> None:
    """Say before anything leaves the machine what is sent where."""
    if parser == "llamaparse":
        url = _settings().llama_cloud_url
        click.echo(f"LlamaParse: PDFs, office files and pictures are sent whole to {_plain(url)}, each once", err=True)


@contextmanager
def _screen(*, as_json: bool) -> Iterator[tuple[Callable[[Progress], None] | None, Callable[[str], None]]]:
    """What shows progress, a bar on stderr if that is a terminal, and what prints a line without breaking the bar."""
    if not sys.stderr.isatty() or (as_json and sys.stdout.isatty()):
        yield None, _say
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
            name = _plain(Path(now.path).name)
            total = now.total or None
            if bar.tasks[0].fields["unit"] != now.unit:
                bar.reset(task)  # the time left is that of another kind of work
            bar.update(
                task, total=total, completed=now.done, pages=now.pages, unit=now.unit, stage=now.stage, name=name
            )

        def say(line: str) -> None:
            bar.console.print(Text.from_ansi(line), soft_wrap=True)

        yield update, say if sys.stdout.isatty() else _say


def _print_result(
    result: SourceResult, *, as_json: bool, say: Callable[[str], None] = _say, in_full: bool = False
) -> None:
    from ingest.images import LEFT_OUT
    from retrievers.shapes import result_json

    if as_json:
        _emit(result_json(result))
        return
    detail = _plain(result.reason or _counts(result))
    colour = {"failed": "red", "partial": "yellow", "skipped": "yellow", "ingested": "green"}.get(result.state)
    say(f"{click.style(f'{result.state:9}', fg=colour)} {_plain(result.path)}" + (f"  {detail}" if detail else ""))
    for warning in result.warnings if result.state in ("ingested", "partial") else ():
        if in_full or LEFT_OUT not in warning:
            say(f"          {click.style('warning', fg='yellow')}: {_plain(warning)}")


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
        _emit(summary)
        return
    counts = summary["summary"]
    states = ("ingested", "unchanged", "partial", "skipped", "failed", "removed")
    said = ", ".join(f"{counts[s]} {s}" for s in states if counts[s]) or "nothing to do"
    say(f"{said}; {counts['pages']} pages in {seconds:.1f} s")


# --- ask and search -----------------------------------------------------------------------------


@main.command()
@click.argument("question", required=False)
@library_option
@click.option(
    "--model",
    metavar="NAME",
    help="A model on Ollama, or extractive: quotes alone [llama3 where Ollama has it, else extractive].",
)
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Passages to read.")
@click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many questions, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@click.option("--session", metavar="ID", help="A session to ask in: follow-ups are understood, and turns are kept.")
@click.option("--show", "with_pictures", is_flag=True, help="Draw the pictures, in a terminal that can.")
@click.option("--open", "is_opened", is_flag=True, help="Open the place of the first citation in a window.")
@rerank_option
@json_option
def ask(
    question: str | None,
    library: Path | None,
    model: str | None,
    k: int,
    doc: str | None,
    questions: Path | None,
    session: str | None,
    with_pictures: bool,
    is_opened: bool,
    rerank: bool,
    as_json: bool,
) -> None:
    """Answer a question from the library, with citations.

    \b
    pincite ask "Who chairs the board?"
    pincite ask "How many seats does it have?" --session board
    pincite ask "What did the pier cost?" --doc "report*.pdf" --json
    """
    from retrievers.answer import answer
    from retrievers.shapes import answer_json

    settings = _settings(library)
    retriever = _retriever(settings, rerank=rerank)
    ask_one = partial(answer, retriever=retriever) if session is None else _conversation(retriever, session).ask

    def one(text: str, depth: int, pattern: str | None) -> Answer:
        on_token = _stream if not as_json and sys.stderr.isatty() else None
        return ask_one(text, model=model, k=depth, doc=pattern, on_token=on_token)

    if questions is not None:
        _many(questions, k, as_json=as_json, reply=lambda q, n, d: answer_json(one(q, n, d), session))
        return
    found = one(_required(question), k, doc)
    if as_json:
        _emit(answer_json(found, session))
        return
    _print_answer(found, retriever.library)
    if with_pictures:
        _draw_pictures(found, retriever.library)
    if is_opened:
        _open_first(found, retriever.library, settings)
    if not found.found:
        sys.exit(NOT_FOUND)


def _history(settings: Settings, folder: Path) -> History:
    """The history of a library, which is closed when the command ends."""
    from retrievers.history import open_history

    found = open_history(folder, settings)
    click.get_current_context().call_on_close(found.close)
    return found


def _conversation(retriever: MultiVectorRetriever, session: str) -> Conversation:
    from retrievers.conversation import Conversation

    history = _history(retriever.settings, retriever.library.folder)
    return Conversation(session_id=session, history=history, retriever=retriever)


def _open_first(found: Answer, library: Library, settings: Settings) -> None:
    """Open the place of the first citation with the desktop's program."""
    from retrievers.opening import kept_crop, open_with_desktop
    from retrievers.show import show as draw

    for citation in found.citations[:1]:
        crop = None if citation.url else draw(library, citation.citation_id, password=settings.password)
        target = kept_crop(crop, citation.citation_id) if crop else citation.url
        said = open_with_desktop(target or "") or f"opened {target}"
        click.echo(_plain(said), err=True)


@main.command()
@library_option
@click.option("--session", metavar="ID", help="The session to go on with [a new one].")
@click.option("--model", metavar="NAME", help="Who answers, as of `pincite ask`.")
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Passages to read.")
@click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")
@rerank_option
@password_option
def chat(
    library: Path | None,
    session: str | None,
    model: str | None,
    k: int,
    doc: str | None,
    rerank: bool,
    password: str | None,
) -> None:
    """Ask question after question; /help says what else can be typed.

    \b
    pincite chat
    pincite chat --session board
    """
    from retrievers.chat_loop import ChatLoop, Screen
    from retrievers.history import new_session_id

    settings = _settings(library, password=password)
    conversation = _conversation(_retriever(settings, rerank=rerank), session or new_session_id())
    asked = [turn.question for turn in conversation.history.turns(conversation.session_id)]
    if sys.stdin.isatty():
        click.echo(click.style(f"session {conversation.session_id}; /help, /quit", dim=True), err=True)
    screen = Screen(
        read=_line_reader(asked),
        write=lambda text: click.echo(text, nl=False),
        tell=lambda text: click.echo(click.style(text, dim=True), err=True),
        draw=_draw,
        token=_stream if sys.stderr.isatty() else None,
        look=_look,
    )
    ChatLoop(conversation=conversation, screen=screen, model=model, k=k, doc=doc, password=settings.password).run()


def _line_reader(asked: Sequence[str]) -> Callable[[], str | None]:
    """What reads a line: with arrow keys and earlier questions in a terminal, without a prompt from a pipe."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if is_terminal:
        with suppress(ImportError):
            import readline

            for question in asked:
                readline.add_history(question)

    def read() -> str | None:
        try:
            return input("\u203a " if _writes_unicode() else "> ") if is_terminal else sys.stdin.readline() or None
        except EOFError:
            return None

    return read


def _draw(png: bytes) -> bool:
    """Draw a picture in the terminal, where it takes one."""
    from ingest.settings import read_terminal
    from retrievers.terminal import drawing_of, drawn

    how = drawing_of(read_terminal(), sys.stdout, sys.stdin)
    if how is not None:
        click.echo(drawn(png, how), nl=False)
    return how is not None


@main.command()
@click.argument("query", required=False)
@library_option
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Hits to show.")
@click.option("--doc", help="Only documents whose name or path matches this glob.", metavar="GLOB")
@click.option("--kind", type=click.Choice(["text", "table", "image"]), help="Only this kind of chunk.")
@click.option("--path", help="Only documents whose path matches this glob.", metavar="GLOB")
@click.option("--title", help="Only what stands under a heading with this text.", metavar="TEXT")
@click.option("--date", help="Only files last changed then: 2024, 2024-05, 2024-05-31, or A..B.", metavar="DATE")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many queries, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@rerank_option
@json_option
def search(
    query: str | None,
    library: Path | None,
    k: int,
    doc: str | None,
    kind: str | None,
    path: str | None,
    title: str | None,
    date: str | None,
    questions: Path | None,
    rerank: bool,
    as_json: bool,
) -> None:
    """Find passages, tables and pictures, without an answer.

    \b
    pincite search "passengers by route" --kind table
    pincite search --questions questions.jsonl --json
    """
    from retrievers.printed import printed_hit
    from retrievers.query import Filters
    from retrievers.shapes import hit_json

    retriever = _retriever(_settings(library), rerank=rerank)
    filters = Filters(kind=kind, path=path, title=title, date=date)  # type: ignore[arg-type]

    def one(text: str, depth: int, pattern: str | None) -> list[Hit]:
        return retriever.retrieve(text, depth, doc=pattern, filters=filters)

    if questions is not None:
        _many(questions, k, as_json=as_json, reply=lambda q, n, d: {"results": [hit_json(h) for h in one(q, n, d)]})
        return
    hits = one(_required(query), k, doc)
    if as_json:
        _emit({"query": query, "results": [hit_json(h) for h in hits]})
        return
    for rank, hit in enumerate(hits, 1):
        click.echo(printed_hit(rank, hit, retriever.library, _look()), nl=False)
    if not hits:
        click.echo("nothing found")


@main.command(name="eval")
@click.argument("questions", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@library_option
@rerank_option
@click.option("--model", metavar="NAME", default="extractive", show_default=True, help="Who answers.")
@click.option("--answers/--no-answers", default=False, show_default=True, help="Measure answers as well as the search.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="A.json B.json",
    help="Compare two results, each written by --json.",
)
@json_option
def evaluate(
    questions: Path | None,
    library: Path | None,
    rerank: bool,
    model: str,
    answers: bool,
    compare: tuple[Path, Path] | None,
    as_json: bool,
) -> None:
    """Measure search and answers on your own questions, and compare two settings.

    A line each of {"id", "question", "doc", "pages"}, or {"id", "question", "answerable": false}.

    \b
    pincite eval questions.jsonl --json > a.json
    pincite eval questions.jsonl --rerank --json > b.json
    pincite eval --compare a.json b.json
    """
    from retrievers import evaluate as evaluation
    from retrievers.answer import answer

    if compare is not None:
        a, b = (_result_of(file) for file in compare)
        _print_measures(evaluation.compare(a, b), as_json=as_json)
        return
    if questions is None:
        raise click.UsageError("a file of questions is missing")
    lines = enumerate(_question_lines(questions), 1)
    expected = [evaluation.read_expected(line, f"{questions}, question {number}") for number, line in lines]
    retriever = _retriever(_settings(library), rerank=rerank)
    found = evaluation.evaluate(
        expected,
        # Several hits may be of one page: so many of them show ten pages or more.
        lambda text: retriever.retrieve(text, 5 * evaluation.DEPTH),
        (lambda text: answer(text, retriever=retriever, model=model)) if answers else None,
    )
    if as_json:
        _emit(found)
        return
    _print_measures(found["means"], as_json=False)


def _result_of(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as exc:
        raise click.UsageError(f"{file}: not JSON") from exc
    return found if isinstance(found, dict) else {}


def _print_measures(measures: Mapping[str, Mapping[str, float]], *, as_json: bool) -> None:
    """A line a measure: its mean and standard error, or the difference of two and its interval."""
    if as_json:
        _emit(measures)
        return
    for name, value in measures.items():
        if "mean" in value:
            said = f"{value['mean']:6.3f}  \u00b1 {value['error']:.3f}"
        else:
            said = f"{value['difference']:+6.3f}  95 % interval {value['low']:+.3f} to {value['high']:+.3f}"
        click.echo(f"{name:10} {said}  ({value['n']} questions)")


def _required(text: str | None) -> str:
    if not text or not text.strip():
        raise click.UsageError("a question is missing: give it in quotes, or a file of them with --questions")
    return text


def _many(file: Path, k: int, *, as_json: bool, reply: Callable[[str, int, str | None], dict[str, Any]]) -> None:
    """Answer each line of a questions file with a JSON line."""
    if not as_json:
        raise click.UsageError("--questions needs --json")
    for line in list(_question_lines(file)):
        started = time.perf_counter()
        found = reply(line["question"], line.get("k") or k, _literal_doc(line.get("doc")))
        _emit({"id": line["id"], **found, "seconds": round(time.perf_counter() - started, 4)})


def _literal_doc(doc: str | None) -> str | None:
    """A glob that the named file matches, whatever its name."""
    return glob.escape(doc) if doc else None


def _question_lines(file: Path) -> Iterator[dict[str, Any]]:
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


def _stream(token: str) -> None:
    """Show a model's reply as it comes; the checked answer follows on stdout."""
    shown = "".join(c if c == "\n" else _plain(c) for c in token)
    click.echo(click.style(shown, dim=True), err=True, nl=False)


def _print_answer(found: Answer, library: Library) -> None:
    from retrievers.printed import printed_answer

    if found.model != "extractive" and sys.stderr.isatty():
        click.echo("\n", err=True)
    click.echo(printed_answer(found, library, _look()), nl=False)
    for note in found.notes:
        click.echo(click.style(f"note: {_plain(note)}", fg="yellow"), err=True)
    for claim in found.unsupported:
        click.echo(click.style(f"left out, not borne out by what it cites: {_plain(claim)}", fg="yellow"), err=True)
    for citation in found.citations:
        click.echo(click.style(f"pincite show {citation.citation_id} -o crop.png", dim=True), err=True)
    if found.found:
        click.echo(click.style(f"answered by: {_plain(found.model)}", dim=True), err=True)


def _draw_pictures(found: Answer, library: Library) -> None:
    """Draw the pictures that are cited, or else those among the best passages."""
    from ingest.errors import LibraryError
    from ingest.settings import read_terminal
    from retrievers.terminal import drawing_of, drawn

    how = drawing_of(read_terminal(), sys.stdout, sys.stdin)
    cited = [c.image for c in found.citations if c.image]
    beside = [h.chunk.image_path for h in found.hits[:SHOWN_HITS] if h.chunk.image_path]
    wanted = list(dict.fromkeys(cited or beside))[:SHOWN_HITS]
    if how is None and wanted and sys.stdout.isatty():
        click.echo("this terminal draws no pictures that pincite knows of (kitty, iTerm2, sixel)", err=True)
    for image in wanted if how else ():
        try:
            click.echo(drawn(library.image(image), how), nl=False)  # type: ignore[arg-type]
        except (LibraryError, OSError) as exc:
            click.echo(f"{_plain(image)}: cannot be drawn: {_plain(str(exc))}", err=True)


# --- partition ----------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True, help="Output."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file for one PATH, a folder for many.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes [one a core].")
@click.option(
    "--parser", type=click.Choice(["auto", "fast", "careful", "llamaparse"]), default="auto", show_default=True
)
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
    _tell_of_cloud(parser)
    images = "auto" if form == "json" else "off"
    settings = _settings(jobs=jobs, password=password)
    options = PartitionOptions(parser=parser, images=images, password=settings.password)  # type: ignore[arg-type]
    to_folder = len(files) > 1 or (output is not None and output.is_dir())
    names = _file_names(files, form)
    failed = not files
    for source, found in partition_many(files, settings, options):
        if isinstance(found, Exception):
            named = source in paths or not isinstance(found, UnsupportedError)
            click.echo(f"{'Error' if named else 'Skipped'}: {_plain(shown_path(str(source)))}: {found}", err=True)
            failed = failed or named
        elif output is None:
            _say(_written(source, found, form))
        else:
            target = output / names[source] if to_folder else output
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_written(source, found, form) + "\n", "utf-8", "backslashreplace")
    if not files:
        click.echo("Error: no files there", err=True)
    if failed:
        sys.exit(FAILED)


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


# --- the library --------------------------------------------------------------------------------


@main.command()
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
        _print_result(result, as_json=False, in_full=True)
    said = ", ".join(f"{n} {name}" for name, n in counts.items())
    click.echo(f"{said}; embedder {embedder.name if embedder else 'not chosen yet'}; {opened.folder}")


@main.command()
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

    settings = _settings(library)
    with _open(settings) as opened:
        results = run(opened, paths, keep_summaries=settings.keep_summaries)
        for result in results:
            _print_result(result, as_json=as_json)
        _purge(opened, settings, purge_history)
    if any(r.state == "failed" for r in results):
        sys.exit(FAILED)


def _purge(library: Library, settings: Settings, wanted: bool | None) -> None:
    """Delete the turns that quote what has left the library, if that is wanted, and say how many there are."""
    from retrievers.history import gone_sources

    history = _history(settings, library.folder)
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


@main.command()
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
    settings = _settings(library)
    with _open(settings) as opened:
        found = _history(settings, opened.folder)
        if deleted is not None and not found.delete(deleted):
            raise click.UsageError(f"there is no session {deleted}")
        if purge:
            _purge(opened, settings, wanted=True)
    for session in found.sessions():
        turns = found.turns(session.session_id)
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.started))
        last = turns[-1].question if turns else ""
        if as_json:
            _emit({"session": session.session_id, "user_id": session.user_id, "begun": begun, "turns": len(turns)})
        else:
            click.echo(f"{click.style(session.session_id, fg='cyan')}  {begun}  {len(turns)} turns  {_plain(last)}")


@main.command()
@library_option
@click.option("--embedder", help="The embedder to change to.", metavar="NAME")
def reindex(library: Path | None, embedder: str | None) -> None:
    """Rebuild the vectors from the stored texts, with another embedder when named.

    \b
    pincite reindex
    pincite reindex --embedder minilm
    """
    from ingest.pipeline import reindex as run

    settings = _settings(library)
    with _open(settings) as opened:
        record = run(opened, settings, embedder)
    click.echo(f"vectors rebuilt with {record.name} ({record.dimension} numbers)")


@main.command()
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

    settings = _settings(library, password=password)
    with _open(settings) as opened:
        output.write_bytes(draw(opened, wanted, password=settings.password))
    click.echo(str(output))


@main.command()
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

    settings = _settings(library, password=password)
    options = ReportOptions(
        doc=doc, pages=pages, is_embedded=embed, jobs=settings.worker_count, password=settings.password
    )
    with _open(settings) as opened, click.progressbar(length=0, label="pages", file=sys.stderr) as bar:

        def on_page(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        write_report(opened, output, options, on_page)
    click.echo(str(output))


@main.command()
@library_option
@click.option("--model", metavar="NAME", help="Who answers `ask`, as of `pincite ask`.")
def mcp(library: Path | None, model: str | None) -> None:
    """Serve search, ask and show to assistants over the Model Context Protocol (stdio).

    \b
    pincite mcp -l ~/papers/.pincite      what an assistant starts; it speaks over its standard input and output

    \b
    In the assistant's configuration:
    {"mcpServers": {"pincite": {"command": "pincite", "args": ["mcp", "-l", "/path/to/.pincite"]}}}
    """
    from retrievers.mcp_server import build_server

    build_server(_retriever(_settings(library)), model=model).run("stdio")


@main.command()
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8631, show_default=True, help="Port to listen at.")
@click.option(
    "--token",
    help="What callers must know [PINCITE_SERVE_TOKEN, which other users cannot see; a new one where others can call].",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name of this server.")
@click.option("--allow-origin", multiple=True, metavar="ORIGIN", help="A site whose pages may call the API.")
@click.option("--widget-origin", multiple=True, metavar="ORIGIN", help="A site that may show the chat as a widget.")
@click.option("--widget-token", help="What the widget asks with, which opens questions alone [a new one].")
@click.option(
    "--allow-folder",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that may be ingested from the page.",
)
@click.option("--model", metavar="NAME", help="A model on Ollama, or extractive [as in ask].")
@password_option
def serve(
    library: Path | None,
    host: str,
    port: int,
    token: str | None,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    widget_origin: tuple[str, ...],
    widget_token: str | None,
    allow_folder: tuple[Path, ...],
    model: str | None,
    password: str | None,
) -> None:
    """Serve the library: a chat page for the browser, and an HTTP API.

    \b
    pincite serve
    pincite serve --allow-folder docs --model extractive
    pincite serve --host 0.0.0.0 --widget-origin https://example.org
    """
    from retrievers.api import ServeOptions, welcome
    from retrievers.api import serve as run

    settings = _settings(library, password=password)
    options = ServeOptions(
        host=host,
        port=port,
        token=token or settings.serve_token,
        allow_hosts=allow_host,
        allow_origins=allow_origin,
        widget_origins=widget_origin,
        widget_token=widget_token,
        allow_folders=allow_folder,
        model=model,
        upload_bytes=settings.max_file_mb * 2**20,
    ).with_tokens()
    retriever = _retriever(settings, create=True)
    run(retriever, options, lambda port: click.echo(welcome(options, port), err=True))


@main.command()
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

    checks = list(examine(_settings(library)))
    if as_json:
        _emit({"checks": [asdict(check) for check in checks]})
    for check in checks if not as_json else ():
        mark, colour = {"ok": ("ok", "green"), "note": ("note", "yellow"), "problem": ("PROBLEM", "red")}[check.level]
        click.echo(f"{click.style(f'{mark:8}', fg=colour)}{check.name:20} {_plain(check.found)}")
        if check.fix:
            click.echo(f"{'':28} {click.style('do: ' + _plain(check.fix), fg='cyan')}")
    if any(check.level == "problem" for check in checks):
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
