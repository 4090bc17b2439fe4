"""What was: a chain, or the figures of an expiry, as they stood at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np

from analytics.volatility_rank import rank_and_percentile
from domain.instants import day_in_india, to_datetime
from feed.history.as_of import value_past_chain
from feed.history.history import History
from feed.history.store.stored_chain import StoredChain
from feed.market.clock import Clock
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.valuation.chain import ValuedStates
from feed.valuation.dashboard import (
    Dashboards,
    UnderlyingFigures,
    UnderlyingVolatility,
    build_dashboards,
)

MOST_SILENT_MINUTES = 30  # of trading: after a longer silence nobody was recording


class InFuture(ValueError):
    """An instant that the market's clock has not reached."""

    def __init__(self, at_ms: int, now_ms: int) -> None:
        super().__init__(f"{to_datetime(at_ms)} lies in the future, it is {to_datetime(now_ms)}")
        self.at_ms, self.now_ms = at_ms, now_ms


class NotRecorded(LookupError):
    """Nothing is recorded of a symbol at an instant; ``covered`` is from where to where something is."""

    def __init__(self, symbol: str, at_ms: int, covered: tuple[int, int] | None) -> None:
        super().__init__(f"Nothing is recorded of {symbol} at {to_datetime(at_ms)}.")
        self.symbol, self.at_ms, self.covered = symbol, at_ms, covered


class PastStates:
    """Values what history has of an instant, with the market's own settings."""

    def __init__(self, history: History, market: Market, calendar: Calendar, clock: Clock) -> None:
        self._history = history
        self._market = market
        self._calendar = calendar
        self._clock = clock

    async def chain(self, symbol: str, expiry: date | None, at_ms: int) -> ValuedStates:
        """A chain as it stood at an instant; without an expiry the nearest one of then.

        Raises InFuture, NotRecorded, UnknownSymbol, HistoryError.
        """
        return self.value(await self._stored(symbol, expiry, at_ms), at_ms)

    async def dashboard(self, symbol: str, expiry: date | None, at_ms: int) -> Dashboards:
        """The figures of an expiry as they stood at an instant; raises as ``chain`` does."""
        stored = await self._stored(symbol, expiry, at_ms)
        valued, heads = self.value(stored, at_ms)
        as_of_ms, history, minute_ms = heads.as_of_ms[0], self._history, int(stored.minute_ms[-1])
        _, before = await history.answers.day(symbol, as_of_ms)
        previous_close = before.close if before is not None else np.nan
        metrics = await history.answers.metrics(symbol, stored.expiry, minute_ms, minute_ms + 1)
        index, near_month = (
            float(metrics[name][-1]) if len(metrics[name]) else np.nan
            for name in ("volatility_index", "near_month_iv")
        )
        past = await history.sessions.atm_iv_history(symbol, before_ms=as_of_ms)
        figures = UnderlyingFigures(
            float(100 * (heads.spot_price[0] / previous_close - 1)),
            UnderlyingVolatility(index, near_month),
            rank_and_percentile(past, near_month),
        )
        return build_dashboards(valued, heads, [figures])

    def value(self, stored: StoredChain, at_ms: int) -> ValuedStates:
        """A recorded chain, valued."""
        market = self._market
        return value_past_chain(
            stored,
            market.universe.underlying(stored.symbol),
            at_ms=at_ms,
            interest_rate=market.interest_rate,
            stale_after_ms=market.stale_after_ms,
        )

    async def _stored(self, symbol: str, expiry: date | None, at_ms: int) -> StoredChain:
        """The newest record of an instant."""
        underlying = self._market.universe.underlying(symbol)
        now_ms = self._clock.now_ms()
        if at_ms > now_ms:
            raise InFuture(at_ms, now_ms)
        await self._history.settle(self._clock)
        day = day_in_india(to_datetime(at_ms))
        expiries = [expiry] if expiry else await self._history.answers.recorded_expiries(symbol, day)
        for day in expiries:
            stored = await self._history.answers.chain_at(symbol, day, at_ms)
            if stored is not None and self._stood(stored, at_ms, underlying.derivatives_exchange):
                return stored
        raise NotRecorded(symbol, at_ms, await self._covered(symbol, expiries))

    def _stood(self, stored: StoredChain, at_ms: int, exchange: str) -> bool:
        """Whether a record is the state of an instant: the chain is listed then, and was being recorded."""
        if stored.expires_at_ms <= at_ms:
            return False
        as_of = to_datetime(int(stored.as_of_ms[-1]))
        silent = self._calendar.trading_minutes(exchange, as_of, to_datetime(at_ms))
        return silent <= MOST_SILENT_MINUTES

    async def _covered(self, symbol: str, expiries: Iterable[date]) -> tuple[int, int] | None:
        """From where to where anything is recorded of some expiries."""
        spans = [await self._history.answers.coverage(symbol, day) for day in expiries]
        known = [span for span in spans if span is not None]
        if not known:
            return None
        return min(first for first, _ in known), max(last for _, last in known)
