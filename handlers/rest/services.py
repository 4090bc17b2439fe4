"""What the handlers work on: the parts that ``server.py`` built, and the views they share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from weakref import WeakSet

from domain.instants import to_datetime, to_ms
from domain.intervals import Interval
from domain.streams import StreamName
from feed.history.history import ClosedCandle, History, HistoryError
from feed.history.session_figures import volatility_series
from feed.market.clock import Clock, VirtualClock
from feed.market.guard import Guard
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.ticker import Ticker
from feed.market.universe import Listing
from feed.reference.calendar import Calendar, Phase
from feed.replay.control import ReplayControl
from feed.simulation.source import SimulatedSource
from feed.valuation.chain import Chain, value_chain
from feed.valuation.dashboard import Dashboard, IvHistory, UnderlyingVolatilities, build_dashboard
from handlers.monitoring.logs import FailureLog
from handlers.monitoring.loop_lag import LoopLag
from handlers.operations.health import Health
from handlers.streams.state import ChainStream, SymbolStream, WholeStream
from schemas.dashboard import dump_dashboard
from schemas.reference import MarketStatusSchema

DEFAULT_EXCHANGE = "NFO"

logger = logging.getLogger(__name__)

_status = MarketStatusSchema()


class PastVolatility:
    """The near month's volatility at the end of past sessions, in memory: nobody waits for a disk."""

    def __init__(self, history: History, market: Market, guard: Guard) -> None:
        self._history = history
        self._market = market
        self._guard = guard
        self._stored: dict[str, dict[date, float]] = {}
        self._reading: asyncio.Task[None] | None = None

    def __call__(self, symbol: str) -> FloatArray:
        """The sessions before the running one, oldest first: (days,)."""
        return volatility_series(self._history.source_volatilities(symbol), self._stored.get(symbol, {}))

    async def follow(self, closed: Iterable[ClosedCandle], now_ms: int, *, wait: bool) -> None:
        """Read again once a session has ended; without ``wait`` in the background."""
        if not any(item.interval == Interval.ONE_DAY for item in closed):
            return
        if wait:
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
                self._stored[symbol] = await self._history.stored_volatilities(symbol, now_ms)
        except HistoryError as error:
            logger.warning("past volatilities could not be read, ranks rest on those known before: %s", error)


class Views:
    """The published states, made once per change and shared by REST and streams."""

    def __init__(self, market: Market, *, depth: int, iv_history: IvHistory) -> None:
        self.market = market
        self._depth = depth
        self._iv_history = iv_history
        self._volatilities = UnderlyingVolatilities(market)
        self._symbols: dict[str, SymbolStream] = {}
        self._chains: dict[tuple[str, Any], ChainStream] = {}
        self._boards: dict[tuple[str, Any], WholeStream] = {}
        self._valued: dict[tuple[str, Any], tuple[tuple[str, int], Chain]] = {}

    def symbol(self, symbol: str) -> SymbolStream:
        """The stream of a symbol, up to date. Raises UnknownSymbol, FeedUnavailable."""
        self.market.quote(symbol)
        stream = self._symbols.get(symbol)
        if stream is None:
            stream = self._symbols[symbol] = SymbolStream(symbol, self.market, self._depth)
        stream.refresh()
        return stream

    def chain(self, listing: Listing) -> ChainStream:
        """The stream of a chain, up to date. Raises FeedUnavailable."""
        self.market.chain_provenance(listing)
        stream = self._chains.get(listing.key)
        if stream is None:
            stream = ChainStream(listing, self.market, self.value, self._depth)
            self._chains[listing.key] = stream
        stream.refresh()
        return stream

    def dashboard(self, listing: Listing) -> WholeStream:
        """The stream of an expiry's dashboard, up to date. Raises FeedUnavailable."""
        self.market.chain_provenance(listing)
        stream = self._boards.get(listing.key)
        if stream is None:
            symbol, day = listing.key
            stream = self._boards[listing.key] = WholeStream(
                StreamName.dashboard(symbol, day),
                self.market,
                {"symbol": symbol, "expiry": day},
                lambda: (self.market.epoch, self.market.chain_seq(self.market.universe.listing(symbol, day))),
                lambda: dump_dashboard(self._build(self.market.universe.listing(symbol, day))),
                listing.key,
            )
        stream.refresh()
        return stream

    def value(self, listing: Listing) -> Chain:
        """The valued chain of a listing, once per change."""
        version = (self.market.epoch, self.market.chain_seq(listing))
        known = self._valued.get(listing.key)
        if known is None or known[0] != version:
            known = self._valued[listing.key] = (version, value_chain(self.market, listing))
        return known[1]

    def forget_unlisted(self) -> None:
        """Drop the views of chains that are listed no more."""
        for views in (self._chains, self._boards, self._valued):
            for key in [key for key in views if self.market.universe.find(key) is None]:
                del views[key]

    def _build(self, listing: Listing) -> Dashboard:
        chain = self.value(listing)
        change = self.market.change_percent(listing.symbol)
        volatility = self._volatilities.of(listing.symbol)
        return build_dashboard(chain, change, volatility, self._iv_history(listing.symbol))


