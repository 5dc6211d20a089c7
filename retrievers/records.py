"""Add-ons that a question asks for: the best of a library's add-ons as records, and what to ask back."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.library import Library
from ingest.tables import grid
from ingest.types import Answer, Chunk, Element, Hit, Record
from retrievers.chat import EXTRACTIVE, NOT_FOUND
from retrievers.citations import cite
from retrievers.language import content_terms, match_query, stem, stems
from retrievers.multi_vector import MultiVectorRetriever, doc_name

SHOWN = 5
"""Add-ons that an answer names."""
CANDIDATES = 100
"""Chunks of add-ons by their words, and as many of all passages, from which the best add-ons are chosen."""
LEAST = 0.4
"""Score that an add-on must have to be suggested at all."""
BORNE = 0.5
"""Share of a request that an add-on's words must cover, or how near in meaning its summary must be, to bear it:
one word of three, such as "tab", makes no answer."""
NEAR_BEST = 0.5
"""Share of the best one's score that the others must have."""
STEP = 0.1
"""Difference of relevance below which ratings and users decide."""
BESIDE = 0.6
"""What a word in the longer description, the categories or the tags counts; one in name or summary counts 1."""
NEARNESS = 0.7
"""What a summary that means just what was asked counts beside all words of the question."""
USUAL_RATING, USUAL_COUNT = 4.0, 30
"""The rating that few reviews are drawn to, and how many reviews that stands for."""
NAMED_KINDS = 4

