"""Rows of a table of results, and whether they are what they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

HEADING = (
    "| figure | measured | peer | ratio | must | aim | verdict |\n| --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Row:
    """One figure beside its peer's, with the bound it must keep."""

    figure: str
    measured: str
    peer: str = ""
    ratio: str = ""
    must: str = ""
    aim: str = ""
    verdict: str = ""

    def __str__(self) -> str:
        cells = (self.figure, self.measured, self.peer, self.ratio, self.must, self.aim, self.verdict)
        return "| " + " | ".join(cells) + " |"


def at_most(value: float, must: float, aim: float | None = None) -> str:
    """The verdict on a value that is to be small."""
    return _verdict(value <= must, aim is not None and value <= aim)


def at_least(value: float, must: float, aim: float | None = None) -> str:
    """The verdict on a value that is to be large."""
    return _verdict(value >= must, aim is not None and value >= aim)


def _verdict(met: bool, aim_met: bool) -> str:
    return "aim met" if aim_met else "met" if met else "**MISSED**"


def middle(items: Iterable[Any], value: Callable[[Any], float]) -> float:
    """The median of a figure over rounds."""
    return median(value(item) for item in items)


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    return "\n".join([HEADING, *map(str, rows)])
