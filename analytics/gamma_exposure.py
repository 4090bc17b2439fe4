"""How much delta hedgers must trade when the underlying moves, under the usual naive assumption.

Sign convention: dealers are taken to be long every call and short every put, so calls count positive and puts
negative. Nobody publishes who really holds what in India; the unsigned figures assume nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array
from analytics.normalised_black import density

ONE_PERCENT = 0.01
# a flip further away than this says nothing about the day
GREATEST_MOVE = 0.10
GRID_POINTS = 81
REFINED_POINTS = 17


@dataclass(frozen=True, slots=True)
class GammaExposure:
    """Rupees of delta per 1 % move of the forward.

    Attributes
    ----------
    by_strike, unsigned_by_strike : ndarray (n,)
        Net (calls minus puts) and gross (calls plus puts); NaN where neither leg is known.
    total, unsigned_total : float
        Their sums; NaN where no leg is known.
    legs : int
        Legs whose gamma and open interest are both known.

    """

    by_strike: Array
    total: float
    unsigned_by_strike: Array
    unsigned_total: float
    legs: int


@dataclass(frozen=True, slots=True)
class ZeroGamma:
    """Forward at which the net exposure changes sign, NaN where it does not within 10 %."""

    level: float
    strikes_used: int


def gamma_exposure(
    gamma: ArrayLike, open_interest: ArrayLike, lot_size: float, forward: float
) -> GammaExposure:
    """Gamma exposure of one expiry.

    Parameters
    ----------
    gamma : array_like (2, n)
        Calls, then puts, to the forward; NaN unknown.
    open_interest : array_like (2, n)
        Contracts, calls, then puts; NaN unknown.
    lot_size : float
        Units per contract.
    forward : float
        Of this expiry.

    Notes
    -----
    ``gamma OI lot F^2 0.01`` of each leg.

    """
    each = np.asarray(gamma, dtype=np.float64) * np.asarray(open_interest, dtype=np.float64)
    each = each * (lot_size * forward * forward * ONE_PERCENT)
    known = ~np.isnan(each)
    some = known.any(axis=0)
    call, put = np.where(known, each, 0.0)
    return GammaExposure(
        by_strike=np.where(some, call - put, np.nan),
        total=float(np.sum(call - put)) if some.any() else math.nan,
        unsigned_by_strike=np.where(some, call + put, np.nan),
        unsigned_total=float(np.sum(call + put)) if some.any() else math.nan,
        legs=int(known.sum()),
    )


def zero_gamma_level(
    strikes: ArrayLike,
    volatility: ArrayLike,
    open_interest: ArrayLike,
    forward: float,
    time_to_expiry: float,
) -> ZeroGamma:
    """Forward nearest the present one at which calls' and puts' gamma exposure balance.

    Parameters
    ----------
    strikes, volatility : array_like (n,)
        Volatilities stay with their strikes while the forward is moved; NaN leaves the strike out.
    open_interest : array_like (2, n)
        Calls, then puts, in any unit; NaN counts as absent, a strike with neither is left out.
    forward, time_to_expiry : float
        Of this expiry, years.

    """
    strike, sigma = np.asarray(strikes, dtype=np.float64), np.asarray(volatility, dtype=np.float64)
    interest = np.asarray(open_interest, dtype=np.float64)
    v = sigma * math.sqrt(max(time_to_expiry, 0.0))
    used = np.flatnonzero((v > 0.0) & ~np.isnan(interest).all(axis=0))
    if not used.size or not forward > 0.0:
        return ZeroGamma(math.nan, used.size)
    net = np.nan_to_num(interest[0, used]) - np.nan_to_num(interest[1, used])
    grid = forward * np.linspace(1.0 - GREATEST_MOVE, 1.0 + GREATEST_MOVE, GRID_POINTS)
    bracket = _nearest_change(grid, _net_exposure(grid, strike[used], v[used], net), forward)
    if bracket is None:
        return ZeroGamma(math.nan, used.size)
    fine = np.linspace(*bracket, REFINED_POINTS)
    bracket = _nearest_change(fine, _net_exposure(fine, strike[used], v[used], net), forward)
    return ZeroGamma(
        math.nan if bracket is None else _crossing(bracket, strike[used], v[used], net), used.size
    )


def _net_exposure(forwards: Array, strike: Array, v: Array, net: Array) -> Array:
    """Net exposure (m,) at trial forwards (m,), up to a positive factor: ``gamma F^2 = F n(d1)/v``."""
    d1 = np.log(forwards[:, None] / strike) / v + 0.5 * v
    exposure: Array = forwards * (density(d1) @ (net / v))
    return exposure


def _nearest_change(grid: Array, exposure: Array, forward: float) -> tuple[float, float] | None:
    sign = np.sign(exposure)
    changes = np.flatnonzero((sign[:-1] != sign[1:]) & (sign[:-1] != 0.0))
    if not changes.size:
        return None
    middle = 0.5 * (grid[changes] + grid[changes + 1])
    position = int(changes[np.argmin(np.abs(middle - forward))])
    return float(grid[position]), float(grid[position + 1])


def _crossing(bracket: tuple[float, float], strike: Array, v: Array, net: Array) -> float:
    low, high = bracket
    at_low, at_high = _net_exposure(np.array(bracket), strike, v, net)
    return float(low - at_low * (high - low) / (at_high - at_low))
