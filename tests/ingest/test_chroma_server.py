"""The copy of the vectors on a Chroma server: a real one, started by the test on loopback."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from ingest import ingest
from ingest.errors import LibraryError, UsageError
from ingest.indexing import update_index
from ingest.library import Library
from ingest.library_index import ChromaServer, server_of
from ingest.pipeline import reindex, remove
from ingest.settings import Settings
from ingest.vectors import ChromaIndex
from retrievers import MultiVectorRetriever
from tests.contracts import BuildIndex, VectorIndexContract

QUESTION = "Which ferry sails at noon?"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chroma-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=log, stderr=log, cwd=folder)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api/v2/heartbeat", process)
        yield address
    finally:
        process.kill()
        process.wait()


def _wait_for(heartbeat: str, process: subprocess.Popen) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx.get(heartbeat, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError("the Chroma server did not start")


class TestServerIndex(VectorIndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def build(cls, url) -> BuildIndex:
        opened: list[ChromaIndex] = []

        def build(ids: np.ndarray, matrix: np.ndarray) -> ChromaIndex:
            place = ChromaServer(url=url, collection=f"contract-{len(opened)}")
            opened.append(ChromaIndex(place, matrix.shape[1]))
            opened[-1].upsert(ids, matrix)
            return opened[-1]

        yield build
        for index in opened:
            index.close()


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for n, hour in enumerate(("noon", "four", "midnight")):
        (folder / f"note{n}.md").write_text(f"# Ferry {n}\n\nThe ferry number {n} sails at {hour}.\n")
    return folder


@pytest.fixture
def settings(url, tmp_path):
    return Settings(library=tmp_path / "lib", chroma_url=url, jobs=1)


def index_of(settings: Settings, library: Library) -> ChromaIndex:
    assert library.embedder is not None
    server = server_of(settings, library.identity)
    assert server is not None
    return ChromaIndex(server, library.embedder.dimension, create=False)


def held(settings: Settings, library: Library) -> int:
    index = index_of(settings, library)
    count = index.count()
    index.close()
    return count


def found(settings: Settings, library: Library) -> list[str]:
    """What a retriever finds that searches the index, however few the vectors are."""
    retriever = MultiVectorRetriever(library, settings=settings, exact_limit=0)
    hits = [hit.chunk.chunk_id for hit in retriever.retrieve(QUESTION, 3)]
    retriever.close()
    return hits


def test_a_library_is_indexed_on_the_server_and_found_as_by_an_exact_scan(docs, settings, caplog):
    assert {result.state for result in ingest([docs], settings.library, settings=settings)} == {"ingested"}
    with Library(settings.library) as library:
        assert held(settings, library) == library.vector_count()
        assert not library.chroma_folder.exists()
        exact = MultiVectorRetriever(library, settings=settings)
        assert found(settings, library) == [hit.chunk.chunk_id for hit in exact.retrieve(QUESTION, 3)]
        exact.close()
    assert "slower" not in caplog.text


def test_what_is_removed_leaves_the_server(docs, settings):
    list(ingest([docs], settings.library, settings=settings))
    with Library(settings.library) as library:
        remove(library, [docs / "note0.md"], settings=settings)
        assert held(settings, library) == library.vector_count() > 0


@pytest.mark.parametrize("loss", ["collection", "vectors"])
def test_what_the_server_lost_is_noticed_answered_without_it_and_made_anew(loss, docs, settings, caplog):
    list(ingest([docs], settings.library, settings=settings))
    with Library(settings.library) as library:
        right = found(settings, library)
        index = index_of(settings, library)
        if loss == "collection":
            index._client.delete_collection(index._collection.name)
        else:
            index.delete([1])
        index.close()
        assert found(settings, library) == right
        assert "until then all vectors are compared" in caplog.text
        caplog.clear()
        with library.writing():
            update_index(library, server_of(settings, library.identity))
        assert held(settings, library) == library.vector_count()
        assert found(settings, library) == right
        assert "slower" not in caplog.text


def test_a_library_can_move_to_a_server_and_back(docs, settings, tmp_path):
    here = Settings(library=settings.library, jobs=1)
    list(ingest([docs], here.library, settings=here))
    with Library(here.library) as library:
        assert library.chroma_folder.exists()
        reindex(library, settings)
        assert not library.chroma_folder.exists()
        assert held(settings, library) == library.vector_count()
        reindex(library, here)
        assert library.chroma_folder.exists()


def test_libraries_do_not_meet_on_one_server(docs, settings, tmp_path):
    other = Settings(library=tmp_path / "other", chroma_url=settings.chroma_url, jobs=1)
    list(ingest([docs / "note0.md"], settings.library, settings=settings))
    list(ingest([docs], other.library, settings=other))
    with Library(settings.library) as one, Library(other.library) as two:
        assert one.identity != two.identity
        assert held(settings, one) == one.vector_count() < held(other, two)


def test_a_server_that_is_away_is_named_and_nothing_is_lost(docs, tmp_path):
    away = Settings(library=tmp_path / "lib", chroma_url="http://127.0.0.1:9", jobs=1)
    states: list[str] = []
    with pytest.raises(LibraryError, match=r"http://127\.0\.0\.1:9"):
        states.extend(result.state for result in ingest([docs], away.library, settings=away))
    with Library(away.library) as library:
        assert len(found(away, library)) == 3


@pytest.mark.parametrize("address", ["chroma", "ftp://host/x"])
def test_an_address_that_is_none_is_wrong_use(address):
    with pytest.raises(UsageError, match="Chroma server"):
        ChromaIndex(ChromaServer(url=address, collection="c"), 3)


def test_a_key_is_in_no_text():
    server = ChromaServer(url="https://user:secret@host", collection="c", api_key="ck-secret")
    assert "secret" not in repr(server).replace("user:secret@host", "")
    assert "secret" not in str(server)
