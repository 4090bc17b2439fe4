"""Who may use the server, and from where: tables of what is let in and what is not."""

from __future__ import annotations

import json
from socket import AF_INET, AF_UNIX, socket

import pytest

from handlers.access.errors import ApiError
from handlers.access.rules import is_loopback
from handlers.operations.serving import open_port
from schemas.configuration.api_keys import ApiKey, digest_of
from tests.handlers.access.strangers import request_from, rules_of

READ, OTHER, CONTROL, PLAIN = "the-token-of-a-reader", "of-another", "the-token-of-an-operator", "a-plain-key"
KEYS = (
    ApiKey("reader", "read", digest_of(READ)),
    ApiKey("other", "read", digest_of(OTHER)),
    ApiKey("operator", "control", digest_of(CONTROL)),
)
ENTRIES = [*(key.entry for key in KEYS), PLAIN]


@pytest.fixture
def guarded(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(server={"api_keys": ENTRIES}))


DENIED = {
    "none": {},
    "empty": {"X-API-Key": ""},
    "cut short": {"X-API-Key": READ[:-1]},
    "longer": {"X-API-Key": f"{READ}x"},
    "other case": {"X-API-Key": READ.upper()},
    "name": {"X-API-Key": "reader"},
    "hash": {"X-API-Key": KEYS[0].digest.hex()},
    "entry": {"X-API-Key": KEYS[0].entry},
    "wrong bearer": {"Authorization": "Bearer nonsense"},
    "bearer without token": {"Authorization": "Bearer"},
    "basic": {"Authorization": f"Basic {READ}"},
    "bare": {"Authorization": READ},
    "not ASCII": {"X-API-Key": "schlüssel"},
}
ALLOWED = {
    "read": {"X-API-Key": READ},
    "another": {"X-API-Key": OTHER},
    "control includes read": {"X-API-Key": CONTROL},
    "plain": {"X-API-Key": PLAIN},
    "bearer": {"Authorization": f"Bearer {READ}"},
    "bearer of other case": {"Authorization": f"bearer  {READ}"},
}


@pytest.mark.parametrize("headers", DENIED.values(), ids=DENIED)
@pytest.mark.parametrize("path", ["/api/symbols", "/api/spot_price/NIFTY", "/metrics", "/api/no/such"])
@pytest.mark.gen_test
async def test_call_without_a_valid_key_is_refused(guarded, fetch, path, headers):
    answer = await fetch(guarded, path, headers=headers)
    assert answer.status == 401
    assert answer.error["code"] == "UNAUTHORIZED"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    for secret in (READ, OTHER, CONTROL, PLAIN, KEYS[0].digest.hex()):
        assert secret not in answer.raw.decode()


@pytest.mark.parametrize("headers", ALLOWED.values(), ids=ALLOWED)
@pytest.mark.gen_test
async def test_call_with_any_of_the_keys_is_answered(guarded, fetch, headers):
    answer = await fetch(guarded, "/api/spot_price/NIFTY", headers=headers)
    assert answer.status == 200


@pytest.mark.gen_test
async def test_preflight_needs_no_key(guarded, fetch):
    # browsers send none with it
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    answer = await fetch(guarded, "/api/symbols", method="OPTIONS", headers=headers)
    assert answer.status == 204


@pytest.mark.parametrize("path", ["/health", "/health?probe=live", "/health?probe=ready", "/", "/api/docs"])
@pytest.mark.gen_test
async def test_supervisor_and_address_bar_need_no_key(guarded, fetch, path):
    answer = await fetch(guarded, path)
    assert answer.status == 200


