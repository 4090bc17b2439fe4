"""Indices as what they are: the weighted sum of their constituents.

The model draws the index and the shares; here the shares give way, each by as much as its own noise is large,
until every index is the sum. That is the mean of the shares' returns given those of the indices, where the
noise is normal (a linear Gaussian model conditioned on its observations; Anderson, An Introduction to
Multivariate Statistical Analysis, theorem 2.5.1), so the indices keep their statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from feed.reference.constituents import Constituents
from feed.reference.instruments import Underlying
from feed.simulation.parameters import FloatArray

_CLOSE_ENOUGH = 1e-7  # of a logarithm: a thousandth of a basis point
_MOST_ROUNDS = 8  # Newton's method doubles the digits in each


class Baskets:
    """The indices all of whose constituents are here.

    ``indices`` : (indices,) and ``members`` : (members,) are rows of underlyings; ``own_variance`` :
    (underlyings,) says how readily a share gives way.
    """

    def __init__(
        self,
        underlyings: Sequence[Underlying],
        own_variance: FloatArray,
        constituents: Mapping[str, Constituents],
    ) -> None:
        rows = {underlying.symbol: row for row, underlying in enumerate(underlyings)}
        whole = [
            found
            for index, found in constituents.items()
            if index in rows and found.weights.keys() <= rows.keys()
        ]
        symbols = sorted({symbol for found in whole for symbol in found.weights}, key=rows.__getitem__)
        self.indices = np.array([rows[found.index] for found in whole], dtype=np.intp)
        self.members = np.array([rows[symbol] for symbol in symbols], dtype=np.intp)
        self.weights = np.array([[found.weights.get(symbol, 0.0) for symbol in symbols] for found in whole])
        self.weights = self.weights.reshape(len(whole), len(symbols))
        self._gives = own_variance[self.members]
        leaning = self.weights * self._gives
        #: (members, indices) what each member does, in logarithms, for an index to do one more
        self.answers = np.linalg.solve(leaning @ self.weights.T, leaning).T

    def tie(self, log_price: FloatArray, base: FloatArray) -> None:
        """Move the members, in place, until each index has changed as they have.

        ``log_price`` : (..., underlyings); ``base`` : (underlyings,), where the weights hold.
        """
        if not len(self.indices):
            return
        members = log_price[..., self.members] - base[self.members]
        wanted = log_price[..., self.indices] - base[self.indices]
        for _ in range(_MOST_ROUNDS):
            shares = self.weights * np.exp(members)[..., None, :]
            level = shares.sum(axis=-1)
            gap = wanted - np.log(level)
            if np.abs(gap).max(initial=0.0) < _CLOSE_ENOUGH:
                break
            shares /= level[..., None]
            leaning = shares * self._gives
            pull = np.linalg.solve(leaning @ np.swapaxes(shares, -1, -2), gap[..., None])
            members += (np.swapaxes(leaning, -1, -2) @ pull)[..., 0]
        log_price[..., self.members] = members + base[self.members]
