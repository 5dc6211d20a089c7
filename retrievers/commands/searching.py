"""The commands that search without an answer, and that measure how well search and answers do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrievers.commands.opened import open_retriever, settings_of
from retrievers.commands.options import doc_option, json_option, library_option, rerank_option
from retrievers.commands.output import emit, look_of_stdout
from retrievers.commands.questions import answer_each, question_lines, required

if TYPE_CHECKING:
    from ingest.types import Hit


@click.command()
@click.argument("query", required=False)
@library_option
@click.option("-k", "k", type=click.IntRange(min=1), default=8, show_default=True, help="Hits to show.")
@doc_option
@click.option("--kind", type=click.Choice(["text", "table", "image"]), help="Only this kind of chunk.")
@click.option("--path", help="Only documents whose path matches this glob.", metavar="GLOB")
@click.option("--title", help="Only what stands under a heading with this text.", metavar="TEXT")
@click.option("--date", help="Only files last changed then: 2024, 2024-05, 2024-05-31, or A..B.", metavar="DATE")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Many queries, a line each of {"id", "question", "k"?, "doc"?}; needs --json.',
)
@rerank_option(default=True)
@json_option
def search(
    query: str | None,
    library: Path | None,
    k: int,
    doc: str | None,
    kind: str | None,
    path: str | None,
    title: str | None,
    date: str | None,
    questions: Path | None,
    rerank: bool,
    as_json: bool,
) -> None:
    """Find passages, tables and pictures, without an answer.

    \b
    pincite search "passengers by route" --kind table
    pincite search --questions questions.jsonl --json
    """
    from retrievers.query import Filters
    from retrievers.shapes import hit_json

    retriever = open_retriever(settings_of(library), rerank=rerank)
    filters = Filters(kind=kind, path=path, title=title, date=date)  # type: ignore[arg-type]

    def one(text: str, depth: int, pattern: str | None) -> list[Hit]:
        return retriever.retrieve(text, depth, doc=pattern, filters=filters)

    if questions is not None:
        answer_each(
            questions, k, as_json=as_json, reply=lambda q, n, d: {"results": [hit_json(h) for h in one(q, n, d)]}
        )
        return
    hits = one(required(query), k, doc)
    if as_json:
        emit({"query": query, "results": [hit_json(h) for h in hits]})
        return
    from retrievers.printed import printed_hit

    for rank, hit in enumerate(hits, 1):
        click.echo(printed_hit(rank, hit, retriever.library, look_of_stdout()), nl=False)
    if not hits:
        click.echo("nothing found")


@click.command(name="eval")
@click.argument("questions", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@library_option
@rerank_option(default=True)
@click.option("--model", metavar="NAME", default="extractive", show_default=True, help="Who answers.")
@click.option("--answers/--no-answers", default=False, show_default=True, help="Measure answers as well as the search.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="A.json B.json",
    help="Compare two results, each written by --json.",
)
@json_option
def evaluate(
    questions: Path | None,
    library: Path | None,
    rerank: bool,
    model: str,
    answers: bool,
    compare: tuple[Path, Path] | None,
    as_json: bool,
) -> None:
    """Measure search and answers on your own questions, and compare two settings.

    A line each of {"id", "question", "doc", "pages"}, or {"id", "question", "answerable": false}.

    \b
    pincite eval questions.jsonl --json > a.json
    pincite eval questions.jsonl --no-rerank --json > b.json
    pincite eval --compare a.json b.json
    """
    from retrievers import evaluate as evaluation
    from retrievers.answer import answer

    if compare is not None:
        a, b = (_result_of(file) for file in compare)
        _print_measures(evaluation.compare(a, b), as_json=as_json)
        return
    if questions is None:
        raise click.UsageError("a file of questions is missing")
    lines = enumerate(question_lines(questions), 1)
    expected = [evaluation.read_expected(line, f"{questions}, question {number}") for number, line in lines]
    retriever = open_retriever(settings_of(library), rerank=rerank)
    found = evaluation.evaluate(
        expected,
        # Several hits may be of one page: so many of them show ten pages or more.
        lambda text: retriever.retrieve(text, 5 * evaluation.DEPTH),
        (lambda text: answer(text, retriever=retriever, model=model)) if answers else None,
    )
    if as_json:
        emit(found)
        return
    _print_measures(found["means"], as_json=False)


def _result_of(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as exc:
        raise click.UsageError(f"{file}: not JSON") from exc
    return found if isinstance(found, dict) else {}


def _print_measures(measures: Mapping[str, Mapping[str, float]], *, as_json: bool) -> None:
    """A line a measure: its mean and standard error, or the difference of two and its interval."""
    if as_json:
        emit(measures)
        return
    for name, value in measures.items():
        if "mean" in value:
            said = f"{value['mean']:6.3f}  \u00b1 {value['error']:.3f}"
        else:
            said = f"{value['difference']:+6.3f}  95 % interval {value['low']:+.3f} to {value['high']:+.3f}"
        click.echo(f"{name:10} {said}  ({value['n']} questions)")
