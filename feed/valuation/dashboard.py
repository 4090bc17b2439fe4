"""What one screen says about an expiry: positioning, volatility, expected range, exposure.

Built from a valued chain; raw units, NaN where undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.forward import Carry
from analytics.gamma_exposure import GammaExposure, gamma_exposure, zero_gamma_level
from analytics.open_interest import Walls, support_resistance
from analytics.volatility import (
    ExpectedMove,
    atm_volatility,
    delta_skew,
    expected_move,
)
from analytics.volatility_index import ExpiryVariance, expiry_variance, volatility_index
from analytics.volatility_rank import Rank, rank_and_percentile
from domain.instants import to_ms
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.universe import ROLL_MS, Listing, Universe
from feed.valuation.chain import Chain, ValuedChains, value_state

WALLS = 3
BULLISH_PCR, BEARISH_PCR = 1.2, 0.8


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A word, and the numbers it rests on."""

    word: str
    score: int
    pcr_oi: float
    change_percent: float
    max_pain_distance_percent: float


@dataclass(frozen=True, slots=True)
class UnderlyingVolatility:
    """What the options of an underlying say, decimals: the 30-day index, and the near month at the money."""

    index: float
    near_month: float


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Figures of one expiry. ``iv_skew`` is 25-delta put less call; volatilities are decimals."""

    chain: Chain
    walls: Walls
    atm_iv: float
    iv_skew: float
    rank: Rank
    straddle_price: float
    straddle_strike: float
    move: ExpectedMove
    exposure: GammaExposure
    zero_gamma: float
    volatility: UnderlyingVolatility
    sentiment: Sentiment


def build_dashboard(
    chain: Chain, change_percent: float, volatility: UnderlyingVolatility, iv_history: FloatArray
) -> Dashboard:
    """Derive the figures of an expiry.

    ``change_percent`` is the underlying's of the day, ``iv_history`` : (days,) the volatility of its near
    month at the close of past sessions. The rank places the near month's, whatever the expiry: that of a
    contract in its last hours has no year of its like to stand in.
    """
    discount = math.exp(-chain.interest_rate * max(chain.time_to_expiry, 0.0))
    atm = atm_volatility(chain.strikes, chain.strike_volatility, chain.forward).volatility
    interest = chain.legs["open_interest"]
    strike, straddle = straddle_at(chain.forward, chain.strikes, chain.legs)
    lot_size = math.nan if chain.lot_size is None else chain.lot_size
    return Dashboard(
        chain=chain,
        walls=support_resistance(chain.strikes, interest[0], interest[1], WALLS),
        atm_iv=atm,
        iv_skew=delta_skew(chain.strikes, chain.strike_volatility, chain.forward, chain.time_to_expiry).skew,
        rank=rank_and_percentile(iv_history, volatility.near_month),
        straddle_price=straddle,
        straddle_strike=strike,
        move=expected_move(chain.forward, atm, chain.time_to_expiry, discount),
        exposure=gamma_exposure(chain.greeks.gamma, interest, lot_size, chain.spot_price),
        zero_gamma=zero_gamma_level(
            chain.strikes, chain.strike_volatility, interest, chain.forward, chain.time_to_expiry
        ).level,
        volatility=volatility,
        sentiment=_sentiment(chain, change_percent),
    )


def straddle_at(forward: float, strikes: FloatArray, legs: Mapping[str, FloatArray]) -> tuple[float, float]:
    """The listed strike nearest the forward, and what its call and put cost together."""
    if not math.isfinite(forward):
        return math.nan, math.nan
    at = int(np.argmin(np.abs(strikes - forward)))
    mid = 0.5 * (legs["bid"][:, at] + legs["ask"][:, at])
    return float(strikes[at]), float(np.where(np.isfinite(mid), mid, legs["last_price"][:, at]).sum())


def _sentiment(chain: Chain, change_percent: float) -> Sentiment:
    """Votes of put-call ratio, the day's move and the pull of max pain; two of three make a word."""
    pcr = chain.totals["pcr_oi"]
    distance = 100 * (chain.pain.strike / (chain.spot_price or math.nan) - 1)  # at zero there is no percent
    votes = (
        (pcr > BULLISH_PCR) - (pcr < BEARISH_PCR),
        (change_percent > 0.25) - (change_percent < -0.25),
        (distance > 0.5) - (distance < -0.5),
    )
    score = int(sum(votes))
    word = "bullish" if score >= 2 else "bearish" if score <= -2 else "neutral"
    return Sentiment(word, score, pcr, change_percent, distance)


def index_months(universe: Universe, symbol: str, at_ms: int) -> list[Listing]:
    """The two nearest months of an underlying that a volatility index of an instant is made of."""
    months = [
        listing
        for listing in universe.chains(symbol)
        if listing.expiry.kind != "weekly" and to_ms(listing.expiry.expires_at) > at_ms + ROLL_MS
    ]
    return months[:2]


UNKNOWN_VOLATILITY = UnderlyingVolatility(math.nan, math.nan)


class UnderlyingVolatilities:
    """The volatility of each underlying, its index by the published India VIX method; by version."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._cached: dict[str, tuple[tuple[object, ...], UnderlyingVolatility]] = {}

    def of(self, symbol: str) -> UnderlyingVolatility:
        """Both as they are now; NaN where the months they need are not listed or have no quotes."""
        self.prepare([symbol])
        return self._cached[symbol][1]

    def prepare(self, symbols: Iterable[str]) -> None:
        """Value in one pass the months of the symbols whose options changed."""
        market = self._market
        changed: dict[str, tuple[tuple[object, ...], list[Listing]]] = {}
        for symbol in symbols:
            months = index_months(market.universe, symbol, market.last_input_ms)
            version: tuple[object, ...] = (
                market.epoch,
                *((item.key, market.chain_seq(item)) for item in months),
            )
            cached = self._cached.get(symbol)
            if cached is None or cached[0] != version:
                changed[symbol] = (version, months)
        listings = [listing for _, months in changed.values() for listing in months]
        valued = self._value(listings) if listings else None
        for symbol, (version, months) in changed.items():
            found = UNKNOWN_VOLATILITY if valued is None else of_months(valued, months, market.interest_rate)
            self._cached[symbol] = (version, found)

    def _value(self, listings: Sequence[Listing]) -> ValuedChains:
        market = self._market
        selection = market.universe.select(listings)
        state = {name: selection.of_contracts(values) for name, values in market.contracts.items()}
        return value_state(
            selection,
            state,
            market.underlyings["last_price"][selection.underlying_rows],
            np.full(len(listings), market.last_input_ms),
            Carry(market.interest_rate, market.forwards[selection.listing_rows]),
        )


def of_months(valued: ValuedChains, months: Sequence[Listing], rate: float) -> UnderlyingVolatility:
    """What the nearest months of an underlying say, of those that were valued."""
    places = [valued.place(listing) for listing in months]
    if not places:
        return UNKNOWN_VOLATILITY
    index = math.nan
    if len(places) > 1:
        near, following = (_variance(valued, place, rate) for place in places[:2])
        index = volatility_index(near, following)
    return UnderlyingVolatility(index, float(valued.atm_volatility[places[0]]))


def _variance(valued: ValuedChains, place: int, rate: float) -> ExpiryVariance:
    where = valued.strikes_of(place)
    return expiry_variance(
        valued.selection.strikes[where],
        valued.legs["bid"][:, where],
        valued.legs["ask"][:, where],
        float(valued.forwards.forward[place]),
        float(valued.years[place]),
        rate,
    )


IvHistory = Callable[[str], FloatArray]
