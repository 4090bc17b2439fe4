"""A market whose states and numbers are another process's."""

from __future__ import annotations

import numpy as np

from feed.market.market import Changes, Market, Positions
from feed.relay.records import ChangedRows, Delta, Image, MovedPositions, Tables

_NONE = np.empty(0, np.intp)


class FollowedMarket(Market):
    """Holds what records say, and gives out no number of its own.

    While it is ``cut_off`` it is a market of its own epoch in which everything is stale: two states must not
    have one number.
    """

    def __init__(self, image: Image) -> None:
        super().__init__(
            image.universe,
            source=image.header.source,
            epoch=image.header.epoch,
            interest_rate=image.facts.interest_rate,
            stale_after_s=image.facts.stale_after_ms / 1000,
        )
        self._before_cut: tuple[str, Positions, Positions] | None = None
        self.take_image(image)

    def publish(self, now_ms: int) -> Changes:
        """Nothing is numbered here."""
        return Changes(now_ms, _NONE, _NONE)

    def set_back(self, now_ms: int) -> None:
        """Follow a clock that was set back: the records say all that is to be known."""

    def take_image(self, image: Image) -> None:
        """Hold another state altogether."""
        self._before_cut = None
        self.universe = image.universe
        self.symbol_positions = Positions.of(len(image.universe.underlyings))
        self.chain_positions = Positions.of(len(image.universe.listings))
        _place(self.symbol_positions, image.symbols)
        _place(self.chain_positions, image.chains)
        self.underlyings, self.contracts = dict(image.underlyings), dict(image.contracts)
        self.forwards = image.forwards
        self.interest_rate, self.stale_after_ms = image.facts.interest_rate, image.facts.stale_after_ms
        self.source, self.epoch = image.header.source, image.header.epoch
        self.last_input_ms = image.header.newest_ms

    def take_delta(self, delta: Delta) -> None:
        """Hold the state after a step."""
        self.mend()
        _place(self.symbol_positions, delta.symbols)
        _place(self.chain_positions, delta.chains)
        _write(self.underlyings, delta.underlyings)
        _write(self.contracts, delta.contracts)
        _write({"forward": self.forwards}, delta.forwards)
        self.last_input_ms = delta.header.newest_ms

    def cut_off(self, epoch: str) -> None:
        """Say of everything that it is stale, in an epoch of this process."""
        self.mend()
        self._before_cut = self.epoch, self.symbol_positions, self.chain_positions
        self.epoch = epoch
        self.symbol_positions, self.chain_positions = (
            _stale(positions) for positions in (self.symbol_positions, self.chain_positions)
        )

    @property
    def is_cut_off(self) -> bool:
        """Whether it is."""
        return self._before_cut is not None

    def mend(self) -> None:
        """Be again where it was cut off."""
        if self._before_cut is not None:
            self.epoch, self.symbol_positions, self.chain_positions = self._before_cut
            self._before_cut = None


def _place(positions: Positions, moved: MovedPositions) -> None:
    positions.seq[moved.rows] = moved.seq
    positions.as_of_ms[moved.rows] = moved.as_of_ms
    positions.input_ms[moved.rows] = moved.as_of_ms
    positions.stale[moved.rows] = moved.stale


def _write(tables: Tables, changed: ChangedRows) -> None:
    for name, values in changed.values.items():
        tables[name][changed.rows] = values


def _stale(positions: Positions) -> Positions:
    stale = Positions.of(len(positions.seq))
    for name in ("seq", "as_of_ms", "input_ms"):
        getattr(stale, name)[:] = getattr(positions, name)
    stale.stale[:] = True
    return stale
