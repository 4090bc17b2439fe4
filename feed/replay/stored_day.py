"""A recorded day of our own store as a source of prices: minute by minute, read as the clock passes them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar

import numpy as np
import sqlalchemy
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, select

from domain.instants import IST, MINUTE_MS, to_datetime, to_ms
from feed.history.store.database import Database
from feed.history.store.problems import HistoryError
from feed.history.store.reader import Reader
from feed.history.store.stored_chain import StoredChain
from feed.history.store.tables import chain_minutes, chains, listings, symbols
from feed.market.source import CONTRACT_FIELDS, FloatArray, Rows, Update
from feed.market.universe import Universe
from feed.recordings.frames import ChainKey, RecordedChain
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, Expiry
from feed.replay.day_quotes import DayQuotes
from feed.replay.playback import Replay, ReplayTable

BLOCK_MINUTES = 16  # of all chains some thirty megabytes, and one group of records

Row = sqlalchemy.Row[Any]
T = TypeVar("T")

Frames = list[list[tuple[ChainKey, RecordedChain]]]


@dataclass(frozen=True, slots=True)
class StoredDay:
    """Names a recorded day: ``STORE#DAY``, or ``STORE#DAY,SYMBOL,…`` for some symbols of it."""

    url: str
    day: date
    symbols: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> StoredDay | None:
        """What a text names; None where it is no day of a store."""
        url, mark, rest = text.rpartition("#")
        day, *names = rest.split(",")
        try:
            found = date.fromisoformat(day)
        except ValueError:
            return None
        return cls(url, found, tuple(name.strip().upper() for name in names)) if mark and url else None


