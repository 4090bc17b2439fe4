"""A real PostgreSQL for the tests of history, and the stores they run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
ADVICE = "install Debian's package postgresql (the server; its service may stay stopped)"


class Cluster:
    """A PostgreSQL server of the tests' own: a folder, a unix socket, no port of the network."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self.folder = folder
        self._run(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "history", "--no-sync", "-E", "UTF8"
        )
        self.start()

    def start(self) -> None:
        options = f"-F -k {self.folder} -c listen_addresses= -c shared_buffers=16MB -c max_connections=30"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self._run("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        return f"postgresql://history@/{database}?host={self.folder}"

    def create(self, database: str) -> str:
        engine = create_engine(
            self.url("postgres").replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {database}"))
        engine.dispose()
        return self.url(database)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # pg_ctl's server would keep a pipe open
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self.folder, timeout=60)


def running() -> Iterator[Cluster]:
    """A running PostgreSQL; without its programs a skip with the reason, in CI a failure."""
    if not BINARIES:
        problem = f"no PostgreSQL server in /usr/lib/postgresql: {ADVICE}"
        if os.environ.get("CI"):  # noqa: TID251 - in CI a skip would hide that nothing was tested
            pytest.fail(problem)
        pytest.skip(problem)
    folder = Path(tempfile.mkdtemp(prefix="history-pg-", dir="/tmp"))  # a socket's path must be short
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        (folder / "commands.log").touch()
        shutil.chown(folder / "commands.log", "postgres")
    made = Cluster(BINARIES[-1], folder)
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL."""
    yield from running()


@pytest.fixture
def postgres_url(cluster: Cluster) -> str:
    """An empty database."""
    return cluster.create("history")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind: the same tests run on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url
