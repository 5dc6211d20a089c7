"""The text layer of a PDF page by PDFium itself: the witness for words that LiteParse leaves out.

LiteParse drops runs of text that it holds for garbled, which some sound fonts look like to it, down to half of a page.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.partition.pdf_boxes import holds, overlaps
from ingest.partition.pdf_words import PageWord, lines, squeezed
from ingest.types import BoundingBox, Word, union_box

if TYPE_CHECKING:
    from liteparse.types import LayoutBlock, ParsedPage
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

WHOLE = 0.99
"""Share of the layer's letters and digits from which on LiteParse has it all; a formula's letters may differ."""
RAGGED = 0.85
"""Below this share LiteParse's blocks, made from what it kept, are no use: the page is set anew."""
DEVICE = 100
"""Units a point in which PDFium is asked where a letter is displayed: it answers in whole ones."""
LEAST_HEIGHT = 2.0
"""Points: smaller letters are not meant to be read."""
ASCENT = 0.75
DESCENT = 0.22
"""Font sizes that a line of most fonts reaches above and below its base."""
WIDER = 1.05
"""How much wider a line of the page may be than the same line set anew."""
BAND = 10.0
"""Points, about a line: words are compared with those at their height alone."""
SYMBOL = 5
"""A piece of a formula has fewer letters: LiteParse writes its own text for it, in which the piece need not stand."""
SHADOW = 1.5
"""Points between a text and the same drawn again, at most."""
BROKEN = "\ufffe"
"""What PDFium writes for the hyphen of a word that is broken at a line's end."""
INVISIBLE = 3
"""PDF's text rendering mode of text that is not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWords:
    """The words of a page that LiteParse left out, all that PDFium reads there, and the share that LiteParse kept.

    ``words`` is empty where nothing is missed.
    """

    missed: tuple[PageWord, ...] = ()
    words: tuple[PageWord, ...] = ()
    kept: float = 1.0


@contextmanager
def open_layer(path: Path, password: str | None = None) -> Iterator[PdfDocument | None]:
    """The document as PDFium reads it, ``None`` where it cannot."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(path, password=password)
    except PdfiumError:
        yield None
        return
    with closing(document):
        yield document


def missed_words(document: PdfDocument | None, parsed: ParsedPage, words: Sequence[PageWord]) -> LayerWords:
    """What of a page's text layer is not among LiteParse's words; nothing where PDFium cannot read the page."""
    with _text_page(document, parsed.page_num) as opened:
        if opened is None:
            return LayerWords()
        page, layer = opened
        if _share(layer.get_text_range(), words) >= WHOLE:
            return LayerWords()
        drawn = tuple(_once([w for w in _layer_words(page, layer) if _is_readable(w, parsed)]))
    missed = tuple(_not_among(words, drawn))
    kept = _share("".join(w.text for w in drawn), words)
    return LayerWords(missed=missed, words=drawn, kept=kept) if missed else LayerWords()


def _not_among(words: Sequence[PageWord], drawn: Sequence[PageWord]) -> Iterator[PageWord]:
    """Those of the layer's words that are none of LiteParse's."""
    bands: dict[int, list[PageWord]] = defaultdict(list)
    for word in words:
        for band in _bands(word.box):
            bands[band].append(word)
    for word in drawn:
        if not any(_is_same(word, other) for band in _bands(word.box) for other in bands.get(band, ())):
            yield word


