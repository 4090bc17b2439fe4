"""The PeriodicCallback that advances the source and publishes what it brought."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from tornado.ioloop import PeriodicCallback

from domain.instants import MINUTE_MS
from domain.market import FaultKind
from feed.market.candles import ClosedCandle
from feed.market.clock import Clock, VirtualClock
from feed.market.epoch import digest
from feed.market.faults import DeliberateFault, Faults
from feed.market.guard import Guard
from feed.market.market import NEVER_MS, Market
from feed.market.source import Capabilities, LineFigures, Source
from feed.market.watchdog import FeedState, Heard, Watchdog

logger = logging.getLogger(__name__)

CATCH_UP_BUDGET_S = 0.25  # steps in a row before the loop gets a turn
CATCH_UP_STEP_MS = 20_000  # what is skipped by a seek is recorded at this pace
MOST_CAUGHT_UP = 500_000  # contracts times minutes: some three seconds of work
SAMPLES = 600

# takes the instant, and the closed candles off the queue one by one as they are told
Publish = Callable[[int, deque[ClosedCandle]], Awaitable[None]]


class MarketRecorder(Protocol):
    """What keeps the past of a market, as a step of it drives that."""

    def record(self, market: Market, now_ms: int) -> list[ClosedCandle]:
        """Count the market's state as published at an instant; returns the candles that became final."""
        ...

    def rewind(self, to_ms: int) -> None:
        """Follow a clock that was set on purpose: what is known from there on is forgotten."""
        ...

    def skip(self, to_ms: int) -> None:
        """Follow a clock that was put forward on purpose: nothing is known of what lies between."""
        ...

    async def make_room(self) -> None:
        """Wait while it is far behind: for a clock that may stand still meanwhile."""
        ...


