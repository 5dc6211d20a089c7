import io
import zipfile

import pytest
from lxml import etree
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml import parse_xml
from pptx.util import Pt

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.drawingml import diagram_items, shown_number, table_cells
from ingest.partition.slides import partition
from ingest.tables import column_headers
from ingest.types import Source
from tests.expected import HEADINGS, SECOND

A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
DGM = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
TITLE_AND_TEXT, TITLE_ONLY, BLANK = 1, 5, 6


def read_path(path, **options):
    return partition(Source(id="s", path=path, format="pptx", size=1), PartitionOptions(**options))


@pytest.fixture
def read(tmp_path, deck):
    def call(**options):
        deck.save(tmp_path / "file.pptx")
        return read_path(tmp_path / "file.pptx", **options)

    return call


@pytest.fixture
def deck():
    return Presentation()


@pytest.fixture
def slide(deck):
    return add_slide(deck)


def add_slide(deck, layout=TITLE_ONLY, title="Title"):
    slide = deck.slides.add_slide(deck.slide_layouts[layout])
    if slide.shapes.title is not None:
        slide.shapes.title.text = title
    return slide


def picture(size=(400, 300)) -> io.BytesIO:
    out = io.BytesIO()
    Image.effect_noise(size, 50).save(out, "JPEG")
    out.seek(0)
    return out


def add_text(shapes, text, x=72, y=300, width=144, height=36):
    box = shapes.add_textbox(Pt(x), Pt(y), Pt(width), Pt(height))
    box.text_frame.text = text
    return box


def describe(shape, **attributes):
    for name, value in attributes.items():
        next(shape._element.iter("{http://schemas.openxmlformats.org/presentationml/2006/main}cNvPr")).set(name, value)


def shown(result):
    return [(e.category, e.text) for e in result.elements]


def body(result):
    return shown(result)[1:]


def the_box(element):
    (found,) = element.boxes
    return found.page, tuple(round(v, 2) for v in found.box)


def the_table(result):
    (table,) = (e for e in result.elements if e.category == "Table")
    return table


# The sample.


@pytest.fixture(scope="module")
def sample(samples):
    return read_path(samples / "slides.pptx")


def test_the_sample_has_what_it_must_have(sample):
    (expected,) = (e for e in SECOND if e.file == "slides.pptx")
    titles = {e.element_id: e.text for e in sample.elements}
    for text in expected.must_have:
        found = [e for e in sample.elements if text.text in e.text and text.page in (None, e.page_number)]
        assert any(text.category in (None, e.category) for e in found)
        assert any(text.title in (None, titles.get(e.parent_id)) for e in found)


def test_the_sample_has_its_cells(sample):
    (expected,) = (e for e in SECOND if e.file == "slides.pptx")
    for wanted in expected.cells:
        (table,) = (e for e in sample.elements if e.category == "Table" and e.page_number == wanted.page)
        (cell,) = (c for c in table.cells if c.text == wanted.text)
        beside = [c for c in table.cells if c.row <= cell.row < c.row + c.rowspan and c.text]
        assert (min(beside, key=lambda c: c.column).text,) == wanted.row_label
        assert column_headers(table.cells, cell.column) == wanted.column_header


def test_the_sample_has_its_headings(sample):
    found = tuple((e.category_depth, e.text) for e in sample.elements if e.category == "Title")
    assert found == HEADINGS["slides.pptx"]


def test_the_chart_of_the_sample_is_a_table_of_its_data(sample):
    (chart,) = (e for e in sample.elements if e.category == "Table" and e.page_number == 4)
    assert [[c.text for c in chart.cells if c.row == r] for r in range(4)] == [
        ["", "Complaints"],
        ["2022", "1185"],
        ["2023", "1310"],
        ["2024", "1046"],
    ]
    assert column_headers(chart.cells, 1) == ("Complaints",)
    assert chart.text_as_html.startswith("<table><thead>")


def test_the_pages_of_the_sample_are_its_slides_in_points(sample):
    assert [(p.page, p.width, p.height) for p in sample.pages] == [(n, 720.0, 540.0) for n in (1, 2, 3, 4)]
    boxes = [b.box for e in sample.elements for b in e.boxes]
    assert all(0 <= x0 < x1 <= 720 and 0 <= y0 < y1 <= 540 for x0, y0, x1, y1 in boxes)


