import base64
import re
import zipfile
from io import BytesIO

import pytest

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError, SourceError
from ingest.partition import partition
from ingest.tables import grid
from tests.one_content import archive, drawing, odf

STYLES = (
    '<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/>'
    "</style:style>"
    '<style:style style:name="strong" style:family="table-cell"><style:text-properties fo:font-weight="bold"/>'
    "</style:style>"
)


def cell(text, kind="string", more="", *, shown=True):
    inside = f"<text:p>{text}</text:p>" if shown else ""
    return f'<table:table-cell office:value-type="{kind}" {more}>{inside}</table:table-cell>'


def number(value, kind="float"):
    return cell("", kind, f'office:value="{value}"', shown=False)


def row(*cells, more=""):
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def sheet(*rows, name="Fares", more=""):
    return f'<table:table table:name="{name}" {more}>{"".join(rows)}</table:table>'


@pytest.fixture
def read(tmp_path):
    def call(*sheets, name="book.ods"):
        path = tmp_path / name
        path.write_bytes(odf("".join(sheets), kind="spreadsheet", styles=STYLES))
        return partition(identify(str(path), max_bytes=10**8))

    return call


def tables(result):
    found = [e for e in result.elements if e.category == "Table"]
    return [[[c.text if c else "" for c in line] for line in grid(e.cells)] for e in found]


def test_each_sheet_is_a_page_and_a_table_under_its_name(read):
    fares = sheet(row(cell("Line"), cell("Adult")), row(cell("North"), number(12.5)))
    ports = sheet(row(cell("Port"), cell("Berths")), row(cell("Aldmouth"), number(3)), name="Ports", more="")
    found = read(fares, ports)
    assert [(e.category, e.text.splitlines()[0], e.page_number) for e in found.elements] == [
        ("Title", "Fares", 1), ("Table", "Line Adult", 1), ("Title", "Ports", 2), ("Table", "Port Berths", 2),
    ]  # fmt: skip


def test_values_are_as_shown_and_plain_where_their_looks_were_not_stored(read):
    shown = cell("12,50 €", "currency", 'office:value="12.5"')
    day = cell("", "date", 'office:date-value="2024-05-01T00:00:00"', shown=False)
    paid = cell("", "boolean", 'office:boolean-value="true"', shown=False)
    head = row(cell("Price"), cell("Share"), cell("Day"), cell("Paid"))
    [table] = tables(read(sheet(head, row(shown, number(0.25, "percentage"), day, paid))))
    assert table[1] == ["12,50 €", "25%", "2024-05-01", "TRUE"]


def test_rows_and_columns_that_fill_the_sheet_cost_nothing(read):
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rest = row(empty, more='table:number-rows-repeated="1048573"')
    found = read(sheet(row(cell("Line"), cell("Adult")), row(cell("North"), number(9)), rest))
    assert tables(found) == [[["Line", "Adult"], ["North", "9"]]]
    assert found.warnings == ()


def test_equal_cells_and_rows_that_are_stored_once_stand_as_often_as_they_are_shown(read):
    twice = cell("5", "float", 'office:value="5" table:number-columns-repeated="2"')
    body = row(cell("North"), twice, more='table:number-rows-repeated="3"')
    found = read(sheet(row(cell("Line"), cell("Adult"), cell("Child")), body))
    assert tables(found) == [[["Line", "Adult", "Child"], *[["North", "5", "5"]] * 3]]


def test_a_row_said_to_be_repeated_a_million_times_is_kept_in_part_and_that_is_said(read):
    bomb = row(cell("x"), cell("y"), more='table:number-rows-repeated="1048576"')
    found = read(sheet(bomb))
    assert "\n".join(e.text for e in found.elements if e.category == "Table").splitlines() == ["x y"] * 10_000
    assert found.warnings == (
        "sheet Fares: row 1 is repeated 1,048,576 times; the first 10,000 of these rows are kept",
    )


def test_more_cells_than_a_file_may_have_are_left_out_and_that_is_said(read):
    wide = cell("x", more='table:number-columns-repeated="16384"')
    found = read(sheet(row(cell("A"), cell("B")), row(wide, more='table:number-rows-repeated="1048576"')))
    assert found.warnings == ("sheet Fares: the rows from 2 on could not be read: more than 3,000,000 cells",)


def test_merged_cells_keep_their_spans_and_what_they_cover_is_not_shown(read):
    head = row(
        cell("Line", more='table:number-rows-spanned="2"'), cell("Fare", more='table:number-columns-spanned="2"')
    )
    covered = "<table:covered-table-cell><text:p>unseen</text:p></table:covered-table-cell>"
    found = read(sheet(head, row(covered, cell("Adult"), cell("Child")), row(cell("North"), number(9), number(4))))
    [table] = [e for e in found.elements if e.category == "Table"]
    assert '<th scope="col" rowspan="2">Line</th><th scope="colgroup" colspan="2">Fare</th>' in table.text_as_html
    assert "unseen" not in table.text


def test_a_bold_first_row_heads_a_table_of_texts(read):
    strong = 'table:style-name="strong"'
    head = row(cell("Port", more=strong), cell("Keeper", more=strong))
    found = read(sheet(head, row(cell("Aldmouth"), cell("Ada")), row(cell("Brinmouth"), cell("Bo"))))
    [table] = [e for e in found.elements if e.category == "Table"]
    assert table.text_as_html.startswith('<table><thead><tr><th scope="col">Port</th>')


