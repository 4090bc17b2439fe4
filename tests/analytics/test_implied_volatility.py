"""Volatility from prices: reference rows, the round trip over the whole domain, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from analytics.black76 import greeks, price
from analytics.implied_volatility import Status, implied_volatility
from tests.analytics import reference

EPSILON = np.finfo(float).eps
STATUS = {
    "at_or_below_intrinsic": Status.below_intrinsic,
    "zero_price": Status.zero_price,
    "above_upper": Status.above_bound,
    "invalid_input": Status.invalid,
    "expired": Status.expired,
}


def _column(rows, name):
    return np.array([float(row[name] or "nan") for row in rows])


@pytest.fixture
def solved(volatility_rows):
    """Each row's label, expected volatility and tolerance, beside what the solver made of it."""
    rows = volatility_rows
    spot, strike, time, r, q, paid = (
        _column(rows, name) for name in ("underlying", "strike", "t_years", "r", "q", "price")
    )
    on_spot = np.array([row["model"] == "bs" for row in rows])
    is_call = np.array([row["cp"] == "C" for row in rows])
    forward = np.where(on_spot, spot * np.exp((r - q) * time), spot)
    volatility, status = implied_volatility(paid, forward, strike, time, is_call, np.exp(-r * time))
    # The file's tolerance is that of the price. In rows on the spot the forward is rounded too (exp and
    # product), which moves prices deep in the money by far more than their own last place.
    per_rupee = 0.01 / _column(rows, "vega_per_volpt")
    rounding = np.where(on_spot, 4 * np.spacing(np.abs(forward)) * per_rupee, 0.0)
    expected = _column(rows, "sigma")
    tolerance = np.maximum(10.0 * _column(rows, "sigma_abs_tol"), 1e-12 * expected) + rounding
    labels = np.array([row["status"] for row in rows])
    return labels, expected, tolerance, volatility, status


def test_every_solvable_reference_row_is_met(solved):
    labels, expected, tolerance, volatility, status = solved
    rows = np.isin(labels, ["ok", "ok_loose"])
    assert rows.sum() > 200
    assert (status[rows] == Status.ok).all()
    assert (np.abs(volatility - expected)[rows] <= tolerance[rows]).all()


def test_every_unsolvable_reference_row_says_why(solved):
    labels, _, _, volatility, status = solved
    for label, expected in STATUS.items():
        rows = labels == label
        assert rows.any()
        assert (status[rows] == expected).all(), label
        assert np.isnan(volatility[rows]).all()


def test_ill_conditioned_reference_rows_are_within_tolerance_or_refused(solved):
    labels, expected, tolerance, volatility, status = solved
    rows = (labels == "ill_conditioned") & (status == Status.ok)
    assert (np.abs(volatility - expected)[rows] <= tolerance[rows]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-12.0, 2.8), st.floats(-12.0, 2.0), st.floats(1.0, 1e5), st.floats(1e-6, 30.0), st.booleans()
)
def test_round_trip_wherever_the_price_determines_the_volatility(log_x, log_v, strike, time, call):
    x, v = 10.0**log_x, 10.0**log_v
    forward = strike * np.exp(-x if call else x)
    x = abs(np.log1p((forward - strike) / strike) if x < 0.1 else np.log(forward / strike))
    sigma = v / np.sqrt(time)
    result = greeks(forward, strike, time, sigma, call)
    paid, vega = float(result.price), float(result.vega)
    if paid < 1e-290 or paid > 0.999999 * min(forward, strike):
        return
    volatility, status = implied_volatility(paid, forward, strike, time, call)
    assert status == Status.ok
    assert abs(float(volatility) - sigma) <= 1e-13 * sigma + 16 * EPSILON * paid / vega


def test_round_trip_on_a_grid_of_the_whole_domain():
    random = np.random.default_rng(20260807)
    x = 10.0 ** random.uniform(-12, 2.8, 20_000)
    sigma = 10.0 ** random.uniform(-12, 2, x.size)
    forward, strike = 100.0 * np.exp(-x), 100.0
    result = greeks(forward, strike, 1.0, sigma, True)
    kept = (result.price > 1e-290) & (forward - result.price > 1e-6 * forward)
    assert kept.sum() > 5000
    volatility, status = implied_volatility(result.price[kept], forward[kept], strike, 1.0, True)
    assert (status == Status.ok).all()
    allowed = 1e-13 * sigma[kept] + 16 * EPSILON * result.price[kept] / result.vega[kept]
    assert (np.abs(volatility - sigma[kept]) <= allowed).all()


