"""Every code of the table of errors, over REST."""

import asyncio
import logging

import pytest

from tests.handlers.shapes import INSTANT, REQUEST_ID

INVALID = [
    # route, field, rule named, value named
    ("/api/option_chain", "symbol", "is required", "was not given"),
    ("/api/option_chain?symbol=", "symbol", "must be a symbol", "''"),
    ("/api/option_chain?symbol=NI%20FTY", "symbol", "must be a symbol", "'NI FTY'"),
    ("/api/option_chain?symbol=" + "A" * 26, "symbol", "at most 25", "AAAA"),
    ("/api/option_chain?symbol=NIFTY&expiry=soon", "expiry", "YYYY-MM-DD", "'soon'"),
    ("/api/option_chain?symbol=NIFTY&expiry=2026-02-30", "expiry", "YYYY-MM-DD", "'2026-02-30'"),
    ("/api/option_chain?symbol=NIFTY&expiry=20261201", "expiry", "YYYY-MM-DD", "'20261201'"),
    ("/api/option_chain?symbol=NIFTY&strikes=0", "strikes", "whole number from 1 to 1000", "'0'"),
    ("/api/option_chain?symbol=NIFTY&strikes=1001", "strikes", "whole number from 1 to 1000", "'1001'"),
    ("/api/option_chain?symbol=NIFTY&strikes=many", "strikes", "whole number from 1 to 1000", "'many'"),
    ("/api/option_chain?symbol=NIFTY&strikes=2.5", "strikes", "whole number from 1 to 1000", "'2.5'"),
    ("/api/option_chain?symbol=NIFTY&strikes=%D9%A3", "strikes", "whole number from 1 to 1000", "'٣'"),
    ("/api/option_chain?symbol=NIFTY&strike=5", "strike", "is not a parameter here", "'5'"),
    ("/api/dashboard_data", "symbol", "is required", "was not given"),
    ("/api/dashboard_data?symbol=NIFTY&expiry=1", "expiry", "YYYY-MM-DD", "'1'"),
    ("/api/dashboard_data?symbol=NIFTY&strikes=5", "strikes", "is not a parameter here", "'5'"),
    ("/api/spot_price/NI%20FTY", "symbol", "must be a symbol", "'NI FTY'"),
    ("/api/spot_price/NIFTY?at=now", "at", "is not a parameter here", "'now'"),
    ("/api/spot_price/%3Cscript%3E", "symbol", "must be a symbol", "<script>"),
    ("/api/expiries/NI%20FTY", "symbol", "must be a symbol", "'NI FTY'"),
    ("/api/ohlc_data/NIFTY?day=1", "day", "is not a parameter here", "'1'"),
    ("/api/symbols?kind=bond", "kind", "must be index or stock or commodity", "'bond'"),
    ("/api/symbols?exchange=LSE", "exchange", "must be of NSE", "'LSE'"),
    ("/api/symbols?exchange=NSE,LSE", "exchange", "must be of NSE", "'NSE,LSE'"),
    ("/api/symbols?q=", "q", "1 to 50 characters", "was"),
    ("/api/symbols?page=0", "page", "whole number from 1", "'0'"),
    ("/api/symbols?page=-1", "page", "whole number from 1", "'-1'"),
    ("/api/symbols?per_page=1001", "per_page", "whole number from 1 to 1000", "'1001'"),
    ("/api/market-status?exchange=", "exchange", "must be of NSE", "''"),
    ("/api/historical-data/NIFTY?interval=2m", "interval", "must be one of 1m", "'2m'"),
    ("/api/historical-data/NIFTY?from=yesterday", "from", "must be a date", "'yesterday'"),
    ("/api/historical-data/NIFTY?to=2026-13-01", "to", "must be a date", "'2026-13-01'"),
    (
        "/api/historical-data/NIFTY?from=2026-11-23&to=2026-11-20",
        "from",
        "must not be after",
        "2026-11-23",
    ),
    ("/api/historical-data/NIFTY?expiry=2026-12-01&strike=24000", "option_type", "is required", "not given"),
    ("/api/historical-data/NIFTY?option_type=CE", "expiry", "is required", "not given"),
    (
        "/api/historical-data/NIFTY?expiry=2026-12-01&strike=x&option_type=CE",
        "strike",
        "must be a number",
        "'x'",
    ),
    (
        "/api/historical-data/NIFTY?expiry=2026-12-01&strike=nan&option_type=CE",
        "strike",
        "must be a number",
        "nan",
    ),
    (
        "/api/historical-data/NIFTY?expiry=2026-12-01&strike=24000&option_type=XX",
        "option_type",
        "must be CE or PE",
        "XX",
    ),
    ("/health?probe=deep", "probe", "must be live or ready", "deep"),
    ("/api/websocket/stats?x=1", "x", "is not a parameter here", "'1'"),
    ("/api?x=1", "x", "is not a parameter here", "'1'"),
]


