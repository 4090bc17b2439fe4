"""Candles in text files: the shapes that are understood, and what is wrong with a row that is not."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from feed.calendar import IST
from feed.clock import to_ms

EXPECTED = (
    "a header with date, open, high, low, close and, as there are, time, symbol, volume, oi; "
    "times of day are India's, instants such as 2026-11-23T03:45:00Z say their own zone"
)
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was skipped, counted from 1 at the header, and why: a sentence."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class CandleRow:
    """A candle of a file: ``time_ms`` of a minute, None for one of a whole ``day``. NaN: not told."""

    line: int
    symbol: str | None
    day: date
    time_ms: int | None
    open: float
    high: float
    low: float
    close: float
    volume: float
    open_interest: float


def read_candles(lines: Iterable[str]) -> Iterator[CandleRow | BadRow]:
    """The rows of a file of candles. Raises ValueError where its header is not one of candles."""
    reader = csv.reader(lines)
    header = [name.strip().lower().lstrip("\ufeff") for name in next(reader, [])]
    missing = [name for name in ("date", *_PRICES) if name not in header]
    if missing:
        raise ValueError(f"a file of candles must have {EXPECTED}; it lacks {', '.join(missing)}")
    for cells in reader:
        if not cells:
            continue
        try:
            if len(cells) != len(header):
                raise ValueError(f"a row must have {len(header)} cells, had {len(cells)}")
            yield _row(reader.line_num, dict(zip(header, cells, strict=True)))
        except ValueError as error:
            yield BadRow(reader.line_num, f"{error}.")


def _row(line: int, cells: Mapping[str, str]) -> CandleRow:
    day, time_ms = _when(cells["date"].strip(), cells.get("time", "").strip())
    opens, high, low, close = (_price(name, cells[name]) for name in _PRICES)
    if not low <= min(opens, close) or not high >= max(opens, close):
        raise ValueError(
            f"open and close must lie between low and high, were {opens:g}, {close:g} with {low:g}, {high:g}"
        )
    return CandleRow(
        line=line,
        symbol=cells.get("symbol", "").strip().upper() or None,
        day=day,
        time_ms=time_ms,
        open=opens,
        high=high,
        low=low,
        close=close,
        volume=_amount("volume", cells.get("volume", "")),
        open_interest=_amount("oi", cells.get("oi", "")),
    )


def _when(day: str, clock: str) -> tuple[date, int | None]:
    """The day, and the instant where a row tells one."""
    if "T" in day or " " in day:
        at = datetime.fromisoformat(day)
        at = at if at.tzinfo else at.replace(tzinfo=IST)
        return at.astimezone(IST).date(), to_ms(at)
    on = date.fromisoformat(day)
    if not clock:
        return on, None
    return on, to_ms(datetime.combine(on, time.fromisoformat(clock), IST))


def _price(name: str, cell: str) -> float:
    value = float(cell)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a price above 0, was {cell.strip()!r}")
    return value


def _amount(name: str, cell: str) -> float:
    if not cell.strip():
        return math.nan
    value = float(cell)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be 0 or more, was {cell.strip()!r}")
    return value
