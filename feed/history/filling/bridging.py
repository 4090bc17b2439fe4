"""A piece of path between two stored candles, bent so that it joins both."""

from __future__ import annotations

import numpy as np

from feed.market.candles import Candles, FloatArray

_TICKS = (1.0, 0.5, 0.25, 0.1, 0.05)
_FINEST_TICK = 0.01


def fitted(path: Candles, stored: Candles, level_ms: int) -> Candles:
    """The candles of a path at times that are not stored, bent to join the stored ones beside them.

    Where no stored candle follows, the path is itself from ``level_ms`` on, or if it begins later at its
    end: there it meets the live one, whose previous close is the path's.
    """
    missing = np.flatnonzero(~np.isin(path.time_ms, stored.time_ms))
    if not len(stored) or not len(missing):
        return path.take(missing)
    pieces = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    return Candles.merge([_bent(path, stored, level_ms, int(piece[0]), int(piece[-1])) for piece in pieces])


def _bent(path: Candles, stored: Candles, level_ms: int, first: int, last: int) -> Candles:
    """One run of missing candles, its level led from the stored candle before to the one after."""
    piece = path.take(slice(first, last + 1))
    after = int(np.searchsorted(stored.time_ms, piece.time_ms[-1]))
    before = int(np.searchsorted(stored.time_ms, piece.time_ms[0])) - 1
    is_followed = after < len(stored) and last + 1 < len(path)
    to_end = float(np.log(stored.open[after] / path.open[last + 1])) if is_followed else 0.0
    to_start = to_end
    if before >= 0:
        level = path.close[first - 1] if first else piece.open[0]
        to_start = float(np.log(stored.close[before] / level))
    steps = len(piece)
    if not is_followed:
        steps = int(np.searchsorted(piece.time_ms, level_ms)) or len(piece)
    scale = np.full(len(piece) + 1, np.exp(to_end))
    scale[: steps + 1] = np.exp(np.linspace(to_start, to_end, steps + 1))
    return _scaled(piece, scale)


def _scaled(piece: Candles, scale: FloatArray) -> Candles:
    """Candles at another level, on their tick grid; ``scale`` : (n + 1,) at each start and the last end."""
    tick = _tick_of(piece)
    # a path that was made to meet the stored candles misses them by its rounding to ticks
    if np.all(np.abs(scale - 1.0) * piece.high.max() <= 1.01 * tick):
        return piece
    opens, close = piece.open * scale[:-1], piece.close * scale[1:]
    middle = np.sqrt(scale[:-1] * scale[1:])
    prices = (
        opens,
        np.maximum(np.maximum(opens, close), piece.high * middle),
        np.minimum(np.minimum(opens, close), piece.low * middle),
        close,
    )
    rounded = [np.round(np.rint(price / tick) * tick, 2) for price in prices]
    return Candles.of(piece.time_ms, [*rounded, piece.volume, piece.open_interest], piece.source)


def _tick_of(candles: Candles) -> float:
    """The coarsest usual grid that all prices are on."""
    prices = np.concatenate((candles.open, candles.high, candles.low, candles.close))
    for tick in _TICKS:
        if np.all(np.abs(prices / tick - np.rint(prices / tick)) < 1e-6):
            return tick
    return _FINEST_TICK
