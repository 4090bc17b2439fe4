"""Where trading happens: spread, size, volume and open interest by expiry, strike and moneyness.

Figures are expectations; chance comes in `quotes` and `trades`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from domain.instants import DAY_MS
from domain.instruments import Kind
from feed.market.universe import Listing
from feed.simulation.contracts.book import Book
from feed.simulation.hours import Hours
from feed.simulation.parameters import FloatArray, Parameters

TIERS = ("near", "next", "weekly", "month", "far", "share_near", "share_next", "share_far")
_TYPICAL_INDEX = 22_600.0
_LEAST_DEVIATION = 0.0035  # of the spot: on the last afternoon trading keeps to a few strikes, not to one
_LEAST_POSITION_DEVIATION = 0.0127  # open interest was built over the weeks before


@dataclass(frozen=True, slots=True)
class Interest:
    """Expectations of some pairs, each (2, n).

    ``half_spread`` in rupees; ``size`` in lots at the best price; ``lots`` traded a day; ``open_lots``,
    the open interest it tends to.
    """

    half_spread: FloatArray
    size: FloatArray
    lots: FloatArray
    open_lots: FloatArray


class Liquidity:
    """Expectations for the contracts of one book.

    By listing, (listings,): ``tier``, ``daily_lots`` and ``open_lots`` of the whole chain at an ordinary
    time, ``open_mean``: the share of trades that opens positions, net.
    """

    def __init__(self, book: Book, parameters: Parameters, contract_noise: FloatArray, hours: Hours) -> None:
        self._book = book
        self._table = parameters["trading"]
        self._spreads = parameters["spreads"]
        self._distance = np.array(self._table["distance"])
        self._moneyness = np.array(self._spreads["moneyness"])
        self._log_spreads = np.log(np.array([self._spreads[tier] for tier in TIERS]))
        # calls and puts of a contract keep their own width while they live
        self.width = np.exp(self._spreads["noise"] * contract_noise)
        self.tier = np.zeros(len(book.listings), dtype=np.intp)
        self.daily_lots = np.zeros(len(book.listings))
        self.open_lots = np.zeros(len(book.listings))
        self.open_mean = np.full(len(book.listings), float(self._table["open_share"]))
        self._spread_scale = self._scale_spreads()
        self._depth = np.where(self.tier == 0, 1.6, 0.8)
        self._rank_listings(hours.now_ms)
        self._mark_last_day(hours.trading_days())
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
                self.tier[index] = TIERS.index(_tier(rank, listing, underlying.kind))
                self.daily_lots[index] = total * share
                ratio = self._table["open_interest_days"] * (
                    1.0 if rank == 0 else self._table["next_open_interest"]
                )
                self.open_lots[index] = total * share * ratio

    def _mark_last_day(self, trading_days: Sequence[date]) -> None:
        """What expires today trades more, and positions are closed rather than opened."""
        for index, listing in enumerate(self._book.listings):
            kind = self._book.universe.underlyings[listing.underlying_row].kind
            if listing.expiry.day == trading_days[int(kind == "commodity")]:
                self.daily_lots[index] *= self._table["last_day"]
                self.open_mean[index] = self._table["last_day_open_share"]

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
        self, pairs: slice, listings: slice, k: FloatArray, calm_deviation: FloatArray, fair: FloatArray
    ) -> Interest:
        """Expectations at log moneyness ``k`` and ``calm_deviation`` : (n,), fair prices (2, n)."""
        index = self._book.listing[pairs]
        lots = self._weights(k / np.maximum(calm_deviation, _LEAST_DEVIATION), "volume")
        lots *= self.round_volume[pairs]
        lots *= self._normalised(lots, pairs, listings, self.daily_lots)
        deviation = np.maximum(calm_deviation, _LEAST_POSITION_DEVIATION)
        open_lots = self._weights(k / deviation, "open_interest")
        open_lots *= self.round_interest[pairs]
        open_lots *= self._normalised(open_lots, pairs, listings, self.open_lots)
        half_spread = self._half_spread(k, index, pairs)
        # cheap contracts are quoted in bulk: 2 lots at 150 rupees, 60 at 2
        size = np.clip(300.0 / np.maximum(fair, 0.5), 2.0, 120.0) * self._depth[index]
        return Interest(half_spread, size, lots, open_lots)

    def _weights(self, distance: FloatArray, what: str) -> FloatArray:
        """Densities of calls and puts at a distance above the forward: (2, n)."""
        table, nodes = self._table, self._distance
        calls, puts = table[f"call_{what}"], table[f"put_{what}"]
        return np.stack((np.interp(distance, nodes, calls), np.interp(-distance, nodes, puts)))

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

    def _scale_spreads(self) -> FloatArray:
        """What the table of spreads is multiplied with, by listing."""
        rows, underlyings = self._book.listing_underlying, self._book.universe.underlyings
        is_index = np.array([underlying.kind == Kind.INDEX for underlying in underlyings])[rows]
        price = np.array([underlying.reference_price for underlying in underlyings])[rows]
        return np.where(is_index, np.sqrt(price / _TYPICAL_INDEX), price / 10_000.0)

    def _half_spread(self, k: FloatArray, index: NDArray[np.intp], pairs: slice) -> FloatArray:
        tier = self.tier[index]
        spread = np.stack(
            [_interpolate(side, self._moneyness, self._log_spreads, tier) for side in (100.0 * k, -100.0 * k)]
        )
        np.exp(spread, out=spread)
        spread *= self._spread_scale[index]
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
    if kind != Kind.INDEX:
        return ("share_near", "share_next", "share_far")[min(rank, 2)]
    if rank == 0:
        return "near"
    if listing.expiry.kind == "weekly":
        return "next" if rank == 1 else "weekly"
    if listing.expiry.kind == "monthly":
        return "month"
    return "far"
