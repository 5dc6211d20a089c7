"""A server with OpenAI's chat interface on loopback: scripted replies as server-sent events, and faults."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

Fault = Literal["cut", "drop", "garbage", "error", "stall"]


class OpenAIServer:
    """Answers each chat with the next reply, the last one again and again; ``fault`` or ``status`` spoils it."""

    def __init__(self, *replies: str, fault: Fault | None = None, status: int = 200) -> None:
        self.replies = list(replies) or ["ok"]
        self.fault = fault
        self.status = status
        self.bodies: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.chat = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def next_reply(self) -> str:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    chat: OpenAIServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Nothing: tests read what was asked from the server."""

    def do_POST(self) -> None:
        chat = self.server.chat
        chat.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        chat.keys.append(self.headers.get("Authorization"))
        found = self.path == "/v1/chat/completions"
        self.send_response(chat.status if found else 404)
        self.send_header("Content-Type", "text/event-stream")
        # A length that is not reached tells a dropped connection from the end of a stream.
        if chat.fault == "drop":
            self.send_header("Content-Length", "100000")
        self.end_headers()
        if chat.status != 200 or not found:
            self.wfile.write(b'{"error": {"message": "not like this"}}')
            return
        self._stream(_words(chat.next_reply()), chat.fault)

    def _stream(self, tokens: Sequence[str], fault: Fault | None) -> None:
        self.wfile.write(b": a comment\n\n")
        for n, token in enumerate(tokens):
            if n == 1 and fault is not None:
                self._spoil(fault)
                return
            self._event({"choices": [{"delta": {"content": token}}]})
        self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        self.wfile.write(b"data: [DONE]\n\n")

    def _spoil(self, fault: Fault) -> None:
        if fault == "garbage":
            self.wfile.write(b"data: {not json\n\n")
        elif fault == "error":
            self._event({"error": {"message": "out of memory"}})
        elif fault == "stall":
            self.wfile.flush()
            self.server.chat.released.wait()

    def _event(self, event: dict[str, object]) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]
