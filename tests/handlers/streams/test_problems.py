"""What is the matter with a source that has a line of its own reaches clients, health and the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from domain.market import Problem, ProblemKind
from feed.market.source import Update
from handlers.operations.build import build
from handlers.operations.market import MarketParts
from schemas.events import FeedStatusSchema
from tests.conftest import Parts, settings_of
from tests.handlers.shapes import problems

LOGIN = "Kite needs today's login: run `python server.py login`."


class LineSource:
    """A simulated market behind a line that can go away; it opens the line again by itself."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.name = source.name
        self.is_silent = False
        self.problem: Problem | None = None
        self.opened: list[int] = []
        self.closed = 0

    @property
    def universe(self) -> Any:
        return self._source.universe

    def advance(self, now_ms: int) -> Update | None:
        update: Update | None = self._source.advance(now_ms)
        return None if self.is_silent else update

    async def open(self, now_ms: int) -> None:
        self.opened.append(now_ms)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def line(io_loop, make_sandbox):
    """A server over a market of its own behind such a line, and the line."""
    feed = {"stale_after_s": 2.0}
    built = build(settings_of(feed=feed))
    source = LineSource(built.source)
    market = MarketParts(built.services.calendar, built.clock, source, built.market, built.history)
    yield io_loop.run_sync(lambda: make_sandbox(parts=Parts(built.settings, market), feed=feed)), source
    io_loop.run_sync(built.history.stop)


def at(sandbox, kind, message, until_ms=None):
    return Problem(kind, message, sandbox.server.clock.now_ms(), until_ms)


@pytest.mark.gen_test
async def test_everybody_is_told_of_a_problem_and_of_another_one_in_the_same_state(line, connect, fetch):
    sandbox, source = line
    client = await connect(sandbox, "websocket")
    source.is_silent, source.problem = True, at(sandbox, ProblemKind.LOGIN_REQUIRED, LOGIN)
    await sandbox.step(12)
    told = [await client.next("feed_status")]
    while told[-1]["state"] != "stalled":
        told.append(await client.next("feed_status"))
    assert all(problems(FeedStatusSchema(), payload) == [] for payload in told)
    assert told[-1]["reason"] == LOGIN
    assert told[-1]["problem"]["kind"] == "login_required"
    assert told[-1]["problem"]["message"] == LOGIN
    assert told[-1]["problem"]["until"] is None
    assert (told[-1]["restarts"], told[-1]["next_try_at"]) == (0, None)
    until_ms = sandbox.server.clock.now_ms() + 30_000
    source.problem = at(sandbox, ProblemKind.RATE_LIMITED, "Another program uses this key.", until_ms)
    await sandbox.step()
    other = await client.next("feed_status")
    assert (other["state"], other["problem"]["kind"]) == ("stalled", "rate_limited")
    assert other["problem"]["until"] > other["problem"]["since"]
    health = (await fetch(sandbox, "/health")).data["parts"]["feed"]
    assert (health["problem"], health["reason"]) == ("rate_limited", "Another program uses this key.")
    source.is_silent, source.problem = False, None
    await sandbox.step(70)
    last = await client.next("feed_status")
    while last["state"] != "live":
        last = await client.next("feed_status")
    assert last["problem"] is None


@pytest.mark.gen_test
async def test_morning_without_a_login_starves_no_watchdog_and_restarts_nothing(line):
    sandbox, source = line
    source.is_silent, source.problem = True, at(sandbox, ProblemKind.LOGIN_REQUIRED, LOGIN)
    await sandbox.step(600)
    services = sandbox.server.services
    assert services.ticker.state.name == "stalled"
    assert services.ticker.restarts == 0
    assert services.health.may_live


@pytest.mark.gen_test
async def test_problem_is_logged_once_and_its_end_too(line, caplog):
    sandbox, source = line
    with caplog.at_level(logging.INFO):
        source.problem = at(sandbox, ProblemKind.PROTOCOL, "3 frames could not be read.")
        await sandbox.step(5)
        source.problem = None
        await sandbox.step(5)
    said = [record.getMessage() for record in caplog.records if record.name == "feed.market.ticker"]
    assert said == [
        "the simulated feed: 3 frames could not be read.",
        "the simulated feed is well again",
    ]


@pytest.mark.gen_test
async def test_source_is_opened_before_the_first_step_and_closed_at_the_end(line):
    sandbox, source = line
    ticker = sandbox.server.ticker
    await ticker.prime()
    assert source.opened == [sandbox.server.clock.now_ms()]
    await ticker.close()
    assert source.closed == 1
