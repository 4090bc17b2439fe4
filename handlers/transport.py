"""Engine.IO over Tornado: sockets that are written to directly, without queues or tasks.

python-engineio keeps the protocol of the long-polling transport, sessions and packets. The WebSocket
transport is served here, because the driver that comes with the library queues without bound, accepts
a socket before it knows whether it wants it, and gives each one a compressor.
"""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
from asyncio import Future
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import engineio
import orjson
from engineio import exceptions as engineio_exceptions
from engineio import packet as engineio_packet
from engineio.async_socket import AsyncSocket
from tornado.iostream import IOStream, SSLIOStream, StreamBufferFullError, StreamClosedError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.access import AccessRules, subscriber
from handlers.frames import text_frame
from handlers.loop import Alarm, TimerWheel

TCP_NOTSENT_LOWAT = getattr(sockets, "TCP_NOTSENT_LOWAT", 25)
NOTSENT_BYTES = 16384  # what the kernel may hold unsent for a client: 4 MB otherwise, all of it stale
MAX_POLLING_PACKETS = 256  # replies a polling client may leave unread

logger = logging.getLogger(__name__)


class ProtocolError(Exception):
    """A client broke the protocol; it is disconnected and one line is logged."""


class Protocol(WebSocketProtocol13):
    """Tornado's protocol, with shared compression and without unmasked clients."""

    def _create_compressors(
        self, side: str, agreed_parameters: dict[str, Any], compression_options: dict[str, Any] | None = None
    ) -> None:
        """Agree to compress each message on its own, so that neither side keeps a compressor."""
        agreed_parameters.update(server_no_context_takeover=None, client_no_context_takeover=None)
        super()._create_compressors(side, agreed_parameters, compression_options)

    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> Future[None]:
        """Write a control frame of Tornado's own; it may have to wait like any other."""
        future = super()._write_frame(fin, opcode, data, flags)
        self.handler.written()  # type: ignore[attr-defined]
        return future

    def _handle_message(self, opcode: int, data: bytes) -> Future[None] | None:
        """Close on an unmasked client frame, as RFC 6455 section 5.1 demands."""
        mask, self._frame_mask = self._frame_mask, None
        if mask is None:
            self.close(1002, "a client's frames must be masked")
            self._abort()
            return None
        return super()._handle_message(opcode, data)