def test_every_text_that_unstructured_finds_in_the_sample_is_found(sample, samples):
    from ingest.partition.bridge import offline_unstructured

    offline_unstructured()
    from unstructured.partition.pptx import partition_pptx

    ours = [" ".join(e.text.split()) for e in sample.elements]
    theirs = partition_pptx(str(samples / "slides.pptx"), include_slide_notes=True, languages=[""])
    assert [e.text for e in theirs if not any(" ".join(e.text.split()) in text for text in ours)] == []


# Text.


def test_bullets_come_from_the_layout_and_have_the_depth_of_their_level(deck, read):
    slide = add_slide(deck, TITLE_AND_TEXT)
    frame = slide.placeholders[1].text_frame
    frame.text = "one thing"
    deep = frame.add_paragraph()
    deep.text, deep.level = "deep thing", 1
    plain = frame.add_paragraph()
    plain.text = "no bullet"
    plain._p.get_or_add_pPr().append(parse_xml(f"<a:buNone {A}/>"))
    title, one, two, three = read().elements
    assert [(e.category, e.category_depth) for e in (title, one, two, three)] == [
        ("Title", 0),
        ("ListItem", 0),
        ("ListItem", 1),
        ("NarrativeText", None),
    ]
    assert {e.parent_id for e in (one, two, three)} == {title.element_id}


def test_a_text_box_has_a_bullet_only_where_it_says_so(slide, read):
    frame = add_text(slide.shapes, "free text").text_frame
    frame.add_paragraph().text = "with a number"
    frame.paragraphs[1]._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {A} type="arabicPeriod"/>'))
    assert body(read()) == [("NarrativeText", "free text"), ("ListItem", "with a number")]


def test_the_title_comes_first_and_its_lines_are_one(deck, read):
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    add_text(slide.shapes, "below")
    slide.shapes.title.text = "First\nsecond"
    slide.shapes._spTree.append(slide.shapes.title._element)
    assert shown(read()) == [("Title", "First second"), ("NarrativeText", "below")]


def test_a_slide_without_a_title_takes_a_line_at_its_top_for_one(deck, read):
    slide = add_slide(deck, BLANK)
    add_text(slide.shapes, "It was said that the ferries were late in May.", y=200)
    add_text(slide.shapes, "Late ferries", y=20)
    assert shown(read()) == [
        ("Title", "Late ferries"),
        ("NarrativeText", "It was said that the ferries were late in May."),
    ]


def test_what_a_slide_without_any_title_holds_does_not_belong_to_the_slide_before(deck, read):
    add_slide(deck, TITLE_ONLY, "Before")
    add_text(add_slide(deck, BLANK).shapes, "A sentence that ends.", y=10)
    before, title, text = read().elements
    assert (title.category, title.text, title.page_number) == ("Title", "Slide 2", 2)
    assert (title.parent_id, text.parent_id) == (None, title.element_id)
    assert before.page_number == 1


def test_notes_come_after_the_slide_and_have_no_box(slide, read):
    add_text(slide.shapes, "on the slide")
    slide.notes_slide.notes_text_frame.text = "said aloud\nand this too"
    found = read().elements
    assert [(e.category, e.text) for e in found[1:]] == [
        ("NarrativeText", "on the slide"),
        ("NarrativeText", "said aloud"),
        ("NarrativeText", "and this too"),
    ]
    assert [(e.page_number, len(e.boxes)) for e in found[1:]] == [(1, 1), (1, 0), (1, 0)]


def test_slide_numbers_and_footers_are_furniture(slide, read):
    for kind in ("sldNum", "ftr", "dt"):
        shape = add_text(slide.shapes, kind)
        shape._element.nvSpPr.nvPr.append(parse_xml(f'<p:ph {P} type="{kind}"/>'))
    assert body(read()) == [("PageNumber", "sldNum"), ("Footer", "ftr"), ("Footer", "dt")]


