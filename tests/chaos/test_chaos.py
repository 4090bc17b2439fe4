"""Real clients while things break: what is told is true, all recovers by itself, nothing is left behind."""

import asyncio
import gc
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from handlers.operations.build import build
from handlers.operations.market import MarketParts
from schemas.wire import timestamp
from tests.chaos import garbage
from tests.chaos.followers import Follower, agree_with_rest
from tests.chaos.vitals import vitals_of, vitals_when
from tests.conftest import Parts, settings_of
from tests.fanout.raw import RawClient
from tests.handlers.faulty import FaultySource

SYMBOLS = ("NIFTY", "BANKNIFTY", "FINNIFTY", "SENSEX")
FOLLOWERS = 24
STRANGERS = 120
VANISHING = 100
STOPPED_S = 2.0
STEP_S = 0.01
TRIES = 5  # so that a silence lasts long enough to be seen
SPARE_BYTES = 32 * 2**20  # what an allocator keeps of what was used once
NO_LINGER = struct.pack("ii", 1, 0)


@contextmanager
def small_disk():
    """A folder on a disk that can be filled: of its own for root, else the server's own limit stands in.

    Gives the folder, and ``fill(process)``, which returns what empties it again.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))  # not pytest's, which could not remove a mounted one
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "chaos", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield folder, (lambda _: fill_up(folder / "filler")) if is_mounted else limit_files
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder)


def fill_up(filler):
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    return filler.unlink


def limit_files(process):
    """No file of the process may grow any more."""
    number, before = process.popen.pid, resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(number, resource.RLIMIT_FSIZE, (0, before[1]))
    return lambda: resource.prlimit(number, resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def following(server, count=FOLLOWERS):
    followers = [Follower(server.url, SYMBOLS[n % len(SYMBOLS)]) for n in range(count)]
    try:
        await go_on(followers)
        yield followers
    finally:
        await asyncio.gather(*(follower.stop() for follower in followers))


async def go_on(followers, deltas=3):
    """Wait until everybody has got some changes more."""
    goals = [follower.counts["option_chain_delta"] + deltas for follower in followers]
    for follower, goal in zip(followers, goals, strict=True):
        await follower.until(lambda it, goal=goal: it.counts["option_chain_delta"] >= goal)


def untroubled(followers):
    """Nobody was cut off, refused, or sent what did not fit."""
    return all(not follower.troubles and not follower.away_s for follower in followers)


async def send_and_see_the_end(url, data):
    """Send bytes over a connection of their own; whether the server ended it."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(data)
        async with asyncio.timeout(30):
            while await reader.read(65536):
                pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    finally:
        writer.transport.abort()


async def spoil_a_socket(url, chance, entered):
    client = await RawClient.open(url)
    try:
        if entered:
            await client.enter()
        garbage.spoil(client, chance)
        return await client.ended()
    finally:
        client.vanish()


def stood_still_s(seen):
    found = re.search(r"stood still for ([0-9.]+) s", seen.part("event_loop")["reason"])
    assert found, seen.part("event_loop")
    return float(found[1])


async def loop_stands_still(process, fetch, followers):
    process.popen.send_signal(signal.SIGSTOP)
    await asyncio.sleep(STOPPED_S)  # the fault itself
    process.popen.send_signal(signal.SIGCONT)
    await go_on(followers)
    seen = await vitals_of(fetch, process)
    assert seen.part("event_loop")["status"] == "degraded"
    assert stood_still_s(seen) >= STOPPED_S - 0.1
    assert seen("market_event_loop_lag_seconds", quantile="1.0") >= STOPPED_S - 0.1
    assert seen("market_health", part="event_loop", status="degraded") == 1
    assert untroubled(followers)


