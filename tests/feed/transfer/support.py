"""What the tests of imports share: a store, one report a file, and what is then answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from feed.history.history import History
from feed.market.candles import Candles
from feed.recordings.reading import Options
from feed.recordings.report import ImportReport
from feed.transfer.archive import Archive
from tests.feed.history.support import CALENDAR, CATALOGUE, at, run

HEADER = "date,open,high,low,close,volume"


@contextmanager
def store_of(folder: Path) -> Iterator[Archive]:
    """A store in a folder, open for imports."""
    url = f"sqlite:///{folder}/store.db"
    with Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="always", writable=True) as store:
        yield store


def imported(folder: Path, name: str, content: str | bytes | Any, **options: Any) -> ImportReport:
    """Write a file, import it into the folder's store, and return its report."""
    path = folder / name
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with store_of(folder) as store:
        (report,) = store.import_file(path, Options(**options))
        assert store.check().problems == []
    return report


def rows(*lines: str, header: str = HEADER) -> str:
    """Lines of CSV under a header."""
    return "\n".join((header, *lines)) + "\n"


def bars(day: str, clocks: Sequence[str], first: float = 100.0, volume: float = 10) -> list[str]:
    """A bar at each time of day, each one higher than the one before."""
    return [
        f"{day} {clock},{price},{price + 2},{price - 1},{price + 1},{volume}"
        for clock, price in zip(clocks, (first + row for row in range(len(clocks))), strict=True)
    ]


def clocks(start: str, step: int, count: int) -> list[str]:
    """Times of day, some minutes apart."""
    hour, minute = map(int, start.split(":"))
    minutes = range(60 * hour + minute, 60 * hour + minute + step * count, step)
    return [f"{told // 60:02}:{told % 60:02}:00" for told in minutes]


def answered(
    folder: Path, symbol: str, interval: str, start: str, end: str, hours: str = "exchange"
) -> Candles:
    """What history answers of a span, ``2026-11-25 09:15`` to ``…``."""
    history = History(f"sqlite:///{folder}/store.db", calendar=CALENDAR, hours=hours)
    try:
        return run(history.answers.candles(symbol, interval, at(start), at(end)))
    finally:
        run(history.stop())
