import io
import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from ingest.errors import BrokenError, MissingExtraError, UnavailableError, UsageError
from ingest.library import Library
from ingest.partition import CloudAccess, PartitionOptions
from ingest.pipeline import IngestOptions, ingest, remove
from ingest.settings import Settings
from ingest.types import Source
from tests.site_server import Reply, Site, serve

pytest.importorskip("llama_cloud")

from ingest.partition import partition
from ingest.partition.llamaparse import check_access

PAGES = [
    {
        "page_number": 1,
        "success": True,
        "markdown": "# Ferry report\n\nThe ferry carried **214** people.\n\n![A pier](page_1_image_1.png)",
        "header": "Harbour office",
        "footer": "Page 1",
    },
    {
        "page_number": 2,
        "success": True,
        "markdown": "<table><tr><th>Route</th><th>People</th></tr><tr><td colspan=2>H2</td></tr></table>\n\n"
        "| Year | Sum |\n|---|---|\n| 2024 | 9 |\n\nThe last line is here.",
    },
]


def png() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((60, 60), 50).save(out, "PNG")
    return out.getvalue()


class Cloud:
    """LlamaParse's routes on loopback: jobs that are done at once, and what was sent."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.pages: list[dict] = PAGES
        self.status = "COMPLETED"
        self.uploads: list[bytes] = []
        self.refusals: list[Reply] = []
        self.keys: set[str] = set()
        site.replies["/api/v2/parse/upload"] = Reply(raw=self.upload)
        site.default = Reply(raw=self.job)
        site.replies["/signed/a"] = Reply(png(), headers={"Content-Type": "image/png"})

    def upload(self, handler) -> None:
        self.keys.add(handler.headers["Authorization"])
        self.uploads.append(handler.rfile.read(int(handler.headers["Content-Length"])))
        refusal = self.refusals.pop(0) if self.refusals else None
        self.say(handler, {"id": "job-1", "project_id": "p", "status": "PENDING"}, refusal)

    def job(self, handler) -> None:
        if not handler.path.startswith("/api/v2/parse/job-1"):
            self.say(handler, {"detail": "no"}, Reply(status=404))
            return
        job = {"id": "job-1", "project_id": "p", "status": self.status, "error_message": "too strange"}
        picture = {"filename": "page_1_image_1.png", "index": 0, "presigned_url": f"{self.site.url}/signed/a"}
        found = {"job": job, "markdown": {"pages": self.pages}}
        found["images_content_metadata"] = {"images": [picture], "total_count": 1}
        self.say(handler, found)

    def say(self, handler, found, refusal: Reply | None = None) -> None:
        body = json.dumps(found).encode()
        handler.send_response(refusal.status if refusal else 200)
        for name, value in (refusal.headers if refusal else {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def cloud():
    with serve() as site:
        yield Cloud(site)


@pytest.fixture
def access(cloud, tmp_path):
    with Library(tmp_path / "lib", create=True) as library:
        return CloudAccess(url=cloud.site.url, key="llx-test", folder=library.folder, seconds=5)


@pytest.fixture
def read(access, tmp_path):
    def call(content: bytes = b"%PDF-1.4 a", source_id: str = "s", **changes):
        path = tmp_path / "paper.pdf"
        path.write_bytes(content)
        options = PartitionOptions(parser="llamaparse", cloud=replace(access, **changes))
        return partition(Source(id=source_id, path=path, format="pdf", size=len(content)), options)

    return call


def test_pages_become_elements_with_their_page(read, cloud):
    found = read()
    shown = [(e.category, e.text, e.page_number) for e in found.elements if e.category not in ("Image", "Table")]
    assert shown == [
        ("Header", "Harbour office", 1),
        ("Title", "Ferry report", 1),
        ("NarrativeText", "The ferry carried 214 people.", 1),
        ("Footer", "Page 1", 1),
        ("NarrativeText", "The last line is here.", 2),
    ]
    assert [p.page for p in found.pages] == [1, 2]
    assert found.elements[-1].parent_id == found.elements[1].element_id
    assert cloud.keys == {"Bearer llx-test"}


def test_tables_come_with_cells_and_pictures_with_their_bytes(read):
    found = read()
    spans, plain = [e for e in found.elements if e.category == "Table"]
    assert [(c.text, c.colspan, c.header, c.page) for c in spans.cells][-1] == ("H2", 2, False, 2)
    assert plain.text == "Year Sum\n2024 9"
    (picture,) = [e for e in found.elements if e.category == "Image"]
    assert (picture.text, picture.page_number) == ("A pier", 1)
    assert picture.image_path in found.images


def test_the_name_of_the_file_is_not_sent(read, cloud):
    read()
    assert b"%PDF-1.4 a" in cloud.uploads[0]
    assert b"paper" not in cloud.uploads[0]
    assert json.loads(re.search(rb"\{.*\}", cloud.uploads[0])[0])["tier"] == "agentic"


def test_the_same_bytes_are_sent_once(read, cloud):
    first = read()
    assert read() == first
    read(source_id="t")
    assert len(cloud.uploads) == 1
    read(b"%PDF-1.4 other")
    assert len(cloud.uploads) == 2


def test_a_job_that_was_paid_for_is_taken_up_again(read, cloud):
    cloud.status = "RUNNING"
    with pytest.raises(UnavailableError, match="in time"):
        read(seconds=0.01)
    cloud.status = "COMPLETED"
    read()
    assert len(cloud.uploads) == 1


def test_a_failed_job_is_told_and_not_kept(read, cloud):
    cloud.status = "FAILED"
    with pytest.raises(BrokenError, match="too strange"):
        read()
    cloud.status = "COMPLETED"
    read()
    assert len(cloud.uploads) == 2


def test_a_page_that_failed_costs_itself_only(read, cloud):
    cloud.pages = [PAGES[0], {"page_number": 2, "success": False, "error": "blank"}]
    found = read()
    assert found.warnings == ("page 2: could not be read (LlamaParse: blank)",)
    assert len(found.elements) > 2


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, UnavailableError, "LLAMA_CLOUD_API_KEY"),
        (403, UnavailableError, "LLAMA_CLOUD_API_KEY"),
        (402, UnavailableError, "no credit"),
        (429, UnavailableError, "quota"),
        (422, BrokenError, "does not take"),
        (500, UnavailableError, "failed"),
    ],
)
def test_refusals_say_what_to_do(read, cloud, status, error, said):
    cloud.refusals = [Reply(status=status, headers={"Retry-After": "0"})] * 5
    with pytest.raises(error, match=said):
        read()
    assert len(cloud.uploads) == (3 if status == 429 else 1)


def test_a_busy_service_is_offered_the_document_again(read, cloud):
    cloud.refusals = [Reply(status=429, headers={"Retry-After": "0"})]
    assert read().elements
    assert len(cloud.uploads) == 2


def test_a_service_that_is_not_there_is_told(read):
    with pytest.raises(UnavailableError, match="cannot be reached"):
        read(url="http://127.0.0.1:9")


def test_access_needs_a_key_and_an_encrypted_way():
    check_access(CloudAccess(url="https://api.example", key="k"))
    with pytest.raises(UsageError, match="LLAMA_CLOUD_API_KEY"):
        check_access(CloudAccess(url="https://api.example"))
    with pytest.raises(UsageError, match="in the clear"):
        check_access(CloudAccess(url="http://api.example", key="k"))


def test_a_missing_client_is_told_with_the_install_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="llamaparse"):
        check_access(CloudAccess(url="https://api.example", key="k"))


def test_the_key_is_in_no_text_of_the_options(access):
    assert "llx-test" not in repr(PartitionOptions(cloud=access))


def test_an_ingest_pays_once_tries_again_after_a_refusal_and_removes_all(cloud, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.pdf").write_bytes(b"%PDF-1.4 a")
    (docs / "note.txt").write_text("This note stays on the machine, it is said.")
    settings = Settings(llama_cloud_url=cloud.site.url, llama_cloud_api_key="llx-test", jobs=1)
    options = IngestOptions(partition=PartitionOptions(parser="llamaparse"))

    def run():
        return {
            r.path.rpartition("/")[2]: r for r in ingest([docs], tmp_path / "lib", options=options, settings=settings)
        }

    cloud.refusals = [Reply(status=402)]
    assert "no credit" in (run()["a.pdf"].reason or "")
    assert run()["a.pdf"].state == "ingested"
    assert run()["a.pdf"].state == "unchanged"
    assert len(cloud.uploads) == 2
    assert not any(b"stays on the machine" in upload for upload in cloud.uploads)
    with Library(tmp_path / "lib") as library:
        remove(library, [docs])
    assert not list((tmp_path / "lib" / "members").iterdir())


def test_without_the_option_nothing_is_sent(cloud, tmp_path, samples):
    settings = Settings(llama_cloud_url=cloud.site.url, llama_cloud_api_key="llx-test", jobs=1)
    list(ingest([samples / "report.pdf"], tmp_path / "lib", settings=settings))
    assert cloud.site.asked == []