class EngineSocket(AsyncSocket):
    """One Engine.IO session, over polling (a queue) or over a WebSocket (``link``, no queue)."""

    server: EngineServer
    closed: bool
    closing: bool
    queue: Any

    def __init__(self, server: EngineServer, sid: str) -> None:
        super().__init__(server, sid)
        self.link: WebSocketTransport | None = None
        self.polled = False  # a poll is waiting for packets
        self.on_poll: Callable[[], None] | None = None
        self.on_pending: Callable[[], None] | None = None
        self.network = ""  # whose it is, for the count of those not admitted yet
        self._timer: Alarm | None = None
        self._deadline: Alarm | None = None
        self._upgrade: WebSocketTransport | None = None

    async def send(self, pkt: engineio_packet.Packet) -> None:
        """Write a packet at once over the WebSocket, or queue it for the next poll."""
        if self.closed:
            raise engineio_exceptions.SocketIsClosedError
        if self.link is not None:
            self.link.write_text(pkt.encode())
        elif self.queue.qsize() >= MAX_POLLING_PACKETS:
            self.server.refuse(self, "it leaves its packets unread", "unread")
        else:
            self.queue.put_nowait(pkt)

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
            self.server.admitted(self.network)

    async def poll(self) -> list[engineio_packet.Packet]:
        """Wait for packets to hand to a polling client."""
        if self.on_poll is not None and self.queue.empty():
            self.polled = True
            self.on_poll()
        self.polled = self.queue.empty()
        try:
            packets: list[engineio_packet.Packet] = await super().poll()
        finally:
            self.polled = False
        return packets

    def schedule_ping(self) -> None:
        """Ping after the interval: at the start and whenever a pong arrives."""
        self._cancel_timer()
        if not self.closing and not self.closed:
            self._timer = self.server.wheel.later(self.server.ping_interval, self._ping)

    def _ping(self) -> None:
        ping = engineio_packet.Packet(engineio_packet.PING)
        if self.link is not None:
            self.link.write_text(ping.encode())
        else:
            self.queue.put_nowait(ping)
        self._timer = self.server.wheel.later(self.server.ping_timeout, self._expire)

    def _expire(self) -> None:
        self.server.closed_by_reason["ping_timeout"] += 1
        self.server.spawn(self.close(abort=True, reason=self.server.reason.PING_TIMEOUT))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self.server.wheel.cancel(self._timer)
            self._timer = None

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the session; never waits for a client to read."""
        if self.closed or self.closing:
            return
        self.closing = True
        self._cancel_timer()
        self.connected_in_time()
        reason = reason or self.server.reason.SERVER_DISCONNECT
        await self.server._trigger_event("disconnect", self.sid, reason, run_async=False)
        if not abort:
            await self.send(engineio_packet.Packet(engineio_packet.CLOSE))
        self.closed = True
        self.server.sockets.pop(self.sid, None)
        if self.link is not None:
            self.link.end(abort)
        else:
            self.queue.put_nowait(None)
        self.on_poll = self.on_pending = None

    def attach(self, link: WebSocketTransport) -> None:
        """Go on over this WebSocket; what was queued for polling goes first."""
        self.link, self._upgrade = link, None
        self.upgrading, self.upgraded, self.connected = False, True, True
        while not self.queue.empty():
            pkt = self.queue.get_nowait()
            if pkt is not None and pkt.packet_type != engineio_packet.NOOP:
                link.write_text(pkt.encode())
        self.queue = None  # two kilobytes that a WebSocket has no use for

    async def receive_text(self, link: WebSocketTransport, text: str | bytes) -> None:
        """Handle one message of a WebSocket. Raises ProtocolError."""
        if isinstance(text, bytes):
            raise ProtocolError("it sent binary data, which no event here takes")
        if link is self.link:
            if len(text) > self.server.max_http_buffer_size:
                self.server.on_oversize(self, len(text))
            else:
                await self.receive(parse_packet(text))
        elif text == "2probe":
            self._upgrade, self.upgrading = link, True
            link.write_text("3probe")
            self.queue.put_nowait(engineio_packet.Packet(engineio_packet.NOOP))  # ends the open poll
        elif text == "5" and link is self._upgrade:
            self.attach(link)
        else:
            raise ProtocolError("it sent something else than an upgrade's probe")

    async def receive(self, pkt: engineio_packet.Packet) -> None:
        """Handle one packet, whichever way it came. Raises ProtocolError."""
        if pkt.packet_type == engineio_packet.MESSAGE and not isinstance(pkt.data, str):
            raise ProtocolError("its message is not text")
        if pkt.packet_type in (engineio_packet.OPEN, engineio_packet.PING, engineio_packet.NOOP):
            raise ProtocolError(f"a client may not send Engine.IO packet {pkt.packet_type}")
        await super().receive(pkt)

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Handle the packets of a polling client's POST."""
        try:
            await super().handle_post_request(environ)
        except (ProtocolError, ValueError, LookupError) as error:
            self.server.refuse(self, str(error))
            raise engineio_exceptions.EngineIOError from error

    def detach(self, link: WebSocketTransport) -> bool:
        """Take note that a WebSocket closed; return whether the session goes with it."""
        if link is self._upgrade:
            self._upgrade, self.upgrading = None, False
        return link is self.link


def parse_packet(text: str) -> engineio_packet.Packet:
    """An Engine.IO packet from its text. Raises ProtocolError."""
    if not text or text[0] not in "0123456":
        raise ProtocolError("it sent a frame that is no Engine.IO packet")
    if text[0] == "4":
        # the library would parse the rest as JSON to see whether it is; the Socket.IO layer knows
        pkt = engineio_packet.Packet(engineio_packet.MESSAGE, data=text[1:])
    else:
        pkt = engineio_packet.Packet(int(text[0]), data=text[1:])
    return pkt


