"""The one mutable market: the latest state of every underlying and contract as arrays.

A source's updates go in through ``apply``; ``publish`` turns whatever changed since into new
sequence numbers. Between two calls of ``publish`` nobody sees a half-applied state, because both run
in one step of the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, FloatArray, Rows, Update
from feed.market.universe import Listing, Universe

NEVER_MS = -1
LARGEST = 2.0**53  # a price or a count beyond it is no data: many feeds write 2^64 - 1 for "unknown"


class FeedUnavailable(LookupError):
    """No data has ever arrived for what was asked."""

    def __init__(self, what: str) -> None:
        super().__init__(f"No data has arrived yet for {what}.")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a state comes from, how old it is, and its place in its stream."""

    source: str
    as_of_ms: int
    epoch: str
    seq: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Provenances:
    """``Provenance`` of several states, a column a field."""

    source: list[str]
    as_of_ms: list[int]
    epoch: list[str]
    seq: list[int]
    stale: list[bool]


@dataclass(frozen=True, slots=True)
class Quote:
    """The latest price of an underlying, in rupees; NaN where not known."""

    symbol: str
    last_price: float
    open: float
    high: float
    low: float
    previous_close: float
    volume: float
    provenance: Provenance

    @property
    def change(self) -> float:
        """Last price less the previous close."""
        return self.last_price - self.previous_close

    @property
    def change_percent(self) -> float:
        """The change in percent of the previous close; NaN without one."""
        return 100 * self.change / self.previous_close if self.previous_close > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Changes:
    """What one publication changed: rows of the universe."""

    at_ms: int
    underlying_rows: Rows
    listing_rows: Rows


@dataclass(slots=True)
class Positions:
    """Where each stream of one kind stands, by row; a stream stands nowhere while ``as_of_ms`` is NEVER_MS.

    ``as_of_ms`` is the newest input that changed it, ``input_ms`` the newest of any; it is stale once that
    is older than the market's limit, or than its own ``limit_ms`` where that is longer.
    """

    seq: NDArray[np.int64]
    as_of_ms: NDArray[np.int64]
    changed: NDArray[np.bool_]
    input_ms: NDArray[np.int64]
    stale: NDArray[np.bool_]
    limit_ms: FloatArray

    @classmethod
    def of(cls, count: int) -> Positions:
        """Of so many streams that stand nowhere yet."""
        return cls(
            np.zeros(count, np.int64),
            np.full(count, NEVER_MS),
            np.zeros(count, bool),
            np.full(count, NEVER_MS),
            np.zeros(count, bool),
            np.zeros(count),
        )

    def hear(self, times_ms: NDArray[np.int64]) -> None:
        """Take note of inputs: of each row, NEVER_MS where there was none."""
        np.maximum(self.input_ms, times_ms, out=self.input_ms)

    def mark_stale(self, now_ms: int, limit_ms: float) -> None:
        """Turning stale is news: it gets a sequence number like any other change."""
        silent_ms = now_ms - self.input_ms
        stale = (self.input_ms != NEVER_MS) & (silent_ms > np.maximum(self.limit_ms, limit_ms))
        self.changed |= (stale != self.stale) & (self.as_of_ms != NEVER_MS)
        self.stale = stale


