"""What was said of the underlyings at each minute of a recorded day: from candles, else from chains."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from domain.intervals import Interval
from feed.history.store.reader import Reader
from feed.market.candles import Candles, IntArray, SessionGrid
from feed.market.source import UNDERLYING_FIELDS, FloatArray
from feed.market.universe import Universe
from feed.reference.calendar import Calendar

LONGEST_CLOSURE = timedelta(days=14)


class DayQuotes:
    """The underlyings at each frame: (frames, fields, underlyings)."""

    def __init__(
        self,
        reader: Reader,
        universe: Universe,
        minutes: IntArray,
        calendar: Calendar,
        hours: str,
    ) -> None:
        shape = len(minutes), len(UNDERLYING_FIELDS), len(universe.underlyings)
        self._values = np.full(shape, np.nan)
        for row, underlying in enumerate(universe.underlyings):
            grid = SessionGrid(calendar, underlying.derivatives_exchange, hours)
            first_ms = grid.day_at(int(minutes[0])).start_ms
            candles = reader.minutes(underlying.symbol, first_ms, int(minutes[-1]) + 1)
            if len(candles):
                times, columns = candles.time_ms, _day_so_far(candles, grid, reader, underlying.symbol)
            else:  # an imported chain has none
                times, columns = _spots(reader, underlying.symbol, first_ms, int(minutes[-1]) + 1)
            place = np.searchsorted(times, minutes, side="right") - 1
            self._values[place >= 0, :, row] = columns[place[place >= 0]]

    def at(self, frame: int) -> FloatArray:
        """Fields of all underlyings at a frame: (fields, underlyings)."""
        values: FloatArray = self._values[frame]
        return values


def _spots(reader: Reader, symbol: str, start_ms: int, end_ms: int) -> tuple[IntArray, FloatArray]:
    """Minutes, and what a quote said at the end of each: the spot of the chains, and nothing else."""
    times, spots = reader.spots(symbol, start_ms, end_ms)
    result = np.full((len(times), len(UNDERLYING_FIELDS)), np.nan)
    result[:, UNDERLYING_FIELDS.index("last_price")] = spots
    return times, result


def _day_so_far(candles: Candles, grid: SessionGrid, reader: Reader, symbol: str) -> FloatArray:
    """What a quote said at the end of each minute: (minutes, underlying fields)."""
    labels = grid.labels(Interval.ONE_DAY, candles.time_ms)
    result = np.full((len(candles), len(UNDERLYING_FIELDS)), np.nan)
    for label in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == label)
        day = grid.day_at(label).day
        before, _ = reader.days(
            symbol, day - LONGEST_CLOSURE, day - timedelta(days=1), lambda on: grid.day(on).open_ms
        )
        columns = {
            "last_price": candles.close[rows],
            "open": np.full(len(rows), candles.open[rows[0]]),
            "high": np.maximum.accumulate(candles.high[rows]),
            "low": np.minimum.accumulate(candles.low[rows]),
            "previous_close": np.full(len(rows), before.close[-1] if len(before) else np.nan),
            "volume": np.nancumsum(candles.volume[rows]),
        }
        result[rows] = np.stack([columns[name] for name in UNDERLYING_FIELDS], axis=1)
    return result
