"""/api/option_chain and /api/dashboard_data: the figures agree with each other and with their units."""

import math
from datetime import datetime

import pytest

from schemas.chains import ChainSchema
from schemas.dashboard import DashboardSchema
from tests.handlers.shapes import problems, strict_json

SYMBOLS = ("NIFTY", "SENSEX", "RELIANCE", "CRUDEOIL", "M%26M")
SIDES = ("ce", "pe")


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.gen_test
async def test_chain_is_as_its_schema_says(sandbox, fetch, symbol):
    answer = await fetch(sandbox, f"/api/option_chain?symbol={symbol}")
    assert problems(ChainSchema(), strict_json(answer.raw)["data"]) == []


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.gen_test
async def test_dashboard_is_as_its_schema_says(sandbox, fetch, symbol):
    answer = await fetch(sandbox, f"/api/dashboard_data?symbol={symbol}")
    assert problems(DashboardSchema(), strict_json(answer.raw)["data"]) == []


@pytest.mark.parametrize("route", ["option_chain", "dashboard_data"])
@pytest.mark.gen_test
async def test_expiry_left_out_is_the_nearest(sandbox, fetch, route):
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    data = (await fetch(sandbox, f"/api/{route}?symbol=NIFTY")).data
    assert data["expiry"] == expiries[0]


@pytest.mark.parametrize("route", ["option_chain", "dashboard_data"])
@pytest.mark.gen_test
async def test_every_listed_expiry_can_be_asked_for(sandbox, fetch, route):
    expiries = (await fetch(sandbox, "/api/expiries/nifty")).data["expiry_dates"]
    for expiry in expiries:
        data = (await fetch(sandbox, f"/api/{route}?symbol=nifty&expiry={expiry}")).data
        assert (data["symbol"], data["expiry"]) == ("NIFTY", expiry)


