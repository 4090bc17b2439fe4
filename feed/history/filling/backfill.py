"""The past that a source can tell, laid where the store has a hole.

A source's path ends where its live path begins. On a first start all of it is taken as it is. After a stop
the path of the new start leads through the gap: what is stored stays, and the piece of path between two
stored candles is bent so that it joins both.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection

from domain.intervals import Interval
from feed.history.filling.bridging import fitted
from feed.history.store.candle_rows import add_volatilities, day_row, write_days, write_minutes
from feed.history.store.database import write_rows
from feed.history.store.problems import HistoryError
from feed.history.store.reader import Reader, filled_key
from feed.history.store.registry import Registry
from feed.history.store.tables import meta
from feed.history.store.writer import Writer
from feed.market.candles import Candles, SessionGrid, source_code
from feed.market.source import Columns, KnowsPast

logger = logging.getLogger(__name__)

_LONGEST_MS = 400 * 86_400_000  # of a gap that is counted in sessions
_TRIES, _RETRY_S = 3, 1.0  # a reader may meet a writer that takes long
_PATIENCE_S = 5.0  # for a filled symbol to reach the store; a stalled disk must not hold up the others

Progress = Callable[[int, int], None]
Adopt = Callable[[str, Candles, Candles], None]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back to go, in sessions."""

    daily_sessions: int = 500
    minute_sessions: int = 30


class Backfill:
    """Fills the store symbol by symbol on a thread of its own; what is done is not done again.

    ``adopt`` is called with the minutes and days of each symbol, to be known in memory as well. Symbols that
    somebody asked for come first; with ``eager=False`` only those are filled.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        source: KnowsPast,
        grids: Mapping[str, SessionGrid],
        reader: Reader,
        writer: Writer,
        *,
        before_ms: int,
        reach: Reach,
        adopt: Adopt,
        eager: bool = True,
    ) -> None:
        self._source = source
        self._grids = grids
        self._reader = reader
        self._writer = writer
        self._registry = Registry()
        self._before_ms = before_ms
        self._reach = reach
        self._adopt = adopt
        self._eager = eager
        self._stopping = False
        self._changed = threading.Condition()
        self._volatilities: dict[str, Mapping[date, float]] = {}
        self._left = dict.fromkeys(grids)  # in order
        self._requested: list[str] = []
        self._filled: dict[str, Future[None]] = {symbol: Future() for symbol in grids}
        self._thread: threading.Thread | None = None

    def again(self) -> Backfill:
        """One that has begun to fill another store with the same past; this one ends."""
        self.stop()
        other = Backfill(
            self._source,
            self._grids,
            self._reader,
            self._writer,
            before_ms=self._before_ms,
            reach=self._reach,
            adopt=self._adopt,
            eager=self._eager,
        )
        other.start(lambda done, total: None)
        return other

    def start(self, progress: Progress) -> None:
        """Begin to fill; ``progress`` is called from the thread with what is done and what there is to do."""
        self._thread = threading.Thread(
            target=self._run, args=(progress,), name="history-backfill", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End after the symbol in hand."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def is_done(self) -> bool:
        """Whether the past of every symbol is filled."""
        return all(filled.done() for filled in self._filled.values())

    def ready(self, symbol: str) -> Future[None]:
        """Fill a symbol next; the answer is done once its past can be read. Raises KeyError."""
        found = self._filled[symbol]
        with self._changed:
            if not found.done() and symbol not in self._requested:
                self._requested.append(symbol)
                self._changed.notify_all()
        return found

    def volatilities(self, symbol: str) -> Mapping[date, float]:
        """What the source tells of the near month's volatility at the end of past sessions; in any thread.

        Known at once, before the symbol is filled: no candle is made for it. Raises KeyError.
        """
        found = self._volatilities.get(symbol)
        if found is None:
            answer = self._source.session_volatilities(symbol, self._reach.daily_sessions)
            grid = self._grids[symbol]
            found = {
                grid.day_at(time_ms).day: volatility
                for time_ms, volatility in zip(
                    answer["time_ms"].tolist(), answer["atm_iv"].tolist(), strict=True
                )
                if volatility == volatility
            }
            self._volatilities[symbol] = found
        return found

    def _fill_patiently(self, symbol: str) -> bool:
        """Fill a symbol, again where the store fails for a moment; False when this is to end."""
        for _ in range(_TRIES):
            try:
                with self._reader.database.translating():
                    return self._fill(symbol)
            except HistoryError as error:
                problem = error
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, _RETRY_S):
                    return False
        logger.warning("the past of %s could not be filled: %s", symbol, problem)
        return True

    def _run(self, progress: Progress) -> None:
        total = len(self._left)
        try:
            while (symbol := self._next()) is not None:
                progress(total - len(self._left) - 1, total)
                try:
                    if not self._fill_patiently(symbol):
                        return
                except Exception:
                    # one symbol's past must not cost the others theirs
                    logger.exception("the past of %s could not be filled", symbol)
                self._filled[symbol].set_result(None)
            if not self._left:
                progress(total, total)
        finally:
            for found in self._filled.values():
                if not found.done():
                    found.set_result(None)

    def _next(self) -> str | None:
        """The symbol to fill, None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or not self._left or self._eager or any(self._requested_first())
            )
            if self._stopping or not self._left:
                return None
            symbol = next(self._requested_first(), None) or next(iter(self._left))
            del self._left[symbol]
            return symbol

    def _requested_first(self) -> Iterator[str]:
        return (symbol for symbol in self._requested if symbol in self._left)

    def _fill(self, symbol: str) -> bool:
        """Fill one symbol; False when the writer has ended."""
        grid = self._grids[symbol]
        sessions = self._sessions(symbol, grid)
        path = candles_of(self._source, self._source.minute_candles(symbol, sessions))
        path = path.between(-1, self._before_ms)
        first_ms = int(path.time_ms[0]) if len(path) else self._before_ms
        # from the day's start on: with hours="always" it has minutes before its session
        stored = self._reader.minutes(symbol, grid.day_at(first_ms).start_ms, self._before_ms)
        missing = fitted(path, stored, grid.day_at(self._before_ms).start_ms)
        minutes = Candles.merge([missing, stored])
        is_long = sessions == self._reach.minute_sessions
        days = self._days(symbol, grid, minutes, self._reach.daily_sessions if is_long else 0)
        if len(missing) or len(days):
            self._adopt(symbol, minutes, days)
        volatilities = _Volatilities(self.volatilities(symbol), source_code(self._source.name))
        job = FillJob(self._registry, symbol, missing, days, volatilities, grid, self._before_ms)
        # what somebody waits for does not wait for others: there are no more of these than symbols
        ahead = len(self._grids) if symbol in self._requested else 2
        is_taken = self._writer.offer(job, ahead=ahead)
        self._writer.drain(_PATIENCE_S)
        return is_taken

    def _sessions(self, symbol: str, grid: SessionGrid) -> int:
        """How many sessions of minutes may have holes: all at first, later those since the last fill."""
        filled_ms = self._reader.filled_until_ms(symbol)
        if filled_ms is None or filled_ms > self._before_ms:
            return self._reach.minute_sessions
        days = grid.days(max(filled_ms, self._before_ms - _LONGEST_MS), self._before_ms + 1)
        return min(len(days), self._reach.minute_sessions)

    def _days(self, symbol: str, grid: SessionGrid, minutes: Candles, sessions: int) -> Candles:
        """Daily candles of complete days: made of minutes, or of the path where there are none."""
        answer = self._source.daily_candles(symbol, sessions) if sessions else None
        path = candles_of(self._source, answer) if answer else Candles.empty()
        today = grid.day_at(self._before_ms)
        made = grid.resample(Interval.ONE_DAY, minutes)
        made = made.take(made.time_ms < today.open_ms)
        if not len(path):
            return made
        first, last = (grid.day_at(int(path.time_ms[place])).day for place in (0, -1))
        stored, _ = self._reader.days(symbol, first, last, lambda day: grid.day(day).open_ms)
        before = path.take(path.time_ms < (made.time_ms[0] if len(made) else today.open_ms))
        return Candles.merge([fitted(before, Candles.merge([stored, made]), today.start_ms), made])


