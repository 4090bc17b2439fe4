"""A client that follows a whole screen of chains at once gets them all, however slowly it reads."""

from __future__ import annotations

import pytest

from tests.fanout.states import ChainState

STREAMS = 64
BUFFER_BYTES = 4096


def names_of(sandbox):
    return [
        f"chain:{listing.symbol}:{listing.expiry.day}" for listing in sandbox.server.market.universe.listings
    ]


def points(names):
    return {"streams": [{"stream": name, "epoch": "", "seq": -1} for name in names]}


@pytest.mark.gen_test(timeout=60)
async def test_a_slow_reader_gets_every_chain_it_asked_for_in_bounded_memory(make_sandbox, raw):
    sandbox = await make_sandbox(own_market=True)
    server, names = sandbox.server, names_of(sandbox)[:STREAMS]
    slow = await raw.connect(sandbox.url, receive_buffer=BUFFER_BYTES)
    slow.reader._limit = 1024
    client = next(iter(server.namespace.broadcaster.clients.values()))
    other = await raw.connect(sandbox.url)
    slow.emit("resume", points(names), ack=1)
    while len(client.subscriptions) < STREAMS:
        await other.call("ping")  # the server has its turns meanwhile
    await sandbox.step(3)
    wanted = sum(
        len(server.services.views.chain(item).whole()) for item in server.market.universe.listings[:STREAMS]
    )
    held = server.namespace.server.eio.holdings.total
    assert 0 < held < wanted / 4
    slow.reader._limit = 2**24
    states = {name: ChainState() for name in names}
    whole = 0
    while whole < STREAMS:
        event, payload = await slow.event()
        if event.startswith("option_chain"):
            whole += event == "option_chain_data"
            assert "reason" not in payload
            state = states[f"chain:{payload['symbol']}:{payload['expiry']}"]
            assert state.apply(event, payload)
    assert server.namespace.server.eio.closed_by_reason["unread"] == 0
    assert server.namespace.broadcaster.statistics.resyncs == 0
    await sandbox.step()
    await slow.call("ping", {})
    listed = (await slow.call("list_subscriptions"))["data"]["subscriptions"]
    assert {item["stream"] for item in listed} == set(names)
