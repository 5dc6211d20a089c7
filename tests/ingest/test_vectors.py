import inspect
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest import vectors
from ingest.errors import EmbedderMismatchError, LibraryError
from ingest.vectors import ChromaIndex, ExactIndex, drop
from tests.contracts import BuildIndex, VectorIndexContract, unit_vectors


class TestExactIndex(VectorIndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def build(cls) -> BuildIndex:
        return ExactIndex

    def test_ties_at_the_cut_are_broken_by_id(self):
        index = ExactIndex(np.array([9, 4, 7, 1, 5]), np.repeat(unit_vectors(1), 5, axis=0))
        assert [i for i, _ in index.search(unit_vectors(1)[0], 2)] == [1, 4]


class TestChromaIndex(VectorIndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def build(cls, tmp_path_factory) -> Iterator[BuildIndex]:
        opened: list[ChromaIndex] = []

        def build(ids: np.ndarray, matrix: np.ndarray) -> ChromaIndex:
            opened.append(ChromaIndex(tmp_path_factory.mktemp("index") / "chroma", matrix.shape[1]))
            opened[-1].upsert(ids, matrix)
            return opened[-1]

        yield build
        for index in opened:
            index.close()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def index(folder) -> Iterator[ChromaIndex]:
    index = ChromaIndex(folder, 16)
    yield index
    index.close()


MATRIX = unit_vectors(40)
IDS = np.arange(40)


def test_exact_and_chroma_find_the_same(index):
    # More vectors than Chroma keeps outside its graph, so that the graph itself is searched.
    matrix, ids = unit_vectors(2500, 32), np.arange(2500)
    index.close()
    index = ChromaIndex(index.place, 32)
    index.upsert(ids, matrix)
    exact = ExactIndex(ids, matrix)
    for query in unit_vectors(10, 32, seed=3):
        assert [i for i, _ in index.search(query, 20)] == [i for i, _ in exact.search(query, 20)]
    index.close()


def test_upsert_replaces_the_vector_of_an_id(index):
    index.upsert(IDS, MATRIX)
    index.upsert(np.array([7]), -MATRIX[7:8])
    assert index.count() == 40
    assert index.search(-MATRIX[7], 1) == [(7, pytest.approx(1.0, abs=1e-5))]
    assert index.search(MATRIX[7], 40)[-1][0] == 7


def test_deleted_vectors_are_not_found(index):
    index.upsert(IDS, MATRIX)
    index.delete([3, 4, 999_999])
    assert index.count() == 38
    assert not {3, 4} & {i for i, _ in index.search(MATRIX[3], 40)}


def test_an_index_survives_reopening(index, folder):
    index.upsert(IDS, MATRIX)
    before = index.search(MATRIX[5], 10)
    index.close()
    again = ChromaIndex(folder, 16, create=False)
    assert again.search(MATRIX[5], 10) == before
    again.close()


def test_reopening_shows_what_another_process_wrote(index, folder):
    index.upsert(IDS, MATRIX)
    index.close()
    code = (
        "import sys, numpy; from pathlib import Path; from ingest.vectors import ChromaIndex;"
        "index = ChromaIndex(Path(sys.argv[1]), 16);"
        "index.upsert(numpy.array([4000]), numpy.full((1, 16), 0.25, numpy.float32)); index.close()"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=root, check=True)
    again = ChromaIndex(folder, 16)
    assert again.search(np.full(16, 0.25, np.float32), 1)[0][0] == 4000
    assert again.count() == 41
    again.close()


def test_more_vectors_than_one_batch_takes_are_indexed(index, monkeypatch):
    monkeypatch.setattr(type(index._client), "get_max_batch_size", lambda self: 7)
    index.upsert(IDS, MATRIX, [f"s{i % 3}" for i in range(40)])
    assert index.count() == 40
    assert [i for i, _ in index.search(MATRIX[9], 1, set(range(5, 40)))] == [9]
    assert {i % 3 for i, _ in index.search(MATRIX[9], 40, sources={"s1"})} == {1}
    index.delete(range(30))
    assert index.count() == 10


def test_a_search_within_sources_finds_their_vectors_alone(index):
    index.upsert(IDS, MATRIX, [f"s{i % 4}" for i in range(40)])
    found = [i for i, _ in index.search(MATRIX[0], 40, sources={"s1", "s2", "unknown"})]
    assert sorted(found) == [i for i in range(40) if i % 4 in (1, 2)]
    assert [i for i, _ in index.search(MATRIX[0], 40, {1, 2, 3, 4}, sources={"s1"})] == [1]
    assert index.search(MATRIX[0], 40, sources=set()) == []


def test_another_generation_or_dimension_starts_empty_and_leaves_nothing_behind(index, folder):
    index.upsert(IDS, MATRIX)
    index.close()
    for dimension, generation in ((16, 1), (8, 1), (16, 0)):
        changed = ChromaIndex(folder, dimension, generation)
        assert changed.count() == 0
        changed.close()


@pytest.mark.parametrize("kind", ["exact", "chroma"])
def test_a_query_of_another_dimension_is_refused(index, kind):
    index.upsert(IDS, MATRIX)
    searched = index if kind == "chroma" else ExactIndex(IDS, MATRIX)
    with pytest.raises(EmbedderMismatchError, match=r"8 numbers .* which has 16; .*pincite reindex"):
        searched.search(unit_vectors(1, 8)[0], 3)


def test_vectors_of_another_dimension_are_refused(index):
    with pytest.raises(EmbedderMismatchError, match="pincite reindex"):
        index.upsert(IDS, unit_vectors(40, 8))


# What goes wrong


def test_reading_a_missing_index_creates_nothing(folder):
    with pytest.raises(LibraryError, match=r"no index in .*pincite reindex"):
        ChromaIndex(folder, 16, create=False)
    assert not folder.exists()


def test_reading_another_generation_says_what_to_do(index, folder):
    index.close()
    with pytest.raises(LibraryError, match="pincite reindex"):
        ChromaIndex(folder, 16, 1, create=False)


@pytest.mark.parametrize("content", [b"no database " * 1000, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_damaged_index_is_a_library_error_and_can_be_rebuilt(index, folder, content):
    index.upsert(IDS, MATRIX)
    index.close()
    (folder / "chroma.sqlite3").write_bytes(content)
    with pytest.raises(LibraryError, match="pincite reindex"):
        ChromaIndex(folder, 16)
    drop(folder)
    anew = ChromaIndex(folder, 16)
    anew.upsert(IDS, MATRIX)
    assert anew.count() == 40
    anew.close()


def test_an_index_without_its_graph_files_says_so_instead_of_finding_little(index, folder):
    for start in range(0, 1500, 500):
        index.upsert(np.arange(start, start + 500), unit_vectors(500, seed=start))
    index.close()
    graphs = [path for path in folder.iterdir() if path.is_dir()]
    assert graphs
    for graph in graphs:
        shutil.rmtree(graph)
    damaged = ChromaIndex(folder, 16, create=False)
    with pytest.raises(LibraryError, match="pincite reindex"):
        damaged.search(MATRIX[0], 1500)
    damaged.close()


def test_a_closed_index_refuses_use_and_may_be_closed_again(index):
    index.close()
    index.close()
    with pytest.raises(LibraryError, match="is closed"):
        index.search(MATRIX[0], 1)


def test_every_error_of_chroma_becomes_a_library_error(folder):
    import chromadb.errors

    found = [e for _, e in inspect.getmembers(chromadb.errors, inspect.isclass) if issubclass(e, Exception)]
    raised = [e for e in found if not inspect.isabstract(e)]
    assert len(raised) > 10
    for error in raised:
        with pytest.raises(LibraryError, match="pincite reindex"), vectors._mapped(folder):
            raise error("something")


def test_a_dotenv_file_where_the_user_stands_changes_nothing(folder, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\nANONYMIZED_TELEMETRY=nonsense\n")
    monkeypatch.chdir(tmp_path)
    index = ChromaIndex(folder, 16)
    index.upsert(IDS, MATRIX)
    assert index.count() == 40
    index.close()
