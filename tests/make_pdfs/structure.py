"""Structure: columns, headings, running heads, lists, notes, and words broken at line ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pymupdf

from tests.make_pdfs.sheets import PROSE, Sheets, photo

WINTER = (
    "The winter was the stormiest for twenty years. Ninety sailings were cancelled in January alone, and the linkspan "
    "at Ostrey was lifted out of its bearings. The crews worked through the nights to keep the mail boat running."
)
SUMMER = (
    "In the summer the new timetable brought more passengers than ever. The battery ferry carried a third of them, "
    "and no sailing was lost to a defect of its charging tower. Members were asked for their opinion in August."
)
AUTUMN = (
    "The autumn went to repairs. The pier at Halvane was closed for three weeks while its piles were driven anew, and "
    "the cooperative rented a landing craft from the coast guard. It was given back on time and without a scratch."
)


def font_headings() -> bytes:
    sheets = Sheets().head(90, "Annual review", 24)
    y = sheets.prose(110)
    for size, title, text in ((16, "Traffic", WINTER), (12, "Passengers", SUMMER), (16, "Works", AUTUMN)):
        sheets.head(y + 30, title, size)
        y = sheets.prose(y + 38, text)
    return sheets.finish()


def numbered_headings() -> bytes:
    """Headings whose numbers alone tell their levels."""
    sheets, y = Sheets(), 60.0
    titles = (("1 Traffic", WINTER), ("1.1 Passengers", SUMMER), ("1.1.1 Children", PROSE), ("2 Works", AUTUMN))
    for title, text in titles:
        sheets.head(y + 30, title, 12)
        y = sheets.prose(y + 38, text)
    return sheets.finish()


def wrapped_heading() -> bytes:
    sheets = Sheets().head(90, "How the cooperative came through the stormiest", 18)
    sheets.head(112, "winter for twenty years", 18)
    y = sheets.prose(130, WINTER)
    sheets.head(y + 30, "After the storms", 14)
    sheets.prose(y + 38, SUMMER)
    return sheets.finish()


def outline() -> bytes:
    """Headings on six pages that are set like the text, and that the outline names."""
    sheets = Sheets()
    titles = ((1, "Traffic"), (2, "Passengers"), (2, "Cars"), (1, "Works"), (2, "Piers"), (1, "Members"))
    for n, (_, title) in enumerate(titles):
        if n:
            sheets.turn()
        sheets.say(72, 90, title, 10)
        sheets.prose(110, f"{(WINTER, SUMMER, AUTUMN)[n % 3]} {PROSE}")
    sheets.document.set_toc([[level, title, n] for n, (level, title) in enumerate(titles, 1)])
    return sheets.finish()


def tagged() -> bytes:
    """A tagged page: its headings are set like the text, and only the structure tree tells what they are."""
    sheets = Sheets()
    texts = (("H1", "Traffic"), ("P", WINTER[:70]), ("H2", "Passengers"), ("P", SUMMER[:70]))
    stream = "".join(
        f"/{tag} <</MCID {n}>> BDC BT /helv 10 Tf 72 {740 - 30 * n} Td ({text}) Tj ET EMC\n"
        for n, (tag, text) in enumerate(texts)
    )
    pdf, page = sheets.document, sheets.page
    page.insert_font("helv")
    new = pdf.get_new_xref()
    pdf.update_object(new, "<<>>")
    pdf.update_stream(new, stream.encode())
    page.set_contents(new)
    root = pdf.get_new_xref()
    kids = [pdf.get_new_xref() for _ in texts]
    for n, ((tag, _), kid) in enumerate(zip(texts, kids, strict=True)):
        pdf.update_object(kid, f"<</Type/StructElem/S/{tag}/P {root} 0 R/Pg {page.xref} 0 R/K {n}>>")
    every = " ".join(f"{kid} 0 R" for kid in kids)
    pdf.update_object(root, f"<</Type/StructTreeRoot/K[{every}]/ParentTree<</Nums[0[{every}]]>>>>")
    pdf.xref_set_key(page.xref, "StructParents", "0")
    pdf.xref_set_key(pdf.pdf_catalog(), "StructTreeRoot", f"{root} 0 R")
    pdf.xref_set_key(pdf.pdf_catalog(), "MarkInfo", "<</Marked true>>")
    return sheets.finish()


def _columns(sheets: Sheets, texts: tuple[str, ...], top: float) -> None:
    """Texts side by side."""
    gap = 18.0
    width = (451 - gap * (len(texts) - 1)) / len(texts)
    for n, text in enumerate(texts):
        sheets.prose(top, text, left=72 + n * (width + gap), width=width)


def two_columns() -> bytes:
    sheets = Sheets().head(80, "The year on the sound", 18)
    _columns(sheets, (f"{WINTER} {PROSE}", f"{SUMMER} {AUTUMN}"), 100)
    return sheets.finish()


def three_columns() -> bytes:
    sheets = Sheets().head(80, "The year on the sound", 18)
    _columns(sheets, (WINTER, SUMMER, AUTUMN), 100)
    return sheets.finish()


def sidebar() -> bytes:
    sheets = Sheets().head(80, "The year on the sound", 18)
    y = sheets.prose(100, WINTER, width=290)
    sheets.prose(y + 10, SUMMER, width=290)
    sheets.page.draw_rect((385, 95, 523, 250), color=None, fill=(0.9, 0.93, 0.96))
    sheets.head(115, "At a glance", 11, x=395)
    sheets.prose(122, "Four ships, six piers, 211 members of staff and 1.2 million passengers.", left=395, width=118)
    return sheets.finish()


def spanning_figure() -> bytes:
    """Two columns, and across both of them a picture between two halves of the text."""
    sheets = Sheets().head(80, "The year on the sound", 18)
    _columns(sheets, (WINTER, SUMMER), 100)
    sheets.picture((72, 270, 523, 450), photo((600, 240)))
    sheets.say(72, 465, "Figure 1: The skerries seen from the pier", 9, "heit")
    _columns(sheets, (AUTUMN, PROSE), 490)
    return sheets.finish()


def running_heads() -> bytes:
    sheets = Sheets()
    parts = (("Storms", WINTER), ("Visitors", SUMMER), ("Repairs", AUTUMN), ("About us", PROSE))
    for n, (title, text) in enumerate(parts, 1):
        if n > 1:
            sheets.turn()
        sheets.say(72, 40, "Harbour Review", 8, "heit").say(430, 40, "Kelding Ferries", 8, "heit")
        sheets.head(90, title)
        y = sheets.prose(105, text)
        sheets.prose(y + 10, " ".join(text.split()[::-1]))
        sheets.say(290, 815, f"{n} / 4", 8)
    return sheets.finish()


def nested_lists() -> bytes:
    sheets = Sheets().head(80, "Before departure", 16)
    entries = (
        (0, "\u2022 Close the bow ramp"),
        (1, "\u2013 Check the green lamp"),
        (1, "\u2013 Report to the bridge"),
        (0, "\u2022 Count the passengers"),
        (0, "1. Start the engines"),
        (0, "2. Cast off"),
    )
    for n, (depth, text) in enumerate(entries):
        sheets.say(72 + 20 * depth, 110 + 15 * n, text)
    return sheets.finish()


def footnotes() -> bytes:
    sheets = Sheets().head(80, "Traffic", 16)
    y = sheets.prose(100, WINTER)
    sheets.say(300, 132, "1", 6)
    sheets.prose(y + 10, SUMMER)
    sheets.page.draw_line((72, 740), (200, 740), width=0.5)
    sheets.say(72, 752, "1", 5).say(77, 755, "Cancelled sailings are those that were announced as such.", 8)
    return sheets.finish()


def hyphens() -> bytes:
    """Words broken at line ends, with a hyphen and with a soft one, and a compound that keeps its own."""
    sheets = Sheets()
    lines = (
        "The cooperative decided on a fundamen-",
        "tal change of its timetable, and the long-term",
        "plan of the harbour was drawn up anew. The super\u00ad",
        "visory board agreed to it without a vote against it.",
    )
    for n, line in enumerate(lines):
        sheets.say(72, 100 + 14 * n, line, 11)
    return sheets.finish()


def ligatures() -> bytes:
    sheets = Sheets()
    box = pymupdf.Rect(72, 80, 523, 200)
    sheets.page.insert_htmlbox(
        box, "<p>The o\ufb03ce of the \ufb01rst \ufb02eet is in the fjord o\ufb00 Ostrey, which is di\ufb03cult.</p>"
    )
    sheets.document.subset_fonts()
    return sheets.finish()


def code() -> bytes:
    sheets = Sheets().head(80, "The tide in Python", 16)
    sheets.prose(95)
    lines = ("def tide(hour):", "    if hour % 12 < 6:", "        return 'flood'", "    return 'ebb'")
    for n, line in enumerate(lines):
        sheets.say(72, 160 + 13 * n, line, 10, "cour")
    return sheets.finish()


FILES: Mapping[str, Callable[[], bytes]] = {
    "font-headings.pdf": font_headings,
    "numbered-headings.pdf": numbered_headings,
    "wrapped-heading.pdf": wrapped_heading,
    "outline.pdf": outline,
    "tagged.pdf": tagged,
    "two-columns.pdf": two_columns,
    "three-columns.pdf": three_columns,
    "sidebar.pdf": sidebar,
    "spanning-figure.pdf": spanning_figure,
    "running-heads.pdf": running_heads,
    "nested-lists.pdf": nested_lists,
    "footnotes.pdf": footnotes,
    "hyphens.pdf": hyphens,
    "ligatures.pdf": ligatures,
    "code.pdf": code,
}
