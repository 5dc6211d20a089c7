"""Follow-up questions made whole by rule: what they leave unsaid is taken from the turn before.

"And in 2023?" takes the question before with another year, "who signed it?" the thing that it was about. A question
that can stand alone stays as it is. The rules are those of English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retrievers.language import content_terms
from retrievers.phrases import (
    CODE,
    NAME,
    PLACES,
    PREPOSITION,
    QUANTITY,
    YEAR,
    Focus,
    focus_of,
    named,
    noun_phrases,
    same_kind,
    wh_phrase,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The turn before: its full question, the answer without marks, the documents cited, and what was asked back."""

    question: str
    answer: str = ""
    docs: tuple[str, ...] = ()
    clarify: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A full question, whether words of the turn before are in it, and what to ask back where it stays vague."""

    question: str
    carried: bool = False
    clarify: str | None = None


_OPENER = re.compile(
    r"^(?:(?:ok(?:ay)?|well|so|and|but|also|then|now|thanks|thank you|please)\b[,.!]?\s+)+", re.IGNORECASE
)
_ABOUT = re.compile(
    r"^(?:what|how)\s+(?:about|of)\s+|^(?:the\s+)?same\s+(?:question\s+)?(?:for|with|in|on)\s+", re.IGNORECASE
)
_GOES_ON = re.compile(r"^(?:ok(?:ay)?[,.]?\s+|so\s+)?(?:and|but|also)\b", re.IGNORECASE)
_MORE = re.compile(
    r"^(?:tell me more|more|more details?|go on|continue|what else|anything else|details?|explain|in detail)"
    r"(?: (?:about|on) (?:it|that|this|them))?[\s.?!]*$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|may|must|will"
    r"|would|should|shall|show|list|give|tell|find|name|compare|explain|describe|summari[sz]e|count|recommend|suggest|search"
    # Of other languages, so that their questions are left as they are.
    r"|wer|wen|wem|wo|wann|wie|wieso|warum|wieviele?|welche[rsmn]?|ist|sind|hat|haben|gibt|qui|que|quoi|quand|o\u00f9"
    r"|comment|combien|pourquoi|quel(?:le)?s?|est-ce|qui\u00e9n|qu\u00e9|cu\u00e1ndo|d\u00f3nde|c\u00f3mo|cu\u00e1nt[oa]s?|cu\u00e1l(?:es)?)\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:(?:since|until|till|from|to|by|for|with|at)\s+)?(?:who|whom|when|where|why|how(?:\s+(?:much|many|long|often|far|old))?)"
    r"[\s?]*$",
    re.IGNORECASE,
)
_NO_SUBJECT = (
    r"(?:possible|allowed|permitted|necessary|required|true|safe|forbidden|worth|enough|likely|better|known|sure)"
)
_EMPTY_IT = re.compile(
    rf"\b(?:is|was|will|would|can)\s+it\s+(?:be\s+)?{_NO_SUBJECT}\b(?:\s+(?:to|that|for)\b|\s*[?.]?\s*$)"
    r"|\bdoes\s+it\s+(?:take|cost)\s+(?:\w+\s+)?to\b|\bdid\s+it\s+take\s+(?:\w+\s+)?to\b|\b(?:does|did)\s+it\s+rain\b",
    re.IGNORECASE,
)
"""It stands for nothing in "is it allowed to" and "how long does it take to"."""
_PERSON = re.compile(r"\b(?P<owner>his|her(?=\s+[a-z])|hers)\b|\b(?P<one>he|she|him|her)\b", re.IGNORECASE)
_THING = re.compile(r"\b(?P<owner>its|their|theirs)\b|\b(?P<one>it|they|them)\b", re.IGNORECASE)
_THAT = re.compile(
    r"(?:(?<=\bis )|(?<=\bare )|(?<=\bwas )|(?<=\bwere )|(?<=\bdoes )|(?<=\bdid )|(?<=\bdo )|(?<=\babout )|(?<=\bof )"
    r"|(?<=\bfor )|(?<=\bby )|(?<=\bto )|(?<=\bwith )|(?<=\bafter )|(?<=\bbefore ))(?:that|this|these|those)"
    r"(?=\s*[?.,]|\s*$|\s+(?:per|does|did|do|is|was|were|are|in|for|of|cost|mean|happen|work|start|end|apply|include|come|compare|by|on|a|an|the|true"
    r"|more|less|so|done|built|made|paid)\b)",
    re.IGNORECASE,
)
"""That as a word of its own: in "that year" and "the law that" it is none."""
_THAT_NOUN = re.compile(r"\b(?:that|this|the\s+same|the\s+said|those|these)\s+([a-z]+)\b", re.IGNORECASE)
_YEAR_STEP = re.compile(
    r"\b(?:in\s+)?(?:the\s+)?(?:(?P<back>year\s+before(?:\s+that)?|(?:previous|preceding|prior|last)\s+year)"
    r"|(?P<forth>year\s+after(?:\s+that)?|(?:next|following)\s+year))\b",
    re.IGNORECASE,
)
_THERE = re.compile(r"(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?!\s+(?:is|are|was|were|be)\b)", re.IGNORECASE)
_THEN = re.compile(r"\b(?:back\s+)?then\b(?=\s*[?.]?\s*$)|\bat\s+(?:that|the)\s+time\b", re.IGNORECASE)
_SAYS = re.compile(r"\b(?:does|do|did)\s+(?:it|they|that|this)\s+(?:say|state|mention|tell)\b", re.IGNORECASE)
_CLAUSE = re.compile(r",|\b(?:if|when|because|that|which|who|and|but|while|after|before|where)\b", re.IGNORECASE)
_FEW = 3
"""Words of a fragment that nothing links to the question before, at most."""
_TIME_WORDS = frozenset("year years month months week weeks day days date time quarter".split())
_EMPTY_WORDS = frozenset(
    """it its they them their this that these those he she him her his there then one ones thing things something
    anything everything stuff information info detail details number numbers figure figures question help data
    documents document file files more much many long often far cost tell know want need look""".split()
)


def complete(question: str, before: Said | None) -> Completed:
    """A follow-up as a full question; a vague one with what to ask back, unless that has just been done."""
    question = " ".join(question.split())
    if before is not None and before.clarify:
        if not _ASKS.match(_bare(question)) and not _is_fragment(question):
            return Completed(question=_joined(before.question, question), carried=True)
        before = Said(question=before.question, answer=before.answer, docs=before.docs)
    if before is None:
        return Completed(question=question, clarify=_asked_back(question))
    full = _whole(question, before)
    return Completed(question=full, carried=full.lower() not in (question.lower(), _bare(question).lower()))


def _whole(question: str, before: Said) -> str:
    if _MORE.match(question):
        return before.question
    bare = _bare(question)
    about = _ABOUT.match(bare)
    if _BARE.match(bare):
        return _asked_otherwise(before.question, bare)
    fragment = bare[about.end() :] if about else bare
    if not _ASKS.match(bare) and not _adds(question, fragment, before.question):
        return question
    if about or not _ASKS.match(bare):
        return substituted(before.question, _same_kind_words(fragment, before))
    if _is_headless(bare):
        return substituted(before.question, bare)
    full = _resolved(bare if bare == question else bare[:1].upper() + bare[1:], before)
    return _with_frame(full, before, goes_on=bool(_GOES_ON.match(question)) or full.lower() != bare.lower())


def _adds(question: str, fragment: str, asked: str) -> bool:
    """Whether words that are no question are meant to change the one asked before, and are no search of their own."""
    linked = _is_fragment(question) or re.match(rf"{PREPOSITION}\b", fragment, re.IGNORECASE) is not None
    few = len(fragment.split()) <= _FEW
    return linked or (few and (question.endswith("?") or same_kind(asked, fragment) is not None))


def _bare(question: str) -> str:
    """A question without the words that only link it to the one before."""
    return _OPENER.sub("", question)


def _terms(question: str) -> list[str]:
    return [t for t in content_terms(question) if t not in _EMPTY_WORDS]


# --- asking back --------------------------------------------------------------------------------


def _asked_back(question: str) -> str | None:
    """What to ask where a first question says of nothing what it is about."""
    bare = _bare(question)
    about = _ABOUT.match(bare)
    if _MORE.match(question) or _BARE.match(bare) or not _terms(question):
        return "What is your question about?"
    if _is_fragment(question):
        rest = (bare[about.end() :] if about else bare).rstrip("?. ")
        return f"What would you like to know about {re.sub(rf'^{PREPOSITION} ', '', rest, flags=re.IGNORECASE)}?"
    found = _pointer(question)
    if found is None:
        return None
    word = found[0].lower()
    who = word in ("he", "she", "him", "her", "his", "hers")
    return f"{'Who' if who else 'What'} do you mean by \u201c{found[0]}\u201d?"


def _is_fragment(question: str) -> bool:
    """Whether a question only adds to another: "And in 2023?", "What about H3?"."""
    bare = _bare(question)
    return bool(_ABOUT.match(bare)) or bool(_GOES_ON.match(question) and not _ASKS.match(bare))


def _joined(asked: str, reply: str) -> str:
    """A vague question and the reply to what was asked back, as one question."""
    reply = re.sub(r"^(?:i mean|i meant|it is|it's|the one|about)\s+", "", reply, flags=re.IGNORECASE).rstrip(" .?!")
    found = _pointer(asked)
    if found is not None:
        return _put(asked, found, reply)
    bare = _bare(asked)
    if _is_fragment(asked):
        fragment = _ABOUT.sub("", bare).rstrip(" .?!")
        fragment = (
            fragment[:1].lower() + fragment[1:] if re.match(rf"{PREPOSITION}\b", fragment, re.I) else f"for {fragment}"
        )
        return _appended(reply, fragment)
    if not _terms(asked) and not _BARE.match(bare):
        return f"{reply}?" if _ASKS.match(reply) else reply
    joint = "" if re.match(rf"(?:{PREPOSITION}|that|which|who)\b", reply, re.IGNORECASE) else "for "
    return f"{asked.rstrip(' .?!')} {joint}{reply}{'?' if asked.rstrip().endswith('?') else ''}"


# --- what points back ---------------------------------------------------------------------------


def _pointer(question: str) -> re.Match[str] | None:
    """The first pronoun that stands for something outside its question."""
    if _EMPTY_IT.search(question):
        return None
    found = [m for pattern in (_PERSON, _THING, _THAT) for m in pattern.finditer(question)]
    outside = [m for m in found if not _is_explained(question, m)]
    return min(outside, key=lambda m: m.start()) if outside else None


def _is_explained(question: str, pronoun: re.Match[str]) -> bool:
    """Whether a clause before the pronoun's own names what it stands for."""
    before = question[: pronoun.start()]
    cut = [m.start() for m in _CLAUSE.finditer(before) if m.start()]
    return bool(cut) and bool(noun_phrases(before[: cut[-1]]) or re.search(NAME, before[1 : cut[-1]]))


