"""The views of the SMD front end, which was written for another server: off unless `compat.smd` is set.

That page reads the fields of an answer beside the envelope as often as in its `data`, some of them under
names of its own, asks at routes of its own, and waits for `option_chain_update` and `ohlc_update` once it
follows a symbol. Here are those views, each over what every other client gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import orjson
from marshmallow import fields

from domain.instants import DAY_MS
from domain.intervals import Interval as IntervalName
from domain.market import FeedStateName
from domain.streams import StreamKind, StreamName
from feed.history.answers import Page
from feed.history.history import History, HistoryError
from feed.market.candles import Candle
from feed.market.universe import Listing
from feed.valuation.chain import Chain
from handlers.rest.base import ApiHandler
from handlers.rest.candles import OhlcDataHandler, candle_rows, days_of
from handlers.rest.chains import DashboardHandler, OptionChainHandler
from handlers.rest.quotes import SpotPriceHandler
from handlers.rest.reference import ExpiriesHandler, SymbolsHandler
from handlers.rest.system import MarketStatusHandler
from handlers.streams.rooms import FullChainRoom, Subscription, WholeRoom
from handlers.streams.state import WHOLE_CHAIN, WholeStream
from handlers.streams.targets import StreamTarget
from handlers.streams.views import Views
from handlers.transport.frames import Packet
from schemas.chains import dump_provenance
from schemas.reference import DaysSchema
from schemas.requests.events import ExpiryChoice
from schemas.requests.fields import MAX_PAGE_ROWS, Day, Interval, Moment, Request, Symbol

GREEKS = ("iv", "delta", "gamma", "theta", "vega", "rho")
_days = DaysSchema()


@dataclass(frozen=True, slots=True)
class ChainOf:
    """An expiry, by default the nearest, of a symbol, or of the index it was chosen in."""

    expiry: date | None
    symbol: str | None = None
    index: str | None = None


class ExpiryQuery(Request[ChainOf]):
    """What the page asks of a chain whose symbol is in the path."""

    makes = ChainOf
    expiry = Day(load_default=None)


class CustomChainQuery(ExpiryQuery):
    """A chain of a symbol, or of the index it was chosen in."""

    index = Symbol(load_default=None)
    symbol = Symbol(load_default=None)


class GreeksQuery(Request[ExpiryChoice]):
    """Greeks of a chain."""

    makes = ExpiryChoice
    expiry = Day(load_default=None)
    symbol = Symbol(required=True)


@dataclass(frozen=True, slots=True)
class CandleSpan:
    """Candles from the first instant to the end of the day of the last, in milliseconds."""

    start: int
    end: int
    interval: IntervalName
    symbol: str | None = None


class CandlesQuery(Request[CandleSpan]):
    """Candles of a span; both ends are days that belong to it."""

    makes = CandleSpan
    symbol = fields.String(load_default=None)
    start = Moment(data_key="from", required=True)
    end = Moment(data_key="to", required=True)
    interval = Interval(load_default=IntervalName.ONE_DAY)


def max_gain(chain: Chain) -> float | None:
    """The strike at which holders of all open options get most, the opposite of max pain."""
    curve = chain.pain.curve
    return float(chain.strikes[np.nanargmax(curve)]) if np.isfinite(curve).any() else None


class Flat(ApiHandler):
    """An answer whose fields stand beside the envelope's too, and under the page's names."""

    def reply(self, data: Any, **options: Any) -> None:
        """Answer with the envelope and the fields; a field never hides one of the envelope."""
        self._flat = {**data, **self.names_of(data)} if isinstance(data, dict) else {}
        super().reply(data, **options)

    def reply_shared(self, data: bytes, *, meta: dict[str, Any], version: tuple[str, int], **_: Any) -> None:
        """Answer with what others get as bytes."""
        self.reply(orjson.loads(data), meta=meta, version=version)

    def names_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """Fields under the page's names."""
        return {}

    def _envelope(self, message: str, meta: dict[str, Any] | None) -> tuple[bytes, bytes]:
        before, after = super()._envelope(message, meta)
        taken = {"success", "message", "timestamp", "data", "meta"}
        beside = {name: value for name, value in self._flat.items() if name not in taken}
        return (before, after) if not beside else (before, after[:-1] + b"," + orjson.dumps(beside)[1:])


class SmdSpotPriceHandler(Flat, SpotPriceHandler):
    """``/api/spot_price/{symbol}``."""

    def names_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """The price has two names there."""
        return {"price": data["spot_price"]}


class SmdMarketStatusHandler(Flat, MarketStatusHandler):
    """``/api/market_status``."""

    def names_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """The names of the page."""
        return {"isOpen": data["is_open"], "nextChange": data["next_change"]}


