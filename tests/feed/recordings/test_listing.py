from datetime import date

import numpy as np
import pytest

from domain.instants import to_datetime
from feed.market.source import CONTRACT_FIELDS
from feed.recordings.frames import Frame, RecordedChain
from feed.recordings.listing import Lister
from feed.recordings.text import local_ms
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue

WEDNESDAY = date(2026, 8, 19)


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(Calendar())


@pytest.fixture(scope="module")
def lister(catalogue):
    return Lister(catalogue, catalogue.calendar)


def frame(symbol, strikes_by_expiry, day=WEDNESDAY):
    chains = {
        (symbol, expiry): RecordedChain(
            np.array(strikes, float), np.ones((len(CONTRACT_FIELDS), 2, len(strikes)))
        )
        for expiry, strikes in strikes_by_expiry.items()
    }
    return Frame(local_ms(day, 11, 27), {symbol: 100.0}, chains)


def listings(lister, symbol, strikes_by_expiry, day=WEDNESDAY):
    universe = lister.universe([symbol], [frame(symbol, strikes_by_expiry, day)])
    return {listing.expiry.day: listing for listing in universe.chains(symbol)}


@pytest.mark.parametrize(
    ("day", "close"),
    [
        (date(2026, 8, 7), local_ms(date(2026, 8, 7), 15, 40)),
        (date(2026, 8, 8), local_ms(date(2026, 8, 7), 15, 40)),  # saved on the Saturday after
        (date(2026, 7, 31), local_ms(date(2026, 7, 31), 15, 30)),  # the last day of the older hours
    ],
)
def test_a_day_closes_with_its_last_session(lister, day, close):
    assert lister.closing_ms("NIFTY", day) == close


def test_a_commodity_closes_with_its_own_exchange(lister):
    assert lister.closing_ms("CRUDEOIL", date(2026, 11, 18)) == local_ms(date(2026, 11, 18), 23, 55)


def test_contracts_of_the_catalogue_keep_its_tokens_and_names(lister, catalogue):
    expiry = date(2026, 8, 25)
    listing = listings(lister, "NIFTY", {expiry: [24000, 24050]})[expiry]
    expected = [
        catalogue.contract_tokens("NIFTY", expiry, strike, is_call)
        for is_call in (True, False)
        for strike in (24000, 24050)
    ]
    assert listing.tokens.tolist() == expected
    assert listing.expiry == catalogue.expiry("NIFTY", expiry, to_datetime(local_ms(WEDNESDAY, 11, 27)))


def test_strikes_between_two_steps_have_tokens_of_their_own(lister):
    expiry = date(2026, 8, 25)
    tokens = listings(lister, "NIFTY", {expiry: [24000, 24010, 24020]})[expiry].tokens
    assert len(set(tokens.tolist())) == 6
    assert (tokens > 0).all()
    assert (tokens < 2**53).all()


def test_kinds_are_those_of_the_catalogue_ladder(lister):
    days = {
        date(2026, 8, 25): "monthly",
        date(2026, 9, 1): "weekly",
        date(2026, 9, 8): "weekly",
        date(2026, 9, 29): "monthly",
        date(2026, 12, 29): "quarterly",
    }
    found = listings(lister, "NIFTY", {day: [24000] for day in days})
    assert {day: listing.expiry.kind for day, listing in found.items()} == days


def test_a_lot_older_than_the_catalogue_is_not_known(lister):
    """The first lot the catalogue dates for NIFTY is that of April 2024."""
    old, new = date(2022, 3, 31), date(2024, 6, 27)
    assert listings(lister, "NIFTY", {old: [17000]}, date(2022, 3, 28))[old].expiry.lot_size is None
    assert listings(lister, "NIFTY", {new: [23000]}, date(2024, 6, 3))[new].expiry.lot_size == 25


def test_an_underlying_the_catalogue_lacks_is_described_by_its_recording(lister):
    days = [date(2026, 8, 20), date(2026, 8, 25), date(2026, 9, 29)]
    strikes = {day: [97.5, 100, 105] for day in days}
    found = listings(lister, "WIDGET", strikes)
    universe = lister.universe(["WIDGET"], [frame("WIDGET", strikes)])
    underlying = universe.underlying("WIDGET")
    assert (underlying.name, underlying.strike_step) == ("WIDGET", 2.5)
    assert [found[day].expiry.kind for day in days] == ["weekly", "monthly", "monthly"]
    assert {listing.expiry.lot_size for listing in found.values()} == {None}
    assert found[days[0]].expiry.expires_at.timestamp() * 1000 == local_ms(days[0], 15, 40)
    assert len(np.unique(universe.token)) == universe.contract_count


def test_only_the_last_expiry_in_the_last_week_of_a_month_is_monthly(lister):
    days = [date(2026, 8, 25), date(2026, 8, 27), date(2026, 9, 10)]
    found = listings(lister, "WIDGET", {day: [100] for day in days})
    assert [found[day].expiry.kind for day in days] == ["weekly", "monthly", "weekly"]


def test_tokens_of_unknown_underlyings_are_the_same_in_every_run(lister):
    day = date(2026, 8, 25)
    assert listings(lister, "WIDGET", {day: [100]})[day].tokens.tolist() == [
        167157767559680,
        115961575597824,
    ]
