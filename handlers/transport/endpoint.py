"""``/socket.io/``: Engine.IO over Tornado, by polling or by sockets that are written to directly.

The driver that comes with python-engineio queues without bound, accepts a WebSocket before it knows whether
it wants it, and gives each one a compressor.
"""

from __future__ import annotations

import logging
import socket as sockets
from asyncio import Future
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import orjson
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.access.errors import ApiError
from handlers.access.rules import AccessRules
from handlers.monitoring.logs import FailureLog
from handlers.transport.engine import SEPARATOR, EngineServer, EngineSocket, ProtocolError
from handlers.transport.frames import text_frame

TCP_NOTSENT_LOWAT = getattr(sockets, "TCP_NOTSENT_LOWAT", 25)
NOTSENT_BYTES = 16384  # what the kernel may hold unsent for a client: 4 MB otherwise, all of it stale
# why a request is refused, in numbers that Engine.IO's clients know
UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION = range(6)
METHODS = "GET, POST, OPTIONS"

logger = logging.getLogger(__name__)


class Refused(Exception):
    """Why a request is not answered as it wishes: a number, a sentence, a status."""

    def __init__(self, code: int, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.code = code
        self.status = status


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


class WebSocketTransport(WebSocketHandler):
    """``/socket.io/``: a WebSocket of ours, or the library's long polling."""

    socket: EngineSocket | None = None
    stream: IOStream
    writing: Callable[[], bool]  # whether something written before still waits for the kernel
    send: Callable[[bytes], int]  # the kernel's, for when nothing waits; raises OSError
    encrypted = False
    deflate = False
    _is_counted = False  # among the open WebSockets
    _last_write: Awaitable[None] | None = None

    def initialize(
        self, engine: EngineServer, access: AccessRules, failures: FailureLog, *, compression: bool
    ) -> None:
        """Take the session table, the rules of who may, and where failures are told."""
        self.engine = engine
        self._access = access
        self._failures = failures
        self._compression = compression
        self._poll_of: EngineSocket | None = None

    def set_default_headers(self) -> None:
        """Say nothing of what runs here, and let nobody guess types."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    def prepare(self) -> None:
        """Let a page of an allowed origin read the answer; count the request."""
        self.set_header("Vary", "Origin")
        self.set_header("Cache-Control", "no-store")
        self._origin = self.request.headers.get("Origin")
        self._is_foreign = not self._access.allows_origin(self.request)
        if self._origin is not None and not self._is_foreign:
            self.set_header("Access-Control-Allow-Origin", self._origin)
        try:
            self._access.spend_transport(self._access.address(self.request))
        except ApiError as error:
            self.set_header("Retry-After", str(max(1, round(error.retry_after_s or 1))))
            self._refuse(Refused(BAD_REQUEST, error.message, 429))

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open a WebSocket, or answer a poll."""
        is_websocket = self.request.headers.get("Upgrade", "").lower() == "websocket"
        try:
            self._check_query("websocket" if is_websocket else "polling")
            if not is_websocket:
                await self._poll()
                return
        except Refused as refused:
            self._refuse(refused)
            return
        self._agree_on_compression()
        try:
            await super().get(*args, **kwargs)
        finally:
            await self._ended()

    async def post(self) -> None:
        """Take the packets of a polling client."""
        try:
            self._check_query("polling")
            socket = self._polling_session()
            if len(self.request.body) > self.engine.max_http_buffer_size:
                self.engine.refuse(socket, "its payload is too large", "over_limit")
                limit = self.engine.max_http_buffer_size
                raise Refused(BAD_REQUEST, f"A payload may have {limit} bytes.", 413)
            try:
                await socket.receive_payload(self.request.body)
            except ProtocolError as error:
                self.engine.refuse(socket, str(error))
                raise Refused(BAD_REQUEST, f"The session ends, because {error}.") from None
        except Refused as refused:
            self._refuse(refused)
        else:
            self._say("ok")

    def options(self) -> None:
        """Answer a browser's preflight."""
        if self._origin is not None and not self._is_foreign:
            self.set_header("Access-Control-Allow-Methods", METHODS)
            self.set_header("Access-Control-Allow-Headers", "Content-Type")
            self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    def head(self) -> None:
        """Refuse every other method as the protocol says, which has a number for it."""
        self._refuse(Refused(BAD_METHOD, f"The method must be one of {METHODS}."))

    put = patch = delete = head

    def _check_query(self, transport: str) -> None:
        """Look at what every request has to say. Raises Refused."""
        named = self.get_query_argument("transport", "")
        if named not in ("polling", "websocket"):
            message = f"The transport must be polling or websocket, was {named[:40]!r}."
            raise Refused(UNKNOWN_TRANSPORT, message)
        if named != transport:
            raise Refused(BAD_REQUEST, f"A request for {named} came as one for {transport}.")
        if "j" in self.request.arguments:
            raise Refused(BAD_REQUEST, "JSONP is not spoken here.")
        sid = self.get_query_argument("sid", None)
        if sid is not None:
            if self.engine.session(sid) is None:
                raise Refused(UNKNOWN_SID, "There is no session of that id.")
            return
        if self.request.method != "GET":
            raise Refused(BAD_METHOD, "A session is opened by GET.")
        if self.get_query_argument("EIO", "") != "4":
            raise Refused(UNSUPPORTED_VERSION, "The protocol must be Engine.IO 4 (EIO=4).")
        if not self.engine.has_room_for(self._access.address(self.request)):
            raise Refused(BAD_REQUEST, "Your address has too many sessions that did not connect.", 429)

    def _polling_session(self) -> EngineSocket:
        """The session of a request, while it goes on over polling. Raises Refused."""
        if self._is_foreign:
            raise Refused(FORBIDDEN, "The origin of this page is not allowed here.", 403)
        socket = self.engine.session(self.get_query_argument("sid"))
        if socket is None or socket.upgraded:
            raise Refused(BAD_REQUEST, "The session goes on over a WebSocket.")
        return socket

    async def _poll(self) -> None:
        """Open a session, or wait for its packets. Raises Refused."""
        if "sid" in self.request.query_arguments:
            socket = self._polling_session()
        elif self._is_foreign:
            self._tell_foreign()
            return
        else:
            socket = await self.engine.open_session(self)
        self._poll_of = socket
        try:
            await socket.poll(self._answer_poll)
        except ProtocolError as error:
            self._poll_of = None
            raise Refused(BAD_REQUEST, str(error)) from None
        except StreamClosedError:
            self.on_connection_close()

    async def _answer_poll(self, text: str) -> None:
        self._poll_of = None
        await self._say(text)

    def on_connection_close(self) -> None:
        """End the session of a poll that was broken off: what it was to take would be lost."""
        super().on_connection_close()
        socket, self._poll_of = self._poll_of, None
        if socket is not None:
            reason = self.engine.reason.TRANSPORT_CLOSE
            self.engine.spawn(socket.close(abort=True, reason=reason))

    def _tell_foreign(self) -> None:
        """Refuse a page of a foreign origin so that it can read why: this answer alone is for it.

        A session that is opened and at once refused. The page's client hands it to ``connect_error``; nothing
        is kept here, and no other request of that origin can be read or does anything.
        """
        error = self.engine.check_origin(self)
        assert error is not None
        assert self._origin is not None
        self.set_header("Access-Control-Allow-Origin", self._origin)
        refusal = {"message": error.message, "data": {"code": error.code, "details": error.details}}
        greeting = self.engine.greeting(self.engine.generate_id(), [])
        self._say(SEPARATOR.join((greeting, "44" + orjson.dumps(refusal).decode())))

    def _say(self, text: str) -> Future[None]:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        return self.finish(text)

    def _refuse(self, refused: Refused) -> None:
        self.set_status(refused.status)
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps({"code": refused.code, "message": str(refused)}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Refuse what Tornado refuses: a method it does not know, a query that is no text."""
        if status_code == 405:
            self.head()
        else:
            self._refuse(Refused(BAD_REQUEST, "The request cannot be answered.", status_code))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tell of a failure without the address of the request, which holds the id of a session."""
        if value is not None and not isinstance(value, HTTPError):
            self._failures.log(logger, value, "a request for a stream failed")

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
        self.writing = self.stream.writing
        raw = self.stream.socket
        if self.stream.closed():
            return  # it was reset while it was greeted
        self.encrypted = isinstance(self.stream, SSLIOStream)
        self.send = self._send_encrypted if self.encrypted else raw.send
        if raw.family in (sockets.AF_INET, sockets.AF_INET6):
            raw.setsockopt(sockets.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES)
        self.engine.websockets += 1
        self._is_counted = True
        sid = self.get_query_argument("sid", None)
        if sid is None:
            self.socket = await self.engine.open_session(self, self)
            return
        socket = self.engine.session(sid)
        if socket is None or socket.upgraded:
            self.stream.close()  # a session has one WebSocket
            return
        socket.add_link(self)
        self.socket = socket

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
        self.engine.websockets -= self._is_counted
        self._is_counted = False
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
        """Keep bytes until the kernel takes them; who leaves too many unread is closed."""
        try:
            written = self.stream.write(data)
        except StreamClosedError:
            return
        self._last_write = written
        socket, size = self.socket, len(data)
        if socket is not None and not written.done():
            self.engine.holdings.hold(socket, size)
            written.add_done_callback(lambda _: self._drained(socket, size))
        self.written()

    def _drained(self, socket: EngineSocket, size: int) -> None:
        """The kernel took what waited: the session can be told what it has missed."""
        self.engine.holdings.release(socket, size)
        if socket.on_ready is not None and not self.stream.closed() and not self.stream.writing():
            socket.on_ready()

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
