"""Rooms: the subscribers of one stream who are sent the same bytes, and where each of them stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from domain.streams import StreamName
from handlers.streams.state import ChainPart, ChainStream, Stream, SymbolStream, WholeStream
from handlers.transport.engine import EngineSocket, Link
from handlers.transport.frames import Packet
from schemas.configuration.api_keys import ApiKey

Position = tuple[str, int]  # epoch and sequence number of a state
NOWHERE: Position = ("", -1)
ROLLED: Position = ("", -2)  # where who followed the expiry before this one is
ASKED: Position = ("", -3)  # where who has just subscribed is until it gets the whole state
REASONS = {ROLLED: "expired", ASKED: None}
Send = Callable[[bytes], int]
Line = tuple[list["Subscription"], list[Send]]
NOBODY: Line = ([], [])


class Room(ABC):
    """The subscribers of one stream who are sent the same bytes."""

    heartbeat_event: str

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.subscriptions: dict[Client, Subscription] = {}
        self.idle_cycles = 0
        self.spoken_s: float | None = None  # when its subscribers last heard of it; None: not yet
        self.failures = 0  # in vain, since it last worked
        self.retry_cycle = 0  # of the broadcaster, once it failed
        self.last_sent = NOWHERE  # the state that subscribers were last brought to
        self.previous = NOWHERE  # the state before that, which those not yet written to are in
        self.in_sync = (InSyncGroup(deflate=False), InSyncGroup(deflate=True))
        self.lagging: dict[Subscription, None] = {}  # those who are in neither
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
        """The state a subscriber should be in; ``last_sent`` itself where it is that, as ``is`` compares."""
        present = (self.stream.epoch, self.stream.seq)
        return self.last_sent if self.last_sent == present else present

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this room from others."""
        return (self.stream.name,)

    def over(self, stream: Any) -> Room:
        """A room of the same kind over another stream."""
        return type(self)(stream)

    def describe(self) -> dict[str, Any]:
        """The subscription as a client sees it in ``list_subscriptions``."""
        return {"stream": str(self.stream.name), "epoch": self.stream.epoch, "seq": self.stream.seq}

    def status(self, status: str) -> dict[str, Any]:
        """The payload of ``subscription_status``: what is followed, and where it stands."""
        epoch, seq = self.stream.epoch, self.stream.seq
        place = {"epoch": epoch, "seq": seq} if epoch else {"epoch": None, "seq": None}
        return {**self.describe(), "symbol": self.stream.symbol, "status": status, **place}

    @property
    def is_due(self) -> bool:
        """Whether the next cycle brings its stream up to the market."""
        return not self.failures

    def advance(self) -> bool:
        """Come up to the market; return whether the subscribers are to be told."""
        self.stream.refresh()
        previous, self.last_sent = self.last_sent, self.target
        return self.last_sent is not previous

    def fail(self) -> None:
        """Let nobody be in step or wait for this room: once it works again all get the whole state."""
        for group in self.in_sync:
            group.end()
        for subscription in self.subscriptions.values():
            subscription.place(NOWHERE)

    def begin_again(self) -> None:
        """Come up to the market after a failure, so far that the whole state can be told."""
        self._packets.clear()
        self.stream.refresh()
        self.packet(NOWHERE)
        self.last_sent = (self.stream.epoch, self.stream.seq)
        self.failures = self.idle_cycles = 0

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
            return self.snapshot(REASONS.get((epoch, since), "resync"))
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
    """Subscribers of the changes of one part of a chain."""

    stream: ChainStream
    heartbeat_event = "option_chain_delta"
    mode = "delta"

    def __init__(self, stream: ChainStream, part: ChainPart) -> None:
        super().__init__(stream)
        self.part = part

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this room from others."""
        return (self.stream.name, self.mode, self.part)

    def over(self, stream: Any) -> Room:
        """A room of the same kind over another stream."""
        return ChainRoom(stream, self.part)

    def describe(self) -> dict[str, Any]:
        """The subscription as a client sees it."""
        part = {"strikes": self.part.strikes, "fields": self.part.fields.describe()}
        return {**super().describe(), "mode": self.mode, **part}

    def snapshot(self, reason: str | None = None) -> Packet:
        """The part of the chain."""
        return Packet("option_chain_data", self.stream.snapshot(self.part, reason))

    def merged(self, since: int) -> Packet:
        """The cells that changed in the part."""
        return Packet("option_chain_delta", self.stream.delta(since, self.part))


class PacedRoom(Room):
    """A room that is told the whole state, at most once in ``every`` publish cycles."""

    stream: Any
    event: str

    def __init__(self, stream: Any, every: int) -> None:
        super().__init__(stream)
        self._pace(every)

    def _pace(self, every: int) -> None:
        self.every = self._cycles = every

    @property
    def target(self) -> Position:
        """The state a subscriber should be in: the one of the last turn."""
        return self.last_sent

    @property
    def is_due(self) -> bool:
        """Whether the next cycle is the one in ``every``."""
        return super().is_due and self._cycles + 1 >= self.every

    def advance(self) -> bool:
        """Come up to the market once in a while."""
        self._cycles += 1
        if self._cycles < self.every:
            return False
        self.stream.refresh()
        present = (self.stream.epoch, self.stream.seq)
        if present == self.last_sent:
            return False
        self.last_sent, self._cycles = present, 0
        return True

    def _make(self, epoch: str, since: int) -> Packet:
        place = (epoch, since)
        return self.snapshot(REASONS[place]) if place in REASONS else self.merged(since)

    def heartbeat(self) -> Packet:
        """The state again: it is small, or its clients understand nothing else."""
        return self.merged(self.stream.seq)


class FullChainRoom(PacedRoom, ChainRoom):
    """Subscribers who replace their whole part of a chain."""

    mode = "full"

    def __init__(self, stream: ChainStream, part: ChainPart, every: int) -> None:
        ChainRoom.__init__(self, stream, part)
        self._pace(every)

    def over(self, stream: Any) -> Room:
        """A room of the same kind over another stream."""
        return FullChainRoom(stream, self.part, self.every)

    def merged(self, since: int) -> Packet:
        """The whole state: it is to replace the client's."""
        return Packet("option_chain_update", self.stream.whole(self.part))


