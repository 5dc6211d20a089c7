"""A text read for checking: tokens with their meaning, sentences, and the text folded for word-for-word search."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise
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
_NONE: frozenset[int] = frozenset()
_OPENERS = NUMBER_OPENERS | set(MONTHS)
_BEGINNERS = frozenset(
    "we our us if as to by from under during after before when while although however no not".split()
)


class Token(NamedTuple):
    """One word, number or date; ``gap`` is what stands between it and the token before it.

    ``key`` is equal for tokens of one meaning, ``same`` are groups of further words that may stand for it, ``exact``
    is the folded surface. ``value`` is a number's.
    """

    key: str
    same: frozenset[int]
    exact: str
    word: str
    start: int
    end: int
    gap: str
    value: Value | None = None
    capital: bool = False
    free: bool = False

    @property
    def figure(self) -> bool:
        """Whether it is a number or a date."""
        return self.key[:1] in "#@"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its tokens and its sentences, as ranges of tokens."""

    text: str
    language: Language
    tokens: tuple[Token, ...]
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

    def slice(self, first: int, last: int) -> str:
        """The source text of a run of tokens, with the punctuation that closes it."""
        if first >= last:
            return ""
        end = self.tokens[last - 1].end
        tail = re.match(r"[.!?%)\]\"'\u201d\u2019\u00bb]*", self.text[end:])
        begin = self.tokens[first].start
        while begin and self.text[begin - 1] in "\"'(\u201c\u2018\u00ab":
            begin -= 1
        return self.text[begin : end + (tail.end() if tail else 0)]


@lru_cache(maxsize=4096)
def read_passage(text: str, *, in_table: bool = False, language: Language | None = None) -> Text:
    """``read_text`` of a text that several sentences are held against: it is read once."""
    return read_text(text, in_table=in_table, language=language)


def read_text(text: str, *, in_table: bool = False, language: Language | None = None) -> Text:
    """Read a text. ``in_table`` takes brackets around any number for a minus."""
    plain, places = _plain(text)
    spoken = language or language_of(_PLAIN_WORD.findall(plain.lower()))
    tokens = _joined(_tokens(plain, spoken, in_table=in_table), spoken)
    sentences = tuple(_sentences(plain, tokens))
    if places:
        tokens = [t._replace(start=places[t.start], end=places[t.end - 1] + 1) for t in tokens]
    offsets = (0, *accumulate([len(token.exact) for token in tokens]))
    keys = tuple(frozenset([t.key for t in tokens[a:b]]) for a, b in sentences)
    return Text(text, spoken, tuple(tokens), sentences, keys, "".join([t.exact for t in tokens]), offsets)


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


def _tokens(text: str, language: Language, *, in_table: bool) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while (m := _PIECE.search(text, at)) is not None:
        start, end = m.span()
        gap = text[tokens[-1].end if tokens else 0 : start]
        if m.lastgroup == "word" and (words := _plain_words(text, start, end, gap, language)):
            tokens += words
            at = tokens[-1].end
            continue
        figure = _figure_at(text, start, m, gap, language, in_table=in_table)
        if figure is not None:
            tokens.append(figure)
        elif m["figure"] is None:
            tokens += _words(m, gap, language)
            at = end
            continue
        elif not text[start].isdigit():
            at = start + 1
            continue
        else:
            code = _CODE.match(text, start)
            end = code.end() if code else end
            surface = text[start:end]
            tokens.append(Token(surface.lower(), _NONE, f"\x00{surface}\x00", surface, start, end, gap))
        at = tokens[-1].end
    return tokens


def _plain_words(text: str, start: int, end: int, gap: str, language: Language) -> list[Token]:
    """The words that follow each other from a place with one space between them, up to one that may be more."""
    run = _RUN.match(text, end)
    words = text[start : run.end()].split(" ") if run else [text[start:end]]
    tokens: list[Token] = []
    for word in words:
        entry = _entry(word, language)
        end = start + len(word)
        if entry is None or text[end : end + 1] == "$":
            break
        key, same, exact, lower, capital, free = entry
        # The constructor of the class costs as much as all the rest.
        tokens.append(tuple.__new__(Token, (key, same, exact, lower, start, end, gap, None, capital, free)))
        start, gap = end + 1, " "
    return tokens


