"""The servers under test, each a process of its own on the servers' core: ours and its peers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.machine import HERE, NODE_PEER, ROOT, compiled, node, pinned

START_LIMIT_LINES = 200
STOP_S = 20
PROCESS_CPU_CLOCK = 2  # of clock_getcpuclockid(3)
MARKET_STARTS = "2026-11-23T10:00+05:30"  # in a session: the same busy market in every run, whatever the hour
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")  # no setting of ours may come from the environment


class Server:
    """A running server: ``with Server(...) as server``."""

    def __init__(
        self, name: str, command: list[str], *, ready: str, port: int = 0, pace: float | None = None
    ) -> None:
        """Start it; it serves once a line matches ``ready``, whose group, if any, is the port.

        ``pace`` : how many times as fast as ours the clock runs that its events tell the time of.
        """
        self.name = name
        self.pace = pace
        self.port = port
        descriptor, path = tempfile.mkstemp(prefix="bench-", suffix=".log")
        self._log = Path(path)
        self._process = subprocess.Popen(
            pinned(command, on_server_core=True),
            cwd=ROOT,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdout=subprocess.PIPE,
            stderr=descriptor,
            text=True,
        )
        os.close(descriptor)
        self._await(re.compile(ready))

    def _await(self, ready: re.Pattern[str]) -> None:
        assert self._process.stdout is not None
        for _ in range(START_LIMIT_LINES):
            line = self._process.stdout.readline()
            found = ready.search(line)
            if found:
                self.port = int(found[1]) if found.groups() else self.port
                return
            if not line:
                break
        self.stop()
        raise RuntimeError(f"The server {self.name} did not start: {self.log()}")

    @property
    def pid(self) -> int:
        """The process whose CPU time and memory count."""
        return self._process.pid

    def cpu_s(self) -> float:
        """CPU time of the process so far: utime + stime of ``/proc/PID/stat``, but to the nanosecond."""
        return time.clock_gettime((~self.pid << 3) | PROCESS_CPU_CLOCK)

    def log(self) -> str:
        """What it wrote to stderr."""
        return self._log.read_text()

    def get(self, path: str) -> Any:
        """The ``data`` of a REST answer of ours."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def stop(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.unlink()


def ours(publish_interval_ms: int, *arguments: str) -> Server:
    """``python server.py`` with its simulated market, history in memory and no limit per address.

    The market's clock is a virtual one, which moves every half second: a shorter interval needs it faster.
    """
    speed = max(1.0, 500 / publish_interval_ms)
    if "--speed" in arguments:
        speed = float(arguments[arguments.index("--speed") + 1])
    else:
        arguments = ("--speed", str(speed), *arguments)
    command = [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0"]
    command += [
        "--publish-interval-ms",
        str(publish_interval_ms),
        "--database-url",
        "",
        "--start",
        MARKET_STARTS,
    ]
    command += ["--set", "limits.max_clients_per_address=100000", "--set", "limits.max_clients=100000"]
    command += ["--set", "limits.rate_limit_per_minute=0", *arguments]
    return Server("ours", command, ready=r"server\s+http://127\.0\.0\.1:(\d+)/", pace=speed)


def floor(payload_bytes: int, ticks_per_second: float) -> Server:
    """The bare C floor."""
    return _peer("floor", [str(compiled("floor"))], payload_bytes, ticks_per_second)


def stock(payload_bytes: int, ticks_per_second: float) -> Server:
    """python-socketio on Tornado as it comes."""
    command = [sys.executable, str(HERE / "peers" / "stock.py")]
    return _peer("stock python-socketio", command, payload_bytes, ticks_per_second)


def node_socketio(payload_bytes: int, ticks_per_second: float, *, deflate: bool = False) -> Server:
    """Node's Socket.IO."""
    command = [node(), str(NODE_PEER / "server.js")]
    extra = ["deflate"] if deflate else []
    return _peer("Node Socket.IO", command, payload_bytes, ticks_per_second, *extra)


def _peer(name: str, command: list[str], payload_bytes: int, ticks_per_second: float, *extra: str) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*command, str(port), str(payload_bytes), str(ticks_per_second), *extra]
    return Server(name, command, ready="listening", port=port)
