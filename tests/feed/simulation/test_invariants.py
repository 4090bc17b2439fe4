"""The invariants at every tick: all underlyings, scenarios and hours, through rolls and expiries."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.market.statistics import LiveMarket
from domain.instants import IST, to_datetime
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from tests.feed.simulation.invariants import DayWatch, check_all, check_chains, check_quotes
from tests.processes import FEW_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=FEW_SYMBOLS)
SCENARIOS = SimulatedSource.SCENARIOS
MONTH_START = datetime.datetime(2026, 11, 20, tzinfo=IST)

# from a tick to a night, as a sandbox at speed or a gap has them
step_plans = st.lists(
    st.tuples(
        st.sampled_from([100, 500, 1_000, 7_000, 20_000, 300_000, 3_600_000, 30_000_000]), st.integers(1, 3)
    ),
    min_size=2,
    max_size=5,
)


def run_checked(
    when: datetime.datetime, plan: list[tuple[int, int]], *, seed: int, hours: str, scenario: str
) -> LiveMarket:
    """Run a plan of (step, count), checking everything after each step."""
    run = LiveMarket.at(CALENDAR, CATALOGUE, when, seed=seed, hours=hours)
    watch = DayWatch(CALENDAR, hours)
    check_all(run.market, run.now_ms, watch)
    run.source.set_scenario(scenario, run.now_ms)
    for step_ms, count in plan:
        for _ in range(count):
            run.step(step_ms)
            check_all(run.market, run.now_ms, watch)
    return run


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    minutes=st.integers(0, 6 * 24 * 60),
    plan=step_plans,
    seed=st.integers(0, 2**32),
    hours=st.sampled_from(["always", "exchange"]),
    scenario=st.sampled_from(SCENARIOS),
)
def test_invariants_hold_whenever_and_however_the_market_is_advanced(
    minutes: int, plan: list[tuple[int, int]], seed: int, hours: str, scenario: str
) -> None:
    when = MONTH_START + datetime.timedelta(minutes=minutes)
    run_checked(when, plan, seed=seed, hours=hours, scenario=scenario)


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_invariants_hold_tick_by_tick_through_an_expiry_and_the_roll(hours: str) -> None:
    when = datetime.datetime(2026, 11, 23, 15, 37, 50, tzinfo=IST)
    run = run_checked(
        when, [(61_000, 2), (500, 20), (15_000, 2), (500, 20)], seed=21, hours=hours, scenario="calm"
    )
    assert to_datetime(run.now_ms) > datetime.datetime(2026, 11, 23, 15, 40, tzinfo=IST)
    assert run.market.universe.listing("NIFTY").expiry.day == datetime.date(2026, 12, 1)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_invariants_hold_in_every_scenario_across_an_open(scenario: str) -> None:
    when = datetime.datetime(2026, 11, 25, 9, 14, tzinfo=IST)
    plan = [(10_000, 7), (61_000, 12), (600_000, 4)]
    run_checked(when, plan, seed=31, hours="always", scenario=scenario)


@pytest.mark.nightly
@pytest.mark.parametrize("hours", ["always", "exchange"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_invariants_hold_for_weeks(scenario: str, hours: str) -> None:
    when = datetime.datetime(2026, 11, 19, 9, 0, tzinfo=IST)
    # two weeks with the monthly expiry, a holiday, a weekly one and those of commodities
    plan = [(500, 60), (60_000, 200), (1_800_000, 14 * 48)]
    run_checked(when, plan, seed=41, hours=hours, scenario=scenario)


@pytest.mark.nightly
def test_invariants_hold_at_every_tick_of_the_last_hour_of_contracts() -> None:
    when = datetime.datetime(2026, 11, 23, 14, 40, tzinfo=IST)
    run = LiveMarket.at(CALENDAR, CATALOGUE, when, seed=51, hours="exchange")
    watch = DayWatch(CALENDAR, "exchange")
    for tick in range(2 * 60 * 62):
        run.step(500)
        check_quotes(run.market)
        watch.check(run.market, run.now_ms)
        if tick % 40 == 0:
            check_chains(run.market, run.now_ms)


def test_related_indices_stay_coherent_over_a_year() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, datetime.datetime(2026, 11, 23, 12, tzinfo=IST), seed=61)
    nifty, sensex, gold, mini = (
        run.source.daily_candles(symbol, 250)["close"] for symbol in ("NIFTY", "SENSEX", "GOLD", "GOLDM")
    )
    ratio = np.log(sensex / nifty)
    assert np.abs(np.diff(ratio)).max() < 0.01
    assert np.ptp(ratio) < 0.08
    spread = np.log(mini / gold)
    assert np.ptp(spread) < 0.002


def spoil_quotes(table: dict[str, np.ndarray], rows: np.ndarray) -> None:
    """A book a hundred rupees too high: it can be sold against its neighbours."""
    table["bid"][rows] += 100.0
    table["ask"][rows] += 100.0


def spoil_middle(table: dict[str, np.ndarray], rows: np.ndarray) -> None:
    """A bid of one tick: no trade gains from it, but the mids make no chain."""
    table["bid"][rows] = 0.05


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_quotes, "executable parity"),
        (spoil_middle, "order|steep|convex|intrinsic"),
        (lambda table, rows: table["bid"].__setitem__(rows, table["ask"][rows]), "below its ask"),
        (lambda table, rows: table["ask"].__setitem__(rows, table["ask"][rows] + 0.03), "tick grid"),
        (lambda table, rows: table["open_interest"].__setitem__(rows, 1e9), "at most one"),
        (lambda table, rows: table["high"].__setitem__(rows, 0.05), "day's high"),
        (lambda table, rows: table["volume"].__setitem__(rows, 1e8 + 0.5), None),
    ],
)
def test_the_checks_notice_what_they_are_for(spoil: Callable, message: str | None) -> None:
    """A checker that passes everything would be worth nothing."""
    when = datetime.datetime(2026, 11, 25, 12, tzinfo=IST)
    run = LiveMarket.at(CALENDAR, CATALOGUE, when, seed=71)
    listing = run.market.universe.listing("NIFTY")
    middle = int(np.argmin(np.abs(run.moneyness(listing)))) + listing.rows.start
    # every third contract near the money, so that neighbours disagree
    spoil(run.market.contracts, np.arange(middle - 9, middle + 10, 3))
    with pytest.raises(AssertionError, match=message):
        check_all(run.market, run.now_ms)
