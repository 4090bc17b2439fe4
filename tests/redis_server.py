"""A Redis of its own for each test that wants one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ARGUMENTS = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--loglevel", "warning")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@dataclass
class RedisServer:
    """``redis-server`` on a port of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self):
        """What relay.url names it by."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *arguments):
        """Start it, and wait until it answers."""
        self.popen = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self.folder), *ARGUMENTS, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        over_s = time.monotonic() + 20
        while time.monotonic() < over_s:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(16).startswith(b"+PONG"):
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def say(self, *words):
        """Tell it something by redis-cli, and return what it answers."""
        return subprocess.check_output(
            ["redis-cli", "-p", str(self.port), *words], text=True, errors="replace"
        ).strip()

    def stop(self):
        """End it, with all that it held in memory."""
        if self.popen is not None:
            self.popen.terminate()
            self.popen.wait(20)
            self.popen = None


@pytest.fixture
def redis_server(tmp_path):
    """A Redis that is empty."""
    if shutil.which("redis-server") is None:
        pytest.skip("There is no redis-server here (Debian: apt install redis-server).")
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()
