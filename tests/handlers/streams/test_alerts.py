"""Alerts: set, told once, set again by hysteresis, listed, removed, ended."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts import AlertField, AlertOp, Condition
from handlers.streams import alerts as alerts_module

FIGURES = st.lists(st.floats(-50, 50) | st.just(math.nan), max_size=60)


@given(FIGURES, st.sampled_from([AlertOp.ABOVE, AlertOp.BELOW]), st.floats(0, 5))
def test_alert_fires_once_for_each_time_it_came_back(figures: list[float], op: AlertOp, band: float) -> None:
    condition = Condition(op, 10.0, band)
    may_fire = True
    for figure in figures:
        over = figure - 10.0 if op == AlertOp.ABOVE else 10.0 - figure
        fired = condition.observe(figure)
        assert fired == (may_fire and over > 0)
        if fired:
            may_fire = False
        elif over <= -band:
            may_fire = True


@given(FIGURES, st.floats(0, 5))
def test_crossing_fires_only_from_a_side_that_was_clear(figures: list[float], band: float) -> None:
    condition = Condition(AlertOp.CROSSES, 10.0, band)
    side = 0
    for figure in figures:
        over = figure - 10.0
        fired = condition.observe(figure)
        assert fired == (side != 0 and over * side < 0)
        if fired:
            side = 0
        elif abs(over) > band:
            side = 1 if over > 0 else -1


def price_of(sandbox, symbol: str) -> float:
    return sandbox.server.market.quote(symbol).last_price


async def set_price(sandbox, symbol: str, price: float) -> None:
    """Have the market say another price, and publish it."""
    market, server = sandbox.server.market, sandbox.server
    market.underlyings["last_price"][market.universe.row_of[symbol]] = price
    now_ms = server.clock.now_ms()
    market.symbol_positions.input_ms[:] = market.symbol_positions.as_of_ms[:] = now_ms
    market.symbol_positions.stale[:] = False
    market.symbol_positions.seq += 1
    await server.namespace.alerts.publish(now_ms, _at_once)


async def _at_once() -> None:
    return None


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.gen_test
async def test_alert_is_told_once_with_the_figure_that_rest_shows(make_sandbox, connect, fetch, transport):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox, transport)
    spot = price_of(sandbox, "NIFTY")
    asked = {"symbol": "nifty", "field": "spot_price", "op": "above", "value": spot + 10}
    answer = await client.ask("subscribe_alert", asked)
    assert answer["value"] == spot
    assert (answer["symbol"], answer["threshold"], answer["op"]) == ("NIFTY", spot + 10, "above")
    assert (await client.ask("list_alerts"))["alerts"][0]["alert_id"] == answer["alert_id"]
    await set_price(sandbox, "NIFTY", spot + 10)  # not above yet
    await set_price(sandbox, "NIFTY", spot + 11)
    told = await client.next("alert")
    assert (told["alert_id"], told["value"], told["status"]) == (answer["alert_id"], spot + 11, "fired")
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).data["spot_price"] == told["value"]
    assert (await client.ask("list_alerts"))["alerts"] == []
    await set_price(sandbox, "NIFTY", spot)
    await set_price(sandbox, "NIFTY", spot + 20)
    await client.settle()
    assert client.waiting("alert") == []


@pytest.mark.gen_test
async def test_repeated_alert_fires_again_only_after_the_figure_was_back(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    spot = price_of(sandbox, "SENSEX")
    await client.ask(
        "subscribe_alert",
        {
            "symbol": "SENSEX",
            "field": "spot_price",
            "op": "below",
            "value": spot,
            "hysteresis": 50,
            "repeat": True,
        },
    )
    fired = []
    for price in (spot - 1, spot + 1, spot - 1, spot + 49, spot - 1, spot + 50, spot - 2):
        await set_price(sandbox, "SENSEX", price)
        await client.settle()
        fired.append(len(client.waiting("alert")))
    assert fired == [1, 0, 0, 0, 0, 0, 1]
    assert len((await client.ask("list_alerts"))["alerts"]) == 1


@pytest.mark.parametrize(
    ("field", "shown"), [("pcr_oi", "pcr_oi"), ("atm_iv", "atm_iv"), ("max_pain", "max_pain")]
)
@pytest.mark.gen_test
async def test_figure_of_an_expiry_is_that_of_the_dashboard(make_sandbox, connect, fetch, field, shown):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    value = (await fetch(sandbox, "/api/dashboard_data?symbol=BANKNIFTY")).data[shown]
    asked = {"symbol": "BANKNIFTY", "field": field, "op": "above", "value": value * 0.5}
    answer = await client.ask("subscribe_alert", asked)
    assert answer["value"] == value
    await sandbox.step()
    told = await client.next("alert")
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=BANKNIFTY")).data
    assert told["value"] == board[shown]
    assert told["expiry"] == board["expiry"]


@pytest.mark.gen_test
async def test_open_interest_of_a_strike_and_a_move_of_max_pain_are_watched(make_sandbox, connect, fetch):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=2")).data
    row = chain["option_chain"][0]
    for side in ("ce", "pe"):
        answer = await client.ask(
            "subscribe_alert",
            {
                "symbol": "NIFTY",
                "expiry": chain["expiry"],
                "strike": row["strike_price"],
                "field": f"{side}_oi_change",
                "op": "crosses",
                "value": 1e9,
            },
        )
        assert answer["value"] == row[f"{side}_oi_change"]
        assert answer["strike"] == row["strike_price"]
    answer = await client.ask(
        "subscribe_alert", {"symbol": "NIFTY", "field": "pe_oi_change", "op": "above", "value": 1e9}
    )
    assert answer["strike"] == chain["atm_strike"]
    moved = await client.ask(
        "subscribe_alert", {"symbol": "NIFTY", "field": "max_pain_move", "op": "above", "value": 0}
    )
    assert moved["value"] == 0


@pytest.mark.gen_test
async def test_stale_figure_fires_nothing(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    market, spot = sandbox.server.market, price_of(sandbox, "NIFTY")
    await client.ask(
        "subscribe_alert", {"symbol": "NIFTY", "field": "spot_price", "op": "above", "value": spot}
    )
    row = market.universe.row_of["NIFTY"]
    market.underlyings["last_price"][row] = spot + 5
    market.symbol_positions.stale[row] = True
    await sandbox.server.namespace.alerts.publish(0, _at_once)
    await client.settle()
    assert client.waiting("alert") == []
    await set_price(sandbox, "NIFTY", spot + 5)
    assert (await client.next("alert"))["value"] == spot + 5


@pytest.mark.gen_test
async def test_alerts_are_limited_as_streams_are_and_go_with_their_client(make_sandbox, connect):
    sandbox = await make_sandbox(limits={"max_subscriptions": 3})
    client = await connect(sandbox)
    asked = {"symbol": "NIFTY", "field": "spot_price", "op": "above", "value": 1e9}
    ids = [(await client.ask("subscribe_alert", asked))["alert_id"] for _ in range(3)]
    assert len(set(ids)) == 3
    refused = await client.call("subscribe_alert", asked)
    assert refused["error"]["code"] == "RATE_LIMITED"
    assert refused["error"]["details"] == {"max_subscriptions": 3}
    assert await client.ask("unsubscribe_alert", {"alert_id": ids[1]}) == {
        "alert_id": ids[1],
        "removed": True,
    }
    assert (await client.ask("unsubscribe_alert", {"alert_id": ids[1]}))["removed"] is False
    other = await connect(sandbox)
    assert (await other.ask("unsubscribe_alert", {"alert_id": ids[0]}))["removed"] is False
    alerts = sandbox.server.namespace.alerts
    assert len(alerts.of_client) == 1
    await client.socket.disconnect()
    while alerts.of_client or alerts.of_figure:  # noqa: ASYNC110 - the server hears of it in its own time
        await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_alert_of_a_contract_that_expires_says_so_and_one_of_the_nearest_goes_over(
    make_sandbox, connect
):
    sandbox = await make_sandbox(
        own_market=True, feed={"start": "2026-11-23T15:36:50+05:30", "speed": 122.0, "symbols": ["NIFTY"]}
    )
    client = await connect(sandbox)
    first = sandbox.server.market.universe.listing("NIFTY").expiry.day
    base = {"symbol": "NIFTY", "field": "atm_iv", "op": "above", "value": 1e6}
    named = await client.ask("subscribe_alert", {**base, "expiry": first.isoformat()})
    await client.ask("subscribe_alert", base)
    await sandbox.step(6)
    told = await client.next("alert")
    assert (told["alert_id"], told["status"], told["value"]) == (named["alert_id"], "ended", None)
    assert told["expiry"] == first.isoformat()
    left = (await client.ask("list_alerts"))["alerts"]
    assert [alert["expiry"] for alert in left] == [None]
    assert sandbox.server.market.universe.listing("NIFTY").expiry.day > first


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"field": "ce_oi_change", "op": "above", "value": 1, "strike": "22600"}, "strike"),
        ({"field": "spot_price", "op": "above", "value": 1, "expiry": "soon"}, "expiry"),
        ({"field": "spot_price", "op": "over", "value": 1}, "op"),
        ({"field": "spot_price", "op": "above", "value": "1"}, "value"),
        ({"field": "spot_price", "op": "above", "value": True}, "value"),
        ({"field": "spot_price", "op": "above", "value": 1e300}, "value"),
        ({"field": "spot_price", "op": "above", "value": 1, "hysteresis": -1}, "hysteresis"),
        ({"field": "spot_price", "op": "above"}, "value"),
    ],
)
@pytest.mark.gen_test
async def test_alert_that_makes_no_sense_is_refused_by_the_name_of_its_field(sandbox, connect, payload, name):
    client = await connect(sandbox)
    refused = await client.call("subscribe_alert", {"symbol": "NIFTY", **payload})
    assert refused["error"]["code"] == "VALIDATION_ERROR"
    assert name in refused["error"]["details"]
    assert (await client.ask("list_alerts"))["alerts"] == []


def test_every_figure_can_be_watched() -> None:
    assert {*alerts_module._READ, AlertField.SPOT_PRICE} == set(AlertField)
