"""HTTP: one address to its bytes, within limits of size, type and time, and only from machines that may be asked.

The only home of httpcore, the engine of httpx. Its network seat is what makes the promises hold: a host is resolved
once, each of its addresses is checked, and the connection goes to a checked one, while the Host field and the
certificate's name stay the host's. So an answer of DNS that changes between the check and the connection, and each
hop of a redirect, meet the same check. Every read is bound by one deadline for the whole request, so that a server
that sends a byte at a time costs no more than a dead one.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from ingest.errors import PinciteError, SourceError, UnsupportedError, UsageError

if TYPE_CHECKING:
    import ssl

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
MAX_ADDRESSES = 4
"""Addresses of one host that are tried."""
_PORTS = {"http": 80, "https": 443}
_SIGNED_BY = frozenset({"x-amz-signature", "x-goog-signature", "signature", "sig", "access_token", "token"})
"""Parameters that let whoever has the address read what it leads to (S3, Google, CloudFront, Azure, and by custom)."""
_OF_SIGNATURES = frozenset(
    {"awsaccesskeyid", "googleaccessid", "key-pair-id", "policy", "expires", "hash-algorithm"}
    | {"se", "sp", "sv", "sr", "st", "spr", "sip", "skoid", "sktid", "skt", "ske", "sks", "skv"}
    | _SIGNED_BY
)
"""What stands beside them: until when, for whom and by which key they hold."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class GoneError(SourceError):
    """The server says that there is no such page (404 or 410)."""


class UnreachableError(SourceError):
    """The server could not be asked, or could not answer now; what it gave before still stands.

    ``wait`` are the seconds after which it asks to be asked again, if it says so. ``is_busy``: it has too much to do.
    """

    def __init__(self, reason: str, wait: float = 0.0, *, is_busy: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.is_busy = wait, is_busy


class RefusedAddressError(SourceError):
    """The address belongs to a private network or to this machine, which nobody allowed."""


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
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that the server named."""
        found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        return found[1] if found else None


# Addresses.


def is_url(text: object) -> bool:
    """Whether an argument is a web address and not a path."""
    return isinstance(text, str) and text.lower().startswith(("http://", "https://"))


def normal_url(url: str, base: str = "") -> str:
    """An absolute address in one spelling: no fragment, no default port, no dots in its path, escapes where needed.

    Raises:
        UsageError: it is no web address, or holds a user name or password.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii") if not _is_address(parts.hostname) else ""
    except (ValueError, UnicodeError) as exc:
        raise UsageError(f"no web address: {url}") from exc
    host = host or (parts.hostname or "")
    if parts.scheme not in _PORTS or not host:
        raise UsageError(f"no web address: {url}")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a web address with a user name or password in it is not taken")
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, _PORTS[parts.scheme]) else f"{shown}:{port}"
    path = urlsplit(urljoin("http://x/", f"/{parts.path.lstrip('/')}")).path or "/"
    return urlunsplit((parts.scheme, place, _escaped(path), _escaped(parts.query), ""))


def unsigned(url: str) -> str:
    """An address without the signature in its query, by which it may be kept and told; any other as it is."""
    parts = urlsplit(url)
    fields = [(field, field.partition("=")[0].lower()) for field in parts.query.split("&")]
    if not any(name in _SIGNED_BY for _, name in fields):
        return url
    kept = [
        field
        for field, name in fields
        if name not in _OF_SIGNATURES and not name.startswith(("x-amz-", "x-goog-")) and field
    ]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _is_address(host: str | None) -> bool:
    return host is not None and ":" in host


def _escaped(text: str) -> str:
    return quote(text, safe="%/:?#[]@!$&'()*+,;=~-._")


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Whether an IP address may be asked: any with ``allow_private``, else those of the public network alone.

    IPv4 addresses inside of IPv6 ones (mapped, 6to4, NAT64) count as what they lead to.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if found.is_multicast or found.is_unspecified:
        return False
    if allow_private:
        return True
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_allowed(str(inner), allow_private=False)
    return found.is_global and not found.is_reserved


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The IP addresses of a host, each of which may be asked.

    Raises:
        RefusedAddressError: one of them may not.
        UnreachableError: there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UnreachableError(f"{host} is not known to the network") from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    refused = [a for a in addresses if not is_allowed(a, allow_private=allow_private)]
    if refused or not addresses:
        raise RefusedAddressError(
            f"{host} is {', '.join(refused[:2])}, an address of a private network or of this machine;"
            " --allow-private reads it"
        )
    return addresses[:MAX_ADDRESSES]


# The network under httpcore.


@dataclass(slots=True)
class _Clock:
    """When the request that is under way must be over, in seconds of the monotonic clock."""

    ends: float = 0.0

    def left(self, wanted: float | None) -> float:
        """Seconds that one step may take."""
        import httpcore

        left = self.ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for one page is over")
        return min(left, wanted) if wanted is not None else left


@dataclass(slots=True)
class _Stream:
    """A connection (httpcore's seat ``NetworkStream``) whose reads and writes end with the request."""

    inner: httpcore.NetworkStream
    clock: _Clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, self.clock.left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, self.clock.left(timeout)), self.clock)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 (httpcore's own signature)
        return self.inner.get_extra_info(info)


@dataclass(slots=True)
class _Network:
    """Connections to checked addresses alone (httpcore's seat ``NetworkBackend``)."""

    clock: _Clock
    allow_private: bool

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> _Stream:
        import httpcore

        problem: Exception | None = None
        for address in resolve(host, port, allow_private=self.allow_private):
            left = self.clock.left(timeout)
            try:
                found = httpcore.SyncBackend().connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                problem = exc
            else:
                return _Stream(found, self.clock)
        raise problem or httpcore.ConnectError(f"{host} has no address")


# Requests.


@dataclass(slots=True)
class Fetcher:
    """Fetches addresses one after another over kept connections; a context manager that closes them."""

    options: FetchOptions = field(default_factory=FetchOptions)
    requests: int = 0
    received: int = 0
    _clock: _Clock = field(default_factory=_Clock)
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
            network = _Network(self._clock, self.options.allow_private)
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


def _check_kind(headers: dict[str, str], types: tuple[str, ...], limit: int) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
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
