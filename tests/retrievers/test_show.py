import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.errors import SourceError, UsageError
from ingest.library import Library
from ingest.partition import PartitionOptions, partition
from ingest.render import SCALE
from ingest.types import BoundingBox, PageBox, Source
from retrievers.citations import cite
from retrievers.show import MARGIN, show
from tests.retrievers.made import lay_out, page, paragraph, put, title
from tests.retrievers.test_citations import hit_of

LINES = ("Fares rose twice in one year.", "Dogs travel free of charge.")


def write_pdf(path: Path, *pages: tuple[str, ...]) -> None:
    """A PDF with one text line every 20 points from 100 points below the top, at 72 points from the left."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = "".join(f"BT /F1 12 Tf 72 {742 - 20 * n} Td ({line}) Tj ET\n" for n, line in enumerate(lines)).encode()
        objects.append(b"<</Length %d>>stream\n%sendstream" % (len(shown), shown))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % len(objects)
        )
        kids.append(len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % k for k in kids))
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    path.write_bytes(out.getvalue())


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        yield opened


@pytest.fixture
def pdf(tmp_path) -> Path:
    path = tmp_path / "fares.pdf"
    write_pdf(path, LINES)
    return path


def put_pdf(library: Library, path: Path) -> str:
    data = path.read_bytes()
    source = Source(id=hashlib.sha256(data).hexdigest(), path=path, format="pdf", size=len(data))
    found = partition(source, PartitionOptions(images="off"))
    return put(library, path.name, found.elements, found.pages, original=path, kind="pdf")


def cited(library: Library, source_id: str, quote: str):
    (chunk,) = [c for c in library.chunks_of(source_id) if quote in c.text]
    start = chunk.text.index(quote)
    return cite(library, hit_of(chunk), start, start + len(quote), 1)


def drawn(library: Library, wanted: str) -> Image.Image:
    return Image.open(io.BytesIO(show(library, wanted))).convert("RGB")


def pixels(picture: Image.Image, box: tuple[float, float, float, float]) -> np.ndarray:
    """A region's pixels, one a row; the region in pixels."""
    return np.asarray(picture.crop(tuple(map(round, box)))).reshape(-1, 3)


def share_marked(picture: Image.Image, box: tuple[float, float, float, float]) -> float:
    """Share of a region's pixels that have the marker's colour."""
    red, green, blue = pixels(picture, box).T
    return float(np.mean((red > 200) & (green > 180) & (blue < 190)))


def on_crop(box: BoundingBox, marked: BoundingBox) -> tuple[float, float, float, float]:
    """Where a box stands on the crop around ``marked``, in pixels."""
    left, top = max(0.0, marked[0] - MARGIN), max(0.0, marked[1] - MARGIN)
    return (box[0] - left) * SCALE, (box[1] - top) * SCALE, (box[2] - left) * SCALE, (box[3] - top) * SCALE


def test_the_crop_shows_the_quote_marked_and_its_surroundings_not(library, pdf):
    citation = cited(library, put_pdf(library, pdf), "rose twice")
    picture = drawn(library, citation.citation_id)
    box = citation.box
    assert box is not None
    assert picture.width == pytest.approx((box[2] - box[0] + 2 * MARGIN) * SCALE, abs=3)
    assert picture.height == pytest.approx((box[3] - box[1] + 2 * MARGIN) * SCALE, abs=3)
    place = on_crop(box, box)
    assert share_marked(picture, place) > 0.5
    beside = place[2] + 6, place[1], picture.width, place[3]
    assert share_marked(picture, beside) == 0
    assert pixels(picture, beside).min() < 60, "the words after the quote are not shown"


def test_the_whole_chunk_is_marked_by_its_id_and_the_element_by_its_own(library, pdf):
    source_id = put_pdf(library, pdf)
    (chunk,) = library.chunks_of(source_id)
    by_chunk, by_element = drawn(library, chunk.chunk_id), drawn(library, chunk.element_ids[0])
    whole = chunk.boxes[0].box
    assert share_marked(by_chunk, on_crop(whole, whole)) > 0.5
    own = library.elements(chunk.element_ids)[0].boxes[0].box
    assert share_marked(by_element, on_crop(own, own)) > 0.5


def test_of_a_quote_across_a_page_break_the_page_with_most_of_it_is_drawn(library, tmp_path):
    path = tmp_path / "two.pdf"
    write_pdf(path, ("Fares",), ("rose twice in one year.",))
    words = lay_out("Fares"), lay_out("rose twice in one year.")
    parts = [
        paragraph("Fares", PageBox(page=1, box=(72.0, 700.0, 100.0, 712.0))),
        paragraph("rose twice in one year.", PageBox(page=2, box=(72.0, 90.0, 300.0, 112.0))),
    ]
    moved = words[0][0]._replace(box=(72.0, 700.0, 100.0, 712.0))
    source_id = put(library, "two.pdf", parts, [page(1, moved), page(2, *words[1])], original=path, kind="pdf")
    (chunk,) = library.chunks_of(source_id)
    citation = cite(library, hit_of(chunk), 0, len(chunk.text), 1)
    picture = drawn(library, citation.citation_id)
    assert citation.page == 2
    assert citation.box is not None
    assert share_marked(picture, on_crop(citation.box, citation.box)) > 0.5


def test_a_picture_is_shown_whole_with_its_words_marked(library, tmp_path):
    path = tmp_path / "sign.png"
    Image.new("RGB", (400, 200), "white").save(path)
    words = lay_out("No dogs")
    parts = [paragraph("No dogs", PageBox(page=1, box=(70.0, 98.0, 120.0, 112.0)))]
    source_id = put(library, "sign.png", parts, [page(1, *words)], original=path, kind="image")
    citation = cited(library, source_id, "dogs")
    picture = drawn(library, citation.citation_id)
    assert picture.size == (400, 200)
    assert share_marked(picture, words[1].box) == 1
    assert share_marked(picture, words[0].box) < 0.2


def test_an_original_that_has_changed_or_is_gone_is_not_drawn(library, pdf):
    citation = cited(library, put_pdf(library, pdf), "rose twice")
    pdf.write_bytes(pdf.read_bytes() + b"\n")
    with pytest.raises(SourceError, match=r"fares\.pdf: the original has changed since it was ingested"):
        show(library, citation.citation_id)
    pdf.unlink()
    with pytest.raises(SourceError, match=r"fares\.pdf: the original is gone; its stored text is still citable"):
        show(library, citation.citation_id)


def test_for_a_document_without_pages_it_is_said_where_to_look(library):
    source_id = put(library, "faq.md", [title("Fares"), paragraph("Children under 7 travel free.")])
    chunk = library.chunks_of(source_id)[0]
    start = chunk.text.index("Children")
    with pytest.raises(SourceError) as raised:
        show(library, f"{chunk.chunk_id}-{start}-{len(chunk.text)}")
    assert str(raised.value) == (
        'faq.md has no pages to draw: open it and look for "Children under 7 travel free." under Fares'
    )
    with pytest.raises(SourceError, match=r"look for \"(Fares )?Children under 7 travel free\.\""):
        show(library, chunk.chunk_id)


@pytest.mark.parametrize("wanted", ["nothing", "nothing-0-5", ""])
def test_an_unknown_id_is_named(library, wanted):
    with pytest.raises(UsageError, match=f"has the id {wanted}"):
        show(library, wanted)
