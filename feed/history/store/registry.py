"""Numbers that the store gives to symbols, chains and their lists of strikes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from domain.instants import to_ms
from feed.history.store.database import write_rows
from feed.history.store.tables import chain_minutes, chains, listings, symbols
from feed.market.forming import ClosedMinute
from feed.market.universe import Listing


class Registry:
    """Numbers of symbols, chains and listings in the store; used by the writer's thread only."""

    def __init__(self) -> None:
        self.newest_chain_ms = -1
        self._symbols: dict[str, int] = {}
        self._chains: dict[tuple[str, date], int] = {}
        self._listings: dict[tuple[int, bytes], int] = {}

    def clear(self) -> None:
        """Forget numbers that may have been rolled back."""
        self._symbols.clear()
        self._chains.clear()
        self._listings.clear()

    def symbol_ids(self, connection: Connection, names: Iterable[str]) -> dict[str, int]:
        """The number of each symbol, given out where it has none."""
        names = list(names)
        if any(name not in self._symbols for name in names):
            rows = [{"name": name} for name in names]
            write_rows(connection, symbols, rows, key=("name",), replace=False)
            self._symbols = {row.name: row.id for row in connection.execute(select(symbols))}
        return {name: self._symbols[name] for name in names}

    def chain_ids(
        self, connection: Connection, keys: Iterable[tuple[str, date]]
    ) -> dict[tuple[str, date], int]:
        """The number of each chain, by symbol and expiry, given out where it has none."""
        keys = list(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in self._chains]
        if missing:
            ids = self.symbol_ids(connection, dict.fromkeys(symbol for symbol, _ in missing))
            name_of = {symbol_id: name for name, symbol_id in ids.items()}
            rows = [{"symbol_id": ids[symbol], "expiry": expiry} for symbol, expiry in missing]
            write_rows(connection, chains, rows, key=("symbol_id", "expiry"), replace=False)
            for row in connection.execute(select(chains).where(chains.c.symbol_id.in_(name_of))):
                self._chains[name_of[row.symbol_id], row.expiry] = row.id
        return {key: self._chains[key] for key in keys}

    def listing_ids(self, connection: Connection, some: Iterable[Listing]) -> list[int]:
        """The number of each chain's list of strikes, given out where it is a new list."""
        some = list(some)
        ids = self.chain_ids(connection, (listing.key for listing in some))
        keys = [(ids[listing.key], np.asarray(listing.strikes, "<f8").tobytes()) for listing in some]
        if any(key not in self._listings for key in keys):
            self._read_listings(connection, {chain_id for chain_id, _ in keys})
            rows = [
                _listing_row(key, listing)
                for key, listing in zip(keys, some, strict=True)
                if key not in self._listings
            ]
            if rows:
                connection.execute(insert(listings), rows)
                self._read_listings(connection, {row["chain_id"] for row in rows})
        return [self._listings[key] for key in keys]

    def _read_listings(self, connection: Connection, chain_ids: Collection[int]) -> None:
        column = listings.c
        query = select(column.id, column.chain_id, column.strikes).where(column.chain_id.in_(chain_ids))
        for row in connection.execute(query):
            self._listings[row.chain_id, bytes(row.strikes)] = row.id

    def recorded(self, connection: Connection, minute: ClosedMinute) -> list[int]:
        """Rows of listings that have a record of a minute already; they keep it.

        That is so when the clock was set back, or the server was stopped in the middle of the minute.
        """
        if minute.start_ms > self.newest_chain_ms:
            self.newest_chain_ms = minute.start_ms
            return []
        query = select(chain_minutes.c.chain_id).where(chain_minutes.c.minute_ms == minute.start_ms)
        ids = self.chain_ids(connection, (listing.key for listing in minute.universe.listings))
        rows_of = {ids[listing.key]: listing.row for listing in minute.universe.listings}
        found = connection.scalars(query.where(chain_minutes.c.chain_id.in_(rows_of)))
        return [rows_of[chain_id] for chain_id in found]


def _listing_row(key: tuple[int, bytes], listing: Listing) -> dict[str, Any]:
    chain_id, strikes = key
    return {
        "chain_id": chain_id,
        "kind": listing.expiry.kind,
        "expires_at_ms": to_ms(listing.expiry.expires_at),
        "lot_size": listing.expiry.lot_size,
        "strikes": strikes,
        "tokens": np.asarray(listing.tokens, "<i8").tobytes(),
    }
