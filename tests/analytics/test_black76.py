"""Prices and Greeks: reference rows, textbook examples, laws."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from analytics.black76 import Greeks, greeks, price, spot_greeks
from tests.analytics import reference

FIELDS = ("price", "delta", "gamma", "vega", "theta", "rho")
COLUMNS = {
    "price": "price",
    "delta": "delta",
    "gamma": "gamma",
    "vega": "vega_per_unit",
    "theta": "theta_per_year",
    "rho": "rho_per_unit",
}


def _column(rows, name):
    return np.array([float(row[name]) for row in rows])


def _valued(rows, rate=None):
    """Rows' inputs by forward, valued; spot Greeks for the rows of model ``bs``."""
    spot, strike, time, r, q, sigma = (
        _column(rows, name) for name in ("underlying", "strike", "t_years", "r", "q", "sigma")
    )
    on_spot = np.array([row["model"] == "bs" for row in rows])
    is_call = np.array([row["cp"] == "C" for row in rows])
    forward = np.where(on_spot, spot * np.exp((r - q) * time), spot)
    mine = greeks(forward, strike, time, sigma, is_call, np.exp(-r * time), r if rate else None)
    on_the_spot = spot_greeks(mine, spot, forward, time)
    return {name: np.where(on_spot, getattr(on_the_spot, name), getattr(mine, name)) for name in FIELDS}


@pytest.mark.parametrize("name", FIELDS)
def test_every_reference_row_is_met(pricing_rows, name):
    # seconds before expiry exp(-rT) no longer holds r to ten digits: theta of those rows is given the rate
    mine = _valued(pricing_rows, rate=True)[name]
    expected = _column(pricing_rows, COLUMNS[name])
    counts = np.abs(expected) > (1e-12 * _column(pricing_rows, "underlying") if name == "price" else 1e-10)
    assert counts.sum() > 150
    assert_allclose(mine[counts], expected[counts], rtol=1e-12 if name == "price" else 1e-10, atol=0.0)


def test_far_wings_keep_twelve_digits(pricing_rows):
    mine, expected = _valued(pricing_rows)["price"], _column(pricing_rows, "price")
    normal = expected > np.finfo(float).tiny
    assert_allclose(mine[normal], expected[normal], rtol=1e-12, atol=0.0)


def test_theta_without_a_rate_is_exact_where_the_discount_factor_holds_it(pricing_rows):
    mine, expected = _valued(pricing_rows)["theta"], _column(pricing_rows, "theta_per_year")
    held = _column(pricing_rows, "r") * _column(pricing_rows, "t_years")
    counts = (np.abs(expected) > 1e-10) & (held > 1e-5)
    assert counts.sum() > 150
    assert_allclose(mine[counts], expected[counts], rtol=1e-10, atol=0.0)


# J. C. Hull, "Options, Futures, and Other Derivatives"; E. G. Haug, "The Complete Guide to Option Pricing
# Formulas", 2nd ed. Spot, strike, years, rate, yield, volatility.
TEXTBOOK_PRICES = [
    pytest.param(42, 40, 0.5, 0.10, 0.0, 0.20, True, 4.76, 2, id="hull-chapter-15-call"),
    pytest.param(42, 40, 0.5, 0.10, 0.0, 0.20, False, 0.81, 2, id="hull-chapter-15-put"),
    pytest.param(930, 900, 2 / 12, 0.08, 0.03, 0.20, True, 51.83, 2, id="hull-chapter-17-index-call"),
    pytest.param(20, 20, 4 / 12, 0.09, 0.09, 0.25, False, 1.12, 2, id="hull-chapter-18-futures-put"),
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, 2.40, 2, id="hull-chapter-19-call"),
    pytest.param(60, 65, 0.25, 0.08, 0.0, 0.30, True, 2.1334, 4, id="haug-1.1.1-black-scholes-call"),
    pytest.param(100, 95, 0.5, 0.10, 0.05, 0.20, False, 2.4648, 4, id="haug-1.1.2-merton-put"),
    pytest.param(19, 19, 0.75, 0.10, 0.10, 0.28, True, 1.7011, 4, id="haug-1.1.3-black-76-call"),
    pytest.param(19, 19, 0.75, 0.10, 0.10, 0.28, False, 1.7011, 4, id="haug-1.1.3-black-76-put"),
]
TEXTBOOK_GREEKS = [
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, "delta", 0.522, 3, id="hull-chapter-19-delta"),
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, "gamma", 0.066, 3, id="hull-chapter-19-gamma"),
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, "vega", 12.1, 1, id="hull-chapter-19-vega"),
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, "theta", -4.31, 2, id="hull-chapter-19-theta"),
    pytest.param(49, 50, 0.3846, 0.05, 0.0, 0.20, True, "rho", 8.91, 2, id="hull-chapter-19-rho"),
    pytest.param(105, 100, 0.5, 0.10, 0.10, 0.36, True, "delta", 0.5946, 4, id="haug-2.1-delta-futures-call"),
    pytest.param(
        105, 100, 0.5, 0.10, 0.10, 0.36, False, "delta", -0.3566, 4, id="haug-2.1-delta-futures-put"
    ),
    pytest.param(55, 60, 0.75, 0.10, 0.0, 0.30, True, "gamma", 0.0278, 4, id="haug-2.2-gamma"),
    pytest.param(55, 60, 0.75, 0.10, 0.0, 0.30, True, "vega", 18.9358, 4, id="haug-2.3-vega"),
    pytest.param(430, 405, 1 / 12, 0.07, 0.05, 0.20, False, "theta", -31.1924, 4, id="haug-2.4-theta-put"),
    pytest.param(72, 75, 1.0, 0.09, 0.0, 0.19, True, "rho", 38.7325, 4, id="haug-2.5-rho-call"),
]


