"""``python server.py`` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from feed.reference.constituents import index_constituents

ROOT = Path(__file__).parent.parent
# the indices, the NIFTY 50 and the commodities: a test that wants the whole market says so (feed.symbols=)
SOME_SYMBOLS = (
    *("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "SENSEX50", "BANKEX"),
    *index_constituents()["NIFTY"].weights,
    *("CRUDEOIL", "CRUDEOILM", "NATURALGAS", "NATGASMINI", "GOLD", "GOLDM", "SILVER", "SILVERM"),
    *("COPPER", "ZINC"),
)
STOP_S = 20  # a server that has not ended by then never will


@dataclass
class Process:
    """``python server.py`` as a user runs it."""

    popen: subprocess.Popen[str]
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


def spawn(log: Path, *arguments: str, environment: dict[str, str] | None = None) -> Process:
    """Start the server on a free port and wait for its banner."""
    with log.open("w") as errors:
        popen = subprocess.Popen(
            [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0", *arguments],
            cwd=ROOT,
            env={**os.environ, "FEED__SYMBOLS": ",".join(SOME_SYMBOLS), **(environment or {})},  # noqa: TID251 (PATH and the like)
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
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
