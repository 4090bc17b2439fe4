"""Candles out of a store: CSV that goes on where it was cut off, parquet where pyarrow is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path

import numpy as np

from domain.instants import to_datetime, to_ms
from domain.intervals import INTERVALS_MS, Interval
from feed.history.store.problems import HistoryError
from feed.market.candles import Candles, SessionGrid

HEADER = "date,open,high,low,close,volume,oi"
_CHUNK_MS = 7 * 86_400_000

Progress = Callable[[int, int], None]
Query = Callable[[int, int], Candles]


def chunks(grid: SessionGrid, interval: Interval, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Ranges of whole candles that follow each other and cover [start, end)."""
    first_ms, stop_ms = grid.cover(interval, start_ms, end_ms)
    while first_ms < stop_ms:
        reach_ms = min(first_ms + _CHUNK_MS, stop_ms)
        next_ms = grid.bounds(interval, reach_ms - 1)[1]
        yield first_ms, next_ms
        first_ms = next_ms


def export_csv(
    path: Path, query: Query, ranges: list[tuple[int, int]], interval: Interval, progress: Progress
) -> int:
    """Write candles as CSV; a file that was begun goes on after its last whole line. Returns rows written.

    Raises HistoryError where the file cannot be written, or is one of something else.
    """
    try:
        after_ms = _prepare(path)
        written = 0
        with path.open("a", encoding="ascii", newline="\n") as file:
            for done, (start_ms, end_ms) in enumerate(ranges):
                progress(done, len(ranges))
                if end_ms <= after_ms:
                    continue
                candles = query(start_ms, end_ms)
                candles = candles.take(candles.time_ms > after_ms)
                file.writelines(csv_lines(candles, interval))
                file.flush()
                written += len(candles)
        progress(len(ranges), len(ranges))
    except OSError as error:
        raise HistoryError(f"{path} cannot be written: {error.strerror or error}.") from error
    return written


def csv_lines(candles: Candles, interval: Interval) -> Iterator[str]:
    """Candles as lines: what is not known is an empty cell, a day is a date, a minute an instant."""
    columns = [getattr(candles, name).tolist() for name in _NAMES]
    for time_ms, *values in zip(candles.time_ms.tolist(), *columns, strict=True):
        cells = ",".join("" if value != value else f"{value:.10g}" for value in values)
        yield f"{_label(time_ms, interval)},{cells}\n"


_NAMES = ("open", "high", "low", "close", "volume", "open_interest")


def _label(time_ms: int, interval: Interval) -> str:
    at = to_datetime(time_ms)
    if interval in INTERVALS_MS:
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return at.date().isoformat()


def _prepare(path: Path) -> int:
    """Cut an unfinished line off a file that was begun; returns the time of its last candle, else -1."""
    if not path.exists() or path.stat().st_size == 0:
        path.write_text(HEADER + "\n", encoding="ascii")
        return -1
    with path.open("r+b") as file:
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode("ascii", "replace").splitlines()
        if not lines or lines[0] != HEADER:
            raise HistoryError(f"{path} exists and is not an export that could go on: name another file.")
        file.truncate(len(whole))
    return -1 if len(lines) == 1 else _time_of(path, lines[-1])


def _time_of(path: Path, line: str) -> int:
    try:
        at = datetime.fromisoformat(line.partition(",")[0])
    except ValueError as error:
        raise HistoryError(f"{path} is not an export that could go on: its last line is {line!r}.") from error
    # a day stands for all of it
    return to_ms(at) if at.tzinfo else to_ms(at.replace(hour=23, minute=59, tzinfo=to_datetime(0).tzinfo))


def export_parquet(path: Path, query: Query, ranges: list[tuple[int, int]], progress: Progress) -> int:
    """Write candles as one parquet file. Raises HistoryError without pyarrow."""
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise HistoryError(
            "Export as parquet needs the package pyarrow: install it with 'pip install pyarrow', "
            "or export as csv."
        ) from error
    parts = []
    for done, (start_ms, end_ms) in enumerate(ranges):
        progress(done, len(ranges))
        parts.append(query(start_ms, end_ms))
    candles = Candles.merge(parts)
    names = ("open", "high", "low", "close", "volume", "oi")
    columns = {
        "date": arrow.array(candles.time_ms.astype("datetime64[ms]"), arrow.timestamp("ms", "UTC")),
        **{
            name: arrow.array(getattr(candles, field), from_pandas=True)
            for name, field in zip(names, _NAMES, strict=True)
        },
    }
    unfinished = path.with_name(path.name + ".part")
    parquet.write_table(arrow.table(columns), unfinished)
    unfinished.replace(path)
    progress(len(ranges), len(ranges))
    return int(np.size(candles.time_ms))
