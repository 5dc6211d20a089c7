"""The words of a text as numbers: what a chunk is compared with a question by, without reading its text again.

A word is known by a hash of its stem. Stored are the distinct words of a chunk and how often each stands there, five
bytes a word, so that a search over thousands of chunks is one pass over an array.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from ingest.library_languages import parted, stemmer, stems_in

_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|fy(?=\d)|[^\W\d_]++(?:\d[^\W_]*)?")
"""A number, the mark of a fiscal year, a code such as H2, a word."""
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
TITLE, BODY = 3, 5
"""What a word counts that stands in the headings above a chunk, beside one in its text: all chunks below have it."""
MOST = 255


class PackedWords(NamedTuple):
    """The words of a text: how many it has in all, the distinct ones (uint32 each), their counts (uint8 each)."""

    length: int
    words: bytes
    counts: bytes


def pack_words(title: str, body: str, language: str | None = None) -> PackedWords:
    """The words of a chunk's headings and text; in another language than English their stems as well."""
    said = word_hashes(body)
    counts = {word: often * BODY for word, often in Counter(_with_stems(said, body, language)).items()}
    for word in _with_stems(word_hashes(title), title, language):
        counts[word] = counts.get(word, 0) + TITLE
    shown = bytes([count if count < MOST else MOST for count in counts.values()])
    return PackedWords(length=len(said), words=struct.pack(f"<{len(counts)}I", *counts), counts=shown)


def _with_stems(words: list[int], text: str, language: str | None) -> list[int]:
    return words + [word_hash(stem) for stem in stems_in(text, language)]


def word_hashes(text: str) -> list[int]:
    """The hash of each word of a text, in order."""
    return list(map(word_hash, _WORD.findall(folded(parted(text)))))


def folded(text: str) -> str:
    """A text in small letters without accents."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.lower()


@lru_cache(maxsize=200_000)
def word_hash(word: str) -> int:
    """The hash of the stem of a word in small letters; of a number without separators of thousands."""
    if word[:1].isdigit():
        return zlib.crc32((_THOUSANDS.sub("", word) if "," in word else word).encode())
    try:
        return zlib.crc32(stemmer("english")(word).encode())
    except UnicodeEncodeError:  # half of a surrogate pair, as in a broken text layer
        return zlib.crc32(word.encode("utf-8", "surrogatepass"))
