"""The bus between a feed and its edges: five methods, and Redis Streams behind them.

Records stand in a stream under identifiers of ours, ``TERM-CYCLE``: Redis refuses one that is not greater
than all before it, which fences off a leader of an older term, guards against duplicates, and shows gaps.
Images are keys. This is the only module that knows Redis.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

logger = logging.getLogger(__name__)

KEY_PREFIX = "md"
SOCKET_TIMEOUT_S = 2.0  # above the longest blocking read
MOST_RECORDS = 32  # taken in one read

# Takes the lease, extends it if the same holder has it (with 1 as the third word under another term), or
# with a lifetime of 0 gives it back. A term is the bus's own time, and more than any before it, so that it
# survives the loss of all data.
_LEASE = """
local before = 0
local held = redis.call('GET', KEYS[1])
if held then
  local holder, term = string.match(held, '^(.*) (%d+)$')
  if holder ~= ARGV[1] then return false end
  if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) return false end
  if ARGV[3] ~= '1' then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return term
  end
  before = tonumber(term)
end
if ARGV[2] == '0' then return false end
local now = redis.call('TIME')
local term = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local facts = redis.pcall('XINFO', 'STREAM', KEYS[2])
if facts.err == nil then
  for i = 1, #facts, 2 do
    if facts[i] == 'last-generated-id' then
      local last = tonumber(string.match(facts[i + 1], '^(%d+)'))
      if last > before then before = last end
    end
  end
