"""The README's pictures of the chat page and the report, over the samples: ``python -m tests.make_pictures``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import ingest
from ingest.library import Library
from retrievers import MultiVectorRetriever
from retrievers.api import ServeOptions, make_app
from retrievers.report import ReportOptions, write_report
from tests.browser import fresh, running_chromium
from tests.live_server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / ".github" / "pictures"
SIZE = {"width": 1280, "height": 800}
QUESTION = "How many passengers did route H2 carry in 2024?"


def main() -> None:
    """Ingest the samples into a library of its own, and photograph what is made of them."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_chromium() as browser,
        fresh(browser, viewport=SIZE) as context,
    ):
        docs = Path(folder) / "docs"
        shutil.copytree(ROOT / "samples", docs, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        list(ingest([docs], Path(folder) / ".pincite"))
        page = context.new_page()
        with Library(Path(folder) / ".pincite") as library:
            _chat(page, library)
            _report(page, library, Path(folder) / "report.html")


def _chat(page: Page, library: Library) -> None:
    retriever = MultiVectorRetriever(library)
    with serving(make_app(retriever, ServeOptions())) as url:
        page.goto(url)
        page.locator("textarea").first.fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".chip").first.click()
        page.wait_for_selector(".sheet .mark")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURES / "chat.png")
    retriever.close()


def _report(page: Page, library: Library, out: Path) -> None:
    write_report(library, out, ReportOptions(doc="report.pdf"))
    page.goto(out.as_uri())
    page.get_by_text("Page 4").first.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "report.png")


if __name__ == "__main__":
    main()
