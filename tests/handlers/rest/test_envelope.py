"""What holds for every route: envelope, verbs, identity, caching, compression, origins."""

import gzip
import json
import re

import pytest

from tests.handlers.shapes import INSTANT, REQUEST_ID, strict_json

ORIGIN = "http://localhost:3000"
FOREIGN = "https://elsewhere.example"

LIVE = (
    "/api/spot_price/NIFTY",
    "/api/option_chain?symbol=NIFTY&strikes=5",
    "/api/dashboard_data?symbol=NIFTY",
)
REFERENCE = ("/api", "/api/symbols", "/api/expiries/NIFTY")
ENVELOPED = (
    "/health",
    "/api/health",
    *REFERENCE,
    *LIVE,
    "/api/market-status",
    "/api/market_status",
    "/api/historical-data/NIFTY?interval=1m",
    "/api/ohlc_data/NIFTY",
    "/api/websocket/stats",
)
ALL = ("/", *ENVELOPED)


@pytest.mark.parametrize("path", ENVELOPED)
@pytest.mark.gen_test
async def test_answer_has_the_envelope(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    body = strict_json(answer.raw)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert body.keys() == {"success", "message", "timestamp", "data", "meta"}
    assert body["success"] is True
    assert body["message"]
    assert INSTANT.fullmatch(body["timestamp"])
    assert body["meta"]["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "meta"),
    [
        ("/api/spot_price/nifty", {"symbol": "NIFTY"}),
        ("/api/expiries/nifty", {"symbol": "NIFTY"}),
        ("/api/ohlc_data/nifty", {"symbol": "NIFTY"}),
        ("/api/option_chain?symbol=nifty&expiry=2026-12-01", {"symbol": "NIFTY", "expiry": "2026-12-01"}),
        ("/api/dashboard_data?symbol=nifty&expiry=2026-12-01", {"symbol": "NIFTY", "expiry": "2026-12-01"}),
    ],
)
@pytest.mark.gen_test
async def test_meta_says_what_the_answer_is_about(sandbox, fetch, path, meta):
    answer = await fetch(sandbox, path)
    told = dict(answer.body["meta"])
    del told["request_id"]
    assert told == meta


@pytest.mark.parametrize("path", ALL)
@pytest.mark.gen_test
async def test_head_has_the_headers_of_get_without_its_body(sandbox, fetch, path):
    get = await fetch(sandbox, path, decompress_response=False)
    head = await fetch(sandbox, path, method="HEAD", decompress_response=False)
    assert (head.status, head.raw) == (200, b"")
    volatile = {"Date", "X-Request-Id"}
    if "ETag" not in get.headers and "max-age" not in get.headers.get("Cache-Control", ""):
        volatile.add("Content-Length")  # uptime and the like differ in length
    for name in get.headers.keys() - volatile:
        assert head.headers.get(name) == get.headers[name], name


@pytest.mark.parametrize("path", ALL)
@pytest.mark.gen_test
async def test_preflight_of_the_front_end_is_granted(sandbox, fetch, path):
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key, x-request-id",
    }
    answer = await fetch(sandbox, path, method="OPTIONS", headers=headers)
    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "x-api-key, x-request-id"


@pytest.mark.gen_test
async def test_front_end_may_read_answer_and_its_headers(sandbox, fetch):
    answer = await fetch(sandbox, "/api/spot_price/NIFTY", headers={"Origin": ORIGIN})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = answer.headers["Access-Control-Expose-Headers"]
    for name in ("ETag", "X-Request-ID", "Retry-After", "RateLimit"):
        assert name in exposed


@pytest.mark.gen_test
async def test_error_can_be_read_by_the_front_end(sandbox, fetch):
    answer = await fetch(sandbox, "/api/spot_price/NOSUCH", headers={"Origin": ORIGIN})
    assert answer.status == 404
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.gen_test
async def test_page_of_the_server_itself_may_call(sandbox, fetch):
    answer = await fetch(sandbox, "/api/spot_price/NIFTY", headers={"Origin": sandbox.url})
    assert answer.headers["Access-Control-Allow-Origin"] == sandbox.url


@pytest.mark.gen_test
async def test_answer_without_an_origin_names_none(sandbox, fetch):
    answer = await fetch(sandbox, "/api/spot_price/NIFTY")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}])
