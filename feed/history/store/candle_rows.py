"""Candles into the tables and out of them: minutes by the hour, days one by one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, bindparam, case, func, select, update

from domain.instants import DAY_MS, MINUTE_MS
from feed.history.memory.days import DayRows
from feed.history.store.codec import Damaged, FloatArray, pack_candles, unpack_candles
from feed.history.store.database import upsert, write_rows
from feed.history.store.tables import bar_blocks, day_candles, minute_blocks
from feed.market.candles import Candles, TradingDay, gather, laid_over

logger = logging.getLogger(__name__)

HOUR_MS = 60 * MINUTE_MS


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
        record, merged = stored.get((symbol_id, hour_ms)), new
        if record is not None:
            known = _known_hour(record, hour_ms)
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


def write_bars(connection: Connection, symbol_id: int, candles: Candles) -> None:
    """Lay candles of one width, some minutes, over those stored of that width."""
    if not len(candles):
        return
    width_ms, block = int(candles.width_ms[0]), bar_blocks.c
    days = candles.time_ms // DAY_MS
    rows = []
    for start in np.unique(days).tolist():
        day_ms = start * DAY_MS
        stored = connection.scalar(
            select(block.record).where(
                block.symbol_id == symbol_id, block.width_ms == width_ms, block.day_ms == day_ms
            )
        )
        merged = candles.take(days == start)
        if stored is not None:
            merged = Candles.merge([_known_hour(stored, day_ms), merged])
        key = {"symbol_id": symbol_id, "width_ms": width_ms, "day_ms": day_ms}
        rows.append({**key, "candle_count": len(merged), "record": pack_candles(merged, day_ms)})
    write_rows(connection, bar_blocks, rows)


def stored_bars(connection: Connection, symbol_id: int | None, start_ms: int, end_ms: int) -> list[Candles]:
    """Bars wider than a minute that begin in [start, end), by ascending width."""
    block = bar_blocks.c
    query = (
        select(block.width_ms, block.day_ms, block.record)
        .where(block.symbol_id == symbol_id, block.day_ms > start_ms - DAY_MS, block.day_ms < end_ms)
        .order_by(block.width_ms, block.day_ms)
    )
    parts: dict[int, list[Candles]] = {}
    for width_ms, day_ms, record in connection.execute(query):
        parts.setdefault(width_ms, []).append(unpack_candles(record, day_ms).of_width(width_ms))
    return [Candles.merge(blocks).between(start_ms, end_ms) for blocks in parts.values()]


def _known_hour(record: bytes, hour_ms: int) -> Candles:
    """A stored hour; one that cannot be read is written anew."""
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
    """Lay daily candles over those stored; a volatility stays until there is a newer one.

    One made of narrower bars gives way: what minutes make of a day may be a part of it.
    """
    if rows:
        connection.execute(_insertion_of_days(connection.dialect.name, replace), list(rows))


@cache
def _insertion_of_days(dialect: str, replace: bool) -> Any:
    statement = upsert(dialect)(day_candles)
    key = ["symbol_id", "day"]
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=key)
    new, old = statement.excluded, day_candles.c
    outranked = func.coalesce(old.width_ms, 0) > func.coalesce(new.width_ms, 0)
    changed: dict[str, Any] = {
        name: case((outranked, old[name]), else_=new[name])
        for name in ("open", "high", "low", "close", "volume", "source", "width_ms")
    }
    changed["atm_iv"] = case((new.atm_iv.is_(None), old.atm_iv), else_=new.atm_iv)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def add_volatilities(connection: Connection, symbol_id: int, of: Mapping[date, float], source: int) -> None:
    """Note volatilities in the daily candles of that source which have none; none is replaced."""
    column = day_candles.c
    lacking = and_(column.symbol_id == symbol_id, column.source == source, column.atm_iv.is_(None))
    days = set(connection.scalars(select(column.day).where(lacking)))
    rows = [{"on": day, "told": value} for day, value in of.items() if day in days]
    if rows:
        statement = update(day_candles).where(column.symbol_id == symbol_id, column.day == bindparam("on"))
        connection.execute(statement.values(atm_iv=bindparam("told")), rows)


def rebuild_days(
    connection: Connection, days: Sequence[tuple[int, TradingDay]], source: int | None = None
) -> None:
    """Make the daily candles of some symbol ids from what is stored, with ``source`` of that alone."""
    rows = []
    for symbol_id, day in days:
        candles = stored_minutes(connection, symbol_id, day.start_ms, day.end_ms)
        if source is not None:
            span = symbol_id, day.start_ms, day.end_ms
            candles = laid_over([candles, *stored_bars(connection, *span)])
            candles = candles.take(candles.source == source)
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
        "width_ms": int(candles.width_ms[row]) or None,
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
            "width_ms": MINUTE_MS,
        }
        for place, row in enumerate(days.rows)
    ]
    write_days(connection, rows)
    rebuild_days(connection, [(symbol_ids[row], day) for row, day in days.broken])


def known(value: float) -> float | None:
    """A value as the database keeps it: NaN is NULL."""
    return None if value != value else value
