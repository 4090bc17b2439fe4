"""Readings of one expiry's smile: at the money, skew, expected move, probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, ndtr

from analytics.arrays import Array, Positions
from analytics.forward import NEAR_THE_MONEY
from analytics.segments import Segments


@dataclass(frozen=True, slots=True)
class AtTheMoney:
    """Volatility at the forward, NaN where it cannot be read, and the strikes it is read from."""

    volatility: float
    strikes_used: int


@dataclass(frozen=True, slots=True)
class DeltaSkew:
    """The smile in two numbers.

    Attributes
    ----------
    put, call : float
        Volatility of the put and of the call of that delta; NaN where the strikes do not reach.
    skew : float
        ``put - call``, positive where downside protection is dearer (the contract's ``iv_skew``).
    risk_reversal : float
        ``call - put``.
    butterfly : float
        ``(call + put)/2`` less the volatility at the forward.
    strikes_used : int
        Strikes with a volatility.

    """

    put: float
    call: float
    skew: float
    risk_reversal: float
    butterfly: float
    strikes_used: int


@dataclass(frozen=True, slots=True)
class ExpectedMove:
    """How far the underlying is priced to go by expiry; each of the shape of what it was asked for.

    Attributes
    ----------
    straddle : ndarray
        Price of call plus put struck at the forward.
    mean_move : ndarray
        Expected distance from the forward at expiry: the straddle without discounting.
    deviation : ndarray
        One standard deviation, ``F sigma sqrt(T)``; a quarter more than the mean.
    low, high : ndarray
        The range that one standard deviation of the logarithm spans.

    """

    straddle: Array
    mean_move: Array
    deviation: Array
    low: Array
    high: Array


def out_of_the_money(
    strikes: ArrayLike, call_volatility: ArrayLike, put_volatility: ArrayLike, forward: ArrayLike
) -> Array:
    """One volatility a strike (n,): the out-of-the-money leg's.

    Near the forward the other leg stands in where that is unknown; far in the money a spread is many points
    of volatility wide.

    Parameters
    ----------
    strikes, call_volatility, put_volatility : array_like (n,)
        NaN where there is no implied volatility.
    forward : array_like
        Of this expiry, or of each strike's.

    """
    call, put = np.asarray(call_volatility, dtype=np.float64), np.asarray(put_volatility, dtype=np.float64)
    strike, level = np.asarray(strikes, dtype=np.float64), np.asarray(forward, dtype=np.float64)
    above, near = strike >= level, np.abs(strike - level) <= NEAR_THE_MONEY * level
    first, second = np.where(above, call, put), np.where(above, put, call)
    return np.where(near & np.isnan(first), second, first)


def atm_volatility(strikes: ArrayLike, volatility: ArrayLike, forward: float) -> AtTheMoney:
    """Volatility at the forward, linear in variance between its neighbours.

    Parameters
    ----------
    strikes, volatility : array_like (n,)
        Ascending, of one expiry; NaN volatilities are passed over.
    forward : float
        Of this expiry.

    Returns
    -------
    AtTheMoney
        Rests on two strikes, or on one where that is the forward; never beyond the strikes known.

    """
    strike = np.asarray(strikes, dtype=np.float64)
    sigma = np.asarray(volatility, dtype=np.float64)
    found = atm_volatilities(Segments(np.array([strike.size])), strike, sigma, np.array([forward]))
    return AtTheMoney(float(found.volatility[0]), int(found.strikes_used[0]))


class AtTheMoneys(NamedTuple):
    """`AtTheMoney` of many expiries: each (expiries,)."""

    volatility: Array
    strikes_used: NDArray[np.intp]


def atm_volatilities(segments: Segments, strikes: Array, volatility: Array, forwards: Array) -> AtTheMoneys:
    """Volatility at the forward of many expiries at once, each as `atm_volatility` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    strikes, volatility : ndarray (strikes,)
        Ascending within each expiry; NaN volatilities are passed over.
    forwards : ndarray (expiries,)
        Of each expiry.

    """
    if not len(strikes):
        return AtTheMoneys(np.full(len(segments), math.nan), np.zeros(len(segments), np.intp))
    forward, known = forwards[segments.row], volatility > 0.0
    places = np.arange(len(strikes))
    right = np.minimum.reduceat(np.where(known & (strikes >= forward), places, len(strikes)), segments.starts)
    left = np.maximum.reduceat(np.where(known & (strikes < forward), places, -1), segments.starts)
    has_right, has_left = right < len(strikes), left >= 0
    right, left = np.where(has_right, right, 0), np.where(has_left, left, 0)
    exact = has_right & (strikes[right] == forwards)
    between = has_right & has_left & ~exact
    with np.errstate(invalid="ignore", divide="ignore"):
        lower, upper = np.log(strikes[left] / forwards), np.log(strikes[right] / forwards)
        share = upper / (upper - lower)
        variance = share * volatility[left] ** 2 + (1.0 - share) * volatility[right] ** 2
        level = np.where(exact, volatility[right], np.where(between, np.sqrt(variance), math.nan))
    return AtTheMoneys(level, np.where(exact, 1, np.where(between, 2, 0)))


def delta_skew(
    strikes: ArrayLike, volatility: ArrayLike, forward: float, time_to_expiry: float, delta: float = 0.25
) -> DeltaSkew:
    """Put and call volatility at equal distance in delta.

    Parameters
    ----------
    strikes, volatility : array_like (n,)
        Ascending, of one expiry; NaN volatilities are passed over.
    forward, time_to_expiry : float
        Of this expiry, years.
    delta : float
        Undiscounted forward delta of the call, and of the put without its sign.

    Notes
    -----
    Each strike has the call delta ``N(d1)`` at its own volatility, falling along the strikes; the volatility
    is interpolated linearly in it at ``delta`` and ``1 - delta``.

    """
    strike, sigma = np.asarray(strikes, dtype=np.float64), np.asarray(volatility, dtype=np.float64)
    segments, forwards = Segments(np.array([strike.size])), np.array([forward], dtype=np.float64)
    found = delta_skews(segments, strike, sigma, forwards, np.array([time_to_expiry]), delta)
    call, put = float(found.call[0]), float(found.put[0])
    middle = 0.5 * (call + put) - float(atm_volatilities(segments, strike, sigma, forwards).volatility[0])
    return DeltaSkew(put, call, put - call, call - put, middle, int(np.count_nonzero(sigma > 0.0)))


class DeltaSkews(NamedTuple):
    """Put's and call's volatility of `DeltaSkew`, of many expiries: each (expiries,)."""

    put: Array
    call: Array


def delta_skews(
    segments: Segments,
    strikes: Array,
    volatility: Array,
    forwards: Array,
    time_to_expiry: Array,
    delta: float = 0.25,
) -> DeltaSkews:
    """Put and call volatility at equal distance in delta of many expiries, each as `delta_skew` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    strikes, volatility : ndarray (strikes,)
        Ascending within each expiry; NaN volatilities are passed over.
    forwards, time_to_expiry : ndarray (expiries,)
        Of each expiry, years.
    delta : float
        Undiscounted forward delta of the call, and of the put without its sign.

    """
    defined = (forwards > 0.0) & (time_to_expiry > 0.0)
    known = np.flatnonzero((volatility > 0.0) & defined[segments.row])
    row, sigma = segments.row[known], volatility[known]
    v = sigma * np.sqrt(time_to_expiry[row])
    call_delta = ndtr(np.log(forwards[row] / strikes[known]) / v + 0.5 * v)
    # noisy wings may turn back: only the falling part around the money is a function of delta
    left = np.flatnonzero(row[:-1] == row[1:])
    sides = []
    for wanted, nearest in ((1.0 - delta, np.maximum), (delta, np.minimum)):
        crossing = left[(call_delta[left] >= wanted) & (call_delta[left + 1] <= wanted)]
        none = -1 if nearest is np.maximum else len(known)
        at = np.full(len(segments), none)
        nearest.at(at, row[crossing], crossing)
        side = np.full(len(segments), np.nan)
        crossed = at != none
        side[crossed] = _at_delta(call_delta, sigma, at[crossed], wanted)
        sides.append(side)
    return DeltaSkews(*sides)


def expected_move(
    forward: ArrayLike, volatility: ArrayLike, time_to_expiry: ArrayLike, discount_factor: ArrayLike = 1.0
) -> ExpectedMove:
    """Expected move from the volatility at the forward.

    Parameters
    ----------
    forward, volatility, time_to_expiry, discount_factor : array_like
        Of each expiry, any shapes that broadcast; NaN gives NaN.

    Notes
    -----
    Call and put struck at the forward cost the same, ``D F (2 N(v/2) - 1)``, so the straddle there needs no
    listed strike. The range is ``F e^(-v)`` to ``F e^v``, v = sigma sqrt(T).

    """
    forwards = np.asarray(forward, dtype=np.float64)
    v = np.asarray(volatility) * np.sqrt(np.maximum(time_to_expiry, 0.0))
    mean_move = 2.0 * forwards * erf(v / math.sqrt(8.0))
    return ExpectedMove(
        straddle=np.asarray(discount_factor) * mean_move,
        mean_move=mean_move,
        deviation=forwards * v,
        low=forwards * np.exp(-v),
        high=forwards * np.exp(v),
    )


def probability_beyond(
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    volatility: ArrayLike,
    above: ArrayLike = True,
) -> Array:
    """Risk-neutral probability of finishing above the strike, or below it.

    Parameters
    ----------
    forward, strike, time_to_expiry, volatility : array_like
        Any shapes that broadcast; the volatility is that of the strike. NaN where unknown or invalid.
    above : array_like
        True for above, False for below.

    Notes
    -----
    ``N(w d2)`` with w = +1 above, -1 below; one half where the forward is the strike and nothing is left to
    happen.

    """
    forwards, strikes = np.asarray(forward, dtype=np.float64), np.asarray(strike, dtype=np.float64)
    time, sigma = np.asarray(time_to_expiry, dtype=np.float64), np.asarray(volatility, dtype=np.float64)
    valid = (forwards > 0.0) & (strikes > 0.0) & (time >= 0.0) & (sigma >= 0.0)
    v = np.maximum(np.where(valid, sigma, np.nan) * np.sqrt(np.where(valid, time, np.nan)), 1e-250)
    d2 = np.log(np.where(valid, forwards, np.nan) / np.where(valid, strikes, np.nan)) / v - 0.5 * v
    probability: Array = ndtr(np.where(np.asarray(above, dtype=np.bool_), d2, -d2))
    return probability


def _at_delta(call_delta: Array, sigma: Array, left: Positions, delta: float) -> Array:
    """Volatility where the falling deltas cross the one wanted, each between a place and the next."""
    high, low = call_delta[left], call_delta[left + 1]
    share = np.full(len(left), 0.5)
    np.divide(high - delta, high - low, out=share, where=high > low)
    result: Array = (1.0 - share) * sigma[left] + share * sigma[left + 1]
    return result
