"""What every replay does: where it stands in its frames, and what is known there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import numpy as np

from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, FloatArray, Rows, Update
from feed.market.universe import Listing, Universe
from feed.recordings.frames import Frame, RecordedChain

LAST_PRICE = UNDERLYING_FIELDS.index("last_price")


class Replay(ABC):
    """A source of recorded frames: it has a start and an end, and goes on from any instant between.

    Whoever owns the clock starts it at ``start_ms`` and asks ``restart_ms`` before each step. ``times`` are
    the frames', ascending; ``step_ms`` is how long the last one stands, as the others do.
    """

    name = "replay"
    universe: Universe

    def __init__(self, times: Sequence[int], *, step_ms: int, loop: bool) -> None:
        self.start_ms, self.end_ms = times[0], times[-1]
        self.step_ms = step_ms
        self.loop = loop
        self.times = times
        self.seek(self.start_ms)

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out and nothing more will come."""
        return not self.loop and self._next == len(self.times)

    def restart_ms(self, now_ms: int) -> int | None:
        """Where the clock is to go on once a looped recording is over at ``now_ms``, else None."""
        return self.start_ms if self.loop and now_ms >= self.end_ms + self.step_ms else None

    async def prepare(self, instant_ms: int) -> None:  # noqa: B027 (what is read whole needs no wait)
        """Wait until what the state of an instant needs is read, so that seek() there need not."""

    def seek(self, instant_ms: int) -> int:
        """Go to an instant, or to the nearest the recording covers, and return it.

        The next advance() then tells the whole state of that instant.
        """
        self._now_ms = min(max(instant_ms, self.start_ms), self.end_ms)
        self._next = 0
        self._table: ReplayTable | None = None
        return self._now_ms

    def advance(self, now_ms: int) -> Update | None:
        """What was recorded up to ``now_ms`` since the last call, merged; None if nothing was.

        Time that goes back is a seek. The first update, and one after a seek, tell every field of every row,
        NaN where nothing is known. What a call that raises did not tell, a later one tells.
        """
        if now_ms < self._now_ms:
            self.seek(now_ms)
        stop = bisect_right(self.times, now_ms)
        self._now_ms = max(now_ms, self._now_ms)
        if stop <= self._next:
            return None
        update = self._update(self._next, stop)
        self._next = stop
        return update

    @abstractmethod
    def _update(self, first: int, stop: int) -> Update:
        """Frames from ``first`` to before ``stop``, merged into ``_table``, which is None after a seek."""

    def close(self) -> None:  # noqa: B027 (what is read whole holds nothing open)
        """Let go of what the recording is read from; nothing may be asked afterwards."""


class ReplayTable:
    """What is known after some frames: every field of every row, in the shape of a universe.

    ``underlyings`` : (underlying fields, underlyings); ``_contracts`` : (contract fields, contracts).
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.underlyings = np.full((len(UNDERLYING_FIELDS), len(universe.underlyings)), np.nan)
        self._contracts = np.full((len(CONTRACT_FIELDS), universe.contract_count), np.nan)
        self._forwards = np.full(len(universe.listings), np.nan)

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
        self._forwards[listing.row] = chain.forward
        return rows

    def everything(self, time_ms: int) -> Update:
        """The whole state, universe included."""
        return Update(
            time_ms,
            _by_name(UNDERLYING_FIELDS, self.underlyings.copy()),
            _by_name(CONTRACT_FIELDS, self._contracts.copy()),
            universe=self.universe,
            forwards=self._forwards.copy(),
        )

    def part(self, time_ms: int, underlying_rows: Rows, contract_rows: Rows) -> Update:
        """The state of some rows."""
        return Update(
            time_ms,
            _by_name(UNDERLYING_FIELDS, self.underlyings[:, underlying_rows]),
            _by_name(CONTRACT_FIELDS, self._contracts[:, contract_rows]),
            underlying_rows,
            contract_rows,
            forwards=self._forwards.copy(),
        )


def _by_name(names: Sequence[str], values: FloatArray) -> dict[str, FloatArray]:
    return dict(zip(names, values, strict=True))