class EngineServer(engineio.AsyncServer):
    """Sessions by id, of both transports."""

    sockets: dict[str, EngineSocket]

    def __init__(
        self,
        *args: Any,
        describe: Callable[[RequestHandler], dict[str, Any]],
        on_refused: Callable[[str], None],
        on_oversize: Callable[[EngineSocket, int], None],
        connect_timeout_s: float,
        max_pending_per_address: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, monitor_clients=False, **kwargs)
        self.pending: Counter[str] = Counter()  # sessions not admitted yet, by address
        self._max_pending_per_address = max_pending_per_address
        self.on_oversize = on_oversize
        self.closed_by_reason: Counter[str] = Counter()
        self.wheel = TimerWheel()
        self._describe = describe
        self._on_refused = on_refused
        self._connect_timeout_s = connect_timeout_s
        self._tasks: set[asyncio.Task[Any]] = set()

    def _log_error_once(self, message: str, message_key: str) -> None:
        """A request that makes no sense is its sender's mistake: no error of ours, and no news."""
        logger.debug("a request was refused: %s", message)

    def has_room_for(self, address: str) -> bool:
        """Whether an address may open one more session before those it opened are admitted."""
        return self.pending[subscriber(address)] < self._max_pending_per_address

    def admitted(self, network: str) -> None:
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

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        """Open a polling session, with our socket class instead of the library's."""
        socket = await self._open_session(self._describe(environ["tornado.handler"]), transport)
        socket.connected = True
        return self._ok(await socket.poll(), jsonp_index=jsonp_index)

    async def open_websocket(self, link: WebSocketTransport) -> EngineSocket:
        """Open a session over an accepted WebSocket."""
        return await self._open_session(self._describe(link), "websocket", link)

    async def _open_session(
        self, environ: dict[str, Any], transport: str, link: WebSocketTransport | None = None
    ) -> EngineSocket:
        """Make a session and greet its client."""
        socket = EngineSocket(self, self.generate_id())
        socket.network = subscriber(environ["REMOTE_ADDR"])
        self.sockets[socket.sid] = socket
        greeting = {
            "sid": socket.sid,
            "upgrades": self._upgrades(socket.sid, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        if link is not None:
            socket.attach(link)
        await socket.send(engineio_packet.Packet(engineio_packet.OPEN, greeting))
        await self._trigger_event("connect", socket.sid, environ, run_async=False)
        socket.expect_connect(self._connect_timeout_s)
        socket.schedule_ping()
        return socket

    def upgradable(self, sid: str) -> EngineSocket | None:
        """The polling session of that id, if it may go on over a WebSocket."""
        socket = self.sockets.get(sid)
        if socket is None or socket.closed or socket.upgraded or not socket.connected:
            return None
        return socket


class WebSocketTransport(WebSocketHandler):
    """``/socket.io/``: a WebSocket of ours, or the library's long polling."""

    socket: EngineSocket | None = None
    stream: IOStream
    writing: Callable[[], bool]  # whether something written before still waits for the kernel
    send: Callable[[bytes], int]  # the kernel's, for when nothing waits; raises OSError
    encrypted = False
    deflate = False
    _last_write: Awaitable[None] | None = None

    def initialize(
        self,
        engine: EngineServer,
        access: AccessRules,
        *,
        compression: bool,
        max_write_buffer_bytes: int,
    ) -> None:
        """Take the session table and what a socket may use."""
        self.engine = engine
        self._access = access
        self._compression = compression
        self._max_write_buffer_bytes = max_write_buffer_bytes

    def set_default_headers(self) -> None:
        """Say nothing of what runs here, and let nobody guess types."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open a WebSocket, or answer a poll."""
        address = self._access.address(self.request)
        if "sid" not in self.request.query_arguments and not self.engine.has_room_for(address):
            self._refuse_request("Your address has too many sessions that did not connect.", 429)
            return
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            await self._poll()
            return
        why = self._refusal()
        if why is not None:
            self._refuse_request(why)
            return
        self._agree_on_compression()
        try:
            await super().get(*args, **kwargs)
        finally:
            await self._ended()

    async def post(self) -> None:
        """Take the packets of a polling client."""
        await self._poll()

    async def options(self) -> None:
        """Answer a browser's preflight."""
        await self._poll()

    def _allow_origin(self) -> None:
        """Let a browser read the answer if its page may; a foreign page is refused when it connects."""
        origin = self.request.headers.get("Origin")
        self.set_header("Vary", "Origin")
        protocol = self._access.protocol(self.request)
        if origin is None or not self._access.allows_origin(origin, self.request.host, protocol):
            return
        self.set_header("Access-Control-Allow-Origin", origin)
        if self.request.method == "OPTIONS":
            self.set_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
            self.set_header("Access-Control-Allow-Headers", "Content-Type")

    async def _poll(self) -> None:
        self._allow_origin()
        if self.get_query_argument("transport", "polling") != "polling" or "j" in self.request.arguments:
            self._refuse_request("The transport must be polling or an upgraded websocket, without JSONP.")
            return
        await self.engine.handle_request(self)

    def _refuse_request(self, why: str, status: int = 400) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps({"code": 3, "message": why}))

    def _refusal(self) -> str | None:
        """Why this WebSocket is not wanted, told before it is accepted."""
        if self.get_query_argument("transport", "") != "websocket":
            return "The transport of a WebSocket must be websocket."
        sid = self.get_query_argument("sid", None)
        if sid is None and self.get_query_argument("EIO", "") != "4":
            return "The protocol must be Engine.IO 4 (EIO=4)."
        if sid is not None and self.engine.upgradable(sid) is None:
            return "There is no session of that id to upgrade."
        return None

    def _agree_on_compression(self) -> None:
        """Leave one offer that needs no compressor of the client's own, or none."""
        offers = self.request.headers.get("Sec-WebSocket-Extensions", "")
        self.deflate = self._compression and any(map(_acceptable_deflate, offers.split(",")))
        if self.deflate:
            self.request.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"

    def get_compression_options(self) -> dict[str, Any] | None:
        """Tell Tornado whether to agree; nothing is ever compressed by it."""
        return {} if self.deflate else None

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Tornado's protocol with our additions."""
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        return Protocol(self, False, protocol.params)

    def check_origin(self, origin: str) -> bool:
        """Accept here: the Socket.IO layer refuses a foreign origin with a reason the client can read."""
        return True

    async def open(self, *args: str, **kwargs: str) -> None:
        """Begin or upgrade a session over the accepted WebSocket."""
        assert self.ws_connection is not None
        assert self.ws_connection.stream is not None
        self.stream = self.ws_connection.stream
        self.stream.set_nodelay(True)  # Tornado clears it after the handshake
        self.stream.max_write_buffer_size = self._max_write_buffer_bytes
        self.writing = self.stream.writing
        raw = self.stream.socket
        self.encrypted = isinstance(self.stream, SSLIOStream)
        self.send = self._send_encrypted if self.encrypted else raw.send
        if raw.family in (sockets.AF_INET, sockets.AF_INET6):
            raw.setsockopt(sockets.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES)
        sid = self.get_query_argument("sid", None)
        if sid is not None:
            self.socket = self.engine.upgradable(sid)
            if self.socket is None:
                self.stream.close()
        else:
            self.socket = await self.engine.open_websocket(self)

    async def on_message(self, message: str | bytes) -> None:
        """Handle one message; the next one is read when its answer is on its way."""
        if self.socket is None:
            return
        try:
            await self.socket.receive_text(self, message)
        except ProtocolError as error:
            self.engine.refuse(self.socket, str(error))
            self.stream.close()
            return
        if self._last_write is not None and self.stream.writing():
            try:
                await self._last_write
            except StreamClosedError:
                return
        self._last_write = None

    def on_close(self) -> None:
        """Nothing here: ``get`` ends the session when its loop does, without a task."""

    async def _ended(self) -> None:
        socket, self.socket = self.socket, None
        if socket is not None and socket.detach(self):
            await socket.close(abort=True, reason=self.engine.reason.TRANSPORT_CLOSE)

    def write_text(self, text: str) -> None:
        """Write a text frame after everything written before."""
        self.write_bytes(text_frame(text.encode()))

    def write_bytes(self, data: bytes) -> None:
        """Write frames; what the kernel does not take at once waits in the stream's bounded buffer."""
        taken = 0 if self.stream.writing() else self.offer(data)
        if taken == 0:
            self.buffer(data)

    def offer(self, data: bytes) -> int:
        """Give frames to the kernel; return how much it took of them, 0 if it takes nothing now.

        Call it only when nothing is pending (``writing()``). Of frames begun the rest is buffered, since a
        frame is all or nothing.
        """
        try:
            taken = self.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.stream.close()
            return 0
        if taken < len(data):
            self.buffer(data[taken:])
        return taken

    def _send_encrypted(self, data: bytes) -> int:
        self.buffer(data)
        return len(data)

    def buffer(self, data: bytes) -> None:
        """Keep bytes until the kernel takes them; more than ``max_write_buffer_bytes`` ends the client."""
        try:
            self._last_write = self.stream.write(data)
        except StreamBufferFullError:
            self.stream.close()
        except StreamClosedError:
            return
        self.written()

    def written(self) -> None:
        """Something was written: whoever counts on an empty buffer has to know."""
        if self.socket is not None and self.socket.on_pending is not None and self.stream.writing():
            self.socket.on_pending()

    def end(self, abort: bool) -> None:
        """Close the transport: at once, or after a closing handshake."""
        if abort:
            self.stream.close()
        else:
            self.close()


def _acceptable_deflate(offer: str) -> bool:
    """Whether a shared compressed frame suits this offer: no smaller window asked of us."""
    name, *parameters = (part.strip() for part in offer.split(";"))
    known = ("server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits")
    return name == "permessage-deflate" and all(
        parameter.split("=")[0].strip() in known for parameter in parameters
    )
