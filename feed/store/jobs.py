"""What the writer writes: closed minutes, parts of minutes, and what backfill and import bring."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, case, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from feed.candles import MINUTE_MS, SOURCES, Candles, TradingDay, gather
from feed.store.chains import ChainEncoder
from feed.store.codec import Damaged, FloatArray, pack_candles, unpack_candles
from feed.store.database import write_rows
from feed.store.days import DayRows
from feed.store.forming import Bars, ClosedMinute
from feed.store.tables import (
    METRICS,
    chain_metrics,
    chain_minutes,
    chains,
    day_candles,
    listings,
    minute_blocks,
    symbols,
)
from feed.universe import Listing

logger = logging.getLogger(__name__)

HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class ChainMetrics:
    """What the valuation of all chains says at the end of a minute; raw units, NaN where not known.

    ``values`` maps names of ``METRICS`` to (listings,); ``implied_volatility`` : (contracts,) as a decimal;
    ``session_atm_iv`` : (underlyings,), the volatility that the rank of an underlying rests on.
    """

    values: Mapping[str, FloatArray]
    implied_volatility: FloatArray | None = None
    session_atm_iv: FloatArray | None = None


Valuation = Callable[[ClosedMinute], ChainMetrics]


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
                    expires_at_ms=round(listing.expiry.expires_at.timestamp() * 1000),
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


def write_minutes(connection: Connection, parts: Mapping[int, Candles], *, replace: bool = True) -> None:
    """Lay one-minute candles over those stored: by symbol id; ``replace=False`` only fills gaps."""
    hours: dict[tuple[int, int], Candles] = {}
    for symbol_id, candles in parts.items():
        hour = candles.time_ms // HOUR_MS
        for start in np.unique(hour).tolist():
            hours[symbol_id, start * HOUR_MS] = candles.take(hour == start)
    stored = _stored_blocks(connection, hours)
    rows = []
    for (symbol_id, hour_ms), new in hours.items():
        known = _known_hour(stored.get((symbol_id, hour_ms)), hour_ms)
        merged = Candles.merge([known, new] if replace else [new, known])
        rows.append(
            {
                "symbol_id": symbol_id,
                "hour_ms": hour_ms,
                "candle_count": len(merged),
                "record": pack_candles(merged, hour_ms),
            }
        )
    write_rows(connection, minute_blocks, rows)


def _known_hour(record: bytes | None, hour_ms: int) -> Candles:
    """A stored hour, empty where there is none; one that cannot be read is written anew."""
    if record is None:
        return Candles.empty()
    try:
        return unpack_candles(record, hour_ms)
    except Damaged:
        logger.exception("a stored hour is damaged and is replaced")
        return Candles.empty()


def _stored_blocks(connection: Connection, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The records of some symbols and hours: for one hour of all symbols, or many hours of few."""
    hours_of: dict[int, list[int]] = {}
    for symbol_id, hour_ms in keys:
        hours_of.setdefault(symbol_id, []).append(hour_ms)
    block = minute_blocks.c
    ids_of: dict[tuple[int, int], list[int]] = {}
    for symbol_id, hours in hours_of.items():
        ids_of.setdefault((min(hours), max(hours)), []).append(symbol_id)
    found = {}
    for (first_ms, last_ms), symbol_ids in ids_of.items():
        query = select(block.symbol_id, block.hour_ms, block.record).where(
            block.symbol_id.in_(symbol_ids), block.hour_ms.between(first_ms, last_ms)
        )
        for symbol_id, hour_ms, record in connection.execute(query):
            found[symbol_id, hour_ms] = record
    return found


def write_days(connection: Connection, rows: Sequence[Mapping[str, object]], *, replace: bool = True) -> None:
    """Lay daily candles over those stored; a volatility stays until there is a newer one."""
    if not rows:
        return
    insert_new = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert_new(day_candles)
    key = ["symbol_id", "day"]
    if replace:
        new, old = statement.excluded, day_candles.c
        changed: dict[str, Any] = {
            name: new[name] for name in ("open", "high", "low", "close", "volume", "source")
        }
        changed["atm_iv"] = case((new.atm_iv.is_(None), old.atm_iv), else_=new.atm_iv)
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    connection.execute(statement, list(rows))


def rebuild_days(connection: Connection, days: Sequence[tuple[int, TradingDay]]) -> None:
    """Make the daily candles of some symbol ids from their stored minutes."""
    rows = []
    for symbol_id, day in days:
        candles = stored_minutes(connection, symbol_id, day.start_ms, day.end_ms)
        if len(candles):
            rows.append(day_row(symbol_id, day.day, gather(np.zeros(len(candles), np.int64), candles), 0))
    write_days(connection, rows)


def day_row(symbol_id: int, day: date, candles: Candles, row: int) -> dict[str, object]:
    """One candle as a row of the table of days."""
    names = ("open", "high", "low", "close", "volume")
    return {
        "symbol_id": symbol_id,
        "day": day,
        **{name: known(float(getattr(candles, name)[row])) for name in names},
        "source": int(candles.source[row]),
        "atm_iv": None,
    }


def stored_minutes(connection: Connection, symbol_id: int | None, start_ms: int, end_ms: int) -> Candles:
    """One-minute candles of a symbol that begin in [start, end)."""
    block = minute_blocks.c
    query = (
        select(block.hour_ms, block.record)
        .where(block.symbol_id == symbol_id, block.hour_ms > start_ms - HOUR_MS, block.hour_ms < end_ms)
        .order_by(block.hour_ms)
    )
    parts = [unpack_candles(record, hour_ms) for hour_ms, record in connection.execute(query)]
    return Candles.merge(parts).between(start_ms, end_ms)


