"""A simulated market goes through a split: prices, strikes and lots of more shares, and the same value."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from domain.instants import IST, MINUTE_MS, to_ms
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource

CALENDAR = Calendar.load()


def run_through(symbol: str, start: datetime, minutes: int, hours: str):
    """The market before and after, and the update at which the universe changed."""
    catalogue = Catalogue.load(CALENDAR, symbols=["NIFTY", "BANKNIFTY", symbol])
    source = SimulatedSource(catalogue, CALENDAR, seed=5, start_ms=to_ms(start), hours=hours)
    market = Market(source.universe, source="simulated", epoch="e", interest_rate=0.065, stale_after_s=60)
    now_ms = to_ms(start)
    market.apply(source.advance(now_ms))
    seen = []
    for _ in range(minutes // 10):
        now_ms += 10 * MINUTE_MS
        update = source.advance(now_ms)
        if update is not None:
            market.apply(update)
        row = market.universe.row_of[symbol]
        listing = market.universe.listing(symbol)
        legs = {name: values.copy() for name, values in market.legs(listing).items()}
        spot = {name: float(values[row]) for name, values in market.underlyings.items()}
        seen.append((now_ms, spot, listing, legs))
    return seen


@pytest.mark.parametrize("hours", ["always", "exchange"])
@pytest.mark.parametrize(
    ("symbol", "last_day", "factor", "lots"),
    [
        ("KOTAKBANK", datetime(2026, 1, 13, 15, 20, tzinfo=IST), 5.0, (400, 2000)),
        ("MOTHERSON", datetime(2025, 7, 17, 15, 20, tzinfo=IST), 1.5, (4100, 6150)),
    ],
)
def test_split_changes_the_count_of_shares_and_nothing_else(symbol, last_day, factor, lots, hours) -> None:
    minutes = 8 * 60 + 50 if hours == "always" else 18 * 60 + 20
    seen = run_through(symbol, last_day, minutes, hours)
    at = next(n for n in range(1, len(seen)) if seen[n][1]["last_price"] < 0.8 * seen[n - 1][1]["last_price"])
    (_, before, old, _), (_, after, new, legs) = seen[at - 1], seen[at]
    assert after["last_price"] == pytest.approx(before["last_price"] / factor, rel=0.03)
    assert after["previous_close"] == pytest.approx(before["previous_close"] / factor, rel=1e-3)
    assert (old.expiry.lot_size, new.expiry.lot_size) == lots
    assert old.expiry.day == new.expiry.day
    adjusted = np.round(np.rint(20 * old.strikes / factor) / 20, 2)
    assert np.isin(adjusted, new.strikes).all()
    # what was held is held on, under the strike it became
    places = np.searchsorted(new.strikes, adjusted)
    held = seen[at - 1][3]["open_interest"]
    assert legs["open_interest"][:, places].sum() == pytest.approx(held.sum(), rel=0.05)
    later = seen[-1][3]
    two_sided = np.isfinite(later["bid"]) & np.isfinite(later["ask"])
    assert two_sided.mean() > 0.3
    assert (later["bid"][two_sided] < later["ask"][two_sided]).all()


def test_start_before_a_split_is_at_the_price_of_the_shares_there_were() -> None:
    catalogue = Catalogue.load(CALENDAR, symbols=["KOTAKBANK"])
    reference = catalogue["KOTAKBANK"].reference_price

    def close(day: int) -> float:
        at = to_ms(datetime(2026, 1, day, 9, 20, tzinfo=IST))
        source = SimulatedSource(catalogue, CALENDAR, seed=5, start_ms=at, hours="exchange")
        return float(source.advance(at).underlyings["previous_close"][0])

    assert close(13) == pytest.approx(5 * reference, rel=1e-3)
    assert close(14) == pytest.approx(reference, rel=1e-3)


def test_past_of_a_share_is_as_it_was_traded() -> None:
    catalogue = Catalogue.load(CALENDAR, symbols=["KOTAKBANK"])
    at = to_ms(datetime(2026, 1, 20, 10, tzinfo=IST))
    source = SimulatedSource(catalogue, CALENDAR, seed=5, start_ms=at, hours="exchange")
    days = source.daily_candles("KOTAKBANK", 10)
    ex_ms = to_ms(datetime(2026, 1, 14, tzinfo=IST))
    before, after = (days["close"][days["time_ms"] < ex_ms], days["close"][days["time_ms"] >= ex_ms])
    assert before[-1] / after[0] == pytest.approx(5.0, rel=0.1)
    minutes = source.minute_candles("KOTAKBANK", 10)
    last = minutes["close"][minutes["time_ms"] < ex_ms][-1]
    assert last == before[-1]
