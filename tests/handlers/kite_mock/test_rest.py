"""Kite's REST over a market of ours: shapes, refusals, rates, instruments, candles."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.kite_mock.instruments import COLUMNS
from tests.handlers.kite_mock.conftest import TOKEN


@pytest.mark.gen_test
async def test_instruments_are_csv_without_a_session_and_without_a_last_line_end(kite):
    mock = await kite()
    answer = await mock.get("/instruments", token="")
    assert answer.headers["Content-Type"] == "text/csv"
    text = answer.body.decode()
    assert not text.endswith("\n")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    universe = mock.sandbox.server.market.universe
    assert len(rows) == len(universe.underlyings) + universe.contract_count
    assert len({row["instrument_token"] for row in rows}) == len(rows)
    assert len({(row["exchange"], row["tradingsymbol"]) for row in rows}) == len(rows)
    assert max(int(row["instrument_token"]) for row in rows) < 2**31
    for row in rows:
        assert float(row["strike"]) >= 0
        assert int(row["lot_size"]) >= 0
        assert not row["expiry"] or date.fromisoformat(row["expiry"])
    by_name = {f"{row['exchange']}:{row['tradingsymbol']}": row for row in rows}
    assert by_name["NSE:NIFTY 50"]["segment"] == "INDICES"
    assert by_name["BSE:SENSEX"]["instrument_type"] == "EQ"
    assert by_name["NSE:M&M"]["name"] == "MAHINDRA & MAHINDRA"
    futures = [row for row in rows if row["instrument_type"] == "FUT"]
    assert {row["exchange"] for row in futures} == {"MCX"}
    assert {row["lot_size"] for row in rows if row["exchange"] == "MCX"} == {"1"}
    for exchange in ("NSE", "BSE", "NFO", "BFO", "MCX"):
        one = list(csv.DictReader(io.StringIO((await mock.get(f"/instruments/{exchange}")).body.decode())))
        assert one == [row for row in rows if row["exchange"] == exchange]
    assert (await mock.refusal("/instruments/LSE"))[:2] == (400, "InputException")


@pytest.mark.gen_test
async def test_quotes_are_keyed_by_what_was_asked(kite):
    mock = await kite()
    names = ["NSE:NIFTY 50", "NSE:M&M", "256265", "NSE:NOPE", "99", "x", "NSE:NIFTY 50"]
    for path in ("/quote", "/quote/ohlc", "/quote/ltp"):
        told = await mock.data(path, i=names)
        assert set(told) == {"NSE:NIFTY 50", "NSE:M&M", "256265"}
        assert told["NSE:NIFTY 50"] == told["256265"]
    full = (await mock.data("/quote", i="NSE:M&M"))["NSE:M&M"]
    assert [len(full["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert set((await mock.data("/quote/ltp", i="NSE:M&M"))["NSE:M&M"]) == {"instrument_token", "last_price"}


@pytest.mark.parametrize(
    ("path", "query", "status", "kind"),
    [
        ("/quote", {}, 400, "InputException"),
        ("/quote", {"i": [str(n) for n in range(501)]}, 400, "InputException"),
        (
            "/instruments/historical/1/minute",
            {"from": "2026-11-20", "to": "2026-11-21"},
            400,
            "InputException",
        ),
        (
            "/instruments/historical/256265/week",
            {"from": "2026-11-20", "to": "2026-11-21"},
            400,
            "InputException",
        ),
        (
            "/instruments/historical/256265/minute",
            {"from": "soon", "to": "2026-11-21"},
            400,
            "InputException",
        ),
        (
            "/instruments/historical/256265/minute",
            {"from": "2026-11-21", "to": "2026-11-20"},
            400,
            "InputException",
        ),
        (
            "/instruments/historical/256265/minute",
            {"from": "2026-01-01", "to": "2026-11-20"},
            400,
            "InputException",
        ),
        ("/user/margins/currency", {}, 400, "InputException"),
        ("/nowhere", {}, 404, "GeneralException"),
        ("/user/profile/more", {}, 404, "GeneralException"),
    ],
)
@pytest.mark.gen_test
async def test_request_that_breaks_a_rule_is_refused_as_kite_does(kite, path, query, status, kind):
    mock = await kite()
    code, error_type, message = await mock.refusal(path, **query)
    assert (code, error_type) == (status, kind)
    assert message


@pytest.mark.parametrize(
    "path", ["/quote?i=1", "/user/profile", "/orders", "/instruments/historical/256265/day"]
)
@pytest.mark.gen_test
async def test_without_a_session_there_is_nothing(kite, path):
    mock = await kite()
    assert await mock.refusal(path, token="") == (
        403,
        "TokenException",
        "Incorrect `api_key` or `access_token`.",
    )


@pytest.mark.gen_test
async def test_rates_are_kites_and_are_refused(kite):
    mock = await kite(strict_limits=True)
    assert (await mock.get("/quote/ltp", i="256265")).code == 200
    assert await mock.refusal("/quote/ltp", i="256265") == (429, "NetworkException", "Too many requests")


@pytest.mark.gen_test
async def test_orders_are_none_and_none_can_be_placed(kite):
    mock = await kite()
    assert await mock.data("/orders") == []
    assert await mock.data("/portfolio/positions") == {"net": [], "day": []}
    for path in ("/orders/regular", "/gtt/triggers", "/margins/orders"):
        told = await mock.refusal(path, method="POST", body="quantity=1")
        assert told == (403, "PermissionException", "Insufficient permission for that call.")
    assert (await mock.refusal("/user/profile", method="DELETE"))[:2] == (405, "GeneralException")


@pytest.mark.gen_test
async def test_login_page_leads_to_the_redirect_with_a_request_token(kite):
    mock = await kite(redirect_url="http://localhost:8000/back?x=1")
    path = "/connect/login"
    assert (await mock.get(path, token="", v=3, api_key="other")).code == 400
    page = (await mock.get(path, token="", v=3, api_key="mock", redirect_params="a=1&b=2")).body.decode()
    link = page.split('href="')[1].split('"')[0].replace("&amp;", "&")
    answer = await mock.get(link, token="")
    assert answer.code == 302
    target = urlsplit(answer.headers["Location"])
    query = parse_qs(target.query)
    assert target.netloc == "localhost:8000"
    assert {name: query[name] for name in ("x", "a", "b", "status", "action")} == {
        "x": ["1"],
        "a": ["1"],
        "b": ["2"],
        "status": ["success"],
        "action": ["login"],
    }
    assert query["request_token"][0] in mock.mock.sessions.request_tokens


@pytest.mark.gen_test
async def test_candles_are_those_of_history_in_units_and_ten_minutes_are_two_of_five(kite, fetch):
    mock = await kite()
    await mock.sandbox.step(5)
    span = {"from": "2026-11-20 09:15:00", "to": "2026-11-20 15:30"}
    path = "/instruments/historical/256265"
    five = (await mock.data(f"{path}/5minute", **span))["candles"]
    ten = (await mock.data(f"{path}/10minute", **span))["candles"]
    assert five[0][0] == "2026-11-20T09:15:00+0530"
    assert [row[0][11:16] for row in ten[:3]] == ["09:15", "09:25", "09:35"]
    assert ten[0][1] == five[0][1]
    assert ten[0][2] == max(five[0][2], five[1][2])
    assert ten[0][4] == five[1][4]
    assert len(ten) == (len(five) + 1) // 2
    path = "/api/historical-data/RELIANCE?interval=1d&from=2026-11-01&to=2026-11-20"
    ours = (await fetch(mock.sandbox, path)).data["candles"]
    day = {"from": "2026-11-01", "to": "2026-11-19"}
    rows = (await mock.data("/instruments/historical/738561/day", oi=1, **day))["candles"]
    assert [row[1:5] for row in rows] == [
        [item[name] for name in ("open", "high", "low", "close")] for item in ours
    ]
    assert [row[5] for row in rows] == [item["volume"] for item in ours]
    assert all(len(row) == 7 for row in rows)


@pytest.mark.gen_test
async def test_compressed_list_is_the_list(kite):
    mock = await kite()
    plain, packed = (await mock.mock.instruments()).csv("NSE")
    assert gzip.decompress(packed) == plain


@pytest.mark.gen_test
async def test_no_secret_is_in_the_settings_or_the_log(kite, caplog):
    mock = await kite(api_secret="very-secret")
    await mock.get("/user/profile")
    await mock.get("/user/profile", token="wrong-token-here")
    socket = await mock.ticker()
    socket.close()
    said = repr(mock.sandbox.server.settings) + caplog.text
    assert "very-secret" not in said
    assert TOKEN not in said
    assert "wrong-token-here" not in said


@pytest.mark.gen_test
async def test_faults_on_purpose_befall_the_mock(kite):
    mock = await kite()
    faults = mock.sandbox.server.services.faults
    socket = await mock.ticker()
    faults.begin("token_rejected", 60)
    while await socket.read_message() is not None:
        pass
    assert (await mock.refusal("/user/profile"))[:2] == (403, "TokenException")
    faults.end()
    faults.begin("rate_limited", 60)
    assert (await mock.refusal("/user/profile"))[:2] == (429, "NetworkException")
    faults.end()
    assert (await mock.get("/user/profile")).code == 200
    again = await mock.ticker()
    other = await mock.ticker()
    faults.begin("drop_ticker", 1, socket=2)
    while await other.read_message() is not None:
        pass
    assert len(mock.mock.tickers.followers) == 1
    faults.begin("malformed_frame", 1, socket=3)  # which there is not
    faults.begin("malformed_frame", 1, socket=1)
    frames = [await again.read_message() for _ in range(4)]
    assert [frame for frame in frames if isinstance(frame, bytes) and len(frame) == 16]
    faults.begin("drop_ticker", 1)
    while await again.read_message() is not None:
        pass
    assert again.close_code is None
