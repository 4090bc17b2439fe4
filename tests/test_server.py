"""``python server.py`` from the outside: banner, health, a clean end, one sentence when it cannot start."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import socketio

import server
from domain.version import VERSION
from tests.processes import ROOT, STOP_S, spawn

SECRET = "a-key-that-nobody-may-see"


def run_to_its_end(*arguments, environment=None):
    """Run the server with arguments with which it is not expected to serve."""
    # a bare environment, so that nothing of the developer's own counts
    return subprocess.run(
        [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=STOP_S,
        check=False,
    )


def test_help_names_every_option_and_where_settings_come_from(capsys):
    with pytest.raises(SystemExit) as ended:
        server.main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for option in ("--settings", "--port", "--replay", "--speed", "--start", "--set", "--database-url"):
        assert option in told
    for place in ("settings.toml", ".env", "environment", "command line"):
        assert place in told


def test_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        server.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.strip()) == (0, VERSION)


def test_what_is_answered_at_once_imports_no_numpy_and_numpy_brings_no_threads_of_its_own():
    """Threads of its own would spin beside the loop; on a machine with one core there are none anyway."""
    code = """
import contextlib, os, server, sys
with contextlib.suppress(SystemExit):
    server.main(["--version"])
assert server.main(["--set", "feed.seed=x"]) == server.CANNOT_START
assert not {"numpy", "sqlalchemy", "tornado"} & set(sys.modules)
import numpy
print(len(os.listdir("/proc/self/task")))
"""
    told = subprocess.check_output(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, text=True, timeout=STOP_S
    )
    assert told.split() == [VERSION, "1"]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A server that just printed its banner, and the banner."""
    process = spawn(
        tmp_path_factory.mktemp("started") / "log", "--seed", "11", "--database-url", "", fresh=True
    )
    yield process, read_banner(process)
    assert process.stop() == 0
    process.popen.stdout.close()


def read_banner(process):
    """What follows the line that names the server."""
    return "".join(process.popen.stdout.readline() for _ in range(7))


def test_banner_tells_what_one_who_just_started_it_wants_to_know(started):
    process, banner = started
    assert f"API        {process.url}/api\n" in banner
    assert f"WebSocket  {process.url}/socket.io/" in banner
    assert f"health     {process.url}/health\n" in banner
    assert "docs  " in banner
    assert "simulated (seed 11" in banner
    contracts = re.search(r"([\d,]+) contracts", banner)[1]
    assert int(contracts.replace(",", "")) > 10_000


def test_every_address_in_the_banner_answers(started):
    _, banner = started
    addresses = re.findall(r"^  [^:]*?(?<!ends) +(http://\S+)", banner, re.MULTILINE)
    assert len(addresses) >= 4
    for address in addresses:
        if not address.endswith("/socket.io/"):
            with urlopen(address) as answer:
                assert answer.status == 200, address


def test_server_is_healthy_as_soon_as_the_banner_is_out(started):
    process, _ = started
    with urlopen(f"{process.url}/health") as answer:
        assert answer.status == 200
        assert json.loads(answer.read())["data"]["parts"]["feed"]["status"] == "ok"


@pytest.mark.parametrize(
    "query",
    ["", "?EIO=3&transport=polling", "?EIO=4&transport=polling&sid=gone", "?EIO=4&transport=pigeon"],
)
@pytest.mark.parametrize("body", [None, b"garbage"])
def test_request_that_makes_no_sense_is_no_error_of_the_server(started, query, body):
    process, _ = started
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{process.url}/socket.io/{query}", data=body))
    with refused.value as answer:
        assert answer.code == 400
    entries = [json.loads(line) for line in process.log.read_text().splitlines()]
    # health may say that this machine is busy: that is no word of the request
    told = [entry for entry in entries if entry["logger"] != "handlers.monitoring.health"]
    assert not {"WARNING", "ERROR"} & {entry["level"] for entry in told}


def test_banner_names_the_recording_that_is_replayed(run_server):
    path = ROOT / "tests" / "data" / "nifty_snapshot_20260305_close.csv"
    process = run_server("--replay", str(path))
    banner = read_banner(process)
    assert "feed       replay" in banner
    assert path.name in banner


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.gen_test
async def test_signal_ends_it_cleanly_with_clients_connected(run_server, number):
    process = run_server("--publish-interval-ms", "50")
    clients = []
    for transports in (["websocket"], ["polling"], ["websocket"]):
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        await client.connect(process.url, transports=transports, wait_timeout=5)
        await client.call("subscribe_option_chain", {"symbol": "NIFTY"})
        clients.append(client)
    process.popen.send_signal(number)
    assert await asyncio.to_thread(process.popen.wait, STOP_S) == 0
    for client in clients:
        await client.disconnect()
    assert "stopping" in process.log.read_text()


