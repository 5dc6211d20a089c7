"""Write the PDFs into a folder, to look at them: ``python -m tests.make_pdfs FOLDER [NAME...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.make_pdfs import FILES


def main() -> None:
    """Write the files that are named on the command line, or all of them."""
    folder, *names = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or FILES:
        (Path(folder) / name).write_bytes(FILES[name]())


if __name__ == "__main__":
    main()
