"""A broker's list of instruments against what we know: the universe it makes, and what differs is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from domain.instruments import Exchange, Kind
from feed.live.broker import Instrument
from feed.market.source import FloatArray, Rows
from feed.market.universe import Universe
from feed.reference.instruments import Catalogue, Expiry, Underlying

NO_TOKEN = 0  # of a strike that is listed with one leg alone


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Rows by token: those of the underlyings of a universe, then of its contracts.

    ``units`` : (rows,) is how many of what the broker counts in volume and open interest make one of ours, a
    contract; ``sizes`` : (rows,) how many units one of what it counts in quotes is.
    """

    universe: Universe
    tokens: NDArray[np.int64]
    units: FloatArray
    sizes: FloatArray
    order: NDArray[np.intp]
    in_order: NDArray[np.int64]

    @classmethod
    def of(cls, universe: Universe, underlyings: NDArray[np.int64]) -> TokenTable:
        """The table of a universe whose contracts have the broker's tokens.

        Brokers count units where contracts have a lot, and lots on MCX.
        """
        tokens = np.concatenate((underlyings, universe.token))
        order = np.argsort(tokens, kind="stable")
        is_mcx = np.array([item.derivatives_exchange == Exchange.MCX for item in universe.underlyings])
        in_lots = is_mcx[universe.underlying_row]
        lots = np.nan_to_num(universe.lot_size, nan=1.0)
        spots = np.ones(len(universe.underlyings))
        units = np.concatenate((spots, np.where(in_lots, 1.0, lots)))
        sizes = np.concatenate((spots, np.where(in_lots, lots, 1.0)))
        return cls(universe, tokens, units, sizes, order, tokens[order])

    def find(self, tokens: NDArray[np.int64]) -> tuple[Rows, NDArray[np.bool_]]:
        """The row of each token, and whether it has one."""
        if not len(self.tokens):
            return np.zeros(len(tokens), np.intp), np.zeros(len(tokens), bool)
        places = np.minimum(np.searchsorted(self.in_order, tokens), len(self.order) - 1)
        rows = self.order[places]
        return rows, (self.tokens[rows] == tokens) & (tokens != NO_TOKEN)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The universe that a broker lists, and sentences on what is not as we would have it."""

    table: TokenTable
    differences: tuple[str, ...]


def reconcile(
    listed: Iterable[Instrument],
    catalogue: Catalogue,
    at: datetime,
    names: Mapping[str, str],
) -> Reconciled:
    """Contracts, strikes, lots and tokens are the broker's; underlyings, names and the calendar are ours.

    ``names`` maps symbols of ours to the broker's where those differ. Nothing is guessed: a strike with one
    leg keeps the other unknown, an underlying that is not listed has no token.
    """
    differences: list[str] = []
    options: dict[tuple[str, str], dict[date, dict[float, list[Instrument]]]] = {}
    others: dict[tuple[str, str], list[Instrument]] = {}
    for item in listed:
        if item.kind in ("CE", "PE") and item.expiry is not None:
            chain = options.setdefault((item.exchange, item.name), {}).setdefault(item.expiry, {})
            chain.setdefault(item.strike, []).append(item)
        else:
            others.setdefault((item.exchange, item.name), []).append(item)
    known = {(item.derivatives_exchange, item.symbol) for item in catalogue.underlyings}
    unknown = Counter(name for exchange, name in options if (exchange, name) not in known)
    if unknown:
        some = ", ".join(sorted(unknown)[:5])
        differences.append(f"{len(unknown)} underlyings with options are not in our list: {some} …")
    chains: list[tuple[str, Expiry, FloatArray, NDArray[np.int64]]] = []
    for underlying in catalogue.underlyings:
        found = options.get((underlying.derivatives_exchange, underlying.symbol), {})
        ours = {expiry.day: expiry for expiry in catalogue.expiries(underlying.symbol, at)}
        if not found:
            differences.append(f"{underlying.symbol} has no options in the broker's list.")
            continue
        for day in sorted(found):
            made = _chain(underlying, day, found[day], ours.get(day), catalogue, differences)
            if made.expires_at <= at:
                continue
            strikes, tokens = _legs(found[day])
            chains.append((underlying.symbol, made, strikes, tokens.ravel()))
        missing = sorted(set(ours) - set(found))
        if missing:
            differences.append(f"{underlying.symbol} {missing[0]} is not in the broker's list.")
    universe = Universe(catalogue.underlyings, chains)
    tokens = np.array([_token(item, others, names, differences) for item in catalogue.underlyings], np.int64)
    return Reconciled(TokenTable.of(universe, tokens), tuple(differences))


def _chain(
    underlying: Underlying,
    day: date,
    listed: Mapping[float, list[Instrument]],
    ours: Expiry | None,
    catalogue: Catalogue,
    differences: list[str],
) -> Expiry:
    """An expiry with the broker's lot; of a commodity the multiplier is ours, which no broker tells."""
    lots = {item.lot_size for legs in listed.values() for item in legs}
    lot: int | None = min(lots)
    name = f"{underlying.symbol} {day}"
    if len(lots) > 1:
        differences.append(f"{name} is listed with lots of {sorted(lots)}: the smallest is taken.")
    if ours is None:
        expires_at = catalogue.calendar.expiry_instant(underlying.derivatives_exchange, day)
        differences.append(f"{name} expires on a day that our calendar does not have for it.")
        return Expiry(day, "monthly", expires_at, None if underlying.kind == Kind.COMMODITY else lot)
    if underlying.derivatives_exchange == Exchange.MCX:
        return ours
    if ours.lot_size is not None and lot != ours.lot_size:
        differences.append(f"{name} has a lot of {lot}, we had {ours.lot_size}.")
    return Expiry(day, ours.kind, ours.expires_at, lot)


def _legs(listed: Mapping[float, list[Instrument]]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Ascending strikes, and the tokens of calls and puts: (2, strikes)."""
    strikes = np.array(sorted(listed))
    tokens = np.full((2, len(strikes)), NO_TOKEN, np.int64)
    for place, strike in enumerate(strikes.tolist()):
        for item in listed[strike]:
            tokens[0 if item.kind == "CE" else 1, place] = item.token
    return strikes, tokens


def _token(
    underlying: Underlying,
    others: Mapping[tuple[str, str], list[Instrument]],
    names: Mapping[str, str],
    differences: list[str],
) -> int:
    """The token of an underlying's price: of the nearest future where options are on that."""
    name = names.get(underlying.symbol, underlying.symbol)
    found = others.get((underlying.exchange, name), [])
    if underlying.kind == Kind.COMMODITY:
        futures = [item for item in found if item.kind == "FUT" and item.expiry is not None]
        if futures:
            return min(futures, key=lambda item: item.expiry or date.max).token
    elif spot := next((item for item in found if item.kind == "EQ"), None):
        return spot.token
    differences.append(f"{underlying.symbol} itself is not in the broker's list: it has no price.")
    return NO_TOKEN
