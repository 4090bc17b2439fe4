"""The rank of volatility: from the first start, and what the daily series that is shown makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.volatility_rank import rank_and_percentile

SERIES = "/api/dashboard-history/{}?interval=1d&from=2025-11-01&per_page=1000"
YEAR = {"backfill_days": 300, "backfill_sessions": 1}


@pytest.fixture
def year(io_loop, make_sandbox):
    """A market with more than a year of sessions behind it."""
    return io_loop.run_sync(lambda: make_sandbox(own_market=True, history=YEAR))


async def past_volatilities(sandbox, fetch, symbol):
    """The sessions that are over, of the daily series."""
    points = (await fetch(sandbox, SERIES.format(symbol))).data["points"]
    return np.array([point["near_month_iv"] for point in points if point["date"] < "2026-11-23"])


@pytest.mark.parametrize("symbol", ["NIFTY", "SENSEX", "RELIANCE", "CRUDEOIL"])
@pytest.mark.gen_test
async def test_rank_and_percentile_are_those_of_the_daily_series(year, fetch, symbol):
    past = await past_volatilities(year, fetch, symbol)
    board = (await fetch(year, f"/api/dashboard_data?symbol={symbol}")).data
    assert board["iv_days"] == 252
    expected = rank_and_percentile(past[-252:], board["near_month_iv"])
    # the series is told to two decimals, so a rank may be off by half of one, and days may tie
    width = past[-252:].max() - past[-252:].min()
    assert board["iv_rank"] == pytest.approx(100 * expected.rank, abs=100 * 0.02 / width)
    ties = np.count_nonzero(np.abs(past[-252:] - board["near_month_iv"]) < 0.011)
    assert board["iv_percentile"] == pytest.approx(100 * expected.percentile, abs=100 * ties / 252 + 0.006)
    assert 0 <= board["iv_rank"] <= 100


@pytest.mark.gen_test
async def test_sessions_before_the_first_record_have_their_close_and_volatility_and_nothing_else(year, fetch):
    answer = await fetch(year, SERIES.format("NIFTY"))
    assert answer.data["source"] == "simulated"
    candles = (await fetch(year, "/api/historical-data/NIFTY?interval=1d&from=2025-11-01&per_page=1000")).data
    closes = {row["date"]: row["close"] for row in candles["candles"]}
    past = [point for point in answer.data["points"] if point["date"] < "2026-11-23"]
    assert [point["date"] for point in past] == [date for date in closes if date < "2026-11-23"]
    for point in past:
        known = {name for name, value in point.items() if value is not None}
        assert known == {"date", "spot_price", "near_month_iv"}
        assert point["spot_price"] == closes[point["date"]]
    assert len({point["near_month_iv"] for point in past}) > 100


@pytest.mark.gen_test
async def test_two_servers_of_one_seed_rank_alike_whatever_they_were_asked_before(make_sandbox, fetch):
    first, second = [await make_sandbox(own_market=True, history=YEAR) for _ in range(2)]
    await fetch(first, "/api/historical-data/NIFTY?interval=1d")
    path = "/api/dashboard_data?symbol=NIFTY"
    boards = [(await fetch(sandbox, path)).data for sandbox in (first, second)]
    assert boards[0] == boards[1]
    series = [(await fetch(sandbox, SERIES.format("NIFTY"))).data for sandbox in (first, second)]
    assert series[0] == series[1]


@pytest.mark.gen_test
async def test_weeks_end_with_their_last_session(year, fetch):
    path = "/api/dashboard-history/NIFTY?from=2026-09-01&interval="
    days, weeks = [(await fetch(year, path + interval)).data["points"] for interval in ("1d", "1w")]
    assert len(weeks) < len(days) / 4
    for week, after in zip(weeks, [*weeks[1:], {"date": "9999"}], strict=True):
        last = [day for day in days if week["date"] <= day["date"] < after["date"]][-1]
        assert {**last, "date": week["date"]} == week


@pytest.mark.gen_test
async def test_series_ends_before_to_and_tells_no_session_that_had_not_ended(year, fetch):
    path = "/api/dashboard-history/NIFTY?interval=1d&from=2026-11-16&to=2026-11-19T{}%2B05:30"
    before, after = [(await fetch(year, path.format(time))).data["points"] for time in ("12:00", "15:45")]
    assert [point["date"][:10] for point in before] == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert [point["date"][:10] for point in after][-1] == "2026-11-19"


@pytest.mark.gen_test
async def test_a_session_that_was_recorded_counts_from_the_next_one_on(make_sandbox, fetch):
    start = {"start": "2026-11-23T15:37+05:30", "speed": 60.0}
    sandbox = await make_sandbox(own_market=True, feed=start)
    path = "/api/dashboard_data?symbol=NIFTY"
    last = None
    for _ in range(14):
        board = (await fetch(sandbox, path)).data
        if board["as_of"] < "2026-11-23T10:10":
            last = board["near_month_iv"]
        await sandbox.step()
    points = (await fetch(sandbox, "/api/dashboard-history/NIFTY?interval=1d&from=2026-11-23")).data["points"]
    monday = points[0]
    assert monday["date"] == "2026-11-23T03:45:00.000Z"
    assert monday["near_month_iv"] == pytest.approx(last, rel=0.01)
    board = (await fetch(sandbox, path)).data
    assert board["iv_days"] == 41
