"""The loop of ``pincite chat``: questions and commands, line by line, until the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.errors import PinciteError
from ingest.library import Library
from ingest.types import Answer, Citation
from retrievers.chat import ChatModel
from retrievers.conversation import Conversation
from retrievers.history import new_session_id
from retrievers.opening import kept_crop, open_with_desktop
from retrievers.printed import Look, plain, printed_answer, printed_citations
from retrievers.show import show

HELP = """\
Ask anything; a follow-up may leave unsaid what the last question named.
/sources    what the last answer cites; before the first one, the documents
/show 2     the place of citation 2, its words marked
/open 2     the same in a window, or the web page at its words
/new        begin a new session
/help       this
/quit       the end; so do Ctrl-D, and Ctrl-C twice. Once, it stops an answer.
"""
MOST_DOCUMENTS = 30
"""Documents that ``/sources`` lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where the loop reads and writes.

    ``read`` gives a line, ``None`` at the end, and raises ``KeyboardInterrupt`` at Ctrl-C. ``write`` takes what was
    asked for, ``tell`` what is said beside it. ``draw`` draws a PNG and says whether it could. ``token`` is given a
    model's reply as it comes.
    """

    read: Callable[[], str | None]
    write: Callable[[str], None]
    tell: Callable[[str], None]
    draw: Callable[[bytes], bool]
    token: Callable[[str], None] | None = None
    look: Callable[[], Look] = Look


@dataclass(slots=True, kw_only=True)
class ChatLoop:
    """A conversation on a screen."""

    conversation: Conversation
    screen: Screen
    model: str | ChatModel | None = None
    k: int = 8
    doc: str | None = None
    password: str | None = field(default=None, repr=False)
    last: Answer | None = None

    def run(self) -> None:
        """Read and answer until the end, ``/quit``, or Ctrl-C twice in a row."""
        interrupted = False
        while True:
            try:
                line = self.screen.read()
                if line is None or line.strip() == "/quit":
                    return
                if line.strip():
                    self._take(line.strip())
                interrupted = False
            except KeyboardInterrupt:
                if interrupted:
                    return
                interrupted = True
                self.screen.tell("stopped; Ctrl-C again or /quit ends")
            except PinciteError as exc:
                self.screen.tell(f"Error: {exc}")

    def _take(self, line: str) -> None:
        if not line.startswith("/"):
            self._ask(line)
            return
        name, _, number = line[1:].partition(" ")
        commands: dict[str, Callable[[], None]] = {
            "help": lambda: self.screen.write(HELP),
            "new": self._begin_anew,
            "open": lambda: self._on_citation(number, self._open),
            "show": lambda: self._on_citation(number, self._show),
            "sources": self._list_sources,
        }
        commands.get(name, lambda: self.screen.tell(f"there is no /{plain(name)}; /help says what there is"))()

    def _ask(self, question: str) -> None:
        found = self.conversation.ask(question, model=self.model, k=self.k, doc=self.doc, on_token=self.screen.token)
        self.last = found
        self.screen.write(printed_answer(found, self._library, self.screen.look()) + "\n")
        for said in told_beside(found):
            self.screen.tell(said)

    @property
    def _library(self) -> Library:
        return self.conversation.retriever.library

    def _begin_anew(self) -> None:
        self.conversation = replace(self.conversation, session_id=new_session_id())
        self.last = None
        self.screen.tell(f"session {self.conversation.session_id}")

    def _list_sources(self) -> None:
        if self.last is not None:
            said = printed_citations(self.last.citations, self._library, self.screen.look())
            self.screen.write(said or "nothing is cited\n")
            return
        paths = sorted({self._library.shown(path) for _, path in self._library.documents()})
        left = len(paths) - MOST_DOCUMENTS
        more = [f"and {left} more: pincite status"] if left > 0 else []
        self.screen.write("".join(f"{plain(line)}\n" for line in [*paths[:MOST_DOCUMENTS], *more]))

    def _on_citation(self, number: str, do: Callable[[Citation], None]) -> None:
        cited = {str(citation.number): citation for citation in (self.last.citations if self.last else ())}
        wanted = number.strip() or "1"
        if wanted in cited:
            do(cited[wanted])
        else:
            have = f"cites {', '.join(cited)}" if cited else "cites nothing"
            self.screen.tell(f"there is no citation {plain(wanted)}: the last answer {have}")

    def _crop(self, citation: Citation) -> bytes:
        return show(self._library, citation.citation_id, password=self.password)

    def _show(self, citation: Citation) -> None:
        png = self._crop(citation)
        if not self.screen.draw(png):
            self.screen.write(f"{kept_crop(png, citation.citation_id)}\n")

    def _open(self, citation: Citation) -> None:
        target: str | Path = citation.url or kept_crop(self._crop(citation), citation.citation_id)
        self.screen.tell(open_with_desktop(target) or f"opened {target}")


def told_beside(found: Answer) -> Iterable[str]:
    """What is said beside an answer: notes, what was left out, and who answered."""
    yield from (f"note: {plain(note)}" for note in found.notes)
    yield from (f"left out, not borne out by what it cites: {plain(claim)}" for claim in found.unsupported)
    if found.found:
        yield f"answered by: {plain(found.model)}"
