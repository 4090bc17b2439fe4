"""The contracts of all underlyings as one flat table of arrays.

A listing (one expiry of one underlying) is a slice of that table: its calls by ascending strike,
then its puts, so that ``array[listing.rows].reshape(2, n)`` is the chain as two rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics.segments import Segments
from domain.instants import to_ms
from feed.reference.instruments import (
    Catalogue,
    Expiry,
    Underlying,
    UnknownContract,
    UnknownExpiry,
    UnknownSymbol,
)

SELECTIONS = 16  # batches of the whole universe, and single listings
ROLL_MS = 4 * 86_400_000  # the near month leaves a volatility index three sessions before it expires


class NothingListed(LookupError):
    """An underlying on which no option is listed."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"No option on {symbol} is listed.")
        self.symbol = symbol


@dataclass(frozen=True, slots=True)
class Listing:
    """One expiry of one underlying, and where its contracts stand in the table.

    ``strikes`` : (n,) ascending; ``rows`` : slice of length 2 n, calls then puts.
    """

    symbol: str
    underlying_row: int
    row: int
    expiry: Expiry
    strikes: NDArray[np.float64]
    tokens: NDArray[np.int64]
    rows: slice

    @property
    def key(self) -> tuple[str, date]:
        """What names this listing through every relisting."""
        return self.symbol, self.expiry.day

    def strike_index(self, strike: float) -> int:
        """Where a strike stands among the listed ones. Raises UnknownContract, naming the strikes near it."""
        found = np.flatnonzero(self.strikes == strike)
        if not len(found):
            order = np.argsort(np.abs(self.strikes - strike), kind="stable")[:5]
            near = tuple(sorted(self.strikes[order].tolist()))
            raise UnknownContract(self.symbol, self.expiry.day, strike, near)
        return int(found[0])


