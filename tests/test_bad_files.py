"""Files of every format made bad in the same ways: each ends in one clear state, and nothing leaves its bounds."""

import io
import random
import re
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError, SourceError
from ingest.partition import lacking, partition
from ingest.tables import MAX_COLUMNS, grid
from tests.one_content import STORY, WRITERS, Span, Table, archive, told, write_xlsx
from tests.outlook_file import compound_file

ARCHIVES = ("docx", "epub", "odt", "ods", "pptx", "xlsx")
MARKUP = ("eml", "epub", "html", "md", "mhtml")
READ = tuple(suffix for suffix in WRITERS if lacking(suffix) is None and suffix != "pdf")


@pytest.fixture
def read(tmp_path):
    """What a file of this name and content is read as, or the error that says why not."""

    def call(name, content):
        (tmp_path / "in").mkdir(exist_ok=True)
        path = tmp_path / "in" / name
        path.write_bytes(content)
        try:
            return partition(identify(str(path), max_bytes=10**8))
        except SourceError as exc:
            error = exc
        assert error.reason
        assert "\n" not in error.reason
        return error

    return call


def written(suffix):
    return WRITERS[suffix](told(suffix))


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def text_part(suffix, parts):
    """The member in which the token stands."""
    return next(name for name, content in parts.items() if b"zircon-4711" in content)


def said(result):
    return "\n".join(f"{e.text}\n{e.text_as_html or ''}" for e in result.elements)


# Archives.


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_bomb_is_refused_from_the_list_of_its_members(read, suffix):
    parts = members(written(suffix))
    found = read(f"a.{suffix}", archive({**parts, f"{text_part(suffix, parts)}.bak": bytes(60_000_000)}))
    assert isinstance(found, BrokenError)
    assert "far more than a document holds" in found.reason


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_member_that_is_larger_than_it_says_is_not_unpacked_further(read, suffix):
    parts = members(written(suffix))
    name = text_part(suffix, parts)
    whole = archive({**parts, name: parts[name] + b" " * 2_000_000})
    # Each place where the size stands: the local header and the list of members.
    size = (len(parts[name]) + 2_000_000).to_bytes(4, "little")
    found = read(f"a.{suffix}", whole.replace(size, (100).to_bytes(4, "little")))
    assert isinstance(found, BrokenError) or "could not be read" in found.warnings[0]


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_archive_is_broken(read, suffix, keep):
    content = written(suffix)
    found = read(f"a.{suffix}", content[: int(len(content) * keep)])
    assert isinstance(found, BrokenError)


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_names_that_lead_out_of_an_archive_lead_nowhere(read, suffix, tmp_path):
    evil = {"../../evil.txt": b"evil", "/evil.txt": b"evil", "..\\evil.txt": b"evil", f"{tmp_path}/evil.txt": b"evil"}
    plain = read(f"a.{suffix}", written(suffix))
    found = read(f"b.{suffix}", archive({**members(written(suffix)), **evil}))
    assert said(found) == said(plain)
    assert [path.name for path in tmp_path.rglob("*") if "evil" in path.name] == []


def with_entity(content, declaration):
    """XML with a document type, and the entity ``e`` before the token."""
    text = re.sub(rb"<!DOCTYPE[^>]*>", b"", content)
    start = re.match(rb"\s*(?:<\?xml[^>]*\?>)?", text).end()
    return text[:start] + b"<!DOCTYPE x [" + declaration + b"]>" + text[start:].replace(b"zircon", b"&e;zircon")


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_an_external_entity_is_not_read(read, suffix, tmp_path):
    (tmp_path / "secret").write_text("keyword-77")
    parts = members(written(suffix))
    name = text_part(suffix, parts)
    outside = f'<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">'.encode()
    found = read(f"a.{suffix}", archive({**parts, name: with_entity(parts[name], outside)}))
    assert isinstance(found, BrokenError) or "keyword-77" not in said(found)


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_entities_that_multiply_do_not(read, suffix):
    laughs = b'<!ENTITY a0 "hahaha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 20) for n in range(1, 9)
    )
    parts = members(written(suffix))
    name = text_part(suffix, parts)
    found = read(f"a.{suffix}", archive({**parts, name: with_entity(parts[name], laughs + b'<!ENTITY e "&a8;">')}))
    assert isinstance(found, BrokenError) or said(found).count("ha") < 10_000


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_member_that_needs_a_password_makes_an_encrypted_file(read, suffix):
    content = bytearray(written(suffix))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), bytes(content)):
            content[found.start() + place] |= 1
    assert isinstance(read(f"a.{suffix}", bytes(content)), EncryptedError | BrokenError)


