"""Number formats: what a spreadsheet shows of a stored number, by its format code (ECMA-376 part 1, 18.8.30/31).

A date whose look depends on the reader's own settings is shown as an ISO day. Month and day names are English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

Kind = Literal["text", "number", "date", "bool"]

GENERAL = "General"
BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: "$#,##0;-$#,##0",
    6: "$#,##0;-$#,##0",
    7: "$#,##0.00;-$#,##0.00",
    8: "$#,##0.00;-$#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    41: "#,##0;-#,##0;-",
    42: "$#,##0;-$#,##0;$-",
    43: "#,##0.00;-#,##0.00;-",
    44: "$#,##0.00;-$#,##0.00;$-",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "0.0E+0",
    49: "@",
}
"""Codes of the numbers that files use without defining them; 14 and 22, which follow the reader's settings, as ISO."""
LAST_DAY = 2_958_466
"""The day after 9999-12-31, where calendars of spreadsheets end."""
MAX_PLACES = 20
PRECISION = 27
"""Digits that decimal numbers are rounded to at most."""

_TOKEN = re.compile(
    r'"[^"]*"?|\\.|_.|\*.|\[[^\]]*\]|AM/PM|A/P|y+|m+|d+|h+|s+|\.0+|E[+-]0+|[0#?]+|.', re.IGNORECASE | re.DOTALL
)
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_CURRENCY = re.compile(r"\[\$([^\]-]*)")


def show(value: float, code: str = GENERAL, *, from_1904: bool = False) -> tuple[str, Kind]:
    """What a cell shows of its number, and whether that is a number or a date.

    ``from_1904`` counts days as old Macintosh files do.
    """
    sections = _sections(code)
    if _is_date(sections[0]) and 0 <= value < LAST_DAY:
        return _date(value, sections[0], from_1904=from_1904), "date"
    place = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[place]
    if not section and len(sections) > 1:
        return "", "number"
    sign = "-" if value < 0 and place == 0 else ""
    if _is_general(section) or _is_date(section):
        return sign + general(abs(value)), "number"
    return _number(abs(value), section, sign), "number"


