"""A feed and its edges in one process, over a bus in memory, moved step by step."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.testing import bind_unused_port

from feed.market.guard import Guard
from feed.relay.bus import Bus
from feed.relay.facts import facts_of
from feed.relay.follower import Follower
from feed.relay.publisher import Leadership, Publisher, Told
from feed.relay.source import FollowClock, RelaySource
from handlers.monitoring.relay import EdgeEnd, FeedEnd
from handlers.operations.build import build_server
from handlers.operations.market import build_followed
from handlers.operations.serving import Server
from schemas.configuration.settings import Settings
from tests.conftest import Sandbox, settings_of
from tests.feed.relay.memory_bus import MemoryBus


class Time:
    """A monotonic clock that moves when the test says so."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@dataclass
class Edge:
    """One edge: a server over what it follows."""

    server: Server
    source: RelaySource
    follower: Follower
    time: Time
    url: str = ""
    task: Any = None

    async def catch_up(self) -> None:
        """Take in what was received, as the ticker does by itself."""
        for _ in range(4):
            await asyncio.sleep(0)
        while (now_ms := self.server.clock.due()) is not None:
            await self.server.ticker.step(now_ms)

    async def pass_silence(self, seconds: float) -> None:
        """Let time go by in which nothing comes."""
        self.time.now_s += seconds
        self.source.look()
        await self.catch_up()

    async def end(self) -> None:
        """Follow no more."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.server.http.stop()
        await self.server.namespace.shut_down()
        await self.server.http.close_all_connections()
        await self.server.history.stop()


@dataclass
class Pair:
    """A feed, and as many edges as a test joins."""

    feed: Sandbox
    publisher: Publisher
    bus: Any
    settings: Settings
    edges: list[Edge] = field(default_factory=list)

    @classmethod
    async def over(cls, feed: Sandbox, bus: Bus | None = None, **sections: Any) -> Pair:
        """A feed that leads; its next step is the first record."""
        bus = bus or MemoryBus()
        leadership = Leadership(bus, "feed", 3000)
        assert await leadership.renew()
        server = feed.server
        clock = server.clock
        publisher = Publisher(
            bus,
            leadership,
            server.market,
            server.history,
            server.volatilities,
            lambda: Told(
                server.ticker.state,
                server.services.simulated.scenario if server.services.simulated else None,
                True,
                clock.step_ms,
            ),
            facts=facts_of(server.market, ""),
            image_every=server.settings.relay.image_every,
        )
        server.ticker.on_state = publisher.on_state
        server.services.health.relay = FeedEnd(publisher)
        publisher.tasks = [asyncio.create_task(publisher.send())]
        settings = settings_of(relay={"url": "redis://nowhere", "feed_url": feed.url}, **sections)
        return cls(feed, publisher, bus, settings)

    async def step(self, count: int = 1) -> None:
        """Let the feed take steps, and the edges follow each."""
        for _ in range(count):
            await self.feed.step()
            await self.settle()

    async def settle(self) -> None:
        """Have everything that was published arrive and be taken in."""
        if self.publisher.packing is not None:
            await asyncio.gather(self.publisher.packing)
        await wait_until(lambda: not self.publisher.queue_length or not self.publisher.is_leading)
        for edge in self.edges:
            await wait_until(lambda edge=edge: self._is_read(edge))
            await edge.catch_up()

    def _is_read(self, edge: Edge) -> bool:
        """Whether an edge has all there is, or can go on from an image alone, or from nothing."""
        return edge.follower.at == self.bus.top or edge.follower.waits_for_image or self.bus.is_down

    async def join(self, name: str = "e1", **sections: Any) -> Edge:
        """Another edge, from the image there is."""
        settings = settings_of(relay={"url": "redis://nowhere", "feed_url": self.feed.url}, **sections)
        time = Time()
        follower = Follower(
            self.bus,
            self.feed.server.market.universe.underlyings,
            now_ms=lambda: 0,
            chance=random.Random(1),
            monotonic=time,
        )
        arrived = asyncio.Event()
        follower.on_received = arrived.set
        task = asyncio.create_task(follower.run())
        await arrived.wait()
        guard = Guard()
        first = follower.received.popleft()
        parts, source = build_followed(settings, first, follower, guard, FollowClock(time), monotonic=time)
        server = build_server(settings, parts, guard)
        server.services.health.relay = EdgeEnd(source, follower)
        socket, port = bind_unused_port()
        server.http.add_sockets([socket])
        edge = Edge(server, source, follower, time, f"http://127.0.0.1:{port}", task)
        await server.ticker.step(server.clock.now_ms())
        await edge.catch_up()
        self.edges.append(edge)
        return edge

    async def end(self) -> None:
        """Let go of everything."""
        for edge in self.edges:
            await edge.end()
        for task in self.publisher.tasks:
            task.cancel()


async def wait_until(holds: Any, within_s: float = 5.0) -> None:
    """Give the loop turns until something holds."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0.001)


async def asked(url: str, path: str) -> bytes:
    """What a route answers, as bytes."""
    answer = await AsyncHTTPClient().fetch(url + path, raise_error=False)
    return answer.body
