"""Whether passages bear a sentence out: the quote that does, or the reasons why none does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from retrievers.check_align import Match, align, beside, lead_of, may_begin, may_end, translated, turned, upright
from retrievers.check_numbers import Language
from retrievers.check_tables import Table, check_table, tables_of, without_tables
from retrievers.check_text import Text, Token, read_passage, read_text
from retrievers.check_words import FALLS, LEADS, RISES

_FRAME = re.compile(
    r"""^\W*(?:(?:according\s+to|as\s+stated\s+in|as\s+per|per)\s+the\s+(?:text|document|report|passage|source|filing|file|
        page|article|paper|table)\s*,\s*
      |(?:the\s+)?(?:text|document|report|passage|source|filing|file|page|article|paper|table)\s+
        (?:states?|says?|notes?|reads?|shows?|reports?|explains?|mentions?)\s*(?:that\b|[:,])\s*
      |it\s+(?:is\s+)?(?:states?d?|says?|said|notes?d?)\s+that\s+
      |(?:laut|gemäß|nach)\s+(?:dem|der)\s+(?:text|dokument|bericht|quelle|datei|seite|tabelle)\s+
      |(?:im\s+(?:text|dokument|bericht)\s+(?:steht|heißt\s+es)|(?:der|das)\s+(?:text|dokument|bericht)\s+
        (?:besagt|sagt|nennt|zeigt|berichtet))\s*(?:,\s*dass\b|:)\s*
      |(?:selon|d['\u2019]après)\s+(?:le|la)\s+(?:texte|document|rapport|source|page|tableau)\s*,\s*
      |(?:le|la)\s+(?:texte|document|rapport|source|page|tableau)\s+(?:dit|indique|précise|affirme|montre)\s*
        (?:qu(?:e\s|['\u2019])|:)\s*
      |(?:según|de\s+acuerdo\s+con)\s+(?:el|la)\s+(?:texto|documento|informe|fuente|página|tabla)\s*,\s*
      |(?:el|la)\s+(?:texto|documento|informe|fuente|página|tabla)\s+(?:dice|indica|señala|afirma|muestra)\s*
        (?:que\b|:)\s*)""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED = re.compile(
    r"\u201c([^\u201c\u201d]+)\u201d|\u00ab([^\u00ab\u00bb]+)\u00bb|\u201e([^\u201c\u201d\u201e]+)[\u201c\u201d]|\"([^\"]+)\""
)
_JOINING = frozenset("and but while whereas however und aber et mais y pero".split())
_CHANGE = re.compile(
    r"^(?P<what>.+?)\s+(?P<verb>\w+)\s+from\s+(?P<old>.*?\d.*?)\s+to\s+(?P<new>.*?\d.*?)\.?\s*$", re.DOTALL
)
FEWEST = 3
"""Words of a part of a sentence that can be checked by itself."""
LONGEST_CHANGE = 400
"""Characters of a statement that is read as a change from one figure to another: finding both takes the cube of it."""
LONGEST_JOINED = 300
"""Tokens of a sentence that is taken for two joined ones: a model may go on without a full stop, and all its cuts are
tried."""
CANDIDATES = 3
"""Sentences of the passages that a claim is laid beside, those that share most with it."""


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a sentence is borne out, the source's own words that bear it, and if it is not, why, in plain words."""

    supported: bool
    quote: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What bears a sentence or a part of one: ``passages[passage][start:end]``."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts that bear a whole sentence, or, where there are none, the closest one and the reasons."""

    parts: tuple[Part, ...]
    reasons: tuple[str, ...] = ()
    nearest: Part | None = None


def check_sentence(sentence: str, passages: str | Sequence[str]) -> Support:
    """Check a sentence against the passages that it cites, together.

    Each number (with unit, sign and scale), date, negation, direction, quantifier, modality, name and quotation must be
    borne out at the same spot of a passage. Other words may be equal in meaning, a clause may be left out, a phrase may
    move; nothing may be added. Tables (Markdown, HTML, or lines with columns) must agree in row, column and cell.
    English, German, French and Spanish; of other languages only word-for-word quotes pass.
    """
    given = [passages] if isinstance(passages, str) else list(passages)
    found = prove(sentence, given)
    parts = found.parts or ((found.nearest,) if found.nearest else ())
    quote = " \u2026 ".join(given[p.passage][p.start : p.end] for p in parts)
    return Support(bool(found.parts), quote, found.reasons)


def bearing(sentence: str, passages: Sequence[str]) -> tuple[Part, ...]:
    """What each passage contributes to a sentence that they bear together; a passage that bears nothing has no part."""
    whole = prove(sentence, passages)
    if not whole.parts:
        return ()
    used = {part.passage for part in whole.parts}
    alone = [
        Part(i, p.start, p.end)
        for i, passage in enumerate(passages)
        if i not in used
        for p in prove(sentence, [passage]).parts
    ]
    return tuple(sorted([*whole.parts, *alone], key=lambda p: p.passage))


def prove(sentence: str, passages: Sequence[str]) -> Proof:
    """The parts of the passages that bear a sentence."""
    false_quote = next((q for q in _quotations(sentence) if not any(_has(read_passage(p), q) for p in passages)), None)
    if false_quote is not None:
        return Proof((), (f"the quoted words \u201c{false_quote}\u201d are not there word for word",))
    body = _FRAME.sub("", sentence, count=1)
    found = _prove_said(body, passages)
    return found if found.parts else _prove_change(body, passages) or found


def _prove_said(body: str, passages: Sequence[str]) -> Proof:
    """A statement by the texts of the passages, else by their tables."""
    texts = [read_passage(without_tables(passage)) for passage in passages]
    claim = read_text(body, language=_language(texts))
    if not claim.tokens:
        return Proof((), ("there is nothing to check in it",))
    best = Proof((), ("the passages are empty",))
    if any(text.tokens for text in texts):
        best = _prove_text(claim, texts)
    tables = [] if best.parts else [(i, table) for i, p in enumerate(passages) for table in tables_of(p)]
    if tables:
        plain = claim.language == "en" and "(" not in body
        by_table = _prove_table(claim if plain else read_text(body, in_table=True, language="en"), tables)
        best = by_table if by_table.parts or not best.nearest else best
    return best


def _language(texts: Sequence[Text]) -> Language | None:
    """The language that all texts are in: it tells that of a short sentence more surely than the sentence does."""
    spoken = {text.language for text in texts if text.tokens}
    return spoken.pop() if len(spoken) == 1 else None


def _prove_change(body: str, passages: Sequence[str]) -> Proof | None:
    """The change "X rose from A to B" by what says that X was A and what says that X was B, where B is above A."""
    m = _CHANGE.match(body) if "from" in body and len(body) <= LONGEST_CHANGE else None
    if m is None:
        return None
    ends = [next((t.value.amount for t in read_text(m[n]).tokens if t.value), None) for n in ("old", "new")]
    if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        return None
    if m["verb"].lower() not in (RISES if ends[1] > ends[0] else FALLS):
        return None
    found = [_prove_said(f"{m['what']} was {m[n]}.", passages) for n in ("old", "new")]
    return Proof(tuple(part for f in found for part in f.parts)) if all(f.parts for f in found) else None


def _prove_table(claim: Text, tables: Sequence[tuple[int, Table]]) -> Proof:
    """Each sentence of a claim by a row of a table."""
    parts: list[Part] = []
    for a, b in claim.sentences:
        founds = [(number, check_table(claim.tokens[a:b], table)) for number, table in tables]
        part = next((Part(number, *f.place) for number, f in founds if f.place is not None), None)
        if part is None:
            return Proof((), founds[0][1].reasons)
        parts.append(part)
    return Proof(tuple(parts))


def _quotations(sentence: str) -> Iterator[str]:
    for m in _QUOTED.finditer(sentence):
        yield next(g for g in m.groups() if g)


def _has(text: Text, quotation: str) -> bool:
    wanted = read_text(quotation, language=text.language).folded
    return not wanted or any(True for _ in text.find(wanted))


def _prove_text(claim: Text, texts: Sequence[Text]) -> Proof:
    part = _verbatim(claim, texts)
    if part is not None:
        return Proof((part,))
    if claim.language == "other":
        return Proof((), ("only word-for-word quotes can be checked in this language",))
    parts: list[Part] = []
    for a, b in claim.sentences:
        found = _prove_one(claim.tokens[a:b], texts)
        if not found.parts:
            found = _prove_halves(claim.tokens[a:b], texts) or found
        if not found.parts:
            return found
        parts += found.parts
    return Proof(tuple(parts))


def _verbatim(claim: Text, texts: Sequence[Text]) -> Part | None:
    """The claim word for word, as a sentence or as one from which only an end that may be left out is missing."""
    for number, text in enumerate(texts):
        for first, last in text.find(claim.folded):
            a, b = text.sentence_at(first)
            c, d = text.sentence_at(last - 1)
            begins = first == a or may_begin(text.tokens[a:b], first - a)
            ends = last == d or may_end(text.tokens[c:d], last - c)
            if begins and ends:
                return _part(number, text, a, d)
    return None


def _part(number: int, text: Text, first: int, last: int) -> Part:
    return Part(number, *text.span(first, last))


def _prove_one(claim: Sequence[Token], texts: Sequence[Text], *, why: bool = True) -> Proof:
    """One sentence beside those sentences of the passages that share most with it; ``why``: reasons are wanted."""
    weights = {t.key: 15 if t.figure or t.capital else 1 if t.free else 5 for t in claim}
    ranked = sorted(
        [
            (sum([weights[k] for k in weights.keys() & own]), -i, -n)
            for i, t in enumerate(texts)
            for n, own in enumerate(t.keys)
        ],
        reverse=True,
    )
    closest: Match | None = None
    for rank, (shared, i, n) in enumerate(ranked[:CANDIDATES]):
        text = texts[-i]
        a, b = text.sentences[-n]
        said = text.tokens[a:b]
        if not (shared and _is_covered(claim, said, text.keys[-n])):
            continue
        match = _best(claim, said, text.language)
        if not match.reasons:
            return Proof((_part(-i, text, a, b),))
        closest = match if rank == 0 else closest
    return _refused(claim, texts, ranked[0], closest) if why else Proof(())


def _refused(
    claim: Sequence[Token], texts: Sequence[Text], first: tuple[int, int, int], closest: Match | None
) -> Proof:
    """Why a sentence of the passages, the one that shares most with a claim, does not bear it."""
    shared, i, n = first
    if not shared:
        return Proof((), ("nothing of this is said there",))
    text = texts[-i]
    a, b = text.sentences[-n]
    match = closest or beside(claim, text.tokens[a:b])
    return Proof((), match.reasons, _part(-i, text, a, b) if match.last else None)


def _is_covered(claim: Sequence[Token], said: Sequence[Token], known: AbstractSet[str]) -> bool:
    """Whether each word of a claim that may not be added has one of its meaning in a sentence."""
    if any(_is_unsaid(t, known) for t in claim):
        return False
    missing = [t for t in claim if t.key not in known and not t.free and t.word not in LEADS]
    return all(key in known for key in translated(missing, said)) if missing else True


def _is_unsaid(token: Token, known: AbstractSet[str]) -> bool:
    """Whether a token may not be added, and nothing that it could stand for is known."""
    return not (token.key in known or token.free or token.same or token.value) and token.word not in LEADS


def _best(claim: Sequence[Token], said: Sequence[Token], language: Language) -> Match:
    match = align(claim, said)
    if not match.reasons:
        return match
    other = turned(said)
    if other is not None and not (moved := align(claim, other)).reasons:
        return Match(0, len(said), moved.shared, ())
    lead = lead_of(said)
    if lead and [t.key for t in claim[-lead:]] == [t.key for t in said[:lead]]:
        # The phrase may stand before a clause that the claim leaves out.
        moved = align(claim[:-lead], said[lead:])
        if not moved.reasons:
            return Match(0, lead + moved.last, moved.shared, ())
    other = turned(claim)
    if other is not None and not (moved := align(other, said)).reasons:
        return moved
    sides = upright(claim, said) if language == "de" else ()
    return next((moved for ours, theirs in sides if not (moved := align(ours, theirs)).reasons), match)


def _prove_halves(claim: Sequence[Token], texts: Sequence[Text]) -> Proof | None:
    """Two statements joined by "and" or the like, each borne out by itself."""
    if len(claim) > LONGEST_JOINED:
        return None
    said = frozenset[str]().union(*(keys for text in texts for keys in text.keys))
    if any(_is_unsaid(t, said) for t in claim if t.word not in _JOINING):
        return None
    for cut in range(FEWEST, len(claim) - FEWEST + 1):
        joined = claim[cut].word in _JOINING
        if not joined and ";" not in claim[cut].gap:
            continue
        halves = claim[:cut], claim[cut + joined :]
        first = _prove_one(halves[0], texts, why=False)
        second = _prove_one(halves[1], texts, why=False) if first.parts else first
        if second.parts:
            return Proof((*first.parts, *second.parts))
    return None
