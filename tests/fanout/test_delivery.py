"""The delivery rules over real sockets: order, one write, conflation, bounds, compression."""

from __future__ import annotations

import asyncio
import json
import socket
import zlib

import pytest

from handlers.transport.endpoint import NOTSENT_BYTES, TCP_NOTSENT_LOWAT
from handlers.transport.frames import Packet
from handlers.transport.socket_server import Rooms
from tests.fanout.states import ChainState, QuoteState

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


def link_of(sandbox, place=0):
    """The server's end of a connection."""
    clients = list(sandbox.server.namespace.broadcaster.clients.values())
    return clients[place].socket.link


async def settled():
    """Let everything that is ready on the loop happen."""
    for _ in range(20):
        await asyncio.sleep(0)


async def waited(seconds):
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


@pytest.mark.gen_test
async def test_snapshot_comes_before_the_acknowledgement_and_every_delta(sandbox, raw):
    client = await raw.connect(sandbox.url)
    client.events.clear()
    await client.call("subscribe_symbol", {"symbol": "NIFTY"})
    assert [name for name, _ in client.events] == ["subscription_status", "symbol_update", "ack"]
    assert client.events[1][1]["kind"] == "snapshot"
    await sandbox.step(6)
    delta = await client.until("symbol_update")
    assert delta["kind"] == "delta"
    assert delta["prev_seq"] == client.events[1][1]["seq"]


@pytest.mark.gen_test
async def test_answers_come_in_the_order_of_the_questions(sandbox, raw):
    client = await raw.connect(sandbox.url)
    events = ["subscribe_symbol", "ping", "unsubscribe_symbol", "get_market_status", "ping"]
    for number, event in enumerate(events):
        client.emit(event, {"symbol": "NIFTY"} if "symbol" in event else None, ack=number)
    acks = [(await client.until("ack"))[0] for _ in events]
    assert acks == ["0", "1", "2", "3", "4"]


@pytest.mark.gen_test
async def test_streams_changed_in_one_cycle_reach_a_socket_in_one_write(sandbox, raw):
    client = await raw.connect(sandbox.url)
    await client.call("subscribe_symbol", {"symbol": ["NIFTY", "BANKNIFTY", "SENSEX"]})
    writes = []
    link = link_of(sandbox)
    send = link.send
    link.send = lambda data: (writes.append(data), send(data))[1]
    before = sandbox.server.namespace.broadcaster.statistics.messages
    await sandbox.step(8)
    sent = sandbox.server.namespace.broadcaster.statistics.messages - before
    assert len(writes) <= 8
    assert sent > len(writes)


@pytest.mark.gen_test
async def test_socket_options_keep_prices_fresh(sandbox, raw):
    await raw.connect(sandbox.url)
    kernel = link_of(sandbox).stream.socket
    assert kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert kernel.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == NOTSENT_BYTES


@pytest.mark.gen_test
async def test_stalled_client_is_held_no_queue_and_gets_one_merged_delta(sandbox, raw):
    stalled = await raw.connect(sandbox.url, receive_buffer=4096)
    await stalled.call("subscribe_option_chain", {"symbol": "NIFTY"})
    state = ChainState()
    for name, payload in stalled.events:
        if name == "option_chain_data":
            state.apply(name, payload)
    stalled.reader._limit = 1024  # asyncio would read on into memory and hide the stall
    link = link_of(sandbox)
    client = sandbox.server.namespace.broadcaster.clients[
        next(iter(sandbox.server.namespace.broadcaster.clients))
    ]
    steps = still = 0
    seq = -1
    while still < 20:  # a full socket may take a little more until the kernel has settled
        await sandbox.step()
        steps += 1
        position = next(iter(client.subscriptions.values())).position[1]
        still = still + 1 if client.lagging_since is not None and position == seq else 0
        seq = position
        assert steps < 2000, "the socket never filled up"
    stalled.reader._limit = 2**24
    conflated = 0
    while state.position[1] < seq + 20:
        if not link.writing():
            await sandbox.step()
        name, payload = await stalled.event()
        if name.startswith("option_chain"):
            assert state.apply(name, payload)
            conflated = max(conflated, payload.get("conflated", 0))
            if payload.get("reason") == "conflated":
                conflated = max(conflated, 20)
    assert conflated >= 20
    assert sandbox.server.namespace.broadcaster.statistics.conflated >= 19


