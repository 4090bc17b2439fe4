"""The inverse of `normalised_black.time_value`: total volatility from a normalised time value."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_ndtr, ndtri

from analytics import normalised_black
from analytics.arrays import Array, Flags

# Inverse of Bachelier's formula: h^2/L^2 as a quotient of polynomials in L = ln(1 + x/(2 b)), constant first.
# Fitted by reweighted least squares on 0 < h < 38.5 at 40 digits; relative error of h at most 3.5e-5.
_NUMERATOR = (31286.64, 11155.77, 1663.491, 328.2779, 1.997788)
_DENOMINATOR = (49148.28, 66552.07, 9939.075, 2032.306, 175.4771, 1.0)

# one step of fourth order turns this relative error of the guess into less than 1e-13
GUESS_TOLERANCE = 1e-4
GREATEST_ITERATIONS = 12
# above the inflection and this total volatility `_large_guess` is the better one
GREATEST_MODERATE = 2.0
# rounds in which `_moderate_guess` corrects Bachelier by the volatility of the round before
TURNS = 2
# exp overflows at 709
GREATEST_EXPONENT = 700.0
_SQRT_TWO_PI = math.sqrt(2.0 * math.pi)
SMALLEST = 5e-324
_LEAST = 1e-300


def total_volatility(x: Array, ratio: Array) -> Array:
    """Total volatility ``sigma sqrt(T)`` whose normalised time value is the given one.

    Parameters
    ----------
    x : ndarray (n,)
        ``|ln(F/K)|``.
    ratio : ndarray (n,)
        Time value over ``D min(F, K)``, strictly between 0 and 1.

    Returns
    -------
    ndarray (n,)
        To about 1e-14 relative (1e-15 in the market's range), plus what the rounding of `ratio` makes of it.

    """
    ratio = np.maximum(ratio, SMALLEST)  # the last denormal prices underflow when divided
    near = np.minimum(x, normalised_black.SERIES_DISTANCE)
    v = guess(near, ratio)
    h = np.divide(near, v)
    np.minimum(h, normalised_black.GREATEST_DISTANCE, out=h)
    t = np.multiply(v, 0.5)
    rest = normalised_black.outside_series(x, t)
    slope = normalised_black.slope_series(h, t)
    z = np.subtract(t, h)
    z *= z
    z *= 0.5
    # f = ln(computed/wanted), and d f / d ln v = 1/slope
    with np.errstate(all="ignore"):  # elements of `rest` may be anything here
        error = np.divide(slope, ratio)
        error *= v
        error *= 1.0 / _SQRT_TWO_PI
        np.log(error, out=error)
        error -= z
        step = _step(error, np.divide(1.0, slope, out=slope), h, t)
        far = ~(np.abs(step) < GUESS_TOLERANCE)
        np.exp(step, out=step)
        step *= v
    far[rest] = True
    positions = np.flatnonzero(far)
    if positions.size:
        step[positions] = _iterate(x[positions], ratio[positions])
    return step


def guess(x: Array, ratio: Array) -> Array:
    """Total volatility to about 1e-4 where it is under 0.25.

    Bachelier's formula ``b = v (n(h) - h N(-h))`` is Black's to first order in ``v``, for every ``h``; it is
    inverted by a rational function and the next order, ``-t^2/6 (1/c_0 - h^2)`` in ``ln b``, is put right.
    """
    twice = np.exp(-0.5 * x)
    twice *= ratio
    twice *= 2.0
    np.maximum(twice, _LEAST, out=twice)
    s = np.divide(x, twice)
    np.maximum(s, _LEAST, out=s)
    length = np.log1p(s)
    v = np.divide(s, length)
    v *= twice
    quotient = _polynomial(_DENOMINATOR, length)
    quotient /= _polynomial(_NUMERATOR, length)
    np.sqrt(quotient, out=quotient)
    v *= quotient
    h = np.divide(x, v)
    # 1 - c_0 h^2 to a few per cent, with the right ends 1 - h^2 and 3/h^2
    upper = 1.88 * h
    upper += 1.0
    lower = 0.6267 * h
    lower += 1.0
    lower *= h
    lower *= h
    lower += upper
    upper /= lower
    upper *= v
    upper *= v
    upper *= 1.0 / 24.0
    upper += 1.0
    v *= upper
    return v


def _polynomial(coefficients: tuple[float, ...], argument: Array) -> Array:
    result = np.full_like(argument, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result *= argument
        result += coefficient
    return result


def _step(error: Array, first: Array, h: Array, t: Array) -> Array:
    """Householder's step of fourth order in ``ln v``.

    With ``l = d f/d ln v`` and ``m = d ln n(t - h)/d ln v = h^2 - t^2``, the higher derivatives are ``l g``
    and ``l (g^2 - l g - 2 (h^2 + t^2))`` where ``g = 1 + m - l``.
    """
    squared_h = np.multiply(h, h)
    squared_t = np.multiply(t, t)
    second = squared_h - squared_t
    second += 1.0
    second -= first
    third = second - first
    third *= second
    squared_h += squared_t
    squared_h *= 2.0
    third -= squared_h
    newton = np.divide(error, first)
    np.negative(newton, out=newton)
    third *= newton
    third *= 1.0 / 6.0
    third += second
    third *= newton
    third += 1.0
    second *= newton
    second *= 0.5
    second += 1.0
    newton *= second
    newton /= third
    return newton


def _iterate(x: Array, ratio: Array) -> Array:
    """Solve anywhere: bounded steps from a guess on the right side of the inflection ``v = sqrt(2 x)``.

    Below it the objective is ``ln(ratio)``, above it ``ln(1 - ratio)``: each is nearly linear where the other
    goes flat, and both have the derivatives that `_step` expects, with opposite signs of the first.
    """
    bend = np.sqrt(2.0 * x)
    low = ratio < 0.5 - np.exp(x + log_ndtr(-bend))
    result = _moderate_guess(x, ratio)
    large = np.flatnonzero(~low & (result > GREATEST_MODERATE))
    result[large] = _large_guess(x[large], 1.0 - ratio[large])
    target = np.where(low, ratio, 1.0 - ratio)
    active = np.arange(x.size)
    for _ in range(GREATEST_ITERATIONS):
        v, side = result[active], low[active]
        v = np.where(side, np.minimum(v, bend[active]), np.maximum(v, bend[active]))
        step = _bounded_step(x[active], v, target[active], side)
        result[active] = v * np.exp(step)
        active = active[np.abs(step) > GUESS_TOLERANCE]
        if not active.size:
            break
    return result


def _bounded_step(x: Array, v: Array, target: Array, low: Flags) -> Array:
    """Step in ``ln v`` towards the ratio wanted (below the inflection) or its complement (above)."""
    h = np.minimum(x / v, normalised_black.GREATEST_DISTANCE)
    t = 0.5 * v
    z = t - h
    sign = np.where(low, 1.0, -1.0)
    bracket = normalised_black.mills(-np.abs(z)) - sign * normalised_black.mills(-h - t)
    inside = low.copy()
    inside[normalised_black.outside_series(x, t)] = False
    if inside.any():
        bracket[inside] = v[inside] * normalised_black.slope_series(h[inside], t[inside])
    error = np.log(bracket) - np.log(target * _SQRT_TWO_PI) - 0.5 * z * z
    return np.clip(_step(error, sign * v / bracket, h, t), -1.0, 1.0)


def _moderate_guess(x: Array, ratio: Array) -> Array:
    """Bachelier's inverse in logarithms, since ``e^(-x/2)`` may underflow, improved in turns.

    To 1 % where ``v`` is under 1, and a start from the right side for any ratio below the inflection.
    """
    x = np.maximum(x, _LEAST)
    logarithm = np.log(x) - np.log(2.0 * ratio) + 0.5 * x
    excess = np.zeros_like(x)
    for _ in range(TURNS):
        length = np.log1p(np.exp(np.minimum(logarithm - excess, GREATEST_EXPONENT)))
        length += np.maximum(logarithm - excess - GREATEST_EXPONENT, 0.0)
        h = length * np.sqrt(_polynomial(_NUMERATOR, length) / _polynomial(_DENOMINATOR, length))
        v = x / h
        # ln b falls short of Bachelier by between t^2/6 (small h) and t^2/2 (large h)
        squared = h * h
        excess = 0.25 * v * v * (squared + 1.0) / (2.0 * squared + 6.0)
    return v


def _large_guess(x: Array, complement: Array) -> Array:
    """From ``1 - ratio = N(h - t) + e^x N(-h - t)`` with the second term taken as large as the first.

    Exact at the forward, and from above elsewhere.
    """
    z = ndtri(0.5 * complement)
    v: Array = np.sqrt(z * z + 2.0 * x) - z
    return v
