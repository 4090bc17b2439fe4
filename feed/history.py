"""History: durable candles and chains, recorded beside the market and never in its way.

``record`` runs on the loop and only counts; one thread writes, a few read. What is not on the disk yet is
served from memory, so a reader sees every minute whether the disk keeps up or not.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from feed.calendar import Calendar
from feed.candles import (
    INTERVALS,
    INTERVALS_MS,
    MINUTE_MS,
    Candle,
    Candles,
    SessionGrid,
    gather,
    source_code,
)
from feed.market import Market
from feed.store.chains import ChainEncoder
from feed.store.codec import Damaged
from feed.store.database import Database, HistoryError
from feed.store.days import DayBook
from feed.store.forming import Bars, FormingMinute
from feed.store.jobs import ChainMetrics, MinuteJob, PartJob, Registry, Valuation
from feed.store.reader import Reader, contract_candles, minute_candle
from feed.store.recent import MINUTES, RecentMinutes
from feed.store.writer import Health, Writer

__all__ = ["ChainMetrics", "ClosedCandle", "Health", "History", "HistoryError"]

logger = logging.getLogger(__name__)

Contract = tuple[date, float, bool]  # expiry, strike, is_call
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """A candle that is final."""

    symbol: str
    interval: str
    candle: Candle


class History:
    """Candles of every underlying and a record of every chain, minute by minute.

    ``url`` names the store (see ``Database``), None keeps it in memory. ``hours`` is how the market runs
    (see ``feed.candles``). The writer commits within ``flush_interval_s``; at most ``queue_limit`` minutes
    wait for it. Raises HistoryError where the store cannot be used.
    """

    def __init__(
        self,
        url: str | None,
        *,
        calendar: Calendar,
        hours: str = "exchange",
        flush_interval_s: float = 5.0,
        queue_limit: int = 64,
        readers: int = 2,
    ) -> None:
        self._calendar = calendar
        self._hours = hours
        self._flush_interval_ms = round(flush_interval_s * 1000)
        self._grids: dict[str, SessionGrid] = {}
        self._exchange_of: dict[str, str] = {}
        self.database = Database(url, readers)
        self.database.open()
        self._reader = Reader(self.database)
        self._registry = Registry()
        self._encoder = ChainEncoder()
        self._writer = Writer(self.database, flush_interval_s=flush_interval_s, queue_limit=queue_limit)
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="history-reader")
        self._minute = -1
        self._parted_ms = 0
        self._closed_parts: dict[tuple[int, str], tuple[tuple[int, int, int], Candle | None]] = {}

    def start(self, market: Market, now_ms: int) -> None:
        """Take up the day where the store left it, and begin to write. Before the first ``record``."""
        underlyings = market.universe.underlyings
        self._names = [underlying.symbol for underlying in underlyings]
        self._row_of = dict(market.universe.row_of)
        self._exchange_of = {u.symbol: u.derivatives_exchange for u in underlyings}
        self._row_grids = [self._grid(symbol) for symbol in self._names]
        self._rows_of_grid = {
            grid: [row for row, other in enumerate(self._row_grids) if other is grid]
            for grid in self._row_grids
        }
        self._forming = FormingMinute(market.universe)
        self._forming.source = source_code(market.source)
        self._recent = RecentMinutes(len(underlyings))
        self._book = DayBook(len(underlyings))
        self._week_days: list[Candles] = []
        self._buckets: dict[tuple[int, str], tuple[int, int, int]] = {}
        try:
            self._load(now_ms)
        except SQLAlchemyError as error:
            raise HistoryError(self.database.explain(error)) from error
        self._writer.start()

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Write what is left, the minute being formed included, and close the store."""
        if self._minute >= 0:
            self._close_minute(self._minute * MINUTE_MS, None)
        await asyncio.get_running_loop().run_in_executor(None, self._writer.stop, timeout_s)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.database.close()

    def record(
        self, market: Market, now_ms: int, chain_metrics: ChainMetrics | Valuation | None = None
    ) -> list[ClosedCandle]:
        """Count the market's state as published at ``now_ms``; returns the candles that became final.

        To be called with every step of the clock, also when nothing arrived: that is what closes a minute.
        ``chain_metrics`` is used when a minute closes; a function is called with the closed minute by the
        writer's thread, so it must not touch the market.
        """
        closed: list[ClosedCandle] = []
        minute = now_ms // MINUTE_MS
        if minute != self._minute:
            closed = self._turn(minute, chain_metrics)
        if market.universe is not self._forming.universe:
            self._relist(market)
        self._forming.source = source_code(market.source)
        self._forming.take(market.underlyings, market.contracts, market.last_input_ms)
        if now_ms - self._parted_ms >= self._flush_interval_ms or now_ms < self._parted_ms:
            self._parted_ms = now_ms
            self._put_part()
        return closed

    def forming(self, symbol: str, interval: str, now_ms: int) -> Candle | None:
        """The candle being formed, None while nothing was published in it; from memory."""
        row = self._row_of[symbol]
        start_ms, end_ms, label_ms = self._bucket(row, interval, now_ms)
        base = self._closed_part(row, interval, start_ms, end_ms, label_ms)
        now = self._forming.underlyings.row(row)
        minute_ms = self._minute * MINUTE_MS
        if now is None or not start_ms <= minute_ms < end_ms:
            return base
        if base is None:
            return Candle(label_ms, *now)
        return _extended(base, now)

    async def candles(
        self, symbol: str, interval: str, start_ms: int, end_ms: int, contract: Contract | None = None
    ) -> Candles:
        """The candles that have a part in [start, end), ascending, the one being formed included."""
        _check_interval(interval)
        grid = self._grid(symbol)
        first_ms, stop_ms = grid.cover(interval, start_ms, end_ms)
        if contract is not None:
            minutes = await self._contract_minutes(symbol, contract, first_ms, stop_ms)
            return grid.resample(interval, minutes)
        if interval in INTERVALS_MS:
            return grid.resample(interval, await self._minutes(symbol, first_ms, stop_ms))
        days = await self._days(symbol, grid, first_ms, stop_ms)
        return days if interval == "1d" else grid.resample(interval, days)

    async def page(
        self,
        symbol: str,
        interval: str,
        start_ms: int,
        end_ms: int,
        page: int,
        per_page: int,
        contract: Contract | None = None,
    ) -> tuple[Candles, int]:
        """One page, counted from 1 at the oldest, and how many candles there are in all.

        New candles come after the old, so a page that is full never changes.
        """
        candles = await self.candles(symbol, interval, start_ms, end_ms, contract)
        first = (page - 1) * per_page
        return candles.take(slice(first, first + per_page)), len(candles)

    async def day(self, symbol: str, now_ms: int) -> tuple[Candle | None, Candle | None]:
        """The trading day at an instant and the one before it that has a candle."""
        grid = self._grid(symbol)
        today = grid.day_at(now_ms)
        start_ms = today.start_ms - 14 * 86_400_000  # longer than any closure of an exchange
        days = await self._days(symbol, grid, start_ms, today.end_ms)
        current = days.between(today.open_ms, today.open_ms + 1)
        before = days.between(start_ms, today.open_ms)
        return (
            current.candle(0) if len(current) else None,
            before.candle(len(before) - 1) if len(before) else None,
        )

    def health(self) -> Health:
        """Whether what is recorded reaches the store, and if not why."""
        return self._writer.health()

    # what the loop does when a minute is over

    def _turn(self, minute: int, valuation: ChainMetrics | Valuation | None) -> list[ClosedCandle]:
        before, self._minute = self._minute, minute
        closed: list[ClosedCandle] = []
        if before >= 0:
            bars = self._close_minute(before * MINUTE_MS, valuation)
            closed = self._final_candles(before * MINUTE_MS, minute * MINUTE_MS, bars)
        if minute < before:
            logger.warning("the clock went back by %d minutes: their candles go on", before - minute)
            self._begin_days(minute * MINUTE_MS)
        self._forming.underlyings.seed(self._recent.bars(minute * MINUTE_MS))
        return closed

    def _close_minute(self, start_ms: int, valuation: ChainMetrics | Valuation | None) -> Bars:
        minute = self._forming.finish(start_ms)
        self._turn_days(start_ms)
        self._recent.put(start_ms, minute.underlyings, minute.source)
        self._book.add(minute.underlyings)
        self._writer.put(MinuteJob(self._registry, self._encoder, minute, self._book.rows(), valuation))
        return minute.underlyings

    def _final_candles(self, at_ms: int, now_ms: int, minute: Bars) -> list[ClosedCandle]:
        """The candles of every interval that the minute at ``at_ms`` was the last of."""
        closed: list[ClosedCandle] = []
        for grid, rows in self._rows_of_grid.items():
            for interval in INTERVALS:
                start_ms, end_ms, label_ms = grid.bounds(interval, at_ms)
                if end_ms > now_ms:
                    continue
                if interval == "1m":
                    found = _candles_of(minute, rows, at_ms)
                elif interval in INTERVALS_MS:
                    found = _candles_of(self._recent.whole(start_ms, end_ms), rows, label_ms)
                else:
                    found = {
                        row: self._closed_part(row, interval, start_ms, end_ms, label_ms) for row in rows
                    }
                closed += [
                    ClosedCandle(self._names[row], interval, candle)
                    for row, candle in found.items()
                    if candle is not None
                ]
        return closed

    def _turn_days(self, at_ms: int) -> None:
        """Begin the day of a minute where another one stands."""
        for grid, rows in self._rows_of_grid.items():
            day = grid.day_at(at_ms)
            for row in rows:
                if self._book.day(row) != day:
                    self._finish_day(row)
                    known = self._recent.candles(row, day.start_ms, min(day.end_ms, at_ms))
                    self._book.begin(row, day, known)

    def _finish_day(self, row: int) -> None:
        finished = self._book.candle(row)
        if finished is not None:
            days = Candles.merge([self._week_days[row], _one(finished, self._forming.source)])
            self._week_days[row] = days.take(slice(-7, None))

    def _begin_days(self, at_ms: int) -> None:
        """Count each day anew up to a minute that is formed again."""
        for grid, rows in self._rows_of_grid.items():
            day = grid.day_at(at_ms)
            for row in rows:
                self._book.begin(row, day, self._recent.candles(row, day.start_ms, at_ms))

    def _relist(self, market: Market) -> None:
        """Contracts were listed or left: what left is recorded as it stands."""
        before = self._forming.part(self._minute * MINUTE_MS)
        left = self._forming.relist(market.universe)
        if len(left):
            minute = replace(before, listing_rows=left)
            self._writer.put(MinuteJob(self._registry, self._encoder, minute, None))

    def _put_part(self) -> None:
        """Hand the part of the running minute to the writer, unless it is behind."""
        bars = self._forming.underlyings.bars()
        if not bars.touched.any() or self._writer.pending():
            return
        start_ms = self._minute * MINUTE_MS
        self._turn_days(start_ms)
        days = self._book.copy()
        days.add(bars)
        job = PartJob(self._registry, self._names, bars, days.rows(), start_ms, self._forming.source)
        self._writer.put(job)

    # candles in memory

    def _grid(self, symbol: str) -> SessionGrid:
        exchange = self._exchange_of.get(symbol, "NFO")
        grid = self._grids.get(exchange)
        if grid is None:
            grid = self._grids[exchange] = SessionGrid(self._calendar, exchange, self._hours)
        return grid

    def _bucket(self, row: int, interval: str, at_ms: int) -> tuple[int, int, int]:
        """Limits and label of the candle at an instant, kept until it is over."""
        found = self._buckets.get((row, interval))
        if found is None or not found[0] <= at_ms < found[1]:
            found = self._buckets[row, interval] = self._row_grids[row].bounds(interval, at_ms)
        return found

    def _closed_part(
        self, row: int, interval: str, start_ms: int, end_ms: int, label_ms: int
    ) -> Candle | None:
        """What the closed minutes make of a candle, kept until another minute is closed."""
        state = self._recent.version, self._minute, label_ms
        kept = self._closed_parts.get((row, interval))
        if kept is not None and kept[0] == state:
            return kept[1]
        if interval == "1d":
            candle = self._book.candle(row)
        elif interval == "1w":
            candle = self._week(row, label_ms)
        else:
            minutes = self._recent.candles(row, start_ms, min(end_ms, self._minute * MINUTE_MS))
            candle = _whole(label_ms, minutes)
        self._closed_parts[row, interval] = state, candle
        return candle

    def _week(self, row: int, label_ms: int) -> Candle | None:
        today = self._book.candle(row)
        earlier = self._week_days[row]
        days = earlier.take(earlier.time_ms >= label_ms)
        if today is not None:
            days = Candles.merge([days.take(days.time_ms < today.time_ms), _one(today)])
        return _whole(label_ms, days)

    # reading

    async def _read(self, query: Callable[[], T]) -> T:
        """Run a query on a reader's thread. Raises HistoryError where the store fails."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, query)
        except (SQLAlchemyError, Damaged) as error:
            raise HistoryError(self.database.explain(error)) from error

    async def _minutes(self, symbol: str, start_ms: int, end_ms: int) -> Candles:
        """One-minute candles of an underlying: what is stored, then what memory knows better."""
        row = self._row_of.get(symbol)
        stored = Candles.empty()
        if row is None or start_ms < self._recent.begins_ms:
            stored = await self._read(lambda: self._reader.minutes(symbol, start_ms, end_ms))
        if row is None:
            return stored
        parts = [stored, self._recent.candles(row, start_ms, end_ms)]
        now = self._forming.underlyings.row(row)
        minute_ms = self._minute * MINUTE_MS
        if now is not None and start_ms <= minute_ms < end_ms:
            parts.append(_one(Candle(minute_ms, *now), self._forming.source))
        return Candles.merge(parts)

    async def _days(self, symbol: str, grid: SessionGrid, start_ms: int, end_ms: int) -> Candles:
        """Daily candles of the trading days in [start, end), today's as it stands."""
        first, last = grid.day_at(start_ms).day, grid.day_at(max(end_ms - 1, start_ms)).day
        stored, _ = await self._read(
            lambda: self._reader.days(symbol, first, last, lambda day: grid.day(day).open_ms)
        )
        row = self._row_of.get(symbol)
        if row is None or self._minute < 0:
            return stored
        parts = [stored, self._week_days[row]]
        today = self.forming(symbol, "1d", self._minute * MINUTE_MS)
        if today is not None:
            parts.append(_one(today, self._forming.source))
        merged = Candles.merge(parts)
        return merged.between(grid.day(first).open_ms, grid.day(last).open_ms + 1)

    async def _contract_minutes(self, symbol: str, contract: Contract, start_ms: int, end_ms: int) -> Candles:
        """One-minute candles of a contract: stored, waiting to be stored, being formed."""
        expiry, strike, is_call = contract
        runs = await self._read(lambda: self._reader.chain(symbol, expiry, start_ms, end_ms))
        parts = [contract_candles(run, strike, is_call) for run in runs]
        listing = self._forming.universe.find((symbol, expiry)) if symbol in self._row_of else None
        if listing is not None and self._minute >= 0:
            minutes = [job.minute for job in self._writer.pending() if isinstance(job, MinuteJob)]
            minutes.append(self._forming.part(self._minute * MINUTE_MS))
            parts += [minute_candle(minute, contract, symbol) for minute in minutes]
        return Candles.merge(parts).between(start_ms, end_ms)

    # taking up what the store knows

    def _load(self, now_ms: int) -> None:
        """Fill memory with the latest day of minutes, the running day and the days of its week."""
        minute_ms = now_ms - now_ms % MINUTE_MS
        days = [grid.day_at(now_ms) for grid in self._row_grids]
        since_ms = min([minute_ms - (MINUTES - 1) * MINUTE_MS, *(day.start_ms for day in days)])
        stored = self._reader.minutes_of_all(self._names, since_ms, minute_ms + MINUTE_MS)
        self._recent.begin(minute_ms)
        for row, (symbol, day) in enumerate(zip(self._names, days, strict=True)):
            candles = self._of_this_kind(stored.get(symbol, Candles.empty()))
            self._recent.fill(row, candles)
            self._book.begin(row, day, candles.between(day.start_ms, minute_ms))
            self._week_days.append(self._load_week(symbol, self._row_grids[row], day.day))
        self._registry.newest_chain_ms = self._reader.newest_chain_ms(min(day.day for day in days))

    def _load_week(self, symbol: str, grid: SessionGrid, today: date) -> Candles:
        monday = today - timedelta(days=today.weekday())
        days, _ = self._reader.days(
            symbol, monday, today - timedelta(days=1), lambda day: grid.day(day).open_ms
        )
        return self._of_this_kind(days)

    def _of_this_kind(self, candles: Candles) -> Candles:
        """Without simulated candles where the source is real, and the other way round."""
        simulated = source_code("simulated")
        return candles.take((candles.source == simulated) == (self._forming.source == simulated))


def _check_interval(interval: str) -> None:
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, was {interval!r}")


def _one(candle: Candle, source: int = 0) -> Candles:
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.open_interest)
    return Candles.of(np.array([candle.time_ms]), [np.array([price]) for price in prices], source)


def _candles_of(bars: Bars, rows: Iterable[int], label_ms: int) -> dict[int, Candle | None]:
    """Some rows as candles, those that were touched."""
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    prices = np.stack(columns, axis=1).tolist()
    return {row: Candle(label_ms, *prices[row]) for row in rows if bars.touched[row]}


def _whole(label_ms: int, candles: Candles) -> Candle | None:
    """All candles as one, None where there are none."""
    if not len(candles):
        return None
    return gather(np.full(len(candles), label_ms), candles).candle(0)


def _extended(base: Candle, now: tuple[float, float, float, float, float]) -> Candle:
    """A candle and the prices that came after it."""
    _, high, low, close, volume = now
    volumes = [part for part in (base.volume, volume) if part == part]
    return Candle(
        base.time_ms,
        base.open,
        max(base.high, high),
        min(base.low, low),
        close,
        sum(volumes) if volumes else math.nan,
    )
