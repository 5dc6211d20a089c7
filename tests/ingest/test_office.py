import io
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Inches, Pt
from PIL import Image

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.docx_markup import opened
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


def test_a_relation_to_a_part_that_is_missing_costs_that_part_alone(document, tmp_path):
    document.add_paragraph("The pier is made of oak.")
    document.save(tmp_path / "good.docx")
    with zipfile.ZipFile(tmp_path / "good.docx") as good:
        parts = {name: good.read(name) for name in good.namelist()}
    relations = parts["word/_rels/document.xml.rels"]
    more = b'<Relationship Id="rIdX" Type="http://x.example/r" Target="../NULL"/></Relationships>'
    parts["word/_rels/document.xml.rels"] = relations.replace(b"</Relationships>", more)
    found = read_path(archive(tmp_path / "file.docx", **parts))
    assert [e.text for e in found.elements] == ["The pier is made of oak."]


def test_what_packs_well_is_no_bomb_while_it_is_small(document, tmp_path):
    for _ in range(20):
        document.add_paragraph("The pier is made of oak." * 4000)
    document.save(tmp_path / "file.docx")
    with zipfile.ZipFile(tmp_path / "file.docx") as packed:
        largest = max(packed.infolist(), key=lambda each: each.file_size)
    assert largest.file_size > 200 * largest.compress_size
    assert read_path(tmp_path / "file.docx").elements


def test_a_bomb_is_refused_unopened(tmp_path):
    with pytest.raises(BrokenError, match="60 MB when unpacked"):
        read_path(archive(tmp_path / "file.docx", bomb=bytes(60_000_000)))


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


# Headings that no style names.


def bold(document, text, size=None):
    run = document.add_paragraph().add_run(text)
    run.bold = True
    run.font.size = Pt(size) if size else None


def titles(result):
    return [(e.text, e.category_depth) for e in result.elements if e.category == "Title"]


def test_a_short_bold_line_over_text_is_a_heading(document, read):
    document.add_heading("Part", 1)
    bold(document, "Opening hours")
    document.add_paragraph("The office is open from eight to four on all days of the week.")
    assert titles(read(document)) == [("Part", 0), ("Opening hours", 1)]


def test_larger_bold_lines_are_higher_headings_and_numbers_go_before_size(document, read):
    for text, size in (("Rules", 20), ("Dogs", 14), ("2.1 Cats", 20)):
        bold(document, text, size)
        document.add_paragraph("They are kept on a lead, and that is a rule without any exception at all.")
    assert titles(read(document)) == [("Rules", 0), ("Dogs", 1), ("2.1 Cats", 1)]


@pytest.mark.parametrize(
    "texts",
    [
        ["It matters that nobody smokes here."],
        ["One", "Two", "Three", "Four"],
        ["A line in bold that goes on and on for far more words than anybody would give to a heading"],
    ],
)
def test_sentences_and_blocks_in_bold_are_no_headings(document, read, texts):
    for text in texts:
        bold(document, text)
    document.add_paragraph("This text is long enough so that most of the letters of the document are not in bold.")
    document.add_paragraph("This text is long enough so that most of the letters of the document are not in bold.")
    assert titles(read(document)) == []


def test_a_document_all_in_bold_has_no_headings_by_it(document, read):
    for text in ("Short line", "This one is a whole sentence, in bold like everything else in here."):
        bold(document, text)
    assert titles(read(document)) == []


def test_a_bold_line_at_the_end_or_over_a_heading_is_none(document, read):
    document.add_paragraph("There is enough of plain text in here for a bold line to stand out from it.")
    bold(document, "Over a heading")
    document.add_heading("Part", 1)
    document.add_paragraph("There is enough of plain text in here for a bold line to stand out from it.")
    bold(document, "The end")
    assert titles(read(document)) == [("Part", 0)]


# What python-docx passes over.


def insert(document, xml):
    document.element.body.insert(0, parse_xml(xml.replace(">", f" {W} {M}>", 1)))


M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def test_results_of_fields_are_read_and_their_codes_are_not(document, read):
    insert(document, f'<w:p><w:fldSimple w:instr="DATE">{run("It is May today.")}</w:fldSimple></w:p>')
    assert shown(read(document)) == [("NarrativeText", "It is May today.")]


