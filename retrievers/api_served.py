"""What a server holds: one retriever for all, threads that ask and threads that look up, page pictures, ingests."""

from __future__ import annotations

import importlib.metadata
import re
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.exceptions import HTTPException

from ingest.discover import roots_of
from ingest.errors import UsageError
from ingest.types import stable_id
from retrievers.api_guard import LOOPBACK_NAMES, Rules, host_name, is_loopback_host
from retrievers.api_ingest import Jobs, uploads_folder
from retrievers.api_pages import PagePictures
from retrievers.api_shapes import JSON, served_answer, served_session
from retrievers.api_threads import Threads
from retrievers.chat import ChatModel
from retrievers.conversation import Conversation
from retrievers.history import Session, hash_secret, new_secret, new_session_id, open_history
from retrievers.multi_vector import MultiVectorRetriever

ASKERS = 8
"""Threads that answer; a model's reply keeps one waiting."""
ASKERS_WAITING = 120
VISITORS = 4
"""Threads that answer those who ask through the widget, so that they keep nobody else waiting."""
VISITORS_WAITING = 60
READERS = 4
"""Threads that look things up."""
READERS_WAITING = 200
DRAWERS = 2
"""Threads that wait for pages to be drawn, so that a slow page holds up nothing but pages."""
DRAWERS_WAITING = 100
UPLOAD_FILES = 100
"""Files of one upload, at most."""
FORM_BYTES = 256 * 1024
"""Bytes of a form beside its files, at most."""
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a library is served.

    ``allow_hosts`` are further names of this server, ``allow_origins`` sites whose pages may call the API,
    ``widget_origins`` sites that may show the widget, ``allow_folders`` what may be ingested by request.

    Raises:
        UsageError: an origin is none, or a folder is not there.
    """

    host: str = "127.0.0.1"
    port: int = 8631
    token: str | None = field(default=None, repr=False)
    widget_token: str | None = field(default=None, repr=False)
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    widget_origins: tuple[str, ...] = ()
    allow_folders: tuple[Path, ...] = ()
    model: str | ChatModel | None = None
    upload_bytes: int = 200 * 2**20

    def __post_init__(self) -> None:
        for origin in (*self.allow_origins, *self.widget_origins):
            _check_origin(origin)
        for name in self.allow_hosts:
            if host_name(name) != name.lower():
                raise UsageError(f"{name!r} is no name of a host: leave out scheme and port")
        for folder in self.allow_folders:
            if not folder.is_dir():
                raise UsageError(f"{folder} is not a folder")

    @property
    def needs_token(self) -> bool:
        """Whether others than the users of this machine can reach the server."""
        return not is_loopback_host(self.host) or not all(map(is_loopback_host, self.allow_hosts))

    @property
    def rules(self) -> Rules:
        """Whom the guard lets in."""
        is_near = is_loopback_host(self.host)
        own = () if is_near else (self.host, socket.gethostname())
        return Rules(
            hosts=frozenset(name.lower() for name in (*LOOPBACK_NAMES, *own, *self.allow_hosts)),
            any_address=not is_near,
            token=self._checked_token(),
            origins=frozenset(self.allow_origins),
            widget_origins=self.widget_origins,
            widget_token=self.widget_token if self.widget_origins else None,
            upload_bytes=self.upload_bytes + FORM_BYTES,
        )

    def _checked_token(self) -> str | None:
        if self.needs_token and not self.token:
            raise UsageError(f"a token is needed where others can reach the server ({self.host})")
        return self.token

    def with_tokens(self) -> ServeOptions:
        """The options with new tokens where they are needed and were not given."""
        token = self.token or (new_token() if self.needs_token else None)
        widget = self.widget_token or (new_token() if self.widget_origins else None)
        return replace(self, token=token, widget_token=widget)


def welcome(options: ServeOptions, port: int) -> str:
    """What is said when the server is up: where the page is, and the snippet of the widget."""
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104 (asked whether it is)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    lines = [f"pincite is at {address}/" + (f"#token={options.token}" if options.token else "")]
    if options.widget_origins:
        snippet = f'<script src="{address}/widget.js" data-token="{options.widget_token}" async></script>'
        lines += [f"for the pages of {', '.join(options.widget_origins)}:", snippet]
    return "\n".join([*lines, "Ctrl-C ends it."])


def _check_origin(origin: str) -> None:
    if not _ORIGIN.fullmatch(origin):
        raise UsageError(f"{origin!r} is no origin: write it like https://example.org, without a path")


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(24)


def pincite_version() -> str:
    """The installed version."""
    try:
        return importlib.metadata.version("pincite")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


class Served:
    """A library as it is served. Blocking calls are made in its threads; each keeps one connection to the library."""

    def __init__(self, retriever: MultiVectorRetriever, options: ServeOptions) -> None:
        self.retriever, self.options = retriever, options
        self.library = retriever.library
        self.askers = Threads("ask", ASKERS, ASKERS_WAITING)
        self.visitors = Threads("visit", VISITORS, VISITORS_WAITING)
        self.readers = Threads("read", READERS, READERS_WAITING)
        self.drawers = Threads("draw", DRAWERS, DRAWERS_WAITING)
        self.pages = PagePictures(self.library, retriever.settings.password)
        self.jobs = Jobs(self.library.folder, retriever.settings)
        self.history = open_history(self.library.folder, retriever.settings)
        self.uploads = uploads_folder(self.library)
        folders = roots_of(options.allow_folders)
        self.folders = {stable_id(str(folder)): folder for folder in folders}

    def close(self) -> None:
        """End what runs; the retriever and its library stay open."""
        self.jobs.close()
        self.askers.close()
        self.visitors.close()
        self.readers.close()
        self.drawers.close()
        self.pages.close()
        self.history.close()

    def enter(self, session_id: str | None, user_id: str, secret: str | None) -> tuple[str, str | None]:
        """The session to ask in, and the secret of a new one.

        Raises:
            HTTPException: 404, there is no such session, or not with this secret.
        """
        if session_id is not None:
            return self.session(session_id, secret).session_id, None
        session_id, secret = new_session_id(), new_secret()
        hashed = hash_secret(secret)
        self.history.start(Session(session_id=session_id, started=time.time(), user_id=user_id, secret_sha256=hashed))
        return session_id, secret

    def session(self, session_id: str, secret: str | None) -> Session:
        """A session of one who knows its secret; the same is said of one that is not there.

        Raises:
            HTTPException: 404.
        """
        found = self.history.session(session_id)
        if found is None or not found.admits(secret):
            raise HTTPException(404, "no such session, or not with this secret")
        return found

    def turns(self, session_id: str, secret: str | None) -> JSON:
        """A session and its turns, for one who knows its secret.

        Raises:
            HTTPException: 404.
        """
        session = self.session(session_id, secret)
        return served_session(session, self.history.turns(session_id), self.library)

    def answer(self, question: str, session_id: str, doc: str | None, say: Callable[[str], None] | None = None) -> JSON:
        """An answer in a session, as it is sent."""
        talk = Conversation(session_id=session_id, history=self.history, retriever=self.retriever)
        found = talk.ask(question, model=self.options.model, doc=doc, on_token=say)
        return served_answer(found, self.library, session_id)

    def health(self, role: str) -> JSON:
        """How the server stands, and what the one who asks may do."""
        counts = self.library.counts()
        return {
            "status": "ok",
            "version": pincite_version(),
            "role": role,
            "library": {**counts, "generation": self.library.generation},
            "asking": self.askers.taken + self.visitors.taken,
            "ingesting": self.jobs.running,
            "max_upload_bytes": self.options.upload_bytes,
            "max_upload_files": UPLOAD_FILES,
            "folders": self._folders_shown() if role == "owner" else [],
        }

    def _folders_shown(self) -> Sequence[JSON]:
        return [{"folder": key, "path": self.library.shown(str(path))} for key, path in self.folders.items()]
