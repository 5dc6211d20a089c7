"""``slides.pptx``: four slides with bullets, a table, a picture with its description, notes and a chart."""

from __future__ import annotations

import io

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation as Deck
from pptx.util import Cm, Pt

from tests.make_samples.office import WRITTEN, dated
from tests.make_samples.pictures import charging_tower

VOTES = (
    ("Proposal", "Yes", "No", "Abstained"),
    ("Accounts for 2024", "1,012", "31", "18"),
    ("Charging tower on Ostrey", "934", "98", "29"),
    ("Share price of €180", "402", "611", "48"),
)
TITLE_ONLY, TITLE_SLIDE, TITLE_AND_TEXT = 5, 0, 1


def write_slides() -> bytes:
    """The PPTX's bytes."""
    deck = Presentation()
    _opening(deck)
    _ferry(deck)
    _votes(deck)
    _complaints(deck)
    deck.core_properties.title = "Members' meeting 2025"
    deck.core_properties.author = "Ingrid Tollemar"
    deck.core_properties.created = deck.core_properties.modified = WRITTEN
    buffer = io.BytesIO()
    deck.save(buffer)
    return dated(buffer.getvalue())


def _opening(deck: Deck) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_SLIDE])
    slide.shapes.title.text = "Members' meeting 2025"
    slide.placeholders[1].text = "Halvane Sound Ferry Cooperative, town hall of Marrowick, 7 June 2025"


def _ferry(deck: Deck) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_AND_TEXT])
    slide.shapes.title.text = "The second battery ferry"
    body = slide.placeholders[1]
    body.left, body.top, body.width, body.height = Cm(1.2), Cm(4.5), Cm(12), Cm(11)
    bullets = ("Route H2 from autumn 2026", "360 passengers and 66 cars", "Saves 690 thousand litres of diesel a year")
    body.text_frame.text = bullets[0]
    for text in bullets[1:]:
        body.text_frame.add_paragraph().text = text
    picture = slide.shapes.add_picture(io.BytesIO(charging_tower()), Cm(13.6), Cm(5), width=Cm(10.6))
    picture.name = "Charging tower"
    described = picture._element.nvPicPr.cNvPr
    described.set("descr", "Sketch of the charging tower on Ostrey Quay with its arm on a ferry")
    slide.notes_slide.notes_text_frame.text = (
        "The yard's offer runs out on 26 July. The bank has agreed to lend €20 million at 3.1 percent."
    )


def _votes(deck: Deck) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    slide.shapes.title.text = "Results of the votes"
    table = slide.shapes.add_table(len(VOTES), len(VOTES[0]), Cm(1.5), Cm(5), Cm(22), Cm(5)).table
    table.columns[0].width = Cm(10)
    for r, row in enumerate(VOTES):
        for c, text in enumerate(row):
            if c:
                table.columns[c].width = Cm(4)
            table.cell(r, c).text = text
            table.cell(r, c).text_frame.paragraphs[0].runs[0].font.size = Pt(18)


def _complaints(deck: Deck) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    slide.shapes.title.text = "Fewer complaints"
    data = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["2022", "2023", "2024"]
    data.add_series("Complaints", (1185, 1310, 1046))  # type: ignore[no-untyped-call]
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(2), Cm(4.5), Cm(21), Cm(12), data)
