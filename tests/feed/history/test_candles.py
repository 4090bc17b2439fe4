"""The candle law: candles are what the published prices make, in every interval and at every moment."""

from __future__ import annotations

import functools
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instants import MINUTE_MS
from domain.intervals import INTERVALS
from feed.history.history import History
from feed.market.candles import SessionGrid
from tests.feed.history.support import (
    CALENDAR,
    NEAR,
    SYMBOLS,
    Tape,
    assert_equal_bars,
    assert_same_candles,
    at,
    market,
    reference,
    run,
)

DAY = 86_400_000
STARTS = {
    "in the session": "2026-11-25 10:01",
    "over a close": "2026-11-25 15:35",
    "over a weekend": "2026-11-27 23:50",
}

# seconds to the next step, price moves in ticks, volume traded; now and then a long pause
steps = st.lists(
    st.tuples(st.one_of(st.integers(1, 90), st.integers(1, 40_000)), st.integers(-9, 9), st.integers(0, 5)),
    min_size=1,
    max_size=60,
)


def played(tape_steps: list[tuple[int, int, int]], start_ms: int, hours: str) -> tuple[Tape, int]:
    history = History(None, calendar=CALENDAR, hours=hours, flush_interval_s=0.01, queue_limit=10_000)
    of = market()
    history.start(of, start_ms)
    tape = Tape(history, of)
    grids = [SessionGrid(CALENDAR, u.derivatives_exchange, hours) for u in of.universe.underlyings]
    now_ms, tape.volume = start_ms, np.array([1000.0, 2000.0, np.nan])  # the last trades nothing
    for seconds, move, volume in tape_steps:
        before = now_ms
        tape.price = tape.price + move * 0.05 * np.array([1, 0, 2])
        tape.volume = tape.volume + np.array([volume, move == 0, 0])
        for row, grid in enumerate(grids):
            if grid.day_at(before) != grid.day_at(now_ms):
                tape.volume[row] = 0
        tape.contracts["last_price"] = np.maximum(0.05, tape.contracts["last_price"] + move * 0.05)
        tape.contracts["volume"] = tape.contracts["volume"] + (volume == 3)
        tape.publish(now_ms)
        now_ms += seconds * 1000
    return tape, now_ms


def ticks_of(tape: Tape, row: int) -> list[tuple[int, float, float]]:
    return [(t, float(price[row]), float(volume[row])) for t, price, volume in tape.published]


@pytest.mark.parametrize("hours", ["exchange", "always"])
@given(tape_steps=steps, start=st.sampled_from(list(STARTS)))
@settings(max_examples=12, deadline=None)
def test_candles_are_what_the_published_prices_make(
    hours: str, tape_steps: list[tuple[int, int, int]], start: str
) -> None:
    start_ms = at(STARTS[start])
    tape, _ = played(tape_steps, start_ms, hours)
    run(_check_law(tape, start_ms, hours))


async def _check_law(tape: Tape, start_ms: int, hours: str) -> None:
    history, last_ms = tape.history, tape.published[-1][0]
    for row, symbol in enumerate(SYMBOLS):
        grid = SessionGrid(CALENDAR, tape.market.universe.underlyings[row].derivatives_exchange, hours)
        for interval in INTERVALS:
            expected = reference(ticks_of(tape, row), functools.partial(_label, grid, interval))
            assert_equal_bars(
                await history.answers.candles(symbol, interval, start_ms, last_ms + 1), expected
            )
            forming = history.answers.forming(symbol, interval, last_ms)
            current = [bar for bar in expected if bar.time_ms == _label(grid, interval, last_ms)]
            assert (forming is None) == (not current)
            if forming is not None:
                assert forming.time_ms == current[0].time_ms
                np.testing.assert_allclose(astuple(forming)[1:6], astuple(current[0])[1:6], atol=0.005)
    await history.stop()


def _label(grid: SessionGrid, interval: str, time_ms: int) -> int:
    return grid.bounds(interval, time_ms)[2] if interval != "1m" else time_ms - time_ms % MINUTE_MS


