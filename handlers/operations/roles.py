"""How a server of each role comes to its market, and what it does beside serving it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from contextlib import suppress
from dataclasses import replace

from domain.market import Role
from domain.refusals import StartError
from domain.version import VERSION
from feed.history.history import HistoryError
from feed.history.volatility_history import VolatilityHistory
from feed.market.clock import WallClock
from feed.market.guard import Guard
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.relay.bus import BusError, NoRedis, RedisBus, ended
from feed.relay.facts import facts_of
from feed.relay.follower import Follower, Received
from feed.relay.publisher import Leadership, Publisher, Told
from feed.relay.source import FollowClock, RelaySource
from feed.relay.standby import Warm, follow, warm
from handlers.monitoring.relay import EdgeEnd, FeedEnd
from handlers.operations.build import build_server
from handlers.operations.market import Succession, build_followed, build_market, chance_of
from handlers.operations.service_manager import ServiceManager
from handlers.operations.serving import Server, bind
from handlers.operations.waiting import Waiting
from handlers.transport.tls import make_context
from schemas.configuration.settings import Settings

PATIENCE_S = 1.0  # with a client that comes from an edge which was ahead: records come twice a second

logger = logging.getLogger("server")


def join(settings: Settings) -> FeedRole | EdgeRole:
    """Take a part in a shared market. Raises StartError."""
    role = settings.server.role
    if not settings.relay.url:
        raise StartError(f"server.role is {role}, so relay.url (RELAY_URL, --relay) must name a bus.")
    return FeedRole(settings) if role == Role.FEED else EdgeRole(settings)


def _connect(settings: Settings) -> RedisBus:
    try:
        return RedisBus(settings.relay.url, settings.relay.name, keep=settings.relay.keep)
    except (NoRedis, BusError) as error:
        raise StartError(str(error)) from None


class _Role:
    """What both have: a bus, a follower, and a word on the port until there is a market."""

    def __init__(self, settings: Settings, role: Role) -> None:
        self.over = asyncio.Event()
        self._settings = settings
        self._bus = _connect(settings)
        self._calendar = Calendar.load()
        self._underlyings = Catalogue.load(self._calendar).underlyings
        self._wall = WallClock(settings.feed.publish_interval_ms)
        self._guard = Guard()
        self._follower = Follower(
            self._bus,
            self._underlyings,
            now_ms=self._wall.now_ms,
            chance=chance_of(settings, self._wall),
        )
        self._following: asyncio.Task[None] | None = None
        tls = make_context(settings.server.tls_cert, settings.server.tls_key)
        self._waiting = Waiting(role, VERSION, self._wall.now_ms, tls)
        self._sockets: list[socket.socket] = []

    def _open(self, manager: ServiceManager) -> None:
        passed = [item for _, item in manager.sockets()]
        self._sockets = passed or bind(self._settings.server.host, self._settings.server.port)
        self._waiting.start(self._sockets)

    def _say(self, manager: ServiceManager, reason: str) -> None:
        if reason != self._waiting.reason:
            logger.info("%s", reason)
            self._waiting.reason = reason
            manager.ready(reason)  # the process is well: what it waits for no other would have
            manager.watch(lambda: True, lambda: reason)

    async def _first(self, stop: asyncio.Event) -> Received | None:
        """The image that is received first."""
        arrived = asyncio.Event()
        self._follower.on_received = arrived.set
        # what came after the image is there too: who serves an old state would send clients back to it
        while not (self._follower.received and self._follower.is_current) and not stop.is_set():
            arrived.clear()
            await _either(arrived, stop, 0.5)
        return None if stop.is_set() else self._follower.received.popleft()

    async def end(self) -> None:
        """Follow no more."""
        await ended(self._following)
        await self._bus.close()


class EdgeRole(_Role):
    """Serves REST and streams of a market that a feed makes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, Role.EDGE)
        store = settings.history.database_url
        if not store and not settings.relay.feed_url:
            raise StartError(
                "An edge answers about the past from history.database_url, the feed's store, or asks "
                "the feed at relay.feed_url: set one of them."
            )
        self._source: RelaySource | None = None
        self._wake: asyncio.Task[None] | None = None

    async def build(self, manager: ServiceManager, stop: asyncio.Event) -> Server | None:
        """A server over the first image."""
        self._open(manager)
        self._following = asyncio.create_task(self._follower.run())
        first = None
        telling = asyncio.create_task(self._tell(manager))
        try:
            first = await self._first(stop)
        finally:
            telling.cancel()
            await self._waiting.stop()
        if first is None:
            return None
        clock = FollowClock()
        settings = _in_memory(self._settings) if self._settings.relay.feed_url else self._settings
        parts, self._source = build_followed(settings, first, self._follower, self._guard, clock)
        server = build_server(settings, parts, self._guard)
        server.bound = self._sockets
        server.namespace.patience_s = PATIENCE_S
        server.services.health.relay = EdgeEnd(self._source, self._follower)
        return server

    async def _tell(self, manager: ServiceManager) -> None:
        """Say what is waited for."""
        while True:
            problem = self._follower.problem
            self._say(
                manager,
                "This edge waits for the market of its feed."
                + (f" {problem.message}" if problem is not None else ""),
            )
            await asyncio.sleep(0.2)

    def begin(self, server: Server) -> None:
        """Take each record in as it comes, rather than at the ticker's next look."""
        self._wake = asyncio.create_task(self._take_in(server))

    async def _take_in(self, server: Server) -> None:
        arrived = asyncio.Event()
        self._follower.on_received = arrived.set
        while True:
            await arrived.wait()
            arrived.clear()
            await server.ticker.poll()

    async def end(self) -> None:
        """Follow no more."""
        await ended(self._wake)
        await super().end()


