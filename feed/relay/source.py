"""The market of an edge: what a follower receives, handed to a ticker step by step.

Its clock is that of the records. Silence is judged by a timer, since records are what is missing then.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from tornado.ioloop import PeriodicCallback

from domain.market import FeedStateName, Problem, ProblemKind, SourceName
from feed.history.history import History
from feed.history.recorder import Remembered
from feed.history.session_figures import volatility_series
from feed.market.candles import ClosedCandle
from feed.market.guard import Guard
from feed.market.source import FloatArray, PriceRange, Update
from feed.market.watchdog import FeedState, Heard
from feed.relay.codec import RecordError
from feed.relay.followed_market import FollowedMarket
from feed.relay.follower import Follower, Received
from feed.relay.records import Delta, Facts, Image, PassedRange, Past, read_delta

logger = logging.getLogger(__name__)

LOOK_MS = 100  # how often silence is looked for

NO_RECORDS = Problem(
    ProblemKind.DISCONNECTED, "The feed publishes nothing: see that one runs, and reaches the bus.", 0
)
NOTHING_YET = FeedState(FeedStateName.DISCONNECTED, "No record of the market has arrived yet.")


class FollowClock:
    """The feed's time: that of the newest record, and what went by since."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.due_ms: Callable[[], int | None] = lambda: None
        self._monotonic = monotonic
        self._at_ms = 0
        self._since_s = 0.0
        self._is_virtual = False
        self._step_ms = 0.0

    def take(self, at_ms: int, step_ms: float, *, is_virtual: bool) -> None:
        """Be at the instant of a record."""
        self._at_ms, self._step_ms, self._is_virtual = at_ms, step_ms, is_virtual
        self._since_s = self._monotonic()

    def now_ms(self) -> int:
        """The feed's present; where its time is made it stands still between two steps, as it does there."""
        if self._is_virtual:
            return self._at_ms
        return self._at_ms + int(1000 * (self._monotonic() - self._since_s))

    def due(self) -> int | None:
        """The newest instant that was received."""
        return self.due_ms()

    @property
    def step_ms(self) -> int:
        """Market time between two records."""
        return round(self._step_ms)

    @property
    def virtual(self) -> None:
        """A clock that another process keeps cannot be set here."""
        return None


class FollowedFeed:
    """The feed's state as the feed judges it, or that nothing is heard of it. Stands for a FeedWatchdog."""

    def __init__(self) -> None:
        self.state = NOTHING_YET
        self.silence: FeedState | None = None
        self.scenario: str | None = None
        self._told = NOTHING_YET

    def take(self, state: FeedState, scenario: str | None) -> None:
        """What a record says."""
        self._told, self.scenario = state, scenario

    def judge(self, now_ms: int, heard: Heard) -> FeedState:
        """The feed's state."""
        self.state = self.silence or self._told
        return self.state

    def note_input(self, now_ms: int) -> None:
        """The feed judges its inputs."""

    def note_failure(self, now_ms: int, error: Exception) -> None:
        """A record could not be applied."""
        self._told = replace(self._told, reason=f"A record could not be applied ({type(error).__name__}).")

    def note_restart(self, now_ms: int) -> None:
        """Nothing is restarted here."""

    def wants_restart(self, now_ms: int) -> bool:
        """No restart of an edge helps its feed."""
        return False


class FollowedVolatilities:
    """Past volatilities as the feed knows them. Stands for a VolatilityHistory."""

    def __init__(self, source: RelaySource) -> None:
        self._source = source

    def __call__(self, symbol: str) -> FloatArray:
        """The sessions before the running one, oldest first: (days,)."""
        return self._source.volatilities(symbol)

    async def follow(self, closed: Iterable[ClosedCandle], now_ms: int) -> None:
        """The feed reads them again, and tells."""

    async def read(self, now_ms: int) -> None:
        """They come with an image."""


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """After how many seconds without a record an edge is degraded, and after how many all is stale."""

    degraded_s: float
    stale_s: float


