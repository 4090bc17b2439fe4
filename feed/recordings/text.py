"""Dates, instants and numbers as files write them: the one parser of all of them.

An instant without a zone is India's, whatever the machine's. Days of digits with the year last are read by
the order that the file itself settles (see ``settle_order``), never by a guess.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from domain.instants import DAY_MS, IST

# the exchange's own CSV writes a dash, programs write the others
MISSING = frozenset(("", "-", "--", "null", "none", "n/a", "na"))
EXACT = 2.0**53  # beyond it a double no longer counts whole numbers

Order = Literal["day-first", "month-first"]
ORDERS: tuple[Order, ...] = ("day-first", "month-first")

# not strptime's %b: it reads the names of the machine's language
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DIGITS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")
_DAY_AND_NAME = re.compile(r"(\d{1,2})[-/. ]?([A-Za-z]{3,9})[-/., ]{0,2}(\d{4}|\d{2})")
_NAME_AND_DAY = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})")
_COMPACT_INSTANT = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})?")
_ABBREVIATED = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?) ?(k|m|b|l|lakh|cr|crore)", re.IGNORECASE)
_TIMES = {"k": 1e3, "m": 1e6, "b": 1e9, "l": 1e5, "lakh": 1e5, "cr": 1e7, "crore": 1e7}
CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?\s*(Z|UTC|GMT|IST|[+-]\d{2}:?\d{2})?"
)
_SPACED_INSTANT = re.compile(rf"(.+?)(?:T|,?\s+){CLOCK.pattern}")
_EPOCH = re.compile(r"(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.\d*)?")
_INDIA_MS = round(timedelta(hours=5, minutes=30) / timedelta(milliseconds=1))  # ever since 1945
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class StatedMoment:
    """A day in India and, where it was told, the instant in milliseconds since 1970 UTC."""

    day: date
    time_ms: int | None


def settle_order(texts: Iterable[str], hint: Order | None = None) -> Order | None:
    """How a file's days of digits are to be read; None where it has none.

    Any day beyond 12 settles it. Raises ValueError, with the question, where none does or two disagree.
    """
    if hint is not None:
        return hint
    open_day, found = "", set[Order]()
    for text in texts:
        match = _DIGITS.match(text.strip())
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            found.add("day-first")
        elif second > 12 >= first:
            found.add("month-first")
        elif first != second:
            open_day = open_day or match[0]
        if len(found) > 1:
            raise ValueError("its dates are day first in one row and month first in another")
    if not found and open_day:
        raise ValueError(
            f"is {open_day} of its dates day first or month first? No row of it tells: "
            "say --dates day-first or --dates month-first"
        )
    return next(iter(found), None)


@lru_cache(maxsize=8192)
def parse_day(text: str, order: Order | None = None) -> date:
    """A date, or the day in India of an instant as ``parse_moment`` reads it. Raises ValueError."""
    text = text.strip()
    if _EPOCH.fullmatch(text) or _SPACED_INSTANT.fullmatch(text):
        return parse_moment(text, order).day
    return _date(text, order)


@lru_cache(maxsize=8192)
def _date(text: str, order: Order | None) -> date:
    """A date such as 25-Aug-2026, 25/08/2026, Aug 25, 2026, 2026-08-25 or 20260825. Raises ValueError."""
    try:
        found = _day(text, order)
    except (KeyError, ValueError):
        found = None  # said below, with the text as it was received
    if found is None:
        raise ValueError(f"a date must look like 25-Aug-2026 or 2026-08-25, was {text!r}")
    return found


def _day(text: str, order: Order | None) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return date(int(found[1]), int(found[3]), int(found[4]))
    if found := _DAY_AND_NAME.fullmatch(text):
        return date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _NAME_AND_DAY.fullmatch(text):
        return date(_year(found[3]), _month(found[1]), int(found[2]))
    if found := _DIGITS.fullmatch(text):
        day, month = int(found[1]), int(found[2])
        if order == "month-first" or (order is None and month > 12):
            day, month = month, day
        if order is None and day <= 12 and day != month:
            return None
        return date(_year(found[3]), month, day)
    return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _month(name: str) -> int:
    return _MONTHS[name[:3].lower()]


def parse_moment(text: str, order: Order | None = None, clock: str = "") -> StatedMoment:
    """A day or an instant; ``clock`` is the time of day where a file tells it apart. Raises ValueError.

    Beside days: ISO 8601 with or without an offset, 05-Mar-2026 09:15, 03/05/2026 3:29:00 PM, 202603050915
    and seconds, milliseconds, microseconds or nanoseconds since 1970.
    """
    text = f"{text.strip()} {clock.strip()}".strip()
    found = _COMPACT_INSTANT.fullmatch(text)
    if found is None and (since := _EPOCH.fullmatch(text)):
        return _since_epoch(since[1])
    try:
        found = found or _SPACED_INSTANT.fullmatch(text)
        if found is None:
            return StatedMoment(_date(text, order), None)
        return _at_clock(_date(found[1], order), found.groups()[1:])
    except ValueError:
        pass  # said below, with the text as it was received
    raise ValueError(
        f"a date must look like 2026-08-19, 19-Aug-2026, 2026-08-19 11:27:00 or 1787119020, was {text!r}"
    )


def _since_epoch(digits: str) -> StatedMoment:
    per_ms = 10 ** (len(digits) - 13) if len(digits) > 10 else 1
    time_ms = int(digits) // per_ms if len(digits) > 10 else int(digits) * 1000
    return StatedMoment(local_day(time_ms), time_ms)


def _at_clock(day: date, clock: Sequence[str]) -> StatedMoment:
    """A time of day: hour, minute, second, fraction, half of the day and zone, of which the last may lack."""
    hour, minute, second, fraction, half, zone = (*clock, *[""] * (6 - len(clock)))
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(f"an hour of AM or PM must be 1 to 12, was {hour}")
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    time_ms = local_ms(day, hours, int(minute), int(second or 0)) + int((fraction or "0").ljust(3, "0")[:3])
    if zone and zone != "IST":
        time_ms += _INDIA_MS - _offset_ms(zone)
        day = local_day(time_ms)
    return StatedMoment(day, time_ms)


def _offset_ms(zone: str) -> int:
    if zone in ("Z", "UTC", "GMT"):
        return 0
    minutes = 60 * int(zone[1:3]) + int(zone[-2:])
    return (-1 if zone[0] == "-" else 1) * minutes * 60_000


@lru_cache(maxsize=8192)
def parse_instant(text: str, order: Order | None = None) -> int:
    """An instant in milliseconds since 1970 UTC; a day alone is none. Raises ValueError."""
    try:
        time_ms = parse_moment(text, order).time_ms
    except ValueError:
        time_ms = None
    if time_ms is None:
        raise ValueError(
            f"a timestamp must look like 202608191127 or 2026-08-19 11:27:00, was {text.strip()!r}"
        )
    return time_ms


def local_ms(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """The instant of a wall-clock time at the exchange. Raises ValueError."""
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ValueError(f"a time of day must lie before 24:00:00, was {hour}:{minute:02}:{second:02}")
    seconds = 3600 * hour + 60 * minute + second
    return (day.toordinal() - _EPOCH_DAY) * DAY_MS + 1000 * seconds - _INDIA_MS


def local_day(time_ms: int) -> date:
    """The exchange's date at an instant."""
    return date.fromordinal(_EPOCH_DAY + (time_ms + _INDIA_MS) // DAY_MS)


def iso(time_ms: int) -> str:
    """An instant as India's clocks show it, to be read by a person."""
    return datetime.fromtimestamp(time_ms / 1000, IST).isoformat()


def parse_number(name: str, value: object) -> float:
    """A finite number, such as 24,300.05 or 565.40M, NaN where nothing is told. Raises ValueError."""
    text = "" if value is None else str(value).strip()
    if text in MISSING:
        return math.nan
    try:
        if "_" in text:
            raise ValueError
        number = float(text.replace(",", ""))
    except ValueError:
        if text.lower() in MISSING:
            return math.nan
        found = _ABBREVIATED.fullmatch(text)
        if found is None:
            raise ValueError(f"{name} must be a number, was {text!r}") from None
        number = round(float(found[1].replace(",", "")) * _TIMES[found[2].lower()], 2)
    if math.isnan(number):
        return math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, was {text!r}")
    if abs(number) > EXACT:
        raise ValueError(f"{name} must lie within 2^53, was {text!r}")
    return number


def parse_strike(value: object) -> float:
    """A strike price. Raises ValueError."""
    strike = parse_number("strike", value)
    if not strike > 0:
        raise ValueError(f"strike must be positive, was {'' if value is None else str(value).strip()!r}")
    return strike
