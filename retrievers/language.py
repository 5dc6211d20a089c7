"""Words and sentences: what a question asks for, and where a text's sentences lie."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ingest.library_languages import function_words_of, parted, stemmer
from ingest.models import encodable

_TOKEN = re.compile(
    r"\d+(?:[.,:/]\d+)*|fy(?=\d)|[^\W\d_]+\d[^\W_]*|[^\W\d_]+(?:['\u2019][^\W\d_]+)?|[^\W_]+", re.IGNORECASE
)
"""A number, the mark of a fiscal year, a code such as H2, a word."""
_FOOTNOTES = str.maketrans(dict.fromkeys("\u00b9\u00b2\u00b3\u2070\u2074\u2075\u2076\u2077\u2078\u2079", " "))
_STOP = frozenset(
    """a about above across after again against all along also am among an and any are aren't around as at be because
    been before being below between both but by can can't cannot could did didn't do does doesn't doing don't down
    during each either ever every few for from further get gets give given gives had has hasn't have having he her here
    hers him his how however i if in into is isn't it it's its itself just kind let like list many may me mean means
    might more most much must my no nor not of off on once one ones only or other our out over own per please name
    same say says see shall she should show so some such tell than that that's the their them then there these they
    this those through to too under until up upon us use used uses using very was wasn't we were weren't what what's
    when where whether which while who whom whose why will with within without would write yes you your
    according answer based document documents does file find format following number page pages question
    describe described mention mentioned mentions provide provided state stated states called exactly fy""".split()
)
_FORM = re.compile(
    r"\W*(?:please|answer|respond|reply|round|format|write|list|give|return|enumerate|express|for example|e\.g)\b"
)
_ITEM_NUMBER = re.compile(r"\s*(?:\(\d{1,2}\)|\d{1,2}[.)])\s")
_NUMBER_WORDS = frozenset(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half
    once twice none no nobody nothing never""".split()
)
_ABBREVIATIONS = frozenset(
    """e.g i.e etc vs cf al fig figs eq no nos
    vol pp p ch sec approx dept est inc ltd co corp mr mrs ms dr prof st jr sr
    jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k z.b d.h bzw ca nr""".split()
)
_SENTENCE_END = re.compile(
    r"(?<=[.!?\u2026])([\"'\u201d\u2019)\]]*)\s+(?=[\"'\u201c\u2018(\[]?[A-Z\u00c0-\u00de0-9\u2022])|\n+"
)


class Span(NamedTuple):
    """A piece of a text and where it starts and ends in it."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[str]:
    """Lower-case words, numbers and codes; a number keeps its separators, raised numbers are left out."""
    plain = unicodedata.normalize("NFKC", text.translate(_FOOTNOTES))
    return [t.lower().replace("\u2019", "'") for t in _TOKEN.findall(plain)]


@lru_cache(maxsize=65536)
def stem(token: str) -> str:
    """The English stem of a lower-case word; numbers without thousands separators."""
    if token[:1].isdigit():
        return re.sub(r",(?=\d{3}(?!\d))", "", token)
    found = stemmer("english")(encodable(token.removesuffix("'s")))
    # The stemmer keeps apart what belongs together: deliver and delivery, discover and discovery.
    return found.removesuffix("eri") if found.endswith("veri") else found


def stems(text: str) -> list[str]:
    """The stems of a text's words, in order."""
    return [stem(t) for t in tokens(text)]


def content_terms(question: str) -> list[str]:
    """The words and numbers of a question that carry its meaning, lower-case, each once."""
    said, stop = tokens(parted(question)), function_words_of(question) or _STOP
    found = dict.fromkeys(t for t in said if t not in stop and (len(t) > 1 or t.isdigit() or not t.isascii()))
    return list(found) or list(dict.fromkeys(said))


def without_form(question: str) -> str:
    """A question without what it asks of the answer's form ("Round to two decimals", "Answer in millions")."""
    end = question.rfind("?") + 1
    return question[:end] if end and _FORM.match(question[end:].lower()) else question


def has_number(text: str, besides: Collection[str] = ()) -> bool:
    """Whether a text names a number, in digits or words ("none" counts), other than those ``besides``.

    The number of the item at its beginning does not count.
    """
    said = tokens(_ITEM_NUMBER.sub("", text))
    return any((t[:1].isdigit() and stem(t) not in besides) or t in _NUMBER_WORDS for t in said)


def is_year(token: str) -> bool:
    """Whether a number reads as a year."""
    return re.fullmatch(r"(?:19|20)\d\d", token) is not None


def kin(terms: Sequence[str]) -> list[str]:
    """What belongs to terms by ``stem``, but not by the stems of the full-text index.

    Of "delivered" that is "delivery", of "discovery" it is "discover".
    """
    found = [term[:-1] if term.endswith("very") else f"{stem(term)}ery" for term in terms if stem(term)[-1:] == "v"]
    return [term for term in found if term not in terms]


def match_query(terms: Sequence[str]) -> str:
    """An FTS5 query for any of the terms, best match first by BM25; empty when there are none."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def names(question: str) -> list[str]:
    """Words that a question writes like names (capitals or digits inside), lower-case, its first word left out.

    Capitals say nothing where a question also writes its small words with them.
    """
    found = re.findall(r"[^\W_][\w\u2019'-]*", question)
    small = [w[:1].isupper() for w in found[1:] if w.lower() in _STOP]
    if small and sum(small) > len(small) / 2:
        found = [w.lower() for w in found]
    out = [w for i, w in enumerate(found) if (i and w[:1].isupper()) or any(c.isupper() or c.isdigit() for c in w[1:])]
    parts = (t for word in out for t in tokens(word))
    return list(dict.fromkeys(t for t in parts if t not in _STOP and not t.isdigit()))


def codes(question: str) -> list[list[str]]:
    """The tokens of each name that joins letters and digits by a hyphen ("P-10", "COVID-19")."""
    found = (tokens(word) for word in re.findall(r"[^\W_][\w\u2019'-]*", question))
    kept = ([t for t in parts if t not in _STOP] for parts in found)
    return [k for k in kept if len(k) > 1 and any(t[0].isdigit() for t in k) and any(t.isalpha() for t in k)]


def years_and_numbers(question: str) -> list[str]:
    """The numbers that a question names, without thousands separators."""
    return list(dict.fromkeys(stem(t) for t in tokens(question) if t[:1].isdigit()))


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text; a line break ends one, an abbreviation, initial or decimal point does not."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if "\n" not in end[0] and _is_abbreviation(text[start : end.start()]):
            continue
        yield from _span(text, start, end.start() + len(end[1] or ""))
        start = end.end()
    yield from _span(text, start, len(text))


def _is_abbreviation(before: str) -> bool:
    last = before.rsplit(None, 1)[-1].strip("(\u201c\"'").rstrip(".").lower() if before.split() else ""
    return last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())


def _span(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        first = start + piece.index(stripped[0])
        yield Span(stripped, first, first + len(stripped))
