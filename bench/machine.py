"""The machine a benchmark runs on: its cores, its compiler, what it is."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
BIN = HERE / "bin"
NODE_PEER = HERE / "peers" / "node"
HEADERS = ("wire.h", "tally.h")
CORES = sorted(os.sched_getaffinity(0))  # that this process may use when it starts

CANNOT_RUN = 3  # exit status of a benchmark that lacks something


class CannotRun(Exception):
    """Why a benchmark cannot run here, in a sentence."""


def compiled(name: str) -> Path:
    """The program made of ``bench/NAME.c``, compiled if it is older than its source. Raises CannotRun."""
    source, program = HERE / f"{name}.c", BIN / name
    newest = max(path.stat().st_mtime for path in (source, *(HERE / header for header in HEADERS)))
    if program.exists() and program.stat().st_mtime >= newest:
        return program
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotRun("There is no C compiler (cc) for the load driver.")
    BIN.mkdir(exist_ok=True)
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)], check=True
    )
    return program


def node() -> str:
    """Node with the packages of the peer installed. Raises CannotRun."""
    program = shutil.which("node")
    if program is None:
        raise CannotRun("There is no node.")
    if not (NODE_PEER / "node_modules" / "socket.io").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise CannotRun("There is no npm to install Node's Socket.IO with.")
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=NODE_PEER, stdout=sys.stderr, check=False).returncode:
            raise CannotRun("npm ci failed in bench/peers/node.")
    return program


def pinned(command: list[str], *, on_server_core: bool) -> list[str]:
    """The command bound to the servers' core (the first) or to the load's (the last)."""
    taskset = shutil.which("taskset")
    if taskset is None or len(CORES) < 2:
        return command
    return [taskset, "-c", str(CORES[0] if on_server_core else CORES[-1]), *command]


@contextmanager
def on_load_core() -> Iterator[None]:
    """Keep this process off the servers' core."""
    os.sched_setaffinity(0, {CORES[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def raise_descriptor_limit() -> int:
    """Allow this process and its children as many descriptors as may be; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def raise_priority(nice: int) -> None:
    """Have this process and its children scheduled with that niceness, among other sessions' too."""
    os.nice(nice)
    autogroup = Path("/proc/self/autogroup")
    if autogroup.exists():  # else niceness only counts within the session
        autogroup.write_text(str(nice))


def describe() -> str:
    """Machine and versions in one paragraph."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ("tornado", "python-socketio", "python-engineio", "orjson", "numpy")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} cores {model}, Linux {platform.release()}, {_first_line('cc', '--version')}, "
        f"Python {platform.python_version()}, {versions}, "
        f"Node {_first_line('node', '--version')} with socket.io 4.8.4; "
        f"load average {os.getloadavg()[0]:.1f} at the start."
    )


def _first_line(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return f"no {command[0]}"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]
