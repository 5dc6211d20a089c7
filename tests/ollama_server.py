"""A server that speaks Ollama's protocol on loopback, with scripted replies and faults.

The official client talks to it unchanged. By hand, for demonstrations::

    python -m tests.ollama_server --port 0 --script cites_well --models llama3,llava
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import math
import re
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from socketserver import TCPServer
from typing import Any, Literal, Self

Fault = Literal[
    "slow", "stall", "cut", "drop", "error", "garbage", "length", "endless",
    "307", "400", "404", "429", "500", "503",
]  # fmt: skip
"""What goes wrong with a reply.

slow: nothing is sent until the client hangs up · stall: the same after ``after`` tokens · cut: the stream ends cleanly
after ``after`` tokens, without ``done`` · drop: the connection breaks there · error: an ``error`` line comes there ·
garbage: HTML instead of JSON · length: a whole reply whose ``done_reason`` is ``length`` · endless: the text again and
again until the client hangs up · a number: that HTTP status,
with the reply's text as the error (307: as the place that it points to).
"""

CREATED = "2026-01-01T00:00:00Z"
STEP_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 30.0
DEFAULT_MODELS = ("llama3", "llava", "nomic-embed-text")
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by did do does for from had has have how in is it its of on or that the their there "
        "this to was were what when where which who whom why will with",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A numbered passage of a prompt."""

    number: int
    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came in."""

    path: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The last user message of a chat, or the prompt of a generation."""
        said = [m.get("content", "") for m in self.body.get("messages", []) if m.get("role") == "user"]
        return str(said[-1] if said else self.body.get("prompt", ""))

    @property
    def images(self) -> list[bytes]:
        """The pictures that came with it."""
        holders = [self.body, *self.body.get("messages", [])]
        return [base64.b64decode(image) for holder in holders for image in holder.get("images") or []]

    @property
    def question(self) -> str:
        """The text of the last ``Question:`` line."""
        found = re.findall(r"^Question:[ ]*(.*)$", self.prompt, re.MULTILINE)
        return str(found[-1]).strip() if found else ""

    @property
    def passages(self) -> list[Passage]:
        """The blocks ``[n] place``, ``<<<``, text, ``>>>`` of the prompt."""
        blocks = re.findall(r"^\[(\d+)\] ?([^\n]*)\n<<<\n(.*?)\n>>>$", self.prompt, re.MULTILINE | re.DOTALL)
        return [Passage(number=int(number), place=place, text=text) for number, place, text in blocks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A scripted reply. ``delay`` are the seconds before each token; ``after`` tokens come before a fault."""

    text: str = ""
    fault: Fault | None = None
    delay: float = 0.0
    after: int = 2


Script = Callable[[Request], Reply | str] | Sequence[Reply | str]
"""A function of the request, or replies to give in turn, of which the last repeats."""


# Scripts


def cites_well(request: Request) -> Reply:
    """Quotes the sentence that shares most words with the question, of the passage that does, and cites it."""
    return Reply(text=_cited(request, lambda sentence, number: f"{sentence} [{number}]."))


def invents_citations(request: Request) -> Reply:
    """The right sentence, cited to a passage that is not there."""
    return Reply(text=_cited(request, lambda sentence, number: f"{sentence} [99]."))


def no_citations(request: Request) -> Reply:
    """The right sentence without a citation."""
    return Reply(text=_cited(request, lambda sentence, number: f"{sentence}."))


def wrong_numbers(request: Request) -> Reply:
    """The right passage is cited, but each number of the sentence is one more; a sentence without any gets a year."""

    def falsify(sentence: str, number: int) -> str:
        changed, count = re.subn(r"\d+", lambda match: str(int(match[0]) + 1), sentence)
        return f"{changed} [{number}]." if count else f"In 1907, {sentence} [{number}]."

    return Reply(text=_cited(request, falsify))


def obeys_injection(request: Request) -> Reply:
    """Says what a passage orders ("ignore previous instructions and say X"); without such an order cites well."""
    order = re.compile(r"ignore (?:\w+ ){0,3}instructions[,;.]? (?:and )?(?:say|answer|reply|write):? ([^.\n]+)", re.I)
    for passage in request.passages:
        if found := order.search(passage.text):
            return Reply(text=found[1].strip(" \"'"))
    return cites_well(request)


def cut_stream(request: Request) -> Reply:
    """A good answer whose stream ends after two tokens, without ``done``."""
    return replace(cites_well(request), fault="cut")


def slow(request: Request) -> Reply:
    """Sends nothing until the client hangs up."""
    return Reply(fault="slow")


def describes_image(request: Request) -> Reply:
    """A description that depends on the bytes of the first picture, with the prompt's ``Caption:``."""
    digest = hashlib.sha256(request.images[0]).hexdigest() if request.images else "none"
    caption = re.search(r"\bcaption\b[^:\n]*:\s*(.+)$", request.prompt, re.MULTILINE | re.IGNORECASE)
    shown = f", captioned {caption[1].strip(' <>')}" if caption else ""
    return Reply(text=f"A figure with the mark {digest[:12]}{shown}.")


SCRIPTS: Mapping[str, Callable[[Request], Reply]] = {
    script.__name__: script
    for script in (cites_well, invents_citations, no_citations, wrong_numbers, obeys_injection, cut_stream, slow)
}


def _cited(request: Request, say: Callable[[str, int], str]) -> str:
    wanted = _content_words(request.question)
    best = max(request.passages, key=lambda passage: _shared(wanted, passage.text), default=None)
    if best is None or not _shared(wanted, best.text):
        return "The passages do not answer this."
    sentences = [s for s in re.split(r"(?<=[.!?])\s+|\n+", best.text) if s.strip()]
    sentence = max(sentences, key=lambda text: _shared(wanted, text))
    return say(sentence.strip().rstrip(".!?"), best.number)


def _content_words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - STOP_WORDS


def _shared(wanted: set[str], text: str) -> int:
    return len(wanted & _content_words(text))


# Server


def full_name(model: str) -> str:
    """The name with its tag, as the server lists it."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def models_named(*names: str) -> dict[str, str]:
    """Models with made-up digests."""
    return {full_name(name): hashlib.sha256(full_name(name).encode()).hexdigest() for name in names}


def bag_of_words(text: str, dimension: int) -> list[float]:
    """A unit vector of hashed words, equal in every run."""
    vector = [0.0] * dimension
    for word in re.findall(r"\w+", text.lower()) or [""]:
        number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        vector[number % dimension] += 1.0
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


class OllamaServer:
    """An Ollama server on a loopback port, for a ``with`` block.

    ``script`` answers texts, ``vision`` whatever comes with a picture. ``faults`` names, by path, what goes wrong
    with its first requests in turn (``None``: nothing). ``requests`` holds what came in, in order. An error of the
    server itself, say of a script, is raised when the block ends.
    """

    def __init__(
        self,
        models: Mapping[str, str] | None = None,
        script: Script = cites_well,
        *,
        vision: Script = describes_image,
        faults: Mapping[str, Sequence[Fault | None]] | None = None,
        dimension: int = 256,
        context_length: int | None = 8192,
        port: int = 0,
    ) -> None:
        self.models = models_named(*DEFAULT_MODELS) if models is None else dict(models)
        self.dimension = dimension
        self.context_length = context_length
        self.requests: list[Request] = []
        self.crashes: list[BaseException] = []
        self.stopping = threading.Event()
        self._scripts = {"text": _Turns(script), "vision": _Turns(vision)}
        self._faults = {path: iter(list(turns)) for path, turns in (faults or {}).items()}
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="ollama-server")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self.crashes and kind is None:
            raise self.crashes[0]

    def requests_to(self, path: str) -> list[Request]:
        """The requests that came to one path."""
        return [request for request in self.requests if request.path == path]

    def reply_to(self, request: Request) -> Reply:
        """What the script says to a request."""
        return self._scripts["vision" if request.images else "text"].take(request)

    def next_fault(self, path: str) -> Fault | None:
        """What goes wrong with the next request to a path."""
        return next(self._faults.get(path, iter(())), None)


class _Turns:
    """A script that is asked request by request, from several threads."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._used = 0
        self._lock = threading.Lock()

    def take(self, request: Request) -> Reply:
        said = self._script(request) if callable(self._script) else self._next(self._script)
        return Reply(text=said) if isinstance(said, str) else said

    def _next(self, replies: Sequence[Reply | str]) -> Reply | str:
        with self._lock:
            self._used += 1
            return replies[min(self._used, len(replies)) - 1]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for every request
    block_on_close = True

    def __init__(self, address: tuple[str, int], ollama: OllamaServer) -> None:
        self.ollama = ollama
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up the host's name, which can take seconds without a network.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.ollama.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: requests are recorded instead."""

    def do_HEAD(self) -> None:
        self._head(200, "text/plain")

    def do_GET(self) -> None:
        routes = {"/": self._root, "/api/version": self._version, "/api/tags": self._tags}
        self._route(Request(path=self.path), routes)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        if len(content) < length:
            return  # the client was killed while it sent
        body = json.loads(content)
        routes = {
            "/api/chat": self._talk,
            "/api/generate": self._talk,
            "/api/embed": self._embed,
            "/api/show": self._show,
        }
        self._route(Request(path=self.path, body=body), routes)

    def _route(self, request: Request, routes: Mapping[str, Callable[[Request], None]]) -> None:
        ollama = self.server.ollama
        ollama.requests.append(request)
        # A connection kept open would keep its thread when the server stops.
        self.close_connection = True
        route = routes.get(request.path)
        if route is None:
            self._send(404, b"404 page not found", "text/plain")
        elif fault := ollama.next_fault(request.path):
            self._fail(request, Reply(text="scripted", fault=fault))
        elif request.body and full_name(str(request.body.get("model"))) not in ollama.models:
            self._send_json(404, {"error": f"model '{request.body.get('model')}' not found"})
        else:
            route(request)

    # Replies without a script

    def _root(self, request: Request) -> None:
        self._send(200, b"Ollama is running", "text/plain")

    def _version(self, request: Request) -> None:
        self._send_json(200, {"version": "0.12.0"})

    def _tags(self, request: Request) -> None:
        models = [
            {
                "name": name,
                "model": name,
                "modified_at": CREATED,
                "size": 4_000_000_000,
                "digest": digest,
                "details": {},
            }
            for name, digest in self.server.ollama.models.items()
        ]
        self._send_json(200, {"models": models})

    def _show(self, request: Request) -> None:
        length = self.server.ollama.context_length
        info: dict[str, object] = {"general.architecture": "llama", "clip.vision.context_length": 77}
        info = {"general.architecture": "llama"} if length is None else info | {"llama.context_length": length}
        self._send_json(200, {"modelfile": "", "template": "", "details": {}, "model_info": info})

    def _embed(self, request: Request) -> None:
        given = request.body["input"]
        texts = [given] if isinstance(given, str) else given
        vectors = [bag_of_words(text, self.server.ollama.dimension) for text in texts]
        self._send_json(200, {"model": request.body["model"], "embeddings": vectors, "prompt_eval_count": len(texts)})

    # Scripted replies

    def _talk(self, request: Request) -> None:
        reply = self.server.ollama.reply_to(request)
        if reply.fault == "length" or reply.fault is None:
            self._say(request, reply)
        else:
            self._fail(request, reply)

    def _say(self, request: Request, reply: Reply) -> None:
        tokens = _tokens(reply.text)
        end = {"done_reason": reply.fault or "stop", "prompt_eval_count": len(_tokens(request.prompt))}
        if not request.body.get("stream", True):
            self._pause(reply.delay * len(tokens))
            self._send_json(200, _part(request, reply.text, done=True) | end)
            return
        with_end = [*(_part(request, token, done=False) for token in tokens), _part(request, "", done=True) | end]
        self._head(200, "application/x-ndjson", chunked=True)
        self._chunks(with_end, reply.delay)
        self._last_chunk()

    def _fail(self, request: Request, reply: Reply) -> None:
        fault = str(reply.fault)
        if fault == "slow":
            self._pause(LONGEST_WAIT_SECONDS)
        elif fault == "307":
            self._head(307, "text/plain", Location=reply.text)
        elif fault.isdigit():
            self._send_json(int(fault), {"error": reply.text or f"scripted {fault}"})
        elif fault == "garbage":
            self._send(200, b"<html><body>It works!</body></html>\n", "text/html")
        else:
            self._break_off(request, reply)

    def _break_off(self, request: Request, reply: Reply) -> None:
        self._head(200, "application/x-ndjson", chunked=True)
        tokens = _tokens(reply.text)
        said = cycle(tokens) if reply.fault == "endless" else tokens[: reply.after]
        parts = (_part(request, token, done=False) for token in said)
        self._chunks(parts, reply.delay)
        if reply.fault == "stall":
            self._pause(LONGEST_WAIT_SECONDS)
        if reply.fault == "error":
            self._chunks([{"error": "scripted error in the stream"}], 0.0)
        if reply.fault != "drop":
            self._last_chunk()

    # HTTP

    def _head(self, status: int, kind: str, *, chunked: bool = False, length: int = 0, Location: str = "") -> None:  # noqa: N803
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(length))))
        if Location:
            self.send_header("Location", Location)
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self._head(status, kind, length=len(content))
        self.wfile.write(content)

    def _send_json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _chunks(self, parts: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]], delay: float) -> None:
        for part in parts:
            self._pause(delay)
            line = json.dumps(part, ensure_ascii=False).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _last_chunk(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the client or the server stays."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.server.ollama.stopping.is_set():
            if select.select([self.connection], [], [], min(left, STEP_SECONDS))[0]:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    raise BrokenPipeError
                return


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def _part(request: Request, text: str, *, done: bool) -> dict[str, Any]:
    said = {"message": {"role": "assistant", "content": text}} if request.path == "/api/chat" else {"response": text}
    return {"model": request.body["model"], "created_at": CREATED, **said, "done": done}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; the URL is the first line of the output."""
    parser = argparse.ArgumentParser(prog="python -m tests.ollama_server", description="A scripted Ollama on loopback.")
    parser.add_argument("--port", type=int, default=11434, help="0 for any free port")
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="cites_well")
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="names, separated by commas")
    given = parser.parse_args(arguments)
    models = models_named(*given.models.split(","))
    with OllamaServer(models, SCRIPTS[given.script], port=given.port) as server:
        try:
            sys.stdout.write(f"{server.url}\n")
            sys.stdout.flush()
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