@dataclass(frozen=True, slots=True)
class _Volatilities:
    """Volatilities by session, for those daily candles that are of the same source."""

    of: Mapping[date, float]
    source: int


class FillJob:
    """What one symbol lacks, as one transaction; stored candles stay as they are."""

    urgent = True

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        registry: Registry,
        symbol: str,
        minutes: Candles,
        days: Candles,
        volatilities: _Volatilities,
        grid: SessionGrid,
        until_ms: int,
    ) -> None:
        self._registry = registry
        self._symbol = symbol
        self._minutes = minutes
        self._days = days.of_width(0)  # told, and not made of anything
        self._volatilities = volatilities
        self._grid = grid
        self._until_ms = until_ms

    def write(self, connection: Connection) -> None:
        """Write it; see ``feed.history.store.writer.Job``."""
        symbol_id = self._registry.symbol_ids(connection, [self._symbol])[self._symbol]
        write_minutes(connection, {symbol_id: self._minutes}, replace=False)
        rows = [
            day_row(symbol_id, self._grid.day_at(time_ms).day, self._days, row)
            for row, time_ms in enumerate(self._days.time_ms.tolist())
        ]
        write_days(connection, rows)
        add_volatilities(connection, symbol_id, self._volatilities.of, self._volatilities.source)
        write_rows(connection, meta, [{"key": filled_key(self._symbol), "value": str(self._until_ms)}])

    def undo(self) -> None:
        """Forget numbers that the failed transaction was to keep."""
        self._registry.clear()


def candles_of(past: KnowsPast, bars: Columns) -> Candles:
    """What a source tells as candles."""
    names = ("open", "high", "low", "close", "volume", "open_interest")
    columns = [np.asarray(bars[name], np.float64) for name in names]
    return Candles.of(np.asarray(bars["time_ms"], np.int64), columns, source_code(past.name))
