"""Measure search and answers on one's own questions, and tell whether a change made them better.

A line of the questions' file is ``{"id", "question", "doc", "pages"}``: the name of the file that holds the answer,
and the pages (from 1) on which it stands; without ``pages`` any page of the file counts. A question that the library
cannot answer has ``"answerable": false`` in their place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import UsageError
from ingest.types import Answer, Hit

DEPTH = 10
"""Distinct pages that are looked at."""
RESAMPLES = 10_000
SEED = 20_240_229
"""Of the bootstrap: the same results give the same interval."""
MEASURES = ("hit@1", "hit@5", "hit@10", "mrr", "citations", "answered", "refused")
"""``citations``: share of an answer's citations on a page that holds it. ``answered``: an answerable question got an
answer; ``refused``: one that is not got none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A question and where its answer stands: on one of ``pages`` of ``doc`` (on any of them when there are none)."""

    id: str
    question: str
    doc: str | None = None
    pages: frozenset[int] = frozenset()
    answerable: bool = True

    def holds(self, doc: str, page: int | None) -> bool:
        """Whether a page is one that answers."""
        return doc == self.doc and (not self.pages or page in self.pages)


def read_expected(line: Mapping[str, Any], where: str) -> Expected:
    """One line of a questions' file.

    Raises:
        UsageError: it lacks what is needed, or is of the wrong type.
    """
    pages = line.get("pages", line.get("gold_pages", []))
    answerable = line.get("answerable", True)
    if not isinstance(pages, list) or not all(isinstance(p, int) and not isinstance(p, bool) for p in pages):
        raise UsageError(f'{where}: "pages" must be a list of page numbers')
    if not isinstance(answerable, bool):
        raise UsageError(f'{where}: "answerable" must be true or false')
    if answerable and not line.get("doc"):
        raise UsageError(f'{where}: needs "doc", the file that holds the answer, or "answerable": false')
    return Expected(
        id=str(line["id"]),
        question=line["question"],
        doc=Path(line["doc"]).name if line.get("doc") else None,
        pages=frozenset(pages),
        answerable=answerable,
    )


def score_hits(expected: Expected, hits: Sequence[Hit]) -> dict[str, float]:
    """The measures of a search; none where nothing answers."""
    if not expected.answerable:
        return {}
    seen = list(dict.fromkeys((hit.doc, page) for hit in hits for page in hit.chunk.page_numbers or (None,)))
    ranks = [rank for rank, (doc, page) in enumerate(seen[:DEPTH], 1) if expected.holds(Path(doc).name, page)]
    first = ranks[0] if ranks else None
    within = {f"hit@{k}": float(first is not None and first <= k) for k in (1, 5, 10)}
    return within | {"mrr": 1 / first if first else 0.0}


def score_answer(expected: Expected, answer: Answer) -> dict[str, float]:
    """The measures of an answer; citations count only where there are some."""
    if not expected.answerable:
        return {"refused": float(not answer.found)}
    scores = {"answered": float(answer.found)}
    if answer.citations:
        right = sum(expected.holds(Path(c.doc).name, c.page) for c in answer.citations)
        scores["citations"] = right / len(answer.citations)
    return scores


def evaluate(
    questions: Sequence[Expected],
    search: Callable[[str], Sequence[Hit]],
    reply: Callable[[str], Answer] | None = None,
) -> dict[str, Any]:
    """The measures of each question and their means; with ``reply`` of the answers as well."""
    scored: dict[str, dict[str, float]] = {}
    for expected in questions:
        scores = score_hits(expected, search(expected.question)) if expected.answerable else {}
        if reply is not None:
            scores |= score_answer(expected, reply(expected.question))
        scored[expected.id] = scores
    return {"questions": len(questions), "means": means(scored), "items": scored}


def means(scored: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Of each measure its mean, its standard error and of how many questions it is."""
    found: dict[str, dict[str, float]] = {}
    for measure in MEASURES:
        values = [scores[measure] for scores in scored.values() if measure in scores]
        if values:
            mean = sum(values) / len(values)
            spread = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
            found[measure] = {
                "mean": round(mean, 4),
                "error": round((spread / len(values)) ** 0.5, 4),
                "n": len(values),
            }
    return found


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """By how much the second result is better, on the questions of both, with a 95 % bootstrap interval.

    Raises:
        UsageError: one of them is no result of an evaluation, or they share no question.
    """
    try:
        a, b = first["items"], second["items"]
        shared = [key for key in a if key in b]
        found = {m: _difference([b[k][m] - a[k][m] for k in shared if m in a[k] and m in b[k]]) for m in MEASURES}
    except (KeyError, TypeError) as exc:
        raise UsageError("both files must be written by: pincite eval --json") from exc
    if not shared:
        raise UsageError("the two results share no question")
    return {measure: value for measure, value in found.items() if value}


def _difference(values: Sequence[float]) -> dict[str, float]:
    """The mean of paired differences and its interval; nothing where there are none."""
    if not values:
        return {}
    chance = random.Random(SEED)  # noqa: S311 (a sample, no secret)
    sums = sorted(sum(chance.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    low, high = sums[int(0.025 * RESAMPLES)], sums[int(0.975 * RESAMPLES) - 1]
    mean = sum(values) / len(values)
    return {"difference": round(mean, 4), "low": round(low, 4), "high": round(high, 4), "n": len(values)}
