import pytest

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.rst import partition
from ingest.types import Source


@pytest.fixture
def read(tmp_path):
    def call(text: str | bytes):
        path = tmp_path / "guide.rst"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return partition(Source(id="s", path=path, format="rst", size=1), PartitionOptions())

    return call


def shown(result) -> list[tuple[str, str]]:
    return [(e.category, e.text) for e in result.elements]


def test_headings_have_their_levels(read):
    found = read("Guide\n=====\n\nIt is here.\n\nPart\n----\n\nIt is there.\n\nSub\n~~~\n\nIt is deep.\n").elements
    assert [(e.text, e.category_depth) for e in found if e.category == "Title"] == [
        ("Guide", 0),
        ("Part", 1),
        ("Sub", 2),
    ]


def test_tables_keep_spans_and_header_cells(read):
    (table,) = read("+---+---+\n| a | b |\n+===+===+\n| c     |\n+-------+\n").elements
    assert [(c.text, c.colspan, c.header) for c in table.cells] == [("a", 1, True), ("b", 1, True), ("c", 2, False)]


def test_code_keeps_its_lines(read):
    assert shown(read(".. code-block:: python\n\n   def x():\n       return 1\n")) == [
        ("CodeSnippet", "def x():\n    return 1")
    ]


def test_what_only_sphinx_knows_keeps_its_text(read):
    found = read(
        "See :ref:`the pier <pier>` and :py:func:`~ferry.sail` for it.\n\n"
        ".. versionadded:: 2.1\n   The pier was added then.\n\n.. toctree::\n   :maxdepth: 2\n\n   pages/other\n"
    )
    assert [text for _, text in shown(found)] == [
        "See the pier and ferry.sail for it.",
        "2.1 The pier was added then.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        ".. include:: {file}\n\nIt is here.\n",
        ".. literalinclude:: {file}\n\nIt is here.\n",
        ".. raw:: html\n   :file: {file}\n\nIt is here.\n",
        ".. csv-table:: T\n   :file: {file}\n\nIt is here.\n",
    ],
)
def test_no_other_file_is_read(read, tmp_path, text):
    secret = tmp_path / "secret.txt"
    secret.write_text("kept, secret\n")
    found = shown(read(text.replace("{file}", str(secret))))
    assert ("NarrativeText", "It is here.") in found
    assert not any("kept, secret" in said or said.split()[0] == "kept" for _, said in found)


def test_broken_markup_stays_as_it_is_written(read):
    assert shown(read("Bad `link_ and **strong is here.\n")) == [("NarrativeText", "Bad `link_ and **strong is here.")]


@pytest.mark.parametrize("content", [b"", b"a\x00\x01b"])
def test_a_file_without_text_is_broken(read, content):
    with pytest.raises(BrokenError):
        read(content)
