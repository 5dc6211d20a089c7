"""Sessions in MongoDB, through pymongo."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ingest.errors import HistoryError, MissingExtraError, UsageError
from retrievers.history import Session, Turn, history_hosts, said_in, turn_of

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

DATABASE = "pincite"
"""Where the URL names none."""
PATIENCE_MS = 5_000
"""Milliseconds until a server that does not answer is given up."""

_Document = dict[str, Any]


class MongoHistory:
    """The seat ``retrievers.history.History`` over two collections, ``sessions`` and ``turns``.

    A turn's words are kept as one JSON text: names of fields and numbers of any kind come back as they were.
    """

    def __init__(self, url: str, client: MongoClient[_Document] | None = None) -> None:
        """A history at a URL; nothing is sent before the first use. ``client`` stands in for that of pymongo.

        Raises:
            UsageError: it is no URL of MongoDB.
            MissingExtraError: pymongo is not installed.
        """
        self._hosts = ", ".join(history_hosts(url))
        self._client = client if client is not None else _client(url)
        self._name = urlsplit(url).path.strip("/") or DATABASE
        self._indexed = False
        self._lock = threading.Lock()

    def start(self, session: Session) -> bool:
        """Keep a new session; false where there is one with this id."""
        from pymongo.errors import DuplicateKeyError

        document = {"_id": session.session_id, "started": session.started, "user_id": session.user_id}
        with self._database() as db:
            try:
                db["sessions"].insert_one({**document, "secret_sha256": session.secret_sha256})
            except DuplicateKeyError:
                return False
        return True

    def session(self, session_id: str) -> Session | None:
        """A session by its id."""
        with self._database() as db:
            found = db["sessions"].find_one({"_id": session_id})
        return _session(found) if found else None

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """All sessions, or those with this label; the one that began last comes first."""
        wanted = {} if user_id is None else {"user_id": user_id}
        with self._database() as db:
            return [_session(found) for found in db["sessions"].find(wanted).sort([("started", -1), ("_id", 1)])]

    def append(self, session_id: str, turn: Turn) -> bool:
        """Add a turn; false where the session is gone."""
        document = {"session_id": session_id, "asked": turn.asked, "said": said_in(turn)}
        with self._database() as db:
            if db["sessions"].find_one({"_id": session_id}) is None:
                return False
            added = db["turns"].insert_one({**document, "source_ids": list(turn.source_ids)})
            if db["sessions"].find_one({"_id": session_id}) is not None:
                return True
            # It was deleted in between, and its turns with it.
            db["turns"].delete_one({"_id": added.inserted_id})
        return False

    def turns(self, session_id: str, last: int | None = None) -> list[Turn]:
        """A session's turns, oldest first: all, or the ``last`` ones."""
        if last == 0:
            return []
        with self._database() as db:
            found = db["turns"].find({"session_id": session_id}).sort([("asked", -1), ("_id", -1)]).limit(last or 0)
            return [turn_of(t["said"], t["asked"], t["source_ids"]) for t in reversed(list(found))]

    def delete(self, session_id: str) -> bool:
        """Delete a session with its turns."""
        with self._database() as db:
            deleted = db["sessions"].delete_one({"_id": session_id}).deleted_count
            db["turns"].delete_many({"session_id": session_id})
        return deleted == 1

    def source_ids(self) -> set[str]:
        """The sources whose words stand in any turn."""
        with self._database() as db:
            return set(db["turns"].distinct("source_ids"))

    def count_citing(self, source_ids: Collection[str]) -> int:
        """How many turns hold words of any of these sources."""
        with self._database() as db:
            return db["turns"].count_documents(_citing(source_ids))

    def purge(self, source_ids: Collection[str]) -> int:
        """Delete every turn that holds words of any of these sources; returns how many."""
        with self._database() as db:
            return db["turns"].delete_many(_citing(source_ids)).deleted_count

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextlib.contextmanager
    def _database(self) -> Iterator[Database[_Document]]:
        from bson.errors import BSONError
        from pymongo.errors import PyMongoError

        try:
            db = self._client[self._name]
            with self._lock:
                if not self._indexed:
                    db["turns"].create_index([("session_id", 1), ("asked", 1)])
                    db["turns"].create_index("source_ids")
                    self._indexed = True
            yield db
        except (PyMongoError, BSONError) as exc:
            what = " ".join(str(exc).split())[:200]
            raise HistoryError(
                f"the history on MongoDB at {self._hosts} cannot be used ({what}): start the server, or unset"
                " PINCITE_HISTORY_URL to keep it in the library's folder"
            ) from exc


def _client(url: str) -> MongoClient[_Document]:
    try:
        from pymongo import MongoClient
        from pymongo.errors import ConfigurationError, InvalidURI
    except ImportError as exc:
        raise MissingExtraError("mongo", "a history on MongoDB") from exc
    try:
        return MongoClient(url, serverSelectionTimeoutMS=PATIENCE_MS, connectTimeoutMS=PATIENCE_MS, connect=False)
    except (ConfigurationError, InvalidURI, ValueError) as exc:
        hosts = ", ".join(history_hosts(url))
        raise UsageError(f"PINCITE_HISTORY_URL names no MongoDB (hosts read: {hosts}): {exc}") from exc


def _citing(source_ids: Collection[str]) -> _Document:
    return {"source_ids": {"$in": list(source_ids)}}


def _session(found: Mapping[str, Any]) -> Session:
    return Session(
        session_id=found["_id"],
        started=found["started"],
        user_id=found["user_id"],
        secret_sha256=found["secret_sha256"],
    )
