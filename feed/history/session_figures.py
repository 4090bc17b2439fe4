"""What history answers of whole sessions: volatilities, and the figures of a chain day by day.

The volatility of a session is that of its near month at the money, as it stood at the end. Of the sessions
before the start of a simulated market the source tells it; what was recorded goes before what is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from domain.intervals import Interval
from feed.history.answers import Answers, lasts_of
from feed.history.state import HistoryState
from feed.market.candles import Candles, FloatArray, SessionGrid, source_code
from feed.valuation.minute_metrics import METRICS

YEAR_SESSIONS = 252  # that a rank of volatility rests on
NONE_KNOWN: Mapping[date, float] = {}
_SIMULATED = source_code("simulated")


class SessionFigures:
    """Answers about sessions."""

    def __init__(self, state: HistoryState, answers: Answers) -> None:
        self._state = state
        self._answers = answers

    @property
    def source_version(self) -> int:
        """Grows when the source of the past begins to tell, and when all of it is told."""
        backfill = self._state.backfill
        return 0 if backfill is None else 1 + backfill.is_done

    def source_volatilities(self, symbol: str) -> Mapping[date, float]:
        """What the source of the past tells of past sessions, by day; from memory, at once."""
        if self._state.told_volatilities is not None:
            return self._state.told_volatilities(symbol)
        if self._state.backfill is None or not self._state.knows(symbol):
            return NONE_KNOWN
        return self._state.backfill.volatilities(symbol)

    async def stored_volatilities(self, symbol: str, before_ms: int | None = None) -> dict[date, float]:
        """What the store has of past sessions, by day, ascending.

        NaN stands for a session that another kind of market was recorded in, simulated or real, than this
        one. With ``before_ms`` only of those before the session that this instant belongs to.
        """
        last = date.max
        if before_ms is not None:
            last = self._state.grid(symbol).day_at(before_ms).day - timedelta(days=1)
        recorder = self._state.recorder
        found: dict[date, float] = {}
        for day, volatility, source in await self._state.read(
            lambda: self._state.reader.volatilities(symbol, date.min, last)
        ):
            if recorder is not None and (source == _SIMULATED) != (recorder.source == _SIMULATED):
                found[day] = math.nan
            elif volatility is not None:
                found[day] = volatility
        return found

    async def atm_iv_history(
        self, symbol: str, sessions: int = YEAR_SESSIONS, before_ms: int | None = None
    ) -> FloatArray:
        """Volatilities of past sessions, oldest first: (days,), the latest known ones.

        With ``before_ms`` of those before the session that this instant belongs to.
        """
        stored = await self.stored_volatilities(symbol, before_ms)
        from_source = self.source_volatilities(symbol)
        if before_ms is not None:
            today = self._state.grid(symbol).day_at(before_ms).day
            from_source = {day: value for day, value in from_source.items() if day < today}
        return volatility_series(from_source, stored, sessions)

    async def daily_metrics(
        self, symbol: str, expiry: date, start_ms: int, end_ms: int, interval: Interval
    ) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
        """Series of a chain's ``METRICS`` by day or week, and where what is no record of it comes from.

        Sessions that ended in (start, end] have a point though nothing of the chain was recorded: the close
        of the underlying as ``spot_price`` and the session's volatility as ``near_month_iv``.
        """
        recorded = await self._answers.metrics(symbol, expiry, start_ms, end_ms, Interval.ONE_DAY)
        await self._answers.ready(symbol)
        grid = self._state.grid(symbol)
        days = _ended(grid, await self._answers.days(symbol, grid, start_ms, end_ms), start_ms, end_ms)
        volatilities = {**self.source_volatilities(symbol), **await self.stored_volatilities(symbol)}
        near = [volatilities.get(grid.day_at(at_ms).day, math.nan) for at_ms in days.time_ms.tolist()]
        whole = {"spot_price": days.close, "near_month_iv": np.array(near, np.float64)}
        series = _laid_over(recorded, days.time_ms.astype(np.float64), whole)
        return lasts_of(
            series, grid.labels(interval, series["minute_ms"].astype(np.int64))
        ), days.source_names


def volatility_series(
    from_source: Mapping[date, float], stored: Mapping[date, float], sessions: int = YEAR_SESSIONS
) -> FloatArray:
    """The latest known volatilities by day, oldest first: (days,); what is stored goes before the told."""
    together = sorted({**from_source, **stored}.items())
    values = np.array([value for _, value in together], np.float64)
    return values[~np.isnan(values)][-sessions:]


def _ended(grid: SessionGrid, days: Candles, start_ms: int, end_ms: int) -> Candles:
    """Those of the days whose session ended in (start, end]."""
    closes = np.array([grid.day_at(at_ms).close_ms for at_ms in days.time_ms.tolist()], np.int64)
    return days.take((start_ms < closes) & (closes <= end_ms))


def _laid_over(
    recorded: Mapping[str, FloatArray], opened_ms: FloatArray, whole: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Recorded days and figures of whole sessions, (days,) each, as one series.

    The volatility is the session's where that is known, since ranks rest on it; the price is the record's.
    """
    times = np.union1d(recorded["minute_ms"], opened_ms)
    series = {"minute_ms": times} | {name: np.full(len(times), np.nan) for name in METRICS}
    at_recorded, at_day = (np.searchsorted(times, at_ms) for at_ms in (recorded["minute_ms"], opened_ms))
    series["spot_price"][at_day] = whole["spot_price"]
    for name in METRICS:
        series[name][at_recorded] = recorded[name]
    known = ~np.isnan(whole["near_month_iv"])
    series["near_month_iv"][at_day[known]] = whole["near_month_iv"][known]
    return series
