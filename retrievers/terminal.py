"""Pictures in a terminal: as kitty, iTerm2 or sixel take them, where the terminal says that it can.

Formats: kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol), iTerm2's inline images
(iterm2.com/documentation-images.html), and sixel as the VT340 has it.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Literal

from ingest.images import opaque

if TYPE_CHECKING:
    from PIL.Image import Image

Drawing = Literal["kitty", "iterm2", "sixel"]

WIDTH, HEIGHT = 800, 600
"""Pixels of a picture in a terminal, at most; one that is smaller is not enlarged."""
KITTY_PART = 4096
"""Characters of base64 that kitty takes at a time."""
SIXEL_COLOURS = 64
ANSWER_SECONDS = 0.3
"""How long a terminal may take to say what it can."""
_KITTY = ("xterm-kitty", "xterm-ghostty")
_KITTY_PROGRAMS = ("ghostty",)
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm", "mintty")
_SIXEL = ("foot", "foot-extra", "mlterm", "mlterm-256color", "contour", "yaft-256color")


def drawing_by_name(names: Mapping[str, str]) -> Drawing | None:
    """What a terminal takes by the variables that it sets; ``None`` where they do not tell.

    Nothing inside tmux and screen, which keep what they do not know from the terminal.
    """
    term, program = names.get("TERM", ""), names.get("TERM_PROGRAM", "")
    if term.startswith(("screen", "tmux")) or term == "dumb" or program == "tmux":
        return None
    if names.get("KITTY_WINDOW_ID") or term in _KITTY or program in _KITTY_PROGRAMS:
        return "kitty"
    if program in _ITERM_PROGRAMS or names.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return "sixel" if term in _SIXEL else None


def drawing_of(names: Mapping[str, str], output: IO[Any], answers: IO[Any]) -> Drawing | None:
    """What the terminal takes that a command writes to and reads from; ``None`` for none, and for a pipe or file."""
    if not output.isatty():
        return None
    known = drawing_by_name(names)
    if known is not None or names.get("TERM", "dumb").startswith(("dumb", "screen", "tmux", "linux")):
        return known
    return "sixel" if answers.isatty() and _says_sixel(output.fileno(), answers.fileno()) else None


def _says_sixel(output: int, answers: int) -> bool:
    """Whether a terminal lists sixel (4) among its attributes, when it is asked for them."""
    import select
    import termios
    import tty

    before = termios.tcgetattr(answers)
    said = b""
    try:
        tty.setcbreak(answers, termios.TCSANOW)
        os.write(output, b"\x1b[c")
        while not said.endswith(b"c") and select.select([answers], [], [], ANSWER_SECONDS)[0]:
            said += os.read(answers, 64) or b"c"
    except (termios.error, OSError):
        return False
    finally:
        termios.tcsetattr(answers, termios.TCSANOW, before)
    listed = re.search(rb"\x1b\[\?([\d;]+)c", said)
    return listed is not None and b"4" in listed[1].split(b";")[1:]


def drawn(png: bytes, how: Drawing) -> str:
    """What to write to a terminal so that it shows a picture, on lines of its own.

    Raises:
        OSError: the bytes are no picture.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        picture = opaque(opened)
    picture.thumbnail((WIDTH, HEIGHT))
    if how == "sixel":
        return f"\x1bPq{''.join(_sixels(picture))}\x1b\\\n"
    out = io.BytesIO()
    picture.save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return _kitty(data) if how == "kitty" else _iterm(data, len(out.getvalue()))


def _kitty(data: str) -> str:
    parts = [data[at : at + KITTY_PART] for at in range(0, len(data), KITTY_PART)]
    heads = ["a=T,f=100,q=2,", *[""] * (len(parts) - 1)]
    last = len(parts) - 1
    return "".join(f"\x1b_G{heads[n]}m={int(n < last)};{part}\x1b\\" for n, part in enumerate(parts)) + "\n"


def _iterm(data: str, size: int) -> str:
    return f"\x1b]1337;File=inline=1;size={size};preserveAspectRatio=1:{data}\x07\n"


def _sixels(picture: Image) -> Iterator[str]:
    """Size, colours in percent, then bands of six rows, each drawn once a colour that it has."""
    import numpy as np

    few = picture.quantize(SIXEL_COLOURS)
    yield f'"1;1;{few.width};{few.height}'
    colours = few.getpalette() or []
    for number in range(len(colours) // 3):
        red, green, blue = (round(value / 255 * 100) for value in colours[3 * number : 3 * number + 3])
        yield f"#{number};2;{red};{green};{blue}"
    pixels = np.asarray(few)
    for top in range(0, few.height, 6):
        band = pixels[top : top + 6]
        weights = (1 << np.arange(len(band)))[:, None]
        for number in np.unique(band):
            yield f"#{number}{_runs(((band == number) * weights).sum(axis=0).tolist())}$"
        yield "-"


def _runs(columns: list[int]) -> str:
    """Columns of a band as sixel characters; runs are counted."""
    text = "".join(chr(63 + bits) for bits in columns)
    return re.sub(r"(.)\1{3,}", lambda run: f"!{len(run[0])}{run[1]}", text)
