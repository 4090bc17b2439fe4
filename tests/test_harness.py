"""The test set-up itself: what hangs ends, and what fails lets go of what it held."""

import asyncio
import gc
import socket

import pytest
from tornado.ioloop import IOLoop

from tests.chaos import followers
from tests.chaos.followers import Follower
from tests.conftest import end_all_tasks
from tests.fanout.raw import RawClient

ATTEMPTS = 5


async def stubborn(times):
    """A task that swallows that many cancels."""
    while times >= 0:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            times -= 1


@pytest.fixture
def refusing_url():
    """An address where nobody listens: bound, so that nobody else takes it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_a_task_that_swallows_cancels_is_cancelled_again():
    async def leave_one():
        task = asyncio.create_task(stubborn(3))
        await asyncio.sleep(0)
        await end_all_tasks()
        assert task.done()

    asyncio.run(leave_one())


def test_a_task_that_never_ends_is_named_and_not_waited_for():
    async def leave_one():
        task = asyncio.create_task(stubborn(8), name="the one that stays")
        await asyncio.sleep(0)
        try:
            with pytest.raises(AssertionError, match="the one that stays"):
                await end_all_tasks(within_s=0.5)
        finally:
            await end_all_tasks()
        assert task.done()

    asyncio.run(leave_one())


@pytest.mark.gen_test
async def test_a_client_that_is_refused_leaves_no_socket(refusing_url):
    with pytest.raises(ConnectionRefusedError):
        await RawClient.open(refusing_url)
    gc.collect()  # a socket left open is a ResourceWarning, which fails the test


@pytest.mark.gen_test
async def test_a_follower_gives_up_after_a_number_of_tries(refusing_url, monkeypatch):
    monkeypatch.setattr(followers, "MOST_TRIES", ATTEMPTS)
    monkeypatch.setattr(followers, "PAUSE_S", 0.0)
    follower = Follower(refusing_url, "NIFTY")
    with pytest.raises(AssertionError, match=f"gave up after {ATTEMPTS} tries"):
        await follower.until(lambda _: False)
    assert len(follower.troubles) == ATTEMPTS


@pytest.mark.gen_test
async def test_a_follower_that_is_stopped_while_it_is_refused_ends(refusing_url):
    follower = Follower(refusing_url, "NIFTY")
    await follower.until(lambda it: bool(it.troubles))
    await follower.stop()


def test_a_wait_on_the_loop_has_a_limit(io_loop: IOLoop):
    with pytest.raises(TimeoutError):
        io_loop.run_sync(lambda: asyncio.sleep(3600), timeout=0.05)
    assert io_loop.run_sync.keywords["timeout"] < 60  # type: ignore[attr-defined]


def test_time_is_bounded(pytestconfig):
    assert 0 < float(pytestconfig.getini("timeout")) <= 60
    assert pytestconfig.getini("faulthandler_exit_on_timeout")
