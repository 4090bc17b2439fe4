"""The Socket.IO namespace: events in, subscriptions and answers out."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
import socketio
from marshmallow import ValidationError
from tornado.web import RequestHandler

from feed.history import ClosedCandle
from feed.market import Changes
from feed.universe import Listing
from handlers.access import AccessRules, subscriber
from handlers.broadcast import Broadcaster
from handlers.candles import CandleViews
from handlers.departure import Departure
from handlers.errors import ApiError, describe
from handlers.frames import Packet, encode
from handlers.rate_limit import Bucket
from handlers.rooms import ChainRoom, Client, FullChainRoom, Room, SymbolRoom, WholeRoom
from handlers.services import Services
from handlers.sockets import NAMESPACE, SocketServer
from handlers.transport import EngineSocket
from schemas import requests
from schemas.api_keys import ApiKey
from schemas.wire import number, timestamp

logger = logging.getLogger(__name__)

STRIKES_ALLOWED = 20  # breaches of a limit before a client is disconnected: a second's worth at the default
BURST = 4  # a screen that opens sends a few seconds' worth of events at once
LEAST_PENDING = 20  # sessions of an address that are not admitted yet, however few it may have
REFUSED_GRACE_S = 2.0  # for a refused client to read why

CLIENT_EVENTS = (
    ("subscribe_symbol", "quotes of a symbol or a list of them: {symbol}"),
    ("unsubscribe_symbol", "end it: {symbol}"),
    ("subscribe_option_chain", "a chain: {symbol, expiry?, mode?: delta|full, strikes?: 5|10|20|40}"),
    ("unsubscribe_option_chain", "end it: {symbol, expiry?}"),
    ("subscribe_dashboard", "figures of an expiry: {symbol, expiry?}"),
    ("unsubscribe_dashboard", "end it: {symbol, expiry?}"),
    ("subscribe_candles", "the forming candle: {symbol, interval}"),
    ("unsubscribe_candles", "end it: {symbol, interval}"),
    ("get_option_chain", "a chain once: {symbol, expiry?, strikes?}"),
    ("get_dashboard_data", "figures once: {symbol, expiry?}"),
    ("get_market_status", "phases of the exchanges"),
    ("list_subscriptions", "what this client follows, and where it stands"),
    ("resume", "after a reconnect: {streams: [{stream, epoch, seq, mode?, strikes?}]}"),
    ("ping", "answered by pong with what was sent"),
)
SERVER_EVENTS = (
    ("connection_status", "once connected: client_id, server_time, version, epoch, limits"),
    ("market_status", "on connect and at every change of phase"),
    ("subscription_status", "a subscription began, ended or expired"),
    ("symbol_update", "snapshot, then deltas of a quote"),
    ("option_chain_data", "a whole chain: the answer to a request, or a snapshot"),
    ("option_chain_delta", "what changed in a chain"),
    ("option_chain_update", "a whole chain once a second, in mode full"),
    ("dashboard_data", "figures of an expiry"),
    ("candle_update", "the forming candle; closed: true once when it is final"),
    ("feed_status", "state of the feed, and why"),
    ("pong", "answer to ping"),
    ("error", "code, message, details, event"),
    ("server_shutdown", "before a planned stop: reconnect_after_ms"),
)


class Limits:
    """What clients may take; see ``[limits]`` of settings.toml."""

    def __init__(
        self,
        *,
        max_clients: int,
        max_clients_per_address: int,
        max_subscriptions: int,
        max_events_per_second: int,
        max_message_bytes: int,
        connect_timeout_s: float,
        slow_client_timeout_s: float,
    ) -> None:
        self.max_clients = max_clients
        self.max_clients_per_address = max_clients_per_address
        self.max_subscriptions = max_subscriptions
        self.max_events_per_second = max_events_per_second
        self.max_message_bytes = max_message_bytes
        self.connect_timeout_s = connect_timeout_s
        self.slow_client_timeout_s = slow_client_timeout_s


class MarketNamespace(socketio.AsyncNamespace):
    """The default namespace. Every event answers its acknowledgement with the REST envelope."""

    def __init__(
        self,
        services: Services,
        broadcaster: Broadcaster,
        access: AccessRules,
        limits: Limits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(NAMESPACE)
        self.services = services
        self.broadcaster = broadcaster
        self.departure = Departure(broadcaster)
        self._access = access
        self.limits = limits
        self._monotonic = monotonic
        self._candles = CandleViews(services.market, services.history, services.clock)
        self._per_address: Counter[str] = Counter()
        self._addresses: dict[str, str] = {}
        self._keys: dict[str, ApiKey | None] = {}
        self._phases: tuple[Any, ...] = ()
        self._kept_status: tuple[dict[str, Any], Packet] | None = None
        self._feed = services.ticker.state
        self.peak = 0
        self.total = 0
        self.refused: Counter[str] = Counter()

    # connections

    def describe(self, handler: RequestHandler) -> dict[str, Any]:
        """What is kept of a connection's request: little, since it is kept as long as the client stays."""
        request = handler.request
        return {
            "REMOTE_ADDR": self._access.address(request),
            "HTTP_ORIGIN": request.headers.get("Origin"),
            "HTTP_HOST": request.host,
            "wsgi.url_scheme": self._access.protocol(request),
        }

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Handle an event: the one place where a failure becomes an answer."""
        if event == "connect":
            return self._connect(*args)
        if event == "disconnect":
            return self._disconnect(args[0])
        client = self.broadcaster.clients.get(args[0])
        if client is None:
            return None
        try:
            self._spend(client)
            handler = getattr(self, f"on_{event}", None)
            if handler is None or not any(event == name for name, _ in CLIENT_EVENTS):
                known = [name for name, _ in CLIENT_EVENTS]
                raise ApiError("VALIDATION_ERROR", f"There is no event {event[:60]!r}.", {"known": known})
            payload = args[1] if len(args) > 1 else None
            return self._answer(await handler(client, payload))
        except Exception as error:  # noqa: BLE001
            # whatever it is, the table of errors says what the client is told
            return self._refuse(client, event, error)

    def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        address = environ["REMOTE_ADDR"]
        try:
            key = self._admit(environ, auth, address)
        except ApiError as error:
            self.refused[error.code] += 1
            engine_sid = self.server.manager.eio_sid_from_sid(sid, NAMESPACE)
            socket = self.server.eio.sockets[engine_sid]
            loop = asyncio.get_running_loop()
            loop.call_later(REFUSED_GRACE_S, self.server.eio.drop, socket)
            data = {"code": error.code, "details": error.details}
            raise socketio.exceptions.ConnectionRefusedError(error.message, data) from None
        self._per_address[subscriber(address)] += 1
        self._addresses[sid] = address
        self._keys[sid] = key

    def _admit(self, environ: Mapping[str, Any], auth: Any, address: str) -> ApiKey | None:
        """Check origin, key and room for one more; return the key that was shown. Raises ApiError."""
        origin = environ["HTTP_ORIGIN"]
        if origin is not None and not self._access.allows_origin(
            origin, environ["HTTP_HOST"], environ["wsgi.url_scheme"]
        ):
            raise ApiError("FORBIDDEN_ORIGIN", f"The origin {origin[:200]} is not allowed here.")
        key = self._access.key_of_token(auth.get("token") if isinstance(auth, dict) else None, address)
        self._access.check_reader(key)
        if len(self._addresses) >= self.limits.max_clients:
            limit = self.limits.max_clients
            raise ApiError("RATE_LIMITED", f"The server has its {limit} clients.", {"max_clients": limit})
        limit = self.limits.max_clients_per_address
        if self._per_address[subscriber(address)] >= limit:
            message = f"Your address has its {limit} connections."
            raise ApiError("RATE_LIMITED", message, {"max_clients_per_address": limit})
        return key

    def count_crowded(self) -> None:
        """Take note of a connection refused because its address holds as many as it may."""
        self.refused["RATE_LIMITED"] += 1

    def _disconnect(self, sid: str) -> None:
        address = self._addresses.pop(sid, None)
        self._keys.pop(sid, None)
        if address is not None:
            network = subscriber(address)
            self._per_address[network] -= 1
            if not self._per_address[network]:
                del self._per_address[network]
        self.broadcaster.remove(sid)

    def welcome(self, sid: str, engine_sid: str) -> None:
        """Greet a client that was let in."""
        socket = self.server.eio.sockets[engine_sid]
        client = Client(sid, socket, self._addresses[sid])
        client.key = self._keys.pop(sid)
        rate = self.limits.max_events_per_second
        client.allowance = Bucket(rate * BURST, BURST, self._monotonic())
        self.broadcaster.add(client)
        given = {"client_id": sid, "address": client.address, "key": client.key and client.key.name}
        logger.debug("a client connected", extra=given)
        self.total += 1
        self.peak = max(self.peak, len(self.broadcaster.clients))
        market, limits = self.services.market, self.limits
        greeting = {
            "status": "connected",
            "client_id": sid,
            "server_time": timestamp(self.services.clock.now_ms()),
            "version": self.services.version,
            "source": market.source,
            "epoch": market.epoch,
            "limits": {
                "max_subscriptions": limits.max_subscriptions,
                "max_events_per_second": limits.max_events_per_second,
                "max_message_bytes": limits.max_message_bytes,
                "slow_client_timeout_s": limits.slow_client_timeout_s,
            },
        }
        client.send(Packet("connection_status", encode(greeting)))
        client.send(self._status_packet())
        if self.departure.has_begun:
            self.departure.tell(client)

    def _status_packet(self) -> Packet:
        """The market status, encoded once for all who connect until it changes."""
        status = self.services.market_status()
        if self._kept_status is None or self._kept_status[0] is not status:
            self._kept_status = (status, Packet("market_status", encode(status)))
        return self._kept_status[1]

    def close_revoked(self) -> int:
        """Tell whoever would not be let in any more, and close the connection; return how many these were."""
        engine, loop = self.server.eio, asyncio.get_running_loop()
        revoked = [
            client for client in self.broadcaster.clients.values() if not self._access.keys.admits(client.key)
        ]
        message = "The API key of this connection is no longer valid."
        told = {"code": "UNAUTHORIZED", "message": message, "details": {}, "event": ""}
        packet = Packet("error", encode(told))
        for client in revoked:
            client.send(packet)
            self.broadcaster.remove(client.sid)
            engine.closed_by_reason["revoked"] += 1
            # a polling client reads it with its next poll
            loop.call_later(0 if client.socket.link else REFUSED_GRACE_S, engine.drop, client.socket)
        return len(revoked)

    def refuse_oversize(self, socket: EngineSocket, size: int) -> None:
        """Tell a client that its message was too large to be looked at."""
        sid = self.server.manager.sid_from_eio_sid(socket.sid, NAMESPACE)
        client = self.broadcaster.clients.get(sid)
        limit = self.limits.max_message_bytes
        if client is None:
            self.server.eio.refuse(socket, "its first message is too large", "over_limit")
            return
        message = f"A message may have {limit} bytes, this one had {size}."
        self._refuse(client, "", ApiError("PAYLOAD_TOO_LARGE", message, {"max_message_bytes": limit}))

    # events

    async def on_subscribe_symbol(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow quotes."""
        symbols = _load(requests.SymbolEvent, payload)["symbol"]
        rooms = [self._symbol_room(symbol) for symbol in symbols]
        self._check_room_for(client, rooms)
        return {"streams": [self._subscribe(client, room) for room in rooms]}

    async def on_unsubscribe_symbol(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following quotes."""
        symbols = _load(requests.SymbolEvent, payload)["symbol"]
        for symbol in symbols:
            self.services.market.universe.underlying(symbol)
        return {"streams": [self._unsubscribe(client, f"symbol:{symbol}") for symbol in symbols]}

    async def on_subscribe_option_chain(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow a chain."""
        wanted = _load(requests.ChainSubscription, payload)
        room = self._chain_room(self._listing(wanted), wanted["mode"], wanted["strikes"])
        self._check_room_for(client, [room])
        return self._subscribe(client, room)

    async def on_unsubscribe_option_chain(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following a chain; without an expiry, every chain of the symbol."""
        return self._unsubscribe_expiries(client, payload, "chain")

    async def on_subscribe_dashboard(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow the figures of an expiry."""
        room = self._dashboard_room(self._listing(_load(requests.ChainEvent, payload)))
        self._check_room_for(client, [room])
        return self._subscribe(client, room)

    async def on_unsubscribe_dashboard(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following figures; without an expiry, all of the symbol."""
        return self._unsubscribe_expiries(client, payload, "dashboard")

    async def on_subscribe_candles(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow the forming candle."""
        wanted = _load(requests.CandleEvent, payload)
        await self.services.history.ready(wanted["symbol"])
        room = self._candle_room(wanted["symbol"], wanted["interval"])
        self._check_room_for(client, [room])
        return self._subscribe(client, room)

    async def on_unsubscribe_candles(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following the forming candle."""
        wanted = _load(requests.CandleEvent, payload)
        self.services.market.universe.underlying(wanted["symbol"])
        return self._unsubscribe(client, f"candles:{wanted['symbol']}:{wanted['interval']}")

    async def on_get_option_chain(self, client: Client, payload: Any) -> Any:
        """Send a chain once."""
        wanted = _load(requests.ChainQueryEvent, payload)
        body = self.services.views.chain(self._listing(wanted)).whole(wanted["strikes"])
        client.send(Packet("option_chain_data", body))
        return orjson.Fragment(body)

    async def on_get_dashboard_data(self, client: Client, payload: Any) -> Any:
        """Send the figures of an expiry once."""
        body = self.services.views.dashboard(self._listing(_load(requests.ChainEvent, payload))).whole()
        client.send(Packet("dashboard_data", body))
        return orjson.Fragment(body)

    async def on_get_market_status(self, client: Client, payload: Any) -> dict[str, Any]:
        """Send the phases of the exchanges."""
        status = self.services.market_status(_load(requests.StatusEvent, payload)["exchange"])
        client.send(Packet("market_status", encode(status)))
        return status

    async def on_list_subscriptions(self, client: Client, payload: Any) -> dict[str, Any]:
        """Say what the client follows, and where it stands."""
        _load(requests.NoPayload, payload)
        rows = [
            {**item.room.describe(), "epoch": item.position[0], "seq": item.position[1]}
            for item in client.subscriptions.values()
        ]
        return {"subscriptions": rows}

    async def on_resume(self, client: Client, payload: Any) -> dict[str, Any]:
        """Take up streams where a former connection left them."""
        wanted = _load(requests.ResumeEvent, payload)["streams"]
        for kind, symbol in {
            tuple(item["stream"].split(":")[:2]) for item in wanted if ":" in item["stream"]
        }:
            if kind == "candles":
                await self.services.history.ready(symbol)
        rooms = [self._room_of(item) for item in wanted]
        self._check_room_for(client, rooms)
        answers = []
        for item, room in zip(wanted, rooms, strict=True):
            recovered = self.broadcaster.subscribe(client, room, item["epoch"], item["seq"])
            stream = room.stream
            answers.append(
                {"stream": stream.name, "epoch": stream.epoch, "seq": stream.seq, "recovered": recovered}
            )
        return {"streams": answers}

    async def on_ping(self, client: Client, payload: Any) -> dict[str, Any]:
        """Answer with the time and what was sent."""
        answer = {"server_time": timestamp(self.services.clock.now_ms()), "sent": payload}
        client.send(Packet("pong", encode(answer)))
        return answer

    # rooms

    def _listing(self, wanted: Mapping[str, Any]) -> Listing:
        return self.services.market.universe.listing(wanted["symbol"], wanted["expiry"])

    def _symbol_room(self, symbol: str) -> Room:
        return self.broadcaster.room(SymbolRoom(self.services.views.symbol(symbol)))

    def _chain_room(self, listing: Listing, mode: str, strikes: int | None) -> Room:
        stream = self.services.views.chain(listing)
        if mode == "full":
            return self.broadcaster.room(FullChainRoom(stream, strikes, self.broadcaster.full_every))
        return self.broadcaster.room(ChainRoom(stream, strikes))

    def _dashboard_room(self, listing: Listing) -> Room:
        stream = self.services.views.dashboard(listing)
        return self.broadcaster.room(WholeRoom(stream, "dashboard_data", self.broadcaster.full_every))

    def _candle_room(self, symbol: str, interval: str) -> Room:
        self.services.market.quote(symbol)
        return self.broadcaster.room(WholeRoom(self._candles.stream(symbol, interval), "candle_update", 1))

    def _room_of(self, position: Mapping[str, Any]) -> Room:
        """The room a stream's name stands for. Raises ValidationError and the look-up errors."""
        kind, _, rest = position["stream"].partition(":")
        symbol, _, last = rest.partition(":")
        if kind == "symbol" and symbol and not last:
            return self._symbol_room(_load(requests.SymbolEvent, {"symbol": symbol})["symbol"][0])
        if kind in ("chain", "dashboard") and last:
            listing = self._listing(_load(requests.ChainEvent, {"symbol": symbol, "expiry": last}))
            if kind == "dashboard":
                return self._dashboard_room(listing)
            return self._chain_room(listing, position["mode"], position["strikes"])
        if kind == "candles" and last:
            wanted = _load(requests.CandleEvent, {"symbol": symbol, "interval": last})
            return self._candle_room(wanted["symbol"], wanted["interval"])
        raise ValidationError(
            {"stream": [f"must be a stream such as symbol:NIFTY, was {position['stream'][:60]!r}"]}
        )

    def _check_room_for(self, client: Client, rooms: list[Room]) -> None:
        """Refuse what would be too many subscriptions, before anything is done."""
        streams = {*client.subscriptions, *(room.stream.name for room in rooms)}
        limit = self.limits.max_subscriptions
        if len(streams) > limit:
            message = f"A client may follow {limit} streams; this would make {len(streams)}."
            raise ApiError("RATE_LIMITED", message, {"max_subscriptions": limit})

    def _subscribe(self, client: Client, room: Room) -> dict[str, Any]:
        status = self._status(room, "subscribed")
        client.send(Packet("subscription_status", encode(status)))
        self.broadcaster.subscribe(client, room)
        return status

    def _unsubscribe(self, client: Client, name: str) -> dict[str, Any]:
        subscription = client.subscriptions.get(name)
        if subscription is None:
            symbol = name.split(":")[1]
            return {"stream": name, "symbol": symbol, "status": "unsubscribed", "epoch": None, "seq": None}
        status = self._status(subscription.room, "unsubscribed")
        self.broadcaster.unsubscribe(client, name)
        client.send(Packet("subscription_status", encode(status)))
        return status

    def _unsubscribe_expiries(self, client: Client, payload: Any, kind: str) -> dict[str, Any]:
        wanted = _load(requests.ChainEvent, payload)
        self.services.market.universe.underlying(wanted["symbol"])
        prefix = f"{kind}:{wanted['symbol']}:"
        if wanted["expiry"] is not None:
            return {"streams": [self._unsubscribe(client, f"{prefix}{wanted['expiry']}")]}
        names = [name for name in client.subscriptions if name.startswith(prefix)]
        return {"streams": [self._unsubscribe(client, name) for name in names]}

    def _status(self, room: Room, status: str) -> dict[str, Any]:
        stream = room.stream
        symbol = stream.name.split(":")[1]
        return {
            **room.describe(),
            "symbol": symbol,
            "status": status,
            "epoch": stream.epoch,
            "seq": stream.seq,
        }

    # answers

    def _spend(self, client: Client) -> None:
        if not client.allowance.take(self._monotonic()):
            limit = self.limits.max_events_per_second
            message = f"More than {limit} events a second."
            raise ApiError("RATE_LIMITED", message, {"max_events_per_second": limit})

    def _answer(self, data: Any) -> dict[str, Any]:
        now = timestamp(self.services.clock.now_ms())
        return {"success": True, "message": "OK", "timestamp": now, "data": data}

    def _refuse(self, client: Client, event: str, error: Exception) -> dict[str, Any]:
        problem = describe(error)
        details = problem.details
        if problem.status == 500:
            reference = secrets.token_hex(8)
            details = {"request_id": reference}
            logger.error("event %s failed (request %s)", event[:60], reference, exc_info=error)
        told = {"code": problem.code, "message": problem.message, "details": details, "event": event[:60]}
        client.send(Packet("error", encode(told)))
        if problem.code in ("RATE_LIMITED", "PAYLOAD_TOO_LARGE"):
            client.strikes += 1
            if client.strikes > STRIKES_ALLOWED:
                why = "it went on after it was told that it is over a limit"
                self.server.eio.refuse(client.socket, why, "over_limit")
        return {
            "success": False,
            "message": problem.message,
            "timestamp": timestamp(self.services.clock.now_ms()),
            "error": {"code": problem.code, "details": details},
        }

    # what the ticker publishes

    async def publish(self, changes: Changes, closed: list[ClosedCandle]) -> None:
        """Tell everybody what a step of the market brought."""
        await self._tell_expired(changes.expired)
        await self._tell_closed_candles(closed)
        await self.broadcaster.publish()
        await self._tell_status()

    async def _tell_expired(self, expired: tuple[Listing, ...]) -> None:
        """End the subscriptions of chains that left the universe, naming the successor."""
        market = self.services.market
        for listing in expired:
            successor = market.successor(listing.symbol, listing.expiry.day)
            for kind in ("chain", "dashboard"):
                name = f"{kind}:{listing.symbol}:{listing.expiry.day}"
                for room in [room for room in self.broadcaster.rooms.values() if room.stream.name == name]:
                    status = {
                        **self._status(room, "expired"),
                        "successor": successor and f"{kind}:{successor.symbol}:{successor.expiry.day}",
                    }
                    clients = list(room.subscriptions)
                    for client in clients:
                        self.broadcaster.unsubscribe(client, name)
                    await self.broadcaster.tell(Packet("subscription_status", encode(status)), clients)
        self.services.views.forget(expired)

    async def _tell_closed_candles(self, closed: list[ClosedCandle]) -> None:
        for item in closed:
            stream = self._candles.find(item.symbol, item.interval)
            room = self.broadcaster.rooms.get((stream.name,)) if stream is not None else None
            if stream is not None and room is not None:
                packet = Packet("candle_update", encode(self._candles.closed(item)))
                await self.broadcaster.tell_when_ready(stream.name, packet, list(room.subscriptions))

    async def _tell_status(self) -> None:
        """Announce a change of phase or of the feed's state."""
        status = self.services.market_status()
        phases = tuple((row["exchange"], row["phase"]) for row in status["exchanges"])
        if self._phases and phases != self._phases:
            await self.broadcaster.tell(Packet("market_status", encode(status)))
        self._phases = phases
        state = self.services.ticker.state
        if (state.name, state.restarts) != (self._feed.name, self._feed.restarts):
            await self.tell_feed()
        self._feed = state

    async def tell_feed(self) -> None:
        """Announce the feed's state to everybody."""
        await self.broadcaster.tell(Packet("feed_status", encode(self.feed_status())))

    def feed_status(self) -> dict[str, Any]:
        """The feed's state and why."""
        state, market = self.services.ticker.state, self.services.market
        simulation = self.services.simulation
        return {
            "state": state.name,
            "reason": state.reason,
            "restarts": state.restarts,
            "next_try_at": timestamp(state.next_try_ms) if state.next_try_ms is not None else None,
            "source": market.source,
            "epoch": market.epoch,
            "scenario": simulation.scenario if simulation is not None else None,
            "timestamp": timestamp(self.services.clock.now_ms()),
        }

    async def shut_down(self) -> None:
        """Tell every client when to come back and close its socket, without waiting for anybody."""
        now_s = self._monotonic()
        await self.departure.tell_everybody(now_s)
        await self.departure.close_everybody(now_s)

    # figures

    def statistics(self) -> dict[str, Any]:
        """``/api/websocket/stats``."""
        clients = self.broadcaster.clients.values()
        websockets = sum(client.socket.link is not None for client in clients)
        out = self.broadcaster.statistics
        lag = self.services.loop_lag
        return {
            "connections": {
                "now": len(clients),
                "peak": self.peak,
                "total": self.total,
                "refused": sum(self.refused.values()),
                "refused_by_code": dict(self.refused),
            },
            "transports": {"websocket": websockets, "polling": len(clients) - websockets},
            "rooms": [
                {**room.describe(), "subscribers": len(room.subscriptions)}
                for room in self.broadcaster.rooms.values()
            ],
            "messages_out": out.messages,
            "bytes_out": out.bytes,
            "conflated": out.conflated,
            "resyncs": out.resyncs,
            "slow_clients": sum(client.lagging_since is not None for client in clients),
            "slow_disconnects": out.slow_disconnects,
            "closed_by_reason": dict(self.server.eio.closed_by_reason),
            "fan_out_ms": {"p50": number(out.percentile(50), 3), "p99": number(out.percentile(99), 3)},
            "loop_lag_ms": {
                "p50": number(lag.percentile(50), 3),
                "p99": number(lag.percentile(99), 3),
                "max": number(lag.percentile(100), 3),
            },
        }


def _load(schema: type[requests.Request], payload: Any) -> dict[str, Any]:
    """The payload as the schema loads it; no payload is an empty one. Raises ValidationError."""
    data: dict[str, Any] = _schema(schema).load({} if payload is None else payload)
    return data


@cache
def _schema(schema: type[requests.Request]) -> requests.Request:
    """The one instance of a schema: making one costs more than loading with it."""
    return schema()


def make_socket_server(
    namespace: MarketNamespace,
    *,
    ping_interval_s: int,
    timeout_s: int,
    max_message_bytes: int,
) -> SocketServer:
    """The Socket.IO server that speaks for a namespace."""
    server = SocketServer(
        on_connected=namespace.welcome,
        describe=namespace.describe,
        on_oversize=namespace.refuse_oversize,
        connect_timeout_s=namespace.limits.connect_timeout_s,
        max_pending_per_address=max(LEAST_PENDING, namespace.limits.max_clients_per_address),
        ping_interval=ping_interval_s,
        ping_timeout=timeout_s,
        max_http_buffer_size=max_message_bytes,
        cors_allowed_origins=[],  # the namespace refuses a foreign origin, and says so
        http_compression=True,
        async_mode="tornado",
    )
    server.register_namespace(namespace)
    return server
