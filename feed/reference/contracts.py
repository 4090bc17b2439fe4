"""The rules of contracts: expiry ladders, lots by date, strikes; their facts are in `data/contracts.toml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.instants import day_in_india
from domain.instruments import ExpiryKind
from feed.reference.calendar import Calendar

_QUARTER_ENDS = frozenset({3, 6, 9, 12})
_HALF_YEAR_ENDS = frozenset({6, 12})
_ONE_DAY = timedelta(days=1)
_ONE_WEEK = timedelta(days=7)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month of a day."""
        return cls(day.year, day.month)

    def plus(self, months: int) -> "Month":
        """The month that many months later."""
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)

    def last_day(self) -> date:
        """The last day of the month, be it a session or not."""
        following = self.plus(1)
        return date(following.year, following.month, 1) - _ONE_DAY


class ExpiryRule(Protocol):
    """When the options of an underlying expire."""

    @property
    def exchange(self) -> str:
        """The exchange whose sessions count."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of expiry that are listed."""

    def month_day(self, calendar: Calendar, month: Month) -> date:
        """The expiry of the contract named for a month."""

    def ladder(self, calendar: Calendar, at: datetime) -> dict[date, str]:
        """The expiries listed at an instant, ascending, with their kinds."""

    def underlying_future(self, calendar: Calendar, day: date) -> date | None:
        """The expiry of the future under the options of a day; None where they are on the spot."""


@dataclass(frozen=True, slots=True)
class DueWeekdays:
    """The weekdays on which contracts fall due from a date on; Monday is 0."""

    start: date
    weekly: int
    monthly: int


@dataclass(frozen=True, slots=True)
class WeekdayRule:
    """Options on an index or share: due on a weekday, weekly and on the last such day of a month."""

    exchange: str
    weekdays: tuple[DueWeekdays, ...]  # by first date, ascending
    weekly_until: date  # the last day on which a weekly contract may fall due
    weekly: int
    monthly: int
    quarterly: int
    half_yearly: int

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of expiry that are listed."""
        return frozenset(kind for kind in ExpiryKind if getattr(self, kind))

    def month_day(self, calendar: Calendar, month: Month) -> date:
        """The last due weekday of the month, moved back to an ordinary session."""
        return calendar.expiry_day(self.exchange, self._due_in(month))

    def ladder(self, calendar: Calendar, at: datetime) -> dict[date, str]:
        """The expiries listed at an instant, ascending, with their kinds."""
        kinds = dict.fromkeys(islice(self._weeklies(calendar, at), self.weekly), ExpiryKind.WEEKLY)
        month = Month.of(day_in_india(at))
        if not self._is_ahead(calendar, self.month_day(calendar, month), at):
            month = month.plus(1)
        for kind, number, ends in (
            (ExpiryKind.MONTHLY, self.monthly, range(1, 13)),
            (ExpiryKind.QUARTERLY, self.quarterly, _QUARTER_ENDS),
            (ExpiryKind.HALF_YEARLY, self.half_yearly, _HALF_YEAR_ENDS),
        ):
            for _ in range(number):
                while month.month not in ends:
                    month = month.plus(1)
                kinds[self.month_day(calendar, month)] = kind
                month = month.plus(1)
        return dict(sorted(kinds.items()))

    def underlying_future(self, calendar: Calendar, day: date) -> date | None:
        """None: these options are on the spot."""
        return None

    def _weeklies(self, calendar: Calendar, at: datetime) -> Iterator[date]:
        today = day_in_india(at)
        monday = today - timedelta(days=today.weekday())
        while (due := monday + timedelta(days=self._in_force(monday).weekly)) <= self.weekly_until:
            day = calendar.expiry_day(self.exchange, due)
            if not self._has_monthly(monday) and self._is_ahead(calendar, day, at):
                yield day
            monday += _ONE_WEEK

    def _has_monthly(self, monday: date) -> bool:
        """Whether the monthly contract takes the place of that week's."""
        sunday = monday + _ONE_WEEK - _ONE_DAY
        return any(monday <= self._due_in(Month.of(day)) <= sunday for day in (monday, sunday))

    def _is_ahead(self, calendar: Calendar, day: date, at: datetime) -> bool:
        return calendar.expiry_instant(self.exchange, day) > at

    def _due_in(self, month: Month) -> date:
        last = month.last_day()
        return last - timedelta(days=(last.weekday() - self._in_force(last).monthly) % 7)

    def _in_force(self, day: date) -> DueWeekdays:
        in_force = [weekdays for weekdays in self.weekdays if weekdays.start <= day]
        return in_force[-1] if in_force else self.weekdays[0]


