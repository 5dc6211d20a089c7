"""Who may ask the server what: names of hosts, origins, tokens, sizes of requests, and the headers of each response."""

from __future__ import annotations

import hmac
import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievers.api_shapes import Reply

Role = Literal["owner", "widget"]
BODY_BYTES = 64 * 1024
"""Bytes of a request's body, at most, but for uploads."""
UPLOAD_PATH = "/api/ingest"
WIDGET_PAGE = "/widget"
SHARED = ("/widget.js",)
"""What a page of another origin may load."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
WIDGET_MAY = re.compile(r"/api/(?:question|health|(?:sessions|chunks|pages|images)/.*)")
"""What the widget's token opens: asking, and what an answer refers to by ids that cannot be guessed."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
)
COMMON_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Whom the guard lets in. ``token`` opens everything; without one everybody who reaches the server is its owner.

    ``hosts`` are the names by which the server may be called; an address (unlike a name, which a stranger's DNS can
    point here) is let in as well where ``any_address``. ``origins`` may call the API from their pages, and
    ``widget_origins`` may show the widget, which asks with ``widget_token``.
    """

    hosts: frozenset[str] = frozenset(LOOPBACK_NAMES)
    any_address: bool = False
    token: str | None = None
    origins: frozenset[str] = frozenset()
    widget_origins: tuple[str, ...] = ()
    widget_token: str | None = None
    upload_bytes: int = BODY_BYTES


class Guard:
    """ASGI middleware that refuses what the rules do not let in; ``scope["state"]["role"]`` says who asks."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        sent = self._with_headers(scope["path"], send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, sent)
            return
        limit = self.rules.upload_bytes if scope["path"] == UPLOAD_PATH else BODY_BYTES
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            await Reply({"error": _too_large(limit)}, 413, {"connection": "close"})(scope, receive, sent)
            return
        await self.app(scope, _bounded(receive, limit), sent)

    def _refusal(self, scope: Scope, headers: Headers) -> Reply | None:
        """Why a request is refused, or ``None``; its role is noted."""
        path: str = scope["path"]
        if not self._knows_host(headers.getlist("host")):
            return Reply({"error": "this server is not called by that name (--allow-host)"}, 400)
        if not self._knows_origin(path, headers):
            return Reply({"error": "not from that site (--allow-origin)"}, 403)
        is_preflight = scope["method"] == "OPTIONS" and headers.get("origin") in self.rules.origins
        if not path.startswith("/api/") or is_preflight:
            return None
        role = self._role(headers)
        if role is None:
            return Reply({"error": "a token is needed"}, 401, {"www-authenticate": "Bearer"})
        if role == "widget" and not WIDGET_MAY.fullmatch(path):
            return Reply({"error": "not with this token"}, 403)
        scope.setdefault("state", {})["role"] = role
        return None

    def _knows_host(self, given: list[str]) -> bool:
        name = host_name(given[0]) if len(given) == 1 else None
        return name is not None and (name in self.rules.hosts or (self.rules.any_address and _is_address(name)))

    def _knows_origin(self, path: str, headers: Headers) -> bool:
        """Whether a request comes from our own page, a page that is allowed, or no page at all."""
        origin = headers.get("origin")
        if origin in self.rules.origins or path in SHARED:
            return True
        if origin is not None:
            return _netloc(origin) == _netloc(f"//{headers['host']}", origin.partition(":")[0])
        # A picture or script that another site's page asks for comes without an origin.
        return not path.startswith("/api/") or headers.get("sec-fetch-site", "none") in ("none", "same-origin")

    def _role(self, headers: Headers) -> Role | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if not given:
            return "owner" if self.rules.token is None else None
        if scheme.lower() != "bearer":
            return None
        for role, token in (("owner", self.rules.token), ("widget", self.rules.widget_token)):
            if token is not None and hmac.compare_digest(given.strip().encode(), token.encode()):
                return role  # type: ignore[return-value]
        return None

    def _with_headers(self, path: str, send: Send) -> Send:
        is_widget = path == WIDGET_PAGE and bool(self.rules.widget_origins)
        ancestors = " ".join(self.rules.widget_origins) if is_widget else "'none'"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(COMMON_HEADERS)
                headers["content-security-policy"] = POLICY.format(ancestors=ancestors)
                headers["cross-origin-resource-policy"] = "cross-origin" if path in SHARED else "same-origin"
                if not is_widget:
                    headers["x-frame-options"] = "DENY"
                if path.startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        return sent


def _bounded(receive: Receive, limit: int) -> Receive:
    """What receives a body up to a limit, also one that comes in chunks of no stated length."""
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, _too_large(limit), {"connection": "close"})
        return message

    return received


def _too_large(limit: int) -> str:
    return f"larger than is taken ({limit // 1024} kB at most)"


def host_name(host: str) -> str | None:
    """The name or address in a ``Host`` header, without its port; ``None`` where there is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return (parts.hostname or "").rstrip(".") or None


def _netloc(url: str, scheme: str = "") -> tuple[str, int | None] | None:
    """Host and port of an origin, the port by its scheme where none is written."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme or scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback_host(host: str) -> bool:
    """Whether a server that is bound to this name or address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
