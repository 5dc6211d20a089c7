"""Several Ollama servers as one: each request goes to the one with the least to do, and a failing one has a rest.

They serve what an ingest asks for in great number: descriptions and embeddings. A chat is asked of one server alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ingest.errors import ModelError, ModelMissingError, ModelTimeoutError
from ingest.models import Message, Ollama, ReplyOptions, may_pass
from ingest.settings import Settings

T = TypeVar("T")

AWAY_SECONDS = 60.0
"""Seconds for which a server that failed is not asked, as long as another can be."""


@dataclass(slots=True)
class _Host:
    server: Ollama
    busy: int = 0
    away_until: float = 0.0


class OllamaHosts:
    """The methods of ``Ollama`` that an ingest needs, over many servers. Safe for many threads.

    A request that fails for a reason of the server (no connection, time-out, an error of its own, or the model is not
    there) is made again of the others, each once; the last error is raised when none of them can.
    """

    def __init__(self, servers: Sequence[Ollama], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts = [_Host(server) for server in servers]
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """All hosts, without user names and passwords."""
        return ", ".join(host.server.address for host in self._hosts)

    @property
    def count(self) -> int:
        """Servers."""
        return len(self._hosts)

    def version(self) -> str | None:
        """The version of the first server that answers; the others are known to be away."""
        found = [self._look(host) for host in self._hosts]
        return next((version for version in found if version is not None), None)

    def digest(self, model: str) -> str | None:
        """The digest of a model; servers that have none of it, or another, are not asked for it again.

        Raises:
            ModelError: no server can say.
        """
        digests = [self._digest(host, model) for host in self._hosts]
        known = next((digest for digest in digests if digest is not None), None)
        for host, digest in zip(self._hosts, digests, strict=True):
            if digest != known:
                host.away_until = float("inf")
        return known

    def describe(self, model: str, prompt: str, image: bytes, options: ReplyOptions) -> str:
        """As ``Ollama.describe``, of the server with the least to do."""
        return self._ask(lambda server: server.describe(model, prompt, image, options))

    def chat_text(self, model: str, messages: Sequence[Message], options: ReplyOptions) -> str:
        """As ``Ollama.chat_text``, of the server with the least to do."""
        return self._ask(lambda server: server.chat_text(model, messages, options))

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """As ``Ollama.embed``, of the server with the least to do."""
        return self._ask(lambda server: server.embed(model, texts))

    def _ask(self, request: Callable[[Ollama], T]) -> T:
        asked: list[_Host] = []
        while True:
            host = self._take(asked)
            asked.append(host)
            try:
                return request(host.server)
            except ModelError as error:
                if not (may_pass(error) or isinstance(error, (ModelTimeoutError, ModelMissingError))):
                    raise
                host.away_until = self._clock() + AWAY_SECONDS
                if len(asked) == len(self._hosts):
                    raise
            finally:
                with self._lock:
                    host.busy -= 1

    def _take(self, asked: Sequence[_Host]) -> _Host:
        """The server with the least to do among those not asked yet; those that are away come last."""
        with self._lock:
            now = self._clock()
            left = [host for host in self._hosts if host not in asked]
            host = min(left, key=lambda each: (max(each.away_until - now, 0.0), each.busy))
            host.busy += 1
            return host

    def _look(self, host: _Host) -> str | None:
        version = host.server.version()
        if version is None:
            host.away_until = self._clock() + AWAY_SECONDS
        return version

    def _digest(self, host: _Host, model: str) -> str | None:
        if host.away_until > self._clock():
            return None
        try:
            return host.server.digest(model)
        except ModelError:
            if self.count == 1:
                raise
            return None


def open_servers(settings: Settings) -> OllamaHosts:
    """The servers for descriptions and embeddings: those of PINCITE_OLLAMA_HOSTS, else the one of OLLAMA_HOST.

    Raises:
        UsageError: one is not an ``http`` or ``https`` URL.
    """
    hosts = settings.ollama_hosts or (settings.ollama_host,)
    alone = len(hosts) == 1
    return OllamaHosts([Ollama(host=host, timeout=settings.timeout, retries=2 if alone else 0) for host in hosts])
