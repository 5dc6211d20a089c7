"""The README says what the code does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from ingest import ingest
from tests.make_readme import README, python_blocks, with_tables

TEXT = README.read_text("utf-8")


def test_generated_tables_are_those_of_the_code():
    assert with_tables(TEXT) == TEXT


@pytest.fixture(scope="module")
def beside_a_library(samples, tmp_path_factory):
    """A folder as a reader of the README has it: ``docs``, and their library."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "docs").mkdir()
    for name in ("report.pdf", "faq.md"):
        shutil.copy(samples / name, folder / "docs")
    assert not [r for r in ingest([folder / "docs"], library=folder / ".pincite") if r.state != "ingested"]
    return folder


@pytest.mark.parametrize("number", range(len(python_blocks(TEXT))))
def test_every_python_example_runs_and_prints_what_stands_in_the_documents(number, beside_a_library):
    block = python_blocks(TEXT)[number]
    model = "from llama_index.core.llms import MockLLM\nllm = MockLLM()\n" if "llm=llm" in block else ""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shown = subprocess.run(
        [sys.executable, "-c", model + block],
        cwd=beside_a_library,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(README.parent)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(r"report\.pdf|214\.5", shown)


@pytest.mark.parametrize("name", sorted(cli.main.commands))
def test_every_command_is_in_the_readme_and_has_an_example(name):
    assert f"`pincite {name}" in TEXT
    shown = CliRunner().invoke(cli.main, [name, "--help"])
    assert shown.exit_code == 0
    assert re.search(rf"^  +pincite {name}", shown.output, re.MULTILINE)


def test_the_readme_names_the_command_that_ci_runs():
    lines = [line for line in TEXT.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert "pytest" in lines[1]