@dataclass(frozen=True, slots=True)
class CachedStatus:
    """The market status of all exchanges, true for instants in [from, until)."""

    key: tuple[str, int]
    from_ms: int
    until_ms: int
    status: dict[str, Any]


async def _tell_nobody() -> None:
    """There are no streams yet."""


@dataclass(slots=True)
class Services:
    """Everything a handler may use."""

    market: Market
    views: Views
    calendar: Calendar
    clock: Clock
    ticker: Ticker
    history: History
    hours: str
    version: str
    api_timeout_s: float
    max_body_bytes: int
    loop_lag: LoopLag
    health: Health
    guard: Guard
    failures: FailureLog = field(default_factory=FailureLog)
    started_s: float = field(default_factory=time.monotonic)
    routes: tuple[tuple[str, str, str], ...] = ()
    replay: ReplayControl | None = None
    simulation: SimulatedSource | None = None
    may_control: bool = False
    socket_statistics: Callable[[], dict[str, Any]] = dict
    notify_feed: Callable[[], Awaitable[None]] = _tell_nobody
    answering: WeakSet[Any] = field(default_factory=WeakSet)  # handlers; one whose client went is collected
    _cached_status: CachedStatus | None = None

    async def settle_history(self) -> None:
        """Under a virtual clock have history complete: what it answers must not depend on real time."""
        if isinstance(self.clock, VirtualClock):
            await self.history.flush()

    def market_status(self, exchanges: list[str] | None = None) -> dict[str, Any]:
        """The phase of the default exchange, and of each one asked for.

        Everybody who connects is told, so the answer about all is kept until something changes.
        """
        feed = self.ticker.state.name
        if exchanges is not None:
            return self._status(exchanges, feed)
        now_ms = self.clock.now_ms()
        cached = self._cached_status
        key = (feed, self.calendar.version)
        if cached is None or cached.key != key or not cached.from_ms <= now_ms < cached.until_ms:
            names = list(self.calendar.exchanges)
            now = to_datetime(now_ms)
            phases = [self.calendar.phase(name, now) for name in names]
            cached = self._cached_status = CachedStatus(
                key=key,
                from_ms=now_ms,
                until_ms=min(to_ms(phase.next_change) for phase in phases),
                status=self._status(names, feed),
            )
        return cached.status

    def _status(self, exchanges: list[str], feed: str) -> dict[str, Any]:
        now = to_datetime(self.clock.now_ms())
        phases = {name: self._phase(self.calendar.phase(name, now), feed) for name in exchanges}
        default = DEFAULT_EXCHANGE if DEFAULT_EXCHANGE in phases else exchanges[0]
        return dict(
            _status.dump(
                {
                    **phases[default],
                    "exchanges": list(phases.values()),
                    "hours": self.hours,
                    "source": self.market.source,
                }
            )
        )

    def _phase(self, phase: Phase, feed: str) -> dict[str, Any]:
        return {
            "exchange": phase.exchange,
            "phase": phase.phase,
            "is_open": phase.is_open,
            "since": phase.since,
            "next_phase": phase.next_phase,
            "next_change": phase.next_change,
            "holiday": phase.holiday,
            "feed": feed,
        }
