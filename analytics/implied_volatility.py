"""Volatility from an option's price, for whole universes at once.

Every price is first brought to the out-of-the-money side by taking off its intrinsic value, where the price
depends on volatility alone. A closed-form guess good to about 1e-4 and one step of fourth order then give all
the digits the price holds; the few elements far from any market (total volatility over 0.25, or strikes many
times away) are iterated on their own.

References
----------
P. Jaeckel, "Let's Be Rational", Wilmott 2015 (75), for the normalised price and the logarithmic objective.
A. S. Householder, "The Numerical Treatment of a Single Nonlinear Equation", 1970, for the step.

"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import normalised_inverse
from analytics.arrays import Array, Flags, flattened, replaced

# A price, its discount factor and their product are each rounded once: a time value this small against the
# price may be rounding alone, and its volatility would be fiction.
INDISTINCT = 3.0 * float(np.finfo(np.float64).eps)


class Status(IntEnum):
    """Why an element has a volatility or has none; the first that applies, from the bottom up."""

    ok = 0
    below_intrinsic = 1  # at it, under it, or above it by no more than rounding
    above_bound = 2  # a call at D F or more, a put at D K or more
    zero_price = 3
    expired = 4  # no time left
    invalid = 5  # NaN, a negative price, or a forward, strike or discount factor not positive and finite


def implied_volatility(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    is_call: ArrayLike,
    discount_factor: ArrayLike = 1.0,
) -> tuple[Array, NDArray[np.int8]]:
    """Black-76 implied volatility.

    Parameters
    ----------
    price : array_like
        Option prices; any shapes that broadcast, here and below.
    forward, strike : array_like
        Positive.
    time_to_expiry : array_like
        Years.
    is_call : array_like
        True for calls, False for puts.
    discount_factor : array_like
        Present value of 1 paid at expiry.

    Returns
    -------
    volatility : ndarray
        Broadcast shape, per square root of a year; NaN where the status is not ``ok``.
    status : ndarray of int8
        A `Status` for each element.

    Examples
    --------
    >>> volatility, status = implied_volatility([1.7011, 0.0], 19, 19, 0.75, True, np.exp(-0.075))
    >>> volatility.round(4), [Status(item).name for item in status]
    (array([0.28,  nan]), ['ok', 'zero_price'])

    """
    shape, calls, numbers = flattened(is_call, price, forward, strike, time_to_expiry, discount_factor)
    status = _input_status(*numbers)
    refused = np.flatnonzero(status)
    if refused.size:
        numbers = [replaced(item, refused, 1.0) for item in numbers]
    p, f, k, time, discount = numbers
    lower = np.minimum(f, k)
    gap = np.maximum(f, k)
    gap -= lower
    time_value = p - discount * gap * np.equal(calls, f > k)
    unit = discount * lower
    _mark(status, time_value <= INDISTINCT * p, Status.below_intrinsic)
    _mark(status, (p >= discount * np.where(calls, f, k)) | (time_value >= unit), Status.above_bound)
    np.divide(gap, lower, out=gap)
    x = np.log1p(gap, out=gap)
    time_value /= unit
    refused = np.flatnonzero(status)
    if refused.size:  # anything solvable: the answer is thrown away
        x[refused] = time_value[refused] = 0.01
    volatility = normalised_inverse.total_volatility(x, time_value)
    volatility /= np.sqrt(time)
    volatility[refused] = np.nan
    return volatility.reshape(shape), status.reshape(shape)


def _input_status(
    price: Array, forward: Array, strike: Array, time: Array, discount: Array
) -> NDArray[np.int8]:
    """Status as far as the inputs decide it alone; comparisons are written so that NaN is invalid."""
    valid = (forward > 0.0) & (forward < math.inf) & (strike > 0.0) & (strike < math.inf)
    valid &= (discount > 0.0) & (discount < math.inf) & (time < math.inf) & (price >= 0.0)
    status = np.zeros(price.shape, dtype=np.int8)
    status[price == math.inf] = Status.above_bound
    status[price == 0.0] = Status.zero_price
    status[time <= 0.0] = Status.expired
    status[~valid] = Status.invalid
    return status


def _mark(status: NDArray[np.int8], where: Flags, reason: Status) -> None:
    status[where & (status == Status.ok)] = reason
