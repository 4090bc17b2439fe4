"""Every chain of the universe watched at once: a round of deltas beside valuing as many contracts.

CPU time of the server's process, less what its market takes when nobody watches. The peer is numpy alone:
the implied volatilities and Greeks of as many contracts, in the same run on the same core. By default 68
underlyings with 20,000 contracts, ``--all`` all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from analytics import black76
from analytics.implied_volatility import implied_volatility
from bench.analytics import best, universe
from bench.load.driver import Run, drive
from bench.load.servers import Server, ours
from bench.machine import CANNOT_RUN, CannotRun, compiled, describe, raise_descriptor_limit, raise_priority
from bench.progress import Plan
from bench.verdicts import Row, at_least, at_most, middle, table
from domain.instants import MINUTE_MS
from feed.market.candles import ClosedCandle
from feed.market.clock import VirtualClock
from feed.market.market import Market
from handlers.operations.build import build
from schemas.configuration.settings import SettingsSchema
from tests.processes import SOME_SYMBOLS

PUBLISH_MS = 500
ROUNDS_PER_SECOND = 1000 / PUBLISH_MS
FEW, MANY = 4, 1000
STREAMS_AN_EVENT = 20  # the driver's events have 4 kB
LAG_MEMORY_S = 62  # the server's loop lag is of the last minute; the connecting must be out of it


@dataclass(frozen=True)
class Breadth:
    """The underlyings that are served, none is all, and about how many contracts they have."""

    symbols: tuple[str, ...]
    contracts: int


SOME, ALL = Breadth(SOME_SYMBOLS, 20_000), Breadth((), 51_000)


@dataclass(frozen=True)
class Watched:
    """One run: what the watchers got, what a round cost, and how long the loop was kept."""

    run: Run
    idle_load: float
    streams: int  # followed in all, by all clients
    lag_p99_ms: float

    @property
    def round_ms(self) -> float:
        """CPU of a round of deltas."""
        return (self.run.load - self.idle_load) / ROUNDS_PER_SECOND * 1000

    @property
    def deltas_per_second(self) -> float:
        """Deltas a second on each chain that is watched."""
        deltas = self.run.event("option_chain_delta")["frames"]
        return deltas / self.streams / float(self.run.report["window_s"])


def _chains(server: Server) -> list[str]:
    symbols = [item["symbol"] for item in server.get("/api/symbols?per_page=1000")["symbols"]]
    found = []
    for symbol in symbols:
        days = server.get(f"/api/expiries/{symbol.replace('&', '%26')}")["expiry_dates"]
        found += [f"{symbol}:{day}" for day in days]
    return found


def _events(kind: str, chains: Sequence[str]) -> list[str]:
    """Events that follow streams of all chains."""
    points = [f'{{"stream":"{kind}:{name}","epoch":"","seq":-1}}' for name in chains]
    parts = [points[start : start + STREAMS_AN_EVENT] for start in range(0, len(points), STREAMS_AN_EVENT)]
    return [f'["resume",{{"streams":[{",".join(part)}]}}]' for part in parts]


def _watch(plan: Plan, breadth: Breadth, *, clients: int, boards: bool = False, settle: int = 3) -> Watched:
    """All chains followed by each of a few clients, or one by each of many."""
    settings = (
        f"feed.symbols={','.join(breadth.symbols)}",
        "limits.max_subscriptions=2000",
        "limits.max_events_per_second=200",  # all of them are asked for at once
    )
    with ours(PUBLISH_MS, *(word for setting in settings for word in ("--set", setting))) as server:
        chains = _chains(server)
        began, before = time.monotonic(), server.cpu_s()
        time.sleep(plan.size(10, 4))
        idle = (server.cpu_s() - before) / (time.monotonic() - began)
        told: dict[str, Any] = {}

        def note(word: str) -> None:
            if word == "done":
                told["statistics"] = server.get("/api/websocket/stats")

        spread = '["resume",{"streams":[{"stream":"chain:%s","epoch":"","seq":-1}]}]'
        few = clients == FEW
        run = drive(
            server,
            clients=clients,
            seconds=plan.size(15, 5),
            settle=settle,
            emit=_events("chain", chains) + (_events("dashboard", chains) if boards else [])
            if few
            else spread,
            on_progress=note,
            **({} if few else {"list": ",".join(chains)}),
        )
        if run.report["closed"]:
            raise RuntimeError(
                f"{run.report['closed']} of {clients} clients were disconnected: {server.log()}"
            )
    lag = float(told["statistics"]["loop_lag_ms"]["p99"] or 0)
    return Watched(run, idle, clients * len(chains) if few else clients, lag)


def valuation_ms(contracts: int) -> float:
    """CPU of numpy's valuation of so many contracts: implied volatilities, prices and Greeks."""
    data = universe(contracts)
    inputs = data.forward, data.strike, data.time

    def value() -> None:
        sigma, _ = implied_volatility(data.price, *inputs, data.is_call, data.discount)
        black76.greeks(*inputs, sigma, data.is_call, data.discount)

    return best(value, 30) * 1000


