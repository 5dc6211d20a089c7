"""The chat page in a real browser, over a library that was ingested from the samples."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ingest.library import Library
from ingest.pipeline import ingest
from ingest.settings import Settings
from retrievers.answer import answer
from retrievers.api import ServeOptions, make_app
from retrievers.api_shapes import page_files
from retrievers.multi_vector import MultiVectorRetriever
from tests.browser import Visit, fresh, running_chromium, visit
from tests.live_server import serving
from tests.ollama_server import OllamaServer, Reply

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("browser")

DOCUMENTS = ("report.pdf", "addon-1.html", "addon-3.html", "faq.md")
QUESTION = "How many passengers did route H2 carry in 2024?"
WEIGHT = 150_000
SERIOUS = ("serious", "critical")


@dataclass(frozen=True)
class Site:
    """What the tests visit: the page, the widget's options, and the library beneath."""

    url: str
    options: ServeOptions
    retriever: MultiVectorRetriever


@pytest.fixture(scope="module")
def retriever(samples, tmp_path_factory) -> Iterator[MultiVectorRetriever]:
    folder = tmp_path_factory.mktemp("site")
    files = [samples / name for name in DOCUMENTS]
    settings = Settings(jobs=1)
    states = {Path(r.path).name: r.state for r in ingest(files, folder / "lib", settings=settings)}
    assert set(states.values()) == {"ingested"}
    with Library(folder / "lib") as library:
        found = MultiVectorRetriever(library, settings=settings)
        yield found
        found.close()


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """Another origin: a page with the script of the widget, whose address and token are in the query."""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source, _, token = self.path.partition("?")[2].partition("&")
            script = f'<script src="{source}/widget.js" data-token="{token}" async></script>' if source else ""
            body = f'<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>{script}'.encode()
            self.send_response(200 if source else 204)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body if source else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site(retriever, host) -> Iterator[Site]:
    options = ServeOptions(model="extractive", widget_origins=(host,)).with_tokens()
    with serving(make_app(retriever, options)) as url:
        yield Site(url, options, retriever)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as found:
        yield found


@pytest.fixture
def opened(browser, site) -> Iterator[Visit]:
    """The chat page, of which nothing may go wrong until the test ends."""
    with fresh(browser, viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as context:
        found = visit(context)
        found.page.goto(site.url)
        found.page.wait_for_selector("#sources li")
        yield found
        found.check(site.url)


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector(".turn:last-child:not([aria-busy]) .answer > *")


def test_a_question_is_answered_and_its_citation_shows_the_marked_words(opened, site):
    page = opened.page
    ask(page, QUESTION)
    assert "214.5" in page.inner_text(".said")
    page.click(".chip")
    page.wait_for_selector(".sheet .mark")
    assert (page.inner_text("#evidence-title"), page.inner_text("#evidence-where")[:6]) == ("report.pdf", "Page 4")
    on_page = marked_box(page)
    (citation,) = answer(QUESTION, retriever=site.retriever, model="extractive").citations
    assert np.abs(np.array(on_page) - citation.box).max() < 3
    assert page.inner_text(".evidence td.marked") == "214.5"
    page.keyboard.press("Escape")
    assert page.is_hidden("#evidence")
    assert page.evaluate("document.activeElement.className").startswith("chip")


def marked_box(page: Page) -> list[float]:
    """Where the sheet's picture differs with and without its mark, in points of the page."""
    sheet = page.locator(".sheet")
    width = page.evaluate("document.querySelector('.sheet').style.aspectRatio.split('/')[0]")
    marked = np.asarray(Image.open(io.BytesIO(sheet.screenshot())).convert("RGB")).astype(int)
    page.evaluate("document.querySelector('.mark').hidden = true")
    plain = np.asarray(Image.open(io.BytesIO(sheet.screenshot())).convert("RGB")).astype(int)
    changed = np.argwhere(np.abs(marked - plain).max(axis=2) > 40)
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0) + 1
    scale = float(width) / marked.shape[1]
    return [left * scale, top * scale, right * scale, bottom * scale]