@pytest.mark.parametrize(
    ("spot", "strike", "time", "rate", "carry", "sigma", "call", "value", "digits"), TEXTBOOK_PRICES
)
def test_textbook_price(spot, strike, time, rate, carry, sigma, call, value, digits):
    forward = spot * np.exp((rate - carry) * time)
    mine = float(price(forward, strike, time, sigma, call, np.exp(-rate * time)))
    assert round(mine, digits) == value


@pytest.mark.parametrize(
    ("spot", "strike", "time", "rate", "carry", "sigma", "call", "name", "value", "digits"), TEXTBOOK_GREEKS
)
def test_textbook_greek(spot, strike, time, rate, carry, sigma, call, name, value, digits):
    forward = spot * np.exp((rate - carry) * time)
    on_forward = greeks(forward, strike, time, sigma, call, np.exp(-rate * time))
    mine = float(getattr(spot_greeks(on_forward, spot, forward, time), name))
    assert round(mine, digits) == value


forwards = st.floats(1.0, 1e5)
moneyness = st.floats(-1.5, 1.5)
times = st.floats(1e-6, 10.0)
sigmas = st.floats(0.01, 3.0)
discounts = st.floats(0.5, 1.0)


@settings(max_examples=150, deadline=None)
@given(forwards, st.floats(-3.0, 3.0), times, st.floats(1e-3, 5.0), st.booleans(), discounts)
def test_price_and_greeks_equal_the_slow_reference(forward, k, time, sigma, call, discount):
    strike = forward * np.exp(k * sigma * np.sqrt(time))
    mine = greeks(forward, strike, time, sigma, call, discount)
    expected = reference.greeks(forward, strike, time, sigma, call, discount)
    for name in FIELDS:
        wanted = expected[name]
        tolerance = (1e-12 if name == "price" else 1e-10) * abs(wanted)
        if name == "theta":  # a difference: as exact as its larger part
            tolerance += mpmath.mpf(1e-12) * abs(expected["price"] * mpmath.log(discount) / time)
        assert abs(mpmath.mpf(float(getattr(mine, name))) - wanted) <= tolerance, name


@settings(max_examples=100, deadline=None)
@given(forwards, st.floats(-10.0, 10.0), st.floats(1e-8, 30.0), st.floats(0.0, 10.0), discounts)
def test_put_call_parity_and_bounds(forward, k, time, sigma, discount):
    strike = forward * np.exp(k)
    call = float(price(forward, strike, time, sigma, True, discount))
    put = float(price(forward, strike, time, sigma, False, discount))
    slack = 4e-16 * max(forward, strike)
    assert abs(call - put - discount * (forward - strike)) <= 2 * slack
    assert max(0.0, discount * (forward - strike)) <= call + slack
    assert call <= discount * forward + slack
    assert max(0.0, discount * (strike - forward)) <= put + slack
    assert put <= discount * strike + slack


