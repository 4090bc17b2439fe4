"""Where today's implied volatility stands among a year of its own."""

from __future__ import annotations

import math
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


def rank_and_percentile(history: ArrayLike, current: float) -> Rank:
    """Standing of the current implied volatility among a year of its own closes.

    Parameters
    ----------
    history : array_like (n,)
        One value a day, today's not included; NaN days are left out.
    current : float
        In the units of the history.

    """
    days = np.asarray(history, dtype=np.float64)
    days = days[~np.isnan(days)]
    if days.size < LEAST_DAYS or math.isnan(current):
        return Rank(math.nan, math.nan, days.size)
    lowest, highest = min(float(days.min()), current), max(float(days.max()), current)
    rank = (current - lowest) / (highest - lowest) if highest > lowest else math.nan
    return Rank(rank, float(np.count_nonzero(days < current)) / days.size, days.size)
