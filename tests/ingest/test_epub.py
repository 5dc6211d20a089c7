import pytest

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.epub import partition
from ingest.types import Source
from tests.one_content import archive, drawing

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf"/></rootfiles></container>'
)


def package(*names, more=""):
    items = "".join(f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in names)
    spine = "".join(f'<itemref idref="{n}"/>' for n in names)
    return f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}{more}</manifest><spine>{spine}</spine></package>'


def page(body):
    return f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{body}</body></html>'


@pytest.fixture
def read(tmp_path):
    def call(parts, *, opf=None, **options):
        path = tmp_path / "book.epub"
        opf = package(*(n for n in parts if n.endswith(".xhtml"))) if opf is None else opf
        path.write_bytes(archive({"META-INF/container.xml": CONTAINER, "book.opf": opf, **parts}))
        return partition(Source(id="s", path=path, format="epub", size=1), PartitionOptions(**options))

    return call


def test_chapters_come_in_the_order_of_the_spine(read):
    parts = {"b.xhtml": page("<p>It is the second.</p>"), "a.xhtml": page("<p>It is the first.</p>")}
    result = read(parts, opf=package("a.xhtml", "b.xhtml"))
    assert [e.text for e in result.elements] == ["It is the first.", "It is the second."]
    assert len({e.element_id for e in result.elements}) == 2


@pytest.mark.parametrize("kind", ["nav", "ncx"])
def test_a_chapter_without_a_heading_is_named_by_the_table_of_contents(read, kind):
    if kind == "nav":
        name, toc = "nav.html", page('<nav><ol><li><a href="a.xhtml#x">The pier</a></li></ol></nav>')
        item = f'<item id="toc" href="{name}" media-type="application/xhtml+xml" properties="nav"/>'
    else:
        name = "toc.ncx"
        point = '<navPoint><navLabel><text>The pier</text></navLabel><content src="a.xhtml"/></navPoint>'
        toc = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{point}</navMap></ncx>'
        item = f'<item id="toc" href="{name}" media-type="application/x-dtbncx+xml"/>'
    result = read({"a.xhtml": page("<p>It is so.</p>"), name: toc}, opf=package("a.xhtml", more=item))
    title, text = result.elements
    assert (title.category, title.text, text.parent_id) == ("Title", "The pier", title.element_id)


def test_a_text_that_goes_on_in_the_next_file_stays_under_its_heading(read):
    result = read({"a.xhtml": page("<h1>Piers</h1><p>It is so.</p>"), "b.xhtml": page("<p>It goes on like that.</p>")})
    assert result.elements[2].parent_id == result.elements[0].element_id


def test_pictures_of_the_book_are_kept_and_others_not_fetched(read):
    pictures = (
        '<img src="im%20g/a.png" alt="A lamp"/><img src="http://192.0.2.1/b.png" alt="A far one"/>'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<image xlink:href="im g/a.png"/></svg><img src="../../../etc/passwd"/>'
    )
    result = read({"a.xhtml": page(f"<div>{pictures}</div>"), "im g/a.png": drawing()})
    kept = [(e.text, e.image_path in result.images) for e in result.elements if e.category == "Image"]
    assert kept == [("A lamp", True), ("A far one", False), ("", True)]


def test_a_drawing_of_the_book_gives_its_words(read):
    drawn = b'<svg xmlns="http://www.w3.org/2000/svg"><text>Depth of the dock</text></svg>'
    result = read({"a.xhtml": page('<div><img src="a.svg" alt="Dock"/></div>'), "a.svg": drawn})
    assert [(e.category, e.text) for e in result.elements] == [("Image", "Dock Depth of the dock")]


def test_notes_in_asides_are_kept_and_named_characters_read(read):
    result = read({"a.xhtml": page("<p>It is so&nbsp;here.</p><aside><p>It says more &amp; more.</p></aside>")})
    assert [e.text for e in result.elements] == ["It is so here.", "It says more & more."]


def test_a_missing_chapter_is_named_and_the_others_are_read(read):
    result = read({"a.xhtml": page("<p>It is so.</p>")}, opf=package("a.xhtml", "gone.xhtml"))
    assert [e.text for e in result.elements] == ["It is so."]
    assert result.warnings == ("gone.xhtml: could not be read",)


def test_entities_are_not_expanded(read):
    doctype = '<!DOCTYPE html [<!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY a "boom">]>'
    result = read({"a.xhtml": doctype + page("<p>It is so. &f;&a;</p>").partition("?>")[2]})
    assert [e.text for e in result.elements] == ["It is so. &f;&a;"]


def test_a_protected_book_is_encrypted_and_one_with_protected_fonts_is_not(read):
    lock = '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:CipherReference URI="{}"/></encryption>'
    parts = {"a.xhtml": page("<p>It is so.</p>"), "META-INF/encryption.xml": lock.format("a.xhtml")}
    with pytest.raises(EncryptedError, match=r"^encrypted: "):
        read(parts)
    assert read({**parts, "META-INF/encryption.xml": lock.format("a.otf")}).elements


@pytest.mark.parametrize(
    ("parts", "opf", "reason"),
    [
        ({"META-INF/container.xml": "<x/>"}, "", "list of contents is missing"),
        ({}, package("gone.xhtml"), "none of its chapters"),
        ({}, "<package", "broken epub"),
    ],
)
def test_a_book_without_its_parts_is_broken(read, parts, opf, reason):
    with pytest.raises(BrokenError, match=reason):
        read(parts, opf=opf)
