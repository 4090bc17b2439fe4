"""Streams as a client sees them: snapshots, sequenced deltas, heartbeats, resumption, changes of phase."""

import asyncio
from itertools import pairwise

import pytest

from schemas.reference import MarketStatusSchema
from tests.contract.conftest import VALIDATORS
from tests.contract.documents import payload_of
from tests.fanout.states import ChainState
from tests.handlers.shapes import problems
from tests.handlers.streams.client_state import ClientState

both_transports = pytest.mark.parametrize("transport", ["websocket", "polling"])

STEPS = 30
CHAINS = {
    "all strikes": ({"symbol": "NIFTY", "expiry": "2026-12-01"}, "symbol=NIFTY&expiry=2026-12-01"),
    "a window": (
        {"symbol": "NIFTY", "expiry": "2026-12-01", "strikes": 10},
        "symbol=NIFTY&expiry=2026-12-01&strikes=10",
    ),
    "a stock": ({"symbol": "M&M", "strikes": 5}, "symbol=M%26M&strikes=5"),
}


async def follow(client, state, seq):
    """Take what comes until the state is at ``seq``."""
    while state.values.get("seq") != seq:
        event, payload = await client.next_of("symbol_update", "option_chain_data", "option_chain_delta")
        state.take(event, payload)


@both_transports
@pytest.mark.gen_test
async def test_snapshot_and_deltas_of_a_quote_are_what_rest_answers(sandbox, connect, fetch, transport):
    client, state = await connect(sandbox, transport), ClientState()
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    for _ in range(STEPS):
        await sandbox.step()
        served = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
        await follow(client, state, served["seq"])
        assert state.values == served


@both_transports
@pytest.mark.parametrize(("payload", "query"), CHAINS.values(), ids=CHAINS)
@pytest.mark.gen_test
async def test_snapshot_and_deltas_of_a_chain_are_what_rest_answers(
    sandbox, connect, fetch, transport, payload, query
):
    client, state = await connect(sandbox, transport), ClientState()
    await client.ask("subscribe_option_chain", payload)
    for _ in range(STEPS):
        await sandbox.step()
        served = (await fetch(sandbox, f"/api/option_chain?{query}")).data
        await follow(client, state, served["seq"])
        assert state.values == served


@both_transports
@pytest.mark.gen_test
async def test_window_follows_the_money(make_sandbox, connect, fetch, transport):
    """A market that moves fast: strikes enter the window whole and leave it by name."""
    sandbox = await make_sandbox(own_market=True, feed={"speed": 1800.0, "scenario": "crash"})
    client, state = await connect(sandbox, transport), ClientState()
    payload = {"symbol": "NIFTY", "expiry": "2026-12-01", "strikes": 5}
    await client.ask("subscribe_option_chain", payload)
    moves = set()
    for _ in range(6):
        await sandbox.step()
        served = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&expiry=2026-12-01&strikes=5")).data
        await follow(client, state, served["seq"])
        assert state.values == served
        moves.add(served["atm_strike"])
    assert len(moves) > 1, "the money never moved, so this shows nothing"