def test_hidden_text_is_left_out(document, read):
    insert(document, f"<w:p>{run('It is so.')}<w:r><w:rPr><w:vanish/></w:rPr><w:t> Secret.</w:t></w:r></w:p>")
    assert shown(read(document)) == [("NarrativeText", "It is so.")]


def test_an_equation_is_read_as_it_is_typed(document, read):
    def m(text):
        return f"<m:r><m:t>{text}</m:t></m:r>"

    fraction = f"<m:f><m:num>{m('a+b')}</m:num><m:den>{m('c')}</m:den></m:f>"
    power = f"<m:sSup><m:e>{m('x')}</m:e><m:sup>{m('2')}</m:sup></m:sSup>"
    insert(document, f"<w:p>{run('It is ')}<m:oMath>{fraction}{m('=')}{power}</m:oMath></w:p>")
    (found,) = read(document).elements
    assert found.text == "It is (a+b)/c=x^2"


def with_part(document, reltype, name, xml, content_type="application/xml"):
    """The document with one more part that its main part refers to, and the relation's id."""
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    part = Part(PackURI(f"/word/{name}"), content_type, xml.encode(), document.part.package)
    return document.part.relate_to(part, reltype)


RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


@pytest.mark.parametrize("kind", ["footnote", "endnote"])
def test_notes_come_after_the_paragraph_that_refers_to_them(document, read, kind):
    notes = (
        f'<w:{kind} w:type="separator" w:id="0"><w:p>{run("rule")}</w:p></w:{kind}>'
        f'<w:{kind} w:id="2"><w:p>{run("It says more.")}</w:p></w:{kind}>'
    )
    with_part(document, f"{RELATION}{kind}s", f"{kind}s.xml", f"<w:{kind}s {W}>{notes}</w:{kind}s>")
    document.add_paragraph("It is first.")._p.append(parse_xml(f'<w:r {W}><w:{kind}Reference w:id="2"/></w:r>'))
    document.add_paragraph("It is last.")
    assert [e.text for e in read(document).elements] == ["It is first.", "It says more.", "It is last."]


def test_a_chart_is_a_table_of_its_data_with_its_title_as_caption(document, read):
    chart = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    points = '<c:pt idx="0"><c:v>{}</c:v></c:pt>'
    series = (
        "<c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>Ships</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        f"<c:cat><c:strLit>{points.format('May')}</c:strLit></c:cat>"
        f"<c:val><c:numLit>{points.format('7')}</c:numLit></c:val></c:ser>"
    )
    main = "http://schemas.openxmlformats.org/drawingml/2006/main"
    title = (
        f'<c:title><c:tx><c:rich><a:p xmlns:a="{main}"><a:r><a:t>By month</a:t></a:r></a:p></c:rich></c:tx></c:title>'
    )
    bars = f"<c:plotArea><c:barChart>{series}</c:barChart></c:plotArea>"
    space = f'<c:chartSpace xmlns:c="{chart}"><c:chart>{title}{bars}</c:chart></c:chartSpace>'
    rel = with_part(document, f"{RELATION}chart", "charts/chart1.xml", space)
    drawing = (
        f'<w:r {W}><w:drawing><c:chart xmlns:c="{chart}" xmlns:r="{RELATION[:-1]}" r:id="{rel}"/></w:drawing></w:r>'
    )
    document.add_paragraph("It is over it.")._p.append(parse_xml(drawing))
    _, table, caption = read(document).elements
    assert (table.text, caption.text, caption.parent_id) == ("Ships\nMay 7", "By month", table.element_id)


def test_a_table_in_a_cell_is_a_table_of_its_own(document, read):
    outer = table_of(document, [["Pier", "Boats"], ["North", ""]])
    inner = outer.cell(1, 1).add_table(2, 2)
    for cell, text in zip(inner._cells, ("Name", "Year", "Eider", "1999"), strict=True):
        cell.text = text
    first, second = read(document).elements
    assert (first.text, second.text) == ("Pier Boats\nNorth", "Name Year\nEider 1999")
    assert [(c.row, c.column, c.header) for c in second.cells][:2] == [(0, 0, True), (0, 1, True)]


def test_a_table_of_one_cell_is_the_frame_of_its_text(document, read):
    table_of(document, [["It is framed."]])
    assert shown(read(document)) == [("NarrativeText", "It is framed.")]