@pytest.mark.gen_test
async def test_one_stalled_client_delays_nobody(sandbox, raw):
    stalled = await raw.connect(sandbox.url, receive_buffer=4096)
    await stalled.call("subscribe_option_chain", {"symbol": "NIFTY"})
    stalled.reader._limit = 1024
    healthy = await raw.connect(sandbox.url)
    await healthy.call("subscribe_symbol", {"symbol": "NIFTY"})
    state = QuoteState()
    state.apply("symbol_update", next(p for n, p in healthy.events if n == "symbol_update"))
    stream = sandbox.server.services.views.symbol("NIFTY")
    for _ in range(50):
        await sandbox.step(2)
        while state.position[1] < stream.seq:
            assert state.apply("symbol_update", await healthy.until("symbol_update"))


@pytest.mark.gen_test
async def test_client_that_stays_stalled_is_closed_at_the_transport(make_sandbox, raw, caplog):
    sandbox = await make_sandbox(limits={"slow_client_timeout_s": 0.2})
    stalled = await raw.connect(sandbox.url, receive_buffer=4096)
    await stalled.call("subscribe_option_chain", {"symbol": "NIFTY"})
    stalled.reader._limit = 1024
    namespace = sandbox.server.namespace
    client = next(iter(namespace.broadcaster.clients.values()))
    while client.lagging_since is None:
        await sandbox.step()
    statistics = sandbox.server.services.socket_statistics
    while not statistics()["closed_by_reason"]:
        await waited(0.05)
        await sandbox.step()
    await settled()
    assert statistics()["closed_by_reason"] == {"slow": 1}
    assert namespace.broadcaster.clients == {}
    again = await raw.connect(sandbox.url)  # nothing keeps it from coming back
    assert (await again.call("ping"))["success"]


@pytest.mark.gen_test
async def test_requests_of_a_client_that_does_not_read_wait(make_sandbox, raw):
    """Its answers are not piled up: the next request is read when the last answer is gone."""
    sandbox = await make_sandbox(limits={"max_events_per_second": 1000})
    greedy = await raw.connect(sandbox.url, receive_buffer=4096)
    greedy.reader._limit = 1024
    for _ in range(200):
        greedy.emit("get_option_chain", {"symbol": "NIFTY"}, ack=1)
    for _ in range(200):
        await asyncio.sleep(0.001)
    stream = link_of(sandbox).stream
    whole = len(sandbox.server.services.views.chain(sandbox.server.market.universe.listing("NIFTY")).whole())
    # the event and the acknowledgement of one request, and not of two hundred
    assert len(stream._write_buffer) < 4 * whole


@pytest.mark.gen_test
async def test_nothing_is_sent_before_the_namespace_is_connected(sandbox, raw):
    early = await raw.open(sandbox.url)
    await early.frame()
    await sandbox.server.namespace.broadcaster.tell(Packet("market_status", b"{}"))
    await sandbox.step(3)
    early.send("40")
    assert (await early.frame()).text.startswith("40{")


@pytest.mark.gen_test
async def test_limit_per_address_counts_real_addresses(make_sandbox, raw):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1})
    await raw.connect(sandbox.url)
    assert list(sandbox.server.namespace.admission.per_address) == ["127.0.0.1"]
    second = await raw.open(sandbox.url)
    await second.frame()
    second.send("40")
    refused = json.loads((await second.frame()).text.removeprefix("44"))
    assert refused["data"]["code"] == "RATE_LIMITED"


@pytest.mark.gen_test
async def test_deflate_is_agreed_on_without_a_compressor_of_ones_own(sandbox, raw):
    client = await raw.open(sandbox.url, headers=DEFLATE)
    assert "server_no_context_takeover" in client.head
    assert "client_no_context_takeover" in client.head
    await client.enter()
    protocol = link_of(sandbox).ws_connection
    assert protocol._compressor._compressor is None
    assert protocol._decompressor._decompressor is None
    client.emit("subscribe_option_chain", {"symbol": "NIFTY"})
    frame = await client.frame()
    while "option_chain_data" not in frame.text:
        frame = await client.frame()
    assert frame.first_byte & 0x40
    assert len(frame.payload) < len(frame.text) / 3


@pytest.mark.gen_test
async def test_plain_and_deflated_clients_see_the_same(sandbox, raw):
    plain, deflated = await raw.connect(sandbox.url), await raw.connect(sandbox.url, headers=DEFLATE)
    for client in (plain, deflated):
        await client.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 10})
        client.events.clear()
    await sandbox.step(5)
    for client in (plain, deflated):
        while len(client.events) < 5:
            await client.event()
    assert plain.events == deflated.events


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate; server_max_window_bits=10", "x-webkit-deflate-frame", "permessage-bzip2"],
)
@pytest.mark.gen_test
async def test_offer_that_shared_frames_do_not_suit_is_declined(sandbox, raw, offer):
    client = await raw.open(sandbox.url, headers=f"Sec-WebSocket-Extensions: {offer}\r\n")
    assert "Extensions" not in client.head
    await client.enter()
    client.emit("subscribe_option_chain", {"symbol": "NIFTY"})
    assert not (await client.frame()).first_byte & 0x40


