"""Who is let in to the streams: origin, key, and room for one more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from tornado.web import RequestHandler

from domain.errors import ErrorCode
from handlers.access.errors import ApiError
from handlers.access.rules import AccessRules, subscriber
from schemas.configuration.api_keys import ApiKey


class ClientLimits:
    """What clients may take; see ``[limits]`` of settings.toml."""

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        *,
        max_clients: int,
        max_clients_per_address: int,
        max_subscriptions: int,
        max_events_per_second: int,
        max_message_bytes: int,
        connect_timeout_s: float,
        slow_client_timeout_s: float,
        max_write_buffer_bytes: int,
    ) -> None:
        self.max_clients = max_clients
        self.max_clients_per_address = max_clients_per_address
        self.max_subscriptions = max_subscriptions
        self.max_events_per_second = max_events_per_second
        self.max_message_bytes = max_message_bytes
        self.connect_timeout_s = connect_timeout_s
        self.slow_client_timeout_s = slow_client_timeout_s
        self.max_write_buffer_bytes = max_write_buffer_bytes


class ClientSession(NamedTuple):
    """Where a client comes from, and the key it showed."""

    address: str
    key: ApiKey | None


class Admission:
    """The clients that were let in, and why others were not.

    ``sessions`` : those that are here, by ``sid``; ``refused`` : how many were turned away, by code.
    """

    def __init__(self, access: AccessRules, limits: ClientLimits) -> None:
        self.sessions: dict[str, ClientSession] = {}
        self.per_address: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.peak = 0
        self.total = 0
        self._access = access
        self.limits = limits

    def describe(self, handler: RequestHandler) -> dict[str, Any]:
        """What is kept of a connection's request: little, since it is kept as long as the client stays."""
        request = handler.request
        return {
            "REMOTE_ADDR": self._access.address(request),
            "foreign": self._foreign(handler),
        }

    def check_origin(self, handler: RequestHandler) -> ApiError | None:
        """Why the page of a request is turned away, and count it; None if it may connect."""
        error = self._foreign(handler)
        if error is not None:
            self.refused[error.code] += 1
        return error

    def _foreign(self, handler: RequestHandler) -> ApiError | None:
        try:
            self._access.check_origin(handler.request)
        except ApiError as error:
            return error
        return None

    def admit(self, sid: str, environ: Mapping[str, Any], auth: Any) -> None:
        """Let a client in. Raises ApiError with the code it is told."""
        address = environ["REMOTE_ADDR"]
        try:
            key = self._check(environ, auth, address)
        except ApiError as error:
            self.refused[error.code] += 1
            raise
        self.per_address[subscriber(address)] += 1
        self.sessions[sid] = ClientSession(address, key)

    def leave(self, sid: str) -> None:
        """Free a client's place; nothing, if it was never let in."""
        session = self.sessions.pop(sid, None)
        if session is not None:
            network = subscriber(session.address)
            self.per_address[network] -= 1
            if not self.per_address[network]:
                del self.per_address[network]

    def welcomed(self, count: int) -> None:
        """Take note that one more is here, which makes ``count``."""
        self.total += 1
        self.peak = max(self.peak, count)

    def admits(self, key: ApiKey | None) -> bool:
        """Whether who came with ``key`` would be let in now."""
        return self._access.keys.admits(key)

    def count_crowded(self) -> None:
        """Take note of a connection refused because its address holds as many as it may."""
        self.refused[ErrorCode.RATE_LIMITED] += 1

    def _check(self, environ: Mapping[str, Any], auth: Any, address: str) -> ApiKey | None:
        """Check origin, key and room for one more; return the key that was shown. Raises ApiError."""
        foreign: ApiError | None = environ["foreign"]
        if foreign is not None:
            raise foreign
        key = self._access.key_of_token(auth.get("token") if isinstance(auth, dict) else None, address)
        self._access.check_reader(key)
        if len(self.sessions) >= self.limits.max_clients:
            limit = self.limits.max_clients
            raise ApiError(
                ErrorCode.RATE_LIMITED, f"The server has its {limit} clients.", {"max_clients": limit}
            )
        limit = self.limits.max_clients_per_address
        if self.per_address[subscriber(address)] >= limit:
            message = f"Your address has its {limit} connections."
            raise ApiError(ErrorCode.RATE_LIMITED, message, {"max_clients_per_address": limit})
        return key
