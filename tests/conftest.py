"""Fixtures: a loop of its own for each test, one simulated market for all, and a server on a real port."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from feed.history.history import History
from feed.market.clock import VirtualClock
from feed.market.guard import Guard
from handlers.operations.build import build, build_server
from handlers.operations.market import MarketParts
from handlers.operations.serving import COLLECTOR_THRESHOLDS, Server
from schemas.configuration.settings import Settings, SettingsSchema
from tests.processes import FEW_SYMBOLS, Process, spawn
from tests.redis_server import redis_server as redis_server

ROOT = Path(__file__).parent.parent
RECORDED = ROOT.parent / "shared" / "domain" / "data"
START = "2026-11-23T10:00+05:30"
TEARDOWN_S = 10  # what a test leaves running has this long to end
LOOP_S = 50  # a wait on the loop in a fixture; below pytest-timeout's 60 s
LONG_WITHIN = 0.5  # of a run: in this part of it the files begin whose tests may take long
CI = bool(os.environ.get("CI"))  # noqa: TID251 - in CI a skip would hide that nothing was tested
# the recordings are the exchanges' and in no repository; Debian has no promtool for every release
MAY_SKIP_IN_CI = (
    *("a long run: make nightly", "recorded data", "shared data", "shared cases", "promtool"),
    "Docker daemon",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="run the long tests too")


def pytest_configure(config: pytest.Config) -> None:
    # how long an example takes says something about the machine and nothing about the law
    hypothesis.settings.register_profile("patient", deadline=None)
    # the same examples each time, so that a change is judged by what it changed; nightly looks for new ones
    hypothesis.settings.register_profile(
        "repeatable", deadline=None, derandomize=True, database=None, max_examples=50
    )
    hypothesis.settings.load_profile("patient" if config.getoption("--nightly") else "repeatable")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_nightly = config.getoption("--nightly")
    skip = pytest.mark.skip(reason="a long run: make nightly")
    for item in items:
        if "nightly" in item.keywords and not is_nightly:
            item.add_marker(skip)
        _give_time(item)
    _spread_the_long(items)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: a collector that walks over it takes a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


def _spread_the_long(items: list[pytest.Item]) -> None:
    """Have files whose tests may take long wait beside others that compute, and none of them begin last."""
    most: dict[Path, float] = {}
    for item in items:
        marker = item.get_closest_marker("timeout")
        allowed = float(marker.args[0]) if marker is not None and marker.args else 0.0
        most[item.path] = max(most.get(item.path, 0.0), allowed)
    long = sorted((path for path in most if most[path]), key=lambda path: -most[path])
    others = [path for path in most if not most[path]]
    apart = LONG_WITHIN * len(others) / max(1, len(long))
    place = {path: float(number) for number, path in enumerate(others)}
    place |= {path: number * apart - 0.5 for number, path in enumerate(long)}
    items.sort(key=lambda item: (place[item.path], str(item.path)))


def _give_time(item: pytest.Item) -> None:
    """A test that has more time for its loop has as much more in all."""
    marker = item.get_closest_marker("gen_test")
    if marker is not None and "timeout" in marker.kwargs:
        item.add_marker(pytest.mark.timeout(marker.kwargs["timeout"] + TEARDOWN_S))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skip for want of a program is a failure: nobody would see that nothing was tested."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    if CI and report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if not any(allowed in reason for allowed in MAY_SKIP_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"{reason}: in CI this may not be skipped (tests/conftest.py, MAY_SKIP_IN_CI)"


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """A loop that ends with no task pending; pytest-tornado's own leaves Socket.IO's behind."""
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)  # type: ignore[attr-defined]
    loop.run_sync = functools.partial(loop.run_sync, timeout=LOOP_S)  # type: ignore[method-assign]
    yield loop
    try:
        loop.run_sync(end_all_tasks)
    finally:
        loop.close(all_fds=True)


async def end_all_tasks(within_s: float = TEARDOWN_S) -> None:
    """Cancel what is still running, again and again: a task may swallow one. Names those that stay."""
    over_s = time.monotonic() + within_s
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        assert time.monotonic() < over_s, f"still running after {within_s} s of cancels: {tasks}"
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.2)


def settings_of(**sections: dict[str, Any]) -> Settings:
    """Settings for tests: a virtual clock that stands still, a short history in memory, no rate limit."""
    tree: dict[str, dict[str, Any]] = {
        "server": {"host": "127.0.0.1", "port": 0, "terminal": False},
        "feed": {"start": START, "seed": 7, "symbols": list(FEW_SYMBOLS)},
        "limits": {"rate_limit_per_minute": 0},
        "history": {"database_url": "", "backfill_days": 40, "backfill_sessions": 2},
    }
    for name, values in sections.items():
        tree.setdefault(name, {}).update(values)
    settings: Settings = SettingsSchema().load(tree)
    return settings


@dataclass
class Sandbox:
    """A server on a real port whose market moves when the test says so."""

    server: Server
    url: str

    async def step(self, count: int = 1) -> None:
        """Let the market take steps and publish each."""
        clock = self.server.clock
        assert isinstance(clock, VirtualClock)
        for _ in range(count):
            await self.server.ticker.step(clock.step())


@dataclass
class Parts:
    """A market that is built once: building it takes most of a second."""

    settings: Settings
    parts: MarketParts


def build_parts(steps: int = 0, **sections: dict[str, Any]) -> Parts:
    """A market that has taken ``steps`` steps."""
    settings = settings_of(**sections)
    built = build(settings)

    async def age() -> None:
        await Sandbox(built, "").step(steps)

    asyncio.run(age())
    return Parts(
        settings,
        MarketParts(built.services.calendar, built.clock, built.source, built.market, built.history),
    )


@pytest.fixture(scope="session")
def simulated_parts() -> Parts:
    return build_parts()


@pytest.fixture(scope="module")
def aged_parts() -> Parts:
    """A market that opened a while ago: from 09:13:30 to 09:40:57 in steps of 61 seconds.

    The walk takes so long a step at once, which spares 120 of its own. Each module has its own market,
    since a module may let it go on.
    """
    return build_parts(steps=27, feed={"start": "2026-11-23T09:13:30+05:30", "speed": 122.0})


@pytest.fixture
def make_sandbox(io_loop: IOLoop, simulated_parts: Parts) -> Iterator[Callable[..., Any]]:
    """Make servers over the shared market, or over a market of their own (``own_market=True``).

    ``await make_sandbox(limits={"max_clients": 1})``; the market takes ``steps`` steps. ``parts`` are those
    of another market, with the settings it was built with.
    """
    made: list[Sandbox] = []
    histories: list[History] = []

    async def make(
        own_market: bool = False, steps: int = 1, parts: Parts | None = None, **sections: dict[str, Any]
    ) -> Sandbox:
        settings = settings_of(**sections)
        if own_market:
            built = build(settings)
            histories.append(built.history)
        else:
            built = build_server(settings, (parts or simulated_parts).parts, Guard())
        socket, port = bind_unused_port()
        built.http.add_sockets([socket])
        sandbox = Sandbox(built, f"http://127.0.0.1:{port}")
        made.append(sandbox)
        await sandbox.step(steps)
        return sandbox

    yield make

    async def close() -> None:
        for sandbox in made:
            sandbox.server.http.stop()
            await sandbox.server.namespace.shut_down()
            await sandbox.server.http.close_all_connections()
        for history in histories:
            await history.stop()

    io_loop.run_sync(close)


@pytest.fixture
def sandbox(io_loop: IOLoop, make_sandbox: Callable[..., Any]) -> Sandbox:
    """A server over the shared simulated market."""
    made: Sandbox = io_loop.run_sync(make_sandbox)
    return made


@dataclass
class Answer:
    """A REST answer: status, headers, and the parsed body where it is JSON."""

    status: int
    headers: HTTPHeaders
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> Any:
        assert self.body["success"], self.body
        return self.body["data"]

    @property
    def error(self) -> Any:
        assert not self.body["success"], self.body
        return self.body["error"]


@pytest.fixture
def http_client(io_loop: IOLoop) -> Iterator[AsyncHTTPClient]:
    """pytest-tornado's, without the application it would make a server of its own for."""
    client = AsyncHTTPClient(force_instance=True, max_clients=100)
    yield client
    client.close()


@pytest.fixture
def fetch(http_client: AsyncHTTPClient) -> Callable[..., Any]:
    """``await fetch(sandbox, "/api/symbols", method="HEAD", headers={…})``; no status raises."""

    async def get(sandbox: Sandbox | Process, path: str, **options: Any) -> Answer:
        answer = await http_client.fetch(sandbox.url + path, raise_error=False, **options)
        return Answer(answer.code, answer.headers, answer.body)

    return get


@pytest.fixture
def run_server(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start ``python server.py`` with arguments; its log must hold no traceback."""
    started: list[Process] = []

    def run(*arguments: str, environment: dict[str, str] | None = None) -> Process:
        history = f"sqlite:///{tmp_path}/history-{len(started)}.sqlite3"
        process = spawn(
            tmp_path / f"server-{len(started)}.log",
            "--database-url",
            history,
            *arguments,
            environment=environment,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.popen.poll() is None:
            process.stop()
        if process.popen.stdout is not None:
            process.popen.stdout.close()
        assert "Traceback" not in process.log.read_text()
