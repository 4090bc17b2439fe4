"""The fan-out: rooms of subscribers, one packet for all of them, one write per socket.

A client is written to only when its socket took everything before. While it did not, nothing is kept
for it but its position in each stream; when it drained it gets one merged delta from there.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from engineio import packet as engineio_packet

from handlers.frames import Packet
from handlers.streams import ChainStream, Stream, SymbolStream, WholeStream
from handlers.transport import EngineSocket

logger = logging.getLogger(__name__)

SLICE = 100  # sockets written to before the time is looked at: less than a millisecond
BREATH_S = 0.004  # how long a cycle may keep the loop: pings, REST and accepting wait no longer
FULL_INTERVAL_MS = 1000  # a client that replaces its whole state is served once a second
FAN_OUT_SAMPLES = 512


Position = tuple[str, int]  # epoch and sequence number of a state
NOWHERE: Position = ("", -1)


class Room(ABC):
    """The subscribers of one stream who are sent the same bytes."""

    heartbeat_event: str

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.subscriptions: dict[Client, Subscription] = {}
        self.idle_cycles = 0
        self.told = NOWHERE  # the state that subscribers were last brought to
        self._packets: dict[Position, Packet] = {}
        self._packets_at = NOWHERE

    @abstractmethod
    def snapshot(self, reason: str | None = None) -> Packet:
        """The whole state."""

    @abstractmethod
    def merged(self, since: int) -> Packet:
        """The change since a state that the stream still knows."""

    @property
    def target(self) -> Position:
        """The state a subscriber should be in: ``told`` itself where it is that, for ``is`` to compare."""
        present = (self.stream.epoch, self.stream.seq)
        return self.told if self.told == present else present

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this room from others."""
        return (self.stream.name,)

    def describe(self) -> dict[str, Any]:
        """The subscription as a client sees it in ``list_subscriptions``."""
        return {"stream": self.stream.name, "epoch": self.stream.epoch, "seq": self.stream.seq}

    def advance(self) -> bool:
        """Come up to the market; return whether the subscribers are to be told."""
        self.stream.refresh()
        before, self.told = self.told, self.target
        return self.told is not before

    def packet(self, position: Position) -> Packet:
        """What brings a subscriber from a state to the present, made once for all who are there."""
        present = (self.stream.epoch, self.stream.seq)
        if self._packets_at != present:
            self._packets.clear()
            self._packets_at = present
        packet = self._packets.get(position)
        if packet is None:
            packet = self._packets[position] = self._make(*position)
        return packet

    def _make(self, epoch: str, since: int) -> Packet:
        if not self.stream.holds(epoch, since):
            return self.snapshot("resync")
        merged = self.merged(since)
        if self.stream.seq - since <= 1:
            return merged
        snapshot = self.snapshot("conflated")
        return merged if len(merged.payload) < len(snapshot.payload) else snapshot

    def heartbeat(self) -> Packet:
        """The packet of a stream at rest."""
        return Packet(self.heartbeat_event, self.stream.heartbeat())


class SymbolRoom(Room):
    """Subscribers of a symbol's quote."""

    stream: SymbolStream
    heartbeat_event = "symbol_update"

    def snapshot(self, reason: str | None = None) -> Packet:
        """The whole quote."""
        return Packet("symbol_update", self.stream.snapshot(reason))

    def merged(self, since: int) -> Packet:
        """The fields that changed."""
        return Packet("symbol_update", self.stream.delta(since))


