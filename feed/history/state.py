"""What the parts of history share: the store, and what is known beside it while a market is recorded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TypeVar

from domain.instruments import Exchange
from feed.history.archive.sessions import SessionFiles
from feed.history.archive.tiers import TieredReader
from feed.history.filling.backfill import Backfill
from feed.history.maintenance.read_faults import ReadFaults
from feed.history.recorder import Recorder
from feed.history.store.database import Database
from feed.history.store.problems import FAULTS, STORE_ERRORS, HistoryError
from feed.history.store.reader import Reader
from feed.history.store.writer import Writer
from feed.market.candles import RecordedDays, SessionGrid
from feed.reference.calendar import Calendar
from feed.reference.instruments import Underlying

T = TypeVar("T")

_DEFAULT_EXCHANGE = Exchange.NFO  # of a symbol that is in the store but no longer in the universe


class HistoryState:
    """One store with a bounded pool of reading threads, its writer, and the recorder of the running market.

    ``recorder`` and ``backfill`` are None before the start; ``forgetting`` is set once what lies after a
    rewind is gone.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        calendar: Calendar,
        hours: str,
        readers: int,
        files: SessionFiles | None = None,
    ) -> None:

        self.database = database
        self.writer = writer
        self.hours = hours
        self.files = files
        self.reader = Reader(database) if files is None else TieredReader(database, files)
        self.read_faults = ReadFaults(database)
        self.pool = ThreadPoolExecutor(readers, thread_name_prefix="history-reader")
        self.recorder: Recorder | None = None
        self.backfill: Backfill | None = None
        self.forgetting: threading.Event | None = None
        # what another process tells that has the source of the past
        self.told_volatilities: Callable[[str], Mapping[date, float]] | None = None
        self.is_down_on_purpose: Callable[[], bool] = lambda: False
        self._calendar = calendar
        self._grids: dict[str, SessionGrid] = {}
        self._exchange_of: dict[str, str] = {}

    def know(self, underlyings: Iterable[Underlying]) -> None:
        """Take note of what is listed."""
        self._exchange_of = {item.symbol: item.derivatives_exchange for item in underlyings}

    def knows(self, symbol: str) -> bool:
        """Whether a symbol is listed."""
        return symbol in self._exchange_of

    def started(self) -> Recorder:
        """The recorder. Raises RuntimeError before the start."""
        if self.recorder is None:
            raise RuntimeError("history must be started before it can record")
        return self.recorder

    def grid(self, symbol: str) -> SessionGrid:
        """The grid that a symbol's candles stand on."""
        exchange = self._exchange_of.get(symbol, _DEFAULT_EXCHANGE)
        grid = self._grids.get(exchange)
        if grid is None:
            recorded = self._recorded_days(exchange)
            grid = self._grids[exchange] = SessionGrid(self._calendar, exchange, self.hours, recorded)
        return grid

    async def read(self, query: Callable[[], T]) -> T:
        """Run a query on a reader's thread. Raises HistoryError where the store fails."""
        if self.is_down_on_purpose():
            raise HistoryError("History is down on purpose.")
        try:
            found = await asyncio.get_running_loop().run_in_executor(self.pool, query)
        except FAULTS as error:
            raise self.read_faults.failed(error) from error
        self.read_faults.answered()
        return found

    def _recorded_days(self, exchange: str) -> RecordedDays:
        """Sessions that only what is recorded knows; a store that cannot say it has none."""
        try:
            return self.reader.recorded_days(exchange)
        except STORE_ERRORS:
            return {}
