"""The minute that is being formed: its range and volume for every row of a table, vectorised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feed.market.source import PriceRange, Rows, Update
from feed.market.universe import Universe

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# what of a contract's state is kept beside its prices within the minute
STATE_FIELDS = (
    "last_price",
    "bid",
    "ask",
    "open_interest",
    "open",
    "high",
    "low",
    "previous_close",
    "previous_open_interest",
)


@dataclass(frozen=True, slots=True)
class Bars:
    """Prices within a minute, each (n,); ``touched`` marks the rows that had any, the others are NaN.

    ``close`` is the latest price known, also of a row that was not touched. ``volume`` is what the day's
    volume grew by, NaN where the day's volume is not known.
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    touched: BoolArray

    def prices(self, row: int) -> tuple[float, float, float, float, float]:
        """Open, high, low, close and volume of a row."""
        columns = (self.open, self.high, self.low, self.close, self.volume)
        opens, high, low, close, volume = (float(column[row]) for column in columns)
        return opens, high, low, close, volume


@dataclass(frozen=True, slots=True)
class ClosedMinute:
    """What one minute left behind; arrays are its own and never change.

    ``underlyings`` has a row for each underlying, ``contracts`` for each contract of ``universe``;
    ``state`` : the contracts' ``STATE_FIELDS`` at its end; ``forwards`` : (listings,) of futures, where the
    source tells them. ``as_of_ms`` is the time of its newest input. ``listing_rows`` limits it to some
    listings, None means all.
    """

    start_ms: int
    as_of_ms: int
    source: int
    universe: Universe
    underlyings: Bars
    contracts: Bars
    day_volume: FloatArray
    state: Mapping[str, FloatArray]
    listing_rows: NDArray[np.intp] | None = None
    forwards: FloatArray | None = None

    def forward(self, row: int) -> float:
        """The price of a listing's future, NaN where the source told none."""
        return np.nan if self.forwards is None else float(self.forwards[row])


class FormingBars:
    """Takes the latest prices of a table as often as they change and keeps the minute's range of them."""

    def __init__(self, count: int) -> None:
        self.price = np.full(count, np.nan)
        self.day_volume = np.full(count, np.nan)
        self._growth = np.zeros(count)
        self._open, self._high, self._low = (np.full(count, np.nan) for _ in range(3))
        self.touched = np.zeros(count, bool)

    def take(self, price: FloatArray, day_volume: FloatArray) -> bool:
        """Count what changed since the last call as published now: (n,) each. Returns whether any did."""
        with np.errstate(invalid="ignore"):
            changed = (price != self.price) | ((day_volume != self.day_volume) & (day_volume == day_volume))
        changed &= price == price
        if not changed.any():
            return False
        grown = day_volume - self.day_volume
        # a volume that fell belongs to a new day and is all of it new; an unknown one before says nothing
        grown = np.where(grown < 0, day_volume, np.where(grown == grown, grown, 0.0))
        self._growth += np.where(changed, grown, 0.0)
        np.copyto(self._open, price, where=changed & ~self.touched)
        np.fmax(self._high, price, out=self._high, where=changed)
        np.fmin(self._low, price, out=self._low, where=changed)
        self.touched |= changed
        np.copyto(self.price, price, where=changed)
        np.copyto(self.day_volume, day_volume, where=day_volume == day_volume)
        return True

    def take_range(self, passed: PriceRange, rows: Rows | None) -> None:
        """Count what prices of some rows went through since the last call, before their latest is taken."""
        where: slice | Rows = slice(None) if rows is None else rows
        known = ~np.isnan(passed.first)
        self._open[where] = np.where(known & ~self.touched[where], passed.first, self._open[where])
        self._high[where] = np.fmax(self._high[where], passed.high)
        self._low[where] = np.fmin(self._low[where], passed.low)
        self.touched[where] |= known

    def seed(self, bars: Bars) -> None:
        """Go on with a minute of which a part is known already."""
        rows = bars.touched
        for mine, known in ((self._open, bars.open), (self._high, bars.high), (self._low, bars.low)):
            np.copyto(mine, known, where=rows)
        np.copyto(self._growth, np.nan_to_num(bars.volume), where=rows)
        self.touched |= rows

    def bars(self) -> Bars:
        """The minute so far, as arrays of their own."""
        return Bars(
            self._open.copy(),
            self._high.copy(),
            self._low.copy(),
            self.price.copy(),
            np.where(self.day_volume == self.day_volume, self._growth, np.nan),
            self.touched.copy(),
        )

    def finish(self) -> Bars:
        """The minute as arrays of their own, and begin the next; latest prices and volumes stay known."""
        volume = np.where(self.day_volume == self.day_volume, self._growth, np.nan)
        bars = Bars(self._open, self._high, self._low, self.price.copy(), volume, self.touched)
        count = len(self.price)
        self._open, self._high, self._low = (np.full(count, np.nan) for _ in range(3))
        self._growth, self.touched = np.zeros(count), np.zeros(count, bool)
        return bars

    def row(self, row: int) -> tuple[float, float, float, float, float] | None:
        """One row's minute so far, or None if nothing was published."""
        if not self.touched[row]:
            return None
        known = self.day_volume[row] == self.day_volume[row]
        return (
            float(self._open[row]),
            float(self._high[row]),
            float(self._low[row]),
            float(self.price[row]),
            float(self._growth[row]) if known else np.nan,
        )

    def moved(self, count: int, source: NDArray[np.intp], target: NDArray[np.intp]) -> FormingBars:
        """The same minute of a table whose rows ``source`` are now at ``target``."""
        new = FormingBars(count)
        for name, array in vars(self).items():
            getattr(new, name)[target] = array[source]
        return new


