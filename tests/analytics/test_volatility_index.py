"""The index method: spline, variance of a known smile, interpolation to 30 days."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import CubicSpline

from analytics import black76
from analytics.volatility_index import ExpiryVariance, expiry_variance, natural_spline, volatility_index

STRIKES = np.arange(14_000.0, 36_050.0, 50.0)
RATE = 0.06


def _quotes(forward, time, sigma, half_spread=0.01):
    mids = black76.price(forward, STRIKES, time, sigma, [[True], [False]], math.exp(-RATE * time))
    return mids * (1 - half_spread), mids * (1 + half_spread)


def test_variance_of_a_flat_smile_is_its_square():
    bid, ask = _quotes(24_030.0, 0.1, 0.2)
    result = expiry_variance(STRIKES, bid, ask, 24_030.0, 0.1, RATE)
    assert result.variance == pytest.approx(0.04, rel=3e-4)
    assert result.strike_below_forward == 24_000.0
    assert (result.strikes_quoted, result.strikes_filled) == (STRIKES.size, 0)


def test_strikes_without_an_appropriate_quote_are_filled():
    bid, ask = _quotes(24_030.0, 0.1, 0.2)
    bid[:, 100:104] = np.nan
    ask[:, 210:260:7] *= 2.0
    result = expiry_variance(STRIKES, bid, ask, 24_030.0, 0.1, RATE)
    assert result.strikes_filled == 4 + 8
    assert result.strikes_quoted + result.strikes_filled == STRIKES.size
    assert result.variance == pytest.approx(0.04, rel=3e-4)


def test_without_quotes_on_both_sides_of_the_forward_variance_is_unknown():
    bid, ask = _quotes(24_030.0, 0.1, 0.2)
    for bad in (STRIKES > 23_000, STRIKES < 25_000, STRIKES > 0):
        broken = np.where(bad, np.nan, bid)
        assert math.isnan(expiry_variance(STRIKES, broken, ask, 24_030.0, 0.1, RATE).variance)
    assert math.isnan(expiry_variance(STRIKES, bid, ask, 13_000.0, 0.1, RATE).variance)
    assert math.isnan(expiry_variance(STRIKES, bid, ask, 24_030.0, 0.0, RATE).variance)


def test_natural_spline_is_the_natural_spline():
    x = np.array([0.0, 1.0, 2.5, 4.0, 4.5, 7.0])
    y = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    at = np.linspace(0.0, 7.0, 29)
    assert_allclose(
        natural_spline(x, y, at), CubicSpline(x, y, bc_type="natural")(at), rtol=1e-12, atol=1e-12
    )
    assert natural_spline(x, y, np.empty(0)).size == 0


def _variance(days, sigma):
    return ExpiryVariance(sigma**2, days / 365, 24_000.0, 100, 0)


def test_index_weights_total_variances_to_thirty_days():
    near, following = _variance(20, 0.15), _variance(48, 0.2)
    total = (20 / 365 * 0.0225 * 18 + 48 / 365 * 0.04 * 10) / 28
    assert volatility_index(near, following) == pytest.approx(math.sqrt(total * 365 / 30))
    assert volatility_index(_variance(20, 0.15), _variance(48, 0.15)) == pytest.approx(0.15)


def test_index_of_an_unknown_or_misplaced_expiry_is_unknown():
    assert math.isnan(volatility_index(_variance(20, math.nan), _variance(48, 0.2)))
    assert math.isnan(volatility_index(_variance(48, 0.2), _variance(48, 0.2)))
    assert math.isnan(volatility_index(_variance(60, 0.1), _variance(61, 0.9)))
