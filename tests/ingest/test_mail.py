import base64
import io
import quopri
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from PIL import Image

from ingest.discover import identify, sniff
from ingest.errors import BrokenError, EncryptedError, UnsupportedError
from ingest.partition import PartitionOptions, mail
from ingest.partition.mail import partition
from ingest.types import Source
from tests.expected import SECOND

PDF = b"%PDF-1.4 any"


def read_path(path, **options):
    return partition(Source(id="s", path=path, format="eml", size=1), PartitionOptions(**options))


@pytest.fixture
def read(tmp_path):
    def call(content: bytes | str | EmailMessage, **options):
        content = content.as_bytes(policy=SMTP) if isinstance(content, EmailMessage) else content
        (tmp_path / "file.eml").write_bytes(content.encode() if isinstance(content, str) else content)
        return read_path(tmp_path / "file.eml", **options)

    return call


@pytest.fixture
def letter():
    message = EmailMessage()
    message["From"] = "Ada <ada@halvane.example>"
    message["Subject"] = "Ramp"
    return message


def picture(kind="PNG", size=(80, 60)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 50).save(out, kind)
    return out.getvalue()


def shown(result):
    return [(e.category, e.text) for e in result.elements]


def body(result):
    """The texts below the subject and the header fields."""
    return [e.text for e in result.elements[2:]]


def names(result):
    return [name for name, _ in result.members]


# The sample.


@pytest.fixture(scope="module")
def sample(samples):
    return read_path(samples / "mail.eml")


def test_the_sample_has_what_it_must_have_and_nothing_else(sample):
    (expected,) = (e for e in SECOND if e.file == "mail.eml")
    found = [e.text for e in sample.elements]
    assert [t.text for t in expected.must_have if not any(t.text in text for text in found)] == []
    assert [t for t in expected.must_not_have if any(t in text for text in found)] == []


def test_the_sample_has_its_subject_and_header_fields_first(sample):
    subject, fields, *rest = sample.elements
    assert (subject.category, subject.text) == ("Title", "Second battery ferry: quotation Q-2025-077")
    assert fields.category == "NarrativeText"
    assert fields.text == (
        "From: Aldo Verrin <a.verrin@nordhull.example>; To: Oswin Brae <o.brae@halvane.example>; "
        "Cc: Petra Quillon <p.quillon@halvane.example>; Date: Tue, 27 May 2025 10:42:00 +0200; "
        "Attachments: quotation.pdf"
    )
    assert {e.parent_id for e in (fields, *rest)} == {subject.element_id}
    assert "Title" not in {e.category for e in rest}


def test_the_text_of_the_sample_is_read_once_although_it_stands_there_twice(sample):
    assert sum("vacuum mooring" in e.text for e in sample.elements) == 1


def test_the_quotation_of_the_sample_is_a_member(sample):
    ((name, content),) = sample.members
    assert name == "quotation.pdf"
    assert content.startswith(b"%PDF-")
    assert b"%%EOF" in content[-20:]


def test_the_sample_is_told_from_its_name_and_content(samples):
    assert identify(str(samples / "mail.eml"), max_bytes=10**7).format == "eml"


# Text.


@pytest.mark.parametrize("encode", [base64.encodebytes, quopri.encodestring, bytes])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15", "utf-16"])
def test_the_text_is_decoded(read, letter, charset, encode):
    names = {base64.encodebytes: "base64", quopri.encodestring: "quoted-printable", bytes: "8bit"}
    letter["Content-Type"] = f'text/plain; charset="{charset}"'
    letter["Content-Transfer-Encoding"] = names[encode]
    content = "Die Fähre kostet 5 € für uns alle.".encode(charset)
    assert body(read(letter.as_bytes() + encode(content))) == ["Die Fähre kostet 5 € für uns alle."]


@pytest.mark.parametrize(("named", "real"), [("us-ascii", "utf-8"), ("iso-8859-1", "cp1252"), ("no-such", "cp1252")])
def test_a_charset_that_does_not_fit_is_not_believed(read, named, real):
    head = f"From: a@x.example\nSubject: S\nContent-Type: text/plain; charset={named}\n\n"
    assert body(read(head.encode() + "Grüße für 5 €".encode(real))) == ["Grüße für 5 €"]


def test_header_fields_are_decoded_and_on_one_line(read):
    result = read(
        "Subject: =?utf-8?q?F=C3=A4hre?=\n =?utf-8?q?_neu?=\nFrom: =?utf-8?b?w5hsYQ==?= <o@x.example>\n\nHi all."
    )
    assert shown(result)[:2] == [("Title", "Fähre neu"), ("NarrativeText", "From: Øla <o@x.example>")]


def test_a_message_without_a_subject_has_no_title(read):
    assert shown(read("From: a@x.example\n\nThe ramp is open again.")) == [
        ("NarrativeText", "From: a@x.example"),
        ("NarrativeText", "The ramp is open again."),
    ]