class Market:
    """Latest prices of a universe, with a sequence number per symbol and per chain.

    ``underlyings`` maps each of ``UNDERLYING_FIELDS`` to (underlyings,), ``contracts`` each of
    ``CONTRACT_FIELDS`` to (contracts,), ``forwards`` : (listings,) are the prices of futures where the source
    tells them; NaN is a value not known. Callers read them and never write. ``symbol_positions`` and
    ``chain_positions`` say where the stream of each stands.
    """

    def __init__(
        self,
        universe: Universe,
        *,
        source: str,
        epoch: str,
        interest_rate: float,
        stale_after_s: float,
    ) -> None:
        self.universe = universe
        self.source = source
        self.epoch = epoch
        self.interest_rate = interest_rate
        self.stale_after_ms = stale_after_s * 1000
        self.last_input_ms = NEVER_MS
        count = len(universe.underlyings)
        self.underlyings = {name: np.full(count, np.nan) for name in UNDERLYING_FIELDS}
        self.contracts = {name: np.full(universe.contract_count, np.nan) for name in CONTRACT_FIELDS}
        self.forwards = np.full(len(universe.listings), np.nan)
        self.symbol_positions = Positions.of(count)
        self.chain_positions = Positions.of(len(universe.listings))
        self.latest: Update | None = None

    def apply(self, update: Update) -> None:
        """Write an update into the tables and remember what it changed.

        What is not finite, or beyond what a float counts exactly, is not known.
        """
        self.latest = update
        if update.universe is not None and update.universe is not self.universe:
            self.relist(update.universe)
        self.last_input_ms = max(self.last_input_ms, update.time_ms)
        changed = _write(self.underlyings, update.underlyings, update.underlying_rows)
        told_ms = np.full(len(self.universe.underlyings), NEVER_MS)
        if update.underlyings:
            touched = slice(None) if update.underlying_rows is None else update.underlying_rows
            times_ms = update.underlying_times_ms
            told_ms[touched] = update.time_ms if times_ms is None else times_ms
        self.symbol_positions.hear(told_ms)
        self.symbol_positions.changed |= changed
        _advance(self.symbol_positions.as_of_ms, told_ms, changed)
        contract_changed = _write(self.contracts, update.contracts, update.contract_rows)
        chain_changed = changed[self.universe.listing_underlying_row]
        if len(contract_changed):
            chain_changed |= np.logical_or.reduceat(contract_changed, self.universe.listing_starts)
        if update.forwards is not None:
            chain_changed |= _write({"forward": self.forwards}, {"forward": update.forwards}, None)
        self.chain_positions.changed |= chain_changed
        chain_told_ms = self._chain_told_ms(update)
        self.chain_positions.hear(chain_told_ms)
        spot_told_ms = told_ms[self.universe.listing_underlying_row]
        told_of_ms = np.maximum(chain_told_ms, spot_told_ms)
        told_of_ms[told_of_ms == NEVER_MS] = update.time_ms  # of a forward alone
        _advance(self.chain_positions.as_of_ms, told_of_ms, chain_changed)
        if update.heard_ms is not None:
            self.chain_positions.hear(update.heard_ms)
        if update.limits is not None:
            self.symbol_positions.limit_ms, self.chain_positions.limit_ms = (
                update.limits.symbols_ms,
                update.limits.chains_ms,
            )

    def _chain_told_ms(self, update: Update) -> NDArray[np.int64]:
        """The newest of the contracts' times that an update has of each chain; NEVER_MS where it has none."""
        universe = self.universe
        told_ms = np.full(len(universe.listings), NEVER_MS)
        if update.contracts and len(told_ms):
            rows = slice(None) if update.contract_rows is None else update.contract_rows
            listings = universe.listing_row[rows]
            if update.contract_times_ms is None:
                told_ms[listings] = update.time_ms
            else:
                np.maximum.at(told_ms, listings, update.contract_times_ms)
        return told_ms

    def heard_ms(self) -> dict[str, int]:
        """When the newest input of each exchange's underlyings and chains came; NEVER_MS before the first."""
        found: dict[str, int] = {}
        chains_ms = np.full(len(self.universe.underlyings), NEVER_MS)
        np.maximum.at(chains_ms, self.universe.listing_underlying_row, self.chain_positions.input_ms)
        newest_ms = np.maximum(self.symbol_positions.input_ms, chains_ms).tolist()
        for underlying, at_ms in zip(self.universe.underlyings, newest_ms, strict=True):
            exchange = underlying.derivatives_exchange
            found[exchange] = max(found.get(exchange, NEVER_MS), at_ms)
        return found

    def publish(self, now_ms: int) -> Changes:
        """Give every changed stream its next sequence number and say which they were."""
        rows = []
        for positions in (self.symbol_positions, self.chain_positions):
            positions.mark_stale(now_ms, self.stale_after_ms)
            changed = np.flatnonzero(positions.changed)
            positions.seq[changed] += 1
            positions.changed[changed] = False
            rows.append(changed)
        return Changes(now_ms, rows[0], rows[1])

    def restart(self, epoch: str) -> None:
        """Begin a new epoch: whatever clients hold is to be replaced by a snapshot."""
        self.epoch = epoch
        self.last_input_ms = NEVER_MS
        for positions in (self.symbol_positions, self.chain_positions):
            positions.input_ms[:] = NEVER_MS
            positions.seq[:] = 0
            positions.changed |= positions.as_of_ms != NEVER_MS

    def set_back(self, now_ms: int) -> None:
        """Follow a clock that was set back: nothing known can be newer than its present."""
        self.last_input_ms = min(self.last_input_ms, now_ms)
        for positions in (self.symbol_positions, self.chain_positions):
            np.minimum(positions.input_ms, now_ms, out=positions.input_ms)

    def quote(self, symbol: str) -> Quote:
        """The latest price of an underlying. Raises UnknownSymbol, FeedUnavailable."""
        self.universe.underlying(symbol)
        row = self.universe.row_of[symbol]
        provenance = self._provenance(self.symbol_positions, row, symbol)
        values = {name: float(self.underlyings[name][row]) for name in UNDERLYING_FIELDS}
        return Quote(symbol=symbol, provenance=provenance, **values)

    def change_percent(self, symbol: str) -> float:
        """The day's change of an underlying in percent; NaN where its price is not known."""
        try:
            return self.quote(symbol).change_percent
        except FeedUnavailable:
            return float("nan")

    def legs(self, listing: Listing) -> dict[str, FloatArray]:
        """Contract fields of a listing as views of shape (2, n): calls, puts."""
        return {name: values[listing.rows].reshape(2, -1) for name, values in self.contracts.items()}

    def chain_provenance(self, listing: Listing) -> Provenance:
        """Where a chain stands. Raises FeedUnavailable."""
        what = f"{listing.symbol} {listing.expiry.day}"
        return self._provenance(self.chain_positions, listing.row, what)

    def chain_provenances(self, rows: NDArray[np.intp]) -> Provenances:
        """Where chains stand, by the rows of their listings. Raises FeedUnavailable."""
        positions = self.chain_positions
        as_of_ms = positions.as_of_ms[rows]
        unknown = rows[as_of_ms == NEVER_MS]
        if len(unknown):
            self.chain_provenance(self.universe.listings[unknown[0]])  # says which
        return Provenances(
            [self.source] * len(rows),
            as_of_ms.tolist(),
            [self.epoch] * len(rows),
            positions.seq[rows].tolist(),
            positions.stale[rows].tolist(),
        )

    def knows(self, listing: Listing) -> bool:
        """Whether any data of a listing has arrived."""
        return bool(self.chain_positions.as_of_ms[listing.row] != NEVER_MS)

    def symbol_seq(self, symbol: str) -> int:
        """Sequence number of a symbol's stream."""
        return int(self.symbol_positions.seq[self.universe.row_of[symbol]])

    def chain_seq(self, listing: Listing) -> int:
        """Sequence number of a chain's stream."""
        return int(self.chain_positions.seq[listing.row])

    def successor(self, symbol: str, expiry: date) -> Listing | None:
        """The listing that follows an expiry day, if one is listed."""
        later = (listing for listing in self.universe.chains(symbol) if listing.expiry.day > expiry)
        return next(later, None)

    def _provenance(self, positions: Positions, row: int, what: str) -> Provenance:
        as_of_ms = int(positions.as_of_ms[row])
        if as_of_ms == NEVER_MS:
            raise FeedUnavailable(what)
        return Provenance(
            source=self.source,
            as_of_ms=as_of_ms,
            epoch=self.epoch,
            seq=int(positions.seq[row]),
            stale=bool(positions.stale[row]),
        )

    def relist(self, universe: Universe) -> None:
        """Move every surviving contract to its row in the new universe; the rest start unknown."""
        old, chains = self.universe, self.chain_positions
        tables = {name: np.full(universe.contract_count, np.nan) for name in CONTRACT_FIELDS}
        self.chain_positions = Positions.of(len(universe.listings))
        forwards = np.full(len(universe.listings), np.nan)
        for listing in universe.listings:
            before = old.find(listing.key)
            if before is None:
                continue
            _carry(self.contracts, tables, before, listing)
            forwards[listing.row] = self.forwards[before.row]
            for name in ("seq", "as_of_ms", "input_ms", "stale", "limit_ms"):
                getattr(self.chain_positions, name)[listing.row] = getattr(chains, name)[before.row]
            relisted = not np.array_equal(before.strikes, listing.strikes)
            self.chain_positions.changed[listing.row] = chains.changed[before.row] or relisted
        self.contracts, self.forwards = tables, forwards
        self.universe = universe


