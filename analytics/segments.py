"""Many short rows as one flat array: what is taken of each row without a loop over them.

A row's result rests on its own elements alone, in their own order, so that it has the same bits in whatever
company it is computed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Array, Flags, Positions


class Segments:
    """Rows of the given lengths, one after the other.

    Attributes
    ----------
    lengths, starts : ndarray (rows,)
        Elements of each row, each at least 1, and the place of its first.
    row, column : ndarray (elements,)
        The row of each element, and its place in it.

    """

    def __init__(self, lengths: Positions) -> None:
        self.lengths = np.asarray(lengths, dtype=np.intp)
        self.starts = np.concatenate(([0], np.cumsum(self.lengths)[:-1])).astype(np.intp)
        self.row = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self.column = np.arange(len(self.row)) - self.starts[self.row]
        self._width = int(self.lengths.max()) if len(self.lengths) else 0

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, values: Array, fill: float) -> Array:
        """The rows as a matrix (rows, longest), the rest of each filled up."""
        matrix = np.full((len(self), self._width), fill)
        matrix[self.row, self.column] = values
        return matrix

    def flat(self, matrix: Array) -> Array:
        """The elements of a padded matrix: (elements,)."""
        elements: Array = matrix[self.row, self.column]
        return elements

    def any(self, flags: Flags) -> Flags:
        """Whether any element of each row is set: (rows,)."""
        return np.logical_or.reduceat(flags, self.starts) if len(flags) else np.zeros(len(self), bool)

    def count(self, flags: Flags) -> NDArray[np.intp]:
        """How many elements of each row are set: (rows,)."""
        return np.bincount(self.row[flags], minlength=len(self))

    def bounds(self, flags: Flags) -> tuple[Positions, Positions]:
        """First and last set element of each row, counted from its start: each (rows,).

        Where none is set the first stands behind the last.
        """
        if not len(flags):
            return np.zeros(len(self), np.intp), np.full(len(self), -1)
        first = np.minimum.reduceat(np.where(flags, self.column, len(flags)), self.starts)
        last = np.maximum.reduceat(np.where(flags, self.column, -1), self.starts)
        return first, last

    def known_sum(self, values: Array) -> Array:
        """The sum of each row's known elements, NaN where none is: (rows,)."""
        if not len(values):
            return np.full(len(self), np.nan)
        known = values == values
        sums = np.add.reduceat(np.where(known, values, 0.0), self.starts)
        return np.where(self.any(known), sums, np.nan)

    def median(self, values: Array, chosen: Flags) -> Array:
        """The median of each row's chosen elements, NaN where there is none: (rows,)."""
        places = np.flatnonzero(chosen)
        rows = self.row[places]
        ordered = values[places][np.lexsort((values[places], rows))]
        counts = np.bincount(rows, minlength=len(self))
        first = np.cumsum(counts) - counts
        result = np.full(len(self), np.nan)
        some = counts > 0
        low = ordered[(first + (counts - 1) // 2)[some]]
        high = ordered[(first + counts // 2)[some]]
        result[some] = np.where(low == high, low, (low + high) / 2)
        return result

    def smallest(self, values: Array, chosen: Flags, most: int) -> Positions:
        """Places of the chosen elements with the smallest values, at most so many of a row: (n,).

        Row after row, the smallest first; on ties the first.
        """
        places = np.flatnonzero(chosen)
        rows = self.row[places]
        order = places[np.lexsort((places, values[places], rows))]
        counts = np.bincount(rows, minlength=len(self))
        rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[self.row[order]]
        return order[rank < most]

    def nearest(self, gaps: Array, chosen: Flags, most: int) -> Flags:
        """The chosen elements of each row with the smallest gaps, at most so many; the first on ties."""
        result = np.zeros(len(self.row), bool)
        result[self.smallest(gaps, chosen, most)] = True
        return result
