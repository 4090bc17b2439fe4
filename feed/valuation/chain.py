"""One option chain, valued: what the market knows of an expiry and what analytics derives from it.

Everything is in raw units (per unit, per year, decimals); display units are made in ``schemas``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import black76
from analytics.forward import METHODS, Carry, Forward, Forwards, parity_forwards
from analytics.implied_volatility import implied_volatility
from analytics.open_interest import MaxPain, MaxPains, build_up, max_pains, put_call_ratio
from analytics.segments import Segments
from analytics.volatility import atm_volatilities, out_of_the_money
from analytics.volatility_index import ExpiryVariances, expiry_variances
from domain.instants import IST, to_datetime
from feed.market.market import Market, Provenance, Provenances
from feed.market.source import FloatArray
from feed.market.universe import Listing, Selection

YEAR_MS = 365 * 86_400_000
NO_ATM = -1
IS_CALL = np.array([[True], [False]])


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
    def is_atm(self) -> NDArray[np.bool_]:
        """Which strike is at the money: (n,)."""
        return np.arange(len(self.strikes)) == self.atm_index

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


@dataclass(frozen=True)
class ValuedChains:
    """Listings valued in one pass, laid out as ``selection`` says: leg arrays are (2, strikes).

    Named as in ``Chain``, whose arrays are slices of these; the others are (listings,).
    """

    selection: Selection
    interest_rate: float
    as_of_ms: NDArray[np.int64]
    years: FloatArray
    spots: FloatArray
    forwards: Forwards
    legs: dict[str, FloatArray]
    tokens: FloatArray
    volatility: FloatArray
    strike_volatility: FloatArray
    greeks: black76.Greeks
    build_up: FloatArray
    pains: MaxPains
    totals: dict[str, FloatArray]
    atm_index: NDArray[np.intp]
    quoted: NDArray[np.intp]
    iv_solved: NDArray[np.intp]

    @cached_property
    def atm_volatility(self) -> FloatArray:
        """Volatility at the forward: (listings,)."""
        return atm_volatilities(
            self.selection.segments, self.selection.strikes, self.strike_volatility, self.forwards.forward
        ).volatility

    @cached_property
    def variances(self) -> ExpiryVariances:
        """Model-free variance of each listing."""
        return expiry_variances(
            self.selection.segments,
            self.selection.strikes,
            (self.legs["bid"], self.legs["ask"]),
            self.forwards.forward,
            self.years,
            self.interest_rate,
        )

    @cached_property
    def straddle(self) -> tuple[FloatArray, FloatArray]:
        """The strike nearest the forward, and what its call and put cost together: each (listings,)."""
        segments, strikes, forward = self.selection.segments, self.selection.strikes, self.forwards.forward
        gaps = segments.padded(np.abs(strikes - forward[segments.row]), np.inf)
        at = segments.starts + np.argmin(gaps, axis=1)
        legs = {name: self.legs[name][:, at] for name in ("bid", "ask", "last_price")}
        cost, known = worth(legs).sum(axis=0), np.isfinite(forward)
        return np.where(known, strikes[at], np.nan), np.where(known, cost, np.nan)

    @cached_property
    def coverage(self) -> dict[str, list[Any]]:
        """What the figures of each listing rest on, a column for each field of ``Coverage``."""
        return {
            "strikes": self.selection.segments.lengths.tolist(),
            "quoted": self.quoted.tolist(),
            "iv_solved": self.iv_solved.tolist(),
            "forward_strikes": self.forwards.strikes_used.tolist(),
            "forward_method": [str(METHODS[method]) for method in self.forwards.method],
        }

    @cached_property
    def place_of(self) -> dict[tuple[str, date], int]:
        """Where each listing stands in the pass, by its key."""
        return {listing.key: place for place, listing in enumerate(self.selection.listings)}

    def place(self, listing: Listing) -> int:
        """Where a listing stands in the pass. Raises KeyError for one that was not valued."""
        return self.place_of[listing.key]

    def has(self, listing: Listing) -> bool:
        """Whether a listing was valued."""
        return listing.key in self.place_of

    def strikes_of(self, place: int) -> slice:
        """The strikes of a listing."""
        first = int(self.selection.segments.starts[place])
        return slice(first, first + int(self.selection.segments.lengths[place]))

    @property
    def strikes(self) -> FloatArray:
        """Strikes of all listings, one after the other: (strikes,)."""
        return self.selection.strikes

    @property
    def is_atm(self) -> NDArray[np.bool_]:
        """Which strikes are at the money: (strikes,)."""
        segments = self.selection.segments
        return segments.column == self.atm_index[segments.row]

    @property
    def change(self) -> FloatArray:
        """Last price less the previous close."""
        return self.legs["last_price"] - self.legs["previous_close"]

    @property
    def open_interest_change(self) -> FloatArray:
        """Open interest less that of the previous close."""
        return self.legs["open_interest"] - self.legs["previous_open_interest"]

    @property
    def intrinsic(self) -> FloatArray:
        """Value if exercised at the spot."""
        difference = self.spots[self.selection.segments.row] - self.selection.strikes
        return np.maximum(np.stack((difference, -difference)), 0.0)


def value_chain(market: Market, listing: Listing) -> Chain:
    """Value an expiry from the market's present state. Raises FeedUnavailable."""
    return chains_of(market, value_listings(market, [listing]))[0]


