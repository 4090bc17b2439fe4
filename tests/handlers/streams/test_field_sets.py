"""``fields``: a screen that shows some columns of a chain is sent those alone, over REST and sockets."""

from __future__ import annotations

import pytest

from handlers.streams.namespace import MOST_LISTS
from schemas.requests.leg_fields import FIELD_SETS, LEG_FIELDS
from tests.handlers.streams.client_state import ClientState

EXPIRY = "2026-12-01"
CHOICES = {
    "quotes": ["ltp", "change", "bid_price", "ask_price", "volume", "oi", "oi_change"],
    "greeks": ["ltp", "iv", "delta", "gamma", "theta", "vega"],
    "positioning": ["ltp", "change", "oi", "oi_change", "volume", "build_up"],
    "all": list(LEG_FIELDS),
    "iv,token": ["token", "iv"],
}


def columns_of(names):
    return {"strike_price", "is_atm", *(side + name for side in ("ce_", "pe_") for name in names)}


def asked(choice):
    return choice.split(",") if "," in choice else choice


@pytest.mark.parametrize(("choice", "names"), CHOICES.items())
@pytest.mark.gen_test
async def test_rest_answers_the_fields_that_were_asked_for(sandbox, fetch, choice, names):
    path = f"/api/option_chain?symbol=NIFTY&expiry={EXPIRY}&strikes=5"
    everything = (await fetch(sandbox, path)).data
    some = (await fetch(sandbox, f"{path}&fields={choice}")).data
    columns = columns_of(names)
    assert some.keys() == everything.keys()
    assert len(some["option_chain"]) == 11
    for row, whole in zip(some["option_chain"], everything["option_chain"], strict=True):
        assert row.keys() == columns
        assert row == {name: value for name, value in whole.items() if name in columns}


@pytest.mark.parametrize(("choice", "names"), CHOICES.items())
@pytest.mark.parametrize("mode", ["delta", "full"])
@pytest.mark.gen_test
async def test_stream_is_what_rest_answers_with_the_same_fields(sandbox, connect, fetch, choice, names, mode):
    client, state = await connect(sandbox), ClientState()
    payload = {"symbol": "NIFTY", "expiry": EXPIRY, "strikes": 10, "fields": asked(choice), "mode": mode}
    answer = await client.ask("subscribe_option_chain", payload)
    told = choice if choice in FIELD_SETS else names
    assert answer["fields"] == told
    listed = (await client.ask("list_subscriptions"))["subscriptions"]
    assert [item["fields"] for item in listed] == [told]
    path = f"/api/option_chain?symbol=NIFTY&expiry={EXPIRY}&strikes=10&fields={choice}"
    for _ in range(6):
        await sandbox.step()
        served = (await fetch(sandbox, path)).data
        if mode == "full":
            await client.settle()
            continue
        while state.values.get("seq") != served["seq"]:
            event, data = await client.next_of("option_chain_data", "option_chain_delta")
            state.take(event, data)
            for row in data.get("rows", ()):
                assert row.keys() <= columns_of(names)
        assert state.values == served
    if mode == "full":
        event, data = [item for item in client.order if item[0] == "option_chain_update"][-1]
        assert all(row.keys() == columns_of(names) for row in data["option_chain"])


@pytest.mark.gen_test
async def test_resumed_stream_goes_on_with_its_fields(sandbox, connect, fetch):
    state, choice = ClientState(), {"expiry": EXPIRY, "strikes": 5, "fields": "greeks"}
    first = await connect(sandbox)
    await first.ask("subscribe_option_chain", {"symbol": "NIFTY", **choice})
    state.take(*(await first.next_of("option_chain_data")))
    await first.socket.disconnect()
    await sandbox.step(3)
    second = await connect(sandbox)
    epoch, seq = state.position
    point = {"stream": f"chain:NIFTY:{EXPIRY}", "epoch": epoch, "seq": seq, "strikes": 5, "fields": "greeks"}
    answer = await second.ask("resume", {"streams": [point]})
    assert answer["streams"][0]["recovered"]
    state.take(*(await second.next_of("option_chain_delta")))
    path = f"/api/option_chain?symbol=NIFTY&expiry={EXPIRY}&strikes=5&fields=greeks"
    assert state.values == (await fetch(sandbox, path)).data


@pytest.mark.gen_test
async def test_once_asked_for_chain_has_the_fields(sandbox, connect):
    client = await connect(sandbox)
    answer = await client.ask("get_option_chain", {"symbol": "NIFTY", "strikes": 3, "fields": ["oi"]})
    assert all(row.keys() == columns_of(["oi"]) for row in answer["option_chain"])


@pytest.mark.parametrize(
    "fields",
    ["quote", "", [], ["ltp", "price"], ["quotes", "oi"], 5, {"a": 1}, [None], "ltp,oi", ["oi"] * 101],
)
@pytest.mark.gen_test
async def test_unknown_fields_are_refused_with_those_that_there_are(sandbox, connect, fields):
    client = await connect(sandbox)
    for event in ("subscribe_option_chain", "get_option_chain"):
        answer = await client.call(event, {"symbol": "NIFTY", "fields": fields})
        assert answer["error"]["code"] == "VALIDATION_ERROR"
        (said,) = answer["error"]["details"]["fields"]
        assert said.startswith("must be all, quotes, greeks, positioning, or a list of token, ltp, change")


@pytest.mark.parametrize("fields", ["quote", "", "ltp,,oi", "quotes,oi", "all,all"])
@pytest.mark.gen_test
async def test_unknown_fields_in_a_url_are_refused(sandbox, fetch, fields):
    answer = await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&fields={fields}")
    assert answer.status == 400
    assert "must be all, quotes" in answer.error["details"]["fields"][0]


@pytest.mark.gen_test
async def test_no_more_than_some_lists_of_a_chain_are_served_and_named_sets_always(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True)
    clients = [await connect(sandbox) for _ in range(MOST_LISTS + 1)]
    for client, name in zip(clients, LEG_FIELDS, strict=False):
        answer = await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "fields": [name]})
        expected = "all" if client is clients[-1] else [name]
        assert answer["fields"] == expected
    late = await connect(sandbox)
    for fields, told in (("greeks", "greeks"), ([LEG_FIELDS[0]], [LEG_FIELDS[0]]), (["rho", "vega"], "all")):
        answer = await late.ask("subscribe_option_chain", {"symbol": "NIFTY", "fields": fields})
        assert answer["fields"] == told
    other = await late.ask("subscribe_option_chain", {"symbol": "BANKNIFTY", "fields": ["rho"]})
    assert other["fields"] == ["rho"]
    # who goes makes room; who holds a list and is served all of the fields begins afresh
    data = (await late.ask("list_subscriptions"))["subscriptions"][0]
    point = {"stream": data["stream"], "epoch": data["epoch"], "seq": data["seq"], "fields": ["rho", "vega"]}
    assert not (await late.ask("resume", {"streams": [point]}))["streams"][0]["recovered"]
    await clients[0].ask("unsubscribe_option_chain", {"symbol": "NIFTY"})
    answer = await late.ask("subscribe_option_chain", {"symbol": "NIFTY", "fields": ["rho", "vega"]})
    assert answer["fields"] == ["vega", "rho"]
