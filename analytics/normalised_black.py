"""Black's formula with the units taken out: the one kernel that prices and solves.

An option and its out-of-the-money twin differ by their intrinsic value alone, and out of the money calls and
puts are the same function of two numbers: the distance ``x = |ln(F/K)| >= 0`` and the total volatility
``v = sigma sqrt(T)``. With ``h = x/v``, ``t = v/2`` and ``Y(z) = N(z)/n(z)``::

    time value / (D min(F, K)) = n(t - h) (Y(t - h) - Y(-t - h))

which never subtracts two large numbers to find a small one as ``F N(d1) - K N(d2)`` does. For small ``t`` the
difference is summed as a Taylor series about ``-h``; elsewhere both terms come from ``erfcx``.

References
----------
P. Jaeckel, "Let's Be Rational", Wilmott 2015 (75): the normalised form and the idea of regions. The region
borders, the recurrence and its error bound here are our own.

"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erfcx

from analytics.arrays import Array, Positions

# below this half total volatility (v = 0.25) five correction terms leave a remainder under 2e-16
SERIES_HALF_VOLATILITY = 0.125
# rounding in the series grows like sinh(x/2)/(x/2), which is 1.8 here
SERIES_DISTANCE = 4.0
# keeps x/v finite
LEAST_TOTAL_VOLATILITY = 1e-250
# N(50 - h) is 1 to the last bit for any pair of doubles F and K, so a larger v changes nothing
GREATEST_TOTAL_VOLATILITY = 100.0
# n(z) underflows at 38.6: a larger h only threatens to overflow h * h
GREATEST_DISTANCE = 1000.0

_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
_INVERSE_SQRT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)


def distance(lower: Array, higher: Array) -> Array:
    """Logarithmic moneyness ``ln(higher/lower) >= 0`` with full relative precision.

    ``log(higher/lower)`` loses every digit that the quotient rounds away next to one; the difference of two
    doubles within a factor of two is exact, hence ``log1p``.
    """
    result = np.subtract(higher, lower)
    result /= lower
    return np.log1p(result, out=result)


def density(z: Array) -> Array:
    """Normal density ``n(z)``."""
    result = np.multiply(z, z)
    result *= -0.5
    np.exp(result, out=result)
    result *= _INVERSE_SQRT_TWO_PI
    return result


def mills(z: Array) -> Array:
    """Mills ratio ``Y(z) = N(z)/n(z)``, for ``z <= 37`` (beyond it overflows)."""
    result = np.multiply(z, -_SQRT_HALF)
    erfcx(result, out=result)
    result *= _SQRT_HALF_PI
    return result


def slope_series(h: Array, t: Array) -> Array:
    """``(Y(-h + t) - Y(-h - t)) / (2 t)`` for small ``t``, without cancellation.

    Parameters
    ----------
    h, t : ndarray, same shape
        ``h >= 0``; the remainder is negligible for ``t <= SERIES_HALF_VOLATILITY`` and the rounding for
        ``h t <= SERIES_DISTANCE / 2``. Elsewhere the result is finite but meaningless.

    Notes
    -----
    Odd Taylor terms ``c_k = Y^(2k+1)(-h) t^(2k) / (2k+1)!``. From ``Y' = 1 + z Y`` follow
    ``c_0 = 1 - h Y(-h)``, ``c_1 = t^2/6 ((h^2 + 3) c_0 - 1)`` and
    ``c_(k+1) = t^2/((2k+2)(2k+3)) ((h^2 + 4k + 3) c_k - t^2 c_(k-1))``.

    """
    before = mills(-h)
    before *= h
    np.subtract(1.0, before, out=before)
    squared_h = np.multiply(h, h)
    squared_t = np.multiply(t, t)
    term = np.add(squared_h, 3.0)
    term *= before
    term -= 1.0
    term *= squared_t
    term *= 1.0 / 6.0
    total = np.add(before, term)
    scratch = np.empty_like(total)
    for k in range(1, 5):
        np.add(squared_h, 4.0 * k + 3.0, out=scratch)
        scratch *= term
        before *= squared_t
        scratch -= before
        scratch *= squared_t
        scratch *= 1.0 / ((2 * k + 2) * (2 * k + 3))
        total += scratch
        before, term, scratch = term, scratch, before
    return total


def outside_series(x: Array, t: Array) -> Positions:
    """Positions where `slope_series` must not be used; ``x = 2 h t``."""
    return np.flatnonzero((t > SERIES_HALF_VOLATILITY) | (x > SERIES_DISTANCE))


def time_value(x: Array, v: Array) -> tuple[Array, Array, Array]:
    """Time value over ``D min(F, K)``, and what the Greeks need of the way there.

    Parameters
    ----------
    x : ndarray (n,)
        ``|ln(F/K)|``.
    v : ndarray (n,)
        Total volatility, at least zero and no more than `GREATEST_TOTAL_VOLATILITY`.

    Returns
    -------
    ratio : ndarray (n,)
        In [0, 1]; relative error under 1e-12 down to the smallest normal double.
    derivative : ndarray (n,)
        ``d ratio / d v = n(t - h)``.
    h : ndarray (n,)
        ``x/v``, limited to `GREATEST_DISTANCE`.

    """
    h = np.maximum(v, LEAST_TOTAL_VOLATILITY)
    np.divide(x, h, out=h)
    np.minimum(h, GREATEST_DISTANCE, out=h)
    t = np.multiply(v, 0.5)
    z = np.subtract(t, h)
    derivative = density(z)
    ratio = slope_series(h, t)
    ratio *= derivative
    ratio *= v
    rest = outside_series(x, t)
    if rest.size:
        ratio[rest] = _time_value_anywhere(h[rest], t[rest])
    return ratio, derivative, h


def _time_value_anywhere(h: Array, t: Array) -> Array:
    """Time value from both Mills ratios; from the bound downwards where it is nearer to that than to zero."""
    z = t - h
    above = z > 0.0
    inner = mills(-np.abs(z))
    outer = mills(-h - t)
    weight = density(z)
    return np.where(above, 1.0 - weight * (inner + outer), weight * (inner - outer))
