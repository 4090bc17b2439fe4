"""What one screen says about an expiry: positioning, volatility, expected range, exposure.

Built from a valued chain; raw units, NaN where undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Positions
from analytics.gamma_exposure import GammaExposures, gamma_exposures, zero_gamma_levels
from analytics.open_interest import walls
from analytics.volatility import ExpectedMove, delta_skews, expected_move
from analytics.volatility_index import volatility_index
from analytics.volatility_rank import NO_RANK, Rank
from domain.instants import to_ms
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.universe import ROLL_MS, Listing, Universe
from feed.valuation.chain import ChainHeads, ValuedChains, value_listings

WALLS = 3
BULLISH_PCR, BEARISH_PCR = 1.2, 0.8


@dataclass(frozen=True, slots=True)
class UnderlyingVolatility:
    """What the options of an underlying say, decimals: the 30-day index, and the near month at the money."""

    index: float
    near_month: float


UNKNOWN_VOLATILITY = UnderlyingVolatility(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class UnderlyingFigures:
    """What a dashboard says of the underlying: the day's move in percent, its volatility and that one's rank.

    The rank places the near month's, whatever the expiry: that of a contract in its last hours has no year of
    its like to stand in.
    """

    change_percent: float = math.nan
    volatility: UnderlyingVolatility = UNKNOWN_VOLATILITY
    rank: Rank = NO_RANK


@dataclass(frozen=True, slots=True)
class Sentiments:
    """A word for each expiry, and the numbers it rests on: each (listings,)."""

    word: list[str]
    score: list[int]
    pcr_oi: FloatArray
    change_percent: FloatArray
    max_pain_distance_percent: FloatArray


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Figures of expiries, a column a field, in the order of the pass.

    ``support``, ``resistance`` are places of strikes in the pass, expiry by expiry, the largest interest
    first. ``iv_skew`` : (listings,) is 25-delta put less call; volatilities are decimals.
    """

    valued: ValuedChains
    heads: ChainHeads
    underlyings: Sequence[UnderlyingFigures]
    support: Positions
    resistance: Positions
    iv_skew: FloatArray
    move: ExpectedMove
    exposure: GammaExposures
    zero_gamma: FloatArray
    sentiment: Sentiments


def build_dashboards(
    valued: ValuedChains, heads: ChainHeads, underlyings: Sequence[UnderlyingFigures]
) -> Dashboards:
    """Derive the figures of valued expiries; ``underlyings`` are those of each listing."""
    segments, strikes = valued.selection.segments, valued.strikes
    forward, years, smile = valued.forwards.forward, valued.years, valued.strike_volatility
    interest = valued.legs["open_interest"]
    skew = delta_skews(segments, strikes, smile, forward, years)
    lot_sizes = np.array([math.nan if lot is None else lot for lot in heads.lot_size])
    return Dashboards(
        valued=valued,
        heads=heads,
        underlyings=underlyings,
        support=walls(segments, interest[1], WALLS),
        resistance=walls(segments, interest[0], WALLS),
        iv_skew=skew.put - skew.call,
        move=expected_move(forward, valued.atm_volatility, years),
        exposure=gamma_exposures(segments, valued.greeks.gamma, interest, lot_sizes, valued.spots),
        zero_gamma=zero_gamma_levels(segments, strikes, smile, interest, forward, years).level,
        sentiment=_sentiments(valued, np.array([figures.change_percent for figures in underlyings])),
    )


def _sentiments(valued: ValuedChains, change_percent: FloatArray) -> Sentiments:
    """Votes of put-call ratio, the day's move and the pull of max pain; two of three make a word."""
    pcr = valued.totals["pcr_oi"]
    spots = np.where(valued.spots == 0.0, math.nan, valued.spots)  # at zero there is no percent
    distance = 100 * (valued.pains.strike / spots - 1)
    score = (
        _votes(pcr, BEARISH_PCR, BULLISH_PCR)
        + _votes(change_percent, -0.25, 0.25)
        + _votes(distance, -0.5, 0.5)
    ).tolist()
    words = ["bullish" if votes >= 2 else "bearish" if votes <= -2 else "neutral" for votes in score]
    return Sentiments(words, score, pcr, change_percent, distance)


def _votes(values: FloatArray, low: float, high: float) -> NDArray[np.intp]:
    return (values > high).astype(np.intp) - (values < low)


def index_months(universe: Universe, symbol: str, at_ms: int) -> list[Listing]:
    """The two nearest months of an underlying that a volatility index of an instant is made of."""
    months = [
        listing
        for listing in universe.chains(symbol)
        if listing.expiry.kind != "weekly" and to_ms(listing.expiry.expires_at) > at_ms + ROLL_MS
    ]
    return months[:2]


class UnderlyingVolatilities:
    """The volatility of each underlying, its index by the published India VIX method; by version."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._cached: dict[str, tuple[tuple[object, ...], UnderlyingVolatility]] = {}

    def of(self, symbol: str) -> UnderlyingVolatility:
        """Both as they are now; NaN where the months they need are not listed or have no quotes."""
        return self.of_all([symbol])[symbol]

    def of_all(
        self, symbols: Sequence[str], known: ValuedChains | None = None
    ) -> dict[str, UnderlyingVolatility]:
        """Those of some symbols: months whose options changed are valued in one pass, if not ``known``."""
        market = self._market
        changed: dict[str, tuple[tuple[object, ...], list[Listing]]] = {}
        for symbol in symbols:
            listed = index_months(market.universe, symbol, market.last_input_ms)
            months = [listing for listing in listed if market.knows(listing)]
            version: tuple[object, ...] = (
                market.epoch,
                *((item.key, market.chain_seq(item)) for item in months),
            )
            cached = self._cached.get(symbol)
            if cached is None or cached[0] != version:
                changed[symbol] = (version, months)
        rest = [months for _, months in changed.values() if known is None or not all(map(known.has, months))]
        unknown = [listing for months in rest for listing in months]
        valued = value_listings(market, unknown) if unknown else known
        for symbol, (version, months) in changed.items():
            of = known if known is not None and all(map(known.has, months)) else valued
            found = UNKNOWN_VOLATILITY if of is None else of_months(of, months)
            self._cached[symbol] = (version, found)
        return {symbol: self._cached[symbol][1] for symbol in symbols}


def of_months(valued: ValuedChains, months: Sequence[Listing]) -> UnderlyingVolatility:
    """What the nearest months of an underlying say, of those that were valued."""
    places = [valued.place(listing) for listing in months]
    if not places:
        return UNKNOWN_VOLATILITY
    index = math.nan
    if len(places) > 1:
        near, following = (valued.variances.of(place) for place in places[:2])
        index = volatility_index(near, following)
    return UnderlyingVolatility(index, float(valued.atm_volatility[places[0]]))


IvHistory = Callable[[str], FloatArray]
