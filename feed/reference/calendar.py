"""When each exchange trades: phases, sessions, holidays and expiry instants, all from one file of facts.

Nothing here reads a clock: the instant is always an argument. Instants are aware datetimes, answers are in
UTC; dates are days in India. The facts are in `data/calendar.toml`, whose head explains its format and the
operator's override file.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path

from domain.instants import IST, day_in_india
from feed.reference.data.calendar_facts import CalendarError as CalendarError
from feed.reference.data.calendar_facts import CalendarFacts, PhaseWindow, read_calendar_facts

CALENDAR_PATH = Path(__file__).parent / "data" / "calendar.toml"

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5
_LONGEST_CLOSURE_DAYS = 60  # a longer one is a mistake in the file, and a search would not end


@cache
def _built_in() -> CalendarFacts:
    """What comes with the program, read once unless it is asked to be read again."""
    return read_calendar_facts(CALENDAR_PATH, None)


def _read(path: Path, override: Path | None) -> CalendarFacts:
    is_built_in = path is CALENDAR_PATH and (override is None or not override.exists())
    return _built_in() if is_built_in else read_calendar_facts(path, override)


class UnknownExchange(LookupError):
    """An exchange that the calendar does not list; `known` has those it does."""

    def __init__(self, exchange: str, known: tuple[str, ...]) -> None:
        super().__init__(f"exchange must be one of {', '.join(known)}, was {exchange!r}")
        self.exchange = exchange
        self.known = known


@dataclass(frozen=True, slots=True)
class Phase:
    """What an exchange does, from `since` until just before `next_change`; `holiday` names what closes it."""

    exchange: str
    phase: str
    is_open: bool
    since: datetime
    next_phase: str
    next_change: datetime
    holiday: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """The trading of one day, from the first open to the last close; `name` is set for a special session."""

    day: date
    open: datetime
    close: datetime
    name: str | None = None


class Calendar:
    """The sessions of every exchange.

    Parameters
    ----------
    path
        The file of facts.
    override
        The operator's file of the same format, laid over the facts; skipped where it does not exist.

    """

    def __init__(self, path: Path = CALENDAR_PATH, override: Path | None = None) -> None:
        self._path = path
        self._override = override
        self.version = 1
        self._follow(_read(path, override))

    @classmethod
    def load(cls, path: Path = CALENDAR_PATH, override: Path | None = None) -> "Calendar":
        """The calendar of these files; raises `CalendarError` where one of them breaks a rule."""
        return cls(path, override)

    def reload(self) -> bool:
        """Read the files again, and say whether they tell anything else than before.

        A file that breaks a rule raises and leaves the calendar as it was.
        """
        before = self._facts
        self._follow(read_calendar_facts(self._path, self._override))
        self.version += 1
        return before != self._facts

    def _follow(self, facts: CalendarFacts) -> None:
        self._facts = facts
        self.exchanges = tuple(facts.exchanges)
        self._days: dict[tuple[str, date], _CalendarDay] = {}
        self._years: dict[tuple[str, int], list[float]] = {}
        self._latest: dict[str, Phase] = {}

    def phase(self, exchange: str, at: datetime) -> Phase:
        """The phase of an exchange at an instant."""
        latest = self._latest.get(exchange)
        if latest is None or not latest.since <= at < latest.next_change:
            latest = self._latest[exchange] = self._find_phase(exchange, at)
        return latest

    def is_session(self, exchange: str, day: date) -> bool:
        """Whether there is any trading on a day, be it a special session or half a day."""
        return self.session(exchange, day) is not None

    def session(self, exchange: str, day: date) -> Session | None:
        """The trading of a day, None where there is none."""
        return self._day(exchange, day).session

    def previous_session(self, exchange: str, day: date) -> date:
        """The last day of trading before a day."""
        return self._nearest(lambda other: self.is_session(exchange, other), day - _ONE_DAY, -_ONE_DAY)

    def next_session(self, exchange: str, day: date) -> date:
        """The first day of trading after a day."""
        return self._nearest(lambda other: self.is_session(exchange, other), day + _ONE_DAY, _ONE_DAY)

    def is_ordinary_session(self, exchange: str, day: date) -> bool:
        """Whether a day has trading of the usual kind, on which contracts may expire."""
        session = self.session(exchange, day)
        return session is not None and session.name is None

    def expiry_day(self, exchange: str, day: date) -> date:
        """The day on which a contract due on a day expires: itself, or the last ordinary session before."""
        return self._nearest(lambda other: self.is_ordinary_session(exchange, other), day, -_ONE_DAY)

    def expiry_instant(self, exchange: str, day: date) -> datetime:
        """When contracts of a day expire: the last close of that day.

        A day that is no ordinary session has the hours it would have had, because the exchange's own list of
        contracts may know better than an estimated holiday.
        """
        session = self.session(exchange, day)
        if session is not None and session.name is None:
            return session.close
        windows = self._facts.ordinary_windows(self._exchange_rules(exchange)[0], day)
        return _instant(day, max(window.end for window in windows if self._facts.is_open(window)))

    def trading_minutes(self, exchange: str, start: datetime, end: datetime) -> float:
        """Minutes of trading from one instant to another; negative where the end is before the start."""
        first, last = day_in_india(start), day_in_india(end)
        whole_years = sum(self._minutes_by_day(exchange, year)[-1] for year in range(first.year, last.year))
        whole_years -= sum(self._minutes_by_day(exchange, year)[-1] for year in range(last.year, first.year))
        return whole_years + self._minutes_into_year(exchange, end) - self._minutes_into_year(exchange, start)

    def _exchange_rules(self, exchange: str) -> tuple[str, str]:
        try:
            return self._facts.exchanges[exchange]
        except KeyError:
            raise UnknownExchange(exchange, self.exchanges) from None

    def _nearest(self, matches: Callable[[date], bool], day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_CLOSURE_DAYS):
            if matches(day):
                return day
            day += step
        raise CalendarError(f"a closure must end within {_LONGEST_CLOSURE_DAYS} days, one reaches {day}")

    def _day(self, exchange: str, day: date) -> "_CalendarDay":
        found = self._days.get((exchange, day))
        if found is None:
            timetable, holidays = self._exchange_rules(exchange)
            found = self._days[exchange, day] = _plan_day(self._facts, timetable, holidays, day)
        return found

    def _find_phase(self, exchange: str, at: datetime) -> Phase:
        day = day_in_india(at)
        plan = self._day(exchange, day)
        index = bisect_right(plan.starts, at) - 1
        state = plan.states[index]
        since = plan.starts[index]
        for start, earlier in self._states_before(exchange, day, index):
            if earlier != state:
                break
            since = start
        later = self._states_after(exchange, day, index)
        next_change, following = next(entry for entry in later if entry[1] != state)
        return Phase(exchange, state.phase, state.is_open, since, following.phase, next_change, state.holiday)

    # Neither walk needs an end: no state lasts from a weekend into the week.

    def _states_before(
        self, exchange: str, day: date, index: int
    ) -> Iterator[tuple[datetime, "_PhaseState"]]:
        plan = self._day(exchange, day)
        yield from zip(plan.starts[:index][::-1], plan.states[:index][::-1], strict=True)
        while True:
            day -= _ONE_DAY
            plan = self._day(exchange, day)
            yield from zip(plan.starts[::-1], plan.states[::-1], strict=True)

    def _states_after(self, exchange: str, day: date, index: int) -> Iterator[tuple[datetime, "_PhaseState"]]:
        plan = self._day(exchange, day)
        yield from zip(plan.starts[index + 1 :], plan.states[index + 1 :], strict=True)
        while True:
            day += _ONE_DAY
            plan = self._day(exchange, day)
            yield from zip(plan.starts, plan.states, strict=True)

    def _minutes_by_day(self, exchange: str, year: int) -> list[float]:
        """Minutes of trading from the start of a year to the start of each of its days, and to its end."""
        found = self._years.get((exchange, year))
        if found is None:
            first, end = date(year, 1, 1), date(year + 1, 1, 1)
            days = (first + _ONE_DAY * number for number in range((end - first).days))
            minutes = (self._day(exchange, day).minutes_until(None) for day in days)
            found = self._years[exchange, year] = list(accumulate(minutes, initial=0.0))
        return found

    def _minutes_into_year(self, exchange: str, at: datetime) -> float:
        day = day_in_india(at)
        before = self._minutes_by_day(exchange, day.year)[(day - date(day.year, 1, 1)).days]
        return before + self._day(exchange, day).minutes_until(at)


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, IST).astimezone(UTC)


# The plan of one day, made from the facts when first asked for.


@dataclass(frozen=True, slots=True)
class _PhaseState:
    phase: str
    is_open: bool = False
    holiday: str | None = None


@dataclass(frozen=True, slots=True)
class _CalendarDay:
    """One day in India as states with the instants they begin at; the first begins at midnight."""

    starts: tuple[datetime, ...]
    states: tuple[_PhaseState, ...]
    session: Session | None
    open_hours: tuple[tuple[datetime, datetime], ...]

    def minutes_until(self, at: datetime | None) -> float:
        """Minutes of trading of this day before an instant of it, or of the whole day."""
        hours = ((start, end if at is None else min(end, at)) for start, end in self.open_hours)
        return sum((end - start).total_seconds() / 60 for start, end in hours if end > start)


def _plan_day(facts: CalendarFacts, timetable: str, holidays: str, day: date) -> "_CalendarDay":
    windows, before, after, name = _rules_of_day(facts, timetable, holidays, day)
    starts, states = [_instant(day, time())], [before]
    for window in windows:
        start = _instant(day, window.start)
        if start == starts[-1]:
            del starts[-1], states[-1]
        starts += [start, _instant(day, window.end)]
        states += [_PhaseState(window.phase, facts.is_open(window)), _PhaseState("closed")]
    states[-1] = after
    hours = tuple((_instant(day, w.start), _instant(day, w.end)) for w in windows if facts.is_open(w))
    session = Session(day, hours[0][0], hours[-1][1], name) if hours else None
    return _CalendarDay(tuple(starts), tuple(states), session, hours)


def _rules_of_day(
    facts: CalendarFacts, timetable: str, holidays: str, day: date
) -> tuple[tuple[PhaseWindow, ...], _PhaseState, _PhaseState, str | None]:
    """The phases of a day, the states before and after them, and the name of a special session."""
    ordinary = facts.ordinary_windows(timetable, day)
    closed = rest = _PhaseState("closed")
    holiday = facts.holiday(holidays, day)
    if day.weekday() >= _SATURDAY:
        rest = _PhaseState("weekend")
    elif holiday is not None:
        rest = _PhaseState("holiday", holiday=holiday.name)
    special = facts.special_session(timetable, day)
    if special is not None:
        name, windows = special
        return windows, rest, rest, name
    if rest.phase == "weekend":
        return (), rest, rest, None
    if holiday is None:
        return ordinary, closed, closed, None
    remaining = tuple(window for window in ordinary if window.phase in holiday.open_phases)
    # the closed half of a split holiday reaches to its midnight; the other end of the day is closed as ever
    before = closed if ordinary[0] in remaining else rest
    after = closed if ordinary[-1] in remaining else rest
    return remaining, before, after, None
