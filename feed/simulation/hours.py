"""When each group moves, and how much variance and volume goes by: the clocks of the live path.

With exchange hours the clocks stand between sessions, so that the night comes as one gap at the open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS
from feed.simulation.activity import Activity
from feed.simulation.factors import EQUITY, GROUPS
from feed.simulation.parameters import FloatArray


@dataclass(frozen=True, slots=True)
class Elapsed:
    """One step: what moves, and the days of variance and volume that went by; arrays are (groups,)."""

    minutes: float
    moving: NDArray[np.bool_]
    variance: FloatArray
    volume: FloatArray
    opened: NDArray[np.bool_]


class Hours:
    """The days of both groups as the live path goes through them.

    ``now_ms`` is where it stands; ``volume`` : (groups,) counts days of volume up to there.
    """

    def __init__(self, activities: Sequence[Activity], start_ms: int, *, always: bool) -> None:
        self._activities = activities
        self._always = always
        self.now_ms = start_ms
        self.days = [activity.day_of(start_ms) for activity in activities]
        self._in_session = [not always and day.open_ms <= start_ms for day in self.days]
        self._opened = np.zeros(GROUPS, dtype=bool)
        at_ms = [
            start_ms if always or inside else activity.previous_day(day).close_ms
            for activity, day, inside in zip(activities, self.days, self._in_session, strict=True)
        ]
        pairs = list(zip(activities, at_ms, strict=True))
        self._variance = np.array([activity.variance_at(instant_ms) for activity, instant_ms in pairs])
        self.volume = np.array([activity.volume_at(instant_ms) for activity, instant_ms in pairs])

    def next_event(self) -> tuple[int, int, bool]:
        """The next open or close: instant, group, whether it is an open. With ``always`` no open counts."""
        events = []
        for group, day in enumerate(self.days):
            opens = not (self._always or self._in_session[group])
            events.append((day.open_ms if opens else day.close_ms, group, opens))
        return min(events)

    def reread(self) -> bool:
        """Follow a calendar that was read anew; return whether it was."""
        changed = [activity.extend(self.now_ms) for activity in self._activities]
        if any(changed):
            self.days = [activity.day_of(self.now_ms) for activity in self._activities]
        return any(changed)

    def open(self, group: int) -> None:
        """A session begins: the next step has its first price."""
        self._in_session[group] = True
        self._opened[group] = True

    def close(self, group: int) -> None:
        """A session ends; the group's next day is the one in course."""
        activity = self._activities[group]
        self._in_session[group] = False
        activity.extend(self.now_ms)
        self.days[group] = activity.day_of(self.now_ms)

    def moving(self) -> NDArray[np.bool_]:
        """Which groups move at this time: (groups,)."""
        return np.array([self._always or inside for inside in self._in_session])

    def step(self, now_ms: int, halted: NDArray[np.bool_]) -> Elapsed:
        """Go to an instant before which nothing opens or closes; ``halted`` : (groups,) stand still."""
        moving = self.moving()
        variance, volume = np.zeros(GROUPS), np.zeros(GROUPS)
        for group in np.flatnonzero(moving).tolist():
            activity = self._activities[group]
            clocks = activity.variance_at(now_ms), activity.volume_at(now_ms)
            variance[group] = clocks[0] - self._variance[group]
            volume[group] = clocks[1] - self.volume[group]
            self._variance[group], self.volume[group] = clocks
        moving &= ~halted
        opened = self._opened & moving
        self._opened &= ~opened
        minutes = (now_ms - self.now_ms) / MINUTE_MS
        self.now_ms = now_ms
        return Elapsed(minutes, moving, variance * moving, volume * moving, opened)

    def begins_session(self, group: int, elapsed: Elapsed) -> bool:
        """Whether the step that ended here went through an open."""
        open_ms = self.days[group].open_ms
        before_ms = self.now_ms - elapsed.minutes * MINUTE_MS
        return bool(elapsed.opened[group]) or (self._always and before_ms < open_ms <= self.now_ms)

    def spot_stands(self, now_ms: int) -> bool:
        """Whether shares have closed and their derivatives have not: then the futures tick on alone."""
        day = self.days[EQUITY]
        return day.spot_close_ms < now_ms <= day.close_ms

    def trading_days(self) -> list[date]:
        """The day in course of each group."""
        return [day.day for day in self.days]

    def variance_to(self, instants_ms: FloatArray, group: int, sessions_per_year: float) -> FloatArray:
        """The clock of variance at instants: (n,)."""
        return self._activities[group].variance_until(instants_ms, sessions_per_year)

    def variance_at(self, instant_ms: int) -> FloatArray:
        """The clocks of variance at an instant: (groups,)."""
        return np.array([activity.variance_at(instant_ms) for activity in self._activities])

    def volume_at(self, instants_ms: Sequence[int]) -> FloatArray:
        """The clocks of volume at one instant for each group: (groups,)."""
        pairs = zip(self._activities, instants_ms, strict=True)
        return np.array([activity.volume_at(instant_ms) for activity, instant_ms in pairs])
