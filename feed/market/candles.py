"""Candles, their intervals, and the session grid they stand on.

The rule: a candle covers [start, start + interval) of the grid of its trading day. The grid of a day begins
at its session's open and goes on in both directions; the day's own limits cut the outermost candles short. A
one-minute candle is made of the prices published in it: open is the first, close the last, high and low
their range, volume what the day's volume grew by; what a simulated market went through between two
published states counts as published. A minute in which nothing was published has no candle. A
larger candle is the minutes in it, taken together.

With ``hours="exchange"`` a trading day is the calendar day of its session in India, with ``hours="always"``
it runs from the previous session's close to its own. Days without a session belong to the next day that has
one. A daily candle is labelled with the opening of its session, a weekly one with the first of its week.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from domain.instants import DAY_MS, IST, MINUTE_MS, to_datetime, to_ms
from domain.intervals import INTERVALS_MS, Interval
from domain.market import MarketHours, SourceName
from feed.reference.calendar import Calendar

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
RecordedDays = Mapping[date, tuple[int, int]]

SOURCES = tuple(SourceName)  # stored by place

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle; open interest is that at its end, NaN where not known."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    open_interest: float = np.nan


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """A candle that is final."""

    symbol: str
    interval: Interval
    candle: Candle


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles as columns of one length, ascending by ``time_ms``; ``source`` indexes ``SOURCES``.

    ``width_ms`` is that of the widest bar each is made of: a minute, or what was imported; 0 where not known.
    """

    time_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    open_interest: FloatArray
    source: IntArray
    width_ms: IntArray

    @classmethod
    def of(
        cls,
        time_ms: IntArray,
        prices: Iterable[FloatArray],
        source: int | IntArray = 0,
        width_ms: int | IntArray = MINUTE_MS,
    ) -> Candles:
        """Candles of open, high, low, close, volume and, if there is a sixth column, open interest."""
        columns = [np.asarray(column, np.float64) for column in prices]
        if len(columns) == 5:
            columns.append(np.full(len(time_ms), np.nan))
        opens, high, low, close, volume, open_interest = columns
        origin, width = (
            np.broadcast_to(np.asarray(finest, np.int64), (len(time_ms),)) for finest in (source, width_ms)
        )
        times = np.asarray(time_ms, np.int64)
        return cls(times, opens, high, low, close, volume, open_interest, origin, width)

    @classmethod
    def empty(cls) -> Candles:
        """No candles."""
        return cls.of(np.empty(0, np.int64), [np.empty(0)] * 5)

    @classmethod
    def merge(cls, parts: Sequence[Candles]) -> Candles:
        """All parts in order of time; where two have a candle of the same time, the later part's."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        together = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
        return cls(**together).ordered()

    def __len__(self) -> int:
        return len(self.time_ms)

    def split(self, factors: FloatArray) -> Candles:
        """These candles in shares of which there are ``factors`` : (n,) for each one."""
        if (factors == 1.0).all():
            return self
        prices = {name: getattr(self, name) / factors for name in ("open", "high", "low", "close")}
        return replace(self, **prices, volume=self.volume * factors)

    def ordered(self) -> Candles:
        """These candles in order of time; of several of one time the last."""
        order = np.argsort(self.time_ms, kind="stable")
        times = self.time_ms[order]
        return self.take(order[np.append(times[1:] != times[:-1], True)] if len(order) else order)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Candles:
        """The candles of some rows."""
        return Candles(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def at(self, time_ms: IntArray) -> Candles:
        """The same candles at other times."""
        return replace(self, time_ms=time_ms)

    def of_width(self, width_ms: int) -> Candles:
        """The same candles, each of that width."""
        return replace(self, width_ms=np.full(len(self), width_ms, np.int64))

    def between(self, start_ms: int, end_ms: int) -> Candles:
        """The candles labelled in [start, end)."""
        first, stop = np.searchsorted(self.time_ms, (start_ms, end_ms))
        return self.take(slice(int(first), int(stop)))

    def candle(self, row: int) -> Candle:
        """One row as a candle."""
        return Candle(int(self.time_ms[row]), *(float(getattr(self, name)[row]) for name in COLUMNS[1:7]))

    @property
    def source_names(self) -> tuple[str, ...]:
        """Where these candles come from, each once."""
        return tuple(SOURCES[code] for code in np.unique(self.source).tolist())


COLUMNS = tuple(column.name for column in fields(Candles))


def source_code(name: str) -> int:
    """The place of a source in ``SOURCES``; 0 for one that is not there."""
    return SOURCES.index(name) if name in SOURCES else 0


@dataclass(frozen=True, slots=True)
class TradingDay:
    """What belongs to a day: [start, end), and the session whose open its grid begins at."""

    day: date
    start_ms: int
    open_ms: int
    close_ms: int
    end_ms: int


class SessionGrid:
    """The trading days of one exchange and the candle starts in them.

    ``hours`` is ``"exchange"`` or ``"always"``: see the module's rule. ``recorded`` : days of which there are
    rows though the calendar knows no session of them, with the instants they begin and end at: they are
    sessions of their own.
    """

    def __init__(
        self,
        calendar: Calendar,
        exchange: str,
        hours: str,
        recorded: RecordedDays = MappingProxyType({}),
    ) -> None:
        if hours not in tuple(MarketHours):
            raise ValueError(f"hours must be 'exchange' or 'always', was {hours!r}")
        self._calendar = calendar
        self._exchange = exchange
        self._recorded = dict(recorded)
        self._recorded_days = sorted(self._recorded)
        self._always = hours == MarketHours.ALWAYS
        self._version = calendar.version
        self._days: dict[date, TradingDay] = {}

    def day(self, day: date) -> TradingDay:
        """The limits of a trading day; a day without a session has no width but an opening."""
        if self._version != self._calendar.version:
            self._version = self._calendar.version
            self._days.clear()
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._plan(day)
        return found

    def day_at(self, at_ms: int) -> TradingDay:
        """The trading day an instant belongs to."""
        at = to_datetime(at_ms)
        today = at.astimezone(IST).date()
        hours = self._hours(today)
        if hours is not None and not (self._always and at_ms >= hours[1]):
            return self.day(today)
        return self.day(self._next(today))

    def previous(self, day: date) -> TradingDay:
        """The trading day before a day."""
        return self.day(self._previous(day))

    def days(self, start_ms: int, end_ms: int) -> list[TradingDay]:
        """Every trading day that has a part in [start, end), ascending."""
        days = [self.day_at(start_ms)]
        while days[-1].end_ms < end_ms:
            days.append(self.day(self._next(days[-1].day)))
        return days

    def week(self, day: date) -> tuple[TradingDay, TradingDay]:
        """First and last trading day of the week, Monday to Sunday, that a trading day is in."""
        monday = day - timedelta(days=day.weekday())
        first, last = self._next(monday - _ONE_DAY), self._previous(monday + 7 * _ONE_DAY)
        return self.day(min(first, day)), self.day(max(last, day))

    def bounds(self, interval: Interval, at_ms: int) -> tuple[int, int, int]:
        """Start, end and label of the candle that an instant belongs to."""
        day = self.day_at(at_ms)
        if interval == Interval.ONE_DAY:
            return day.start_ms, day.end_ms, day.open_ms
        if interval == Interval.ONE_WEEK:
            first, last = self.week(day.day)
            return first.start_ms, last.end_ms, first.open_ms
        interval_ms = INTERVALS_MS[interval]
        start_ms = at_ms - (at_ms - day.open_ms) % interval_ms
        cut_ms = max(start_ms, day.start_ms)
        return cut_ms, min(start_ms + interval_ms, day.end_ms), cut_ms

    def cover(self, interval: Interval, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The range of whole candles that have a part in [start, end)."""
        return self.bounds(interval, start_ms)[0], self.bounds(interval, max(end_ms - 1, start_ms))[1]

    def labels(self, interval: Interval, times_ms: IntArray) -> IntArray:
        """The label of the candle that each instant of an ascending array belongs to: (n,)."""
        if interval == Interval.ONE_MINUTE or not len(times_ms):
            return times_ms
        days, row = self._days_of(times_ms)
        if interval in INTERVALS_MS:
            opens = np.array([day.open_ms for day in days])[row]
            starts = np.array([day.start_ms for day in days])[row]
            labels: IntArray = np.maximum(times_ms - (times_ms - opens) % INTERVALS_MS[interval], starts)
            return labels
        weekly = interval == Interval.ONE_WEEK
        openings = [self.week(day.day)[0].open_ms if weekly else day.open_ms for day in days]
        return np.array(openings, np.int64)[row]

    def _days_of(self, times_ms: IntArray) -> tuple[list[TradingDay], NDArray[np.intp]]:
        """The trading days of ascending instants, and the place of each instant's in them: (n,)."""
        days = self.days(int(times_ms[0]), int(times_ms[-1]) + 1)
        return days, np.searchsorted([day.end_ms for day in days], times_ms, side="right")

    def fitting(self, interval: Interval, parts: Iterable[Candles]) -> list[Candles]:
        """Of bars, each part of one width, those that candles of an interval can be made of.

        The width divides the interval, and the bar lies within one candle; one that reaches beyond the close
        ends with it.
        """
        found, boundary_ms = [], INTERVALS_MS[interval]
        for part in parts:
            if not len(part) or part.width_ms[0] > boundary_ms or boundary_ms % part.width_ms[0]:
                continue
            days, row = self._days_of(part.time_ms)
            closes = np.array([day.close_ms for day in days])[row]
            ends = part.time_ms + part.width_ms
            ends = np.where((part.time_ms < closes) & (closes < ends), closes, ends)
            is_within = self.labels(interval, part.time_ms) == self.labels(interval, ends - 1)
            found.append(part.take(is_within))
        return found

    def resample(self, interval: Interval, candles: Candles) -> Candles:
        """Larger candles of smaller ones; the candles must be those of whole larger ones."""
        if interval == Interval.ONE_MINUTE or not len(candles):
            return candles
        return gather(self.labels(interval, candles.time_ms), candles)

    def _plan(self, day: date) -> TradingDay:
        hours = self._hours(day)
        if hours is None:
            opening_ms = _midnight_ms(day)
            return TradingDay(day, opening_ms, opening_ms, opening_ms, opening_ms)
        before = self._previous(day)
        if self._always:
            previous = self._hours(before)
            start_ms, end_ms = previous[1] if previous else _midnight_ms(day), hours[1]
        else:
            start_ms, end_ms = _midnight_ms(before + _ONE_DAY), _midnight_ms(day + _ONE_DAY)
        return TradingDay(day, start_ms, hours[0], hours[1], end_ms)

    def _hours(self, day: date) -> tuple[int, int] | None:
        """Open and close of a day, None where it has no session."""
        session = self._calendar.session(self._exchange, day)
        return self._recorded.get(day) if session is None else (to_ms(session.open), to_ms(session.close))

    def _next(self, day: date) -> date:
        found = self._calendar.next_session(self._exchange, day)
        place = bisect_right(self._recorded_days, day)
        return min([found, *self._recorded_days[place : place + 1]])

    def _previous(self, day: date) -> date:
        found = self._calendar.previous_session(self._exchange, day)
        place = bisect_left(self._recorded_days, day)
        return max([found, *self._recorded_days[max(0, place - 1) : place]])


