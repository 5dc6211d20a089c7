import contextlib
import random

import pytest

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.richtext import partition
from ingest.types import Source
from tests.one_content import STORY, drawing, write_rtf


@pytest.fixture
def read(tmp_path):
    def call(body, **options):
        path = tmp_path / "file.rtf"
        path.write_bytes(body if isinstance(body, bytes) else f"{{\\rtf1\\ansi\\ansicpg1252 {body}}}".encode("latin-1"))
        return partition(Source(id="s", path=path, format="rtf", size=1), PartitionOptions(**options))

    return call


def texts(result):
    return [e.text for e in result.elements]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"caf\'e9", "café"),
        (r"\u8364\'80 5", "€ 5"),
        (r"\u8364? 5", "€ 5"),
        (r"\uc2\u8364\'80\'81 5", "€ 5"),
        (r"{\uc0\u8364}5", "€5"),
        (r"\u-10179?\u-8704?", "😀"),
        (r"a\emdash b\~c\_d", "a—b c-d"),
        (r"{\revised\revdttm-2074015744 kept} words", "kept words"),
        (r"\{x\} \\ y", "{x} \\ y"),
        (r"{\fonttbl{\f1\fcharset204 Arial;}}\f1 \'cf\'f0\'e8\'ec", "Прим"),
        (r"{\fonttbl{\f1\fcharset128 Mincho;}}\f1 \'93\'fa\'96\'7b", "日本"),
    ],
)
def test_characters_are_read_however_they_are_written(read, written, meant):
    assert texts(read(written + r"\par")) == [meant]


@pytest.mark.parametrize(
    "hidden",
    [
        r"{\*\unknown Secret}",
        r"{\info{\title Secret}}",
        r"{\v Secret}",
        r"{\deleted Secret}",
        r"{\field{\*\fldinst TOC Secret}{\fldrslt Secret 3\par}}",
        r"{\annotation Secret}",
        r"{\*\bkmkstart Secret}",
    ],
)
def test_what_is_not_to_be_seen_is_left_out(read, hidden):
    assert texts(read(rf"It is {hidden}so.\par")) == ["It is so."]


def test_results_of_fields_are_read(read):
    assert texts(read(r'See {\field{\*\fldinst HYPERLINK "http://a"}{\fldrslt the pier}}.\par')) == ["See the pier."]


def test_headings_come_from_styles_and_outline_levels(read):
    styles = r"{\stylesheet{\s0 Normal;}{\s1\b heading 1;}{\s2 heading 2;}}"
    body = rf"{styles}\pard\s1 Part\par\pard\s2 Chapter\par\pard\outlinelevel2 Deep\par\pard It is so.\par"
    elements = read(body).elements
    assert [(e.category, e.category_depth) for e in elements] == [
        ("Title", 0),
        ("Title", 1),
        ("Title", 2),
        ("NarrativeText", None),
    ]
    assert elements[3].parent_id == elements[2].element_id


def test_list_items_are_nested_and_keep_their_numbers(read):
    first = r"\pard\ls1\ilvl0{\listtext 1.\tab}stone\par"
    second = r"\pard\ls1\ilvl1{\listtext\f3 \'b7\tab}mortar\par"
    elements = read(first + second).elements
    assert [(e.category, e.category_depth, e.text) for e in elements] == [
        ("ListItem", 0, "1. stone"),
        ("ListItem", 1, "mortar"),
    ]


def test_notes_follow_their_paragraph_and_headers_are_typed(read):
    result = read(r"{\header House rules\par}It is so{\footnote \pard It says more.\par}.\par It is last.\par")
    assert [(e.category, e.text) for e in result.elements] == [
        ("Header", "House rules"),
        ("NarrativeText", "It is so."),
        ("NarrativeText", "It says more."),
        ("NarrativeText", "It is last."),
    ]


def test_the_text_of_a_drawn_box_follows_its_paragraph(read):
    box = r"{\shp{\*\shpinst{\sp{\sn fFlip}{\sv 0}}{\shptxt \pard It is boxed.\par}}}"
    assert texts(read(rf"It is {box}out.\par")) == ["It is out.", "It is boxed."]


@pytest.mark.parametrize("form", ["hex", "bin"])
def test_a_picture_keeps_its_place_and_description(read, form):
    png = drawing()
    said = rb"{\*\picprop{\sp{\sn wzDescription}{\sv A lamp}}}"
    data = png.hex().encode() if form == "hex" else b"\\bin%d " % len(png) + png
    result = read(rb"{\rtf1 Before.\par{\*\shppict{\pict" + said + rb"\pngblip " + data + rb"}}\par After.\par}")
    assert [(e.category, e.text) for e in result.elements][1] == ("Image", "A lamp")
    assert texts(result)[::2] == ["Before.", "After."]
    assert result.elements[1].image_path in result.images


def test_without_images_there_are_none(read):
    result = read(rf"{{\pict\pngblip {drawing().hex()}}}It is so.\par", images="off")
    assert (texts(result), dict(result.images)) == (["It is so."], {})


def test_a_picture_of_an_unread_type_is_warned_of(read):
    result = read(r"{\pict\wmetafile8 0100}It is so.\par")
    assert result.warnings == ("a picture of a type that is not read, or too large",)


def test_a_nested_table_is_a_table_of_its_own(read):
    inner = (
        r"\pard\intbl\itap2 Name\nestcell Year\nestcell{\*\nesttableprops\trowd\cellx1500\cellx3000\nestrow}"
        r"\pard\intbl\itap2 Eider\nestcell 1999\nestcell{\*\nesttableprops\trowd\cellx1500\cellx3000\nestrow}"
    )
    rows = (
        r"\trowd\cellx2000\cellx5000\pard\intbl Pier\cell Boats\cell\row"
        rf"\trowd\cellx2000\cellx5000\pard\intbl North\cell {inner}\pard\intbl\itap1\cell\row\pard"
    )
    assert texts(read(rows)) == ["Pier Boats\nNorth", "Name Year\nEider 1999"]


def test_edges_that_lie_together_are_one_column(read):
    rows = (
        r"\trowd\cellx2000\cellx4000\pard\intbl a\cell b\cell\row"
        r"\trowd\cellx2010\cellx3995\pard\intbl c\cell d\cell\row\pard"
    )
    (table,) = read(rows).elements
    assert [(c.text, c.column, c.colspan) for c in table.cells] == [("a", 0, 1), ("b", 1, 1), ("c", 0, 1), ("d", 1, 1)]


def test_a_file_that_ends_early_says_so_and_keeps_what_is_there(read):
    result = read(rb"{\rtf1 It is first.\par{\b It is")
    assert texts(result) == ["It is first.", "It is"]
    assert result.warnings == ("the file ends early: what followed is lost",)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty file"), (b"text", "begin"), (b"{\\rtf1" + b"{" * 20_000, "nested too deep")]
)
def test_what_is_no_rich_text_is_broken(read, content, reason):
    with pytest.raises(BrokenError, match=reason):
        read(content)


def test_damage_anywhere_ends_in_elements_or_in_broken(read):
    good, chance = write_rtf(STORY), random.Random(7)
    head = good[:1500]
    for _ in range(60):
        bad = bytearray(head + good[-1800:])
        for _ in range(8):
            bad[chance.randrange(6, len(bad))] = chance.choice(b"{}\\0a -9\x00\xff")
        with contextlib.suppress(BrokenError):
            assert all(e.text or e.image_path for e in read(bytes(bad)).elements)
