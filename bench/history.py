"""What history costs: recording a session of the whole simulated universe, and reading it back.

Run ``python -m bench.history`` from the root of the repository. A session is recorded into a SQLite file, the
market taking long steps, in each of which every contract moves; what a minute costs at one step a second is
measured apart. Recording is CPU time of the loop (``record``) and of the writer's thread, valuation of every
chain included; reading is wall time of one request after another, as the server makes it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import platform
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from domain.instants import IST, to_ms
from domain.intervals import Interval
from feed.history.history import History, Reach
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from feed.valuation.minute_metrics import MinuteMetrics

OPEN = datetime.datetime(2026, 11, 25, 9, 15, tzinfo=IST)
SESSION_MINUTES = 385
MINUTE_MS = 60_000
DAY_MS = 86_400_000
INTEREST_RATE = 0.065


class Recording:
    """A simulated market and the history it is recorded into."""

    def __init__(self, folder: Path, url: str | None, start_ms: int = to_ms(OPEN)) -> None:
        calendar = Calendar.load()
        catalogue = Catalogue.load(calendar)
        self.now_ms = start_ms
        self.path = folder / "history.sqlite3"
        self.source = SimulatedSource(catalogue, calendar, seed=7, start_ms=self.now_ms, hours="always")
        self.market = Market(
            self.source.universe, source="simulated", epoch="b", interest_rate=INTEREST_RATE, stale_after_s=60
        )
        self.history = History(
            url or f"sqlite:///{self.path}",
            calendar=calendar,
            hours="always",
            queue_limit=1000,
            valuation=MinuteMetrics(INTEREST_RATE),
        )
        self.history.start(self.market, self.now_ms)
        self.record_s = 0.0

    def steps(self, minutes: float, step_s: float) -> None:
        """Advance the market and record it."""
        end_ms = self.now_ms + round(minutes * MINUTE_MS)
        while self.now_ms < end_ms:
            update = self.source.advance(self.now_ms)
            if update is not None:
                self.market.apply(update)
            started = time.thread_time()
            self.history.record(self.market, self.now_ms)
            self.record_s += time.thread_time() - started
            self.now_ms += round(step_s * 1000)

    def writer_s(self) -> float:
        """CPU time of the writer's thread so far."""
        thread = self.history._writer._thread
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))

    def drain(self) -> None:
        """Wait until all is written."""
        if not self.history._writer.drain(120):
            raise RuntimeError("the writer did not keep up")


def recording(recorder: Recording, minutes: int) -> None:
    """Record at one step a second and print what it costs; the limit is 5 % of a core."""
    recorder.steps(1, 1.0)  # the first minute tells everything
    recorder.drain()
    before, recorder.record_s = recorder.writer_s(), 0.0
    started_ms = recorder.now_ms
    recorder.steps(minutes, 1.0)
    recorder.steps(1 / 60, 1.0)  # closes the last minute
    recorder.drain()
    wrote = recorder.writer_s() - before
    market_s = (recorder.now_ms - started_ms) / 1000
    show("record() on the loop, each second", recorder.record_s / market_s * 1e3, "ms CPU")
    show("writer's thread, each minute", wrote / minutes * 1e3, "ms CPU")
    show("together, share of one core", (recorder.record_s + wrote) / market_s * 100, "%", "at most 5")


def session(recorder: Recording, minutes: int, step_s: float) -> None:
    """Record a session and print its size; the limit is 120 MB for all of it."""
    before = size(recorder)
    recorder.steps(minutes, step_s)
    recorder.drain()
    grown = (size(recorder) - before) / 1e6
    show(f"a session of {minutes} minutes", grown, "MB", f"at most {120 * minutes / SESSION_MINUTES:.0f}")
    parts = table_sizes(recorder)
    for name, megabytes in parts.items():
        show(f"  {name}", megabytes, "MB")


def size(recorder: Recording) -> int:
    """Bytes the store takes once its log is written back."""
    database = recorder.history.database
    with database.writer.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    return recorder.path.stat().st_size


