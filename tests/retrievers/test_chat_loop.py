"""The chat loop: questions, commands and Ctrl-C, on a screen of the test's own."""

from collections.abc import Iterator

import pytest

from ingest.errors import ModelError
from ingest.library import Library
from ingest.settings import Settings
from retrievers import chat_loop
from retrievers.chat_loop import ChatLoop, Screen
from retrievers.conversation import Conversation
from retrievers.history_sqlite import SQLiteHistory
from retrievers.multi_vector import MultiVectorRetriever
from tests.retrievers.made import BagOfWords, paragraph, put, title


@pytest.fixture
def library(tmp_path) -> Iterator[Library]:
    with Library(tmp_path / "lib", create=True) as made:
        put(
            made,
            "board.txt",
            [title("Board"), paragraph("The board has nine seats. Ingrid Tollemar chairs the board.")],
        )
        yield made


class Recorded:
    """A screen that gives lines (or raises them) and keeps what it is shown."""

    def __init__(self, *lines: str | BaseException) -> None:
        self.lines = list(lines)
        self.written: list[str] = []
        self.told: list[str] = []
        self.drawn: list[bytes] = []
        self.can_draw = True

    def read(self) -> str | None:
        line = self.lines.pop(0) if self.lines else None
        if isinstance(line, BaseException):
            raise line
        return line

    def draw(self, png: bytes) -> bool:
        self.drawn.append(png)
        return self.can_draw

    @property
    def screen(self) -> Screen:
        return Screen(read=self.read, write=self.written.append, tell=self.told.append, draw=self.draw)


def chat(
    library: Library, *lines: str | BaseException, model: object = "extractive", can_draw: bool = True
) -> Recorded:
    recorded = Recorded(*lines)
    recorded.can_draw = can_draw
    history = SQLiteHistory(library.folder)
    settings = Settings(ollama_host="http://127.0.0.1:9")
    retriever = MultiVectorRetriever(library, settings=settings, embedder=BagOfWords())
    conversation = Conversation(session_id="s", history=history, retriever=retriever)
    ChatLoop(conversation=conversation, screen=recorded.screen, model=model).run()
    history.close()
    return recorded


def test_questions_follow_up_on_each_other_until_the_end(library):
    seen = chat(library, "Who chairs the board?", "", "How many seats does it have?")
    assert "Ingrid Tollemar" in seen.written[0]
    assert "understood as: How many seats does the board have?" in seen.written[1]
    assert seen.told == ["answered by: extractive"] * 2


def test_quit_ends(library):
    assert chat(library, "/quit", "Who chairs the board?").written == []


def test_sources_lists_the_documents_and_then_what_is_cited(library):
    first, _, last = chat(library, "/sources", "Who chairs the board?", "/sources").written
    assert "board.txt" in first
    assert "Ingrid Tollemar chairs the board." in last


def test_show_draws_the_place_of_a_citation(library, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(chat_loop, "show", lambda library, wanted, password: shown.append(wanted) or b"png")
    seen = chat(library, "Who chairs the board?", "/show 1", "/show")
    assert seen.drawn == [b"png", b"png"]
    assert shown[0] == shown[1]
    assert len(seen.written) == 1


def test_where_the_terminal_draws_nothing_the_file_is_named(library, monkeypatch, tmp_path):
    monkeypatch.setattr(chat_loop, "show", lambda library, wanted, password: b"png")
    monkeypatch.setattr(chat_loop, "kept_crop", lambda png, name: tmp_path / "crop.png")
    assert chat(library, "Who chairs the board?", "/show 1", can_draw=False).written[1] == f"{tmp_path}/crop.png\n"


def test_open_opens_the_crop(library, monkeypatch, tmp_path):
    opened: list[object] = []
    monkeypatch.setattr(chat_loop, "show", lambda library, wanted, password: b"png")
    monkeypatch.setattr(chat_loop, "kept_crop", lambda png, name: tmp_path / "crop.png")
    monkeypatch.setattr(chat_loop, "open_with_desktop", opened.append)
    assert chat(library, "Who chairs the board?", "/open 1").told[-1] == f"opened {tmp_path}/crop.png"
    assert opened == [tmp_path / "crop.png"]


def test_a_place_that_cannot_be_drawn_is_told_and_the_chat_goes_on(library):
    seen = chat(library, "Who chairs the board?", "/show 1", "How many seats does it have?")
    assert any("has no pages to draw" in said for said in seen.told)
    assert len(seen.written) == 2


@pytest.mark.parametrize(
    ("line", "said"), [("/show 9", "there is no citation 9: the last answer cites 1"), ("/open x", "no citation x")]
)
def test_a_number_that_is_not_cited_is_told(library, line, said):
    assert said in chat(library, "Who chairs the board?", line).told[-1]


def test_before_an_answer_there_is_nothing_to_show(library):
    assert chat(library, "/show 1").told == ["there is no citation 1: the last answer cites nothing"]


def test_new_begins_another_session(library):
    seen = chat(library, "Who chairs the board?", "/new", "How many seats does it have?")
    assert "What do you mean" in seen.written[1]
    history = SQLiteHistory(library.folder)
    assert len(history.sessions()) == 2
    history.close()


def test_an_unknown_command_is_named_and_help_lists_them_all(library):
    seen = chat(library, "/wat", "/help")
    assert seen.told == ["there is no /wat; /help says what there is"]
    assert all(name in seen.written[0] for name in ("/sources", "/show", "/open", "/new", "/quit"))


class Interrupted:
    """A model at which Ctrl-C is pressed."""

    name = "interrupted"
    context_tokens = 4096

    def reply(self, messages, on_token=None):
        raise KeyboardInterrupt


class Broken(Interrupted):
    def reply(self, messages, on_token=None):
        raise ModelError("the model is gone")


def test_ctrl_c_stops_an_answer_and_the_chat_goes_on(library):
    seen = chat(library, "Who chairs the board?", "/help", model=Interrupted())
    assert seen.told == ["stopped; Ctrl-C again or /quit ends"]
    assert len(seen.written) == 1


def test_ctrl_c_twice_ends(library):
    assert chat(library, KeyboardInterrupt(), KeyboardInterrupt(), "/help").written == []
    assert len(chat(library, KeyboardInterrupt(), "/help", KeyboardInterrupt(), "/help").written) == 2


def test_a_model_that_fails_is_told_and_the_chat_goes_on(library):
    seen = chat(library, "Who chairs the board?", "/help", model=Broken())
    assert seen.told == ["Error: the model is gone"]
    assert len(seen.written) == 1
