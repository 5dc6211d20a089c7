"""Crawl of a site of 200 pages on loopback, twice: ``python -m tests.bench.crawl [PAGES]``.

It prints, for each crawl: pages listed, requests, pages asked for more than once, bytes sent, the shortest pause
between two requests in seconds, and the seconds that it took.
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from ingest.crawl import CrawlOptions, sync_site
from ingest.crawl_pace import Pace
from ingest.library import Library
from ingest.library_pages import KnownPages
from tests.planted_pages import PAGES, page
from tests.site_server import Reply, Site, serve

DELAY = 0.05


class Watched(Pace):
    """A pace that remembers when requests went out."""

    def __init__(self, delay: float) -> None:
        super().__init__(delay)
        self.starts: list[float] = []

    def wait(self) -> None:
        super().wait()
        self.starts.append(time.monotonic())


def build(site: Site, count: int) -> None:
    """Pages of all kinds of layout, linked as a tree and crosswise, with twins, a loop, and forbidden ones."""
    for i in range(count):
        links = "".join(f'<a href="/p{j}">page {j}</a> ' for j in (2 * i + 1, 2 * i + 2, (i * 37) % count) if j < count)
        body = page(PAGES[i % len(PAGES)]).replace("</body>", f"<p>Page {i}. {links}</p></body>")
        site.page(f"/p{i}" if i else "/", body)
    site.page("/p0", '<link rel="canonical" href="/"><p>The start again.</p>')
    site.replies["/moved"] = Reply(status=301, headers={"Location": "/p1"})
    site.replies["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /private/\n")


def main(count: int) -> None:
    """Crawl twice and print what it took."""
    with serve() as site, tempfile.TemporaryDirectory() as folder:
        build(site, count)
        options = CrawlOptions(depth=20, max_pages=2 * count, delay=DELAY, allow_private=True)
        with Library(Path(folder) / "library", create=True) as library, KnownPages(library) as known:
            for name in ("first", "second"):
                site.asked.clear()
                site.sent = 0
                began = time.perf_counter()
                pace = Watched(DELAY)
                found = sync_site(site.url + "/", known, library.put_member, options, max_bytes=10**8, pace=pace)
                twice = len(site.asked) - len(set(site.asked))
                pause = min(b - a for a, b in pairwise(pace.starts))
                sys.stdout.write(
                    f"{name}: pages {len(found.sources)} of {count}, requests {len(site.asked)}, asked twice {twice},"
                    f" bytes {site.sent}, shortest pause {pause:.3f} of {DELAY},"
                    f" seconds {time.perf_counter() - began:.1f}\n"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