def one_sentence(code, output, errors):
    """The one line with which it said why it did not start."""
    assert code in (2, 75)
    assert output == ""
    lines = errors.splitlines()
    assert len(lines) == 1, errors
    assert lines[0].startswith("server.py: ")
    return lines[0]


@pytest.fixture
def refusal(capfd, monkeypatch):
    """``refusal("--port", "x", PORT="1")``: the sentence, of a start within this process."""

    def start(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = server.main(["--host", "127.0.0.1", "--port", "0", *arguments])
        return one_sentence(code, *capfd.readouterr())

    return start


@pytest.mark.parametrize(
    "arguments", [("--set", "server.prot=1"), ("--replay", "nowhere.csv"), ("--host", "203.0.113.1")]
)
def test_process_that_cannot_start_ends_with_code_2_and_no_traceback(arguments):
    ended = run_to_its_end(*arguments)
    assert arguments[1].removesuffix("=1") in one_sentence(ended.returncode, ended.stdout, ended.stderr)


def test_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_to_its_end("--port", str(port), "--database-url", "")
    told = one_sentence(ended.returncode, ended.stdout, ended.stderr)
    assert f"127.0.0.1:{port}" in told
    assert "in use" in told


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (("--set", "server.prot=1"), {}, ("server.prot",)),
        (("--set", "sever.port=1"), {}, ("sever",)),
        (("--set", "server.port"), {}, ("SECTION.KEY=VALUE",)),
        (("--port", "99999"), {}, ("server.port", "65535", "99999")),
        (("--speed", "fast"), {}, ("feed.speed", "fast")),
        (("--start", "noon"), {}, ("feed.start", "noon")),
        ((), {"SERVER__PROT": "1"}, ("server.prot",)),
        ((), {"MAX_CLIENTS": "none"}, ("limits.max_clients", "none")),
        ((), {"FRONTEND_URL": "*"}, ("server.frontend_url", "'*'")),
        (("--settings", "nowhere.toml"), {}, ("nowhere.toml",)),
        (("--replay", "nowhere.csv"), {}, ("nowhere.csv",)),
        (("--set", "feed.source=replay"), {}, ("feed.source", "replay.file")),
        (("--database-url", "mongodb://here/market"), {}, ("mongodb",)),
        (("--database-url", "sqlite:////dev/null/history.sqlite3"), {}, ("/dev/null/history.sqlite3",)),
        (("--database-url", "/proc/history.sqlite3"), {}, ("/proc/history.sqlite3",)),
    ],
)
def test_start_that_fails_is_told_in_one_sentence(refusal, arguments, environment, named):
    told = refusal(*arguments, **environment)
    for name in named:
        assert name in told, told


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"[server\nport = 1\n", "settings.toml"),
        (b"[server]\nprot = 1\n", "server.prot"),
        (b"[limits]\nmax_clients = 'x'\n", "limits.max_clients"),
        (b"\xff\xfe\x00", "settings.toml"),
        (b"port = 1\n", "port"),
    ],
)
def test_settings_file_that_is_not_valid(refusal, tmp_path, content, named):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    assert named in refusal("--settings", str(path))


def test_settings_file_that_is_a_directory(refusal, tmp_path):
    assert str(tmp_path) in refusal("--settings", str(tmp_path))


@pytest.mark.parametrize("name", ["chain.csv", "chain.json", "chain.csv.gz", "chain.txt"])
@pytest.mark.parametrize("content", [b"", b"{", b"not,a,chain\n1,2,3\n", b"\xff\xfe\x00\x01", b"{}"])
def test_recording_that_cannot_be_read(refusal, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert name in refusal("--replay", str(path))


@pytest.fixture(scope="module")
def from_environment(tmp_path_factory):
    """What a server said that was set up by its environment: banner and log."""
    environment = {"API_KEYS": SECRET, "FEED__SEED": "5", "DEBUG": "true", "MAX_CLIENTS": "1"}
    process = spawn(
        tmp_path_factory.mktemp("environment") / "log", "--database-url", "", environment=environment
    )
    banner = read_banner(process)
    request = Request(f"{process.url}/api/symbols", headers={"X-API-Key": "another-key"})
    with pytest.raises(HTTPError, match="401") as refused:
        urlopen(request)
    refused.value.close()
    with urlopen(Request(f"{process.url}/api/symbols", headers={"X-API-Key": SECRET})) as answer:
        assert answer.status == 200
    assert process.stop() == 0
    with process.popen.stdout:
        return banner + process.popen.stdout.read(), process.log.read_text()


def test_environment_is_taken(from_environment):
    banner, log = from_environment
    assert "seed 5" in banner
    assert "DEBUG" in log


def test_secrets_are_neither_in_the_banner_nor_in_the_log(from_environment):
    assert SECRET not in "".join(from_environment)
