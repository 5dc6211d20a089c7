import gzip
import socket
import zlib

import pytest

from ingest.errors import GoneError, RefusedAddressError, SourceError, UnreachableError, UnsupportedError, UsageError
from ingest.fetch import Fetcher, FetchOptions
from ingest.fetch_network import is_allowed
from ingest.urls import normal_url, unsigned
from tests.site_server import Reply, Site, serve


@pytest.fixture
def site():
    with serve() as found:
        yield found


@pytest.fixture
def fetch(site: Site):
    def call(path: str = "/", *, types=None, **options):
        with Fetcher(FetchOptions(allow_private=True, **options)) as fetcher:
            return fetcher.get(path if "://" in path else site.url + path, types=types)

    return call


def answers(monkeypatch, *addresses: str) -> list[str]:
    """Makes DNS give these addresses to any name, one a question, the last for ever; lists the names asked for."""
    asked: list[str] = []

    def lookup(host, port, *args, original=socket.getaddrinfo, **options):
        if host.endswith(".example"):
            asked.append(host)
            host = addresses[min(len(asked), len(addresses)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return original(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_a_page_comes_with_its_headers_and_the_address_where_redirects_end(site, fetch):
    site.replies["/a"] = Reply(status=302, headers={"Location": "b?x=1#part"})
    site.replies["/b?x=1"] = Reply(b"hello", headers={"Content-Type": "Text/Plain; charset=latin1"})
    found = fetch("/a")
    assert (found.url, found.content, found.content_type, found.charset) == (
        f"{site.url}/b?x=1",
        b"hello",
        "text/plain",
        "latin1",
    )


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
        ),
        *("fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "255.255.255.255"),
        *("192.0.2.1", "240.0.0.1", "fe80::1%eth0", "no address"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address):
    assert not is_allowed(address, allow_private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address):
    assert is_allowed(address, allow_private=False)


def test_a_name_for_a_private_address_is_refused_before_any_connection(site, monkeypatch):
    answers(monkeypatch, "127.0.0.1")
    port = site.url.rpartition(":")[2]
    with Fetcher() as fetcher, pytest.raises(RefusedAddressError, match="allow-private"):
        fetcher.get(f"http://inner.example:{port}/")
    assert site.asked == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    asked = answers(monkeypatch, "93.184.216.34", "127.0.0.1")
    connected: list[str] = []

    def connect(address, *_args, **_options):
        connected.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "create_connection", connect)
    with Fetcher() as fetcher, pytest.raises(UnreachableError):
        fetcher.get("http://turns.example/")
    assert (asked, connected) == (["turns.example"], ["93.184.216.34"])


def test_the_host_field_stays_the_name(site, monkeypatch):
    answers(monkeypatch, "127.0.0.1")
    site.replies["/"] = Reply(b"x")
    port = site.url.rpartition(":")[2]
    with Fetcher(FetchOptions(allow_private=True)) as fetcher:
        fetcher.get(f"http://name.example:{port}/")
    assert site.hosts == [f"name.example:{port}"]


def test_a_redirect_to_a_private_address_is_refused(site, monkeypatch):
    seen: list[str] = []

    def lookup(host, port, *args, original=socket.getaddrinfo, **options):
        seen.append(host)
        return original(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    # Only the first machine counts as public here.
    monkeypatch.setattr(
        "ingest.fetch_network.is_allowed", lambda address, **_: address == "127.0.0.1" and len(seen) < 2
    )
    site.replies["/"] = Reply(status=301, headers={"Location": site.url.replace("127.0.0.1", "localhost") + "/x"})
    with Fetcher() as fetcher, pytest.raises(RefusedAddressError):
        fetcher.get(site.url + "/")
    assert site.asked == ["/"]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a/b", "http://user:word@a.example/", "http://"])
def test_a_redirect_to_what_is_no_web_address_is_told(site, fetch, location):
    site.replies["/"] = Reply(status=302, headers={"Location": location})
    with pytest.raises(SourceError, match="redirect"):
        fetch()


def test_redirects_without_end_are_told(site, fetch):
    site.default = Reply(status=302, headers={"Location": "/again"})
    with pytest.raises(SourceError, match="without end"):
        fetch()
    assert len(site.asked) == 11


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, GoneError), (410, GoneError), (403, UnreachableError), (429, UnreachableError), (500, UnreachableError)],
)
def test_a_page_that_is_gone_is_told_from_one_that_cannot_be_had(site, fetch, status, error):
    site.replies["/"] = Reply(b"sorry", status)
    with pytest.raises(error, match=str(status)):
        fetch()


