"""Questions put to made tables in four formats: ``python -m tests.bench.table_questions [FOLDER] [--show]``.

Prints the tables as PDF, DOCX, HTML and XLSX, ingests each format into a library of its own, asks every question with
``model="extractive"``, and prints the share that is exact, flagged, and wrong without a flag, for the half that was
worked on and for the one kept apart. A value in a quote counts as exact only where it was looked up, cell by cell.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest import Library, Settings, ingest
from ingest.types import Answer
from retrievers import MultiVectorRetriever, answer
from tests.asked_tables import KEPT_APART, TO_WORK_ON, Asked, Printed
from tests.print_tables import FORMATS, print_table

HALVES = {"worked on": TO_WORK_ON, "kept apart": KEPT_APART}
TABLES = [table for half in HALVES.values() for table, _ in half]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one question fared: ``exact``, ``flagged`` (it was said that no answer is sure) or ``wrong``."""

    half: str
    form: str
    table: Printed
    asked: Asked
    verdict: str
    answer: Answer


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def judge(asked: Asked, found: Answer) -> str:
    """Whether an answer has what was expected, says that it is not sure, or is wrong without saying so."""
    if not asked.flagged and _is_exact(asked, found):
        return "exact"
    unsure = not found.found or found.clarify is not None or any("nothing was" in note for note in found.notes)
    return "flagged" if unsure else "wrong"


def _is_exact(asked: Asked, found: Answer) -> bool:
    computed = found.computation
    if computed is None:
        said = re.search(r": [^:\d(-]*(\(?-?[\d,.]*\d\)?)[^:\[]*\[1\]\.$", found.text)
        return (
            asked.kind == "look-up"
            and said is not None
            and _same(float(said[1].strip("()").replace(",", "")), asked.number)
        )
    if asked.labels:
        return sorted(computed.items) == sorted(asked.labels)
    return computed.value is not None and _same(computed.value, asked.number)


def _same(value: float, expected: float | None) -> bool:
    return expected is not None and abs(abs(value) - abs(expected)) <= 5e-4 * max(1.0, abs(expected))


def outcomes(
    folder: Path, halves: dict[str, object] = HALVES, forms: tuple[str, ...] = tuple(FORMATS)
) -> Iterator[Outcome]:
    """Ask all questions in all formats; libraries that are in the folder already are used again."""
    for form in forms:
        library = folder / f"lib-{form}"
        if not library.exists():
            (folder / form).mkdir(parents=True, exist_ok=True)
            for table in TABLES:
                print_table(table, form, folder / form)
            list(ingest([folder / form], library, settings=Settings(jobs=2)))
        with Library(library) as opened:
            retriever = MultiVectorRetriever(opened)
            for half, tables in halves.items():
                for table, questions in tables:
                    for asked in questions:
                        found = answer(asked.text, retriever=retriever, model="extractive")
                        yield Outcome(
                            half=half, form=form, table=table, asked=asked, verdict=judge(asked, found), answer=found
                        )


def main() -> None:
    shown = "--show" in sys.argv
    halves = {"worked on": TO_WORK_ON} if "--worked" in sys.argv else HALVES
    given = [Path(arg) for arg in sys.argv[1:] if not arg.startswith("--")]
    with tempfile.TemporaryDirectory() as made:
        done = list(outcomes(given[0] if given else Path(made), halves))
    for one in done:
        wanted = "flagged" if one.asked.flagged else "exact"
        if shown and one.half == "worked on" and one.verdict != wanted:
            write(f"{one.form} {one.table.name} [{one.asked.kind}] {one.asked.text}")
            write(f"    {one.verdict}: {one.answer.text[:200]}")
            write(
                f"    {one.answer.computation and one.answer.computation.items} {one.answer.notes} {one.answer.clarify}"
            )
    for half in halves:
        for form in (*FORMATS, "all"):
            _report(half, form, [o for o in done if o.half == half and form in (o.form, "all")])


def _report(half: str, form: str, done: list[Outcome]) -> None:
    settled, open_ = ([o for o in done if o.asked.flagged is flag] for flag in (False, True))
    verdicts = Counter(o.verdict for o in done)
    exact = sum(o.verdict == "exact" for o in settled)
    flagged = sum(o.verdict == "flagged" for o in open_)
    write(
        f"{half:10} {form:5} exact {exact}/{len(settled)} = {exact / len(settled):.1%}"
        f"  flagged rightly {flagged}/{len(open_)}"
        f"  wrong and unflagged {verdicts['wrong']}/{len(done)} = {verdicts['wrong'] / len(done):.1%}"
    )


if __name__ == "__main__":
    main()
