"""How well the words of chunks answer to those of a question: BM25 over the chunks that may be shown.

A full-text index scores every row that has any of the words, which takes long in a large library. So the index only
proposes, and the stored words of what it proposed are compared here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log

from ingest.library_search import Outline
from ingest.library_words import BODY, word_hashes

SATURATION, LENGTH = 1.2, 0.75
"""BM25's k1 and b, as they are commonly set and as SQLite has them."""
LEAST = 1e-6
"""What a word counts that most places have."""


def rarities(frequencies: Mapping[str, int], total: int) -> dict[int, float]:
    """What each word, by its hash, counts (its inverse frequency) in a library of ``total`` places."""
    return {
        word: max(LEAST, log((total - count + 0.5) / (count + 0.5))) if total >= count else LEAST
        for term, count in frequencies.items()
        for word in word_hashes(term)
    }


def word_scores(rarity: Mapping[int, float], chunks: Sequence[Outline]) -> dict[int, float]:
    """The BM25 score of each chunk that has one of the words, by its key."""
    import numpy as np

    if not rarity or not chunks:
        return {}
    words = np.frombuffer(b"".join(chunk.words for chunk in chunks), dtype="<u4")
    counts = np.frombuffer(b"".join(chunk.counts for chunk in chunks), dtype=np.uint8)
    owners = np.repeat(np.arange(len(chunks)), [len(chunk.counts) for chunk in chunks])
    lengths = np.array([chunk.length for chunk in chunks], dtype=np.float64)
    norms = SATURATION * (1 - LENGTH + LENGTH * lengths / max(1.0, lengths.mean()))
    scores = np.zeros(len(chunks))
    for word, weight in rarity.items():
        places = np.flatnonzero(words == word)
        often = counts[places] / BODY
        scores[owners[places]] += weight * often * (SATURATION + 1) / (often + norms[owners[places]])
    return {chunk.key: score for chunk, score in zip(chunks, scores.tolist(), strict=True) if score}
