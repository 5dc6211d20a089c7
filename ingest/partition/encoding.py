"""Bytes to text: byte order marks, declared charsets, UTF-8, and what is left when none of them holds."""

from __future__ import annotations

import codecs
import re

from ingest.errors import BrokenError

ZERO_SHARE = 0.05
"""Share of zero bytes among the units of UTF-16 at least: the spaces of a text in another alphabet."""
GUESS_BYTES = 200_000
"""Bytes that a charset is guessed from."""
FOREIGN_SHARE = 0.3
"""A text with more letters than this beyond ASCII is in no Western language, and its charset is guessed."""
FOREIGN_LETTERS = 16
"""Letters beyond ASCII that a guess needs at least."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,99}?encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I
)
_WIDER = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis", "sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5hkscs"),
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
}
"""Charsets that browsers read as ones that hold more, because pages name the one and are written in the other."""
_FOREIGN = (
    *("cp1251", "koi8_r", "iso8859_5", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""Charsets of other alphabets: those that a guess may choose from."""
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[\xa1\xa2\xa3\xa5\xaf\xb2\xb3\xb9\xbc-\xbf](?=[^\W\d_])")
"""Signs that stand inside words where a Central European text is read as a Western one."""
_STRAY = re.compile("[\udc80-\udcff]+")


def declared_charset(content: bytes) -> str | None:
    """The charset that HTML names in its first bytes, as browsers take it."""
    found = _CHARSET.search(content[:4096])
    if found is None:
        return None
    name = found[1].decode("ascii", "replace").lower()
    # A text that names its charset in ASCII cannot be in UTF-16.
    return "utf-8" if name.startswith(("utf-16", "utf-32", "utf16", "utf32")) else _WIDER.get(name, name)


def known_charset(name: str) -> str | None:
    """A charset by a name such as HTTP gives, as browsers take it; ``None`` if there is none of it."""
    wider = _WIDER.get(name.strip().strip("\"'").lower(), name.strip().strip("\"'").lower())
    try:
        return codecs.lookup(wider).name
    except LookupError:
        return None


def decode(content: bytes, declared: str | None = None) -> str:
    """The text of a file.

    In this order: its byte order mark; UTF-16 without a mark, told by its zero bytes; UTF-8 wherever it holds and is
    not mere ASCII, as no other charset looks like it by chance; the declared charset; a guess for other alphabets;
    Windows-1252. Single bytes of Windows-1252 amid UTF-8, as files get that were glued together, are read as such.

    Raises:
        BrokenError: the file is empty or holds binary data.
    """
    if not content.strip():
        raise BrokenError("empty file")
    marked = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    if marked is None and b"\0" in content:
        marked = _unmarked_utf16(content)
        if marked is None:
            raise BrokenError("binary data, not text")
    names = (marked,) if marked else _candidates(content, declared)
    for name in filter(None, names):
        try:
            return content.decode(name)
        except (UnicodeError, LookupError):
            continue
    if marked in ("utf-16", "utf-32", "utf-16-le", "utf-16-be"):
        return content.decode(marked, "replace")
    return _mixed(content)


def _candidates(content: bytes, declared: str | None) -> tuple[str | None, ...]:
    return ("utf-8", declared) if not content.isascii() else (declared, "utf-8")


def _unmarked_utf16(content: bytes) -> str | None:
    """UTF-16 without a mark: zero bytes stand on one side of its units alone, and its text has no odd characters."""
    head = content[:4096][: len(content[:4096]) // 2 * 2]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(head) < 16 or min(even, odd) or max(even, odd) < ZERO_SHARE * len(head) / 2:
        return None
    name = "utf-16-le" if odd else "utf-16-be"
    text = head.decode(name, "replace")
    return name if all(char.isprintable() or char.isspace() for char in text) else None


def _mixed(content: bytes) -> str:
    """Text that is no UTF-8 throughout: its valid sequences are, the other bytes are of the charset that fits."""
    text = content.decode("utf-8", "surrogateescape")
    stray = sum(map(len, _STRAY.findall(text)))
    valid = sum(char > "\x7f" for char in text) - stray
    if valid * 2 > stray:
        return _STRAY.sub(lambda found: _raw(found[0]).decode("cp1252", "replace"), text)
    letters = sum(char.isalpha() for char in text) + stray
    if stray >= FOREIGN_LETTERS and stray > FOREIGN_SHARE * letters:
        return content.decode(_guessed(content), "replace")
    western, central = content.decode("cp1252", "replace"), content.decode("cp1250", "replace")
    signs = len(_SIGN_IN_WORD.findall(western))
    return central if signs > 2 and not _SIGN_IN_WORD.search(central) else western


def _raw(text: str) -> bytes:
    """The bytes that lone surrogates stand for."""
    return text.encode("utf-8", "surrogateescape")


def _guessed(content: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:GUESS_BYTES], cp_isolation=list(_FOREIGN)).best()
    return best.encoding if best is not None else "cp1252"
