"""What an ingest and a question leave outside of the library, and whom they call: nothing and nobody."""

import json
import shutil

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


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_an_ingest_and_a_question_call_nobody_but_this_machine(place):
    for command in (("ingest", "docs", "--json"), ("ask", "Who reports to the board?", "--json")):
        assert outside.called(place.traced(*command)) == []