def test_line_breaks_fields_and_equations_are_part_of_a_line(slide, read):
    paragraph = add_text(slide.shapes, "a\vb").text_frame.paragraphs[0]._p
    paragraph.append(parse_xml(f'<a:fld {A} id="{{0}}" type="slidenum"><a:t> 7</a:t></a:fld>'))
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    paragraph.append(parse_xml(f"<m:oMath {math}><m:r><m:t> x=1</m:t></m:r></m:oMath>"))
    assert body(read()) == [("NarrativeText", "a b 7 x=1")]


def test_of_alternatives_the_current_one_is_read(slide, read):
    shape = add_text(slide.shapes, "new")._element
    other = add_text(slide.shapes, "old")._element
    choice = parse_xml(f'<mc:AlternateContent {MC}><mc:Choice Requires="a14"/><mc:Fallback/></mc:AlternateContent>')
    shape.addprevious(choice)
    choice[0].append(shape)
    choice[1].append(other)
    assert body(read()) == [("NarrativeText", "new")]


def test_only_the_wanted_slides_are_read(deck, read):
    for title in ("One", "Two", "Three"):
        add_slide(deck, TITLE_ONLY, title)
    result = read(pages=(2, 9))
    assert shown(result) == [("Title", "Two")]
    assert [p.page for p in result.pages] == [2]


def test_hidden_shapes_are_not_read(slide, read):
    describe(add_text(slide.shapes, "secret"), hidden="1")
    assert body(read()) == []


def test_ids_are_unique_and_equal_in_every_run(deck, read):
    for _ in range(2):
        add_text(add_slide(deck).shapes, "the same")
    first, second = read(), read()
    ids = [e.element_id for e in first.elements]
    assert ids == [e.element_id for e in second.elements]
    assert len(set(ids)) == 4


# Boxes.


def test_boxes_are_in_points_of_the_slide(slide, read):
    add_text(slide.shapes, "here", x=72, y=300, width=144, height=36)
    assert the_box(read().elements[1]) == (1, (72.0, 300.0, 216.0, 336.0))


def test_shapes_in_groups_are_read_at_their_place_on_the_slide(slide, read):
    outer = slide.shapes.add_group_shape()
    inner = outer.shapes.add_group_shape()
    add_text(inner.shapes, "inside", x=100, y=100, width=50, height=20)
    set_frame(inner, at=(0, 0), size=(200, 200), child_at=(0, 0), child_size=(100, 100))
    set_frame(outer, at=(10, 20), size=(400, 400), child_at=(0, 0), child_size=(400, 400))
    assert the_box(read().elements[1]) == (1, (210.0, 220.0, 310.0, 260.0))


def set_frame(group, *, at, size, child_at, child_size):
    form = group._element.grpSpPr.get_or_add_xfrm()
    for child in list(form):
        form.remove(child)
    emu = [v * 12700 for v in (*at, *size, *child_at, *child_size)]
    for xml in (
        f'<a:off {A} x="{emu[0]}" y="{emu[1]}"/>',
        f'<a:ext {A} cx="{emu[2]}" cy="{emu[3]}"/>',
        f'<a:chOff {A} x="{emu[4]}" y="{emu[5]}"/>',
        f'<a:chExt {A} cx="{emu[6]}" cy="{emu[7]}"/>',
    ):
        form.append(parse_xml(xml))


def test_the_box_of_a_turned_shape_is_the_one_around_it(slide, read):
    add_text(slide.shapes, "turned", x=100, y=100, width=200, height=40).rotation = 90
    assert the_box(read().elements[1]) == (1, (180.0, 20.0, 220.0, 220.0))


def test_boxes_end_with_the_slide_and_what_is_beside_it_has_none(slide, read):
    add_text(slide.shapes, "half", x=-20, y=300, width=60, height=20)
    add_text(slide.shapes, "off", x=-200, y=300, width=60, height=20)
    _, half, off = read().elements
    assert the_box(half) == (1, (0.0, 300.0, 40.0, 320.0))
    assert (off.text, off.boxes) == ("off", ())


# Tables.


def add_table(slide, rows):
    table = slide.shapes.add_table(len(rows), len(rows[0]), Pt(100), Pt(200), Pt(300), Pt(90)).table
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    return table


