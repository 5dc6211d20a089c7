import io

import pytest
from PIL import Image

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.mail_msg import partition
from ingest.types import Source
from tests.outlook_file import message

SUBJECT, BODY, HTML, CLASS, FROM_NAME, FROM_ADDRESS, TO = 0x37, 0x1000, 0x1013, 0x1A, 0x0C1A, 0x0C1F, 0x0E04
NAME, DATA, MIME, CID = 0x3707, 0x3701, 0x370E, 0x3712
LETTER = {
    CLASS: "IPM.Note",
    SUBJECT: "Pier works – phase 2",
    BODY: "Dear Jo,\r\n\r\nThe pier is closed until Monday.\r\n",
    FROM_NAME: "Zoë Quay",
    FROM_ADDRESS: "zoe@example.org",
    TO: "Jo; Max",
}


@pytest.fixture
def read(tmp_path):
    def call(content: bytes):
        path = tmp_path / "letter.msg"
        path.write_bytes(content)
        return partition(Source(id="s", path=path, format="msg", size=1), PartitionOptions())

    return call


def png() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((90, 90), 50).save(out, "PNG")
    return out.getvalue()


def test_subject_fields_and_text_are_read(read):
    texts = [e.text for e in read(message(strings=LETTER)).elements]
    assert texts[0] == "Pier works – phase 2"
    assert "From: Zoë Quay <zoe@example.org>" in texts[1]
    assert "To: Jo" in texts[1]
    assert texts[2:] == ["Dear Jo,", "The pier is closed until Monday."]


def test_html_in_the_code_page_of_the_message_stands_in_for_a_missing_text(read):
    content = "<html><body><p>Die Fähre fährt nicht.</p></body></html>".encode("cp1252")
    found = read(message(strings={**LETTER, BODY: ""}, binaries={HTML: content}, numbers={0x3FDE: 1252}))
    assert found.elements[-1].text == "Die Fähre fährt nicht."


def test_what_is_attached_comes_back_as_members_and_pictures_of_the_text_as_images(read):
    found = read(
        message(
            strings={**LETTER, BODY: ""},
            binaries={HTML: b"<p>It looks like this.</p><img src='cid:pic1'>"},
            attachments=[
                ({NAME: "plan.csv", MIME: "text/csv"}, {DATA: b"a,b\n1,2\n" * 900}),
                ({NAME: "pier.png", MIME: "image/png", CID: "pic1"}, {DATA: png()}),
            ],
        )
    )
    assert found.members == (("plan.csv", b"a,b\n1,2\n" * 900),)
    assert [e.image_path for e in found.elements if e.category == "Image"] == list(found.images)
    assert found.images


def test_a_message_inside_the_message_is_told_of(read):
    found = read(message(strings=LETTER, attachments=[({0x3001: "Earlier letter"}, {})]))
    assert found.warnings == ("Earlier letter: could not be read from the message",)


def test_an_encrypted_message_says_so(read):
    with pytest.raises(EncryptedError):
        read(message(strings={**LETTER, CLASS: "IPM.Note.SMIME"}))


def test_a_cut_message_is_broken(read):
    with pytest.raises(BrokenError):
        read(message(strings=LETTER)[:1200])


def test_a_message_is_told_by_its_content(tmp_path):
    (tmp_path / "letter.bin").write_bytes(message(strings=LETTER))
    assert identify(str(tmp_path / "letter.bin"), max_bytes=10**6).format == "msg"