@pytest.mark.parametrize(("path", "field", "rule", "value"), INVALID)
@pytest.mark.gen_test
async def test_invalid_parameter_is_told_with_rule_and_value(sandbox, fetch, path, field, rule, value):
    answer = await fetch(sandbox, path)
    assert answer.status == 400
    assert answer.error["code"] == "VALIDATION_ERROR"
    sentences = answer.error["details"][field]
    assert isinstance(sentences, list)
    assert any(rule in sentence and value in sentence for sentence in sentences), sentences


@pytest.mark.gen_test
async def test_every_invalid_parameter_is_told(sandbox, fetch):
    answer = await fetch(sandbox, "/api/option_chain?symbol=!&expiry=x&strikes=y&z=1")
    assert answer.error["details"].keys() == {"symbol", "expiry", "strikes", "z"}


@pytest.mark.gen_test
async def test_query_that_is_no_text_is_refused(sandbox, fetch):
    answer = await fetch(sandbox, "/api/option_chain?symbol=%FF%FE")
    assert answer.status == 400
    assert answer.error["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "path",
    [
        "/api/spot_price/NIFTI",
        "/api/expiries/NIFTI",
        "/api/ohlc_data/NIFTI",
        "/api/historical-data/NIFTI",
        "/api/option_chain?symbol=NIFTI",
        "/api/dashboard_data?symbol=NIFTI",
    ],
)
@pytest.mark.gen_test
async def test_unknown_symbol_is_told_with_close_matches(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert answer.status == 404
    assert answer.error["code"] == "UNKNOWN_SYMBOL"
    assert answer.error["details"]["symbol"] == "NIFTI"
    assert "NIFTY" in answer.error["details"]["close_matches"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/option_chain?symbol=NIFTY&expiry=2026-11-28",
        "/api/dashboard_data?symbol=NIFTY&expiry=2026-11-28",
        "/api/historical-data/NIFTY?interval=1m&expiry=2026-11-28&strike=24000&option_type=CE",
    ],
)
@pytest.mark.gen_test
async def test_unknown_expiry_is_told_with_those_listed(sandbox, fetch, path):
    listed = (await fetch(sandbox, "/api/expiries/NIFTY")).data["expiry_dates"]
    answer = await fetch(sandbox, path)
    assert answer.status == 404
    assert answer.error["code"] == "UNKNOWN_EXPIRY"
    assert answer.error["details"]["listed"] == listed
    assert "2026-11-28" in answer.body["message"]


@pytest.mark.gen_test
async def test_unknown_contract_is_told_with_strikes_near_it(sandbox, fetch):
    path = "/api/historical-data/NIFTY?interval=1m&expiry=2026-12-01&strike=24001&option_type=CE"
    answer = await fetch(sandbox, path)
    assert answer.status == 404
    assert answer.error["code"] == "UNKNOWN_CONTRACT"
    near = answer.error["details"]["near"]
    assert min(abs(strike - 24001) for strike in near) < 200
    assert "24001" in answer.body["message"]


@pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/api/spot_price", "/api/spot_price/", "//api"])
@pytest.mark.gen_test
async def test_path_that_is_no_route(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert answer.status == 404
    assert answer.error["code"] == "NOT_FOUND"
    assert path in answer.body["message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/api/symbols", "/api/spot_price/NIFTY", "/health", "/"])
