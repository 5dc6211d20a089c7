"""What is kept of a PDF page beside its elements: the crops of its pictures, and how much of its text they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.images import is_plain, stored_png
from ingest.partition.pdf_words import PageText, PageWord, plain_words, squeezed
from ingest.render import crop, draw_pages
from ingest.types import Element, Page

if TYPE_CHECKING:
    from liteparse.types import ParsedPage


def page_record(work: PageText, elements: Sequence[Element], own_ms: float) -> Page:
    """A page as it was read by the fast tier, in ``own_ms`` milliseconds."""
    parsed = work.parsed
    signals = parsed.complexity
    return Page(
        page=parsed.page_num,
        width=parsed.width,
        height=parsed.height,
        reasons=tuple(signals.reasons) if signals else (),
        ms=round(own_ms, 1),
        text_kept=share_kept(work.words, elements),
        words=plain_words(work.words),
    )


def share_kept(words: Sequence[PageWord], elements: Sequence[Element]) -> float | None:
    """Share of the text layer's letters and digits that the elements kept, counted with repeats."""
    want = Counter(ch for word in words for ch in squeezed(word.text))
    if not want:
        return None
    have = Counter(ch for e in elements for ch in squeezed(e.text))
    return round(sum(min(n, have[ch]) for ch, n in want.items()) / want.total(), 3)


def with_crops(
    path: Path, parsed: ParsedPage, elements: list[Element], password: str | None = None
) -> tuple[list[Element], dict[str, bytes]]:
    """The elements with each Image's crop named, and the crops; single-colour pictures are left out."""
    if not any(e.category == "Image" for e in elements):
        return elements, {}
    page = draw_pages(path, [parsed.page_num], password=password)[parsed.page_num]
    kept: list[Element] = []
    crops: dict[str, bytes] = {}
    for element in elements:
        if element.category != "Image":
            kept.append(element)
            continue
        picture = crop(page, element.boxes[0].box)
        if is_plain(picture):
            continue
        key, data = stored_png(picture)
        crops[key] = data
        kept.append(replace(element, image_path=key))
    return kept, crops