class ChainRoom(Room):
    """Subscribers of a chain's changes within one window of strikes."""

    stream: ChainStream
    heartbeat_event = "option_chain_delta"
    mode = "delta"

    def __init__(self, stream: ChainStream, strikes: int | None) -> None:
        super().__init__(stream)
        self.strikes = strikes

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this room from others."""
        return (self.stream.name, self.mode, self.strikes)

    def describe(self) -> dict[str, Any]:
        """The subscription as a client sees it."""
        return {**super().describe(), "mode": self.mode, "strikes": self.strikes}

    def snapshot(self, reason: str | None = None) -> Packet:
        """The chain within the window."""
        return Packet("option_chain_data", self.stream.snapshot(self.strikes, reason))

    def merged(self, since: int) -> Packet:
        """The cells that changed within the window."""
        return Packet("option_chain_delta", self.stream.delta(since, self.strikes))


class _PacedRoom(Room):
    """A room that is told the whole state, at most once in ``every`` publish cycles."""

    stream: Any
    every: int
    event: str

    def __init__(self, stream: Any, every: int) -> None:
        super().__init__(stream)
        self.every = every
        self._cycles = every

    @property
    def target(self) -> Position:
        """The state a subscriber should be in: the one of the last turn."""
        return self.told

    def advance(self) -> bool:
        """Come up to the market once in a while."""
        self._cycles += 1
        if self._cycles < self.every:
            return False
        self.stream.refresh()
        present = (self.stream.epoch, self.stream.seq)
        if present == self.told:
            return False
        self.told, self._cycles = present, 0
        return True

    def _make(self, epoch: str, since: int) -> Packet:
        return self.merged(since)

    def heartbeat(self) -> Packet:
        """The state again: it is small, or its clients understand nothing else."""
        return self.merged(self.stream.seq)


class FullChainRoom(_PacedRoom):
    """Subscribers who replace their whole chain."""

    stream: ChainStream
    mode = "full"

    def __init__(self, stream: ChainStream, strikes: int | None, every: int) -> None:
        super().__init__(stream, every)
        self.strikes = strikes

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this room from others."""
        return (self.stream.name, self.mode, self.strikes)

    def describe(self) -> dict[str, Any]:
        """The subscription as a client sees it."""
        return {**super().describe(), "mode": self.mode, "strikes": self.strikes}

    def snapshot(self, reason: str | None = None) -> Packet:
        """The chain within the window."""
        return Packet("option_chain_data", self.stream.snapshot(self.strikes, reason))

    def merged(self, since: int) -> Packet:
        """The whole state: it is to replace the client's."""
        return Packet("option_chain_update", self.stream.whole(self.strikes))


class WholeRoom(_PacedRoom):
    """Subscribers of a dashboard or of a forming candle."""

    stream: WholeStream

    def __init__(self, stream: WholeStream, event: str, every: int) -> None:
        super().__init__(stream, every)
        self.event = event

    def snapshot(self, reason: str | None = None) -> Packet:
        """The whole state."""
        return Packet(self.event, self.stream.whole())

    def merged(self, since: int) -> Packet:
        """The whole state: it is to replace the client's."""
        return Packet(self.event, self.stream.whole())


class Subscription:
    """A client's position in a room: the state it was last told."""

    __slots__ = ("client", "position", "room")

    def __init__(self, client: Client, room: Room, position: Position) -> None:
        self.client = client
        self.room = room
        self.position = position

    @property
    def behind(self) -> bool:
        """Whether the stream has gone on."""
        return self.position != self.room.target


class Client:
    """One connected client: its socket, its subscriptions by stream, and since when it lags."""

    __slots__ = (
        "address",
        "allowance",
        "key_name",
        "lagging_since",
        "sid",
        "socket",
        "strikes",
        "subscriptions",
    )

    def __init__(self, sid: str, socket: EngineSocket, address: str) -> None:
        self.sid = sid
        self.socket = socket
        self.address = address
        self.key_name: str | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.lagging_since: float | None = None
        self.allowance: Any = None
        self.strikes = 0

    @property
    def ready(self) -> bool:
        """Whether what was sent before is gone."""
        link = self.socket.link
        if link is not None:
            return not link.writing()
        return self.socket.polled and not self.socket.upgrading

    def send(self, packet: Packet) -> None:
        """Write a packet whatever is pending: answers and snapshots the client asked for."""
        link = self.socket.link
        if link is not None:
            link.write_bytes(packet.deflated if link.deflate else packet.frame)
        else:
            self.socket.queue.put_nowait(_polling_packet(packet))

    def offer(self, packets: list[Packet]) -> bool:
        """Write packets in one go if the socket takes them now. Call it only when ``ready``."""
        link = self.socket.link
        if link is None:
            for packet in packets:
                self.socket.queue.put_nowait(_polling_packet(packet))
            self.socket.polled = False
            return True
        if len(packets) == 1:
            data = packets[0].deflated if link.deflate else packets[0].frame
        else:
            data = b"".join([packet.deflated if link.deflate else packet.frame for packet in packets])
        return link.offer(data) > 0