@settings(max_examples=60, deadline=None)
@given(forwards, times, sigmas)
def test_calls_fall_and_bend_upwards_along_the_strikes(forward, time, sigma):
    strikes = forward * np.exp(np.linspace(-3.0, 3.0, 41) * sigma * np.sqrt(time))
    calls = price(forward, strikes, time, sigma, True)
    slopes = np.diff(calls) / np.diff(strikes)
    slack = 1e-12 * forward / np.diff(strikes).min()
    assert (slopes <= slack).all()
    assert (slopes >= -1.0 - slack).all()
    assert (np.diff(slopes) >= -slack).all()


@settings(max_examples=60, deadline=None)
@given(forwards, st.floats(-2.5, 2.5), st.floats(1e-3, 3.0), st.floats(0.05, 1.0), st.booleans())
def test_greeks_are_the_slopes_of_the_price(forward, k, time, sigma, call):
    strike, rate = forward * np.exp(k * sigma * np.sqrt(time)), 0.06

    def value(f=forward, t=time, s=sigma, r=rate):
        return reference.price(f, strike, t, s, call, mpmath.exp(-mpmath.mpf(r) * t))

    mine = greeks(forward, strike, time, sigma, call, np.exp(-rate * time))
    f, t, s, r = (mpmath.mpf(item) for item in (forward, time, sigma, rate))
    h = mpmath.mpf("1e-8")
    slopes = {
        "delta": (value(f=f * (1 + h)) - value(f=f * (1 - h))) / (2 * h * f),
        "gamma": (value(f=f * (1 + h)) - 2 * value() + value(f=f * (1 - h))) / (h * f) ** 2,
        "vega": (value(s=s * (1 + h)) - value(s=s * (1 - h))) / (2 * h * s),
        "theta": (value(t=t * (1 - h)) - value(t=t * (1 + h))) / (2 * h * t),
        "rho": (value(r=r + h) - value(r=r - h)) / (2 * h),
    }
    for name, slope in slopes.items():
        assert float(getattr(mine, name)) == pytest.approx(float(slope), rel=1e-9, abs=1e-9 * forward), name


@settings(max_examples=60, deadline=None)
@given(forwards, st.floats(-2.0, 2.0), st.floats(0.01, 2.0), st.floats(0.05, 1.0), st.booleans())
def test_spot_greeks_are_the_slopes_by_the_spot(spot, k, time, sigma, call):
    rate, dividend = mpmath.mpf("0.065"), mpmath.mpf("0.012")
    strike = spot * np.exp(k * sigma * np.sqrt(time))

    def value(s=spot, t=time, r=rate):
        s, t = mpmath.mpf(s), mpmath.mpf(t)
        return reference.price(s * mpmath.exp((r - dividend) * t), strike, t, sigma, call, mpmath.exp(-r * t))

    forward = float(spot * mpmath.exp((rate - dividend) * time))
    on_forward = greeks(forward, strike, time, sigma, call, float(mpmath.exp(-rate * time)))
    mine = spot_greeks(on_forward, spot, forward, time)
    s, t, h = mpmath.mpf(spot), mpmath.mpf(time), mpmath.mpf("1e-8")
    slopes = {
        "delta": (value(s=s * (1 + h)) - value(s=s * (1 - h))) / (2 * h * s),
        "gamma": (value(s=s * (1 + h)) - 2 * value() + value(s=s * (1 - h))) / (h * s) ** 2,
        "theta": (value(t=t * (1 - h)) - value(t=t * (1 + h))) / (2 * h * t),
        "rho": (value(r=rate + h) - value(r=rate - h)) / (2 * h),
    }
    for name, slope in slopes.items():
        assert float(getattr(mine, name)) == pytest.approx(float(slope), rel=1e-8, abs=1e-9 * spot), name


def test_price_at_zero_time_or_volatility_is_exactly_intrinsic():
    strikes = np.array([80.0, 100.0, 125.0, 100.0000001])
    for time, sigma in ((0.0, 0.2), (1.0, 0.0), (0.0, 0.0)):
        assert_array_equal(
            price(100.0, strikes, time, sigma, True, 0.9), 0.9 * np.maximum(100.0 - strikes, 0.0)
        )
        assert_array_equal(
            price(100.0, strikes, time, sigma, False, 0.9), 0.9 * np.maximum(strikes - 100.0, 0.0)
        )


