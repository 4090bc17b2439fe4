"""What a source of prices must offer, and the one shape in which prices arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from domain.market import Problem
from feed.market.universe import Universe

FloatArray = NDArray[np.float64]
Rows = NDArray[np.intp]
Instants = NDArray[np.int64]
Columns = Mapping[str, NDArray[np.generic]]

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
class StaleLimits:
    """After how many milliseconds without an input something is stale, where that is longer than for most."""

    symbols_ms: FloatArray  # (underlyings,)
    chains_ms: FloatArray  # (listings,)


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

    ``time_ms`` is the time of the newest input. Where rows have times of their own they are in
    ``underlying_times_ms`` and ``contract_times_ms``, one per row told. ``heard_ms`` : (listings,) is when
    a source last heard of each chain, where it knows that beside the rows: a quiet chain is not a dead one.
    ``limits`` are set where chains or symbols are to be waited for longer than others.
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
    underlying_times_ms: Instants | None = None
    contract_times_ms: Instants | None = None
    heard_ms: Instants | None = None
    limits: StaleLimits | None = None


class Source(Protocol):
    """Where prices come from; see ``Capabilities`` for what some can do besides."""

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


class LineFigures(NamedTuple):
    """What a source over lines of its own follows, and what went wrong with them since the start."""

    lines: int  # that are open
    on_lines: int  # instruments
    polled: int
    reconnects: int
    bad_messages: int
    filled_minutes: int  # of underlyings: missed, and told afterwards


@runtime_checkable
class Connected(Protocol):
    """A source over a line of its own, which it opens again by itself: no restart of ours would help it."""

    async def open(self, now_ms: int) -> None:
        """Begin to listen; what cannot be reached is tried again, and told as a problem meanwhile."""
        ...

    async def close(self) -> None:
        """Hang up; nothing is told afterwards."""
        ...

    @property
    def problem(self) -> Problem | None:
        """What is the matter, if anything."""
        ...


@runtime_checkable
class OverLines(Protocol):
    """A source that follows instruments over a broker's lines."""

    def line_figures(self) -> LineFigures:
        """What its lines carry now."""
        ...


@runtime_checkable
class Steerable(Protocol):
    """A source that cannot tell everything at once, and is told what is looked at."""

    def follow(self, listings: Iterable[tuple[str, date]]) -> None:
        """Take note of the chains that somebody follows now."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A source of what happened before: it has a start and an end, and goes on from any instant between."""

    start_ms: int
    end_ms: int
    step_ms: int
    loop: bool

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out and nothing more will come."""
        ...

    def restart_ms(self, now_ms: int) -> int | None:
        """Where the clock is to go on once a looped recording is over at ``now_ms``, else None."""
        ...

    async def prepare(self, instant_ms: int) -> None:
        """Wait until what the state of an instant needs is read, so that seek() there need not."""
        ...

    def seek(self, instant_ms: int) -> int:
        """Go there, or to the nearest instant covered, and return it; the next update tells everything."""
        ...

    def close(self) -> None:
        """Let go of what the recording is read from; nothing may be asked afterwards."""
        ...


class KnowsPast(Protocol):
    """A source that can tell what was before it started."""

    name: str

    def daily_candles(self, symbol: str, sessions: int) -> Columns:
        """Daily candles of the last complete sessions, ascending; columns named as in ``Candles``."""
        ...

    def minute_candles(self, symbol: str, sessions: int) -> Columns:
        """One-minute candles of these sessions and of the running one, the last as far as it is."""
        ...

    def session_volatilities(self, symbol: str, sessions: int) -> Columns:
        """``atm_iv`` at the end of these sessions, by ``time_ms`` of their opening; NaN where not known."""
        ...


@runtime_checkable
class Simulated(KnowsPast, Protocol):
    """A source that makes its prices, is told what to go through, and knows what was before its start."""

    SCENARIOS: tuple[str, ...]

    @property
    def scenario(self) -> str:
        """What the market goes through."""
        ...

    def set_scenario(self, name: str, now_ms: int) -> None:
        """Go through something else from here on."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a source can do beside telling its prices: each the source itself, or None."""

    walking: Walking | None
    restartable: Restartable | None
    recorded: Recorded | None
    simulated: Simulated | None
    connected: Connected | None
    over_lines: OverLines | None
    steerable: Steerable | None
    step_ms: float  # market time between two of its inputs; 0: those of the clock

    @classmethod
    def of(cls, source: object) -> Capabilities:
        """Ask a source, once: nobody else looks at its type."""
        return cls(
            source if isinstance(source, Walking) else None,
            source if isinstance(source, Restartable) else None,
            source if isinstance(source, Recorded) else None,
            source if isinstance(source, Simulated) else None,
            source if isinstance(source, Connected) else None,
            source if isinstance(source, OverLines) else None,
            source if isinstance(source, Steerable) else None,
            float(getattr(source, "step_ms", 0)),
        )
