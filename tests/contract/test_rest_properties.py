"""Requests made from the OpenAPI document, good and bad: no 5xx, and every answer as it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.contract.documents import OPENAPI, closed, operations
from tests.processes import Process, spawn

EXAMPLES, NIGHTLY_EXAMPLES = 12, 400
EACH_OPERATION = pytest.mark.parametrize(
    ("path", "method"),
    [pytest.param(path, method, id=f"{method} {path}") for path, method, _ in operations()],
)
EACH_MODE = pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The server as a user runs it; its log must hold no traceback."""
    log: Path = tmp_path_factory.mktemp("server") / "server.log"
    process = spawn(
        log,
        *("--database-url", "", "--start", "2026-11-23T10:00+05:30", "--seed", "7"),
        *("--set", "limits.rate_limit_per_minute=0"),
    )
    yield process
    code = process.stop()
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    assert code == 0
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def document() -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(closed(OPENAPI))


def run(document: schemathesis.BaseSchema, url: str, path: str, method: str, mode: GenerationMode, examples: int) -> None:
    operation = document[path][method]

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def conforms(case: schemathesis.Case) -> None:
        answer = case.call(base_url=url)
        case.validate_response(answer, checks=ALL_CHECKS)

    conforms()


@EACH_MODE
@EACH_OPERATION
def test_answers_conform(document, server, path, method, mode):
    run(document, server.url, path, method, mode, EXAMPLES)