_THING = r"(?:add-?ons?|(?:browser |web ?)?extensions?|plug-?ins?)"
_ASKED = re.compile(
    rf"\b(?:which|what)\s+(?:(?!is\b|are\b|does\b|do\b|did\b|of\b|the\b|this\b)[\w'-]+\s+){{0,2}}{_THING}\b"
    rf"|\b(?:need|want|recommend|suggest|looking for|search(?:ing)? for|find|give|show|list|propose|is there|are there"
    rf"|any|have|best|good|top|what are|which are)\b(?:\s+(?!of\b|this\b|that\b)[\w'-]+){{0,5}}?\s+{_THING}\b",
    re.IGNORECASE,
)
_ONE_OF_THEM = re.compile(
    rf"\b(?:this|that|its|(?<!what are )the(?! (?:best|top|right|most)\b))\s+{_THING}\b", re.IGNORECASE
)
_GENERIC = frozenset(
    """addon addons add ons extension extensions plugin plugins plug ins browser firefox mozilla web need want wants
    recommend suggest looking look search searching find show list propose good best top nice useful great help helps
    lets let allow allows able something anything make makes someone new popular rated tool tools app
    show shows display displays""".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """Add-ons with their hits, best first; ``clarify`` is a question that would narrow a vague request."""

    records: tuple[Record, ...]
    hits: tuple[Hit, ...]
    clarify: str | None = None


def asks_for_addons(question: str) -> bool:
    """Whether a question asks which add-on there is for something, and not something of a certain one."""
    return _ASKED.search(question) is not None and _ONE_OF_THEM.search(question) is None


def suggest(question: str, retriever: MultiVectorRetriever, *, doc: str | None = None) -> Suggestions | None:
    """The add-ons that a question asks for; ``None`` when it asks for none or the library has none.

    Relevance decides, among equals rating and users. A request that says nothing of a purpose gets the best rated
    ones and a question back.
    """
    if not asks_for_addons(question):
        return None
    library = retriever.library
    sources = {source.id for source in library.sources() if source.format == "addon"}
    terms = [t for t in content_terms(question) if t not in _GENERIC]
    if not sources:
        return None
    hits = retriever.retrieve(" ".join(terms) or question, CANDIDATES if doc is None else len(sources), doc=doc)
    near = list(dict.fromkeys(hit.chunk.source_id for hit in hits if hit.chunk.source_id in sources))
    with library.snapshot():
        if not terms:
            return _best_rated(sorted(sources) if doc is None else near, library)
        found = library.keyword_search(match_query(terms), CANDIDATES, sorted(sources)) if doc is None else []
        chunks = library.chunks([key for key, _ in found])
        wanted = dict.fromkeys([*near, *(chunk.source_id for chunk in chunks.values())])
        return _ranked(terms, list(wanted), retriever)


def by_suggestions(question: str, found: Suggestions, library: Library) -> Answer:
    """The suggested add-ons in their own words, each cited."""
    with library.snapshot():
        citations = tuple(
            cite(library, hit, *_place(hit.chunk, record), number)
            for number, (record, hit) in enumerate(zip(found.records, found.hits, strict=True), 1)
        )
    lines = [
        f"{record.name}: {record.description} [{n}]" if record.description else f"{record.name} [{n}]"
        for n, record in enumerate(found.records, 1)
    ]
    text = "\n".join(lines) or NOT_FOUND
    return Answer(question=question, text=text, found=bool(lines), model=EXTRACTIVE, citations=citations)


def _place(chunk: Chunk, record: Record) -> tuple[int, int]:
    """Where a chunk has an add-on's summary, or else its name."""
    for text in (record.description, record.name):
        start = chunk.text.find(text) if text else -1
        if start >= 0:
            return start, start + len(text or "")
    return 0, len(chunk.text.partition("\n")[0])


# --- one add-on -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """An add-on as the library holds it: its record, the words that name it, all its other words, its kinds."""

    record: Record
    hit: Hit
    named: frozenset[str]
    beside: frozenset[str]
    kinds: tuple[str, ...]
    worth: float


def _known(source_id: str, library: Library) -> _Known | None:
    elements = library.partition(source_id).elements
    path = library.paths_of([source_id]).get(source_id)
    title = next((e for e in elements if e.category == "Title"), None)
    if title is None or path is None:
        return None
    summary = elements[1].text if len(elements) > 1 and elements[1].category == "NarrativeText" else ""
    facts = dict(_facts(elements))
    record = Record(
        name=title.text,
        icon=facts.get("Icon"),
        description=" ".join(summary.split()) or None,
        url=facts.get("Add-on page"),
        rating=_number(facts.get("Rating")),
        reviews=_count(facts.get("Reviews")),
        users=_count(facts.get("Users")),
        version=facts.get("Version"),
        doc=doc_name(path),
        path=library.shown(path),
    )
    chunks = library.chunks_of(source_id)
    holding = next(
        (c for c in chunks if record.description and record.description in c.text), chunks[0] if chunks else None
    )
    if holding is None:
        return None
    told = " ".join(e.text for e in elements[1:] if e.category not in ("Table", "Title", "Image"))
    beside = f"{told} {facts.get('Categories', '')} {facts.get('Tags', '')}"
    return _Known(
        record=record,
        hit=Hit(chunk=holding, doc=record.doc, path=record.path, score=0.0, matched="record"),
        named=frozenset(stems(f"{title.text} {summary}")),
        beside=frozenset(stems(beside)),
        kinds=tuple(k for k in facts.get("Categories", "").split(", ") if k),
        worth=_worth(record),
    )


def _facts(elements: Sequence[Element]) -> Iterator[tuple[str, str]]:
    """The rows of an add-on's own table: label and value."""
    table = next((e for e in reversed(elements) if e.category == "Table"), None)
    for row in grid(table.cells) if table else ():
        if len(row) == 2 and row[0] is not None and row[1] is not None:
            yield row[0].text, row[1].text


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _count(text: str | None) -> int | None:
    digits = re.sub(r"\D", "", text or "")
    return int(digits) if digits else None


def _worth(record: Record) -> float:
    """How well an add-on is liked: its rating, drawn to the usual one where few have rated it, and its users."""
    count = record.reviews if record.reviews is not None else USUAL_COUNT if record.rating else 0
    rating = (count * (record.rating or USUAL_RATING) + USUAL_COUNT * USUAL_RATING) / (count + USUAL_COUNT)
    return rating + 0.2 * math.log10(1 + (record.users or 0))


# --- ranking --------------------------------------------------------------------------------------


def _best_rated(source_ids: Sequence[str], library: Library) -> Suggestions:
    known = sorted(_all_known(source_ids, library), key=lambda k: (-k.worth, k.record.name))
    return _suggestions(known, clarify=_question_back(known))


def _question_back(known: Sequence[_Known]) -> str | None:
    """A question by the kinds of add-ons that there are most of."""
    kinds = Counter(kind for k in known for kind in k.kinds if kind.lower() not in ("other", "others"))
    named = [kind for kind, _ in kinds.most_common(NAMED_KINDS)]
    if not named:
        return "What should the add-on do?"
    return (
        f"What should the add-on do? There are some for {', '.join(named[:-1])}{' or ' * (len(named) > 1)}{named[-1]}."
    )


def _ranked(terms: Sequence[str], source_ids: Sequence[str], retriever: MultiVectorRetriever) -> Suggestions:
    weights = _weights(terms, retriever.library)
    known = _all_known(source_ids, retriever.library)
    asked, *said = retriever.embedder.embed([" ".join(terms), *(_said(k.record) for k in known)])
    told = [(_covered(k, weights), max(0.0, float(asked @ vector)), k) for k, vector in zip(known, said, strict=True)]
    borne = any(max(covered, near) >= BORNE for covered, near, _ in told)
    scored = [(covered + NEARNESS * near, k) for covered, near, k in told if borne]
    best = max((score for score, _ in scored), default=0.0)
    kept = [(score, k) for score, k in scored if score >= max(LEAST, NEAR_BEST * best)]
    kept.sort(key=lambda pair: (-round(pair[0] / STEP), -pair[1].worth, pair[1].record.name))
    return _suggestions([k for _, k in kept])


def _said(record: Record) -> str:
    return f"{record.name}. {record.description or ''}"


def _all_known(source_ids: Sequence[str], library: Library) -> list[_Known]:
    """The add-ons of some sources, each once: the better rated of two by one address or name."""
    found: dict[str, _Known] = {}
    for source_id in source_ids:
        known = _known(source_id, library)
        if known is not None:
            key = known.record.url or known.record.name
            if key not in found or known.worth > found[key].worth:
                found[key] = known
    return list(found.values())


def _weights(terms: Sequence[str], library: Library) -> Mapping[str, float]:
    total = max(1, library.counts()["chunks"])
    frequency = library.document_frequency([match_query([t]) for t in terms])
    return {stem(t): math.log(1 + total / (0.5 + frequency[match_query([t])])) for t in terms}


def _covered(known: _Known, weights: Mapping[str, float]) -> float:
    """Share of the question's weight that an add-on's words cover; those that name it count in full."""
    said = sum(w * (1 if t in known.named else BESIDE if t in known.beside else 0) for t, w in weights.items())
    return said / (sum(weights.values()) or 1.0)


def _suggestions(known: Sequence[_Known], clarify: str | None = None) -> Suggestions:
    shown = known[:SHOWN]
    return Suggestions(records=tuple(k.record for k in shown), hits=tuple(k.hit for k in shown), clarify=clarify)
