"""Control of the feed at run time: of a replay, and of the simulated market's scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from domain.market import FaultKind, ScenarioName
from schemas.requests.fields import Day, Moment, Request, Symbol, one_of
from schemas.strategy import Amount
from schemas.wire import Number, Timestamp

ACTIONS = ("pause", "resume", "seek", "speed")
LEAST_SPEED, GREATEST_SPEED = 0.01, 3600.0


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What to do with a replay: ``at`` of a seek in milliseconds, ``speed`` of a speed."""

    action: str
    at: int | None
    speed: float | None


class ReplayRequest(Request[ReplayOrder]):
    """``POST /api/replay``."""

    makes = ReplayOrder

    action = fields.String(
        required=True,
        validate=one_of(ACTIONS),
        metadata={"description": "what to do with the replay", "example": "pause"},
    )
    at = Moment(
        load_default=None,
        metadata={"description": "where to go on, of a seek", "example": "2026-11-23T10:30:00+05:30"},
    )
    speed = Amount(
        LEAST_SPEED,
        GREATEST_SPEED,
        load_default=None,
        metadata={
            "unit": "market seconds a second",
            "description": "how fast to go on, of a speed",
            "example": 60.0,
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """Each action has the one argument that is its own."""
        for name, action in (("at", "seek"), ("speed", "speed")):
            if data[name] is None and data["action"] == action:
                raise ValidationError({name: [f"is required by the action {action} and was not given"]})
            if data[name] is not None and data["action"] != action:
                raise ValidationError(
                    {name: [f"is only for the action {action}, the action was {data['action']}"]}
                )


@dataclass(frozen=True, slots=True)
class ScenarioOrder:
    """What the simulated market is to go through."""

    scenario: str


class ScenarioRequest(Request[ScenarioOrder]):
    """``POST /api/simulation/scenario``."""

    makes = ScenarioOrder

    scenario = fields.String(
        required=True,
        validate=one_of(tuple(ScenarioName)),
        metadata={"description": "the scenario to go over to", "example": "crash"},
    )


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """What is to go wrong, for how long; of a chain which, of latency how much."""

    kind: FaultKind
    seconds: float
    symbol: str | None
    expiry: date | None
    latency_ms: float | None
    socket: int | None


# what only some kinds have
_OWN = {
    "symbol": {FaultKind.STALE_CHAIN},
    "expiry": {FaultKind.STALE_CHAIN},
    "latency_ms": {FaultKind.LATENCY},
    "socket": {FaultKind.DROP_TICKER, FaultKind.MALFORMED_FRAME},
}


class FaultRequest(Request[FaultOrder]):
    """``POST /api/simulation/faults``."""

    makes = FaultOrder

    kind = fields.String(
        required=True,
        validate=one_of(tuple(FaultKind)),
        metadata={"description": "what is to go wrong", "example": "stall_feed"},
    )
    seconds = Amount(
        0.1,
        3600.0,
        load_default=10.0,
        metadata={"unit": "s", "description": "for how long, by the market's clock", "example": 10.0},
    )
    symbol = Symbol(
        load_default=None,
        metadata={"description": "of the chain, of a stale_chain", "example": "NIFTY"},
    )
    expiry = Day(load_default=None, metadata={"description": "of the chain; the nearest without one"})
    latency_ms = Amount(
        1,
        60_000,
        load_default=None,
        metadata={"unit": "ms", "description": "of every answer over REST, of a latency", "example": 800},
    )
    socket = fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(1, 3, error="must be between 1 and 3, was {input}"),
        metadata={
            "unit": "count",
            "description": "number of the Kite mock's socket, of drop_ticker, malformed_frame; else all",
            "example": 1,
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """A stale chain has a name; nothing else has one."""
        kind = data["kind"]
        if kind == FaultKind.STALE_CHAIN and data["symbol"] is None:
            raise ValidationError({"symbol": ["is required by the kind stale_chain and was not given"]})
        for name, owners in _OWN.items():
            if data[name] is not None and kind not in owners:
                named = " or ".join(sorted(owners))
                raise ValidationError({name: [f"is only for the kind {named}, the kind was {kind}"]})


@dataclass(frozen=True, slots=True)
class FaultChoice:
    """Faults of one kind, or all."""

    kind: str | None


class FaultQuery(Request[FaultChoice]):
    """Which kind of faults, of GET and DELETE ``/api/simulation/faults``."""

    makes = FaultChoice

    kind = fields.String(
        load_default=None,
        validate=one_of(tuple(FaultKind)),
        metadata={"description": "only those of this kind", "example": "stall_feed"},
    )


class FaultSchema(Schema):
    """A fault that was brought about."""

    kind = fields.String(metadata={"description": "what goes wrong", "enum": list(FaultKind)})
    since = Timestamp("when it began", example="2026-11-23T04:30:00.000Z", attribute="since_ms")
    until = Timestamp(
        nullable=True,
        doc="when it ends by itself; the same for what happens once",
        example="2026-11-23T04:30:10.000Z",
        attribute="until_ms",
    )
    symbol = fields.String(allow_none=True, metadata={"description": "of a stale chain", "example": "NIFTY"})
    expiry = fields.Date(
        allow_none=True, metadata={"description": "of a stale chain", "example": "2026-12-01"}
    )
    latency_ms = fields.Integer(
        allow_none=True, metadata={"unit": "ms", "description": "of latency", "example": 800}
    )
    socket = fields.Integer(
        allow_none=True, metadata={"unit": "count", "description": "of the Kite mock, from 1", "example": 1}
    )


class FaultsSchema(Schema):
    """``/api/simulation/faults``: what is in force, and what can be brought about here."""

    faults = fields.List(fields.Nested(FaultSchema), metadata={"description": "what is in force"})
    kinds = fields.List(
        fields.String(), metadata={"description": "what there is to choose from", "example": ["stall_feed"]}
    )


class ReplaySchema(Schema):
    """``/api/replay``: where a replay stands."""

    paused = fields.Boolean(metadata={"description": "whether the market stands still", "example": False})
    speed = Number(2, "market seconds a second", "how fast it goes")
    at = Timestamp("time of the market's clock", example="2026-11-23T05:00:00.000Z", attribute="at_ms")
    start = Timestamp(
        "first instant of the recording", example="2026-11-23T03:45:00.000Z", attribute="start_ms"
    )
    end = Timestamp("last instant of the recording", example="2026-11-23T10:10:00.000Z", attribute="end_ms")
    loop = fields.Boolean(metadata={"description": "whether it starts again at its end", "example": True})
    finished = fields.Boolean(metadata={"description": "whether everything was told", "example": False})
    epoch = fields.String(metadata={"description": "a seek begins a new one"})


class ScenarioStateSchema(Schema):
    """``/api/simulation/scenario``."""

    scenario = fields.String(
        metadata={"description": "what the simulated market goes through", "example": "calm"}
    )
    scenarios = fields.List(
        fields.String(),
        metadata={"description": "what there is to choose from", "example": list(ScenarioName)},
    )
