"""Candles."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from domain.instants import IST, to_datetime
from domain.instruments import OptionType
from domain.intervals import Interval
from feed.history.answers import Page
from feed.market.candles import Candle, Candles, width_name
from feed.market.market import Quote
from feed.market.universe import Universe
from handlers.access.rate_limit import HEAVY
from handlers.rest.base import ApiHandler
from handlers.rest.reference import pagination
from schemas.columns import Column, FloatArray, rounded, rows
from schemas.reference import DaysSchema
from schemas.requests.queries import HistoryQuery, HistoryRequest
from schemas.wire import timestamp, timestamps

_columns = (
    Column("open", 2, "INR", "first price"),
    Column("high", 2, "INR", "highest price"),
    Column("low", 2, "INR", "lowest price"),
    Column("close", 2, "INR", "last price"),
    Column("volume", None, "", "traded"),
    Column("oi", None, "contracts", "open interest"),
)
_days = DaysSchema()


class HistoricalDataHandler(ApiHandler):
    """``/api/historical-data/{symbol}``: candles of an underlying or of a contract."""

    cost = HEAVY

    def asks_past(self) -> bool:
        """Always."""
        return True

    async def get(self, symbol: str) -> None:
        """Answer with a page of candles, ascending; without a beginning the first page has the newest."""
        name = self.symbol_of(symbol)
        query = self.arguments_of(HistoryRequest)
        universe = self.services.market.universe
        universe.underlying(name)
        end_ms = query.end if query.end is not None else self.services.clock.now_ms() + 1
        page, per_page = query.page, query.per_page
        contract = _contract(universe, name, query)
        is_adjusted = query.adjusted and contract is None  # a split changes the strikes of contracts
        history, is_open = self.services.history, query.start is None
        start_ms = query.start
        if start_ms is None:
            earliest_ms = await self.within_time(history.answers.earliest_ms(name, query.interval, contract))
            start_ms = end_ms if earliest_ms is None else min(earliest_ms, end_ms)
        candles, total = await self.within_time(
            history.answers.page(
                name,
                query.interval,
                (start_ms, end_ms),
                Page(page, per_page, is_open),
                contract,
                adjusted_to=self.today() if is_adjusted else None,
            )
        )
        data = {
            "symbol": name,
            "interval": query.interval,
            "from": timestamp(start_ms),
            "to": timestamp(end_ms),
            "adjusted": is_adjusted,
            "source": ", ".join(candles.source_names) or self.services.market.source,
            "coverage": {
                "finest": await self._finest(name, contract, start_ms, end_ms),
                "made_of": made_of(candles),
            },
            "candles": self._rows(name, query.interval, candles),
        }
        meta: dict[str, Any] = {"symbol": name, "pagination": pagination(page, per_page, total)}
        if query.expiry is not None:
            meta["expiry"] = query.expiry
        self.reply(data, meta=meta)

    def _rows(self, name: str, interval: Interval, candles: Candles) -> list[dict[str, Any]]:
        """Candles as rows, each with whether it is final: all before the newest that is."""
        history, now_ms = self.services.history, self.services.clock.now_ms()
        closed = len(candles)
        while closed and history.answers.ends_ms(name, interval, int(candles.time_ms[closed - 1])) > now_ms:
            closed -= 1
        return [{**row, "closed": place < closed} for place, row in enumerate(candle_rows(candles))]

    async def _finest(self, name: str, contract: object, start_ms: int, end_ms: int) -> str | None:
        """The width of the narrowest bars that there are; chains are recorded minute by minute."""
        if contract is not None:
            return Interval.ONE_MINUTE
        found = await self.within_time(self.services.history.answers.finest_width_ms(name, start_ms, end_ms))
        return None if found is None else width_name(found)


class OhlcDataHandler(ApiHandler):
    """``/api/ohlc_data/{symbol}``: this trading day and the one before."""

    def asks_past(self) -> bool:
        """Always."""
        return True

    async def get(self, symbol: str) -> None:
        """Answer with both days."""
        self.no_arguments()
        name = self.symbol_of(symbol)
        quote = self.services.market.quote(name)
        current, previous = await self.within_time(
            self.services.history.answers.day(name, self.services.clock.now_ms())
        )
        self.reply(_days.dump(days_of(name, quote, current, previous)), meta={"symbol": name})


def days_of(symbol: str, quote: Quote, current: Candle | None, previous: Candle | None) -> dict[str, Any]:
    """The running trading day by its quote and the one before by its candle."""
    day = to_datetime(quote.provenance.as_of_ms).astimezone(IST).date()
    return {
        "symbol": symbol,
        "current_day": {
            "date": _day_of(current) if current else day,
            "open": quote.open,
            "high": quote.high,
            "low": quote.low,
            "close": None,
            "ltp": quote.last_price,
            "volume": quote.volume,
        },
        "previous_day": _previous(previous, quote.previous_close),
        "reference_price": quote.previous_close,
    }


def candle_rows(candles: Candles) -> list[dict[str, Any]]:
    """Candles as rows of the contract."""
    columns: list[FloatArray] = [
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        candles.volume,
        candles.open_interest,
    ]
    table = np.array(
        [rounded(values, column.decimals) for column, values in zip(_columns, columns, strict=True)]
    )
    dates = timestamps(candles.time_ms)
    return [{"date": at, **row} for at, row in zip(dates, rows(_columns, table), strict=True)]


def made_of(candles: Candles) -> list[dict[str, Any]]:
    """Runs of candles that are made of bars of one width."""
    found = []
    pairs = zip(candles.width_ms.tolist(), candles.time_ms.tolist(), strict=True)
    for width_ms, run in groupby(pairs, key=itemgetter(0)):
        times = [time_ms for _, time_ms in run]
        width = width_name(width_ms) if width_ms else None
        found.append({"from": timestamp(times[0]), "to": timestamp(times[-1]), "width": width})
    return found


def _contract(universe: Universe, symbol: str, query: HistoryQuery) -> tuple[Any, float, bool] | None:
    """The contract asked for. Raises UnknownExpiry, UnknownContract."""
    if query.expiry is None or query.strike is None:
        return None
    listing = universe.listing(symbol, query.expiry)
    listing.strike_index(query.strike)
    return listing.expiry.day, query.strike, query.option_type == OptionType.CALL


def _day_of(candle: Candle) -> Any:
    return to_datetime(candle.time_ms).astimezone(IST).date()


def _previous(candle: Candle | None, previous_close: float) -> dict[str, Any] | None:
    """The day before; of a day that was not recorded the close is still known."""
    if candle is None:
        unknown = dict.fromkeys(("date", "open", "high", "low", "ltp", "volume"))
        return {**unknown, "close": previous_close} if np.isfinite(previous_close) else None
    return {
        "date": _day_of(candle),
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "ltp": candle.close,
        "volume": candle.volume,
    }