def _bands(box: BoundingBox) -> range:
    """The bands of a page that a box reaches into, from the top: what shares none does not overlap."""
    return range(int(box[1] // BAND), int(box[3] // BAND) + 1)


def _share(text: str, words: Sequence[PageWord]) -> float:
    """Share of a text's letters and digits that are in words."""
    drawn, have = Counter(squeezed(text)), Counter(squeezed("".join(word.text for word in words)))
    return 1 - (drawn - have).total() / max(1, drawn.total())


def _once(words: Sequence[PageWord]) -> Iterator[PageWord]:
    """Words without those that are drawn again where they are: shadows, and bold type made so."""
    seen: dict[str, list[BoundingBox]] = {}
    for word in words:
        boxes = seen.setdefault(word.text, [])
        if not any(all(abs(a - b) <= SHADOW for a, b in zip(word.box, box, strict=True)) for box in boxes):
            yield word
        boxes.append(word.box)


def _is_same(word: PageWord, other: PageWord) -> bool:
    """Whether a word of LiteParse's is the layer's: at its place, one text in the other, or a formula around it."""
    if not overlaps(word.box, other.box):
        return False
    a, b = squeezed(word.text), squeezed(other.text)
    if not a or not b or ("$" in other.text and len(a) < SYMBOL):
        return True
    return a in b or b in a


def _is_readable(word: PageWord, parsed: ParsedPage) -> bool:
    on_page = holds((0.0, 0.0, parsed.width, parsed.height), word.box)
    return on_page and word.box[3] - word.box[1] >= LEAST_HEIGHT


@contextmanager
def _text_page(document: PdfDocument | None, number: int) -> Iterator[tuple[PdfPage, PdfTextPage] | None]:
    from pypdfium2 import PdfiumError

    try:
        page = document[number - 1] if document is not None else None
        layer = page.get_textpage() if page is not None else None
    except (PdfiumError, IndexError):
        page = layer = None
    if page is None or layer is None:
        yield None
        return
    with closing(page), closing(layer):
        yield page, layer


def _layer_words(page: PdfPage, layer: PdfTextPage) -> Iterator[PageWord]:
    """PDFium's words, in the layer's order, with their boxes as displayed."""
    held: list[tuple[str, BoundingBox]] = []
    angle = 0
    for index, character in enumerate(layer.get_text_range()):
        if not character.isspace() and _is_visible(layer, index):
            angle = angle if held else _angle(page, layer, index)
            held.append((character.replace(BROKEN, "-"), _displayed(page, layer, index)))
        if held and (character.isspace() or character == BROKEN):
            yield _word(held, angle)
            held = []
    if held:
        yield _word(held, angle)


def _word(letters: Sequence[tuple[str, BoundingBox]], angle: int) -> PageWord:
    text = "".join(character for character, _ in letters)
    return PageWord(text=text, box=union_box([box for _, box in letters]), angle=angle, restored=True)


def _angle(page: PdfPage, layer: PdfTextPage, index: int) -> int:
    """The angle at which a letter is displayed, in whole quarters of a turn, in degrees clockwise."""
    from pypdfium2 import raw

    own = math.degrees(raw.FPDFText_GetCharAngle(layer, index))
    return (round(own / 90) * 90 + int(page.get_rotation())) % 360


def _is_visible(layer: PdfTextPage, index: int) -> bool:
    from pypdfium2 import raw

    drawn = raw.FPDFText_GetTextObject(layer, index)
    return not drawn or raw.FPDFTextObj_GetTextRenderMode(drawn) != INVISIBLE


def _displayed(page: PdfPage, layer: PdfTextPage, index: int) -> BoundingBox:
    """A letter's box in points from the top left of the page as displayed."""
    from pypdfium2 import raw

    width, height = (round(side * DEVICE) for side in page.get_size())
    left, bottom, right, top = _drawn_box(layer, index)
    points = []
    for x, y in ((left, top), (right, bottom)):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
        points.append((across.value / DEVICE, down.value / DEVICE))
    (a, b), (c, d) = points
    return min(a, c), min(b, d), max(a, c), max(b, d)


def _drawn_box(layer: PdfTextPage, index: int) -> BoundingBox:
    """A letter's left, bottom, right and top in the PDF's own space; as high as its line where that is level."""
    from pypdfium2 import raw

    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(layer, index, left, right, bottom, top)
    x, base, matrix = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    raw.FPDFText_GetCharOrigin(layer, index, x, base)
    raw.FPDFText_GetMatrix(layer, index, matrix)
    if matrix.b or matrix.c or matrix.d <= 0:
        return left.value, bottom.value, right.value, top.value
    size = raw.FPDFText_GetFontSize(layer, index) * matrix.d
    return left.value, base.value - DESCENT * size, right.value, base.value + ASCENT * size


def blocks_of_sheet(sheet: ParsedPage) -> list[LayoutBlock]:
    """The blocks found on a page that was set anew, widened: its font does not fill the lines as the page's did."""
    return [
        block if block.bbox is None else replace(block, bbox=replace(block.bbox, width=block.bbox.width * WIDER))
        for block in sheet.blocks or []
    ]


def set_anew(parsed: ParsedPage, words: Sequence[PageWord]) -> bytes:
    """A one-page PDF with a page's words where they are, for LiteParse to find the blocks of."""
    from ingest.ocr import OcrLine, typeset

    rows = [
        OcrLine(
            text=" ".join(w.text for w in row),
            box=union_box([w.box for w in row]),
            confidence=1.0,
            words=tuple(Word(w.text, w.box) for w in row),
        )
        for row in lines([w for w in words if w.angle == 0])
    ]
    return typeset(rows, parsed.width, parsed.height)
