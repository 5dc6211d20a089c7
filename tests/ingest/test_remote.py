"""Objects in buckets, by fsspec's own file system in memory, and by S3's protocol on loopback."""

import logging
import re
import urllib.request

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from ingest import remote
from ingest.errors import GoneError, MissingExtraError, UnavailableError, UnreachableError, UnsupportedError, UsageError
from ingest.remote import fetch_object, is_remote, list_objects, normal_address

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


class MemoryBucket:
    """fsspec's file system in memory."""

    scheme = "memory"

    def __init__(self):
        self.files = MemoryFileSystem()
        self.files.store.clear()

    def put(self, key, data):
        self.files.pipe(f"/docs/{key}", data)

    def remove(self, key):
        self.files.rm(f"/docs/{key}")


class S3Bucket:
    """A bucket on moto's server."""

    scheme = "s3"

    def __init__(self, url):
        import boto3

        self.client = boto3.client("s3", endpoint_url=url)
        self.client.create_bucket(Bucket="docs")

    def put(self, key, data):
        self.client.put_object(Bucket="docs", Key=key, Body=data)

    def remove(self, key):
        self.client.delete_object(Bucket="docs", Key=key)


@pytest.fixture(scope="module")
def s3_server():
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def bucket(request, monkeypatch):
    if request.param == "memory":
        monkeypatch.setitem(remote.EXTRAS, "memory", "remote")
        return MemoryBucket()
    return request.getfixturevalue("s3")


@pytest.fixture
def s3(s3_server, monkeypatch):
    import s3fs

    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/moto-api/reset", method="POST")).close()
    for name, value in [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", s3_server),
    ]:
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield S3Bucket(s3_server)
    s3fs.S3FileSystem.clear_instance_cache()


def keys(bucket, root):
    return [each.address.removeprefix(f"{bucket.scheme}://docs/") for each in list_objects(root)]


def test_what_lies_under_a_prefix_is_listed_and_what_is_hidden_is_not(bucket):
    for key in ["a/one.md", "a/b/two.md", "ab.md", "a/.hidden", "a/.git/x.md", "a/ä b?#.txt"]:
        bucket.put(key, key.encode())
    if bucket.scheme == "s3":
        bucket.put("a/folder/", b"")
    assert keys(bucket, f"{bucket.scheme}://docs/a") == ["a/b/two.md", "a/one.md", "a/ä b?#.txt"]
    assert keys(bucket, f"{bucket.scheme}://docs/a/one.md") == ["a/one.md"]
    assert keys(bucket, f"{bucket.scheme}://docs/none") == []


def test_a_version_changes_with_what_is_written_alone(bucket):
    bucket.put("one.md", b"first")
    root = f"{bucket.scheme}://docs"
    first = list_objects(root)
    assert list_objects(root) == first
    bucket.put("one.md", b"other")
    assert list_objects(root)[0].version != first[0].version


def test_an_object_is_fetched_under_its_own_name(bucket, tmp_path):
    bucket.put("a/ä b?#.txt", b"The ferry sails at noon.")
    path = fetch_object(list_objects(f"{bucket.scheme}://docs")[0], tmp_path, 100)
    assert (path.name, path.read_bytes()) == ("ä b?#.txt", b"The ferry sails at noon.")


def test_a_name_that_is_too_long_for_a_file_keeps_its_extension(bucket, tmp_path):
    bucket.put("ü" * 200 + ".txt", b"x")
    path = fetch_object(list_objects(f"{bucket.scheme}://docs")[0], tmp_path, 100)
    assert path.suffix == ".txt"
    assert path.read_bytes() == b"x"


def test_an_object_that_is_too_large_is_not_fetched(bucket, tmp_path):
    bucket.put("big.txt", b"x" * 101)
    with pytest.raises(UnsupportedError, match="larger than"):
        fetch_object(list_objects(f"{bucket.scheme}://docs")[0], tmp_path, 100)
    assert list(tmp_path.iterdir()) == []


def test_one_that_grew_since_it_was_listed_is_not_fetched_beyond_the_limit(bucket, tmp_path):
    bucket.put("log.txt", b"x")
    listed = list_objects(f"{bucket.scheme}://docs")[0]
    bucket.put("log.txt", b"x" * 2**20)
    with pytest.raises(UnsupportedError, match="larger than"):
        fetch_object(listed, tmp_path, 1000)


def test_one_that_changed_since_it_was_listed_waits_for_the_next_ingest(bucket, tmp_path):
    bucket.put("one.txt", b"first")
    listed = list_objects(f"{bucket.scheme}://docs")[0]
    bucket.put("one.txt", b"other")
    with pytest.raises(UnavailableError, match="next ingest"):
        fetch_object(listed, tmp_path, 100)
    bucket.remove("one.txt")
    with pytest.raises(GoneError):
        fetch_object(listed, tmp_path, 100)


def test_a_bucket_that_is_not_there_is_gone(s3):
    with pytest.raises(GoneError, match="no such bucket"):
        list_objects("s3://nowhere/a")


@pytest.fixture
def refused(s3, monkeypatch):
    """A bucket whose server nobody answers for."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setitem(remote.OPTIONS, "s3", {"config_kwargs": {"retries": {"max_attempts": 0}}})
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.usefixtures("refused")
def test_a_server_that_does_not_answer_is_told_without_any_secret(caplog):
    caplog.set_level(logging.DEBUG, logger="ingest")
    with pytest.raises(UnreachableError) as told:
        list_objects("s3://docs/a")
    assert "docs cannot be read (EndpointConnectionError)" in str(told.value)
    assert SECRET not in str(told.value) + caplog.text


def test_one_spelling_of_an_address():
    assert normal_address(" S3://docs/a/b/ ") == "s3://docs/a/b"
    assert normal_address("gs://docs") == "gs://docs"
    assert is_remote("s3://docs")
    assert not any(map(is_remote, ["docs", "https://a/b", "s3:/docs", "file://a", 3]))
    with pytest.raises(UsageError, match="no bucket"):
        normal_address("s3:///a")
    with pytest.raises(UsageError, match="key or password") as told:
        normal_address(f"s3://AKIA:{SECRET}@docs/a")
    assert SECRET not in str(told.value)


def test_without_the_extra_the_error_carries_the_install_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=re.escape("'.[remote]'")):
        list_objects("s3://docs")
