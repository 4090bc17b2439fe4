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
from statistics import median

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array, Positions

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
    if math.isfinite(future):
        return Forward(future, 0, ForwardMethod.future, math.nan)
    strike = np.asarray(strikes, dtype=np.float64)
    bids, asks, lasts = (np.asarray(item, dtype=np.float64) for item in quotes)
    growth = math.exp(rate * max(time_to_expiry, 0.0)) if math.isfinite(rate * time_to_expiry) else math.nan
    two_sided = ((bids > 0.0) & (asks >= bids)).all(axis=0)
    difference = np.where(two_sided, 0.5 * (bids[0] + asks[0] - bids[1] - asks[1]), np.nan)
    near = two_sided & (np.abs(strike - spot) <= NEAR_THE_MONEY * spot)
    if near.any():
        return _median(strike, difference, growth, np.flatnonzero(near), ForwardMethod.parity)
    wide = _nearest(strike, difference, spot)
    if wide.size:
        return _median(strike, difference, growth, wide, ForwardMethod.parity_wide)
    traded = (lasts > 0.0).all(axis=0)
    difference = np.where(traded, lasts[0] - lasts[1], np.nan)
    wide = _nearest(strike, difference, spot)
    if wide.size:
        return _median(strike, difference, growth, wide, ForwardMethod.parity_last)
    if spot > 0.0 and math.isfinite(spot * growth):
        return Forward(spot * growth, 0, ForwardMethod.spot_carry, math.nan)
    return Forward(math.nan, 0, ForwardMethod.unavailable, math.nan)


def _nearest(strike: Array, difference: Array, spot: float) -> Positions:
    """Positions of the few known differences nearest the spot, or nearest nothing where it is unknown."""
    known = np.flatnonzero(~np.isnan(difference))
    gap = np.abs(strike[known] - spot) if spot > 0.0 else np.abs(difference[known])
    return known[np.argsort(gap, kind="stable")[:NEAREST_STRIKES]]


def _median(
    strike: Array, difference: Array, growth: float, positions: Positions, method: ForwardMethod
) -> Forward:
    # an unknown rate costs the discounting of a few rupees' difference, not the forward
    scale = growth if math.isfinite(growth) else 1.0
    estimates = strike[positions] + scale * difference[positions]
    middle = median(estimates.tolist())
    return Forward(middle, positions.size, method, median(np.abs(estimates - middle).tolist()))
