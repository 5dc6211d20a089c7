"""Scripts other than Latin, and a font that lies about its letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pymupdf

from tests.make_pdfs.sheets import Sheets


def _set(*paragraphs: str, direction: str = "ltr") -> Sheets:
    """Paragraphs of HTML, shaped as their scripts need it."""
    sheets = Sheets(420, 300)
    html = "".join(f'<p dir="{direction}">{text}</p>' for text in paragraphs)
    sheets.page.insert_htmlbox(pymupdf.Rect(40, 40, 380, 260), html)
    sheets.document.subset_fonts()
    return sheets


def greek() -> bytes:
    return _set("Το πλοίο φεύγει από το λιμάνι στις οκτώ.", "Ο καιρός είναι καλός σήμερα.").finish()


def cyrillic() -> bytes:
    return _set("Паром отходит от причала в восемь часов.", "Погода сегодня хорошая.").finish()


def chinese() -> bytes:
    return _set("渡轮八点离开码头。", "今天天气很好，海面平静。").finish()


def arabic() -> bytes:
    return _set("تغادر العبارة الميناء في الساعة الثامنة", direction="rtl").finish()


def hebrew() -> bytes:
    return _set("המעבורת יוצאת מהנמל בשעה שמונה", direction="rtl").finish()


def mixed() -> bytes:
    """A heading and a sentence in Hebrew with a number and a name, and English with Hebrew in it."""
    sheets = _set("<b style='font-size:22px'>הנמל הגדול</b>", direction="rtl")
    rect = pymupdf.Rect(40, 110, 380, 260)
    said = "בשנת 2024 נמכרו 1,234 כרטיסים MV Eider באי"
    greeting = "<p>The words שלום עולם are a greeting.</p>"
    sheets.page.insert_htmlbox(rect, f'<p dir="rtl">{said}</p>{greeting}')
    sheets.document.subset_fonts()
    return sheets.finish()


def shifted() -> bytes:
    """A font whose ToUnicode table names each letter's neighbour in the alphabet."""
    sheets = _set("<span style='font-size:15px'>The ferry leaves the harbour at eight.</span>")
    _retable(sheets.document, lambda letter: letter + 1 if 0x61 <= letter < 0x7A else letter)
    return sheets.finish()


def garbled() -> bytes:
    """A font whose ToUnicode table names private letters, so that what is copied is not what is seen."""
    sheets = _set("<span style='font-size:15px'>The ferry leaves the harbour at eight.</span>")
    _retable(sheets.document, lambda letter: 0xE000 + letter % 0x1000)
    return sheets.finish()


def _retable(pdf: pymupdf.Document, renamed: Callable[[int], int]) -> None:
    """Change what the ToUnicode tables of a document say."""

    def line(found: re.Match[bytes]) -> bytes:
        return b"%s<%04x>" % (found[1], renamed(int(found[2], 16)))

    for xref in range(1, pdf.xref_length()):
        kind, value = pdf.xref_get_key(xref, "ToUnicode")
        if kind == "xref":
            table = pdf.xref_stream(int(value.split()[0]))
            entry = rb"((?:<[0-9a-fA-F]{4}>\s*){1,2})<([0-9a-fA-F]{4})>(?=\s*[\r\n])"
            pdf.update_stream(int(value.split()[0]), re.sub(entry, line, table))


FILES: Mapping[str, Callable[[], bytes]] = {
    "greek.pdf": greek,
    "cyrillic.pdf": cyrillic,
    "chinese.pdf": chinese,
    "arabic.pdf": arabic,
    "hebrew.pdf": hebrew,
    "mixed.pdf": mixed,
    "garbled.pdf": garbled,
    "shifted.pdf": shifted,
}