def test_greeks_at_zero_time_are_the_limits():
    result = greeks(100.0, [80.0, 100.0, 125.0], 0.0, 0.2, [[True], [False]], 1.0)
    assert_array_equal(result.delta, [[1.0, 0.5, 0.0], [0.0, -0.5, -1.0]])
    assert_array_equal(result.gamma, [[0.0, np.inf, 0.0]] * 2)
    assert_array_equal(result.vega, np.zeros((2, 3)))
    assert_array_equal(result.theta, [[0.0, -np.inf, 0.0]] * 2)
    assert_array_equal(result.rho, np.zeros((2, 3)))


def test_vega_at_zero_volatility_at_the_money_is_its_limit():
    result = greeks(100.0, 100.0, 0.25, 0.0, True)
    assert float(result.vega) == pytest.approx(100.0 * 0.5 / np.sqrt(2 * np.pi), rel=1e-14)
    assert float(result.theta) == 0.0


def test_large_volatility_reaches_the_bound():
    assert_array_equal(price(100.0, [1.0, 100.0, 1e9], 4.0, 1e4, True, 0.9), 90.0)
    assert_allclose(price(100.0, [1.0, 100.0, 1e9], 4.0, 1e4, False, 0.9), [0.9, 90.0, 0.9e9], rtol=1e-15)


def test_extreme_inputs_give_numbers_and_no_warning():
    forward, strike, time, sigma = np.meshgrid(
        [1e-6, 1.0, 24000.0, 1e12],
        [1e-6, 1.0, 24000.0, 1e12],
        [0.0, 1e-12, 1e-3, 100.0],
        [0.0, 1e-9, 0.2, 50.0],
    )
    for call in (True, False):
        value = price(forward, strike, time, sigma, call)
        assert np.isfinite(value).all()
        assert (value >= np.maximum(forward - strike, 0.0) if call else value >= 0.0).all()
        assert not any(
            np.isnan(getattr(greeks(forward, strike, time, sigma, call), name)).any() for name in FIELDS
        )


@pytest.mark.parametrize(
    "bad",
    [
        {"forward": -1.0}, {"forward": 0.0}, {"forward": np.nan}, {"forward": np.inf}, {"strike": 0.0},
        {"time_to_expiry": -1e-9}, {"volatility": -0.1}, {"volatility": np.nan}, {"discount_factor": 0.0},
    ],
)  # fmt: skip
def test_input_without_a_meaning_is_nan_and_only_there(bad):
    good = {
        "forward": 100.0,
        "strike": 100.0,
        "time_to_expiry": 0.5,
        "volatility": 0.2,
        "discount_factor": 0.97,
    }
    arguments = {name: np.array([value, bad.get(name, value)]) for name, value in good.items()}
    result = greeks(is_call=True, **arguments)
    for name in FIELDS:
        assert np.isnan(getattr(result, name)).tolist() == [False, True]


def test_everything_broadcasts_and_nothing_is_changed():
    strikes = np.array([90.0, 100.0, 110.0])
    sigma = np.array([0.2, np.nan, 0.3])
    before = strikes.copy(), sigma.copy()
    result = greeks(np.array([[99.0], [101.0]]), strikes, 0.5, sigma, np.ones((4, 1, 1), dtype=bool), 0.97)
    assert isinstance(result, Greeks)
    assert {getattr(result, name).shape for name in FIELDS} == {(4, 2, 3)}
    one = greeks(101.0, 110.0, 0.5, 0.3, True, 0.97)
    assert {getattr(one, name).shape for name in FIELDS} == {()}
    assert all(getattr(result, name)[0, 1, 2] == getattr(one, name) for name in FIELDS)
    assert_array_equal(strikes, before[0])
    assert_array_equal(sigma, before[1])


def test_no_contracts_give_no_prices():
    assert greeks(np.empty(0), np.empty(0), 0.5, 0.2, True).theta.shape == (0,)


def test_at_the_instant_of_expiry_the_forward_does_not_drift():
    of_forward = greeks(110.0, 100.0, 0.0, 0.2, True, 1.0, 0.07)
    assert of_forward.delta == 1.0
    assert spot_greeks(of_forward, 109.0, 110.0, 0.0).theta == of_forward.theta


def test_decay_at_the_strike_at_expiry_is_infinite_where_anything_may_still_happen():
    assert greeks(100.0, 100.0, 0.0, 0.2, True).theta == -np.inf
    assert greeks(100.0, 100.0, 0.0, 0.0, True).theta == 0.0
