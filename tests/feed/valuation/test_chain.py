"""What a chain says of prices: in the last minute of a contract, alone and in a pass over the market."""

import struct
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics import black76
from analytics.segments import Segments
from domain.instants import IST
from feed.market.market import Market
from feed.recordings.reading import FrontDoor, Options
from feed.replay.source import ReplaySource
from feed.valuation.chain import (
    NO_ATM,
    Chain,
    at_the_money,
    chains_of,
    value_chain,
    value_listings,
    value_states,
)
from schemas.chains import ChainHeaderSchema, ProvenanceSchema, TotalsSchema, dump_headers
from schemas.wire import encode
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
        ([100, 110, 120], 105.0, 0),  # a tie: the lower strike
        ([-10, 0, 10], -12.5, 0),
        ([100], float("nan"), NO_ATM),
    ],
)
@pytest.mark.parametrize("others", [[], [7.0, 8.0]])
def test_at_the_money_is_the_strike_nearest_the_spot(
    strikes: list[float], spot: float, nearest: int, others: list[float]
) -> None:
    segments = Segments(np.array([len(others), len(strikes)][not others :]))
    flat = np.array([*others, *strikes], float)
    levels = np.array([1.0, spot][not others :])
    assert at_the_money(segments, flat, np.ones((2, len(flat))), levels)[-1] == nearest


def test_at_the_money_has_both_legs_known_if_any_strike_has() -> None:
    interest = np.array([[1.0, np.nan, 1.0], [1.0, 1.0, np.nan]])
    segments, strikes = Segments(np.array([3])), np.array([100.0, 110.0, 120.0])
    assert at_the_money(segments, strikes, interest, np.array([119.0]))[0] == 0
    assert at_the_money(segments, strikes, interest * np.nan, np.array([119.0]))[0] == 2


def test_listing_valued_alone_has_the_same_bits_as_in_the_pass(whole_market: Market) -> None:
    market = whole_market
    together = chains_of(market, value_listings(market, market.universe.listings))
    some = chains_of(market, value_listings(market, market.universe.listings[3::5]))
    for listings, chains in ((market.universe.listings, together), (market.universe.listings[3::5], some)):
        for listing, chain in zip(listings, chains, strict=True):
            alone = value_chain(market, listing)
            for name in Chain.__dataclass_fields__:
                assert bits_of(getattr(chain, name)) == bits_of(getattr(alone, name)), (listing.key, name)


def test_heads_of_a_pass_are_what_each_chain_says(whole_market: Market) -> None:
    valued, heads = value_states(whole_market, whole_market.universe.listings)
    schema = ChainHeaderSchema(exclude=tuple(TotalsSchema().fields))
    for chain, header in zip(chains_of(whole_market, valued), dump_headers(heads), strict=True):
        totals = TotalsSchema().dump({**chain.totals, "max_pain": chain.pain.strike})
        expected = {**schema.dump(chain), **totals, **ProvenanceSchema().dump(chain.provenance)}
        assert encode(header) == encode(expected)


def bits_of(value: object) -> object:
    """A value so that two are equal where every bit is."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack("d", value)
    if isinstance(value, dict):
        return {name: bits_of(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [bits_of(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return [bits_of(getattr(value, name)) for name in value.__dataclass_fields__]
    return value
