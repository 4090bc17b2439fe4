"""``POST /api/simulation/scenario``: only where control is enabled, and told to everybody."""

import json

import pytest

PATH = "/api/simulation/scenario"
JSON = {"Content-Type": "application/json"}


def go_over_to(fetch, sandbox, name):
    return fetch(sandbox, PATH, method="POST", headers=JSON, body=json.dumps({"scenario": name}))


@pytest.mark.gen_test
async def test_scenario_is_changed_and_announced(make_sandbox, fetch, connect):
    sandbox = await make_sandbox(own_market=True, feed={"control": True})
    client = await connect(sandbox)
    answer = await go_over_to(fetch, sandbox, "crash")
    assert answer.status == 200
    assert sandbox.server.source.scenario == "crash"
    told = await client.next("feed_status")
    assert "crash" in json.dumps(told)
    assert "crash" in json.dumps((await fetch(sandbox, PATH)).data)


@pytest.mark.gen_test
async def test_scenario_is_not_changed_where_control_is_off(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True)
    answer = await go_over_to(fetch, sandbox, "crash")
    assert answer.status >= 400
    assert sandbox.server.source.scenario == "calm"


@pytest.mark.gen_test
async def test_unknown_scenario_is_refused_with_the_known_ones(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, feed={"control": True})
    answer = await go_over_to(fetch, sandbox, "boredom")
    assert answer.error["code"] == "VALIDATION_ERROR"
    assert "circuit_halt" in json.dumps(answer.error["details"])
