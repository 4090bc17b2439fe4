"""Several option legs of one expiry taken together: pay-off, limits, Greeks and odds.

Profit is what the position pays less what it cost, in rupees for quantities in units. At expiry it is a
broken line with its knots at the strikes, so that break-evens and limits are exact and no grid can miss them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics import black76
from analytics.arrays import Array
from analytics.volatility import probability_beyond


@dataclass(frozen=True, slots=True)
class Leg:
    """One contract bought or sold.

    Attributes
    ----------
    strike : float
        Positive.
    is_call : bool
        Call or put.
    side : {"buy", "sell"}
    quantity : float
        Units (contracts times lot size), positive.
    price : float
        Premium per unit at which it was traded.

    """

    strike: float
    is_call: bool
    side: Literal["buy", "sell"]
    quantity: float
    price: float


@dataclass(frozen=True, slots=True)
class ProfitLimits:
    """Where a position breaks even and how far it can go, at expiry.

    Attributes
    ----------
    break_evens : ndarray (m,)
        Prices of the underlying, ascending, at which profit turns to loss or back.
    maximum_profit, maximum_loss : float
        Rupees; infinite where the position is open upwards. The loss is a positive number, 0 where none is
        possible; a negative profit means that the position can only lose.
    net_premium : float
        Paid (positive) or received (negative).

    """

    break_evens: Array
    maximum_profit: float
    maximum_loss: float
    net_premium: float


def profit_at_expiry(legs: Sequence[Leg], underlying: ArrayLike) -> Array:
    """Profit for each price of the underlying at expiry; the shape of `underlying`."""
    strike, sign, quantity, price = _columns(legs)
    settled = np.asarray(underlying, dtype=np.float64)[..., None]
    paid = np.maximum(sign * (settled - strike), 0.0) - price
    profit: Array = paid @ quantity
    return profit


def profit_before_expiry(
    legs: Sequence[Leg],
    forward: ArrayLike,
    time_to_expiry: float,
    volatility: ArrayLike,
    discount_factor: float = 1.0,
) -> Array:
    """Profit if the position were closed now, for each forward.

    Parameters
    ----------
    legs : sequence of Leg
        Of one expiry.
    forward : array_like (m,)
        Trial forwards.
    time_to_expiry : float
        Years.
    volatility : array_like, () or (legs,)
        One for all, or that of each leg's strike; it stays while the forward is moved.
    discount_factor : float
        Of this expiry.

    """
    strike, sign, quantity, price = _columns(legs)
    forwards = np.asarray(forward, dtype=np.float64)[..., None]
    value = black76.price(forwards, strike, time_to_expiry, volatility, sign > 0.0, discount_factor)
    profit: Array = (value - price) @ quantity
    return profit


def limits(legs: Sequence[Leg]) -> ProfitLimits:
    """Break-evens, maximum profit and maximum loss at expiry.

    Notes
    -----
    The profit is linear between the strikes, from zero to the last strike and on for ever beyond it with the
    slope of the net calls.

    """
    strike, sign, quantity, price = _columns(legs)
    knots = np.unique(np.append(strike, 0.0))
    profit = profit_at_expiry(legs, knots)
    slope = float(quantity[sign > 0.0].sum())
    return ProfitLimits(
        break_evens=_break_evens(knots, profit, slope),
        maximum_profit=math.inf if slope > 0.0 else float(profit.max()),
        maximum_loss=math.inf if slope < 0.0 else max(0.0, -float(profit.min())),
        net_premium=float(price @ quantity),
    )


def probability_of_profit(
    legs: Sequence[Leg], forward: float, time_to_expiry: float, volatility: ArrayLike
) -> float:
    """Risk-neutral probability that the position ends with a profit.

    Parameters
    ----------
    legs : sequence of Leg
        Of one expiry.
    forward, time_to_expiry : float
        Of this expiry, years.
    volatility : array_like, () or (break-evens,)
        One for all, or the smile's at each of `limits`' break-evens.

    Notes
    -----
    ``N(d2)`` at each break-even gives the probability of each stretch between them; those with a profit in
    their middle are added up.

    """
    levels = limits(legs).break_evens
    above = probability_beyond(forward, levels, time_to_expiry, volatility)
    edges = np.concatenate([[0.0], levels, [2.0 * max(levels.max(initial=0.0), forward)]])
    middle = profit_at_expiry(legs, 0.5 * (edges[:-1] + edges[1:]))
    survival = np.concatenate([[1.0], np.broadcast_to(above, levels.shape), [0.0]])
    return float(np.sum(-np.diff(survival)[middle > 0.0]))


def _columns(legs: Sequence[Leg]) -> tuple[Array, Array, Array, Array]:
    """Strikes, +1 call and -1 put, quantities positive when bought, and prices; all (legs,)."""
    return (
        np.array([leg.strike for leg in legs], dtype=np.float64),
        np.array([1.0 if leg.is_call else -1.0 for leg in legs]),
        np.array([leg.quantity if leg.side == "buy" else -leg.quantity for leg in legs], dtype=np.float64),
        np.array([leg.price for leg in legs], dtype=np.float64),
    )


def _break_evens(knots: Array, profit: Array, slope: float) -> Array:
    """Zeros of the broken line through the knots that goes on with `slope` after the last."""
    # a profit of a rounding error beside its terms is a zero, not a crossing next to the knot
    sign = np.sign(np.where(np.abs(profit) <= 1e-12 * np.abs(profit).max(initial=1.0), 0.0, profit))
    found = [float(knot) for knot, at in zip(knots, sign, strict=True) if at == 0.0 and knot > 0.0]
    for left in np.flatnonzero(sign[:-1] * sign[1:] < 0.0):
        share = profit[left] / (profit[left] - profit[left + 1])
        found.append(float(knots[left] + share * (knots[left + 1] - knots[left])))
    if sign[-1] * slope < 0.0:
        found.append(float(knots[-1] - profit[-1] / slope))
    return np.unique(np.array(found, dtype=np.float64))
