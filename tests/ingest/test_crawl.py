import email.utils
import gzip
import itertools
import time

import pytest

from ingest import pipeline
from ingest.crawl import CrawlOptions, sync_site
from ingest.crawl_links import read_links, read_sitemap
from ingest.crawl_pace import Pace
from ingest.errors import GoneError, UnreachableError
from ingest.library import Library
from ingest.library_pages import KnownPages
from ingest.pipeline import IngestOptions, ingest, remove
from ingest.urls import unsigned
from tests.inline_pool import InlinePool
from tests.site_server import Reply, Site, serve


@pytest.fixture
def site():
    with serve() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    monkeypatch.setattr(pipeline, "WorkerPool", InlinePool)


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as found:
        yield found


@pytest.fixture
def crawl(site: Site, library: Library):
    """Crawls from the site's root, or another path, without waiting."""

    def call(path: str = "/", pace: Pace | None = None, max_bytes: int = 10**8, **options):
        site.asked.clear()
        site.sent = 0
        with KnownPages(library) as known:
            return sync_site(
                site.url + path,
                known,
                library.put_member,
                CrawlOptions(delay=0, allow_private=True, **options),
                max_bytes=max_bytes,
                pace=pace,
            )

    return call


def links(*paths: str) -> str:
    return "".join(f'<p>See <a href="{path}">this page</a> too.</p>' for path in paths)


def paths(site: Site, found) -> list[str]:
    return sorted(url.removeprefix(site.url) for url in found.sources)


def a_ring(site: Site, count: int) -> None:
    """Pages that link in a ring and to each other, each with text of its own."""
    for i in range(count):
        text = f"<p>Page {i} tells of pier number {i} and of nothing else.</p>" * 20
        site.page(f"/p{i}", f"<h1>Pier {i}</h1>{text}" + links(f"/p{(i + 1) % count}", f"/p{i * 7 % count}#part", "/"))
    site.page("/", "<h1>Piers</h1>" + links("/p0"))


def test_without_depth_one_page_is_taken_and_nothing_else_is_asked_for(site, crawl):
    a_ring(site, 3)
    assert paths(site, crawl()) == ["/"]
    assert site.asked == ["/"]


def test_every_page_is_asked_for_once(site, crawl):
    a_ring(site, 30)
    found = crawl(depth=40)
    assert len(found.sources) == 31
    assert sorted(site.asked) == sorted({*site.asked})


def test_a_second_crawl_costs_requests_but_no_pages(site, crawl):
    a_ring(site, 30)
    first = crawl(depth=40)
    sent = site.sent
    again = crawl(depth=40)
    assert again.sources == first.sources
    assert site.sent <= 0.05 * sent


def test_last_modified_alone_saves_the_page_too(site, crawl):
    site.has_etags = False
    day = "Mon, 02 Sep 2024 10:00:00 GMT"

    def dated(handler):
        fresh = handler.headers.get("If-Modified-Since") == day
        handler.send_response(304 if fresh else 200)
        handler.send_header("Last-Modified", day)
        handler.send_header("Content-Length", "0" if fresh else "26")
        handler.end_headers()
        if not fresh:
            handler.wfile.write(b"<html><p>A page is here.\n\n")
            site.sent += 26

    site.replies["/"] = Reply(raw=dated)
    first = crawl()
    assert site.sent == 26
    assert crawl().sources == first.sources
    assert site.sent == 0


def test_a_page_whose_kept_bytes_are_lost_is_fetched_whole(site, crawl, library):
    a_ring(site, 1)
    crawl()
    for file in (library.folder / "members").iterdir():
        file.unlink()
    crawl()
    assert site.sent > 0


def test_depth_and_number_of_pages_bound_the_crawl(site, crawl):
    a_ring(site, 30)
    assert paths(site, crawl(depth=1)) == ["/", "/p0"]
    assert len(crawl(depth=40, max_pages=7).sources) == 7


def test_dead_links_do_not_make_a_crawl_endless(site, crawl):
    site.page("/", links(*(f"/dead{i}" for i in range(500))))
    crawl(depth=1, max_pages=2)
    assert len(site.asked) < 50


def test_the_extent_of_the_last_crawl_is_taken_again(site, crawl):
    a_ring(site, 5)
    crawl(depth=2)
    again = crawl()
    assert len(again.sources) > 1
    assert crawl(depth=0).gone.keys() >= {f"{site.url}/p0"}


