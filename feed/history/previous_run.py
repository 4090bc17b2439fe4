"""Where an earlier run left off, so that the path goes on from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feed.simulation.parameters import FloatArray


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """The underlyings as they were last recorded, each (underlyings,); NaN where nothing is known.

    ``until_ms`` is the instant up to which they are known, 0 where they are not; ``open``, ``high``, ``low``
    and ``volume`` are of the trading day that this instant belongs to, ``previous_close`` of the one before.
    """

    until_ms: NDArray[np.int64]
    last_price: FloatArray
    previous_close: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    volume: FloatArray

    @classmethod
    def nothing(cls, count: int) -> PreviousRun:
        """Of underlyings that nothing is known of."""
        return cls(np.zeros(count, np.int64), *(np.full(count, np.nan) for _ in range(6)))
