"""What a document is about, as it says itself: the names and years that recur on its pages, the kind of its form.

A file's name may say nothing. But a report of a company names it on half of its pages, and its own year more often
than the years before and after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ingest.library_words import folded, word_hash

RECURRING = 0.25
"""Share of the places of a document on which a name stands that it is about."""
FULL = 0.5
"""Share from which a name counts in full."""
FEWEST = 4
"""Places below which a share of them says nothing."""
OWN_YEAR = 0.3
"""How often a year stands that a document is about, beside the one that stands most often."""
COMMON = 3
"""A word that is written small on a third as many places is no name, but stands at the beginning of sentences."""
_NAME = re.compile(r"(?<![\w\u2019'])[A-Z][\w&\u2019']*[A-Za-z]")
_SMALL = re.compile(r"(?<![\w\u2019'])[a-z]{3,}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_FORM = re.compile(r"\b(\d{1,2})-?([kq])\b", re.IGNORECASE)


def names_of(places: Sequence[str]) -> dict[int, float]:
    """The words, by hash, that name a document of these places, and how surely (0 to 1)."""
    found = _years_of(places)
    if len(places) >= FEWEST:
        found |= _recurring(places)
    found |= {word_hash(form): 1.0 for form in forms_in(places[0])} if places else {}
    return found


def forms_in(text: str) -> list[str]:
    """The kinds of filings that a text names, as 10k: an annual report in the United States is a form 10-K."""
    return list(dict.fromkeys((number + letter).lower() for number, letter in _FORM.findall(text)))


def _recurring(places: Sequence[str]) -> dict[int, float]:
    names: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in places:
        names.update({folded(name).replace("\u2019", "'").removesuffix("'s") for name in _NAME.findall(text)})
        small.update(set(_SMALL.findall(text)))
    shares = {n: c / len(places) for n, c in names.items() if small[n] * COMMON < c}
    return {word_hash(name): min(1.0, share / FULL) for name, share in shares.items() if share >= RECURRING}


def _years_of(places: Sequence[str]) -> dict[int, float]:
    years = Counter(year for text in places for year in set(_YEAR.findall(text)))
    most = max(years.values(), default=0)
    return {word_hash(year): count / most for year, count in years.items() if count / most >= OWN_YEAR}
