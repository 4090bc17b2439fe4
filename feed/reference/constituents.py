"""Which shares an index is made of, and with what weights on which day.

The facts are in `data/index_weights.csv`: the exchange's monthly factsheets (confidence H), or what follows
from them (M). A share that was not yet or no longer listed counts as a constituent like any other.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

INDEX_WEIGHTS_PATH = Path(__file__).parent / "data" / "index_weights.csv"


@dataclass(frozen=True, slots=True)
class Constituents:
    """The constituents of an index: ``weights`` maps their symbols to parts of 1 as of a day."""

    index: str
    as_of: date
    weights: Mapping[str, float]


@cache
def index_constituents(path: Path = INDEX_WEIGHTS_PATH) -> Mapping[str, Constituents]:
    """Of every index whose weights are known, by its symbol; rounded weights are made to sum to 1."""
    percent: dict[tuple[str, date], dict[str, float]] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            key = row["index"], date.fromisoformat(row["as_of"])
            percent.setdefault(key, {})[row["symbol"]] = float(row["weight_percent"])
    latest = dict(sorted(percent))
    return {
        index: Constituents(index, as_of, _normalised(percent[index, as_of]))
        for index, as_of in latest.items()
    }


def _normalised(percent: Mapping[str, float]) -> dict[str, float]:
    total = sum(percent.values())
    return {symbol: weight / total for symbol, weight in percent.items()}
