"""The fan-out: the cycle that brings every client to the present, with one write per socket.

A client is written to only when its socket took everything before. While it did not, nothing is kept
for it but its position in each stream; when it drained it gets one merged delta from there.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from handlers.frames import Packet
from handlers.rooms import Client, Cohort, PacedRoom, Position, Room, Subscription

SLICE = 100  # sockets written to before the time is looked at: less than a millisecond
BREATH_S = 0.004  # how long a cycle may keep the loop: pings, REST and accepting wait no longer
FULL_INTERVAL_MS = 1000  # a client that replaces its whole state is served once a second
FAN_OUT_SAMPLES = 512


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
        client.socket.on_pending = client.fall_out

    def remove(self, sid: str) -> Client | None:
        """Forget a client and its subscriptions."""
        client = self.clients.pop(sid, None)
        if client is not None:
            for name in list(client.subscriptions):
                self.unsubscribe(client, name)
            self._lagging.pop(client, None)
            client.socket.on_poll = client.socket.on_pending = None
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
        subscription = Subscription(client, room, (stream.epoch, stream.seq))
        client.subscriptions[stream.name] = subscription
        room.subscriptions[client] = subscription
        self.rooms[room.key] = room
        if len(client.subscriptions) > 1:
            client.fall_out()
        self._let_march(client)
        return recovered

    def unsubscribe(self, client: Client, name: str) -> bool:
        """Take a client out of a stream; return whether it was in it."""
        subscription = client.subscriptions.pop(name, None)
        if subscription is None:
            return False
        subscription.end()
        client.owed.pop(name, None)
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

    async def tell_when_ready(self, name: str, packet: Packet, clients: Iterable[Client]) -> None:
        """Send a packet of a stream now, or with the next write to a client that is not ready for it.

        It goes out before any later state of the stream. Of several that wait the newest is kept.
        """
        ready = []
        for client in clients:
            if client.ready and not client.owed:
                ready.append(client)
            else:
                client.owed[name] = packet
                self._lag(client)
        await self.tell(packet, ready)

    async def _fan_out(self, room: Room, since: Position, several: dict[Client, None]) -> None:
        """Tell a room of a change: its cohorts at once, the others with whatever else they missed."""
        room.before = since
        marching = [cohort for cohort in room.cohorts if cohort.members]
        packet = room.packet(since) if marching else None
        counts = [cohort.begin() for cohort in marching]
        for cohort, count in zip(marching, counts, strict=True):
            assert packet is not None
            await self._march(cohort, count, packet)
        several.update(dict.fromkeys(subscription.client for subscription in room.others))

    async def _march(self, cohort: Cohort, count: int, packet: Packet) -> None:
        """Write one packet to everybody in line. All the CPU of the fan-out goes to this loop."""
        frame = packet.deflated if cohort.deflate else packet.frame
        length = len(frame)
        for start in range(0, count, SLICE):
            served, short = 0, []
            for subscription, send in cohort.rank(start, start + SLICE):
                served += 1
                try:
                    taken = send(frame)
                except OSError:
                    taken = 0
                if taken != length:
                    short.append((subscription, taken))
            cohort.reach(start + SLICE)
            self.statistics.messages += served - len(short)
            self.statistics.bytes += (served - len(short)) * len(packet.payload)
            for subscription, taken in short:
                self._fell_short(subscription, frame, taken)
            await self._breathe()
        cohort.end()

    def _fell_short(self, subscription: Subscription, frame: bytes, taken: int) -> None:
        """A socket did not take a whole frame: the rest of one begun is buffered, one not begun is missed."""
        client, link = subscription.client, subscription.client.socket.link
        subscription.place(subscription.room.told if taken else subscription.room.before)
        if link is None or link.stream.closed():
            return
        if taken:
            link.buffer(frame[taken:])
        else:
            self._lag(client)

    async def _breathe(self) -> None:
        """Let the loop do something else if the cycle has kept it for a while."""
        if self._monotonic() - self._breathed > BREATH_S:
            await asyncio.sleep(0)
            self._breathed = self._monotonic()

    def _serve(self, client: Client) -> None:
        """Write everything a client has missed, of all its streams, in one go."""
        if client.sid not in self.clients:
            return
        behind = [item for item in client.subscriptions.values() if item.behind]
        if not behind and not client.owed:
            self._caught_up(client)
            return
        if not client.ready:
            self._lag(client)
            return
        packets = [item.room.packet(item.position) for item in behind]
        if not client.offer([*client.owed.values(), *packets]):
            self._lag(client)
            return
        client.owed.clear()
        for item, packet in zip(behind, packets, strict=True):
            self._count(item, packet)
            item.place(item.room.target)
        self._caught_up(client)

    def _count(self, item: Subscription, packet: Packet) -> None:
        self.statistics.messages += 1
        self.statistics.bytes += len(packet.payload)
        if not item.room.stream.holds(*item.position):
            self.statistics.resyncs += not isinstance(item.room, PacedRoom)
        else:
            self.statistics.conflated += max(0, item.room.target[1] - item.position[1] - 1)

    async def _keep_alive(self, room: Room) -> None:
        room.idle_cycles += 1
        if room.idle_cycles >= self._heartbeat_cycles:
            room.idle_cycles = 0
            current = [item.client for item in room.subscriptions.values() if not item.behind]
            await self.tell_when_ready(room.stream.name, room.heartbeat(), current)

    def _lag(self, client: Client) -> None:
        if client.lagging_since is None:
            client.lagging_since = self._monotonic()
            self._lagging[client] = None

    def _caught_up(self, client: Client) -> None:
        if client.lagging_since is not None:
            client.lagging_since = None
            self._lagging.pop(client, None)
        self._let_march(client)

    def _let_march(self, client: Client) -> None:
        """Put a client that needs nothing of its own into its room's cohort."""
        link = client.marches
        if link is not None:
            for subscription in client.subscriptions.values():
                if subscription.cohort is None and subscription.position == subscription.room.told:
                    subscription.join(link)

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
