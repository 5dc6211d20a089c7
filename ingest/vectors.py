"""Nearest vectors: an exact scan in memory, and Chroma's index on disk; the only home of ``chromadb``.

Chroma holds a copy of the library's vectors. It may be deleted at any time and is rebuilt from the library.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

import numpy as np

from ingest.errors import EmbedderMismatchError, LibraryError, UsageError
from ingest.library_index import ChromaServer

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as ChromaCollection
    from chromadb.config import Settings
    from numpy.typing import NDArray

Found = list[tuple[int, float]]
"""(vector id, cosine similarity), best first; equally similar ones by id."""
TIE_DIGITS = 6
"""Decimals of a similarity that count: equal vectors may differ in the next ones, by their place in a matrix."""

SEARCH_WIDTH = 400
"""Candidates that Chroma's graph search keeps (``ef_search``): its default of 100 lost 3 of 120 neighbours."""
WRITE_EVERY = 2
"""Changes after which Chroma writes its graph to disk, the fewest that it takes: whatever is left unwritten, each
process that opens the index to read would write."""
STAMP = "pincite"
"""The key of a collection's metadata that holds its stamp."""
REPLY_SECONDS = 60.0
"""Seconds that a Chroma server may be silent."""
DEFAULT_NAMES = ("default_tenant", "default_database")
REBUILD = "the index is rebuilt by: pincite reindex"


class VectorIndex(Protocol):
    """The seat of a vector index."""

    def search(self, query: NDArray[np.float32], k: int, allowed: Collection[int] | None = None) -> Found:
        """The ``k`` vectors most similar to a unit vector, of those ``allowed`` (``None``: of all).

        Raises:
            LibraryError: the index cannot be read, or is of another dimension than ``query``.
        """
        ...


