"""What the Kite mock costs, and a server that it feeds: three sockets with 3,000 instruments each, at 2 Hz.

CPU time of the server's process, less what the same server takes while nobody is connected. The client runs
in a process of its own and reads frames without decoding them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import socket
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from tornado.websocket import websocket_connect

from bench.load.servers import Server, ours
from bench.machine import describe
from bench.progress import Plan
from bench.verdicts import Row, at_most, middle, table
from tests.processes import SOME_SYMBOLS

PUBLISH_MS = 500
SOCKETS, TOKENS = 3, 3000
ACCESS_TOKEN = "bench"  # noqa: S105 - of the mock


@dataclass(frozen=True)
class Served:
    """One run: the share of a core that the sockets took, and what they got a second."""

    share: float
    packets_per_second: float
    bytes_per_second: float


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _follow(port: int, number: int, tokens: list[int], seconds: float) -> tuple[int, int]:
    address = f"ws://127.0.0.1:{port}/?api_key=mock&access_token={ACCESS_TOKEN}"
    client = await websocket_connect(address, max_message_size=4 << 20)
    await client.write_message(json.dumps({"a": "subscribe", "v": tokens}))
    await client.write_message(json.dumps({"a": "mode", "v": ["full", tokens]}))
    packets = size = 0
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        message = await client.read_message()
        if isinstance(message, bytes) and len(message) > 1 and time.monotonic() - began > 1:
            packets += int.from_bytes(message[:2], "big")
            size += len(message)
    client.close()
    return packets, size


def _clients(port: int, tokens: list[list[int]], seconds: float, results: Any) -> None:
    async def run() -> list[tuple[int, int]]:
        return await asyncio.gather(*(_follow(port, n, part, seconds) for n, part in enumerate(tokens)))

    results.put(asyncio.run(run()))


def _measure(seconds: float) -> Served:
    port = _free_port()
    sections = ("--set", f"kite_mock.port={port}", "--set", f"kite_mock.access_token={ACCESS_TOKEN}")
    with ours(PUBLISH_MS, *sections) as server:
        chains = [
            f"{item['symbol'].replace('&', '%26')}"
            for item in server.get("/api/symbols?kind=index&per_page=100")["symbols"]
        ]
        tokens: list[int] = []
        for symbol in chains:
            for day in server.get(f"/api/expiries/{symbol}")["expiry_dates"]:
                rows = server.get(f"/api/option_chain?symbol={symbol}&expiry={day}")["option_chain"]
                tokens += [row[f"{side}_token"] for row in rows for side in ("ce", "pe")]
                if len(tokens) >= SOCKETS * TOKENS:
                    break
        parts = [tokens[start : start + TOKENS] for start in range(0, SOCKETS * TOKENS, TOKENS)]
        before, began = server.cpu_s(), time.monotonic()
        time.sleep(seconds)
        idle = (server.cpu_s() - before) / (time.monotonic() - began)
        results: Any = multiprocessing.Queue()
        clients = multiprocessing.Process(target=_clients, args=(port, parts, seconds + 3, results))
        clients.start()
        time.sleep(2)
        before, began = server.cpu_s(), time.monotonic()
        time.sleep(seconds)
        busy = (server.cpu_s() - before) / (time.monotonic() - began)
        told = results.get(timeout=30)
        clients.join()
    window_s = seconds + 2
    return Served(
        busy - idle, sum(item[0] for item in told) / window_s, sum(item[1] for item in told) / window_s
    )


@dataclass(frozen=True)
class Fed:
    """A server that is fed by the mock: the shares of a core that it takes, and its peer that simulates."""

    fed: float
    simulated: float
    ticks_per_second: float
    instruments: int


def _busy(server: Server, seconds: float) -> float:
    before, began = server.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return (server.cpu_s() - before) / (time.monotonic() - began)


def _fed(seconds: float) -> Fed:
    """Sockets, decoding, polling, valuation of nothing, recording: both servers have the same universe."""
    port = _free_port()
    symbols = ("--set", f"feed.symbols={','.join(SOME_SYMBOLS)}")
    past = ("--set", "history.backfill_days=0", "--set", "history.backfill_sessions=0")
    mock = ("--set", f"kite_mock.port={port}", "--set", f"kite_mock.access_token={ACCESS_TOKEN}")
    live = {
        "feed.source": "kite",
        "kite.api_key": "mock",
        "kite.access_token": ACCESS_TOKEN,
        "kite.root_url": f"http://127.0.0.1:{port}",
        "kite.ticker_url": f"ws://127.0.0.1:{port}",
    }
    settings = [word for name, value in live.items() for word in ("--set", f"{name}={value}")]
    with (
        ours(PUBLISH_MS, *mock, *symbols, *past) as origin,
        ours(PUBLISH_MS, *settings, *symbols, *past) as fed,
    ):
        until = time.monotonic() + 90
        while _told(fed, "market_live_lines") < SOCKETS or _told(fed, "market_feed_updates_per_second") == 0:
            assert time.monotonic() < until, fed.log()
            time.sleep(1)
        time.sleep(2 * seconds)  # the minutes that it missed are asked for meanwhile
        share = _busy(fed, seconds)
        instruments = sum(_told(fed, f'market_live_instruments{{way="{way}"}}') for way in ("line", "polled"))
        ticks = _told(origin, "market_kite_mock_packets_total")
        time.sleep(seconds)
        rate = (_told(origin, "market_kite_mock_packets_total") - ticks) / seconds
    with ours(PUBLISH_MS, *symbols, *past) as simulated:
        time.sleep(seconds)
        return Fed(share, _busy(simulated, seconds), rate, round(instruments))


def _told(server: Server, name: str) -> float:
    """A figure of ``/metrics``; 0 where it is not there yet."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.M)
    return float(found[1]) if found else 0.0


