"""The market in Kite's terms: what packets and quotes say of each instrument."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.instants import day_in_india, to_datetime
from domain.instruments import Exchange, Kind
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.universe import Universe
from handlers.kite_mock.frames import FULL, INDEX, LARGEST, LEVELS
from handlers.kite_mock.instruments import tokens_of

Rows = NDArray[np.intp]
_FIELDS = ("last_price", "open", "high", "low", "previous_close", "volume")
_CONTRACT_FIELDS = ("bid", "ask", "bid_quantity", "ask_quantity", "open_interest")


class _Day:
    """What the wire says of a session and our market does not keep.

    Turnover, the time of the last trade, the extremes of open interest: each (instruments,).
    """

    def __init__(self, count: int) -> None:
        self.volume = np.zeros(count)
        self.turnover = np.zeros(count)
        self.traded_ms = np.zeros(count, np.int64)
        self.oi_high = np.full(count, np.nan)
        self.oi_low = np.full(count, np.nan)

    def carried_to(self, places: Rows, known: NDArray[np.bool_]) -> _Day:
        """The same for other rows: each is where ``places`` say, if it was ``known``."""
        made = _Day(len(places))
        for name in ("volume", "turnover", "traded_ms", "oi_high", "oi_low"):
            getattr(made, name)[known] = getattr(self, name)[places[known]]
        return made


class WireMarket:
    """Rows of all instruments: the underlyings of the universe, then its contracts."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._date: date | None = None
        self._lay_out(market.universe)
        self._day = _Day(len(self.tokens))

    def step(self, now_ms: int) -> None:
        """Follow what the market published at an instant."""
        if self._market.universe is not self.universe:
            before, order, in_order = self.tokens, self._order, self._sorted
            self._lay_out(self._market.universe)
            places = np.minimum(np.searchsorted(in_order, self.tokens), len(order) - 1)
            self._day = self._day.carried_to(order[places], before[order[places]] == self.tokens)
        today = day_in_india(to_datetime(now_ms))
        if today != self._date:
            self._date, self._day = today, _Day(len(self.tokens))
        last, volume, interest = self._column("last_price"), self._column("volume"), self._interest()
        day = self._day
        grown = np.nan_to_num(volume - day.volume)
        traded = grown > 0
        day.turnover[traded] += grown[traded] * np.nan_to_num(last[traded])
        day.traded_ms[traded] = now_ms
        day.volume = np.fmax(day.volume, volume)
        day.oi_high, day.oi_low = np.fmax(day.oi_high, interest), np.fmin(day.oi_low, interest)

    def rows_of(self, tokens: NDArray[np.int64]) -> tuple[Rows, NDArray[np.bool_]]:
        """The row of each token, and whether there is one."""
        places = np.searchsorted(self._sorted, tokens)
        rows = self._order[np.minimum(places, len(self._order) - 1)]
        return rows, self.tokens[rows] == tokens

    def unit(self, row: int) -> float:
        """What Kite counts of a row for each that the market counts."""
        return float(self._unit[row])

    def full(self, rows: Rows) -> NDArray[Any]:
        """What is known of instruments that are no index: records of ``FULL``."""
        record = np.zeros(len(rows), FULL)
        last = self._column("last_price")[rows]
        day, unit = self._day, self._unit[rows]
        record["length"], record["token"] = FULL.itemsize - 2, self.tokens[rows]
        for name, values in self._prices(rows):
            record[name] = values
        traded = self._day.volume[rows] > 0
        average = np.divide(
            day.turnover[rows],
            day.volume[rows],
            out=np.zeros(len(rows)),
            where=traded & (day.turnover[rows] > 0),
        )
        within = np.fmin(np.fmax(average, self._column("low")[rows]), self._column("high")[rows])
        record["average_price"] = _paise(np.where(average > 0, within, 0.0))
        record["last_quantity"] = np.where(traded, np.minimum(unit, LARGEST), 0)
        record["volume"] = _whole(self._column("volume")[rows] * unit)
        record["last_trade_time"] = day.traded_ms[rows] // 1000
        record["oi"] = _whole(self._interest()[rows] * unit)
        record["oi_day_high"], record["oi_day_low"] = (
            _whole(day.oi_high[rows] * unit),
            _whole(day.oi_low[rows] * unit),
        )
        record["exchange_time"] = np.where(np.isfinite(last), self._market.last_input_ms // 1000, 0)
        self._write_depth(record, rows)
        return record

    def index(self, rows: Rows) -> NDArray[Any]:
        """What is known of indices: records of ``INDEX``."""
        record = np.zeros(len(rows), INDEX)
        last, close = self._column("last_price")[rows], self._column("previous_close")[rows]
        record["length"], record["token"] = INDEX.itemsize - 2, self.tokens[rows]
        for name, values in self._prices(rows):
            record[name] = values
        record["change"] = np.rint(np.nan_to_num(100 * (last - close))).astype(np.int64)
        record["exchange_time"] = np.where(np.isfinite(last), self._market.last_input_ms // 1000, 0)
        return record

    def _prices(self, rows: Rows) -> list[tuple[str, NDArray[np.int64]]]:
        names = {
            "last_price": "last_price",
            "open": "open",
            "high": "high",
            "low": "low",
            "close": "previous_close",
        }
        return [(wire, _paise(self._column(name)[rows])) for wire, name in names.items()]

    def _write_depth(self, record: NDArray[Any], rows: Rows) -> None:
        """Five levels of each side: the market's first, and a ladder below it that is made up.

        One tick apart; lots and orders by a hash of token and level, so that they stay as they are.
        """
        tick, lot = self._tick[rows], self._lot[rows]
        bid, ask, bids, asks = (self._quote(name)[rows] for name in _CONTRACT_FIELDS[:4])
        in_lots = np.where(self._is_mcx[rows], lot, 1.0)
        level = np.arange(LEVELS)
        mixed = ((self.tokens[rows][:, None] + 7919 * level) * 2_654_435_761 >> 13) & 0xFFFF
        totals = []
        for first, (price, quantity, step) in ((0, (bid, bids, -1)), (LEVELS, (ask, asks, 1))):
            prices = price[:, None] + step * level * tick[:, None]
            quantities = (
                np.where(level == 0, quantity[:, None], lot[:, None] * (1 + mixed % 20)) / in_lots[:, None]
            )
            there = (price[:, None] > 0) & (quantity[:, None] > 0) & (prices > 0)
            depth = record["depth"][:, first : first + LEVELS]
            depth["price"] = np.where(there, _paise(prices), 0)
            depth["quantity"] = np.where(there, _whole(quantities), 0)
            depth["orders"] = np.where(there, 1 + mixed % 9, 0)
            totals.append(depth["quantity"].astype(np.int64).sum(axis=1))
        record["buy_quantity"], record["sell_quantity"] = np.minimum(totals, LARGEST)

    def _lay_out(self, universe: Universe) -> None:
        self.universe = universe
        self.tokens = tokens_of(universe)
        self._order = np.argsort(self.tokens)
        self._sorted = self.tokens[self._order]
        underlyings = universe.underlyings
        self.is_index = np.zeros(len(self.tokens), bool)
        self.is_index[: len(underlyings)] = [item.kind == Kind.INDEX for item in underlyings]
        of_contracts = np.array([item.derivatives_exchange == Exchange.MCX for item in underlyings])
        self._is_mcx = np.concatenate((of_contracts, of_contracts[universe.underlying_row]))
        ticks = np.array([item.spot_tick_size for item in underlyings])
        self._tick = np.concatenate((ticks, universe.tick_size))
        lots = np.concatenate((np.ones(len(underlyings)), np.nan_to_num(universe.lot_size, nan=1.0)))
        self._lot = lots
        # Kite counts units where the exchange's contracts have a lot, and lots on MCX
        self._unit = np.where(self._is_mcx, 1.0, lots)
        self._unit[self.is_index] = 0.0  # no volume of an index

    def _column(self, name: str) -> FloatArray:
        return np.concatenate((self._market.underlyings[name], self._market.contracts[name]))

    def _quote(self, name: str) -> FloatArray:
        unknown = np.full(len(self.universe.underlyings), np.nan)
        return np.concatenate((unknown, self._market.contracts[name]))

    def _interest(self) -> FloatArray:
        return self._quote("open_interest")


def _paise(prices: FloatArray) -> NDArray[np.int64]:
    """Prices in 1/100 rupee; what is not known is 0 on this wire."""
    return _whole(100 * prices)


def _whole(values: FloatArray) -> NDArray[np.int64]:
    return np.clip(np.rint(np.nan_to_num(values)), 0, LARGEST).astype(np.int64)
