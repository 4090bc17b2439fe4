"""Faults on purpose: told truly by streams, health and metrics; they end by themselves or are taken back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.market import MOCK_FAULTS, ONE_TIME_FAULTS, FaultKind
from feed.market.faults import Faults, NoSuchPart

PATH = "/api/simulation/faults"
JSON = {"Content-Type": "application/json"}
CONTROL = {"feed": {"control": True}}


def post(fetch: Any, sandbox: Any, kind: str, **more: Any) -> Any:
    body = json.dumps({"kind": kind, **more})
    return fetch(sandbox, PATH, method="POST", headers=JSON, body=body)


def delete(fetch: Any, sandbox: Any, query: str = "") -> Any:
    return fetch(sandbox, PATH + query, method="DELETE")


async def begin(fetch: Any, sandbox: Any, kind: str, **more: Any) -> dict[str, Any]:
    answer = await post(fetch, sandbox, kind, **more)
    assert answer.status == 200, answer.raw
    return answer.data["faults"][0]


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", sorted(set(FaultKind) - MOCK_FAULTS - ONE_TIME_FAULTS))
async def test_metrics_tell_what_is_in_force(kind, make_sandbox, fetch):
    sandbox = await make_sandbox(**CONTROL)
    of_chain = {"symbol": "NIFTY"} if kind == "stale_chain" else {}
    told = []
    for change in (
        None,
        lambda: begin(fetch, sandbox, kind, seconds=60, **of_chain),
        lambda: delete(fetch, sandbox),
    ):
        if change is not None:
            await change()
        text = (await fetch(sandbox, "/metrics")).raw.decode()
        told.append(f'market_fault{{kind="{kind}"}} 1.0' in text)
    assert told == [False, True, False]


@given(
    st.lists(st.tuples(st.sampled_from(list(FaultKind)), st.floats(0.1, 100)), max_size=12),
    st.integers(0, 120),
)
def test_faults_end_by_the_clock_and_what_happens_once_is_never_in_force(begun, after_s):
    now_ms = 1_796_000_000_000
    faults = Faults(lambda: now_ms)
    faults.offered = set(FaultKind)
    ends = {}
    for kind, seconds in begun:
        fault = faults.begin(kind, seconds)
        assert (fault.until_ms == now_ms) == (kind in ONE_TIME_FAULTS)
        if kind not in ONE_TIME_FAULTS:
            ends[kind] = fault.until_ms
    now_ms += 1000 * after_s
    assert {fault.kind for fault in faults.in_force()} == {
        kind for kind, until in ends.items() if until > now_ms
    }
    assert all((faults.on(kind) is not None) == (until > now_ms) for kind, until in ends.items())
    assert faults.end() == []


def test_fault_of_a_part_that_is_not_there_is_refused():
    with pytest.raises(NoSuchPart, match="There is nothing here that rate_limited could befall"):
        Faults(lambda: 0).begin(FaultKind.RATE_LIMITED, 1)


@pytest.mark.gen_test
async def test_what_is_in_force_is_listed_until_it_ends_or_is_taken_back(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, **CONTROL)
    fault = await begin(fetch, sandbox, "stall_feed", seconds=2)
    assert fault["until"] > fault["since"]
    told = (await fetch(sandbox, PATH)).data
    assert told["faults"] == [fault]
    assert set(told["kinds"]) == {str(kind) for kind in set(FaultKind) - MOCK_FAULTS}
    await sandbox.step(5)
    assert (await fetch(sandbox, PATH)).data["faults"] == []
    await begin(fetch, sandbox, "stall_feed")
    await begin(fetch, sandbox, "history_down")
    left = (await delete(fetch, sandbox, "?kind=stall_feed")).data["faults"]
    assert [item["kind"] for item in left] == ["history_down"]
    assert (await fetch(sandbox, PATH + "?kind=latency")).data["faults"] == []
    assert (await delete(fetch, sandbox)).data["faults"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "boredom"}, 422),
        ({}, 422),
        ({"kind": "stall_feed", "seconds": 0}, 422),
        ({"kind": "stall_feed", "symbol": "NIFTY"}, 422),
        ({"kind": "stale_chain"}, 422),
        ({"kind": "latency", "latency_ms": 10**9}, 422),
        ({"kind": "stale_chain", "symbol": "NOPE"}, 404),
        ({"kind": "stale_chain", "symbol": "NIFTY", "expiry": "2020-01-01"}, 404),
        ({"kind": "token_rejected"}, 404),
    ],
)
@pytest.mark.gen_test
async def test_fault_that_makes_no_sense_is_refused(make_sandbox, fetch, body, status):
    sandbox = await make_sandbox(**CONTROL)
    answer = await fetch(sandbox, PATH, method="POST", headers=JSON, body=json.dumps(body))
    assert answer.status in (status, 400 if status == 422 else status)
    assert answer.error["code"] in ("VALIDATION_ERROR", "NOT_FOUND", "UNKNOWN_SYMBOL", "UNKNOWN_EXPIRY")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.gen_test
async def test_nobody_brings_one_about_where_control_is_off(make_sandbox, fetch, method):
    sandbox = await make_sandbox()
    body = json.dumps({"kind": "feed_down"}) if method == "POST" else None
    answer = await fetch(sandbox, PATH, method=method, headers=JSON, body=body)
    assert answer.error["code"] == "NOT_FOUND"
    assert (await fetch(sandbox, PATH)).data["faults"] == []
    assert sandbox.server.services.faults.in_force() == []


@pytest.mark.parametrize(
    ("kind", "word"), [("stall_feed", "Nothing arrived"), ("feed_down", "DeliberateFault")]
)
@pytest.mark.gen_test
async def test_feed_that_stalls_or_is_down_is_told_and_comes_back(
    make_sandbox, fetch, connect, caplog, kind, word
):
    sandbox = await make_sandbox(own_market=True, feed={"control": True, "stale_after_s": 1.0})
    client = await connect(sandbox)
    await begin(fetch, sandbox, kind, seconds=10)
    await sandbox.step(6)
    told = await client.next("feed_status")
    while told["state"] != "stalled":
        told = await client.next("feed_status")
    assert word in told["reason"]
    assert (await fetch(sandbox, "/health")).data["parts"]["feed"]["status"] == "degraded"
    assert 'market_feed_state{state="stalled"} 1.0' in (await fetch(sandbox, "/metrics")).raw.decode()
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).data["stale"]
    await delete(fetch, sandbox)
    await sandbox.step(80)
    while told["state"] != "live":
        told = await client.next("feed_status")
    assert not (await fetch(sandbox, "/api/spot_price/NIFTY")).data["stale"]
    assert "Traceback" not in caplog.text


@pytest.mark.gen_test
async def test_stale_chain_is_stale_alone_and_its_spot_goes_on(make_sandbox, fetch, connect):
    sandbox = await make_sandbox(own_market=True, feed={"control": True, "stale_after_s": 1.0})
    client = await connect(sandbox)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    chain = await client.next("option_chain_data")
    fault = await begin(fetch, sandbox, "stale_chain", symbol="NIFTY", seconds=60)
    assert (fault["symbol"], fault["expiry"]) == ("NIFTY", chain["expiry"])
    await sandbox.step(6)
    assert (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data["stale"]
    assert not (await fetch(sandbox, "/api/option_chain?symbol=BANKNIFTY")).data["stale"]
    assert not (await fetch(sandbox, "/api/spot_price/NIFTY")).data["stale"]
    while not (await client.next("option_chain_delta")).get("stale"):
        pass
    await delete(fetch, sandbox)
    await sandbox.step(2)
    assert not (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data["stale"]


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.gen_test
async def test_gap_in_the_numbers_is_one_that_resume_mends(make_sandbox, fetch, connect, streams):
    sandbox = await make_sandbox(own_market=True, **CONTROL)
    client = await connect(sandbox)
    for symbol in ("NIFTY", "BANKNIFTY", "SENSEX")[:streams]:
        await client.ask("subscribe_option_chain", {"symbol": symbol, "strikes": 5})
    first = await client.next("option_chain_data")
    await sandbox.step()
    before = await client.next("option_chain_delta")
    await begin(fetch, sandbox, "sequence_gap")
    await sandbox.step()
    await sandbox.step()
    after = await client.next("option_chain_delta")
    while after["symbol"] != before["symbol"] or after["seq"] <= before["seq"]:
        after = await client.next("option_chain_delta")
    assert after["prev_seq"] == before["seq"] + 1
    stream = f"chain:{before['symbol']}:{first['expiry']}"
    asked = {"streams": [{"stream": stream, "epoch": before["epoch"], "seq": before["seq"]}]}
    answer = await client.ask("resume", asked)
    assert answer["streams"][0]["recovered"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.gen_test
async def test_sockets_are_dropped_without_a_word(make_sandbox, fetch, connect, transport):
    sandbox = await make_sandbox(own_market=True, **CONTROL)
    client = await connect(sandbox, transport)
    await begin(fetch, sandbox, "drop_sockets")
    while sandbox.server.namespace.broadcaster.clients:  # noqa: ASYNC110 - the server's own affair
        await asyncio.sleep(0.01)
    assert (await fetch(sandbox, PATH)).data["faults"] == []
    del client


@pytest.mark.gen_test
async def test_late_answers_are_late_but_for_whoever_ends_it(make_sandbox, fetch, monkeypatch):
    sandbox = await make_sandbox(own_market=True, **CONTROL)
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await begin(fetch, sandbox, "latency", latency_ms=800)
    monkeypatch.setattr("handlers.rest.base.asyncio.sleep", sleep)
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).status == 200
    assert (await fetch(sandbox, "/nowhere")).status == 404
    assert [wait for wait in waits if wait] == [0.8]
    await delete(fetch, sandbox)
    assert [wait for wait in waits if wait] == [0.8]


@pytest.mark.gen_test
async def test_history_that_is_down_refuses_and_live_data_goes_on(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, **CONTROL)
    await begin(fetch, sandbox, "history_down", seconds=60)
    path = "/api/historical-data/NIFTY?interval=1m&from=2026-10-01&to=2026-10-02"
    refused = await fetch(sandbox, path)
    assert (refused.status, refused.error["code"]) == (503, "FEED_UNAVAILABLE")
    assert (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).status == 200
    await delete(fetch, sandbox)
    assert (await fetch(sandbox, path)).status == 200