def _polling_packet(packet: Packet) -> engineio_packet.Packet:
    return engineio_packet.Packet(engineio_packet.MESSAGE, data=packet.payload[1:].decode())


class FanOutStatistics:
    """What went out, counted."""

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0
        self.conflated = 0
        self.resyncs = 0
        self.slow_disconnects = 0
        self.cycles_ms: deque[float] = deque(maxlen=FAN_OUT_SAMPLES)

    def percentile(self, share: float) -> float | None:
        """Time of a publish cycle in milliseconds at a percentile; None before the first."""
        return float(np.percentile(self.cycles_ms, share)) if self.cycles_ms else None


class Broadcaster:
    """Rooms and clients, and the cycle that brings every client to the present."""

    def __init__(
        self,
        *,
        publish_interval_ms: int,
        heartbeat_s: float,
        slow_client_timeout_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rooms: dict[tuple[Any, ...], Room] = {}
        self.clients: dict[str, Client] = {}
        self.statistics = FanOutStatistics()
        self.full_every = max(1, math.ceil(FULL_INTERVAL_MS / publish_interval_ms))
        self._heartbeat_cycles = max(1, round(heartbeat_s * 1000 / publish_interval_ms))
        self._slow_client_timeout_s = slow_client_timeout_s
        self._monotonic = monotonic
        self._lagging: dict[Client, None] = {}
        self._breathed = monotonic()

    def add(self, client: Client) -> None:
        """Begin to serve a connected client."""
        self.clients[client.sid] = client
        client.socket.on_poll = lambda: self._serve(client)

    def remove(self, sid: str) -> Client | None:
        """Forget a client and its subscriptions."""
        client = self.clients.pop(sid, None)
        if client is not None:
            for name in list(client.subscriptions):
                self.unsubscribe(client, name)
            self._lagging.pop(client, None)
            client.socket.on_poll = None
        return client

    def room(self, room: Room) -> Room:
        """The room of that key: the one that exists, or this one."""
        return self.rooms.setdefault(room.key, room)

    def subscribe(self, client: Client, room: Room, epoch: str | None = None, seq: int = -1) -> bool:
        """Bring a client to the room's present state and keep it there from now on.

        With an ``epoch`` and ``seq`` it gets what it missed since then if that is still known; the answer
        says whether it was. The packet is written before the client joins, so no delta can overtake it.
        """
        self.unsubscribe(client, room.stream.name)
        stream = room.stream
        stream.refresh()
        if not room.subscriptions:
            room.told = (stream.epoch, stream.seq)
        recovered = epoch is not None and stream.holds(epoch, seq)
        if not recovered:
            client.send(room.snapshot())
        elif seq != stream.seq:
            client.send(room.merged(seq))
        present = (stream.epoch, stream.seq)
        subscription = Subscription(client, room, room.told if room.told == present else present)
        client.subscriptions[stream.name] = subscription
        room.subscriptions[client] = subscription
        self.rooms[room.key] = room
        return recovered

    def unsubscribe(self, client: Client, name: str) -> bool:
        """Take a client out of a stream; return whether it was in it."""
        subscription = client.subscriptions.pop(name, None)
        if subscription is None:
            return False
        subscription.position = NOWHERE  # a cycle that is under way must not take it for current
        room = subscription.room
        room.subscriptions.pop(client, None)
        if not room.subscriptions:
            self.rooms.pop(room.key, None)
        return True

    async def publish(self) -> None:
        """One cycle: advance every room, then write once to each client that has something new."""
        started = self._breathed = self._monotonic()
        several: dict[Client, None] = dict(self._lagging)
        for room in list(self.rooms.values()):
            since = room.told
            if room.advance():
                room.idle_cycles = 0
                await self._fan_out(room, since, several)
            else:
                await self._keep_alive(room)
        for clients in _slices(list(several)):
            for client in clients:
                self._serve(client)
            await self._breathe()
        self._disconnect_slow()
        self.statistics.cycles_ms.append((self._monotonic() - started) * 1000)

    async def tell(self, packet: Packet, clients: Iterable[Client] | None = None) -> None:
        """Send a packet to clients, by default to everybody who is connected."""
        for some in _slices(list(self.clients.values() if clients is None else clients)):
            for client in some:
                client.send(packet)
            self.statistics.messages += len(some)
            self.statistics.bytes += len(some) * len(packet.payload)
            await self._breathe()

    async def _fan_out(self, room: Room, since: Position, several: dict[Client, None]) -> None:
        """Write the common packet to those who follow this stream alone and are up to date.

        This is the loop that all the CPU goes to: for most clients it is one comparison, one check that
        nothing is pending, and one ``send``.
        """
        packet, present = room.packet(since), room.target
        size = len(packet.payload)
        for subscriptions in _slices(list(room.subscriptions.values())):
            served = 0
            for subscription in subscriptions:
                client = subscription.client
                if subscription.position is not since or len(client.subscriptions) != 1:
                    several[client] = None
                    continue
                link = client.socket.link
                if link is None:
                    several[client] = None
                elif not link.writing() and link.offer(packet.deflated if link.deflate else packet.frame):
                    subscription.position = present
                    served += 1
                else:
                    self._lag(client)
            self.statistics.messages += served
            self.statistics.bytes += served * size
            await self._breathe()

    async def _breathe(self) -> None:
        """Let the loop do something else if the cycle has kept it for a while."""
        if self._monotonic() - self._breathed > BREATH_S:
            await asyncio.sleep(0)
            self._breathed = self._monotonic()

    def _serve(self, client: Client) -> None:
        """Write everything a client has missed, of all its streams, in one go."""
        behind = [item for item in client.subscriptions.values() if item.behind]
        if client.sid not in self.clients:
            return
        if not behind:
            self._caught_up(client)
            return
        if not client.ready:
            self._lag(client)
            return
        packets = [item.room.packet(item.position) for item in behind]
        if not client.offer(packets):
            self._lag(client)
            return
        for item, packet in zip(behind, packets, strict=True):
            self._count(item, packet)
            item.position = item.room.target
        self._caught_up(client)

    def _count(self, item: Subscription, packet: Packet) -> None:
        self.statistics.messages += 1
        self.statistics.bytes += len(packet.payload)
        if not item.room.stream.holds(*item.position):
            self.statistics.resyncs += not isinstance(item.room, _PacedRoom)
        else:
            self.statistics.conflated += max(0, item.room.target[1] - item.position[1] - 1)

    async def _keep_alive(self, room: Room) -> None:
        room.idle_cycles += 1
        if room.idle_cycles >= self._heartbeat_cycles:
            room.idle_cycles = 0
            current = [item.client for item in room.subscriptions.values() if not item.behind]
            await self.tell(room.heartbeat(), [client for client in current if client.ready])

    def _lag(self, client: Client) -> None:
        if client.lagging_since is None:
            client.lagging_since = self._monotonic()
            self._lagging[client] = None

    def _caught_up(self, client: Client) -> None:
        if client.lagging_since is not None:
            client.lagging_since = None
            self._lagging.pop(client, None)

    def _disconnect_slow(self) -> None:
        """Close the transport of clients that took nothing for too long, so that they may come back."""
        limit = self._monotonic() - self._slow_client_timeout_s
        for client in list(self._lagging):
            if client.lagging_since is not None and client.lagging_since < limit:
                self._lagging.pop(client)
                self.statistics.slow_disconnects += 1
                why = "it did not read what it subscribed to"
                client.socket.server.refuse(client.socket, why, "slow")


def _slices(items: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
