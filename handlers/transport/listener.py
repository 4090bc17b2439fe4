"""The HTTP server's own doors: how many connections there may be, and how long a request may take."""

from __future__ import annotations

import copy
import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPInputError, HTTPMessageDelegate
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import add_accept_handler

from handlers.access.rules import subscriber, unwrapped
from handlers.transport.descriptors import Descriptors

CONNECTIONS_A_CLIENT = 6  # what a browser opens to one server, beside its WebSocket
NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE_S = 1.0  # how long nobody is accepted when there is no descriptor for one


class ListeningSocket:
    """A socket as Tornado accepts from it, which pauses where accepting fails for want of descriptors.

    The loop would call again at once, and again: a busy loop with a traceback at each turn.
    """

    def __init__(
        self,
        listening: socket.socket,
        take: Callable[[socket.socket, Any], None],
        descriptors: Descriptors,
    ) -> None:
        self._listening = listening
        self._take = take
        self._descriptors = descriptors
        self._stop: Callable[[], None] | None = None
        self._pause: object | None = None
        self._begin()

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._listening.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Raises BlockingIOError while there is none, or no descriptor for it."""
        try:
            return self._listening.accept()
        except OSError as error:
            if error.errno not in NO_DESCRIPTOR:
                raise
            self._descriptors.ran_out(f"{error.strerror}; trying again in {PAUSE_S:g} s")
            self.close()
            self._pause = IOLoop.current().call_later(PAUSE_S, self._begin)
            raise BlockingIOError from error

    def close(self) -> None:
        """Accept nobody any more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        if self._pause is not None:
            IOLoop.current().remove_timeout(self._pause)
            self._pause = None

    def _begin(self) -> None:
        self._pause = None
        self._stop = add_accept_handler(self, self._take)  # type: ignore[arg-type]


class Listener(HTTPServer):
    """Tornado's server for strangers.

    There are at most ``descriptors.connections`` connections. An address holds at most ``max_per_address``
    that are no WebSocket; those of a trusted proxy, which are many people's, ``is_proxy`` excepts. A new
    connection must send its first request within ``connect_timeout_s``, and any body, else it is closed;
    later ones may keep quiet for ``idle_timeout_s``. Who takes nothing of an answer for that long is closed
    too.
    """

    conn_params: HTTP1ConnectionParameters

    def initialize(  # type: ignore[override]  # noqa: PLR0913 - Tornado's constructor
        self,
        *args: Any,
        connect_timeout_s: float,
        idle_timeout_s: float,
        max_per_address: int,
        is_proxy: Callable[[str], bool],
        on_refused: Callable[[], None],
        descriptors: Descriptors,
        websockets: Callable[[], int],
        **options: Any,
    ) -> None:
        """Take what Tornado takes, and the limits."""
        options |= {"idle_connection_timeout": idle_timeout_s, "body_timeout": connect_timeout_s}
        super().initialize(*args, **options)
        self._first_request = copy.copy(self.conn_params)
        self._first_request.header_timeout = connect_timeout_s
        self._idle_timeout_ms = round(idle_timeout_s * 1000)
        self._max_per_address = max_per_address
        self._is_proxy = is_proxy
        self._on_refused = on_refused
        self._descriptors = descriptors
        self._websockets = websockets
        self._open: Counter[str] = Counter()
        self._begun: set[object] = set()

    @property
    def open_connections(self) -> int:
        """Connections that are no WebSocket."""
        return sum(self._open.values())

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections from these sockets, while there are descriptors for them."""
        for listening in sockets:
            self._sockets[listening.fileno()] = listening
            accepting = ListeningSocket(listening, self._handle_connection, self._descriptors)
            self._handlers[listening.fileno()] = accepting.close

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve a connection, if there may be one more, and its address may have it."""
        if self.open_connections + self._websockets() >= self._descriptors.connections:
            self._descriptors.ran_out(f"all {self._descriptors.connections} connections are open")
            self._on_refused()
            stream.close()
            return
        if stream.socket.family in (socket.AF_INET, socket.AF_INET6):
            client = unwrapped(address[0])
            if self._open[subscriber(client)] >= self._max_per_address and not self._is_proxy(client):
                self._on_refused()
                stream.close()
                return
            # an answer that nobody reads: the kernel gives up where Tornado would wait for ever
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._idle_timeout_ms)
            self._open[subscriber(client)] += 1
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Begin to read a request; the first one of a connection has to come soon."""
        parse = request_conn._parse_headers  # type: ignore[attr-defined]
        request_conn._parse_headers = partial(strict_headers, parse)  # type: ignore[attr-defined]
        if server_conn not in self._begun:
            self._begun.add(server_conn)
            request_conn.params = self._first_request  # type: ignore[attr-defined]
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Take note that a connection ended, or became a WebSocket."""
        self._begun.discard(server_conn)
        context: Any = server_conn.context  # type: ignore[attr-defined]
        client = subscriber(unwrapped(context.remote_ip))
        if client in self._open:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
        super().on_close(server_conn)


def strict_headers(parse: Callable[[bytes], tuple[str, HTTPHeaders]], data: bytes) -> tuple[str, HTTPHeaders]:
    """A request's head as Tornado parses it. Raises HTTPInputError where a line ends in a bare line feed.

    RFC 9112 section 2.2 lets a server take one; a proxy in front that does not would see other requests.
    """
    if data.count(b"\n") != data.count(b"\r\n"):
        raise HTTPInputError("a line must end in CR LF")
    return parse(data)
