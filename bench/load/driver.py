"""Runs the load driver against a server and reads its report."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.load.servers import Server
from bench.machine import compiled, pinned

ADDRESSES = 8  # of a crowd: one address has 28,000 ports
SUBSCRIBE_NIFTY = '["subscribe_symbol",{"symbol":"NIFTY"}]'
SUBSCRIBE_CHAIN = '["subscribe_option_chain",{"symbol":"NIFTY","strikes":20}]'
SUBSCRIBE_QUOTES = '["subscribe_option_chain",{"symbol":"NIFTY","strikes":20,"fields":"quotes"}]'
SUBSCRIBE_LISTED = '["subscribe_symbol",{"symbol":"%s"}]'


@dataclass(frozen=True)
class Run:
    """The driver's report of one run."""

    report: dict[str, Any]

    @property
    def frames(self) -> int:
        """Events that arrived in the window."""
        return int(self.report["frames"])

    @property
    def frame_bytes(self) -> float:
        """Their mean size, without the WebSocket header."""
        return float(self.report["payload_bytes"]) / max(1, self.frames)

    def cpu_s(self, since: str = "window", until: str = "end") -> float:
        """CPU time of the server between two moments: start, ready, window, end."""
        server = self.report["server"]
        return float(server[until]["cpu_s"] - server[since]["cpu_s"])

    def grown_bytes(self, since: str, until: str) -> int:
        """Growth of the server's resident memory between two moments."""
        server = self.report["server"]
        return int(server[until]["resident_bytes"] - server[since]["resident_bytes"])

    @property
    def load(self) -> float:
        """Share of its core that the server used in the window."""
        return self.cpu_s() / float(self.report["window_s"])

    @property
    def waited(self) -> float:
        """Share of the window in which the server could have run but others had its core."""
        server = self.report["server"]
        return float(server["end"]["waited_s"] - server["window"]["waited_s"]) / float(
            self.report["window_s"]
        )

    @property
    def latency_ms(self) -> dict[str, float]:
        """p50, p99 and max."""
        latency: dict[str, float] = self.report["latency_ms"]
        return latency

    @property
    def service(self) -> dict[str, float]:
        """Frames and gaps by client."""
        service: dict[str, float] = self.report["service"]
        return service

    def event(self, name: str) -> dict[str, int]:
        """Frames and bytes of one event."""
        event: dict[str, int] = self.report["events"][name]
        return event


def drive(
    server: Server,
    *,
    clients: int,
    seconds: float,
    emit: str | Sequence[str] = SUBSCRIBE_NIFTY,
    on_progress: Callable[[str], None] = lambda word: None,
    **options: float | str | bool,
) -> Run:
    """One run of ``bench/load.c``; its other options by name. Raises RuntimeError if not all get in."""
    command = [str(compiled("load")), "--port", str(server.port), "--pid", str(server.pid)]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    for event in [emit] if isinstance(emit, str) else emit:
        command += ["--emit", event]
    if server.pace is not None:
        command += ["--relative", str(server.pace)]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is not False:
            command += [option] if value is True else [option, str(value)]
    process = subprocess.Popen(
        pinned(command, on_server_core=False), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stdout is not None
    told = []
    for line in process.stderr:
        told.append(line)
        on_progress(line.partition(" ")[0])
    output = process.stdout.read()
    if process.wait() != 0:
        raise RuntimeError(f"The driver against {server.name} failed: {''.join(told)}{output}{server.log()}")
    return Run(json.loads(output))
