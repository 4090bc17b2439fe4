"""A whole market with holes in it, to be valued in one pass and listing by listing."""

from datetime import UTC, datetime

import numpy as np
import pytest

from domain.instants import to_ms
from feed.market.market import Market
from feed.simulation.source import SimulatedSource
from tests.feed.history.support import CALENDAR, CATALOGUE


@pytest.fixture(scope="package")
def whole_market() -> Market:
    """A whole simulated market, some of whose quotes, prices and spots are missing."""
    at = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    source = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=to_ms(at))
    made = Market(source.universe, source="simulated", epoch="e", interest_rate=0.065, stale_after_s=60)
    update = source.advance(to_ms(at))
    assert update is not None
    made.apply(update)
    chance = np.random.default_rng(1)
    for name in ("bid", "ask", "last_price", "open_interest", "volume"):
        made.contracts[name][chance.random(made.universe.contract_count) < 0.3] = np.nan
    for listing in made.universe.listings[::7]:
        made.contracts["bid"][listing.rows] = np.nan
    for listing in made.universe.listings[::11]:
        made.contracts["last_price"][listing.rows] = np.nan
    for listing in made.universe.listings[::13]:
        made.contracts["open_interest"][listing.rows] = np.nan
    made.underlyings["last_price"][::9] = np.nan
    made.publish(to_ms(at))
    return made
