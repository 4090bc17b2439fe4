"""Real events over a real socket against the documents: every event, every acknowledgement, every form."""

import json
from datetime import date
from typing import Any

import pytest

from handlers.streams.state import ChainPart
from tests.contract.conftest import VALIDATORS
from tests.contract.documents import CLIENT_NAMES, SERVER_NAMES, payload_of

EXPIRY = "2026-12-01"
CHAIN = {"symbol": "NIFTY", "expiry": EXPIRY}
PAYLOADS: dict[str, Any] = {
    "subscribe_symbol": [{"symbol": "NIFTY"}, {"symbol": ["RELIANCE", "m&m"]}],
    "subscribe_option_chain": [{**CHAIN, "strikes": 5}, {"symbol": "RELIANCE", "mode": "full"}],
    "subscribe_dashboard": [{"symbol": "NIFTY"}, CHAIN],
    "subscribe_candles": [{"symbol": "NIFTY", "interval": "1m"}, {"symbol": "NIFTY", "interval": "day"}],
    "get_option_chain": [{"symbol": "CRUDEOIL"}, {**CHAIN, "strikes": 1}],
    "get_dashboard_data": [{"symbol": "CRUDEOIL"}, CHAIN],
    "get_market_status": [None, {}, {"exchange": "MCX,NSE"}],
    "list_subscriptions": [None, {}],
    "subscribe_alert": [
        {"symbol": "NIFTY", "field": "spot_price", "op": "above", "value": 1},
        {**CHAIN, "field": "ce_oi_change", "strike": 22600, "op": "crosses", "value": 0, "repeat": True},
        {"symbol": "NIFTY", "field": "max_pain_move", "op": "above", "value": 5e4, "hysteresis": 10},
    ],
    "unsubscribe_alert": [{"alert_id": "a2"}, {"alert_id": "none"}],
    "list_alerts": [None, {}],
    "resume": [{"streams": [{"stream": "symbol:NIFTY", "epoch": "gone", "seq": 3}]}],
    "ping": [None, {"n": 1}, [1, "two", None], "text"],
    "unsubscribe_symbol": [{"symbol": "NIFTY"}, {"symbol": ["TCS"]}],
    "unsubscribe_option_chain": [CHAIN, {"symbol": "RELIANCE"}],
    "unsubscribe_dashboard": [CHAIN, {"symbol": "NIFTY"}],
    "unsubscribe_candles": [
        {"symbol": "NIFTY", "interval": "1m"},
        {"symbol": "NIFTY", "interval": "1w"},
    ],
}
REFUSED = [
    # event, payload, code
    ("subscribe_symbol", {}, "VALIDATION_ERROR"),
    ("subscribe_symbol", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL"),
    ("subscribe_symbol", {"symbol": "nıfty"}, "VALIDATION_ERROR"),  # whose upper case is NIFTY
    ("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-11-28"}, "UNKNOWN_EXPIRY"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 7, "x": 1}, "VALIDATION_ERROR"),
    ("unsubscribe_option_chain", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL"),
    ("subscribe_dashboard", {"symbol": "NIFTY", "expiry": "2026-11-28"}, "UNKNOWN_EXPIRY"),
    ("subscribe_candles", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL"),
    ("get_option_chain", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL"),
    ("get_dashboard_data", ["NIFTY"], "VALIDATION_ERROR"),
    ("get_market_status", {"exchange": "LSE"}, "VALIDATION_ERROR"),
    ("list_subscriptions", {"x": 1}, "VALIDATION_ERROR"),
    ("subscribe_alert", {"symbol": "NIFTY", "field": "vega", "op": "above", "value": 1}, "VALIDATION_ERROR"),
    ("subscribe_alert", {"symbol": "NIFTI", "field": "pcr_oi", "op": "above", "value": 1}, "UNKNOWN_SYMBOL"),
    (
        "subscribe_alert",
        {**CHAIN, "field": "pe_oi_change", "strike": 22613, "op": "above", "value": 1},
        "UNKNOWN_CONTRACT",
    ),
    (
        "subscribe_alert",
        {"symbol": "NIFTY", "expiry": "2026-11-28", "field": "atm_iv", "op": "below", "value": 10},
        "UNKNOWN_EXPIRY",
    ),
    ("unsubscribe_alert", {}, "VALIDATION_ERROR"),
    ("resume", {"streams": [{"stream": "chain:NIFTI:2026-12-01", "epoch": "", "seq": 0}]}, "UNKNOWN_SYMBOL"),
    ("resume", {"streams": [{"stream": "x", "epoch": "", "seq": 0}, 5]}, "VALIDATION_ERROR"),
    ("no_such_event", {}, "VALIDATION_ERROR"),
]


class Silent:
    """A source from which nothing comes."""

    def __init__(self, source):
        self.name, self.universe = source.name, source.universe

    def advance(self, now_ms):
        return None


def test_every_client_event_is_sent_below():
    assert set(PAYLOADS) == set(CLIENT_NAMES)


@pytest.mark.gen_test(timeout=20)
async def test_every_client_event_is_answered_as_documented(sandbox, checked):
    client = await checked(sandbox)
    for event, payloads in PAYLOADS.items():
        for payload in payloads:
            answer = await client.call(event, *([] if payload is None else [payload]))
            assert answer["success"], (event, payload, answer)
        await sandbox.step(3)
    await client.settle()
    quiet = {"feed_status", "server_shutdown", "error"}
    assert set(SERVER_NAMES) - quiet == set(client.seen)


@pytest.mark.parametrize(("event", "payload", "code"), REFUSED)
@pytest.mark.gen_test
async def test_refusal_is_told_as_documented(sandbox, checked, event, payload, code):
    client = await checked(sandbox)
    answer = await client.call(event, payload)
    assert answer["error"]["code"] == code
    assert client.last("error")["code"] == code
    assert client.last("error")["event"] == event


@pytest.mark.gen_test
async def test_refusal_by_a_limit_is_told_as_documented(make_sandbox, checked):
    sandbox = await make_sandbox(limits={"max_subscriptions": 1, "max_message_bytes": 512})
    client = await checked(sandbox)
    answer = await client.call("subscribe_symbol", {"symbol": ["NIFTY", "TCS"]})
    assert answer["error"]["code"] == "RATE_LIMITED"
    client.raw.emit("ping", "x" * 600)
    await client.settle()
    assert client.last("error")["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.gen_test
async def test_event_before_any_data_is_refused_as_documented(make_sandbox, checked):
    client = await checked(await make_sandbox(own_market=True, steps=0))
    for event in ("subscribe_symbol", "subscribe_option_chain", "subscribe_dashboard", "get_option_chain"):
        answer = await client.call(event, {"symbol": "NIFTY"})
        assert answer["error"]["code"] == "FEED_UNAVAILABLE"


@pytest.mark.gen_test
async def test_failure_of_ours_is_told_as_documented(sandbox, checked, monkeypatch, caplog):
    client = await checked(sandbox)

    def fail(*_):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(sandbox.server.services.views, "symbol", fail)
    answer = await client.call("subscribe_symbol", {"symbol": "NIFTY"})
    assert answer["error"]["code"] == "INTERNAL_ERROR"


@pytest.mark.gen_test(timeout=20)
async def test_signs_of_life_and_the_feeds_state_are_told_as_documented(make_sandbox, checked):
    feed = {"heartbeat_s": 1.0, "stale_after_s": 1.0}
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await checked(sandbox)
    for event in ("subscribe_symbol", "subscribe_option_chain", "subscribe_dashboard"):
        await client.call(event, {"symbol": "NIFTY"})
    source = sandbox.server.source
    sandbox.server.ticker.source = Silent(source)
    await sandbox.step(8)
    sandbox.server.ticker.source = source
    await sandbox.step(2)
    await client.settle()
    assert client.seen["feed_status"] == 4  # degraded or stalled, two restarts in vain, and data again
    beats = [
        payload
        for name, payload in client.received
        if name in ("symbol_update", "option_chain_delta") and payload.get("prev_seq") == payload["seq"]
    ]
    assert {("rows" in beat or "spot_price" in beat) for beat in beats} == {False}
    assert len({tuple(beat) for beat in beats}) == 2  # of both


@pytest.mark.gen_test(timeout=30)
async def test_end_of_contracts_phases_and_candles_is_told_as_documented(make_sandbox, checked):
    feed = {"start": "2026-11-23T15:37:59+05:30", "speed": 60.0, "hours": "exchange"}  # half a minute a step
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await checked(sandbox)
    for event in ("subscribe_option_chain", "subscribe_dashboard"):
        await client.call(event, {"symbol": "NIFTY"})
    await client.call("subscribe_candles", {"symbol": "CRUDEOIL", "interval": "1m"})  # traded on
    await sandbox.step(10)
    await client.settle()
    ended = [payload for name, payload in client.received if name == "subscription_status"][-2:]
    assert {payload["status"] for payload in ended} == {"expired"}
    assert {payload["successor"] for payload in ended} == {
        f"chain:NIFTY:{EXPIRY}",
        f"dashboard:NIFTY:{EXPIRY}",
    }
    assert client.seen["market_status"] > 1
    closed = [payload["closed"] for name, payload in client.received if name == "candle_update"]
    assert set(closed) == {True, False}


@pytest.mark.gen_test
async def test_planned_stop_is_told_as_documented(sandbox, checked):
    client = await checked(sandbox)
    await sandbox.server.namespace.shut_down()
    payload = await client.raw.until("server_shutdown")
    assert VALIDATORS.problems(payload_of("server_shutdown"), payload) == []


@pytest.mark.parametrize("reason", ["resync", "conflated"])
@pytest.mark.gen_test
async def test_snapshot_that_comes_unasked_is_as_documented(sandbox, reason):
    views = sandbox.server.services.views
    quote = json.loads(views.symbol("NIFTY").snapshot(reason))
    assert quote["reason"] == reason
    assert VALIDATORS.problems(payload_of("symbol_update"), quote) == []
    listing = sandbox.server.market.universe.listing("NIFTY", date.fromisoformat(EXPIRY))
    chain = json.loads(views.chain(listing).snapshot(ChainPart(5), reason))
    assert chain["reason"] == reason
    assert VALIDATORS.problems(payload_of("option_chain_data"), chain) == []


@pytest.mark.gen_test
async def test_merged_delta_is_as_documented(sandbox, checked):
    client = await checked(sandbox)
    await client.call("subscribe_symbol", {"symbol": "NIFTY"})
    await client.call("subscribe_option_chain", {**CHAIN, "strikes": 5})
    quote, chain = client.last("symbol_update"), client.last("option_chain_data")
    await client.call("unsubscribe_symbol", {"symbol": "NIFTY"})
    await client.call("unsubscribe_option_chain", CHAIN)
    await sandbox.step(4)
    positions = [
        {"stream": "symbol:NIFTY", "epoch": quote["epoch"], "seq": quote["seq"]},
        {"stream": f"chain:NIFTY:{EXPIRY}", "epoch": chain["epoch"], "seq": chain["seq"], "strikes": 5},
    ]
    answer = await client.call("resume", {"streams": positions})
    assert [stream["recovered"] for stream in answer["data"]["streams"]] == [True, True]
    assert client.last("symbol_update")["conflated"] == 4
    assert client.last("option_chain_delta")["conflated"] == 4
