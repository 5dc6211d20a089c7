"""From a question to an answer with citations, by whatever chat model is there, or by quotes alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ingest.errors import ModelError
from ingest.library import Library
from ingest.types import Answer, Citation, Hit
from retrievers.chat import EXTRACTIVE, NOT_FOUND, ChatModel, Choice, ask_again, build_messages, choose_model
from retrievers.citations import cite
from retrievers.claims import Checked, Claim, Quote, check_claim, read_claims
from retrievers.context import with_context
from retrievers.descriptions import description_notes
from retrievers.extractive import find_evidence, is_hopeless, read_question
from retrievers.multi_vector import MultiVectorRetriever
from retrievers.records import by_suggestions, suggest
from retrievers.table_answers import beside, by_tables, without_totals

HITS = 8
EVIDENCE_HITS = 24
"""Passages that are searched for quotes; reading them costs little, unlike in a model's prompt."""
CLOSEST = "no passage says all that is asked for; the closest one is quoted"
WELL_BEFORE = 2
"""Pages by which a quote must come before a cell that was looked up to take its place: one table more or less says
little, but a table far down holds another figure of the same name."""


def answer(
    question: str,
    *,
    retriever: MultiVectorRetriever | None = None,
    model: str | ChatModel | None = None,
    k: int = HITS,
    doc: str | None = None,
    on_token: Callable[[str], None] | None = None,
) -> Answer:
    """Answer a question from the retriever's library; every statement carries a citation.

    ``model`` is a model's name, ``"extractive"`` (verbatim quotes, no model), any object of the ``ChatModel`` seat, or
    ``None``: the configured model where Ollama has it, else (or when nothing that it says is borne out) extractive.
    ``found`` is false when nothing supports an answer. ``on_token`` is given the model's reply as it comes, before it
    is checked.

    Raises:
        ModelError: a model was named, and it failed. Without a name a failure is a note of an extractive answer.
    """
    retriever = retriever or MultiVectorRetriever()
    choice = _choice(model, retriever)
    started = time.perf_counter()
    hits = retriever.retrieve(question, max(k, EVIDENCE_HITS), doc=doc)
    retrieved = time.perf_counter()
    suggested = suggest(question, retriever, doc=doc)
    found, notes = None, choice.notes
    tabled = by_tables(question, hits, retriever, doc=doc) if suggested is None else None
    if tabled is not None and tabled.computed:
        # What is computed from cells is right where the plan is sure; a model would have to be checked against it.
        found = tabled.answer
    if found is None and choice.model is not None and hits:
        try:
            found = None if suggested else _unasked(question, hits, retriever.library, choice.model)
            found = found or by_model(question, hits[:k], retriever.library, choice.model, on_token)
        except ModelError as exc:
            if model is not None:
                raise
            notes = (*notes, f"{exc}; answered by quotes alone")
    if suggested is not None and suggested.records:
        found = found if found and found.found else by_suggestions(question, suggested, retriever.library)
        found = replace(found, records=suggested.records, clarify=suggested.clarify)
    elif found is None:
        found = by_quotes(question, hits, retriever.library)
        if tabled is not None and tabled.answer is not None and not _is_nearer(found, tabled.answer, hits):
            found = tabled.answer
    elif model is None and found.unsupported and not found.found:
        found = _quotes_instead(found, by_quotes(question, hits, retriever.library))
    if tabled is not None and tabled.answer is None and found.clarify is None:
        found = beside(found, tabled)
    said = description_notes(found, hits[:k], retriever.library)
    timing = {"retrieve": round(retrieved - started, 4), "answer": round(time.perf_counter() - retrieved, 4)}
    return replace(found, hits=tuple(hits[:k]), notes=(*notes, *found.notes, *said), timing=timing)


def _unasked(question: str, hits: Sequence[Hit], library: Library, model: ChatModel) -> Answer | None:
    """The refusal of a question with which nothing that was found has to do: the model is not asked."""
    if not is_hopeless(question, hits, library):
        return None
    note = f"nothing that was found has to do with the question, so {model.name} was not asked"
    return Answer(question=question, text=NOT_FOUND, found=False, model=model.name, notes=(note,))


def _quotes_instead(refused: Answer, quotes: Answer) -> Answer:
    """The quotes, where there are any, in place of a reply of which nothing was borne out."""
    if not quotes.found:
        return refused
    note = f"nothing that {refused.model} said is borne out by what it cites; answered by quotes alone"
    return replace(quotes, unsupported=refused.unsupported, notes=(note,))


