"""How long to wait before the next try; time and chance are arguments."""

from __future__ import annotations

import random

FIRST_S, LONGEST_S = 1.0, 60.0
WELL_AFTER_S = 60.0  # of data: then the next failure is a first one again


class BackOff:
    """Longer with each failure in a row, up to a minute; by chance between half of it and all of it."""

    def __init__(self, chance: random.Random) -> None:
        self.failures = 0
        self._chance = chance
        self._well_since_s: float | None = None

    def well(self, now_s: float) -> None:
        """Data arrives."""
        if self._well_since_s is None:
            self._well_since_s = now_s
        elif now_s - self._well_since_s >= WELL_AFTER_S:
            self.failures = 0

    def wait_s(self) -> float:
        """The wait after one more failure."""
        self._well_since_s = None
        self.failures += 1
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures - 1, 10))
        return longest * self._chance.uniform(0.5, 1.0)
