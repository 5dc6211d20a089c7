"""The PDFs of ``tests/make_pdfs`` read by the library and the command line, against ``tests/expected_pdfs.py``."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ingest import Library, Settings, ingest
from ingest.discover import identify
from ingest.errors import EncryptedError
from ingest.partition import PartitionOptions, partition
from ingest.pipeline import IngestOptions
from ingest.types import Element, Partition
from retrievers.show import show
from tests.expected import CellText, Text
from tests.expected_pdfs import DRAWN, ENDINGS, LOCKED, Drawn, Ending
from tests.inline_pool import InlinePool
from tests.make_pdfs import FILES
from tests.make_pdfs.damaged import PASSWORD
from tests.test_samples import even

pytestmark = pytest.mark.xdist_group("pdfs")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pdfs")


def written(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        path.write_bytes(FILES[name]())
    return path


@cache
def read(path: Path, password: str | None) -> Partition:
    return partition(identify(str(path), max_bytes=2**24), PartitionOptions(password=password))


def of_case(case: Drawn | Ending) -> str:
    return case.file.removesuffix(".pdf") + (", still to come" if isinstance(case, Drawn) and case.pending else "")


def params() -> Iterator[object]:
    for case in DRAWN:
        marks = pytest.mark.xfail(strict=False, reason=case.pending) if case.pending else ()
        yield pytest.param(case, id=of_case(case), marks=marks)


@pytest.mark.parametrize("case", list(params()))
def test_a_pdf_gives_what_a_reader_sees(folder, case: Drawn):
    found = read(written(folder, case.file), case.password)
    wrong = list(missing(found, case))
    assert not wrong, said(found)


def said(found: Partition) -> str:
    return "\n".join(f"{e.page_number} {e.category} {e.category_depth} {e.text[:200]!r}" for e in found.elements)


def missing(found: Partition, case: Drawn) -> Iterator[object]:
    """What of a case's expectations a partition does not meet."""
    yield from (wanted for wanted in case.texts if not has_text(found, wanted))
    every = even("\n".join(e.text for e in found.elements))
    yield from (text for text in case.absent if even(text) in every)
    places = [every.find(even(text)) for text in case.order]
    if -1 in places or places != sorted(places):
        yield places
    yield from (wanted for wanted in case.cells if not has_cell(found, wanted))
    headings = tuple((e.category_depth, even(e.text)) for e in found.elements if e.category == "Title")
    if case.headings is not None and headings != tuple((depth, even(text)) for depth, text in case.headings):
        yield headings
    for category, count in case.counts.items():
        if sum(e.category == category for e in found.elements) != count:
            yield category, count
    yield from (w for w in case.warnings if not any(warning.startswith(w) for warning in found.warnings))
    if case.pages is not None and len(found.pages) != case.pages:
        yield len(found.pages)


def has_text(found: Partition, wanted: Text) -> bool:
    above: dict[str, Element] = {e.element_id: e for e in found.elements}

    def title_of(element: Element) -> str:
        parent = above.get(element.parent_id or "")
        return parent.text if parent is not None and parent.category == "Title" else ""

    return any(
        even(wanted.text) in even(e.text)
        and wanted.page in (None, e.page_number)
        and wanted.category in (None, e.category)
        and (wanted.title is None or even(title_of(e)) == even(wanted.title))
        for e in found.elements
    )


def has_cell(found: Partition, wanted: CellText) -> bool:
    return any(stands_in(element, wanted) for element in found.elements if element.category == "Table")


def stands_in(table: Element, wanted: CellText) -> bool:
    """Whether a cell has the text, its row the labels, and its column the headers."""
    for own in table.cells:
        row = [c for c in table.cells if c.row <= own.row < c.row + c.rowspan and c is not own]
        heads = [c for c in table.cells if c.header and c.column <= own.column < c.column + c.colspan and c is not own]
        if (
            even(own.text) == even(wanted.text)
            and all(any(even(label) in even(c.text) for c in row) for label in wanted.row_label)
            and all(any(even(label) in even(c.text) for c in heads) for label in wanted.column_header)
        ):
            return True
    return False


def test_there_is_an_expectation_of_each_file():
    assert {c.file for c in (*DRAWN, *ENDINGS)} == set(FILES)


# --- in an ingest -------------------------------------------------------------------------------


@pytest.fixture
def inline(monkeypatch) -> None:
    monkeypatch.setattr("ingest.pipeline.WorkerPool", InlinePool)
    monkeypatch.setattr("retrievers.show.WorkerPool", InlinePool)


def ended(path: Path, library: Path, password: str | None = None):
    options = IngestOptions(partition=PartitionOptions(images="off", password=password))
    result, *_ = list(ingest([path], library, options=options, settings=Settings(jobs=1)))
    return result


@pytest.mark.parametrize("case", ENDINGS, ids=of_case)
@pytest.mark.usefixtures("inline")
def test_a_pdf_ends_in_a_state_and_a_reason(folder, tmp_path, case: Ending):
    result = ended(written(folder, case.file), tmp_path / "library", case.password)
    assert result.state == case.state, result
    assert (result.reason or next(iter(result.warnings), "")).startswith(case.said)
    assert (result.reason is None) == (case.state != "failed")