def test_comments_links_copies_and_old_versions_are_not_read(read):
    note = "<office:annotation><text:p>secret remark</text:p></office:annotation>"
    noted = f'<table:table-cell office:value-type="string">{note}<text:p>Line</text:p></table:table-cell>'
    link = sheet(row(cell("copy of another file"), cell("b")), name="linked")
    found = read(
        f"<table:dde-links><table:dde-link>{link}</table:dde-link></table:dde-links>",
        sheet(row(noted, cell("Adult")), row(cell("North"), number(9))),
    )
    assert tables(found) == [[["Line", "Adult"], ["North", "9"]]]


def test_a_hidden_sheet_is_read_and_called_so(read):
    seen = sheet(row(cell("Line"), cell("Adult")), row(cell("North"), number(9)))
    hidden = sheet(row(cell("Port"), cell("Berths")), row(cell("Aldmouth"), number(3)), name="Old", more="{}")
    found = read(seen, hidden.replace("{}", 'table:style-name="hidden"'))
    assert [e.text for e in found.elements if e.category == "Title"] == ["Fares", "Old (hidden sheet)"]


def test_its_type_is_told_by_its_content(read):
    assert tables(read(sheet(row(cell("a"), number(1)), row(cell("b"), number(2))), name="book.odt"))


def flat(content):
    text = zipfile.ZipFile(BytesIO(content)).read("content.xml").decode()
    kind = zipfile.ZipFile(BytesIO(content)).read("mimetype").decode()
    text = re.sub(r"<office:document-content ", f'<office:document office:mimetype="{kind}" ', text)
    return f'<?xml version="1.0" encoding="UTF-8"?>{text.replace("/office:document-content", "/office:document")}'


def test_a_flat_file_of_one_xml_document_is_read_as_the_archive(tmp_path):
    book = odf(sheet(row(cell("Line"), cell("Adult")), row(cell("North"), number(9))), kind="spreadsheet")
    for name in ("book.fods", "unnamed"):
        (tmp_path / name).write_text(flat(book))
        source = identify(str(tmp_path / name), max_bytes=10**8)
        assert source.format == "ods"
        assert tables(partition(source)) == [[["Line", "Adult"], ["North", "9"]]]


def test_a_flat_text_is_read_with_the_picture_that_stands_in_it(tmp_path):
    data = base64.b64encode(drawing()).decode()
    frame = f"<draw:frame><draw:image><office:binary-data>{data}</office:binary-data></draw:image></draw:frame>"
    body = f'<text:h text:outline-level="1">Harbour</text:h><text:p>The pier stands.</text:p><text:p>{frame}</text:p>'
    (tmp_path / "text.fodt").write_text(flat(odf(body)))
    found = partition(identify(str(tmp_path / "text.fodt"), max_bytes=10**8))
    assert [e.category for e in found.elements] == ["Title", "NarrativeText", "Image"]
    assert len(found.images) == 1


MANIFEST = '<manifest:manifest xmlns:manifest="m"><manifest:encryption-data/></manifest:manifest>'
ODS = "application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize("member", ["content.xml", "encrypted-package"])
def test_an_encrypted_file_says_so(tmp_path, member):
    path = tmp_path / "book.ods"
    path.write_bytes(archive({"mimetype": ODS, "META-INF/manifest.xml": MANIFEST, member: b"\x00\x01"}))
    with pytest.raises(EncryptedError, match="needs a password"):
        partition(identify(str(path), max_bytes=10**8))


@pytest.mark.parametrize(
    "content",
    [
        "<office:document-content",
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>",
        "<x/>",
        "",
    ],
)
def test_damaged_content_is_a_broken_file(tmp_path, content):
    path = tmp_path / "book.ods"
    path.write_bytes(archive({"mimetype": ODS, "content.xml": content}))
    with pytest.raises(SourceError) as caught:
        partition(identify(str(path), max_bytes=10**8))
    assert isinstance(caught.value, BrokenError)


def test_entities_are_neither_expanded_nor_fetched(tmp_path):
    (tmp_path / "secret").write_text("keyword-77")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    made = odf(sheet(row(cell("Line &e;"), cell("Adult")), row(cell("North"), number(9))), kind="spreadsheet")
    text = zipfile.ZipFile(BytesIO(made)).read("content.xml").decode()
    path = tmp_path / "book.ods"
    path.write_bytes(archive({"mimetype": ODS, "content.xml": entity + text}))
    assert "keyword-77" not in str(partition(identify(str(path), max_bytes=10**8)))


def test_what_stands_before_the_damage_is_kept(tmp_path):
    rows = [row(cell("Line"), cell("Adult")), *(row(cell(f"L{n}"), number(n)) for n in range(2000))]
    text = zipfile.ZipFile(BytesIO(odf(sheet(*rows), kind="spreadsheet"))).read("content.xml").decode()
    path = tmp_path / "book.ods"
    path.write_bytes(archive({"mimetype": ODS, "content.xml": text[: len(text) * 3 // 4]}))
    found = partition(identify(str(path), max_bytes=10**8))
    assert "L1000" in found.elements[1].text
    assert any("could not be read" in warning for warning in found.warnings)
