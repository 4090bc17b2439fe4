"""Time as an argument: the wall clock, and a virtual one with a start and a speed.

Instants are integers: milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

CATCH_UP_S = 60  # after a longer stop (a suspended laptop) the wall clock goes on from now


class Clock(Protocol):
    """The market's time, and the instants at which it is to be advanced."""

    def now_ms(self) -> int:
        """The market's present."""
        ...

    def due(self) -> int | None:
        """The next instant to advance the market to, or None while it is not reached."""
        ...

    @property
    def step_ms(self) -> int:
        """Market time between two of those instants."""
        ...

    @property
    def virtual(self) -> VirtualClock | None:
        """The clock itself where its time is made and may wait, be set and stand still; else None."""
        ...


class WallClock:
    """Real time, ticking on a grid of ``step_ms`` so that a late tick does not shift the others."""

    def __init__(self, step_ms: int, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._step_ms = step_ms
        self._wall_ns = wall_ns
        self._last_ms = self.now_ms() // step_ms * step_ms

    def now_ms(self) -> int:
        """The present."""
        return self._wall_ns() // 1_000_000

    @property
    def step_ms(self) -> int:
        """The grid."""
        return self._step_ms

    @property
    def virtual(self) -> None:
        """Real time waits for nobody."""
        return None

    def due(self) -> int | None:
        """The next instant of the grid that has passed; after a long stop the latest one."""
        now_ms = self.now_ms()
        # a clock set back must not freeze the market until it has caught up
        if now_ms - self._last_ms > CATCH_UP_S * 1000 or now_ms < self._last_ms - self._step_ms:
            self._last_ms = now_ms // self._step_ms * self._step_ms
            return self._last_ms
        if now_ms < self._last_ms + self._step_ms:
            return None
        self._last_ms += self._step_ms
        return self._last_ms


class VirtualClock:
    """A market time of its own: starts at ``start_ms`` and runs ``speed`` times as fast as real time.

    It stands still between two steps of ``step_ms``, and never skips one: what is seen at a virtual
    instant is the same on a busy machine, only later.
    """

    def __init__(
        self,
        start_ms: int,
        step_ms: int,
        speed: float = 1.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._now_ms = start_ms
        self._step_ms = step_ms
        self._speed = speed
        self._monotonic_ns = monotonic_ns
        self._paused = False
        self._anchor()

    def _anchor(self) -> None:
        self._anchor_ns = self._monotonic_ns()
        self._anchor_ms = self._now_ms

    def now_ms(self) -> int:
        """The instant of the last step."""
        return self._now_ms

    def due(self) -> int | None:
        """Take the next step if its time has come, and return its instant."""
        if self._paused:
            return None
        elapsed_ms = (self._monotonic_ns() - self._anchor_ns) * self._speed / 1e6
        if self._now_ms + self._step_ms > self._anchor_ms + elapsed_ms:
            return None
        return self.step()

    def step(self) -> int:
        """Take the next step now, and return its instant."""
        self._now_ms += self._step_ms
        return self._now_ms

    @property
    def speed(self) -> float:
        """Market seconds for a real second."""
        return self._speed

    @property
    def step_ms(self) -> int:
        """Market time of a step."""
        return self._step_ms

    @property
    def virtual(self) -> VirtualClock:
        """The clock itself."""
        return self

    @property
    def step_s(self) -> float:
        """Real seconds between two steps."""
        return self._step_ms / self._speed / 1000

    @property
    def paused(self) -> bool:
        """Whether the market stands still."""
        return self._paused

    def set_speed(self, speed: float, step_ms: int | None = None) -> None:
        """Go on from here at another speed, and if one is given with another step."""
        self._speed = speed
        self._step_ms = step_ms or self._step_ms
        self._anchor()

    def pause(self) -> None:
        """Stand still until resume()."""
        self._paused = True

    def resume(self) -> None:
        """Go on from here."""
        self._paused = False
        self._anchor()

    def seek(self, instant_ms: int) -> None:
        """Go on from another instant."""
        self._now_ms = instant_ms
        self._anchor()
