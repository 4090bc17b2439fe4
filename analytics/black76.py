"""Black-76 prices and Greeks of European options, from the forward.

Conventions of this module, in raw units (display units are made at the edge): price in the units of the
forward, ``delta`` and ``gamma`` to the forward, ``vega`` per 1.00 of volatility, ``theta`` per year,
``rho`` per 1.00 of rate. Times are years, volatilities and rates decimals. An index or stock option is priced
by its forward too; `spot_greeks` then turns the sensitivities to the spot.

References
----------
F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976).
E. G. Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed., chapters 1 and 2, for the Greeks.

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analytics import normalised_black
from analytics.arrays import Array, Flags, Positions, flattened, replaced


@dataclass(frozen=True, slots=True)
class Greeks:
    """Price and sensitivities, arrays of one common shape; units as in the module docstring."""

    price: Array
    delta: Array
    gamma: Array
    vega: Array
    theta: Array
    rho: Array


@dataclass(frozen=True, slots=True)
class _Valuation:
    """Inputs flattened and what the closed forms share; all arrays (n,)."""

    shape: tuple[int, ...]
    invalid: Positions
    forward: Array
    time: Array
    volatility: Array
    discount: Array
    root_time: Array
    total_volatility: Array
    is_call: Flags
    in_the_money: Flags
    h: Array
    price: Array
    scale: Array  # D F n(d1), which vega, gamma and theta are multiples of

    def shaped(self, values: Array) -> Array:
        """Values in the callers' shape, NaN where the inputs were invalid."""
        if self.invalid.size:
            values[self.invalid] = np.nan
        return values.reshape(self.shape)


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    discount_factor: ArrayLike = 1.0,
) -> Array:
    """Black-76 price.

    Parameters
    ----------
    forward, strike : array_like
        Positive; any shapes that broadcast, here and below.
    time_to_expiry : array_like
        Years, at least zero.
    volatility : array_like
        Per square root of a year, 0.2 for 20 %; at least zero.
    is_call : array_like
        True for calls, False for puts.
    discount_factor : array_like
        Present value of 1 paid at expiry.

    Returns
    -------
    ndarray
        Broadcast shape. Never below the discounted intrinsic value nor above the bound; exactly the intrinsic
        value at zero time or volatility; NaN where an input is NaN, infinite or out of its range.

    Notes
    -----
    ``D w (F N(w d1) - K N(w d2))``, w = +1 call, -1 put, evaluated as intrinsic value plus time value
    (see `normalised_black`). Relative error under 1e-12, in the far wings too.

    Examples
    --------
    Haug, 2nd ed., section 1.1.4: futures 19, strike 19, nine months, 10 %, 28 %.

    >>> round(float(price(19, 19, 0.75, 0.28, True, np.exp(-0.10 * 0.75))), 4)
    1.7011

    """
    valuation = _value(forward, strike, time_to_expiry, volatility, is_call, discount_factor)
    return valuation.shaped(valuation.price)


def greeks(  # noqa: PLR0913 - the formula's own symbols
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    discount_factor: ArrayLike = 1.0,
    rate: ArrayLike | None = None,
) -> Greeks:
    """Black-76 price and Greeks.

    Parameters
    ----------
    forward, strike, time_to_expiry, volatility, is_call, discount_factor
        As for `price`.
    rate : array_like, optional
        Continuous rate, used by theta alone; by default ``-ln(D)/T``. Seconds before expiry a double
        close to 1 holds no more than a few digits of the rate: give it then.

    Returns
    -------
    Greeks
        Broadcast shapes. With the forward held fixed: ``theta = r V - D F n(d1) sigma / (2 sqrt(T))`` and
        ``rho = -T V``.

    Notes
    -----
    Limits at zero time or volatility: delta is 0 or ±D (±D/2 at the money), gamma and vega vanish off the
    money; at the money gamma is infinite and at zero time theta minus infinity, which is what they are.

    """
    valuation = _value(forward, strike, time_to_expiry, volatility, is_call, discount_factor)
    delta = _delta(valuation)
    vega = valuation.scale * valuation.root_time
    gamma = _gamma(valuation)
    theta = _theta(valuation, rate)
    rho = np.multiply(valuation.price, valuation.time)
    np.negative(rho, out=rho)
    return Greeks(*(valuation.shaped(item) for item in (valuation.price, delta, gamma, vega, theta, rho)))


