"""The table of threats names tests that exist, a row at least one."""

from __future__ import annotations

import ast
import re

import pytest

from tests.processes import ROOT

HEADING = ["who", "does what", "what stops it", "shown by"]
TABLE = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "SECURITY.md").read_text().splitlines()
    if line.startswith("|")
]
ROWS = TABLE[2:]


def names_in(path):
    """The names of a file's tests."""
    return {
        node.name
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_table_says_who_what_how_and_which_test():
    assert [cell.strip() for cell in TABLE[0]] == HEADING
    assert len(ROWS) > 15


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}"[:60] for row in ROWS])
def test_every_test_that_a_row_names_is_there(row):
    assert len(row) == len(HEADING)
    assert all(row)
    named = re.findall(r"`([^`]+)`", row[3])
    assert named
    for name in named:
        path, separator, test = name.partition("::")
        assert separator, name
        assert test in names_in(path), name


def test_readme_leads_to_the_table():
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text()
