"""Candles of one interval made into candles of a larger one, aligned to the exchange's sessions.

Every candle carries the opening of its own session, so that an hour starts at 09:15 where the session does, a
half hour never spans two sessions, and nothing here needs a calendar. All instants are integers: milliseconds
since 1970 in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Array, Positions

Instants = NDArray[np.int64]

_MINUTE = 60_000
_DAY = 86_400_000
WIDTHS_MS = {
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": 60 * _MINUTE,
}
INTERVALS = (*WIDTHS_MS, "1d", "1w")
INDIA_OFFSET_MS = 19_800_000
# 1970-01-01 was a Thursday: three days make weeks of the exchange's calendar begin on Monday
_THURSDAY = 3


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles in time order, all arrays (n,).

    Attributes
    ----------
    time : ndarray of int64
        Start of each candle; of a day or a week the opening of its (first) session.
    session_open : ndarray of int64
        Opening of the session that the candle belongs to.
    open, high, low, close : ndarray
        Prices; NaN unknown.
    volume : ndarray
        Traded within the candle; NaN unknown.
    open_interest : ndarray
        At the candle's end; NaN unknown.

    """

    time: Instants
    session_open: Instants
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    open_interest: Array


def resample(candles: Candles, interval: str, utc_offset_ms: int = INDIA_OFFSET_MS) -> Candles:
    """Larger candles from smaller ones.

    Parameters
    ----------
    candles : Candles
        Of one instrument, of an interval that divides the one asked; times ascending.
    interval : str
        One of `INTERVALS`.
    utc_offset_ms : int
        From UTC to the exchange's calendar, where weeks are cut.

    Returns
    -------
    Candles
        One for each interval in which there was a candle; none is invented. Within it the first known open,
        the extremes, the last known close and open interest, and the sum of the known volumes; NaN where
        nothing is known.

    Raises
    ------
    ValueError
        For an interval that is not listed, and for times out of order.

    Notes
    -----
    In steps or at once, the result is the same: 1m -> 3m -> 15m is 1m -> 15m.

    """
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, was {interval!r}")
    if np.any(np.diff(candles.time) < 0):
        raise ValueError("candles must be in ascending order of time")
    if not candles.time.size:
        return candles
    bucket = _bucket(candles, interval, utc_offset_ms)
    start = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    session = candles.session_open[start]
    return Candles(
        time=bucket[start] if interval in WIDTHS_MS else session,
        session_open=session,
        open=_first_known(candles.open, start),
        high=np.fmax.reduceat(candles.high, start),
        low=np.fmin.reduceat(candles.low, start),
        close=_last_known(candles.close, start),
        volume=_known_sum(candles.volume, start),
        open_interest=_last_known(candles.open_interest, start),
    )


def _bucket(candles: Candles, interval: str, utc_offset_ms: int) -> Instants:
    """A number for each candle (n,) that changes where a larger one begins: its start, day or week."""
    session = candles.session_open
    if interval in WIDTHS_MS:
        width = WIDTHS_MS[interval]
        return session + (candles.time - session) // width * width
    if interval == "1d":
        return session
    return ((session + utc_offset_ms) // _DAY + _THURSDAY) // 7


def _known_sum(values: Array, start: Positions) -> Array:
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), start)
    return np.where(np.logical_or.reduceat(known, start), total, np.nan)


def _last_known(values: Array, start: Positions) -> Array:
    position = np.where(np.isnan(values), -1, np.arange(values.size))
    last = np.maximum.reduceat(position, start)
    return np.where(last < 0, np.nan, values[last])


def _first_known(values: Array, start: Positions) -> Array:
    position = np.where(np.isnan(values), values.size, np.arange(values.size))
    first = np.minimum.reduceat(position, start)
    return np.where(first == values.size, np.nan, values[np.minimum(first, values.size - 1)])
