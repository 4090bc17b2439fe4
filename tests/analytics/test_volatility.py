"""Readings of a smile: at the money, skew, expected move, probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.special import ndtr

from analytics import black76
from analytics.volatility import (
    atm_volatility,
    delta_skew,
    expected_move,
    out_of_the_money,
    probability_beyond,
)
from bench.smiles import ssvi_smile

STRIKES = np.arange(22_000.0, 26_050.0, 50.0)
FORWARD, TIME = 24_030.0, 20 / 365
SMILE = ssvi_smile(np.log(STRIKES / FORWARD), 0.12, TIME, -0.3, 1.0)


def test_at_the_money_is_read_at_the_forward_between_strikes():
    result = atm_volatility(STRIKES, SMILE, FORWARD)
    assert result.strikes_used == 2
    assert result.volatility == pytest.approx(0.12, abs=5e-5)


def test_at_the_money_on_a_strike_is_that_strike_and_gaps_are_bridged():
    assert atm_volatility([90.0, 100.0, 110.0], [0.3, 0.2, 0.1], 100.0).volatility == 0.2
    assert atm_volatility([90.0, 100.0, 110.0], [0.2, np.nan, 0.2], 100.0).volatility == pytest.approx(0.2)


@pytest.mark.parametrize("forward", [89.0, 111.0, math.nan])
def test_at_the_money_outside_the_strikes_is_unknown(forward):
    result = atm_volatility([90.0, 110.0], [0.2, 0.2], forward)
    assert math.isnan(result.volatility)
    assert result.strikes_used == 0


def test_skew_is_read_where_the_deltas_are_a_quarter():
    result = delta_skew(STRIKES, SMILE, FORWARD, TIME)
    strikes = []
    for sign, sigma in ((1.0, result.call), (-1.0, result.put)):
        v = sigma * math.sqrt(TIME)
        strike = FORWARD * math.exp(sign * 0.6744897501960817 * v + 0.5 * v * v)
        strikes.append(strike)
        expected = ssvi_smile(np.log(strike / FORWARD), 0.12, TIME, -0.3, 1.0)
        assert sigma == pytest.approx(float(expected), abs=2e-5)
    assert strikes[1] < FORWARD < strikes[0]
    assert result.skew == result.put - result.call == -result.risk_reversal > 0.0
    assert result.butterfly == pytest.approx(0.5 * (result.put + result.call) - 0.12, abs=5e-5)
    assert result.strikes_used == STRIKES.size


def test_skew_beyond_the_strikes_is_unknown_and_never_zero():
    near = np.abs(STRIKES - FORWARD) < 100.0
    result = delta_skew(STRIKES[near], SMILE[near], FORWARD, TIME)
    assert np.isnan([result.put, result.call, result.skew, result.butterfly]).all()
    assert math.isnan(delta_skew([], [], FORWARD, TIME).skew)
    assert math.isnan(delta_skew(STRIKES, SMILE, FORWARD, 0.0).skew)


def test_out_of_the_money_legs_are_preferred_and_replaced_only_near_the_forward():
    result = out_of_the_money(
        [80.0, 99.0, 101.0, 120.0], [0.1, 0.2, np.nan, np.nan], [np.nan, np.nan, 0.7, 0.8], 100.0
    )
    assert_array_equal(result, [np.nan, 0.2, 0.7, np.nan])


def test_expected_move_is_the_straddle_at_the_forward():
    result = expected_move(FORWARD, 0.12, TIME, 0.99)
    both = black76.price(FORWARD, FORWARD, TIME, 0.12, [True, False], 0.99)
    assert result.straddle == pytest.approx(both.sum(), rel=1e-14)
    assert result.mean_move == pytest.approx(result.straddle / 0.99)
    assert result.deviation == pytest.approx(FORWARD * 0.12 * math.sqrt(TIME))
    assert result.mean_move / result.deviation == pytest.approx(math.sqrt(2 / math.pi), rel=1e-3)
    assert result.low * result.high == pytest.approx(FORWARD**2)


def test_expected_move_of_an_unknown_volatility_is_unknown():
    result = expected_move(FORWARD, math.nan, TIME)
    assert np.isnan([result.straddle, result.mean_move, result.deviation, result.low, result.high]).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(-2.0, 2.0), st.floats(0.01, 2.0), st.floats(0.001, 3.0))
def test_probability_is_the_slope_of_the_call_along_the_strikes(k, sigma, time):
    strike = 100.0 * math.exp(k * sigma * math.sqrt(time))
    h = 1e-5 * strike * sigma * math.sqrt(time)
    calls = black76.price(100.0, [strike - h, strike + h], time, sigma, True)
    above = float(probability_beyond(100.0, strike, time, sigma))
    assert above == pytest.approx(float(calls[0] - calls[1]) / (2 * h), abs=1e-6)
    assert above + float(probability_beyond(100.0, strike, time, sigma, False)) == pytest.approx(1.0)


def test_probability_at_the_end_is_certain_or_unknown():
    assert_array_equal(probability_beyond(100.0, [90.0, 110.0, 100.0], 0.0, 0.2), [1.0, 0.0, 0.5])
    assert_array_equal(probability_beyond(100.0, [-1.0, np.nan], 1.0, 0.2), [np.nan, np.nan])
    assert float(probability_beyond(100.0, 100.0, 1.0, 0.2)) == pytest.approx(float(ndtr(-0.1)))


def test_at_the_money_is_linear_in_variance_along_the_log_of_the_strike():
    lower, upper, forward = 90.0, 110.0, 100.0
    share = math.log(upper / forward) / math.log(upper / lower)
    variance = share * 0.1**2 + (1 - share) * 0.5**2
    result = atm_volatility([lower, upper], [0.1, 0.5], forward)
    assert result.volatility == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_at_the_money_says_on_how_many_strikes_it_rests():
    assert atm_volatility([90.0, 100.0, 110.0], [0.3, 0.2, 0.1], 100.0).strikes_used == 1
    assert atm_volatility([90.0, 110.0], [0.3, 0.1], 100.0).strikes_used == 2


@pytest.mark.parametrize(("strike", "spoiled"), [(85.0, 1.8), (118.0, 3.0)])
def test_skew_is_read_where_delta_falls_next_to_the_money_though_a_wing_turns_back(strike, spoiled):
    strikes = np.array([*np.arange(80.0, 121.0, 1.0)])
    smile = np.where(strikes == strike, spoiled, 0.2)
    clean = delta_skew(strikes, np.full(len(strikes), 0.2), 100.0, 0.1)
    found = delta_skew(strikes, smile, 100.0, 0.1)
    assert found.put == pytest.approx(clean.put)
    assert found.call == pytest.approx(clean.call)
