"""Tables: ruled and not, with spans, headers of two levels, long cells, notes, turned; and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pymupdf

from tests.make_pdfs.sheets import Rows, Rules, Sheets

FARES: Rows = (
    ("Ticket", "Single", "Return"),
    ("Adult", "4.50", "8.20"),
    ("Child", "2.25", "4.10"),
    ("Bicycle", "1.75", "3.00"),
)
WIDE = (140.0, 90.0, 90.0)


def _opened(title: str) -> Sheets:
    """A page with a heading and a paragraph above the place of the table."""
    sheets = Sheets().head(80, title)
    sheets.prose(95)
    return sheets


def _fares(rules: Rules) -> bytes:
    sheets = _opened("Fares on route H1").grid(FARES, WIDE, rules=rules)
    sheets.prose(270, "Tickets are sold at the pier and on board. Dogs travel free of charge on all routes.")
    return sheets.finish()


def ruled_table() -> bytes:
    return _fares("all")


def book_table() -> bytes:
    return _fares("some")


def bare_table() -> bytes:
    return _fares("none")


def two_level_header() -> bytes:
    rows = (
        ("Harbour", "2023", "<", "2024", "<"),
        ("^", "Arrivals", "Tonnes", "Arrivals", "Tonnes"),
        ("Ostrey", "311", "1,204", "298", "1,377"),
        ("Halvane", "150", "640", "163", "702"),
        ("Marrowick", "88", "95", "91", "102"),
    )
    return _opened("Arrivals by harbour").grid(rows, (100, 75, 75, 75, 75), heads=2).finish()


def row_span() -> bytes:
    rows = (
        ("Ship", "Deck", "Places"),
        ("MV Eider", "Upper", "120"),
        ("^", "Lower", "85"),
        ("ES Guillemot", "Upper", "96"),
        ("^", "Lower", "64"),
    )
    return _opened("Places by deck").grid(rows, (140, 100, 80)).finish()


def section_row() -> bytes:
    rows = (
        ("Route", "Minutes", "Sailings"),
        ("Summer timetable", "<", "<"),
        ("H1 Marrowick", "35", "14"),
        ("H2 Ostrey", "50", "9"),
        ("Winter timetable", "<", "<"),
        ("H1 Marrowick", "40", "8"),
        ("H2 Ostrey", "55", "5"),
    )
    return _opened("Sailings a day").grid(rows, (140, 90, 90)).finish()


def long_cells() -> bytes:
    rows = (
        ("Ship", "Defect", "Remedy"),
        ("MV Eider", "The bow ramp does not\nclose in frost", "New seals are fitted\nbefore November"),
        ("ES Guillemot", "A cell of the battery\nruns hot", "The cell is replaced\nunder warranty"),
    )
    return _opened("Defects").grid(rows, (100, 150, 150), high=32).finish()


def totals() -> bytes:
    rows = (
        ("Cost in thousand euro", "2023", "2024"),
        ("Crew", "1,204", "1,251"),
        ("Energy", "640", "588"),
        ("Repairs", "317", "402"),
        ("Total", "2,161", "2,241"),
    )
    return _opened("Running costs").grid(rows, (160, 80, 80), rules="some").finish()


def footnote_marks() -> bytes:
    rows = (
        ("Pier", "Depth in m", "Built"),
        ("Ostrey Quay", "6.8", "1931"),
        ("Halvane Pier", "4.2", "1958"),
    )
    sheets = _opened("Piers").grid(rows, (140, 90, 90))
    sheets.say(167, 190, "a", 6).say(231, 210, "b", 6)
    sheets.say(72, 236, "a", 5).say(76, 239, "Rebuilt after the storm of 1962.", 8)
    sheets.say(72, 247, "b", 5).say(76, 250, "At low water, by the survey of 2024.", 8)
    return sheets.finish()


def empty_cells() -> bytes:
    rows = (
        ("Month", "H1", "H2", "H3"),
        ("January", "12", "", "7"),
        ("February", "", "9", ""),
        ("March", "15", "11", "8"),
    )
    return _opened("Cancelled sailings").grid(rows, (100, 70, 70, 70)).finish()


def two_tables() -> bytes:
    sheets = _opened("Fares and depths").say(72, 155, "Table 1: Fares", 9).say(320, 155, "Table 2: Depths", 9)
    sheets.grid(FARES, (80, 55, 55))
    depths = (("Place", "Metres"), ("Fairway", "6.8"), ("Basin", "3.1"), ("Slip", "1.4"))
    sheets.grid(depths, (100, 80), left=320)
    return sheets.finish()


def captions() -> bytes:
    sheets = _opened("Fares on route H1").say(72, 152, "Table 3: Fares from May to September, in euro", 9, "heit")
    sheets.grid(FARES, WIDE)
    sheets.prose(270)
    return sheets.finish()


def sideways_table() -> bytes:
    """A page on which a table, its heading too, stands sideways: it is read with the head tilted to the left."""
    flat = Sheets(842, 595).head(80, "Fares on route H1").grid(FARES, (200, 150, 150))
    sheets = Sheets()
    sheets.page.show_pdf_page(sheets.page.rect, flat.document, 0, rotate=90)
    return sheets.finish()


def turned_page_table() -> bytes:
    """A page that is drawn sideways and that /Rotate sets upright."""
    flat = Sheets(842, 595).head(80, "Fares on route H1").grid(FARES, (200, 150, 150))
    flat.prose(95)
    sheets = Sheets()
    sheets.page.show_pdf_page(sheets.page.rect, flat.document, 0, rotate=90)
    sheets.page.set_rotation(90)
    return sheets.finish()


def contents() -> bytes:
    """A table of contents with dot leaders, which is no table, and a chapter."""
    sheets = Sheets().head(80, "Contents", 18)
    for n, (name, page) in enumerate(
        (("1 The cooperative", 2), ("1.1 Members", 3), ("2 Traffic", 5), ("2.1 Passengers", 6), ("3 Finance", 9))
    ):
        width = pymupdf.get_text_length(name, fontsize=11)
        dots = "." * int((430 - width) / pymupdf.get_text_length(".", fontsize=11))
        sheets.say(72, 120 + 20 * n, f"{name} {dots} {page}", 11)
    sheets.turn().head(80, "1 The cooperative")
    sheets.prose(95)
    return sheets.finish()


FILES: Mapping[str, Callable[[], bytes]] = {
    "ruled-table.pdf": ruled_table,
    "book-table.pdf": book_table,
    "bare-table.pdf": bare_table,
    "two-level-header.pdf": two_level_header,
    "row-span.pdf": row_span,
    "section-row.pdf": section_row,
    "long-cells.pdf": long_cells,
    "totals.pdf": totals,
    "footnote-marks.pdf": footnote_marks,
    "empty-cells.pdf": empty_cells,
    "two-tables.pdf": two_tables,
    "captions.pdf": captions,
    "sideways-table.pdf": sideways_table,
    "turned-page-table.pdf": turned_page_table,
    "contents.pdf": contents,
}
