"""Files that are locked, cut short, empty or broken inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pymupdf

from tests.make_pdfs.sheets import PROSE, Sheets, photo
from tests.make_pdfs.structure import SUMMER, WINTER
from tests.make_pdfs.tables import FARES

PASSWORD = "kelp"


def _letter() -> Sheets:
    sheets = Sheets().head(80, "Minutes of the board")
    sheets.prose(95)
    return sheets


def locked() -> bytes:
    """A file that needs ``PASSWORD`` to be opened; it has a table and a picture, which other engines look at."""
    sheets = _letter().grid(FARES, (140, 90, 90), rules="some").picture((130, 300, 430, 500), photo())
    return sheets.finish(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=PASSWORD, owner_pw="wrack")


def barred() -> bytes:
    """A file that everybody may open and only its owner may print or copy."""
    return _letter().finish(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="wrack", permissions=0)


def truncated() -> bytes:
    """The first six tenths of a file of eight pages."""
    data = _eight().finish()
    return data[: len(data) * 6 // 10]


def cut_head() -> bytes:
    """A file that ends within its first kilobyte."""
    return _letter().finish()[:600]


def _eight() -> Sheets:
    sheets = Sheets()
    for n in range(8):
        if n:
            sheets.turn()
        sheets.head(80, f"Part {n + 1}")
        sheets.prose(95, f"{n} {PROSE}")
    return sheets


def no_pages() -> bytes:
    """A catalogue whose tree of pages is empty."""
    objects = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>")
    return _written(objects)


def broken_xref() -> bytes:
    """A file whose table of objects points beside each of them."""
    data = _letter().finish()
    return re.sub(rb"startxref\n\d+", b"startxref\n17", data)


def broken_page() -> bytes:
    """Three pages, the second of which has a content stream that is noise."""
    sheets = Sheets().head(80, "Winter")
    sheets.prose(95, WINTER)
    sheets.turn().head(80, "Lost")
    noise = sheets.page.get_contents()[0]
    sheets.turn().head(80, "Summer")
    sheets.prose(95, SUMMER)
    sheets.document.update_stream(noise, b"q 1 0 0 (\x00\xff<<[ BT /None 0 Tf \x80\x81 Tj ] ET Q Q Q" * 20)
    return sheets.finish()


def missing_page() -> bytes:
    """Two pages, the first of which the tree names and the file does not have."""
    shown = b"BT /F1 12 Tf 72 740 Td (The ferry sails in summer.) Tj ET"
    return _written(
        (
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 2/Kids[9 0 R 3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        )
    )


def deep_tree() -> bytes:
    """A tree of pages that comes back to itself."""
    return _written((b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 3/Kids[2 0 R 2 0 R]>>"))


def _written(objects: tuple[bytes, ...]) -> bytes:
    """A file of these objects, numbered from 1, the first being the catalogue."""
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return out + head + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))


FILES: Mapping[str, Callable[[], bytes]] = {
    "locked.pdf": locked,
    "barred.pdf": barred,
    "truncated.pdf": truncated,
    "cut-head.pdf": cut_head,
    "no-pages.pdf": no_pages,
    "broken-xref.pdf": broken_xref,
    "broken-page.pdf": broken_page,
    "missing-page.pdf": missing_page,
    "deep-tree.pdf": deep_tree,
}
