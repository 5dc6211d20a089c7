"""Which true and corrupted sentences does the checker accept?  python -m tests.bench.claims FOLDER [--seed N]

FOLDER holds PDFs, or is a library. Sentences and table cells of its documents are turned by rule into sentences that
say the same and into ones that do not, of many kinds. Printed is the share that is accepted, by kind; ``--examples N``
prints so many that went wrong of each kind. A seed gives the same sentences each time; without one they are fresh.
"""

import argparse
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.chunk import ChunkOptions, chunk
from ingest.discover import identify
from ingest.library import Library
from ingest.partition import PartitionOptions, partition
from ingest.types import Cell, Chunk, Element
from retrievers.citations import check_sentence
from retrievers.language import sentences

MOST_BYTES = 200_000_000
SHORTEST, LONGEST = 45, 320
"""Characters of a sentence that claims are made from."""
MONTHS = "January February March April May June July August September October November December".split()
TAILS = (
    "following a dispute over the harbour",
    "according to two former employees",
    "because the weather was mild",
    "as the mayor had promised",
)
SAID = "and the town council objected to it twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence, what it is held against, and whether that bears it out."""

    kind: str
    sentence: str
    passage: str
    supported: bool
    made_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The chunks of a document and the elements of its tables."""

    chunks: tuple[Chunk, ...]
    tables: tuple[tuple[Chunk, Element], ...]


# --- documents ----------------------------------------------------------------------------------


def documents(folder: Path, parser: str, pages: int) -> Iterator[Document]:
    if (folder / "library.sqlite").exists():
        yield from _of_library(folder)
        return
    for path in sorted(folder.rglob("*.pdf")):
        source = identify(str(path), max_bytes=MOST_BYTES)
        options = PartitionOptions(parser=parser, images="off", pages=tuple(range(1, pages + 1)))  # type: ignore[arg-type]
        found = partition(source, options)
        elements = {e.element_id: e for e in found.elements}
        chunks = chunk(found, source.source_id, ChunkOptions())
        yield Document(chunks=tuple(chunks), tables=tuple(_tables(chunks, elements.get)))


def _of_library(folder: Path) -> Iterator[Document]:
    with Library(folder) as library:
        for source in library.sources():
            chunks = library.chunks_of(source.id)
            ids = [i for c in chunks if c.kind == "table" for i in c.element_ids]
            elements = {e.element_id: e for e in library.elements(ids)}
            yield Document(chunks=tuple(chunks), tables=tuple(_tables(chunks, elements.get)))


def _tables(chunks: Sequence[Chunk], element: Callable[[str], Element | None]) -> Iterator[tuple[Chunk, Element]]:
    for each in chunks:
        found = [e for i in each.element_ids if (e := element(i)) is not None and e.cells]
        if each.kind == "table" and each.text_as_html and len(found) == 1:
            yield each, found[0]


# --- sentences that say the same ------------------------------------------------------------------

Rule = Callable[[str, random.Random], str | None]


def _sub(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Rule:
    """A rule that changes one match, chosen at random."""
    wanted = re.compile(pattern)

    def apply(said: str, rng: random.Random) -> str | None:
        found = list(wanted.finditer(said))
        if not found:
            return None
        m = rng.choice(found)
        return said[: m.start()] + (m.expand(new) if isinstance(new, str) else new(m)) + said[m.end() :]

    return apply


def _iso(m: re.Match[str]) -> str:
    return f"{m[3]}-{MONTHS.index(m[1]) + 1:02}-{int(m[2]):02}"


def _hyphenated(said: str, rng: random.Random) -> str | None:
    words = list(re.finditer(r"\b[a-z]{8,}\b", said))
    if not words:
        return None
    at = rng.choice(words).start() + 4
    return f"{said[:at]}-\n{said[at:]}"


def _spaced(said: str, rng: random.Random) -> str | None:
    return re.sub(" ", lambda _: rng.choice([" ", " ", "  ", "\n", "\u00a0"]), said)


_LEAD = re.compile(
    r"((?:In(?! addition| general| particular| turn| order)|During|On|At|As of|Since) [^,;()]{3,50}), "
    r"((?:[Tt]he|[Ww]e|[Oo]ur|[Tt]his|[Aa]n?) .+)\.$"
)


def _lead_moved(said: str, rng: random.Random) -> str | None:
    m = _LEAD.match(said)
    if m is None or m[2].count(",") > 0:
        return None
    return f"{m[2][0].upper()}{m[2][1:]} {m[1][0].lower()}{m[1][1:]}."


_DATE = rf"\b({'|'.join(MONTHS)}) (\d{{1,2}}), ((?:19|20)\d\d)\b"
SAME: dict[str, Rule] = {
    "verbatim": lambda said, rng: said,
    "spaces": _spaced,
    "hyphenation": _hyphenated,
    "ligature": _sub("f[il]", lambda m: "\ufb01" if m[0] == "fi" else "\ufb02"),
    "quotes": _sub("['\u2019]", lambda m: "'" if m[0] == "\u2019" else "\u2019"),
    "percent": _sub(r"(\d)%", r"\1 percent"),
    "separator": _sub(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![,.\d])", lambda m: m[0].replace(",", "")),
    "scale": _sub(r"(\d) (million|billion)\b", lambda m: m[1] + ("m" if m[2] == "million" else "bn")),
    "date": _sub(_DATE, lambda m: f"{m[2]} {m[1]} {m[3]}"),
    "iso date": _sub(_DATE, _iso),
    "aside left out": _sub(r"(?<=\w) \([^()\d]{3,60}\)(?=[ ,.])", ""),
    "lead moved": _lead_moved,
    "quoted": lambda said, rng: (
        f"The document states: \u201c{said}\u201d" if not re.search('["\u201c\u201d]', said) else None
    ),
}

# --- sentences that do not ------------------------------------------------------------------------


def _other_digit(m: re.Match[str]) -> str:
    return str((int(m[0]) + 3) % 9 + 1)


def _other_word(pairs: str) -> Rule:
    """A rule that changes a word to the one beside it in the pairs."""
    words = dict(pair.split(":") for pair in pairs.split())
    return _sub(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", lambda m: words[m[0]].replace("_", " "))


def _both_ways(pairs: str) -> Rule:
    turned = (":".join(reversed(pair.split(":"))) for pair in pairs.split())
    return _other_word(f"{pairs} {' '.join(turned)}")


def _numbers_swapped(said: str, rng: random.Random) -> str | None:
    found = list(re.finditer(r"(?<![\w.,/-])\d[\d,.]*\d(?![\w/-])", said))
    pairs = [(a, b) for a in found for b in found if a.start() < b.start() and a[0] != b[0]]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return said[: a.start()] + b[0] + said[a.end() : b.start()] + a[0] + said[b.end() :]


def _tailed(said: str, rng: random.Random) -> str | None:
    return f"{said[:-1]}, {rng.choice(TAILS)}."


CHANGED: dict[str, Rule] = {
    "digit": _sub(r"(?<![\d,.])\d(?=\d)|(?<=\d)\d(?![\d,.])", _other_digit),
    "magnitude": _sub(r"\b(\d{1,3}),(\d{3})\b(?![,.\d])", r"\1,\g<2>0"),
    "scale": _both_ways("million:billion thousand:million"),
    "currency": _sub(r"\$(?=\d)", "\u20ac"),
    "points": _sub(r"(\d)%", r"\1 percentage points"),
    "sign": _sub(r"(?<= )(?=\d[\d.,]*%)", "-"),
    "year": _sub(r"\b((?:19|20)\d)(\d)\b(?!,\d)", lambda m: f"{m[1]}{(int(m[2]) + 1) % 10}"),
    "month": _sub(_DATE, lambda m: f"{MONTHS[(MONTHS.index(m[1]) + 5) % 12]} {m[2]}, {m[3]}"),
    "day": _sub(_DATE, lambda m: f"{m[1]} {int(m[2]) % 27 + 1}, {m[3]}"),
    "negated": _sub(r"\b(is|are|was|were|will|can|has|have|may) (?!not\b)(?=[a-z]{4,})", r"\1 not "),
    "denial left out": _sub(r"\b(?:not|never) ", ""),
    "direction": _both_ways(
        "increased:decreased increase:decrease increases:decreases rose:fell higher:lower gain:loss above:below "
        "improved:worsened growth:decline more:less maximum:minimum"
    ),
    "quantifier": _both_ways("all:some most:all many:few each:some any:certain both:neither only:also always:often"),
    "modality": _both_ways("may:will could:will should:may must:may can:must"),
    "time unit": _both_ways("days:weeks months:years year:month quarter:year annual:monthly hours:minutes"),
    "numbers swapped": _numbers_swapped,
    "tail": _tailed,
    "half invented": lambda said, rng: f"{said[:-1]}, {SAID}.",
}


def _said(each: Chunk) -> list[str]:
    """The sentences of a chunk that claims can be made from: whole, of words, nothing that a page break cut."""
    spans = (s.text for s in sentences(each.text)) if each.kind == "text" else iter(())
    return [s for s in spans if SHORTEST <= len(s) <= LONGEST and s[0].isupper() and s[-1] == "." and _reads(s)]


def _reads(said: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", said)
    return len(words) >= 7 and sum(w.islower() for w in words) > len(words) / 2 and "\n" not in said


def text_claims(doc: Document, others: Sequence[str], rng: random.Random) -> Iterator[Claim]:
    sayings = [(s, each) for each in doc.chunks for s in _said(each)]
    for said, each in sayings:
        for rules, supported in ((SAME, True), (CHANGED, False)):
            kind, rule = rng.choice(list(rules.items()))
            made = rule(said, rng)
            if made is None or (not supported and _is_said(made, each.text)):
                continue
            yield Claim(kind=kind, sentence=made, passage=each.text, supported=supported, made_from=said)
        yield from _across(said, each, sayings, others, rng)


def _is_said(made: str, text: str) -> bool:
    return " ".join(made.split()) in " ".join(text.split())


def _across(
    said: str, each: Chunk, sayings: Sequence[tuple[str, Chunk]], others: Sequence[str], rng: random.Random
) -> Iterator[Claim]:
    """Claims of two sentences, or of one that stands elsewhere."""
    other, at = rng.choice(sayings)
    chosen = rng.randrange(4)
    if chosen == 0 and other != said:
        both = f"{said[:-1]}, and {_lowered(other)}"
        yield Claim(
            kind="two joined", sentence=both, passage=f"{each.text}\n\n{at.text}", supported=True, made_from=said
        )
    if chosen == 1 and at is not each and not _is_said(other, each.text):
        yield Claim(kind="other passage", sentence=other, passage=each.text, supported=False, made_from=said)
    if chosen == 2 and others:
        yield Claim(
            kind="other document", sentence=rng.choice(others), passage=each.text, supported=False, made_from=said
        )
    if chosen == 3 and (made := _name_changed(said, each, sayings, rng)) is not None:
        yield Claim(kind="name", sentence=made, passage=each.text, supported=False, made_from=said)


def _lowered(said: str) -> str:
    """A sentence as the second half of another: a small word at its head loses its capital."""
    head, _, rest = said.partition(" ")
    return f"{head.lower()} {rest}" if head in ("The", "A", "An", "We", "Our", "In", "These", "This", "It") else said


def _name_changed(said: str, each: Chunk, sayings: Sequence[tuple[str, Chunk]], rng: random.Random) -> str | None:
    names = list(re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b", said))
    other = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b", rng.choice(sayings)[0])
    unknown = [name for name in other if name not in each.text and name not in MONTHS]
    if not names or not unknown:
        return None
    m = rng.choice(names)
    return None if m[0] in MONTHS else said[: m.start()] + rng.choice(unknown) + said[m.end() :]


# --- tables -----------------------------------------------------------------------------------------


def table_claims(doc: Document, rng: random.Random) -> Iterator[Claim]:
    for each, element in doc.tables:
        passage = "\n".join((*each.title_path, each.text_as_html or ""))
        grid = _grid(element.cells)
        if grid is None:
            continue
        headers, rows = grid
        for _ in range(3):
            yield from _cell_claims(headers, rows, passage, rng)


def _grid(cells: Sequence[Cell]) -> tuple[list[str], list[list[str]]] | None:
    """The texts of a plain table: one row of headers, a label in each row, no spans; ``None`` for any other."""
    width, height = (1 + max(getattr(c, side) for c in cells) for side in ("column", "row"))
    if any(c.rowspan + c.colspan > 2 for c in cells) or width < 3 or height < 3:
        return None
    grid = [["" for _ in range(width)] for _ in range(height)]
    for cell in cells:
        grid[cell.row][cell.column] = " ".join(cell.text.split())
    headers, rows = grid[0], grid[1:]
    named = all(headers[1:]) and len(set(headers[1:])) == width - 1 and not any(_is_value(h) for h in headers[1:])
    labels = [row[0] for row in rows]
    return (headers, rows) if named and all(labels) and len(set(labels)) == len(labels) else None


def _is_value(text: str) -> bool:
    return (
        re.fullmatch(r"[-($\u20ac]*\d[\d,.]*[)%]*", text) is not None and re.fullmatch(r"(?:19|20)\d\d", text) is None
    )


def _cell_claims(
    headers: Sequence[str], rows: Sequence[Sequence[str]], passage: str, rng: random.Random
) -> Iterator[Claim]:
    row, column = rng.choice(rows), rng.randrange(1, len(headers))
    label, header, value = row[0], headers[column], row[column]
    if not (_is_value(value) and re.search(r"[^\W\d_]{3}", label)):
        return

    def claim(kind: str, shown: str, *, supported: bool) -> Claim:
        form = rng.choice(["In {h}, {r} was {v}.", "{r} for {h}: {v}.", "The {h} value for {r} was {v}."])
        said = form.format(h=header, r=label, v=shown)
        return Claim(kind=kind, sentence=said, passage=passage, supported=supported, made_from=" | ".join(row))

    yield claim("table cell", value, supported=True)
    below = [r[column] for r in rows if _is_value(r[column]) and r[column] != value]
    beside = [v for v in row[1:] if _is_value(v) and v != value]
    if below:
        yield claim("other row", rng.choice(below), supported=False)
    if beside:
        yield claim("other column", rng.choice(beside), supported=False)
    at = rng.choice([n for n, ch in enumerate(value) if ch.isdigit()])
    yield claim("table digit", f"{value[:at]}{(int(value[at]) + 3) % 9 + 1}{value[at + 1 :]}", supported=False)


# --- figures ----------------------------------------------------------------------------------------


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def report(claims: Sequence[Claim], examples: int) -> None:
    kinds: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    wrong: dict[tuple[bool, str], list[tuple[Claim, tuple[str, ...]]]] = defaultdict(list)
    begun = time.process_time()
    for claim in claims:
        found = check_sentence(claim.sentence, claim.passage)
        kinds[claim.supported, claim.kind].append(found.supported)
        if found.supported is not claim.supported:
            wrong[claim.supported, claim.kind].append((claim, found.reasons))
    spent = time.process_time() - begun
    for supported in (True, False):
        write("true sentences accepted" if supported else "changed sentences accepted")
        own = {kind: found for (flag, kind), found in sorted(kinds.items()) if flag is supported}
        for kind, found in own.items():
            write(f"  {kind:18} {sum(found) / len(found):6.1%} of {len(found)}")
        write(f"  {'mean of kinds':18} {sum(sum(f) / len(f) for f in own.values()) / max(1, len(own)):6.1%}")
    write(f"{len(claims)} sentences, {len(claims) / max(spent, 1e-9):.0f} a CPU second")
    for (supported, kind), cases in wrong.items():
        for claim, reasons in cases[:examples]:
            write(f"\n{'REFUSED' if supported else 'ACCEPTED'} {kind}: {claim.sentence!r}")
            write(f"  of {claim.made_from!r}\n  {reasons}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.claims", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--parser", default="fast", help="how PDFs are read")
    parser.add_argument("--pages", type=int, default=40, help="first pages of a PDF that are read")
    parser.add_argument("--examples", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    docs = list(documents(given.folder, given.parser, given.pages))
    said = [[s for each in doc.chunks for s in _said(each)] for doc in docs]
    claims: list[Claim] = []
    for n, doc in enumerate(docs):
        others = [s for m, own in enumerate(said) if m != n for s in rng.sample(own, min(20, len(own)))]
        claims += [*text_claims(doc, others, rng), *table_claims(doc, rng)]
    report(claims, given.examples)


if __name__ == "__main__":
    main()
