"""The HTTP API over a small library made by hand, asked through real sockets."""

from __future__ import annotations

import io
import json
import multiprocessing
import re
import tarfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.errors import UsageError
from ingest.library import Library
from ingest.render import SCALE
from ingest.settings import Settings
from retrievers.api import ServeOptions, listening, make_app, welcome
from retrievers.api_ingest import Jobs, safe_name
from retrievers.api_shapes import Reply, page_files
from retrievers.api_threads import Threads
from retrievers.multi_vector import MultiVectorRetriever
from tests.live_server import serving
from tests.retrievers.made import BagOfWords, paragraph, put, table, title
from tests.retrievers.test_show import put_pdf, share_marked, write_pdf

QUESTION = {"question": "Do dogs travel free of charge?", "user_id": "tester"}
EVENTS = {"accept": "text/event-stream"}


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("served")
    pdf = folder / "fares.pdf"
    write_pdf(pdf, ("Fares rose twice in one year.", "Dogs travel free of charge."), ("Bicycles pay two crowns.",))
    with Library(folder / "lib", create=True) as opened:
        put_pdf(opened, pdf)
        rows = "<tr><th>Route</th><th>Price</th></tr><tr><td>H1</td><td>4.50</td></tr>"
        put(
            opened, "prices.md", [title("Prices"), table(f"<table>{rows}</table>"), paragraph("Half price for pupils.")]
        )
        put(opened, "notes.txt", [paragraph("The lighthouse is lit at dusk.")])
        yield opened


@pytest.fixture(scope="module")
def retriever(library) -> MultiVectorRetriever:
    return MultiVectorRetriever(library, settings=Settings(), embedder=BagOfWords())


@pytest.fixture(scope="module")
def client(retriever) -> Iterator[httpx.Client]:
    with serving(make_app(retriever, ServeOptions(model="extractive"))) as url, httpx.Client(base_url=url) as opened:
        yield opened


def events_of(text: str) -> list[tuple[str, dict]]:
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


@dataclass(frozen=True)
class Scripted:
    """A chat model that says the same every time."""

    said: tuple[str, ...]
    name: str = "scripted"
    context_tokens: int = 4096

    def reply(self, messages: Sequence[object], on_token=None) -> str:
        for token in self.said:
            if on_token is not None:
                on_token(token)
        return "".join(self.said)


# --- asking ---------------------------------------------------------------------------------------


def test_an_answer_has_the_shape_of_the_command_line_and_where_each_page_is_drawn(client):
    found = client.post("/api/question", json=QUESTION).json()
    assert (found["found"], found["model"]) == (True, "extractive")
    (citation,) = found["citations"]
    assert (citation["doc"], citation["page"], citation["quote"]) == ("fares.pdf", 1, "Dogs travel free of charge.")
    assert citation["verified"] is True
    assert client.get(citation["page_url"]).headers["content-type"] == "image/png"
    assert {"unsupported", "clarify", "records", "computation", "results", "timing", "seconds"} <= found.keys()


def test_a_question_can_keep_to_some_documents(client):
    found = client.post("/api/question", json=QUESTION | {"doc": "prices*"}).json()
    assert {hit["doc"] for hit in found["results"]} == {"prices.md"}


def test_a_stream_has_the_words_of_the_model_and_then_the_checked_answer(retriever):
    model = Scripted(said=("Dogs travel ", "free of charge [1]. ", "Cats pay 99 crowns [1]."))
    with serving(make_app(retriever, ServeOptions(model=model))) as url:
        said = httpx.post(f"{url}/api/question", json=QUESTION, headers=EVENTS)
    *tokens, (last, answer) = events_of(said.text)
    assert said.headers["content-type"].startswith("text/event-stream")
    assert [(name, data["text"]) for name, data in tokens][:3] == [("token", token) for token in model.said]
    assert (last, answer["model"]) == ("answer", "scripted")
    assert "99" not in answer["answer"]
    assert answer["unsupported"] == ["Cats pay 99 crowns"] or "99" in answer["unsupported"][0]


def test_a_text_that_is_no_unicode_is_sent_escaped():
    assert json.loads(Reply({"text": "half a pair \ud800"}).body) == {"text": "half a pair \ud800"}


def test_search_finds_passages_by_kind(client):
    found = client.get("/api/search", params={"q": "price of route H1", "kind": "table", "k": 3}).json()
    (hit,) = found["results"]
    assert hit["kind"] == "table"
    assert "<td>4.50</td>" in hit["text_as_html"]


