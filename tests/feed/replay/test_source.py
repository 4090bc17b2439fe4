from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instants import to_ms
from feed.market.clock import VirtualClock
from feed.market.market import Market
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS
from feed.recordings.frames import Frame, RecordedChain, RecordingError
from feed.recordings.text import local_ms
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, UnknownExpiry
from feed.replay.source import ReplaySource

MADE_UP = Path(__file__).parents[2] / "data"
THURSDAY = date(2026, 3, 5)
FRIDAY = date(2026, 3, 6)
FIRST = date(2026, 3, 10)
SECOND = date(2026, 3, 17)
OPEN_INTEREST = CONTRACT_FIELDS.index("open_interest")


@pytest.fixture(scope="module")
def calendar():
    return Calendar()


@pytest.fixture(scope="module")
def catalogue(calendar):
    return Catalogue(calendar)


@pytest.fixture
def minutes(catalogue, calendar):
    path = MADE_UP / "made_up_minutes_20260305.csv"
    return ReplaySource.open(path, catalogue=catalogue, calendar=calendar)


def minute_ms(minute, day=THURSDAY):
    return local_ms(day, 9, minute)


def chain(strikes, calls, puts):
    """A recorded chain of which only the open interest is known."""
    values = np.full((len(CONTRACT_FIELDS), 2, len(strikes)), np.nan)
    values[OPEN_INTEREST] = [calls, puts]
    return RecordedChain(np.array(strikes, float), values)


def frame(time_ms, calls, *, symbol="WIDGET", expiry=SECOND, strikes=(100, 110), spot=105.0):
    puts = [np.nan] * len(strikes)
    return Frame(time_ms, {symbol: spot}, {(symbol, expiry): chain(strikes, calls, puts)})


def market_of(source):
    return Market(source.universe, source=source.name, epoch="one", interest_rate=0.06, stale_after_s=90)


def legs(market, expiry=FIRST, symbol="NIFTY"):
    return market.legs(market.universe.listing(symbol, expiry))


def test_the_universe_holds_what_was_recorded_and_no_more(minutes):
    universe = minutes.universe
    assert list(universe.row_of) == ["NIFTY"]
    assert [listing.key for listing in universe.chains("NIFTY")] == [("NIFTY", FIRST), ("NIFTY", SECOND)]
    # a strike seen only in the last minute is listed from the first
    assert universe.listing("NIFTY", FIRST).strikes.tolist() == [20900, 20950, 21000, 21050]
    assert universe.listing("NIFTY", SECOND).strikes.tolist() == [21000]
    with pytest.raises(UnknownExpiry):
        universe.listing("NIFTY", date(2026, 3, 24))


def test_the_first_update_tells_every_field_of_every_row(minutes):
    update = minutes.advance(minutes.start_ms)
    assert update.time_ms == minute_ms(20)
    assert update.universe is minutes.universe
    assert update.underlying_rows is None
    assert update.contract_rows is None
    assert set(update.contracts) == set(CONTRACT_FIELDS)
    assert set(update.underlyings) == set(UNDERLYING_FIELDS)
    assert update.underlyings["last_price"].tolist() == [21010]


def test_bars_of_the_day_are_not_made_up(minutes):
    update = minutes.advance(minutes.end_ms)
    for name in ("open", "high", "low", "previous_close", "volume"):
        assert np.isnan(update.underlyings[name]).all()


def test_nothing_arrives_between_two_frames(minutes):
    assert minutes.advance(minute_ms(20) - 1) is None
    assert minutes.advance(minute_ms(20)) is not None
    assert minutes.advance(minute_ms(21) - 1) is None
    assert minutes.advance(minute_ms(21)).time_ms == minute_ms(21)
    assert minutes.advance(minute_ms(21)) is None


def test_an_update_tells_of_the_recorded_legs_only(minutes):
    minutes.advance(minute_ms(20))
    update = minutes.advance(minute_ms(21))
    listing = minutes.universe.listing("NIFTY", FIRST)
    column = listing.strikes.tolist().index(21000)
    call = listing.rows.start + column
    assert update.contract_rows.tolist() == [call, call + len(listing.strikes)]
    assert update.contracts["last_price"].tolist() == [125, 105]
    assert update.underlying_rows.tolist() == [0]
    assert update.universe is None


