"""Kite's binary packets: their layout, and many of them at once as numpy arrays.

One layout each for indices and for everything else; the packets of the lower modes are the beginnings of
those of the highest. Prices are in 1/100 rupee, and nothing reaches 2^31: Kite's JavaScript client reads such
a number as negative.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
LARGEST = 2**31 - 1
LEVELS = 5
LENGTH = 2  # bytes of a packet's length before it
HEARTBEAT = b"\x00"

LEVEL = np.dtype([("quantity", ">u4"), ("price", ">u4"), ("orders", ">u2"), ("padding", ">u2")])
FULL = np.dtype(
    [
        ("length", ">u2"),
        ("token", ">u4"),
        ("last_price", ">u4"),
        ("last_quantity", ">u4"),
        ("average_price", ">u4"),
        ("volume", ">u4"),
        ("buy_quantity", ">u4"),
        ("sell_quantity", ">u4"),
        ("open", ">u4"),
        ("high", ">u4"),
        ("low", ">u4"),
        ("close", ">u4"),
        ("last_trade_time", ">u4"),
        ("oi", ">u4"),
        ("oi_day_high", ">u4"),
        ("oi_day_low", ">u4"),
        ("exchange_time", ">u4"),
        ("depth", LEVEL, (2 * LEVELS,)),  # bids, then asks
    ]
)
INDEX = np.dtype(
    [
        ("length", ">u2"),
        ("token", ">u4"),
        ("last_price", ">u4"),
        ("high", ">u4"),
        ("low", ">u4"),
        ("open", ">u4"),
        ("close", ">u4"),
        ("change", ">i4"),
        ("exchange_time", ">u4"),
    ]
)


class Mode(IntEnum):
    """How much of an instrument a socket is told."""

    ltp = 1
    quote = 2
    full = 3


_SIZES = {
    FULL: {Mode.ltp: 8, Mode.quote: 44, Mode.full: 184},
    INDEX: {Mode.ltp: 8, Mode.quote: 28, Mode.full: 32},
}


def packets(records: NDArray[Any], mode: Mode) -> Bytes:
    """Records of one of the layouts as packets of a mode, each after its length: (n, bytes)."""
    size = _SIZES[records.dtype][mode]
    whole = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), records.dtype.itemsize)
    found = whole[:, : LENGTH + size].copy()
    found[:, 0], found[:, 1] = divmod(size, 256)
    return found


def frame(parts: list[bytes], count: int) -> bytes:
    """Packets as one message."""
    return count.to_bytes(2, "big") + b"".join(parts)
