"""``server.py login`` against the mock, as an operator does it in the morning."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.testing import bind_unused_port

from tests.processes import ROOT, STOP_S


def free_port() -> int:
    listening, port = bind_unused_port()
    listening.close()
    return port


class Operator:
    """Somebody at a terminal, with a mock for the broker."""

    def __init__(self, root: str, state: Path) -> None:
        self.root, self.file = root, state / "market-data" / "kite.json"
        self._environment = {**os.environ, "XDG_STATE_HOME": str(state)}  # noqa: TID251 - PATH and the like
        self._settings = [
            f"kite.root_url={root}",
            f"kite.login_url={root}/connect/login",
            "kite.api_key=mock",
            "kite.api_secret=secret",
        ]

    def start(self, *arguments: str, command: str = "login", **settings: str) -> subprocess.Popen[str]:
        """A command, running."""
        chosen = [*self._settings, *(f"kite.{name}={value}" for name, value in settings.items())]
        options = [word for setting in chosen for word in ("--set", setting)]
        return subprocess.Popen(
            [sys.executable, "server.py", command, *options, *arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, types: str = "", command: str = "login", **settings: str
    ) -> tuple[int, str]:
        """Its exit code, and what it said."""
        popen = self.start(*arguments, command=command, **settings)
        out, err = popen.communicate(types, timeout=STOP_S)
        return popen.returncode, out + err

    def request_token(self) -> str:
        """What the login page shows."""
        page = requests.get(f"{self.root}/connect/login?v=3&api_key=mock&user=MOCK01", timeout=STOP_S).text
        return re.search(r"request_token: ([\w-]+)", page)[1]


@pytest.fixture
def operator(run_server: Any, tmp_path: Path) -> Operator:
    port = free_port()
    run_server("--set", f"kite_mock.port={port}", "--start", "2026-11-23T11:00:00+05:30")
    return Operator(f"http://127.0.0.1:{port}", tmp_path / "state")


def test_operator_logs_in_by_paste_checks_and_logs_out(operator: Operator) -> None:
    code, said = operator.run("--check")
    assert (code, "There is no login" in said) == (1, True)
    code, said = operator.run(types=operator.request_token() + "\n")
    assert code == 0, said
    assert f"{operator.root}/connect/login?v=3&api_key=mock" in said
    assert "Developer is logged in" in said
    assert "until the broker ends it, usually about 06:00 tomorrow" in said
    assert stat.S_IMODE(operator.file.stat().st_mode) == 0o600
    kept = operator.file.read_text()
    assert re.search(r'"access_token": "([^"]+)"', kept)[1] not in said
    assert operator.run("--check") == (0, "Developer is logged in.\n")
    address = f"http://localhost/?action=login&status=success&request_token={operator.request_token()}"
    assert operator.run(types=address + "\n")[0] == 0
    assert operator.file.read_text() != kept
    assert operator.run("--logout") == (0, "Logged out.\n")
    assert not operator.file.exists()


def test_operator_logs_in_by_a_redirect_to_a_port_of_this_machine(operator: Operator) -> None:
    port = free_port()
    popen = operator.start("--listen", f"127.0.0.1:{port}")
    try:
        while "Waiting for the redirect" not in popen.stdout.readline():
            pass
        guide = f"http://127.0.0.1:{port}/"
        refused = requests.get(f"{guide}?status=cancelled", timeout=STOP_S).text
        assert "no request token" in refused
        told = requests.get(
            f"{guide}?status=success&request_token={operator.request_token()}", timeout=STOP_S
        )
        assert "You are logged in" in told.text
        out, err = popen.communicate(timeout=STOP_S)
    finally:
        popen.kill()
    assert popen.returncode == 0, err
    assert "Developer is logged in" in out
    assert operator.file.exists()


@pytest.mark.parametrize(
    ("types", "settings", "sentence"),
    [
        ("made-up\n", {}, "Kite refused the login: the request token was used or is some minutes old"),
        ("\n", {}, "Nothing was pasted."),
        ("http://localhost/?status=cancelled\n", {}, "That address has no request token"),
        ("x\n", {"api_key": ""}, "kite.api_key (KITE_API_KEY) must be set"),
        ("x\n", {"api_secret": ""}, "kite.api_secret (KITE_API_SECRET) must be set"),
        ("x\n", {"token_file": str(ROOT / "var" / "kite.json")}, "must be outside of the program's folder"),
        ("x\n", {"root_url": "http://127.0.0.1:9"}, "Kite cannot be reached"),
    ],
)
def test_login_that_cannot_be_is_refused_in_a_sentence(
    operator: Operator, types: str, settings: dict[str, str], sentence: str
) -> None:
    code, said = operator.run(types=types, **settings)
    assert code == 2
    assert sentence in said
    assert "Traceback" not in said
    assert not operator.file.exists()


def test_server_that_runs_goes_live_when_the_login_comes(operator: Operator, run_server: Any) -> None:
    sets = [f"kite.root_url={operator.root}", f"kite.ticker_url={operator.root.replace('http', 'ws')}"]
    sets += ["feed.source=kite", "kite.api_key=mock", f"kite.token_file={operator.file}"]
    server = run_server(*(word for setting in sets for word in ("--set", setting)))

    def feed() -> dict[str, Any]:
        return requests.get(f"{server.url}/health", timeout=STOP_S).json()["data"]["parts"]["feed"]

    pause = threading.Event()
    while feed()["problem"] != "login_required":
        pause.wait(0.05)
    assert operator.run(types=operator.request_token() + "\n")[0] == 0
    while feed()["state"] != "live":
        pause.wait(0.05)
    path = f"{server.url}/api/spot_price/NIFTY"
    while "data" not in (told := requests.get(path, timeout=STOP_S).json()):
        pause.wait(0.05)
    quote = told["data"]
    assert (quote["source"], quote["spot_price"] > 0) == ("kite", True)
