"""Numbers that the store gives to symbols, chains and their lists of strikes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
from sqlalchemy import Connection, and_, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from domain.instants import to_ms
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
            insert_new = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            connection.execute(insert_new(symbols).on_conflict_do_nothing(), rows)
            self._symbols = {row.name: row.id for row in connection.execute(select(symbols))}
        return {name: self._symbols[name] for name in names}

    def chain_id(self, connection: Connection, symbol: str, expiry: date) -> int:
        """The number of a chain, given out where it has none."""
        found = self._chains.get((symbol, expiry))
        if found is None:
            symbol_id = self.symbol_ids(connection, [symbol])[symbol]
            is_it = and_(chains.c.symbol_id == symbol_id, chains.c.expiry == expiry)
            found = connection.scalar(select(chains.c.id).where(is_it))
            if found is None:
                row = insert(chains).values(symbol_id=symbol_id, expiry=expiry).returning(chains.c.id)
                found = int(connection.execute(row).scalar_one())
            self._chains[symbol, expiry] = found
        return found

    def listing_id(self, connection: Connection, chain_id: int, listing: Listing) -> int:
        """The number of a chain's list of strikes, given out where it is a new list."""
        strikes = np.asarray(listing.strikes, "<f8").tobytes()
        found = self._listings.get((chain_id, strikes))
        if found is None:
            is_it = and_(listings.c.chain_id == chain_id, listings.c.strikes == strikes)
            found = connection.scalar(select(listings.c.id).where(is_it))
            if found is None:
                row = insert(listings).values(
                    chain_id=chain_id,
                    kind=listing.expiry.kind,
                    expires_at_ms=to_ms(listing.expiry.expires_at),
                    lot_size=listing.expiry.lot_size,
                    strikes=strikes,
                    tokens=np.asarray(listing.tokens, "<i8").tobytes(),
                )
                found = int(connection.execute(row.returning(listings.c.id)).scalar_one())
            self._listings[chain_id, strikes] = found
        return found

    def recorded(self, connection: Connection, minute: ClosedMinute) -> list[int]:
        """Rows of listings that have a record of a minute already; they keep it.

        That is so when the clock was set back, or the server was stopped in the middle of the minute.
        """
        if minute.start_ms > self.newest_chain_ms:
            self.newest_chain_ms = minute.start_ms
            return []
        query = select(chain_minutes.c.chain_id).where(chain_minutes.c.minute_ms == minute.start_ms)
        rows_of = {
            self.chain_id(connection, listing.symbol, listing.expiry.day): listing.row
            for listing in minute.universe.listings
        }
        found = connection.scalars(query.where(chain_minutes.c.chain_id.in_(rows_of)))
        return [rows_of[chain_id] for chain_id in found]