@pytest.mark.gen_test
async def test_guessing_keys_spends_the_addresses_allowance_and_locks_nobody_else_out(make_sandbox, fetch):
    sandbox = await make_sandbox(server={"api_keys": ENTRIES}, limits={"rate_limit_per_minute": 60})
    statuses = [
        (await fetch(sandbox, "/api/symbols", headers={"X-API-Key": f"guess-{n}"})).status for n in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    assert (await fetch(sandbox, "/api/symbols", headers={"X-API-Key": READ})).status == 200


# control


LOCAL = {"address": "127.0.0.1", "host": "localhost:5000"}


@pytest.mark.parametrize(
    ("keys", "is_local", "proxies", "request_", "shown", "is_allowed"),
    [
        # listening here only, no keys: the setting that allows control is enough
        ((), True, (), LOCAL, None, True),
        ((), True, (), {**LOCAL, "host": "127.0.0.1:5000"}, None, True),
        ((), True, (), {**LOCAL, "host": "[::1]:5000"}, None, True),
        # reached under a name of its own (DNS rebinding), or through a proxy
        ((), True, (), {**LOCAL, "host": "rebound.example:5000"}, None, False),
        ((), True, (), {**LOCAL, "X_Forwarded_For": "203.0.113.9"}, None, False),
        ((), True, (), {**LOCAL, "X_Real_IP": "203.0.113.9"}, None, False),
        ((), True, (), {**LOCAL, "Forwarded": "for=203.0.113.9"}, None, False),
        ((), True, ("127.0.0.1",), LOCAL, None, False),
        # listening for everybody: a control key, even where none is set for reading
        ((), False, (), LOCAL, None, False),
        ((), False, (), {"address": "198.51.100.7"}, None, False),
        (KEYS, False, (), {"address": "198.51.100.7"}, None, False),
        (KEYS, False, (), {"address": "198.51.100.7"}, KEYS[0], False),
        (KEYS, False, (), {"address": "198.51.100.7"}, KEYS[2], True),
        # keys are set: what they may is what counts, here too
        (KEYS, True, (), LOCAL, None, False),
        (KEYS, True, (), LOCAL, KEYS[0], False),
        (KEYS, True, (), LOCAL, KEYS[2], True),
    ],
)
def test_control_needs_a_control_key_from_beyond_this_machine(
    keys, is_local, proxies, request_, shown, is_allowed
):
    rules = rules_of(api_keys=keys, is_local=is_local, trusted_proxies=proxies)
    if is_allowed:
        rules.check_controller(shown, request_from(**request_))
    else:
        with pytest.raises(ApiError) as refused:
            rules.check_controller(shown, request_from(**request_))
        assert refused.value.code == "UNAUTHORIZED"
        assert "--scope control" in refused.value.message


SCENARIO = "/api/simulation/scenario"


async def steer(fetch, sandbox, **headers):
    headers = {"Content-Type": "application/json", **headers}
    body = json.dumps({"scenario": "calm"})
    return await fetch(sandbox, SCENARIO, method="POST", body=body, headers=headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"X-API-Key": READ}, 401), ({"X-API-Key": PLAIN}, 401), ({"X-API-Key": CONTROL}, 200)],
)
@pytest.mark.gen_test
async def test_scenario_is_changed_with_a_control_key_only(make_sandbox, fetch, headers, status):
    sandbox = await make_sandbox(server={"api_keys": ENTRIES}, feed={"control": True})
    answer = await steer(fetch, sandbox, **headers)
    assert answer.status == status
    if status == 401:
        assert answer.error["code"] == "UNAUTHORIZED"


@pytest.mark.gen_test
async def test_scenario_of_a_server_that_listens_for_everybody_needs_a_key_though_none_is_set(
    make_sandbox, fetch
):
    sandbox = await make_sandbox(server={"host": "0.0.0.0"}, feed={"control": True})
    answer = await steer(fetch, sandbox)
    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")
    assert "python server.py key NAME --scope control" in answer.body["message"]
    assert (await fetch(sandbox, SCENARIO)).status == 200  # reading it stays open


@pytest.mark.parametrize(
    ("family", "address", "is_local"),
    [(AF_INET, "127.0.0.1", True), (AF_INET, "0.0.0.0", False), (AF_UNIX, None, False)],
)
@pytest.mark.gen_test
async def test_sockets_that_the_service_manager_gives_decide_who_is_from_here(
    make_sandbox, tmp_path, family, address, is_local
):
    sandbox = await make_sandbox()  # whose setting says 127.0.0.1
    with socket(family) as given:
        given.bind((address, 0) if address else str(tmp_path / "socket"))
        open_port(sandbox.server, [given])
        assert sandbox.server.access.is_local is is_local


@pytest.mark.gen_test
async def test_log_names_whose_key_steered_the_feed(make_sandbox, fetch, caplog):
    sandbox = await make_sandbox(server={"api_keys": ENTRIES}, feed={"control": True})
    with caplog.at_level("INFO"):
        await steer(fetch, sandbox, **{"X-API-Key": CONTROL})
    line = next(record for record in caplog.records if "steered" in record.message)
    assert (line.key, CONTROL in caplog.text) == ("operator", False)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.5.5.5", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("*", False),
        ("198.51.100.7", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_what_reaches_this_machine_only(host, expected):
    assert is_loopback(host) is expected


# origins


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:3000", True),
        ("http://localhost:3001", False),
        ("http://localhost", False),
        ("https://localhost:3000", False),
        ("http://localhost:3000/", False),
        ("http://localhost:3000.evil.example", False),
        ("http://evil.example/http://localhost:3000", False),
        ("http://user@localhost:3000", False),
        ("http://LOCALHOST:3000", False),  # browsers send it in lower case
        ("null", False),
        ("", False),
        ("http://here:5000", True),
        ("https://here:5000", False),
        ("http://here", False),
    ],
)
def test_origin_must_be_listed_or_the_servers_own(origin, is_allowed):
    rules = rules_of(origins=["http://localhost:3000/"], hosts=["here"])
    assert rules.allows_origin(request_from("192.0.2.1", Origin=origin)) is is_allowed


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        ("http://localhost:3000", 200, "http://localhost:3000"),
        ("http://localhost:3001", 403, None),
        ("null", 403, None),
    ],
)
@pytest.mark.gen_test
async def test_page_reads_an_answer_if_its_origin_may(sandbox, fetch, origin, status, allowed):
    answer = await fetch(sandbox, "/api/symbols", headers={"Origin": origin})
    assert (answer.status, answer.headers.get("Access-Control-Allow-Origin")) == (status, allowed)
    assert "Access-Control-Allow-Credentials" not in answer.headers
