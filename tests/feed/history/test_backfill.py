"""The past that a source tells: filled in the background, joined to what was recorded, never over it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from domain.instants import MINUTE_MS
from feed.history.history import History, Reach
from feed.market.candles import SessionGrid
from feed.market.market import Market
from feed.simulation.source import SimulatedSource
from feed.transfer.archive import Archive
from feed.valuation.minute_metrics import ChainMetrics, Valuation
from tests.feed.history.support import (
    CALENDAR,
    CATALOGUE,
    SYMBOLS,
    Tape,
    assert_same_candles,
    at,
    market,
    run,
)

DAY = 86_400_000
NOW = at("2026-11-25 11:07") + 12_000
GRID = SessionGrid(CALENDAR, "NFO", "exchange")


class Past:
    """A source that tells a straight line: the price at an instant is its minute of the century, scaled."""

    name = "simulated"

    def __init__(self, now_ms: int, level: float = 1.0) -> None:
        self.now_ms = now_ms
        self.level = level
        self.asked: list[tuple[str, str, int]] = []

    def price(self, times_ms: np.ndarray) -> np.ndarray:
        return np.round(self.level * (20_000 + (times_ms - at("2026-01-01 00:00")) / MINUTE_MS / 500), 2)

    def daily_candles(self, symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
        self.asked.append(("days", symbol, sessions))
        times = self._openings(sessions)
        return self._bars(times, self.price(times), self.price(times + 384 * MINUTE_MS))

    def minute_candles(self, symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
        self.asked.append(("minutes", symbol, sessions))
        today = day = GRID.day_at(self.now_ms)
        for _ in range(sessions):
            day = GRID.previous(day.day)
        times = [
            np.arange(each.open_ms, min(each.close_ms, self.now_ms - self.now_ms % MINUTE_MS), MINUTE_MS)
            for each in GRID.days(day.open_ms, today.end_ms)
        ]
        starts = np.concatenate(times)
        return self._bars(starts, self.price(starts), self.price(starts + MINUTE_MS))

    def session_volatilities(self, symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
        """A volatility that names its session; of one it is not known."""
        times = self._openings(sessions)
        told = self.level * (0.1 + (times - at("2026-01-01 00:00")) / DAY / 1e4)
        return {"time_ms": times, "atm_iv": np.where(np.arange(len(times)) == 3, np.nan, told)}

    def _openings(self, sessions: int) -> np.ndarray:
        day, opens = GRID.day_at(self.now_ms), []
        for _ in range(sessions):
            day = GRID.previous(day.day)
            opens.append(day.open_ms)
        return np.array(opens[::-1], np.int64)

    def _bars(self, times: np.ndarray, opens: np.ndarray, close: np.ndarray) -> Mapping[str, np.ndarray]:
        high, low = np.maximum(opens, close), np.minimum(opens, close)
        volume = np.full(len(times), 10.0)
        names = ("open", "high", "low", "close", "volume", "open_interest")
        columns = (opens, high, low, close, volume, np.full(len(times), np.nan))
        return {"time_ms": times, **dict(zip(names, columns, strict=True))}


def started(
    url: str | None, now_ms: int, level: float = 1.0, valuation: Valuation | None = None
) -> tuple[Tape, Past]:
    history = History(url, calendar=CALENDAR, flush_interval_s=0.1, queue_limit=10_000, valuation=valuation)
    of = market()
    history.start(of, now_ms)
    tape, past = Tape(history, of), Past(now_ms, level)
    tape.price = np.array([float(past.price(np.array([now_ms]))[0]), 1335.0, 8552.0])
    return tape, past


SHORT = Reach(60, 5)


def filled(tape: Tape, past: Past, reach: Reach = SHORT) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    tape.history.backfill(past, lambda done, total: told.append((done, total)), reach).join(60)
    assert run(tape.history.flush(20))
    return told


def test_a_first_start_fills_days_and_minutes_marked_simulated(store_url: str) -> None:
    tape, past = started(store_url, NOW)
    told = filled(tape, past)
    assert told == [(done, len(SYMBOLS)) for done in range(len(SYMBOLS) + 1)]
    tape.publish(NOW)
    history = tape.history
    days = run(history.answers.candles("NIFTY", "1d", NOW - 400 * DAY, NOW))
    assert len(days) == 61
    assert days.source_names == ("simulated",)
    minutes = run(history.answers.candles("NIFTY", "1m", NOW - 30 * DAY, NOW + 1))
    today = minutes.between(at("2026-11-25 00:00"), NOW + 1)
    assert len(minutes) == 5 * 385 + len(today)
    assert len(today) == 113  # 09:15 to 11:07 without a gap, the last one live
    assert_same_candles(
        days.between(days.time_ms[-5], NOW), GRID.resample("1d", minutes).between(days.time_ms[-5], NOW)
    )
    forming = history.answers.forming("NIFTY", "1d", NOW)
    assert forming is not None
    assert forming.open == today.open[0]
    assert (
        history.answers.forming("NIFTY", "1h", NOW).open == today.between(at("2026-11-25 10:15"), NOW).open[0]
    )
    run(history.stop())
    with Archive(store_url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange") as store:
        assert store.check().problems == []


def days_in(path: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM day_candles").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # there is none yet, or no table in it


def test_a_store_that_is_begun_anew_is_filled_too(tmp_path: Path) -> None:
    path = tmp_path / "store" / "history.sqlite3"
    url = f"sqlite:///{path}"
    tape, past = started(url, NOW)
    filled(tape, past)
    history = tape.history
    span = NOW - 400 * DAY, at("2026-11-25 00:00")  # the days before the running one
    before, count = run(history.answers.candles("NIFTY", "1d", *span)), days_in(path)
    assert len(before) == 60
    shutil.rmtree(path.parent)
    tape.publish(NOW)
    tape.run(NOW + MINUTE_MS, 2)
    end_s = time.monotonic() + 30
    while days_in(path) < count - len(SYMBOLS) or history.health().state != "ok":
        assert time.monotonic() < end_s, (days_in(path), history.health())
        run(history.flush(20))
        threading.Event().wait(0.05)
    assert_same_candles(run(history.answers.candles("NIFTY", "1d", *span)), before)
    run(history.stop())
    with Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange") as store:
        assert store.check().problems == []


def told(past: Past) -> np.ndarray:
    values = past.session_volatilities("NIFTY", SHORT.daily_sessions)["atm_iv"]
    return values[~np.isnan(values)]


def test_volatilities_are_told_at_once_and_stay_what_they_are_when_stored(store_url: str) -> None:
    tape, past = started(store_url, NOW)
    tape.history.backfill(past, reach=SHORT, eager=False)
    before = run(tape.history.sessions.atm_iv_history("NIFTY"))
    assert len(before) == SHORT.daily_sessions - 1  # what the source does not know is not there
    np.testing.assert_array_equal(before, told(past))
    run(tape.history.answers.ready("NIFTY"))
    run(tape.history.stop())
    again, other = started(store_url, NOW, level=2.0)
    np.testing.assert_array_equal(run(again.history.sessions.atm_iv_history("NIFTY")), before)
    filled(again, other)
    assert not np.array_equal(told(other), before)
    np.testing.assert_array_equal(run(again.history.sessions.atm_iv_history("NIFTY")), before)
    run(again.history.stop())


def test_a_recorded_volatility_stays_and_simulated_ones_do_not_count_in_a_real_market(store_url: str) -> None:
    figures = ChainMetrics({}, None, np.array([0.5, np.nan, np.nan]))
    tape, past = started(store_url, NOW, valuation=lambda minute: figures)
    for minute in range(3):
        tape.publish(NOW + minute * MINUTE_MS)
    run(tape.history.stop())
    tape, past = started(store_url, NOW + 2 * DAY)
    filled(tape, past)
    expected = told(past)
    expected[-2] = 0.5
    np.testing.assert_array_equal(run(tape.history.sessions.atm_iv_history("NIFTY")), expected)
    run(tape.history.stop())
    real = History(store_url, calendar=CALENDAR)
    real.start(market(source="kite"), NOW + 2 * DAY)
    assert len(run(real.sessions.atm_iv_history("NIFTY"))) == 0
    run(real.stop())


def test_what_is_filled_is_not_asked_for_again(store_url: str) -> None:
    tape, past = started(store_url, NOW)
    filled(tape, past)
    assert ("minutes", "NIFTY", 5) in past.asked
    run(tape.history.stop())
    tape, past = started(store_url, NOW + 60 * MINUTE_MS)
    filled(tape, past)
    assert past.asked == [("minutes", symbol, 1) for symbol in SYMBOLS]
    run(tape.history.stop())


def test_an_interrupted_fill_goes_on_with_the_symbols_that_are_left(store_url: str) -> None:
    tape, past = started(store_url, NOW)
    reached = threading.Event()

    def stop_after_first(done: int, _total: int) -> None:
        if done == 1:
            reached.set()
            job.stop()

    history = tape.history
    ready = threading.Event()
    original = past.minute_candles

    def waiting(symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
        ready.wait(10)
        return original(symbol, sessions)

    past.minute_candles = waiting  # type: ignore[method-assign]
    job = history.backfill(past, stop_after_first, Reach(60, 5))
    ready.set()
    job.join(30)
    assert reached.is_set()
    run(history.stop())
    tape, past = started(store_url, NOW + 10 * MINUTE_MS)
    filled(tape, past)
    asked = {symbol: sessions for kind, symbol, sessions in past.asked if kind == "minutes"}
    assert asked == {"NIFTY": 1, "RELIANCE": 1, "CRUDEOIL": 5}  # the one in hand was finished
    run(tape.history.stop())


@pytest.mark.parametrize("gap_minutes", [3, 200, 3 * 1440])
def test_a_gap_is_bridged_without_a_jump_and_recorded_candles_stay(store_url: str, gap_minutes: int) -> None:
    tape, past = started(store_url, NOW)
    filled(tape, past)
    end = tape.run(NOW - NOW % MINUTE_MS + MINUTE_MS, 20)
    recorded = run(tape.history.answers.candles("NIFTY", "1m", NOW, end))
    run(tape.history.stop())

    later = end + gap_minutes * MINUTE_MS
    tape, past = started(store_url, later, level=1.05)  # a new start at another level
    filled(tape, past)
    tape.publish(later)
    candles = run(tape.history.answers.candles("NIFTY", "1m", NOW, later + 1))
    assert_same_candles(candles.take(np.isin(candles.time_ms, recorded.time_ms)), recorded)
    sessions = [t for t in range(end, later - later % MINUTE_MS, MINUTE_MS) if _is_open(t)]
    assert set(sessions) <= set(candles.time_ms.tolist())
    jumps = np.abs(np.log(candles.open[1:] / candles.close[:-1]))
    # the new level is 5 % higher: spread over the gap, and no more than that in a gap of three minutes
    assert jumps.max() < 0.06 / min(len(sessions), 20) + 0.001
    run(tape.history.stop())


def _is_open(time_ms: int) -> bool:
    day = GRID.day_at(time_ms)
    return day.open_ms <= time_ms < day.close_ms


def test_the_days_of_a_bridged_gap_close_where_the_live_market_says(store_url: str) -> None:
    tape, past = started(store_url, NOW)
    filled(tape, past)
    run(tape.history.stop())
    later = NOW + 2 * DAY
    tape, past = started(store_url, later, level=1.05)
    filled(tape, past)
    tape.publish(later)
    _, before = run(tape.history.answers.day("NIFTY", later))
    assert before is not None
    close_ms = GRID.previous(GRID.day_at(later).day).close_ms
    assert before.close == pytest.approx(float(past.price(np.array([close_ms]))[0]), abs=0.02)
    run(tape.history.stop())


def test_one_symbol_that_fails_does_not_cost_the_others_theirs(caplog: pytest.LogCaptureFixture) -> None:
    tape, past = started(None, NOW)
    original = past.minute_candles

    def failing(symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
        if symbol == "NIFTY":
            raise ValueError("no such past")
        return original(symbol, sessions)

    past.minute_candles = failing  # type: ignore[method-assign]
    filled(tape, past)
    assert "the past of NIFTY could not be filled" in caplog.text
    assert len(run(tape.history.answers.candles("RELIANCE", "1d", NOW - 400 * DAY, NOW))) == 61
    run(tape.history.stop())


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_the_simulated_market_leads_from_its_past_into_its_present(hours: str) -> None:
    now_ms = at("2026-11-25 11:07")
    source = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=now_ms, hours=hours)
    of = Market(source.universe, source="simulated", epoch="e", interest_rate=0.065, stale_after_s=10)
    history = History(None, calendar=CALENDAR, hours=hours, flush_interval_s=0.1)
    history.start(of, now_ms)
    history.backfill(source, reach=Reach(25, 3)).join(60)
    for second in range(0, 130, 10):
        update = source.advance(now_ms + second * 1000)
        if update is not None:
            of.apply(update)
        history.record(of, now_ms + second * 1000)
    for symbol in ("NIFTY", "RELIANCE", "CRUDEOIL"):
        quote = of.quote(symbol)
        minutes = run(history.answers.candles(symbol, "1m", now_ms - 60 * MINUTE_MS, now_ms + 2 * MINUTE_MS))
        assert np.diff(minutes.time_ms).max() == MINUTE_MS
        assert np.abs(np.log(minutes.open[1:] / minutes.close[:-1])).max() < 0.005
        today, before = run(history.answers.day(symbol, now_ms + 120_000))
        assert today is not None
        assert before is not None
        assert before.close == quote.previous_close
        assert today.close == quote.last_price
        assert today.open == quote.open
        assert (today.high, today.low) == (quote.high, quote.low)
    run(history.stop())


def test_store_that_fails_for_a_moment_is_filled_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class AskedTwice(Past):
        is_asked_again = threading.Event()

        def minute_candles(self, symbol: str, sessions: int) -> Mapping[str, np.ndarray]:
            if self.asked:
                self.is_asked_again.set()
            return super().minute_candles(symbol, sessions)

    path, past = tmp_path / "history.sqlite3", AskedTwice(NOW)
    history, of = History(f"sqlite:///{path}", calendar=CALENDAR, flush_interval_s=0.1), market()
    history.start(of, NOW)
    history.backfill(past, reach=SHORT, eager=False)

    async def ask() -> None:
        with closing(sqlite3.connect(path)) as other:
            other.execute("ALTER TABLE minute_blocks RENAME TO gone")
            waiting = asyncio.create_task(history.answers.ready("NIFTY"))
            assert await asyncio.to_thread(past.is_asked_again.wait, 20)  # so the first try was in vain
            other.execute("ALTER TABLE gone RENAME TO minute_blocks")
            await waiting

    run(ask())
    assert len(run(history.answers.candles("NIFTY", "1m", NOW - DAY, NOW)))
    assert "could not be filled" not in caplog.text
    run(history.stop())
