"""The running trading day of every underlying: what its minutes make so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from feed.market.candles import Candle, Candles, FloatArray, TradingDay
from feed.market.forming import Bars


@dataclass(frozen=True, slots=True)
class DayRows:
    """Daily candles of some underlyings as they stand: ``rows`` of them, and a value of each column a row.

    ``broken`` : rows whose day memory does not know whole; it is to be made of the stored minutes.
    """

    rows: list[int]
    days: list[date]
    columns: dict[str, list[float]]
    broken: list[tuple[int, TradingDay]]


class DayBook:
    """Adds closed minutes to the day they belong to; a row whose day is over begins anew."""

    def __init__(self, count: int) -> None:
        self._days: list[TradingDay | None] = [None] * count
        self._is_whole = np.ones(count, bool)
        self._values: dict[str, FloatArray] = {
            name: np.full(count, np.nan) for name in ("open", "high", "low", "close", "volume")
        }

    def begin(self, row: int, day: TradingDay, candles: Candles, *, is_whole: bool = True) -> None:
        """Set a row to the minutes of a day known so far, and say whether these are all there are."""
        self._days[row] = day
        self._is_whole[row] = is_whole
        known = len(candles) > 0
        values = self._values
        values["open"][row] = candles.open[0] if known else np.nan
        values["high"][row] = candles.high.max() if known else np.nan
        values["low"][row] = candles.low.min() if known else np.nan
        values["close"][row] = candles.close[-1] if known else np.nan
        has_volume = known and not np.isnan(candles.volume).all()
        values["volume"][row] = np.nansum(candles.volume) if has_volume else np.nan

    def add(self, bars: Bars) -> None:
        """Add a minute to the day each row stands in."""
        rows, values = bars.touched, self._values
        first = rows & np.isnan(values["open"])
        np.copyto(values["open"], bars.open, where=first)
        np.fmax(values["high"], bars.high, out=values["high"], where=rows)
        np.fmin(values["low"], bars.low, out=values["low"], where=rows)
        np.copyto(values["close"], bars.close, where=rows)
        added = np.nan_to_num(values["volume"]) + np.nan_to_num(bars.volume)
        known = ~(np.isnan(values["volume"]) & np.isnan(bars.volume))
        np.copyto(values["volume"], added, where=rows & known)

    def columns(self) -> tuple[NDArray[np.int64], dict[str, FloatArray]]:
        """When the day that each row stands in began, -1 where it stands in none, and the days so far."""
        starts = [-1 if day is None else day.start_ms for day in self._days]
        return np.array(starts, np.int64), {name: values.copy() for name, values in self._values.items()}

    def take(self, days: Sequence[TradingDay | None], columns: Mapping[str, FloatArray]) -> None:
        """Stand in days of which is known what they are so far."""
        self._days = list(days)
        self._is_whole[:] = True
        for name, values in columns.items():
            self._values[name][:] = values

    def copy(self) -> DayBook:
        """The same days, to be added to apart."""
        other = DayBook(len(self._days))
        other._days = list(self._days)
        other._is_whole = self._is_whole.copy()
        other._values = {name: values.copy() for name, values in self._values.items()}
        return other

    def day(self, row: int) -> TradingDay | None:
        """The day a row stands in."""
        return self._days[row]

    @property
    def volume(self) -> FloatArray:
        """Volume of each row's day so far: (rows,), NaN where it is not known."""
        return self._values["volume"]

    def candle(self, row: int) -> Candle | None:
        """A row's day so far, without the minute being formed; None where it has none."""
        day = self._days[row]
        if day is None or np.isnan(self._values["open"][row]):
            return None
        return Candle(day.open_ms, *(float(values[row]) for values in self._values.values()))

    def rows(self) -> DayRows:
        """Every day that has a candle, to be written."""
        has_candle = ~np.isnan(self._values["open"])
        rows = np.flatnonzero(has_candle & self._is_whole)
        broken = np.flatnonzero(has_candle & ~self._is_whole)
        return DayRows(
            rows.tolist(),
            [self._day(row).day for row in rows.tolist()],
            {name: values[rows].tolist() for name, values in self._values.items()},
            [(row, self._day(row)) for row in broken.tolist()],
        )

    def _day(self, row: int) -> TradingDay:
        day = self._days[row]
        if day is None:
            raise AssertionError("a row that has a candle stands in a day")
        return day
