"""``handbook.docx``: the crew handbook, with merged table cells, a picture and styled headings."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime

from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table

from tests.make_samples.pictures import ferry_side

WRITTEN = datetime(2025, 1, 15, 9, 0)  # noqa: DTZ001 (Office files hold times without a zone)
ZIP_DATE = (2025, 1, 15, 9, 0, 0)

LIMITS = (
    ("Vessel", "Route", "Wind limit (m/s)", "", "Wave limit (m)"),
    ("", "", "Summer", "Winter", ""),
    ("MV Storm Petrel", "H1", "19", "17", "2.5"),
    ("", "H2", "18", "16", "2.2"),
    ("ES Guillemot", "H1", "17", "15", "2.0"),
    ("MV Eider", "H3", "16", "14", "1.8"),
    ("", "H4", "15", "12", "1.5"),
    ("MV Kittiwake", "H4", "14", "11", "1.4"),
)
MERGES = (((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (0, 3)), ((0, 4), (1, 4)), ((2, 0), (3, 0)), ((5, 0), (6, 0)))
CHANNELS = (
    ("Station", "Channel", "Staffed"),
    ("Marrowick harbour control", "VHF 12", "24 hours"),
    ("Halvane Pier", "VHF 14", "05:00 to 23:30"),
    ("Ostrey Quay", "VHF 11", "05:30 to 22:00"),
    ("Engineering standby", "VHF 77", "24 hours"),
)


def write_handbook() -> bytes:
    """The DOCX's bytes."""
    doc = Document()
    doc.styles["Normal"].font.size = Pt(11)
    doc.add_heading("Crew Handbook 2025", 0)
    doc.add_paragraph(
        "For masters, mates, engineers and deck hands of the Halvane Sound Ferry Cooperative. Edition 12, in force "
        "from 1 February 2025; it replaces edition 11 of March 2023."
    )
    _safety(doc)
    _weather(doc)
    _charging(doc)
    _radio(doc)
    doc.core_properties.title = "Crew Handbook 2025"
    doc.core_properties.author = "Petra Quillon"
    doc.core_properties.created = doc.core_properties.modified = WRITTEN
    buffer = io.BytesIO()
    doc.save(buffer)
    return dated(buffer.getvalue())


def dated(package: bytes) -> bytes:
    """An Office package with fixed times in its ZIP entries and its properties, and in the packages inside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".xlsx"):
                data = dated(data)
            elif name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-01-15T09:00:00Z", data)
            new.writestr(zipfile.ZipInfo(name, ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _bullets(doc: WordDocument, items: Sequence[str]) -> None:
    for item in items:
        doc.add_paragraph(item, style="List Bullet")


def _table(doc: WordDocument, rows: Sequence[Sequence[str]], header_rows: int) -> Table:
    """A ruled table whose header rows are marked as such and set in bold."""
    table: Table = doc.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            table.cell(r, c).paragraphs[0].add_run(text).bold = r < header_rows
        if r < header_rows:
            properties = table.rows[r]._tr.get_or_add_trPr()
            mark = OxmlElement("w:tblHeader")
            mark.set(qn("w:val"), "true")
            properties.append(mark)
    return table


def _safety(doc: WordDocument) -> None:
    doc.add_heading("Safety on board", 1)
    doc.add_heading("Muster", 2)
    doc.add_paragraph(
        "A muster drill is held every week, with passengers on board at least once a month. All passengers must be "
        "counted at the muster points within 8 minutes. The mate reports the count to the bridge twice."
    )
    doc.add_picture(io.BytesIO(ferry_side()), width=Cm(13))
    doc.add_paragraph("Figure 1: Muster points (green) on the starboard side of MV Storm Petrel", style="Caption")
    doc.add_heading("Life jackets", 2)
    _bullets(
        doc,
        (
            "MV Storm Petrel carries 462 adult and 46 child life jackets.",
            "ES Guillemot carries 374 adult and 38 child life jackets.",
            "Jackets are inspected every 12 months, inflatable ones every 6 months.",
            "A jacket without an inspection tag must not be handed out.",
        ),
    )


def _weather(doc: WordDocument) -> None:
    doc.add_heading("Weather limits", 1)
    doc.add_paragraph(
        "The limits in Table 1 hold for the mean wind over ten minutes and the significant wave height. Winter is from "
        "1 October to 31 March. A master may stop below the limits but never sail above them."
    )
    doc.add_paragraph("Table 1: Wind and wave limits by vessel and route", style="Caption")
    table = _table(doc, LIMITS, header_rows=2)
    for start, end in MERGES:
        text = table.cell(*start).text
        merged = table.cell(*start).merge(table.cell(*end))
        for extra in merged.paragraphs[1:]:
            extra._element.getparent().remove(extra._element)
        if merged.text != text:
            raise ValueError(f"the merge changed a cell's text to {merged.text!r}")
    doc.add_heading("Fog", 2)
    doc.add_paragraph(
        "Below 500 metres of visibility the speed is reduced to 8 knots and a lookout stands at the bow. Below 200 "
        "metres no ship leaves Kelding Slip."
    )


def _charging(doc: WordDocument) -> None:
    doc.add_heading("Charging ES Guillemot", 1)
    doc.add_paragraph(
        "The battery holds 4,300 kilowatt-hours. It is charged at 2.4 megawatts in Marrowick and at 1.8 megawatts on "
        "Halvane. The state of charge must not fall below 30 percent at sea."
    )
    doc.add_heading("Before connecting", 2)
    for step in (
        "Engage the vacuum mooring and wait for the green light.",
        "Check that nobody stands inside the yellow line.",
        "Lower the arm from the bridge, never from the quay.",
    ):
        doc.add_paragraph(step, style="List Number")
    doc.add_heading("Cell temperature", 2)
    doc.add_paragraph(
        "Charging stops by itself at a cell temperature of 45 °C. If a module reads more than 52 °C, the engineer "
        "isolates it and informs Engineering standby."
    )


def _radio(doc: WordDocument) -> None:
    doc.add_heading("Radio", 1)
    doc.add_paragraph("Table 2: Shore stations and their channels", style="Caption")
    _table(doc, CHANNELS, header_rows=1)
    doc.add_paragraph("Channel 16 is watched on all ships at all times. Mobile phones do not replace it.")