def _resolved(question: str, before: Said) -> str:
    """A question with the words that point back replaced by what they stand for."""
    focus = focus_of(before.question, before.answer)
    if _SAYS.search(question) and before.docs:
        question = re.sub(
            r"\b(it|they|that|this)(?=\s+(?:say|state|mention|tell)\b)", before.docs[0], question, count=1
        )
    question = _stepped(question, before)
    question = _same_noun(question, before)
    for _ in range(3):
        found = _pointer(question)
        meant = _meant(found, focus) if found else None
        if found is None or meant is None or found[0] in meant.split():
            break
        question = _put(question, found, meant)
    place = focus.place
    if place:
        question = _THERE.sub(place, question, count=1)
    years = re.findall(YEAR, before.question)
    return _THEN.sub(f"in {years[-1]}", question, count=1) if years else question


def _meant(pronoun: re.Match[str], focus: Focus) -> str | None:
    if pronoun.re is _PERSON:
        return focus.person or focus.thing
    return focus.many or focus.thing if pronoun[0].lower() in ("they", "them", "their", "theirs") else focus.thing


def _put(question: str, pronoun: re.Match[str], meant: str) -> str:
    """A question with what is meant in the pronoun's place."""
    owner = pronoun.groupdict().get("owner")
    if owner:
        meant = f"{meant}'" if meant.endswith("s") and not meant[:1].isupper() else f"{meant}'s"
    return question[: pronoun.start()] + meant + question[pronoun.end() :]


