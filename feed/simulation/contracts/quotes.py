"""Bids and asks on the tick grid around fair prices.

The bid is never above the fair price and the ask never below it, so no trade at the quotes gains from
parity, from the order of strikes, from a butterfly or from the calendar.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feed.simulation.parameters import FloatArray

_ROUNDING = 1e-7  # ticks: what floating point may add to a price that lies on the grid


def quote(
    fair: FloatArray,
    half_spread: FloatArray,
    ticks_per_rupee: FloatArray,
    no_bid: NDArray[np.bool_],
    bid: FloatArray,
    ask: FloatArray,
) -> None:
    """Write quotes for ``fair`` : (2, n) into ``bid`` and ``ask``; NaN where nobody bids."""
    np.subtract(fair, half_spread, out=bid)
    bid *= ticks_per_rupee
    bid += _ROUNDING
    np.floor(bid, out=bid)
    np.add(fair, half_spread, out=ask)
    ask *= ticks_per_rupee
    ask -= _ROUNDING
    np.ceil(ask, out=ask)
    np.maximum(ask, np.maximum(bid, 0.0) + 1.0, out=ask)
    bid /= ticks_per_rupee
    ask /= ticks_per_rupee
    bid[(bid <= 0.0) | no_bid] = np.nan
