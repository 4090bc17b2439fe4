"""What readers ask the store; every function blocks, so it runs on a reader's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, bindparam, func, select

from domain.instants import DAY_MS, MINUTE_MS
from feed.history.store.candle_rows import HOUR_MS, stored_bars, stored_minutes
from feed.history.store.chain_rows import ChainRow, chain_runs
from feed.history.store.chains import GROUP_MS
from feed.history.store.codec import Damaged, unpack_candles
from feed.history.store.database import Database, read_meta
from feed.history.store.stored_chain import StoredChain
from feed.history.store.tables import (
    bar_blocks,
    chain_metrics,
    chain_minutes,
    chains,
    day_candles,
    listings,
    minute_blocks,
    recorded_days,
    symbols,
)
from feed.market.candles import Candles, FloatArray, IntArray
from feed.valuation.minute_metrics import METRICS

# what a past chain takes, put together once: that takes as long as finding it
_OF_SYMBOL = symbols.c.name == bindparam("symbol")
_CHAIN_ID = (
    select(chains.c.id).join_from(chains, symbols).where(_OF_SYMBOL, chains.c.expiry == bindparam("expiry"))
)
_EXPIRIES = (
    select(chains.c.expiry)
    .join_from(chains, symbols)
    .where(_OF_SYMBOL, chains.c.expiry >= bindparam("first"))
    .order_by(chains.c.expiry)
)
_NEWEST_RECORD = (
    select(chain_minutes.c.chain_id, chain_minutes.c.key_ms, chain_minutes.c.minute_ms)
    .where(
        chain_minutes.c.chain_id == _CHAIN_ID.scalar_subquery(),
        chain_minutes.c.minute_ms <= bindparam("at_ms"),
        chain_minutes.c.as_of_ms <= bindparam("at_ms"),
    )
    .order_by(chain_minutes.c.minute_ms.desc())
    .limit(1)
)
_GROUP_UNTIL = (
    select(chain_minutes)
    .where(
        chain_minutes.c.chain_id == bindparam("id"),
        chain_minutes.c.key_ms == bindparam("first_ms"),
        chain_minutes.c.minute_ms.between(bindparam("first_ms"), bindparam("last_ms")),
    )
    .order_by(chain_minutes.c.minute_ms)
)
_LISTINGS = select(listings).where(listings.c.id.in_(bindparam("ids", expanding=True)))


class Reader:
    """Queries of one store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def minutes(self, symbol: str, start_ms: int, end_ms: int) -> Candles:
        """One-minute candles of an underlying that begin in [start, end)."""
        with self.database.reading() as connection:
            return stored_minutes(connection, _symbol_id(connection, symbol), start_ms, end_ms)

    def bars(self, symbol: str, start_ms: int, end_ms: int) -> list[Candles]:
        """Bars wider than a minute that begin in [start, end), by ascending width."""
        with self.database.reading() as connection:
            return stored_bars(connection, _symbol_id(connection, symbol), start_ms, end_ms)

    def finest_width_ms(self, symbol: str, start_ms: int, end_ms: int, days: tuple[date, date]) -> int | None:
        """The width of the narrowest candles in [start, end) and ``days``, None where there are none."""
        block, bar, day = minute_blocks.c, bar_blocks.c, day_candles.c
        with self.database.reading() as connection:
            symbol_id = _symbol_id(connection, symbol)
            within = and_(block.symbol_id == symbol_id, block.hour_ms.between(start_ms - HOUR_MS, end_ms - 1))
            if connection.scalar(select(block.hour_ms).where(within).limit(1)) is not None:
                return MINUTE_MS
            within = and_(bar.symbol_id == symbol_id, bar.day_ms.between(start_ms - DAY_MS, end_ms - 1))
            width_ms: int | None = connection.scalar(select(func.min(bar.width_ms)).where(within))
            within = and_(day.symbol_id == symbol_id, day.day.between(*days))
            if width_ms is None and connection.scalar(select(day.day).where(within).limit(1)) is not None:
                return DAY_MS
            return width_ms

    def first_day(self, symbol: str) -> date | None:
        """The day of the oldest daily candle of an underlying, None where there is none."""
        day = day_candles.c
        with self.database.reading() as connection:
            symbol_id = _symbol_id(connection, symbol)
            found: date | None = connection.scalar(
                select(func.min(day.day)).where(day.symbol_id == symbol_id)
            )
        return found

    def earliest_ms(self, symbol: str) -> int | None:
        """Where the oldest minutes or bars of an underlying begin, to the hour or day; None without any."""
        block, bar = minute_blocks.c, bar_blocks.c
        with self.database.reading() as connection:
            symbol_id = _symbol_id(connection, symbol)
            found = [
                connection.scalar(select(func.min(block.hour_ms)).where(block.symbol_id == symbol_id)),
                connection.scalar(select(func.min(bar.day_ms)).where(bar.symbol_id == symbol_id)),
            ]
        return min((time_ms for time_ms in found if time_ms is not None), default=None)

    def recorded_days(self, exchange: str) -> dict[date, tuple[int, int]]:
        """Days that have rows though the calendar knew no session of them, with their open and close."""
        column = recorded_days.c
        query = select(column.day, column.open_ms, column.close_ms).where(column.exchange == exchange)
        with self.database.reading() as connection:
            return {day: (open_ms, close_ms) for day, open_ms, close_ms in connection.execute(query)}

    def minutes_of_all(self, names: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Candles]:
        """One-minute candles of many underlyings that begin in [start, end)."""
        block = minute_blocks.c
        query = (
            select(symbols.c.name, block.hour_ms, block.record)
            .join_from(symbols, minute_blocks)
            .where(symbols.c.name.in_(names), block.hour_ms > start_ms - HOUR_MS, block.hour_ms < end_ms)
            .order_by(symbols.c.name, block.hour_ms)
        )
        parts: dict[str, list[Candles]] = {}
        with self.database.reading() as connection:
            for name, hour_ms, record in connection.execute(query):
                parts.setdefault(name, []).append(unpack_candles(record, hour_ms))
        return {name: Candles.merge(blocks).between(start_ms, end_ms) for name, blocks in parts.items()}

    def days(
        self, symbol: str, first: date, last: date, label: Callable[[date], int]
    ) -> tuple[Candles, FloatArray]:
        """Daily candles of [first, last] labelled by ``label``, and the volatility of each: (n,)."""
        found = self.days_of_all([symbol], first, last, lambda _symbol, day: label(day))
        return found.get(symbol) or (Candles.empty(), np.empty(0))

    def days_of_all(
        self, names: Sequence[str], first: date, last: date, label: Callable[[str, date], int]
    ) -> dict[str, tuple[Candles, FloatArray]]:
        """As ``days``, of each of many underlyings that has any."""
        column = day_candles.c
        query = (
            select(
                symbols.c.name,
                column.day,
                column.open,
                column.high,
                column.low,
                column.close,
                column.volume,
                column.source,
                column.width_ms,
                column.atm_iv,
            )
            .join_from(symbols, day_candles)
            .where(symbols.c.name.in_(names), column.day >= first, column.day <= last)
            .order_by(symbols.c.name, column.day)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return {
            name: _day_columns([row[1:] for row in of_name], partial(label, name))
            for name, of_name in groupby(rows, key=itemgetter(0))
        }

    def volatilities(self, symbol: str, first: date, last: date) -> list[tuple[date, float | None, int]]:
        """Day, near-month volatility and source of each daily candle of [first, last], ascending."""
        column = day_candles.c
        query = (
            select(column.day, column.atm_iv, column.source)
            .join_from(day_candles, symbols)
            .where(symbols.c.name == symbol, column.day >= first, column.day <= last)
            .order_by(column.day)
        )
        with self.database.reading() as connection:
            return [(day, atm_iv, source) for day, atm_iv, source in connection.execute(query)]

    def filled_until_ms(self, symbol: str) -> int | None:
        """Until when the past of a symbol was filled, None where it never was."""
        with self.database.reading() as connection:
            found = read_meta(connection, filled_key(symbol))
        return None if found is None else int(found)

    def newest_chain_ms(self, today: date) -> int:
        """The newest minute of any chain that has not expired long ago, -1 where there is none."""
        minute = chain_minutes.c
        of_chain = select(func.max(minute.minute_ms)).where(minute.chain_id == chains.c.id)
        query = select(of_chain.scalar_subquery()).where(chains.c.expiry >= today)
        with self.database.reading() as connection:
            return max((found for found in connection.scalars(query) if found is not None), default=-1)

    def chain(
        self,
        symbol: str,
        expiry: date,
        start_ms: int,
        end_ms: int,
        strikes: Sequence[float] | None = None,
    ) -> list[StoredChain]:
        """The records of a chain whose minutes begin in [start, end), in runs of one list of strikes.

        ``strikes`` : only these are unpacked, which for a few of them takes a fraction of the time.
        """
        minute = chain_minutes.c
        with self.database.reading() as connection:
            chain_id = _chain_id(connection, symbol, expiry)
            query = (
                select(chain_minutes)
                .where(
                    minute.chain_id == chain_id,
                    # a group reaches at most so far back
                    minute.minute_ms >= start_ms - GROUP_MS,
                    minute.minute_ms < end_ms,
                )
                .order_by(minute.key_ms, minute.minute_ms)
            )
            rows = connection.execute(query).all()
            lists = _listings(connection, {row.listing_id for row in rows})
        return chain_runs((symbol, expiry), rows, lists, start_ms, strikes)

    def chains_of(self, symbol: str, start_ms: int, end_ms: int) -> list[StoredChain]:
        """The records of every chain of a symbol whose minutes begin in [start, end)."""
        with self.database.reading() as connection:
            query = select(chains.c.expiry).join_from(chains, symbols).where(symbols.c.name == symbol)
            expiries = connection.scalars(query.order_by(chains.c.expiry)).all()
        return [chain for expiry in expiries for chain in self.chain(symbol, expiry, start_ms, end_ms)]

    def chain_at(self, symbol: str, expiry: date, at_ms: int) -> StoredChain | None:
        """The newest record of a chain whose newest input is not later than an instant."""
        with self.database.reading() as connection:
            chain = {"symbol": symbol, "expiry": expiry}
            found = connection.execute(_NEWEST_RECORD, {**chain, "at_ms": at_ms}).first()
            if found is None:
                return None
            group = {"id": found.chain_id, "first_ms": found.key_ms, "last_ms": found.minute_ms}
            rows = connection.execute(_GROUP_UNTIL, group).all()
            lists = _listings(connection, {rows[-1].listing_id})
        runs = chain_runs((symbol, expiry), rows, lists, found.minute_ms)
        if not runs:
            raise Damaged(f"the chain {symbol} {expiry} has lost the first record of a group")
        return runs[-1]

    def spots(self, symbol: str, start_ms: int, end_ms: int) -> tuple[IntArray, FloatArray]:
        """Prices of an underlying as the records of its chains tell them: minutes in [start, end), prices."""
        minute, is_its = chain_minutes.c, chain_minutes.c.chain_id == chains.c.id
        query = (
            select(minute.minute_ms, func.max(minute.spot))
            .join_from(chain_minutes, chains, is_its)
            .join(symbols)
            .where(symbols.c.name == symbol, minute.minute_ms >= start_ms, minute.minute_ms < end_ms)
            .group_by(minute.minute_ms)
            .order_by(minute.minute_ms)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)

    def expiries(self, symbol: str, first: date) -> list[date]:
        """The expiries from a day on that have a name in the store, nearest first."""
        with self.database.reading() as connection:
            return list(connection.scalars(_EXPIRIES, {"symbol": symbol, "first": first}))

    def chain_sources(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> list[int]:
        """The sources of the records of a chain whose minutes begin in [start, end)."""
        minute = chain_minutes.c
        with self.database.reading() as connection:
            query = select(minute.source).where(
                minute.chain_id == _chain_id(connection, symbol, expiry),
                minute.minute_ms >= start_ms,
                minute.minute_ms < end_ms,
            )
            return list(connection.scalars(query.distinct()))

    def coverage(self, symbol: str, expiry: date) -> tuple[int, int] | None:
        """First and last instant of which a chain is recorded, None where nothing is."""
        minute = chain_minutes.c
        with self.database.reading() as connection:
            is_it = minute.chain_id == _chain_id(connection, symbol, expiry)
            first, last = (
                connection.scalar(select(minute.as_of_ms).where(is_it).order_by(order).limit(1))
                for order in (minute.minute_ms.asc(), minute.minute_ms.desc())
            )
        return None if first is None or last is None else (first, last)

    def metrics(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> dict[str, FloatArray]:
        """Metric series of a chain over minutes that begin in [start, end): ``minute_ms`` and ``METRICS``."""
        column = chain_metrics.c
        names = ("minute_ms", *METRICS)
        with self.database.reading() as connection:
            query = (
                select(*(column[name] for name in names))
                .where(
                    column.chain_id == _chain_id(connection, symbol, expiry),
                    column.minute_ms >= start_ms,
                    column.minute_ms < end_ms,
                )
                .order_by(column.minute_ms)
            )
            rows = connection.execute(query).all()
        values = np.array([tuple(row) for row in rows], np.float64).reshape(len(rows), len(names))
        return dict(zip(names, np.ascontiguousarray(values.T), strict=True))


def filled_key(symbol: str) -> str:
    """The note of the store that says until when the past of a symbol was filled."""
    return f"filled {symbol}"


def _day_columns(rows: Sequence[Sequence[Any]], label: Callable[[date], int]) -> tuple[Candles, FloatArray]:
    days, *prices, source, width_ms, atm_iv = zip(*rows, strict=True)
    columns = [np.array(values, np.float64) for values in prices]
    times = np.array([label(day) for day in days], np.int64)
    widths = np.array([width or 0 for width in width_ms], np.int64)
    return Candles.of(times, columns, np.array(source, np.int64), widths), np.array(atm_iv, np.float64)


def _symbol_id(connection: Connection, symbol: str) -> int | None:
    return connection.scalar(select(symbols.c.id).where(symbols.c.name == symbol))


def _chain_id(connection: Connection, symbol: str, expiry: date) -> int | None:
    return connection.scalar(_CHAIN_ID, {"symbol": symbol, "expiry": expiry})


def _listings(connection: Connection, ids: set[int]) -> dict[int, ChainRow]:
    if not ids:
        return {}
    return {row.id: row for row in connection.execute(_LISTINGS, {"ids": list(ids)})}
