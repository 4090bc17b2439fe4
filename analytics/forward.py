"""The forward that an expiry's own quotes agree on.

Carry in India is not ``e^(rT)``: futures trade at premiums and discounts of their own, and a forward that is
a few points wrong splits the implied volatilities of calls and puts. Put-call parity needs no such
assumption: every strike with quotes on both sides of both legs names a forward, and the median of those near
the money is robust against a stale one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Array
from analytics.segments import Segments

# within this share of the spot both legs trade, and their spreads are a few ticks
NEAR_THE_MONEY = 0.015
# strikes taken when none is near: wide enough for a median, close enough to be alive
NEAREST_STRIKES = 5


class ForwardMethod(StrEnum):
    """Where a forward came from, in the order of trust."""

    future = "future"  # the price of the future of that expiry, where a source tells it
    parity = "parity"  # mid quotes within 1.5 % of the spot
    parity_wide = "parity_wide"  # the nearest few strikes with mid quotes, however far
    parity_last = "parity_last"  # last prices of the nearest few strikes that traded on both sides
    spot_carry = "spot_carry"  # spot e^(rT), without any option
    unavailable = "unavailable"


@dataclass(frozen=True, slots=True)
class Forward:
    """A forward and what it rests on.

    Attributes
    ----------
    forward : float
        NaN when unavailable.
    strikes_used : int
        Strikes in the median; 0 for ``future`` and ``spot_carry``.
    method : ForwardMethod
        Which of the fallbacks gave it.
    dispersion : float
        Median absolute deviation of the strikes' forwards from theirs, in price units; NaN without strikes.

    """

    forward: float
    strikes_used: int
    method: ForwardMethod
    dispersion: float


@dataclass(frozen=True, slots=True)
class Forwards:
    """Forwards of many expiries, as `Forward` is of one: each (expiries,)."""

    forward: Array
    strikes_used: NDArray[np.intp]
    method: NDArray[np.intp]  # places in ``METHODS``
    dispersion: Array


METHODS = tuple(ForwardMethod)
_PLACE = {method: place for place, method in enumerate(METHODS)}


def parity_forward(
    spot: float,
    strikes: ArrayLike,
    quotes: tuple[ArrayLike, ArrayLike, ArrayLike],
    time_to_expiry: float,
    rate: float,
    future: float = math.nan,
) -> Forward:
    """Forward of one expiry: its future's price where that is told, else by put-call parity.

    Parameters
    ----------
    spot : float
        NaN where unknown: the nearest strikes are then those where call and put cost most alike.
    strikes : array_like (n,)
        Ascending.
    quotes : bid, ask and last price, each array_like (2, n)
        Calls, then puts. NaN or 0 means no such price; the caller passes NaN for a quote that is stale.
    time_to_expiry : float
        Years.
    rate : float
        Continuous, for discounting the difference of two premiums only.
    future : float
        Price of the future of that expiry, NaN without one.

    Returns
    -------
    Forward
        The first of the methods in `ForwardMethod` that its inputs allow.

    Notes
    -----
    ``median of K + e^(rT) (C - P)``.

    """
    strike = np.asarray(strikes, dtype=np.float64)
    both = tuple(np.asarray(item, dtype=np.float64) for item in quotes)
    found = parity_forwards(
        Segments(np.array([strike.size])),
        np.array([spot]),
        strike,
        (both[0], both[1], both[2]),
        np.array([time_to_expiry]),
        Carry(rate, np.array([future])),
    )
    return Forward(
        float(found.forward[0]),
        int(found.strikes_used[0]),
        METHODS[found.method[0]],
        float(found.dispersion[0]),
    )


class Carry(NamedTuple):
    """What premiums are discounted with, and prices of futures: (expiries,), NaN without one."""

    rate: float
    futures: Array


def parity_forwards(
    segments: Segments,
    spots: Array,
    strikes: Array,
    quotes: tuple[Array, Array, Array],
    years: Array,
    carry: Carry,
) -> Forwards:
    """Forwards of many expiries at once, each as `parity_forward` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    spots, years : ndarray (expiries,)
        Of the underlying of each; years to each expiry.
    strikes : ndarray (strikes,)
        Ascending within each expiry.
    quotes : bid, ask and last price, each ndarray (2, strikes)
        Calls, then puts.
    carry : Carry
        The rate, and the price of each future.

    """
    bids, asks, lasts = quotes
    row = segments.row
    with np.errstate(invalid="ignore", over="ignore"):
        time_value = carry.rate * years
        growth = np.where(np.isfinite(time_value), np.exp(carry.rate * np.maximum(years, 0.0)), np.nan)
        carried = spots * growth
    two_sided = ((bids > 0.0) & (asks >= bids)).all(axis=0)
    difference = np.where(two_sided, 0.5 * (bids[0] + asks[0] - bids[1] - asks[1]), np.nan)
    traded = (lasts > 0.0).all(axis=0)
    spot = spots[row]
    chosen = two_sided & (np.abs(strikes - spot) <= NEAR_THE_MONEY * spot)
    method = np.full(len(segments), _PLACE[ForwardMethod.parity])
    for fallback, alive, values in (
        (ForwardMethod.parity_wide, two_sided, difference),
        (ForwardMethod.parity_last, traded, lasts[0] - lasts[1]),
    ):
        lacking = ~segments.any(chosen)
        if not lacking.any():
            break
        method[lacking] = _PLACE[fallback]
        candidates = lacking[row] & alive & ~np.isnan(values)
        difference = np.where(candidates, values, difference)
        # nearest the spot, or where that is unknown where call and put cost most alike
        gaps = np.where(spot > 0.0, np.abs(strikes - spot), np.abs(values))
        chosen |= segments.nearest(gaps, candidates, NEAREST_STRIKES)
    used = segments.count(chosen)
    # an unknown rate costs the discounting of a few rupees' difference, not the forward
    scale = np.where(np.isfinite(growth), growth, 1.0)[row]
    estimates = strikes + scale * np.where(chosen, difference, np.nan)
    forward = segments.median(estimates, chosen)
    dispersion = segments.median(np.abs(estimates - forward[row]), chosen)
    without = used == 0
    is_carried = without & (spots > 0.0) & np.isfinite(carried)
    method[without] = _PLACE[ForwardMethod.unavailable]
    method[is_carried] = _PLACE[ForwardMethod.spot_carry]
    forward = np.where(is_carried, carried, forward)
    told = np.isfinite(carry.futures)
    return Forwards(
        np.where(told, carry.futures, forward),
        np.where(told, 0, used),
        np.where(told, _PLACE[ForwardMethod.future], method),
        np.where(told, np.nan, dispersion),
    )
