import io
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Inches
from PIL import Image

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.office import partition
from ingest.types import Source

ROOT = Path(__file__).resolve().parents[2]
W = nsdecls("w")


def read_path(path, **options):
    return partition(Source(id="s", path=path, format="docx", size=1), PartitionOptions(**options))


@pytest.fixture
def read(tmp_path):
    def call(document, **options):
        document.save(tmp_path / "file.docx")
        return read_path(tmp_path / "file.docx", **options)

    return call


@pytest.fixture
def document():
    return docx.Document()


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(out, "JPEG")
    out.seek(0)
    return out


def table_of(document, rows):
    table = document.add_table(len(rows), len(rows[0]))
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    return table


def plain_look(table):
    table._tbl.tblPr.remove(table._tbl.tblPr.find(qn("w:tblLook")))
    return table


def shown(result):
    return [(e.category, e.text) for e in result.elements]


def headers(result):
    (table,) = (e for e in result.elements if e.category == "Table")
    return [c.text for c in table.cells if c.header]


def test_headings_have_the_depth_of_their_style_and_hold_what_follows(document, read):
    document.add_heading("Book", 0)
    document.add_heading("Part", 1)
    document.add_paragraph("It is so.")
    document.add_heading("Chapter", 2)
    document.add_paragraph("one thing", style="List Bullet")
    document.add_paragraph("deep thing", style="List Bullet 2")
    book, part, text, chapter, one, deep = read(document).elements
    assert [(e.category, e.category_depth) for e in (book, part, chapter)] == [("Title", 0), ("Title", 0), ("Title", 1)]
    assert (text.parent_id, chapter.parent_id, one.parent_id) == (part.element_id, part.element_id, chapter.element_id)
    assert [(e.category, e.category_depth) for e in (one, deep)] == [("ListItem", 0), ("ListItem", 1)]


def test_a_style_made_from_a_heading_is_a_heading(document, read):
    style = document.styles.add_style("House head", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("Ours", style="House head")
    (found,) = read(document).elements
    assert (found.category, found.category_depth) == ("Title", 1)


def test_an_outline_level_is_a_heading(document, read):
    paragraph = document.add_paragraph("Levelled")
    paragraph._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {W} w:val="2"/>'))
    (found,) = read(document).elements
    assert (found.category, found.category_depth) == ("Title", 2)


def test_merged_cells_and_two_header_rows(document, read):
    table = table_of(document, [["", "", ""], ["", "2023", "2024"], ["A", "20", "22"]])
    table.cell(0, 0).merge(table.cell(1, 0)).text = "Grade"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Days"
    result = read(document)
    (found,) = result.elements
    assert [(c.text, c.rowspan, c.colspan) for c in found.cells[:2]] == [("Grade", 2, 1), ("Days", 1, 2)]
    assert headers(result) == ["Grade", "Days", "2023", "2024"]
    assert found.text == "Grade Days\n2023 2024\nA 20 22"
    assert found.text_as_html.startswith('<table><thead><tr><th scope="col" rowspan="2">Grade</th>')


def test_rows_that_repeat_on_each_page_are_header_rows(document, read):
    table = plain_look(table_of(document, [["1", "2"], ["3", "4"], ["5", "6"]]))
    for row in table.rows[:2]:
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {W}/>"))
    assert headers(read(document)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Name", "Days"], ["Ann", "3"]], ["Name", "Days"]),
        ([["Name", "2024"], ["Ann", "3"]], ["Name", "2024"]),
        ([["Ann", "3"], ["Bob", "4"]], []),
        ([["Name", "Port"], ["Ann", "Pier"]], []),
    ],
)
def test_without_a_look_words_over_numbers_are_a_header_row(document, read, rows, expected):
    plain_look(table_of(document, rows))
    assert headers(read(document)) == expected


def test_with_a_first_row_look_words_over_words_are_a_header_row(document, read):
    table_of(document, [["Name", "Port"], ["Ann", "Pier"]])
    assert headers(read(document)) == ["Name", "Port"]


def test_pictures_come_out_in_their_places_with_their_captions(document, read):
    document.add_paragraph("It is before.")
    document.add_picture(picture(), width=Inches(1))
    document.add_paragraph("Figure 1: noise", style="Caption")
    document.add_paragraph("It is after.")
    result = read(document)
    before, image, caption, after = result.elements
    assert (before.text, image.category, after.text) == ("It is before.", "Image", "It is after.")
    assert (caption.category, caption.text, caption.parent_id) == ("FigureCaption", "Figure 1: noise", image.element_id)
    with Image.open(io.BytesIO(result.images[image.image_path])) as stored:
        assert (stored.format, stored.size) == ("PNG", (40, 30))


def test_a_picture_in_a_table_comes_after_it(document, read):
    table = table_of(document, [["Plan", "Words"]])
    table.cell(0, 0).paragraphs[0].add_run().add_picture(picture(), width=Inches(1))
    assert [e.category for e in read(document).elements] == ["Table", "Image"]


def test_without_images_there_are_none(document, read):
    document.add_picture(picture(), width=Inches(1))
    document.add_paragraph("Figure 1: noise", style="Caption")
    result = read(document, images="off")
    assert (shown(result), dict(result.images)) == ([("FigureCaption", "Figure 1: noise")], {})


def test_a_picture_of_an_unread_type_is_warned_of(document, read, tmp_path):
    document.add_picture(picture(), width=Inches(1))
    next(p for p in document.part.related_parts.values() if "image" in p.partname)._blob = b"\x01\x00\x00\x00EMF"
    result = read(document)
    assert [(e.category, e.image_path) for e in result.elements] == [("Image", None)]
    assert result.warnings == ("picture image1.jpg: of a type that is not read, or too large",)


