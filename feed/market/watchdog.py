"""Whether a feed does what it should, judged by what arrives; and when a silent one is to be restarted."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from domain.instants import to_datetime, to_ms
from domain.market import FeedStateName, MarketHours, Problem
from feed.market.hysteresis import Hysteresis, Verdict
from feed.market.market import NEVER_MS
from feed.reference.calendar import Calendar

STATUS_EXCHANGE = "NFO"  # whose phase is told where no exchange is open
EXPECTED_INPUTS = 20  # over so many the rate is judged: few enough to notice soon, enough not to flap
SHARE_DEGRADED = 0.5
HOLD_S = 10.0  # of market time: how long a feed has to be well before it counts as live again
FIRST_WAIT_MS = 1_000  # a line that broke is often up again at once
LONGEST_WAIT_MS = 60_000  # a venue that is away for hours is knocked at once a minute


@dataclass(frozen=True, slots=True)
class FeedState:
    """``live``, ``degraded``, ``stalled``, ``market_closed`` or ``disconnected``, and why.

    ``restarts`` counts the restarts since the feed was last live; ``next_try_ms`` is the next, if any.
    ``problem`` is what a source with a line of its own says is the matter, whatever the state.
    """

    name: FeedStateName
    reason: str
    restarts: int = 0
    next_try_ms: int | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a feed's inputs.

    ``age_ms`` is how old the newest is, None before the first; ``newest_ms`` maps each exchange that the
    source covers to its newest, NEVER_MS before the first. An input is expected every ``expected_ms``, and
    after ``stale_after_ms`` without one a feed is stalled. What a recording lacks no restart brings, nor what
    a source has a line of its own for; a recording that ``is_over`` brings nothing more.
    """

    age_ms: int | None
    newest_ms: Mapping[str, int]
    stale_after_ms: float
    expected_ms: float
    is_recorded: bool = False
    is_over: bool = False
    is_connected: bool = False
    problem: Problem | None = None


class Watchdog(Protocol):
    """What a ticker asks about its source."""

    state: FeedState

    def judge(self, now_ms: int, heard: Heard) -> FeedState:
        """The feed's state."""
        ...

    def note_input(self, now_ms: int) -> None:
        """Something arrived that is newer than everything before."""
        ...

    def note_failure(self, now_ms: int, error: Exception) -> None:
        """The source raised instead of telling."""
        ...

    def note_restart(self, now_ms: int) -> None:
        """The source was restarted."""
        ...

    def wants_restart(self, now_ms: int) -> bool:
        """Whether it is to be restarted now."""
        ...


