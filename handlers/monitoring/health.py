"""How the server does: a verdict on each part, the same for whoever asks.

``/health``, its probes, ``/metrics``, the service manager's status line and its watchdog read one ``Health``.
A verdict gets worse soon and better only once that has held, so that nobody acts on a flicker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tornado.ioloop import PeriodicCallback

from domain.market import FeedStateName, HealthStatus, Role
from feed.history.history import History
from feed.market.guard import Guard
from feed.market.hysteresis import Hysteresis, Verdict
from feed.market.ticker import Ticker
from handlers.monitoring.loop_lag import LoopLag
from handlers.monitoring.pulse import Followed, Pulse
from handlers.monitoring.relay import RelayEnd

STATUSES = tuple(HealthStatus)  # by rank
FEED_RANKS = {
    FeedStateName.LIVE: 0,
    FeedStateName.MARKET_CLOSED: 0,
    FeedStateName.DEGRADED: 1,
    FeedStateName.STALLED: 1,
    FeedStateName.DISCONNECTED: 2,
}
LAG_DEGRADED_MS = 500.0  # as long as a publish interval: clients see it
LAG_DOWN_MS = 5000.0
BLOCKED_MS = 1000.0  # one stop of that length is told, though a percentile would hide it
SLOW_SHARE = 0.05  # of more than ten: then it is not the clients who are slow
SLOW_COUNT = 10
RESTARTS_IN_VAIN = 5  # some 20 s of trying: what a new process could mend, it may
PERIOD_MS = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A verdict on one part, with the figures it rests on."""

    status: str
    reason: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The parts, and the worst of them."""

    status: str
    parts: Mapping[str, Part]

    @property
    def worst(self) -> str:
        """Name of the part that decides."""
        return max(self.parts, key=lambda name: STATUSES.index(self.parts[name].status))


class Paced(Protocol):
    """Whether some streams are told more rarely than they change, because all would take too long."""

    level: int
    reduced: int

    @property
    def reason(self) -> str:
        """Why, and how many."""
        ...


class Health:
    """Judges the parts once a second and whenever somebody asks.

    ``statistics`` are the sockets' (``/api/websocket/stats``), ``rooms`` what is followed; ``max_clients`` is
    how many are let in. A part
    of the process that failed a short while ago (``guard``) degrades the part of health it belongs to.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        ticker: Ticker,
        history: History,
        loop_lag: LoopLag,
        statistics: Callable[[], Mapping[str, Any]],
        pulse: Pulse,
        pacing: Paced,
        rooms: Mapping[Any, Followed],
        guard: Guard,
        *,
        max_clients: Callable[[], int],
        is_short_of_descriptors: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.draining = False
        self.relay: RelayEnd | None = None  # where the market is shared with other processes
        self._ticker = ticker
        self._history = history
        self._loop_lag = loop_lag
        self._statistics = statistics
        self.pulse = pulse  # what went out, and what did not
        self.pacing = pacing
        self._rooms = rooms
        self._guard = guard
        self._max_clients = max_clients
        self._is_short_of_descriptors = is_short_of_descriptors
        self._monotonic = monotonic
        self._hysteresis = {
            # the feed's state has a hysteresis of its own, which clients are told of
            "feed": Hysteresis(better_after_s=0),
            "streams": Hysteresis(better_after_s=10),
            "history": Hysteresis(better_after_s=10),
            "event_loop": Hysteresis(better_after_s=10),
            "clients": Hysteresis(better_after_s=10, worse_after_s=5),
            "relay": Hysteresis(better_after_s=0),  # each silence is told
        }
        self._last_logged: dict[str, str] = {}
        self.callback = PeriodicCallback(guard.wraps("health", self._look), PERIOD_MS)

    def start(self) -> None:
        """Begin to judge on the current loop, and to log what changes."""
        self.callback.start()

    def stop(self) -> None:
        """Judge only when asked."""
        self.callback.stop()

    def report(self) -> HealthReport:
        """The verdicts as they are now."""
        now_s = self._monotonic()
        seen = {
            "feed": self._feed(),
            "streams": self._streams(),
            "history": self._recorded(),
            "event_loop": self._loop(now_s),
            "clients": self._clients(),
        }
        if self.relay is not None:
            seen["relay"] = self.relay.judge()
        parts = {}
        for name, (seen_of_part, figures) in seen.items():
            trouble = self._guard.trouble(name)
            is_worse = trouble is not None and seen_of_part.rank == 0
            sample = Verdict(1, str(trouble)) if is_worse else seen_of_part
            verdict = self._hysteresis[name].observe(now_s, sample)
            if name == "clients" and self.draining:
                verdict = Verdict(2, "The server is stopping: clients are asked to come back in a moment.")
            parts[name] = Part(STATUSES[verdict.rank], verdict.reason, figures)
            self._log_change(name, parts[name])
        return HealthReport(max((part.status for part in parts.values()), key=STATUSES.index), parts)

    @property
    def may_live(self) -> bool:
        """Whether the watchdog may be fed: no part is in a state that only a new process could mend.

        A server that never got data stays and says so: another process would get none either. Nor would one
        help a source that says what is the matter with it, or that opens its line again by itself.
        """
        state = self._ticker.state
        if state.name == "stalled" and state.problem is None and state.restarts >= RESTARTS_IN_VAIN:
            return False
        if self.pulse.stands_still:
            return False
        return self.report().parts["event_loop"].status != "down"

    def line(self) -> str:
        """The state in a line, for the service manager."""
        report = self.report()
        decides = report.parts[report.worst]
        clients = report.parts["clients"].figures["connected"]
        name = "" if report.status == "ok" else f" ({report.worst})"
        return f"{report.status}{name}: {decides.reason} {clients} clients."

    def _look(self) -> None:
        self.report()

    def _log_change(self, name: str, part: Part) -> None:
        """Log a verdict that changed."""
        before = self._last_logged.get(name, "ok")
        self._last_logged[name] = part.status
        if part.status != before:
            level = logging.INFO if part.status == "ok" else logging.WARNING
            logger.log(level, "%s is %s: %s", name, part.status, part.reason)

    def _feed(self) -> tuple[Verdict, dict[str, Any]]:
        ticker = self._ticker
        figures = {
            "state": ticker.state.name,
            "problem": ticker.state.problem.kind if ticker.state.problem is not None else None,
            "last_tick_age_ms": ticker.last_tick_age_ms(),
            "rate_per_s": round(ticker.rate(), 2),
        }
        return Verdict(FEED_RANKS[ticker.state.name], ticker.state.reason), figures

    def _streams(self) -> tuple[Verdict, dict[str, Any]]:
        rooms = self._rooms.values()
        verdict, figures = self.pulse.judge(rooms), self.pulse.figures(rooms)
        if self.pacing.level and not verdict.rank:
            verdict = Verdict(1, self.pacing.reason)
        return verdict, {**figures, "reduced": self.pacing.reduced if self.pacing.level else 0}

    def _recorded(self) -> tuple[Verdict, dict[str, Any]]:
        health = self._history.health()
        figures = {"queue_length": health.queue_length, "dropped": health.dropped}
        is_edge = self.relay is not None and self.relay.role == Role.EDGE
        well = "The feed records; what it stored can be read." if is_edge else "Candles reach the store."
        reason = health.reason or well
        return Verdict(0 if health.state == "ok" else 1, reason), figures

    def _loop(self, now_s: float) -> tuple[Verdict, dict[str, Any]]:
        lag_ms = self._loop_lag.percentile(99) or 0.0
        stop_ms, stop_age_s = self._loop_lag.longest_stop(now_s)
        figures = {"lag_p99_ms": round(lag_ms, 2)}
        rank = (lag_ms >= LAG_DEGRADED_MS) + (lag_ms >= LAG_DOWN_MS)
        if stop_ms >= BLOCKED_MS and rank < 2:
            reason = f"The loop stood still for {stop_ms / 1000:.1f} s, {stop_age_s:.0f} s ago."
            return Verdict(1, reason), figures
        return Verdict(rank, f"Callbacks run {lag_ms:.0f} ms late at the 99th percentile."), figures

    def _clients(self) -> tuple[Verdict, dict[str, Any]]:
        statistics = self._statistics()
        now, slow = statistics["connections"]["now"], statistics["slow_clients"]
        figures = {"connected": now}
        if self._is_short_of_descriptors():
            return Verdict(1, "No descriptors left: some who come now are not let in."), figures
        if now >= self._max_clients():
            return Verdict(1, f"All {now} places are taken: who comes now is refused."), figures
        if slow > SLOW_COUNT and slow > SLOW_SHARE * now:
            return Verdict(1, f"{slow} of {now} clients do not read what they are sent."), figures
        return Verdict(0, "Clients are served."), figures
