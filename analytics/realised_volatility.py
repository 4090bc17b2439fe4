"""Volatility that has happened: three estimators from daily bars, and where today's implied one stands.

References
----------
M. Parkinson, Journal of Business 53 (1980); M. Garman and M. Klass, Journal of Business 53 (1980).

"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array

TRADING_DAYS = 252.0
# a rank among fewer days is noise
LEAST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Realised:
    """Volatility per square root of a year, NaN where unknown, and the returns or bars it rests on."""

    volatility: float
    observations: int


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


def close_to_close(close: ArrayLike, periods_per_year: float = TRADING_DAYS) -> Realised:
    """Sample standard deviation of log returns, annualised.

    Parameters
    ----------
    close : array_like (n,)
        In time order. A NaN breaks the two returns it belongs to.
    periods_per_year : float
        Closes in a year.

    """
    price = np.asarray(close, dtype=np.float64)
    returns = np.diff(np.log(np.where(price > 0.0, price, np.nan)))
    returns = returns[~np.isnan(returns)]
    if returns.size < 2:
        return Realised(math.nan, returns.size)
    return Realised(float(np.std(returns, ddof=1)) * math.sqrt(periods_per_year), returns.size)


def parkinson(high: ArrayLike, low: ArrayLike, periods_per_year: float = TRADING_DAYS) -> Realised:
    """From the range of each bar: ``mean(ln(H/L)^2)/(4 ln 2)``. Gaps between bars are not in it.

    Parameters
    ----------
    high, low : array_like (n,)
        Bars with a NaN are left out.
    periods_per_year : float
        Bars in a year.

    """
    squares = _log_ratio(high, low) ** 2 / (4.0 * math.log(2.0))
    return _annualised(squares, periods_per_year)


def garman_klass(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    periods_per_year: float = TRADING_DAYS,
) -> Realised:
    """From range and body of each bar: ``mean(ln(H/L)^2/2 - (2 ln 2 - 1) ln(C/O)^2)``.

    Parameters
    ----------
    open_, high, low, close : array_like (n,)
        Bars with a NaN are left out.
    periods_per_year : float
        Bars in a year.

    """
    body = _log_ratio(close, open_) ** 2
    return _annualised(
        0.5 * _log_ratio(high, low) ** 2 - (2.0 * math.log(2.0) - 1.0) * body, periods_per_year
    )


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


def _log_ratio(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    over, under = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    known = (over > 0.0) & (under > 0.0)
    ratio: Array = np.log(np.where(known, over, np.nan) / np.where(known, under, np.nan))
    return ratio


def _annualised(variances: Array, periods_per_year: float) -> Realised:
    known = variances[~np.isnan(variances)]
    if not known.size:
        return Realised(math.nan, 0)
    return Realised(math.sqrt(max(float(known.mean()), 0.0) * periods_per_year), known.size)
