"""Secrets: a file that others may read is warned of; no key, password, path or traceback is told."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
import socketio
from tornado.websocket import WebSocketClosedError, websocket_connect

from schemas.configuration.settings_file import warn_of_open_secrets
from tests.processes import ROOT

KEY, GUESS, PASSWORD = "the-key-that-nobody-may-see", "a-guess-that-is-wrong", "the-password-of-the-database"
IN_QUERY = "a-key-where-none-belongs"


@pytest.mark.parametrize(
    ("mode", "warns"),
    [
        (0o600, False),
        (0o400, False),
        (0o640, True),
        (0o604, True),
        (0o644, True),
        (0o622, True),
        (0o666, True),
    ],
)
def test_file_of_secrets_that_others_may_read_is_warned_of(tmp_path, caplog, mode, warns):
    path = tmp_path / ".env"
    path.write_text("API_KEYS=secret\n")
    path.chmod(mode)
    warn_of_open_secrets(path)
    assert [record.getMessage() for record in caplog.records] == (
        [".env holds secrets and others may read it: chmod 600 .env"] if warns else []
    )


def test_file_of_secrets_that_is_not_there_is_not_warned_of(tmp_path, caplog):
    warn_of_open_secrets(tmp_path / ".env")
    assert not caplog.records


PACKAGES = ("analytics", "cli", "domain", "feed", "handlers", "schemas")


@pytest.fixture
def installed(tmp_path):
    """``start(mode, **settings)``: what a server says that is started beside a ``.env`` of its own."""

    def start(mode, **settings):
        shutil.copy(ROOT / "server.py", tmp_path)
        for package in PACKAGES:
            (tmp_path / package).symlink_to(ROOT / package)
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (tmp_path / ".env").chmod(mode)
        return subprocess.run(
            [sys.executable, tmp_path / "server.py", "--settings", ROOT / "settings.toml", "--port", "0"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return start


@pytest.mark.parametrize(("mode", "times"), [(0o600, 0), (0o644, 1)])
def test_start_warns_once_of_a_file_of_secrets_that_others_may_read(installed, mode, times):
    ended = installed(mode, API_KEYS=KEY, DATABASE_URL=f"postgresql://market:{PASSWORD}@127.0.0.1:1/market")
    said = ended.stdout + ended.stderr
    assert said.count("chmod 600 .env") == times
    assert ended.returncode == 75
    assert "cannot" in said.lower()  # the database; told without its password
    for secret in (KEY, PASSWORD, "Traceback"):
        assert secret not in said


def raw(url, data):
    """What a server answers to bytes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return answer.decode("latin-1")


def request_of(line, body="", **headers):
    given = {"Host": "here", "X-API-Key": KEY, "Connection": "close", **headers}
    if body:
        given = {"Content-Type": "application/json", "Content-Length": str(len(body)), **given}
    lines = [line, *(f"{name.replace('_', '-')}: {value}" for name, value in given.items()), "", body]
    return "\r\n".join(lines).encode()


