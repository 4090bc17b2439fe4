"""The store and the archived sessions, read as one: what is in both the store says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from feed.history.archive.sessions import SessionFiles, span_of
from feed.history.store.database import Database
from feed.history.store.reader import Reader
from feed.history.store.stored_chain import StoredChain
from feed.market.candles import FloatArray, IntArray


class TieredReader(Reader):
    """Reads a store, and further back the archive."""

    def __init__(self, database: Database, files: SessionFiles) -> None:
        super().__init__(database)
        self._files = files

    def chain(
        self,
        symbol: str,
        expiry: date,
        start_ms: int,
        end_ms: int,
        strikes: Sequence[float] | None = None,
    ) -> list[StoredChain]:
        """The records of a chain whose minutes begin in [start, end). See ``Reader``."""
        stored = super().chain(symbol, expiry, start_ms, end_ms, strikes)
        known = np.concatenate([run.minute_ms for run in stored] or [np.empty(0, np.int64)])
        old = [
            run
            for day in self._days_of(symbol, expiry, start_ms, end_ms)
            for archived in self._files.chain(day, symbol, expiry, strikes)
            if (run := _between(archived, start_ms, end_ms, known)) is not None
        ]
        return sorted([*old, *stored], key=lambda run: int(run.minute_ms[0]))

    def chain_at(self, symbol: str, expiry: date, at_ms: int) -> StoredChain | None:
        """The newest record of a chain that was complete at an instant. See ``Reader``."""
        stored = super().chain_at(symbol, expiry, at_ms)
        for day in reversed(self._days_of(symbol, expiry, 0, at_ms + 1)):
            if stored is not None and stored.minute_ms[-1] >= span_of(day)[1]:
                break
            runs = self._files.chain(day, symbol, expiry)
            complete = [(run, np.flatnonzero(run.as_of_ms <= at_ms)) for run in runs]
            newest = [(run, rows[-1]) for run, rows in complete if len(rows)]
            if newest:
                run, row = newest[-1]
                if stored is not None and stored.minute_ms[-1] >= run.minute_ms[row]:
                    break
                return _rows(run, np.array([row]))
        return stored

    def spots(self, symbol: str, start_ms: int, end_ms: int) -> tuple[IntArray, FloatArray]:
        """Prices of an underlying as the records of its chains tell them. See ``Reader``."""
        minutes, prices = super().spots(symbol, start_ms, end_ms)
        for day in self._files.between(start_ms, end_ms):
            times, old = self._files.spots(day, symbol)
            new = (times >= start_ms) & (times < end_ms) & ~np.isin(times, minutes)
            minutes, prices = np.append(minutes, times[new]), np.append(prices, old[new])
        order = np.argsort(minutes, kind="stable")
        return minutes[order], prices[order]

    def expiries(self, symbol: str, first: date) -> list[date]:
        """The expiries from a day on of which anything is kept. See ``Reader``."""
        found = set(super().expiries(symbol, first))
        for day in self._files.days():
            found |= {item.expiry for item in self._files.index(day).chains if item.symbol == symbol}
        return sorted(day for day in found if day >= first)

    def chain_sources(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> list[int]:
        """The sources of the records of a chain in a span. See ``Reader``."""
        found = set(super().chain_sources(symbol, expiry, start_ms, end_ms))
        for day in self._days_of(symbol, expiry, start_ms, end_ms):
            item = self._files.chain_of(day, symbol, expiry)
            found |= set(item.sources if item is not None else ())
        return sorted(found)

    def coverage(self, symbol: str, expiry: date) -> tuple[int, int] | None:
        """First and last instant of which a chain is recorded. See ``Reader``."""
        spans = [super().coverage(symbol, expiry)]
        for day in self._files.days():
            item = self._files.chain_of(day, symbol, expiry)
            spans.append(None if item is None else (item.first_as_of_ms, item.last_as_of_ms))
        known = [span for span in spans if span is not None]
        return (min(first for first, _ in known), max(last for _, last in known)) if known else None

    def metrics(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> dict[str, FloatArray]:
        """Metric series of a chain. See ``Reader``."""
        stored = super().metrics(symbol, expiry, start_ms, end_ms)
        parts = [stored]
        for day in self._days_of(symbol, expiry, start_ms, end_ms):
            old = self._files.metrics(day, symbol, expiry)
            times = old["minute_ms"]
            new = (times >= start_ms) & (times < end_ms) & ~np.isin(times, stored["minute_ms"])
            parts.append({name: values[new] for name, values in old.items()})
        together = {name: np.concatenate([part[name] for part in parts]) for name in stored}
        order = np.argsort(together["minute_ms"], kind="stable")
        return {name: values[order] for name, values in together.items()}

    def _days_of(self, symbol: str, expiry: date, start_ms: int, end_ms: int) -> list[date]:
        """The archived days of a span that have a chain, ascending; it expires, so none is after that."""
        days = (day for day in self._files.between(start_ms, end_ms) if day <= expiry)
        return [day for day in days if self._files.chain_of(day, symbol, expiry) is not None]


def _between(run: StoredChain, start_ms: int, end_ms: int, known: IntArray) -> StoredChain | None:
    """The minutes of a run in [start, end), without those that are known; None where none is left."""
    minutes = run.minute_ms
    rows = np.flatnonzero((minutes >= start_ms) & (minutes < end_ms) & ~np.isin(minutes, known))
    return _rows(run, rows) if len(rows) else None


def _rows(run: StoredChain, rows: IntArray) -> StoredChain:
    return replace(
        run,
        **{name: getattr(run, name)[rows] for name in ("minute_ms", "as_of_ms", "source", "spot", "forward")},
        fields={name: values[rows] for name, values in run.fields.items()},
    )
