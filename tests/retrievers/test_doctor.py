"""What doctor finds: models, weights, library, and which host is sent what."""

import dataclasses
import sqlite3
import tomllib
from collections.abc import Sequence
from pathlib import Path

import mongomock
import pytest

from ingest.library import Library, PathRecord, SourceRecord
from ingest.library_schema import DATABASE
from ingest.settings import Settings
from ingest.types import Element, Partition
from retrievers import doctor
from retrievers.doctor import Check, examine
from retrievers.history import Session
from retrievers.history_mongo import MongoHistory
from retrievers.history_sqlite import SQLiteHistory
from tests.ollama_server import OllamaServer, models_named

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _without_weights(monkeypatch):
    """Hashing all packaged weights takes a second: only the tests about them do it."""
    monkeypatch.setattr(doctor, "WEIGHTS", {})


def checks(tmp_path, **settings) -> list[Check]:
    settings.setdefault("ollama_host", NOBODY)
    settings.setdefault("library", tmp_path / "lib")
    return list(examine(Settings(**settings)))


def named(found: Sequence[Check], name: str) -> Check:
    (check,) = [c for c in found if c.name == name]
    return check


def test_without_a_server_it_says_what_is_done_instead_and_how_to_get_one(tmp_path):
    check = named(checks(tmp_path), "Ollama")
    assert check.level == "note"
    assert "answers are extractive" in check.found
    assert "ollama pull llama3" in check.fix
    assert "ollama pull llava" in check.fix


def test_a_server_without_models_names_what_to_pull(tmp_path):
    with OllamaServer({}) as server:
        found = checks(tmp_path, ollama_host=server.url)
    assert named(found, "Ollama").level == "ok"
    chat, vision = named(found, "chat model"), named(found, "vision model")
    assert (chat.level, chat.fix) == ("note", "ollama pull llama3")
    assert (vision.level, vision.fix) == ("note", "ollama pull llava")
    assert "the server has no models" in chat.found


def test_a_server_with_other_models_names_them(tmp_path):
    with OllamaServer(models_named("mistral:7b")) as server:
        check = named(checks(tmp_path, ollama_host=server.url), "chat model")
    assert "mistral:7b" in check.found
    assert check.fix == "ollama pull llama3"


def test_models_that_are_there_are_named_with_their_digests(tmp_path):
    with OllamaServer(models_named("llama3", "llava")) as server:
        found = checks(tmp_path, ollama_host=server.url)
        digest = server.models["llama3:latest"]
    assert (named(found, "chat model").level, named(found, "vision model").level) == ("ok", "ok")
    assert f"llama3:latest {digest[:12]}" in named(found, "chat model").found


def test_a_server_that_cannot_list_its_models_is_a_problem(tmp_path):
    with OllamaServer(faults={"/api/tags": ["500"]}) as server:
        check = named(checks(tmp_path, ollama_host=server.url), "Ollama models")
    assert (check.level, bool(check.fix)) == ("problem", True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0" * 64}, "differ from the pinned"),
        ({"package": "no-such-package-anywhere", "path": "no_such_package/x.json"}, "no-such-package-anywhere"),
    ],
)
def test_weights_that_are_tampered_with_or_missing_are_a_problem(tmp_path, monkeypatch, change, said):
    tokenizer = dataclasses.replace(doctor.WORDLLAMA_TOKENIZER, **change)
    monkeypatch.setattr(doctor, "WEIGHTS", {"wordllama": (tokenizer,)})
    check = named(checks(tmp_path), "embedder wordllama")
    assert check.level == "problem"
    assert said in check.found
    assert check.fix


def test_weights_as_pinned_are_shown_with_their_digests(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "WEIGHTS", {"wordllama": (doctor.WORDLLAMA_TOKENIZER,)})
    check = named(checks(tmp_path), "embedder wordllama")
    assert check.level == "ok"
    assert doctor.WORDLLAMA_TOKENIZER.sha256[:12] in check.found