def _figure_at(
    text: str, start: int, piece: re.Match[str], gap: str, language: Language, *, in_table: bool
) -> Token | None:
    """The date or number that begins at a place."""
    opens = piece["word"] and (piece[0].lower() in _OPENERS or text[piece.end() : piece.end() + 1] == "$")
    if not (piece["figure"] or opens):
        return None
    m = _DATE.match(text, start) if text[start].isdigit() or piece[0].lower() in MONTHS else None
    if m is not None:
        return Token("@" + date_key(m), _NONE, _figure(m[0]), m[0], start, m.end(), gap)
    m = _NUMBER.match(text, start) if piece[0].lower() not in MONTHS else None
    value = read_number(m, language, in_table=in_table) if m is not None else None
    if m is None or value is None:
        return None
    return Token(f"#{value.key}{value.unit}", _NONE, _figure(m[0]), m[0], start, m.end(), gap, value)


def _figure(surface: str) -> str:
    """The surface of a number, bordered so that digits of two numbers never run together."""
    return "\x00" + "".join(surface.split()).replace("\u2212", "-").replace("\u2013", "-").casefold() + "\x00"


def _words(m: re.Match[str], gap: str, language: Language) -> Iterator[Token]:
    surface, (start, end) = m[0], m.span()
    if m["symbol"]:
        yield Token(surface, _NONE, f"\x00{surface}\x00", surface, start, end, gap)
        return
    if m["broken"]:
        surface = re.sub(r"[-\u2010]\s*", "", surface)
    if m["dotted"]:
        surface = surface.replace(".", "").upper() + "."
    if language == "en" and surface[-1] == "t" and (split := _negated(surface)):
        word, rest = split
        yield Token(*_meaning(word, language), start, end, gap, free=word.lower() in FREE[language])
        yield Token("not", _NONE, rest, "not", start, end, "")
        return
    yield _token(surface, start, end, gap, language)


def _negated(surface: str) -> tuple[str, str] | None:
    """The parts of "don't" and "cannot" as two words, the second as it is written; ``None`` for any other word."""
    if surface.lower() == "cannot":
        return "can", "not"
    m = _NOT_SUFFIX.match(surface)
    return (_WHOLE.get(m[1].lower(), m[1]), "nt") if m else None


_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}


def _token(surface: str, start: int, end: int, gap: str, language: Language) -> Token:
    key, same, exact, word = _meaning(surface, language)
    free = word in FREE[language] and surface not in ("IT", "US")
    return Token(key, same, exact, word, start, end, gap, None, surface[0].isupper(), free)


@lru_cache(maxsize=65536)
def _entry(surface: str, language: Language) -> tuple[str, frozenset[int], str, str, bool, bool] | None:
    """What a token of a word is made of, ``None`` for one that may be a number, a month, two words or a broken one."""
    if surface.lower() in _OPENERS or "\n" in surface or (surface[-1] == "t" and _negated(surface)):
        return None
    key, same, exact, word = _meaning(surface, language)
    return key, same, exact, word, surface[0].isupper(), word in FREE[language] and surface not in ("IT", "US")


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


def _joined(tokens: list[Token], language: Language) -> list[Token]:
    """Tokens with the phrases that count as one word put together."""
    if language != "en":
        return tokens
    known = phrases()
    words = [t.word for t in tokens]
    starts = [n for n, pair in enumerate(pairwise(words)) if pair in known]
    out: list[Token] = []
    at = 0
    for n in starts:
        found = _phrase(tokens, n, known[words[n], words[n + 1]]) if n >= at else None
        if found is not None:
            out += tokens[at:n]
            out.append(found[0])
            at = n + found[1]
    return out + tokens[at:]


def _phrase(tokens: list[Token], at: int, known: Sequence[tuple[str, ...]]) -> tuple[Token, int] | None:
    for words in known:
        run = tokens[at : at + len(words)]
        if tuple(t.word for t in run) == words and all(t.gap.isspace() or t.gap == "-" for t in run[1:]):
            key, exact = " ".join(words), "".join(t.exact for t in run)
            token = run[0]._replace(key=key, same=synonyms()[key], exact=exact, word=key, end=run[-1].end, free=False)
            return token, len(words)
    return None


def _sentences(text: str, tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    first = 0
    for i in range(1, len(tokens)):
        if tokens[i].gap != " " and _ends(text, tokens[i - 1], tokens[i]):
            yield first, i
            first = i
    if first < len(tokens):
        yield first, len(tokens)


def _ends(text: str, last: Token, token: Token) -> bool:
    """Whether a sentence ends between two tokens."""
    gap = token.gap
    if _BREAK.search(gap):
        return True
    opens = token.capital or token.figure or gap[-1:] in '\u201c"\u2018(['
    if not opens or _STOP.search(gap) is None:
        return False
    if gap[0] != "." or "\n" in gap:
        return True
    if "." in text[last.start : last.end]:
        return last.figure or token.free or token.word in _BEGINNERS
    return not (last.word in _ABBREVIATIONS or (len(last.word) == 1 and last.word.isalpha()))
