"""Positions of several legs: known shapes, limits against a dense grid, odds against a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics import black76
from analytics.strategy import (
    Leg,
    limits,
    probability_of_profit,
    profit_at_expiry,
    profit_before_expiry,
)

legs_of_a_position = st.lists(
    st.builds(
        Leg,
        strike=st.integers(80, 120).map(float),
        is_call=st.booleans(),
        side=st.sampled_from(["buy", "sell"]),
        quantity=st.integers(1, 5).map(float),
        price=st.integers(0, 400).map(lambda ticks: ticks * 0.05),
    ),
    min_size=1,
    max_size=5,
)


def test_long_call_spread():
    legs = [Leg(100.0, True, "buy", 50.0, 5.0), Leg(110.0, True, "sell", 50.0, 2.0)]
    result = limits(legs)
    assert_allclose(result.break_evens, [103.0])
    assert (result.maximum_profit, result.maximum_loss, result.net_premium) == (350.0, 150.0, 150.0)
    assert_allclose(profit_at_expiry(legs, [90.0, 105.0, 200.0]), [-150.0, 100.0, 350.0])


def test_short_straddle_is_open_upwards():
    legs = [Leg(100.0, True, "sell", 1.0, 6.0), Leg(100.0, False, "sell", 1.0, 5.0)]
    result = limits(legs)
    assert_allclose(result.break_evens, [89.0, 111.0])
    assert (result.maximum_profit, result.maximum_loss, result.net_premium) == (11.0, math.inf, -11.0)


def test_long_put_gains_no_more_than_its_strike():
    result = limits([Leg(100.0, False, "buy", 1.0, 4.0)])
    assert_allclose(result.break_evens, [96.0])
    assert (result.maximum_profit, result.maximum_loss) == (96.0, 4.0)


def test_iron_condor_breaks_even_twice():
    legs = [
        Leg(90.0, False, "buy", 1.0, 0.5),
        Leg(95.0, False, "sell", 1.0, 1.5),
        Leg(105.0, True, "sell", 1.0, 1.5),
        Leg(110.0, True, "buy", 1.0, 0.5),
    ]
    result = limits(legs)
    assert_allclose(result.break_evens, [93.0, 107.0])
    assert_allclose([result.maximum_profit, result.maximum_loss], [2.0, 3.0])


def test_riskless_profit_has_no_break_even_and_no_loss():
    result = limits([Leg(100.0, True, "buy", 1.0, 1.0), Leg(100.0, True, "sell", 1.0, 2.0)])
    assert result.break_evens.size == 0
    assert (result.maximum_profit, result.maximum_loss) == (1.0, 0.0)


@settings(max_examples=150, deadline=None)
@given(legs_of_a_position)
def test_limits_hold_on_a_dense_grid(legs):
    result = limits(legs)
    grid = np.linspace(0.0, 400.0, 8001)
    profit = profit_at_expiry(legs, grid)
    assert profit.max() <= result.maximum_profit + 1e-9
    assert profit.min() >= -result.maximum_loss - 1e-9
    if math.isfinite(result.maximum_profit):
        assert profit.max() == pytest.approx(result.maximum_profit, abs=1e-9)
    assert_allclose(profit_at_expiry(legs, result.break_evens), 0.0, atol=1e-9)
    changes = np.flatnonzero(profit[:-1] * profit[1:] < -1e-12)
    for left in changes:
        assert ((result.break_evens >= grid[left]) & (result.break_evens <= grid[left + 1])).any()


@settings(max_examples=40, deadline=None)
@given(legs_of_a_position)
def test_profit_now_becomes_profit_at_expiry(legs):
    forwards = np.array([[85.0, 99.5], [100.0, 117.0]])
    assert_allclose(
        profit_before_expiry(legs, forwards, 0.0, 0.2), profit_at_expiry(legs, forwards), atol=1e-9
    )


def test_profit_now_uses_the_volatility_of_each_leg():
    legs = [Leg(100.0, True, "buy", 2.0, 5.0), Leg(95.0, False, "sell", 1.0, 1.0)]
    now = profit_before_expiry(legs, [98.0, 102.0], 0.2, [0.2, 0.3], 0.98)
    call = black76.price([98.0, 102.0], 100.0, 0.2, 0.2, True, 0.98)
    put = black76.price([98.0, 102.0], 95.0, 0.2, 0.3, False, 0.98)
    assert_allclose(now, 2.0 * (call - 5.0) - (put - 1.0))


@settings(max_examples=25, deadline=None)
@given(legs_of_a_position)
def test_probability_of_profit_equals_a_simulation(legs):
    v = 0.25 * math.sqrt(0.2)
    uniform = (np.arange(20_000) + 0.5) / 20_000
    normal = np.sqrt(2.0) * _inverse_error_function(2.0 * uniform - 1.0)
    ends = 100.0 * np.exp(v * normal - 0.5 * v * v)
    expected = float(np.mean(profit_at_expiry(legs, ends) > 1e-9))
    assert probability_of_profit(legs, 100.0, 0.2, 0.25) == pytest.approx(expected, abs=5e-4)


def _inverse_error_function(values):
    from scipy.special import erfinv

    return erfinv(values)


def test_probability_of_profit_takes_the_smile_at_each_break_even():
    legs = [Leg(100.0, True, "sell", 1.0, 6.0), Leg(100.0, False, "sell", 1.0, 5.0)]
    flat = probability_of_profit(legs, 100.0, 0.2, 0.2)
    assert probability_of_profit(legs, 100.0, 0.2, [0.2, 0.2]) == pytest.approx(flat)
    assert probability_of_profit(legs, 100.0, 0.2, [0.3, 0.2]) < flat
    assert math.isnan(probability_of_profit(legs, 100.0, 0.2, math.nan))