def test_missing_ocr_models_are_a_problem(tmp_path, monkeypatch):
    assert named(checks(tmp_path), "OCR").level == "ok"
    monkeypatch.setattr(doctor, "OCR_MODELS", ("nobody-ships-this.onnx",))
    check = named(checks(tmp_path), "OCR")
    assert (check.level, "nobody-ships-this.onnx" in check.found) == ("problem", True)


def test_a_missing_package_is_a_problem_with_its_install_line(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("pillow", "no-such-package-anywhere"))
    found = checks(tmp_path)
    assert named(found, "pillow").level == "ok"
    missing = named(found, "no-such-package-anywhere")
    assert (missing.level, missing.fix) == ("problem", "pip install no-such-package-anywhere")


def test_every_extra_of_the_package_is_looked_for(tmp_path):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) - {"all", "test"} == set(doctor.EXTRAS)
    assert {f"extra {name}" for name in doctor.EXTRAS} <= {check.name for check in checks(tmp_path)}


def test_a_missing_extra_is_a_note_with_its_install_line(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "EXTRAS", {"llamaparse": ("no-such-package-anywhere", "parsing in the cloud")})
    check = named(checks(tmp_path), "extra llamaparse")
    assert (check.level, check.fix) == ("note", "pip install '.[llamaparse]' in pincite's folder")


def test_no_library_is_a_note(tmp_path):
    check = named(checks(tmp_path), "library")
    assert (check.level, check.fix) == ("note", "pincite ingest PATH")


def test_a_library_is_counted(tmp_path):
    Library(tmp_path / "lib", create=True).close()
    check = named(checks(tmp_path), "library")
    assert check.level == "ok"
    assert "no vectors yet" in check.found


def test_a_library_of_a_newer_version_is_a_problem_that_says_so(tmp_path):
    Library(tmp_path / "lib", create=True).close()
    with sqlite3.connect(tmp_path / "lib" / DATABASE) as db:
        db.execute("PRAGMA user_version = 9999")
    db.close()
    check = named(checks(tmp_path), "library")
    assert check.level == "problem"
    assert "newer" in check.found


def test_a_broken_library_is_a_problem(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / DATABASE).write_bytes(b"this is no database, whatever its name says" * 100)
    assert named(checks(tmp_path), "library").level == "problem"


def test_this_machine_is_said_to_be_this_machine(tmp_path):
    check = named(checks(tmp_path), "sent")
    assert (check.level, "(this machine)" in check.found) == ("ok", True)


@pytest.mark.parametrize(
    ("host", "level", "said"),
    [("http://127.0.0.1:8000/v1", "ok", "(this machine)"), ("https://chat.example/v1", "note", "(another machine)")],
)
def test_a_server_with_openais_interface_is_named_with_what_it_is_sent(tmp_path, host, level, said):
    found = [check for check in checks(tmp_path, openai_base_url=host) if host in check.found]
    assert [(check.name, check.level) for check in found] == [("sent", level)]
    assert said in found[0].found
    assert "questions with passages" in found[0].found


@pytest.mark.parametrize(("host", "level"), [("127.0.0.1:6379", "ok"), ("head.example:6379", "note")])
def test_the_head_of_a_cluster_is_named_with_what_it_is_sent(tmp_path, host, level):
    (found,) = (check for check in checks(tmp_path, ray_address=host) if host in check.found)
    assert (found.name, found.level) == ("sent", level)
    assert "documents" in found.found
    assert ("PINCITE_RAY_ADDRESS" in found.fix) == (level == "note")


def test_another_machine_is_named_with_what_it_is_sent(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.Ollama, "version", lambda self: None)
    check = named(checks(tmp_path, ollama_host="http://gpu.example:11434"), "sent")
    assert check.level == "note"
    assert "http://gpu.example:11434" in check.found
    assert "another machine" in check.found
    assert "questions with passages, pictures" in check.found
    assert "embedding" not in check.found
    assert "OLLAMA_HOST" in check.fix


