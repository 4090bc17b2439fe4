"""Streams brought up in one pass over the market say the bytes that each would say alone."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from domain.instants import to_ms
from feed.market.clock import VirtualClock
from feed.market.market import Market
from feed.market.source import Update
from feed.market.universe import Listing, Universe
from feed.simulation.source import SimulatedSource
from feed.valuation import dashboard
from feed.valuation.chain import ValuedStates, value_states
from feed.valuation.dashboard import UnderlyingVolatilities
from handlers.streams import state
from handlers.streams import views as views_module
from handlers.streams.state import ChainPart
from handlers.streams.views import Views
from schemas.requests.leg_fields import FIELD_SETS, LegFields
from tests.feed.history.support import CALENDAR, CATALOGUE

START = datetime.fromisoformat("2026-11-30T11:00:00+05:30")
PARTS = (
    ChainPart(),
    ChainPart(5),
    ChainPart(20, FIELD_SETS["greeks"]),
    ChainPart(None, LegFields.of(["oi"])),
)


class Together:
    """One market seen twice: by streams that are brought up together, and by others one by one."""

    def __init__(self) -> None:
        self.now_ms = to_ms(START)
        self.source = SimulatedSource(CATALOGUE, CALENDAR, seed=5, start_ms=self.now_ms)
        self.market = Market(
            self.source.universe, source="simulated", epoch="e0", interest_rate=0.06, stale_after_s=1e9
        )
        clock = VirtualClock(self.now_ms, 1000)
        self.passed, self.alone = (
            Views(self.market, clock, depth=8, iv_history=lambda _symbol: np.linspace(0.1, 0.2, 30))
            for _ in range(2)
        )
        self.step()

    def step(self, update: Update | None = None) -> None:
        self.now_ms += 1000
        self.market.apply(self.source.advance(self.now_ms) if update is None else update)
        self.market.publish(self.now_ms)

    def prepare(self, keep: slice = slice(None), batches: int = 99) -> None:
        streams = [*self.passed.chains.values(), *self.passed.boards.values()]
        for batch in self.passed.batches(streams[keep])[:batches]:
            self.passed.prepare(batch)

    def compare(self) -> None:
        for listing in self.market.universe.listings:
            one, other = self.passed.chain(listing), self.alone.chain(listing)
            for part in PARTS:
                assert one.whole(part) == other.whole(part), (listing.key, part)
                for since in set(one.marks) & set(other.marks):
                    assert one.delta(since, part) == other.delta(since, part), (listing.key, part)
            assert one.marks == other.marks
            assert self.passed.dashboard(listing).whole() == self.alone.dashboard(listing).whole()


@pytest.fixture
def seen() -> Together:
    made = Together()
    made.compare()
    return made


def test_whole_market_is_told_alike_in_a_pass_and_one_by_one(seen: Together) -> None:
    for _ in range(4):
        seen.step()
        seen.prepare()
        seen.compare()


def test_pass_that_was_not_gone_through_or_was_for_others_changes_nothing(seen: Together) -> None:
    seen.step()
    seen.prepare(batches=1)
    seen.compare()
    seen.step()
    seen.prepare(slice(3, 90, 4))
    seen.step()  # what was made in the pass is of the past
    seen.compare()


def test_listing_is_valued_once_for_all_that_is_told_of_it(
    seen: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen.step()
    seen.prepare()

    def again(*_: object) -> None:
        raise AssertionError("a listing was valued a second time")

    monkeypatch.setattr(views_module, "value_states", again)
    monkeypatch.setattr(state, "differs", again)
    for listing in seen.market.universe.listings:
        seen.passed.chain(listing)
        seen.passed.dashboard(listing)


def test_only_listings_that_changed_are_valued_again(seen: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    market = seen.market
    listing = market.universe.listings[17]
    price = np.array([77.7])
    rows = np.array([listing.rows.start])
    seen.step(Update(seen.now_ms + 1000, {}, {"last_price": price}, contract_rows=rows))
    valued: list[Listing] = []

    def value(market: Market, listings: list[Listing]) -> ValuedStates:
        valued.extend(listings)
        return value_states(market, listings)

    monkeypatch.setattr(views_module, "value_states", value)
    seen.prepare()
    assert [item.key for item in valued] == [listing.key]
    seen.compare()


def test_other_strikes_and_a_new_epoch_are_told_alike(seen: Together) -> None:
    market = seen.market
    listings = market.universe.listings
    fewer = Universe(
        market.universe.underlyings,
        [
            (item.symbol, item.expiry, *_without_first(item.strikes, item.tokens, row % 5 == 2))
            for row, item in enumerate(listings)
            if row % 7
        ],
    )
    seen.step(Update(seen.now_ms + 1000, universe=fewer))
    for views in (seen.passed, seen.alone):
        views.forget_unlisted()
    seen.prepare()
    seen.compare()
    market.restart("e1")
    market.publish(seen.now_ms)
    seen.prepare()
    seen.compare()


def _without_first(strikes: np.ndarray, tokens: np.ndarray, shorter: bool) -> tuple[np.ndarray, np.ndarray]:
    if not shorter:
        return strikes, tokens
    return strikes[1:], tokens.reshape(2, -1)[:, 1:].ravel()


def test_volatility_that_could_not_be_valued_is_not_taken_for_unknown(
    seen: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen.step()
    volatilities = UnderlyingVolatilities(seen.market)

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(dashboard, "value_listings", fail)
        with pytest.raises(RuntimeError):
            volatilities.of("NIFTY")
    assert volatilities.of("NIFTY").index > 0