async def garbage_floods(process, fetch, followers):
    chance = random.Random(5)
    before = await vitals_of(fetch, process)
    ended = await asyncio.gather(
        *(send_and_see_the_end(process.url, data) for data in garbage.requests(chance, STRANGERS)),
        *(spoil_a_socket(process.url, chance, entered=n % 2 == 0) for n in range(STRANGERS)),
    )
    assert all(ended), f"{ended.count(False)} strangers are still connected"
    after = await vitals_when(fetch, process, lambda it: it.clients == FOLLOWERS)
    assert after("market_connections_closed_total", reason="protocol") > before(
        "market_connections_closed_total", reason="protocol"
    )
    assert after.part("clients")["status"] == "ok"
    assert untroubled(followers)


async def clients_vanish(process, fetch, followers):
    """By a reset, in one moment; then their places are free again."""
    before = await vitals_of(fetch, process)
    for _ in range(2):
        clients = []
        for _ in range(VANISHING):
            clients.append(client := await RawClient.open(process.url))
            await client.enter()
            client.emit("subscribe_option_chain", {"symbol": "RELIANCE"})
        full = await vitals_when(fetch, process, lambda it: it("market_rooms") > before("market_rooms"))
        assert full.clients == FOLLOWERS + VANISHING
        for client in clients:
            raw = client.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            client.vanish()
        after = await vitals_when(fetch, process, lambda it: it.clients == FOLLOWERS)
        assert after("market_rooms") == before("market_rooms")
    await go_on(followers)
    assert untroubled(followers)


def writes_fail(vitals):
    """Both say so: they are read one after the other, and a small write may succeed between two that fail."""
    return vitals.part("history")["status"] == "degraded" and vitals("market_history_healthy") == 0


async def disk_fills(process, fetch, followers, fill):
    empty = fill(process)
    full = await vitals_when(fetch, process, writes_fail)
    assert "history store" in full.part("history")["reason"]
    assert full.health["status"] == "degraded"
    assert (await fetch(process, "/health?probe=ready")).status == 200
    await go_on(followers)
    empty()
    again = await vitals_when(fetch, process, lambda it: it.part("history")["status"] == "ok")
    assert again("market_history_healthy") == 1
    assert again("market_history_dropped_batches_total") == 0
    assert untroubled(followers)


@pytest.mark.gen_test(timeout=240)
async def test_server_survives_what_comes_from_outside(run_server, fetch):
    with small_disk() as (disk, fill):
        settings = {
            "limits.max_clients_per_address": FOLLOWERS + VANISHING,
            "limits.rate_limit_per_minute": 0,
            "limits.connect_timeout_s": 2,
            "feed.heartbeat_s": 0.4,  # at night a chain may not change for minutes
            "history.flush_interval_s": 0.2,
            "history.backfill_days": 30,
            "history.backfill_sessions": 1,
        }
        process = run_server(
            "--database-url",
            f"sqlite:///{disk}/history.sqlite3",
            "--publish-interval-ms",
            "200",
            *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
        )
        for _ in range(2):  # what is made once is not a leak
            async with following(process):
                pass
        base = await vitals_when(fetch, process, lambda it: it.clients == 0 and it.health["status"] == "ok")
        async with following(process) as followers:
            await loop_stands_still(process, fetch, followers)
            await garbage_floods(process, fetch, followers)
            await clients_vanish(process, fetch, followers)
            await disk_fills(process, fetch, followers, fill)
            await agree_with_rest(followers, fetch, process)
        last = await vitals_when(
            fetch, process, lambda it: it.holds_no_more_than(base) and it.health["status"] == "ok"
        )
        assert last.memory < base.memory + SPARE_BYTES
        assert await asyncio.to_thread(process.stop) == 0
        lines = [line for line in process.log.read_text().splitlines() if "disconnected because" in line]
        assert len(lines) <= 20, "every stranger has a line"


