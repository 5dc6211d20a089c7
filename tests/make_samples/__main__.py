"""Write the files of ``samples/``: ``python -m tests.make_samples [NAME...]``; a second run writes the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.make_samples.addons import write_page_2019, write_page_2022, write_page_2024, write_record
from tests.make_samples.mail import write_mail
from tests.make_samples.office import write_handbook
from tests.make_samples.report import write_report
from tests.make_samples.scan import write_scan
from tests.make_samples.sheets import write_fleet, write_sailings
from tests.make_samples.slides import write_slides
from tests.make_samples.texts import write_faq, write_notes, write_notice

HERE = Path(__file__).parents[2] / "samples"

FILES: Mapping[str, Callable[[], bytes]] = {
    "report.pdf": write_report,
    "handbook.docx": write_handbook,
    "notice.html": write_notice,
    "faq.md": write_faq,
    "notes.txt": write_notes,
    "scan.pdf": write_scan,
    "slides.pptx": write_slides,
    "fleet.xlsx": write_fleet,
    "sailings.csv": write_sailings,
    "mail.eml": write_mail,
    "addon-1.html": write_page_2019,
    "addon-2.html": write_page_2022,
    "addon-3.html": write_page_2024,
    "addon-api.json": write_record,
}


def main() -> None:
    """Write the files that are named on the command line, or all of them."""
    for name in sys.argv[1:] or FILES:
        (HERE / name).write_bytes(FILES[name]())


if __name__ == "__main__":
    main()
