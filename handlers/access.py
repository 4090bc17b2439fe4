"""Who may use the server, from where, and how much: origins, keys, addresses and allowances."""

from __future__ import annotations

import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from handlers.errors import ApiError

MAX_BUCKETS = 50_000  # addresses remembered; the one longest unused is forgotten first
WINDOW_S = 60


class Bucket:
    """A token bucket: ``capacity`` at once, refilled in ``window_s``."""

    __slots__ = ("_at", "_capacity", "_rate", "_tokens")

    def __init__(self, capacity: float, window_s: float, now: float) -> None:
        self._capacity = capacity
        self._rate = capacity / window_s
        self._tokens = capacity
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Spend ``cost`` if it is there."""
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    @property
    def left(self) -> int:
        """Whole tokens left."""
        return int(self._tokens)

    def wait_s(self, cost: float = 1.0) -> float:
        """Seconds until ``cost`` is there."""
        return max(0.0, (cost - self._tokens) / self._rate)


class AccessRules:
    """The doors. Raises ApiError with the code a client is told."""

    def __init__(
        self,
        *,
        origins: Sequence[str],
        api_keys: Sequence[str],
        trusted_proxies: Sequence[str],
        rate_limit_per_minute: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._keys = [key.encode() for key in api_keys]
        self._proxies = [ip_network(proxy) for proxy in trusted_proxies]
        self._limit = rate_limit_per_minute
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def allows_origin(self, origin: str, host: str, protocol: str) -> bool:
        """Whether a page of that origin may call: a listed one, or this server's own."""
        return origin in self._origins or origin == f"{protocol}://{host}"

    def address(self, request: HTTPServerRequest) -> str:
        """The client's address; a proxy's word counts only if the proxy is trusted."""
        address = _plain(str(request.remote_ip))
        forwarded = request.headers.get("X-Forwarded-For", "")
        for hop in reversed([item.strip() for item in forwarded.split(",") if item.strip()]):
            if not self._is_trusted(address):
                break
            address = hop if _is_address(hop) else address
        return address

    def check_key(self, headers: HTTPHeaders) -> None:
        """Refuse a request without a valid key, if keys are set."""
        bearer = headers.get("Authorization", "").removeprefix("Bearer ").strip()
        self.check_token(headers.get("X-API-Key", "") or bearer)

    def check_token(self, token: Any) -> None:
        """Refuse a wrong key, in a time that says nothing about the right one."""
        if not self._keys:
            return
        given = token.encode() if isinstance(token, str) else b""
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if not any(matches):
            why = "is not known" if given else "is missing"
            raise ApiError("UNAUTHORIZED", f"An API key is needed here and {why}.")

    def spend(self, address: str) -> dict[str, str]:
        """Count a request; return the headers that say what is left."""
        if not self._limit:
            return {}
        bucket = self._buckets.pop(address, None) or Bucket(self._limit, WINDOW_S, self._monotonic())
        self._buckets[address] = bucket  # moved to the end: most recently used
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        has_allowance = bucket.take(self._monotonic())
        headers = {
            "RateLimit-Policy": f'"default";q={self._limit};w={WINDOW_S}',
            "RateLimit": f'"default";r={bucket.left};t={math.ceil(bucket.wait_s(self._limit))}',
        }
        if not has_allowance:
            wait_s = bucket.wait_s()
            message = f"More than {self._limit} requests a minute; try again in {wait_s:.1f} s."
            raise ApiError("RATE_LIMITED", message, {"limit": self._limit}, math.ceil(wait_s), headers)
        return headers

    def _is_trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in proxy for proxy in self._proxies)


def _plain(address: str) -> str:
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