def _fed_row(plan: Plan) -> Row:
    seen = []
    for turn in range(plan.rounds):
        seen.append(_fed(plan.size(15, 8)))
        plan.say(
            f"round {turn + 1} of {plan.rounds}: fed {seen[-1].fed:.1%}, simulated {seen[-1].simulated:.1%}"
        )
    beyond = middle(seen, lambda item: item.fed - item.simulated)
    rate = middle(seen, lambda item: item.ticks_per_second)
    return Row(
        f"a server fed over {SOCKETS} sockets and by polling, {seen[0].instruments:,} instruments",
        f"{beyond:.1%} of a core beyond the simulated market's {middle(seen, lambda it: it.simulated):.1%}",
        f"{rate:,.0f} ticks a second on the sockets",
        must="at most 10 %",
        verdict=at_most(100 * beyond, 10),
    )


def rows(plan: Plan) -> list[Row]:
    """The shares of a core: of the mock, and of a server that it feeds."""
    seen = []
    for turn in range(plan.rounds):
        seen.append(_measure(plan.size(15, 5)))
        plan.say(f"round {turn + 1} of {plan.rounds}: {seen[-1].share:.1%} of a core")
    share = middle(seen, lambda item: item.share)
    rate, size = (
        middle(seen, lambda item: item.packets_per_second),
        middle(seen, lambda item: item.bytes_per_second),
    )
    return [
        Row(
            f"Kite mock, {SOCKETS} sockets x {TOKENS:,} instruments in full mode, 2 Hz",
            f"{share:.1%} of a core",
            f"{rate:,.0f} packets and {size / 1e6:.1f} MB a second",
            must="at most 5 %",
            verdict=at_most(100 * share, 5),
        ),
        _fed_row(plan),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.market.kite", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args(arguments)
    print(describe(), flush=True)
    print(table(rows(Plan(quick=options.quick, rounds=1 if options.quick else 3))))


if __name__ == "__main__":
    main()
