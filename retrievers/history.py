"""What was asked and answered before: sessions and their turns, in the library's folder or in MongoDB."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from ingest.errors import UsageError
from ingest.models import is_loopback, without_secret

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.library import Library
    from ingest.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LEFT_OUT = ("results", "timing", "seconds")
"""Of an answer's JSON: passages that were read but not cited, and times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation. ``user_id`` is a label that a caller gave, no proof of who asks; times are seconds since 1970.

    ``secret_sha256`` is the hash of the secret without which an HTTP client may not read the session; ``None`` for
    one that was begun on the command line, which no HTTP client may read.
    """

    session_id: str
    started: float
    user_id: str | None = None
    secret_sha256: str | None = field(default=None, repr=False)

    def admits(self, secret: str | None) -> bool:
        """Whether this is the session's secret; nothing is that of a session without one."""
        if secret is None or self.secret_sha256 is None:
            return False
        return hmac.compare_digest(hash_secret(secret), self.secret_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and its answer. ``full_question`` is what was searched: the question with what it left unsaid.

    ``answer`` is the JSON of ``answer_json`` less the passages that were not cited. ``source_ids`` are the sources
    whose words stand in the turn, cited or carried over into its question: with these it is purged.
    """

    question: str
    full_question: str
    answer: Mapping[str, Any]
    asked: float
    source_ids: tuple[str, ...] = ()


class History(Protocol):
    """The seat of a store of sessions. Safe for use by many threads, and by many processes at a time.

    Every method raises ``HistoryError`` where the store cannot be read or written.
    """

    def start(self, session: Session) -> bool:
        """Keep a new session; false, and nothing changes, where there is one with this id."""
        ...

    def session(self, session_id: str) -> Session | None:
        """A session by its id."""
        ...

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """All sessions, or those with this label; the one that began last comes first."""
        ...

    def append(self, session_id: str, turn: Turn) -> bool:
        """Add a turn; false, and nothing is kept, where the session is gone."""
        ...

    def turns(self, session_id: str, last: int | None = None) -> list[Turn]:
        """A session's turns, oldest first: all, or the ``last`` ones; none of an unknown session."""
        ...

    def delete(self, session_id: str) -> bool:
        """Delete a session with its turns; false where there is none."""
        ...

    def source_ids(self) -> set[str]:
        """The sources whose words stand in any turn."""
        ...

    def count_citing(self, source_ids: Collection[str]) -> int:
        """How many turns hold words of any of these sources."""
        ...

    def purge(self, source_ids: Collection[str]) -> int:
        """Delete every turn that holds words of any of these sources; returns how many."""
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...


def open_history(folder: Path, settings: Settings) -> History:
    """The history of a library folder: in a file of its own there, or where ``PINCITE_HISTORY_URL`` says.

    Raises:
        UsageError: the URL is not one of MongoDB.
        MissingExtraError: pymongo is not installed.
    """
    if settings.history_url is None:
        from retrievers.history_sqlite import SQLiteHistory

        return SQLiteHistory(folder)
    if urlsplit(settings.history_url).scheme not in ("mongodb", "mongodb+srv"):
        raise UsageError(
            "PINCITE_HISTORY_URL must be a URL like mongodb://127.0.0.1:27017/pincite,"
            f" not {without_secret(settings.history_url)!r}"
        )
    from retrievers.history_mongo import MongoHistory

    return MongoHistory(settings.history_url)


def gone_sources(history: History, library: Library) -> set[str]:
    """The sources whose words stand in turns, but which have left the library, or stand in it in another version."""
    return history.source_ids() - {source.id for source in library.sources()}


def check_session_id(session_id: str) -> str:
    """The id, if it can be one: up to 64 letters, digits, dots, hyphens and underscores.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.fullmatch(session_id):
        raise UsageError(
            f"{session_id!r} cannot name a session: take up to 64 letters, digits, dots, hyphens or underscores"
        )
    return session_id


def new_session_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_urlsafe(18).replace("-", "x").replace("_", "y")


def new_secret() -> str:
    """A secret for a session, to be given to its client once and kept nowhere."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """The hash by which a secret is kept. A random secret of 256 bits needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def kept_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of an answer as a turn keeps it."""
    return {name: value for name, value in answer.items() if name not in _LEFT_OUT}


def said_in(turn: Turn) -> str:
    """The words of a turn as JSON, of ASCII alone: no store can hold half of a surrogate pair."""
    return json.dumps({"question": turn.question, "full_question": turn.full_question, "answer": dict(turn.answer)})


def turn_of(said: str, asked: float, source_ids: Sequence[str]) -> Turn:
    """The turn that was kept as JSON."""
    return Turn(**json.loads(said), asked=asked, source_ids=tuple(sorted(source_ids)))


def history_hosts(url: str) -> Sequence[str]:
    """The hosts that a URL of MongoDB names, without names and passwords of users."""
    return urlsplit(url).netloc.rpartition("@")[2].split(",")


def is_near(url: str) -> bool:
    """Whether all hosts of a URL of MongoDB are this machine; false in doubt, as where DNS names them."""
    return not url.startswith("mongodb+srv:") and all(map(is_loopback, history_hosts(url)))
