"""Dates, instants and numbers as the recordings write them."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from functools import lru_cache

from feed.calendar import IST
from feed.clock import to_ms

MISSING = ("", "-")  # the exchange's own CSV writes a dash

# not strptime's %b: it reads the names of the machine's language
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAY_FIRST = re.compile(r"(\d{1,2})-(\d{1,2}|[A-Za-z]{3})-(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_COMPACT_INSTANT = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})?")
_SPACED_INSTANT = re.compile(r"(\S+?)[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")


@lru_cache(maxsize=4096)
def parse_day(text: str) -> date:
    """A date such as 25-Aug-2026, 25-08-2026, 2026-08-25 or 20260825. Raises ValueError."""
    text = text.strip()
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = found.groups()
            number = int(month) if month.isdigit() else _MONTHS[month.lower()]
            return date(int(year), number, int(day))
        if found := _YEAR_FIRST.fullmatch(text):
            return date(*map(int, found.groups()))
    except (KeyError, ValueError):
        pass  # said below, with the text as it was received
    raise ValueError(f"a date must look like 25-Aug-2026 or 2026-08-25, was {text!r}")


@lru_cache(maxsize=4096)
def parse_instant(text: str) -> int:
    """An instant in milliseconds since 1970 UTC, from the exchange's local time.

    Such as 202608191127, 2026-08-19 11:27[:00] or 19-Aug-2026 11:27[:00]. Raises ValueError.
    """
    text = text.strip()
    found = _COMPACT_INSTANT.fullmatch(text) or _SPACED_INSTANT.fullmatch(text)
    try:
        if found:
            hour, minute, second = (int(part or 0) for part in found.groups()[1:])
            return local_ms(parse_day(found.group(1)), hour, minute, second)
    except ValueError:
        pass  # said below, with the text as it was received
    raise ValueError(f"a timestamp must look like 202608191127 or 2026-08-19 11:27:00, was {text!r}")


def local_ms(day: date, hour: int, minute: int, second: int = 0) -> int:
    """The instant of a wall-clock time at the exchange. Raises ValueError."""
    return to_ms(datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=IST))


def local_day(time_ms: int) -> date:
    """The exchange's date at an instant."""
    return datetime.fromtimestamp(time_ms / 1000, IST).date()


def parse_number(name: str, text: str) -> float:
    """A finite number, NaN where the cell is empty. Raises ValueError."""
    text = text.strip()
    if text in MISSING:
        return math.nan
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        raise ValueError(f"{name} must be a number, was {text!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, was {text!r}")
    return value


def parse_strike(text: str) -> float:
    """A strike price. Raises ValueError."""
    strike = parse_number("strike", text)
    if not strike > 0:
        raise ValueError(f"strike must be positive, was {text!r}")
    return strike
