"""A restart under load: the port stays, nobody is refused, everybody goes on from the newest state."""

import asyncio
import signal
import sys
from collections import Counter

import numpy as np
import pytest
import socketio

from tests.chaos.followers import Follower, agree_with_rest
from tests.processes import STOP_S

SYMBOLS = ("NIFTY", "BANKNIFTY", "FINNIFTY", "SENSEX")
FOLLOWERS = 200
LIBRARY_CLIENTS = 8
KNOCKERS = 4
BINS = 20


class LibraryClient:
    """python-socketio as it comes, reconnecting by itself and resuming where it was."""

    def __init__(self):
        self.socket = socketio.AsyncClient(handle_sigint=False, reconnection_delay=0.5)
        self.events = Counter()
        self.position = None
        self.resumed = asyncio.Event()
        self.socket.on("*", self._receive)
        self.socket.on("connect", self._enter)

    def _receive(self, event, payload):
        self.events[event] += 1
        if event == "symbol_update":
            self.position = payload["epoch"], payload["seq"]

    async def _enter(self):
        if self.position is None:
            await self.socket.emit("subscribe_symbol", {"symbol": "NIFTY"})
            return
        epoch, seq = self.position
        await self.socket.emit(
            "resume", {"streams": [{"stream": "symbol:NIFTY", "epoch": epoch, "seq": seq}]}
        )
        self.resumed.set()


async def knock(url, answers, over):
    """Ask for the health over new connections, one after the other."""
    host, port = url.removeprefix("http://").split(":")
    while not over.is_set():
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /health?probe=live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answers[(await reader.read(4096))[:12].decode()] += 1
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            answers[repr(error)] += 1
        await asyncio.sleep(0.02)


def histogram(times_s):
    """How many came back within each time."""
    counts, edges = np.histogram(times_s, BINS, (0, max(times_s)))
    middle, worst = np.percentile(times_s, [50, 100])
    lines = [f"{len(times_s)} clients were away, half of them for {middle:.2f} s, the last for {worst:.2f} s"]
    lines += [
        f"  to {edge:5.2f} s {count:4d} {'#' * round(60 * count / len(times_s))}"
        for count, edge in zip(counts, edges[1:], strict=True)
    ]
    return "\n".join(lines)


@pytest.mark.gen_test(timeout=180)
async def test_restart_under_load_refuses_nobody_and_all_resume(manager, fetch, tmp_path, record_property):
    arguments = [
        "--database-url",
        f"sqlite:///{tmp_path}/history.sqlite3",
        "--publish-interval-ms",
        "250",
    ]
    for setting in (
        "limits.max_clients_per_address=1000",
        "limits.rate_limit_per_minute=0",
        "feed.heartbeat_s=0.5",  # at night a chain may not change for minutes
        "history.backfill_days=30",
        "history.backfill_sessions=1",
    ):
        arguments += ["--set", setting]
    first = manager.start(*arguments)
    await asyncio.to_thread(manager.hear_until, lambda message: "READY" in message)
    followers = [Follower(manager.url, SYMBOLS[n % len(SYMBOLS)]) for n in range(FOLLOWERS)]
    library = [LibraryClient() for _ in range(LIBRARY_CLIENTS)]
    answers, over = Counter(), asyncio.Event()
    knockers = [asyncio.create_task(knock(manager.url, answers, over)) for _ in range(KNOCKERS)]
    try:
        for number, client in enumerate(library):
            await client.socket.connect(manager.url, transports=["websocket"] if number % 2 else None)
        for follower in followers:
            await follower.until(lambda it: it.counts["option_chain_delta"] >= 3)

        first.popen.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.popen.wait, STOP_S) == 0
        before = {follower: follower.state.state["as_of"] for follower in followers}
        second = manager.start(*arguments)
        await asyncio.to_thread(manager.hear_until, lambda message: "READY" in message)
        for follower in followers:
            await follower.until(lambda it: len(it.epochs) == 2 and it.counts["option_chain_delta"] >= 6)
        for client in library:
            await asyncio.wait_for(client.resumed.wait(), 30)

        # the wall clock's market starts in a new epoch: a snapshot is the honest way to resume, and nothing
        # was published meanwhile that could have been missed
        assert [follower.troubles for follower in followers] == [[]] * FOLLOWERS
        assert {follower.counts["snapshots"] for follower in followers} == {1}
        assert all(follower.state.state["as_of"] > before[follower] for follower in followers)
        assert {len(follower.told_to_return_ms) for follower in followers} == {1}
        assert len({follower.told_to_return_ms[0] for follower in followers}) == FOLLOWERS
        assert all(client.events["server_shutdown"] == 1 for client in library)
        await agree_with_rest(followers, fetch, second)
        over.set()
        await asyncio.gather(*knockers)
        assert set(answers) == {"HTTP/1.1 200"}, answers
        away_s = [time_s for follower in followers for time_s in follower.away_s]
        report = histogram(away_s)
        record_property("reconnects", report)
        sys.stdout.write(report + "\n")
    finally:
        over.set()
        for follower in followers:
            await follower.stop()
        for client in library:
            await client.socket.disconnect()
        await asyncio.gather(*knockers, return_exceptions=True)
    assert second.stop() == 0
    assert "Traceback" not in first.log.read_text() + second.log.read_text()
