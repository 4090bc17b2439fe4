"""Churn for a fifth of a minute and for an hour, nightly: clients leave nothing behind."""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.chaos.followers import Follower, agree_with_rest
from tests.chaos.vitals import vitals_when
from tests.fanout.raw import RawClient

SYMBOLS = ("NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE", "TCS", "CRUDEOIL")
STAYING = 6
CHURNERS = 8
ADDRESSES = 200
SAMPLE_S = 1.0
WARM_UP = 1 / 3  # of the time: rings fill, allocators settle
# a leak of a kilobyte for each client that came and went is twice as much
MOST_BYTES_A_CLIENT = 512
# what a young process still takes for its own rings and minutes, however many clients come: of a few thousand
# clients a leaked session (20 kB) tells, of an hour of them a leaked kilobyte
SETTLING_BYTES = 32 * 2**20
LEAST_CLIENTS = 3000  # a quiet machine does two hundred a second
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(process):
    return int(Path(f"/proc/{process.popen.pid}/statm").read_text().split()[1]) * PAGE


class Churn:
    """Clients that come, follow this and that, change their minds, and go in one way or another."""

    def __init__(self, url, until_s):
        self._url = url
        self._until_s = until_s
        self.gone = 0

    @property
    def is_over(self):
        return self.gone >= LEAST_CLIENTS and time.monotonic() >= self._until_s

    async def run(self, seed):
        chance = random.Random(seed)
        while not self.is_over:
            address = f"127.0.1.{chance.randrange(1, ADDRESSES)}"
            client = await RawClient.open(self._url, source=address)
            try:
                await self._visit(client, chance)
            finally:
                client.vanish()
            self.gone += 1

    async def _visit(self, client, chance):
        await client.enter()
        first, second = chance.sample(SYMBOLS, 2)
        await client.call("subscribe_symbol", {"symbol": [first, second]})
        await client.call("subscribe_option_chain", {"symbol": first, "strikes": chance.choice((5, 10))})
        if chance.random() < 0.5:
            await client.until("option_chain_delta")
            await client.call("unsubscribe_option_chain", {"symbol": first})
        if chance.random() < 0.5:
            await client.call("subscribe_dashboard", {"symbol": second})
        if chance.random() < 0.3:
            client.send("41")  # a polite good-bye before the line is cut


async def measured(process, churn):
    """Clients gone by, and resident bytes: two rows, one column a sample."""
    samples = []
    while not churn.is_over:
        await asyncio.sleep(SAMPLE_S)
        samples.append((churn.gone, resident_bytes(process)))
    return np.array(samples, np.float64).T


def bytes_a_client(samples):
    """The slope of a straight line through memory against clients, after the warm-up."""
    clients, memory = samples[:, round(samples.shape[1] * WARM_UP) :]
    return float(np.polyfit(clients, memory, 1)[0])


@pytest.mark.nightly
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(12, marks=pytest.mark.gen_test(timeout=180)),
        pytest.param(3600, marks=pytest.mark.gen_test(timeout=4000)),
    ],
)
async def test_memory_does_not_grow_with_clients_that_came_and_went(
    run_server, fetch, record_property, seconds
):
    settings = {
        "feed.publish_interval_ms": 50,
        "feed.heartbeat_s": 0.1,  # at night a chain may not change for minutes
        "limits.rate_limit_per_minute": 0,
        "history.backfill_days": 30,
        "history.backfill_sessions": 1,
    }
    # the wall clock's market: its history goes to the disk, where a sandbox keeps it in memory
    process = run_server(*(part for name, value in settings.items() for part in ("--set", f"{name}={value}")))
    base = await vitals_when(fetch, process, lambda it: it.clients == 0)
    churn = Churn(process.url, time.monotonic() + seconds)
    staying = [Follower(process.url, SYMBOLS[number % len(SYMBOLS)]) for number in range(STAYING)]
    try:
        measuring = asyncio.create_task(measured(process, churn))
        await asyncio.gather(*(churn.run(seed) for seed in range(CHURNERS)))
        samples = await measuring
        await agree_with_rest(staying, fetch, process)
        assert all(not follower.troubles and not follower.away_s for follower in staying)
    finally:
        for follower in staying:
            await follower.stop()
    slope = bytes_a_client(samples)
    memory = samples[1, -1] / 2**20
    report = f"{churn.gone} clients in {seconds} s or more left {slope:.0f} bytes each; {memory:.0f} MiB"
    record_property("soak", report)
    sys.stdout.write(report + "\n")
    assert slope * churn.gone < MOST_BYTES_A_CLIENT * churn.gone + SETTLING_BYTES
    last = await vitals_when(fetch, process, lambda it: it.holds_no_more_than(base))
    assert last.health["status"] == "ok"
    assert await asyncio.to_thread(process.stop) == 0