def test_marks_of_quotation_are_taken_off_and_items_are_list_items(read):
    result = read(
        "From: a@x.example\nSubject: S\n\n> > The ramp is shut\n> > until May.\n>\n> - one thing\n\nIt is new.\n"
    )
    assert body(result) == ["The ramp is shut", "until May.", "one thing", "It is new."]
    assert result.elements[4].category == "ListItem"


def test_flowed_lines_are_joined(read):
    head = "From: a@x.example\nSubject: S\nContent-Type: text/plain; format=flowed\n\n"
    lines = "The ramp is open \nagain since May.\n"
    assert body(read(f"{head}{lines * 20}")) == ["The ramp is open again since May."] * 20


def test_html_alone_is_read_as_a_page_below_the_subject(read, letter):
    letter.set_content(
        "<h1>Ramp</h1><h2>Costs</h2><table><tr><th>Item</th></tr><tr><td>Hose</td></tr></table>", subtype="html"
    )
    subject, _, first, second, table = read(letter).elements
    assert [(e.category, e.text, e.category_depth) for e in (first, second)] == [
        ("Title", "Ramp", 1),
        ("Title", "Costs", 2),
    ]
    assert (first.parent_id, table.parent_id) == (subject.element_id, second.element_id)
    assert [c.text for c in table.cells] == ["Item", "Hose"]
    assert len({e.element_id for e in (subject, first)}) == 2


@pytest.mark.parametrize("stub", ["", "Please open this in a browser."])
def test_html_is_read_where_the_plain_text_only_stands_in_for_it(read, letter, stub):
    letter.set_content(stub)
    letter.add_alternative(f"<p>{'The ramp is open again since today. ' * 5}</p>", subtype="html")
    assert body(read(letter)) == [("The ramp is open again since today. " * 5).strip()]


def test_text_before_and_after_an_attachment_is_read(read, letter):
    letter.set_content("It is before.")
    letter.add_attachment(PDF, maintype="application", subtype="pdf", filename="a.pdf")
    letter.attach(part := EmailMessage())
    part.set_content("It is after.")
    assert body(read(letter)) == ["It is before.", "It is after."]


# Members.


def attach(letter, *file_names):
    for name in file_names:
        letter.add_attachment(PDF, maintype="application", subtype="pdf", filename=name)


def test_a_name_is_safe_and_unique(read, letter):
    letter.set_content("See below.")
    attach(letter, "../../etc/a.pdf", "C:\\temp\\a.pdf", "a.pdf", "..", ".hidden.pdf", "x\u202efdp.exe", 'q"<1>.pdf')
    assert names(read(letter)) == [
        "a.pdf",
        "a (2).pdf",
        "a (3).pdf",
        "part-5.pdf",
        "hidden.pdf",
        "xfdp.exe",
        "q__1_.pdf",
    ]


def test_a_long_name_is_cut_and_keeps_its_suffix(read, letter):
    letter.set_content("See below.")
    attach(letter, "ü" * 300 + ".pdf")
    (name,) = names(read(letter))
    assert (name, len(name.encode())) == ("ü" * 98 + ".pdf", 200)


def test_an_enclosed_message_is_a_member_that_can_be_read(read, letter):
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner["From"] = "b@x.example"
    inner.set_content("It is inside.")
    letter.set_content("It is outside.")
    letter.add_attachment(inner)
    result = read(letter)
    assert body(result) == ["It is outside."]
    ((name, content),) = result.members
    assert name == "part-2.eml"
    assert [e.text for e in read(content).elements] == ["Inner", "From: b@x.example", "It is inside."]


def test_files_in_an_alternative_that_is_not_shown_are_kept(read, letter):
    letter.set_content("It is the plain text.")
    letter.add_alternative("<p>It is the same.</p>", subtype="html")
    rich = letter.get_payload()[1]
    rich.make_mixed()
    attach(rich, "a.pdf")
    result = read(letter)
    assert (body(result), names(result)) == (["It is the plain text."], ["a.pdf"])


def test_parts_beyond_the_limits_are_not_read_and_told(read, letter, monkeypatch):
    letter.set_content("See below.")
    attach(letter, "a.pdf", "b.pdf", "c.pdf")
    monkeypatch.setattr(mail, "MAX_PARTS", 3)
    result = read(letter)
    assert names(result) == ["a.pdf", "b.pdf"]
    assert result.warnings == ("only the first 3 parts and 200 MB of the message were read",)
    monkeypatch.setattr(mail, "MAX_BYTES", len(PDF) + 20)
    assert names(read(letter)) == ["a.pdf"]


# Pictures.


def with_picture(letter, *, html, content, **part):
    letter.set_content(html, subtype="html") if html else letter.set_content("It is text.")
    letter.add_related(content, maintype="image", subtype="png", cid="<pic@x>", **part)
    return letter


def test_a_picture_stands_where_the_html_shows_it(read, letter):
    html = '<p>It is before.</p><img src="cid:pic@x" alt="The ramp"><p>It is after.</p>'
    result = read(with_picture(letter, html=html, content=picture()))
    assert body(result) == ["It is before.", "The ramp", "It is after."]
    (image,) = (e for e in result.elements if e.category == "Image")
    assert list(result.images) == [image.image_path]
    assert result.members == ()


