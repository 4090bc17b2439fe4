"""One part of the process raises: it is counted, told and logged once, and everybody else goes on.

The parts are those of ``feed.market.guard.PARTS``; docs/failures.md has a row for each.
"""

from __future__ import annotations

import asyncio
import math
import re

import pytest

from feed.market import guard as guard_module
from feed.market.guard import PARTS
from feed.valuation.minute_metrics import MinuteMetrics
from handlers.monitoring.health import Health
from handlers.monitoring.loop_lag import LoopLag
from handlers.streams import views
from handlers.streams.alerts import Alerts, Figure
from handlers.streams.notifications import Notifier
from handlers.streams.state import ChainStream
from tests.processes import ROOT

MINUTES = {"speed": 122.0}  # a step is 61 seconds: each closes a minute
EXPIRY = {"start": "2026-11-23T15:36:50+05:30", **MINUTES}


class Deliberate(Exception):
    """The fault of a test; its text must reach nobody."""


def raises(*_args, **_kwargs):
    raise Deliberate("a secret of the inside")


async def raises_later(*_args, **_kwargs):
    raise Deliberate("a secret of the inside")


def break_step(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox.server.ticker, "judge", raises)


def break_market(sandbox, monkeypatch):
    whole = sandbox.server.market.publish
    calls = []

    def once(now_ms):
        calls.append(now_ms)
        if len(calls) == 1:
            raises()
        return whole(now_ms)

    monkeypatch.setattr(sandbox.server.market, "publish", once)


def break_recorder(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox.server.history, "record", raises)


def break_minute_metrics(sandbox, monkeypatch):
    universe, whole = sandbox.server.market.universe, MinuteMetrics.__call__

    def call(metrics, minute):
        # other servers of this process close their minutes too
        return raises() if minute.universe is universe else whole(metrics, minute)

    monkeypatch.setattr(MinuteMetrics, "__call__", call)


def break_past_volatility(sandbox, monkeypatch):
    monkeypatch.setattr(type(sandbox.server.volatilities), "follow", raises_later)


def break_valuation(_sandbox, monkeypatch):
    monkeypatch.setattr(views.Views, "prepare", raises)


def break_streams(_sandbox, monkeypatch):
    whole = ChainStream.whole, ChainStream.delta

    def whole_or_not(stream, *arguments):
        return raises() if stream.symbol == "BANKNIFTY" else whole[0](stream, *arguments)

    def delta_or_not(stream, *arguments):
        return raises() if stream.symbol == "BANKNIFTY" else whole[1](stream, *arguments)

    monkeypatch.setattr(ChainStream, "whole", whole_or_not)
    monkeypatch.setattr(ChainStream, "delta", delta_or_not)


def break_expiries(_sandbox, monkeypatch):
    whole = Notifier.end

    async def end(notifier, room, successor):
        if room.stream.symbol == "BANKNIFTY":
            raises()
        await whole(notifier, room, successor)

    monkeypatch.setattr(Notifier, "end", end)


def break_closed_candles(_sandbox, monkeypatch):
    monkeypatch.setattr(Notifier, "tell_closed", raises_later)


def break_alerts(_sandbox, monkeypatch):
    monkeypatch.setattr(views.Views, "value_dashboards", raises)
    # an alert is only looked at where there is one
    monkeypatch.setattr(Alerts, "by_valuation", lambda _alerts: [Figure("NIFTY", None, None, "pcr_oi")])


def break_market_status(_sandbox, monkeypatch):
    monkeypatch.setattr(Notifier, "tell_phases", raises_later)


def break_feed_status(_sandbox, monkeypatch):
    monkeypatch.setattr(Notifier, "tell_feed_state", raises_later)


def break_observers(sandbox, _monkeypatch):
    sandbox.server.ticker.publish.__self__.observers.append(raises)


def break_relay(sandbox, _monkeypatch):
    sandbox.server.ticker.on_state = raises


BREAKS = {
    "relay": (break_relay, MINUTES),
    "observers": (break_observers, MINUTES),
    "step": (break_step, MINUTES),
    "market": (break_market, MINUTES),
    "recorder": (break_recorder, MINUTES),
    "minute_metrics": (break_minute_metrics, MINUTES),
    "past_volatility": (break_past_volatility, MINUTES),
    "valuation": (break_valuation, MINUTES),
    "streams": (break_streams, MINUTES),
    "expiries": (break_expiries, EXPIRY),
    "closed_candles": (break_closed_candles, MINUTES),
    "alerts": (break_alerts, MINUTES),
    "market_status": (break_market_status, MINUTES),
    "feed_status": (break_feed_status, MINUTES),
}
OF_THE_LOOP = {"clients", "timers", "loop_lag", "health", "watchdog"}


def test_every_part_is_broken_by_a_test_and_has_a_row_in_the_document():
    assert BREAKS.keys() | OF_THE_LOOP == PARTS.keys()
    document = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE)) == PARTS.keys()
    for name in re.findall(r"`(tests/[\w/.]+)`", document):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("part", BREAKS)
