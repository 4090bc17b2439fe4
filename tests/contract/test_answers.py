"""Real answers of every route against the documents: body, status, headers, every error code."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from handlers.monitoring.relay import EdgeEnd
from tests.contract.documents import OPENAPI, Validators, documented_codes, operations, response_of
from tests.handlers.shapes import strict_json

VALIDATORS = Validators(OPENAPI)


def each(*methods, status=200):
    """A test for each operation that answers the status, by these methods."""
    found = [
        pytest.param(path, method, id=f"{method} {path}")
        for path, method, operation in operations()
        if method in methods and str(status) in operation["responses"]
    ]
    return pytest.mark.parametrize(("path", "method"), found)


ORIGIN = {"Origin": "http://localhost:3000"}
KEY = "a-key-of-the-operator"
QUERIES = {
    "/api/option_chain": "?symbol=NIFTY",
    "/api/dashboard_data": "?symbol=NIFTY",
    "/api/historical-data/{symbol}": "?interval=1m",
}
RECORDING = Path(__file__).parents[1] / "data" / "made_up_minutes_20260305.csv"
LEG = {"strike": 24000, "option_type": "CE", "side": "buy", "quantity": 1}
STRATEGY = {"symbol": "NIFTY", "legs": [LEG]}
BODIES = {
    "/api/strategy": STRATEGY,
    "/api/replay": {"action": "speed", "speed": 2.5},
    "/api/simulation/scenario": {"scenario": "calm"},
    "/api/simulation/faults": {"kind": "latency", "latency_ms": 1, "seconds": 0.1},
}
FROM_THE_STORE = (
    "/api/historical-data/{symbol}",
    "/api/dashboard-history/{symbol}",
    "/api/oi-history/{symbol}",
)
# what each route is asked so that it tells of something that is not listed
UNKNOWN: dict[str, Any] = {
    "UNKNOWN_SYMBOL": {"symbol": "NIFTI"},
    "UNKNOWN_EXPIRY": {"expiry": "2026-11-28"},
    "UNKNOWN_CONTRACT": {"strike": 24001},
}


def operation_of(path, method):
    return OPENAPI["paths"][path][method]


@pytest.fixture
def ask(fetch):
    """``await ask(sandbox, path, method)``: a good request of a documented route."""

    async def send(sandbox, path, method, query=None, symbol="NIFTY", body=None, headers=None):
        url = path.replace("{symbol}", symbol) + (QUERIES.get(path, "") if query is None else query)
        options = {"method": method.upper(), "headers": {**ORIGIN, **(headers or {})}}
        if method == "post":
            options["body"] = json.dumps(BODIES[path] if body is None else body)
            options["headers"]["Content-Type"] = "application/json"
        return await fetch(sandbox, url, **options)

    return send


def check(answer, path, method):
    """The answer is documented: status, headers, content type and body; returns the body."""
    response = response_of(operation_of(path, method), answer.status)
    # of the allowance where there is one, which is not here
    for name in (name for name in response["headers"] if not name.startswith("RateLimit")):
        assert name in answer.headers, name
    for name in {"ETag", "Retry-After", "Allow"} - set(response["headers"]):
        assert name not in answer.headers, name
    if method == "head" or "content" not in response:
        assert answer.raw == b""
        return None
    ((kind, content),) = response["content"].items()
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    if kind != "application/json":
        return None
    body = strict_json(answer.raw)
    assert VALIDATORS.problems(content["schema"], body) == []
    return body


@pytest.fixture
def serving(make_sandbox):
    """``await serving(path, sandbox)``: the sandbox, or another where that does not have the route."""

    async def choose(path, sandbox):
        if path == "/api/replay":
            feed, replay = {"source": "replay", "control": True}, {"file": str(RECORDING)}
            return await make_sandbox(own_market=True, feed=feed, replay=replay)
        if path in ("/api/simulation/scenario", "/api/simulation/faults"):
            return await make_sandbox(feed={"control": True})
        return sandbox

    return choose


@each("get", "head", "post")
@pytest.mark.gen_test
async def test_answer_is_as_documented(sandbox, serving, ask, path, method):
    answer = await ask(await serving(path, sandbox), path, method)
    assert answer.status == 200
    check(answer, path, method)


@pytest.mark.parametrize("path", [path for path, method, _ in operations() if method == "options"])
@pytest.mark.gen_test
async def test_preflight_is_as_documented(sandbox, ask, path):
    asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    answer = await ask(sandbox, path, "options", headers=asking)
    assert answer.status == 204
    check(answer, path, "options")


@pytest.mark.parametrize(
    "query",
    ["?symbol=RELIANCE", "?symbol=CRUDEOIL", "?symbol=NIFTY&strikes=1", "?symbol=SENSEX&strikes=1000"],
)
@pytest.mark.parametrize("path", ["/api/option_chain", "/api/dashboard_data"])
@pytest.mark.gen_test
async def test_chain_and_dashboard_of_any_kind_are_as_documented(sandbox, ask, path, query):
    if path == "/api/dashboard_data":
        query = query.partition("&")[0]
    answer = await ask(sandbox, path, "get", query)
    assert answer.status == 200
    check(answer, path, "get")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/health", "?probe=live"),
        ("/health", "?probe=ready"),
        ("/api/symbols", "?kind=stock&per_page=3&page=2"),
        ("/api/symbols", "?q=nothing"),
        ("/api/market-status", "?exchange=MCX,BSE"),
        ("/api/historical-data/{symbol}", "?interval=1d&per_page=1"),
        ("/api/dashboard-history/{symbol}", "?interval=1m&per_page=7&page=2"),
        ("/api/dashboard-history/{symbol}", "?interval=1d&from=2026-11-01"),
        ("/api/oi-history/{symbol}", "?strikes=2&interval=15m"),
        ("/api/oi-history/{symbol}", "?strikes=22000,22500&from=2026-11-23T09:15"),
        ("/api/oi-history/{symbol}", "?from=2026-11-20&to=2026-11-21"),
        ("/api/option_chain", "?symbol=NIFTY&strikes=3&at=2026-11-23T09:45"),
        ("/api/dashboard_data", "?symbol=NIFTY&at=2026-11-23T09:45"),
        ("/api/historical-data/{symbol}", "?interval=week"),
        ("/api/historical-data/{symbol}", "?interval=1d&to=0001-01-04"),
        ("/api/historical-data/{symbol}", "?interval=1w&from=0001-01-01&to=9999-12-31T23:59:59-14:00"),
        ("/api/historical-data/{symbol}", "?interval=1m&from=2026-01-01&to=2026-01-02"),
        (
            "/api/historical-data/{symbol}",
            "?interval=1m&expiry=2026-12-01&strike=24000&option_type=CE",
        ),
    ],
)
@pytest.mark.gen_test
async def test_answer_to_other_parameters_is_as_documented(aged, ask, path, query):
    answer = await ask(aged, path, "get", query)
    assert answer.status == 200
    check(answer, path, "get")


@pytest.fixture
def aged(io_loop, make_sandbox, aged_parts):
    """A market that has been open for an hour."""
    return io_loop.run_sync(lambda: make_sandbox(parts=aged_parts))


@each("get", "post")
@pytest.mark.gen_test
async def test_answer_of_a_market_with_history_is_as_documented(aged, serving, ask, path, method):
    answer = await ask(await serving(path, aged), path, method)
    assert answer.status == 200
    check(answer, path, method)


@each("get", "head", status=304)
@pytest.mark.gen_test
async def test_unchanged_state_is_answered_as_documented(sandbox, ask, path, method):
    tag = (await ask(sandbox, path, method)).headers["ETag"]
    answer = await ask(sandbox, path, method, headers={"If-None-Match": tag})
    assert answer.status == 304
    check(answer, path, method)


@pytest.fixture
def refusing(make_sandbox, monkeypatch):
    """Start a server that refuses, for the reason that is asked for."""

    def fail(*_):
        raise RuntimeError("nobody foresaw this")

    async def hang(*_, **__):
        await asyncio.Event().wait()

    async def start(code):
        options = {
            "UNAUTHORIZED": {"server": {"api_keys": [KEY]}},
            "RATE_LIMITED": {"limits": {"rate_limit_per_minute": 1}},
            "FEED_UNAVAILABLE": {"own_market": True, "steps": 0},
            "a store that hangs": {"server": {"api_timeout_s": 0.1}},
        }
        made = await make_sandbox(**options.get(code, {}))
        if code == "CONFLICT":
            made.server.services.health.relay = EdgeEnd(None, None)
        elif code == "RATE_LIMITED":
            made.server.access.spend("127.0.0.1")
        elif code == "INTERNAL_ERROR":
            made.server.access.spend = fail
        elif code == "a store that hangs":
            for question in ("page", "metrics", "open_interest"):
                monkeypatch.setattr(made.server.history.answers, question, hang)
        return made

    return start


OF_THE_SERVER = {"CONFLICT", "UNAUTHORIZED", "RATE_LIMITED", "INTERNAL_ERROR", "FEED_UNAVAILABLE"}


async def provoke(code, path, method, sandbox, refusing, ask, fetch, serving):
    """Make a route refuse with a code."""
    if code == "FEED_UNAVAILABLE" and path in FROM_THE_STORE:
        return await ask(await refusing("a store that hangs"), path, method)
    if code in OF_THE_SERVER:
        return await ask(await refusing(code), path, method)
    if code == "NOT_FOUND":
        return await ask_for_what_is_not_there(path, method, sandbox, ask, serving)
    if code == "VALIDATION_ERROR":
        return await ask(sandbox, path, method, query="?no_such_parameter=1")
    if code == "FORBIDDEN_ORIGIN":
        return await ask(sandbox, path, method, headers={"Origin": "https://elsewhere.example"})
    if code == "METHOD_NOT_ALLOWED":
        url = path.replace("{symbol}", "NIFTY")
        return await fetch(sandbox, url, method="PUT", body=b"", headers=ORIGIN)
    if code == "PAYLOAD_TOO_LARGE":
        url = path.replace("{symbol}", "NIFTY")
        return await fetch(sandbox, url, method="POST", body=b"x" * 70_000, headers=ORIGIN)
    if path == "/api/simulation/faults":
        body = {"kind": "stale_chain", "symbol": "NIFTY", **UNKNOWN[code]}
        return await ask(await serving(path, sandbox), path, method, body=body)
    return await ask_for_what_is_not_listed(code, path, method, sandbox, ask)


async def ask_for_what_is_not_there(path, method, sandbox, ask, serving):
    if path in ("/api/option_chain", "/api/dashboard_data"):
        return await ask(sandbox, path, method, query="?symbol=NIFTY&at=2020-01-01")
    without = await serving("/api/replay", sandbox) if path == "/api/simulation/scenario" else sandbox
    return await ask(without, path, method)


async def ask_for_what_is_not_listed(code, path, method, sandbox, ask):
    wanted = UNKNOWN[code]
    if method == "post":
        leg = {**LEG, **wanted} if "strike" in wanted else LEG
        body = {**STRATEGY, "legs": [leg]} if "strike" in wanted else {**STRATEGY, **wanted}
        return await ask(sandbox, path, method, body=body)
    if "{symbol}" in path and "symbol" in wanted:
        return await ask(sandbox, path, method, symbol=wanted["symbol"])
    asked: dict[str, Any] = {"symbol": "NIFTY"} if "{symbol}" not in path else {}
    if path == "/api/historical-data/{symbol}":
        asked |= {"expiry": "2026-12-01", "strike": 24000, "option_type": "CE"}
    if path == "/api/oi-history/{symbol}" and "strike" in wanted:
        wanted = {"strikes": f"{wanted['strike']},"}
    query = "&".join(f"{name}={value}" for name, value in {**asked, **wanted}.items())
    return await ask(sandbox, path, method, query=f"?{query}")


@each("get", "post")
@pytest.mark.gen_test
async def test_every_documented_code_is_told_as_documented(
    sandbox, refusing, serving, ask, fetch, path, method, caplog
):
    for code in sorted(documented_codes(operation_of(path, method))):
        answer = await provoke(code, path, method, sandbox, refusing, ask, fetch, serving)
        assert check(answer, path, method)["error"]["code"] == code


@pytest.mark.gen_test
async def test_route_that_is_none_is_refused_as_documented(sandbox, fetch):
    answer = await fetch(sandbox, "/api/nothing")
    response = OPENAPI["components"]["responses"]["NOT_FOUND"]
    assert VALIDATORS.problems(response["content"]["application/json"]["schema"], answer.body) == []


@pytest.mark.gen_test
async def test_service_that_is_down_says_so_as_documented(refusing, ask):
    answer = await ask(await refusing("FEED_UNAVAILABLE"), "/health", "get")
    assert answer.status == 503
    assert check(answer, "/health", "get")["data"]["status"] == "down"


@pytest.mark.gen_test
async def test_allowance_is_told_as_documented(make_sandbox, ask):
    sandbox = await make_sandbox(limits={"rate_limit_per_minute": 100})
    answer = await ask(sandbox, "/api/symbols", "get")
    documented = response_of(operation_of("/api/symbols", "get"), 200)["headers"]
    assert {"RateLimit", "RateLimit-Policy"} <= set(documented)
    assert "RateLimit" in answer.headers
    assert "RateLimit-Policy" in answer.headers


@pytest.mark.gen_test
async def test_documents_are_served_as_they_are(sandbox, fetch):
    for path in ("/api/openapi.json", "/api/asyncapi.json"):
        answer = await fetch(sandbox, path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        again = await fetch(sandbox, path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, again.raw) == (304, b"")
    assert (await fetch(sandbox, "/api/openapi.json")).body == json.loads(json.dumps(OPENAPI))


@pytest.mark.gen_test
async def test_documents_need_no_key(make_sandbox, fetch):
    sandbox = await make_sandbox(server={"api_keys": [KEY]})
    for path in ("/api/openapi.json", "/api/asyncapi.json", "/api/docs"):
        assert (await fetch(sandbox, path)).status == 200


@pytest.mark.gen_test
async def test_page_may_load_and_run_nothing(sandbox, fetch):
    answer = await fetch(sandbox, "/api/docs")
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
