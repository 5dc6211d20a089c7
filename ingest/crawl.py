"""The pages of a site: what is fetched next, how politely, what was fetched before, and which pages are one.

A page that has not changed costs a request without a body (ETag, Last-Modified); what it links to is remembered
with it, so that a second crawl walks the same ways without reading the pages again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import mimetypes
import re
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingest.discover import sniff_bytes
from ingest.errors import BrokenError, SourceError, UnsupportedError, UsageError
from ingest.fetch import (
    AGENT,
    Fetched,
    Fetcher,
    FetchOptions,
    GoneError,
    RefusedAddressError,
    UnreachableError,
    normal_url,
    unsigned,
)
from ingest.library_pages import KnownPage, KnownPages
from ingest.partition import format_of_extension
from ingest.partition.encoding import declared_charset, decode, known_charset
from ingest.types import Source

if TYPE_CHECKING:
    from protego import Protego

log = logging.getLogger(__name__)

DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
"""A site that asks for longer pauses than this gets this one."""
MAX_PAGES = 100
REQUESTS_A_PAGE = 5
"""Requests that are made for each page that may be taken: a site may have more dead links and twins than pages."""
PAGE_BYTES = 20_000_000
"""Bytes that a page of HTML or text may have; other documents may have what a file may."""
ROBOTS_BYTES = 500_000
"""As much of robots.txt as RFC 9309 asks to read."""
SITEMAP_BYTES = 50_000_000
MAX_SITEMAPS = 20
MAX_LINKS = 5_000
"""Links of one page that are followed at most."""
MAX_FAILURES = 5
"""Requests in a row that find no answer, after which a site is left alone."""
MAX_URL = 2_000
"""Characters of an address; longer ones are traps more often than pages."""
_READ = (
    *("text/html", "text/plain", "text/markdown", "text/x-rst", "text/x-markdown", "application/xhtml+xml"),
    *("application/pdf", "application/msword", "application/vnd.", "application/rtf", "text/rtf", "application/epub"),
    *("application/octet-stream", "application/x-pdf", "message/rfc822", "text/csv", "text/xml", "application/xml"),
    *("application/json", "multipart/related", "application/zip", "application/x-download", "binary/octet-stream"),
)
"""Media types that may hold what is read; what it is, its bytes tell."""
_DATED_WISHES = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
"""Wishes that have a value behind a colon, and are no names of crawlers."""
_NEVER_LINKED = ("image/", "audio/", "video/", "font/", "text/css", "text/javascript", "application/javascript")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOptions:
    """How far links are followed from an address, how many pages are taken, and the pause between requests in seconds.

    A depth of 0 follows no link. ``None`` takes what the last crawl of the same address took, or the default.
    """

    depth: int | None = None
    max_pages: int | None = None
    delay: float = DELAY_SECONDS
    allow_private: bool = False

    def __post_init__(self) -> None:
        if (self.depth or 0) < 0 or (self.max_pages is not None and self.max_pages < 1) or self.delay < 0:
            raise UsageError("depth and delay must be 0 or more, max_pages 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteListing:
    """What an address led to: documents by their address, problems by theirs, and why others are no longer there."""

    sources: Mapping[str, Source]
    problems: Mapping[str, SourceError] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    requests: int = 0
    received: int = 0


@dataclass(slots=True)
class Pace:
    """Waits between the requests to a host: the pause that is set or asked for, and as long as the last answer took."""

    delay: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    last: dict[str, float] = field(default_factory=dict)
    answer: float = 0.0

    def wait(self, host: str) -> None:
        """Wait until the next request to a host may go out."""
        if host in self.last:
            left = self.last[host] + max(self.delay, min(self.answer, MAX_DELAY_SECONDS)) - self.clock()
            if left > 0:
                self.sleep(left)
        self.last[host] = self.clock()

    def slow_down(self) -> None:
        """Make longer pauses from now on: the site says that it has too much to do."""
        self.delay = min(2 * max(self.delay, DELAY_SECONDS), MAX_DELAY_SECONDS)


Keep = Callable[[str, str, bytes], Path]
"""Keeps the bytes of a document: its id, its format, its bytes; gives the file. The seat of ``Library.put_member``."""


def sync_site(  # noqa: PLR0913 (its seats, and what the pipeline knows)
    root: str,
    known: KnownPages,
    keep: Keep,
    options: CrawlOptions,
    *,
    max_bytes: int,
    pace: Pace | None = None,
    on_page: Callable[[str], None] = lambda _url: None,
    signed: str | None = None,
) -> SiteListing:
    """Fetch an address and what it links to on its site, as far as the options say.

    ``signed`` is the address with the signature that lets it be read, which is used now and kept nowhere.

    Raises:
        SourceError: the address itself cannot be had; nothing of what is known of it may be removed.
    """
    depth, pages = known.extent(root)
    options = replace(
        options,
        depth=depth or 0 if options.depth is None else options.depth,
        max_pages=pages or MAX_PAGES if options.max_pages is None else options.max_pages,
    )
    limits = FetchOptions(allow_private=options.allow_private, max_bytes=max_bytes)
    with Fetcher(limits) as fetcher:
        crawl = _Crawl(root, known, keep, options, fetcher, pace or Pace(options.delay), on_page)
        crawl.signed |= {root: signed} if signed is not None else {}
        crawl.run()
        known.put_extent(root, options.depth or 0, options.max_pages or MAX_PAGES)
        return SiteListing(
            sources=crawl.sources,
            problems=crawl.problems,
            gone=crawl.gone,
            requests=fetcher.requests,
            received=fetcher.received,
        )


@dataclass(slots=True)
class _Crawl:
    """One walk over a site.

    ``waiting`` holds addresses with their distance from the root, ``seen`` are
    all that were met, ``had`` those that answered with a page.
    """

    root: str
    known: KnownPages
    keep: Keep
    options: CrawlOptions
    fetcher: Fetcher
    pace: Pace
    on_page: Callable[[str], None]
    sources: dict[str, Source] = field(default_factory=dict)
    problems: dict[str, SourceError] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    waiting: deque[tuple[str, int]] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    had: set[str] = field(default_factory=set)
    aliases: dict[str, tuple[str, Source]] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)
    robots: Protego | None = None
    site: str = ""
    failures: int = 0
    asked: int = 0

    @property
    def has_room(self) -> bool:
        """Whether more pages may be taken, and more requests made for them."""
        pages = self.options.max_pages or 1
        return len(self.sources) < pages and self.asked < REQUESTS_A_PAGE * pages + MAX_SITEMAPS

    @property
    def depth(self) -> int:
        return self.options.depth or 0

    def run(self) -> None:
        """Walk the site: the root, what it links to, the sitemap, and what is known from before."""
        if self.depth:
            self.site = _site(self.root)
            self._read_robots()
            if not self._may_ask(self.root):
                raise UnreachableError("robots.txt forbids it")
        before = self.known.of_root(self.root)
        self._take_root(before)
        if self.depth:
            self._read_sitemaps()
        while self.waiting and self.has_room:
            self._visit(*self.waiting.popleft(), before)
        self._look_again(before)
        self._settle_aliases()

    # Pages.

    def _take_root(self, before: Mapping[str, KnownPage]) -> None:
        self.seen.add(self.root)
        try:
            page = self._page(self.root, 0, before.get(self.root))
        except UnsupportedError as exc:
            self.problems[self.root] = exc
            return
        self.site = _site(page.url)
        self.seen |= {page.url, *filter(None, [page.canonical])}
        self.had |= self.seen
        self._list(page)

    def _visit(self, url: str, depth: int, before: Mapping[str, KnownPage]) -> None:
        """Fetch one page that was linked to, and queue what it links to."""
        if not self._may_ask(url):
            if url in before:
                self._keep_known(before[url], UnreachableError("robots.txt forbids it now"))
            return
        if self.failures >= MAX_FAILURES:
            if url in before:
                self._keep_known(before[url], UnreachableError("not asked: the site stopped answering"))
            return
        try:
            page = self._page(url, depth, before.get(url))
        except GoneError as exc:
            self.failures = 0
            self._forget(url, exc.reason)
        except (UnreachableError, RefusedAddressError) as exc:
            self.failures += isinstance(exc, UnreachableError)
            self._keep_known(before.get(url), exc, url)
        except SourceError as exc:
            self.failures = 0
            self.known.forget(self.root, url)
            self.problems[url] = exc
        else:
            self.failures = 0
            self._place(url, page)

    def _place(self, asked: str, page: KnownPage) -> None:
        """List a page under its own address, unless it is another one under a second address."""
        self.had |= {asked, page.url}
        if _site(page.url) != self.site:
            self._forget(asked, "it leads to another site now")
            return
        if page.url != asked:
            self.gone[asked] = f"it moved to {page.url}"
            if page.url in self.seen:
                return
            self.seen.add(page.url)
        canonical = page.canonical
        if canonical and canonical != page.url and _site(canonical) == self.site:
            self.gone[page.url] = f"the same page as {canonical}"
            self.aliases[page.url] = (canonical, self._source(page))
            self._queue(canonical, page.depth)
            return
        self._list(page)

    def _list(self, page: KnownPage) -> None:
        source = self._source(page)
        twin = next((url for url, other in self.sources.items() if other.id == source.id), None)
        if twin is not None and twin != page.url:
            self.gone[page.url] = f"the same page as {twin}"
            return
        self.sources[page.url] = source
        self.gone.pop(page.url, None)
        self.on_page(page.url)
        if page.depth < self.depth:
            for link in page.links:
                self._queue(link, page.depth + 1)

    def _queue(self, url: str, depth: int) -> None:
        if url not in self.seen and depth <= self.depth and _site(url) == self.site and len(url) <= MAX_URL:
            self.seen.add(url)
            self.waiting.append((url, depth))

    def _source(self, page: KnownPage) -> Source:
        path = self.known.file_of(page)
        return Source(id=page.source_id, path=path, format=page.format, size=page.size)

    def _keep_known(self, page: KnownPage | None, problem: SourceError, url: str = "") -> None:
        """A page that cannot be had now stays as it was, with the reason."""
        self.problems[page.url if page else url] = problem

    def _forget(self, url: str, reason: str) -> None:
        self.gone[url] = reason
        self.known.forget(self.root, url)

    def _look_again(self, before: Mapping[str, KnownPage]) -> None:
        """Ask for the pages of an earlier crawl that no link leads to any more; only the server says what is gone."""
        for url, page in before.items():
            if url in self.seen or url in self.problems:
                continue
            if page.depth > self.depth:
                self._forget(url, f"farther from {self.root} than the links that are followed")
            elif self.has_room:
                self.seen.add(url)
                self._visit(url, page.depth, before)
            else:
                self.sources.setdefault(page.url, self._source(page))
        queued = {url for url, _ in self.waiting}
        for url in [u for u in before if u in queued]:
            self.sources.setdefault(before[url].url, self._source(before[url]))

    def _settle_aliases(self) -> None:
        """A page whose canonical address could not be had is listed itself."""
        for url, (canonical, source) in self.aliases.items():
            held = {s.id for s in self.sources.values()}
            if canonical not in self.had and source.id not in held:
                self.sources[url] = source
                self.gone.pop(url, None)
                self.problems.pop(canonical, None)

    # Requests.

    def _page(self, url: str, depth: int, before: KnownPage | None) -> KnownPage:
        """A page as it is now: from the server, or as it was kept if the server says that it has not changed."""
        held = before if before is not None and self.known.file_of(before).is_file() else None
        found = self._get(url, _conditions(held), _READ if depth else None)
        if found.status == 304:
            if held is None:
                raise UnreachableError("the server says that an unknown page has not changed")
            page = replace(held, depth=depth)
        else:
            page = self._kept(url, found, depth)
        self.known.put(self.root, page)
        return page

    def _get(self, url: str, headers: dict[str, str], types: Iterable[str] | None = None) -> Fetched:
        """Fetch at the site's pace; a server that says when to come back is asked once more then.

        One that wants to be left alone for longer than that is asked for nothing else.
        """
        self.asked += 1
        self.pace.wait(_site(url))
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

    def _unsigned(self, links: Iterable[str]) -> tuple[str, ...]:
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
        is_known = bool(self.sources or self.problems)  # where the root itself leads is the site
        if is_known and _site(url) != self.site:
            raise GoneError("it leads to another site now")
        if _site(url) == self.site and not self._may_ask(url):
            raise UnreachableError("it leads to where robots.txt forbids to read")
        self.pace.wait(_site(url))

    def _kept(self, asked: str, found: Fetched, depth: int) -> KnownPage:
        """Keep the bytes of a document, told by its content."""
        content = found.content
        name = Path(urlsplit(found.url).path).name or "index.html"
        if found.content_type in ("text/html", "application/xhtml+xml"):
            name = "page.html"
        elif format_of_extension(Path(name).suffix) is None:
            name += mimetypes.guess_extension(found.content_type) or ""
        content = _in_utf8(content, found)
        form = sniff_bytes(content, name)
        if form in ("html", "txt", "md") and len(content) > PAGE_BYTES:
            raise UnsupportedError(f"larger than {PAGE_BYTES // 1_000_000} MB, too large for a page")
        links, canonical = read_links(content, found.url) if form in ("html", "addon") else ((), None)
        wishes = _wishes(content if form in ("html", "addon") else b"", found.headers.get("x-robots-tag", ""))
        links = () if wishes & {"nofollow", "none"} else self._unsigned(links)
        if depth and wishes & {"noindex", "none"}:
            for link in links:
                self._queue(link, depth + 1)
            raise UnsupportedError("the page asks not to be kept by crawlers (noindex); name its address to read it")
        identity = hashlib.sha256(content).hexdigest()
        self.keep(identity, form, content)
        return KnownPage(
            url=found.url,
            asked=asked,
            depth=depth,
            etag=found.headers.get("etag", ""),
            modified=found.headers.get("last-modified", ""),
            source_id=identity,
            format=form,
            size=len(content),
            canonical=unsigned(canonical or ""),
            links=links,
        )

    # Robots and sitemaps.

    def _may_ask(self, url: str) -> bool:
        return self.robots is None or self.robots.can_fetch(url, AGENT)

    def _read_robots(self) -> None:
        """Read robots.txt: none is a yes to all, one that cannot be had a no (RFC 9309)."""
        from protego import Protego

        try:
            found = self._get(normal_url("/robots.txt", self.root), {})
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

    def _read_sitemaps(self) -> None:
        """Queue what the sitemaps name; they count as linked from the root."""
        named = list(self.robots.sitemaps) if self.robots is not None else []
        todo = deque(named or [normal_url("/sitemap.xml", self.root)])
        met: set[str] = set()
        while todo and len(met) < MAX_SITEMAPS:
            url = todo.popleft()
            if url in met or not url.startswith("http") or _site(url) != self.site:
                continue
            met.add(url)
            pages, more = self._sitemap(url)
            todo.extend(more)
            for page in pages:
                self._queue(page, 1)

    def _sitemap(self, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The pages and the further sitemaps that a sitemap names; nothing if it cannot be read."""
        before = self.known.sitemap(self.root, url)
        try:
            found = self._get(url, _conditions(before))
        except SourceError:
            return (), ()
        if found.status == 304 and before is not None:
            return before.links, tuple(filter(None, before.canonical.split("\n")))
        pages, more = map(self._unsigned, read_sitemap(found.content, found.url))
        page = KnownPage(
            url=url,
            asked=url,
            depth=-1,
            etag=found.headers.get("etag", ""),
            modified=found.headers.get("last-modified", ""),
            source_id="",
            format="sitemap",
            size=len(found.content),
            canonical="\n".join(more),
            links=pages,
        )
        self.known.put(self.root, page)
        return pages, more


