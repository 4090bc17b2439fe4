"""A source with faults, put in where any source goes: by the composition root."""

from __future__ import annotations

from typing import Any

from feed.market.source import Restartable, Source, Update


class FaultySource:
    """Another source, which can be made to fail or to fall silent until it is restarted.

    ``fault`` is None, "silent" or "raises"; a restart ends it once ``restarts_needed`` of them came.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = source.name
        self.fault: str | None = None
        self.restarts_needed = 1
        self.restarts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def break_down(self, fault: str, restarts_needed: int = 1) -> None:
        self.fault, self.restarts_needed, self.restarts = fault, restarts_needed, 0

    def advance(self, now_ms: int) -> Update | None:
        if self.fault == "raises":
            raise ConnectionError("the venue at /secret/path hung up")
        return None if self.fault == "silent" else self._source.advance(now_ms)

    def restart(self, now_ms: int) -> None:
        self.restarts += 1
        if self.restarts < self.restarts_needed:
            raise ConnectionError("the venue at /secret/path refuses")
        self.fault = None
        assert isinstance(self._source, Restartable)
        self._source.restart(now_ms)
