"""What is published of the underlyings: last price on the tick grid, the day's range and volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.instruments import Kind
from feed.market.source import UNDERLYING_FIELDS, PriceRange
from feed.reference.instruments import Underlying
from feed.simulation.bars import round_to
from feed.simulation.parameters import FloatArray, Parameters
from feed.simulation.prints import Prints


def daily_units(underlyings: Sequence[Underlying], parameters: Parameters) -> FloatArray:
    """Units traded on an ordinary day: shares, for an index its members', for a commodity its future's."""
    table = parameters["trading"]

    def units(underlying: Underlying) -> float:
        if underlying.kind == Kind.INDEX:
            return float(table["index_shares"])
        turnover = table["share_turnover"]
        return float(turnover / underlying.reference_price)

    return np.array([units(underlying) for underlying in underlyings])


class Spots:
    """The table of underlyings; ``fields`` maps each of UNDERLYING_FIELDS to (underlyings,)."""

    def __init__(self, underlyings: Sequence[Underlying], units: FloatArray) -> None:
        self._ticks = np.array([underlying.spot_tick_size for underlying in underlyings])
        self._units = units
        self.fields = {name: np.full(len(underlyings), np.nan) for name in UNDERLYING_FIELDS}
        self._prints = Prints(len(underlyings))

    @property
    def last_price(self) -> FloatArray:
        """Published prices."""
        return self.fields["last_price"]

    def publish(self, log_price: FloatArray, moving: NDArray[np.bool_]) -> None:
        """Show the latent prices of the underlyings that move."""
        last = self.last_price
        before = last.copy()
        np.copyto(last, round_to(np.exp(log_price), self._ticks), where=moving)
        self._prints.take(last, last != before)
        self.widen()

    def widen(self) -> None:
        """Take the last price into the range of the day; of a day without one it is the first price."""
        fields, last = self.fields, self.last_price
        np.copyto(fields["open"], last, where=np.isnan(fields["open"]))
        np.fmax(fields["high"], last, out=fields["high"])
        np.fmin(fields["low"], last, out=fields["low"])

    def trade(self, rng: np.random.Generator, days: FloatArray) -> None:
        """Add the volume of ``days`` : (underlyings,) of ordinary trading."""
        units = rng.standard_exponential(len(days)) * self._units * days + rng.random(len(days))
        traded = np.floor(units)
        self.fields["volume"] += traded
        self._prints.take(self.last_price, traded > 0.0)

    def range(self) -> PriceRange:
        """What last prices went through since the last call, where they moved or traded."""
        went_through = PriceRange(*(values.copy() for values in self._prints.range.columns))
        self._prints.clear()
        return went_through

    def roll(self, which: NDArray[np.bool_]) -> None:
        """Begin the day of some underlyings where the last one closed."""
        fields = self.fields
        last = fields["last_price"]
        np.copyto(fields["previous_close"], last, where=which)
        for name in ("open", "high", "low"):
            np.copyto(fields[name], last, where=which)
        fields["volume"][which] = 0.0

    def rescale(self, ratio: FloatArray) -> None:
        """Show another future of some underlyings: prices times ``ratio`` : (underlyings,)."""
        changed = ratio != 1.0
        for name in ("last_price", "open", "high", "low", "previous_close"):
            prices = self.fields[name]
            np.copyto(prices, round_to(prices * ratio, self._ticks), where=changed)

    def open_at_last(self, which: NDArray[np.bool_]) -> None:
        """The first price of the day."""
        for name in ("open", "high", "low"):
            np.copyto(self.fields[name], self.fields["last_price"], where=which)