end
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
if last > before then before = last end
if before >= term then term = before + 1 end
local text = string.format('%.0f', term)
redis.call('SET', KEYS[3], text)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. text, 'PX', ARGV[2])
return text
"""


class BusError(Exception):
    """The bus does not do what it is asked, for now; the message is a sentence for the operator."""


class BusFull(BusError):
    """The bus takes nothing more."""


class StreamLost(BusError):
    """The stream is gone, with all that stood in it."""


class Fenced(Exception):
    """Another leads: the bus has records of a greater term."""


class NoRedis(Exception):
    """The package is not installed."""


@dataclass(frozen=True, slots=True, order=True)
class RecordId:
    """The place of a record: which leadership, and which of its records, counted from 1."""

    term: int
    cycle: int

    def __str__(self) -> str:
        return f"{self.term}-{self.cycle}"

    @classmethod
    def parse(cls, text: str) -> RecordId:
        """Out of its text. Raises ValueError."""
        term, _, cycle = text.partition("-")
        return cls(int(term), int(cycle))

    def follows(self, other: RecordId) -> bool:
        """Whether nothing lies between them."""
        return self.term == other.term and self.cycle == other.cycle + 1


class Bus(Protocol):
    """What a relay needs of whatever carries it. Every method may raise BusError."""

    async def append(self, at: RecordId, record: bytes) -> None:
        """Add a record. Raises Fenced where there is one of a greater term, StreamLost, BusFull."""
        ...

    async def read(self, after: RecordId, block_ms: int) -> list[tuple[RecordId, bytes]]:
        """The next records after one, in order; waits for the first. Empty where none came."""
        ...

    async def image(self, name: str) -> tuple[RecordId, bytes] | None:
        """An image, and the record whose state it is."""
        ...

    async def put_image(self, name: str, at: RecordId, image: bytes) -> None:
        """Keep an image in place of the one before."""
        ...

    async def lease(self, holder: str, lifetime_ms: int, *, anew: bool = False) -> int | None:
        """Take or extend the right to lead; the term, or None where another has it.

        With ``anew`` the term is another one though the right was held; a lifetime of 0 gives it back.
        """
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


async def ended(*tasks: asyncio.Task[None] | None) -> None:
    """Have tasks end that may wait for a bus: redis-py swallows a cancellation now and then."""
    running = {task for task in tasks if task is not None}
    while running:
        for task in running:
            task.cancel()
        done, running = await asyncio.wait(running, timeout=0.1)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("a part of the relay had failed", exc_info=error)


class RedisBus:
    """A bus over one Redis or Valkey; ``keep`` is how many records stay in the stream. Raises NoRedis."""

    def __init__(self, url: str, name: str, *, keep: int) -> None:
        try:
            import redis.asyncio as client
            from redis import exceptions
        except ModuleNotFoundError as error:
            raise NoRedis(
                "server.role needs the package redis: pip install 'indian-options-server[redis]', "
                "or pip install redis."
            ) from error
        self._errors = exceptions
        self._keep = keep
        # braces keep the keys on one node of a cluster
        stem = f"{KEY_PREFIX}:{{{name}}}"
        self._cycles, self._images = f"{stem}:cycles", f"{stem}:"
        self._lease_keys = f"{stem}:lease", self._cycles, f"{stem}:term"
        # A lost answer is looked into, never retried blindly. A blocked read serves nobody else.
        options: dict[str, Any] = {
            "protocol": 3,
            "retry": None,
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": SOCKET_TIMEOUT_S,
        }
        self._writing: Any  # typed by redis as whatever any of its modes may answer
        self._reading: Any
        try:
            self._writing = client.Redis.from_url(url, **options)
            self._reading = client.Redis.from_url(url, **options)
        except ValueError as error:
            raise BusError(f"relay.url is no URL of a Redis: {error}.") from None

    async def append(self, at: RecordId, record: bytes) -> None:
        """Add a record, once however often it is tried. See ``Bus``."""
        try:
            added = await self._writing.xadd(
                self._cycles,
                {"r": record},
                id=str(at),
                maxlen=self._keep,
                approximate=True,
                nomkstream=at.cycle != 1,
            )
        except self._errors.OutOfMemoryError:
            raise BusFull("The bus is full: it has reached its maxmemory.") from None
        except self._errors.ReadOnlyError:
            raise BusError("The bus is a replica now, which takes no records.") from None
        except self._errors.ResponseError as error:
            if "equal or smaller" not in str(error):
                raise self._sentence(error) from None
            await self._look_who(at)
            return
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None
        if added is None:
            raise StreamLost("The stream of records is gone from the bus.")

    async def _look_who(self, at: RecordId) -> None:
        """A refused identifier: mine, whose answer was lost, or of another leader. Raises Fenced."""
        try:
            facts = await self._writing.xinfo_stream(self._cycles)
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None
        top = RecordId.parse(facts["last-generated-id"].decode())
        if top != at:
            raise Fenced(f"The bus has record {top}, so {at} is of a leader that was replaced.")

    async def read(self, after: RecordId, block_ms: int) -> list[tuple[RecordId, bytes]]:
        """The next records. See ``Bus``."""
        try:
            found = await self._reading.xread(
                {self._cycles: str(after)}, count=MOST_RECORDS, block=block_ms or None
            )
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None
        batches = found.get(self._cycles.encode(), []) if found else []
        return [
            (RecordId.parse(at.decode()), fields.get(b"r", b"")) for batch in batches for at, fields in batch
        ]

    async def image(self, name: str) -> tuple[RecordId, bytes] | None:
        """An image. See ``Bus``."""
        try:
            found = await self._writing.get(self._images + name)
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None
        if found is None:
            return None
        at, _, image = found.partition(b"\n")
        try:
            return RecordId.parse(at.decode()), image
        except ValueError:
            raise BusError(f"What the bus has as {name} is no image.") from None

    async def put_image(self, name: str, at: RecordId, image: bytes) -> None:
        """Keep an image. See ``Bus``."""
        try:
            await self._writing.set(self._images + name, f"{at}\n".encode() + image)
        except self._errors.OutOfMemoryError:
            raise BusFull("The bus is full: it has reached its maxmemory.") from None
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None

    async def lease(self, holder: str, lifetime_ms: int, *, anew: bool = False) -> int | None:
        """The right to lead. See ``Bus``."""
        words = holder, str(lifetime_ms), str(int(anew))
        try:
            term = await self._writing.eval(_LEASE, len(self._lease_keys), *self._lease_keys, *words)
        except (self._errors.RedisError, OSError) as error:
            raise self._sentence(error) from None
        return None if term is None else int(term)

    async def close(self) -> None:
        """Hang up."""
        await self._writing.aclose()
        await self._reading.aclose()

    def _sentence(self, error: Exception) -> BusError:
        """What went wrong, without an address or a password."""
        if isinstance(error, self._errors.AuthenticationError | self._errors.NoPermissionError):
            return BusError("The bus refuses the user or password of relay.url.")
        if isinstance(error, self._errors.TimeoutError):
            return BusError("The bus does not answer in time.")
        if isinstance(error, self._errors.ConnectionError | OSError):
            return BusError("The bus cannot be reached.")
        return BusError(f"The bus answers with an error ({type(error).__name__}).")
