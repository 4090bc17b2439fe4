"""Engine.IO sessions of both transports: packets in, packets out, and how much may wait to be read.

python-engineio keeps the names that python-socketio calls. Sessions, polling and WebSockets are served here:
the library queues without bound, answers a second poll, and gives each session tasks and a queue of its own.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import engineio
import orjson
from engineio import exceptions as engineio_exceptions
from engineio import packet as engineio_packet
from tornado.iostream import IOStream
from tornado.web import RequestHandler

from feed.market.guard import Guard
from handlers.access.errors import ApiError
from handlers.access.rules import subscriber
from handlers.transport.loop import Alarm, TimerWheel

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"  # packet types
SEPARATOR = "\x1e"  # between the packets of one payload
UPGRADE_POLL_S = 0.1  # how long a poll waits for an upgrade under way
MAX_POST_PACKETS = 256  # of one payload; a page that opens sends a few for each of its streams

logger = logging.getLogger(__name__)


class Link(Protocol):
    """What a session needs of a WebSocket (``handlers.transport.endpoint.WebSocketTransport``)."""

    stream: IOStream
    writing: Callable[[], bool]  # whether something written before still waits for the kernel
    send: Callable[[bytes], int]  # the kernel's, for when nothing waits; raises OSError
    encrypted: bool
    deflate: bool

    def write_text(self, text: str) -> None:
        """Send a text message."""
        ...

    def write_bytes(self, data: bytes) -> None:
        """Write frames after everything written before."""
        ...

    def offer(self, data: bytes) -> int:
        """Give frames to the kernel while nothing waits; how much it took."""
        ...

    def buffer(self, data: bytes) -> None:
        """Keep bytes until the kernel takes them."""
        ...

    def end(self, abort: bool) -> None:
        """Close it, at once or after its goodbye."""
        ...


class ProtocolError(Exception):
    """A client broke the protocol; it is disconnected and one line is logged."""


class Holdings:
    """Bytes that wait to be read, of each session and of all, whatever their transport.

    ``each`` and ``in_all`` are the limits. A session over its own is closed; when all together are over
    theirs, the one that leaves most unread is.
    """

    def __init__(self, each: int, in_all: int, refuse: Callable[[EngineSocket, str, str], None]) -> None:
        self.each = each
        self.in_all = in_all
        self.total = 0
        self._refuse = refuse
        self._of: dict[EngineSocket, int] = {}

    def of(self, socket: EngineSocket) -> int:
        """What waits for one session."""
        return self._of.get(socket, 0)

    def hold(self, socket: EngineSocket, size: int) -> None:
        """Take note that something waits."""
        if socket.closed:
            return
        self._of[socket] = self._of.get(socket, 0) + size
        self.total += size
        if self._of[socket] > self.each:
            self._drop(socket, f"it left more than {self.each} bytes unread")
        elif self.total > self.in_all:
            most = max(self._of, key=self.of)
            self._drop(most, f"clients left more than {self.in_all} bytes unread, and it left most of them")

    def release(self, socket: EngineSocket, size: int) -> None:
        """Take note that it was read; of a session that is gone it was forgotten before."""
        if socket in self._of:
            self.total -= size
            self._of[socket] -= size
            if not self._of[socket]:
                del self._of[socket]

    def forget(self, socket: EngineSocket) -> None:
        """A session is gone, and what waited for it."""
        self.total -= self._of.pop(socket, 0)

    def _drop(self, socket: EngineSocket, why: str) -> None:
        self.forget(socket)
        socket.drop_unread()
        self._refuse(socket, why, "unread")


class EngineSocket:
    """One Engine.IO session, over polling or over a WebSocket (``link``).

    ``links`` are all WebSockets that were opened for it. Until one of them is upgraded to, they have a
    deadline; then the others are closed.
    """

    def __init__(self, server: EngineServer, sid: str, network: str = "") -> None:
        self.server = server
        self.sid = sid
        self.network = network  # whose it is, for the count of those not admitted yet
        self.closed = self.closing = False
        self.link: Link | None = None
        self.links: dict[Link, Alarm] = {}
        self.on_ready: Callable[[], None] | None = None
        self.on_pending: Callable[[], None] | None = None
        self._unread: list[str] = []  # packets for the next poll
        self._poll: Future[str] | None = None  # of the poll that waits: how it is to be answered
        self.timer: Alarm | None = None
        self._deadline: Alarm | None = None
        self._upgrade: Link | None = None

    @property
    def upgraded(self) -> bool:
        """Whether it goes on over a WebSocket."""
        return self.link is not None

    @property
    def upgrading(self) -> bool:
        """Whether a WebSocket was probed: nothing goes out over polling any more."""
        return self._upgrade is not None

    @property
    def polled(self) -> bool:
        """Whether a poll waits for packets."""
        return self._poll is not None and not self._poll.done()

    @property
    def has_unread(self) -> bool:
        """Whether something waits for the next poll."""
        return bool(self._unread)

    @property
    def is_backed_up(self) -> bool:
        """Whether so much waits to be read that nothing more should be asked for."""
        holdings = self.server.holdings
        return 2 * holdings.of(self) > holdings.each

    async def send(self, pkt: engineio_packet.Packet) -> None:
        """Send a packet of the library's. Raises SocketIsClosedError."""
        if self.closed:
            raise engineio_exceptions.SocketIsClosedError
        self.write(pkt.encode())

    def write(self, text: str) -> None:
        """Send a packet at once over the WebSocket, or with the next poll."""
        if self.link is not None:
            self.link.write_text(text)
        elif not self.closed:
            self._unread.append(text)
            self.server.holdings.hold(self, len(text))
            if not self.upgrading:
                self._end_poll("")

    def drop_unread(self) -> None:
        """Free what waits to be read."""
        self._unread.clear()
        if self.link is not None:
            self.link.stream.close()

    def expect_connect(self, timeout_s: float) -> None:
        """Close the session unless it speaks Socket.IO by then."""
        self.server.pending[self.network] += 1
        why = f"it did not connect within {timeout_s:g} s"
        self._deadline = self.server.wheel.later(
            timeout_s, lambda: self.server.refuse(self, why, "connect_timeout")
        )

    def connected_in_time(self) -> None:
        """Take note that it did."""
        if self._deadline is not None:
            self.server.wheel.cancel(self._deadline)
            self._deadline = None
            self.server.accepted(self.network)

    async def poll(self, answer: Callable[[str], Awaitable[None]]) -> None:
        """Answer a poll once there are packets for it. Raises ProtocolError.

        What it is answered with counts as unread until the kernel took it. A second poll at a time would
        race the first for packets: it ends the session, which the first is told.
        """
        if self._poll is not None:
            await self.close()
            raise ProtocolError("The session ends, because it was polled twice at a time.")
        if self.upgrading or not self._unread:
            ending = await self._wait_for_packets()
            if self.upgraded and not ending:
                raise ProtocolError("The session goes on over a WebSocket.")
            if ending:
                await answer(ending)
                return
        size, text = sum(map(len, self._unread)), SEPARATOR.join(self._unread) or NOOP
        self._unread.clear()
        try:
            await answer(text)
        finally:
            self.server.holdings.release(self, size)

    async def _wait_for_packets(self) -> str:
        """Wait until there is something to read, or return the packet that ends the poll."""
        self._poll = asyncio.get_running_loop().create_future()
        alarm = None
        if self.upgrading:
            alarm = self.server.wheel.later(UPGRADE_POLL_S, lambda: self._end_poll(NOOP))
        elif self.on_ready is not None:
            self.on_ready()
        try:
            return await self._poll
        finally:
            self._poll = None
            if alarm is not None:
                self.server.wheel.cancel(alarm)

    def _end_poll(self, ending: str) -> None:
        """Have the poll that waits answered: with what there is to read, or with one packet."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(ending)

    def schedule_ping(self) -> None:
        """Ping after the interval: at the start and whenever a pong arrives."""
        self.cancel_timer()
        if not self.closing and not self.closed:
            self.timer = self.server.wheel.later(self.server.ping_interval, self.ping)

    def ping(self) -> None:
        """Ask for a sign of life, which has to come in time."""
        self.write(PING)
        self.timer = self.server.wheel.later(self.server.ping_timeout, self._expire)

    def _expire(self) -> None:
        self.server.closed_by_reason["ping_timeout"] += 1
        self.server.spawn(self.close(abort=True, reason=self.server.reason.PING_TIMEOUT))

    def cancel_timer(self) -> None:
        """Neither ask for a sign of life nor wait for one."""
        if self.timer is not None:
            self.server.wheel.cancel(self.timer)
            self.timer = None

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the session; never waits for a client to read.

        With ``abort`` there is no closing packet, which tells clients not to come back: a poll ends with
        a noop, and the next one finds no session.
        """
        if self.closed or self.closing:
            return
        self.closing = True
        self.cancel_timer()
        self.connected_in_time()
        reason = reason or self.server.reason.SERVER_DISCONNECT
        await self.server._trigger_event("disconnect", self.sid, reason, run_async=False)
        self._end_poll(NOOP if abort else CLOSE)
        if self.link is not None and not abort:
            self.link.write_text(CLOSE)
        self.closed = True
        self.server.sockets.pop(self.sid, None)
        for link in list(self.links):
            link.end(abort or link is not self.link)
        self.server.holdings.forget(self)
        self.on_ready = self.on_pending = None

    def add_link(self, link: Link) -> None:
        """Take in a WebSocket that may be upgraded to soon."""
        self.links[link] = self.server.wheel.later(
            self.server.connect_timeout_s, lambda: link.end(link is not self.link)
        )

    def attach(self, link: Link) -> None:
        """Go on over this WebSocket alone; what waited for a poll goes first."""
        self.link, self._upgrade = link, None
        self.server.wheel.cancel(self.links[link])
        for other in [other for other in self.links if other is not link]:
            other.end(abort=True)
        self._end_poll("")
        unread, self._unread = self._unread, []
        for text in unread:
            self.server.holdings.release(self, len(text))
            link.write_text(text)

    def detach(self, link: Link) -> bool:
        """Take note that a WebSocket closed; return whether the session goes with it."""
        alarm = self.links.pop(link, None)
        if alarm is not None:
            self.server.wheel.cancel(alarm)
        if link is self._upgrade:
            self._upgrade = None
            if self._unread:
                self._end_poll("")
        return link is self.link

    async def receive_text(self, link: Link, text: str | bytes) -> None:
        """Handle one message of a WebSocket. Raises ProtocolError."""
        if link is not self.link:
            self._receive_probe(link, text)
        elif isinstance(text, bytes):
            raise ProtocolError("it sent binary data, which no event here takes")
        elif len(text) > self.server.max_http_buffer_size:
            self.server.on_oversize(self, len(text))
        else:
            await self.receive(text)

    def _receive_probe(self, link: Link, text: str | bytes) -> None:
        """Upgrade as the protocol says; who says anything else over a second WebSocket loses that one."""
        if text == PING + "probe" and not self.upgraded and not self.upgrading:
            self._upgrade = link
            link.write_text(PONG + "probe")
            self._end_poll(NOOP)
        elif text == UPGRADE and link is self._upgrade:
            self.attach(link)
        else:
            link.end(abort=True)

    async def receive(self, text: str) -> None:
        """Handle one packet, whichever way it came. Raises ProtocolError."""
        kind = text[:1]
        if kind == MESSAGE:
            await self.server._trigger_event("message", self.sid, text[1:], run_async=False)
        elif kind == PONG:
            self.schedule_ping()
        elif kind == CLOSE:
            await self.close(abort=True, reason=self.server.reason.CLIENT_DISCONNECT)
        elif kind == "b":
            raise ProtocolError("it sent binary data, which no event here takes")
        elif kind and kind in OPEN + PING + UPGRADE + NOOP:
            raise ProtocolError(f"a client may not send Engine.IO packet {kind} here")
        else:
            raise ProtocolError("it sent something that is no Engine.IO packet")

    async def receive_payload(self, body: bytes) -> None:
        """Handle the packets of a polling client's POST. Raises ProtocolError."""
        try:
            packets = body.decode().split(SEPARATOR)
        except UnicodeDecodeError:
            raise ProtocolError("its payload is not UTF-8") from None
        if len(packets) > MAX_POST_PACKETS:
            raise ProtocolError(f"its payload had {len(packets)} packets, {MAX_POST_PACKETS} are allowed")
        for text in packets:
            if self.closed:
                return
            await self.receive(text)


