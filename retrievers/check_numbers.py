"""Numbers and dates of a text as values: digits or words, any separators, sign, scale, unit and currency."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

Language = Literal["en", "de", "fr", "es", "other"]

_MONTHS = """january jan januar janvier janv enero ene jänner | february feb februar février févr febrero |
    march mar märz mrz mars marzo | april apr avril avr abril abr | may mai mayo | june jun juni juin junio |
    july jul juli juillet juil julio | august aug août agosto ago | september sep sept septembre septiembre |
    october oct oktober okt octobre octubre | november nov novembre noviembre |
    december dec dezember dez décembre déc diciembre dic"""
MONTHS = {name: number for number, names in enumerate(_MONTHS.split("|"), 1) for name in names.split()}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY, _DAY_FIRST, _YEAR = r"\d{1,2}(?:st|nd|rd|th)?", r"\d{1,2}(?:st|nd|rd|th|er|\.?[oº]|\.)?", r"(?:1[5-9]|20|21)\d\d"
_S = r"[\s\u00a0\u202f\u2009]"
DATE = rf"""(?<![\w.,/-])(?:
    (?P<m1>{_MONTH})\.?{_S}+(?P<d1>{_DAY})(?:{_S}*,{_S}*|{_S}+)(?P<y1>{_YEAR})(?![\w%])
  | (?P<d2>{_DAY_FIRST}){_S}+(?:of{_S}+|de{_S}+)?(?P<m2>{_MONTH})\.?,?
        (?:{_S}+(?:of|de|del))?{_S}+(?P<y2>{_YEAR})(?![\w%])
  | (?P<y3>{_YEAR})-(?P<m3>\d\d)-(?P<d3>\d\d)(?![\w-])
  | (?P<d4>\d{{1,2}})\.{_S}?(?P<m4>\d{{1,2}})\.{_S}?(?P<y4>{_YEAR})(?!\w)
  | (?P<a5>\d{{1,2}})/(?P<b5>\d{{1,2}})/(?P<y5>{_YEAR})(?!\w)
  | (?P<m6>{_MONTH})\.?{_S}+(?P<d6>{_DAY})(?![\w%]|[.,]\d|{_S}*(?:million|billion|percent|per\b))
  | (?P<d7>{_DAY_FIRST}){_S}+(?:of{_S}+|de{_S}+)?(?P<m7>{_MONTH})(?!\w)
)"""

_CURRENCIES = {
    "USD": "us$ $ usd us-dollar us-dollars dollar dollars dólares",
    "EUR": "€ eur euro euros",
    "GBP": "£ gbp sterling",
    "JPY": "¥ jpy yen",
    "CHF": "chf",
    "INR": "₹ inr rupees rupee",
    "CAD": "c$ ca$ cad",
    "AUD": "a$ au$ aud",
    "HKD": "hk$ hkd",
    "SEK": "sek",
    "NOK": "nok",
    "DKK": "dkk",
    "CNY": "rmb cny",
    "BRL": "r$ brl",
    "PLN": "pln",
}
CURRENCY = {name: code for code, names in _CURRENCIES.items() for name in names.split()}
_SYMBOLS = "|".join(re.escape(n) for n in sorted(CURRENCY, key=len, reverse=True) if not n.isalpha())
_CODES = "|".join(n for n in CURRENCY if n.isalpha() and len(n) == 3 and n != "yen")
_NAMES = "|".join(sorted((re.escape(n) for n in CURRENCY if n[0].isalpha()), key=len, reverse=True))
_SCALES = {
    3: "thousand thousands tausend tsd k mil mille milliers",
    6: "million millions mn mln mio m millionen millón millones mill",
    9: "billion billions bn b milliarden milliarde mrd milliard milliards mds md",
    12: "trillion trillions tn billionen billón billones",
}
SCALES = {name: power for power, names in _SCALES.items() for name in names.split()} | {"mil millones": 9}
_GLUED = "k|mn|mln|mm|m|bn|b|tn"
_APART = "|".join(
    n.replace(" ", _S)
    for n in sorted((n for n in SCALES if len(n) > 1 and n not in {"mil", "mille", "mm"}), key=len, reverse=True)
)
_UNITS = {
    "%": r"%|percent(?!age)|per{S}cent|pct\b|prozent(?!punkt)|pour{S}cent|por{S}ciento",
    "pp": r"percentage[-\s]points?|prozentpunkten?|points?{S}de{S}pourcentage|puntos?{S}porcentuales|pp\b",
    "bp": r"basis{S}points?|bps?\b|basispunkten?|points?{S}de{S}base|puntos?{S}básicos",
}
_UNIT = "|".join(
    f"(?P<u_{'pct' if k == '%' else k}>{v.format(S=_S + '+').replace('{S}', _S)})" for k, v in _UNITS.items()
)
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {w: i for i, w in enumerate(_ONES)} | {w: 20 + 10 * i for i, w in enumerate(_TENS)}
_FOREIGN: dict[str, dict[str, int]] = {
    "de": dict(zip("zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split(), range(2, 13), strict=True)),
    "fr": dict(zip("deux trois quatre cinq six sept huit neuf dix onze douze".split(), range(2, 13), strict=True)),
    "es": dict(zip("dos tres cuatro cinco seis siete ocho nueve diez once doce".split(), range(2, 13), strict=True)),
}
_LESS = r"(?<!\bau\s)(?<!\bdu\s)(?<!\bou\s)moins|(?<!\bal\s)(?<!\blo\s)(?<!\bo\s)menos"
"""A minus in French and Spanish; "at least" and "more or less" hold the same word."""
_ONE_TEN = "|".join(sorted(_WORDS, key=len, reverse=True))
_SPELLED = (
    rf"(?:{'|'.join(_TENS)})[-\s](?:{'|'.join(_ONES[1:10])})|(?:{_ONE_TEN})(?:[\s-]hundred)?"
    r"|hundred(?=\s+(?:and|million))"
)
_DIGITS = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?(?!\.?\d)"
    r"|\d{1,3}(?:(?:[ \u00a0\u202f\u2009'\u2019])\d{3}(?!\d))+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|\.\d+"
)
NUMBER = rf"""(?:
    (?P<sign>(?<![\w)\]%.])[-\u2212\u2013\u2010\u2011](?=[$\u20ac\u00a3]?\.?\d)|\b(?:minus|negative|{_LESS}){_S}+(?=[$\u20ac\u00a3]?\.?\d))?
    (?:(?P<cur>(?<![\w$])(?:{_SYMBOLS})|(?<!\w)(?:{_CODES})(?={_S}?\(?-?\d)){_S}?(?P<sign2>[-\u2212\u2013](?=\d))?)?
    (?P<open>\((?:(?P<cur2>[$\u20ac\u00a3]){_S}?)?)?
    (?:(?P<digits>(?<![\w.])(?:{_DIGITS})(?!\d))|(?P<spelled>(?<![\w-])(?:{_SPELLED})(?!\w)))
    (?P<inpct>{_S}?%)?(?(open)(?P<close>\)))
    (?:(?P<glued>(?:{_GLUED})(?!\w))|(?:-|{_S}{{1,2}})?(?P<scale>(?:mio|mrd|tsd|mill|mds)\.?(?!\w)|(?:{_APART})(?!\w)))?
    (?:{_S}{{0,2}}(?:-(?=per|pct))?(?:{_UNIT})|{_S}{{0,2}}(?:d['\u2019]|de{_S})?(?P<after>\u20ac|\u00a3|(?:{_NAMES})(?![\w$])))?
    (?![^\W\d_])
)"""


_GROUP_MARKS = dict.fromkeys(map(ord, " \u00a0\u202f\u2009'\u2019"), "")


class Value(NamedTuple):
    """A number: ``key`` is equal for equal amounts of one unit; ``unit`` is ``%``, ``pp``, ``bp``, a currency or empty.

    ``key`` leaves out the unit. ``scaled`` says that a scale word stood beside it.
    """

    key: str
    unit: str
    scaled: bool
    amount: Decimal


def date_key(m: re.Match[str], language: Language = "en") -> str:
    """``yyyy-mm-dd`` of a match of ``DATE``; an unnamed year is ``--``.

    In German, French and Spanish the day stands first; elsewhere a date that may be either is left as written.
    """
    g = m.groupdict()
    for n in "123467":
        if g.get(f"m{n}"):
            month = g[f"m{n}"].lower()
            number = int(month) if month.isdigit() else MONTHS[month]
            day = int(re.sub(r"\D", "", g[f"d{n}"]))
            return f"{g.get(f'y{n}') or '--'}-{number:02}-{day:02}"
    a, b = int(g["a5"]), int(g["b5"])
    day_first = a > 12 or language in ("de", "fr", "es")
    if day_first or b > 12 or a == b:
        month_, day = (b, a) if day_first else (a, b)
        return f"{g['y5']}-{month_:02}-{day:02}"
    return f"{g['y5']}/{a}/{b}"


def read_number(m: re.Match[str], language: Language, *, in_table: bool = False) -> Value | None:
    """The value of a match of ``NUMBER``; ``None`` when it is no number (an article, say).

    Digits alone in brackets are a negative, as accounts write it; a percentage inside brackets is one only in a table.
    """
    if m[0].isdecimal():
        return _whole(m[0])
    g = m.groupdict()
    amount = _spelled(g["spelled"]) if g["spelled"] else _digits(g["digits"], language)
    if amount is None:
        return None
    scale = " ".join((g["glued"] or g["scale"] or "").lower().rstrip(".").split())
    power = SCALES.get(scale, 6 if scale == "mm" else 0)
    if scale.startswith("billion") and language == "de":
        power = 12
    amount = amount.scaleb(power)
    unit = "%" if g["inpct"] or g["u_pct"] else "pp" if g["u_pp"] else "bp" if g["u_bp"] else ""
    money = (g["cur"] or g["cur2"] or g["after"] or "").lower()
    unit = unit or CURRENCY.get(money, "")
    bracketed = bool(g["open"] and g["close"]) and (in_table or not g["inpct"])
    negative = bool(g["sign"] or g["sign2"]) != bracketed
    amount = -amount if negative else amount
    return Value(plain(amount), unit, bool(power), amount)


@lru_cache(maxsize=4096)
def _whole(digits: str) -> Value:
    amount = Decimal(digits)
    return Value(key=plain(amount), unit="", scaled=False, amount=amount)


def plain(amount: Decimal) -> str:
    """A decimal without exponent or trailing zeros, equal for equal amounts."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _digits(text: str, language: Language) -> Decimal | None:
    text = text.translate(_GROUP_MARKS)
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        decimal = "," if comma > point else "."
    elif text.count(",") > 1 or text.count(".") > 1:
        decimal = "." if text.count(",") > 1 else ","
    elif comma >= 0:
        thousands = len(text) - comma == 4 and comma <= 3 and language in ("en", "other") and not text.startswith("0")
        decimal = "." if thousands else ","
    elif point >= 0:
        thousands = (
            len(text) - point == 4 and 0 < point <= 3 and language in ("de", "fr", "es") and not text.startswith("0")
        )
        decimal = "," if thousands else "."
    else:
        decimal = "."
    other = "." if decimal == "," else ","
    return Decimal(text.replace(other, "").replace(decimal, "."))


def _spelled(text: str) -> Decimal:
    total = 0
    for word in re.split(r"[\s-]+", text.lower()):
        total = max(total, 1) * 100 if word == "hundred" else total + _WORDS[word]
    return Decimal(total)


def foreign_number(word: str, language: Language) -> int | None:
    """The value of a lower-case number word of German, French or Spanish, up to twelve."""
    return _FOREIGN.get(language, {}).get(word)


NUMBER_OPENERS = frozenset(
    [*_WORDS, "hundred", "minus", "negative", "moins", "menos", *(n for n in CURRENCY if n.isalpha())]
)
"""Lower-case words that a number may begin with."""
