"""Whatever numbers a source brings, what comes of them can be written as JSON, and none is made up."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feed.market.market import LARGEST
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, Update
from feed.valuation.chain import value_states
from feed.valuation.dashboard import UnderlyingFigures, build_dashboards
from handlers.streams.state import ChainStream, SymbolStream
from schemas.dashboard import dump_dashboards
from schemas.wire import encode
from tests.fanout.test_model import DAY, DEPTH, make_market

NOW_MS = 1_796_000_000_000
anything = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.sampled_from([2.0**64 - 1, 2.0**63, 2.0**53, 2.0**53 + 2, -(2.0**53), 5e-324, -0.0, 1.7e308, -1e300]),
)
rows = st.lists(
    st.tuples(st.sampled_from(CONTRACT_FIELDS), st.integers(0, 41), anything), min_size=1, max_size=12
)
quotes = st.lists(st.tuples(st.sampled_from(UNDERLYING_FIELDS), anything), max_size=6)


def strict(text: bytes) -> Any:
    """JSON as a browser reads it: without NaN and Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in numbers(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in numbers(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@settings(max_examples=150, deadline=None)
@given(rows, quotes)
def test_any_float_in_any_field_of_any_row_can_be_told(rows, quotes):
    market = make_market()
    count = market.universe.contract_count
    contracts = {name: np.full(count, 12.5) for name in CONTRACT_FIELDS}
    for name, row, value in rows:
        contracts[name][row % count] = value
    underlyings = {name: np.array([1000.0]) for name in UNDERLYING_FIELDS}
    underlyings |= {name: np.array([value]) for name, value in quotes}
    with np.errstate(all="ignore"):
        market.apply(Update(NOW_MS, underlyings, contracts))
        market.publish(NOW_MS)
        listing = market.universe.listing("ACME", DAY)
        state = value_states(market, [listing])
        stream = ChainStream(listing, market, lambda _: state, DEPTH)
        stream.refresh()
        told = [stream.whole()]
        if np.isfinite(market.underlyings["last_price"][0]):  # else there is no quote to be told
            quote = SymbolStream("ACME", market, DEPTH)
            quote.refresh()
            told.append(quote.snapshot())
        boards = build_dashboards(*state, [UnderlyingFigures()])
    for text in (*told, encode(dump_dashboards(boards))):
        assert all(math.isfinite(number) for number in numbers(strict(text)))


@pytest.mark.parametrize("value", [math.inf, -math.inf, 2.0**53 * 1.01, -1e18, 2.0**64 - 1])
def test_what_is_no_number_of_a_market_is_not_known(value):
    market = make_market()
    update = Update(
        NOW_MS, {"last_price": np.array([value])}, {"volume": np.full(market.universe.contract_count, value)}
    )
    market.apply(update)
    market.publish(NOW_MS)
    assert abs(value) > LARGEST
    assert np.isnan(market.underlyings["last_price"]).all()
    assert np.isnan(market.contracts["volume"]).all()
