"""A stream that somebody would follow, before there is anything of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from domain.streams import StreamName
from handlers.streams.rooms import Room, Subscription


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """A stream that a client would follow: named, and so far nothing else is there of it.

    ``rolls`` : whether it goes over to the next expiry; ``expired`` : the place that was asked for, where
    its contracts have expired, and ``make`` is None where nothing follows it.
    """

    name: StreamName
    make: Callable[[], Room] | None
    rolls: bool = False
    expired: dict[str, Any] | None = None


class SymbolCompanions(Protocol):
    """What a front end of old gets with ``subscribe_symbol`` besides quotes."""

    async def targets(self, symbols: Iterable[str]) -> list[StreamTarget]:
        """The streams of each symbol."""

    def names(self, symbol: str, followed: Mapping[StreamName, Subscription]) -> list[StreamName]:
        """Which of the streams that a client follows, by name, came with a symbol."""
