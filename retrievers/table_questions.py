"""What a question asks of a table: the operation, the conditions, the span of periods, and the words left to match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from retrievers.language import without_form
from retrievers.table_values import power_of
from retrievers.table_words import asked_words, is_period, soft_words, words_of

Operation = Literal[
    "look-up", "max", "min", "top", "bottom", "sum", "average", "median", "count", "list", "difference", "growth",
    "share", "ratio",
]  # fmt: skip
Relation = Literal[">", ">=", "<", "<=", "="]

_NUMBERS = {w: n for n, w in enumerate("two three four five six seven eight nine ten".split(), 2)}
_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"(?:no|not) more than|at most|up to", "<="),
    (r"(?:no|not) (?:less|fewer) than|at least|a minimum of", ">="),
    (r"(?:more|greater|higher|larger|bigger|longer) than|above|over|exceed(?:ing|s|ed)?|in excess of", ">"),
    (r"(?:less|fewer|lower|smaller|shorter) than|below|under", "<"),
    (r"exactly|equal to", "="),
)
_FIGURE = (
    r"(?P<cur>[$\u20ac\u00a3]|usd |eur |gbp )?(?P<number>\d[\d,]*(?:\.\d+)?)\s?"
    r"(?P<scale>thousand|million|billion|mn|bn|k|m)?\b"
    r"(?P<pct>\s?(?:%|percent\b|per cent\b))?"
)
_CONDITION = re.compile(
    "(?:" + "|".join(f"(?P<r{n}>\\b(?:{pattern})\\b)" for n, (pattern, _) in enumerate(_RELATIONS)) + rf")\s*{_FIGURE}"
)
_OR_MORE = re.compile(_FIGURE + r"\s+or (?P<way>more|less|fewer|above|below)\b")
_YEARLY = re.compile(
    r"\b(?P<way>after|before|since|later than|earlier than|prior to)\s+(?P<year>(?:19|20)\d\d)\b(?![-/]\d)"
)
_YEAR_RELATIONS: dict[str, Relation] = {
    "after": ">", "later than": ">", "since": ">=", "before": "<", "earlier than": "<", "prior to": "<",
}  # fmt: skip
_SIGNED = re.compile(r"\b(?P<way>negative|positive)\b")
_RANGE_NEXT = re.compile(r"\s*(?:[-\u2013\u2014]|to|and)\s*(?:19|20)\d\d")
_MAX = (
    r"highest|largest|greatest|biggest|most(?! of\b)|maximum|best|top|peak|longest|heaviest|most expensive|dearest"
    r"|costliest|tallest|deepest|widest|oldest|hottest|warmest|wettest|fastest"
)
_MIN = (
    r"lowest|smallest|least(?! \d)|fewest|minimum|worst|shortest|lightest|cheapest|least expensive"
    r"|shallowest|youngest|coldest|driest|slowest"
)

_DIMENSIONS = {
    "tallest": "height tall cm m",
    "longest": "length duration time distance run minutes hours days pages km m",
    "shortest": "length duration time distance height run minutes hours days pages km m",
    "heaviest": "weight mass kg t g",
    "lightest": "weight mass kg t g",
    "deepest": "depth m",
    "shallowest": "depth m",
    "widest": "width m cm",
    "oldest": "age",
    "youngest": "age",
    "hottest": "temperature",
    "warmest": "temperature",
    "coldest": "temperature",
    "wettest": "rainfall rain precipitation",
    "driest": "rainfall rain precipitation",
    "fastest": "speed",
    "slowest": "speed",
}
"""What a superlative measures: words of headers, and units."""
_MONEY_VERBS = re.compile(r"\b(?:gave|given?|gives|donated?|spen[dt]|paid|pays?|raised?|invested|costs?)\b")
"""Verbs of which an amount of money is asked, where no column is named."""
MONEY = words_of("amount price cost expense sum fee")
_DEAR = re.compile(r"\b(?:(?:most|least) expensive|dearest|cheapest|costliest)\b")
_JUDGED = re.compile(r"\b(?:best|worst)\b")
_TOP = re.compile(
    rf"\b(?P<way>top|bottom)\s+(?P<n1>\d{{1,2}}|{'|'.join(_NUMBERS)})\b"
    rf"|(?<!than )(?<![\d.])\b(?P<n2>\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?=(?:[\w'-]+\s+){{0,4}}?(?:{_MAX}|{_MIN})\b)"
)
_SPANS = (
    re.compile(
        r"\bfrom\s+(?P<a>[^?,;]{1,60}?)\s+(?:to|until|till|through)\s+"
        r"(?P<b>[^?,;]{1,60}?)(?=[?,;.]|$|\s+(?:at|for|in|by|on)\b)"
    ),
    re.compile(r"\b(?P<a>(?:19|20)\d\d)\s*(?:[-\u2013\u2014]|to|through|until)\s*(?P<b>(?:19|20)\d\d)\b"),
)
_BETWEEN = re.compile(
    r"\bbetween\s+(?P<a>[^?,;]{1,60}?)\s+and\s+(?P<b>[^?;]{1,60}?)(?=[?;,.]|$|\s+(?:at|for|in|of|on)\s)"
)
_EXCEEDS = re.compile(
    r"\b(?:did|does|do)\s+(?P<a>[^?]{1,60}?)\s+(?:exceed|surpass|outnumber|outstrip|top|fall short of)"
    r"\s+(?P<b>[^?]{1,60})"
)
_COMPARED_WORDS = re.compile(
    r"\b(?:difference|more|higher|lower|larger|smaller|greater|exceed(?:s|ed)?|surpass(?:ed)?|outnumber(?:ed)?"
    r"|outstrip(?:ped)?|short)\b"
)
_THAN = re.compile(r"\bthan\s+(?:in\s+|at\s+|on\s+|for\s+|that of\s+)?(?P<b>[^?,;]+)")
_GROWTH = re.compile(
    r"\b(?:what|how many|which) (?:percent(?:age)?|per cent)\b.*\b(?:gr[eo]w\w*|increas\w*|ris\w+|rose|f[ae]ll\w*"
    r"|declin\w*|decreas\w*|drop\w*|chang\w*|shrank|shrink\w*)"
    r"|\bpercent(?:age)? (?:change|growth|increase|decrease|decline|rise|fall|drop)\b"
    r"|\bgrowth(?: rate)?\b(?=.*\b(?:from|between|over)\b)"
    r"|\b(?:increase|decrease|decline|growth|change) in percent\b"
)
_GROWTH_WORDS = re.compile(
    r"\b(?:gr[eo]wn?|growth|increased?|ris[ei]n?g?|rose|fall|fell|fallen|declined?|decreased?|drop(?:ped)?|changed?"
    r"|shrank|shrink|rate)\b"
)
_DIFFERENCE = re.compile(
    r"\bdifference\b|\bhow (?:much|many) (?:more|less|fewer|higher|lower|larger|smaller|greater)\b"
    r"|\bby how (?:much|many)\b(?! percent\b| per cent\b)"
    r"|\b(?:change|increase|decrease|decline|rise|fall|drop) in\b(?=.*\b(?:from|between)\b)"
)
_SHARE = re.compile(
    r"\b(?:what|which|how large an?|how big an?)\s+(?:is |was |were |are )?(?:the )?"
    r"(?:share|percentage|percent|proportion|fraction)\b"
)
_SUM = re.compile(
    r"\b(?:sum|in total|total|combined|together|jointly|altogether|cumulative|aggregate|add up|taken together)\b"
)
_AVERAGE, _MEDIAN = re.compile(r"\b(?:average|mean)\b"), re.compile(r"\bmedian\b")
_COUNT = re.compile(r"\bhow many\b|\b(?:the |what )?number of\b|\bcount\b")
_WORDED: tuple[tuple[Operation, re.Pattern[str]], ...] = (
    ("ratio", re.compile(r"\bratio of\b")),
    ("share", _SHARE),
    ("median", _MEDIAN),
    ("average", _AVERAGE),
    ("sum", _SUM),
    ("count", _COUNT),
)
_LIST = re.compile(r"^\s*(?:please )?(?:list|name|show|give|which|what|in (?:which|what))\b")
_GROUP = re.compile(
    r"\b(?:which|what|(?:in|on|at|for) how many|how many)\s+(?P<group>[a-z][\w'-]*(?:\s+[a-z][\w'-]*)?)"
)
_COUNTED = re.compile(
    r"\bhow many (?P<what>(?:[\w'-]+ ){0,3}?[\w'-]+)"
    r"(?= (?:are|is|was|were|do|does|did|has|have|had|can|in|at|on|of|from|with|;)\b|[ ?]*$| ;)"
)
_TOP_GROUP = re.compile(
    rf"\b(?:top|bottom)\s+(?:\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?P<group>[a-z][\w'-]*)(?=\s+(?:by|in terms of|with)\b)"
)
_LOOK_UP = re.compile(r"\b(?:what|how (?:much|many|high|large|long))\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A bound that a row's value must keep; ``near`` are the words after it and before it, nearest first.

    ``scaled`` says that ``number`` is an amount in units (of money, say), not in what the table counts in; ``sign`` is
    the sign of its currency. ``year`` says that it bounds a year ("built after 2020").
    """

    relation: Relation
    number: float
    after: tuple[str, ...]
    before: tuple[str, ...]
    percent: bool = False
    year: bool = False
    scaled: bool = False
    sign: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuestion:
    """A question as a table can answer it. All words are canonical.

    ``words`` must be accounted for, those of ``soft`` may name a label. ``group`` is what a "which" asks for,
    ``counted`` are all words of what a "how many" counts. ``span`` are two ends, or two things that are compared.
    ``runs`` are the words in the order of the question.
    ``hints`` are words of what a superlative ("tallest") or a verb of money measures, where no column is named;
    ``verb`` is the one between what a "which" asks for and "the most".
    """

    text: str
    operation: Operation
    words: tuple[str, ...]
    soft: frozenset[str]
    runs: tuple[str, ...]
    group: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    span: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    many: int = 1
    judged: bool = False
    summed: bool = False
    averaged: bool = False
    forward: bool = False
    hints: frozenset[str] = frozenset()
    verb: str = ""

    @property
    def periods(self) -> frozenset[str]:
        """The years, quarters and halves that it names."""
        return frozenset(filter(is_period, self.words))


