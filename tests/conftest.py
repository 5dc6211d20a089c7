"""What every test runs under: no network save loopback, no settings from outside, no chance."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

SETTING_NAMES = ("OLLAMA_HOST", "LLAMA_CLOUD_API_KEY")

hypothesis.settings.register_profile("pincite", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("pincite")


class NetworkBlockedError(RuntimeError):
    """A test tried to reach another machine."""


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


@pytest.fixture(scope="session", autouse=True)
def blocked_attempts() -> Iterator[list[str]]:
    """Refuses every socket to another machine and lists the attempts, as code may swallow the refusal."""
    attempts: list[str] = []

    def refuse_unless_local(host: object) -> None:
        if not _is_local(host):
            attempts.append(str(host))
            raise NetworkBlockedError(f"a test tried to reach {host!r}")

    def guarded(original):
        def call(self, *args):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse_unless_local(args[-1][0])
            return original(self, *args)

        return call

    def guarded_getaddrinfo(host, *args, original=socket.getaddrinfo, **options):
        refuse_unless_local(host)
        return original(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield attempts


@pytest.fixture(autouse=True)
def _nothing_leaves(blocked_attempts: list[str]) -> Iterator[None]:
    blocked_attempts.clear()
    yield
    assert not blocked_attempts, "the test tried to reach other machines"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PINCITE_") or name in SETTING_NAMES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of small real files."""
    return Path(__file__).resolve().parents[1] / "samples"
