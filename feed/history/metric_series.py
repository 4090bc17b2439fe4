"""Series of a chain's figures through time: which expiry, span and strikes are meant, and their values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from domain.intervals import INTERVALS_MS, Interval
from feed.history.history import History
from feed.history.open_interest import OpenInterestSeries
from feed.history.past_states import PastStates
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.universe import Listing
from feed.reference.instruments import UnknownExpiry
from feed.valuation.chain import Chain

EACH_SIDE = 10  # strikes on each side of the money where none are named


class MetricSeries:
    """Reads the series of one market; ``value`` gives the chain of a listing as it is now."""

    def __init__(
        self,
        history: History,
        market: Market,
        clock: Clock,
        past: PastStates,
        value: Callable[[Listing], Chain],
    ) -> None:
        self._history = history
        self._market = market
        self._clock = clock
        self._past = past
        self._value = value

    def span(self, symbol: str, start_ms: int | None, end_ms: int | None) -> tuple[int, int]:
        """First instant and end; of the trading day in course where none is named. Raises UnknownSymbol."""
        self._market.universe.underlying(symbol)
        end_ms = self._clock.now_ms() + 1 if end_ms is None else end_ms
        if start_ms is not None:
            return start_ms, max(end_ms, start_ms)
        return self._history.answers.day_start_ms(symbol, end_ms - 1), end_ms

    async def expiry(self, symbol: str, expiry: date | None) -> date:
        """The expiry meant, listed or recorded; the nearest listed without one. Raises UnknownExpiry."""
        await self._history.settle(self._clock)
        universe = self._market.universe
        if expiry is None or universe.find((symbol, expiry)) is not None:
            return universe.listing(symbol, expiry).expiry.day
        if await self._history.answers.coverage(symbol, expiry) is None:
            listed = tuple(listing.expiry.day for listing in universe.chains(symbol))
            raise UnknownExpiry(symbol, expiry, listed)
        return expiry

    async def metrics(
        self, symbol: str, day: date, span: tuple[int, int], interval: Interval
    ) -> tuple[dict[str, FloatArray], str]:
        """The figures of an expiry, and where they come from."""
        history = self._history
        if interval in INTERVALS_MS:
            series = await history.answers.metrics(symbol, day, *span, interval)
            return series, await self._sources(symbol, day, span)
        series, daily = await history.sessions.daily_metrics(symbol, day, *span, interval)
        return series, await self._sources(symbol, day, span, daily)

    async def open_interest(
        self,
        symbol: str,
        day: date,
        span: tuple[int, int],
        interval: Interval,
        choice: int | list[float] | None,
    ) -> tuple[OpenInterestSeries, str]:
        """Open interest of some strikes, and where it comes from; ``choice`` names them or counts them.

        Raises UnknownContract.
        """
        strikes = await self._strikes(symbol, day, choice, span[1])
        series = await self._history.answers.open_interest(symbol, day, strikes, *span, interval)
        return series, await self._sources(symbol, day, span)

    async def _sources(
        self, symbol: str, day: date, span: tuple[int, int], others: tuple[str, ...] = ()
    ) -> str:
        """The sources of a chain's records, each once; the market's own where there are none."""
        recorded = await self._history.answers.chain_sources(symbol, day, *span)
        return ", ".join(dict.fromkeys((*recorded, *others))) or self._market.source

    async def _strikes(
        self, symbol: str, day: date, choice: int | list[float] | None, end_ms: int
    ) -> list[float]:
        """The strikes meant, of the listing or else of the last record."""
        listing = self._market.universe.find((symbol, day))
        if listing is not None:
            chain = self._value(listing)
            strikes, money = chain.strikes, chain.atm_index
        else:
            stored = await self._history.answers.chain_at(symbol, day, end_ms)
            if stored is None:
                return []
            valued, _ = self._past.value(stored, end_ms)
            strikes, money = valued.strikes, int(valued.atm_index[0])
        if isinstance(choice, list):
            if listing is not None:
                for strike in choice:
                    listing.strike_index(strike)
            return choice
        money, count = max(0, money), choice or EACH_SIDE
        window: list[float] = strikes[max(0, money - count) : money + count + 1].tolist()
        return window
