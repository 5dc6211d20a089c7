"""What a change costs: ``python -m tests.bench.changes [PAGES] [FILES]``.

A Word document and a PDF of ``PAGES`` pages are ingested, one paragraph in the middle of each is changed, and they are
ingested again: it prints how many chunks and vectors were embedded. Then ``FILES`` unchanged notes are ingested twice:
it prints the seconds of the second run as a command, and its parses and embeddings, which are none.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ingest import IngestOptions, ingest
from ingest.library import Library
from ingest.partition import PartitionOptions
from ingest.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LINES = 4
"""Paragraphs of a page."""


def text_of(n: int, changed: int | None) -> str:
    """A paragraph unlike any other."""
    what = "was painted anew" if n == changed else "is made of oak"
    return (
        f"Pier {n} of the {n * 7919 % 10_007}th harbour {what}, has {n * 31 % 97} bollards and was built in the year"
        f" {1800 + n * 13 % 200} by company {n * 101 % 911}, which kept {n * 17 % 83} boats and {n * 5 % 53} cranes."
    )


def write_docx(path: Path, pages: int, changed: int | None = None) -> None:
    """A Word document of sections, each about a page."""
    from docx import Document

    document = Document()
    for page in range(pages):
        document.add_heading(f"Section {page + 1}", 1)
        for n in range(LINES):
            document.add_paragraph(text_of(page * LINES + n, changed))
        document.add_page_break()
    document.save(str(path))


def write_pdf(path: Path, pages: int, changed: int | None = None) -> None:
    """A PDF of pages, each a section."""
    import pymupdf

    with pymupdf.open() as pdf:
        for page in range(pages):
            sheet = pdf.new_page()
            sheet.insert_text((72, 90), f"Section {page + 1}", fontsize=18, fontname="hebo")
            for n in range(LINES):
                box = (72, 120 + 70 * n, 523, 180 + 70 * n)
                sheet.insert_textbox(box, text_of(page * LINES + n, changed), fontsize=11)
        pdf.save(path)


def held(folder: Path) -> tuple[set[str], set[str]]:
    """The texts of a library's chunks, and the hashes of its vectors."""
    with Library(folder) as library:
        hashes = {row[0] for row in library.vector_texts()}
        return {c.text for s in library.sources() for c in library.chunks_of(s.id)}, hashes


def changed(folder: Path, name: str, pages: int) -> tuple[int, int]:
    """The chunks and vectors that one changed paragraph makes new in a document of pages."""
    write = write_docx if name.endswith(".docx") else write_pdf
    path, library = folder / name, folder / f"{name}.library"
    options = IngestOptions(partition=PartitionOptions(parser="fast", images="off"))
    write(path, pages)
    list(ingest([path], library, options=options, settings=Settings(jobs=1)))
    texts, hashes = held(library)
    write(path, pages, changed=pages * LINES // 2)
    list(ingest([path], library, options=options, settings=Settings(jobs=1)))
    new_texts, new_hashes = held(library)
    return len(new_texts - texts), len(new_hashes - hashes)


def unchanged(folder: Path, files: int) -> tuple[float, str]:
    """The seconds of a second run over notes, and its summary line."""
    (folder / "notes").mkdir()
    for n in range(files):
        (folder / "notes" / f"{n}.md").write_text(f"# Note {n}\n\n{text_of(n, None)}\n")
    command = [sys.executable, "-m", "cli", "ingest", folder / "notes", "-l", folder / "library", "--json"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    started = time.perf_counter()
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout.splitlines()[-1]


def main(pages: int = 300, files: int = 1000) -> None:
    """Print what is told above."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("document.docx", "document.pdf"):
            chunks, vectors = changed(Path(temporary), name, pages)
            sys.stdout.write(f"{name}, {pages} pages, one paragraph changed: {chunks} chunks, {vectors} vectors\n")
            sys.stdout.flush()
        seconds, summary = unchanged(Path(temporary), files)
        sys.stdout.write(f"{files} unchanged notes: {seconds:.2f} s; {summary}\n")


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:3]))
