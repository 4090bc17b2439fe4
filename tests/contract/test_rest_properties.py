"""Requests made from the OpenAPI document, good and bad: no 5xx, and every answer as it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.contract.documents import METHODS, OPENAPI, closed, operations
from tests.processes import ROOT, Process, spawn

EXAMPLES, NIGHTLY_EXAMPLES = 10, 150
START = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Asia/Kolkata"))
LONGEST_DAYS = {"/api/dashboard-history/{symbol}": 400, "/api/oi-history/{symbol}": 7}
CONTRACT = {"expiry", "strike", "option_type"}  # of which a candle request has all or none

load_all_checks()
ALL_CHECKS = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
    ]
)


def each_operation(*methods: str, wrong: bool = False) -> pytest.MarkDecorator:
    """A test for each operation; with ``wrong`` for those of which something wrong can be asked."""
    return pytest.mark.parametrize(
        ("path", "method"),
        [
            pytest.param(path, method, id=f"{method} {path}")
            for path, method, operation in operations()
            if method in methods and (not wrong or _can_be_wrong(path, operation))
        ],
    )


def _can_be_wrong(path: str, operation: dict[str, Any]) -> bool:
    in_query = [item for item in operation.get("parameters", ()) if item["in"] == "query"]
    return bool(in_query) or "requestBody" in operation or "{" in path


def running(log: Path, *arguments: str) -> Iterator[Process]:
    """The server as a user runs it, steered by whoever likes to; its log must hold no traceback."""
    process = spawn(
        log,
        *("--database-url", "", "--set", "limits.rate_limit_per_minute=0", "--set", "feed.control=true"),
        *arguments,
    )
    yield process
    code = process.stop()
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    assert code == 0
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server with a simulated market."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    yield from running(log, "--start", START.isoformat(), "--seed", "7")


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that replays a recording."""
    log = tmp_path_factory.mktemp("server") / "replay.log"
    yield from running(log, "--replay", str(ROOT / "tests/data/made_up_minutes_20260305.csv"))


@pytest.fixture
def url(path: str, server: Process, request: pytest.FixtureRequest) -> str:
    """The server that has a route."""
    process: Process = request.getfixturevalue("replay") if path == "/api/replay" else server
    return process.url


@pytest.fixture(scope="module")
def listed(server: Process) -> dict[str, list[Any]]:
    """What is listed, by the parameter that asks for it."""
    with urlopen(f"{server.url}/api/option_chain?symbol=NIFTY&strikes=3") as answer:
        chain = json.load(answer)["data"]
    strikes = [row["strike_price"] for row in chain["option_chain"]]
    return {"symbol": ["NIFTY", "nifty"], "expiry": [chain["expiry"]], "strike": strikes}


def informed(listed: dict[str, list[Any]]) -> dict[str, Any]:
    """The document as it is for who knows what is listed: nobody guesses a symbol."""
    document: dict[str, Any] = closed(OPENAPI)
    for item in document["paths"].values():
        taking = [item, *(item[method] for method in METHODS if method in item)]
        for parameter in [parameter for place in taking for parameter in place.get("parameters", ())]:
            if parameter["name"] in listed:
                parameter["schema"] = {"enum": listed[parameter["name"]]}
    for name in ("StrategyRequest", "LegRequest", "FaultRequest"):
        properties = document["components"]["schemas"][name]["properties"]
        for field in properties.keys() & listed.keys():
            properties[field] = {"enum": listed[field]}
    return document


FAULTS = "/api/simulation/faults"
HARMLESS = ("stale_chain", "sequence_gap", "token_rejected")


def run(
    document: dict[str, Any], url: str, path: str, method: str, mode: GenerationMode, examples: int
) -> Counter[int]:
    """Send requests of one operation and check what comes back; the statuses that came."""
    operation = schemathesis.openapi.from_dict(document)[path][method]
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def conforms(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE:
            assume(_keeps_the_rules(path, case.query or {}))
            assume(not isinstance(case.body, dict) or _keeps_the_rules(path, case.body))
        answer = case.call(base_url=url)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=ALL_CHECKS)

    conforms()
    return statuses


def _keeps_the_rules(path: str, asked: dict[str, Any]) -> bool:
    """Whether a query or body keeps the rules between its parameters, which the document tells in words."""
    asked = {name: value for name, value in asked.items() if value is not None}
    if path == "/api/replay" and "action" in asked:
        own = {"seek": {"at"}, "speed": {"speed"}}.get(asked["action"], set())
        return asked.keys() - {"action"} == own and asked["action"] != "seek"
    if path == FAULTS and "kind" in asked:
        own = {
            "stale_chain": {"symbol", "expiry"},
            "latency": {"latency_ms"},
            "drop_ticker": {"socket"},
            "malformed_frame": {"socket"},
        }.get(asked["kind"], set())
        is_named = asked["kind"] != "stale_chain" or "symbol" in asked
        # no fault that would befall the other requests of these tests
        return asked.keys() - {"kind", "seconds"} <= own and is_named and asked["kind"] in HARMLESS
    if "at" in asked and _instant(asked["at"]) > START:
        return False
    if path in LONGEST_DAYS:
        first = _instant(asked["from"]) if "from" in asked else START
        last = _instant(asked["to"]) if "to" in asked else START
        return "from" not in asked or 0 <= (last - first).days < LONGEST_DAYS[path]
    if {"from", "to"} <= asked.keys() and _instant(asked["from"]) > _instant(asked["to"]):
        return False
    return len(CONTRACT & asked.keys()) in (0, len(CONTRACT)) or "historical-data" not in path


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("Asia/Kolkata"))


@each_operation("get", "post")
def test_good_request_is_answered_as_documented(url, listed, path, method):
    statuses = run(informed(listed), url, path, method, GenerationMode.POSITIVE, EXAMPLES // 2)
    assert statuses[200], statuses
    run(closed(OPENAPI), url, path, method, GenerationMode.POSITIVE, EXAMPLES // 2)


@each_operation("get", "post", wrong=True)
def test_bad_request_is_refused_as_documented(url, path, method):
    run(closed(OPENAPI), url, path, method, GenerationMode.NEGATIVE, EXAMPLES)


@pytest.mark.nightly
@each_operation("get", "post", "head", "options")
def test_many_good_requests_are_answered_as_documented(url, listed, path, method):
    for document in (informed(listed), closed(OPENAPI)):
        run(document, url, path, method, GenerationMode.POSITIVE, NIGHTLY_EXAMPLES)


@pytest.mark.nightly
@each_operation("get", "post", "head", wrong=True)
def test_many_bad_requests_are_refused_as_documented(url, path, method):
    run(closed(OPENAPI), url, path, method, GenerationMode.NEGATIVE, NIGHTLY_EXAMPLES)
