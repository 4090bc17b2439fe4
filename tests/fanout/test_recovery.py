"""The ten recovery cases of Centrifugo's table, on our streams."""

import pytest

from tests.fanout.states import ChainState, QuoteState

DEPTH = 8
NAME = "symbol:NIFTY"


@pytest.fixture
def server(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(feed={"replay_depth": DEPTH, "heartbeat_s": 3600}))


async def followed(raw, server, event="subscribe_symbol", payload=None):
    """A client that followed NIFTY for three steps and knows where it stands."""
    client = await raw.connect(server.url)
    answer = await client.call(event, payload or {"symbol": "NIFTY"})
    assert answer["success"], answer
    return client


async def quote_position(server, fetch):
    quote = (await fetch(server, "/api/spot_price/NIFTY")).data
    return quote["epoch"], quote["seq"]


async def move(server, count):
    """Steps until NIFTY's stream has published ``count`` states more."""
    stream = server.server.services.views.symbol("NIFTY")
    target = stream.seq + count
    while stream.seq < target:
        await server.step()
        stream.refresh()


async def resume(raw, server, epoch, seq):
    """Reconnect, resume, and return the answer with the events that came before it."""
    client = await raw.connect(server.url)
    client.events.clear()
    answer = await client.call("resume", {"streams": [{"stream": NAME, "epoch": epoch, "seq": seq}]})
    updates = [payload for name, payload in client.events if name == "symbol_update"]
    return answer["data"]["streams"][0], updates


@pytest.mark.gen_test
async def test_from_a_stream_without_history(raw, server, fetch):
    epoch, seq = await quote_position(server, fetch)
    answer, updates = await resume(raw, server, epoch, seq)
    assert answer["recovered"]
    assert updates == []


@pytest.mark.gen_test
async def test_from_a_position_gets_one_merged_delta(raw, server, fetch):
    await followed(raw, server)
    epoch, seq = await quote_position(server, fetch)
    await move(server, 3)
    answer, updates = await resume(raw, server, epoch, seq)
    assert answer["recovered"]
    assert [(u["kind"], u["prev_seq"], u["seq"], u["conflated"]) for u in updates] == [
        ("delta", seq, seq + 3, 3)
    ]


@pytest.mark.gen_test
async def test_several_streams_are_each_recovered_or_not(raw, server, fetch):
    client = await followed(raw, server, payload={"symbol": ["NIFTY", "BANKNIFTY"]})
    epoch, seq = await quote_position(server, fetch)
    await move(server, 2)
    client.vanish()
    again = await raw.connect(server.url)
    streams = [
        {"stream": NAME, "epoch": epoch, "seq": seq},
        {"stream": "symbol:BANKNIFTY", "epoch": "another", "seq": 1},
    ]
    answer = await again.call("resume", {"streams": streams})
    assert [item["recovered"] for item in answer["data"]["streams"]] == [True, False]


@pytest.mark.gen_test
async def test_beyond_the_replay_depth_is_a_snapshot(raw, server, fetch):
    await followed(raw, server)
    epoch, seq = await quote_position(server, fetch)
    await move(server, DEPTH + 1)
    answer, updates = await resume(raw, server, epoch, seq)
    assert not answer["recovered"]
    assert [update["kind"] for update in updates] == ["snapshot"]


@pytest.mark.gen_test
async def test_at_the_replay_depth_is_still_a_delta(raw, server, fetch):
    await followed(raw, server)
    epoch, seq = await quote_position(server, fetch)
    await move(server, DEPTH)
    answer, updates = await resume(raw, server, epoch, seq)
    assert answer["recovered"]
    assert updates[0]["conflated"] == DEPTH


@pytest.mark.gen_test
async def test_from_a_position_already_gone_is_a_snapshot(raw, server, fetch):
    await followed(raw, server)
    epoch, _ = await quote_position(server, fetch)
    await move(server, 2)
    answer, updates = await resume(raw, server, epoch, 0)
    assert not answer["recovered"]
    assert updates[0]["kind"] == "snapshot"


@pytest.mark.gen_test
async def test_from_a_position_in_the_future_is_a_snapshot(raw, server, fetch):
    await followed(raw, server)
    epoch, seq = await quote_position(server, fetch)
    answer, updates = await resume(raw, server, epoch, seq + 100)
    assert not answer["recovered"]
    assert updates[0]["kind"] == "snapshot"


@pytest.mark.gen_test
async def test_from_the_present_gets_nothing_and_is_recovered(raw, server, fetch):
    await followed(raw, server)
    epoch, seq = await quote_position(server, fetch)
    answer, updates = await resume(raw, server, epoch, seq)
    assert answer["recovered"]
    assert (answer["seq"], updates) == (seq, [])


@pytest.mark.gen_test
async def test_from_an_empty_position_is_a_snapshot(raw, server):
    await followed(raw, server)
    answer, updates = await resume(raw, server, "", 0)
    assert not answer["recovered"]
    assert updates[0]["kind"] == "snapshot"


@pytest.mark.gen_test
async def test_from_another_epoch_is_a_snapshot_even_at_the_same_number(raw, server, fetch):
    await followed(raw, server)
    _, seq = await quote_position(server, fetch)
    answer, updates = await resume(raw, server, "another", seq)
    assert not answer["recovered"]
    assert updates[0]["kind"] == "snapshot"


@pytest.mark.gen_test
async def test_the_present_of_a_forgotten_stream_is_recovered(raw, server, fetch):
    epoch, seq = await quote_position(server, fetch)
    views = server.server.services.views
    views.symbols.clear()  # as after a restart of the same virtual market: nobody ever looked
    answer, updates = await resume(raw, server, epoch, seq)
    assert answer["recovered"]
    assert updates == []


@pytest.mark.gen_test
async def test_unseen_states_of_a_stream_without_subscribers_are_not_recovered(raw, server, fetch):
    epoch, seq = await quote_position(server, fetch)
    await move(server, 1)
    await server.step(3)
    views = server.server.services.views
    views.symbols.clear()
    answer, _ = await resume(raw, server, epoch, seq)
    assert not answer["recovered"]


@pytest.mark.gen_test
async def test_a_recovered_window_of_a_chain_equals_rest(raw, server, fetch):
    client = await raw.connect(server.url)
    await client.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    state = ChainState()
    state.apply("option_chain_data", next(p for n, p in client.events if n == "option_chain_data"))
    epoch, seq = state.position
    expiry = state.state["expiry"]
    client.vanish()
    for _ in range(4):
        await server.step()
        await fetch(server, "/api/option_chain?symbol=NIFTY")
    again = await raw.connect(server.url)
    position = {"stream": f"chain:NIFTY:{expiry}", "epoch": epoch, "seq": seq, "strikes": 5}
    answer = await again.call("resume", {"streams": [position]})
    assert answer["data"]["streams"][0]["recovered"]
    for name, payload in again.events:
        if name == "option_chain_delta":
            assert state.apply(name, payload)
    assert state.state == (await fetch(server, "/api/option_chain?symbol=NIFTY&strikes=5")).data


@pytest.mark.gen_test
async def test_a_rest_answer_is_as_good_a_start_as_a_snapshot(raw, server, fetch):
    await followed(raw, server)
    quote = (await fetch(server, "/api/spot_price/NIFTY")).data
    state = QuoteState()
    state.apply("symbol_update", {"kind": "snapshot", **quote})
    await move(server, 4)
    _, updates = await resume(raw, server, quote["epoch"], quote["seq"])
    for update in updates:
        assert state.apply("symbol_update", update)
    assert state.state == (await fetch(server, "/api/spot_price/NIFTY")).data
