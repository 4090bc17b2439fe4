"""Forwards, total variances and fair prices of every chain.

A chain's smile is an SSVI slice, w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 - ρ²)) with k = ln(K/F) and φ =
η/√(θ(1 + θ)): free of butterfly arbitrage because η(1 + |ρ|) ≤ 2. θ is an integral of positive forward
variances, so it grows with the expiry, and θφ(1 ± ρ) does too, which together leave no calendar
arbitrage.

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014). S.
Hendriks and C. Martini, "The extended SSVI volatility surface", Journal of Computational Finance 22
(2019).

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from domain.instants import DAY_MS
from feed.reference.instruments import Underlying
from feed.simulation.factors import mean_decay
from feed.simulation.parameters import FloatArray, Parameters

YEAR_MS = 365 * DAY_MS
_LEAST_VARIANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Slices:
    """Parameters of chains, each (listings,).

    Forward, discount factor, total variance at the money, skew, steepness, years to expiry.
    """

    forward: FloatArray
    discount: FloatArray
    theta: FloatArray
    rho: FloatArray
    phi: FloatArray
    years: FloatArray

    def part(self, where: slice) -> Slices:
        """Some of the chains, as views."""
        return Slices(
            self.forward[where],
            self.discount[where],
            self.theta[where],
            self.rho[where],
            self.phi[where],
            self.years[where],
        )


class SurfaceModel:
    """Surface parameters by underlying row, and the slices they make."""

    def __init__(
        self, underlyings: tuple[Underlying, ...], parameters: Parameters, interest_rate: float
    ) -> None:
        tables, carry = parameters["surface"], parameters["carry"]
        kinds = [underlying.kind for underlying in underlyings]

        def column(table: Parameters, name: str) -> FloatArray:
            return np.array([table[kind][name] for kind in kinds], dtype=np.float64)

        self.eta = column(tables, "eta")
        self.skew_weekly = column(tables, "skew_weekly")
        self.skew_power = column(tables, "skew_power")
        self.skew_floor = column(tables, "skew_floor")
        self.stress_skew = column(tables, "stress_skew")
        self.carry_rate = column(carry, "rate")
        self.carry_premium = column(carry, "premium")
        self.premium_days = float(carry["premium_days"])
        self.reversion = float(tables["implied_reversion_per_day"])
        self.trading_weight = float(tables["trading_time_weight"])
        self.sessions_per_year = float(parameters["sessions_per_year"])
        self.interest_rate = interest_rate

    def slices(
        self,
        rows: np.ndarray[tuple[int], np.dtype[np.intp]],
        spot: FloatArray,
        years: FloatArray,
        sessions: FloatArray,
        carry_years: FloatArray,
        states: SurfaceStates,
    ) -> Slices:
        """Slices of chains of the underlyings at ``rows`` : (listings,).

        ``spot`` : (listings,); ``years`` to expiry by the calendar, ``sessions`` of variance until then,
        ``carry_years`` over which the forward differs from the spot.
        """
        carry_days = carry_years * 365.0
        premium = (self.carry_premium[rows] + states.premium[rows]) * -np.expm1(
            -carry_days / self.premium_days
        )
        forward = spot * np.exp(self.carry_rate[rows] * carry_years + premium)
        theta = self.total_variance(
            years, sessions, states.long_run[rows], states.level[rows], states.today[rows]
        )
        rho = self._skew(years, rows, states.level[rows])
        phi = self.eta[rows] / np.sqrt(theta * (1.0 + theta))
        return Slices(forward, np.exp(-self.interest_rate * years), theta, rho, phi, years)

    def total_variance(
        self,
        years: FloatArray,
        sessions: FloatArray,
        long_run: FloatArray,
        level: FloatArray,
        today: FloatArray,
    ) -> FloatArray:
        """θ, which over ``years`` is the square of the volatility at the money; all arrays of one shape.

        Forward variance goes from its present level to the long run; the day adds to the first days.
        """
        weight = self.trading_weight
        time = weight * sessions / self.sessions_per_year + (1.0 - weight) * years
        days = time * self.sessions_per_year
        long_variance = np.square(long_run)
        variance = long_variance * np.exp(2.0 * level)
        mean = long_variance + (variance - long_variance) * mean_decay(self.reversion * days)
        mean += variance * np.expm1(today) * mean_decay(days / 1.5)
        return np.maximum(mean * time, _LEAST_VARIANCE)

    def _skew(
        self, years: FloatArray, rows: np.ndarray[tuple[int], np.dtype[np.intp]], level: FloatArray
    ) -> FloatArray:
        """ρ by time to expiry; steeper in stress. Bounded so that (1 + ρ)√T never falls."""
        weeks = np.maximum(years * (365.0 / 6.0), 0.05)
        stress = self.stress_skew[rows] * np.clip(level / np.log(2.0), 0.0, 1.5)
        free = (self.skew_weekly[rows] + stress) * weeks ** self.skew_power[rows]
        floor = self.skew_floor[rows]
        # a smooth floor: -0.40 is approached, never passed
        return floor * np.tanh(free / np.minimum(floor, -1e-6))


@dataclass(frozen=True, slots=True)
class SurfaceStates:
    """What drives surfaces, by underlying row.

    ``long_run`` annual volatility, log ``level`` against it, ``today``'s log variance on top, ``premium`` of
    the carry.
    """

    long_run: FloatArray
    level: FloatArray
    today: FloatArray
    premium: FloatArray


class Pricer:
    """Fair prices of the pairs of some chains, in buffers of its own."""

    def __init__(self, pairs: int) -> None:
        self.log_moneyness = np.empty(pairs)
        self.total_volatility = np.empty(pairs)
        self._buffers = np.empty((4, pairs))

    def price(
        self,
        where: slice,
        listing: np.ndarray[tuple[int], np.dtype[np.intp]],
        strike: FloatArray,
        log_strike: FloatArray,
        slices: Slices,
        out: FloatArray,
    ) -> None:
        """Write prices of calls and puts to ``out`` : (2, n), of pairs at ``where``.

        ``listing`` : (n,) indexes ``slices``. Only the side out of the money is evaluated; the other is that
        plus the discounted intrinsic value, so parity holds to the last digit.
        """
        k, v = self.log_moneyness[where], self.total_volatility[where]
        a, b, c, forward = self._buffers[:, where]
        np.take(slices.forward, listing, out=forward)
        np.take(np.log(slices.forward), listing, out=k)
        np.subtract(log_strike, k, out=k)
        self._smile(k, v, listing, slices, (a, b, c))
        np.divide(k, v, out=a)
        np.multiply(v, 0.5, out=b)
        np.subtract(b, a, out=a)  # d1
        np.subtract(a, v, out=b)  # d2
        sign = np.where(k > 0.0, 1.0, -1.0)
        a *= sign
        b *= sign
        ndtr(a, out=a)
        ndtr(b, out=b)
        a *= forward
        b *= strike
        a -= b
        a *= sign
        np.subtract(forward, strike, out=c)
        discount = slices.discount[listing]
        a *= discount
        np.maximum(a, 0.0, out=a)
        c *= discount
        np.maximum(c, 0.0, out=out[0])
        out[0] += a
        np.minimum(c, 0.0, out=out[1])
        np.subtract(a, out[1], out=out[1])

    @staticmethod
    def _smile(
        k: FloatArray,
        v: FloatArray,
        listing: np.ndarray[tuple[int], np.dtype[np.intp]],
        slices: Slices,
        scratch: tuple[FloatArray, FloatArray, FloatArray],
    ) -> None:
        """Square root of the total variance at k into v."""
        a, b, c = scratch
        np.take(slices.phi, listing, out=a)
        a *= k
        np.take(slices.rho, listing, out=b)
        np.multiply(a, b, out=c)
        a += b
        np.square(a, out=a)
        np.square(b, out=b)
        a -= b
        a += 1.0
        np.sqrt(a, out=a)
        a += c
        a += 1.0
        np.take(slices.theta, listing, out=b)
        a *= b
        a *= 0.5
        np.sqrt(a, out=v)