@pytest.mark.parametrize("above", [True, False])
def test_captions_go_to_the_tables_on_their_side(document, read, above):
    for number in (1, 2):
        if above:
            document.add_paragraph(f"Table {number}: list", style="Caption")
        table_of(document, [["Name", "Days"], [f"Ann {number}", "3"]])
        if not above:
            document.add_paragraph(f"Table {number}: list", style="Caption")
    elements = read(document).elements
    tables = {e.element_id: e.text for e in elements if e.category == "Table"}
    bound = [(e.text, tables[e.parent_id]) for e in elements if e.category == "FigureCaption"]
    assert bound == [(f"Table {n}: list", f"Name Days\nAnn {n} 3") for n in (1, 2)]


def test_a_caption_between_a_picture_and_a_table_goes_to_what_it_names(document, read):
    document.add_picture(picture(), width=Inches(1))
    document.add_paragraph("Table 1: list", style="Caption")
    table_of(document, [["Name", "Days"], ["Ann", "3"]])
    _, caption, table = read(document).elements
    assert caption.parent_id == table.element_id


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    "xml",
    [
        f"<w:sdt><w:sdtContent><w:p>{run('It is so.')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p><w:sdt><w:sdtContent>{run('It is so.')}</w:sdtContent></w:sdt></w:p>",
        f"<w:p><w:ins>{run('It is so.')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>",
        f"<w:p><w:moveFrom>{run('old')}</w:moveFrom><w:moveTo>{run('It is so.')}</w:moveTo></w:p>",
        f"<w:p><w:smartTag>{run('It is so.')}</w:smartTag></w:p>",
    ],
)
def test_text_in_controls_and_revisions_is_read(document, read, xml):
    document.element.body.insert(0, parse_xml(xml.replace(">", f" {W}>", 1)))
    assert shown(read(document)) == [("NarrativeText", "It is so.")]


def test_a_text_box_is_read_after_its_paragraph(document, read):
    document.add_paragraph("It is out.")
    box = "<w:pict><w:txbxContent><w:p><w:r><w:t>It is boxed.</w:t></w:r></w:p></w:txbxContent></w:pict>"
    document.paragraphs[0]._p.append(parse_xml(f"<w:r {W}>{box}</w:r>"))
    document.add_paragraph("It is last.")
    assert [e.text for e in read(document).elements] == ["It is out.", "It is boxed.", "It is last."]


def test_a_table_of_contents_is_left_out(document, read):
    gallery = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    content = "<w:sdtContent><w:p><w:r><w:t>Part 3</w:t></w:r></w:p></w:sdtContent>"
    document.element.body.insert(0, parse_xml(f"<w:sdt {W}>{gallery}{content}</w:sdt>"))
    document.add_paragraph("It is so.")
    assert shown(read(document)) == [("NarrativeText", "It is so.")]


def test_a_span_of_millions_costs_nothing(document, read):
    table = table_of(document, [["a", "b"]])
    table.cell(0, 0)._tc.get_or_add_tcPr().append(parse_xml(f'<w:gridSpan {W} w:val="200000000"/>'))
    (found,) = read(document).elements
    assert [(c.text, c.colspan) for c in found.cells] == [("a", 1), ("b", 1)]


def test_there_are_no_pages(document, read):
    document.add_paragraph("It is so.")
    document.add_page_break()
    document.add_paragraph("It is too.")
    assert {(e.page_number, e.boxes) for e in read(document).elements} == {(None, ())}


def test_a_container_for_a_password_is_encrypted(tmp_path):
    path = tmp_path / "file.docx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedError, match="encrypted: needs a password; save a copy without one"):
        read_path(path)


def test_an_old_document_by_another_name_is_told_from_an_encrypted_one(tmp_path):
    path = tmp_path / "file.docx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"))
    with pytest.raises(BrokenError, match="save it as"):
        read_path(path)


@pytest.mark.parametrize(("keep", "reason"), [(0, "empty file"), (100, "archive"), (5000, "archive")])
def test_a_cut_file_is_broken(document, tmp_path, keep, reason):
    path = tmp_path / "file.docx"
    document.save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BrokenError, match=reason):
        read_path(path)


def archive(path, **parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return path


def test_an_archive_without_its_parts_is_broken(tmp_path):
    with pytest.raises(BrokenError, match="broken docx"):
        read_path(archive(tmp_path / "file.docx", other=b"x"))


def test_damaged_xml_is_broken(document, tmp_path):
    document.save(tmp_path / "good.docx")
    with zipfile.ZipFile(tmp_path / "good.docx") as good:
        parts = {name: good.read(name) for name in good.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"][:300]
    with pytest.raises(BrokenError, match="broken docx") as caught:
        read_path(archive(tmp_path / "file.docx", **parts))
    assert caught.value.__cause__ is not None


def test_a_bomb_is_refused_unopened(tmp_path):
    with pytest.raises(BrokenError, match="3 MB when unpacked"):
        read_path(archive(tmp_path / "file.docx", bomb=bytes(3_000_000)))


def test_parts_of_unnamed_types_are_read(document, tmp_path):
    document.add_heading("Top", 1)
    document.save(tmp_path / "good.docx")
    with zipfile.ZipFile(tmp_path / "good.docx") as good:
        parts = {name: good.read(name) for name in good.namelist()}
    types = parts["[Content_Types].xml"].replace(b".styles+xml", b".none+xml")
    assert types != parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types
    assert shown(read_path(archive(tmp_path / "file.docx", **parts))) == [("Title", "Top")]


@pytest.mark.parametrize("name", ["bridge", "office", "web", "text"])
def test_a_partitioner_loads_unstructured_on_use_only(name):
    code = f"import sys, ingest.partition.{name}; print(sorted({{'unstructured', 'docx', 'lxml'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout == b"[]\n"
