"""Prices of the surface: equal to the analytics' own, and free of arbitrage in every state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import black76
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.contracts.surface import Pricer, Slices, SurfaceModel, SurfaceStates
from feed.simulation.parameters import load_parameters
from tests.processes import FEW_SYMBOLS

CATALOGUE = Catalogue.load(Calendar.load(), symbols=FEW_SYMBOLS)
UNDERLYINGS = CATALOGUE.underlyings
SURFACE = SurfaceModel(UNDERLYINGS, load_parameters(), 0.065)
DAYS = np.array([0.02, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 22.0, 36.0, 64.0, 127.0, 220.0, 400.0, 900.0, 1700.0])

states = st.fixed_dictionaries(
    {
        "row": st.integers(0, len(UNDERLYINGS) - 1),
        "level": st.floats(-1.1, 1.9),
        "today": st.floats(-0.5, 0.5),
        "premium": st.floats(-0.0012, 0.0012),
        "share": st.floats(0.05, 1.0),
    }
)


def slices_of(row: int, level: float, today: float, premium: float, share: float) -> Slices:
    """Slices of one underlying at DAYS; ``share`` of the first one's variance is still to come."""
    count = len(UNDERLYINGS)
    surface_states = SurfaceStates(
        np.full(count, UNDERLYINGS[row].annual_volatility),
        np.full(count, level),
        np.full(count, today),
        np.full(count, premium),
    )
    rows = np.full(len(DAYS), row)
    years = DAYS / 365.0
    sessions = np.maximum(np.cumsum(np.diff(DAYS, prepend=0.0) * 5 / 7) - (1 - share) * 0.01, 0.0)
    spot = np.full(len(DAYS), UNDERLYINGS[row].reference_price)
    return SURFACE.slices(rows, spot, years, sessions, years, surface_states)


def total_variance(slices: Slices, index: int, k: np.ndarray) -> np.ndarray:
    """SSVI, written out."""
    theta, rho, phi = slices.theta[index], slices.rho[index], slices.phi[index]
    return theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))


@given(states)
def test_total_variance_never_falls_with_the_expiry(state: dict[str, float]) -> None:
    slices = slices_of(**state)
    assert (np.diff(slices.theta) >= 0).all()
    k = np.linspace(-1.5, 1.5, 121)
    for index in range(len(DAYS) - 1):
        near, far = (total_variance(slices, place, k) for place in (index, index + 1))
        assert (far >= near * (1 - 1e-12)).all()


@given(states)
def test_slices_have_no_butterfly_arbitrage(state: dict[str, float]) -> None:
    slices = slices_of(**state)
    # Gatheral and Jacquier, theorem 4.2
    assert (slices.theta * slices.phi * (1 + np.abs(slices.rho)) < 4).all()
    assert (slices.theta * slices.phi**2 * (1 + np.abs(slices.rho)) <= 4).all()
    assert (slices.rho >= -0.4 - 1e-12).all()


@settings(max_examples=50)
@given(states)
def test_prices_agree_with_the_analytics(state: dict[str, float]) -> None:
    slices = slices_of(**state)
    forward = slices.forward
    strikes = np.concatenate([value * np.exp(np.linspace(-0.25, 0.25, 41)) for value in forward])
    listing = np.repeat(np.arange(len(DAYS)), 41)
    prices = np.empty((2, len(strikes)))
    pricer = Pricer(len(strikes))
    pricer.price(slice(0, len(strikes)), listing, strikes, np.log(strikes), slices, prices)
    k = np.log(strikes / forward[listing])
    variance = np.concatenate([total_variance(slices, n, k[listing == n]) for n in range(len(DAYS))])
    years = slices.years[listing]
    for side, is_call in enumerate((True, False)):
        expected = black76.price(
            forward[listing], strikes, years, np.sqrt(variance / years), is_call, slices.discount[listing]
        )
        np.testing.assert_allclose(prices[side], expected, rtol=1e-9, atol=1e-9 * forward.max())


def test_an_expired_slice_is_worth_its_intrinsic_value() -> None:
    one = np.ones(1)
    slices = Slices(100.0 * one, one, 1e-10 * one, 0 * one, 1e5 * one, 0 * one)
    strikes = np.array([90.0, 100.0, 110.0])
    prices = np.empty((2, 3))
    Pricer(3).price(slice(0, 3), np.zeros(3, dtype=np.intp), strikes, np.log(strikes), slices, prices)
    np.testing.assert_allclose(prices, [[10, 0, 0], [0, 0, 10]], atol=1e-3)


@pytest.mark.parametrize("level", [0.0, np.log(2.0)])
def test_skew_is_steeper_for_longer_expiries_and_in_stress(level: float) -> None:
    slices = slices_of(0, level, 0.0, 0.0, 1.0)
    weekly, monthly = (int(np.flatnonzero(days == DAYS)[0]) for days in (8.0, 36.0))
    assert slices.rho[monthly] < slices.rho[weekly] < 0
    calm = slices_of(0, 0.0, 0.0, 0.0, 1.0)
    assert (slices.rho <= calm.rho + 1e-15).all()


def test_term_structure_rises_when_calm_and_falls_when_stressed() -> None:
    def volatility(level: float) -> np.ndarray:
        slices = slices_of(0, level, 0.0, 0.0, 1.0)
        return np.sqrt(slices.theta / slices.years)[5:]

    assert (np.diff(volatility(-0.4)) > 0).all()
    assert (np.diff(volatility(0.6)) < 0).all()


def test_forward_need_not_follow_the_rate() -> None:
    slices = slices_of(0, 0.0, 0.0, 0.0, 1.0)
    carry = np.log(slices.forward / UNDERLYINGS[0].reference_price) / slices.years
    assert carry[5] > carry[7] > carry[10] > SURFACE.interest_rate
    below = slices_of(0, 0.0, 0.0, -0.0012, 1.0)
    assert (below.forward < slices.forward).all()
