import hashlib
import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from ingest import discover
from ingest.discover import identify, list_files, mount_points, roots_of, sniff
from ingest.errors import BrokenError, SourceError, UnavailableError, UnsupportedError
from ingest.library import Library

MEGABYTE = 2**20


def put(path: Path, data: bytes | str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def format_of(path: Path) -> str:
    return identify(str(path), max_bytes=MEGABYTE).format


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n\x00"


# What a file is.


@pytest.mark.parametrize(
    ("sample", "name", "found"),
    [
        ("report.pdf", "report.txt", "pdf"),
        ("report.pdf", "report", "pdf"),
        ("handbook.docx", "handbook.pdf", "docx"),
        ("handbook.docx", "handbook.zip", "docx"),
        ("notice.html", "notice.pdf", "html"),
        ("notice.html", "notice", "html"),
        ("faq.md", "faq.md", "md"),
        ("notes.txt", "notes.LOG", "txt"),
    ],
)
def test_the_content_and_not_the_name_tells_the_type(samples, tmp_path, sample, name, found):
    shutil.copy(samples / sample, tmp_path / name)
    assert format_of(tmp_path / name) == found


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
@pytest.mark.parametrize(
    "data", [b"Only a text.", b"\x00\x01\x02", b"PK\x03\x04 no archive", b"%PDF without a version"]
)
def test_a_file_that_is_not_what_its_name_says_is_broken(tmp_path, name, data):
    kind = name[2:].upper()
    with pytest.raises(BrokenError, match=f"^not a {kind} file despite its name$"):
        format_of(put(tmp_path / name, data))


@pytest.mark.parametrize("name", ["a.pdf", "a.md", "a.docx"])
def test_an_empty_file_of_a_type_that_is_read_is_broken(tmp_path, name):
    with pytest.raises(BrokenError, match=r"^empty file \(0 bytes\)$"):
        format_of(put(tmp_path / name, b""))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.xyz", b"a text", "not a type that is read (xyz)"),
        ("README", b"a text", "not a type that is read"),
        ("a.xyz", b"", "not a type that is read (xyz)"),
        ("a.zip", archive("a.txt"), "not a type that is read (zip)"),
        ("a.msi", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not a type that is read (msi)"),
        ("a.odt", archive("mimetype", "content.xml"), "not a type that is read (odt)"),
    ],
)
def test_other_types_are_named_and_not_read(tmp_path, name, data, reason):
    with pytest.raises(UnsupportedError) as caught:
        format_of(put(tmp_path / name, data))
    assert caught.value.reason == reason