def test_texts_are_named_when_another_machine_embeds_them(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.Ollama, "version", lambda self: None)
    found = checks(tmp_path, ollama_host="http://gpu.example:11434", embedder="ollama:nomic-embed-text")
    assert "all texts for embedding" in named(found, "sent").found


@pytest.mark.parametrize("answers", [True, False])
def test_no_secret_is_ever_shown(tmp_path, answers):
    with OllamaServer(faults={"/api/tags": ["500"]}) as server:
        host = (server.url if answers else NOBODY).replace("//", "//user:hunter2@")
        found = checks(tmp_path, ollama_host=host, llama_cloud_api_key="llx-secret")
    shown = " ".join(f"{c.name} {c.found} {c.fix}" for c in found)
    assert "hunter2" not in shown
    assert "llx-secret" not in shown
    assert "only with --parser llamaparse" in shown


def put_picture(folder: Path, summary: str | None) -> None:
    picture = Element(element_id="p", category="Image", text="", image_path="images/p.png", summary=summary)
    record = SourceRecord(
        id="s",
        format="html",
        size=1,
        partition_key="",
        chunk_key="",
        pages=None,
        elements={"Image": 1},
        warnings=(),
        seconds=0.0,
    )
    with Library(folder / "lib", create=True) as library:
        library.put_source(record, Partition(elements=(picture,)), [], {}, {})
        path = str(folder / "my docs")
        library.put_path(
            PathRecord(path=path, source_id="s", state="ingested", reason=None, size=1, mtime_ns=0), root=path
        )


def test_pictures_that_would_gain_are_counted_with_the_commands_to_run(tmp_path):
    put_picture(tmp_path, None)
    check = named(checks(tmp_path), "pictures")
    assert (check.level, "1 picture has no description" in check.found) == ("note", True)
    assert check.fix == "ollama serve; ollama pull llava; pincite ingest 'my docs'"


def test_only_the_commands_that_are_still_needed_are_named(tmp_path):
    put_picture(tmp_path, None)
    with OllamaServer(models_named("llama3")) as server:
        assert named(checks(tmp_path, ollama_host=server.url), "pictures").fix.startswith("ollama pull llava; pincite")
    with OllamaServer() as server:
        assert named(checks(tmp_path, ollama_host=server.url), "pictures").fix == "pincite ingest 'my docs'"


def test_nothing_is_said_of_pictures_that_are_described(tmp_path):
    put_picture(tmp_path, "A harbour.")
    assert not [check for check in checks(tmp_path) if check.name == "pictures"]


def test_sessions_are_counted_where_they_are_kept(tmp_path):
    assert not [c for c in checks(tmp_path) if c.name == "history"]
    with Library(tmp_path / "lib", create=True):
        store = SQLiteHistory(tmp_path / "lib")
        store.start(Session(session_id="s", started=0.0))
        store.close()
    check = named(checks(tmp_path), "history")
    assert (check.level, check.found) == ("ok", "1 sessions, in the library's folder")


@pytest.mark.parametrize(
    ("host", "level", "said"),
    [("127.0.0.1", "ok", "127.0.0.1 (this machine) is sent"), ("db.example", "note", "db.example (another machine)")],
)
def test_the_host_of_a_history_is_named_with_what_it_is_sent(tmp_path, monkeypatch, host, level, said):
    url = f"mongodb://ada:hunter2@{host}/ferry"
    monkeypatch.setattr(doctor, "open_history", lambda folder, settings: MongoHistory(url, mongomock.MongoClient()))
    check = named(checks(tmp_path, history_url=url), "history")
    assert check.level == level
    assert said in check.found
    assert "hunter2" not in str(check)


def test_a_history_that_cannot_be_opened_is_a_problem(tmp_path):
    check = named(checks(tmp_path, history_url="http://ada:hunter2@db.example"), "history")
    assert check.level == "problem"
    assert "PINCITE_HISTORY_URL must be a URL like mongodb://" in check.found
    assert "hunter2" not in str(check)
