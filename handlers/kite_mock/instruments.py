"""Kite's list of instruments: every underlying and contract by its name and token, and the CSV of them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from domain.instruments import Exchange, Kind
from feed.live.kite import NAMES
from feed.market.universe import Listing, Universe
from feed.reference.instruments import Catalogue, Underlying, plain_strike, trading_symbol_stem

COLUMNS = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "last_price",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
Row = tuple[object, ...]


class Instruments:
    """The list of a universe. Rows are those of ``WireMarket``: underlyings, then contracts.

    It takes some 50 ms to make, so it is made on a thread.
    """

    def __init__(self, universe: Universe, catalogue: Catalogue, as_of: date) -> None:
        self.universe = universe
        self._catalogue = catalogue
        rows = [self._underlying(item, as_of) for item in universe.underlyings]
        for listing in universe.listings:
            rows += self._contracts(listing)
        self.names = [f"{row[11]}:{row[2]}" for row in rows]
        self.row_of_name = {name: place for place, name in enumerate(self.names)}
        self.count = len(rows)
        self._csv = {str(exchange): _csv(row for row in rows if row[11] == exchange) for exchange in Exchange}
        self._csv[""] = _csv(rows)
        self._gzip = {name: gzip.compress(text, 6, mtime=0) for name, text in self._csv.items()}

    def csv(self, exchange: str = "") -> tuple[bytes, bytes] | None:
        """The list of an exchange, or all of it: plain and gzipped. None for an exchange that is none."""
        text = self._csv.get(exchange)
        return None if text is None else (text, self._gzip[exchange])

    def _underlying(self, item: Underlying, as_of: date) -> Row:
        token, exchange = item.token, item.exchange
        head = (token, token >> 8)
        if item.kind == Kind.INDEX:
            name = NAMES.get(item.symbol, item.symbol)
            return (*head, name, name, 0, "", 0, 0, 0, "EQ", "INDICES", exchange)
        if item.kind == Kind.COMMODITY:
            # options on a commodity are on its future, whose price is the underlying's
            nearest = next((chain.expiry.day for chain in self.universe.chains(item.symbol)), as_of)
            expiry = nearest
            if item.symbol in self._catalogue:
                expiry = self._catalogue.underlying_future(item.symbol, nearest) or nearest
            name = f"{item.symbol}{expiry:%y}{expiry:%b}FUT".upper()
            return (
                *head,
                name,
                item.symbol,
                0,
                expiry,
                0,
                item.spot_tick_size,
                1,
                "FUT",
                "MCX-FUT",
                exchange,
            )
        return (
            *head, item.symbol, item.name.upper(), 0, "", 0, item.spot_tick_size, 1, "EQ", exchange, exchange
        )  # fmt: skip

    def _contracts(self, listing: Listing) -> Iterable[Row]:
        item, expiry = self.universe.underlyings[listing.underlying_row], listing.expiry
        exchange, strikes = item.derivatives_exchange, listing.strikes.tolist()
        lot = 1 if exchange == Exchange.MCX or expiry.lot_size is None else expiry.lot_size
        stem = trading_symbol_stem(item.symbol, expiry)
        tokens = listing.tokens.reshape(2, -1).tolist()
        for side, of_side in zip(("CE", "PE"), tokens, strict=True):
            for strike, token in zip(strikes, of_side, strict=True):
                plain = plain_strike(strike)
                name, segment = f"{stem}{plain}{side}", f"{exchange}-OPT"
                head = (token, token >> 8, name, item.symbol, 0, expiry.day, plain)
                yield (*head, item.tick_size, lot, side, segment, exchange)


def tokens_of(universe: Universe) -> NDArray[np.int64]:
    """The token of each row: underlyings, then contracts."""
    of_underlyings = np.array([item.token for item in universe.underlyings], np.int64)
    return np.concatenate((of_underlyings, universe.token))


def _csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().rstrip("\n").encode()  # Kite's clients read a last line end as a row of nothing
