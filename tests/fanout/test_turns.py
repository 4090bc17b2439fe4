"""A publish cycle gives the loop its turns: pings, REST and accepting wait a few milliseconds at most."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from feed.market.source import Update
from handlers.streams import broadcaster as broadcast
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.rooms import SymbolRoom
from handlers.streams.state import SymbolStream
from tests.fanout.test_model import DEPTH, Peer, make_market

CLIENTS = 20


@pytest.mark.parametrize("breath_s", [-1.0, 1e9])
@pytest.mark.gen_test
async def test_the_loop_has_a_turn_whenever_a_cycle_has_kept_it(monkeypatch, breath_s):
    monkeypatch.setattr(broadcast, "SLICE", 1)
    monkeypatch.setattr(broadcast, "MAX_TURN_S", breath_s)
    market = make_market()
    hub = Broadcaster(publish_interval_ms=500, heartbeat_s=1.0, slow_client_timeout_s=1e9)
    now_ms, turns = 1_796_000_000_000, 0
    running = True

    def count():
        nonlocal turns
        turns += 1
        if running:
            asyncio.get_running_loop().call_soon(count)

    def quote(price):
        market.apply(Update(now_ms, {"last_price": np.array([price]), "previous_close": np.array([1000.0])}))
        market.publish(now_ms)

    quote(1000.0)
    stream = SymbolStream("ACME", market, DEPTH)
    stream.refresh()
    peers = [Peer(f"c{number}") for number in range(CLIENTS)]
    for peer in peers:
        hub.add(peer.client)
        hub.subscribe(peer.client, hub.room(SymbolRoom(stream)))
    now_ms += 500
    quote(1001.0)
    asyncio.get_running_loop().call_soon(count)
    await hub.publish()
    running = False
    assert (turns >= CLIENTS) is (breath_s < 0)
    assert all(peer.wire.received[-1][1]["seq"] == stream.seq for peer in peers)


@pytest.mark.parametrize(
    ("interval_ms", "cycles"), [(100, 10), (300, 4), (500, 2), (700, 2), (1000, 1), (3000, 1)]
)
def test_a_whole_state_is_told_at_most_once_a_second(interval_ms, cycles):
    hub = Broadcaster(publish_interval_ms=interval_ms, heartbeat_s=1.0, slow_client_timeout_s=1e9)
    assert hub.full_every == cycles
    assert hub.full_every * interval_ms >= 1000
