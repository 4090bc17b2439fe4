"""The calendar's file and the operator's override: what they may say, and how they are refused."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from domain.instants import IST
from feed.reference.calendar import CALENDAR_PATH, Calendar, CalendarError
from feed.reference.data.calendar_facts import read_calendar_facts

BASE = CALENDAR_PATH.read_text(encoding="utf-8")


def with_override(folder: Path, text: str) -> Calendar:
    override = folder / "override.toml"
    override.write_text(text, encoding="utf-8")
    return Calendar.load(override=override)


def ist(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def test_override_declares_a_holiday(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, '[holidays.equity]\n2026-12-03 = "Municipal elections"')
    assert calendar.phase("BFO", ist("2026-12-03 12:00")).holiday == "Municipal elections"
    assert calendar.is_session("MCX", date(2026, 12, 3))
    assert calendar.expiry_day("BFO", date(2026, 12, 3)) == date(2026, 12, 2)
    assert not calendar.is_session("NSE", date(2026, 12, 25))


def test_override_declares_half_a_holiday(tmp_path: Path) -> None:
    calendar = with_override(
        tmp_path, '[holidays.commodities]\n2026-12-03 = { name = "Municipal elections", open = ["evening"] }'
    )
    assert calendar.phase("MCX", ist("2026-12-03 12:00")).phase == "holiday"
    assert calendar.phase("MCX", ist("2026-12-03 18:00")).phase == "evening"


def test_override_takes_a_holiday_out(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, "[holidays.equity]\n2026-11-24 = false")
    assert calendar.is_session("NFO", date(2026, 11, 24))
    assert calendar.expiry_day("NFO", date(2026, 11, 24)) == date(2026, 11, 24)


def test_override_holiday_of_an_estimated_year_is_certain(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, '[holidays.equity]\n2027-05-18 = "Bakri Id"\n2027-05-17 = false')
    assert calendar.phase("NSE", ist("2027-05-18 12:00")).holiday == "Bakri Id"
    assert calendar.is_session("NSE", date(2027, 5, 17))


def test_override_publishes_a_year_and_drops_its_estimates(tmp_path: Path) -> None:
    calendar = with_override(
        tmp_path, '[years.equity]\npublished = [2027]\n[holidays.equity]\n2027-03-23 = "Holi"'
    )
    assert not calendar.is_session("NSE", date(2027, 3, 23))
    assert calendar.is_session("NSE", date(2027, 3, 22))


def test_override_sets_the_hours_of_a_special_session(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, '[special_sessions.2026-11-08]\ncash = ["13:45-14:45 open"]')
    session = calendar.session("NSE", date(2026, 11, 8))
    assert session is not None
    assert (session.open, session.name) == (ist("2026-11-08 13:45"), "Diwali Muhurat trading")
    unchanged = calendar.session("MCX", date(2026, 11, 8))
    assert unchanged is not None
    assert unchanged.open == ist("2026-11-08 18:00")


def test_override_adds_and_takes_out_special_sessions(tmp_path: Path) -> None:
    calendar = with_override(
        tmp_path,
        '[special_sessions]\n2026-11-08 = false\n2027-01-30 = { name = "Drill", derivatives = "ordinary" }',
    )
    assert not calendar.is_session("MCX", date(2026, 11, 8))
    assert calendar.is_session("NFO", date(2027, 1, 30))
    assert not calendar.is_session("NSE", date(2027, 1, 30))


def test_override_brings_a_new_timetable(tmp_path: Path) -> None:
    calendar = with_override(
        tmp_path, '[[timetables.derivatives]]\nfrom = 2027-02-01\nphases = ["09:00-16:00 open"]'
    )
    assert calendar.expiry_instant("NFO", date(2027, 1, 29)) == ist("2027-01-29 15:40")
    assert calendar.expiry_instant("NFO", date(2027, 2, 1)) == ist("2027-02-01 16:00")


def test_override_replaces_a_timetable_of_the_same_day(tmp_path: Path) -> None:
    calendar = with_override(
        tmp_path, '[[timetables.derivatives]]\nfrom = 2026-08-03\nphases = ["09:15-15:45 open"]'
    )
    assert calendar.expiry_instant("NFO", date(2026, 11, 23)) == ist("2026-11-23 15:45")


def test_missing_override_is_no_override(tmp_path: Path) -> None:
    calendar = Calendar.load(override=tmp_path / "none.toml")
    assert not calendar.is_session("NFO", date(2026, 11, 24))


def test_reload_takes_up_a_changed_override(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, "")
    before = calendar.version
    assert calendar.phase("NSE", ist("2026-12-03 12:00")).is_open
    (tmp_path / "override.toml").write_text('[holidays.equity]\n2026-12-03 = "Elections"', encoding="utf-8")
    calendar.reload()
    assert calendar.phase("NSE", ist("2026-12-03 12:00")).holiday == "Elections"
    assert calendar.trading_minutes("NFO", ist("2026-12-03 00:00"), ist("2026-12-04 00:00")) == 0
    assert calendar.version > before


def test_reload_reads_what_comes_with_the_program_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = Calendar.load()
    declared = tmp_path / "declared.toml"
    declared.write_text('[holidays.equity]\n2026-12-03 = "Elections"', encoding="utf-8")
    # a release that was installed meanwhile knows of a holiday
    monkeypatch.setattr(
        "feed.reference.calendar.read_calendar_facts", lambda path, _: read_calendar_facts(path, declared)
    )
    assert calendar.reload()
    assert not calendar.is_session("NSE", date(2026, 12, 3))


def test_reload_of_a_bad_override_leaves_the_calendar_as_it_was(tmp_path: Path) -> None:
    calendar = with_override(tmp_path, '[holidays.equity]\n2026-12-03 = "Elections"')
    (tmp_path / "override.toml").write_text("[holidays.equity]\n2026-12-03 = 7", encoding="utf-8")
    with pytest.raises(CalendarError):
        calendar.reload()
    assert not calendar.is_session("NSE", date(2026, 12, 3))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("holidays", "override.toml: the file must be readable TOML: "),
        ("[holydays]", "a key of the file must be one of timetables, years, fixed_holidays, holidays, "),
        ("holidays = 3", "holidays must be a table, was 3"),
        ("[holidays.NSE]", "a key of holidays must be one of equity, commodities, was 'NSE'"),
        ("[holidays.equity]\n2026-13-03 = 'X'", "a key of holidays.equity must be a date such as 2026-11-24"),
        ("[holidays.equity]\n2026-12-03 = 3", "holidays.equity.2026-12-03 must be a text, was 3"),
        ("[holidays.equity]\n2026-12-03 = ''", "holidays.equity.2026-12-03 must be a text, was ''"),
        (
            "[holidays.equity]\n2026-12-03 = false",
            "holidays.equity.2026-12-03 must be left out where there is no entry to take out, was False",
        ),
        (
            "[holidays.equity]\n2026-12-03 = { name = 'X', open = ['evening'] }",
            "holidays.equity.2026-12-03.open.0 must be one of ",
        ),
        ("[holidays.equity]\n2026-12-03 = { open = [] }", "2026-12-03 must have the key 'name'"),
        (
            "[holidays.equity]\n2026-12-03 = { name = 'X', closed = 1 }",
            "must be one of name, open, confidence",
        ),
        (
            "[holidays.equity]\n2026-12-03 = { name = 'X', confidence = 'sure' }",
            "2026-12-03.confidence must be one of high, low, medium, was 'sure'",
        ),
        ("[fixed_holidays.equity]\n13-01 = 'X'", "must be a month and day such as 01-26, was '13-01'"),
        ("[years.equity]\npublished = ['2027']", "years.equity.published.0 must be a whole number"),
        (
            "[years.equity]\nestimated = [2026]",
            "a key of years.equity must be one of published, was 'estimated'",
        ),
        ("[years.equity]\npublished = 2027", "years.equity.published must be a list, was 2027"),
        (
            "[special_sessions.2026-12-05]\nname = 'Drill'",
            "special_sessions.2026-12-05 must say the hours of cash or derivatives or commodities",
        ),
        ("[special_sessions.2026-12-05]\ncash = 'ordinary'", "2026-12-05 must have the key 'name'"),
        (
            "[special_sessions.2026-12-05]\nname = 'Drill'\ncash = ['14:00-13:00 open']",
            "cash.0 must be a phase after its hours, such as '09:15-15:40 open', was '14:00-13:00 open'",
        ),
        (
            "[special_sessions.2026-12-05]\nname = 'Drill'\ncash = ['09:00-25:00 open']",
            "cash.0 must be a phase after its hours",
        ),
        (
            "[special_sessions.2026-12-05]\nname = 'Drill'\ncash = ['09:00-11:00 open', '10:00-12:00 open']",
            "cash must hold phases in the order of time, without overlap",
        ),
        (
            "[[timetables.cash]]\nfrom = 2027-01-01\nphases = ['09:00-16:00 pre_open']",
            "phases must hold one of the open phases (closing_auction, evening, morning, open)",
        ),
        (
            "[[timetables.cash]]\nfrom = 2027-01-01T00:00:00\nphases = ['09:00-16:00 open']",
            "timetables.cash.0.from must be a date such as 2026-11-24",
        ),
        ("[[timetables.cash]]\nphases = ['09:00-16:00 open']", "timetables.cash.0 must have the key 'from'"),
        ("[timetables]\ncash = 'always'", "timetables.cash must be a list, was 'always'"),
    ],
)
def test_bad_override_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(
        CalendarError, match=f"override.toml: .*{re.escape(sentence.removeprefix('override.toml: '))}"
    ):
        with_override(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('holidays = "commodities"', 'holidays = "metals"', "exchanges.MCX.holidays must be one of "),
        ('"America/New_York"', '"America/Gotham"', "winter_zone must be the name of a time zone"),
        ("[fixed_holidays.commodities]", "[fixed_holidays.metals]", "must have the key 'commodities'"),
        (
            "[special_sessions.2025-02-01]",
            "[special_sessions.soon]",
            "a key of special_sessions must be a date",
        ),
    ],
)
def test_bad_facts_are_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(BASE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CalendarError, match=f"facts.toml: .*{re.escape(sentence)}"):
        Calendar.load(path)


def test_missing_facts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"none.toml: the file must be readable TOML: .*No such file"):
        Calendar.load(tmp_path / "none.toml")
