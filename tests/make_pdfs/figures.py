"""Figures: pictures, drawings, logos and rules; and text that only a picture or outlines hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pymupdf
from PIL import Image, ImageDraw

from tests.make_pdfs.sheets import PROSE, Sheets, photo, png, scanned
from tests.make_pdfs.structure import AUTUMN, SUMMER, WINTER
from tests.make_pdfs.tables import FARES


def photo_with_caption() -> bytes:
    sheets = Sheets().head(80, "The skerries")
    sheets.prose(95, WINTER)
    sheets.picture((130, 180, 460, 400), photo())
    sheets.say(130, 415, "Figure 2: Tern Skerry from the north, at low water", 9, "heit")
    sheets.prose(440, SUMMER)
    return sheets.finish()


def chart() -> bytes:
    """A bar chart drawn with lines and rectangles, labelled, with a caption."""
    sheets = Sheets().head(80, "Passengers")
    sheets.prose(95, WINTER)
    page = sheets.page
    page.draw_line((130, 400), (450, 400))
    page.draw_line((130, 200), (130, 400))
    for n, (year, high) in enumerate((("2021", 60), ("2022", 95), ("2023", 130), ("2024", 170))):
        left = 150 + 75 * n
        page.draw_rect((left, 400 - high, left + 45, 400), color=None, fill=(0.2, 0.4, 0.6 + 0.1 * n))
        sheets.say(left + 10, 412, year, 8)
        sheets.say(left + 12, 395 - high, str(high), 8)
    sheets.say(130, 430, "Figure 3: Passengers in thousands, by year", 9, "heit")
    sheets.prose(450, SUMMER)
    return sheets.finish()


def repeated_logo() -> bytes:
    """A logo at the head of each page, and on the second one a picture that belongs there."""
    logo = Image.new("RGB", (120, 60), "white")
    pen = ImageDraw.Draw(logo)
    pen.ellipse((5, 5, 55, 55), fill=(200, 40, 40))
    pen.polygon([(65, 55), (90, 5), (115, 55)], fill=(40, 40, 160))
    sheets = Sheets()
    parts = (("Storms", WINTER), ("Visitors", SUMMER), ("Repairs", AUTUMN), ("About us", PROSE))
    for n, (title, text) in enumerate(parts):
        if n:
            sheets.turn()
        sheets.picture((440, 30, 520, 70), png(logo))
        sheets.head(110, title)
        sheets.prose(125, text)
        if n == 1:
            sheets.picture((130, 220, 460, 440), photo())
    return sheets.finish()


def picture_rules() -> bytes:
    """Two rules that are pictures: thin grey strips between paragraphs."""
    strip = png(Image.new("RGB", (600, 3), (120, 120, 120)))
    sheets = Sheets().head(80, "Works")
    sheets.prose(95, WINTER)
    sheets.picture((72, 165, 523, 166.5), strip)
    sheets.prose(180, SUMMER)
    sheets.picture((72, 250, 523, 251.5), strip)
    sheets.prose(265, AUTUMN)
    return sheets.finish()


def picture_of_a_table() -> bytes:
    """A page of text with a table that is a picture."""
    drawn = Sheets(360, 110).grid(FARES, (140, 90, 90), top=12, left=15)
    sheets = Sheets().head(80, "Fares on route H1")
    sheets.prose(95, WINTER)
    sheets.picture((110, 180, 470, 290), scanned(drawn.document, 200))
    sheets.prose(320, SUMMER)
    return sheets.finish()


def outlined_text() -> bytes:
    """A page whose letters are drawn as shapes: it has no text layer."""
    sheets = Sheets(420, 300).head(60, "Harbour notice", 20, x=40)
    sheets.say(40, 100, "The slip at Kelding is closed until Friday.", 13)
    sheets.say(40, 124, "Boats may use the basin of Ostrey.", 13)
    shapes = pymupdf.open("svg", sheets.page.get_svg_image(text_as_path=True).encode())
    made = Sheets(420, 300)
    made.page.show_pdf_page(made.page.rect, pymupdf.open("pdf", shapes.convert_to_pdf()), 0)
    return made.finish()


def _letter() -> Sheets:
    sheets = Sheets(420, 300).head(60, "Seabed survey", 20, x=40)
    sheets.say(40, 100, "The fairway is 6.8 metres deep at low water.", 13)
    return sheets.say(40, 124, "The basin needs dredging by spring.", 13)


def scan() -> bytes:
    """A scanned page without a text layer."""
    return Sheets(420, 300).picture((0, 0, 420, 300), scanned(_letter().document)).finish()


def scan_with_layer() -> bytes:
    """A scanned page over which a reader laid its text, invisibly."""
    letter = Sheets(420, 300)
    letter.head(40, "Seabed survey", 20, x=40).prose(60, f"{WINTER} {SUMMER}", left=40, width=340)
    sheets = Sheets(420, 300).picture((0, 0, 420, 300), scanned(letter.document, 100))
    writer = pymupdf.TextWriter(sheets.page.rect)
    writer.append((40, 40), "Seabed survey", fontsize=20)
    for block in letter.page.get_text("dict")["blocks"][1:]:
        for line in block["lines"]:
            for span in line["spans"]:
                writer.append(span["origin"], span["text"], fontsize=span["size"])
    writer.write_text(sheets.page, render_mode=3)
    return sheets.finish()


def picture_page() -> bytes:
    """A page that is a photo and nothing else, after one of text."""
    sheets = Sheets().head(80, "The skerries")
    sheets.prose(95, WINTER)
    sheets.turn(420, 300).picture((0, 0, 420, 300), photo())
    return sheets.finish()


FILES: Mapping[str, Callable[[], bytes]] = {
    "photo.pdf": photo_with_caption,
    "chart.pdf": chart,
    "repeated-logo.pdf": repeated_logo,
    "picture-rules.pdf": picture_rules,
    "picture-of-a-table.pdf": picture_of_a_table,
    "outlined-text.pdf": outlined_text,
    "scan.pdf": scan,
    "scan-with-layer.pdf": scan_with_layer,
    "picture-page.pdf": picture_page,
}
