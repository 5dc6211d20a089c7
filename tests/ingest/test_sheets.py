import datetime as dt
import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font

from ingest.chunk import ChunkOptions, chunk
from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError, UnsupportedError
from ingest.partition import PartitionOptions, lacking
from ingest.partition import partition as partition_any
from ingest.partition.sheets import partition
from ingest.tables import column_headers, grid, header_rows
from ingest.types import Source

BIG = 10**9


def source(path, form):
    return Source(id="s", path=path, format=form, size=1)


@pytest.fixture
def read(tmp_path):
    """Write a workbook with a function and read it."""

    def call(write):
        book = openpyxl.Workbook()
        write(book)
        book.save(tmp_path / "book.xlsx")
        return partition(source(tmp_path / "book.xlsx", "xlsx"), PartitionOptions())

    return call


@pytest.fixture
def read_csv(tmp_path):
    def call(content):
        path = tmp_path / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return partition(source(path, "csv"), PartitionOptions())

    return call


def fill(sheet, rows, top=1, left=1):
    for r, row in enumerate(rows, top):
        for c, value in enumerate(row, left):
            if value is not None:
                sheet.cell(r, c, value)


def texts(element):
    return [[cell.text if cell else "" for cell in row] for row in grid(element.cells)]


def tables(result):
    return [e for e in result.elements if e.category == "Table"]


SALES = [["Region", "2023", "2024"], ["North", 41, 42], ["South", 7, 5]]


# --- workbooks ------------------------------------------------------------------------------------


def test_each_sheet_is_a_table_under_its_name(read):
    def write(book):
        book.active.title = "Sales"
        fill(book.active, SALES)
        fill(book.create_sheet("Costs"), [["Item", "Cost"], ["rent", 5], ["tea", 1]])

    found = read(write)
    assert [(e.category, e.text.split("\n")[0]) for e in found.elements] == [
        ("Title", "Sales"), ("Table", "Region 2023 2024"), ("Title", "Costs"), ("Table", "Item Cost"),
    ]  # fmt: skip
    assert texts(tables(found)[0]) == [["Region", "2023", "2024"], ["North", "41", "42"], ["South", "7", "5"]]
    assert tables(found)[1].parent_id == found.elements[2].element_id
    assert [e.page_number for e in found.elements if e.category == "Table"] == [1, 2]


def test_values_are_shown_as_the_sheet_shows_them(read):
    def write(book):
        sheet = book.active
        fill(sheet, [["Day", "Price", "Share", "Paid"], [dt.date(2024, 5, 1), 1234.5, 0.25, True]])
        sheet["B2"].number_format, sheet["C2"].number_format = '#,##0.00 "€"', "0%"

    assert texts(tables(read(write))[0])[1] == ["2024-05-01", "1,234.50 €", "25%", "TRUE"]


def test_lines_above_a_table_are_its_title_and_text_and_a_line_below_its_note(read):
    def write(book):
        book.active["A1"] = "Sales report 2024"
        book.active["A2"] = "All figures in thousand euros"
        fill(book.active, SALES, top=4)
        book.active["A7"] = "Source: own accounts"

    assert [(e.category, e.text.split("\n")[0]) for e in read(write).elements[1:]] == [
        ("Title", "Sales report 2024"),
        ("NarrativeText", "All figures in thousand euros"),
        ("Table", "Region 2023 2024"),
        ("NarrativeText", "Source: own accounts"),
    ]


def test_a_letterhead_above_the_first_table_is_a_title_and_texts(read):
    def write(book):
        fill(book.active, [["Harbour Authority"], ["Sales report 2024"], ["Prepared by: J. Pier"]])
        fill(book.active, SALES, top=6)

    assert [(e.category, e.text.split("\n")[0]) for e in read(write).elements[1:]] == [
        ("Title", "Harbour Authority"),
        ("NarrativeText", "Sales report 2024"),
        ("NarrativeText", "Prepared by: J. Pier"),
        ("Table", "Region 2023 2024"),
    ]


def test_a_list_of_short_texts_below_a_table_stays_a_list(read):
    def write(book):
        fill(book.active, SALES)
        fill(book.active, [["Ports"], ["Aldmouth"], ["Brinmouth"]], top=6)
        fill(book.active, SALES, top=10)

    assert [e.text.split("\n")[0] for e in tables(read(write))] == ["Region 2023 2024", "Ports", "Region 2023 2024"]


def test_a_marked_note_is_no_title_of_the_table_below_it(read):
    def write(book):
        fill(book.active, SALES)
        book.active["A5"] = "* without the islands"
        fill(book.active, SALES, top=7)

    assert [e.category for e in read(write).elements[1:]] == ["Table", "NarrativeText", "Table"]