@pytest.mark.gen_test
async def test_part_that_raises_is_counted_and_told_and_the_others_go_on(
    make_sandbox, connect, fetch, monkeypatch, caplog, part
):
    action, feed = BREAKS[part]
    sandbox = await make_sandbox(own_market=True, feed=feed)
    client = await connect(sandbox)
    await client.ask("subscribe_option_chain", {"symbol": "BANKNIFTY", "strikes": 5})
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY"})
    await sandbox.step()
    await client.settle()
    client.order.clear()
    monkeypatch.setattr(guard_module, "RECENT_S", math.inf)  # a busy machine may take long over what follows
    action(sandbox, monkeypatch)
    await sandbox.step(5)
    await sandbox.server.history.flush()
    await client.settle()
    guard = sandbox.server.services.guard
    assert guard.failures[part] >= 1
    # a room that could not be ended has a stream without contracts
    also = {"streams"} if part == "expiries" else set()
    assert {name for name, count in guard.failures.items() if count} == {part} | also
    told = [(name, payload) for name, payload in client.order]
    quotes = [payload for name, payload in told if name == "symbol_update"]
    assert len(quotes) >= 4  # all steps; of a market that failed once all but that one
    assert [name for name, _ in told if name == "dashboard_data"]
    lines = [
        record
        for record in caplog.records
        if f"{part} " in record.getMessage() and "failed" in record.getMessage()
    ]
    assert len(lines) == 1  # however often it failed
    figures = (await fetch(sandbox, "/metrics")).raw.decode()
    assert re.search(rf'^market_part_failures_total{{part="{part}"}} [1-9]', figures, re.MULTILINE)
    health = (await fetch(sandbox, "/health")).data["parts"][PARTS[part]]
    assert health["status"] != "ok"
    assert "a secret" not in str(told) + str(health)


@pytest.mark.gen_test
async def test_stream_that_fails_is_told_to_its_subscribers_and_works_again(
    make_sandbox, connect, monkeypatch
):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    await client.ask("subscribe_option_chain", {"symbol": "BANKNIFTY", "strikes": 5})
    await sandbox.step()
    await client.settle()
    client.order.clear()
    with monkeypatch.context() as broken:
        break_streams(sandbox, broken)
        await sandbox.step(2)
        await client.settle()
    kinds = [
        (name, payload.get("status") or payload.get("code"))
        for name, payload in client.order
        if name != "pong"
    ]
    assert kinds == [("error", "INTERNAL_ERROR"), ("subscription_status", "failed")]
    await sandbox.step(8)
    await client.settle()
    later = [(name, payload.get("status")) for name, payload in client.order if name != "pong"][2:4]
    assert later == [("subscription_status", "recovered"), ("option_chain_data", None)]


@pytest.mark.gen_test
async def test_client_that_cannot_be_written_to_is_dropped_alone(make_sandbox, connect, monkeypatch):
    sandbox = await make_sandbox(own_market=True)
    bad, good = await connect(sandbox), await connect(sandbox)
    for client in (bad, good):
        await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step()
    broadcaster = sandbox.server.namespace.broadcaster
    victim = next(iter(broadcaster.clients.values()))
    monkeypatch.setattr(type(victim), "send", lambda self, packet: raises() if self is victim else None)
    await sandbox.server.services.notify_feed()
    assert sandbox.server.services.guard.failures["clients"] == 1
    monkeypatch.undo()
    await good.settle()
    assert victim.sid not in broadcaster.clients
    await sandbox.step(2)
    await good.settle()
    assert [name for name, _ in good.order].count("symbol_update") >= 3


@pytest.mark.gen_test
async def test_timers_and_looks_that_raise_are_counted_and_come_again(make_sandbox, monkeypatch):
    sandbox = await make_sandbox(own_market=True)
    services = sandbox.server.services
    wheel = sandbox.server.namespace.server.eio.wheel
    fired = []
    wheel.later(0.0, raises)
    wheel.later(0.0, lambda: fired.append(True))
    lag = LoopLag(services.guard)
    monkeypatch.setattr(lag, "late_ms", None)  # measuring then raises
    monkeypatch.setattr(Health, "report", raises)
    health_callback, lag_callback = services.health.callback.callback, lag.callback.callback
    health_callback()
    lag_callback()
    lag_callback()
    services.guard.wraps("watchdog", lambda: services.health.may_live)()
    for _ in range(200):
        if fired:
            break
        await asyncio.sleep(0.02)  # a turn of the wheel
    assert fired
    assert {name for name in OF_THE_LOOP if services.guard.failures[name]} == OF_THE_LOOP - {"clients"}


@pytest.mark.gen_test
async def test_internal_errors_are_counted_by_kind(make_sandbox, connect, fetch, monkeypatch):
    sandbox = await make_sandbox(own_market=True)
    client = await connect(sandbox)
    monkeypatch.setattr(sandbox.server.services.views, "symbol", raises)
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).error["code"] == "INTERNAL_ERROR"
    assert (await client.call("subscribe_symbol", {"symbol": "NIFTY"}))["error"]["code"] == "INTERNAL_ERROR"
    figures = (await fetch(sandbox, "/metrics")).raw.decode()
    assert 'market_internal_errors_total{kind="Deliberate"} 2.0' in figures