def test_a_type_that_is_not_read_is_not_downloaded(site, fetch):
    site.replies["/"] = Reply(b"x", headers={"Content-Type": "video/mp4", "Content-Length": "1000"})
    with pytest.raises(UnsupportedError, match="video/mp4"):
        fetch(types=("text/",))


def test_a_page_that_says_it_is_too_large_is_not_downloaded(site, fetch):
    site.replies["/"] = Reply(b"x", headers={"Content-Length": "5000000"})
    with pytest.raises(UnsupportedError, match="larger than 1 MB"):
        fetch(max_bytes=1_000_000)


def endless(handler):
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(65536))


def test_a_page_without_end_is_stopped_at_the_limit(site, fetch):
    site.replies["/"] = Reply(raw=endless)
    with pytest.raises(UnsupportedError, match="larger than"):
        fetch(max_bytes=200_000)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda d: zlib.compressobj(wbits=-15).compress(d)])
def test_compressed_bodies_are_unpacked(site, fetch, pack):
    if pack in (gzip.compress, zlib.compress):
        packed = pack(b"hello" * 100)
    else:
        raw = zlib.compressobj(wbits=-15)
        packed = raw.compress(b"hello" * 100) + raw.flush()
    name = "gzip" if pack is gzip.compress else "deflate"
    site.replies["/"] = Reply(packed, headers={"Content-Encoding": name})
    assert fetch().content == b"hello" * 100


def test_a_small_body_that_unpacks_to_a_huge_one_is_stopped(site, fetch):
    bomb = gzip.compress(bytes(50_000_000))
    site.replies["/"] = Reply(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(UnsupportedError, match="larger than"):
        fetch(max_bytes=1_000_000)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_refused(site, fetch, encoding):
    site.replies["/"] = Reply(b"x", headers={"Content-Encoding": encoding})
    with pytest.raises(SourceError, match="not asked for"):
        fetch()


def test_damaged_and_cut_compression_is_told(site, fetch):
    site.replies["/a"] = Reply(b"no gzip at all", headers={"Content-Encoding": "gzip"})
    site.replies["/b"] = Reply(gzip.compress(b"hello" * 100)[:-12], headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="compression is broken"):
        fetch("/a")
    with pytest.raises(UnreachableError, match="cut off"):
        fetch("/b")


def test_a_body_that_ends_too_soon_is_told(site, fetch):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    site.replies["/"] = Reply(raw=cut)
    with pytest.raises(UnreachableError, match="broke off"):
        fetch()


def test_a_silent_server_is_given_up(site, fetch):
    site.replies["/"] = Reply(raw=lambda handler: site.stop.wait(30))
    with pytest.raises(UnreachableError, match="in time"):
        fetch(silent_seconds=0.1)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_sends_a_byte_at_a_time_is_given_up_at_the_deadline(site, fetch, start):
    def drip(handler):
        handler.wfile.write(start)
        while not site.stop.wait(0.02):
            handler.wfile.write(b"a")

    site.replies["/"] = Reply(raw=drip)
    with pytest.raises(UnreachableError, match="in time"):
        fetch(silent_seconds=5, total_seconds=0.4)


def test_a_machine_that_does_not_answer_is_unreachable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        Fetcher(FetchOptions(allow_private=True)) as fetcher,
        pytest.raises(UnreachableError, match="cannot be reached"),
    ):
        fetcher.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        ("https://example.org:443/a/../b/./c#part", "https://example.org/b/c"),
        ("https://example.org/ä ö?q=ü&r=%20", "https://example.org/%C3%A4%20%C3%B6?q=%C3%BC&r=%20"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_an_address_has_one_spelling(given, normal):
    assert normal_url(given) == normal
    assert normal_url(normal) == normal


@pytest.mark.parametrize("given", ["ftp://a.example/", "http:///x", "http://a:b@c.example/", "http://a.example:99999/"])
def test_what_is_no_address_of_the_web_is_refused(given):
    with pytest.raises(UsageError):
        normal_url(given)


def test_an_address_is_kept_without_its_signature():
    signed = "https://docs.s3.amazonaws.com/a.pdf?versionId=7&X-Amz-Credential=AKIA%2F1&X-Amz-Signature=5e&X-Amz-Date=1"
    assert unsigned(signed) == "https://docs.s3.amazonaws.com/a.pdf?versionId=7"
    assert unsigned("https://a.blob.core.windows.net/d/a.pdf?sv=2024&se=2026&sp=r&sig=5e") == (
        "https://a.blob.core.windows.net/d/a.pdf"
    )
    for plain in ["https://a/b?page=2&expires=never&policy=open", "https://a/b", "https://a/b?", "https://a/?q=sig"]:
        assert unsigned(plain) == plain