class RelaySource:
    """A source of states that are already numbered; see ``feed.market.source``.

    It writes the market itself, and hands the ticker what is left to be recorded.
    """

    name: str = SourceName.RELAY

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        market: FollowedMarket,
        follower: Follower,
        clock: FollowClock,
        feed: FollowedFeed,
        history: History,
        *,
        limits: SilenceLimits,
        facts: Facts,
        edge: str,
        guard: Guard,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.market = market
        self.clock = clock
        self.feed = feed
        self.mismatch = ""  # what this process knows otherwise than the feed
        self._facts = facts
        self._history = history
        self.apply_s: deque[float] = deque(maxlen=256)
        self.cuts = 0
        self._follower = follower
        self._limits = limits
        self._edge = edge
        self._monotonic = monotonic
        self._past: Past | None = None
        self._volatilities: dict[str, FloatArray] = {}
        self._silent_step_ms: int | None = None
        self._stepped_s = monotonic()
        self.universe = market.universe
        clock.due_ms = self._due_ms
        self._looking = PeriodicCallback(guard.wraps("relay", self.look), LOOK_MS)

    @property
    def problem(self) -> Problem | None:
        """What is in the way of records."""
        return self._follower.problem

    async def open(self, now_ms: int) -> None:
        """Begin to look for silence."""
        self._looking.start()

    async def close(self) -> None:
        """Look no more."""
        self._looking.stop()

    def volatilities(self, symbol: str) -> FloatArray:
        """Those of past sessions, oldest first, as the feed knows them."""
        found = self._volatilities.get(symbol)
        if found is None:
            of = self._of(symbol)
            found = self._volatilities[symbol] = volatility_series(of[0], of[1])
        return found

    def told(self, symbol: str) -> Mapping[date, float]:
        """What the feed's source tells of the volatility of past sessions, by day."""
        return self._of(symbol)[0]

    def _of(self, symbol: str) -> tuple[Mapping[date, float], Mapping[date, float]]:
        row = self.market.universe.row_of.get(symbol)
        if self._past is None or row is None:
            return {}, {}
        known = self._past.of_row[row]
        return known.told, known.stored

    def record(self, at_ms: int) -> None:
        """Count the state at an instant; a ticker does so by itself."""
        self._history.record(self.market, at_ms)

    def remembered(self) -> Remembered:
        """What is in memory of the market's past."""
        return self._history.recorder.remembered()

    def take_first(self, received: Received) -> None:
        """Know the past and the instant of the image that the market was made of."""
        assert received.image is not None
        self._take_image(received, received.image)

    def _due_ms(self) -> int | None:
        """The instant of the newest state that is to be published; or of a step in silence."""
        for received in reversed(self._follower.received):
            if received.header is not None and received.header.is_published:
                return received.header.at_ms
        return self._silent_step_ms

    def stops(self, now_ms: int) -> list[int]:
        """The instants of all records up to the newest that is to be published: each is recorded."""
        headers = [item.header for item in self._follower.received if item.header is not None]
        ends = [place for place, header in enumerate(headers, 1) if header.is_published]
        return [header.at_ms for header in headers[: ends[-1]]] if ends else [now_ms]

    def advance(self, now_ms: int) -> Update | None:
        """Apply the next record; what prices went through on the way is the answer."""
        self._silent_step_ms = None
        self._stepped_s = self._monotonic()
        waiting = self._follower.received
        while waiting and waiting[0].header is None:
            past = waiting.popleft().past
            self._take_past(past)
            if past is not None:
                days = [item.days for item in past.of_row]
                self._history.recorder.running.know_weeks(days, self.clock.now_ms())
        self._history.is_paused = not waiting  # what is not known of a minute makes no candle
        if not waiting:
            if self._is_cut_due():
                self._cut_off(now_ms)
            return None
        began_s = self._monotonic()
        received = waiting.popleft()
        try:
            update = self._take(received)
        except RecordError:
            self._follower.miss("damaged")  # what the columns hold is looked at only here
            raise
        self.apply_s.append(self._monotonic() - began_s)
        return update

    def _take(self, received: Received) -> Update:
        assert received.header is not None
        header = received.header
        self.feed.silence = None
        if received.image is not None:
            self._take_image(received, received.image)
            return Update(header.newest_ms)
        assert received.delta is not None
        self.market.mend()
        delta = read_delta(received.delta, self.market)
        self.market.take_delta(delta)
        self._take_header(received)
        return _update_of(delta)

    def _take_image(self, received: Received, image: Image) -> None:
        self.market.take_image(image)
        self.universe = image.universe
        self._take_header(received)
        self._compare(image.facts)
        if received.past is None:
            return
        self._take_past(received.past)
        recorder, minute = self._history.recorder, image.minute
        known = [(item.minutes, item.days) for item in received.past.of_row]
        recorder.begin_again(image.header.source, minute.start_ms, known)
        days = minute.days_start_ms, minute.days
        recorder.go_on_from(self.market, minute.start_ms, minute.underlyings, minute.contracts, days)

    def _take_header(self, received: Received) -> None:
        header = received.header
        assert header is not None
        self.clock.take(header.at_ms, header.step_ms, is_virtual=header.is_virtual)
        self.feed.take(header.state, header.scenario)
        self._history.stored_until(header.stored_ms)

    def _compare(self, theirs: Facts) -> None:
        """Notice where the feed's facts are others than this process's."""
        differing = []
        if theirs.files != self._facts.files:
            differing.append("the facts that come with the program (feed and edge are of different releases)")
        if theirs.calendar != self._facts.calendar:
            differing.append("the file of feed.calendar_override")
        mismatch = f"Feed and edge differ in {' and '.join(differing)}." if differing else ""
        if mismatch and mismatch != self.mismatch:
            logger.warning("%s", mismatch)
        self.mismatch = mismatch

    def _take_past(self, past: Past | None) -> None:
        if past is not None:
            self._past = past
            self._volatilities.clear()

    def look(self) -> None:
        """Notice that records stay away; then have the ticker step all the same, so that clients hear so."""
        silent_s = self.silent_s
        if self._follower.received or silent_s < self._limits.degraded_s:
            return
        why = f" {self.problem.message}" if self.problem is not None else ""
        is_stale = silent_s >= self._limits.stale_s
        reason = f"Nothing came over the bus for {silent_s:.0f} s.{why}"
        if is_stale:
            reason += " All that is shown is stale."
        problem = self.problem or NO_RECORDS
        name = FeedStateName.STALLED if is_stale else FeedStateName.DEGRADED
        self.feed.silence = FeedState(name, reason, problem=problem)
        if self._monotonic() - self._stepped_s >= max(self.clock.step_ms, 100) / 1000:
            self._silent_step_ms = self.clock.now_ms()

    @property
    def silent_s(self) -> float:
        """Since when no record came, in seconds."""
        return self._monotonic() - self._follower.heard_s

    def _is_cut_due(self) -> bool:
        silence = self.feed.silence
        return silence is not None and silence.name == FeedStateName.STALLED and not self.market.is_cut_off

    def _cut_off(self, now_ms: int) -> None:
        """From here on two states could have one number: this is an epoch of this edge alone."""
        self.cuts += 1
        self.market.cut_off(f"{self.market.epoch}+cut-{self._edge}-{now_ms}")


def _update_of(delta: Delta) -> Update:
    """What is left to be recorded of a step."""
    return Update(
        delta.header.newest_ms,
        underlying_rows=delta.underlying_range.rows,
        contract_rows=delta.contract_range.rows,
        underlying_range=_range_of(delta.underlying_range),
        contract_range=_range_of(delta.contract_range),
    )


def _range_of(passed: PassedRange) -> PriceRange | None:
    return passed.went_through if len(passed.rows) else None
