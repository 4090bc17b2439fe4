"""Past volatilities in memory: what a rank of today's stands among."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from domain.intervals import Interval
from feed.history.history import History
from feed.history.session_figures import NONE_KNOWN, volatility_series
from feed.history.store.problems import HistoryError
from feed.market.candles import ClosedCandle
from feed.market.clock import Clock
from feed.market.guard import Guard
from feed.market.market import Market
from feed.market.source import FloatArray

logger = logging.getLogger(__name__)


class Volatilities(Protocol):
    """What is known of volatilities past, as a step of the market needs it."""

    def __call__(self, symbol: str) -> FloatArray:
        """The sessions before the running one, oldest first: (days,)."""
        ...

    async def follow(self, closed: Iterable[ClosedCandle], now_ms: int) -> None:
        """Take note of candles that are final."""
        ...

    async def read(self, now_ms: int) -> None:
        """Read what is stored of every symbol."""
        ...


class VolatilityHistory:
    """The near month's volatility at the end of past sessions, in memory: nobody waits for a disk."""

    def __init__(self, history: History, market: Market, clock: Clock, guard: Guard) -> None:
        self._history = history
        self._market = market
        self._clock = clock
        self._guard = guard
        self._stored: dict[str, dict[date, float]] = {}
        self._series: dict[str, tuple[Mapping[date, float], Mapping[date, float], FloatArray]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.version = 0  # grows with each reading

    def __call__(self, symbol: str) -> FloatArray:
        """The sessions before the running one, oldest first: (days,)."""
        told, stored = self._history.sessions.source_volatilities(symbol), self.stored(symbol)
        known = self._series.get(symbol)
        if known is None or known[0] is not told or known[1] is not stored:
            known = self._series[symbol] = told, stored, volatility_series(told, stored)
        return known[2]

    def stored(self, symbol: str) -> Mapping[date, float]:
        """Those of sessions that were recorded, by day, as of the latest reading."""
        return self._stored.get(symbol, NONE_KNOWN)

    async def follow(self, closed: Iterable[ClosedCandle], now_ms: int) -> None:
        """Read again once a session has ended; in the background, unless the clock is one that can wait."""
        if not any(item.interval == Interval.ONE_DAY for item in closed):
            return
        if self._clock.virtual is not None:
            await self._read_guarded(now_ms)
        elif self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_guarded(now_ms))

    async def _read_guarded(self, now_ms: int) -> None:
        with self._guard.part("past_volatility"):
            await self.read(now_ms)

    async def read(self, now_ms: int) -> None:
        """Read what is stored of every symbol."""
        try:
            await self._history.flush()
            for symbol in self._market.universe.row_of:
                self._stored[symbol] = await self._history.sessions.stored_volatilities(symbol, now_ms)
            self.version += 1
        except HistoryError as error:
            logger.warning("past volatilities could not be read, ranks rest on those known before: %s", error)