def _stepped(question: str, before: Said) -> str:
    """The year itself for "the year before"."""
    years = re.findall(YEAR, before.question) or re.findall(YEAR, before.answer)

    def year(found: re.Match[str]) -> str:
        return f"in {int(years[-1]) + (-1 if found['back'] else 1)}"

    return _YEAR_STEP.sub(year, question) if years and not re.search(YEAR, question) else question


def _same_noun(question: str, before: Said) -> str:
    """The route that was named for "that route"."""

    def whole(found: re.Match[str]) -> str:
        noun = found[1].lower()
        if noun in _TIME_WORDS:
            years = re.findall(YEAR, before.question)
            return years[-1] if noun == "year" and years else found[0]
        for text in (before.question, before.answer):
            called = re.search(rf"\b{noun}\s+(?:{CODE}|{NAME})", text, re.IGNORECASE)
            if called and called[0][len(noun) :].strip()[:1].isupper():
                return called[0]
        phrase = next((p for p in noun_phrases(before.question) if p.split()[-1].lower() == noun), None)
        names = named(before.question) or named(before.answer)
        return phrase or (names[0] if names and noun in ("ship", "vessel", "person", "company", "place") else found[0])

    return _THAT_NOUN.sub(whole, question, count=1)


def _with_frame(question: str, before: Said, *, goes_on: bool) -> str:
    """A question that goes on from one about a year, with that year where it asks for a quantity too."""
    years = re.findall(rf"\b(?:in|for|of|during)\s+({YEAR})", before.question)
    asks_both = QUANTITY.search(question) and QUANTITY.search(before.question)
    if not (goes_on and years and asks_both) or re.search(YEAR, question):
        return question
    return _appended(question, f"in {years[-1]}")


