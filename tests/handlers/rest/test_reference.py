"""/api/symbols and /api/expiries: what is listed."""

from datetime import date, datetime
from functools import partial

import pytest

from domain.refusals import StartError
from handlers.operations.build import build
from schemas.reference import ExpiriesSchema, SymbolsSchema
from tests.conftest import build_parts, settings_of
from tests.handlers.shapes import problems


@pytest.fixture(scope="module")
def whole_market():
    """All underlyings; other tests have some of them."""
    return build_parts(feed={"symbols": []})


@pytest.fixture
def sandbox(io_loop, make_sandbox, whole_market):
    """A server over all of them."""
    return io_loop.run_sync(partial(make_sandbox, parts=whole_market))


@pytest.mark.gen_test
async def test_symbols_are_as_their_schema_says(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols")
    assert problems(SymbolsSchema(), answer.data) == []


@pytest.mark.gen_test
async def test_universe_is_as_large_as_promised(sandbox, fetch):
    data = (await fetch(sandbox, "/api/symbols")).data
    assert len(data["indices"]) == 8
    assert len(data["stocks_with_options"]) == 213
    assert len(data["commodities"]) == 10
    assert {"M&M", "BAJAJ-AUTO"} <= set(data["stocks"])
    assert {"NIFTY", "BANKNIFTY", "SENSEX"} <= set(data["indices"])


@pytest.mark.gen_test
async def test_plain_lists_name_the_rows_of_their_kind(sandbox, fetch):
    data = (await fetch(sandbox, "/api/symbols")).data
    for kind, plain in (("index", "indices"), ("stock", "stocks"), ("commodity", "commodities")):
        assert data[plain] == [row["symbol"] for row in data["symbols"] if row["kind"] == kind]


@pytest.mark.gen_test
async def test_stocks_with_options_are_those_with_expiries(sandbox, fetch):
    data = (await fetch(sandbox, "/api/symbols?kind=stock")).data
    assert data["stocks_with_options"] == [row["symbol"] for row in data["symbols"] if row["expiry_count"]]


@pytest.mark.parametrize("kind", ["index", "stock", "commodity"])
@pytest.mark.gen_test
async def test_symbols_of_one_kind(sandbox, fetch, kind):
    rows = (await fetch(sandbox, f"/api/symbols?kind={kind}")).data["symbols"]
    assert {row["kind"] for row in rows} == {kind}


@pytest.mark.parametrize(
    ("exchange", "present", "absent"),
    [
        ("MCX", "CRUDEOIL", "NIFTY"),
        ("NSE", "NIFTY", "SENSEX"),
        ("BSE", "SENSEX", "NIFTY"),
        ("bse,mcx", "SENSEX", "NIFTY"),
        ("NFO", "RELIANCE", "SENSEX"),
    ],
)
@pytest.mark.gen_test
async def test_symbols_of_an_exchange(sandbox, fetch, exchange, present, absent):
    rows = (await fetch(sandbox, f"/api/symbols?exchange={exchange}")).data["symbols"]
    names = {row["symbol"] for row in rows}
    assert present in names
    assert absent not in names


@pytest.mark.parametrize(("text", "symbol"), [("bajaj-", "BAJAJ-AUTO"), ("m%26m", "M&M"), ("nifty", "NIFTY")])
@pytest.mark.gen_test
async def test_symbols_are_found_by_a_part_of_their_name_in_any_case(sandbox, fetch, text, symbol):
    rows = (await fetch(sandbox, f"/api/symbols?q={text}")).data["symbols"]
    assert symbol in [row["symbol"] for row in rows]


@pytest.mark.gen_test
async def test_search_that_finds_nothing_is_an_empty_page(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols?q=zzzzzz")
    assert answer.data["symbols"] == []
    assert answer.body["meta"]["pagination"] == {
        "page": 1,
        "per_page": 500,
        "total": 0,
        "pages": 0,
        "next": None,
        "previous": None,
    }


@pytest.mark.gen_test
async def test_pages_together_are_the_whole(sandbox, fetch):
    whole = (await fetch(sandbox, "/api/symbols")).data["symbols"]
    pages, page = [], 1
    while page is not None:
        answer = await fetch(sandbox, f"/api/symbols?per_page=60&page={page}")
        pages += answer.data["symbols"]
        page = answer.body["meta"]["pagination"]["next"]
    assert pages == whole


@pytest.mark.parametrize(
    ("page", "following", "previous"), [(1, 2, None), (2, 3, 1), (4, None, 3), (5, None, 4), (9, None, None)]
)
@pytest.mark.gen_test
async def test_pagination_names_the_neighbours(sandbox, fetch, page, following, previous):
    answer = await fetch(sandbox, f"/api/symbols?per_page=60&page={page}")
    total = len((await fetch(sandbox, "/api/symbols")).data["symbols"])
    assert 180 < total <= 240, "the pages of this test count on four of them"
    assert answer.body["meta"]["pagination"] == {
        "page": page,
        "per_page": 60,
        "total": total,
        "pages": 4,
        "next": following,
        "previous": previous,
    }


@pytest.mark.parametrize("symbol", ["NIFTY", "SENSEX", "RELIANCE", "CRUDEOIL"])
@pytest.mark.gen_test
async def test_expiries_are_as_their_schema_says(sandbox, fetch, symbol):
    answer = await fetch(sandbox, f"/api/expiries/{symbol}")
    assert problems(ExpiriesSchema(), answer.data) == []
    assert answer.data["symbol"] == symbol


@pytest.mark.gen_test
async def test_expiries_come_nearest_first_and_agree_with_the_plain_dates(sandbox, fetch):
    data = (await fetch(sandbox, "/api/expiries/NIFTY")).data
    assert data["expiry_dates"] == sorted(data["expiry_dates"])
    assert data["expiry_dates"] == [row["date"] for row in data["expiries"]]
    assert {row["kind"] for row in data["expiries"]} >= {"weekly", "monthly"}


@pytest.mark.gen_test
async def test_expiry_rows_count_calendar_days_and_end_on_their_day(sandbox, fetch):
    rows = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiries"]
    for row in rows:
        assert row["days_to_expiry"] == (date.fromisoformat(row["date"]) - date(2026, 11, 23)).days
        assert datetime.fromisoformat(row["expires_at"]).date() == date.fromisoformat(row["date"])
        assert row["lot_size"] > 0


@pytest.mark.gen_test
async def test_expiry_count_of_a_symbol_is_the_number_of_its_expiries(sandbox, fetch):
    rows = (await fetch(sandbox, "/api/symbols?q=NIFTY")).data["symbols"]
    nifty = next(row for row in rows if row["symbol"] == "NIFTY")
    expiries = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiries"]
    assert nifty["expiry_count"] == len(expiries)
    assert nifty["lot_size"] == expiries[0]["lot_size"]


@pytest.mark.gen_test
async def test_what_is_estimated_says_so(sandbox, fetch):
    rows = {row["symbol"]: row for row in (await fetch(sandbox, "/api/symbols")).data["symbols"]}
    assert rows["RELIANCE"]["estimated"] == []
    assert rows["YESBANK"]["estimated"] == ["strike_step", "reference_price"]
    assert rows["YESBANK"]["price_date"] == "2026-09-06"
    assert rows["SENSEX50"]["estimated"] == ["lot_size", "strike_step", "reference_price"]
    assert rows["UJJIVANSFB"]["price_date"] is None
    assert rows["SBIN"]["sector"] == "PSU Bank"


@pytest.mark.gen_test
async def test_some_symbols_can_be_chosen_by_any_of_their_names(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, feed={"symbols": ["gold", "Nifty Bank", "RELIANCE"]})
    data = (await fetch(sandbox, "/api/symbols")).data
    assert [row["symbol"] for row in data["symbols"]] == ["BANKNIFTY", "RELIANCE", "GOLD"]
    assert (await fetch(sandbox, "/api/option_chain?symbol=GOLD")).status == 200
    assert (await fetch(sandbox, "/api/option_chain?symbol=NIFTY")).status == 404


def test_symbol_that_is_none_of_ours_is_refused_at_the_start():
    with pytest.raises(
        StartError, match=r"^feed.symbols must be symbols of underlyings, was 'RELIANS'; near it: RELIANCE"
    ):
        build(settings_of(feed={"symbols": ["NIFTY", "relians"]}))


@pytest.mark.parametrize("symbols", [["GOLD"], ["SBIN"], ["SENSEX50", "SILVERM"]])
@pytest.mark.gen_test
async def test_market_of_one_kind_alone_goes_on(make_sandbox, fetch, symbols):
    sandbox = await make_sandbox(own_market=True, steps=3, feed={"symbols": symbols})
    for symbol in symbols:
        assert (await fetch(sandbox, f"/api/option_chain?symbol={symbol}")).status == 200


@pytest.mark.parametrize("route", ["/api/spot_price/zomato", "/api/option_chain?symbol=ZOMATO"])
@pytest.mark.gen_test
async def test_old_name_is_answered_with_the_new_one_and_a_note(sandbox, fetch, route):
    answer = await fetch(sandbox, route)
    assert answer.data["symbol"] == "ETERNAL"
    assert answer.body["message"] == "ZOMATO is called ETERNAL since 9 April 2025."
    assert (await fetch(sandbox, "/api/spot_price/ETERNAL")).body["message"] == "OK"


@pytest.mark.gen_test
async def test_old_name_is_followed_by_its_new_one_and_a_note(sandbox, connect):
    client = await connect(sandbox)
    answer = await client.call("subscribe_symbol", {"symbol": ["NIFTY", "LTIM"]})
    assert answer["message"] == "LTIM is called LTM now."
    assert [item["stream"] for item in answer["data"]["streams"]] == ["symbol:NIFTY", "symbol:LTM"]


@pytest.mark.gen_test
async def test_candles_before_a_split_are_in_todays_shares_or_as_they_were_traded(make_sandbox, fetch):
    sandbox = await make_sandbox(
        own_market=True, feed={"start": "2026-01-20T10:00+05:30", "symbols": ["KOTAKBANK"]}
    )
    for interval, count in (("1d", 12), ("1w", 4), ("1h", 12)):
        route = f"/api/historical-data/KOTAKBANK?interval={interval}&per_page=60"
        adjusted = (await fetch(sandbox, route)).data
        traded = (await fetch(sandbox, f"{route}&adjusted=false")).data
        assert (adjusted["adjusted"], traded["adjusted"]) == (True, False)
        pairs = list(zip(adjusted["candles"], traded["candles"], strict=True))
        assert len(pairs) >= count
        for ours, theirs in pairs:
            if interval == "1w" and ours["date"].startswith("2026-01-1"):
                continue  # the week of the split has both
            factor = 5.0 if ours["date"] < "2026-01-13T18:30" else 1.0
            assert theirs["close"] == pytest.approx(ours["close"] * factor, abs=0.05)
            assert (theirs["volume"] or 0) * factor == pytest.approx(ours["volume"] or 0, abs=factor)
        closes = [row["close"] for row in adjusted["candles"]]
        assert max(closes) / min(closes) < 1.6
    week = (await fetch(sandbox, "/api/historical-data/KOTAKBANK?interval=1w&per_page=60")).data["candles"]
    assert all(row["high"] / row["low"] < 1.5 for row in week)  # made of days of the same shares
