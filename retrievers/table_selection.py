"""A question being matched to a frame: what stands around a table, what is chosen of it, and what is still in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from retrievers.table_frames import Frame
from retrievers.table_questions import TableQuestion
from retrievers.table_values import years_in
from retrievers.table_words import label_words, words_of

SPANNED = ("difference", "growth", "ratio")
"""Operations on two rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What stands around a table: the words of its caption, headings and document, and those that follow each other.

    ``lead`` are words that only paragraphs before it have.
    """

    words: frozenset[str]
    lead: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], leads: Iterable[str] = ()) -> Context:
        """The context that some texts and the paragraphs before a table make."""
        runs, before = [words_of(text) for text in texts], [words_of(text) for text in leads]
        words = frozenset(w for run in runs for w in run)
        return cls(
            words=words,
            lead=frozenset(w for run in before for w in run) - words,
            pairs=frozenset(p for run in (*runs, *before) for p in pairwise(run)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a question chooses of a frame: rows and measured column; ``named`` are the words that labels account for.

    ``chosen`` says in words which rows, ``bounds`` are the columns of conditions. ``everything`` says that no row was
    left out but totals, ``by_period`` that rows were chosen by years or quarters alone. ``assumed`` are words that the
    table lacks and that say nothing beside what it has, as the reader is told.
    """

    frame: Frame
    rows: tuple[int, ...]
    column: int | None
    named: frozenset[str]
    chosen: tuple[str, ...] = ()
    by_period: bool = False
    bounds: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()
    ends: tuple[int, int] | None = None
    group: int | None = None
    assumed: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether no row was left out."""
        return not (self.chosen or self.bounds or self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a frame does not settle a question: words that it lacks, or names between which it cannot choose."""

    reason: str
    candidates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    named: int = 0


@dataclass(slots=True)
class Reading:
    """A question being matched to a frame."""

    frame: Frame
    question: TableQuestion
    context: Context
    left: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    chosen: list[str] = field(default_factory=list)
    filters: list[int] = field(default_factory=list)
    assumable: set[str] = field(default_factory=set)

    def take(self, words: Collection[str]) -> None:
        """Account for some words by a label."""
        self.named.update(words)
        self.left.difference_update(words)


def text_columns(frame: Frame) -> list[int]:
    """The columns that name rows: those of texts, years and dates."""
    return [n for n, c in enumerate(frame.columns) if c.kind != "number"]


def own_words(frame: Frame) -> set[str]:
    """The words of all headers and of the labels of a small frame."""
    words = {w for c in frame.columns for w in c.words}
    for n in text_columns(frame):
        words |= {w for text in frame.texts.iloc[:400, n] for w in label_words(str(text))}
        if frame.columns[n].kind == "date":
            words |= {year for text in frame.texts.iloc[:400, n] for year in years_in(str(text))}
    return words
