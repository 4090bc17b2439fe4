"""Every event of the sockets: what its payload is made of, and what acknowledges it.

Nothing is defined here that a route defines too: payloads are the schemas of REST, alone or as the part
of them that a delta carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from domain.alerts import AlertField, AlertOp
from domain.errors import ErrorCode
from domain.market import FeedStateName, ProblemKind, SourceName
from schemas.chains import ChainHeaderSchema, ChainRowSchema, ChainSchema, ProvenanceSchema
from schemas.compiled import compiled
from schemas.dashboard import DashboardSchema
from schemas.quotes import SpotPriceSchema
from schemas.reference import CandleUpdateSchema, MarketStatusSchema
from schemas.requests.events import (
    AlertEndEvent,
    AlertEvent,
    CandleEvent,
    ChainEndEvent,
    ChainEvent,
    ChainQueryEvent,
    ChainSubscription,
    NoPayload,
    ResumeEvent,
    StatusEvent,
    SymbolEvent,
)
from schemas.service import PlaceSchema
from schemas.wire import Number, Timestamp

SUBSCRIPTION_STATUSES = ("subscribed", "unsubscribed", "expired", "failed", "recovered")
RESENT = ("resync", "conflated", "expired")


def _optional(field: fields.Field[Any]) -> fields.Field[Any]:
    """The field as a part that need not be there."""
    field.metadata = {**field.metadata, "optional": True}
    return field


def changes_of(schema: type[Schema], *always: str) -> dict[str, fields.Field[Any]]:
    """The fields of a schema, of which a delta has those that changed, and ``always`` the named ones."""
    return {name: field if name in always else _optional(field) for name, field in schema().fields.items()}


def _reason() -> fields.String:
    return fields.String(
        metadata={
            "optional": True,
            "enum": list(RESENT),
            "description": (
                "why it comes unasked: the delta was not to be had, it would have been longer, or the expiry "
                "before this one has passed"
            ),
        }
    )


class ClientLimitsSchema(Schema):
    """What one client may take."""

    max_subscriptions = fields.Integer(
        metadata={"unit": "streams", "description": "followed at once", "example": 64}
    )
    max_events_per_second = fields.Integer(
        metadata={"unit": "events per second", "description": "on average", "example": 20}
    )
    max_message_bytes = fields.Integer(
        metadata={"unit": "bytes", "description": "of one message", "example": 16384}
    )
    slow_client_timeout_s = fields.Float(
        metadata={"unit": "s", "description": "without reading, then the socket is closed", "example": 20.0}
    )


class ConnectionStatusSchema(Schema):
    """Once connected."""

    status = fields.String(metadata={"description": "that it is connected", "enum": ["connected"]})
    client_id = fields.String()
    server_time = Timestamp("time of the market's clock")
    version = fields.String()
    source = fields.String(metadata={"enum": list(SourceName)})
    epoch = fields.String()
    limits = fields.Nested(ClientLimitsSchema)


class SubscriptionSchema(PlaceSchema):
    """A stream that is followed, and where its subscriber stands."""

    rolls = fields.Boolean(
        metadata={
            "description": (
                "chains and dashboards: whether it goes over to the next expiry when this one has passed, as "
                "a subscription without expiry does"
            ),
            "example": True,
            "optional": True,
        }
    )


class SubscriptionStatusSchema(SubscriptionSchema):
    """A subscription began, ended, its contracts expired, its stream fails, or works again."""

    symbol = fields.String()
    epoch = fields.String(allow_none=True, metadata={"description": "null where nothing was followed"})
    seq = fields.Integer(allow_none=True, metadata={"description": "null where nothing was followed"})
    status = fields.String(
        metadata={
            "description": "what became of the subscription",
            "enum": list(SUBSCRIPTION_STATUSES),
        }
    )
    successor = fields.String(
        allow_none=True,
        metadata={
            "optional": True,
            "description": "of an expired chain: the stream of the next expiry; null if none is listed",
            "example": "chain:NIFTY:2026-12-08",
        },
    )


class SymbolSnapshotSchema(SpotPriceSchema):
    """The whole quote, as REST gives it."""

    kind = fields.String(metadata={"description": "replace what you hold", "enum": ["snapshot"]})
    reason = _reason()


class DeltaSchema(Schema):
    """The state a delta applies to and the one it leads to."""

    prev_seq = fields.Integer()
    conflated = fields.Integer(metadata={"optional": True, "minimum": 2})


SymbolDeltaSchema = DeltaSchema.from_dict(
    {
        **changes_of(SpotPriceSchema, "symbol", "as_of", "epoch", "seq"),
        "kind": fields.String(metadata={"description": "assign what is here", "enum": ["delta"]}),
    },
    name="SymbolDeltaSchema",
)
SymbolDeltaSchema.__doc__ = "What changed in a quote; without any other field, a sign of life."

ChainRowDeltaSchema = Schema.from_dict(
    dict(changes_of(ChainRowSchema, "strike_price")), name="ChainRowDeltaSchema"
)
ChainRowDeltaSchema.__doc__ = "A strike, and those of its fields that changed."


class ChainSnapshotSchema(ChainSchema):
    """The whole chain, as REST gives it."""

    reason = _reason()


class _ChainState(ChainHeaderSchema, ProvenanceSchema):
    """Everything of a chain but its rows."""


ChainDeltaSchema = DeltaSchema.from_dict(
    {
        **changes_of(_ChainState, "symbol", "expiry", "as_of", "epoch", "seq"),
        "rows": fields.List(fields.Nested(ChainRowDeltaSchema), metadata={"optional": True}),
        "removed": fields.List(fields.Float(), metadata={"optional": True, "unit": "INR"}),
    },
    name="ChainDeltaSchema",
)
ChainDeltaSchema.__doc__ = "What changed in a chain; without rows and other fields, a sign of life."


class DashboardUpdateSchema(DashboardSchema):
    """The figures of an expiry, as REST gives them."""

    reason = _reason()


class ProblemSchema(Schema):
    """What is the matter with a broker's feed, and what the operator must do."""

    kind = fields.String(
        metadata={
            "description": "what kind of trouble",
            "enum": list(ProblemKind),
            "example": "login_required",
        }
    )
    message = fields.String(
        metadata={"example": "Kite needs today's login: run `python server.py login`."},
    )
    since = Timestamp("when it began", example="2026-11-23T00:32:00.000Z", attribute="since_ms")
    until = Timestamp(
        nullable=True,
        doc="when it is over or tried again; null where nobody knows",
        example="2026-11-23T00:32:30.000Z",
        attribute="until_ms",
    )


