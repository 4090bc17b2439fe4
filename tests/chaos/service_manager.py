"""A stand-in for systemd: a notify socket, a listening socket to hand over, and the process it starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import FEW, ROOT, Process

PATIENCE_S = 60.0

# the shell knows its process id before it becomes the server, as systemd does
START = 'LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=http exec "$0" server.py "$@"'


class Manager:
    """Owns the port and the notify socket over any number of processes, one after the other."""

    def __init__(self, folder: Path, *, watchdog_s: float | None = None) -> None:
        self.folder = folder
        self._watchdog_s = watchdog_s
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.settimeout(PATIENCE_S)
        self.told: list[dict[str, str]] = []
        self.processes: list[Process] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> Process:
        """Start a server on the port; it need not be ready yet."""
        log = self.folder / f"server-{len(self.processes)}.log"
        watchdog = {} if self._watchdog_s is None else {"WATCHDOG_USEC": str(round(self._watchdog_s * 1e6))}

        def hand_over() -> None:
            os.dup2(self.listener.fileno(), 3)

        with log.open("w") as errors:
            popen = subprocess.Popen(
                ["sh", "-c", START, sys.executable, *arguments],
                cwd=ROOT,
                env={
                    **os.environ,  # noqa: TID251 (PATH and the like)
                    **FEW,
                    "NOTIFY_SOCKET": str(self.folder / "notify"),
                    **watchdog,
                    **(environment or {}),
                },
                stdout=subprocess.DEVNULL,
                stderr=errors,
                text=True,
                preexec_fn=hand_over,
                pass_fds=[3],
            )
        self.processes.append(Process(popen, self.url, log))
        return self.processes[-1]

    def hear(self) -> dict[str, str]:
        """The next message, as names and values."""
        message = self.notify.recv(4096).decode()
        self.told.append(dict(line.split("=", 1) for line in message.split("\n")))
        return self.told[-1]

    def hear_until(self, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The first message from now on that is as wanted."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            message = self.hear()
            if wanted(message):
                return message
        raise AssertionError(f"it never came, only {self.told[-5:]}")

    def close(self) -> None:
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()
        self.listener.close()
        self.notify.close()