def test_merged_cells_keep_their_spans_and_both_rows_of_names_are_headers(slide, read):
    table = add_table(slide, [["Grade", "Days", ""], ["", "2023", "2024"], ["A", "20", "22"]])
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    found = the_table(read())
    assert [(c.text, c.rowspan, c.colspan) for c in found.cells[:2]] == [("Grade", 2, 1), ("Days", 1, 2)]
    assert [c.text for c in found.cells if c.header] == ["Grade", "Days", "2023", "2024"]
    assert column_headers(found.cells, 2) == ("Days", "2024")
    assert found.text == "Grade Days\n2023 2024\nA 20 22"


def test_header_cells_are_those_of_the_row_and_column_that_the_table_marks(slide, read):
    table = add_table(slide, [["a", "b"], ["c", "d"]])
    table.first_row, table.first_col = False, True
    assert [c.text for c in the_table(read()).cells if c.header] == ["a", "c"]


def test_cells_have_boxes_that_tile_the_table(slide, read):
    table = add_table(slide, [["a", "b"], ["c", "d"], ["e", "f"]])
    table.columns[0].width, table.columns[1].width = Pt(100), Pt(200)
    found = the_table(read())
    boxes = {c.text: tuple(round(v, 2) for v in c.box) for c in found.cells}
    assert boxes["a"] == (100.0, 200.0, 200.0, 230.0)
    assert boxes["f"] == (200.0, 260.0, 400.0, 290.0)
    assert {c.page for c in found.cells} == {1}


def test_spans_beyond_the_grid_are_clipped_and_overlaps_give_way():
    xml = (
        f'<a:tbl {A}><a:tr><a:tc gridSpan="2000000000" rowSpan="9"/><a:tc hMerge="1"/></a:tr>'
        '<a:tr><a:tc gridSpan="2"/><a:tc/></a:tr><a:tr><a:tc/><a:tc rowSpan="0"/></a:tr></a:tbl>'
    )
    cells = table_cells(etree.fromstring(xml), 1, None)
    assert [(c.row, c.column, c.rowspan, c.colspan) for c in cells] == [(0, 0, 3, 2)]
    xml = f'<a:tbl {A}><a:tr><a:tc/><a:tc rowSpan="2"/></a:tr><a:tr><a:tc gridSpan="2"/><a:tc/></a:tr></a:tbl>'
    cells = table_cells(etree.fromstring(xml), 1, None)
    assert [(c.row, c.column, c.rowspan, c.colspan) for c in cells] == [(0, 0, 1, 1), (0, 1, 2, 1), (1, 0, 1, 1)]


def test_an_empty_table_gives_nothing(slide, read):
    add_table(slide, [["", ""], ["", ""]])
    assert body(read()) == []


# Charts and diagrams.


def rows_of(element):
    count = 1 + max(c.row for c in element.cells)
    return [[c.text for c in element.cells if c.row == r] for r in range(count)]


def add_chart(slide, kind, data):
    return slide.shapes.add_chart(kind, Pt(50), Pt(150), Pt(400), Pt(300), data).chart


def test_a_chart_has_a_column_a_series_and_its_title_as_caption(slide, read):
    data = CategoryChartData()
    data.categories = ["North", "South"]
    data.add_series("2023", (1.5, None))
    data.add_series("2024", (2, 1234567), number_format="#,##0")
    chart = add_chart(slide, XL_CHART_TYPE.LINE, data)
    chart.has_title = True
    chart.chart_title.text_frame.text = "Passengers by coast"
    result = read()
    table, caption = result.elements[1:]
    assert rows_of(table) == [["", "2023", "2024"], ["North", "1.5", "2"], ["South", "", "1,234,567"]]
    assert (caption.category, caption.text, caption.parent_id) == (
        "FigureCaption",
        "Passengers by coast",
        table.element_id,
    )
    assert table.boxes == caption.boxes != ()


def test_nested_categories_are_named_from_the_outside(slide, read):
    data = CategoryChartData()
    for year in ("2023", "2024"):
        data.add_category(year).add_sub_category("Q1")
        data.categories[-1].add_sub_category("Q2")
    data.add_series("Trips", (1, 2, 3, 4))
    add_chart(slide, XL_CHART_TYPE.BAR_CLUSTERED, data)
    assert [row[0] for row in rows_of(the_table(read()))[1:]] == ["2023 / Q1", "2023 / Q2", "2024 / Q1", "2024 / Q2"]


