"""The recorded source: frames of a recording, handed out as the clock passes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from feed.market.source import Update
from feed.market.universe import Universe
from feed.recordings.frames import BadRow, Frame
from feed.recordings.listing import Lister
from feed.recordings.reading import FrontDoor, Options
from feed.recordings.text import local_day
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.replay.playback import Replay, ReplayTable

SINGLE_FRAME_STEP_MS = 60_000  # how long a recording of one instant lasts, for want of a second one


class ReplaySource(Replay):
    """A recording as a source of prices.

    Its universe holds what the recording speaks of and nothing else: its underlyings, the expiries
    of the day, and every strike seen in them that day. A contract keeps its last recorded values
    until the day ends; the next day starts with nothing known. Bars of the day are not known, since
    a recording need not begin with the session.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        catalogue: Catalogue,
        calendar: Calendar,
        loop: bool = False,
        bad_rows: Sequence[BadRow] = (),
    ) -> None:
        self._frames = sorted(frames, key=lambda frame: frame.time_ms)
        if not self._frames:
            raise ValueError("a recording must hold at least one frame, had none")
        self.bad_rows = tuple(bad_rows)
        self._days = _days(self._frames, Lister(catalogue, calendar))
        self.universe = self._days[0].universe
        times = [frame.time_ms for frame in self._frames]
        super().__init__(times, step_ms=_step_ms(times), loop=loop)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        catalogue: Catalogue,
        calendar: Calendar,
        symbol: str | None = None,
        spot: float | None = None,
        loop: bool = False,
    ) -> ReplaySource:
        """The source of a recorded file; ``symbol`` and ``spot`` as in ``Options``. Raises RecordingError."""
        recording = FrontDoor(catalogue, calendar, Options(symbol, spot)).recording(path)
        return cls(
            recording.frames,
            catalogue=catalogue,
            calendar=calendar,
            loop=loop,
            bad_rows=recording.bad_rows,
        )

    def _update(self, first: int, stop: int) -> Update:
        """The frames; the first update of a new day tells every field of every row."""
        day = self._days[bisect_right(self._days, stop - 1, key=lambda day: day.first) - 1]
        afresh = self._table is None or self._table.universe is not day.universe
        if self._table is None or afresh:
            self._table = ReplayTable(day.universe)
            self.universe = day.universe
            first = day.first
        underlying_rows, contract_rows = self._table.overlay(self._frames[first:stop])
        time_ms = self.times[stop - 1]
        if afresh:
            return self._table.everything(time_ms)
        return self._table.part(time_ms, underlying_rows, contract_rows)


@dataclass(frozen=True, slots=True)
class _RecordedDay:
    """The frames of one day, from index ``first`` on, and what is listed in them."""

    first: int
    universe: Universe


def _days(frames: Sequence[Frame], lister: Lister) -> list[_RecordedDay]:
    """The days of frames in order of time; all have the same underlyings, so their rows stay."""
    symbols = {symbol for frame in frames for symbol, _ in frame.chains}
    symbols.update(symbol for frame in frames for symbol in frame.spots)
    days = []
    first = 0
    for _, same_day in groupby(frames, key=lambda frame: local_day(frame.time_ms)):
        recorded = list(same_day)
        days.append(_RecordedDay(first, lister.universe(sorted(symbols), recorded)))
        first += len(recorded)
    return days


def _step_ms(times: Sequence[int]) -> int:
    """The usual time from one frame to the next."""
    gaps = np.diff(np.unique(times))
    return int(np.median(gaps)) if len(gaps) else SINGLE_FRAME_STEP_MS
