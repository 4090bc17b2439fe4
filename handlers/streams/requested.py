"""A stream that somebody would follow, before there is anything of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from handlers.streams.rooms import Room, Subscription


@dataclass(frozen=True, slots=True)
class Wish:
    """A stream that a client would follow: named, and so far nothing else is there of it.

    ``rolls`` : whether it goes over to the next expiry; ``expired`` : the place that was asked for, where
    its contracts have expired, and ``make`` is None where nothing follows it.
    """

    name: str
    make: Callable[[], Room] | None
    rolls: bool = False
    expired: dict[str, Any] | None = None


class WithSymbols(Protocol):
    """What a front end of old gets with ``subscribe_symbol`` besides quotes."""

    async def wishes(self, symbols: Iterable[str]) -> list[Wish]:
        """The streams of each symbol."""

    def names(self, symbol: str, followed: Mapping[str, Subscription]) -> list[str]:
        """Which of the streams that a client follows, by name, came with a symbol."""
