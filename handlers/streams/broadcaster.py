"""The fan-out: the cycle that brings every client to the present, with one write per socket.

A client is written to only when its socket took everything before. While it did not, nothing is kept
for it but its position in each stream; when it drained it gets one merged delta from there.

A room whose stream cannot be told, and a client that cannot be written to, are left out and nobody else is:
the room's subscribers are told that it failed, and it is tried again, ever more rarely.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any

import numpy as np

from domain.errors import ErrorCode
from domain.streams import StreamName
from feed.market.guard import Guard
from handlers.monitoring.pulse import Pulse
from handlers.streams.pacing import Pacing
from handlers.streams.rooms import (
    ASKED,
    NOWHERE,
    ROLLED,
    Client,
    InSyncGroup,
    PacedRoom,
    Position,
    Room,
    Subscription,
)
from handlers.transport.frames import Packet
from schemas.wire import encode

SLICE = 100  # sockets written to before the time is looked at: less than a millisecond
MAX_TURN_S = 0.004  # how long a cycle may keep the loop: pings, REST and accepting wait no longer
MAX_PORTION_BYTES = 2**18  # written in one go of all that a client missed: as much may have to wait in memory
FULL_INTERVAL_MS = 1000  # a client that replaces its whole state is served once a second
FAN_OUT_SAMPLES = 512
MOST_CYCLES = 64  # between two tries of a stream that fails: half a minute at the default

Prepare = Callable[[list[Room]], Awaitable[None]]


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
        guard: Guard | None = None,
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
        self._turn_began_s = monotonic()
        self._guard = guard or Guard(monotonic)
        self.pacing = Pacing(publish_interval_ms / 1000)
        self.pulse = Pulse(
            heartbeat_s=heartbeat_s, publish_interval_s=publish_interval_ms / 1000, monotonic=monotonic
        )
        self._cycle = 0
        self._failed: dict[Room, str] = {}  # until it is told, each with a reference for the log
        self._loses_next = self._is_losing = False

    def add(self, client: Client) -> None:
        """Begin to serve a connected client."""
        self.clients[client.sid] = client
        client.socket.on_ready = lambda: self._serve(client)
        client.socket.on_pending = client.leave_groups

    def remove(self, sid: str) -> Client | None:
        """Forget a client and its subscriptions."""
        client = self.clients.pop(sid, None)
        if client is not None:
            for name in list(client.subscriptions):
                self.unsubscribe(client, name)
            self._lagging.pop(client, None)
            client.socket.on_ready = client.socket.on_pending = None
        return client

    def listings(self) -> set[tuple[str, date]]:
        """The chains that anybody follows, or the dashboards of."""
        return {
            room.stream.listing_key for room in self.rooms.values() if room.stream.listing_key is not None
        }

    def lose_next(self) -> None:
        """Have what the next cycle tells reach nobody, on purpose: those who follow find a gap."""
        self._loses_next = True

    def drop_sockets(self) -> None:
        """Cut the line of every client on purpose, without a word."""
        for client in list(self.clients.values()):
            with self._guard.part("clients"):
                if client.socket.link is not None:
                    client.socket.link.stream.close()
                else:
                    client.socket.server.drop(client.socket)

    def room(self, room: Room) -> Room:
        """The room of that key: the one that is followed, or this one, which nobody follows yet."""
        return self.rooms.get(room.key, room)

    def subscribe(
        self,
        client: Client,
        room: Room,
        held: Position | None = None,
        *,
        greeting: Packet | None = None,
        rolls: bool = False,
        reason: str | None = None,
    ) -> bool:
        """Bring a client to the room's present state and keep it there from now on.

        With the position of the state it has ``held`` it gets what it missed since, if that is still known;
        the answer says whether it was. The ``greeting`` and the packet are written before the client joins,
        so no delta can overtake them; who has not read what it was sent before gets the state once it has.
        Where the state cannot be told this raises, and nothing has changed.
        """
        stream = room.stream
        stream.refresh()
        recovered = held is not None and stream.holds(*held)
        if held is None or not recovered:
            packets = [room.snapshot(reason)]
        else:
            packets = [room.merged(held[1])] if held[1] != stream.seq else []
        if client.sid not in self.clients:
            return False  # it left while its question was looked at
        self.unsubscribe(client, stream.name)
        if greeting is not None:
            client.send(greeting)
        position = (stream.epoch, stream.seq)
        if packets and client.is_backed_up:
            waiting = ROLLED if reason == "expired" else ASKED
            position = held if held is not None and recovered else waiting
            self._lag(client)
        elif packets:
            client.send(packets[0])
        self._join(client, room, position, rolls=rolls)
        return recovered

    def roll(self, client: Client, room: Room) -> None:
        """Bring a client over to the room of the next expiry, as soon as it is ready for it."""
        if client.sid in self.clients:
            self.unsubscribe(client, room.stream.name)
            self._join(client, room, ROLLED, rolls=True)
            self._serve(client)

    def _join(self, client: Client, room: Room, position: Position, *, rolls: bool) -> None:
        """Put a client into a room; nothing else registers one."""
        room = self.rooms.setdefault(room.key, room)
        if not room.subscriptions:
            room.last_sent = (room.stream.epoch, room.stream.seq)
            self.pulse.said(room)
        subscription = Subscription(client, room, position, rolls=rolls)
        client.subscriptions[room.stream.name] = subscription
        room.subscriptions[client] = subscription
        if len(client.subscriptions) > 1:
            client.leave_groups()
        self._join_group(client)

    def unsubscribe(self, client: Client, name: StreamName) -> bool:
        """Take a client out of a stream; return whether it was in it."""
        subscription = client.subscriptions.pop(name, None)
        if subscription is None:
            return False
        subscription.end()
        client.pending_notices.pop(name, None)
        room = subscription.room
        room.subscriptions.pop(client, None)
        if not room.subscriptions:
            self.rooms.pop(room.key, None)
        return True

    async def publish(self, prepare: Prepare | None = None) -> None:
        """One cycle: advance every room, then write once to each client that has something new.

        ``prepare`` goes first, as a part of the cycle: it is given the rooms whose streams are due.
        """
        started = self._turn_began_s = self._monotonic()
        self._cycle += 1
        self._is_losing, self._loses_next = self._loses_next, False
        in_turn, waiting = self._in_turn()
        if prepare is not None:
            await prepare([room for room in in_turn if room.is_due])
        several: dict[Client, None] = dict(self._lagging)
        for room in in_turn:
            await self._publish_room(room, several)
            await self.yield_to_loop()
        for room in waiting:
            await self._publish_room(room, several, is_its_turn=False)
        for clients in _slices(list(several)):
            for client in clients:
                self._serve(client)
            await self.yield_to_loop()
        await self._tell_failures()
        self._disconnect_slow()
        took_s = self._monotonic() - started
        self.statistics.cycles_ms.append(took_s * 1000)
        self.pacing.note(took_s)
        self.pulse.beat()

    def _in_turn(self) -> tuple[list[Room], list[Room]]:
        """The rooms that this cycle brings up to the market, and those that wait for a later one."""
        rooms = list(self.rooms.values())
        strides = self.pacing.strides(
            (room.stream.listing_key, len(room.subscriptions))
            for room in rooms
            if room.stream.listing_key is not None
        )
        if not strides:
            return rooms, []
        in_turn: list[Room] = []
        waiting: list[Room] = []
        for place, room in enumerate(rooms):
            stride = strides.get(room.stream.listing_key, 1)
            (waiting if (self._cycle + place) % stride else in_turn).append(room)
        return in_turn, waiting

    async def _publish_room(
        self, room: Room, several: dict[Client, None], *, is_its_turn: bool = True
    ) -> None:
        """Tell one room of a change or of its absence; whatever it raises is its own affair."""
        if not room.subscriptions or (room.failures and self._cycle < room.retry_cycle):
            return
        try:
            if room.failures:
                await self._recover(room, several)
                return
            since = room.last_sent
            if is_its_turn and room.advance():
                room.idle_cycles = 0
                await self._fan_out(room, since, several)
                self.pulse.said(room)
            else:
                await self._keep_alive(room)
        except Exception as error:  # noqa: BLE001
            self._fail(room, error)

    async def _recover(self, room: Room, several: dict[Client, None]) -> None:
        """Try a room that failed: once it works, all are told so and get the whole state."""
        room.begin_again()
        status = Packet("subscription_status", encode(room.status("recovered")))
        self._failed.pop(room, None)
        subscriptions = list(room.subscriptions.values())
        for subscription in subscriptions:
            subscription.place(NOWHERE)
        several.update(dict.fromkeys(subscription.client for subscription in subscriptions))
        await self.tell(status, [subscription.client for subscription in subscriptions])
        self.pulse.said(room)

    def _fail(self, room: Room, error: Exception) -> None:
        """Leave a room out for a while."""
        reference = secrets.token_hex(8)
        self._guard.note("streams", error, of=f"{room.stream.name}, request {reference}")
        self.pulse.failures[room.stream.kind] += 1
        if not room.failures:
            room.fail()
            self._failed[room] = reference
        room.failures += 1
        room.retry_cycle = self._cycle + min(2**room.failures, MOST_CYCLES)

    async def _tell_failures(self) -> None:
        """Tell the subscribers of rooms that failed in this cycle; why is for the log alone."""
        while self._failed:
            room, reference = self._failed.popitem()
            with self._guard.part("streams"):
                trouble = {
                    "code": ErrorCode.INTERNAL_ERROR,
                    "message": f"{room.stream.name} cannot be told at the moment; it is tried again.",
                    "details": {"request_id": reference},
                    "event": "",
                }
                clients = list(room.subscriptions)
                await self.tell(Packet("error", encode(trouble)), clients)
                await self.tell(Packet("subscription_status", encode(room.status("failed"))), clients)

    async def tell(self, packet: Packet, clients: Iterable[Client] | None = None) -> None:
        """Send a packet to clients, by default to everybody who is connected."""
        for some in _slices(list(self.clients.values() if clients is None else clients)):
            for client in some:
                try:
                    client.send(packet)
                except Exception as error:  # noqa: BLE001
                    self._drop(client, error)
            self.statistics.messages += len(some)
            self.statistics.bytes += len(some) * len(packet.payload)
            await self.yield_to_loop()

    def _drop(self, client: Client, error: Exception) -> None:
        """Let a client go that cannot be written to: it may come back over another transport."""
        self._guard.note("clients", error)
        self._lagging.pop(client, None)
        with self._guard.part("clients"):
            client.socket.server.drop(client.socket)

    async def tell_when_ready(self, name: StreamName, packet: Packet, clients: Iterable[Client]) -> None:
        """Send a packet of a stream now, or with the next write to a client that is not ready for it.

        It goes out before any later state of the stream. Of several that wait the newest is kept.
        """
        ready = []
        for client in clients:
            if client.ready and not client.pending_notices:
                ready.append(client)
            else:
                client.pending_notices[name] = packet
                self._lag(client)
        await self.tell(packet, ready)

    async def _fan_out(self, room: Room, since: Position, several: dict[Client, None]) -> None:
        """Tell a room of a change: those in step at once, who lags with whatever else was missed."""
        room.previous = since
        groups = [group for group in room.in_sync if group.members]
        packet = room.packet(since) if groups else None
        counts = [group.begin() for group in groups]
        try:
            for group, count in zip(groups, counts, strict=True):
                assert packet is not None
                await self._write_to_group(group, count, packet)
        finally:
            for group in groups:
                group.end()
        several.update(dict.fromkeys(subscription.client for subscription in room.lagging))

    async def _write_to_group(self, group: InSyncGroup, count: int, packet: Packet) -> None:
        """Write one packet to everybody in line. All the CPU of the fan-out goes to this loop."""
        if self._is_losing:
            group.note_written(count)
            group.end()
            return
        frame = packet.deflated if group.deflate else packet.frame
        length = len(frame)
        for start in range(0, count, SLICE):
            served, short = 0, []
            for subscription, send in group.batch(start, start + SLICE):
                served += 1
                try:
                    taken = send(frame)
                except OSError:
                    taken = 0
                if taken != length:
                    short.append((subscription, taken))
            group.note_written(start + SLICE)
            self.statistics.messages += served - len(short)
            self.statistics.bytes += (served - len(short)) * len(packet.payload)
            for subscription, taken in short:
                self._fell_short(subscription, frame, taken)
            await self.yield_to_loop()
        group.end()

    def _fell_short(self, subscription: Subscription, frame: bytes, taken: int) -> None:
        """A socket did not take a whole frame: the rest of one begun is buffered, one not begun is missed."""
        client, link = subscription.client, subscription.client.socket.link
        subscription.place(subscription.room.last_sent if taken else subscription.room.previous)
        if link is None or link.stream.closed():
            return
        if taken:
            link.buffer(frame[taken:])
        else:
            self._lag(client)

    async def yield_to_loop(self) -> None:
        """Let the loop do something else if the cycle has kept it for a while."""
        if self._monotonic() - self._turn_began_s > MAX_TURN_S:
            await asyncio.sleep(0)
            self._turn_began_s = self._monotonic()

    def _serve(self, client: Client) -> None:
        """Write everything a client has missed; one that cannot be written to is let go."""
        if client.sid not in self.clients:
            return
        try:
            self._catch_up(client)
        except Exception as error:  # noqa: BLE001
            self._drop(client, error)

    def _catch_up(self, client: Client) -> None:
        """Write everything a client has missed, of all its streams, in one go."""
        behind = [item for item in client.subscriptions.values() if item.behind]
        if not behind and not client.pending_notices:
            self._caught_up(client)
            return
        if not client.ready:
            self._lag(client)
            return
        try:
            packets = [item.room.packet(item.position) for item in behind]
        except Exception:  # noqa: BLE001
            # those that can be told are; the others wait for their rooms to work again
            behind = [item for item in behind if self._can_be_sent(item)]
            packets = [item.room.packet(item.position) for item in behind]
        notices = list(client.pending_notices.values())
        portions = _portions([len(packet.payload) for packet in packets]) if notices or packets else ()
        for start, stop in portions:
            lost = self._is_losing and not notices
            if not client.ready or not (lost or client.offer([*notices, *packets[start:stop]])):
                self._lag(client)
                return
            client.pending_notices.clear()
            notices = []
            self.statistics.messages += stop - start
            self.statistics.bytes += sum(len(packet.payload) for packet in packets[start:stop])
            for item in behind[start:stop]:
                self._count_missed(item)
                item.place(item.room.target)
        self._caught_up(client)

    def _can_be_sent(self, item: Subscription) -> bool:
        """Whether what a subscriber missed can be put into a packet; else its room has failed."""
        try:
            item.room.packet(item.position)
        except Exception as error:  # noqa: BLE001
            self._fail(item.room, error)
        return not item.room.failures

    def _count_missed(self, item: Subscription) -> None:
        position, stream = item.position, item.room.stream
        if position == ASKED:
            return
        if not stream.holds(*position):
            self.statistics.resyncs += not isinstance(item.room, PacedRoom)
        else:
            self.statistics.conflated += max(0, stream.seq - position[1] - 1)

    async def _keep_alive(self, room: Room) -> None:
        room.idle_cycles += 1
        if room.idle_cycles >= self._heartbeat_cycles:
            room.idle_cycles = 0
            current = [item.client for item in room.subscriptions.values() if not item.behind]
            await self.tell_when_ready(room.stream.name, room.heartbeat(), current)
            self.pulse.said(room)

    def _lag(self, client: Client) -> None:
        if client.lagging_since is None:
            client.lagging_since = self._monotonic()
            self._lagging[client] = None

    def _caught_up(self, client: Client) -> None:
        if client.lagging_since is not None:
            client.lagging_since = None
            self._lagging.pop(client, None)
        self._join_group(client)

    def _join_group(self, client: Client) -> None:
        """Put a client that needs nothing of its own in step with its room."""
        link = client.in_step_link
        if link is not None:
            for subscription in client.subscriptions.values():
                if subscription.group is None and subscription.position == subscription.room.last_sent:
                    subscription.join(link)

    def _disconnect_slow(self) -> None:
        """Close the transport of clients that took nothing for too long, so that they may come back."""
        limit = self._monotonic() - self._slow_client_timeout_s
        for client in list(self._lagging):
            if client.lagging_since is not None and client.lagging_since < limit:
                self._lagging.pop(client)
                self.statistics.slow_disconnects += 1
                why = "it did not read what it subscribed to"
                with self._guard.part("clients"):
                    client.socket.server.refuse(client.socket, why, "slow")


def _portions(sizes: list[int]) -> Iterable[tuple[int, int]]:
    """Ranges of packets that are written in one go: of so many bytes, or of one; at least one range."""
    start = portion = 0
    for place, size in enumerate(sizes):
        if portion and portion + size > MAX_PORTION_BYTES:
            yield start, place
            start, portion = place, 0
        portion += size
    yield start, len(sizes)


def _slices(items: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
