"""Bars: made of paths of log prices, rounded to the tick grid, and as columns of candles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feed.simulation.parameters import FloatArray

COLUMNS = ("open", "high", "low", "close", "volume", "open_interest")

Bars = dict[str, NDArray[np.float64] | NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Path:
    """Log prices and bars of one underlying over a block, (sessions, minutes) or (minutes, underlyings)."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def bridged(
    log_price: FloatArray, deviation: FloatArray, chance: FloatArray, tick: float | FloatArray
) -> Path:
    """Bars between consecutive log prices along the last axis but of rows: (rows, 1 + n) to (rows, n).

    High and low are those of a Brownian bridge of that ``deviation``; ``chance`` : (2, rows, n) uniform.
    """
    before, after = log_price[:, :-1], log_price[:, 1:]
    move = np.square(after - before)
    reach = -2.0 * np.square(deviation) * np.log1p(-chance)
    middle = before + after
    high = 0.5 * (middle + np.sqrt(move + reach[0]))
    low = 0.5 * (middle - np.sqrt(move + reach[1]))
    opens, high, low, close = (round_to(np.exp(level), tick) for level in (before, high, low, after))
    return Path(opens, high, low, close, np.empty(0))


def round_to(price: FloatArray, tick: float | FloatArray) -> FloatArray:
    """Prices on the tick grid, as the nearest doubles to the decimals."""
    per_rupee, rupees = np.maximum(np.round(1.0 / np.asarray(tick)), 1.0), np.maximum(tick, 1.0)
    rounded: FloatArray = np.rint(price * per_rupee / rupees) * rupees / per_rupee
    return rounded


def as_bars(
    time_ms: NDArray[np.int64],
    opens: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
) -> Bars:
    """Columns of candles; open interest of an underlying is not known."""
    columns = (opens, high, low, close, volume, np.full(len(time_ms), np.nan))
    return {"time_ms": time_ms, **dict(zip(COLUMNS, columns, strict=True))}


def joined(parts: Sequence[Bars]) -> Bars:
    """Bars of consecutive parts as one."""
    if not parts:
        empty = np.empty(0)
        return as_bars(np.empty(0, np.int64), empty, empty, empty, empty, empty)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