@settings(max_examples=100, deadline=None)
@given(st.floats(-2.0, 2.0), st.floats(0.02, 1.5), st.floats(0.002, 2.0), st.booleans(), st.floats(0.7, 1.0))
def test_price_of_the_volatility_is_the_price(k, sigma, time, call, discount):
    strike = 24_000.0 * np.exp(k * sigma * np.sqrt(time))
    paid = float(price(24_000.0, strike, time, sigma, call, discount))
    volatility, status = implied_volatility(paid, 24_000.0, strike, time, call, discount)
    assert status == Status.ok
    assert float(price(24_000.0, strike, time, volatility, call, discount)) == pytest.approx(paid, rel=1e-13)


@pytest.mark.parametrize("k", [-3.0, -1.0, -0.01, 0.0, 0.2, 2.0])
@pytest.mark.parametrize("v", [0.003, 0.02, 0.2, 0.9, 4.0])
def test_bisection_with_fifty_digits_agrees(k, v):
    strike = 1000.0 * np.exp(k * v)
    call = strike >= 1000.0
    paid = float(price(1000.0, strike, 0.3, v / np.sqrt(0.3), call, 0.98))
    volatility, status = implied_volatility(paid, 1000.0, strike, 0.3, call, 0.98)
    assert status == Status.ok
    expected = reference.implied_volatility(paid, 1000.0, strike, 0.3, call, 0.98)
    assert float(volatility) == pytest.approx(float(expected), rel=1e-12)


def test_in_the_money_and_out_of_the_money_twins_agree():
    strikes = np.linspace(22_000, 26_000, 81)
    both = np.array([[True], [False]])
    paid = price(24_010.0, strikes, 0.02, 0.13, both, 0.999)
    volatility, status = implied_volatility(paid, 24_010.0, strikes, 0.02, both, 0.999)
    kept = (status == Status.ok).all(axis=0) & (np.abs(strikes - 24_010.0) < 1_000)
    assert kept.sum() > 30
    assert_allclose(volatility[0, kept], volatility[1, kept], rtol=1e-7)


@pytest.mark.parametrize(
    ("paid", "forward", "strike", "time", "call", "status"),
    [
        pytest.param(120.0, 0.0, 100.0, 0.5, True, Status.invalid, id="no forward"),
        pytest.param(-1.0, 100.0, 100.0, 0.5, True, Status.invalid, id="negative price"),
        pytest.param(np.nan, 100.0, 100.0, 0.5, True, Status.invalid, id="unknown price"),
        pytest.param(1.0, 100.0, np.inf, 0.5, True, Status.invalid, id="infinite strike"),
        pytest.param(1.0, 100.0, 100.0, np.nan, True, Status.invalid, id="unknown time"),
        pytest.param(5.0, 100.0, 100.0, 0.0, True, Status.expired, id="at expiry"),
        pytest.param(0.0, 100.0, 100.0, -0.1, False, Status.expired, id="after expiry"),
        pytest.param(0.0, 100.0, 90.0, 0.5, True, Status.zero_price, id="no trade"),
        pytest.param(10.0, 100.0, 90.0, 0.5, True, Status.below_intrinsic, id="at intrinsic"),
        pytest.param(9.95, 100.0, 90.0, 0.5, True, Status.below_intrinsic, id="a tick under intrinsic"),
        pytest.param(
            10.0 + 2e-15, 90.0, 100.0, 0.5, False, Status.below_intrinsic, id="rounding over intrinsic"
        ),
        pytest.param(100.0, 100.0, 90.0, 0.5, True, Status.above_bound, id="call at the forward"),
        pytest.param(90.0, 100.0, 90.0, 0.5, False, Status.above_bound, id="put at the strike"),
        pytest.param(np.inf, 100.0, 90.0, 0.5, False, Status.above_bound, id="infinite price"),
    ],
)
def test_what_has_no_volatility_says_why(paid, forward, strike, time, call, status):
    volatility, answer = implied_volatility(paid, forward, strike, time, call)
    assert np.isnan(volatility)
    assert Status(int(answer)) is status


def test_everything_broadcasts_and_nothing_is_changed():
    paid = np.array([5.0, np.nan, 7.0])
    before = paid.copy()
    volatility, status = implied_volatility(paid, 100.0, np.array([[100.0], [101.0]]), 0.5, True)
    assert volatility.shape == status.shape == (2, 3)
    assert status.dtype == np.int8
    assert_array_equal(paid, before)
    one, code = implied_volatility(7.0, 100.0, 101.0, 0.5, True)
    assert one.shape == code.shape == ()
    assert one == volatility[1, 2]
    assert implied_volatility(np.empty(0), 100.0, 100.0, 0.5, True)[0].shape == (0,)


def test_smallest_prices_are_solved_without_warning():
    paid = np.array([5e-324, 1e-310, 1e-300, 1e-200, 1e-20])
    volatility, status = implied_volatility(paid, 100.0, np.array([[130.0], [1e4], [1e300]]), 0.1, True)
    assert (status == Status.ok).all()
    assert (np.diff(volatility, axis=1) > 0).all()
