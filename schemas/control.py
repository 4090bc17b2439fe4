"""Control of the feed at run time: of a replay, and of the simulated market's scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from domain.market import ScenarioName
from schemas.requests.fields import Moment, Request, one_of
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


class ScenarioSchema(Schema):
    """``/api/simulation/scenario``."""

    scenario = fields.String(
        metadata={"description": "what the simulated market goes through", "example": "calm"}
    )
    scenarios = fields.List(
        fields.String(),
        metadata={"description": "what there is to choose from", "example": list(ScenarioName)},
    )