def spot_greeks(
    forward_greeks: Greeks, spot: ArrayLike, forward: ArrayLike, time_to_expiry: ArrayLike
) -> Greeks:
    """The same Greeks with the spot in the forward's place.

    Parameters
    ----------
    forward_greeks : Greeks
        From `greeks`.
    spot, forward : array_like
        The ratio ``F/S`` is the carry ``e^(bT)``, whatever it is made of.
    time_to_expiry : array_like
        Years.

    Returns
    -------
    Greeks
        ``delta`` and ``gamma`` per unit of the spot; ``theta`` with the spot fixed while the forward runs
        into it; ``rho`` with the spot fixed and the forward growing with the rate. Price and vega stay.

    Notes
    -----
    Chain rule on ``F = S e^(bT)``: ``delta F/S``, ``gamma (F/S)^2``, ``theta - b F delta``,
    ``rho + T F delta``. With ``b = r - q`` these are Merton's Greeks.

    """
    forwards, spots = np.asarray(forward, dtype=np.float64), np.asarray(spot, dtype=np.float64)
    time = np.asarray(time_to_expiry, dtype=np.float64)
    growth = np.where(forwards > 0.0, forwards, np.nan) / np.where(spots > 0.0, spots, np.nan)
    # at zero time the forward is the spot and drifts no more
    carry = np.zeros(np.broadcast(growth, time).shape)
    np.divide(np.log(growth), time, out=carry, where=time > 0.0)
    exposure = forward_greeks.delta * forwards
    return Greeks(
        price=forward_greeks.price,
        delta=forward_greeks.delta * growth,
        gamma=forward_greeks.gamma * growth * growth,
        vega=forward_greeks.vega,
        theta=forward_greeks.theta - carry * exposure,
        rho=forward_greeks.rho + time * exposure,
    )


def _value(
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    discount_factor: ArrayLike,
) -> _Valuation:
    shape, calls, numbers = flattened(is_call, forward, strike, time_to_expiry, volatility, discount_factor)
    invalid = _invalid(*numbers)
    if invalid.size:  # ones instead, so that no warning is raised on their account
        numbers = [replaced(item, invalid, 1.0) for item in numbers]
    f, k, time, sigma, discount = numbers
    lower = np.minimum(f, k)
    higher = np.maximum(f, k)
    root_time = np.sqrt(time)
    v = np.multiply(sigma, root_time)
    np.minimum(v, normalised_black.GREATEST_TOTAL_VOLATILITY, out=v)
    value, scale, h = normalised_black.time_value(normalised_black.distance(lower, higher), v)
    in_the_money = np.equal(calls, f > k)
    higher -= lower
    higher *= in_the_money  # the intrinsic value now
    lower *= discount
    value *= lower
    scale *= lower
    higher *= discount
    value += higher
    np.minimum(value, discount * np.where(calls, f, k), out=value)  # the sum may round past the bound
    return _Valuation(
        shape, invalid, f, time, sigma, discount, root_time, v, calls, in_the_money, h, value, scale
    )


def _invalid(forward: Array, strike: Array, time: Array, volatility: Array, discount: Array) -> Positions:
    """Positions of inputs without a meaning; written so that NaN fails every test."""
    good = (forward > 0.0) & (forward < np.inf) & (strike > 0.0) & (strike < np.inf)
    good &= (time >= 0.0) & (time < np.inf) & (volatility >= 0.0) & (volatility < np.inf)
    good &= (discount > 0.0) & (discount < np.inf)
    return np.flatnonzero(~good)


def _delta(valuation: _Valuation) -> Array:
    sign = np.where(valuation.is_call, 1.0, -1.0)
    signed_d1 = np.where(valuation.in_the_money, valuation.h, -valuation.h)
    signed_d1 += 0.5 * sign * valuation.total_volatility
    delta: Array = ndtr(signed_d1, out=signed_d1)
    delta *= sign
    delta *= valuation.discount
    return delta


def _gamma(valuation: _Valuation) -> Array:
    gamma = np.maximum(valuation.total_volatility, normalised_black.LEAST_TOTAL_VOLATILITY)
    gamma *= valuation.forward
    np.divide(valuation.scale, gamma, out=gamma)
    gamma /= valuation.forward
    gamma[(valuation.total_volatility == 0.0) & (valuation.h == 0.0)] = np.inf
    return gamma


def _theta(valuation: _Valuation, rate: ArrayLike | None) -> Array:
    if rate is None:
        carrying = np.log(valuation.discount)
        np.negative(carrying, out=carrying)
        np.divide(carrying, valuation.time, out=carrying, where=valuation.time > 0.0)
    else:
        carrying = np.broadcast_to(np.asarray(rate, dtype=np.float64), valuation.shape).flatten()
    carrying *= valuation.price
    decay = np.maximum(valuation.root_time, normalised_black.LEAST_TOTAL_VOLATILITY)
    np.divide(valuation.volatility, decay, out=decay)
    decay *= valuation.scale
    decay *= 0.5
    at_the_strike_at_expiry = (valuation.time == 0.0) & (valuation.h == 0.0) & (valuation.volatility > 0.0)
    decay[at_the_strike_at_expiry] = np.inf
    carrying -= decay
    return carrying