class StoreReplay(Replay):
    """Replays a calendar day of India from a store, which a server may be recording into meanwhile.

    A frame is a recorded minute, at the time of its newest input. Its universe is what was listed that day,
    each chain with every strike it had. Blocks of minutes are read ahead on a thread of its own.

    Raises HistoryError where the store cannot be read or has nothing of that day.
    """

    def __init__(
        self,
        stored: StoredDay,
        *,
        catalogue: Catalogue,
        calendar: Calendar,
        hours: str,
        loop: bool = False,
    ) -> None:
        midnight = datetime.combine(stored.day, time(), IST)
        self._span = to_ms(midnight), to_ms(midnight + timedelta(days=1))
        self.ahead: dict[int, Future[Frames]] = {}
        self._prepared: tuple[int, ReplayTable] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="replay-reader")
        self.database = Database(stored.url, readers=2)
        self.database.open(exclusive=False)
        self._reader = Reader(self.database)
        try:
            with self.database.translating():
                times = self._list(stored, catalogue)
                self._quotes = DayQuotes(self._reader, self.universe, self._minutes, calendar, hours)
        except HistoryError:
            self.close()
            raise
        super().__init__(times, step_ms=MINUTE_MS, loop=loop)

    def close(self) -> None:
        """End the thread that reads ahead, and let go of the store."""
        self._pool.shutdown(cancel_futures=True)
        self.database.close()

    def _list(self, stored: StoredDay, catalogue: Catalogue) -> list[int]:
        """Find the day's minutes and what was listed in it; return the times of the frames."""
        with self.database.reading() as connection:
            known = _chains_from(connection, stored, catalogue)
            is_known = and_(chain_minutes.c.chain_id.in_(known), self._within())
            minutes = connection.execute(
                select(chain_minutes.c.minute_ms, func.max(chain_minutes.c.as_of_ms))
                .where(is_known)
                .group_by(chain_minutes.c.minute_ms)
                .order_by(chain_minutes.c.minute_ms)
            ).all()
            used = select(chain_minutes.c.listing_id).where(is_known).distinct()
            rows = connection.execute(select(listings).where(listings.c.id.in_(used))).all()
        if not minutes:
            what = ", ".join(stored.symbols) or "any chain"
            raise HistoryError(f"{self.database.name} has nothing recorded of {what} on {stored.day}.")
        self._minutes = np.array([minute for minute, _ in minutes], np.int64)
        listed: dict[ChainKey, list[Row]] = {}
        for row in rows:
            listed.setdefault(known[row.chain_id], []).append(row)
        self._keys = sorted(listed)
        recorded = {name for name, _ in self._keys}
        underlyings = [item for item in catalogue.underlyings if item.symbol in recorded]
        self.universe = Universe(underlyings, [_chain(key, listed[key]) for key in self._keys])
        times: list[int] = np.maximum.accumulate([as_of for _, as_of in minutes]).tolist()
        return times

    def _within(self) -> ColumnElement[bool]:
        return and_(chain_minutes.c.minute_ms >= self._span[0], chain_minutes.c.minute_ms < self._span[1])

    async def prepare(self, instant_ms: int) -> None:
        """Read the state of an instant on the thread, and what follows: of all chains that takes a second."""
        frame = max(0, bisect_right(self.times, instant_ms) - 1)
        self._prepared = frame, await asyncio.wrap_future(self._pool.submit(self._state_at, frame))
        block = (frame + 1) // BLOCK_MINUTES
        self._read_ahead(block)
        if block in self.ahead:  # whatever goes wrong with it is told when it is asked for
            await asyncio.gather(asyncio.wrap_future(self.ahead[block]), return_exceptions=True)

    def _update(self, first: int, stop: int) -> Update:
        """The frames, or the state after them where that is read sooner. Raises HistoryError."""
        if self._table is None or stop - first > 2 * BLOCK_MINUTES:
            self._table = self._prepared_at(stop - 1) or self._state_at(stop - 1)
            update = self._table.everything(self.times[stop - 1])
        else:
            update = self._overlay(self._table, range(first, stop))
        self._read_ahead(stop // BLOCK_MINUTES)
        return update

    def _overlay(self, table: ReplayTable, frames: range) -> Update:
        """Write some frames over what is known."""
        contract_rows: list[Rows] = [np.empty(0, np.intp)]
        for frame in frames:
            for key, chain in self._frames(frame // BLOCK_MINUTES)[frame % BLOCK_MINUTES]:
                contract_rows.append(table.write(self.universe.listing(*key), chain))
        table.underlyings[:] = self._quotes.at(frames[-1])
        rows = np.unique(np.concatenate(contract_rows))
        return table.part(self.times[frames[-1]], np.arange(len(self.universe.underlyings)), rows)

    def _prepared_at(self, frame: int) -> ReplayTable | None:
        """What prepare() read of a frame, once."""
        prepared, self._prepared = self._prepared, None
        return prepared[1] if prepared is not None and prepared[0] == frame else None

    def _state_at(self, frame: int) -> ReplayTable:
        """Everything known at a frame: the newest record of each chain that day."""
        table = ReplayTable(self.universe)
        for key in self._keys:
            stored = self._read(partial(self._reader.chain_at, *key, self.times[frame]))
            if stored is not None and stored.minute_ms[-1] >= self._span[0]:
                table.write(self.universe.listing(*key), _recorded(stored, -1))
        table.underlyings[:] = self._quotes.at(frame)
        return table

    def _frames(self, block: int) -> Frames:
        """The frames of a block. Raises HistoryError."""
        self._read_ahead(block)
        try:
            return self.ahead[block].result()
        except HistoryError:
            self.ahead.clear()  # to be read again
            raise

    def _read_ahead(self, block: int) -> None:
        """Have a block and the one after it read; what was read of others is dropped."""
        for passed in [known for known in self.ahead if not block <= known <= block + 1]:
            self.ahead.pop(passed).cancel()
        for ahead in (block, block + 1):
            if ahead not in self.ahead and ahead * BLOCK_MINUTES < len(self.times):
                self.ahead[ahead] = self._pool.submit(self._load, ahead)

    def _load(self, block: int) -> Frames:
        places = slice(block * BLOCK_MINUTES, (block + 1) * BLOCK_MINUTES)
        minutes = self._minutes[places].tolist()
        row_of = {minute: row for row, minute in enumerate(minutes)}
        frames: Frames = [[] for _ in minutes]
        for key in self._keys:
            for stored in self._read(partial(self._reader.chain, *key, minutes[0], minutes[-1] + 1)):
                for row, minute in enumerate(stored.minute_ms.tolist()):
                    frames[row_of[minute]].append((key, _recorded(stored, row)))
        return frames

    def _read(self, question: Callable[[], T]) -> T:
        with self.database.translating():
            return question()


def _chains_from(connection: Connection, stored: StoredDay, catalogue: Catalogue) -> dict[int, ChainKey]:
    """The chains in the store that had not expired on the day, by number. Raises HistoryError."""
    unknown = [name for name in stored.symbols if name not in catalogue]
    if unknown:
        raise HistoryError(f"The symbol {unknown[0]} of {stored.url}#{stored.day} is not known.")
    query = select(chains.c.id, symbols.c.name, chains.c.expiry).join_from(chains, symbols)
    rows = connection.execute(query.where(chains.c.expiry >= stored.day))
    return {
        chain_id: (name, expiry)
        for chain_id, name, expiry in rows
        if name in catalogue and (name in stored.symbols or not stored.symbols)
    }


def _chain(key: ChainKey, rows: Sequence[Row]) -> tuple[str, Expiry, FloatArray, NDArray[np.int64]]:
    """A chain with every strike that any of its listings had."""
    tokens: dict[float, tuple[int, int]] = {}
    for row in rows:
        strikes = np.frombuffer(row.strikes, "<f8")
        calls, puts = np.frombuffer(row.tokens, "<i8").reshape(2, -1)
        tokens |= dict(zip(strikes.tolist(), zip(calls.tolist(), puts.tolist(), strict=True), strict=True))
    strikes = np.array(sorted(tokens))
    expiry = Expiry(key[1], rows[-1].kind, to_datetime(rows[-1].expires_at_ms), rows[-1].lot_size)
    return key[0], expiry, strikes, np.array([tokens[strike] for strike in strikes.tolist()]).T.ravel()


def _recorded(stored: StoredChain, row: int) -> RecordedChain:
    legs = stored.legs(row)
    values = np.stack([legs[name] for name in CONTRACT_FIELDS])
    return RecordedChain(stored.strikes, values, float(stored.forward[row]))
