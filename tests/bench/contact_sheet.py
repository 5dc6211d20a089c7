"""Contact sheets of kept and dropped pictures: ``python -m tests.bench.contact_sheet FOLDER... [-o OUT] [-s SEED]``.

Reads every file under the folders without models and OCR, and writes ``kept-1.png``... and ``dropped-1.png``... with N
pictures of each drawn at random (60), numbered, a line each in ``kept.txt`` and ``dropped.txt``. Printed: pictures kept
and dropped by reason, and kept ones per page of each folder. Which of them are wrong is for eyes to tell.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ingest.discover import identify, list_files
from ingest.errors import SourceError
from ingest.images import without_decoration
from ingest.partition import PartitionOptions, partitioner_for
from ingest.partition.pdf_figures import decorations, raster_figures
from ingest.partition.pdf_headings import page_headings, running_text
from ingest.partition.pdf_layer import open_layer
from ingest.partition.pdf_page import whole_text, with_crops
from ingest.partition.pdf_parse import parse_first
from ingest.partition.pdf_text import page_elements
from ingest.render import crop, draw_pages
from ingest.types import BoundingBox, Element, Source

TILE = (240, 190)
ACROSS, DOWN = 6, 5
PAGES = 25
"""Pages of a PDF that are looked at, at most: drawing them takes time."""
LARGEST = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One picture: its file and page, the reason for which it was dropped, and its box or its bytes."""

    path: Path
    page: int | None
    reason: str = ""
    box: BoundingBox | None = None
    png: bytes = b""

    def picture(self) -> Image.Image:
        """The picture as it stands on the page."""
        if self.box is None or self.page is None:
            return Image.open(io.BytesIO(self.png)).convert("RGB")
        return crop(draw_pages(self.path, [self.page])[self.page], self.box, margin=2)


@dataclass(slots=True, kw_only=True)
class Found:
    """What a folder's files gave."""

    chance: random.Random
    kept: list[Shown] = field(default_factory=list)
    dropped: list[Shown] = field(default_factory=list)
    pages: int = 0


def look(folder: Path, chance: random.Random) -> Found:
    """The pictures of all files under a folder; a picture that stands in one twice counts once."""
    found = Found(chance=chance)
    for file in list_files(folder).files:
        try:
            source = identify(str(file), max_bytes=LARGEST)
            _look_at(source, found)
        except SourceError as exc:
            sys.stderr.write(f"{file}: {exc}\n")
    return found


def _look_at(source: Source, found: Found) -> None:
    if source.format == "pdf":
        _look_at_pdf(source, found)
        return
    whole = partitioner_for(source).partition(source, PartitionOptions())
    kept = whole if source.format == "image" else without_decoration(whole)
    reason = " ".join(kept.left_out) or "left out"
    found.pages += len(whole.pages)
    for path, png in whole.images.items():
        is_kept = path in kept.images
        shown = Shown(path=source.path, page=None, png=png, reason="" if is_kept else reason)
        (found.kept if is_kept else found.dropped).append(shown)


def _look_at_pdf(source: Source, found: Found) -> None:
    """The pictures of some of the first pages, drawn at random; what is repeated is told by all of them."""
    result, _ = parse_first(source)
    seen: set[str] = set()
    figures, running = raster_figures(result), running_text(result.pages)
    pages = found.chance.sample(result.pages, min(PAGES, len(result.pages)))
    numbers = {page.page_num for page in pages}
    found.pages += len(pages)
    found.dropped += [
        Shown(path=source.path, page=p, box=b, reason=r) for p, b, r in decorations(result) if p in numbers
    ]
    with open_layer(source.path, None) as layer:
        for parsed in pages:
            work = whole_text(layer, parsed)
            elements = page_headings(work, page_elements(work, figures.get(parsed.page_num, [])), running)
            kept, images, left_out = with_crops(source.path, parsed, elements)
            shown = partial(_shown, source.path, parsed.page_num)
            names = {e.boxes[0].box: e.image_path for e in kept if e.image_path in images}
            found.kept += [shown(box) for box, name in names.items() if name not in seen]
            seen |= {name for name in names.values() if name}
            found.dropped += [shown(box, " ".join(left_out)) for box in _pictures(elements) if box not in names]


def _shown(path: Path, page: int, box: BoundingBox, reason: str = "") -> Shown:
    return Shown(path=path, page=page, box=box, reason=reason)


def _pictures(elements: Sequence[Element]) -> Iterator[BoundingBox]:
    return (e.boxes[0].box for e in elements if e.category == "Image")


def write_sheets(shown: Sequence[Shown], out: Path, name: str) -> None:
    """The pictures on sheets of 30, and a line on each in a list."""
    size = ACROSS * DOWN
    for number, start in enumerate(range(0, len(shown), size), 1):
        sheet = Image.new("RGB", (ACROSS * TILE[0], DOWN * TILE[1]), "#777788")
        for place, one in enumerate(shown[start : start + size]):
            at = (place % ACROSS * TILE[0], place // ACROSS * TILE[1])
            _paste(sheet, one, at, f"{start + place + 1} {one.reason}")
        sheet.save(out / f"{name}-{number}.png")
    lines = (f"{i}\t{one.path}\t{one.page}\t{one.reason}\t{one.box}\n" for i, one in enumerate(shown, 1))
    (out / f"{name}.txt").write_text("".join(lines))


def _paste(sheet: Image.Image, one: Shown, at: tuple[int, int], label: str) -> None:
    picture = one.picture()
    scale = min((TILE[0] - 8) / picture.width, (TILE[1] - 24) / picture.height, 3.0)
    picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    sheet.paste(picture, (at[0] + 4, at[1] + 20))
    ImageDraw.Draw(sheet).text((at[0] + 4, at[1] + 2), label, fill="white", font=ImageFont.load_default(14))


def main(arguments: Sequence[str]) -> None:
    """Look, write and print."""
    parser = argparse.ArgumentParser(prog="contact_sheet")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("contact-sheets"))
    parser.add_argument("-n", "--count", type=int, default=60)
    parser.add_argument("-s", "--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(given.seed)
    kept: list[Shown] = []
    dropped: list[Shown] = []
    for folder in given.folders:
        found = look(folder, chance)
        kept += found.kept
        dropped += found.dropped
        each = f"{len(found.kept) / found.pages:.2f} a page" if found.pages else "no pages"
        sys.stdout.write(f"{folder}: kept {len(found.kept)} ({each}), dropped {len(found.dropped)}\n")
    for name, shown in (("kept", kept), ("dropped", dropped)):
        write_sheets(chance.sample(shown, min(given.count, len(shown))), given.out, name)
    reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(one.reason for one in dropped).most_common())
    sys.stdout.write(f"in all: kept {len(kept)}, dropped {len(dropped)}: {reasons}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