@pytest.mark.gen_test
async def test_cacheable_answer_varies_by_origin(sandbox, fetch, headers):
    # otherwise a cache hands the answer of a call without an origin to a page that needs its headers
    answer = await fetch(sandbox, "/api/symbols", headers=headers)
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.gen_test
async def test_foreign_origin_is_refused_and_gets_no_grant(sandbox, fetch, method):
    answer = await fetch(sandbox, "/api/spot_price/NIFTY", method=method, headers={"Origin": FOREIGN})
    assert answer.status == 403
    assert answer.error["code"] == "FORBIDDEN_ORIGIN"
    assert FOREIGN in answer.body["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/symbols", "/api/option_chain?symbol=NIFTY", "/api"])
@pytest.mark.gen_test
async def test_gzip_is_honoured(sandbox, fetch, path):
    packed = await fetch(sandbox, path, headers={"Accept-Encoding": "gzip"}, decompress_response=False)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert json.loads(gzip.decompress(packed.raw))["success"]


@pytest.mark.gen_test
async def test_client_that_asks_for_no_compression_gets_none(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols", decompress_response=False)
    assert "Content-Encoding" not in answer.headers
    assert answer.data["symbols"]


@pytest.mark.gen_test
async def test_request_id_is_echoed(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols", headers={"X-Request-ID": "front-end/17:a"})
    assert answer.headers["X-Request-ID"] == "front-end/17:a"
    assert answer.body["meta"]["request_id"] == "front-end/17:a"


@pytest.mark.gen_test
async def test_request_id_is_echoed_in_an_error(sandbox, fetch):
    answer = await fetch(sandbox, "/api/nothing", headers={"X-Request-ID": "abc"})
    assert answer.headers["X-Request-ID"] == "abc"


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "naïve"])
@pytest.mark.gen_test
async def test_request_id_that_could_forge_a_log_line_is_replaced(sandbox, fetch, given):
    answer = await fetch(sandbox, "/api/symbols", headers={"X-Request-ID": given})
    assert REQUEST_ID.fullmatch(answer.headers["X-Request-ID"])


@pytest.mark.gen_test
async def test_request_without_an_id_gets_one_of_its_own(sandbox, fetch):
    first = await fetch(sandbox, "/api/symbols")
    second = await fetch(sandbox, "/api/symbols")
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.parametrize("path", LIVE)
@pytest.mark.gen_test
async def test_etag_of_a_live_answer_is_its_state(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    tag = answer.headers["ETag"]
    assert re.fullmatch(r'(W/)?"[^"]+"', tag)
    assert answer.data["epoch"] in tag
    assert str(answer.data["seq"]) in tag
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", LIVE)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.gen_test
async def test_unchanged_state_is_not_sent_again(sandbox, fetch, path, form):
    tag = (await fetch(sandbox, path)).headers["ETag"]
    again = await fetch(sandbox, path, headers={"If-None-Match": form.format(tag)})
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["ETag"] == tag


@pytest.mark.parametrize("path", LIVE)
@pytest.mark.gen_test
async def test_changed_state_is_sent_under_a_new_tag(sandbox, fetch, path):
    before = await fetch(sandbox, path)
    await sandbox.step()
    after = await fetch(sandbox, path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.data["seq"] == before.data["seq"] + 1


@pytest.mark.gen_test
async def test_tag_tells_one_question_from_another(sandbox, fetch):
    narrow = await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=5")
    wide = await fetch(
        sandbox,
        "/api/option_chain?symbol=NIFTY&strikes=10",
        headers={"If-None-Match": narrow.headers["ETag"]},
    )
    assert wide.status == 200


@pytest.mark.parametrize("path", REFERENCE)
@pytest.mark.gen_test
async def test_reference_data_may_be_kept_for_a_while(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert re.fullmatch(r"max-age=[1-9]\d*", answer.headers["Cache-Control"])


@pytest.mark.gen_test
async def test_error_is_not_to_be_kept(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols?kind=nothing")
    assert "max-age" not in answer.headers.get("Cache-Control", "")
    assert "ETag" not in answer.headers


@pytest.mark.parametrize("path", ALL)
@pytest.mark.gen_test
async def test_answer_says_nothing_of_the_software_behind_it(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert "Server" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