def test_a_line_under_a_picture_that_opens_like_a_caption_is_one(document, read):
    document.add_picture(picture(), width=Inches(1))
    document.add_paragraph("Figure 1: noise")
    document.add_paragraph("Figure 1 shows what comes of it.")
    image, caption, text = read(document).elements
    assert (caption.category, caption.parent_id) == ("FigureCaption", image.element_id)
    assert text.category == "NarrativeText"


def test_a_linked_picture_is_not_fetched_and_keeps_its_description(document, read):
    document.add_picture(picture(), width=Inches(1))
    blip = next(document.element.body.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}blip"))
    del blip.attrib[qn("r:embed")]
    blip.set(qn("r:link"), document.part.relate_to("http://192.0.2.1/a.png", f"{RELATION}image", is_external=True))
    next(document.element.body.iter(qn("wp:docPr"))).set("descr", "A map")
    result = read(document)
    assert [(e.category, e.text, e.image_path) for e in result.elements] == [("Image", "A map", None)]


def test_headers_and_footers_are_typed_and_said_once(document, read):
    for section in (document.sections[0], document.add_section()):
        section.header.is_linked_to_previous = False
        section.header.paragraphs[0].text = "House rules"
        section.footer.is_linked_to_previous = False
        section.footer.paragraphs[0].text = "Page 1"
    document.add_paragraph("It is so.")
    assert sorted(shown(read(document))) == [
        ("Footer", "Page 1"),
        ("Header", "House rules"),
        ("NarrativeText", "It is so."),
    ]


# Other files of the family.


def rewritten(document, path, change):
    """A document saved with each of its parts changed."""
    document.save(path)
    with zipfile.ZipFile(path) as good:
        parts = {name: change(name, good.read(name)) for name in good.namelist()}
    return archive(path, **parts)


def test_a_document_with_macros_is_read_without_them(document, tmp_path):
    document.add_heading("Top", 1)

    def change(name, content):
        return content.replace(
            b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            b"application/vnd.ms-word.document.macroEnabled.main+xml",
        )

    assert shown(read_path(rewritten(document, tmp_path / "file.docm", change))) == [("Title", "Top")]


def test_a_strict_document_is_read(document, tmp_path):
    document.add_heading("Top", 1)

    def change(name, content):
        for part in (b"wordprocessingml/", b"officeDocument/", b"drawingml/"):
            old = b"http://schemas.openxmlformats.org/" + part + b"2006/"
            keep = b"package/2006" in content and name.endswith(".rels")
            content = (
                content
                if keep and part != b"officeDocument/"
                else content.replace(old, b"http://purl.oclc.org/ooxml/" + part)
            )
        return content

    assert shown(read_path(rewritten(document, tmp_path / "file.docx", change))) == [("Title", "Top")]


def test_no_entity_is_expanded(document, tmp_path):
    doctype = b'<!DOCTYPE d [<!ENTITY a "boom"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    document.add_paragraph("It is so. HERE")

    def change(name, content):
        if name != "word/document.xml":
            return content
        return content.replace(b"?>", b"?>" + doctype, 1).replace(b"HERE", b"&a;&f;")

    with pytest.raises(BrokenError, match="Entity 'a' not defined"):
        read_path(rewritten(document, tmp_path / "file.docx", change))


def test_names_that_lead_out_of_the_archive_write_nothing(document, tmp_path):
    document.add_paragraph("It is so.")
    path = tmp_path / "in" / "file.docx"
    path.parent.mkdir()
    document.save(path)
    with zipfile.ZipFile(path, "a") as out:
        out.writestr("../../evil.txt", "x")
    assert shown(read_path(path)) == [("NarrativeText", "It is so.")]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file.docx", "in"]


def test_an_archive_of_countless_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.partition.archives.MAX_MEMBERS", 2)
    with pytest.raises(BrokenError, match="3 files in the archive"):
        read_path(archive(tmp_path / "file.docx", a=b"x", b=b"x", c=b"x"))


def test_of_many_empty_paragraphs_in_a_row_one_is_read(tmp_path):
    made = docx.Document()
    made.add_paragraph("The pier is made of oak.")
    for _ in range(1000):
        made.add_paragraph()
    made.add_paragraph("The quay is of stone.")
    made.save(str(tmp_path / "rows.docx"))
    texts = [paragraph.text for paragraph in opened(tmp_path / "rows.docx").paragraphs]
    assert texts == ["The pier is made of oak.", "", "The quay is of stone."]
