"""Trades at the quotes: last price, day's range, volume and open interest.

Volume of a step is stochastic rounding of an exponential number of lots, so it has the right mean however
short the step is. Every lot traded changes open interest by -1, 0 or +1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from feed.simulation.parameters import FloatArray


def trade(
    rng: np.random.Generator,
    fields: Mapping[str, FloatArray],
    expected_lots: FloatArray,
    open_share: FloatArray,
) -> FloatArray:
    """Trade contracts whose ``fields`` are views of shape (2, n); return the lots traded.

    ``open_share`` : (2, n), -1 to 1, the part of the trades that opens positions, less that which closes
    them. Buyers and sellers come alike.
    """
    shape = expected_lots.shape
    lots = rng.standard_exponential(shape, dtype=np.float32) * expected_lots
    chance = rng.random((3, *shape), dtype=np.float32)
    lots += chance[0]
    np.floor(lots, out=lots)
    bid, ask = fields["bid"], fields["ask"]
    price = np.where((chance[1] < 0.5) | np.isnan(bid), ask, bid)
    traded = lots > 0.0
    # nobody trades where nobody quotes
    traded &= ~np.isnan(price)
    lots *= traded
    _print(fields, price, traded)
    fields["volume"] += lots
    opened = lots * open_share
    opened += chance[2]
    np.floor(opened, out=opened)
    open_interest = fields["open_interest"]
    open_interest += opened
    np.maximum(open_interest, 0.0, out=open_interest)
    return lots


def _print(fields: Mapping[str, FloatArray], price: FloatArray, traded: NDArray[np.bool_]) -> None:
    np.copyto(fields["last_price"], price, where=traded)
    np.copyto(fields["open"], price, where=traded & np.isnan(fields["open"]))
    # fmax and fmin pass over the NaN of a contract that has not traded today
    np.copyto(fields["high"], np.fmax(fields["high"], price), where=traded)
    np.copyto(fields["low"], np.fmin(fields["low"], price), where=traded)
