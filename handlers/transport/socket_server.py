"""Socket.IO as we serve it: strict packets, rooms that leave quickly, refusals without tracebacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import socketio
from bidict import bidict
from engineio import packet as engineio_packet
from socketio import packet as socketio_packet

from handlers.monitoring.logs import FailureLog, RateLimitedLog
from handlers.transport.engine import EngineServer, ProtocolError

logger = logging.getLogger(__name__)

NAMESPACE = "/"
RESERVED_EVENTS = ("connect", "disconnect")  # the library calls handlers by these names itself


class Json:
    """orjson behind the interface that both libraries want."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Text of a value; NaN becomes null."""
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Value of a text."""
        return orjson.loads(text)


class StrictPacket(socketio_packet.Packet):
    """A packet without binary parts, which no event here takes or sends."""

    uses_binary_events = False

    def decode(self, encoded_packet: Any) -> int:
        """Parse a packet's text. Raises ProtocolError."""
        if not encoded_packet or encoded_packet[0] not in "01234":
            raise ProtocolError("it sent something that is no Socket.IO packet without attachments")
        try:
            attachments = super().decode(encoded_packet)
        except (ValueError, TypeError, RecursionError) as error:
            raise ProtocolError(f"it sent a malformed Socket.IO packet ({error})") from None
        if attachments:
            raise ProtocolError("it announced binary attachments")
        if self.packet_type == socketio_packet.EVENT:
            self._require_event()
        if self.packet_type == socketio_packet.CONNECT and not isinstance(self.data, dict | None):
            raise ProtocolError("its auth payload is no object")
        return 0

    def _require_event(self) -> None:
        if not (isinstance(self.data, list) and self.data and isinstance(self.data[0], str)):
            raise ProtocolError("its event has no name")
        if self.data[0] in RESERVED_EVENTS:
            raise ProtocolError("its event has a name that is the protocol's own")


class Rooms(socketio.AsyncManager):
    """The library's client manager, with an index of each client's rooms.

    The stock one walks over every room to find a client's when it leaves, and each client has a room of
    its own: 5,000 clients that vanish at once would block the loop for seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rooms_of: dict[str, set[Any]] = {}

    def pre_connect_sid(self, engine_sid: str, namespace: str) -> str | None:
        """Register a connection; None if the client is connected already."""
        everybody = self.rooms.setdefault(namespace, {}).setdefault(None, bidict())
        if engine_sid in everybody.inverse:
            return None
        sid: str = self.server.eio.generate_id()
        everybody[sid] = engine_sid
        self.rooms_of[sid] = set()
        self.pending_connect.setdefault(namespace, []).append(sid)
        return sid

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Register a connection that is not authenticated yet."""
        return self.pre_connect_sid(eio_sid, namespace)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Who is in a room; a client's own id is a room of one."""
        everybody = self.rooms.get(namespace, {}).get(None, {})
        if isinstance(room, str) and room in everybody:
            yield room, everybody[room]
        else:
            yield from super().get_participants(namespace, room)

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        """Put a client into a room."""
        super().basic_enter_room(sid, namespace, room, eio_sid)
        self.rooms_of[sid].add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a client out of a room."""
        super().basic_leave_room(sid, namespace, room)
        self.rooms_of.get(sid, set()).discard(room)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Take a client out of its rooms, and only of those."""
        for room in self.rooms_of.pop(sid, set()):
            super().basic_leave_room(sid, namespace, room)
        super().basic_leave_room(sid, namespace, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """The rooms a client is in."""
        return sorted(self.rooms_of.get(sid, ()), key=str)


class SocketServer(socketio.AsyncServer):
    """python-socketio over our transport; a client that breaks the protocol is disconnected."""

    packet_class: type[StrictPacket]
    eio: EngineServer

    def __init__(
        self, *, on_connected: Callable[[str, str], None], failures: FailureLog, **kwargs: Any
    ) -> None:
        self._failures = failures
        self._refusals = RateLimitedLog(logger)
        super().__init__(
            logger=_library_logger("socketio.server"),
            engineio_logger=_library_logger("engineio.server"),
            client_manager=Rooms(),
            on_refused=self._log_refusal,
            async_handlers=False,  # a client's events are handled in the order it sent them
            json=Json,
            namespaces=[NAMESPACE],
            **kwargs,
        )
        self.packet_class = StrictPacket
        self._on_connected = on_connected

    def _log_refusal(self, why: str) -> None:
        """One line for a client that was thrown out, and few lines for many."""
        self._refusals.log("a client was disconnected because %s", why)

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Dispatch a packet. Raises ProtocolError for the transport to act on."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is None:
            return
        try:
            await self._dispatch(eio_sid, self.packet_class(encoded_packet=data))
        except ProtocolError as error:
            self.eio.refuse(socket, str(error))
        except Exception as error:  # noqa: BLE001
            # nothing that one client sends may be anybody else's trouble
            self._failures.log(logger, error, "a packet of a client failed")
            self.eio.refuse(socket, "its packet failed", "internal")

    async def _dispatch(self, eio_sid: str, packet: StrictPacket) -> None:
        namespace = packet.namespace or NAMESPACE
        if packet.packet_type == socketio_packet.CONNECT and namespace not in self.namespaces:
            await self.send_event(eio_sid, f'4{namespace},{{"message":"Invalid namespace"}}')
        elif packet.packet_type == socketio_packet.CONNECT:
            await self._handle_connect(eio_sid, packet.namespace, packet.data)
            self._welcome(eio_sid, namespace)
        elif packet.packet_type == socketio_packet.DISCONNECT:
            await self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        elif packet.packet_type == socketio_packet.EVENT:
            if self.manager.sid_from_eio_sid(eio_sid, namespace) is None:
                raise ProtocolError("it sent an event before it was connected")
            await self._handle_event(eio_sid, packet.namespace, packet.id, packet.data)
        elif packet.packet_type == socketio_packet.CONNECT_ERROR:
            raise ProtocolError("it sent a CONNECT_ERROR packet")
        # nothing we send asks for an acknowledgement: one that comes is ignored

    def _welcome(self, eio_sid: str, namespace: str) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if sid is not None and self.manager.is_connected(sid, namespace):
            self.eio.sockets[eio_sid].connected_in_time()
            self._on_connected(sid, eio_sid)

    async def send_event(self, eio_sid: str, text: str) -> None:
        """Send an encoded Socket.IO packet to one client."""
        await self.eio.send_packet(eio_sid, engineio_packet.Packet(engineio_packet.MESSAGE, data=text))


def _library_logger(name: str) -> logging.Logger:
    """A library's logger, for its failures alone; one that is not given gets a handler of its own."""
    found = logging.getLogger(name)
    found.setLevel(logging.ERROR)
    return found
