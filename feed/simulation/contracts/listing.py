"""Which contracts are listed, and the lane each is refreshed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import numpy as np

from domain.instruments import Kind
from feed.market.universe import Listing, Universe
from feed.reference.instruments import Catalogue, Expiry
from feed.simulation.contracts.book import ALWAYS_MS, RefreshGroupKey
from feed.simulation.factors import COMMODITY, EQUITY
from feed.simulation.parameters import FloatArray

_WARM_MS, _COLD_MS = 2_000, 5_000
_TURN_MS = 500
_HOT = {"NIFTY": 2, "SENSEX": 2, "BANKNIFTY": 1, "CRUDEOIL": 1, "NATURALGAS": 1, "GOLD": 1, "SILVER": 1}


def relisted(universe: Universe, catalogue: Catalogue, at: datetime, spots: FloatArray) -> Universe:
    """The universe at a later instant; the same object where nothing was listed or left.

    Strikes are added where the spot moved, and stay listed as long as their expiry.
    """
    chains = list(_chains(universe, catalogue, at, spots))
    same = len(chains) == len(universe.listings) and all(
        symbol == listing.symbol and expiry == listing.expiry and len(strikes) == len(listing.strikes)
        for (symbol, expiry, strikes, _), listing in zip(chains, universe.listings, strict=False)
    )
    return universe if same else Universe(catalogue.underlyings, chains)


def _chains(
    universe: Universe, catalogue: Catalogue, at: datetime, spots: FloatArray
) -> Iterator[tuple[str, Expiry, FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    for underlying, spot in zip(catalogue.underlyings, spots.tolist(), strict=True):
        for expiry in catalogue.expiries(underlying.symbol, at):
            strikes = catalogue.strikes(underlying.symbol, expiry, spot, at)
            before = universe.find((underlying.symbol, expiry.day))
            if before is not None:
                strikes = np.union1d(before.strikes, strikes)
                if len(strikes) == len(before.strikes):
                    yield underlying.symbol, expiry, before.strikes, before.tokens
                    continue
            is_call = np.repeat([True, False], len(strikes))
            tokens = catalogue.contract_tokens(underlying.symbol, expiry.day, np.tile(strikes, 2), is_call)
            yield underlying.symbol, expiry, strikes, tokens


def split_universe(
    universe: Universe, catalogue: Catalogue, at: datetime, factors: Mapping[str, float]
) -> Universe:
    """The same contracts once shares are split: strikes divided, to the tick, and lots of more shares."""

    def chains() -> Iterator[tuple[str, Expiry, FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]]:
        for listing in universe.listings:
            expiry, strikes, tokens = listing.expiry, listing.strikes, listing.tokens
            if (factor := factors.get(listing.symbol)) is not None:
                strikes = np.round(np.rint(20 * strikes / factor) / 20, 2)
                is_call = np.repeat([True, False], len(strikes))
                expiry = catalogue.expiry(listing.symbol, expiry.day, at)
                tokens = catalogue.contract_tokens(listing.symbol, expiry.day, np.tile(strikes, 2), is_call)
            yield listing.symbol, expiry, strikes, tokens

    return Universe(catalogue.underlyings, chains())


def refresh_group_of(listing: Listing, universe: Universe, trading_days: Sequence[date]) -> RefreshGroupKey:
    """Busy chains and those on their last day are priced in every step, others every two or five seconds.

    ``trading_days`` : (groups,) the day in course.
    """
    underlying = universe.underlyings[listing.underlying_row]
    group = COMMODITY if underlying.kind == "commodity" else EQUITY
    chains = universe.chains(listing.symbol)
    rank = next(rank for rank, other in enumerate(chains) if other.key == listing.key)
    if rank < _HOT.get(listing.symbol, 0) or listing.expiry.day == trading_days[group]:
        return RefreshGroupKey(group, ALWAYS_MS, 0)
    period_ms = _WARM_MS if rank == 0 or (underlying.kind == Kind.INDEX and rank < 4) else _COLD_MS
    return RefreshGroupKey(group, period_ms, (listing.underlying_row + rank) % (period_ms // _TURN_MS))


def years_between_futures(catalogue: Catalogue, listings: list[Listing], universe: Universe) -> FloatArray:
    """Years from the future that gives an underlying its price to that of each listing: (listings,).

    NaN where options are on the spot.
    """
    years = np.full(len(listings), np.nan)
    for index, listing in enumerate(listings):
        future = catalogue.underlying_future(listing.symbol, listing.expiry.day)
        if future is not None:
            nearest = universe.chains(listing.symbol)[0]
            first = catalogue.underlying_future(listing.symbol, nearest.expiry.day) or future
            years[index] = (future - first).days / 365.0
    return years


def switched_futures(catalogue: Catalogue, before: Universe, after: Universe) -> FloatArray:
    """Years by which the future that gives each underlying its price is now a later one: (underlyings,)."""
    years = np.zeros(len(after.underlyings))
    for row, underlying in enumerate(after.underlyings):
        futures = [
            catalogue.underlying_future(underlying.symbol, universe.chains(underlying.symbol)[0].expiry.day)
            for universe in (before, after)
            if universe.chains(underlying.symbol)
        ]
        if len(futures) == 2 and futures[0] is not None and futures[1] is not None:
            years[row] = (futures[1] - futures[0]).days / 365.0
    return years
