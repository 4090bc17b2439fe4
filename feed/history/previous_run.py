"""Where the last run of a simulated market left off, so that the path of the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from domain.instants import MINUTE_MS
from feed.history.store.candle_rows import HOUR_MS
from feed.history.store.reader import Reader
from feed.history.store.tables import minute_blocks, symbols
from feed.market.candles import Candles, SessionGrid, source_code
from feed.market.source import FloatArray
from feed.reference.instruments import Underlying

_LONGEST_CLOSURE = timedelta(days=14)
_ONE_DAY = timedelta(days=1)
_SIMULATED = source_code("simulated")

GridOf = Callable[[str], SessionGrid]


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """The underlyings as they were last recorded, each (underlyings,); NaN where nothing is known.

    ``until_ms`` is the instant up to which they are known, 0 where they are not; ``open``, ``high``, ``low``
    and ``volume`` are of the trading day that this instant belongs to, ``previous_close`` of the one before.
    """

    until_ms: NDArray[np.int64]
    last_price: FloatArray
    previous_close: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    volume: FloatArray

    @classmethod
    def nothing(cls, count: int) -> PreviousRun:
        """Of underlyings that nothing is known of."""
        return cls(np.zeros(count, np.int64), *(np.full(count, np.nan) for _ in range(6)))


def read_previous_run(
    reader: Reader, underlyings: Sequence[Underlying], grid_of: GridOf, now_ms: int
) -> PreviousRun:
    """The underlyings as the store knows them before an instant; simulated prices only."""
    found = PreviousRun.nothing(len(underlyings))
    hours = _newest_hours(reader, now_ms)
    for row, underlying in enumerate(underlyings):
        hour_ms = hours.get(underlying.symbol)
        if hour_ms is not None:
            _Reading(reader, underlying.symbol, grid_of(underlying.symbol), now_ms).take(found, row, hour_ms)
    return found


def _newest_hours(reader: Reader, now_ms: int) -> dict[str, int]:
    """The newest hour of minutes of each symbol that begins before an instant."""
    block = minute_blocks.c
    newest = select(func.max(block.hour_ms)).where(block.symbol_id == symbols.c.id, block.hour_ms < now_ms)
    with reader.database.reading() as connection:
        rows = connection.execute(select(symbols.c.name, newest.scalar_subquery())).all()
    return {name: hour_ms for name, hour_ms in rows if hour_ms is not None}


class _Reading:
    """Reads what the store has of one underlying before an instant."""

    def __init__(self, reader: Reader, symbol: str, grid: SessionGrid, now_ms: int) -> None:
        self._reader = reader
        self._symbol = symbol
        self._grid = grid
        self._now_ms = now_ms

    def take(self, found: PreviousRun, row: int, hour_ms: int) -> None:
        """Note it; ``hour_ms`` is the newest hour in which anything is stored."""
        reader, symbol, grid, now_ms = self._reader, self._symbol, self._grid, self._now_ms
        newest = _simulated(reader.minutes(symbol, hour_ms, hour_ms + HOUR_MS)).between(0, now_ms)
        if not len(newest):
            return
        last_ms = int(newest.time_ms[-1])
        day = grid.day_at(last_ms)
        # of the minutes, as the candle of the running day is: a kill may have come between the two
        minutes = _simulated(reader.minutes(symbol, day.start_ms, last_ms + 1))
        found.until_ms[row] = min(last_ms + MINUTE_MS, now_ms)
        found.last_price[row] = minutes.close[-1]
        found.open[row], found.high[row] = minutes.open[0], minutes.high.max()
        found.low[row], found.volume[row] = minutes.low.min(), np.nansum(minutes.volume)
        days, _ = reader.days(
            symbol, day.day - _LONGEST_CLOSURE, day.day - _ONE_DAY, lambda on: grid.day(on).open_ms
        )
        before = _simulated(days)
        if len(before):
            found.previous_close[row] = before.close[-1]


def _simulated(candles: Candles) -> Candles:
    return candles.take(candles.source == _SIMULATED)
