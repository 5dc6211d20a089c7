"""PDF pages drawn here, read back: structure, tables, figures, boxes, what is damaged, and pages without text."""

import hashlib
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pymupdf
import pytest
from PIL import Image, ImageDraw

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError
from ingest.ocr import OcrLine
from ingest.partition import PartitionOptions, join, partition, partition_text, pdf_second_look
from ingest.partition import pdf as module
from ingest.partition.headings import with_numbered_levels
from ingest.partition.pdf_words import page_element
from ingest.render import SCALE, draw_pages
from ingest.tables import column_headers, grid
from ingest.types import BoundingBox, Element, Partition, Source, Word

PROSE = (
    "The cooperative runs four ferry routes between the port and the islands of the sound. It was founded in 1931 "
    "by islanders who bought a steamer, and it still belongs to those who use it every day of the year."
)
SUMMARY = (
    "Summarize the key points of all that you have found in the sources. "
    "This will be the content of what you show to them."
)
MARGIN = 3.0
"""Points around a word's box within which ink may be its own."""


def source_of(path: Path) -> Source:
    data = path.read_bytes()
    return Source(id=hashlib.sha256(data).hexdigest(), path=path, format="pdf", size=len(data))


@pytest.fixture
def read(tmp_path) -> Callable[..., Partition]:
    """Saves a drawn document and reads it, without OCR."""

    def save_and_read(document: pymupdf.Document, **options) -> Partition:
        path = tmp_path / "drawn.pdf"
        document.save(path)
        source = source_of(path)
        first = partition_text(source, PartitionOptions(**options))
        return join(source, first, ()) if first.unread else first

    return save_and_read


def new_page(document: pymupdf.Document | None = None, **size) -> tuple[pymupdf.Document, pymupdf.Page]:
    document = pymupdf.open() if document is None else document
    return document, document.new_page(**size)


def write_prose(page: pymupdf.Page, top: float, text: str = PROSE) -> None:
    page.insert_textbox((72, top, 523, top + 60), text, fontsize=11)


def draw_table(page: pymupdf.Page, rows: Sequence[Sequence[str]], *, left=72.0, top=112.0, width=120.0, high=20.0):
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            corner = left + c * width, top + r * high
            page.draw_rect((*corner, corner[0] + width, corner[1] + high))
            page.insert_text((corner[0] + 4, corner[1] + 14), text, fontsize=10)


