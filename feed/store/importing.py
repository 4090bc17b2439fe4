"""Files into a store: candles from CSV, option chains from recordings; a file that was begun goes on."""

from __future__ import annotations

import gzip
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from feed.calendar import Calendar
from feed.candles import MINUTE_MS, Candles, FloatArray, SessionGrid, TradingDay, source_code
from feed.instruments import Catalogue
from feed.market import Market
from feed.recordings.frames import RecordingError
from feed.replay import ReplaySource
from feed.store.candle_files import BadRow, CandleRow, read_candles
from feed.store.candle_rows import day_row, rebuild_days, write_days, write_minutes
from feed.store.chains import ChainEncoder
from feed.store.database import Database, write_rows
from feed.store.forming import FormingMinute
from feed.store.jobs import MinuteJob, Valuation
from feed.store.problems import HistoryError
from feed.store.registry import Registry
from feed.store.tables import imports

logger = logging.getLogger(__name__)

_BATCH_ROWS = 5_000  # of a transaction: what a kill makes an import do again
_BATCH_MINUTES = 60
_MAX_BAD_ROWS = 1_000
_GZIP = b"\x1f\x8b"
_SOURCE = source_code("imported")
_INTEREST_RATE = 0.065  # only a market's state is taken from it here, which no rate is part of

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class ImportReport:
    """What became of a file: rows kept and skipped now, and the line an earlier import had come to."""

    path: Path
    kept: int = 0
    skipped: int = 0
    resumed_after: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    def refuse(self, row: BadRow) -> None:
        """Count a row that is skipped, and keep its reason up to a number that a person reads."""
        self.skipped += 1
        if len(self.bad_rows) < _MAX_BAD_ROWS:
            self.bad_rows.append(row)


