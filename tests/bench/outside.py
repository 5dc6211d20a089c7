"""Whom an ingest calls and where it writes: ``python -m tests.bench.outside FOLDER [QUESTION]``.

The folder is ingested and searched, a question asked and its first citation shown, under ``strace`` and with a home
folder and a folder for temporary files of their own. It prints each connection to another machine, each file opened
for writing outside of the library, and what is left in those folders, of which there is nothing; then the same in a
network of its own (``unshare -n``), where the commands must end as before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WATCHED = ROOT / "tests/watched"
CALLS = "connect,sendto,sendmsg,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,symlink,symlinkat,link,linkat"
ADDRESS = re.compile(r"AF_INET6?,.*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\"")
LOCAL = re.compile(r"127\.|::1$")
WRITES = re.compile(
    r"\b(?:open(?:at)?\(.*?\"(?P<path>[^\"]*)\", O_(?:WRONLY|RDWR)|(?:mkdir|creat)\(\"(?P<made>[^\"]*)\")"
)
HARMLESS = ("/dev/", "/proc/")
"""What is no file of a disk: terminals, shared memory, processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder in which commands run: documents and library in it, and the only home and temporary folder they know."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> Place:
        """Make the folders that must stay empty."""
        for name in ("home", "temporary", "canary"):
            (folder / name).mkdir()
        return cls(folder=folder)

    @property
    def library(self) -> Path:
        """The library's folder."""
        return self.folder / ".pincite"

    def files(self) -> dict[str, int]:
        """Everything in the folder but the library, by the time of its last change."""
        found = (p for p in self.folder.rglob("*") if self.library not in (p, *p.parents) and p.name != "trace")
        return {str(path.relative_to(self.folder)): path.lstat().st_mtime_ns for path in found if path.is_file()}

    def run(self, *words: str, before: Sequence[str] = (), watched: bool = False) -> list[str]:
        """Run a command; the lines that it printed. ``watched``: what Python code in it does is told in ``trace``."""
        temporary = str(self.folder / "temporary")
        path = os.pathsep.join([*([str(WATCHED)] if watched else []), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path, "HOME": str(self.folder / "home"), "TMPDIR": temporary}
        environment |= {"WATCHED_TRACE": str(self.folder / "trace")} if watched else {}
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            environment.pop(name, None)
        done = subprocess.run(
            [*before, sys.executable, "-B", "-m", "cli", *words, "-l", str(self.library)],
            check=False,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout.splitlines()

    def traced(self, *words: str) -> list[str]:
        """Run a command under strace; the system calls that it made."""
        trace = self.folder / "trace"
        self.run(*words, before=("strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(trace)))
        return trace.read_text(errors="replace").splitlines()


def called(lines: Sequence[str]) -> list[str]:
    """The addresses of other machines in system calls."""
    found = [address[1] for line in lines if (address := ADDRESS.search(line))]
    return [address for address in found if not LOCAL.match(address)]


def written(lines: Sequence[str], place: Place) -> list[str]:
    """The paths outside of the library that were opened for writing."""
    found = [match["path"] or match["made"] for line in lines if "= -1" not in line and (match := WRITES.search(line))]
    return elsewhere(found, place)


def elsewhere(paths: Iterable[str], place: Place) -> list[str]:
    """Those paths that are no file of the library."""
    inside = str(place.library)
    return sorted({path for path in paths if path.startswith("/") and not path.startswith((*HARMLESS, inside))})


def main(folder: str, question: str = "What is it about?") -> None:
    """Print what is told above."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Place.made_in(Path(temporary))
        before = place.files()
        lines = place.traced("ingest", folder, "--json")
        say(f"ingest: {len(lines)} calls")
        lines += place.traced("search", question, "--json")
        lines += place.traced("ask", question, "--json")
        (answer,) = place.run("ask", question, "--json")
        for citation in json.loads(answer)["citations"][:1]:
            lines += place.traced("show", citation["citation_id"], "-o", str(place.library / "shown.png"))
        say(f"addresses of other machines: {called(lines) or 'none'}")
        say(f"opened for writing elsewhere: {written(lines, place) or 'nothing'}")
        say(f"left elsewhere: {sorted(place.files().keys() - before.keys()) or 'nothing'}")
        states = _states(place)
        shutil.rmtree(place.library)
        place.run("ingest", folder, "--json", before=("unshare", "-r", "-n"))
        say(f"without any network: {'the same states' if _states(place) == states else 'other states'}")


def _states(place: Place) -> list[tuple[str, str]]:
    return [(row["path"], row["state"]) for row in map(json.loads, place.run("status", "--json")) if "path" in row]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:3])
