"""How late the event loop runs what is due: the one figure that says whether anything blocks it."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np
from tornado.ioloop import PeriodicCallback

PERIOD_MS = 50
SAMPLES = 1200  # a minute


class LoopLag:
    """Lateness of a callback that is due every 50 ms, over the last minute."""

    def __init__(self) -> None:
        self._late_ms: deque[float] = deque(maxlen=SAMPLES)
        self._due_s: float | None = None
        self._callback = PeriodicCallback(self._measure, PERIOD_MS)

    def start(self) -> None:
        """Begin to measure the current loop."""
        self._callback.start()

    def stop(self) -> None:
        """Measure no more."""
        self._callback.stop()

    def percentile(self, share: float) -> float | None:
        """Milliseconds late at a percentile; None before the first measurement."""
        return float(np.percentile(self._late_ms, share)) if self._late_ms else None

    def _measure(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._due_s is not None:
            self._late_ms.append(max(0.0, (now_s - self._due_s) * 1000))
        # PeriodicCallback keeps to its grid, and skips what it missed
        self._due_s = now_s + PERIOD_MS / 1000
