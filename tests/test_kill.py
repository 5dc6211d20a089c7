"""An ingest that is killed and run again gives what an undisturbed one gives: ``tests.bench.kill`` in small."""

import shutil

import pytest

from tests.bench.kill import differences, parsed_again, run

SAMPLES = ["faq.md", "report.pdf", "notes.txt"]
KILLS = [1, 1, 2]
"""Sources after which a run is killed."""


@pytest.fixture
def docs(samples, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in SAMPLES:
        shutil.copy(samples / name, folder)
    for n in range(3):
        (folder / f"note{n}.md").write_text(f"# Note {n}\n\nThe ferry number {n} sails at noon.\n")
    return folder


def test_three_kills_lose_nothing_and_parse_nothing_that_was_finished_again(docs, tmp_path):
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    whole = run([str(docs), str(undisturbed), "auto", "auto"])
    assert len(whole.finished) == 6
    how = [str(docs), str(disturbed), "auto", "auto"]
    runs = [run(how, at_finished=count) for count in KILLS]
    assert [each.killed for each in runs] == [True] * 3
    assert sum(len(each.finished) for each in runs) > 0
    runs.append(run(how))
    assert {source for each in runs for source in each.finished} <= set(whole.finished)
    assert parsed_again(runs) == []
    assert list(differences(undisturbed, disturbed)) == []
