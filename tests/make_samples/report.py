"""``report.pdf``: the cooperative's annual report, seven A4 pages."""

from __future__ import annotations

import pymupdf

from tests.make_samples.drawing import (
    A4,
    BOTTOM,
    CAPTION,
    LEFT,
    RIGHT,
    SMALL,
    TITLE,
    TOP,
    BarChart,
    Grid,
    GridCell,
    GridStyle,
    Sheet,
    Style,
    draw_bars,
    grid_of_rows,
    save,
)
from tests.make_samples.pictures import route_map

HEADER = "Halvane Sound Ferry Cooperative"
FOOTER = "Annual Report 2024"

TRAFFIC = (
    ("H1 Marrowick–Halvane", "412.6", "438.9", "455.2", "131.4", "137.0", "140.8"),
    ("H2 Marrowick–Ostrey", "208.3", "201.7", "214.5", "62.9", "60.2", "63.7"),
    ("H3 Halvane–Brackholm", "96.1", "103.4", "99.8", "21.5", "23.8", "22.6"),
    ("H4 Ostrey–Kelding", "38.7", "41.2", "44.6", "9.3", "9.9", "10.4"),
    ("All routes", "755.7", "785.2", "814.1", "225.1", "230.9", "237.5"),
)
SAILINGS = (
    ("Route", "Planned", "Weather", "Technical", "On time 2023", "On time 2024"),
    ("H1 Marrowick–Halvane", "5,840", "61", "12", "94.1%", "95.6%"),
    ("H2 Marrowick–Ostrey", "3,276", "84", "9", "91.8%", "90.3%"),
    ("H3 Halvane–Brackholm", "2,190", "47", "21", "93.0%", "92.4%"),
    ("H4 Ostrey–Kelding", "1,460", "118", "6", "86.5%", "88.9%"),
    ("All routes", "12,766", "310", "48", "92.5%", "92.9%"),
)
DIESEL = BarChart(
    groups=("Q1", "Q2", "Q3", "Q4"),
    series=(("2023", (905, 1010, 1060, 895)), ("2024", (870, 840, 810, 720))),
    axis="Marine diesel, thousand litres",
    top=1200,
    step=300,
)
WORKS_HEADER = ("No.", "Date", "Vessel or berth", "Work", "Cost (€)")
WORKS = (
    ("W-01", "8 Jan 2024", "Marrowick Berth 1", "Fender panels renewed", "18,400"),
    ("W-02", "11 Jan 2024", "MV Storm Petrel", "Bow visor seals", "9,250"),
    ("W-03", "19 Jan 2024", "MV Eider", "Gearbox oil cooler", "6,780"),
    ("W-04", "25 Jan 2024", "Kelding Slip", "Winch cable", "2,140"),
    ("W-05", "2 Feb 2024", "MV Kittiwake", "Radar scanner", "14,900"),
    ("W-06", "9 Feb 2024", "Halvane Pier", "Lighting columns", "7,320"),
    ("W-07", "14 Feb 2024", "ES Guillemot", "Battery coolant pumps", "11,600"),
    ("W-08", "22 Feb 2024", "Ostrey Quay", "Linkspan hydraulics", "32,750"),
    ("W-09", "1 Mar 2024", "MV Storm Petrel", "Life raft service", "5,480"),
    ("W-10", "7 Mar 2024", "MV Eider", "Hull blasting and paint", "61,300"),
    ("W-11", "12 Mar 2024", "Brackholm Berth", "Mooring bollards", "12,870"),
    ("W-12", "20 Mar 2024", "MV Kittiwake", "Stern ramp hinges", "21,450"),
    ("W-13", "28 Mar 2024", "Marrowick Berth 2", "Dredging, 2,600 m³", "47,900"),
    ("W-14", "4 Apr 2024", "ES Guillemot", "Thruster bearings", "16,200"),
    ("W-15", "11 Apr 2024", "Halvane Pier", "Charging tower cable", "8,640"),
    ("W-16", "18 Apr 2024", "MV Storm Petrel", "Main engine overhaul", "184,000"),
    ("W-17", "26 Apr 2024", "Kelding Slip", "Concrete repair", "26,300"),
    ("W-18", "3 May 2024", "MV Eider", "Galley ventilation", "3,910"),
    ("W-19", "10 May 2024", "Ostrey Quay", "Passenger shelter", "19,750"),
    ("W-20", "16 May 2024", "MV Kittiwake", "Fire pump", "4,560"),
    ("W-21", "24 May 2024", "Brackholm Berth", "Tide gauge", "1,980"),
    ("W-22", "31 May 2024", "ES Guillemot", "Battery module 14", "38,200"),
    ("W-23", "6 Jun 2024", "Marrowick Berth 1", "Ticket barriers", "27,600"),
    ("W-24", "13 Jun 2024", "MV Storm Petrel", "Passenger lift", "13,150"),
    ("W-25", "20 Jun 2024", "MV Eider", "Gearbox oil cooler", "7,060"),
    ("W-26", "28 Jun 2024", "Halvane Pier", "Anti-slip decking", "15,840"),
    ("W-27", "5 Jul 2024", "MV Kittiwake", "Radar display", "6,230"),
    ("W-28", "12 Jul 2024", "Ostrey Quay", "Linkspan hydraulics", "4,420"),
    ("W-29", "19 Jul 2024", "ES Guillemot", "Charging inlet", "9,870"),
    ("W-30", "26 Jul 2024", "Kelding Slip", "Navigation light", "2,760"),
    ("W-31", "2 Aug 2024", "MV Storm Petrel", "Bow thruster motor", "22,900"),
    ("W-32", "9 Aug 2024", "Brackholm Berth", "Waiting room roof", "17,300"),
    ("W-33", "16 Aug 2024", "MV Eider", "Car deck drains", "5,120"),
    ("W-34", "23 Aug 2024", "Marrowick Berth 2", "Fender panels renewed", "20,100"),
    ("W-35", "30 Aug 2024", "MV Kittiwake", "Propeller polishing", "3,480"),
    ("W-36", "6 Sep 2024", "ES Guillemot", "Battery coolant pumps", "12,350"),
    ("W-37", "13 Sep 2024", "Halvane Pier", "Charging tower arm", "54,600"),
    ("W-38", "20 Sep 2024", "MV Storm Petrel", "Evacuation slide", "28,700"),
    ("W-39", "27 Sep 2024", "Ostrey Quay", "Rock armour, 900 t", "41,800"),
    ("W-40", "4 Oct 2024", "MV Eider", "Steering gear", "19,260"),
    ("W-41", "11 Oct 2024", "Kelding Slip", "Winch motor", "8,900"),
    ("W-42", "18 Oct 2024", "MV Kittiwake", "Exhaust filter", "24,650"),
    ("W-43", "25 Oct 2024", "Brackholm Berth", "Ramp heating", "10,400"),
    ("W-44", "1 Nov 2024", "ES Guillemot", "Hull cleaning", "4,980"),
    ("W-45", "8 Nov 2024", "Marrowick Berth 1", "Linkspan bearings", "36,500"),
    ("W-46", "15 Nov 2024", "MV Storm Petrel", "Car deck paint", "14,250"),
)
WORKS_ON_FIRST_PAGE = 25


