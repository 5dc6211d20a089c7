"""What an ingest and a question leave outside of the library, and whom they call: nothing and nobody."""

import json
import shutil
import subprocess

import pytest

from tests.bench import outside

SAMPLES = ["report.pdf", "slides.pptx", "notes.txt", "mail.eml"]


@pytest.fixture
def place(samples, tmp_path):
    (tmp_path / "docs").mkdir()
    for name in SAMPLES:
        shutil.copy(samples / name, tmp_path / "docs")
    return outside.Place.made_in(tmp_path)


def test_an_ingest_and_a_question_write_nothing_outside_the_library(place):
    before = place.files()
    lines = place.run("ingest", "docs", "--json")
    assert json.loads(lines[-1])["summary"]["failed"] == 0
    found = json.loads(place.run("ask", "Who reports to the board?", "--json")[-1])
    assert found["found"]
    place.run("show", found["citations"][0]["citation_id"], "-o", str(place.library / "shown.png"))
    assert place.files() == before
    assert not (place.library / "scratch").exists()


COMMANDS = [
    ("ingest", "docs", "--json"),
    ("search", "Who reports to the board?", "--json"),
    ("ask", "Who reports to the board?", "--json"),
]


def test_no_process_of_a_command_tries_to_call_anybody_or_to_write_elsewhere(place):
    for command in COMMANDS:
        place.run(*command, watched=True)
    told = [line.split("\t", 1) for line in (place.folder / "trace").read_text().splitlines()]
    # A question looks for Ollama on this machine.
    calls = [subject for event, subject in told if event.startswith("socket.")]
    assert {subject for subject in calls if "127.0.0.1" not in subject} == set()
    written = {subject.removeprefix("file://").partition("?")[0] for _, subject in told}
    assert str(place.library / "library.sqlite") in written
    assert outside.elsewhere(written, place) == []


def can_trace() -> bool:
    """Whether strace is there and allowed."""
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-qq", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace")
def test_the_system_sees_no_call_to_another_machine_and_no_file_elsewhere(place):
    for command in COMMANDS:
        lines = place.traced(*command)
        assert outside.called(lines) == []
        assert outside.written(lines, place) == []