def read_table_question(question: str) -> TableQuestion | None:
    """Read a question for tables; ``None`` where it asks for no figure, row or column."""
    text = " ".join(without_form(question).split())
    low = text.lower().replace("\u2019", "'")
    conditions, rest = _conditions(low)
    operation, many = _operation(rest, conditions=bool(conditions))
    if operation is None:
        return None
    span = _span(rest, operation)
    bare = _bare(rest, operation)
    return TableQuestion(
        text=text,
        operation=operation,
        words=asked_words(bare),
        soft=soft_words(low),
        runs=words_of(low),
        group=_group(rest),
        counted=_counted(rest),
        conditions=conditions,
        span=span,
        many=many,
        judged=_JUDGED.search(rest) is not None,
        summed=_SUM.search(rest) is not None or re.search(r"\b(?:most|fewest|least)\b", rest) is not None,
        averaged=_AVERAGE.search(rest) is not None,
        forward=any(pattern.search(rest) for pattern in _SPANS),
        hints=_hints(rest, operation),
        verb=_verb(rest, operation),
    )


def _hints(low: str, operation: Operation) -> frozenset[str]:
    superlative = next((w for w in re.findall(r"[a-z]+", low) if w in _DIMENSIONS), None)
    if superlative is not None:
        return frozenset(words_of(_DIMENSIONS[superlative])) | frozenset(_DIMENSIONS[superlative].split())
    asks_money = operation in ("max", "min", "top", "bottom") and _MONEY_VERBS.search(low)
    return frozenset(MONEY) if asks_money else frozenset()