def _is_nearer(quoted: Answer, looked_up: Answer, hits: Sequence[Hit]) -> bool:
    """Whether the search placed the page of a quote well before that of a cell that was looked up."""
    pages = dict.fromkeys((hit.doc, page) for hit in hits for page in hit.chunk.page_numbers)
    ranks = {(doc, str(page)): rank for rank, (doc, page) in enumerate(pages)}
    quote, cell = (
        min((ranks.get((c.doc, str(c.page)), len(ranks)) for c in found.citations), default=len(ranks))
        for found in (quoted, looked_up)
    )
    return quote + WELL_BEFORE <= cell


def _choice(model: str | ChatModel | None, retriever: MultiVectorRetriever) -> Choice:
    if model is None or isinstance(model, str):
        return choose_model(retriever.settings, model)
    return Choice(model=model)


# --- by quotes ----------------------------------------------------------------------------------


def by_quotes(question: str, hits: Sequence[Hit], library: Library) -> Answer:
    """The best sentences and table rows, verbatim."""
    with library.snapshot():
        evidence = without_totals(question, find_evidence(read_question(question, library), hits, library), library)
        citations = tuple(
            cite(library, e.hit, e.start, e.end, number, cell=e.cell) for number, e in enumerate(evidence, 1)
        )
    text = " ".join(_marked(e.said, [c.number]) for e, c in zip(evidence, citations, strict=True))
    return Answer(
        question=question,
        text=text or NOT_FOUND,
        found=bool(citations),
        model=EXTRACTIVE,
        citations=citations,
        notes=(CLOSEST,) if evidence and not any(e.score for e in evidence) else (),
    )


def _marked(text: str, numbers: Sequence[int]) -> str:
    """A sentence with its citation marks before its full stop."""
    text = " ".join(text.split())
    marks = "".join(f"[{number}]" for number in numbers)
    if text[-1:] in ".!?\u2026":
        return f"{text[:-1].rstrip()} {marks}{text[-1]}"
    return f"{text} {marks}."


# --- by a model ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Numbering:
    """Citations numbered in the order of their first use; the same quote keeps its number."""

    library: Library
    citations: list[Citation] = field(default_factory=list)
    known: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def number(self, quote: Quote) -> int:
        key = (quote.hit.chunk.chunk_id, quote.start, quote.end)
        if key not in self.known:
            self.known[key] = len(self.citations) + 1
            self.citations.append(cite(self.library, quote.hit, quote.start, quote.end, self.known[key]))
        return self.known[key]


def by_model(
    question: str,
    hits: Sequence[Hit],
    library: Library,
    model: ChatModel,
    on_token: Callable[[str], None] | None = None,
) -> Answer:
    """A model's answer, of which each claim is borne out by the passages that it cites.

    Those that are not are asked again, once, with the reasons; what still fails is left out and listed.

    Raises:
        ModelError: the model failed.
    """
    messages, given = build_messages(question, with_context(hits, library), model.context_tokens)
    kept, failed = _checked(model.reply(messages, on_token), given)
    if failed:
        reasons = [(claim.text, checked.reasons) for claim, checked in failed]
        again, still = _checked(model.reply(ask_again(messages, reasons)), given)
        kept += [pair for pair in again if pair[0].text not in {claim.text for claim, _ in kept}]
        # Where nothing new was said, what failed first is what was left out.
        failed = still or ([] if again else failed)
    numbering = _Numbering(library)
    with library.snapshot():
        said = [_marked(claim.text, [numbering.number(quote) for quote in checked.quotes]) for claim, checked in kept]
    return Answer(
        question=question,
        text=" ".join(said) or NOT_FOUND,
        found=bool(said),
        model=model.name,
        citations=tuple(numbering.citations),
        unsupported=tuple(dict.fromkeys(claim.text for claim, _ in failed)),
    )


_Verdicts = list[tuple[Claim, Checked]]


def _checked(reply: str, given: Sequence[Hit]) -> tuple[_Verdicts, _Verdicts]:
    """The claims of a reply that are borne out, and those that are not."""
    claims = (claim for claim in read_claims(reply) if NOT_FOUND not in claim.text.lower())
    verdicts = [(claim, check_claim(claim, given)) for claim in claims]
    return [v for v in verdicts if v[1].quotes], [v for v in verdicts if not v[1].quotes]
