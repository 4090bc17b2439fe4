"""The core of live sources on arrays: what is followed where, what is gathered, what a list is taken for."""

from __future__ import annotations

import random
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import to_ms
from feed.live.backoff import LONGEST_S, WELL_AFTER_S, BackOff
from feed.live.broker import TICK_FIELDS, Instrument, Limits, Ticks
from feed.live.gather import Gather
from feed.live.plan import make_plan
from feed.live.reconcile import NO_TOKEN, TokenTable, reconcile
from feed.market.market import Market
from feed.market.universe import Universe
from tests.feed.history.support import CATALOGUE

AT = datetime.fromisoformat("2026-11-23T11:00:00+05:30")
NAMES = {"NIFTY": "NIFTY 50"}
SPOTS = np.array([item.reference_price for item in CATALOGUE.underlyings])
OURS = Universe.build(CATALOGUE, AT, SPOTS)


def listed() -> list[Instrument]:
    """What we list ourselves, as a broker would."""
    found = []
    for item in CATALOGUE.underlyings:
        if item.kind == "commodity":
            found.append(
                Instrument(item.token, item.exchange, item.symbol, "FUT", date(2026, 12, 18), 0.0, 1)
            )
        else:
            name = NAMES.get(item.symbol, item.symbol)
            found.append(Instrument(item.token, item.exchange, name, "EQ", None, 0.0, 1))
    for listing in OURS.listings:
        item = OURS.underlyings[listing.underlying_row]
        lot = 1 if item.exchange == "MCX" else listing.expiry.lot_size
        for kind, tokens in zip(("CE", "PE"), listing.tokens.reshape(2, -1).tolist(), strict=True):
            for strike, token in zip(listing.strikes.tolist(), tokens, strict=True):
                found.append(
                    Instrument(
                        token, item.derivatives_exchange, item.symbol, kind, listing.expiry.day, strike, lot
                    )
                )
    return found


LISTED = listed()


def test_list_like_ours_makes_our_universe_and_tells_nothing() -> None:
    made = reconcile(LISTED, CATALOGUE, AT, NAMES)
    assert made.differences == ()
    universe = made.table.universe
    assert [listing.key for listing in universe.listings] == [listing.key for listing in OURS.listings]
    assert universe.token.tolist() == OURS.token.tolist()
    assert [item.expiry for item in universe.listings] == [item.expiry for item in OURS.listings]
    rows, known = made.table.find(np.array([256265, int(OURS.token[0]), 1, NO_TOKEN]))
    assert known.tolist() == [True, True, False, False]
    assert rows[:2].tolist() == [universe.row_of["NIFTY"], len(universe.underlyings)]
    nifty = universe.listing("NIFTY").rows.start + len(universe.underlyings)
    assert made.table.units[nifty] == 65
    crude = universe.listing("CRUDEOIL").rows.start + len(universe.underlyings)
    assert made.table.units[crude] == 1


def test_what_differs_is_told_and_never_guessed() -> None:
    first = OURS.listing("NIFTY")
    rows = [item for item in LISTED if item.name != "TCS"]
    rows = [
        item for item in rows if (item.name, item.expiry) != ("RELIANCE", OURS.listing("RELIANCE").expiry.day)
    ]
    changed = []
    for item in rows:
        if (item.name, item.expiry) == ("NIFTY", first.expiry.day):
            if item.strike == first.strikes[3] and item.kind == "PE":
                continue
            changed.append(item._replace(lot_size=50))
            continue
        changed.append(item)
    changed.append(Instrument(77, "NFO", "NEWCO", "CE", date(2026, 12, 29), 100.0, 10))
    changed.append(Instrument(78, "NFO", "NIFTY", "CE", date(2026, 12, 2), 22500.0, 65))
    made = reconcile(changed, CATALOGUE, AT, NAMES)
    told = "\n".join(made.differences)
    assert "1 underlyings with options are not in our list: NEWCO" in told
    assert "TCS has no options in the broker's list." in told
    assert f"NIFTY {first.expiry.day} has a lot of 50, we had 65." in told
    assert "NIFTY 2026-12-02 expires on a day that our calendar does not have for it." in told
    assert "RELIANCE" in told
    listing = made.table.universe.listing("NIFTY", first.expiry.day)
    assert listing.expiry.lot_size == 50
    assert listing.tokens.reshape(2, -1)[1, 3] == NO_TOKEN
    assert not made.table.find(np.array([NO_TOKEN]))[1].any()


def table_of(universe: Universe) -> TokenTable:
    tokens = np.array([item.token for item in universe.underlyings], np.int64)
    return TokenTable.of(universe, tokens)


TABLE = table_of(OURS)


