"""How much delta hedgers must trade when the underlying moves, under the usual naive assumption.

Sign convention: dealers are taken to be long every call and short every put, so calls count positive and puts
negative. Nobody publishes who really holds what in India; the unsigned figures assume nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array, Flags, Positions
from analytics.segments import Segments

ONE_PERCENT = 0.01
# a flip further away than this says nothing about the day
GREATEST_MOVE = 0.10
GRID = np.linspace(1.0 - GREATEST_MOVE, 1.0 + GREATEST_MOVE, 81)
NEAR_POINTS = slice(30, 51)
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
    gammas, interest = np.asarray(gamma, dtype=np.float64), np.asarray(open_interest, dtype=np.float64)
    segments = Segments(np.array([gammas.shape[1]]))
    found = gamma_exposures(segments, gammas, interest, np.array([lot_size]), np.array([forward]))
    return GammaExposure(
        by_strike=found.by_strike,
        total=float(found.total[0]),
        unsigned_by_strike=found.unsigned_by_strike,
        unsigned_total=float(found.unsigned_total[0]),
        legs=int(found.legs[0]),
    )


class GammaExposures(NamedTuple):
    """`GammaExposure` of many expiries: by strike (strikes,), the others (expiries,)."""

    by_strike: Array
    total: Array
    unsigned_by_strike: Array
    unsigned_total: Array
    legs: Positions


def gamma_exposures(
    segments: Segments, gamma: Array, open_interest: Array, lot_sizes: Array, forwards: Array
) -> GammaExposures:
    """Gamma exposure of many expiries at once, each as `gamma_exposure` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    gamma, open_interest : ndarray (2, strikes)
        Calls, then puts; NaN unknown.
    lot_sizes, forwards : ndarray (expiries,)
        Of each expiry.

    """
    factor = lot_sizes * forwards * forwards * ONE_PERCENT
    each = gamma * open_interest * factor[segments.row]
    known = ~np.isnan(each)
    some = known.any(axis=0)
    call, put = np.where(known, each, 0.0)
    net, gross = np.where(some, call - put, np.nan), np.where(some, call + put, np.nan)
    return GammaExposures(
        by_strike=net,
        total=segments.known_sum(net),
        unsigned_by_strike=gross,
        unsigned_total=segments.known_sum(gross),
        legs=segments.count(known[0]) + segments.count(known[1]),
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
    found = zero_gamma_levels(
        Segments(np.array([strike.size])),
        strike,
        sigma,
        np.asarray(open_interest, dtype=np.float64),
        np.array([forward], dtype=np.float64),
        np.array([time_to_expiry], dtype=np.float64),
    )
    return ZeroGamma(float(found.level[0]), int(found.strikes_used[0]))


class ZeroGammas(NamedTuple):
    """`ZeroGamma` of many expiries: each (expiries,)."""

    level: Array
    strikes_used: Positions


def zero_gamma_levels(
    segments: Segments,
    strikes: Array,
    volatility: Array,
    open_interest: Array,
    forwards: Array,
    time_to_expiry: Array,
) -> ZeroGammas:
    """Zero gamma of many expiries at once, each as `zero_gamma_level` says.

    Parameters
    ----------
    segments : Segments
        The strikes of each expiry.
    strikes, volatility : ndarray (strikes,)
        NaN volatilities leave their strikes out.
    open_interest : ndarray (2, strikes)
        Calls, then puts, in any unit; NaN counts as absent, a strike with neither is left out.
    forwards, time_to_expiry : ndarray (expiries,)
        Of each expiry, years.

    """
    v = volatility * np.sqrt(np.maximum(time_to_expiry, 0.0))[segments.row]
    known = ~np.isnan(open_interest)
    used = (v > 0.0) & known.any(axis=0)
    strikes_used = segments.count(used)
    call, put = np.where(known, open_interest, 0.0)
    smile = _Smile(segments, strikes, np.where(used, v, 1.0), np.where(used, call - put, 0.0))
    level = np.full(len(segments), np.nan)
    sought = np.flatnonzero((strikes_used > 0) & (forwards > 0.0))
    # most change near the forward: the whole grid is only for those that do not
    for points in (GRID[NEAR_POINTS], GRID):
        middle = forwards[sought]
        found, low, high, _ = _nearest_change(smile, sought, middle[:, None] * points, middle)
        rows = sought[found]
        fine = np.linspace(low, high, REFINED_POINTS, axis=1)
        crossed, low, high, exposure = _nearest_change(smile, rows, fine, forwards[rows])
        level[rows[crossed]] = low - exposure[:, 0] * (high - low) / (exposure[:, 1] - exposure[:, 0])
        sought = sought[~found]
    return ZeroGammas(level, strikes_used)


class _Smile:
    """Net exposure of expiries at trial forwards, up to a positive factor: ``gamma F^2 = F n(d1)/v``.

    With ``d1 = log(F/K)/v + v/2`` the density of a strike is ``exp(-(a log F + b)^2)``.
    """

    def __init__(self, segments: Segments, strikes: Array, v: Array, net: Array) -> None:
        self._segments = segments
        self._a = math.sqrt(0.5) / v
        self._b = math.sqrt(0.5) * (0.5 * v - np.log(strikes) / v)
        self._weight = net / v

    def exposures(self, rows: Positions, forwards: Array) -> Array:
        """Of some expiries, (m,), at forwards of each, (m, points): (m, points)."""
        lengths = self._segments.lengths[rows]
        some = Segments(lengths)
        at = self._segments.starts[rows][some.row] + some.column
        z = np.log(forwards).T[:, some.row]  # (points, elements): rows of elements are summed
        z *= self._a[at]
        z += self._b[at]
        np.multiply(z, z, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        z *= self._weight[at]
        sums = np.add.reduceat(z, some.starts, axis=1)
        result: Array = forwards * sums.T
        return result


def _nearest_change(
    smile: _Smile, rows: Positions, grids: Array, forwards: Array
) -> tuple[Flags, Array, Array, Array]:
    """Where between two points of its grid, (m, points), the exposure of each expiry changes sign.

    Of several changes the one nearest its forward. Returns which have one (m,); of those the points below
    and above it, and the exposure at both (found, 2).
    """
    if not len(rows):
        return np.zeros(0, bool), np.zeros(0), np.zeros(0), np.zeros((0, 2))
    exposures = smile.exposures(rows, grids)
    sign = np.sign(exposures)
    # far from all strikes it fades to nothing: what counts is the sign it had last
    last = np.maximum.accumulate(np.where(sign != 0.0, np.arange(sign.shape[1]), 0), axis=1)
    before = np.take_along_axis(sign, last, axis=1)[:, :-1]
    changes: Flags = np.less(before * sign[:, 1:], 0.0)
    away = np.abs(0.5 * (grids[:, :-1] + grids[:, 1:]) - forwards[:, None])
    at = np.argmin(np.where(changes, away, np.inf), axis=1)
    found: Flags = np.logical_or.reduce(changes, axis=1)
    row, at = np.flatnonzero(found), at[found]
    below, above = (row, last[row, at]), (row, at + 1)
    return found, grids[below], grids[above], np.stack((exposures[below], exposures[above]), axis=1)