def _write(
    tables: Mapping[str, FloatArray], values: Mapping[str, FloatArray], rows: Rows | None
) -> NDArray[np.bool_]:
    """Write values at rows; return a mask over the whole table of rows that differ from before."""
    length = len(next(iter(tables.values())))
    where: slice | Rows = slice(None) if rows is None else rows
    different = np.zeros(length if rows is None else len(rows), bool)
    for name, fresh in values.items():
        old, new = tables[name][where], np.where(np.abs(fresh) <= LARGEST, fresh, np.nan)
        # NaN is equal to NaN here: still not known is no news
        different |= (old != new) & ((old == old) | (new == new))
        tables[name][where] = new
    if rows is None:
        return different
    changed = np.zeros(length, bool)
    changed[rows] = different
    return changed


def _advance(as_of_ms: NDArray[np.int64], told_ms: NDArray[np.int64], changed: NDArray[np.bool_]) -> None:
    """Bring what changed to the time of the input that changed it."""
    as_of_ms[changed] = told_ms[changed]


def _carry(
    old: Mapping[str, FloatArray], new: Mapping[str, FloatArray], before: Listing, after: Listing
) -> None:
    """Copy the rows of the strikes that two listings of one expiry have in common."""
    _, source, target = np.intersect1d(before.strikes, after.strikes, assume_unique=True, return_indices=True)
    source = np.concatenate((source, source + len(before.strikes))) + before.rows.start
    target = np.concatenate((target, target + len(after.strikes))) + after.rows.start
    for name, values in old.items():
        new[name][target] = values[source]