def write_report() -> bytes:
    """The PDF's bytes."""
    doc = pymupdf.open()
    pages = (_cooperative, _review, _network, _traffic, _money_and_energy, _works, _works_and_outlook)
    fonts: dict[str, pymupdf.Font] = {}
    for number, write in enumerate(pages, 1):
        sheet = Sheet(page=doc.new_page(width=A4[0], height=A4[1]), fonts=fonts)
        sheet.running_lines(HEADER, FOOTER, number)
        write(sheet)
        sheet.finish()
    return save(doc, title="Annual Report 2024", date="D:20250318090000Z")


def _cooperative(sheet: Sheet) -> None:
    sheet.paragraph("Annual Report 2024", TITLE)
    sheet.paragraph("Halvane Sound Ferry Cooperative, Marrowick. Adopted by the board on 18 March 2025.", SMALL)
    sheet.heading(1, "1 The cooperative")
    sheet.paragraph(
        "The Halvane Sound Ferry Cooperative runs four ferry routes between the port of Marrowick and the islands of "
        "Halvane, Ostrey, Brackholm and Kelding. It was founded on 4 May 1987, when the islanders bought two ships "
        "from a bankrupt carrier. Today it owns four vessels: MV Storm Petrel, MV Eider, MV Kittiwake and the battery "
        "ferry ES Guillemot, which entered service on 17 April 2023."
    )
    sheet.heading(2, "1.1 Members")
    sheet.paragraph(
        "At the end of 2024 the cooperative had 6,412 members,¹ against 6,188 a year before and 6,035 at the end of "
        "2022. Each member holds one vote, whatever the number of shares. A share costs €150 and cannot be sold on; "
        "it is paid back at the same price when a member leaves."
    )
    sheet.heading(3, "1.1.1 Members by island")
    sheet.paragraph(
        "Halvane has the most members: 2,974. There are 1,508 on Ostrey, 806 on Brackholm and 391 on Kelding. "
        "The remaining 733 members live on the mainland."
    )
    sheet.heading(2, "1.2 Board and management")
    sheet.paragraph(
        "The board has nine seats. Ingrid Tollemar has chaired it since 2021; her term ends in June 2026. Oswin Brae "
        "has been managing director since 1 September 2022. Petra Quillon, the safety manager, reports to the board "
        "and not to the managing director."
    )
    sheet.heading(3, "1.2.1 Meetings")
    sheet.paragraph(
        "The board met eleven times in 2024, twice on Kelding. The members' meeting of 8 June 2024 was attended by "
        "1,127 members. It rejected the proposal to charge for bicycles, by 640 votes to 452, with 35 abstentions."
    )
    sheet.footnotes(("¹ Natural persons only. The five island councils hold shares without a vote.",))


