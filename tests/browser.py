"""Chromium for tests that drive the real page. It reaches loopback alone, and everything it asks for is recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-features=OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

TIMEOUT_MS = 120_000


def find_chromium() -> str:
    """The browser's program. Without one the test is skipped, on CI it fails."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        problem = "no Chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)
    return found


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless browser."""
    program = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def fresh(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """A context that knows nothing of others, and that waits long where the machine is busy."""
    with browser.new_context(**options) as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield context


@dataclass(slots=True)
class Visit:
    """A page and what went on in it: requests, bytes that came, messages of the console, errors of scripts."""

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def check(self, *origins: str) -> None:
        """Nothing went wrong, and nothing was asked of others than these origins."""
        assert self.console == []
        strangers = [
            url for url in self.requests if not url.startswith(("blob:", "data:")) and _origin(url) not in origins
        ]
        assert strangers == []


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def visit(context: BrowserContext) -> Visit:
    """A new page that is watched."""
    seen = Visit(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on(
        "requestfinished", lambda request: seen.sizes.update({request.url: request.sizes()["responseBodySize"]})
    )
    seen.page.on("console", lambda said: seen.console.append(said.text) if said.type in ("error", "warning") else None)
    seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
    return seen
