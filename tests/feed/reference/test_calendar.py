"""The calendar's answers: tables of real days, and laws that hold at every instant."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST
from feed.reference.calendar import Calendar, UnknownExchange

CALENDAR = Calendar.load()
EQUITY = ("NSE", "BSE", "NFO", "BFO")
TICK = timedelta(microseconds=1)


def ist(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


# A day as its phases with the times between them; the first may have begun the day before.
CASH_BEFORE = "closed 09:00 pre_open 09:15 open 15:30 closing 15:40 post_close 16:00 closed"
CASH = "closed 09:00 pre_open 09:15 open 15:15 closing_auction 15:35 closed"
FUTURES_BEFORE = "closed 09:15 open 15:30 closed"
FUTURES_WITH_PRE_OPEN = "closed 09:00 pre_open 09:15 open 15:30 closed"
FUTURES = "closed 09:00 pre_open 09:15 open 15:40 closed"
SUMMER = "closed 08:45 pre_open 08:59 closed 09:00 morning 17:00 evening 23:30 closed"
WINTER = "closed 08:45 pre_open 08:59 closed 09:00 morning 17:00 evening 23:55 closed"
SUMMER_EVENING = "holiday 17:00 evening 23:30 closed"
WINTER_EVENING = "holiday 17:00 evening 23:55 closed"

DAYS = [
    # ordinary days, either side of each change of rules
    ("NSE", "2026-07-31", CASH_BEFORE),
    ("BSE", "2026-07-31", CASH_BEFORE),
    ("NSE", "2026-08-03", CASH),
    ("BSE", "2026-08-03", CASH),
    ("NSE", "2026-11-25", CASH),
    ("NFO", "2025-12-05", FUTURES_BEFORE),
    ("NFO", "2025-12-08", FUTURES_WITH_PRE_OPEN),
    ("NFO", "2026-07-31", FUTURES_WITH_PRE_OPEN),
    ("NFO", "2026-08-03", FUTURES),
    ("BFO", "2026-08-03", FUTURES),
    # days of expiry: the same hours
    ("NFO", "2026-11-23", FUTURES),
    ("BFO", "2026-11-26", FUTURES),
    # the seasons of MCX: a Friday and the Monday after it
    ("MCX", "2025-10-31", SUMMER),
    ("MCX", "2025-11-03", WINTER),
    ("MCX", "2026-03-06", WINTER),
    ("MCX", "2026-03-09", SUMMER),
    ("MCX", "2026-10-30", SUMMER),
    ("MCX", "2026-11-02", WINTER),
    ("MCX", "2026-11-23", WINTER),
    ("MCX", "2027-03-12", WINTER),
    ("MCX", "2027-03-15", SUMMER),
    # holidays, whole and split
    ("NSE", "2026-11-24", "holiday"),
    ("NFO", "2026-11-24", "holiday"),
    ("MCX", "2026-11-24", WINTER_EVENING),
    ("MCX", "2026-09-14", SUMMER_EVENING),
    ("MCX", "2026-01-01", "closed 08:45 pre_open 08:59 closed 09:00 morning 17:00 holiday"),
    ("NSE", "2026-01-01", CASH_BEFORE),
    ("MCX", "2026-10-02", "holiday"),
    ("MCX", "2026-12-25", "holiday"),
    ("NSE", "2026-11-21", "weekend"),
    ("MCX", "2026-11-22", "weekend"),
    # a holiday declared three days ahead
    ("NSE", "2026-01-15", "holiday"),
    ("MCX", "2026-01-15", WINTER_EVENING),
    # special sessions
    ("NSE", "2025-02-01", CASH_BEFORE.replace("closed", "weekend")),
    ("NFO", "2025-02-01", FUTURES_BEFORE.replace("closed", "weekend")),
    ("MCX", "2025-02-01", "weekend 09:00 morning 17:00 weekend"),
    ("BSE", "2025-10-21", "holiday 13:30 pre_open 13:45 open 14:45 holiday"),
    ("NFO", "2025-10-21", "holiday 13:45 open 14:45 holiday"),
    ("MCX", "2025-10-21", "holiday 13:45 open 14:45 holiday"),
    ("BSE", "2026-02-01", CASH_BEFORE.replace("closed", "weekend")),
    ("BFO", "2026-02-01", FUTURES_WITH_PRE_OPEN.replace("closed", "weekend")),
    ("MCX", "2026-02-01", "weekend 09:00 morning 17:00 weekend"),
    ("NSE", "2026-11-08", "weekend 18:00 open 19:00 weekend"),
    ("NFO", "2026-11-08", "weekend 18:00 open 19:00 weekend"),
    ("MCX", "2026-11-08", "weekend 18:00 open 19:00 weekend"),
]


@pytest.mark.parametrize(("exchange", "day", "phases"), DAYS, ids=lambda value: value.split()[0])
def test_each_phase_of_a_day_begins_at_its_time(exchange: str, day: str, phases: str) -> None:
    first, *rest = phases.split()
    assert CALENDAR.phase(exchange, ist(day)).phase == first
    before = first
    for time, phase in zip(rest[::2], rest[1::2], strict=True):
        change = ist(f"{day} {time}")
        earlier, later = CALENDAR.phase(exchange, change - TICK), CALENDAR.phase(exchange, change)
        assert (earlier.phase, earlier.next_phase, earlier.next_change) == (before, phase, change)
        assert (later.phase, later.since) == (phase, change)
        before = phase
    end_of_day = CALENDAR.phase(exchange, ist(day) + timedelta(days=1) - TICK)
    assert (end_of_day.phase, end_of_day.next_change >= ist(day) + timedelta(days=1)) == (before, True)


@pytest.mark.parametrize(
    ("exchange", "at", "is_open"),
    [
        ("NSE", "2026-11-25 09:10", False),
        ("NSE", "2026-11-25 12:00", True),
        ("NSE", "2026-11-25 15:20", True),
        ("NSE", "2026-07-31 15:35", False),
        ("NSE", "2026-07-31 15:45", False),
        ("MCX", "2026-11-24 12:00", False),
        ("MCX", "2026-11-24 18:00", True),
        ("NSE", "2026-11-08 18:30", True),
    ],
)
def test_market_is_open_while_prices_move(exchange: str, at: str, is_open: bool) -> None:
    assert CALENDAR.phase(exchange, ist(at)).is_open is is_open


@pytest.mark.parametrize(
    ("exchange", "at", "phase", "since", "next_phase", "next_change", "holiday"),
    [
        ("NFO", "2026-11-22 10:00", "weekend", "2026-11-21 00:00", "closed", "2026-11-23 00:00", None),
        ("NFO", "2026-11-23 20:00", "closed", "2026-11-23 15:40", "holiday", "2026-11-24 00:00", None),
        (
            *("NFO", "2026-11-24 12:00", "holiday"),
            *("2026-11-24 00:00", "closed", "2026-11-25 00:00", "Guru Nanak Jayanti"),
        ),
        ("NSE", "2026-11-26 08:00", "closed", "2026-11-25 15:35", "pre_open", "2026-11-26 09:00", None),
        (
            *("NFO", "2026-04-03 12:00", "holiday"),
            *("2026-04-03 00:00", "weekend", "2026-04-04 00:00", "Good Friday"),
        ),
        # two holidays with names of their own, one after the other
        (
            *("NSE", "2025-10-21 20:00", "holiday"),
            *("2025-10-21 14:45", "holiday", "2025-10-22 00:00", "Diwali Laxmi Pujan"),
        ),
        (
            *("MCX", "2026-01-01 20:00", "holiday"),
            *("2026-01-01 17:00", "closed", "2026-01-02 00:00", "New Year"),
        ),
        ("MCX", "2026-11-24 23:58", "closed", "2026-11-24 23:55", "pre_open", "2026-11-25 08:45", None),
        ("NSE", "2026-11-08 10:00", "weekend", "2026-11-07 00:00", "open", "2026-11-08 18:00", None),
    ],
)
def test_phase_knows_its_bounds_across_days(
    exchange: str, at: str, phase: str, since: str, next_phase: str, next_change: str, holiday: str | None
) -> None:
    found = CALENDAR.phase(exchange, ist(at))
    assert (found.phase, found.next_phase, found.holiday) == (phase, next_phase, holiday)
    assert (found.since, found.next_change) == (ist(since), ist(next_change))


def test_phase_bounds_are_in_utc() -> None:
    phase = CALENDAR.phase("NFO", ist("2026-11-23 10:00"))
    assert phase.since.isoformat() == "2026-11-23T03:45:00+00:00"
    assert phase.next_change.isoformat() == "2026-11-23T10:10:00+00:00"


def test_phase_of_an_instant_does_not_depend_on_what_was_asked_before() -> None:
    instants = [
        ist("2026-11-20 12:00"),
        ist("2026-11-25 12:00"),
        ist("2026-11-20 12:01"),
        ist("2026-11-25 02:00"),
    ]
    fresh = [Calendar.load().phase("NFO", at) for at in instants]
    assert [CALENDAR.phase("NFO", at) for at in instants] == fresh


@pytest.mark.parametrize(
    ("exchange", "day", "opens", "closes", "name"),
    [
        ("NSE", "2026-07-31", "09:15", "15:30", None),
        ("NSE", "2026-11-23", "09:15", "15:35", None),
        ("NFO", "2026-11-23", "09:15", "15:40", None),
        ("MCX", "2026-11-23", "09:00", "23:55", None),
        ("MCX", "2026-11-24", "17:00", "23:55", None),
        ("MCX", "2026-01-01", "09:00", "17:00", None),
        ("NFO", "2026-11-08", "18:00", "19:00", "Diwali Muhurat trading"),
        ("NFO", "2026-02-01", "09:15", "15:30", "Union Budget"),
    ],
)
def test_session_lasts_from_first_open_to_last_close(
    exchange: str, day: str, opens: str, closes: str, name: str | None
) -> None:
    session = CALENDAR.session(exchange, date.fromisoformat(day))
    assert session is not None
    assert (session.day.isoformat(), session.name) == (day, name)
    assert (session.open, session.close) == (ist(f"{day} {opens}"), ist(f"{day} {closes}"))


def test_session_of_a_holiday_is_none() -> None:
    assert CALENDAR.session("NFO", date(2026, 11, 24)) is None
    assert not CALENDAR.is_session("NFO", date(2026, 11, 24))


def test_session_before_a_long_weekend_is_its_last_day() -> None:
    assert CALENDAR.previous_session("NSE", date(2026, 11, 25)) == date(2026, 11, 23)
    assert CALENDAR.next_session("NSE", date(2026, 4, 2)) == date(2026, 4, 6)
    assert CALENDAR.previous_session("NSE", date(2026, 11, 9)) == date(2026, 11, 8)


@pytest.mark.parametrize(
    ("exchange", "start", "end", "minutes"),
    [
        ("NFO", "2026-11-23 00:00", "2026-11-24 00:00", 385),
        ("NSE", "2026-11-23 00:00", "2026-11-24 00:00", 380),
        ("MCX", "2026-11-23 00:00", "2026-11-24 00:00", 895),
        ("MCX", "2026-11-24 00:00", "2026-11-25 00:00", 415),
        ("NFO", "2026-11-23 15:00", "2026-11-25 09:45", 70),
        ("NFO", "2026-11-24 00:00", "2026-11-25 00:00", 0),
        ("NFO", "2026-11-25 09:45", "2026-11-23 15:00", -70),
        ("NFO", "2026-12-31 15:30", "2027-01-01 09:20", 15),
        ("NFO", "2026-11-08 00:00", "2026-11-09 00:00", 60),
    ],
)
def test_trading_minutes_count_open_phases_only(exchange: str, start: str, end: str, minutes: float) -> None:
    assert CALENDAR.trading_minutes(exchange, ist(start), ist(end)) == minutes


@pytest.mark.parametrize(
    ("exchange", "day", "at"),
    [
        ("NFO", "2026-07-28", "2026-07-28 15:30"),
        ("NFO", "2026-11-23", "2026-11-23 15:40"),
        ("BFO", "2026-11-26", "2026-11-26 15:40"),
        ("MCX", "2026-11-23", "2026-11-23 23:55"),
        ("MCX", "2026-10-23", "2026-10-23 23:30"),
        # a broker may list what our estimate takes for a holiday
        ("NFO", "2027-10-29", "2027-10-29 15:40"),
    ],
)
def test_contract_expires_at_the_last_close(exchange: str, day: str, at: str) -> None:
    assert CALENDAR.expiry_instant(exchange, date.fromisoformat(day)) == ist(at)


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ("2026-10-20", "2026-10-19"),
        ("2026-11-24", "2026-11-23"),
        ("2026-12-01", "2026-12-01"),
        ("2027-01-26", "2027-01-25"),
        ("2025-10-21", "2025-10-20"),  # an hour of Muhurat trading settles nothing
        ("2026-11-08", "2026-11-06"),
    ],
)
def test_expiry_moves_to_the_ordinary_session_before(due: str, day: str) -> None:
    assert CALENDAR.expiry_day("NFO", date.fromisoformat(due)).isoformat() == day


def test_year_without_a_table_has_the_fixed_holidays_as_estimates() -> None:
    noon = ist("2029-12-25 12:00")
    assert CALENDAR.phase("NFO", noon).holiday == "Christmas (estimated)"
    assert CALENDAR.phase("MCX", ist("2029-05-01 12:00")).holiday == "Maharashtra Day (estimated)"
    assert CALENDAR.phase("MCX", ist("2029-05-01 18:00")).phase == "evening"


def test_estimated_holiday_says_so() -> None:
    assert CALENDAR.phase("NSE", ist("2027-05-17 12:00")).holiday == "Bakri Id (estimated)"


def test_unknown_exchange_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownExchange, match="exchange must be one of NSE, BSE, NFO, BFO, MCX, was 'NYSE'"):
        CALENDAR.phase("NYSE", ist("2026-11-23 10:00"))


def test_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="an instant must have a time zone, was 2026-11-23T10:00:00"):
        Calendar.load().phase("NSE", ist("2026-11-23 10:00").replace(tzinfo=None))


exchanges = st.sampled_from(CALENDAR.exchanges)
instants = st.datetimes(datetime(2023, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
days = st.dates(date(2023, 1, 1), date(2032, 12, 31))


@given(exchanges, instants)
def test_phases_tile_time(exchange: str, at: datetime) -> None:
    phase = CALENDAR.phase(exchange, at)
    assert phase.since <= at < phase.next_change
    assert CALENDAR.phase(exchange, phase.since) == phase
    following = CALENDAR.phase(exchange, phase.next_change)
    assert (following.since, following.phase) == (phase.next_change, phase.next_phase)
    preceding = CALENDAR.phase(exchange, phase.since - TICK)
    assert (preceding.next_change, preceding.next_phase) == (phase.since, phase.phase)


@given(exchanges, instants)
def test_only_holidays_are_named(exchange: str, at: datetime) -> None:
    phase = CALENDAR.phase(exchange, at)
    assert (phase.holiday is not None) == (phase.phase == "holiday")


@given(exchanges, days)
def test_next_and_previous_session_are_inverse(exchange: str, day: date) -> None:
    following = CALENDAR.next_session(exchange, day)
    assert following > day
    assert CALENDAR.is_session(exchange, following)
    last = day if CALENDAR.is_session(exchange, day) else CALENDAR.previous_session(exchange, day)
    assert CALENDAR.previous_session(exchange, following) == last
    assert CALENDAR.next_session(exchange, last) == following


@given(exchanges, st.lists(instants, min_size=3, max_size=3))
def test_trading_minutes_add_up(exchange: str, at: list[datetime]) -> None:
    first, middle, last = sorted(at)
    whole = CALENDAR.trading_minutes(exchange, first, last)
    parts = CALENDAR.trading_minutes(exchange, first, middle) + CALENDAR.trading_minutes(
        exchange, middle, last
    )
    assert whole == pytest.approx(parts, abs=1e-6)
    assert -1e-6 <= whole <= (last - first).total_seconds() / 60 + 1e-6


@given(exchanges, instants)
def test_trading_minutes_run_with_the_clock_in_an_open_phase_and_stand_still_in_others(
    exchange: str, at: datetime
) -> None:
    phase = CALENDAR.phase(exchange, at)
    minutes = (phase.next_change - at).total_seconds() / 60
    expected = minutes if phase.is_open else 0.0
    assert CALENDAR.trading_minutes(exchange, at, phase.next_change) == pytest.approx(expected, abs=1e-6)


@given(exchanges, days)
def test_session_is_open_at_its_open_and_not_at_its_close(exchange: str, day: date) -> None:
    session = CALENDAR.session(exchange, day)
    if session is not None:
        assert CALENDAR.phase(exchange, session.open).is_open
        assert not CALENDAR.phase(exchange, session.open - TICK).is_open
        assert CALENDAR.phase(exchange, session.close - TICK).is_open
        assert not CALENDAR.phase(exchange, session.close).is_open


@given(exchanges, days)
def test_expiry_day_is_an_ordinary_session_on_or_before(exchange: str, due: date) -> None:
    day = CALENDAR.expiry_day(exchange, due)
    session = CALENDAR.session(exchange, day)
    assert day <= due
    assert session is not None
    assert (session.name, CALENDAR.expiry_instant(exchange, day)) == (None, session.close)


@pytest.mark.parametrize("exchange", ["NFO", "BFO", "MCX"])
@pytest.mark.parametrize(
    "day", [date(2023, 11, 12), date(2024, 11, 1), date(2025, 10, 21), date(2026, 11, 8)]
)
def test_contracts_of_a_muhurat_day_end_at_the_hour_of_any_day(exchange: str, day: date) -> None:
    """Listed all the same, they would end when they always do, not with the evening's hour of worship."""
    calendar = Calendar.load()
    assert calendar.session(exchange, day) is not None
    ends = calendar.expiry_instant(exchange, day).astimezone(IST)
    following = calendar.expiry_instant(exchange, calendar.expiry_day(exchange, day)).astimezone(IST)
    assert ends.time() == following.time()
    assert ends.date() == day


def test_trading_minutes_are_negative_backwards_over_new_year() -> None:
    calendar = Calendar.load()
    start, end = (
        datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=IST) for text in ("2025-12-30", "2026-01-02")
    )
    forward = calendar.trading_minutes("NFO", start, end)
    assert forward > 0
    assert calendar.trading_minutes("NFO", end, start) == -forward
    assert calendar.trading_minutes("NFO", start, start) == 0
