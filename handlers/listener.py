"""The HTTP server's own doors: how many connections an address may hold, and how long a request may take."""

from __future__ import annotations

import copy
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.iostream import IOStream

from handlers.access import subscriber, unwrapped

CONNECTIONS_A_CLIENT = 6  # what a browser opens to one server, beside its WebSocket


class Listener(HTTPServer):
    """Tornado's server for strangers.

    An address holds at most ``max_per_address`` connections that are no WebSocket; those of a trusted proxy,
    which are many people's, ``is_proxy`` excepts. A new connection must send its first request within
    ``connect_timeout_s``, and any body, else it is closed; later ones may keep quiet for ``idle_timeout_s``.
    Who takes nothing of an answer for that long is closed too.
    """

    conn_params: HTTP1ConnectionParameters

    def initialize(  # type: ignore[override]
        self,
        *args: Any,
        connect_timeout_s: float,
        idle_timeout_s: float,
        max_per_address: int,
        is_proxy: Callable[[str], bool],
        on_refused: Callable[[], None],
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
        self._open: Counter[str] = Counter()
        self._begun: set[object] = set()

    @property
    def open_connections(self) -> int:
        """Connections that are no WebSocket."""
        return sum(self._open.values())

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve a connection, if its address may have one more."""
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
