"""Sessions and turns: both stores keep one contract, and the file keeps its bytes to itself."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import mongomock
import pymongo.errors
import pytest

from ingest.errors import HistoryError, UsageError
from ingest.library_schema import DATABASE, HISTORY
from ingest.settings import Settings
from retrievers.history import (
    Session,
    Turn,
    check_session_id,
    hash_secret,
    is_near,
    kept_answer,
    new_secret,
    new_session_id,
    open_history,
)
from retrievers.history_mongo import MongoHistory
from retrievers.history_sqlite import SQLiteHistory
from tests.contracts import HistoryContract, turn

ROOT = Path(__file__).resolve().parents[2]


class TestSQLiteHistory(HistoryContract):
    @pytest.fixture
    def history(self, tmp_path):
        store = SQLiteHistory(tmp_path)
        yield store
        store.close()


class TestMongoHistory(HistoryContract):
    @pytest.fixture
    def history(self):
        return MongoHistory("mongodb://localhost/ferry", mongomock.MongoClient())


@pytest.fixture
def history(tmp_path):
    store = SQLiteHistory(tmp_path)
    yield store
    store.close()


# --- the file -------------------------------------------------------------------------------------


def test_reading_makes_no_file(history, tmp_path):
    history.sessions()
    history.purge(["x"])
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_the_file(history, tmp_path):
    before = os.umask(0)
    try:
        history.start(Session(session_id="s", started=0.0))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / HISTORY).stat().st_mode) == 0o600


def test_a_second_process_sees_what_the_first_has_written(history, tmp_path):
    history.start(Session(session_id="s", started=0.0))
    other = SQLiteHistory(tmp_path)
    assert other.session("s") is not None
    other.append("s", turn("Mine?"))
    assert [t.question for t in history.turns("s")] == ["Mine?"]
    other.close()


def test_many_processes_may_begin_the_file_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from retrievers.history import Session, Turn;"
        "from retrievers.history_sqlite import SQLiteHistory; h = SQLiteHistory(Path(sys.argv[1]));"
        "h.start(Session(session_id='s', started=0.0));"
        "assert h.append('s', Turn(question='?', full_question='?', answer={}, asked=0.0))"
    )
    run = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(6)]
    assert [each.wait() for each in run] == [0] * 6
    store = SQLiteHistory(tmp_path)
    assert len(store.turns("s")) == 6
    store.close()


@pytest.mark.parametrize("end", ["purge", "delete"])
def test_no_byte_of_what_is_deleted_stays_in_the_folder(history, tmp_path, end):
    history.start(Session(session_id="s", started=0.0))
    history.start(Session(session_id="t", started=0.0))
    for number in range(30):
        text = f"QUIXOTRY{number} " * 50
        planted = Turn(question=text, full_question=text, answer={"answer": text}, asked=0.0, source_ids=("x",))
        history.append("s", planted)
        history.append("t", turn(f"Kept {number}?", "y"))
    assert b"QUIXOTRY" in bytes_of(tmp_path)
    history.purge(["x"]) if end == "purge" else history.delete("s")
    assert b"QUIXOTRY" not in bytes_of(tmp_path)
    assert len(history.turns("t")) == 30


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_broken_file_is_named(history, tmp_path):
    (tmp_path / HISTORY).write_bytes(b"no database at all, " * 100)
    with pytest.raises(HistoryError, match=HISTORY):
        history.sessions()


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(HistoryError, match="none"):
        SQLiteHistory(tmp_path / "none").start(Session(session_id="s", started=0.0))


def test_a_file_of_a_newer_version_says_what_to_do(history, tmp_path):
    history.start(Session(session_id="s", started=0.0))
    with sqlite3.connect(tmp_path / HISTORY) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    later = SQLiteHistory(tmp_path)
    with pytest.raises(HistoryError, match="upgrade"):
        later.sessions()


def test_a_history_is_kept_while_the_librarys_database_is_being_written(history, tmp_path):
    with sqlite3.connect(tmp_path / DATABASE, isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        history.start(Session(session_id="s", started=0.0))
        assert history.append("s", turn())
        db.execute("ROLLBACK")
    db.close()


# --- MongoDB --------------------------------------------------------------------------------------


def test_the_url_names_the_database():
    client = mongomock.MongoClient()
    MongoHistory("mongodb://localhost:27017/ferry?tls=true", client).start(Session(session_id="s", started=0.0))
    MongoHistory("mongodb://localhost", client).start(Session(session_id="s", started=0.0))
    assert sorted(client.list_database_names()) == ["ferry", "pincite"]


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch, free_port):
    monkeypatch.setattr("retrievers.history_mongo.PATIENCE_MS", 50)
    history = open_history(ROOT, Settings(history_url=f"mongodb://ada:secret@127.0.0.1:{free_port}/ferry"))
    with pytest.raises(HistoryError) as raised:
        history.sessions()
    history.close()
    assert f"127.0.0.1:{free_port}" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("kind", [k for k in vars(pymongo.errors).values() if isinstance(k, type)])
def test_every_error_of_pymongo_is_one_of_ours(kind):
    if not issubclass(kind, Exception) or not kind.__module__.startswith(("pymongo", "bson")):
        return
    error = kind.__new__(kind)
    Exception.__init__(error, "no luck")
    with pytest.raises(HistoryError, match="localhost"):
        MongoHistory("mongodb://localhost", Failing(error)).sessions()


class Failing:
    """A client whose every use fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getitem__(self, name: str) -> None:
        raise self.error


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


