"""What options said before the start: the at-the-money volatility at the end of each past session.

It is the surface's own, of the nearest month as a volatility index picks it, from the slow states that the
past prices moved by; a path that ends where the live surface begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import numpy as np

from domain.instants import to_datetime, to_ms
from feed.market.universe import ROLL_MS
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.activity import Activity, ActivityDay
from feed.simulation.bars import Bars
from feed.simulation.contracts.surface import YEAR_MS, SurfaceModel
from feed.simulation.factors import GROUPS, OWN_BOUNDS, FactorModel
from feed.simulation.parameters import FloatArray
from feed.simulation.past.backfill import MOST_SESSIONS, SimulatedPast

_MARGIN = timedelta(days=75)  # after the latest session the near month has expired


@dataclass(frozen=True, slots=True)
class _Sessions:
    """Past sessions of a group, ascending, and the clock of variance through them: knots of both (n,)."""

    days: tuple[ActivityDay, ...]
    instants: FloatArray
    variance: FloatArray


class SimulatedVolatilities:
    """Volatilities before the start, one underlying at a time.

    ``latest`` : (groups,) the last complete session; ``level_weight`` : (underlyings,) how much of the slow
    state the surface of each follows.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        calendar: Calendar,
        catalogue: Catalogue,
        model: FactorModel,
        surface: SurfaceModel,
        activities: Sequence[Activity],
        backfill: SimulatedPast,
        *,
        latest: Sequence[ActivityDay],
        level_weight: FloatArray,
        seed: int,
    ) -> None:
        self._calendar = calendar
        self._catalogue = catalogue
        self._model = model
        self._surface = surface
        self._activities = activities
        self._backfill = backfill
        self._latest = latest
        self._level_weight = level_weight
        self._seed = seed
        self._known = lru_cache(maxsize=2 * GROUPS)(self._sessions)

    def sessions(self, row: int, sessions: int) -> Bars:
        """``time_ms`` of the openings of the last sessions, ascending, and ``atm_iv`` at their ends.

        Volatilities are decimals, NaN where no month of the underlying has options.
        """
        count = min(sessions, MOST_SESSIONS)
        group = int(self._model.group[row])
        known = self._known(group, count)
        closes = np.array([day.close_ms for day in known.days], dtype=np.float64)
        expires = self._near_month(row, closes)
        years = (expires - closes) / YEAR_MS
        clock = np.interp(expires, known.instants, known.variance)
        clock -= np.interp(closes, known.instants, known.variance)
        level = self._level(row, group, count)
        theta = self._surface.total_variance(
            years,
            clock,
            np.full(count, self._model.implied_volatility[row]),
            level,
            # the day's own state is gone at its end, and in a month's volatility worth half a percent
            np.zeros(count),
        )
        openings = np.array([day.open_ms for day in known.days], dtype=np.int64)
        return {"time_ms": openings, "atm_iv": np.sqrt(theta / years)}

    def _sessions(self, group: int, count: int) -> _Sessions:
        activity, latest = self._activities[group], self._latest[group]
        days = [latest]
        while len(days) < count:
            days.append(
                activity.trading_day(self._calendar.previous_session(activity.exchange, days[-1].day))
            )
        past = days[:count][::-1]
        later = [latest]
        while later[-1].day < latest.day + _MARGIN:
            later.append(activity.trading_day(self._calendar.next_session(activity.exchange, later[-1].day)))
        steps = [
            (day.open_ms, day.overnight_variance, day.close_ms, float(day.minute_variance.sum()))
            for day in (*past, *later[1:])
        ]
        instants = [at_ms for opens, _, closes, _ in steps for at_ms in (opens, closes)]
        shares = [share for _, night, _, session in steps for share in (night, session)]
        return _Sessions(tuple(past), np.array(instants, dtype=np.float64), np.cumsum(shares))

    def _near_month(self, row: int, closes: FloatArray) -> FloatArray:
        """When the month expires that a volatility index looks at, at the end of each session."""
        if not len(closes):
            return closes
        looked = closes + ROLL_MS
        first, last = (to_datetime(int(at_ms)) for at_ms in (looked[0], looked[-1]))
        expiries = self._catalogue.month_expiries(self._catalogue.underlyings[row].symbol, first, last)
        instants = np.array([float(to_ms(instant)) for instant in expiries] or [np.nan])
        nearest = np.searchsorted(instants, looked, side="right") if expiries else 0
        return np.broadcast_to(instants[nearest], closes.shape)

    def _level(self, row: int, group: int, count: int) -> FloatArray:
        """Logarithm of the volatility against its long run, as the live surface has it, ascending."""
        v, model = self._model.volatility, self._model
        by_returns = v["own_return_slope"] * model.daily_volatility[row] * model.own[row]
        deviation = float(np.hypot(v["own_noise"], by_returns))
        noise = np.random.default_rng((self._seed, 8, row)).standard_normal(count) * deviation
        keep = np.exp(-v["own_reversion"])
        own = np.zeros(count)  # latest first: that is where the live path begins
        for place in range(1, count):
            own[place] = own[place - 1] * keep + noise[place]
        slow = np.clip(self._backfill.slow_states(group, count), *model.slow_bounds)
        level: FloatArray = (slow * self._level_weight[row] + np.clip(own, *OWN_BOUNDS))[::-1]
        return level
