"""Chat models behind OpenAI's interface: what is sent, how the stream is read, and what each fault becomes."""

import pytest

from ingest.errors import (
    ModelError,
    ModelMissingError,
    ModelTimeoutError,
    ModelUnreachableError,
    TruncatedStreamError,
    UsageError,
)
from ingest.models import Message
from ingest.settings import Settings, read_settings
from retrievers.chat import OpenAIChat, choose_model
from tests.openai_server import OpenAIServer

HELLO = [Message(role="user", content="hi")]


def chat_with(server: OpenAIServer, **options) -> OpenAIChat:
    return OpenAIChat(base_url=server.url, name="qwen", **{"timeout": 5.0, **options})


def test_tokens_come_in_order_and_make_the_reply():
    heard: list[str] = []
    with OpenAIServer("Revenue rose to 42 million [1].") as server:
        assert chat_with(server).reply(HELLO, heard.append) == "Revenue rose to 42 million [1]."
    assert heard == ["Revenue", " rose", " to", " 42", " million", " [1]."]
    (body,) = server.bodies
    assert (body["model"], body["temperature"], body["stream"]) == ("qwen", 0, True)
    assert body["messages"] == [{"role": "user", "content": "hi"}]
    assert server.keys == [None]


def test_a_key_is_sent_where_there_is_one_and_never_shown():
    with OpenAIServer() as server:
        model = chat_with(server, api_key="secret-1")
        model.reply(HELLO)
    assert server.keys == ["Bearer secret-1"]
    assert "secret-1" not in repr(model)
    assert "secret-1" not in repr(Settings(openai_api_key="secret-1"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("cut", TruncatedStreamError),
        ("drop", TruncatedStreamError),
        ("garbage", ModelError),
        ("error", ModelError),
        ("stall", ModelTimeoutError),
    ],
)
def test_a_stream_that_fails_is_an_error_after_the_tokens_it_had(fault, kind):
    heard: list[str] = []
    with OpenAIServer("one two three", fault=fault) as server, pytest.raises(kind):
        chat_with(server, timeout=0.3 if fault == "stall" else 5.0).reply(HELLO, heard.append)
    assert heard == ["one"]


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (404, ModelMissingError, "PINCITE_CHAT_MODEL"),
        (401, ModelError, "PINCITE_OPENAI_API_KEY"),
        (307, ModelError, "307"),
        (500, ModelError, "not like this"),
    ],
)
def test_a_refusal_says_what_to_do(status, kind, remedy):
    with OpenAIServer(status=status) as server, pytest.raises(kind, match=remedy):
        chat_with(server).reply(HELLO)


def test_no_server_is_an_error_that_names_the_variable_and_hides_the_password():
    with pytest.raises(ModelUnreachableError, match="PINCITE_OPENAI_BASE_URL") as raised:
        OpenAIChat(base_url="http://me:hidden@127.0.0.1:9/v1", name="qwen").reply(HELLO)
    assert "hidden" not in str(raised.value)


def test_an_address_that_is_no_url_is_refused():
    with pytest.raises(UsageError, match="PINCITE_OPENAI_BASE_URL"):
        OpenAIChat(base_url="localhost:8080", name="qwen")


def test_the_server_of_the_settings_is_taken_with_the_model_named_or_configured():
    environ = {"PINCITE_OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "PINCITE_CHAT_MODEL": "qwen"}
    configured = choose_model(read_settings(environ=environ)).model
    assert isinstance(configured, OpenAIChat)
    assert (configured.name, configured.base_url) == ("qwen", "http://127.0.0.1:9/v1")
    named = choose_model(read_settings(environ=environ), "mistral").model
    assert named is not None
    assert named.name == "mistral"
    assert choose_model(read_settings(environ=environ), "extractive").model is None
