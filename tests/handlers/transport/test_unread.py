"""Who asks and never reads: bounded in bytes, for each and for all together; nesting is bounded too."""

from __future__ import annotations

import asyncio
import json

import pytest

from handlers.streams.namespace import MAX_VIOLATIONS
from tests.handlers.transport.polling import Poller

EACH = 262_144


def engine_of(sandbox):
    return sandbox.server.namespace.server.eio


async def ask(poller, event, payload):
    return await poller.post("42" + json.dumps([event, payload]))


@pytest.fixture
def frugal(make_sandbox):
    async def make(**limits):
        sandbox = await make_sandbox(own_market=True, limits={"max_write_buffer_bytes": EACH, **limits})
        await sandbox.step()
        return sandbox

    return make


@pytest.mark.gen_test
async def test_polling_client_that_never_polls_is_refused_then_closed_and_nobody_else(frugal, connect):
    sandbox = await frugal()
    other, poller = await connect(sandbox), await Poller.connect(sandbox.url)
    held = []
    for _ in range(12):
        reply = await ask(poller, "get_option_chain", {"symbol": "NIFTY"})
        held.append(engine_of(sandbox).holdings.total)
        if reply.status != 200:
            break
    assert max(held) <= EACH + 200_000  # the limit, and the answer that went over it
    assert max(held) > EACH / 4
    refused = sandbox.server.services.socket_statistics()
    assert refused["unread_bytes"] <= EACH + 200_000
    await other.ask("subscribe_symbol", {"symbol": "NIFTY"})
    assert (await other.next("symbol_update"))["symbol"] == "NIFTY"


@pytest.mark.gen_test
async def test_all_together_may_leave_so_much_and_who_leaves_most_is_closed(frugal, connect):
    in_all = 1_048_576
    sandbox = await frugal(max_buffered_bytes=in_all, max_write_buffer_bytes=in_all)
    reader = await connect(sandbox)
    pollers = [await Poller.connect(sandbox.url) for _ in range(8)]
    for _ in range(4):
        for poller in pollers:
            await ask(poller, "get_option_chain", {"symbol": "NIFTY"})
            assert engine_of(sandbox).holdings.total <= in_all
    statuses = [(await poller.poll()).status for poller in pollers]
    assert 400 in statuses  # closed
    assert 200 in statuses  # and not all of them
    assert engine_of(sandbox).closed_by_reason["unread"] >= 1
    await reader.ask("ping", {"still": "here"})


@pytest.mark.parametrize("levels", [33, 100, 255, 1000])
@pytest.mark.gen_test
async def test_what_is_nested_too_deep_is_refused_without_an_error_of_ours(sandbox, caplog, levels):
    poller = await Poller.connect(sandbox.url)  # a client's own writer of JSON might not go so deep
    await poller.post('420["ping",' + "[" * levels + "]" * levels + "]")
    told = ""
    while "430[" not in told:
        told += (await poller.poll()).text
    assert "VALIDATION_ERROR" in told
    assert "nested at most 32 levels deep" in told
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.gen_test
async def test_what_is_nested_as_deep_as_it_may_comes_back(sandbox, connect):
    client = await connect(sandbox)
    payload: object = "middle"
    for _ in range(30):
        payload = {"in": payload}
    assert (await client.ask("ping", payload))["sent"] == payload


@pytest.mark.gen_test
async def test_who_goes_on_over_a_limit_is_sent_away_after_twenty_refusals(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True, limits={"max_events_per_second": 1})
    namespace = sandbox.server.namespace
    client = await connect(sandbox)
    namespace.monotonic = lambda: 0.0  # so that no allowance grows back
    (view,) = namespace.broadcaster.clients.values()
    while view.violations < MAX_VIOLATIONS:
        await client.call("ping", None)
    assert view.sid in namespace.broadcaster.clients
    await client.socket.emit("ping", None)
    await asyncio.wait_for(client.socket.wait(), 10)
    assert view.sid not in namespace.broadcaster.clients
    assert namespace.server.eio.closed_by_reason["over_limit"] == 1
