"""What keeps a store in order: its figures, what is kept how long, and whether all in it is sound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Select, and_, delete, func, or_, select, text

from domain.instants import DAY_MS, to_datetime
from feed.history.store.candle_rows import HOUR_MS, write_minutes
from feed.history.store.chains import GROUP_MS, ChainEncoder
from feed.history.store.codec import unpack_candles
from feed.history.store.database import Database
from feed.history.store.tables import (
    SCHEMA_VERSION,
    bar_blocks,
    chain_metrics,
    chain_minutes,
    chains,
    day_candles,
    listings,
    minute_blocks,
    symbols,
)

_ROWS_A_STEP = 50_000  # a step of pruning holds the writer for about a second
_FREED_PAGES_A_STEP = 2_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days of each kind are kept; None keeps them for ever."""

    minute_candles_days: int | None = 400
    daily_candles_days: int | None = None
    chains_days: int | None = 30
    metrics_days: int | None = 400


@dataclass(frozen=True, slots=True)
class Kind:
    """What a store holds of one kind: rows, and the instants of the first and the last."""

    name: str
    rows: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Info:
    """Figures of a store."""

    name: str
    schema_version: int
    size_bytes: int
    symbols: int
    chains: int
    kinds: tuple[Kind, ...]


def store_info(database: Database) -> Info:
    """Figures of a store; counting reads its indexes, not its records."""
    with database.reading() as connection:
        return Info(
            name=database.name,
            schema_version=SCHEMA_VERSION,
            size_bytes=_size(database, connection),
            symbols=_count(connection, select(func.count()).select_from(symbols)),
            chains=_count(connection, select(func.count()).select_from(chains)),
            kinds=tuple(_kinds(connection)),
        )


def _kinds(connection: Connection) -> Iterator[Kind]:
    block, day = minute_blocks.c, day_candles.c
    query = select(func.sum(block.candle_count), func.min(block.hour_ms), func.max(block.hour_ms))
    count, first, last = connection.execute(query).one()
    yield Kind("minute candles", int(count or 0), _instant(first), _instant(last))
    bar = bar_blocks.c
    query = select(func.sum(bar.candle_count), func.min(bar.day_ms), func.max(bar.day_ms))
    count, first, last = connection.execute(query).one()
    yield Kind("wider bars", int(count or 0), _instant(first), _instant(last))
    count, first_day, last_day = connection.execute(
        select(func.count(), func.min(day.day), func.max(day.day))
    ).one()
    yield Kind("daily candles", count, _midnight(first_day), _midnight(last_day))
    for name, table in (("chain minutes", chain_minutes), ("chain metrics", chain_metrics)):
        minute = table.c.minute_ms
        count, first, last = connection.execute(
            select(func.count(), func.min(minute), func.max(minute)).select_from(table)
        ).one()
        yield Kind(name, count, _instant(first), _instant(last))


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else to_datetime(at_ms)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _count(connection: Connection, query: Select[int]) -> int:
    return int(connection.execute(query).scalar_one())


def _size(database: Database, connection: Connection) -> int:
    if not database.is_sqlite:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    return pages * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


