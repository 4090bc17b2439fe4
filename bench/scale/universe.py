"""What a larger universe costs: the same server with the NIFTY 50 and with all underlyings, in one run.

Run ``python -m bench.scale.universe``. Start is wall time from the command to the first healthy answer, of
servers that are started in turn; the rest is CPU time of the process and its resident memory after
``--seconds`` with the past made and the store written (`/proc`). A tick is the source's step and its
application to the market, without sockets, in this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from bench.machine import describe
from bench.market.statistics import LiveMarket
from bench.market.tick import EXPIRY_DAY, PLAIN_DAY
from bench.verdicts import Row, at_most, table
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from tests.processes import SOME_SYMBOLS, spawn

STEP_MS = 500
START_MUST_S, TICK_MUST_MS, MEMORY_MUST_MB = 4.0, 12.0, 500.0


@dataclass(frozen=True)
class Size:
    """A choice of underlyings; none is all."""

    name: str
    symbols: tuple[str, ...]


def sizes() -> tuple[Size, ...]:
    """The indices, the NIFTY 50 and the commodities; and everything."""
    whole = Catalogue.load(Calendar.load())
    return Size(f"{len(SOME_SYMBOLS)} underlyings", SOME_SYMBOLS), Size(f"{len(whole)} underlyings", ())


def tick_ms(size: Size, steps: int) -> tuple[int, dict[str, np.ndarray]]:
    """Contracts, and CPU milliseconds of each step on an ordinary and on an expiry day."""
    spent = {}
    for name, when in (("ordinary day", PLAIN_DAY), ("expiry day", EXPIRY_DAY)):
        calendar = Calendar.load()
        run = LiveMarket.at(calendar, Catalogue.load(calendar, symbols=size.symbols), when, seed=42)
        run.step(STEP_MS, 20)
        took = np.empty(steps)
        for step in range(steps):
            began = time.process_time()
            run.step(STEP_MS, 1)
            took[step] = 1e3 * (time.process_time() - began)
        spent[name] = took
    return run.market.universe.contract_count, spent


def server_of(size: Size, seconds: float) -> tuple[float, float, float]:
    """Seconds to the first healthy answer, megabytes after a while, and the share of a core from then on."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        process = spawn(
            Path(scratch) / "log",
            *("--set", f"history.database_url=sqlite:///{scratch}/store.sqlite3"),
            *("--set", f"feed.symbols={','.join(size.symbols)}"),
        )
        with urlopen(f"{process.url}/health", timeout=30) as answer:  # noqa: S310 (our own server)
            assert answer.status == 200
        healthy_s = time.monotonic() - began
        time.sleep(seconds)
        before = _cpu_s(process.popen.pid)
        time.sleep(seconds)
        share = (_cpu_s(process.popen.pid) - before) / seconds
        memory = _memory_mb(process.popen.pid)
        process.end()
    return healthy_s, memory, share


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> int:
    """Measure both sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200, help="steps of each market")
    parser.add_argument("--seconds", type=float, default=45, help="how long a server is left alone")
    parser.add_argument("--starts", type=int, default=3, help="servers of each size")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.seconds, options.starts = 300, 15, 1
    print(describe(), flush=True)
    both = sizes()
    started: dict[str, list[tuple[float, float, float]]] = {size.name: [] for size in both}
    for _ in range(options.starts):
        for size in both:
            started[size.name].append(server_of(size, options.seconds))
    rows = []
    for size in both:
        contracts, spent = tick_ms(size, options.steps)
        name = f"{size.name}, {contracts:,} contracts"
        for day, took in spent.items():
            rows.append(
                Row(
                    f"{name}: a tick, {day}",
                    f"{took.mean():.2f} ms, 99 % {np.percentile(took, 99):.2f} ms",
                    must=f"{TICK_MUST_MS:g} ms",
                    verdict=at_most(float(np.percentile(took, 99)), TICK_MUST_MS),
                )
            )
        healthy, memory, share = (
            float(np.median(column)) for column in zip(*started[size.name], strict=True)
        )
        rows += [
            Row(
                f"{name}: start to healthy",
                f"{healthy:.2f} s",
                must=f"{START_MUST_S:g} s",
                verdict=at_most(healthy, START_MUST_S),
            ),
            Row(
                f"{name}: memory at its largest",
                f"{memory:.0f} MB",
                must=f"{MEMORY_MUST_MB:g} MB",
                verdict=at_most(memory, MEMORY_MUST_MB),
            ),
            Row(f"{name}: CPU with no client", f"{100 * share:.1f} % of a core"),
        ]
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
