"""The bare words of pages whose layout cannot be read."""

import pymupdf
import pytest

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions, partition, read_bare
from ingest.partition.pdf_bare import WHOLE, count
from ingest.types import Source


@pytest.fixture
def pdf(tmp_path):
    """A PDF of a page with words, an empty one, and one of more points than a reader can draw."""
    path = tmp_path / "odd.pdf"
    with pymupdf.open() as made:
        made.new_page().insert_text((72, 100), "The pier is made of oak.")
        made.new_page()
        made.new_page(width=10**9, height=10**9).insert_text((72, 100), "The halibut catch.")
        made.save(path)
    return Source(id="0" * 64, path=path, format="pdf", size=path.stat().st_size)


@pytest.mark.parametrize(("page", "text"), [(1, "The pier is made of oak."), (3, "The halibut catch.")])
def test_the_words_of_a_page_come_with_the_reason_for_the_lack_of_its_layout(pdf, page, text):
    found = read_bare(pdf, page, "its reader crashed", PartitionOptions())
    assert [(e.category, e.text, e.page_number) for e in found.elements] == [("NarrativeText", text, page)]
    assert [(p.page, p.tier) for p in found.pages] == [(page, "bare")]
    assert max(found.elements[0].boxes[0].box) <= WHOLE
    assert found.warnings == (f"page {page}: its layout could not be read, only its words (its reader crashed)",)


@pytest.mark.parametrize("page", [2, 4])
def test_a_page_without_words_or_none_at_all_is_broken(pdf, page):
    with pytest.raises(BrokenError):
        read_bare(pdf, page, "its reader crashed", PartitionOptions())


def test_text_beside_the_page_is_taken_where_the_page_has_no_other(tmp_path):
    path = tmp_path / "beside.pdf"
    with pymupdf.open() as made:
        for shown in ("", "The pier is made of oak."):
            page = made.new_page()
            page.insert_text((-300, 100), "Background halibut")
            page.insert_text((72, 100), shown)
        made.save(path)
    source = Source(id="0" * 64, path=path, format="pdf", size=path.stat().st_size)
    found = partition(source, PartitionOptions(parser="fast", images="off"))
    assert [(e.page_number, e.text) for e in found.elements] == [
        (1, "Background halibut"),
        (2, "The pier is made of oak."),
    ]
    assert found.warnings == ("page 1: its only text lies outside of the page",)


def test_pages_are_counted_without_reading_any(pdf, tmp_path):
    assert count(pdf.path, None) == 3
    (tmp_path / "no.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    assert count(tmp_path / "no.pdf", None) is None
