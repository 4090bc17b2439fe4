"""One expiry's smile as a formula: SVI and SSVI slices (`smile_fit` fits them).

``k = ln(K/F)``; a slice gives the total variance ``w(k) = sigma(k)^2 T``.

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014).

"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array


@dataclass(frozen=True, slots=True)
class Svi:
    """Raw SVI slice ``w = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2))``.

    Attributes
    ----------
    a, b, rho, m, sigma : float
        NaN where the points did not allow a fit.
    rms : float
        Root mean square residual over the points used, in volatility.
    count : int
        Points used.

    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float
    rms: float = math.nan
    count: int = 0

    def total_variance(self, log_moneyness: ArrayLike) -> Array:
        """``w(k)``, any shape."""
        y = np.asarray(log_moneyness, dtype=np.float64) - self.m
        variance: Array = self.a + self.b * (self.rho * y + np.sqrt(y * y + self.sigma * self.sigma))
        return variance

    def volatility(self, log_moneyness: ArrayLike, time_to_expiry: float) -> Array:
        """``sqrt(w(k)/T)``, NaN where the formula has no positive variance."""
        variance = self.total_variance(log_moneyness) / time_to_expiry
        return np.sqrt(np.where(variance > 0.0, variance, np.nan))

    def durrleman(self, log_moneyness: ArrayLike) -> Array:
        """Durrleman's function: the slice has no butterfly arbitrage where it is not negative."""
        k = np.asarray(log_moneyness, dtype=np.float64)
        y = k - self.m
        root = np.sqrt(y * y + self.sigma * self.sigma)
        w = self.total_variance(k)
        first = self.b * (self.rho + y / root)
        second = self.b * self.sigma * self.sigma / root**3
        result: Array = (1.0 - 0.5 * k * first / w) ** 2
        result -= 0.25 * first * first * (1.0 / w + 0.25)
        result += 0.5 * second
        return result


@dataclass(frozen=True, slots=True)
class Ssvi:
    """SSVI slice ``w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))``; fields as `Svi`'s.

    Free of butterfly arbitrage where ``theta phi (1 + |rho|) < 4`` and ``theta phi^2 (1 + |rho|) <= 4``.
    """

    theta: float
    rho: float
    phi: float
    rms: float = math.nan
    count: int = 0

    def raw(self) -> Svi:
        """The same slice in raw SVI parameters."""
        root = math.sqrt(1.0 - self.rho * self.rho)
        half = 0.5 * self.theta
        return Svi(
            half * root * root,
            half * self.phi,
            self.rho,
            -self.rho / self.phi,
            root / self.phi,
            self.rms,
            self.count,
        )

    def total_variance(self, log_moneyness: ArrayLike) -> Array:
        """``w(k)``, any shape."""
        return self.raw().total_variance(log_moneyness)

    def volatility(self, log_moneyness: ArrayLike, time_to_expiry: float) -> Array:
        """``sqrt(w(k)/T)``."""
        return self.raw().volatility(log_moneyness, time_to_expiry)

    def is_free_of_butterfly_arbitrage(self) -> bool:
        """Gatheral and Jacquier's sufficient condition (theorem 4.2)."""
        steepness = self.theta * self.phi * (1.0 + abs(self.rho))
        return steepness < 4.0 and steepness * self.phi <= 4.0


def ssvi_slice(total_variance_at_forward: float, rho: float, eta: float, gamma: float = 0.5) -> Ssvi:
    """Slice of the power-law SSVI surface, ``phi = eta / (theta^gamma (1 + theta)^(1 - gamma))``."""
    theta = total_variance_at_forward
    return Ssvi(theta, rho, eta / (theta**gamma * (1.0 + theta) ** (1.0 - gamma)))
