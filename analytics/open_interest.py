"""What open positions say: ratios, totals, max pain, walls and build-up.

Open interest and volume may be counted in contracts or in units, so long as calls and puts agree. NaN means
that a leg's figure is not known; it is left out, counted, and never taken for zero. Gamma exposure has a
module of its own and is offered here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Array, Positions
from analytics.gamma_exposure import GammaExposure, ZeroGamma, gamma_exposure, zero_gamma_level
from analytics.segments import Segments

__all__ = [
    "BuildUp",
    "GammaExposure",
    "MaxPain",
    "Totals",
    "Walls",
    "ZeroGamma",
    "build_up",
    "gamma_exposure",
    "max_pain",
    "put_call_ratio",
    "support_resistance",
    "totals",
    "walls",
    "zero_gamma_level",
]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the legs that are known; NaN where none is."""

    call: float
    put: float
    call_legs: int
    put_legs: int


class MaxPain(NamedTuple):
    """The strike at which writers pay least, the pay-out at every strike, and the legs behind them."""

    strike: float
    curve: Array
    legs: int


class MaxPains(NamedTuple):
    """`MaxPain` of many expiries: strike and legs (expiries,), the curves one after the other (strikes,)."""

    strike: Array
    curve: Array
    legs: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Walls:
    """Strikes of the largest open interest, largest first; fewer than asked where fewer are known."""

    support_strikes: Array
    support_open_interest: Array
    resistance_strikes: Array
    resistance_open_interest: Array


class BuildUp(IntEnum):
    """Reading of a change of price together with a change of open interest."""

    none = 0
    long_build_up = 1  # price up, open interest up
    short_build_up = 2  # price down, open interest up
    long_unwinding = 3  # price down, open interest down
    short_covering = 4  # price up, open interest down


def totals(call: ArrayLike, put: ArrayLike) -> Totals:
    """Sums of calls and of puts, NaN left out.

    Parameters
    ----------
    call, put : array_like (n,)
        Open interest, its change, or volume.

    """
    (call_sum, call_legs), (put_sum, put_legs) = _known_sum(call), _known_sum(put)
    return Totals(call_sum, put_sum, call_legs, put_legs)


def put_call_ratio(put: ArrayLike, call: ArrayLike) -> Array:
    """Puts per call, NaN where the calls are zero or either is unknown.

    Parameters
    ----------
    put, call : array_like
        Totals, or series of totals; any shapes that broadcast. For changes of open interest the sign is kept.

    """
    puts, calls = np.asarray(put, dtype=np.float64), np.asarray(call, dtype=np.float64)
    ratio = np.full(np.broadcast(puts, calls).shape, np.nan)
    np.divide(puts, calls, out=ratio, where=calls != 0.0)
    return ratio


def max_pain(strikes: ArrayLike, call_oi: ArrayLike, put_oi: ArrayLike) -> MaxPain:
    """Listed strike at which the holders of all options would be paid least at expiry.

    Parameters
    ----------
    strikes : array_like (n,)
        Of one expiry, in any order.
    call_oi, put_oi : array_like (n,)
        NaN counts as absent.

    Returns
    -------
    MaxPain
        ``strike`` is the lowest on ties, NaN without any open interest. ``curve`` (n,) is the pay-out in
        price units times the units of open interest, NaN when nothing is known.

    Notes
    -----
    ``sum C_i max(0, K - K_i) + P_i max(0, K_i - K)``: with prefix sums of ``C`` and ``C K``, and suffix sums
    of the puts', every strike costs O(1).

    """
    strike = np.asarray(strikes, dtype=np.float64)
    call, put = np.asarray(call_oi, dtype=np.float64), np.asarray(put_oi, dtype=np.float64)
    if (np.diff(strike) < 0).any():
        order = np.argsort(strike, kind="stable")
        pain = max_pain(strike[order], call[order], put[order])
        return pain._replace(curve=pain.curve[np.argsort(order)])
    found = max_pains(Segments(np.array([strike.size])), strike, call, put)
    return MaxPain(float(found.strike[0]), found.curve, int(found.legs[0]))