# --- choosing, naming, secrets --------------------------------------------------------------------


def test_without_a_url_the_history_is_in_the_folder(tmp_path):
    assert isinstance(open_history(tmp_path, Settings()), SQLiteHistory)


@pytest.mark.parametrize(
    "url", ["http://localhost", "postgres://ada:secret@localhost/x", "localhost:27017", "mongodb://"]
)
def test_another_url_is_refused_without_its_password(tmp_path, url):
    with pytest.raises(UsageError, match="PINCITE_HISTORY_URL") as raised:
        open_history(tmp_path, Settings(history_url=url))
    assert "secret" not in str(raised.value)


def test_settings_do_not_show_the_url():
    assert "secret" not in repr(Settings(history_url="mongodb://ada:secret@host/x"))


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("mongodb://localhost", True),
        ("mongodb://ada:x@127.0.0.1:27017/ferry", True),
        ("mongodb://[::1]:27017", True),
        ("mongodb://127.0.0.1,localhost:27018/ferry", True),
        ("mongodb://127.0.0.1,db.example/ferry", False),
        ("mongodb://db.example", False),
        ("mongodb+srv://localhost", False),
    ],
)
def test_a_url_is_near_when_all_its_hosts_are_this_machine(url, near):
    assert is_near(url) is near


@pytest.mark.parametrize("name", ["", "a b", "../x", "-l", "a" * 65, "caf\xe9", "a\n", "{}"])
def test_what_cannot_name_a_session_is_refused(name):
    with pytest.raises(UsageError, match="cannot name a session"):
        check_session_id(name)


def test_new_ids_can_name_sessions_and_differ():
    ids = {check_session_id(new_session_id()) for _ in range(50)}
    assert len(ids) == 50


def test_only_the_secret_opens_a_session():
    secret = new_secret()
    session = Session(session_id="s", started=0.0, secret_sha256=hash_secret(secret))
    assert session.admits(secret)
    assert not session.admits(new_secret())
    assert not session.admits(None)
    assert not Session(session_id="s", started=0.0).admits(secret)
    assert not Session(session_id="s", started=0.0).admits(None)
    assert hash_secret(secret) not in repr(session)


def test_a_turn_keeps_no_passage_that_was_not_cited():
    kept = kept_answer({"answer": "9 [1].", "citations": [1], "results": ["long"], "timing": {}, "seconds": 1.0})
    assert json.dumps(kept) == '{"answer": "9 [1].", "citations": [1]}'
