"""Many clients: whether all are served, when some of them stall, vanish or rush in too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.load.driver import ADDRESSES, SUBSCRIBE_CHAIN, SUBSCRIBE_LISTED, SUBSCRIBE_NIFTY, Run, drive
from bench.load.probe import Probe, percentile
from bench.load.servers import Server, ours, stock
from bench.machine import CannotRun, raise_descriptor_limit
from bench.progress import Plan
from bench.verdicts import Row, at_least, at_most, middle

SLOW_LIMIT_S = 600  # nobody is disconnected for being slow while memory is measured
LAG_MEMORY_S = 62  # the server's figures of loop lag are of the last minute; the connecting must be out of it
DISTURBED = 0.05  # above that, times of a clock on the wall tell of the machine, not of the server


@dataclass(frozen=True)
class Crowd:
    """One run over many clients, with what the server says of itself and what REST felt."""

    run: Run
    statistics: dict[str, Any]
    rest_ms: list[float]

    @property
    def waited(self) -> str:
        """How much others disturbed the server, for the progress lines."""
        return f"waited {self.run.waited:.0%} of the time for its core"

    @property
    def lag_p99_ms(self) -> float:
        """Loop lag that the server measured."""
        return float(self.statistics["loop_lag_ms"]["p99"] or 0)


def _disturbed(runs: Iterable[Run]) -> str:
    """A word for the table where others took much of the servers' core."""
    share = middle(runs, lambda run: run.waited)
    return f", core taken {share:.0%} of the time" if share > DISTURBED else ""


def _crowd(server: Server, **options: Any) -> Crowd:
    """A run with a probe beside it; statistics are asked for when its window is over."""
    told: dict[str, Any] = {}

    def note(word: str) -> None:
        told[word] = time.monotonic()
        if word == "done":
            told["statistics"] = server.get("/api/websocket/stats")

    with Probe(server) as probe:
        run = drive(server, on_progress=note, **options)
    return Crowd(run, told["statistics"], probe.between(told["window"], told["done"]))


def many_rows(plan: Plan) -> list[Row]:
    """10,000 clients, one symbol each at 1 Hz."""
    clients, seconds = plan.size(10_000, 2_000), plan.size(20, 6)
    allowed = raise_descriptor_limit()
    if allowed < clients + 200:
        raise CannotRun(f"{clients} clients need as many descriptors; ulimit -Hn is {allowed}.")
    crowds = []
    for turn in range(plan.rounds):
        with ours(1000) as server:
            symbols = [row["symbol"] for row in server.get("/api/symbols?per_page=200")["symbols"]]
            crowd = _crowd(
                server,
                clients=clients,
                seconds=seconds,
                settle=plan.size(LAG_MEMORY_S, 3),
                emit=SUBSCRIBE_LISTED,
                list=",".join(symbols),
                addresses=ADDRESSES,
                in_flight=500,
            )
        crowds.append(crowd)
        plan.say(
            f"round {turn + 1}: {clients} clients of {len(symbols)} symbols: latency p99 "
            f"{crowd.run.latency_ms['p99']:.0f} ms, loop lag p99 {crowd.lag_p99_ms:.0f} ms, "
            f"core {crowd.run.load:.0%}, {crowd.waited}, {crowd.run.service}"
        )
    latency = middle(crowds, lambda crowd: crowd.run.latency_ms["p99"])
    lag = middle(crowds, lambda crowd: crowd.lag_p99_ms)
    rest = middle(crowds, lambda crowd: percentile(crowd.rest_ms, 0.99))
    fewest = middle(crowds, lambda crowd: crowd.run.service["fewest_frames"])
    deprived = max(crowd.run.service["deprived"] for crowd in crowds)
    gap = middle(crowds, lambda crowd: crowd.run.service["gap_max_ms"])
    load = middle(crowds, lambda crowd: crowd.run.load)
    return [
        Row(
            f"{clients} clients, a symbol each, 1 Hz: latency p99",
            f"{latency:.0f} ms (core {load:.0%} used{_disturbed(crowd.run for crowd in crowds)})",
            must="under 500 ms",
            verdict=at_most(latency, 500),
        ),
        Row(
            "the same: everybody served each second",
            f"{deprived} got fewer than others of their symbol; fewest {fewest:.0f} in {seconds} s, "
            f"longest gap {gap:.0f} ms",
            must=f"0, and at least {seconds - 1}",
            verdict=at_most(max(deprived, seconds - 1 - fewest), 0),
        ),
        Row("the same: loop lag p99", f"{lag:.0f} ms", must="under 100 ms", verdict=at_most(lag, 100)),
        Row("the same: REST answer p99, seen from outside", f"{rest:.0f} ms"),
    ]


