"""All that clients see of a seeded market, written down before a change of structure and compared after it.

    python -m tests.golden write  /tmp/before.json
    python -m tests.golden compare /tmp/before.json

A change of structure changes no byte. The file is of one machine: numpy's last bits may differ on another.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson
from tornado.httpclient import AsyncHTTPClient

from tests.fanout.raw import RawClient
from tests.processes import Process, spawn

START = (
    "2026-11-30T15:29:00+05:30"  # the day before an expiry; the market moves on only as long as it is watched
)
SYMBOLS = ("NIFTY", "SENSEX", "RELIANCE", "M%26M", "CRUDEOIL")
PATHS = (
    "/api",
    "/api/symbols",
    "/api/symbols?kind=commodity&per_page=3",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/api/docs",
    "/api/market-status",
    "/api/market-status?exchange=MCX,NSE",
    "/api/simulation/scenario",
    "/api/replay",
    "/api/option_chain",
    "/api/option_chain?symbol=NOPE",
    "/api/option_chain?symbol=NIFTY&expiry=2020-01-01",
    "/api/option_chain?symbol=NIFTY&strikes=x",
    "/nowhere",
    *(f"/api/spot_price/{symbol}" for symbol in SYMBOLS),
    *(f"/api/expiries/{symbol}" for symbol in SYMBOLS),
    *(f"/api/option_chain?symbol={symbol}" for symbol in SYMBOLS),
    *(f"/api/option_chain?symbol={symbol}&strikes=5" for symbol in SYMBOLS),
    *(f"/api/dashboard_data?symbol={symbol}" for symbol in SYMBOLS),
    *(f"/api/ohlc_data/{symbol}" for symbol in SYMBOLS),
    *(
        f"/api/historical-data/{symbol}?interval={width}&per_page=20"
        for symbol in SYMBOLS
        for width in ("1m", "1h", "1d")
    ),
    "/api/dashboard-history/NIFTY?interval=1d",
    "/api/oi-history/NIFTY?strikes=5",
)
EVENTS: tuple[tuple[str, Any], ...] = (
    ("subscribe_symbol", {"symbol": ["NIFTY", "RELIANCE"]}),
    ("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 10}),
    ("subscribe_option_chain", {"symbol": "BANKNIFTY"}),
    ("subscribe_option_chain", {"symbol": "SENSEX", "mode": "full", "strikes": 5}),
    ("subscribe_dashboard", {"symbol": "NIFTY"}),
    ("subscribe_candles", {"symbol": "NIFTY", "interval": "1m"}),
    ("get_option_chain", {"symbol": "FINNIFTY", "strikes": 5}),
    ("get_dashboard_data", {"symbol": "FINNIFTY"}),
    ("get_market_status", {}),
    ("list_subscriptions", {}),
    ("subscribe_symbol", {"symbol": "NOPE"}),
    ("nonsense", {}),
)
CHANGES = 8
VOLATILE = re.compile(rb'"(client_id|version|uptime_s)":("[^"]*"|[0-9.]+),?')


async def looked_at(server: Process) -> dict[str, Any]:
    """What REST and the streams say, from a market that was started at rest."""
    client = await RawClient.open(server.url)
    await client.enter()
    acknowledged = {
        f"{number} {name}": await client.call(name, payload) for number, (name, payload) in enumerate(EVENTS)
    }
    while sum(name == "option_chain_delta" for name, _ in client.events) < CHANGES:
        await client.event()
    client.vanish()
    streamed: dict[str, dict[str, Any]] = {}
    for name, payload in client.events:
        if name != "ack":
            streamed.setdefault(name, {})[_state(payload)] = payload
    return {"acknowledged": acknowledged, "streamed": streamed}


async def answered(server: Process) -> dict[str, str]:
    """The body of every route, as text."""
    http = AsyncHTTPClient(force_instance=True)
    bodies = {}
    for path in PATHS:
        answer = await http.fetch(
            server.url + path, raise_error=False, headers={"X-Request-ID": "golden"}, request_timeout=60
        )
        bodies[path] = f"{answer.code} " + VOLATILE.sub(b"", answer.body).decode()
    http.close()
    return bodies


def record() -> dict[str, Any]:
    """Both views, each of a server of its own: REST at its first step, streams over some steps."""
    with tempfile.TemporaryDirectory() as folder:
        common = ("--seed", "7", "--start", START, "--set", "history.backfill_sessions=2")
        still = spawn(Path(folder) / "rest.log", *common, "--publish-interval-ms", "60000")
        rest = asyncio.run(answered(still))
        still.stop()
        moving = spawn(Path(folder) / "streams.log", *common, "--speed", "5", "--publish-interval-ms", "2000")
        streams = asyncio.run(looked_at(moving))
        moving.stop()
        for process in (still, moving):
            assert process.popen.stdout is not None
            process.popen.stdout.close()
    return {"rest": rest, **orjson.loads(VOLATILE.sub(b"", orjson.dumps(streams)))}


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """Where two records differ; of streams in what both saw, since one may have watched for longer."""
    if isinstance(before, dict) and isinstance(after, dict):
        is_streamed = place.startswith("/streamed/") and place.count("/") == 2
        names = before.keys() & after.keys() if is_streamed else before.keys() | after.keys()
        return [
            line
            for name in sorted(names)
            for line in differences(before.get(name), after.get(name), f"{place}/{name}")
        ]
    return [] if before == after else [f"{place}: {str(before)[:200]} -> {str(after)[:200]}"]


def _state(item: Any) -> str:
    """What state of a stream an item is of."""
    if not isinstance(item, dict):
        return json.dumps(item)
    keys = (
        "kind",
        "symbol",
        "stream",
        "expiry",
        "epoch",
        "prev_seq",
        "seq",
        "strike_price",
        "date",
        "closed",
    )
    return json.dumps([item.get(key) for key in keys if not isinstance(item.get(key), dict | list)])


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "write":
        where.write_text(json.dumps(record()))
    else:
        found = differences(json.loads(where.read_text()), record())
        sys.stdout.write("\n".join(found[:40]) + f"\n{len(found)} differences\n")
        sys.exit(bool(found))
