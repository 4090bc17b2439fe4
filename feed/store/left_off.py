"""Where the last run of a simulated market left off, read from the store before the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import func, select

from feed.candles import MINUTE_MS, Candles, SessionGrid, source_code
from feed.instruments import Underlying
from feed.simulation.carried import Carried
from feed.store.candle_rows import HOUR_MS
from feed.store.reader import Reader
from feed.store.tables import minute_blocks, symbols

_LONGEST_CLOSURE = timedelta(days=14)
_SIMULATED = source_code("simulated")

GridOf = Callable[[str], SessionGrid]


def left_off(reader: Reader, underlyings: Sequence[Underlying], grid_of: GridOf, now_ms: int) -> Carried:
    """The underlyings as the store knows them before an instant; simulated prices only."""
    found = Carried.nothing(len(underlyings))
    hours = _newest_hours(reader, now_ms)
    for row, underlying in enumerate(underlyings):
        hour_ms = hours.get(underlying.symbol)
        if hour_ms is not None:
            _take(found, row, reader, underlying.symbol, grid_of(underlying.symbol), hour_ms, now_ms)
    return found


def _newest_hours(reader: Reader, now_ms: int) -> dict[str, int]:
    """The newest hour of minutes of each symbol that begins before an instant."""
    block = minute_blocks.c
    newest = select(func.max(block.hour_ms)).where(block.symbol_id == symbols.c.id, block.hour_ms < now_ms)
    with reader.database.reading() as connection:
        rows = connection.execute(select(symbols.c.name, newest.scalar_subquery())).all()
    return {name: hour_ms for name, hour_ms in rows if hour_ms is not None}


def _take(
    found: Carried, row: int, reader: Reader, symbol: str, grid: SessionGrid, hour_ms: int, now_ms: int
) -> None:
    """Note what the store has of one underlying."""
    minutes = _simulated(reader.minutes(symbol, hour_ms, hour_ms + HOUR_MS)).between(0, now_ms)
    if not len(minutes):
        return
    last_ms = int(minutes.time_ms[-1])
    day = grid.day_at(last_ms)
    days, _ = reader.days(symbol, day.day - _LONGEST_CLOSURE, day.day, lambda on: grid.day(on).open_ms)
    days = _simulated(days)
    found.until_ms[row] = min(last_ms + MINUTE_MS, now_ms)
    found.last_price[row] = minutes.close[-1]
    today, before = days.between(day.open_ms, day.open_ms + 1), days.between(0, day.open_ms)
    if len(before):
        found.previous_close[row] = before.close[-1]
    if len(today) and reader.filled_until_ms(symbol) is not None:  # else its early minutes are not there yet
        found.open[row], found.high[row] = today.open[0], today.high[0]
        found.low[row], found.volume[row] = today.low[0], today.volume[0]


def _simulated(candles: Candles) -> Candles:
    return candles.take(candles.source == _SIMULATED)
