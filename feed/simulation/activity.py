"""How variance and volume are spread over the day: one clock of trading per market.

Both clocks count days: they grow by about 1 from one close to the next, fast at the open and near the
close, slowly outside the session. Instants are milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.instants import DAY_MS, IST, MINUTE_MS, to_datetime, to_ms
from feed.reference.calendar import Calendar, Session
from feed.simulation.parameters import FloatArray

_SPECIAL_SESSION_SHARE = 0.25  # an hour of Muhurat trading against a day's session; assumed
_AHEAD_MS = 45 * DAY_MS
_BEHIND_DAYS = 10


@dataclass(frozen=True, slots=True)
class ActivityDay:
    """One session of a market: instants of open, end of the spot's ticks and close, and its shares by minute.

    ``minute_variance``, ``minute_volume`` : (minutes,) of a day's; ``overnight_variance``: of the night
    before.
    """

    day: date
    open_ms: int
    spot_close_ms: int
    close_ms: int
    minute_variance: FloatArray
    minute_volume: FloatArray
    overnight_variance: float
    overnight_volume: float


class Profile:
    """Shares of a day's variance and volume by minute of the day in India, from the parameter file."""

    def __init__(self, table: dict[str, Any]) -> None:
        opens = time.fromisoformat(table["opens"])
        self.first_minute = opens.hour * 60 + opens.minute
        self.overnight_variance = float(table["overnight_share"])
        self.overnight_volume = float(table["overnight_volume"])
        width = 15 if len(table["variance"]) > 20 else 60
        minutes = int(table["minutes"])
        variance = _by_minute(table["variance"], width)[:minutes]
        opening = np.square(table["opening_deviation"])
        if len(opening):
            variance[: len(opening)] = variance[: len(opening)].sum() * opening / opening.sum()
        self.variance = variance / variance.sum() * (1 - self.overnight_variance)
        volume = _by_minute(table["volume"], width)[:minutes]
        self.volume = volume / volume.sum() * (1 - self.overnight_volume)

    def of_session(self, first_minute: int, minutes: int) -> tuple[FloatArray, FloatArray]:
        """Shares of each minute of a session; one at unusual hours has the day's shape, and less of it."""
        start = first_minute - self.first_minute
        if start >= 0 and start + minutes <= len(self.variance):
            return self.variance[start : start + minutes], self.volume[start : start + minutes]
        return self._stretched(self.variance, minutes), self._stretched(self.volume, minutes)

    def _stretched(self, shares: FloatArray, minutes: int) -> FloatArray:
        edges = np.linspace(0, len(shares), minutes + 1)
        cumulative = np.concatenate(([0.0], np.cumsum(shares)))
        scale = min(1.0, max(_SPECIAL_SESSION_SHARE, minutes / len(shares)))
        return scale * np.diff(np.interp(edges, np.arange(len(cumulative)), cumulative))


def _by_minute(shares: list[float], width: int) -> FloatArray:
    """Shares of equal stretches of ``width`` minutes as minutes, smooth across their edges."""
    cumulative = np.concatenate(([0.0], np.cumsum(shares)))
    minutes = np.interp(np.arange(len(shares) * width + 1), np.arange(len(cumulative)) * width, cumulative)
    return np.diff(minutes)


