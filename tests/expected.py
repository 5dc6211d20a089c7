"""What must and must not appear in each sample, and what can and cannot be answered from all of them.

One table for the library and for the command line. Texts are compared after spaces, ligatures, dashes and
line-end hyphens are normalised. ``FIRST`` and ``FIRST_QUESTIONS`` are about PDF, DOCX, HTML, Markdown and text;
``SECOND`` and ``SECOND_QUESTIONS`` about scans, slides, mail and add-ons. An attachment is ``mail.eml!/quotation.pdf``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QuestionKind = Literal["text", "table", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that stands within one element; ``title`` is the nearest heading above it."""

    text: str
    page: int | None = None
    title: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    """A table cell: each label stands in a cell that spans its row, each header in one that spans its column."""

    text: str
    row_label: tuple[str, ...]
    column_header: tuple[str, ...]
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one sample must give; nothing of ``must_not_have`` may stand in any of its elements."""

    file: str
    must_have: tuple[Text, ...]
    must_not_have: tuple[str, ...] = ()
    cells: tuple[CellText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, and the file, page and words that its citation must have."""

    text: str
    file: str
    page: int | None
    quote_has: str
    kind: QuestionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswerable:
    """A question that the samples do not answer, and why."""

    text: str
    why: Literal["absent subject", "wrong year", "absent figure"]


HEADINGS: dict[str, tuple[tuple[int, str], ...]] = {
    "report.pdf": (
        (0, "Annual Report 2024"),
        (1, "1 The cooperative"),
        (2, "1.1 Members"),
        (3, "1.1.1 Members by island"),
        (2, "1.2 Board and management"),
        (3, "1.2.1 Meetings"),
        (1, "2 The year in review"),
        (2, "2.1 A stormy winter"),
        (2, "2.2 Ramp failure on Ostrey"),
        (2, "2.3 A better winter plan"),
        (2, "2.4 New timetable"),
        (2, "2.5 Rescue at Tern Skerry"),
        (2, "2.6 What we did not do"),
        (1, "3 Traffic"),
        (2, "3.1 Route network"),
        (3, "3.1.1 Ships and routes"),
        (3, "3.1.2 Crossing the network"),
        (2, "3.2 Passengers and vehicles"),
        (2, "3.3 Punctuality"),
        (1, "4 Finance and energy"),
        (2, "4.1 Results"),
        (3, "4.1.1 Debt"),
        (2, "4.2 Energy"),
        (3, "4.2.1 Solar roof"),
        (1, "5 Maintenance"),
        (1, "6 Outlook"),
        (2, "6.1 Targets for 2025"),
        (2, "6.2 Risks"),
    ),
    "handbook.docx": (
        (0, "Crew Handbook 2025"),
        (0, "Safety on board"),
        (1, "Muster"),
        (1, "Life jackets"),
        (0, "Weather limits"),
        (1, "Fog"),
        (0, "Charging ES Guillemot"),
        (1, "Before connecting"),
        (1, "Cell temperature"),
        (0, "Radio"),
    ),
    "notice.html": (
        (0, "Works at Halvane Pier, spring 2025"),
        (1, "What changes"),
        (2, "Route H1"),
        (2, "Route H3"),
        (1, "Tickets"),
        (1, "Noise"),
    ),
    "faq.md": (
        (0, "Passenger questions"),
        (1, "Tickets and fares"),
        (2, "Booking by text message"),
        (1, "Bicycles and luggage"),
        (1, "Dogs"),
        (1, "Missed and cancelled sailings"),
    ),
    "notes.txt": (
        (0, "HARBOUR USERS' MEETING"),
        (0, "Fishing berths"),
        (0, "Seaweed in the basin"),
        (0, "Ice plant"),
        (0, "Night lighting"),
    ),
    "scan.pdf": (
        (0, "Seabed Survey HS-118"),
        (1, "Depth at low water"),
        (1, "Findings"),
        (1, "Next survey"),
    ),
    "fleet.xlsx": (
        (0, "Energy 2024"),
        (1, "Energy used by the fleet in 2024"),
        (0, "Dockings"),
    ),
    "slides.pptx": (
        (0, "Members' meeting 2025"),
        (0, "The second battery ferry"),
        (0, "Results of the votes"),
        (0, "Fewer complaints"),
    ),
}

