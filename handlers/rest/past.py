"""What was: a chain or a dashboard at an instant, and series of their figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import orjson
from marshmallow import ValidationError

from domain.errors import ErrorCode
from domain.instants import IST, to_datetime
from domain.intervals import INTERVALS_MS, Interval
from feed.history.as_of import PAST_EPOCH, value_past_chain
from feed.history.store.stored_chain import StoredChain
from feed.market.source import FloatArray
from feed.reference.instruments import UnknownExpiry
from feed.valuation.chain import Chain
from feed.valuation.dashboard import Dashboard, UnderlyingVolatility, build_dashboard
from handlers.access.errors import ApiError
from handlers.access.rate_limit import HEAVY
from handlers.rest.base import ApiHandler
from handlers.rest.reference import pagination, strike_index
from handlers.rest.services import Services
from handlers.transport.frames import encode
from schemas.chains import ROW_COLUMNS, chain_table, dump_header
from schemas.columns import rows
from schemas.dashboard import dump_dashboard
from schemas.past import (
    EACH_SIDE,
    MOST_OI_SPAN,
    MOST_SERIES_SPAN,
    DashboardHistoryRequest,
    OpenInterestHistoryRequest,
    check_length,
    dump_open_interest,
    dump_points,
)
from schemas.wire import timestamp

MOST_SILENT_MINUTES = 30  # of trading: after a longer silence nobody was recording


async def past_chain(
    services: Services, symbol: str, expiry: date | None, at_ms: int
) -> tuple[StoredChain, Chain]:
    """A chain as it stood at an instant; without an expiry the nearest one of then.

    Raises ApiError NOT_FOUND with the span that is recorded, UnknownSymbol, ValidationError.
    """
    underlying = services.market.universe.underlying(symbol)
    if at_ms > services.clock.now_ms():
        requested, now = (timestamp(instant_ms) for instant_ms in (at_ms, services.clock.now_ms()))
        raise ValidationError({"at": [f"must not lie in the future, was {requested} and it is {now}"]})
    await services.settle_history()
    expiries = [expiry] if expiry else await _expiries_of(services, symbol, at_ms)
    for day in expiries:
        stored = await services.history.chain_at(symbol, day, at_ms)
        if stored is not None and _stood(services, stored, at_ms, underlying.derivatives_exchange):
            return stored, past_value(services, stored, at_ms)
    raise await _not_recorded(services, symbol, expiries, at_ms)


def past_value(services: Services, stored: StoredChain, at_ms: int) -> Chain:
    """A recorded chain, valued with the market's settings."""
    market = services.market
    return value_past_chain(
        stored,
        market.universe.underlying(stored.symbol),
        at_ms=at_ms,
        interest_rate=market.interest_rate,
        stale_after_ms=market.stale_after_ms,
    )


async def _expiries_of(services: Services, symbol: str, at_ms: int) -> list[date]:
    day = to_datetime(at_ms).astimezone(IST).date()
    return await services.history.recorded_expiries(symbol, day)


def _stood(services: Services, stored: StoredChain, at_ms: int, exchange: str) -> bool:
    """Whether a record is the state of an instant: the chain is listed then, and it was being recorded."""
    if stored.expires_at_ms <= at_ms:
        return False
    as_of = to_datetime(int(stored.as_of_ms[-1]))
    return services.calendar.trading_minutes(exchange, as_of, to_datetime(at_ms)) <= MOST_SILENT_MINUTES


async def _not_recorded(services: Services, symbol: str, expiries: Iterable[date], at_ms: int) -> ApiError:
    """A refusal that says what is recorded."""
    spans = [await services.history.coverage(symbol, day) for day in expiries]
    known = [span for span in spans if span is not None]
    message = f"Nothing is recorded of {symbol} at {timestamp(at_ms)}"
    if not known:
        return ApiError(ErrorCode.NOT_FOUND, f"{message}.", {"covered": None})
    start, end = timestamp(min(first for first, _ in known)), timestamp(max(last for _, last in known))
    message = f"{message}; what is recorded begins {start} and ends {end}, and may have gaps."
    return ApiError(ErrorCode.NOT_FOUND, message, {"covered": {"from": start, "to": end}})


def encode_chain(chain: Chain, strikes: int | None) -> bytes:
    """A chain as the live one is answered, its rows within ``strikes`` on each side of the money."""
    table = chain_table(chain)
    if strikes is not None:
        table = table[:, max(0, chain.atm_index - strikes) : chain.atm_index + strikes + 1]
    return encode({**dump_header(chain), "option_chain": rows(ROW_COLUMNS, table)})


async def past_dashboard(services: Services, symbol: str, expiry: date | None, at_ms: int) -> Dashboard:
    """The figures of an expiry as they stood at an instant; raises as ``past_chain`` does."""
    stored, chain = await past_chain(services, symbol, expiry, at_ms)
    history, minute_ms = services.history, int(stored.minute_ms[-1])
    _, before = await history.day(symbol, chain.as_of_ms)
    previous_close = before.close if before is not None else np.nan
    metrics = await history.metrics(symbol, chain.expiry, minute_ms, minute_ms + 1)
    index, near_month = (
        float(metrics[name][-1]) if len(metrics[name]) else np.nan
        for name in ("volatility_index", "near_month_iv")
    )
    return build_dashboard(
        chain,
        100 * (chain.spot_price / previous_close - 1),
        UnderlyingVolatility(index, near_month),
        await history.atm_iv_history(symbol, before_ms=chain.as_of_ms),
    )