@both_transports
@pytest.mark.gen_test
async def test_delta_of_a_quote_has_what_always_is_in_it_and_else_only_changes(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    state = await client.next("symbol_update")
    for _ in range(5):
        await sandbox.step()
        delta = await client.next("symbol_update")
        always = {
            "kind",
            "symbol",
            "epoch",
            "prev_seq",
            "seq",
            "as_of",
            "spot_price",
            "change",
            "change_percent",
        }
        assert delta.keys() >= always
        assert delta["kind"] == "delta"
        for name in delta.keys() - always - {"conflated"}:
            assert delta[name] != state[name], name
        assert not delta.keys() & {"source", "previous_close"}
        state = {**state, **delta}


@both_transports
@pytest.mark.gen_test
async def test_delta_of_a_chain_has_only_changed_cells(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    payload = {"symbol": "NIFTY", "expiry": "2026-12-01"}
    await client.ask("subscribe_option_chain", payload)
    chain = await client.next("option_chain_data")
    rows = {row["strike_price"]: row for row in chain["option_chain"]}
    await sandbox.step()
    delta = await client.next("option_chain_delta")
    assert delta.keys() >= {"symbol", "expiry", "epoch", "prev_seq", "seq", "as_of", "rows"}
    assert (delta["prev_seq"], delta["seq"]) == (chain["seq"], chain["seq"] + 1)
    for name in delta.keys() - {"symbol", "expiry", "epoch", "prev_seq", "seq", "rows"}:
        assert delta[name] != chain[name], name
    assert delta["rows"]
    for row in delta["rows"]:
        assert len(row) > 1
        for name in row.keys() - {"strike_price"}:
            assert row[name] != rows[row["strike_price"]][name], name


@both_transports
@pytest.mark.gen_test
async def test_deltas_come_in_order_without_a_gap(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    seq = (await client.next("symbol_update"))["seq"]
    last = seq + 10
    for _ in range(10):
        await sandbox.step()
    while seq < last:
        delta = await client.next("symbol_update")
        assert delta["prev_seq"] == seq
        assert delta.get("conflated", 1) == max(1, delta["seq"] - seq)
        seq = delta["seq"]


@pytest.mark.gen_test
async def test_nothing_overtakes_the_snapshot(sandbox, connect):
    client = await connect(sandbox)
    await client.socket.emit("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step()
    await client.socket.emit("subscribe_symbol", {"symbol": "SENSEX"})
    await sandbox.step()
    await client.settle()
    first = {}
    for update in client.waiting("symbol_update"):
        first.setdefault(update["symbol"], update["kind"])
    assert first == {"NIFTY": "snapshot", "SENSEX": "snapshot"}


@pytest.mark.gen_test
async def test_all_clients_of_a_stream_are_told_the_same(sandbox, connect):
    clients = [await connect(sandbox) for _ in range(5)]
    for client in clients:
        await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step(3)
    told = []
    for client in clients:
        await client.settle()
        told.append(client.waiting("symbol_update"))
    assert all(updates == told[0] for updates in told)
    assert [update["kind"] for update in told[0]] == ["snapshot", "delta", "delta", "delta"]


@pytest.mark.gen_test
async def test_client_of_many_streams_gets_each(sandbox, connect, fetch):
    client = await connect(sandbox)
    symbols = ["NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE"]
    await client.ask("subscribe_symbol", {"symbol": symbols})
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    states = {symbol: ClientState() for symbol in symbols}
    await sandbox.step(4)
    await client.settle()
    for update in client.waiting("symbol_update"):
        states[update["symbol"]].take("symbol_update", update)
    for symbol, state in states.items():
        assert state.values == (await fetch(sandbox, f"/api/spot_price/{symbol}")).data
    assert len(client.waiting("option_chain_delta")) == 4


@both_transports
@pytest.mark.gen_test
async def test_naive_client_that_merges_updates_is_right(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    state = {}
    await sandbox.step(5)
    served = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    while state.get("seq") != served["seq"]:
        state.update(await client.next("symbol_update"))
    assert {name: state[name] for name in served} == served


@both_transports
@pytest.mark.gen_test
async def test_naive_client_that_replaces_chains_is_right(make_sandbox, connect, fetch, transport):
    sandbox = await make_sandbox(feed={"publish_interval_ms": 1000})  # every state is sent in mode full
    client = await connect(sandbox, transport)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "mode": "full", "strikes": 5})
    for _ in range(3):
        await sandbox.step()
        served = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=5")).data
        update = await client.next("option_chain_update")
        assert update == served


@pytest.mark.gen_test
async def test_full_mode_sends_at_most_once_a_second(sandbox, connect):
    client = await connect(sandbox)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "mode": "full", "strikes": 5})
    await sandbox.step(20)  # ten seconds of a market that publishes twice a second
    await client.settle()
    assert 9 <= len(client.waiting("option_chain_update")) <= 10


class SilentSource:
    """A source from which nothing comes."""

    def __init__(self, source):
        self._source = source

    def __getattr__(self, name):
        return getattr(self._source, name)

    def advance(self, now_ms):
        return None


async def listening(sandbox):
    """Wait until every client took what was sent; a polling one until it asks again."""
    clients = sandbox.server.namespace.broadcaster.clients.values()
    while not all(client.ready for client in clients):  # noqa: ASYNC110
        await asyncio.sleep(0)


@both_transports
@pytest.mark.gen_test
async def test_stream_at_rest_says_so_within_the_heartbeat(make_sandbox, connect, transport):
    sandbox = await make_sandbox(own_market=True, feed={"heartbeat_s": 2.0})
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    quote = await client.next("symbol_update")
    chain = await client.next("option_chain_data")
    sandbox.server.ticker.source = SilentSource(sandbox.server.source)
    for _ in range(5):  # 2.5 s
        await listening(sandbox)
        await sandbox.step()
    beat = await client.next("symbol_update")
    assert beat == {
        "kind": "delta",
        "symbol": "NIFTY",
        "epoch": quote["epoch"],
        "prev_seq": quote["seq"],
        "seq": quote["seq"],
        "as_of": quote["as_of"],
    }
    beat = await client.next("option_chain_delta")
    assert (beat["prev_seq"], beat["seq"]) == (chain["seq"], chain["seq"])
    assert beat.get("rows", []) == []


@pytest.mark.gen_test
async def test_polling_client_between_two_polls_gets_the_heartbeat_with_the_next(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True, feed={"heartbeat_s": 0.5})
    client = await connect(sandbox, "polling")
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.next("symbol_update")
    sandbox.server.ticker.source = SilentSource(sandbox.server.source)
    await listening(sandbox)
    await client.settle()  # its answer has just arrived: the next poll has not
    await sandbox.step()
    beat = await client.next("symbol_update")
    assert beat["seq"] == beat["prev_seq"]


@pytest.mark.gen_test
async def test_stream_that_moves_needs_no_heartbeat(make_sandbox, connect):
    sandbox = await make_sandbox(feed={"heartbeat_s": 1.0})
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step(10)
    await client.settle()
    deltas = client.waiting("symbol_update")[1:]
    assert len(deltas) == 10
    assert all(delta["seq"] == delta["prev_seq"] + 1 for delta in deltas)


@both_transports
@pytest.mark.gen_test
async def test_feed_that_falls_silent_is_told_and_its_return_too(make_sandbox, connect, transport):
    sandbox = await make_sandbox(own_market=True, feed={"stale_after_s": 1.0})
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    state = ClientState()
    state.take("symbol_update", await client.next("symbol_update"))
    assert state.values["stale"] is False
    source = sandbox.server.source
    sandbox.server.ticker.source = SilentSource(source)
    await sandbox.step(4)
    told = await client.next("feed_status")
    assert told["state"] == "stalled"
    assert told["reason"].endswith(".")
    assert told["source"] == "simulated"
    while not state.values["stale"]:
        state.take("symbol_update", await client.next("symbol_update"))
    sandbox.server.ticker.source = source
    await sandbox.step(25)  # it has to hold for ten seconds
    states = [told["state"]]
    while states[-1] != "live":
        states.append((await client.next("feed_status"))["state"])
    assert states == ["stalled", "degraded", "live"]
    while state.values["stale"]:
        state.take("symbol_update", await client.next("symbol_update"))
    assert state.values["spot_price"] is not None


@both_transports
@pytest.mark.gen_test
async def test_resume_gets_what_was_missed_as_one_merged_delta(sandbox, connect, fetch, transport):
    client, state = await connect(sandbox, transport), ClientState()
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    state.take("symbol_update", await client.next("symbol_update"))
    epoch, seq = state.position
    await client.socket.disconnect()
    watcher = await connect(sandbox)
    await watcher.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step(5)
    again = await connect(sandbox, transport)
    wanted = {"streams": [{"stream": "symbol:NIFTY", "epoch": epoch, "seq": seq}]}
    (answer,) = (await again.ask("resume", wanted))["streams"]
    served = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert answer == {
        "stream": "symbol:NIFTY",
        "epoch": epoch,
        "seq": served["seq"],
        "recovered": True,
    }
    delta = await again.next("symbol_update")
    assert (delta["kind"], delta["conflated"]) == ("delta", 5)
    state.apply(delta)
    assert state.values == served
    await sandbox.step()
    state.apply(await again.next("symbol_update"))
    assert state.values == (await fetch(sandbox, "/api/spot_price/NIFTY")).data


@both_transports
@pytest.mark.gen_test
async def test_resume_of_a_chain_in_a_window(sandbox, connect, fetch, transport):
    client, state = await connect(sandbox, transport), ClientState()
    payload = {"symbol": "NIFTY", "expiry": "2026-12-01", "strikes": 5}
    await client.ask("subscribe_option_chain", payload)
    state.take("option_chain_data", await client.next("option_chain_data"))
    epoch, seq = state.position
    await client.socket.disconnect()
    watcher = await connect(sandbox)
    await watcher.ask("subscribe_option_chain", payload)
    await sandbox.step(3)
    again = await connect(sandbox, transport)
    stream = {"stream": "chain:NIFTY:2026-12-01", "epoch": epoch, "seq": seq, "strikes": 5}
    (answer,) = (await again.ask("resume", {"streams": [stream]}))["streams"]
    assert answer["recovered"] is True
    state.apply(await again.next("option_chain_delta"))
    served = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&expiry=2026-12-01&strikes=5")).data
    assert state.values == served


@both_transports
@pytest.mark.parametrize("position", [{"epoch": "another", "seq": 3}, {"epoch": None, "seq": -1}])
@pytest.mark.gen_test
async def test_resume_of_what_is_no_longer_held_gets_a_snapshot(sandbox, connect, fetch, transport, position):
    client = await connect(sandbox, transport)
    served = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    wanted = {"stream": "symbol:NIFTY", **position, "epoch": position["epoch"] or served["epoch"]}
    (answer,) = (await client.ask("resume", {"streams": [wanted]}))["streams"]
    assert answer["recovered"] is False
    snapshot = await client.next("symbol_update")
    assert snapshot.pop("kind") == "snapshot"
    assert snapshot == served


@pytest.mark.gen_test
async def test_resume_of_the_present_state_sends_nothing_and_goes_on(sandbox, connect, fetch):
    client = await connect(sandbox)
    served = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    wanted = {"stream": "symbol:NIFTY", "epoch": served["epoch"], "seq": served["seq"]}
    (answer,) = (await client.ask("resume", {"streams": [wanted]}))["streams"]
    assert answer["recovered"] is True
    await client.settle()
    assert client.waiting("symbol_update") == []
    await sandbox.step()
    assert (await client.next("symbol_update"))["prev_seq"] == served["seq"]


@both_transports
@pytest.mark.gen_test
async def test_candle_is_closed_once_and_then_the_next_one_forms(make_sandbox, connect, fetch, transport):
    feed = {"speed": 30.0, "start": "2026-11-23T10:00+05:30"}  # steps of 15 s
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await connect(sandbox, transport)
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": "1m"})
    for _ in range(12):
        await listening(sandbox)
        await sandbox.step()
    await client.settle()
    updates = client.waiting("candle_update")
    closed = [update for update in updates if update["closed"]]
    assert len(closed) in (2, 3)
    assert len({update["date"] for update in closed}) == len(closed)
    path = f"/api/historical-data/NIFTY?interval=1m&from={closed[0]['date']}"
    rows = (await fetch(sandbox, path)).data["candles"]
    by_date = {row["date"]: row for row in rows}
    for update in closed:
        row = by_date[update["date"]]
        assert {name: update[name] for name in row} == row
    dates = [update["date"] for update in updates]
    assert dates == sorted(dates)
    for before, after in pairwise(updates):
        assert (before["date"] != after["date"]) <= before["closed"]


@pytest.mark.gen_test
async def test_polling_client_between_two_polls_gets_the_closed_candle_with_the_next(make_sandbox, connect):
    feed = {"speed": 30.0, "start": "2026-11-23T10:00+05:30"}
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await connect(sandbox, "polling")
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": "1m"})
    closed = []
    for _ in range(5):
        await client.settle()  # its answer has just arrived: the next poll has not
        await sandbox.step()
        closed += [update for update in client.waiting("candle_update") if update["closed"]]
    await client.settle()
    closed += [update for update in client.waiting("candle_update") if update["closed"]]
    assert len(closed) == 1


@both_transports
@pytest.mark.gen_test
async def test_change_of_phase_is_told_to_everybody(make_sandbox, connect, fetch, transport):
    feed = {"start": "2026-11-23T15:39:59+05:30", "hours": "exchange"}
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await connect(sandbox, transport)
    before = await client.next("market_status")
    assert (before["phase"], before["is_open"]) == ("open", True)
    await sandbox.step(3)
    after = await client.next("market_status")
    assert after["is_open"] is False
    assert after["since"] == "2026-11-23T10:10:00.000Z"
    assert problems(MarketStatusSchema(), after) == []
    assert after == (await fetch(sandbox, "/api/market-status")).data
    await client.settle()
    assert client.waiting("market_status") == []


@both_transports
@pytest.mark.gen_test
async def test_closed_market_is_told_as_closed_and_not_as_stalled(make_sandbox, connect, transport):
    # the commodities close last
    feed = {"start": "2026-11-23T23:54:59+05:30", "hours": "exchange", "stale_after_s": 1.0}
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await connect(sandbox, transport)
    await sandbox.step(8)
    told = await client.next("feed_status")
    assert told["state"] == "market_closed"


EXPIRY_DAY = {"start": "2026-11-23T15:38:55+05:30", "speed": 122.0}  # steps of 61 seconds
LAST_STEPS = 3  # after which the day's contracts are gone


@both_transports
@pytest.mark.gen_test
async def test_subscription_with_an_expiry_ends_with_it_and_names_its_successor(
    make_sandbox, connect, fetch, transport
):
    sandbox = await make_sandbox(own_market=True, feed=EXPIRY_DAY)
    client = await connect(sandbox, transport)
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    wanted = {"symbol": "NIFTY", "expiry": expiries[0]}
    for event, kind in (("subscribe_option_chain", "chain"), ("subscribe_dashboard", "dashboard")):
        await client.ask(event, wanted)
        status = await client.next("subscription_status")
        assert (status["stream"], status["rolls"]) == (f"{kind}:NIFTY:{expiries[0]}", False)
    await sandbox.step(LAST_STEPS)
    ended = {}
    for _ in range(2):
        status = await client.next("subscription_status")
        assert VALIDATORS.problems(payload_of("subscription_status"), status) == []
        assert status["status"] == "expired"
        ended[status["stream"]] = status["successor"]
    assert ended == {
        f"{kind}:NIFTY:{expiries[0]}": f"{kind}:NIFTY:{expiries[1]}" for kind in ("chain", "dashboard")
    }
    assert (await client.ask("list_subscriptions"))["subscriptions"] == []
    assert sandbox.server.namespace.broadcaster.rooms == {}


@both_transports
@pytest.mark.parametrize("mode", ["delta", "full"])
@pytest.mark.gen_test
async def test_subscription_without_an_expiry_goes_over_to_the_successor(
    make_sandbox, connect, fetch, transport, mode
):
    """Told that it expired, the client gets the successor's snapshot, and deltas that apply to it."""
    sandbox = await make_sandbox(own_market=True, feed=EXPIRY_DAY)
    client, state = await connect(sandbox, transport), ChainState()
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5, "mode": mode})
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY"})
    following = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [(item["stream"], item["rolls"]) for item in following] == [
        (f"chain:NIFTY:{expiries[0]}", True),
        (f"dashboard:NIFTY:{expiries[0]}", True),
    ]
    await client.settle()
    client.order.clear()
    await sandbox.step(LAST_STEPS)
    for _ in range(5):  # what waits for a poll goes out after the answer to a ping
        await client.settle()
    for name, told in client.order:
        assert VALIDATORS.problems(payload_of(name), told) == [], name
    for kind, events in (("chain", "option_chain"), ("dashboard", "dashboard_data")):
        of_kind = [
            (name, told)
            for name, told in client.order
            if name.startswith(events) or told.get("stream", "").startswith(kind)
        ]
        ended = next(i for i, (_, told) in enumerate(of_kind) if told.get("status") == "expired")
        assert of_kind[ended][1]["successor"] == f"{kind}:NIFTY:{expiries[1]}"
        assert (of_kind[ended + 1][1]["reason"], of_kind[ended + 1][1]["expiry"]) == ("expired", expiries[1])
        for name, told in of_kind[ended + 1 :] if kind == "chain" else ():
            assert state.apply(name, told), (name, told)
    rest = await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&expiry={expiries[1]}&strikes=5")
    if mode == "delta":
        assert state.state == rest.data
    following = (await client.ask("list_subscriptions"))["subscriptions"]
    assert {(item["stream"], item["rolls"]) for item in following} == {
        (f"chain:NIFTY:{expiries[1]}", True),
        (f"dashboard:NIFTY:{expiries[1]}", True),
    }
    await client.ask("unsubscribe_option_chain", {"symbol": "NIFTY"})
    await client.ask("unsubscribe_dashboard", {"symbol": "NIFTY"})
    assert sandbox.server.namespace.broadcaster.rooms == {}


