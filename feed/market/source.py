"""What a source of prices must offer, and the one shape in which prices arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from feed.market.universe import Universe

FloatArray = NDArray[np.float64]
Rows = NDArray[np.intp]

UNDERLYING_FIELDS = ("last_price", "open", "high", "low", "previous_close", "volume")
CONTRACT_FIELDS = (
    "last_price",
    "bid",
    "ask",
    "bid_quantity",
    "ask_quantity",
    "volume",
    "open_interest",
    "open",
    "high",
    "low",
    "previous_close",
    "previous_open_interest",
)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """First, highest and lowest last price of some rows over a while; NaN where nothing happened."""

    first: FloatArray
    high: FloatArray
    low: FloatArray

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """All three."""
        return self.first, self.high, self.low


@dataclass(frozen=True, slots=True)
class Update:
    """Everything a source learned since it was last asked.

    Prices are rupees. Volume and open interest of contracts count lots, of underlyings units;
    bid and ask quantities are units, as the exchanges publish them. NaN means not known.

    ``underlyings`` and ``contracts`` map a name of ``UNDERLYING_FIELDS`` or ``CONTRACT_FIELDS`` to
    one value per row of ``underlying_rows`` or ``contract_rows`` (``None``: every row of the
    table). ``universe`` is set when contracts were listed or left; the rows then refer to it.
    ``forwards`` : one price per listing of its future, where a source tells it; NaN where there is none.
    The ranges, of the same rows, are what last prices went through since the update before, where a
    source knows more than the latest.
    """

    time_ms: int
    underlyings: Mapping[str, FloatArray] = field(default_factory=dict)
    contracts: Mapping[str, FloatArray] = field(default_factory=dict)
    underlying_rows: Rows | None = None
    contract_rows: Rows | None = None
    universe: Universe | None = None
    forwards: FloatArray | None = None
    underlying_range: PriceRange | None = None
    contract_range: PriceRange | None = None


class Source(Protocol):
    """Where prices come from: simulated, replayed, live or relayed."""

    name: str
    universe: Universe

    def advance(self, now_ms: int) -> Update | None:
        """Return what arrived up to ``now_ms``, merged into one update, or None if nothing did."""
        ...


@runtime_checkable
class Walking(Protocol):
    """A source whose path goes through more instants than are published."""

    def stops(self, now_ms: int) -> list[int]:
        """Where to stop and record on the way to ``now_ms``, the last of them: no minute goes over one."""
        ...


@runtime_checkable
class Restartable(Protocol):
    """A source that can begin again after it failed or fell silent."""

    def restart(self, now_ms: int) -> None:
        """Connect, open or begin afresh, and go on at ``now_ms``; the next update tells everything.

        It runs on the event loop, so it must not wait. It may raise as ``advance`` may, and is tried again.
        """
        ...


@runtime_checkable
class Seekable(Protocol):
    """A source that can go on from any instant it covers."""

    async def prepare(self, instant_ms: int) -> None:
        """Wait until what the state of an instant needs is read, so that seek() there need not."""
        ...

    def seek(self, instant_ms: int) -> int:
        """Go there, or to the nearest instant covered, and return it; the next update tells everything."""
        ...