@pytest.mark.usefixtures("inline")
def test_a_file_in_a_pdf_is_a_source_of_its_own(folder, tmp_path):
    path, library = written(folder, "attachment.pdf"), tmp_path / "library"
    options = IngestOptions(partition=PartitionOptions(images="off"))
    results = list(ingest([path], library, options=options, settings=Settings(jobs=1)))
    assert [(Path(r.path).name, r.state) for r in results] == [
        ("attachment.pdf", "ingested"),
        ("quotation.pdf", "ingested"),
    ]
    assert results[1].path.endswith("attachment.pdf!/quotation.pdf")
    with Library(library) as opened:
        texts = [chunk.text for source in opened.sources() for chunk in opened.chunks_of(source.id)]
    assert any("A new ramp costs 18,400 euro." in text for text in texts)


@pytest.mark.usefixtures("inline")
def test_a_password_opens_what_failed_before_and_changes_nothing_else(folder, tmp_path):
    path, library = written(folder, "locked.pdf"), tmp_path / "library"
    assert ended(path, library).reason.startswith(LOCKED)
    assert ended(path, library, "dulse").state == "failed"
    assert ended(path, library, PASSWORD).state == "ingested"
    assert [ended(path, library, p).state for p in (None, "dulse", PASSWORD)] == ["unchanged"] * 3


@pytest.mark.usefixtures("inline")
def test_a_locked_page_is_shown_with_its_password_alone(folder, tmp_path):
    path, library = written(folder, "locked.pdf"), tmp_path / "library"
    ended(path, library, PASSWORD)
    with Library(library) as opened:
        chunk = opened.chunks_of(opened.sources()[0].id)[0]
        assert show(opened, chunk.chunk_id, password=PASSWORD).startswith(b"\x89PNG")
        with pytest.raises(EncryptedError, match=r"^locked\.pdf is encrypted: give its password with --password"):
            show(opened, chunk.chunk_id)


@pytest.mark.parametrize("parser", ["fast", "careful"])
def test_a_locked_file_is_read_by_each_tier_with_its_password(folder, parser):
    path = written(folder, "locked.pdf")
    found = partition(identify(str(path), max_bytes=2**24), PartitionOptions(parser=parser, password=PASSWORD))
    assert [page.tier for page in found.pages] == [parser]
    assert not list(missing(found, next(c for c in DRAWN if c.file == "locked.pdf")))
    assert sum(e.category == "Image" and e.image_path is not None for e in found.elements) == 1


@pytest.mark.usefixtures("inline")
def test_a_password_is_stored_nowhere(folder, tmp_path, caplog):
    password = "dulse-and-laver-3107"
    path, library = tmp_path / "docs" / "locked.pdf", tmp_path / "library"
    path.parent.mkdir()
    path.write_bytes(relocked(written(folder, "locked.pdf"), password))
    caplog.set_level("DEBUG")
    results = [ended(path, library, "kelp-2206"), ended(path, library, password)]
    assert [r.state for r in results] == ["failed", "ingested"]
    kept = b"".join(file.read_bytes() for file in library.rglob("*") if file.is_file())
    assert len(kept) > 1000
    for secret in (password, "kelp-2206"):
        assert secret.encode() not in kept
        assert secret not in repr(results) + caplog.text
        assert secret not in repr(PartitionOptions(password=secret)) + repr(Settings(password=secret))


def relocked(path: Path, password: str) -> bytes:
    import pymupdf

    with pymupdf.open(path) as pdf:
        pdf.authenticate(PASSWORD)
        return pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw="wrack")


# --- the command line ---------------------------------------------------------------------------


def run(*args: object, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PINCITE_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, args)],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_reads_them_as_the_library_does(folder, tmp_path):
    names = ("two-level-header.pdf", "turned-pages.pdf", "locked.pdf", "hebrew.pdf")
    paths = [written(folder, name) for name in names]
    done = run("partition", *paths, "--format", "json", "-o", tmp_path / "out", "--jobs", 1, PINCITE_PASSWORD=PASSWORD)
    assert (done.returncode, done.stderr) == (0, "")
    for path in paths:
        shape = json.loads((tmp_path / "out" / f"{path.stem}.json").read_text("utf-8"))
        wanted = read(path, PASSWORD)
        assert [(e["category"], e["text"]) for e in shape["elements"]] == [
            (e.category, e.text) for e in wanted.elements
        ]


def test_the_command_line_takes_a_password_and_names_a_file_that_lacks_one(folder, tmp_path):
    path, library = written(folder, "locked.pdf"), tmp_path / "library"
    done = run("ingest", path, "--library", library, "--images", "off", "--json")
    (line, _) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, line["state"], line["reason"].startswith(LOCKED)) == (1, "failed", True)
    done = run("ingest", path, "--library", library, "--images", "off", "--password", PASSWORD)
    assert (done.returncode, PASSWORD in done.stdout + done.stderr) == (0, False)
    with Library(library) as opened:
        chunk_id = opened.chunks_of(opened.sources()[0].id)[0].chunk_id
    crop = tmp_path / "crop.png"
    done = run("show", chunk_id, "--library", library, "-o", crop)
    assert (done.returncode, "locked.pdf is encrypted: give its password with --password" in done.stderr) == (1, True)
    assert not crop.exists()
    assert run("show", chunk_id, "--library", library, "-o", crop, "--password", PASSWORD).returncode == 0
    assert crop.read_bytes().startswith(b"\x89PNG")
