"""Kill -9 at any moment: no minute older than the flush interval is missing or doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domain.instants import MINUTE_MS
from feed.transfer.archive import Archive
from tests.feed.history.support import CALENDAR, CATALOGUE, NEAR, SYMBOLS, assert_same_candles, at

ROOT = Path(__file__).parents[3]
START = at("2026-11-25 10:00")
FLUSH_S = 0.2
COMMIT_S = 0.5  # what a commit may take on a busy machine, beyond the interval


def killed(url: str, start_ms: int, after_s: float) -> list[tuple[int, float]]:
    """Record until killed; returns the minutes that were over, with the time they were, and the kill."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.feed.history.child", url, str(start_ms), str(FLUSH_S)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    kill_s = time.monotonic()
    child.kill()
    told = (first + child.stdout.read()).splitlines(keepends=True)
    errors = child.stderr.read()
    child.stdout.close()
    child.stderr.close()
    child.wait(10)
    assert first, errors
    closed = [line.split() for line in told if line.endswith("\n")]
    return [(int(minute), float(at_s) - kill_s) for minute, at_s in closed]


def check(url: str, expected: list[int], span_ms: tuple[int, int]) -> None:
    """Every expected minute is there once, everything in the store is sound, days are their minutes."""
    with Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="always", writable=True) as store:
        assert store.check().problems == []
        for symbol in SYMBOLS:
            minutes = store.candles(symbol, "1m", *span_ms)
            times = minutes.time_ms.tolist()
            assert len(times) == len(set(times))
            assert set(expected) <= set(times)
            days = store.grid(symbol).resample("1d", minutes)
            assert_same_candles(store.candles(symbol, "1d", *span_ms), days)
        chain = [run.minute_ms.tolist() for run in store.reader.chain("NIFTY", NEAR, *span_ms)]
        recorded = [minute for run in chain for minute in run]
        assert len(recorded) == len(set(recorded))
        assert set(expected) <= set(recorded)


def loop(url: str, times: int, seed: int) -> None:
    chance = random.Random(seed)
    start_ms, safe = START, []
    for _ in range(times):
        closed = killed(url, start_ms, chance.uniform(0.05, 1.2))
        safe += [minute for minute, age_s in closed if age_s < -(FLUSH_S + COMMIT_S)]
        # the next server starts within the minute the last one was killed in
        start_ms = closed[-1][0] + MINUTE_MS + 30_000
        start_ms -= start_ms % MINUTE_MS
        check(url, safe, (START, start_ms + MINUTE_MS))
    assert len(safe) > times  # otherwise nothing was tested


def test_kill_in_a_loop_loses_and_doubles_nothing(store_url: str) -> None:
    loop(store_url, 5 if store_url.startswith("sqlite") else 2, seed=1)


@pytest.mark.nightly
def test_fifty_kills_lose_and_double_nothing(store_url: str) -> None:
    loop(store_url, 50, seed=2)
