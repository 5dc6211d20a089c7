"""Answers computed from tables: the tables of the hits, the plan that one of them settles, and its cells cited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.library import Library
from ingest.tables import column_headers, header_rows, html_to_cells
from ingest.types import Answer, Cell, CellRef, Chunk, Citation, Computation, ComputedCell, Element, Hit
from retrievers.chat import EXTRACTIVE
from retrievers.citations import cite, row_texts
from retrievers.extractive import Evidence
from retrievers.multi_vector import MultiVectorRetriever
from retrievers.table_columns import RANKED, says_rows
from retrievers.table_frames import Frame, read_frames
from retrievers.table_plans import select, with_partial
from retrievers.table_questions import TableQuestion, read_table_question
from retrievers.table_results import SHOWN, Result, compute
from retrievers.table_rows import is_said
from retrievers.table_selection import Context, Doubt, Selection
from retrievers.table_words import spoken

TABLES = 12
"""Tables that a question is put to."""
BEFORE, AFTER = 3, 1
"""Elements beside a table among which its caption and the line that leads to it stand."""
LEAD = 200
"""Characters of a paragraph that may lead to a table."""
MOST_MISSING = 2
"""Words that the nearest table may lack for it to be spoken of; with more, the question is about something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabled:
    """What tables say to a question: an answer, or why they give none (``note``) and what to ask back (``clarify``).

    ``computed`` says that the answer is more than a cell that was looked up, ``computes`` that the question asks for
    more than one, ``counts`` that it may ask for a count or for a cell that has it.
    """

    answer: Answer | None = None
    computed: bool = False
    computes: bool = False
    counts: bool = False
    note: str | None = None
    clarify: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of the library, its parts together, with the texts that stand around it."""

    hit: Hit
    parts: tuple[Element, ...]
    cells: tuple[Cell, ...]
    caption: str
    around: tuple[str, ...]
    leads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """A table that settles a question."""

    table: _Table
    selection: Selection
    result: Result

    @property
    def outcome(self) -> tuple[object, ...]:
        """What two tables that say the same have in common."""
        named = () if len(self.result.cells) == 1 else self.result.items
        return named, self.result.shown, self.result.unit


_Outcomes = tuple[_Table, list[_Settled], list[Doubt]]


def by_tables(
    question: str, hits: Sequence[Hit], retriever: MultiVectorRetriever, *, doc: str | None = None
) -> Tabled | None:
    """What the tables among the hits, and those that are found as tables alone, say to a question.

    ``None`` where it asks for nothing that a table settles, or none is near.
    """
    asked = read_table_question(question)
    if asked is None or not asked.words:
        return None
    found = [hit for hit in hits if hit.chunk.kind == "table"]
    if asked.operation != "look-up":
        found += retriever.retrieve(question, TABLES, doc=doc, kind="table")
    library = retriever.library
    with library.snapshot():
        outcomes = [(table, *_settle(table, asked)) for table in _tables(found, library)]
        settled = [one for _, ones, _ in outcomes for one in ones]
        best = max((len(one.selection.named) for one in settled), default=0)
        settled = [one for one in settled if len(one.selection.named) == best]
        if len({one.outcome for one in settled}) == 1:
            answer = _answer(settled[0], asked, library)
            if answer is not None:
                answer = _beside_rivals(answer, settled[0], outcomes)
                return Tabled(answer=answer, computed=settled[0].result.operation != "look-up")
        if settled:
            clarify = _which_table(settled) if len(settled) > 1 else None
            return Tabled(clarify=clarify, note=_UNSURE, computes=_computes(asked))
        doubtful = _doubtful(asked, [doubt for _, _, doubts in outcomes for doubt in doubts])
        if doubtful is None and outcomes and asked.operation != "look-up":
            doubtful = Tabled(note=_NO_PLAN, computes=_computes(asked))
        return replace(doubtful, counts=asked.operation == "count") if doubtful else None


def beside(found: Answer, tabled: Tabled) -> Answer:
    """An answer that comes from no table, with what tables say to the question where that still matters.

    That nothing was computed is not said of a figure that was only to be looked up, nor where prose has the answer.
    """
    from_table = any(citation.kind == "table" for citation in found.citations)
    a_cell = len(found.citations) == 1 and found.citations[0].cell is not None
    matters = not found.found or (from_table and (tabled.computes or (tabled.counts and not a_cell)))
    notes = (*found.notes, tabled.note) if tabled.note and matters else found.notes
    return replace(found, clarify=tabled.clarify, notes=notes)


def without_totals(question: str, evidence: Sequence[Evidence], library: Library) -> list[Evidence]:
    """Evidence less the rows of totals, where a question asks which of several is first or last."""
    asked = read_table_question(question)
    if asked is None or asked.operation not in RANKED:
        return list(evidence)
    return [e for e in evidence if e.cell is None or not _is_total(e.hit, e.cell.row, asked, library)]


def _is_total(hit: Hit, row: int, asked: TableQuestion, library: Library) -> bool:
    """Whether a row is a total that the question does not name itself."""
    for element in library.elements(hit.chunk.element_ids):
        frame = next(iter(read_frames(_cells(element), "")), None) if element.category == "Table" else None
        if frame is not None and row in frame.row_places:
            at = frame.row_places.index(row)
            return frame.totals[at] and not is_said(frame.row_name(at), asked.text)
    return False


def _beside_rivals(answer: Answer, chosen: _Settled, outcomes: Sequence[_Outcomes]) -> Answer:
    """An answer that says so where another table has all that the question names, and another figure or several."""
    rivals = [table for table, settled, doubts in outcomes if _rivals(chosen, table, settled, doubts)]
    if not rivals:
        return answer
    names = list(dict.fromkeys(_table_name(table.hit) for table in (chosen.table, *rivals)))
    clarify = f"Which table is meant: {_listed(names)}?" if len(names) > 1 else None
    note = f"another table fits as well: answered from {names[0]}"
    return replace(answer, notes=(*answer.notes, note), clarify=clarify)


def _rivals(chosen: _Settled, table: _Table, settled: Sequence[_Settled], doubts: Sequence[Doubt]) -> bool:
    """Whether a table other than the chosen one could be meant: it lacks no word, and names as much by its labels."""
    if table is chosen.table:
        return False
    named = len(chosen.selection.named)
    others = any(len(one.selection.named) >= named - 1 and one.outcome != chosen.outcome for one in settled)
    open_ = any(len(d.candidates) > 1 and not d.missing and d.named >= named for d in doubts)
    return others or (open_ and not settled)


_NO_PLAN = "nothing was computed: no table settles the question"
_UNSURE = "several tables fit, and they do not say the same: nothing was computed"


# --- tables ----------------------------------------------------------------------------------------


def _tables(hits: Sequence[Hit], library: Library) -> Iterator[_Table]:
    """The tables of some hits, each once, those of many parts whole."""
    seen: set[str] = set()
    for hit in hits:
        for element in library.elements(hit.chunk.element_ids):
            if element.category == "Table" and element.element_id not in seen and len(seen) < TABLES * SHOWN:
                table = _table(hit, element, library)
                seen.update(part.element_id for part in table.parts)
                yield table


def _table(hit: Hit, element: Element, library: Library) -> _Table:
    beside = library.elements_beside(element.element_id, BEFORE, AFTER)
    parts = _parts(element, beside, hit, library)
    head = header_rows(_cells(parts[0]))
    cells = (*_cells(parts[0]), *(c for part in parts[1:] for c in part.cells if c.row >= head))
    captions = [e.text for e in beside if e.category == "FigureCaption" and e.parent_id in (None, element.element_id)]
    place = next((n for n, e in enumerate(beside) if e.element_id == element.element_id), 0)
    leads = [
        e.text for e in beside[:place] if e.category in ("NarrativeText", "UncategorizedText") and len(e.text) <= LEAD
    ]
    caption = " ".join([*captions, *leads[-2:], *hit.chunk.title_path[-1:]])
    around = (*captions, *hit.chunk.title_path, hit.doc.rpartition(".")[0].replace("_", " ").replace("-", " "))
    return _Table(hit=hit, parts=parts, cells=cells, caption=caption, around=around, leads=tuple(leads))


def _cells(element: Element) -> tuple[Cell, ...]:
    return element.cells or (html_to_cells(element.text_as_html) if element.text_as_html else ())


def _parts(element: Element, beside: Sequence[Element], hit: Hit, library: Library) -> tuple[Element, ...]:
    """A long table's groups of rows, in order; else the table alone."""
    near = [e for e in beside if e.category == "Table" and e.cells and _head(e) == _head(element)]
    if len(near) < 2 or not element.cells:
        return (element,)
    run: list[Element] = []
    for table in library.tables_of(hit.chunk.source_id):
        if run and not _continues(run[-1], table):
            if any(e.element_id == element.element_id for e in run):
                break
            run = []
        run.append(table)
    return tuple(run) if any(e.element_id == element.element_id for e in run) else (element,)


