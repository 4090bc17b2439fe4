"""SVI and SSVI slices: evaluation, recovery of known slices, robustness, refusal."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.smile_fit import fit_ssvi, fit_svi
from analytics.svi import Ssvi, Svi, ssvi_slice

TIME = 20 / 365
K = np.linspace(-0.12, 0.12, 97)


def test_raw_svi_is_its_formula():
    slice_ = Svi(a=0.001, b=0.02, rho=-0.3, m=0.01, sigma=0.05)
    k = 0.04
    expected = 0.001 + 0.02 * (-0.3 * 0.03 + math.sqrt(0.03**2 + 0.05**2))
    assert float(slice_.total_variance(k)) == pytest.approx(expected, rel=1e-15)
    assert float(slice_.volatility(k, TIME)) == pytest.approx(math.sqrt(expected / TIME), rel=1e-15)


def test_volatility_of_a_negative_variance_is_unknown():
    assert np.isnan(Svi(a=-0.01, b=0.02, rho=0.0, m=0.0, sigma=0.01).volatility(0.0, TIME))


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 0.2), st.floats(-0.9, 0.9), st.floats(0.3, 40.0))
def test_ssvi_is_the_raw_slice_it_says(theta, rho, phi):
    x = phi * K
    expected = theta / 2 * (1 + rho * x + np.sqrt((x + rho) ** 2 + 1 - rho**2))
    assert_allclose(Ssvi(theta, rho, phi).total_variance(K), expected, rtol=1e-10, atol=1e-14 * theta)
    assert float(Ssvi(theta, rho, phi).total_variance(0.0)) == pytest.approx(theta)


def test_ssvi_surface_slice_follows_the_power_law():
    slice_ = ssvi_slice(0.0016, -0.1, 1.06)
    assert slice_.phi == pytest.approx(1.06 / math.sqrt(0.0016 * 1.0016))
    assert slice_.is_free_of_butterfly_arbitrage()
    assert (slice_.raw().durrleman(np.linspace(-0.5, 0.5, 201)) >= 0.0).all()


def test_durrleman_tells_an_arbitrage():
    # Axel Vogt's example, Gatheral and Jacquier (2014), section 5.1: arbitrage around k = 0.8
    vogt = Svi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
    negative = vogt.durrleman(np.linspace(-1.5, 1.5, 301)) < 0.0
    assert negative.any()
    assert 0.7 < np.linspace(-1.5, 1.5, 301)[negative].mean() < 1.1


@settings(max_examples=40, deadline=None)
@given(st.floats(0.08, 0.5), st.floats(-0.7, 0.3), st.floats(0.5, 1.4))
def test_both_fits_recover_an_ssvi_slice(sigma, rho, eta):
    true = ssvi_slice(sigma**2 * TIME, rho, eta)
    volatility = true.volatility(K, TIME)
    centre = np.abs(K) < 2.0 * sigma * math.sqrt(TIME)
    for fitted in (fit_svi(K, volatility, TIME), fit_ssvi(K, volatility, TIME)):
        assert fitted.count == K.size
        assert np.abs(fitted.volatility(K, TIME) - volatility)[centre].max() < 1e-3


def test_svi_fits_a_calm_index_smile_to_a_hundredth_of_a_point():
    # domain facts 6.2: sigma/sigma_atm = 0.99 + s x + c x^2, x in standard deviations
    x = np.linspace(-2.5, 2.5, 61)
    volatility = 0.10 * (0.99 - 0.034 * x + 0.045 * x * x)
    fitted = fit_svi(x * 0.10 * math.sqrt(TIME), volatility, TIME)
    assert fitted.rms < 2e-3
    assert float(fitted.volatility(0.0, TIME)) == pytest.approx(0.099, abs=5e-4)


def test_a_few_wild_points_do_not_pull_the_slice():
    true = ssvi_slice(0.12**2 * TIME, -0.2, 1.0)
    volatility = true.volatility(K, TIME)
    volatility[[30, 48, 60]] += 0.10
    for fitted in (fit_svi(K, volatility, TIME), fit_ssvi(K, volatility, TIME)):
        assert float(fitted.volatility(0.0, TIME)) == pytest.approx(0.12, abs=2e-3)


def test_unknown_points_and_untrusted_points_are_left_out():
    volatility = ssvi_slice(0.12**2 * TIME, -0.2, 1.0).volatility(K, TIME)
    volatility[::2] = np.nan
    weights = np.ones(K.size)
    weights[1::4] = 0.0
    fitted = fit_ssvi(K, volatility, TIME, weights)
    assert fitted.count == 24
    assert fitted.theta == pytest.approx(0.12**2 * TIME, rel=1e-3)


@pytest.mark.parametrize("known", [0, 2, 4])
def test_too_few_points_give_no_slice(known):
    volatility = np.full(K.size, np.nan)
    volatility[:known] = 0.12
    raw, surface = fit_svi(K, volatility, TIME), fit_ssvi(K, volatility, TIME)
    assert raw.count == surface.count == known
    assert math.isnan(raw.a)
    assert np.isnan(raw.volatility(K, TIME)).all()
    assert math.isnan(surface.theta) == (known < 3)


def test_one_strike_many_times_is_no_smile():
    assert math.isnan(fit_svi(np.zeros(9), np.full(9, 0.12), TIME).a)


def test_after_expiry_there_is_no_slice():
    assert fit_svi(K, np.full(K.size, 0.12), 0.0).count == 0


def test_a_flat_smile_is_fitted_flat():
    fitted = fit_svi(K, np.full(K.size, 0.2), TIME)
    assert_allclose(fitted.volatility(K, TIME), 0.2, atol=1e-6)
    assert_allclose(fit_ssvi(K, np.full(K.size, 0.2), TIME).volatility(K, TIME), 0.2, atol=2e-3)