@pytest.mark.gen_test
async def test_deflated_client_messages_are_understood(sandbox, raw):
    client = await raw.connect(sandbox.url, headers=DEFLATE)
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = compressor.compress(b'421["ping",{"a":1}]') + compressor.flush(zlib.Z_SYNC_FLUSH)
    client.send_frame(body[:-4], first_byte=0xC1)
    assert (await client.until("ack"))[1]["data"]["sent"] == {"a": 1}


@pytest.mark.gen_test
async def test_polling_client_that_stays_away_finds_one_merged_delta(sandbox, fetch):
    opened = await fetch(sandbox, "/socket.io/?EIO=4&transport=polling")
    path = f"/socket.io/?EIO=4&transport=polling&sid={json.loads(opened.raw[1:])['sid']}"
    await fetch(sandbox, path, method="POST", body="40")
    await fetch(sandbox, path, method="POST", body='42["subscribe_symbol",{"symbol":"NIFTY"}]')
    packets = (await fetch(sandbox, path)).raw.decode().split("\x1e")
    updates = [json.loads(p[2:])[1] for p in packets if p.startswith('42["symbol_update"')]
    state = QuoteState()
    assert state.apply("symbol_update", updates[-1])
    stream = sandbox.server.services.views.symbol("NIFTY")
    begun = stream.seq
    while stream.seq < begun + 10:
        await sandbox.step()
        stream.refresh()
    packets = (await fetch(sandbox, path)).raw.decode().split("\x1e")
    updates = [json.loads(p[2:])[1] for p in packets if p.startswith('42["symbol_update"')]
    assert len(updates) == 1
    assert updates[0]["conflated"] == stream.seq - state.position[1]
    assert state.apply("symbol_update", updates[0])
    assert state.state == (await fetch(sandbox, "/api/spot_price/NIFTY")).data


class Unsearchable(dict):
    """A table of rooms that nobody may walk over."""

    def _refuse(self, *_args):
        raise AssertionError("walked over all rooms")

    __iter__ = items = values = keys = copy = _refuse


@pytest.mark.gen_test
async def test_leaving_does_not_walk_over_all_rooms(sandbox, raw):
    """With a walk per client, 5,000 that vanish at once cost 25 million steps."""
    client = await raw.connect(sandbox.url)
    manager = sandbox.server.namespace.server.manager
    assert isinstance(manager, Rooms)
    manager.rooms["/"] = Unsearchable(manager.rooms["/"])
    client.vanish()
    for _ in range(100):
        await asyncio.sleep(0.002)
        if not sandbox.server.namespace.broadcaster.clients:
            break
    assert sandbox.server.namespace.broadcaster.clients == {}
    assert manager.rooms_of == {}


@pytest.mark.gen_test
async def test_naive_clients_and_windows_stay_right_over_a_crash(make_sandbox, raw, fetch):
    """Minutes of a crash in steps of 61 s: replace on update, merge on quotes, windows that follow."""
    sandbox = await make_sandbox(own_market=True, feed={"speed": 122, "scenario": "crash"})
    naive, sharp = await raw.connect(sandbox.url), await raw.connect(sandbox.url)
    await naive.call("subscribe_symbol", {"symbol": "NIFTY"})
    await naive.call("subscribe_option_chain", {"symbol": "NIFTY", "mode": "full"})
    await sharp.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    quote: dict = {}
    chain: dict = {}
    state = ChainState()
    removed = 0
    for step in range(25):
        await sandbox.step()
        rest = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
        spot = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
        window = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=5")).data
        await naive.call("ping")
        for name, payload in naive.events:
            if name == "symbol_update":
                quote.update(payload)
            elif name in ("option_chain_update", "option_chain_data"):
                chain = payload
        naive.events.clear()
        await sharp.call("ping")
        for name, payload in sharp.events:
            if name.startswith("option_chain"):
                removed += len(payload.get("removed", ()))
                assert state.apply(name, payload)
        sharp.events.clear()
        assert {name: quote[name] for name in spot} == spot
        assert state.state == window
        if step % 2:
            assert chain["seq"] >= rest["seq"] - 1
    assert removed > 0