@dataclass(frozen=True, slots=True)
class Selection:
    """Some listings laid out strike by strike, one after the other.

    ``strikes``, ``call_rows``, ``put_rows`` : (strikes,), the rows being those of the table of contracts;
    ``listing_rows``, ``underlying_rows``, ``expires_ms`` : (listings,); ``tokens`` : (2, strikes).
    """

    listings: tuple[Listing, ...]
    segments: Segments
    strikes: NDArray[np.float64]
    call_rows: NDArray[np.intp]
    put_rows: NDArray[np.intp]
    listing_rows: NDArray[np.intp]
    underlying_rows: NDArray[np.intp]
    expires_ms: NDArray[np.int64]
    tokens: NDArray[np.float64]

    def of_contracts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A column of the table of contracts as (2, strikes): calls, then puts."""
        return np.stack((values[self.call_rows], values[self.put_rows]))


class Universe:
    """Every underlying and every listed contract, by row.

    Contract arrays are all of length ``contract_count``: ``underlying_row``, ``listing_row``,
    ``strike``, ``is_call``, ``token``, ``lot_size``, ``tick_size``. ``listing_starts`` : (listings,)
    is the first contract row of each listing, fit for ``np.logical_or.reduceat``.
    """

    def __init__(
        self,
        underlyings: Sequence[Underlying],
        chains: Iterable[tuple[str, Expiry, NDArray[np.float64], NDArray[np.int64]]],
    ) -> None:
        self.underlyings = tuple(underlyings)
        self.row_of = {underlying.symbol: row for row, underlying in enumerate(self.underlyings)}
        self.listings: tuple[Listing, ...] = tuple(self._listings(chains))
        self._by_symbol: dict[str, tuple[Listing, ...]] = {
            symbol: tuple(
                sorted(
                    (listing for listing in self.listings if listing.symbol == symbol),
                    key=lambda listing: listing.expiry.day,
                )
            )
            for symbol in self.row_of
        }
        self._by_key = {listing.key: listing for listing in self.listings}
        self._fill()
        self._selection = lru_cache(SELECTIONS)(self._lay_out)  # the live market and the writer's thread ask

    @classmethod
    def build(cls, catalogue: Catalogue, at: datetime, spots: NDArray[np.float64]) -> Universe:
        """The contracts listed at an instant, with strikes around ``spots`` : (underlyings,)."""

        def chains() -> Iterable[tuple[str, Expiry, NDArray[np.float64], NDArray[np.int64]]]:
            for underlying, spot in zip(catalogue.underlyings, spots.tolist(), strict=True):
                for expiry in catalogue.expiries(underlying.symbol, at):
                    strikes = catalogue.strikes(underlying.symbol, expiry, spot, at)
                    tokens = catalogue.contract_tokens(
                        underlying.symbol, expiry.day, strikes, [[True], [False]]
                    )
                    yield underlying.symbol, expiry, strikes, tokens.ravel()

        return cls(catalogue.underlyings, chains())

    def _listings(
        self, chains: Iterable[tuple[str, Expiry, NDArray[np.float64], NDArray[np.int64]]]
    ) -> Iterable[Listing]:
        start = 0
        for row, (symbol, expiry, strikes, tokens) in enumerate(chains):
            stop = start + 2 * len(strikes)
            yield Listing(symbol, self.row_of[symbol], row, expiry, strikes, tokens, slice(start, stop))
            start = stop

    def _fill(self) -> None:
        listings = self.listings
        sizes = np.array([2 * len(listing.strikes) for listing in listings], dtype=np.intp)
        self.contract_count = int(sizes.sum())
        self.listing_starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.intp)
        self.listing_row = np.repeat(np.arange(len(listings)), sizes)
        self.listing_underlying_row = np.array(
            [listing.underlying_row for listing in listings], dtype=np.intp
        )
        self.underlying_row = np.repeat(self.listing_underlying_row, sizes)
        self.strike = np.concatenate([np.tile(listing.strikes, 2) for listing in listings])
        self.is_call = np.concatenate(
            [np.repeat([True, False], len(listing.strikes)) for listing in listings]
        )
        self.token = np.concatenate([listing.tokens for listing in listings])
        lots = [listing.expiry.lot_size for listing in listings]
        self.lot_size = np.repeat([np.nan if lot is None else float(lot) for lot in lots], sizes)
        ticks = np.array([underlying.tick_size for underlying in self.underlyings])
        self.tick_size = ticks[self.underlying_row]

    def underlying(self, symbol: str) -> Underlying:
        """The underlying of that name. Raises UnknownSymbol."""
        row = self.row_of.get(symbol)
        if row is None:
            close = get_close_matches(symbol, self.row_of, n=5, cutoff=0.5)
            raise UnknownSymbol(symbol, tuple(close))
        return self.underlyings[row]

    def chains(self, symbol: str) -> tuple[Listing, ...]:
        """The listings of an underlying, nearest expiry first. Raises UnknownSymbol."""
        self.underlying(symbol)
        return self._by_symbol[symbol]

    def listing(self, symbol: str, expiry: date | None = None) -> Listing:
        """The listing of that expiry, or the nearest. Raises UnknownSymbol, UnknownExpiry."""
        listings = self.chains(symbol)
        found = self._by_key.get((symbol, expiry)) if expiry else (listings[0] if listings else None)
        if found is None:
            if expiry is None:
                raise NothingListed(symbol)
            raise UnknownExpiry(symbol, expiry, tuple(listing.expiry.day for listing in listings))
        return found

    def select(self, listings: Sequence[Listing]) -> Selection:
        """Some listings in the order of their rows; the last few selections are kept."""
        return self._selection(tuple(sorted(listing.row for listing in listings)))

    def _lay_out(self, of_rows: tuple[int, ...]) -> Selection:
        listings = tuple(self.listings[row] for row in of_rows)
        segments = Segments(np.array([len(listing.strikes) for listing in listings], np.intp))
        first = np.array([listing.rows.start for listing in listings], np.intp)
        calls = first[segments.row] + segments.column
        rows = np.array([listing.row for listing in listings], np.intp)
        return Selection(
            listings,
            segments,
            self.strike[calls],
            calls,
            calls + segments.lengths[segments.row],
            rows,
            self.listing_underlying_row[rows],
            np.array([to_ms(listing.expiry.expires_at) for listing in listings], np.int64),
            np.concatenate([listing.tokens.reshape(2, -1) for listing in listings], axis=1).astype(np.float64)
            if listings
            else np.empty((2, 0)),
        )

    def find(self, key: tuple[str, date]) -> Listing | None:
        """The listing of that key, if it is listed."""
        return self._by_key.get(key)