def general(value: float) -> str:
    """A number without a format: ten digits at most, no needless zeros."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"


@lru_cache(maxsize=500)
def _sections(code: str) -> tuple[tuple[str, ...], ...]:
    """The tokens of the up to four parts of a code: above zero, below zero, zero, text."""
    parts: list[list[str]] = [[]]
    for piece in _TOKEN.findall(code[:500]):
        if piece == ";":
            parts.append([])
        else:
            parts[-1].append(piece)
    return tuple(map(tuple, parts))


def _is_general(section: Sequence[str]) -> bool:
    plain = "".join(t for t in section if not t.startswith("[")).lower()
    return plain in ("", "general", "@")


@lru_cache(maxsize=500)
def _is_date(section: tuple[str, ...]) -> bool:
    return not _is_general(section) and any(_ELAPSED.fullmatch(t) or t[0].lower() in "ymdhs" for t in section)


# Dates.


def _date(value: float, section: Sequence[str], *, from_1904: bool) -> str:
    if from_1904:
        value += 1462
    # The first spreadsheets took 1900 for a leap year, so days before its 1 March count from another day.
    start = datetime(1899, 12, 30) if value >= 60 else datetime(1899, 12, 31)  # noqa: DTZ001 (cells have no zone)
    moment = start + timedelta(milliseconds=round(value * 86_400_000))
    if not any(re.match(r"\.0", t) for t in section):
        moment += timedelta(milliseconds=500)
    halves = any(t.upper() in ("AM/PM", "A/P") for t in section)
    shown = (_date_token(n, section, moment, value, halves=halves) for n in range(len(section)))
    return "".join(shown).strip()


def _date_token(n: int, section: Sequence[str], moment: datetime, value: float, *, halves: bool) -> str:
    token = section[n]
    letter, length = token[0].lower(), len(token)
    elapsed = _ELAPSED.fullmatch(token)
    if elapsed:
        seconds = round(value * 86_400)
        return str(seconds // {"h": 3600, "m": 60, "s": 1}[elapsed[1][0].lower()]).zfill(len(elapsed[1]))
    if token.upper() in ("AM/PM", "A/P"):
        return ("AM" if moment.hour < 12 else "PM")[: length // 2]
    if letter == "y":
        return f"{moment.year:04}" if length > 2 else f"{moment.year % 100:02}"
    if letter == "m" and _is_minute(n, section):
        return f"{moment.minute:02}" if length > 1 else str(moment.minute)
    if letter == "m":
        return _named(moment.month, _MONTHS[moment.month - 1], length)
    if letter == "d":
        return _named(moment.day, _DAYS[moment.weekday()], length)
    if letter == "h":
        hour = (moment.hour - 1) % 12 + 1 if halves else moment.hour
        return f"{hour:02}" if length > 1 else str(hour)
    if letter == "s":
        return f"{moment.second:02}" if length > 1 else str(moment.second)
    if re.fullmatch(r"\.0+", token):
        return f".{moment.microsecond:06}"[:length]
    return _literal(token)


def _named(number: int, name: str, length: int) -> str:
    return (str(number), f"{number:02}", name[:3], name, name[:1])[min(length, 5) - 1]


def _is_minute(n: int, section: Sequence[str]) -> bool:
    """Whether an ``m`` stands after hours or before seconds."""
    units = [(i, t.strip("[")[0].lower()) for i, t in enumerate(section) if _is_unit(t)]
    place = next(k for k, (i, _) in enumerate(units) if i == n)
    before = units[place - 1][1] if place else ""
    after = units[place + 1][1] if place + 1 < len(units) else ""
    return before == "h" or after == "s"


def _is_unit(token: str) -> bool:
    return _ELAPSED.fullmatch(token) is not None or token[0].lower() in "ymdhs"


def _literal(token: str) -> str:
    if token.startswith('"'):
        return token.strip('"')
    if token.startswith("\\"):
        return token[1:]
    if token[0] in "_*" and len(token) > 1:
        return " " if token[0] == "_" else ""
    if token.startswith("["):
        found = _CURRENCY.match(token)
        return found[1] if found else ""
    return token


# Numbers.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mask:
    """How a section shows a number: what stands around its digits, their places, grouping and scale."""

    before: str
    after: str
    digits: str
    least: int
    places: int
    least_places: int
    grouped: bool
    divisor: int
    percents: int
    exponent: int
    has_digits: bool


def _number(value: float, section: tuple[str, ...], sign: str) -> str:
    if "/" in section and any("?" in t or "#" in t for t in section):
        return sign + _fraction(value, section)
    mask = _mask(section)
    if not mask.has_digits:
        return (sign + mask.before).strip()
    exact = Decimal(repr(value)) * 100**mask.percents / mask.divisor
    if mask.exponent:
        shown = f"{exact:.{mask.places}E}"
        mantissa, _, power = shown.partition("E")
        shown = f"{mantissa}E{power[0]}{power[1:].zfill(mask.exponent)}"
    elif "-" in mask.digits or " " in mask.digits:
        shown = _filled(exact, mask.digits)
    else:
        shown = _decimal(exact, mask)
    zero = not any(c in "123456789" for c in shown)
    return " ".join(f"{'' if zero else sign}{mask.before}{shown}{mask.after}".split())


def _decimal(exact: Decimal, mask: _Mask) -> str:
    if exact.adjusted() > 60:
        return f"{exact:E}"
    rounded = (
        exact.quantize(Decimal(1).scaleb(-mask.places), ROUND_HALF_UP)
        if exact.adjusted() + mask.places < PRECISION
        else exact
    )
    shown = format(rounded, ",f" if mask.grouped else "f")
    whole, _, part = shown.partition(".")
    kept = part[: mask.least_places] + part[mask.least_places :].rstrip("0")
    whole = whole.zfill(mask.least) if not mask.grouped else whole
    whole = "" if whole == "0" and not mask.least and kept else whole
    return f"{whole}.{kept}" if kept else whole


def _filled(exact: Decimal, digits: str) -> str:
    """The digits of a number in a mask such as ``000-00-0000``."""
    left = list(str(int(exact.to_integral_value(ROUND_HALF_UP))))
    out: list[str] = []
    for place in reversed(digits):
        if place in "0#?":
            out.append(left.pop() if left else "0" if place == "0" else "")
        else:
            out.append(place)
    return "".join((*left, *reversed(out)))


def _fraction(value: float, section: tuple[str, ...]) -> str:
    shown = "".join(map(_literal, section))
    below = shown.partition("/")[2].strip()
    fixed = re.match(r"[1-9]\d*", below)
    limit = 10 ** max(1, min(4, sum(c in "#?0" for c in below))) - 1
    whole = int(value) if re.search(r"[#0?]\s", shown.partition("/")[0].lstrip()) else 0
    rest = Fraction(value - whole)
    part = Fraction(round(rest * int(fixed[0])), int(fixed[0])) if fixed else rest.limit_denominator(limit)
    if not part:
        return str(whole)
    return f"{whole or ''} {part.numerator}/{part.denominator}".strip()


@lru_cache(maxsize=500)
def _mask(section: tuple[str, ...]) -> _Mask:
    """Read a section of a code."""
    places = [n for n, t in enumerate(section) if t[0] in "0#?" or re.fullmatch(r"\.0+", t)]
    first, last = (places[0], places[-1]) if places else (len(section), len(section))
    exponent = next((len(t) - 2 for t in section if re.fullmatch(r"E[+-]0+", t, re.IGNORECASE)), 0)
    core = "".join(t for t in section[first : last + 1] if not t.startswith('"')).replace("\\", "")
    whole, point, part = core.partition(".")
    rest = section[last + 1 :]
    scaled = next((n for n, t in enumerate(rest) if t != ","), len(rest))
    scale = scaled + len(whole) - len(whole.rstrip(",")) if not point else len(whole) - len(whole.rstrip(","))
    scale += scaled if point else 0
    # A point with nothing behind it is shown by no one.
    after = [t for t in rest[scaled:] if not re.fullmatch(r"E[+-]0+", t, re.IGNORECASE)]
    return _Mask(
        before="".join(map(_literal, section[:first])),
        after="".join(map(_literal, after)),
        digits=whole if not point else "",
        least=whole.count("0"),
        places=min(MAX_PLACES, sum(c in "0#?" for c in part)),
        least_places=min(MAX_PLACES, part.count("0")),
        grouped="," in whole.rstrip(","),
        divisor=1000 ** min(scale, 4),
        percents=section.count("%"),
        exponent=exponent,
        has_digits=bool(places),
    )
