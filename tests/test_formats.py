"""The same content in every format: heading tree, text, table with spans, picture with its caption."""

import pytest

from ingest.discover import identify
from ingest.partition import FORMATS, lacking, partition
from ingest.tables import cells_to_html
from ingest.types import Cell
from tests.one_content import (
    LETTERHEAD,
    STORY,
    WRITERS,
    Heading,
    Paragraph,
    Picture,
    Table,
    places,
    told,
)

FURNITURE = ("Header", "Footer", "PageNumber")


def expected(story):
    """The kind, the path of headings above, and the content of each block."""
    above, found = [], []
    for block in story:
        if isinstance(block, Heading):
            above = [*above[: block.depth], block.text]
            found.append(("Title", tuple(above[:-1]), block.text))
        elif isinstance(block, Paragraph):
            found.append(("text", tuple(above), block.text))
        elif isinstance(block, Table):
            found.append(("Table", tuple(above), html_of(block)))
        else:
            found.append(("Image", tuple(above), block.caption))
    return found


def html_of(table):
    return cells_to_html(
        [
            Cell(row=r, column=c, text=cell.text, rowspan=cell.rowspan, colspan=cell.colspan, header=r < table.head)
            for r, row in enumerate(places(table))
            for c, cell in enumerate(row)
            if cell is not None
        ]
    )


def shown(result):
    """The same of what was read; a picture stands with the captions that belong to it."""
    by_id = {e.element_id: e for e in result.elements}
    found = []
    for element in result.elements:
        if element.category in (*FURNITURE, "FigureCaption"):
            continue
        path = path_of(element, by_id)
        if element.category == "Image":
            assert element.image_path in result.images
            captions = [e.text for e in result.elements if e.parent_id == element.element_id]
            found.append(("Image", path, *captions))
        elif element.category == "Table":
            found.append(("Table", path, element.text_as_html))
        else:
            found.append(("Title" if element.category == "Title" else "text", path, element.text))
    return found


def below_letterhead(found):
    """What stands in a message, under its subject, below the line of its fields."""
    (kind, path, subject), (_, under, fields), *rest = found
    assert (kind, path, subject, under) == ("Title", (), LETTERHEAD[0], (LETTERHEAD[0],))
    assert fields.startswith(LETTERHEAD[1])
    assert all(above[0] == subject for _, above, *_ in rest)
    return [(kind, above[1:], *said) for kind, above, *said in rest]


def path_of(element, by_id):
    path = []
    while element.parent_id:
        element = by_id[element.parent_id]
        path.insert(0, element.text)
    return tuple(path)


NEEDS_EXTRA = pytest.mark.skipif(lacking("parquet") is not None, reason="needs pyarrow (extra parquet)")


@pytest.fixture(params=[pytest.param(s, marks=NEEDS_EXTRA) if FORMATS[s].extra else s for s in WRITERS])
def suffix(request):
    return request.param


def test_every_format_gives_the_same_headings_texts_tables_and_pictures(suffix, tmp_path):
    path = tmp_path / f"story.{suffix}"
    path.write_bytes(WRITERS[suffix](told(suffix)))
    source = identify(str(path), max_bytes=10**8)
    assert source.format == suffix
    found = shown(partition(source))
    assert (below_letterhead(found) if suffix in ("eml", "msg") else found) == expected(told(suffix))


def test_the_token_is_found_once_in_every_format(suffix, tmp_path):
    path = tmp_path / f"story.{suffix}"
    path.write_bytes(WRITERS[suffix](told(suffix)))
    elements = partition(identify(str(path), max_bytes=10**8)).elements
    assert sum(e.text.count("zircon-4711") for e in elements) == 1


def test_writers_are_of_formats_that_are_read(suffix):
    assert f".{suffix}" in FORMATS[suffix].extensions


def test_the_story_has_what_formats_lose():
    kinds = {type(block) for block in STORY}
    assert kinds == {Heading, Paragraph, Table, Picture}
