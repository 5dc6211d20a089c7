"""What every backend of a seat must do: inherit the class, give the fixture, and its tests run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ingest.embed import Embedder
from ingest.vectors import VectorIndex
from retrievers.history import History, Session, Turn, hash_secret

TEXTS = [
    "Revenue was 42 million euros in 2024, up from 40 million the year before.",
    "Umsatz",
    "",
    "The gearbox must be filled with 2.5 litres of oil. " * 30,
    "naïve café — 東京 🚀",
    "a",
]


class EmbedderContract:
    """The seat ``ingest.embed.Embedder``; the subclass has a fixture ``embedder`` (of class scope: a class method)."""

    def test_vectors_are_float32_rows_of_the_stated_dimension(self, embedder: Embedder):
        vectors = embedder.embed(TEXTS)
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), embedder.dimension)

    def test_every_vector_has_unit_length(self, embedder: Embedder):
        np.testing.assert_allclose(np.linalg.norm(embedder.embed(TEXTS), axis=1), 1.0, atol=1e-5)

    def test_a_vector_is_the_same_alone_in_a_batch_and_shuffled(self, embedder: Embedder):
        together = embedder.embed(TEXTS)
        alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
        backwards = embedder.embed(TEXTS[::-1])[::-1]
        np.testing.assert_allclose(alone, together, atol=1e-5)
        np.testing.assert_allclose(backwards, together, atol=1e-5)

    def test_texts_of_different_words_have_different_vectors(self, embedder: Embedder):
        first, second = embedder.embed(["the annual revenue of the group", "how gearboxes are oiled"])
        assert first @ second < 0.95

    def test_no_texts_give_no_rows(self, embedder: Embedder):
        assert embedder.embed([]).shape == (0, embedder.dimension)

    def test_a_lone_surrogate_is_embedded(self, embedder: Embedder):
        assert embedder.embed(["broken \ud800 text"]).shape == (1, embedder.dimension)


BuildIndex = Callable[[np.ndarray, np.ndarray], VectorIndex]


def unit_vectors(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    """Random float32 rows of unit length."""
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class VectorIndexContract:
    """The seat ``ingest.vectors.VectorIndex``; the subclass has a fixture ``build``: (ids, matrix) to an index."""

    @pytest.fixture(scope="class")
    @classmethod
    def matrix(cls) -> np.ndarray:
        return unit_vectors(300)

    @pytest.fixture(scope="class")
    @classmethod
    def index(cls, build: BuildIndex, matrix: np.ndarray) -> VectorIndex:
        return build(np.arange(300) * 7 + 1, matrix)

    def test_the_most_similar_vectors_come_best_first(self, index: VectorIndex, matrix: np.ndarray):
        for query in unit_vectors(20, seed=1):
            found = index.search(query, 10)
            similarity = dict(zip((np.arange(300) * 7 + 1).tolist(), (matrix @ query).tolist(), strict=True))
            np.testing.assert_allclose([score for _, score in found], sorted(similarity.values())[:-11:-1], atol=1e-5)
            np.testing.assert_allclose([score for _, score in found], [similarity[i] for i, _ in found], atol=1e-5)

    def test_only_allowed_vectors_are_found(self, index: VectorIndex, matrix: np.ndarray):
        allowed = {1 + 7 * row for row in range(0, 300, 9)}
        found = index.search(matrix[4], 10, allowed)
        wanted = sorted(allowed, key=lambda i: -float(matrix[(i - 1) // 7] @ matrix[4]))[:10]
        assert [i for i, _ in found] == wanted

    def test_allowed_ids_that_are_not_indexed_are_passed_over(self, index: VectorIndex, matrix: np.ndarray):
        assert [i for i, _ in index.search(matrix[2], 5, {15, 999_999})] == [15]

    @pytest.mark.parametrize("allowed", [set(), {999_999}])
    def test_nothing_allowed_finds_nothing(self, index: VectorIndex, matrix: np.ndarray, allowed: set[int]):
        assert index.search(matrix[0], 5, allowed) == []

    def test_a_k_above_the_count_finds_all(self, index: VectorIndex, matrix: np.ndarray):
        assert len(index.search(matrix[0], 1000)) == 300

    def test_a_k_of_zero_finds_nothing(self, index: VectorIndex, matrix: np.ndarray):
        assert index.search(matrix[0], 0) == []

    def test_equal_vectors_come_by_id(self, build: BuildIndex):
        index = build(np.array([30, 10, 20]), np.repeat(unit_vectors(1), 3, axis=0))
        assert [i for i, _ in index.search(unit_vectors(1)[0], 3)] == [10, 20, 30]

    def test_an_empty_index_finds_nothing(self, build: BuildIndex):
        index = build(np.empty(0, np.int64), np.empty((0, 16), np.float32))
        assert index.search(unit_vectors(1)[0], 5) == []


def turn(question: str = "What did the pier cost?", *source_ids: str, asked: float = 1.0) -> Turn:
    """A turn with an answer whose JSON has what a store may stumble over."""
    answer = {"answer": "9 euros [1].", "$set": {"a.b": None}, "big": 2**70, "broken": "\ud800", "list": [1.5, True]}
    return Turn(
        question=question, full_question=f"{question} \ud800", answer=answer, asked=asked, source_ids=source_ids
    )


class HistoryContract:
    """The seat ``retrievers.history.History``; the subclass has a fixture ``history``: an empty store."""

    def test_an_empty_history_has_nothing(self, history: History):
        assert history.sessions() == history.turns("s") == []
        assert history.session("s") is None
        assert history.source_ids() == set()
        assert (history.count_citing(["x"]), history.purge(["x"]), history.delete("s")) == (0, 0, False)

    def test_a_session_comes_back_as_it_was_started(self, history: History):
        session = Session(session_id="s", started=5.25, user_id="ada", secret_sha256=hash_secret("open"))
        assert history.start(session)
        assert history.session("s") == session

    def test_a_session_that_exists_is_not_started_anew(self, history: History):
        first = Session(session_id="s", started=1.0, user_id="ada", secret_sha256=hash_secret("open"))
        assert history.start(first)
        assert not history.start(Session(session_id="s", started=2.0, user_id="eve", secret_sha256=hash_secret("x")))
        assert history.session("s") == first

    def test_sessions_come_last_begun_first_and_by_label(self, history: History):
        for name, started, user in (("a", 1.0, "ada"), ("b", 3.0, "eve"), ("c", 2.0, "ada"), ("d", 0.5, None)):
            history.start(Session(session_id=name, started=started, user_id=user))
        assert [s.session_id for s in history.sessions()] == ["b", "c", "a", "d"]
        assert [s.session_id for s in history.sessions("ada")] == ["c", "a"]
        assert history.sessions("nobody") == []

    def test_turns_come_back_whole_oldest_first(self, history: History):
        history.start(Session(session_id="s", started=0.0))
        turns = [turn("One?", "x", "y", asked=1.0), turn("Two?", asked=2.0), turn("Three?", "y", asked=3.0)]
        assert all(history.append("s", each) for each in turns)
        assert history.turns("s") == turns
        assert history.turns("s", last=2) == turns[1:]
        assert history.turns("s", last=9) == turns
        assert history.turns("s", last=0) == []

    def test_turns_of_one_time_keep_their_order(self, history: History):
        history.start(Session(session_id="s", started=0.0))
        for number in range(5):
            history.append("s", turn(f"{number}?"))
        assert [t.question for t in history.turns("s")] == [f"{n}?" for n in range(5)]

    def test_sessions_do_not_see_each_others_turns(self, history: History):
        for name in ("s", "t"):
            history.start(Session(session_id=name, started=0.0))
        history.append("s", turn("Mine?"))
        assert history.turns("t") == []

    def test_nothing_is_kept_for_a_session_that_is_gone(self, history: History):
        history.start(Session(session_id="s", started=0.0))
        history.append("s", turn("Mine?", "x"))
        assert history.delete("s")
        assert not history.delete("s")
        assert not history.append("s", turn("Late?", "x"))
        assert (history.session("s"), history.turns("s"), history.source_ids()) == (None, [], set())

    def test_a_purge_takes_the_turns_that_cite_a_source_and_no_other(self, history: History):
        for name in ("s", "t"):
            history.start(Session(session_id=name, started=0.0))
        history.append("s", turn("X?", "x"))
        history.append("s", turn("X and y?", "x", "y"))
        history.append("t", turn("Y?", "y"))
        history.append("t", turn("None?"))
        assert history.source_ids() == {"x", "y"}
        assert history.count_citing(["x", "unknown"]) == 2
        assert history.purge(["x", "unknown"]) == 2
        assert history.source_ids() == {"y"}
        assert [t.question for t in history.turns("t")] == ["Y?", "None?"]
        assert history.turns("s") == []
        assert history.session("s") is not None

    def test_any_number_of_sources_can_be_asked_for(self, history: History):
        history.start(Session(session_id="s", started=0.0))
        history.append("s", turn("X?", "x"))
        assert history.count_citing({"x", *map(str, range(40_000))}) == 1

    def test_many_threads_write_at_a_time_and_nothing_is_lost(self, history: History):
        def write(thread: int) -> None:
            history.start(Session(session_id=f"s{thread % 4}", started=0.0))
            for number in range(5):
                assert history.append(f"s{thread % 4}", turn(f"{thread} {number}", asked=float(number)))

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(write, range(32)))
        said = [t.question for n in range(4) for t in history.turns(f"s{n}")]
        assert sorted(said) == sorted(f"{thread} {number}" for thread in range(32) for number in range(5))