def value_listings(market: Market, listings: Sequence[Listing]) -> ValuedChains:
    """Value expiries in one pass, each as if it were alone. Raises FeedUnavailable for one without data."""
    selection = market.universe.select(listings)
    as_of_ms = np.array(market.chain_provenances(selection.listing_rows).as_of_ms)
    state = {name: selection.of_contracts(values) for name, values in market.contracts.items()}
    return value_state(
        selection,
        state,
        market.underlyings["last_price"][selection.underlying_rows],
        as_of_ms,
        Carry(market.interest_rate, market.forwards[selection.listing_rows]),
    )


def value_state(
    selection: Selection,
    legs: dict[str, FloatArray],
    spots: FloatArray,
    as_of_ms: NDArray[np.int64],
    carry: Carry,
) -> ValuedChains:
    """Value a state of some listings: ``legs`` each (2, strikes), ``spots``, ``as_of_ms`` (listings,)."""
    segments, strikes = selection.segments, selection.strikes
    years = (selection.expires_ms - as_of_ms) / YEAR_MS
    quotes = legs["bid"], legs["ask"], legs["last_price"]
    forwards = parity_forwards(segments, spots, strikes, quotes, years, carry)
    row = segments.row
    forward, time, spot = forwards.forward[row], years[row], spots[row]
    discount = np.exp(-carry.rate * np.maximum(years, 0.0))[row]
    price = worth(legs)
    volatility, _ = implied_volatility(price, forward, strikes, time, IS_CALL, discount)
    strike_volatility = out_of_the_money(strikes, volatility[0], volatility[1], forward)
    to_forward = black76.greeks(forward, strikes, time, strike_volatility, IS_CALL, discount, carry.rate)
    to_spot = black76.spot_greeks(to_forward, spot, forward, time)
    greeks = black76.Greeks(
        to_forward.price,
        to_spot.delta,
        to_spot.gamma,
        to_forward.vega,
        to_forward.theta,
        to_forward.rho,
    )
    if not (lives := time > 0).all():
        each = (getattr(greeks, field.name) for field in fields(greeks))
        greeks = black76.Greeks(*(np.where(lives, values, np.nan) for values in each))
    interest = legs["open_interest"]
    interest_change = interest - legs["previous_open_interest"]
    return ValuedChains(
        selection=selection,
        interest_rate=carry.rate,
        as_of_ms=as_of_ms,
        years=years,
        spots=spots,
        forwards=forwards,
        legs=legs,
        tokens=selection.tokens,
        volatility=volatility,
        strike_volatility=strike_volatility,
        greeks=greeks,
        build_up=build_up(legs["last_price"] - legs["previous_close"], interest_change).astype(np.float64),
        pains=max_pains(segments, strikes, interest[0], interest[1]),
        totals=side_totals(segments, interest, interest_change, legs["volume"]),
        atm_index=at_the_money(
            segments, strikes, interest, np.where(np.isfinite(spots), spots, forwards.forward)
        ),
        quoted=segments.count(np.isfinite(price[0])) + segments.count(np.isfinite(price[1])),
        iv_solved=segments.count(np.isfinite(volatility[0])) + segments.count(np.isfinite(volatility[1])),
    )


def chains_of(market: Market, valued: ValuedChains) -> list[Chain]:
    """Each listing of a pass as a chain, in the order of the selection."""
    return [chain_of(market, valued, place) for place in range(len(valued.selection.listings))]


def chain_of(market: Market, valued: ValuedChains, place: int) -> Chain:
    """One listing of a pass as a chain; its arrays are slices of the pass's."""
    listing, where = valued.selection.listings[place], valued.strikes_of(place)
    forwards, pains = valued.forwards, valued.pains
    as_of_ms = int(valued.as_of_ms[place])
    return Chain(
        symbol=listing.symbol,
        expiry=listing.expiry.day,
        expires_at=listing.expiry.expires_at,
        days_to_expiry=_days(listing.expiry.day, as_of_ms),
        time_to_expiry=float(valued.years[place]),
        lot_size=listing.expiry.lot_size,
        as_of_ms=as_of_ms,
        spot_price=float(valued.spots[place]),
        parity=Forward(
            float(forwards.forward[place]),
            int(forwards.strikes_used[place]),
            METHODS[forwards.method[place]],
            float(forwards.dispersion[place]),
        ),
        interest_rate=valued.interest_rate,
        strikes=listing.strikes,
        atm_index=int(valued.atm_index[place]),
        tokens=valued.tokens[:, where],
        legs={name: values[:, where] for name, values in valued.legs.items()},
        volatility=valued.volatility[:, where],
        strike_volatility=valued.strike_volatility[where],
        greeks=black76.Greeks(
            valued.greeks.price[:, where],
            valued.greeks.delta[:, where],
            valued.greeks.gamma[:, where],
            valued.greeks.vega[:, where],
            valued.greeks.theta[:, where],
            valued.greeks.rho[:, where],
        ),
        build_up=valued.build_up[:, where],
        pain=MaxPain(float(pains.strike[place]), pains.curve[where], int(pains.legs[place])),
        totals={name: float(values[place]) for name, values in valued.totals.items()},
        coverage=Coverage(**{name: values[place] for name, values in valued.coverage.items()}),
        provenance=market.chain_provenance(listing),
    )