@pytest.mark.gen_test
async def test_who_follows_the_successor_already_keeps_its_way_of_following_it(make_sandbox, connect, fetch):
    sandbox = await make_sandbox(own_market=True, feed=EXPIRY_DAY)
    client = await connect(sandbox)
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "expiry": expiries[1], "strikes": 10})
    await sandbox.step(LAST_STEPS)
    following = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [(item["stream"], item["strikes"], item["rolls"]) for item in following] == [
        (f"chain:NIFTY:{expiries[1]}", 10, True)
    ]


@pytest.mark.gen_test
async def test_resume_over_an_expiry_takes_up_what_there_is(make_sandbox, connect, fetch):
    """A page that comes back after the expiry: one stream ended, one went over, one goes on."""
    sandbox = await make_sandbox(own_market=True, feed=EXPIRY_DAY)
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    gone, following = (f"NIFTY:{day}" for day in expiries[:2])
    await sandbox.step(LAST_STEPS)
    client = await connect(sandbox)
    place = {"epoch": "", "seq": -1}
    asked = [
        {"stream": f"chain:{gone}", **place, "strikes": 5, "rolls": True},
        {"stream": f"dashboard:{gone}", **place},
        {"stream": "symbol:NIFTY", **place},
    ]
    answer = await client.call("resume", {"streams": asked})
    assert VALIDATORS.problems(payload_of("resume_answer"), answer) == []
    answers = answer["data"]["streams"]
    assert [(answer["stream"], answer.get("expired")) for answer in answers] == [
        (f"chain:{following}", f"chain:{gone}"),
        (f"dashboard:{gone}", f"dashboard:{gone}"),
        ("symbol:NIFTY", None),
    ]
    assert (answers[1]["epoch"], answers[1]["seq"]) == (None, None)
    told = [await client.next("subscription_status") for _ in range(2)]
    assert all(VALIDATORS.problems(payload_of("subscription_status"), item) == [] for item in told)
    assert [(item["stream"], item["status"], item["successor"]) for item in told] == [
        (f"chain:{gone}", "expired", f"chain:{following}"),
        (f"dashboard:{gone}", "expired", f"dashboard:{following}"),
    ]
    snapshot = await client.next("option_chain_data")
    assert (snapshot["expiry"], snapshot["reason"]) == (expiries[1], "expired")
    listed = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [item["stream"] for item in listed] == [f"chain:{following}", "symbol:NIFTY"]
    never = {"stream": "chain:NIFTY:2031-01-01", **place, "rolls": True}
    refused = await client.call("resume", {"streams": [never]})
    assert refused["error"]["code"] == "UNKNOWN_EXPIRY"


@both_transports
@pytest.mark.gen_test
async def test_new_epoch_begins_with_a_snapshot(make_sandbox, connect, fetch, transport):
    sandbox = await make_sandbox(own_market=True)
    client, state = await connect(sandbox, transport), ClientState()
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    state.take("option_chain_data", await client.next("option_chain_data"))
    sandbox.server.market.restart("afresh")
    await sandbox.step()
    snapshot = await client.next("option_chain_data")
    assert snapshot["epoch"] == "afresh"
    assert snapshot["reason"]
    state.take("option_chain_data", snapshot)
    assert state.values == (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=5")).data
