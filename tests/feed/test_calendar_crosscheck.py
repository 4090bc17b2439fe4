"""Our holidays beside those of the package `holidays`, which knows full holidays of NSE and BSE only."""

from datetime import date, timedelta

import holidays
import pytest

from feed.calendar import Calendar

CALENDAR = Calendar.load()

# declared on 2026-01-12 for the municipal elections; the package has not taken it up
MISSING_FROM_THE_PACKAGE = {date(2026, 1, 15)}


def weekdays_of(year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return [day for day in days if day.year == year and day.weekday() < 5]


def ours(exchange: str, year: int) -> set[date]:
    """Weekdays without an ordinary session: a holiday with Muhurat trading is a holiday to the package."""
    return {day for day in weekdays_of(year) if not CALENDAR.is_ordinary_session(exchange, day)}


@pytest.mark.parametrize("year", [2025, 2026, 2027])
@pytest.mark.parametrize(("market", "exchanges"), [("XNSE", ("NSE", "NFO")), ("XBOM", ("BSE", "BFO"))])
def test_equity_holidays_agree_but_for_the_named_one(
    year: int, market: str, exchanges: tuple[str, ...]
) -> None:
    listed = {day for day in holidays.financial_holidays(market, years=year) if day.weekday() < 5}
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
