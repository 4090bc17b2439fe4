"""Estimators on paths of known volatility, and standing among a history."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.realised_volatility import close_to_close, garman_klass, parkinson, rank_and_percentile


def _days(sigma, days=2000, steps=400):
    random = np.random.default_rng(7)
    path = np.cumsum(random.normal(0, sigma / math.sqrt(252 * steps), (days, steps)), axis=1)
    path = np.exp(np.concatenate([np.zeros((days, 1)), path], axis=1))
    return path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]


def test_estimators_find_the_volatility_of_a_random_walk():
    open_, high, low, close = _days(0.2)
    assert close_to_close(np.cumprod(close)).volatility == pytest.approx(0.2, rel=0.05)
    # a path of 400 steps misses a little of the continuous range
    assert parkinson(high, low).volatility == pytest.approx(0.2, rel=0.06)
    assert garman_klass(open_, high, low, close).volatility == pytest.approx(0.2, rel=0.06)


def test_close_to_close_is_the_sample_deviation():
    closes = [100.0, 101.0, 99.0, 100.0]
    expected = np.std(np.diff(np.log(closes)), ddof=1) * math.sqrt(252)
    assert close_to_close(closes).volatility == pytest.approx(expected)


def test_unknown_bars_are_left_out_and_counted_out():
    closes = [100.0, 101.0, np.nan, 100.0, 102.0, 101.0]
    assert close_to_close(closes).observations == 3
    assert parkinson([2.0, np.nan, 3.0], [1.0, 1.0, 0.0]).observations == 1
    assert garman_klass([1.0, np.nan], [1.2, 1.2], [0.9, 0.9], [1.1, 1.1]).observations == 1


def test_nothing_known_is_unknown():
    for result in (close_to_close([100.0, 101.0]), parkinson([], []), garman_klass([np.nan], [1], [1], [1])):
        assert math.isnan(result.volatility)


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
