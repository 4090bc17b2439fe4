"""What a client may send as events: their payloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import fields, post_load, validate

from domain.alerts import HYSTERESIS, OF_A_STRIKE, AlertField, AlertOp, Condition
from domain.instruments import Exchange
from domain.intervals import INTERVALS
from domain.intervals import Interval as IntervalName
from schemas.requests.fields import (
    GREATEST_STRIKE,
    LEAST_STRIKE,
    MAX_SEQ,
    MAX_STREAMS,
    MAX_STRIKES,
    MODES,
    SYMBOL_PATTERN,
    Choices,
    Day,
    Flag,
    Interval,
    Nothing,
    Quantity,
    Request,
    Symbol,
    SymbolOrList,
    WholeNumber,
    Window,
    length,
    one_of,
)
from schemas.requests.leg_fields import FieldChoice, LegFields
from schemas.requests.queries import StatusQuery

MOST = 1e12  # of a threshold
STREAM_PATTERNS = (
    f"symbol:{SYMBOL_PATTERN}",
    f"(chain|dashboard):{SYMBOL_PATTERN}:\\d{{4}}-\\d\\d-\\d\\d",
    f"candles:{SYMBOL_PATTERN}:({'|'.join(INTERVALS)})",
)


@dataclass(frozen=True, slots=True)
class SymbolList:
    """One symbol or several."""

    symbol: list[str]


class SymbolEvent(Request[SymbolList]):
    """``subscribe_symbol`` and ``unsubscribe_symbol``."""

    makes = SymbolList

    symbol = SymbolOrList(required=True)


@dataclass(frozen=True, slots=True)
class ChainChoice:
    """A chain to follow, by default the nearest: as changes or whole, within a window of strikes or all."""

    symbol: str
    expiry: date | None
    mode: str
    strikes: int | None
    leg_fields: LegFields


class ChainSubscription(Request[ChainChoice]):
    """``subscribe_option_chain``."""

    makes = ChainChoice

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)
    mode = fields.String(
        load_default="delta",
        validate=one_of(MODES),
    )
    strikes = Window(load_default=None)
    leg_fields = FieldChoice()


@dataclass(frozen=True, slots=True)
class ExpiryChoice:
    """An expiry of a symbol; None is the nearest, or all where something ends."""

    symbol: str
    expiry: date | None


class ChainEvent(Request[ExpiryChoice]):
    """``get_dashboard_data`` and ``subscribe_dashboard``."""

    makes = ExpiryChoice

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)


class ChainEndEvent(ChainEvent):
    """``unsubscribe_option_chain`` and ``unsubscribe_dashboard``."""

    expiry = Day(load_default=None, metadata={"description": "expiry day; left out: every one of the symbol"})


@dataclass(frozen=True, slots=True)
class ChainOnce:
    """A chain to be sent once."""

    symbol: str
    expiry: date | None
    strikes: int | None
    leg_fields: LegFields


class ChainQueryEvent(Request[ChainOnce]):
    """``get_option_chain``."""

    makes = ChainOnce
    symbol = Symbol(required=True)
    expiry = Day(load_default=None)

    strikes = WholeNumber(1, MAX_STRIKES, load_default=None)
    leg_fields = FieldChoice()


@dataclass(frozen=True, slots=True)
class CandleChoice:
    """The forming candle of a symbol."""

    symbol: str
    interval: IntervalName


class CandleEvent(Request[CandleChoice]):
    """``subscribe_candles`` and ``unsubscribe_candles``."""

    makes = CandleChoice

    symbol = Symbol(required=True)
    interval = Interval(load_default=IntervalName.ONE_MINUTE)


class StatusEvent(Request[StatusQuery]):
    """``get_market_status``."""

    makes = StatusQuery

    exchange = Choices(tuple(Exchange), load_default=None)


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """A figure to watch, and when to tell; without an expiry that of the nearest one."""

    symbol: str
    expiry: date | None
    strike: float | None
    field: AlertField
    op: AlertOp
    value: float
    hysteresis: float | None
    repeat: bool

    def condition(self) -> Condition:
        """When it fires; without a hysteresis a thousandth of the threshold."""
        band = abs(self.value) * HYSTERESIS if self.hysteresis is None else self.hysteresis
        return Condition(self.op, self.value, band)


class AlertEvent(Request[AlertChoice]):
    """``subscribe_alert``."""

    makes = AlertChoice

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)
    strike = Quantity(
        LEAST_STRIKE,
        GREATEST_STRIKE,
        load_default=None,
        metadata={
            "description": "whose open interest; left out: the strike at the money now",
            "unit": "INR",
            "example": 22700.0,
        },
    )
    field = fields.String(
        required=True,
        validate=one_of(tuple(AlertField)),
        metadata={"description": "what is watched", "example": "spot_price"},
    )
    op = fields.String(
        required=True,
        validate=one_of(tuple(AlertOp)),
        metadata={"description": "when it fires", "example": "above"},
    )
    value = Quantity(
        -MOST,
        MOST,
        required=True,
        metadata={"description": "threshold", "unit": "that of the field", "example": 22500.0},
    )
    hysteresis = Quantity(
        0,
        MOST,
        load_default=None,
        metadata={
            "description": "how far back the figure must go; left out: a thousandth of the threshold",
            "unit": "that of the field",
            "example": 22.5,
        },
    )
    repeat = Flag(
        load_default=False,
        metadata={
            "description": "whether it may fire again, once the figure was back by the hysteresis",
            "example": True,
        },
    )

    @classmethod
    def made_of(cls, loaded: Mapping[str, Any]) -> AlertChoice:
        """With its names as what they are, and without what says nothing of the figure."""
        field = AlertField(loaded["field"])
        about = {
            "expiry": None if field == AlertField.SPOT_PRICE else loaded["expiry"],
            "strike": loaded["strike"] if field in OF_A_STRIKE else None,
        }
        return AlertChoice(**{**loaded, **about, "field": field, "op": AlertOp(loaded["op"])})


@dataclass(frozen=True, slots=True)
class AlertChosen:
    """One of a client's alerts."""

    alert_id: str


