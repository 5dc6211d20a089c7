"""Whether what was found can answer a question at all: the gate between answering by quotes and refusing.

What carries the decision is support found in the text: how much of a question one sentence or table row says, by
itself and with the headings that it stands under. Names, years and numbers that it lacks, and words that stand nowhere
in the library, count against it; rare words that it has count for it. How good the search's first hit is does not
count: measured alone it tells answerable questions from others hardly better than a coin (area under the curve .58).

Over the 120 questions of tests/retrievers/data/answerability.jsonl (``python -m tests.bench.refusal``):

| support at least | answerable ones answered | refusals that are right | unanswerable ones refused |
|---|---|---|---|
| 0.65 | .98 | .97 | .57 |
| 0.85 | .98 | .97 | .63 |
| 0.95 | .97 | .96 | .72 |
| 1.05 | .95 | .94 | .83 |
| 1.15 | .87 | .87 | .88 |
| 1.25 | .82 | .84 | .95 |
| 1.45 | .70 | .76 | .97 |

The amounts below were set with all of these questions and a development set of long PDFs in view, the threshold with
every other one: these are no held-out figures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ingest.library import Library
from retrievers.check_words import FALLS, IRREGULAR, RISES, stem_of, synonyms
from retrievers.language import content_terms, is_year, kin, match_query, names, stem, stems, tokens, years_and_numbers

THRESHOLD = 1.05
"""Support below which a question is refused; see the table above."""
POINTED_THRESHOLD = 0.05
"""The same for a question that points at a page, a figure or the document: that the search found the place is most of
the support, as no sentence says what a page shows. What is refused is a name or a year that is not there."""
MODEL_THRESHOLD = 0.5
"""The same before a model is asked: it reads other words of the same meaning and joins passages, so only what the found
passages hardly touch is refused."""
NEAR = 0.5
"""What a word that a piece has only from its headings or neighbours counts, of one that it says itself."""
ALIKE = 0.8
"""What another word of the same meaning counts."""
NO_NAME, NO_NUMBER = 0.4, 0.7
"""What is taken off when all names, or all years and numbers, of a question are missing."""
NO_COUNTED = 0.4
"""What is taken off when what is to be counted is missing."""
NO_FORM = 0.3
"""What is taken off when a piece has not the form of an answer (no date where one is asked for)."""
OPPOSITE = 0.4
"""What is taken off when a question says that something fell and the piece that it rose, or the other way round."""
UNKNOWN = 0.3
"""What is taken off when no word of a question stands anywhere in the library."""
RARITY = 0.08
"""What a nat of the rarity of a question's words that a piece has adds."""
MOST_RARITY = 24.0
_LOOK = frozenset(
    map(
        stem,
        """slide figure chart graph plot diagram picture image photo table box background top bottom
        left right corner title section cover document guidebook brochure paper report shown displayed appear written
        word text underlined italic bold icon logo second
        first third type list located column row heading caption long old deep high large big far fast tall take carry
        carried out name""".split(),
    )
)
"""Words about how a page looks, and those that ask: no sentence need say them to answer."""
_PAGE = re.compile(
    r"\b(?:pages?|slides?|p\.)\s+(?:no\.?\s*|number\s+)?(?:\d+|[a-z]+teen|one|two|three|four|five|six|seven|eight|nine"
    r"|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:page|pages\s+\d+|(?:which|how\s+many)\s+pages|slides?|figures?|charts?|graphs?|plots?|diagrams?|pictures?|images?|photos?|tables?|maps?)\b"
    r"|\bp\.\s*\d|\b(?:the|this|your|whole|entire)\s+(?:document|report|paper|guidebook|brochure)\b",
    re.IGNORECASE,
)
"""What a question has that asks what a page shows, or about a document as such."""
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
"""An abbreviation: where it stands nowhere a document may still have what it is short for, unlike with a name."""
_BESIDE = re.compile(r"(?<=\w)\s+\([A-Z]{2,6}s?\)|\b(?:YYYY|YY|MM|DD)(?:[-/. ](?:YYYY|YY|MM|DD))+\b")
"""An abbreviation behind what it stands for, and the form of a date: no answer need have them."""
_AFTER_STOP = re.compile(r"[.?!]\s*[A-Z](?=[a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer must be about: the question's terms with their weights (inverse document frequency), in nats.

    ``groups`` are the groups of one meaning of each term, ``named`` and ``numbered`` the terms that are names, and
    years and numbers; ``unknown`` is the share of the weight of terms that stand nowhere in the library, ``turned`` are
    the directions (up, down) that it names, and ``is_strange`` says that a name is among the unknown terms.
    ``named`` are the names with what finds each in the full-text index. ``counted`` is what a "how many" question
    counts, and ``is_pointed`` says that it asks about a page, a figure or the document as such.
    """

    weights: Mapping[str, float]
    groups: Mapping[str, frozenset[int]]
    named: Mapping[str, str]
    numbered: frozenset[str]
    unknown: float
    turned: AbstractSet[str]
    is_strange: bool
    counted: frozenset[str]
    is_pointed: bool = False

    @property
    def threshold(self) -> float:
        """Support below which the question is refused."""
        return POINTED_THRESHOLD if self.is_pointed else THRESHOLD

    @property
    def total(self) -> float:
        """The weight of all terms."""
        return sum(self.weights.values())


def read_asked(question: str, terms: Sequence[str], counted: AbstractSet[str], library: Library) -> Asked:
    """What is asked for; ``question`` is without what it says of the answer's form, ``terms`` its content terms."""
    bare = _PAGE.sub(" ", _BESIDE.sub(" ", question))
    wanted = set(content_terms(bare))
    kept = [t for t in terms if t in wanted and stem(t) not in _LOOK]
    queries = {t: _query(t) for t in kept}
    found = library.document_frequency(list(queries.values()))
    total = max(1, library.counts()["chunks"])
    weights = {_root(t): math.log(1 + total / (0.5 + found[query])) for t, query in queries.items()}
    absent = {_root(t) for t, query in queries.items() if not found[query]}
    # A capital after a full stop makes no name.
    short = {_root(t.lower()) for t in _CAPITALS.findall(bare)} & absent
    said = names(_AFTER_STOP.sub(lambda m: m[0].lower(), bare))
    named = {_root(n): queries[n] for n in said if n in queries and _root(n) not in short}
    return Asked(
        weights=weights,
        groups={_root(t): _meanings(t) for t in kept},
        named=named,
        numbered=frozenset({n for n in years_and_numbers(bare) if n in weights}),
        unknown=sum(weights[t] for t in absent) / (sum(weights.values()) or 1.0),
        turned=_turns(tokens(bare)),
        is_strange=not named.keys().isdisjoint(absent),
        counted=frozenset(counted & weights.keys()),
        is_pointed=_POINTS.search(question) is not None,
    )


def support(asked: Asked, own: str, context: str, opening: str, *, has_form: bool) -> float:
    """How well a piece supports an answer: ``own`` are its words, ``context`` and ``opening`` those around it.

    From below 0 to about 3; ``THRESHOLD`` parts answering from refusing. 0 where a name of the question stands
    nowhere in
    the library, or the piece is not about a year that the question names.
    """
    if not asked.weights or asked.is_strange:
        return 0.0
    said, meant = {_root(t) for t in tokens(own)}, {g for t in tokens(own) for g in _meanings(t)}
    around = {_root(t) for t in tokens(context)} | ({*stems(opening)} & (asked.named.keys() | asked.numbered))
    told = sum(w for t, w in asked.weights.items() if t in said)
    alike = {t for t in asked.weights if t not in said and asked.groups[t] & meant}
    likely = sum(asked.weights[t] for t in alike)
    near = sum(w for t, w in asked.weights.items() if t in around and t not in said and t not in alike)
    covered = (told + ALIKE * likely + NEAR * near) / asked.total
    known = said | around
    if any(is_year(n) for n in asked.numbered - known):
        return 0.0
    off = NO_NAME * _share_missing(asked.named.keys(), known) + NO_NUMBER * _share_missing(asked.numbered, known)
    off += NO_COUNTED * _share_missing(asked.counted, known | alike)
    off += UNKNOWN * asked.unknown + (0.0 if has_form else NO_FORM)
    off += OPPOSITE * (_is_opposite(asked.turned, _turns(tokens(own))))
    return covered + RARITY * min(MOST_RARITY, told + likely + near) - off


def _root(token: str) -> str:
    """The stem of a word, of irregular forms that of their first one (wrote, written: write)."""
    return stem(IRREGULAR.get(token, token))


def _meanings(token: str) -> frozenset[int]:
    return synonyms().get(stem_of(token, "en"), frozenset())


def _share_missing(wanted: AbstractSet[str], known: AbstractSet[str]) -> float:
    return len(wanted - known) / len(wanted) if wanted else 0.0


def _turns(said: Sequence[str]) -> AbstractSet[str]:
    """The directions that words name."""
    return {name for name, words in (("up", RISES), ("down", FALLS)) if any(t in words for t in said)}


def _is_opposite(asked: AbstractSet[str], said: AbstractSet[str]) -> bool:
    return bool(asked) and bool(said) and not asked & said


def _query(term: str) -> str:
    """What finds a term in the full-text index; of a possessive, its owner."""
    owner = term.removesuffix("'s")
    return match_query([owner, *kin([owner])])
