"""/api/strategy: pay-off, limits, Greeks and odds of several legs of a listed chain."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import black76
from schemas.strategy import MAX_LEGS, StrategySchema
from tests.handlers.shapes import problems, strict_json

GREEKS = ("delta", "gamma", "theta", "vega", "rho")
DECIMALS = {"delta": 4, "gamma": 7, "theta": 3, "vega": 3, "rho": 3}


@pytest.fixture
def post(fetch):
    """``await post(sandbox, {…})``: the answer to a strategy."""

    async def send(sandbox, body, path="/api/strategy", **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        return await fetch(sandbox, path, method="POST", body=raw, headers=headers)

    return send


@pytest.fixture
def chain(io_loop, sandbox, fetch):
    """The chain of the second expiry: far enough for its options to have Greeks."""
    expiries = io_loop.run_sync(lambda: fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    path = f"/api/option_chain?symbol=NIFTY&expiry={expiries[1]}"
    return io_loop.run_sync(lambda: fetch(sandbox, path)).data


def around(chain, steps, side="buy", option_type="CE", quantity=1, **more):
    """A leg so many strikes above the money."""
    at = [row["is_atm"] for row in chain["option_chain"]].index(True) + steps
    strike = chain["option_chain"][at]["strike_price"]
    return {"strike": strike, "option_type": option_type, "side": side, "quantity": quantity, **more}


def row_of(chain, leg):
    """The chain's figures of a leg's contract, without the side's prefix."""
    row = next(row for row in chain["option_chain"] if row["strike_price"] == leg["strike"])
    prefix = f"{leg['option_type'].lower()}_"
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def asked(chain, *legs, **more):
    return {"symbol": chain["symbol"], "expiry": chain["expiry"], "legs": list(legs), **more}


def at(curve, price):
    return next(point for point in curve if point["spot_price"] == price)


@pytest.mark.gen_test
async def test_strategy_is_as_its_schema_says(sandbox, chain, post):
    answer = await post(sandbox, asked(chain, around(chain, 0), around(chain, 4, "sell")))
    strict_json(answer.raw)
    assert problems(StrategySchema(), answer.data) == []
    assert answer.body["meta"]["symbol"] == "NIFTY"
    assert answer.body["meta"]["expiry"] == chain["expiry"]


@pytest.mark.gen_test
async def test_strategy_is_valued_from_the_state_that_the_chain_shows(sandbox, chain, post):
    data = (await post(sandbox, asked(chain, around(chain, 0)))).data
    for name in ("epoch", "seq", "as_of", "source", "stale", "spot_price", "forward", "lot_size"):
        assert data[name] == chain[name], name


@pytest.mark.gen_test
async def test_bought_call_spread_has_its_textbook_limits(sandbox, chain, post):
    legs = [around(chain, 0, price=100.0), around(chain, 2, "sell", price=40.0)]
    data = (await post(sandbox, asked(chain, *legs))).data
    low, high, lot = legs[0]["strike"], legs[1]["strike"], chain["lot_size"]
    assert data["break_evens"] == [low + 60]
    assert data["net_premium"] == 60 * lot
    assert data["max_loss"] == 60 * lot
    assert data["max_profit"] == (high - low - 60) * lot
    assert (data["unlimited_profit"], data["unlimited_loss"]) == (False, False)


@pytest.mark.gen_test
async def test_sold_straddle_can_lose_without_end(sandbox, chain, post):
    legs = [around(chain, 0, "sell", kind, 2, price=50.0) for kind in ("CE", "PE")]
    data = (await post(sandbox, asked(chain, *legs))).data
    strike = legs[0]["strike"]
    assert data["break_evens"] == [strike - 100, strike + 100]
    assert data["net_premium"] == -200 * chain["lot_size"]
    assert data["max_profit"] == 200 * chain["lot_size"]
    assert (data["max_loss"], data["unlimited_loss"], data["unlimited_profit"]) == (None, True, False)


@pytest.mark.gen_test
async def test_bought_call_can_win_without_end(sandbox, chain, post):
    data = (await post(sandbox, asked(chain, around(chain, 0)))).data
    assert (data["max_profit"], data["unlimited_profit"], data["unlimited_loss"]) == (None, True, False)


