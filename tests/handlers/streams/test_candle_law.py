"""The candle law, end to end: candles are what a Socket.IO client was sent."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.instants import MINUTE_MS, to_datetime, to_ms
from schemas.wire import timestamp
from tests.feed.history.support import reference

START = "2026-11-23T09:57:59.5+05:30"  # so that the last instant of each minute is sent
STEPS = 34  # of a quarter of a minute: into the fourth candle of five minutes
STEPS_OF_TWO_MINUTES = 300  # of half a second, as fast as the market moves
OPEN_MS = to_ms(datetime.fromisoformat("2026-11-23T09:15+05:30"))
INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15}


def at_ms(text):
    return to_ms(datetime.fromisoformat(text))


def bars_of(ticks, minutes):
    """What the ticks make, without the candle that had begun before the first of them."""

    def label(time_ms):
        return time_ms - (time_ms - OPEN_MS) % (minutes * MINUTE_MS)

    made = reference(ticks, label)
    return [
        {
            "date": timestamp(bar.time_ms),
            **{name: round(getattr(bar, name), 2) for name in ("open", "high", "low", "close")},
            "volume": round(bar.volume),
        }
        for bar in made
        if bar.time_ms > ticks[0][0]
    ]


def without_oi(candles):
    return [{name: value for name, value in row.items() if name not in ("oi", "closed")} for row in candles]


async def follow(sandbox, client, events, subscription, read, steps=STEPS):
    """Subscribe, let the market run, and read each state that was sent."""
    await client.ask(*subscription)
    for _ in range(steps):
        await sandbox.step()
        await client.settle()  # so that no two states come as one
    return [read(name, payload) for name, payload in client.order if name in events]


@pytest.fixture
def running(io_loop, make_sandbox):
    feed = {"start": START, "speed": 30.0}
    return io_loop.run_sync(lambda: make_sandbox(own_market=True, feed=feed))


@pytest.fixture
def unhurried(io_loop, make_sandbox):
    """A market of which every state is sent."""
    feed, limits = {"start": "2026-11-23T09:59:30+05:30", "speed": 1.0}, {"max_events_per_second": 1000}
    return io_loop.run_sync(lambda: make_sandbox(own_market=True, feed=feed, limits=limits))


def assert_holds_what_was_sent(candles, made):
    """Of a market whose states are not all sent: closes and volumes are those sent, ranges no narrower."""
    for candle, sent in zip(candles, made, strict=True):
        assert {name: candle[name] for name in ("date", "close", "volume")} == {
            name: sent[name] for name in ("date", "close", "volume")
        }
        assert candle["low"] <= sent["low"] <= sent["high"] <= candle["high"]
        assert candle["low"] <= candle["open"] <= candle["high"]


async def candles_from(sandbox, fetch, symbol, interval, since_ms, more=""):
    since = to_datetime(since_ms).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = f"/api/historical-data/{symbol}?interval={interval}&from={since}&per_page=1000{more}"
    return (await fetch(sandbox, path)).data["candles"]


@pytest.mark.gen_test
async def test_candles_are_what_clients_were_sent(running, connect, fetch):
    """Those of two spots and of the contracts at the money, out of one run."""
    client, quotes, rows = await connect(running), {"NIFTY": {}, "CRUDEOIL": {}}, {}
    money = (await fetch(running, "/api/option_chain?symbol=NIFTY&strikes=1")).data
    strike, expiry = money["atm_strike"], money["expiry"]
    await client.ask("subscribe_symbol", {"symbol": [*quotes]})

    def read(name, payload):
        if name == "symbol_update":
            quote = quotes[payload["symbol"]]
            quote.update(payload)
            return payload["symbol"], (at_ms(quote["as_of"]), quote["spot_price"], quote["volume"])
        for row in payload.get("option_chain", payload.get("rows", [])):
            rows.setdefault(row["strike_price"], {}).update(row)
        return "chain", (at_ms(payload["as_of"]), dict(rows[strike]))

    events = ("symbol_update", "option_chain_data", "option_chain_delta")
    subscription = ("subscribe_option_chain", {"symbol": "NIFTY", "expiry": expiry})
    states = await follow(running, client, events, subscription, read)
    for symbol in quotes:
        await _assert_held(running, fetch, symbol, [state for of, state in states if of == symbol])
    legs = [state for of, state in states if of == "chain"]
    for side in ("ce", "pe"):
        ticks = [(time_ms, leg[f"{side}_ltp"], leg[f"{side}_volume"]) for time_ms, leg in legs]
        contract = f"&expiry={expiry}&strike={strike:g}&option_type={side.upper()}"
        for candle, minutes in await _assert_held(running, fetch, "NIFTY", ticks, contract):
            end_ms = at_ms(candle["date"]) + minutes * MINUTE_MS
            assert candle["oi"] == [leg[f"{side}_oi"] for at, leg in legs if at < end_ms][-1]


async def _assert_held(sandbox, fetch, symbol, ticks, contract=""):
    """Compare candles of every interval with what was sent; return them with their minutes."""
    assert len(ticks) > STEPS * 0.9
    seen = []
    for interval, minutes in INTERVALS.items():
        made = bars_of(ticks, minutes)
        assert made, interval
        candles = await candles_from(sandbox, fetch, symbol, interval, at_ms(made[0]["date"]), contract)
        assert_holds_what_was_sent(candles, made)
        seen += [(candle, minutes) for candle in candles]
    return seen


@pytest.mark.gen_test
async def test_candles_are_exactly_what_one_who_saw_every_state_was_sent(unhurried, connect, fetch):
    client, quote = await connect(unhurried), {}

    def read(_, payload):
        quote.update(payload)
        return at_ms(quote["as_of"]), quote["spot_price"], quote["volume"]

    subscription = ("subscribe_symbol", {"symbol": "NIFTY"})
    ticks = await follow(unhurried, client, {"symbol_update"}, subscription, read, STEPS_OF_TWO_MINUTES)
    assert len(ticks) > STEPS_OF_TWO_MINUTES * 0.9
    made = bars_of(ticks, 1)
    assert len(made) == 3  # the last of them has begun
    assert without_oi(await candles_from(unhurried, fetch, "NIFTY", "1m", at_ms(made[0]["date"]))) == made


@pytest.mark.parametrize(("larger", "smaller"), [("15m", "5m"), ("1h", "15m"), ("1d", "30m")])
@pytest.mark.gen_test
async def test_larger_candles_are_the_smaller_ones_taken_together(running, fetch, larger, smaller):
    await running.step(7)
    begin_ms = at_ms("2026-11-20T15:40+05:30")  # of the trading day, which runs round the clock here
    wide, narrow = [await candles_from(running, fetch, "NIFTY", name, begin_ms) for name in (larger, smaller)]
    if larger == "1d":
        assert len(wide) == 1
        groups = [narrow]
    else:
        ends = [row["date"] for row in wide[1:]] + ["9999"]
        groups = [
            [row for row in narrow if row_begins <= row["date"] < end]
            for row_begins, end in zip([row["date"] for row in wide], ends, strict=True)
        ]
    for row, parts in zip(wide, groups, strict=True):
        assert row["open"] == parts[0]["open"]
        assert row["close"] == parts[-1]["close"]
        assert row["high"] == max(part["high"] for part in parts)
        assert row["low"] == min(part["low"] for part in parts)
        assert row["volume"] == sum(part["volume"] for part in parts)
