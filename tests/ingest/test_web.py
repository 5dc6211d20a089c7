import base64
import io
import urllib.parse

import pytest
from PIL import Image

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.encoding import declared_charset, decode
from ingest.partition.web import partition
from ingest.types import Source
from tests.planted_pages import PAGES, page, shares
from tests.planted_sites import SITES

LONG = "The harbour office has written a long paragraph here so that this part weighs more than what is around it. " * 3


@pytest.fixture
def read(tmp_path):
    def call(markup: str | bytes, **options):
        path = tmp_path / "page.html"
        path.write_bytes(markup.encode() if isinstance(markup, str) else markup)
        return partition(Source(id="s", path=path, format="html", size=1), PartitionOptions(**options))

    return call


def data_uri() -> str:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def shown(result) -> list[tuple[str, str]]:
    return [(e.category, e.text) for e in result.elements]


def texts(result) -> list[str]:
    return [e.text for e in result.elements]


def test_headings_keep_their_level_and_hold_what_follows(read):
    found = read("<h1>A</h1><h3>Bb</h3><p>The pier is closed now.</p><h2>Cc</h2>").elements
    a, b, text, c = found
    assert [(e.category, e.category_depth) for e in (a, b, c)] == [("Title", 0), ("Title", 2), ("Title", 1)]
    assert (b.parent_id, text.parent_id, c.parent_id) == (a.element_id, b.element_id, a.element_id)


def test_the_main_part_is_taken_and_what_is_around_it_is_not(read):
    result = read(
        f"<nav>Home</nav><div>Cookies are used.</div><main><h1>Works</h1><p>{LONG}</p></main><footer>F</footer>"
    )
    assert texts(result) == ["Works", LONG.strip()]


def test_a_main_part_with_little_text_is_not_taken_for_the_page(read):
    result = read(f"<main><p>Little is said.</p></main><p>{LONG}</p><aside>More is here.</aside>")
    assert texts(result) == ["Little is said.", LONG.strip()]


def test_the_only_h1_comes_along_from_outside_the_main_part(read):
    assert texts(read(f"<header><h1>Works</h1></header><article><p>{LONG}</p></article>"))[0] == "Works"


@pytest.mark.parametrize(
    "part",
    [
        "<script>x is y</script>",
        "<style>p{}</style>",
        "<p hidden>x is y</p>",
        '<p style="display: none">x is y</p>',
        "<select><option>x is y</select>",
        "<!-- x is y -->",
        "<header role=banner>x is y</header>",
    ],
)
def test_what_a_reader_does_not_see_is_left_out(read, part):
    assert texts(read(f"<p>Seen is this.</p>{part}")) == ["Seen is this."]


def test_forms_and_folded_parts_are_read(read):
    result = read("<form><p>A form is here.</p></form><details><summary>Why is it?</summary>It is so.</details>")
    assert texts(result) == ["A form is here.", "Why is it?", "It is so."]


def test_a_table_keeps_spans_header_cells_and_caption(read):
    result = read(
        "<h2>Fares</h2><table><caption>Table 1: <b>fares</b></caption><tr><th rowspan=2>Kind<th colspan=2>Fare</tr>"
        "<tr><th>2024<th>2025</tr><tr><td>A &lt; B<td>1<td>2</tr></table><p>The table is over.</p>"
    )
    title, caption, table, after = result.elements
    assert (caption.category, caption.text, caption.parent_id) == ("FigureCaption", "Table 1: fares", table.element_id)
    assert [(c.text, c.row, c.column, c.rowspan, c.colspan, c.header) for c in table.cells] == [
        ("Kind", 0, 0, 2, 1, True),
        ("Fare", 0, 1, 1, 2, True),
        ("2024", 1, 1, 1, 1, True),
        ("2025", 1, 2, 1, 1, True),
        ("A < B", 2, 0, 1, 1, False),
        ("1", 2, 1, 1, 1, False),
        ("2", 2, 2, 1, 1, False),
    ]
    assert (table.text, table.parent_id) == ("Kind Fare\n2024 2025\nA < B 1 2", title.element_id)
    assert table.text_as_html.startswith("<table><thead>")
    assert after.text == "The table is over."


def test_a_table_that_only_lays_out_is_read_as_blocks(read):
    result = read("<table role=presentation><tr><td><h2>Left</h2></td><td><p>The right is here.</p></td></tr></table>")
    assert shown(result) == [("Title", "Left"), ("NarrativeText", "The right is here.")]


