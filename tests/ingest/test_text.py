import pytest

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.text import partition
from ingest.types import Source


@pytest.fixture
def read(tmp_path):
    def call(text: str | bytes, kind: str = "md"):
        path = tmp_path / f"file.{kind}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return partition(Source(id="s", path=path, format=kind, size=1), PartitionOptions()).elements

    return call


def shown(elements) -> list[tuple[str, str]]:
    return [(e.category, e.text) for e in elements]


def test_markdown_headings_hold_what_follows(read):
    top, text, lower, item = read("# Top\n\nThe pier **is** `closed`.\n\nLower\n-----\n- a thing\n")
    assert [(e.category, e.category_depth) for e in (top, lower)] == [("Title", 0), ("Title", 1)]
    assert (text.text, text.parent_id, item.parent_id) == ("The pier is closed.", top.element_id, lower.element_id)


def test_a_list_needs_no_blank_line_before_it(read):
    assert shown(read("These are needed:\n- rope\n  - long rope\n- oars\n")) == [
        ("NarrativeText", "These are needed:"),
        ("ListItem", "rope"),
        ("ListItem", "long rope"),
        ("ListItem", "oars"),
    ]


def test_a_markdown_table_has_header_cells_and_escaped_bars(read):
    (table,) = read("| a | b |\n|---|:-:|\n| 1 | x\\|y |\n")
    assert [(c.text, c.header) for c in table.cells] == [("a", True), ("b", True), ("1", False), ("x|y", False)]
    assert table.text == "a b\n1 x|y"


@pytest.mark.parametrize("indent", ["", "   "])
def test_fenced_code_is_kept_verbatim(read, indent):
    lines = ["```python", "def f():", "    return '<b>'", "", "x  =  1", "```"]
    found = read("1. first\n\n" + "\n".join(indent + line for line in lines) + "\n")
    assert shown(found)[1] == ("CodeSnippet", "def f():\n    return '<b>'\n\nx  =  1")


def test_a_front_matter_is_no_heading(read):
    assert shown(read("---\ntitle: Works\n---\n# Top\n")) == [("CodeSnippet", "title: Works"), ("Title", "Top")]


def test_markdown_of_any_line_ends_and_encoding_is_read(read):
    assert shown(read(b"# Caf\xe9\r\n\r\nIt is\rso.\r\n")) == [("Title", "Café"), ("NarrativeText", "It is so.")]


def test_plain_text_gives_titles_paragraphs_and_lists(read):
    found = read(
        "FERRY NOTES\n\nThe ferry was built in 1990 and it\nhas sailed since.\n\n- first rope\n\n- second rope\n", "txt"
    )
    assert shown(found) == [
        ("Title", "FERRY NOTES"),
        ("NarrativeText", "The ferry was built in 1990 and it has sailed since."),
        ("ListItem", "first rope"),
        ("ListItem", "second rope"),
    ]
    assert {e.parent_id for e in found[1:]} == {found[0].element_id}


def test_a_short_sentence_in_plain_text_is_no_title(read):
    assert shown(read("Fishing berths\n\nSome more rope.\n", "txt")) == [
        ("Title", "Fishing berths"),
        ("NarrativeText", "Some more rope."),
    ]


def test_markup_in_plain_text_stays(read):
    assert shown(read("The sign is <b>bold</b> &amp; large.", "txt")) == [
        ("NarrativeText", "The sign is <b>bold</b> &amp; large.")
    ]


@pytest.mark.parametrize("kind", ["md", "txt"])
@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b"a\0\x01b", "binary")])
def test_a_file_without_text_is_broken(read, kind, content, reason):
    with pytest.raises(BrokenError, match=reason):
        read(content, kind)
