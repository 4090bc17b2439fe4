"""Records a market as fast as it is told to, and says which minutes are over: to be killed by a test."""

from __future__ import annotations

import sys
import time

from domain.instants import MINUTE_MS
from feed.history.history import History
from tests.feed.history.support import CALENDAR, Tape, market

PAUSE_S = 0.02  # of real time for a minute of the market's


def main(url: str, start_ms: int, flush_interval_s: float) -> None:
    history = History(url, calendar=CALENDAR, hours="always", flush_interval_s=flush_interval_s)
    of = market()
    history.start(of, start_ms)
    tape = Tape(history, of, seed=start_ms % 1000)
    for minute in range(100_000):
        minute_ms = start_ms + minute * MINUTE_MS
        for second in (0, 20, 40):
            tape.step(minute_ms + second * 1000)
        if minute:
            sys.stdout.write(f"{minute_ms - MINUTE_MS} {time.monotonic()}\n")
            sys.stdout.flush()
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
