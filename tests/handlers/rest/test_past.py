"""The past by REST: chains and dashboards at an instant, and series of their figures."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.instants import to_datetime, to_ms
from feed.history.history import Reach
from schemas.wire import timestamp
from tests.feed.conftest import cluster, postgres_url, store_url  # noqa: F401 - fixtures
from tests.handlers.kept_market import at, kept_market

BEGIN = at("2026-11-23T09:58:29.5")  # a step later the last instant of a minute: what is recorded of it
MINUTES = 3
# what a state of the past cannot have: it is no state of a stream, and sizes of quotes are not recorded
OF_THE_PRESENT = {"epoch", "seq"}
NOT_RECORDED = {f"{side}_{name}" for side in ("ce", "pe") for name in ("bid_qty", "ask_qty")}
POINT_FIELDS = (
    "spot_price",
    "forward",
    "pcr_oi",
    "pcr_volume",
    "max_pain",
    "atm_iv",
    "straddle_price",
    "total_ce_oi",
    "total_pe_oi",
    "total_ce_oi_change",
    "total_pe_oi_change",
    "total_ce_volume",
    "total_pe_volume",
    "volatility_index",
    "near_month_iv",
)


def iso(at_ms):
    return to_datetime(at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def minute_of(text):
    return to_ms(datetime.fromisoformat(text)) // 60_000 * 60_000


async def asked(fetch, sandbox, path):
    answer = await fetch(sandbox, path)
    return answer.data


async def recorded(make_sandbox, fetch, url, chains):
    """A market over a store, and what was said of some chains at the end of each of its minutes."""
    market = kept_market(url, BEGIN, step_ms=30_000, reach=Reach(30, 1))
    sandbox = await make_sandbox(parts=market, steps=1)
    said = []
    for _ in range(MINUTES):
        for chain in chains:
            live = [
                await asked(fetch, sandbox, f"/api/{name}?{chain}")
                for name in ("option_chain", "dashboard_data")
            ]
            said.append((chain, *live))
        await sandbox.step(2)
    return sandbox, said


def assert_same(past, live, *, without):
    assert {name for name in live if past[name] != live[name]} <= without


@pytest.mark.gen_test
async def test_the_past_is_what_was_said_when_it_was_the_present(make_sandbox, fetch, store_url):  # noqa: F811
    chains = ("symbol=NIFTY&expiry=2026-12-01", "symbol=CRUDEOIL")
    sandbox, said = await recorded(make_sandbox, fetch, store_url, chains)
    for chain, live, board in said:
        moment = live["as_of"]
        past = await asked(fetch, sandbox, f"/api/option_chain?{chain}&at={moment}")
        assert past["as_of"] == live["as_of"]
        assert past["source"] == "simulated"
        assert_same(past, live, without=OF_THE_PRESENT | {"option_chain"})
        for row, live_row in zip(past["option_chain"], live["option_chain"], strict=True):
            assert_same(row, live_row, without=NOT_RECORDED)
            assert all(row[name] is None for name in NOT_RECORDED)
        past = await asked(fetch, sandbox, f"/api/dashboard_data?{chain}&at={moment}")
        assert_same(past, board, without=OF_THE_PRESENT)
        assert past["iv_rank"] is not None
    for chain in chains:
        lives = [(live, board) for name, live, board in said if name == chain]
        await check_points(fetch, sandbox, lives)
        await check_open_interest(fetch, sandbox, lives)
    await sandbox.server.history.stop()


async def check_points(fetch, sandbox, lives):
    """Each minute of the series says what the dashboard said; a longer interval is its last minute."""
    symbol, expiry = lives[0][0]["symbol"], lives[0][0]["expiry"]
    path = f"/api/dashboard-history/{symbol}?expiry={expiry}&from={iso(BEGIN - 60_000)}&interval="
    points = {point["date"]: point for point in (await asked(fetch, sandbox, path + "1m"))["points"]}
    for live, board in lives:
        point = points[timestamp(minute_of(live["as_of"]))]
        assert {name: point[name] for name in POINT_FIELDS} == {name: board[name] for name in POINT_FIELDS}
    fives = (await asked(fetch, sandbox, path + "5m"))["points"]
    minutes = sorted(points)
    for point, following in zip(fives, [*fives[1:], {"date": "9999"}], strict=True):
        last = [minute for minute in minutes if minute < following["date"]][-1]
        assert point == {**points[last], "date": point["date"]}


async def check_open_interest(fetch, sandbox, lives):
    """Each minute of the series says what the chain said, strike by strike."""
    first = lives[0][0]
    rows = [row["strike_price"] for row in first["option_chain"]][::7][:40]
    strikes = ",".join(f"{strike:g}" for strike in rows) + ","
    path = f"/api/oi-history/{first['symbol']}?expiry={first['expiry']}&strikes={strikes}&interval=1m"
    series = await asked(fetch, sandbox, f"{path}&from={iso(BEGIN - 60_000)}")
    assert series["source"] == "simulated"
    assert [entry["strike_price"] for entry in series["strikes"]] == rows
    for live, _ in lives:
        place = series["dates"].index(timestamp(minute_of(live["as_of"])))
        by_strike = {row["strike_price"]: row for row in live["option_chain"]}
        for entry in series["strikes"]:
            row = by_strike[entry["strike_price"]]
            for name in ("ce_oi", "pe_oi", "ce_oi_change", "pe_oi_change"):
                assert entry[name][place] == row[name], name


@pytest.fixture
def aged(io_loop, make_sandbox, aged_parts):
    """A server over a market that was recorded from 09:14 to 09:40, at 09:30:47 for one."""
    feed = {"start": "2026-11-23T09:13:30+05:30", "speed": 122.0}
    return io_loop.run_sync(lambda: make_sandbox(parts=aged_parts, steps=0, feed=feed))


@pytest.mark.parametrize("route", ["option_chain", "dashboard_data"])
@pytest.mark.parametrize("moment", ["2026-11-20T10:00", "2026-11-23T09:10", "2020-01-01"])
@pytest.mark.gen_test
async def test_what_was_not_recorded_is_not_found_and_the_answer_says_what_is(aged, fetch, route, moment):
    answer = await fetch(aged, f"/api/{route}?symbol=NIFTY&at={moment}")
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    covered = answer.error["details"]["covered"]
    if moment >= "2026-11-23":
        assert covered["from"][:16] == "2026-11-23T03:44"
        assert covered["to"][:16] == "2026-11-23T04:09"
        assert covered["from"] in answer.body["message"]
    inside = f"{covered['to']}" if covered else "2026-11-23T09:30"
    assert (await fetch(aged, f"/api/{route}?symbol=NIFTY&at={inside}")).status == 200


@pytest.mark.gen_test
async def test_instant_is_answered_with_the_newest_state_that_was_complete_by_then(aged, fetch):
    for moment, as_of in (
        ("2026-11-23T09:30:59", "2026-11-23T04:00:47.000Z"),
        ("2026-11-23T09:30:47", "2026-11-23T04:00:47.000Z"),
        ("2026-11-23T09:30:46", "2026-11-23T03:59:46.000Z"),
    ):
        past = await asked(fetch, aged, f"/api/option_chain?symbol=NIFTY&strikes=2&at={moment}")
        assert past["as_of"] == as_of
        assert past["stale"] is False
        assert len(past["option_chain"]) == 5
        again = await asked(fetch, aged, f"/api/dashboard_data?symbol=NIFTY&at={moment}")
        assert again["as_of"] == as_of


@pytest.mark.gen_test
async def test_answer_about_the_past_is_cached_by_its_state(aged, fetch):
    path = "/api/option_chain?symbol=NIFTY&at=2026-11-23T09:30:59"
    first = await fetch(aged, path)
    assert first.data["epoch"] == "history"
    again = await fetch(aged, path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    other = await fetch(aged, path.replace("09:30", "09:31"))
    assert other.headers["ETag"] != first.headers["ETag"]


REFUSED = [
    ("/api/option_chain?symbol=NIFTY&at=soon", "at", "'soon'"),
    ("/api/option_chain?symbol=NIFTY&at=2026-11-23T09:41", "at", "must not lie in the future"),
    ("/api/dashboard_data?symbol=NIFTY&at=2199-01-01", "at", "must not lie in the future"),
    ("/api/dashboard-history/NIFTY?interval=2m", "interval", "'2m'"),
    ("/api/dashboard-history/NIFTY?from=2026-11-23&to=2026-11-20", "from", "must not be after `to`"),
    ("/api/dashboard-history/NIFTY?from=2020-01-01", "from", "must be at most 400 days before `to`"),
    ("/api/dashboard-history/NIFTY?per_page=0", "per_page", "'0'"),
    ("/api/dashboard-history/NIFTY?strikes=3", "strikes", "is not a parameter here"),
    ("/api/dashboard-history/NIFTY?expiry=tuesday", "expiry", "'tuesday'"),
    ("/api/oi-history/NIFTY?strikes=61", None, None),
    ("/api/oi-history/NIFTY?strikes=0", "strikes", "'0'"),
    ("/api/oi-history/NIFTY?strikes=-3", "strikes", "'-3'"),
    ("/api/oi-history/NIFTY?strikes=ten", "strikes", "'ten'"),
    ("/api/oi-history/NIFTY?from=2026-11-01", "from", "must be at most 7 days before `to`"),
    ("/api/oi-history/NIFTY?page=1", "page", "is not a parameter here"),
    ("/api/oi-history/NIFTY?interval=second", "interval", "'second'"),
]


@pytest.mark.parametrize(("path", "name", "part"), REFUSED)
@pytest.mark.gen_test
async def test_bad_parameter_is_refused_with_its_rule_and_value(aged, fetch, path, name, part):
    answer = await fetch(aged, path)
    if name is None:  # a number too large for a count is a strike
        assert (answer.status, answer.error["code"]) == (404, "UNKNOWN_CONTRACT")
        return
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]) == [name]
    assert part in " ".join(answer.error["details"][name])


@pytest.mark.parametrize(
    "path", ["/api/dashboard-history/{}", "/api/oi-history/{}", "/api/option_chain?symbol={}"]
)
@pytest.mark.gen_test
async def test_what_is_not_listed_is_unknown(aged, fetch, path):
    join = "&" if "?" in path else "?"
    unknown = await fetch(aged, path.format("NIFTI"))
    assert (unknown.status, unknown.error["code"]) == (404, "UNKNOWN_SYMBOL")
    unlisted = await fetch(aged, f"{path.format('NIFTY')}{join}expiry=2026-11-28")
    assert (unlisted.status, unlisted.error["code"]) == (404, "UNKNOWN_EXPIRY")


@pytest.mark.gen_test
async def test_series_of_a_span_in_which_nothing_was_recorded_is_empty(aged, fetch):
    span = "from=2026-11-20&to=2026-11-21"
    points = await fetch(aged, f"/api/dashboard-history/NIFTY?{span}&interval=5m")
    assert points.data["points"] == []
    assert points.body["meta"]["pagination"]["total"] == 0
    assert points.data["source"] == "simulated"
    series = await asked(fetch, aged, f"/api/oi-history/NIFTY?{span}&strikes=1")
    assert series["dates"] == []
    assert all(entry["ce_oi"] == [] for entry in series["strikes"])


@pytest.mark.gen_test
async def test_series_left_to_itself_is_of_the_running_day_and_the_money(aged, fetch):
    points = (await asked(fetch, aged, "/api/dashboard-history/NIFTY"))["points"]
    assert [point["date"][11:16] for point in points] == [
        "03:40",
        "03:45",
        "03:50",
        "03:55",
        "04:00",
        "04:05",
    ]
    series = await asked(fetch, aged, "/api/oi-history/NIFTY")
    chain = await asked(fetch, aged, "/api/option_chain?symbol=NIFTY&strikes=10")
    assert [entry["strike_price"] for entry in series["strikes"]] == [
        row["strike_price"] for row in chain["option_chain"]
    ]


@pytest.mark.gen_test
async def test_pages_of_a_series_together_are_the_whole(aged, fetch):
    path = "/api/dashboard-history/NIFTY?interval=1m"
    whole = (await asked(fetch, aged, path))["points"]
    parts, page = [], 1
    while page is not None:
        answer = await fetch(aged, f"{path}&per_page=10&page={page}")
        parts += answer.data["points"]
        page = answer.body["meta"]["pagination"]["next"]
    assert parts == whole
    assert len(whole) == 26
