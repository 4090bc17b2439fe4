"""Candles before the start: consistent with each other, with the calendar and with the live path."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.market.statistics import autocorrelation, excess_kurtosis
from domain.instants import IST, to_datetime, to_ms
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from feed.valuation.dashboard import UnderlyingVolatilities
from tests.processes import FEW_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=(*FEW_SYMBOLS, "HDFCBANK", "JIOFIN"))
START_MS = to_ms(datetime.datetime(2026, 11, 22, 20, tzinfo=IST))
SYMBOLS = ("NIFTY", "SENSEX", "HDFCBANK", "JIOFIN", "CRUDEOIL", "GOLDM", "ZINC")


@pytest.fixture(scope="module")
def source() -> SimulatedSource:
    return SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=START_MS)


def by_session(symbol: str, bars: dict[str, np.ndarray]) -> dict[datetime.date, np.ndarray]:
    """Places of the minutes of each session; minutes outside of sessions are left out."""
    exchange = CATALOGUE[symbol].derivatives_exchange
    places: dict[datetime.date, list[int]] = {}
    for place, time_ms in enumerate(bars["time_ms"].tolist()):
        at = to_datetime(time_ms)
        session = CALENDAR.session(exchange, at.astimezone(IST).date())
        if session is not None and session.open <= at < session.close:
            places.setdefault(session.day, []).append(place)
    return {day: np.array(rows) for day, rows in places.items()}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_daily_bars_are_the_minutes_of_their_session(source: SimulatedSource, symbol: str) -> None:
    minutes, days = source.minute_candles(symbol, 40), source.daily_candles(symbol, 40)
    sessions = by_session(symbol, minutes)
    assert len(sessions) == len(days["time_ms"]) == 40
    for row, (day, places) in enumerate(sessions.items()):
        session = CALENDAR.session(CATALOGUE[symbol].derivatives_exchange, day)
        assert days["time_ms"][row] == to_ms(session.open)
        assert len(places) == (session.close - session.open) / datetime.timedelta(minutes=1)
        assert days["open"][row] == minutes["open"][places[0]]
        assert days["high"][row] == minutes["high"][places].max()
        assert days["low"][row] == minutes["low"][places].min()
        assert days["close"][row] == minutes["close"][places[-1]]
        assert days["volume"][row] == minutes["volume"][places].sum()


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_bars_are_whole_and_on_the_tick_grid(source: SimulatedSource, symbol: str) -> None:
    bars = source.minute_candles(symbol, 5)
    tick = CATALOGUE[symbol].spot_tick_size
    assert (np.diff(bars["time_ms"]) > 0).all()
    assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    for name in ("open", "high", "low", "close"):
        np.testing.assert_allclose(np.rint(bars[name] / tick) * tick, bars[name], rtol=1e-12)
    assert np.array_equal(bars["volume"], np.rint(bars["volume"]))
    assert (bars["volume"] >= 0).all()


def test_the_path_leads_into_the_live_day(source: SimulatedSource) -> None:
    quotes = source.advance(START_MS)
    assert quotes is not None
    for row, underlying in enumerate(CATALOGUE.underlyings):
        days = source.daily_candles(underlying.symbol, 1)
        assert days["close"][-1] == quotes.underlyings["previous_close"][row] == underlying.reference_price


@pytest.fixture(scope="module")
def twin() -> SimulatedSource:
    """Another source of the same seed, asked for other things before."""
    return SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=START_MS)


@settings(max_examples=15, deadline=None)
@given(sessions=st.integers(0, 75), symbol=st.sampled_from(SYMBOLS))
def test_a_shorter_request_is_the_end_of_a_longer_one(
    source: SimulatedSource, twin: SimulatedSource, sessions: int, symbol: str
) -> None:
    long = source.daily_candles(symbol, 80)
    short = twin.daily_candles(symbol, sessions)
    for name, values in short.items():
        assert np.array_equal(values, long[name][80 - sessions :], equal_nan=True)


def test_two_years_have_the_figures_of_the_live_path(source: SimulatedSource) -> None:
    days = {symbol: source.daily_candles(symbol, 500) for symbol in ("NIFTY", "BANKNIFTY", "SENSEX", "TCS")}
    returns = {symbol: np.diff(np.log(bars["close"])) for symbol, bars in days.items()}
    annual = {symbol: values.std() * np.sqrt(250) for symbol, values in returns.items()}
    assert 0.09 < annual["NIFTY"] < 0.18
    assert 0.20 < annual["TCS"] < 0.41
    assert np.corrcoef(returns["NIFTY"], returns["BANKNIFTY"])[0, 1] == pytest.approx(0.83, abs=0.06)
    assert np.corrcoef(returns["NIFTY"], returns["SENSEX"])[0, 1] > 0.98
    gaps = np.log(days["NIFTY"]["open"][1:] / days["NIFTY"]["close"][:-1])
    assert 0.2 < gaps.var() / returns["NIFTY"].var() < 0.45
    reach = np.log(days["NIFTY"]["high"] / days["NIFTY"]["low"])
    assert 0.006 < np.median(reach) < 0.0115


def test_minutes_cluster_and_have_fat_tails(source: SimulatedSource) -> None:
    minutes = source.minute_candles("NIFTY", 250)
    sessions = by_session("NIFTY", minutes)
    close = [np.log(minutes["close"][places]) for places in sessions.values()]
    returns = np.concatenate([np.diff(values) for values in close])
    assert excess_kurtosis(returns) > 10
    assert abs(autocorrelation(returns, 1)) < 0.03
    # the first minute of a session has no return here, so this is a little less than the whole
    assert 0.12 < autocorrelation(np.abs(returns), 1) < 0.5
    full = [places[:375] for places in sessions.values() if len(places) >= 375]
    volumes = minutes["volume"][np.array(full)].mean(axis=0)
    assert volumes[:15].mean() > 2 * volumes[150:240].mean()
    assert volumes[345:360].mean() > 1.4 * volumes[150:240].mean()


def test_special_sessions_have_bars_too(source: SimulatedSource) -> None:
    days = source.daily_candles("NIFTY", 20)
    muhurat = to_ms(CALENDAR.session("NFO", datetime.date(2026, 11, 8)).open)
    assert muhurat in days["time_ms"].tolist()
    row = days["time_ms"].tolist().index(muhurat)
    assert 0 < days["volume"][row] < np.median(days["volume"])


def test_volatilities_of_past_sessions_are_those_of_the_seed(
    source: SimulatedSource, twin: SimulatedSource
) -> None:
    for symbol in SYMBOLS:
        long, short = source.session_volatilities(symbol, 252), twin.session_volatilities(symbol, 20)
        days = source.daily_candles(symbol, 20)
        assert short["time_ms"].tolist() == days["time_ms"].tolist()
        for name, values in short.items():
            np.testing.assert_allclose(values, long[name][-20:], rtol=1e-12)
    other = SimulatedSource(CATALOGUE, CALENDAR, seed=6, start_ms=START_MS)
    assert not np.array_equal(
        other.session_volatilities("NIFTY", 20)["atm_iv"], source.session_volatilities("NIFTY", 20)["atm_iv"]
    )


def test_volatilities_of_past_sessions_move_as_implied_volatility_does(source: SimulatedSource) -> None:
    of = {symbol: np.log(source.session_volatilities(symbol, 500)["atm_iv"]) for symbol in SYMBOLS}
    for symbol, level in of.items():
        assert np.isfinite(level).all(), symbol
        assert 0.08 < level.std() < 0.40, symbol
        assert 0.85 < autocorrelation(level, 1) < 1.0, symbol
        usual = 0.96 * CATALOGUE[symbol].annual_volatility
        assert np.exp(level).mean() == pytest.approx(usual, rel=0.35), symbol
    # volatility rises when the price falls
    returns = np.diff(np.log(source.daily_candles("NIFTY", 500)["close"]))
    assert np.corrcoef(returns, np.diff(of["NIFTY"]))[0, 1] < -0.3


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_volatility_goes_from_the_past_into_the_live_market_without_a_jump(hours: str) -> None:
    """A minute before a session ends the live market says what is told of that session a minute later."""
    before_ms = to_ms(datetime.datetime(2026, 11, 20, 15, 39, tzinfo=IST))
    live = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=before_ms, hours=hours)
    after = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=before_ms + 120_000, hours=hours)
    market = Market(live.universe, source="simulated", epoch="e", interest_rate=0.065, stale_after_s=10)
    market.apply(live.advance(before_ms))
    volatilities = UnderlyingVolatilities(market)
    for underlying in CATALOGUE.underlyings:
        if underlying.kind == "commodity":
            continue  # their session goes on
        told = after.session_volatilities(underlying.symbol, 1)
        assert to_datetime(int(told["time_ms"][0])).date() == datetime.date(2026, 11, 20)
        seen = volatilities.of(underlying.symbol).near_month
        assert told["atm_iv"][0] == pytest.approx(seen, rel=0.025), underlying.symbol
