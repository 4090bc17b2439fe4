"""Where today's implied volatility stands among a year of its own."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# a rank among fewer days is noise
LEAST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a value stands among its history, 0 to 1, NaN below 20 days.

    Attributes
    ----------
    rank : float
        ``(current - lowest)/(highest - lowest)``, today included.
    percentile : float
        Share of the days that were lower.
    days : int
        Known days of history.

    """

    rank: float
    percentile: float
    days: int


NO_RANK = Rank(math.nan, math.nan, 0)


class PastLevels:
    """A year of implied volatility's own closes, in order of size: where the current one stands among them.

    Parameters
    ----------
    history : array_like (n,)
        One value a day, today's not included; NaN days are left out.

    """

    def __init__(self, history: ArrayLike) -> None:
        days = np.asarray(history, dtype=np.float64)
        self._days: list[float] = np.sort(days[~np.isnan(days)]).tolist()

    def rank(self, current: float) -> Rank:
        """Standing of a level in the units of the history."""
        days, count = self._days, len(self._days)
        if count < LEAST_DAYS or math.isnan(current):
            return Rank(math.nan, math.nan, count)
        lowest, highest = min(days[0], current), max(days[-1], current)
        rank = (current - lowest) / (highest - lowest) if highest > lowest else math.nan
        return Rank(rank, bisect_left(days, current) / count, count)


def rank_and_percentile(history: ArrayLike, current: float) -> Rank:
    """Standing of the current implied volatility among a history, as `PastLevels` says."""
    return PastLevels(history).rank(current)