FIRST: tuple[Expected, ...] = (
    Expected(
        file="report.pdf",
        must_have=(
            Text(text="Annual Report 2024", page=1, category="Title"),
            Text(
                text="At the end of 2024 the cooperative had 6,412 members",
                page=1,
                title="1.1 Members",
                category="NarrativeText",
            ),
            Text(
                text="It rejected the proposal to charge for bicycles, by 640 votes to 452",
                page=1,
                title="1.2.1 Meetings",
                category="NarrativeText",
            ),
            Text(text="The five island councils hold shares without a vote.", page=1),
            Text(
                text="Technical cancellations fell from 77 to 48",
                page=2,
                title="2.1 A stormy winter",
                category="NarrativeText",
            ),
            Text(
                text="1,046 letters and messages, down from 1,310 in 2023",
                page=2,
                title="2.4 New timetable",
                category="NarrativeText",
            ),
            Text(
                text="MV Eider sails route H3; it carries 180 passengers and 28 cars.",
                page=3,
                title="3.1.1 Ships and routes",
                category="ListItem",
            ),
            Text(text="Figure 1: Map of the sound with routes H1 (red)", page=3, category="FigureCaption"),
            Text(text="Table 1: Passengers and vehicles carried by route, 2022 to 2024", page=4),
            Text(text="Table 2: Sailings planned, cancelled for weather or technical reasons, and on time", page=4),
            Text(text="Until 2022 the limit was fifteen minutes.", page=4),
            Text(
                text="against €1.7 million in 2023 and a loss of €0.4 million in 2022",
                page=5,
                title="4.1 Results",
                category="NarrativeText",
            ),
            Text(
                text="Figure 2: Marine diesel burnt by the fleet in each quarter of 2023 and 2024",
                page=5,
                category="FigureCaption",
            ),
            Text(text="Table 3: Register of works on vessels and berths, 2024", page=6),
            Text(
                text="Open a second charging tower on Ostrey Quay by 1 October 2025.",
                page=7,
                title="6.1 Targets for 2025",
                category="ListItem",
            ),
        ),
        must_not_have=("mes-sages", "mes- sages", "\u00ad", "\ufffd"),
        cells=(
            CellText(text="455.2", row_label=("H1",), column_header=("Passengers (thousand)", "2024"), page=4),
            CellText(text="438.9", row_label=("H1",), column_header=("Passengers (thousand)", "2023"), page=4),
            CellText(text="140.8", row_label=("H1",), column_header=("Vehicles (thousand)", "2024"), page=4),
            CellText(text="9.3", row_label=("H4",), column_header=("Vehicles (thousand)", "2022"), page=4),
            CellText(text="785.2", row_label=("All routes",), column_header=("Passengers (thousand)", "2023"), page=4),
            CellText(text="118", row_label=("H4",), column_header=("Weather",), page=4),
            CellText(text="92.4%", row_label=("H3",), column_header=("On time 2024",), page=4),
            CellText(text="184,000", row_label=("W-16",), column_header=("Cost (€)",), page=6),
            CellText(text="MV Eider", row_label=("W-25",), column_header=("Vessel or berth",), page=6),
            CellText(text="15,840", row_label=("W-26",), column_header=("Cost (€)",), page=7),
            CellText(text="54,600", row_label=("W-37",), column_header=("Cost (€)",), page=7),
            CellText(text="Car deck paint", row_label=("W-46",), column_header=("Work",), page=7),
        ),
    ),
    Expected(
        file="handbook.docx",
        must_have=(
            Text(text="Crew Handbook 2025", category="Title"),
            Text(
                text="All passengers must be counted at the muster points within 8 minutes.",
                title="Muster",
                category="NarrativeText",
            ),
            Text(text="Figure 1: Muster points (green) on the starboard side of MV Storm Petrel", title="Muster"),
            Text(
                text="ES Guillemot carries 374 adult and 38 child life jackets.",
                title="Life jackets",
                category="ListItem",
            ),
            Text(text="Table 1: Wind and wave limits by vessel and route", title="Weather limits"),
            Text(
                text="Lower the arm from the bridge, never from the quay.",
                title="Before connecting",
                category="ListItem",
            ),
            Text(text="Mobile phones do not replace it.", title="Radio", category="NarrativeText"),
        ),
        must_not_have=("MV Storm Petrel MV Storm Petrel", "Wind limit (m/s) Wind limit (m/s)"),
        cells=(
            CellText(text="19", row_label=("MV Storm Petrel", "H1"), column_header=("Wind limit (m/s)", "Summer")),
            CellText(text="16", row_label=("MV Storm Petrel", "H2"), column_header=("Wind limit (m/s)", "Winter")),
            CellText(text="12", row_label=("MV Eider", "H4"), column_header=("Wind limit (m/s)", "Winter")),
            CellText(text="1.5", row_label=("MV Eider", "H4"), column_header=("Wave limit (m)",)),
            CellText(text="VHF 77", row_label=("Engineering standby",), column_header=("Channel",)),
        ),
    ),
    Expected(
        file="notice.html",
        must_have=(
            Text(text="Works at Halvane Pier, spring 2025", category="Title"),
            Text(text="the old one was limited to 32 tonnes", category="NarrativeText"),
            Text(text="The 12:00 sailing does not run.", title="Route H1", category="NarrativeText"),
            Text(text="They do not take vehicles longer than 6.5 metres.", title="Route H3", category="NarrativeText"),
            Text(text="First and last departures during the works", title="Route H3"),
            Text(text="Boarding lanes on the pier: lane 2 is closed during the works.", title="Route H3"),
            Text(text="Refunds are paid until 30 April 2025, without a fee.", title="Tickets", category="ListItem"),
            Text(text="The works cost €1.9 million", title="Noise", category="NarrativeText"),
        ),
        must_not_have=("Timetables", "Cookie settings", "Most read", "Our new app", "dataLayer", "border-collapse"),
        cells=(
            CellText(text="21:00", row_label=("H1", "Marrowick"), column_header=("Monday to Saturday", "Last")),
            CellText(text="08:40", row_label=("H1", "Halvane"), column_header=("Sunday", "First")),
            CellText(text="19:05", row_label=("H3", "Brackholm"), column_header=("Monday to Saturday", "Last")),
            CellText(text="No service", row_label=("H3", "Halvane"), column_header=("Sunday",)),
        ),
    ),
    Expected(
        file="faq.md",
        must_have=(
            Text(text="Passenger questions", category="Title"),
            Text(text="Children under 7 travel free.", title="Tickets and fares", category="NarrativeText"),
            Text(text="FERRY H2 2025-06-14 08:15 2A 1C 1V", title="Booking by text message", category="CodeSnippet"),
            Text(text="none on MV Kittiwake", title="Bicycles and luggage", category="ListItem"),
            Text(
                text="After a delay of more than 60 minutes half of the fare is paid back.",
                title="Missed and cancelled sailings",
                category="ListItem",
            ),
        ),
        must_not_have=("|---|", "```", "## "),
        cells=(
            CellText(text="€8.20", row_label=("Adult, H2",), column_header=("Fare 2025",)),
            CellText(text="€7.80", row_label=("Adult, H2",), column_header=("Fare 2024",)),
            CellText(text="€24.80", row_label=("Car up to 5 m, H2",), column_header=("Fare 2025",)),
        ),
    ),
    Expected(
        file="notes.txt",
        must_have=(
            Text(text="Seaweed in the basin", category="Title"),
            Text(text="rises from €910 to €960 for longer boats", title="Fishing berths", category="NarrativeText"),
            Text(text="210 tonnes of seaweed were taken out of the basin", title="Seaweed in the basin"),
            Text(text="A floating barrier was tried in 2023 and did not work.", title="Seaweed in the basin"),
            Text(text="The next meeting is on 10 September 2025.", title="Night lighting"),
        ),
    ),
)