def test_many_ask_at_once_and_all_are_answered(client):
    def ask(_: int) -> tuple[int, str]:
        reply = client.post("/api/question", json=QUESTION, timeout=60)
        return reply.status_code, reply.json()["answer"]

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(48))) == {(200, "Dogs travel free of charge [1].")}


async def _refusal(threads: Threads) -> int:
    from starlette.exceptions import HTTPException

    go_on = threading.Event()
    first, second = threads.submit(go_on.wait), threads.submit(go_on.wait)
    try:
        threads.submit(go_on.wait)
    except HTTPException as exc:
        return exc.status_code
    finally:
        go_on.set()
        await first
        await second
    return 0


def test_more_than_can_wait_are_refused():
    import asyncio

    threads = Threads("test", 1, 1)
    assert asyncio.run(_refusal(threads)) == 503
    assert threads.taken == 0
    threads.close()


# --- sessions -------------------------------------------------------------------------------------


def test_a_follow_up_is_understood_by_what_was_said_before_in_its_session(client):
    first = client.post("/api/question", json=QUESTION | {"question": "What did the fares cost in 2023?"}).json()
    body = QUESTION | {"question": "And in 2024?", "session_id": first["session"]}
    then = client.post("/api/question", json=body, headers={"x-session-secret": first["session_secret"]}).json()
    assert (then["session"], "session_secret" in then) == (first["session"], False)
    assert then["full_question"] == "What did the fares cost in 2024?"


def test_a_session_is_read_and_gone_on_with_by_those_alone_who_know_its_secret(client):
    begun = client.post("/api/question", json=QUESTION).json()
    other = client.post("/api/question", json=QUESTION).json()
    path, secret = f"/api/sessions/{begun['session']}", begun["session_secret"]
    for wrong in ({}, {"x-session-secret": other["session_secret"]}, {"x-session-secret": ""}):
        assert client.get(path, headers=wrong).status_code == 404
        assert client.delete(path, headers=wrong).status_code == 404
        body = QUESTION | {"session_id": begun["session"]}
        assert client.post("/api/question", json=body, headers=wrong).status_code == 404
    kept = client.get(path, headers={"x-session-secret": secret})
    (turn,) = kept.json()["turns"]
    assert (turn["question"], turn["answer"]["answer"]) == (QUESTION["question"], begun["answer"])
    assert turn["answer"]["citations"] == begun["citations"]
    assert secret not in kept.text
    assert client.delete(path, headers={"x-session-secret": secret}).json() == {"deleted": True}
    assert client.get(path, headers={"x-session-secret": secret}).status_code == 404


# --- looking up -----------------------------------------------------------------------------------


def test_sources_have_ids_states_and_can_be_filtered(client):
    found = client.get("/api/sources").json()
    assert (found["total"], found["states"]) == (3, {"ingested": 3})
    assert all(re.fullmatch(r"[0-9a-f]+", source["source"]) for source in found["sources"])
    (only,) = client.get("/api/sources", params={"q": "FARES"}).json()["sources"]
    assert only["path"] == "fares.pdf"
    assert client.get("/api/sources", params={"limit": 1, "offset": 2}).json()["sources"] == [only]


def test_the_highlighted_words_are_marked_in_the_page_picture_and_others_are_not(client):
    (citation,) = client.post("/api/question", json=QUESTION).json()["citations"]
    picture = Image.open(io.BytesIO(client.get(citation["page_url"]).content)).convert("RGB")
    plain = Image.open(io.BytesIO(client.get(citation["page_url"].partition("?")[0]).content)).convert("RGB")
    assert picture.size == plain.size == (round(595 * SCALE), round(842 * SCALE))
    changed = np.argwhere((np.asarray(picture) != np.asarray(plain)).any(axis=2))
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert np.abs(np.array([left, top, right, bottom]) / SCALE - citation["box"]).max() <= 1.5
    assert share_marked(picture, tuple(v * SCALE for v in citation["box"])) > 0.5


def test_a_chunk_has_its_text_and_the_sizes_of_its_pages(client):
    (citation,) = client.post("/api/question", json=QUESTION).json()["citations"]
    chunk = client.get(f"/api/chunks/{citation['chunk_id']}").json()
    assert citation["quote"] in chunk["text"]
    (page,) = [p for p in chunk["pages"] if p["page"] == citation["page"]]
    assert (page["width"], page["height"]) == (595, 842)
    assert citation["page_url"].startswith(page["url"])