@pytest.mark.gen_test
async def test_curve_has_every_knot_and_the_profit_there(sandbox, chain, post):
    legs = [
        around(chain, -6, "buy", "PE", price=10.0),
        around(chain, -3, "sell", "PE", price=30.05),
        around(chain, 3, "sell", "CE", price=30.0),
        around(chain, 6, "buy", "CE", price=10.0),
    ]
    data = (await post(sandbox, asked(chain, *legs, points=11, spot_range_percent=0.5))).data
    prices = [point["spot_price"] for point in data["curve"]]
    assert prices == sorted(set(prices))
    for knot in (*(leg["strike"] for leg in legs), *data["break_evens"], data["spot_price"]):
        assert knot in prices
    for break_even in data["break_evens"]:
        assert at(data["curve"], break_even)["at_expiry"] == 0
    ends = [point["at_expiry"] for point in data["curve"]]
    assert max(ends) == data["max_profit"]
    assert -min(ends) == data["max_loss"]


@pytest.mark.parametrize(("range_percent", "points"), [(5, 51), (20.5, 2), (90, 1001)])
@pytest.mark.gen_test
async def test_curve_reaches_as_far_as_asked(sandbox, chain, post, range_percent, points):
    wanted = asked(chain, around(chain, 0), spot_range_percent=range_percent, points=points)
    data = (await post(sandbox, wanted)).data
    prices = [point["spot_price"] for point in data["curve"]]
    assert prices[0] == pytest.approx(data["spot_price"] * (1 - range_percent / 100), abs=0.011)
    assert prices[-1] == pytest.approx(data["spot_price"] * (1 + range_percent / 100), abs=0.011)
    assert points <= len(prices) <= points + 3  # the strike, the break-even and the spot


@pytest.mark.gen_test
async def test_premium_is_the_sum_of_the_prices_shown(sandbox, chain, post):
    legs = [around(chain, steps, side) for steps, side in ((-3, "buy"), (0, "sell"), (2, "sell"), (5, "buy"))]
    data = (await post(sandbox, asked(chain, *legs))).data
    paid = sum((1 if leg["side"] == "buy" else -1) * leg["price"] for leg in data["legs"])
    assert data["net_premium"] == pytest.approx(paid * chain["lot_size"], abs=1e-6)


@pytest.mark.gen_test
async def test_profit_at_expiry_is_what_the_legs_pay(sandbox, chain, post):
    legs = [around(chain, -2, "sell", "PE", 3), around(chain, 1, "buy", "CE", 2, price=77.7)]
    data = (await post(sandbox, asked(chain, *legs))).data
    lot = chain["lot_size"]
    for point in data["curve"]:
        profit = 0.0
        for leg in data["legs"]:
            sign = 1 if leg["option_type"] == "CE" else -1
            paid = max(0.0, sign * (point["spot_price"] - leg["strike"]))
            lots = leg["quantity"] if leg["side"] == "buy" else -leg["quantity"]
            profit += lots * lot * (paid - leg["price"])
        # half a paisa of the spot shown, times the units
        assert point["at_expiry"] == pytest.approx(profit, abs=0.006 * 5 * lot)


@pytest.mark.gen_test
async def test_profit_today_is_that_of_black76_at_the_moved_forward(sandbox, chain, post):
    legs = [around(chain, 0), around(chain, -4, "sell", "PE", 2)]
    data = (await post(sandbox, asked(chain, *legs, points=9))).data
    spot, forward = chain["spot_price"], chain["forward"]
    years = _years(chain)
    discount = math.exp(-chain["interest_rate"] * years)
    for point in data["curve"]:
        profit = 0.0
        for leg in data["legs"]:
            moved = point["spot_price"] * forward / spot
            value = black76.price(
                moved, leg["strike"], years, leg["iv"] / 100, leg["option_type"] == "CE", discount
            )
            lots = leg["quantity"] if leg["side"] == "buy" else -leg["quantity"]
            profit += lots * chain["lot_size"] * (float(value) - leg["price"])
        # the volatility is shown to 0.005 points
        tolerance = 0.01 * 3 * chain["lot_size"] * forward * math.sqrt(years) / 100 + 1
        assert point["today"] == pytest.approx(profit, abs=tolerance)


def _years(chain):
    start, end = (np.datetime64(chain[name].removesuffix("Z")) for name in ("as_of", "expires_at"))
    return float((end - start) / np.timedelta64(1, "s")) / (365 * 86400)


