"""Kite's own clients, unmodified and given nothing but another root, against ``python server.py``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from tornado.testing import bind_unused_port

from tests.handlers.streams import test_javascript as javascript
from tests.processes import ROOT

SECONDS = 50


@pytest.fixture
def root(run_server: Any) -> str:
    """The address of the mock of a server."""
    listening, port = bind_unused_port()
    listening.close()
    run_server("--set", f"kite_mock.port={port}", "--seed", "7", "--start", "2026-11-23T11:00:00+05:30")
    return f"http://127.0.0.1:{port}"


def test_python_client_logs_in_asks_and_follows(root: str) -> None:
    script = [sys.executable, "-m", "tests.handlers.kite_mock.python_client", root, "4"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["login_time"]
    assert told["profile"]["broker"] == "ZERODHA"
    assert set(told["margins"]) == {"equity", "commodity"}
    assert told["orders"] == []
    assert told["instruments"] > 10_000
    assert told["types"] == {
        "instrument_token": "int",
        "exchange_token": "str",
        "tradingsymbol": "str",
        "name": "str",
        "last_price": "float",
        "expiry": "date",
        "strike": "float",
        "tick_size": "float",
        "lot_size": "int",
        "instrument_type": "str",
        "segment": "str",
        "exchange": "str",
    }
    assert told["quote"][:2] == ["NSE:NIFTY 50", "NSE:M&M"]
    assert len(told["quote"]) == 3
    assert told["too_many"] == {"kind": "NetworkException", "code": 429, "message": "Too many requests"}
    assert told["history"] > 30
    assert told["order"]["kind"] == "PermissionException"
    assert told["enough"]
    assert told["ticked"] == sorted(told["tokens"])
    assert told["connects"] == 1
    assert told["index"]["mode"] == "full"
    assert told["depth"] == [5, 5]
    assert told["logout"] is True
    assert (told["after"]["kind"], told["after"]["code"], told["hooked"]) == ("TokenException", 403, 1)


@javascript.pytestmark
def test_javascript_client_logs_in_asks_and_follows(root: str) -> None:
    told = javascript.run("kite", root=root, seconds=7)  # two of the looks at the line that it takes
    assert {"access_token", "public_token", "login_time", "user_id"} <= set(told["session"])
    assert told["profile"]["broker"] == "ZERODHA"
    assert told["margins"]["enabled"] is True
    assert told["instruments"] > 10_000
    assert told["last"]["instrument_token"]  # no row of nothing at the end
    assert len(told["quote"]) == 3
    assert told["too_many"]["error_type"] == "NetworkException"
    assert len(told["history"]) > 30
    assert told["order"]["error_type"] == "PermissionException"
    assert sorted(told["ticked"]) == sorted(told["tokens"])
    assert told["messages"] > 3
    assert told["disconnects"] == 0
    assert told["index"]["last_price"] > 0
    assert [len(told["option"]["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert told["logout"] is True
    assert told["after"]["error_type"] == "TokenException"
