"""Several Ollama servers as one, over the real protocol."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.errors import ModelError, ModelUnreachableError, UsageError
from ingest.model_hosts import AWAY_SECONDS, OllamaHosts, open_servers
from ingest.models import Message, Ollama, ReplyOptions
from ingest.settings import Settings, read_settings
from tests.ollama_server import OllamaServer, models_named

DEAD = "http://127.0.0.1:9"
ASK = [Message(role="user", content="What is a pier?")]


def hosts_of(*urls: str, clock=lambda: 0.0) -> OllamaHosts:
    return OllamaHosts([Ollama(host=url, retries=0, timeout=10.0) for url in urls], clock=clock)


def asked(server: OllamaServer, path: str = "/api/chat") -> int:
    return sum(request.path == path for request in server.requests)


def test_requests_at_the_same_time_go_to_different_servers():
    meet = threading.Barrier(2, timeout=20)

    def answered(_request):
        meet.wait()  # both servers are asked at once, or this never passes
        return "A pier."

    with (
        OllamaServer(script=answered) as one,
        OllamaServer(script=answered) as two,
        ThreadPoolExecutor(2) as threads,
    ):
        hosts = hosts_of(one.url, two.url)
        said = list(threads.map(lambda _: hosts.chat_text("llama3", ASK, ReplyOptions()), range(2)))
    assert said == ["A pier."] * 2
    assert (asked(one), asked(two)) == (1, 1)


@pytest.mark.parametrize("fault", ["500", "drop", "404"])
def test_a_server_that_fails_is_left_out_for_a_while(fault):
    now = [0.0]
    with OllamaServer(faults={"/api/chat": [fault]}, script=["A pier."]) as bad, OllamaServer(script=["Yes."]) as good:
        hosts = hosts_of(bad.url, good.url, clock=lambda: now[0])
        assert [hosts.chat_text("llama3", ASK, ReplyOptions()) for _ in range(3)] == ["Yes."] * 3
        assert (asked(bad), asked(good)) == (1, 3)
        now[0] = AWAY_SECONDS + 1
        assert hosts.chat_text("llama3", ASK, ReplyOptions()) == "A pier."


def test_a_server_that_is_not_there_costs_no_request_its_answer():
    with OllamaServer() as good:
        hosts = hosts_of(DEAD, good.url)
        assert hosts.version() is not None
        assert len(hosts.embed("nomic-embed-text", ["pier"])) == 1


def test_when_none_can_the_last_error_says_why():
    with pytest.raises(ModelUnreachableError, match="ollama serve"):
        hosts_of(DEAD, "http://127.0.0.1:10").embed("nomic-embed-text", ["pier"])


def test_what_is_wrong_with_the_request_is_not_asked_of_the_others():
    with OllamaServer(faults={"/api/chat": ["400"]}) as one, OllamaServer() as two:
        with pytest.raises(ModelError):
            hosts_of(one.url, two.url).chat_text("llama3", ASK, ReplyOptions())
        assert asked(two) == 0


def test_servers_with_other_weights_are_not_asked():
    other = {"llava:latest": "0" * 64}
    with OllamaServer(models_named("llava")) as one, OllamaServer(other) as two, OllamaServer({}) as three:
        hosts = hosts_of(one.url, two.url, three.url)
        assert hosts.digest("llava") == models_named("llava")["llava:latest"]
        for _ in range(4):
            hosts.describe("llava", "What is it?", b"\x89PNG", ReplyOptions())
        assert [asked(server, "/api/generate") for server in (one, two, three)] == [4, 0, 0]


def test_hosts_are_read_from_the_setting_and_one_alone_is_the_usual_server():
    settings = read_settings(environ={"PINCITE_OLLAMA_HOSTS": "gpu1, http://gpu2:1234"})
    assert settings.ollama_hosts == ("http://gpu1:11434", "http://gpu2:1234")
    assert settings.request_count == 4
    assert open_servers(settings).address == "http://gpu1:11434, http://gpu2:1234"
    assert open_servers(Settings()).address == "http://127.0.0.1:11434"
    with pytest.raises(UsageError, match="model server"):
        open_servers(Settings(ollama_hosts=("ftp://x",)))
