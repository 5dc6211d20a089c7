"""Each format against markitdown: ``python -m tests.bench.formats [--documents N] [--peer PYTHON]``.

Makes documents of each format with the same kind of content, and web pages of many kinds, in which words are planted:
``c…`` words are content, ``n…`` words stand in what is around it. Reads them in this process, and in one of ``PYTHON``,
which has markitdown. Prints documents and megabytes a CPU second (the first document of a format, which loads its
library, is not counted) and the shares of planted words that are in the Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.discover import identify
from ingest.errors import SourceError
from ingest.partition import lacking, partition
from retrievers.markdown import to_markdown
from tests.one_content import WRITERS, Block, Heading, Paragraph, Picture, Span, Story, Table, drawing
from tests.planted_pages import PAGES, page, shares
from tests.planted_sites import SITES

SECTIONS = 12
ROWS = 300
PEER = """
import json, sys, time
from markitdown import MarkItDown
reader = MarkItDown()
for path in sys.stdin.read().splitlines():
    start = time.process_time()
    try:
        text = reader.convert(path).markdown
    except Exception as exc:
        text = None
    print(json.dumps([text, time.process_time() - start]), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What reading a format's documents gave: Markdown of each (``None``: not read), and CPU seconds."""

    texts: tuple[str | None, ...]
    seconds: float


class _Words:
    """Gives texts, each with a word that is found once in the document."""

    def __init__(self) -> None:
        self.count = 0

    def short(self) -> str:
        self.count += 1
        return f"Route c{self.count:04d}x"

    def long(self) -> str:
        said = "the ferry leaves at noon, and the pier is closed for repairs until the end of spring"
        return f"The harbour of {self.short()} is open: {said}. Of {self.short()} nothing else was said by the keeper."


def made(suffix: str) -> Story:
    """A document of the size of a report, as much of it as the format can hold."""
    words = _Words()
    if suffix in ("csv", "parquet"):
        return (_records(words, ROWS),)
    if suffix in ("xlsx", "ods"):
        return (Heading(0, "Routes"), Heading(1, words.short()), _records(words, ROWS), Paragraph(words.long()))
    return tuple(block for number in range(SECTIONS) for block in _section(words, number))


def _records(words: _Words, count: int) -> Table:
    head = tuple(Span(name) for name in ("Route", "Harbour", "Passengers", "Income"))
    rows = ((Span(words.short()), Span(words.short()), Span(str(n)), Span(f"{n},250")) for n in range(1, count + 1))
    return Table(rows=(head, *rows), head=1, columns=4)


def _section(words: _Words, number: int) -> Iterator[Block]:
    yield Heading(0 if number % 3 == 0 else 1, words.short())
    yield from (Paragraph(words.long()) for _ in range(4))
    if number % 3 == 1:
        top = (Span(words.short(), rowspan=2), Span(words.short(), colspan=2))
        body = tuple((Span(words.short()), Span("1,250"), Span("980")) for _ in range(5))
        yield Table(rows=(top, (Span("2023"), Span("2024")), *body), head=2, columns=3)
    if number == SECTIONS - 1:
        yield Picture(drawing(), f"Figure 1: {words.short()}")


def read_here(paths: Sequence[Path]) -> Outcome:
    """Read files in this process."""
    texts: list[str | None] = []
    spent: list[float] = []
    for path in paths:
        start = time.process_time()
        try:
            texts.append(to_markdown(partition(identify(str(path), max_bytes=10**9))))
        except SourceError:
            texts.append(None)
        spent.append(time.process_time() - start)
    return Outcome(texts=tuple(texts), seconds=sum(spent[1:]))


def read_by_peer(python: str, paths: Sequence[Path]) -> Outcome:
    """Read files in a process of another Python, by markitdown."""
    listed = "\n".join(map(str, paths))
    done = subprocess.run([python, "-c", PEER], input=listed, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return Outcome(texts=tuple(text for text, _ in found), seconds=sum(seconds for _, seconds in found[1:]))


def line(name: str, markups: Sequence[str], paths: Sequence[Path], outcome: Outcome) -> str:
    """A row of the table that is printed."""
    if all(text is None for text in outcome.texts):
        return f"{name:28} not read"
    pairs = [shares(markup, text or "") for markup, text in zip(markups, outcome.texts, strict=True)]
    content, around = (sum(kept) / len(pairs) for kept in zip(*pairs, strict=True))
    megabytes = sum(path.stat().st_size for path in paths[1:]) / 1e6
    rate = (len(paths) - 1) / max(outcome.seconds, 1e-9)
    speed = f"{rate:9.1f} {megabytes / max(outcome.seconds, 1e-9):8.2f}"
    return f"{name:28} {speed} {content:9.1%} {f'{around:9.1%}' if has_around(markups) else '        -'}"


def has_around(markups: Sequence[str]) -> bool:
    """Whether there are planted words that are no content."""
    return any(re.search(r"\bn\d{4}x\b", markup) for markup in markups)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--documents", type=int, default=10, help="documents of each format")
    options.add_argument("--peer", help="a Python that has markitdown")
    options.add_argument("--formats", help="names of formats, parted by commas", default=",".join(WRITERS))
    given = options.parse_args()
    out = sys.stdout
    out.write(f"{given.documents} documents a format; figures a CPU second\n")
    out.write(f"{'':28} {'docs/s':>9} {'MB/s':>8} {'content':>9} {'around':>9}\n")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in given.formats.split(","):
            if lacking(suffix) is None:
                story = made(suffix)
                content = WRITERS[suffix](story)
                paths = [folder / f"{n}.{suffix}" for n in range(given.documents + 1)]
                for path in paths:
                    path.write_bytes(content)
                _print(suffix, [repr(story)] * len(paths), paths, given.peer)
        pages = [page(make) for make in (PAGES[0], *PAGES, *SITES)]
        paths = [folder / f"page{n}.html" for n in range(len(pages))]
        for path, markup in zip(paths, pages, strict=True):
            path.write_text(markup)
        _print(f"html, {len(pages) - 1} kinds of pages", pages, paths, given.peer)


def _print(name: str, markups: Sequence[str], paths: Sequence[Path], peer: str | None) -> None:
    sys.stdout.write(f"{line(name, markups, paths, read_here(paths))}\n")
    if peer:
        sys.stdout.write(f"{line('  markitdown', markups, paths, read_by_peer(peer, paths))}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