def _review(sheet: Sheet) -> None:
    sheet.heading(1, "2 The year in review")
    sheet.finish()
    top, gap = sheet.y, 22.0
    width = (RIGHT - LEFT - gap) / 2
    left = Sheet(page=sheet.page, x1=LEFT + width, y=top, fonts=sheet.fonts)
    right = Sheet(page=sheet.page, x0=LEFT + width + gap, y=top, fonts=sheet.fonts)
    left.heading(2, "2.1 A stormy winter")
    left.paragraph(
        "The year began with eleven days of gales. Between 3 and 13 January no ship sailed to Kelding, and the "
        "is\u00adland was sup\u00adplied by heli\u00adcop\u00adter twice. On the other routes the ships sailed with "
        "re\u00adduced speed, and the night freight run was can\u00adcelled six times."
    )
    left.paragraph(
        "In all, 310 sailings were can\u00adcelled for weather in 2024, fewer than the 372 of 2023 but more than the "
        "288 of 2022. Tech\u00adni\u00adcal can\u00adcel\u00adla\u00adtions fell from 77 to 48, mostly because the new "
        "main\u00adte\u00adnance plan moved the yard periods out of the summer months."
    )
    left.heading(2, "2.2 Ramp failure on Ostrey")
    left.paragraph(
        "On 20 February the linkspan at Ostrey Quay dropped by 40 centimetres while a lorry was driving ashore. Nobody "
        "was hurt. A burst hy\u00addrau\u00adlic hose was the cause. Vehicles were taken over the old slip for nine "
        "days; foot passengers were not af\u00adfected."
    )
    left.heading(2, "2.3 A better winter plan")
    left.paragraph(
        "From 1 No\u00advem\u00adber the master of each ship and the duty man\u00adager on land decide to\u00adgether "
        "by 05:30 whether the first sail\u00ading goes. Pas\u00adsen\u00adgers learn of it by text mes\u00adsage. In "
        "the first two months 96 percent of the mes\u00adsages were sent be\u00adfore 06:00; in the old way it had "
        "been 58 percent."
    )
    left.finish()
    right.heading(2, "2.4 New timetable")
    right.paragraph(
        "Since 1 May 2024 route H1 has had a departure every 60 minutes on week\u00addays instead of every 75 "
        "min\u00adutes. Route H3 lost its last evening sail\u00ading in return, and its passenger numbers fell by 3.5 "
        "percent over the year. Route H4 kept its four daily sail\u00adings."
    )
    right.paragraph(
        "The com\u00adplaints desk re\u00adceived 1,046 letters and mes\u00adsages, down from 1,310 in 2023. Every "
        "third one was about the waiting room on Brackholm, which was re\u00adroofed in August."
    )
    right.heading(2, "2.5 Rescue at Tern Skerry")
    right.paragraph(
        "On 29 July the crew of MV Eider took four people and a dog off a sail\u00ading boat that had run aground on "
        "Tern Skerry. The ferry was 52 minutes late at Brackholm. The coast guard thanked Captain Maud Ferrensby and "
        "her crew of seven."
    )
    right.heading(2, "2.6 What we did not do")
    right.paragraph(
        "The plan\u00adned purchase of a second battery ferry was post\u00adponed by one year, to 2026, because the "
        "only bid was 31 percent above the budget of €27 million. Fares were not raised in 2024."
    )
    right.finish()


