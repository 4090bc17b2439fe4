"""A server that stops: not ready, its clients told and closed, exit code 0; under a stand-in for systemd."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers.streams.drain import SLICE
from tests.chaos.service_manager import Manager
from tests.processes import ROOT, STOP_S

FAST = ("--database-url", "", "--publish-interval-ms", "100")


class Poller:
    """A polling client that polls when the test says so, each time over a connection of its own."""

    def __init__(self, url):
        self._client = AsyncHTTPClient(force_instance=True)
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"

    async def ask(self, body=None):
        method = "GET" if body is None else "POST"
        answer = await self._client.fetch(
            self._url, method=method, body=body, headers={"Connection": "close"}, raise_error=False
        )
        return answer.code, answer.body.decode()

    async def enter(self):
        self._url += f"&sid={json.loads((await self.ask())[1][1:])['sid']}"
        await self.ask("40")
        assert "connection_status" in await self.polled("market_status")

    async def polled(self, event):
        """Poll until an event came; everything polled."""
        text = ""
        while f'"{event}"' not in text:
            code, more = await self.ask()
            assert code == 200, more
            text += more
        return text

    def close(self):
        self._client.close()


@pytest.fixture
def poller(run_server, io_loop):
    made = []

    async def connect(process):
        made.append(Poller(process.url))
        await made[-1].enter()
        return made[-1]

    yield connect
    for client in made:
        client.close()


async def until_not_ready(fetch, process):
    while True:
        answer = await fetch(process, "/health?probe=ready")
        if answer.status != 200:
            return answer
        await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_readiness_ends_first_and_everything_else_is_served_until_all_are_told(
    run_server, poller, fetch
):
    process = run_server(*FAST, "--set", "server.drain_timeout_s=60")
    client = await poller(process)
    process.popen.send_signal(signal.SIGTERM)
    answer = await until_not_ready(fetch, process)
    assert (answer.status, answer.data["status"]) == (503, "down")
    assert answer.headers["Connection"] == "close"
    health = await fetch(process, "/health")
    assert health.status == 503
    assert "stopping" in health.data["parts"]["clients"]["reason"]
    assert (await fetch(process, "/health?probe=live")).status == 200
    assert (await fetch(process, "/api/spot_price/NIFTY")).status == 200
    assert "market_ready 0.0" in (await fetch(process, "/metrics")).raw.decode()
    assert process.popen.poll() is None
    told = await client.polled("server_shutdown")
    assert re.search(r'"reconnect_after_ms":\d{4}', told)
    assert await asyncio.to_thread(process.popen.wait, STOP_S) == 0


@pytest.mark.gen_test
async def test_client_that_connects_meanwhile_is_told_too(run_server, poller, fetch, raw):
    process = run_server(*FAST, "--set", "server.drain_timeout_s=60")
    first = await poller(process)
    process.popen.send_signal(signal.SIGTERM)
    await until_not_ready(fetch, process)
    late = await raw.connect(process.url)
    assert (await late.until("server_shutdown"))["reconnect_after_ms"] > 1000
    await first.polled("server_shutdown")
    assert await late.ended()
    assert await asyncio.to_thread(process.popen.wait, STOP_S) == 0


@pytest.mark.gen_test
async def test_client_that_never_polls_again_is_not_waited_for_beyond_the_deadline(run_server, poller):
    process = run_server(*FAST, "--set", "server.drain_timeout_s=1")
    await poller(process)
    process.popen.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.popen.wait, STOP_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.gen_test
async def test_second_signal_ends_it_at_once(run_server, poller, fetch, number):
    process = run_server(*FAST, "--set", "server.drain_timeout_s=300")
    await poller(process)
    process.popen.send_signal(signal.SIGTERM)
    await until_not_ready(fetch, process)
    process.popen.send_signal(number)
    assert await asyncio.to_thread(process.popen.wait, STOP_S) == -number


@pytest.mark.gen_test
async def test_transports_are_closed_in_slices(make_sandbox, raw):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1000})
    clients = [await raw.connect(sandbox.url) for _ in range(3 * SLICE + 10)]
    departure, connected = sandbox.server.namespace.drain, sandbox.server.namespace.broadcaster.clients
    now_s = time.monotonic()
    await departure.tell_everybody(now_s + 10)
    closing = asyncio.create_task(departure.close_everybody(now_s + 10))
    sizes = [len(connected)]
    while not closing.done():
        await asyncio.sleep(0)
        sizes.append(len(connected))
    assert sizes[0] == len(clients)
    assert sizes[-1] == 0
    assert max(before - after for before, after in pairwise(sizes)) <= SLICE
    told = [(await client.until("server_shutdown"))["reconnect_after_ms"] for client in clients]
    assert len(set(told)) == len(told)
    for client in clients[:: SLICE // 2]:
        assert await client.ended()


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path, watchdog_s=2.0)
    yield made
    made.close()


def test_start_watchdog_reload_and_stop_are_told_to_the_service_manager(manager):
    process = manager.start(*FAST)
    ready = manager.hear_until(lambda message: "READY" in message)
    assert ready["STATUS"].startswith("ok: Data arrives.")
    fed = manager.hear_until(lambda message: "WATCHDOG" in message)
    assert fed["STATUS"] == "ok: Data arrives. 0 clients."
    process.popen.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC" in manager.hear_until(lambda message: "RELOADING" in message)
    manager.hear_until(lambda message: "READY" in message)
    process.popen.send_signal(signal.SIGTERM)
    stopping = manager.hear_until(lambda message: "STOPPING" in message)
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) == 25_000_000  # the drain's ten seconds, and the history's
    assert process.popen.wait(STOP_S) == 0
    assert "Traceback" not in process.log.read_text()


def falls_silent(manager):
    """Whether nothing comes for as long as the socket waits, but for a few words said before."""
    try:
        for _ in range(5):
            manager.hear()
    except TimeoutError:
        return True
    return False


def test_stuck_server_feeds_no_watchdog(manager):
    process = manager.start(*FAST)
    manager.hear_until(lambda message: "WATCHDOG" in message)
    process.popen.send_signal(signal.SIGSTOP)
    manager.notify.settimeout(2.0)  # the whole period; what was sent before may still be read
    assert falls_silent(manager)
    process.popen.send_signal(signal.SIGCONT)
    manager.notify.settimeout(STOP_S)
    manager.hear_until(lambda message: "WATCHDOG" in message)
    assert process.stop() == 0


def test_under_the_journal_the_start_is_one_line_of_the_log(tmp_path):
    journal = tmp_path / "journal"
    with journal.open("w") as stream:
        status = os.fstat(stream.fileno())
        popen = subprocess.Popen(
            [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0", "--database-url", ""],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
            stdout=stream,
            stderr=stream,
        )
    for _ in range(600):
        if "underlyings" in journal.read_text():
            break
        time.sleep(0.05)
    popen.terminate()
    assert popen.wait(STOP_S) == 0
    lines = journal.read_text().splitlines()
    assert all(re.match(r"<\d>{", line) for line in lines), lines
    (line,) = [json.loads(line[3:]) for line in lines if "underlyings" in line]
    assert re.fullmatch(
        r"version \S+ serves simulated from http://\S+: \d+ underlyings, \d+ contracts", line["message"]
    )
