"""The kernel against the textbook's difference with enough digits, on both sides of every border."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import normalised_black, normalised_inverse
from tests.analytics import reference


@settings(max_examples=200, deadline=None)
@given(st.floats(-10.0, 2.5), st.floats(-10.0, 1.9))
def test_time_value_has_twelve_digits_everywhere(log_x, log_v):
    x, v = 10.0**log_x, 10.0**log_v
    if x / v > 35.0:
        return
    ratio, derivative, h = normalised_black.time_value(np.array([x]), np.array([v]))
    expected = reference.time_value(x, v)
    assert float(abs(ratio[0] - expected) / expected) <= 1e-12
    assert h[0] == x / v
    assert derivative[0] == pytest.approx(float(reference.mpmath.npdf(v / 2 - x / v)), rel=1e-12)


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.01, 1.0, 3.999, 4.001, 40.0])
@pytest.mark.parametrize("v", [0.2499999, 0.25, 0.2500001])
def test_both_sides_of_the_series_border_agree_with_the_reference(x, v):
    ratio, _, _ = normalised_black.time_value(np.array([x]), np.array([v]))
    expected = reference.time_value(x, v) if x / v < 38 else 0.0
    assert ratio[0] == pytest.approx(float(expected), rel=1e-12, abs=1e-300)


def test_distance_of_neighbouring_doubles_is_exact():
    strike = np.nextafter(22_500.0, np.inf)
    mine = normalised_black.distance(np.array([22_500.0]), np.array([strike]))
    expected = reference.mpmath.log(reference.mpf(strike) / 22_500)
    assert float(abs(mine[0] - expected) / expected) < 1e-15


def test_guess_in_the_market_range_needs_one_step():
    v = np.geomspace(1e-6, 0.2499, 60)
    h = np.linspace(0.0, 30.0, 61)[:, None]
    x = h * v
    near = x <= 4.0
    x, v = x[near], np.broadcast_to(v, near.shape)[near]
    ratio, _, _ = normalised_black.time_value(x, v)
    error = np.abs(normalised_inverse.guess(x, ratio) / v - 1.0)
    assert error.max() < normalised_inverse.GUESS_TOLERANCE
    assert np.abs(normalised_inverse.total_volatility(x, ratio) / v - 1.0).max() < 3e-15


@pytest.mark.parametrize(("x", "ratio"), [(685.77173173, 0.36605619), (670.50665544, 0.38413828)])
def test_inverse_is_as_good_where_its_start_is_bad(x, ratio):
    found = float(normalised_inverse.total_volatility(np.array([x]), np.array([ratio]))[0])
    exact = reference.mpmath.findroot(lambda v: reference.time_value(x, v) - ratio, found)
    assert abs(float(exact) / found - 1) < 1e-13