dump_problem = compiled(ProblemSchema)


class FeedStatusSchema(Schema):
    """The state of the feed changed, or a silent one was restarted."""

    state = fields.String(metadata={"description": "state of the feed", "enum": list(FeedStateName)})
    reason = fields.String()
    restarts = fields.Integer(
        metadata={
            "unit": "restarts",
            "description": "since the feed was last live",
            "example": 0,
        }
    )
    next_try_at = Timestamp(
        nullable=True,
        doc="when a silent feed is restarted next; null where it need not be",
        example="2026-11-23T04:30:08.500Z",
    )
    problem = fields.Nested(
        ProblemSchema,
        allow_none=True,
        metadata={"description": "what is the matter with a broker's feed; null where nothing is"},
    )
    source = fields.String(metadata={"enum": list(SourceName)})
    epoch = fields.String()
    scenario = fields.String(
        allow_none=True,
        metadata={"description": "scenario of a simulated market, null of any other", "example": "calm"},
    )
    timestamp = Timestamp("time of the market's clock")


class PongSchema(Schema):
    """The answer to ``ping``."""

    server_time = Timestamp("time of the market's clock")
    sent = fields.Raw(allow_none=True)


class ShutdownSchema(Schema):
    """Before a planned stop."""

    reconnect_after_ms = fields.Integer(
        metadata={
            "unit": "ms",
            "description": "when to come back, another time for each client",
            "example": 1240,
        }
    )