@asynccontextmanager
async def running(sandbox):
    """Let the market step after step, as fast as everything else in the loop lets it.

    How much market time passes while a client does something is then counted in steps, whatever the machine
    does meanwhile.
    """

    async def run():
        while True:
            await sandbox.step()
            await asyncio.sleep(STEP_S)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def feed_breaks_down(sandbox, source, fetch, followers):
    """Silent, then failing: told, stale, restarted, live."""
    for fault in ("silent", "raises"):
        for follower in followers:
            follower.feed_states.clear()
        source.break_down(fault, restarts_needed=TRIES)
        before = sandbox.server.ticker.restarts
        seen = await vitals_when(fetch, sandbox, lambda it: it("market_feed_state", state="stalled") == 1)
        assert seen("market_health", part="feed", status="degraded") == 1
        for follower in followers:
            await follower.until(lambda it: it.feed_states[-1:] == ["live"])
            assert "stalled" in follower.feed_states
            assert follower.feed_states[-2:] == ["degraded", "live"]
        assert sandbox.server.ticker.restarts == before + TRIES
    await go_on(followers)
    assert untroubled(followers)


async def clock_jumps(sandbox, fetch, followers):
    """An hour on is no trouble; an hour back is a silence, a new epoch, and prices of the new time."""
    clock = sandbox.server.clock
    clock.seek(clock.now_ms() + 3_600_000)
    later = timestamp(clock.now_ms())
    for follower in followers:
        await follower.until(lambda it: it.state.state["as_of"] > later)
    assert (await vitals_of(fetch, sandbox)).part("feed")["state"] == "live"
    before = [follower.state.state for follower in followers]
    clock.seek(clock.now_ms() - 3_600_000)
    for follower, then in zip(followers, before, strict=True):
        await follower.until(lambda it, then=then: it.state.state["epoch"] != then["epoch"])
        assert follower.state.state["as_of"] < then["as_of"]
        assert follower.state.state["spot_price"] == pytest.approx(then["spot_price"], rel=0.05)
    await vitals_when(fetch, sandbox, lambda it: it.part("feed")["state"] == "live")


async def something_blocks_the_loop(sandbox, fetch, followers):
    time.sleep(STOPPED_S)  # noqa: ASYNC251 (the fault itself)
    await go_on(followers)
    seen = await vitals_of(fetch, sandbox)
    assert stood_still_s(seen) >= STOPPED_S - 0.1
    assert seen("market_event_loop_lag_seconds", quantile="1.0") >= STOPPED_S - 0.1


@pytest.mark.gen_test(timeout=120)
async def test_server_survives_what_comes_from_its_feed_its_clock_and_itself(make_sandbox, fetch):
    """A step is a second of the market, so that what takes it ten seconds takes ten steps."""
    feed = {"speed": 20.0, "publish_interval_ms": 50, "stale_after_s": 5.0}
    built = build(settings_of(feed=feed))
    source = FaultySource(built.source)
    market = MarketParts(built.services.calendar, built.clock, source, built.market, built.history)
    sandbox = await make_sandbox(parts=Parts(built.settings, market), feed=feed)
    services, namespace = sandbox.server.services, sandbox.server.namespace
    services.loop_lag.start()
    try:
        async with running(sandbox):
            async with following(sandbox, 8):
                pass
            gc.collect()  # what tests before this one left to be collected
            base = await vitals_when(fetch, sandbox, lambda it: it.clients == 0 and it.held["rooms"] == 0)
            async with following(sandbox, 8) as followers:
                await feed_breaks_down(sandbox, source, fetch, followers)
                await clock_jumps(sandbox, fetch, followers)
                await something_blocks_the_loop(sandbox, fetch, followers)
                await agree_with_rest(followers, fetch, sandbox)
            await vitals_when(
                fetch, sandbox, lambda it: it.holds_no_more_than(base) and it.health["status"] == "ok"
            )
        assert not namespace.admission.per_address
        assert not namespace.broadcaster.rooms
        assert not namespace.server.eio.sockets
    finally:
        services.loop_lag.stop()
        await built.history.stop()
