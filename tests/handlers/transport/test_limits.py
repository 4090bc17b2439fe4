"""Limits of body, header, URL, message and connections, and clients that dribble, idle or never read."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager, suppress

import pytest
from tornado.websocket import websocket_connect

from handlers.operations.build import MAX_HEADER_BYTES
from handlers.rest.base import MAX_URL_CHARACTERS
from handlers.streams.namespace import LEAST_PENDING
from handlers.transport.listener import CONNECTIONS_A_CLIENT

BODY, MESSAGE = 2048, 1024
SOON = {"connect_timeout_s": 0.6, "idle_timeout_s": 1.0}
REQUEST = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"


@asynccontextmanager
async def stranger(sandbox):
    """A connection that says what a test says: ``reader, writer``."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionResetError, BrokenPipeError):
            await writer.wait_closed()


async def is_closed(reader):
    """Wait until the server closes the connection; a test that waits in vain fails by its time."""
    with suppress(ConnectionResetError):
        while await reader.read(65536):
            pass
    return True


async def until(condition):
    """Wait for what only the server's own figures show."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def answer_of(reader):
    """The status of an answer, read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split()[1])


# sizes


@pytest.fixture
def small(io_loop, make_sandbox):
    limits = {"max_message_bytes": MESSAGE}
    return io_loop.run_sync(lambda: make_sandbox(server={"max_body_bytes": BODY}, limits=limits))


@pytest.mark.parametrize(("size", "status"), [(BODY, 400), (BODY + 1, 413), (16 * BODY, 413)])
@pytest.mark.gen_test
async def test_body_up_to_the_limit_is_looked_at(small, fetch, size, status):
    body = json.dumps({"symbol": "x" * (size - len('{"symbol": ""}'))})
    assert len(body) == size
    headers = {"Content-Type": "application/json"}
    answer = await fetch(small, "/api/strategy", method="POST", body=body, headers=headers)
    assert answer.status == status
    if status == 413:
        assert answer.error == {"code": "PAYLOAD_TOO_LARGE", "details": {"max_body_bytes": BODY}}


@pytest.mark.gen_test
async def test_body_beyond_all_measure_is_not_even_read(small, fetch):
    async with stranger(small) as (reader, writer):
        head = f"POST /api/strategy HTTP/1.1\r\nHost: here\r\nContent-Length: {16 * BODY + 1}\r\n\r\n"
        writer.write(head.encode())
        assert (await reader.read(65536)).startswith(b"HTTP/1.1 400 ")
        assert await is_closed(reader)
    assert (await fetch(small, "/health")).status == 200


@pytest.mark.parametrize(
    ("length", "is_allowed"), [(MAX_URL_CHARACTERS, True), (MAX_URL_CHARACTERS + 1, False)]
)
@pytest.mark.gen_test
async def test_url_up_to_the_limit_is_looked_at(small, fetch, length, is_allowed):
    path = "/api/symbols?nothing="
    answer = await fetch(small, path + "x" * (length - len(path)))
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    rule = f"must have at most {MAX_URL_CHARACTERS} characters, had {length}"
    assert [*answer.error["details"]] == (["nothing"] if is_allowed else ["url"])
    assert is_allowed or answer.error["details"]["url"] == [rule]


@pytest.mark.parametrize(("size", "is_allowed"), [(MAX_HEADER_BYTES, True), (0, False)])
@pytest.mark.gen_test
async def test_header_up_to_the_limit_is_read(small, fetch, size, is_allowed):
    frame = b"GET /health HTTP/1.1\r\nHost: here\r\nX-Filler: \r\n\r\n"
    size = size or MAX_HEADER_BYTES + 1
    async with stranger(small) as (reader, writer):
        writer.write(frame.replace(b"r: ", b"r: " + b"x" * (size - len(frame))))
        if is_allowed:
            assert await answer_of(reader) == 200
        else:
            assert await reader.read(65536) == b""  # closed without a word
    assert (await fetch(small, "/health")).status == 200


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(("size", "is_allowed"), [(MESSAGE, True), (MESSAGE + 1, False)])
@pytest.mark.gen_test
async def test_message_up_to_the_limit_is_looked_at(small, connect, transport, size, is_allowed):
    client = await connect(small, transport)
    frame = len('42["ping","",]') - 1  # packet and event around the payload
    await client.socket.emit("ping", "x" * (size - frame))
    if is_allowed:
        assert len((await client.next("pong"))["sent"]) == size - frame
    elif transport == "websocket":
        told = await client.next("error")
        assert (told["code"], told["details"]) == ("PAYLOAD_TOO_LARGE", {"max_message_bytes": MESSAGE})
    else:
        await asyncio.wait_for(client.disconnected.wait(), 10)


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ],
)
@pytest.mark.gen_test
async def test_request_that_two_parsers_may_read_differently_is_refused(small, fields):
    smuggled = f"POST /api/strategy HTTP/1.1\r\nHost: here\r\n{fields}\r\n\r\n0\r\n\r\n".encode() + REQUEST
    async with stranger(small) as (reader, writer):
        writer.write(smuggled)
        said = await reader.read(65536)
        assert await is_closed(reader)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1


# connections