def test_frames_that_passed_together_are_merged(minutes):
    market = market_of(minutes)
    market.apply(minutes.advance(minute_ms(40)))
    chain = legs(market)
    # the call at 21000 had no last price in the newest frame, which is news, not a gap
    np.testing.assert_array_equal(
        chain["last_price"], [[np.nan, np.nan, np.nan, 93], [60.5, 80, 105, np.nan]]
    )
    np.testing.assert_array_equal(
        chain["open_interest"], [[np.nan, np.nan, 220, 37.5], [12, 150, 95, np.nan]]
    )
    assert market.quote("NIFTY").last_price == 20990
    assert market.quote("NIFTY").provenance.as_of_ms == minute_ms(22)


def test_a_recording_is_finished_with_its_last_frame(minutes):
    assert (minutes.start_ms, minutes.end_ms, minutes.step_ms) == (minute_ms(20), minute_ms(22), 60_000)
    minutes.advance(minute_ms(22) - 1)
    assert not minutes.finished
    minutes.advance(minute_ms(22))
    assert minutes.finished
    assert minutes.advance(minute_ms(59)) is None
    assert minutes.restart_ms(minute_ms(59)) is None


def test_a_seek_back_forgets_what_came_later(minutes):
    market = market_of(minutes)
    market.apply(minutes.advance(minute_ms(22)))
    assert minutes.seek(minute_ms(20)) == minute_ms(20)
    assert not minutes.finished
    market.apply(minutes.advance(minute_ms(20)))
    np.testing.assert_array_equal(
        legs(market)["last_price"], [[np.nan, np.nan, 120.5, 93], [np.nan, 80, 110.25, np.nan]]
    )
    assert market.quote("NIFTY").last_price == 21010


def test_a_clock_that_goes_back_is_a_seek(minutes):
    minutes.advance(minute_ms(22))
    update = minutes.advance(minute_ms(21))
    assert update.time_ms == minute_ms(21)
    assert update.contract_rows is None


@pytest.mark.parametrize(("wanted", "got"), [(0, 20), (59, 22)])
def test_a_seek_outside_goes_to_the_nearest_recorded_instant(minutes, wanted, got):
    assert minutes.seek(minute_ms(wanted)) == minute_ms(got)
    assert minutes.advance(minute_ms(got)).time_ms == minute_ms(got)


def test_a_loop_begins_again_after_the_last_frame_had_its_time(catalogue, calendar):
    path = MADE_UP / "made_up_minutes_20260305.csv"
    source = ReplaySource.open(path, catalogue=catalogue, calendar=calendar, loop=True)
    elapsed_ns = 0
    clock = VirtualClock(source.start_ms - 30_000, 30_000, 1.0, monotonic_ns=lambda: elapsed_ns)
    told = []
    for _ in range(14):
        elapsed_ns += 30_000_000_000
        now_ms = clock.due()
        if (again_ms := source.restart_ms(now_ms)) is not None:
            clock.seek(again_ms)
            now_ms = again_ms
        update = source.advance(now_ms)
        if update is not None:
            told.append((update.time_ms, update.contract_rows is None))
        assert not source.finished
    first, second, third = minute_ms(20), minute_ms(21), minute_ms(22)
    once = [(first, True), (second, False), (third, False)]
    assert told == once + once + once[:1]


def test_a_recording_of_one_instant_lasts_a_minute(catalogue, calendar):
    source = ReplaySource([frame(minute_ms(20), [1, 2])], catalogue=catalogue, calendar=calendar, loop=True)
    source.advance(minute_ms(20))
    assert source.restart_ms(minute_ms(21) - 1) is None
    assert source.restart_ms(minute_ms(21)) == minute_ms(20)


def test_frames_out_of_order_are_put_in_order(catalogue, calendar):
    frames = [frame(minute_ms(22), [3, 3]), frame(minute_ms(20), [1, 1])]
    source = ReplaySource(frames, catalogue=catalogue, calendar=calendar)
    assert (source.start_ms, source.end_ms) == (minute_ms(20), minute_ms(22))
    assert source.advance(minute_ms(21)).contracts["open_interest"].tolist()[:2] == [1, 1]


def test_no_frames_are_refused(catalogue, calendar):
    with pytest.raises(ValueError, match="a recording must hold at least one frame"):
        ReplaySource([], catalogue=catalogue, calendar=calendar)


