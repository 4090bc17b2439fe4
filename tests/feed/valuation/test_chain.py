"""What a chain says of recorded prices: in the last minute of a contract, in any order of strikes."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics import black76
from domain.instants import IST
from feed.market.market import Market
from feed.recordings.reading import FrontDoor, Options
from feed.replay.source import ReplaySource
from feed.valuation.chain import NO_ATM, nearest_strike, value_chain
from tests.feed.history.support import CALENDAR, CATALOGUE

EXPIRY = date(2026, 8, 11)
CLOSE = CALENDAR.expiry_instant("NFO", EXPIRY)
SPOT, RATE, VOLATILITY = 24_312.4, 0.065, 0.6
STRIKES = np.arange(24_250.0, 24_400.0, 50.0)
COLUMNS = "timestamp,symbol,expiry,strike,option_type,bid,ask,oi,spot"


def replayed(path: Path) -> Market:
    recording = FrontDoor(CATALOGUE, CALENDAR, Options()).recording(path)
    source = ReplaySource(recording.frames, catalogue=CATALOGUE, calendar=CALENDAR)
    market = Market(source.universe, source="replay", epoch="x", interest_rate=RATE, stale_after_s=9e9)
    market.apply(source.advance(source.end_ms))
    return market


def quotes(at: datetime, years: float) -> list[str]:
    """Rows of a chain that is worth Black's formula at one volatility, to the last digit."""
    stamp = at.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")
    discount = float(np.exp(-RATE * years))
    lines = [COLUMNS]
    for side, is_call in (("CE", True), ("PE", False)):
        worth = black76.price(SPOT, STRIKES, years, VOLATILITY, is_call, discount)
        for strike, price in zip(STRIKES, worth, strict=True):
            lines.append(f"{stamp},NIFTY,{EXPIRY},{strike:g},{side},{price},{price},10,{SPOT}")
    return lines


@pytest.mark.parametrize("seconds", [1, 5, 30, 59, 61, 3600])
def test_volatility_and_greeks_share_one_time_to_the_last_second(tmp_path: Path, seconds: int) -> None:
    years = seconds / (365 * 86_400)
    path = tmp_path / "last.csv"
    path.write_text("\n".join(quotes(CLOSE - timedelta(seconds=seconds), years)), encoding="utf-8")
    market = replayed(path)
    chain = value_chain(market, market.universe.listing("NIFTY", EXPIRY))
    assert chain.time_to_expiry == pytest.approx(years)
    is_call = np.array([[True], [False]])
    expected = black76.greeks(
        chain.parity.forward,
        STRIKES,
        years,
        chain.strike_volatility,
        is_call,
        float(np.exp(-RATE * years)),
        RATE,
    )
    assert chain.greeks.vega == pytest.approx(expected.vega, nan_ok=True)
    assert chain.greeks.theta == pytest.approx(expected.theta, nan_ok=True)
    assert chain.greeks.delta == pytest.approx(expected.delta, abs=1e-4, nan_ok=True)
    solved = np.isfinite(chain.strike_volatility)
    assert solved.any()
    assert chain.strike_volatility[solved] == pytest.approx(VOLATILITY, rel=1e-3)


@pytest.mark.parametrize(
    ("strikes", "spot", "nearest"),
    [
        ([100, 110, 120], 111.0, 1),
        ([120, 100, 110], 111.0, 2),
        ([120, 100, 110], 105.0, 1),  # a tie: the lower strike, wherever it stands
        ([110, 100], 105.0, 1),
        ([-10, 0, 10], -12.5, 0),
        ([], 100.0, NO_ATM),
        ([100], float("nan"), NO_ATM),
    ],
)
def test_nearest_strike_does_not_depend_on_their_order(
    strikes: list[float], spot: float, nearest: int
) -> None:
    assert nearest_strike(np.array(strikes, dtype=float), spot) == nearest
