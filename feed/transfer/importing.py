"""Files into a store: candles and option chains through the one front door; a file that was begun goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, delete, func, select

from domain.instants import DAY_MS, MINUTE_MS, to_ms
from feed.history.store.candle_rows import day_row, rebuild_days, write_bars, write_days, write_minutes
from feed.history.store.chains import GROUP_MS, ChainEncoder
from feed.history.store.database import Database, write_rows
from feed.history.store.jobs import MinuteJob
from feed.history.store.registry import Registry
from feed.history.store.tables import chain_metrics, chain_minutes, imports, recorded_days
from feed.market.candles import Candles, TradingDay, source_code
from feed.market.forming import FormingMinute
from feed.market.market import Market
from feed.recordings.bars import RecordedBars
from feed.recordings.frames import ChainKey, Recording, RecordingError
from feed.recordings.reading import Contents, FrontDoor, Options
from feed.recordings.report import ImportReport, listed
from feed.recordings.text import local_day, local_ms
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.replay.source import ReplaySource
from feed.valuation.minute_metrics import Valuation

_BATCH_ROWS = 5_000  # of a transaction: what a kill makes an import do again
_BATCH_MINUTES = 60
_SOURCE = source_code("imported")
_INTEREST_RATE = 0.065  # only a market's state is taken from it here, which no rate is part of
_DEFAULT_EXCHANGE = "NFO"

Progress = Callable[[int, int], None]


class Importer:
    """Imports files into a store that no server is recording into."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        catalogue: Catalogue,
        valuation: Valuation | None = None,
    ) -> None:
        self._database = database
        self._calendar = calendar
        self._catalogue = catalogue
        self._valuation = valuation
        self._registry = Registry()

    def import_file(
        self,
        path: Path,
        options: Options,
        progress: Progress = lambda done, total: None,
        *,
        dry_run: bool = False,
    ) -> list[ImportReport]:
        """Import one file, or only say what it is; a report for each file that a zip holds.

        ``progress`` counts rows read, then candles or minutes written. Raises HistoryError where the store
        fails; a file that cannot be used is one whose report has an ``error``.
        """
        door = FrontDoor(self._catalogue, self._calendar, options, only_known=True)
        reports = []
        try:
            for contents in door.read(path, progress):
                reports.append(contents.report)
                key = f"{_digest(path)} {contents.report.file} {options}"
                with self._database.translating():
                    self._keep(contents, key, progress, dry_run)
        except RecordingError as error:
            reports.append(ImportReport(str(path), error=error.problem))
        return reports

    def _keep(self, contents: Contents, key: str, progress: Progress, dry_run: bool) -> None:
        """Write what a file holds, unless it is only to be looked at."""
        sessions = self._new_sessions(contents)
        if sessions:
            days = listed([str(day) for _, day in sorted(sessions)])
            contents.report.notes.append(f"{days}: no session of the calendar, taken as one of its own")
        if dry_run:
            return
        if sessions:
            with self._database.writing() as connection:
                _write_sessions(connection, sessions)
        if contents.bars is not None:
            self._write_bars(contents.bars, contents.report, key, progress)
        elif contents.recording is not None and contents.recording.frames:
            self._write_chains(contents.recording, progress)

    # Days that are sessions because there are rows of them.

    def _new_sessions(self, contents: Contents) -> dict[tuple[str, date], tuple[int, int]]:
        """Days of the file that the calendar knows no session of, with the instants they begin and end at."""
        found: dict[tuple[str, date], tuple[int, int]] = {}
        for symbol, first_ms, last_ms in _spans(contents):
            exchange, day = self._exchange(symbol), local_day(first_ms)
            if self._calendar.session(exchange, day) is None:
                span = self._hours(exchange, day, first_ms, last_ms)
                known = found.get((exchange, day), span)
                found[exchange, day] = min(known[0], span[0]), max(known[1], span[1])
        return found

    def _hours(self, exchange: str, day: date, first_ms: int, last_ms: int) -> tuple[int, int]:
        """Open and close of a day: the usual ones where its rows lie within them or tell no time."""
        before = self._calendar.previous_session(exchange, day)
        while not self._calendar.is_ordinary_session(exchange, before):
            before = self._calendar.previous_session(exchange, before)
        session = self._calendar.session(exchange, before)
        if session is None:
            raise AssertionError("an ordinary session is one")
        moved_ms = local_ms(day) - local_ms(before)
        usual = to_ms(session.open) + moved_ms, to_ms(session.close) + moved_ms
        if last_ms - first_ms >= DAY_MS:
            return usual
        return usual[0] if usual[0] <= first_ms < usual[1] else first_ms, last_ms

    def _exchange(self, symbol: str) -> str:
        known = symbol in self._catalogue
        return self._catalogue[symbol].derivatives_exchange if known else _DEFAULT_EXCHANGE

    # Candles.

    def _write_bars(self, bars: RecordedBars, report: ImportReport, key: str, progress: Progress) -> None:
        """Write candles in batches; those of a file that was cut off go on after the last batch."""
        with self._database.reading() as connection:
            done = report.resumed_after = lines_done(connection, key)
        total, place = sum(map(len, bars.candles.values())), 0
        for symbol, candles in bars.candles.items():
            for start in range(0, len(candles), _BATCH_ROWS):
                part = candles.take(slice(start, start + _BATCH_ROWS))
                place += len(part)
                if place <= done:
                    continue
                with self._database.writing() as connection:
                    self._write_part(connection, symbol, part, bars.width_ms)
                    write_rows(connection, imports, [{"file": key, "lines_done": place}])
                progress(place, total)
        with self._database.writing() as connection:  # whole: once more is written once more
            connection.execute(delete(imports).where(imports.c.file == key))
        progress(total, total)

    def _write_part(self, connection: Connection, symbol: str, candles: Candles, width_ms: int) -> None:
        symbol_id = self._registry.symbol_ids(connection, [symbol])[symbol]
        days = [local_day(time_ms) for time_ms in candles.time_ms.tolist()]
        if width_ms >= DAY_MS:
            rows = [day_row(symbol_id, day, candles, row) for row, day in enumerate(days)]
            write_days(connection, rows)
            return
        if width_ms > MINUTE_MS:
            write_bars(connection, symbol_id, candles)
        else:
            write_minutes(connection, {symbol_id: candles})
        rebuild_days(connection, [(symbol_id, _whole_day(day)) for day in dict.fromkeys(days)], _SOURCE)

    # Chains.

    def _write_chains(self, recording: Recording, progress: Progress) -> None:
        source = ReplaySource(recording.frames, catalogue=self._catalogue, calendar=self._calendar)
        minutes = sorted({frame.time_ms // MINUTE_MS for frame in recording.frames})
        with self._database.writing() as connection:
            for key, (first, last) in _reach(recording).items():
                self._make_room(connection, key, first * MINUTE_MS, last * MINUTE_MS)
        # every minute is looked up: an earlier import may have left any of them
        self._registry.newest_chain_ms = np.iinfo(np.int64).max
        jobs: list[MinuteJob] = []
        for done, job in enumerate(self._jobs(source, minutes), start=1):
            jobs.append(job)
            if len(jobs) == _BATCH_MINUTES or done == len(minutes):
                with self._database.writing() as connection:
                    for ready in jobs:
                        ready.write(connection)
                jobs.clear()
                progress(done, len(minutes))

    def _make_room(self, connection: Connection, key: ChainKey, first_ms: int, last_ms: int) -> None:
        """Delete what an earlier import left of a chain, by groups of records that lie within a span."""
        chain_id, column = self._registry.chain_ids(connection, [key])[key], chain_minutes.c
        near = column.minute_ms.between(first_ms - GROUP_MS, last_ms + GROUP_MS)
        groups = connection.execute(
            select(column.key_ms, func.min(column.minute_ms), func.max(column.minute_ms))
            .where(column.chain_id == chain_id, column.source == _SOURCE, near)
            .group_by(column.key_ms)
        ).all()
        for key_ms, from_ms, to in groups:
            if first_ms <= from_ms and to <= last_ms:
                connection.execute(
                    delete(chain_minutes).where(column.chain_id == chain_id, column.key_ms == key_ms)
                )
                metric = chain_metrics.c
                connection.execute(
                    delete(chain_metrics).where(
                        metric.chain_id == chain_id, metric.minute_ms.between(from_ms, to)
                    )
                )

    def _jobs(self, source: ReplaySource, minutes: Sequence[int]) -> Iterator[MinuteJob]:
        """The recording's minutes, each as it stood at its end."""
        encoder = ChainEncoder()
        market = Market(
            source.universe, source="imported", epoch="", interest_rate=_INTEREST_RATE, stale_after_s=60.0
        )
        forming = FormingMinute(source.universe)
        forming.source = _SOURCE
        for minute in minutes:
            update = source.advance((minute + 1) * MINUTE_MS - 1)
            if update is None:
                raise AssertionError("every minute has a frame")
            market.apply(update)
            if market.universe is not forming.universe:
                forming.relist(market.universe)
            forming.forwards = market.forwards
            forming.take(market.underlyings, market.contracts, market.last_input_ms)
            closed = forming.finish(minute * MINUTE_MS)
            yield MinuteJob(self._registry, encoder, closed, None, self._valuation)


def _spans(contents: Contents) -> Iterator[tuple[str, int, int]]:
    """Symbol, first instant and end of the rows of each day of a file."""
    if contents.bars is not None:
        for symbol, candles in contents.bars.candles.items():
            days = (candles.time_ms - local_ms(date(1970, 1, 1))) // DAY_MS
            firsts = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
            lasts = np.append(firsts[1:], len(days)) - 1
            ends = candles.time_ms[lasts] + contents.bars.width_ms
            for first_ms, end_ms in zip(candles.time_ms[firsts].tolist(), ends.tolist(), strict=True):
                yield symbol, first_ms, end_ms
    for frame in contents.recording.frames if contents.recording is not None else ():
        for symbol in {symbol for symbol, _ in frame.chains}:
            yield symbol, frame.time_ms, frame.time_ms + MINUTE_MS


def _reach(recording: Recording) -> Mapping[ChainKey, tuple[int, int]]:
    """The first and the last minute of each chain of a recording."""
    found: dict[ChainKey, tuple[int, int]] = {}
    for frame in recording.frames:
        minute = frame.time_ms // MINUTE_MS
        for key in frame.chains:
            found[key] = found.get(key, (minute, 0))[0], minute
    return found


def _write_sessions(connection: Connection, sessions: Mapping[tuple[str, date], tuple[int, int]]) -> None:
    """Note days that are sessions; what is known of one reaches as far as all its files do."""
    column = recorded_days.c
    rows = []
    for (exchange, day), (open_ms, close_ms) in sessions.items():
        known = connection.execute(
            select(column.open_ms, column.close_ms).where(column.exchange == exchange, column.day == day)
        ).first()
        spans = [(open_ms, close_ms)] if known is None else [(open_ms, close_ms), known]
        opens_ms, closes_ms = zip(*spans, strict=True)
        rows.append({"exchange": exchange, "day": day, "open_ms": min(opens_ms), "close_ms": max(closes_ms)})
    write_rows(connection, recorded_days, rows)


def _whole_day(day: date) -> TradingDay:
    """A day as exchanges count it: what begins at the close or before the open is of that day."""
    start_ms = local_ms(day)
    return TradingDay(day, start_ms, start_ms, start_ms + DAY_MS, start_ms + DAY_MS)


def lines_done(connection: Connection, key: str) -> int:
    """How many candles of a file an import had written when it was cut off; 0 for a new one."""
    found = connection.scalar(select(imports.c.lines_done).where(imports.c.file == key))
    return 0 if found is None else int(found)


def _digest(path: Path) -> str:
    """A file's content: a changed file is a new one."""
    with path.open("rb") as content:
        digest = blake2b(digest_size=16)
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that are named, those of a folder in order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")
            )
        else:
            yield path
