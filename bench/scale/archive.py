"""What an archived session takes, and how long questions to years of them do.

Run ``python -m bench.scale.archive``. One session of the simulated market is recorded and archived; other
days are links to its files, so their contents are the same and their costs are real. Wall time, files in the
page cache, one thread; `--quick` records an hour instead of a session.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import describe
from bench.progress import Plan
from bench.verdicts import Row, at_most, table
from domain.instants import IST, to_ms
from feed.history.archive.archiving import archive_day
from feed.history.archive.sessions import SessionFiles
from feed.history.archive.tiers import TieredReader
from feed.history.history import History
from feed.history.store.database import Database
from feed.history.store.reader import Reader
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from feed.valuation.minute_metrics import MinuteMetrics

DAY = datetime.date(2026, 11, 25)
OPEN = datetime.datetime(2026, 11, 25, 9, 10, tzinfo=IST)
STEP_MS = 20_000
MONTH, YEAR = 21, 250


def _record(path: Path, minutes: int) -> None:
    calendar = Calendar.load()
    catalogue, start_ms = Catalogue.load(calendar), to_ms(OPEN)

    async def record() -> None:
        history = History(
            f"sqlite:///{path}",
            calendar=calendar,
            hours="always",
            valuation=MinuteMetrics(0.065),
            queue_limit=16,
        )
        source = SimulatedSource(catalogue, calendar, seed=1, start_ms=start_ms)
        market = Market(source.universe, source="simulated", epoch="b", interest_rate=0.065, stale_after_s=60)
        history.start(market, start_ms, source)
        for now_ms in range(start_ms, start_ms + minutes * 60_000, STEP_MS):
            update = source.advance(now_ms)
            if update is not None:
                market.apply(update)
            history.record(market, now_ms)
            await history.make_room()
        await history.stop(300)

    asyncio.run(record())


def _link(files: SessionFiles, days: int) -> None:
    """Other days, all of the same contents."""
    about = json.loads((files.folder / "days" / f"{DAY}.json").read_text())
    for back in range(1, days):
        day = DAY - datetime.timedelta(days=back)
        for kind in ("chains", "metrics"):
            place = files.folder / kind / f"day={day}"
            place.mkdir()
            os.link(files.folder / kind / f"day={DAY}" / "part.parquet", place / "part.parquet")
        (files.folder / "days" / f"{day}.json").write_text(json.dumps({**about, "day": f"{day}"}))


def _ms(question: Callable[[], Any], times: int = 7) -> float:
    """The median wall time; the first asks for what is then in the cache."""
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        question()
        took.append(time.perf_counter() - began_s)
    return 1000 * float(np.median(took[1:]))


def main() -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="an hour instead of a session")
    plan = Plan(parser.parse_args().quick)
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite3"
        _record(path, plan.size(385, 60))
        plan.say("a session is recorded")
        database = Database(f"sqlite:///{path}", readers=1)
        database.open(exclusive=False)
        files, store = SessionFiles(Path(folder) / "archive"), Reader(database)
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu_s = time.process_time()
        done = archive_day(store, files, DAY)
        cpu_s = time.process_time() - cpu_s
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1000
        sizes = [
            next((files.folder / kind).rglob("*.parquet")).stat().st_size / 1e6
            for kind in ("chains", "metrics")
        ]
        plan.say("it is archived")
        _link(files, YEAR)
        both = TieredReader(database, files)
        expiry = store.expiries("NIFTY", DAY)[0]
        at_ms = to_ms(OPEN) + plan.size(110, 40) * 60_000
        span = at_ms - 30 * 60_000, at_ms
        days = [DAY - datetime.timedelta(days=back) for back in range(YEAR)]
        old = _ms(lambda: files.chain(DAY, "NIFTY", expiry))
        whole = _ms(lambda: both.chain_at("NIFTY", expiry, at_ms))
        stored = _ms(lambda: store.chain_at("NIFTY", expiry, at_ms))
        month = _ms(lambda: [files.metrics(day, "NIFTY", expiry, ["pcr_oi"]) for day in days[:MONTH]])
        year = _ms(lambda: [files.metrics(day, "NIFTY", expiry, ["atm_iv"]) for day in days], 4)
        interest = _ms(lambda: both.chain("NIFTY", expiry, *span))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        database.close()
    print(f"\nA session: {len(done.chains)} chains, {done.rows:,} rows;")
    print(
        f"chains {sizes[0]:.1f} MB, metrics {sizes[1]:.1f} MB; written and read back in {cpu_s:.1f} s of CPU,"
    )
    print(f"which took {grown_mb:.0f} MB more memory.\n")
    rows = [
        Row(
            "an old chain: its session out of the file",
            f"{old:.1f} ms",
            "",
            "",
            "50 ms",
            "",
            at_most(old, 50),
        ),
        Row(
            "an old chain as of an instant, store and archive as one",
            f"{whole:.1f} ms",
            f"{stored:.1f} ms in the store",
        ),
        Row("half an hour of a chain, both tiers", f"{interest:.1f} ms"),
        Row(
            f"PCR of {MONTH} sessions, minute by minute",
            f"{month:.1f} ms",
            "",
            "",
            "100 ms",
            "",
            at_most(month, 100),
        ),
        Row(
            f"ATM IV at the end of {YEAR} sessions",
            f"{year:.0f} ms",
            "",
            "",
            "300 ms",
            "",
            at_most(year, 300),
        ),
        Row("the process at its largest", f"{peak_mb:.0f} MB"),
    ]
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