def max_pains(segments: Segments, strikes: Array, call_oi: Array, put_oi: Array) -> MaxPains:
    """Max pain of many expiries at once, each as `max_pain` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    strikes, call_oi, put_oi : ndarray (strikes,)
        Strikes ascending within each expiry; NaN interest counts as absent.

    """
    known_call, known_put = ~np.isnan(call_oi), ~np.isnan(put_oi)
    legs = segments.count(known_call) + segments.count(known_put)
    if not len(strikes):
        return MaxPains(np.full(len(segments), np.nan), np.zeros(0), legs)
    # from the middle, so that sums of K times interest stay as exact as the interest itself
    middle = strikes[segments.starts + segments.lengths // 2]
    shifted = segments.padded(strikes - middle[segments.row], 0.0)
    call = segments.padded(np.where(known_call, call_oi, 0.0), 0.0)
    put = segments.padded(np.where(known_put, put_oi, 0.0), 0.0)
    curve = shifted * np.cumsum(call, axis=1) - np.cumsum(call * shifted, axis=1)
    from_above, above = put[:, ::-1], shifted[:, ::-1]
    rising = np.cumsum(from_above * above, axis=1) - above * np.cumsum(from_above, axis=1)
    pays = segments.flat(curve + rising[:, ::-1])
    lowest = np.argmin(segments.padded(pays, np.inf), axis=1)
    held = segments.any((known_call & (call_oi != 0.0)) | (known_put & (put_oi != 0.0)))
    strike = np.where(held, strikes[segments.starts + lowest], np.nan)
    return MaxPains(strike, np.where(legs[segments.row] > 0, pays, np.nan), legs)


def support_resistance(strikes: ArrayLike, call_oi: ArrayLike, put_oi: ArrayLike, count: int = 3) -> Walls:
    """Largest put positions (support) and call positions (resistance).

    Parameters
    ----------
    strikes, call_oi, put_oi : array_like (n,)
        Strikes ascending; unknown and zero interest is no wall. The lower strike first on ties.
    count : int
        Strikes of each side.

    """
    strike = np.asarray(strikes, dtype=np.float64)
    call, put = np.asarray(call_oi, dtype=np.float64), np.asarray(put_oi, dtype=np.float64)
    segments = Segments(np.array([strike.size]))
    support, resistance = walls(segments, put, count), walls(segments, call, count)
    return Walls(strike[support], put[support], strike[resistance], call[resistance])


def walls(segments: Segments, interest: Array, count: int = 3) -> Positions:
    """Places of the largest positions of many expiries, each as `support_resistance` says: (n,).

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    interest : ndarray (strikes,)
        Open interest of one side.
    count : int
        Strikes of each expiry.

    """
    return segments.smallest(-interest, interest > 0.0, count)


def build_up(price_change: ArrayLike, oi_change: ArrayLike) -> NDArray[np.int8]:
    """`BuildUp` code of each contract; ``none`` where either change is zero or unknown.

    Parameters
    ----------
    price_change, oi_change : array_like
        Against the previous close; any shapes that broadcast.

    """
    price, interest = np.asarray(price_change, dtype=np.float64), np.asarray(oi_change, dtype=np.float64)
    rising, falling = price > 0.0, price < 0.0
    opening, closing = interest > 0.0, interest < 0.0
    code = np.zeros(np.broadcast(price, interest).shape, dtype=np.int8)
    code[rising & opening] = BuildUp.long_build_up
    code[falling & opening] = BuildUp.short_build_up
    code[falling & closing] = BuildUp.long_unwinding
    code[rising & closing] = BuildUp.short_covering
    return code


def _known_sum(values: ArrayLike) -> tuple[float, int]:
    array = np.asarray(values, dtype=np.float64)
    known = array[~np.isnan(array)]
    return (float(known.sum()) if known.size else np.nan), known.size