class MinuteJob:
    """A closed minute of the market: candles and days of underlyings, and every chain's record."""

    urgent = False

    def __init__(
        self,
        registry: Registry,
        encoder: ChainEncoder,
        minute: ClosedMinute,
        days: DayRows | None,
        valuation: ChainMetrics | Valuation | None = None,
    ) -> None:
        self.minute = minute
        self._registry = registry
        self._encoder = encoder
        self._days = days
        self._valuation = valuation

    def write(self, connection: Connection) -> None:
        """Write the minute; see ``feed.store.writer.Job``."""
        minute = self.minute
        if callable(self._valuation):
            self._valuation = _valued(self._valuation, minute)
        names = [underlying.symbol for underlying in minute.universe.underlyings]
        ids = self._registry.symbol_ids(connection, names)
        if self._days is not None:
            self._write_underlyings(connection, [ids[name] for name in names], self._days)
        write_chains(connection, self._registry, self._encoder, minute, self._valuation)

    def undo(self) -> None:
        """Forget numbers and states that the failed transaction was to keep."""
        self._registry.clear()
        self._encoder.reset()

    def _write_underlyings(self, connection: Connection, symbol_ids: list[int], days: DayRows) -> None:
        minute = self.minute
        write_minutes(
            connection, _minute_candles(minute.underlyings, minute.start_ms, minute.source, symbol_ids)
        )
        write_running_days(connection, days, minute.source, symbol_ids, self._session_atm_iv())

    def _session_atm_iv(self) -> FloatArray | None:
        return self._valuation.session_atm_iv if isinstance(self._valuation, ChainMetrics) else None


def _valued(valuation: Valuation, minute: ClosedMinute) -> ChainMetrics | None:
    """The figures of a minute; without them its prices are still worth keeping."""
    try:
        return valuation(minute)
    except (ValueError, ArithmeticError, LookupError):
        logger.exception("the chains of a minute could not be valued")
        return None


class PartJob:
    """The minute that is being formed as it stands, underlyings only: it outlives a kill of the server."""

    urgent = False

    def __init__(
        self,
        registry: Registry,
        names: Sequence[str],
        bars: Bars,
        days: DayRows,
        start_ms: int,
        source: int,
    ) -> None:
        self._registry = registry
        self._names = names
        self._bars = bars
        self._days = days
        self._start_ms = start_ms
        self._source = source

    def write(self, connection: Connection) -> None:
        """Write the part; see ``feed.store.writer.Job``."""
        ids = self._registry.symbol_ids(connection, self._names)
        symbol_ids = [ids[name] for name in self._names]
        write_minutes(connection, _minute_candles(self._bars, self._start_ms, self._source, symbol_ids))
        write_running_days(connection, self._days, self._source, symbol_ids, None)

    def undo(self) -> None:
        """Forget numbers that the failed transaction was to keep."""
        self._registry.clear()


def _minute_candles(bars: Bars, start_ms: int, source: int, symbol_ids: Sequence[int]) -> dict[int, Candles]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    time_ms = np.array([start_ms])
    return {
        symbol_ids[row]: Candles.of(time_ms, [column[row : row + 1] for column in columns], source)
        for row in np.flatnonzero(bars.touched).tolist()
    }


def write_running_days(
    connection: Connection,
    days: DayRows,
    source: int,
    symbol_ids: Sequence[int],
    atm_iv: FloatArray | None,
) -> None:
    """Write the running day of every underlying."""
    rows = [
        {
            "symbol_id": symbol_ids[row],
            "day": days.days[place],
            **{name: known(column[place]) for name, column in days.columns.items()},
            "source": source,
            "atm_iv": None if atm_iv is None else known(float(atm_iv[row])),
        }
        for place, row in enumerate(days.rows)
    ]
    write_days(connection, rows)
    rebuild_days(connection, [(symbol_ids[row], day) for row, day in days.broken])


def known(value: float) -> float | None:
    """A value as the database keeps it: NaN is NULL."""
    return None if value != value else value


def write_chains(
    connection: Connection,
    registry: Registry,
    encoder: ChainEncoder,
    minute: ClosedMinute,
    metrics: ChainMetrics | Valuation | None,
) -> None:
    """Write the record and the metrics of every listing that changed in a minute."""
    values = metrics if isinstance(metrics, ChainMetrics) else None
    spot = minute.underlyings.close
    records, series = [], []
    volatility = values.implied_volatility if values else None
    recorded = registry.recorded(connection, minute)
    for row, key_ms, record in encoder.encode(minute, volatility, recorded):
        listing = minute.universe.listings[row]
        chain_id = registry.chain_id(connection, listing.symbol, listing.expiry.day)
        records.append(
            {
                "chain_id": chain_id,
                "minute_ms": minute.start_ms,
                "key_ms": key_ms,
                "as_of_ms": minute.as_of_ms,
                "listing_id": registry.listing_id(connection, chain_id, listing),
                "source": minute.source,
                "spot": known(float(spot[listing.underlying_row])),
                "record": record,
            }
        )
        if values:
            series.append(
                {"chain_id": chain_id, "minute_ms": minute.start_ms}
                | {
                    name: known(float(values.values[name][row])) if name in values.values else None
                    for name in METRICS
                }
            )
    write_rows(connection, chain_minutes, records)
    write_rows(connection, chain_metrics, series)


def _metrics_row(metrics: ChainMetrics, row: int) -> dict[str, float | None]:
    given = metrics.values
    return {name: known(float(given[name][row])) if name in given else None for name in METRICS}


def source_name(code: int) -> str:
    """The name of a stored source."""
    return SOURCES[code] if 0 <= code < len(SOURCES) else SOURCES[0]
