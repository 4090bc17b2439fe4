"""What the chains of a closed minute say, listing by listing: the figures that history keeps of it.

They come from the one pass that values the live market too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from analytics.forward import Carry
from feed.market.forming import ClosedMinute
from feed.market.source import FloatArray
from feed.market.universe import Listing
from feed.valuation.chain import ValuedChains, value_state
from feed.valuation.dashboard import index_months, of_months

METRICS = (
    "spot_price",
    "forward",
    "pcr_oi",
    "pcr_volume",
    "max_pain",
    "atm_iv",
    "straddle_price",
    "total_ce_oi",
    "total_pe_oi",
    "total_ce_oi_change",
    "total_pe_oi_change",
    "total_ce_volume",
    "total_pe_volume",
    "volatility_index",
    "near_month_iv",
)


@dataclass(frozen=True, slots=True)
class ChainMetrics:
    """What the valuation of all chains says at the end of a minute; raw units, NaN where not known.

    ``values`` maps names of ``METRICS`` to (listings,); ``implied_volatility`` : (contracts,) as a decimal;
    ``session_atm_iv`` : (underlyings,), the volatility that the rank of an underlying rests on.
    """

    values: Mapping[str, FloatArray]
    implied_volatility: FloatArray | None = None
    session_atm_iv: FloatArray | None = None


Valuation = Callable[[ClosedMinute], ChainMetrics | None]  # None: the minute could not be valued


class MinuteMetrics:
    """Values closed minutes; called on the writer's thread, so it looks at nothing but the minute."""

    def __init__(self, interest_rate: float) -> None:
        self._rate = interest_rate

    def __call__(self, minute: ClosedMinute) -> ChainMetrics:
        """The figures of every listing that the minute tells of."""
        universe, rows = minute.universe, minute.listing_rows
        listings = universe.listings if rows is None else [universe.listings[row] for row in rows.tolist()]
        values = {name: np.full(len(universe.listings), np.nan) for name in METRICS}
        session = np.full(len(universe.underlyings), np.nan)
        volatility = np.full(universe.contract_count, np.nan)
        if not listings:
            return ChainMetrics(values, volatility, session)
        valued = self._value(minute, listings)
        selection = valued.selection
        index = np.full(len(universe.underlyings), np.nan)
        for symbol in dict.fromkeys(listing.symbol for listing in selection.listings):
            months = list(takewhile(valued.has, index_months(universe, symbol, minute.as_of_ms)))
            found, row = of_months(valued, months), universe.row_of[symbol]
            index[row], session[row] = found.index, found.near_month
        figures = {
            **valued.totals,
            "spot_price": valued.spots,
            "forward": valued.forwards.forward,
            "max_pain": valued.pains.strike,
            "atm_iv": valued.atm_volatility,
            "straddle_price": valued.straddle[1],
            "volatility_index": index[selection.underlying_rows],
            "near_month_iv": session[selection.underlying_rows],
        }
        for name, column in values.items():
            column[selection.listing_rows] = figures[name]
        volatility[selection.call_rows], volatility[selection.put_rows] = valued.volatility
        return ChainMetrics(values, volatility, session)

    def _value(self, minute: ClosedMinute, listings: Sequence[Listing]) -> ValuedChains:
        selection = minute.universe.select(listings)
        state = {**minute.state, "last_price": minute.contracts.close, "volume": minute.day_volume}
        futures = np.array([minute.forward(row) for row in selection.listing_rows.tolist()])
        return value_state(
            selection,
            {name: selection.of_contracts(values) for name, values in state.items()},
            minute.underlyings.close[selection.underlying_rows],
            np.full(len(selection.listings), minute.as_of_ms),
            Carry(self._rate, futures),
        )
