"""The feed's side: a record of every step onto the bus, an image now and then, for as long as it leads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from feed.history.history import History
from feed.market.market import Market
from feed.market.source import Update
from feed.market.watchdog import FeedState
from feed.relay.bus import Bus, BusError, Fenced, RecordId, StreamLost, ended
from feed.relay.follower import IMAGE, PAST
from feed.relay.records import Encoder, Facts, Header, MinuteSoFar, Past, PastOfSymbol, pack_past

QUEUE_LIMIT = 40  # records that wait for the bus, twenty seconds: after that an image is worth more
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
STOP_S = 1.0  # for what waits at the end
RENEWALS = 3  # in the life of a lease

logger = logging.getLogger(__name__)


class StoredVolatilities(Protocol):
    """What is stored of volatilities past, and how often it was read again."""

    version: int

    def stored(self, symbol: str) -> Mapping[date, float]:
        """Those that are stored."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a header says beside the market."""

    state: FeedState
    scenario: str | None
    is_virtual: bool
    step_ms: float


@dataclass(frozen=True, slots=True)
class _Item:
    """What waits for the bus: a record, or an image that goes under a name."""

    at: RecordId
    data: bytes
    name: str = ""


class Leadership:
    """The right to publish: a term that is held while its lease is renewed in time.

    ``holder`` names this process. Two may think that they lead for as long as a lease: the bus takes
    records of the later one only.
    """

    def __init__(
        self, bus: Bus, holder: str, lease_ms: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.term: int | None = None
        self.lease_ms = lease_ms
        self._bus = bus
        self._holder = holder
        self._monotonic = monotonic
        self._renewed_s = 0.0

    @property
    def every_s(self) -> float:
        """How often it is to be renewed."""
        return self.lease_ms / RENEWALS / 1000

    @property
    def is_overdue(self) -> bool:
        """Whether another may lead by now."""
        return self._monotonic() - self._renewed_s > self.lease_ms / 1000

    async def renew(self, *, anew: bool = False) -> bool:
        """Take or keep the right; False where another has it. Raises BusError.

        With ``anew`` under another term, even where it is held.
        """
        began_s = self._monotonic()
        term = await self._bus.lease(self._holder, self.lease_ms, anew=anew)
        if term is not None:
            self._renewed_s, self.term = began_s, term
        return term is not None

    async def give_back(self) -> None:
        """Let another lead at once."""
        self.term = None
        await self._bus.lease(self._holder, 0)


class Publisher:
    """Packs states as a ticker takes them, and sends them; never waits on the loop of the market.

    ``told`` gives what the header of a record says. While the bus takes nothing, nothing is packed; then it
    begins anew with an image. ``deposed`` is set once another leads.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        bus: Bus,
        leadership: Leadership,
        market: Market,
        history: History,
        volatilities: StoredVolatilities,
        told: Callable[[], Told],
        *,
        facts: Facts,
        image_every: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        assert leadership.term is not None
        self.deposed = asyncio.Event()
        self.on_term: Callable[[int], None] = lambda _term: None  # told of a term that is another one
        self.problem = ""
        self.records = 0
        self.bytes = 0
        self.dropped = 0
        self.pack_s: deque[float] = deque(maxlen=256)
        self.leadership = leadership
        self._bus = bus
        self._market = market
        self._history = history
        self._volatilities = volatilities
        self._told = told
        self.facts = facts
        self._image_every = image_every
        self._monotonic = monotonic
        self._encoder = Encoder()
        self.queue: deque[_Item] = deque()
        self._wake, self._sent = asyncio.Event(), asyncio.Event()
        self._is_lost = False  # whether the stream is gone: edges would not see its numbers again
        self._term, self._cycle = leadership.term, 0
        self._is_open = True
        self.wants_image = True
        self._epoch = ""
        self._latest: Update | None = market.latest
        self._minute_ms = -1
        self._past_version = ""
        self._pasts = 0
        self._known_volatilities = (-1, -1)
        self.packing: asyncio.Task[None] | None = None
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send, and to renew the lease."""
        self.tasks = [asyncio.create_task(self.send()), asyncio.create_task(self._renew())]

    async def stop(self) -> None:
        """Send what waits, let another lead, hang up."""
        if not self.deposed.is_set() and self._is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._sent.wait()
        await ended(*self.tasks, self.packing)
        try:
            if not self.deposed.is_set():
                await self.leadership.give_back()
        except BusError as error:
            logger.info("the lease was not given back: %s", error)
        await self._bus.close()

    @property
    def queue_length(self) -> int:
        """Records that wait for the bus."""
        return len(self.queue)

    @property
    def is_leading(self) -> bool:
        """Whether what is packed may be sent."""
        return self._is_open and not self.deposed.is_set()

    @property
    def term(self) -> int:
        """The term that records are of."""
        return self._term

    def on_state(self, at_ms: int, is_published: bool) -> None:
        """Take a state of the market; see ``feed.market.ticker.Ticker.on_state``."""
        if not self.is_leading:
            self.wants_image = True
            self.dropped += 1
            return
        if len(self.queue) >= QUEUE_LIMIT:
            self._close("The bus takes records more slowly than the market makes them.")
            return
        began_s = self._monotonic()
        is_new = self.wants_image or self._epoch != self._market.epoch
        if is_new and not is_published:
            return
        self._follow_past(at_ms, is_new)
        header = self._header(at_ms, is_published)
        latest = self._market.latest if self._market.latest is not self._latest else None
        self._latest, self._epoch = self._market.latest, self._market.epoch
        if is_new or not self._encoder.knows(self._market):
            image = self._image(header)
            self._encoder.remember(self._market)
            at = self._put(image)
            if is_new:
                self.queue.append(_Item(at, image, IMAGE))
            self.wants_image = False
        else:
            at = self._put(self._encoder.delta(self._market, header, latest))
            if is_published and at.cycle % self._image_every == 0:
                self.queue.append(_Item(at, self._image(header), IMAGE))
        self.pack_s.append(self._monotonic() - began_s)
        self._sent.clear()
        self._wake.set()

    def _put(self, record: bytes) -> RecordId:
        self._cycle += 1
        at = RecordId(self._term, self._cycle)
        self.queue.append(_Item(at, record))
        return at

    def _header(self, at_ms: int, is_published: bool) -> Header:
        market, told = self._market, self._told()
        return Header(
            at_ms,
            market.last_input_ms,
            market.epoch,
            market.source,
            told.state,
            told.scenario,
            is_published,
            told.is_virtual,
            told.step_ms,
            self._history.unstored_ms(),
            self._past_version,
        )

    def _image(self, header: Header) -> bytes:
        minute_ms, underlyings, contracts = self._history.recorder.so_far()
        days = self._history.recorder.running.day_columns()
        facts = replace(
            self.facts,
            interest_rate=self._market.interest_rate,
            stale_after_ms=self._market.stale_after_ms,
        )
        return self._encoder.image(
            self._market, header, facts, MinuteSoFar(minute_ms, underlyings, contracts, *days)
        )

    def _follow_past(self, at_ms: int, is_new: bool) -> None:
        """Have the past packed at the turn of a minute, and told at once where a session ended."""
        minute_ms = self._history.recorder.minute_ms
        version = self._volatilities.version, self._history.sessions.source_version
        is_read_again = version != self._known_volatilities
        if not is_new and not is_read_again and minute_ms == self._minute_ms:
            return
        if is_new or is_read_again:
            self._pasts += 1
            self._past_version = str(RecordId(self._term, self._pasts))
        self._known_volatilities, self._minute_ms = version, minute_ms
        past = self._past(at_ms, minute_ms)
        if is_read_again and not is_new:
            # once a day, and in order: from here on ranks are others
            self._put(pack_past(past.without_minutes()))
        self.packing = asyncio.create_task(self._put_past(past, RecordId(self._term, self._cycle)))

    def _past(self, at_ms: int, minute_ms: int) -> Past:
        recorder, sessions = self._history.recorder, self._history.sessions
        of_row = [
            PastOfSymbol(
                *recorder.known(row, at_ms),
                sessions.source_volatilities(symbol),
                self._volatilities.stored(symbol),
            )
            for symbol, row in recorder.row_of.items()
        ]
        return Past(self._past_version, minute_ms, of_row)

    async def _put_past(self, past: Past, at: RecordId) -> None:
        """Pack it on another thread: it is a megabyte of candles."""
        data = await asyncio.get_running_loop().run_in_executor(None, pack_past, past)
        self.queue.append(_Item(at, data, PAST))
        self._wake.set()

    async def send(self) -> None:
        """Send what is queued, for ever."""
        while True:
            if not self.queue or not self._is_open:
                self._sent.set()
                self._wake.clear()
                await self._wake.wait()
                continue
            item = self.queue[0]
            try:
                if item.name:
                    await self._bus.put_image(item.name, item.at, item.data)
                else:
                    await self._bus.append(item.at, item.data)
                    self.records += 1
                    self.bytes += len(item.data)
            except Fenced as error:
                self._depose(str(error))
                return
            except StreamLost as error:
                self._is_lost = True
                self._close(str(error))
            except BusError as error:
                self._close(str(error))
            else:
                if self.queue and self.queue[0] is item:
                    self.queue.popleft()

    async def _renew(self) -> None:
        """Keep the lease; after the bus was away lead anew, with a term of its own and an image."""
        pause_s = FIRST_PAUSE_S
        while not self.deposed.is_set():
            await asyncio.sleep(self.leadership.every_s if self._is_open else pause_s)
            try:
                is_held = await self.leadership.renew(anew=self._is_lost)
            except BusError as error:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                if self.leadership.is_overdue:
                    self._close(str(error))
                continue
            if not is_held:
                self._depose("Another process holds the lease.")
                return
            if not self._is_open or self.leadership.term != self._term:
                self.begin_again()
            pause_s = FIRST_PAUSE_S

    def begin_again(self) -> None:
        """Go on with an image, under the term that is held now."""
        assert self.leadership.term is not None
        if self.leadership.term != self._term:
            self._term, self._cycle = self.leadership.term, 0
            self.on_term(self._term)
        self.queue.clear()
        self._is_lost = False
        self.wants_image = self._is_open = True
        if self.problem:
            logger.warning("the bus takes records again: term %d goes on with an image", self._term)
        self.problem = ""
        self._wake.set()

    def _close(self, why: str) -> None:
        """Drop what waits; the market goes on, and so does its recording."""
        if self._is_open:
            logger.warning("nothing is published to edges: %s", why)
        self._is_open = False
        self.problem = why
        self.dropped += len(self.queue)
        self.queue.clear()

    def _depose(self, why: str) -> None:
        logger.error("this feed leads no more: %s", why)
        self._close(why)
        self.deposed.set()
