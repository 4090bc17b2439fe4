"""The facts of the trading calendar: the file and the operator's override, read, joined and checked.

The facts alone are either valid or not; so where they are, any fault of the two joined is the override's.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.market import PhaseName
from domain.refusals import OperatorError
from feed.reference.data.facts_file import FactsError, Place

_PHASES = tuple(PhaseName)[4:]  # the others are what is between them
_WINDOW = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d) ([a-z_]+)")
_CONFIDENCES = ("high", "medium", "low")
_LEAP_YEAR = 2028  # so that a fixed holiday may fall on the 29th of February


class CalendarError(OperatorError, FactsError):
    """A calendar file breaks a rule; the message names file, key, rule and value."""


@dataclass(frozen=True, slots=True)
class PhaseWindow:
    """A phase and its hours in India."""

    phase: str
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Timetable:
    """The phases of an ordinary day; the winter's apply while `winter_zone` keeps standard time."""

    windows: tuple[PhaseWindow, ...]
    winter_windows: tuple[PhaseWindow, ...] = ()
    winter_zone: ZoneInfo | None = None

    def on(self, day: date) -> tuple[PhaseWindow, ...]:
        """The phases of a day in its season."""
        if self.winter_zone is None:
            return self.windows
        noon = datetime.combine(day, time(12), self.winter_zone)
        return self.windows if noon.dst() else self.winter_windows


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day without trading but for the phases named."""

    name: str
    open_phases: tuple[str, ...] = ()
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class SpecialSession:
    """Trading out of the ordinary: the hours by timetable, None for that timetable's usual ones."""

    name: str
    windows: Mapping[str, tuple[PhaseWindow, ...] | None]


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """All facts; holidays are in lists, and an exchange follows one timetable and one list."""

    exchanges: Mapping[str, tuple[str, str]]  # exchange -> timetable, list
    open_phases: frozenset[str]
    timetables: Mapping[str, Mapping[date, Timetable]]  # by first day, ascending
    published_years: Mapping[str, frozenset[int]]
    estimated_years: Mapping[str, frozenset[int]]
    fixed_holidays: Mapping[str, Mapping[tuple[int, int], Holiday]]  # by month and day
    holidays: Mapping[str, Mapping[date, Holiday]]
    special_sessions: Mapping[date, SpecialSession]

    def is_open(self, window: PhaseWindow) -> bool:
        """Whether prices move in this phase."""
        return window.phase in self.open_phases

    def ordinary_windows(self, timetable: str, day: date) -> tuple[PhaseWindow, ...]:
        """The usual phases of a day; a day before the first timetable has that one."""
        by_start = self.timetables[timetable]
        in_force = [table for start, table in by_start.items() if start <= day]
        return (in_force[-1] if in_force else next(iter(by_start.values()))).on(day)

    def special_session(self, timetable: str, day: date) -> tuple[str, tuple[PhaseWindow, ...]] | None:
        """The name and phases of the special session of a day."""
        special = self.special_sessions.get(day)
        if special is None or timetable not in special.windows:
            return None
        return special.name, special.windows[timetable] or self.ordinary_windows(timetable, day)

    def holiday(self, listed_in: str, day: date) -> Holiday | None:
        """The holiday of a day; the name of one that is foreseen says so."""
        listed = self.holidays[listed_in].get(day)
        if day.year in self.published_years[listed_in]:
            return listed
        if listed is None and day.year not in self.estimated_years[listed_in]:
            listed = self.fixed_holidays[listed_in].get((day.month, day.day))
        elif listed is None or listed.is_certain:
            return listed
        return listed and replace(listed, name=f"{listed.name} (estimated)")


def read_calendar_facts(path: Path, override: Path | None) -> CalendarFacts:
    """The facts of a file with the override laid over them; raises `CalendarError`."""
    base = Place.of_file(CalendarError, path)
    facts = _parse(base)
    if override is None or not override.exists():
        return facts
    joined = _join(base.table(), Place.of_file(CalendarError, override))
    return _parse(Place(CalendarError, override.name, joined))


def _join(base: dict[str, Any], overlay: Place) -> dict[str, Any]:
    """The tables of a file with those of the override laid over them; `false` takes an entry out."""
    joined = deepcopy(base)
    overlay.only("timetables", "years", "fixed_holidays", "holidays", "special_sessions")
    for name, place in _named(overlay, "timetables", joined):
        starts = [entry["from"].day() for entry in place.items()]
        remaining = [entry for entry in joined["timetables"][name] if entry["from"] not in starts]
        joined["timetables"][name] = remaining + place.value
    for name, place in _named(overlay, "years", joined):
        _join_years(joined["years"][name], joined["holidays"][name], place.only("published")["published"])
    for section in ("fixed_holidays", "holidays"):
        for name, place in _named(overlay, section, joined):
            for day, entry in place.entries():
                _put(joined[section][name], day, entry, entry.value)
    if "special_sessions" in overlay:
        specials = joined["special_sessions"]
        for day, entry in overlay["special_sessions"].entries():
            said = entry.value if entry.value is False else specials.get(day, {}) | entry.table()
            _put(specials, day, entry, said)
    return joined


def _named(overlay: Place, section: str, joined: dict[str, Any]) -> Iterator[tuple[str, Place]]:
    if section in overlay:
        yield from overlay[section].only(*joined[section]).entries()


def _join_years(years: dict[str, Any], holidays: dict[str, Any], published: Place) -> None:
    for year in {item.integer() for item in published.items()} - set(years["published"]):
        years["published"].append(year)
        # a list that is now published in full replaces what was foreseen of it
        for day in [day for day in holidays if day.startswith(f"{year}-")]:
            del holidays[day]


