"""HTTP: one address to its bytes, within limits of size, type and time, and only from machines that may be asked.

With ``fetch_network`` the only home of httpcore, the engine of httpx. Its network seat makes the promises hold: a host
is resolved once, each of its addresses is checked, and the connection goes to a checked one, while the Host field and
the certificate's name stay the host's. So an answer of DNS that changes between the check and the connection, and each
hop of a redirect, meet the same check. Every read is bound by one deadline for the whole request, so that a server
that sends a byte at a time costs no more than a dead one.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

from ingest.errors import GoneError, PinciteError, SourceError, UnreachableError, UnsupportedError, UsageError
from ingest.fetch_network import Clock, Network
from ingest.urls import normal_url, unsigned

if TYPE_CHECKING:
    import httpcore

AGENT = "pincite"
"""The name by which robots.txt may speak of us."""
USER_AGENT = f"{AGENT}/0.1 (local document library)"
MAX_REDIRECTS = 10
CONNECT_SECONDS = 10.0
SILENT_SECONDS = 20.0
"""Seconds without a byte after which a server is given up."""
TOTAL_SECONDS = 120.0
"""Seconds that one request may take with all its redirects."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """Which machines may be asked, and how much and how long at most: bytes, seconds."""

    allow_private: bool = False
    max_bytes: int = 200_000_000
    total_seconds: float = TOTAL_SECONDS
    silent_seconds: float = SILENT_SECONDS

    def __post_init__(self) -> None:
        if self.max_bytes <= 0 or self.total_seconds <= 0 or self.silent_seconds <= 0:
            raise UsageError("the limits of a download must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server sent.

    ``url`` is where the redirects ended; ``headers`` have lower-case names; ``content`` is decoded, and empty for a
    status of 304. ``received`` counts the bytes of the body as sent.
    """

    url: str
    status: int
    headers: dict[str, str]
    content: bytes
    received: int = 0
    seconds: float = 0.0

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty if the server named none."""
        return _media_type(self.headers)

    @property
    def charset(self) -> str | None:
        """The charset that the server named."""
        found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        return found[1] if found else None


@dataclass(slots=True)
class Fetcher:
    """Fetches addresses one after another over kept connections; a context manager that closes them."""

    options: FetchOptions = field(default_factory=FetchOptions)
    requests: int = 0
    received: int = 0
    _clock: Clock = field(default_factory=Clock)
    _pool: httpcore.ConnectionPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def get(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        types: Iterable[str] | None = None,
        max_bytes: int | None = None,
        on_redirect: Callable[[str], None] = lambda _url: None,
    ) -> Fetched:
        """Fetch an address, following redirects.

        ``types`` are the media types that are read, each by its start (``text/``); a body of another type is not
        downloaded. ``max_bytes`` limits the decoded body further than the options do. ``on_redirect`` is told each
        address that a redirect leads to before it is asked; it may wait, or raise.

        Raises:
            GoneError: 404 or 410.
            UnreachableError: no connection, no answer in time, a server error, a refusal.
            RefusedAddressError: the host is in a private network.
            UnsupportedError: too large, or of another type.
            SourceError: redirects without end, or a damaged answer.
        """
        started = time.monotonic()
        self._clock.ends = started + self.options.total_seconds
        limit = min(max_bytes or self.options.max_bytes, self.options.max_bytes)
        for _ in range(MAX_REDIRECTS + 1):
            found = self._once(url, headers or {}, tuple(types or ()), limit)
            if found.status not in _REDIRECTS:
                self.received += found.received
                return Fetched(
                    url=url,
                    status=found.status,
                    headers=found.headers,
                    content=found.content,
                    received=found.received,
                    seconds=time.monotonic() - started,
                )
            url = self._next(url, found.headers.get("location", ""))
            on_redirect(url)
        raise SourceError(f"redirects without end (more than {MAX_REDIRECTS})")

    def _next(self, url: str, location: str) -> str:
        try:
            return normal_url(location, url)
        except UsageError as exc:
            raise SourceError(f"a redirect that leads to no web address: {location[:100]}") from exc

    def _once(self, url: str, headers: dict[str, str], types: tuple[str, ...], limit: int) -> Fetched:
        """One request without redirects."""
        sent: dict[bytes | str, bytes | str] = {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
        }
        sent.update(headers)
        times = {
            "connect": CONNECT_SECONDS,
            "read": self.options.silent_seconds,
            "write": self.options.silent_seconds,
            "pool": CONNECT_SECONDS,
        }
        self.requests += 1
        with (
            _network_errors(url),
            self._connections().stream("GET", url, headers=sent, extensions={"timeout": times}) as reply,
        ):
            said = _fields(reply.headers)
            _check_status(reply.status, said)
            content, received = b"", 0
            if reply.status == 200:
                _check_kind(said, types, limit)
                content, received = _body(reply.iter_stream(), said.get("content-encoding", ""), limit)
            return Fetched(url=url, status=reply.status, headers=said, content=content, received=received)

    def _connections(self) -> httpcore.ConnectionPool:
        import httpcore

        if self._pool is None:
            network = Network(self._clock, self.options.allow_private)
            self._pool = httpcore.ConnectionPool(
                max_connections=4, keepalive_expiry=30.0, network_backend=cast("httpcore.NetworkBackend", network)
            )
        return self._pool


@contextmanager
def _network_errors(url: str) -> Iterator[None]:
    """Errors of httpcore as ours."""
    import httpcore

    host = urlsplit(url).netloc
    try:
        yield
    except PinciteError:
        raise
    except httpcore.TimeoutException as exc:
        raise UnreachableError(f"{host} did not answer in time") from exc
    except httpcore.ConnectError as exc:
        raise UnreachableError(f"{host} cannot be reached ({str(exc) or 'no connection'})") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as exc:
        raise UnreachableError(f"{host} broke off its answer ({str(exc) or type(exc).__name__})") from exc
    except (httpcore.UnsupportedProtocol, UnicodeError, ValueError) as exc:
        raise SourceError(f"no address that can be asked: {unsigned(url)[:200]}") from exc
    except OSError as exc:
        raise UnreachableError(f"{host} cannot be reached ({exc.strerror or exc})") from exc


def _fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The fields of an answer by their lower-case names; of X-Robots-Tag, which may come often, all values."""
    found: dict[str, str] = {}
    for name, value in ((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in headers):
        found[name] = f"{found[name]}, {value}" if name == "x-robots-tag" and name in found else value
    return found


def _check_status(status: int, headers: dict[str, str]) -> None:
    if status in (200, 304) or status in _REDIRECTS:
        return
    if status in (404, 410):
        raise GoneError(f"the page is gone ({status})")
    if status in (401, 403, 407, 451):
        raise UnreachableError(f"the server refuses it ({status})")
    wait = _seconds_until(headers.get("retry-after", ""))
    if status == 429:
        raise UnreachableError("the server asks for fewer requests (429)", wait, is_busy=True)
    raise UnreachableError(f"the server answered {status}", wait, is_busy=status == 503)


def _seconds_until(said: str) -> float:
    """The wait that Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 if it asks for none."""
    if said.isdecimal():
        return float(said[:9])
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _media_type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_kind(headers: dict[str, str], types: tuple[str, ...], limit: int) -> None:
    kind = _media_type(headers)
    if types and kind and not kind.startswith(types):
        raise UnsupportedError(f"not a type that is read ({kind[:80]})")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise UnsupportedError(_too_large(limit))


def _too_large(limit: int) -> str:
    return f"larger than {limit / 1e6:.0f} MB" if limit >= 1_000_000 else f"larger than {limit} bytes"


def _body(chunks: Iterable[bytes], encoding: str, limit: int) -> tuple[bytes, int]:
    """The decoded body and how many bytes were received; no more than ``limit`` bytes are ever held."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
    if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate")):
        raise SourceError(f"an encoding that was not asked for ({encoding[:60]})")
    decoder = _Inflate(names[0]) if names else None
    out = bytearray()
    received = 0
    for chunk in chunks:
        received += len(chunk)
        out += decoder.decode(chunk, limit + 1 - len(out)) if decoder else chunk
        if len(out) > limit or received > limit:
            raise UnsupportedError(_too_large(limit))
    if decoder is not None and received and not decoder.is_whole:
        raise UnreachableError("the answer was cut off")
    return bytes(out), received


class _Inflate:
    """Decodes gzip or deflate, no more than it is asked for: a small body may unpack to gigabytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | (0 if name == "deflate" else 16))
        self._begun = False

    @property
    def is_whole(self) -> bool:
        return self._inner.eof

    def decode(self, chunk: bytes, room: int) -> bytes:
        """At most ``room`` bytes, which is one more than may be kept: so too large a body shows."""
        if self._inner.eof:
            return b""
        try:
            found = self._inner.decompress(chunk, max(room, 1))
        except zlib.error as exc:
            if self._begun or self.name != "deflate":
                raise SourceError("a damaged answer (its compression is broken)") from exc
            # Some servers send deflate without its header.
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            found = self._inner.decompress(chunk, max(room, 1))
        self._begun = True
        return found
