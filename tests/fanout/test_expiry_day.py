"""A whole expiry day at speed, through the server: a client that follows it never misses a delta."""

from __future__ import annotations

import pytest

from tests.fanout.states import ChainState, QuoteState

EXPIRY = "2026-11-23"  # a Monday: the 24th is a holiday
STEPS = (7 * 60 + 8) // 8  # of eight minutes each, from 08:44 to 15:52


@pytest.mark.gen_test
async def test_client_follows_an_expiry_day_from_pre_open_to_the_next_contract(make_sandbox, raw, fetch):
    sandbox = await make_sandbox(
        own_market=True,
        feed={"start": f"{EXPIRY}T08:44+05:30", "hours": "exchange", "speed": 960, "scenario": "expiry_day"},
        history={"backfill_days": 0, "backfill_sessions": 0},
    )
    client = await raw.connect(sandbox.url)
    status = next(payload for name, payload in client.events if name == "market_status")
    await client.call("subscribe_symbol", {"symbol": "NIFTY"})
    answer = await client.call("subscribe_option_chain", {"symbol": "NIFTY", "expiry": EXPIRY, "strikes": 10})
    assert answer["data"]["stream"] == f"chain:NIFTY:{EXPIRY}"
    quote, chain, phases, ended = QuoteState(), ChainState(), [_phase(status, "NFO")], []
    for _ in range(STEPS):
        await sandbox.step()
        await client.call("ping")
        for name, payload in client.events:
            if name == "symbol_update":
                assert quote.apply(name, payload), (quote.position, payload)
            elif name.startswith("option_chain"):
                assert chain.apply(name, payload), (chain.position, payload)
            elif name == "market_status":
                phases.append(_phase(payload, "NFO"))
            elif name == "subscription_status" and payload["status"] == "expired":
                ended.append(payload)
        client.events.clear()
        if not ended:
            await _same_as_rest(fetch, sandbox, chain)
    assert _in_order(phases, ["closed", "pre_open", "open", "closed"])
    assert [item["stream"] for item in ended] == [f"chain:NIFTY:{EXPIRY}"]
    _check_settlement(chain.state)
    successor = ended[0]["successor"]
    listed = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    assert successor == f"chain:NIFTY:{listed[0]}"
    assert EXPIRY not in listed
    expired = await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&expiry={EXPIRY}")
    assert expired.error["code"] == "UNKNOWN_EXPIRY"
    again = await client.call("subscribe_option_chain", {"symbol": "NIFTY", "expiry": listed[0]})
    assert again["success"]


def _phase(status, exchange):
    return next(row["phase"] for row in status["exchanges"] if row["exchange"] == exchange)


def _in_order(phases, expected):
    """Whether the phases, repeats left out, go through ``expected``."""
    told = [phase for i, phase in enumerate(phases) if i == 0 or phase != phases[i - 1]]
    return told[-len(expected) :] == expected


async def _same_as_rest(fetch, sandbox, chain):
    rest = await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&expiry={EXPIRY}&strikes=10")
    if rest.status == 200 and (rest.data["epoch"], rest.data["seq"]) == chain.position:
        assert chain.state == rest.data


def _check_settlement(state):
    """The last state that was published has every contract at its intrinsic value."""
    spot = state["spot_price"]
    for row in state["option_chain"]:
        assert row["ce_ltp"] == pytest.approx(max(0.0, spot - row["strike_price"]), abs=0.051)
        assert row["pe_ltp"] == pytest.approx(max(0.0, row["strike_price"] - spot), abs=0.051)
