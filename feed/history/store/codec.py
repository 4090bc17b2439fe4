"""Tables of numbers as bytes: scaled integers, byte planes, zlib.

Prices live on a grid of ticks, so they are kept as whole numbers of hundredths. Differences of such
numbers are small; their high bytes are nearly all zero, and laid out plane by plane zlib takes them away.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS
from feed.market.candles import Candles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNKNOWN = -1  # the code of NaN; numbers below 0 lie one further down
_LEVEL = 6  # level 9 takes three times as long for one percent

_CANDLE_FIELDS = ("open", "high", "low", "close", "volume", "open_interest")
_CANDLE_SCALES = (100, 10_000)  # the coarsest that loses nothing is taken
_MINUTE, _SOURCE, _PRICES, _CLOSE = 0, 1, slice(2, 6), 5  # rows of a block before it is packed
_HEAD = struct.Struct("<IH")  # scale, number of candles


class Damaged(ValueError):
    """Stored bytes are not what was written."""


def encode(values: FloatArray, scale: float) -> IntArray:
    """Values as whole numbers of 1/scale; NaN becomes ``UNKNOWN``."""
    codes = np.full(values.shape, UNKNOWN, np.int64)
    np.rint(values * scale, out=codes, where=~np.isnan(values), casting="unsafe")
    codes[(codes < 0) & ~np.isnan(values)] -= 1
    return codes


def decode(codes: IntArray, scale: float) -> FloatArray:
    """What ``encode`` was given, to 1/scale."""
    return np.where(codes == UNKNOWN, np.nan, (codes + (codes < UNKNOWN)) / scale)


def pack(numbers: IntArray) -> bytes:
    """Whole numbers of any shape as bytes; small ones, of either sign, take little room."""
    zigzag = ((numbers << 1) ^ (numbers >> 63)).astype("<u8").ravel()
    planes = (int(zigzag.max(initial=0)).bit_length() + 7) // 8 or 1
    raw = zigzag.view(np.uint8).reshape(-1, 8)[:, :planes].T.tobytes()
    return bytes([planes]) + zlib.compress(raw, _LEVEL)


def unpack(record: bytes, shape: tuple[int, ...], columns: NDArray[np.intp] | None = None) -> IntArray:
    """What ``pack`` was given, or only some columns of its last axis. Raises Damaged."""
    try:
        planes = np.frombuffer(zlib.decompress(record[1:]), np.uint8).reshape(record[0], *shape)
        if columns is not None:
            planes = planes[..., columns]
        parts = np.zeros((*planes.shape[1:], 8), np.uint8)
        parts[..., : len(planes)] = np.moveaxis(planes, 0, -1)
        zigzag = parts.view("<u8")[..., 0]
    except (zlib.error, ValueError, IndexError) as error:
        raise Damaged(f"a record of {len(record)} bytes cannot be read: {error}") from error
    return (zigzag >> 1).astype(np.int64) ^ -(zigzag & 1).astype(np.int64)


def pack_candles(candles: Candles, start_ms: int) -> bytes:
    """One-minute candles from ``start_ms`` on as bytes."""
    columns = np.stack([getattr(candles, name) for name in _CANDLE_FIELDS])
    scale = next((scale for scale in _CANDLE_SCALES if _is_whole(columns * scale)), _CANDLE_SCALES[-1])
    codes = np.vstack([(candles.time_ms - start_ms) // MINUTE_MS, candles.source, encode(columns, scale)])
    codes[_PRICES] -= np.append(0, codes[_CLOSE, :-1])  # from the close before
    codes[_MINUTE, 1:] -= codes[_MINUTE, :-1].copy()
    return _HEAD.pack(scale, len(candles)) + pack(codes)


def unpack_candles(record: bytes, start_ms: int) -> Candles:
    """What ``pack_candles`` was given. Raises Damaged."""
    try:
        scale, count = _HEAD.unpack_from(record)
    except struct.error as error:
        raise Damaged(f"a record of {len(record)} bytes is too short") from error
    codes = unpack(record[_HEAD.size :], (2 + len(_CANDLE_FIELDS), count))
    closes = np.cumsum(codes[_CLOSE])
    codes[_PRICES] += np.append(0, closes[:-1])
    time_ms = start_ms + np.cumsum(codes[_MINUTE]) * MINUTE_MS
    return Candles.of(time_ms, decode(codes[2:], scale), codes[_SOURCE])


def _is_whole(values: FloatArray) -> bool:
    known = values[~np.isnan(values)]
    return bool(np.all(np.abs(known - np.rint(known)) < 1e-3))
