"""Resampling by session: alignment, unknowns, and the same result in steps as at once."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from analytics.bars import INTERVALS, Candles, resample

MINUTE = 60_000
FIELDS = [field.name for field in dataclasses.fields(Candles)]


def _instant(day, hour, minute):
    """Milliseconds of an Indian wall-clock time of November 2026."""
    india = datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=5, minutes=30)
    return int(india.timestamp() * 1000)


def _session(day, minutes, start=(9, 15), seed=0):
    random = np.random.default_rng(seed)
    opening = _instant(day, *start)
    price = 24_000.0 + np.cumsum(random.integers(-20, 21, minutes))
    return Candles(
        time=opening + MINUTE * np.arange(minutes),
        session_open=np.full(minutes, opening),
        open=price,
        high=price + random.integers(0, 10, minutes),
        low=price - random.integers(0, 10, minutes),
        close=price + random.integers(-5, 6, minutes),
        volume=random.integers(0, 500, minutes).astype(float),
        open_interest=random.integers(0, 90_000, minutes).astype(float),
    )


def _joined(*parts):
    return Candles(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS})


def _assert_same(one, other):
    for name in FIELDS:
        assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_a_larger_candle_is_first_extremes_last_and_sum():
    minutes = _session(2, 15)
    (bar,) = zip(*(getattr(resample(minutes, "15m"), name).tolist() for name in FIELDS), strict=True)
    assert bar == (
        _instant(2, 9, 15),
        _instant(2, 9, 15),
        minutes.open[0],
        minutes.high.max(),
        minutes.low.min(),
        minutes.close[-1],
        minutes.volume.sum(),
        minutes.open_interest[-1],
    )


def test_hours_start_with_the_session_and_the_last_is_short():
    hours = resample(_session(2, 385), "1h")
    assert_array_equal(hours.time, [_instant(2, 9 + hour, 15) for hour in range(7)])
    assert resample(_session(2, 385), "30m").time[-1] == _instant(2, 15, 15)


def test_no_candle_spans_two_sessions_or_is_invented():
    morning, evening = _session(2, 20, (9, 0)), _session(2, 20, (17, 0))
    result = resample(_joined(morning, evening), "30m")
    assert_array_equal(result.time, [_instant(2, 9, 0), _instant(2, 17, 0)])
    assert_array_equal(result.volume, [morning.volume.sum(), evening.volume.sum()])


def test_a_day_is_a_session_and_a_week_begins_on_monday():
    days = [_session(day, 30, seed=day) for day in (5, 6, 9, 10, 13, 16)]
    sunday = _session(8, 30, (18, 0))
    daily = resample(_joined(*days[:2], sunday, *days[2:]), "1d")
    assert daily.time.size == 7
    assert_array_equal(daily.time, daily.session_open)
    weekly = resample(daily, "1w")
    assert_array_equal(weekly.time, [_instant(5, 9, 15), _instant(9, 9, 15), _instant(16, 9, 15)])
    assert weekly.volume[1] == sum(part.volume.sum() for part in days[2:5])


def test_a_session_after_midnight_in_utc_belongs_to_its_indian_day():
    monday = _session(2, 5, (0, 30))
    assert monday.time[0] < datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000
    assert resample(_joined(_session(1, 5), monday), "1w").time.size == 2


def test_unknown_values_are_passed_over_and_never_become_zero():
    minutes = _session(2, 6)
    for name in ("open", "high", "low", "close", "volume", "open_interest"):
        getattr(minutes, name)[[0, 2, 3, 4, 5]] = np.nan
    bars = resample(minutes, "3m")
    for name in ("open", "high", "low", "close", "volume", "open_interest"):
        assert getattr(bars, name)[0] == getattr(minutes, name)[1]
        assert math.isnan(getattr(bars, name)[1])


@st.composite
def minute_candles(draw):
    parts = []
    for day in (2, 3, 5, 9):
        session = _session(day, 385, seed=draw(st.integers(0, 99)))
        kept = np.array(draw(st.lists(st.booleans(), min_size=77, max_size=77))).repeat(5)
        parts.append(Candles(**{name: getattr(session, name)[kept] for name in FIELDS}))
    joined = _joined(*parts)
    for name in FIELDS[2:]:
        getattr(joined, name)[:: draw(st.integers(2, 9))] = np.nan
    return joined


@settings(max_examples=25, deadline=None)
@given(
    minute_candles(),
    st.sampled_from(
        [
            ("3m", "15m"),
            ("5m", "15m"),
            ("15m", "30m"),
            ("30m", "1h"),
            ("1h", "1d"),
            ("3m", "1d"),
            ("1d", "1w"),
            ("1h", "1w"),
        ]
    ),
)
def test_in_steps_or_at_once_is_the_same(candles, steps):
    small, large = steps
    _assert_same(resample(resample(candles, small), large), resample(candles, large))


@pytest.mark.parametrize("interval", INTERVALS)
def test_resampling_to_the_same_interval_changes_nothing(interval):
    once = resample(_joined(_session(2, 385), _session(3, 385)), interval)
    _assert_same(resample(once, interval), once)


def test_nothing_gives_nothing():
    empty = Candles(**{name: getattr(_session(2, 1), name)[:0] for name in FIELDS})
    assert resample(empty, "1d").time.size == 0


def test_what_cannot_be_resampled_is_refused_with_the_rule():
    with pytest.raises(
        ValueError, match="interval must be one of 1m, 3m, 5m, 15m, 30m, 1h, 1d, 1w, was '2m'"
    ):
        resample(_session(2, 5), "2m")
    with pytest.raises(ValueError, match="ascending order"):
        resample(_joined(_session(3, 5), _session(2, 5)), "3m")