class PruneJob:
    """One step of pruning: deletes what is older than is to be kept, up to a number of rows.

    And the chains of spans that are ``archived``.
    """

    urgent = False

    def __init__(self, retention: Retention, now_ms: int, archived: Sequence[tuple[int, int]] = ()) -> None:
        self._retention = retention
        self._archived = archived
        self._now_ms = now_ms
        self.deleted = 0

    @property
    def is_finished(self) -> bool:
        """Whether nothing more was found to delete."""
        return self.deleted < _ROWS_A_STEP

    def write(self, connection: Connection) -> None:
        """Delete; see ``feed.history.store.writer.Job``."""
        keep, self.deleted = self._retention, 0
        if keep.minute_candles_days is not None:
            old = minute_blocks.c.hour_ms < self._cutoff_ms(keep.minute_candles_days) - HOUR_MS
            self.deleted += connection.execute(delete(minute_blocks).where(old)).rowcount
            old_bars = bar_blocks.c.day_ms < self._cutoff_ms(keep.minute_candles_days) - DAY_MS
            self.deleted += connection.execute(delete(bar_blocks).where(old_bars)).rowcount
        if keep.daily_candles_days is not None:
            old_day = day_candles.c.day < to_datetime(self._cutoff_ms(keep.daily_candles_days)).date()
            self.deleted += connection.execute(delete(day_candles).where(old_day)).rowcount
        for chain_id in connection.scalars(select(chains.c.id).order_by(chains.c.expiry)).all():
            if self.deleted >= _ROWS_A_STEP:
                break
            self.deleted += self._prune_chain(connection, chain_id)
        if self.is_finished:
            _forget_expired_chains(connection, to_datetime(self._now_ms).date())
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA incremental_vacuum({_FREED_PAGES_A_STEP})")

    def undo(self) -> None:
        """Nothing is remembered outside the database."""

    def _cutoff_ms(self, days: int) -> int:
        return self._now_ms - days * DAY_MS

    def _prune_chain(self, connection: Connection, chain_id: int) -> int:
        deleted = 0
        if self._retention.chains_days is not None:
            minute, cutoff_ms = chain_minutes.c, self._cutoff_ms(self._retention.chains_days)
            # by groups: a record is of no use without the first of its group
            old = and_(
                minute.chain_id == chain_id,
                minute.minute_ms < cutoff_ms + GROUP_MS,
                minute.key_ms < cutoff_ms,
            )
            deleted += connection.execute(delete(chain_minutes).where(old)).rowcount
        if self._retention.metrics_days is not None:
            value = chain_metrics.c
            old = and_(
                value.chain_id == chain_id,
                value.minute_ms < self._cutoff_ms(self._retention.metrics_days),
            )
            deleted += connection.execute(delete(chain_metrics).where(old)).rowcount
        return deleted + self._drop_archived(connection, chain_id)

    def _drop_archived(self, connection: Connection, chain_id: int) -> int:
        """Delete of a chain what stands in files; a group that goes on in the next day stays until then."""
        minute, value, deleted = chain_minutes.c, chain_metrics.c, 0
        first = connection.scalar(select(func.min(minute.minute_ms)).where(minute.chain_id == chain_id))
        for start_ms, end_ms in self._archived:
            if first is None or end_ms <= first:
                continue
            is_day = and_(
                minute.chain_id == chain_id, minute.minute_ms >= start_ms, minute.minute_ms < end_ms
            )
            goes_on = select(minute.key_ms).where(
                minute.chain_id == chain_id,
                minute.minute_ms >= end_ms,
                minute.minute_ms < end_ms + GROUP_MS,
                minute.key_ms < end_ms,
            )
            old = and_(is_day, minute.key_ms.not_in(list(connection.scalars(goes_on.distinct()))))
            deleted += connection.execute(delete(chain_minutes).where(old)).rowcount
            old = and_(value.chain_id == chain_id, value.minute_ms >= start_ms, value.minute_ms < end_ms)
            deleted += connection.execute(delete(chain_metrics).where(old)).rowcount
        return deleted


class RewindJob:
    """Deletes all that was recorded from an instant on: of a replay that goes back to an earlier one."""

    urgent = True

    def __init__(self, encoder: ChainEncoder, from_ms: int, first_day: date) -> None:
        self._encoder = encoder
        self.from_ms = from_ms
        self._first_day = first_day
        self.is_done = threading.Event()

    def write(self, connection: Connection) -> None:
        """Delete; see ``feed.history.store.writer.Job``."""
        self._encoder.reset()  # the records that the next would be told from are deleted
        self._cut_running_hour(connection)
        connection.execute(delete(minute_blocks).where(minute_blocks.c.hour_ms >= self.from_ms))
        connection.execute(delete(day_candles).where(day_candles.c.day >= self._first_day))
        for table in (chain_minutes, chain_metrics):
            connection.execute(delete(table).where(table.c.minute_ms >= self.from_ms))
        self.is_done.set()

    def undo(self) -> None:
        """It is still to be done."""
        self.is_done.clear()

    def _cut_running_hour(self, connection: Connection) -> None:
        block, hour_ms = minute_blocks.c, self.from_ms - self.from_ms % HOUR_MS
        rows = connection.execute(select(block.symbol_id, block.record).where(block.hour_ms == hour_ms)).all()
        connection.execute(delete(minute_blocks).where(block.hour_ms == hour_ms))
        remaining = {row.symbol_id: unpack_candles(row.record, hour_ms) for row in rows}
        write_minutes(
            connection, {key: candles.between(0, self.from_ms) for key, candles in remaining.items()}
        )


def _forget_expired_chains(connection: Connection, today: date) -> None:
    """Drop the names of expired chains of which nothing is kept."""
    remaining = or_(
        select(chain_minutes.c.chain_id).where(chain_minutes.c.chain_id == chains.c.id).exists(),
        select(chain_metrics.c.chain_id).where(chain_metrics.c.chain_id == chains.c.id).exists(),
    )
    empty = list(connection.scalars(select(chains.c.id).where(~remaining, chains.c.expiry < today)))
    if empty:
        connection.execute(delete(listings).where(listings.c.chain_id.in_(empty)))
        connection.execute(delete(chains).where(chains.c.id.in_(empty)))
