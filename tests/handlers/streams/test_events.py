"""Every event a client may send, over both transports: answers, acknowledgements, errors."""

import logging

import pytest

from schemas.chains import ChainSchema
from schemas.dashboard import DashboardSchema
from schemas.events import CLIENT
from schemas.quotes import SpotPriceSchema
from schemas.reference import CandleUpdateSchema, MarketStatusSchema
from tests.handlers.shapes import INSTANT, REQUEST_ID, problems

both_transports = pytest.mark.parametrize("transport", ["websocket", "polling"])


@both_transports
@pytest.mark.gen_test
async def test_subscribe_symbol_sends_status_and_then_the_quote(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "nifty"})
    quote = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    status = await client.next("subscription_status")
    assert {name: status[name] for name in ("stream", "symbol", "status", "epoch", "seq")} == {
        "stream": "symbol:NIFTY",
        "symbol": "NIFTY",
        "status": "subscribed",
        "epoch": quote["epoch"],
        "seq": quote["seq"],
    }
    snapshot = await client.next("symbol_update")
    assert snapshot.pop("kind") == "snapshot"
    assert snapshot == quote
    assert problems(SpotPriceSchema(), snapshot) == []
    names = [name for name, _ in client.order]
    assert names.index("subscription_status") < names.index("symbol_update")


