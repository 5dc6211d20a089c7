"""``scan.pdf``: two scanned pages, slightly turned and noisy, without a text layer."""

from __future__ import annotations

import io

import numpy as np
import pymupdf
from PIL import Image

from tests.make_samples.drawing import A4, TITLE, GridStyle, Sheet, Style, grid_of_rows, save

DPI = 170
LETTER = Style(size=12.5, before=9.0)
HEAD = Style(font="hebo", size=15.0, before=16.0)
DEPTHS = (
    ("Survey point", "2022 (m)", "2023 (m)", "2024 (m)"),
    ("P1 Berth face", "5.4", "5.2", "4.9"),
    ("P2 Turning basin", "6.1", "6.0", "6.0"),
    ("P3 Fairway", "7.3", "7.1", "6.8"),
    ("P4 Slip", "2.8", "2.9", "2.6"),
)


def write_scan() -> bytes:
    """The PDF's bytes: one picture a page."""
    doc = pymupdf.open()
    for seed, sheet in enumerate((_survey(), _findings()), 1):
        page = doc.new_page(width=A4[0], height=A4[1])
        page.insert_image(page.rect, stream=_scanned(sheet, turn=0.3 if seed == 1 else -0.2, seed=seed))
    return save(doc, title="Survey HS-118", date="D:20241114120000Z")


def _sheet() -> Sheet:
    doc = pymupdf.open()
    return Sheet(page=doc.new_page(width=A4[0], height=A4[1]))


def _survey() -> Sheet:
    sheet = _sheet()
    sheet.paragraph("Seabed Survey HS-118", TITLE)
    sheet.paragraph("Ostrey Quay, 14 November 2024. Surveyor: Bram Holloway, Lodestar Soundings.", LETTER)
    sheet.paragraph(
        "The depth was measured with an echo sounder at four points, from low water at spring tide. The sea was calm "
        "and the water was 11 degrees warm. The sounder was checked with a lead line before and after.",
        LETTER,
    )
    sheet.paragraph("Depth at low water", HEAD)
    sheet.y += 8
    sheet.table(grid_of_rows(DEPTHS, (167, 100, 100, 100), GridStyle(row_height=25.0, size=12.0)))
    sheet.paragraph(
        "At the berth face the seabed has risen by 50 centimetres in two years. The turning basin has not changed "
        "since 2023.",
        LETTER,
    )
    return sheet


def _findings() -> Sheet:
    sheet = _sheet()
    sheet.paragraph("Findings", HEAD)
    sheet.paragraph(
        "MV Storm Petrel draws 3.6 metres. With 4.9 metres at the berth face she keeps 1.3 metres under the keel; the "
        "port rules ask for 1.0 metre. The berth is safe, but it should be dredged before the winter of 2026.",
        LETTER,
    )
    sheet.paragraph(
        "About 1,850 cubic metres of sand have to be removed. No oil or heavy metal was found in the three samples.",
        LETTER,
    )
    sheet.paragraph("Next survey", HEAD)
    sheet.paragraph("The next survey is due in November 2025. It should take in the rock armour.", LETTER)
    return sheet


def _scanned(sheet: Sheet, *, turn: float, seed: int) -> bytes:
    """A JPEG of the page, turned by some degrees and with grain."""
    sheet.finish()
    drawn = sheet.page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    paper = Image.frombytes("L", (drawn.width, drawn.height), drawn.samples)
    turned = paper.rotate(turn, Image.Resampling.BICUBIC, fillcolor=250)
    grain = np.random.default_rng(seed).normal(-6.0, 5.0, (drawn.height, drawn.width))
    noisy = np.clip(np.asarray(turned, dtype=np.float64) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=45, dpi=(DPI, DPI))
    return buffer.getvalue()
