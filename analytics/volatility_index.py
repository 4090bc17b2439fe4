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
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solveh_banded

from analytics.arrays import Array, Positions
from analytics.segments import Segments

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
    found = expiry_variances(
        Segments(np.array([strike.size])),
        strike,
        (np.asarray(bid, dtype=np.float64), np.asarray(ask, dtype=np.float64)),
        np.array([forward], dtype=np.float64),
        np.array([time_to_expiry], dtype=np.float64),
        rate,
    )
    return found.of(0)


class ExpiryVariances(NamedTuple):
    """`ExpiryVariance` of many expiries: each (expiries,)."""

    variance: Array
    time_to_expiry: Array
    strike_below_forward: Array
    strikes_quoted: Positions
    strikes_filled: Positions

    def of(self, place: int) -> ExpiryVariance:
        """One of the expiries."""
        variance, time, below, quoted, filled = (column[place].item() for column in self)
        return ExpiryVariance(variance, time, below, quoted, filled)


def expiry_variances(
    segments: Segments,
    strikes: Array,
    quotes: tuple[Array, Array],
    forwards: Array,
    time_to_expiry: Array,
    rate: float,
) -> ExpiryVariances:
    """Variances of many expiries at once, each as `expiry_variance` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    strikes : ndarray (strikes,)
        Ascending within each expiry.
    quotes : (ndarray, ndarray), each (2, strikes)
        Bid and ask of calls, then puts; NaN or 0 where there is none.
    forwards, time_to_expiry : ndarray (expiries,)
        Of each expiry, years.
    rate : float
        Continuous.

    """
    row, column = segments.row, segments.column
    at = segments.count(strikes <= forwards[row]) - 1
    defined = (at >= 0) & (time_to_expiry > 0.0) & (forwards > 0.0)
    place = segments.starts + np.maximum(at, 0)
    below = np.where(defined, strikes[place] if len(strikes) else np.nan, np.nan)
    premium = _premiums(*quotes, column - at[row], place)
    quoted = ~np.isnan(premium) & defined[row]
    count = segments.count(quoted)
    first, last = segments.bounds(quoted)
    usable = defined & (count >= LEAST_STRIKES) & (first <= at) & (at <= last)
    inside = np.flatnonzero(usable[row] & (column >= first[row]) & (column <= last[row]))
    variance = np.full(len(segments), np.nan)
    used = Segments((last - first + 1)[usable])
    if len(used):
        time, forward = time_to_expiry[usable], forwards[usable]
        strike = strikes[inside]
        filled = _filled(used, strike, premium[inside])
        each = _gaps(used, strike) / (strike * strike) * filled
        strip = np.exp(rate * time) * np.add.reduceat(each, used.starts)
        variance[usable] = (2.0 * strip - (forward / below[usable] - 1.0) ** 2) / time
    strikes_filled = np.where(usable, last - first + 1 - count, 0)
    return ExpiryVariances(variance, time_to_expiry, below, count, strikes_filled)


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
    piece = np.clip(np.searchsorted(known_x, x, side="right") - 1, 0, known_x.size - 2)
    return _natural_splines(Segments(np.array([known_x.size])), known_x, known_y, x, piece)


def _natural_splines(segments: Segments, known_x: Array, known_y: Array, x: Array, left: Positions) -> Array:
    """Natural cubic splines, one through the known points of each row, at ``x`` (m,) right of ``left``."""
    inner = (segments.column > 0) & (segments.column < segments.lengths[segments.row] - 1)
    gap, slope = np.ones(len(known_x)), np.zeros(len(known_x))
    np.subtract(known_x[1:], known_x[:-1], out=gap[:-1])
    gap[segments.starts[1:] - 1] = 1.0  # between two rows: nothing
    slope[:-1] = np.diff(known_y) / gap[:-1]
    second = np.zeros(len(known_x))  # of a natural spline zero at both ends
    knots = np.flatnonzero(inner)
    if knots.size:
        # the systems of all rows as one, which nothing couples: no row's digits depend on another's
        bands, right = np.ones((2, knots.size + 1)), np.zeros(knots.size + 1)  # LAPACK wants two at least
        bands[1, :-1] = 2.0 * (gap[knots - 1] + gap[knots])
        bands[0, 1:-1] = np.where(np.diff(knots) == 1, gap[knots[1:] - 1], 0.0)
        bands[0, -1] = 0.0
        right[:-1] = 6.0 * (slope[knots] - slope[knots - 1])
        second[knots] = solveh_banded(bands, right, check_finite=False)[:-1]
    along, width = x - known_x[left], gap[left]
    first = slope[left] - width * (2.0 * second[left] + second[left + 1]) / 6.0
    third = (second[left + 1] - second[left]) / width
    result: Array = known_y[left] + along * (first + along * (0.5 * second[left] + along * third / 6.0))
    return result


def _filled(segments: Segments, strikes: Array, premium: Array) -> Array:
    """The premiums of each row, first and last of which are known, with the holes filled."""
    known = ~np.isnan(premium)
    holes = np.flatnonzero(~known)
    if not holes.size:
        return premium
    left = np.cumsum(known)[holes] - 1  # of the known ones
    points = Segments(segments.count(known))
    spline = _natural_splines(points, strikes[known], premium[known], strikes[holes], left)
    return _with(premium, holes, np.maximum(spline, LEAST_PREMIUM))


def _with(values: Array, places: Positions, others: Array) -> Array:
    result = values.copy()
    result[places] = others
    return result


def _gaps(segments: Segments, strikes: Array) -> Array:
    """Half the distance of each strike's neighbours, the whole one at the ends of its row."""
    places = np.arange(len(strikes))
    is_first, is_last = segments.column == 0, segments.column == segments.lengths[segments.row] - 1
    before, after = np.where(is_first, places, places - 1), np.where(is_last, places, places + 1)
    gaps: Array = (strikes[after] - strikes[before]) * np.where(is_first | is_last, 1.0, 0.5)
    return gaps


def _premiums(bids: Array, asks: Array, from_middle: Positions, middle: Positions) -> Array:
    """Out-of-the-money mid of each strike (n,), NaN without an appropriate quote.

    ``from_middle`` (n,) counts strikes from the one where calls give way to puts, ``middle`` (rows,) are
    the places of those, whose legs are averaged.
    """
    mid = 0.5 * (bids + asks)
    appropriate = (bids > 0.0) & (asks >= bids) & (asks - bids <= GREATEST_SPREAD * mid)
    call, put = np.where(appropriate, mid, np.nan)
    premium: Array = np.where(from_middle < 0, put, call)
    one, other = call[middle], put[middle]
    both = ~np.isnan(one) & ~np.isnan(other)
    premium[middle] = np.where(both, 0.5 * (one + other), np.where(np.isnan(one), other, one))
    return premium
