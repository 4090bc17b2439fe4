"""What a step of the market makes the server say, beside the streams themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from feed.history.volatility_history import Volatilities
from feed.market.candles import ClosedCandle
from feed.market.guard import Guard
from feed.market.universe import Listing
from handlers.streams.alerts import Alerts
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.candle_views import CandleViews
from handlers.streams.market_status import MarketStatus
from handlers.streams.rooms import Room, Subscription
from handlers.streams.state import Stream
from handlers.streams.views import Views
from handlers.transport.frames import Packet
from schemas.wire import encode


class Notifier:
    """Publishes a step: ended subscriptions, closed candles, streams, alerts, changes of phase and feed.

    What cannot be told keeps nothing else from being told; what is not told yet is so at the next step.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        views: Views,
        candles: CandleViews,
        status: MarketStatus,
        broadcaster: Broadcaster,
        volatilities: Volatilities,
        alerts: Alerts,
        guard: Guard,
    ) -> None:
        self.observers: list[Callable[[int], None]] = []  # of each publication, beside the streams
        self._views = views
        self._candles = candles
        self._status = status
        self._broadcaster = broadcaster
        self._volatilities = volatilities
        self._alerts = alerts
        self._guard = guard
        self._phases: tuple[Any, ...] = ()
        self._told = self._news()
        self._universe = views.market.universe

    async def publish(self, now_ms: int, closed: deque[ClosedCandle]) -> None:
        """Tell everybody what a step of the market brought; ``closed`` are taken as they are told."""
        with self._guard.part("past_volatility"):
            await self._volatilities.follow(closed, now_ms)
        await self._end_unlisted()
        while closed:
            with self._guard.part("closed_candles"):
                await self.tell_closed(closed.popleft())
        await self._broadcaster.publish(self._prepare)
        await self._alerts.publish(now_ms, self._broadcaster.yield_to_loop)
        for observer in self.observers:
            with self._guard.part("observers"):
                observer(now_ms)
        with self._guard.part("market_status"):
            await self.tell_phases()
        with self._guard.part("feed_status"):
            await self.tell_feed_state()

    async def _prepare(self, rooms: list[Room]) -> None:
        """Value in one pass what the streams of rooms are about to tell."""
        batches: list[list[Stream]] = []
        with self._guard.part("valuation"):
            batches = self._views.batches(room.stream for room in rooms)
        for streams in batches:
            with self._guard.part("valuation"):
                self._views.prepare(streams)
            await self._broadcaster.yield_to_loop()

    async def _end_unlisted(self) -> None:
        """End the streams of listings that left the universe.

        It is looked at what is followed and what is listed, so none is missed however the market came here.
        """
        universe = self._views.market.universe
        for room in list(self._broadcaster.rooms.values()):
            key = room.stream.listing_key
            if key is not None and universe.find(key) is None:
                with self._guard.part("expiries"):
                    await self.end(room, self._views.market.successor(*key))
        if universe is not self._universe:
            self._universe = universe
            self._views.forget_unlisted()

    async def end(self, room: Room, successor: Listing | None) -> None:
        """Tell a room that its contracts expired; who named no expiry goes over to the next one."""
        name = None if successor is None else str(room.stream.name.at(successor.expiry.day))
        packet = Packet("subscription_status", encode({**room.status("expired"), "successor": name}))
        subscriptions = list(room.subscriptions.values())
        for subscription in subscriptions:
            self._broadcaster.unsubscribe(subscription.client, room.stream.name)
        await self._broadcaster.tell(packet, [subscription.client for subscription in subscriptions])
        rolling = [subscription for subscription in subscriptions if subscription.rolls]
        if successor is not None and rolling:
            await self._roll(room, successor, rolling)

    async def _roll(self, room: Room, successor: Listing, rolling: list[Subscription]) -> None:
        views = self._views
        stream = views.chain(successor) if room.stream.kind == "chain" else views.dashboard(successor)
        following = self._broadcaster.room(room.over(stream))
        for client in [subscription.client for subscription in rolling]:
            followed = client.subscriptions.get(stream.name)  # in a way of its own
            self._broadcaster.roll(client, following if followed is None else followed.room)
            await self._broadcaster.yield_to_loop()

    async def tell_closed(self, item: ClosedCandle) -> None:
        """Announce a candle that is final to those who follow it."""
        stream = self._candles.find(item.symbol, item.interval)
        room = self._broadcaster.rooms.get((stream.name,)) if stream is not None else None
        if stream is not None and room is not None:
            packet = Packet("candle_update", encode(self._candles.closed(item)))
            await self._broadcaster.tell_when_ready(stream.name, packet, list(room.subscriptions))

    async def tell_phases(self) -> None:
        """Announce a change of phase."""
        status = self._status.phases()
        phases = tuple((row["exchange"], row["phase"]) for row in status["exchanges"])
        if self._phases and phases != self._phases:
            await self._broadcaster.tell(Packet("market_status", encode(status)))
        self._phases = phases

    async def tell_feed_state(self) -> None:
        """Announce a change of the feed's state."""
        seen = self._news()
        if seen != self._told:
            await self.notify_feed()
        self._told = seen

    def _news(self) -> tuple[Any, ...]:
        """What of the feed's state is worth telling when it changes."""
        state = self._status.feed
        return state.name, state.restarts, state.problem, self._status.pacing.level

    async def notify_feed(self) -> None:
        """Announce the feed's state to everybody."""
        await self._broadcaster.tell(Packet("feed_status", encode(self._status.feed_status())))