def picture_png(size: tuple[int, int] = (400, 300)) -> bytes:
    """Red on its left half, a blue disc on its right."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, size[0] // 2, size[1]), fill=(200, 30, 30))
    pen.ellipse((size[0] * 0.6, size[1] * 0.2, size[0] * 0.95, size[1] * 0.8), fill=(30, 30, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def of(result: Partition, category: str) -> list[Element]:
    return [e for e in result.elements if e.category == category]


def box(element: Element) -> BoundingBox:
    return element.boxes[0].box


# --- structure ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def structured(tmp_path_factory) -> Partition:
    document, page = new_page()
    page.insert_text((72, 80), "Annual report", fontsize=24, fontname="hebo")
    write_prose(page, 100)
    page.insert_text((72, 180), "1 Traffic", fontsize=18, fontname="hebo")
    write_prose(page, 195)
    page.insert_text((72, 270), "1.1 Routes", fontsize=14, fontname="hebo")
    for i, text in enumerate(["First stop", "Second stop", "Third stop"]):
        page.insert_text((80, 295 + i * 18), f"{i + 1}. {text}", fontsize=11)
    for i, text in enumerate(["A bullet", "Another bullet"]):
        page.insert_text((80, 360 + i * 18), f"\u2022 {text}", fontsize=11)
    for i, text in enumerate(["def sail(route):", "    ship = find(route)", "    return ship  * 2"]):
        page.insert_text((80, 420 + i * 13), text, fontsize=10, fontname="cour")
    write_prose(page, 470)
    page.insert_text((72, 560), "2 Finance", fontsize=18, fontname="hebo")
    write_prose(
        page, 575, "Prices are 5*10*2 and C:\\data\\x_y for a*b*c items, at $5 and $6 each, said # one of them."
    )
    path = tmp_path_factory.mktemp("pdf") / "structured.pdf"
    document.save(path)
    return partition_text(source_of(path), PartitionOptions())


def test_headings_have_levels_and_own_what_stands_under_them(structured):
    titles = {e.text: e for e in of(structured, "Title")}
    assert {text: e.category_depth for text, e in titles.items()} == {
        "Annual report": 0,
        "1 Traffic": 1,
        "1.1 Routes": 2,
        "2 Finance": 1,
    }
    parents = {text: e.parent_id for text, e in titles.items()}
    assert parents["1.1 Routes"] == titles["1 Traffic"].element_id
    assert parents["2 Finance"] == parents["1 Traffic"] == titles["Annual report"].element_id
    items = of(structured, "ListItem")
    assert {e.parent_id for e in items} == {titles["1.1 Routes"].element_id}


def test_the_number_of_a_heading_tells_its_level_where_its_size_does_not():
    texts = ["Report", "1 Traffic", "1.1 Routes", "1.1.1 Ships", "2 Finance", "2024 in brief"]
    given = [page_element(1, "Title", text, (0, 0, 9, 9), int(text != "Report")) for text in texts]
    assert [e.category_depth for e in with_numbered_levels(given)] == [0, 1, 2, 3, 1, 1]
    unnumbered = [given[0], given[2]]
    assert with_numbered_levels(unnumbered) == unnumbered


def test_paragraphs_are_whole_and_in_order(structured):
    texts = [e.text for e in of(structured, "NarrativeText")]
    assert texts[:3] == [PROSE, PROSE, PROSE]
    tops = [box(e)[1] for e in structured.elements]
    assert tops == sorted(tops)


def test_marks_that_are_drawn_stay_and_marks_of_markdown_do_not_come_in(structured):
    last = of(structured, "NarrativeText")[-1]
    assert last.text == "Prices are 5*10*2 and C:\\data\\x_y for a*b*c items, at $5 and $6 each, said # one of them."


def test_list_items_keep_their_numbers_but_not_their_bullets(structured):
    assert [e.text for e in of(structured, "ListItem")] == [
        "1. First stop",
        "2. Second stop",
        "3. Third stop",
        "A bullet",
        "Another bullet",
    ]


def test_code_keeps_its_lines_and_indents(structured):
    (code,) = of(structured, "CodeSnippet")
    assert code.text == "def sail(route):\n    ship = find(route)\n    return ship  * 2"


def test_the_page_says_its_size_its_words_and_that_nothing_was_lost(structured):
    (page,) = structured.pages
    assert (page.page, page.width, page.height, page.tier, page.text_kept) == (1, 595, 842, "fast", 1.0)
    assert [w.text for w in page.words[:3]] == ["Annual", "report", "The"]


def test_ids_are_stable_and_distinct(structured):
    ids = [e.element_id for e in structured.elements]
    assert len(set(ids)) == len(ids)
    assert all(len(i) == 32 for i in ids)


def test_a_paragraph_in_another_font_is_no_part_of_the_heading_above_it(read):
    document, page = new_page()
    page.insert_text((72, 100), "Prepare your slides", fontsize=13, fontname="hebo")
    page.insert_text((72, 115), "Summarize the key points of all that you have found in the", fontsize=13)
    page.insert_text((72, 130), "sources. This will be the content of what you show to them.", fontsize=13)
    write_prose(page, 200)
    result = read(document)
    assert [(e.category, e.text) for e in result.elements][:2] == [
        ("Title", "Prepare your slides"),
        (
            "NarrativeText",
            SUMMARY,
        ),
    ]


def test_running_headers_and_footers_are_named_as_such(read):
    document = pymupdf.open()
    for number in range(5):
        _, page = new_page(document)
        page.insert_text((72, 40), "Halvane Ferry Cooperative", fontsize=9)
        page.insert_text((280, 815), f"Page {number + 1}", fontsize=9)
        write_prose(page, 100, f"On page {number + 1} stands this. {PROSE}")
    result = read(document)
    assert [e.category for e in result.elements] == ["Header", "NarrativeText", "Footer"] * 5
    assert [e.text for e in of(result, "Footer")] == [f"Page {n}" for n in range(1, 6)]


@pytest.mark.parametrize(("angle", "at"), [(90, (560, 500)), (270, (540, 300))])
def test_text_that_runs_up_or_down_the_page_is_kept_in_reading_order(read, angle, at):
    document, page = new_page()
    write_prose(page, 100)
    page.insert_text(at, "Draft of March", fontsize=11, rotate=angle)
    result = read(document)
    (found,) = of(result, "UncategorizedText")
    assert found.text == "Draft of March"
    assert result.pages[0].text_kept == 1.0
    x0, y0, x1, y1 = box(found)
    assert y1 - y0 > 3 * (x1 - x0)


def test_only_the_pages_asked_for_are_read(read):
    document = pymupdf.open()
    for number in range(4):
        _, page = new_page(document)
        write_prose(page, 100, f"This is page {number + 1}. {PROSE}")
    result = read(document, pages=(2, 4))
    assert [p.page for p in result.pages] == [2, 4]
    assert [(e.page_number, e.text[:14]) for e in result.elements] == [(2, "This is page 2"), (4, "This is page 4")]


# --- tables -------------------------------------------------------------------------------------

ROUTES = [["Route", "2022", "2023"], ["H1", "412.6", "438.9"], ["H2", "201.3", "210.8"], ["H3", "98.1", "97.4"]]


def test_a_table_has_its_header_row_and_a_box_for_each_cell(read):
    document, page = new_page()
    page.insert_text((72, 100), "Table 1: Passengers by route", fontsize=10)
    draw_table(page, ROUTES)
    write_prose(page, 230)
    (table,) = of(read(document), "Table")
    assert [[cell.text if cell else None for cell in row] for row in grid(table.cells)] == ROUTES
    assert [c.header for c in table.cells] == [True] * 3 + [False] * 9
    for cell in table.cells:
        left, top = 72 + cell.column * 120, 112 + cell.row * 20
        assert cell.box is not None
        assert left <= cell.box[0] < cell.box[2] <= left + 121
        assert top - 1 <= cell.box[1] < cell.box[3] <= top + 21
    assert table.text.splitlines()[1] == "H1 412.6 438.9"
    assert (table.text_as_html or "").startswith("<table><thead><tr><th")


def test_captions_belong_to_the_table_or_picture_beside_them(read):
    document, page = new_page()
    page.insert_text((72, 100), "Table 1: Passengers by route", fontsize=10)
    draw_table(page, ROUTES)
    page.insert_image((100, 240, 300, 390), stream=picture_png())
    page.insert_text((100, 405), "Figure 1: A wall and a pond", fontsize=10)
    write_prose(page, 500)
    result = read(document)
    owners = {e.element_id: e.category for e in result.elements}
    captions = of(result, "FigureCaption")
    assert [(e.text, owners[e.parent_id or ""]) for e in captions] == [
        ("Table 1: Passengers by route", "Table"),
        ("Figure 1: A wall and a pond", "Image"),
    ]


def test_a_caption_in_the_first_row_is_taken_out_of_the_table(read):
    document, page = new_page()
    draw_table(page, [["Table 3: Fleet", "", ""], ["Ship", "Cars", "Year"], ["Eider", "28", "1998"]])
    write_prose(page, 230)
    result = read(document)
    (caption,), (table,) = of(result, "FigureCaption"), of(result, "Table")
    assert caption.text == "Table 3: Fleet"
    assert caption.parent_id == table.element_id
    assert [c.text for c in table.cells] == ["Ship", "Cars", "Year", "Eider", "28", "1998"]
    assert [c.row for c in table.cells if c.header] == [0, 0, 0]
    assert box(table)[1] >= box(caption)[3]


def test_a_header_of_two_levels_spans_its_columns(samples):
    result = partition_text(source_of(samples / "report.pdf"), PartitionOptions(pages=(4,), images="off"))
    table = of(result, "Table")[0]
    spans = [(c.text, c.column, c.colspan) for c in table.cells if c.row == 0 and c.text]
    assert spans == [("Route", 0, 1), ("Passengers (thousand)", 1, 3), ("Vehicles (thousand)", 4, 3)]
    assert column_headers(table.cells, 5) == ("Vehicles (thousand)", "2023")
    dense = grid(table.cells)
    assert {len(row) for row in dense} == {7}


def test_a_long_caption_is_one_caption(read):
    document, page = new_page()
    page.insert_text((72, 80), "Results", fontsize=12, fontname="hebo")
    page.insert_text((99, 110), "TABLE 38: THREE CASE STUDIES ON", fontsize=14, fontname="hebo")
    page.insert_text((99, 126), "COMPLIANCES", fontsize=14, fontname="hebo")
    draw_table(page, ROUTES, top=150)
    write_prose(page, 300)
    assert [e.text for e in of(read(document), "FigureCaption")] == ["TABLE 38: THREE CASE STUDIES ON COMPLIANCES"]


# --- figures ------------------------------------------------------------------------------------


def crop_of(result: Partition, element: Element) -> Image.Image:
    return Image.open(io.BytesIO(result.images[element.image_path or ""])).convert("RGB")


def test_a_raster_picture_is_cropped_as_it_is_drawn(read):
    document, page = new_page()
    write_prose(page, 72)
    page.insert_image((100, 140, 300, 290), stream=picture_png())
    write_prose(page, 330)
    result = read(document, parser="fast")
    (image,) = of(result, "Image")
    assert box(image) == pytest.approx((100, 140, 300, 290), abs=1)
    crop = crop_of(result, image)
    assert crop.size == pytest.approx((200 * SCALE, 150 * SCALE), abs=3)
    assert crop.getpixel((40, 150)) == pytest.approx((200, 30, 30), abs=12)
    assert crop.getpixel((310, 150)) == pytest.approx((30, 30, 200), abs=12)
    digest = hashlib.sha256(result.images[image.image_path or ""]).hexdigest()
    assert image.image_path == f"images/{digest}.png"
    assert [e.category for e in result.elements] == ["NarrativeText", "Image", "NarrativeText"]


def test_without_images_none_is_cropped(read):
    document, page = new_page()
    write_prose(page, 72)
    page.insert_image((100, 140, 300, 290), stream=picture_png())
    result = read(document, images="off")
    assert result.images == {}
    assert [e.image_path for e in of(result, "Image")] == [None]


def test_icons_plain_colours_and_logos_are_no_pictures(read):
    white = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(white, "PNG")
    document = pymupdf.open()
    for number in range(4):
        _, page = new_page(document)
        page.insert_image((450, 20, 530, 80), stream=picture_png())
        page.insert_image((72, 60, 92, 80), stream=picture_png((60, 60 + number)))
        page.insert_image((72, 400, 272, 600 + number), stream=white.getvalue())
        write_prose(page, 120, f"On page {number}. {PROSE}")
    result = read(document)
    assert of(result, "Image") == []
    assert result.images == {}


def draw_chart(page: pymupdf.Page) -> None:
    page.insert_text((80, 150), "Passengers in thousands", fontsize=9)
    for i, (value, name) in enumerate(((80, "Q1"), (120, "Q2"), (60, "Q3"))):
        left = 130 + i * 90
        page.draw_rect((left, 300 - value, left + 40, 300), fill=(0, 0.3, 0.6))
        page.insert_text((left + 14, 313), name, fontsize=9)
    page.draw_line((110, 160), (110, 300))
    page.draw_line((110, 300), (400, 300))
    for i in range(4):
        page.insert_text((90, 303 - i * 40), str(i * 40), fontsize=9)


def test_a_drawn_chart_is_found_by_its_caption_and_takes_in_its_labels(read):
    document, page = new_page()
    write_prose(page, 72)
    draw_chart(page)
    page.insert_text((100, 335), "Figure 2: Passengers by quarter", fontsize=10)
    write_prose(page, 360)
    result = read(document)
    assert [e.category for e in result.elements] == ["NarrativeText", "Image", "FigureCaption", "NarrativeText"]
    image, caption = result.elements[1:3]
    x0, y0, x1, y1 = box(image)
    assert x0 <= 80
    assert 118 < y0 <= 145
    assert x1 >= 400
    assert 313 <= y1 <= box(caption)[1]
    assert image.text.splitlines()[0] == "Passengers in thousands"
    assert image.text.splitlines()[-3:] == ["Q1", "Q2", "Q3"]
    assert caption.parent_id == image.element_id
    bar = crop_of(result, image).getpixel((int((150 - x0) * SCALE), int((290 - y0) * SCALE)))
    assert bar == pytest.approx((0, 76, 153), abs=12)


def test_a_drawn_chart_is_found_by_its_axis_where_it_has_no_caption(read):
    document, page = new_page()
    write_prose(page, 72)
    draw_chart(page)
    write_prose(page, 360)
    result = read(document)
    assert [e.category for e in result.elements] == ["NarrativeText", "Image", "NarrativeText"]
    assert {"Q1", "Q2", "Q3", "0", "40", "80", "120"} <= set(result.elements[1].text.split())


def test_text_over_a_background_picture_stays_text(read):
    document, page = new_page()
    page.insert_image((60, 60, 540, 500), stream=picture_png())
    page.insert_text((100, 120), "Seagrass in the sound", fontsize=24, fontname="hebo")
    page.insert_textbox((100, 150, 500, 250), PROSE, fontsize=11)
    write_prose(page, 600)
    result = read(document)
    assert [e.text for e in of(result, "Title")] == ["Seagrass in the sound"]
    assert [e.text for e in of(result, "NarrativeText")] == [PROSE, PROSE]
    assert [e.text for e in of(result, "Image")] == [""]


# --- boxes --------------------------------------------------------------------------------------


def ink_outside_and_inside(path: Path, page: int, words: Sequence[Word]) -> tuple[bool, list[bool]]:
    """Whether a page, as displayed, has ink outside all boxes of words, and whether each box has ink."""
    shown = draw_pages(path, [page])[page].convert("L").point(lambda level: 255 * (level < 128))
    inside = [shown.crop(tuple(round(v * SCALE) for v in w.box)).getbbox() is not None for w in words]
    pen = ImageDraw.Draw(shown)
    for word in words:
        x0, y0, x1, y1 = (v * SCALE for v in word.box)
        pen.rectangle((x0 - MARGIN, y0 - MARGIN, x1 + MARGIN, y1 + MARGIN), fill=0)
    return shown.getbbox() is not None, inside


@pytest.mark.parametrize("cropped", [False, True], ids=["whole", "cropped"])
@pytest.mark.parametrize("upright", [True, False], ids=["upright", "sideways"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_of_words_fall_on_the_words_as_displayed(tmp_path, rotation, upright, cropped):
    document, page = new_page(width=400, height=600)
    turned = rotation if upright else 0
    for at, text in (((150, 300), "Halvane"), ((220, 340), "Marrowick 814,100")):
        page.insert_text(at, text, fontsize=14, rotate=turned)
    if cropped:
        page.set_cropbox((40, 90, 380, 560))
    page.set_rotation(rotation)
    path = tmp_path / "turned.pdf"
    document.save(path)
    (read,) = partition_text(source_of(path), PartitionOptions()).pages
    width, height = (340, 470) if cropped else (400, 600)
    shown = (height, width) if rotation in (90, 270) else (width, height)
    assert (read.width, read.height) == pytest.approx(shown, abs=0.1)
    assert sorted(w.text for w in read.words) == ["814,100", "Halvane", "Marrowick"]
    outside, inside = ink_outside_and_inside(path, 1, read.words)
    assert inside == [True] * 3
    assert not outside


def test_boxes_of_elements_hold_their_words(structured):
    (page,) = structured.pages
    for element in structured.elements:
        first = element.text.split()[0]
        x0, y0, x1, y1 = box(element)
        inside = [w.text for w in page.words if x0 - 2 <= w.box[0] and y0 - 2 <= w.box[1] and w.box[3] <= y1 + 2]
        assert any(first in text for text in inside), element.text
        assert x1 > x0


# --- damaged and locked files -------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"%PDF-1.7\n",
        lambda data: b"GIF89a no PDF at all, whatever its name says",
        lambda data: data[:200],
        lambda data: data[:100] + bytes(len(data) - 200) + data[-100:],
    ],
    ids=["empty", "header", "other", "truncated", "zeroed"],
)
def test_a_damaged_file_is_named_broken(tmp_path, damage):
    document, page = new_page()
    write_prose(page, 100)
    path = tmp_path / "damaged.pdf"
    path.write_bytes(damage(document.tobytes()))
    with pytest.raises(BrokenError, match=r"broken PDF|empty file"):
        partition_text(source_of(path), PartitionOptions())


def test_a_file_that_needs_a_password_is_named_encrypted(tmp_path):
    document, page = new_page()
    write_prose(page, 100)
    path = tmp_path / "locked.pdf"
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner")
    with pytest.raises(EncryptedError, match=r"^encrypted: give its password"):
        partition_text(source_of(path), PartitionOptions())


def test_a_file_that_only_forbids_printing_is_read(tmp_path):
    document, page = new_page()
    write_prose(page, 100)
    path = tmp_path / "restricted.pdf"
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", permissions=0)
    assert partition_text(source_of(path), PartitionOptions()).elements[0].text == PROSE


def test_a_file_that_vanished_is_named_broken(tmp_path):
    gone = Source(id="gone", path=tmp_path / "gone.pdf", format="pdf", size=9)
    with pytest.raises(BrokenError, match="vanished"):
        partition_text(gone, PartitionOptions())


# --- pages without a text layer -----------------------------------------------------------------


def scanned(page: pymupdf.Page, drawn: pymupdf.Document) -> None:
    """Fill a page with a picture of the first page of another document."""
    pixels = drawn[0].get_pixmap(dpi=200)
    page.insert_image(page.rect, stream=pixels.tobytes("png"))


def a_sheet(heading: str, size: float, *, table: bool = False) -> pymupdf.Document:
    document, page = new_page()
    page.insert_text((72, 100), heading, fontsize=size, fontname="hebo")
    write_prose(page, 130)
    if table:
        draw_table(page, ROUTES, top=220)
    return document


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> tuple[Path, Partition]:
    """Two scanned pages around one of text, read with OCR."""
    document, first = new_page()
    scanned(first, a_sheet("Harbour survey", 28, table=True))
    write_prose(new_page(document)[1], 100)
    scanned(new_page(document)[1], a_sheet("Depth soundings", 18))
    path = tmp_path_factory.mktemp("scan") / "scans.pdf"
    document.save(path)
    return path, partition(source_of(path), PartitionOptions())


def test_pages_without_text_are_left_for_later(scans):
    first = partition_text(source_of(scans[0]), PartitionOptions())
    assert first.unread == ((1,), (3,))
    assert {e.page_number for e in first.elements} == {2}


def test_recognised_pages_stand_in_their_places(scans):
    result = scans[1]
    assert [(p.page, p.tier) for p in result.pages] == [(1, "ocr"), (2, "fast"), (3, "ocr")]
    numbers = [e.page_number for e in result.elements]
    assert numbers == sorted(n or 0 for n in numbers)
    assert result.warnings == ("page 1: no text layer, OCR used", "page 3: no text layer, OCR used")
    assert result.unread == ()
    ids = [e.element_id for e in result.elements]
    assert len(set(ids)) == len(ids)


def test_recognised_text_is_whole_and_says_how_sure_it_is(scans):
    recognised = [e for e in scans[1].elements if e.page_number == 3]
    assert [e.category for e in recognised] == ["Title", "NarrativeText"]
    assert recognised[0].text == "Depth soundings"
    assert recognised[1].text == PROSE
    assert all(0.8 < (e.confidence or 0) <= 1 for e in recognised)
    assert [e.confidence for e in scans[1].elements if e.page_number == 2] == [None]
    assert recognised[1].parent_id == recognised[0].element_id


def test_recognised_headings_have_levels_over_the_whole_document(scans):
    depths = {e.text: e.category_depth for e in of(scans[1], "Title")}
    assert depths == {"Harbour survey": 0, "Depth soundings": 1}


def test_a_recognised_table_has_its_cells(scans):
    (table,) = of(scans[1], "Table")
    assert [[cell.text if cell else None for cell in row] for row in grid(table.cells)] == ROUTES


def intersection_over_union(a: BoundingBox, b: BoundingBox) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, wide) * max(0.0, high)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (both - shared)


def test_recognised_boxes_fall_on_what_is_drawn(scans):
    drawn = a_sheet("Depth soundings", 18)[0]
    title, prose = [e for e in scans[1].elements if e.page_number == 3]
    (place,) = drawn.search_for("Depth soundings")
    assert intersection_over_union(box(title), tuple(place)) > 0.5
    lines = drawn.get_text("blocks")[1][:4]
    assert intersection_over_union(box(prose), lines) > 0.8
    words = {w.text: w.box for w in scans[1].pages[2].words}
    (steamer,) = drawn.search_for("steamer")
    assert intersection_over_union(next(b for t, b in words.items() if "steamer" in t), tuple(steamer)) > 0.4


def reads(*lines: str) -> Callable[..., list[OcrLine]]:
    """An OCR that finds the same lines on every page."""

    def read_lines(image: Image.Image, *, scale: float = 1.0) -> list[OcrLine]:
        boxes = [(72.0, 100.0 + 20 * i, 400.0, 112.0 + 20 * i) for i in range(len(lines))]
        return [
            OcrLine(text=text, box=place, confidence=0.9, words=(Word(text, place),))
            for text, place in zip(lines, boxes, strict=True)
        ]

    return read_lines


def test_a_stamp_on_a_scan_does_not_hide_what_the_scan_says(tmp_path, monkeypatch):
    document, page = new_page()
    scanned(page, a_sheet("Harbour survey", 28))
    page.insert_text((72, 820), "Received 3 May 2024", fontsize=8)
    path = tmp_path / "stamped.pdf"
    document.save(path)
    source = source_of(path)
    assert partition_text(source, PartitionOptions()).unread == ((1,),)
    monkeypatch.setattr(pdf_second_look, "read_lines", reads("Harbour survey of the sound", "Received 3 May 2024"))
    found = partition(source, PartitionOptions())
    assert "Harbour survey" in " ".join(e.text for e in found.elements)
    assert found.pages[0].tier == "ocr"


def test_a_cover_whose_text_is_all_in_its_layer_keeps_that_text_and_its_picture(tmp_path, monkeypatch):
    document, page = new_page()
    page.insert_image(page.rect, stream=picture_png((595, 842)), keep_proportion=False)
    page.insert_text((72, 200), "Annual report of the ferry", fontsize=30, fontname="hebo")
    path = tmp_path / "cover.pdf"
    document.save(path)
    monkeypatch.setattr(pdf_second_look, "read_lines", reads("Anual repott of the ferry"))
    found = partition(source_of(path), PartitionOptions())
    assert [(e.category, e.text) for e in found.elements] == [("Title", "Annual report of the ferry"), ("Image", "")]
    assert box(found.elements[1]) == (0, 0, 595, 842)
    assert found.elements[1].image_path in found.images
    assert found.warnings == ()


def test_a_picture_of_a_page_on_which_nothing_is_recognised_is_kept_as_a_picture(tmp_path, monkeypatch):
    document, page = new_page()
    page.insert_image(page.rect, stream=picture_png((595, 842)), keep_proportion=False)
    path = tmp_path / "photo.pdf"
    document.save(path)
    monkeypatch.setattr(pdf_second_look, "read_lines", reads())
    found = partition(source_of(path), PartitionOptions())
    assert [e.category for e in found.elements] == ["Image"]
    assert found.warnings == ("page 1: no text layer, and OCR found no text",)
    assert partition(source_of(path), PartitionOptions(images="off")).elements == ()


def test_a_blank_page_is_not_given_to_ocr(tmp_path, monkeypatch):
    document, _ = new_page()
    path = tmp_path / "blank.pdf"
    document.save(path)

    def refuse(*args, **options):
        raise AssertionError("a blank page was read")

    monkeypatch.setattr(pdf_second_look, "read_lines", refuse)
    found = partition(source_of(path), PartitionOptions())
    assert (found.elements, len(found.pages)) == ((), 1)


def test_batches_are_read_one_after_the_other(read, monkeypatch):
    monkeypatch.setattr(module, "BATCH_PAGES", 2)
    document = pymupdf.open()
    for number in range(5):
        write_prose(new_page(document)[1], 100, f"This is page {number + 1}. {PROSE}")
    result = read(document)
    assert [e.page_number for e in result.elements] == [1, 2, 3, 4, 5]
    assert [e.text[:14] for e in result.elements] == [f"This is page {n}" for n in range(1, 6)]


@pytest.mark.parametrize("name", ["report", "report.docx", "report.png", "caf\udce9.pdf"])
def test_a_pdf_is_read_whatever_its_name(samples, tmp_path, name):
    shutil.copy(samples / "report.pdf", tmp_path / name)
    source = identify(str(tmp_path / name), max_bytes=2**30)
    found = partition_text(source, PartitionOptions(parser="fast", pages=(1,), images="off"))
    same = partition_text(source_of(samples / "report.pdf"), PartitionOptions(parser="fast", pages=(1,), images="off"))
    assert [e.text for e in found.elements] == [e.text for e in same.elements] != []