def test_pages_of_what_is_unknown_or_cannot_be_drawn_are_refused_with_the_reason(client):
    sources = {s["path"]: s["source"] for s in client.get("/api/sources").json()["sources"]}
    fares = sources["fares.pdf"]
    assert client.get(f"/api/pages/{fares}/3.png").status_code == 404
    assert client.get(f"/api/pages/{'0' * 64}/1.png").status_code == 404
    assert client.get(f"/api/pages/{fares}/1.png", params={"highlight": "nothing"}).status_code == 404
    assert client.get("/api/chunks/nothing").status_code == 404
    assert client.get(f"/api/images/{'0' * 64}.png").status_code == 404


def test_an_original_that_has_changed_is_told(retriever, library, tmp_path):
    pdf = tmp_path / "gone.pdf"
    write_pdf(pdf, ("Seals rest on the outer rocks.",))
    source = put_pdf(library, pdf)
    pdf.write_bytes(b"%PDF-1.4 other")
    with serving(make_app(retriever, ServeOptions())) as url:
        said = httpx.get(f"{url}/api/pages/{source}/1.png")
    library.drop_paths([str(pdf)])
    library.sweep()
    assert said.status_code == 409
    assert "has changed since it was ingested" in said.json()["error"]


# --- who may ask ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "a:b:c"]
)
def test_a_foreign_host_name_is_refused(client, host):
    assert client.get("/api/health", headers={"host": host}).status_code == 400
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "LOCALHOST", "[::1]:8631"])
def test_names_of_this_machine_are_known(client, host):
    assert client.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://"])
def test_a_foreign_origin_is_refused(client, origin):
    said = client.post("/api/question", json=QUESTION, headers={"origin": origin})
    assert said.status_code == 403
    assert "access-control-allow-origin" not in said.headers


def test_what_another_sites_page_embeds_is_refused(client):
    assert client.get("/api/sources", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get("/api/sources", headers={"sec-fetch-site": "same-site"}).status_code == 403
    assert client.get("/api/sources", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_its_own_origin_is_let_in(client):
    assert client.post("/api/question", json=QUESTION, headers={"origin": str(client.base_url)}).status_code == 200


def test_an_allowed_origin_may_call_and_others_may_not(retriever):
    app = make_app(retriever, ServeOptions(allow_origins=("https://wiki.example",), model="extractive"))
    with serving(app) as url, httpx.Client(base_url=url) as client:
        ours = {"origin": "https://wiki.example"}
        asked = client.options("/api/question", headers=ours | {"access-control-request-method": "POST"})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://wiki.example")
        assert client.post("/api/question", json=QUESTION, headers=ours).status_code == 200
        assert client.options("/api/question", headers={"origin": "https://other.example"}).status_code == 403


def test_with_a_token_nothing_is_open_without_it(retriever):
    with serving(make_app(retriever, ServeOptions(token="s3cret"))) as url, httpx.Client(base_url=url) as client:
        assert client.get("/api/health").status_code == 401
        for wrong in ("Bearer other", "Basic s3cret", "Bearer", "s3cret"):
            assert client.get("/api/health", headers={"authorization": wrong}).status_code == 401
        assert client.get("/api/health", headers={"authorization": "Bearer s3cret"}).json()["role"] == "owner"
        assert client.get("/").status_code == 200, "the page itself asks for the token"


def test_the_widgets_token_asks_and_does_nothing_else(retriever):
    options = ServeOptions(widget_origins=("https://shop.example",), model="extractive").with_tokens()
    key = {"authorization": f"Bearer {options.widget_token}"}
    with serving(make_app(retriever, options)) as url, httpx.Client(base_url=url, headers=key) as client:
        assert client.post("/api/question", json=QUESTION).status_code == 200
        assert client.get("/api/health").json()["role"] == "widget"
        assert client.get("/api/sources").status_code == 403
        assert client.get("/api/search", params={"q": "dogs"}).status_code == 403
        assert client.post("/api/ingest", files={"files": ("a.txt", b"text")}).status_code == 403
        framed = client.get("/widget").headers
        assert "frame-ancestors https://shop.example" in framed["content-security-policy"]
        assert "x-frame-options" not in framed
        assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]
        assert client.get("/widget.js").headers["cross-origin-resource-policy"] == "cross-origin"


def test_without_a_widget_there_is_no_page_to_frame(client):
    assert client.get("/widget").status_code == 404


def test_others_reach_the_server_with_a_token_alone():
    with pytest.raises(UsageError, match="a token is needed"):
        _ = ServeOptions(host="0.0.0.0").rules
    options = ServeOptions(host="0.0.0.0").with_tokens()
    assert options.token is not None
    assert len(options.token) >= 32
    assert options.token in welcome(options, 8631)
    assert ServeOptions(allow_hosts=("docs.example",)).with_tokens().token is not None
    assert ServeOptions().with_tokens().token is None


@pytest.mark.parametrize(
    "origin",
    ["example.org", "https://a.org/", "ftp://a.org", "*", "https://", "https://a.org; script-src *", "https://a.org b"],
)
def test_an_origin_is_scheme_and_host(origin):
    with pytest.raises(UsageError, match="is no origin"):
        ServeOptions(allow_origins=(origin,))


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": "?"},
        QUESTION | {"question": ""},
        QUESTION | {"question": 7},
        QUESTION | {"question": "x" * 4001},
        QUESTION | {"question": "nul \0"},
        QUESTION | {"user_id": None},
        QUESTION | {"session_id": "../other"},
        QUESTION | {"more": 1},
        [],
        "text",
    ],
)
def test_a_question_of_the_wrong_shape_is_refused_without_repeating_it(client, body):
    said = client.post("/api/question", json=body)
    assert said.status_code == 422
    assert "xxx" not in said.text


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"question": "\\ud800", "user_id": "a"}', b"[" * 60_000])
def test_what_is_no_json_is_refused(client, content):
    said = client.post("/api/question", content=content, headers={"content-type": "application/json"})
    assert said.status_code in (400, 422)


