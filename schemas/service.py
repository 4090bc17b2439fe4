"""The service's own figures on the wire: index, health, connections."""

from __future__ import annotations

from marshmallow import Schema, fields

from domain.market import FeedStateName, HealthStatus, ProblemKind, Role
from schemas.requests.leg_fields import ShownFields
from schemas.wire import Number


class LinksSchema(Schema):
    """Where to go from here."""

    health = fields.String(metadata={"description": "health of the service", "example": "/health"})
    socket = fields.String(metadata={"description": "path of Socket.IO", "example": "/socket.io/"})
    docs = fields.String(metadata={"description": "documentation for people", "example": "/api/docs"})
    openapi = fields.String(metadata={"description": "the routes, OpenAPI", "example": "/api/openapi.json"})
    asyncapi = fields.String(
        metadata={"description": "the events, AsyncAPI", "example": "/api/asyncapi.json"}
    )


class RouteSchema(Schema):
    """One route."""

    route = fields.String(metadata={"description": "path", "example": "/api/spot_price/{symbol}"})
    example = fields.String(metadata={"description": "a link to try", "example": "/api/spot_price/NIFTY"})
    description = fields.String(
        metadata={"description": "what it answers", "example": "price of an underlying"}
    )


class EventSchema(Schema):
    """One event."""

    event = fields.String(metadata={"description": "name", "example": "get_market_status"})
    description = fields.String(
        metadata={"description": "what it does", "example": "phases of the exchanges"}
    )


class EventsSchema(Schema):
    """Events by direction."""

    client_to_server = fields.List(fields.Nested(EventSchema), metadata={"description": "what you send"})
    server_to_client = fields.List(fields.Nested(EventSchema), metadata={"description": "what you receive"})


class IndexSchema(Schema):
    """``/api``: what there is."""

    name = fields.String(metadata={"description": "what this is", "example": "Indian options market data"})
    version = fields.String()
    links = fields.Nested(LinksSchema)
    routes = fields.List(fields.Nested(RouteSchema), metadata={"description": "every route"})
    events = fields.Nested(EventsSchema)


class PartSchema(Schema):
    """A verdict on one part."""

    status = fields.String(metadata={"description": "verdict", "enum": list(HealthStatus)})
    reason = fields.String(metadata={"description": "a sentence that says why", "example": "Data arrives."})


class FeedPartSchema(PartSchema):
    """Whether prices arrive."""

    state = fields.String(metadata={"description": "state of the feed", "enum": list(FeedStateName)})
    problem = fields.String(
        allow_none=True,
        metadata={
            "description": "what is the matter with a broker's feed; null where nothing is",
            "enum": list(ProblemKind),
            "example": None,
        },
    )
    last_tick_age_ms = fields.Integer(
        allow_none=True,
        metadata={
            "unit": "ms",
            "description": "age of the newest input; null before the first",
            "example": 180,
        },
    )
    rate_per_s = fields.Float(
        metadata={"unit": "updates per second", "description": "over the last minute", "example": 2.0}
    )


class StreamsPartSchema(PartSchema):
    """Whether streams reach clients, whatever the feed says."""

    last_publish_age_ms = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(
            allow_none=True, metadata={"unit": "ms", "description": "null for a kind that never went out"}
        ),
        metadata={
            "description": "time since a stream of a kind (symbol, chain, dashboard, candles) last went out",
            "example": {"symbol": 180, "chain": 181, "dashboard": None, "candles": None},
        },
    )
    failures = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(metadata={"unit": "tries", "description": "in vain"}),
        metadata={
            "description": "tries in vain, by kind, since each stream last worked",
            "example": {"symbol": 0, "chain": 2, "dashboard": 0, "candles": 0},
        },
    )
    oldest_due_age_ms = fields.Integer(
        metadata={
            "unit": "ms",
            "description": "how long the oldest followed stream that is due was not told of; 0 where none is",
            "example": 0,
        }
    )
    reduced = fields.Integer(
        metadata={
            "unit": "chains",
            "description": "least watched chains told more rarely, since all take longer than there is time",
            "example": 0,
        }
    )


class HistoryPartSchema(PartSchema):
    """Whether candles reach the store."""

    queue_length = fields.Integer(
        metadata={"unit": "batches", "description": "waiting to be written", "example": 0}
    )
    dropped = fields.Integer(metadata={"unit": "batches", "description": "never written", "example": 0})


class LoopPartSchema(PartSchema):
    """Whether the event loop keeps up."""

    lag_p99_ms = fields.Float(
        metadata={"unit": "ms", "description": "how late callbacks run, 99th percentile", "example": 3.1}
    )


class ClientsPartSchema(PartSchema):
    """Who is connected."""

    connected = fields.Integer(metadata={"unit": "clients", "description": "connected now", "example": 12})


