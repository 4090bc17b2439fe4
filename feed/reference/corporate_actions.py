"""Splits, bonuses and new names of shares, by the day from which they hold.

The facts are in `data/corporate_actions.toml`. Between two days prices and strikes of a share are divided by
`factor`, its lots and volumes multiplied.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.instants import IST, to_ms
from feed.reference.data.facts_file import FactsError, Place

ACTIONS_PATH = Path(__file__).parent / "data" / "corporate_actions.toml"
_KINDS = ("split", "bonus", "split and bonus")
_CONFIDENCES = ("H", "M")


class ActionsError(FactsError):
    """The file breaks a rule; the message names key, rule and value."""


@dataclass(frozen=True, slots=True)
class Split:
    """From ``ex_date`` on there are ``shares`` for each one before."""

    symbol: str
    ex_date: date
    shares: float
    kind: str

    @property
    def begins_ms(self) -> int:
        """Midnight in India, before its first trade."""
        return to_ms(datetime.combine(self.ex_date, time(), IST))


@dataclass(frozen=True, slots=True)
class Rename:
    """A share that was ``old`` until ``since``, None where the day is not known."""

    old: str
    new: str
    since: date | None
    note: str = ""

    def sentence(self) -> str:
        """What who asks for the old name is told."""
        since = "now" if self.since is None else f"since {self.since.day} {self.since:%B %Y}"
        more = f"; {self.note}" if self.note else ""
        return f"{self.old} is called {self.new} {since}{more}."


class CorporateActions:
    """All that are known."""

    def __init__(self, splits: tuple[Split, ...] = (), renames: tuple[Rename, ...] = ()) -> None:
        self.splits = splits
        self.renames: Mapping[str, Rename] = {rename.old: rename for rename in renames}
        self._of_symbol: dict[str, list[Split]] = {}
        for split in sorted(splits, key=lambda split: split.ex_date):
            self._of_symbol.setdefault(split.symbol, []).append(split)

    @classmethod
    def load(cls, path: Path = ACTIONS_PATH) -> CorporateActions:
        """Those of a file. Raises ActionsError."""
        root = Place.of_file(ActionsError, path).only("splits", "renames")
        splits = tuple(_split(place) for place in root["splits"].items())
        if len({(split.symbol, split.ex_date) for split in splits}) < len(splits):
            root["splits"].refuse("have one entry for a share and a day")
        return cls(splits, tuple(_rename(place) for place in root["renames"].items()))

    def renamed(self, name: str) -> Rename | None:
        """What became of a name, None where it is not an old one."""
        return self.renames.get(name.strip().upper())

    def factor(self, symbol: str, after: date, until: date = date.max) -> float:
        """Shares at the end of ``until`` for one at the end of ``after``."""
        return prod(s.shares for s in self._of_symbol.get(symbol, ()) if after < s.ex_date <= until)

    def after(self, start_ms: int, symbols: Container[str]) -> list[tuple[int, dict[str, float]]]:
        """The splits of some shares that are to come, by their instants, with their factors."""
        coming: dict[int, dict[str, float]] = {}
        for split in self.splits:
            if split.symbol in symbols and split.begins_ms > start_ms:
                coming.setdefault(split.begins_ms, {})[split.symbol] = split.shares
        return sorted(coming.items())

    def factors(self, symbol: str, time_ms: NDArray[np.int64], until: date) -> NDArray[np.float64]:
        """Shares at the end of ``until`` for one at each instant: (n,)."""
        factors = np.ones(len(time_ms))
        for split in self._of_symbol.get(symbol, ()):
            if split.ex_date <= until:
                factors[time_ms < split.begins_ms] *= split.shares
        return factors


@cache
def corporate_actions() -> CorporateActions:
    """Those that come with the program."""
    return CorporateActions.load()


def _split(place: Place) -> Split:
    place.only("symbol", "ex_date", "shares", "kind", "confidence")
    place["confidence"].one_of(_CONFIDENCES)
    shares = place["shares"].value
    if not isinstance(shares, float) or not 1 < shares <= 100:
        place["shares"].refuse("be a number above 1 and at most 100")
    return Split(place["symbol"].text(), place["ex_date"].day(), shares, place["kind"].one_of(_KINDS))


def _rename(place: Place) -> Rename:
    place.only("old", "new", "since", "note")
    return Rename(
        place["old"].text(),
        place["new"].text(),
        place["since"].day() if "since" in place else None,
        place["note"].text() if "note" in place else "",
    )
