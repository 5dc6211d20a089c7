"""Old Office files: with a program in LibreOffice's place that does what it is told, and with LibreOffice itself."""

import io
import shutil
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError, LimitError, UnsupportedError
from ingest.partition import partition
from ingest.partition.legacy import SECONDS
from tests.one_content import STORY, write_docx, write_rtf

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
REAL = shutil.which("soffice")


def old_file(path: Path, stream: str = "WordDocument", head: bytes = b"") -> Path:
    path.write_bytes(OLE + head.ljust(64, b"\0") + stream.encode("utf-16-le"))
    return path


def read(path):
    return partition(identify(str(path), max_bytes=10**7))


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program in the place of ``soffice``; its text is Python with ``out`` (a path) and ``args``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(text: str) -> None:
        lines = (
            f"#!{sys.executable}",
            "import sys, os, pathlib, subprocess",
            "args = sys.argv[1:]",
            "out = pathlib.Path(args[args.index('--outdir') + 1])",
            text,
        )
        (folder / "soffice").write_text("\n".join(lines))
        (folder / "soffice").chmod(stat.S_IRWXU)

    return put


def test_without_libreoffice_it_is_skipped_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsupportedError) as caught:
        identify(str(old_file(tmp_path / "a.doc")), max_bytes=10**7)
    assert caught.value.reason == (
        "an old .doc file: LibreOffice, which reads it, is not installed; "
        "install LibreOffice (its command soffice), or save the file as .docx"
    )


def test_what_libreoffice_makes_is_read_and_nothing_is_left_behind(tmp_path, program, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    (tmp_path / "made.docx").write_bytes(write_docx(STORY))
    program(f"out.mkdir(); (out / 'source.docx').write_bytes(open({str(tmp_path / 'made.docx')!r}, 'rb').read())")
    result = read(old_file(tmp_path / "a.doc"))
    assert result.elements[0].text == "Harbour works"
    assert list((tmp_path / "temp").iterdir()) == []


def test_it_runs_with_a_profile_of_its_own_without_macros_or_network(tmp_path, program):
    program(
        f"profile = next(a for a in args if a.startswith('-env:UserInstallation=file://'))[29:]\n"
        f"text = open(profile.removeprefix('//') + '/user/registrymodifications.xcu').read()\n"
        f"pathlib.Path({str(tmp_path / 'said')!r}).write_text(text)"
    )
    with pytest.raises(BrokenError, match=r"^broken doc: LibreOffice cannot read it$"):
        read(old_file(tmp_path / "a.doc"))
    said = (tmp_path / "said").read_text()
    assert "DisableMacrosExecution" in said
    assert "ooInetHTTPProxyName" in said


def test_one_that_takes_too_long_is_ended_with_what_it_started(tmp_path, program, monkeypatch):
    monkeypatch.setattr("ingest.partition.legacy.SECONDS", 1.5)
    mark = tmp_path / "child"
    program(
        f"child = subprocess.Popen(['/bin/sleep', '600']); pathlib.Path({str(mark)!r}).write_text(str(child.pid))\n"
        "child.wait()"
    )
    assert SECONDS > 1.5
    with pytest.raises(LimitError, match="LibreOffice took too long"):
        read(old_file(tmp_path / "a.doc"))
    state = Path(f"/proc/{mark.read_text()}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


@pytest.mark.parametrize(
    ("name", "stream", "head"),
    [("a.doc", "EncryptedPackage", b""), ("a.doc", "WordDocument", b"\xec\xa5" + bytes(8) + b"\x00\x01")],
)
def test_a_file_with_a_password_is_encrypted(tmp_path, program, name, stream, head):
    program("")
    with pytest.raises(EncryptedError, match=r"^encrypted: needs a password"):
        read(old_file(tmp_path / name, stream, head))


@pytest.mark.parametrize(
    ("stream", "name", "found"),
    [
        ("WordDocument", "a.docx", "doc"),
        ("PowerPoint Document", "a.doc", "ppt"),
        ("Workbook", "a.bin", "xls"),
        ("EncryptedPackage", "a.bin", "docx"),
    ],
)
def test_streams_and_not_names_tell_old_files_apart(tmp_path, program, stream, name, found):
    program("")
    assert identify(str(old_file(tmp_path / name, stream)), max_bytes=10**6).format == found


def test_a_sheet_with_a_document_in_it_is_a_sheet(tmp_path, program):
    program("")
    both = OLE + "WordDocument".encode("utf-16-le") + "Workbook".encode("utf-16-le")
    (tmp_path / "a.xls").write_bytes(both)
    assert identify(str(tmp_path / "a.xls"), max_bytes=10**6).format == "xls"


def test_a_doc_that_is_rich_text_html_or_docx_is_read_as_that(tmp_path):
    contents = {"rtf": write_rtf(STORY), "docx": write_docx(STORY), "html": b"<html><body><h1>Harbour works</h1>"}
    for form, content in contents.items():
        path = tmp_path / f"{form}.doc"
        path.write_bytes(content)
        assert identify(str(path), max_bytes=10**7).format == form
        assert read(path).elements[0].text == "Harbour works"


# LibreOffice itself.


@pytest.fixture
def old_word(tmp_path):
    """Makes an old Word file of a new one, with LibreOffice."""
    if REAL is None:
        pytest.skip("LibreOffice is not installed")

    def make(content: bytes) -> Path:
        (tmp_path / "story.docx").write_bytes(content)
        profile = (tmp_path / "profile").as_uri()
        command = [REAL, "--headless", f"-env:UserInstallation={profile}", "--convert-to", "doc", "story.docx"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return tmp_path / "story.doc"

    return make


def test_libreoffice_itself_gives_text_and_headings(old_word):
    elements = read(old_word(write_docx(STORY))).elements
    assert [e.text for e in elements if e.category == "Title"] == [
        "Harbour works",
        "Costs of the piers",
        "Outlook for the lighthouse",
    ]
    assert "zircon-4711" in elements[1].text


def test_libreoffice_itself_fetches_nothing(old_word):
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815 (names of the library)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = old_word(with_linked_picture(f"http://127.0.0.1:{server.server_port}/a.png"))
        assert asked, "a LibreOffice without our settings was expected to ask"
        asked.clear()
        read(path)
        server.shutdown()
    assert asked == []


def with_linked_picture(address: str) -> bytes:
    document = docx.Document(io.BytesIO(write_docx(STORY)))
    (blip,) = document.element.body.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}blip")
    del blip.attrib[qn("r:embed")]
    blip.set(qn("r:link"), document.part.relate_to(address, RELATIONSHIP_TYPE.IMAGE, is_external=True))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
