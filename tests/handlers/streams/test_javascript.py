"""The real JavaScript client against ``python server.py``, over each of its transports."""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from schemas import events
from tests.processes import spawn

CLIENT = Path(__file__).parents[2] / "client"
TRANSPORTS = ("websocket", "polling", "upgrade")
SPOKEN = {"websocket": "websocket", "polling": "polling", "upgrade": "websocket"}
UPDATES = 8  # states that a script compares of each stream
SCRIPT_S = 40  # for a script that never ends
FRONT_END = "http://localhost:3000"
FOREIGN = "https://elsewhere.example"
KEY = "an-operator-key"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (CLIENT / "node_modules").is_dir(),
    reason="Node.js or tests/client/node_modules is missing: make test sets it up",
)

each_transport = pytest.mark.parametrize("transport", TRANSPORTS)


class Script:
    """A script of tests/client, running."""

    def __init__(self, name, **options):
        self.popen = subprocess.Popen(
            ["node", f"{name}.mjs", json.dumps(options)],
            cwd=CLIENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self):
        """The next line it prints."""
        readable, _, _ = select.select([self.popen.stdout], [], [], SCRIPT_S)
        if not readable:
            self._give_up()
        return self.popen.stdout.readline()

    def result(self):
        """What it reports at its end."""
        try:
            output, errors = self.popen.communicate(timeout=SCRIPT_S)
        except subprocess.TimeoutExpired:
            self._give_up()
        assert self.popen.returncode == 0, f"{self.popen.args}: {output!s}{errors!s}"
        return json.loads(output.splitlines()[-1])

    def _give_up(self):
        """End it; it tells how far it came."""
        told = self.end()
        raise AssertionError(f"{self.popen.args} did not go on: {told}")

    def end(self):
        """End it if it still runs, and return what it said."""
        if self.popen.poll() is None:
            self.popen.terminate()
        return "".join(self.popen.communicate())