class WholeRoom(PacedRoom):
    """Subscribers of a dashboard or of a forming candle."""

    stream: WholeStream

    def __init__(self, stream: WholeStream, event: str, every: int) -> None:
        super().__init__(stream, every)
        self.event = event

    def over(self, stream: Any) -> Room:
        """A room of the same kind over another stream."""
        return WholeRoom(stream, self.event, self.every)

    def snapshot(self, reason: str | None = None) -> Packet:
        """The whole state."""
        return Packet(self.event, self.stream.whole(reason))

    def merged(self, since: int) -> Packet:
        """The whole state: it is to replace the client's."""
        return Packet(self.event, self.stream.whole())


class InSyncGroup:
    """Subscribers in step: up to date, with nothing pending and no other stream.

    Nothing is kept for each of them but the ``send`` of its socket, so that a change costs them one call
    each. Where they stand is known without noting it: all are in the state the room last sent, but
    while it is being written those not reached yet are in the previous one.
    """

    __slots__ = ("_left", "_line", "_place_of", "_served", "_writing", "deflate", "members")

    def __init__(self, *, deflate: bool) -> None:
        self.deflate = deflate
        self.members: dict[Subscription, Send] = {}
        self._line: Line | None = None  # the members as lists, kept until somebody joins or leaves
        self._writing = NOBODY
        self._place_of: dict[Subscription, int] = {}
        self._served: int | None = None  # how many of the line are written to; None: none is being
        self._left: set[Subscription] = set()  # who left since the writing began

    def add(self, subscription: Subscription, send: Send) -> None:
        """Take in a subscriber that is in the state the room last sent."""
        self.members[subscription] = send
        self._line = None

    def discard(self, subscription: Subscription) -> None:
        """Let a subscriber go its own way."""
        if self.members.pop(subscription, None) is not None:
            self._line = None
            if self._served is not None:
                self._left.add(subscription)

    def begin(self) -> int:
        """Begin to be written to; return how many there are."""
        if self._line is None:
            self._line = (list(self.members), list(self.members.values()))
        self._writing, self._served, self._place_of = self._line, 0, {}
        return len(self._line[0])

    def batch(self, start: int, stop: int) -> Iterable[tuple[Subscription, Send]]:
        """Those between two places of the line who are still there."""
        pairs = zip(self._writing[0][start:stop], self._writing[1][start:stop], strict=True)
        return [pair for pair in pairs if pair[0] not in self._left] if self._left else pairs

    def note_written(self, place: int) -> None:
        """Take note of how far down the line has been written to."""
        self._served = place

    def end(self) -> None:
        """All are written to."""
        self._writing, self._served = NOBODY, None
        self._left.clear()

    def has_last_sent(self, subscription: Subscription) -> bool:
        """Whether a member has been sent the room's last state."""
        if self._served is None or subscription in self._left:
            return True  # who left and is here again came back in the last state
        if not self._place_of:
            self._place_of = {member: place for place, member in enumerate(self._writing[0])}
        # who joined meanwhile is not in the line, and joined in the last state
        return self._place_of.get(subscription, -1) < self._served