def _conditions(page: KnownPage | None) -> dict[str, str]:
    """The fields that ask for a page only if it has changed."""
    if page is None:
        return {}
    fields = {"If-None-Match": page.etag, "If-Modified-Since": page.modified}
    return {name: value for name, value in fields.items() if value}


def _site(url: str) -> str:
    """The host and port of an address; ``www.`` and the scheme make no other site."""
    parts = urlsplit(url)
    port = parts.port if parts.port not in (None, 80, 443) else ""
    return f"{(parts.hostname or '').removeprefix('www.')}:{port}"


def _in_utf8(content: bytes, found: Fetched) -> bytes:
    """The bytes of a text as they are kept: in UTF-8 with a mark, where only the server's header tells the charset."""
    charset = known_charset(found.charset or "")
    if charset in (None, "utf-8", "ascii") or not found.content_type.startswith(("text/", "application/xhtml")):
        return content
    if declared_charset(content) is not None or content.isascii():
        return content
    try:
        return b"\xef\xbb\xbf" + decode(content, charset).removeprefix("\ufeff").encode("utf-8", "replace")
    except BrokenError:
        return content


def read_links(content: bytes, url: str) -> tuple[tuple[str, ...], str | None]:
    """The addresses that a page links to, in order and each once, and its canonical one if it names one."""
    from lxml import etree  # type: ignore[import-untyped]

    try:
        markup = decode(content, declared_charset(content)).encode("utf-8", "replace")
    except BrokenError:
        return (), None
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, recover=True)
    page = etree.fromstring(markup, parser)
    if page is None:
        return (), None
    base = _address(next(iter(page.xpath("//head/base/@href")), ""), url) or url
    canonical = next(iter(page.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href")), None)
    return tuple(_links(page, base)), _address(canonical, base) if canonical else None


def _links(page: object, base: str) -> Iterator[str]:
    if _wishes_in(page) & {"nofollow", "none"}:
        return
    met: dict[str, None] = {}
    for node in page.iter("a", "area"):  # type: ignore[attr-defined]
        if "nofollow" in node.get("rel", "").lower():
            continue
        address = _address(node.get("href"), base)
        if address and address not in met and not _is_no_document(address):
            met[address] = None
            if len(met) > MAX_LINKS:
                return
            yield address


def _wishes(content: bytes, field: str) -> set[str]:
    """What a page asks of crawlers, all or us, in its markup and in the field X-Robots-Tag.

    A page that the user named is read whatever it wishes of crawlers; one that a link led to is not.
    """
    from lxml import etree

    said = [_wish_for_us(part) for part in re.split(r",\s*(?=[\w-]+\s*:)", field.lower())]
    parser = etree.HTMLParser(no_network=True, huge_tree=False, recover=True)
    page = etree.fromstring(content, parser) if content.strip() else None
    return _words(said) | (set() if page is None else _wishes_in(page))


def _wishes_in(page: object) -> set[str]:
    metas = page.iter("meta")  # type: ignore[attr-defined]
    return _words(m.get("content", "").lower() for m in metas if m.get("name", "").strip().lower() in ("robots", AGENT))


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.split(r"[,\s]+", text) if word}


def _wish_for_us(part: str) -> str:
    """The wishes of one part of the field, unless they are said to another crawler by its name."""
    name, mark, wishes = part.partition(":")
    if not mark or name.strip() in _DATED_WISHES:
        return part
    return wishes if name.strip() in (AGENT, "*") else ""


def _address(given: str | None, base: str) -> str | None:
    """A link's absolute address; ``None`` for what is none on the web (``mailto:`` and the like)."""
    if not given or given.strip().startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
        return None
    try:
        return normal_url(given, base)
    except UsageError:
        return None


def _is_no_document(address: str) -> bool:
    kind = mimetypes.guess_type(urlsplit(address).path)[0] or ""
    return kind.startswith(_NEVER_LINKED)


def read_sitemap(content: bytes, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pages and the further sitemaps that a sitemap names.

    It is XML, gzipped or not, or plain text with an address a line. One that is damaged names what could be read.
    """
    from lxml import etree

    text = _unpacked(content)
    if not text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = text.decode("utf-8", "replace").splitlines()
        return tuple(filter(None, (_address(line, url) for line in lines if line.startswith("http")))), ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True, load_dtd=False)
    root = etree.fromstring(text, parser)
    if root is None:
        return (), ()
    found = [(node.getparent(), (node.text or "").strip()) for node in root.iter("{*}loc")]
    named = [(etree.QName(parent).localname, _address(text, url)) for parent, text in found if parent is not None]
    pages = dict.fromkeys(address for tag, address in named if tag == "url" and address)
    more = dict.fromkeys(address for tag, address in named if tag == "sitemap" and address)
    return tuple(pages), tuple(more)


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content[:SITEMAP_BYTES]
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return file.read(SITEMAP_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""