class SmdDashboardHandler(Flat, DashboardHandler):
    """``/api/dashboard_data``: its walls of the day are this expiry's, those of the week the next one's."""

    def names_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """The names of the page; strikes that it shows as texts are texts."""
        curve = [row for row in data["max_pain_curve"] if row["payout"] is not None]
        later = self._next_expiry(data)
        gain = max(curve, key=lambda row: row["payout"])["strike_price"] if curve else None
        return {
            "totalCEOI": data["total_ce_oi"],
            "totalPEOI": data["total_pe_oi"],
            "totalCEVolume": data["total_ce_volume"],
            "totalPEVolume": data["total_pe_volume"],
            "pcr": data["pcr_oi"],
            "atmStrike": data["atm_strike"],
            "maxPain": data["max_pain"],
            "maxGain": gain,
            "max_gain": gain,
            "highRallyStrike": _text(_first_strike(data["resistance"])),
            "highBearDipStrike": _text(_first_strike(data["support"])),
            "dailySupport": _first_strike(data["support"]),
            "dailyResistance": _first_strike(data["resistance"]),
            "weeklySupport": _first_strike(later["support"]),
            "weeklyResistance": _first_strike(later["resistance"]),
        }

    def _next_expiry(self, data: dict[str, Any]) -> dict[str, Any]:
        listings = self.services.market.universe.chains(data["symbol"])
        later = [listing for listing in listings if listing.expiry.day.isoformat() > str(data["expiry"])]
        if not later:
            return data
        found: dict[str, Any] = self.services.views.dashboard(later[0]).values
        return found


class SmdChainHandler(Flat, OptionChainHandler):
    """A chain with the strike of the largest pay-out, which that page has beside max pain."""

    def answer_chain(self, symbol: str, query: ChainOf) -> None:
        """Answer with the whole chain of an expiry, by default the nearest."""
        listing = self.services.market.universe.listing(symbol, query.expiry)
        stream = self.services.views.chain(listing)
        data = orjson.loads(stream.whole())
        data["max_gain"] = max_gain(self.services.views.value(listing))
        meta = {"symbol": listing.symbol, "expiry": listing.expiry.day}
        self.reply(data, meta=meta, version=(stream.epoch, stream.seq))


class SmdRealChainHandler(SmdChainHandler):
    """``/api/real-data/option-chain/{symbol}``."""

    async def get(self, symbol: str) -> None:  # type: ignore[override]
        """Answer with the chain."""
        self.answer_chain(self.symbol_of(symbol), self.arguments_of(ExpiryQuery))


class SmdCustomChainHandler(SmdChainHandler):
    """``/api/custom_option_chain``."""

    async def get(self) -> None:
        """Answer with the chain of the symbol, or of the index where none was chosen."""
        query = self.arguments_of(CustomChainQuery)
        symbol = query.symbol or query.index
        self.answer_chain("NIFTY" if symbol is None else symbol, query)


class SmdGreeksHandler(Flat):
    """``/api/greeks_data``."""

    def get(self) -> None:
        """Answer with volatility and Greeks of each strike."""
        query = self.arguments_of(GreeksQuery)
        listing = self.services.market.universe.listing(query.symbol, query.expiry)
        stream = self.services.views.chain(listing)
        chain = orjson.loads(stream.whole())
        names = ["strike_price", *(f"{side}_{name}" for side in ("ce", "pe") for name in GREEKS)]
        data = {
            "symbol": chain["symbol"],
            "expiry": chain["expiry"],
            "spot_price": chain["spot_price"],
            "greeks": [{name: row[name] for name in names} for row in chain["option_chain"]],
        }
        self.reply(data, meta={"symbol": listing.symbol}, version=(stream.epoch, stream.seq))


class SmdOhlcHandler(Flat, OhlcDataHandler):
    """``/api/ohlc_data/{symbol}``: both days; with a span the candles of it as a plain list."""

    async def get(self, symbol: str) -> None:
        """Answer with the days, or with candles."""
        if not self.request.query_arguments:
            await super().get(symbol)
            return
        name, query = self.symbol_of(symbol), self.arguments_of(CandlesQuery)
        self.services.market.universe.underlying(name)
        end_ms = query.end + DAY_MS
        span = (min(query.start, end_ms), end_ms)
        page = self.services.history.answers.page(
            name, query.interval, span, Page(1, MAX_PAGE_ROWS, from_end=True), adjusted_to=self.today()
        )
        candles, _ = await self.within_time(page)
        self.reply(candle_rows(candles), meta={"symbol": name})


class SmdStatusHandler(Flat):
    """``/api/status`` and ``/api/ping``: whether there is anybody."""

    def get(self) -> None:
        """Answer with the verdict."""
        self.no_arguments()
        self.reply({"status": self.services.health.report().status, "pong": True})


class SmdConnectionHandler(Flat):
    """``/api/real-data/test-connection`` and ``POST /api/websocket/test``: what stands behind the data."""

    methods = ("GET", "HEAD", "POST", "OPTIONS")

    def get(self) -> None:
        """Answer with the feed's state and the sockets there are."""
        state = self.services.ticker.state
        self.reply(
            {
                "connected": state.name
                in (FeedStateName.LIVE, FeedStateName.DEGRADED, FeedStateName.MARKET_CLOSED),
                "source": self.services.market.source,
                "feed": state.name,
                "connections": self.services.socket_statistics()["connections"],
            }
        )

    def post(self) -> None:
        """The page posts nothing and wants an answer."""
        self.get()


