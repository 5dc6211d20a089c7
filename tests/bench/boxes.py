"""Do the boxes of quotes lie where the page has their words?  python -m tests.bench.boxes LIBRARY [--count N]

Random sentences of the library's PDFs are cited as an answer does it, and the boxes of each citation are set beside
those of a text search of the page by PyMuPDF: by the overlap (intersection over union) of the boxes around all lines
on the page. Quotes that the search does not find, or finds twice, are counted and left out. ``--examples N`` prints so
many of the others that overlap less than .9. A seed gives the same quotes each time; without one they are fresh.
"""

import argparse
import random
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymupdf

from ingest.library import Library
from ingest.types import BoundingBox, Chunk, Hit, union_box
from retrievers.citations import cite, fold
from retrievers.language import sentences

LEAST_OVERLAP = 0.9
LEAST_CHARACTERS = 25
SLIVER = 3.0
"""Points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A quote, its document and page, and the overlap of its box with that of the search; ``None``: not comparable."""

    quote: str
    doc: str
    page: int | None
    overlap: float | None
    why: str = ""


def samples(library: Library, count: int, rng: random.Random) -> Iterator[tuple[Chunk, int, int, str]]:
    """Sentences of the text of PDFs that are there: chunk, start, end, path."""
    found = []
    for source in library.sources():
        path = next((p for i, p in library.paths_of([source.id]).items() if i == source.id), "")
        if source.format == "pdf" and Path(path).exists():
            found += [
                (each, s.start, s.end, path)
                for each in library.chunks_of(source.id)
                if each.kind == "text"
                for s in sentences(each.text)
                if len(s.text) >= LEAST_CHARACTERS and "\n" not in s.text
            ]
    yield from rng.sample(found, min(count, len(found)))


def compare(library: Library, each: Chunk, start: int, end: int, path: str) -> Compared:
    hit = Hit(chunk=each, doc=Path(path).name, path=path, score=1.0, matched="text")
    citation = cite(library, hit, start, end, 1)

    def compared(overlap: float | None, why: str = "") -> Compared:
        return Compared(quote=citation.quote, doc=hit.doc, page=citation.page, overlap=overlap, why=why)

    if citation.page is None or not citation.verified:
        return compared(None, "the quote is not verbatim on its page")
    with pymupdf.open(path) as pdf:
        page = pdf[citation.page - 1]
        # The search gives a sliver for the space where a line before the quote ends, and knows no capitals.
        rects = [rect for rect in page.search_for(citation.quote) if rect.width > SLIVER]
        times = fold(page.get_text()).casefold().count(fold(citation.quote).casefold())
    if not rects or times != 1:
        return compared(None, "the search does not find it" if not rects else "the search finds it more than once")
    own = union_box([b.box for b in citation.boxes if b.page == citation.page])
    return compared(overlap_of(own, union_box([(r.x0, r.y0, r.x1, r.y1) for r in rects])))


def overlap_of(one: BoundingBox, other: BoundingBox) -> float:
    """Intersection over union of two boxes."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, wide) * max(0.0, high)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared) if shared else 0.0


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.boxes", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--examples", type=int, default=0)
    given = parser.parse_args()
    with Library(given.library) as library:
        done = [compare(library, *one) for one in samples(library, given.count, random.Random(given.seed))]
    overlaps = [c.overlap for c in done if c.overlap is not None]
    near = sum(overlap >= LEAST_OVERLAP for overlap in overlaps)
    for why, number in Counter(c.why for c in done if c.why).items():
        write(f"{number} of {len(done)}: {why}")
    if overlaps:
        write(f"overlap of at least {LEAST_OVERLAP}: {near / len(overlaps):.1%} of {len(overlaps)}")
        write(f"median {statistics.median(overlaps):.3f}, least {min(overlaps):.3f}")
    far = [c for c in done if c.overlap is not None and c.overlap < LEAST_OVERLAP]
    for c in far[: given.examples]:
        write(f"{c.overlap:.2f} {c.doc} p. {c.page}: {c.quote!r}")


if __name__ == "__main__":
    main()