def table_sizes(recorder: Recording) -> dict[str, float]:
    """Megabytes of records in each table, without the pages' slack."""
    queries = {
        "chain records": "SELECT SUM(LENGTH(record)) FROM chain_minutes",
        "minute candles": "SELECT SUM(LENGTH(record)) FROM minute_blocks",
    }
    with recorder.history.database.reading() as connection:
        return {
            name: float(connection.exec_driver_sql(query).scalar_one() or 0) / 1e6
            for name, query in queries.items()
        }


async def reading(recorder: Recording, times: int) -> None:
    """Read the figures of the issue's table, one request after another."""
    history, market = recorder.history, recorder.market
    chance = random.Random(1)
    symbols = [underlying.symbol for underlying in market.universe.underlyings]
    now = recorder.now_ms
    past_opens = [to_ms(OPEN) - days * DAY_MS for days in (5, 6, 7, 12, 13, 14)]
    nifty = market.universe.chains("NIFTY")

    def a_day() -> Awaitable[Any]:
        start = chance.choice(past_opens)
        return history.answers.candles(
            chance.choice(symbols), Interval.ONE_MINUTE, start, start + SESSION_MINUTES * MINUTE_MS
        )

    def a_chain() -> Awaitable[Any]:
        at_ms = chance.randrange(to_ms(OPEN) + 5 * MINUTE_MS, now)
        return history.answers.chain_at("NIFTY", chance.choice(nifty).expiry.day, at_ms)

    def year() -> Awaitable[Any]:
        return history.answers.candles(chance.choice(symbols), Interval.ONE_DAY, now - 365 * DAY_MS, now)

    def contract() -> Awaitable[Any]:
        listing = nifty[0]
        strike = float(chance.choice(listing.strikes.tolist()))
        return history.answers.candles(
            "NIFTY", Interval.ONE_MINUTE, to_ms(OPEN), now, (listing.expiry.day, strike, True)
        )

    def today() -> Awaitable[Any]:
        return history.answers.candles(chance.choice(symbols), Interval.FIVE_MINUTES, to_ms(OPEN), now)

    await measured("a day of 1m candles, from the store", a_day, times, "under 5")
    await measured("today's 5m candles, from memory", today, times)
    await measured("a past chain", a_chain, times, "under 10")
    await measured("250 daily candles", year, times, "under 3")
    await measured("a day of 1m candles of a contract", contract, max(times // 10, 5))


async def measured(name: str, ask: Callable[[], Awaitable[Any]], times: int, limit: str = "") -> None:
    """Ask so many times and print the median and the slowest of a hundred."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - started) * 1e3)
    show(name, float(np.median(taken)), f"ms, p99 {np.percentile(taken, 99):.2f} ms", limit)


def show(name: str, value: float, unit: str, limit: str = "") -> None:
    """One line of the report."""
    print(f"{name:48}{value:10.2f} {unit:22}{limit}", flush=True)


async def run(options: argparse.Namespace) -> None:
    """Record, then read."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recording(Path(folder), None)
        universe = recorder.market.universe
        print(
            f"Python {platform.python_version()}, {len(universe.underlyings)} underlyings, "
            f"{universe.contract_count:,} contracts in {len(universe.listings)} chains\n"
        )
        started = time.perf_counter()
        recorder.history.backfill(recorder.source, reach=Reach()).join()
        recorder.drain()
        show("backfill of 500 days and 30 sessions of minutes", time.perf_counter() - started, "s")
        show("  its size", size(recorder) / 1e6, "MB")
        recording(recorder, 2)
        session(recorder, options.minutes, options.step)
        await reading(recorder, options.times)
        await recorder.history.stop()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--minutes", type=int, default=SESSION_MINUTES, help="how long a session to record")
    parser.add_argument("--step", type=float, default=20.0, help="seconds of a step of the session")
    parser.add_argument("--times", type=int, default=300, help="how often each thing is read")
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
