"""``mail.eml``: a letter from a shipyard in plain text and HTML, with a quotation as a PDF."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pymupdf

from tests.make_samples.drawing import A4, SMALL, TITLE, GridStyle, Sheet, grid_of_rows, save

BODY = """Dear Mr Brae,

thank you for the talks in Marrowick on 22 May. We can start on the second battery ferry in week 41 of 2025 if the
contract is signed by 15 July. The sea trials would then be in June 2026.

The battery is 5,100 kilowatt-hours, 800 more than that of ES Guillemot. We cannot offer a vacuum mooring; it has to be
ordered separately.

The quotation is attached. It is valid for 60 days.

Kind regards
Aldo Verrin
Nordhull Yard
"""
HTML = "<html><body>" + "".join(f"<p>{part}</p>\n" for part in BODY.strip().split("\n\n")) + "</body></html>\n"
PRICES = (
    ("Item", "Price (€)"),
    ("Hull and outfitting", "16,850,000"),
    ("Battery and drives", "9,420,000"),
    ("Bridge and radio", "2,130,000"),
    ("Trials and delivery", "740,000"),
    ("Sum without tax", "29,140,000"),
)


def write_mail() -> bytes:
    """The message's bytes."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Aldo Verrin <a.verrin@nordhull.example>"
    mail["To"] = "Oswin Brae <o.brae@halvane.example>"
    mail["Cc"] = "Petra Quillon <p.quillon@halvane.example>"
    mail["Date"] = "Tue, 27 May 2025 10:42:00 +0200"
    mail["Subject"] = "Second battery ferry: quotation Q-2025-077"
    mail["Message-ID"] = "<20250527104200.q077@nordhull.example>"
    mail.set_content(BODY)
    mail.add_alternative(HTML, subtype="html")
    mail.add_attachment(_quotation(), maintype="application", subtype="pdf", filename="quotation.pdf")
    mail.set_boundary("=_nordhull_mixed")
    parts = list(mail.iter_parts())
    parts[0].set_boundary("=_nordhull_alternative")
    return mail.as_bytes()


def _quotation() -> bytes:
    doc = pymupdf.open()
    sheet = Sheet(page=doc.new_page(width=A4[0], height=A4[1]))
    sheet.paragraph("Quotation Q-2025-077", TITLE)
    sheet.paragraph("Nordhull Yard, 26 May 2025. Battery ferry for 360 passengers and 66 cars.", SMALL)
    sheet.y += 12
    sheet.table(grid_of_rows(PRICES, (260, 120), GridStyle(total=True)))
    sheet.paragraph(
        "A tenth of the price is due when the contract is signed. Delivery to Marrowick is on 31 August 2026."
    )
    sheet.paragraph("For each full week of delay the price falls by 0.5 percent, but by no more than 6 percent in all.")
    sheet.finish()
    return save(doc, title="Quotation Q-2025-077", date="D:20250526090000Z")
