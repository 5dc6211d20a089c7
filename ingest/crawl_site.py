"""The requests of a crawl to one site: at its pace, as its robots.txt allows, and no more once it stops answering."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingest.crawl_pace import MAX_DELAY_SECONDS, Pace
from ingest.errors import GoneError, UnreachableError
from ingest.fetch import AGENT, Fetched, Fetcher
from ingest.urls import normal_url, unsigned

if TYPE_CHECKING:
    from protego import Protego

ROBOTS_BYTES = 500_000
"""As much of robots.txt as RFC 9309 asks to read."""
MAX_FAILURES = 5
"""Requests in a row that find no answer, after which a site is left alone."""


@dataclass(slots=True)
class Site:
    """A site that is walked.

    ``is_settled``: its root was read, which may lead to another site than was named. ``signed`` are addresses with
    the signatures that let them be read, by what they are without.
    """

    fetcher: Fetcher
    pace: Pace
    name: str = ""
    is_settled: bool = False
    robots: Protego | None = None
    failures: int = 0
    asked: int = 0
    signed: dict[str, str] = field(default_factory=dict)

    @property
    def has_stopped(self) -> bool:
        """Whether it answers no more, or wants to be left alone."""
        return self.failures >= MAX_FAILURES

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps that robots.txt names."""
        return list(self.robots.sitemaps) if self.robots is not None else []

    def holds(self, url: str) -> bool:
        """Whether an address is one of this site."""
        return site_of(url) == self.name

    def may_ask(self, url: str) -> bool:
        """Whether robots.txt, once it was read, allows an address."""
        return self.robots is None or self.robots.can_fetch(url, AGENT)

    def get(self, url: str, headers: dict[str, str], types: Iterable[str] | None = None) -> Fetched:
        """Fetch at the site's pace; a server that says when to come back is asked once more then.

        One that wants to be left alone for longer than that is asked for nothing else.
        """
        self.asked += 1
        self.pace.wait(site_of(url))
        asked = self.signed.get(url, url)
        try:
            found = self.fetcher.get(asked, headers=headers, types=types, on_redirect=self._follow)
        except UnreachableError as exc:
            if exc.is_busy:
                self.pace.slow_down()
            if exc.wait > MAX_DELAY_SECONDS:
                self.failures = MAX_FAILURES
            if not 0 < exc.wait <= MAX_DELAY_SECONDS:
                raise
            self.pace.sleep(exc.wait)
            found = self.fetcher.get(asked, headers=headers, types=types, on_redirect=self._follow)
        self.pace.answer = found.seconds
        return replace(found, url=unsigned(found.url))

    def without_signatures(self, links: Iterable[str]) -> tuple[str, ...]:
        """Links as they are kept; the signatures of those that have one serve this walk."""
        found = tuple(links)
        self.signed |= {unsigned(link): link for link in found if unsigned(link) != link}
        return tuple(map(unsigned, found))

    def _follow(self, url: str) -> None:
        """Let a redirect go on, at the pace of the host that it leads to.

        Raises:
            GoneError: it leaves the site, once that is known.
            UnreachableError: the site's robots.txt forbids where it leads.
        """
        if self.is_settled and site_of(url) != self.name:
            raise GoneError("it leads to another site now")
        if site_of(url) == self.name and not self.may_ask(url):
            raise UnreachableError("it leads to where robots.txt forbids to read")
        self.pace.wait(site_of(url))

    def read_robots(self, root: str) -> None:
        """Read robots.txt: none is a yes to all, one that cannot be had a no (RFC 9309).

        Raises:
            UnreachableError: it cannot be had.
        """
        from protego import Protego

        try:
            found = self.get(normal_url("/robots.txt", root), {})
        except GoneError:
            self.robots = Protego.parse("")
            return
        except UnreachableError as exc:
            if "refuses" not in exc.reason:
                raise UnreachableError(f"robots.txt could not be had: {exc.reason}") from exc
            self.robots = Protego.parse("")
            return
        self.robots = Protego.parse(found.content[:ROBOTS_BYTES].decode("utf-8", "replace"))
        asked = self.robots.crawl_delay(AGENT) or 0.0
        self.pace.delay = max(self.pace.delay, min(float(asked), MAX_DELAY_SECONDS))


def site_of(url: str) -> str:
    """The host and port of an address; ``www.`` and the scheme make no other site."""
    parts = urlsplit(url)
    port = parts.port if parts.port not in (None, 80, 443) else ""
    return f"{(parts.hostname or '').removeprefix('www.')}:{port}"
