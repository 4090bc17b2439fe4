"""A store without a market: what ``history``, ``import`` and ``export`` of the command line work on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from domain.intervals import INTERVALS_MS, Interval
from feed.history.archive.archiving import archive_day, due_days
from feed.history.archive.sessions import ArchivedDay, SessionFiles, span_of
from feed.history.archive.tiers import TieredReader
from feed.history.maintenance.checking import Checked, check_store
from feed.history.maintenance.upkeep import Info, PruneJob, Retention, store_info
from feed.history.store.database import Database
from feed.history.store.problems import HistoryError
from feed.history.store.reader import Reader
from feed.market.candles import Candles, SessionGrid, laid_over
from feed.recordings.reading import Options
from feed.recordings.report import ImportReport
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.transfer.exporting import chunks, export_csv, export_parquet
from feed.transfer.importing import Importer
from feed.valuation.minute_metrics import Valuation

Progress = Callable[[int, int], None]
T = TypeVar("T")

_DEFAULT_EXCHANGE = "NFO"


def _silent(_done: int, _total: int) -> None:
    """No progress bar."""


class Archive:
    """Opens a store for reading beside a server, or with ``writable`` alone for writing.

    Every method raises HistoryError with a sentence where the store or a file is in the way.
    """

    def __init__(  # noqa: PLR0913 - a store has so many sides
        self,
        url: str | None,
        *,
        calendar: Calendar,
        catalogue: Catalogue,
        hours: str,
        writable: bool = False,
        valuation: Valuation | None = None,
        archive_folder: Path | None = None,
    ) -> None:
        self._calendar = calendar
        self._catalogue = catalogue
        self._hours = hours
        self._valuation = valuation
        self._grids: dict[str, SessionGrid] = {}
        self._database = Database(url, readers=1)
        self._database.open(exclusive=writable)
        self._store = Reader(self._database)
        self._files = SessionFiles(archive_folder) if archive_folder is not None else None
        self.reader = self._store if self._files is None else TieredReader(self._database, self._files)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self._database.close()

    def info(self) -> Info:
        """What the store holds and how large it is."""
        return self._read(lambda: store_info(self._database))

    def check(self, progress: Progress = _silent) -> Checked:
        """Read everything and say what is not sound."""
        return self._read(lambda: check_store(self._database, progress))

    def due_days(self, after_days: int, now_ms: int) -> list[date]:
        """Sessions older than that which are not archived yet. Raises HistoryError without a folder."""
        return self._read(lambda: due_days(self._store, self._archived(), after_days, now_ms))

    def archive_day(self, day: date, progress: Progress = _silent) -> ArchivedDay:
        """Write a session to its files and read it back; one that is there with what was imported since."""
        files = self._archived()
        return self._read(lambda: archive_day(self.reader, files, day, progress))

    def archived_days(self) -> list[ArchivedDay]:
        """The sessions that are archived, ascending."""
        files = self._archived()
        return [files.index(day) for day in files.days()]

    def _archived(self) -> SessionFiles:
        if self._files is None:
            raise HistoryError("history.archive_folder must name the folder that sessions are archived to.")
        return self._files

    def prune(self, retention: Retention, now_ms: int, progress: Progress = _silent) -> int:
        """Delete what is older than is to be kept; returns rows deleted."""
        return self._read(lambda: self._prune(retention, now_ms, progress))

    def import_file(
        self,
        path: Path,
        options: Options | None = None,
        progress: Progress = _silent,
        *,
        dry_run: bool = False,
    ) -> list[ImportReport]:
        """Import a file of candles or of option chains, or with ``dry_run`` only report; see ``Importer``."""
        importer = Importer(self._database, self._calendar, self._catalogue, valuation=self._valuation)
        reports = importer.import_file(path, options or Options(), progress, dry_run=dry_run)
        self._grids.clear()  # days may have become sessions
        return reports

    def export(
        self,
        symbol: str,
        interval: Interval,
        span_ms: tuple[int, int],
        path: Path,
        file_format: str = "csv",
        progress: Progress = _silent,
    ) -> int:
        """Write the candles of a symbol in a span to a file, ``csv`` or ``parquet``; returns rows written."""
        symbol = symbol.upper()
        grid = self.grid(symbol)
        ranges = list(chunks(grid, interval, *span_ms))

        def query(start_ms: int, end_ms: int) -> Candles:
            return self._read(lambda: self.candles(symbol, interval, start_ms, end_ms))

        if file_format == "parquet":
            return export_parquet(path, query, ranges, progress)
        if file_format != "csv":
            raise HistoryError(f"The format of an export must be csv or parquet, was {file_format!r}.")
        return export_csv(path, query, ranges, interval, progress)

    def grid(self, symbol: str) -> SessionGrid:
        """The grid that a symbol's candles stand on."""
        known = symbol in self._catalogue
        exchange = self._catalogue[symbol].derivatives_exchange if known else _DEFAULT_EXCHANGE
        grid = self._grids.get(exchange)
        if grid is None:
            recorded = self._read(lambda: self.reader.recorded_days(exchange))
            grid = self._grids[exchange] = SessionGrid(self._calendar, exchange, self._hours, recorded)
        return grid

    def candles(self, symbol: str, interval: Interval, start_ms: int, end_ms: int) -> Candles:
        """The candles labelled in [start, end)."""
        grid = self.grid(symbol)
        if interval in INTERVALS_MS:
            minutes = self.reader.minutes(symbol, start_ms, end_ms)
            bars = (
                grid.fitting(interval, self.reader.bars(symbol, start_ms, end_ms))
                if interval != Interval.ONE_MINUTE
                else []
            )
            return grid.resample(interval, laid_over([minutes, *bars]))
        first, last = grid.day_at(start_ms).day, grid.day_at(end_ms - 1).day
        days, _ = self.reader.days(symbol, first, last, lambda day: grid.day(day).open_ms)
        return days if interval == Interval.ONE_DAY else grid.resample(interval, days)

    def _prune(self, retention: Retention, now_ms: int, progress: Progress) -> int:
        deleted, steps = 0, 0
        while True:
            spans = [span_of(day) for day in self._files.days()] if self._files is not None else []
            job = PruneJob(retention, now_ms, spans)
            with self._database.writing() as connection:
                job.write(connection)
            deleted, steps = deleted + job.deleted, steps + 1
            progress(steps, steps if job.is_finished else steps + 1)
            if job.is_finished:
                return deleted

    def _read(self, question: Callable[[], T]) -> T:
        with self._database.translating():
            return question()
