"""A sentence laid beside a sentence of a source: what is equal, what was dropped, what was added or changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from retrievers.check_text import Token
from retrievers.check_words import CONDITIONS, LEADS, OPINIONS, QUANTIFIERS, STRICT_BY_NUMBER, TIMES, kind_of

_BORDER = re.compile(r"[,;:()\[\]\u2013\u2014]|\s-+\s|\n")
_OPEN, _CLOSE = re.compile(r"[(\[]"), re.compile(r"[)\]]")
_SIDE = re.compile(r"[,;:\u2013\u2014()\[\]]|\s-+\s")
_TAILS = frozenset(
    """including such which whose where because since while whereas although though due owing driven resulting
    reflecting compared versus as primarily mainly partly partially offset und weil während darunter wobei qui dont
    parce tandis
    notamment incluyendo porque mientras""".split()
)
_TIME_WORDS = TIMES | frozenset("fiscal end beginning month12 half today".split())
_PLACING = frozenset(
    """in on at as of during for since from after before by under over until through within effective throughout
    following prior beginning upon between im am seit während bis en au depuis pendant le
    durante desde hasta el""".split()
)
_OPENING = frozenset(
    """but while whereas the a an aber während der die das ein eine mais tandis que le la les un une pero mientras el
    los las una""".split()
)
"""Words that a statement may have before it at a comma."""
_SHORT_NAMES = frozenset(
    "company corporation corp inc incorporated ltd limited co group usa uk eu gaap department dept".split()
)
"""Parts of names that stand for each other."""
LONGEST_LEAD = 8
"""Tokens that a phrase may have that stands before a German verb."""
LONGEST_PHRASE = 24
"""Tokens that a phrase may have that moves from one end of a sentence to the other."""


@dataclass(frozen=True, slots=True)
class Match:
    """How a claim lies beside a run of a source's tokens: ``first`` to ``last`` there; empty ``reasons``: borne out."""

    first: int
    last: int
    shared: int
    reasons: tuple[str, ...]


def align(claim: Sequence[Token], said: Sequence[Token]) -> Match:
    """Lay a claim beside a sentence and judge each difference."""
    match = beside(claim, said)
    if match.reasons and (evened := _evened(claim, said)) is not None:
        other = _aligned(claim, said, *evened)
        return match if other.reasons else other
    return match


def beside(claim: Sequence[Token], said: Sequence[Token]) -> Match:
    """``align`` with words of one meaning made equal only where a word is not there itself."""
    return _aligned(claim, said, translated(claim, said), [t.key for t in said])


def _aligned(claim: Sequence[Token], said: Sequence[Token], ours: list[str], theirs: list[str]) -> Match:
    blocks = _blocks(ours, theirs)
    if not blocks:
        return Match(0, 0, 0, ("nothing of this is said there",))
    reasons = tuple(dict.fromkeys(_reasons(claim, said, blocks)))
    return Match(blocks[0][1], blocks[-1][1] + blocks[-1][2], sum(n for _, _, n in blocks), reasons)


def _blocks(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int, int]]:
    """The longest run that both have, and so on to its left and right: (place in ours, place in theirs, length)."""
    places: dict[str, list[int]] = {}
    for j, key in enumerate(theirs):
        places.setdefault(key, []).append(j)
    rows = [places.get(key, ()) for key in ours]
    found: list[tuple[int, int, int]] = []
    left = [(0, len(ours), 0, len(theirs))]
    while left:
        a, b, c, d = left.pop()
        i, j, n = _longest(rows, a, b, c, d)
        if n:
            found.append((i, j, n))
            left += [(a, i, c, j), (i + n, b, j + n, d)]
    return _touching_joined(sorted(found))


