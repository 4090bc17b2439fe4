"""A server that may open few files: connections beyond them cost neither CPU nor log, others live on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.processes import FEW, ROOT, STOP_S

FILES = 200
CONNECTIONS = 400
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Limited:
    """A server under ``ulimit -n``."""

    def __init__(self, popen: subprocess.Popen[str], port: int, log: Path) -> None:
        self.popen, self.port, self.log = popen, port, log

    def connect(self) -> HTTPConnection:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.connect()
        return connection

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def ask(connection: HTTPConnection, path: str) -> Any:
    """The JSON of an answer over a connection that stays open."""
    connection.request("GET", path)
    return json.load(connection.getresponse())


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Limited]:
    log = tmp_path / "log"
    arguments = "server.py --host 127.0.0.1 --port 0 --database-url '' --set limits.connect_timeout_s=60 "
    arguments += "--set history.backfill_days=0 --set history.backfill_sessions=0"  # which would take CPU
    with log.open("w") as errors:
        popen = subprocess.Popen(
            ["bash", "-c", f"ulimit -n {FILES}; exec {sys.executable} {arguments}"],
            cwd=ROOT,
            env={**os.environ, **FEW},  # noqa: TID251 (PATH and the like)
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert popen.stdout is not None
    try:
        port = next(
            int(found[1])
            for line in popen.stdout
            if (found := re.search(r"server +http://[^:]+:(\d+)/", line))
        )
        yield Limited(popen, port, log)
    finally:
        popen.terminate()
        assert popen.wait(STOP_S) == 0
        popen.stdout.close()


def test_more_connections_than_files_harm_nobody_who_is_in(limited: Limited) -> None:
    inside = limited.connect()
    assert ask(inside, "/api/spot_price/NIFTY")["success"]
    crowd = []
    for _ in range(CONNECTIONS):
        try:
            crowd.append(limited.connect())
        except OSError:
            break  # the backlog is full: nobody new gets in, as it should be
    assert len(crowd) > FILES - 100
    started_s, cpu_s = time.monotonic(), limited.cpu_s()
    answers = 0
    clients = {"status": "ok"}
    while clients["status"] == "ok":  # it takes five seconds to be sure
        assert time.monotonic() - started_s < 14
        clients = ask(inside, "/health")["data"]["parts"]["clients"]
        answers += 1
        time.sleep(0.1)
    assert answers > 20
    assert (limited.cpu_s() - cpu_s) / (time.monotonic() - started_s) < 0.6
    assert limited.log.stat().st_size < 20_000
    assert clients["status"] == "degraded"
    assert "descriptor" in clients["reason"]
    for connection in (*crowd, inside):
        connection.close()
    over_s = time.monotonic() + 10
    while True:  # until the server has noticed that they are gone
        try:
            again = limited.connect()
            assert ask(again, "/api/spot_price/NIFTY")["success"]
            again.close()
            break
        except (OSError, HTTPException):
            assert time.monotonic() < over_s


def test_start_says_how_many_clients_the_files_allow(limited: Limited) -> None:
    told = limited.log.read_text(encoding="utf-8")
    assert re.search(r"max_clients|open-file|descriptors", told), told
