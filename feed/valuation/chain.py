"""One option chain, valued: what the market knows of an expiry and what analytics derives from it.

Everything is in raw units (per unit, per year, decimals); display units are made in ``schemas``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from analytics import black76
from analytics.forward import Forward, parity_forward
from analytics.implied_volatility import implied_volatility
from analytics.open_interest import MaxPain, build_up, max_pain, put_call_ratio, totals
from analytics.volatility import out_of_the_money
from domain.instants import IST, to_datetime, to_ms
from feed.market.market import Market, Provenance
from feed.market.source import FloatArray
from feed.market.universe import Listing

YEAR_MS = 365 * 86_400_000
NO_ATM = -1


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a chain's figures rest on: strikes listed, legs with a price, legs with a volatility."""

    strikes: int
    quoted: int
    iv_solved: int
    forward_strikes: int
    forward_method: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain at one instant. Leg arrays are (2, n): calls, puts; NaN where not known.

    ``volatility`` is per square root of a year; ``strike_volatility`` : (n,) is the out-of-the-money leg's,
    which the Greeks of both legs rest on. Of the ``greeks`` delta and gamma are to the spot, the others hold
    the forward fixed; raw units.
    """

    symbol: str
    expiry: date
    expires_at: datetime
    days_to_expiry: int
    time_to_expiry: float
    lot_size: int | None
    as_of_ms: int
    spot_price: float
    parity: Forward
    interest_rate: float
    strikes: FloatArray
    atm_index: int
    tokens: FloatArray
    legs: dict[str, FloatArray]
    volatility: FloatArray
    strike_volatility: FloatArray
    greeks: black76.Greeks
    build_up: FloatArray
    pain: MaxPain
    totals: dict[str, float]
    coverage: Coverage
    provenance: Provenance

    @property
    def forward(self) -> float:
        """Forward price of the expiry."""
        return self.parity.forward

    @property
    def atm_strike(self) -> float:
        """Listed strike nearest the spot, else the forward, the lower on a tie; NaN without both."""
        return math.nan if self.atm_index == NO_ATM else float(self.strikes[self.atm_index])

    @property
    def mid(self) -> FloatArray:
        """Mid of the quotes where both sides are there, else NaN: (2, n)."""
        return 0.5 * (self.legs["bid"] + self.legs["ask"])

    @property
    def change(self) -> FloatArray:
        """Last price less the previous close: (2, n)."""
        return self.legs["last_price"] - self.legs["previous_close"]

    @property
    def open_interest_change(self) -> FloatArray:
        """Open interest less that of the previous close: (2, n)."""
        return self.legs["open_interest"] - self.legs["previous_open_interest"]

    @property
    def intrinsic(self) -> FloatArray:
        """Value if exercised at the spot: (2, n)."""
        difference = self.spot_price - self.strikes
        return np.maximum(np.stack((difference, -difference)), 0.0)


def value_chain(market: Market, listing: Listing) -> Chain:
    """Value an expiry from the market's present state. Raises FeedUnavailable."""
    provenance = market.chain_provenance(listing)
    legs = {name: values.copy() for name, values in market.legs(listing).items()}
    spot = float(market.underlyings["last_price"][listing.underlying_row])
    years = (to_ms(listing.expiry.expires_at) - provenance.as_of_ms) / YEAR_MS
    quotes = legs["bid"], legs["ask"], legs["last_price"]
    future = float(market.forwards[listing.row])
    parity = parity_forward(spot, listing.strikes, quotes, years, market.interest_rate, future)
    volatility, strike_volatility = leg_volatilities(
        listing, legs, parity.forward, years, market.interest_rate
    )
    price = worth(legs)
    pain = max_pain(listing.strikes, *legs["open_interest"])
    change = legs["last_price"] - legs["previous_close"]
    interest_change = legs["open_interest"] - legs["previous_open_interest"]
    return Chain(
        symbol=listing.symbol,
        expiry=listing.expiry.day,
        expires_at=listing.expiry.expires_at,
        days_to_expiry=_days(listing.expiry.day, provenance.as_of_ms),
        time_to_expiry=years,
        lot_size=listing.expiry.lot_size,
        as_of_ms=provenance.as_of_ms,
        spot_price=spot,
        parity=parity,
        interest_rate=market.interest_rate,
        strikes=listing.strikes,
        atm_index=_at_the_money(
            listing.strikes, legs["open_interest"], spot if math.isfinite(spot) else parity.forward
        ),
        tokens=listing.tokens.reshape(2, -1).astype(np.float64),
        legs=legs,
        volatility=volatility,
        strike_volatility=strike_volatility,
        greeks=_greeks(listing.strikes, strike_volatility, parity.forward, spot, years, market.interest_rate),
        build_up=build_up(change, interest_change).astype(np.float64),
        pain=pain,
        totals=side_totals(legs["open_interest"], interest_change, legs["volume"]),
        coverage=Coverage(
            strikes=len(listing.strikes),
            quoted=int(np.isfinite(price).sum()),
            iv_solved=int(np.isfinite(volatility).sum()),
            forward_strikes=parity.strikes_used,
            forward_method=str(parity.method),
        ),
        provenance=provenance,
    )