class FeedWatchdog:
    """Judges a feed by the age and the rate of its inputs, against what the phase leads one to expect.

    Instants are those of the market's clock, so that under a virtual one every verdict is reproducible.
    ``hours`` is how the market runs (``always`` or ``exchange``); ``chance`` spreads the restarts of servers
    that lost the same feed.
    """

    def __init__(self, calendar: Calendar, *, hours: str, chance: random.Random) -> None:
        self.state = FeedState(FeedStateName.DISCONNECTED, "No data has arrived yet.")
        self._calendar = calendar
        self._hours = hours
        self._chance = chance
        self._hysteresis = Hysteresis(better_after_s=HOLD_S)
        self._checked_ms: int | None = None
        self._since_ms = 0  # since when the source was asked without a gap
        self.inputs_ms: deque[int] = deque(maxlen=EXPECTED_INPUTS)
        self._failures_ms: deque[int] = deque(maxlen=EXPECTED_INPUTS)
        self._failed_since_input = False
        self._failure = ""
        self._tries = 0
        self._next_try_ms: int | None = None

    def note_input(self, now_ms: int) -> None:
        """Something arrived that is newer than everything before."""
        self.inputs_ms.append(now_ms)
        self._failed_since_input = False

    def note_failure(self, now_ms: int, error: Exception) -> None:
        """The source raised instead of telling."""
        self._failures_ms.append(now_ms)
        self._failed_since_input = True
        self._failure = type(error).__name__  # its text may name files, hosts or keys

    def note_restart(self, now_ms: int) -> None:
        """The source was restarted; the next time it is left alone for longer."""
        self._tries += 1
        self._plan_restart(now_ms)

    def wants_restart(self, now_ms: int) -> bool:
        """Whether the source is silent, and its next restart is due."""
        return self._next_try_ms is not None and now_ms >= self._next_try_ms

    def judge(self, now_ms: int, heard: Heard) -> FeedState:
        """The feed's state."""
        self.follow(now_ms, heard.expected_ms)
        self.state = replace(self._judged(now_ms, heard), problem=heard.problem)
        return self.state

    def _judged(self, now_ms: int, heard: Heard) -> FeedState:
        open_since_ms = self._open_since_ms(now_ms, heard)
        age_ms, stale_after_ms = heard.age_ms, heard.stale_after_ms
        is_silent = age_ms is None or age_ms > stale_after_ms
        if is_silent and heard.is_over:
            return self._closed("The recording has ended.")
        if is_silent and age_ms is not None and not open_since_ms:
            phase = self._calendar.phase(STATUS_EXCHANGE, to_datetime(now_ms))
            return self._closed(f"The market is closed ({phase.phase}).")
        opened_ms = now_ms - min(open_since_ms.values(), default=0)
        if is_silent and opened_ms < stale_after_ms:
            reason = f"The market opened {opened_ms / 1000:.0f} s ago, and nothing has arrived yet."
            return FeedState(FeedStateName.DEGRADED, reason)
        if is_silent:
            return self._silent(now_ms, heard)
        self._next_try_ms = None
        verdict = self._hysteresis.observe(now_ms / 1000, self.arriving(now_ms, heard, open_since_ms))
        if verdict.rank:
            return FeedState(FeedStateName.DEGRADED, verdict.reason, self._tries)
        self._tries = 0
        return FeedState(FeedStateName.LIVE, verdict.reason)

    def follow(self, now_ms: int, expected_ms: float) -> None:
        """Notice a clock that jumped: nothing could arrive in the time that it left out."""
        checked_ms, self._checked_ms = self._checked_ms, now_ms
        if checked_ms is not None and 0 <= now_ms - checked_ms <= 2 * expected_ms:
            return
        self._since_ms = now_ms
        self.inputs_ms.clear()
        self._failures_ms.clear()
        if self._next_try_ms is not None:
            self._next_try_ms = min(self._next_try_ms, now_ms + LONGEST_WAIT_MS)

    def _open_since_ms(self, now_ms: int, heard: Heard) -> dict[str, int]:
        """The exchanges that are open, of those that the source covers, and since when; always: for ever."""
        names = list(heard.newest_ms) or [STATUS_EXCHANGE]
        if self._hours != MarketHours.EXCHANGE:
            return dict.fromkeys(names, 0)
        phases = {name: self._calendar.phase(name, to_datetime(now_ms)) for name in names}
        return {name: to_ms(phase.since) for name, phase in phases.items() if phase.is_open}

    def _closed(self, reason: str) -> FeedState:
        self._next_try_ms, self._tries = None, 0
        return FeedState(FeedStateName.MARKET_CLOSED, self._hysteresis.take(Verdict(0, reason)).reason)

    def _silent(self, now_ms: int, heard: Heard) -> FeedState:
        age_ms = heard.age_ms
        reason = (
            "No data has arrived yet." if age_ms is None else f"Nothing arrived for {age_ms / 1000:.0f} s."
        )
        if self._failed_since_input:
            reason += f" The source fails ({self._failure})."
        if heard.problem is not None:
            reason = heard.problem.message
        may_restart = (self._failed_since_input or not heard.is_recorded) and not heard.is_connected
        self._hysteresis.observe(now_ms / 1000, Verdict(1, reason))
        if self._next_try_ms is None and may_restart:
            self._plan_restart(now_ms)
        name = FeedStateName.DISCONNECTED if age_ms is None else FeedStateName.STALLED
        return FeedState(name, reason, self._tries, self._next_try_ms)

    def arriving(self, now_ms: int, heard: Heard, open_since_ms: Mapping[str, int]) -> Verdict:
        """How well it arrives, over the time in which some twenty inputs are expected."""
        if heard.problem is not None:
            return Verdict(1, heard.problem.message)
        window_ms = EXPECTED_INPUTS * heard.expected_ms
        since_ms = now_ms - window_ms
        failures = sum(at_ms > since_ms for at_ms in self._failures_ms)
        if failures:
            times = "once" if failures == 1 else f"{failures} times"
            return Verdict(1, f"The source failed {times} in {window_ms / 1000:g} s ({self._failure}).")
        began_ms = max(self._since_ms, min(open_since_ms.values(), default=0))
        inputs = sum(at_ms > since_ms for at_ms in self.inputs_ms)
        if began_ms <= since_ms and open_since_ms and inputs < SHARE_DEGRADED * EXPECTED_INPUTS:
            detail = f"{inputs} of {EXPECTED_INPUTS} expected inputs arrived in {window_ms / 1000:g} s."
            return Verdict(1, f"Only {detail}")
        return self._by_exchange(now_ms, heard, open_since_ms)

    def _by_exchange(self, now_ms: int, heard: Heard, open_since_ms: Mapping[str, int]) -> Verdict:
        """Whether an open exchange is silent while others tell; a recording may lack one for hours."""
        for name, open_ms in open_since_ms.items() if not heard.is_recorded else ():
            silent_ms = now_ms - max(heard.newest_ms.get(name, NEVER_MS), open_ms, self._since_ms)
            if silent_ms > heard.stale_after_ms:
                return Verdict(1, f"Nothing arrived of {name} for {silent_ms / 1000:.0f} s.")
        return Verdict(0, "Data arrives.")

    def _plan_restart(self, now_ms: int) -> None:
        """The longer it fails, the longer the wait; between half of it and all of it, by chance."""
        longest_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(self._tries, 10))
        self._next_try_ms = now_ms + round(longest_ms * self._chance.uniform(0.5, 1.0))