@given(tape_steps=steps, start=st.sampled_from(list(STARTS)))
@settings(max_examples=12, deadline=None)
def test_larger_intervals_are_the_resampled_smaller_ones_for_contracts_too(
    tape_steps: list[tuple[int, int, int]], start: str
) -> None:
    start_ms = at(STARTS[start])
    tape, end_ms = played(tape_steps, start_ms, "always")
    run(_check_resampling(tape, start_ms, end_ms))


async def _check_resampling(tape: Tape, start_ms: int, end_ms: int) -> None:
    grid = SessionGrid(CALENDAR, "NFO", "always")
    for contract in (None, (NEAR, 22500.0, True), (NEAR, 22600.0, False)):
        minutes = await tape.history.answers.candles("NIFTY", "1m", start_ms, end_ms, contract)
        for interval in INTERVALS:
            larger = await tape.history.answers.candles("NIFTY", interval, start_ms, end_ms, contract)
            assert_same_candles(larger, grid.resample(interval, minutes))
    await tape.history.stop()


@given(tape_steps=steps, start=st.sampled_from(list(STARTS)))
@settings(max_examples=12, deadline=None)
def test_every_candle_is_reported_closed_once_as_history_serves_it(
    tape_steps: list[tuple[int, int, int]], start: str
) -> None:
    start_ms = at(STARTS[start])
    tape, _ = played(tape_steps, start_ms, "exchange")
    run(_check_closed(tape, start_ms))


async def _check_closed(tape: Tape, start_ms: int) -> None:
    last_ms = tape.published[-1][0]
    for row, symbol in enumerate(SYMBOLS):
        exchange = tape.market.universe.underlyings[row].derivatives_exchange
        grid = SessionGrid(CALENDAR, exchange, "exchange")
        for interval in INTERVALS:
            served = await tape.history.answers.candles(symbol, interval, start_ms, last_ms + 1)
            ends = [grid.bounds(interval, time_ms)[1] for time_ms in served.time_ms.tolist()]
            final = served.take(np.array(ends, np.int64) <= last_ms // MINUTE_MS * MINUTE_MS)
            closed = [c.candle for c in tape.closed if (c.symbol, c.interval) == (symbol, interval)]
            assert [candle.time_ms for candle in closed] == final.time_ms.tolist()
            for name in ("open", "high", "low", "close", "volume"):
                told = [getattr(candle, name) for candle in closed]
                np.testing.assert_allclose(told, getattr(final, name), atol=0.005, err_msg=name)
    await tape.history.stop()


def test_the_first_price_of_a_start_has_no_volume_and_a_new_day_counts_from_nothing() -> None:
    history, of = History(None, calendar=CALENDAR, hours="exchange"), market()
    start_ms = at("2026-11-25 15:39")
    history.start(of, start_ms)
    tape = Tape(history, of)
    tape.volume = np.array([70_000.0, 0, 0])
    tape.publish(start_ms)
    tape.volume = np.array([70_500.0, 0, 0])
    tape.publish(start_ms + 10_000)
    tape.volume = np.array([300.0, 0, 0])
    tape.publish(at("2026-11-26 09:15"))
    candles = run(history.answers.candles("NIFTY", "1d", start_ms, at("2026-11-27 00:00")))
    assert candles.volume.tolist() == [500, 300]
    run(history.stop())


def test_a_minute_in_which_nothing_was_published_has_no_candle() -> None:
    history, of = History(None, calendar=CALENDAR, hours="exchange"), market()
    start_ms = at("2026-11-25 10:00")
    history.start(of, start_ms)
    tape = Tape(history, of)
    tape.publish(start_ms)
    for minute in (1, 2, 3):
        history.record(of, start_ms + minute * MINUTE_MS)
    assert run(history.answers.candles("NIFTY", "1m", start_ms, start_ms + DAY)).time_ms.tolist() == [
        start_ms
    ]
    assert history.answers.forming("NIFTY", "1m", start_ms + 3 * MINUTE_MS) is None
    five = history.answers.forming("NIFTY", "5m", start_ms + 3 * MINUTE_MS)
    assert five is not None
    assert five.close == 22500.0
    run(history.stop())


def test_an_unknown_interval_is_refused() -> None:
    history = History(None, calendar=CALENDAR)
    with pytest.raises(ValueError, match=r"interval must be one of 1m, .* was '2m'"):
        run(history.answers.candles("NIFTY", "2m", 0, 1))
    run(history.stop())