def test_a_conversation_goes_on_after_the_page_is_loaded_again(opened):
    page = opened.page
    ask(page, QUESTION)
    ask(page, "And in 2023?")
    assert "201.7" in page.locator(".said").last.inner_text()
    page.reload()
    page.wait_for_selector(".turn >> nth=1")
    assert "214.5" in page.locator(".said").first.inner_text()
    page.click("#new")
    assert page.locator(".turn").count() == 0


def test_an_add_on_is_shown_as_a_card_with_the_icon_that_was_saved(opened):
    page = opened.page
    ask(page, "Which add-ons are there for sailing?")
    card = page.locator(".card").first
    card.locator(".card-icon img").wait_for()
    assert card.locator("a").inner_text() == "Sailing Board"
    assert card.locator("a").get_attribute("rel") == "noopener noreferrer"
    assert "4.3" in card.locator(".rating").inner_text()


def test_what_is_not_in_the_documents_is_said_to_be_missing(opened):
    page = opened.page
    ask(page, "What is the melting point of tungsten in kelvin?")
    assert page.inner_text(".not-found") == "Not found in these documents."
    assert page.locator("details:has-text('Nearest passages')").count() == 1


def test_questions_can_be_kept_to_one_document_by_keyboard_alone(opened):
    page = opened.page
    page.focus("#filter")
    page.keyboard.type("faq")
    page.wait_for_selector("#sources li:only-child")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#scope b") == "faq.md"
    page.focus("#question")
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    assert page.input_value("#question") == "first line\n"


def test_an_upload_is_shown_with_its_progress_and_can_be_asked(opened, tmp_path):
    page = opened.page
    ships = tmp_path / "ships.csv"
    ships.write_text("ship,seats\nCormorant,77\n")
    page.set_input_files("#files", ships)
    page.wait_for_selector(".job.good")
    assert page.inner_text(".job-said") == "1 added"
    page.wait_for_selector("#sources li:has-text('ships.csv')")
    ask(page, "How many seats has the Cormorant?")
    assert "77" in page.inner_text(".said")


