"""What is stored holds no active content, and what is logged no content at all."""

import logging
import re
from contextlib import closing

import pytest

from ingest.library import Library
from ingest.pipeline import IngestOptions, ingest
from ingest.rows import element_row
from ingest.settings import Settings
from ingest.tables import cells_to_html, safe_html
from ingest.types import Cell, Element
from retrievers import MultiVectorRetriever, answer
from tests.inline_pool import InlinePool

HOSTILE = """<html><body onload="steal()"><h1>Report<script>steal()</script></h1>
<style>td { background: url(http://127.0.0.1:9/) }</style>
<table onclick="steal()"><caption>Costs</caption>
<tr><th style="x:expression(steal())" scope="col&quot; onclick=steal()">Item
<img src=x onerror=steal()></th>
<th>Sum</th></tr>
<tr><td><a href="javascript:steal()">Rope</a> &lt;script&gt;steal()&lt;/script&gt;</td><td>12</td></tr>
<tr><td colspan='2" onclick="steal()'><iframe src="http://127.0.0.1:9/"></iframe>Both
<svg onload=steal()></svg></td></tr>
<tr><td><form action="http://127.0.0.1:9/"><input autofocus onfocus=steal()></form>Oil</td><td>7</td></tr></table>
<object data="http://127.0.0.1:9/"></object><meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/"></body></html>
"""
OWN_TAG = re.compile(r'</?(?:table|thead|tbody|tr|br)>|<t[hd](?: (?:scope|rowspan|colspan)="[a-z0-9]+")*>|</t[hd]>')


def is_inert(html: str) -> bool:
    return not re.search(r"[<>]", OWN_TAG.sub("", html))


@pytest.fixture
def pool(monkeypatch) -> InlinePool:
    made = InlinePool()
    monkeypatch.setattr("ingest.pipeline.WorkerPool", lambda count, **_: made)
    return made


@pytest.mark.parametrize("name", ["page.html", "page.md", "page.eml"])
def test_no_script_address_or_handler_of_a_document_is_in_stored_html(tmp_path, pool, name):
    head = "From: a@b.example\nTo: c@d.example\nSubject: x\nContent-Type: text/html\n\n" if name == "page.eml" else ""
    (tmp_path / name).write_text(head + HOSTILE)
    (result,) = ingest([tmp_path / name], tmp_path / "lib")
    assert result.state == "ingested"
    with Library(tmp_path / "lib") as library:
        (source,) = library.sources()
        chunks = library.chunks_of(source.id)
        stored = [e.text_as_html for e in library.partition(source.id).elements] + [c.text_as_html for c in chunks]
    found = [html for html in stored if html]
    assert found
    assert all(is_inert(html) for html in found)
    assert all("Rope" in html for html in found)


def test_html_that_is_not_ours_is_stored_without_what_is_active():
    table = '<table><tr><td onclick="x()" colspan="2">A<script>x()</script><img src=x></td></tr></table>'
    element = Element(element_id="a", category="Table", text="A", text_as_html=table)
    (html,) = [value for value in element_row("s", 0, element) if str(value).startswith("<table")]
    assert is_inert(html)
    assert '<td colspan="2">A' in html


def test_html_of_cells_is_stored_as_it_is():
    cells = [
        Cell(row=0, column=0, text='a < b & "c"\nd', header=True, colspan=2),
        Cell(row=1, column=0, text="<script>x()</script>", rowspan=2),
        Cell(row=1, column=1, text=""),
    ]
    html = cells_to_html(cells)
    assert is_inert(html)
    assert safe_html(html) == html


def test_logs_hold_no_text_question_password_or_key(tmp_path, pool, caplog):
    (tmp_path / "page.html").write_text(HOSTILE.replace("Rope", "Rope zqxtext"))
    settings = Settings(library=tmp_path / "lib", password="zqxpassword", llama_cloud_api_key="zqxkey")
    with caplog.at_level(logging.INFO):
        list(ingest([tmp_path / "page.html"], settings=settings, options=IngestOptions()))
        with closing(MultiVectorRetriever(tmp_path / "lib", settings=settings)) as retriever:
            found = answer("What does the rope zqxquestion cost?", retriever=retriever, model="extractive")
    assert found.hits
    assert "zqx" not in caplog.text
    assert "zqx" not in repr(settings)
