"""What prices went through since they were last told: a step may be longer than the grid of the walk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feed.market.source import PriceRange
from feed.simulation.parameters import FloatArray


class Prints:
    """First, highest and lowest price of each row since it was told; NaN where there was none.

    Arrays are of one ``shape``, whose last axis may be taken in parts.
    """

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self.range = PriceRange(*(np.full(shape, np.nan) for _ in range(3)))

    def take(self, price: FloatArray, traded: NDArray[np.bool_], part: slice = slice(None)) -> None:
        """Count prices of a part where they ``traded``."""
        first, high, low = (values[..., part] for values in self.range.columns)
        np.copyto(first, price, where=traded & np.isnan(first))
        np.fmax(high, price, out=high, where=traded)
        np.fmin(low, price, out=low, where=traded)

    def clear(self) -> None:
        """Begin again: all is told."""
        for values in self.range.columns:
            values[:] = np.nan