class FeedRole(_Role):
    """Makes the market while it leads; follows and waits while another does."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, Role.FEED)
        holder = f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        self._leadership = Leadership(self._bus, holder, settings.relay.lease_ms)
        self._source: RelaySource | None = None
        self._publisher: Publisher | None = None
        self._watching: asyncio.Task[None] | None = None

    async def build(self, manager: ServiceManager, stop: asyncio.Event) -> Server | None:
        """A server that leads, once it has the lease and the store."""
        self._open(manager)
        try:
            while await self._leads(manager, stop):
                try:
                    return self._build()
                except HistoryError as error:
                    if not error.is_passing:
                        raise
                    logger.warning("%s", error)  # names the store, which is nobody else's business
                    self._say(manager, f"This feed cannot lead yet. {error.outline}")
                    await self._leadership.give_back()
                    await _either(stop, stop, self._leadership.every_s)
            return None
        finally:
            await self._waiting.stop()

    def _build(self) -> Server:
        assert self._leadership.term is not None
        succession = Succession(self._leadership.term, self._warm())
        server = build_server(
            self._settings, build_market(self._settings, self._guard, succession), self._guard
        )
        server.bound = self._sockets
        return server

    async def _leads(self, manager: ServiceManager, stop: asyncio.Event) -> bool:
        """Stand by until the lease is won, then follow no more; False where it is stopped before."""
        self._following = asyncio.create_task(self._follower.run())
        standing_by = asyncio.create_task(self._stand_by(stop))
        try:
            while not await self._wins(manager):
                await _either(stop, stop, self._leadership.every_s)
                if stop.is_set():
                    return False
        finally:
            await ended(standing_by, self._following)
        return True

    async def _wins(self, manager: ServiceManager) -> bool:
        try:
            if await self._leadership.renew():
                return True
            self._say(manager, "This feed is a standby: another one leads.")
        except BusError as error:
            self._say(manager, f"This feed waits for the bus, to lead or to stand by. {error}")
        return False

    async def _stand_by(self, stop: asyncio.Event) -> None:
        """Hold the market of the feed that leads."""
        first = await self._first(stop) if self._source is None else None
        if self._source is not None:
            await follow(self._source, self._follower)
        if first is not None:
            memory = _in_memory(self._settings)
            _, self._source = build_followed(memory, first, self._follower, self._guard, FollowClock())
            await follow(self._source, self._follower)

    def _warm(self) -> Warm | None:
        return None if self._source is None else warm(self._source)

    def begin(self, server: Server) -> None:
        """Publish every step from the first on."""
        ticker, clock = server.ticker, server.clock
        simulated = server.services.simulated
        assert isinstance(server.volatilities, VolatilityHistory)  # a feed reads its own store

        def told() -> Told:
            return Told(
                ticker.state,
                simulated.scenario if simulated is not None else None,
                clock.virtual is not None,
                clock.step_ms,
            )

        publisher = self._publisher = Publisher(
            self._bus,
            self._leadership,
            server.market,
            server.history,
            server.volatilities,
            told,
            facts=facts_of(server.market, self._settings.feed.calendar_override),
            image_every=self._settings.relay.image_every,
        )
        publisher.on_term = server.history.lead
        ticker.on_state = publisher.on_state
        publisher.start()
        server.services.health.relay = FeedEnd(publisher)
        self._watching = asyncio.create_task(self._watch(publisher))

    async def _watch(self, publisher: Publisher) -> None:
        await publisher.deposed.wait()
        self.over.set()

    async def end(self) -> None:
        """Let another lead."""
        if self._watching is not None:
            self._watching.cancel()
        if self._publisher is not None:
            await self._publisher.stop()
        elif self._leadership.term is not None:
            with suppress(BusError):
                await self._leadership.give_back()
        await super().end()


def _in_memory(settings: Settings) -> Settings:
    """Settings of a market whose past is not asked for."""
    return replace(settings, history=replace(settings.history, database_url=""))


async def _either(first: asyncio.Event, second: asyncio.Event, within_s: float) -> None:
    """Wait for one of two, but no longer than a while."""
    waits = [asyncio.create_task(event.wait()) for event in {first, second}]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