def _put(entries: dict[str, Any], name: str, place: Place, value: Any) -> None:
    if value is not False:
        entries[name] = value
    elif entries.pop(name, None) is None:
        place.refuse("be left out where there is no entry to take out")


def _parse(root: Place) -> CalendarFacts:
    sections = ("timetables", "years", "fixed_holidays", "holidays", "special_sessions")
    root.only("open_phases", "exchanges", *sections)
    open_phases = frozenset(item.text() for item in root["open_phases"].items())
    timetables = {name: _parse_timetables(place, open_phases) for name, place in root["timetables"].entries()}
    lists = root["holidays"].table()
    exchanges = {
        name: _parse_exchange(place, timetables, lists) for name, place in root["exchanges"].entries()
    }
    phases = {name: _phases_of(name, exchanges, timetables) for name in lists}
    return CalendarFacts(
        exchanges,
        open_phases,
        timetables,
        {name: _parse_years(root["years"][name]["published"]) for name in lists},
        {name: _parse_years(root["years"][name]["estimated"]) for name in lists},
        {
            name: {_month_and_day(day): _parse_holiday(day, phases[name]) for _, day in place.entries()}
            for name, place in ((name, root["fixed_holidays"][name]) for name in lists)
        },
        {
            name: {_date_key(day): _parse_holiday(day, phases[name]) for _, day in place.entries()}
            for name, place in root["holidays"].entries()
        },
        {_date_key(day): _parse_special(day, timetables) for _, day in root["special_sessions"].entries()},
    )


def _parse_exchange(place: Place, timetables: Mapping[str, Any], lists: Mapping[str, Any]) -> tuple[str, str]:
    place.only("timetable", "holidays")
    return place["timetable"].one_of(timetables), place["holidays"].one_of(lists)


def _parse_timetables(place: Place, open_phases: frozenset[str]) -> dict[date, Timetable]:
    tables = {}
    for entry in place.items():
        _check_confidence(entry.only("from", "phases", "winter_phases", "winter_zone", "confidence"))
        windows = _parse_windows(entry["phases"])
        if not any(window.phase in open_phases for window in windows):
            entry["phases"].refuse(f"hold one of the open phases ({', '.join(sorted(open_phases))})")
        table = Timetable(windows)
        if "winter_zone" in entry or "winter_phases" in entry:
            table = Timetable(windows, _parse_windows(entry["winter_phases"]), _zone(entry["winter_zone"]))
        tables[entry["from"].day()] = table
    if not tables:
        place.refuse("hold at least one timetable")
    return dict(sorted(tables.items()))


def _parse_windows(place: Place) -> tuple[PhaseWindow, ...]:
    windows = tuple(_parse_window(item) for item in place.items())
    if not windows or any(later.start < earlier.end for earlier, later in pairwise(windows)):
        place.refuse("hold phases in the order of time, without overlap")
    return windows


def _parse_window(place: Place) -> PhaseWindow:
    match = _WINDOW.fullmatch(place.text())
    try:
        start, end = (time.fromisoformat(text) for text in match.groups()[:2]) if match else (time(), time())
    except ValueError:
        start = end = time()
    if match is None or start >= end:
        place.refuse("be a phase after its hours, such as '09:15-15:40 open'")
    if match[3] not in _PHASES:
        place.refuse(f"name one of the phases ({', '.join(_PHASES)})")
    return PhaseWindow(match[3], start, end)


def _parse_years(place: Place) -> frozenset[int]:
    return frozenset(item.integer() for item in place.items())


def _parse_holiday(place: Place, phases: frozenset[str]) -> Holiday:
    if not isinstance(place.value, dict):
        return Holiday(place.text())
    place.only("name", "open", "confidence")
    open_phases = place["open"].items() if "open" in place else iter(())
    names = tuple(item.one_of(phases) for item in open_phases)
    return Holiday(place["name"].text(), names, _check_confidence(place) != "low")


def _parse_special(place: Place, timetables: Mapping[str, Any]) -> SpecialSession:
    _check_confidence(place.only("name", "confidence", *timetables))
    held = {name: entry for name, entry in place.entries() if name in timetables}
    if not held:
        place.refuse(f"say the hours of {' or '.join(timetables)}")
    hours = {
        name: None if entry.value == "ordinary" else _parse_windows(entry) for name, entry in held.items()
    }
    return SpecialSession(place["name"].text(), hours)


def _check_confidence(place: Place) -> str:
    return place["confidence"].one_of(_CONFIDENCES) if "confidence" in place else "high"


def _phases_of(
    listed_in: str,
    exchanges: Mapping[str, tuple[str, str]],
    timetables: Mapping[str, Mapping[date, Timetable]],
) -> frozenset[str]:
    names = {timetable for timetable, other in exchanges.values() if other == listed_in}
    tables = (table for name in names for table in timetables[name].values())
    return frozenset(window.phase for table in tables for window in table.windows + table.winter_windows)


def _zone(place: Place) -> ZoneInfo:
    try:
        return ZoneInfo(place.text())
    except (ZoneInfoNotFoundError, ValueError):
        place.refuse("be the name of a time zone")


def _date_key(place: Place) -> date:
    try:
        return date.fromisoformat(place.name)
    except ValueError:
        place.refuse_key("be a date such as 2026-11-24")


def _month_and_day(place: Place) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{place.name}")
    except ValueError:
        place.refuse_key("be a month and day such as 01-26")
    return day.month, day.day