def smd_routes(symbol: str) -> tuple[tuple[str, type[ApiHandler]], ...]:
    """Patterns with their handlers, to be tried before the ordinary ones; ``symbol`` is the part for one."""
    return (
        ("/api/real-data/all-symbols", SymbolsHandler),
        (f"/api/real-data/expiries/{symbol}", ExpiriesHandler),
        (f"/api/real-data/option-chain/{symbol}", SmdRealChainHandler),
        ("/api/real-data/test-connection", SmdConnectionHandler),
        ("/api/custom_option_chain", SmdCustomChainHandler),
        (f"/api/underlying_ohlc/{symbol}", SmdOhlcHandler),
        (f"/api/ohlc_data/{symbol}", SmdOhlcHandler),
        (f"/api/spot_price/{symbol}", SmdSpotPriceHandler),
        ("/api/dashboard_data", SmdDashboardHandler),
        ("/api/market[-_]status", SmdMarketStatusHandler),
        ("/api/greeks_data", SmdGreeksHandler),
        ("/api/(?:status|ping)", SmdStatusHandler),
        ("/api/websocket/test", SmdConnectionHandler),
    )


class SmdChainRoom(FullChainRoom):
    """The nearest chain for that page: every state under one name, with the strike of the largest pay-out."""

    mode = "smd"

    def __init__(self, views: Views, listing: Listing, every: int) -> None:
        super().__init__(views.chain(listing), WHOLE_CHAIN, every)
        self._views = views

    def over(self, stream: Any) -> SmdChainRoom:
        """A room of the same kind over the next expiry."""
        return SmdChainRoom(self._views, self._listing_of(stream), self.every)

    def _listing_of(self, stream: Any) -> Listing:
        return self._views.market.universe.listing(*stream.listing_key)

    def snapshot(self, reason: str | None = None) -> Packet:
        """The whole state, as every other."""
        return self.merged(self.stream.seq)

    def merged(self, since: int) -> Packet:
        """The whole state."""
        gain = max_gain(self._views.value(self._listing_of(self.stream)))
        body = self.stream.whole()[:-1] + b',"max_gain":' + orjson.dumps(gain) + b"}"
        return Packet("option_chain_update", body)


class SmdStreams:
    """What ``subscribe_symbol`` brings that page besides quotes: the nearest chain and the day's prices."""

    def __init__(self, views: Views, history: History, every: int, patience_s: float) -> None:
        self._views = views
        self._history = history
        self._every = every
        self._patience_s = patience_s
        self._previous: dict[str, Candle] = {}
        self._days: dict[str, WholeStream] = {}

    async def targets(self, symbols: Iterable[str]) -> list[StreamTarget]:
        """A chain and the days of each symbol."""
        found = []
        for symbol in symbols:
            listing = self._views.market.universe.listing(symbol, None)
            await self._read_previous(symbol)
            found.append(self._chain(listing))
            found.append(StreamTarget(StreamName(StreamKind.DAYS, symbol), partial(self._room, symbol)))
        return found

    def names(self, symbol: str, followed: Mapping[StreamName, Subscription]) -> list[StreamName]:
        """Which of the streams that a client follows it got with a symbol; a chain of its own stays."""
        return [
            name
            for name, item in followed.items()
            if name == StreamName(StreamKind.DAYS, symbol)
            or (isinstance(item.room, SmdChainRoom) and item.room.stream.symbol == symbol)
        ]

    def _chain(self, listing: Listing) -> StreamTarget:
        name = StreamName.chain(*listing.key)
        return StreamTarget(name, lambda: SmdChainRoom(self._views, listing, self._every), rolls=True)

    def _room(self, symbol: str) -> WholeRoom:
        stream = self._days.get(symbol)
        if stream is None:
            market = self._views.market
            stream = self._days[symbol] = WholeStream(
                StreamName(StreamKind.DAYS, symbol),
                market,
                {"symbol": symbol},
                lambda: (market.epoch, market.symbol_seq(symbol)),
                lambda: self._read(symbol),
            )
        stream.refresh()
        return WholeRoom(stream, "ohlc_update", self._every)

    def _read(self, symbol: str) -> dict[str, Any]:
        quote = self._views.market.quote(symbol)
        known = self._previous.get(symbol)
        # of another day than the one that changes are counted from only its close would be right
        previous = known if known is not None and known.close == quote.previous_close else None
        days = _days.dump(days_of(symbol, quote, None, previous))
        return {**days, **dump_provenance(quote.provenance)}

    async def _read_previous(self, symbol: str) -> None:
        """Know the day before; without it only its close is told, and the rest is streamed all the same."""
        work = self._history.answers.day(symbol, self._views.clock.now_ms())
        with suppress(HistoryError, TimeoutError):
            _, previous = await asyncio.wait_for(work, self._patience_s)
            if previous is not None:
                self._previous[symbol] = previous


def _first_strike(walls: list[dict[str, Any]]) -> float | None:
    return walls[0]["strike_price"] if walls else None


def _text(strike: float | None) -> str | None:
    return None if strike is None else f"{strike:g}"