SECOND: tuple[Expected, ...] = (
    Expected(
        file="scan.pdf",
        must_have=(
            Text(text="Seabed Survey HS-118", page=1),
            Text(text="the seabed has risen by 50 centimetres in two years", page=1),
            Text(text="About 1,850 cubic metres of sand have to be removed.", page=2),
        ),
        cells=(
            CellText(text="4.9", row_label=("P1 Berth face",), column_header=("2024 (m)",), page=1),
            CellText(text="7.1", row_label=("P3 Fairway",), column_header=("2023 (m)",), page=1),
        ),
    ),
    Expected(
        file="fleet.xlsx",
        must_have=(
            Text(text="From the engineers' logs, counted at each bunkering.", page=1, category="NarrativeText"),
            Text(text="Note: the shore supply on Halvane failed from 4 to 19 February", page=1),
        ),
        must_not_have=("184300", "0.465", "2025-01-13", "None"),
        cells=(
            CellText(text="96,400", row_label=("Eider",), column_header=("First half", "Gas oil (litres)"), page=1),
            CellText(text="1,203,700", row_label=("Guillemot",), column_header=("Second half", "(kWh)"), page=1),
            CellText(text="46.5%", row_label=("Petrel",), column_header=("Share of cost",), page=1),
            CellText(text="2 February 2025", row_label=("Kittiwake", "Sandholm"), column_header=("Back on",), page=2),
            CellText(text="€184,300.50", row_label=("Kittiwake",), column_header=("Cost",), page=2),
        ),
    ),
    Expected(
        file="sailings.csv",
        must_have=(Text(text="S-1416 14.06.2025 H2 ES Guillemot 18:00 259 71 0 6,8", category="Table"),),
        must_not_have=(";",),
        cells=(
            CellText(text="11,5", row_label=("S-1409", "Kittiwake"), column_header=("Wind (m/s)",)),
            CellText(text="402", row_label=("S-1414", "Storm Petrel"), column_header=("Passengers",)),
        ),
    ),
    Expected(
        file="slides.pptx",
        must_have=(
            Text(text="Members' meeting 2025", page=1, category="Title"),
            Text(text="Saves 690 thousand litres of diesel a year", page=2, title="The second battery ferry"),
            Text(text="Sketch of the charging tower on Ostrey Quay with its arm on a ferry", page=2),
            Text(text="The bank has agreed to lend €20 million at 3.1 percent.", page=2),
        ),
        cells=(
            CellText(text="934", row_label=("Charging tower on Ostrey",), column_header=("Yes",), page=3),
            CellText(text="611", row_label=("Share price of €180",), column_header=("No",), page=3),
        ),
    ),
    Expected(
        file="mail.eml",
        must_have=(
            Text(text="Second battery ferry: quotation Q-2025-077"),
            Text(text="We cannot offer a vacuum mooring"),
        ),
        must_not_have=("=_nordhull", "<p>", "batt=ery"),
    ),
    Expected(
        file="mail.eml!/quotation.pdf",
        must_have=(Text(text="Delivery to Marrowick is on 31 August 2026.", page=1),),
        cells=(CellText(text="9,420,000", row_label=("Battery and drives",), column_header=("Price (€)",), page=1),),
    ),
    Expected(
        file="addon-1.html",
        must_have=(
            Text(text="Sailing Board"),
            Text(text="4.3"),
            Text(text="Works offline for 24 hours", category="ListItem"),
            Text(text="Display notifications to you"),
        ),
        must_not_have=("byID", "schema.org", "Themes"),
        cells=(CellText(text="2.4.1", row_label=("Version",), column_header=()),),
    ),
    Expected(
        file="addon-2.html",
        must_have=(
            Text(text="Fare Finder for the Sound"),
            Text(text="2.9"),
            Text(text="group tickets for more than 12 people are not compared"),
        ),
        must_not_have=("schema.org", "Themes"),
        cells=(CellText(text="Mozilla Public License 2.0", row_label=("License",), column_header=()),),
    ),
    Expected(
        file="addon-3.html",
        must_have=(
            Text(text="Tide Glance"),
            Text(text="4.7"),
            Text(text="no server is asked"),
            Text(text="Store unlimited amount of client-side data"),
        ),
        must_not_have=("schema.org", "Themes"),
        cells=(CellText(text="231.9 KB", row_label=("Size",), column_header=()),),
    ),
    Expected(
        file="addon-api.json",
        must_have=(
            Text(text="Harbour Tiles"),
            Text(text="3.85"),
            Text(text="The Kelding camera was moved to the new mast."),
        ),
        must_not_have=("Hafenkacheln", "<p>", "bayesian_average"),
    ),
)

