"""OCR of made charts and scans: ``python -m tests.bench.ocr_pictures [PICTURES]``.

Draws charts (bars, lines, pies, tables, maps) and photographed letters, each with strings that are known, reads them as
an ingest does, and prints the share of strings that were found, what was missed, and CPU seconds a picture.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest.images import stored_png
from ingest.ocr import read_picture

INK = ("#202020", "#1d3f5e", "#5a1f1f")
FILLS = ("#b8352c", "#3f7f5f", "#e08a2c", "#42639c", "#8d6a9b")
NAMES = ("North Quay", "Harbour", "Eider", "Kittiwake", "Lindsey", "Strand", "Old Pier", "Fulmar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A picture and the strings that stand in it."""

    kind: str
    image: Image.Image
    strings: tuple[str, ...]


def made(number: int) -> Planted:
    """The picture of this number, the same in every run."""
    chance = random.Random(number)
    kind, draw = list(KINDS.items())[number % len(KINDS)]
    sheet = _Sheet(chance)
    draw(sheet, chance)
    return Planted(kind=kind, image=sheet.image, strings=tuple(sheet.strings))


class _Sheet:
    """A white picture on which texts are written and remembered."""

    def __init__(self, chance: random.Random, size: tuple[int, int] = (800, 560)) -> None:
        self.image = Image.new("RGB", size, chance.choice(("white", "#f7f4ec", "#eef3f7")))
        self.pen = ImageDraw.Draw(self.image)
        self.ink = chance.choice(INK)
        self.strings: list[str] = []

    def write(self, x: float, y: float, text: str, size: int = 18) -> None:
        self.pen.text((x, y), text, fill=self.ink, font=ImageFont.load_default(size))
        self.strings.append(text)


def _title(sheet: _Sheet, chance: random.Random) -> None:
    what = chance.choice(("Passengers by route", "Fuel burnt a year", "Income in thousands"))
    sheet.write(60, 20, f"{what}, {chance.randrange(1990, 2030)}", 26)


def _bars(sheet: _Sheet, chance: random.Random) -> None:
    _title(sheet, chance)
    sheet.pen.line([(80, 90), (80, 480), (760, 480)], fill=sheet.ink, width=2)
    for n, name in enumerate(chance.sample(NAMES, 5)):
        height = chance.randrange(60, 340)
        left = 110 + n * 130
        sheet.pen.rectangle((left, 480 - height, left + 70, 480), fill=FILLS[n])
        sheet.write(left, 450 - height, f"{height * 13:,}")
        sheet.write(left - 10, 490, name, 17)


def _lines(sheet: _Sheet, chance: random.Random) -> None:
    _title(sheet, chance)
    sheet.pen.line([(80, 90), (80, 480), (600, 480)], fill=sheet.ink, width=2)
    for n, name in enumerate(chance.sample(NAMES, 3)):
        points = [(80 + 100 * step, chance.randrange(110, 460)) for step in range(6)]
        sheet.pen.line(points, fill=FILLS[n], width=3)
        sheet.pen.line([(620, 130 + 40 * n), (650, 130 + 40 * n)], fill=FILLS[n], width=4)
        sheet.write(660, 120 + 40 * n, name)
    for step in range(6):
        sheet.write(65 + 100 * step, 490, str(2018 + step), 16)


def _pie(sheet: _Sheet, chance: random.Random) -> None:
    _title(sheet, chance)
    at = 0.0
    for n, name in enumerate(chance.sample(NAMES, 4)):
        share = chance.randrange(10, 40)
        sheet.pen.pieslice((80, 110, 480, 510), at, at + 90, fill=FILLS[n])
        at += 90
        sheet.pen.rectangle((530, 155 + 60 * n, 550, 175 + 60 * n), fill=FILLS[n])
        sheet.write(560, 152 + 60 * n, f"{name}: {share}.{n} %", 20)


def _table(sheet: _Sheet, chance: random.Random) -> None:
    _title(sheet, chance)
    for row, name in enumerate(chance.sample(NAMES, 6)):
        top = 100 + 60 * row
        sheet.pen.line([(60, top - 12), (740, top - 12)], fill=sheet.ink)
        sheet.write(70, top, name, 20)
        for column in range(3):
            sheet.write(300 + 150 * column, top, f"{chance.randrange(1000, 99999):,}", 20)


def _letter(sheet: _Sheet, chance: random.Random) -> None:
    """Lines of a letter, photographed: turned a little, unsharp, and with grain."""
    for line in range(9):
        words = chance.sample(NAMES, 3)
        sheet.write(70, 50 + 50 * line, f"{words[0]} to {words[1]} on {chance.randrange(1, 29)} May {1950 + line}", 22)
    turned = sheet.image.rotate(chance.uniform(-1.0, 1.0), fillcolor="white", resample=Image.Resampling.BICUBIC)
    noise = Image.effect_noise(turned.size, 40).convert("RGB")
    sheet.image = Image.blend(turned.filter(ImageFilter.GaussianBlur(0.6)), noise, 0.12)


KINDS: dict[str, Callable[[_Sheet, random.Random], None]] = {
    "bars": _bars,
    "lines": _lines,
    "pie": _pie,
    "table": _table,
    "letter": _letter,
}


def missed(planted: Planted) -> list[str]:
    """The strings that are not in what OCR reads of a picture; spaces do not count."""
    _, png = stored_png(planted.image)
    read = _bare(" ".join(line.text for line in read_picture(png)))
    return [text for text in planted.strings if _bare(text) not in read]


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def main(arguments: Sequence[str]) -> None:
    """Read and print."""
    count = int(arguments[0]) if arguments else 30
    total, lost, began = 0, 0, time.process_time()
    for number in range(count):
        planted = made(number)
        gone = missed(planted)
        total, lost = total + len(planted.strings), lost + len(gone)
        if gone:
            sys.stdout.write(f"{number} {planted.kind}: missed {gone}\n")
    spent = (time.process_time() - began) / count
    sys.stdout.write(f"{total - lost} of {total} strings ({(total - lost) / total:.3f}), {spent:.2f} CPU s a picture\n")


if __name__ == "__main__":
    main(sys.argv[1:])