def nearest_strike(strikes: FloatArray, spot: float) -> int:
    """Index of the strike nearest the spot, the lower on a tie; NO_ATM without a spot."""
    if not math.isfinite(spot) or not len(strikes):
        return NO_ATM
    gaps = np.abs(strikes - spot)
    nearest = np.flatnonzero(gaps == gaps.min())
    return int(nearest[np.argmin(strikes[nearest])])


def _at_the_money(strikes: FloatArray, interest: FloatArray, spot: float) -> int:
    """The strike nearest the spot among those whose call and put are both known, if there are any."""
    both = np.flatnonzero(np.isfinite(interest).all(axis=0))
    if not len(both):
        return nearest_strike(strikes, spot)
    nearest = nearest_strike(strikes[both], spot)
    return nearest if nearest == NO_ATM else int(both[nearest])


def _days(expiry: date, as_of_ms: int) -> int:
    """Calendar days on the exchange's calendar."""
    return (expiry - to_datetime(as_of_ms).astimezone(IST).date()).days


def worth(legs: Mapping[str, FloatArray]) -> FloatArray:
    """What a leg is worth: the mid of a two-sided quote, else the last price."""
    mid = 0.5 * (legs["bid"] + legs["ask"])
    return np.where(np.isfinite(mid), mid, legs["last_price"])


def leg_volatilities(
    listing: Listing, legs: dict[str, FloatArray], forward: float, years: float, rate: float
) -> tuple[FloatArray, FloatArray]:
    """Each leg's own implied volatility (2, n), and each strike's (n,) from its out-of-the-money leg."""
    strikes = listing.strikes
    is_call = np.array([[True], [False]])
    discount = math.exp(-rate * max(years, 0.0))
    volatility, _ = implied_volatility(worth(legs), forward, strikes, years, is_call, discount)
    return volatility, out_of_the_money(strikes, volatility[0], volatility[1], forward)


def _greeks(
    strikes: FloatArray, volatility: FloatArray, forward: float, spot: float, years: float, rate: float
) -> black76.Greeks:
    if years <= 0:
        unknown = np.full((2, len(strikes)), np.nan)
        return black76.Greeks(*[unknown] * 6)
    is_call = np.array([[True], [False]])
    to_forward = black76.greeks(forward, strikes, years, volatility, is_call, math.exp(-rate * years), rate)
    to_spot = black76.spot_greeks(to_forward, spot, forward, years)
    return replace(to_forward, delta=to_spot.delta, gamma=to_spot.gamma)


def side_totals(interest: FloatArray, interest_change: FloatArray, volume: FloatArray) -> dict[str, float]:
    """Sums over every listed strike, by side, and the ratios of puts to calls."""
    result: dict[str, float] = {}
    for name, values in (("oi", interest), ("oi_change", interest_change), ("volume", volume)):
        sums = totals(*values)
        result[f"total_ce_{name}"], result[f"total_pe_{name}"] = sums.call, sums.put
        result[f"pcr_{name}"] = float(put_call_ratio(sums.put, sums.call))
    return result