@pytest.mark.gen_test
async def test_net_greeks_are_those_of_the_chain_times_the_position(sandbox, chain, post):
    legs = [around(chain, 0, "buy", "CE", 3), around(chain, 2, "sell", "PE", 2), around(chain, -5, "sell")]
    data = (await post(sandbox, asked(chain, *legs))).data
    for name in GREEKS:
        expected, units = 0.0, 0.0
        for leg in legs:
            lots = leg["quantity"] if leg["side"] == "buy" else -leg["quantity"]
            expected += lots * chain["lot_size"] * row_of(chain, leg)[name]
            units += leg["quantity"] * chain["lot_size"]
        tolerance = units * 0.51 * 10 ** -DECIMALS[name]
        assert data["greeks"][name] == pytest.approx(expected, abs=tolerance), name


@pytest.mark.gen_test
async def test_leg_shows_the_figures_of_its_contract(sandbox, chain, post):
    legs = [around(chain, 1, "sell", "PE", 4), around(chain, 2)]
    data = (await post(sandbox, asked(chain, *legs))).data
    for leg, told in zip(legs, data["legs"], strict=True):
        row = row_of(chain, leg)
        assert {name: told[name] for name in leg} == leg
        assert {name: told[name] for name in ("token", *GREEKS)} == {
            name: row[name] for name in ("token", *GREEKS)
        }


@pytest.mark.gen_test
async def test_leg_without_a_price_is_taken_at_the_middle_of_its_quote(sandbox, chain, post):
    leg = around(chain, 1)
    data = (await post(sandbox, asked(chain, leg, {**leg, "price": None}, {**leg, "price": 1.5}))).data
    row = row_of(chain, leg)
    middle = round((row["bid_price"] + row["ask_price"]) / 2, 2)
    told = [(leg["price"], leg["price_source"]) for leg in data["legs"]]
    assert told == [(middle, "mid"), (middle, "mid"), (1.5, "given")]
    assert data["coverage"]["legs_quoted"] == 3


def unquoted(sandbox, chain, leg, *names):
    """Take quotes of a leg's contract out of the market."""
    market = sandbox.server.market
    listing = market.universe.listing("NIFTY", np.datetime64(chain["expiry"]).item())
    row = listing.rows.start + int(np.searchsorted(listing.strikes, leg["strike"]))
    if leg["option_type"] == "PE":
        row += len(listing.strikes)
    for name in names:
        market.contracts[name][row] = np.nan
    sandbox.server.services.views.valued.clear()


@pytest.fixture
def own(io_loop, make_sandbox):
    """A server whose market may be spoiled."""
    return io_loop.run_sync(lambda: make_sandbox(own_market=True))


@pytest.mark.gen_test
async def test_leg_without_a_quote_is_taken_at_its_last_price(own, fetch, post):
    chain = (await fetch(own, "/api/option_chain?symbol=NIFTY")).data
    leg = around(chain, 1)
    unquoted(own, chain, leg, "bid")
    told = (await post(own, asked(chain, leg, around(chain, 0)))).data
    assert told["legs"][0]["price"] == row_of(chain, leg)["ltp"]
    assert [leg["price_source"] for leg in told["legs"]] == ["last", "mid"]
    assert (told["coverage"]["legs"], told["coverage"]["legs_quoted"]) == (2, 1)


@pytest.mark.gen_test
async def test_leg_without_any_price_must_be_given_one(own, fetch, post):
    chain = (await fetch(own, "/api/option_chain?symbol=NIFTY")).data
    leg = around(chain, 3)
    unquoted(own, chain, leg, "ask", "last_price")
    answer = await post(own, asked(chain, around(chain, 0), leg))
    assert answer.status == 400
    assert answer.error["code"] == "VALIDATION_ERROR"
    (sentence,) = answer.error["details"]["legs.1.price"]
    assert "there is no price" in sentence
    assert f"{leg['strike']:g} CE" in sentence


@pytest.mark.gen_test
async def test_what_cannot_be_known_is_null_and_the_rest_is_told(own, fetch, post):
    chain = (await fetch(own, "/api/option_chain?symbol=NIFTY")).data
    leg = around(chain, 3)
    for option_type in ("CE", "PE"):  # near the money the put's volatility would stand in
        unquoted(own, chain, {**leg, "option_type": option_type}, "ask", "last_price")
    data = (await post(own, asked(chain, {**leg, "price": 20.0}))).data
    assert data["legs"][0]["iv"] is None
    assert set(data["greeks"].values()) == {None}
    assert {point["today"] for point in data["curve"]} == {None}
    assert data["break_evens"] == [leg["strike"] + 20]
    assert data["max_loss"] == 20 * chain["lot_size"]
    assert 0 < data["probability_of_profit"] < 1  # the strikes beside it have a volatility
    assert data["coverage"]["legs_iv_solved"] == 0


