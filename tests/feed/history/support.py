"""What the tests of history share: a small market, tapes of it, and a slow reference of the candle rule."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from domain.instants import MINUTE_MS, to_ms
from feed.history.history import History
from feed.market.candles import Candles
from feed.market.market import Market
from feed.market.source import CONTRACT_FIELDS, Update
from feed.market.universe import Universe
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, Expiry, Underlying
from tests.processes import FEW_SYMBOLS

T = TypeVar("T")

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=FEW_SYMBOLS)
NEAR, FAR = date(2026, 12, 1), date(2026, 12, 29)
STRIKES = np.array([22400.0, 22450.0, 22500.0, 22550.0, 22600.0])
SYMBOLS = ("NIFTY", "RELIANCE", "CRUDEOIL")
RECORDED = Path(__file__).parents[4] / "shared" / "domain" / "data"


def at(text: str) -> int:
    """An instant in India, ``2026-11-25 09:15``, in milliseconds."""
    return to_ms(datetime.fromisoformat(text + "+05:30").astimezone(UTC))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def listing(symbol: str, day: date, strikes: np.ndarray, first_token: int) -> Any:
    expiry = Expiry(day, "weekly", CALENDAR.expiry_instant("NFO", day), 65)
    return symbol, expiry, strikes, np.arange(first_token, first_token + 2 * len(strikes), dtype=np.int64)


def universe(*chains: Any, symbols: Sequence[str] = SYMBOLS) -> Universe:
    """A few underlyings, with two NIFTY chains unless others are given."""
    underlyings: list[Underlying] = [CATALOGUE[symbol] for symbol in symbols]
    listed = chains or (
        listing("NIFTY", NEAR, STRIKES, 1000),
        listing("NIFTY", FAR, STRIKES[1:], 2000),
    )
    return Universe(underlyings, listed)


def market(of: Universe | None = None, source: str = "simulated") -> Market:
    return Market(of or universe(), source=source, epoch="test", interest_rate=0.065, stale_after_s=10.0)


@dataclass
class Tape:
    """Drives a market through published states and keeps what was published."""

    history: History
    market: Market
    seed: int = 1

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        of = self.market.universe
        self.price = np.array([22500.0, 1335.0, 8552.0])[: len(of.underlyings)]
        self.volume = np.zeros(len(of.underlyings))
        count = of.contract_count
        self.contracts = {name: np.full(count, np.nan) for name in CONTRACT_FIELDS}
        self.contracts["last_price"] = np.round(self.rng.uniform(5, 400, count) * 20) / 20
        self.contracts["volume"] = np.zeros(count)
        self.contracts["open_interest"] = np.round(self.rng.uniform(0, 5e4, count) * 2) / 2
        self.contracts["previous_open_interest"] = self.contracts["open_interest"] - 100
        self.contracts["previous_close"] = self.contracts["last_price"] + 1
        self.published: list[tuple[int, np.ndarray, np.ndarray]] = []
        self.legs: list[tuple[int, dict[str, np.ndarray]]] = []
        self.closed: list[Any] = []

    def step(self, now_ms: int) -> None:
        """Move every price, publish and record."""
        rng, of = self.rng, self.market.universe
        self.price = np.round(self.price * (1 + rng.normal(0, 2e-4, len(self.price))), 2)
        self.volume = self.volume + rng.integers(0, 500, len(self.volume))
        legs = self.contracts
        traded = rng.random(of.contract_count) < 0.4
        moved = np.maximum(0.05, np.round((legs["last_price"] + rng.normal(0, 2, len(traded))) * 20) / 20)
        legs["last_price"] = np.where(traded, moved, legs["last_price"])
        legs["volume"] = legs["volume"] + np.where(traded, rng.integers(1, 50, len(traded)), 0)
        change = np.where(traded, rng.integers(-20, 20, len(traded)), 0)
        legs["open_interest"] = np.maximum(0, legs["open_interest"] + change)
        legs["bid"] = np.where(rng.random(len(traded)) < 0.1, np.nan, legs["last_price"] - 0.05)
        legs["ask"] = legs["last_price"] + 0.1
        for name, pick in (("open", np.fmax), ("high", np.fmax), ("low", np.fmin)):
            legs[name] = pick(legs[name], legs["last_price"])
        self.publish(now_ms)

    def publish(self, now_ms: int) -> None:
        """Record the state as it is."""
        fields = {"last_price": self.price, "volume": self.volume}
        self.market.apply(Update(now_ms, fields, {k: v.copy() for k, v in self.contracts.items()}))
        self.market.publish(now_ms)
        self.closed += self.history.record(self.market, now_ms)
        self.published.append((now_ms, self.price.copy(), self.volume.copy()))
        self.legs.append((now_ms, {name: values.copy() for name, values in self.contracts.items()}))

    def run(self, start_ms: int, minutes: float, every_ms: int = 20_000) -> int:
        """Step through some minutes; returns the instant after them."""
        end_ms = start_ms + round(minutes * MINUTE_MS)
        for now_ms in range(start_ms, end_ms, every_ms):
            self.step(now_ms)
        return end_ms


@dataclass
class Bar:
    """A candle of the reference."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def reference(
    ticks: Sequence[tuple[int, float, float]], label_of: Any, starts: Sequence[int] = ()
) -> list[Bar]:
    """The candle rule, tick by tick: ``ticks`` are (time, price, day's volume) as published.

    At each of ``starts`` a server began, and published what it knew.
    """
    bars: list[Bar] = []
    last_price, last_volume = math.nan, math.nan
    for time_ms, price, volume in ticks:
        if math.isnan(price):
            continue
        if time_ms in starts:
            last_price = math.nan
        if price == last_price and (volume == last_volume or math.isnan(volume)):
            continue
        grown = volume - last_volume
        if grown < 0 or math.isnan(grown):  # of a new day all is new; before the first nothing is known
            grown = volume if grown < 0 else volume * 0
        last_price, last_volume = price, volume
        label = label_of(time_ms)
        if not bars or bars[-1].time_ms != label:
            bars.append(Bar(label, price, price, price, price, grown))
            continue
        bar = bars[-1]
        bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        bar.volume += grown
    return bars


def assert_equal_bars(candles: Candles, bars: Sequence[Bar]) -> None:
    assert candles.time_ms.tolist() == [bar.time_ms for bar in bars]
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(
            getattr(candles, name), [getattr(bar, name) for bar in bars], atol=0.005, err_msg=name
        )


def assert_same_candles(left: Candles, right: Candles) -> None:
    assert left.time_ms.tolist() == right.time_ms.tolist()
    for name in ("open", "high", "low", "close", "volume", "open_interest"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=0.005, err_msg=name)
