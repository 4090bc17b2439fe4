"""The benchmarks' load driver speaks the protocol of the server it measures."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from bench.machine import HERE
from tests.conftest import Sandbox

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``bench/load.c``, compiled without a warning."""
    program = tmp_path_factory.mktemp("bench") / "load"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(HERE / "load.c")], check=True
    )
    return program


async def drive(driver: Path, sandbox: Sandbox, *options: str) -> dict[str, Any]:
    """The driver's report on three clients; the market takes a step each time the loop is free."""
    port = sandbox.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        str(driver),
        *("--port", port, "--clients", "3", "--seconds", "0.5", "--settle", "0", "--pid", str(os.getpid())),
        *("--emit", '["subscribe_symbol",{"symbol":"%s"}]', "--list", "NIFTY,BANKNIFTY", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    finished = asyncio.ensure_future(process.communicate())
    while not finished.done():
        await sandbox.step()
        await asyncio.wait([finished], timeout=0.01)
    output, errors = finished.result()
    assert process.returncode == 0, errors.decode()
    report: dict[str, Any] = json.loads(output)
    return report


def test_driver_counts_what_each_client_subscribed_to(
    io_loop: IOLoop, sandbox: Sandbox, driver: Path
) -> None:
    report = io_loop.run_sync(lambda: drive(driver, sandbox))
    events = report["events"]
    assert (report["ready"], report["refused"], report["closed"]) == (3, 0, 0)
    assert events["symbol_update"]["frames"] >= 3, "a delta each, at least"
    assert report["frames"] == sum(event["frames"] for event in events.values())
    assert report["payload_bytes"] == sum(event["bytes"] for event in events.values())
    assert report["wire_bytes"] > report["payload_bytes"]
    assert report["service"] == {**report["service"], "clients": 3, "unserved": 0}
    assert report["latency_ms"]["count"] >= 3
    assert report["server"]["end"]["resident_bytes"] > 1_000_000


def test_pace_of_the_market_is_taken_out_of_latencies(
    io_loop: IOLoop, sandbox: Sandbox, driver: Path
) -> None:
    # the market steps half a second each time the loop is free: its own time would be most of each latency
    told = {
        pace: io_loop.run_sync(lambda pace=pace: drive(driver, sandbox, "--relative", pace))["latency_ms"]
        for pace in ("1", "1e9")
    }
    assert min(latency["count"] for latency in told.values()) >= 3
    assert told["1e9"]["max"] < told["1"]["max"]


def test_driver_offering_deflate_counts_compressed_frames(
    io_loop: IOLoop, sandbox: Sandbox, driver: Path
) -> None:
    chain = '["subscribe_option_chain",{"symbol":"NIFTY"}]'
    report = io_loop.run_sync(lambda: drive(driver, sandbox, "--deflate", "--emit", chain))
    assert report["events"]["(compressed)"]["frames"] >= 3, "a chain's delta is large enough"
    assert "option_chain_delta" not in report["events"]


def test_vanished_clients_are_forgotten_by_the_server_and_the_rest_served(
    io_loop: IOLoop, sandbox: Sandbox, driver: Path
) -> None:
    connected: list[int] = []

    async def watch() -> dict[str, Any]:
        running = asyncio.ensure_future(drive(driver, sandbox, "--vanish-at", "0.1", "--survivors", "1"))
        while not running.done():
            connected.append(sandbox.server.services.socket_statistics()["connections"]["now"])
            await asyncio.wait([running], timeout=0.005)
        return running.result()

    report = io_loop.run_sync(watch)
    assert report["vanished"] == 2
    assert max(connected) == 3
    assert 1 in connected[connected.index(3) :]
    assert report["service"]["clients"] == 1


def test_driver_says_that_it_was_refused(
    io_loop: IOLoop, make_sandbox: Callable[..., Any], driver: Path
) -> None:
    async def overcrowd() -> None:
        sandbox = await make_sandbox(limits={"max_clients": 1})
        with pytest.raises(AssertionError, match="refused 44"):
            await drive(driver, sandbox)

    io_loop.run_sync(overcrowd)
