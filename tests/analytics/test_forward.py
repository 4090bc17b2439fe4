"""Forward by parity: exact on consistent quotes, robust against stale ones, honest about its fallbacks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import black76
from analytics.forward import ForwardMethod, parity_forward

STRIKES = np.arange(22_000.0, 26_050.0, 50.0)
TIME, RATE = 9 / 365, 0.06
NOTHING = np.full((2, STRIKES.size), np.nan)


def _mids(forward):
    discount = math.exp(-RATE * TIME)
    return black76.price(forward, STRIKES, TIME, 0.12, [[True], [False]], discount)


@settings(max_examples=50, deadline=None)
@given(st.floats(23_000, 25_000), st.floats(-0.004, 0.006), st.floats(0.01, 0.2))
def test_consistent_quotes_give_their_forward_whatever_the_carry(spot, carry, half_spread):
    mids = _mids(spot * (1 + carry))
    result = parity_forward(spot, STRIKES, (mids - half_spread, mids + half_spread, NOTHING), TIME, RATE)
    known = mids[:, np.abs(STRIKES - spot) <= 0.015 * spot] > half_spread
    assert result.method is ForwardMethod.parity
    assert result.strikes_used == known.all(axis=0).sum() > 5
    assert result.forward == pytest.approx(spot * (1 + carry), rel=1e-12)
    assert result.dispersion < 1e-9


def test_a_minority_of_stale_quotes_does_not_move_the_median():
    bid, ask = _mids(24_030.0) - 0.05, _mids(24_030.0) + 0.05
    stale = np.flatnonzero(np.abs(STRIKES - 24_000) <= 100)
    bid[0, stale], ask[0, stale] = 400.0, 900.0
    result = parity_forward(24_000.0, STRIKES, (bid, ask, NOTHING), TIME, RATE)
    assert result.forward == pytest.approx(24_030.0, abs=1e-9)


def test_one_sided_crossed_and_missing_quotes_do_not_count():
    bid, ask = _mids(24_030.0) - 0.05, _mids(24_030.0) + 0.05
    near = np.flatnonzero(np.abs(STRIKES - 24_000) <= 0.015 * 24_000)
    bid[0, near[0]] = 0.0
    ask[1, near[1]] = np.nan
    bid[1, near[2]] = ask[1, near[2]] + 1.0
    result = parity_forward(24_000.0, STRIKES, (bid, ask, NOTHING), TIME, RATE)
    assert result.strikes_used == near.size - 3


def test_without_quotes_near_the_money_the_nearest_ones_are_taken():
    bid, ask = _mids(24_030.0) - 0.05, _mids(24_030.0) + 0.05
    bid[:, np.abs(STRIKES - 24_000) <= 0.02 * 24_000] = np.nan
    result = parity_forward(24_000.0, STRIKES, (bid, ask, _mids(23_000.0)), TIME, RATE)
    assert (result.method, result.strikes_used) == (ForwardMethod.parity_wide, 5)
    assert result.forward == pytest.approx(24_030.0, abs=1e-9)


def test_without_quotes_last_prices_are_taken():
    result = parity_forward(24_000.0, STRIKES, (NOTHING, NOTHING, _mids(24_050.0)), TIME, RATE)
    assert (result.method, result.strikes_used) == (ForwardMethod.parity_last, 5)
    assert result.forward == pytest.approx(24_050.0, abs=1e-9)


def test_without_options_the_spot_is_carried_and_says_so():
    result = parity_forward(24_000.0, STRIKES, (NOTHING, NOTHING, NOTHING * 0), TIME, RATE)
    assert (result.method, result.strikes_used) == (ForwardMethod.spot_carry, 0)
    assert result.forward == pytest.approx(24_000.0 * math.exp(RATE * TIME))
    assert math.isnan(result.dispersion)


def test_without_anything_the_forward_is_unknown():
    result = parity_forward(math.nan, STRIKES, (NOTHING, NOTHING, NOTHING), TIME, RATE)
    assert (result.method, result.strikes_used) == (ForwardMethod.unavailable, 0)
    assert math.isnan(result.forward)


def test_without_a_spot_parity_still_finds_the_money():
    mids = _mids(24_030.0)
    result = parity_forward(math.nan, STRIKES, (mids - 0.02, mids + 0.02, NOTHING), TIME, RATE)
    assert result.method is ForwardMethod.parity_wide
    assert result.forward == pytest.approx(24_030.0, abs=1e-9)


def test_last_prices_of_strikes_with_one_leg_that_never_traded_do_not_count():
    lasts = _mids(24_050.0)
    near = np.flatnonzero(np.abs(STRIKES - 24_000) <= 300)
    lasts[0, near[::2]] = 0.0
    lasts[1, near[1::2]] = np.nan
    result = parity_forward(24_000.0, STRIKES, (NOTHING, NOTHING, lasts), TIME, RATE)
    assert result.method is ForwardMethod.parity_last
    assert result.forward == pytest.approx(24_050.0, abs=1e-9)
