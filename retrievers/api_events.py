"""Server-sent events: what is streamed to a browser while an answer is made or documents are read."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request

from ingest.errors import PinciteError
from retrievers.api_shapes import JSON, problem
from retrievers.api_threads import Threads

MEDIA_TYPE = "text/event-stream"
BEAT_SECONDS = 15.0
"""Silence after which a comment is sent, so that proxies keep the connection and a reader who has gone is noticed."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class ReaderGoneError(Exception):
    """The one who asked has hung up: nothing more need be said."""


def wants_events(request: Request) -> bool:
    """Whether a request asks for a stream of events instead of one JSON text."""
    return MEDIA_TYPE in request.headers.get("accept", "")


def event(name: str, value: object) -> bytes:
    """One event; its data is JSON on one line."""
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def streamed(threads: Threads, make: Callable[[Callable[[str], None]], JSON]) -> AsyncIterator[bytes]:
    """Start ``make`` and stream it: a ``token`` event for each text that it is given to say, then ``answer``.

    Where it fails the last event is ``error``. It ends at its next token when the reader has gone.

    Raises:
        HTTPException: too many wait already.
    """
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()
    gone = threading.Event()

    def say(token: str) -> None:
        if gone.is_set():
            raise ReaderGoneError
        loop.call_soon_threadsafe(queue.put_nowait, event("token", {"text": token}))

    made = threads.submit(lambda: make(say))
    made.add_done_callback(lambda _: queue.put_nowait(None))
    return _stream(queue, made, gone)


async def _stream(
    queue: asyncio.Queue[bytes | None], made: asyncio.Future[JSON], gone: threading.Event
) -> AsyncIterator[bytes]:
    try:
        while (said := await next_or_beat(queue.get())) is not None:
            yield said
        yield _ending(made)
    finally:
        gone.set()
        made.cancel()


def _ending(made: asyncio.Future[JSON]) -> bytes:
    try:
        return event("answer", made.result())
    except PinciteError as exc:
        return event("error", problem(exc)[0])


async def next_or_beat(waited: Any) -> Any:  # noqa: ANN401 (whatever is waited for)
    """What is waited for, or a comment when that takes long."""
    try:
        return await asyncio.wait_for(waited, BEAT_SECONDS)
    except TimeoutError:
        return b": still here\n\n"
