"""What every backend of a seat must do: inherit the class, give the fixture, and its tests run."""

from collections.abc import Callable

import numpy as np
import pytest

from ingest.embed import Embedder
from ingest.vectors import VectorIndex

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
