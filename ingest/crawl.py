"""The pages of a site: what is fetched next, how politely, what was fetched before, and which pages are one.

A page that has not changed costs a request without a body (ETag, Last-Modified); what it links to is remembered
with it, so that a second crawl walks the same ways without reading the pages again.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ingest.crawl_links import in_utf8, read_links, read_sitemap, wishes_of
from ingest.crawl_pace import DELAY_SECONDS, Pace
from ingest.crawl_site import Site, site_of
from ingest.discover import sniff_bytes
from ingest.errors import GoneError, RefusedAddressError, SourceError, UnreachableError, UnsupportedError, UsageError
from ingest.fetch import Fetched, Fetcher, FetchOptions
from ingest.library_pages import KnownPage, KnownPages
from ingest.partition import format_of_extension
from ingest.types import Source
from ingest.urls import normal_url, unsigned

MAX_PAGES = 100
REQUESTS_A_PAGE = 5
"""Requests that are made for each page that may be taken: a site may have more dead links and twins than pages."""
PAGE_BYTES = 20_000_000
"""Bytes that a page of HTML or text may have; other documents may have what a file may."""
MAX_SITEMAPS = 20
MAX_URL = 2_000
"""Characters of an address; longer ones are traps more often than pages."""
_READ = (
    *("text/html", "text/plain", "text/markdown", "text/x-rst", "text/x-markdown", "application/xhtml+xml"),
    *("application/pdf", "application/msword", "application/vnd.", "application/rtf", "text/rtf", "application/epub"),
    *("application/octet-stream", "application/x-pdf", "message/rfc822", "text/csv", "text/xml", "application/xml"),
    *("application/json", "multipart/related", "application/zip", "application/x-download", "binary/octet-stream"),
)
"""Media types that may hold what is read; what it is, its bytes tell."""


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
        site = Site(fetcher, pace or Pace(options.delay), signed={root: signed} if signed is not None else {})
        crawl = _Crawl(root, known, keep, options, site, on_page)
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
    site: Site
    on_page: Callable[[str], None]
    sources: dict[str, Source] = field(default_factory=dict)
    problems: dict[str, SourceError] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    waiting: deque[tuple[str, int]] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    had: set[str] = field(default_factory=set)
    aliases: dict[str, tuple[str, Source]] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        """Whether more pages may be taken, and more requests made for them."""
        pages = self.options.max_pages or 1
        return len(self.sources) < pages and self.site.asked < REQUESTS_A_PAGE * pages + MAX_SITEMAPS

    @property
    def depth(self) -> int:
        return self.options.depth or 0

    def run(self) -> None:
        """Walk the site: the root, what it links to, the sitemap, and what is known from before."""
        if self.depth:
            self.site.name = site_of(self.root)
            self.site.read_robots(self.root)
            if not self.site.may_ask(self.root):
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
            self.site.is_settled = True
            return
        self.site.name, self.site.is_settled = site_of(page.url), True
        self.seen |= {page.url, *filter(None, [page.canonical])}
        self.had |= self.seen
        self._list(page)

    def _visit(self, url: str, depth: int, before: Mapping[str, KnownPage]) -> None:
        """Fetch one page that was linked to, and queue what it links to."""
        if not self.site.may_ask(url):
            if url in before:
                self._keep_known(before[url], UnreachableError("robots.txt forbids it now"))
            return
        if self.site.has_stopped:
            if url in before:
                self._keep_known(before[url], UnreachableError("not asked: the site stopped answering"))
            return
        try:
            page = self._page(url, depth, before.get(url))
        except GoneError as exc:
            self.site.failures = 0
            self._forget(url, exc.reason)
        except (UnreachableError, RefusedAddressError) as exc:
            self.site.failures += isinstance(exc, UnreachableError)
            self._keep_known(before.get(url), exc, url)
        except SourceError as exc:
            self.site.failures = 0
            self.known.forget(self.root, url)
            self.problems[url] = exc
        else:
            self.site.failures = 0
            self._place(url, page)

    def _place(self, asked: str, page: KnownPage) -> None:
        """List a page under its own address, unless it is another one under a second address."""
        self.had |= {asked, page.url}
        if not self.site.holds(page.url):
            self._forget(asked, "it leads to another site now")
            return
        if page.url != asked:
            self.gone[asked] = f"it moved to {page.url}"
            if page.url in self.seen:
                return
            self.seen.add(page.url)
        canonical = page.canonical
        if canonical and canonical != page.url and self.site.holds(canonical):
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
        if url not in self.seen and depth <= self.depth and self.site.holds(url) and len(url) <= MAX_URL:
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
        found = self.site.get(url, _conditions(held), _READ if depth else None)
        if found.status == 304:
            if held is None:
                raise UnreachableError("the server says that an unknown page has not changed")
            page = replace(held, depth=depth)
        else:
            page = self._kept(url, found, depth)
        self.known.put(self.root, page)
        return page

    def _kept(self, asked: str, found: Fetched, depth: int) -> KnownPage:
        """Keep the bytes of a document, told by its content."""
        content = found.content
        name = Path(urlsplit(found.url).path).name or "index.html"
        if found.content_type in ("text/html", "application/xhtml+xml"):
            name = "page.html"
        elif format_of_extension(Path(name).suffix) is None:
            name += mimetypes.guess_extension(found.content_type) or ""
        content = in_utf8(content, found)
        form = sniff_bytes(content, name)
        if form in ("html", "txt", "md") and len(content) > PAGE_BYTES:
            raise UnsupportedError(f"larger than {PAGE_BYTES // 1_000_000} MB, too large for a page")
        links, canonical = read_links(content, found.url) if form in ("html", "addon") else ((), None)
        wishes = wishes_of(content if form in ("html", "addon") else b"", found.headers.get("x-robots-tag", ""))
        links = () if wishes & {"nofollow", "none"} else self.site.without_signatures(links)
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

    # Sitemaps.

    def _read_sitemaps(self) -> None:
        """Queue what the sitemaps name; they count as linked from the root."""
        todo = deque(self.site.sitemaps or [normal_url("/sitemap.xml", self.root)])
        met: set[str] = set()
        while todo and len(met) < MAX_SITEMAPS:
            url = todo.popleft()
            if url in met or not url.startswith("http") or not self.site.holds(url):
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
            found = self.site.get(url, _conditions(before))
        except SourceError:
            return (), ()
        if found.status == 304 and before is not None:
            return before.links, tuple(filter(None, before.canonical.split("\n")))
        pages, more = map(self.site.without_signatures, read_sitemap(found.content, found.url))
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
