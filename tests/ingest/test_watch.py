import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import watch
from ingest.errors import UsageError
from ingest.settings import Settings
from ingest.types import SourceResult

ROOT = Path(__file__).resolve().parents[2]
FERRY = "# Ferry\n\nThe ferry sails at noon.\n"


def result(path: str, state: str, reason: str | None = None) -> SourceResult:
    return SourceResult(path=path, state=state, reason=reason)  # type: ignore[arg-type]


def test_after_the_first_time_only_news_are_told():
    told: dict[str, SourceResult] = {}
    first = [result("a", "unchanged"), result("b", "failed", "broken"), result("c", "skipped", "odd")]
    assert list(watch._news(iter(first), told)) == first
    assert list(watch._news(iter(first), told)) == []
    news = [result("a", "ingested"), result("b", "failed", "otherwise"), result("c", "removed")]
    assert list(watch._news(iter([*news, result("d", "ingested")]), told)) == [*news, result("d", "ingested")]


def test_a_sync_is_due_when_all_is_still_or_when_it_never_is():
    rest = watch._Rest()
    assert not rest.is_due(100.0)
    rest.happened(100.0)
    assert not rest.is_due(101.9)
    rest.happened(101.9)
    assert not rest.is_due(103.8)
    assert rest.is_due(103.95)
    for tenth in range(102, 110):
        rest.happened(float(tenth))
        assert not rest.is_due(tenth + 0.9)
    rest.happened(109.9)
    assert rest.is_due(110.0)


def test_web_pages_are_not_watched(tmp_path):
    with pytest.raises(UsageError, match="web pages and buckets cannot be watched"):
        next(watch.follow(["https://example.org/"], settings=Settings(library=tmp_path / "lib")))


class Watching:
    """A process that watches ``docs``, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.docs = folder, folder / "docs"
        # The library lies in what is watched: what is written to it must not wake the watcher.
        args = [sys.executable, "-m", "cli", "ingest", "docs", "-l", "docs/library", "--watch", "--json", "--jobs", "1"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(args, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def lines(self) -> Iterator[dict]:
        assert self.process.stdout is not None
        return map(json.loads, self.process.stdout)

    def turn(self) -> dict[str, str]:
        """The states that the next turn tells."""
        found: dict[str, str] = {}
        for line in self.lines():
            if "summary" in line:
                return found
            found[line["path"]] = line["state"]
        raise AssertionError("it ended: " + self.end()[1])

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate()
        return self.process.returncode, said.decode()


@pytest.fixture
def watching(tmp_path) -> Iterator[Watching]:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(FERRY)
    made = Watching(tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def test_folders_are_followed_until_ctrl_c_and_files_are_read_when_they_are_whole(watching):
    docs = watching.docs
    assert watching.turn() == {"a.md": "ingested"}
    # Copies need no worker: the same bytes are read once.
    (docs / "sub").mkdir()
    (docs / "sub/b.md").write_text(FERRY)
    assert watching.turn() == {"sub/b.md": "ingested"}
    (docs / "a.md").rename(docs / "c.md")
    (docs / "sub/b.md").unlink()
    assert watching.turn() == {"c.md": "ingested", "a.md": "removed", "sub/b.md": "removed"}
    # A copy that takes as long as the pipe is open holds up no other file.
    copy = (
        "import select\n"
        "while not select.select([0], [], [], 0.1)[0]:\n"
        "    open('docs/slow.md', 'a').write('A part. ')\n"
        f"open('docs/slow.md', 'w').write({FERRY!r})\n"
    )
    with subprocess.Popen([sys.executable, "-c", copy], cwd=watching.folder, stdin=subprocess.PIPE) as writer:
        while not (docs / "slow.md").exists():
            os.sched_yield()
        (docs / "d.md").write_text(FERRY)
        assert watching.turn() == {"d.md": "ingested"}
        writer.communicate(b"\n")
    assert watching.turn() == {"slow.md": "ingested"}
    stopped = "Interrupted; what was finished is kept, run the same command to go on.\n"
    assert watching.end() == (130, stopped)
