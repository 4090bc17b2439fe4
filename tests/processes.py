"""``python server.py`` as a process of its own.

Most are forked from a process that has imported all that a server needs, once for all tests of a worker:
three quarters of a start are imports. ``fresh=True`` starts an interpreter, as a user does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO

from feed.reference.constituents import index_constituents

ROOT = Path(__file__).parent.parent
# the indices, the NIFTY 50 and the commodities; the whole market is feed.symbols=
SOME_SYMBOLS = (
    *("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "SENSEX50", "BANKEX"),
    *index_constituents()["NIFTY"].weights,
    *("CRUDEOIL", "CRUDEOILM", "NATURALGAS", "NATGASMINI", "GOLD", "GOLDM", "SILVER", "SILVERM"),
    *("COPPER", "ZINC"),
)
# what most tests have (tests/conftest.py too): some of each kind, and a start of a second instead of five
FEW_SYMBOLS = (
    *(
        "NIFTY",
        "BANKNIFTY",
        "FINNIFTY",
        "MIDCPNIFTY",
        "SENSEX",
        "RELIANCE",
        "TCS",
    ),
    *("M&M", "BAJAJ-AUTO", "NIFTYNXT50", "BANKEX"),
    *("CRUDEOIL", "GOLD", "GOLDM", "ZINC"),
)
# a process of a test has these unless the test says otherwise: a longer past is seconds of CPU
FEW = {
    "FEED__SYMBOLS": ",".join(FEW_SYMBOLS),
    "HISTORY__BACKFILL_DAYS": "40",
    "HISTORY__BACKFILL_SESSIONS": "2",
}
STOP_S = 20  # a server that has not ended by then never will
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    ["tests.processes", "cli.serve", "handlers.operations.process", "tests.frozen"]
)


class Forked:
    """A server that was forked: what ``subprocess.Popen`` is for one with an interpreter of its own."""

    def __init__(
        self, arguments: Sequence[str], environment: dict[str, str], log: Path, *, is_read: bool
    ) -> None:
        reading, writing = _FORKING.Pipe(duplex=False)
        self._process = _FORKING.Process(
            target=_serve,
            args=(list(arguments), environment, str(log), writing if is_read else None),
            daemon=True,
        )
        self._process.start()
        writing.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self.stdout: TextIO | None = os.fdopen(os.dup(reading.fileno())) if is_read else None
        reading.close()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(f"server.py ({self.pid})", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(arguments: list[str], environment: dict[str, str], log: str, stdout: Connection | None) -> None:
    """What a forked process does: be ``python server.py``."""
    import server

    os.chdir(ROOT)
    os.environ.clear()  # noqa: TID251 - the child's own
    os.environ.update(environment)  # noqa: TID251
    os.dup2(stdout.fileno() if stdout is not None else os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
    if stdout is not None:
        stdout.close()
    sys.exit(server.main(arguments))


@dataclass
class Process:
    """``python server.py`` as a user runs it."""

    popen: subprocess.Popen[str] | Forked
    url: str
    log: Path

    async def hang_up(self, says: str) -> None:
        """Have the settings re-read, and wait until the log says so (``says``) once more."""
        before = self.log.read_text().count(says)
        self.popen.send_signal(signal.SIGHUP)
        while self.log.read_text().count(says) == before:
            assert self.popen.poll() is None, self.log.read_text()
            await asyncio.sleep(0.02)

    def stop(self) -> int:
        """End it as a supervisor does, and return its exit code."""
        self.popen.terminate()
        return self.popen.wait(STOP_S)

    def end(self) -> int:
        """Stop it, when nothing of what it printed is wanted any more."""
        code = self.stop()
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        return code


def start(
    log: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    fresh: bool = False,
    is_read: bool = False,
) -> subprocess.Popen[str] | Forked:
    """Start ``server.py`` with arguments; its log goes to ``log``; stdout for who reads it."""
    around = {**os.environ, **FEW, **(environment or {})}  # noqa: TID251 (PATH and the like)
    if not fresh:
        return Forked(arguments, around, log, is_read=is_read)
    with log.open("a") as errors:
        return subprocess.Popen(
            [sys.executable, "server.py", *arguments],
            cwd=ROOT,
            env=around,
            stdout=subprocess.PIPE if is_read else subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )


def spawn(
    log: Path, *arguments: str, environment: dict[str, str] | None = None, fresh: bool = False
) -> Process:
    """Start the server on a free port and wait for its banner."""
    log.write_text("")
    popen = start(
        log,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        *arguments,
        environment=environment,
        fresh=fresh,
        is_read=True,
    )
    assert popen.stdout is not None
    lines = []
    try:
        for line in popen.stdout:
            lines.append(line)
            found = re.search(r"server\s+(https?://\S+?)/\s", line)
            if found:
                return Process(popen, found[1], log)
    except BaseException:  # the test's time is over: a server that is nobody's would outlive it
        popen.kill()
        popen.wait(STOP_S)
        popen.stdout.close()
        raise
    popen.stdout.close()
    popen.wait(STOP_S)
    raise AssertionError(f"no banner: {''.join(lines)} {log.read_text()}")