class EngineServer(engineio.AsyncServer):
    """Sessions by id, of both transports."""

    sockets: dict[str, EngineSocket]

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        *args: Any,
        describe: Callable[[RequestHandler], dict[str, Any]],
        check_origin: Callable[[RequestHandler], ApiError | None],
        on_refused: Callable[[str], None],
        on_oversize: Callable[[EngineSocket, int], None],
        connect_timeout_s: float,
        max_pending_per_address: int,
        max_unread_bytes: int,
        max_unread_bytes_in_all: int,
        guard: Guard,
        edge_name: str = "",
        **kwargs: Any,
    ) -> None:
        self._prefix = f"{edge_name}." if edge_name else ""  # a proxy in front of several reads it
        super().__init__(*args, monitor_clients=False, **kwargs)
        self.pending: Counter[str] = Counter()  # sessions not admitted yet, by address
        self._max_pending_per_address = max_pending_per_address
        self.holdings = Holdings(max_unread_bytes, max_unread_bytes_in_all, self.refuse)
        self.websockets = 0  # open ones, whether a session goes on over them or not
        self.on_oversize = on_oversize
        self.check_origin = check_origin
        self.closed_by_reason: Counter[str] = Counter()
        self.wheel = TimerWheel(guard=guard)
        self.connect_timeout_s = connect_timeout_s
        self._describe = describe
        self._on_refused = on_refused
        self._tasks: set[asyncio.Task[Any]] = set()

    def generate_id(self) -> str:
        """The id of a session, which begins with the name of this process where it has one."""
        return self._prefix + str(super().generate_id())

    def has_room_for(self, address: str) -> bool:
        """Whether an address may open one more session before those it opened are admitted."""
        return self.pending[subscriber(address)] < self._max_pending_per_address

    def accepted(self, network: str) -> None:
        """Take note that a session waits no longer."""
        self.pending[network] -= 1
        if not self.pending[network]:
            del self.pending[network]

    def spawn(self, work: Awaitable[Any]) -> None:
        """Run something that nobody waits for, and keep it from being collected."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refuse(self, socket: EngineSocket, why: str, reason: str = "protocol") -> None:
        """Disconnect a client at the transport, so that a good one may come back; say why in the log."""
        if socket.closed or socket.closing:
            return
        self.closed_by_reason[reason] += 1
        self._on_refused(why)
        self.spawn(socket.close(abort=True, reason=self.reason.TRANSPORT_ERROR))

    def drop(self, socket: EngineSocket) -> None:
        """Close a session for a reason that is no fault of the protocol."""
        self.spawn(socket.close(abort=True))

    async def open_session(self, handler: RequestHandler, link: Link | None = None) -> EngineSocket:
        """Make a session and greet its client, over polling or an accepted WebSocket."""
        environ = self._describe(handler)
        socket = EngineSocket(self, self.generate_id(), subscriber(environ["REMOTE_ADDR"]))
        self.sockets[socket.sid] = socket
        if link is not None:
            socket.add_link(link)
            socket.attach(link)
        socket.write(self.greeting(socket.sid, ["websocket"] if link is None else []))
        await self._trigger_event("connect", socket.sid, environ, run_async=False)
        socket.expect_connect(self.connect_timeout_s)
        socket.schedule_ping()
        return socket

    def greeting(self, sid: str, upgrades: list[str]) -> str:
        """The packet that opens a session."""
        facts = {
            "sid": sid,
            "upgrades": upgrades,
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        return OPEN + orjson.dumps(facts).decode()

    def session(self, sid: str) -> EngineSocket | None:
        """The session of that id, if it is not over."""
        socket = self.sockets.get(sid)
        return None if socket is None or socket.closed else socket
