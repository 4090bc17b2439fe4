"""The latest day of one-minute candles of every underlying, in memory: what is served without the disk."""

from __future__ import annotations

import numpy as np

from domain.instants import MINUTE_MS
from feed.market.candles import Candles, FloatArray, IntArray
from feed.market.forming import Bars

MINUTES = 1440
_FIELDS = ("open", "high", "low", "close", "volume")


class RecentMinutes:
    """A ring of ``MINUTES`` slots for each of ``count`` rows.

    ``version`` grows with every change, so that what was computed from the ring can be kept beside it.
    """

    def __init__(self, count: int) -> None:
        self._minute = np.full((MINUTES, count), -1, np.int64)  # which minute a slot holds
        self._values = np.full((len(_FIELDS), MINUTES, count), np.nan)
        self._source = np.zeros((MINUTES, count), np.int64)
        self.newest = -1
        self.version = 0
        self._whole_from = 0

    @property
    def begins_ms(self) -> int:
        """From when on the ring holds all that is known."""
        return max(self.newest - MINUTES + 1, self._whole_from) * MINUTE_MS

    def begin(self, start_ms: int) -> None:
        """Set the newest minute, so that what is older than the ring is not taken into it."""
        self.newest = start_ms // MINUTE_MS

    def begin_whole(self, start_ms: int) -> None:
        """Set the newest minute of a ring that does not hold all there was before it."""
        self.begin(start_ms)
        self._whole_from = self.newest

    def put(self, start_ms: int, bars: Bars, source: int) -> None:
        """Keep a minute of all rows that were touched in it, in place of what was known of it."""
        minute = start_ms // MINUTE_MS
        if minute <= self.newest - MINUTES:
            return
        slot, rows = minute % MINUTES, bars.touched
        self._minute[slot, rows] = minute
        for values, name in zip(self._values, _FIELDS, strict=True):
            values[slot, rows] = getattr(bars, name)[rows]
        self._source[slot, rows] = source
        self.newest = max(self.newest, minute)
        self.version += 1

    def fill(self, row: int, candles: Candles, *, replace: bool = False) -> None:
        """Keep one-minute candles of one row that are recent enough: where none is known, or in its place."""
        minutes = candles.time_ms // MINUTE_MS
        slots = minutes % MINUTES
        inside = (minutes > self.newest - MINUTES) & (minutes <= self.newest)
        inside &= (self._minute[slots, row] < minutes) | (replace & (self._minute[slots, row] == minutes))
        slots, minutes = slots[inside], minutes[inside]
        self._minute[slots, row] = minutes
        for values, name in zip(self._values, _FIELDS, strict=True):
            values[slots, row] = getattr(candles, name)[inside]
        self._source[slots, row] = candles.source[inside]
        self.version += 1

    def forget(self, from_ms: int) -> None:
        """Drop every minute from an instant on."""
        self._whole_from = self.begins_ms // MINUTE_MS  # slots of earlier minutes were used again
        self._minute[self._minute * MINUTE_MS >= from_ms] = -1
        self.newest = int(self._minute.max(initial=-1))
        self.version += 1

    def bars(self, start_ms: int) -> Bars:
        """One minute of all rows."""
        minute = start_ms // MINUTE_MS
        slot = minute % MINUTES
        touched = self._minute[slot] == minute
        columns = (np.where(touched, values[slot], np.nan) for values in self._values)
        opens, high, low, close, volume = columns
        return Bars(opens, high, low, close, volume, touched)

    def whole(self, start_ms: int, end_ms: int) -> Bars:
        """The minutes in [start, end) of every row as one."""
        minutes = self._range(start_ms, end_ms)
        if not len(minutes):
            unknown = np.full(self._minute.shape[1], np.nan)
            return Bars(unknown, unknown, unknown, unknown, unknown, np.isfinite(unknown))
        slots = minutes % MINUTES
        held = self._minute[slots] == minutes[:, None]
        opens, high, low, close, volume = (np.where(held, values[slots], np.nan) for values in self._values)
        touched, rows = held.any(axis=0), np.arange(held.shape[1])
        first, last = held.argmax(axis=0), len(held) - 1 - held[::-1].argmax(axis=0)
        known = ~np.isnan(volume).all(axis=0)
        return Bars(
            open=opens[first, rows],
            high=np.fmax.reduce(high),
            low=np.fmin.reduce(low),
            close=close[last, rows],
            volume=np.where(known, np.nansum(volume, axis=0), np.nan),
            touched=touched,
        )

    def candles(self, row: int, start_ms: int, end_ms: int) -> Candles:
        """One row's candles that begin in [start, end)."""
        minutes = self._range(start_ms, end_ms)
        slots = minutes % MINUTES
        held = self._minute[slots, row] == minutes
        minutes, slots = minutes[held], slots[held]
        columns: list[FloatArray] = [values[slots, row] for values in self._values]
        return Candles.of(minutes * MINUTE_MS, columns, self._source[slots, row])

    def _range(self, start_ms: int, end_ms: int) -> IntArray:
        first = max(-(-start_ms // MINUTE_MS), self.newest - MINUTES + 1)
        stop = min(-(-end_ms // MINUTE_MS), self.newest + 1)
        return np.arange(first, max(stop, first))