def test_a_picture_that_no_text_shows_comes_last(read, letter):
    result = read(with_picture(letter, html="", content=picture("JPEG")))
    assert shown(result)[2:] == [("NarrativeText", "It is text."), ("Image", "")]
    assert list(result.images) == [result.elements[-1].image_path]


def test_small_and_broken_pictures_are_left_out(read, letter):
    small = read(with_picture(letter, html="", content=picture(size=(9, 9))))
    assert (small.images, small.left_out) == ({}, {"small": 1})
    again = EmailMessage()
    again["From"] = "a@x.example"
    result = read(with_picture(again, html="", content=b"no picture"))
    assert (result.images, result.warnings) == ({}, ("a picture in the message could not be read",))


def test_blank_pictures_are_counted_wherever_they_stand(read, letter):
    blank = io.BytesIO()
    Image.new("RGB", (80, 60), "white").save(blank, "PNG")
    alone = read(with_picture(letter, html="", content=blank.getvalue()))
    assert (alone.images, alone.left_out) == ({}, {"empty": 1})
    pixel = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    again = EmailMessage()
    again["From"] = "a@x.example"
    again.set_content(f'<p>It is text.</p><img src="data:image/gif;base64,{pixel}">', subtype="html")
    assert read(again).left_out == {"small": 1}


def test_no_pictures_are_read_when_they_are_off(read, letter):
    html = '<p>It is text.</p><img src="cid:pic@x" alt="The ramp">'
    result = read(with_picture(letter, html=html, content=picture()), images="off")
    assert (body(result), result.images) == (["It is text."], {})


def test_an_attached_picture_is_a_member(read, letter):
    letter.set_content("See below.")
    letter.add_attachment(picture(), maintype="image", subtype="png", filename="photo.png")
    result = read(letter)
    assert (names(result), result.images) == (["photo.png"], {})


# Files that cannot be read.


@pytest.mark.parametrize("content", ["", "  \n", "No fields are here.\n\nText", "Colour: red\n\nText"])
def test_what_is_no_message_is_broken(read, content):
    with pytest.raises(BrokenError):
        read(content)


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/encrypted; boundary="b"',
        "application/pkcs7-mime; smime-type=enveloped-data",
        "application/x-pkcs7-mime",
    ],
)
def test_an_encrypted_message_is_told(read, kind):
    with pytest.raises(EncryptedError):
        read(f"From: a@x.example\nContent-Type: {kind}\n\nAAAA")


def test_a_cut_off_message_is_read_and_told(read, letter):
    letter.set_content("It is text.")
    attach(letter, "a.pdf")
    content = letter.as_bytes(policy=SMTP)
    result = read(content[: content.rindex(b"--=")])
    assert (body(result), names(result)) == (["It is text."], ["a.pdf"])
    assert result.warnings == ("the message is cut off or damaged",)


def test_damaged_fields_do_not_stop_the_reading(read):
    result = read(b"From: \xff\xfe <<@@>, ;:\nTo: (((\nDate: never\nSubject: \xc3\xa4\xff\n\nThe ramp is open.")
    assert result.elements[-1].text == "The ramp is open."
    assert result.elements[0].text == "ä\ufffd"


def test_parts_inside_each_other_without_end_are_refused_or_told(read):
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(60))
    result = read(f"From: a@x.example\n{nested}\nIt is deep.")
    assert "parts that are nested too deeply were not read" in result.warnings
    nested = "Content-Type: message/rfc822\n\n" * 5000
    with pytest.raises(BrokenError):
        read(f"From: a@x.example\n{nested}")


# Discovery.


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"Return-Path: <a@x>\n\nHi", ".eml"),
        (b"From a@x Tue\nX-Any: b\n", ".eml"),
        (b"Received: from a\n by b\nDate: today\nSubject: S\n\n", ""),
    ],
)
def test_a_message_is_told_by_its_fields(head, suffix):
    assert sniff(head, suffix) == "eml"


def test_other_texts_are_no_messages():
    assert sniff(b"From: me\nTo: you\nSubject: S\n\n", ".txt") == "txt"
    with pytest.raises(BrokenError):
        sniff(b"just some words\n", ".eml")
    with pytest.raises(UnsupportedError):
        sniff(b"Subject: one field\n\nand words\n", "")


def test_what_is_quoted_begins_a_paragraph_of_its_own(read):
    said = (
        "on Friday the third of May you wrote to\nall of us:\n> we can offer two hundred metres of the rope,\n"
        "> also thicker.\n>> can you offer us a rope of twelve millimetres?\nwe would like to take all of it.\n"
    )
    found = read(f"From: a@b.example\nTo: c@d.example\nSubject: x\n\n{said}".encode())
    assert [e.text for e in found.elements[2:]] == [
        "on Friday the third of May you wrote to all of us:",
        "we can offer two hundred metres of the rope, also thicker.",
        "can you offer us a rope of twelve millimetres?",
        "we would like to take all of it.",
    ]
