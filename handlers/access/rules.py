"""Who may use the server, and from where: origins, keys, addresses."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from domain.errors import ErrorCode
from handlers.access.errors import ApiError
from handlers.access.keys import Keys
from handlers.access.rate_limit import NORMAL, WRONG_KEY, RateLimit
from schemas.configuration.api_keys import ApiKey

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded")  # a request that has one came through a proxy
CLIENT_PREFIX_V6 = 64  # what one subscriber gets of IPv6: an address of it is worth nothing
UNAUTHORIZED_HEADERS = {"WWW-Authenticate": "Bearer"}
HOW_TO_CONTROL = "the operator makes one for API_KEYS by `python server.py key NAME --scope control`"
THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")  # names of one machine, which a browser takes for three
REQUESTS_A_CLIENT = 5  # a second over /socket.io/: a poll for each state, its answers and pongs
ORIGINS_A_MINUTE = 10  # refused ones that are logged

logger = logging.getLogger(__name__)


class AccessRules:
    """The doors. Raises ApiError with the code a client is told."""

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        *,
        origins: Sequence[str],
        api_keys: Sequence[ApiKey],
        trusted_proxies: Sequence[str],
        rate_limit_per_minute: int,
        hosts: Sequence[str] = (),
        max_clients_per_address: int = 100,
        is_local: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._origins = frozenset(
            twin for origin in origins for twin in same_machine(origin.rstrip("/").lower())
        )
        self._hosts = frozenset(host.lower() for host in hosts)
        self._refused_origins = RefusedOrigins(monotonic)
        self.keys = Keys(api_keys)
        self._proxies = [ip_network(proxy) for proxy in trusted_proxies]
        self.rate_limit = RateLimit(rate_limit_per_minute, monotonic)
        self._transport_limit = RateLimit(60 * REQUESTS_A_CLIENT * max_clients_per_address, monotonic)
        self.is_local = is_local  # whether only this machine can reach the port

    def allows_origin(self, request: HTTPServerRequest) -> bool:
        """Whether the page that sends a request may call: none, a listed one, or this server's own.

        Own is only what nobody else can make lead here: an address, localhost, a name of ``server.hosts``, or
        what a trusted proxy tells. Any other name may be a page's own, whose owner had it lead to this
        machine after the page was loaded (DNS rebinding).
        """
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins:
            return True
        return origin == self._own_origin(request) and self._is_own_host(request)

    def check_origin(self, request: HTTPServerRequest) -> None:
        """Refuse a foreign page, and tell the operator of it. Raises FORBIDDEN_ORIGIN."""
        if self.allows_origin(request):
            return
        origin = request.headers.get("Origin", "")[:200]
        setting, advice = "server.frontend_url", "server.frontend_url (FRONTEND_URL) does not list it"
        if origin == self._own_origin(request):
            setting = "server.hosts"
            advice = "server.hosts (SERVER__HOSTS) does not list that name as one of this server's own"
        self._refused_origins.tell(origin, advice)
        details = {"origin": origin, "setting": setting}
        raise ApiError(
            ErrorCode.FORBIDDEN_ORIGIN, f"The origin {origin} is not allowed here: {advice}.", details
        )

    def _own_origin(self, request: HTTPServerRequest) -> str:
        return f"{self.protocol(request)}://{request.host}"

    def _is_own_host(self, request: HTTPServerRequest) -> bool:
        name = request.host_name.strip("[]").lower()
        is_known = name == "localhost" or name in self._hosts or _is_address(name)
        return is_known or self.is_proxy(unwrapped(str(request.remote_ip)))

    def address(self, request: HTTPServerRequest) -> str:
        """The client's address; a proxy's word counts only if the proxy is trusted."""
        address = unwrapped(str(request.remote_ip))
        forwarded = ",".join(request.headers.get_list("X-Forwarded-For"))
        for hop in reversed([item.strip() for item in forwarded.split(",") if item.strip()]):
            # what stands before a hop that is no address, nobody we trust has seen
            if not self.is_proxy(address) or not _is_address(hop):
                break
            address = unwrapped(hop)
        return address

    def protocol(self, request: HTTPServerRequest) -> str:
        """How the client reached us, which a trusted proxy that ends TLS has to tell."""
        named = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if named in ("http", "https") and self.is_proxy(unwrapped(str(request.remote_ip))):
            return named
        return request.protocol

    def is_proxy(self, address: str) -> bool:
        """Whether the operator vouches for what that address says of others."""
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in proxy for proxy in self._proxies)

    def key_of(self, headers: HTTPHeaders, address: str) -> ApiKey | None:
        """The key a request shows, None if it shows none. Raises UNAUTHORIZED, RATE_LIMITED."""
        scheme, _, bearer = headers.get("Authorization", "").partition(" ")
        token = headers.get("X-API-Key", "") or (bearer.strip() if scheme.lower() == "bearer" else "")
        return self.key_of_token(token, address)

    def key_of_token(self, token: Any, address: str) -> ApiKey | None:
        """The key that a token is, None without one. Raises UNAUTHORIZED, RATE_LIMITED.

        A wrong one is taken for a guess, and costs its address dearly. A right one is let in whatever others
        guessed from the same address: nobody should be able to lock a neighbour out.
        """
        if not self.keys or not isinstance(token, str) or not token:
            return None
        key = self.keys.find(token)
        if key is None:
            headers = self.spend(address, WRONG_KEY)
            raise _unauthorized("An API key is needed here and the one shown is not known.", headers)
        return key

    def check_reader(self, key: ApiKey | None) -> None:
        """Refuse who shows no key where keys are set."""
        if not self.keys.admits(key):
            raise _unauthorized("An API key is needed here and is missing.")

    def check_controller(self, key: ApiKey | None, request: HTTPServerRequest) -> None:
        """Refuse who may not steer the feed.

        On this machine, without keys, the setting that allows control is enough. Whoever may come from
        elsewhere needs a key for it: so too behind a proxy, and for a page that reached this machine under a
        name of its own (DNS rebinding).
        """
        if key is not None and key.may("control"):
            return
        if key is None and not self.keys and self._is_from_here(request):
            return
        shown = f"the key {key.name} may only {key.scope}" if key else "none was shown"
        raise _unauthorized(f"This needs an API key of the scope control, and {shown}; {HOW_TO_CONTROL}.")

    def client(self, key: ApiKey | None, address: str) -> str:
        """Who an allowance belongs to: the holder of a key, else the address."""
        return address if key is None else f"key:{key.name}"

    def spend(self, client: str, cost: float = NORMAL) -> dict[str, str]:
        """Count a request of a client (``client()``, or an address); return headers that say what is left."""
        return self.rate_limit.spend(subscriber(client), cost)

    def spend_transport(self, address: str) -> None:
        """Count a request of an address to ``/socket.io/``. Raises RATE_LIMITED."""
        self._transport_limit.spend(subscriber(address))

    def refund(self, client: str, cost: float = NORMAL) -> dict[str, str]:
        """Give back what a request cost too much, its answer having been there already."""
        return self.rate_limit.refund(subscriber(client), cost)

    def _is_from_here(self, request: HTTPServerRequest) -> bool:
        """Whether a request comes from this machine, as far as can be known."""
        return (
            self.is_local
            and not self._proxies
            and not any(name in request.headers for name in FORWARDED)
            and is_loopback(request.host_name)
        )


class RefusedOrigins:
    """Tells of each refused origin once a minute, and of few of them: a stranger may think up any number."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._minute = -1
        self._logged_origins: set[str] = set()

    def tell(self, origin: str, why: str) -> None:
        """Log a refusal."""
        minute = int(self._monotonic() // 60)
        if minute != self._minute:
            self._minute, self._logged_origins = minute, set()
        if origin not in self._logged_origins and len(self._logged_origins) < ORIGINS_A_MINUTE:
            self._logged_origins.add(origin)
            logger.warning("a page of %s was refused: %s", origin, why)


def same_machine(origin: str) -> list[str]:
    """An origin and, where it is one of this machine, the other ways a browser may call it."""
    scheme, _, rest = origin.partition("://")
    name = next((name for name in THIS_MACHINE if rest == name or rest.startswith(f"{name}:")), None)
    if name is None:
        return [origin]
    return [f"{scheme}://{twin}{rest.removeprefix(name)}" for twin in THIS_MACHINE]


def subscriber(client: str) -> str:
    """What counts as one client: an IPv6 address stands for its subscriber's network."""
    if ":" not in client or not _is_address(client):
        return client
    return str(IPv6Network((client.partition("%")[0], CLIENT_PREFIX_V6), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a name or an address reaches this machine only."""
    host = host.strip("[]")
    return host == "localhost" or (_is_address(host) and ip_address(unwrapped(host)).is_loopback)


def _unauthorized(message: str, headers: dict[str, str] | None = None) -> ApiError:
    return ApiError(ErrorCode.UNAUTHORIZED, message, headers={**(headers or {}), **UNAUTHORIZED_HEADERS})


def unwrapped(address: str) -> str:
    """An IPv4 address that a dual-stack socket wraps in IPv6, unwrapped; any other as it is."""
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return address if mapped is None else str(mapped)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