def test_json_of_another_type_is_refused(client):
    said = client.post("/api/question", content=json.dumps(QUESTION), headers={"content-type": "text/plain"})
    assert said.status_code == 422


def test_a_body_that_is_too_long_is_refused(client):
    long = b" " * 70_000
    assert client.post("/api/question", content=long).status_code == 413
    assert client.post("/api/question", content=iter([long[:40_000]] * 2)).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api.py",
        "/static/%2e%2e/api.py",
        "/static/..%2f..%2fcli.py",
        "/static/.",
        "/api/images/../library.db.png",
        "/api/images/%2e%2e%2flibrary.png",
        "/api/chunks/..%2f..",
        "/api/pages/..%2f..%2f/1.png",
        f"/api/pages/{'0' * 64}/-1.png",
        f"/api/pages/{'0' * 64}/1e9.png",
        f"/api/pages/{'0' * 64}/{'9' * 30}.png",
        "/api/search?q=dogs&k=0",
        "/api/search?q=dogs&kind=video",
        "/api/search?q=",
        "/api/sources?limit=100000",
        "/api/nothing",
    ],
)
def test_paths_and_values_that_mean_nothing_are_refused(client, path):
    request = client.build_request("GET", "/")
    request.url = httpx.URL(str(client.base_url), raw_path=path.encode())
    assert 400 <= client.send(request).status_code < 500


# --- uploads --------------------------------------------------------------------------------------


