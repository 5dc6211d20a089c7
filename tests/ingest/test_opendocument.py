import zipfile

import pytest

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.opendocument import partition
from ingest.types import Source
from tests.one_content import drawing, odf


@pytest.fixture
def read(tmp_path):
    def call(body, **parts):
        options = PartitionOptions(images=parts.pop("images", "auto"))
        path = tmp_path / "file.odt"
        path.write_bytes(odf(body, **parts))
        return partition(Source(id="s", path=path, format="odt", size=1), options)

    return call


def shown(result):
    return [(e.category, e.category_depth, e.text) for e in result.elements]


def p(text, style=""):
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def test_lists_are_nested_and_have_their_numbers(read):
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
        'style:num-suffix="."/><text:list-level-style-bullet text:level="2"/></text:list-style>'
    )
    inner = f"<text:list><text:list-item>{p('mortar')}</text:list-item></text:list>"
    items = f"<text:list-item>{p('stone')}{inner}</text:list-item><text:list-item>{p('sand')}</text:list-item>"
    more = f'<text:list text:style-name="L" text:continue-numbering="true"><text:list-item>{p("lime")}</text:list-item>'
    result = read(
        f'<text:list text:style-name="L">{items}</text:list>{p("It is so.")}{more}</text:list>', styles=styles
    )
    assert shown(result) == [
        ("ListItem", 0, "1. stone"),
        ("ListItem", 1, "mortar"),
        ("ListItem", 0, "2. sand"),
        ("NarrativeText", None, "It is so."),
        ("ListItem", 0, "3. lime"),
    ]


def test_notes_follow_their_paragraph_and_deletions_and_comments_are_left_out(read):
    said = f"<text:note-body>{p('It says more.')}</text:note-body>"
    note = f"<text:note><text:note-citation>1</text:note-citation>{said}</text:note>"
    gone = f"<text:tracked-changes><text:deletion>{p('old')}</text:deletion></text:tracked-changes>"
    comment = f"<office:annotation>{p('why?')}</office:annotation>"
    result = read(gone + p(f"It is{note} first.{comment}") + p("It is last."))
    assert [e.text for e in result.elements] == ["It is first.", "It says more.", "It is last."]


def test_spaces_tabs_and_breaks_part_words(read):
    (found,) = read(p('a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d')).elements
    assert found.text == "a b c d"


def test_a_table_of_contents_is_left_out(read):
    result = read(f"<text:table-of-content><text:index-body>{p('Part 3')}</text:index-body></text:table-of-content>")
    assert result.elements == ()


def test_bold_lines_over_text_are_headings(read):
    letters = '<style:text-properties fo:font-weight="bold"/>'
    styles = f'<style:style style:name="B" style:family="paragraph">{letters}</style:style>'
    result = read(p("Opening hours", "B") + p("The office is open from eight to four on all days."), styles=styles)
    assert [e.category for e in result.elements] == ["Title", "NarrativeText"]


def test_a_picture_before_the_text_of_its_paragraph_comes_before_it(read):
    frame = (
        '<draw:frame><draw:image xlink:href="Pictures/a.png"/><svg:desc>A lamp</svg:desc></draw:frame>'
        "Figure 1: The lamp"
    )
    result = read(f"<draw:text-box>{p(frame)}</draw:text-box>", Pictures__a_png=drawing())
    image, caption = result.elements
    assert (image.category, image.text, caption.category) == ("Image", "A lamp", "FigureCaption")
    assert caption.parent_id == image.element_id
    assert image.image_path in result.images


def test_without_images_there_are_none(read):
    frame = '<draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame>'
    result = read(p(frame), images="off", Pictures__a_png=drawing())
    assert (result.elements, dict(result.images)) == ((), {})


@pytest.mark.parametrize("address", ["http://192.0.2.1/a.png", "../../etc/passwd", "/etc/passwd", "Pictures/none.png"])
def test_a_picture_that_is_not_in_the_archive_is_not_read(read, address):
    result = read(p(f'It is so.<draw:frame><draw:image xlink:href="{address}"/></draw:frame>'))
    assert shown(result) == [("NarrativeText", None, "It is so.")]


def row(*texts, attributes=""):
    cells = "".join(f"<table:table-cell>{p(t)}</table:table-cell>" for t in texts)
    return f"<table:table-row {attributes}>{cells}</table:table-row>"


def test_a_table_in_a_cell_is_a_table_of_its_own(read):
    inner = f"<table:table>{row('Name', 'Year')}{row('Eider', '1999')}</table:table>"
    cells = f"<table:table-cell>{p('North')}</table:table-cell><table:table-cell>{inner}</table:table-cell>"
    outer = f"<table:table>{row('Pier', 'Boats')}<table:table-row>{cells}</table:table-row></table:table>"
    assert [e.text for e in read(outer).elements] == ["Pier Boats\nNorth", "Name Year\nEider 1999"]


