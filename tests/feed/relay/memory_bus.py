"""A bus in memory that keeps the rules of the one over Redis: for laws that need no network."""

from __future__ import annotations

import asyncio

from feed.relay.bus import BusError, BusFull, Fenced, RecordId, StreamLost


class MemoryBus:
    """A shared bus; ``is_down`` and ``is_full`` have it refuse, ``now_ms`` is its time."""

    def __init__(self, now_ms=1_000):
        self.records: list[tuple[RecordId, bytes]] | None = None
        self.images: dict[str, tuple[RecordId, bytes]] = {}
        self.holder: tuple[str, int, int] | None = None  # who, term, until
        self.now_ms = now_ms
        self.is_down = self.is_full = False
        self.top = RecordId(0, 0)
        self.last_term = 0
        self.arrived = asyncio.Event()
        self.loses_answers = 0  # of so many appends the answer is lost on the way

    def _check(self):
        if self.is_down:
            raise BusError("The bus cannot be reached.")

    async def append(self, at, record):
        """As ``Bus`` says."""
        self._check()
        if self.is_full:
            raise BusFull("The bus is full.")
        if self.records is None:
            if at.cycle != 1:
                raise StreamLost("The stream of records is gone from the bus.")
            self.records, self.top = [], RecordId(0, 0)
        if at <= self.top:
            if at != self.top:
                raise Fenced(f"The bus has record {self.top}.")
            return
        self.records.append((at, record))
        self.top = at
        self.arrived.set()
        if self.loses_answers:
            self.loses_answers -= 1
            raise BusError("The bus does not answer in time.")

    async def read(self, after, block_ms):
        """As ``Bus`` says; it waits for the next record, however long."""
        self._check()
        while not (found := [item for item in self.records or [] if item[0] > after]):
            self.arrived.clear()
            await self.arrived.wait()
            self._check()
        return found[:32]

    async def image(self, name):
        """As ``Bus`` says."""
        self._check()
        return self.images.get(name)

    async def put_image(self, name, at, image):
        """As ``Bus`` says."""
        self._check()
        if self.is_full:
            raise BusFull("The bus is full.")
        self.images[name] = at, image

    async def lease(self, holder, lifetime_ms, *, anew=False):
        """As ``Bus`` says."""
        self._check()
        before = 0
        if self.holder is not None and self.holder[2] > self.now_ms:
            who, term, _ = self.holder
            if who != holder:
                return None
            if not lifetime_ms:
                self.holder = None
                return None
            if not anew:
                self.holder = who, term, self.now_ms + lifetime_ms
                return term
            before = term
        if not lifetime_ms:
            return None
        self.now_ms += 1
        term = max(
            self.now_ms, before + 1, self.last_term + 1, self.top.term + 1 if self.records is not None else 0
        )
        self.last_term = term
        self.holder = holder, term, self.now_ms + lifetime_ms
        return term

    def lose_everything(self):
        """As a server without a disk that is started again."""
        self.records, self.images, self.holder = None, {}, None
        self.top, self.last_term = RecordId(0, 0), 0

    async def close(self):
        """Nothing is open."""