class Subscription:
    """A client's place in a room."""

    __slots__ = ("_position", "client", "group", "rolls", "room")

    def __init__(self, client: Client, room: Room, position: Position, *, rolls: bool = False) -> None:
        self.client = client
        self.room = room
        self.rolls = rolls  # over to the next expiry once this one has passed
        self.group: InSyncGroup | None = None
        self._position = position
        room.lagging[self] = None

    @property
    def position(self) -> Position:
        """The state the client was last sent."""
        if self.group is None:
            return self._position
        return self.room.last_sent if self.group.has_last_sent(self) else self.room.previous

    @property
    def behind(self) -> bool:
        """Whether the stream has gone on; of one that fails there is nothing to be told."""
        return not self.room.failures and self.position != self.room.target

    def describe(self) -> dict[str, Any]:
        """The subscription as ``list_subscriptions`` tells it."""
        epoch, seq = self.position
        rolls = {} if self.room.stream.listing_key is None else {"rolls": self.rolls}
        return {**self.room.describe(), "epoch": epoch, "seq": seq, **rolls}

    def join(self, link: Link) -> None:
        """Be in step with the others from now on; the client is in the state that the room last sent."""
        self.group = self.room.in_sync[link.deflate]
        self.group.add(self, link.send)
        del self.room.lagging[self]

    def leave(self) -> None:
        """Go on alone from where it stands."""
        if self.group is not None:
            self.place(self.position)

    def place(self, position: Position) -> None:
        """Go on alone from a state."""
        if self.group is not None:
            self.group.discard(self)
            self.group = None
            self.room.lagging[self] = None
        self._position = position

    def end(self) -> None:
        """Be in the room no more."""
        self.leave()
        del self.room.lagging[self]


class Client:
    """One connected client: its socket, its subscriptions by stream, and since when it lags."""

    __slots__ = (
        "address",
        "allowance",
        "key",
        "lagging_since",
        "pending_notices",
        "sid",
        "socket",
        "subscriptions",
        "violations",
    )

    def __init__(
        self, sid: str, socket: EngineSocket, address: str, key: ApiKey | None = None, allowance: Any = None
    ) -> None:
        self.sid = sid
        self.socket = socket
        self.address = address
        self.key = key  # with which it was let in
        self.subscriptions: dict[StreamName, Subscription] = {}
        self.lagging_since: float | None = None
        # what is to be said beside the state of a stream, the newest only
        self.pending_notices: dict[StreamName, Packet] = {}
        self.allowance = allowance
        self.violations = 0

    @property
    def in_step_link(self) -> Link | None:
        """The socket, if the client may be in step: one stream, and nothing pending."""
        link = self.socket.link
        if link is None or link.encrypted or len(self.subscriptions) != 1 or link.writing():
            return None
        return link

    def leave_groups(self) -> None:
        """Be in step no more: something is pending, or there is another stream to be written with."""
        for subscription in self.subscriptions.values():
            subscription.leave()

    @property
    def ready(self) -> bool:
        """Whether what was sent before is gone."""
        link = self.socket.link
        if link is not None:
            return not link.writing()
        return self.socket.polled and not self.socket.upgrading

    @property
    def is_backed_up(self) -> bool:
        """Whether it has yet to read so much that nothing more is to be added."""
        link = self.socket.link
        return link.writing() if link is not None else self.socket.is_backed_up

    def send(self, packet: Packet) -> None:
        """Write a packet whatever is pending: answers and snapshots the client asked for."""
        link = self.socket.link
        if link is not None:
            link.write_bytes(packet.deflated if link.deflate else packet.frame)
        else:
            self.socket.write(packet.text)

    def offer(self, packets: list[Packet]) -> bool:
        """Write packets in one go if the socket takes them now. Call it only when ``ready``."""
        link = self.socket.link
        if link is None:
            for packet in packets:
                self.socket.write(packet.text)
            return True
        if len(packets) == 1:
            data = packets[0].deflated if link.deflate else packets[0].frame
        else:
            data = b"".join([packet.deflated if link.deflate else packet.frame for packet in packets])
        return link.offer(data) > 0
