"""The wall clock keeps to its grid; the virtual clock never skips a step."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import to_datetime, to_ms
from feed.market.clock import CATCH_UP_S, VirtualClock, WallClock

STEP_MS = 500


class Hand:
    """A clock's hand that a test moves."""

    def __init__(self, at_ns: int = 0) -> None:
        self.at_ns = at_ns

    def __call__(self) -> int:
        return self.at_ns

    def move_ms(self, by_ms: float) -> None:
        self.at_ns += round(by_ms * 1e6)


def all_due(clock):
    due = []
    while (instant := clock.due()) is not None:
        due.append(instant)
    return due


def test_wall_clock_ticks_on_its_grid():
    hand = Hand(1_000_100 * 10**6)
    clock = WallClock(STEP_MS, hand)
    assert clock.due() is None
    hand.move_ms(950)
    assert all_due(clock) == [1_000_500, 1_001_000]


def test_wall_clock_takes_every_missed_step_after_a_short_stall():
    hand = Hand(10**15)
    clock = WallClock(STEP_MS, hand)
    hand.move_ms(7_000)
    assert len(all_due(clock)) == 14


def test_wall_clock_goes_on_from_now_after_a_long_stop():
    hand = Hand(10**15)
    clock = WallClock(STEP_MS, hand)
    hand.move_ms(CATCH_UP_S * 1000 + 10_000)
    assert all_due(clock) == [clock.now_ms() // STEP_MS * STEP_MS]


def test_wall_clock_that_is_set_back_does_not_freeze():
    hand = Hand(10**15)
    clock = WallClock(STEP_MS, hand)
    hand.move_ms(-3_600_000)
    assert len(all_due(clock)) == 1
    hand.move_ms(STEP_MS)
    assert len(all_due(clock)) == 1


@given(st.lists(st.floats(0, 5_000), max_size=20), st.floats(0.1, 100))
def test_virtual_clock_visits_the_same_instants_however_the_loop_stalls(pauses_ms, speed):
    hand = Hand()
    clock = VirtualClock(0, STEP_MS, speed, hand)
    seen = []
    for pause_ms in pauses_ms:
        hand.move_ms(pause_ms)
        seen += all_due(clock)
    assert seen == list(range(STEP_MS, STEP_MS * (len(seen) + 1), STEP_MS))
    assert clock.now_ms() == STEP_MS * len(seen)


def test_virtual_clock_runs_at_its_speed_and_stands_still_when_paused():
    hand = Hand()
    clock = VirtualClock(0, STEP_MS, 60, hand)
    hand.move_ms(1_000)
    assert len(all_due(clock)) == 120
    clock.pause()
    hand.move_ms(1_000)
    assert clock.paused
    assert all_due(clock) == []
    clock.resume()
    assert all_due(clock) == []
    clock.set_speed(1)
    hand.move_ms(1_000)
    assert (clock.speed, len(all_due(clock))) == (1, 2)


def test_virtual_clock_goes_on_from_where_it_was_put():
    hand = Hand()
    clock = VirtualClock(0, STEP_MS, 1, hand)
    clock.seek(1_000_000)
    hand.move_ms(STEP_MS)
    assert all_due(clock) == [1_000_000 + STEP_MS]


@pytest.mark.parametrize("instant", [datetime(2026, 11, 23, 3, 45, 0, 123000, tzinfo=UTC)])
def test_instants_convert_both_ways(instant):
    assert to_datetime(to_ms(instant)) == instant