class ExactIndex:
    """Compares a query with every vector. ``matrix`` holds a unit row for each of ``ids``."""

    def __init__(self, ids: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        self._ids = ids
        self._matrix = matrix

    def search(self, query: NDArray[np.float32], k: int, allowed: Collection[int] | None = None) -> Found:
        """See ``VectorIndex.search``."""
        if not len(self._ids) or k < 1:
            return []
        _check_dimension(query.shape[-1], self._matrix.shape[1])
        rows = np.arange(len(self._ids)) if allowed is None else np.flatnonzero(np.isin(self._ids, list(allowed)))
        scores = self._matrix[rows] @ query if allowed is not None else self._matrix @ query
        if len(rows) > k:
            # Every row that ties with the last one stays, so that ties are cut by id, not by chance.
            kept = scores >= np.partition(scores, len(rows) - k)[len(rows) - k] - 10.0**-TIE_DIGITS
            rows, scores = rows[kept], scores[kept]
        return _ranked(self._ids[rows].tolist(), scores.tolist())[:k]


class ChromaIndex:
    """Chroma's index in a folder, or on a server.

    One process at a time may write to a folder, and a process should hold one ``ChromaIndex`` of it: an open one does
    not see what another process writes, and writing through it then loses vectors. So: open, use, close.
    What an index of another ``generation`` or ``dimension`` holds is never found, and is deleted at the next opening
    for writing.
    """

    def __init__(self, place: Path | ChromaServer, dimension: int, generation: int = 0, *, create: bool = True) -> None:
        """Open the index; with ``create`` false only for reading one that exists.

        Raises:
            LibraryError: the index is damaged, or is missing and may not be created.
        """
        self.place = place
        self.dimension = dimension
        self.generation = generation
        self._client: Client | None = None
        self._open(create=create)

    def _open(self, *, create: bool) -> None:
        place = self.place
        if isinstance(place, Path) and not create and not (place / "chroma.sqlite3").is_file():
            raise LibraryError(f"there is no index in {place}; {REBUILD}")
        with _mapped(place):
            self._client = _connect(place)
            try:
                self._collection = self._own_collection(self._client, create=create)
            except BaseException:
                self.close()
                raise

    def _own_collection(self, client: Client, *, create: bool) -> ChromaCollection:
        prefix = self.place.collection if isinstance(self.place, ChromaServer) else "vectors"
        name = f"{prefix}-{self.generation}-{self.dimension}"
        if not create:
            return client.get_collection(name, embedding_function=None)
        _delete_collections(client, f"{prefix}-" if isinstance(self.place, ChromaServer) else "", but=name)
        return client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "ef_search": SEARCH_WIDTH,
                    "sync_threshold": WRITE_EVERY,
                    "batch_size": WRITE_EVERY,
                }
            },
        )

    def stamp(self) -> tuple[str, int]:
        """What was last written on the index by ``put_stamp``, and how many vectors it holds."""
        with self._using() as collection:
            fresh = (
                self._client.get_collection(collection.name, embedding_function=None) if self._client else collection
            )
            return str((fresh.metadata or {}).get(STAMP, "")), int(fresh.count())

    def put_stamp(self, stamp: str) -> None:
        """Write a word on the index, by which a later opening tells whether it is still as it was left."""
        with self._using() as collection:
            collection.modify(metadata={STAMP: stamp})

    def close(self) -> None:
        """Release the folder; further use raises ``LibraryError``."""
        client, self._client = self._client, None
        if client is not None:
            _close(client)

    def count(self) -> int:
        """How many vectors are indexed."""
        with self._using() as collection:
            return int(collection.count())

    def upsert(self, ids: NDArray[np.int64], matrix: NDArray[np.float32], sources: Sequence[str] | None = None) -> None:
        """Add vectors or replace those of the same ids; ``sources`` names the source of each, to filter by.

        Each call writes the whole graph to disk once: give it many vectors.

        Raises:
            LibraryError: the index is damaged, or is of another dimension than ``matrix``.
        """
        if not len(ids):
            return
        _check_dimension(matrix.shape[1], self.dimension)
        with self._using() as collection:
            start = 0
            for names in self._batches(_names(ids.tolist())):
                part = slice(start, start + len(names))
                tags: Any = None if sources is None else [{"source": source} for source in sources[part]]
                # A single change would be left unwritten.
                for _ in range(WRITE_EVERY if len(names) < WRITE_EVERY else 1):
                    collection.upsert(ids=names, embeddings=matrix[part], metadatas=tags)
                start += len(names)

    def delete(self, ids: Iterable[int]) -> None:
        """Take vectors out; ids that are not there are passed over."""
        with self._using() as collection:
            for names in self._batches(_names(ids)):
                collection.delete(ids=names)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: Collection[int] | None = None,
        *,
        sources: Collection[str] | None = None,
    ) -> Found:
        """See ``VectorIndex.search``; ``sources`` filters by the sources that ``upsert`` was given."""
        _check_dimension(query.shape[-1], self.dimension)
        if k < 1 or (sources is not None and not sources):
            return []
        with self._using() as collection:
            wanted = None if allowed is None else self._present(collection, allowed)
            where: Any = None if sources is None else {"source": {"$in": sorted(sources)}}
            total = collection.count() if wanted is None and where is None else 0
            reply = collection.query(
                query_embeddings=query.reshape(1, -1), n_results=k, ids=wanted, where=where, include=["distances"]
            )
        found = _ranked([int(i) for i in reply["ids"][0]], [1.0 - d for d in (reply["distances"] or [[]])[0]])
        # Chroma answers from what is left, without an error, when the files of its graph are gone.
        if len(found) < min(k, total) / 2:
            raise LibraryError(f"the index in {self.place} has lost vectors; {REBUILD}")
        return found

    def _present(self, collection: ChromaCollection, allowed: Iterable[int]) -> list[str]:
        """The allowed ids that are indexed: Chroma fails a query that names another."""
        return [i for names in self._batches(_names(allowed)) for i in collection.get(ids=names, include=[])["ids"]]

    def _batches(self, names: list[str]) -> Iterator[list[str]]:
        size = int(self._client.get_max_batch_size()) if self._client else 1
        return (names[start : start + size] for start in range(0, len(names), size))

    @contextmanager
    def _using(self) -> Iterator[ChromaCollection]:
        if self._client is None:
            raise LibraryError(f"the index in {self.place} is closed")
        with _mapped(self.place):
            yield self._collection


def open_within(seconds: float, place: Path | ChromaServer, dimension: int) -> ChromaIndex:
    """Open an index for reading, in a thread that is given up when it takes longer.

    Raises:
        LibraryError: it took longer, or as ``ChromaIndex`` does.
    """
    import chromadb  # noqa: F401 (loading it takes seconds, which are not the index's)

    opened: Future[ChromaIndex] = Future()

    def work() -> None:
        index, error = None, None
        try:
            index = ChromaIndex(place, dimension, create=False)
        except BaseException as exc:  # noqa: BLE001 (it is raised again by the future)
            error = exc
        if not opened.set_running_or_notify_cancel():
            if index is not None:
                index.close()
        elif index is None:
            opened.set_exception(error)
        else:
            opened.set_result(index)

    threading.Thread(target=work, name="pincite-chroma", daemon=True).start()
    done, _ = wait([opened], seconds)
    if not done and opened.cancel():
        raise LibraryError(f"the index in {place} could not be opened in {seconds:g} s; {REBUILD}")
    return opened.result()


