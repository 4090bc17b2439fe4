"""Totals, ratios, max pain and walls, with unknown legs left out and counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from analytics.open_interest import BuildUp, build_up, max_pain, put_call_ratio, support_resistance, totals
from tests.analytics import reference

interest = st.one_of(st.just(math.nan), st.integers(0, 400_000).map(float), st.just(37.5))


@st.composite
def chains(draw):
    size = draw(st.integers(1, 30))
    gaps = draw(st.lists(st.sampled_from([25.0, 50.0, 500.0]), min_size=size, max_size=size))
    legs = st.lists(interest, min_size=size, max_size=size)
    return 8_000.0 + np.cumsum(gaps), np.array(draw(legs)), np.array(draw(legs))


@settings(max_examples=150, deadline=None)
@given(chains())
def test_max_pain_equals_brute_force(chain):
    strikes, call, put = chain
    result = max_pain(strikes, call, put)
    expected = reference.pay_out(strikes, call, put)
    assert result.legs == np.count_nonzero(~np.isnan([call, put]))
    if result.legs == 0:
        assert math.isnan(result.strike)
        assert np.isnan(result.curve).all()
        return
    assert_allclose(result.curve, expected, rtol=1e-12, atol=1e-6)
    if np.nansum(call) + np.nansum(put) == 0.0:
        assert math.isnan(result.strike)
    else:
        assert result.strike == strikes[int(np.argmin(expected))]


def test_max_pain_takes_the_lowest_strike_on_ties():
    strikes = np.array([100.0, 110.0, 120.0, 130.0])
    result = max_pain(strikes, [0.0, 5.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0])
    assert result.curve[1] == result.curve[2]
    assert result.strike == 110.0


def test_totals_leave_the_unknown_out_and_count_the_known():
    result = totals([1.0, np.nan, 2.0], [np.nan, np.nan, np.nan])
    assert (result.call, result.call_legs, result.put_legs) == (3.0, 2, 0)
    assert math.isnan(result.put)


@pytest.mark.parametrize(
    ("put", "call", "ratio"),
    [(3.0, 4.0, 0.75), (0.0, 4.0, 0.0), (3.0, 0.0, np.nan), (np.nan, 4.0, np.nan), (3.0, np.nan, np.nan)],
)
def test_put_call_ratio_is_unknown_without_calls(put, call, ratio):
    assert_array_equal(put_call_ratio(put, call), ratio)


def test_put_call_ratio_broadcasts():
    assert_array_equal(put_call_ratio([[2.0], [4.0]], [1.0, 0.0]), [[2.0, np.nan], [4.0, np.nan]])


def test_walls_are_the_largest_positions_lower_strike_first():
    strikes = np.arange(100.0, 160.0, 10.0)
    walls = support_resistance(
        strikes, [1.0, 9.0, np.nan, 9.0, 4.0, 0.0], [np.nan, 0.0, np.nan, 3.0, 0.0, np.nan]
    )
    assert_array_equal(walls.resistance_strikes, [110.0, 130.0, 140.0])
    assert_array_equal(walls.resistance_open_interest, [9.0, 9.0, 4.0])
    assert_array_equal(walls.support_strikes, [130.0])
    assert_array_equal(walls.support_open_interest, [3.0])


def test_build_up_follows_the_signs_of_both_changes():
    price = np.array([[1.0], [-1.0], [0.0], [np.nan]])
    code = build_up(price, [5.0, -5.0, 0.0, np.nan])
    names = [[BuildUp(item).name for item in row] for row in code.tolist()]
    assert names == [
        ["long_build_up", "short_covering", "none", "none"],
        ["short_build_up", "long_unwinding", "none", "none"],
        ["none"] * 4,
        ["none"] * 4,
    ]


@given(chains(), st.randoms(use_true_random=False))
def test_max_pain_does_not_depend_on_the_order_of_strikes(chain, chance):
    strikes, call, put = chain
    order = list(range(len(strikes)))
    chance.shuffle(order)
    straight, mixed = max_pain(strikes, call, put), max_pain(strikes[order], call[order], put[order])
    assert_array_equal(mixed.strike, straight.strike)
    assert_array_equal(mixed.curve, straight.curve[order])


@pytest.mark.parametrize("unknown", [0.0, math.nan])
def test_a_chain_that_nobody_holds_has_no_max_pain(unknown):
    pain = max_pain([100.0, 110.0, 120.0], [0.0, unknown, 0.0], [0.0, 0.0, unknown])
    assert math.isnan(pain.strike)
    assert_array_equal(pain.curve, [0.0, 0.0, 0.0])


def test_max_pain_is_exact_where_strikes_are_large_and_interest_small():
    strikes = 1e9 + np.arange(5) * 0.05
    pain = max_pain(strikes, [1.0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0])
    assert_allclose(pain.curve, np.full(5, strikes[4] - strikes[0]), rtol=1e-9)


def test_sums_of_strikes_times_interest_are_exact():
    rng = np.random.default_rng(5)
    strikes = 79_950.0 + 100.0 * np.arange(41)
    call, put = rng.integers(0, 10**10, (2, 41)).astype(float)
    exact = [
        sum(
            max(0, int(settled - strike)) * int(calls) + max(0, int(strike - settled)) * int(puts)
            for strike, calls, puts in zip(strikes.tolist(), call.tolist(), put.tolist(), strict=True)
        )
        for settled in strikes.tolist()
    ]
    assert max(exact) < 2**53
    assert max_pain(strikes, call, put).curve.tolist() == [float(value) for value in exact]
