"""Chat, vision and embedding models on an Ollama server; the only home of the ``ollama`` package.

Whatever the server, the network or the package raises leaves this module as a ``ModelError`` that says what to do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from ingest.errors import (
    ModelError,
    ModelMissingError,
    ModelTimeoutError,
    ModelUnreachableError,
    TruncatedStreamError,
    UsageError,
)

if TYPE_CHECKING:
    import ssl

    from ollama import ChatResponse, Client, GenerateResponse

T = TypeVar("T")
Part = TypeVar("Part", "ChatResponse", "GenerateResponse")
Tokens = Generator[str, None, "Reply"]

CONNECT_SECONDS = 5.0
VERSION_SECONDS = 1.0
SERVER_TEXT_LENGTH = 300
"""Characters of a server's error text that a message repeats; a proxy may send a whole page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply. ``cut_short`` says that the length limit ended it.

    ``prompt_tokens`` is what the server read of the prompt: as many as ``num_ctx`` means that it dropped the rest.
    """

    text: str
    cut_short: bool = False
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyOptions:
    """How a reply is made; always at temperature 0.

    ``num_ctx`` is the context in tokens, ``None`` for the server's own, which silently drops the start of a longer
    prompt; ``num_predict`` is the longest reply in tokens. ``keep_alive`` is how long the server then keeps the model
    in memory: seconds, or a text such as ``5m``; ``None`` for the server's own.
    """

    num_ctx: int | None = None
    num_predict: int | None = None
    keep_alive: float | str | None = None

    @property
    def sent(self) -> dict[str, float]:
        """What a request names as its options."""
        limits = {"num_ctx": self.num_ctx, "num_predict": self.num_predict}
        return {"temperature": 0.0} | {name: value for name, value in limits.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ollama:
    """An Ollama server.

    Only ``host`` is ever contacted: no proxy of the environment is used and no redirect is followed. ``timeout`` is
    the longest silence in seconds, before a reply or between two of its tokens. What may pass (no connection, server
    busy or failing, a reply that broke off before its first token) is tried ``retries`` more times, after
    ``backoff``, twice ``backoff``... seconds.

    Raises:
        UsageError: the host is not an ``http`` or ``https`` URL, or a number is out of range.
    """

    host: str
    timeout: float = 120.0
    retries: int = 2
    backoff: float = 0.5

    def __post_init__(self) -> None:
        if not _is_http_url(self.host):
            raise UsageError(f"not the URL of a model server: {self.host!r}; give one like http://127.0.0.1:11434")
        if self.timeout <= 0 or self.retries < 0 or self.backoff < 0:
            raise UsageError("timeout must be above 0, retries and backoff 0 or more")

    @property
    def address(self) -> str:
        """The host without a user name and password, as messages show it."""
        return without_secret(self.host)

    def version(self) -> str | None:
        """The server's version; ``None`` where no Ollama server answers within a second."""
        import httpx

        try:
            url = self.host.rstrip("/") + "/api/version"
            answer = httpx.get(url, timeout=VERSION_SECONDS, trust_env=False, verify=_tls(self.host))
            body = answer.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None
        return str(body["version"]) if isinstance(body, dict) and "version" in body else None

    def models(self) -> dict[str, str]:
        """The digest of each model on the server, by its full name such as ``llama3:latest``."""
        listed = self._call("", lambda client: client.list())
        return {model.model: model.digest or "" for model in listed.models if model.model}

    def has(self, model: str) -> bool:
        """Whether the server has a model; a name without a tag means its tag ``latest``."""
        return with_tag(model) in self.models()

    def digest(self, model: str) -> str | None:
        """The digest of a model, ``None`` where the server does not have it."""
        return self.models().get(with_tag(model))

    def context_length(self, model: str) -> int | None:
        """The longest context in tokens that a model can take, ``None`` where the server does not say."""
        info = self._call(model, lambda client: client.show(model)).modelinfo or {}
        own = f"{info.get('general.architecture')}.context_length"
        keys = [own, *(key for key in info if key.endswith(".context_length"))]
        return next((int(info[key]) for key in keys if isinstance(info.get(key), int)), None)

    def chat(self, model: str, messages: Sequence[Message], options: ReplyOptions) -> Tokens:
        """The tokens of a reply as they come; the generator's value (``yield from``) is the ``Reply``.

        Closing the generator hangs up.

        Raises:
            ModelError: any of its kinds; after the first token it is not tried again.
        """
        sent = [{"role": message.role, "content": encodable(message.content)} for message in messages]
        return self._stream(
            model,
            lambda client: client.chat(model, sent, stream=True, options=options.sent, keep_alive=options.keep_alive),
            lambda part: part.message.content or "",
        )

    def chat_text(self, model: str, messages: Sequence[Message], options: ReplyOptions) -> str:
        """The text of a whole reply; otherwise as ``chat``."""
        return whole(self.chat(model, messages, options)).text

    def describe(self, model: str, prompt: str, image: bytes, options: ReplyOptions) -> str:
        """What a vision model says of a picture (the bytes of a PNG or JPEG file).

        A reply that reaches the longest is taken as it is.

        Raises:
            ModelError: any of its kinds.
        """
        tokens = self._stream(
            model,
            lambda client: client.generate(
                model,
                encodable(prompt),
                images=[image],
                stream=True,
                options=options.sent,
                keep_alive=options.keep_alive,
            ),
            lambda part: part.response or "",
        )
        return whole(tokens).text

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order, by one request.

        Raises:
            ModelError: any of its kinds; also where the server does not return a vector for each text.
        """
        if not texts:
            return []
        answer = self._call(model, lambda client: client.embed(model, [encodable(text) for text in texts]))
        if len(answer.embeddings) != len(texts):
            raise ModelError(
                f"{self.address} returned {len(answer.embeddings)} vectors for {len(texts)} texts: "
                f"check that {model} is an embedding model"
            )
        return [[float(number) for number in vector] for vector in answer.embeddings]

    def _call(self, model: str, ask: Callable[[Client], T]) -> T:
        attempt = 0
        while True:
            try:
                with self._mapped(model), self._client() as client:
                    return ask(client)
            except ModelError as error:
                self._wait_or_raise(error, attempt)
            attempt += 1

    def _stream(self, model: str, ask: Callable[[Client], Iterator[Part]], text_of: Callable[[Part], str]) -> Tokens:
        attempt = 0
        while True:
            said: list[str] = []
            try:
                return (yield from self._stream_once(model, ask, text_of, said))
            except ModelError as error:
                # Tokens that were handed out cannot be taken back: a second attempt would say them twice.
                self._wait_or_raise(error, self.retries if said else attempt)
            attempt += 1

    def _stream_once(
        self, model: str, ask: Callable[[Client], Iterator[Part]], text_of: Callable[[Part], str], said: list[str]
    ) -> Tokens:
        with self._mapped(model, said), self._client() as client:
            for part in ask(client):
                if token := text_of(part):
                    said.append(token)
                    yield token
                if part.done:
                    cut_short = part.done_reason == "length"
                    return Reply(text="".join(said), cut_short=cut_short, prompt_tokens=part.prompt_eval_count)
        # The ollama package ends a stream that broke off like any other.
        raise _truncated(self.address, model)

    def _wait_or_raise(self, error: ModelError, attempt: int) -> None:
        if attempt >= self.retries or not may_pass(error):
            raise error
        time.sleep(self.backoff * 2**attempt)

    def _client(self) -> Client:
        import httpx
        import ollama

        timeout = httpx.Timeout(self.timeout, connect=min(self.timeout, CONNECT_SECONDS))
        return ollama.Client(
            self.host, timeout=timeout, follow_redirects=False, trust_env=False, verify=_tls(self.host)
        )

    @contextmanager
    def _mapped(self, model: str, said: Sequence[str] = ()) -> Iterator[None]:
        vendor_errors = _vendor_errors()
        try:
            yield
        except vendor_errors as exc:
            raise self._model_error(exc, model, said) from exc

    def _model_error(self, exc: Exception, model: str, said: Sequence[str]) -> ModelError:
        import httpx

        if said and isinstance(exc, (httpx.NetworkError, httpx.RemoteProtocolError)):
            return _truncated(self.address, model)
        if isinstance(exc, httpx.TimeoutException) and not isinstance(exc, httpx.ConnectTimeout):
            return ModelTimeoutError(
                f"{model or 'the model server'} at {self.address} was silent for {self.timeout:g} seconds: "
                "take a smaller model or a longer timeout"
            )
        if isinstance(exc, (ConnectionError, httpx.TransportError)):
            # The text of ollama's own ConnectionError is advice, not a reason.
            reason = "" if isinstance(exc, ConnectionError) else f" ({_short(exc)})"
            return ModelUnreachableError(
                f"no model server answers at {self.address}{reason}: "
                "start it with `ollama serve`, or name another with OLLAMA_HOST"
            )
        if model and getattr(exc, "status_code", None) == 404:
            return ModelMissingError(f"{self.address} does not have {model} ({_short(exc)}): run `ollama pull {model}`")
        if isinstance(exc, (ValueError, TypeError, AttributeError)):
            return ModelError(f"{self.address} does not answer as Ollama does ({_short(exc)}): check the address")
        return ModelError(f"{model or 'the model server'} at {self.address} failed: {_short(exc)}")


def whole(tokens: Tokens) -> Reply:
    """The reply that a stream of tokens ends in."""
    while True:
        try:
            next(tokens)
        except StopIteration as end:
            reply: Reply = end.value
            return reply


def is_loopback(host_url: str) -> bool:
    """Whether a URL or ``host:port`` names this machine itself; false when in doubt."""
    try:
        name = urlsplit(host_url if "://" in host_url else f"//{host_url}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def with_tag(model: str) -> str:
    """The full name of a model; one without a tag has the tag ``latest``."""
    # The part before the last slash may be a registry with a port.
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def encodable(text: str) -> str:
    """The text without lone surrogates, which broken text layers hold and no tokenizer or request can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _tls(host: str) -> ssl.SSLContext:
    """The system's certificates for ``https``; for ``http`` an empty context, as reading them takes longer."""
    import ssl

    return ssl.create_default_context() if host.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _vendor_errors() -> tuple[type[Exception], ...]:
    """All that the ollama package lets through, also what it raises itself on a reply of another shape."""
    try:
        import httpx
        import ollama
    except (ImportError, ValueError) as exc:
        # Its import builds a client from the proxy variables and OLLAMA_HOST, and fails where those are unusable.
        raise ModelError(
            f"the ollama package cannot be loaded: {exc}; check the proxy variables and OLLAMA_HOST"
        ) from exc
    own = (ollama.RequestError, ollama.ResponseError)
    transport = (ConnectionError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
    return (*own, *transport, ValueError, TypeError, AttributeError)


def without_secret(text: str) -> str:
    """A text with the user names and passwords of the URLs in it left out."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def may_pass(error: ModelError) -> bool:
    """Whether the same request may succeed later, or of another server."""
    status = getattr(error.__cause__, "status_code", 0)
    return isinstance(error, (ModelUnreachableError, TruncatedStreamError)) or status == 429 or status >= 500


def _truncated(host: str, model: str) -> TruncatedStreamError:
    return TruncatedStreamError(f"the reply of {model} at {host} broke off before its end: ask again")


def _short(exc: Exception) -> str:
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= SERVER_TEXT_LENGTH else text[:SERVER_TEXT_LENGTH] + "…"
