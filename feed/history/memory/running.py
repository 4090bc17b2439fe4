"""Candles in memory: the latest day of minutes, the running day and its week, and what they make together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from domain.instants import MINUTE_MS
from domain.intervals import INTERVALS, INTERVALS_MS, Interval
from feed.history.memory.days import DayBook, DayRows
from feed.history.memory.recent import RecentMinutes
from feed.market.candles import (
    Candle,
    Candles,
    ClosedCandle,
    FloatArray,
    IntArray,
    SessionGrid,
    TradingDay,
    gather,
)
from feed.market.forming import Bars

_DAYS_OF_WEEK = 7

Prices = tuple[float, float, float, float, float]  # open, high, low, close, volume


class RunningCandles:
    """What closed minutes make of every interval, for each underlying by row."""

    def __init__(self, names: Sequence[str], grids: Sequence[SessionGrid], source: int) -> None:
        self.names = names
        self._source = source
        self.recent = RecentMinutes(len(names))
        self._grids = grids
        self._rows_of_grid: dict[SessionGrid, list[int]] = {}
        for row, grid in enumerate(grids):
            self._rows_of_grid.setdefault(grid, []).append(row)
        self._book = DayBook(len(names))
        self._weeks = [Candles.empty()] * len(names)  # the days before the running one
        self._buckets: dict[tuple[int, str], tuple[int, int, int]] = {}
        self._parts: dict[tuple[int, str], tuple[tuple[int, int, int], Candle | None]] = {}

    def empty(self, source: int) -> RunningCandles:
        """Candles of the same underlyings, of which nothing is known."""
        return RunningCandles(self.names, self._grids, source)

    def day_at(self, row: int, now_ms: int) -> TradingDay:
        """The trading day of a row at an instant."""
        return self._grids[row].day_at(now_ms)

    def day_columns(self) -> tuple[IntArray, dict[str, FloatArray]]:
        """When each row's running day began, and what it is so far; see ``take_days``."""
        return self._book.columns()

    def take_days(self, starts_ms: IntArray, columns: Mapping[str, FloatArray]) -> None:
        """Go on with running days as another process counted them."""
        found = zip(self._grids, starts_ms.tolist(), strict=True)
        self._book.take([None if at_ms < 0 else grid.day_at(at_ms) for grid, at_ms in found], columns)

    def know_weeks(self, days: Sequence[Candles], now_ms: int) -> None:
        """Know of each row the days before the running one."""
        self._weeks = [
            known.take(known.time_ms < grid.day_at(now_ms).open_ms).take(slice(-_DAYS_OF_WEEK, None))
            for grid, known in zip(self._grids, days, strict=True)
        ]

    def load(self, row: int, minutes: Candles, days: Candles, now_ms: int) -> None:
        """Take up what is known of a row before the minute at ``now_ms``: minutes, and days before today."""
        day = self._grids[row].day_at(now_ms)
        self.recent.fill(row, minutes)
        known = Candles.merge([minutes, self.recent.candles(row, day.start_ms, now_ms)])
        self._book.begin(row, day, known.between(day.start_ms, now_ms))
        self._weeks[row] = days.take(days.time_ms < day.open_ms).take(slice(-_DAYS_OF_WEEK, None))

    def lay_over(self, row: int, minutes: Candles, now_ms: int) -> None:
        """Take minutes before the one at ``now_ms`` in place of what was recorded of them."""
        day = self._grids[row].day_at(now_ms)
        self.recent.fill(row, minutes.between(0, now_ms), replace=True)
        self._book.begin(row, day, self.recent.candles(row, day.start_ms, now_ms))

    def add(self, start_ms: int, bars: Bars) -> DayRows:
        """Count a minute that is closed; returns the running days as they now stand."""
        self._turn_days(start_ms)
        self.recent.put(start_ms, bars, self._source)
        self._book.add(bars)
        return self._book.rows()

    def days_with(self, start_ms: int, bars: Bars) -> DayRows:
        """The running days as they stand with a minute that is not closed."""
        self._turn_days(start_ms)
        days = self._book.copy()
        days.add(bars)
        return days.rows()

    def days_so_far(self) -> DayRows:
        """The running days as they stand."""
        return self._book.rows()

    def day_volume(self, minute_ms: int) -> FloatArray:
        """Volume of each row's running day, what is known of the minute being formed included."""
        closed, forming = self._book.volume, self.recent.bars(minute_ms).volume
        is_known = ~(np.isnan(closed) & np.isnan(forming))
        return np.where(is_known, np.nan_to_num(closed) + np.nan_to_num(forming), np.nan)

    def go_back(self, at_ms: int) -> None:
        """Count each day anew up to a minute that is formed again."""
        for grid, rows in self._rows_of_grid.items():
            day = grid.day_at(at_ms)
            is_whole = day.start_ms >= self.recent.begins_ms
            for row in rows:
                known = self.recent.candles(row, day.start_ms, at_ms)
                # later minutes of that day are stored already, so only the store knows it whole
                self._book.begin(row, day, known, is_whole=is_whole and not self._is_ahead(row, at_ms))

    def _is_ahead(self, row: int, at_ms: int) -> bool:
        return len(self.recent.candles(row, at_ms + MINUTE_MS, (self.recent.newest + 1) * MINUTE_MS)) > 0

    def forget(self, from_ms: int) -> None:
        """Drop all that is known from an instant on."""
        self.recent.forget(from_ms)
        self.go_back(from_ms)
        self._weeks = [days.take(days.time_ms < from_ms) for days in self._weeks]

    def forming(
        self, row: int, interval: Interval, now_ms: int, minute_ms: int, now: Prices | None
    ) -> Candle | None:
        """A row's candle at an instant: its closed minutes and the prices of the running one."""
        start_ms, end_ms, label_ms = self._bucket(row, interval, now_ms)
        base = self._closed(row, interval, (start_ms, end_ms, label_ms), minute_ms)
        if now is None or not start_ms <= minute_ms < end_ms:
            return base
        return Candle(label_ms, *now) if base is None else _extended(base, now)

    def final(self, at_ms: int, now_ms: int, minute: Bars) -> list[ClosedCandle]:
        """The candles of every interval that the minute at ``at_ms`` was the last of."""
        closed: list[ClosedCandle] = []
        for grid, rows in self._rows_of_grid.items():
            for interval in INTERVALS:
                limits = grid.bounds(interval, at_ms)
                if limits[1] <= now_ms:
                    found = self._candles(interval, rows, limits, minute)
                    closed += [ClosedCandle(self.names[row], interval, found[row]) for row in found]
        return closed

    def _candles(
        self, interval: Interval, rows: Iterable[int], limits: tuple[int, int, int], minute: Bars
    ) -> dict[int, Candle]:
        start_ms, end_ms, label_ms = limits
        if interval in INTERVALS_MS:
            bars = minute if interval == Interval.ONE_MINUTE else self.recent.whole(start_ms, end_ms)
            prices = np.stack((bars.open, bars.high, bars.low, bars.close, bars.volume), axis=1).tolist()
            return {row: Candle(label_ms, *prices[row]) for row in rows if bars.touched[row]}
        found = {row: self._closed(row, interval, limits, end_ms) for row in rows}
        return {row: candle for row, candle in found.items() if candle is not None}

    def _turn_days(self, at_ms: int) -> None:
        """Begin the day of a minute where another one stands."""
        for grid, rows in self._rows_of_grid.items():
            day = grid.day_at(at_ms)
            for row in rows:
                if self._book.day(row) == day:
                    continue
                finished = self._book.candle(row)
                if finished is not None:
                    days = Candles.merge([self._weeks[row], one_candle(finished, self._source)])
                    self._weeks[row] = days.take(slice(-_DAYS_OF_WEEK, None))
                known = self.recent.candles(row, day.start_ms, at_ms)
                self._book.begin(row, day, known, is_whole=not self._is_ahead(row, at_ms))

    def _bucket(self, row: int, interval: Interval, at_ms: int) -> tuple[int, int, int]:
        """Limits and label of the candle at an instant, kept until it is over."""
        found = self._buckets.get((row, interval))
        if found is None or not found[0] <= at_ms < found[1]:
            found = self._buckets[row, interval] = self._grids[row].bounds(interval, at_ms)
        return found

    def _closed(
        self, row: int, interval: Interval, limits: tuple[int, int, int], minute_ms: int
    ) -> Candle | None:
        """What the minutes before ``minute_ms`` make of a candle, kept until another minute is closed."""
        start_ms, end_ms, label_ms = limits
        state = self.recent.version, minute_ms, label_ms
        cached = self._parts.get((row, interval))
        if cached is not None and cached[0] == state:
            return cached[1]
        if interval in INTERVALS_MS:
            candle = whole_candle(label_ms, self.recent.candles(row, start_ms, min(end_ms, minute_ms)))
        else:
            days = self.days(row)
            in_it = (days.time_ms >= start_ms) & (days.time_ms < end_ms)
            candle = whole_candle(label_ms, days.take(in_it))
        self._parts[row, interval] = state, candle
        return candle

    def days(self, row: int) -> Candles:
        """The latest days up to the one that minutes were closed in, without the minute being formed."""
        today = self._book.candle(row)
        earlier = self._weeks[row]
        if today is None:
            return earlier
        return Candles.merge([earlier.take(earlier.time_ms < today.time_ms), one_candle(today, self._source)])


def one_candle(candle: Candle, source: int) -> Candles:
    """A candle as columns of length 1."""
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.open_interest)
    return Candles.of(np.array([candle.time_ms]), [np.array([price]) for price in prices], source)


def whole_candle(label_ms: int, candles: Candles) -> Candle | None:
    """All candles as one, None where there are none."""
    if not len(candles):
        return None
    return gather(np.full(len(candles), label_ms), candles).candle(0)


def _extended(base: Candle, now: Prices) -> Candle:
    """A candle and the prices that came after it."""
    _, high, low, close, volume = now
    volumes = [part for part in (base.volume, volume) if part == part]
    total = sum(volumes) if volumes else math.nan
    return Candle(base.time_ms, base.open, max(base.high, high), min(base.low, low), close, total)