def test_a_header_of_two_levels_keeps_its_merged_cells(read):
    def write(book):
        rows = [["Region", "Q1", None, "Q2", None], [None, "Sales", "Cost", "Sales", "Cost"], ["North", 1, 2, 3, 4]]
        fill(book.active, rows)
        for merged in ("A1:A2", "B1:C1", "D1:E1"):
            book.active.merge_cells(merged)

    [table] = tables(read(write))
    assert header_rows(table.cells) == 2
    assert [column_headers(table.cells, column) for column in range(5)] == [
        ("Region",), ("Q1", "Sales"), ("Q1", "Cost"), ("Q2", "Sales"), ("Q2", "Cost"),
    ]  # fmt: skip
    assert '<th scope="col" rowspan="2">Region</th>' in table.text_as_html


def test_a_group_name_reaches_over_its_columns_where_cells_are_left_empty(read):
    def write(book):
        rows = [["Region", "Q1", None, "Q2", None], [None, "Sales", "Cost", "Sales", "Cost"], ["North", 1, 2, 3, 4]]
        fill(book.active, rows)

    [table] = tables(read(write))
    assert column_headers(table.cells, 2) == ("Q1", "Cost")
    assert column_headers(table.cells, 0) == ("Region",)


def test_merged_cells_in_the_body_keep_their_span(read):
    def write(book):
        fill(book.active, [["Region", "Town", "Sold"], ["North", "Aby", 1], [None, "Bro", 2], ["South", "Ceby", 3]])
        book.active.merge_cells("A2:A3")

    [table] = tables(read(write))
    assert [(c.text, c.rowspan) for c in table.cells if c.row == 1 and c.column == 0] == [("North", 2)]
    assert texts(table)[2] == ["North", "Bro", "2"]


def test_empty_rows_and_columns_part_tables(read):
    def write(book):
        fill(book.active, SALES)
        fill(book.active, [["Item", "Share"], ["tea", 3], ["coffee", 4]], left=5)
        fill(book.active, [["Name", "Age"], ["Ada", 36], ["Bob", 40]], top=6)

    assert [table.text.split("\n")[0] for table in tables(read(write))] == [
        "Region 2023 2024",
        "Item Share",
        "Name Age",
    ]


def test_an_empty_row_or_spacer_column_inside_a_table_does_not_part_it(read):
    def write(book):
        fill(book.active, [["Item", None, "2023", None, "2024"], ["tea", None, 1, None, 2], ["milk", None, 3, None, 4]])
        fill(book.active, [["rice", None, 5, None, 6]], top=5)

    [table] = tables(read(write))
    assert [(c.row, c.column) for c in table.cells if c.text == "6"] == [(4, 4)]


def test_a_header_of_years_as_numbers_is_a_header(read):
    [table] = tables(read(lambda book: fill(book.active, [["Region", 2022, 2023], ["North", 41, 42], ["South", 7, 5]])))
    assert header_rows(table.cells) == 1


def test_a_form_has_its_names_as_headers_of_rows(read):
    [table] = tables(read(lambda book: fill(book.active, [["Opening", dt.date(2024, 5, 1)], ["Chair", "Ada"]])))
    assert [c.text for c in table.cells if c.header] == ["Opening", "Chair"]


def test_a_bold_first_row_of_texts_is_a_header_and_a_repeated_one_is_not(read):
    def write(book):
        book.active.append(["Name", "Town"])
        for cell in book.active[1]:
            cell.font = Font(bold=True)
        book.active.append(["Ada", "Aby"])
        fill(book.create_sheet("plain"), [["yes", "no"], ["no", "no"], ["yes", "yes"]])

    first, second = tables(read(write))
    assert (header_rows(first.cells), header_rows(second.cells)) == (1, 0)


def test_a_hidden_sheet_is_kept_and_says_so(read):
    def write(book):
        fill(book.active, SALES)
        hidden = book.create_sheet("Draft")
        hidden.sheet_state = "hidden"
        fill(hidden, SALES)

    assert [e.text for e in read(write).elements if e.category == "Title"] == ["Sheet", "Draft (hidden sheet)"]


def test_a_formula_without_a_stored_value_is_told(read):
    def write(book):
        fill(book.active, [*SALES, ["Sum", "=SUM(B2:B3)", 47]])

    assert any("1 formulas have no stored value" in w for w in read(write).warnings)


