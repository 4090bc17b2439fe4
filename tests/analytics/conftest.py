"""Where the reference rows and the recorded chains are, and what they look like."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

DOMAIN = Path(__file__).parents[2].parent / "shared" / "domain"


def _required(name: str) -> Path:
    path = DOMAIN / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine: it is shared data, not part of the repository")
    return path


@pytest.fixture(scope="session")
def pricing_rows() -> list[dict[str, str]]:
    with _required("pricing_reference.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def volatility_rows() -> list[dict[str, str]]:
    with _required("iv_reference.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def recorded() -> Path:
    return _required("data")
