"""What happens to contracts when a day ends and when they expire."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feed.simulation.contracts.book import Book
from feed.simulation.parameters import FloatArray


def roll_day(book: Book, which: NDArray[np.bool_]) -> None:
    """Begin a day of some pairs: last price and open interest become yesterday's, nothing has traded yet."""
    fields = book.fields
    for name, before in (("previous_close", "last_price"), ("previous_open_interest", "open_interest")):
        known = which & ~np.isnan(fields[before])
        np.copyto(fields[name], fields[before], where=known)
    fields["volume"][:, which] = 0.0
    for name in ("open", "high", "low"):
        fields[name][:, which] = np.nan


def settle(book: Book, pairs: NDArray[np.intp], spot: FloatArray) -> None:
    """Mark pairs at their intrinsic value on ``spot`` : (underlyings,); nobody quotes them any more."""
    fields = book.fields
    inside = spot[book.listing_underlying][book.listing[pairs]] - book.strike[pairs]
    ticks = book.ticks_per_rupee[pairs]
    value = np.rint(np.maximum(np.stack((inside, -inside)), 0.0) * ticks) / ticks
    opened = fields["open"][:, pairs]
    fields["open"][:, pairs] = np.where(np.isnan(opened), value, opened)
    # the settlement is the last mark of the day, so the day's range has it inside
    fields["high"][:, pairs] = np.fmax(fields["high"][:, pairs], value)
    fields["low"][:, pairs] = np.fmin(fields["low"][:, pairs], value)
    fields["last_price"][:, pairs] = value
    for side in ("bid", "ask"):
        fields[side][:, pairs] = np.nan
        fields[f"{side}_quantity"][:, pairs] = 0.0
