"""The recorded source: frames of a recording, handed out as the clock passes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from feed.calendar import Calendar
from feed.instruments import Catalogue
from feed.recordings.frames import BadRow, Frame, RecordedChain
from feed.recordings.listing import Lister
from feed.recordings.reading import read_recording
from feed.recordings.text import local_day
from feed.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, FloatArray, Rows, Source, Update
from feed.universe import Listing, Universe

LAST_PRICE = UNDERLYING_FIELDS.index("last_price")
SINGLE_FRAME_STEP_MS = 60_000  # how long a recording of one instant lasts, for want of a second one


@runtime_checkable
class Replay(Source, Protocol):
    """A source that has a start and an end, and can go on from any instant between."""

    start_ms: int
    end_ms: int
    step_ms: int
    loop: bool

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out and nothing more will come."""
        ...

    def restart_ms(self, now_ms: int) -> int | None:
        """Where the clock is to go on once a looped recording is over, else None."""
        ...

    async def prepare(self, instant_ms: int) -> None:
        """Wait until what the state of an instant needs is read, so that seek() there need not."""
        ...

    def seek(self, instant_ms: int) -> int:
        """Go to an instant, or to the nearest covered, and return it."""
        ...

    def close(self) -> None:
        """Let go of what the recording is read from; nothing may be asked afterwards."""
        ...


