"""A text read for checking: tokens with their meaning, sentences, and the text folded for word-for-word search."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import accumulate, pairwise, takewhile
from typing import NamedTuple

from retrievers.check_numbers import (
    DATE,
    MONTHS,
    NUMBER,
    NUMBER_OPENERS,
    Language,
    Value,
    date_key,
    foreign_number,
    read_number,
)
from retrievers.check_words import FREE, language_of, phrases, stem_of, synonyms
from retrievers.language import _ABBREVIATIONS

_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffe\x02"), "")
_FOOTNOTES = dict.fromkeys(map(ord, "\u00b9\u00b2\u00b3\u2070\u2074\u2075\u2076\u2077\u2078\u2079"), " ")
_LETTER = r"[^\W\d_]"
_PIECE = re.compile(
    rf"""(?P<dotted>(?<![^\W_])(?:[A-Za-z]\.)+[A-Za-z](?![^\W_]))
    |(?P<word>{_LETTER}+(?:['\u2019\u02bc]{_LETTER}+)*(?P<broken>[-\u2010][ \t]*\n\s*{_LETTER}+)?(?:[\d_][\w]*)?)
    |(?P<figure>(?:[-\u2212\u2013\u2010\u2011(.]|[$\u20ac\u00a3\u00a5\u20b9][ \u00a0]?)*\d)
    |(?P<symbol>[%\u00b0\u00a7#+=<>\u2264\u2265\u00b1&$\u20ac\u00a3])""",
    re.VERBOSE,
)
_HIDDEN = re.compile(f"[{''.join(map(chr, _DROPPED | _FOOTNOTES))}]")
_DATE = re.compile(DATE, re.IGNORECASE | re.VERBOSE)
_NUMBER = re.compile(NUMBER, re.IGNORECASE | re.VERBOSE)
_RUN = re.compile(rf"(?: {_LETTER}+)+(?= )")
_CODE = re.compile(r"\d+(?:[.,]\d+)*\w*")
_PLAIN_WORD = re.compile(rf"{_LETTER}+")
_NOT_SUFFIX = re.compile(r"^(.+?)n['\u2019]t$")
_BREAK = re.compile(r"\n\s*\n|\n\s*[-*\u2022\u25cf\u25aa\u2013]\s|[\u2022\u25cf]")
_STOP = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]\u00bb]*\s")
_CLOSING = re.compile(r"[.!?%)\]\"'\u201d\u2019\u00bb]*")
MOST_WORDS = 65536
"""Words of a language that are kept."""
_NONE: frozenset[int] = frozenset()
_OPENERS = NUMBER_OPENERS | set(MONTHS)
_BEGINNERS = frozenset(
    "we our us if as to by from under during after before when while although however no not".split()
)


class Token(NamedTuple):
    """One word, number or date; ``gap`` is what stands between it and the token before it.

    ``key`` is equal for tokens of one meaning, ``same`` are groups of further words that may stand for it, ``exact``
    is the folded surface. ``value`` is a number's; ``figure`` says that it is a number or a date. Where it stands is
    not part of it, so that a word is made once for all of its places.
    """

    key: str
    same: frozenset[int]
    exact: str
    word: str
    gap: str
    value: Value | None = None
    capital: bool = False
    free: bool = False
    figure: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its tokens, where they begin and end, and its sentences, as ranges of tokens."""

    text: str
    language: Language
    tokens: tuple[Token, ...]
    starts: Sequence[int]
    ends: Sequence[int]
    sentences: tuple[tuple[int, int], ...]
    keys: tuple[frozenset[str], ...] = ()
    folded: str = ""
    places: tuple[int, ...] = field(default=(), repr=False)

    def find(self, wanted: str) -> Iterator[tuple[int, int]]:
        """The runs of tokens whose folded surfaces, joined, are ``wanted``."""
        at = self.folded.find(wanted) if wanted else -1
        while at >= 0:
            first = bisect_left(self.places, at)
            last = bisect_left(self.places, at + len(wanted))
            if self.places[first] == at and last < len(self.places) and self.places[last] == at + len(wanted):
                yield first, last
            at = self.folded.find(wanted, at + 1)

    def sentence_at(self, token: int) -> tuple[int, int]:
        """The sentence that holds a token."""
        index = bisect_right([start for start, _ in self.sentences], token) - 1
        return self.sentences[max(index, 0)]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where a run of tokens stands in the text, with the quotation marks around it and what closes it."""
        begin, end = self.starts[first], self.ends[last - 1]
        while begin and self.text[begin - 1] in "\"'(\u201c\u2018\u00ab":
            begin -= 1
        tail = _CLOSING.match(self.text, end)
        return begin, tail.end() if tail else end


class _Read(NamedTuple):
    """Tokens while they are read, and where each begins and ends."""

    tokens: list[Token]
    starts: list[int]
    ends: list[int]

    def add(self, token: Token, start: int, end: int) -> None:
        self.tokens.append(token)
        self.starts.append(start)
        self.ends.append(end)

    def take(self, other: _Read, first: int, last: int) -> None:
        self.tokens.extend(other.tokens[first:last])
        self.starts.extend(other.starts[first:last])
        self.ends.extend(other.ends[first:last])


@lru_cache(maxsize=4096)
def read_passage(text: str, *, in_table: bool = False, language: Language | None = None) -> Text:
    """``read_text`` of a text that several sentences are held against: it is read once."""
    return read_text(text, in_table=in_table, language=language)


def read_text(text: str, *, in_table: bool = False, language: Language | None = None) -> Text:
    """Read a text. ``in_table`` takes brackets around any number for a minus."""
    plain, places = _plain(text)
    spoken = language or language_of(_PLAIN_WORD.findall(plain.lower()))
    tokens, starts, ends = read = _joined(_tokens(plain, spoken, in_table=in_table), spoken)
    sentences = tuple(_sentences(plain, read))
    if places:
        starts, ends = [places[at] for at in starts], [places[at - 1] + 1 for at in ends]
    surfaces = [token.exact for token in tokens]
    keys = tuple(frozenset([t.key for t in tokens[a:b]]) for a, b in sentences)
    offsets = (0, *accumulate(map(len, surfaces)))
    return Text(text, spoken, tuple(tokens), starts, ends, sentences, keys, "".join(surfaces), offsets)


def _plain(text: str) -> tuple[str, list[int]]:
    """A text without ligatures and hidden characters, and where each character stood (empty: where it stands now)."""
    if text.isascii() or (unicodedata.is_normalized("NFKC", text) and not _HIDDEN.search(text)):
        return text, []
    pieces = [ch if ch.isascii() else _plain_sign(ch) for ch in text]
    plain = "".join(pieces)
    if len(plain) == len(text) and "" not in pieces:
        return plain, []
    return plain, [at for at, piece in enumerate(pieces) for _ in piece]


@lru_cache(maxsize=4096)
def _plain_sign(sign: str) -> str:
    piece = _DROPPED.get(ord(sign), _FOOTNOTES.get(ord(sign)))
    if piece is not None:
        return piece
    # A sign that stands for words ("...", "1/2") is left as it is: its parts would read as other tokens.
    return unicodedata.normalize("NFKC", sign) if sign.isalnum() or sign.isspace() else sign


def _tokens(text: str, language: Language, *, in_table: bool) -> _Read:
    read = _Read([], [], [])
    at = 0
    while (m := _PIECE.search(text, at)) is not None:
        start, end = m.span()
        gap = text[read.ends[-1] if read.ends else 0 : start]
        if m.lastgroup == "word" and _add_plain_words(read, text, m, gap, language):
            at = read.ends[-1]
            continue
        figure = _figure_at(text, start, m, gap, language, in_table=in_table)
        if figure is not None:
            read.add(figure[0], start, figure[1])
        elif m["figure"] is None:
            for token in _words(m, gap, language):
                read.add(token, start, end)
        elif text[start].isdigit():
            code = _CODE.match(text, start)
            end = code.end() if code else end
            surface = text[start:end]
            read.add(_sign(surface, surface.lower(), gap), start, end)
        else:
            at = start + 1
            continue
        at = read.ends[-1]
    return read


def _add_plain_words(read: _Read, text: str, piece: re.Match[str], gap: str, language: Language) -> bool:
    """Add the words that follow each other with one space between them, up to one that may be more; ``False``: none."""
    start, end = piece.span()
    run = _RUN.match(text, end)
    words = text[start : run.end()].split(" ") if run else [piece[0]]
    if text.startswith("$", run.end() if run else end):
        words.pop()
    plain = list(filter(None, takewhile(bool, map(_plain_words(language).__getitem__, words))))
    if not plain:
        return False
    read.tokens.append(_spaced(words[0], language, gap) if gap != " " else plain[0])
    read.tokens.extend(plain[1:])
    borders = list(accumulate([len(word) + 1 for word in words[: len(plain)]], initial=start))
    read.starts.extend(borders[:-1])
    read.ends.extend([border - 1 for border in borders[1:]])
    return True


def _figure_at(
    text: str, start: int, piece: re.Match[str], gap: str, language: Language, *, in_table: bool
) -> tuple[Token, int] | None:
    """The date or number that begins at a place, and where it ends."""
    opens = piece["word"] and (piece[0].lower() in _OPENERS or text[piece.end() : piece.end() + 1] == "$")
    if not (piece["figure"] or opens):
        return None
    m = _DATE.match(text, start) if text[start].isdigit() or piece[0].lower() in MONTHS else None
    if m is not None:
        return _date(m[0], language, gap), m.end()
    m = _NUMBER.match(text, start) if piece[0].lower() not in MONTHS else None
    number = _number(m[0], language, gap, in_table=in_table) if m is not None else None
    return (number, m.end()) if m is not None and number is not None else None


@lru_cache(maxsize=4096)
def _date(surface: str, language: Language, gap: str) -> Token:
    m = _DATE.match(surface)
    assert m is not None
    return Token("@" + date_key(m, language), _NONE, _figure(surface), surface, gap, figure=True)


@lru_cache(maxsize=16384)
def _number(surface: str, language: Language, gap: str, *, in_table: bool) -> Token | None:
    m = _NUMBER.match(surface)
    value = read_number(m, language, in_table=in_table) if m is not None else None
    if value is None:
        return None
    return Token(f"#{value.key}{value.unit}", _NONE, _figure(surface), surface, gap, value, figure=True)


def _sign(surface: str, key: str, gap: str) -> Token:
    """A sign, or a code that begins with a digit."""
    return Token(key, _NONE, f"\x00{surface}\x00", surface, gap, figure=key == "#")


def _figure(surface: str) -> str:
    """The surface of a number, bordered so that digits of two numbers never run together."""
    return "\x00" + "".join(surface.split()).replace("\u2212", "-").replace("\u2013", "-").casefold() + "\x00"


def _words(m: re.Match[str], gap: str, language: Language) -> Iterator[Token]:
    surface = m[0]
    if m["symbol"]:
        yield _sign(surface, surface, gap)
        return
    if m["broken"]:
        surface = re.sub(r"[-\u2010]\s*", "", surface)
    if m["dotted"]:
        surface = surface.replace(".", "").upper() + "."
    if language == "en" and surface[-1] == "t" and (split := _negated(surface)):
        yield _word(split[0], language, gap)._replace(capital=False)
        yield Token("not", _NONE, split[1], "not", "")
        return
    yield _word(surface, language, gap)


def _negated(surface: str) -> tuple[str, str] | None:
    """The parts of "don't" and "cannot" as two words, the second as it is written; ``None`` for any other word."""
    if surface.lower() == "cannot":
        return "can", "not"
    m = _NOT_SUFFIX.match(surface)
    return (_WHOLE.get(m[1].lower(), m[1]), "nt") if m else None


_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}


def _word(surface: str, language: Language, gap: str) -> Token:
    key, same, exact, word = _meaning(surface, language)
    free = word in FREE[language] and surface not in ("IT", "US")
    return Token(key, same, exact, word, gap, None, surface[0].isupper(), free, key[:1] == "#")


class _PlainWords(dict[str, Token | None]):
    """The token of each word of a language after a space, made when it is first met.

    ``None`` for what may be a number, a month, two words or a broken one.
    """

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, surface: str) -> Token | None:
        if len(self) >= MOST_WORDS:
            self.clear()
        odd = surface.lower() in _OPENERS or "\n" in surface or (surface[-1] == "t" and _negated(surface))
        self[surface] = token = None if odd else _word(surface, self._language, " ")
        return token


@cache
def _plain_words(language: Language) -> _PlainWords:
    return _PlainWords(language)


@lru_cache(maxsize=65536)
def _spaced(surface: str, language: Language, gap: str) -> Token:
    return _word(surface, language, gap)


@lru_cache(maxsize=65536)
def _meaning(surface: str, language: Language) -> tuple[str, frozenset[int], str, str]:
    """(key, groups of one meaning, folded surface, lower-case word) of a word."""
    exact = re.sub(r"[\W_]+", "", surface).casefold()
    word = re.sub(r"['\u2019\u02bc]s?$", "", surface.rstrip(".").casefold()).replace("\u2019", "'")
    if (number := foreign_number(word, language)) is not None:
        return f"#{number}", _NONE, exact, word
    if surface in ("US.", "USA.", "US", "USA"):
        word = "usa"
    key = stem_of(word, language)
    if word in MONTHS and (len(word) > 3 or surface[0].isupper()) and (word != "may" or surface == "MAY"):
        key = f"month{MONTHS[word]}"
    return key, synonyms().get(key, _NONE) if language == "en" else _NONE, exact, word


def _joined(read: _Read, language: Language) -> _Read:
    """Tokens with the phrases that count as one word put together."""
    if language != "en":
        return read
    known = phrases()
    words = [t.word for t in read.tokens]
    starts = [n for n, pair in enumerate(pairwise(words)) if pair in known]
    if not starts:
        return read
    out = _Read([], [], [])
    at = 0
    for n in starts:
        length = _phrase_length(read.tokens, n, known[words[n], words[n + 1]]) if n >= at else 0
        if length:
            out.take(read, at, n)
            out.add(_phrase(read.tokens[n : n + length]), read.starts[n], read.ends[n + length - 1])
            at = n + length
    out.take(read, at, len(words))
    return out


def _phrase_length(tokens: Sequence[Token], at: int, known: Sequence[tuple[str, ...]]) -> int:
    """How many tokens the phrase has that begins at a place; 0 where none does."""
    for words in known:
        run = tokens[at : at + len(words)]
        if tuple([t.word for t in run]) == words and all(t.gap.isspace() or t.gap == "-" for t in run[1:]):
            return len(words)
    return 0


def _phrase(run: Sequence[Token]) -> Token:
    key, exact = " ".join([t.word for t in run]), "".join([t.exact for t in run])
    return run[0]._replace(key=key, same=synonyms()[key], exact=exact, word=key, free=False)


def _sentences(text: str, read: _Read) -> Iterator[tuple[int, int]]:
    first = 0
    for i, token in enumerate(read.tokens):
        if token.gap == " " or not i:
            continue
        # A letter right behind a sign is no initial but a unit or the end of a name ("5 °C.", "Form 10-K.").
        before = read.tokens[i - 1].gap
        initial = i < 2 or before[-1:].isspace() or before[-1:] in ("(", "[")
        if _ends(text[read.starts[i - 1] : read.ends[i - 1]], read.tokens[i - 1], token, initial=initial):
            yield first, i
            first = i
    if read.tokens:
        yield first, len(read.tokens)


def _ends(surface: str, last: Token, token: Token, *, initial: bool) -> bool:
    """Whether a sentence ends between two tokens; ``surface`` is the first one's, which may be an ``initial``."""
    gap = token.gap
    if _BREAK.search(gap):
        return True
    opens = token.capital or token.figure or gap[-1:] in '\u201c"\u2018(['
    if not opens or _STOP.search(gap) is None:
        return False
    if gap[0] != "." or "\n" in gap:
        return True
    if "." in surface:
        return last.figure or token.free or token.word in _BEGINNERS
    return not (last.word in _ABBREVIATIONS or (initial and len(last.word) == 1 and last.word.isalpha()))
