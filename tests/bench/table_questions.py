"""Questions put to made tables in four formats: ``python -m tests.bench.table_questions [FOLDER] [NAME...] [--show]``.

Prints the tables as PDF, DOCX, HTML and XLSX, ingests each format into a library of its own, asks every question with
``model="extractive"``, and prints the share that is exact, flagged, and wrong without a flag, for each set of
questions: ``worked-on``, ``kept-apart``, ``second`` and ``third``, or those that are named, as formats can be.
``--show`` shows what was not answered as it should be. A value in a quote counts as exact only where it was looked up,
cell by cell.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import Library, Settings, ingest
from ingest.types import Answer
from retrievers import MultiVectorRetriever, answer
from tests.asked_tables import KEPT_APART, TO_WORK_ON, Asked, Printed
from tests.asked_tables_second import SECOND, THIRD
from tests.print_tables import FORMATS, print_table

SETS = {"worked-on": TO_WORK_ON, "kept-apart": KEPT_APART, "second": SECOND, "third": THIRD}
TABLES = [table for tables in SETS.values() for table, _ in tables]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one question fared: ``exact``, ``flagged`` (it was said that no answer is sure) or ``wrong``."""

    of: str
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
    if asked.said:
        return re.search(rf": {re.escape(asked.said)} \[1\]\.$", found.text) is not None
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
    folder: Path, sets: Sequence[str] = tuple(SETS), forms: Sequence[str] = tuple(FORMATS)
) -> Iterator[Outcome]:
    """Ask the questions of some sets in all formats; libraries that are in the folder already are used again."""
    for form in forms:
        library = folder / f"lib-{form}"
        if not library.exists():
            (folder / form).mkdir(parents=True, exist_ok=True)
            for table in TABLES:
                print_table(table, form, folder / form)
            list(ingest([folder / form], library, settings=Settings(jobs=2)))
        with Library(library) as opened:
            retriever = MultiVectorRetriever(opened)
            for name, table, asked in _questions(sets):
                found = answer(asked.text, retriever=retriever, model="extractive")
                yield Outcome(of=name, form=form, table=table, asked=asked, verdict=judge(asked, found), answer=found)


def _questions(sets: Sequence[str]) -> Iterator[tuple[str, Printed, Asked]]:
    for name in sets:
        for table, questions in SETS[name]:
            for asked in questions:
                yield name, table, asked


def main() -> None:
    given = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    sets = [arg for arg in given if arg in SETS] or list(SETS)
    forms = [arg for arg in given if arg in FORMATS] or list(FORMATS)
    folders = [Path(arg) for arg in given if arg not in SETS and arg not in FORMATS]
    started = time.process_time()
    with tempfile.TemporaryDirectory() as made:
        done = list(outcomes(folders[0] if folders else Path(made), sets, forms))
    for one in done if "--show" in sys.argv else ():
        _show(one)
    for of in sets:
        for form in (*forms, "all"):
            _report(of, form, [o for o in done if o.of == of and form in (o.form, "all")])
    write(f"{len(done)} answers, {time.process_time() - started:.0f} CPU s in this process")


def _show(one: Outcome) -> None:
    if one.verdict != ("flagged" if one.asked.flagged else "exact"):
        write(f"{one.of} {one.form} {one.table.name} [{one.asked.kind}] {one.asked.text}")
        write(f"    {one.verdict}: {one.answer.text[:200]}")
        write(f"    {one.answer.computation and one.answer.computation.items} {one.answer.notes} {one.answer.clarify}")


def _report(of: str, form: str, done: list[Outcome]) -> None:
    settled, open_ = ([o for o in done if o.asked.flagged is flag] for flag in (False, True))
    verdicts = Counter(o.verdict for o in done)
    exact = sum(o.verdict == "exact" for o in settled)
    flagged = sum(o.verdict == "flagged" for o in open_)
    write(
        f"{of:10} {form:5} exact {exact}/{len(settled)} = {exact / len(settled):.1%}"
        f"  flagged rightly {flagged}/{len(open_)}"
        f"  wrong and unflagged {verdicts['wrong']}/{len(done)} = {verdicts['wrong'] / len(done):.1%}"
    )


if __name__ == "__main__":
    main()
