"""Moving old sessions from a store into files: written, read back, and only then deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from sqlalchemy import func, select

from domain.instants import day_in_india, to_datetime
from feed.history.archive.sessions import ArchivedDay, ChainOfDay, SessionFiles, span_of
from feed.history.store.reader import Reader
from feed.history.store.tables import chain_minutes, chains, symbols

Progress = Callable[[int, int], None]


def due_days(reader: Reader, files: SessionFiles, after_days: int, now_ms: int) -> list[date]:
    """Days that are recorded, older than that, and not archived yet."""
    minute = chain_minutes.c
    with reader.database.reading() as connection:
        first = connection.scalar(select(func.min(minute.minute_ms)))
    if first is None:
        return []
    day, last = (
        day_in_india(to_datetime(first)),
        day_in_india(to_datetime(now_ms)) - timedelta(days=after_days),
    )
    archived, found = set(files.days()), []
    while day < last:
        if day not in archived and _has_records(reader, day):
            found.append(day)
        day += timedelta(days=1)
    return found


def archive_day(
    reader: Reader, files: SessionFiles, day: date, progress: Progress = lambda _done, _total: None
) -> ArchivedDay:
    """Write a day of the store to its files. Raises HistoryError where they do not hold what they should."""
    archived = files.index(day).chains if day in files.days() else ()
    names = {(item.symbol, item.expiry) for item in archived}
    return files.write(day, _chains_of(reader, day, names, progress))


def _has_records(reader: Reader, day: date) -> bool:
    start_ms, end_ms = span_of(day)
    minute = chain_minutes.c
    query = select(minute.chain_id).where(
        minute.chain_id.in_(select(chains.c.id)), minute.minute_ms >= start_ms, minute.minute_ms < end_ms
    )
    with reader.database.reading() as connection:
        return connection.execute(query.limit(1)).first() is not None


def _chains_of(
    reader: Reader, day: date, archived: set[tuple[str, date]], progress: Progress
) -> Iterator[ChainOfDay]:
    """The chains of a day, one after the other: a day in memory would be a gigabyte."""
    query = select(symbols.c.name, chains.c.expiry).join_from(chains, symbols).where(chains.c.expiry >= day)
    with reader.database.reading() as connection:
        known = sorted({(name, expiry) for name, expiry in connection.execute(query)} | archived)
    start_ms, end_ms = span_of(day)
    for done, (symbol, expiry) in enumerate(known):
        progress(done, len(known))
        runs = reader.chain(symbol, expiry, start_ms, end_ms)
        if runs:
            yield ChainOfDay(symbol, expiry, runs, reader.metrics(symbol, expiry, start_ms, end_ms))
    progress(len(known), len(known))
