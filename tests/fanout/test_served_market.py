"""What is served is free of arbitrage: parity and bounds on the quotes that REST tells."""

import itertools
import math
from datetime import datetime

import pytest

from tests.conftest import Sandbox

SYMBOLS = ("NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE", "M%26M", "CRUDEOIL", "GOLD")


def tick_of(symbol, symbols):
    return next(row["tick_size"] for row in symbols if row["symbol"] == symbol)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.gen_test
async def test_served_quotes_hold_parity_bounds_and_order(sandbox: Sandbox, fetch, symbol):
    symbols = (await fetch(sandbox, "/api/symbols")).data["symbols"]
    tick = tick_of(symbol.replace("%26", "&"), symbols)
    await sandbox.step(5)
    for expiry in (await fetch(sandbox, f"/api/expiries/{symbol}")).data["expiry_dates"][:3]:
        chain = (await fetch(sandbox, f"/api/option_chain?symbol={symbol}&expiry={expiry}")).data
        check_chain(chain, tick)


def check_chain(chain, tick):
    years = years_left(chain)
    discount = math.exp(-chain["interest_rate"] * years)
    forward = chain["forward"]
    calls, puts = [], []
    for row in chain["option_chain"]:
        strike = row["strike_price"]
        carried = discount * (forward - strike)
        for side in ("ce_", "pe_"):
            bid, ask = row[side + "bid_price"], row[side + "ask_price"]
            assert ask is None or ask >= tick
            assert bid is None or ask is None or bid < ask
        if None not in (row["ce_bid_price"], row["ce_ask_price"], row["pe_bid_price"], row["pe_ask_price"]):
            # nobody can buy one side and sell the other for a sure gain, beyond what rounding hides
            assert row["ce_bid_price"] - row["pe_ask_price"] <= carried + 2 * tick
            assert row["ce_ask_price"] - row["pe_bid_price"] >= carried - 2 * tick
        if row["ce_bid_price"] is not None:
            calls.append((strike, row["ce_bid_price"], row["ce_ask_price"]))
            assert row["ce_bid_price"] <= discount * forward + tick
        if row["pe_bid_price"] is not None:
            puts.append((strike, row["pe_bid_price"], row["pe_ask_price"]))
            assert row["pe_bid_price"] <= discount * strike + tick
    assert len(calls) > 5
    assert len(puts) > 5
    for (_, _, low_ask), (_, high_bid, _) in itertools.pairwise(calls):
        assert high_bid <= low_ask + tick  # a call struck higher is never worth more
    for (_, low_bid, _), (_, _, high_ask) in itertools.pairwise(puts):
        assert low_bid <= high_ask + tick  # a put struck lower is never worth more


def years_left(chain):
    instant = datetime.fromisoformat(chain["expires_at"]) - datetime.fromisoformat(chain["as_of"])
    return instant.total_seconds() / (365 * 86400)
