"""Each symbol and each chain is stale by its own inputs: a ticking spot hides no dead chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.market.market import Market
from feed.market.source import StaleLimits, Update
from feed.market.universe import Universe
from tests.fanout.test_model import make_market

STALE_MS = 15_000
START_MS = 1_796_000_000_000


def a_market(count: int = 3) -> Market:
    """A market of one underlying with several expiries, all told once."""
    one = make_market().universe
    listing = one.listings[0]
    chains = [
        (
            listing.symbol,
            replace(listing.expiry, day=listing.expiry.day + timedelta(days=7 * week)),
            listing.strikes,
            listing.tokens + 1000 * week,
        )
        for week in range(count)
    ]
    universe = Universe(one.underlyings, chains)
    market = Market(universe, source="kite", epoch="e", interest_rate=0.06, stale_after_s=STALE_MS / 1000)
    tell(market, START_MS, spot=100.0)
    for place in range(count):
        tell(market, START_MS, chain=place, price=5.0)
    market.publish(START_MS)
    return market


def tell(
    market: Market, at_ms: int, *, spot: float | None = None, chain: int | None = None, price: float = 1.0
) -> None:
    """An input of the spot, or of the first contract of a chain."""
    contracts, rows = {}, None
    if chain is not None:
        contracts = {"last_price": np.array([price])}
        rows = np.array([market.universe.listings[chain].rows.start])
    spots = {} if spot is None else {"last_price": np.array([spot])}
    market.apply(Update(at_ms, spots, contracts, contract_rows=rows))


def stale_chains(market: Market) -> list[bool]:
    return [market.chain_provenance(listing).stale for listing in market.universe.listings]


def test_ticking_spot_does_not_hide_a_dead_chain_nor_a_chain_a_dead_spot() -> None:
    market = a_market()
    now_ms = START_MS + STALE_MS + 1000
    tell(market, now_ms, spot=101.0)
    tell(market, now_ms, chain=1, price=6.0)
    market.publish(now_ms)
    assert stale_chains(market) == [True, False, True]
    assert not market.quote("ACME").provenance.stale
    later_ms = now_ms + STALE_MS + 1
    tell(market, later_ms, chain=0, price=7.0)
    market.publish(later_ms)
    assert stale_chains(market) == [False, True, True]
    assert market.quote("ACME").provenance.stale


def test_turning_stale_and_fresh_again_are_told_once_each() -> None:
    market = a_market()
    listing = market.universe.listings[0]
    seq = market.chain_seq(listing)
    for after_s in (16, 17, 18):
        market.publish(START_MS + 1000 * after_s)
    assert market.chain_seq(listing) == seq + 1
    tell(market, START_MS + 19_000, chain=0, price=5.0)  # what it was: nothing but its age is new
    market.publish(START_MS + 19_000)
    assert market.chain_seq(listing) == seq + 2
    assert not market.chain_provenance(listing).stale


def test_chain_that_is_polled_rarely_does_not_flap() -> None:
    market = a_market()
    limits = StaleLimits(np.zeros(1), np.array([60_000.0, 0.0, 0.0]))
    market.apply(Update(START_MS, {"last_price": np.array([100.0])}, limits=limits))
    seen = set()
    for poll in range(1, 6):
        for second in range(24):
            now_ms = START_MS + 24_000 * (poll - 1) + 1000 * second
            market.publish(now_ms)
            seen.add(stale_chains(market)[0])
        tell(market, START_MS + 24_000 * poll, chain=0, price=float(poll))
    assert seen == {False}
    assert stale_chains(market)[1]
    market.publish(START_MS + 24_000 * 5 + 60_001)
    assert stale_chains(market)[0]


def test_quiet_chain_that_is_heard_of_is_not_stale_and_keeps_its_as_of() -> None:
    market = a_market()
    now_ms = START_MS + 40_000
    market.apply(
        Update(now_ms, {"last_price": np.array([100.5])}, heard_ms=np.array([now_ms, now_ms, START_MS]))
    )
    market.publish(now_ms)
    assert stale_chains(market) == [False, False, True]


def test_rows_have_times_of_their_own() -> None:
    market = a_market()
    listings = market.universe.listings
    rows = np.array([listings[0].rows.start, listings[1].rows.start, listings[1].rows.start + 1])
    times_ms = np.array([START_MS + 100, START_MS + 300, START_MS + 200])
    market.apply(
        Update(
            START_MS + 300,
            {},
            {"last_price": np.array([9.0, 9.0, 9.0])},
            contract_rows=rows,
            contract_times_ms=times_ms,
        )
    )
    market.publish(START_MS + 300)
    assert [market.chain_provenance(item).as_of_ms - START_MS for item in listings] == [100, 300, 0]
    market.publish(START_MS + STALE_MS + 200)
    assert stale_chains(market) == [True, False, True]


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 3)), max_size=30))
def test_staleness_is_the_age_of_the_own_newest_input_whatever_the_order(
    inputs: list[tuple[int, int]],
) -> None:
    market = a_market()
    newest = [0, 0, 0, 0]
    for price, (after_ms, what) in enumerate(inputs, start=10):
        newest[what] = max(newest[what], after_ms)
        if what == 3:
            tell(market, START_MS + after_ms, spot=float(price))
        else:
            tell(market, START_MS + after_ms, chain=what, price=float(price))
    now_ms = START_MS + 40_000
    market.publish(now_ms)
    expected = [40_000 - after_ms > STALE_MS for after_ms in newest]
    assert [*stale_chains(market), market.quote("ACME").provenance.stale] == expected


@pytest.mark.parametrize("set_back", [True, False])
def test_nothing_is_stale_right_after_a_clock_was_set_back(set_back: bool) -> None:
    market = a_market()
    now_ms = START_MS - 3_600_000
    if set_back:
        market.set_back(now_ms)
    else:
        market.restart("f")
    market.publish(now_ms)
    assert not any(stale_chains(market))