@dataclass(frozen=True, slots=True)
class FutureRule:
    """Options on a future: due some sessions before it, or at a month's end where no future is near."""

    exchange: str
    monthly: int
    future_months: frozenset[int]
    future_day: int
    future_sessions: int
    option_sessions: int
    month_end_sessions: int
    foreign_holidays: frozenset[date] | None  # of the city whose business days a future is counted in

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of expiry that are listed."""
        return frozenset({"monthly"})

    def month_day(self, calendar: Calendar, month: Month) -> date:
        """The expiry of the options named for a month."""
        last_day = month.last_day()
        for future in self._futures(calendar, month):
            due = self._before_future(calendar, future)
            if Month.of(due) == month:
                return due
            if due > last_day:
                break
        return self._sessions_before(calendar, last_day + _ONE_DAY, self.month_end_sessions + 1)

    def ladder(self, calendar: Calendar, at: datetime) -> dict[date, str]:
        """The expiries listed at an instant, ascending: all are monthly."""
        month = Month.of(day_in_india(at))
        days = (self.month_day(calendar, month.plus(later)) for later in count())
        listed = (day for day in days if calendar.expiry_instant(self.exchange, day) > at)
        return dict.fromkeys(islice(listed, self.monthly), "monthly")

    def underlying_future(self, calendar: Calendar, day: date) -> date | None:
        """The first future whose own last options expire on that day or later."""
        futures = self._futures(calendar, Month.of(day))
        return next(future for future in futures if self._before_future(calendar, future) >= day)

    def _futures(self, calendar: Calendar, month: Month) -> Iterator[date]:
        months = (month.plus(later) for later in count())
        return (self._future_day(calendar, other) for other in months if other.month in self.future_months)

    def _future_day(self, calendar: Calendar, month: Month) -> date:
        last_day = month.last_day()
        after = last_day.replace(day=min(self.future_day, last_day.day)) + _ONE_DAY
        if self.foreign_holidays is None:
            return self._sessions_before(calendar, after, self.future_sessions + 1)
        day = _business_days_before(after, self.future_sessions + 1, self.foreign_holidays)
        return calendar.expiry_day(self.exchange, day)

    def _before_future(self, calendar: Calendar, future: date) -> date:
        return self._sessions_before(calendar, future, self.option_sessions)

    def _sessions_before(self, calendar: Calendar, day: date, sessions: int) -> date:
        for _ in range(sessions):
            day = calendar.expiry_day(self.exchange, day - _ONE_DAY)
        return day


def _business_days_before(day: date, number: int, holidays: frozenset[date]) -> date:
    while number:
        day -= _ONE_DAY
        number -= day.weekday() < _SATURDAY and day not in holidays
    return day


@dataclass(frozen=True, slots=True)
class LotChange:
    """A lot of the contracts that expire on a date or later: see the comment in `contracts.toml`."""

    start: date
    lot: int
    expiries_from: date
    weeklies_from: date
    new_before: date

    def holds(self, expiry: date, is_weekly: bool, on: date) -> bool:
        """Whether a contract has been reached by this change on a day."""
        first = self.weeklies_from if is_weekly else self.expiries_from
        return expiry >= first and (on >= self.start or expiry < self.new_before)


@dataclass(frozen=True, slots=True)
class StrikeGrid:
    """Bands of strikes around the spot, for the nearest so many expiries of some kinds."""

    kinds: frozenset[str]
    nearest: int | None  # None: however far
    bands: tuple[tuple[float, float, int], ...]  # part below the spot, part above it, steps between strikes

    def fits(self, kind: str, nearer: int) -> bool:
        """Whether it is for an expiry of that kind, with so many nearer ones of the kind."""
        return kind in self.kinds and (self.nearest is None or nearer < self.nearest)

    def strikes(self, spot: float, step: float) -> NDArray[np.float64]:
        """Ascending strikes, all multiples of the step; two on each side however low the spot is."""
        numbers: set[int] = set()
        for below, above, steps in self.bands:
            gap = step * steps
            at = int(spot / gap)
            first = max(1, min(at - 1, int(np.ceil(spot * (1 - below) / gap))))
            last = max(at + 2, int(spot * (1 + above) / gap))
            numbers.update(range(first * steps, (last + 1) * steps, steps))
        return np.array(sorted(numbers), dtype=np.float64) * step


@dataclass(frozen=True, slots=True)
class ContractRules:
    """All rules of the file, by the names that `underlyings.csv` uses."""

    expiry_rules: Mapping[str, ExpiryRule]
    lots: Mapping[str, tuple[LotChange, ...]]  # latest first
    strike_grids: Mapping[str, tuple[StrikeGrid, ...]]
