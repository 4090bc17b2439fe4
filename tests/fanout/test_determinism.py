"""Seed and start make the market: the same bytes on every run, whoever else looks on."""

from __future__ import annotations

import pytest

STEPS = 25
ROUTES = (
    "/api/spot_price/NIFTY",
    "/api/option_chain?symbol=NIFTY",
    "/api/option_chain?symbol=M%26M&strikes=5",
    "/api/dashboard_data?symbol=BANKNIFTY",
    "/api/market-status",
    "/api/ohlc_data/SENSEX",
    "/api/historical-data/NIFTY?interval=1m&per_page=20",
    "/api/historical-data/GOLD?interval=1d&per_page=20",
)
FEED = {"start": "2026-11-23T09:14:50+05:30", "seed": 3}


async def watched(sandbox, raw, fetch, busy):
    """What a client is sent and what REST answers, beside others if ``busy``."""
    client = await raw.connect(sandbox.url)
    if busy:
        for _ in range(3):
            other = await raw.connect(sandbox.url)
            await other.call("subscribe_dashboard", {"symbol": "RELIANCE"})
            await other.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    await client.call("subscribe_symbol", {"symbol": ["NIFTY", "CRUDEOIL"]})
    await client.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 20})
    await client.call("subscribe_candles", {"symbol": "NIFTY", "interval": "1m"})
    client.events.clear()
    for step in range(STEPS):
        await sandbox.step()
        if busy and step % 4 == 0:
            await fetch(sandbox, "/api/option_chain?symbol=TCS")
            await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")
        await client.call("ping")
    events = [event for event in client.events if event[0] not in ("ack", "pong")]
    headers = {"X-Request-ID": "the-same"}
    return events, [(await fetch(sandbox, route, headers=headers)).raw for route in ROUTES]


@pytest.mark.gen_test
async def test_two_runs_are_the_same_whoever_else_looks_on(make_sandbox, raw, fetch):
    quiet = await watched(await make_sandbox(own_market=True, feed=FEED), raw, fetch, busy=False)
    busy = await watched(await make_sandbox(own_market=True, feed=FEED), raw, fetch, busy=True)
    assert len(quiet[0]) > STEPS
    assert quiet[0] == busy[0]
    assert quiet[1] == busy[1]


@pytest.mark.gen_test
async def test_another_seed_is_another_market(make_sandbox, fetch):
    one = await make_sandbox(own_market=True, feed=FEED)
    other = await make_sandbox(own_market=True, feed={**FEED, "seed": 4})
    path = "/api/option_chain?symbol=NIFTY"
    assert (await fetch(one, path)).data["option_chain"] != (await fetch(other, path)).data["option_chain"]