def _network(sheet: Sheet) -> None:
    sheet.heading(1, "3 Traffic")
    sheet.heading(2, "3.1 Route network")
    sheet.paragraph(
        "Two routes start in Marrowick: H1 to Halvane, 14.5 kilometres in 50 minutes, and H2 to Ostrey, 16.8 "
        "kilometres in 55 minutes. From Halvane route H3 goes on to Brackholm, 11.2 kilometres in 40 minutes; from "
        "Ostrey route H4 goes on to Kelding, 22.4 kilometres in 80 minutes."
    )
    sheet.picture(route_map(), 239)
    sheet.paragraph(
        "Figure 1: Map of the sound with routes H1 (red), H2 (blue), H3 (orange) and H4 (green); the small island "
        "between them is Tern Skerry.",
        CAPTION,
    )
    sheet.heading(3, "3.1.1 Ships and routes")
    for ship in (
        "ES Guillemot sails route H1 all year; it carries 340 passengers and 62 cars.",
        "MV Storm Petrel sails route H2 and helps on H1 in July and August; it carries 420 passengers and 85 cars.",
        "MV Eider sails route H3; it carries 180 passengers and 28 cars.",
        "MV Kittiwake sails route H4; it carries 120 passengers and 18 cars.",
    ):
        sheet.paragraph(ship, bullet="•")
    sheet.heading(3, "3.1.2 Crossing the network")
    sheet.paragraph(
        "A through ticket from Marrowick to Brackholm or Kelding has been sold since 2022. In 2024 it was used for "
        "71,300 journeys, 9 percent more than in 2023."
    )


def _traffic_grid() -> Grid:
    head = [
        GridCell(text="Route", row=0, column=0, rowspan=2, bold=True),
        GridCell(text="Passengers (thousand)", row=0, column=1, colspan=3, bold=True, align="centre"),
        GridCell(text="Vehicles (thousand)", row=0, column=4, colspan=3, bold=True, align="centre"),
    ]
    years = [
        GridCell(text=year, row=1, column=c, bold=True, align="right")
        for c, year in enumerate(("2022", "2023", "2024") * 2, 1)
    ]
    body = [
        GridCell(text=text, row=r, column=c, bold=r == 6, align="right" if c else "left")
        for r, row in enumerate(TRAFFIC, 2)
        for c, text in enumerate(row)
    ]
    return Grid(widths=(131, *(56,) * 6), cells=(*head, *years, *body), style=GridStyle())


def _traffic(sheet: Sheet) -> None:
    sheet.heading(2, "3.2 Passengers and vehicles")
    sheet.paragraph(
        "The ships carried 814,100 passengers in 2024, 3.7 percent more than in 2023. Three routes grew; only H3 fell. "
        "Route H2, which had lost passengers in 2023, more than made up for it. The number of vehicles rose by 2.9 "
        "percent to 237,500."
    )
    sheet.paragraph("Table 1: Passengers and vehicles carried by route, 2022 to 2024", CAPTION)
    sheet.table(_traffic_grid())
    sheet.paragraph(
        "Lorries and trailers are counted as vehicles. They made up 8.2 percent of all vehicles in 2024 and 8.6 "
        "percent in 2023. The busiest day was Saturday 3 August 2024 with 6,940 passengers."
    )
    sheet.heading(2, "3.3 Punctuality")
    sheet.paragraph(
        "A sailing is on time when the ship arrives no later than ten minutes after the timetable.² Punctuality "
        "improved on H1 and H4 and got worse on H2 and H3. The target of 93 percent for the whole network was missed "
        "by a tenth of a percentage point."
    )
    sheet.paragraph("Table 2: Sailings planned, cancelled for weather or technical reasons, and on time", CAPTION)
    sheet.y += 8
    look = GridStyle(ruled=False, numbers="centre", total=True)
    sheet.table(grid_of_rows(SAILINGS, (150, 56, 56, 65, 70, 70), look))
    sheet.paragraph(
        "More than a third of the sailings cancelled for weather were sailings to Kelding, where the slip lies open to "
        "the south-west. A breakwater would help but was not approved in 2024."
    )
    sheet.footnotes(("² Until 2022 the limit was fifteen minutes. Figures before 2023 cannot be compared.",))


