"""Pages that are turned, cropped, scaled or huge, and text that does not run from left to right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pymupdf

from tests.make_pdfs.sheets import Sheets
from tests.make_pdfs.structure import AUTUMN, SUMMER, WINTER


def turned_pages() -> bytes:
    """Three pages that are drawn at 90, 180 and 270 degrees and set upright by /Rotate."""
    sheets = Sheets()
    sheets.document.delete_page(0)
    texts = ((90, "Eastward", WINTER), (180, "Southward", SUMMER), (270, "Westward", AUTUMN))
    for angle, title, text in texts:
        flat = Sheets().head(80, title) if angle == 180 else Sheets(842, 595).head(80, title)
        flat.prose(95, text)
        sheets.turn()
        sheets.page.show_pdf_page(sheets.page.rect, flat.document, 0, rotate=angle)
        sheets.page.set_rotation(angle)
    return sheets.finish()


def cropped() -> bytes:
    """A page with crop marks and printer's notes outside of what is displayed."""
    sheets = Sheets(700, 950)
    sheets.say(20, 20, "Plate 7 cyan, do not print", 8).say(300, 940, "Trim here with care", 8)
    sheets.head(150, "Works", x=130)
    sheets.prose(165, AUTUMN, left=130)
    sheets.page.set_cropbox(pymupdf.Rect(52, 54, 647, 896))
    return sheets.finish()


def user_unit() -> bytes:
    """A plan whose unit is ten points."""
    sheets = Sheets(60, 80).say(8, 12, "Harbour plan", 2, "hebo")
    sheets.prose(15, WINTER, left=8, width=44, size=1)
    sheets.document.xref_set_key(sheets.page.xref, "UserUnit", "10")
    return sheets.finish()


def vertical_text() -> bytes:
    """Lines that run up and down along the margins, beside a text that runs across."""
    sheets = Sheets().head(80, "Works")
    sheets.prose(95, AUTUMN)
    sheets.say(40, 500, "Draft of the board, not for sale", 10, turned=90)
    sheets.say(560, 300, "Deposited with the registrar", 10, turned=270)
    return sheets.finish()


def vertical_writing() -> bytes:
    """Japanese in columns from right to left, and a line that runs across."""
    sheets = Sheets(300, 400)
    font = pymupdf.Font("japan")
    writer = pymupdf.TextWriter(sheets.page.rect)
    for column, text in enumerate(("港の船は朝に出る", "島の人は夜に帰る")):
        for n, letter in enumerate(text):
            writer.append((230 - 40 * column, 80 + 22 * n), letter, font=font, fontsize=18)
    writer.append((40, 330), "港の時刻表です", font=font, fontsize=12)
    writer.write_text(sheets.page)
    sheets.document.subset_fonts()
    return sheets.finish()


def huge_page() -> bytes:
    """A wall plan of 20 metres, with a drawing."""
    sheets = Sheets(14400, 14400).say(1000, 1500, "Wall plan of the harbour", 400, "hebo")
    for n in range(5):
        sheets.page.draw_rect((2000 + 900 * n, 5000, 2600 + 900 * n, 9000 + 400 * n), fill=(0.2 * n, 0.4, 0.6))
    sheets.document.xref_set_key(sheets.page.xref, "UserUnit", "4")
    return sheets.finish()


def tiny_page() -> bytes:
    """A label of a third of an inch."""
    return Sheets(24, 12).say(2, 8, "A7", 6).finish()


def blank_page() -> bytes:
    """An empty page between two of text."""
    sheets = Sheets().head(80, "Winter")
    sheets.prose(95, WINTER)
    sheets.turn().turn().head(80, "Summer")
    sheets.prose(95, SUMMER)
    return sheets.finish()


FILES: Mapping[str, Callable[[], bytes]] = {
    "turned-pages.pdf": turned_pages,
    "cropped.pdf": cropped,
    "user-unit.pdf": user_unit,
    "vertical-text.pdf": vertical_text,
    "vertical-writing.pdf": vertical_writing,
    "huge-page.pdf": huge_page,
    "tiny-page.pdf": tiny_page,
    "blank-page.pdf": blank_page,
}
