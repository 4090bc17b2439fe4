"""Clients that break the protocol: closed at once, one line in the log, nobody else disturbed."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os

import pytest

from tests.fanout.raw import RawClient

BAD_HANDSHAKES = {
    "wrong engine version": "EIO=3&transport=websocket",
    "no engine version": "transport=websocket",
    "unknown session": "EIO=4&transport=websocket&sid=nobody",
    "wrong transport": "EIO=4&transport=polling",
    "unknown transport": "EIO=4&transport=carrier-pigeon",
}

# said after a good handshake, before the namespace is connected
BAD_TEXTS = {
    "no packet": "hello",
    "an unknown packet": "9",
    "the server's own packet": "0{}",
    "a server's ping": "2",
    "no Socket.IO packet": "4x",
    "empty message": "4",
    "event before connect": '42["ping"]',
    "nine-digit attachments": '45999999999-["x",{"_placeholder":true,"num":0}]',
    "zero attachments": '450-["x"]',
    "binary acknowledgement": '461-1["x"]',
    "connect error": '44{"message":"x"}',
    "broken JSON": "40{",
    "auth that is no object": "40[1]",
}

# said after the namespace is connected
BAD_EVENTS = {
    "event without a name": "42[]",
    "event whose name is no text": "42[7]",
    "event that is no list": '42{"a":1}',
    "broken JSON": '42["ping"',
    "an id of 200 digits": "42" + "9" * 200 + '["ping"]',
    "attachments on a plain event": '421-["x"]',
    "deep nesting": '42["ping",' + "[" * 5000 + "]" * 5000 + "]",
    "not a number": '42["ping",NaN]',
}

BAD_FRAMES = {
    "invalid UTF-8": {"payload": b"\xff\xfe", "first_byte": 0x81},
    "reserved bits": {"payload": b"4", "first_byte": 0xF1},
    "unknown opcode": {"payload": b"4", "first_byte": 0x83},
    "fragmented control frame": {"payload": b"", "first_byte": 0x09},
    "long control frame": {"payload": b"x" * 126, "first_byte": 0x89},
    "continuation of nothing": {"payload": b"4", "first_byte": 0x80},
    "unmasked": {"payload": b"40", "first_byte": 0x81, "mask": False},
    "binary": {"payload": b"\x00\x01", "first_byte": 0x82},
    "a message far over the limit": {"payload": b"4" * 200_000, "first_byte": 0x81},
}


@pytest.mark.parametrize("query", BAD_HANDSHAKES.values(), ids=BAD_HANDSHAKES.keys())
@pytest.mark.gen_test
async def test_bad_handshake_is_refused_before_the_upgrade(sandbox, raw, query):
    client = await raw.open(sandbox.url, query=query)
    assert client.status == 400
    body = await client.reader.read(500)
    assert json.loads(body)["message"]


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
@pytest.mark.gen_test
async def test_bad_first_message_closes_the_socket(sandbox, raw, caplog, text):
    client = await raw.open(sandbox.url)
    await client.frame()
    client.send(text)
    assert await client.ended()
    assert_one_line(caplog)


@pytest.mark.parametrize("text", BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
@pytest.mark.gen_test
async def test_bad_event_closes_the_socket_or_is_answered(sandbox, raw, caplog, text):
    client = await raw.connect(sandbox.url)
    client.send(text)
    assert await client.ended()
    assert_one_line(caplog)


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
@pytest.mark.gen_test
async def test_bad_frame_closes_the_socket(sandbox, raw, caplog, frame):
    client = await raw.connect(sandbox.url)
    client.send_frame(**frame)
    assert await client.ended()
    assert not any(record.exc_info for record in caplog.records)


def assert_one_line(caplog):
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1, [line.getMessage() for line in lines]
    assert lines[0].exc_info is None


@pytest.mark.gen_test
async def test_lines_about_many_offenders_are_limited(sandbox, raw, caplog):
    for _ in range(40):
        client = await raw.open(sandbox.url)
        await client.frame()
        client.send("x")
        assert await client.ended()
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 10


@pytest.mark.gen_test
async def test_oversize_message_is_an_error_first(sandbox, raw):
    client = await raw.connect(sandbox.url)
    limit = sandbox.server.settings.limits.max_message_bytes
    client.emit("ping", "x" * limit)
    error = await client.until("error")
    assert error["code"] == "PAYLOAD_TOO_LARGE"
    assert str(limit) in error["message"]
    assert (await client.call("ping", {"still": "here"}))["success"]


@pytest.mark.gen_test
async def test_event_flood_is_told_and_then_disconnected(make_sandbox, raw, caplog):
    sandbox = await make_sandbox(limits={"max_events_per_second": 2})
    client = await raw.connect(sandbox.url)
    for _ in range(100):
        client.emit("ping")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.until("never")
    assert {p["code"] for name, p in client.events if name == "error"} == {"RATE_LIMITED"}
    stats = sandbox.server.services.socket_statistics()
    assert stats["closed_by_reason"] == {"over_limit": 1}


@pytest.mark.gen_test
async def test_too_many_subscriptions_are_refused_whole(make_sandbox, raw):
    sandbox = await make_sandbox(limits={"max_subscriptions": 2})
    client = await raw.connect(sandbox.url)
    answer = await client.call("subscribe_symbol", {"symbol": ["NIFTY", "BANKNIFTY", "SENSEX"]})
    assert answer["error"]["code"] == "RATE_LIMITED"
    listed = await client.call("list_subscriptions")
    assert listed["data"]["subscriptions"] == []


@pytest.mark.gen_test
async def test_socket_that_never_connects_is_closed(make_sandbox, raw):
    sandbox = await make_sandbox(limits={"connect_timeout_s": 0.2})
    client = await raw.open(sandbox.url)
    await client.frame()
    assert await client.ended()
    assert sandbox.server.services.socket_statistics()["closed_by_reason"] == {"connect_timeout": 1}


@pytest.mark.gen_test
async def test_connected_socket_outlives_the_connect_timeout(make_sandbox, raw):
    sandbox = await make_sandbox(limits={"connect_timeout_s": 1.0})
    client = await raw.connect(sandbox.url)
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(1.3, passed.set_result, None)
    await passed
    assert (await client.call("ping"))["success"]


@pytest.mark.gen_test
async def test_offenders_leave_nothing_behind(sandbox, raw):
    """Descriptors, tasks and sessions are as before, and a good client noticed nothing."""
    good = await raw.connect(sandbox.url)
    await good.call("subscribe_symbol", {"symbol": "NIFTY"})
    engine = sandbox.server.namespace.server.eio
    gc.collect()  # what tests before this one left to be collected
    before = (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), len(engine.sockets))
    for text in [*BAD_TEXTS.values(), "40", '42["x"'] * 3:
        bad = await RawClient.open(sandbox.url)
        await bad.frame()
        bad.send(text)
        bad.send("45999999999-[]")
        assert await bad.ended()
        bad.vanish()
        await asyncio.sleep(0)
    await sandbox.step(2)
    gc.collect()
    after = (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), len(engine.sockets))
    assert after == before
    assert (await good.call("ping"))["success"]


@pytest.mark.gen_test
async def test_polling_post_of_garbage_ends_the_session(sandbox, fetch):
    opened = await fetch(sandbox, "/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened.raw[1:])["sid"]
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    answer = await fetch(sandbox, path, method="POST", body="garbage")
    assert answer.status == 400
    again = await fetch(sandbox, path, method="POST", body="40")
    assert again.status == 400


@pytest.mark.gen_test
async def test_jsonp_is_refused(sandbox, fetch):
    answer = await fetch(sandbox, "/socket.io/?EIO=4&transport=polling&j=0")
    assert answer.status == 400