class RelayPartSchema(PartSchema):
    """Whether the market reaches the other processes, or this one; only with a role of feed or edge."""

    role = fields.String(
        metadata={"description": "of this process", "enum": list(Role), "example": Role.EDGE.value}
    )
    term = fields.Integer(
        allow_none=True,
        metadata={
            "unit": "ms since 1970",
            "description": "the leadership that is published or followed; null before the first record",
            "example": 1_796_025_810_486,
        },
    )
    leads = fields.Boolean(
        metadata={"description": "whether this feed publishes", "example": True, "optional": True}
    )
    queue_length = fields.Integer(
        metadata={"unit": "records", "description": "waiting for the bus", "example": 0, "optional": True}
    )
    dropped = fields.Integer(
        metadata={"unit": "records", "description": "that edges never saw", "example": 0, "optional": True}
    )
    silent_ms = fields.Integer(
        metadata={"unit": "ms", "description": "since the newest record", "example": 136, "optional": True}
    )
    gaps = fields.Integer(
        metadata={
            "unit": "records",
            "description": "that did not follow the one before",
            "example": 0,
            "optional": True,
        }
    )
    images = fields.Integer(
        metadata={
            "unit": "images",
            "description": "whole markets taken over",
            "example": 1,
            "optional": True,
        }
    )


class PartsSchema(Schema):
    """A verdict on each part."""

    feed = fields.Nested(FeedPartSchema)
    streams = fields.Nested(StreamsPartSchema)
    history = fields.Nested(HistoryPartSchema)
    event_loop = fields.Nested(LoopPartSchema)
    clients = fields.Nested(ClientsPartSchema)
    relay = fields.Nested(RelayPartSchema, metadata={"optional": True})


class HealthSchema(Schema):
    """``/health``; with ``probe`` the ``status`` alone."""

    status = fields.String(
        metadata={"description": "the worst verdict that matters", "enum": list(HealthStatus)}
    )
    version = fields.String(metadata={"optional": True})
    uptime_s = fields.Float(
        metadata={
            "unit": "s",
            "description": "since the server started",
            "example": 86_400.5,
            "optional": True,
        }
    )
    source = fields.String(metadata={"optional": True})
    parts = fields.Nested(PartsSchema, metadata={"optional": True})


class ConnectionsSchema(Schema):
    """Connections, counted."""

    now = fields.Integer(metadata={"unit": "clients", "description": "connected now", "example": 12})
    peak = fields.Integer(metadata={"unit": "clients", "description": "most at once", "example": 40})
    total = fields.Integer(
        metadata={"unit": "clients", "description": "let in since the start", "example": 812}
    )
    refused = fields.Integer(
        metadata={"unit": "clients", "description": "turned away since the start", "example": 3}
    )
    refused_by_code = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(metadata={"unit": "clients", "description": "turned away"}),
        metadata={"description": "turned away, by code", "example": {"FORBIDDEN_ORIGIN": 3}},
    )


class TransportsSchema(Schema):
    """Connected clients by transport."""

    websocket = fields.Integer(metadata={"unit": "clients", "description": "over a WebSocket", "example": 11})
    polling = fields.Integer(metadata={"unit": "clients", "description": "by polling", "example": 1})


class PlaceSchema(Schema):
    """A stream, and where it or its subscriber stands."""

    stream = fields.String()
    epoch = fields.String()
    seq = fields.Integer()
    mode = fields.String(
        metadata={"description": "chains: delta or full", "enum": ["delta", "full"], "optional": True}
    )
    strikes = fields.Integer(
        allow_none=True,
        metadata={
            "unit": "strikes",
            "description": "chains: strikes on each side of the money; null for all",
            "example": 10,
            "optional": True,
        },
    )
    leg_fields = ShownFields()


class RoomSchema(PlaceSchema):
    """The subscribers of a stream who are sent the same bytes."""

    subscribers = fields.Integer(metadata={"unit": "clients", "description": "who is in it", "example": 7})


class MedianAndTailSchema(Schema):
    """Percentiles of a time."""

    p50 = Number(3, "ms", "median; null before the first sample")
    p99 = Number(3, "ms", "99th percentile; null before the first sample")


class LagSchema(MedianAndTailSchema):
    """Percentiles of a delay."""

    max = Number(3, "ms", "the worst; null before the first sample")


class StatisticsSchema(Schema):
    """``/api/websocket/stats``."""

    connections = fields.Nested(ConnectionsSchema)
    transports = fields.Nested(TransportsSchema)
    rooms = fields.List(
        fields.Nested(RoomSchema), metadata={"description": "groups of subscribers sent the same bytes"}
    )
    messages_out = fields.Integer(
        metadata={"unit": "messages", "description": "stream messages written", "example": 48_211}
    )
    bytes_out = fields.Integer(
        metadata={"unit": "bytes", "description": "their payload before compression", "example": 9_120_044}
    )
    conflated = fields.Integer(
        metadata={"unit": "updates", "description": "merged into a later message", "example": 37}
    )
    resyncs = fields.Integer(
        metadata={
            "unit": "snapshots",
            "description": "sent because too much had been missed",
            "example": 1,
        }
    )
    slow_clients = fields.Integer(
        metadata={"unit": "clients", "description": "that have not read what was sent", "example": 0}
    )
    slow_disconnects = fields.Integer(
        metadata={"unit": "clients", "description": "disconnected for not reading", "example": 0}
    )
    closed_by_reason = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(metadata={"unit": "clients", "description": "gone"}),
        metadata={"description": "clients that went, by reason", "example": {"over_limit": 2}},
    )
    unread_bytes = fields.Integer(
        metadata={"unit": "bytes", "description": "held for clients that have yet to read them", "example": 0}
    )
    fan_out_ms = fields.Nested(
        MedianAndTailSchema, metadata={"description": "time in which a publish cycle reached every client"}
    )
    loop_lag_ms = fields.Nested(LagSchema, metadata={"description": "how late the event loop runs"})