# --- fragments ----------------------------------------------------------------------------------


def _is_headless(question: str) -> bool:
    """Whether a question is but its question phrase: "How many vehicles?", "Which ship?"."""
    phrase = wh_phrase(question)
    return bool(phrase) and not question[len(phrase) :].strip(" ?")


def _same_kind_words(fragment: str, before: Said) -> str:
    """A fragment whose "the year before" and "that route" are named."""
    return _same_noun(_stepped(fragment, before), before)


def substituted(asked: str, fragment: str) -> str:
    """The question asked with a fragment in the place of its like; where it has none, with it added."""
    fragment = fragment.strip(" ?.!")
    if not fragment:
        return asked
    if _is_headless(fragment):
        return _with_question_phrase(asked, fragment)
    for old, new in _swaps(asked, fragment):
        return asked.replace(old, new, 1) if asked.count(old) == 1 else _replaced_last(asked, old, new)
    return _appended(asked, fragment)


def _swaps(asked: str, fragment: str) -> Iterator[tuple[str, str]]:
    """What of a question gives way to what of a fragment, the surest first."""
    lead = re.match(rf"({PREPOSITION})\s+", fragment, re.IGNORECASE)
    said = fragment[lead.end() :] if lead else fragment
    kinds = same_kind(asked, said)
    if kinds:
        yield kinds
    if lead:
        group = next((g for g in PLACES if lead[1].lower() in g), {lead[1].lower()})
        for found in re.finditer(rf"\b({'|'.join(sorted(group))})\s+((?:(?!\b{PREPOSITION}\b)[^?,])+)", asked):
            if not re.fullmatch(rf"{YEAR}\s*", found[2]) or re.search(YEAR, said):
                yield found[0].rstrip(), fragment
    if re.search(YEAR, said):
        return
    names = named(asked) if re.fullmatch(rf"(?:the\s+)?{NAME}", said) else []
    first = [name for name in names if name.split()[0] == said.split()[0]]
    for name in (*first, *names[::-1]):
        if not lead:
            yield name, said.removeprefix("the ") if f"the {name}" in asked else said
    if lead:
        return
    yield from _noun_swaps(asked, said)


def _noun_swaps(asked: str, said: str) -> Iterator[tuple[str, str]]:
    """The nouns of a question that another noun may replace: what is counted, a phrase with its article, a subject."""
    counted = re.match(r"how\s+(?:many|much)\s+([a-z]+(?:\s+of\s+[a-z]+)?)\b", asked, re.IGNORECASE)
    has_article = re.match(r"(?:the|a|an)\s", said, re.IGNORECASE)
    # Where a thing is, or whose, stays: "the wave limit" for "the wind limit for MV Eider".
    cores = [re.split(rf"\s{PREPOSITION}\s", phrase)[0] for phrase in noun_phrases(asked)]
    phrases = [core for core in cores if re.match(r"(?:the|a|an)\s", core)]
    if counted and counted[1] not in _AUXILIARIES and re.fullmatch(r"(?:the\s+)?[a-z]+s", said):
        yield counted[1], said.removeprefix("the ")
    if has_article:
        words = set(said.lower().split()[1:])
        for phrase in sorted(phrases, key=lambda p: -len(words & set(p.lower().split()))):
            yield phrase, said
    subject = re.match(r"(?:is|are|was|were|do|does|did|can|may|must|will)\s+([a-z]+s)\b", asked, re.IGNORECASE)
    if subject:
        yield subject[1], said
    for phrase in phrases if not has_article else ():
        yield phrase, said


_AUXILIARIES = frozenset("did do does is are was were has have had can could may must will would should".split())


def _replaced_last(text: str, old: str, new: str) -> str:
    before, _, after = text.rpartition(old)
    return before + new + after


def _appended(asked: str, fragment: str) -> str:
    stripped = asked.rstrip(" .?!")
    return f"{stripped} {fragment}{asked[len(stripped) :].strip() or '?'}"


def _with_question_phrase(asked: str, phrase: str) -> str:
    """The question asked with another question phrase: "How many vehicles" for "How many passengers"."""
    old = wh_phrase(asked)
    return f"{phrase[:1].upper()}{phrase[1:]}{asked[len(old) :]}" if old else _appended(asked, phrase)


def _asked_otherwise(asked: str, bare: str) -> str:
    """The question asked with another question word: "Why was the route suspended?" for "When ..."."""
    bare = bare.rstrip(" ?")
    old = wh_phrase(asked)
    rest = asked[len(old) :].lstrip() if old else asked
    if rest.split(" ")[0].lower() not in _AUXILIARIES:
        return _appended(asked, f"and {bare[:1].lower()}{bare[1:]}")
    return f"{bare[:1].upper()}{bare[1:]} {rest[:1].lower()}{rest[1:]}"
