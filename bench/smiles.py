"""Smiles to measure with: slices of an SSVI surface, which are free of arbitrage.

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014).

"""

from __future__ import annotations

import math

import numpy as np

from analytics.arrays import Array


def ssvi_smile(log_moneyness: Array, at_the_money: float, years: float, rho: float, eta: float) -> Array:
    """Volatility by ``k = ln(K/F)``: ``w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))``.

    ``phi = eta / sqrt(theta (1 + theta))`` of the power law; ``theta`` is the total variance at the money.
    """
    theta = at_the_money**2 * years
    slope = eta / math.sqrt(theta * (1.0 + theta)) * log_moneyness
    variance = 0.5 * theta * (1.0 + rho * slope + np.sqrt((slope + rho) ** 2 + 1.0 - rho * rho))
    result: Array = np.sqrt(variance / years)
    return result