class PastHandler(ApiHandler):
    """A resource that has a present, and with ``at`` a past."""

    def cost_of_request(self) -> float:
        """Much for the past, which is read from the store and valued afresh."""
        return HEAVY if "at" in self.request.query_arguments else self.cost

    async def reply_past_chain(self, query: dict[str, Any]) -> None:
        """Answer with a recorded chain."""
        _, chain = await self.within_time(
            past_chain(self.services, query["symbol"], query["expiry"], query["at"])
        )
        self._reply_past(chain, encode_chain(chain, query["strikes"]))

    async def reply_past_dashboard(self, query: dict[str, Any]) -> None:
        """Answer with the figures of a recorded chain."""
        board = await self.within_time(
            past_dashboard(self.services, query["symbol"], query["expiry"], query["at"])
        )
        self._reply_past(board.chain, encode(dump_dashboard(board)))

    def _reply_past(self, chain: Chain, body: bytes) -> None:
        self.reply(
            orjson.Fragment(body),
            meta={"symbol": chain.symbol, "expiry": chain.expiry},
            version=(PAST_EPOCH, chain.as_of_ms),
        )


class SeriesHandler(ApiHandler):
    """Series of a chain."""

    cost = HEAVY

    def span(self, symbol: str, query: dict[str, Any]) -> tuple[int, int]:
        """First instant and end; of the trading day in course where none is asked for."""
        services = self.services
        end_ms = query["end"] if query["end"] is not None else services.clock.now_ms() + 1
        if query["start"] is not None:
            return query["start"], max(end_ms, query["start"])
        return services.history.day_start_ms(symbol, end_ms - 1), end_ms

    async def expiry_of(self, symbol: str, expiry: date | None) -> date:
        """The expiry asked for, listed or recorded; the nearest listed without one. Raises UnknownExpiry."""
        universe = self.services.market.universe
        if expiry is None or universe.find((symbol, expiry)) is not None:
            return universe.listing(symbol, expiry).expiry.day
        if await self.services.history.coverage(symbol, expiry) is None:
            listed = tuple(listing.expiry.day for listing in universe.chains(symbol))
            raise UnknownExpiry(symbol, expiry, listed)
        return expiry


class DashboardHistoryHandler(SeriesHandler):
    """``/api/dashboard-history/{symbol}``."""

    async def get(self, symbol: str) -> None:
        """Answer with a page of points, oldest first."""
        name = self.symbol_of(symbol)
        query = self.arguments_of(DashboardHistoryRequest)
        self.services.market.universe.underlying(name)
        start_ms, end_ms = self.span(name, query)
        check_length(start_ms, end_ms, MOST_SERIES_SPAN)
        await self.services.settle_history()
        day = await self.within_time(self.expiry_of(name, query["expiry"]))
        series, sources = await self.within_time(self._series(name, day, start_ms, end_ms, query["interval"]))
        page, per_page = query["page"], query["per_page"]
        shown = slice((page - 1) * per_page, page * per_page)
        data = {
            "symbol": name,
            "expiry": day,
            "interval": query["interval"],
            "source": ", ".join(sources) or self.services.market.source,
            "points": dump_points({column: values[shown] for column, values in series.items()}),
        }
        about = pagination(page, per_page, len(series["minute_ms"]))
        self.reply(data, meta={"symbol": name, "expiry": day, "pagination": about})

    async def _series(
        self, symbol: str, day: date, start_ms: int, end_ms: int, interval: Interval
    ) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
        """The series, and where it comes from, each once."""
        history = self.services.history
        recorded = await history.chain_sources(symbol, day, start_ms, end_ms)
        if interval in INTERVALS_MS:
            return await history.metrics(symbol, day, start_ms, end_ms, interval), recorded
        series, daily = await history.daily_metrics(symbol, day, start_ms, end_ms, interval)
        return series, tuple(dict.fromkeys((*recorded, *daily)))


class OpenInterestHistoryHandler(SeriesHandler):
    """``/api/oi-history/{symbol}``."""

    async def get(self, symbol: str) -> None:
        """Answer with open interest and its change of some strikes."""
        name = self.symbol_of(symbol)
        query = self.arguments_of(OpenInterestHistoryRequest)
        self.services.market.universe.underlying(name)
        start_ms, end_ms = self.span(name, query)
        check_length(start_ms, end_ms, MOST_OI_SPAN)
        await self.services.settle_history()
        day = await self.within_time(self.expiry_of(name, query["expiry"]))
        strikes = await self.within_time(self._strikes(name, day, query["strikes"], end_ms))
        history = self.services.history
        series = await self.within_time(
            history.open_interest(name, day, strikes, start_ms, end_ms, query["interval"])
        )
        sources = await self.within_time(history.chain_sources(name, day, start_ms, end_ms))
        data = {
            "symbol": name,
            "expiry": day,
            "interval": query["interval"],
            "source": ", ".join(sources) or self.services.market.source,
            **dump_open_interest(series),
        }
        self.reply(data, meta={"symbol": name, "expiry": day})

    async def _strikes(
        self, symbol: str, day: date, choice: int | list[float] | None, end_ms: int
    ) -> list[float]:
        """The strikes meant, of the listing or else of the last record. Raises UnknownContract."""
        listing = self.services.market.universe.find((symbol, day))
        if listing is not None:
            chain = self.services.views.value(listing)
            listed, money = chain.strikes, chain.atm_index
        else:
            stored = await self.services.history.chain_at(symbol, day, end_ms)
            if stored is None:
                return []
            chain = past_value(self.services, stored, end_ms)
            listed, money = stored.strikes, chain.atm_index
        if isinstance(choice, list):
            if listing is not None:
                for strike in choice:
                    strike_index(listing, strike)
            return choice
        money, count = max(0, money), choice or EACH_SIDE
        window: list[float] = listed[max(0, money - count) : money + count + 1].tolist()
        return window
