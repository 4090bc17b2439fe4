"""The simulated source through its interface: determinism, days, expiries, starts at any time."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import random
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.market.statistics import LiveMarket
from domain.instants import IST, to_datetime, to_ms
from feed.history.history import History
from feed.market.clock import VirtualClock
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, Update
from feed.market.ticker import Ticker
from feed.market.watchdog import FeedWatchdog
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, UnknownSymbol
from feed.simulation.source import SimulatedSource
from tests.feed.simulation.invariants import session_day
from tests.processes import FEW_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=FEW_SYMBOLS)
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def ist(day: int, hour: int, minute: int = 0, second: int = 0, month: int = 11) -> datetime.datetime:
    return datetime.datetime(2026, month, day, hour, minute, second, tzinfo=IST)


def live(when: datetime.datetime, *, seed: int = 11, **options: str) -> LiveMarket:
    return LiveMarket.at(CALENDAR, CATALOGUE, when, seed=seed, **options)


def source_at(when: datetime.datetime, *, seed: int = 11, **options: object) -> SimulatedSource:
    return SimulatedSource(CATALOGUE, CALENDAR, seed=seed, start_ms=to_ms(when), **options)  # type: ignore[arg-type]


def digest(update: Update | None) -> str:
    """Of everything an update holds."""
    sums = hashlib.sha256()
    if update is not None:
        sums.update(str((update.time_ms, update.universe is not None)).encode())
        for table in (update.underlyings, update.contracts):
            for name in sorted(table):
                sums.update(name.encode() + table[name].tobytes())
        if update.contract_rows is not None:
            sums.update(update.contract_rows.tobytes())
    return sums.hexdigest()


def tape(source: SimulatedSource, start_ms: int, steps_ms: list[int]) -> list[str]:
    digests = [digest(source.advance(start_ms))]
    for step_ms in steps_ms:
        start_ms += step_ms
        digests.append(digest(source.advance(start_ms)))
    return digests


STEPS_MS = [500] * 20 + [20_000] * 3 + [61_000] * 4 + [HOUR_MS] * 8


def test_same_seed_and_instants_give_the_same_tape() -> None:
    start = ist(23, 15, 30)
    tapes = [tape(source_at(start), to_ms(start), STEPS_MS) for _ in range(2)]
    assert tapes[0] == tapes[1]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    when=st.sampled_from([ist(23, 15, 39, 30), ist(25, 9, 14, 40), ist(22, 21)]),
    hours=st.sampled_from(["always", "exchange"]),
)
def test_the_state_at_an_instant_does_not_depend_on_the_steps_to_it(
    steps: list[int], when: datetime.datetime, hours: str
) -> None:
    stepped, fine = live(when, hours=hours), live(when, hours=hours)
    for count in steps:
        stepped.step(500 * count)
    fine.step(500, sum(steps))
    for ours, theirs in (
        (stepped.market.underlyings, fine.market.underlyings),
        (stepped.market.contracts, fine.market.contracts),
    ):
        assert {name: values.tobytes() for name, values in ours.items()} == {
            name: values.tobytes() for name, values in theirs.items()
        }


@pytest.mark.parametrize("step_ms", [100, 2_500, 30_000, 60_000])
def test_minutes_are_the_same_at_any_speed_and_interval(step_ms: int) -> None:
    assert minutes_of(step_ms) == minutes_of(500)


@cache
def minutes_of(step_ms: int) -> bytes:
    """The prices and volumes of three minutes of some underlyings, as a ticker records them."""
    start = ist(25, 9, 59, 10)
    run = live(start)
    history = History(None, calendar=CALENDAR, hours="always")
    history.start(run.market, run.now_ms, run.source)
    watchdog = FeedWatchdog(CALENDAR, hours="always", chance=random.Random(1))

    async def publish(*_: object) -> None:
        """Nobody listens."""

    clock = VirtualClock(run.now_ms, step_ms)
    ticker = Ticker(run.source, run.market, clock, history, watchdog, poll_ms=10, publish=publish)

    async def tick() -> bytes:
        while clock.now_ms() < to_ms(ist(25, 10, 2, 10)):
            await ticker.step(clock.step())
        await history.flush()
        end_ms = to_ms(ist(25, 10, 2))
        parts = []
        for symbol in ("NIFTY", "RELIANCE", "GOLD"):
            candles = await history.answers.candles(symbol, "1m", to_ms(start) - 10_000, end_ms)
            parts += [getattr(candles, name).tobytes() for name in ("open", "high", "low", "close", "volume")]
            assert len(candles) == 3
        await history.stop()
        return b"".join(parts)

    return asyncio.run(tick())


def test_candles_asked_for_in_between_do_not_change_the_tape() -> None:
    start = ist(23, 11)
    plain, asked = source_at(start), source_at(start)
    expected = tape(plain, to_ms(start), STEPS_MS[:10])
    asked.daily_candles("NIFTY", 40)
    asked.minute_candles("GOLD", 3)
    assert tape(asked, to_ms(start), STEPS_MS[:10]) == expected


def test_another_seed_gives_another_tape() -> None:
    start = ist(23, 11)
    one, other = (tape(source_at(start, seed=seed), to_ms(start), [500]) for seed in (1, 2))
    assert one[1] != other[1]


def test_first_update_has_every_field_of_every_row() -> None:
    source = source_at(ist(22, 20))
    update = source.advance(to_ms(ist(22, 20)))
    assert update is not None
    assert update.contract_rows is None
    assert set(update.contracts) == set(CONTRACT_FIELDS)
    assert set(update.underlyings) == set(UNDERLYING_FIELDS)
    assert all(len(values) == source.universe.contract_count for values in update.contracts.values())
    assert all(np.isfinite(values).all() for values in update.underlyings.values())
    assert source.advance(to_ms(ist(22, 20))) is None


def test_arrays_of_an_update_do_not_change_later() -> None:
    start_ms = to_ms(ist(23, 10))
    source = source_at(ist(23, 10))
    updates = [source.advance(start_ms + 500 * n) for n in range(3)]
    before = [digest(update) for update in updates]
    for n in range(3, 40):
        source.advance(start_ms + 5_000 * n)
    assert [digest(update) for update in updates] == before


def test_a_sunday_night_lives_but_quietly() -> None:
    market = live(ist(22, 21)).market
    sunday, monday = live(ist(22, 21)), live(ist(23, 11))
    moved = {}
    for name, run in (("sunday", sunday), ("monday", monday)):
        before = run.market.underlyings["volume"].sum(), run.market.underlyings["last_price"].copy()
        run.step(500, 60)
        volume = run.market.underlyings["volume"].sum() - before[0]
        moved[name] = volume, np.abs(run.market.underlyings["last_price"] / before[1] - 1).mean()
    assert 0 < moved["sunday"][0] < moved["monday"][0] / 5
    assert 0 < moved["sunday"][1] < moved["monday"][1]
    assert market.contracts["volume"].sum() > 0


@pytest.mark.parametrize(
    ("hours", "scenario", "message"),
    [
        ("sometimes", "calm", "hours must be one of always, exchange, was 'sometimes'"),
        ("always", "boom", "scenario must be one of calm, .*, was 'boom'"),
    ],
)
def test_unknown_choice_is_refused(hours: str, scenario: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source_at(ist(23, 11), hours=hours, scenario=scenario)


def test_unknown_symbol_has_no_candles() -> None:
    source = source_at(ist(23, 11))
    with pytest.raises(UnknownSymbol):
        source.daily_candles("NIFTI", 5)


# Days


def test_exchange_hours_are_silent_between_sessions() -> None:
    run = live(ist(21, 12), hours="exchange")
    assert run.source.advance(to_ms(ist(21, 20))) is None
    assert run.source.advance(to_ms(ist(23, 8, 59, 59))) is None
    assert run.source.advance(to_ms(ist(23, 9, 0, 1))) is not None


def test_exchange_hours_on_a_share_holiday_move_commodities_only() -> None:
    run = live(ist(24, 16, 59), hours="exchange")
    before = run.market.underlyings["volume"].copy()
    run.step(61_000, 30)
    moved = run.market.underlyings["volume"] != before
    kinds = np.array([underlying.kind for underlying in run.market.universe.underlyings])
    assert moved[kinds == "commodity"].all()
    assert not moved[kinds != "commodity"].any()


def test_exchange_day_opens_with_a_gap() -> None:
    run = live(ist(25, 15, 45), hours="exchange")
    row = run.market.universe.row_of["NIFTY"]
    closed = {name: float(values[row]) for name, values in run.market.underlyings.items()}
    run.now_ms = to_ms(ist(26, 9, 15))
    run.step(0)
    opened = {name: float(values[row]) for name, values in run.market.underlyings.items()}
    assert opened["previous_close"] == closed["last_price"]
    assert opened["open"] == opened["high"] == opened["low"] == opened["last_price"] != closed["last_price"]
    assert opened["volume"] < closed["volume"] / 10


def test_exchange_evening_shows_the_day_that_ended() -> None:
    run = live(ist(23, 20), hours="exchange")
    bars = run.source.daily_candles("NIFTY", 2)
    quote = run.market.quote("NIFTY")
    for name in ("open", "high", "low", "volume"):
        assert getattr(quote, name) == bars[name][1]
    assert quote.last_price == bars["close"][1]
    assert quote.previous_close == bars["close"][0]


def test_always_day_rolls_at_the_close() -> None:
    run = live(ist(25, 15, 39, 59))
    before = {name: values.copy() for name, values in run.market.contracts.items()}
    closing = run.market.underlyings["last_price"].copy()
    run.step(1_000)
    shares = np.array([u.kind != "commodity" for u in run.market.universe.underlyings])
    table = run.market.underlyings
    # the last second of the day still moved the futures, not the index
    assert np.array_equal(table["previous_close"][shares], table["last_price"][shares])
    assert np.array_equal(table["last_price"][shares], closing[shares])
    assert (table["volume"][shares] == 0).all()
    assert (table["volume"][~shares] > 0).all()
    rows = shares[run.market.universe.underlying_row]
    contracts = run.market.contracts
    assert (contracts["volume"][rows] == 0).all()
    assert np.isnan(contracts["high"][rows]).all()
    assert np.array_equal(contracts["previous_open_interest"][rows], contracts["open_interest"][rows])
    known = rows & ~np.isnan(before["last_price"])
    changed = contracts["previous_close"][known] != before["previous_close"][known]
    assert changed.mean() > 0.5


def test_share_spot_stands_after_the_auction_while_the_futures_go_on() -> None:
    run = live(ist(25, 15, 35, 1))
    spot = run.market.quote("NIFTY").last_price
    forward = parity_forward(run)
    run.step(61_000, 4)
    assert run.market.quote("NIFTY").last_price == spot
    assert parity_forward(run) != pytest.approx(forward, abs=1e-6)


def parity_forward(run: LiveMarket) -> float:
    listing = run.market.universe.chains("NIFTY")[1]
    legs = run.market.legs(listing)
    mid = (legs["bid"] + legs["ask"]) / 2
    close = np.abs(run.moneyness(listing)) < 1.5
    return float(np.nanmedian((listing.strikes + mid[0] - mid[1])[close]))


# Expiries


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_expiring_contracts_settle_at_their_intrinsic_value(hours: str) -> None:
    run = live(ist(23, 15, 39, 59), hours=hours)
    run.step(1_000)
    market = run.market
    listing = market.universe.listing("NIFTY", datetime.date(2026, 11, 23))
    spot = market.quote("NIFTY").last_price
    legs = market.legs(listing)
    for side, value in enumerate((spot - listing.strikes, listing.strikes - spot)):
        np.testing.assert_allclose(legs["last_price"][side], np.maximum(value, 0), atol=1e-9)
    assert np.isnan(legs["bid"]).all()
    assert np.isnan(legs["ask"]).all()
    assert (legs["last_price"] <= legs["high"]).all()
    assert (legs["last_price"] >= legs["low"]).all()


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_expired_contracts_leave_with_the_next_step_and_a_successor_is_listed(hours: str) -> None:
    run = live(ist(23, 15, 39, 59), hours=hours)
    run.step(1_000)
    old = run.market.universe
    before = old.listing("NIFTY", datetime.date(2026, 12, 1))
    held = run.market.legs(before)["open_interest"].copy()
    run.step(500)
    new = run.market.universe
    assert new is not old
    assert new is run.source.universe
    assert new.find(("NIFTY", datetime.date(2026, 11, 23))) is None
    days = [{listing.expiry.day for listing in universe.chains("NIFTY")} for universe in (old, new)]
    assert len(days[0]) == len(days[1])
    assert len(days[1] - days[0]) == 1
    after = new.listing("NIFTY", datetime.date(2026, 12, 1))
    kept = np.isin(after.strikes, before.strikes)
    legs = run.market.legs(after)
    assert (np.abs(legs["open_interest"][:, kept] - held) <= legs["volume"][:, kept]).all()
    spot = run.market.quote("NIFTY").last_price
    assert all(listing.strikes[0] < spot < listing.strikes[-1] for listing in new.chains("NIFTY"))


def test_a_long_step_over_an_expiry_goes_straight_to_the_new_listing() -> None:
    run = live(ist(23, 15))
    run.step(3 * HOUR_MS)
    assert run.market.universe.listing("NIFTY").expiry.day == datetime.date(2026, 12, 1)
    assert run.market.universe is run.source.universe


def test_settled_contracts_are_shown_at_the_instant_of_their_expiry_alone() -> None:
    run = live(ist(23, 15, 39, 45))
    run.step(15_000)
    assert np.isnan(run.market.legs(run.market.universe.listing("NIFTY"))["ask"]).all()
    run.step(15_000)
    assert run.market.universe.listing("NIFTY").expiry.day == datetime.date(2026, 12, 1)
    assert run.source.advance(run.now_ms) is None


def test_strikes_are_added_when_the_spot_moved_and_none_is_taken_away() -> None:
    run = live(ist(25, 15), scenario="crash")
    before = run.market.universe.listing("BANKNIFTY")
    spot = run.market.quote("BANKNIFTY").last_price
    run.step(61_000, 30)
    run.step(30 * MINUTE_MS, 2)
    after = run.market.universe.find(before.key)
    assert run.market.quote("BANKNIFTY").last_price < 0.97 * spot
    assert after is not None
    assert np.isin(before.strikes, after.strikes).all()
    assert len(after.strikes) > len(before.strikes)
    assert after.strikes[0] < before.strikes[0]


def test_a_commodity_goes_over_to_the_next_future_when_its_options_expire() -> None:
    run = live(ist(16, 23, 54, 59, month=12))
    row = run.market.universe.row_of["CRUDEOIL"]
    run.step(1_000)
    last = float(run.market.underlyings["last_price"][row])
    run.step(500)
    now = run.market.quote("CRUDEOIL")
    # a month of carry at 4.5 % a year
    assert 1.002 < now.last_price / last < 1.007
    assert now.previous_close / last == pytest.approx(now.last_price / last, rel=0.002)


def test_a_holiday_declared_later_moves_the_next_open(tmp_path) -> None:
    override = tmp_path / "override.toml"
    calendar = Calendar.load(override=override)
    run = LiveMarket.at(calendar, Catalogue.load(calendar), ist(24, 20), seed=3, hours="exchange")
    override.write_text('[holidays.equity]\n2026-11-25 = "Declared late"\n')
    calendar.reload()
    run.step(500)
    before = run.market.quote("NIFTY").last_price
    run.step(HOUR_MS, 18)
    assert run.market.quote("NIFTY").last_price == before
    run.step(HOUR_MS, 24)
    assert run.market.quote("NIFTY").last_price != before


# Starts


@pytest.mark.parametrize("hours", ["always", "exchange"])
@pytest.mark.parametrize("when", [ist(23, 11, 7), ist(25, 9, 16), ist(26, 15, 37), ist(24, 19)])
def test_the_day_so_far_agrees_with_its_minutes(hours: str, when: datetime.datetime) -> None:
    run = live(when, hours=hours)
    for symbol in ("NIFTY", "RELIANCE", "CRUDEOIL", "GOLDM"):
        daily = run.source.daily_candles(symbol, 1)
        bars = run.source.minute_candles(symbol, 1)
        exchange = CATALOGUE[symbol].derivatives_exchange
        yesterday = session_day(CALENDAR, exchange, to_datetime(int(daily["time_ms"][0])))
        today = bars["time_ms"] >= to_ms(CALENDAR.session(exchange, yesterday).close)
        quote = run.market.quote(symbol)
        assert quote.previous_close == daily["close"][0] or hours == "exchange"
        if not today.any():
            continue
        assert quote.open == bars["open"][today][0]
        assert quote.high == bars["high"][today].max()
        assert quote.low == bars["low"][today].min()
        assert quote.volume == bars["volume"][today].sum()
        assert quote.last_price == bars["close"][-1]
        assert bars["time_ms"][-1] == to_ms(when) - MINUTE_MS


def test_contracts_of_a_day_in_course_have_traded() -> None:
    morning, afternoon = live(ist(25, 9, 20)), live(ist(25, 15))
    volumes = [
        run.market.legs(run.market.universe.listing("NIFTY"))["volume"].sum() for run in (morning, afternoon)
    ]
    assert 0 < volumes[0] < volumes[1] / 5


def nbytes(thing: object, seen: set[int]) -> int:
    """Bytes of all arrays that an object holds, each once."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.nbytes if thing.base is None else nbytes(thing.base, seen)
    if isinstance(thing, dict):
        return sum(nbytes(part, seen) for part in thing.values())
    if isinstance(thing, (list, tuple)):
        return sum(nbytes(part, seen) for part in thing)
    names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
    return sum(nbytes(getattr(thing, name, None), seen) for name in names)


def test_arrays_stay_within_their_budget() -> None:
    run = live(ist(22, 20))
    for underlying in run.market.universe.underlyings:
        run.source.daily_candles(underlying.symbol, 500)
    kept = run.source.start.backfill.block.cache_info().currsize
    blocks = (run.source.start.backfill.block(group, n) for group in (0, 1) for n in range(kept // 2))
    size = nbytes((run.source, run.market, *blocks), set())
    assert 5e6 < size < 120e6
