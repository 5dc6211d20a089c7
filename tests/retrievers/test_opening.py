"""Opening with the desktop's program: which one, without a shell, and what is said where there is none."""

import stat
from pathlib import Path

import pytest

from retrievers import opening
from retrievers.opening import kept_crop, open_with_desktop, opener


@pytest.fixture
def programs(monkeypatch) -> set[str]:
    found: set[str] = set()
    monkeypatch.setattr(opening.shutil, "which", lambda name: f"/bin/{name}" if name in found else None)
    return found


@pytest.mark.parametrize(
    ("platform", "there", "command"),
    [
        ("linux", {"xdg-open", "gio"}, ["/bin/xdg-open"]),
        ("linux", {"gio"}, ["/bin/gio", "open"]),
        ("linux", {"open"}, None),
        ("darwin", {"open"}, ["/bin/open"]),
        ("linux", set(), None),
    ],
)
def test_the_platforms_own_program_opens(programs, platform, there, command):
    programs |= there
    assert opener(platform) == command


def test_the_target_is_an_argument_that_no_shell_reads(programs, monkeypatch):
    started: list[list[str]] = []
    monkeypatch.setattr(opening.subprocess, "Popen", lambda command, **options: started.append(command))
    programs.add("xdg-open")
    target = "https://example.org/$(touch x);#:~:text=a"
    assert open_with_desktop(target) is None
    assert started == [["/bin/xdg-open", target]]


def test_where_there_is_no_program_what_to_do_is_said(programs):
    assert open_with_desktop(Path("/tmp/crop.png")) == (
        "no program to open it with was found (xdg-open): open /tmp/crop.png yourself"
    )


@pytest.mark.parametrize("target", ["file:///etc/passwd", "-help", "javascript:alert(1)"])
def test_only_web_addresses_are_opened_as_such(programs, target):
    programs.add("xdg-open")
    assert "no address" in open_with_desktop(target)


def test_a_program_that_does_not_start_is_told(programs, monkeypatch):
    def fail(*args, **options):
        raise OSError(8, "Exec format error")

    monkeypatch.setattr(opening.subprocess, "Popen", fail)
    programs.add("xdg-open")
    assert "Exec format error" in open_with_desktop(Path("/tmp/crop.png"))


def test_a_crop_is_kept_where_only_its_owner_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(opening.tempfile, "tempdir", str(tmp_path))
    path = kept_crop(b"png", "c-0-1")
    assert path.read_bytes() == b"png"
    assert path.name == "c-0-1.png"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