@pytest.mark.gen_test
async def test_probability_falls_as_the_strike_rises(sandbox, chain, post):
    odds = []
    for steps in (-8, -3, 0, 3, 8):
        data = (await post(sandbox, asked(chain, around(chain, steps)))).data
        odds.append(data["probability_of_profit"])
    assert all(1 > left > right > 0 for left, right in itertools.pairwise(odds))


@pytest.mark.gen_test
async def test_both_sides_of_a_trade_share_the_certainty(sandbox, chain, post):
    legs = [around(chain, 0, "sell", "CE"), around(chain, 0, "sell", "PE"), around(chain, 5)]
    turned = [{**leg, "side": "sell" if leg["side"] == "buy" else "buy"} for leg in legs]
    one, other = [(await post(sandbox, asked(chain, *side))).data for side in (legs, turned)]
    total = one["probability_of_profit"] + other["probability_of_profit"]
    assert total == pytest.approx(1, abs=1e-4)
    assert one["net_premium"] == -other["net_premium"]


@pytest.mark.gen_test
async def test_expiry_left_out_is_the_nearest(sandbox, fetch, post):
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    wanted = asked(chain, around(chain, 0))
    del wanted["expiry"]
    assert (await post(sandbox, wanted)).data["expiry"] == chain["expiry"]


@pytest.mark.gen_test
async def test_symbol_is_taken_in_lower_case(sandbox, chain, post):
    answer = await post(sandbox, {**asked(chain, around(chain, 0)), "symbol": "nifty"})
    assert answer.data["symbol"] == "NIFTY"


LEG = {"strike": 24000, "option_type": "CE", "side": "buy", "quantity": 1}
BODY = {"symbol": "NIFTY", "legs": [LEG]}
INVALID = [
    # body, field, rule named, value named
    ({}, "symbol", "is required", "was not given"),
    ({}, "legs", "is required", "was not given"),
    ({**BODY, "symbol": 5}, "symbol", "must be", "5"),
    ({**BODY, "expiry": "soon"}, "expiry", "YYYY-MM-DD", "'soon'"),
    ({**BODY, "legs": []}, "legs", f"1 to {MAX_LEGS} legs", ""),
    ({**BODY, "legs": [LEG] * (MAX_LEGS + 1)}, "legs", f"1 to {MAX_LEGS} legs", ""),
    ({**BODY, "legs": LEG}, "legs", "must be a list", ""),
    ({**BODY, "legs": [LEG, 5]}, "legs.1._schema", "must be an object", ""),
    ({**BODY, "legs": [{**LEG, "strike": 0}]}, "legs.0.strike", "from 0.01 to", "was 0"),
    ({**BODY, "legs": [{**LEG, "strike": "24000"}]}, "legs.0.strike", "must be a number", "'24000'"),
    ({**BODY, "legs": [{**LEG, "strike": True}]}, "legs.0.strike", "must be a number", "True"),
    ({**BODY, "legs": [{**LEG, "option_type": "call"}]}, "legs.0.option_type", "CE or PE", "call"),
    ({**BODY, "legs": [{**LEG, "side": 1}]}, "legs.0.side", "must be a text", "1"),
    ({**BODY, "legs": [{**LEG, "quantity": 0}]}, "legs.0.quantity", "whole number from 1", "was 0"),
    ({**BODY, "legs": [{**LEG, "quantity": 1.5}]}, "legs.0.quantity", "whole number", "1.5"),
    ({**BODY, "legs": [{**LEG, "quantity": "1"}]}, "legs.0.quantity", "whole number", "'1'"),
    ({**BODY, "legs": [{**LEG, "price": -1}]}, "legs.0.price", "from 0 to", "-1"),
    ({**BODY, "legs": [{**LEG, "price": "1"}]}, "legs.0.price", "must be a number", "'1'"),
    ({**BODY, "legs": [{**LEG, "lots": 1}]}, "legs.0.lots", "is not a parameter here", "was 1"),
    ({**BODY, "spot_range_percent": 0}, "spot_range_percent", "from 0.1 to 90", "was 0"),
    ({**BODY, "spot_range_percent": 91}, "spot_range_percent", "from 0.1 to 90", "was 91"),
    ({**BODY, "points": 1}, "points", "whole number from 2 to 1001", "was 1"),
    ({**BODY, "points": 1002}, "points", "whole number from 2 to 1001", "1002"),
    ({**BODY, "x": 1}, "x", "is not a parameter here", "was 1"),
    ([], "_schema", "must be an object", ""),
    (None, "_schema", "must be an object", ""),
    (b"", "body", "must be JSON", ""),
    (b"{", "body", "must be JSON", ""),
    (b"\xff\xfe", "body", "must be JSON", ""),
    (b'{"points": NaN}', "body", "must be JSON", ""),
    (b'{"legs": ' + b"[" * 5000, "body", "must be JSON", ""),
    (b"[" * 5000 + b"]" * 5000, "body", "must be JSON", ""),
]