@pytest.mark.gen_test
async def test_verb_that_is_not_taken_is_told_with_those_that_are(sandbox, fetch, path, method):
    answer = await fetch(sandbox, path, method=method, allow_nonstandard_methods=True, body=b"")
    assert answer.status == 405
    assert answer.error["code"] == "METHOD_NOT_ALLOWED"
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.gen_test
async def test_body_over_the_limit_is_refused(make_sandbox, fetch):
    sandbox = await make_sandbox(server={"max_body_bytes": 2048})
    answer = await fetch(sandbox, "/api/symbols", method="POST", body=b"x" * 4096)
    assert answer.status == 413
    assert answer.error["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.gen_test
async def test_route_without_data_yet_asks_to_come_back(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, steps=0)
    for path in (
        "/api/spot_price/NIFTY",
        "/api/option_chain?symbol=NIFTY",
        "/api/dashboard_data?symbol=NIFTY",
        "/api/ohlc_data/NIFTY",
    ):
        answer = await fetch(sandbox, path)
        assert answer.status == 503, path
        assert answer.error["code"] == "FEED_UNAVAILABLE"
        assert int(answer.headers["Retry-After"]) >= 1


class StuckAnswers:
    """A store whose disk does not answer."""

    async def page(self, *args, **options):
        await asyncio.Event().wait()

    day = earliest_ms = page


@pytest.mark.parametrize("path", ["/api/historical-data/NIFTY", "/api/ohlc_data/NIFTY"])
@pytest.mark.gen_test
async def test_answer_that_takes_too_long_is_given_up(make_sandbox, fetch, monkeypatch, path):
    sandbox = await make_sandbox(server={"api_timeout_s": 0.1})
    monkeypatch.setattr(sandbox.server.history, "answers", StuckAnswers())
    answer = await fetch(sandbox, path)
    assert (answer.status, answer.error["code"]) == (503, "FEED_UNAVAILABLE")
    assert "0.1 s" in answer.body["message"]
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture
def broken(sandbox):
    """A server one of whose parts fails in a way nobody foresaw."""

    def fail():
        raise RuntimeError("secret of the inside")

    sandbox.server.services.socket_statistics = fail
    return sandbox


@pytest.mark.gen_test
async def test_unexpected_failure_tells_nothing_of_the_inside(broken, fetch, caplog):
    answer = await fetch(broken, "/api/websocket/stats", headers={"X-Request-ID": "trace-me"})
    assert answer.status == 500
    assert answer.error == {"code": "INTERNAL_ERROR", "details": {"request_id": "trace-me"}}
    assert "secret" not in answer.raw.decode()
    assert "RuntimeError" not in answer.raw.decode()
    assert "Traceback" not in answer.raw.decode()


@pytest.mark.gen_test
async def test_unexpected_failure_is_in_the_log_under_the_id_the_client_was_told(broken, fetch, caplog):
    with caplog.at_level(logging.ERROR):
        answer = await fetch(broken, "/api/websocket/stats")
    told = answer.error["details"]["request_id"]
    assert REQUEST_ID.fullmatch(told)
    records = [record for record in caplog.records if told in record.getMessage()]
    assert len(records) == 1
    assert records[0].exc_info[0] is RuntimeError


@pytest.mark.gen_test
async def test_refusal_leaves_no_traceback_in_the_log(sandbox, fetch, caplog):
    with caplog.at_level(logging.INFO):
        for path in ("/api/nothing", "/api/symbols?x=1", "/api/spot_price/NOSUCH"):
            assert (await fetch(sandbox, path)).status in (400, 404)
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/symbols?x=1", "/api/spot_price/NOSUCH", "/api/option_chain"]
)
@pytest.mark.gen_test
async def test_error_has_the_envelope(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    body = answer.body
    assert body.keys() - {"meta"} == {"success", "message", "timestamp", "error"}
    assert body["success"] is False
    assert body["message"].endswith(".")
    assert INSTANT.fullmatch(body["timestamp"])
    assert body["error"].keys() == {"code", "details"}
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/symbols?x=1"])
@pytest.mark.gen_test
async def test_error_answers_head_without_a_body(sandbox, fetch, path):
    get, head = await fetch(sandbox, path), await fetch(sandbox, path, method="HEAD")
    assert (head.status, head.raw) == (get.status, b"")