class Ticker:
    """Drives the market: one step for each instant the clock says is due.

    A step advances the source, applies and publishes the update, records it and awaits ``publish``. A late
    loop takes the missed steps one after the other, so that it changes when things are seen, not what.
    ``poll_ms`` is how late a step may begin;
    A source that the ``watchdog`` finds silent is restarted; its last prices stay. A part of a step
    that fails keeps the ``guard`` busy and nothing else: whatever happens, ``publish`` is awaited.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        source: Source,
        market: Market,
        clock: Clock,
        history: MarketRecorder,
        watchdog: Watchdog,
        *,
        poll_ms: float,
        publish: Publish,
        guard: Guard | None = None,
        faults: Faults | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.market = market
        self.clock = clock
        self.watchdog = watchdog
        self.steps = 0
        self.failures = 0
        self.restarts = 0
        self.rounds = 0
        self.step_ms: deque[float] = deque(maxlen=SAMPLES)
        self._first_epoch = market.epoch
        self._history = history
        self._can = Capabilities.of(source)
        self.publish = publish
        self._guard = guard or Guard(monotonic)
        self._faults = faults or Faults(clock.now_ms)
        self._closed: deque[ClosedCandle] = deque()  # kept until they are told
        self._monotonic = monotonic
        self._input_times_ms: deque[int] = deque(maxlen=SAMPLES)
        self._stepped_ms = NEVER_MS
        self._newest_ms = NEVER_MS
        self._was_set_back = False
        self._published_s = monotonic()
        self._turn = asyncio.Lock()  # one step at a time, and no seek within one
        self._poll = PeriodicCallback(self._run_guarded, poll_ms)
        # told of each state that is recorded, and whether it is one that is published
        self.on_state: Callable[[int, bool], None] = lambda _at_ms, _is_published: None

    @property
    def state(self) -> FeedState:
        """What the feed does, as of the last step."""
        return self.watchdog.state

    def start(self) -> None:
        """Begin to tick on the current loop."""
        self._poll.start()

    def stop(self) -> None:
        """Stand still."""
        self._poll.stop()

    @property
    def line_figures(self) -> Callable[[], LineFigures] | None:
        """What a source over lines of its own carries; None for one that has none."""
        return None if self._can.over_lines is None else self._can.over_lines.line_figures

    async def prime(self) -> None:
        """Open the source and take the first step at once, so that the first request finds prices."""
        if self._can.connected is not None:
            await self._can.connected.open(self.clock.now_ms())
        await self.step(self.clock.now_ms())

    async def close(self) -> None:
        """Let go of the source; nothing may be asked of it afterwards."""
        if self._can.connected is not None:
            await self._can.connected.close()
        if self._can.recorded is not None:
            self._can.recorded.close()

    def rate(self) -> float:
        """Updates a second of market time, over the last minute."""
        now_ms = self.clock.now_ms()
        return sum(now_ms - at_ms <= 60_000 for at_ms in self._input_times_ms) / 60

    def last_tick_age_ms(self) -> int | None:
        """How long ago the newest input arrived; None before the first."""
        newest = self.market.last_input_ms
        return None if newest == NEVER_MS else max(0, self.clock.now_ms() - newest)

    async def poll(self) -> None:
        """Take what is due at once, for a clock that says when that is."""
        await self._run_guarded()

    async def _run_guarded(self) -> None:
        with self._guard.part("step"):
            await self.run()

    async def run(self) -> None:
        """Take the steps that are due, if any is."""
        started = self._monotonic()
        while await self._step_if_due():
            if self._monotonic() - started > CATCH_UP_BUDGET_S:
                break
        if (clock := self.clock.virtual) is not None and clock.paused:
            await self.publish_pause(clock)

    async def _step_if_due(self) -> bool:
        # the clock is asked in turn: a step that was due before a seek is none after it
        async with self._turn:
            now_ms = self.clock.due()
            if now_ms is not None:
                await self._step(self._rewound(now_ms))
        return now_ms is not None

    async def step(self, now_ms: int) -> None:
        """Bring the market to an instant and publish it."""
        async with self._turn:
            await self._step(self._rewound(now_ms))

    async def diverge(self, cause: str) -> None:
        """Begin an epoch at the prices there are, since from here on the path is another one."""
        async with self._turn:
            kind = self._first_epoch.partition("-")[0]
            self._first_epoch = f"{kind}-{digest((self.market.epoch, cause, self.clock.now_ms()))}"
            self.market.restart(self._first_epoch)

    async def seek(self, instant_ms: int) -> None:
        """Go on from another instant of a recording, in a new epoch; only under a virtual clock.

        History then knows what lies before that instant whether it was shown or not, unless so much of a
        large recording is skipped that nobody would wait for it.
        """
        clock = self.clock.virtual
        assert clock is not None
        async with self._turn:
            if self._can.recorded is not None:
                await self._can.recorded.prepare(instant_ms)
            now_ms = clock.now_ms()
            if instant_ms < now_ms:
                now_ms = instant_ms - instant_ms % MINUTE_MS
                self._history.rewind(now_ms)
            if (instant_ms - now_ms) / MINUTE_MS * self.market.universe.contract_count > MOST_CAUGHT_UP:
                now_ms = instant_ms
                self._history.skip(now_ms)  # so that what was traded meanwhile is no candle's volume
            for time_ms in range(now_ms, instant_ms, CATCH_UP_STEP_MS):
                self._take(time_ms)
                await self._history.make_room()
                await asyncio.sleep(0)
            self._closed.clear()  # of what was skipped: nobody's present, and another epoch's past
            self._begin_epoch(clock, instant_ms)
            if self._can.recorded is not None:
                self._can.recorded.seek(instant_ms)  # so that it tells the whole state once more
            await self._step(instant_ms)

    async def _step(self, now_ms: int) -> None:
        started = self._monotonic()
        if now_ms < self._stepped_ms:
            self._was_set_back = True
            self.market.set_back(now_ms)
        self._stepped_ms = now_ms
        self._take(now_ms)
        with self._guard.part("step"):
            self.judge(now_ms)
        with self._guard.part("relay"):
            self.on_state(now_ms, True)
        self.steps += 1
        self.step_ms.append((self._monotonic() - started) * 1000)
        await self._publish_step(now_ms)
        if self.clock.virtual is not None:
            await self._history.make_room()  # such a clock may wait, so that nothing has to be dropped

    def _take(self, now_ms: int) -> None:
        """Take in and record what arrived up to an instant, and give it its place in the streams."""
        stops = [now_ms] if self._can.walking is None else self._can.walking.stops(now_ms)
        for place, at_ms in enumerate(stops):
            self._take_in(at_ms)
            with self._guard.part("recorder"):
                self._closed += self._history.record(self.market, at_ms)
            if place < len(stops) - 1:
                with self._guard.part("relay"):
                    self.on_state(at_ms, False)
        with self._guard.part("market"):
            self.market.publish(now_ms)

    def _take_in(self, now_ms: int) -> None:
        """Advance the source, and write what it tells into the market."""
        try:
            if self._faults.on(FaultKind.FEED_DOWN):
                raise DeliberateFault
            if self._faults.on(FaultKind.STALL_FEED):
                return
            if self.watchdog.wants_restart(now_ms):
                self._restart(now_ms)
            update = self.source.advance(now_ms)
            if update is not None:
                self.market.apply(self._faults.befall(update, self.market.universe))
                self._input_times_ms.append(now_ms)
                if update.time_ms != self._newest_ms:  # a source that only repeats itself brings no news
                    self.watchdog.note_input(now_ms)
                    self._was_set_back = False
                self._newest_ms = update.time_ms
        except DeliberateFault as error:
            self.watchdog.note_failure(now_ms, error)
        except Exception as error:
            # whatever a source does, its last prices stay and are marked stale
            self.watchdog.note_failure(now_ms, error)
            self.failures += 1
            if self.failures == 1 or self.failures % 1000 == 0:
                logger.exception("the %s feed failed (%d times so far)", self.source.name, self.failures)

    def _restart(self, now_ms: int) -> None:
        """Have a silent source begin again; a recording is opened where it stands."""
        self.watchdog.note_restart(now_ms)  # first: a restart that fails is one too
        self.restarts += 1
        logger.warning("the %s feed is restarted: %s", self.source.name, self.state.reason)
        if self._can.restartable is not None:
            self._can.restartable.restart(now_ms)
        elif self._can.recorded is not None:
            self._can.recorded.seek(now_ms)
        if self._was_set_back:
            self._was_set_back = False
            self._name_epoch()

    async def _publish_step(self, now_ms: int) -> None:
        self._published_s = self._monotonic()
        with self._guard.part("step"):
            await self.publish(now_ms, self._closed)

    async def publish_pause(self, clock: VirtualClock) -> None:
        """Say at the usual pace that nothing changed: who waits is not to think that the line is dead."""
        if self._monotonic() - self._published_s >= clock.step_s:
            with self._guard.part("relay"):
                self.on_state(clock.now_ms(), True)
            await self._publish_step(clock.now_ms())

    def _rewound(self, now_ms: int) -> int:
        """Where a recording that is to be looped goes on: from its start, in a new epoch."""
        again_ms = None if self._can.recorded is None else self._can.recorded.restart_ms(now_ms)
        if again_ms is None or (clock := self.clock.virtual) is None:
            return now_ms
        self._history.rewind(again_ms)
        self._begin_epoch(clock, again_ms)
        return again_ms

    def _begin_epoch(self, clock: VirtualClock, instant_ms: int) -> None:
        clock.seek(instant_ms)
        self._stepped_ms = instant_ms
        self._name_epoch()

    def _name_epoch(self) -> None:
        self.rounds += 1
        self.market.restart(f"{self._first_epoch}-{self.rounds}")

    def judge(self, now_ms: int) -> None:
        """Health by what arrives, against what the phase leads one to expect."""
        newest = self.market.last_input_ms
        recorded = self._can.recorded
        before, connected = self.watchdog.state.problem, self._can.connected
        heard = Heard(
            age_ms=None if newest == NEVER_MS else now_ms - newest,
            newest_ms=self.market.heard_ms(),
            stale_after_ms=self.market.stale_after_ms,
            expected_ms=max(self.clock.step_ms, self._can.step_ms),
            is_recorded=recorded is not None,
            is_over=recorded is not None and recorded.finished,
            is_connected=connected is not None,
            problem=None if connected is None else connected.problem,
        )
        problem = self.watchdog.judge(now_ms, heard).problem
        if problem is not None and problem != before:
            logger.warning("the %s feed: %s", self.source.name, problem.message)
        elif problem is None and before is not None:
            logger.info("the %s feed is well again", self.source.name)
