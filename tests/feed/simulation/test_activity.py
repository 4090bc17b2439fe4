"""The clocks of variance and volume, and the hours in which groups move."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST, MINUTE_MS, to_ms
from feed.reference.calendar import Calendar
from feed.simulation.activity import Activity
from feed.simulation.hours import Hours
from feed.simulation.parameters import load_parameters

CALENDAR = Calendar.load()
TABLES = load_parameters()["activity"]
NOBODY = np.zeros(2, dtype=bool)


def ist(day: int, hour: int, minute: int = 0, month: int = 11) -> int:
    return to_ms(datetime.datetime(2026, month, day, hour, minute, tzinfo=IST))


def activity(group: str, start_ms: int, calendar: Calendar = CALENDAR) -> Activity:
    exchanges = {"equity": ("NSE", "NFO"), "commodities": ("MCX", "MCX")}[group]
    return Activity(calendar, *exchanges, TABLES[group], start_ms)


EQUITY = activity("equity", ist(20, 12))
COMMODITIES = activity("commodities", ist(20, 12))


@pytest.mark.parametrize("clock", [EQUITY.variance_at, EQUITY.volume_at])
def test_a_day_from_close_to_close_counts_one(clock) -> None:
    assert clock(ist(26, 15, 40)) - clock(ist(25, 15, 40)) == pytest.approx(1.0)
    # over a weekend, and over Tuesday's holiday, too
    assert clock(ist(23, 15, 40)) - clock(ist(20, 15, 40)) == pytest.approx(1.0)
    assert clock(ist(25, 15, 40)) - clock(ist(23, 15, 40)) == pytest.approx(1.0)


def test_the_night_has_its_share() -> None:
    night = EQUITY.variance_at(ist(26, 9, 15)) - EQUITY.variance_at(ist(25, 15, 40))
    assert night == pytest.approx(TABLES["equity"]["overnight_share"])
    half = EQUITY.variance_at(ist(22, 0)) - EQUITY.variance_at(ist(20, 15, 40))
    assert 0 < half < night


def test_commodities_live_in_the_evening() -> None:
    def share(clock, start_ms: int, end_ms: int) -> float:
        return clock(end_ms) - clock(start_ms)

    day = ist(25, 9), ist(25, 23, 55)
    session = share(COMMODITIES.variance_at, *day)
    assert share(COMMODITIES.variance_at, ist(25, 18), day[1]) / session == pytest.approx(0.5, abs=0.05)
    volume = share(COMMODITIES.volume_at, *day)
    assert share(COMMODITIES.volume_at, ist(25, 17), day[1]) / volume == pytest.approx(0.84, abs=0.02)


@given(st.integers(ist(18, 0), ist(31, 0, month=12)), st.integers(0, 40 * 86_400_000))
def test_clocks_never_run_backwards(instant_ms: int, later_ms: int) -> None:
    for market in (EQUITY, COMMODITIES):
        assert market.variance_at(instant_ms + later_ms) >= market.variance_at(instant_ms)
        assert market.volume_at(instant_ms + later_ms) >= market.volume_at(instant_ms)


def test_variance_until_a_far_expiry_counts_a_year_as_its_sessions() -> None:
    years = np.array([ist(24, 12) + n * 365.25 * 86_400_000 for n in (1.0, 2.0)])
    found = EQUITY.variance_until(years, 250.0)
    assert found[1] - found[0] == pytest.approx(250.0)
    assert found[0] - EQUITY.variance_at(ist(24, 12)) == pytest.approx(249, abs=5)


def test_a_special_session_is_a_small_day_at_its_own_hours() -> None:
    muhurat = EQUITY.trading_day(datetime.date(2026, 11, 8))
    usual = EQUITY.trading_day(datetime.date(2026, 11, 25))
    assert len(muhurat.minute_variance) == 60
    assert 0.1 < muhurat.minute_variance.sum() / usual.minute_variance.sum() < 0.5
    assert muhurat.minute_variance[0] > muhurat.minute_variance[30]


def test_an_evening_session_has_the_evening_of_a_whole_one() -> None:
    evening = COMMODITIES.trading_day(datetime.date(2026, 11, 24))
    usual = COMMODITIES.trading_day(datetime.date(2026, 11, 25))
    np.testing.assert_array_equal(evening.minute_variance, usual.minute_variance[8 * 60 :])


def test_a_day_without_session_is_refused() -> None:
    with pytest.raises(KeyError, match="2026-11-24 has none"):
        EQUITY.trading_day(datetime.date(2026, 11, 24))


def test_exchange_hours_keep_the_night_for_the_open() -> None:
    hours = Hours([EQUITY, COMMODITIES], ist(25, 15, 40) - 1, always=False)
    hours.step(ist(25, 15, 40), NOBODY)
    hours.close(0)
    evening = hours.step(ist(25, 20), NOBODY)
    assert evening.moving.tolist() == [False, True]
    assert evening.variance[0] == 0
    hours.step(ist(25, 23, 55), NOBODY)
    hours.close(1)
    assert hours.next_event() == (ist(26, 9), 1, True)
    hours.step(ist(26, 9), NOBODY)
    hours.open(1)
    hours.step(ist(26, 9, 15), NOBODY)
    hours.open(0)
    gap = hours.step(ist(26, 9, 15), NOBODY)
    assert gap.variance[0] == pytest.approx(TABLES["equity"]["overnight_share"])
    assert gap.opened[0]
    assert hours.begins_session(0, gap)
    following = hours.step(ist(26, 9, 15) + 500, NOBODY)
    assert not following.opened.any()
    assert not hours.begins_session(0, following)


def test_a_halted_group_stands_and_does_not_catch_up() -> None:
    hours = Hours([EQUITY, COMMODITIES], ist(25, 11), always=True)
    halted = hours.step(ist(25, 11, 30), np.array([True, False]))
    assert halted.moving.tolist() == [False, True]
    assert halted.variance[0] == halted.volume[0] == 0
    after = hours.step(ist(25, 11, 31), NOBODY)
    expected = EQUITY.variance_at(ist(25, 11, 31)) - EQUITY.variance_at(ist(25, 11, 30))
    assert after.variance[0] == pytest.approx(expected)


def test_the_spot_stands_from_the_auction_to_the_close() -> None:
    hours = Hours([EQUITY, COMMODITIES], ist(25, 11), always=True)
    assert not hours.spot_stands(ist(25, 15, 35))
    assert hours.spot_stands(ist(25, 15, 35) + 1)
    assert hours.spot_stands(ist(25, 15, 40))


def test_sessions_are_known_far_enough_ahead_however_long_it_runs() -> None:
    market = activity("equity", ist(20, 12))
    hours = Hours([market, COMMODITIES], ist(20, 12), always=True)
    for _ in range(40):
        at_ms = hours.days[0].close_ms
        hours.step(at_ms, NOBODY)
        hours.close(0)
        assert hours.days[0].open_ms > at_ms
        assert market.variance_at(at_ms + 30 * 1440 * MINUTE_MS) > market.variance_at(at_ms) + 15
