"""What each scenario does to the market that a reader sees."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from bench.market.statistics import LiveMarket, smile
from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.scenarios import SCENARIOS, ScenarioState, find
from feed.simulation.source import SimulatedSource
from feed.valuation.chain import value_chain
from tests.processes import SOME_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=SOME_SYMBOLS)
MORNING = datetime.datetime(2026, 11, 25, 10, tzinfo=IST)
SECOND_MS, MINUTE_MS = 1_000, 60_000
LONG_MS = 61 * SECOND_MS  # taken at once: what a test only waits for is not walked half a second at a time


def run_through(scenario: str, minutes: int, *, seed: int = 8, step_ms: int = 2 * MINUTE_MS) -> LiveMarket:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=seed)
    run.source.set_scenario(scenario, run.now_ms)
    run.step(step_ms, minutes * MINUTE_MS // step_ms)
    return run


def move(run: LiveMarket, symbol: str = "NIFTY") -> float:
    quote = run.market.quote(symbol)
    return quote.last_price / quote.previous_close - 1


def volatility(run: LiveMarket) -> float:
    return smile(run, run.market.universe.chains("NIFTY")[1]).at_the_money


def basis(run: LiveMarket) -> float:
    """How far the forward that options see is above the spot, as a part of it."""
    return (
        value_chain(run.market, run.market.universe.listing("NIFTY")).forward
        / run.market.quote("NIFTY").last_price
        - 1
    )


@pytest.fixture(scope="module")
def calm() -> LiveMarket:
    return run_through("calm", 90)


def test_every_scenario_is_offered_by_the_source() -> None:
    assert tuple(SCENARIOS) == SimulatedSource.SCENARIOS
    assert set(SCENARIOS) == {
        "calm",
        "trend_up",
        "trend_down",
        "crash",
        "rally",
        "vol_crush",
        "expiry_day",
        "gap_open",
        "illiquid",
        "circuit_halt",
    }


def test_the_scenario_in_force_is_named() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=1, scenario="rally")
    assert run.source.scenario == "rally"
    run.source.set_scenario("illiquid", run.now_ms)
    assert run.source.scenario == "illiquid"
    with pytest.raises(ValueError, match=r"scenario must be one of calm, .* was 'panic'"):
        run.source.set_scenario("panic", run.now_ms)
    assert run.source.scenario == "illiquid"


def test_crash_falls_together_and_lifts_volatility(calm: LiveMarket) -> None:
    run = run_through("crash", 90)
    for symbol in ("NIFTY", "BANKNIFTY", "SENSEX", "MIDCPNIFTY"):
        assert -0.12 < move(run, symbol) < -0.02
    assert volatility(run) > 1.5 * volatility(calm)
    assert abs(move(run, "GOLD")) < 0.05


def test_crash_comes_gradually() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=8)
    run.source.set_scenario("crash", run.now_ms)
    prices = []
    for _ in range(30):
        prices.append(run.market.quote("NIFTY").last_price)
        run.step(LONG_MS)
    assert np.abs(np.diff(np.log(prices))).max() < 0.015
    assert np.log(prices[-1] / prices[0]) < -0.02


def test_rally_rises() -> None:
    assert 0.015 < move(run_through("rally", 90)) < 0.07


def test_trends_go_their_ways() -> None:
    moves = {}
    for scenario in ("trend_up", "trend_down"):
        # of the same seed, so that chance is the same
        moves[scenario] = move(run_through(scenario, 300, step_ms=5 * MINUTE_MS))
    assert moves["trend_up"] - moves["trend_down"] > 0.008


def test_vol_crush_lowers_volatility(calm: LiveMarket) -> None:
    assert volatility(run_through("vol_crush", 90)) < 0.8 * volatility(calm)


def test_illiquid_books_are_wide_thin_and_often_empty(calm: LiveMarket) -> None:
    run = run_through("illiquid", 30)

    def book(market: LiveMarket) -> tuple[float, float, float, float]:
        contracts = market.market.contracts
        rows = market.market.universe.listing("NIFTY").rows
        spread = np.nanmedian((contracts["ask"] - contracts["bid"])[rows])
        size = np.median(contracts["ask_quantity"][rows])
        empty = np.isnan(contracts["bid"]).mean()
        before = contracts["volume"].sum()
        market.step(LONG_MS, 3)
        return spread, size, empty, market.market.contracts["volume"].sum() - before

    usual, thin = book(run_through("calm", 30)), book(run)
    assert thin[0] > 2 * usual[0]
    assert thin[1] < usual[1] / 2
    assert thin[2] > usual[2] + 0.05
    assert thin[3] < usual[3] / 4


def test_gap_open_waits_for_the_next_open() -> None:
    before_open = datetime.datetime(2026, 11, 25, 9, 13, tzinfo=IST)
    moves = {}
    for scenario in ("calm", "gap_open"):
        run = LiveMarket.at(CALENDAR, CATALOGUE, before_open, seed=9)
        run.source.set_scenario(scenario, run.now_ms)
        run.step(SECOND_MS, 119)
        quiet = run.market.quote("NIFTY").last_price
        run.step(SECOND_MS, 2)
        moves[scenario] = np.log(run.market.quote("NIFTY").last_price / quiet)
    assert moves["gap_open"] - moves["calm"] == pytest.approx(SCENARIOS["gap_open"].gap, abs=0.002)


def test_circuit_halt_stops_shares_and_not_commodities() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=8)
    run.source.set_scenario("circuit_halt", run.now_ms)
    while move(run) > -0.10:
        run.step(LONG_MS)
    tables = run.market.underlyings["last_price"].copy(), run.market.contracts["ask"].copy()
    run.step(2 * MINUTE_MS, 20)
    commodity = np.array([u.kind == "commodity" for u in run.market.universe.underlyings])
    moved = run.market.underlyings["last_price"] != tables[0]
    assert not moved[~commodity].any()
    assert moved[commodity].all()
    rows = commodity[run.market.universe.underlying_row]
    assert np.array_equal(run.market.contracts["ask"][~rows], tables[1][~rows])
    run.step(2 * MINUTE_MS, 5)
    assert (run.market.underlyings["last_price"] != tables[0])[~commodity].mean() > 0.9
    assert move(run) > -0.16


@pytest.mark.parametrize("jump_minutes", [46, 120, 600])
def test_long_step_over_a_halt_does_not_stand_still_to_its_end(jump_minutes: int) -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=8, hours="exchange")
    run.source.set_scenario("circuit_halt", run.now_ms)
    while move(run) > -0.10:
        run.step(LONG_MS)
    run.step(SECOND_MS)
    halted = run.market.quote("NIFTY").last_price
    run.step(jump_minutes * MINUTE_MS)
    assert run.market.quote("NIFTY").last_price != halted
    assert basis(run) == pytest.approx(0, abs=0.005)


def test_long_step_over_the_close_of_shares_takes_them_to_their_close() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=8, hours="exchange")
    run.source.set_scenario("rally", run.now_ms)
    run.step(10 * 60 * MINUTE_MS)
    assert move(run) > 0.02
    assert basis(run) == pytest.approx(0, abs=0.005)


def test_another_scenario_ends_a_halt() -> None:
    run = LiveMarket.at(CALENDAR, CATALOGUE, MORNING, seed=8)
    run.source.set_scenario("circuit_halt", run.now_ms)
    while move(run) > -0.10:
        run.step(LONG_MS)
    run.step(SECOND_MS)
    halted = run.market.quote("NIFTY").last_price
    run.step(SECOND_MS, 5)
    assert run.market.quote("NIFTY").last_price == halted
    run.source.set_scenario("calm", run.now_ms)
    run.step(SECOND_MS, 5)
    assert run.market.quote("NIFTY").last_price != halted


def test_expiry_day_draws_the_market_to_a_round_strike() -> None:
    def distance(scenario: str) -> float:
        ends = []
        for seed in range(4):
            run = run_through(scenario, 300, seed=seed, step_ms=10 * MINUTE_MS)
            price = run.market.quote("NIFTY").last_price
            ends.append(abs(price - round(price / 100) * 100))
        return float(np.mean(ends))

    assert distance("expiry_day") < 0.7 * distance("calm")


def test_effects_change_smoothly() -> None:
    state = ScenarioState("calm")
    state.choose("crash")
    volatilities, spreads = [], []
    for _ in range(240):
        effects = state.step(1 / 60, 1e-5, opens=False, log_price=10.0, strike_step=50.0)
        volatilities.append(effects.volatility)
        spreads.append(state.effect().spread)
    for values, target in ((volatilities, find("crash").volatility), (spreads, find("crash").spread)):
        assert (np.diff(values) > 0).all()
        assert values[0] < 1.05
        assert np.max(np.diff(np.log(values))) < 0.02
        assert values[-1] > 1 + 0.8 * (target - 1)


def test_a_move_is_made_once_and_wholly() -> None:
    state = ScenarioState("calm")
    state.choose("crash")
    moves = [
        state.step(1.0, 1e-3, opens=False, log_price=10.0, strike_step=50.0).market_move for _ in range(300)
    ]
    assert sum(moves) == pytest.approx(find("crash").move, rel=1e-4)
    assert abs(moves[-1]) < 1e-6
