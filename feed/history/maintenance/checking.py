"""Whether what a store holds is sound: SQLite's own look at its file, and a reading of every record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, select

from domain.instants import DAY_MS, to_datetime
from feed.history.store.candle_rows import HOUR_MS
from feed.history.store.chains import decode_records
from feed.history.store.codec import Damaged, unpack_candles
from feed.history.store.database import Database
from feed.history.store.problems import HistoryError
from feed.history.store.tables import (
    bar_blocks,
    chain_minutes,
    chains,
    day_candles,
    listings,
    minute_blocks,
    symbols,
)
from feed.market.candles import Candles, width_name

logger = logging.getLogger(__name__)

_QUICK_LOOK_BYTES = 1 << 30  # a look at more would keep a stopping server waiting
_MAX_PROBLEMS = 1_000

Progress = Callable[[int, int], None]


def quick_fault(database: Database) -> str | None:
    """What SQLite's own quick look at its file finds wrong, as a sentence; None where nothing is."""
    try:
        with database.translating():
            if database.path is None or database.path.stat().st_size > _QUICK_LOOK_BYTES:
                return None
            with database.reading() as connection:
                said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except HistoryError as error:
        return _noted(str(error), error.outline)
    if said == "ok":
        return None
    advice = "is damaged: move its file away, or restore a copy"
    return _noted(f"The history store {database.name} {advice} ({said}).", f"The history store {advice}.")


def _noted(sentence: str, outline: str) -> str:
    """Tell the operator in the log, and return what anybody may know."""
    logger.error(sentence)
    return outline


@dataclass(slots=True)
class Checked:
    """What a check went through, and what is wrong: each a sentence."""

    records: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Note a problem, up to a number that a person reads."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)


def check_store(database: Database, progress: Progress = lambda done, total: None) -> Checked:
    """Read every record of a store and say what is not sound."""
    checked = Checked()
    with database.reading() as connection:
        if database.is_sqlite:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            checked.problems += [f"SQLite says: {line}." for line in said if line != "ok"]
        names = {row.id: row.name for row in connection.execute(select(symbols))}
        of_chain = {row.id: row for row in connection.execute(select(chains))}
        total, done = len(names) + len(of_chain), 0
        for symbol_id, name in names.items():
            progress(done, total)
            _check_candles(connection, symbol_id, name, checked)
            done += 1
        for chain_id, chain in of_chain.items():
            progress(done, total)
            _check_chain(connection, chain_id, f"{names[chain.symbol_id]} {chain.expiry}", checked)
            done += 1
        progress(total, total)
    return checked


def _check_candles(connection: Connection, symbol_id: int, name: str, checked: Checked) -> None:
    block = minute_blocks.c
    for hour_ms, count, record in connection.execute(
        select(block.hour_ms, block.candle_count, block.record).where(block.symbol_id == symbol_id)
    ):
        checked.records += 1
        what = f"The hour {to_datetime(hour_ms):%Y-%m-%d %H:%M} of {name}"
        try:
            candles = unpack_candles(record, hour_ms)
        except Damaged as error:
            checked.add(f"{what} cannot be read: {error}.")
            continue
        for problem in _faults(candles, count, hour_ms):
            checked.add(f"{what} {problem}.")
    bar = bar_blocks.c
    query = select(bar.width_ms, bar.day_ms, bar.candle_count, bar.record).where(bar.symbol_id == symbol_id)
    for width_ms, day_ms, count, record in connection.execute(query):
        checked.records += 1
        what = f"The day {to_datetime(day_ms):%Y-%m-%d} of {width_name(width_ms)} bars of {name}"
        try:
            candles = unpack_candles(record, day_ms)
        except Damaged as error:
            checked.add(f"{what} cannot be read: {error}.")
            continue
        for problem in _faults(candles, count, day_ms, DAY_MS):
            checked.add(f"{what} {problem}.")
    day = day_candles.c
    for row in connection.execute(select(day_candles).where(day.symbol_id == symbol_id)):
        checked.records += 1
        if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
            checked.add(f"The day {row.day} of {name} has prices outside its low and high.")


def _faults(candles: Candles, count: int, start_ms: int, width_ms: int = HOUR_MS) -> Iterator[str]:
    times = candles.time_ms
    if len(candles) != count:
        yield f"has {len(candles)} candles and says it has {count}"
    if np.any(np.diff(times) <= 0):
        yield "has candles doubled or out of order"
    if len(times) and not start_ms <= times[0] <= times[-1] < start_ms + width_ms:
        yield "has candles of another time"
    lowest, highest = np.minimum(candles.open, candles.close), np.maximum(candles.open, candles.close)
    if np.any((candles.low > lowest) | (candles.high < highest)):
        yield "has prices outside their low and high"


def _check_chain(connection: Connection, chain_id: int, name: str, checked: Checked) -> None:
    minute = chain_minutes.c
    sizes = {
        row.id: len(row.strikes) // 4  # 8 bytes a strike, two contracts each
        for row in connection.execute(select(listings).where(listings.c.chain_id == chain_id))
    }
    query = (
        select(minute.minute_ms, minute.key_ms, minute.listing_id, minute.record)
        .where(minute.chain_id == chain_id)
        .order_by(minute.key_ms, minute.minute_ms)
    )
    group: list[tuple[int, int, int, bytes]] = []
    for row in connection.execute(query):
        if group and group[0][1] != row.key_ms:
            _check_group(group, sizes, name, checked)
            group = []
        group.append((row.minute_ms, row.key_ms, row.listing_id, row.record))
    if group:
        _check_group(group, sizes, name, checked)


def _check_group(
    group: Sequence[tuple[int, int, int, bytes]], sizes: dict[int, int], name: str, checked: Checked
) -> None:
    checked.records += len(group)
    minute_ms, key_ms, listing_id, _ = group[0]
    what = f"The chain {name} from {to_datetime(minute_ms):%Y-%m-%d %H:%M} on"
    if minute_ms != key_ms:
        checked.add(f"{what} has lost the first record of its group.")
    elif listing_id not in sizes or any(row[2] != listing_id for row in group):
        checked.add(f"{what} does not know its strikes.")
    else:
        try:
            records = [row[3] for row in group]
            decode_records(records, [True] + [False] * (len(group) - 1), sizes[listing_id])
        except Damaged as error:
            checked.add(f"{what} cannot be read: {error}.")