@pytest.mark.parametrize("suffix", ["docx", "pptx", "xlsx"])
def test_an_office_file_with_a_password_says_so(read, suffix):
    sealed = compound_file({"EncryptedPackage": b"\x01" * 5000, "EncryptionInfo": b"\x02" * 200})
    found = read(f"a.{suffix}", sealed)
    assert isinstance(found, EncryptedError)
    assert "password" in found.reason


# Names and encodings.


@pytest.mark.parametrize("suffix", [*ARCHIVES, "pdf", "rtf", "msg"])
@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.csv", "a.docx", "a.jpg", "a"])
def test_a_file_by_another_name_is_read_as_what_it_is(tmp_path, suffix, name):
    (tmp_path / name).write_bytes(written(suffix))
    assert identify(str(tmp_path / name), max_bytes=10**8).format == suffix


@pytest.mark.parametrize("suffix", ["csv", "eml", "html", "md", "mhtml", "rst", "txt"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.encode("utf-8")[:-1] + b"\xff\xfe\x80", id="stray bytes at the end"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.encode("cp1252"), id="a false mark"),
        pytest.param(lambda text: text.encode("utf-16"), id="utf-16"),
        pytest.param(lambda text: text.encode("utf-8") + text.encode("cp1252"), id="two encodings"),
        pytest.param(lambda text: text.replace(" ", "\ufffd\u2028\x0b").encode(), id="odd spaces"),
    ],
)
def test_broken_encodings_lose_no_plain_word(read, suffix, damage):
    body = "Über the pier: zircon, été, naïve"
    if suffix in ("eml", "mhtml"):
        kind, sender = ("plain", "Jo") if suffix == "eml" else ("html", "<Saved by Blink>")
        head = f"From: {sender}\nSubject: a\nDate: x\nMIME-Version: 1.0\nContent-Type: text/{kind}; charset=utf-8\n\n"
        found = read(f"a.{suffix}", head.encode() + damage(body))
    else:
        found = read(f"a.{suffix}", damage("name,word\n" + body if suffix == "csv" else body))
    if suffix in ("eml", "mhtml") and damage(body).startswith(b"\xff\xfe"):
        assert isinstance(found, BrokenError)  # its fields say UTF-8
        return
    assert not isinstance(found, SourceError)
    assert "zircon" in said(found)


# Remote references.


@contextmanager
def listening():
    """A server's address, and the paths that were asked for."""
    asked = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


REMOTE = (
    '<link rel="stylesheet" href="{0}/a.css"><script src="{0}/a.js"></script><base href="{0}/">'
    '<img src="{0}/b.png" srcset="{0}/c.png 2x" alt="lamp"><iframe src="{0}/d"></iframe><object data="{0}/e"></object>'
    '<video src="{0}/f.mp4"></video><p style="background:url({0}/g.png)">zircon text of the page</p>'
    '<meta http-equiv="refresh" content="0;url={0}/h"><embed src="{0}/i"><img src="relative.png">'
)


@pytest.mark.parametrize("suffix", MARKUP)
def test_what_a_page_or_message_refers_to_is_not_fetched(read, suffix):
    with listening() as (address, asked):
        page = REMOTE.format(address)
        contents = {
            "html": f"<html><body>{page}</body></html>",
            "md": f"# Title\n\n{page}\n\n![lamp]({address}/j.png)\n",
            "eml": f"From: a@b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>{page}</p>",
            "mhtml": f"From: <Saved by Blink>\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>{page}</p>",
        }
        if suffix == "epub":
            parts = members(written("epub"))
            name = text_part("epub", parts)
            content = archive({**parts, name: parts[name].replace(b"</body>", page.encode() + b"</body>")})
        else:
            content = contents[suffix].encode()
        found = read(f"a.{suffix}", content)
    assert "zircon" in said(found)
    assert asked == []