def run(name, **options):
    return Script(name, **options).result()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for all tests here that leave it as it was: ten states a second."""
    process = spawn(
        tmp_path_factory.mktemp("server") / "log",
        *("--publish-interval-ms", "100", "--database-url", "", "--start", "2026-11-23T10:00+05:30"),
        *("--set", "limits.rate_limit_per_minute=0"),
    )
    yield process
    assert process.stop() == 0
    process.popen.stdout.close()
    assert "Traceback" not in process.log.read_text()


@pytest.fixture(scope="module")
def delta_laws(server):
    """The script for each transport, all at once: they wait for the market most of the time."""
    scripts = {
        name: Script("delta_law", url=server.url, transport=name, updates=UPDATES) for name in TRANSPORTS
    }
    yield scripts
    for script in scripts.values():
        script.end()


@each_transport
def test_snapshot_and_deltas_are_what_rest_answers_for_the_same_seq(delta_laws, transport):
    result = delta_laws[transport].result()
    assert result.keys() == {"spot", "chain", "window"}
    for stream in result.values():
        assert stream["transport"] == SPOKEN[transport]
        assert stream["updates"] >= UPDATES
        assert stream["compared"] >= UPDATES
    assert result["window"]["rows"] == 21
    assert result["chain"]["rows"] > 50


@pytest.fixture
def afternoon(tmp_path):
    """A recording over the close at 15:40 with a silence after it; looped, every event comes again."""
    rows = ["timestamp,expiry,strike,option_type,spot,ltp,volume,oi,oi_chg,iv"]
    for number, minute in enumerate((35, 36, 37, 38, 39, 50)):
        spot = 24000 + 7 * number
        for strike in (23950, 24000, 24050):
            for side, sign in (("CE", 1), ("PE", -1)):
                price = max(0, sign * (spot - strike)) + 90
                figures = f"{price},{100 * (number + 1)},{500 + number},9,12"
                rows.append(f"2026112315{minute},01-Dec-2026,{strike},{side},{spot},{figures}")
    path = tmp_path / "nifty_afternoon.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_every_event_is_reached(run_server, afternoon):
    server = run_server(
        *("--replay", str(afternoon), "--hours", "exchange", "--speed", "300"),
        *("--publish-interval-ms", "100", "--set", "websocket.ping_interval_s=1"),
    )
    scripts = [
        Script("events", url=server.url, transport=transport, symbol="NIFTY") for transport in TRANSPORTS
    ]
    for script in scripts:
        assert script.line() == "waiting for the end\n", script.end()
    assert server.stop() == 0
    results = [script.result() for script in scripts]
    assert len({result["reconnect_after_ms"] for result in results}) == len(results)
    for transport, result in zip(TRANSPORTS, results, strict=True):
        assert result["transport"] == SPOKEN[transport]
        assert result["counts"].keys() == set(events.SERVER)
        assert set(result["acknowledged"]) == set(events.CLIENT)
        assert result["failed"] == []
        assert result["phases"] >= 2
        assert result["refused"]["error"]["code"] == "UNKNOWN_SYMBOL"
        assert result["reconnect_after_ms"] >= 1000


@pytest.fixture(scope="module")
def resumptions(server):
    scripts = {name: Script("resume", url=server.url, transport=name) for name in TRANSPORTS}
    yield scripts
    for script in scripts.values():
        script.end()


@each_transport
def test_client_whose_connection_broke_resumes_where_it_was(resumptions, transport):
    assert resumptions[transport].result() == {
        "transport": SPOKEN[transport],
        "recovered": True,
        "kind": "delta",
        "from": True,
    }


def test_front_end_on_another_origin_works(server):
    result = run("front_end", url=server.url, origin=FRONT_END)
    for name in ("rest", "preflight", "handshake"):
        assert result[name]["status"] in (200, 204)
        assert result[name]["allowed"] == FRONT_END
    for transport in TRANSPORTS:
        assert result[transport] == {"quote": "NIFTY"}


def test_page_of_a_foreign_origin_does_not_work(server):
    result = run("front_end", url=server.url, origin=FOREIGN)
    for name in ("rest", "preflight"):
        assert result[name]["status"] == 403
        assert result[name]["allowed"] is None
    for transport in TRANSPORTS:
        assert result[transport].keys() == {"refused"}


@each_transport
def test_foreign_origin_is_told_its_code(server, transport):
    result = run("refusal", url=server.url, transport=transport, origin=FOREIGN)
    assert result["data"]["code"] == "FORBIDDEN_ORIGIN"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with a key and room for one client."""
    process = spawn(
        tmp_path_factory.mktemp("guarded") / "log",
        *("--database-url", "", "--set", "limits.max_clients=1"),
        environment={"API_KEYS": KEY},
    )
    yield process
    assert process.stop() == 0
    process.popen.stdout.close()


@each_transport
@pytest.mark.parametrize("auth", [None, {"token": "wrong"}])
def test_client_without_a_key_is_told_its_code(guarded, transport, auth):
    result = run("refusal", url=guarded.url, transport=transport, auth=auth)
    assert result["data"]["code"] == "UNAUTHORIZED"
    assert result["message"].endswith(".")


def test_client_whose_key_is_revoked_reads_why_over_each_transport(run_server, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text(f"[server]\napi_keys = ['{KEY}']\n")
    process = run_server("--settings", str(settings), "--publish-interval-ms", "100")
    scripts = {
        name: Script("revoked", url=process.url, transport=name, auth={"token": KEY}) for name in TRANSPORTS
    }
    for script in scripts.values():
        assert script.line() == "connected\n"
    settings.write_text("[server]\napi_keys = ['another-key']\n")
    process.popen.send_signal(signal.SIGHUP)
    for name, script in scripts.items():
        result = script.result()
        assert result["transport"] == SPOKEN[name]
        assert (result["told"]["code"], result["told"]["event"]) == ("UNAUTHORIZED", "")
        assert result["reason"] in ("transport close", "transport error")


def test_client_with_a_key_is_let_in_and_one_too_many_told_its_code(guarded):
    first = Script("hold", url=guarded.url, auth={"token": KEY})
    assert first.line() == "connected\n"
    for transport in TRANSPORTS:
        result = run("refusal", url=guarded.url, transport=transport, auth={"token": KEY})
        assert result["data"]["code"] == "RATE_LIMITED"
    first.end()
