"""A 30-day volatility index by the published India VIX method (this is not the exchange's own index).

References
----------
NSE, "India VIX: computation methodology" (white paper), and Cboe's VIX mathematics: forward from the future
of the expiry, out-of-the-money mid quotes, gaps filled by a natural cubic spline, near and next month
weighted to 30 days in minutes.

"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array

# a spread over 30 % of the mid is not an appropriate quote
GREATEST_SPREAD = 0.30
LEAST_STRIKES = 3
# a spline may dip under zero between wing strikes; a premium cannot
LEAST_PREMIUM = 0.0
DAY = 1.0 / 365.0


@dataclass(frozen=True, slots=True)
class ExpiryVariance:
    """Model-free variance of one expiry.

    Attributes
    ----------
    variance : float
        Per year; NaN with fewer than three usable strikes.
    time_to_expiry : float
        Years.
    strike_below_forward : float
        The listed strike at or just below the forward, where calls give way to puts.
    strikes_quoted, strikes_filled : int
        Strikes with an appropriate quote, and strikes between them that the spline filled.

    """

    variance: float
    time_to_expiry: float
    strike_below_forward: float
    strikes_quoted: int
    strikes_filled: int


def expiry_variance(
    strikes: ArrayLike, bid: ArrayLike, ask: ArrayLike, forward: float, time_to_expiry: float, rate: float
) -> ExpiryVariance:
    """Variance of one expiry from all its out-of-the-money quotes.

    Parameters
    ----------
    strikes : array_like (n,)
        Ascending.
    bid, ask : array_like (2, n)
        Calls, then puts; NaN or 0 where there is none.
    forward : float
        Of this expiry.
    time_to_expiry, rate : float
        Years, continuous.

    Notes
    -----
    ``2/T sum(dK/K^2 e^(rT) Q) - (F/K0 - 1)^2/T`` with ``Q`` the mid of puts below ``K0``, calls above, both
    averaged at it; ``dK`` is half the distance of the neighbours, the whole one at the ends.

    """
    strike = np.asarray(strikes, dtype=np.float64)
    bids, asks = np.asarray(bid, dtype=np.float64), np.asarray(ask, dtype=np.float64)
    at = int(np.searchsorted(strike, forward, side="right")) - 1
    if at < 0 or not (time_to_expiry > 0.0 and forward > 0.0):
        return ExpiryVariance(math.nan, time_to_expiry, math.nan, 0, 0)
    premium = _premiums(bids, asks, at)
    quoted = np.flatnonzero(~np.isnan(premium))
    below = float(strike[at])
    if quoted.size < LEAST_STRIKES or not quoted[0] <= at <= quoted[-1]:
        return ExpiryVariance(math.nan, time_to_expiry, below, quoted.size, 0)
    inside = slice(quoted[0], quoted[-1] + 1)
    used, premium = strike[inside], premium[inside]
    known = ~np.isnan(premium)
    filled = natural_spline(used[known], premium[known], used[~known])
    premium[~known] = np.maximum(filled, LEAST_PREMIUM)
    gap = np.empty_like(used)
    gap[1:-1] = 0.5 * (used[2:] - used[:-2])
    gap[0], gap[-1] = used[1] - used[0], used[-1] - used[-2]
    strip = math.exp(rate * time_to_expiry) * float(np.sum(gap / (used * used) * premium))
    variance = (2.0 * strip - (forward / below - 1.0) ** 2) / time_to_expiry
    return ExpiryVariance(variance, time_to_expiry, below, quoted.size, used.size - quoted.size)


def volatility_index(near: ExpiryVariance, following: ExpiryVariance, days: float = 30.0) -> float:
    """Volatility of the coming 30 days, as a decimal: 0.24 is an index of 24.

    Parameters
    ----------
    near, following : ExpiryVariance
        Near and next month. Their total variances are interpolated in time, or extrapolated where both are
        further away (the near month is left three trading days before it expires: the caller's choice).
    days : float
        Calendar days.

    """
    near_time, following_time, target = near.time_to_expiry, following.time_to_expiry, days * DAY
    if not following_time > near_time:
        return math.nan
    share = (following_time - target) / (following_time - near_time)
    total = share * near_time * near.variance + (1.0 - share) * following_time * following.variance
    return math.sqrt(total / target) if total > 0.0 else math.nan


def natural_spline(known_x: Array, known_y: Array, x: Array) -> Array:
    """Natural cubic spline through the known points (n,), at ``x`` (m,) between the first and the last."""
    if not x.size:
        return np.empty(0)
    gap = np.diff(known_x)
    slope = np.diff(known_y) / gap
    second = np.zeros(known_x.size)  # of a natural spline zero at both ends
    if known_x.size > 2:
        second[1:-1] = _tridiagonal(gap, 6.0 * np.diff(slope))
    piece = np.clip(np.searchsorted(known_x, x, side="right") - 1, 0, known_x.size - 2)
    left, width = x - known_x[piece], gap[piece]
    first = slope[piece] - width * (2.0 * second[piece] + second[piece + 1]) / 6.0
    third = (second[piece + 1] - second[piece]) / width
    value = known_y[piece] + left * (first + left * (0.5 * second[piece] + left * third / 6.0))
    return np.asarray(value, dtype=np.float64)


def _premiums(bids: Array, asks: Array, at: int) -> Array:
    """Out-of-the-money mid of each strike (n,), NaN without an appropriate quote."""
    mid = 0.5 * (bids + asks)
    appropriate = (bids > 0.0) & (asks >= bids) & (asks - bids <= GREATEST_SPREAD * mid)
    call, put = np.where(appropriate, mid, np.nan)
    premium = np.where(np.arange(call.size) < at, put, call)
    pair = np.array([call[at], put[at]])
    known = pair[~np.isnan(pair)]
    premium[at] = known.mean() if known.size else np.nan
    return premium


def _tridiagonal(gap: Array, right: Array) -> Array:
    """Second derivatives at the inner knots, such that the first is continuous there: (n - 2,).

    By elimination along the diagonal, which dominates; a general solver would be some fifty times slower.
    """
    gaps, values = gap.tolist(), right.tolist()
    pivots = [2.0 * (gaps[0] + gaps[1])]
    for row in range(1, len(values)):
        share = gaps[row] / pivots[-1]
        pivots.append(2.0 * (gaps[row] + gaps[row + 1]) - share * gaps[row])
        values[row] -= share * values[row - 1]
    found = [values[-1] / pivots[-1]]
    for row in range(len(values) - 2, -1, -1):
        found.append((values[row] - gaps[row + 1] * found[-1]) / pivots[row])
    return np.array(found[::-1])
