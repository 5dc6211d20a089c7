"""Web addresses: what is one, and its one spelling."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from ingest.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_SIGNED_BY = frozenset({"x-amz-signature", "x-goog-signature", "signature", "sig", "access_token", "token"})
"""Parameters that let whoever has the address read what it leads to (S3, Google, CloudFront, Azure, and by custom)."""
_OF_SIGNATURES = frozenset(
    {"awsaccesskeyid", "googleaccessid", "key-pair-id", "policy", "expires", "hash-algorithm"}
    | {"se", "sp", "sv", "sr", "st", "spr", "sip", "skoid", "sktid", "skt", "ske", "sks", "skv"}
    | _SIGNED_BY
)
"""What stands beside them: until when, for whom and by which key they hold."""


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