def test_documents_can_be_dropped_anywhere(opened):
    page = opened.page
    transfer = page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["not read"], "thing.zzz"));
          return data;
        }"""
    )
    page.dispatch_event("#log", "dragenter", {"dataTransfer": transfer})
    assert page.is_visible("#drop-shade")
    page.dispatch_event("#scroll", "drop", {"dataTransfer": transfer})
    page.wait_for_selector(".job:has-text('1 not read')")
    assert page.is_hidden("#drop-shade")


def test_the_words_of_a_model_are_shown_as_they_come_and_replaced_by_what_was_checked(browser, retriever):
    script = [Reply(text="Route H2 carried 214.5 thousand passengers in 2024 [1]. Seals pay 99 crowns [1].")]
    with OllamaServer(script=lambda request: script[0]) as ollama:
        settings = replace(retriever.settings, ollama_host=ollama.url)
        asked = MultiVectorRetriever(retriever.library, settings=settings)
        with serving(make_app(asked, ServeOptions())) as url, fresh(browser) as context:
            found = visit(context)
            page = found.page
            page.add_init_script(
                """new MutationObserver(() => {
                  const draft = document.querySelector(".draft");
                  if (draft) window.drafted = draft.textContent;
                }).observe(document, { childList: true, subtree: true, characterData: true });"""
            )
            page.goto(url)
            ask(page, QUESTION)
            assert page.evaluate("window.drafted").startswith("Route H2 carried")
            shown = page.inner_text(".answer")
            assert page.locator(".draft").count() == 0
            found.check(url)
        asked.close()
    assert "99 crowns" not in " ".join(shown.split("left out")[0].split())
    assert "left out" in shown


def test_an_answer_that_takes_long_can_be_stopped(browser, retriever):
    with OllamaServer(script=lambda request: Reply(text="Route H2 carried a lot", fault="stall")) as ollama:
        settings = replace(retriever.settings, ollama_host=ollama.url)
        asked = MultiVectorRetriever(retriever.library, settings=settings)
        with serving(make_app(asked, ServeOptions())) as url, fresh(browser) as context:
            page = context.new_page()
            page.goto(url)
            page.fill("#question", QUESTION)
            page.press("#question", "Enter")
            page.wait_for_selector(".draft:has-text('Route')")
            page.get_by_role("button", name="Stop").click()
            page.wait_for_selector(".turn:not([aria-busy]):has-text('Stopped.')")
            page.get_by_role("button", name="Ask").wait_for()
            ollama.stopping.set()
        asked.close()


def test_the_widget_answers_on_another_origin_and_cannot_ingest(browser, site, host):
    with fresh(browser) as context:
        found = visit(context)
        page = found.page
        page.goto(f"{host}/?{site.url}&{site.options.widget_token}")
        page.get_by_role("button", name="Ask the documents").click()
        frame = page.frame_locator("iframe")
        frame.locator("#question").fill(QUESTION)
        frame.locator("#question").press("Enter")
        frame.locator(".chip").click()
        frame.locator(".sheet .mark").wait_for()
        assert frame.locator("#library").is_hidden()
        frame.locator("#evidence-close").press("Escape")
        frame.locator("#question").press("Escape")
        assert page.locator("iframe").is_hidden()
        found.check(site.url, host)


def test_a_site_that_is_not_allowed_cannot_show_the_widget(browser, site, host):
    with fresh(browser) as context:
        page = context.new_page()
        stranger = host.replace("127.0.0.1", "localhost")
        page.goto(f"{stranger}/?{site.url}&{site.options.widget_token}")
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.get_by_role("button", name="Ask the documents").click()


def test_the_token_is_asked_for_and_kept_out_of_the_address(browser, retriever):
    with serving(make_app(retriever, ServeOptions(token="s3cret"))) as url, fresh(browser) as context:
        page = context.new_page()
        page.goto(url)
        page.fill("#token", "s3cret")
        page.press("#token", "Enter")
        page.wait_for_selector("#sources li")
        other = context.new_page()
        other.goto(f"{url}/#token=s3cret")
        other.wait_for_selector("#sources li")
        assert other.url == f"{url}/"


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1440), ("dark", 390)], ids=["light and wide", "dark and narrow"]
)
def test_axe_finds_nothing_serious(browser, site, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": width, "height": 800}
    with fresh(browser, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True) as context:
        page = context.new_page()
        page.goto(site.url)
        page.wait_for_selector("#sources li", state="attached")
        states = [findings(Axe(), page)]
        ask(page, QUESTION)
        ask(page, "Which add-ons are there for sailing?")
        states.append(findings(Axe(), page))
        page.locator(".chip").first.click()
        page.wait_for_selector(".sheet .mark")
        states.append(findings(Axe(), page))
        page.goto(f"{site.url}/docs")
        page.wait_for_selector(".operation")
        states.append(findings(Axe(), page))
    assert states == [[], [], [], []]


def findings(axe: object, page: Page) -> list[str]:
    found = axe.run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in SERIOUS]


@pytest.mark.parametrize("width", [360, 820, 1180])
def test_nothing_sticks_out_on_any_width(browser, site, width):
    with fresh(browser, viewport={"width": width, "height": 700}) as context:
        page = context.new_page()
        page.goto(site.url)
        ask(page, QUESTION)
        page.click(".chip")
        page.wait_for_selector(".sheet .mark")
        for area in ("body", "#main", "#evidence-body"):
            inner, outer = page.evaluate(f"(e => [e.scrollWidth, e.clientWidth])(document.querySelector('{area}'))")
            assert inner <= outer, area


def test_the_first_load_is_light(opened, site):
    loaded = {url: size for url, size in opened.sizes.items() if not url.startswith("blob:")}
    assert sum(loaded.values()) <= WEIGHT
    assert sum(map(len, page_files().values())) <= WEIGHT
    assert f"{site.url}/static/app.js" in loaded
