"""Pairs of a feed and edges."""

from __future__ import annotations

import pytest

from tests.feed.conftest import running
from tests.relay.pair import Pair


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL."""
    yield from running()


@pytest.fixture
def make_pair(io_loop, make_sandbox):
    """Make a feed with a market of its own, and what edges need to join."""
    made = []

    async def make(bus=None, **sections):
        feed = await make_sandbox(own_market=True, steps=0, **sections)
        pair = await Pair.over(feed, bus)
        made.append(pair)
        await pair.step()
        return pair

    yield make

    async def close():
        for pair in made:
            await pair.end()

    io_loop.run_sync(close)
