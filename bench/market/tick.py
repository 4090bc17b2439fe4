"""What a tick of the whole simulated market costs, and which part of it costs what.

Run ``python -m bench.market.tick`` from the root of the repository. Figures are CPU time
(`time.process_time`); the shares come from a second run with every stage timed, so that timing does not
burden the first. In steps of half a second quiet chains take turns; from five seconds on a step makes every
contract new.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.market.statistics import LiveMarket
from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue

BUDGET_MS = 10.0
PLAIN_DAY = datetime.datetime(2026, 11, 25, 11, tzinfo=IST)
EXPIRY_DAY = datetime.datetime(2026, 11, 23, 11, tzinfo=IST)
NIGHT = datetime.datetime(2026, 11, 22, 20, tzinfo=IST)


@dataclass(frozen=True)
class Case:
    """A market at a time, and the step it is advanced by."""

    name: str
    when: datetime.datetime
    step_ms: int


CASES = (
    Case("ordinary day, 500 ms", PLAIN_DAY, 500),
    Case("expiry day, 500 ms", EXPIRY_DAY, 500),
    Case("Sunday night, 500 ms", NIGHT, 500),
    Case("every contract in one step, 5 s", PLAIN_DAY, 5_000),
    Case("at 60 times speed, 30 s", PLAIN_DAY, 30_000),
)


@dataclass
class Stages:
    """CPU seconds by stage, each without the stages inside it."""

    seconds: dict[str, float] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=lambda: [0.0])

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Time a method of an instance."""
        method: Callable[..., Any] = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            start = time.process_time()
            result = method(*arguments, **options)
            spent = time.process_time() - start
            inside = self._inner.pop()
            self._inner[-1] += spent
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent - inside
            return result

        setattr(owner, name, timed)


def measure(case: Case, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    """CPU milliseconds of each step in the source and in the market, and contract rows in an update."""
    run = market(case)
    source_ms, market_ms, rows = [], [], []
    for _ in range(steps):
        run.now_ms += case.step_ms
        start = time.process_time()
        update = run.source.advance(run.now_ms)
        middle = time.process_time()
        if update is not None:
            run.market.apply(update)
        market_ms.append((time.process_time() - middle) * 1e3)
        source_ms.append((middle - start) * 1e3)
        rows.append(len(next(iter(update.contracts.values()), ())) if update is not None else 0)
    return np.array(source_ms), np.array(market_ms), float(np.mean(rows))


def market(case: Case) -> LiveMarket:
    """The market of a case, past its first steps."""
    calendar = Calendar.load()
    run = LiveMarket.at(calendar, Catalogue.load(calendar), case.when, seed=42)
    run.step(case.step_ms, 20)
    return run


def shares(case: Case, steps: int) -> dict[str, float]:
    """Part of a step's CPU that each stage takes."""
    run = market(case)
    stages, source = Stages(), run.source
    chains = source._chains
    stages.watch(source, "advance", "everything else")
    stages.watch(source._factors, "step", "factors and volatility")
    stages.watch(source._spots, "publish", "spot prices")
    stages.watch(source._spots, "trade", "spot prices")
    stages.watch(chains, "slices", "forwards and surfaces")
    stages.watch(chains, "price", "option prices")
    stages.watch(chains, "profile", "expectations of liquidity")
    stages.watch(chains, "quote", "quotes and sizes")
    stages.watch(chains, "trade", "trades and open interest")
    stages.watch(chains, "contract_values", "the update's copies")
    stages.watch(run.market, "apply", "market: apply")
    run.step(case.step_ms, steps)
    total = sum(stages.seconds.values())
    return {name: spent / total for name, spent in sorted(stages.seconds.items(), key=lambda item: -item[1])}


def construction() -> float:
    """CPU seconds to build a market on a Sunday night, the calendar and the catalogue included."""
    start = time.process_time()
    calendar = Calendar.load()
    LiveMarket.at(calendar, Catalogue.load(calendar), NIGHT, seed=42)
    return time.process_time() - start


def backfill() -> tuple[float, float]:
    """CPU seconds for two years of days and 30 sessions of minutes of all underlyings."""
    run = market(CASES[0])
    symbols = [underlying.symbol for underlying in run.market.universe.underlyings]
    start = time.process_time()
    for symbol in symbols:
        run.source.daily_candles(symbol, 500)
    middle = time.process_time()
    for symbol in symbols:
        run.source.minute_candles(symbol, 30)
    return middle - start, time.process_time() - middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200, help="steps in each case")
    steps = parser.parse_args().steps
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"start-up of the market   {construction():6.3f} s")
    daily, minutes = backfill()
    print(
        f"past of all underlyings  {daily:6.3f} s for 500 daily bars, {minutes:.3f} s for 30 days of minutes"
    )
    for case in CASES:
        source_ms, market_ms, rows = measure(case, steps)
        contracts = market(case).market.universe.contract_count
        print(f"\n{case.name}: {contracts} contracts, {rows:.0f} of them in an update")
        for name, spent in (("source", source_ms), ("market", market_ms), ("both", source_ms + market_ms)):
            low, high, worst = np.percentile(spent, [50, 99, 100])
            print(
                f"  {name:8} mean {spent.mean():5.2f} ms   median {low:5.2f}   99 % {high:5.2f}"
                f"   worst {worst:5.2f}"
            )
        for stage, part in shares(case, steps // 2).items():
            print(f"    {part * 100:5.1f} %  {stage}")
        verdict = "within" if source_ms.mean() + market_ms.mean() <= BUDGET_MS else "OVER"
        print(f"  {verdict} the budget of {BUDGET_MS:g} ms")


if __name__ == "__main__":
    main()
