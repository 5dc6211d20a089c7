"""What a table's cell holds: an amount with its unit, a date, a text, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from retrievers.table_words import MONTHS, canonical

_MARKS = re.compile(r"[\u00b9\u00b2\u00b3\u2070-\u2079*\u2020\u2021]+$|\s*\[(?:\d{1,2}|[a-z])\]$|\s+\([a-z]\)$")
"""Marks of footnotes at the end of a cell."""
_MISSING = re.compile(
    r"(?:[-\u2010-\u2015\u2212.\u2026\u00b7xX/]{1,3}|n\.?\s?/?\s?[ad]\.?|none|nil|not available|unknown)?",
    re.IGNORECASE,
)
_CURRENCY = r"us\$|[$\u20ac\u00a3\u00a5]|usd|eur|gbp|chf|jpy|cad|aud|sek|nok|dkk|inr|pln"
_SCALE = r"thousands?|millions?|billions?|trillions?|mn|mln|m|bn|k|tsd\.?|mio\.?|mrd\.?"
_AMOUNT = re.compile(
    rf"(?P<sign>[-+\u2212\u2013])?\s*(?P<cur0>{_CURRENCY})?\s*(?P<open>\()?\s*(?P<cur>{_CURRENCY})?\s*(?P<sign2>[-+\u2212\u2013])?\s*"
    rf"(?P<digits>\d[\d.,'\u2019 \u00a0\u202f\u2009]*|[.,]\d+)\s*"
    rf"(?:(?P<scale>{_SCALE})(?!\w))?\s*(?P<unit>%|{_CURRENCY}|[a-z\u00b0\u00b5/]{{1,10}}[\u00b2\u00b3]?)?\s*(?P<close>\))?\s*(?P<late>%)?",
    re.IGNORECASE,
)
_COMMA_DECIMAL = re.compile(
    r"(?<![\d.,])\d+(?:\.\d{3})*,\d{1,2}(?!\d)|\d\.\d{3},\d|(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?!\d)"
)
_POINT_DECIMAL = re.compile(r"\d\.\d{1,2}(?!\d)|\d,\d{3}(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20|21)\d\d(?!\d)")
_DATE = re.compile(
    r"\d{4}-\d{1,2}(?:-\d{1,2})?|\d{1,2}[./]\s?\d{1,2}[./]\s?\d{4}|\d{1,2}(?:st|nd|rd|th|\.)?\s+[^\W\d_]{3,9}\.?,?\s+\d{4}"
    r"|[^\W\d_]{3,9}\.?\s+(?:\d{1,2},?\s+)?\d{4}",
    re.IGNORECASE,
)
POWERS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALES = {
    **dict.fromkeys(("k", "tsd", "'000", "000"), "thousand"),
    **dict.fromkeys(("m", "mn", "mln", "mio", "mm"), "million"),
    **dict.fromkeys(("bn", "mrd", "b"), "billion"),
}
_SIGNS = {
    "usd": "$",
    "us$": "$",
    "dollar": "$",
    "eur": "\u20ac",
    "euro": "\u20ac",
    "gbp": "\u00a3",
    "pound": "\u00a3",
    "jpy": "\u00a5",
}
_UNIT_WORD = re.compile(
    r"%|per\s?cent|[$\u20ac\u00a3\u00a5]|['\u2019]000|\b(?:us\$|usd|eur|gbp|chf|jpy|cad|aud|sek|nok|dkk|inr|pln|euros?|dollars?|pounds?"
    r"|thousands?|millions?|billions?|trillions?|mn|mln|mio|bn|mrd|tsd)\b|(?<=[$\u20ac\u00a3])[mk](?:n|bn)?\b",
    re.IGNORECASE,
)
_UNIT_ALONE = re.compile(
    r"%|\u2030|\u00b0[CF]|[$\u20ac\u00a3\u00a5](?: (?:thousand|million|billion|m|bn|k))?"
    r"|(?:thousand|million|billion) [$\u20ac\u00a3\u00a5]"
    r"|(?:[munkMGTc\u00b5]?(?:m|g|l|s|W|Wh|Pa|Hz|V|A|mol|S)|[ckm]?m[\u00b2\u00b323]"
    r"|ha|t|h|min|d|ppm|ppb|dB|K|days|hours|minutes|years|tonnes|metres|litres)"
    r"(?:/(?:[munk\u00b5]?(?:g|l|m|s)|ha|h|d|[kM]Wh|c?m[\u00b2\u00b323]?|year))?"
)
_STATED = re.compile(
    r"\b(?:in|amounts in|figures in)\s+([^\s,;.()]+(?:\s+(?:of|thousand|million|billion|euros?|dollars?|\S{1,2}))*)"
)

_QUALIFIES = frozenset(
    """loss losses expense expenses benefit deficit surplus income gain gains charge net gross total restated audited
    unaudited adjusted estimate estimated provisional revised actual budget plan planned forecast new old continued
    decrease increase other note notes""".split()
)
"""Words in brackets that tell more of what is counted, and no unit."""


class Amount(NamedTuple):
    """A number as a cell has it: its value as printed, decimal places, and what unit stands in the cell."""

    value: float
    places: int
    unit: str


def without_marks(text: str) -> str:
    """A label without the marks of footnotes at its end."""
    return _MARKS.sub("", text.strip()) or text


def is_unit(text: str) -> bool:
    """Whether a text is a unit and nothing else, as in a row of units below the names of columns."""
    return _UNIT_ALONE.fullmatch(text.strip("()[] ")) is not None


def is_missing(text: str) -> bool:
    """Whether a cell says that it has no value."""
    return _MISSING.fullmatch(text.strip()) is not None


def has_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether the numbers of a table have a comma before their decimals."""
    joined = " | ".join(texts)
    return len(_COMMA_DECIMAL.findall(joined)) > len(_POINT_DECIMAL.findall(joined))