@given(
    st.integers(0, 3),
    st.integers(100, 3000),
    st.lists(st.sampled_from([listing.key for listing in OURS.listings]), max_size=40, unique=True),
    st.lists(st.sampled_from([listing.key for listing in OURS.listings]), max_size=40, unique=True),
)
def test_plans_keep_the_limits_and_leave_nothing_out(sockets, tokens, wanted, later) -> None:
    limits = Limits(sockets, tokens, 500, 1.0, 5.0)
    before = None
    for now in (wanted, later):
        plan = make_plan(TABLE, now, limits, before)
        assert len(plan.sockets) == sockets
        assert all(len(some) <= tokens for some in plan.sockets)
        everything = [*(token for some in plan.sockets for token in some), *plan.polled]
        assert len(everything) == len(set(everything)) == len(TABLE.tokens)
        assert {*plan.socket_of, *(OURS.listings[row].key for row in plan.polled_listings)} == {
            listing.key for listing in OURS.listings
        }
        for key, place in plan.socket_of.items():
            assert set(OURS.find(key).tokens.tolist()) <= plan.sockets[place]
        before = plan
    assert make_plan(TABLE, later, limits, before) == before


def test_what_is_wanted_has_a_place_before_what_is_not() -> None:
    limits = Limits(3, 3000, 500, 1.0, 5.0)
    far = [OURS.chains(symbol)[-1].key for symbol in ("TCS", "M&M", "GOLD")]
    before = make_plan(TABLE, [], limits)
    assert not any(key in before.socket_of for key in far)
    assert all(listing.key in before.socket_of for listing in OURS.chains("NIFTY")[:3])
    plan = make_plan(TABLE, far, limits, before)
    assert all(key in plan.socket_of for key in far)
    moved = [key for key, place in plan.socket_of.items() if before.socket_of.get(key, place) != place]
    assert moved == []


def ticks(tokens: list[int], **fields: list[float]) -> Ticks:
    unknown = np.full(len(tokens), np.nan)
    return Ticks(
        np.array(tokens, np.int64), {name: np.array(fields.get(name, unknown), float) for name in TICK_FIELDS}
    )


def test_latest_of_each_row_goes_into_the_market_with_its_own_time() -> None:
    made = reconcile(LISTED, CATALOGUE, AT, NAMES)
    universe = made.table.universe
    gather, start_ms = Gather(made.table), to_ms(AT)
    market = Market(universe, source="kite", epoch="e", interest_rate=0.06, stale_after_s=15)
    listing = universe.listing("NIFTY")
    call, put = int(listing.tokens[0]), int(listing.tokens[len(listing.strikes)])
    gather.take(ticks([256265, call, 1], last_price=[22_500.0, 5.0, 9.0]), start_ms)
    gather.take(ticks([call, put], last_price=[6.0, 7.0], open_interest=[650.0, np.nan]), start_ms + 300)
    assert gather.dropped == 1
    update = gather.drain()
    market.apply(update)
    market.publish(start_ms + 500)
    assert gather.drain() is None
    legs = market.legs(listing)
    assert (legs["last_price"][0, 0], legs["last_price"][1, 0], legs["open_interest"][0, 0]) == (
        6.0,
        7.0,
        10.0,
    )
    assert np.isnan(legs["open_interest"][1, 0])
    assert market.quote("NIFTY").provenance.as_of_ms == start_ms
    assert market.chain_provenance(listing).as_of_ms == start_ms + 300
    gather.take(ticks([call], bid=[5.9]), start_ms + 900)
    market.apply(gather.drain())
    assert market.legs(listing)["last_price"][0, 0] == 6.0
    assert market.legs(listing)["bid"][0, 0] == 5.9


def test_count_that_is_no_multiple_of_the_lot_is_kept_and_counted() -> None:
    made = reconcile(LISTED, CATALOGUE, AT, NAMES)
    gather = Gather(made.table)
    token = int(made.table.universe.listing("NIFTY").tokens[0])
    gather.take(ticks([token], volume=[100.0]), 1)
    assert gather.odd_lots == 1
    assert gather.drain().contracts["volume"][0] == pytest.approx(100 / 65)


def test_other_list_carries_what_is_known_by_token_and_tells_it_all() -> None:
    made = reconcile(LISTED, CATALOGUE, AT, NAMES)
    gather = Gather(made.table)
    first, last = (made.table.universe.listings[place].tokens[0] for place in (0, -1))
    gather.take(ticks([int(first), int(last)], last_price=[1.0, 2.0]), 5)
    gather.drain()
    rest = [item for item in LISTED if (item.name, item.expiry) != ("NIFTY", OURS.listings[0].expiry.day)]
    other = gather.carried_to(reconcile(rest, CATALOGUE, AT, NAMES).table)
    update = other.drain(relist=True)
    assert update.universe is other.table.universe
    assert update.contracts["last_price"].tolist() == [2.0]
    assert update.time_ms == 5


def test_waits_grow_to_a_minute_and_fall_back_after_a_minute_of_data() -> None:
    waits = BackOff(random.Random(1))
    seen = [waits.wait_s() for _ in range(12)]
    assert 0.5 <= seen[0] <= 1
    assert all(wait <= LONGEST_S for wait in seen)
    assert seen[-1] >= LONGEST_S / 2
    waits.well(0.0)
    waits.well(WELL_AFTER_S - 1)
    assert waits.wait_s() >= LONGEST_S / 2
    waits.well(100.0)
    waits.well(100.0 + WELL_AFTER_S)
    assert waits.wait_s() <= 1
