"""The live source: it opens a broker's lines, keeps them open, and hands over what arrived once a cycle."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from datetime import time as clock_time
from functools import partial
from typing import Protocol

import numpy as np

from domain.instants import IST, day_in_india, to_datetime, to_ms
from domain.market import Problem, ProblemKind
from feed.live.backoff import BackOff
from feed.live.broker import Broker, BrokerError, Line, Ticks
from feed.live.gather import NEVER_MS, Gather
from feed.live.missed import KeepsMinutes, MissedMinutes, Span
from feed.live.plan import POLLED_ROUNDS, Key, Plan, make_plan
from feed.live.reconcile import NO_TOKEN, TokenTable, reconcile
from feed.market.source import FloatArray, LineFigures, StaleLimits, Update
from feed.market.universe import Universe
from feed.reference.instruments import Catalogue

LOOK_S = 5.0  # for a login, while there is none
WANTED_S = 600.0  # so long after its last follower a chain keeps its claim on a socket
REPLAN_S = 2.0
LIST_AGAIN_AT = (8, 45)  # IST: the list is made once a day, some time before the open
LIST_RETRY_S = 30.0
SAMPLE_BYTES = 16

logger = logging.getLogger(__name__)


class KnowsPreviousInterest(Protocol):
    """Somebody who knows with what open interest contracts ended the trading day before an instant."""

    def __call__(self, universe: Universe, at: datetime) -> FloatArray:
        """(contracts,) in lots, NaN where nothing is known. It may wait for a disk."""
        ...


class LiveSource:
    """A source over one broker. Its tasks gather; ``advance`` only hands over, and never waits.

    ``now_ms`` is the market's clock, ``monotonic`` measures waits, ``chance`` spreads them;
    ``previous_interest`` is asked where the broker does not tell it; ``keep_minutes`` is given the candles of
    underlyings that passed before the lines were open, and while one was lost.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        broker: Broker,
        catalogue: Catalogue,
        *,
        names: Mapping[str, str],
        now_ms: Callable[[], int],
        chance: random.Random,
        monotonic: Callable[[], float] = time.monotonic,
        previous_interest: KnowsPreviousInterest | None = None,
        keep_minutes: KeepsMinutes | None = None,
    ) -> None:
        self.name = broker.name
        self._title = broker.name.capitalize()
        self.differences: tuple[str, ...] = ()
        self.reconnects = self.bad = self.filled = 0
        self.broker = broker
        self._catalogue = catalogue
        self._names = names
        self._now_ms = now_ms
        self._chance = chance
        self._monotonic = monotonic
        self._previous_interest = previous_interest
        self._keep_minutes = keep_minutes
        at = to_datetime(now_ms())
        self._missed = MissedMinutes(to_ms(datetime.combine(day_in_india(at), clock_time(), IST)))
        spots = np.array([item.reference_price for item in catalogue.underlyings])
        # what our own calendar lists, until the broker's list is there
        self.universe = Universe.build(catalogue, at, spots)
        nobody = np.zeros(len(catalogue.underlyings), np.int64)
        self.gather = Gather(TokenTable.of(self.universe, nobody))
        self.plan = Plan(())
        self._relist = False
        self._limits: StaleLimits | None = None
        self._wanted: dict[Key, float] = {}
        self._problems: dict[str, Problem] = {}
        self._told: set[str] = set()
        self._refused = ""  # the session that the broker has ended
        self._open: set[int] = set()  # the sockets that are open
        self._heard_ms: list[int] = []  # when each socket last said anything
        self._changed = asyncio.Event()  # the plan
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def problem(self) -> Problem | None:
        """What keeps data from coming, the session before the lines."""
        order = list(ProblemKind)
        found = sorted(self._problems.values(), key=lambda problem: order.index(problem.kind))
        return found[0] if found else None

    def line_figures(self) -> LineFigures:
        """What its lines carry now."""
        sockets = self.plan.sockets
        return LineFigures(
            len(self._open),
            sum(len(tokens) for tokens in sockets),
            len(self.plan.polled),
            self.reconnects,
            self.bad,
            self.filled,
        )

    def follow(self, listings: Iterable[Key]) -> None:
        """Take note of the chains that somebody follows now."""
        now_s = self._monotonic()
        for key in listings:
            self._wanted[key] = now_s

    def advance(self, now_ms: int) -> Update | None:
        """What arrived up to an instant; the clock is the market's, arrivals have its time."""
        relist, self._relist = self._relist, False
        limits, self._limits = self._limits, None
        if relist:
            self.universe = self.gather.table.universe
        return self.gather.drain(self._chains_heard_ms(), limits, relist=relist)

    async def open(self, now_ms: int) -> None:
        """Begin to listen; whatever is not there yet is waited for in the background."""
        self._tasks.append(asyncio.ensure_future(self._forever("list", self._keep_list)))

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _chains_heard_ms(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """A chain is heard of while its socket lives and its underlying ticks: a quiet strike is not dead."""
        universe = self.gather.table.universe
        heard = np.full(len(universe.listings), NEVER_MS)
        spots_ms = self.gather.times_ms[: len(universe.underlyings)]
        for key, socket in self.plan.socket_of.items():
            listing = universe.find(key)
            if listing is not None and socket < len(self._heard_ms):
                heard[listing.row] = min(self._heard_ms[socket], int(spots_ms[listing.underlying_row]))
        return heard

    async def _forever(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task for as long as the source is open; whatever it raises is told, and it begins again."""
        while True:
            try:
                await task()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._tell(name, ProblemKind.PROTOCOL, f"{self._title}: {type(error).__name__} in {name}.")
                logger.exception("the %s of the %s feed failed", name, self.name)
                await asyncio.sleep(LIST_RETRY_S)

    async def _keep_list(self) -> None:
        """Fetch the list of instruments, once a day, and keep as many lines open as the broker allows."""
        while True:
            try:
                listed = await self.broker.instruments()
            except BrokerError as error:
                self._tell("list", error.kind, error.message)
                await asyncio.sleep(error.wait_s or LIST_RETRY_S)
                continue
            self._well("list")
            at = to_datetime(self._now_ms())
            made = await asyncio.get_running_loop().run_in_executor(
                None, reconcile, listed, self._catalogue, at, self._names
            )
            for difference in made.differences:
                if difference not in self._told:
                    self._told.add(difference)
                    logger.warning("%s", difference)
            self.differences = made.differences
            before = await self._ask_previous_interest(made.table.universe, at)
            self.gather, self._relist = self.gather.carried_to(made.table), True
            if before is not None:
                self.gather.know_previous_open_interest(before)
            self._replan()
            if len(self._tasks) == 1:
                self._begin_lines()
            await self._until_next_list(at)

    async def _ask_previous_interest(self, universe: Universe, at: datetime) -> FloatArray | None:
        """What our own store knows; a store that fails leaves it unknown, and stops nothing."""
        if self._previous_interest is None:
            return None
        try:
            return await asyncio.get_running_loop().run_in_executor(
                None, self._previous_interest, universe, at
            )
        except Exception:
            logger.exception("the previous day's open interest cannot be read from history")
            return None

    def _begin_lines(self) -> None:
        count = self.broker.limits.sockets
        self._heard_ms = [NEVER_MS] * count
        for number in range(count):
            self._tasks.append(
                asyncio.ensure_future(self._forever(f"line {number + 1}", partial(self._keep_line, number)))
            )
        self._tasks.append(asyncio.ensure_future(self._forever("polling", self._keep_polling)))
        self._tasks.append(asyncio.ensure_future(self._forever("plan", self._keep_plan)))
        if self._keep_minutes is not None:
            fill = partial(self._fill_missed, self._keep_minutes)
            self._tasks.append(asyncio.ensure_future(self._forever("history", fill)))

    async def _until_next_list(self, at: datetime) -> None:
        """Until the next day's list is made, or a chain expires: by the market's clock, which may be set."""
        began = day_in_india(at)
        expiries = [listing.expiry.expires_at for listing in self.gather.table.universe.listings]
        while True:
            await asyncio.sleep(LIST_RETRY_S)
            now = to_datetime(self._now_ms())
            if any(expires_at <= now for expires_at in expiries):
                return
            hour, minute = LIST_AGAIN_AT
            minutes = (now.hour * 60 + now.minute + 330) % 1440  # of India's clocks
            if day_in_india(now) != began and minutes >= hour * 60 + minute:
                return

    async def _keep_plan(self) -> None:
        """Follow what is wanted: chains come to sockets, others leave them."""
        while True:
            await asyncio.sleep(REPLAN_S)
            now_s = self._monotonic()
            self._wanted = {key: at_s for key, at_s in self._wanted.items() if now_s - at_s < WANTED_S}
            self._replan()

    def _replan(self) -> None:
        table, limits = self.gather.table, self.broker.limits
        plan = make_plan(table, list(self._wanted), limits, self.plan)
        if plan == self.plan:
            return
        self.plan = plan
        chains_ms = np.zeros(len(table.universe.listings))
        chains_ms[list(plan.polled_listings)] = POLLED_ROUNDS * plan.round_s(limits) * 1000
        self._limits = StaleLimits(np.zeros(len(table.universe.underlyings)), chains_ms)
        self._changed.set()
        self._changed = asyncio.Event()

    async def _keep_line(self, number: int) -> None:
        """Keep one socket open for as long as there is a session."""
        name, back_off = f"line {number + 1}", BackOff(self._chance)
        while True:
            session = await self._session()
            try:
                line = await self.broker.connect()
            except BrokerError as error:
                await self._after(name, error, back_off, session)
                continue
            try:
                await self._listen(number, line, back_off)
            except BrokerError as error:
                await self._after(name, error, back_off, session)
            finally:
                line.close()
                self.reconnects += 1

    async def _listen(self, number: int, line: Line, back_off: BackOff) -> None:
        """Follow what the plan gives this socket, until the line ends. Raises BrokerError then."""
        name, limits = f"line {number + 1}", self.broker.limits
        following = asyncio.ensure_future(self._keep_following(number, line))
        reading = asyncio.ensure_future(line.read())
        self._open.add(number)
        try:
            while True:
                done, _ = await asyncio.wait(
                    (reading, following), timeout=limits.silence_s, return_when=asyncio.FIRST_COMPLETED
                )
                if following in done:
                    following.result()  # it ends by an error alone
                if not done and (limits.has_heartbeat or self._trades()):
                    raise BrokerError(
                        ProblemKind.DISCONNECTED,
                        f"{self._title}: nothing came on {name} for {limits.silence_s:g} s.",
                    )
                if not done:
                    continue
                message = reading.result()
                if message is None:
                    raise BrokerError(ProblemKind.DISCONNECTED, f"{self._title}: {name} was cut.")
                self._heard_ms[number] = self._now_ms()
                back_off.well(self._monotonic())
                self._well(name)
                if message:
                    self._take(self.broker.decode(message))
                reading = asyncio.ensure_future(line.read())
        finally:
            self._open.discard(number)
            for task in (reading, following):
                task.cancel()
            await asyncio.gather(reading, following, return_exceptions=True)

    async def _keep_following(self, number: int, line: Line) -> None:
        """Follow what the plan gives a socket, beside what is read of it: subscribing may take its time."""
        followed = frozenset[int]()
        while True:
            changed, sockets = self._changed, self.plan.sockets
            tokens = sockets[number] if number < len(sockets) else frozenset[int]()
            if tokens != followed:
                await line.follow(sorted(tokens - followed), sorted(followed - tokens))
                followed = tokens
            await changed.wait()

    def _trades(self) -> bool:
        """Whether there is an exchange whose prices should move now."""
        at, calendar = to_datetime(self._now_ms()), self._catalogue.calendar
        exchanges = {item.derivatives_exchange for item in self._catalogue.underlyings}
        return any(calendar.phase(exchange, at).is_open for exchange in exchanges)

    async def _keep_polling(self) -> None:
        """Ask for what has no place on a socket, in turn."""
        back_off, place = BackOff(self._chance), 0
        limits = self.broker.limits
        while True:
            session = await self._session()
            tokens = self.plan.polled
            if not tokens:
                self._well("polling")
                await asyncio.sleep(REPLAN_S)
                continue
            place = place if place < len(tokens) else 0
            some = tokens[place : place + limits.quotes_a_request]
            try:
                self._take(await self.broker.quotes(some))
            except BrokerError as error:
                await self._after("polling", error, back_off, session)
                continue
            back_off.well(self._monotonic())
            self._well("polling")
            place += len(some)
            await asyncio.sleep(limits.request_interval_s)

    async def _fill_missed(self, keep: KeepsMinutes) -> None:
        """Ask for the minutes of underlyings that were missed, span by span, as fast as the broker allows."""
        while True:
            await asyncio.sleep(REPLAN_S)
            span = self._missed.take(self._now_ms())
            if span is None:
                continue
            count = await self._fill(span, keep)
            self._well("history")
            self.filled += count
            if count:
                first, end = (to_datetime(at_ms).astimezone(IST) for at_ms in span)
                told = (self._title, count, f"{first:%d %b %H:%M}", f"{end:%H:%M}")
                logger.info("%s told %d minutes of underlyings that were missed from %s to %s", *told)

    async def _fill(self, span: Span, keep: KeepsMinutes) -> int:
        """The candles of a span, of every underlying that the broker lists; how many there were."""
        table, count = self.gather.table, 0
        waiting = deque(np.flatnonzero(table.tokens[: len(table.universe.underlyings)] != NO_TOKEN).tolist())
        while waiting:
            await self._session()
            try:
                minutes = await self.broker.minutes(int(table.tokens[waiting[0]]), *span)
            except BrokerError as error:
                logger.warning("minutes that were missed cannot be asked for: %s", error.message)
                if error.kind == ProblemKind.NOT_PERMITTED:
                    break
                await asyncio.sleep(error.wait_s or LIST_RETRY_S)
                continue
            if minutes is None:
                break
            symbol, minutes = table.universe.underlyings[waiting.popleft()].symbol, minutes.between(*span)
            if len(minutes):
                keep(symbol, minutes)
                count += len(minutes)
            await asyncio.sleep(self.broker.limits.history_interval_s)
        return count

    def _take(self, ticks: Ticks) -> None:
        if ticks.bad:
            self.bad += ticks.bad
            if "frame" not in self._told:
                self._told.add("frame")
                sample = ticks.sample[:SAMPLE_BYTES].hex()
                logger.warning("%s sent a frame that cannot be read; it begins with %s", self.name, sample)
        if len(ticks.tokens):
            self.gather.take(ticks, self._now_ms())

    async def _session(self) -> str:
        """Wait for a login that was not refused yet, and return what tells it from others."""
        while (session := self.broker.session()) in ("", self._refused):
            if not session:
                self._tell(
                    "session",
                    ProblemKind.LOGIN_REQUIRED,
                    f"{self._title} needs today's login: run `python server.py login`.",
                )
            await asyncio.sleep(LOOK_S)
        self._well("session")
        return session

    async def _after(self, name: str, error: BrokerError, back_off: BackOff, session: str) -> None:
        """Tell what went wrong and wait; what a login alone can mend waits for another one (``_session``)."""
        if error.kind in (ProblemKind.LOGIN_REQUIRED, ProblemKind.NOT_PERMITTED):
            if self.broker.session() == session:
                self._refused = session
                self._tell("session", error.kind, error.message)
            return
        self._tell(name, error.kind, error.message)
        await asyncio.sleep(error.wait_s or back_off.wait_s())

    def _tell(self, name: str, kind: ProblemKind, message: str) -> None:
        before = self._problems.get(name)
        if before is None or (before.kind, before.message) != (kind, message):
            self._problems[name] = Problem(kind, message, self._now_ms())
        if name != "list":
            # a line that fell silent was lost some time before that is known
            self._missed.lose(self._now_ms() - round(self.broker.limits.silence_s * 1000))

    def _well(self, name: str) -> None:
        self._problems.pop(name, None)
        lost_ms = self._missed.lost_ms
        if lost_ms is None or self._problems:
            return
        heard = [self._heard_ms[number] for number, tokens in enumerate(self.plan.sockets) if tokens]
        if heard and min(heard) >= lost_ms:
            self._missed.find(self._now_ms())
