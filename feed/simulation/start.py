"""The underlyings at the start: last closes, the day so far, and the bars before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feed.calendar import Calendar
from feed.instruments import Underlying
from feed.simulation.activity import Activity, TradingDay
from feed.simulation.backfill import Backfill, round_to
from feed.simulation.contracts_start import Range
from feed.simulation.factors import GROUPS, FactorModel
from feed.simulation.opening import DaySoFar, Span, day_so_far
from feed.simulation.parameters import FloatArray
from feed.simulation.spots import Spots

_CALM_LEVEL = -0.12  # the logarithm of implied volatility against its long run, at the start


class Start:
    """Where the live path begins.

    ``since_ms`` : (groups,) instant of the previous close that the day in course counts from; ``today`` :
    (groups,) what has happened in it, None before its open; the price columns are (underlyings,).
    """

    def __init__(
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
    ) -> None:
        rng = np.random.default_rng((seed, 7))
        self._model = model
        self.slow = np.array([_CALM_LEVEL, 0.0]) + 0.06 * rng.standard_normal(GROUPS)
        ticks = np.array([underlying.spot_tick_size for underlying in underlyings])
        reference = np.array([underlying.reference_price for underlying in underlyings])
        closes = round_to(reference, ticks)
        days = [activity.day_of(start_ms) for activity in activities]
        self.latest = [activity.previous_day(day) for activity, day in zip(activities, days, strict=True)]
        self.backfill = Backfill(
            calendar,
            underlyings,
            model,
            activities,
            units,
            seed=seed,
            latest=self.latest,
            slow=self.slow,
            closes=closes,
        )
        self.previous_close = closes.copy()
        self.last_price, self.open, self.high, self.low = (closes.copy() for _ in range(4))
        self.volume = np.zeros(model.count)
        self.since_ms = [day.close_ms for day in self.latest]
        self.today: list[DaySoFar | None] = [None, None]
        for group in range(GROUPS):
            if always or days[group].open_ms <= start_ms:
                self._live_through(
                    group, days[group], activities[group], underlyings, units, seed, start_ms, always
                )
            else:
                self._show_last_session(group, activities[group])

    def _live_through(
        self,
        group: int,
        day: TradingDay,
        activity: Activity,
        underlyings: Sequence[Underlying],
        units: FloatArray,
        seed: int,
        start_ms: int,
        always: bool,
    ) -> None:
        """The day has begun: simulate it up to the start."""
        close_ms = self.latest[group].close_ms
        if start_ms <= (close_ms if always else day.open_ms):
            return
        span = Span(
            since_ms=close_ms if always else day.open_ms,
            now_ms=start_ms,
            variance_since=activity.variance_at(close_ms),
            frozen_ms=(day.spot_close_ms, day.close_ms),
        )
        today = day_so_far(
            self._model,
            underlyings,
            activity,
            span,
            self.previous_close,
            units,
            slow=float(self.slow[group]),
            group=group,
            seed=seed,
        )
        self.today[group] = today
        rows = today.rows
        self.last_price[rows], self.open[rows] = today.close[-1], today.open[0]
        self.high[rows], self.low[rows] = today.high.max(axis=0), today.low.min(axis=0)
        self.volume[rows] = today.volume.sum(axis=0)

    def _show_last_session(self, group: int, activity: Activity) -> None:
        """Between sessions the last one stands: its range and volume, and the close before it."""
        for row in np.flatnonzero(self._model.group == group).tolist():
            bars = self.backfill.daily(row, 2)
            self.previous_close[row] = bars["close"][0]
            self.open[row], self.high[row], self.low[row] = (
                bars[name][1] for name in ("open", "high", "low")
            )
            self.volume[row] = bars["volume"][1]
        self.since_ms[group] = activity.previous_day(self.latest[group]).close_ms

    def fill(self, spots: Spots) -> None:
        """Write the table of underlyings."""
        for name in ("last_price", "open", "high", "low", "previous_close", "volume"):
            spots.fields[name][:] = getattr(self, name)

    @property
    def range(self) -> Range:
        """The day so far."""
        return Range(self.open, self.high, self.low)
