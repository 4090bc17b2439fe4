"""What answers while there is no market: at a feed that is a standby, at an edge before its first image."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ssl import SSLContext

import orjson
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from domain.errors import ErrorCode
from domain.market import HealthStatus, Role
from schemas.envelope import refusal, success

RETRY_AFTER_S = 2


class Waiting:
    """Says so on the port of the server to be; ``reason`` is a sentence, as it is now."""

    def __init__(
        self, role: Role, version: str, now_ms: Callable[[], int], ssl_options: SSLContext | None = None
    ) -> None:
        self.role = role
        self.reason = ""
        self._server = HTTPServer(
            Application(
                [
                    (r"/health", _HealthHandler, {"waiting": self, "version": version, "now_ms": now_ms}),
                    (r"/metrics", _MetricsHandler, {"role": role}),
                    (r".*", _RefusingHandler, {"waiting": self, "now_ms": now_ms}),
                ],
                log_function=lambda _handler: None,
            ),
            ssl_options=ssl_options,
        )

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Answer on copies of sockets, which stay open."""
        self._server.add_sockets([item.dup() for item in sockets])

    async def stop(self) -> None:
        """Hang up, so that whoever asks again asks the server."""
        self._server.stop()
        await self._server.close_all_connections()


class _HealthHandler(RequestHandler):
    """A standby is well, though nobody is to be sent to it; an edge without a market is down."""

    def initialize(self, waiting: Waiting, version: str, now_ms: Callable[[], int]) -> None:
        self.waiting, self.version, self.now_ms = waiting, version, now_ms

    def get(self) -> None:
        probe = self.get_query_argument("probe", "")
        is_standby = self.waiting.role == Role.FEED
        is_well = probe == "live" or (is_standby and probe != "ready")
        status = HealthStatus.OK if is_well else HealthStatus.DOWN
        self.set_status(200 if is_well else 503)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        part = {
            "status": HealthStatus.OK if is_standby else HealthStatus.DOWN,
            "reason": self.waiting.reason,
            "role": self.waiting.role,
            "leads": False,
        }
        data = {"status": status, "version": self.version, "parts": {"relay": part}}
        self.finish(orjson.dumps({**success(self.now_ms()), "data": data}))


class _MetricsHandler(RequestHandler):
    """The two figures that an alert looks for."""

    def initialize(self, role: Role) -> None:
        self.role = role

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        lines = ["# TYPE market_ready gauge", "market_ready 0"]
        name = "market_relay_leader" if self.role == Role.FEED else "market_relay_connected"
        lines += [f"# TYPE {name} gauge", f"{name} 0"]
        self.finish("\n".join(lines) + "\n")


class _RefusingHandler(RequestHandler):
    """Everything else comes later."""

    def initialize(self, waiting: Waiting, now_ms: Callable[[], int]) -> None:
        self.waiting, self.now_ms = waiting, now_ms

    def prepare(self) -> None:
        self.set_status(503)
        self.set_header("Retry-After", str(RETRY_AFTER_S))
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Access-Control-Allow-Origin", "*")  # it says nothing that is anybody's
        self.finish(orjson.dumps(refusal(self.now_ms(), ErrorCode.FEED_UNAVAILABLE, self.waiting.reason, {})))
