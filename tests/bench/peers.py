"""Who reads text from what: ``python -m tests.bench.peers FOLDER... [--peers PYTHON] [--parser NAME] [--out FILE]``.

Each file is read here, by ``pincite``'s readers in their workers, and by each peer that ``PYTHON`` (an interpreter with
markitdown and kreuzberg) can import, in a process of its own with 60 s and 2 GB. A file counts as read that gave a word
of three letters or digits. It prints every file that a peer read and pincite did not, with the reason, then the table.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.errors import SourceError
from ingest.partition import PartitionOptions
from ingest.pipeline import partition_many
from ingest.settings import Settings
from ingest.types import Partition

SECONDS = 60
MEMORY = 2 * 2**30
WORD = re.compile(r"\w{3,}")
NUMBERS = re.compile(r"\(cid:[0-9]+\)")
"""What some write in place of letters that they do not know."""
PEERS = {
    "markitdown": "from markitdown import MarkItDown as M; read = lambda path: M().convert(path).text_content",
    "kreuzberg": "from kreuzberg import extract_file_sync as e; read = lambda path: e(path).content",
}
LOOP = f"""
import os, re, resource, signal, sys
for path in sys.stdin.buffer.read().split(b"\\0"):
    inner, outer = os.pipe()
    if not (pid := os.fork()):
        resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY}, {MEMORY}))
        signal.alarm({SECONDS})
        try:
            text = re.sub(r"{NUMBERS.pattern}", "", read(os.fsdecode(path)) or "")
            os.write(outer, str(len(re.findall(r"{WORD.pattern}", text))).encode())
        except Exception:
            os.write(outer, b"0")
        os._exit(0)
    os.close(outer)
    os.waitpid(pid, 0)
    print("count", os.read(inner, 20).decode() or -1, flush=True)
    os.close(inner)
"""
"""Reads each path in a copy of the process, as its crash or endless loop would end the rest."""


def files_of(folders: Sequence[str]) -> list[Path]:
    """Every regular file below the folders, but what is hidden and manifests."""
    found = (path for folder in folders for path in sorted(Path(folder).rglob("*")))
    return [p for p in found if p.is_file() and not p.is_symlink() and p.name != "manifest.json" and p.name[0] != "."]


def own_words(paths: Sequence[Path], parser: str) -> Iterator[tuple[int, str]]:
    """For each file the words that are read here, and why there are none."""
    settings = Settings()
    for _, found in partition_many(paths, settings, PartitionOptions(parser=parser)):  # type: ignore[arg-type]
        yield (0, found.reason) if isinstance(found, SourceError) else (_words(found), "no text")


def _words(found: Partition) -> int:
    texts = [element.text for element in found.elements]
    members = [f"{name}" for name, _ in found.members]
    return sum(len(WORD.findall(text)) for text in [*texts, *members])


def peer_words(python: str, peer: str, paths: Sequence[Path]) -> list[int]:
    """For each file the words that a peer reads; -1 when it is ended for its time or crashes."""
    done = subprocess.run(
        [python, "-c", PEERS[peer] + LOOP],
        check=False,
        input=b"\0".join(os.fsencode(path) for path in paths),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(b"count ")]
    return [int(line[1]) for line in lines]


def main() -> None:
    """Print what is told above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--parser", default="auto", choices=("auto", "fast", "careful"), help="of ours")
    parser.add_argument("--out", help="write every file's counts here as JSON")
    given = parser.parse_args()
    paths = files_of(given.folders)
    counts = {peer: peer_words(given.peers, peer, paths) for peer in PEERS}
    table: dict[str, dict[str, object]] = {}
    for n, (path, (own, reason)) in enumerate(zip(paths, own_words(paths, given.parser), strict=True)):
        of_peers = {peer: found[n] for peer, found in counts.items()}
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        table[shown] = {"pincite": own, "reason": "" if own else reason, **of_peers}
        if not own and max(of_peers.values()) > 0:
            say(f"missed: {path.name!r} {of_peers} here: {reason}")
    tell(table)
    if given.out:
        Path(given.out).write_text(json.dumps(table, indent=1))


def tell(table: dict[str, dict[str, object]]) -> None:
    """Print how many files each one read, and the share of those that a peer read which are read here."""
    read = {who: {name for name, row in table.items() if int(str(row[who])) > 0} for who in ("pincite", *PEERS)}
    lost = {who: sum(row[who] == -1 for row in table.values()) for who in PEERS}
    say(f"files: {len(table)}; read by " + ", ".join(f"{who}: {len(names)}" for who, names in read.items()))
    say("ended by a crash or for its time: " + ", ".join(f"{who}: {count}" for who, count in lost.items()))
    any_peer = set().union(*(read[peer] for peer in PEERS))
    say(f"read by any peer: {len(any_peer)}, of these here: {len(any_peer & read['pincite'])}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
