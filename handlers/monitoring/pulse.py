"""Whether the streams reach clients: judged by what went out, and not by what came in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from domain.streams import STREAM_KINDS, StreamName
from feed.market.hysteresis import Verdict

LEAST_STILL_S = 10.0
BEATS = 3  # heartbeats that may be missing before a stream stands still
CYCLES = 5


class NamedStream(Protocol):
    """A stream, of which only the name matters here."""

    @property
    def name(self) -> StreamName:
        """What it is called."""
        ...


class Followed(Protocol):
    """Somebody's room: when it last went out, and how often it failed in vain since."""

    spoken_s: float | None
    failures: int

    @property
    def stream(self) -> NamedStream:
        """What is told in it."""
        ...


class Pulse:
    """When each kind of stream last went out, and what does not.

    A followed stream is told of at every change, and once in ``heartbeat_s`` without one; it is due when
    nothing was said for longer. ``failures`` : streams that could not be told, by kind, since the start.
    """

    def __init__(
        self,
        *,
        heartbeat_s: float,
        publish_interval_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failures: Counter[str] = Counter({str(kind): 0 for kind in STREAM_KINDS})
        self._due_after_s = max(heartbeat_s, publish_interval_s) + publish_interval_s
        self._still_after_s = max(LEAST_STILL_S, BEATS * heartbeat_s, CYCLES * publish_interval_s)
        self._monotonic = monotonic
        self._spoken_s: dict[str, float] = {}
        self._cycle_s: float | None = None

    def beat(self) -> None:
        """Take note that a publish cycle is over."""
        self._cycle_s = self._monotonic()

    def said(self, room: Followed) -> None:
        """Take note that a room was told where its stream stands."""
        room.spoken_s = self._spoken_s[room.stream.name.kind] = self._monotonic()

    def ages_s(self) -> dict[str, float | None]:
        """How long ago each kind of stream last went out; None for one that never did."""
        now_s = self._monotonic()
        spoken_s = {kind: self._spoken_s.get(kind) for kind in STREAM_KINDS}
        return {str(kind): None if at_s is None else now_s - at_s for kind, at_s in spoken_s.items()}

    def oldest_due_s(self, rooms: Iterable[Followed]) -> float:
        """Age of the oldest stream that is due; 0 where none is."""
        return max((age_s for age_s in map(self._age_s, rooms) if age_s > self._due_after_s), default=0.0)

    @property
    def stands_still(self) -> bool:
        """Whether the publish cycle itself has stopped: only a new process could mend that."""
        return self._cycle_s is not None and self._monotonic() - self._cycle_s > self._still_after_s

    def judge(self, rooms: Iterable[Followed]) -> Verdict:
        """Down where nothing goes out any more, degraded where a part of it does not."""
        if self._cycle_s is None:
            return Verdict(0, "Nothing was published yet.")
        if self.stands_still:
            age_s = self._monotonic() - self._cycle_s
            return Verdict(2, f"Nothing was published for {age_s:.0f} s.")
        followed = list(rooms)
        still = [room for room in followed if room.failures or self._age_s(room) > self._still_after_s]
        if not still:
            return Verdict(0, "Streams go out.")
        names = sorted({str(room.stream.name) for room in still})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        what = "All streams stand" if len(still) == len(followed) else "A part of the streams stands"
        return Verdict(1 + (len(still) == len(followed)), f"{what} still: {names[0]}{more}.")

    def figures(self, rooms: Iterable[Followed]) -> dict[str, Any]:
        """What the verdict rests on; ``failures`` : tries in vain since each stream last worked."""
        followed = list(rooms)
        in_vain = Counter({str(kind): 0 for kind in STREAM_KINDS})
        for room in followed:
            in_vain[str(room.stream.name.kind)] += room.failures
        ages_ms = {kind: None if age is None else round(age * 1000) for kind, age in self.ages_s().items()}
        return {
            "last_publish_age_ms": ages_ms,
            "failures": dict(in_vain),
            "oldest_due_age_ms": round(self.oldest_due_s(followed) * 1000),
        }

    def _age_s(self, room: Followed) -> float:
        return 0.0 if room.spoken_s is None else self._monotonic() - room.spoken_s
