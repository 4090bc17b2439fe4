"""A watcher that asks a server a small REST question again and again, and notes how long each took.

Its time is the event loop's lag as somebody outside feels it: what kept the loop, and the request itself.
"""

from __future__ import annotations

import http.client
import threading
import time
from types import TracebackType

from bench.load.servers import Server

QUESTION = "/health?probe=live"
PAUSE_S = 0.02  # each answer costs the server half a millisecond: 3 % of its core


class Probe:
    """``with Probe(server) as probe``: a thread that asks while the block runs."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._answers: list[tuple[float, float]] = []  # when asked (monotonic s), how long (ms)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_S):
            asked = time.monotonic()
            self._connection.request("GET", QUESTION)
            self._connection.getresponse().read()
            self._answers.append((asked, (time.monotonic() - asked) * 1000))

    def between(self, since: float, until: float) -> list[float]:
        """Answer times in ms, ascending, of questions that were open at any time between two instants."""
        return sorted(
            took for asked, took in list(self._answers) if asked + took / 1000 >= since and asked <= until
        )

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()


def percentile(ascending: list[float], share: float) -> float:
    """The value below which the share of values lies; nan of nothing."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else float("nan")