def test_an_encrypted_docx_is_left_to_its_reader_to_tell(tmp_path):
    assert format_of(put(tmp_path / "a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))) == "docx"


@pytest.mark.parametrize(
    ("head", "suffix", "found"),
    [
        (b"junk before the mark\n" + PDF, ".pdf", "pdf"),
        (b"Such a file begins with %PDF-1.7 or so.", ".md", "md"),
        (b"Such a file begins with %PDF-1.7 or so.", ".txt", "txt"),
        ("\ufeffGrüße".encode("utf-16-le"), ".txt", "txt"),
        ("\ufeffGrüße".encode("utf-16-be"), ".md", "md"),
        ("Grüße".encode("latin-1"), ".txt", "txt"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>x", ".pdf", "html"),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "", "html"),
    ],
)
def test_a_mark_inside_a_text_and_byte_order_marks_are_understood(head, suffix, found):
    assert sniff(head, suffix) == found


@pytest.mark.parametrize("zip64", [False, True])
def test_an_archive_with_an_endless_list_of_members_is_not_listed(tmp_path, monkeypatch, zip64):
    data = bytearray(archive("word/document.xml"))
    if zip64:
        data[-22:-22] = b"PK\x06\x06" + bytes(36) + (2**30).to_bytes(8, "little") + bytes(8)
    else:
        data[-10:-6] = (2**30).to_bytes(4, "little")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was listed"))
    with pytest.raises(UnsupportedError, match="not a type that is read"):
        format_of(put(tmp_path / "a.docx", bytes(data)))


def test_the_id_is_the_sha256_of_all_bytes(tmp_path):
    found = identify(str(put(tmp_path / "a.txt", b"a" * 10_000)), max_bytes=MEGABYTE)
    assert found.id == "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711"
    assert found.size == 10_000


def test_a_file_above_the_cap_is_skipped_and_one_at_the_cap_is_read(tmp_path):
    path = put(tmp_path / "a.txt", b"a" * MEGABYTE)
    assert identify(str(path), max_bytes=MEGABYTE).size == MEGABYTE
    put(path, b"a" * (MEGABYTE + 1))
    with pytest.raises(UnsupportedError, match=r"^larger than 1 MB \(set PINCITE_MAX_FILE_MB to read it\)$"):
        identify(str(path), max_bytes=MEGABYTE)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link"])
def test_what_is_no_regular_file_is_never_opened(tmp_path, monkeypatch, kind):
    path = tmp_path / "a.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(put(tmp_path / "b.txt"))
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(UnsupportedError, match="not a regular file"):
        identify(str(path), max_bytes=MEGABYTE, follow=kind != "link")


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(tmp_path, monkeypatch):
    path, secret = put(tmp_path / "a.txt"), put(tmp_path / "secret.txt")
    real = os.stat

    def then_swapped(name, **options):
        found = real(name, **options)
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", then_swapped)
        with pytest.raises(SourceError, match="cannot be read"):
            identify(str(path), max_bytes=MEGABYTE, follow=False)
    assert path.is_symlink()
    assert identify(str(path), max_bytes=MEGABYTE).path == path


@pytest.mark.parametrize("times", [1, 3])
def test_a_file_that_is_written_to_while_it_is_read_is_read_again_or_left(tmp_path, monkeypatch, times):
    path = put(tmp_path / "a.txt", "one")
    real, texts = discover._digest, ["two", "three", "four"]

    def then_written(*args):
        found = real(*args)
        if len(texts) > 3 - times:
            path.write_text(texts.pop(0))
        return found

    monkeypatch.setattr(discover, "_digest", then_written)
    if times == 1:
        assert identify(str(path), max_bytes=MEGABYTE).size == len("two")
        assert identify(str(path), max_bytes=MEGABYTE).id == hashlib.sha256(b"two").hexdigest()
    else:
        with pytest.raises(UnavailableError, match="is being written"):
            identify(str(path), max_bytes=MEGABYTE)


def test_a_file_that_grows_beyond_the_cap_while_it_is_read_is_skipped(tmp_path, monkeypatch):
    path = put(tmp_path / "a.txt", b"a" * MEGABYTE)
    monkeypatch.setattr(discover, "sniff", lambda *_: pytest.fail("it was read to its end"))
    with discover._open_regular(str(path), follow=False) as file:
        before = os.fstat(file.fileno())
        monkeypatch.setattr(os, "fstat", lambda _: before)
        put(path, b"a" * (MEGABYTE + 1))
        with pytest.raises(UnsupportedError, match="larger than 1 MB"):
            discover._source_of(file, str(path), MEGABYTE)


def test_a_file_that_cannot_be_opened_says_why(tmp_path, monkeypatch):
    with pytest.raises(SourceError) as caught:
        format_of(tmp_path / "none.txt")
    assert caught.value.reason == "cannot be read: No such file or directory"

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(SourceError, match=r"^cannot be read: permission denied$"):
        format_of(put(tmp_path / "a.txt"))


# What lies under a root.


def test_hidden_files_links_and_pipes_are_left_out(tmp_path):
    put(tmp_path / "root/b.txt")
    put(tmp_path / "root/a/c.txt")
    put(tmp_path / "root/.hidden.txt")
    put(tmp_path / "root/.git/d.txt")
    put(tmp_path / "outside/e.txt")
    (tmp_path / "root/link.txt").symlink_to(tmp_path / "outside/e.txt")
    (tmp_path / "root/folder").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "root/pipe.txt")
    found = list_files(tmp_path / "root")
    assert found.files == (str(tmp_path / "root/a/c.txt"), str(tmp_path / "root/b.txt"))
    assert found.unreadable == ()


def test_links_are_followed_where_that_is_asked_for_and_each_folder_is_met_once(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    put(root / "a.txt")
    put(outside / "b.txt")
    Library(tmp_path / "library", create=True).close()
    (root / "round").symlink_to(root)
    (root / "also").symlink_to(outside)
    (root / "other").symlink_to(outside)
    (outside / "back").symlink_to(root)
    (root / "c.txt").symlink_to(outside / "b.txt")
    (root / "gone.txt").symlink_to(tmp_path / "none")
    (root / "self").symlink_to(root / "self")
    (root / "own").symlink_to(tmp_path / "library")
    found = list_files(root, library=tmp_path / "library", follow=True)
    assert [os.path.relpath(path, root) for path in found.files] == ["a.txt", "also/b.txt", "c.txt"]
    assert found.unreadable == ()


def test_a_folder_whose_path_is_too_long_is_told(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 250
    for _ in range(18):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    put(tmp_path / "a.txt")
    found = list_files(tmp_path)
    assert found.files == (str(tmp_path / "a.txt"),)
    assert len(found.unreadable) == 1


def test_the_library_is_left_out_by_whatever_name_it_is_reached(tmp_path):
    put(tmp_path / "root/a.txt")
    library = tmp_path / "root/library"
    put(library / "images/b.txt")
    (tmp_path / "link").symlink_to(tmp_path / "root")
    assert list_files(tmp_path / "root", library=library).files == (str(tmp_path / "root/a.txt"),)
    assert list_files(tmp_path / "link", library=library).files == (str(tmp_path / "link/a.txt"),)


def test_another_library_is_left_out_and_a_mere_database_is_not(tmp_path):
    Library(tmp_path / "root/library", create=True).close()
    put(tmp_path / "root/library/images/a.txt")
    put(tmp_path / "root/own/library.sqlite")
    assert list_files(tmp_path / "root").files == (str(tmp_path / "root/own/library.sqlite"),)


def test_a_root_that_is_a_file_lists_itself_even_hidden(tmp_path):
    path = put(tmp_path / ".notes.txt")
    assert list_files(path).files == (str(path),)


def test_a_missing_root_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list_files(tmp_path / "none")


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_listed(tmp_path, monkeypatch):
    put(tmp_path / "a/1.txt")
    put(tmp_path / "b/2.txt")
    scan = os.scandir

    def guarded(folder):
        if str(folder).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list_files(tmp_path)
    assert found.files == (str(tmp_path / "b/2.txt"),)
    assert found.unreadable == (str(tmp_path / "a"),)


def test_names_with_line_breaks_are_listed_and_read(tmp_path):
    put(tmp_path / "new\nline.txt")
    (found,) = list_files(tmp_path).files
    assert identify(found, max_bytes=MEGABYTE).path.name == "new\nline.txt"


def test_names_that_are_not_utf8_are_listed_and_read(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(raw, "wb") as file:  # noqa: PTH123 (a name of bytes)
        file.write(b"text")
    (found,) = list_files(tmp_path).files
    assert os.fsencode(found) == raw
    assert identify(found, max_bytes=MEGABYTE).format == "txt"


# Arguments.


def test_roots_are_absolute_each_once_without_links_above_them(tmp_path, monkeypatch):
    docs = put(tmp_path / "real/docs/a.txt").parent
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(docs)
    assert roots_of([".", docs, "../docs", tmp_path / "link/docs", ""]) == [docs]
    assert roots_of([".."]) == [tmp_path / "real"]
    assert roots_of([tmp_path / "link"]) == [tmp_path / "link"]
    assert roots_of(["none.txt"]) == [docs / "none.txt"]


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="the system does not tell what is mounted")
def test_what_is_mounted_is_known_by_its_place():
    assert {"/", "/proc"} <= mount_points()


def test_a_listing_tells_the_mounted_folders_below_its_root_alone(tmp_path, monkeypatch):
    (tmp_path / "share/inner").mkdir(parents=True)
    mounts = {str(tmp_path), str(tmp_path / "share"), str(tmp_path.parent), "/elsewhere"}
    monkeypatch.setattr("ingest.discover.mount_points", lambda: frozenset(mounts))
    assert list_files(tmp_path).mounts == (str(tmp_path / "share"),)