def test_a_figure_gives_its_picture_and_the_caption_bound_to_it(read):
    result = read(f'<figure><img src="{data_uri()}" alt="Plan"><figcaption>Lanes of the pier</figcaption></figure>')
    picture, caption = result.elements
    assert (picture.category, picture.text, caption.category) == ("Image", "Plan", "FigureCaption")
    assert caption.parent_id == picture.element_id
    assert list(result.images) == [picture.image_path]
    assert result.images[picture.image_path].startswith(b"\x89PNG")


def test_a_picture_inside_a_sentence_does_not_break_it(read):
    result = read(
        '<p>One is <img src="a.png" alt="first"> and <b>two <img src="b.png" alt="second"></b> is.</p><p>It is.'
    )
    assert shown(result)[0] == ("NarrativeText", "One is and two is.")
    assert texts(result)[1:] == ["first", "second", "It is."]


def test_remote_pictures_count_by_their_words_alone(read):
    result = read('<img src="http://192.0.2.1/a.png"><img src="file:///etc/passwd" alt="Words">')
    assert [(e.category, e.text, e.image_path) for e in result.elements] == [("Image", "Words", None)]
    assert not result.images


def test_without_images_captions_remain(read):
    result = read(f'<figure><img src="{data_uri()}"><figcaption>Lanes</figcaption></figure>', images="off")
    assert (shown(result), dict(result.images)) == ([("FigureCaption", "Lanes")], {})


def test_a_picture_that_cannot_be_read_is_warned_of(read):
    src = f"data:image/png;base64,{base64.b64encode(b'no picture' * 20).decode()}"
    result = read(f'<img src="{src}" alt="Plan">')
    assert (shown(result), result.warnings) == ([("Image", "Plan")], ("a picture in the page could not be read",))


DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><title>Passengers by quarter</title>
<script>alert("run")</script><style>text { color: red }</style><defs><text>unseen</text></defs>
<a href="javascript:alert(1)"><text x="1" y="2">Q1 <tspan>1,060</tspan></text></a>
<image href="http://192.0.2.1/tracker.png"/><foreignObject><p>In thousands</p></foreignObject></svg>"""
WORDS = "Passengers by quarter Q1 1,060 In thousands"


def test_the_words_of_a_drawing_in_the_page_are_a_picture_with_its_caption(read):
    result = read(f"<p>It is before.</p><figure>{DRAWING}<figcaption>Figure 1: Ferries</figcaption></figure>")
    assert shown(result)[1:] == [("Image", WORDS), ("FigureCaption", "Figure 1: Ferries")]
    assert result.elements[2].parent_id == result.elements[1].element_id
    assert not result.images


@pytest.mark.parametrize("encoded", [True, False])
def test_the_words_of_a_drawing_that_an_address_holds_are_a_picture(read, encoded):
    data = base64.b64encode(DRAWING.encode()).decode() if encoded else urllib.parse.quote(DRAWING)
    result = read(f'<img alt="Ferries" src="data:image/svg+xml{";base64" * encoded},{data}">')
    assert (shown(result), result.warnings) == ([("Image", f"Ferries {WORDS}")], ())


def test_a_drawing_in_an_address_reads_no_file_and_expands_no_entity(read, tmp_path):
    (tmp_path / "secret.txt").write_text("hunter2")
    evil = f'<!DOCTYPE svg [<!ENTITY f SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY a "aaaa">]>'
    data = urllib.parse.quote(f"{evil}<svg><text>Pier &f; &a; end</text></svg>")
    assert shown(read(f'<img src="data:image/svg+xml,{data}">')) == [("Image", "Pier end")]


def test_drawings_without_words_are_icons_that_are_counted(read):
    icon = '<svg viewBox="0 0 24 24"><title>Menu</title><path d="M0 0h24"/></svg>'
    unseen = '<svg aria-hidden="true"><text>beside it</text></svg>'
    data = urllib.parse.quote("<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0h24'/></svg>")
    result = read(f'<p>It is text {icon} here.</p>{unseen}<img src="data:image/svg+xml,{data}">')
    assert shown(result) == [("NarrativeText", "It is text here.")]
    assert result.left_out == {"drawings without words": 3}


def test_a_drawing_that_is_none_is_warned_of(read):
    assert read('<img src="data:image/svg+xml,%3Csvg%3E">').warnings == ("a picture in the page could not be read",)


def test_nested_lists_count_from_zero(read):
    result = read("<ul><li>one thing<ul><li>deep thing</li></ul></li></ul>")
    assert [(e.text, e.category_depth) for e in result.elements] == [("one thing", 0), ("deep thing", 1)]


def test_code_keeps_its_lines(read):
    assert shown(read("<pre><code>a = 1\n  b = 2\n</code></pre>")) == [("CodeSnippet", "a = 1\n  b = 2")]


def test_entities_of_the_page_are_not_expanded(read):
    result = read('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><p>It is &e; here.</p>')
    assert "It is &e; here." in texts(result)[-1]


def test_depth_beyond_reason_is_warned_of(read):
    result = read("<p>It is shallow.</p>" + "<div>" * 5000 + "It is deep.")
    assert "It is deep." not in texts(result)
    assert "nested too deeply" in result.warnings[0]


def test_ids_are_equal_in_every_run_and_unlike_each_other(read):
    page = "<p>It is so.</p><p>It is so.</p>"
    first, second = (e.element_id for e in read(page).elements)
    assert [e.element_id for e in read(page).elements] == [first, second]
    assert first != second


def test_an_element_has_no_page_and_no_box(read):
    (found,) = read("<p>It is so.</p>").elements
    assert (found.page_number, found.boxes) == (None, ())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("é".encode(), "é"),
        (b"\xef\xbb\xbf\xc3\xa9", "é"),
        ("é".encode("utf-16"), "é"),
        (b"caf\xe9 \x93x\x94", "café “x”"),
        (b'<meta charset="iso-8859-1">\x93\xe9', '<meta charset="iso-8859-1">“é'),
        ('<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">港'.encode("shift_jis"), "港"),
        ("<meta charset=utf-16>é".encode(), "é"),
        ("<meta charset=no-such>é".encode(), "é"),
        ("éàü ".encode() + b"caf\xe9 \x80", "éàü café €"),
        ("<meta charset=iso-8859-1>é “x”".encode(), "é “x”"),
        ("Паром отходит в полдень, до весны.".encode("utf-16-le"), "до весны."),
        ("The ferry leaves at noon.".encode("utf-16-be"), "at noon."),
        ("Паром отходит в полдень, причал закрыт на ремонт до весны.".encode("koi8-r"), "до весны."),
        ("フェリーは正午に出発します。桟橋は閉鎖されました。".encode("shift_jis"), "桟橋は閉鎖されました。"),
        ("Prom odpływa w południe, a łódź jest żółta i biała.".encode("cp1250"), "żółta i biała."),
        (b"<?xml version='1.0' encoding='gb2312'?>" + "朱镕基".encode("gbk"), "朱镕基"),
    ],
)
def test_text_is_decoded_by_mark_by_charset_as_utf8_or_else_as_windows(content, expected):
    assert decode(content, declared_charset(content)).endswith(expected)


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b" \n", "empty"), (b"<p>a\0b", "binary")])
def test_a_file_without_text_is_broken(read, content, reason):
    with pytest.raises(BrokenError, match=reason):
        read(content)


def test_a_page_without_a_body_has_no_elements(read):
    assert read("<!-- nothing -->").elements == ()


def test_signs_to_click_on_are_no_text(read):
    edit = "<span class=e><span>[</span><a href='/e'>edit</a><span>]</span></span>"
    page = (
        f"<h2>History{edit}</h2><h3>Piers <a href='#piers'>\u00b6</a></h3><h3>Prices [EUR]</h3>"
        "<ol><li><a href='#r'>^</a> Harbour Gazette, 1911.</li></ol><p>It was built of stone <a href='#n1'>[1]</a>.</p>"
    )
    assert texts(read(page)) == [
        "History", "Piers", "Prices [EUR]", "Harbour Gazette, 1911.", "It was built of stone [1].",
    ]  # fmt: skip


def test_a_button_that_opens_text_is_read_and_one_that_does_something_is_not(read):
    text = "The ferry to the island leaves at noon, and again at six in the evening."
    opener = f"<h3><button aria-expanded='false'>When does it leave?</button></h3><div><p>{text}</p></div>"
    found = texts(read(f"<main>{opener}<button>Print</button><button aria-expanded='false'>Menu</button></main>"))
    assert found == ["When does it leave?", text]


@pytest.mark.parametrize("make", [*PAGES, *SITES], ids=lambda make: make.__name__)
def test_what_a_page_says_is_kept_and_what_stands_around_it_is_not(read, make):
    markup = page(make)
    content, around = shares(markup, "\n".join(texts(read(markup))))
    assert content >= 0.99
    assert around <= 0.02
