"""What the chains of a closed minute say, listing by listing: the figures that history keeps of it.

The same figures as ``chain`` and ``dashboard`` give of the live market, without those that are not kept,
so that valuing every chain once a minute stays cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analytics.forward import parity_forward
from analytics.implied_volatility import implied_volatility
from analytics.open_interest import max_pain
from analytics.volatility import atm_volatility, out_of_the_money
from analytics.volatility_index import expiry_variance, volatility_index
from domain.instants import to_ms
from feed.market.forming import ClosedMinute
from feed.market.source import FloatArray
from feed.market.universe import Listing
from feed.valuation.chain import YEAR_MS, side_totals, worth
from feed.valuation.dashboard import index_months, straddle_at

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

Legs = Mapping[str, FloatArray]


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
        return _Valued(minute, self._rate).metrics()


class _Valued:
    """One minute on its way to its figures."""

    def __init__(self, minute: ClosedMinute, rate: float) -> None:
        self._rate = rate
        self._minute = minute
        self._as_of_ms = minute.as_of_ms
        self._universe = minute.universe
        self._spot = minute.underlyings.close
        self._state = {
            **minute.state,
            "last_price": minute.contracts.close,
            "volume": minute.day_volume,
        }
        listings = minute.universe.listings
        rows = range(len(listings)) if minute.listing_rows is None else minute.listing_rows.tolist()
        self._listings = [listings[row] for row in rows]
        self._years = np.full(len(listings), np.nan)
        self._forward = np.full(len(listings), np.nan)
        for listing in self._listings:
            self._read_forward(listing)
        self._volatility = self._volatilities()

    def _read_forward(self, listing: Listing) -> None:
        legs = self._legs(listing)
        years = (to_ms(listing.expiry.expires_at) - self._as_of_ms) / YEAR_MS
        spot = float(self._spot[listing.underlying_row])
        parity = parity_forward(
            spot,
            listing.strikes,
            (legs["bid"], legs["ask"], legs["last_price"]),
            years,
            self._rate,
            self._minute.forward(listing.row),
        )
        self._years[listing.row], self._forward[listing.row] = years, parity.forward

    def _volatilities(self) -> FloatArray:
        """Each contract's own implied volatility: (contracts,)."""
        of = self._universe
        years = self._years[of.listing_row]
        discount = np.exp(-self._rate * np.maximum(years, 0.0))
        price, forward = worth(self._state), self._forward[of.listing_row]
        return implied_volatility(price, forward, of.strike, years, of.is_call, discount)[0]

    def _legs(self, listing: Listing) -> Legs:
        return {name: values[listing.rows].reshape(2, -1) for name, values in self._state.items()}

    def metrics(self) -> ChainMetrics:
        """The figures of the minute."""
        values = {name: np.full(len(self._years), np.nan) for name in METRICS}
        session = np.full(len(self._spot), np.nan)
        indices: dict[str, float] = {}
        for listing in self._listings:
            if listing.symbol not in indices:
                months = index_months(self._universe, listing.symbol, self._as_of_ms)
                indices[listing.symbol] = self._index(months)
                if months:
                    session[listing.underlying_row] = self._atm_volatility(months[0])
            found = {
                **self._of_listing(listing),
                "volatility_index": indices[listing.symbol],
                "near_month_iv": float(session[listing.underlying_row]),
            }
            for name, column in values.items():
                column[listing.row] = found[name]
        return ChainMetrics(values, self._volatility, session)

    def _of_listing(self, listing: Listing) -> dict[str, float]:
        legs, forward = self._legs(listing), float(self._forward[listing.row])
        interest = legs["open_interest"]
        return {
            **side_totals(interest, interest - legs["previous_open_interest"], legs["volume"]),
            "spot_price": float(self._spot[listing.underlying_row]),
            "forward": forward,
            "max_pain": max_pain(listing.strikes, *interest).strike,
            "atm_iv": self._atm_volatility(listing),
            "straddle_price": straddle_at(forward, listing.strikes, legs)[1],
        }

    def _atm_volatility(self, listing: Listing) -> float:
        own, forward = self._volatility[listing.rows].reshape(2, -1), float(self._forward[listing.row])
        volatility = out_of_the_money(listing.strikes, own[0], own[1], forward)
        return atm_volatility(listing.strikes, volatility, forward).volatility

    def _index(self, months: list[Listing]) -> float:
        if len(months) < 2:
            return math.nan
        near, following = (
            expiry_variance(
                listing.strikes,
                self._legs(listing)["bid"],
                self._legs(listing)["ask"],
                float(self._forward[listing.row]),
                float(self._years[listing.row]),
                self._rate,
            )
            for listing in months
        )
        return volatility_index(near, following)