def _longest(rows: Sequence[Sequence[int]], a: int, b: int, c: int, d: int) -> tuple[int, int, int]:
    """The longest common run of ``a`` to ``b`` and ``c`` to ``d``, the first of equally long ones."""
    at, there, size = a, c, 0
    if c < d:
        before: dict[int, int] = {}
        for i in range(a, b):
            runs: dict[int, int] = {}
            for j in rows[i]:
                if c <= j < d:
                    runs[j] = n = before.get(j - 1, 0) + 1
                    if n > size:
                        at, there, size = i - n + 1, j - n + 1, n
            before = runs
    return at, there, size


def _touching_joined(blocks: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    out: list[tuple[int, int, int]] = []
    for a, b, n in blocks:
        if out and out[-1][0] + out[-1][2] == a and out[-1][1] + out[-1][2] == b:
            out[-1] = (*out[-1][:2], out[-1][2] + n)
        else:
            out.append((a, b, n))
    return out


def _evened(claim: Sequence[Token], said: Sequence[Token]) -> tuple[list[str], list[str]] | None:
    """The keys of both sides with words of one meaning made equal everywhere; ``None`` where that changes nothing."""
    ours = {g for t in claim for g in t.same}
    shared = ours.intersection(*[{g for t in said for g in t.same}])
    if not shared:
        return None

    def even(tokens: Sequence[Token]) -> list[str]:
        return [f"~{min(own)}" if (own := t.same & shared) else t.key for t in tokens]

    return even(claim), even(said)


def translated(claim: Sequence[Token], said: Sequence[Token]) -> list[str]:
    """The keys of a claim's tokens, those of the source's tokens where these say the same.

    A claim may leave a currency out.
    """
    known = {t.key for t in said}
    missing = [t for t in claim if t.key not in known and (t.same or t.value is not None)]
    if not missing:
        return [t.key for t in claim]
    groups = {group: t.key for t in reversed(said) if t.same for group in t.same}
    amounts = {t.value.key: t.key for t in said if t.value is not None and t.value.unit.isupper()}
    meant = {t.key: _meant(t, groups, amounts) for t in missing}
    return [meant.get(t.key, t.key) for t in claim]


def _meant(token: Token, groups: Mapping[int, str], amounts: Mapping[str, str]) -> str:
    if token.value is not None:
        return token.key if token.value.unit else amounts.get(token.value.key, token.key)
    return next((groups[g] for g in sorted(token.same) if g in groups), token.key)


def _reasons(claim: Sequence[Token], said: Sequence[Token], blocks: Sequence[tuple[int, int, int]]) -> Iterator[str]:
    i = j = 0
    for a, b, n in [*blocks, (len(claim), len(said), 0)]:
        added = [k for k in range(i, a) if not _is_light(claim, k, start=i == 0)]
        dropped = b > j and not _may_drop(said, j, b, head=i == 0 and j == 0, tail=n == 0)
        if added or dropped:
            yield _reason([claim[k] for k in added], [t for t in said[j:b] if not t.free], at_end=n == 0 or j == 0)
        yield from (r for k in range(n) if (r := _unlike_names(claim[a + k], said[b + k], a + k)))
        i, j = a + n, b + n


def _is_light(tokens: Sequence[Token], k: int, *, start: bool = False) -> bool:
    """Whether a word of a claim may be there without the source having it."""
    token = tokens[k]
    if start and token.word in LEADS and k == 0:
        return True
    if not token.free:
        return False
    beside = [t.figure for t in (*tokens[max(k - 1, 0) : k], *tokens[k + 1 : k + 2])]
    return not (token.word in STRICT_BY_NUMBER and beside and beside[-1])


def _unlike_names(claimed: Token, said: Token, place: int) -> str | None:
    """A reason where two names share no more than a stem or a meaning."""
    if not (claimed.capital and said.capital and place) or claimed.word == said.word:
        return None
    if claimed.word.rstrip("s") == said.word.rstrip("s") or claimed.key.startswith("month"):
        return None
    if claimed.key != said.key and ({claimed.word, said.word} <= _SHORT_NAMES or " " in claimed.word + said.word):
        return None
    return f"the name \u201c{claimed.word}\u201d is not there (it says \u201c{said.word}\u201d)"


def _reason(added: Sequence[Token], dropped: Sequence[Token], *, at_end: bool) -> str:
    ours = " ".join(t.word for t in added)
    theirs = " ".join(t.word for t in dropped[:8])
    token = next((t for t in added if t.figure), None) or (added or dropped)[0] if added or dropped else None
    kind = "" if token is None else "number or date" if token.figure else kind_of(token.word)
    if added and dropped and not at_end:
        return f"{kind}: it says \u201c{theirs}\u201d, not \u201c{ours}\u201d"
    if added:
        return f"{kind}: \u201c{ours}\u201d is not said there"
    return f"{kind or 'words'}: \u201c{theirs}\u201d, said there, cannot be left out"


# --- what may be left out -----------------------------------------------------------------------


def _may_drop(said: Sequence[Token], a: int, b: int, *, head: bool, tail: bool) -> bool:
    """Whether the tokens ``a`` to ``b`` of a sentence can be left out without changing what the rest says."""
    if all(_is_droppable(said, k) for k in range(a, b)):
        return True
    if head:
        return may_begin(said, b)
    if tail:
        return may_end(said, a)
    return any(_is_aside(said, first, last) for first, last in _turns(said, a, b))


def _is_droppable(tokens: Sequence[Token], k: int) -> bool:
    token = tokens[k]
    if token.free or token.word in LEADS:
        return not (token.word in STRICT_BY_NUMBER and k + 1 < len(tokens) and tokens[k + 1].figure)
    manner = token.word.endswith("ly") and len(token.word) > 5
    return manner and kind_of(token.word) == "word" and token.word not in QUANTIFIERS


def _turns(said: Sequence[Token], a: int, b: int) -> Iterator[tuple[int, int]]:
    """The same run and those that leave out the same words, where equal words stand at both of its ends."""
    yield a, b
    first, last = a, b
    while first > 0 and said[first - 1].key == said[last - 1].key:
        first, last = first - 1, last - 1
        yield first, last
    first, last = a, b
    while last < len(said) and said[first].key == said[last].key:
        first, last = first + 1, last + 1
        yield first, last


def _is_aside(said: Sequence[Token], a: int, b: int) -> bool:
    while a < b and _is_droppable(said, a) and not _SIDE.search(said[a].gap):
        a += 1
    after = said[b].gap if b < len(said) else "."
    while a < b and _is_droppable(said, b - 1) and not _SIDE.search(after):
        b, after = b - 1, said[b - 1].gap
    if a >= b:
        return True
    before = said[a].gap
    if b - a == 1 and said[a].word[:1] == "(" and said[a].word[-1:] == ")":
        return True
    if _OPEN.search(before) and _CLOSE.search(after):
        return True
    return bool(_SIDE.search(before) and _SIDE.search(after)) and (said[a].word == "not" or not _binds(said[a:b]))


def _binds(run: Sequence[Token]) -> bool:
    """Whether a run limits what stands beside it: a condition, an exception."""
    words = [t.word for t in run if t.word not in ("and", "or")][:2]
    if words[:1] == ["but"]:
        return any(w in CONDITIONS or w in ("not", "no", "never") for w in words[1:])
    return words[:1] in (["subject"], ["other than"], ["not"]) or any(w in CONDITIONS for w in words[:1])


def may_begin(said: Sequence[Token], at: int) -> bool:
    """Whether a statement may begin inside a sentence, at a token: after a lead or a clause that does not bind it."""
    head = said[:at]
    if all(_is_droppable(said, k) for k in range(at)):
        return True
    if at >= len(said):
        return False
    back = at
    # An "and" is no border: "A, B, and C cost 5" does not say that C does.
    while back > 0 and said[back - 1].word in _OPENING:
        back -= 1
    gaps = [said[k].gap for k in range(back, at + 1)]
    bordered = any(_SIDE.search(g) for g in gaps)
    titled = "\n" in said[at].gap and said[at].capital and at <= 12
    if not (bordered or titled):
        return False
    return not any(t.word in OPINIONS or t.word in CONDITIONS or t.word in ("may", "might", "could") for t in head)


def may_end(said: Sequence[Token], at: int) -> bool:
    """Whether a statement may end inside a sentence, before a token: the rest is an aside, a reason, a time."""
    rest = said[at:]
    if all(_is_droppable(said, k) for k in range(at, len(said))):
        return True
    if _binds(rest):
        return False
    if _BORDER.search(rest[0].gap) or rest[0].word in _TAILS or rest[0].word.split()[0] in _TAILS:
        return True
    return _is_time(rest)


def _is_time(run: Sequence[Token]) -> bool:
    if run[0].word not in _PLACING or len(run) > 14:
        return False
    return all(t.free or t.key.startswith(("@", "month")) or _is_year(t) or t.key in _TIME_WORDS or t.word in _PLACING
               or t.word in ("ended", "ending", "first", "second", "third", "fourth", "three", "six", "nine")
               or t.key in ("#3", "#6", "#9", "#12") for t in run)  # fmt: skip


def _is_year(token: Token) -> bool:
    return re.fullmatch(r"#(?:19|20)\d\d", token.key) is not None


# --- phrases that move ----------------------------------------------------------------------------


def lead_of(tokens: Sequence[Token]) -> int:
    """How many tokens the phrase of time or place at a sentence's head has, up to its comma; 0 where it has none."""
    if not tokens or tokens[0].word.split()[0] not in _PLACING:
        return 0
    return next((k for k in range(2, min(len(tokens), LONGEST_PHRASE)) if "," in tokens[k].gap), 0)


def turned(tokens: Sequence[Token]) -> Sequence[Token] | None:
    """A sentence with the phrase of time or place at its head moved to its end; ``None`` where it has none."""
    lead = lead_of(tokens)
    return (*tokens[lead:], *tokens[:lead]) if lead else None


# --- German word order ----------------------------------------------------------------------------


def upright(claim: Sequence[Token], said: Sequence[Token]) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    """Both sides with the claim's verb where the source has it, as German moves it.

    It stands second, so before the subject behind a phrase of time or place, and last behind "dass". Such a phrase is
    taken out of both sides where the other has it in the same clause. The order of all other words stays.
    """
    yield from _verb_placed(claim, said)
    yield from ((ours, theirs) for theirs, ours in _verb_placed(said, claim))


def _verb_placed(turned: Sequence[Token], other: Sequence[Token]) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    keys = [t.key for t in other]
    for ends in (0, -1):
        if (moved := _moved(turned, ends, keys)) is not None:
            yield moved, other
    if turned[0].word not in _PLACING:
        return
    for length in range(min(LONGEST_LEAD, len(turned) - 2), 1, -1):
        lead = [t.key for t in turned[:length]]
        at = next((n for n in range(1, len(keys)) if keys[n : n + length] == lead), None)
        if at is not None and not any(_SIDE.search(t.gap) for t in other[1 : at + 1]):
            rest = (*other[:at], *other[at + length :])
            moved = _moved(turned[length:], 0, [t.key for t in rest])
            if moved is not None:
                yield moved, rest
            return


def _moved(tokens: Sequence[Token], place: int, keys: Sequence[str]) -> Sequence[Token] | None:
    """The tokens with the verb at a place moved behind the word that stands before it on the other side."""
    verb = tokens[place]
    if verb.capital or verb.figure or verb.key not in keys or len(tokens) < 3:
        return None
    rest = [*tokens[1:]] if place == 0 else [*tokens[:-1]]
    before = keys[keys.index(verb.key) - 1] if keys.index(verb.key) else None
    at = next((n + 1 for n, t in enumerate(rest) if t.key == before), 0)
    return (*rest[:at], verb, *rest[at:])
