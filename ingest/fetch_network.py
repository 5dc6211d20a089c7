"""The network under httpcore: connections to checked addresses alone, each over in time."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.errors import RefusedAddressError, UnreachableError

if TYPE_CHECKING:
    import ssl

    import httpcore

MAX_ADDRESSES = 4
"""Addresses of one host that are tried."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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


@dataclass(slots=True)
class Clock:
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
    clock: Clock

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
class Network:
    """Connections to checked addresses alone (httpcore's seat ``NetworkBackend``)."""

    clock: Clock
    allow_private: bool

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> _Stream:
        """A connection to the first address of a host that answers.

        Raises:
            RefusedAddressError: an address of the host may not be asked.
            UnreachableError: the host has none.
        """
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