def minute_closes_ms(breadth: Breadth, minutes: int) -> list[float]:
    """Time of the loop's thread that recording takes where a minute closes, in one go each."""
    spent: list[float] = []

    async def run() -> None:
        settings = {
            "server": {"host": "127.0.0.1", "port": 0},
            "feed": {"start": "2026-11-23T10:00+05:30", "symbols": list(breadth.symbols)},
            "history": {"database_url": "", "backfill_days": 40, "backfill_sessions": 2},
        }
        built = build(SettingsSchema().load(settings))
        clock, history = built.clock, built.history
        assert isinstance(clock, VirtualClock)
        record = history.record

        def timed(market: Market, now_ms: int) -> list[ClosedCandle]:
            began = time.thread_time()
            closed = record(market, now_ms)
            if now_ms % MINUTE_MS == 0:
                spent.append((time.thread_time() - began) * 1000)
            return closed

        with mock.patch.object(history, "record", timed):
            while len(spent) < minutes:
                await built.ticker.step(clock.step())
        await history.stop()

    asyncio.run(run())
    return spent


KINDS: dict[str, dict[str, Any]] = {
    f"all chains, {FEW} clients": {"clients": FEW},
    f"all chains, {MANY} clients spread over them": {"clients": MANY},
    # until the past that ranks of volatility need is made
    f"all chains and all dashboards, {FEW} clients": {"clients": FEW, "boards": True, "settle": 40},
}


def rows(plan: Plan, breadth: Breadth) -> list[Row]:
    """All chains by few, by many, and with all dashboards beside them."""
    found: dict[str, list[Watched]] = {name: [] for name in KINDS}
    numpy_ms = []
    for turn in range(plan.rounds):
        numpy_ms.append(valuation_ms(breadth.contracts))
        for name, options in KINDS.items():
            one = _watch(plan, breadth, **options)
            found[name].append(one)
            plan.say(
                f"round {turn + 1}: {name}: {one.round_ms:.1f} ms a round, "
                f"{one.deltas_per_second:.2f} deltas a second on each, core {one.run.load:.0%} used "
                f"({one.idle_load:.0%} idle), waited {one.run.waited:.0%}, numpy {numpy_ms[-1]:.2f} ms"
            )
    few, many, beside = KINDS
    peer = f"numpy, {breadth.contracts:,} contracts"
    closes = minute_closes_ms(breadth, plan.size(10, 3))
    lag = _watch(plan, breadth, clients=FEW, settle=plan.size(LAG_MEMORY_S, 2)).lag_p99_ms
    return [
        *_chain_rows(few, found[few], peer, middle(numpy_ms, float)),
        *_chain_rows(many, found[many], peer, middle(numpy_ms, float)),
        _board_row(beside, _round_ms(found[beside]), _round_ms(found[few])),
        Row(f"loop lag p99: {few}", f"{lag:.1f} ms", must="at most 50 ms", verdict=at_most(lag, 50)),
        Row(
            f"loop time of a minute's close, the longest of {len(closes)}",
            f"{max(closes):.1f} ms in one go",
            must="at most 40 ms, in slices of 10 ms",
            verdict=at_most(max(closes), 10),
        ),
    ]


def _round_ms(seen: list[Watched]) -> float:
    return middle(seen, lambda item: item.round_ms)


def _chain_rows(name: str, seen: list[Watched], peer: str, numpy_ms: float) -> list[Row]:
    round_ms, rate = _round_ms(seen), middle(seen, lambda item: item.deltas_per_second)
    ratio = round_ms / numpy_ms
    return [
        Row(
            f"CPU of a round of deltas: {name}",
            f"{round_ms:.1f} ms",
            f"{peer}: {numpy_ms:.2f} ms",
            f"{ratio:.1f}",
            "at most 15",
            "8",
            at_most(ratio, 15, 8),
        ),
        Row(
            f"deltas a second on each: {name}",
            f"{rate:.2f}",
            must="at least 1.9",
            verdict=at_least(rate, 1.9),
        ),
    ]


def _board_row(name: str, both_ms: float, alone_ms: float) -> Row:
    ratio = both_ms / alone_ms
    return Row(
        f"CPU of a round: {name}",
        f"{both_ms:.1f} ms",
        f"without dashboards: {alone_ms:.1f} ms",
        f"{ratio:.2f}",
        must="at most 1.5",
        verdict=at_most(ratio, 1.5),
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table. Raises CannotRun."""
    parser = argparse.ArgumentParser(prog="python -m bench.breadth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--all", action="store_true", help="all underlyings instead of 68")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (3)")
    parser.add_argument("--nice", type=int, default=0, help="priority of all that is measured")
    options = parser.parse_args(arguments)
    if options.nice:
        raise_priority(options.nice)
    compiled("load")
    raise_descriptor_limit()
    plan = Plan(quick=options.quick, rounds=options.rounds or (1 if options.quick else 3))
    print(describe(), flush=True)
    print(table(rows(plan, ALL if options.all else SOME)))


if __name__ == "__main__":
    try:
        main()
    except CannotRun as reason:
        print(f"It cannot run here. {reason}", flush=True)
        raise SystemExit(CANNOT_RUN) from None
