"""The README says what the code does."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

import cli
from tests.make_readme import README, python_blocks, with_tables

TEXT = README.read_text("utf-8")


def test_generated_tables_are_those_of_the_code():
    assert with_tables(TEXT) == TEXT


def test_every_python_example_is_python():
    assert python_blocks(TEXT)


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