def test_a_file_that_is_no_recording_is_refused(tmp_path, catalogue, calendar):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n")
    with pytest.raises(RecordingError, match="its columns are unknown"):
        ReplaySource.open(path, catalogue=catalogue, calendar=calendar)


def test_refused_rows_are_kept_for_the_report(catalogue, calendar):
    source = ReplaySource.open(MADE_UP / "made_up_bad_rows.csv", catalogue=catalogue, calendar=calendar)
    assert len(source.bad_rows) == 9
    assert source.bad_rows[0].number == 3


def test_a_new_day_starts_with_nothing_known_and_its_own_listings(catalogue, calendar):
    frames = [
        frame(minute_ms(20), [5, 6], expiry=FRIDAY),
        frame(minute_ms(21), [7, 8]),
        frame(minute_ms(20, FRIDAY), [np.nan, 9], strikes=(110, 120)),
    ]
    source = ReplaySource(frames, catalogue=catalogue, calendar=calendar)
    market = market_of(source)
    market.apply(source.advance(minute_ms(21)))
    assert [listing.expiry.day for listing in market.universe.chains("WIDGET")] == [FRIDAY, SECOND]
    update = source.advance(minute_ms(20, FRIDAY))
    assert update.universe is source.universe
    market.apply(update)
    assert [listing.key for listing in market.universe.listings] == [("WIDGET", SECOND)]
    known = legs(market, SECOND, "WIDGET")["open_interest"]
    np.testing.assert_array_equal(known, [[np.nan, 9], [np.nan, np.nan]])
    source.seek(minute_ms(21))
    market.apply(source.advance(minute_ms(21)))
    assert [listing.expiry.day for listing in market.universe.chains("WIDGET")] == [FRIDAY, SECOND]
    assert legs(market, FRIDAY, "WIDGET")["open_interest"][0].tolist() == [5, 6]


def test_an_underlying_absent_on_one_day_keeps_its_row(catalogue, calendar):
    frames = [
        frame(minute_ms(20), [5, 6], symbol="ZETA"),
        frame(minute_ms(20, FRIDAY), [7, 8], symbol="ALPHA"),
    ]
    source = ReplaySource(frames, catalogue=catalogue, calendar=calendar)
    assert list(source.universe.row_of) == ["ALPHA", "ZETA"]
    source.advance(minute_ms(20, FRIDAY))
    assert list(source.universe.row_of) == ["ALPHA", "ZETA"]
    assert source.universe.chains("ZETA") == ()


INTEREST = st.one_of(st.just(np.nan), st.integers(0, 1000).map(float))
FRAMES = st.lists(
    st.tuples(st.integers(0, 9), st.tuples(INTEREST, INTEREST, INTEREST)),
    min_size=1,
    max_size=8,
    unique_by=lambda told: told[0],
)


@settings(deadline=None)
@given(told=FRAMES, steps=st.lists(st.integers(-2, 11), min_size=1, max_size=8))
def test_any_way_to_an_instant_leads_to_the_same_state(catalogue, calendar, told, steps):
    """However the clock went, back or forth, the market shows the last value told by then."""
    # the fourth strike is always told, so that every frame says something
    frames = [
        frame(minute_ms(20 + minute), [*interest, 1.0], strikes=(100, 110, 120, 130))
        for minute, interest in told
    ]
    source = ReplaySource(frames, catalogue=catalogue, calendar=calendar)
    market = market_of(source)
    past = []
    for step in steps:
        update = source.advance(minute_ms(20 + step))
        if update is not None:
            market.apply(update)
        past = [interest for minute, interest in sorted(told) if minute <= step]
        if past:
            expected = [
                next((value for value in reversed(column) if value == value), np.nan)
                for column in zip(*past, strict=True)
            ]
            shown = legs(market, SECOND, "WIDGET")["open_interest"][0, :3]
            np.testing.assert_array_equal(shown, expected)


def test_expiries_carry_the_instant_and_lot_of_their_day(minutes, calendar):
    listing = minutes.universe.listing("NIFTY", FIRST)
    assert to_ms(listing.expiry.expires_at) == local_ms(FIRST, 15, 30)  # 15:40 only since August 2026
    assert listing.expiry.lot_size == 65
