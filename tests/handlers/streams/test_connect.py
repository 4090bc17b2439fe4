"""Connecting over both transports: the greeting, refusals, pings, and how it ends."""

import asyncio
import re

import pytest

from schemas.reference import MarketStatusSchema
from tests.handlers.shapes import INSTANT, problems

TRANSPORTS = ("websocket", "polling", "upgrade")
both_transports = pytest.mark.parametrize("transport", ["websocket", "polling"])
every_transport = pytest.mark.parametrize("transport", TRANSPORTS)
KEY = "an-operator-key"


@every_transport
@pytest.mark.gen_test
async def test_greeting_tells_the_client_all_it_needs(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    greeting = await client.next("connection_status")
    assert greeting["status"] == "connected"
    assert greeting["client_id"] == client.socket.get_sid()
    assert INSTANT.fullmatch(greeting["server_time"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", greeting["version"])
    assert greeting["epoch"] == (await fetch(sandbox, "/api/spot_price/NIFTY")).data["epoch"]
    assert greeting["limits"]["max_subscriptions"] == 64
    assert greeting["limits"]["slow_client_timeout_s"] == 20


@every_transport
@pytest.mark.gen_test
async def test_market_status_comes_with_the_greeting_as_over_rest(sandbox, connect, fetch, transport):
    client = await connect(sandbox, transport)
    status = await client.next("market_status")
    assert problems(MarketStatusSchema(), status) == []
    assert status == (await fetch(sandbox, "/api/market-status")).data
    assert [name for name, _ in client.order[:2]] == ["connection_status", "market_status"]


@pytest.mark.gen_test
async def test_default_transport_is_upgraded_to_websocket_and_goes_on(sandbox, connect):
    client = await connect(sandbox, "upgrade")
    assert client.transport == "websocket"
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await sandbox.step()
    assert [update["kind"] for update in [await client.next("symbol_update") for _ in range(2)]] == [
        "snapshot",
        "delta",
    ]


@pytest.mark.gen_test
async def test_polling_client_stays_with_polling(sandbox, connect):
    client = await connect(sandbox, "polling")
    assert client.transport == "polling"


@both_transports
@pytest.mark.gen_test
async def test_page_of_the_server_itself_may_connect(sandbox, connect, transport):
    client = await connect(sandbox, transport, headers={"Origin": sandbox.url})
    assert (await client.next("connection_status"))["status"] == "connected"


async def refusal(sandbox, connect, transport, **options):
    """What a refused client is told."""
    client = await connect(sandbox, transport, **options)
    told = await client.next("connect_error")
    assert client.waiting("connection_status") == []
    assert told["message"].endswith(".")
    return told["data"]


@both_transports
@pytest.mark.gen_test
async def test_foreign_origin_is_refused_with_its_code(sandbox, connect, transport):
    # over polling the refusal may come as the answer of the first request
    told = await refusal(sandbox, connect, transport, headers={"Origin": "https://elsewhere.example"})
    assert told["code"] == "FORBIDDEN_ORIGIN"


@every_transport
@pytest.mark.parametrize("origin", ["http://localhost:3000", None])
@pytest.mark.gen_test
async def test_front_end_and_programs_may_connect(sandbox, connect, transport, origin):
    headers = {"Origin": origin} if origin else {}
    client = await connect(sandbox, transport, headers=headers)
    assert (await client.next("connection_status"))["status"] == "connected"


@both_transports
@pytest.mark.parametrize(
    "auth", [None, {}, {"token": "wrong"}, {"token": None}, {"token": 7}, {"token": [KEY]}]
)
@pytest.mark.gen_test
async def test_client_without_a_valid_key_is_refused_with_its_code(make_sandbox, connect, transport, auth):
    sandbox = await make_sandbox(server={"api_keys": [KEY]})
    told = await refusal(sandbox, connect, transport, auth=auth)
    assert told["code"] == "UNAUTHORIZED"


@both_transports
@pytest.mark.gen_test
async def test_client_with_a_key_is_let_in(make_sandbox, connect, transport):
    sandbox = await make_sandbox(server={"api_keys": [KEY]})
    client = await connect(sandbox, transport, auth={"token": KEY})
    assert (await client.next("connection_status"))["status"] == "connected"


@both_transports
@pytest.mark.gen_test
async def test_one_client_too_many_is_refused_with_its_code(make_sandbox, connect, transport):
    sandbox = await make_sandbox(limits={"max_clients": 2})
    for _ in range(2):
        await connect(sandbox)
    told = await refusal(sandbox, connect, transport)
    assert (told["code"], told["details"]) == ("RATE_LIMITED", {"max_clients": 2})


@both_transports
@pytest.mark.gen_test
async def test_one_connection_of_an_address_too_many_is_refused(make_sandbox, connect, transport):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1})
    await connect(sandbox)
    told = await refusal(sandbox, connect, transport)
    assert (told["code"], told["details"]) == ("RATE_LIMITED", {"max_clients_per_address": 1})


@both_transports
@pytest.mark.gen_test
async def test_place_of_a_client_that_left_is_free_again(make_sandbox, connect, fetch, transport):
    sandbox = await make_sandbox(limits={"max_clients": 1})
    client = await connect(sandbox, transport)
    await client.socket.disconnect()
    while (await fetch(sandbox, "/api/websocket/stats")).data["connections"]["now"]:  # noqa: ASYNC110
        await asyncio.sleep(0)
    again = await connect(sandbox, transport)
    assert (await again.next("connection_status"))["status"] == "connected"


@both_transports
@pytest.mark.gen_test
async def test_refused_client_gets_nothing_of_the_market(make_sandbox, connect, transport):
    sandbox = await make_sandbox(server={"api_keys": [KEY]})
    client = await connect(sandbox, transport)
    await sandbox.step(3)
    assert [name for name, _ in client.order] == ["connect_error"]


@both_transports
@pytest.mark.gen_test
async def test_shutdown_is_announced_and_ends_the_connection(make_sandbox, connect, transport):
    sandbox = await make_sandbox()
    client = await connect(sandbox, transport)
    await client.next("market_status")
    await sandbox.server.namespace.shut_down()
    assert (await client.next("server_shutdown"))["reconnect_after_ms"] >= 1000
    await asyncio.wait_for(client.disconnected.wait(), 4)


@pytest.mark.gen_test
async def test_return_after_a_shutdown_is_spread_over_the_clients(make_sandbox, connect):
    sandbox = await make_sandbox()
    clients = [await connect(sandbox) for _ in range(10)]
    await sandbox.server.namespace.shut_down()
    told = [(await client.next("server_shutdown"))["reconnect_after_ms"] for client in clients]
    assert len(set(told)) == len(told)


@both_transports
@pytest.mark.gen_test
async def test_connection_outlives_the_pings_of_engine_io(make_sandbox, connect, transport):
    sandbox = await make_sandbox(websocket={"ping_interval_s": 1, "timeout_s": 1})
    client = await connect(sandbox, transport)
    socket = next(iter(sandbox.server.namespace.broadcaster.clients.values())).socket
    socket.cancel_timer()
    socket.ping()  # now, instead of after the interval
    await client.settle()
    await client.settle()
    assert socket.timer is not None
    assert not client.disconnected.is_set()