class ReplaySource:
    """A recording as a source of prices.

    Its universe holds what the recording speaks of and nothing else: its underlyings, the expiries
    of the day, and every strike seen in them that day. A contract keeps its last recorded values
    until the day ends; the next day starts with nothing known. Bars of the day are not known, since
    a recording need not begin with the session.

    Whoever owns the clock starts it at ``start_ms`` and asks ``restart_ms`` before each step.
    """

    name = "replay"

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
        self._times = [frame.time_ms for frame in self._frames]
        self.loop = loop
        self.bad_rows = tuple(bad_rows)
        self.start_ms = self._times[0]
        self.end_ms = self._times[-1]
        self.step_ms = _step_ms(self._times)
        self._days = _days(self._frames, Lister(catalogue, calendar))
        self.universe = self._days[0].universe
        self.seek(self.start_ms)

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
        """The source of a recorded file; ``symbol`` and ``spot`` as in read_recording().

        Raises RecordingError.
        """
        recording = read_recording(
            path,
            closing_ms=Lister(catalogue, calendar).closing_ms,
            known_symbols=catalogue,
            symbol=symbol,
            spot=spot,
        )
        return cls(
            recording.frames,
            catalogue=catalogue,
            calendar=calendar,
            loop=loop,
            bad_rows=recording.bad_rows,
        )

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out and nothing more will come."""
        return not self.loop and self._next == len(self._frames)

    def restart_ms(self, now_ms: int) -> int | None:
        """Where the clock is to go on once a looped recording is over at ``now_ms``, else None.

        The last frame stands for ``step_ms``, as the others do.
        """
        return self.start_ms if self.loop and now_ms >= self.end_ms + self.step_ms else None

    async def prepare(self, instant_ms: int) -> None:
        """Nothing to wait for: a file is read whole."""

    def seek(self, instant_ms: int) -> int:
        """Go to an instant, or to the nearest the recording covers, and return it.

        The next advance() then tells the whole state of that instant.
        """
        self._now_ms = min(max(instant_ms, self.start_ms), self.end_ms)
        self._next = 0
        self._table: ReplayTable | None = None
        return self._now_ms

    def close(self) -> None:
        """Nothing is held open: a file is read whole."""

    def advance(self, now_ms: int) -> Update | None:
        """What was recorded up to ``now_ms`` since the last call, merged; None if nothing was.

        Time that goes back is a seek. The first update, one after a seek and one of a new day tell
        every field of every row, NaN where nothing is known.
        """
        if now_ms < self._now_ms:
            self.seek(now_ms)
        stop = bisect_right(self._times, now_ms)
        self._now_ms = max(now_ms, self._now_ms)
        if stop <= self._next:
            return None
        first, self._next = self._next, stop
        day = self._days[bisect_right(self._days, stop - 1, key=lambda day: day.first) - 1]
        afresh = self._table is None or self._table.universe is not day.universe
        if self._table is None or afresh:
            self._table = ReplayTable(day.universe)
            self.universe = day.universe
            first = day.first
        underlying_rows, contract_rows = self._table.overlay(self._frames[first:stop])
        time_ms = self._times[stop - 1]
        if afresh:
            return self._table.everything(time_ms)
        return self._table.part(time_ms, underlying_rows, contract_rows)


@dataclass(frozen=True, slots=True)
class _Day:
    """The frames of one day, from index ``first`` on, and what is listed in them."""

    first: int
    universe: Universe


class ReplayTable:
    """What is known after some frames: every field of every row, in the shape of a universe.

    ``underlyings`` : (underlying fields, underlyings); ``_contracts`` : (contract fields, contracts).
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.underlyings = np.full((len(UNDERLYING_FIELDS), len(universe.underlyings)), np.nan)
        self._contracts = np.full((len(CONTRACT_FIELDS), universe.contract_count), np.nan)

    def overlay(self, frames: Iterable[Frame]) -> tuple[Rows, Rows]:
        """Write frames over what was known; return the rows of underlyings and contracts they tell of."""
        underlying_rows: list[int] = []
        contract_rows: list[Rows] = [np.empty(0, np.intp)]
        for frame in frames:
            for symbol, spot in frame.spots.items():
                row = self.universe.row_of[symbol]
                self.underlyings[LAST_PRICE, row] = spot
                underlying_rows.append(row)
            for key, chain in frame.chains.items():
                contract_rows.append(self.write(self.universe.listing(*key), chain))
        return np.unique(np.array(underlying_rows, np.intp)), np.unique(np.concatenate(contract_rows))

    def write(self, listing: Listing, chain: RecordedChain) -> Rows:
        """Write what is recorded of a chain; return the rows of the contracts it tells of."""
        columns = np.searchsorted(listing.strikes, chain.strikes)
        starts = listing.rows.start + np.array([[0], [len(listing.strikes)]])
        present = chain.present()
        rows: Rows = (starts + columns)[present]
        self._contracts[:, rows] = chain.values[:, present]
        return rows

    def everything(self, time_ms: int) -> Update:
        """The whole state, universe included."""
        return Update(
            time_ms,
            _by_name(UNDERLYING_FIELDS, self.underlyings.copy()),
            _by_name(CONTRACT_FIELDS, self._contracts.copy()),
            universe=self.universe,
        )

    def part(self, time_ms: int, underlying_rows: Rows, contract_rows: Rows) -> Update:
        """The state of some rows."""
        return Update(
            time_ms,
            _by_name(UNDERLYING_FIELDS, self.underlyings[:, underlying_rows]),
            _by_name(CONTRACT_FIELDS, self._contracts[:, contract_rows]),
            underlying_rows,
            contract_rows,
        )


def _by_name(names: Sequence[str], values: FloatArray) -> dict[str, FloatArray]:
    return dict(zip(names, values, strict=True))


def _days(frames: Sequence[Frame], lister: Lister) -> list[_Day]:
    """The days of frames in order of time; all have the same underlyings, so their rows stay."""
    symbols = {symbol for frame in frames for symbol, _ in frame.chains}
    symbols.update(symbol for frame in frames for symbol in frame.spots)
    days = []
    first = 0
    for _, same_day in groupby(frames, key=lambda frame: local_day(frame.time_ms)):
        told = list(same_day)
        days.append(_Day(first, lister.universe(sorted(symbols), told)))
        first += len(told)
    return days


def _step_ms(times: Sequence[int]) -> int:
    """The usual time from one frame to the next."""
    gaps = np.diff(np.unique(times))
    return int(np.median(gaps)) if len(gaps) else SINGLE_FRAME_STEP_MS
