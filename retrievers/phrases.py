"""Phrases of a question, found without a grammar: names, codes, nouns with their articles, and what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

YEAR = r"\b(?:19|20)\d\d\b"
CODE = r"\b[A-Z]{1,4}-?\d{1,4}\b"
_PROPER = r"[A-Z\u00c0-\u00de](?:[\w\u2019'&-]*[\w])?\.?"
NAME = rf"\b{_PROPER}(?:\s+(?:(?:of|de|von|van|&)\s+)?{_PROPER})*"
PREPOSITION = (
    r"(?:in|on|at|aboard|for|of|from|to|by|with|without|about|regarding|under|over|below|above|between|during|since"
    r"|until|after|before|near|inside|outside|per|through)"
)
PLACES = (
    frozenset({"in", "on", "at", "aboard", "near", "inside", "outside"}),
    frozenset({"for", "of"}),
    frozenset({"about", "regarding"}),
    frozenset({"under", "over", "below", "above"}),
    frozenset({"before", "after", "until", "since"}),
)
"""Prepositions that may stand for each other in a follow-up: "in the restaurant", "and on deck?"."""
QUANTITY = re.compile(r"\bhow\s+(?:many|much)\b|\bwhat\s+(?:was|were)\s", re.IGNORECASE)
_WH = re.compile(
    r"^(?:how\s+(?:many|much)(?:\s+(?!did\b|do\b|does\b|is\b|are\b|was\b|were\b|has\b|have\b|had\b|can\b|may\b|must\b"
    r"|will\b)[a-z-]+){0,3}|how\s+(?:long|often|far|old|high|fast|big|deep|wide|late|early)|(?:which|what)"
    r"(?:\s+(?!did\b|do\b|does\b|is\b|are\b|was\b|were\b|has\b|have\b|had\b|can\b|may\b|must\b|will\b|about\b)[a-z-]+){1,2}"
    r"|who|whom|whose|what|when|where|why|how)(?=\s|\?|$)",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:do|does|did|can|could|may|must|will|would|should)"
_BE = r"(?:is|are|was|were|has|have|had)"
_STOPS = re.compile(
    rf"\b(?:{PREPOSITION}|{_AUXILIARY}|{_BE}|be|been|and|or|but|if|when|who|which|that|than|as|not|the|a|an)\b|[?,.;:]",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b(?:the|a|an|our)\s+", re.IGNORECASE)
_PARTICIPLE = re.compile(
    r"^(?:\w+ed|\w{3,}en|built|held|made|sold|lost|cut|paid|run|set|sent|found|kept|left|bought|burnt|met|hurt|won|shut"
    r"|open|closed|valid|free|available|late|long|high|old|due|full|empty|worth|now|today|still|yet)$"
)
_VERBS = frozenset(
    """say says said cost costs carry carries carried sail sails sailed hold holds held carries serve serves take takes
    took begin begins began start starts started end ends ended rise rises rose fall falls fell grow grows grew live
    lives have has get gets go goes leave leaves arrive arrives meet meets mean means work works pay pays""".split()
)
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_WEEKDAYS = "Mondays?|Tuesdays?|Wednesdays?|Thursdays?|Fridays?|Saturdays?|Sundays?|weekdays?|weekends?"
_KINDS = (
    re.compile(rf"{YEAR}"),
    re.compile(r"\bQ[1-4]\b|\b(?:first|second|third|fourth)\s+quarter\b"),
    re.compile(r"\bH[12]\s+(?=20\d\d)"),
    re.compile(rf"\b(?:{_MONTHS})\b"),
    re.compile(rf"\b(?:{_WEEKDAYS})\b", re.IGNORECASE),
    re.compile(r"\b(?:spring|summer|autumn|winter)\b", re.IGNORECASE),
    re.compile(CODE),
    re.compile(r"\b(?:first|second|third|fourth|last|next)\b", re.IGNORECASE),
    re.compile(r"\b(?:adults?|children|child)\b", re.IGNORECASE),
    re.compile(r"\b(?:page|slide|table|figure|section|chapter|part|berth)\s+\d+\b", re.IGNORECASE),
)
"""What a fragment may replace by its like: a year by a year, a code by a code."""
_NOT_NAMES = frozenset(
    """i who whom whose what which when where why how is are was were do does did has have had can could may must will
    would should the a an and or but if in on at for of from to by with about not no yes show list give tell find name
    it they he she this that these those there then mr mrs ms dr""".split()
)
_TIMES = re.compile(rf"^(?:{_MONTHS}|{_WEEKDAYS})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """What a turn was about: a thing, a person, several things, a place; ``None`` where none is to be seen."""

    thing: str | None = None
    person: str | None = None
    many: str | None = None
    place: str | None = None


def wh_phrase(question: str) -> str:
    """How a question begins that asks for something ("How many passengers", "When"); empty for others."""
    found = _WH.match(question)
    return found[0] if found else ""


def named(text: str) -> list[str]:
    """The names in a text, in order, each once; the word that begins a sentence counts with another after it alone."""
    return list(dict.fromkeys(_names(text)))


def _names(text: str) -> Iterator[str]:
    for found in re.finditer(NAME, text):
        words = found[0].split()
        while words and words[0].lower().strip(".,'") in _NOT_NAMES:
            words = words[1:]
        name = " ".join(words).rstrip(".,;:").removesuffix("'s").removesuffix("\u2019s")
        begins = found.start() == 0 or text[: found.start()].rstrip()[-1:] in (".", "!", "?", "\n")
        alone = len(words) == 1 and len(found[0].split()) == 1
        if name and not _TIMES.match(name) and not (begins and alone and not re.fullmatch(CODE, name)):
            yield name


def same_kind(asked: str, said: str) -> tuple[str, str] | None:
    """The part of a question that a fragment names another of, and that other."""
    for kind in _KINDS:
        new, old = kind.findall(said), kind.findall(asked)
        if new and old and new[-1].lower() != old[-1].lower():
            if kind.pattern == CODE and _letters(new[-1]) != _letters(old[-1]):
                continue
            return _widened(asked, old[-1]), _article_of(said, new[-1])
    return None


def _letters(code: str) -> str:
    return re.sub(r"[\d-]", "", code)


def _widened(asked: str, old: str) -> str:
    """A year with the one that begins its span: "2022 to 2024"."""
    span = re.search(rf"{YEAR}\s*(?:to|and|-|\u2013)\s*{re.escape(old)}", asked)
    return span[0] if span else old


def _article_of(said: str, new: str) -> str:
    span = re.search(rf"{YEAR}\s*(?:to|and|-|\u2013)\s*{re.escape(new)}", said)
    return span[0] if span else new


def noun_phrases(text: str) -> list[str]:
    """Nouns with their articles, and what stands before a name or code ("route H2"), in order."""
    found = [(m.start(), _phrase_at(text, m)) for m in _ARTICLE.finditer(text)]
    called = re.compile(rf"\b(?!{PREPOSITION}\b|{_AUXILIARY}\b|{_BE}\b)([a-z]{{3,}})\s+({CODE})")
    found += [(m.start(), m[0] if m[1] not in _VERBS else m[2]) for m in called.finditer(text)]
    return [phrase for _, phrase in sorted(found) if phrase]


def _phrase_at(text: str, article: re.Match[str]) -> str:
    """The phrase that begins with an article: to the next preposition, verb or stop, and an of-phrase after it."""
    end = _STOPS.search(text, article.end())
    words = text[article.end() : end.start() if end else len(text)].split()
    asked_of = re.search(rf"\b{_AUXILIARY}\s+$", text[: article.start()], re.IGNORECASE)
    cut_at_name = next((i for i, w in enumerate(words) if i and w[0].isupper() and words[i - 1][0].islower()), None)
    if asked_of:
        words = words[:cut_at_name] if cut_at_name else words
        words = words[:-1] if len(words) > 1 and words[-1].islower() else words
    while len(words) > 1 and (_PARTICIPLE.match(words[-1]) or words[-1] in _VERBS):
        words = words[:-1]
    verb = next((i for i, w in enumerate(words) if i and w in _VERBS), None)
    phrase = f"{article[0]}{' '.join(words[:verb])}" if words else ""
    rest = text[article.start() + len(phrase) :]
    more = re.match(rf"\s(?:of\s(?:the\s|a\s)?(?!{YEAR})[a-z]+|(?:of|at|on|in|for|to)\s(?:the\s)?{NAME})", rest)
    return phrase + (more[0] if more and phrase and not _TIMES.match(more[0].split()[-1]) else "")


def focus_of(question: str, answer: str) -> Focus:
    """What a question and its answer were about."""
    asked_names = named(question)
    said_names = [name for name in named(answer) if name not in asked_names]
    phrases = noun_phrases(question)
    people = [name for name in (*said_names, *asked_names) if _is_person(name)]
    things = _things(question, [*phrases, *_whole_names(question, asked_names, phrases)])
    if re.match(
        rf"(?:which|what)\s+(?!{_BE}\b|{_AUXILIARY}\b|about\b)[a-z]+\s+(?!{_BE}\b|{_AUXILIARY}\b)", question, re.I
    ):
        things = [*said_names[:1], *things]
    thing = next(iter((*things, *_bare_subjects(question), *said_names)), None)
    return Focus(
        thing=thing,
        person=people[0] if people else None,
        many=next((p for p in things if _is_plural(p)), None) or next(iter(_bare_subjects(question)), None),
        place=_place(question, answer),
    )


def _things(question: str, found: list[str]) -> list[str]:
    """What a question names, in order, first what it counts where that is its subject; not the person asked for."""
    asks_who = re.match(r"who\b", question, re.IGNORECASE)
    in_order = sorted(dict.fromkeys(found), key=question.find)
    return [*_counted(question), *(thing for thing in in_order if not (asks_who and _is_person(thing)))]


def _counted(question: str) -> list[str]:
    """What is counted where it is the subject: "the sailings on route H1" of "How many sailings were planned on it"."""
    found = re.match(rf"how\s+(?:many|much)\s+((?:[a-z]+\s+of\s+)?[a-z]+)\s+{_BE}\b", question, re.IGNORECASE)
    where = re.search(rf"\s(?:of|at|on|in|for|to)\s(?:[a-z]+\s)?(?:{CODE}|{NAME})\s*\?*$", question)
    if not found:
        return []
    what = found[1].rpartition(" of ")[2]
    return [f"the {what}{where[0].rstrip(' ?') if where and not re.search(YEAR, where[0]) else ''}"]


def _is_plural(phrase: str) -> bool:
    head = re.split(rf"\s{PREPOSITION}\s", phrase)[0].split()[-1]
    return head.endswith("s") and not head.endswith("ss") and head.islower()


def _whole_names(question: str, names: list[str], phrases: list[str]) -> list[str]:
    """Names that are no part of a phrase that was found."""
    return [name for name in names if not any(name in phrase for phrase in phrases) and name in question]


def _is_person(name: str) -> bool:
    """Two or three words as people's names are, none of them in capitals alone."""
    words = name.split()
    return 2 <= len(words) <= 3 and all(w[:1].isupper() and not w.isupper() and w.isalpha() for w in words)


def _bare_subjects(question: str) -> list[str]:
    """A subject without an article: "dogs" of "Are dogs allowed?", "revenue" of "What was revenue in 2024?"."""
    what = re.match(
        rf"what\s+(?:is|was|are|were)\s+((?:(?!{PREPOSITION}\b|{_ARTICLE.pattern})[a-z]+\b\s?){{1,3}})", question, re.I
    )
    many = re.search(
        rf"\b(?:{_AUXILIARY}|{_BE})\s+((?!{PREPOSITION}\b|there\b|this\b)[a-z]+s)\b", question, re.IGNORECASE
    )
    return [found[1].strip() for found in (what, many) if found]


def _place(question: str, answer: str) -> str | None:
    """Where a turn was: the last name after a preposition of place, with it."""
    for text in (question, answer):
        found = re.findall(rf"\b(?:in|on|at|from|to)\s+(?:the\s+)?(?:{NAME})", text)
        found = [f for f in found if not _TIMES.match(f.split()[-1])]
        if found:
            return re.sub(r"^(?:from|to)\s", "in ", found[-1])
    return None
