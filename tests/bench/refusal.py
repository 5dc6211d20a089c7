"""When does an answer by quotes refuse?  python -m tests.bench.refusal LIBRARY QUESTIONS.jsonl [--threshold 1.08]

QUESTIONS has a line a question: {"question", "kind": "answerable" or why it is not, "expect"?: words of the answer}.
The samples' own are tests/retrievers/data/answerability.jsonl (ingest samples/ into LIBRARY first). Printed are, by
threshold of the gate, the share of the answerable questions that are answered and the precision and recall of refusals,
for both halves of the questions: the threshold is fitted on the first (every other line) and read off on the second.
Then, at the threshold in force: answers that hold the expected words, and every question that went wrong.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.library import Library
from ingest.types import Hit
from retrievers import MultiVectorRetriever
from retrievers.answer import EVIDENCE_HITS, by_quotes
from retrievers.answerable import POINTED_THRESHOLD, THRESHOLD
from retrievers.extractive import best_support, read_question


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, the support that was found for it, and what was answered (empty: refused)."""

    question: str
    kind: str
    expect: str
    support: float
    said: str
    is_pointed: bool = False

    @property
    def answerable(self) -> bool:
        return self.kind == "answerable"


def ask(row: dict[str, str], hits: Sequence[Hit], library: Library) -> Asked:
    with library.snapshot():
        read = read_question(row["question"], library)
        support = best_support(read, hits, library)
    answer = by_quotes(row["question"], hits, library)
    said = " ".join((answer.text, *(c.quote for c in answer.citations))) if answer.found else ""
    return Asked(
        question=row["question"],
        kind=row["kind"],
        expect=row.get("expect", ""),
        support=support,
        said=said,
        is_pointed=read.asked.is_pointed,
    )


def is_refused(asked: Asked, threshold: float) -> bool:
    """Whether a question is refused at a threshold; those that point at a page or a figure have one of their own."""
    return asked.support < (POINTED_THRESHOLD if asked.is_pointed else threshold)


def figures(asked: Sequence[Asked], threshold: float) -> tuple[float, float, float]:
    """(answerable ones answered, precision of refusals, recall of refusals) at a threshold."""
    answerable = [a for a in asked if a.answerable]
    wrong = sum(is_refused(a, threshold) for a in answerable)
    right = sum(is_refused(a, threshold) for a in asked if not a.answerable)
    unanswerable = len(asked) - len(answerable)
    return (
        1 - wrong / max(1, len(answerable)),
        right / (right + wrong) if right + wrong else 1.0,
        right / max(1, unanswerable),
    )


def say(*parts: str) -> None:
    sys.stdout.write(f"{' '.join(parts)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    given = parser.parse_args()
    retriever = MultiVectorRetriever(given.library)
    rows = [json.loads(line) for line in given.questions.read_text("utf-8").splitlines()]
    asked = [ask(row, retriever.retrieve(row["question"], EVIDENCE_HITS), retriever.library) for row in rows]
    halves = {"fitted on": asked[::2], "read off": asked[1::2], "all": asked}
    say("threshold", *(f"{name:>9} {part}" for name in halves for part in ("answered", "prec", "rec")))
    for step in range(65, 150, 10):
        shares = [f"{share:14.2f}" for half in halves.values() for share in figures(half, step / 100)]
        say(f"{step / 100:9.2f}", *shares)
    say(f"\nat {given.threshold}:", *(f"{share:.3f}" for share in figures(asked, given.threshold)))
    right = [a for a in asked if a.answerable and a.said and a.expect in a.said]
    say(f"answers that hold the expected words: {len(right)} of {sum(a.answerable for a in asked)}")
    for a in asked:
        if a.answerable and a not in right:
            say("  refused" if not a.said else "  wrong  ", f"{a.support:.2f}", a.question)
        elif not a.answerable and a.said:
            say("  quoted ", f"{a.support:.2f}", a.question, f"[{a.kind}]", a.said[:90])


if __name__ == "__main__":
    main()
