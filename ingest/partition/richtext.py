"""Rich Text Format (RTF 1.9.1): text, headings, lists, tables with spans, pictures and notes.

The text alone, which small libraries give, loses where a table's cells span, what is a heading and all pictures; so
the control words are followed here. Groups that a reader does not know are passed over, as the format asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.bridge import picture_png, vendor_errors
from ingest.partition.flow import Block, flow_elements
from ingest.partition.richtext_sink import Sink
from ingest.types import Partition, Source

MAX_GROUPS = 10_000
"""Groups inside of groups: a document has some dozens."""

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_CODEPAGES = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
"""Code pages of the character sets of fonts."""
_CHARACTERS = {
    "tab": " ",
    "line": " ",
    "page": " ",
    "column": " ",
    "emdash": "\u2014",
    "endash": "\u2013",
    "bullet": "\u2022",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "~": " ",
    "_": "-",
    "\\": "\\",
    "{": "{",
    "}": "}",
}
_SILENT = frozenset(
    {"colortbl", "info", "nonshppict", "nonesttables", "xe", "tc", "rxe", "private", "bkmkstart", "bkmkend", "filetbl"}
    | {"annotation", "atnid", "atnauthor", "atnref", "atntime", "atndate", "objdata", "pn", "do", "themedata", "tcn"}
    | {"listtable", "listoverridetable", "revtbl", "rsidtbl", "generator"}
    | {"ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "pgptbl", "xmlnstbl", "datastore", "template"}
)
"""Groups whose text is not the document's."""
_STARRED = frozenset({"shppict", "shpinst", "nesttableprops", "shptxt", "fldrslt", "footnote"})
"""Groups that older readers may pass over, and this one does not."""
_SINKS = {
    "footnote": "note",
    "shptxt": "box",
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "Header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "Footer"),
}
_KINDS = {
    "fonttbl": "fonttbl",
    "stylesheet": "stylesheet",
    "fldinst": "fldinst",
    "sn": "sn",
    "sv": "sv",
    "listtext": "label",
    "pntext": "label",
    "pict": "pict",
    "nesttableprops": "nesttableprops",
}
"""Groups whose content is read, but is not text, by the kind of what they hold."""
_OLD_CODECS = {"mac": "mac_roman", "pca": "cp850", "pc": "cp437"}
_BLIPS = ("pngblip", "jpegblip", "emfblip", "wmetafile", "macpict", "dibitmap", "wbitmap", "pmmetafile")


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a rich text file.

    Raises:
        BrokenError: it is empty, or no such file.
    """
    content = source.path.read_bytes()
    if not content.lstrip().startswith(b"{\\rtf"):
        raise BrokenError("broken rtf: it does not begin as one" if content.strip() else "empty file")
    with vendor_errors("rtf"):
        reader = _Reader(pictures=options.images != "off")
        reader.read(content)
    elements = flow_elements([*reader.edges("Header"), *reader.root.finish(), *reader.edges("Footer")], source.id)
    return Partition(elements=elements, images=reader.images, warnings=tuple(dict.fromkeys(reader.warnings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """What holds until the end of a group; ``kind`` is the destination whose text is read."""

    kind: str = "text"
    starred: bool = False
    fresh: bool = True
    hidden: bool = False
    bold: bool = False
    half_points: int = 24
    font: int = 0
    skip: int = 1
    opens: str = ""


@dataclass(slots=True, kw_only=True)
class _Picture:
    """A picture whose digits are being read."""

    kind: str = ""
    digits: list[bytes] = field(default_factory=list)
    raw: bytes = b""
    alt: str = ""


class _Reader:
    """Follows a file's tokens; what it finds goes to the sink that is open: the text, a note, a box."""

    def __init__(self, *, pictures: bool) -> None:
        self.pictures = pictures
        self.images: dict[str, bytes] = {}
        self.warnings: list[str] = []
        self.root = Sink(kind="root")
        self._edges: dict[str, list[str]] = {"Header": [], "Footer": []}
        self._sinks = [self.root]
        self._groups = [_Group()]
        self._codec = "cp1252"
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, str] = {}
        self._naming = (0, "")
        self._waiting = bytearray()
        self._skip = 0
        self._picture = _Picture()
        self._instruction = ""
        self._alt: tuple[str, str] = ("", "")

    def edges(self, kind: str) -> Iterator[Block]:
        """The headers or footers of the pages, each once."""
        return (Block(category=kind, text=text) for text in dict.fromkeys(self._edges[kind]) if text)

    def read(self, content: bytes) -> None:
        """Follow all tokens."""
        at = 0
        while found := _TOKEN.match(content, at):
            at = found.end()
            word, number, digits, symbol, brace, text = found.groups()
            if digits is not None:
                self._byte(int(digits, 16))
            elif text is not None:
                self._text(text)
            elif brace is not None:
                self._open() if brace == b"{" else self._close()
            elif word is not None:
                value = int(number) if number else None
                if word == b"bin":
                    self._picture.raw += content[at : at + max(value or 0, 0)]
                    at += max(value or 0, 0)
                else:
                    self._word(word.decode("ascii"), value)
            elif symbol is not None:
                self._symbol(symbol.decode("latin-1"))
        if len(self._groups) > 1:
            self.warnings.append("the file ends early: what followed is lost")
            while len(self._groups) > 1:
                self._close()
        self._flush()

    # Groups.

    @property
    def _group(self) -> _Group:
        return self._groups[-1]

    def _set(self, **changes: object) -> None:
        self._groups[-1] = replace(self._group, **changes)  # type: ignore[arg-type]

    def _open(self) -> None:
        self._flush()
        if len(self._groups) > MAX_GROUPS:
            raise BrokenError("broken rtf: nested too deep")
        self._groups.append(replace(self._group, fresh=True, starred=False, opens=""))

    def _close(self) -> None:
        self._flush()
        if len(self._groups) == 1:
            return
        closed = self._groups.pop()
        if closed.opens == "pict":
            self._end_picture()
        elif closed.opens in ("fonttbl", "stylesheet"):
            self._naming = (0, "")
        elif closed.opens == "sv" and self._alt[0] == "wzDescription":
            self._describe(self._alt[1])
        elif closed.opens in _SINKS and len(self._sinks) > 1:
            self._end_sink(_SINKS[closed.opens])
        if closed.kind == "stylesheet" and self._naming[1]:
            self._styles[self._naming[0]] = self._naming[1].strip().rstrip(";").lower()
            self._naming = (0, "")

    def _describe(self, text: str) -> None:
        if any(group.opens == "pict" for group in self._groups):
            self._picture.alt = text
        else:
            self._sinks[-1].describe(text)

    def _end_sink(self, kind: str) -> None:
        sink = self._sinks.pop()
        blocks = sink.finish()
        text = " ".join(b.text for b in blocks if b.text)
        if kind in self._edges:
            self._edges[kind].append(text)
        elif kind == "note":
            self._sinks[-1].after(Block(category="NarrativeText", text=text, is_plain=False))
        else:
            for block in blocks:
                self._sinks[-1].after(block)

    # Words.

    def _word(self, word: str, value: int | None) -> None:
        self._flush(keep_skip=word == "u")
        if self._group.fresh and word != "u":
            self._set(fresh=False)
            if self._enter(word):
                return
        if word == "u":
            self._unicode(value or 0)
        elif word in _CHARACTERS:
            self._put(_CHARACTERS[word])
        elif word in _LETTERS and self._group.kind not in ("fonttbl", "stylesheet", "pict"):
            self._set(**_LETTERS[word](value))
        else:
            self._obey(word, value)

    def _obey(self, word: str, value: int | None) -> None:
        """Do what a word says that is neither a character nor on letters."""
        kind = self._group.kind
        if kind in ("fonttbl", "stylesheet"):
            self._name(word, value)
        elif kind == "pict":
            self._picture.kind = word if word in _BLIPS else self._picture.kind
        elif word == "ansicpg":
            self._codec = _known(f"cp{value}") or self._codec
        elif word in _OLD_CODECS:
            self._codec = _OLD_CODECS[word]
        elif kind in ("text", "nesttableprops"):
            self._sinks[-1].word(word, value, self._styles, nested=kind == "nesttableprops")

    def _enter(self, word: str) -> bool:
        """Enter the destination that a group opens with, if its first word names one."""
        kind = self._destination(word)
        if kind is None:
            return False
        if kind == "fldinst":
            self._instruction = ""
        elif kind == "pict":
            self._picture = _Picture()
        elif kind == "sn":
            self._alt = ("", "")
        elif kind == "text":
            self._sinks.append(Sink(kind=_SINKS[word]))
        self._set(kind=kind, opens=word)
        return True

    def _destination(self, word: str) -> str | None:
        """The kind of the destination that a word names, in the group where it stands."""
        if self._group.kind == "silent":
            return None
        if self._group.kind == "pict":
            # Its properties may say what it shows.
            return "properties"
        if word == "fldrslt":
            return "silent" if self._instruction.strip().upper().startswith("TOC") else None
        if word in _KINDS:
            return _KINDS[word]
        if word in _SINKS:
            return "text"
        silent = word in _SILENT or (self._group.starred and word not in _STARRED)
        return "silent" if silent and self._group.kind not in ("fonttbl", "stylesheet") else None

    def _name(self, word: str, value: int | None) -> None:
        """A word in the table of fonts or of styles."""
        if self._group.kind == "fonttbl":
            if word == "f":
                self._naming = (value or 0, "")
            elif word == "fcharset" and value in _CODEPAGES:
                self._fonts[self._naming[0]] = _CODEPAGES[value]
        elif word in ("s", "cs", "ds", "ts"):
            self._naming = (value or 0 if word == "s" else -1, "")

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._set(starred=True)
        elif symbol in _CHARACTERS:
            self._flush()
            self._set(fresh=False)
            self._put(_CHARACTERS[symbol])
        elif symbol in "\r\n":
            self._word("par", None)

    # Text.

    def _byte(self, value: int) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._waiting.append(value)

    def _text(self, text: bytes) -> None:
        cut = min(self._skip, len(text))
        self._skip -= cut
        if self._group.kind == "pict":
            self._picture.digits.append(text)
        else:
            self._waiting += text[cut:]

    def _unicode(self, value: int) -> None:
        self._put(chr(value & 0xFFFF))
        self._skip = self._group.skip

    def _flush(self, *, keep_skip: bool = False) -> None:
        """Decode the bytes that wait: one character may have several, written in any way."""
        if not keep_skip:
            self._skip = 0
        if self._waiting:
            codec = self._fonts.get(self._group.font, self._codec)
            text = bytes(self._waiting).decode(codec, "replace")
            self._waiting.clear()
            self._put(text)

    def _put(self, text: str) -> None:
        kind = self._group.kind
        if kind == "text" and not self._group.hidden:
            self._sinks[-1].text(text, bold=self._group.bold, size=self._group.half_points / 2)
        elif kind == "label":
            self._sinks[-1].label(text)
        elif kind == "stylesheet":
            self._naming = (self._naming[0], self._naming[1] + text)
        elif kind == "fldinst":
            self._instruction += text
        elif kind == "sn":
            self._alt = (self._alt[0] + text, "")
        elif kind == "sv":
            self._alt = (self._alt[0], self._alt[1] + text)

    # Pictures.

    def _end_picture(self) -> None:
        picture, self._picture = self._picture, _Picture()
        if not self.pictures:
            return
        digits = re.sub(rb"[^0-9a-fA-F]", b"", b"".join(picture.digits))
        content = picture.raw or bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
        stored = picture_png(content) if picture.kind in ("pngblip", "jpegblip") else None
        if stored is None:
            self.warnings.append("a picture of a type that is not read, or too large")
            return
        self.images[stored[0]] = stored[1]
        self._sinks[-1].picture(stored[0], picture.alt)


def _known(codec: str) -> str | None:
    try:
        "".encode(codec)
    except LookupError:
        return "utf-8" if codec == "cp65001" else None
    return codec


def _is_on(value: int | None) -> bool:
    return value is None or value != 0


_LETTERS: dict[str, Callable[[int | None], dict[str, object]]] = {
    "b": lambda value: {"bold": _is_on(value)},
    "fs": lambda value: {"half_points": value or 24},
    "f": lambda value: {"font": value or 0},
    "uc": lambda value: {"skip": 1 if value is None else max(value, 0)},
    "v": lambda value: {"hidden": _is_on(value)},
    "deleted": lambda value: {"hidden": _is_on(value)},
    "plain": lambda _: {"bold": False, "half_points": 24, "hidden": False},
}
"""What a word changes in the letters after it."""
