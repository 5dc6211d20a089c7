"""Links that lead to the very words: a web page's address with a text fragment.

The format is that of wicg.github.io/scroll-to-text-fragment: ``#:~:text=[prefix-,]start[,end][,-suffix]``. A browser
finds whole words, in any case, and a start and an end may lie in different blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as percent_encoded
from urllib.parse import urldefrag

from ingest.urls import is_url

WHOLE = 12
"""Words up to which a quote is given whole; a longer one by its first and last words."""
ENDS = 5
"""Words of a start or an end."""
BESIDE = 3
"""Words of a prefix or suffix, which tell equal quotes apart."""


def text_fragment(path: str, text: str, start: int, end: int, cells: Sequence[str] = ()) -> str | None:
    """The address of ``text[start:end]`` on the web page that a text is of; ``None`` where the path is no address.

    Of a table row, ``cells`` are its texts: they stand in blocks of their own.
    """
    said = text[start:end]
    if not is_url(path) or not said.split():
        return None
    address, fragment = urldefrag(path)
    spoken = _range(said, cells)
    if not cells and " ".join(text.split()).count(" ".join(said.split())) > 1:
        before, after = text[:start].rpartition("\n")[2].split(), text[end:].partition("\n")[0].split()
        spoken = [*_context(before[-BESIDE:], "", "-"), *spoken, *_context(after[:BESIDE], "-", "")]
    return f"{address}#{fragment}:~:text={','.join(spoken)}"


def _range(said: str, cells: Sequence[str]) -> list[str]:
    """A quote as a start, and an end where it is long or goes over lines or cells."""
    blocks = [block.split() for block in (cells or said.split("\n")) if block.split()]
    words = [word for block in blocks for word in block]
    if len(blocks) == 1 and len(words) <= WHOLE:
        return [_encoded(words)]
    return [_encoded(blocks[0][:ENDS]), _encoded(blocks[-1][-ENDS:])]


def _context(words: Sequence[str], lead: str, tail: str) -> list[str]:
    return [f"{lead}{_encoded(words)}{tail}"] if words else []


def _encoded(words: Sequence[str]) -> str:
    """Words in which no hyphen, comma or ampersand can be read as part of the format."""
    return percent_encoded(" ".join(words), safe="").replace("-", "%2D")
