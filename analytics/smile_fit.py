"""Fits of a smile to one expiry's implied volatilities, quick enough for every change of a chain.

Residuals are in volatility, so that ``rms`` reads in volatility too (0.001 is a tenth of a point). Points
weigh as their vega falls off from the money unless the caller knows better, and outliers (stale last prices)
less.

References
----------
Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model", 2009, for the linear inner problem.
L. Kaufman, "A variable projection method for solving separable nonlinear least squares problems", BIT 15
(1975).

"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Array
from analytics.svi import Ssvi, Svi

LEAST_POINTS_SVI = 5
LEAST_POINTS_SSVI = 3
GREATEST_ITERATIONS = 6
START_ITERATIONS = 2
GREATEST_HALVINGS = 4
# in volatility: a step that improves rms by less than this is the last
CONVERGED = 2e-5
# keeps a curvature of zero invertible
TINY = 1e-30
# what a far wing weighs beside a strike at the forward
LEAST_WEIGHT = 0.01
# the bend sigma, and how far the vertex may lie outside, as shares of the strikes' range
LEAST_BEND, GREATEST_BEND, GREATEST_SHIFT = 0.005, 2.0, 0.5
# residuals beyond this many robust standard deviations weigh less, as 1/|residual|
HUBER = 2.0
# a residual under half a point is the shape's, not a stale price's
LEAST_OUTLIER = 0.005


@dataclass(frozen=True, slots=True)
class _Points:
    """Known points, arrays (n,)."""

    k: Array
    w: Array
    trust: Array
    scale: Array  # turns a residual in variance into one in volatility
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class _State:
    """A trial: parameters (p,), residuals in volatility (n,), their derivatives (p, n)."""

    parameters: Array
    residual: Array
    derivatives: Array


def fit_svi(
    log_moneyness: ArrayLike, volatility: ArrayLike, time_to_expiry: float, weights: ArrayLike | None = None
) -> Svi:
    """Raw SVI slice through the volatilities of one expiry.

    Parameters
    ----------
    log_moneyness, volatility : array_like (n,)
        ``ln(K/F)`` and implied volatility; NaN volatilities are left out.
    time_to_expiry : float
        Years.
    weights : array_like (n,), optional
        Trust in each point; by default as vega falls off from the money, but never less than a hundredth.

    Returns
    -------
    Svi
        NaN parameters with fewer than `LEAST_POINTS_SVI` points.

    Notes
    -----
    For given ``(m, sigma)`` the slice is linear in its level and the slopes of its two wings, which may not
    be negative. A rough SSVI slice gives the start; Gauss-Newton steps in these two, the linear part
    solved exactly at each, the end. The vertex stays near the strikes.

    """
    points = _points(log_moneyness, volatility, time_to_expiry, weights)
    if points.k.size < LEAST_POINTS_SVI or not points.highest > points.lowest:
        return Svi(math.nan, math.nan, math.nan, math.nan, math.nan, count=points.k.size)
    m, log_sigma = _start(points)
    state = _svi_state(points, m, log_sigma, points.trust)
    longest = np.array([0.25 * (points.highest - points.lowest), 1.0])
    state = _descend(points, state, longest, _svi_state, GREATEST_ITERATIONS)
    level, right, left, m, log_sigma = state.parameters.tolist()
    b = 0.5 * (right + left)
    rho = (right - left) / (right + left) if b > 0.0 else 0.0
    return Svi(level, b, rho, m, math.exp(log_sigma), _rms(state.residual), points.k.size)


def fit_ssvi(
    log_moneyness: ArrayLike, volatility: ArrayLike, time_to_expiry: float, weights: ArrayLike | None = None
) -> Ssvi:
    """SSVI slice through the volatilities of one expiry: three parameters, for few or noisy points.

    Parameters
    ----------
    log_moneyness, volatility, time_to_expiry, weights
        As for `fit_svi`.

    Returns
    -------
    Ssvi
        NaN parameters with fewer than `LEAST_POINTS_SSVI` points.

    Notes
    -----
    Gauss-Newton steps in ``(ln theta, atanh rho, ln phi)``.

    """
    points = _points(log_moneyness, volatility, time_to_expiry, weights)
    if points.k.size < LEAST_POINTS_SSVI:
        return Ssvi(math.nan, math.nan, math.nan, count=points.k.size)
    state = _surface_slice(points, GREATEST_ITERATIONS)
    log_theta, atanh_rho, log_phi = state.parameters.tolist()
    return Ssvi(
        math.exp(log_theta), math.tanh(atanh_rho), math.exp(log_phi), _rms(state.residual), points.k.size
    )


def _points(
    log_moneyness: ArrayLike, volatility: ArrayLike, time_to_expiry: float, weights: ArrayLike | None
) -> _Points:
    k, sigma = np.asarray(log_moneyness, dtype=np.float64), np.asarray(volatility, dtype=np.float64)
    known = (sigma > 0.0) & (sigma < math.inf) & np.isfinite(k) & (time_to_expiry > 0.0)
    if weights is not None:
        known &= np.asarray(weights, dtype=np.float64) > 0.0
    k, sigma = k[known], sigma[known]
    w = sigma * sigma * time_to_expiry
    if weights is None:
        trust = np.maximum(np.exp(-0.5 * k * k / w), LEAST_WEIGHT)
    else:
        trust = np.asarray(weights, dtype=np.float64)[known]
    lowest, highest = (float(k.min()), float(k.max())) if k.size else (math.nan, math.nan)
    return _Points(k, w, trust, 0.5 / (sigma * time_to_expiry), lowest, highest)


def _surface_slice(points: _Points, iterations: int) -> _State:
    """SSVI state after some steps from ``phi = 1/sqrt(theta)``, which suits a calm index."""
    log_theta = math.log(float(points.w[np.argmin(np.abs(points.k))]))
    state = _ssvi_state(points, log_theta, -0.1, -0.5 * log_theta, points.trust)
    return _descend(points, state, np.ones(3), _ssvi_state, iterations)


def _start(points: _Points) -> tuple[float, float]:
    """``(m, ln sigma)`` of a rough SSVI slice: three parameters find the right valley."""
    _, atanh_rho, log_phi = _surface_slice(points, START_ITERATIONS).parameters.tolist()
    # sqrt(1 - tanh^2) is 1/cosh, without its cancellation
    return -math.tanh(atanh_rho) * math.exp(-log_phi), -math.log(math.cosh(atanh_rho)) - log_phi


def _svi_state(points: _Points, m: float, log_sigma: float, weight: Array) -> _State:
    """Slice with the best linear part; parameters: level, slopes of right and left wing, m, ln sigma."""
    # a vertex far outside the strikes, or a bend far wider, only trades one straight line for another
    width = points.highest - points.lowest
    m = min(max(m, points.lowest - GREATEST_SHIFT * width), points.highest + GREATEST_SHIFT * width)
    sigma = min(max(math.exp(log_sigma), LEAST_BEND * width), GREATEST_BEND * width)
    y = points.k - m
    root = np.sqrt(y * y + sigma * sigma)
    derivatives = np.empty((5, y.size))
    derivatives[0] = 1.0
    derivatives[1] = 0.5 * (root + y)
    derivatives[2] = 0.5 * (root - y)
    derivatives[:3] *= points.scale
    level, right, left = _linear(derivatives[:3], points.w * points.scale, weight)
    residual = level * derivatives[0] + right * derivatives[1] + left * derivatives[2]
    residual -= points.w * points.scale
    if right == 0.0 or left == 0.0:
        derivatives[1 if right == 0.0 else 2] = 0.0  # held at its bound
    per_root = points.scale / root
    derivatives[3] = -(0.5 * (right - left)) * points.scale - (0.5 * (right + left)) * y * per_root
    derivatives[4] = (0.5 * (right + left) * sigma * sigma) * per_root
    return _State(np.array([level, right, left, m, math.log(sigma)]), residual, derivatives)


def _linear(basis: Array, target: Array, weight: Array) -> list[float]:
    """Weighted least squares in three columns, the last two coefficients not negative."""
    weighted = basis * weight
    normal, right = weighted @ basis.T, weighted @ target
    normal[[0, 1, 2], [0, 1, 2]] *= 1.0 + 1e-12
    solution = np.linalg.solve(normal, right)
    negative = solution[1:] < 0.0
    if not negative.any():
        return solution.tolist()
    column = 1 + int(np.argmin(solution[1:]))
    kept = [0, 3 - column]
    solution = np.zeros(3)
    solution[kept] = np.linalg.solve(normal[np.ix_(kept, kept)], right[kept])
    if solution[3 - column] < 0.0:
        solution[:] = 0.0
        solution[0] = right[0] / normal[0, 0]
    return solution.tolist()


def _ssvi_state(
    points: _Points, log_theta: float, atanh_rho: float, log_phi: float, _weight: Array
) -> _State:
    half, rho, phi = 0.5 * math.exp(log_theta), math.tanh(atanh_rho), math.exp(log_phi)
    x = phi * points.k
    root = np.sqrt((x + rho) ** 2 + (1.0 - rho * rho))
    w = half * (1.0 + rho * x + root)
    derivatives = np.empty((3, x.size))
    derivatives[0] = w
    derivatives[1] = (half * (1.0 - rho * rho)) * (x + x / root)
    derivatives[2] = half * x * (rho + (x + rho) / root)
    derivatives *= points.scale
    return _State(np.array([log_theta, atanh_rho, log_phi]), (w - points.w) * points.scale, derivatives)


def _descend(
    points: _Points, state: _State, longest: Array, make: Callable[..., _State], iterations: int
) -> _State:
    """Damped Gauss-Newton in the last ``longest.size`` parameters, whose steps are bounded by it."""
    damping, free = 1e-3, longest.size
    for _ in range(iterations):
        weight = points.trust * _huber(state.residual, points.trust)
        cost = float(weight @ (state.residual * state.residual))
        gradient, curvature = _reduced(state, weight, free)
        for _ in range(GREATEST_HALVINGS):
            damped = curvature + np.diag(damping * np.diag(curvature) + TINY)
            step = np.clip(np.linalg.solve(damped, gradient), -longest, longest)
            trial = make(points, *(state.parameters[-free:] - step).tolist(), weight)
            trial_cost = float(weight @ (trial.residual * trial.residual))
            if trial_cost <= cost:
                break
            damping *= 10.0
        else:
            return state
        state = trial
        damping *= 0.1
        total = float(weight.sum())
        gain = math.sqrt(cost / total) - math.sqrt(trial_cost / total)
        if gain < CONVERGED:
            return state
    return state


def _reduced(state: _State, weight: Array, free: int) -> tuple[Array, Array]:
    """Gradient and curvature in the free parameters, the linear ones following along (Kaufman)."""
    gradient = state.derivatives @ (weight * state.residual)
    curvature = (state.derivatives * weight) @ state.derivatives.T
    linear = gradient.size - free
    if not linear:
        return gradient, curvature
    inner, coupling = curvature[:linear, :linear], curvature[:linear, linear:]
    inner = inner + np.diag(1e-12 * np.diag(inner) + (np.diag(inner) == 0.0))
    follow = np.linalg.solve(inner, coupling)
    return gradient[linear:] - follow.T @ gradient[:linear], curvature[linear:, linear:] - follow.T @ coupling


def _huber(residual: Array, trust: Array) -> Array:
    size = np.abs(residual) * np.sqrt(trust)
    middle = size.size // 2
    border = max(HUBER * 1.5 * float(np.partition(size, middle)[middle]), LEAST_OUTLIER)
    return border / np.maximum(size, border)


def _rms(residual: Array) -> float:
    return math.sqrt(float(residual @ residual) / residual.size)
