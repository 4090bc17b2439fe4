"""Exposure with its sign convention, and the level at which it vanishes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from analytics import black76
from analytics.gamma_exposure import gamma_exposure, zero_gamma_level

STRIKES = np.arange(23_000.0, 25_050.0, 50.0)
TIME = 6 / 365


def test_calls_count_positive_and_puts_negative():
    result = gamma_exposure([[0.001, 0.002], [0.001, 0.004]], [[10.0, 20.0], [30.0, 5.0]], 65, 24_000.0)
    unit = 65 * 24_000.0**2 * 0.01
    assert_allclose(result.by_strike, np.array([0.01 - 0.03, 0.04 - 0.02]) * unit)
    assert_allclose(result.unsigned_by_strike, np.array([0.04, 0.06]) * unit)
    assert result.total == pytest.approx(result.by_strike.sum())
    assert result.unsigned_total == pytest.approx(result.unsigned_by_strike.sum())
    assert result.legs == 4


def test_exposure_is_the_delta_that_one_percent_changes():
    call = black76.greeks(24_000.0, 24_100.0, TIME, 0.12, True)
    result = gamma_exposure([[call.gamma], [np.nan]], [[100.0], [np.nan]], 65, 24_000.0)
    step = 1e-4
    moved = black76.greeks(24_000.0 * (1 + step), 24_100.0, TIME, 0.12, True)
    rupees = float(moved.delta - call.delta) * 24_000.0 * 100 * 65 * (0.01 / step)
    assert result.total == pytest.approx(rupees, rel=1e-2)


def test_unknown_legs_are_left_out_and_unknown_strikes_stay_unknown():
    result = gamma_exposure([[0.001, np.nan], [np.nan, 0.004]], [[10.0, 20.0], [30.0, np.nan]], 1, 100.0)
    assert_array_equal(result.by_strike, [1.0, np.nan])
    assert (result.total, result.legs) == (1.0, 1)
    nothing = gamma_exposure(np.full((2, 3), np.nan), np.ones((2, 3)), 1, 100.0)
    assert math.isnan(nothing.total)
    assert math.isnan(nothing.unsigned_total)
    assert nothing.legs == 0


def test_at_the_zero_gamma_level_calls_and_puts_balance():
    sigma = 0.12 + 2.0 * np.log(STRIKES / 24_000.0) ** 2
    open_interest = np.array(
        [np.exp(-(((STRIKES - centre) / 300.0) ** 2)) for centre in (24_400.0, 23_600.0)]
    )
    result = zero_gamma_level(STRIKES, sigma, open_interest, 24_050.0, TIME)
    assert result.strikes_used == STRIKES.size
    assert 23_600.0 < result.level < 24_400.0
    gamma = black76.greeks(result.level, STRIKES, TIME, sigma, True).gamma
    balance = gamma_exposure([gamma, gamma], open_interest, 1, result.level)
    assert abs(balance.total) < 1e-4 * balance.unsigned_total


def test_the_crossing_nearest_the_forward_is_taken():
    open_interest = np.zeros((2, STRIKES.size))
    open_interest[0, STRIKES == 23_600.0] = open_interest[0, STRIKES == 24_600.0] = 1.0
    open_interest[1, STRIKES == 24_100.0] = 1.0
    low = zero_gamma_level(STRIKES, np.full(STRIKES.size, 0.1), open_interest, 23_700.0, TIME).level
    high = zero_gamma_level(STRIKES, np.full(STRIKES.size, 0.1), open_interest, 24_500.0, TIME).level
    assert 23_600.0 < low < 24_100.0 < high < 24_600.0


@pytest.mark.parametrize("side", [0, 1])
def test_without_a_change_of_sign_there_is_no_level(side):
    open_interest = np.zeros((2, STRIKES.size))
    open_interest[side] = 1.0
    assert math.isnan(
        zero_gamma_level(STRIKES, np.full(STRIKES.size, 0.1), open_interest, 24_000.0, TIME).level
    )


def test_without_volatilities_or_interest_there_is_no_level():
    nothing = np.full(STRIKES.size, np.nan)
    assert zero_gamma_level(STRIKES, nothing, np.ones((2, STRIKES.size)), 24_000.0, TIME).strikes_used == 0
    assert (
        zero_gamma_level(STRIKES, nothing + 1, np.array([nothing, nothing]), 24_000.0, TIME).strikes_used == 0
    )


@pytest.mark.parametrize(("call_strike", "level"), [(118.0, 108.6), (122.0, math.nan)])
def test_level_is_sought_ten_percent_around_the_forward(call_strike, level):
    # as many puts below as calls above balance halfway between them, in logarithms
    interest = np.array([[0.0, 100.0], [100.0, 0.0]])
    found = zero_gamma_level([100.0, call_strike], [0.2, 0.2], interest, 100.0, 0.1).level
    assert found == pytest.approx(level, rel=2e-3, nan_ok=True)


def test_exposure_that_fades_to_nothing_has_not_changed_its_sign():
    calls_alone = np.array([[100.0, 200.0], [0.0, 0.0]])
    assert math.isnan(zero_gamma_level([99.0, 101.0], [0.01, 0.01], calls_alone, 100.0, 1e-4).level)
