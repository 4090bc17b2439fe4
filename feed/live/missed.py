"""Minutes in which a broker was not heard: spans of them, to be asked for once they are over."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Protocol

from domain.instants import MINUTE_MS
from feed.market.candles import Candles


class Span(NamedTuple):
    """Whole minutes, on the market's clock: from the first one's beginning to the last one's end."""

    first_ms: int
    end_ms: int


class KeepsMinutes(Protocol):
    """Whoever records: lays one-minute candles of an underlying over what it has."""

    def __call__(self, symbol: str, minutes: Candles) -> None:
        """Keep them; it may be called on the loop, and does not wait."""
        ...


class MissedMinutes:
    """When a source was lost and found again; at first it is lost since ``since_ms``."""

    def __init__(self, since_ms: int) -> None:
        self._lost_ms: int | None = since_ms
        self._spans: deque[Span] = deque()

    @property
    def lost_ms(self) -> int | None:
        """Since when nothing certain is known, None while all is heard."""
        return self._lost_ms

    def lose(self, at_ms: int) -> None:
        """Something is no longer heard, maybe for a while already."""
        self._lost_ms = at_ms if self._lost_ms is None else min(self._lost_ms, at_ms)

    def find(self, at_ms: int) -> None:
        """All is heard again."""
        if self._lost_ms is not None:
            end_ms = at_ms - at_ms % MINUTE_MS + MINUTE_MS
            self._spans.append(Span(self._lost_ms - self._lost_ms % MINUTE_MS, end_ms))
        self._lost_ms = None

    def take(self, now_ms: int) -> Span | None:
        """The first span whose last minute is over, once."""
        return self._spans.popleft() if self._spans and self._spans[0].end_ms <= now_ms else None
