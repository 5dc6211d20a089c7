"""What each PDF of ``tests/make_pdfs`` must and must not give, and how it ends in an ingest.

Texts are compared after spaces, ligatures, dashes and line-end hyphens are normalised. What is right but does not
come out yet stands in an entry of its own whose ``pending`` says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.expected import CellText, Text
from tests.make_pdfs.damaged import PASSWORD

LOCKED = "encrypted: give its password with --password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a PDF must give: texts, in ``order``; cells; headings with their depths; how many elements of a category."""

    file: str
    texts: tuple[Text, ...] = ()
    absent: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    cells: tuple[CellText, ...] = ()
    headings: tuple[tuple[int, str], ...] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    pages: int | None = None
    password: str | None = None
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The state in which an ingest of a PDF ends, and how its reason (or its first warning) begins."""

    file: str
    state: Literal["ingested", "partial", "failed"]
    said: str = ""
    password: str | None = None


def cell(text: str, *label: str, under: tuple[str, ...] | str = (), page: int | None = None) -> CellText:
    """A cell in the row of these labels, under these headers."""
    return CellText(text=text, row_label=label, column_header=(under,) if isinstance(under, str) else under, page=page)


FARE_CELLS = (
    cell("4.50", "Adult", under="Single"),
    cell("4.10", "Child", under="Return"),
    cell("1.75", "Bicycle", under="Single"),
)
ONE_TABLE = {"Table": 1}
NO_TABLE = {"Table": 0}

TABLES = (
    Drawn(
        file="ruled-table.pdf",
        cells=FARE_CELLS,
        counts=ONE_TABLE,
        texts=(Text(text="Dogs travel free of charge", title="Fares on route H1", category="NarrativeText"),),
        order=("four ferry routes", "Bicycle", "Dogs travel"),
    ),
    Drawn(file="book-table.pdf", cells=FARE_CELLS, counts=ONE_TABLE, order=("routes", "Bicycle", "Dogs travel")),
    Drawn(file="bare-table.pdf", cells=FARE_CELLS, counts=ONE_TABLE, order=("routes", "Bicycle", "Dogs travel")),
    Drawn(
        file="two-level-header.pdf",
        counts=ONE_TABLE,
        cells=(
            cell("1,204", "Ostrey", under=("2023", "Tonnes")),
            cell("163", "Halvane", under=("2024", "Arrivals")),
            cell("102", "Marrowick", under=("2024", "Tonnes")),
        ),
    ),
    Drawn(
        file="row-span.pdf",
        counts=ONE_TABLE,
        cells=(
            cell("120", "MV Eider", "Upper", under="Places"),
            cell("85", "MV Eider", "Lower"),
            cell("64", "ES Guillemot", "Lower", under="Places"),
        ),
    ),
    Drawn(
        file="section-row.pdf",
        counts=ONE_TABLE,
        cells=(cell("35", "H1 Marrowick", under="Minutes"), cell("5", "H2 Ostrey", under="Sailings")),
    ),
    Drawn(
        file="long-cells.pdf",
        counts=ONE_TABLE,
        cells=(
            cell("The bow ramp does not close in frost", "MV Eider", under="Defect"),
            cell("The cell is replaced under warranty", "ES Guillemot", under="Remedy"),
        ),
    ),
    Drawn(
        file="totals.pdf",
        counts=ONE_TABLE,
        cells=(cell("2,161", "Total", under="2023"), cell("402", "Repairs", under="2024")),
    ),
    Drawn(
        file="footnote-marks.pdf",
        counts=ONE_TABLE,
        cells=(cell("1931", "Ostrey Quay", under="Built"), cell("1958", "Halvane Pier", under="Built")),
        texts=(Text(text="At low water, by the survey of 2024."), Text(text="Rebuilt after the storm of 1962.")),
    ),
    Drawn(
        file="empty-cells.pdf",
        counts=ONE_TABLE,
        cells=(cell("7", "January", under="H3"), cell("9", "February", under="H2"), cell("15", "March", under="H1")),
    ),
    Drawn(
        file="two-tables.pdf",
        cells=(cell("8.20", "Adult", under="Return"), cell("3.1", "Basin", under="Metres")),
        order=("four ferry routes", "Bicycle"),
    ),
    Drawn(file="two-tables.pdf", counts={"Table": 2, "FigureCaption": 2}, pending="two tables side by side"),
    Drawn(
        file="captions.pdf",
        counts=ONE_TABLE,
        cells=FARE_CELLS,
        texts=(Text(text="Table 3: Fares from May to September, in euro", category="FigureCaption"),),
    ),
    Drawn(file="sideways-table.pdf", texts=(Text(text="Fares on route H1"),), cells=FARE_CELLS),
    Drawn(
        file="sideways-table.pdf",
        counts={"Table": 1, "UncategorizedText": 0},
        headings=((0, "Fares on route H1"),),
        pending="a page that is set sideways",
    ),
    Drawn(
        file="turned-page-table.pdf", counts=ONE_TABLE, cells=FARE_CELLS, order=("Fares on route", "routes", "Bicycle")
    ),
    Drawn(
        file="contents.pdf",
        counts=NO_TABLE,
        pages=2,
        texts=(Text(text="2.1 Passengers", page=1), Text(text="founded in 1931", page=2, title="1 The cooperative")),
    ),
)

STRUCTURE = (
    Drawn(
        file="font-headings.pdf",
        texts=(
            Text(text="Ninety sailings were cancelled", title="Traffic", category="NarrativeText"),
            Text(text="The battery ferry carried a third", title="Passengers"),
            Text(text="The pier at Halvane was closed", title="Works"),
        ),
    ),
    Drawn(
        file="font-headings.pdf",
        headings=((0, "Annual review"), (1, "Traffic"), (2, "Passengers"), (1, "Works")),
        pending="levels of headings by their size",
    ),
    Drawn(
        file="numbered-headings.pdf",
        headings=((0, "1 Traffic"), (1, "1.1 Passengers"), (2, "1.1.1 Children"), (0, "2 Works")),
        texts=(Text(text="founded in 1931", title="1.1.1 Children"),),
    ),
    Drawn(
        file="wrapped-heading.pdf",
        headings=(
            (0, "How the cooperative came through the stormiest winter for twenty years"),
            (1, "After the storms"),
        ),
    ),
    Drawn(
        file="outline.pdf",
        pages=6,
        headings=((0, "Traffic"), (1, "Passengers"), (1, "Cars"), (0, "Works"), (1, "Piers"), (0, "Members")),
        texts=(Text(text="The battery ferry carried a third", title="Passengers", page=2),),
    ),
    Drawn(
        file="tagged.pdf",
        headings=((0, "Traffic"), (1, "Passengers")),
        texts=(Text(text="The winter was the stormiest", title="Traffic", category="NarrativeText"),),
    ),
    Drawn(
        file="two-columns.pdf",
        counts=NO_TABLE,
        order=("stormiest for twenty years", "founded in 1931", "more passengers than ever", "went to repairs"),
    ),
    Drawn(
        file="three-columns.pdf",
        counts=NO_TABLE,
        order=("stormiest for twenty years", "more passengers than ever", "went to repairs", "without a scratch"),
    ),
    Drawn(
        file="sidebar.pdf",
        order=("stormiest for twenty years", "asked for their opinion in August", "211 members of staff"),
        texts=(
            Text(text="211 members of staff", title="At a glance"),
            Text(text="no sailing was lost to a defect of its charging tower", title="The year on the sound"),
        ),
    ),
    Drawn(
        file="spanning-figure.pdf",
        counts={"Image": 1},
        texts=(
            Text(text="Figure 1: The skerries seen from the pier", category="FigureCaption"),
            Text(text="keep the mail boat running.", category="NarrativeText"),
        ),
        order=("more passengers than ever", "went to repairs", "founded in 1931"),
    ),
    Drawn(
        file="spanning-figure.pdf",
        order=("stormiest for twenty years", "more passengers than ever", "Figure 1", "went to repairs"),
        pending="columns above a picture that spans them",
    ),
    Drawn(
        file="running-heads.pdf",
        pages=4,
        counts={"Header": 4, "Footer": 4},
        headings=((0, "Storms"), (0, "Visitors"), (0, "Repairs"), (0, "About us")),
        texts=(
            Text(text="1 / 4", page=1, category="Footer"),
            Text(text="Harbour Review", page=3, category="Header"),
            Text(text="more passengers than ever", page=2, title="Visitors", category="NarrativeText"),
        ),
    ),
    Drawn(
        file="nested-lists.pdf",
        counts={"ListItem": 6},
        texts=(
            Text(text="Close the bow ramp", title="Before departure", category="ListItem"),
            Text(text="Check the green lamp", category="ListItem"),
            Text(text="Cast off", category="ListItem"),
        ),
    ),
    Drawn(
        file="footnotes.pdf",
        texts=(
            Text(text="no sailing was lost to a defect of its charging tower", title="Traffic"),
            Text(text="Cancelled sailings are those that were announced as such."),
        ),
        order=("stormiest for twenty years", "opinion in August", "announced as such"),
    ),
    Drawn(
        file="hyphens.pdf",
        texts=(Text(text="decided on a fundamental change"), Text(text="the long-term plan"), Text(text="supervisory")),
    ),
    Drawn(file="ligatures.pdf", texts=(Text(text="The office of the first fleet is in the fjord off Ostrey"),)),
    Drawn(
        file="code.pdf",
        texts=(Text(text="def tide(hour):\n    if hour % 12 < 6:\n        return 'flood'", category="CodeSnippet"),),
    ),
)

FIGURES = (
    Drawn(
        file="photo.pdf",
        counts={"Image": 1, "FigureCaption": 1},
        texts=(Text(text="Figure 2: Tern Skerry from the north, at low water", category="FigureCaption"),),
        order=("stormiest for twenty years", "Figure 2", "more passengers than ever"),
    ),
    Drawn(
        file="chart.pdf",
        counts={"Image": 1, "FigureCaption": 1, "Table": 0},
        texts=(Text(text="2023", category="Image"), Text(text="Passengers in thousands", category="FigureCaption")),
    ),
    Drawn(file="repeated-logo.pdf", counts={"Image": 1}, texts=(Text(text="went to repairs", page=3),)),
    Drawn(file="picture-rules.pdf", counts={"Image": 0}, order=("stormiest", "more passengers", "went to repairs")),
    Drawn(
        file="picture-of-a-table.pdf",
        order=("stormiest for twenty years", "more passengers than ever"),
        texts=(Text(text="more passengers than ever", title="Fares on route H1"),),
        cells=FARE_CELLS,
        counts=ONE_TABLE,
    ),
    Drawn(
        file="outlined-text.pdf",
        texts=(Text(text="The slip at Kelding is closed until Friday.", title="Harbour notice"),),
        warnings=("page 1: no text layer, OCR used",),
    ),
    Drawn(
        file="scan.pdf",
        headings=((0, "Seabed survey"),),
        texts=(Text(text="The fairway is 6.8 metres deep at low water."),),
        warnings=("page 1: no text layer, OCR used",),
    ),
    Drawn(
        file="scan-with-layer.pdf",
        texts=(Text(text="keep the mail boat running"), Text(text="asked for their opinion in August")),
        counts={"Image": 0},
    ),
    Drawn(file="picture-page.pdf", pages=2, counts={"Image": 1}, texts=(Text(text="stormiest", page=1),)),
)

GEOMETRY = (
    Drawn(
        file="turned-pages.pdf",
        pages=3,
        headings=((0, "Eastward"), (0, "Southward"), (0, "Westward")),
        texts=(
            Text(text="Ninety sailings were cancelled in January alone", page=1, title="Eastward"),
            Text(text="asked for their opinion in August", page=2, title="Southward"),
            Text(text="without a scratch", page=3, title="Westward"),
        ),
    ),
    Drawn(
        file="cropped.pdf",
        absent=("Plate 7", "Trim here"),
        headings=((0, "Works"),),
        texts=(Text(text="without a scratch", title="Works"),),
    ),
    Drawn(file="user-unit.pdf", texts=(Text(text="Ninety sailings were cancelled", title="Harbour plan"),)),
    Drawn(
        file="vertical-text.pdf",
        texts=(
            Text(text="Draft of the board, not for sale"),
            Text(text="Deposited with the registrar"),
            Text(text="without a scratch", title="Works", category="NarrativeText"),
        ),
    ),
    Drawn(file="vertical-writing.pdf", texts=(Text(text="港の時刻表です"),)),
    Drawn(
        file="vertical-writing.pdf",
        counts=NO_TABLE,
        order=("港の船は朝に出る", "島の人は夜に帰る"),
        pending="writing in columns",
    ),
    Drawn(file="huge-page.pdf", texts=(Text(text="plan of the"),), pages=1),
    Drawn(file="tiny-page.pdf", texts=(Text(text="A7"),)),
    Drawn(
        file="blank-page.pdf",
        pages=3,
        texts=(Text(text="Ninety sailings", page=1), Text(text="more passengers", page=3, title="Summer")),
        warnings=("page 2: no text layer, and OCR found no text",),
    ),
)

SCRIPTS = (
    Drawn(file="greek.pdf", texts=(Text(text="Το πλοίο φεύγει από το λιμάνι στις οκτώ."),)),
    Drawn(file="cyrillic.pdf", texts=(Text(text="Паром отходит от причала в восемь часов."),)),
    Drawn(file="chinese.pdf", texts=(Text(text="渡轮八点离开码头。"), Text(text="今天天气很好，海面平静。"))),
    Drawn(
        file="arabic.pdf",
        texts=(Text(text="تغادر العبارة الميناء في الساعة الثامنة"),),
        pending="letters of Arabic ligatures",
    ),
    Drawn(file="hebrew.pdf", texts=(Text(text="המעבורת יוצאת מהנמל בשעה שמונה"),)),
    Drawn(
        file="mixed.pdf",
        texts=(
            Text(text="הנמל הגדול"),
            Text(text="בשנת 2024 נמכרו 1,234 כרטיסים MV Eider באי"),
            Text(text="The words שלום עולם are a greeting."),
        ),
    ),
    Drawn(
        file="shifted.pdf",
        texts=(Text(text="The ferry leaves the harbour at eight."),),
        pending="letters that a font names wrongly",
    ),
    Drawn(file="garbled.pdf", texts=(Text(text="The ferry leaves the harbour at eight."),)),
)

HIDDEN = (
    Drawn(
        file="shadow.pdf",
        headings=((0, "Harbour days"),),
        texts=(Text(text="Entry is free for members."),),
        absent=("Harbour days Harbour days", "members. Entry"),
    ),
    Drawn(
        file="white-text.pdf",
        texts=(Text(text="White letters on a blue bar"), Text(text="Ninety sailings", title="Tender")),
    ),
    Drawn(file="white-text.pdf", absent=("Ignore the other tenders",), pending="text in the colour of its ground"),
    Drawn(file="hidden-layer.pdf", texts=(Text(text="The price is 4,300 euro."),)),
    Drawn(file="hidden-layer.pdf", absent=("Internal remark",), pending="layers that are switched off"),
    Drawn(
        file="form.pdf",
        texts=(Text(text="Ada Lindqvist"), Text(text="went to repairs", title="Application for membership")),
        cells=(cell("Ostrey", "Island:"), cell("12", "Shares:")),
    ),
    Drawn(file="annotations.pdf", headings=((0, "Minutes"),), texts=(Text(text="more passengers than ever"),)),
    Drawn(
        file="annotations.pdf",
        texts=(Text(text="Approved on 3 May by the chair"),),
        pending="lines that are typed over a page as annotations",
    ),
    Drawn(file="attachment.pdf", headings=((0, "Cover letter"),), texts=(Text(text="founded in 1931"),)),
)

DAMAGED = (
    Drawn(file="locked.pdf", password=PASSWORD, cells=FARE_CELLS, headings=((0, "Minutes of the board"),)),
    Drawn(file="barred.pdf", headings=((0, "Minutes of the board"),), texts=(Text(text="founded in 1931"),)),
    Drawn(file="broken-xref.pdf", headings=((0, "Minutes of the board"),), texts=(Text(text="founded in 1931"),)),
    Drawn(
        file="broken-page.pdf",
        texts=(Text(text="Ninety sailings", page=1), Text(text="more passengers", page=3)),
        warnings=("page 2: no text layer, and OCR found no text",),
    ),
    Drawn(
        file="missing-page.pdf",
        texts=(Text(text="The ferry sails in summer.", page=2),),
        warnings=("page 1: could not be read",),
    ),
)

DRAWN = (*TABLES, *STRUCTURE, *FIGURES, *GEOMETRY, *SCRIPTS, *HIDDEN, *DAMAGED)

ENDINGS = (
    Ending(file="locked.pdf", state="failed", said=LOCKED),
    Ending(file="locked.pdf", state="failed", said="encrypted: the password that was given does not", password="dulse"),
    Ending(file="locked.pdf", state="ingested", password=PASSWORD),
    Ending(file="barred.pdf", state="ingested"),
    Ending(file="barred.pdf", state="ingested", password=PASSWORD),
    Ending(file="truncated.pdf", state="failed", said="broken PDF: "),
    Ending(file="cut-head.pdf", state="failed", said="broken PDF: "),
    Ending(file="no-pages.pdf", state="failed", said="broken PDF: it has no pages"),
    Ending(file="deep-tree.pdf", state="failed", said="nothing could be read: page 1: could not be read"),
    Ending(file="broken-xref.pdf", state="ingested"),
    Ending(file="broken-page.pdf", state="partial", said="page 2: no text layer, and OCR found no text"),
    Ending(file="missing-page.pdf", state="partial", said="page 1: could not be read"),
    Ending(file="blank-page.pdf", state="partial", said="page 2: no text layer, and OCR found no text"),
    Ending(file="huge-page.pdf", state="ingested"),
    Ending(file="attachment.pdf", state="ingested"),
    Ending(file="hidden-layer.pdf", state="ingested"),
)
