"""One parser of dates, instants and numbers, whatever the machine's zone."""

import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.recordings.text import (
    StatedMoment,
    local_day,
    local_ms,
    parse_day,
    parse_moment,
    parse_number,
    settle_order,
)

ROOT = Path(__file__).parents[3]
AT = local_ms(date(2026, 3, 5), 9, 15)
DAY = date(2026, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05 09:15",
        "2026-03-05 09:15:00",
        "2026-03-05T09:15:00",
        "2026-03-05 09:15:00+05:30",
        "2026-03-05T09:15:00+0530",
        "2026-03-05T03:45:00Z",
        "2026-03-05T03:45:00.000Z",
        "2026-03-04 22:45:00-05:00",
        "2026-03-05 03:45:00 UTC",
        "2026-03-05 09:15:00 IST",
        "05-Mar-2026 09:15",
        "5 March 2026, 09:15:00",
        "Mar 5, 2026 9:15 AM",
        "05-MAR-26 9:15:00 am",
        "2026/03/05 09:15",
        "20260305 09:15",
        "202603050915",
        "20260305091500",
        "1772682300",
        "1772682300.0",
        "1772682300000",
        "1772682300000000",
    ],
)
def test_an_instant_is_understood_in_every_form_in_use(text):
    assert parse_moment(text) == StatedMoment(DAY, AT)


def test_a_clock_of_its_own_belongs_to_the_day():
    assert parse_moment("05-Mar-2026", clock="09:15:00") == StatedMoment(DAY, AT)
    assert parse_moment("2026-03-05", clock="9:15 AM").time_ms == AT
    assert parse_moment("2026-03-05", clock="12:05 am").time_ms == local_ms(DAY, 0, 5)
    assert parse_moment("2026-03-05", clock="12:05 pm").time_ms == local_ms(DAY, 12, 5)


def test_the_day_is_that_of_india():
    assert parse_moment("2026-03-05T20:00:00Z") == StatedMoment(
        date(2026, 3, 6), local_ms(date(2026, 3, 6), 1, 30)
    )


@pytest.mark.parametrize("text", ["2026-03-05", "05-Mar-2026", "05 MAR 2026", "05/Mar/26", "20260305"])
def test_a_day_alone_has_no_instant(text):
    assert parse_moment(text) == StatedMoment(DAY, None)


@pytest.mark.parametrize(
    "text",
    ["", "not a date", "2026-03-05 25:00", "2026-03-05 13:00 PM", "2026-03-05 09:15 EST", "12345", "5-2026"],
)
def test_what_is_no_date_is_refused_with_the_rule_and_the_value(text):
    with pytest.raises(ValueError, match=r"a date must look like .*, was") as refused:
        parse_moment(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["01/02/2026", "13/02/2026"], "day-first"),
        (["01/02/2026", "02/13/2026"], "month-first"),
        (["01-02-2026 09:15", "31-01-2026 09:15"], "day-first"),
        (["2026-02-01", "05-Mar-2026"], None),
        (["03/03/2026"], None),
        ([], None),
    ],
)
def test_a_file_settles_how_its_days_are_read(texts, order):
    assert settle_order(texts) == order


def test_a_file_that_does_not_settle_it_is_asked_about():
    with pytest.raises(ValueError, match=r"is 01/02/2026 of its dates day first or month first\?"):
        settle_order(["01/02/2026", "02/02/2026"])
    with pytest.raises(ValueError, match="day first in one row and month first in another"):
        settle_order(["13/02/2026", "02/13/2026"])
    assert settle_order(["01/02/2026"], "month-first") == "month-first"


def test_days_of_digits_follow_the_order():
    assert parse_day("01/02/2026", "day-first") == date(2026, 2, 1)
    assert parse_day("01/02/2026", "month-first") == date(2026, 1, 2)
    assert parse_day("25.12.2026") == date(2026, 12, 25)
    with pytest.raises(ValueError, match="a date must look like"):
        parse_day("12/25/2026", "day-first")


@pytest.mark.parametrize(
    ("text", "value"), [("24,300.00", 24300), ("1,23,456", 123456), (" -37.63 ", -37.63), (24300, 24300)]
)
def test_numbers_are_read_with_their_separators(text, value):
    assert parse_number("close", text) == value


@pytest.mark.parametrize("text", ["-", "", "--", None, "NaN", "nan", "null", "N/A"])
def test_a_dash_a_word_for_it_and_nothing_are_unknown(text):
    assert math.isnan(parse_number("volume", text))


@given(
    at=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_an_offset_names_the_same_instant(at, minutes):
    """What datetime reads of ISO 8601, ours does; the day is the local one."""
    zoned = at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    moment = parse_moment(zoned.isoformat())
    assert moment.time_ms == round((zoned - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1000
    assert moment.day == local_day(moment.time_ms)
    assert local_ms(moment.day) <= moment.time_ms < local_ms(moment.day) + 86_400_000


def test_the_zone_of_the_machine_changes_nothing():
    code = (
        "from feed.recordings.text import parse_moment, iso;"
        "print(parse_moment('2026-03-05 09:15:00').time_ms, iso(1772682300000))"
    )
    environment = {**os.environ, "TZ": "America/New_York"}  # noqa: TID251 (PATH and the like)
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.split() == [str(AT), "2026-03-05T09:15:00+05:30"], told.stderr