def _connect(place: Path | ChromaServer) -> Client:
    import chromadb
    import httpx
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings as ChromaSettings
    from chromadb.errors import ChromaError

    # Without _env_file, a .env file where the user happens to stand would change Chroma's settings.
    options: dict[str, Any] = {"anonymized_telemetry": False, "_env_file": None}
    try:
        if isinstance(place, ChromaServer):
            return _client_of(place, ChromaSettings(**options))
        return cast("Client", chromadb.PersistentClient(path=str(place), settings=ChromaSettings(**options)))
    except (ChromaError, ValueError, OSError, AttributeError, httpx.HTTPError) as exc:
        # Chroma keeps what failed to start and would hand it out again after the folder was rebuilt. Its own clean-up
        # of that fails with an AttributeError, which hides the cause.
        SharedSystemClient.clear_system_cache()
        cause = exc.__context__ if isinstance(exc, AttributeError) else exc
        raise LibraryError(f"the index in {place} cannot be opened ({cause}); {REBUILD}") from exc


def _client_of(server: ChromaServer, settings: Settings) -> Client:
    """A client of a Chroma server.

    Raises:
        UsageError: its address is none.
    """
    import chromadb

    parts = urlsplit(server.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"not the URL of a Chroma server: {str(server)!r}; give one like http://127.0.0.1:8000")
    names = [part for part in parts.path.split("/") if part]
    tenant, database = names if len(names) == 2 else DEFAULT_NAMES
    secure = parts.scheme == "https"
    headers = {"x-chroma-token": server.api_key} if server.api_key else {}
    port = parts.port or (443 if secure else 8000)
    client = cast("Client", chromadb.HttpClient(parts.hostname, port, secure, headers, settings, tenant, database))
    for session in _sessions(client):
        # Chroma's own waits for ever.
        session.timeout = REPLY_SECONDS
    return client


def _sessions(client: Client) -> list[Any]:
    """The connections of a client to a server, its own and its administrator's; none to a folder."""
    parts: list[Any] = [client, client._admin_client]  # noqa: SLF001 (chromadb is pinned)
    found = [getattr(getattr(part, "_server", None), "_session", None) for part in parts]
    return [session for session in found if session is not None]


def _close(client: Client) -> None:
    """Close a client, also its connections to a server, which Chroma leaves open."""
    sessions = _sessions(client)
    client.close()
    for session in sessions:
        session.close()


def _delete_collections(client: Client, prefix: str, *, but: str = "") -> None:
    for other in client.list_collections():
        if other.name != but and other.name.startswith(prefix):
            client.delete_collection(other.name)


@contextmanager
def _mapped(place: Path | ChromaServer) -> Iterator[None]:
    """What Chroma raises becomes a ``LibraryError``."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError, OSError, httpx.HTTPError) as exc:
        raise LibraryError(f"the index in {place} cannot be used ({exc}); {REBUILD}") from exc


def drop(place: Path | ChromaServer) -> None:
    """Throw an index away; nothing where there is none.

    Raises:
        LibraryError: its folder cannot be removed, or its server does not answer.
    """
    if isinstance(place, ChromaServer):
        with _mapped(place):
            client = _connect(place)
            _delete_collections(client, f"{place.collection}-")
            _close(client)
        return
    try:
        shutil.rmtree(place)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise LibraryError(f"the index in {place} cannot be removed: {exc.strerror}; check its permissions") from exc


def _names(ids: Iterable[int]) -> list[str]:
    """Chroma's ids are strings."""
    return [str(int(each)) for each in ids]


def _ranked(ids: Sequence[int], scores: Sequence[float]) -> Found:
    return sorted(zip(ids, scores, strict=True), key=lambda found: (-round(found[1], TIE_DIGITS), found[0]))


def _check_dimension(given: int, own: int) -> None:
    if given != own:
        raise EmbedderMismatchError(f"a vector of {given} numbers does not fit the index, which has {own}; {REBUILD}")
