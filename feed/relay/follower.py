"""Reads a bus: an image, then every record after it, in order and without a gap; or another image."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from domain.market import Problem, ProblemKind
from feed.reference.instruments import Underlying
from feed.relay.bus import MOST_RECORDS, Bus, BusError, RecordId
from feed.relay.codec import RecordError, Unpacker
from feed.relay.records import Header, Image, Past, RecordKind, kind_of, read_image, read_past

IMAGE, PAST = "image", "past"  # names of what is kept beside the stream
BLOCK_MS = 1000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
LOOK_AGAIN_S = 0.1
MOST_WAITING = 256  # records that nobody took: whoever is so far behind is better off with an image

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A record that is next, or an image with the past that belongs to it.

    ``is_jump``: it does not follow from what was received before. A delta stays packed, since it can be read
    beside the state before it alone; a past alone replaces the volatilities that are known.
    """

    id: RecordId
    header: Header | None
    delta: Unpacker | None = None
    image: Image | None = None
    past: Past | None = None
    is_jump: bool = False


class Follower:
    """Receives what a feed publishes, for as long as ``run`` runs.

    ``received`` is taken from by whoever holds the market. ``problem`` is what is in the way, if anything;
    ``heard_s`` is when the latest record came, by the monotonic clock.
    """

    def __init__(
        self,
        bus: Bus,
        underlyings: Iterable[Underlying],
        *,
        now_ms: Callable[[], int],
        chance: random.Random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received: deque[Received] = deque()
        self.on_received: Callable[[], None] = lambda: None
        self.problem: Problem | None = None
        self.heard_s = monotonic()
        self.at: RecordId | None = None
        self.is_current = False  # whether all that was published since the latest jump is read
        self.gaps: Counter[str] = Counter()  # by cause
        self.images = 0
        self.records = 0
        self.bytes = 0
        self._bus = bus
        self._known = {underlying.symbol: underlying for underlying in underlyings}
        self._now_ms = now_ms
        self._chance = chance
        self._monotonic = monotonic
        self._failures = 0
        self._cause = "start"
        self._epoch = ""
        self._count = 0  # of the underlyings that the feed serves

    @property
    def waits_for_image(self) -> bool:
        """Whether what came last cannot be gone on from."""
        return bool(self._cause)

    async def run(self) -> None:
        """Follow until it is cancelled; whatever is in the way is told and tried again."""
        while True:
            try:
                if self._cause:
                    await self._join()
                else:
                    await self._read()
                self._failures = 0
            except BusError as error:
                self._tell(ProblemKind.DISCONNECTED, str(error))
                await self._pause()
            except RecordError as error:
                # one's own version is asked for again and again: an update of the feed ends it
                self._tell(ProblemKind.PROTOCOL, str(error))
                self.miss("version" if error.version is not None else "damaged")
                await self._pause()

    def miss(self, cause: str) -> None:
        """What comes next cannot be applied: go on from an image."""
        self.received.clear()
        if not self._cause:
            self.gaps[cause] += 1
            logger.warning("a gap in the records after %s (%s): an image is waited for", self.at, cause)
        self._cause = cause

    async def _join(self) -> None:
        """Take over the newest image that is newer than what there was, and go on from it."""
        found = await self._bus.image(IMAGE)
        if found is None or (self.at is not None and found[0] <= self.at and self._cause != "start"):
            self._tell(ProblemKind.DISCONNECTED, "There is no image of the market on the bus yet.")
            await asyncio.sleep(LOOK_AGAIN_S)
            return
        image = self._image(Unpacker(found[1]))
        past = await self._past_of(image)
        if past is None:  # the feed has just begun a minute, and is about to say so
            await asyncio.sleep(LOOK_AGAIN_S)
            return
        self._cause, self.is_current = "", False
        self._take(Received(found[0], image.header, image=image, past=past, is_jump=True), len(found[1]))
        self.images += 1

    def _image(self, unpacker: Unpacker) -> Image:
        image = read_image(unpacker, self._known)
        self._count = len(image.facts.symbols)
        return image

    async def _past_of(self, image: Image) -> Past | None:
        """The past as of an image's minute, if it is on the bus already. Raises RecordError."""
        found = await self._bus.image(PAST)
        if found is None:
            return None
        past = read_past(Unpacker(found[1]), self._count)
        # a later one serves too: what it has of minutes after the image is left out
        is_as_new = RecordId.parse(past.version) >= RecordId.parse(image.header.past)
        return past if is_as_new and past.minute_ms >= image.minute.start_ms else None

    async def _read(self) -> None:
        """Take the next records; where one does not follow, an image is needed."""
        assert self.at is not None
        found = await self._bus.read(self.at, BLOCK_MS)
        self.is_current |= len(found) < MOST_RECORDS
        for record_id, record in found:
            unpacker = Unpacker(record)
            follows = record_id.follows(self.at)
            kind = kind_of(unpacker)
            if kind == RecordKind.IMAGE:
                image = self._image(unpacker)
                is_same = follows and self._epoch == image.header.epoch
                past = None if is_same else await self._past_of(image)
                if past is None and not is_same:  # the feed puts it there with the image
                    await asyncio.sleep(LOOK_AGAIN_S)
                    return
                received = Received(record_id, image.header, image=image, past=past, is_jump=not is_same)
            elif not follows:
                self.miss("term" if record_id.term != self.at.term else "missing")
                return
            elif kind == RecordKind.PAST:
                received = Received(record_id, None, past=read_past(unpacker, self._count))
            else:
                received = Received(record_id, Header.load(unpacker.header), delta=unpacker)
            self._take(received, len(record))
        self.on_received()

    def _take(self, received: Received, size: int) -> None:
        if len(self.received) >= MOST_WAITING:
            self.miss("behind")
            return
        self.at = received.id
        if received.header is not None:
            self._epoch = received.header.epoch
        self.heard_s = self._monotonic()
        self.records += 1
        self.bytes += size
        self._tell(None)
        self.received.append(received)
        self.on_received()

    def _tell(self, kind: ProblemKind | None, message: str = "") -> None:
        if kind is None:
            if self.problem is not None:
                logger.info("the bus is followed again, from record %s on", self.at)
            self.problem = None
        elif self.problem is None or self.problem.message != message:
            logger.warning("the bus cannot be followed: %s", message)
            self.problem = Problem(kind, message, self._now_ms())

    async def _pause(self) -> None:
        self._failures += 1
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10))
        await asyncio.sleep(longest_s * self._chance.uniform(0.5, 1.0))