def test_robots_txt_is_obeyed(site, crawl):
    site.replies["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /private\nCrawl-delay: 2\n")
    site.page("/", links("/private/a", "/open"))
    site.page("/open", "<p>This is open to all.</p>")
    waits: list[float] = []
    found = crawl(depth=1, pace=Pace(0.0, clock=lambda: 0.0, sleep=waits.append))
    assert paths(site, found) == ["/", "/open"]
    assert "/private/a" not in site.asked
    assert max(waits) == 2.0


def test_a_site_whose_robots_txt_forbids_all_is_not_crawled(site, crawl):
    site.page("/", "<p>It is here.</p>")
    site.replies["/robots.txt"] = Reply(b"User-agent: pincite\nDisallow: /\n")
    with pytest.raises(UnreachableError, match="robots"):
        crawl(depth=1)
    site.replies["/robots.txt"] = Reply(b"", 500)
    with pytest.raises(UnreachableError, match="robots"):
        crawl(depth=1)
    assert "/" not in site.asked


def test_requests_keep_the_pause(site, crawl):
    a_ring(site, 5)
    now = [0.0]
    starts: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    class Watched(Pace):
        def wait(self, host: str) -> None:
            Pace.wait(self, host)
            starts.append(now[0])

    crawl(depth=9, pace=Watched(1.5, clock=lambda: now[0], sleep=sleep))
    assert len(starts) == len(site.asked)
    assert all(b - a >= 1.5 for a, b in itertools.pairwise(starts))


def test_a_busy_server_is_asked_once_more_when_it_says(site, crawl):
    calls: list[int] = []

    def busy(handler):
        calls.append(1)
        handler.send_response(200 if len(calls) > 1 else 429)
        handler.send_header("Retry-After", "7")
        handler.send_header("Content-Length", "22")
        handler.end_headers()
        handler.wfile.write(b"<html>A page is here.\n")

    site.replies["/"] = Reply(raw=busy)
    waits: list[float] = []
    crawl(pace=Pace(0.0, clock=lambda: 0.0, sleep=waits.append))
    assert waits == [7.0]


def test_each_hop_of_a_redirect_keeps_the_pause(site, crawl):
    site.page("/", links("/a"))
    for path, target in (("/a", "/b"), ("/b", "/c")):
        site.replies[path] = Reply(status=302, headers={"Location": target})
    site.page("/c", "<p>The end of the way is here.</p>")
    waits: list[float] = []
    found = crawl(depth=1, pace=Pace(2.0, clock=lambda: 0.0, sleep=waits.append))
    assert paths(site, found) == ["/", "/c"]
    assert waits == [2.0] * (len(site.asked) - 1)


def test_a_redirect_does_not_lead_around_robots_txt(site, crawl):
    site.replies["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /private\n")
    site.page("/", links("/a"))
    site.replies["/a"] = Reply(status=302, headers={"Location": "/private/a"})
    site.page("/private/a", "<p>This is not for crawlers.</p>")
    found = crawl(depth=1)
    assert "/private/a" not in site.asked
    assert [problem.reason for problem in found.problems.values()] == ["it leads to where robots.txt forbids to read"]


def test_a_redirect_to_another_site_is_not_followed_from_a_page(site, crawl):
    with serve() as other:
        other.page("/x", "<p>Another site is here.</p>")
        site.page("/", links("/away"))
        site.replies["/away"] = Reply(status=302, headers={"Location": f"{other.url}/x"})
        found = crawl(depth=1)
    assert other.asked == []
    assert found.gone == {f"{site.url}/away": "it leads to another site now"}