@both_transports
@pytest.mark.gen_test
async def test_subscribe_symbol_takes_a_list(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": ["NIFTY", "M&M", "bajaj-auto", "NIFTY"]})
    told = [(await client.next("symbol_update"))["symbol"] for _ in range(3)]
    assert told == ["NIFTY", "M&M", "BAJAJ-AUTO"]
    await client.settle()
    assert client.waiting("symbol_update") == []


@both_transports
@pytest.mark.gen_test
async def test_unsubscribe_symbol_ends_the_updates(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": ["NIFTY", "SENSEX"]})
    await client.ask("unsubscribe_symbol", {"symbol": "NIFTY"})
    await client.settle()
    client.waiting("symbol_update")
    statuses = client.waiting("subscription_status")
    assert (statuses[-1]["stream"], statuses[-1]["status"]) == ("symbol:NIFTY", "unsubscribed")
    await sandbox.step()
    assert (await client.next("symbol_update"))["symbol"] == "SENSEX"
    await client.settle()
    assert client.waiting("symbol_update") == []


@both_transports
@pytest.mark.gen_test
async def test_subscribe_option_chain_sends_status_and_then_the_chain(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY"})
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    status = await client.next("subscription_status")
    assert status["stream"] == f"chain:NIFTY:{chain['expiry']}"
    assert (status["symbol"], status["status"]) == ("NIFTY", "subscribed")
    assert (status["epoch"], status["seq"]) == (chain["epoch"], chain["seq"])
    snapshot = await client.next("option_chain_data")
    assert snapshot == chain
    assert problems(ChainSchema(), snapshot) == []


@both_transports
@pytest.mark.gen_test
async def test_subscribe_option_chain_of_an_expiry_and_a_window(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-12-01", "strikes": 10})
    snapshot = await client.next("option_chain_data")
    path = "/api/option_chain?symbol=NIFTY&expiry=2026-12-01&strikes=10"
    assert snapshot == (await fetch(sandbox, path)).data
    assert len(snapshot["option_chain"]) == 21


@both_transports
@pytest.mark.gen_test
async def test_subscribe_option_chain_in_full_mode_sends_whole_chains(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "mode": "full"})
    await client.next("option_chain_data")
    await sandbox.step(2)
    update = await client.next("option_chain_update")
    assert problems(ChainSchema(), update) == []
    await client.settle()
    assert client.waiting("option_chain_delta") == []


@both_transports
@pytest.mark.parametrize("payload", [{"symbol": "NIFTY"}, {"symbol": "NIFTY", "expiry": "2026-12-01"}])
@pytest.mark.gen_test
async def test_unsubscribe_option_chain_ends_the_deltas(sandbox, connect, transport, payload):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-12-01"})
    await client.ask("unsubscribe_option_chain", payload)
    await sandbox.step()
    await client.settle()
    assert client.waiting("option_chain_delta") == []
    assert [status["status"] for status in client.waiting("subscription_status")] == [
        "subscribed",
        "unsubscribed",
    ]


@both_transports
@pytest.mark.gen_test
async def test_unsubscribe_option_chain_without_an_expiry_ends_all_of_the_symbol(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    for symbol, expiry in (("NIFTY", "2026-12-01"), ("NIFTY", "2026-12-08"), ("SENSEX", None)):
        wanted = {"symbol": symbol, "expiry": expiry} if expiry else {"symbol": symbol}
        await client.ask("subscribe_option_chain", {**wanted, "strikes": 5})
    await client.ask("unsubscribe_option_chain", {"symbol": "NIFTY"})
    left = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [row["stream"].split(":")[1] for row in left] == ["SENSEX"]


@both_transports
@pytest.mark.gen_test
async def test_subscribe_dashboard_sends_the_figures_and_then_their_stream(
    sandbox, connect, fetch, transport
):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY"})
    first = await client.next("dashboard_data")
    assert first == (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    assert problems(DashboardSchema(), first) == []
    await sandbox.step(3)
    assert (await client.next("dashboard_data"))["seq"] > first["seq"]


@both_transports
@pytest.mark.gen_test
async def test_unsubscribe_dashboard_ends_it(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY"})
    await client.ask("unsubscribe_dashboard", {"symbol": "NIFTY"})
    await client.settle()
    client.waiting("dashboard_data")
    await sandbox.step(4)
    await client.settle()
    assert client.waiting("dashboard_data") == []


@both_transports
@pytest.mark.gen_test
async def test_subscribe_candles_sends_the_forming_candle(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": "minute"})
    candle = await client.next("candle_update")
    assert problems(CandleUpdateSchema(), candle) == []
    assert (candle["symbol"], candle["interval"], candle["closed"]) == ("NIFTY", "1m", False)
    path = f"/api/historical-data/NIFTY?interval=1m&from={candle['date']}"
    (row,) = (await fetch(sandbox, path)).data["candles"]
    assert {name: candle[name] for name in row} == row
    await sandbox.step()
    quote = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    update = await client.next("candle_update")
    if update["closed"]:  # the step went into another minute
        update = await client.next("candle_update")
    assert (update["close"], update["seq"]) == (quote["spot_price"], quote["seq"])


@both_transports
@pytest.mark.gen_test
async def test_unsubscribe_candles_ends_them(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": "1m"})
    await client.ask("unsubscribe_candles", {"symbol": "NIFTY", "interval": "1m"})
    await client.settle()
    client.waiting("candle_update")
    await sandbox.step(2)
    await client.settle()
    assert client.waiting("candle_update") == []


@both_transports
@pytest.mark.gen_test
async def test_get_option_chain_answers_by_event_and_by_acknowledgement(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    wanted = {"symbol": "nifty", "expiry": "2026-12-01", "strikes": 3}
    answered = await client.ask("get_option_chain", wanted)
    served = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&expiry=2026-12-01&strikes=3")).data
    assert answered == served
    assert await client.next("option_chain_data") == served


@both_transports
@pytest.mark.gen_test
async def test_get_dashboard_data_answers_by_event_and_by_acknowledgement(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    answered = await client.ask("get_dashboard_data", {"symbol": "nifty"})
    served = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    assert answered == served
    assert await client.next("dashboard_data") == served


@both_transports
@pytest.mark.gen_test
async def test_asking_once_is_no_subscription(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.ask("get_option_chain", {"symbol": "NIFTY"})
    await client.ask("get_dashboard_data", {"symbol": "NIFTY"})
    assert (await client.ask("list_subscriptions"))["subscriptions"] == []


@both_transports
@pytest.mark.gen_test
async def test_get_market_status_answers_by_event_and_by_acknowledgement(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    await client.next("market_status")
    answered = await client.ask("get_market_status")
    assert answered == (await fetch(sandbox, "/api/market-status")).data
    assert await client.next("market_status") == answered
    assert problems(MarketStatusSchema(), answered) == []


@both_transports
@pytest.mark.gen_test
async def test_list_subscriptions_says_what_is_followed_and_where_it_stands(
    sandbox, connect, fetch, transport
):
    client = await connect(sandbox, transport)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-12-01", "strikes": 5})
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY", "expiry": "2026-12-01"})
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": "5m"})
    rows = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [row["stream"] for row in rows] == [
        "symbol:NIFTY",
        "chain:NIFTY:2026-12-01",
        "dashboard:NIFTY:2026-12-01",
        "candles:NIFTY:5m",
    ]
    chain = rows[1]
    assert (chain["mode"], chain["strikes"]) == ("delta", 5)
    quote = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert (rows[0]["epoch"], rows[0]["seq"]) == (quote["epoch"], quote["seq"])


@both_transports
@pytest.mark.gen_test
async def test_subscribing_again_changes_the_subscription_and_adds_none(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    for strikes in (5, 10):
        await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": strikes})
    rows = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [row["strikes"] for row in rows] == [10]


@both_transports
@pytest.mark.parametrize("sent", [None, {"at": 17}, "text", [1, 2], 0])
@pytest.mark.gen_test
async def test_ping_is_answered_by_pong_with_what_was_sent(sandbox, connect, transport, sent):
    client = await connect(sandbox, transport)
    answered = await client.ask("ping", sent)
    pong = await client.next("pong")
    assert pong == answered
    assert pong["sent"] == sent
    assert INSTANT.fullmatch(pong["server_time"])


@both_transports
@pytest.mark.gen_test
async def test_acknowledgement_is_the_envelope_of_rest_without_meta(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    answer = await client.call("get_market_status")
    assert answer.keys() == {"success", "message", "timestamp", "data"}
    assert answer["success"] is True
    assert INSTANT.fullmatch(answer["timestamp"])


@both_transports
@pytest.mark.gen_test
async def test_event_without_an_acknowledgement_is_served_too(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.socket.emit("subscribe_symbol", {"symbol": "NIFTY"})
    assert (await client.next("symbol_update"))["kind"] == "snapshot"


EVENT_ERRORS = [
    # event, payload, code, field of the details
    ("subscribe_symbol", {}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", None, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", {"symbol": []}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", {"symbol": 5}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", {"symbol": {"a": 1}}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", {"symbol": "NI FTY"}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_symbol", {"symbol": "NIFTY", "fast": True}, "VALIDATION_ERROR", "fast"),
    ("subscribe_symbol", "NIFTY", "VALIDATION_ERROR", "_schema"),
    ("subscribe_symbol", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("subscribe_symbol", {"symbol": ["NIFTY", "NIFTI"]}, "UNKNOWN_SYMBOL", "close_matches"),
    ("unsubscribe_symbol", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("subscribe_option_chain", {}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_option_chain", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "x"}, "VALIDATION_ERROR", "expiry"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-11-28"}, "UNKNOWN_EXPIRY", "listed"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "mode": "half"}, "VALIDATION_ERROR", "mode"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 7}, "VALIDATION_ERROR", "strikes"),
    ("subscribe_option_chain", {"symbol": "NIFTY", "strikes": "10"}, "VALIDATION_ERROR", "strikes"),
    ("unsubscribe_option_chain", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("subscribe_dashboard", {"symbol": "NIFTY", "expiry": "2026-11-28"}, "UNKNOWN_EXPIRY", "listed"),
    ("unsubscribe_dashboard", {}, "VALIDATION_ERROR", "symbol"),
    ("subscribe_candles", {"symbol": "NIFTY", "interval": "2m"}, "VALIDATION_ERROR", "interval"),
    ("unsubscribe_candles", {"symbol": "NIFTI", "interval": "1m"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("get_option_chain", {"symbol": "NIFTY", "strikes": 0}, "VALIDATION_ERROR", "strikes"),
    ("get_option_chain", {"symbol": "NIFTY", "expiry": "2026-11-28"}, "UNKNOWN_EXPIRY", "listed"),
    ("get_dashboard_data", {"symbol": "NIFTI"}, "UNKNOWN_SYMBOL", "close_matches"),
    ("get_market_status", {"exchange": "LSE"}, "VALIDATION_ERROR", "exchange"),
    ("list_subscriptions", {"all": True}, "VALIDATION_ERROR", "all"),
    ("subscribe_alert", {"symbol": "NIFTY"}, "VALIDATION_ERROR", "field"),
    ("unsubscribe_alert", {"alert_id": 7}, "VALIDATION_ERROR", "alert_id"),
    ("list_alerts", {"all": True}, "VALIDATION_ERROR", "all"),
    ("resume", {}, "VALIDATION_ERROR", "streams"),
    ("resume", {"streams": []}, "VALIDATION_ERROR", "streams"),
    (
        "resume",
        {"streams": [{"stream": "symbol:NIFTY", "epoch": "e"}]},
        "VALIDATION_ERROR",
        "streams.0.seq",
    ),
    (
        "resume",
        {"streams": [{"stream": "rumours", "epoch": "e", "seq": 1}]},
        "VALIDATION_ERROR",
        "stream",
    ),
    (
        "resume",
        {"streams": [{"stream": "symbol:NIFTI", "epoch": "e", "seq": 1}]},
        "UNKNOWN_SYMBOL",
        "close_matches",
    ),
    ("no_such_event", {}, "VALIDATION_ERROR", "known"),
    ("trigger_event", {}, "VALIDATION_ERROR", "known"),
    ("", {}, "VALIDATION_ERROR", "known"),
]


@pytest.mark.parametrize(("event", "payload", "code", "field"), EVENT_ERRORS)
@both_transports
@pytest.mark.gen_test
async def test_refused_event_is_told_by_error_and_by_acknowledgement(
    sandbox, connect, transport, event, payload, code, field
):
    client = await connect(sandbox, transport)
    answer = await client.call(event, payload)
    told = await client.next("error")
    assert told.keys() == {"code", "message", "details", "event"}
    assert (told["code"], told["event"]) == (code, event)
    assert field in told["details"]
    assert answer["success"] is False
    assert answer["message"] == told["message"]
    assert answer["error"] == {"code": code, "details": told["details"]}


def test_every_event_with_a_payload_has_an_error_above():
    covered = {event for event, *_ in EVENT_ERRORS}
    assert covered >= set(CLIENT) - {"ping"}


@both_transports
@pytest.mark.parametrize("event", ["connect", "disconnect"])
@pytest.mark.gen_test
async def test_event_named_like_the_protocols_own_ends_the_connection(
    make_sandbox, connect, fetch, transport, event
):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1})
    client = await connect(sandbox, transport)
    await client.socket.emit(event, {"REMOTE_ADDR": "203.0.113.1", "HTTP_ORIGIN": None})
    await client.disconnected.wait()
    assert (await fetch(sandbox, "/api/websocket/stats")).data["connections"]["now"] == 0
    again = await connect(sandbox, transport)
    assert (await again.next("connection_status"))["status"] == "connected"


@pytest.mark.gen_test
async def test_refused_event_of_a_list_subscribes_to_none_of_it(sandbox, connect):
    client = await connect(sandbox)
    await client.call("subscribe_symbol", {"symbol": ["NIFTY", "NIFTI"]})
    assert (await client.ask("list_subscriptions"))["subscriptions"] == []


@pytest.mark.gen_test
async def test_refused_event_names_the_value(sandbox, connect):
    client = await connect(sandbox)
    cases = [
        ({"symbol": "NIFTY", "strikes": 7}, "strikes", "7"),
        ({"symbol": "NIFTY", "strikes": "10"}, "strikes", "'10'"),
        ({"symbol": "NIFTY", "mode": "half"}, "mode", "half"),
        ({"symbol": "NIFTY", "expiry": 20261201}, "expiry", "20261201"),
    ]
    for payload, field, value in cases:
        answer = await client.call("subscribe_option_chain", payload)
        sentences = answer["error"]["details"][field]
        assert any(value in sentence for sentence in sentences), sentences


@both_transports
@pytest.mark.gen_test
async def test_client_that_was_refused_an_event_stays_connected(sandbox, connect, transport):
    client = await connect(sandbox, transport)
    await client.call("subscribe_symbol", {"symbol": "NIFTI"})
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    assert (await client.next("symbol_update"))["symbol"] == "NIFTY"


@pytest.mark.gen_test
async def test_event_before_any_data_is_told_that_the_feed_is_unavailable(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True, steps=0)
    client = await connect(sandbox)
    for event in ("subscribe_symbol", "subscribe_option_chain", "get_dashboard_data"):
        answer = await client.call(event, {"symbol": "NIFTY"})
        assert answer["error"]["code"] == "FEED_UNAVAILABLE", event


@pytest.mark.gen_test
async def test_one_subscription_too_many_is_refused(make_sandbox, connect):
    sandbox = await make_sandbox(limits={"max_subscriptions": 2})
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": ["NIFTY", "SENSEX"]})
    answer = await client.call("subscribe_symbol", {"symbol": "BANKNIFTY"})
    assert answer["error"] == {"code": "RATE_LIMITED", "details": {"max_subscriptions": 2}}
    assert (await client.next("error"))["event"] == "subscribe_symbol"
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})  # one that it has is none too many


@pytest.mark.gen_test
async def test_flood_of_events_is_refused_and_then_disconnected(make_sandbox, connect):
    sandbox = await make_sandbox(limits={"max_events_per_second": 1})
    client = await connect(sandbox)
    for _ in range(100):
        await client.socket.emit("ping", 1)
    told = await client.next("error")
    assert (told["code"], told["details"]) == ("RATE_LIMITED", {"max_events_per_second": 1})
    await client.disconnected.wait()
    assert len(client.waiting("pong")) < 20


@pytest.mark.gen_test
async def test_oversize_event_is_not_served(make_sandbox, connect):
    sandbox = await make_sandbox(limits={"max_message_bytes": 1024})
    client = await connect(sandbox)
    await client.socket.emit("ping", "x" * 1200)
    told = await client.next("error")
    assert told["code"] == "PAYLOAD_TOO_LARGE"
    assert client.waiting("pong") == []


@pytest.fixture
def broken(sandbox):
    """A server whose dashboards fail in a way nobody foresaw."""

    def fail(symbol):
        raise RuntimeError("secret of the inside")

    sandbox.server.services.views.iv_history = fail
    return sandbox


@both_transports
@pytest.mark.gen_test
async def test_unexpected_failure_tells_nothing_of_the_inside(broken, connect, caplog, transport):
    client = await connect(broken, transport)
    with caplog.at_level(logging.ERROR):
        answer = await client.call("get_dashboard_data", {"symbol": "NIFTY"})
    told = await client.next("error")
    assert answer["error"]["code"] == told["code"] == "INTERNAL_ERROR"
    assert "secret" not in str((answer, told))
    reference = told["details"]["request_id"]
    assert REQUEST_ID.fullmatch(reference)
    assert [record.exc_info[0] for record in caplog.records if reference in record.getMessage()] == [
        RuntimeError
    ]


@pytest.mark.gen_test
async def test_failed_view_is_not_served_as_a_success_the_next_time(broken, connect, fetch):
    client = await connect(broken)
    await client.call("get_dashboard_data", {"symbol": "NIFTY"})
    answer = await client.call("get_dashboard_data", {"symbol": "NIFTY"})
    assert answer["success"] is False
    assert (await fetch(broken, "/api/dashboard_data?symbol=NIFTY")).status == 500


@pytest.mark.gen_test
async def test_failed_view_stops_no_other_stream(broken, connect):
    follower = await connect(broken)
    await follower.call("subscribe_dashboard", {"symbol": "NIFTY"})
    await follower.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await broken.step(4)
    assert (await follower.next("symbol_update"))["kind"] == "snapshot"
    assert (await follower.next("symbol_update"))["kind"] == "delta"
