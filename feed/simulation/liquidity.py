"""Where trading happens: spread, size, volume and open interest of each contract by expiry, strike and moneyness.

Figures are expectations; chance comes in `quotes` and `trades`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feed.simulation.activity import DAY_MS
from feed.simulation.book import Book
from feed.simulation.parameters import FloatArray, Parameters
from feed.universe import Listing

_TIERS = ("near", "next", "weekly", "month", "far", "share_near", "share_next", "share_far")
_TYPICAL_INDEX = 22_600.0
_LEAST_DEVIATION = 0.0035  # of the spot: on the last afternoon trading keeps to a few strikes, not to one


@dataclass(frozen=True, slots=True)
class Interest:
    """Expectations of some pairs, each (2, n).

    ``half_spread`` in rupees; ``size`` in lots at the best price; ``lots`` traded a day; ``open_lots``, the open interest
    it tends to.
    """

    half_spread: FloatArray
    size: FloatArray
    lots: FloatArray
    open_lots: FloatArray


class Liquidity:
    """Expectations for the contracts of one book.

    By listing, (listings,): ``tier``, ``daily_lots`` and ``open_lots`` over the whole chain at an ordinary time.
    """

    def __init__(self, book: Book, parameters: Parameters, contract_noise: FloatArray, now_ms: int) -> None:
        self._book = book
        self._table = parameters["trading"]
        self._spreads = parameters["spreads"]
        self._moneyness = np.array(self._spreads["moneyness"])
        self._log_spreads = np.log(np.array([self._spreads[tier] for tier in _TIERS]))
        # calls and puts of a contract keep their own width while they live
        self.width = np.exp(self._spreads["noise"] * contract_noise)
        self.tier = np.zeros(len(book.listings), dtype=np.intp)
        self.daily_lots = np.zeros(len(book.listings))
        self.open_lots = np.zeros(len(book.listings))
        self._rank_listings(now_ms)
        self._weigh_strikes()

    def _rank_listings(self, now_ms: int) -> None:
        position = {listing.key: index for index, listing in enumerate(self._book.listings)}
        universe = self._book.universe
        for underlying in universe.underlyings:
            chains = universe.chains(underlying.symbol)
            total = self._underlying_lots(underlying.symbol, underlying.kind)
            for rank, listing in enumerate(chains):
                index = position[listing.key]
                days_left = (self._book.expires_ms[position[chains[0].key]] - now_ms) / DAY_MS
                share = self._share(rank, listing, days_left)
                self.tier[index] = _TIERS.index(_tier(rank, listing, underlying.kind))
                self.daily_lots[index] = total * share
                ratio = self._table["open_interest_days"] * (
                    1.0 if rank == 0 else self._table["next_open_interest"]
                )
                self.open_lots[index] = total * share * ratio

    def _underlying_lots(self, symbol: str, kind: str) -> float:
        table = self._table[kind]
        return float(table if isinstance(table, (int, float)) else table.get(symbol, 10_000))

    def _share(self, rank: int, listing: Listing, days_left: float) -> float:
        """Volume against the nearest expiry's."""
        table = self._table
        if rank == 0:
            return 1.0
        at_expiry = np.exp(-max(days_left, 0.0))
        if rank == 1:
            return float(table["next"] + (table["next_at_expiry"] - table["next"]) * at_expiry)
        if listing.expiry.kind == "weekly":
            return float(table["weekly"][min(rank - 2, len(table["weekly"]) - 1)])
        return float(table[listing.expiry.kind])

    def _weigh_strikes(self) -> None:
        """Weights of round strikes, (n,)."""
        book, universe = self._book, self._book.universe
        step = np.array([universe.underlyings[row].strike_step for row in book.listing_underlying])[
            book.listing
        ]
        thousand = 10.0 ** np.ceil(np.log10(10.0 * step) - 1e-9)
        is_multiple = [
            np.isclose(np.remainder(book.strike + 1e-9, thousand / part), 0.0, atol=1e-6)
            for part in (10, 2, 1)
        ]
        self.round_interest = np.ones(book.pair_count)
        self.round_volume = np.ones(book.pair_count)
        for mask, interest, volume in zip(
            is_multiple, self._table["round_open_interest"], self._table["round_volume"], strict=True
        ):
            self.round_interest[mask] = interest
            self.round_volume[mask] = volume

    def expect(
        self, pairs: slice, listings: slice, k: FloatArray, v: FloatArray, fair: FloatArray
    ) -> Interest:
        """Expectations at log moneyness ``k`` and total volatility ``v`` : (n,), fair prices (2, n)."""
        book = self._book
        index = book.listing[pairs]
        distance = k / np.maximum(v, _LEAST_DEVIATION)
        wide = k / np.maximum(v, 0.0127)
        table = self._table
        nodes = np.array(table["distance"])
        lots = np.stack([np.interp(side, nodes, table["volume"]) for side in (distance, -distance)])
        lots *= self.round_volume[pairs]
        lots *= self._normalised(lots, pairs, listings, self.daily_lots)
        open_lots = np.stack(
            (
                np.interp(wide, nodes, table["call_open_interest"]),
                np.interp(-wide, nodes, table["put_open_interest"]),
            )
        )
        open_lots *= self.round_interest[pairs]
        open_lots *= self._normalised(open_lots, pairs, listings, self.open_lots)
        half_spread = self._half_spread(k, index, pairs)
        # cheap contracts are quoted in bulk: 2 lots at 150 rupees, 60 at 2
        size = np.clip(300.0 / np.maximum(fair, 0.5), 2.0, 120.0) * self._depth[index]
        return Interest(half_spread, size, lots, open_lots)

    @property
    def _depth(self) -> FloatArray:
        return np.where(self.tier == 0, 1.6, 0.8)

    def _normalised(
        self, weights: FloatArray, pairs: slice, listings: slice, totals: FloatArray
    ) -> FloatArray:
        """What makes the weights of each chain sum to its total: (n,)."""
        starts = self._book.pair_starts[listings] - pairs.start
        sums = np.add.reduceat(weights[0] + weights[1], starts)
        factor: FloatArray = (totals[listings] / np.maximum(sums, 1e-9))[
            self._book.listing[pairs] - listings.start
        ]
        return factor

    def _half_spread(self, k: FloatArray, index: NDArray[np.intp], pairs: slice) -> FloatArray:
        book, universe = self._book, self._book.universe
        kinds = np.array([universe.underlyings[row].kind == "index" for row in book.listing_underlying])
        prices = np.array([universe.underlyings[row].reference_price for row in book.listing_underlying])
        scale = np.where(kinds, np.sqrt(prices / _TYPICAL_INDEX), prices / 10_000.0)[index]
        spread = np.empty((2, len(k)))
        tier = self.tier[index]
        for side, percent in enumerate((100.0 * k, -100.0 * k)):
            spread[side] = np.exp(_interpolate(percent, self._moneyness, self._log_spreads, tier))
        spread *= scale
        spread *= self.width[:, pairs]
        spread *= 0.5
        return spread


def _interpolate(x: FloatArray, nodes: FloatArray, tables: FloatArray, row: NDArray[np.intp]) -> FloatArray:
    """Linear interpolation of each x in its own row of ``tables`` : (rows, nodes)."""
    right = np.clip(np.searchsorted(nodes, x), 1, len(nodes) - 1)
    left = right - 1
    weight = np.clip((x - nodes[left]) / (nodes[right] - nodes[left]), 0.0, 1.0)
    between: FloatArray = tables[row, left] * (1.0 - weight) + tables[row, right] * weight
    return between


def _tier(rank: int, listing: Listing, kind: str) -> str:
    if kind != "index":
        return ("share_near", "share_next", "share_far")[min(rank, 2)]
    if rank == 0:
        return "near"
    if listing.expiry.kind == "weekly":
        return "next" if rank == 1 else "weekly"
    if listing.expiry.kind == "monthly":
        return "month"
    return "far"
