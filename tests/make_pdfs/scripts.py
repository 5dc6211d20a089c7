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


def garbled() -> bytes:
    """A font whose ToUnicode table names private letters, so that what is copied is not what is seen."""
    sheets = _set("<span style='font-size:15px'>The ferry leaves the harbour at eight.</span>")
    pdf = sheets.document
    for xref in range(1, pdf.xref_length()):
        if pdf.xref_get_key(xref, "ToUnicode")[0] == "xref":
            table = int(pdf.xref_get_key(xref, "ToUnicode")[1].split()[0])
            pdf.update_stream(table, _made_private(pdf.xref_stream(table)))
    return sheets.finish()


def _made_private(table: bytes) -> bytes:
    """A ToUnicode table with each letter it names in Unicode's private area."""

    def private(found: re.Match[bytes]) -> bytes:
        return b"%s<%04x>" % (found[1], 0xE000 + int(found[2], 16) % 0x1000)

    return re.sub(rb"((?:<[0-9a-fA-F]{4}>\s*){1,2})<([0-9a-fA-F]{4})>(?=\s*[\r\n])", private, table)


FILES: Mapping[str, Callable[[], bytes]] = {
    "greek.pdf": greek,
    "cyrillic.pdf": cyrillic,
    "chinese.pdf": chinese,
    "arabic.pdf": arabic,
    "hebrew.pdf": hebrew,
    "garbled.pdf": garbled,
}
