"""Our days beside those of two packages: `holidays` has NSE and BSE, `exchange_calendars` XBOM and XNYS."""

from datetime import date, datetime, timedelta
from functools import cache

import holidays
import pytest

from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.contracts import Month
from feed.reference.instruments import Catalogue

pytestmark = pytest.mark.filterwarnings(
    "ignore:Series.values returning"
)  # exchange_calendars 4.13 with pandas 3

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR)
ONE_DAY = timedelta(days=1)

# Declared late, which `holidays` has not taken up: Ayodhya and three elections; and a feast moved by a day.
MISSING_FROM_THE_PACKAGE = {date(2024, 1, 22), date(2024, 5, 20), date(2024, 11, 20), date(2026, 1, 15)}
MOVED_SINCE = {date(2023, 6, 28): date(2023, 6, 29)}


def weekdays_of(year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return [day for day in days if day.year == year and day.weekday() < 5]


def ours(exchange: str, year: int) -> set[date]:
    """Weekdays without an ordinary session: a holiday with Muhurat trading is a holiday to the package."""
    return {day for day in weekdays_of(year) if not CALENDAR.is_ordinary_session(exchange, day)}


@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026, 2027])
@pytest.mark.parametrize(("market", "exchanges"), [("XNSE", ("NSE", "NFO")), ("XBOM", ("BSE", "BFO"))])
def test_equity_holidays_agree_but_for_the_named_ones(
    year: int, market: str, exchanges: tuple[str, ...]
) -> None:
    listed = {
        MOVED_SINCE.get(day, day)
        for day in holidays.financial_holidays(market, years=year)
        if day.weekday() < 5
    }
    for exchange in exchanges:
        assert ours(exchange, year) == listed | {day for day in MISSING_FROM_THE_PACKAGE if day.year == year}


@pytest.mark.parametrize("year", [2029, 2030, 2033])
def test_unlisted_year_has_no_holiday_that_the_package_does_not_expect(year: int) -> None:
    expected = set(holidays.financial_holidays("XNSE", years=year))
    assert ours("NSE", year) <= expected


@pytest.mark.parametrize("day", [date(2025, 2, 1), date(2025, 10, 21), date(2026, 2, 1), date(2026, 11, 8)])
def test_special_session_is_unknown_to_the_package(day: date) -> None:
    assert CALENDAR.is_session("NSE", day)
    assert not holidays.financial_holidays("XNSE").is_working_day(day)


# Trading on a Saturday or Sunday, or in the evening of a feast, of which the package knows nothing.
SPECIAL_SESSIONS = {
    *(date(2023, 11, 12), date(2024, 1, 20), date(2024, 3, 2), date(2024, 5, 18), date(2024, 11, 1)),
    *(date(2025, 2, 1), date(2025, 10, 21), date(2026, 2, 1), date(2026, 11, 8)),
}


@cache
def sessions_of(market: str) -> set[date]:
    """Every session of a market from December 2022 on; XBOM's end in 2026."""
    end = "2026-12-31" if market == "XBOM" else "2027-12-31"
    exchange_calendars = pytest.importorskip("exchange_calendars")  # and pandas with it
    sessions = exchange_calendars.get_calendar(market, start="2022-12-01", end=end).sessions
    return {session.date() for session in sessions}


@pytest.mark.parametrize("exchange", ["NSE", "NFO", "BSE", "BFO"])
def test_every_day_of_2023_to_2026_is_as_the_package_has_it_but_for_special_sessions(exchange: str) -> None:
    days = [date(2023, 1, 1) + ONE_DAY * number for number in range(4 * 365 + 1)]
    differing = {day for day in days if CALENDAR.is_session(exchange, day) != (day in sessions_of("XBOM"))}
    assert differing == SPECIAL_SESSIONS
    assert all(CALENDAR.is_session(exchange, day) for day in differing)


def new_york_day(before: date, number: int) -> date:
    """That many business days of New York before a date: NYSE mourned on 2025-01-09, and NYMEX traded."""
    day = before
    while number:
        day -= ONE_DAY
        number -= day in sessions_of("XNYS") or day == date(2025, 1, 9)
    return day


def futures_of(symbol: str) -> dict[Month, tuple[date, date]]:
    """Option and future of each month of 2023 to 2027, as listed on the first of the month."""
    found = {}
    for number in range(60):
        month = Month(2023, 1).plus(number)
        at = datetime(month.year, month.month, 1, tzinfo=IST)
        option = CATALOGUE.expiries(symbol, at)[0].day
        future = CATALOGUE.underlying_future(symbol, option)
        assert future is not None
        found[month] = option, future
    return found


@pytest.mark.parametrize("symbol", ["CRUDEOIL", "CRUDEOILM", "NATURALGAS", "NATGASMINI"])
def test_energy_future_expires_a_business_day_before_new_yorks(symbol: str) -> None:
    """NYMEX: three business days before the 25th, or the business day before it; gas before the first."""
    for month, (option, future) in futures_of(symbol).items():
        if symbol.startswith("CRUDE"):
            counted_from = date(month.year, month.month, 25)
            if counted_from != new_york_day(counted_from + ONE_DAY, 1):
                counted_from = new_york_day(counted_from, 1)
        else:
            counted_from = month.last_day() + ONE_DAY
        new_york = new_york_day(counted_from, 3)
        assert future == CALENDAR.expiry_day("MCX", new_york_day(new_york, 1)), month
        assert option == two_sessions_before(future), month


def two_sessions_before(day: date) -> date:
    for _ in range(2):
        day = CALENDAR.expiry_day("MCX", day - ONE_DAY)
    return day


# What brokers published for 2025 and 2026: the months that a count of MCX sessions gets wrong, and two more.
@pytest.mark.parametrize(
    ("month", "future", "option"),
    [
        ("2025-01", "2025-01-17", "2025-01-15"),
        ("2025-06", "2025-06-18", "2025-06-16"),
        ("2025-10", "2025-10-20", "2025-10-16"),
        ("2026-01", "2026-01-16", "2026-01-14"),
        ("2026-05", "2026-05-18", "2026-05-14"),
        ("2026-06", "2026-06-18", "2026-06-16"),
        ("2025-02", "2025-02-19", "2025-02-17"),
        ("2025-08", "2025-08-19", "2025-08-14"),
    ],
)
@pytest.mark.parametrize("symbol", ["CRUDEOIL", "CRUDEOILM"])
def test_crude_oil_expires_on_the_published_days(symbol: str, month: str, future: str, option: str) -> None:
    at = datetime.fromisoformat(f"{month}-01T10:00").replace(tzinfo=IST)
    day = CATALOGUE.expiries(symbol, at)[0].day
    assert (CATALOGUE.underlying_future(symbol, day), day) == (
        date.fromisoformat(future),
        date.fromisoformat(option),
    )