def _verb(low: str, operation: Operation) -> str:
    """The verb of "which team scored the most goals", as a canonical word."""
    if operation not in ("max", "min", "top", "bottom"):
        return ""
    found = re.match(rf"\s*(?:which|what|who)\b.*?\b(?P<verb>[a-z]+)\s+the\s+(?:{_MAX}|{_MIN})\b", low)
    words = asked_words(found["verb"]) if found else ()
    return words[0] if words else ""


def _conditions(low: str) -> tuple[tuple[Condition, ...], str]:
    """The bounds of a question, and the question without them."""
    found: list[Condition] = []
    rest = low
    for m in [*_CONDITION.finditer(low), *_OR_MORE.finditer(low)]:
        groups = m.groupdict()
        number = float(m["number"].replace(",", ""))
        year = re.fullmatch(r"(?:19|20)\d\d", m["number"]) is not None
        if year and (_RANGE_NEXT.match(low, m.end()) or re.match(r"over\b", m[0])):
            continue
        power = power_of(_scale_word(m["scale"] or ""))
        found.append(
            Condition(
                relation=_relation(groups),
                number=number * 10**power,
                after=_near(low[m.end() :]),
                before=_near(low[: m.start()])[::-1],
                percent=bool(m["pct"]),
                scaled=bool(power or m["cur"]),
                sign={"usd ": "$", "eur ": "\u20ac", "gbp ": "\u00a3"}.get(m["cur"] or "", m["cur"] or ""),
                said=m[0].strip(),
            )
        )
        rest = rest.replace(m[0], " ; ")
    for m in _YEARLY.finditer(low):
        found.append(
            Condition(
                relation=_YEAR_RELATIONS[m["way"]],
                number=float(m["year"]),
                after=_near(low[m.end() :]),
                before=_near(low[: m.start()])[::-1],
                year=True,
                said=m[0].strip(),
            )
        )
        rest = rest.replace(m[0], " ; ")
    for m in _SIGNED.finditer(rest):
        relation: Relation = "<" if m["way"] == "negative" else ">"
        after, before = _near(rest[m.end() :]), _near(rest[: m.start()])[::-1]
        found.append(Condition(relation=relation, number=0.0, after=after, before=before, said=m[0]))
    return tuple(found), _SIGNED.sub(" ; ", rest) if found else rest