@pytest.mark.parametrize("suffix", ["docx", "odt", "pptx"])
def test_what_an_office_file_links_to_is_not_fetched(read, suffix):
    with listening() as (address, asked):
        parts = members(written(suffix))
        for name, content in parts.items():
            if name.endswith(".rels"):
                far = re.sub(
                    rb'Target="[^"]*\.png"', f'Target="{address}/a.png" TargetMode="External"'.encode(), content
                )
                parts[name] = far
            elif name == "content.xml":
                parts[name] = content.replace(b"Pictures/lamp.png", f"{address}/a.png".encode())
        found = read(f"a.{suffix}", archive(parts))
    assert isinstance(found, BrokenError) or "zircon" in said(found)
    assert asked == []


# Spans.

HUGE = 200_000_000
WIDENED = {
    "docx": (rb'<w:gridSpan w:val="2"/>', b'<w:gridSpan w:val="%d"/>' % HUGE),
    "odt": (rb'number-columns-spanned="2"', b'number-columns-spanned="%d"' % HUGE),
    "ods": (rb'number-columns-spanned="2"', b'number-columns-spanned="%d"' % HUGE),
    "pptx": (rb'gridSpan="2"', b'gridSpan="%d"' % HUGE),
}


def wide(columns):
    """A story with a cell of so many columns in its table."""
    rows = ((Span("Pier", colspan=columns), Span("2024")), (Span("North"), Span("7"), Span("8")))
    return tuple(Table(rows=rows, head=1, columns=3) if isinstance(block, Table) else block for block in STORY)


@pytest.mark.parametrize("suffix", MARKUP)
def test_a_cell_over_two_hundred_million_columns_of_markup_costs_nothing(read, suffix):
    found = read(f"a.{suffix}", WRITERS[suffix](wide(HUGE)))
    [table] = [e for e in found.elements if e.category == "Table"]
    assert {"Pier", "North", "7", "8"} <= {cell.text for cell in table.cells}
    assert max(len(row) for row in grid(table.cells)) <= MAX_COLUMNS + 3


@pytest.mark.parametrize("suffix", WIDENED)
def test_a_cell_over_two_hundred_million_columns_of_an_office_file_costs_nothing(read, suffix):
    story = wide(2)[:6] if suffix == "ods" else wide(2)
    before = members(WRITERS[suffix](story))
    parts = {name: re.sub(*WIDENED[suffix], part) for name, part in before.items()}
    assert parts != before
    found = read(f"a.{suffix}", archive(parts))
    assert "Pier" in said(found)
    assert max(len(row) for e in found.elements if e.cells for row in grid(e.cells)) <= MAX_COLUMNS + 3


def test_a_merged_cell_over_a_whole_sheet_costs_nothing(read):
    parts = members(write_xlsx(wide(2)[:6]))
    name = next(n for n in parts if "worksheets/sheet" in n)
    assert b'ref="A5:B5"' in parts[name]
    parts[name] = parts[name].replace(b'ref="A5:B5"', b'ref="A5:XFD1048576"')
    found = read("a.xlsx", archive(parts))
    assert "Pier" in said(found)


# Damage of any kind.


@pytest.mark.parametrize("suffix", READ)
@pytest.mark.parametrize("seed", range(2))
def test_damage_anywhere_ends_in_elements_or_in_one_plain_reason(read, suffix, seed):
    chance = random.Random(f"{suffix}{seed}")
    content = bytearray(written(suffix))
    for _ in range(chance.choice((1, 5, 40))):
        place = chance.randrange(len(content))
        content[place : place + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(9))
    read(f"a.{suffix}", bytes(content))


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.parametrize("seed", range(2))
def test_damage_inside_of_an_archive_ends_in_elements_or_in_one_plain_reason(read, suffix, seed):
    chance = random.Random(f"{suffix}{seed}")
    parts = members(written(suffix))
    for name in chance.sample(sorted(parts), min(2, len(parts))):
        content = bytearray(parts[name])
        place = chance.randrange(max(len(content), 1))
        content[place : place + chance.randrange(40)] = chance.randbytes(chance.randrange(9))
        parts[name] = bytes(content)
    read(f"a.{suffix}", archive(parts))