def rewrite(path, name, change):
    """A workbook with one part changed as text."""
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    parts[name] = change(parts[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)


@pytest.fixture
def sales(tmp_path):
    book = openpyxl.Workbook()
    fill(book.active, SALES)
    book.active.merge_cells("A5:C5")
    book.save(tmp_path / "sales.xlsx")
    return tmp_path / "sales.xlsx"


SHEET = "xl/worksheets/sheet1.xml"


def test_a_merge_over_the_whole_sheet_and_a_cell_far_outside_cost_nothing(sales):
    def change(xml):
        xml = xml.replace("A5:C5", "A3:XFD1048576")
        return xml.replace("</row></sheetData>", '<c r="ZZZZZZZ3"><v>9</v></c></row></sheetData>')

    rewrite(sales, SHEET, change)
    found = partition(source(sales, "xlsx"), PartitionOptions())
    assert found.warnings == ("sheet Sheet: 1 cells with an impossible place were left out",)
    assert max(c.column + c.colspan for c in tables(found)[0].cells) <= 3


def test_a_last_row_without_number_limit_is_left_out(sales):
    rewrite(
        sales, SHEET, lambda xml: xml.replace("</sheetData>", '<row r="200000000"><c><v>1</v></c></row></sheetData>')
    )
    assert len(tables(partition(source(sales, "xlsx"), PartitionOptions()))[0].cells) == 9


def test_an_external_entity_is_not_read(sales, tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    rewrite(sales, SHEET, lambda xml: entity + xml.replace("<v>41</v>", "<v>&e;</v>"))
    found = partition(source(sales, "xlsx"), PartitionOptions())
    assert "hunter2" not in str(found)


def test_a_cut_workbook_is_broken(sales):
    sales.write_bytes(sales.read_bytes()[:2000])
    with pytest.raises(BrokenError, match="broken xlsx"):
        partition(source(sales, "xlsx"), PartitionOptions())


def test_a_sheet_with_broken_xml_keeps_the_rows_before(sales):
    rewrite(sales, SHEET, lambda xml: xml.partition('<row r="3"')[0])
    found = partition(source(sales, "xlsx"), PartitionOptions())
    assert texts(tables(found)[0])[-1] == ["North", "41", "42"]
    assert "could not be read" in found.warnings[0]


def test_an_archive_bomb_is_refused_before_it_is_unpacked(sales):
    rewrite(sales, SHEET, lambda xml: xml.replace("</sheetData>", " " * 60_000_000 + "</sheetData>"))
    with pytest.raises(BrokenError, match="when unpacked"):
        partition(source(sales, "xlsx"), PartitionOptions())


def test_a_workbook_with_a_password_is_encrypted(tmp_path):
    path = tmp_path / "locked.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le"))
    assert identify(str(path), max_bytes=BIG).format == "xlsx"
    with pytest.raises(EncryptedError, match="encrypted"):
        partition(source(path, "xlsx"), PartitionOptions())