class AlertEndEvent(Request[AlertChosen]):
    """``unsubscribe_alert``."""

    makes = AlertChosen

    alert_id = fields.String(
        required=True,
        validate=length(1, 40),
        metadata={"description": "as subscribe_alert answered it", "example": "a1"},
    )


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A stream by name, and the state of it that a client holds."""

    stream: str
    epoch: str
    seq: int
    mode: str
    strikes: int | None
    rolls: bool
    leg_fields: LegFields


class StreamPosition(Request[ResumePoint]):
    """One stream of ``resume``."""

    makes = ResumePoint

    stream = fields.String(
        required=True, validate=length(1, 100), metadata={"pattern": f"^({'|'.join(STREAM_PATTERNS)})$"}
    )
    epoch = fields.String(required=True, validate=length(0, 100))
    seq = WholeNumber(-1, MAX_SEQ, required=True)
    mode = fields.String(load_default="delta", validate=one_of(MODES))
    strikes = Window(load_default=None, allow_none=True)
    rolls = Flag(
        load_default=False,
        metadata={
            "description": "whether to go over to the next expiry once this one has passed",
            "example": True,
        },
    )
    leg_fields = FieldChoice()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> ResumePoint:
        return ResumePoint(**data)


@dataclass(frozen=True, slots=True)
class ResumeList:
    """The streams to take up."""

    streams: list[ResumePoint]


class ResumeEvent(Request[ResumeList]):
    """``resume``."""

    makes = ResumeList

    streams = fields.List(
        fields.Nested(StreamPosition),
        required=True,
        validate=validate.Length(1, MAX_STREAMS, error=f"must name 1 to {MAX_STREAMS} streams"),
    )


class NoPayload(Request[Nothing]):
    """An event without a payload."""

    makes = Nothing
