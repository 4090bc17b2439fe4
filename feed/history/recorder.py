"""What history does on the loop: count prices, close minutes, hand them to the writer. It never waits."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS
from domain.intervals import Interval
from feed.history.maintenance.upkeep import RewindJob
from feed.history.memory.running import Prices, RunningCandles, one_candle
from feed.history.store.chains import ChainEncoder
from feed.history.store.jobs import MinuteJob, PartJob
from feed.history.store.registry import Registry
from feed.history.store.writer import Writer
from feed.market.candles import Candle, Candles, ClosedCandle, SessionGrid, source_code
from feed.market.forming import Bars, ClosedMinute, FormingMinute
from feed.market.market import Market
from feed.market.source import Update
from feed.market.universe import Universe
from feed.valuation.minute_metrics import Valuation

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a recorder has in memory, for another one of the same market to go on from.

    ``known`` are minutes and days of each underlying; ``days`` the running ones, as ``RunningCandles`` has
    them; ``unwritten`` the minutes that may not be in the store, the one being formed as the last.
    """

    known: Sequence[tuple[Candles, Candles]]
    days: tuple[NDArray[np.int64], Mapping[str, NDArray[np.float64]]]
    unwritten: Sequence[ClosedMinute]


class Recorder:
    """Forms the minutes of a market and hands each one, once it is over, to the writer as one job."""

    def __init__(
        self,
        universe: Universe,
        grids: Sequence[SessionGrid],
        writer: Writer,
        registry: Registry,
        *,
        source: str,
        part_every_ms: int,
    ) -> None:
        self.names = [underlying.symbol for underlying in universe.underlyings]
        self.row_of = dict(universe.row_of)
        self.source = source_code(source)
        self.running = RunningCandles(self.names, grids, self.source)
        self._forming = FormingMinute(universe)
        self._writer = writer
        self._registry = registry
        self.encoder = ChainEncoder()
        self._part_every_ms = part_every_ms
        self._parted_ms = 0
        self._minute = -1
        self._began_ms = 0
        self._counted: Update | None = None
        self._is_left = False  # whether a part of that minute is known from before
        self._filled: deque[tuple[int, Candles, Candles | None]] = deque()
        self._closed: list[ClosedCandle] = []  # until a record that succeeds hands them over

    @property
    def minute_ms(self) -> int:
        """The minute being formed; before the first record the one of the start."""
        return self._minute * MINUTE_MS if self._minute >= 0 else self._began_ms

    @property
    def universe(self) -> Universe:
        """The contracts being recorded."""
        return self._forming.universe

    def record(self, market: Market, now_ms: int, valuation: Valuation | None = None) -> list[ClosedCandle]:
        """Count a market's state as published at ``now_ms``; returns the candles that became final.

        What prices went through on the way is counted too, if the latest update tells it.
        """
        as_of_ms = min(market.last_input_ms, now_ms)  # after a seek back the newest input lies ahead
        universe, latest = market.universe, market.latest
        self._take_filled()
        if now_ms // MINUTE_MS != self._minute:
            self._closed += self._turn(now_ms // MINUTE_MS, valuation)
        if universe is not self._forming.universe:
            self._relist(universe)
        self._forming.source = self.source
        self._forming.forwards = market.forwards
        if latest is not None and latest is not self._counted:
            self._counted = latest
            self._forming.take_ranges(latest)
        self._forming.take(market.underlyings, market.contracts, as_of_ms)
        if not 0 <= now_ms - self._parted_ms < self._part_every_ms:
            self._parted_ms = now_ms
            self._put_part()
        closed, self._closed = self._closed, []
        return closed

    def so_far(self) -> tuple[int, Bars, Bars]:
        """When the minute being formed began, and what it is so far of underlyings and contracts."""
        return self.minute_ms, self._forming.underlyings.bars(), self._forming.contracts.bars()

    def known(self, row: int, now_ms: int) -> tuple[Candles, Candles]:
        """Closed minutes of the running day of an underlying, and the latest days."""
        day = self.running.day_at(row, now_ms)
        return self.running.recent.candles(row, day.start_ms, self.minute_ms), self.running.days(row)

    def go_on_from(
        self,
        market: Market,
        minute_ms: int,
        underlyings: Bars,
        contracts: Bars,
        days: tuple[NDArray[np.int64], Mapping[str, NDArray[np.float64]]],
    ) -> None:
        """Go on with a minute, and days, that another recorder of the same market has formed so far."""
        self.running.take_days(*days)
        self._forming = forming = FormingMinute(market.universe)
        for bars, known, tables in (
            (forming.underlyings, underlyings, market.underlyings),
            (forming.contracts, contracts, market.contracts),
        ):
            bars.seed(known)
            bars.price, bars.day_volume = tables["last_price"].copy(), tables["volume"].copy()
        self._minute = minute_ms // MINUTE_MS
        self._is_left = False
        self._closed.clear()

    def remembered(self) -> Remembered:
        """What is in memory."""
        recent = self.running.recent
        known = [(recent.candles(row, 0, 1 << 53), self.running.days(row)) for row in range(len(self.names))]
        return Remembered(known, self.running.day_columns(), self.unwritten())

    def take_over(self, left: Remembered, now_ms: int) -> Sequence[ClosedMinute]:
        """Go on from what another recorder remembers; returns the minutes that are to be written."""
        now_minute_ms = now_ms - now_ms % MINUTE_MS
        running = self.running = self.running.empty(self.source)
        running.recent.begin_whole(now_minute_ms)
        for row, (minutes, days) in enumerate(left.known):
            running.load(row, minutes, days, now_minute_ms)
        for minute in left.unwritten:
            running.recent.put(minute.start_ms, minute.underlyings, self.source)
        running.take_days(*left.days)
        forming = left.unwritten[-1:]
        for minute in forming:
            if minute.start_ms < now_minute_ms:
                running.add(minute.start_ms, minute.underlyings)
        self._began_ms, self._is_left = now_minute_ms, True
        return [minute for minute in left.unwritten if minute.start_ms < now_minute_ms]

    def begin_again(self, source: str, minute_ms: int, known: Sequence[tuple[Candles, Candles]]) -> None:
        """Forget everything, and know of each row the minutes of its day before one, and days."""
        self.source = source_code(source)
        self.running = self.running.empty(self.source)
        self.running.recent.begin_whole(minute_ms)
        for row, (minutes, days) in enumerate(known):
            self.running.load(row, minutes.between(0, minute_ms), days, minute_ms)

    def finish(self) -> None:
        """Close the minute being formed before its time."""
        self._take_filled()
        if self._minute >= 0:
            self._close(self.minute_ms, None)

    def rewind(self, to_ms: int) -> None:
        """Forget what was counted from an instant on, the minute being formed with it."""
        self._minute = -1
        self._began_ms = to_ms - to_ms % MINUTE_MS
        self._is_left = False
        self._forming = FormingMinute(self._forming.universe)
        self.running.forget(to_ms)

    def forming(self, symbol: str, interval: Interval, now_ms: int) -> Candle | None:
        """The candle being formed. Raises KeyError for a symbol that is not recorded."""
        self._take_filled()
        row = self.row_of[symbol]
        return self.running.forming(row, interval, now_ms, self.minute_ms, self._now(row))

    def load(self, row: int, minutes: Candles, days: Candles, now_ms: int) -> None:
        """Know what the store has of an underlying at the start."""
        self._began_ms = now_ms
        self._is_left = True
        self.running.load(row, minutes, days, now_ms)

    def go_on(self, is_running: Sequence[bool]) -> None:
        """Count the volume of each underlying from what is known of its day, where that is in course.

        A market that goes on from there has traded the difference when it is first published.
        """
        known = self.running.day_volume(self.minute_ms)
        forming = self._forming.underlyings
        forming.day_volume = np.where(is_running, np.nan_to_num(known), known)

    def adopt(self, symbol: str, minutes: Candles, days: Candles) -> None:
        """Know minutes and days that were filled in before the recorded ones; from any thread."""
        self._filled.append((self.row_of[symbol], minutes, days))

    def lay_over(self, symbol: str, minutes: Candles) -> None:
        """Know minutes in place of what was recorded of them; from any thread."""
        self._filled.append((self.row_of[symbol], minutes, None))

    def _take_filled(self) -> None:
        while self._filled:
            row, minutes, days = self._filled.popleft()
            if days is None:
                self.running.lay_over(row, minutes, self.minute_ms)
            else:
                self.running.load(row, minutes, days, self.minute_ms)

    def minutes(self, symbol: str, start_ms: int, end_ms: int) -> Candles:
        """The minutes of an underlying that memory knows, the one being formed included."""
        self._take_filled()
        row = self.row_of[symbol]
        parts = [self.running.recent.candles(row, start_ms, end_ms)]
        now = self._now(row)
        if now is not None and start_ms <= self.minute_ms < end_ms:
            parts.append(one_candle(Candle(self.minute_ms, *now), self.source))
        return Candles.merge(parts)

    def waiting(self, symbol: str) -> Candles:
        """The minutes of an underlying that wait to be written."""
        row = self.row_of[symbol]
        return Candles.merge(
            [
                one_candle(Candle(minute.start_ms, *minute.underlyings.prices(row)), minute.source)
                for minute in self._waiting_minutes()
                if minute.underlyings.touched[row]
            ]
        )

    def days(self, symbol: str) -> Candles:
        """The days of an underlying that memory knows, the running one included."""
        self._take_filled()
        parts = [self.running.days(self.row_of[symbol])]
        today = self.forming(symbol, Interval.ONE_DAY, self.minute_ms)
        if today is not None:
            parts.append(one_candle(today, self.source))
        return Candles.merge(parts)

    def _now(self, row: int) -> Prices | None:
        """The prices of the minute being formed; before the first record those an earlier server left."""
        if self._minute >= 0:
            return self._forming.underlyings.row(row)
        left = self.running.recent.candles(row, self._began_ms, self._began_ms + MINUTE_MS)
        if not len(left):
            return None
        candle = left.candle(0)
        return candle.open, candle.high, candle.low, candle.close, candle.volume

    def unwritten(self) -> list[ClosedMinute]:
        """Minutes that are not in the store yet, oldest first, the one being formed as the last."""
        waiting = self._waiting_minutes()
        return waiting if self._minute < 0 else [*waiting, self._forming.part(self.minute_ms)]

    def _waiting_minutes(self) -> list[ClosedMinute]:
        """The minutes that wait to be written, without those that a rewind after them is to delete."""
        minutes: list[ClosedMinute] = []
        for job in self._writer.pending():
            if isinstance(job, MinuteJob):
                minutes.append(job.minute)
            elif isinstance(job, RewindJob):
                minutes = [minute for minute in minutes if minute.start_ms < job.from_ms]
        return minutes

    def _turn(self, minute: int, valuation: Valuation | None) -> list[ClosedCandle]:
        before, self._minute = self._minute, minute
        closed: list[ClosedCandle] = []
        if self._is_left and minute * MINUTE_MS > self._began_ms:  # it ended before anything was published
            self.running.add(self._began_ms, self.running.recent.bars(self._began_ms))
        self._is_left = False
        if before >= 0:
            bars = self._close(before * MINUTE_MS, valuation)
            closed = self.running.final(before * MINUTE_MS, minute * MINUTE_MS, bars)
        if minute < before:
            logger.warning("the clock went back by %d minutes: their candles go on", before - minute)
            self.running.go_back(minute * MINUTE_MS)
        self._forming.underlyings.seed(self.running.recent.bars(minute * MINUTE_MS))
        return closed

    def _close(self, start_ms: int, valuation: Valuation | None) -> Bars:
        minute = self._forming.finish(start_ms)
        days = self.running.add(start_ms, minute.underlyings)
        self._writer.put(MinuteJob(self._registry, self.encoder, minute, days, valuation))
        return minute.underlyings

    def _relist(self, universe: Universe) -> None:
        """Contracts were listed or left: what left is recorded as it stands."""
        before = self._forming.part(self.minute_ms)
        left = self._forming.relist(universe)
        if len(left):
            minute = replace(before, listing_rows=left)
            self._writer.put(MinuteJob(self._registry, self.encoder, minute, None))

    def _put_part(self) -> None:
        """Hand the part of the running minute to the writer, unless it is behind."""
        bars = self._forming.underlyings.bars()
        if not bars.touched.any() or self._writer.pending():
            return
        days = self.running.days_with(self.minute_ms, bars)
        self._writer.put(PartJob(self._registry, self.names, bars, days, self.minute_ms, self.source))
