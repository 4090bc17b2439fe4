"""Expiry ladders, lots and strikes against the lists of the exchanges."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.contracts import Month
from feed.reference.instruments import CONTRACTS_PATH, Catalogue, ContractsError

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR)
TICK = timedelta(microseconds=1)


def ist(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def listed(symbol: str, at: str, kind: str | None = None, catalogue: Catalogue = CATALOGUE) -> list[str]:
    expiries = catalogue.expiries(symbol, ist(at))
    return [expiry.day.isoformat() for expiry in expiries if kind in (None, expiry.kind)]


def days(year: int, text: str) -> list[str]:
    """Dates of a year written as month-day."""
    return [f"{year}-{day}" for day in text.split()]


NIFTY_HALF_YEARLIES = [
    *("2027-12-28", "2028-06-27", "2028-12-26", "2029-06-26"),
    *("2029-12-24", "2030-06-25", "2030-12-31", "2031-06-24"),
]


@pytest.mark.parametrize(
    ("symbol", "kind", "expected"),
    [
        ("NIFTY", "weekly", days(2026, "12-01 12-08 12-15 12-22")),
        ("NIFTY", "monthly", ["2026-11-23", "2026-12-29", "2027-01-25"]),
        ("NIFTY", "quarterly", days(2027, "03-30 06-29 09-28")),
        ("NIFTY", "half_yearly", NIFTY_HALF_YEARLIES),
        ("BANKNIFTY", None, ["2026-11-23", "2026-12-29", *days(2027, "01-25 03-30 06-29 09-28")]),
        ("BANKNIFTY", "quarterly", days(2027, "03-30 06-29 09-28")),
        ("FINNIFTY", None, ["2026-11-23", "2026-12-29", "2027-01-25"]),
        ("MIDCPNIFTY", None, ["2026-11-23", "2026-12-29", "2027-01-25"]),
        ("NIFTYNXT50", None, ["2026-11-23", "2026-12-29", "2027-01-25"]),
        ("SENSEX", "weekly", [*days(2026, "12-03 12-10 12-17 12-24"), *days(2027, "01-07 01-14")]),
        ("SENSEX", "monthly", ["2026-11-26", "2026-12-31", "2027-01-28"]),
        ("SENSEX", "quarterly", days(2027, "03-25 06-24 09-30")),
        ("BANKEX", None, ["2026-11-26", "2026-12-31", "2027-01-28"]),
        ("RELIANCE", None, ["2026-11-23", "2026-12-29", "2027-01-25"]),
    ],
)
def test_ladder_of_23_november_2026(symbol: str, kind: str | None, expected: list[str]) -> None:
    assert listed(symbol, "2026-11-23 10:00", kind) == expected


# NSE's own list of 2025-11-26, on which 31-Mar-2026 was not yet a holiday
NIFTY_LISTING = [
    *days(2025, "12-02 12-09 12-16 12-23 12-30"),
    *days(2026, "01-27 02-24 03-31 06-30 09-29 12-29"),
    *("2027-06-29", "2027-12-28", "2028-06-27", "2028-12-26", "2029-06-26", "2029-12-24", "2030-06-25"),
]


def test_ladder_reproduces_the_list_of_26_november_2025_after_the_later_holiday() -> None:
    moved = ["2026-03-30" if day == "2026-03-31" else day for day in NIFTY_LISTING]
    assert listed("NIFTY", "2025-11-26 10:00") == moved


def test_ladder_reproduces_the_list_of_26_november_2025_without_the_later_holiday(tmp_path: Path) -> None:
    override = tmp_path / "override.toml"
    override.write_text("[holidays.equity]\n2026-03-31 = false", encoding="utf-8")
    catalogue = Catalogue.load(Calendar.load(override=override))
    assert listed("NIFTY", "2025-11-26 10:00", catalogue=catalogue) == NIFTY_LISTING


@pytest.mark.parametrize(
    ("symbol", "at", "first"),
    [
        ("NIFTY", "2026-10-14 10:00", "2026-10-19"),  # the 20th is a holiday
        ("NIFTY", "2025-08-25 10:00", "2025-08-28"),  # the last Thursday of an expiry on Thursdays
        ("NIFTY", "2025-08-29 10:00", "2025-09-02"),  # the first Tuesday
        ("SENSEX", "2025-08-20 10:00", "2025-08-26"),
        ("SENSEX", "2025-08-27 10:00", "2025-09-04"),
    ],
)
def test_weekday_rule_and_holidays_move_the_next_expiry(symbol: str, at: str, first: str) -> None:
    assert listed(symbol, at)[0] == first


# From the circulars' facts: who traded on which weekday, and how holidays moved it.
WEEKDAYS_BY_DATE = {
    ("NIFTY", "2023-03-27", "weekly"): "2023-04-06 2023-04-13 2023-04-20 2023-05-04",
    ("NIFTY", "2023-03-27", "monthly"): "2023-03-29 2023-04-27 2023-05-25",  # 30 March is a holiday
    ("NIFTY", "2024-04-08", "weekly"): "2024-04-10 2024-04-18 2024-05-02 2024-05-09",
    ("NIFTY", "2024-08-05", "weekly"): "2024-08-08 2024-08-14 2024-08-22 2024-09-05",
    ("BANKNIFTY", "2023-08-10", "weekly"): "2023-08-10 2023-08-17 2023-08-24 2023-09-06",
    ("BANKNIFTY", "2023-09-07", "weekly"): "2023-09-13 2023-09-20 2023-10-04 2023-10-11",
    ("BANKNIFTY", "2024-02-05", "monthly"): "2024-02-29 2024-03-27 2024-04-24",
    ("BANKNIFTY", "2024-05-02", "weekly"): "2024-05-08 2024-05-15 2024-05-22 2024-06-05",
    ("BANKNIFTY", "2024-11-08", "weekly"): "2024-11-13",  # the last weekly of all
    ("BANKNIFTY", "2024-11-14", None): "2024-11-27 2024-12-24 2025-01-30 2025-03-27 2025-06-26 2025-09-30",
    ("FINNIFTY", "2023-08-10", "weekly"): "2023-08-14 2023-08-22 2023-09-05 2023-09-12",
    ("FINNIFTY", "2024-10-01", "monthly"): "2024-10-29 2024-11-26 2024-12-31",
    ("FINNIFTY", "2024-11-12", "weekly"): "2024-11-12 2024-11-19",
    ("FINNIFTY", "2025-01-02", None): "2025-01-30 2025-02-27 2025-03-27",
    ("MIDCPNIFTY", "2023-08-01", "weekly"): "2023-08-02 2023-08-09 2023-08-16 2023-08-21",
    ("MIDCPNIFTY", "2024-03-01", "monthly"): "2024-03-22 2024-04-29 2024-05-27",  # 25 March is Holi
    ("MIDCPNIFTY", "2024-11-14", None): "2024-11-18 2024-11-25 2024-12-30 2025-01-30",
    ("NIFTYNXT50", "2024-05-02", None): "2024-05-31 2024-06-28 2024-07-26",
    ("SENSEX", "2024-02-05", "monthly"): "2024-02-23 2024-03-28 2024-04-26",  # 29 March is Good Friday
    ("SENSEX", "2025-01-02", "weekly"): "2025-01-03 2025-01-07 2025-01-14 2025-01-21 2025-02-04 2025-02-11",
    ("BANKEX", "2023-10-06", "weekly"): "2023-10-06 2023-10-13 2023-10-16 2023-10-23",
    ("BANKEX", "2024-01-02", "monthly"): "2024-01-29 2024-02-26 2024-03-22",
    ("BANKEX", "2024-11-19", None): "2024-11-25 2024-12-30 2025-01-28",
    ("RELIANCE", "2024-03-01", None): "2024-03-28 2024-04-25 2024-05-30",
}


@pytest.mark.parametrize(("symbol", "day", "kind"), WEEKDAYS_BY_DATE)
def test_weekdays_of_2023_to_2025_are_those_of_their_time(symbol: str, day: str, kind: str | None) -> None:
    expected = WEEKDAYS_BY_DATE[symbol, day, kind].split()
    assert listed(symbol, f"{day} 10:00", kind) == expected


@pytest.mark.parametrize(
    ("symbol", "expires_at", "successor", "kind"),
    [
        ("NIFTY", "2026-11-23 15:40", "2027-02-23", "monthly"),
        ("NIFTY", "2026-12-01 15:40", "2027-01-05", "weekly"),
        ("RELIANCE", "2026-11-23 15:40", "2027-02-23", "monthly"),
        ("SENSEX", "2026-12-03 15:40", "2027-01-21", "weekly"),
        ("CRUDEOIL", "2026-12-16 23:55", "2027-02-17", "monthly"),
        ("COPPER", "2026-11-23 23:55", "2027-01-21", "monthly"),
    ],
)
def test_successor_is_listed_when_its_predecessor_expires(
    symbol: str, expires_at: str, successor: str, kind: str
) -> None:
    instant = ist(expires_at)
    before, after = (CATALOGUE.expiries(symbol, at) for at in (instant - TICK, instant))
    assert before[0].expires_at == instant
    assert before[0] not in after
    new = [expiry for expiry in after if expiry.day not in {other.day for other in before}]
    assert [(expiry.day.isoformat(), expiry.kind) for expiry in new] == [(successor, kind)]


def test_declared_holiday_moves_a_listed_expiry_after_a_reload(tmp_path: Path) -> None:
    override = tmp_path / "override.toml"
    calendar = Calendar.load(override=override)
    catalogue = Catalogue.load(calendar)
    assert listed("NIFTY", "2026-11-27 10:00", catalogue=catalogue)[0] == "2026-12-01"
    override.write_text('[holidays.equity]\n2026-12-01 = "Elections"', encoding="utf-8")
    calendar.reload()
    assert listed("NIFTY", "2026-11-27 10:00", catalogue=catalogue)[0] == "2026-11-30"


@pytest.mark.parametrize(
    ("symbol", "expiries"),
    [
        ("CRUDEOIL", ["10-15 10-19", "11-17 11-19", "12-16 12-18"]),
        ("CRUDEOILM", ["10-15 10-19", "11-17 11-19", "12-16 12-18"]),
        ("NATURALGAS", ["10-23 10-27", "11-20 11-24", "12-23 12-28"]),
        ("NATGASMINI", ["10-23 10-27", "11-20 11-24", "12-23 12-28"]),
        ("GOLD", ["10-30 12-04", "11-27 12-04"]),
        ("GOLDM", ["10-29 11-05", "11-27 12-04"]),
        ("SILVER", ["10-27 12-04", "11-27 12-04"]),
        ("SILVERM", ["10-27 11-30"]),
        ("COPPER", ["11-23 11-30", "12-23 12-31"]),
        ("ZINC", ["10-23 10-30", "11-23 11-30", "12-23 12-31"]),
    ],
)
def test_commodity_options_and_their_futures_expire_on_the_dates_seen_in_2026(
    symbol: str, expiries: list[str]
) -> None:
    rungs = {
        expiry.day
        for at in ("2026-10-05 10:00", "2026-12-05 10:00")
        for expiry in CATALOGUE.expiries(symbol, ist(at))
    }
    for pair in expiries:
        option, future = (date.fromisoformat(f"2026-{day}") for day in pair.split())
        assert option in rungs
        assert CATALOGUE.underlying_future(symbol, option) == future


@pytest.mark.parametrize(
    ("symbol", "option", "future"),
    [
        ("GOLD", "2026-12-31", "2027-02-05"),
        ("SILVER", "2026-12-28", "2027-03-05"),
        ("SILVERM", "2026-12-28", "2027-02-26"),
    ],
)
def test_option_of_december_is_on_a_future_of_the_new_year(symbol: str, option: str, future: str) -> None:
    assert option in listed(symbol, "2026-12-01 10:00")
    assert CATALOGUE.underlying_future(symbol, date.fromisoformat(option)).isoformat() == future


def test_option_on_an_index_has_no_future_under_it() -> None:
    assert CATALOGUE.underlying_future("NIFTY", date(2026, 12, 1)) is None


@pytest.mark.parametrize(
    ("symbol", "expiry", "on", "lot"),
    [
        ("NIFTY", "2026-11-23", "2026-11-23", 65),
        ("NIFTY", "2024-05-30", "2024-05-02", 25),
        ("NIFTY", "2025-11-25", "2025-11-03", 75),
        ("NIFTY", "2025-12-30", "2025-12-30", 75),  # the last contract with the old lot
        ("NIFTY", "2026-01-06", "2025-12-15", 65),  # listed with the new lot before its date
        ("NIFTY", "2026-02-24", "2025-12-15", 65),
        ("NIFTY", "2026-03-30", "2025-12-15", 75),  # a long-dated one changes on the date
        ("NIFTY", "2026-03-30", "2025-12-30", 65),
        ("NIFTY", "2030-06-25", "2025-12-29", 75),
        ("NIFTY", "2019-12-26", "2019-12-20", 50),  # before all that is known
        ("NIFTY", "2024-04-25", "2024-04-25", 50),
        ("NIFTY", "2024-11-21", "2024-11-20", 25),  # listed before 20 November 2024
        ("NIFTY", "2024-12-19", "2024-12-19", 25),
        ("NIFTY", "2025-01-30", "2025-01-29", 25),
        ("NIFTY", "2025-01-02", "2024-12-01", 75),  # a weekly listed since
        ("NIFTY", "2025-02-27", "2024-12-02", 75),
        ("NIFTY", "2025-03-27", "2024-12-25", 25),  # a quarterly, converted on the day
        ("NIFTY", "2025-03-27", "2024-12-26", 75),
        ("BANKNIFTY", "2023-06-29", "2023-06-29", 25),
        ("BANKNIFTY", "2023-07-06", "2023-06-30", 15),
        ("BANKNIFTY", "2024-10-30", "2024-10-01", 15),
        ("BANKNIFTY", "2025-01-30", "2025-01-30", 15),
        ("BANKNIFTY", "2025-02-27", "2025-01-02", 30),
        ("BANKNIFTY", "2025-03-27", "2024-12-23", 15),
        ("BANKNIFTY", "2025-03-27", "2024-12-24", 30),
        ("BANKNIFTY", "2025-06-26", "2025-06-26", 30),
        ("BANKNIFTY", "2025-07-31", "2025-05-02", 35),  # listed with the new lot
        ("BANKNIFTY", "2025-09-30", "2025-06-25", 30),  # a quarterly, converted on the day
        ("BANKNIFTY", "2025-09-30", "2025-06-26", 35),
        ("BANKNIFTY", "2025-08-28", "2025-08-01", 35),
        ("FINNIFTY", "2024-05-28", "2024-05-28", 40),
        ("FINNIFTY", "2024-07-30", "2024-05-02", 25),
        ("FINNIFTY", "2025-01-30", "2025-01-02", 25),
        ("MIDCPNIFTY", "2024-06-24", "2024-06-24", 75),
        ("MIDCPNIFTY", "2024-07-29", "2024-06-24", 50),
        ("MIDCPNIFTY", "2025-06-26", "2025-06-26", 120),
        ("MIDCPNIFTY", "2025-07-31", "2025-05-02", 140),
        ("NIFTYNXT50", "2025-01-30", "2025-01-02", 10),
        ("SENSEX", "2025-01-28", "2025-01-02", 10),
        ("SENSEX", "2025-01-07", "2025-01-02", 20),
        ("BANKEX", "2024-12-30", "2024-12-02", 15),
        ("BANKNIFTY", "2026-11-23", "2026-11-02", 30),
        ("FINNIFTY", "2026-11-23", "2026-11-02", 60),
        ("FINNIFTY", "2025-11-25", "2025-11-03", 65),
        ("MIDCPNIFTY", "2026-11-23", "2026-11-02", 120),
        ("MIDCPNIFTY", "2025-11-25", "2025-11-03", 140),
        ("NIFTYNXT50", "2026-11-23", "2026-11-02", 25),
        ("SENSEX", "2026-11-26", "2026-11-02", 20),
        ("BANKEX", "2026-11-26", "2026-11-02", 30),
        ("RELIANCE", "2026-11-23", "2026-11-02", 500),
        ("TCS", "2026-11-23", "2026-11-02", 225),
        ("GOLD", "2026-11-27", "2026-11-02", 100),
        ("ZINC", "2026-11-23", "2026-11-02", 5000),
    ],
)
def test_lot_depends_on_contract_and_date(symbol: str, expiry: str, on: str, lot: int) -> None:
    assert CATALOGUE.lot_size(symbol, date.fromisoformat(expiry), date.fromisoformat(on)) == lot


def test_listed_expiry_carries_the_lot_of_its_day() -> None:
    lots = {
        expiry.day.isoformat(): expiry.lot_size
        for expiry in CATALOGUE.expiries("NIFTY", ist("2025-11-26 10:00"))
    }
    assert (lots["2025-12-30"], lots["2026-01-27"], lots["2026-03-30"]) == (75, 65, 75)


def strikes_of(symbol: str, expiry: str, spot: float, at: str) -> np.ndarray:
    at_instant = ist(at)
    return CATALOGUE.strikes(
        symbol, CATALOGUE.expiry(symbol, date.fromisoformat(expiry), at_instant), spot, at_instant
    )


def test_weekly_nifty_strikes_reach_as_far_as_on_a_real_day() -> None:
    strikes = strikes_of("NIFTY", "2026-08-11", 24_570.65, "2026-08-07 12:00")
    assert (strikes[0], strikes[-1], len(strikes)) == (21_650, 27_750, 123)
    assert set(np.diff(strikes)) == {50}


def test_monthly_nifty_strikes_have_far_wings_by_five_hundreds() -> None:
    strikes = strikes_of("NIFTY", "2026-12-29", 22_600, "2026-11-23 12:00")
    assert set(np.diff(strikes)) <= {50, 100, 150, 200, 250, 300, 350, 400, 450, 500}
    assert strikes[0] / 22_600 - 1 == pytest.approx(-0.25, abs=0.025)
    near = strikes[np.abs(strikes / 22_600 - 1) < 0.11]
    assert set(np.diff(near)) == {50}
    assert set(strikes[(strikes < 19_800)] % 500) == {0}


def test_stock_strikes_may_be_fractions_of_a_rupee() -> None:
    strikes = strikes_of("ITC", "2026-11-23", 252.6, "2026-11-23 12:00")
    assert 252.5 in strikes
    assert set(np.diff(strikes)) == {2.5}


@given(
    st.sampled_from([underlying.symbol for underlying in CATALOGUE]),
    st.datetimes(datetime(2025, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(0.5, 2),
)
def test_ladder_and_strikes_hold_their_laws(symbol: str, at: datetime, moved: float) -> None:
    underlying = CATALOGUE[symbol]
    expiries = CATALOGUE.expiries(symbol, at)
    instants = [expiry.expires_at for expiry in expiries]
    assert at < instants[0]
    assert instants == sorted(set(instants))
    for expiry in expiries:
        assert CALENDAR.is_ordinary_session(underlying.derivatives_exchange, expiry.day)
        assert expiry.expires_at == CALENDAR.expiry_instant(underlying.derivatives_exchange, expiry.day)
        spot = underlying.reference_price * moved
        strikes = CATALOGUE.strikes(symbol, expiry, spot, at)
        assert strikes[0] <= max(spot, underlying.strike_step)
        assert spot < strikes[-1]
        assert np.all(np.diff(strikes) > 0)
        assert np.all(strikes % underlying.strike_step == 0)


def numbers_by_kind(symbol: str, at: datetime) -> dict[str, int]:
    kinds = [expiry.kind for expiry in CATALOGUE.expiries(symbol, at)]
    return {kind: kinds.count(kind) for kind in kinds}


@pytest.mark.parametrize(
    ("symbol", "numbers"),
    [
        ("NIFTY", {"weekly": 4, "monthly": 3, "quarterly": 3, "half_yearly": 8}),
        ("SENSEX", {"weekly": 6, "monthly": 3, "quarterly": 3}),
        ("GOLD", {"monthly": 2}),
    ],
)
def test_ladder_always_has_the_same_number_of_rungs(symbol: str, numbers: dict[str, int]) -> None:
    every_day: Iterable[datetime] = (ist("2025-01-01 20:00") + timedelta(days=day) for day in range(900))
    assert all(numbers_by_kind(symbol, at) == numbers for at in every_day)


def test_month_counts_over_the_year() -> None:
    assert Month(2026, 11).plus(3) == Month(2027, 2)
    assert Month(2026, 12).last_day() == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'weekday = "Tuesday"',
            'weekday = "Sunday"',
            r"weekdays.NFO.1.weekday must be one of .*, was 'Sunday'",
        ),
        (
            "from = 2025-09-01",
            "from = 1999-09-01",
            r"weekdays.NFO must hold weekdays in the order of their dates",
        ),
        (
            'monthly = "Thursday"',
            'monthly = "never"',
            r"expiry_rules.banknifty.weekdays.1.monthly must be one of .*, was 'never'",
        ),
        (
            'business_days = "New York"',
            'business_days = "London"',
            r"future_rules.crude_oil.business_days must be one of New York, was 'London'",
        ),
        ("monthly = 3\nquarterly = 3\nhalf", "half", r"expiry_rules.nifty must list at least one monthly"),
        (
            "weekly = 4",
            "weekly = 0",
            r"expiry_rules.nifty.weekly must be a whole number of at least 1, was 0",
        ),
        ("future_months = [2, 4", "future_months = [2, 14", r"future_months must be months from 1 to 12"),
        ("lot = 75", "lot = 7.5", r"lots.NIFTY.2.lot must be a whole number"),
        (
            "from = 2024-12-26, lot = 75",
            "from = 2026-12-26, lot = 75",
            r"lots.NIFTY must hold lots in the order",
        ),
        ("[[0.12, 0.13, 1]]", "[[0.12, 1]]", r"bands.0 must be \[part below, part above, steps\]"),
        ("[[0.12, 0.13, 1]]", "[[0.12, 13, 1]]", r"bands.0.1 must be a number between 0 and 1, was 13"),
        ('kinds = ["weekly"]', 'kinds = ["daily"]', r"kinds.0 must be one of "),
    ],
)
def test_bad_rules_are_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(CONTRACTS_PATH.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractsError, match=f"rules.toml: .*{sentence}"):
        Catalogue.load(CALENDAR, contracts_path=path)
