"""A simulated market that is stopped and started again: its path goes on, and history has no hole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from domain.instants import MINUTE_MS, to_datetime
from feed.history.history import History, Reach
from feed.market.candles import SessionGrid
from feed.market.market import Market
from feed.simulation.source import SimulatedSource
from tests.feed.history.support import CALENDAR, CATALOGUE, at

SYMBOLS = ("NIFTY", "RELIANCE", "CRUDEOIL")
REACH = Reach(40, 6)


@dataclass
class Run:
    """A market that records into a store, from a start on."""

    history: History
    source: SimulatedSource
    market: Market
    now_ms: int

    def step(self, until_ms: int, every_ms: int = 20_000) -> None:
        """Advance, publish and record up to an instant."""
        while self.now_ms < until_ms:
            self.now_ms += every_ms
            update = self.source.advance(self.now_ms)
            if update is not None:
                self.market.apply(update)
            self.market.publish(self.now_ms)
            self.history.record(self.market, self.now_ms)

    def candles(self, symbol: str, interval: str, start_ms: int):
        return asyncio.run(self.history.answers.candles(symbol, interval, start_ms, self.now_ms + 1))

    def wait_for_the_past(self) -> None:
        for symbol in SYMBOLS:
            asyncio.run(self.history.answers.ready(symbol))

    def day(self, symbol: str):
        return asyncio.run(self.history.answers.day(symbol, self.now_ms))


def begin(url: str, start_ms: int, hours: str, seed: int = 3) -> Run:
    """Start as the server does."""
    history = History(url, calendar=CALENDAR, hours=hours)
    source = SimulatedSource(
        CATALOGUE,
        CALENDAR,
        seed=seed,
        start_ms=start_ms,
        hours=hours,
        previous_run=history.previous_run(CATALOGUE.underlyings, start_ms),
    )
    market = Market(source.universe, source="simulated", epoch="test", interest_rate=0.065, stale_after_s=60)
    history.start(market, start_ms, source)
    history.backfill(source, reach=REACH, eager=False)
    run = Run(history, source, market, start_ms)
    run.market.apply(source.advance(start_ms))
    run.market.publish(start_ms)
    history.record(market, start_ms)
    return run


GAPS = {
    "within a minute": ("always", "2026-11-25 10:00", "2026-11-25 10:02", "2026-11-25 10:02"),
    "within a session": ("always", "2026-11-25 10:00", "2026-11-25 10:02", "2026-11-25 10:31"),
    "into the evening": ("always", "2026-11-25 14:00", "2026-11-25 14:01", "2026-11-25 21:00"),
    "over a weekend": ("always", "2026-11-20 11:00", "2026-11-20 11:01", "2026-11-25 11:40"),
    "exchange, within a session": ("exchange", "2026-11-25 10:00", "2026-11-25 10:02", "2026-11-25 10:31"),
    "exchange, into the evening": ("exchange", "2026-11-25 14:00", "2026-11-25 14:01", "2026-11-25 21:00"),
    "exchange, over a night": ("exchange", "2026-11-25 15:00", "2026-11-25 15:01", "2026-11-26 09:40"),
}


@dataclass
class Restart:
    """A market that was stopped and started again, and the prices at which it was stopped."""

    hours: str
    began_ms: int
    stopped_ms: int
    run: Run
    left: dict[str, float]


@pytest.fixture(scope="module", params=GAPS)
def restarted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restart]:
    """Two runs with a gap between them; the second with another seed."""
    hours, *instants = GAPS[request.param]
    began_ms, stopped_ms, again_ms = map(at, instants)
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/going-on.sqlite3"
    first = begin(url, began_ms, hours)
    first.step(stopped_ms + 20_000)
    first.wait_for_the_past()
    left = {symbol: first.market.quote(symbol).last_price for symbol in SYMBOLS}
    asyncio.run(first.history.stop())
    run = begin(url, again_ms + 40_000, hours, seed=4)
    yield Restart(hours, began_ms, stopped_ms, run, left)
    asyncio.run(run.history.stop())


def test_prices_go_on_from_where_they_stopped(restarted: Restart):
    run = restarted.run
    for symbol in SYMBOLS:
        grid = SessionGrid(CALENDAR, CATALOGUE[symbol].derivatives_exchange, restarted.hours)
        candles = run.candles(symbol, "1m", restarted.began_ms)
        stopped = int(np.searchsorted(candles.time_ms, restarted.stopped_ms))
        assert restarted.left[symbol] in candles.close[stopped - 1 : stopped + 1]
        closes, opens = candles.close[:-1], candles.open[1:]
        days = [grid.day_at(time_ms).day for time_ms in candles.time_ms.tolist()]
        within = np.array([before == after for before, after in pairwise(days)])
        jumps = np.abs(np.log(opens / closes))
        assert jumps[within].max(initial=0) < 0.002, symbol
        assert jumps.max() < 0.06, symbol


def test_no_session_minute_is_missing(restarted: Restart):
    run = restarted.run
    for symbol in SYMBOLS:
        exchange = CATALOGUE[symbol].derivatives_exchange
        have = set(run.candles(symbol, "1m", restarted.began_ms).time_ms.tolist())
        spot = "NSE" if exchange == "NFO" else exchange
        for time_ms in range(restarted.began_ms, run.now_ms - run.now_ms % MINUTE_MS, MINUTE_MS):
            phase = CALENDAR.phase(spot, to_datetime(time_ms))
            if phase.is_open:
                assert time_ms in have, (symbol, to_datetime(time_ms))


def test_quote_agrees_with_the_candles_of_its_day(restarted: Restart):
    run = restarted.run
    for symbol in SYMBOLS:
        quote = run.market.quote(symbol)
        today, before = run.day(symbol)
        assert before is not None
        assert quote.previous_close == pytest.approx(before.close, abs=0.006), symbol
        if today is None:
            continue
        told = (quote.open, quote.high, quote.low, quote.last_price)
        assert told == (today.open, today.high, today.low, today.close), symbol
        assert quote.volume == pytest.approx(today.volume, abs=0.01), symbol


def test_in_an_empty_store_the_path_begins_at_the_reference_prices(tmp_path):
    start_ms = at("2026-11-25 10:00")
    plain = SimulatedSource(CATALOGUE, CALENDAR, seed=3, start_ms=start_ms)
    run = begin(f"sqlite:///{tmp_path}/empty.sqlite3", start_ms, "always")
    expected = plain.advance(start_ms).underlyings["last_price"]
    np.testing.assert_array_equal(run.market.underlyings["last_price"], expected)
    asyncio.run(run.history.stop())


@pytest.mark.parametrize("late_ms", [0, 5_000, 20_000, 200_000])
def test_the_day_being_formed_is_the_quotes_from_the_first_price_on(late_ms: int):
    """Nobody asked for the past yet, and the first price may come when the minute of the start is over."""
    start_ms = at("2026-11-25 10:31") + 50_000
    history = History(None, calendar=CALENDAR, hours="always")
    source = SimulatedSource(CATALOGUE, CALENDAR, seed=3, start_ms=start_ms)
    market = Market(source.universe, source="simulated", epoch="test", interest_rate=0.065, stale_after_s=60)
    history.start(market, start_ms, source)
    run = Run(history, source, market, start_ms + late_ms - 5_000)
    for _ in range(3):
        run.step(run.now_ms + 5_000, every_ms=5_000)
        for symbol in SYMBOLS:
            quote, day = market.quote(symbol), history.answers.forming(symbol, "1d", run.now_ms)
            assert day is not None
            told = (quote.open, quote.high, quote.low, quote.last_price, quote.volume)
            assert told == (day.open, day.high, day.low, day.close, day.volume), symbol
    asyncio.run(history.stop())