def _head(element: Element) -> list[str]:
    head = header_rows(element.cells)
    return [c.text for c in element.cells if c.row < head]


def _continues(table: Element, later: Element) -> bool:
    """Whether a table's rows go on in another: under the same header, with later numbers."""
    head = header_rows(table.cells)
    if not head or _head(table) != _head(later) or table.page_number != later.page_number:
        return False
    rows = [c.row for c in later.cells if c.row >= head]
    return bool(rows) and min(rows) > max(c.row for c in table.cells)


# --- plans -----------------------------------------------------------------------------------------


def _settle(table: _Table, asked: TableQuestion) -> tuple[list[_Settled], list[Doubt]]:
    context = Context.of(table.around, table.leads)
    settled: list[_Settled] = []
    doubts: list[Doubt] = []
    for frame in read_frames(table.cells, table.caption):
        outcome = _outcome(frame, asked, context)
        if isinstance(outcome, Doubt):
            doubts.append(outcome)
        else:
            settled.append(_Settled(table=table, selection=outcome[0], result=outcome[1]))
    return settled, doubts


def _outcome(frame: Frame, asked: TableQuestion, context: Context) -> tuple[Selection, Result] | Doubt:
    selection = select(frame, asked, context)
    if isinstance(selection, Doubt):
        whole = with_partial(frame, asked, selection)
        selection = whole if isinstance(whole, Doubt) else select(frame, whole, context)
    if isinstance(selection, Doubt):
        return selection
    result = compute(selection, asked)
    return result if isinstance(result, Doubt) else (selection, result)


