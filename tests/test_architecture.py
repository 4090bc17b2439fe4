"""docs/architecture.md says what is there, and the tree is as it says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.processes import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CODE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", CODE)))
PACKAGES = ("analytics", "bench", "cli", "domain", "feed", "handlers", "schemas")
DOTTED = [name for name in NAMES if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", name)]
PATHS = [name for name in NAMES if ("/" in name and not name.startswith("/")) or name.endswith(".py")]
OTHERS = {"__init__", "make lint", "on_…", "/metrics", "chain:NIFTY:2026-12-01"}
MOST_MODULES = 14
FOLDERS = sorted({path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")})


def find(name):
    """The object of a dotted name: the longest part that is a module, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        return found
    raise ModuleNotFoundError(name)


def test_every_name_of_the_document_is_looked_up():
    assert set(NAMES) == {*DOTTED, *PATHS, *OTHERS}
    assert len(DOTTED) > 60


@pytest.mark.parametrize("name", DOTTED)
def test_name_of_the_document_exists(name):
    assert find(name) is not None


@pytest.mark.parametrize("path", PATHS)
def test_path_of_the_document_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_no_folder_holds_more_than_one_can_survey(folder: Path):
    assert len(list(folder.glob("*.py"))) <= MOST_MODULES


@pytest.mark.parametrize("package", ["feed", "handlers"])
def test_modules_stand_in_rooms(package):
    assert [path.name for path in (ROOT / package).glob("*.py")] == ["__init__.py"]


def test_rooms_of_the_edge_and_of_the_market_are_those_of_the_document():
    for package in ("feed", "handlers"):
        rooms = {f"{package}/{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")}
        assert rooms <= set(PATHS)
