"""The day in which the simulation starts, up to the start: prices, range, volume and volatility so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS
from feed.reference.instruments import Underlying
from feed.simulation.activity import Activity
from feed.simulation.bars import Bars, as_bars, bridged
from feed.simulation.factors import EQUITY, FactorModel
from feed.simulation.parameters import FloatArray
from feed.simulation.past.backfill import volatility_path

_ROW_MINUTES = 240  # the recursions of volatility run over rows of so many minutes


@dataclass(frozen=True, slots=True)
class DaySoFar:
    """One group's day up to the start: (minutes, underlyings of the group), which are at ``rows``."""

    rows: NDArray[np.intp]
    time_ms: NDArray[np.int64]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def candles(self, row: int) -> Bars:
        """The minutes of an underlying, the one in course as far as it is."""
        column = int(np.flatnonzero(self.rows == row)[0])
        fields = (self.open, self.high, self.low, self.close, self.volume)
        return as_bars(self.time_ms, *(values[:, column] for values in fields))


@dataclass(frozen=True, slots=True)
class Span:
    """From the first minute of a day to the start; ``variance_since``: the clock at the close before.

    The spot stands still inside ``frozen_ms``.
    """

    since_ms: int
    now_ms: int
    variance_since: float
    frozen_ms: tuple[int, int]

    def edges(self) -> FloatArray:
        """Where minutes begin, and the start."""
        first_ms = self.since_ms // MINUTE_MS * MINUTE_MS
        return np.append(np.arange(first_ms, self.now_ms, MINUTE_MS, dtype=np.float64), float(self.now_ms))

    def variance(self, activity: Activity, edges: FloatArray) -> FloatArray:
        """Days of variance of each minute, the first with the night where that comes as a gap."""
        clock, _ = activity.clocks_at(np.maximum(edges, self.since_ms))
        inside = (edges > self.frozen_ms[0]) & (edges < self.frozen_ms[1])
        if inside.any():
            clock[inside] = activity.variance_at(self.frozen_ms[0])
        clock[0] = self.variance_since
        return np.diff(clock)


@dataclass(frozen=True, slots=True)
class GroupBefore:
    """A group at its last close; ``last_close``, ``daily_units`` : (underlyings,) of all groups.

    ``slow`` is the logarithm of the slow part of its volatility.
    """

    group: int
    last_close: FloatArray
    daily_units: FloatArray
    slow: float


def day_so_far(
    model: FactorModel,
    underlyings: Sequence[Underlying],
    activity: Activity,
    span: Span,
    before: GroupBefore,
    seed: int,
) -> DaySoFar:
    """Simulate a group from its last close."""
    group, last_close, daily_units = before.group, before.last_close, before.daily_units
    rng = np.random.default_rng((seed, 5, group))
    rows = np.flatnonzero(model.group == group)
    edges = span.edges()
    count = len(edges) - 1
    variance = span.variance(activity, edges)
    multiple = _multiples(model, variance, before.slow, rng)
    deviation = np.sqrt(variance) * multiple
    moves = rng.standard_normal((count, len(model.factors))) * deviation[:, None]
    own = rng.standard_normal((count, len(rows))) * deviation[:, None] * model.own[rows]
    returns = (moves @ model.loadings[rows].T + own) * model.daily_volatility[rows]
    _follow_parents(model, rows, returns)
    base = np.log(last_close)
    whole = np.tile(base, (count + 1, 1))
    whole[1:, rows] += np.cumsum(returns, axis=0)
    if group == EQUITY:
        model.baskets.tie(whole, base)
    log_price = whole[:, rows]
    noise = rng.random((2, len(rows), count))
    ticks = np.array([underlyings[row].spot_tick_size for row in rows.tolist()])[:, None]
    path = bridged(log_price.T, model.daily_volatility[rows][:, None] * deviation, noise, ticks)
    volumes = np.diff(activity.clocks_at(np.maximum(edges, span.since_ms))[1])
    units = volumes[:, None] * daily_units[rows] * np.exp(0.25 * rng.standard_normal((count, len(rows))))
    return DaySoFar(
        rows,
        edges[:-1].astype(np.int64),
        path.open.T,
        path.high.T,
        path.low.T,
        path.close.T,
        np.rint(units),
    )


def _multiples(model: FactorModel, variance: FloatArray, slow: float, rng: np.random.Generator) -> FloatArray:
    count = len(variance)
    height = max(1, -(-count // _ROW_MINUTES))
    padded = np.zeros(height * _ROW_MINUTES)
    padded[:count] = variance
    rows = padded.reshape(height, _ROW_MINUTES)
    return volatility_path(model, rows, np.full(height, slow), rng).ravel()[:count]


def _follow_parents(model: FactorModel, rows: NDArray[np.intp], returns: FloatArray) -> None:
    column = {int(row): index for index, row in enumerate(rows)}
    for small, large in zip(model.twins.tolist(), model.parents.tolist(), strict=True):
        if small in column:
            returns[:, column[small]] = returns[:, column[large]]