def read_amount(text: str, *, comma: bool = False) -> Amount | None:
    """The amount of a cell: brackets or a minus sign make it negative; ``None`` where it holds something else."""
    bare = _MARKS.sub("", text.strip())
    m = _AMOUNT.fullmatch(bare)
    if m is None or bool(m["open"]) != bool(m["close"]) or canonical((m["unit"] or "").lower()) in MONTHS:
        return None
    digits = re.sub(r"[\s'\u2019]", "", m["digits"])
    if not comma and re.fullmatch(r"\d+,\d{1,2}", digits):
        comma = True
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    if digits.count(".") > 1 or digits.endswith("."):
        return None
    negative = (m["sign"] or m["sign2"] or "+") != "+" or bool(m["open"])
    places = len(digits.partition(".")[2])
    value = float(digits)
    scale = _scale(m["scale"] or "")
    sign = _sign(m["cur0"] or m["cur"] or m["unit"] or "")
    unit = " ".join(filter(None, (sign, scale))) or ("%" if m["late"] else "")
    return Amount(-value if negative else value, places, unit)


def is_bound(text: str) -> bool:
    """Whether a cell holds a limit in place of a value, as "<0.5" does."""
    return text[:1] in "<>\u2264\u2265" and read_amount(text[1:]) is not None


def _scale(word: str) -> str:
    word = word.lower().rstrip(".")
    return _SCALES.get(word, word.removesuffix("s"))


def _sign(word: str) -> str:
    low = word.lower()
    return _SIGNS.get(
        low.removesuffix("s"), low.upper() if re.fullmatch(r"chf|cad|aud|sek|nok|dkk|inr|pln", low) else word
    )


def read_unit(text: str) -> str:
    """The unit that a header or caption states: in brackets, after "in", or as a sign; empty when it states none."""
    for inside in re.findall(r"[\(\[]([^()\[\]]{1,40})[\)\]]", text):
        bare = re.sub(r"^(?:in|all in|amounts in)\s+", "", inside.strip())
        found = _known_unit(bare)
        if _QUALIFIES & set(re.findall(r"[a-z]+", bare.lower())):
            continue
        if found or (len(bare.split()) <= 2 and not any(c.isdigit() for c in bare) and len(bare) <= 12):
            return "" if bare.lower() in ("number", "count", "no.", "n") else found or bare
    stated = _STATED.search(text)
    if stated and len(stated[1]) <= 30:
        return _known_unit(stated[1]) or (stated[1] if stated[1].islower() and stated[1].isalpha() else "")
    return _known_unit(text)


def _known_unit(text: str) -> str:
    words = [w.lower() for w in _UNIT_WORD.findall(text)]
    if any(w == "%" or w.startswith("per") for w in words):
        return "%"
    signs = [
        s
        for s in (
            _SIGNS.get(w.removesuffix("s"), w if not w.isalpha() and w not in ("'000", "\u2019000") else "")
            for w in words
        )
        if s
    ]
    codes = [w.upper() for w in words if re.fullmatch(r"chf|cad|aud|sek|nok|dkk|inr|pln", w)]
    scales = [s for s in (_scale(w.lstrip("\u2019'")) for w in words) if s in POWERS]
    return " ".join([*(signs or codes)[:1], *scales[:1]])


def power_of(unit: str) -> int:
    """The power of ten that a unit's scale word stands for."""
    return next((power for word, power in POWERS.items() if word in unit.split()), 0)


def is_date(text: str) -> bool:
    """Whether a cell holds a day or month of a year."""
    return _DATE.fullmatch(text.strip()) is not None


def years_in(text: str) -> list[str]:
    """The years that a text names."""
    return _YEAR.findall(text)


def month_in(text: str) -> str:
    """The month of a date, as a canonical word; empty where it is not told."""
    named = next((w for w in map(canonical, re.findall(r"[a-z]+", text.lower())) if w in MONTHS), "")
    iso = re.match(r"\s*\d{4}-(\d{1,2})", text) or re.match(r"\s*\d{1,2}\.\s?(\d{1,2})\.", text)
    return named or (MONTHS[int(iso[1]) - 1] if iso and 1 <= int(iso[1]) <= 12 else "")