FIRST_QUESTIONS: tuple[Question, ...] = (
    Question(
        text="How many members did the cooperative have at the end of 2024?",
        file="report.pdf",
        page=1,
        quote_has="6,412",
        kind="text",
    ),
    Question(
        text="What was the operating surplus in 2023?",
        file="report.pdf",
        page=5,
        quote_has="€1.7 million in 2023",
        kind="text",
    ),
    Question(
        text="Why did the linkspan at Ostrey Quay drop?",
        file="report.pdf",
        page=2,
        quote_has="burst hydraulic hose",
        kind="text",
    ),
    Question(
        text="Were fares raised in 2024?",
        file="report.pdf",
        page=2,
        quote_has="Fares were not raised in 2024",
        kind="text",
    ),
    Question(
        text="How many thousand passengers did route H3 Halvane–Brackholm carry in 2023?",
        file="report.pdf",
        page=4,
        quote_has="103.4",
        kind="table",
    ),
    Question(
        text="How many thousand vehicles did route H2 Marrowick–Ostrey carry in 2022?",
        file="report.pdf",
        page=4,
        quote_has="62.9",
        kind="table",
    ),
    Question(
        text="What share of the sailings of route H4 Ostrey–Kelding was on time in 2024?",
        file="report.pdf",
        page=4,
        quote_has="88.9%",
        kind="table",
    ),
    Question(
        text="What did the main engine overhaul of MV Storm Petrel cost?",
        file="report.pdf",
        page=6,
        quote_has="184,000",
        kind="table",
    ),
    Question(
        text="What did the charging tower arm at Halvane Pier cost?",
        file="report.pdf",
        page=7,
        quote_has="54,600",
        kind="table",
    ),
    Question(
        text="What is the winter wind limit of MV Eider on route H4?",
        file="handbook.docx",
        page=None,
        quote_has="12",
        kind="table",
    ),
    Question(
        text="On which channel is Ostrey Quay reached?",
        file="handbook.docx",
        page=None,
        quote_has="VHF 11",
        kind="table",
    ),
    Question(
        text="Within how many minutes must all passengers be counted at the muster points?",
        file="handbook.docx",
        page=None,
        quote_has="within 8 minutes",
        kind="text",
    ),
    Question(
        text="Up to what weight of lorry is the new linkspan of Halvane Pier rated?",
        file="notice.html",
        page=None,
        quote_has="44 tonnes",
        kind="text",
    ),
    Question(
        text="When does the last H1 ferry leave Marrowick on Sunday during the works?",
        file="notice.html",
        page=None,
        quote_has="19:30",
        kind="table",
    ),
    Question(
        text="How many litres of gas oil did MV Eider use in the second half?",
        file="fleet.xlsx",
        page=1,
        quote_has="88,700",
        kind="table",
    ),
    Question(
        text="In which yard is ES Guillemot docked?",
        file="fleet.xlsx",
        page=2,
        quote_has="Brackwater",
        kind="table",
    ),
    Question(
        text="How many passengers were on sailing S-1409?",
        file="sailings.csv",
        page=None,
        quote_has="S-1409",
        kind="table",
    ),
    Question(
        text="Up to which age do children travel free?",
        file="faq.md",
        page=None,
        quote_has="Children under 7 travel free",
        kind="text",
    ),
    Question(
        text="What is the single fare for a car up to 5 m on H1 in 2025?",
        file="faq.md",
        page=None,
        quote_has="€22.50",
        kind="table",
    ),
    Question(
        text="How many tonnes of seaweed were taken out of the basin in January and February 2025?",
        file="notes.txt",
        page=None,
        quote_has="210 tonnes of seaweed",
        kind="text",
    ),
    Question(
        text="How much ice did the ice plant make in 2024?",
        file="notes.txt",
        page=None,
        quote_has="1,380 tonnes",
        kind="text",
    ),
)

