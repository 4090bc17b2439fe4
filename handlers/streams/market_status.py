"""What everybody is told beside the streams: the phases of the exchanges, and what the feed does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.instants import to_datetime, to_ms
from domain.instruments import Exchange
from domain.market import FeedStateName
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.watchdog import FeedState, Watchdog
from feed.reference.calendar import Calendar, Phase
from handlers.streams.pacing import Pacing
from schemas.events import dump_problem
from schemas.reference import MarketStatusSchema
from schemas.wire import timestamp

DEFAULT_EXCHANGE = Exchange.NFO

_status = MarketStatusSchema()


@dataclass(frozen=True, slots=True)
class CachedStatus:
    """The market status of all exchanges, true for instants in [from, until)."""

    key: tuple[str, int]
    from_ms: int
    until_ms: int
    status: dict[str, Any]


class MarketStatus:
    """Says it of one market; ``hours`` is how it runs, ``scenario`` what it goes through if it is simulated.

    A feed that is live is degraded for who follows a chain that is told more rarely than it changes.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        market: Market,
        calendar: Calendar,
        clock: Clock,
        watchdog: Watchdog,
        *,
        pacing: Pacing,
        hours: str,
        scenario: Callable[[], str | None],
    ) -> None:
        self._market = market
        self._calendar = calendar
        self._clock = clock
        self._watchdog = watchdog
        self.pacing = pacing
        self._hours = hours
        self._scenario = scenario
        self._cached: CachedStatus | None = None

    @property
    def feed(self) -> FeedState:
        """What the feed does."""
        state = self._watchdog.state
        if self.pacing.level and state.name == FeedStateName.LIVE:
            return FeedState(FeedStateName.DEGRADED, self.pacing.reason, problem=state.problem)
        return state

    def phases(self, exchanges: Sequence[str] | None = None) -> dict[str, Any]:
        """The phase of the default exchange, and of each one named; of all without names.

        Everybody who connects is told, so the answer about all is kept until something changes.
        """
        if exchanges is not None:
            return self._phases(exchanges)
        now_ms, key = self._clock.now_ms(), (self.feed.name, self._calendar.version)
        cached = self._cached
        if cached is None or cached.key != key or not cached.from_ms <= now_ms < cached.until_ms:
            names, now = list(self._calendar.exchanges), to_datetime(now_ms)
            changes = [to_ms(self._calendar.phase(name, now).next_change) for name in names]
            cached = self._cached = CachedStatus(key, now_ms, min(changes), self._phases(names))
        return cached.status

    def feed_status(self) -> dict[str, Any]:
        """The feed's state and why."""
        state = self.feed
        return {
            "state": state.name,
            "reason": state.reason,
            "restarts": state.restarts,
            "next_try_at": timestamp(state.next_try_ms) if state.next_try_ms is not None else None,
            "problem": None if state.problem is None else dump_problem(state.problem),
            "source": self._market.source,
            "epoch": self._market.epoch,
            "scenario": self._scenario(),
            "timestamp": timestamp(self._clock.now_ms()),
        }

    def _phases(self, exchanges: Sequence[str]) -> dict[str, Any]:
        now = to_datetime(self._clock.now_ms())
        phases = {name: self._phase(self._calendar.phase(name, now)) for name in exchanges}
        default = DEFAULT_EXCHANGE if DEFAULT_EXCHANGE in phases else exchanges[0]
        return dict(
            _status.dump(
                {
                    **phases[default],
                    "exchanges": list(phases.values()),
                    "hours": self._hours,
                    "source": self._market.source,
                }
            )
        )

    def _phase(self, phase: Phase) -> dict[str, Any]:
        return {
            "exchange": phase.exchange,
            "phase": phase.phase,
            "is_open": phase.is_open,
            "since": phase.since,
            "next_phase": phase.next_phase,
            "next_change": phase.next_change,
            "holiday": phase.holiday,
            "feed": self.feed.name,
        }
