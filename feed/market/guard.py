"""A fence around each part of the process: what fails is counted and told, and stops nobody else.

docs/failures.md lists the parts: what is told of each, where it is counted, and what health makes of it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

logger = logging.getLogger(__name__)

LOG_EVERY_S = 60.0  # a part that fails at every step must not fill the log
RECENT_S = 10.0  # so long after its last failure a part counts as failing

# the parts, and the part of /health that each is judged with
PARTS: Mapping[str, str] = {
    "step": "feed",
    "market": "feed",
    "recorder": "history",
    "minute_metrics": "history",
    "past_volatility": "history",
    "valuation": "streams",
    "streams": "streams",
    "expiries": "streams",
    "closed_candles": "streams",
    "alerts": "streams",
    "observers": "streams",
    "market_status": "streams",
    "feed_status": "streams",
    "relay": "feed",
    "clients": "clients",
    "timers": "clients",
    "loop_lag": "event_loop",
    "health": "event_loop",
    "watchdog": "event_loop",
}

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Latest:
    """The newest failure of a part."""

    at_s: float
    kind: str
    logged_s: float
    logged_count: int


class Guard:
    """The failures of the parts of one server.

    ``failures`` : how often each part failed since the start, by its name in ``PARTS``.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.failures: Counter[str] = Counter(dict.fromkeys(PARTS, 0))
        self._monotonic = monotonic
        self._latest: dict[str, _Latest] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Run a part; what it raises is noted and goes no further."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self.note(name, error)

    def wraps(self, name: str, action: Callable[Arguments, Result]) -> Callable[Arguments, Result | None]:
        """The action as a part: where it raises it answers None."""

        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result | None:
            try:
                return action(*args, **kwargs)
            except Exception as error:  # noqa: BLE001
                self.note(name, error)
                return None

        return guarded

    def note(self, name: str, error: Exception, of: str = "") -> None:
        """Count a failure, and log it unless one of that part was logged a short while ago."""
        now_s = self._monotonic()
        self.failures[name] += 1
        latest = self._latest.get(name)
        if latest is None:
            latest = self._latest[name] = _Latest(now_s, "", now_s - LOG_EVERY_S, 0)
        latest.at_s, latest.kind = now_s, type(error).__name__
        if now_s - latest.logged_s >= LOG_EVERY_S:
            count = self.failures[name] - latest.logged_count
            latest.logged_s, latest.logged_count = now_s, self.failures[name]
            what = f"{name} ({of})" if of else name
            logger.error("%s failed (%d times since the last such line)", what, count, exc_info=error)

    def trouble(self, health_part: str) -> str | None:
        """What failed a short while ago of what is judged with a part of health, in a sentence."""
        now_s = self._monotonic()
        for name, latest in self._latest.items():
            age_s = now_s - latest.at_s
            if PARTS[name] == health_part and age_s < RECENT_S:
                count = self.failures[name]
                return f"{name} failed {age_s:.0f} s ago ({latest.kind}), {count} times since the start."
        return None
