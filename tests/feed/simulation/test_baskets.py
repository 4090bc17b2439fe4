"""An index is the weighted sum of its constituents, at every instant."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from domain.instants import IST, MINUTE_MS, to_ms
from feed.reference.calendar import Calendar
from feed.reference.constituents import Constituents, index_constituents
from feed.reference.corporate_actions import corporate_actions
from feed.reference.instruments import Catalogue
from feed.simulation.baskets import Baskets
from feed.simulation.source import SimulatedSource

CATALOGUE = Catalogue.load(Calendar.load())
UNDERLYINGS = CATALOGUE.underlyings
ROW = {underlying.symbol: row for row, underlying in enumerate(UNDERLYINGS)}
TIED = {"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX"}
OF = {index: constituents for index, constituents in index_constituents().items() if index in TIED}
TEN = to_ms(datetime(2026, 11, 23, 10, tzinfo=IST))


def basis_points(price: np.ndarray, base: np.ndarray, row_of: dict[str, int] = ROW) -> dict[str, float]:
    """By how much the sum of its constituents is above each index, both against ``base``."""
    change = price / base
    return {
        index: 1e4
        * (
            sum(weight * change[row_of[symbol]] for symbol, weight in of.weights.items())
            / change[row_of[index]]
            - 1
        )
        for index, of in OF.items()
    }


@pytest.mark.parametrize("hours", ["always", "exchange"])
@pytest.mark.parametrize("step_ms", [500, 7 * MINUTE_MS, 180 * MINUTE_MS])
def test_index_is_the_sum_of_its_constituents_since_the_close_before(hours: str, step_ms: int) -> None:
    source = SimulatedSource(CATALOGUE, CATALOGUE.calendar, seed=7, start_ms=TEN, hours=hours)
    prices = source.advance(TEN).underlyings
    base = prices["previous_close"]
    for step in range(40):
        update = source.advance(TEN + step * step_ms)
        if update is not None:
            prices = update.underlyings
        assert max(map(abs, basis_points(prices["last_price"], base).values())) < 1.0


def test_minutes_before_the_start_are_sums_too() -> None:
    source = SimulatedSource(CATALOGUE, CATALOGUE.calendar, seed=7, start_ms=TEN, hours="exchange")
    closes = source.advance(TEN).underlyings["previous_close"]
    of_index = {index: source.minute_candles(index, 0)["close"] for index in TIED}
    minutes = len(of_index["NIFTY"])
    assert minutes == 45
    price = closes.copy()
    members = {symbol for of in OF.values() for symbol in of.weights}
    of_member = {symbol: source.minute_candles(symbol, 0)["close"] for symbol in members}
    for minute in range(minutes):
        for symbol, closed in (of_index | of_member).items():
            price[ROW[symbol]] = closed[minute]
        assert max(map(abs, basis_points(price, closes).values())) < 1.0


@pytest.mark.parametrize(("interval", "sessions"), [("daily", 300), ("minute", 2)])
def test_sessions_before_the_start_are_sums_too(interval: str, sessions: int) -> None:
    source = SimulatedSource(CATALOGUE, CATALOGUE.calendar, seed=7, start_ms=TEN, hours="exchange")
    members = {symbol for of in OF.values() for symbol in of.weights}
    today = datetime(2026, 11, 23, tzinfo=IST).date()
    closes = {}
    for symbol in TIED | members:
        bars = getattr(source, f"{interval}_candles")(symbol, sessions)
        times = bars["time_ms"].astype(np.int64)
        closes[symbol] = bars["close"] / corporate_actions().factors(symbol, times, today)
    prices = np.ones((len(closes["NIFTY"]), len(UNDERLYINGS)))
    for symbol, path in closes.items():
        prices[:, ROW[symbol]] = path
    base = source.advance(TEN).underlyings["previous_close"]
    assert len(prices) >= sessions
    for price in prices:
        assert max(map(abs, basis_points(price, base).values())) < 1.0


def test_index_of_the_past_is_as_volatile_as_it_is_meant_to_be() -> None:
    source = SimulatedSource(CATALOGUE, CATALOGUE.calendar, seed=7, start_ms=TEN, hours="exchange")
    spread = {}
    for index in TIED:
        returns = np.diff(np.log(source.daily_candles(index, 500)["close"]))
        spread[index] = returns.std() / CATALOGUE.underlyings[ROW[index]].annual_volatility
    # one slow volatility is behind all of them: that of the years drawn, which is no index's own
    assert max(spread.values()) / min(spread.values()) < 1.15


def test_index_whose_constituents_are_not_all_here_is_left_as_drawn() -> None:
    some = Catalogue.load(CATALOGUE.calendar, symbols=["NIFTY", "BANKNIFTY", *OF["BANKNIFTY"].weights])
    baskets = Baskets(some.underlyings, np.ones(len(some)), index_constituents())
    assert [some.underlyings[row].symbol for row in baskets.indices] == ["BANKNIFTY"]
    none = Baskets(some.underlyings[:1], np.ones(1), index_constituents())
    price = np.ones(1)
    none.tie(price, np.zeros(1))
    assert price.tolist() == [1.0]


@given(
    arrays(float, (3, len(UNDERLYINGS)), elements=st.floats(-0.4, 0.4)),
    st.integers(0, 2**32),
)
def test_whatever_is_drawn_the_indices_stay_and_the_shares_give_way(moves: np.ndarray, seed: int) -> None:
    variance = np.random.default_rng(seed).uniform(0.5, 2.0, len(UNDERLYINGS))
    base = np.log([underlying.reference_price for underlying in UNDERLYINGS])
    baskets = Baskets(UNDERLYINGS, variance, index_constituents())
    assert {UNDERLYINGS[row].symbol for row in baskets.indices} == TIED
    drawn = base + moves
    # indices that have nothing to do with each other are nobody's market: near to what the shares did
    for index, of in OF.items():
        share = sum(w * np.exp(moves[:, ROW[s]]) for s, w in of.weights.items())
        drawn[:, ROW[index]] = base[ROW[index]] + np.log(share) + 0.05 * moves[:, ROW[index]]
    tied = drawn.copy()
    baskets.tie(tied, base)
    others = np.setdiff1d(np.arange(len(UNDERLYINGS)), baskets.members)
    assert np.array_equal(tied[:, others], drawn[:, others])
    for row in tied:
        assert max(map(abs, basis_points(np.exp(row), np.exp(base)).values())) < 0.01


def test_share_without_noise_of_its_own_does_not_give_way() -> None:
    baskets = Baskets(
        [UNDERLYINGS[ROW[symbol]] for symbol in ("NIFTY", "TCS", "INFY")],
        np.array([0.0, 0.0, 4.0]),
        {"NIFTY": Constituents("NIFTY", datetime(2026, 4, 30, tzinfo=IST).date(), {"TCS": 0.5, "INFY": 0.5})},
    )
    price = np.array([0.02, 0.01, 0.01])
    baskets.tie(price, np.zeros(3))
    assert price[1] == 0.01
    assert np.exp(price[1:]).mean() == pytest.approx(np.exp(0.02))


def test_banks_move_with_their_index_more_than_others_do() -> None:
    source = SimulatedSource(CATALOGUE, CATALOGUE.calendar, seed=3, start_ms=TEN, hours="exchange")
    returns = {
        symbol: np.diff(np.log(source.daily_candles(symbol, 400)["close"]))
        for symbol in ("BANKNIFTY", "PNB", "YESBANK", "FEDERALBNK", "TCS", "ABB", "CIPLA")
    }
    with_banks = {name: np.corrcoef(r, returns["BANKNIFTY"])[0, 1] for name, r in returns.items()}
    assert min(with_banks[bank] for bank in ("PNB", "YESBANK", "FEDERALBNK")) > 0.55
    assert max(with_banks[other] for other in ("TCS", "ABB", "CIPLA")) < 0.5