STRATEGY = "POST /api/strategy HTTP/1.1"
REQUESTS = [
    request_of("GET /api/symbols HTTP/1.1", X_API_Key=GUESS),
    request_of(f"GET /api/symbols?key={IN_QUERY} HTTP/1.1"),  # its sender may read it again, nobody else
    request_of("GET /api/symbols HTTP/1.1", X_API_Key=f"{KEY}x"),
    request_of("GET /api/symbols HTTP/1.1", X_API_Key="", Authorization=f"Basic {KEY}"),
    request_of("GET /api/option_chain?symbol=NIFTY&expiry=1 HTTP/1.1"),
    request_of("GET /api/spot_price/..%2F..%2Fetc%2Fpasswd HTTP/1.1"),
    request_of("GET /../../../../etc/passwd HTTP/1.1"),
    request_of("GET /server.py HTTP/1.1"),
    request_of("GET /.env HTTP/1.1"),
    request_of("GET /api/historical-data/NIFTY?page=999999999999999999999 HTTP/1.1"),
    request_of("GET /api/historical-data/NIFTY?from=0001-01-01&to=9999-12-31 HTTP/1.1"),
    request_of("GET /api/symbols?q=%00%ff%fe HTTP/1.1"),
    request_of("DELETE /api/symbols HTTP/1.1"),
    request_of("BREW /api/symbols HTTP/1.1"),
    request_of(STRATEGY, "[" * 5000),
    request_of(STRATEGY, json.dumps({"symbol": "NIFTY", "legs": [{}] * 50})),
    request_of(STRATEGY, json.dumps({"symbol": {"a": 1}, "legs": None})),
    request_of(STRATEGY, '{"symbol": "NIFTY", "legs": [{"strike": 1e999}]}'),
    request_of(STRATEGY, "x" * 70_000),
    request_of("POST /api/simulation/scenario HTTP/1.1", '{"scenario": "crash"}'),
    request_of("GET /api/symbols HTTP/9.9"),
    request_of("GET /api/symbols HTTP/1.1", Host="here, there"),
    request_of("GET /api/symbols HTTP/1.1", Content_Length="-5"),
    request_of("GET /api/symbols HTTP/1.1", If_None_Match='"\\'),
    request_of("GET /socket.io/?EIO=4&transport=polling&sid=nobody HTTP/1.1"),
    request_of("POST /socket.io/?EIO=4&transport=polling&sid=nobody HTTP/1.1", "4junk"),
    request_of("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", Upgrade="websocket"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
    b"\x00\xff\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
]
FRAMES = [
    "0",
    "4",
    "40{",
    '40{"token": 5}',
    "42",
    "42[",
    '42["ping"',
    '451-["ping",{"_placeholder":true}]',
    "9",
]
EVENTS = [
    ("no_such_event", None),
    ("subscribe_symbol", {"symbol": ["NIFTY"] * 9}),
    ("subscribe_symbol", {"symbol": 5}),
    ("subscribe_option_chain", "text"),
    ("resume", {"streams": [{"stream": "chain:NIFTY:tomorrow", "epoch": "x", "seq": 1}]}),
    ("get_dashboard_data", {"symbol": "NIFTY", "expiry": "../../etc/passwd"}),
    ("subscribe_candles", {"symbol": "NIFTY", "interval": "7m"}),
]


async def talk_nonsense(url):
    """Everything a server says to broken frames and events."""
    said = []
    for frame in FRAMES:
        connection = await websocket_connect(
            url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        )
        with suppress(WebSocketClosedError):
            await connection.write_message(frame)
            await connection.write_message("1")
        while (message := await connection.read_message()) is not None:
            said.append(str(message))
        connection.close()
    for token in (GUESS, KEY):
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        client.on("*", lambda *told: said.append(json.dumps(told)))
        client.on("connect_error", lambda told: said.append(json.dumps(told)))
        with suppress(socketio.exceptions.ConnectionError):
            await client.connect(url, transports=["websocket"], auth={"token": token})
            for event, payload in EVENTS:
                said.append(json.dumps(await client.call(event, payload, timeout=10)))
        await client.disconnect()
    return said


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_answer_and_no_line_of_the_log_tells_a_secret_a_path_or_a_traceback(run_server, tmp_path, level):
    options = ("--log-level", level, "--set", "server.access_log=true", "--set", "feed.control=true")
    process = run_server(*options, "--set", "limits.connect_timeout_s=1", environment={"API_KEYS": KEY})
    said = [raw(process.url, data) for data in REQUESTS]
    said += asyncio.run(talk_nonsense(process.url))
    codes = set(re.findall(r"UNAUTHORIZED|NOT_FOUND|VALIDATION_ERROR|PAYLOAD_TOO_LARGE", "".join(said)))
    assert len(codes) == 4  # the errors were reached
    process.stop()
    log = process.log.read_text()
    assert IN_QUERY not in log
    for text, where in [*((text, "an answer") for text in said), (log, "the log")]:
        for secret in (KEY, GUESS, str(ROOT), str(tmp_path), "Traceback", "site-packages"):
            assert secret not in text, f"{where} tells {secret}: {text[-2000:]}"