def _relation(groups: dict[str, str | None]) -> Relation:
    if groups.get("way"):
        return ">=" if groups["way"] in ("more", "above") else "<="
    return next(relation for n, (_, relation) in enumerate(_RELATIONS) if groups.get(f"r{n}"))


def _scale_word(word: str) -> str:
    return {"k": "thousand", "m": "million", "mn": "million", "bn": "billion"}.get(word, word)


def _near(text: str) -> tuple[str, ...]:
    return asked_words(text)


def _operation(low: str, *, conditions: bool) -> tuple[Operation | None, int]:
    top = _TOP.search(low)
    most, least = re.search(rf"\b(?:{_MAX})\b", low), re.search(rf"\b(?:{_MIN})\b", low)
    if top and (most or least or top["way"]):
        word = top["n1"] or top["n2"]
        way: Operation = "bottom" if top["way"] == "bottom" or (least and not top["way"]) else "top"
        return way, _NUMBERS.get(word) or int(word)
    if _GROWTH.search(low):
        return "growth", 1
    if _DIFFERENCE.search(low):
        return "difference", 1
    if (most or least) and not re.search(r"\bat (?:most|least)\b", low):
        return ("max" if most else "min"), 1
    worded = next((operation for operation, pattern in _WORDED if pattern.search(low)), None)
    if worded is not None:
        return worded, 1
    if conditions and _LIST.search(low):
        return "list", 1
    return ("look-up", 1) if _LOOK_UP.search(low) else (None, 1)


def _span(low: str, operation: Operation) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    found = next((m for pattern in _SPANS if (m := pattern.search(low))), None)
    if found is None:
        found = _BETWEEN.search(low) or (_EXCEEDS.search(low) if operation == "difference" else None)
    if found is None and operation == "ratio":
        found = re.search(r"\bratio of\s+(?P<a>[^?]+?)\s+to\s+(?P<b>[^?]+)", low)
    if found is not None:
        ends = asked_words(found["a"]), asked_words(found["b"])
        return ends if all(ends) else None
    than = _THAN.search(low) if operation == "difference" else None
    return _compared(low, than) if than else None


def _compared(low: str, than: re.Match[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Of "how many more X did Y have in July than in April": the words just before "than" against those after."""
    after = asked_words(than["b"])
    before = asked_words(low[: than.start()])[-max(1, len(after)) :]
    return (before, after) if before and after else None


def _group(low: str) -> tuple[str, ...]:
    found = _GROUP.search(low) or _TOP_GROUP.search(low)
    return asked_words(found["group"])[:1] if found else ()


def _counted(low: str) -> tuple[str, ...]:
    found = _COUNTED.search(low)
    return asked_words(found["what"]) if found else ()


def _bare(low: str, operation: Operation) -> str:
    """A question without the words of its operation."""
    bare = _DEAR.sub(" price ", low)
    if operation in ("max", "min", "top", "bottom"):
        bare = _MONEY_VERBS.sub(" ", bare) if not re.search(r"\bcosts?\b", bare) else bare
    if operation in ("top", "bottom"):
        bare = _TOP.sub(" ", bare)
    if operation in ("max", "min", "top", "bottom"):
        bare = re.sub(rf"\b(?:{_MAX}|{_MIN})\b", " ", bare)
    if operation == "growth":
        bare = _GROWTH_WORDS.sub(" ", re.sub(r"\bpercent(?:age)?\b|\bper cent\b", " ", bare))
    if operation == "difference":
        bare = _COMPARED_WORDS.sub(" ", _GROWTH_WORDS.sub(" ", bare))
    if operation in ("share", "ratio"):
        bare = re.sub(r"\b(?:share|percentage|percent|proportion|fraction|ratio)\b", " ", bare, count=1)
    return bare
