"""The figures of all expiries in one pass: the same as of each alone, and as its schema tells them."""

import json
import math

import pytest

from analytics.gamma_exposure import gamma_exposure, zero_gamma_level
from analytics.open_interest import support_resistance
from analytics.volatility import atm_volatility, delta_skew
from analytics.volatility_rank import Rank
from feed.market.market import Market
from feed.valuation.chain import value_chain, value_states
from feed.valuation.dashboard import (
    WALLS,
    Dashboards,
    UnderlyingFigures,
    UnderlyingVolatility,
    build_dashboards,
)
from schemas.dashboard import DashboardSchema, dump_dashboards
from schemas.wire import encode, number

FIGURES = UnderlyingFigures(0.31, UnderlyingVolatility(0.1324, 0.1271), Rank(0.4, 0.55, 60))


@pytest.fixture(scope="module")
def boards(whole_market: Market) -> Dashboards:
    """The dashboards of every listing."""
    listings = whole_market.universe.listings
    return build_dashboards(*value_states(whole_market, listings), [FIGURES] * len(listings))


def test_dashboard_made_alone_has_the_same_bytes_as_in_the_pass(
    whole_market: Market, boards: Dashboards
) -> None:
    for listing, told in zip(whole_market.universe.listings, dump_dashboards(boards), strict=True):
        alone = build_dashboards(*value_states(whole_market, [listing]), [FIGURES])
        assert encode(told) == encode(dump_dashboards(alone)[0]), listing.key


def test_every_dashboard_is_what_its_schema_makes_of_it(boards: Dashboards) -> None:
    schema = DashboardSchema()
    for told in dump_dashboards(boards):
        plain = json.loads(encode(told))
        for name, field in schema.fields.items():
            if name in ("expiry", "as_of", "timestamp"):
                continue
            value = plain[name]
            assert encode(field.serialize(name, {name: value})) == encode(value), name
        assert set(plain) == {field.data_key or name for name, field in schema.fields.items()}


def test_figures_of_the_pass_are_those_of_one_expiry(whole_market: Market, boards: Dashboards) -> None:
    told = [json.loads(encode(values)) for values in dump_dashboards(boards)]
    defined = 0
    for listing, values in zip(whole_market.universe.listings, told, strict=True):
        chain = value_chain(whole_market, listing)
        strikes, smile, interest = chain.strikes, chain.strike_volatility, chain.legs["open_interest"]
        walls = support_resistance(strikes, interest[0], interest[1], WALLS)
        assert [item["strike_price"] for item in values["support"]] == walls.support_strikes.tolist()
        assert [item["oi"] for item in values["resistance"]] == walls.resistance_open_interest.tolist()
        skew = delta_skew(strikes, smile, chain.forward, chain.time_to_expiry).skew
        assert values["iv_skew"] == number(100 * skew, 2)
        atm = atm_volatility(strikes, smile, chain.forward).volatility
        assert values["atm_iv"] == number(100 * atm, 2)
        level = zero_gamma_level(strikes, smile, interest, chain.forward, chain.time_to_expiry).level
        assert values["zero_gamma"] == number(level, 2)
        exposure = gamma_exposure(chain.greeks.gamma, interest, listing.expiry.lot_size, chain.spot_price)
        assert values["gamma_exposure"]["legs"] == exposure.legs
        assert values["gamma_exposure"]["total"] == number(exposure.total, 2)
        assert [item["payout"] for item in values["max_pain_curve"]] == [
            number(payout, 2) for payout in chain.pain.curve.tolist()
        ]
        defined += not math.isnan(level)
    assert defined > 40