def test_the_points_of_a_scatter_chart_share_rows_where_x_is_equal(slide, read):
    data = XyChartData()
    for name, points in (("up", ((1, 10), (2, 20))), ("down", ((2, 5), (0.5, 4)))):
        series = data.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    add_chart(slide, XL_CHART_TYPE.XY_SCATTER, data)
    assert rows_of(the_table(read())) == [["", "up", "down"], ["0.5", "", "4"], ["1", "10", ""], ["2", "20", "5"]]


@pytest.mark.parametrize(
    ("text", "code", "wanted"),
    [
        ("0.354", "0.0%", "35.4%"),
        ("1234.5", "#,##0.00", "1,234.50"),
        ("1046.0", "General", "1046"),
        ("0.1", "General", "0.1"),
        ("45443", "yyyy\\-mm\\-dd", "2024-05-31"),
        ("45443", "[$-409]d/m/yyyy;@", "2024-05-31"),
        ("12", '0" km"', "12"),
        ("#N/A", "0.0", "#N/A"),
        ("nan", "0.0", "nan"),
        ("North", "General", "North"),
    ],
)
def test_numbers_are_written_as_their_format_shows_them(text, code, wanted):
    assert shown_number(text, code) == wanted


def test_a_diagram_is_a_list_nested_as_its_nodes(slide, read):
    model = (
        f'<dgm:dataModel {DGM} {A}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>'
        + "".join(
            f'<dgm:pt modelId="{i}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
            for i, text in ((1, "Plan"), (2, "Build"), (3, "Ask"))
        )
        + '</dgm:ptLst><dgm:cxnLst><dgm:cxn srcId="0" destId="2" srcOrd="1"/><dgm:cxn srcId="0" destId="1" srcOrd="0"/>'
        '<dgm:cxn srcId="1" destId="3" srcOrd="0"/><dgm:cxn srcId="3" destId="1" srcOrd="0"/>'
        '<dgm:cxn type="presOf" srcId="2" destId="3" srcOrd="0"/></dgm:cxnLst></dgm:dataModel>'
    )
    assert list(diagram_items(etree.fromstring(model))) == [(0, "Plan"), (1, "Ask"), (0, "Build")]
    add_diagram(slide, model.encode())
    assert [(e.text, e.category, e.category_depth) for e in read().elements[1:]] == [
        ("Plan", "ListItem", 0),
        ("Ask", "ListItem", 1),
        ("Build", "ListItem", 0),
    ]


def add_diagram(slide, model):
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData"
    part = Part(PackURI("/ppt/diagrams/data1.xml"), "application/xml", slide.part.package, model)
    rel = slide.part.relate_to(part, kind)
    frame = slide.shapes.add_table(1, 1, Pt(50), Pt(150), Pt(100), Pt(50))._element
    data = frame.graphic.graphicData
    data.set("uri", "http://schemas.openxmlformats.org/drawingml/2006/diagram")
    data.remove(data[0])
    links = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    data.append(parse_xml(f'<dgm:relIds {DGM} {links} r:dm="{rel}"/>'))


# Pictures.


def test_a_picture_is_a_png_with_its_alternative_text_and_box(slide, read):
    shape = slide.shapes.add_picture(picture(), Pt(100), Pt(200), Pt(200), Pt(150))
    describe(shape, descr="A tower\nby the quay")
    result = read()
    image = result.elements[1]
    assert (image.category, image.text) == ("Image", "A tower by the quay")
    assert the_box(image) == (1, (100.0, 200.0, 300.0, 350.0))
    with Image.open(io.BytesIO(result.images[image.image_path])) as stored:
        assert (stored.format, stored.size) == ("PNG", (400, 300))


@pytest.mark.parametrize("descr", ["photo 7.JPG", "A map of a coast\n\nDescription automatically generated"])
def test_a_file_name_or_a_note_of_a_program_is_no_description(slide, read, descr):
    describe(slide.shapes.add_picture(picture(), 0, 0, Pt(200)), descr=descr)
    assert body(read()) == [("Image", descr.partition("\n")[0] if "map" in descr else "")]