class Activity:
    """The clocks of one market: ``variance_at`` and ``volume_at`` count days of trading up to an instant.

    ``spot_exchange`` says when the spot ticks, ``exchange`` when its derivatives do.
    """

    def __init__(
        self, calendar: Calendar, spot_exchange: str, exchange: str, table: dict[str, Any], start_ms: int
    ) -> None:
        self._calendar = calendar
        self._spot_exchange = spot_exchange
        self.exchange = exchange
        self.profile = Profile(table)
        self._version = calendar.version
        first = to_datetime(start_ms).astimezone(IST).date() - timedelta(days=_BEHIND_DAYS)
        first = calendar.previous_session(exchange, first)
        self.days: list[ActivityDay] = [self.trading_day(first)]
        # knots of the clocks: instant, days of variance, days of volume
        self._instants = np.array([self.days[0].close_ms], dtype=np.float64)
        self._variance, self._volume = np.zeros(1), np.zeros(1)
        self.extend(start_ms)

    def trading_day(self, day: date) -> ActivityDay:
        """The session of a day. Raises KeyError where there is none."""
        session = self._session(self.exchange, day)
        spot = self._calendar.session(self._spot_exchange, day) or session
        open_ms, close_ms = to_ms(session.open), to_ms(session.close)
        opens = session.open.astimezone(IST)
        variance, volume = self.profile.of_session(
            opens.hour * 60 + opens.minute, (close_ms - open_ms) // MINUTE_MS
        )
        return ActivityDay(
            day,
            open_ms,
            min(to_ms(spot.close), close_ms),
            close_ms,
            variance,
            volume,
            self.profile.overnight_variance,
            self.profile.overnight_volume,
        )

    def extend(self, now_ms: int) -> bool:
        """Know the sessions of the weeks ahead of an instant; return whether the calendar was read anew."""
        changed = self._calendar.version != self._version
        if changed:
            self._version = self._calendar.version
            self._forget_after(now_ms)
        if self._instants[-1] < now_ms + _AHEAD_MS:
            self._append(now_ms + _AHEAD_MS)
        return changed

    def variance_at(self, instant_ms: int) -> float:
        """Days of variance up to an instant."""
        return float(np.interp(instant_ms, self._instants, self._variance))

    def volume_at(self, instant_ms: int) -> float:
        """Days of volume up to an instant."""
        return float(np.interp(instant_ms, self._instants, self._volume))

    def clocks_at(self, instants_ms: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Days of variance and of volume up to instants: each (n,)."""
        known = self._instants
        return np.interp(instants_ms, known, self._variance), np.interp(instants_ms, known, self._volume)

    def variance_until(self, instants_ms: NDArray[np.float64], sessions_per_year: float) -> FloatArray:
        """Days of variance up to instants that may be years away: (n,)."""
        known = np.interp(instants_ms, self._instants, self._variance)
        beyond = np.maximum(0.0, instants_ms - self._instants[-1]) / DAY_MS
        return known + beyond * (sessions_per_year / 365.25)

    def day_of(self, instant_ms: int) -> ActivityDay:
        """The first session that closes after an instant: the one in course, or the next."""
        return next(day for day in self.days if day.close_ms > instant_ms)

    def previous_day(self, day: ActivityDay) -> ActivityDay:
        """The session before one of those known."""
        return self.days[self.days.index(day) - 1]

    def _session(self, exchange: str, day: date) -> Session:
        session = self._calendar.session(exchange, day)
        if session is None:
            raise KeyError(f"{exchange} must have a session on the day asked for, {day} has none")
        return session

    def _append(self, until_ms: int) -> None:
        instants, variances, volumes = [self._instants], [self._variance], [self._volume]
        while instants[-1][-1] < until_ms:
            day = self.trading_day(self._calendar.next_session(self.exchange, self.days[-1].day))
            knots = day.open_ms + np.arange(len(day.minute_variance) + 1) * MINUTE_MS
            instants.append(knots.astype(np.float64))
            variances.append(_count_up(variances[-1][-1] + day.overnight_variance, day.minute_variance))
            volumes.append(_count_up(volumes[-1][-1] + day.overnight_volume, day.minute_volume))
            self.days.append(day)
        self._instants, self._variance, self._volume = map(np.concatenate, (instants, variances, volumes))

    def _forget_after(self, now_ms: int) -> None:
        """Drop the sessions that have not begun: the calendar may have changed them."""
        while len(self.days) > 1 and self.days[-1].open_ms > now_ms:
            self.days.pop()
        known = self._instants <= self.days[-1].close_ms
        self._instants, self._variance, self._volume = (
            clock[known] for clock in (self._instants, self._variance, self._volume)
        )


def _count_up(start: float, shares: FloatArray) -> FloatArray:
    counts: FloatArray = start + np.concatenate(([0.0], np.cumsum(shares)))
    return counts
