"""The ingest report as it is written: what it tells, what lies beside it, and that a document's text stays text."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

import cli
import retrievers.report
from ingest.errors import UsageError
from ingest.library import Library, PathRecord
from ingest.types import Element, PageBox
from retrievers.report import ReportOptions, safe_json, write_report
from tests.inline_pool import InlinePool
from tests.retrievers.made import box_of, element, lay_out, page, paragraph, put, table, title
from tests.retrievers.test_show import write_pdf

EVIL = "</script><script>alert('pwned')</script><img src=x onerror=alert(1)>"
LINK = "javascript:alert(2)"
LINES = ("Fares rose twice in one year.", "Dogs travel free of charge.")


@pytest.fixture(autouse=True)
def _drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrievers.report, "WorkerPool", InlinePool)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "docs" / ".pincite", create=True) as opened:
        yield opened


def lines_of(number: int, lines: tuple[str, ...] = LINES) -> list[Element]:
    words = lay_out(*lines)
    return [paragraph(line, PageBox(page=number, box=box_of(words[0]))) for line in lines]


def put_pdf(library: Library, path: Path, pages: int = 1) -> None:
    write_pdf(path, *[LINES] * pages)
    numbers = range(1, pages + 1)
    elements = [e for n in numbers for e in lines_of(n)]
    shown = [replace(page(n), tier="fast", text_kept=1.0, reasons=("ruled lines",)) for n in numbers]
    put(library, path.name, elements, shown, original=path, kind="pdf")


def index_of(text: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="index">(.*?)</script>', text)
    return json.loads(found)


def part_of(out: Path, name: str) -> list[dict]:
    beside = out.with_name(f"{out.stem}_files") / f"{name}.js"
    found = re.fullmatch(r'pinciteReport\("[^"]+", (.*)\);\n', beside.read_text())
    assert found is not None
    return json.loads(found[1])


def test_each_page_has_its_picture_and_its_elements_with_boxes(library, tmp_path):
    put_pdf(library, tmp_path / "docs" / "fares.pdf", pages=2)
    out = write_report(library, tmp_path / "report.html", ReportOptions())
    (source,) = index_of(out.read_text())["sources"]
    assert (source["path"], source["state"], source["kept"], source["undrawn"]) == ("fares.pdf", "ingested", 1.0, "")
    assert [(p["page"], p["tier"], p["reasons"], p["counts"]) for p in source["pages"]] == [
        (n, "fast", ["ruled lines"], {"NarrativeText": 2}) for n in (1, 2)
    ]
    first, second = part_of(out, "s0-0")
    assert [e["text"] for e in first["elements"]] == list(LINES)
    assert first["elements"][0]["boxes"] == [[72.0, 100.0, 102.0, 110.0]]
    assert second["picture"] == "report_files/s0-2.webp"
    with Image.open(tmp_path / second["picture"]) as picture:
        assert picture.size == pytest.approx((893, 1263), abs=2)


def test_an_embedded_report_is_one_file(library, tmp_path):
    put_pdf(library, tmp_path / "docs" / "fares.pdf")
    out = write_report(library, tmp_path / "a.html", ReportOptions(is_embedded=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "docs"]
    (part,) = re.findall(r'<script type="application/json" id="part-s0-0">(.*?)</script>', out.read_text())
    assert json.loads(part)[0]["picture"].startswith("data:image/webp;base64,")


@pytest.mark.parametrize("is_embedded", [True, False])
def test_nothing_remote_is_named_and_the_policy_forbids_it(library, tmp_path, is_embedded):
    put_pdf(library, tmp_path / "docs" / "fares.pdf")
    text = write_report(library, tmp_path / "a.html", ReportOptions(is_embedded=is_embedded)).read_text()
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "default-src &#x27;none&#x27;" in text
    assert "unsafe" not in text


@pytest.mark.parametrize("is_embedded", [True, False])
def test_what_a_document_says_never_becomes_markup(library, tmp_path, is_embedded):
    cells = table(f"<table><tr><td>{EVIL.replace('<', '&lt;')}</td><td>{LINK}</td></tr></table>")
    shown = replace(element("Image", EVIL), summary=EVIL)
    put(library, f"{EVIL.replace('/', '_')}.html", [title(EVIL), cells, shown], kind="html")
    out = write_report(library, tmp_path / "a.html", ReportOptions(is_embedded=is_embedded))
    files = [out, *sorted(tmp_path.glob("a_files/*.js"))]
    assert all("alert(" in file.read_text() for file in files)
    assert not [
        file for file in files if "<script>alert" in file.read_text() or "onerror=alert(1)>" in file.read_text()
    ]
    pages = part_of(out, "s0-0") if not is_embedded else []
    assert all(page["elements"][0]["text"] == EVIL for page in pages)


def test_json_in_a_script_neither_ends_it_nor_changes():
    value = {"a": "</script><!--&\u2028\ud800"}
    text = safe_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_a_source_without_pages_is_an_outline_with_its_tables(library, tmp_path):
    cells = table('<table><tr><th colspan="2">Fares</th></tr><tr><td>child</td><td>2</td></tr></table>')
    put(library, "fares.docx", [title("Prices"), cells], kind="docx")
    out = write_report(library, tmp_path / "a.html", ReportOptions())
    (outline,) = part_of(out, "s0-0")
    assert (outline["page"], outline["picture"]) == (0, None)
    assert outline["elements"][1]["cells"] == [
        [0, 0, 1, 2, True, "Fares"],
        [1, 0, 1, 1, False, "child"],
        [1, 1, 1, 1, False, "2"],
    ]


def test_an_element_that_goes_on_over_pages_is_shown_on_each(library, tmp_path):
    long = paragraph("It goes on.", PageBox(page=1, box=(1, 2, 3, 4)), PageBox(page=2, box=(5, 6, 7, 8)))
    put(library, "long.txt", [long], [page(1), page(2)])
    out = write_report(library, tmp_path / "a.html", ReportOptions())
    told = [(p["elements"][0]["boxes"], p["elements"][0]["continued"]) for p in part_of(out, "s0-0")]
    assert told == [([[1, 2, 3, 4]], None), ([[5, 6, 7, 8]], 1)]


@pytest.mark.parametrize(
    ("change", "reason"), [(Path.unlink, "is gone"), (lambda p: p.write_bytes(b"x"), "has changed")]
)
def test_an_original_that_is_gone_or_changed_is_told_and_its_text_shown(library, tmp_path, change, reason):
    path = tmp_path / "docs" / "fares.pdf"
    put_pdf(library, path)
    change(path)
    out = write_report(library, tmp_path / "a.html", ReportOptions())
    (source,) = index_of(out.read_text())["sources"]
    assert reason in source["undrawn"]
    (only,) = part_of(out, "s0-0")
    assert (only["picture"], [e["text"] for e in only["elements"]]) == (None, list(LINES))


def test_a_path_that_holds_nothing_has_a_row_with_its_reason(library, tmp_path):
    path = str(tmp_path / "docs" / "broken.pdf")
    library.put_path(
        PathRecord(path=path, source_id=None, state="failed", reason="broken PDF", size=1, mtime_ns=1), "/docs"
    )
    index = index_of(write_report(library, tmp_path / "a.html", ReportOptions()).read_text())
    assert [(s["path"], s["state"], s["reason"], s["pages"]) for s in index["sources"]] == [
        ("broken.pdf", "failed", "broken PDF", [])
    ]
    assert ["failed", "1"] in index["totals"]


def test_pages_and_documents_are_limited_on_request(library, tmp_path):
    put_pdf(library, tmp_path / "docs" / "fares.pdf", pages=3)
    put(library, "notes.txt", [paragraph("It is so.")])
    seen: list[tuple[int, int]] = []
    options = ReportOptions(doc="*.pdf", pages=2)
    out = write_report(library, tmp_path / "a.html", options, lambda done, total: seen.append((done, total)))
    (source,) = index_of(out.read_text())["sources"]
    assert ([p["page"] for p in source["pages"]], source["left"]) == ([1, 2], 1)
    assert seen == [(1, 2), (2, 2)]
    with pytest.raises(UsageError, match=r"no source is named x\*"):
        write_report(library, tmp_path / "b.html", ReportOptions(doc="x*"))


def test_a_new_report_replaces_the_old_one_and_no_other_folder(library, tmp_path):
    put(library, "notes.txt", [paragraph("It is so.")])
    out = tmp_path / "a.html"
    write_report(library, out, ReportOptions())
    (tmp_path / "a_files" / "s9-9.js").touch()
    write_report(library, out, ReportOptions())
    assert sorted(p.name for p in (tmp_path / "a_files").iterdir()) == [".pincite-report", "s0-0.js"]
    (tmp_path / "b_files").mkdir()
    (tmp_path / "b_files" / "mine.txt").touch()
    with pytest.raises(UsageError, match="is no report's"):
        write_report(library, tmp_path / "b.html", ReportOptions())
    assert (tmp_path / "b_files" / "mine.txt").exists()
    assert not (tmp_path / "b.html").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".report-")] == []


def test_the_command_writes_the_report_and_names_it(library, tmp_path):
    put_pdf(library, tmp_path / "docs" / "fares.pdf", pages=2)
    library.close()
    out = tmp_path / "r.html"
    done = CliRunner().invoke(
        cli.main, ["report", "-l", str(tmp_path / "docs" / ".pincite"), "-o", str(out), "--pages", "1"]
    )
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    assert [p["page"] for p in index_of(out.read_text())["sources"][0]["pages"]] == [1]
    wrong = CliRunner().invoke(cli.main, ["report", "-l", str(tmp_path / "docs" / ".pincite"), "--doc", "x*"])
    assert wrong.exit_code == 2