@pytest.mark.parametrize(("body", "field", "rule", "value"), INVALID)
@pytest.mark.gen_test
async def test_invalid_strategy_is_told_with_rule_and_value(sandbox, post, body, field, rule, value):
    answer = await post(sandbox, body)
    assert answer.status == 400
    assert answer.error["code"] == "VALIDATION_ERROR"
    sentences = answer.error["details"][field]
    assert any(rule in sentence and value in sentence for sentence in sentences), sentences


@pytest.mark.gen_test
async def test_body_that_is_not_called_json_is_refused(sandbox, post):
    answer = await post(sandbox, BODY, **{"Content-Type": "text/plain"})
    assert answer.status == 400
    assert answer.error["details"] == {"Content-Type": ["must be application/json, was text/plain"]}


@pytest.mark.gen_test
async def test_strategy_takes_no_query(sandbox, post):
    answer = await post(sandbox, BODY, "/api/strategy?symbol=NIFTY")
    assert answer.status == 400
    assert answer.error["details"].keys() == {"symbol"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NIFTI"}, "UNKNOWN_SYMBOL"),
        ({"expiry": "2026-11-28"}, "UNKNOWN_EXPIRY"),
        ({"legs": [{**LEG, "strike": 24000.05}]}, "UNKNOWN_CONTRACT"),
    ],
)
@pytest.mark.gen_test
async def test_what_is_not_listed_is_told(sandbox, post, change, code):
    answer = await post(sandbox, {**BODY, **change})
    assert answer.status == 404
    assert answer.error["code"] == code
    if code == "UNKNOWN_CONTRACT":
        assert 24000 in answer.error["details"]["near"]
        assert "24000.05" in answer.body["message"]


@pytest.mark.gen_test
async def test_chain_without_data_yet_asks_to_come_back(make_sandbox, post):
    sandbox = await make_sandbox(own_market=True, steps=0)
    answer = await post(sandbox, BODY)
    assert answer.status == 503
    assert answer.error["code"] == "FEED_UNAVAILABLE"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.gen_test
async def test_route_takes_posts_only(sandbox, fetch, method):
    answer = await fetch(sandbox, "/api/strategy", method=method, allow_nonstandard_methods=True)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.gen_test
async def test_preflight_names_the_verb(sandbox, fetch):
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = await fetch(sandbox, "/api/strategy", method="OPTIONS", headers=headers)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"


@pytest.mark.gen_test
async def test_answer_is_not_to_be_kept(sandbox, chain, post):
    answer = await post(sandbox, asked(chain, around(chain, 0)))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


positions = st.lists(
    st.tuples(
        st.integers(-15, 15),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["CE", "PE"]),
        st.integers(1, 10_000),
        st.none() | st.floats(0, 10_000_000, allow_subnormal=False),
    ),
    min_size=1,
    max_size=MAX_LEGS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(positions, st.floats(0.1, 90), st.integers(2, 50))
def test_any_position_is_answered_within_its_limits(
    io_loop, sandbox, chain, post, position, range_percent, points
):
    legs = [around(chain, *leg[:4], price=leg[4]) for leg in position]
    wanted = asked(chain, *legs, spot_range_percent=range_percent, points=points)
    answer = io_loop.run_sync(lambda: post(sandbox, wanted))
    data = strict_json(answer.raw)["data"]
    assert problems(StrategySchema(), data) == []
    ends = [point["at_expiry"] for point in data["curve"]]
    slack = 0.02 + 1e-9 * max(map(abs, ends))
    assert (data["max_profit"] is None) == data["unlimited_profit"]
    assert (data["max_loss"] is None) == data["unlimited_loss"]
    if data["max_profit"] is not None:
        assert max(ends) <= data["max_profit"] + slack
    if data["max_loss"] is not None:
        assert min(ends) >= -data["max_loss"] - slack
    assert 0 <= data["probability_of_profit"] <= 1
    assert {leg["strike"] for leg in legs} <= {point["spot_price"] for point in data["curve"]}