class AlertSchema(Schema):
    """An alert as it was asked for."""

    alert_id = fields.String(metadata={"description": "names it on this connection", "example": "a1"})
    symbol = fields.String()
    expiry = fields.Date(
        allow_none=True, metadata={"description": "of the contracts it is about; null with spot_price"}
    )
    strike = Number(2, "INR", "whose open interest is watched; null with other figures")
    field = fields.String(
        metadata={"description": "what is watched", "enum": list(AlertField), "example": "spot_price"}
    )
    op = fields.String(metadata={"description": "when it fires", "enum": list(AlertOp), "example": "above"})
    threshold = fields.Float(
        metadata={"description": "value asked for", "unit": "that of the field", "example": 22500.0}
    )
    hysteresis = fields.Float(
        metadata={
            "description": "how far back the figure must go before it fires again",
            "unit": "that of the field",
            "example": 22.5,
        }
    )
    repeat = fields.Boolean(metadata={"description": "whether it may fire again", "example": False})


class WatchedSchema(AlertSchema):
    """The answer to ``subscribe_alert``: the figure as it is now beside it."""

    value = fields.Float(
        allow_none=True,
        metadata={
            "description": "the figure; null where it is not known",
            "unit": "that of the field",
            "example": 22612.4,
        },
    )
    as_of = Timestamp("time of its newest input")


class FiredSchema(WatchedSchema):
    """An alert fires, or ends because its contracts expired."""

    status = fields.String(
        metadata={"description": "what became of it", "enum": ["fired", "ended"], "example": "fired"}
    )


class AlertsSchema(Schema):
    """The answer to ``list_alerts``."""

    alerts = fields.List(
        fields.Nested(AlertSchema), metadata={"description": "in the order they were asked for"}
    )


class RemovedAlertSchema(Schema):
    """The answer to ``unsubscribe_alert``."""

    alert_id = fields.String(metadata={"description": "which was asked to end", "example": "a1"})
    removed = fields.Boolean(
        metadata={"description": "false where there was none, as after it fired", "example": True}
    )


class RecoverySchema(Schema):
    """Where a resumed stream stands."""

    stream = fields.String()
    epoch = fields.String(allow_none=True, metadata={"description": "null where nothing is followed"})
    seq = fields.Integer(allow_none=True, metadata={"description": "null where nothing is followed"})
    recovered = fields.Boolean()
    expired = fields.String(
        metadata={
            "optional": True,
            "description": "the stream that was asked for, where its contracts have expired",
            "example": "chain:NIFTY:2026-12-01",
        }
    )


class RecoveriesSchema(Schema):
    """The answer to ``resume``."""

    streams = fields.List(fields.Nested(RecoverySchema))


class StatusesSchema(Schema):
    """The answer for several streams."""

    streams = fields.List(fields.Nested(SubscriptionStatusSchema))


class SubscriptionsSchema(Schema):
    """The answer to ``list_subscriptions``."""

    subscriptions = fields.List(fields.Nested(SubscriptionSchema))


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """What a client may send: payload, the data that acknowledges it, and the codes of a refusal.

    ``cost`` is what it takes of its client's allowance: whole chains are a hundred times a quote.
    """

    what: str
    payload: type[Schema] | None  # None: anything
    answer: type[Schema]
    errors: tuple[ErrorCode, ...] = ()
    payload_required: bool = True
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """What the server sends: one of these payloads; of errors there is one for each code."""

    what: str
    payloads: tuple[type[Schema], ...]


_SYMBOL = (ErrorCode.UNKNOWN_SYMBOL,)
_EXPIRY = (ErrorCode.UNKNOWN_SYMBOL, ErrorCode.UNKNOWN_EXPIRY)
_PRICED = (ErrorCode.FEED_UNAVAILABLE,)

