"""Quotes and trades of single contracts, and where liquidity lies."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.market.statistics import LiveMarket
from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.contracts.quotes import quote
from feed.simulation.contracts.trades import trade
from tests.processes import FEW_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=FEW_SYMBOLS)

fairs = arrays(np.float64, (2, 7), elements=st.floats(0.0, 3_000.0))
halves = arrays(np.float64, (2, 7), elements=st.floats(0.0, 200.0))
nobody = np.zeros((2, 7), dtype=bool)


@given(fairs, halves, st.sampled_from([1.0, 2.0, 10.0, 20.0, 100.0]))
def test_quotes_hold_the_fair_price_between_them(fair, half, per_rupee) -> None:
    bid, ask = np.empty_like(fair), np.empty_like(fair)
    quote(fair, half, np.full(7, per_rupee), nobody, bid, ask)
    tick = 1 / per_rupee
    assert (ask >= tick - 1e-12).all()
    assert (ask >= fair - 1e-6 * tick).all()
    quoted = ~np.isnan(bid)
    assert (bid[quoted] <= fair[quoted] + 1e-6 * tick).all()
    assert (bid[quoted] >= tick - 1e-12).all()
    assert (bid[quoted] < ask[quoted]).all()
    for side in (bid[quoted], ask):
        np.testing.assert_allclose(np.rint(side * per_rupee), side * per_rupee, atol=1e-6)
    # nobody bids for what is worth less than half a spread and a tick
    assert (fair[~quoted] - half[~quoted] < tick).all()


@given(fairs)
def test_mids_of_two_sided_quotes_are_fair_to_half_a_tick(fair) -> None:
    bid, ask = np.empty_like(fair), np.empty_like(fair)
    quote(fair, np.full_like(fair, 0.4), np.full(7, 20.0), nobody, bid, ask)
    known = ~np.isnan(bid)
    assert (np.abs((bid + ask) / 2 - fair)[known] <= 0.025 + 1e-6).all()


def test_a_book_without_bid_is_one_sided() -> None:
    bid, ask = np.empty((2, 1)), np.empty((2, 1))
    quote(
        np.full((2, 1), 50.0), np.full((2, 1), 0.1), np.array([20.0]), np.array([[True], [False]]), bid, ask
    )
    assert np.isnan(bid[0, 0])
    assert bid[1, 0] == 49.9
    assert (ask == 50.1).all()


def table(count: int) -> dict[str, np.ndarray]:
    """Contracts that have not traded today."""
    fields = {name: np.full((2, count), np.nan) for name in ("last_price", "open", "high", "low")}
    fields |= {"bid": np.full((2, count), 9.9), "ask": np.full((2, count), 10.1)}
    return fields | {"volume": np.zeros((2, count)), "open_interest": np.full((2, count), 50.0)}


@given(st.integers(0, 2**32), st.floats(0, 40), st.floats(-1, 1))
def test_each_lot_changes_open_interest_by_at_most_one(seed: int, lots: float, share: float) -> None:
    fields = table(40)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        before = {name: values.copy() for name, values in fields.items()}
        traded = trade(rng, fields, np.full((2, 40), lots), np.full((2, 40), share))
        assert np.array_equal(traded, np.rint(traded))
        assert np.array_equal(fields["volume"] - before["volume"], traded)
        assert (np.abs(fields["open_interest"] - before["open_interest"]) <= traded).all()
        assert (fields["open_interest"] >= 0).all()
        untouched = traded == 0
        for name in ("last_price", "open", "high", "low"):
            np.testing.assert_array_equal(fields[name][untouched], before[name][untouched])
        prints = fields["last_price"][traded > 0]
        assert np.isin(prints, (9.9, 10.1)).all()


def test_expected_lots_are_traded_on_average_however_small() -> None:
    rng = np.random.default_rng(3)
    for expected in (0.02, 0.7, 12.0):
        fields = table(5_000)
        for _ in range(20):
            trade(rng, fields, np.full((2, 5_000), expected), np.zeros((2, 5_000)))
        mean = fields["volume"].mean() / 20
        assert mean == pytest.approx(expected, rel=0.03)


def test_trades_print_at_bid_and_ask_alike_and_make_the_range() -> None:
    fields = table(2_000)
    trade(np.random.default_rng(4), fields, np.full((2, 2_000), 50.0), np.zeros((2, 2_000)))
    at_ask = (fields["last_price"] == 10.1).mean()
    assert at_ask == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(fields["open"], fields["last_price"])
    np.testing.assert_array_equal(fields["high"], fields["last_price"])


def test_nothing_trades_without_an_ask_and_no_sale_without_a_bid() -> None:
    fields = table(500)
    fields["ask"][0] = np.nan
    fields["bid"][:] = np.nan
    trade(np.random.default_rng(5), fields, np.full((2, 500), 50.0), np.zeros((2, 500)))
    assert (fields["volume"][0] == 0).all()
    assert (fields["last_price"][1] == 10.1).any()
    assert not (fields["last_price"][1] == 9.9).any()


@pytest.fixture(scope="module")
def noon() -> LiveMarket:
    return LiveMarket.at(CALENDAR, CATALOGUE, datetime.datetime(2026, 11, 25, 12, tzinfo=IST), seed=2)


def test_a_new_nearest_expiry_gathers_open_interest(noon: LiveMarket) -> None:
    after = LiveMarket.at(CALENDAR, CATALOGUE, datetime.datetime(2026, 11, 23, 15, 39, tzinfo=IST), seed=2)
    after.step(60_000, 2)
    listing = after.market.universe.listing("NIFTY")
    before = after.market.legs(listing)["open_interest"].sum()
    after.step(600_000, 6 * 44)
    grown = after.market.legs(after.market.universe.listing("NIFTY", listing.expiry.day))
    assert grown["open_interest"].sum() > 1.4 * before


def test_liquid_chains_trade_more_and_are_narrower(noon: LiveMarket) -> None:
    universe, market = noon.market.universe, noon.market

    def centre(symbol: str, rank: int) -> tuple[float, float]:
        listing = universe.chains(symbol)[rank]
        legs = market.legs(listing)
        near = np.abs(noon.moneyness(listing)) < 2.0
        mid = (legs["bid"] + legs["ask"])[:, near] / 2
        spread = (legs["ask"] - legs["bid"])[:, near]
        return float(np.nanmedian(spread / mid)), float(legs["volume"].sum())

    for symbol in ("NIFTY", "BANKNIFTY", "RELIANCE", "CRUDEOIL"):
        spreads, volumes = zip(*(centre(symbol, rank) for rank in range(2)), strict=True)
        assert spreads[0] < spreads[1]
        assert volumes[0] > 5 * volumes[1]
    assert centre("NIFTY", 0)[1] > centre("FINNIFTY", 0)[1] > centre("NIFTYNXT50", 0)[1]


def test_far_wings_are_one_sided_and_cheap(noon: LiveMarket) -> None:
    listing = noon.market.universe.chains("NIFTY")[2]
    legs, moneyness = noon.market.legs(listing), noon.moneyness(listing)
    out = np.stack((moneyness, -moneyness))
    assert np.isnan(legs["bid"][out > 8]).mean() > 0.15
    assert not np.isnan(legs["bid"][np.abs(out) < 2]).any()
    assert not np.isnan(legs["ask"]).any()
    assert (legs["ask_quantity"] % listing.expiry.lot_size == 0).all()
