"""How much a client may ask for: a token bucket each, from which a request takes what it costs."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from domain.errors import ErrorCode
from handlers.access.errors import ApiError

WINDOW_S = 60
MAX_BUCKETS = 50_000  # clients remembered; the one longest unused is forgotten first
# What a request costs, by its route; a minute's allowance (1,200 by default) is counted in NORMAL ones. At
# twenty a second come back, a page that asks for two of the dearest every second never runs dry.
CHEAP = 0.25  # from memory: health, lists, status, documents
NORMAL = 1.0  # a published state: one encoding at most
HEAVY = 8.0  # the database or the solver: pages of history, the past, strategies
CACHED_SHARE = 0.25  # of its cost, where the answer was there already or the client had it (304)
WRONG_KEY = 20.0  # a guess: one a second is more than a person mistypes


class Bucket:
    """A token bucket: ``capacity`` at once, refilled in ``window_s``."""

    __slots__ = ("_at", "_capacity", "_rate", "tokens")

    def __init__(self, capacity: float, window_s: float, now: float) -> None:
        self._capacity = capacity
        self._rate = capacity / window_s
        self.tokens = capacity
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Spend ``cost`` if it is there."""
        self.tokens = min(self._capacity, self.tokens + (now - self._at) * self._rate)
        self._at = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def give_back(self, cost: float) -> None:
        """Undo part of a ``take``."""
        self.tokens = min(self._capacity, self.tokens + cost)

    @property
    def left(self) -> int:
        """Whole tokens left."""
        return int(self.tokens)

    def wait_s(self, cost: float = 1.0) -> float:
        """Seconds until ``cost`` is there."""
        return max(0.0, (cost - self.tokens) / self._rate)


class RateLimit:
    """The buckets of all clients; ``per_minute`` 0 is no limit."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self.monotonic = monotonic
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()

    def spend(self, client: str, cost: float = NORMAL) -> dict[str, str]:
        """Take what a request costs; return the headers that say what is left. Raises RATE_LIMITED."""
        if not self._limit:
            return {}
        bucket = self.buckets.pop(client, None) or Bucket(self._limit, WINDOW_S, self.monotonic())
        self.buckets[client] = bucket  # moved to the end: most recently used
        if len(self.buckets) > MAX_BUCKETS:
            self.buckets.popitem(last=False)
        cost = min(cost, self._limit)  # else a small allowance would never let a dear request through
        has_allowance = bucket.take(self.monotonic(), cost)
        headers = self._headers(bucket)
        if not has_allowance:
            wait_s = bucket.wait_s(cost)
            message = f"More than {self._limit} requests a minute; try again in {wait_s:.1f} s."
            raise ApiError(
                ErrorCode.RATE_LIMITED, message, {"limit": self._limit}, math.ceil(wait_s), headers
            )
        return headers

    def refund(self, client: str, cost: float = NORMAL) -> dict[str, str]:
        """Give back what a kept answer did not cost after all; return the headers as they are then."""
        bucket = self.buckets.get(client)
        if bucket is None:
            return {}
        bucket.give_back(min(cost, self._limit) * (1 - CACHED_SHARE))
        return self._headers(bucket)

    def _headers(self, bucket: Bucket) -> dict[str, str]:
        """The names of the draft standard, and those before it that clients know."""
        reset_s = math.ceil(bucket.wait_s(self._limit))
        return {
            "RateLimit-Policy": f'"default";q={self._limit};w={WINDOW_S}',
            "RateLimit": f'"default";r={bucket.left};t={reset_s}',
            "RateLimit-Limit": str(self._limit),
            "RateLimit-Remaining": str(bucket.left),
            "RateLimit-Reset": str(reset_s),
        }
