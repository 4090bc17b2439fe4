"""File descriptors: how many connections they allow, and what is done when they run out."""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from handlers.monitoring.logs import RateLimitedLog

RESERVED = 64  # for files, the history store, listening sockets and what the loop itself needs
REQUEST_SHARE = 0.1  # of the connections: for requests beside the sockets of clients
SHORT_FOR_S = 15.0  # how long a shortage is told after it was last met

logger = logging.getLogger(__name__)


class Descriptors:
    """How many connections the open-file limit of this process allows, and whether it is met.

    ``limit`` : file descriptors the process may have; ``connections`` : how many of them connections may be.
    """

    def __init__(self, limit: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.connections = max(1, limit - RESERVED)
        self._monotonic = monotonic
        self._short_at_s: float | None = None
        self._log = RateLimitedLog(logger, per_minute=1, monotonic=monotonic)

    def allowed_clients(self, desired: int) -> int:
        """How many clients may be let in of those the settings want; one line where that is fewer."""
        most = max(1, int(self.connections * (1 - REQUEST_SHARE)))
        if desired <= most:
            return desired
        logger.warning(
            "limits.max_clients is %d instead of %d: the process may have %d file descriptors "
            "(raise the hard limit, `ulimit -Hn` or LimitNOFILE of systemd)",
            most,
            desired,
            self.limit,
        )
        return most

    def ran_out(self, why: str) -> None:
        """Take note of a shortage; it is logged once a minute."""
        self._short_at_s = self._monotonic()
        self._log.log("no descriptors are left for another connection: %s", why)

    @property
    def is_short(self) -> bool:
        """Whether somebody was turned away for want of a descriptor a moment ago."""
        return self._short_at_s is not None and self._monotonic() - self._short_at_s < SHORT_FOR_S


def raise_limit() -> None:
    """Raise the soft limit on open files to the hard one, as servers do: shells set it for small programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # a system may refuse the very limit it names (macOS)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_file_limit() -> int:
    """How many descriptors this process may have."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