def stalled_rows(plan: Plan) -> list[Row]:
    """1,000 clients that read chain deltas, alone and beside 1,000 that do not read."""
    healthy, seconds = plan.size(1000, 300), plan.size(15, 6)
    without: list[Crowd] = []
    beside: list[Crowd] = []
    for turn in range(plan.rounds):
        for stalled, crowds in ((0, without), (healthy, beside)):
            with ours(250, "--set", f"limits.slow_client_timeout_s={SLOW_LIMIT_S}") as server:
                crowd = _crowd(
                    server,
                    clients=healthy + stalled,
                    stalled=stalled,
                    seconds=seconds,
                    settle=5,
                    emit=SUBSCRIBE_CHAIN,
                    addresses=ADDRESSES,
                )
            crowds.append(crowd)
            plan.say(
                f"round {turn + 1}: {stalled} stalled beside {healthy}: latency p99 "
                f"{crowd.run.latency_ms['p99']:.0f} ms, {crowd.waited}, "
                f"{crowd.statistics['slow_clients']} lag, "
                f"memory {crowd.run.grown_bytes('start', 'end') / 1e6:+.1f} MB since the start, "
                f"{crowd.run.grown_bytes('window', 'end') / 1e6:+.1f} MB in the window"
            )
    alone, among = (middle(crowds, lambda crowd: crowd.run.latency_ms["p99"]) for crowds in (without, beside))
    held = middle(beside, lambda crowd: crowd.run.grown_bytes("start", "end"))
    held -= middle(without, lambda crowd: crowd.run.grown_bytes("start", "end"))
    rising = middle(beside, lambda crowd: crowd.run.grown_bytes("window", "end")) / healthy
    return [
        Row(
            f"{healthy} stalled among {2 * healthy}: latency p99 of the healthy (chain deltas, 4 Hz)",
            f"{among:.1f} ms{_disturbed(crowd.run for crowd in beside)}",
            f"without the stalled: {alone:.1f} ms{_disturbed(crowd.run for crowd in without)}",
            f"{among / alone:.2f}",
            "at most 1.3",
            "",
            at_most(among / alone, 1.3),
        ),
        Row(
            "the same: server memory per stalled client",
            f"{held / healthy / 1000:.0f} kB ({rising / 1000:+.1f} kB over {seconds} s)",
            must="bounded: write buffer 1,049 kB",
            verdict=at_most(held / healthy, 1_048_576),
        ),
    ]


def vanish_rows(plan: Plan) -> list[Row]:
    """5,000 clients reset at once while 50 stay."""
    clients, survivors, seconds = plan.size(5000, 1000), 50, 6
    before, after, lags, runs = [], [], [], []
    for turn in range(plan.rounds):
        with ours(500) as server:
            told: dict[str, float] = {}
            statistics: dict[str, Any] = {}

            def note(
                word: str,
                server: Server = server,
                told: dict[str, float] = told,
                out: dict[str, Any] = statistics,
            ) -> None:
                told[word] = time.monotonic()
                if word == "done":
                    out.update(server.get("/api/websocket/stats"))

            with Probe(server) as probe:
                run = drive(
                    server,
                    clients=clients + survivors,
                    survivors=survivors,
                    vanish_at=3,
                    seconds=seconds,
                    settle=plan.size(LAG_MEMORY_S, 1),
                    addresses=ADDRESSES,
                    on_progress=note,
                )
            runs.append(run)
            gone_at = told["vanished"]
            before.append(probe.between(told["window"], gone_at - 0.5)[-1])
            after.append(probe.between(gone_at - 0.2, gone_at + 2.5)[-1])
            lag = statistics["loop_lag_ms"]
            lags.append(float(lag["max"]))
            latency = run.report["latency_after_vanish_ms"]["max"]
            plan.say(
                f"round {turn + 1}: {run.report['vanished']} vanished: REST at most {after[-1]:.0f} ms "
                f"(before: {before[-1]:.0f}), survivors' events at most {latency:.0f} ms late, "
                f"server's own lag {lag}, waited {run.waited:.0%} of the time for its core"
            )
    lag, rest = middle(lags, float), middle(after, float)
    return [
        Row(
            f"{clients} clients vanish at once: longest loop lag, by the server",
            f"{lag:.0f} ms{_disturbed(runs)}",
            must="under 100 ms",
            verdict=at_most(lag, 100),
        ),
        Row(
            "the same: longest REST answer, seen from outside",
            f"{rest:.0f} ms",
            f"while they were there: {middle(before, float):.0f} ms",
        ),
    ]


def storm_rows(plan: Plan) -> list[Row]:
    """5,000 clients connect as fast as they are let in, to ours and to python-socketio."""
    clients = plan.size(5000, 1000)
    servers: dict[str, Callable[[], Server]] = {"ours": lambda: ours(500), "stock": lambda: stock(217, 2)}
    rates: dict[str, list[float]] = {name: [] for name in servers}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    for turn in range(plan.rounds):
        for name, start in servers.items():
            with start() as server:
                drive(server, clients=1, seconds=1)
                run = drive(
                    server,
                    clients=clients,
                    seconds=1,
                    emit=SUBSCRIBE_NIFTY,
                    addresses=ADDRESSES,
                    in_flight=500,
                )
            rates[name].append(clients / run.report["connect_s"])
            costs[name].append(run.cpu_s("start", "ready") / clients * 1e6)
            each = f"{rates[name][-1]:.0f} connections/s, {costs[name][-1]:.0f} us each"
            plan.say(f"round {turn + 1}: {name}: {each}")
    rate, cost = ({name: middle(values, float) for name, values in of.items()} for of in (rates, costs))
    ratio = rate["ours"] / rate["stock"]
    return [
        Row(
            f"connect storm of {clients}",
            f"{rate['ours']:.0f}/s, {cost['ours']:.0f} us of CPU each",
            f"stock: {rate['stock']:.0f}/s, {cost['stock']:.0f} us",
            f"{ratio:.2f} times as fast",
            "above 1",
            "1.5",
            at_least(ratio, 1, 1.5),
        )
    ]
