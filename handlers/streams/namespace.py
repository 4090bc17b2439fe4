"""The Socket.IO namespace: events in, subscriptions and answers out."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import socketio
from marshmallow import ValidationError

from domain.errors import ErrorCode
from domain.intervals import Interval
from domain.streams import StreamKind, StreamName
from feed.market.guard import Guard
from feed.market.universe import Listing
from feed.reference.instruments import UnknownExpiry
from handlers.access.admission import Admission
from handlers.access.errors import ApiError, describe
from handlers.access.names import identified, note_on, symbol_in_path
from handlers.access.rate_limit import Bucket
from handlers.monitoring.logs import FailureLog
from handlers.streams.alerts import Alerts
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.candle_views import CandleViews
from handlers.streams.drain import Drain
from handlers.streams.market_status import MarketStatus
from handlers.streams.rooms import ChainRoom, Client, FullChainRoom, Room, SymbolRoom, WholeRoom
from handlers.streams.state import ChainPart, ChainStream
from handlers.streams.targets import StreamTarget, SymbolCompanions
from handlers.streams.views import Views
from handlers.transport.engine import EngineSocket
from handlers.transport.frames import Packet
from handlers.transport.socket_server import NAMESPACE, SocketServer
from schemas.configuration.settings import Settings
from schemas.envelope import refusal, success
from schemas.events import CLIENT
from schemas.requests.events import (
    AlertEndEvent,
    AlertEvent,
    CandleChoice,
    CandleEvent,
    ChainChoice,
    ChainEndEvent,
    ChainEvent,
    ChainOnce,
    ChainQueryEvent,
    ChainSubscription,
    ExpiryChoice,
    NoPayload,
    ResumeEvent,
    ResumePoint,
    StatusEvent,
    SymbolEvent,
)
from schemas.requests.fields import Q, Request
from schemas.requests.leg_fields import ALL_FIELDS, LegFields
from schemas.wire import encode, timestamp

REACH_S = 0.02  # how often it is looked whether a state is reached

logger = logging.getLogger(__name__)

MAX_VIOLATIONS = 20  # breaches of a limit before a client is disconnected: a second's worth at the default
BURST = 4  # a screen that opens sends a few seconds' worth of events at once
LEAST_PENDING = 20  # sessions of an address that are not admitted yet, however few it may have
REFUSED_GRACE_S = 2.0  # for a refused client to read why
MOST_LISTS = 16  # of fields that a chain is served with; whoever comes later gets all fields
MAX_NESTING = 32  # levels of lists and objects in a payload: ours need four, and an echo must be writable
VIOLATION_CODES = (
    ErrorCode.RATE_LIMITED,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.INTERNAL_ERROR,
)  # who goes on causing them is sent away


class MarketNamespace(socketio.AsyncNamespace):
    """The default namespace. Every event answers its acknowledgement with the REST envelope."""

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        views: Views,
        candles: CandleViews,
        status: MarketStatus,
        broadcaster: Broadcaster,
        admission: Admission,
        alerts: Alerts,
        *,
        failures: FailureLog,
        version: str,
        companions: SymbolCompanions | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(NAMESPACE)
        self.broadcaster = broadcaster
        self.drain = Drain(broadcaster)
        self.admission = admission
        self.limits = admission.limits
        self._views = views
        self._market = views.market
        self._candles = candles
        self._status = status
        self.alerts = alerts
        self._failures = failures
        self._version = version
        self._companions = companions
        self.monotonic = monotonic
        # how long a client waits for a state that it was given elsewhere: by an edge that was a moment ahead
        self.patience_s = 0.0
        self._cached_status: tuple[dict[str, Any], Packet] | None = None

    # connections

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
            self._spend(client, event)
            handler = getattr(self, f"on_{event}", None)
            if handler is None or event not in CLIENT:
                known = list(CLIENT)
                raise ApiError(
                    ErrorCode.VALIDATION_ERROR, f"There is no event {event[:60]!r}.", {"known": known}
                )
            payload = args[1] if len(args) > 1 else None
            if is_deeper(payload, MAX_NESTING):
                rule = f"must be nested at most {MAX_NESTING} levels deep, was deeper"
                raise ValidationError({"payload": [rule]})
            named = payload.get("symbol") if isinstance(payload, dict) else None
            return self._answer(await handler(client, payload), note_on(named))
        except Exception as error:  # noqa: BLE001
            # whatever it is, the table of errors says what the client is told
            return self._refuse(client, event, error)

    def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        try:
            self.admission.admit(sid, environ, auth)
        except ApiError as error:
            engine_sid = self.server.manager.eio_sid_from_sid(sid, NAMESPACE)
            socket = self.server.eio.sockets[engine_sid]
            loop = asyncio.get_running_loop()
            loop.call_later(REFUSED_GRACE_S, self.server.eio.drop, socket)
            data = {"code": error.code, "details": error.details}
            raise socketio.exceptions.ConnectionRefusedError(error.message, data) from None

    def _disconnect(self, sid: str) -> None:
        self.admission.leave(sid)
        self.alerts.leave(sid)
        self.broadcaster.remove(sid)

    def welcome(self, sid: str, engine_sid: str) -> None:
        """Greet a client that was let in."""
        socket = self.server.eio.sockets[engine_sid]
        session = self.admission.sessions[sid]
        rate = self.limits.max_events_per_second
        allowance = Bucket(rate * BURST, BURST, self.monotonic())
        client = Client(sid, socket, session.address, session.key, allowance)
        self.broadcaster.add(client)
        about = {"client_id": sid, "address": client.address, "key": client.key and client.key.name}
        logger.debug("a client connected", extra=about)
        self.admission.welcomed(len(self.broadcaster.clients))
        market, limits = self._market, self.limits
        greeting = {
            "status": "connected",
            "client_id": sid,
            "server_time": timestamp(self._now_ms()),
            "version": self._version,
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
        if self.drain.has_begun:
            self.drain.tell(client)

    def _status_packet(self) -> Packet:
        """The market status, encoded once for all who connect until it changes."""
        status = self._status.phases()
        if self._cached_status is None or self._cached_status[0] is not status:
            self._cached_status = (status, Packet("market_status", encode(status)))
        return self._cached_status[1]

    def close_revoked(self) -> int:
        """Tell whoever would not be let in any more, and close the connection; return how many these were."""
        engine, loop = self.server.eio, asyncio.get_running_loop()
        revoked = [
            client for client in self.broadcaster.clients.values() if not self.admission.admits(client.key)
        ]
        message = "The API key of this connection is no longer valid."
        told = {"code": ErrorCode.UNAUTHORIZED, "message": message, "details": {}, "event": ""}
        packet = Packet("error", encode(told))
        for client in revoked:
            client.send(packet)
            self.alerts.leave(client.sid)
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
        self._refuse(client, "", ApiError(ErrorCode.PAYLOAD_TOO_LARGE, message, {"max_message_bytes": limit}))

    # events

    async def on_subscribe_symbol(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow quotes."""
        symbols = _read(SymbolEvent, payload).symbol
        targets = [self._quote(symbol) for symbol in symbols]
        if self._companions is not None:
            targets += await self._companions.targets(symbols)
        return {"streams": self._follow(client, targets)}

    async def on_unsubscribe_symbol(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following quotes."""
        symbols = _read(SymbolEvent, payload).symbol
        for symbol in symbols:
            self._market.universe.underlying(symbol)
            for name in self._companions.names(symbol, client.subscriptions) if self._companions else ():
                self._unsubscribe(client, name)
        return {"streams": [self._unsubscribe(client, StreamName.quote(symbol)) for symbol in symbols]}

    async def on_subscribe_option_chain(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow a chain."""
        choice = _read(ChainSubscription, payload)
        target = self._chain(self._listing(choice), choice, rolls=choice.expiry is None)
        return self._follow(client, [target])[0]

    async def on_unsubscribe_option_chain(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following a chain; without an expiry, every chain of the symbol."""
        return self._unsubscribe_expiries(client, payload, StreamKind.CHAIN)

    async def on_subscribe_dashboard(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow the figures of an expiry."""
        choice = _read(ChainEvent, payload)
        target = self._dashboard(self._listing(choice), rolls=choice.expiry is None)
        return self._follow(client, [target])[0]

    async def on_unsubscribe_dashboard(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following figures; without an expiry, all of the symbol."""
        return self._unsubscribe_expiries(client, payload, StreamKind.DASHBOARD)

    async def on_subscribe_candles(self, client: Client, payload: Any) -> dict[str, Any]:
        """Follow the forming candle."""
        target = self._candle(_read(CandleEvent, payload))
        await self._await_history([target])
        return self._follow(client, [target])[0]

    async def on_unsubscribe_candles(self, client: Client, payload: Any) -> dict[str, Any]:
        """Stop following the forming candle."""
        choice = _read(CandleEvent, payload)
        self._market.universe.underlying(choice.symbol)
        return self._unsubscribe(client, StreamName.candles(choice.symbol, choice.interval))

    async def on_get_option_chain(self, client: Client, payload: Any) -> Any:
        """Send a chain once."""
        choice = _read(ChainQueryEvent, payload)
        body = self._views.chain(self._listing(choice)).whole(ChainPart(choice.strikes, choice.leg_fields))
        client.send(Packet("option_chain_data", body))
        return orjson.Fragment(body)

    async def on_get_dashboard_data(self, client: Client, payload: Any) -> Any:
        """Send the figures of an expiry once."""
        body = self._views.dashboard(self._listing(_read(ChainEvent, payload))).whole()
        client.send(Packet("dashboard_data", body))
        return orjson.Fragment(body)

    async def on_get_market_status(self, client: Client, payload: Any) -> dict[str, Any]:
        """Send the phases of the exchanges."""
        status = self._status.phases(_read(StatusEvent, payload).exchange)
        client.send(Packet("market_status", encode(status)))
        return status

    async def on_list_subscriptions(self, client: Client, payload: Any) -> dict[str, Any]:
        """Say what the client follows, and where it stands."""
        _read(NoPayload, payload)
        return {"subscriptions": [item.describe() for item in client.subscriptions.values()]}

    async def on_subscribe_alert(self, client: Client, payload: Any) -> dict[str, Any]:
        """Tell once a figure passes a threshold."""
        choice = _read(AlertEvent, payload)
        self._market.universe.underlying(choice.symbol)
        limit = self.limits.max_subscriptions
        if self.alerts.count(client) >= limit:
            message = f"A client may have {limit} alerts: remove one, or wait until one fires."
            raise ApiError(ErrorCode.RATE_LIMITED, message, {"max_subscriptions": limit})
        return self.alerts.add(client, choice)

    async def on_unsubscribe_alert(self, client: Client, payload: Any) -> dict[str, Any]:
        """Have an alert no more."""
        alert_id = _read(AlertEndEvent, payload).alert_id
        return {"alert_id": alert_id, "removed": self.alerts.remove(client, alert_id)}

    async def on_list_alerts(self, client: Client, payload: Any) -> dict[str, Any]:
        """Say what the client is to be told."""
        _read(NoPayload, payload)
        return {"alerts": self.alerts.of(client)}

    async def on_resume(self, client: Client, payload: Any) -> dict[str, Any]:
        """Take up streams where a former connection left them."""
        points = _read(ResumeEvent, payload).streams
        targets = [self._target(item) for item in points]
        await self._await_history(targets)
        rooms = self._rooms(client, targets)
        await self._reach(points, rooms)
        triples = zip(points, targets, rooms, strict=True)
        return {"streams": [self._resume(client, *triple) for triple in triples]}

    async def _reach(self, points: Sequence[ResumePoint], rooms: Sequence[Room | None]) -> None:
        """Wait until no client holds a later state than there is here, so that none goes back."""
        over_s = self.monotonic() + self.patience_s
        pairs = [(point, room.stream) for point, room in zip(points, rooms, strict=True) if room is not None]
        while self.monotonic() < over_s:
            if not any(stream.is_before(point.epoch, point.seq) for point, stream in pairs):
                return
            await asyncio.sleep(REACH_S)

    async def on_ping(self, client: Client, payload: Any) -> dict[str, Any]:
        """Answer with the time and what was sent."""
        answer = {"server_time": timestamp(self._now_ms()), "sent": payload}
        client.send(Packet("pong", encode(answer)))
        return answer

    # rooms

    def _now_ms(self) -> int:
        return self._views.clock.now_ms()

    def _listing(self, choice: ChainChoice | ChainOnce | ExpiryChoice) -> Listing:
        return self._market.universe.listing(choice.symbol, choice.expiry)

    def _quote(self, symbol: str) -> StreamTarget:
        self._market.universe.underlying(symbol)
        return StreamTarget(StreamName.quote(symbol), lambda: SymbolRoom(self._views.symbol(symbol)))

    def _chain(self, listing: Listing, choice: ChainChoice | ResumePoint, *, rolls: bool) -> StreamTarget:
        def make() -> Room:
            stream = self._views.chain(listing)
            part = ChainPart(choice.strikes, self._served_fields(stream, choice.leg_fields))
            if choice.mode == "full":
                return FullChainRoom(stream, part, self.broadcaster.full_every)
            return ChainRoom(stream, part)

        return StreamTarget(StreamName.chain(*listing.key), make, rolls)

    def _served_fields(self, stream: ChainStream, asked: LegFields) -> LegFields:
        """The fields as they were asked for; all of them where too many lists are served of a chain."""
        if asked.is_named:
            return asked
        rooms = [room for room in self.broadcaster.rooms.values() if room.stream is stream]
        lists = {room.part.fields for room in rooms if isinstance(room, ChainRoom)}
        unnamed = {fields for fields in lists if not fields.is_named}
        return asked if asked in unnamed or len(unnamed) < MOST_LISTS else ALL_FIELDS

    def _dashboard(self, listing: Listing, *, rolls: bool) -> StreamTarget:
        def make() -> Room:
            stream = self._views.dashboard(listing)
            return WholeRoom(stream, "dashboard_data", self.broadcaster.full_every)

        return StreamTarget(StreamName.dashboard(*listing.key), make, rolls)

    def _candle(self, choice: CandleChoice) -> StreamTarget:
        symbol, interval = choice.symbol, choice.interval
        self._market.quote(symbol)
        return StreamTarget(
            StreamName.candles(symbol, interval),
            lambda: WholeRoom(self._candles.stream(symbol, interval), "candle_update", 1),
        )

    def _target(self, point: ResumePoint) -> StreamTarget:
        """What a stream's name stands for. Raises ValidationError and the look-up errors."""
        try:
            name = StreamName.parse(point.stream)
        except ValueError as error:
            raise ValidationError({"stream": [str(error)]}) from None
        symbol = symbol_in_path(name.symbol)
        match name.kind, name.expiry, name.interval:
            case StreamKind.SYMBOL, _, _:
                return self._quote(symbol)
            case StreamKind.CANDLES, _, Interval() as interval:
                return self._candle(CandleChoice(symbol, interval))
            case StreamKind.CHAIN | StreamKind.DASHBOARD, date() as expiry, _:
                return self._listed_target(name.kind, symbol, expiry, point)
            case _:
                raise ValidationError(
                    {"stream": [f"must be a stream such as symbol:NIFTY, was {str(name)!r}"]}
                )

    def _listed_target(self, kind: StreamKind, symbol: str, expiry: date, point: ResumePoint) -> StreamTarget:
        """The stream of an expiry, or of the one after it where it is over and the subscription rolls."""
        rolls = point.rolls
        expired = None
        universe = self._market.universe
        try:
            listing = universe.listing(symbol, expiry)
        except UnknownExpiry as error:
            if not error.listed or expiry > error.listed[0]:
                raise  # it never was, or is not yet
            listing = universe.listing(symbol, None)
            name = StreamName(kind, symbol, expiry)
            place = {"stream": str(name), "symbol": listing.symbol, "epoch": None, "seq": None}
            expired = {**place, "status": "expired", "successor": str(name.at(listing.expiry.day))}
            if not rolls:
                return StreamTarget(name, None, expired=expired)
        if kind == StreamKind.CHAIN:
            target = self._chain(listing, point, rolls=rolls)
        else:
            target = self._dashboard(listing, rolls=rolls)
        return replace(target, expired=expired)

    async def _await_history(self, targets: list[StreamTarget]) -> None:
        """Wait for the past of the candles among them: nobody gets a candle before its history."""
        for name in dict.fromkeys(target.name for target in targets):
            if name.kind == StreamKind.CANDLES:
                await self._candles.ready(name.symbol)

    def _rooms(self, client: Client, targets: list[StreamTarget]) -> list[Room | None]:
        """A room for each target, none of which anybody is in yet; too many are refused before one is."""
        names = {*client.subscriptions, *(target.name for target in targets if target.make is not None)}
        limit = self.limits.max_subscriptions
        if len(names) > limit:
            message = f"A client may follow {limit} streams; this would make {len(names)}."
            raise ApiError(ErrorCode.RATE_LIMITED, message, {"max_subscriptions": limit})
        return [None if target.make is None else self.broadcaster.room(target.make()) for target in targets]

    def _follow(self, client: Client, targets: list[StreamTarget]) -> list[dict[str, Any]]:
        """Subscribe to all, or to none if one cannot be told; the answer has the status of each."""
        answers = []
        for target, room in zip(targets, self._rooms(client, targets), strict=True):
            assert room is not None
            status = room.status("subscribed")
            if room.stream.listing_key is not None:
                status["rolls"] = target.rolls
            greeting = Packet("subscription_status", encode(status))
            self.broadcaster.subscribe(client, room, greeting=greeting, rolls=target.rolls)
            answers.append(status)
        return answers

    def _resume(
        self, client: Client, point: ResumePoint, target: StreamTarget, room: Room | None
    ) -> dict[str, Any]:
        """Take up one stream; one that has expired is told so first."""
        greeting, expired = None, {}
        if target.expired is not None:
            greeting = Packet("subscription_status", encode(target.expired))
            expired = {"expired": target.expired["stream"]}
        if room is None:
            assert greeting is not None
            client.send(greeting)
            return {"stream": str(target.name), "epoch": None, "seq": None, "recovered": False, **expired}
        stream = room.stream
        if expired:
            self.broadcaster.subscribe(client, room, greeting=greeting, rolls=target.rolls, reason="expired")
            recovered = False
        else:
            # who is served other fields than it holds begins afresh
            as_asked = not isinstance(room, ChainRoom) or room.part.fields == point.leg_fields
            held = (point.epoch, point.seq) if as_asked else None
            recovered = self.broadcaster.subscribe(client, room, held, rolls=target.rolls)
        return {
            "stream": str(stream.name),
            "epoch": stream.epoch,
            "seq": stream.seq,
            "recovered": recovered,
            **expired,
        }

    def _unsubscribe(self, client: Client, name: StreamName) -> dict[str, Any]:
        subscription = client.subscriptions.get(name)
        if subscription is None:
            place = {"stream": str(name), "symbol": name.symbol, "epoch": None, "seq": None}
            return {**place, "status": "unsubscribed"}
        status = subscription.room.status("unsubscribed")
        self.broadcaster.unsubscribe(client, name)
        client.send(Packet("subscription_status", encode(status)))
        return status

    def _unsubscribe_expiries(self, client: Client, payload: Any, kind: StreamKind) -> dict[str, Any]:
        choice = _read(ChainEndEvent, payload)
        symbol, expiry = choice.symbol, choice.expiry
        self._market.universe.underlying(symbol)
        if expiry is not None:
            return {"streams": [self._unsubscribe(client, StreamName(kind, symbol, expiry))]}
        names = [name for name in client.subscriptions if (name.kind, name.symbol) == (kind, symbol)]
        return {"streams": [self._unsubscribe(client, name) for name in names]}

    # answers

    def _spend(self, client: Client, event: str) -> None:
        """Refuse an event too many, and one of a client that has not read its last answers yet."""
        if client.socket.is_backed_up:
            limit = self.limits.max_write_buffer_bytes
            message = f"More than half of the {limit} bytes that may wait for you do: read them first."
            raise ApiError(ErrorCode.RATE_LIMITED, message, {"max_write_buffer_bytes": limit})
        known = CLIENT.get(event)
        cost = min(known.cost if known else 1.0, BURST * self.limits.max_events_per_second)
        if not client.allowance.take(self.monotonic(), cost):
            limit = self.limits.max_events_per_second
            message = f"More than {limit} events a second."
            raise ApiError(ErrorCode.RATE_LIMITED, message, {"max_events_per_second": limit})

    def _answer(self, data: Any, note: str | None) -> dict[str, Any]:
        return {**success(self._now_ms(), note or "OK"), "data": data}

    def _refuse(self, client: Client, event: str, error: Exception) -> dict[str, Any]:
        problem = describe(error)
        details = problem.details
        if problem.status == 500:
            reference = secrets.token_hex(8)
            details = {"request_id": reference}
            text = "event %s failed (request %s)"
            self._failures.log(logger, error, text, event[:60], reference)
        told = {"code": problem.code, "message": problem.message, "details": details, "event": event[:60]}
        client.send(Packet("error", encode(told)))
        if problem.code in VIOLATION_CODES:
            client.violations += 1
            if client.violations > MAX_VIOLATIONS:
                why = "it went on after it was told that it is over a limit"
                self.server.eio.refuse(client.socket, why, "over_limit")
        return refusal(self._now_ms(), problem.code, problem.message, details)

    # the end

    async def shut_down(self) -> None:
        """Tell every client when to come back and close its socket, without waiting for anybody."""
        now_s = self.monotonic()
        await self.drain.tell_everybody(now_s)
        await self.drain.close_everybody(now_s)


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in more than so many levels."""
    layer = [value] if isinstance(value, list | dict) else []
    for _ in range(levels):
        layer = [
            item
            for outer in layer
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, list | dict)
        ]
    return bool(layer)


def _read(schema: type[Request[Q]], payload: Any) -> Q:
    """The payload as an object; no payload is an empty one. Raises ValidationError."""
    return identified(schema.read({} if payload is None else payload))


def make_socket_server(
    namespace: MarketNamespace, settings: Settings, failures: FailureLog, guard: Guard
) -> SocketServer:
    """The Socket.IO server that speaks for a namespace."""
    limits, websocket = namespace.limits, settings.websocket
    server = SocketServer(
        on_connected=namespace.welcome,
        failures=failures,
        describe=namespace.admission.describe,
        check_origin=namespace.admission.check_origin,
        on_oversize=namespace.refuse_oversize,
        connect_timeout_s=limits.connect_timeout_s,
        max_pending_per_address=max(LEAST_PENDING, limits.max_clients_per_address),
        ping_interval=websocket.ping_interval_s,
        ping_timeout=websocket.timeout_s,
        max_http_buffer_size=limits.max_message_bytes,
        max_unread_bytes=limits.max_write_buffer_bytes,
        max_unread_bytes_in_all=settings.limits.max_buffered_bytes,
        cors_allowed_origins=[],  # the namespace refuses a foreign origin, and says so
        async_mode="tornado",
        guard=guard,
        edge_name=settings.server.edge_name,
    )
    server.register_namespace(namespace)
    return server