def gather(labels: IntArray, candles: Candles) -> Candles:
    """One candle for each run of equal labels: (n,) labels, ascending."""
    firsts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    lasts = np.append(firsts[1:], len(labels)) - 1
    return Candles(
        time_ms=labels[firsts],
        open=candles.open[firsts],
        high=np.maximum.reduceat(candles.high, firsts),
        low=np.minimum.reduceat(candles.low, firsts),
        close=candles.close[lasts],
        volume=_sums(candles.volume, firsts),
        open_interest=candles.open_interest[lasts],
        source=candles.source[lasts],
        width_ms=np.maximum.reduceat(candles.width_ms, firsts),
    )


def laid_over(parts: Iterable[Candles]) -> Candles:
    """Candles of ascending width as one row of them: what begins within a wider bar gives way to it.

    A bar that was imported is whole, and what is narrower need not be.
    """
    finest = Candles.empty()
    for wider in parts:
        if len(wider) and len(finest):
            place = np.searchsorted(wider.time_ms, finest.time_ms, side="right") - 1
            reach = wider.time_ms + wider.width_ms
            finest = finest.take((place < 0) | (finest.time_ms >= reach[place]))
        finest = Candles.merge([finest, wider])
    return finest


_UNITS_MS = {"s": 1000, "m": MINUTE_MS, "h": 60 * MINUTE_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_WIDTH = re.compile(
    r"(\d{0,4})\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
)
_WIDTH_WORDS = {
    "daily": Interval.ONE_DAY,
    "eod": Interval.ONE_DAY,
    "hourly": Interval.ONE_HOUR,
    "weekly": Interval.ONE_WEEK,
}


def width_name(width_ms: int) -> str:
    """A width as intervals are named: 30s, 1m, 75m, 1h, 1d."""
    units = reversed(_UNITS_MS.items())
    unit, unit_ms = next((unit for unit in units if width_ms % unit[1] == 0), ("s", 1000))
    return f"{width_ms / unit_ms:g}{unit}"


def parse_width(text: str) -> int:
    """A width in milliseconds, from names such as 5m, 5minute, 1h, day. Raises ValueError."""
    name = text.strip().lower()
    found = _WIDTH.fullmatch(_WIDTH_WORDS.get(name, name))
    width_ms = int(found[1] or 1) * _UNITS_MS[found[2][0]] if found else 0
    if (
        not width_ms
        or (width_ms > MINUTE_MS and width_ms % MINUTE_MS)
        or MINUTE_MS % min(width_ms, MINUTE_MS)
    ):
        raise ValueError(f"an interval must be like 5s, 1m, 5minute, 1h or 1d, was {text!r}")
    return width_ms


def _sums(volume: FloatArray, firsts: NDArray[np.intp]) -> FloatArray:
    """Sum of each run over what is known of it; NaN where nothing is."""
    known = ~np.isnan(volume)
    sums = np.add.reduceat(np.where(known, volume, 0.0), firsts)
    return np.where(np.logical_or.reduceat(known, firsts), sums, np.nan)


def _midnight_ms(day: date) -> int:
    return to_ms(datetime.combine(day, time(), IST).astimezone(UTC))
