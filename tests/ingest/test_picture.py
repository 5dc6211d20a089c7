"""Picture files: their frames, colours and orientation, and those that are no pictures. OCR itself has its own test."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ingest import ocr
from ingest.errors import BrokenError
from ingest.ocr import OcrLine
from ingest.partition import PartitionOptions
from ingest.partition import picture as module
from ingest.partition.picture import partition
from ingest.types import Partition, Source, Word

RED, BLUE = (220, 20, 20), (20, 20, 220)
ORIENTATION = 0x0112
SAID = Word("SAILINGS", (12.0, 8.0, 60.0, 20.0))


@pytest.fixture
def seen(monkeypatch) -> list[Image.Image]:
    """The frames that reach OCR, which finds one line in each."""
    frames: list[Image.Image] = []

    def read_lines(image: Image.Image, *, scale: float = 1.0) -> list[OcrLine]:
        frames.append(image)
        return [OcrLine(text=SAID.text, box=SAID.box, confidence=0.93, words=(SAID,))]

    monkeypatch.setattr(ocr, "read_lines", read_lines)
    return frames


@pytest.fixture
def read(tmp_path, seen) -> Callable[..., Partition]:
    """Reads the bytes of a picture file."""

    def write_and_read(data: bytes, **options) -> Partition:
        path = tmp_path / "picture"
        path.write_bytes(data)
        source = Source(id=hashlib.sha256(data).hexdigest(), path=path, format="image", size=len(data))
        return partition(source, PartitionOptions(**options))

    return write_and_read


def halves(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", size, RED)
    ImageDraw.Draw(image).rectangle((0, size[1] // 2, size[0], size[1]), fill=BLUE)
    return image.convert(mode)


def saved(image: Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def close(colour: tuple[int, int, int], tolerance: int = 40):
    return pytest.approx(colour, abs=tolerance)


def test_a_png_is_one_page_with_one_picture_and_its_text(read):
    found = read(saved(halves(), "PNG"))
    (element,), (page,) = found.elements, found.pages
    assert (element.category, element.text, element.page_number) == ("Image", "SAILINGS", 1)
    assert element.boxes[0].box == (0.0, 0.0, 120.0, 80.0)
    assert element.confidence == 0.93
    assert (page.width, page.height, page.tier, page.words) == (120, 80, "ocr", (SAID,))
    assert Image.open(io.BytesIO(found.images[element.image_path or ""])).size == (120, 80)
    assert found.warnings == ()


def test_without_images_the_text_is_read_and_no_picture_kept(read):
    found = read(saved(halves(), "PNG"), images="off")
    assert (found.images, found.elements[0].image_path, found.elements[0].text) == ({}, None, "SAILINGS")


def test_a_jpeg_is_turned_as_its_orientation_says(read, seen):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn a quarter clockwise to see it upright: what was above is then at the right
    found = read(saved(halves(), "JPEG", exif=exif, quality=95))
    assert (found.pages[0].width, found.pages[0].height) == (80, 120)
    assert found.elements[0].boxes[0].box == (0.0, 0.0, 80.0, 120.0)
    assert seen[0].getpixel((70, 60)) == close(RED)
    assert seen[0].getpixel((10, 60)) == close(BLUE)
    stored = Image.open(io.BytesIO(found.images[found.elements[0].image_path or ""]))
    assert stored.size == (80, 120)


def a_tiff() -> bytes:
    frames = [halves((100 + 10 * i, 80)) for i in range(3)]
    return saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])


def test_a_frame_of_a_tiff_is_a_page(read):
    found = read(a_tiff())
    assert [e.page_number for e in found.elements] == [1, 2, 3]
    assert [p.width for p in found.pages] == [100, 110, 120]
    assert len({e.element_id for e in found.elements}) == 3
    assert len(found.images) == 3


def test_only_the_frames_asked_for_are_read(read, seen):
    found = read(a_tiff(), pages=(2,))
    assert [e.page_number for e in found.elements] == [2]
    assert [f.width for f in seen] == [110]


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_of_a_moving_picture_the_first_frame_is_read(read, form):
    frames = [halves(), halves().rotate(180), Image.new("RGB", (120, 80), "green")]
    found = read(saved(frames[0], form, save_all=True, append_images=frames[1:]))
    assert len(found.elements) == 1


@pytest.mark.parametrize(("mode", "form"), [("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG")])
def test_what_is_transparent_is_white(read, seen, mode, form):
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 49, 99), fill=(0, 0, 0, 255))
    read(saved(image.convert(mode), form))
    assert seen[0].mode == "RGB"
    assert seen[0].getpixel((75, 50)) == (255, 255, 255)
    assert seen[0].getpixel((25, 50)) == (0, 0, 0)


def test_cmyk_keeps_its_colours(read, seen):
    read(saved(halves(mode="CMYK"), "JPEG", quality=95))
    assert seen[0].mode == "RGB"
    assert seen[0].getpixel((60, 10)) == close(RED, 60)
    assert seen[0].getpixel((60, 70)) == close(BLUE, 60)


def test_sixteen_bits_of_grey_are_not_all_white(read, seen):
    grey = np.full((80, 120), 20_000, dtype=np.uint16)
    grey[40:] = 60_000
    read(saved(Image.fromarray(grey), "TIFF"))
    assert seen[0].getpixel((60, 10)) == close((78, 78, 78), 3)
    assert seen[0].getpixel((60, 70)) == close((234, 234, 234), 3)


def test_a_blank_picture_is_not_given_to_ocr_and_says_so(read, seen):
    found = read(saved(Image.new("RGB", (100, 100), "white"), "PNG"))
    assert seen == []
    assert (found.elements[0].text, found.elements[0].confidence, found.images) == ("", 0.0, {})
    assert found.warnings == ("page 1: OCR found no text",)


def png_that_claims(width: int, height: int) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0" * 64)) + part(b"IEND", b"")


@pytest.mark.parametrize("size", [(11_000, 11_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_its_pixels_are_read(read, seen, monkeypatch, size):
    def refuse(self, *args):
        raise AssertionError("its pixels were read")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", refuse)
    with pytest.raises(BrokenError, match="too large a picture"):
        read(png_that_claims(*size))
    assert seen == []


def test_a_large_picture_within_the_limit_is_no_bomb(read, monkeypatch):
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 5000)  # Pillow warns above this and refuses above its double
    assert read(saved(halves((100, 80)), "PNG")).elements


def test_a_later_frame_that_is_too_large_is_refused_too(read, monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 115 * 80)
    with pytest.raises(BrokenError, match="too large"):
        read(a_tiff())


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "GIF", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_a_picture_that_breaks_off_is_named_broken(read, form, share):
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    data = saved(noise, form)
    with pytest.raises(BrokenError, match="broken picture"):
        read(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_what_is_no_picture_is_named_broken(read, data):
    with pytest.raises(BrokenError, match="broken picture"):
        read(data)


def test_a_file_that_vanished_is_named_broken():
    gone = Source(id="gone", path=Path("/nowhere/gone.png"), format="image", size=1)
    with pytest.raises(BrokenError):
        partition(gone, PartitionOptions())
