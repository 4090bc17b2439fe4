"""How late the event loop runs what is due: the one figure that says whether anything blocks it."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np
from tornado.ioloop import PeriodicCallback

from feed.market.guard import Guard

PERIOD_MS = 50
SAMPLES = 1200  # a minute
RECENT_S = 5.0  # so long ago a stop is news
RECENT_SAMPLES = round(RECENT_S * 1000 / PERIOD_MS)


class LoopLag:
    """Lateness of a callback that is due every 50 ms, over the last minute."""

    def __init__(self, guard: Guard | None = None) -> None:
        self.late_ms: deque[float] = deque(maxlen=SAMPLES)
        self._recent: deque[tuple[float, float]] = deque(maxlen=RECENT_SAMPLES)
        self._due_s: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.callback = PeriodicCallback((guard or Guard()).wraps("loop_lag", self._measure), PERIOD_MS)

    def start(self) -> None:
        """Begin to measure the current loop."""
        self._loop = asyncio.get_running_loop()
        self.callback.start()

    def stop(self) -> None:
        """Measure no more."""
        self.callback.stop()

    def percentile(self, share: float) -> float | None:
        """Milliseconds late at a percentile; None before the first measurement."""
        return float(np.percentile(self.late_ms, share)) if self.late_ms else None

    def tasks(self) -> int | None:
        """How many tasks the loop has; None before the start."""
        return None if self._loop is None else len(asyncio.all_tasks(self._loop))

    def longest_stop(self, now_s: float) -> tuple[float, float]:
        """The worst lateness of the last five seconds in milliseconds, and how many seconds ago it ended."""
        stops = [(late_ms, now_s - at_s) for at_s, late_ms in self._recent if now_s - at_s <= RECENT_S]
        return max(stops, default=(0.0, 0.0))

    def _measure(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._due_s is not None:
            late_ms = max(0.0, (now_s - self._due_s) * 1000)
            self.late_ms.append(late_ms)
            self._recent.append((now_s, late_ms))
        # PeriodicCallback keeps to its grid, and skips what it missed
        self._due_s = now_s + PERIOD_MS / 1000