def test_spans_and_repeats_of_millions_cost_nothing(read):
    wide = '<table:table-cell table:number-columns-spanned="200000000" table:number-rows-spanned="200000000">'
    empty = '<table:table-cell table:number-columns-repeated="200000000"/>'
    rows = f"<table:table-row>{wide}{p('a')}</table:table-cell></table:table-row>"
    rows += (
        f"<table:table-row><table:covered-table-cell/><table:table-cell>{p('b')}</table:table-cell></table:table-row>"
    )
    rows += f'<table:table-row table:number-rows-repeated="200000000">{empty}</table:table-row>'
    (found,) = read(f"<table:table>{rows}</table:table>").elements
    assert [c.text for c in found.cells if c.text] == ["a", "b"]
    assert len(found.cells) <= 3000


def test_headers_and_footers_are_typed(read):
    styles = (
        '<office:document-styles xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><style:master-page>'
        f"<style:header>{p('House rules')}</style:header><style:footer>{p('Page 1')}</style:footer>"
        "</style:master-page></office:document-styles>"
    )
    result = read(p("It is so."), **{"styles.xml": styles})
    assert [(e.category, e.text) for e in result.elements] == [
        ("Header", "House rules"),
        ("NarrativeText", "It is so."),
        ("Footer", "Page 1"),
    ]


def test_slides_are_pages_with_titles_and_notes(tmp_path):
    def frame(kind, text):
        return f'<draw:frame presentation:class="{kind}"><draw:text-box>{p(text)}</draw:text-box></draw:frame>'

    notes = f"<presentation:notes>{frame('notes', 'Say it slowly.')}{frame('page-number', '2')}</presentation:notes>"
    first = f"<draw:page>{frame('title', 'Piers')}{frame('outline', 'They stand.')}</draw:page>"
    second = f"<draw:page>{frame('outline', 'They fall.')}{notes}</draw:page>"
    path = tmp_path / "file.odp"
    path.write_bytes(odf(first + second, kind="presentation"))
    source = identify(str(path), max_bytes=10**6)
    result = partition(source, PartitionOptions())
    assert [(e.page_number, e.category, e.text) for e in result.elements] == [
        (1, "Title", "Piers"),
        (1, "NarrativeText", "They stand."),
        (2, "Title", "Slide 2"),
        (2, "NarrativeText", "They fall."),
        (2, "NarrativeText", "Say it slowly."),
    ]
    assert [page.page for page in result.pages] == [1, 2]
    assert {e.page_number for e in partition(source, PartitionOptions(pages=(2,))).elements} == {2}


def test_an_encrypted_file_needs_a_password(read):
    with pytest.raises(EncryptedError, match=r"^encrypted: "):
        read(p("x"), **{"META-INF/manifest.xml": "<m><encryption-data/></m>"})


def with_doctype(path, entities, text):
    path.write_bytes(odf(p(text)))
    with zipfile.ZipFile(path) as old:
        content = old.read("content.xml").decode()
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("content.xml", f"<!DOCTYPE d [{entities}]>{content}")
    return Source(id="s", path=path, format="odt", size=1)


def test_no_file_is_read_for_an_entity(tmp_path):
    source = with_doctype(tmp_path / "file.odt", '<!ENTITY f SYSTEM "file:///etc/passwd">', "It is so. &f;")
    (found,) = partition(source, PartitionOptions()).elements
    assert found.text == "It is so."


def test_entities_that_multiply_are_broken(tmp_path):
    bombs = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    source = with_doctype(tmp_path / "file.odt", f'<!ENTITY e0 "ha">{bombs}', "It is so. &e11;")
    with pytest.raises(BrokenError, match="broken OpenDocument file"):
        partition(source, PartitionOptions())


@pytest.mark.parametrize(("keep", "reason"), [(0, "empty file"), (60, "archive"), (300, "archive")])
def test_a_cut_file_is_broken(tmp_path, keep, reason):
    path = tmp_path / "file.odt"
    path.write_bytes(odf(p("It is so."))[:keep])
    with pytest.raises(BrokenError, match=reason):
        partition(Source(id="s", path=path, format="odt", size=1), PartitionOptions())


def test_tables_nested_beyond_measure_end_in_a_state(read):
    deep = p("x")
    for _ in range(70):
        deep = (
            f"<table:table><table:table-row><table:table-cell>{deep}</table:table-cell></table:table-row></table:table>"
        )
    result = read(deep)
    assert result.elements == ()
    assert result.warnings == ("blocks nested beyond measure are left out",)
