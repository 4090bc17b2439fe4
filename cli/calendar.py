"""``server.py calendar check FILE``: what an override, or a circular's table of holidays, changes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from cli.options import PROGRAM
from feed.reference.calendar import Calendar, CalendarError, Session

LISTS = {"equity": ("NSE", "NFO", "BSE", "BFO"), "commodities": ("MCX",)}
FIRST, LAST = date(2023, 1, 1), date(2028, 12, 31)
_SATURDAY = 5
# as circulars write them, day first or month first
_DATES = (
    (r"\d{4}-\d{2}-\d{2}", ("%Y-%m-%d",)),
    (r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{4}", ("%d-%b-%Y", "%d-%B-%Y")),
    (r"[A-Za-z]{3,9} \d{1,2},? \d{4}", ("%b-%d-%Y", "%B-%d-%Y")),
    (r"\d{1,2}[./]\d{1,2}[./]\d{4}", ("%d-%m-%Y",)),
)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Compare; 0 where nothing differs, 1 where something does, 2 where a file is refused."""
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} calendar", description="The trading calendar.")
    actions = parser.add_subparsers(dest="action", required=True)
    text = "Say what a file changes of the calendar that is built in (docs/calendar.md)."
    check = actions.add_parser("check", help=text, description=text)
    check.add_argument(
        "file", metavar="FILE", type=Path, help="an override (.toml), or a table of holidays as text or CSV"
    )
    check.add_argument(
        "--list", choices=tuple(LISTS), default="equity", help="whose holidays a table has (default: equity)"
    )
    options = parser.parse_args(arguments)
    if not options.file.is_file():
        raise CalendarError(f"There is no file {options.file}.")
    if options.file.suffix == ".toml":
        changes = list(_override_changes(options.file))
    else:
        changes = list(_table_changes(options.file, options.list))
    sys.stdout.write("".join(f"{line}\n" for line in changes))
    sys.stdout.write(f"{len(changes)} differences\n" if changes else "Nothing differs.\n")
    return 1 if changes else 0


def _override_changes(path: Path) -> Iterator[str]:
    """Days on which some exchange would trade otherwise."""
    built_in, changed = Calendar.load(), Calendar.load(override=path)
    for day in _days(FIRST, LAST):
        told: dict[str, list[str]] = {}
        for exchange in changed.exchanges:
            before = built_in.session(exchange, day) if exchange in built_in.exchanges else None
            after = changed.session(exchange, day)
            if _hours(before) != _hours(after):
                told.setdefault(f"{_hours(before)} -> {_hours(after)}", []).append(exchange)
        yield from (f"{day}  {', '.join(exchanges)}: {change}" for change, exchanges in told.items())


def _table_changes(path: Path, listed: str) -> Iterator[str]:
    """Weekdays on which a table and the calendar do not agree, in the years that the table tells of."""
    holidays = dict(_holidays(path))
    if not holidays:
        raise CalendarError(f"{path} names no day: a line is to have one such as 2026-11-24 or 24-Nov-2026.")
    calendar, exchange = Calendar.load(), LISTS[listed][0]
    for year in sorted({day.year for day in holidays}):
        for day in _days(date(year, 1, 1), date(year, 12, 31)):
            is_session, name = calendar.is_session(exchange, day), holidays.get(day)
            if name is not None and is_session and day.weekday() < _SATURDAY:
                yield f'{day}  a holiday there, a session here:  {day} = "{name}"'
            elif name is None and not is_session and day.weekday() < _SATURDAY:
                yield f"{day}  no holiday there, closed here:  {day} = false"


def _holidays(path: Path) -> Iterator[tuple[date, str]]:
    """Day and name out of each line that has a day; what else it has is the name."""
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        for pattern, forms in _DATES:
            found = re.search(pattern, line)
            day = None if found is None else _date(found[0], forms)
            if found is not None and day is not None:
                rest = re.sub(r"\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b", "", line.replace(found[0], ""))
                yield day, re.sub(r"^[\W\d_]+|[\W_]+$", "", re.sub(r"[\s,;|\t]+", " ", rest)) or "Holiday"
                break


def _date(text: str, forms: tuple[str, ...]) -> date | None:
    words = "-".join(re.split(r"[\s,./-]+", text))
    for form in forms:
        try:
            return datetime.strptime(words, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _hours(session: Session | None) -> str:
    if session is None:
        return "closed"
    name = f" ({session.name})" if session.name else ""
    return f"{session.open:%H:%M}-{session.close:%H:%M} UTC{name}"


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
