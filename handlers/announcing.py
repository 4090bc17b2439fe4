"""What a step of the market makes the server say, beside the streams themselves."""

from __future__ import annotations

from typing import Any

from feed.history import ClosedCandle
from feed.market import Changes
from feed.universe import Listing
from handlers.broadcast import Broadcaster
from handlers.candles import CandleViews
from handlers.frames import Packet, encode
from handlers.rooms import Room
from handlers.services import Services
from schemas.wire import timestamp


class Announcer:
    """Publishes a step: ended subscriptions, closed candles, streams, changes of phase and of the feed."""

    def __init__(self, services: Services, broadcaster: Broadcaster, candles: CandleViews) -> None:
        self._services = services
        self._broadcaster = broadcaster
        self._candles = candles
        self._phases: tuple[Any, ...] = ()
        self._feed = services.ticker.state

    async def publish(self, changes: Changes, closed: list[ClosedCandle]) -> None:
        """Tell everybody what a step of the market brought."""
        await self._tell_expired(changes.expired)
        await self._tell_closed_candles(closed)
        await self._broadcaster.publish()
        await self._tell_status()

    async def _tell_expired(self, expired: tuple[Listing, ...]) -> None:
        """End the subscriptions of chains that left the universe, naming the successor."""
        market = self._services.market
        for listing in expired:
            successor = market.successor(listing.symbol, listing.expiry.day)
            for kind in ("chain", "dashboard"):
                name = f"{kind}:{listing.symbol}:{listing.expiry.day}"
                for room in [room for room in self._broadcaster.rooms.values() if room.stream.name == name]:
                    status = {
                        **subscription_status(room, "expired"),
                        "successor": successor and f"{kind}:{successor.symbol}:{successor.expiry.day}",
                    }
                    clients = list(room.subscriptions)
                    for client in clients:
                        self._broadcaster.unsubscribe(client, name)
                    await self._broadcaster.tell(Packet("subscription_status", encode(status)), clients)
        self._services.views.forget(expired)

    async def _tell_closed_candles(self, closed: list[ClosedCandle]) -> None:
        for item in closed:
            stream = self._candles.find(item.symbol, item.interval)
            room = self._broadcaster.rooms.get((stream.name,)) if stream is not None else None
            if stream is not None and room is not None:
                packet = Packet("candle_update", encode(self._candles.closed(item)))
                await self._broadcaster.tell_when_ready(stream.name, packet, list(room.subscriptions))

    async def _tell_status(self) -> None:
        """Announce a change of phase or of the feed's state."""
        status = self._services.market_status()
        phases = tuple((row["exchange"], row["phase"]) for row in status["exchanges"])
        if self._phases and phases != self._phases:
            await self._broadcaster.tell(Packet("market_status", encode(status)))
        self._phases = phases
        state = self._services.ticker.state
        if (state.name, state.restarts) != (self._feed.name, self._feed.restarts):
            await self.tell_feed()
        self._feed = state

    async def tell_feed(self) -> None:
        """Announce the feed's state to everybody."""
        await self._broadcaster.tell(Packet("feed_status", encode(self.feed_status())))

    def feed_status(self) -> dict[str, Any]:
        """The feed's state and why."""
        state, market = self._services.ticker.state, self._services.market
        simulation = self._services.simulation
        return {
            "state": state.name,
            "reason": state.reason,
            "restarts": state.restarts,
            "next_try_at": timestamp(state.next_try_ms) if state.next_try_ms is not None else None,
            "source": market.source,
            "epoch": market.epoch,
            "scenario": simulation.scenario if simulation is not None else None,
            "timestamp": timestamp(self._services.clock.now_ms()),
        }


def subscription_status(room: Room, status: str) -> dict[str, Any]:
    """The payload of ``subscription_status``: what is followed, and where it stands."""
    stream = room.stream
    return {
        **room.describe(),
        "symbol": stream.name.split(":")[1],
        "status": status,
        "epoch": stream.epoch,
        "seq": stream.seq,
    }
