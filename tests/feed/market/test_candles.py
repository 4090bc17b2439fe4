"""The session grid, and what larger candles are made of."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instants import MINUTE_MS
from domain.intervals import INTERVALS, INTERVALS_MS
from feed.market.candles import Candles, SessionGrid
from feed.reference.calendar import Calendar
from tests.feed.history.support import CALENDAR, assert_same_candles, at
from tests.feed.market import slow_bars as bars

DAY = 86_400_000
EXCHANGE = SessionGrid(CALENDAR, "NFO", "exchange")
ALWAYS = SessionGrid(CALENDAR, "NFO", "always")
COMMODITIES = SessionGrid(CALENDAR, "MCX", "always")
GRIDS = {"exchange": EXCHANGE, "always": ALWAYS, "commodities": COMMODITIES}

grids = st.sampled_from(list(GRIDS.values()))
instants = st.integers(at("2025-01-02 00:00"), at("2027-12-01 00:00"))
intraday = st.sampled_from(list(INTERVALS_MS))
intervals = st.sampled_from(INTERVALS)


@st.composite
def minutes(draw: st.DrawFn, longest: int = 4 * 1440) -> Candles:
    """Some minutes of one or several days, with gaps."""
    first = draw(instants) // MINUTE_MS
    chosen = sorted(draw(st.sets(st.integers(0, longest), min_size=1, max_size=60)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = (first + np.array(chosen)) * MINUTE_MS
    prices = np.round(rng.uniform(90, 110, (4, len(times))), 2)
    opens, close = prices[0], prices[1]
    volume = np.where(rng.random(len(times)) < 0.1, np.nan, rng.integers(0, 1000, len(times)))
    interest = np.where(rng.random(len(times)) < 0.1, np.nan, rng.integers(0, 1000, len(times)))
    columns = (opens, prices.max(axis=0), prices.min(axis=0), close, volume, interest)
    return Candles.of(times, columns, 1)


@given(grids, instants)
def test_every_instant_belongs_to_one_trading_day(grid: SessionGrid, instant: int) -> None:
    day = grid.day_at(instant)
    assert day.start_ms <= instant < day.end_ms
    assert day.start_ms <= day.open_ms < day.close_ms <= day.end_ms


@given(grids, instants)
@settings(max_examples=30)
def test_trading_days_follow_each_other_without_gap(grid: SessionGrid, instant: int) -> None:
    days = grid.days(instant, instant + 20 * DAY)
    assert days[0].start_ms <= instant
    assert days[-1].end_ms >= instant + 20 * DAY
    assert all(left.end_ms == right.start_ms and left.day < right.day for left, right in pairwise(days))


@given(grids, intervals, instants)
def test_bounds_hold_the_instant_and_agree_with_labels(
    grid: SessionGrid, interval: str, instant: int
) -> None:
    start_ms, end_ms, label_ms = grid.bounds(interval, instant)
    assert start_ms <= instant < end_ms
    assert grid.labels(interval, np.array([instant])).tolist() == [instant if interval == "1m" else label_ms]
    assert (
        grid.bounds(interval, start_ms) == grid.bounds(interval, end_ms - 1) == (start_ms, end_ms, label_ms)
    )


@given(grids, intraday, instants)
def test_intraday_candles_stand_on_the_grid_of_their_session(
    grid: SessionGrid, interval: str, instant: int
) -> None:
    start_ms, end_ms, _ = grid.bounds(interval, instant)
    day = grid.day_at(instant)
    assert start_ms == day.start_ms or (start_ms - day.open_ms) % INTERVALS_MS[interval] == 0
    assert end_ms == day.end_ms or (end_ms - day.open_ms) % INTERVALS_MS[interval] == 0
    assert end_ms - start_ms <= INTERVALS_MS[interval]


@given(
    grids,
    minutes(),
    st.sampled_from([("5m", "15m"), ("3m", "30m"), ("15m", "1h"), ("1h", "1d"), ("5m", "1w")]),
)
def test_resampling_in_steps_is_resampling_at_once(
    grid: SessionGrid, candles: Candles, steps: tuple[str, str]
) -> None:
    small, large = steps
    assert_same_candles(grid.resample(large, grid.resample(small, candles)), grid.resample(large, candles))


@given(minutes(), intervals)
def test_resampling_of_sessions_is_that_of_analytics(candles: Candles, interval: str) -> None:
    days = [EXCHANGE.day_at(time_ms) for time_ms in candles.time_ms.tolist()]
    traded = [day.open_ms <= t < day.close_ms for t, day in zip(candles.time_ms, days, strict=True)]
    candles, opens = candles.take(np.array(traded)), np.array([day.open_ms for day in days])[traded]
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume, candles.open_interest)
    theirs = bars.resample(bars.Candles(candles.time_ms, opens, *columns), interval)
    ours = EXCHANGE.resample(interval, candles)
    if interval != "1w":  # a week of which the first session is missing has its label all the same
        assert ours.time_ms.tolist() == theirs.time.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), err_msg=name)


@given(grids, minutes(), intervals)
def test_larger_candles_keep_the_volume_and_the_range(
    grid: SessionGrid, candles: Candles, interval: str
) -> None:
    larger = grid.resample(interval, candles)
    assert np.nansum(larger.volume) == np.nansum(candles.volume)
    assert larger.high.max() == candles.high.max()
    assert larger.low.min() == candles.low.min()
    assert larger.open[0] == candles.open[0]
    assert larger.close[-1] == candles.close[-1]
    assert np.all(np.diff(larger.time_ms) > 0)


@pytest.mark.parametrize(
    ("grid", "interval", "instant", "label"),
    [
        ("exchange", "1h", "2026-11-25 09:15", "2026-11-25 09:15"),
        ("exchange", "1h", "2026-11-25 15:39", "2026-11-25 15:15"),
        ("exchange", "15m", "2026-11-25 09:08", "2026-11-25 09:00"),
        ("exchange", "1d", "2026-11-25 15:39", "2026-11-25 09:15"),
        ("exchange", "1d", "2026-11-24 12:00", "2026-11-25 09:15"),  # a holiday belongs to the next session
        ("always", "1h", "2026-11-25 15:39", "2026-11-25 15:15"),
        ("always", "1h", "2026-11-25 15:41", "2026-11-25 15:40"),  # the new day's first, cut short
        ("always", "1h", "2026-11-25 16:20", "2026-11-25 16:15"),
        ("always", "1d", "2026-11-25 15:41", "2026-11-26 09:15"),
        ("always", "1d", "2026-11-28 12:00", "2026-11-30 09:15"),  # a Saturday
        ("always", "1w", "2026-11-27 15:41", "2026-11-30 09:15"),  # Friday after the close
        ("always", "1w", "2026-11-25 12:00", "2026-11-23 09:15"),
        ("commodities", "1h", "2026-11-25 23:50", "2026-11-25 23:00"),
        ("commodities", "1d", "2026-11-25 23:56", "2026-11-26 09:00"),
        ("commodities", "1d", "2026-11-24 18:00", "2026-11-24 17:00"),  # the evening of a holiday
    ],
)
def test_candles_of_named_instants(grid: str, interval: str, instant: str, label: str) -> None:
    assert GRIDS[grid].bounds(interval, at(instant))[2] == at(label)


def test_a_day_without_a_session_has_an_opening_all_the_same() -> None:
    holiday = EXCHANGE.day(date(2026, 11, 24))
    assert holiday.open_ms == at("2026-11-24 00:00")


def test_grid_follows_a_calendar_that_was_read_again(tmp_path: Path) -> None:
    override = tmp_path / "override.toml"
    calendar = Calendar.load(override=override)
    grid = SessionGrid(calendar, "NFO", "exchange")
    assert grid.day(date(2026, 11, 25)).end_ms > grid.day(date(2026, 11, 25)).start_ms
    override.write_text('[holidays.equity]\n2026-11-25 = "Elections"', encoding="utf-8")
    calendar.reload()
    assert grid.day(date(2026, 11, 25)).end_ms == grid.day(date(2026, 11, 25)).start_ms


def test_a_week_has_its_sessions_on_a_weekend() -> None:
    grid = SessionGrid(CALENDAR, "NFO", "exchange")
    first, last = grid.week(date(2024, 3, 1))  # a Friday before a drill on Saturday
    assert (first.day, last.day) == (date(2024, 2, 26), date(2024, 3, 2))
    sunday = date(2023, 11, 12)  # Muhurat trading ends that week
    assert grid.week(sunday)[1].day == sunday


def test_a_week_has_the_day_it_is_asked_for_though_the_calendar_closes_it_meanwhile() -> None:
    saturday = date(2026, 11, 28)
    first, last = SessionGrid(CALENDAR, "NFO", "exchange").week(saturday)
    assert (first.day, last.day) == (date(2026, 11, 23), saturday)


def test_merging_keeps_the_later_part_of_one_time() -> None:
    ones, nines = np.ones((5, 2)), np.full((5, 2), 9.0)
    left = Candles.of(np.array([60_000, 120_000]), ones, 1)
    right = Candles.of(np.array([0, 60_000]), nines, 2)
    merged = Candles.merge([left, right])
    assert merged.time_ms.tolist() == [0, 60_000, 120_000]
    assert merged.open.tolist() == [9, 9, 1]
    assert merged.source_names == ("simulated", "replay")
    assert len(Candles.merge([])) == 0


def test_unknown_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="hours must be 'exchange' or 'always', was 'never'"):
        SessionGrid(CALENDAR, "NFO", "never")