def test_pictures_that_only_decorate_are_left_out(slide, read):
    slide.shapes.add_picture(picture(), 0, 0, Pt(20), Pt(200))
    plain = io.BytesIO()
    Image.new("RGB", (50, 50), "white").save(plain, "PNG")
    slide.shapes.add_picture(plain, 0, 0, Pt(200))
    marked = slide.shapes.add_picture(picture(), 0, 0, Pt(200))
    ns = 'xmlns:adec="http://schemas.microsoft.com/office/drawing/2017/decorative"'
    marked._element.nvPicPr.cNvPr.append(parse_xml(f'<adec:decorative {ns} val="1"/>'))
    result = read()
    assert (body(result), result.images) == ([], {})
    assert result.left_out == {"small": 1, "empty": 1, "marked as such": 1}


def test_no_pictures_are_read_when_they_are_off(slide, read):
    describe(slide.shapes.add_picture(picture(), 0, 0, Pt(200)), descr="A tower")
    result = read(images="off")
    assert (body(result), result.images) == ([], {})


def test_a_picture_that_cannot_be_read_keeps_its_description_and_is_told(slide, read, monkeypatch):
    describe(slide.shapes.add_picture(picture(), 0, 0, Pt(200)), descr="A tower")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    result = read()
    assert [(e.text, e.image_path) for e in result.elements[1:]] == [("A tower", None)]
    assert (result.images, result.warnings) == ({}, ("slide 1: a picture of a type that is not read, or too large",))


def test_a_picture_on_two_slides_is_stored_once_and_shown_twice(deck, read):
    content = picture()
    for _ in range(2):
        add_slide(deck).shapes.add_picture(content, 0, 0, Pt(200))
    result = read()
    images = [e for e in result.elements if e.category == "Image"]
    assert [e.page_number for e in images] == [1, 2]
    assert list(result.images) == [images[0].image_path] == [images[1].image_path]


# Files that cannot be read.


def test_an_empty_file_is_broken(tmp_path):
    (tmp_path / "file.pptx").write_bytes(b"")
    with pytest.raises(BrokenError, match="empty"):
        read_path(tmp_path / "file.pptx")


def test_a_cut_off_file_is_broken(tmp_path, samples):
    (tmp_path / "file.pptx").write_bytes((samples / "slides.pptx").read_bytes()[:9000])
    with pytest.raises(BrokenError, match="broken pptx"):
        read_path(tmp_path / "file.pptx")


def test_a_document_by_the_name_of_slides_is_broken(tmp_path, samples):
    (tmp_path / "file.pptx").write_bytes((samples / "handbook.docx").read_bytes())
    with pytest.raises(BrokenError):
        read_path(tmp_path / "file.pptx")


def test_a_damaged_slide_is_broken(tmp_path, samples):
    with zipfile.ZipFile(samples / "slides.pptx") as old, zipfile.ZipFile(tmp_path / "file.pptx", "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<p:sld" if name.endswith("slide3.xml") else old.read(name))
    with pytest.raises(BrokenError):
        read_path(tmp_path / "file.pptx")


def test_a_slide_with_a_damaged_shape_is_told_and_the_others_are_read(deck, read):
    for title in ("One", "Two"):
        add_slide(deck, TITLE_ONLY, title)
    add_text(deck.slides[0].shapes, "text").text_frame.paragraphs[0]._p.get_or_add_pPr().set("lvl", "x")
    result = read()
    assert shown(result) == [("Title", "Two")]
    assert result.warnings == ("slide 1: could not be read",)
    with pytest.raises(BrokenError):
        read(pages=(1,))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "file.pptx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ppt/presentation.xml", b" " * 60_000_000)
    with pytest.raises(BrokenError, match="broken pptx: 60 MB when unpacked"):
        read_path(tmp_path / "file.pptx")


def test_an_encrypted_file_needs_a_password_and_an_old_one_another_format(tmp_path):
    ole = b"\xd0\xcf\x11\xe0" + bytes(100)
    (tmp_path / "file.pptx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedError):
        read_path(tmp_path / "file.pptx")
    (tmp_path / "file.pptx").write_bytes(ole + "PowerPoint Document".encode("utf-16-le"))
    with pytest.raises(BrokenError, match=r"\.ppt"):
        read_path(tmp_path / "file.pptx")
