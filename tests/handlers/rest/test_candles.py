"""/api/historical-data and /api/ohlc_data: candles of underlyings and contracts."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from schemas.reference import CandlesSchema, DaysSchema
from tests.handlers.shapes import problems

INDIA = ZoneInfo("Asia/Kolkata")
MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
ALIASES = {
    "minute": "1m",
    "3minute": "3m",
    "5minute": "5m",
    "15minute": "15m",
    "30minute": "30m",
    "60minute": "1h",
    "day": "1d",
    "week": "1w",
}
TODAY = "from=2026-11-23T09:15:00%2B05:30"
OPEN = datetime(2026, 11, 23, 9, 15, tzinfo=INDIA)


@pytest.fixture
def aged(io_loop, make_sandbox, aged_parts):
    """A server over a market that opened a while ago and stands still at 09:40:57."""
    feed = {"start": "2026-11-23T09:13:30+05:30", "speed": 122.0}
    return io_loop.run_sync(lambda: make_sandbox(parts=aged_parts, steps=0, feed=feed))


def starts(candles):
    return [datetime.fromisoformat(row["date"]).astimezone(INDIA) for row in candles]


@pytest.mark.parametrize("interval", [*MINUTES, "1d", "1w"])
@pytest.mark.gen_test
async def test_candles_are_as_their_schema_says(aged, fetch, interval):
    answer = await fetch(aged, f"/api/historical-data/nifty?interval={interval}")
    assert problems(CandlesSchema(), answer.data) == []
    assert (answer.data["symbol"], answer.data["interval"]) == ("NIFTY", interval)
    assert answer.data["source"] == "simulated"
    assert answer.data["candles"]
    assert answer.body["meta"]["symbol"] == "NIFTY"


@pytest.mark.parametrize(("alias", "interval"), ALIASES.items())
@pytest.mark.gen_test
async def test_interval_is_known_by_its_kite_name_too(aged, fetch, alias, interval):
    by_alias = (await fetch(aged, f"/api/historical-data/NIFTY?interval={alias}")).data
    assert by_alias["interval"] == interval
    assert by_alias == (await fetch(aged, f"/api/historical-data/NIFTY?interval={interval}")).data


@pytest.mark.gen_test
async def test_interval_left_out_is_a_day(aged, fetch):
    assert (await fetch(aged, "/api/historical-data/NIFTY")).data["interval"] == "1d"


@pytest.mark.gen_test
async def test_minutes_follow_each_other_without_gap(aged, fetch):
    candles = (await fetch(aged, f"/api/historical-data/NIFTY?interval=1m&{TODAY}")).data["candles"]
    begun = starts(candles)
    assert begun[-1] == datetime(2026, 11, 23, 9, 40, tzinfo=INDIA)
    assert {later - earlier for earlier, later in pairwise(begun)} == {timedelta(minutes=1)}


@pytest.mark.parametrize(("interval", "minutes"), MINUTES.items())
@pytest.mark.gen_test
async def test_candle_is_the_minutes_in_it(aged, fetch, interval, minutes):
    path = f"/api/historical-data/NIFTY?{TODAY}&interval="
    singles = (await fetch(aged, path + "1m")).data["candles"]
    candles = (await fetch(aged, path + interval)).data["candles"]
    assert len(candles) == -(-len(singles) // minutes)
    for number, (candle, begun) in enumerate(zip(candles, starts(candles), strict=True)):
        within = singles[number * minutes : (number + 1) * minutes]
        assert begun == OPEN + timedelta(minutes=number * minutes)
        assert candle["open"] == within[0]["open"]
        assert candle["close"] == within[-1]["close"]
        assert candle["high"] == max(row["high"] for row in within)
        assert candle["low"] == min(row["low"] for row in within)
        assert candle["volume"] == sum(row["volume"] for row in within)


@pytest.mark.gen_test
async def test_candles_contain_their_prices(aged, fetch):
    candles = (await fetch(aged, "/api/historical-data/BAJAJ-AUTO?interval=1m")).data["candles"]
    for row in candles:
        assert row["low"] <= min(row["open"], row["close"])
        assert max(row["open"], row["close"]) <= row["high"]
        assert row["volume"] >= 0


@pytest.mark.gen_test
async def test_last_candle_closes_at_the_present_price(aged, fetch):
    quote = (await fetch(aged, "/api/spot_price/NIFTY")).data
    for interval in (*MINUTES, "1d", "1w"):
        candles = (await fetch(aged, f"/api/historical-data/NIFTY?interval={interval}&{TODAY}")).data[
            "candles"
        ]
        assert candles[-1]["close"] == quote["spot_price"], interval


@pytest.mark.gen_test
async def test_candle_of_the_day_covers_its_minutes(aged, fetch):
    path = f"/api/historical-data/NIFTY?{TODAY}&interval="
    day = (await fetch(aged, path + "1d")).data["candles"][-1]
    minutes = (await fetch(aged, path + "1m")).data["candles"]
    assert starts([day]) == [OPEN]
    assert day["low"] <= min(row["low"] for row in minutes)
    assert day["high"] >= max(row["high"] for row in minutes)
    assert day["volume"] >= sum(row["volume"] for row in minutes)


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("from=2026-11-23T09:30:00%2B05:30&to=2026-11-23T09:35:00%2B05:30", (9, 30), (9, 34)),
        ("from=2026-11-23T09:30:00+05:30&to=2026-11-23T09:35:00+05:30", (9, 30), (9, 34)),
        ("from=2026-11-23T04:00:00Z&to=2026-11-23T04:05:00Z", (9, 30), (9, 34)),
        ("from=2026-11-23T09:30&to=2026-11-23T09:35", (9, 30), (9, 34)),
        ("from=2026-11-23T09:38", (9, 38), (9, 40)),
    ],
)
@pytest.mark.gen_test
async def test_span_begins_at_from_and_ends_before_to(aged, fetch, span, first, last):
    candles = (await fetch(aged, f"/api/historical-data/NIFTY?interval=1m&{span}")).data["candles"]
    begun = starts(candles)
    assert (begun[0].hour, begun[0].minute) == first
    assert (begun[-1].hour, begun[-1].minute) == last


@pytest.mark.gen_test
async def test_date_is_its_first_instant_in_india(aged, fetch):
    path = "/api/historical-data/NIFTY?interval=5m"
    by_date = (await fetch(aged, f"{path}&from=2026-11-23")).data["candles"]
    by_instant = (await fetch(aged, f"{path}&from=2026-11-22T18:30:00Z")).data["candles"]
    assert by_date == by_instant


@pytest.mark.gen_test
async def test_span_without_candles_is_an_empty_page(aged, fetch):
    answer = await fetch(aged, "/api/historical-data/NIFTY?interval=1m&from=2030-01-01&to=2030-01-02")
    assert answer.data["candles"] == []
    assert answer.body["meta"]["pagination"]["total"] == 0


@pytest.mark.gen_test
async def test_pages_together_are_the_whole(aged, fetch):
    path = f"/api/historical-data/NIFTY?interval=1m&{TODAY}"
    whole = (await fetch(aged, path)).data["candles"]
    rows, page, seen = [], 1, []
    while page is not None:
        answer = await fetch(aged, f"{path}&per_page=10&page={page}")
        rows += answer.data["candles"]
        seen.append(answer.body["meta"]["pagination"])
        page = seen[-1]["next"]
    assert rows == whole
    assert seen[0] == {
        "page": 1,
        "per_page": 10,
        "total": 26,
        "pages": 3,
        "next": 2,
        "previous": None,
    }
    assert seen[-1]["previous"] == 2


@pytest.mark.parametrize("interval", ["1m", "1d"])
@pytest.mark.gen_test
async def test_first_page_has_the_newest_candles_when_no_beginning_is_asked_for(aged, fetch, interval):
    path = f"/api/historical-data/NIFTY?interval={interval}&per_page=7"
    answer = await fetch(aged, path)
    candles, span = answer.data["candles"], answer.data
    forward = f"/api/historical-data/NIFTY?interval={interval}&per_page=7&from={span['from']}&to={span['to']}"
    about = answer.body["meta"]["pagination"]
    pages = [
        (await fetch(aged, f"{forward}&page={about['pages'] - back}")).data["candles"] for back in (0, 1)
    ]
    assert candles == (pages[1] + pages[0])[-7:]
    assert (about["previous"], about["next"]) == (None, 2)
    assert candles[-1]["close"] == (await fetch(aged, "/api/spot_price/NIFTY")).data["spot_price"]


@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1w"])
@pytest.mark.gen_test
async def test_pages_without_a_beginning_go_back_through_all_there_is(aged, fetch, interval):
    path = f"/api/historical-data/NIFTY?interval={interval}"
    answer = await fetch(aged, f"{path}&per_page=1000")
    total = answer.body["meta"]["pagination"]["total"]
    everything = await fetch(aged, f"{path}&per_page=1000&from=2020-01-01&to={answer.data['to']}")
    assert total == everything.body["meta"]["pagination"]["total"]
    oldest = everything.data["candles"][0]["date"]
    last = await fetch(aged, f"{path}&per_page=10&page={-(-total // 10)}&to={answer.data['to']}")
    assert last.data["candles"][0]["date"] == oldest
    assert last.body["meta"]["pagination"]["next"] is None


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("from=2026-11-20&to=2026-11-20", "2026-11-20T03:45", "2026-11-20T18:29"),  # to its midnight
        ("from=2026-11-20T10:00&to=2026-11-20T10:00", "2026-11-20T04:30", "2026-11-20T04:30"),
        ("from=2026-11-20T04:30:00Z&to=2026-11-20T10:00", "2026-11-20T04:30", "2026-11-20T04:30"),
    ],
)
@pytest.mark.gen_test
async def test_a_span_that_ends_where_it_begins_is_that_day_or_minute(aged, fetch, span, first, last):
    answer = await fetch(aged, f"/api/historical-data/NIFTY?interval=1m&{span}&per_page=1000")
    candles = answer.data["candles"]
    assert (candles[0]["date"][:16], candles[-1]["date"][:16]) == (first, last)


@pytest.mark.gen_test
async def test_days_between_dates_are_those_days(aged, fetch):
    path = "/api/historical-data/NIFTY?interval=1d&from=2026-11-18&to="
    for last, days in (("2026-11-18", 1), ("2026-11-20", 2), ("2026-11-21", 3), ("2026-11-23", 3)):
        candles = (await fetch(aged, f"{path}{last}")).data["candles"]
        assert [row["date"][8:10] for row in candles] == ["18", "19", "20"][:days], last


@pytest.mark.parametrize("interval", ["1m", "5m", "1h", "1d", "1w"])
@pytest.mark.gen_test
async def test_the_candle_that_is_being_formed_says_so(aged, fetch, connect, interval):
    path = f"/api/historical-data/NIFTY?interval={interval}"
    candles = (await fetch(aged, path)).data["candles"]
    assert [row["closed"] for row in candles] == [True] * (len(candles) - 1) + [False]
    client = await connect(aged)
    await client.ask("subscribe_candles", {"symbol": "NIFTY", "interval": interval})
    streamed = await client.next("candle_update")
    assert streamed["date"] == candles[-1]["date"]
    assert streamed["closed"] is candles[-1]["closed"]


@pytest.mark.gen_test
async def test_pages_back_from_an_answer_stand_still_while_data_arrives(make_sandbox, fetch):
    feed = {"start": "2026-11-23T10:00+05:30", "speed": 1800.0}
    sandbox = await make_sandbox(own_market=True, feed=feed)
    path = "/api/historical-data/NIFTY?interval=15m&per_page=50"
    first = await fetch(sandbox, path)
    back, page, about = [first.data["candles"]], 2, first.body["meta"]["pagination"]
    assert about["pages"] > 3
    while page is not None:
        await sandbox.step(2)  # of a quarter of an hour each
        answer = await fetch(sandbox, f"{path}&to={first.data['to']}&page={page}")
        assert answer.body["meta"]["pagination"]["total"] == about["total"]
        back.append(answer.data["candles"])
        page = answer.body["meta"]["pagination"]["next"]
    rows = [row["date"] for page in reversed(back) for row in page]
    assert rows == sorted(set(rows))
    assert len(rows) == about["total"]
    assert [len(page) for page in back[:-1]] == [50] * (len(back) - 1)
    newer = (await fetch(sandbox, path)).data["candles"]
    assert newer[-1]["date"] > first.data["candles"][-1]["date"]


@pytest.mark.parametrize(("page", "rows"), [(1, 10), (2, 10), (3, 6), (4, 0)])
@pytest.mark.gen_test
async def test_pages_forward_from_a_beginning_begin_there(aged, fetch, page, rows):
    path = f"/api/historical-data/NIFTY?interval=1m&{TODAY}&per_page=10&page={page}"
    candles = (await fetch(aged, path)).data["candles"]
    assert len(candles) == rows
    if rows:
        assert starts(candles)[0] == OPEN + timedelta(minutes=10 * (page - 1))


@pytest.mark.parametrize("interval", ["1m", "1d"])
@pytest.mark.gen_test
async def test_past_before_the_start_ends_where_the_live_path_begins(aged, fetch, interval):
    candles = (await fetch(aged, f"/api/historical-data/NIFTY?interval={interval}")).data["candles"]
    begun = starts(candles)
    assert begun == sorted(set(begun))
    first_live = next(
        place for place, at in enumerate(begun) if at >= datetime(2026, 11, 23, 9, 14, tzinfo=INDIA)
    )
    assert first_live > 10, "there is no past"
    for before, after in pairwise(candles[first_live - 3 : first_live + 3]):
        assert after["open"] == pytest.approx(before["close"], rel=0.03 if interval == "1d" else 0.004)


@pytest.mark.gen_test
async def test_close_of_the_last_day_before_is_the_previous_close_of_the_quote(aged, fetch):
    quote = (await fetch(aged, "/api/spot_price/NIFTY")).data
    candles = (await fetch(aged, "/api/historical-data/NIFTY?interval=1d")).data["candles"]
    assert starts(candles[-1:]) == [OPEN]
    assert candles[-2]["close"] == quote["previous_close"]


async def at_the_money(aged, fetch):
    expiry = (await fetch(aged, "/api/expiries/NIFTY")).data["expiry_dates"][0]
    chain = (await fetch(aged, f"/api/option_chain?symbol=NIFTY&expiry={expiry}&strikes=1")).data
    return expiry, chain["option_chain"][1]


@pytest.mark.parametrize("side", ["ce", "pe"])
@pytest.mark.gen_test
async def test_contract_has_candles_with_open_interest(aged, fetch, side):
    expiry, row = await at_the_money(aged, fetch)
    contract = f"expiry={expiry}&strike={row['strike_price']:g}&option_type={side.upper()}"
    answer = await fetch(aged, f"/api/historical-data/NIFTY?interval=1m&{TODAY}&{contract}")
    assert problems(CandlesSchema(), answer.data) == []
    assert answer.body["meta"]["expiry"] == expiry
    last = answer.data["candles"][-1]
    assert last["close"] == row[f"{side}_ltp"]
    assert last["oi"] == row[f"{side}_oi"]


@pytest.mark.gen_test
async def test_calls_and_puts_have_candles_of_their_own(aged, fetch):
    expiry, row = await at_the_money(aged, fetch)
    path = f"/api/historical-data/NIFTY?interval=5m&expiry={expiry}&strike={row['strike_price']:g}"
    call, put = [(await fetch(aged, f"{path}&option_type={side}")).data["candles"] for side in ("CE", "PE")]
    assert call != put


@pytest.mark.parametrize("symbol", ["NIFTY", "SENSEX", "M%26M", "crudeoil"])
@pytest.mark.gen_test
async def test_days_are_as_their_schema_says(aged, fetch, symbol):
    answer = await fetch(aged, f"/api/ohlc_data/{symbol}")
    assert problems(DaysSchema(), answer.data) == []


@pytest.mark.gen_test
async def test_current_day_is_that_of_the_quote(aged, fetch):
    data = (await fetch(aged, "/api/ohlc_data/NIFTY")).data
    quote = (await fetch(aged, "/api/spot_price/NIFTY")).data
    day = data["current_day"]
    assert day["date"] == "2026-11-23"
    assert day["ltp"] == quote["spot_price"]
    for name in ("open", "high", "low", "volume"):
        assert day[name] == quote[name], name


@pytest.mark.gen_test
async def test_day_that_goes_on_has_no_close_yet(aged, fetch):
    assert (await fetch(aged, "/api/ohlc_data/NIFTY")).data["current_day"]["close"] is None


@pytest.mark.gen_test
async def test_reference_price_is_the_close_of_the_previous_day(aged, fetch):
    data = (await fetch(aged, "/api/ohlc_data/NIFTY")).data
    quote = (await fetch(aged, "/api/spot_price/NIFTY")).data
    assert data["reference_price"] == quote["previous_close"]
    assert data["previous_day"]["close"] == quote["previous_close"]
