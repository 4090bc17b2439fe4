"""The recorded real chains, where they are at hand, against the figures that stand beside them."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.open_interest import max_pain, put_call_ratio, support_resistance, totals
from feed.market.market import Market
from feed.recordings.text import local_ms, parse_day
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.replay.source import ReplaySource

RECORDED = Path(__file__).parents[4] / "shared" / "domain" / "data"
CLOSE = "nifty_chain_20260807_close.csv"
MORNING = "nifty_chain_20260819_1127.csv"
EXCHANGE = "nse_optionchain_NIFTY_20220328_1047.json"
VERSION_3 = "nse_optionchain_v3_NIFTY_20260520_1434_sample.json"
INTRADAY = "nifty_chain_intraday_20260819.csv.gz"
COUNTS = {CLOSE: 1, MORNING: 4, EXCHANGE: 21}

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="the recorded data belongs to the exchanges and is not part of the repository",
)


@pytest.fixture(scope="module")
def source_of():
    calendar = Calendar()
    catalogue = Catalogue(calendar)
    return lambda name: ReplaySource.open(RECORDED / name, catalogue=catalogue, calendar=calendar)


def expected_of(name):
    return json.loads((RECORDED / f"{Path(name).stem}_expected.json").read_text())


def market_of(source, now_ms):
    market = Market(source.universe, source=source.name, epoch="one", interest_rate=0.06, stale_after_s=90)
    update = source.advance(now_ms)
    market.apply(update)
    return market


def figures(market, listing):
    """What the expected files tell of an expiry, from the market."""
    legs = market.legs(listing)
    interest = legs["open_interest"]
    change = interest - legs["previous_open_interest"]
    of_interest, of_volume, of_change = (totals(*values) for values in (interest, legs["volume"], change))
    pain = max_pain(listing.strikes, *interest)
    # both sides must be listed; argmin takes the first, that is the lower, of two equally near
    spot = market.quote(listing.symbol).last_price
    is_whole = ~np.isnan(interest).any(axis=0)
    atm = np.flatnonzero(is_whole)[np.argmin(np.abs(listing.strikes[is_whole] - spot))]
    walls = support_resistance(listing.strikes, interest[0], interest[1], count=5)
    return {
        "n_strikes": len(listing.strikes),
        "n_ce": int((~np.isnan(interest[0])).sum()),
        "n_pe": int((~np.isnan(interest[1])).sum()),
        "strike_min": listing.strikes[0],
        "strike_max": listing.strikes[-1],
        "total_ce_oi": of_interest.call,
        "total_pe_oi": of_interest.put,
        "total_ce_volume": of_volume.call,
        "total_pe_volume": of_volume.put,
        "total_ce_oi_change": of_change.call,
        "total_pe_oi_change": of_change.put,
        "pcr_oi": float(put_call_ratio(of_interest.put, of_interest.call)),
        "pcr_volume": float(put_call_ratio(of_volume.put, of_volume.call)),
        "pcr_oi_change": float(put_call_ratio(of_change.put, of_change.call)),
        "max_pain": pain.strike,
        "max_pain_writer_payout": np.nanmin(pain.curve),
        "atm_strike_nearest_spot": listing.strikes[atm],
        "atm_straddle": legs["last_price"][:, atm].sum(),
        "top5_ce_oi": _pairs(walls.resistance_strikes, walls.resistance_open_interest),
        "top5_pe_oi": _pairs(walls.support_strikes, walls.support_open_interest),
    }


def _pairs(strikes, interest):
    return np.stack((strikes, interest), axis=1).tolist()


@pytest.mark.parametrize("name", [CLOSE, MORNING, EXCHANGE])
def test_figures_of_every_expiry_equal_those_beside_the_recording(source_of, name):
    source = source_of(name)
    assert source.bad_rows == ()
    market = market_of(source, source.start_ms)
    expected = expected_of(name)
    assert market.quote("NIFTY").last_price == expected["underlying_value"]
    assert len(market.universe.chains("NIFTY")) == len(expected["by_expiry"]) == COUNTS[name]
    for day, wanted in expected["by_expiry"].items():
        got = figures(market, market.universe.listing("NIFTY", parse_day(day)))
        for figure, value in got.items():
            if figure == "atm_straddle" and np.isnan(value):
                continue  # a leg never traded, so there is no straddle; the file adds its price as 0
            told: Any = math.nan if wanted[figure] is None else wanted[figure]
            if figure.startswith("top5"):
                told = [row for row in told if row[1] > 0]  # a strike nobody holds is no wall
            np.testing.assert_allclose(
                value, told, rtol=1e-9, atol=1e-10, err_msg=f"{figure} of {day}", equal_nan=True
            )


def test_totals_of_the_nearest_expiry_equal_the_exchange_own(source_of):
    source = source_of(EXCHANGE)
    market = market_of(source, source.start_ms)
    legs = market.legs(market.universe.listing("NIFTY"))
    own = json.loads((RECORDED / EXCHANGE).read_text())["filtered"]
    for row, side in enumerate(("CE", "PE")):
        assert np.nansum(legs["open_interest"][row]) == own[side]["totOI"]
        assert np.nansum(legs["volume"][row]) == own[side]["totVol"]


@pytest.mark.parametrize(
    ("name", "start_ms", "lot_size"),
    [
        (CLOSE, local_ms(date(2026, 8, 7), 15, 40), 65),
        (MORNING, local_ms(date(2026, 8, 19), 11, 27), 65),
        (EXCHANGE, local_ms(date(2022, 3, 28), 10, 47, 19), None),
        (VERSION_3, local_ms(date(2026, 5, 20), 14, 34, 42), 65),
    ],
)
def test_instant_and_lot_are_those_of_the_recorded_day(source_of, name, start_ms, lot_size):
    source = source_of(name)
    assert (source.start_ms, source.end_ms) == (start_ms, start_ms)
    assert {listing.expiry.lot_size for listing in source.universe.listings} == {lot_size}


def test_fractional_open_interest_is_kept(source_of):
    source = source_of(EXCHANGE)
    update = source.advance(source.start_ms)
    interest = update.contracts["open_interest"]
    assert np.count_nonzero(interest[~np.isnan(interest)] % 1) == 53


def test_the_exchange_zero_prices_are_unknown_and_its_quotes_never_cross(source_of):
    source = source_of(EXCHANGE)
    update = source.advance(source.start_ms)
    for name in ("last_price", "bid", "ask", "previous_close"):
        assert not (update.contracts[name] <= 0).any()
        assert np.isnan(update.contracts[name]).any()
    bid, ask = update.contracts["bid"], update.contracts["ask"]
    assert not (bid > ask).any()
    assert (update.contracts["volume"] == 0).any()


def test_monthly_contracts_of_the_exchange_list_are_recognised(source_of):
    kinds = {
        listing.expiry.day: listing.expiry.kind for listing in source_of(EXCHANGE).universe.chains("NIFTY")
    }
    assert kinds[date(2022, 3, 31)] == kinds[date(2022, 4, 28)] == kinds[date(2022, 5, 26)] == "monthly"
    for day in (date(2022, 4, 7), date(2022, 4, 13), date(2022, 5, 5), date(2022, 6, 2)):
        assert kinds[day] == "weekly"
    assert kinds[date(2022, 9, 29)] == "quarterly"
    assert {kinds[day] for day in kinds if day.year >= 2024} == {"half_yearly"}


def test_tokens_of_the_exchange_list_are_all_different(source_of):
    for name in (CLOSE, MORNING, EXCHANGE, INTRADAY):
        token = source_of(name).universe.token
        assert len(np.unique(token)) == len(token)


def test_the_recorded_morning_is_replayed_minute_by_minute(source_of):
    source = source_of(INTRADAY)
    assert source.start_ms == local_ms(date(2026, 8, 19), 11, 27)
    assert source.end_ms == local_ms(date(2026, 8, 19), 13, 8)
    market = Market(source.universe, source=source.name, epoch="one", interest_rate=0.06, stale_after_s=90)
    told = []
    for now_ms in range(source.start_ms, source.end_ms + 30_000, 30_000):
        update = source.advance(now_ms)
        if update is not None:
            market.apply(update)
            told.append((update.time_ms, market.quote("NIFTY").last_price))
    assert len(told) == 102
    assert source.finished
    assert told[0] == (source.start_ms, 24052.4)
    assert told[-1] == (source.end_ms, 24062.7)


def test_the_recorded_morning_begins_with_its_first_snapshot(source_of):
    source = source_of(INTRADAY)
    market = market_of(source, source.start_ms)
    for day, wanted in expected_of(MORNING)["by_expiry"].items():
        got = figures(market, market.universe.listing("NIFTY", parse_day(day)))
        # strikes that trade later are listed from the start, so only their number may differ
        for figure in got.keys() - {"n_strikes", "strike_min", "strike_max"}:
            np.testing.assert_allclose(got[figure], wanted[figure], rtol=1e-9, err_msg=f"{figure} of {day}")


def test_a_seek_shows_what_playing_through_shows(source_of):
    played, sought = source_of(INTRADAY), source_of(INTRADAY)
    halfway_ms = local_ms(date(2026, 8, 19), 12, 17)
    market = market_of(played, played.start_ms)
    for now_ms in range(played.start_ms + 60_000, halfway_ms + 1, 60_000):
        market.apply(played.advance(now_ms))
    sought.advance(sought.end_ms)
    jumped = market_of(sought, sought.seek(halfway_ms))
    for name, values in market.contracts.items():
        np.testing.assert_array_equal(values, jumped.contracts[name])
    assert market.quote("NIFTY") == jumped.quote("NIFTY") or np.isnan(market.quote("NIFTY").open)
    assert market.quote("NIFTY").last_price == jumped.quote("NIFTY").last_price