@pytest.mark.gen_test
async def test_strikes_ascend_and_one_of_them_is_at_the_money(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    strikes = [row["strike_price"] for row in data["option_chain"]]
    assert strikes == sorted(set(strikes))
    assert [row["strike_price"] for row in data["option_chain"] if row["is_atm"]] == [data["atm_strike"]]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.gen_test
async def test_at_the_money_is_the_listed_strike_nearest_the_spot(sandbox, fetch, symbol):
    data = (await fetch(sandbox, f"/api/option_chain?symbol={symbol}")).data
    strikes = [row["strike_price"] for row in data["option_chain"]]
    assert data["atm_strike"] == min(strikes, key=lambda strike: abs(strike - data["spot_price"]))


@pytest.mark.parametrize("count", [1, 5, 10])
@pytest.mark.gen_test
async def test_window_keeps_so_many_strikes_on_each_side(sandbox, fetch, count):
    whole = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    rows = (await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&strikes={count}")).data["option_chain"]
    money = next(i for i, row in enumerate(whole["option_chain"]) if row["is_atm"])
    assert rows == whole["option_chain"][money - count : money + count + 1]


@pytest.mark.gen_test
async def test_window_wider_than_the_chain_is_the_chain(sandbox, fetch):
    whole = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    assert (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=1000")).data == whole


@pytest.mark.gen_test
async def test_window_changes_nothing_but_the_rows(sandbox, fetch):
    whole = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    part = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=5")).data
    del whole["option_chain"], part["option_chain"]
    assert part == whole


def _sum(rows, name):
    return sum(row[name] for row in rows if row[name] is not None)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.gen_test
async def test_totals_are_sums_over_all_strikes(sandbox, fetch, symbol):
    data = (await fetch(sandbox, f"/api/option_chain?symbol={symbol}")).data
    rows = data["option_chain"]
    for side in SIDES:
        assert data[f"total_{side}_oi"] == _sum(rows, f"{side}_oi")
        assert data[f"total_{side}_oi_change"] == _sum(rows, f"{side}_oi_change")
        assert data[f"total_{side}_volume"] == _sum(rows, f"{side}_volume")
    assert data["pcr_oi"] == pytest.approx(data["total_pe_oi"] / data["total_ce_oi"], abs=5e-5)
    assert data["pcr_volume"] == pytest.approx(data["total_pe_volume"] / data["total_ce_volume"], abs=5e-5)


@pytest.mark.gen_test
async def test_max_pain_is_the_strike_that_pays_holders_least(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    rows = data["option_chain"]

    def payout(at):
        calls = sum(row["ce_oi"] * max(0, at - row["strike_price"]) for row in rows)
        return calls + sum(row["pe_oi"] * max(0, row["strike_price"] - at) for row in rows)

    assert data["max_pain"] == min((row["strike_price"] for row in rows), key=payout)


@pytest.mark.gen_test
async def test_coverage_counts_what_the_rows_have(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    rows, coverage = data["option_chain"], data["coverage"]
    assert coverage["strikes"] == len(rows)
    assert coverage["iv_solved"] == sum(row[f"{side}_iv"] is not None for row in rows for side in SIDES)
    assert coverage["iv_solved"] <= coverage["quoted"] <= 2 * len(rows)


@pytest.mark.gen_test
async def test_legs_are_coherent(sandbox, fetch):
    expiry = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"][1]
    data = (await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&expiry={expiry}&strikes=10")).data
    for row in data["option_chain"]:
        for side, sign in (("ce_", 1), ("pe_", -1)):
            leg = {name.removeprefix(side): value for name, value in row.items() if name.startswith(side)}
            assert leg["bid_price"] < leg["ask_price"]
            assert leg["low"] <= leg["ltp"] <= leg["high"]
            assert leg["change"] == pytest.approx(leg["ltp"] - leg["prev_close"], abs=0.006)
            intrinsic = max(0, sign * (data["spot_price"] - row["strike_price"]))
            assert leg["intrinsic"] == pytest.approx(intrinsic, abs=0.006)
            assert leg["time_val"] == pytest.approx(leg["ltp"] - leg["intrinsic"], abs=0.006)
            assert 0 <= sign * leg["delta"] <= 1


@pytest.mark.gen_test
async def test_quote_that_nobody_makes_has_no_price_and_no_size(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    for row in data["option_chain"]:
        for side in ("ce_bid", "ce_ask", "pe_bid", "pe_ask"):
            assert row[f"{side}_price"] != 0
            assert (row[f"{side}_price"] is None) == (not row[f"{side}_qty"]), side


@pytest.mark.gen_test
async def test_greeks_at_the_money_are_in_the_units_of_the_contract(sandbox, fetch):
    expiry = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"][2]
    data = (await fetch(sandbox, f"/api/option_chain?symbol=NIFTY&expiry={expiry}&strikes=1")).data
    row = data["option_chain"][1]
    left = datetime.fromisoformat(data["expires_at"]) - datetime.fromisoformat(data["as_of"])
    years = left.total_seconds() / (365 * 86400)
    forward, root = data["forward"], math.sqrt(years)
    for side in SIDES:
        volatility = row[f"{side}_iv"] / 100
        # at the money the density is that of d1 = 0 to a per cent
        density = math.exp(-data["interest_rate"] * years) / math.sqrt(2 * math.pi)
        assert row[f"{side}_vega"] == pytest.approx(forward * density * root / 100, rel=0.03)
        assert row[f"{side}_gamma"] == pytest.approx(density / (forward * volatility * root), rel=0.03)
        decay = forward * density * volatility / (2 * root) / 365
        assert row[f"{side}_theta"] == pytest.approx(-decay, rel=0.15)
    assert row["ce_delta"] - row["pe_delta"] == pytest.approx(1, abs=0.02)


@pytest.mark.gen_test
async def test_forward_is_read_from_put_call_parity(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=1")).data
    row = data["option_chain"][1]
    middles = [(row[f"{side}_bid_price"] + row[f"{side}_ask_price"]) / 2 for side in SIDES]
    spread = sum(row[f"{side}_ask_price"] - row[f"{side}_bid_price"] for side in SIDES)
    assert data["forward"] == pytest.approx(row["strike_price"] + middles[0] - middles[1], abs=spread + 0.5)
    assert data["coverage"]["forward_strikes"] > 0


@pytest.mark.gen_test
async def test_time_stamp_of_a_chain_is_its_newest_input(sandbox, fetch):
    data = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    assert data["timestamp"] == data["as_of"]
    assert data["source"] == "simulated"


@pytest.mark.gen_test
async def test_dashboard_agrees_with_its_chain(sandbox, fetch):
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    shared = board.keys() & chain.keys()
    assert shared >= {
        "epoch",
        "seq",
        "forward",
        "pcr_oi",
        "max_pain",
        "atm_strike",
        "coverage",
        "total_ce_oi",
    }
    for name in shared:
        assert board[name] == chain[name], name


@pytest.mark.gen_test
async def test_curve_of_the_dashboard_has_its_lowest_point_at_max_pain(sandbox, fetch):
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    lowest = min(board["max_pain_curve"], key=lambda point: point["payout"])
    assert lowest["strike_price"] == board["max_pain"]


@pytest.mark.parametrize(("wall", "side"), [("support", "pe"), ("resistance", "ce")])
@pytest.mark.gen_test
async def test_walls_are_the_three_strikes_with_most_open_interest(sandbox, fetch, wall, side):
    rows = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).data["option_chain"]
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    most = sorted((row[f"{side}_oi"] for row in rows), reverse=True)[:3]
    assert [point["oi"] for point in board[wall]] == most
    by_strike = {row["strike_price"]: row[f"{side}_oi"] for row in rows}
    assert all(by_strike[point["strike_price"]] == point["oi"] for point in board[wall])


@pytest.mark.gen_test
async def test_rank_of_volatility_is_null_without_twenty_days(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, history={"backfill_days": 19})
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    assert board["iv_days"] == 19
    assert board["iv_rank"] is None
    assert board["iv_percentile"] is None


@pytest.mark.parametrize("symbol", ["NIFTY", "BANKEX", "M%26M", "GOLDM"])
@pytest.mark.gen_test
async def test_rank_of_volatility_is_known_at_once_and_the_same_for_every_expiry(sandbox, fetch, symbol):
    days = (await fetch(sandbox, f"/api/expiries/{symbol}")).data["expiry_dates"]
    boards = [
        (await fetch(sandbox, f"/api/dashboard_data?symbol={symbol}&expiry={day}")).data for day in days[:6]
    ]
    for board in boards:
        assert board["iv_days"] == 40  # what the sandbox is filled with
        assert 0 <= board["iv_rank"] <= 100
        assert 0 <= board["iv_percentile"] <= 100
        for name in ("near_month_iv", "iv_rank", "iv_percentile"):
            assert board[name] == boards[0][name], name
    near = boards[0]["near_month_iv"]
    assert near in [board["atm_iv"] for board in boards]


@pytest.mark.gen_test
async def test_expected_range_lies_around_the_forward(sandbox, fetch):
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    expected = board["expected_range"]
    assert expected["low"] < board["forward"] < expected["high"]
    assert board["expected_move"] == pytest.approx((expected["high"] - expected["low"]) / 2, rel=0.05)
    assert board["basis"] == pytest.approx(board["forward"] - board["spot_price"], abs=0.011)


@pytest.mark.gen_test
async def test_exposure_by_strike_adds_up_and_names_its_convention(sandbox, fetch):
    exposure = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data["gamma_exposure"]
    total = sum(point["exposure"] for point in exposure["by_strike"] if point["exposure"] is not None)
    assert exposure["total"] == pytest.approx(total, abs=0.01 * len(exposure["by_strike"]))
    assert abs(exposure["total"]) <= exposure["unsigned_total"]
    assert "long calls and short puts" in exposure["convention"]


@pytest.mark.gen_test
async def test_sentiment_shows_the_numbers_it_rests_on(sandbox, fetch):
    board = (await fetch(sandbox, "/api/dashboard_data?symbol=NIFTY")).data
    quote = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert board["sentiment"]["word"] in ("bullish", "neutral", "bearish")
    assert board["sentiment"]["pcr_oi"] == board["pcr_oi"]
    assert board["sentiment"]["change_percent"] == quote["change_percent"]
