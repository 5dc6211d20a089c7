"""Containers and their parts."""

from email.message import EmailMessage

from ingest.pipeline import library_status
from tests.ingest.desk import FERRY


def mail(*attachments: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Timetable", "a@ferry.example", "b@ferry.example"
    message.set_content("The new timetable is attached.")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def test_parts_of_a_container_come_go_and_are_told_with_it(desk):
    path = desk.write("note.eml", mail(("ferry.md", FERRY.encode())))
    shown = ["docs/note.eml", "docs/note.eml!/ferry.md"]
    assert desk.states() == dict.fromkeys(shown, "ingested")
    assert desk.states() == dict.fromkeys(shown, "unchanged")
    assert not desk.pool.tasks
    with desk.open() as library:
        assert [r.path for r in library_status(library)] == shown
    path.unlink()
    desk.write("other.md", FERRY)
    desk.run()
    with desk.open() as library:
        assert [s.format for s in library.sources()] == ["md"]
        assert not list((library.folder / "members").iterdir())


def test_parts_that_a_stopped_run_left_out_are_read_by_the_next(desk):
    desk.write("note.eml", mail(("ferry.md", FERRY.encode())))
    desk.run()
    with desk.open() as library:
        (container,) = [s for s in library.sources() if s.parent_id is None]
        library.keep_members(container.id, [])
        library.sweep()
        assert not library.members(container.id)
    desk.run()
    with desk.open() as library:
        assert [m.member for m in library.members(container.id)] == ["ferry.md"]


def test_a_part_that_fails_is_told_in_every_run(desk):
    desk.write("note.eml", mail(("broken.pdf", b"%PDF-1.7 nothing")))
    for _ in range(2):
        (failed,) = [r for r in desk.run() if r.state == "failed"]
        assert failed.path == "docs/note.eml!/broken.pdf"
