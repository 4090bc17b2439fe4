"""What history answers: the store's past and memory's present as one, whatever is on the disk already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.instants import IST, MINUTE_MS, to_datetime
from domain.intervals import INTERVALS, INTERVALS_MS, Interval
from feed.history.open_interest import OpenInterestSeries, open_interest_series
from feed.history.state import HistoryState
from feed.history.store.problems import HistoryError
from feed.history.store.stored_chain import StoredChain, chain_of_minute
from feed.market.candles import (
    SOURCES,
    Candle,
    Candles,
    FloatArray,
    IntArray,
    SessionGrid,
    laid_over,
)
from feed.reference.corporate_actions import corporate_actions

Contract = tuple[date, float, bool]  # expiry, strike, is_call
T = TypeVar("T")

LATEST_MS = 1 << 53
PATIENCE_S = 10.0  # for the past of a symbol that somebody asked for
_DEFAULT_EXCHANGE = "NFO"  # of a symbol that is in the store but no longer in the universe


@dataclass(frozen=True, slots=True)
class Page:
    """A part of many candles.

    Pages count from 1 at the oldest, so that one that is full never changes; with ``from_end`` at the newest,
    and then they stand still as long as the end of the span does.
    """

    number: int
    size: int
    from_end: bool = False


def _split(symbol: str, candles: Candles, day: date | None) -> Candles:
    """Candles in the shares of a day; None leaves them as they were traded."""
    if day is None:
        return candles
    return candles.split(corporate_actions().factors(symbol, candles.time_ms, day))


class Answers:
    """Reads one store, and a recorder's memory over it."""

    def __init__(self, state: HistoryState) -> None:
        self._state = state

    async def ready(self, symbol: str) -> None:
        """Wait until the past of a symbol is filled, so that what is read of it does not depend on when.

        A store that takes nothing does not hold up its readers: they get what there is.
        """
        backfill = self._state.backfill
        if (
            backfill is None
            or not self._state.knows(symbol)
            or self._state.writer.health().reason is not None
        ):
            return
        found = backfill.ready(symbol)
        if not found.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(found)), PATIENCE_S)

    def forming(self, symbol: str, interval: Interval, now_ms: int) -> Candle | None:
        """The candle being formed, None while nothing was published in it; from memory."""
        return self._state.started().forming(symbol, interval, now_ms)

    async def candles(
        self,
        symbol: str,
        interval: Interval,
        start_ms: int,
        end_ms: int,
        contract: Contract | None = None,
        *,
        adjusted_to: date | None = None,
    ) -> Candles:
        """The candles that have a part in [start, end), ascending, the one being formed included.

        Of an underlying as it was traded, or in the shares that there are on the day ``adjusted_to``.
        """
        if interval not in INTERVALS:
            raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, was {interval!r}")
        await self._forgotten()
        grid = self._state.grid(symbol)
        first_ms, stop_ms = grid.cover(interval, start_ms, end_ms)
        if contract is not None:
            return grid.resample(interval, await self._contract_minutes(symbol, contract, first_ms, stop_ms))
        await self.ready(symbol)
        if interval in INTERVALS_MS:
            minutes = await self._minutes(symbol, first_ms, stop_ms)
            bars = await self._bars(symbol, interval, first_ms, stop_ms)
            return grid.resample(interval, _split(symbol, laid_over([minutes, *bars]), adjusted_to))
        days = _split(symbol, await self.days(symbol, grid, first_ms, stop_ms), adjusted_to)
        found = days if interval == Interval.ONE_DAY else grid.resample(interval, days)
        # a span that ends with a date ends with that trading day, though the next one may have begun by then
        return found.between(first_ms, end_ms) if _is_midnight(end_ms) else found

    async def _bars(self, symbol: str, interval: Interval, start_ms: int, end_ms: int) -> list[Candles]:
        """Bars that were imported and that candles of an interval can be made of."""
        if interval == Interval.ONE_MINUTE:
            return []
        try:
            bars = await self._state.read(lambda: self._state.reader.bars(symbol, start_ms, end_ms))
        except HistoryError:
            if not self._remembers(symbol, start_ms):
                raise
            return []  # memory has every minute of the span, which a bar would only repeat
        return self._state.grid(symbol).fitting(interval, bars)

    async def earliest_ms(
        self, symbol: str, interval: Interval, contract: Contract | None = None
    ) -> int | None:
        """Where the oldest candle begins, None where there is none.

        Of a store that cannot be read it is what memory has: that is answered on.
        """
        await self._forgotten()
        await self.ready(symbol)
        first = self._earliest_remembered_ms(symbol, interval, contract)
        try:
            stored = await self._earliest_stored_ms(symbol, interval, contract)
        except HistoryError:
            if first is None:
                raise
            return first
        return min((found for found in (first, stored) if found is not None), default=None)

    async def _earliest_stored_ms(
        self, symbol: str, interval: Interval, contract: Contract | None
    ) -> int | None:
        if contract is not None:
            covered = await self._state.read(lambda: self._state.reader.coverage(symbol, contract[0]))
            return covered and covered[0]
        if interval in INTERVALS_MS:
            return await self._state.read(lambda: self._state.reader.earliest_ms(symbol))
        day = await self._state.read(lambda: self._state.reader.first_day(symbol))
        return None if day is None else self._state.grid(symbol).day(day).open_ms

    def ends_ms(self, symbol: str, interval: Interval, time_ms: int) -> int:
        """When the candle that begins at an instant is final."""
        return self._state.grid(symbol).bounds(interval, time_ms)[1]

    def _remembers(self, symbol: str, start_ms: int) -> bool:
        """Whether memory has all minutes of an underlying from an instant on."""
        recorder = self._state.recorder
        return (
            recorder is not None
            and symbol in recorder.row_of
            and start_ms >= recorder.running.recent.begins_ms
        )

    def _earliest_remembered_ms(
        self, symbol: str, interval: Interval, contract: Contract | None
    ) -> int | None:
        recorder = self._state.recorder
        if recorder is None or symbol not in recorder.row_of:
            return None
        if contract is not None:
            return min((minute.start_ms for minute in recorder.unwritten()), default=None)
        if interval not in INTERVALS_MS:
            candles = recorder.days(symbol)
        else:
            begins_ms = recorder.running.recent.begins_ms
            candles = Candles.merge(
                [recorder.waiting(symbol), recorder.minutes(symbol, begins_ms, LATEST_MS)]
            )
        return int(candles.time_ms[0]) if len(candles) else None

    async def finest_width_ms(self, symbol: str, start_ms: int, end_ms: int) -> int | None:
        """The width of the narrowest candles kept in [start, end), None where there are none."""
        grid = self._state.grid(symbol)
        days = grid.day_at(start_ms).day, grid.day_at(max(start_ms, end_ms - 1)).day
        recorder = (
            self._state.recorder if self._state.recorder and symbol in self._state.recorder.row_of else None
        )
        first_ms = start_ms - start_ms % MINUTE_MS
        if recorder is not None and (
            first_ms >= recorder.running.recent.begins_ms or len(recorder.minutes(symbol, first_ms, end_ms))
        ):
            return MINUTE_MS
        return await self._state.read(
            lambda: self._state.reader.finest_width_ms(symbol, start_ms, end_ms, days)
        )

    async def page(
        self,
        symbol: str,
        interval: Interval,
        span: tuple[int, int],
        page: Page,
        contract: Contract | None = None,
        *,
        adjusted_to: date | None = None,
    ) -> tuple[Candles, int]:
        """One page of the candles in [start, end), ascending, and how many there are in all."""
        candles = await self.candles(symbol, interval, *span, contract, adjusted_to=adjusted_to)
        first, stop = (page.number - 1) * page.size, page.number * page.size
        if page.from_end:
            first, stop = (max(0, len(candles) - place) for place in (stop, first))
        return candles.take(slice(first, stop)), len(candles)

    async def day(self, symbol: str, now_ms: int) -> tuple[Candle | None, Candle | None]:
        """The trading day at an instant and the one before it that has a candle."""
        await self._forgotten()
        await self.ready(symbol)
        grid = self._state.grid(symbol)
        today = grid.day_at(now_ms)
        start_ms = today.start_ms - 14 * 86_400_000  # longer than any closure of an exchange
        try:
            days = await self.days(symbol, grid, start_ms, today.end_ms)
        except HistoryError:
            if self._state.recorder is None or symbol not in self._state.recorder.row_of:
                raise
            days = self._state.recorder.days(symbol)
        days = _split(symbol, days, today.day)
        current = days.between(today.open_ms, today.open_ms + 1)
        before = days.between(start_ms, today.open_ms)
        return (
            current.candle(0) if len(current) else None,
            before.candle(len(before) - 1) if len(before) else None,
        )

    async def chain_at(self, symbol: str, expiry: date, at_ms: int) -> StoredChain | None:
        """The chain as it stood at an instant: its newest record that was complete by then."""
        waiting = self._state.recorder.unwritten()[:-1] if self._state.recorder else []
        complete = (minute for minute in reversed(waiting) if minute.as_of_ms <= at_ms)
        remembered = (chain_of_minute(minute, symbol, expiry) for minute in complete)
        newest = next((chain for chain in remembered if chain is not None), None)
        try:
            stored = await self._state.read(lambda: self._state.reader.chain_at(symbol, expiry, at_ms))
        except HistoryError:
            if newest is None:
                raise
            return newest  # what is stored is older than what waits to be
        if newest is None or (stored is not None and stored.as_of_ms[-1] >= newest.as_of_ms[-1]):
            return stored
        return newest

    async def coverage(self, symbol: str, expiry: date) -> tuple[int, int] | None:
        """First and last instant at which a chain is recorded, None where nothing is."""
        return await self._state.read(lambda: self._state.reader.coverage(symbol, expiry))

    async def metrics(
        self, symbol: str, expiry: date, start_ms: int, end_ms: int, interval: Interval = Interval.ONE_MINUTE
    ) -> dict[str, FloatArray]:
        """Series of a chain's ``METRICS`` with their ``minute_ms``: the last value in each interval."""
        series = await self._state.read(lambda: self._state.reader.metrics(symbol, expiry, start_ms, end_ms))
        times = series["minute_ms"].astype(np.int64)
        return lasts_of(series, self._state.grid(symbol).labels(interval, times))

    async def open_interest(
        self,
        symbol: str,
        expiry: date,
        strikes: Sequence[float] | None,
        start_ms: int,
        end_ms: int,
        interval: Interval = Interval.ONE_MINUTE,
    ) -> OpenInterestSeries:
        """Open interest per strike at the end of each interval; ``strikes=None`` means all that were listed.

        ``minute_ms`` of the answer is the first minute of each interval.
        """
        chains = await self._chains(symbol, expiry, start_ms, end_ms, strikes)
        listed = np.unique(np.concatenate([chain.strikes for chain in chains] or [np.empty(0)]))
        chosen = listed if strikes is None else np.array(sorted(strikes), np.float64)
        series = open_interest_series(chains, chosen)
        labels = self._state.grid(symbol).labels(interval, series.minute_ms)
        last = _lasts(labels)
        return OpenInterestSeries(
            labels[last],
            chosen,
            *(
                values[last]
                for values in (series.calls, series.puts, series.call_changes, series.put_changes)
            ),
        )

    async def recorded_expiries(self, symbol: str, first: date) -> list[date]:
        """The expiries from a day on of which anything is recorded, nearest first."""
        waiting = self._state.recorder.unwritten() if self._state.recorder else []
        found = set(await self._state.read(lambda: self._state.reader.expiries(symbol, first)))
        for minute in waiting[:-1]:
            if symbol in minute.universe.row_of:
                found |= {listing.expiry.day for listing in minute.universe.chains(symbol)}
        return sorted(day for day in found if day >= first)

    async def chain_sources(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> tuple[str, ...]:
        """Where the records of a chain come from, each once."""
        codes = await self._state.read(
            lambda: self._state.reader.chain_sources(symbol, expiry, start_ms, end_ms)
        )
        return tuple(SOURCES[code] for code in sorted(codes))

    def day_start_ms(self, symbol: str, at_ms: int) -> int:
        """When the trading day of an instant began."""
        return self._state.grid(symbol).day_at(at_ms).start_ms

    async def _forgotten(self) -> None:
        """Wait until nothing after a rewind is left: a clock that was set back has no future to show."""
        if self._state.forgetting is not None and not self._state.forgetting.is_set():
            await asyncio.get_running_loop().run_in_executor(None, self._state.forgetting.wait, PATIENCE_S)

    async def _minutes(self, symbol: str, start_ms: int, end_ms: int) -> Candles:
        """One-minute candles of an underlying: what is stored, then what memory knows better."""
        recorder = (
            self._state.recorder if self._state.recorder and symbol in self._state.recorder.row_of else None
        )
        if recorder is None:
            return await self._state.read(lambda: self._state.reader.minutes(symbol, start_ms, end_ms))
        older: list[Candles] = []
        if start_ms < recorder.running.recent.begins_ms:
            waiting = recorder.waiting(symbol).between(start_ms, end_ms)
            stored = await self._state.read(lambda: self._state.reader.minutes(symbol, start_ms, end_ms))
            older = [stored, waiting]
        return Candles.merge([*older, recorder.minutes(symbol, start_ms, end_ms)])

    async def days(self, symbol: str, grid: SessionGrid, start_ms: int, end_ms: int) -> Candles:
        """Daily candles of the trading days in [start, end), today's as it stands."""
        first, last = grid.day_at(start_ms), grid.day_at(max(end_ms - 1, start_ms))
        recorder = (
            self._state.recorder if self._state.recorder and symbol in self._state.recorder.row_of else None
        )
        remembered = recorder.days(symbol) if recorder else Candles.empty()
        try:
            stored, _ = await self._state.read(
                lambda: self._state.reader.days(
                    symbol, first.day, last.day, lambda day: grid.day(day).open_ms
                )
            )
        except HistoryError:
            if not len(remembered) or first.open_ms < remembered.time_ms[0]:
                raise
            stored = Candles.empty()
        return Candles.merge([stored, remembered]).between(first.open_ms, last.open_ms + 1)

    async def _chains(
        self, symbol: str, expiry: date, start_ms: int, end_ms: int, strikes: Sequence[float] | None
    ) -> list[StoredChain]:
        """A chain's records of minutes in [start, end): stored, waiting to be stored, being formed."""
        recorder = self._state.recorder
        # before the query: what is written meanwhile is then found twice, and not never
        minutes = recorder.unwritten() if recorder else []
        chains = await self._state.read(
            lambda: self._state.reader.chain(symbol, expiry, start_ms, end_ms, strikes)
        )
        stored_ms = max((int(chain.minute_ms[-1]) for chain in chains), default=-1)
        newer = [minute for minute in minutes if max(start_ms, stored_ms + 1) <= minute.start_ms < end_ms]
        found = [chain_of_minute(minute, symbol, expiry) for minute in newer]
        return chains + [chain for chain in found if chain is not None]

    async def _contract_minutes(self, symbol: str, contract: Contract, start_ms: int, end_ms: int) -> Candles:
        expiry, strike, is_call = contract
        chains = await self._chains(symbol, expiry, start_ms, end_ms, [strike])
        return Candles.merge([chain.candles(strike, is_call) for chain in chains])


def _is_midnight(at_ms: int) -> bool:
    return to_datetime(at_ms).astimezone(IST).time() == time()


def lasts_of(series: Mapping[str, FloatArray], labels: IntArray) -> dict[str, FloatArray]:
    """The last value of each run of equal ``labels`` : (n,), which become ``minute_ms``."""
    last = _lasts(labels)
    found = {name: values[last] for name, values in series.items()}
    return {**found, "minute_ms": labels[last].astype(np.float64)}


def _lasts(labels: IntArray) -> NDArray[np.intp]:
    """Places of the last of each run of equal labels."""
    return np.flatnonzero(np.append(labels[1:] != labels[:-1], True)) if len(labels) else np.empty(0, np.intp)