def test_uploads_are_read_in_the_background_and_found_then(tmp_path):
    with Library(tmp_path / "lib", create=True) as library:
        retriever = MultiVectorRetriever(library, settings=Settings(jobs=1))
        app = make_app(retriever, ServeOptions(model="extractive"))
        with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
            files = [("files", ("../../ships.csv", b"ship,seats\nGuillemot,340\n")), ("files", ("x.bin", b"\0\1"))]
            job = client.post("/api/ingest", files=files)
            assert job.status_code == 202
            said = events_of(client.get(f"/api/ingest/{job.json()['job']}", headers=EVENTS).text)
            found = client.post("/api/question", json=QUESTION | {"question": "How many seats has the Guillemot?"})
            after = client.get(f"/api/ingest/{job.json()['job']}").json()
        retriever.close()
    states = {data["path"]: data["state"] for name, data in said if name == "source"}
    assert states == {"lib-uploads/ships.csv": "ingested", "lib-uploads/x.bin": "skipped"}
    assert (said[-1][0], said[-1][1]["state"], said[-1][1]["summary"]["ingested"]) == ("done", "done", 1)
    assert (after["state"], len(after["results"])) == ("done", 2)
    assert "340" in found.json()["answer"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lib", "lib-uploads"]


def test_only_folders_on_the_list_can_be_read(retriever, tmp_path):
    (tmp_path / "open").mkdir()
    app = make_app(retriever, ServeOptions(allow_folders=(tmp_path / "open",)))
    with serving(app) as url, httpx.Client(base_url=url) as client:
        (folder,) = client.get("/api/health").json()["folders"]
        assert folder["path"].endswith("/open")
        for wrong in (str(tmp_path), str(tmp_path / "open"), "../..", "/etc"):
            assert client.post("/api/ingest", data={"folder": wrong}).status_code == 404
        assert client.post("/api/ingest", data={}).status_code == 422
        assert client.post("/api/ingest", files={"other": ("a", b"b")}).status_code == 422
        assert client.post("/api/ingest", json={"files": []}).status_code == 422
        assert client.get("/api/ingest/nothing").status_code == 404


def test_an_upload_that_is_too_large_is_refused(retriever, tmp_path):
    with serving(make_app(retriever, ServeOptions(upload_bytes=1000))) as url:
        big = {"files": ("a.txt", b"x" * 400_000)}
        assert httpx.post(f"{url}/api/ingest", files=big).status_code == 413
    assert not list(retriever.library.folder.parent.glob("*-uploads/*"))


def test_an_ingest_ends_with_its_server(tmp_path):
    (tmp_path / "a.csv").write_text("ship,seats\nGuillemot,340\n")
    with Library(tmp_path / "lib", create=True) as library, library.writing():
        jobs = Jobs(library.folder, Settings(jobs=1))
        job = jobs.start([tmp_path / "a.csv"])  # waits for the library, which is held here
        began = threading.Event()
        job.watchers.append(began.set)
        assert job.state == "running" or began.wait(60)
        jobs.close()
    assert (job.state, jobs.running) == ("failed", 0)
    assert "ended before its end" in (job.error or "")
    assert not [child for child in multiprocessing.active_children() if child.name.startswith("SpawnProcess")]


def test_an_address_that_is_taken_is_named(tmp_path):
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1, port {port}"):
            listening("127.0.0.1", port)


def test_an_upload_never_replaces_another_file(tmp_path):
    from retrievers.api_ingest import keep_upload

    kept = [keep_upload(tmp_path / "up", "a.txt", io.BytesIO(data)).name for data in (b"one", b"two", b"one", b"two")]
    assert kept == ["a.txt", "a-2.txt", "a.txt", "a-2.txt"]
    assert sorted(p.name for p in (tmp_path / "up").iterdir()) == ["a-2.txt", "a.txt"]
    assert (tmp_path / "up").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\a.docx", "a.docx"),
        (".hidden", "hidden"),
        ("..", "upload"),
        ("", "upload"),
        ("a\0b\n.txt", "ab.txt"),
        ("cafe\u0301.md", "caf\xe9.md"),
    ],
)
def test_names_of_uploads_are_made_safe(name, kept):
    assert safe_name(name) == kept


@given(st.text(max_size=400))
def test_a_safe_name_is_one_visible_file_of_a_folder(name):
    found = safe_name(name)
    assert found not in ("", ".", "..")
    assert not found.startswith(".")
    assert Path(found).name == found
    assert "\0" not in found
    assert len(found.encode()) <= 200
    assert safe_name(found) == found


# --- the page -------------------------------------------------------------------------------------


def test_every_response_forbids_what_the_page_does_not_need(client):
    for path in ("/", "/docs", "/static/app.js", "/api/health", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_files_of_the_page_are_served_with_their_types(client):
    kinds = {name: client.get(f"/static/{name}").headers["content-type"].partition(";")[0] for name in page_files()}
    assert kinds["app.js"] in ("text/javascript", "application/javascript")
    assert (kinds["style.css"], kinds["icon.svg"], kinds["index.html"]) == ("text/css", "image/svg+xml", "text/html")
    assert client.get("/favicon.ico", follow_redirects=True).status_code == 200


def test_the_page_names_no_other_host():
    for name, content in page_files().items():
        named = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", content.decode()))
        assert named <= {"http://www.w3.org"}, name


def test_the_source_code_that_runs_can_be_had(client):
    with tarfile.open(fileobj=io.BytesIO(client.get("/source.tar.gz").content)) as archive:
        names = set(archive.getnames())
        owners = {(entry.uname, entry.mtime) for entry in archive}
    assert {"pincite/cli.py", "pincite/retrievers/api.py", "pincite/retrievers/page/app.js"} <= names
    assert owners == {("", 0)}


def test_the_interface_is_described(client):
    described = client.get("/api/openapi.json").json()
    assert {"/api/question", "/api/search", "/api/ingest", "/api/pages/{source}/{page}.png"} <= described[
        "paths"
    ].keys()
    assert client.get("/docs").status_code == 200