def _money_and_energy(sheet: Sheet) -> None:
    sheet.heading(1, "4 Finance and energy")
    sheet.heading(2, "4.1 Results")
    sheet.paragraph(
        "Revenue rose to €48.3 million in 2024 from €45.1 million in 2023 and €43.6 million in 2022. Fares brought in "
        "€31.2 million, the public service grant €10.8 million (2023: €11.4 million), and freight, catering and rents "
        "the remaining €6.3 million."
    )
    sheet.paragraph(
        "The operating surplus was €2.9 million, against €1.7 million in 2023 and a loss of €0.4 million in 2022. No "
        "dividend was paid. The auditors, Hartsell & Denbury, gave an unqualified opinion on 11 March 2025."
    )
    sheet.heading(3, "4.1.1 Debt")
    sheet.paragraph(
        "Bank loans fell from €26.0 million to €23.5 million. The loan for ES Guillemot, €14.2 million at 2.85 "
        "percent, runs until 2038."
    )
    sheet.heading(2, "4.2 Energy")
    sheet.paragraph(
        "The fleet burnt 3,240 thousand litres of marine diesel in 2024, 16.3 percent less than the 3,870 thousand "
        "litres of 2023. ES Guillemot took 3,960 megawatt-hours from the charging towers in Marrowick and on Halvane, "
        "against 2,480 megawatt-hours in its first, shorter year."
    )
    draw_bars(sheet, DIESEL, 165)
    sheet.paragraph("Figure 2: Marine diesel burnt by the fleet in each quarter of 2023 and 2024", CAPTION)
    sheet.heading(3, "4.2.1 Solar roof")
    sheet.paragraph(
        "The roof of the Marrowick terminal carries 1,150 square metres of solar panels. They gave 196 megawatt-hours "
        "in 2024 and 203 megawatt-hours in 2023; the fall was due to a broken inverter."
    )


def _works_table(sheet: Sheet, rows: tuple[tuple[str, ...], ...]) -> None:
    widths = (44.0, 76.0, 122.0, 155.0, 70.0)
    sheet.table(grid_of_rows((WORKS_HEADER, *rows), widths, GridStyle(text_columns=4, row_height=16.5)))


def _works(sheet: Sheet) -> None:
    sheet.heading(1, "5 Maintenance")
    sheet.paragraph(
        "The yard and the harbour crews finished 46 works of more than €1,500 in 2024. The largest was the overhaul of "
        "the main engine of MV Storm Petrel."
    )
    sheet.paragraph("Table 3: Register of works on vessels and berths, 2024", CAPTION)
    rows_fit = int((BOTTOM + 20 - sheet.y) / 16.5) - 1
    if rows_fit < WORKS_ON_FIRST_PAGE:
        raise ValueError(f"only {rows_fit} rows fit on the first page of the register")
    _works_table(sheet, WORKS[:WORKS_ON_FIRST_PAGE])


def _works_and_outlook(sheet: Sheet) -> None:
    sheet.y = TOP - 10
    _works_table(sheet, WORKS[WORKS_ON_FIRST_PAGE:])
    sheet.heading(1, "6 Outlook")
    sheet.heading(2, "6.1 Targets for 2025")
    for target in (
        "Carry 830,000 passengers, 2 percent more than in 2024.",
        "Bring punctuality to 94 percent on the whole network.",
        "Burn no more than 2,900 thousand litres of marine diesel.",
        "Open a second charging tower on Ostrey Quay by 1 October 2025.",
    ):
        sheet.paragraph(target, bullet="•")
    sheet.heading(2, "6.2 Risks")
    sheet.paragraph(
        "The public service contract ends on 31 December 2026. The region has not yet said whether it will be put out "
        "to tender. If the grant fell by another tenth, the operating surplus would be gone.",
        Style(size=10.0),
    )