class Importer:
    """Imports files into a store that no server is recording into."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        catalogue: Catalogue,
        grid_of: Callable[[str], SessionGrid],
        valuation: Valuation | None = None,
    ) -> None:
        self._database = database
        self._calendar = calendar
        self._catalogue = catalogue
        self._grid_of = grid_of
        self._valuation = valuation
        self._registry = Registry()

    def import_file(
        self, path: Path, symbol: str | None = None, progress: Progress = lambda done, total: None
    ) -> ImportReport:
        """Import one file; ``symbol`` is needed where neither rows nor file name tell it.

        ``progress`` counts lines of candles, or minutes of chains. Raises HistoryError for a file that
        cannot be read at all.
        """
        try:
            with self._database.reading() as connection:
                done = lines_done(connection, _key(path))
            if _is_candle_file(path):
                return self._import_candles(path, symbol, done, progress)
            return self._import_chains(path, symbol, done, progress)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise HistoryError(self._database.explain(error)) from error
        except OSError as error:
            raise HistoryError(f"{path} cannot be read: {error.strerror or error}.") from error
        except RecordingError as error:
            raise HistoryError(str(error)) from error
        except (EOFError, UnicodeDecodeError, ValueError) as error:
            raise HistoryError(f"{path} cannot be imported: {error}.") from error

    def _import_candles(self, path: Path, symbol: str | None, done: int, progress: Progress) -> ImportReport:
        symbol = symbol.upper() if symbol else self._symbol_in_name(path)
        total = _count_lines(path)
        report = ImportReport(path, resumed_after=done)
        with _opened(path) as lines:
            rows = iter(read_candles(lines))
            while batch := list(islice(rows, _BATCH_ROWS)):
                good = list(self._good_rows(batch, symbol, done, report))
                last = batch[-1].line
                if last > done:
                    with self._database.writing() as connection:
                        self._write_candles(connection, good)
                        _mark_done(connection, path, last)
                report.kept += len(good)
                progress(min(last, total), total)
        progress(total, total)
        return report

    def _good_rows(
        self, batch: Iterable[CandleRow | BadRow], symbol: str | None, done: int, report: ImportReport
    ) -> Iterator[tuple[str, CandleRow]]:
        for row in batch:
            if row.line <= done:
                continue
            if isinstance(row, BadRow):
                report.refuse(row)
            elif (name := row.symbol or symbol) is None:
                report.refuse(BadRow(row.line, "The row has no symbol, nor has the file's name; name one."))
            else:
                yield name, row

    def _write_candles(self, connection: Connection, rows: Sequence[tuple[str, CandleRow]]) -> None:
        ids = self._registry.symbol_ids(connection, {name for name, _ in rows})
        minutes: dict[str, list[CandleRow]] = {}
        days: dict[tuple[str, date], CandleRow] = {}
        for name, row in rows:
            if row.time_ms is None:
                days[name, row.day] = row
            else:
                minutes.setdefault(name, []).append(row)
        parts = {name: _candles(told).ordered() for name, told in minutes.items()}
        write_minutes(connection, {ids[name]: candles for name, candles in parts.items()})
        rebuild_days(connection, [(ids[name], day) for name, day in self._days_of(parts)])
        write_days(
            connection,
            [day_row(ids[name], day, _candles([row]), 0) for (name, day), row in days.items()],
        )

    def _days_of(self, parts: Mapping[str, Candles]) -> Iterator[tuple[str, TradingDay]]:
        for name, candles in parts.items():
            grid = self._grid_of(name)
            labels = np.unique(grid.labels("1d", candles.time_ms))
            for label in labels.tolist():
                yield name, grid.day_at(label)

    def _import_chains(self, path: Path, symbol: str | None, done: int, progress: Progress) -> ImportReport:
        source = ReplaySource.open(path, catalogue=self._catalogue, calendar=self._calendar, symbol=symbol)
        report = ImportReport(path, resumed_after=done)
        for row in source.bad_rows:
            report.refuse(BadRow(row.number, row.reason))
        encoder = ChainEncoder()
        # every minute is looked up: an earlier import may have left any of them
        self._registry.newest_chain_ms = np.iinfo(np.int64).max
        jobs: list[MinuteJob] = []
        total = 1 + (source.end_ms - source.start_ms) // MINUTE_MS
        for job in self._chain_minutes(source, encoder):
            jobs.append(job)
            if len(jobs) == _BATCH_MINUTES:
                report.kept += self._write_jobs(jobs)
                progress(min(report.kept, total), total)
        report.kept += self._write_jobs(jobs)
        with self._database.writing() as connection:
            _mark_done(connection, path, report.kept)
        progress(total, total)
        return report

    def _chain_minutes(self, source: ReplaySource, encoder: ChainEncoder) -> Iterator[MinuteJob]:
        """The recording's minutes, each as it stood at its end."""
        market = Market(
            source.universe, source="imported", epoch="", interest_rate=_INTEREST_RATE, stale_after_s=60.0
        )
        forming = FormingMinute(source.universe)
        forming.source = _SOURCE
        first, last = source.start_ms // MINUTE_MS, source.end_ms // MINUTE_MS
        for minute in range(first, last + 1):
            update = source.advance((minute + 1) * MINUTE_MS - 1)
            if update is None:
                continue
            market.apply(update)
            if market.universe is not forming.universe:
                forming.relist(market.universe)
            forming.take(market.underlyings, market.contracts, market.last_input_ms)
            closed = forming.finish(minute * MINUTE_MS)
            yield MinuteJob(self._registry, encoder, closed, None, self._valuation)

    def _write_jobs(self, jobs: list[MinuteJob]) -> int:
        count = len(jobs)
        with self._database.writing() as connection:
            for job in jobs:
                job.write(connection)
        jobs.clear()
        return count

    def _symbol_in_name(self, path: Path) -> str | None:
        words = path.name.upper().replace(".", "_").replace(" ", "_").split("_")
        return next((word for word in words if word in self._catalogue), None)


def lines_done(connection: Connection, key: str) -> int:
    """How far a file was imported before, in lines; 0 for a new one."""
    found = connection.scalar(select(imports.c.lines_done).where(imports.c.file == key))
    return 0 if found is None else int(found)


def _mark_done(connection: Connection, path: Path, lines: int) -> None:
    write_rows(connection, imports, [{"file": _key(path), "lines_done": lines}])


def _key(path: Path) -> str:
    """The file's name and content: a changed file is a new one."""
    with path.open("rb") as content:
        digest = blake2b(digest_size=16)
        while part := content.read(1 << 20):
            digest.update(part)
    return f"{path.name} {digest.hexdigest()}"


def _opened(path: Path) -> IO[str]:
    """A text file, packed or not."""
    with path.open("rb") as raw:
        is_packed = raw.read(2) == _GZIP
    if is_packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _is_candle_file(path: Path) -> bool:
    """Whether the first line is a header of candles; recordings have others, or are JSON."""
    with _opened(path) as lines:
        names = {name.strip().lower() for name in lines.readline().split(",")}
    return {"open", "high", "low", "close"} <= names


def _count_lines(path: Path) -> int:
    with _opened(path) as lines:
        return sum(1 for _ in lines)


def _candles(rows: Sequence[CandleRow]) -> Candles:
    names = ("open", "high", "low", "close", "volume", "open_interest")
    columns: list[FloatArray] = [np.array([getattr(row, name) for row in rows]) for name in names]
    times = np.array([(row.time_ms or 0) // MINUTE_MS * MINUTE_MS for row in rows], np.int64)
    return Candles.of(times, columns, _SOURCE)
