"""The commands that answer: one question, many from a file, or question after question."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrievers.commands.opened import open_history, open_retriever, settings_of
from retrievers.commands.options import (
    doc_option,
    json_option,
    library_option,
    passages_option,
    password_option,
    rerank_option,
)
from retrievers.commands.output import NOT_FOUND, emit, look_of_stdout, plain, stream, writes_unicode
from retrievers.commands.questions import answer_each, required

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.settings import Settings
    from ingest.types import Answer
    from retrievers.conversation import Conversation
    from retrievers.multi_vector import MultiVectorRetriever

SHOWN_PICTURES = 3
"""Pictures that are drawn after an answer, at most; as many passages are looked through for them."""


@click.command()
@click.argument("question", required=False)
@library_option
@click.option(
    "--model",
    metavar="NAME",
    help="A model on Ollama, or extractive: quotes alone [llama3 where Ollama has it, else extractive].",
)
@passages_option
@doc_option
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many questions, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@click.option("--session", metavar="ID", help="A session to ask in: follow-ups are understood, and turns are kept.")
@click.option("--show", "with_pictures", is_flag=True, help="Draw the pictures, in a terminal that can.")
@click.option("--open", "is_opened", is_flag=True, help="Open the place of the first citation in a window.")
@rerank_option(default=False)
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

    settings = settings_of(library)
    retriever = open_retriever(settings, rerank=rerank)
    ask_one = partial(answer, retriever=retriever) if session is None else _conversation(retriever, session).ask

    def one(text: str, depth: int, pattern: str | None) -> Answer:
        on_token = stream if not as_json and sys.stderr.isatty() else None
        return ask_one(text, model=model, k=depth, doc=pattern, on_token=on_token)

    if questions is not None:
        answer_each(questions, k, as_json=as_json, reply=lambda q, n, d: answer_json(one(q, n, d), session))
        return
    found = one(required(question), k, doc)
    if as_json:
        emit(answer_json(found, session))
        return
    _print_answer(found, retriever.library)
    if with_pictures:
        _draw_pictures(found, retriever.library)
    if is_opened:
        _open_first(found, retriever.library, settings)
    if not found.found:
        sys.exit(NOT_FOUND)


def _conversation(retriever: MultiVectorRetriever, session: str) -> Conversation:
    from retrievers.conversation import Conversation

    history = open_history(retriever.settings, retriever.library.folder)
    return Conversation(session_id=session, history=history, retriever=retriever)


def _open_first(found: Answer, library: Library, settings: Settings) -> None:
    """Open the place of the first citation with the desktop's program."""
    from retrievers.opening import kept_crop, open_with_desktop
    from retrievers.show import show as draw

    for citation in found.citations[:1]:
        crop = None if citation.url else draw(library, citation.citation_id, password=settings.password)
        target = kept_crop(crop, citation.citation_id) if crop else citation.url
        said = open_with_desktop(target or "") or f"opened {target}"
        click.echo(plain(said), err=True)


def _print_answer(found: Answer, library: Library) -> None:
    from retrievers.printed import printed_answer

    if found.model != "extractive" and sys.stderr.isatty():
        click.echo("\n", err=True)
    click.echo(printed_answer(found, library, look_of_stdout()), nl=False)
    for note in found.notes:
        click.echo(click.style(f"note: {plain(note)}", fg="yellow"), err=True)
    for claim in found.unsupported:
        click.echo(click.style(f"left out, not borne out by what it cites: {plain(claim)}", fg="yellow"), err=True)
    for citation in found.citations:
        click.echo(click.style(f"pincite show {citation.citation_id} -o crop.png", dim=True), err=True)
    if found.found:
        click.echo(click.style(f"answered by: {plain(found.model)}", dim=True), err=True)


def _draw_pictures(found: Answer, library: Library) -> None:
    """Draw the pictures that are cited, or else those among the best passages."""
    from ingest.errors import LibraryError
    from ingest.settings import read_terminal
    from retrievers.terminal import drawing_of, drawn

    how = drawing_of(read_terminal(), sys.stdout, sys.stdin)
    cited = [c.image for c in found.citations if c.image]
    beside = [h.chunk.image_path for h in found.hits[:SHOWN_PICTURES] if h.chunk.image_path]
    wanted = list(dict.fromkeys(cited or beside))[:SHOWN_PICTURES]
    if how is None and wanted and sys.stdout.isatty():
        click.echo("this terminal draws no pictures that pincite knows of (kitty, iTerm2, sixel)", err=True)
    for image in wanted if how else ():
        try:
            click.echo(drawn(library.image(image), how), nl=False)  # type: ignore[arg-type]
        except (LibraryError, OSError) as exc:
            click.echo(f"{plain(image)}: cannot be drawn: {plain(str(exc))}", err=True)


@click.command()
@library_option
@click.option("--session", metavar="ID", help="The session to go on with [a new one].")
@click.option("--model", metavar="NAME", help="Who answers, as of `pincite ask`.")
@passages_option
@doc_option
@rerank_option(default=False)
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

    settings = settings_of(library, password=password)
    conversation = _conversation(open_retriever(settings, rerank=rerank), session or new_session_id())
    asked = [turn.question for turn in conversation.history.turns(conversation.session_id)]
    if sys.stdin.isatty():
        click.echo(click.style(f"session {conversation.session_id}; /help, /quit", dim=True), err=True)
    screen = Screen(
        read=_line_reader(asked),
        write=lambda text: click.echo(text, nl=False),
        tell=lambda text: click.echo(click.style(text, dim=True), err=True),
        draw=_draw,
        token=stream if sys.stderr.isatty() else None,
        look=look_of_stdout,
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
            return input("\u203a " if writes_unicode() else "> ") if is_terminal else sys.stdin.readline() or None
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
