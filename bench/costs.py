"""CPU time per delivered event: ours, Node's and python-socketio's beside the bare C floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.load.driver import SUBSCRIBE_CHAIN, SUBSCRIBE_NIFTY, Run, drive
from bench.load.servers import Server, floor, node_socketio, ours, stock
from bench.machine import CannotRun, node
from bench.progress import Plan
from bench.verdicts import Row, at_least, at_most, middle

CLIENTS = 1000
TICKS_PER_SECOND = 10
CHAIN_TICKS_PER_SECOND = 4
SATURATED = 0.95
TYPICAL_QUOTE_BYTES, TYPICAL_CHAIN_BYTES = 217, 8000  # until ours has been measured


@dataclass(frozen=True)
class Cost:
    """What a server spent on many clients, and on one: the market's own work is in both."""

    many: Run
    one: Run

    @property
    def gross_us(self) -> float:
        """CPU time of the process per delivered event."""
        return self.many.cpu_s() / self.many.frames * 1e6

    @property
    def net_us(self) -> float:
        """The same without what it spends with a single client: what each further event costs."""
        return (self.many.cpu_s() - self.one.cpu_s()) / (self.many.frames - self.one.frames) * 1e6


@dataclass(frozen=True)
class Candidate:
    """A server to start for each round, given the size of the events it is to send."""

    name: str
    start: Callable[[int], Server]
    deflate: bool = False
    emit: str = SUBSCRIBE_NIFTY


def quote_rows(plan: Plan) -> list[Row]:
    """Rows of the 200-byte event, without and with permessage-deflate."""
    interval_ms = round(1000 / TICKS_PER_SECOND)
    candidates = [
        Candidate("ours", lambda _: ours(interval_ms)),
        Candidate("floor", lambda size: floor(size, TICKS_PER_SECOND)),
        Candidate("stock", lambda size: stock(size, TICKS_PER_SECOND)),
        Candidate("ours, deflate", lambda _: ours(interval_ms), deflate=True),
        *_node_candidates(plan),
    ]
    costs = _measure(plan, candidates, TYPICAL_QUOTE_BYTES)
    mine, least = costs["ours"], costs["floor"]
    size = (
        f"{middle(mine, lambda cost: cost.many.frame_bytes):.0f} B, {CLIENTS} clients, {TICKS_PER_SECOND} Hz"
    )
    rows = [
        _at_most(f"CPU/event, {size}", mine, "C floor", least, 1.4, 1.2),
        _peer_row("the same", mine, "stock", costs["stock"], 10),
    ]
    if "node" in costs:
        rows.insert(1, _at_most("the same", mine, "Node", costs["node"], 0.75))
    rows.append(
        _at_most("the same, deflate offered by all", costs["ours, deflate"], "ours without", mine, 1.3)
    )
    if "node" in costs:
        rows.append(_peer_row("the same", costs["ours, deflate"], "Node, deflate", costs["node, deflate"], 5))
    return rows


def chain_rows(plan: Plan) -> list[Row]:
    """Rows of a chain's delta within 20 strikes of the money, beside a floor that sends as many bytes."""
    interval_ms = round(1000 / CHAIN_TICKS_PER_SECOND)
    candidates = [
        Candidate("ours", lambda _: ours(interval_ms), emit=SUBSCRIBE_CHAIN),
        Candidate("floor", lambda size: floor(size, CHAIN_TICKS_PER_SECOND)),
        Candidate("ours, deflate", lambda _: ours(interval_ms), deflate=True, emit=SUBSCRIBE_CHAIN),
    ]
    costs = _measure(plan, candidates, TYPICAL_CHAIN_BYTES)
    size = middle(costs["ours"], lambda cost: cost.many.frame_bytes)
    packed = middle(costs["ours, deflate"], lambda cost: cost.many.frame_bytes)
    figure = f"CPU/chain delta, window 20, {size:.0f} B, {CHAIN_TICKS_PER_SECOND} Hz"
    deflated = _at_most(
        f"the same, deflated to {packed:.0f} B", costs["ours, deflate"], "C floor, plain", costs["floor"]
    )
    return [_at_most(figure, costs["ours"], "C floor", costs["floor"], 1.6), deflated]


def _node_candidates(plan: Plan) -> list[Candidate]:
    try:
        node()
    except CannotRun as reason:
        plan.say(f"without Node's Socket.IO: {reason}")
        return []
    return [
        Candidate("node", lambda size: node_socketio(size, TICKS_PER_SECOND)),
        Candidate(
            "node, deflate", lambda size: node_socketio(size, TICKS_PER_SECOND, deflate=True), deflate=True
        ),
    ]


def _measure(plan: Plan, candidates: list[Candidate], size_bytes: int) -> dict[str, list[Cost]]:
    """Costs by candidate, one a round. Ours comes first: its events tell the peers their size."""
    costs: dict[str, list[Cost]] = {candidate.name: [] for candidate in candidates}
    for turn in range(plan.rounds):
        for candidate in candidates:
            cost = _cost(candidate, size_bytes, plan.size(10, 3))
            costs[candidate.name].append(cost)
            if candidate.name == "ours":
                size_bytes = round(cost.many.frame_bytes)
            plan.say(
                f"round {turn + 1}: {candidate.name}: {cost.net_us:.1f} us an event net, "
                f"{cost.gross_us:.1f} gross, {cost.many.frame_bytes:.0f} B, "
                f"core {cost.many.load:.0%} used ({cost.one.load:.0%} for one client), "
                f"latency p99 {cost.many.latency_ms['p99']:.0f} ms"
            )
    return costs


def _cost(candidate: Candidate, size_bytes: int, seconds: float) -> Cost:
    with candidate.start(size_bytes) as server:
        # the first run also warms the server up
        one = drive(server, clients=1, seconds=seconds, emit=candidate.emit, deflate=candidate.deflate)
        many = drive(server, clients=CLIENTS, seconds=seconds, emit=candidate.emit, deflate=candidate.deflate)
    return Cost(many, one)


def _net(costs: list[Cost]) -> float:
    return middle(costs, lambda cost: cost.net_us)


def _text(costs: list[Cost]) -> str:
    """Net, with gross beside it, and a word if the server could do no more."""
    saturated = ", saturated" if middle(costs, lambda cost: cost.many.load) > SATURATED else ""
    return f"{_net(costs):.1f} us ({middle(costs, lambda cost: cost.gross_us):.1f} gross{saturated})"


def _at_most(
    figure: str,
    mine: list[Cost],
    peer: str,
    other: list[Cost],
    must: float | None = None,
    aim: float | None = None,
) -> Row:
    ratio = _net(mine) / _net(other)
    return Row(
        figure,
        _text(mine),
        f"{peer}: {_text(other)}",
        f"{ratio:.2f}",
        f"at most {must}" if must else "",
        f"{aim}" if aim else "",
        at_most(ratio, must, aim) if must else "",
    )


def _peer_row(figure: str, mine: list[Cost], peer: str, other: list[Cost], times: float) -> Row:
    ratio = _net(other) / _net(mine)
    return Row(
        figure,
        _text(mine),
        f"{peer}: {_text(other)}",
        f"{ratio:.1f} times less",
        f"at least {times:g} times less",
        "",
        at_least(ratio, times),
    )
