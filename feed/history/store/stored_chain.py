"""A chain as it was recorded: columns over minutes and contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.instants import to_ms
from feed.market.candles import SOURCES, Candles, FloatArray, IntArray
from feed.market.forming import ClosedMinute
from feed.market.source import CONTRACT_FIELDS

# names of a contract's state -> names of what is recorded of it
_RECORDED = {
    "volume": "day_volume",
    "open": "day_open",
    "high": "day_high",
    "low": "day_low",
}


@dataclass(frozen=True, slots=True)
class StoredChain:
    """Consecutive minutes of one chain over one list of strikes.

    ``minute_ms``, ``as_of_ms``, ``source``, ``spot``, ``forward`` (of a future) : (minutes,); ``strikes`` :
    (n,); ``tokens`` : (2 n,); each of ``fields`` (``chains.RECORD_FIELDS``) : (minutes, 2 n),
    calls then puts.
    """

    symbol: str
    expiry: date
    kind: str
    expires_at_ms: int
    lot_size: int | None
    strikes: FloatArray
    tokens: IntArray
    minute_ms: IntArray
    as_of_ms: IntArray
    source: IntArray
    spot: FloatArray
    forward: FloatArray
    fields: Mapping[str, FloatArray]

    def legs(self, row: int = -1) -> dict[str, FloatArray]:
        """The state at the end of a minute: each of ``CONTRACT_FIELDS`` and ``implied_volatility`` (2, n).

        Quantities of the quotes are not recorded: NaN.
        """
        unknown = np.full((2, len(self.strikes)), np.nan)
        found = {}
        for name in (*CONTRACT_FIELDS, "implied_volatility"):
            values = self.fields.get(_RECORDED.get(name, name))
            found[name] = unknown if values is None else values[row].reshape(2, -1)
        return found

    def source_name(self, row: int = -1) -> str:
        """Where a minute's prices come from."""
        return SOURCES[int(self.source[row])]

    def column(self, strike: float, is_call: bool) -> int | None:
        """The place of a contract in the fields, None where it is not listed."""
        place = np.flatnonzero(self.strikes == strike)
        return int(place[0]) + (0 if is_call else len(self.strikes)) if len(place) else None

    def candles(self, strike: float, is_call: bool) -> Candles:
        """One-minute candles of a contract: of the minutes in which a price of it was published."""
        column = self.column(strike, is_call)
        if column is None:
            return Candles.empty()
        names = ("open", "high", "low", "close", "volume", "open_interest")
        columns = [self.fields[name][:, column] for name in names]
        touched = ~np.isnan(columns[0])
        return Candles.of(self.minute_ms, columns, self.source).take(touched)


def chain_of_minute(minute: ClosedMinute, symbol: str, expiry: date) -> StoredChain | None:
    """A chain of a minute that is still in memory; None where it was not listed, or nothing of it known."""
    listing = minute.universe.find((symbol, expiry))
    if listing is None or (minute.listing_rows is not None and listing.row not in minute.listing_rows):
        return None
    rows, bars = listing.rows, minute.contracts
    touched = bars.touched[rows]
    names = ("open", "high", "low", "close")
    within = {name: np.where(touched, getattr(bars, name)[rows], np.nan) for name in names}
    state = {name: values[rows] for name, values in minute.state.items()}
    fields = {
        **within,
        "volume": bars.volume[rows],
        "day_volume": minute.day_volume[rows],
        "day_open": state.pop("open"),
        "day_high": state.pop("high"),
        "day_low": state.pop("low"),
        "implied_volatility": np.full(2 * len(listing.strikes), np.nan),
        **state,
    }
    if all(np.isnan(values).all() for name, values in fields.items() if name != "volume"):
        return None
    return StoredChain(
        symbol=symbol,
        expiry=expiry,
        kind=listing.expiry.kind,
        expires_at_ms=to_ms(listing.expiry.expires_at),
        lot_size=listing.expiry.lot_size,
        strikes=listing.strikes,
        tokens=listing.tokens,
        minute_ms=np.array([minute.start_ms]),
        as_of_ms=np.array([minute.as_of_ms]),
        source=np.array([minute.source]),
        spot=minute.underlyings.close[[listing.underlying_row]],
        forward=np.array([minute.forward(listing.row)]),
        fields={name: values[np.newaxis] for name, values in fields.items()},
    )
