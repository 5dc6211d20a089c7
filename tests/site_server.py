"""A web site on loopback that is what a test says, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What the site says to a path. ``raw`` writes to the connection itself, for servers that misbehave."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass
class Site:
    """The replies by path (``default`` for all others), the paths asked for, and the bytes of all bodies sent."""

    url: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    default: Reply = field(default_factory=lambda: Reply(b"no such page", 404))
    asked: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    sent: int = 0
    has_etags: bool = True
    stop: threading.Event = field(default_factory=threading.Event)

    def page(self, path: str, markup: str, **headers: str) -> None:
        """Put a page of HTML."""
        said = {"Content-Type": "text/html; charset=utf-8", **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.replies[path] = Reply(markup.encode(), headers=said)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.asked.append(handler.path)
        self.hosts.append(handler.headers.get("Host", ""))
        reply = self.replies.get(handler.path, self.default)
        if reply.raw is not None:
            reply.raw(handler)
            return
        tag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
        same = self.has_etags and reply.status == 200 and handler.headers.get("If-None-Match") == tag
        handler.send_response(304 if same else reply.status)
        if self.has_etags and reply.status == 200:
            handler.send_header("ETag", tag)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        body = b"" if same else reply.body
        if not same and "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        self.sent += len(body)


@contextmanager
def serve() -> Iterator[Site]:
    """A site on a free port of loopback."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                site.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield site
        finally:
            site.stop.set()
            server.shutdown()
            thread.join()
