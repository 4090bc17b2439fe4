"""The underlyings at the start: last closes, the day so far, and the bars before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.instants import day_in_india, to_datetime
from feed.history.previous_run import PreviousRun
from feed.reference.calendar import Calendar
from feed.reference.corporate_actions import corporate_actions
from feed.reference.instruments import Underlying
from feed.simulation.activity import Activity
from feed.simulation.bars import Bars, joined, round_to
from feed.simulation.contracts.start import Range
from feed.simulation.factors import GROUPS, FactorModel
from feed.simulation.parameters import FloatArray
from feed.simulation.past.backfill import BLOCK, SimulatedPast
from feed.simulation.past.opening import DaySoFar, GroupBefore, Span, day_so_far
from feed.simulation.spots import Spots

_CALM_LEVEL = -0.12  # the logarithm of implied volatility against its long run, at the start


class Start:
    """Where the live path begins.

    ``since_ms`` : (groups,) instant of the previous close that the day in course counts from; ``today`` :
    (groups,) what has happened in it, None before its open; the price columns are (underlyings,), ``base``
    the closes that the weights of indices count from.

    The path's returns are what the seed makes of them; its level is the underlyings' reference prices, or
    such that it goes on from what is ``previous_run``. A day that begins at the start has no range yet.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        calendar: Calendar,
        underlyings: Sequence[Underlying],
        model: FactorModel,
        activities: Sequence[Activity],
        units: FloatArray,
        *,
        seed: int,
        start_ms: int,
        always: bool,
        previous_run: PreviousRun | None = None,
    ) -> None:
        rng = np.random.default_rng((seed, 7))
        self._model = model
        self._underlyings = underlyings
        self._activities = activities
        self._units = units
        self._seed = seed
        self._start_ms = start_ms
        self._always = always
        self.slow = np.array([_CALM_LEVEL, 0.0]) + 0.06 * rng.standard_normal(GROUPS)
        self._ticks = np.array([underlying.spot_tick_size for underlying in underlyings])
        self._days = [activity.day_of(start_ms) for activity in activities]
        today = day_in_india(to_datetime(start_ms))
        actions = corporate_actions()
        closes = round_to(
            np.array([item.reference_price * actions.factor(item.symbol, today) for item in underlyings]),
            self._ticks,
        )
        self.latest = [
            activity.previous_day(day) for activity, day in zip(activities, self._days, strict=True)
        ]
        self.backfill = SimulatedPast(
            calendar,
            underlyings,
            model,
            activities,
            units,
            seed=seed,
            latest=self.latest,
            slow=self.slow,
            closes=closes,
            today=today,
        )
        self._begin(closes)
        if previous_run is not None:
            closes = round_to(closes * self._scale_to(previous_run), self._ticks)
            self.backfill.end_at(closes)
            self._begin(closes)
            self._go_on(previous_run)

    def _begin(self, closes: FloatArray) -> None:
        """Live from the last closes to the start."""
        self.base = closes.copy()
        self.previous_close = closes.copy()
        self.last_price, self.open, self.high, self.low = (closes.copy() for _ in range(4))
        self.volume = np.zeros(self._model.count)
        self.since_ms = [day.close_ms for day in self.latest]
        self.today: list[DaySoFar | None] = [None, None]
        for group in range(GROUPS):
            if self._always or self._days[group].open_ms <= self._start_ms:
                self._live_through(group)
            else:
                self._show_last_session(group, self._activities[group])

    def _live_through(self, group: int) -> None:
        """The day has begun: simulate it up to the start."""
        day, activity, start_ms = self._days[group], self._activities[group], self._start_ms
        close_ms = self.latest[group].close_ms
        since_ms = close_ms if self._always else day.open_ms
        rows = np.flatnonzero(self._model.group == group)
        self.open[rows] = self.high[rows] = self.low[rows] = np.nan
        if start_ms <= since_ms:
            return
        span = Span(
            since_ms=since_ms,
            now_ms=start_ms,
            variance_since=activity.variance_at(close_ms),
            frozen_ms=(day.spot_close_ms, day.close_ms),
        )
        today = day_so_far(
            self._model,
            self._underlyings,
            activity,
            span,
            GroupBefore(group, self.previous_close, self._units, float(self.slow[group])),
            self._seed,
        )
        self.today[group] = today
        self.last_price[rows] = today.close[-1]
        self.open[rows] = today.open[0]
        self.high[rows], self.low[rows] = today.high.max(axis=0), today.low.min(axis=0)
        self.volume[rows] = today.volume.sum(axis=0)

    def _show_last_session(self, group: int, activity: Activity) -> None:
        """Between sessions the last one stands: its range and volume, and the close before it."""
        for row in np.flatnonzero(self._model.group == group).tolist():
            bars = self.backfill.daily(row, 2, as_traded=False)
            self.previous_close[row] = bars["close"][0]
            self.open[row], self.high[row], self.low[row] = (
                bars[name][1] for name in ("open", "high", "low")
            )
            self.volume[row] = bars["volume"][1]
        self.since_ms[group] = activity.previous_day(self.latest[group]).close_ms

    def _scale_to(self, previous_run: PreviousRun) -> FloatArray:
        """What the whole path is to be multiplied by, so that it passes through what is carried."""
        scale = np.ones(self._model.count)
        for row in np.flatnonzero(previous_run.until_ms > 0).tolist():
            path = self._path(row, int(previous_run.until_ms[row]))
            place = int(np.searchsorted(path["time_ms"], previous_run.until_ms[row])) - 1
            level = path["close"][place] if place >= 0 else path["open"][0]
            scale[row] = previous_run.last_price[row] / level
        return scale

    def _path(self, row: int, since_ms: int) -> Bars:
        """The minutes of an underlying up to the start, the unfinished one too; of today where that does."""
        today = self.today[self._model.group[row]]
        running = today.candles(row) if today is not None else joined([])
        if len(running["time_ms"]) and running["time_ms"][0] < since_ms:
            return running
        return joined([self.backfill.minutes(row, BLOCK), running])

    def _go_on(self, previous_run: PreviousRun) -> None:
        """Count what is known of the running day, and what the path adds to it."""
        for row in np.flatnonzero(previous_run.until_ms > self._shown_since_ms()[self._model.group]).tolist():
            until_ms = int(previous_run.until_ms[row])
            path = self._path(row, until_ms)
            gap = {name: values[path["time_ms"] >= until_ms] for name, values in path.items()}
            if not len(gap["time_ms"]):
                self.last_price[row] = previous_run.last_price[row]
            if np.isfinite(previous_run.previous_close[row]):
                self.previous_close[row] = previous_run.previous_close[row]
            if np.isfinite(previous_run.open[row]):
                self.open[row] = previous_run.open[row]
                self.high[row] = np.max(np.append(gap["high"], previous_run.high[row]))
                self.low[row] = np.min(np.append(gap["low"], previous_run.low[row]))
                self.volume[row] = np.nan_to_num(previous_run.volume[row]) + gap["volume"].sum()

    def _shown_since_ms(self) -> NDArray[np.int64]:
        """When the day began whose range is shown: (groups,)."""
        if self._always:
            return np.array([day.close_ms for day in self.latest])
        return np.array(
            [
                day.open_ms if day.open_ms <= self._start_ms else latest.open_ms
                for day, latest in zip(self._days, self.latest, strict=True)
            ]
        )

    def fill(self, spots: Spots) -> None:
        """Write the table of underlyings."""
        for name in ("last_price", "open", "high", "low", "previous_close", "volume"):
            spots.fields[name][:] = getattr(self, name)

    @property
    def range(self) -> Range:
        """The day so far, the present price included."""
        last = self.last_price
        opens = np.where(np.isnan(self.open), last, self.open)
        return Range(opens, np.fmax(self.high, last), np.fmin(self.low, last))
