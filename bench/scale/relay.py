"""What relaying a market costs: records and images of it, the feed, its edges, and what clients notice.

Run ``python -m bench.scale.relay``. Sizes and times of records are CPU time (`time.process_time`) of this
very process over the simulated market; the rest is CPU time of the processes of a feed and two edges over a
Redis, all of them started here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import socketio

from bench.load.driver import SUBSCRIBE_CHAIN, Run, drive
from bench.load.servers import Server
from bench.machine import CANNOT_RUN, CannotRun, compiled, describe, raise_descriptor_limit
from bench.market.tick import CASES, Case
from bench.progress import Plan
from bench.verdicts import Row, at_least, at_most, table
from domain.instants import to_ms
from domain.market import FeedStateName
from feed.history.history import History
from feed.market.market import Market
from feed.market.watchdog import FeedState
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.relay.codec import Unpacker
from feed.relay.facts import facts_of
from feed.relay.followed_market import FollowedMarket
from feed.relay.records import Encoder, Header, MinuteSoFar, read_delta, read_image
from feed.simulation.source import SimulatedSource

LIVE = FeedState(FeedStateName.LIVE, "Data arrives.")
ROUNDS_A_SECOND = 2.0
WARM = 5  # steps that are not counted: the first ones tell everything


def _ms(seconds: list[float]) -> float:
    return 1000 * float(np.median(seconds))


def records(case: Case, steps: int) -> dict[str, float]:
    """Sizes and CPU times of the records of one market, and of its image."""
    calendar = Calendar.load()
    catalogue, start_ms = Catalogue.load(calendar), to_ms(case.when)
    source = SimulatedSource(catalogue, calendar, seed=1, start_ms=start_ms)
    market = Market(source.universe, source="simulated", epoch="bench", interest_rate=0.065, stale_after_s=15)
    history = History(None, calendar=calendar, hours="always")
    history.start(market, start_ms, source)
    encoder, edge = Encoder(), None
    pack_s, apply_s, sizes, image_s, over_s, images, cells = [], [], [], [], [], [], []

    def image(header: Header) -> bytes:
        minute_ms, underlyings, contracts = history.recorder.so_far()
        minute = MinuteSoFar(minute_ms, underlyings, contracts, *history.recorder.running.day_columns())
        return encoder.image(market, header, facts_of(market, ""), minute)

    for step in range(1, steps + WARM + 1):
        now_ms = start_ms + step * case.step_ms
        update = source.advance(now_ms)
        if update is not None:
            market.apply(update)
        history.record(market, now_ms)
        market.publish(now_ms)
        header = Header(now_ms, market.last_input_ms, market.epoch, market.source, LIVE)
        if edge is None:
            encoder.remember(market)
            edge = FollowedMarket(
                read_image(Unpacker(image(header)), {item.symbol: item for item in catalogue.underlyings})
            )
            continue
        began_s = time.process_time()
        record = encoder.delta(market, header, update)
        packed_s = time.process_time()
        edge.take_delta(read_delta(Unpacker(record), edge))
        if step > WARM:
            pack_s.append(packed_s - began_s)
            apply_s.append(time.process_time() - packed_s)
            sizes.append(len(record))
            cells.append(0 if update is None or update.contract_rows is None else len(update.contract_rows))
        if step % 20 == 0:
            began_s = time.process_time()
            whole = image(header)
            packed_s = time.process_time()
            edge.take_image(
                read_image(Unpacker(whole), {item.symbol: item for item in catalogue.underlyings})
            )
            image_s.append(packed_s - began_s)
            over_s.append(time.process_time() - packed_s)
            images.append(len(whole))
    assert edge is not None
    for name, values in market.contracts.items():
        assert np.array_equal(values, edge.contracts[name], equal_nan=True), name
    asyncio.run(history.stop())
    return {
        "bytes": float(np.mean(sizes)),
        "pack_ms": _ms(pack_s),
        "apply_ms": _ms(apply_s),
        "image_bytes": float(np.mean(images)),
        "image_ms": _ms(image_s),
        "take_over_ms": _ms(over_s),
        "rows": float(np.mean(cells)),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _redis() -> Iterator[str]:
    """A Redis that keeps nothing; its URL."""
    if shutil.which("redis-server") is None:
        raise CannotRun("There is no redis-server here (Debian: apt install redis-server).")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                with ExitStack() as stack:
                    try:
                        stack.enter_context(socket.create_connection(("127.0.0.1", port), 1))
                        break
                    except OSError:
                        time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()


def _server(*arguments: str) -> Server:
    command = [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0", *arguments]
    command += ["--set", "limits.max_clients_per_address=100000", "--set", "limits.rate_limit_per_minute=0"]
    return Server("relayed", command, ready=r"server\s+http://127\.0\.0\.1:(\d+)/")


def _loads(servers: Sequence[Server], seconds: float) -> list[float]:
    """Share of a core that each process takes, over the same time."""
    began_s, before = time.monotonic(), [server.cpu_s() for server in servers]
    time.sleep(seconds)
    took_s = time.monotonic() - began_s
    return [(server.cpu_s() - before_s) / took_s for server, before_s in zip(servers, before, strict=True)]


def _ready_s(server: Server, began_s: float) -> float:
    """When it served, since it was started."""
    while True:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{server.port}/health?probe=ready", timeout=5
            ) as answer:
                if json.load(answer)["data"]["status"] == "ok":
                    return time.monotonic() - began_s
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)


async def _arrivals(feed: Server, edge: Server, seconds: float) -> list[float]:
    """How much later a state arrives from an edge than from the feed, in milliseconds."""
    came: list[dict[tuple[str, int], float]] = [{}, {}]
    clients = []
    for place, server in enumerate((feed, edge)):
        client = socketio.AsyncClient()
        seen = came[place]

        def note(payload: Any, seen: dict[tuple[str, int], float] = seen) -> None:
            seen.setdefault((payload["epoch"], payload["seq"]), time.monotonic())

        client.on("symbol_update", note)
        await client.connect(f"http://127.0.0.1:{server.port}", transports=["websocket"])
        await client.emit("subscribe_symbol", {"symbol": "NIFTY"})
        clients.append(client)
    await asyncio.sleep(seconds)
    for client in clients:
        await client.disconnect()
    both = came[0].keys() & came[1].keys()
    return sorted(1000 * (came[1][state] - came[0][state]) for state in both)


def _drive(server: Server, clients: int, seconds: int) -> Run:
    return drive(server, clients=clients, seconds=seconds, emit=SUBSCRIBE_CHAIN, relative=True)


def _per_frame(run: Run, idle: float) -> float:
    """CPU seconds of a frame."""
    return (run.cpu_s() - idle * float(run.report["window_s"])) / max(1, run.frames)


def processes(plan: Plan) -> list[Row]:
    """A feed, two edges, and what they take."""
    seconds, clients = plan.size(30, 8), plan.size(2000, 200)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(_redis())
        store = ("--database-url", f"sqlite:///{folder}/history.sqlite3")
        alone = stack.enter_context(_server("--database-url", f"sqlite:///{folder}/alone.sqlite3"))
        feed = stack.enter_context(_server("--role", "feed", "--relay", url, *store))
        time.sleep(plan.size(60, 20))  # the past is filled, and nobody else's work counts
        single, leading = _loads([alone, feed], 2 * seconds)
        alone.stop()
        plan.say("the feed")
        edges, joined = [], []
        for number in (1, 2):
            began_s = time.monotonic()
            name = ("--set", f"server.edge_name=e{number}")
            edge = stack.enter_context(_server("--role", "edge", "--relay", url, *name, *store))
            joined.append(_ready_s(edge, began_s))
            edges.append(edge)
        time.sleep(3)
        (idle,) = _loads(edges[:1], seconds)
        plan.say("edges without clients")
        late_ms = asyncio.run(_arrivals(feed, edges[0], 2 * seconds))
        plan.say("what they add")
        one = _drive(edges[0], clients, seconds)
        runs: list[Run] = []
        threads = [
            threading.Thread(target=lambda edge=edge: runs.append(_drive(edge, clients, seconds)))
            for edge in edges
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        plan.say("one edge, then both")
        own_idle = _loads(edges, 5)
    alone_s = _per_frame(one, own_idle[0])
    together_s = float(np.mean([_per_frame(run, own_idle[0]) for run in runs]))
    carries = (2 * (1 - idle) / together_s) / ((1 - idle) / alone_s)
    p50, p99 = np.percentile(late_ms, (50, 99))
    return [
        Row(
            "feed: share of a core that relaying adds",
            f"{100 * leading:.2f} %",
            f"{100 * single:.2f} % single",
            f"{100 * (leading - single):.2f} %",
            "1 %",
            "",
            at_most(leading - single, 0.01),
        ),
        Row("edge without clients", f"{100 * idle:.2f} %", "", "", "3 %", "", at_most(idle, 0.03)),
        Row(
            "edge: from its start to its first answer",
            f"{max(joined):.2f} s",
            "",
            "",
            "3 s",
            "",
            at_most(max(joined), 3),
        ),
        Row(
            f"a state's way by an edge, beside the feed's own ({len(late_ms)} states)",
            f"p50 {p50:.1f}, p99 {p99:.1f} ms",
            "",
            "",
            "20 ms",
            "",
            at_most(p99, 20),
        ),
        Row(
            f"two edges, {clients} clients each, beside one: messages for the same CPU of each",
            f"{1e6 * together_s:.1f} us a frame",
            f"{1e6 * alone_s:.1f} us",
            f"{carries:.2f}",
            "1.8",
            "",
            at_least(carries, 1.8),
        ),
    ]


def main() -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a first look: shorter, fewer clients")
    plan = Plan(parser.parse_args().quick)
    print(describe())
    print()
    print("| market | record | pack | apply | image | pack | take over | contracts told |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    measured = {}
    for case in (CASES[0], CASES[1], CASES[3]):
        found = measured[case.name] = records(case, plan.size(240, 40))
        print(
            f"| {case.name} | {found['bytes'] / 1000:.1f} kB | {found['pack_ms']:.2f} ms "
            f"| {found['apply_ms']:.2f} ms | {found['image_bytes'] / 1000:.0f} kB "
            f"| {found['image_ms']:.1f} ms | {found['take_over_ms']:.1f} ms | {found['rows']:,.0f} |",
            flush=True,
        )
    plan.say("records")
    ordinary, all_moved = measured[CASES[0].name]["bytes"], measured[CASES[3].name]["bytes"]
    rows = [
        Row(
            "an ordinary record", f"{ordinary / 1000:.1f} kB", "", "", "20 kB", "", at_most(ordinary, 20_000)
        ),
        Row(
            "every contract moved",
            f"{all_moved / 1000:.1f} kB",
            "",
            "",
            "80 kB",
            "",
            at_most(all_moved, 80_000),
        ),
    ]
    raise_descriptor_limit()
    try:
        compiled("load")
        rows += processes(plan)
    except CannotRun as error:
        print(f"{error}")
        return CANNOT_RUN
    print()
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
