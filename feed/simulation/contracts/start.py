"""The contracts at the start: yesterday's closes, today's trading so far, the usual open interest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from feed.simulation.contracts.book import Book, RefreshGroup, whole
from feed.simulation.contracts.chains import Chains, on_grid
from feed.simulation.parameters import FloatArray
from feed.simulation.step_context import ScenarioEffect, StepContext


@dataclass(frozen=True, slots=True)
class Range:
    """The day of the underlyings so far, each (underlyings,): first price, highest, lowest."""

    open: FloatArray
    high: FloatArray
    low: FloatArray


@dataclass(frozen=True, slots=True)
class Opening:
    """What the contracts went through: the last close, the day since, and the market as it is now.

    ``volume_days`` : (underlyings,) days of trading since the close.
    """

    before: StepContext
    now: StepContext
    day: Range
    volume_days: FloatArray
    effect: ScenarioEffect


def fill(chains: Chains, rng: np.random.Generator, opening: Opening) -> None:
    """Fill the book."""
    book, before, now, day = chains.book, opening.before, opening.now, opening.day
    everything = whole(book)
    chains.price(before, everything)
    closes = on_grid(book, chains.fair)
    at = {
        name: _priced(chains, replace(now, spot=spot, future=spot), everything)
        for name, spot in (("open", day.open), ("high", day.high), ("low", day.low))
    }
    chains.price(now, everything)
    chains.profile(now, everything, opening.effect)
    chains.quote(everything)
    elapsed = opening.volume_days[book.listing_underlying][book.listing]
    lots = chains.lots_a_day * elapsed * np.exp(0.4 * rng.standard_normal(chains.fair.shape))
    lots = np.floor(lots + rng.random(lots.shape))
    _fill_trades(book, rng, closes, at, lots)
    _fill_open_interest(chains, rng, lots)
    unknown = (lots == 0) & (book.fields["open_interest"] == 0)
    book.fields["last_price"][unknown] = np.nan


def _priced(chains: Chains, context: StepContext, refresh_group: RefreshGroup) -> FloatArray:
    chains.price(context, refresh_group)
    return on_grid(chains.book, chains.fair)


def _fill_trades(
    book: Book, rng: np.random.Generator, closes: FloatArray, at: dict[str, FloatArray], lots: FloatArray
) -> None:
    fields = book.fields
    traded = lots > 0
    bid, ask = fields["bid"], fields["ask"]
    last = np.where((rng.random(lots.shape) < 0.5) | np.isnan(bid), ask, bid)
    fields["previous_close"][:] = closes
    fields["last_price"][:] = np.where(traded, last, closes)
    fields["open"][:] = np.where(traded, at["open"], np.nan)
    prices = np.stack((at["open"], at["high"], at["low"], last))
    fields["high"][:] = np.where(traded, prices.max(axis=0), np.nan)
    fields["low"][:] = np.where(traded, prices.min(axis=0), np.nan)
    fields["volume"][:] = lots


def _fill_open_interest(chains: Chains, rng: np.random.Generator, lots: FloatArray) -> None:
    fields = chains.book.fields
    held = np.rint(chains.open_lots * np.exp(0.3 * rng.standard_normal(lots.shape)))
    opened = np.floor(lots * np.clip(0.015 + 0.1 * rng.standard_normal(lots.shape), -1.0, 1.0) + 0.5)
    fields["open_interest"][:] = held
    fields["previous_open_interest"][:] = np.maximum(held - opened, 0.0)
