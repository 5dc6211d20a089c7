"""Sessions on the command line: ask --session, chat from a pipe and in a terminal, history, and purging."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

import cli
from ingest import pipeline
from ingest.library_schema import HISTORY
from tests.inline_pool import InlinePool

ROOT = Path(__file__).resolve().parents[1]
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C = b"\x03"
PATIENCE = 120.0  # seconds; a machine that does much else is slow
ASK = ("ask", "--model", "extractive")


def run(*args: object, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(cli.main, [str(a) for a in args], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder with two documents, ingested."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "WorkerPool", lambda count, **_: InlinePool())
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "lease.md").write_text("# Lease\n\nThe lease was signed by QUIXOTRY Quill on 4 May 2021.\n")
    (docs / "board.md").write_text("# Board\n\nThe board has nine seats. Ingrid Tollemar chairs the board.\n")
    assert run("ingest", "docs").exit_code == 0
    return tmp_path


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_ask_with_a_session_understands_follow_ups(desk):
    first = run(*ASK, "Who chairs the board?", "--session", "s1")
    assert "Ingrid Tollemar" in first.stdout
    second = json.loads(run(*ASK, "How many seats does it have?", "--session", "s1", "--json").stdout)
    assert (second["session"], second["question"]) == ("s1", "How many seats does it have?")
    assert second["full_question"] == "How many seats does the board have?"
    assert "nine seats" in second["answer"]


def test_ask_without_a_session_keeps_nothing(desk):
    shape = json.loads(run(*ASK, "Who chairs the board?", "--json").stdout)
    assert shape["session"] is None
    assert not (desk / ".pincite" / HISTORY).exists()


def test_a_vague_question_gets_one_back_in_a_session(desk):
    shape = json.loads(run(*ASK, "Who signed it?", "--session", "s1", "--json").stdout)
    assert shape["clarify"] == "What do you mean by “it”?"
    assert "QUIXOTRY" in run(*ASK, "the lease", "--session", "s1").stdout


def test_a_session_that_cannot_be_named_so_is_wrong_use(desk):
    assert run(*ASK, "Who?", "--session", "../x").exit_code == 2


def test_many_questions_may_be_of_one_session(desk):
    lines = [{"id": 1, "question": "Who chairs the board?"}, {"id": 2, "question": "How many seats does it have?"}]
    (desk / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = [
        json.loads(line) for line in run(*ASK, "--questions", "q.jsonl", "--session", "s", "--json").stdout.splitlines()
    ]
    assert [line["session"] for line in said] == ["s", "s"]
    assert "nine seats" in said[1]["answer"]


def test_chat_works_from_a_pipe(desk):
    typed = "Who chairs the board?\nHow many seats does it have?\n/sources\n/quit\nnever read\n"
    said = run("chat", "--model", "extractive", "--session", "s1", stdin=typed)
    assert said.exit_code == 0
    assert "Ingrid Tollemar" in said.stdout
    assert "understood as: How many seats does the board have?" in said.stdout
    assert "never read" not in said.stdout
    assert "›" not in said.stdout.replace(" › ", "")


def test_history_lists_and_deletes_sessions(desk):
    run(*ASK, "Who chairs the board?", "--session", "s1")
    run(*ASK, "Who signed the lease?", "--session", "s2")
    listed = [json.loads(line) for line in run("history", "--json").stdout.splitlines()]
    assert sorted((s["session"], s["turns"]) for s in listed) == [("s1", 1), ("s2", 1)]
    assert "Who chairs the board?" in run("history").stdout
    assert "s1" not in run("history", "--delete", "s1").stdout
    assert run("history", "--delete", "s1").exit_code == 2


# --- removal ----------------------------------------------------------------------------------------


def test_removal_with_the_history_purged_leaves_no_byte_of_the_document(desk):
    for question in ("Who signed the lease?", "When was it signed?", "Who chairs the board?"):
        run(*ASK, question, "--session", "s1")
    assert b"QUIXOTRY" in (desk / ".pincite" / HISTORY).read_bytes()
    removed = run("remove", "docs/lease.md", "--purge-history")
    assert "2 deleted from sessions" in removed.stderr
    assert b"QUIXOTRY" not in bytes_of(desk / ".pincite")
    (left,) = [json.loads(line) for line in run("history", "--json").stdout.splitlines()]
    assert left["turns"] == 1


def test_removal_without_purging_says_how_many_turns_still_quote_it(desk):
    run(*ASK, "Who signed the lease?", "--session", "s1")
    removed = run("remove", "docs/lease.md")
    assert removed.exit_code == 0
    assert "1 turn of a session quotes what has left the library; to delete: pincite history --purge" in removed.stderr
    assert b"QUIXOTRY" in bytes_of(desk / ".pincite")
    run("history", "--purge")
    assert b"QUIXOTRY" not in bytes_of(desk / ".pincite")


def test_removal_says_nothing_of_a_history_that_does_not_quote_it(desk):
    run(*ASK, "Who chairs the board?", "--session", "s1")
    assert run("remove", "docs/lease.md").stderr == ""


# --- in a terminal ------------------------------------------------------------------------------------


def typed_in_a_terminal(folder: Path, args: list[str], lines: list[bytes], **environ: str) -> str:
    """What a command shows in a terminal when lines are typed, each after the prompt."""
    leader, follower = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environ}
    command = [sys.executable, "-m", "cli", *args]
    with subprocess.Popen(command, cwd=folder, stdin=follower, stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        try:
            shown = b"".join(_type(process, leader, line) for line in lines) + _shown(leader)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()  # does nothing to a process that has ended
            os.close(leader)
    return shown.decode()


def _type(process: subprocess.Popen[bytes], leader: int, line: bytes) -> bytes:
    shown = _shown(leader, "›".encode())
    if line is CTRL_C:
        _wait_until_it_reads(process)
        process.send_signal(signal.SIGINT)
    else:
        os.write(leader, line)
    return shown


def _wait_until_it_reads(process: subprocess.Popen[bytes]) -> None:
    # Readline shows the prompt before it waits for a key; CPython acts on a signal of that moment at the next key only.
    end = time.monotonic() + PATIENCE
    while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
        assert time.monotonic() < end
        os.sched_yield()


def _shown(leader: int, mark: bytes | None = None) -> bytes:
    """What is shown up to a mark at its end, or without one until the command ends."""
    shown, end = b"", time.monotonic() + PATIENCE
    while mark is None or not shown.rstrip().endswith(mark):
        assert select.select([leader], [], [], max(0, end - time.monotonic()))[0], shown
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the other side is closed
            chunk = b""
        if not chunk:
            assert mark is None, shown
            break
        shown += chunk
    return shown


def test_chat_in_a_terminal_raises_its_numbers_and_goes_on_after_ctrl_c(desk):
    shown = typed_in_a_terminal(
        desk, ["chat", "--model", "extractive"], [b"Who chairs the board?\n", CTRL_C, b"/quit\n"]
    )
    said = CONTROLS.sub("", shown)
    assert "Ingrid Tollemar chairs the board¹." in said
    assert "stopped; Ctrl-C again or /quit ends" in said
    assert "Traceback" not in said


def test_no_color_is_honoured_in_a_terminal(desk):
    shown = typed_in_a_terminal(desk, ["ask", "--model", "extractive", "Who chairs the board?"], [], NO_COLOR="1")
    assert "Ingrid Tollemar" in shown
    assert "\x1b[" not in shown


@pytest.mark.parametrize("args", [["--help"], ["chat", "--help"], ["ask", "--help"]])
def test_help_loads_nothing_heavy(args):
    code = f"import sys, cli\ntry:\n    cli.main({args!r})\nfinally:\n    sys.stderr.write(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not {"ingest.library", "numpy", "pymongo", "readline", "retrievers.conversation", "rich", "sqlite3"} & loaded
