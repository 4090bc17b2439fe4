"""Spans of minutes that a source missed."""

from __future__ import annotations

from feed.live.kite_wire import parse_candles
from feed.live.missed import MissedMinutes, Span

MINUTE = 60_000


def test_what_passed_before_the_first_sign_of_life_was_missed() -> None:
    missed = MissedMinutes(10 * MINUTE)
    missed.find(95 * MINUTE + 20_000)
    assert missed.take(96 * MINUTE - 1) is None  # its last minute is not over
    assert missed.take(96 * MINUTE) == Span(10 * MINUTE, 96 * MINUTE)
    assert missed.take(99 * MINUTE) is None


def test_the_minutes_in_which_it_was_lost_and_found_count_too() -> None:
    missed = MissedMinutes(0)
    missed.find(1)
    missed.take(MINUTE)
    missed.lose(7 * MINUTE + 59_000)
    missed.lose(8 * MINUTE)  # and it is still lost
    assert missed.lost_ms == 7 * MINUTE + 59_000
    missed.find(9 * MINUTE)
    missed.find(11 * MINUTE)
    assert missed.take(11 * MINUTE) == Span(7 * MINUTE, 10 * MINUTE)


def test_candles_of_the_broker_are_read_in_order() -> None:
    rows = [
        ["2026-11-23T10:01:00+0530", 2, 3, 1, 2.5, 70],
        ["2026-11-23T10:00:00+0530", 1, 2, 0.5, 1.5, 60, 12],
    ]
    candles = parse_candles(rows, "kite")
    assert candles.time_ms.tolist() == [1795408200000, 1795408260000]
    assert candles.close.tolist() == [1.5, 2.5]
    assert candles.volume.tolist() == [60.0, 70.0]
    assert len(parse_candles([], "kite")) == 0
