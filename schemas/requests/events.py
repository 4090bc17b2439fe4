"""What a client may send as events: their payloads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import fields, post_load, validate

from domain.instruments import Exchange
from domain.intervals import INTERVALS
from domain.intervals import Interval as IntervalName
from schemas.requests.fields import (
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
