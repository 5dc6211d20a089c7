"""``fleet.xlsx``: a workbook with a merged header, totals and dates; ``sailings.csv``: records as a German system
writes them, with semicolons and decimal commas.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from tests.make_samples.office import WRITTEN, dated

ENERGY = (
    ("Vessel", "First half", None, "Second half", None, "Share of cost"),
    (None, "Gas oil (litres)", "Electricity (kWh)", "Gas oil (litres)", "Electricity (kWh)", None),
    ("MV Storm Petrel", 412600, 38200, 398150, 36900, 0.465),
    ("ES Guillemot", 21300, 1184500, 19800, 1203700, 0.28),
    ("MV Eider", 96400, 12100, 88700, 11650, 0.165),
    ("MV Kittiwake", 47900, 3800, 44100, 3650, 0.09),
    ("Fleet", 578200, 1238600, 550750, 1255900, 1.0),
)
MERGED = ("A4:A5", "B4:C4", "D4:E4", "F4:F5")
DOCKINGS = (
    ("Vessel", "In dock from", "Back on", "Yard", "Cost"),
    ("MV Kittiwake", date(2025, 1, 13), date(2025, 2, 2), "Sandholm", 184300.5),
    ("MV Eider", date(2025, 2, 10), date(2025, 3, 7), "Sandholm", 261750.0),
    ("ES Guillemot", date(2025, 11, 3), date(2025, 11, 21), "Brackwater", 98400.0),
)
SAILINGS = """\
Sailing;Day;Route;Vessel;Left at;Passengers;Vehicles;Late by (min);Wind (m/s)
S-1401;14.06.2025;H1;MV Storm Petrel;06:15;118;41;0;6,4
S-1402;14.06.2025;H3;MV Eider;06:30;37;12;2;6,9
S-1403;14.06.2025;H2;ES Guillemot;07:00;164;52;0;7,1
S-1404;14.06.2025;H4;MV Kittiwake;07:20;21;5;4;7,8
S-1405;14.06.2025;H1;MV Storm Petrel;08:15;276;77;3;8,0
S-1406;14.06.2025;H2;ES Guillemot;09:00;231;60;1;8,2
S-1407;14.06.2025;H3;MV Eider;09:30;64;18;0;8,6
S-1408;14.06.2025;H1;MV Storm Petrel;10:15;389;83;17;9,3
S-1409;14.06.2025;H4;MV Kittiwake;10:40;48;9;22;11,5
S-1410;14.06.2025;H2;ES Guillemot;11:00;302;66;6;10,2
S-1411;14.06.2025;H3;MV Eider;12:30;71;15;5;10,7
S-1412;14.06.2025;H1;MV Storm Petrel;13:15;341;80;8;9,9
S-1413;14.06.2025;H2;ES Guillemot;14:00;288;63;2;9,1
S-1414;14.06.2025;H1;MV Storm Petrel;16:15;402;84;0;8,3
S-1415;14.06.2025;H4;MV Kittiwake;17:10;56;11;1;7,7
S-1416;14.06.2025;H2;ES Guillemot;18:00;259;71;0;6,8
"""


def write_sailings() -> bytes:
    """The CSV's bytes."""
    return SAILINGS.replace("\n", "\r\n").encode("cp1252")


def write_fleet() -> bytes:
    """The XLSX's bytes."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Energy 2024"
    sheet["A1"] = "Energy used by the fleet in 2024"
    sheet["A2"] = "From the engineers' logs, counted at each bunkering."
    sheet["A1"].font = Font(bold=True)
    _put(sheet, ENERGY, top=4, bold=2)
    for place in MERGED:
        sheet.merge_cells(place)
    sheet["A12"] = "Note: the shore supply on Halvane failed from 4 to 19 February, when ES Guillemot ran on gas oil."
    _put(book.create_sheet("Dockings"), DOCKINGS, top=1, bold=1)
    book.properties.created = book.properties.modified = WRITTEN
    book.properties.title, book.properties.creator = "Fleet data", "Petra Quillon"
    buffer = io.BytesIO()
    book.save(buffer)
    return dated(buffer.getvalue())


def _put(sheet: Worksheet, rows: Sequence[Sequence[object]], *, top: int, bold: int) -> None:
    """Write rows as they are typed; the first ``bold`` ones in bold."""
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            cell = sheet.cell(top + r, 1 + c, value)
            cell.font = Font(bold=r < bold)
            cell.number_format = _format(value)


def _format(value: object) -> str:
    if isinstance(value, date | datetime):
        return "d mmmm yyyy"
    if isinstance(value, float):
        return "0.0%" if value <= 1 else '"€"#,##0.00'
    return "#,##0" if isinstance(value, int) else "General"
