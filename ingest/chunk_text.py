"""Small pure functions on the texts, pages and boxes of elements, for the chunking of text, tables and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ingest.types import Element, PageBox

PARAGRAPH_BREAK = "\n\n"
"""What stands between the texts of two elements in a chunk, as in unstructured's chunks."""

_SEPARATORS = ("\n", " ")


def clean(element: Element) -> str:
    """An element's text with runs of white space made one space; code keeps its white space."""
    return element.text if element.category == "CodeSnippet" and element.text.strip() else squeeze(element.text)


def squeeze(text: str) -> str:
    """A text on one line, with runs of white space made one space."""
    return " ".join(text.split())


def split_text(text: str, limit: int, overlap: int = 0) -> list[str]:
    """Cut a text into parts of at most ``limit`` characters: at a line break, else a space, else anywhere.

    Each part after the first begins with up to ``overlap`` characters (below ``limit``) of the one before.
    """
    parts: list[str] = []
    while len(text) > limit:
        part, text = _split_once(text, limit, overlap)
        parts.append(part)
    return [part for part in (*parts, text) if part.strip()]


def _split_once(text: str, limit: int, overlap: int) -> tuple[str, str]:
    for separator in _SEPARATORS:
        # a part no longer than the overlap would not shorten the rest, so the search begins behind it
        cut = text.rfind(separator, overlap + 1, limit + 1)
        part = text[: max(cut, 0)].rstrip()
        rest = text[cut + 1 :].lstrip()
        if overlap > 1:  # one character of the overlap is the space that joins it
            rest = f"{part[1 - overlap :].lstrip()} {rest}"
        if part and len(rest) < len(text):
            return part, rest
    return text[:limit].rstrip(), text[limit - overlap :].lstrip()


def windows(lines: Iterable[str], limit: int) -> list[str]:
    """Lines packed into texts of up to ``limit`` characters; a line longer than that is cut."""
    packed: list[str] = []
    for line in lines:
        for piece in split_text(line, limit):
            if packed and len(packed[-1]) + 1 + len(piece) <= limit:
                packed[-1] += f"\n{piece}"
            else:
                packed.append(piece)
    return packed


def boxes_of(elements: Iterable[Element]) -> tuple[PageBox, ...]:
    """All boxes of the elements, in order, without repeats."""
    return tuple(dict.fromkeys(box for element in elements for box in element.boxes))


def pages_of(elements: Sequence[Element]) -> tuple[int, ...]:
    """The pages on which the elements, their boxes and their cells stand, in order."""
    pages = {element.page_number for element in elements}
    pages |= {box.page for element in elements for box in element.boxes}
    pages |= {cell.page for element in elements for cell in element.cells}
    return tuple(sorted(page for page in pages if page is not None))