@pytest.mark.gen_test
async def test_address_holds_no_more_connections_than_it_may(make_sandbox, fetch):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1})
    held = [stranger(sandbox) for _ in range(CONNECTIONS_A_CLIENT)]
    streams = [await item.__aenter__() for item in held]
    for reader, writer in streams:
        writer.write(REQUEST)
        assert await answer_of(reader) == 200
    async with stranger(sandbox) as (reader, _):
        assert await is_closed(reader)
    assert sandbox.server.namespace.admission.refused["RATE_LIMITED"] == 1
    await held.pop().__aexit__(None, None, None)
    await until(lambda: sandbox.server.http.open_connections < CONNECTIONS_A_CLIENT)
    assert (await fetch(sandbox, "/health")).status == 200
    for item in held:
        await item.__aexit__(None, None, None)


@pytest.mark.gen_test
async def test_connections_of_a_trusted_proxy_are_many_peoples(make_sandbox):
    limits = {"max_clients_per_address": 1}
    sandbox = await make_sandbox(server={"trusted_proxies": ["127.0.0.1"]}, limits=limits)
    held = [stranger(sandbox) for _ in range(CONNECTIONS_A_CLIENT + 3)]
    for item in held:
        reader, writer = await item.__aenter__()
        writer.write(REQUEST)
        assert await answer_of(reader) == 200
    for item in held:
        await item.__aexit__(None, None, None)


@pytest.mark.gen_test
async def test_websocket_is_no_http_connection_any_more(make_sandbox, connect):
    sandbox = await make_sandbox()
    client = await connect(sandbox)
    await client.settle()
    assert sandbox.server.http.open_connections == 0


POLLING = "/socket.io/?EIO=4&transport=polling"


@pytest.mark.gen_test
async def test_address_opens_no_more_sessions_than_it_may_before_it_connects(make_sandbox, fetch):
    sandbox = await make_sandbox(limits={"max_clients_per_address": 1, "connect_timeout_s": 1})
    engine = sandbox.server.namespace.server.eio
    for _ in range(LEAST_PENDING):
        assert (await fetch(sandbox, POLLING)).status == 200
    answer = await fetch(sandbox, POLLING)
    assert answer.status == 429
    assert answer.body["message"] == "Your address has too many sessions that did not connect."
    await until(lambda: not engine.pending)  # they are closed once their time is over
    assert engine.closed_by_reason["connect_timeout"] == LEAST_PENDING
    assert (await fetch(sandbox, POLLING)).status == 200


# clients that take their time


@pytest.fixture
def impatient(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(limits=SOON))


async def dribble(writer, reader, data):
    """Send byte after byte for as long as the server listens."""
    closed = asyncio.ensure_future(is_closed(reader))
    for byte in data:
        if closed.done():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)
    return await closed


HEAD = b"POST /api/strategy HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [(b"", b""), (b"", b"GET /health HTTP/1.1\r\nX-Filler: " + 4000 * b"x"), (HEAD, 1000 * b" ")],
    ids=["says nothing", "dribbles its header", "dribbles its body"],
)
@pytest.mark.gen_test
async def test_connection_that_sends_no_request_in_time_is_closed_and_others_are_served(
    impatient, fetch, at_once, slowly
):
    async with stranger(impatient) as (reader, writer):
        writer.write(at_once)
        closing = asyncio.ensure_future(dribble(writer, reader, slowly))
        assert (await fetch(impatient, "/health")).status == 200
        assert await closing
    assert (await fetch(impatient, "/health")).status == 200


@pytest.mark.gen_test
async def test_connection_that_idles_between_requests_is_closed(impatient):
    async with stranger(impatient) as (reader, writer):
        for _ in range(2):
            writer.write(REQUEST)
            assert await answer_of(reader) == 200
        assert await is_closed(reader)


@pytest.mark.gen_test
async def test_connection_that_has_asked_before_may_idle_longer(make_sandbox):
    sandbox = await make_sandbox(limits={"connect_timeout_s": 0.6, "idle_timeout_s": 600})
    async with stranger(sandbox) as (reader, writer):
        writer.write(REQUEST)
        assert await answer_of(reader) == 200
        async with stranger(sandbox) as (silent, _):  # came later, and is closed first
            assert await is_closed(silent)
        writer.write(REQUEST)
        assert await answer_of(reader) == 200


@pytest.mark.parametrize("says", [None, "3", '42["ping"]'], ids=["nothing", "a pong", "an event"])
@pytest.mark.gen_test
async def test_websocket_that_never_says_connect_is_closed(impatient, fetch, says):
    url = impatient.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    client = await websocket_connect(url)
    assert (await client.read_message()).startswith("0{")
    if says is not None:
        await client.write_message(says)
    assert (await fetch(impatient, "/health")).status == 200
    assert await client.read_message() is None
    client.close()
    closed = impatient.server.namespace.server.eio.closed_by_reason
    assert closed == ({"protocol": 1} if says == '42["ping"]' else {"connect_timeout": 1})
    assert not impatient.server.namespace.server.eio.pending


@pytest.mark.gen_test
async def test_client_that_never_reads_its_answers_is_closed(impatient, fetch):
    host, port = impatient.url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    with raw:
        await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
        request = b"GET /api/option_chain?symbol=NIFTY HTTP/1.1\r\nHost: here\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(raw, 40 * request)
        await until(lambda: impatient.server.http.open_connections)
        assert (await fetch(impatient, "/health")).status == 200
        await until(lambda: not impatient.server.http.open_connections)