def test_an_address_that_leads_to_another_site_is_read_there(site, crawl):
    with serve() as other:
        other.page("/x", "<p>Another site is here.</p>" + links("/y"))
        other.page("/y", "<p>A second page is here.</p>")
        site.replies["/"] = Reply(status=302, headers={"Location": f"{other.url}/x"})
        found = crawl(depth=1)
        assert sorted(found.sources) == [f"{other.url}/x", f"{other.url}/y"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_more_slowly(site, crawl, status):
    a_ring(site, 3)
    site.replies["/p0"] = Reply(b"", status)
    site.page("/", links("/p0", "/p1"))
    pace = Pace(1.0, clock=lambda: 0.0, sleep=lambda _seconds: None)
    found = crawl(depth=1, pace=pace)
    assert pace.delay == 2.0
    assert paths(site, found) == ["/", "/p1"]


def test_a_server_that_asks_for_a_long_rest_is_left_alone(site, crawl):
    a_ring(site, 5)
    crawl(depth=9)
    site.replies["/p0"] = Reply(b"", 503, {"Retry-After": "3600"})
    found = crawl(depth=9)
    assert site.asked[-1] == "/p0"
    assert found.problems[f"{site.url}/p0"].reason == "the server answered 503"
    assert {p.reason for url, p in found.problems.items() if not url.endswith("/p0")} == {
        "not asked: the site stopped answering"
    }


def test_a_time_to_come_back_may_be_a_date(site, crawl):
    later = email.utils.formatdate(time.time() + 20, usegmt=True)
    calls: list[int] = []

    def busy(handler):
        calls.append(1)
        handler.send_response(200 if len(calls) > 1 else 503)
        handler.send_header("Retry-After", later)
        handler.send_header("Content-Length", "22")
        handler.end_headers()
        handler.wfile.write(b"<html>A page is here.\n")

    site.replies["/"] = Reply(raw=busy)
    waits: list[float] = []
    crawl(pace=Pace(0.0, clock=lambda: 0.0, sleep=waits.append))
    assert len(waits) == 1
    assert 0 < waits[0] <= 20


@pytest.mark.parametrize(
    ("markup", "headers"),
    [
        ("<meta name='robots' content='noindex'>", {}),
        ("<meta name='ROBOTS' content='NOINDEX, follow'>", {}),
        ("<meta name='pincite' content='noindex'>", {}),
        ("", {"X_Robots_Tag": "noindex"}),
        ("", {"X_Robots_Tag": "otherbot: nofollow, pincite: noindex"}),
        ("", {"X_Robots_Tag": "unavailable_after: 25 Jun 2030 15:00:00 GMT, noindex"}),
    ],
)
def test_a_page_that_does_not_want_to_be_indexed_is_a_way_to_others_alone(site, crawl, markup, headers):
    site.page("/", links("/tags"))
    site.page("/tags", f"{markup}<p>All tags are here.</p>{links('/pier')}", **headers)
    site.page("/pier", "<p>The pier is here.</p>")
    found = crawl(depth=2)
    assert paths(site, found) == ["/", "/pier"]
    assert "noindex" in found.problems[f"{site.url}/tags"].reason


@pytest.mark.parametrize("said", ["otherbot: noindex", "otherbot: none, another: noindex", "max-snippet: 20, all"])
def test_what_is_said_to_other_crawlers_holds_for_them(site, crawl, said):
    site.page("/", links("/pier"))
    site.page("/pier", "<p>The pier is here.</p>", X_Robots_Tag=said)
    assert paths(site, crawl(depth=1)) == ["/", "/pier"]


def test_a_page_that_the_user_named_is_read_whatever_it_says_to_crawlers(site, crawl):
    site.page("/", "<meta name='robots' content='noindex'><p>The pier is here.</p>")
    assert paths(site, crawl()) == ["/"]


@pytest.mark.parametrize("headers", [{"X_Robots_Tag": "nofollow"}, {"X_Robots_Tag": "none"}])
def test_links_of_a_page_that_does_not_want_them_followed_are_not(site, crawl, headers):
    site.page("/", links("/pier"), **headers)
    site.page("/pier", "<p>The pier is here.</p>")
    assert paths(site, crawl(depth=1)) == ["/"]
    assert "/pier" not in site.asked


def test_texts_records_and_documents_of_a_site_are_read_by_their_media_type(site, crawl, samples):
    site.page("/", links("/notes.php", "/LICENSE", "/export", "/report?id=7"))
    kinds = {
        "/notes.php": ("text/plain", b"The notes are plain text."),
        "/LICENSE": ("text/plain; charset=utf-8", b"You may copy it."),
        "/export": ("text/csv", b"pier,cost\nnorth,7\n"),
        "/report?id=7": ("application/pdf", (samples / "report.pdf").read_bytes()),
    }
    for path, (kind, body) in kinds.items():
        site.replies[path] = Reply(body, headers={"Content-Type": kind})
    found = crawl(depth=1)
    forms = {url.removeprefix(site.url): source.format for url, source in found.sources.items()}
    assert forms == {"/": "html", "/notes.php": "txt", "/LICENSE": "txt", "/export": "csv", "/report?id=7": "pdf"}


def test_the_sitemap_leads_to_pages_that_no_link_does(site, crawl):
    site.page("/", "<p>Nothing is linked here.</p>")
    site.page("/lonely", "<p>A lonely page is here.</p>")
    site.replies["/robots.txt"] = Reply(f"Sitemap: {site.url}/maps.xml".encode())
    index = f"<sitemapindex xmlns='x'><sitemap><loc>{site.url}/m.xml.gz</loc></sitemap></sitemapindex>"
    site.replies["/maps.xml"] = Reply(index.encode())
    inner = f"<urlset><url><loc> {site.url}/lonely </loc></url><url><loc>http://other.example/</loc></url></urlset>"
    site.replies["/m.xml.gz"] = Reply(gzip.compress(inner.encode()))
    assert paths(site, crawl(depth=1)) == ["/", "/lonely"]
    assert paths(site, crawl(depth=1)) == ["/", "/lonely"]
    assert site.sent < 100


def test_entities_of_a_sitemap_are_not_expanded():
    text = b'<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/hostname">]><urlset><url><loc>http://x.example/&a;</loc></url></urlset>'
    assert read_sitemap(text, "http://x.example/") == (("http://x.example/",), ())


def test_pages_under_two_addresses_are_taken_once(site, crawl):
    same = "<p>The same bytes are here.</p>"
    site.page("/", links("/a", "/b", "/c?print=1", "/old"))
    site.page("/a", same)
    site.page("/b", same)
    site.page("/c?print=1", '<link rel="canonical" href="/c"><p>Print view is here.</p>')
    site.page("/c", '<link rel="canonical" href="/c"><p>The page C is here.</p>')
    site.page("/new", "<p>The new place is here.</p>")
    site.replies["/old"] = Reply(status=301, headers={"Location": "/new"})
    assert paths(site, crawl(depth=1)) == ["/", "/a", "/c", "/new"]
    assert paths(site, crawl(depth=1)) == ["/", "/a", "/c", "/new"]


def test_a_page_whose_canonical_address_is_dead_is_taken_itself(site, crawl):
    site.page("/", links("/c?x=1"))
    site.page("/c?x=1", '<link rel="canonical" href="/never"><p>The page C is here.</p>')
    found = crawl(depth=1)
    assert paths(site, found) == ["/", "/c?x=1"]


def test_links_to_other_sites_pictures_and_scripts_are_not_followed(site, crawl):
    site.page("/", links("http://other.example/", "/x.png", "/x.css", "mailto:a@b.c", "javascript:x()", "#top"))
    crawl(depth=1)
    assert site.asked == ["/robots.txt", "/", "/sitemap.xml"]


def test_only_what_the_server_says_is_gone_is_gone(site, crawl):
    a_ring(site, 3)
    crawl(depth=9)
    site.replies["/p1"] = Reply(b"", 410)
    site.replies["/p2"] = Reply(b"", 500)
    site.page("/p0", "<p>No links are here any more.</p>")
    found = crawl(depth=9)
    assert paths(site, found) == ["/", "/p0"]
    assert found.gone == {f"{site.url}/p1": "the page is gone (410)"}
    assert "500" in found.problems[f"{site.url}/p2"].reason


def test_a_site_that_stops_answering_is_left_alone(site, crawl):
    a_ring(site, 30)
    crawl(depth=40)
    for i in range(30):
        site.replies[f"/p{i}"] = Reply(b"", 502)
    found = crawl(depth=40)
    assert len(site.asked) < 12
    assert len(found.problems) == 30
    assert not found.gone


def test_an_address_that_is_gone_removes_nothing(site, crawl):
    a_ring(site, 2)
    crawl(depth=3)
    site.replies["/"] = Reply(b"", 404)
    with pytest.raises(GoneError):
        crawl()


def test_a_charset_that_only_the_server_names_is_kept_with_the_page(site, crawl):
    text = "<p>Паром отходит.</p>"
    site.replies["/"] = Reply(text.encode("cp1251"), headers={"Content-Type": "text/html; charset=windows-1251"})
    (source,) = crawl().sources.values()
    assert source.path.read_bytes().decode("utf-8-sig") == text


def test_a_document_is_told_by_its_bytes(site, crawl, samples):
    pdf = (samples / "report.pdf").read_bytes()
    site.page("/", links("/get?id=1"))
    site.replies["/get?id=1"] = Reply(pdf, headers={"Content-Type": "application/octet-stream"})
    found = crawl(depth=1)
    assert found.sources[f"{site.url}/get?id=1"].format == "pdf"


def test_a_page_that_is_too_large_is_skipped_with_the_reason(site, crawl):
    site.page("/", links("/big"))
    site.page("/big", "<p>x</p>" * 1000)
    found = crawl(depth=1, max_bytes=4000)
    assert "larger" in found.problems[f"{site.url}/big"].reason


def test_links_are_absolute_and_each_once():
    page = (
        b"<base href='/d/'><a href='a'>1</a><a href='a#x'>2</a><a rel=nofollow href=b>3</a><area href='//h.example/c'>"
    )
    assert read_links(page, "http://x.example/y") == (("http://x.example/d/a", "http://h.example/c"), None)
    assert read_links(b"<meta name=robots content='noindex, nofollow'><a href=a>1</a>", "http://x.example/")[0] == ()


def test_a_site_is_ingested_searched_synced_and_removed(site, tmp_path):
    a_ring(site, 3)
    folder = tmp_path / "lib"
    options = IngestOptions(crawl=CrawlOptions(depth=5, delay=0, allow_private=True))
    first = list(ingest([site.url], folder, options=options))
    assert {(r.path, r.state) for r in first} == {(site.url + p, "ingested") for p in ("/", "/p0", "/p1", "/p2")}
    site.replies["/p1"] = Reply(b"", 404)
    site.replies["/p2"] = Reply(b"", 500)
    site.page("/p0", "<h1>Pier 0</h1><p>The pier was painted blue.</p>")
    again = {r.path.removeprefix(site.url): (r.state, r.reason) for r in ingest([site.url], folder, options=options)}
    assert again["/"] == ("unchanged", None)
    assert again["/p0"] == ("ingested", None)
    assert again["/p1"] == ("removed", "the page is gone (404)")
    assert again["/p2"] == ("failed", "the server answered 500; its earlier content was kept")
    with Library(folder) as library:
        assert len(library.documents()) == 3
        remove(library, [site.url])
        assert library.counts() == {"sources": 0, "chunks": 0, "vectors": 0, "images": 0}
        assert not list((folder / "members").iterdir())
    assert b"painted" not in b"".join(f.read_bytes() for f in folder.glob("library.sqlite*"))
    assert site.url.encode() not in b"".join(f.read_bytes() for f in folder.glob("library.sqlite*"))


@pytest.mark.parametrize("is_redirected", [False, True])
def test_a_signature_in_an_address_is_used_and_kept_nowhere(site, tmp_path, caplog, is_redirected):
    signed = "/note.md?v=1&X-Amz-Credential=AKIA5ecret&X-Amz-Signature=5ecret"
    site.replies[signed] = Reply(b"# Note\n\nThe ferry sails at noon.\n", headers={"Content-Type": "text/markdown"})
    site.replies["/latest"] = Reply(b"", 302, headers={"Location": site.url + signed})
    root, library = site.url + ("/latest" if is_redirected else signed), tmp_path / "lib"
    options = IngestOptions(crawl=CrawlOptions(allow_private=True, delay=0))
    caplog.set_level("DEBUG", logger="ingest")
    (first,) = ingest([root], library, options=options)
    assert (first.path, first.state) == (f"{site.url}/note.md?v=1", "ingested")
    sent = site.sent
    assert [result.state for result in ingest([root], library, options=options)] == ["unchanged"]
    assert site.sent == sent, "the server was asked whether it has changed"
    (expired,) = ingest([unsigned(root)], library, options=options) if not is_redirected else [first]
    assert is_redirected or "its sources were kept" in expired.reason
    assert all(b"5ecret" not in path.read_bytes() for path in library.rglob("*") if path.is_file())
    assert "5ecret" not in caplog.text


def test_a_site_that_is_down_keeps_its_pages(site, tmp_path):
    a_ring(site, 1)
    options = IngestOptions(crawl=CrawlOptions(depth=5, delay=0, allow_private=True))
    list(ingest([site.url], tmp_path / "lib", options=options))
    site.replies["/"] = Reply(b"", 503)
    (result,) = ingest([site.url], tmp_path / "lib", options=options)
    assert (result.state, result.reason) == ("failed", "the server answered 503; its sources were kept: 2")


def test_this_machine_is_not_asked_unless_allowed(site, tmp_path):
    (result,) = ingest([site.url], tmp_path / "lib")
    assert result.state == "failed"
    assert "--allow-private" in (result.reason or "")
    assert site.asked == []
