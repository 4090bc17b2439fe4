"""A cycle that takes longer than there is time drops the rate of the least watched chains, and says so."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import to_ms
from feed.market.clock import VirtualClock
from feed.market.market import Market
from feed.simulation.source import SimulatedSource
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.pacing import (
    BETTER_AFTER,
    LONGEST_STRIDE,
    MOST_REDUCED,
    WORSE_AFTER,
    Pacing,
)
from handlers.streams.rooms import ChainRoom, Room
from handlers.streams.state import ChainPart, Stream
from handlers.streams.views import Views
from tests.fanout.test_model import Peer
from tests.feed.history.support import CALENDAR, CATALOGUE

START = datetime.fromisoformat("2026-11-30T11:00:00+05:30")
INTERVAL_S = 0.5
CHAINS = 8


def reduced(times: int) -> Pacing:
    """A pacing after so many runs of cycles that took too long."""
    pacing = Pacing(INTERVAL_S)
    for _ in range(times * WORSE_AFTER):
        pacing.note(INTERVAL_S)
    return pacing


def test_one_long_cycle_is_a_hiccup_and_several_reduce_the_rate() -> None:
    pacing = Pacing(INTERVAL_S)
    for took_s in (9.0, 0.1, 9.0, 9.0, 0.3):
        pacing.note(took_s)
    assert pacing.level == 0
    assert reduced(1).level == 1
    assert reduced(99).level == MOST_REDUCED


def test_rate_comes_back_once_twice_the_work_would_be_easy() -> None:
    pacing = reduced(2)
    for _ in range(5 * BETTER_AFTER):
        pacing.note(0.6 * INTERVAL_S)
    assert pacing.level == 2
    for _ in range(BETTER_AFTER):
        pacing.note(0.2 * INTERVAL_S)
    assert pacing.level == 1


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), min_size=1, max_size=60),
    st.integers(0, MOST_REDUCED),
)
def test_who_is_watched_by_more_is_never_told_more_rarely(watched: list[tuple[int, int]], level: int) -> None:
    pacing = reduced(level)
    counts: Counter[int] = Counter()
    for listing, watchers in watched:
        counts[listing] += watchers
    strides = pacing.strides(watched)
    assert set(strides) <= set(counts)
    assert all(1 < stride <= LONGEST_STRIDE for stride in strides.values())
    assert pacing.reduced == len(strides)
    by_watchers = sorted(counts, key=lambda listing: counts[listing])
    for few, many in pairwise(by_watchers):
        if counts[few] < counts[many]:
            assert strides.get(few, 1) >= strides.get(many, 1)
    if level == 0:
        assert not strides


class Overloaded:
    """Chains that more and fewer clients follow; the valuation of each takes so long of the hub's clock."""

    def __init__(self, each_s: float) -> None:
        self.each_s = each_s
        self.now_s = 0.0
        self.now_ms = to_ms(START)
        self.source = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=self.now_ms)
        self.market = Market(
            self.source.universe, source="simulated", epoch="e0", interest_rate=0.06, stale_after_s=1e9
        )
        self.tick()
        clock = VirtualClock(self.now_ms, 500)
        self.views = Views(self.market, clock, depth=64, iv_history=lambda _symbol: np.empty(0))
        self.hub = Broadcaster(
            publish_interval_ms=500,
            heartbeat_s=5.0,
            slow_client_timeout_s=1e9,
            monotonic=lambda: self.now_s,
        )
        self.peers: list[Peer] = []
        self.streams: list[Stream] = []
        for place, listing in enumerate(self.market.universe.listings[:CHAINS]):
            room = ChainRoom(self.views.chain(listing), ChainPart(5))
            self.streams.append(room.stream)
            for number in range(CHAINS - place):  # the first is watched by most
                peer = Peer(f"{place}-{number}")
                self.peers.append(peer)
                self.hub.add(peer.client)
                self.hub.subscribe(peer.client, self.hub.room(room))
                peer.read()

    def tick(self) -> None:
        self.now_ms += 500
        self.market.apply(self.source.advance(self.now_ms))
        self.market.publish(self.now_ms)

    async def cycle(self) -> dict[str, Any]:
        """A step of the market and its publication; returns what the first watcher of each chain was told."""
        self.tick()

        async def prepare(rooms: list[Room]) -> None:
            self.now_s += self.each_s * len(rooms)

        await self.hub.publish(prepare)
        told = {}
        for peer in self.peers:
            if peer.wire.received and peer.name.endswith("-0"):
                told[peer.name] = peer.wire.received[-1][1]
            peer.read()
        return told


@pytest.mark.gen_test
async def test_least_watched_chains_are_told_more_rarely_and_lose_nothing() -> None:
    seen = Overloaded(each_s=0.08)  # eight of them: 0.64 s of 0.5
    told: Counter[str] = Counter()
    for _ in range(60):
        told.update(list(await seen.cycle()))
    assert 1 <= seen.hub.pacing.level < MOST_REDUCED
    assert told["0-0"] == told["1-0"] == 60
    assert told[f"{CHAINS - 1}-0"] < 40
    assert min(told.values()) >= 60 // LONGEST_STRIDE
    counts = [told[f"{place}-0"] for place in range(CHAINS)]
    assert counts == sorted(counts, reverse=True)
    seen.each_s = 0.0
    for _ in range(MOST_REDUCED * BETTER_AFTER):
        last = await seen.cycle()
    assert seen.hub.pacing.level == 0
    assert len(last) == CHAINS
    for peer in seen.peers:
        stream = seen.streams[int(peer.name[0])]
        assert peer.chain.position == (stream.epoch, stream.seq)


@pytest.mark.gen_test
async def test_what_was_left_out_comes_as_one_delta_that_says_so() -> None:
    seen = Overloaded(each_s=0.08)
    payloads = [await seen.cycle() for _ in range(20)]
    rare = [told[f"{CHAINS - 1}-0"] for told in payloads if f"{CHAINS - 1}-0" in told]
    assert any(payload.get("conflated", 1) > 1 for payload in rare)
    assert all(payload["prev_seq"] < payload["seq"] for payload in rare)


@pytest.mark.gen_test
async def test_everybody_health_and_metrics_are_told_of_a_reduced_rate(make_sandbox, connect, fetch) -> None:  # type: ignore[no-untyped-def]
    sandbox = await make_sandbox()
    client = await connect(sandbox, "websocket")
    await client.call("subscribe_option_chain", {"symbol": "NIFTY"})
    await client.call("subscribe_option_chain", {"symbol": "SENSEX"})
    pacing = sandbox.server.namespace.broadcaster.pacing
    for _ in range(WORSE_AFTER):
        pacing.note(INTERVAL_S)
    await sandbox.step()
    said = await client.next("feed_status")
    while said["state"] != "degraded":
        said = await client.next("feed_status")
    assert said["reason"] == (
        "Publishing all that is watched takes longer than the 500 ms there are: "
        "the least watched chains, 1 of 2, are told more rarely."
    )
    health = (await fetch(sandbox, "/health")).data
    assert health["parts"]["streams"]["status"] == "degraded"
    assert health["parts"]["streams"]["reduced"] == 1
    metrics = (await fetch(sandbox, "/metrics")).raw.decode()
    assert "market_stream_pacing_level 1.0" in metrics
    assert "market_streams_reduced 1.0" in metrics
    for _ in range(BETTER_AFTER):  # on a machine that is busy a step takes long
        pacing.note(0.0)
    await sandbox.step()
    assert (await client.next("feed_status"))["state"] == "live"