CLIENT: Mapping[str, ClientEvent] = {
    "subscribe_symbol": ClientEvent(
        "quotes of a symbol or a list of them: {symbol}", SymbolEvent, StatusesSchema, _SYMBOL + _PRICED
    ),
    "unsubscribe_symbol": ClientEvent("end it: {symbol}", SymbolEvent, StatusesSchema, _SYMBOL),
    "subscribe_option_chain": ClientEvent(
        "a chain: {symbol, expiry?, mode?: delta|full, strikes?: 5|10|20|40, fields?}",
        ChainSubscription,
        SubscriptionStatusSchema,
        _EXPIRY + _PRICED,
        cost=2.0,
    ),
    "unsubscribe_option_chain": ClientEvent(
        "end it: {symbol, expiry?}", ChainEndEvent, StatusesSchema, _SYMBOL
    ),
    "subscribe_dashboard": ClientEvent(
        "figures of an expiry: {symbol, expiry?}", ChainEvent, SubscriptionStatusSchema, _EXPIRY + _PRICED
    ),
    "unsubscribe_dashboard": ClientEvent("end it: {symbol, expiry?}", ChainEndEvent, StatusesSchema, _SYMBOL),
    "subscribe_candles": ClientEvent(
        "the forming candle: {symbol, interval}", CandleEvent, SubscriptionStatusSchema, _SYMBOL + _PRICED
    ),
    "unsubscribe_candles": ClientEvent(
        "end it: {symbol, interval}", CandleEvent, SubscriptionStatusSchema, _SYMBOL
    ),
    "get_option_chain": ClientEvent(
        "a chain once: {symbol, expiry?, strikes?, fields?}",
        ChainQueryEvent,
        ChainSchema,
        _EXPIRY + _PRICED,
        cost=4.0,
    ),
    "get_dashboard_data": ClientEvent(
        "figures once: {symbol, expiry?}", ChainEvent, DashboardSchema, _EXPIRY + _PRICED, cost=2.0
    ),
    "get_market_status": ClientEvent(
        "phases of the exchanges", StatusEvent, MarketStatusSchema, payload_required=False
    ),
    "list_subscriptions": ClientEvent(
        "what this client follows, and where it stands",
        NoPayload,
        SubscriptionsSchema,
        payload_required=False,
    ),
    "subscribe_alert": ClientEvent(
        "told once: {symbol, expiry?, strike?, field, op: above|below|crosses, value, hysteresis?, repeat?}",
        AlertEvent,
        WatchedSchema,
        (*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, *_PRICED),
        cost=2.0,
    ),
    "unsubscribe_alert": ClientEvent("end it: {alert_id}", AlertEndEvent, RemovedAlertSchema),
    "list_alerts": ClientEvent(
        "what this client is to be told", NoPayload, AlertsSchema, payload_required=False
    ),
    "resume": ClientEvent(
        "after a reconnect: {streams: [{stream, epoch, seq, mode?, strikes?, fields?, rolls?}]}",
        ResumeEvent,
        RecoveriesSchema,
        _EXPIRY + _PRICED,
    ),
    "ping": ClientEvent("answered by pong with what was sent", None, PongSchema, payload_required=False),
}
# refused whatever the event: its payload, too many of them, a fault of ours
ERRORS_OF_ALL = (
    ErrorCode.VALIDATION_ERROR,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL_ERROR,
)
REVOKED = ErrorCode.UNAUTHORIZED  # told by the error event alone, before the connection is closed
ERRORS_OF_CONNECT = (ErrorCode.UNAUTHORIZED, ErrorCode.FORBIDDEN_ORIGIN, ErrorCode.RATE_LIMITED)

SERVER: Mapping[str, ServerEvent] = {
    "connection_status": ServerEvent(
        "once connected: client_id, server_time, version, epoch, limits", (ConnectionStatusSchema,)
    ),
    "market_status": ServerEvent("on connect and at every change of phase", (MarketStatusSchema,)),
    "subscription_status": ServerEvent(
        "a subscription began, ended, expired, failed or works again", (SubscriptionStatusSchema,)
    ),
    "symbol_update": ServerEvent(
        "snapshot, then deltas of a quote", (SymbolSnapshotSchema, SymbolDeltaSchema)
    ),
    "option_chain_data": ServerEvent(
        "a whole chain: the answer to a request, or a snapshot", (ChainSnapshotSchema,)
    ),
    "option_chain_delta": ServerEvent("what changed in a chain", (ChainDeltaSchema,)),
    "option_chain_update": ServerEvent("a whole chain once a second, in mode full", (ChainSchema,)),
    "dashboard_data": ServerEvent("figures of an expiry", (DashboardUpdateSchema,)),
    "candle_update": ServerEvent(
        "the forming candle; closed: true once when it is final", (CandleUpdateSchema,)
    ),
    "alert": ServerEvent("a figure passed its threshold, or its contracts expired", (FiredSchema,)),
    "feed_status": ServerEvent("state of the feed, and why", (FeedStatusSchema,)),
    "pong": ServerEvent("answer to ping", (PongSchema,)),
    "error": ServerEvent("code, message, details, event", ()),
    "server_shutdown": ServerEvent("before a planned stop: reconnect_after_ms", (ShutdownSchema,)),
}
