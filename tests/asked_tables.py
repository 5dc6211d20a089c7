"""Tables of invented bodies, and what is asked of them: one half to work on, one that is kept apart to check.

Expected values are written down, or for long tables computed from the rows by plain loops.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A table as it is printed: ``header`` rows of (text, columns it spans); a row of one text heads a section."""

    name: str
    title: str
    caption: str
    header: tuple[tuple[tuple[str, int], ...], ...]
    rows: tuple[Row, ...]
    note: str = ""
    prose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question and what must come out: a number, labels in any order, a text as printed, or nothing but a flag."""

    kind: str
    text: str
    number: float | None = None
    labels: tuple[str, ...] = ()
    said: str = ""

    @property
    def flagged(self) -> bool:
        """Whether the table does not settle it, and the answer has to say so."""
        return self.number is None and not self.labels and not self.said


def head(*texts: str) -> tuple[tuple[tuple[str, int], ...], ...]:
    return (tuple((text, 1) for text in texts),)


def rows(text: str) -> tuple[Row, ...]:
    return tuple(tuple(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines())


def number(text: str) -> float:
    return float(text.replace(",", ""))


def total(rows: Sequence[Row], column: int, keep: Callable[[Row], bool]) -> float:
    return sum(number(row[column]) for row in rows if keep(row))


def count(rows: Sequence[Row], keep: Callable[[Row], bool]) -> float:
    return float(sum(1 for row in rows if keep(row)))


# --- to work on -----------------------------------------------------------------------------------

BREWERY = Printed(
    name="brewery",
    title="Tarn Valley Brewery: five years",
    caption="Table 1: Key figures (in € thousand unless stated otherwise)",
    header=head("", "2020", "2021", "2022", "2023", "2024"),
    rows=rows("""
        Revenue | 4,120 | 3,870 | 4,655 | 5,210 | 5,034
        Cost of materials | 1,540 | 1,488 | 1,790 | 2,015 | 1,962
        Staff costs | 1,105 | 1,090 | 1,180 | 1,260 | 1,322
        Operating profit | 612 | (148) | 705 | 848 | 660
        Employees (number) | 41 | 39 | 42 | 45 | 46
        Export share (%) | 12.5 | 11.0 | 14.2 | 16.8 | 18.1
    """),
    prose="The brewery was founded in 1911 by two brothers. Most of its beer is drunk within thirty miles of it.",
)
LIBRARY = Printed(
    name="town-library",
    title="Elmstead Town Library",
    caption="Visitors, loans and spending by year",
    header=head("Year", "Visitors", "Loans", "New members", "Book budget (€)"),
    rows=rows("""
        2018 | 48,210 | 91,344 | 1,204 | 38,000
        2019 | 51,877 | 95,120 | 1,310 | 39,500
        2020 | 17,430 | 42,015 | 388 | 39,500
        2021 | 22,954 | 58,760 | 641 | 36,000
        2022 | 40,118 | 80,233 | 1,127 | 37,200
        2023 | 47,902 | 88,019 | 1,275 | 41,000
        2024 | 52,640 | 90,871 | 1,402 | 43,800
    """),
    prose="The reading room was closed for ten weeks in 2020. Since then the building opens on Sundays as well.",
)
CLIMATE = Printed(
    name="weather-stations",
    title="Weather stations of the county",
    caption="Table 4. Yearly rainfall and mean temperature by station",
    header=(
        (("Station", 1), ("Rainfall (mm)", 3), ("Mean temperature (°C)", 3)),
        (("", 1), ("2022", 1), ("2023", 1), ("2024", 1), ("2022", 1), ("2023", 1), ("2024", 1)),
    ),
    rows=rows("""
        Oakridge | 812 | 940 | 877 | 9.8 | 10.1 | 10.4
        Penmoor | 1,203 | 1,388 | 1,290 | 8.1 | 8.3 | 8.9
        Saltby | 598 | 641 | 702 | 10.9 | 11.2 | 11.6
        Thornhill | 955 | 1,012 | 930 | 9.1 | 9.0 | 9.7
        Wick Bay | 734 | – | 790 | 10.2 | 10.6 | 10.8
    """),
    note="– gauge out of order",
)
HARVEST = Printed(
    name="harvest",
    title="Harvest of the growers' union",
    caption="Harvest by district and crop, in tonnes",
    header=head("Crop", "2022", "2023", "2024"),
    rows=rows("""
        North district
        Apples | 310 | 295 | 342
        Pears | 120 | 131 | 118
        Subtotal north | 430 | 426 | 460
        South district
        Plums | 88 | 104 | 97
        Cherries | 64 | 58 | 71
        Walnuts | 19 | 25 | 22
        Subtotal south | 171 | 187 | 190
        Total | 601 | 613 | 650
    """),
)
SURVEY = Printed(
    name="resident-survey",
    title="Residents' survey",
    caption="Answers by statement, in percent of 1,846 replies",
    header=head("Statement", "Agree", "Neutral", "Disagree"),
    rows=rows("""
        Streets are clean | 61.2% | 20.5% | 18.3%
        Buses run on time | 38.4% | 22.9% | 38.7%
        Parks are well kept | 74.0% | 15.1% | 10.9%
        Rents are fair | 17.6% | 19.4% | 63.0%
        I feel safe at night | 55.3% | 21.7% | 23.0%
    """),
)


def _stock() -> tuple[Row, ...]:
    chance = random.Random(11)
    kinds = {"Drill": "Tools", "Saw": "Tools", "Ladder": "Access", "Lamp": "Lighting", "Cable": "Electrical"}
    names = [f"{name} {letter}{number}" for name in kinds for letter in "ABCD" for number in range(1, 11)]
    chance.shuffle(names)
    rows = []
    for number, name in enumerate(names):
        day = f"{chance.choice((2021, 2022, 2023, 2024))}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        kind = kinds[name.split()[0]]
        place = ("Leeds", "Hull", "York", "Whitby")[(number * 7 + chance.randint(0, 1)) % 4]
        rows.append((name, kind, place, str(chance.randint(1, 60)), f"{chance.randint(500, 90000) / 100:,.2f}", day))
    return tuple(rows)


STOCK = Printed(
    name="hire-stock",
    title="Tool hire: stock list",
    caption="Stock by article and depot",
    header=head("Article", "Category", "Depot", "Quantity", "Day price (€)", "Bought"),
    rows=_stock(),
)
_S = STOCK.rows
_DEAREST = sorted(_S, key=lambda row: -number(row[4]))

TO_WORK_ON: tuple[tuple[Printed, tuple[Asked, ...]], ...] = (
    (
        BREWERY,
        (
            Asked(kind="look-up", text="What was the revenue of Tarn Valley Brewery in 2022?", number=4655),
            Asked(kind="look-up", text="What were the staff costs of the brewery in 2021?", number=1090),
            Asked(kind="max", text="Which year had the highest revenue at Tarn Valley Brewery?", labels=("2023",)),
            Asked(kind="min", text="In which year was the operating profit of the brewery lowest?", labels=("2021",)),
            Asked(kind="sum", text="What is the sum of the brewery's revenue from 2022 to 2024?", number=14899),
            Asked(
                kind="growth",
                text="By what percentage did the brewery's revenue grow from 2020 to 2024?",
                number=22.184,
            ),
            Asked(kind="average", text="What was the brewery's average operating profit over 2020-2024?", number=535.4),
            Asked(kind="flag", text="Which year had the highest marketing costs at the brewery?"),
            Asked(kind="flag", text="What is the sum of the brewery's revenue in 2016 and 2017?"),
            Asked(kind="flag", text="What is the total of all the brewery's key figures in 2023?"),
        ),
    ),
    (
        LIBRARY,
        (
            Asked(kind="max", text="Which year had the most visitors at Elmstead Town Library?", labels=("2024",)),
            Asked(kind="sum", text="How many new members joined the town library in total?", number=7347),
            Asked(kind="average", text="What was the average number of loans of the library?", number=78051.714),
            Asked(
                kind="filter",
                text="In which years did the library have more than 50,000 visitors?",
                labels=("2019", "2024"),
            ),
            Asked(
                kind="difference",
                text="What is the difference in visitors between 2019 and 2020 at the library?",
                number=34447,
            ),
            Asked(kind="count", text="In how many years was the library's book budget below 38,000?", number=2),
            Asked(kind="flag", text="Which year had the highest heating costs at the library?"),
            Asked(kind="flag", text="How many visitors did the library have in total in 2015 and 2016?"),
        ),
    ),
    (
        CLIMATE,
        (
            Asked(kind="look-up", text="What was the rainfall at Thornhill in 2023?", number=1012),
            Asked(kind="max", text="Which station had the most rainfall in 2024?", labels=("Penmoor",)),
            Asked(kind="min", text="Which station had the lowest mean temperature in 2022?", labels=("Penmoor",)),
            Asked(
                kind="top",
                text="What are the top 3 stations by rainfall in 2022?",
                labels=("Penmoor", "Thornhill", "Oakridge"),
            ),
            Asked(kind="average", text="What was the average rainfall of the stations in 2023?", number=995.25),
            Asked(kind="flag", text="Which station had the highest wind speed in 2024?"),
            Asked(kind="flag", text="Which station had the most rainfall in 2019?"),
            Asked(kind="flag", text="Which station had the highest value in 2024?"),
        ),
    ),
    (
        HARVEST,
        (
            Asked(kind="max", text="Which crop had the largest harvest in 2024?", labels=("Apples",)),
            Asked(kind="look-up", text="How many tonnes of plums were harvested in 2023?", number=104),
            Asked(kind="sum", text="What was the total harvest in 2023?", number=613),
            Asked(kind="share", text="What share of the total harvest in 2024 was apples?", number=52.615),
            Asked(kind="sum", text="How many tonnes of apples and pears were harvested in total in 2022?", number=430),
        ),
    ),
    (
        SURVEY,
        (
            Asked(
                kind="max",
                text="Which statement had the highest share of agree in the residents' survey?",
                labels=("Parks are well kept",),
            ),
            Asked(
                kind="filter",
                text="Which statements have more than 30% disagree?",
                labels=("Buses run on time", "Rents are fair"),
            ),
            Asked(kind="look-up", text="What percentage disagree with the statement that rents are fair?", number=63.0),
            Asked(
                kind="difference",
                text="What is the difference between agree and disagree for the statement Streets are clean?",
                number=42.9,
            ),
            Asked(kind="flag", text="Which statement had the highest number of undecided men?"),
        ),
    ),
    (
        STOCK,
        (
            Asked(
                kind="count",
                text="How many articles of the tool hire are at the depot Hull?",
                number=count(_S, lambda r: r[2] == "Hull"),
            ),
            Asked(
                kind="sum",
                text="What is the total quantity of articles in the category Lighting?",
                number=total(_S, 3, lambda r: r[1] == "Lighting"),
            ),
            Asked(
                kind="top",
                text="List the 3 articles with the highest day price.",
                labels=tuple(r[0] for r in _DEAREST[:3]),
            ),
            Asked(
                kind="count",
                text="How many articles were bought in 2023?",
                number=count(_S, lambda r: r[5].startswith("2023")),
            ),
            Asked(kind="flag", text="How many articles weigh more than 20 kilograms at the depot Hull?"),
        ),
    ),
)

# --- kept apart -----------------------------------------------------------------------------------

SEGMENTS = Printed(
    name="lumen-optics-segments",
    title="Lumen Optics annual report",
    caption="Net sales by segment ($ million)",
    header=(
        (("Segment", 1), ("2023", 2), ("2024", 2)),
        (("", 1), ("H1", 1), ("H2", 1), ("H1", 1), ("H2", 1)),
    ),
    rows=rows("""
        Lenses | 120.4 | 131.9 | 128.7 | 140.2
        Cameras¹ | 88.1 | 92.5 | 79.6 | 70.3
        Microscopes | 45.0 | 47.2 | 51.8 | 55.5
        Telescopes | 12.7 | 11.9 | – | 9.4
        Total | 266.2 | 283.5 | 260.1 | 275.4
    """),
    note="¹ including accessories",
)
HOSTEL = Printed(
    name="hostel",
    title="Gull Rock Hostel",
    caption="Figures of the season by month",
    header=head("Month", "Guests", "Nights", "Occupancy (%)", "Takings (£)", "Result (£)"),
    rows=rows("""
        April | 212 | 401 | 33.4 | 9,220 | (1,310)
        May | 344 | 699 | 56.4 | 16,080 | 2,140
        June | 401 | 835 | 69.6 | 19,650 | 4,005
        July | 467 | 1,102 | 88.9 | 27,310 | 9,870
        August | 489 | 1,190 | 96.0 | 30,045 | 11,432
        September | 365 | 748 | 62.3 | 17,990 | 3,016
        October | 198 | 352 | 28.4 | 8,105 | (2,207)
    """),
)
SCHOOLS = Printed(
    name="schools",
    title="Schools of Harrow Dale",
    caption="Pupils and teachers by school, school year 2023/24",
    header=(
        (("School", 1), ("Pupils", 3), ("Teachers", 2)),
        (("", 1), ("Girls", 1), ("Boys", 1), ("Total", 1), ("Full-time", 1), ("Part-time", 1)),
    ),
    rows=rows("""
        Ash Lane | 142 | 150 | 292 | 14 | 5
        Brook Street | 210 | 198 | 408 | 21 | 7
        Castle Hill | 95 | 101 | 196 | 9 | 4
        Dene Road | 301 | 322 | 623 | 30 | 12
        Fern Bank | 77 | 64 | 141 | 7 | 3
        All schools | 825 | 835 | 1,660 | 81 | 31
    """),
)
PROJECTS = Printed(
    name="works",
    title="Harbour works programme",
    caption="Projects of the harbour works, amounts in thousand €",
    header=head("Project", "Status", "Budget", "Actual cost", "Finished"),
    rows=rows("""
        Breakwater
        North arm | finished | 1,850 | 1,972 | 12 May 2023
        South arm | under way | 2,400 | 1,105 |
        Quays
        Fish quay | finished | 640 | 588 | 3 October 2022
        Timber quay | finished | 910 | 934 | 20 March 2024
        Ferry quay | planned | 1,300 | – |
        Buildings
        Harbour office | finished | 420 | 455 | 8 August 2024
        Ice house | under way | 275 | 190 |
        Total | | 7,795 | 5,244 |
    """),
)


def _orders() -> tuple[Row, ...]:
    chance = random.Random(23)
    customers = ("Alder Cycles", "Bergrad", "Corsa Bici", "Dune Bikes", "Elan Velo", "Fjord Sykkel")
    lands = ("Ireland", "Austria", "Italy", "Denmark", "France", "Norway")
    rows = []
    for number in range(200):
        at = chance.randrange(6)
        day = f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}.{chance.choice((2022, 2023, 2024))}"
        state = chance.choice(("paid", "paid", "open", "returned"))
        pieces = chance.randint(1, 40)
        amount = f"{pieces * chance.randint(300, 900):,}"
        rows.append((f"R-{1001 + number}", customers[at], lands[at], day, str(pieces), amount, state))
    return tuple(rows)


ORDERS = Printed(
    name="bicycle-orders",
    title="Orders of Meridian Bicycles",
    caption="All orders",
    header=head("Order", "Customer", "Country", "Date", "Units", "Amount (€)", "State"),
    rows=_orders(),
)
_O = ORDERS.rows
_BIGGEST = sorted(_O, key=lambda row: -number(row[5]))
ENERGY = Printed(
    name="district-heat",
    title="Heat and power of the districts",
    caption="Use of energy by district",
    header=head("District", "Households", "Heat (MWh)", "Power (MWh)", "Renewable share (%)", "Price of heat (ct/kWh)"),
    rows=rows("""
        Old Town | 3,120 | 28,400 | 9,050 | 22 | 11.4
        Riverside | 4,875 | 36,950 | 14,310 | 35 | 10.9
        Millfield | 2,240 | 19,870 | 6,480 | 18 | 12.1
        Stonegate | 1,905 | 17,330 | 5,720 | 41 | 11.0
        Total | 12,140 | 102,550 | 35,560 | 29 | 11.3
    """),
)
KEPT_APART: tuple[tuple[Printed, tuple[Asked, ...]], ...] = (
    (
        SEGMENTS,
        (
            Asked(kind="look-up", text="What were the net sales of Lenses in H2 2024?", number=140.2),
            Asked(kind="max", text="Which segment had the highest net sales in H1 2023?", labels=("Lenses",)),
            Asked(kind="sum", text="What is the sum of the net sales of Microscopes in 2024?", number=107.3),
            Asked(
                kind="growth",
                text="By how many percent did the net sales of Cameras fall from H1 2023 to H1 2024?",
                number=-9.648,
            ),
            Asked(kind="share", text="What percentage of total net sales in H2 2023 came from Cameras?", number=32.628),
            Asked(kind="flag", text="Which segment had the highest net sales in H1 2021?"),
            Asked(kind="flag", text="Which segment of Lumen Optics had the highest operating margin in 2024?"),
        ),
    ),
    (
        HOSTEL,
        (
            Asked(kind="max", text="Which month had the most guests at Gull Rock Hostel?", labels=("August",)),
            Asked(kind="min", text="Which month had the worst result at the hostel?", labels=("October",)),
            Asked(kind="sum", text="What was the sum of the hostel's takings in June, July and August?", number=77005),
            Asked(kind="average", text="What was the average occupancy of the hostel?", number=62.142857),
            Asked(
                kind="filter",
                text="List all months with more than 700 nights.",
                labels=("June", "July", "August", "September"),
            ),
            Asked(
                kind="difference", text="How many more guests did the hostel have in July than in April?", number=255
            ),
            Asked(kind="sum", text="What was the total result of the hostel?", number=26946),
            Asked(kind="flag", text="What were the total takings of the hostel from its restaurant?"),
            Asked(kind="flag", text="How many guests did the hostel have in total in January and February?"),
        ),
    ),
    (
        SCHOOLS,
        (
            Asked(kind="look-up", text="How many girls are pupils at Brook Street?", number=210),
            Asked(kind="max", text="Which school has the most pupils in total?", labels=("Dene Road",)),
            Asked(
                kind="top", text="Which are the two schools with the fewest boys?", labels=("Fern Bank", "Castle Hill")
            ),
            Asked(kind="sum", text="What is the combined number of girls at Ash Lane and Fern Bank?", number=219),
            Asked(kind="count", text="How many schools have more than 10 full-time teachers?", number=3),
            Asked(kind="flag", text="Which school has the most teachers with a doctorate?"),
        ),
    ),
    (
        PROJECTS,
        (
            Asked(kind="count", text="How many projects of the harbour works are finished?", number=4),
            Asked(kind="sum", text="What is the sum of the budgets of the finished projects?", number=3820),
            Asked(kind="max", text="Which harbour works project had the largest budget?", labels=("South arm",)),
            Asked(
                kind="difference",
                text="What is the difference between actual cost and budget of the Fish quay?",
                number=-52,
            ),
            Asked(
                kind="filter",
                text="Which projects have a budget of at least 1,000?",
                labels=("North arm", "South arm", "Ferry quay"),
            ),
            Asked(kind="flag", text="Which harbour works project employed the most divers?"),
            Asked(kind="flag", text="What is the sum of the subsidies for the finished projects?"),
        ),
    ),
    (
        ORDERS,
        (
            Asked(
                kind="count",
                text="How many orders from Italy were returned?",
                number=count(_O, lambda r: r[2] == "Italy" and r[6] == "returned"),
            ),
            Asked(
                kind="sum",
                text="What is the total amount of the open orders?",
                number=total(_O, 5, lambda r: r[6] == "open"),
            ),
            Asked(
                kind="average",
                text="What is the average number of units of orders from Norway?",
                number=total(_O, 4, lambda r: r[2] == "Norway") / count(_O, lambda r: r[2] == "Norway"),
            ),
            Asked(kind="top", text="What are the top 5 orders by amount?", labels=tuple(r[0] for r in _BIGGEST[:5])),
            Asked(
                kind="count",
                text="How many orders have more than 35 units?",
                number=count(_O, lambda r: int(r[4]) > 35),
            ),
            Asked(kind="flag", text="What is the total weight of the orders from Denmark?"),
        ),
    ),
    (
        ENERGY,
        (
            Asked(kind="max", text="Which district has the highest renewable share?", labels=("Stonegate",)),
            Asked(kind="share", text="What share of the heat did Riverside use?", number=36.031),
            Asked(
                kind="filter",
                text="Which districts have fewer than 3,000 households?",
                labels=("Millfield", "Stonegate"),
            ),
            Asked(kind="flag", text="What is the sum of heat and households in Old Town?"),
            Asked(kind="flag", text="Which district has the highest use of energy?"),
        ),
    ),
)
