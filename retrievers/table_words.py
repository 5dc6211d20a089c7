"""Words of questions and tables as one form: stems, synonyms that head columns, periods, and words that ask nothing."""

from __future__ import annotations

import re
from functools import lru_cache

from retrievers.language import is_year, stem, tokens

_GROUPS = """
    revenue revenues turnover | sale sales | cost costs expense expenses expenditure expenditures spending
    | employee employees staff headcount workforce personnel workers worker | population inhabitants residents
    | year years annual yearly | month months monthly | quarter quarters quarterly | profit profits earnings
    | share percentage percent proportion fraction pct | average averages mean | customer customers client clients
    | country countries nation nations | town towns city cities | price prices | half halves
    | buy bought purchase purchased | finish finished completed complete | shareholder stockholder shareholders
    stockholders | vendor supplier vendors suppliers | january jan | february feb | march mar | april apr | june jun
    | july jul | august aug | september sep sept | october oct | november nov | december dec
"""
"""Words by which headers and questions name the same thing; the first of a group stands for all."""
_SAME = {word: group.split()[0] for group in _GROUPS.split("|") for word in group.split()}
_PERIODS = {
    **{f"{name} quarter": f" q{n} " for n, name in enumerate("first second third fourth".split(), 1)},
    **{f"{name} half": f" h{n} " for n, name in enumerate("first second".split(), 1)},
}
_SMALL = frozenset(
    """a about according after against all am an and any are as at be been being below between both but by can could did
    do does doing during each every few for from further given had has have having he her here him his how i if in into
    is it its itself just list me more most much my no nor not of off on once one ones only or other our out over own
    per please same say shall she should show so some such tell than that the their them then there these they this
    those through to too under until up upon us very was we were what when where whether which while who whom whose
    will with within would you your many compared respectively amount also fy name give find calculate compute
    determine much did's overall altogether together different distinct various following available total
    average mean median sum combined cumulative aggregate highest lowest largest smallest greatest most least fewest
    maximum minimum max min best worst top bottom number numbers figure figures value values
    table tables row rows entry entries record records column columns listed shown reported recorded sheet spreadsheet
    """.split()
)
"""Words that name nothing in a table; those of them that do, such as "total", are looked for all the same."""
_LIGHT = frozenset(
    """report reported record recorded achieve achieved see seen reach reached show shows showed shown post posted
    register registered get got getting produce produced sell sold carry carried earn earned generate generated make
    made join joined come came account accounted represent represented belong contain contains hold held stand stood
    locate located count counted include included including amount amounted use used serve served receive received
    take taken took compare comparing end ended begin start started""".split()
)
"""Verbs that join what is asked for to its figure and say nothing of it."""
_BRACKETS = re.compile(r"[\(\[][^()\[\]]*[\)\]]")


@lru_cache(maxsize=65536)
def canonical(word: str) -> str:
    """The one form of a lower-case word: its stem, or that of the first of its synonyms; numbers as they are."""
    return stem(_SAME.get(word, word))


MONTHS = tuple(
    map(canonical, "january february march april may june july august september october november december".split())
)


@lru_cache(maxsize=65536)
def words_of(text: str) -> tuple[str, ...]:
    """The canonical words of a text in order, small words left out, possessives joined to their word."""
    return tuple(canonical(token) for token in _tokens(text) if token not in _SMALL or token in _KEPT)


_KEPT = frozenset(
    """total average mean median number other own best amount sum entry entries value values record records""".split()
)
"""Small words that a label is told apart by."""


def label_words(text: str) -> frozenset[str]:
    """The canonical words that name a row or column: units in brackets and footnote marks left out."""
    bare = _BRACKETS.sub(" ", text)
    return frozenset(words_of(bare)) or frozenset(words_of(text))


def asked_words(text: str) -> tuple[str, ...]:
    """The canonical words of a question that must be accounted for, in order, each once."""
    kept = (t for t in _tokens(text) if t not in _SMALL and t not in _LIGHT and (len(t) > 1 or t.isdigit()))
    return tuple(dict.fromkeys(canonical(t) for t in kept))


def soft_words(text: str) -> frozenset[str]:
    """The canonical words of a question that may name a label but need not, such as "total"."""
    return frozenset(canonical(t) for t in _tokens(text) if t in _KEPT or t in _LIGHT)


def _tokens(text: str) -> list[str]:
    lowered = text.lower()
    for phrase, period in _PERIODS.items():
        lowered = lowered.replace(phrase, period)
    return [t.removesuffix("'s") for t in tokens(lowered)]


def spoken(word: str, question: str) -> str:
    """A canonical word as the question writes it."""
    return next((t for t in re.findall(r"[\w'-]+", question) if canonical(t.lower().removesuffix("'s")) == word), word)


def is_period(word: str) -> bool:
    """Whether a canonical word is a year, quarter or half of a year."""
    return is_year(word) or re.fullmatch(r"[qh][1-4]", word) is not None