class FormingMinute:
    """Underlyings' and contracts' minute, with the contracts' state at the latest input."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.underlyings = FormingBars(len(universe.underlyings))
        self.contracts = FormingBars(universe.contract_count)
        self.state = {name: np.full(universe.contract_count, np.nan) for name in STATE_FIELDS}
        self.as_of_ms = 0
        self.source = 0
        self.forwards: FloatArray | None = None

    def take(
        self, underlyings: Mapping[str, FloatArray], contracts: Mapping[str, FloatArray], as_of_ms: int
    ) -> None:
        """Count the market's latest state as published now."""
        self.underlyings.take(underlyings["last_price"], underlyings["volume"])
        self.contracts.take(contracts["last_price"], contracts["volume"])
        for name, values in self.state.items():
            np.copyto(values, contracts[name])
        self.as_of_ms = as_of_ms

    def take_ranges(self, update: Update) -> None:
        """Count what prices went through before the state that is taken next."""
        if update.underlying_range is not None:
            self.underlyings.take_range(update.underlying_range, update.underlying_rows)
        if update.contract_range is not None:
            self.contracts.take_range(update.contract_range, update.contract_rows)

    def finish(self, start_ms: int) -> ClosedMinute:
        """The minute as it stands, and begin the next one."""
        state = self.state
        self.state = {name: values.copy() for name, values in state.items()}
        return self._minute(start_ms, self.underlyings.finish(), self.contracts.finish(), state)

    def part(self, start_ms: int) -> ClosedMinute:
        """The minute so far, which goes on."""
        state = {name: values.copy() for name, values in self.state.items()}
        return self._minute(start_ms, self.underlyings.bars(), self.contracts.bars(), state)

    def _minute(
        self, start_ms: int, underlyings: Bars, contracts: Bars, state: Mapping[str, FloatArray]
    ) -> ClosedMinute:
        return ClosedMinute(
            start_ms=start_ms,
            as_of_ms=self.as_of_ms,
            source=self.source,
            universe=self.universe,
            underlyings=underlyings,
            contracts=contracts,
            day_volume=self.contracts.day_volume.copy(),
            state=state,
            forwards=None if self.forwards is None else self.forwards.copy(),
        )

    def relist(self, universe: Universe) -> NDArray[np.intp]:
        """Go on with another universe; returns the rows of the old one's listings that left it."""
        old = self.universe
        source, target = _common_rows(old, universe)
        state = {name: np.full(universe.contract_count, np.nan) for name in STATE_FIELDS}
        for name, values in self.state.items():
            state[name][target] = values[source]
        self.contracts = self.contracts.moved(universe.contract_count, source, target)
        self.universe, self.state, self.forwards = universe, state, None
        return left_rows(old, universe)


def left_rows(old: Universe, new: Universe) -> NDArray[np.intp]:
    """Rows of the old universe's listings that the new one has not."""
    rows = [listing.row for listing in old.listings if new.find(listing.key) is None]
    return np.array(rows, np.intp)


def _common_rows(old: Universe, new: Universe) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    sources, targets = [], []
    for listing in new.listings:
        before = old.find(listing.key)
        if before is None:
            continue
        _, source, target = np.intersect1d(
            before.strikes, listing.strikes, assume_unique=True, return_indices=True
        )
        for side in (0, 1):
            sources.append(before.rows.start + side * len(before.strikes) + source)
            targets.append(listing.rows.start + side * len(listing.strikes) + target)
    if not sources:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    return np.concatenate(sources), np.concatenate(targets)