@dataclass(frozen=True, slots=True)
class ChainHeads:
    """What chains say beside their legs, a column a field; named as in ``Chain``, each (listings,)."""

    symbol: list[str]
    expiry: list[date]
    expires_at: list[datetime]
    days_to_expiry: list[int]
    lot_size: list[int | None]
    spot_price: FloatArray
    forward: FloatArray
    interest_rate: FloatArray
    atm_strike: FloatArray
    as_of_ms: list[int]
    totals: dict[str, FloatArray]
    max_pain: FloatArray
    coverage: dict[str, list[Any]]
    provenance: Provenances


def heads_of(market: Market, valued: ValuedChains) -> ChainHeads:
    """The heads of all listings of a pass, in the order of the selection."""
    listings, as_of_ms = valued.selection.listings, valued.as_of_ms.tolist()
    starts, at = valued.selection.segments.starts, valued.atm_index
    expiries = [listing.expiry for listing in listings]
    today = {at_ms: _today(at_ms) for at_ms in set(as_of_ms)}
    return ChainHeads(
        symbol=[listing.symbol for listing in listings],
        expiry=[expiry.day for expiry in expiries],
        expires_at=[expiry.expires_at for expiry in expiries],
        days_to_expiry=[
            (expiry.day - today[at_ms]).days for expiry, at_ms in zip(expiries, as_of_ms, strict=True)
        ],
        lot_size=[expiry.lot_size for expiry in expiries],
        spot_price=valued.spots,
        forward=valued.forwards.forward,
        interest_rate=np.full(len(listings), valued.interest_rate),
        atm_strike=np.where(at == NO_ATM, np.nan, valued.strikes[starts + np.maximum(at, 0)]),
        as_of_ms=as_of_ms,
        totals=valued.totals,
        max_pain=valued.pains.strike,
        coverage=valued.coverage,
        provenance=market.chain_provenances(valued.selection.listing_rows),
    )


ValuedStates = tuple[ValuedChains, ChainHeads]


def value_states(market: Market, listings: Sequence[Listing]) -> ValuedStates:
    """Listings valued in one pass, and what each says beside its legs. Raises FeedUnavailable."""
    valued = value_listings(market, listings)
    return valued, heads_of(market, valued)


def at_the_money(
    segments: Segments, strikes: FloatArray, interest: FloatArray, levels: FloatArray
) -> NDArray[np.intp]:
    """Of each listing the strike nearest the level, of those whose call and put are both known if any are.

    The lower one on a tie; NO_ATM without a level.
    """
    both = np.isfinite(interest[0]) & np.isfinite(interest[1])
    chosen = both | ~segments.any(both)[segments.row]
    gaps = np.where(chosen, np.abs(strikes - levels[segments.row]), np.inf)
    nearest = np.argmin(segments.padded(gaps, np.inf), axis=1) if len(strikes) else np.zeros(0, np.intp)
    return np.where(np.isfinite(levels), nearest, NO_ATM)


def _days(expiry: date, as_of_ms: int) -> int:
    """Calendar days on the exchange's calendar."""
    return (expiry - _today(as_of_ms)).days


def _today(as_of_ms: int) -> date:
    return to_datetime(as_of_ms).astimezone(IST).date()


def worth(legs: Mapping[str, FloatArray]) -> FloatArray:
    """What a leg is worth: the mid of a two-sided quote, else the last price."""
    mid = 0.5 * (legs["bid"] + legs["ask"])
    return np.where(np.isfinite(mid), mid, legs["last_price"])


def side_totals(
    segments: Segments, interest: FloatArray, interest_change: FloatArray, volume: FloatArray
) -> dict[str, FloatArray]:
    """Sums over the strikes of each listing, by side, and the ratios of puts to calls: each (listings,)."""
    result: dict[str, FloatArray] = {}
    for name, values in (("oi", interest), ("oi_change", interest_change), ("volume", volume)):
        call, put = segments.known_sum(values[0]), segments.known_sum(values[1])
        result[f"total_ce_{name}"], result[f"total_pe_{name}"] = call, put
        result[f"pcr_{name}"] = put_call_ratio(put, call)
    return result
