"""Text that only pictures, outlines or broken layers hold: found by a cheap look, read by OCR, made into elements."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw

from ingest.ocr import OcrLine
from ingest.partition import pdf_pictures
from ingest.partition.pdf_drawn_tables import find_tables
from ingest.partition.pdf_figures import raster_figures
from ingest.partition.pdf_parse import parse_pages
from ingest.partition.pdf_pictures import RegionReading, is_garbled, read_regions, read_scale, unread_regions
from ingest.partition.pdf_text import page_elements
from ingest.partition.pdf_words import PageText, PageWord, page_words
from ingest.render import draw_pages
from ingest.strokes import letter_rows, ruled_lines
from ingest.tables import grid
from ingest.types import BoundingBox, Element, Source, Word

PROSE = "The cooperative carries passengers and freight between the islands of the sound in all weathers. "
SPOT = (100, 200, 420, 400)
"""Where pictures are placed on their pages, in points."""
ROUTES = [["Route", "2022", "2023"], ["North", "412.6", "438.9"], ["South", "201.3", "210.8"], ["West", "98.1", "97.4"]]


# --- drawing ------------------------------------------------------------------------------------


def drawn(draw: Callable[[pymupdf.Page], None], width: float = 320, height: float = 200) -> bytes:
    """What is drawn on a small page, as a picture."""
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        draw(page)
        return bytes(page.get_pixmap(matrix=pymupdf.Matrix(3, 3)).tobytes("png"))


def a_chart(page: pymupdf.Page) -> None:
    page.insert_text((60, 20), "Passengers a year", fontsize=12)
    for i, name in enumerate(["North", "South", "West"]):
        page.draw_rect((60 + 80 * i, 60 + 30 * i, 110 + 80 * i, 170), fill=(0.1, 0.4, 0.7), color=None)
        page.insert_text((66 + 80 * i, 186), name, fontsize=9)
    for i, value in enumerate(["300", "200", "100"]):
        page.insert_text((20, 66 + 40 * i), value, fontsize=9)
    page.insert_text((14, 160), "Thousands", fontsize=9, rotate=90)


def a_table(page: pymupdf.Page, rows: Sequence[Sequence[str]] = ROUTES) -> None:
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            page.draw_rect((20 + 90 * c, 20 + 22 * r, 110 + 90 * c, 42 + 22 * r), width=0.7)
            page.insert_text((26 + 90 * c, 35 + 22 * r), text, fontsize=10)


def some_prose(page: pymupdf.Page) -> None:
    page.insert_textbox((10, 10, 310, 190), PROSE * 5, fontsize=10)


def a_photo() -> bytes:
    """Soft shapes and grain, as a camera gives them."""
    noise = np.random.default_rng(7).normal(0, 18, (400, 640, 3))
    wide = np.linspace(60, 190, 640)[None, :, None] + 40 * np.sin(np.linspace(0, 5, 400))[:, None, None]
    photo = Image.fromarray(np.clip(wide + noise, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(photo)
    pen.ellipse((120, 90, 330, 300), fill=(70, 90, 60))
    pen.polygon([(380, 340), (470, 120), (580, 340)], fill=(120, 110, 100))
    out = io.BytesIO()
    photo.save(out, "PNG")
    return out.getvalue()


def a_page(*pictures: bytes, text: bool = True) -> tuple[pymupdf.Document, pymupdf.Page]:
    """A page of prose with pictures one below the other from ``SPOT`` on."""
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    if text:
        page.insert_textbox((72, 60, 520, 190), PROSE * 4, fontsize=11)
    for i, picture in enumerate(pictures):
        page.insert_image((SPOT[0], SPOT[1] + 210 * i, SPOT[2], SPOT[3] + 210 * i), stream=picture)
    return document, page


def outlined(page: pymupdf.Page, texts: Sequence[str], at: tuple[float, float], size: float) -> None:
    """Lines of text as filled paths, a path a letter, as drawing programs export them."""
    font = pymupdf.Font("helv")
    with pymupdf.open() as document:
        source = document.new_page(width=595, height=842)
        writer = pymupdf.TextWriter(source.rect)
        for i, text in enumerate(texts):
            writer.append((at[0], at[1] + i * size * 1.4), text, font=font, fontsize=size)
        writer.write_text(source)
        svg = source.get_svg_image(text_as_path=True)
    with pymupdf.open("svg", svg.encode()) as paths, pymupdf.open("pdf", paths.convert_to_pdf()) as pdf:
        page.show_pdf_page(page.rect, pdf)


@pytest.fixture
def parsed(tmp_path) -> Callable[[pymupdf.Document], tuple[Path, PageText, list[Element]]]:
    """Saves a drawn document: its path, its first page, and what the fast tier makes of it."""

    def save_and_parse(document: pymupdf.Document) -> tuple[Path, PageText, list[Element]]:
        path = tmp_path / "drawn.pdf"
        document.save(path)
        result = parse_pages(Source(id="drawn", path=path, format="pdf", size=path.stat().st_size), (1,))
        work = PageText(result.pages[0], page_words(result.pages[0]))
        return path, work, page_elements(work, raster_figures(result).get(1, []))

    return save_and_parse


@pytest.fixture
def read(parsed) -> Callable[[pymupdf.Document], tuple[list[Element], RegionReading]]:
    """What the fast tier made of a drawn page, and its regions read."""

    def parse_and_read(document: pymupdf.Document) -> tuple[list[Element], RegionReading]:
        path, work, elements = parsed(document)
        scale = read_scale(work.parsed.width, work.parsed.height)
        picture = draw_pages(path, [1], scale=scale)[1]
        return elements, read_regions(work, elements, unread_regions(work, elements), picture, scale)

    return parse_and_read


def of(elements: Sequence[Element], category: str) -> list[Element]:
    return [e for e in elements if e.category == category]


def inside(box: BoundingBox, outer: BoundingBox, slack: float = 4.0) -> bool:
    return outer[0] - slack <= box[0] and outer[1] - slack <= box[1] and box[2] <= outer[2] + slack >= box[3] - outer[3]


# --- what is looked at --------------------------------------------------------------------------


def test_a_picture_without_words_over_it_is_looked_at(parsed):
    _, work, elements = parsed(a_page(drawn(a_chart))[0])
    (region,) = unread_regions(work, elements)
    assert region == pytest.approx(SPOT, abs=1)


def test_a_picture_whose_labels_are_in_the_layer_is_not(parsed):
    document, page = a_page(drawn(a_chart))
    for i in range(5):
        page.insert_text((SPOT[0] + 20, SPOT[1] + 40 + 30 * i), "Northern line", fontsize=8)
    _, work, elements = parsed(document)
    assert unread_regions(work, elements) == []


def test_a_page_of_text_alone_has_nothing_to_look_at(parsed):
    _, work, elements = parsed(a_page()[0])
    assert unread_regions(work, elements) == []


def test_text_in_outlines_is_looked_at(parsed):
    document, page = a_page()
    outlined(page, ["Tickets are sold on board", "Dogs travel free of charge"], (120, 400), 20)
    _, work, elements = parsed(document)
    (region,) = unread_regions(work, elements)
    assert region[1] == pytest.approx(386, abs=6)
    assert region[3] == pytest.approx(434, abs=8)


def test_bars_markers_and_ticks_are_no_outlined_letters(parsed):
    document, page = a_page()
    for i in range(40):
        page.draw_circle((100 + 9 * i, 500), 3, fill=(0, 0, 0.6), color=None)
        page.draw_rect((100 + 9 * i, 560 - 2 * i, 105 + 9 * i, 640), fill=(0.6, 0, 0), color=None)
        page.draw_line((100 + 9 * i, 650), (100 + 9 * i, 656))
    _, work, elements = parsed(document)
    text = [e for e in elements if e.category != "Image"]
    assert unread_regions(work, text) == []


# --- what is read -------------------------------------------------------------------------------


def test_a_chart_keeps_its_labels_a_line_each(read):
    _, reading = read(a_page(drawn(a_chart))[0])
    (image,) = of(reading.elements, "Image")
    labels = image.text.splitlines()
    assert labels[0] == "Passengers a year"
    assert {"300", "200", "100", "North", "South", "West"} <= set(labels)
    assert labels.index("300") < labels.index("100") < labels.index("North")
    assert image.confidence is not None
    assert image.confidence > 0.8


def test_the_name_of_an_axis_that_runs_upwards_is_read(read):
    _, reading = read(a_page(drawn(a_chart))[0])
    assert "Thousands" in of(reading.elements, "Image")[0].text.splitlines()


def test_recognised_words_have_their_boxes_on_the_page(read):
    _, reading = read(a_page(drawn(a_chart))[0])
    (north,) = [word for word in reading.words if word.text == "North"]
    left, top = SPOT[0] + 66, SPOT[1] + 186 - 9
    assert north.box[:2] == pytest.approx((left, top), abs=4)
    assert all(inside(word.box, SPOT) for word in reading.words)


def test_a_table_that_is_a_picture_becomes_a_table(read):
    fast, reading = read(a_page(drawn(a_table))[0])
    assert of(fast, "Table") == []
    (table,) = of(reading.elements, "Table")
    assert [[cell.text if cell else None for cell in row] for row in grid(table.cells)] == ROUTES
    assert [cell.header for cell in table.cells] == [True] * 3 + [False] * 9
    assert all(cell.page == 1 and cell.box and inside(cell.box, SPOT) for cell in table.cells)
    assert (table.text_as_html or "").startswith("<table>")
    assert of(reading.elements, "Image") == []


def test_running_text_that_is_a_picture_becomes_paragraphs_in_its_place(read):
    document, page = a_page(drawn(some_prose))
    page.insert_text((72, 500), "Dogs and bicycles travel free of charge on every line.", fontsize=11)
    _, reading = read(document)
    texts = [e.text for e in reading.elements if e.category == "NarrativeText"]
    at = next(i for i, text in enumerate(texts) if text.count("in all weathers") == 5)
    assert texts[at + 1].startswith("Dogs and bicycles")
    assert at == 1


def test_outlined_lines_become_text(read):
    document, page = a_page()
    sentences = ["Tickets are sold on board of every ship", "and dogs travel free of charge all year."] * 3
    outlined(page, sentences, (120, 400), 14)
    _, reading = read(document)
    text = " ".join(e.text for e in reading.elements)
    assert text.count("dogs travel free of charge") == 3
    assert of(reading.elements, "Image") == []


@pytest.fixture
def no_models(monkeypatch) -> None:
    def read_nothing(image: Image.Image, *, scale: float = 1.0) -> list[OcrLine]:
        raise AssertionError(f"a picture of {image.size} was read at {scale}")

    monkeypatch.setattr(pdf_pictures, "read_lines", read_nothing)


@pytest.mark.usefixtures("no_models")
def test_a_photograph_passes_unread_and_says_that_it_was_looked_at(read):
    _, reading = read(a_page(a_photo())[0])
    (image,) = of(reading.elements, "Image")
    assert (image.text, image.confidence) == ("", 0.0)
    assert reading.words == ()


def test_the_same_picture_twice_on_a_page_is_read_once(read, monkeypatch):
    seen: list[tuple[int, int]] = []
    real = pdf_pictures.read_lines

    def counted(image: Image.Image, *, scale: float = 1.0) -> list[OcrLine]:
        seen.append(image.size)
        return real(image, scale=scale)

    monkeypatch.setattr(pdf_pictures, "read_lines", counted)
    chart = drawn(a_chart)
    _, reading = read(a_page(chart, chart)[0])
    first, second = of(reading.elements, "Image")
    assert first.text == second.text != ""
    assert len(seen) == 1


def test_words_of_the_layer_are_not_read_a_second_time(read):
    document, page = a_page(drawn(a_chart))
    page.insert_text((SPOT[0] + 230, SPOT[1] + 40), "Winter 2024", fontsize=12)
    _, reading = read(document)
    assert sum(e.text.count("2024") for e in reading.elements) == 1
    assert not [word for word in reading.words if "2024" in word.text]


# --- pixels -------------------------------------------------------------------------------------


def picture_of(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


@pytest.mark.parametrize("inverted", [False, True])
def test_letters_are_counted_dark_on_light_and_light_on_dark(inverted):
    picture = picture_of(drawn(some_prose))
    if inverted:
        picture = Image.eval(picture, lambda value: 255 - value)
    rows = letter_rows(picture, 3.0)
    assert sum(count for _, count in rows) > 200
    assert letter_rows(picture, 3.0, [(0, 0, 320, 200)]) == []


def test_rules_are_found_where_they_are_drawn():
    rules = ruled_lines(picture_of(drawn(a_table)), 3.0)
    across = sorted(y0 for x0, y0, x1, y1 in rules if x1 - x0 > 200)
    down = sorted(x0 for x0, y0, x1, y1 in rules if y1 - y0 > 80)
    assert across == pytest.approx([20, 42, 64, 86, 108], abs=1.5)
    assert down == pytest.approx([20, 110, 200, 290], abs=1.5)


# --- tables -------------------------------------------------------------------------------------


def line(text: str, x: float, y: float, wide: float = 40.0) -> OcrLine:
    box = (x, y, x + wide, y + 10)
    return OcrLine(text=text, box=box, confidence=0.9, words=(Word(text, box),))


def frame(xs: Sequence[float], ys: Sequence[float]) -> list[BoundingBox]:
    across = [(xs[0], y - 0.5, xs[-1], y + 0.5) for y in ys]
    return across + [(x - 0.5, ys[0], x + 0.5, ys[-1]) for x in xs]


def texts_of(cells) -> list[list[str]]:
    return [[cell.text if cell else "" for cell in row] for row in grid(cells)]


def test_a_cell_without_rules_inside_spans_its_rows_and_columns():
    rules = [
        *[(0, y - 0.5, 300, y + 0.5) for y in (0, 40, 60)],
        (100, 19.5, 300, 20.5),
        *[(x - 0.5, 0, x + 0.5, 60) for x in (0, 100, 300)],
        (199.5, 20, 200.5, 60),
    ]
    lines = [line("Route", 10, 15), line("Year", 180, 5), line("2022", 120, 25), line("2023", 220, 25)]
    lines += [line("North", 10, 45), line("412", 120, 45), line("438", 220, 45)]
    (table,) = find_tables(1, lines, rules)
    assert [(c.text, c.rowspan, c.colspan) for c in table.cells[:2]] == [("Route", 2, 1), ("Year", 1, 2)]
    assert len(table.lines) == len(lines)


def test_a_line_that_was_read_over_a_rule_is_parted_at_it():
    words = (Word("North", (10, 25, 60, 35)), Word("412", (110, 25, 140, 35)))
    both = OcrLine(text="North 412", box=(10, 25, 140, 35), confidence=0.9, words=words)
    lines = [line("Route", 10, 5), line("2022", 110, 5), both]
    (table,) = find_tables(1, lines, frame([0, 100, 200], [0, 20, 40]))
    assert texts_of(table.cells) == [["Route", "2022"], ["North", "412"]]


def test_a_rule_close_to_the_text_beside_it_is_a_border_all_the_same():
    lines = [line("Tube", -1, 5), line("Volume", 110, 5), line("S1", -1, 25), line("3.5", 110, 25)]
    (table,) = find_tables(1, lines, frame([0, 100, 200], [0, 20, 40]))
    assert texts_of(table.cells) == [["Tube", "Volume"], ["S1", "3.5"]]


def test_strokes_of_letters_in_a_row_are_no_rule():
    lines = [line("Tube", 10, 5), line("Volume", 110, 5), line("S1", 10, 25), line("3.5", 110, 25)]
    rules = [*frame([0, 100, 200], [0, 20, 40]), (108, 9.5, 152, 10.5), (100, 9.5, 152, 10.5)]
    (table,) = find_tables(1, lines, rules)
    assert texts_of(table.cells) == [["Tube", "Volume"], ["S1", "3.5"]]


def test_rows_that_only_a_frame_holds_are_parted_by_their_lines():
    rows = [line(text, x, 25 + 15 * i) for i in range(5) for x, text in ((10, f"R{i}"), (110, f"{i}.5"))]
    lines = [line("Route", 10, 5), line("2022", 110, 5), *rows]
    (table,) = find_tables(1, lines, frame([0, 100, 200], [0, 20, 100]))
    assert texts_of(table.cells) == [["Route", "2022"], *([f"R{i}", f"{i}.5"] for i in range(5))]


def test_the_grid_behind_a_chart_is_no_table():
    labels = [line(str(10 * i), -30, 20 * i - 5, 20) for i in range(6)]
    assert find_tables(1, labels, frame([0, 50, 100, 150], [20 * i for i in range(6)])) == []


def test_numbers_in_clear_columns_are_a_table_without_rules():
    lines = [line("Passengers by route", 10, 0, 150)]
    for r, row in enumerate(ROUTES):
        lines += [line(text, 10 + 90 * c, 25 + 18 * r) for c, text in enumerate(row)]
    (table,) = find_tables(1, lines, [])
    assert texts_of(table.cells) == ROUTES
    assert 0 not in table.lines


def test_the_legend_and_the_labels_of_a_chart_are_no_table():
    lines = [line(name, 200, 20 * i) for i, name in enumerate(["Primary", "Secondary", "Master", "Doctor"])]
    lines += [line("76.2%", 60, 33), line("18%", 90, 71), line("5.8%", 30, 52)]
    assert find_tables(1, lines, []) == []


# --- broken letters -----------------------------------------------------------------------------


def words_of(text: str) -> list[PageWord]:
    return [PageWord(text=word, box=(0, 0, 1, 1)) for word in text.split()]


REPORT = """Since the spring timetable began, passenger numbers between the northern harbours have grown by a quarter.
Bicycles travel without charge outside the summer months, provided that space remains after vehicles have boarded.
Freight forwarders should announce dangerous goods at least three working days before departure, stating weight,
packaging and classification. Complaints about delays caused by weather cannot give rise to compensation, although the
cooperative usually offers travellers accommodation whenever the evening crossing is cancelled unexpectedly."""
SHIFTED = " ".join("".join(chr(ord(ch) - 29) for ch in word) for word in REPORT.split())
"""As a font without its map gives it: each letter as the number of its glyph."""
BY_ORDER = "".join(" " if ch == " " else chr(33 + sorted(set(PROSE)).index(ch) % 15) for ch in PROSE * 4)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(0xE000 + ord(ch)) if ch != " " else " " for ch in PROSE),
        " ".join(f"(cid:{n})" for n in range(60)),
        "\ufffd" * 30 + " readable and more",
        SHIFTED,
        BY_ORDER,
        "Ïðèâåò ìèð ýòî òåêñò íà ðóññêîì ÿçûêå êîòîðûé íèêòî íå ïðî÷ò¸ò",
    ],
)
def test_a_layer_that_says_nothing_is_garbled(text):
    assert is_garbled(words_of(text))


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 3,
        REPORT,
        REPORT.upper(),
        "Кооператив перевозит пассажиров и грузы между островами пролива в любую погоду круглый год",
        "协同组合全年在海峡各岛之间运送旅客和货物风雨无阻每天十二班船每班载客三百人冬季减为八班",
        "تنقل التعاونية الركاب والبضائع بين جزر المضيق في جميع الأحوال الجوية طوال العام دون انقطاع",
        "Hợp tác xã vận chuyển hành khách và hàng hóa giữa các đảo trong mọi điều kiện thời tiết quanh năm",
        "Été où là-bas élève français reçoit çà et là déjà près du théâtre hôtel forêt garçon œuvre naïve " * 2,
        " ".join(f"{n}.{n % 10} ({n}) {n * 7:,} {n % 100}%" for n in range(200)),
        "Contents .......................... 3 Introduction .......................... 7 Index ............ 91",
        "def f(x): return {k: [v[i] for i in range(len(v))] for k, v in x.items() if k != '_' and not v[0]}\n" * 3,
        "∑ᵢ αᵢ xᵢ + β = γ ⇒ ∂f/∂x ≤ ∫₀¹ g(t) dt, ∀ x ∈ ℝⁿ : ‖x‖₂ ≤ 1 ∧ A⊤A ≻ 0 " * 3,
        "HTTPS TCP/IP GmbH BMWDX XKCDQ MSFT NVDA AAPL GOOGL " * 8,
        "Strč prst skrz krk. Vlk zmrzl, zhltl hrst zrn. Prst čtvrthrst scvrnkl smrt. " * 5,
        "\uf0b7 First item of the list \uf0b7 Second item of it \uf0b7 And the third one",
        "Nr. 7",
    ],
)
def test_real_text_of_any_kind_is_not(text):
    assert not is_garbled(words_of(text))
