"""What a broker must offer to the core, and the shapes in which its data arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.market import ProblemKind
from feed.market.candles import Candles
from feed.market.source import FloatArray

# what a tick may tell, and the column of our tables that it goes to
TICK_FIELDS = (
    "last_price",
    "open",
    "high",
    "low",
    "previous_close",
    "volume",
    "open_interest",
    "bid",
    "ask",
    "bid_quantity",
    "ask_quantity",
    "previous_open_interest",
)


@dataclass(frozen=True, slots=True)
class Ticks:
    """The latest of some instruments: tokens (n,), and of each field (n,), NaN where it was not told.

    Prices are rupees; volume and open interest are as the broker counts them. ``bad`` counts what could not
    be read beside them, ``sample`` is the beginning of the first of it.
    """

    tokens: NDArray[np.int64]
    fields: Mapping[str, FloatArray]
    bad: int = 0
    sample: bytes = b""

    @classmethod
    def none(cls, bad: int = 0, sample: bytes = b"") -> Ticks:
        """No tick at all."""
        return cls(np.empty(0, np.int64), {name: np.empty(0) for name in TICK_FIELDS}, bad, sample)


class Instrument(NamedTuple):
    """A row of a broker's list: an underlying (``expiry`` None, or that of a future) or an option."""

    token: int
    exchange: str
    name: str  # of the underlying where it is a derivative, else its own trading symbol
    kind: str  # CE, PE, FUT, or EQ for shares and indices
    expiry: date | None
    strike: float
    lot_size: int


class BrokerError(Exception):
    """A broker refused or could not be reached: what kind of trouble, and a sentence for the operator.

    ``wait_s`` is how long it is to be left alone, where the kind does not say so.
    """

    def __init__(self, kind: ProblemKind, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a broker lets one client follow, and ask."""

    sockets: int
    tokens_a_socket: int
    quotes_a_request: int
    request_interval_s: float
    silence_s: float  # a socket on which not even a sign of life came for so long is dead
    history_interval_s: float = 0.4
    has_heartbeat: bool = True  # without one, silence says something only while some exchange trades


class Line(Protocol):
    """An open socket of a broker."""

    async def follow(self, add: Sequence[int], drop: Sequence[int]) -> None:
        """Follow some instruments, and no longer some others."""
        ...

    async def read(self) -> bytes | None:
        """The next message with data; empty for a sign of life, None at the end of the line."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Broker(Protocol):
    """One broker: a session, instruments, sockets, and quotes for the rest. Each may raise BrokerError."""

    name: str
    limits: Limits

    def session(self) -> str:
        """What tells one login from the next; empty without one. It is looked up anew at each call."""
        ...

    async def instruments(self) -> list[Instrument]:
        """The list of the day."""
        ...

    async def connect(self) -> Line:
        """Open a socket."""
        ...

    def decode(self, message: bytes) -> Ticks:
        """What a message says; what cannot be read is counted and left out."""
        ...

    async def minutes(self, token: int, first_ms: int, end_ms: int) -> Candles | None:
        """One-minute candles that began in a span; None where this broker is not asked for any."""
        ...

    async def quotes(self, tokens: Sequence[int]) -> Ticks:
        """Ask for some instruments at once, at most ``limits.quotes_a_request``."""
        ...
