"""The running day before a simulated market started: known before anything of it is recorded.

What is published counts the whole day, so its candles must too, from the first moment on and after a kill at
any moment: these minutes are the first thing that is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from feed.history.filling.backfill import candles_of
from feed.history.filling.bridging import fitted
from feed.history.memory.days import DayRows
from feed.history.store.candle_rows import write_minutes, write_running_days
from feed.history.store.registry import Registry
from feed.market.candles import Candles, SessionGrid
from feed.market.source import KnowsPast


def missing_today(
    past: KnowsPast, symbol: str, grid: SessionGrid, stored: Candles, minute_ms: int
) -> Candles:
    """The minutes of the running day up to ``minute_ms``, itself included, that the store lacks."""
    day = grid.day_at(minute_ms)
    known = stored.between(day.start_ms, minute_ms + 1)
    path = candles_of(past, past.minute_candles(symbol, 0))
    if not len(path) and len(known):  # its session is over: to the source it is the last complete one
        path = candles_of(past, past.minute_candles(symbol, 1))
    return fitted(path.between(day.start_ms, minute_ms + 1), known, day.start_ms)


class TodayJob:
    """The first minutes of the running day of every underlying, and the day as it stands with them."""

    urgent = False

    def __init__(
        self, registry: Registry, names: list[str], minutes: Mapping[str, Candles], days: DayRows, source: int
    ) -> None:
        self._registry = registry
        self._names = names
        self._minutes = minutes
        self._days = days
        self._source = source

    def write(self, connection: Connection) -> None:
        """Write them; see ``feed.history.store.writer.Job``."""
        ids = self._registry.symbol_ids(connection, self._names)
        write_minutes(
            connection, {ids[name]: candles for name, candles in self._minutes.items()}, replace=False
        )
        write_running_days(connection, self._days, self._source, [ids[name] for name in self._names], None)

    def undo(self) -> None:
        """Forget numbers that the failed transaction was to keep."""
        self._registry.clear()
