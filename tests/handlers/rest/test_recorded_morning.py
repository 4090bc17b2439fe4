"""A real recorded morning replayed at speed from end to end, with its figures at named minutes."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.processes import spawn

RECORDED = Path(__file__).parents[4] / "shared" / "domain" / "data" / "nifty_chain_intraday_20260819.csv.gz"
SPEED = 1200  # a minute every 50 ms, 102 of them
PATIENCE_S = 60.0

# Computed from the file alone, in plain Python: sums of open interest, the least pay-out, and Black-76 by
# bisection at the median forward of the five strikes nearest the spot.
# minute in UTC, expiry -> spot price, put-call ratio, max pain, volatility at the money
EXPECTED = {
    ("05:57", "2026-08-25"): (24052.40, 0.6769, 24150, 9.87),
    ("05:57", "2026-09-01"): (24052.40, 0.8775, 24200, 10.00),
    ("06:15", "2026-08-25"): (24050.95, 0.6721, 24150, 9.87),
    ("06:30", "2026-08-25"): (24080.45, 0.6886, 24150, 9.69),
    ("06:30", "2026-09-01"): (24080.45, 0.8779, 24200, 9.90),
    ("06:47", "2026-08-25"): (24053.65, 0.6802, 24150, 9.77),
    ("07:00", "2026-08-25"): (24058.70, 0.6769, 24150, 9.75),
    ("07:38", "2026-08-25"): (24062.70, 0.6724, 24150, 9.69),
    ("07:38", "2026-09-01"): (24062.70, 0.8723, 24200, 9.88),
}
FIRST, LAST = ("2026-08-19T05:57:00.000Z", "2026-08-19T07:38:00.000Z")

pytestmark = pytest.mark.skipif(
    not RECORDED.is_file(),
    reason="the recorded data belongs to the exchanges and is not part of the repository",
)


@pytest.fixture(scope="module")
def morning(tmp_path_factory):
    """A server that begins to replay it; it stops at the end."""
    log = tmp_path_factory.mktemp("morning") / "log"
    options = ["--publish-interval-ms", "50", "--set", "replay.loop=false", "--set", "feed.control=true"]
    process = spawn(log, "--replay", str(RECORDED), "--speed", str(SPEED), *options)
    yield process
    assert process.stop() == 0
    process.popen.stdout.close()
    assert "Traceback" not in log.read_text()


@pytest.fixture
def steer(fetch, morning):
    async def post(**body):
        headers = {"Content-Type": "application/json"}
        answer = await fetch(morning, "/api/replay", method="POST", body=json.dumps(body), headers=headers)
        return answer.data

    return post


@pytest.fixture
def ended(io_loop, morning, fetch):
    """The same once all has been played."""

    async def wait():
        end_s = time.monotonic() + PATIENCE_S
        while not (await fetch(morning, "/api/replay")).data["finished"]:
            assert time.monotonic() < end_s
            await asyncio.sleep(0.05)

    io_loop.run_sync(wait)
    return morning


def figures(board):
    return board["spot_price"], board["pcr_oi"], board["max_pain"], board["atm_iv"]


def wanted(minute, expiry):
    """The expected figures; a volatility may be rounded the other way."""
    spot, ratio, pain, volatility = EXPECTED[minute, expiry]
    return spot, ratio, pain, pytest.approx(volatility, abs=0.0101)


@pytest.mark.gen_test
async def test_streams_show_the_figures_while_it_runs(morning, connect, steer):
    await steer(action="pause")
    await steer(action="seek", at=FIRST)
    client = await connect(morning)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.ask("subscribe_dashboard", {"symbol": "NIFTY", "expiry": "2026-08-25"})
    await steer(action="resume")
    spots, boards = {}, {}
    while LAST not in spots:
        update = await client.next("symbol_update")
        spots[update["as_of"]] = update["spot_price"]
    while LAST not in boards:
        board = await client.next("dashboard_data")
        boards[board["as_of"]] = figures(board)
    assert len(spots) == 102
    for minute, _ in EXPECTED:
        assert spots[f"2026-08-19T{minute}:00.000Z"] == EXPECTED[minute, "2026-08-25"][0]
    for at, board in boards.items():  # one a second, so not every minute
        if (at[11:16], "2026-08-25") in EXPECTED:
            assert board == wanted(at[11:16], "2026-08-25")


@pytest.mark.parametrize(("minute", "expiry"), EXPECTED)
@pytest.mark.gen_test
async def test_past_of_the_replay_has_the_figures(ended, fetch, minute, expiry):
    at = f"2026-08-19T{minute}:30Z"
    board = (await fetch(ended, f"/api/dashboard_data?symbol=NIFTY&expiry={expiry}&at={at}")).data
    assert figures(board) == wanted(minute, expiry)
    assert (board["source"], board["as_of"]) == ("replay", f"2026-08-19T{minute}:00.000Z")
    chain = (await fetch(ended, f"/api/option_chain?symbol=NIFTY&expiry={expiry}&at={at}")).data
    assert (chain["spot_price"], chain["pcr_oi"], chain["max_pain"]) == EXPECTED[minute, expiry][:3]


@pytest.mark.gen_test
async def test_series_of_the_morning_have_every_minute(ended, fetch):
    path = f"/api/dashboard-history/NIFTY?expiry=2026-08-25&interval=1m&from={FIRST}&per_page=200"
    points = {row["date"][11:16]: row for row in (await fetch(ended, path)).data["points"]}
    for minute, expiry in EXPECTED:
        if expiry == "2026-08-25" and minute != "07:38":  # that minute is not over
            assert figures(points[minute]) == wanted(minute, expiry)
    path = f"/api/historical-data/NIFTY?interval=1m&from={FIRST}&per_page=200"
    closes = {row["date"][11:16]: row["close"] for row in (await fetch(ended, path)).data["candles"]}
    assert len(closes) == 102
    for minute, expiry in EXPECTED:
        assert closes[minute] == EXPECTED[minute, expiry][0]


@pytest.mark.parametrize("minute", ["06:30", "05:57", "07:38"])
@pytest.mark.gen_test
async def test_seek_shows_the_figures_live(morning, fetch, steer, minute):
    await steer(action="pause")
    await steer(action="seek", at=f"2026-08-19T{minute}:00Z")
    for at, expiry in EXPECTED:
        if at == minute:
            live = (await fetch(morning, f"/api/dashboard_data?symbol=NIFTY&expiry={expiry}")).data
            assert figures(live) == wanted(minute, expiry)
