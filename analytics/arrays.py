"""The array type of this package, and how formulas take whatever shapes their callers have."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]


def flattened(is_call: ArrayLike, *numbers: ArrayLike) -> tuple[tuple[int, ...], Flags, list[Array]]:
    """Arguments broadcast together and laid out flat, for kernels that index by position.

    Parameters
    ----------
    is_call : array_like
        True for calls, False for puts.
    *numbers : array_like
        Any shapes that broadcast.

    Returns
    -------
    shape : tuple of int
        The common shape, to be given back to results.
    is_call : ndarray of bool (n,)
        May share memory with the caller's, as the next: read only.
    numbers : list of ndarray (n,)
        In the order given.

    """
    flags = np.asarray(is_call, dtype=np.bool_)
    arrays = [np.asarray(item, dtype=np.float64) for item in numbers]
    shape = np.broadcast_shapes(flags.shape, *(item.shape for item in arrays))
    flat = [(item if item.shape == shape else np.broadcast_to(item, shape)).reshape(-1) for item in arrays]
    return shape, np.broadcast_to(flags, shape).reshape(-1), flat


def replaced(values: Array, positions: Positions, value: float) -> Array:
    """A copy with one value at the positions, such as a harmless one where an input has no meaning."""
    result = values.copy()
    result[positions] = value
    return result
