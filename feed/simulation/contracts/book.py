"""All contracts as pairs of a call and a put, in the order in which they are refreshed.

The universe's table is by listing. This one is by lane: a lane is a set of listings that are priced in
the same step, and one slice of every array here. Arrays are (2, pairs), calls in row 0, puts in row 1,
unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.instants import to_ms
from feed.market.source import CONTRACT_FIELDS, Rows
from feed.market.universe import Listing, Universe
from feed.simulation.parameters import FloatArray

ALWAYS_MS = 0


@dataclass(frozen=True, slots=True)
class RefreshGroupKey:
    """Which lane a listing belongs to: market group, refresh period, and turn within it."""

    group: int
    period_ms: int
    turn: int


@dataclass(slots=True)
class RefreshGroup:
    """Listings refreshed together, as slices of the book's pairs and listings."""

    key: RefreshGroupKey
    pairs: slice
    listings: slice
    is_whole: bool = False

    def is_due(self, last_ms: int, now_ms: int) -> bool:
        """Whether its turn lies after ``last_ms`` and not after ``now_ms``."""
        period_ms = self.key.period_ms
        if period_ms == ALWAYS_MS:
            return True
        offset_ms = self.key.turn * 500
        return (now_ms - offset_ms) // period_ms > (last_ms - offset_ms) // period_ms


class Book:
    """State of every contract of a universe.

    By pair, (n,): ``strike``, ``log_strike``, ``listing`` (index into the listing arrays),
    ``ticks_per_rupee``, ``lot``. By listing, (listings,): ``listing_underlying``, ``expires_ms``.
    ``fields`` maps each of CONTRACT_FIELDS to (2, n).
    """

    def __init__(self, universe: Universe, refresh_group_of: Callable[[Listing], RefreshGroupKey]) -> None:
        self.universe = universe
        keys = {listing.row: refresh_group_of(listing) for listing in universe.listings}
        self.listings = sorted(
            universe.listings,
            key=lambda a: (keys[a.row].group, keys[a.row].period_ms, keys[a.row].turn, a.row),
        )
        counts = np.array([len(listing.strikes) for listing in self.listings], dtype=np.intp)
        self.pair_stops = np.cumsum(counts)
        self.pair_starts = self.pair_stops - counts
        self.pair_count = int(counts.sum())
        self.listing = np.repeat(np.arange(len(self.listings)), counts)
        self.strike = np.concatenate([listing.strikes for listing in self.listings])
        self.log_strike = np.log(self.strike)
        self.rows = self._universe_rows()
        first = self.rows[0]
        self.ticks_per_rupee = np.round(1.0 / universe.tick_size[first])
        self.lot = universe.lot_size[first].astype(np.float64)
        self.listing_underlying = np.array([item.underlying_row for item in self.listings], dtype=np.intp)
        self.expires_ms = np.array(
            [to_ms(item.expiry.expires_at) for item in self.listings], dtype=np.float64
        )
        self.fields = {name: np.full((2, self.pair_count), np.nan) for name in CONTRACT_FIELDS}
        for name in ("volume", "open_interest", "previous_open_interest", "bid_quantity", "ask_quantity"):
            self.fields[name][:] = 0.0
        self.refresh_groups = self._find_refresh_groups(keys)
        self._position = {listing.key: index for index, listing in enumerate(self.listings)}

    def _universe_rows(self) -> Rows:
        calls = [np.arange(a.rows.start, a.rows.start + len(a.strikes)) for a in self.listings]
        call_rows = np.concatenate(calls)
        sizes = np.repeat(
            [len(item.strikes) for item in self.listings], [len(a.strikes) for a in self.listings]
        )
        return np.stack((call_rows, call_rows + sizes))

    def _find_refresh_groups(self, keys: dict[int, RefreshGroupKey]) -> list[RefreshGroup]:
        refresh_groups: list[RefreshGroup] = []
        for index, listing in enumerate(self.listings):
            key = keys[listing.row]
            if not refresh_groups or refresh_groups[-1].key != key:
                refresh_groups.append(
                    RefreshGroup(key, slice(int(self.pair_starts[index]), 0), slice(index, 0))
                )
            refresh_group = refresh_groups[-1]
            refresh_group.pairs = slice(refresh_group.pairs.start, int(self.pair_stops[index]))
            refresh_group.listings = slice(refresh_group.listings.start, index + 1)
        return refresh_groups

    def take_over(self, old: Book) -> tuple[Rows, Rows]:
        """Copy the state of the contracts that were in another book; return their pairs there and here."""
        source, target = self._survivors(old)
        for name, values in self.fields.items():
            values[:, target] = old.fields[name][:, source]
        return source, target

    def _survivors(self, old: Book) -> tuple[Rows, Rows]:
        """Pairs of the old book and of this one that are the same contracts."""
        source: list[Rows] = []
        target: list[Rows] = []
        for index, listing in enumerate(self.listings):
            before = old._position.get(listing.key)
            if before is None:
                continue
            known = old.listings[before].strikes
            # strikes are only ever added to a listing
            here = np.searchsorted(listing.strikes, known)
            source.append(np.arange(len(known)) + old.pair_starts[before])
            target.append(here + self.pair_starts[index])
        return np.concatenate(source), np.concatenate(target)

    def table(self, name: str) -> FloatArray:
        """A field in the universe's order: (contracts,), a copy."""
        return self.in_order(self.fields[name])

    def in_order(self, by_pair: FloatArray) -> FloatArray:
        """Values of every pair, (2, n), in the universe's order: (contracts,), a copy."""
        values = np.empty(self.universe.contract_count)
        values[self.rows] = by_pair
        return values


def whole(book: Book) -> RefreshGroup:
    """All of a book as one lane."""
    return RefreshGroup(
        book.refresh_groups[0].key, slice(0, book.pair_count), slice(0, len(book.listings)), is_whole=True
    )