SECOND_QUESTIONS: tuple[Question, ...] = (
    Question(
        text="How many cubic metres of sand have to be removed at Ostrey Quay?",
        file="scan.pdf",
        page=2,
        quote_has="1,850 cubic metres",
        kind="text",
    ),
    Question(
        text="What depth did the survey find at the fairway (P3) in 2024?",
        file="scan.pdf",
        page=1,
        quote_has="6.8",
        kind="table",
    ),
    Question(
        text="How many members voted no on the share price of €180?",
        file="slides.pptx",
        page=3,
        quote_has="611",
        kind="table",
    ),
    Question(
        text="At what interest rate will the bank lend €20 million?",
        file="slides.pptx",
        page=2,
        quote_has="3.1 percent",
        kind="text",
    ),
    Question(
        text="What does the sketch of the charging tower on Ostrey Quay show?",
        file="slides.pptx",
        page=2,
        quote_has="with its arm on a ferry",
        kind="image",
    ),
    Question(
        text="Can Aldo Verrin offer a vacuum mooring?",
        file="mail.eml",
        page=None,
        quote_has="cannot offer a vacuum mooring",
        kind="text",
    ),
    Question(
        text="On which date will Nordhull Yard deliver the ferry to Marrowick?",
        file="mail.eml!/quotation.pdf",
        page=1,
        quote_has="31 August 2026",
        kind="text",
    ),
    Question(
        text="What is the rating of the add-on Fare Finder for the Sound?",
        file="addon-2.html",
        page=None,
        quote_has="2.9",
        kind="text",
    ),
    Question(
        text="Under which license is the add-on Tide Glance?",
        file="addon-3.html",
        page=None,
        quote_has="GNU General Public License v3.0 only",
        kind="table",
    ),
    Question(
        text="Which picture shows the muster points of MV Storm Petrel?",
        file="handbook.docx",
        page=None,
        quote_has="Muster points (green) on the starboard side",
        kind="image",
    ),
    Question(
        text="Which colour has route H3 on the map of the sound?",
        file="report.pdf",
        page=3,
        quote_has="H3 (orange)",
        kind="image",
    ),
)

QUESTIONS: tuple[Question, ...] = FIRST_QUESTIONS + SECOND_QUESTIONS

UNANSWERABLE: tuple[Unanswerable, ...] = (
    Unanswerable(text="Which architect designed the lighthouse?", why="absent subject"),
    Unanswerable(text="How many runways does the airport have?", why="absent subject"),
    Unanswerable(text="Which wines are served at the wedding banquet?", why="absent subject"),
    Unanswerable(
        text="How many thousand passengers did route H1 Marrowick–Halvane carry in 2019?",
        why="wrong year",
    ),
    Unanswerable(text="What was the revenue of the cooperative in 2017?", why="wrong year"),
    Unanswerable(text="What share of the sailings of route H4 was on time in 2018?", why="wrong year"),
    Unanswerable(text="What was the average salary of the crew in 2024?", why="absent figure"),
    Unanswerable(text="How many tonnes of carbon dioxide did the fleet emit in 2024?", why="absent figure"),
    Unanswerable(text="What is the top speed of ES Guillemot?", why="absent figure"),
    Unanswerable(text="How many bicycles did route H2 carry in 2023?", why="absent figure"),
)
