"""Standing among a history."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.volatility_rank import LEAST_DAYS, PastLevels, rank_and_percentile


def test_rank_and_percentile_of_a_known_history():
    result = rank_and_percentile(np.linspace(10.0, 20.0, 41), 15.0)
    assert (result.rank, result.days) == (0.5, 41)
    assert result.percentile == pytest.approx(20 / 41)


def test_a_new_extreme_is_the_end_of_the_range():
    assert rank_and_percentile(np.arange(30.0), 99.0).rank == 1.0
    assert rank_and_percentile(np.arange(30.0), -1.0).rank == 0.0


@pytest.mark.parametrize(("days", "known"), [(19, False), (20, True)])
def test_rank_needs_twenty_known_days(days, known):
    history = np.append(np.arange(float(days)), [np.nan] * 5)
    result = rank_and_percentile(history, 3.0)
    assert result.days == days
    assert math.isnan(result.rank) is math.isnan(result.percentile) is not known


def test_rank_among_equal_days_is_unknown():
    assert math.isnan(rank_and_percentile(np.full(30, 12.0), 12.0).rank)
    assert math.isnan(rank_and_percentile(np.arange(30.0), math.nan).percentile)


@given(
    st.lists(st.floats(0.01, 3.0) | st.just(math.nan), min_size=LEAST_DAYS, max_size=60),
    st.floats(0.01, 3.0),
)
def test_rank_is_what_each_day_by_itself_says(history, current):
    known = [day for day in history if not math.isnan(day)]
    found = PastLevels(history).rank(current)
    assert found.days == len(known)
    if len(known) >= LEAST_DAYS:
        assert found.percentile == sum(day < current for day in known) / len(known)
        low, high = min(*known, current), max(*known, current)
        assert math.isnan(found.rank) if low == high else found.rank == (current - low) / (high - low)
