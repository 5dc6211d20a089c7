"""What became of a page's words: which are in no element, and which are said twice."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.partition.pdf_words import PageWord, squeezed
from ingest.types import Element, Word

KEPT = 0.97
"""Share of a page's letters and digits that its elements have, at least, or the source is warned of."""
FIRST_WORDS = 8
"""Words of a loss that a warning quotes."""
RUN = 6
"""Letters in one run that a text holds by chance no more."""
TWICE = 8
"""A run of so many words that the page has once and the elements twice is said twice, not repeated by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """How the elements of a page stand to its words.

    ``share`` is the part of the words' letters and digits that is in an element, ``None`` for a page without any;
    ``lost`` are the words that are in none, in the page's order, and ``twice`` those that stand in one too many.
    """

    share: float | None
    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()


def lost_words(words: Sequence[PageWord | Word], elements: Sequence[Element]) -> Loss:
    """Compare a page's words with its elements' texts; hyphenation, spaces and marks do not count."""
    texts = [part for word in words for part in word.text.split()]
    keys = [squeezed(text) for text in texts]
    tokens = [squeezed(token) for element in elements for token in element.text.split()]
    missing, spare = _unmatched(keys, tokens)
    missing, spare = _rejoined(keys, missing, tokens, spare)
    total = sum(map(len, keys))
    gone = sum(len(keys[i]) for i in missing)
    return Loss(
        share=round(1 - gone / total, 3) if total else None,
        lost=tuple(texts[i] for i in missing),
        twice=tuple(tokens[i] for run in _repeats(set(keys), tokens, spare) for i in run),
    )


def loss_warnings(page: int, loss: Loss) -> Iterator[str]:
    """What to say of a page's words; nothing where they are all there, once."""
    if loss.share is not None and loss.share < KEPT:
        yield f"page {page}: {1 - loss.share:.0%} of its text was lost, first: {_quoted(loss.lost)}"
    if loss.twice:
        yield f"page {page}: {len(loss.twice)} words are there twice, first: {_quoted(loss.twice)}"


def _quoted(words: Sequence[str]) -> str:
    more = " …" if len(words) > FIRST_WORDS else ""
    return f"“{' '.join(words[:FIRST_WORDS])}{more}”"


def _unmatched(keys: Sequence[str], tokens: Sequence[str]) -> tuple[list[int], list[int]]:
    """Indices of the words that no token equals, and of the tokens that are left, each token used once."""
    places: dict[str, deque[int]] = defaultdict(deque)
    for i, token in enumerate(tokens):
        places[token].append(i)
    missing = [i for i, key in enumerate(keys) if key and not _take(places, key)]
    return missing, sorted(i for token, left in places.items() if token for i in left)


def _take(places: dict[str, deque[int]], key: str) -> bool:
    if not places.get(key):
        return False
    places[key].popleft()
    return True


@dataclass(slots=True)
class _Spare:
    """The letters of tokens that no word has matched yet, each with its token's index."""

    letters: str
    owners: list[int]
    used: set[int]

    def take(self, text: str) -> bool:
        """Whether a text stands in the letters; if so it is blotted out, so that nothing else matches it."""
        at = self.letters.find(text)
        if at < 0:
            return False
        end = at + len(text)
        self.used.update(self.owners[at:end])
        self.letters = self.letters[:at] + "\0" * len(text) + self.letters[end:]
        return True


def _rejoined(
    keys: Sequence[str], missing: Sequence[int], tokens: Sequence[str], spare: Sequence[int]
) -> tuple[list[int], list[int]]:
    """The same without what differs by hyphens and spaces alone: neighbours whose letters run on in the tokens left."""
    left = _Spare("".join(tokens[i] for i in spare), [i for i in spare for _ in tokens[i]], set())
    lost = [i for run in _runs(missing) for i in _not_in(left, keys, run)]
    return lost, [i for i in spare if i not in left.used]


def _not_in(spare: _Spare, keys: Sequence[str], run: list[int]) -> list[int]:
    """The words of a run that the spare letters lack, tried as one, then each half, then each."""
    if spare.take("".join(keys[i] for i in run)):
        return []
    if len(run) == 1:
        return run
    half = len(run) // 2
    return _not_in(spare, keys, run[:half]) + _not_in(spare, keys, run[half:])


def _runs(indices: Sequence[int]) -> Iterator[list[int]]:
    """Indices in groups that count on without a gap."""
    for _, group in groupby(enumerate(indices), lambda pair: pair[1] - pair[0]):
        yield [index for _, index in group]


def _repeats(known: set[str], tokens: Sequence[str], spare: Sequence[int]) -> Iterator[list[int]]:
    """Runs of tokens that are too many, long enough to be no chance, all of them words of the page."""
    for run in _runs([i for i in spare if tokens[i] in known]):
        if len(run) >= TWICE:
            yield run


def is_said(line: Sequence[PageWord], said: str) -> bool:
    """Whether a text has most of a line's letters, in runs of the line's own order; ``said`` is squeezed."""
    letters = [squeezed(word.text) for word in line]
    whole = "".join(letters)
    return len(whole) < RUN or 2 * _in_runs(letters, said) >= len(whole)


def _in_runs(letters: Sequence[str], said: str) -> int:
    """Letters of a line's words that stand in a text in runs too long to be there by chance."""
    found = start = 0
    while start < len(letters):
        end = start + 1
        while end < len(letters) and "".join(letters[start : end + 1]) in said:
            end += 1
        run = "".join(letters[start:end])
        found += len(run) if len(run) >= RUN and run in said else 0
        start = end
    return found
