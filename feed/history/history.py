"""History: durable candles and chains, recorded beside the market and never in its way.

``record`` runs on the loop and only counts; one thread writes, a few read. What is not on the disk yet is
served from memory, so a reader sees every minute whether the disk keeps up or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Connection

from domain.instants import MINUTE_MS
from domain.market import HealthStatus, MarketHours
from feed.history.answers import PATIENCE_S, Answers
from feed.history.archive.sessions import SessionFiles, span_of
from feed.history.filling.backfill import Backfill, Progress, Reach
from feed.history.filling.today import TodayJob, missing_today
from feed.history.maintenance.checking import quick_fault
from feed.history.maintenance.upkeep import PruneJob, Retention, RewindJob
from feed.history.memory.recent import MINUTES
from feed.history.open_interest import OpenInterestSeries
from feed.history.previous_interest import PreviousInterest
from feed.history.previous_run import PreviousRun, read_previous_run
from feed.history.recorder import Recorder, Remembered
from feed.history.session_figures import SessionFigures
from feed.history.state import HistoryState
from feed.history.store.database import Database
from feed.history.store.jobs import MinuteJob, MinutesJob
from feed.history.store.problems import HistoryError
from feed.history.store.registry import Registry
from feed.history.store.stored_chain import StoredChain
from feed.history.store.writer import KeptMinutes, Writer, WriterHealth
from feed.market.candles import Candles, ClosedCandle
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.source import KnowsPast
from feed.reference.calendar import Calendar
from feed.reference.instruments import Underlying
from feed.valuation.minute_metrics import ChainMetrics, Valuation

__all__ = [
    "ChainMetrics",
    "ClosedCandle",
    "History",
    "HistoryError",
    "OpenInterestSeries",
    "Reach",
    "Retention",
    "StoredChain",
    "WriterHealth",
]

_PRUNE_EVERY_MS = 600_000
_CHAIN_DAYS_IN_MEMORY = 1  # a session of all chains is some tens of megabytes


class History:
    """Candles of every underlying and a record of every chain, minute by minute.

    ``answers`` has what was recorded, ``sessions`` what can be said of whole trading days.

    ``url`` names the store (see ``Database``), None keeps it in memory. ``hours`` is how the market runs
    (see ``feed.market.candles``). The writer commits within ``flush_interval_s``; at most ``queue_limit``
    minutes wait for it. ``valuation`` gives the figures of a closed minute; the writer's
    thread calls it, so it must not touch the market. One that ``follows`` reads a store that another process
    writes, and remembers what is not in there yet; ``term`` is that of a feed that leads.
    Days that are archived in a folder are read there, and leave the store.
    Raises HistoryError where the store cannot be used.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        url: str | None,
        *,
        calendar: Calendar,
        hours: str = "exchange",
        flush_interval_s: float = 5.0,
        queue_limit: int = 64,
        readers: int = 2,
        retention: Retention | None = None,
        valuation: Valuation | None = None,
        follows: bool = False,
        term: int | None = None,
        archive_folder: Path | None = None,
    ) -> None:
        self._flush_interval_s = flush_interval_s
        self._queue_limit = queue_limit
        self._registry = Registry()
        self.database = Database(url, readers, on_renewed=self._begin_anew)
        self.database.term = term
        self.database.open(exclusive=not (follows and self.database.is_durable))
        write = KeptMinutes if follows else Writer
        self._writer = write(self.database, flush_interval_s=flush_interval_s, queue_limit=queue_limit)
        files = (
            SessionFiles(archive_folder) if archive_folder is not None and self.database.is_durable else None
        )
        self._state = HistoryState(self.database, self._writer, calendar, hours, readers, files)
        self.answers = Answers(self._state)
        self.sessions = SessionFigures(self._state, self.answers)
        self.previous_interest = PreviousInterest(self._state.reader, calendar)
        self._retention = retention or Retention()
        if not self.database.is_durable:
            self._retention = replace(self._retention, chains_days=_CHAIN_DAYS_IN_MEMORY)
        self._valuation = valuation
        self._pruned_ms = 0
        self._fault: Future[str | None] | None = None
        self.is_paused = False  # while it is not known what happens
        self._started_ms = 0

    @property
    def recorder(self) -> Recorder:
        """What is counted on the loop. Raises RuntimeError before the start."""
        return self._state.started()

    def unstored_ms(self) -> int:
        """From which minute on nothing is in the store yet."""
        waiting = (job.minute.start_ms for job in self._writer.pending() if isinstance(job, MinuteJob))
        return min(waiting, default=self.recorder.minute_ms)

    def lead(self, term: int) -> None:
        """Write under another term from here on."""
        self.database.term = term

    def follow(self, market: Market, told: Callable[[str], Mapping[date, float]]) -> None:
        """Begin to count a market that another process records; ``told`` are its source's volatilities."""
        self._state.told_volatilities = told
        underlyings = market.universe.underlyings
        self._state.know(underlyings)
        self._state.recorder = self._make_recorder(market)

    def stored_until(self, unstored_ms: int) -> None:
        """Forget the minutes that the process that records has stored."""
        if isinstance(self._writer, KeptMinutes):
            self._writer.forget(unstored_ms)

    def previous_run(self, underlyings: Sequence[Underlying], now_ms: int) -> PreviousRun | None:
        """Where the last run of a simulated market left the underlyings; None in memory."""
        if not self.database.is_durable:
            return None
        self._state.know(underlyings)
        with self._closing_on_failure():
            return read_previous_run(self._state.reader, underlyings, self._state.grid, now_ms)

    def start(
        self,
        market: Market,
        now_ms: int,
        past: KnowsPast | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """Take up the day where the store left it, and begin to write. Before the first ``record``.

        Or where another process left it that ``remembered`` more than it stored.

        What the store lacks of the running day is told by ``past``: by a simulated market, which counts its
        day from what was before the start.
        """
        underlyings = market.universe.underlyings
        self._started_ms = now_ms - now_ms % MINUTE_MS
        self._state.know(underlyings)
        recorder = self._state.recorder = self._make_recorder(market)
        with self._closing_on_failure():
            if remembered is None:
                self._load(recorder, now_ms, past)
            else:
                self._take_over(recorder, now_ms, remembered)
        self._writer.start()
        self._fault = self._state.pool.submit(quick_fault, self.database)

    def _make_recorder(self, market: Market) -> Recorder:
        return Recorder(
            market.universe,
            [self._state.grid(underlying.symbol) for underlying in market.universe.underlyings],
            self._writer,
            self._registry,
            source=market.source,
            part_every_ms=round(self._flush_interval_s * 1000),
        )

    def backfill(
        self,
        source: KnowsPast,
        progress: Progress = lambda done, total: None,
        reach: Reach | None = None,
        *,
        eager: bool = True,
    ) -> Backfill:
        """Fill what the store lacks of the past before the start from what a source tells.

        In the background: ``stop`` ends it, ``join`` of the answer waits for it. ``progress`` is called from
        its thread with what is done and what there is to do. Whoever reads a symbol waits until its past is
        there; with ``eager=False`` that is what makes it be filled.
        """
        recorder = self._state.started()
        self._state.backfill = Backfill(
            source,
            {symbol: self._state.grid(symbol) for symbol in recorder.names},
            self._state.reader,
            self._writer,
            before_ms=self._started_ms,
            reach=reach or Reach(),
            adopt=recorder.adopt,
            eager=eager,
        )
        self._state.backfill.start(progress)
        return self._state.backfill

    def _begin_anew(self) -> None:
        """Another store is at the place of the one there was: its past is to be filled too."""
        self._registry.clear()
        if self._state.backfill is not None:
            self._state.backfill = self._state.backfill.again()

    def lay_over(self, symbol: str, minutes: Candles) -> None:
        """Take minutes of an underlying that were missed, in place of what was recorded of them."""
        self._state.started().lay_over(symbol, minutes)
        self._writer.put(MinutesJob(self._registry, symbol, minutes))

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Write what is left, the minute being formed included, and close the store."""
        if self._state.backfill is not None:
            self._state.backfill.stop()
        if self._state.recorder is not None:
            self._state.recorder.finish()
        await asyncio.get_running_loop().run_in_executor(None, self._writer.stop, timeout_s)
        self._state.pool.shutdown(wait=True, cancel_futures=True)
        self.database.close()

    def record(self, market: Market, now_ms: int) -> list[ClosedCandle]:
        """Count the market's state as published at ``now_ms``; returns the candles that became final.

        To be called with every step of the clock, also when nothing arrived: that is what closes a minute.
        What prices went through on the way, if the latest update tells it, counts in that minute.
        """
        if self.is_paused:
            return []
        if abs(now_ms - self._pruned_ms) >= _PRUNE_EVERY_MS and not self._writer.pending():
            self._pruned_ms = now_ms
            self._writer.put(PruneJob(self._retention, now_ms, self._archived()))
        return self._state.started().record(market, now_ms, self._valuation)

    def _archived(self) -> list[tuple[int, int]]:
        """Spans of the days that stand in files, and so may leave the store."""
        return [] if self._state.files is None else [span_of(day) for day in self._state.files.days()]

    def rewind(self, to_ms: int) -> None:
        """Follow a clock that was set on purpose: what is known from ``to_ms`` on is forgotten.

        A durable store keeps it: what is recorded there is never deleted by a seek.
        """
        recorder = self._state.started()
        recorder.rewind(to_ms)
        if not self.database.is_durable and recorder.names:
            days = (self._state.grid(symbol).day_at(to_ms).day for symbol in recorder.names)
            job = RewindJob(recorder.encoder, to_ms, min(days))
            if self._writer.put(job):
                self._state.forgetting = job.is_done

    def skip(self, to_ms: int) -> None:
        """Follow a clock that was put forward on purpose: nothing is known of what lies between."""
        recorder = self._state.started()
        recorder.finish()  # the running minute ends where it stands
        recorder.rewind(to_ms)

    async def flush(self, timeout_s: float = PATIENCE_S) -> bool:
        """Have everything that was recorded written at once; False if it was not in time."""
        if len(self._writer.pending()) < self._queue_limit:  # a full queue is written at once anyway
            self._writer.put(_Nothing())
        return await asyncio.get_running_loop().run_in_executor(None, self._writer.drain, timeout_s)

    def fail_while(self, is_down: Callable[[], bool]) -> None:
        """Have reading fail on purpose while something holds."""
        self._state.is_down_on_purpose = is_down

    async def settle(self, clock: Clock) -> None:
        """Under a virtual clock be complete: what is answered must not depend on real time."""
        if clock.virtual is not None:
            await self.flush()

    async def make_room(self) -> None:
        """Wait while the writer is far behind: for a clock that may stand still meanwhile."""
        if self._writer.health().queue_length > self._queue_limit // 2:
            await self.flush()

    def health(self) -> WriterHealth:
        """Whether what is recorded reaches the store and can be read, and if not why."""
        health = self._writer.health()
        fault = self._fault.result() if self._fault is not None and self._fault.done() else None
        fault = fault or self._state.read_faults.reason
        return health if fault is None else replace(health, state=HealthStatus.DEGRADED, reason=fault)

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        """Let go of a store that cannot be used. Raises HistoryError."""
        try:
            with self.database.translating():
                yield
        except HistoryError:
            self.database.close()
            raise

    def _load(self, recorder: Recorder, now_ms: int, past: KnowsPast | None) -> None:
        """Fill memory with the latest day of minutes, the running day and the days of its week."""
        minute_ms = now_ms - now_ms % MINUTE_MS
        grids = [self._state.grid(symbol) for symbol in recorder.names]
        days = [grid.day_at(now_ms) for grid in grids]
        since_ms = min([minute_ms - (MINUTES - 1) * MINUTE_MS, *(day.start_ms for day in days)])
        stored = self._state.reader.minutes_of_all(recorder.names, since_ms, minute_ms + MINUTE_MS)
        weeks = self._weeks_before(dict(zip(recorder.names, (day.day for day in days), strict=True)))
        recorder.running.recent.begin(minute_ms)
        from_source: dict[str, Candles] = {}
        for row, symbol in enumerate(recorder.names):
            minutes = _of_kind(stored.get(symbol, Candles.empty()), recorder.source)
            if past is not None:
                from_source[symbol] = missing_today(past, symbol, grids[row], minutes, minute_ms)
                minutes = Candles.merge([from_source[symbol], minutes])
            recorder.load(
                row, minutes, _of_kind(weeks.get(symbol, Candles.empty()), recorder.source), minute_ms
            )
        if past is not None:
            recorder.go_on(
                [
                    self._state.hours == MarketHours.ALWAYS or day.open_ms <= now_ms < day.close_ms
                    for day in days
                ]
            )
        if past is not None and self.database.is_durable:  # else there is nothing to be killed away
            rows = recorder.running.days_so_far()
            self._writer.put(TodayJob(self._registry, recorder.names, from_source, rows, recorder.source))
        self._registry.newest_chain_ms = self._state.reader.newest_chain_ms(min(day.day for day in days))

    def _take_over(self, recorder: Recorder, now_ms: int, remembered: Remembered) -> None:
        """Go on from another process's memory, and write what it did not."""
        minutes = recorder.take_over(remembered, now_ms)
        days = [self._state.grid(symbol).day_at(now_ms) for symbol in recorder.names]
        recorder.go_on(
            [self._state.hours == MarketHours.ALWAYS or day.open_ms <= now_ms < day.close_ms for day in days]
        )
        self._registry.newest_chain_ms = self._state.reader.newest_chain_ms(min(day.day for day in days))
        rows = recorder.running.days_so_far()
        for minute in minutes:
            self._writer.put(MinuteJob(self._registry, recorder.encoder, minute, rows, self._valuation))

    def _weeks_before(self, today_of: Mapping[str, date]) -> dict[str, Candles]:
        """Of each underlying that has any the days of its week before its present one."""
        weeks: dict[str, Candles] = {}
        for today in set(today_of.values()):
            names = [symbol for symbol, day in today_of.items() if day == today]
            first, last = today - timedelta(days=today.weekday()), today - timedelta(days=1)
            found = self._state.reader.days_of_all(
                names, first, last, lambda symbol, day: self._state.grid(symbol).day(day).open_ms
            )
            weeks |= {symbol: days for symbol, (days, _) in found.items()}
        return weeks


class _Nothing:
    """A job that has what waits before it written at once."""

    urgent = True

    def write(self, connection: Connection) -> None:
        """Write nothing."""

    def undo(self) -> None:
        """Nothing was done."""


def _of_kind(candles: Candles, source: int) -> Candles:
    """Without simulated candles where the source is real, and the other way round."""
    simulated = 1
    return candles.take((candles.source == simulated) == (source == simulated))
