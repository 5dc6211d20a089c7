"""Pictures in a terminal: who is drawn for, and that what is written decodes to the picture."""

import base64
import io
import os
import re
import threading

import pytest
from PIL import Image

from ingest.images import stored_png
from retrievers.terminal import HEIGHT, WIDTH, drawing_by_name, drawing_of, drawn

pty = pytest.importorskip("pty")


def picture(size: tuple[int, int] = (40, 30)) -> Image.Image:
    image = Image.new("RGB", size, (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, size[0] // 2, size[1] // 2))
    return image


PNG = stored_png(picture())[1]


@pytest.mark.parametrize(
    ("names", "how"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "screen", "TERM_PROGRAM": "iTerm.app"}, None),
        ({"TERM": "dumb", "TERM_PROGRAM": "iTerm.app"}, None),
        ({}, None),
    ],
)
def test_terminals_are_known_by_what_they_set(names, how):
    assert drawing_by_name(names) == how


def test_nothing_is_drawn_into_a_pipe(tmp_path):
    with (tmp_path / "out").open("w") as output, (tmp_path / "out").open() as answers:
        assert drawing_of({"TERM": "xterm-kitty"}, output, answers) is None


@pytest.mark.parametrize(
    ("said", "how"), [(b"\x1b[?62;4;22c", "sixel"), (b"\x1b[?64;22c", None), (b"\x1b[?4c", None), (b"hello c", None)]
)
def test_a_terminal_that_its_name_does_not_tell_is_asked(said, how):
    ours, theirs = pty.openpty()
    asked: list[bytes] = []

    def answer():
        asked.append(os.read(ours, 16))
        os.write(ours, said)

    terminal = threading.Thread(target=answer)
    terminal.start()
    with os.fdopen(theirs, "r") as answers, os.fdopen(os.dup(theirs), "w") as output:
        assert drawing_of({"TERM": "xterm-256color"}, output, answers) == how
        terminal.join()
    os.close(ours)
    assert asked == [b"\x1b[c"]


def test_kitty_is_given_a_png_in_parts_and_told_to_be_quiet():
    noise = stored_png(Image.effect_noise((300, 200), 90))[1]
    text = drawn(noise, "kitty")
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert len(parts) > 1
    assert parts[0][0] == "a=T,f=100,q=2,m=1"
    assert {control for control, _ in parts[1:-1]} <= {"m=1"}
    assert parts[-1][0] == "m=0"
    assert all(len(data) <= 4096 for _, data in parts)
    shown = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in parts))))
    assert shown.size == (300, 200)


def test_iterm2_is_given_a_png():
    found = re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=(\d+);preserveAspectRatio=1:([^\x07]+)\x07\n", drawn(PNG, "iterm2")
    )
    assert found is not None
    data = base64.b64decode(found[2])
    assert len(data) == int(found[1])
    assert Image.open(io.BytesIO(data)).getpixel((0, 0)) == (0, 0, 255)


def unsixel(text: str) -> Image.Image:
    """The picture of a sixel text, for the few commands that are written."""
    body = re.fullmatch(r"\x1bPq(.*)\x1b\\\n", text, re.DOTALL)[1]
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', body).groups())
    image = Image.new("RGB", (width, height), "white")
    colours, colour, x, top = {}, (0, 0, 0), 0, 0
    for number, rgb, count, sign in re.findall(
        r"#(\d+)(?:;2;(\d+;\d+;\d+))?|(?:!(\d+))?([?-~$-])", body.partition(str(height))[2]
    ):
        if number:
            if rgb:
                colours[number] = tuple(round(int(v) * 2.55) for v in rgb.split(";"))
            colour = colours[number]
        elif sign == "$":
            x = 0
        elif sign == "-":
            x, top = 0, top + 6
        else:
            width_of_run = int(count or 1)
            for row in range(6):
                if (ord(sign) - 63) >> row & 1:
                    image.paste(colour, (x, top + row, x + width_of_run, top + row + 1))
            x += width_of_run
    return image


def test_sixels_decode_to_the_picture():
    shown = unsixel(drawn(PNG, "sixel"))
    assert shown.size == (40, 30)
    wanted = picture()
    assert all(
        shown.getpixel(at) == wanted.getpixel(at) for at in [(0, 0), (19, 14), (20, 15), (39, 0), (39, 29), (0, 29)]
    )


def test_a_large_picture_is_made_to_fit_and_a_clear_one_stands_on_white():
    found = unsixel(drawn(stored_png(picture((2000, 1000)))[1], "sixel"))
    assert (found.width <= WIDTH, found.height <= HEIGHT) == (True, True)
    clear = stored_png(Image.new("RGBA", (20, 20), (0, 0, 0, 0)))[1]
    assert unsixel(drawn(clear, "sixel")).getpixel((5, 5)) == (255, 255, 255)