def _doubtful(asked: TableQuestion, doubts: Sequence[Doubt]) -> Tabled | None:
    """What is said of the table that came nearest, where it accounts for half of the question or more."""
    lacking_most = min(MOST_MISSING, len(asked.words) // 2)
    near = [d for d in doubts if d.named and len(d.missing) <= lacking_most]
    best = max(near, key=lambda d: (d.named, -len(d.missing), len(d.candidates)), default=None)
    if best is None or (asked.operation == "look-up" and not best.candidates):
        return None
    what = "looked up" if asked.operation == "look-up" else "computed"
    if best.missing:
        lacking = ", ".join(f"\u201c{spoken(word, asked.text)}\u201d" for word in best.missing)
        note = f"nothing was {what}: no table that fits has {lacking}"
        return Tabled(note=note, computes=_computes(asked))
    clarify = f"Which one is meant: {_listed(best.candidates)}?" if len(best.candidates) > 1 else None
    return Tabled(note=f"nothing was {what} from a table: {best.reason}", clarify=clarify, computes=_computes(asked))


def _computes(asked: TableQuestion) -> bool:
    """Whether more than a cell is asked for; a "how many" without a condition may be a figure that stands there."""
    if asked.operation == "count":
        return bool(asked.conditions) or says_rows(asked)
    return asked.operation != "look-up"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _table_name(hit: Hit) -> str:
    return " \u203a ".join((hit.doc, *hit.chunk.title_path[-1:]))


def _which_table(settled: Sequence[_Settled]) -> str | None:
    names = list(dict.fromkeys(_table_name(s.table.hit) for s in settled))
    return f"Which table is meant: {_listed(names)}?" if len(names) > 1 else None


# --- the answer ------------------------------------------------------------------------------------


def _answer(settled: _Settled, asked: TableQuestion, library: Library) -> Answer | None:
    """The result in words with its cells cited; ``None`` where a cell is not found word for word in its document."""
    frame, result = settled.selection.frame, settled.result
    places = [frame.place(row, column) for row, column in result.cells[:SHOWN]]
    cited = list(_cited(settled.table, places, library))
    if len(cited) < len(places):
        return None
    cells = tuple(
        ComputedCell(
            citation=citation.number,
            row=row,
            column=column,
            label=frame.row_name(at) if not frame.turned else frame.columns[n].name,
            header=citation.cell.header if citation.cell else (),
            text=frame.text(at, n),
        )
        for citation, (row, column), (at, n) in zip(cited, places, result.cells, strict=False)
    )
    computation = Computation(
        operation=result.operation,
        expression=result.expression,
        value=result.value,
        unit=result.unit,
        items=result.items,
        cells=cells,
        cell_count=len(result.cells),
    )
    return Answer(
        question=asked.text,
        text=_said(settled, len(cited)),
        found=True,
        model=EXTRACTIVE,
        citations=tuple(cited),
        notes=(*_left_out(result), *_assumed(settled.selection, asked)),
        computation=None if result.operation == "look-up" else computation,
    )


def _left_out(result: Result) -> tuple[str, ...]:
    return (f"{result.missing} rows have no value there and were left out",) if result.missing else ()


def _assumed(selection: Selection, asked: TableQuestion) -> tuple[str, ...]:
    """What a reader has to know of words that the table lacks."""
    used = [n for n in (selection.column, *selection.bounds) if n is not None]
    meant = selection.frame.columns[used[0]].name if used else ""
    return tuple(
        f"no table has \u201c{spoken(w, asked.text)}\u201d: answered by \u201c{meant}\u201d" for w in selection.assumed
    )


def _cited(table: _Table, places: Sequence[tuple[int, int]], library: Library) -> Iterator[Citation]:
    """The citation of each cell: the row it stands in, word for word."""
    chunks = library.chunks_of(table.hit.chunk.source_id)
    for number, (row, column) in enumerate(places, 1):
        part = next((p for p in table.parts if any(c.row == row for c in _cells(p))), table.parts[0])
        found = _line(part, row, [c for c in chunks if part.element_id in c.element_ids])
        if found is None:
            return
        chunk, start, end = found
        hit = replace(table.hit, chunk=chunk)
        cell = CellRef(row=row, column=column, header=column_headers(_cells(part), column))
        citation = cite(library, hit, start, end, number, cell=cell)
        if not citation.verified:
            return
        yield citation


def _line(part: Element, row: int, chunks: Sequence[Chunk]) -> tuple[Chunk, int, int] | None:
    """Where the chunks of a table have the line of a row; of equal rows each has its own."""
    cells = _cells(part)
    texts = row_texts(cells)
    wanted = texts.get(row, "")
    equal = sum(text == wanted for r, text in texts.items() if r < row) if wanted else 0
    for chunk in chunks:
        start = 0
        for line in chunk.text.split("\n"):
            if line == wanted:
                if equal == 0:
                    return chunk, start, start + len(line)
                equal -= 1
            start += len(line) + 1
    return None


def _said(settled: _Settled, cited: int) -> str:
    result, frame = settled.result, settled.selection.frame
    marks = "".join(f"[{n}]" for n in range(1, cited + 1))
    if len(result.cells) > cited:
        marks += f" (the first {cited} of {len(result.cells):,} cells)"
    column = settled.selection.column
    measure = "" if column is None else frame.columns[column].name
    value = f"{result.shown} {result.unit}".strip() if result.unit != "%" else f"{result.shown}%"
    what = ", ".join(part for part in (*settled.selection.chosen, measure) if part)
    if result.operation in ("look-up", "total"):
        return f"{', '.join(filter(None, (*result.items, measure)))}: {value} {marks}."
    if result.operation in ("max", "min"):
        return f"{', '.join(result.items)}: {value} ({what}; {result.expression}) {marks}."
    if result.operation in ("top", "bottom", "list"):
        return f"{'; '.join(result.items)} ({'; '.join(filter(None, (what, result.expression)))}) {marks}."
    if result.operation == "count":
        return f"{result.shown} ({result.expression}) {marks}." if marks else f"{result.shown} ({result.expression})."
    return f"{what}, {result.operation}: {value} ({result.expression}) {marks}."