def test_a_workbook_with_macros_is_read_without_them(sales, tmp_path):
    macros = tmp_path / "macros.xlsm"
    macros.write_bytes(sales.read_bytes())
    with zipfile.ZipFile(macros, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 anything")
    assert len(tables(partition_any(identify(str(macros), max_bytes=BIG)))) == 1


def test_a_binary_workbook_is_skipped_with_what_to_do(tmp_path):
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.bin", b"x")
    with pytest.raises(UnsupportedError, match="save it as"):
        partition(source(path, "xlsx"), PartitionOptions())


def test_an_empty_workbook_is_told(read):
    with pytest.raises(BrokenError, match="nothing in it"):
        read(lambda book: None)


# --- records in text ------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read_csv, delimiter):
    rows = [["Name", "Town", "Age"], ["Ada", "Aby, North" if delimiter != "," else "Aby", "36"], ["Bob", "Bro", "40"]]
    [table] = tables(read_csv("\n".join(delimiter.join(row) for row in rows)))
    assert texts(table) == rows
    assert header_rows(table.cells) == 1


def test_a_first_line_may_name_the_delimiter(read_csv):
    assert texts(tables(read_csv("sep=|\na,b|c\n1|2\n3|4\n"))[0])[0] == ["a,b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(read_csv, encoding):
    assert texts(tables(read_csv("Name;Ort\nMüller;Köln\nWeiß;Bonn\n".encode(encoding)))[0])[1] == ["Müller", "Köln"]


def test_quoted_fields_hold_delimiters_quotes_and_line_breaks(read_csv):
    [table] = tables(read_csv('Name,Said\nAda,"one, ""two""\nthree"\nBob,four\n'))
    assert texts(table)[1] == ["Ada", 'one, "two"\nthree']


def test_only_line_ends_of_text_files_end_a_record(read_csv):
    [table] = tables(read_csv("Name,Said\r\nAda,one\u2028two\rBob,three\n"))
    assert texts(table) == [["Name", "Said"], ["Ada", "one\u2028two"], ["Bob", "three"]]


def test_a_quote_that_is_never_closed_costs_its_line_only(read_csv):
    found = read_csv('Name,Age\n"Ada,36\nBob,40\nCleo,41\n')
    assert texts(tables(found)[0])[1:] == [["Ada", "36"], ["Bob", "40"], ["Cleo", "41"]]
    assert found.warnings == ("1 line with broken quotes cut at the delimiters: 2",)


def test_records_with_too_many_fields_are_kept_and_named(read_csv):
    found = read_csv("Name,Age\nAda,36\nBob,40,extra\n")
    assert "extra" in tables(found)[0].text
    assert found.warnings == ("1 record with more than 2 fields: 3",)


def test_what_does_not_fit_in_memory_is_left_out_and_told(read_csv, monkeypatch):
    monkeypatch.setattr("ingest.partition.delimited.MAX_CELLS", 6)
    found = read_csv("Name,Age\nAda,36\nBob,40\nCleo,41\n")
    assert texts(tables(found)[0])[-1] == ["Bob", "40"]
    assert found.warnings == ("the records from 4 on could not be read: more than 6 values in the file",)


def test_binary_data_is_no_text(read_csv):
    with pytest.raises(BrokenError):
        read_csv(b"a,b\n\x00\x01\x02")


def test_a_csv_that_speaks_of_pdf_stays_a_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Name,Type\nreport,%PDF-1.4\n")
    assert identify(str(path), max_bytes=BIG).format == "csv"


# --- long and wordy tables ------------------------------------------------------------------------


def test_a_long_table_comes_in_groups_of_rows_under_its_header_with_their_own_numbers(read_csv):
    count = 3000
    lines = [f"item {n},{n},{n * 2},place {n % 7}" for n in range(count)]
    found = tables(read_csv("\n".join(["Name,Count,Double,Place", *lines])))
    assert len(found) > 10
    assert all(column_headers(table.cells, 1) == ("Count",) for table in found)
    body = [c for table in found for c in table.cells if not c.header and c.column == 1]
    assert [(c.row, c.text) for c in body] == [(n + 1, str(n)) for n in range(count)]


def test_a_group_of_rows_is_one_chunk_that_repeats_the_header(read_csv):
    result = read_csv("\n".join(["Name,Count,Double,Place", *(f"item {n},{n},{n * 2},x" for n in range(3000))]))
    chunks = chunk(result, "s", ChunkOptions())
    assert len(chunks) == len(tables(result))
    assert all(c.text.startswith("Name Count Double Place\nitem ") for c in chunks)
    assert all(c.text_as_html.startswith("<table><thead>") and "<tr></tr>" not in c.text_as_html for c in chunks)


def test_a_sheet_of_questions_and_answers_is_a_chunk_a_row_titled_by_its_question(read):
    answer = (
        "Hold the button for ten seconds until the light blinks twice, then wait a minute until the device is up again."
    )

    def write(book):
        book.active.title = "FAQ"
        rows = [
            ["Question", "Answer"],
            ["How do I reset it?", answer],
            ["How do I clean it?", answer + " Then wipe it."],
        ]
        fill(book.active, rows)

    chunks = chunk(read(write), "s", ChunkOptions())
    assert [c.title_path for c in chunks] == [("FAQ", "How do I reset it?"), ("FAQ", "How do I clean it?")]
    assert chunks[1].text == f"Question Answer\nHow do I clean it? {answer} Then wipe it."
    assert chunks[0].vectors[0].text.startswith("FAQ › How do I reset it?\n")


# --- parquet --------------------------------------------------------------------------------------


def test_a_parquet_file_without_its_package_is_skipped_with_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1....PAR1")
    with pytest.raises(UnsupportedError, match=r"pip install '\.\[parquet\]'"):
        identify(str(path), max_bytes=BIG)


def test_formats_without_an_extra_lack_nothing():
    assert lacking("csv") is None


def test_parquet_records_are_a_table_under_the_names_of_their_columns(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    days = [dt.date(2024, 5, 1), None]
    pq.write_table(pa.table({"name": ["Ada", "Bob"], "born": days, "score": [1.5, 2.0], "tags": [["x"], []]}), path)
    [table] = tables(partition_any(identify(str(path), max_bytes=BIG)))
    assert texts(table) == [
        ["name", "born", "score", "tags"], ["Ada", "2024-05-01", "1.5", '["x"]'], ["Bob", "", "2", "[]"],
    ]  # fmt: skip
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BrokenError, match="parquet"):
        partition(source(path, "parquet"), PartitionOptions())
